//! What the definitions say: structures, their elements, and the rules on each.
//!
//! [`Structure`] is one StructureDefinition as the rest of the crate uses it, whether it comes from
//! the tables of R4 inside the binary ([`r4`]) or from the JSON of a package ([`read_structure`]). It keeps
//! facts (paths, cardinalities, types, bindings, invariants) and drops prose. [`types`] says what each member
//! of each type is, by numbers alone. [`Definitions`] is what can be looked up from one point of view: R4, or a
//! package with all that it depends on.
//!
//! ```
//! use socle_fhir::NameId;
//! use socle_fhir::definitions::{r4, types};
//!
//! let patient = r4().type_named("Patient").ok_or("R4 has patients")?;
//! assert_eq!(patient.elements[0].constraints[0].key.as_ref(), "dom-2");
//!
//! let types = types();
//! let observation = types.named("Observation").ok_or("and observations")?;
//! assert_eq!(types.element(observation, NameId::VALUE).len(), 11);
//! # Ok::<(), &str>(())
//! ```
//!
//! Not here: what a document must look like because of it (`profile`), nor where packages come from
//! (`package`).

mod catalogue;
mod model;
mod r4;
mod read;
mod tables;
mod types;

use std::sync::Arc;

pub use catalogue::{Compartment, Component, Operation, OperationParameter, SearchKind, SearchParameter};
pub use model::{
    Base, Binding, Constraint, Context, ContextKind, Derivation, Discriminator, DiscriminatorKind, Element, Max,
    NarrativeControl, Slicing, SlicingRules, Strength, Structure, StructureKind, TypeRef, Value, WithoutValue,
};
pub use r4::{Named, R4, VERSION, r4};
pub use read::{DefinitionError, DefinitionErrorKind, read_element, read_structure};
pub(crate) use tables::graph;
pub use types::{Child, JsonForm, PrimitiveKind, TypeId, TypeKind, Types, types};

use crate::tape::Document;

/// What can be looked up from one point of view: R4, or a package with all that it depends on.
///
/// Canonicals are `url` or `url|version`. An answer of none means that the definition is not known from
/// there, never that it does not exist.
pub trait Definitions: Send + Sync {
    /// The structure of that canonical.
    fn structure(&self, canonical: &str) -> Option<Arc<Structure>>;

    /// A resource by its kind (`CodeSystem`, `ValueSet`…) and canonical.
    fn resource(&self, kind: &str, canonical: &str) -> Option<Arc<Document>>;
}

/// A canonical as URL and version.
///
/// ```
/// # use socle_fhir::definitions::canonical;
/// assert_eq!(canonical("http://a/b|1.0"), ("http://a/b", Some("1.0")));
/// ```
#[must_use]
pub fn canonical(text: &str) -> (&str, Option<&str>) {
    match text.split_once('|') {
        Some((url, version)) => (url, (!version.is_empty()).then_some(version)),
        None => (text, None),
    }
}
