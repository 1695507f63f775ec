//! Invariants: FHIRPath of the definitions, compiled once.
//!
//! The commonest ones are also written in Rust (`native`); a test holds each to its FHIRPath on all official
//! examples and on mutants. A native rule may answer that it does not know, and then the FHIRPath decides.

use super::native::Native;
use crate::definitions::{Constraint, Structure, TypeId, types};
use crate::fhirpath::{self, Program};
use crate::tape::{Kind, NameId, Node};

/// An invariant of an element.
pub(super) struct Invariant {
    /// Its place in the constraints of the element.
    pub(super) constraint: u32,
    pub(super) native: Option<Native>,
    pub(super) path: Option<Program>,
    /// It denies a text function, such as `fullUrl.contains('/_history/').not()`. Published invariants count
    /// on such a function being false where there is no text; FHIRPath makes it, and so all, empty.
    pub(super) is_denial: bool,
    /// Where none of these elements is, it holds: it ends in `or (a.empty() and b.empty())`, and most elements
    /// have neither. Nothing needs to be evaluated then.
    pub(super) about: Box<[NameId]>,
}

impl Invariant {
    /// The element has nothing that the invariant could object to.
    pub(super) fn is_idle(&self, node: Node<'_>) -> bool {
        let is_it = |member: Node<'_>| {
            let name = member.name_id();
            self.about.iter().any(|about| *about == name || name.companion_of() == Some(*about))
        };
        !self.about.is_empty() && node.kind() == Kind::Object && !node.member_nodes().any(is_it)
    }
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
    let about = constraint.expression.as_deref().zip(on).and_then(|(text, on)| about(text, on)).unwrap_or_default();
    Made::Invariant(Invariant { constraint: place, native, path, is_denial, about })
}

/// The elements of `… or a.empty()`, `… or (a.empty() and b.empty())`. No operator that binds less than `or` but
/// `implies`, which then has a right side that is true, so that what stands before does not matter. A choice is
/// no member by its name, and is left to the FHIRPath.
fn about(text: &str, on: TypeId) -> Option<Box<[NameId]>> {
    let (before, after) = text.rsplit_once(" or ")?;
    let count = |sign: char| before.matches(sign).count();
    if count('(') != count(')') || !count('\'').is_multiple_of(2) {
        return None;
    }
    let after = after.trim();
    let after = after.strip_prefix('(').and_then(|inside| inside.strip_suffix(')')).unwrap_or(after);
    let name = |part: &str| {
        let id = NameId::of(part.trim().strip_suffix(".empty()")?)?;
        types().child(on, id).is_some().then_some(id)
    };
    after.split(" and ").map(name).collect()
}

fn is_denial(text: &str) -> bool {
    text.contains("').not()")
        && ["contains(", "startsWith(", "endsWith(", "matches("].iter().any(|name| text.contains(name))
}

#[cfg(test)]
mod tests {
    use super::about;
    use crate::definitions::types;
    use crate::tape::NameId;

    #[test]
    fn an_invariant_is_idle_without_the_elements_that_it_is_about() {
        let questionnaire = types().named("Questionnaire").unwrap();
        let item = types().child(questionnaire, NameId::of("item").unwrap()).unwrap().type_id;
        let cases: &[(&str, Option<&[&str]>)] = &[
            ("type!='display' or code.empty()", Some(&["code"])),
            ("type!='display' or (required.empty() and repeats.empty())", Some(&["required", "repeats"])),
            ("(type='group' or type='a or b') or initial.empty()", Some(&["initial"])),
            ("type='group' implies type='display' or code.empty()", Some(&["code"])),
            ("type='display' and (code.exists() or code.empty())", None),
            ("type = 'a or code.empty()'", None),
            ("type!='display' or answer.empty()", None),
            ("type!='display' or code.exists()", None),
            ("type!='display' or code.empty().not()", None),
            ("type!='display' or item.code.empty()", None),
            ("code.empty()", None),
        ];
        for (text, names) in cases {
            let names = names.map(|names| names.iter().map(|name| NameId::of(name).unwrap()).collect());
            assert_eq!(about(text, item), names, "{text}");
        }
        let observation = types().named("Observation").unwrap();
        assert_eq!(about("code.empty() or value.empty()", observation), None, "a choice");
    }
}
