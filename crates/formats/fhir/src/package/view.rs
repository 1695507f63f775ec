//! Canonicals resolved from where one stands.
//!
//! `url|version` is that version or nothing; `url` alone is the nearest: resources that the user gave,
//! then the package itself, then its dependencies by distance, then R4. Nothing is decoded before it is
//! asked for, and then once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use socle_finding::{Finding, Text};

use super::closure::{trouble, warning};
use super::index::Entry;
use super::{Closure, Package};
use crate::definitions::{DefinitionErrorKind, Definitions, Structure, canonical, r4, read_structure};
use crate::snapshot;
use crate::tape::{Document, JsonError, Node};

/// What can be looked up from some packages, all that they depend on, and resources beside them.
pub struct View {
    closure: Closure,
    /// Of each package, and last of the roots together, the packages in the order they are asked.
    orders: Vec<Vec<usize>>,
    beside: Vec<Beside>,
    places: HashMap<Box<str>, Vec<Place>>,
    decoded: Mutex<HashMap<Place, Option<Arc<Document>>>>,
    structures: Mutex<HashMap<Place, Option<Arc<Structure>>>>,
    problems: Mutex<Vec<Finding>>,
}

/// A resource that the user gave, outside any package.
struct Beside {
    kind: Box<str>,
    version: Option<Box<str>>,
    document: Arc<Document>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Beside(usize),
    Packaged { package: usize, entry: usize },
}

impl View {
    /// What can be seen from these packages.
    #[must_use]
    pub fn of(closure: Closure) -> Self {
        let mut places: HashMap<Box<str>, Vec<Place>> = HashMap::new();
        for (package, held) in closure.packages().iter().enumerate() {
            for (entry, resource) in held.entries().iter().enumerate() {
                if let (Some(url), false) = (&resource.url, resource.is_example) {
                    places.entry(url.clone()).or_default().push(Place::Packaged { package, entry });
                }
            }
        }
        let count = closure.packages().len();
        let mut orders: Vec<_> = (0..count).map(|package| closure.order_from(&[package])).collect();
        orders.push(closure.order_from(closure.roots()));
        let problems = Mutex::new(closure.findings());
        Self {
            closure,
            orders,
            beside: Vec::new(),
            places,
            decoded: Mutex::default(),
            structures: Mutex::default(),
            problems,
        }
    }

    /// R4 alone.
    #[must_use]
    pub fn core() -> Self {
        Self::of(Closure::default())
    }

    /// Puts a resource beside the packages, before them all; of a Bundle, each of its resources. A
    /// resource without a canonical cannot be asked for and is left.
    ///
    /// # Errors
    /// [`JsonError`] never happens for a document that was read; it is there for the entries of a Bundle,
    /// which are read again on their own.
    pub fn add(&mut self, document: Arc<Document>) -> Result<(), JsonError> {
        let root = document.root();
        if root.resource_type() == Some("Bundle") {
            for resource in root.all("entry").filter_map(|entry| entry.get("resource")) {
                self.add(Arc::new(Document::parse(resource.raw_bytes())?))?;
            }
            return Ok(());
        }
        let (Some(kind), Some(url)) = (root.resource_type(), root.text("url")) else { return Ok(()) };
        let place = Place::Beside(self.beside.len());
        self.places.entry(url.into()).or_default().push(place);
        let (kind, version) = (kind.into(), root.text("version").map(Into::into));
        self.beside.push(Beside { kind, version, document: document.clone() });
        Ok(())
    }

    /// The packages, nearest first.
    #[must_use]
    pub fn packages(&self) -> &[Arc<Package>] {
        self.closure.packages()
    }

    /// What this view is made of.
    #[must_use]
    pub const fn closure(&self) -> &Closure {
        &self.closure
    }

    /// What was wrong with the packages, and with what was taken from them until now.
    #[must_use]
    pub fn problems(&self) -> Vec<Finding> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A resource of that type (of any type when none is said), by its canonical.
    #[must_use]
    pub fn document(&self, kind: Option<&str>, canonical: &str) -> Option<Arc<Document>> {
        self.decode(self.place(self.closure.packages().len(), kind, canonical)?)
    }

    /// A resource that a StructureDefinition contains, by its id there.
    fn contained(&self, kind: &str, structure: &str, id: &str) -> Option<Arc<Document>> {
        let holder = self.document(Some("StructureDefinition"), structure)?;
        let is_it = |held: &Node<'_>| held.resource_type() == Some(kind) && held.text("id") == Some(id);
        let held = holder.root().all("contained").find(is_it)?;
        Document::parse(held.json()).ok().map(Arc::new)
    }

    /// Where a canonical leads, from the point of view of a package (or of the roots together).
    fn place(&self, from: usize, kind: Option<&str>, text: &str) -> Option<Place> {
        let (url, version) = canonical(text);
        let places = self.places.get(url)?;
        let fits = |place: &&Place| self.fits(**place, kind, version);
        if let Some(beside) = places.iter().rev().filter(|place| matches!(place, Place::Beside(_))).find(fits) {
            return Some(*beside);
        }
        let order = &self.orders[from];
        let distance = |place: &Place| match place {
            Place::Packaged { package, .. } => order.iter().position(|index| index == package),
            Place::Beside(_) => None,
        };
        let seen = places.iter().filter(fits).filter_map(|place| Some((distance(place)?, *place)));
        seen.min_by_key(|(distance, _)| *distance).map(|(_, place)| place)
    }

    fn fits(&self, place: Place, kind: Option<&str>, version: Option<&str>) -> bool {
        let (its_kind, its_version) = match place {
            Place::Beside(index) => (&self.beside[index].kind, &self.beside[index].version),
            Place::Packaged { package, entry } => {
                let entry = self.entry(package, entry);
                (&entry.kind, &entry.version)
            }
        };
        kind.is_none_or(|kind| **its_kind == *kind)
            && version.is_none_or(|version| its_version.as_deref().is_some_and(|its| is_version(its, version)))
    }

    fn entry(&self, package: usize, entry: usize) -> &Entry {
        &self.closure.packages()[package].entries()[entry]
    }

    fn decode(&self, place: Place) -> Option<Arc<Document>> {
        let (package, entry) = match place {
            Place::Beside(index) => return Some(self.beside[index].document.clone()),
            Place::Packaged { package, entry } => (package, entry),
        };
        if let Some(known) = self.decoded.lock().unwrap_or_else(PoisonError::into_inner).get(&place) {
            return known.clone();
        }
        // Read without the lock: two threads may read the same once, none waits for the disk of another.
        let document = self.read(package, entry);
        self.decoded.lock().unwrap_or_else(PoisonError::into_inner).insert(place, document.clone());
        document
    }

    fn read(&self, package: usize, entry: usize) -> Option<Arc<Document>> {
        let read = self.closure.packages()[package].document(self.entry(package, entry));
        read.map_err(|error| self.tell(trouble(&error))).ok()
    }

    /// The structure of that canonical from the point of view of a package, R4 at last. `above` is what is
    /// being made and needs it.
    fn structure_from(&self, from: usize, text: &str, above: Option<&Above<'_>>) -> Option<Arc<Structure>> {
        let Some(place) = self.place(from, Some("StructureDefinition"), text) else { return r4().structure(text) };
        if let Some(known) = self.structures.lock().unwrap_or_else(PoisonError::into_inner).get(&place) {
            return known.clone();
        }
        if above.is_some_and(|above| above.holds(place)) {
            return None;
        }
        let structure = self.make_structure(place, above).map(Arc::new);
        self.structures.lock().unwrap_or_else(PoisonError::into_inner).insert(place, structure.clone());
        structure
    }

    fn make_structure(&self, place: Place, above: Option<&Above<'_>>) -> Option<Structure> {
        let (document, home) = match place {
            Place::Beside(index) => (self.beside[index].document.clone(), self.closure.packages().len()),
            Place::Packaged { package, entry } => (self.read(package, entry)?, package),
        };
        let structure = match read_structure(document.root()) {
            Ok(structure) => structure,
            Err(error) => {
                let url = document.root().text("url").unwrap_or_default();
                let message = Text::new(
                    format!("cette définition est illisible : {} ({})", french(&error.kind), error.path),
                    format!("this definition cannot be read: {error}"),
                );
                let mend = Text::fixed("demandez à son auteur de la corriger", "ask its author to mend it");
                self.tell(warning(url, "StructureDefinition", message, mend));
                return None;
            }
        };
        if !structure.elements.is_empty() {
            return Some(structure);
        }
        let below = Above { place, above };
        let made = snapshot::generate(&structure, &|wanted| self.structure_from(home, wanted, Some(&below)));
        match made {
            Ok(made) => {
                made.findings.into_iter().for_each(|finding| self.tell(finding));
                Some(made.structure)
            }
            Err(error) => {
                self.tell(*error.0);
                None
            }
        }
    }

    fn tell(&self, problem: Finding) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}

/// What makes a definition unusable, in French; its own words are English.
fn french(kind: &DefinitionErrorKind) -> String {
    match kind {
        DefinitionErrorKind::NotAStructure => "ce n'est pas une StructureDefinition".to_owned(),
        DefinitionErrorKind::Missing(member) => format!("{member} manque"),
        DefinitionErrorKind::Code { member, code } => format!("{code} n'est pas un code de {member} (FHIR R4 §5.3)"),
        DefinitionErrorKind::Cardinality => "cette cardinalité n'est pas un nombre".to_owned(),
    }
}

/// What is being made, from the inside out: a structure cannot be made of itself.
struct Above<'a> {
    place: Place,
    above: Option<&'a Above<'a>>,
}

impl Above<'_> {
    fn holds(&self, place: Place) -> bool {
        self.place == place || self.above.is_some_and(|above| above.holds(place))
    }
}

impl Definitions for View {
    fn structure(&self, canonical: &str) -> Option<Arc<Structure>> {
        self.structure_from(self.closure.packages().len(), canonical, None)
    }

    fn resource(&self, kind: &str, canonical: &str) -> Option<Arc<Document>> {
        if let Some((structure, id)) = canonical.split_once('#') {
            return self.contained(kind, structure, id);
        }
        self.document(Some(kind), canonical).or_else(|| r4().resource(kind, canonical))
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<_> = self.closure.packages().iter().map(|package| package.id().to_string()).collect();
        write!(f, "View({}, {} beside)", ids.join(", "), self.beside.len())
    }
}

/// The same version; or, as publishers write them, only its first parts: `1.2` for 1.2.0.
fn is_version(its: &str, wanted: &str) -> bool {
    its == wanted || its.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.'))
}
