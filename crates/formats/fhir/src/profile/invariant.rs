//! Invariants: FHIRPath of the definitions, compiled once.
//!
//! The commonest ones are also written here in Rust; a test proves each equal to its FHIRPath. A native
//! rule may answer that it does not know, and then the FHIRPath decides.

use crate::definitions::{Constraint, Structure};

/// An invariant of an element.
pub(super) struct Invariant {
    /// Its place in the constraints of the element.
    pub(super) constraint: u32,
    pub(super) check: Check,
}

/// How an invariant is decided.
pub(super) enum Check {
    /// In Rust.
    Native(super::native::Native),
}

/// The invariant of a constraint; none when nobody can evaluate it.
pub(super) fn compile(structure: &Structure, constraint: &Constraint, place: u32) -> Option<Invariant> {
    let native = super::native::Native::of(structure, constraint)?;
    Some(Invariant { constraint: place, check: Check::Native(native) })
}
