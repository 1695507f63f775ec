//! A profile as a program: what the compiler makes and the walk reads.
//!
//! Facts that every element needs are here, flat; what only a message needs (ids, prose) is looked up in
//! the [`Structure`] by [`Spec::element`].

use std::sync::Arc;

use super::invariant::Invariant;
use super::slicing::Slicing;
use crate::definitions::{self, PrimitiveKind, Structure, TypeId, Value};
use crate::tape::NameId;

/// A type of R4 by its place in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TypeIx(pub(super) u16);

/// A structure, compiled.
pub(super) struct Program {
    pub(super) structure: Arc<Structure>,
    /// `url|version`, as messages name it.
    pub(super) canonical: Box<str>,
    /// The first is the root.
    pub(super) specs: Vec<Spec>,
    /// Rules that the profile states without FHIRPath and that nobody wrote here.
    pub(super) unwritten: Vec<Box<str>>,
}

impl Program {
    pub(super) fn root(&self) -> &Spec {
        &self.specs[0]
    }

    pub(super) fn element(&self, spec: &Spec) -> &definitions::Element {
        &self.structure.elements[spec.element as usize]
    }

    /// `Patient.identifier:INS`, as messages name an element of the profile.
    pub(super) fn id(&self, spec: &Spec) -> &str {
        let element = self.element(spec);
        if element.id.is_empty() { &element.path } else { &element.id }
    }
}

/// What one element must be.
#[derive(Default)]
pub(super) struct Spec {
    /// Its place in the structure.
    pub(super) element: u32,
    pub(super) min: u32,
    /// `u32::MAX` for `*`.
    pub(super) max: u32,
    /// It is written as an array.
    pub(super) many: bool,
    pub(super) must_support: bool,
    /// The type of its values, for FHIRPath; none for a choice, whose types say it, and for a resource.
    pub(super) kind: Option<TypeId>,
    pub(super) types: Box<[TypeSpec]>,
    /// The children that this structure lists itself; otherwise those of the type hold.
    pub(super) children: Option<Box<Children>>,
    /// The element whose children hold here (`contentReference`).
    pub(super) same_as: Option<u32>,
    pub(super) slicing: Option<Box<Slicing>>,
    pub(super) invariants: Box<[Invariant]>,
    pub(super) binding: Option<Box<definitions::Binding>>,
    /// Constraints that few elements have.
    pub(super) rare: Option<Box<Rare>>,
    /// There is something to check in it, beyond what the base types say.
    pub(super) active: bool,
}

/// Constraints that few elements have.
#[derive(Default)]
pub(super) struct Rare {
    pub(super) fixed: Option<Value>,
    pub(super) pattern: Option<Value>,
    pub(super) min_value: Option<Value>,
    pub(super) max_value: Option<Value>,
    pub(super) max_length: Option<u32>,
    pub(super) without_value: definitions::WithoutValue,
    pub(super) narrative: definitions::NarrativeControl,
}

impl Rare {
    pub(super) const fn is_empty(&self) -> bool {
        self.fixed.is_none()
            && self.pattern.is_none()
            && self.min_value.is_none()
            && self.max_value.is_none()
            && self.max_length.is_none()
            && !self.without_value.is_forbidden
            && self.without_value.alternatives.is_empty()
            && self.narrative.is_empty()
    }
}

/// A type that an element may have.
pub(super) struct TypeSpec {
    pub(super) code: Code,
    pub(super) name: Box<str>,
    /// The same for FHIRPath; none for a resource and for elements defined where they stand.
    pub(super) kind: Option<TypeId>,
    /// It follows one of these.
    pub(super) profiles: Box<[Box<str>]>,
    /// What it points at follows one of these.
    pub(super) targets: Box<[Target]>,
    pub(super) aggregation: Box<[Box<str>]>,
}

/// A profile that a reference's target may follow.
pub(super) struct Target {
    pub(super) canonical: Box<str>,
    /// The resource type, when the profile is known.
    pub(super) kind: Option<Box<str>>,
    /// The canonical is that of the type itself.
    pub(super) is_type: bool,
}

/// What a type is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Primitive(PrimitiveKind),
    Complex(TypeIx),
    /// Any resource, or that one.
    Resource(Option<TypeIx>),
    Xhtml,
    /// A type that the library does not hold.
    Unknown,
}

/// The children of an element.
#[derive(Default)]
pub(super) struct Children {
    /// Places in [`Program::specs`], in the order of the definition.
    pub(super) list: Vec<u32>,
    table: Names,
}

/// Where a JSON member leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Its place in [`Children::list`].
    pub(super) child: u16,
    /// Its type among those of the element; [`Member::OTHER_TYPE`] for one that the profile does not allow.
    pub(super) ty: u16,
    /// It is the `_name` of a primitive.
    pub(super) is_extra: bool,
    /// How many bytes of the name are the type of a choice.
    pub(super) suffix: u8,
}

impl Member {
    pub(super) const OTHER_TYPE: u16 = u16::MAX;
}

impl Children {
    /// A name that R4 does not have is in no document of R4 either, and is left out.
    pub(super) fn add(&mut self, name: &str, member: Member) {
        if let Some(id) = NameId::of(name) {
            self.table.add(id, member);
        }
    }

    pub(super) fn find(&self, name: NameId) -> Option<Member> {
        self.table.find(name)
    }
}

/// An open-addressing table from member names.
#[derive(Default)]
struct Names {
    slots: Vec<(NameId, Member)>,
    len: usize,
}

const FREE: (NameId, Member) = (NameId::NONE, Member { child: 0, ty: 0, is_extra: false, suffix: 0 });

impl Names {
    fn find(&self, name: NameId) -> Option<Member> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = name.0 as usize & mask;
        while let Some((known, member)) = self.slots.get(at) {
            if *known == name {
                return Some(*member);
            }
            if *known == NameId::NONE {
                return None;
            }
            at = (at + 1) & mask;
        }
        None
    }

    fn add(&mut self, name: NameId, member: Member) {
        if self.find(name).is_some() {
            return;
        }
        if (self.len + 1) * 2 > self.slots.len() {
            let old = std::mem::take(&mut self.slots);
            self.slots.resize((old.len() * 2).max(8), FREE);
            for (name, member) in old.into_iter().filter(|(name, _)| *name != NameId::NONE) {
                self.put(name, member);
            }
        }
        self.put(name, member);
        self.len += 1;
    }

    fn put(&mut self, name: NameId, member: Member) {
        let mask = self.slots.len() - 1;
        let mut at = name.0 as usize & mask;
        while self.slots[at].0 != NameId::NONE {
            at = (at + 1) & mask;
        }
        self.slots[at] = (name, member);
    }
}
