//! The compiled structures of one point of view: R4's types by number, profiles by canonical. Everything
//! is compiled when first asked for, once, and shared by all threads.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::compile;
use super::program::{Program, TypeIx};
use crate::definitions::{Definitions, Element, Structure, StructureKind, TypeId, TypeKind, types};
use crate::fhirpath;

pub(super) const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

pub(super) struct Library {
    pub(super) definitions: Arc<dyn Definitions>,
    types: Vec<TypeCell>,
    by_name: HashMap<Box<str>, TypeIx>,
    profiles: RwLock<HashMap<Box<str>, Option<Arc<Program>>>>,
    /// FHIRPath beside the invariants (where an extension may stand), by what it is evaluated on. As many as
    /// the definitions have: no document adds one.
    paths: RwLock<HashMap<Option<TypeId>, Paths>>,
    pub(super) known: Known,
}

type Paths = HashMap<Box<str>, Option<Arc<fhirpath::Program>>>;

struct TypeCell {
    name: Box<str>,
    is_resource: bool,
    program: OnceLock<Option<Program>>,
}

/// Types that have rules of their own.
pub(super) struct Known {
    pub(super) element: Option<TypeIx>,
    pub(super) extension: Option<TypeIx>,
    pub(super) reference: Option<TypeIx>,
    pub(super) coding: Option<TypeIx>,
    pub(super) attachment: Option<TypeIx>,
    pub(super) identifier: Option<TypeIx>,
}

/// What a canonical leads to.
pub(super) enum Followed {
    /// A type of R4: nothing beyond the type.
    Type(TypeIx),
    /// A profile.
    Profile(Arc<Program>),
    /// Nothing, or something that has no snapshot.
    Unknown,
}

impl Library {
    pub(super) fn new(definitions: Arc<dyn Definitions>) -> Self {
        let kinds = types();
        let has_structure = |id: &TypeId| kinds.kind(*id) != TypeKind::Backbone;
        let types: Vec<TypeCell> = kinds
            .all()
            .filter(has_structure)
            .map(|id| TypeCell {
                name: kinds.name(id).into(),
                is_resource: kinds.kind(id) == TypeKind::Resource,
                program: OnceLock::new(),
            })
            .collect();
        let by_name: HashMap<Box<str>, TypeIx> = types
            .iter()
            .enumerate()
            .map(|(at, cell)| (cell.name.clone(), TypeIx(u16::try_from(at).unwrap_or(u16::MAX))))
            .collect();
        let of = |name: &str| by_name.get(name).copied();
        let known = Known {
            element: of("Element"),
            extension: of("Extension"),
            reference: of("Reference"),
            coding: of("Coding"),
            attachment: of("Attachment"),
            identifier: of("Identifier"),
        };
        Self { definitions, types, by_name, profiles: RwLock::default(), paths: RwLock::default(), known }
    }

    pub(super) fn type_named(&self, name: &str) -> Option<TypeIx> {
        self.by_name.get(name).copied()
    }

    pub(super) fn resource_named(&self, name: &str) -> Option<TypeIx> {
        self.type_named(name).filter(|ix| self.is_resource(*ix))
    }

    pub(super) fn is_resource(&self, ix: TypeIx) -> bool {
        self.types[ix.0 as usize].is_resource
    }

    pub(super) fn name(&self, ix: TypeIx) -> &str {
        &self.types[ix.0 as usize].name
    }

    /// A structure; for `url#id` that element of it and what is inside, as a structure of its own.
    pub(super) fn structure(&self, canonical: &str) -> Option<Arc<Structure>> {
        let Some((whole, id)) = canonical.split_once('#') else { return self.definitions.structure(canonical) };
        self.definitions.structure(whole).and_then(|whole| part(&whole, id)).map(Arc::new)
    }

    /// The structure of a type of R4.
    pub(super) fn structure_of(&self, name: &str) -> Option<Arc<Structure>> {
        self.structure(&format!("{CORE}{name}"))
    }

    /// The program of a type; none when the definitions do not hold it after all.
    pub(super) fn base(&self, ix: TypeIx) -> Option<&Program> {
        let cell = &self.types[ix.0 as usize];
        let compiled = cell.program.get_or_init(|| compile::compile(self, self.structure_of(&cell.name)?));
        compiled.as_ref()
    }

    /// What a canonical, with or without version, leads to.
    pub(super) fn follow(&self, canonical: &str) -> Followed {
        if let Some(name) = canonical.strip_prefix(CORE) {
            let name = name.split('|').next().unwrap_or(name);
            if let Some(ix) = self.type_named(name) {
                return Followed::Type(ix);
            }
        }
        let known = self.profiles.read().unwrap_or_else(PoisonError::into_inner).get(canonical).cloned();
        let program = known.unwrap_or_else(|| self.compile(canonical));
        match program {
            Some(program) if program.structure.derivation.is_some() => Followed::Profile(program),
            _ => Followed::Unknown,
        }
    }

    fn compile(&self, canonical: &str) -> Option<Arc<Program>> {
        let program = self.structure(canonical).and_then(|structure| compile::compile(self, structure)).map(Arc::new);
        let mut profiles = self.profiles.write().unwrap_or_else(PoisonError::into_inner);
        profiles.entry(canonical.into()).or_insert(program).clone()
    }

    /// A FHIRPath of the definitions, compiled once; none when it is wrong.
    pub(super) fn path(&self, text: &str, on: Option<TypeId>) -> Option<Arc<fhirpath::Program>> {
        let paths = self.paths.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = paths.get(&on).and_then(|paths| paths.get(text)) {
            return known.clone();
        }
        drop(paths);
        let options = on.map(fhirpath::Options::on).unwrap_or_default();
        let made = fhirpath::compile(text, &options).ok().map(Arc::new);
        let mut paths = self.paths.write().unwrap_or_else(PoisonError::into_inner);
        paths.entry(on).or_default().entry(text.into()).or_insert(made).clone()
    }

    /// The resource type that a profile constrains.
    pub(super) fn type_of_profile(&self, canonical: &str) -> Option<Box<str>> {
        if let Some(name) = canonical.strip_prefix(CORE) {
            let name = name.split('|').next().unwrap_or(name);
            if self.type_named(name).is_some() {
                return Some(name.into());
            }
        }
        self.structure(canonical)
            .filter(|structure| structure.kind == StructureKind::Resource)
            .map(|structure| structure.type_name.clone())
    }
}

/// An element of a structure with what is inside it, its slices left out.
fn part(whole: &Structure, id: &str) -> Option<Structure> {
    let at = whole.elements.iter().position(|element| *element.id == *id)?;
    let is_inside = |element: &&Element| element.id.strip_prefix(id).is_some_and(|rest| rest.starts_with('.'));
    let mut elements = vec![whole.elements[at].clone()];
    elements.extend(whole.elements[at + 1..].iter().take_while(is_inside).cloned());
    // The outermost element is not a slice of anything here.
    elements[0].slice_name = None;
    let inner = Structure {
        kind: StructureKind::ComplexType,
        contexts: Vec::new(),
        elements,
        differential: Vec::new(),
        ..whole.clone()
    };
    Some(inner)
}
