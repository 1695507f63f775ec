//! What terminologies say, as facts: concepts, value set definitions, maps (FHIR R4 §4.8 CodeSystem,
//! §4.9 ValueSet, §4.10 ConceptMap, §4.11 NamingSystem).
//!
//! Read from the tape by [`super::read_code_system`] and its sisters, or made by
//! [`super::CodeSystemBuilder`]; narrative, contacts and prose are dropped, except what an expansion
//! gives back.

/// A code with where it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coding {
    /// The canonical of the code system.
    pub system: Option<Box<str>>,
    /// Which edition of it.
    pub version: Option<Box<str>>,
    /// The code.
    pub code: Option<Box<str>>,
    /// The words that a person saw.
    pub display: Option<Box<str>>,
}

/// A value that a concept has under a property (FHIR R4 §4.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropertyValue {
    /// A code of the same system.
    Code(Box<str>),
    /// A code of any system.
    Coding(Coding),
    /// Text.
    Text(Box<str>),
    /// A whole number, as written.
    Integer(Box<str>),
    /// A number, as written.
    Decimal(Box<str>),
    /// True or false.
    Boolean(bool),
    /// A date or a moment, as written.
    DateTime(Box<str>),
}

impl PropertyValue {
    /// The text that filters compare.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Code(text) | Self::Text(text) | Self::Integer(text) | Self::Decimal(text) | Self::DateTime(text) => {
                text
            }
            Self::Coding(coding) => coding.code.as_deref().unwrap_or_default(),
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
        }
    }
}

/// A value under a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// The name of the property.
    pub code: Box<str>,
    /// The value.
    pub value: PropertyValue,
}

/// An extension, kept to be given back: expansions repeat some of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Which one.
    pub url: Box<str>,
    /// Its simple value.
    pub value: Option<PropertyValue>,
    /// The whole extension as JSON.
    pub json: Box<str>,
}

/// Another name of a concept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Designation {
    /// A tag of BCP 47.
    pub language: Option<Box<str>>,
    /// What it is for.
    pub usage: Option<Coding>,
    /// The words.
    pub value: Box<str>,
    /// `withdrawn`, `deprecated`…: whether it is still a proper name (`structuredefinition-standards-status`).
    pub status: Option<Box<str>>,
    /// The supplement that brought it, `url|version`.
    pub source: Option<Box<str>>,
    /// The extensions that an expansion repeats.
    pub extensions: Vec<Extension>,
}

impl Designation {
    /// It is still a proper name.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !matches!(self.status.as_deref(), Some("withdrawn" | "inactive" | "deprecated"))
    }
}

/// One concept of a code system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concept {
    /// Its code.
    pub code: Box<str>,
    /// Its name in the language of the system.
    pub display: Option<Box<str>>,
    /// What it means.
    pub definition: Option<Box<str>>,
    /// Its other names.
    pub designations: Vec<Designation>,
    /// Its values.
    pub properties: Vec<Property>,
    /// The extensions that an expansion repeats.
    pub extensions: Vec<Extension>,
}

/// How much of a code system its resource holds (FHIR R4, codesystem-content-mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Nothing: the codes are elsewhere.
    NotPresent,
    /// A few codes, as examples.
    Example,
    /// A part.
    Fragment,
    /// Everything.
    Complete,
    /// More about the codes of another system.
    Supplement,
}

impl Content {
    /// The code of FHIR.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotPresent => "not-present",
            Self::Example => "example",
            Self::Fragment => "fragment",
            Self::Complete => "complete",
            Self::Supplement => "supplement",
        }
    }

    /// The content that a code of FHIR names.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        [Self::NotPresent, Self::Example, Self::Fragment, Self::Complete, Self::Supplement]
            .into_iter()
            .find(|content| content.code() == code)
    }
}

/// A property that concepts may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyDefinition {
    /// Its name in this system.
    pub code: Box<str>,
    /// Its identity in all systems.
    pub uri: Option<Box<str>>,
    /// `code`, `Coding`, `string`, `integer`, `boolean`, `dateTime`, `decimal`.
    pub kind: Box<str>,
}

/// What is said of any canonical resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// Its identity, without version.
    pub url: Box<str>,
    /// Its edition.
    pub version: Option<Box<str>>,
    /// Its name for machines.
    pub name: Option<Box<str>>,
    /// Its name for people.
    pub title: Option<Box<str>>,
    /// `draft`, `active`, `retired`, `unknown`.
    pub status: Option<Box<str>>,
    /// The standards status of HL7: `draft`, `normative`, `deprecated`, `withdrawn`…
    pub standards_status: Option<Box<str>>,
    /// Not for real use.
    pub experimental: Option<bool>,
    /// When it was last changed.
    pub date: Option<Box<str>>,
    /// The language of its words, a tag of BCP 47.
    pub language: Option<Box<str>>,
    /// The id of the resource.
    pub id: Option<Box<str>>,
}

impl Header {
    /// `url|version`, or `url` alone.
    #[must_use]
    pub fn canonical(&self) -> String {
        match &self.version {
            Some(version) => format!("{}|{version}", self.url),
            None => self.url.to_string(),
        }
    }
}

/// One criterion of an include or an exclude.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What is looked at: a property, `concept`, `code`, `display`…
    pub property: Box<str>,
    /// How.
    pub op: FilterOp,
    /// Against what; some published filters have none, which is an error when they are used.
    pub value: Option<Box<str>>,
}

/// How a filter compares (FHIR R4, filter-operator, and the two that R5 added).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterOp {
    /// The same.
    Equal,
    /// The concept or what is below it.
    IsA,
    /// What is below the concept.
    DescendentOf,
    /// Neither the concept nor what is below it.
    IsNotA,
    /// The whole value matches.
    Regex,
    /// One of a list separated by commas.
    In,
    /// None of a list separated by commas.
    NotIn,
    /// The concept or what is above it.
    Generalizes,
    /// There is a value, or (`false`) none.
    Exists,
    /// Directly below the concept.
    ChildOf,
    /// Below the concept and nothing below it.
    DescendentLeaf,
    /// Not one that we know.
    Other(Box<str>),
}

impl FilterOp {
    /// The code of FHIR.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Equal => "=",
            Self::IsA => "is-a",
            Self::DescendentOf => "descendent-of",
            Self::IsNotA => "is-not-a",
            Self::Regex => "regex",
            Self::In => "in",
            Self::NotIn => "not-in",
            Self::Generalizes => "generalizes",
            Self::Exists => "exists",
            Self::ChildOf => "child-of",
            Self::DescendentLeaf => "descendent-leaf",
            Self::Other(code) => code,
        }
    }

    /// The operator that a code of FHIR names.
    #[must_use]
    pub fn of(code: &str) -> Self {
        match code {
            "=" => Self::Equal,
            "is-a" => Self::IsA,
            "descendent-of" => Self::DescendentOf,
            "is-not-a" => Self::IsNotA,
            "regex" => Self::Regex,
            "in" => Self::In,
            "not-in" => Self::NotIn,
            "generalizes" => Self::Generalizes,
            "exists" => Self::Exists,
            "child-of" => Self::ChildOf,
            "descendent-leaf" => Self::DescendentLeaf,
            other => Self::Other(other.into()),
        }
    }
}

/// A concept that an include names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncludedConcept {
    /// Its code.
    pub code: Box<str>,
    /// The name that it has in this value set.
    pub display: Option<Box<str>>,
    /// Other names that it has in this value set.
    pub designations: Vec<Designation>,
    /// The extensions that an expansion repeats.
    pub extensions: Vec<Extension>,
}

/// One include or exclude: the intersection of a part of a system and of other value sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Include {
    /// The canonical of the code system.
    pub system: Option<Box<str>>,
    /// Which edition of it.
    pub version: Option<Box<str>>,
    /// These codes only.
    pub concepts: Vec<IncludedConcept>,
    /// What fits all of these only.
    pub filters: Vec<Filter>,
    /// What is in all of these only.
    pub value_sets: Vec<Box<str>>,
}

/// How a value set is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compose {
    /// `false`: no inactive code.
    pub inactive: Option<bool>,
    /// The date that fixes the editions.
    pub locked_date: Option<Box<str>>,
    /// Any of these.
    pub include: Vec<Include>,
    /// None of these.
    pub exclude: Vec<Include>,
    /// Parameters that hold for every expansion (`valueset-expansion-parameter`).
    pub parameters: Vec<(Box<str>, Box<str>)>,
}

/// One code of an expansion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contained {
    /// The code, its system and its name.
    pub coding: Coding,
    /// Other names that it has there.
    pub designations: Vec<Designation>,
    /// It groups others and cannot be chosen.
    pub is_abstract: bool,
    /// It is no longer to be used.
    pub is_inactive: bool,
}

/// One ValueSet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValueSet {
    /// Who it is.
    pub header: Header,
    /// How it is made.
    pub compose: Option<Compose>,
    /// The codes as its author expanded them, flat, in order.
    pub expansion: Option<Vec<Contained>>,
    /// The supplements without which it means nothing (`valueset-supplement`).
    pub supplements: Vec<Box<str>>,
    /// Its extensions.
    pub extensions: Vec<Extension>,
    /// The value sets that it carries, by `#id`.
    pub contained: Vec<ValueSet>,
}

/// One ConceptMap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConceptMap {
    /// Who it is.
    pub header: Header,
    /// The value set of the sources.
    pub source: Option<Box<str>>,
    /// The value set of the targets.
    pub target: Option<Box<str>>,
    /// From one system to another.
    pub groups: Vec<MapGroup>,
}

/// The mappings from one system to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MapGroup {
    /// The system of the sources.
    pub source: Option<Box<str>>,
    /// The system of the targets.
    pub target: Option<Box<str>>,
    /// Each source with its targets.
    pub elements: Vec<MapElement>,
    /// What holds for sources that are not listed.
    pub unmapped: Option<Unmapped>,
}

/// A source and its targets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MapElement {
    /// The source code.
    pub code: Box<str>,
    /// Its targets.
    pub targets: Vec<MapTarget>,
}

/// A target of a mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MapTarget {
    /// The target code; none when the map says that there is no equivalent.
    pub code: Option<Box<str>>,
    /// Its name.
    pub display: Option<Box<str>>,
    /// `equivalent`, `wider`, `unmatched`… (FHIR R4, concept-map-equivalence).
    pub equivalence: Box<str>,
    /// A remark of the author.
    pub comment: Option<Box<str>>,
}

/// What a map says of codes that it does not list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmapped {
    /// The same code in the target system.
    Provided,
    /// This code.
    Fixed(Coding),
    /// What that map says.
    OtherMap(Box<str>),
}

/// One NamingSystem: the identifiers of a code system or an identifier system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamingSystem {
    /// Its name.
    pub name: Box<str>,
    /// `codesystem`, `identifier`, `root`.
    pub kind: Box<str>,
    /// Each way to name it: type (`oid`, `uuid`, `uri`, `other`), value, preferred or not.
    pub unique_ids: Vec<(Box<str>, Box<str>, bool)>,
}

impl NamingSystem {
    /// The preferred URI, else any URI.
    #[must_use]
    pub fn uri(&self) -> Option<&str> {
        let uris = || self.unique_ids.iter().filter(|(kind, ..)| &**kind == "uri");
        uris().find(|(.., preferred)| *preferred).or_else(|| uris().next()).map(|(_, value, _)| &**value)
    }
}
