//! R4 itself, out of the tables of the binary. A resource is decoded when somebody asks for it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

use super::catalogue::{Compartment, Operation, SearchParameter};
use super::tables::{self, Entry};
use super::{Definitions, Structure, canonical, read_structure};
use crate::tape::Document;

/// The version of FHIR in the tables.
pub const VERSION: &str = "4.0.1";

/// The kinds of resources in the tables; their place is their number there.
const KINDS: [&str; 7] = [
    "StructureDefinition",
    "SearchParameter",
    "CodeSystem",
    "ValueSet",
    "ConceptMap",
    "OperationDefinition",
    "CompartmentDefinition",
];
const STRUCTURE_DEFINITION: u8 = 0;
const SEARCH_PARAMETER: u8 = 1;
const OPERATION_DEFINITION: u8 = 5;
const COMPARTMENT_DEFINITION: u8 = 6;

/// The definitions of R4.
pub struct R4 {
    slots: Vec<Slot>,
    /// The first of a kind and canonical, without version.
    by_url: HashMap<(u8, &'static str), u32>,
    by_type: HashMap<&'static str, u32>,
    search_parameters: OnceLock<Vec<SearchParameter>>,
    operations: OnceLock<Vec<Operation>>,
    compartments: OnceLock<Vec<Compartment>>,
}

struct Slot {
    entry: &'static Entry,
    /// The next of that kind and canonical, in another version.
    next: Option<u32>,
    document: OnceLock<Arc<Document>>,
    structure: OnceLock<Arc<Structure>>,
}

/// A structure of R4, as the index knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Its canonical.
    pub url: &'static str,
    /// Its computable name.
    pub name: &'static str,
    /// The type that it defines or constrains.
    pub type_name: &'static str,
    /// It defines its type: it is no profile and no extension.
    pub defines_type: bool,
}

/// R4. The index is read at the first call; a resource when it is asked for.
#[must_use]
pub fn r4() -> &'static R4 {
    static INDEX: LazyLock<Vec<Entry>> = LazyLock::new(tables::index);
    static R4: LazyLock<R4> = LazyLock::new(|| R4::of(&INDEX));
    &R4
}

impl R4 {
    /// The structure of that canonical, `url` or `url|version`.
    #[must_use]
    pub fn structure(&self, canonical: &str) -> Option<Arc<Structure>> {
        self.decoded(self.find(STRUCTURE_DEFINITION, canonical)?)
    }

    /// The structure that defines a datatype or resource: `Patient`, `HumanName`, `string`.
    #[must_use]
    pub fn type_named(&self, name: &str) -> Option<Arc<Structure>> {
        self.decoded(self.slots.get(*self.by_type.get(name)? as usize)?)
    }

    /// All structures: datatypes, resources, profiles, extensions, logical models.
    pub fn structures(&self) -> impl Iterator<Item = Named> + '_ {
        self.of_kind(STRUCTURE_DEFINITION).map(|slot| Named {
            url: slot.entry.url,
            name: slot.entry.name,
            type_name: slot.entry.type_name,
            defines_type: slot.entry.defines_type,
        })
    }

    /// The search parameters.
    #[must_use]
    pub fn search_parameters(&self) -> &[SearchParameter] {
        self.search_parameters.get_or_init(|| self.catalogue(SEARCH_PARAMETER, SearchParameter::read))
    }

    /// The operations.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        self.operations.get_or_init(|| self.catalogue(OPERATION_DEFINITION, Operation::read))
    }

    /// The compartments.
    #[must_use]
    pub fn compartments(&self) -> &[Compartment] {
        self.compartments.get_or_init(|| self.catalogue(COMPARTMENT_DEFINITION, Compartment::read))
    }

    /// The code system of that canonical, as a FHIR document without prose.
    #[must_use]
    pub fn code_system(&self, canonical: &str) -> Option<Arc<Document>> {
        self.resource("CodeSystem", canonical)
    }

    /// The value set of that canonical, as a FHIR document without prose.
    #[must_use]
    pub fn value_set(&self, canonical: &str) -> Option<Arc<Document>> {
        self.resource("ValueSet", canonical)
    }

    /// A resource by its kind and canonical, `url` or `url|version`, as a FHIR document without prose.
    #[must_use]
    pub fn resource(&self, kind: &str, canonical: &str) -> Option<Arc<Document>> {
        document(self.find(number(kind)?, canonical)?)
    }

    /// The canonicals of all resources of a kind, with their versions.
    pub fn canonicals(&self, kind: &str) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        let slots = number(kind).into_iter().flat_map(|number| self.of_kind(number));
        slots.map(|slot| (slot.entry.url, slot.entry.version))
    }

    /// All resources of a kind.
    pub fn resources(&self, kind: &str) -> impl Iterator<Item = Arc<Document>> + '_ {
        number(kind).into_iter().flat_map(|number| self.of_kind(number)).filter_map(document)
    }

    fn of(index: &'static [Entry]) -> Self {
        let mut r4 = Self {
            slots: Vec::with_capacity(index.len()),
            by_url: HashMap::with_capacity(index.len()),
            by_type: HashMap::new(),
            search_parameters: OnceLock::new(),
            operations: OnceLock::new(),
            compartments: OnceLock::new(),
        };
        for (at, entry) in (0_u32..).zip(index) {
            // Two tables of HL7 v2 have a version in their own url.
            let (url, _) = canonical(entry.url);
            let next = r4.by_url.insert((entry.kind, url), at);
            if entry.defines_type {
                r4.by_type.insert(entry.type_name, at);
            }
            r4.slots.push(Slot { entry, next, document: OnceLock::new(), structure: OnceLock::new() });
        }
        r4
    }

    fn find(&self, kind: u8, wanted: &str) -> Option<&Slot> {
        let (url, version) = canonical(wanted);
        let slot = |at: &u32| self.slots.get(*at as usize);
        let first = self.by_url.get(&(kind, url) as &(u8, &str)).and_then(slot);
        let mut slots = std::iter::successors(first, |one| one.next.as_ref().and_then(slot));
        let Some(version) = version else { return slots.next() };
        slots.find(|slot| is_version(slot.entry.version, version) || slot.entry.url == wanted)
    }

    fn of_kind(&self, kind: u8) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(move |slot| slot.entry.kind == kind)
    }

    fn catalogue<T>(&self, kind: u8, read: impl Fn(crate::Node<'_>) -> Option<T>) -> Vec<T> {
        self.of_kind(kind).filter_map(|slot| read(document(slot)?.root())).collect()
    }

    fn decoded(&self, slot: &Slot) -> Option<Arc<Structure>> {
        if let Some(structure) = slot.structure.get() {
            return Some(Arc::clone(structure));
        }
        let document = Document::parse(tables::json(slot.entry)).ok()?;
        let structure = Arc::new(read_structure(document.root()).ok()?);
        Some(Arc::clone(slot.structure.get_or_init(|| structure)))
    }
}

impl Definitions for R4 {
    fn structure(&self, canonical: &str) -> Option<Arc<Structure>> {
        Self::structure(self, canonical)
    }

    fn resource(&self, kind: &str, canonical: &str) -> Option<Arc<Document>> {
        Self::resource(self, kind, canonical)
    }
}

fn number(kind: &str) -> Option<u8> {
    (0..).zip(KINDS).find(|(_, known)| *known == kind).map(|(number, _)| number)
}

fn document(slot: &Slot) -> Option<Arc<Document>> {
    if let Some(document) = slot.document.get() {
        return Some(Arc::clone(document));
    }
    let document = Arc::new(Document::parse(tables::json(slot.entry)).ok()?);
    Some(Arc::clone(slot.document.get_or_init(|| document)))
}

/// `4.0` is asked for, `4.0.1` is there.
fn is_version(there: &str, asked: &str) -> bool {
    there.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
