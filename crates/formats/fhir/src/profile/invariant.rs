//! Invariants: FHIRPath of the definitions, compiled once.
//!
//! The commonest ones are also written in Rust (`native`); a test holds each to its FHIRPath on all official
//! examples and on mutants. A native rule may answer that it does not know, and then the FHIRPath decides.

use super::native::Native;
use crate::definitions::{Constraint, Structure, TypeId};
use crate::fhirpath::{self, Program};

/// An invariant of an element.
pub(super) struct Invariant {
    /// Its place in the constraints of the element.
    pub(super) constraint: u32,
    pub(super) native: Option<Native>,
    pub(super) path: Option<Program>,
    /// It denies a text function, such as `fullUrl.contains('/_history/').not()`. Published invariants count
    /// on such a function being false where there is no text; FHIRPath makes it, and so all, empty.
    pub(super) is_denial: bool,
}

/// What becomes of a constraint.
pub(super) enum Made {
    Invariant(Invariant),
    /// The walk checks it by itself.
    Walked,
    /// Nobody can evaluate it.
    Unwritten,
}

/// The invariant of a constraint on elements of that type.
pub(super) fn compile(structure: &Structure, constraint: &Constraint, place: u32, on: Option<TypeId>) -> Made {
    if &*constraint.key == "ele-1" || constraint.expression.as_deref() == Some("htmlChecks()") {
        return Made::Walked;
    }
    let native = Native::of(structure, constraint);
    let options = on.map(fhirpath::Options::on).unwrap_or_default();
    let path = constraint.expression.as_deref().and_then(|text| fhirpath::compile(text, &options).ok());
    if native.is_none() && path.is_none() {
        return Made::Unwritten;
    }
    let is_denial = constraint.expression.as_deref().is_some_and(is_denial);
    Made::Invariant(Invariant { constraint: place, native, path, is_denial })
}

fn is_denial(text: &str) -> bool {
    text.contains("').not()")
        && ["contains(", "startsWith(", "endsWith(", "matches("].iter().any(|name| text.contains(name))
}
