//! A code system ready to be asked: codes found at once, the hierarchy labelled, supplements laid over.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::hierarchy::Hierarchy;
use super::model::{Coding, Concept, Content, Designation, Header, PropertyDefinition, PropertyValue};

const STATUS_URI: &str = "http://hl7.org/fhir/concept-properties#status";
const INACTIVE_URI: &str = "http://hl7.org/fhir/concept-properties#inactive";
const NOT_SELECTABLE_URI: &str = "http://hl7.org/fhir/concept-properties#notSelectable";
const PARENT_URI: &str = "http://hl7.org/fhir/concept-properties#parent";
const CHILD_URI: &str = "http://hl7.org/fhir/concept-properties#child";
const STANDARDS_STATUS: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-standards-status";

/// One edition of a code system, or one supplement to one.
#[derive(Debug, Clone)]
pub struct CodeSystem {
    header: Header,
    content: Content,
    is_case_sensitive: bool,
    value_set: Option<Box<str>>,
    supplements: Option<Box<str>>,
    properties: Vec<PropertyDefinition>,
    concepts: Vec<Concept>,
    by_code: HashMap<Box<str>, u32>,
    /// Positions by code without case, when the system is not case sensitive.
    folded: Vec<u32>,
    hierarchy: Hierarchy,
    flags: Vec<Flags>,
    /// The supplements laid over it, `url|version` with `url`.
    used: Vec<(Box<str>, String)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    is_abstract: bool,
    is_inactive: bool,
}

/// The position of a concept in its code system; the order of the definition, parents first.
pub type ConceptId = u32;

impl CodeSystem {
    /// Who it is.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its canonical, without version.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.header.url
    }

    /// Its edition.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.header.version.as_deref()
    }

    /// How much of it is here.
    #[must_use]
    pub const fn content(&self) -> Content {
        self.content
    }

    /// `A` and `a` are two codes.
    #[must_use]
    pub const fn is_case_sensitive(&self) -> bool {
        self.is_case_sensitive
    }

    /// The value set of all its codes.
    #[must_use]
    pub fn value_set(&self) -> Option<&str> {
        self.value_set.as_deref()
    }

    /// What it supplements, when it is a supplement: `url` or `url|version`.
    #[must_use]
    pub fn supplements(&self) -> Option<&str> {
        self.supplements.as_deref()
    }

    /// The supplements laid over it, `url|version`.
    pub fn used_supplements(&self) -> impl Iterator<Item = &str> {
        self.used.iter().map(|(_, canonical)| canonical.as_str())
    }

    /// The properties that concepts may have.
    #[must_use]
    pub fn properties(&self) -> &[PropertyDefinition] {
        &self.properties
    }

    /// All concepts, in order.
    #[must_use]
    pub fn concepts(&self) -> &[Concept] {
        &self.concepts
    }

    /// How many concepts there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.concepts.len()
    }

    /// There is no concept.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.concepts.is_empty()
    }

    /// Who is above whom.
    #[must_use]
    pub const fn hierarchy(&self) -> &Hierarchy {
        &self.hierarchy
    }

    /// The concept of that code; without regard to case when the system has none.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<ConceptId> {
        if let Some(id) = self.by_code.get(code) {
            return Some(*id);
        }
        if self.is_case_sensitive {
            return None;
        }
        let at = self.folded.binary_search_by(|id| fold_order(&self.concepts[*id as usize].code, code)).ok()?;
        self.folded.get(at).copied()
    }

    /// The concept at that position.
    #[must_use]
    pub fn concept(&self, id: ConceptId) -> Option<&Concept> {
        self.concepts.get(id as usize)
    }

    /// It groups others and cannot be chosen (`notSelectable`).
    #[must_use]
    pub fn is_abstract(&self, id: ConceptId) -> bool {
        self.flags.get(id as usize).is_some_and(|flags| flags.is_abstract)
    }

    /// It is no longer to be used (`inactive`, or `status` retired).
    #[must_use]
    pub fn is_inactive(&self, id: ConceptId) -> bool {
        self.flags.get(id as usize).is_some_and(|flags| flags.is_inactive)
    }

    /// Its status, as its property or the standards status says it.
    #[must_use]
    pub fn status(&self, id: ConceptId) -> Option<&str> {
        let concept = self.concept(id)?;
        let own = self.values(concept, STATUS_URI, "status").next().map(PropertyValue::text);
        own.or_else(|| standards_status(concept))
    }

    /// The concept is deprecated: by its status or the standards status.
    #[must_use]
    pub fn is_deprecated(&self, id: ConceptId) -> bool {
        self.status(id).is_some_and(|status| status.eq_ignore_ascii_case("deprecated"))
    }

    /// `display` is a name of the concept, in any language, without regard to case; none when it has no name.
    #[must_use]
    pub fn is_named(&self, id: ConceptId, display: &str) -> Option<bool> {
        let concept = self.concept(id)?;
        let names = || concept.display.iter().chain(concept.designations.iter().map(|other| &other.value));
        names().next()?;
        Some(names().any(|name| same_words(name, display)))
    }

    /// The values of a concept under the property of that name or that URI.
    pub fn values_of<'a>(&'a self, id: ConceptId, property: &'a str) -> impl Iterator<Item = &'a PropertyValue> {
        let name = self
            .properties
            .iter()
            .find(|defined| defined.uri.as_deref() == Some(property))
            .map_or(property, |defined| &*defined.code);
        let own = self.concept(id).map_or(&[][..], |concept| &concept.properties);
        own.iter().filter(move |value| &*value.code == name).map(|value| &value.value)
    }

    fn values<'a>(&'a self, concept: &'a Concept, uri: &str, name: &'a str) -> impl Iterator<Item = &'a PropertyValue> {
        let name = self
            .properties
            .iter()
            .find(|property| property.uri.as_deref() == Some(uri))
            .map_or(name, |property| &*property.code);
        concept.properties.iter().filter(move |property| &*property.code == name).map(|property| &property.value)
    }

    /// The same with supplements laid over: their names, values and extensions on each concept.
    #[must_use]
    pub fn supplemented(&self, supplements: &[&Self]) -> Self {
        let mut with = self.clone();
        for supplement in supplements {
            with.lay_over(supplement);
        }
        with
    }

    fn lay_over(&mut self, supplement: &Self) {
        let source: Box<str> = supplement.header.canonical().into();
        for more in &supplement.concepts {
            let Some(id) = self.find(&more.code) else { continue };
            let Some(concept) = self.concepts.get_mut(id as usize) else { continue };
            if let Some(display) = &more.display {
                concept.designations.push(Designation {
                    language: supplement.header.language.clone(),
                    usage: None,
                    value: display.clone(),
                    status: None,
                    source: Some(source.clone()),
                    extensions: Vec::new(),
                });
            }
            let named = more.designations.iter().cloned();
            concept.designations.extend(named.map(|name| Designation { source: Some(source.clone()), ..name }));
            concept.properties.extend(more.properties.iter().cloned());
            concept.extensions.extend(more.extensions.iter().cloned());
        }
        self.properties.extend(supplement.properties.iter().cloned());
        self.used.push((supplement.header.url.clone(), source.into()));
    }

    /// One of the supplements laid over it is this one, `url` or `url|version`.
    #[must_use]
    pub fn has_supplement(&self, canonical: &str) -> bool {
        self.used.iter().any(|(url, whole)| &**url == canonical || whole == canonical)
    }
}

fn standards_status(concept: &Concept) -> Option<&str> {
    concept.extensions.iter().find(|ext| &*ext.url == STANDARDS_STATUS)?.value.as_ref().map(PropertyValue::text)
}

/// The order of two codes without regard to case, without a copy.
fn fold_order(left: &str, right: &str) -> Ordering {
    left.chars().flat_map(char::to_lowercase).cmp(right.chars().flat_map(char::to_lowercase))
}

/// The same words without regard to case.
pub(super) fn same_words(left: &str, right: &str) -> bool {
    left == right || fold_order(left, right) == Ordering::Equal
}

/// Makes a code system concept by concept.
///
/// ```
/// use socle_fhir::terminology::{CodeSystemBuilder, Content};
///
/// let mut builder = CodeSystemBuilder::new("http://example.org/animals", Content::Complete);
/// let animal = builder.concept("animal", "Animal", None);
/// builder.concept("cat", "Chat", Some(animal));
/// let system = builder.finish();
/// let (animal, cat) = (system.find("animal").unwrap(), system.find("cat").unwrap());
/// assert!(system.hierarchy().subsumes(animal, cat) && !system.hierarchy().subsumes(cat, animal));
/// ```
#[derive(Debug)]
pub struct CodeSystemBuilder {
    header: Header,
    content: Content,
    is_case_sensitive: bool,
    value_set: Option<Box<str>>,
    supplements: Option<Box<str>>,
    properties: Vec<PropertyDefinition>,
    concepts: Vec<Concept>,
    edges: Vec<(u32, u32)>,
}

impl CodeSystemBuilder {
    /// Nothing yet of the system of that canonical. Codes are case sensitive until told otherwise.
    #[must_use]
    pub fn new(url: &str, content: Content) -> Self {
        Self {
            header: Header { url: url.into(), ..Header::default() },
            content,
            is_case_sensitive: true,
            value_set: None,
            supplements: None,
            properties: Vec::new(),
            concepts: Vec::new(),
            edges: Vec::new(),
        }
    }

    /// All that is said of the resource itself.
    pub fn header(&mut self, header: Header) -> &mut Self {
        self.header = header;
        self
    }

    /// Its edition.
    pub fn version(&mut self, version: &str) -> &mut Self {
        self.header.version = Some(version.into());
        self
    }

    /// The language of its displays.
    pub fn language(&mut self, language: &str) -> &mut Self {
        self.header.language = Some(language.into());
        self
    }

    /// `A` and `a` are two codes, or one.
    pub const fn case_sensitive(&mut self, is_case_sensitive: bool) -> &mut Self {
        self.is_case_sensitive = is_case_sensitive;
        self
    }

    /// The value set of all its codes.
    pub fn value_set(&mut self, canonical: Option<&str>) -> &mut Self {
        self.value_set = canonical.map(Into::into);
        self
    }

    /// What it supplements.
    pub fn supplements(&mut self, canonical: Option<&str>) -> &mut Self {
        self.supplements = canonical.map(Into::into);
        self
    }

    /// A property that concepts may have.
    pub fn property(&mut self, definition: PropertyDefinition) -> &mut Self {
        self.properties.push(definition);
        self
    }

    /// A concept with its name, below another.
    pub fn concept(&mut self, code: &str, display: &str, parent: Option<ConceptId>) -> ConceptId {
        let display = (!display.is_empty()).then(|| display.into());
        self.add(Concept { code: code.into(), display, ..Concept::default() }, parent)
    }

    /// A whole concept, below another.
    pub fn add(&mut self, concept: Concept, parent: Option<ConceptId>) -> ConceptId {
        // A document has less than 4 Gi values, an import fewer lines: positions fit.
        let id = u32::try_from(self.concepts.len()).unwrap_or(u32::MAX);
        self.concepts.push(concept);
        if let Some(parent) = parent {
            self.edges.push((parent, id));
        }
        id
    }

    /// The concept that was added at that position.
    pub fn concept_mut(&mut self, id: ConceptId) -> Option<&mut Concept> {
        self.concepts.get_mut(id as usize)
    }

    /// `below` is also below `above`.
    pub fn edge(&mut self, above: ConceptId, below: ConceptId) -> &mut Self {
        self.edges.push((above, below));
        self
    }

    /// The code system, indexed and labelled.
    #[must_use]
    pub fn finish(mut self) -> CodeSystem {
        let mut by_code = HashMap::with_capacity(self.concepts.len());
        for (at, concept) in self.concepts.iter().enumerate() {
            // The first of two concepts with one code is the one that is found.
            by_code.entry(concept.code.clone()).or_insert(u32::try_from(at).unwrap_or(u32::MAX));
        }
        self.edges_of_properties(&by_code);
        let mut folded = Vec::new();
        if !self.is_case_sensitive {
            folded = (0..u32::try_from(self.concepts.len()).unwrap_or(u32::MAX)).collect();
            folded.sort_by(|left, right| {
                fold_order(&self.concepts[*left as usize].code, &self.concepts[*right as usize].code)
            });
        }
        let hierarchy = Hierarchy::new(self.concepts.len(), &self.edges);
        let mut system = CodeSystem {
            header: self.header,
            content: self.content,
            is_case_sensitive: self.is_case_sensitive,
            value_set: self.value_set,
            supplements: self.supplements,
            properties: self.properties,
            concepts: self.concepts,
            by_code,
            folded,
            hierarchy,
            flags: Vec::new(),
            used: Vec::new(),
        };
        system.flags = system.concepts.iter().map(|concept| system.flags_of(concept)).collect();
        system
    }

    /// `parent` and `child` properties say the hierarchy that nesting cannot (FHIR R4 §4.8).
    fn edges_of_properties(&mut self, by_code: &HashMap<Box<str>, u32>) {
        let named = |uri: &str, name: &'static str| {
            let defined = self.properties.iter().find(|property| property.uri.as_deref() == Some(uri));
            defined.map_or_else(|| name.into(), |property| property.code.clone())
        };
        let (parent, child): (Box<str>, Box<str>) = (named(PARENT_URI, "parent"), named(CHILD_URI, "child"));
        for (at, concept) in self.concepts.iter().enumerate() {
            let own = u32::try_from(at).unwrap_or(u32::MAX);
            for property in &concept.properties {
                let Some(other) = by_code.get(property.value.text()).copied() else { continue };
                if property.code == parent {
                    self.edges.push((other, own));
                } else if property.code == child {
                    self.edges.push((own, other));
                }
            }
        }
    }
}

impl CodeSystem {
    fn flags_of(&self, concept: &Concept) -> Flags {
        let is_true = |value: &PropertyValue| value.text() == "true";
        let is_abstract = self.values(concept, NOT_SELECTABLE_URI, "notSelectable").any(is_true);
        let said = self.values(concept, INACTIVE_URI, "inactive").next().map(is_true);
        let retired = || {
            self.values(concept, STATUS_URI, "status")
                .any(|status| matches!(status.text(), "retired" | "inactive" | "withdrawn"))
        };
        Flags { is_abstract, is_inactive: said.unwrap_or(false) || retired() }
    }

    /// A coding of the concept at that position.
    #[must_use]
    pub fn coding(&self, id: ConceptId) -> Coding {
        let concept = self.concept(id);
        Coding {
            system: Some(self.header.url.clone()),
            version: self.header.version.clone(),
            code: concept.map(|concept| concept.code.clone()),
            display: concept.and_then(|concept| concept.display.clone()),
        }
    }
}
