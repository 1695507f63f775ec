//! Structures and elements, as facts (FHIR R4 §2.25 ElementDefinition, §5.3 StructureDefinition).

use std::fmt;
use std::sync::Arc;

use crate::tape::{Document, Node};

/// One StructureDefinition.
#[derive(Debug, Clone)]
pub struct Structure {
    /// Its canonical, without version.
    pub url: Box<str>,
    /// Its business version.
    pub version: Option<Box<str>>,
    /// Its computable name.
    pub name: Box<str>,
    /// What it describes.
    pub kind: StructureKind,
    /// The type that it defines or constrains: `Patient`, `HumanName`, `string`; a URL for a logical model.
    pub type_name: Box<str>,
    /// Nothing can be an instance of it alone.
    pub is_abstract: bool,
    /// How it was made from its base; none for the roots `Element` and `Resource`.
    pub derivation: Option<Derivation>,
    /// The canonical of its base.
    pub base: Option<Box<str>>,
    /// Where it may stand, when it is an extension.
    pub contexts: Vec<Context>,
    /// FHIRPath that must hold where it stands, when it is an extension.
    pub context_invariants: Vec<Box<str>>,
    /// The elements of its snapshot, in order; the first is the type itself. Empty until a snapshot is made.
    pub elements: Vec<Element>,
    /// The elements of its differential, in order.
    pub differential: Vec<Element>,
}

/// What a structure describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StructureKind {
    /// `string`, `date`…
    PrimitiveType,
    /// `HumanName`, `Extension`…
    ComplexType,
    /// `Patient`…
    Resource,
    /// A model that no resource follows.
    Logical,
}

/// How a structure was made from its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derivation {
    /// A new type.
    Specialization,
    /// A profile on a type.
    Constraint,
}

/// A place where an extension may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// What `expression` is.
    pub kind: ContextKind,
    /// A FHIRPath, an element id, or the canonical of an extension.
    pub expression: Box<str>,
}

/// How a [`Context`] names its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextKind {
    /// A FHIRPath.
    FhirPath,
    /// The id of an element, `Patient.contact` or `canonical#Patient.contact`.
    Element,
    /// The canonical of an extension that holds it.
    Extension,
}

/// One ElementDefinition.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// `Patient.identifier:INS.system`.
    pub id: Box<str>,
    /// `Patient.identifier.system`.
    pub path: Box<str>,
    /// The name of the slice that starts here.
    pub slice_name: Option<Box<str>>,
    /// At least so many; none when a differential does not say.
    pub min: Option<u32>,
    /// At most so many; none when a differential does not say.
    pub max: Option<Max>,
    /// What the type that defines the element says of it.
    pub base: Option<Base>,
    /// `#Questionnaire.item`: the element whose definition holds here.
    pub content_reference: Option<Box<str>>,
    /// The types that it may have.
    pub types: Vec<TypeRef>,
    /// It is exactly this.
    pub fixed: Option<Value>,
    /// It holds at least this.
    pub pattern: Option<Value>,
    /// It is not below.
    pub min_value: Option<Value>,
    /// It is not above.
    pub max_value: Option<Value>,
    /// It has at most so many characters.
    pub max_length: Option<u32>,
    /// What a primitive without a value must have.
    pub without_value: WithoutValue,
    /// What the text of the resource must be, where the element is a narrative.
    pub narrative: NarrativeControl,
    /// Its invariants.
    pub constraints: Vec<Constraint>,
    /// Where its codes come from.
    pub binding: Option<Binding>,
    /// How its repetitions are told apart.
    pub slicing: Option<Slicing>,
    /// Software that claims the profile must handle it.
    pub must_support: bool,
    /// It changes the meaning of what holds it.
    pub is_modifier: bool,
    /// It is part of `_summary=true`.
    pub is_summary: bool,
    /// It is written as an attribute in XML (`Element.id`, `Extension.url`, `xhtml`).
    pub xml_attribute: bool,
}

/// Whether extensions may stand for the value of a primitive. R5 has it in ElementDefinition, R4 by the extensions
/// that carry elements of R5.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WithoutValue {
    /// None may (`mustHaveValue`).
    pub is_forbidden: bool,
    /// One of these has to, when it is not empty (`valueAlternatives`).
    pub alternatives: Vec<Box<str>>,
}

/// What a profile asks of a narrative (extensions `narrative-language-control` and `narrative-source-control`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NarrativeControl {
    /// `_no`: no section is in a language of its own; `_yes`: some are; `_resource`: one is in the language of the
    /// resource; else the language that one must be in.
    pub languages: Vec<Box<str>>,
    /// What it is worth that a text does not say where it comes from: `hint`, `warning`, `error`.
    pub source: Option<Box<str>>,
}

impl NarrativeControl {
    /// It asks for nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.languages.is_empty() && self.source.is_none()
    }
}

/// The upper bound of a cardinality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Max {
    /// So many.
    Count(u32),
    /// `*`
    Many,
}

/// What the defining type says of an element. A base that allows many makes the JSON an array,
/// whatever the profile allows (FHIR R4 §2.6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The path there.
    pub path: Box<str>,
    /// At least.
    pub min: u32,
    /// At most.
    pub max: Max,
}

/// A type that an element may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeRef {
    /// `Identifier`, `string`, or a FHIRPath system type `http://hl7.org/fhirpath/System.String`
    /// replaced by the FHIR type that `structuredefinition-fhir-type` names.
    pub code: Box<str>,
    /// It follows one of these; `url#id` is that element of the profile, not its root
    /// (extension `elementdefinition-profile-element`).
    pub profiles: Vec<Box<str>>,
    /// What it points at follows one of these.
    pub target_profiles: Vec<Box<str>>,
    /// `contained`, `referenced`, `bundled`.
    pub aggregation: Vec<Box<str>>,
}

/// An invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// `dom-6`.
    pub key: Box<str>,
    /// An error, or else a warning.
    pub is_error: bool,
    /// A matter of good practice (`elementdefinition-bestpractice`).
    pub is_best_practice: bool,
    /// FHIRPath; some published invariants have none.
    pub expression: Option<Box<str>>,
    /// The sentence of the author, kept for packages; absent for R4 itself.
    pub human: Option<Box<str>>,
    /// The canonical of the structure that brought it.
    pub source: Option<Box<str>>,
}

/// A binding to a value set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// How strict.
    pub strength: Strength,
    /// Canonical, with a version when it says one.
    pub value_set: Option<Box<str>>,
    /// `elementdefinition-maxValueSet`: nothing outside this one, even when extensible or preferred.
    pub max_value_set: Option<Box<str>>,
}

/// How strict a binding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Anything goes.
    Example,
    /// Encouraged.
    Preferred,
    /// From there, unless nothing there fits.
    Extensible,
    /// From there.
    Required,
}

/// How repetitions are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slicing {
    /// By what, all together.
    pub discriminators: Vec<Discriminator>,
    /// Slices come in the order of their definition.
    pub ordered: bool,
    /// What else may be there.
    pub rules: SlicingRules,
}

/// One criterion of a slicing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discriminator {
    /// What is compared.
    pub kind: DiscriminatorKind,
    /// A restricted FHIRPath, from the sliced element.
    pub path: Box<str>,
}

/// What a [`Discriminator`] compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscriminatorKind {
    /// The value.
    Value,
    /// Whether it is there.
    Exists,
    /// The pattern that it holds.
    Pattern,
    /// The type.
    Type,
    /// The profile that it follows.
    Profile,
}

/// What may stand beside the slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlicingRules {
    /// Nothing.
    Closed,
    /// Anything, anywhere.
    Open,
    /// Anything, after them.
    OpenAtEnd,
}

/// A value that a definition holds, with the type that its name says (`fixedCode`, `patternCodeableConcept`).
#[derive(Clone)]
pub struct Value {
    /// `code`, `CodeableConcept`…
    pub type_name: Box<str>,
    /// The value alone, as JSON.
    pub json: Arc<Document>,
}

impl Value {
    /// The value.
    #[must_use]
    pub fn node(&self) -> Node<'_> {
        self.json.root()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.type_name, self.node().raw())
    }
}
