//! The types of R4 and their members: what a member of a document is, by numbers alone.
//!
//! [`types`] is the graph: for a type and the name of a JSON member, the child ([`Types::child`]); for the name
//! that FHIRPath uses, one child or all those of a choice ([`Types::element`]).
//!
//! Not here: rules. The snapshot of the structure has them ([`Child::element`] says where).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use super::tables::{self, Graph};
use crate::tape::NameId;

/// A type: a datatype, a resource, or an element with members of its own (`Patient.contact`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(u16);

/// What a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// One value, and perhaps an id and extensions.
    Primitive(PrimitiveKind),
    /// `HumanName`, `Extension`…
    Complex,
    /// An element with members of its own, defined where it stands.
    Backbone,
    /// `Patient`…
    Resource,
}

/// The primitive types (FHIR R4 §2.24.0.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the type of that name")]
pub enum PrimitiveKind {
    Base64Binary,
    Boolean,
    Canonical,
    Code,
    Date,
    DateTime,
    Decimal,
    Id,
    Instant,
    Integer,
    Markdown,
    Oid,
    PositiveInt,
    String,
    Time,
    UnsignedInt,
    Uri,
    Url,
    Uuid,
    Xhtml,
}

/// In the order of the tables.
const PRIMITIVES: [PrimitiveKind; 20] = [
    PrimitiveKind::Base64Binary,
    PrimitiveKind::Boolean,
    PrimitiveKind::Canonical,
    PrimitiveKind::Code,
    PrimitiveKind::Date,
    PrimitiveKind::DateTime,
    PrimitiveKind::Decimal,
    PrimitiveKind::Id,
    PrimitiveKind::Instant,
    PrimitiveKind::Integer,
    PrimitiveKind::Markdown,
    PrimitiveKind::Oid,
    PrimitiveKind::PositiveInt,
    PrimitiveKind::String,
    PrimitiveKind::Time,
    PrimitiveKind::UnsignedInt,
    PrimitiveKind::Uri,
    PrimitiveKind::Url,
    PrimitiveKind::Uuid,
    PrimitiveKind::Xhtml,
];

/// How JSON writes a primitive value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonForm {
    /// `true`, `false`
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
}

impl PrimitiveKind {
    /// How JSON writes it (FHIR R4 §2.6.2.2).
    #[must_use]
    pub const fn json_form(self) -> JsonForm {
        match self {
            Self::Boolean => JsonForm::Boolean,
            Self::Decimal | Self::Integer | Self::PositiveInt | Self::UnsignedInt => JsonForm::Number,
            _ => JsonForm::String,
        }
    }
}

/// A member of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Child {
    /// Its name in JSON and XML: `valueQuantity`.
    pub name: NameId,
    /// Its name in the definition, without `[x]`: `value`. The same as `name` when it is no choice.
    pub base: NameId,
    /// What it is.
    pub type_id: TypeId,
    /// It may repeat: JSON writes an array.
    pub many: bool,
    /// At least one is required (of a choice: one of them).
    pub required: bool,
    /// It is one of the members of a choice.
    pub choice: bool,
    /// XML writes it as an attribute (`id`, `url` of an extension).
    pub xml_attribute: bool,
    /// Its place among the elements of the snapshot that defines it ([`Types::root`] of the type that has it).
    pub element: u16,
    /// Its place among the members of its type: the order that XML requires.
    pub order: u16,
}

/// The graph.
pub struct Types {
    types: Vec<Type>,
    children: Vec<Child>,
    /// For each type a small table of its own: place in its members + 1, by the number of the name; for a base
    /// name of a choice, the place of its first member with [`CHOICE`] set.
    slots: Vec<u16>,
    by_name: HashMap<&'static str, TypeId>,
    by_name_id: Vec<Option<TypeId>>,
}

struct Type {
    name: &'static str,
    name_id: NameId,
    kind: TypeKind,
    is_abstract: bool,
    parent: Option<TypeId>,
    root: TypeId,
    element: u16,
    children: Range<u32>,
    /// Where its table starts in `slots`, and its length - 1.
    slots: (u32, u32),
}

const CHOICE_SLOT: u16 = 0x8000;
const MANY: u8 = 1;
const CHOICE: u8 = 2;
const XML_ATTRIBUTE: u8 = 4;
const REQUIRED: u8 = 8;

/// The types of R4.
#[must_use]
pub fn types() -> &'static Types {
    static TYPES: LazyLock<Types> = LazyLock::new(|| Types::of(tables::graph()));
    &TYPES
}

impl Types {
    /// The type of that name: `Patient`, `string`, `Patient.contact`.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// The datatype or resource of that name.
    #[must_use]
    pub fn named_id(&self, name: NameId) -> Option<TypeId> {
        self.by_name_id.get(name.0 as usize).copied()?
    }

    /// The resource of that name, abstract ones left out: what `resourceType` may say.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<TypeId> {
        self.named(name).filter(|id| self.kind(*id) == TypeKind::Resource && !self.is_abstract(*id))
    }

    /// Every type, in the order of the tables.
    pub fn all(&self) -> impl Iterator<Item = TypeId> + use<> {
        (0..u16::try_from(self.types.len()).unwrap_or(u16::MAX)).map(TypeId)
    }

    /// `Patient`, `string`, `Patient.contact`.
    #[must_use]
    pub fn name(&self, id: TypeId) -> &'static str {
        self.at(id).name
    }

    /// The number of its name; [`NameId::NONE`] for an element with members of its own.
    #[must_use]
    pub fn name_id(&self, id: TypeId) -> NameId {
        self.at(id).name_id
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self, id: TypeId) -> TypeKind {
        self.at(id).kind
    }

    /// Which primitive it is, if it is one.
    #[must_use]
    pub fn primitive(&self, id: TypeId) -> Option<PrimitiveKind> {
        match self.at(id).kind {
            TypeKind::Primitive(kind) => Some(kind),
            _ => None,
        }
    }

    /// Nothing is of this type alone (`Resource`, `DomainResource`, `Element`, `BackboneElement`).
    #[must_use]
    pub fn is_abstract(&self, id: TypeId) -> bool {
        self.at(id).is_abstract
    }

    /// The type that it specializes: `DomainResource` of `Patient`, `BackboneElement` of `Patient.contact`.
    #[must_use]
    pub fn parent(&self, id: TypeId) -> Option<TypeId> {
        self.at(id).parent
    }

    /// The datatype or resource whose structure defines it: `Patient` for `Patient.contact`, itself otherwise.
    #[must_use]
    pub fn root(&self, id: TypeId) -> TypeId {
        self.at(id).root
    }

    /// The place of its definition in the snapshot of [`Self::root`]: 0 for a datatype or resource.
    #[must_use]
    pub fn element_index(&self, id: TypeId) -> u16 {
        self.at(id).element
    }

    /// `id` is `ancestor`, or specializes it in some steps.
    #[must_use]
    pub fn is_subtype(&self, id: TypeId, ancestor: TypeId) -> bool {
        std::iter::successors(Some(id), |id| self.parent(*id)).any(|id| id == ancestor)
    }

    /// The members of a type in the order of its definition; those of a choice follow each other.
    #[must_use]
    pub fn children(&self, id: TypeId) -> &[Child] {
        let range = &self.at(id).children;
        self.children.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// The member that JSON and XML call so. `_birthDate` is no member: [`NameId::companion_of`] leads to it.
    #[must_use]
    pub fn child(&self, id: TypeId, name: NameId) -> Option<&Child> {
        let slot = self.slot(id, name)?;
        if slot & CHOICE_SLOT != 0 {
            return None;
        }
        self.children(id).get(usize::from(slot))
    }

    /// What FHIRPath calls so: one member, or for the base name of a choice (`value`) all of its members.
    /// Empty when the type has no such element.
    #[must_use]
    pub fn element(&self, id: TypeId, name: NameId) -> &[Child] {
        let Some(slot) = self.slot(id, name) else { return &[] };
        let children = self.children(id);
        let first = usize::from(slot & !CHOICE_SLOT);
        if slot & CHOICE_SLOT == 0 {
            return children.get(first..=first).unwrap_or_default();
        }
        let rest = children.get(first..).unwrap_or_default();
        let count = rest.iter().take_while(|child| child.base == name).count();
        rest.get(..count).unwrap_or_default()
    }

    fn slot(&self, id: TypeId, name: NameId) -> Option<u16> {
        let one = self.at(id);
        let (start, mask) = one.slots;
        let children = self.children(id);
        let mut at = spread(name) & mask;
        loop {
            let slot = self.slots.get((start + at) as usize).copied()?.checked_sub(1)?;
            let child = children.get(usize::from(slot & !CHOICE_SLOT))?;
            let is_it = if slot & CHOICE_SLOT == 0 { child.name == name } else { child.base == name };
            if is_it {
                return Some(slot);
            }
            at = (at + 1) & mask;
        }
    }

    fn at(&self, id: TypeId) -> &Type {
        &self.types[usize::from(id.0)]
    }

    fn of(graph: &'static Graph) -> Self {
        let mut types = Self {
            types: Vec::with_capacity(graph.types.len()),
            children: Vec::with_capacity(graph.children.len()),
            slots: Vec::new(),
            by_name: HashMap::new(),
            by_name_id: vec![None; graph.names.len()],
        };
        let mut children = graph.children.iter();
        for (number, one) in (0_u16..).zip(&graph.types) {
            let id = TypeId(number);
            let first = types.children.len();
            for (order, child) in (0..one.children).zip(children.by_ref()) {
                types.children.push(Child {
                    name: NameId(child.name.into()),
                    base: NameId(child.base.into()),
                    type_id: TypeId(child.type_id),
                    many: child.flags & MANY != 0,
                    required: child.flags & REQUIRED != 0,
                    choice: child.flags & CHOICE != 0,
                    xml_attribute: child.flags & XML_ATTRIBUTE != 0,
                    element: child.element,
                    order,
                });
            }
            let slots = types.index_children(first);
            types.by_name.insert(one.name, id);
            if let Some(place) = types.by_name_id.get_mut(usize::from(one.name_id)) {
                *place = Some(id);
            }
            let end = types.children.len();
            types.types.push(Type {
                name: one.name,
                name_id: if one.name_id == u16::MAX { NameId::NONE } else { NameId(one.name_id.into()) },
                kind: kind(one.kind),
                is_abstract: one.is_abstract,
                parent: (one.parent != u16::MAX).then_some(TypeId(one.parent)),
                root: TypeId(one.root),
                element: one.element,
                children: small(first)..small(end),
                slots,
            });
        }
        types
    }

    /// Makes the table of the members from `first` on: where it is in `slots`, and its length - 1.
    fn index_children(&mut self, first: usize) -> (u32, u32) {
        let children = &self.children[first..];
        let mut entries: Vec<(NameId, u16)> = (0_u16..).zip(children).map(|(at, child)| (child.name, at)).collect();
        for (at, child) in (0_u16..).zip(children) {
            let is_first = at == 0 || children[usize::from(at) - 1].base != child.base;
            if child.choice && is_first {
                entries.push((child.base, at | CHOICE_SLOT));
            }
        }
        let length = (entries.len() * 2).next_power_of_two().max(2);
        let start = self.slots.len();
        self.slots.resize(start + length, 0);
        let table = &mut self.slots[start..];
        for (name, slot) in entries {
            let mut at = spread(name) as usize & (length - 1);
            while table[at] != 0 {
                at = (at + 1) & (length - 1);
            }
            table[at] = slot + 1;
        }
        (small(start), small(length - 1))
    }
}

const fn kind(code: u8) -> TypeKind {
    const FIRST_PRIMITIVE: u8 = 16;
    match code {
        1 => TypeKind::Backbone,
        2 => TypeKind::Resource,
        FIRST_PRIMITIVE.. => TypeKind::Primitive(PRIMITIVES[(code - FIRST_PRIMITIVE) as usize % PRIMITIVES.len()]),
        _ => TypeKind::Complex,
    }
}

/// Names are numbered in alphabetical order: the numbers of one type are near each other.
const fn spread(name: NameId) -> u32 {
    name.0.wrapping_mul(0x9E37_79B1) >> 16
}

#[expect(clippy::cast_possible_truncation, reason = "the tables have some thousand members")]
const fn small(value: usize) -> u32 {
    value as u32
}
