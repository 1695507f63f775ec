//! What the definitions say: structures, their elements, and the rules on each.
//!
//! [`Structure`] is one StructureDefinition as the rest of the crate uses it, whether it comes from
//! the tables of R4 inside the binary or from the JSON of a package. It keeps facts (paths,
//! cardinalities, types, bindings, invariants) and drops prose.
//!
//! Not here: what a document must look like because of it (`profile`), nor where packages come from
//! (`package`).

mod model;

pub use model::{
    Base, Binding, Constraint, Context, ContextKind, Derivation, Discriminator, DiscriminatorKind, Element, Max,
    Slicing, SlicingRules, Strength, Structure, StructureKind, TypeRef, Value,
};
