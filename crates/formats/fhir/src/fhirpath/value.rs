//! What an expression is evaluated on and gives: items, in collections.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::decimal::Decimal;
use super::model::{System, Type, TypeId, system_of};
use super::temporal::{CalendarUnit, Temporal, TemporalKind};
use crate::definitions::types;
use crate::tape::{Kind, NameId, Node};

/// Items in order. One item, the usual case, takes no allocation.
pub type Collection<'a> = SmallVec<[Item<'a>; 1]>;

/// One value.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// An element or a resource of a document, where it stands.
    Element(Element<'a>),
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    String(Cow<'a, str>),
    /// A decimal.
    Decimal(Box<Decimal>),
    /// A date, a date-time or a time.
    Temporal(Temporal),
    /// A number with a unit.
    Quantity(Box<Quantity>),
    /// What `type()` gives.
    Type(Type),
}

/// An element of a document: its node and its type.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    node: Node<'a>,
    kind: TypeId,
    /// The node is `_name`: there is an id or an extension, and no value.
    is_companion: bool,
}

/// A number with a unit.
#[derive(Debug, Clone)]
pub struct Quantity {
    /// How many.
    pub value: Decimal,
    /// Of what.
    pub unit: QuantityUnit,
}

/// The unit of a [`Quantity`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuantityUnit {
    /// `year`, `days`: lengths of the calendar.
    Calendar(CalendarUnit),
    /// A UCUM code; `1` for a plain number.
    Ucum(Box<str>),
    /// A unit of another system, or a text: comparable with itself only.
    Other(Box<str>),
}

impl<'a> Element<'a> {
    /// A resource, with the type that it says; none when it says none that R4 has.
    #[must_use]
    pub fn resource(node: Node<'a>) -> Option<Self> {
        let kind = types().resource(node.get_id(NameId::RESOURCE_TYPE)?.str()?)?;
        Some(Self { node, kind, is_companion: false })
    }

    /// A node of that type. For a primitive without a value it is the node of `_name`, which is an object.
    #[must_use]
    pub fn new(node: Node<'a>, kind: TypeId) -> Self {
        let is_companion = types().primitive(kind).is_some() && node.kind() == Kind::Object;
        Self { node, kind, is_companion }
    }

    /// The value; for a primitive without a value, the node of `_name`.
    #[must_use]
    pub const fn node(self) -> Node<'a> {
        self.node
    }

    /// Its type.
    #[must_use]
    pub const fn type_id(self) -> TypeId {
        self.kind
    }

    /// The object that holds the id and the extensions: of a primitive that of `_name`, else itself.
    #[must_use]
    pub fn companion(self) -> Option<Node<'a>> {
        if self.is_companion || self.node.kind() == Kind::Object {
            return Some(self.node);
        }
        let holder = self.node.parent()?;
        if holder.kind() == Kind::Object {
            return holder.get_id(self.node.name_id().companion()?).filter(is_object);
        }
        let place = holder.items().position(|item| item == self.node)?;
        holder.parent()?.get_id(holder.name_id().companion()?)?.items().nth(place).filter(is_object)
    }

    /// It is a primitive that has a value.
    #[must_use]
    pub fn has_value(self) -> bool {
        !self.is_companion && types().primitive(self.kind).is_some()
    }

    /// The text of a primitive as it was written, quotes left out; none when it has no value.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        if !self.has_value() {
            return None;
        }
        Some(self.node.str().unwrap_or_else(|| self.node.raw()))
    }

    /// The FHIRPath value of a primitive; none when it has no value or not one of its type.
    pub(super) fn system(self) -> Option<Item<'a>> {
        let system = system_of(self.kind)?;
        let text = self.text()?;
        Some(match system {
            System::Boolean => Item::Boolean(self.node.bool()?),
            System::String => Item::String(Cow::Borrowed(text)),
            System::Integer => Item::Integer(text.parse().ok()?),
            System::Decimal => Item::Decimal(Box::new(text.parse().ok()?)),
            System::Date => Item::Temporal(Temporal::read_date(text)?),
            System::DateTime => Item::Temporal(Temporal::read_date_time(text)?),
            System::Time => Item::Temporal(Temporal::read_time(text)?),
            System::Quantity | System::Any => return None,
        })
    }
}

fn is_object(node: &Node<'_>) -> bool {
    node.kind() == Kind::Object
}

impl std::fmt::Debug for Element<'_> {
    /// The place and the type, never the content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Element({}: {})", self.node.path(), types().name(self.kind))
    }
}

impl<'a> Item<'a> {
    /// A resource, with the type that it says; none when it says none that R4 has.
    #[must_use]
    pub fn resource(node: Node<'a>) -> Option<Self> {
        Element::resource(node).map(Self::Element)
    }

    /// An element of that type.
    #[must_use]
    pub fn element(node: Node<'a>, kind: TypeId) -> Self {
        Self::Element(Element::new(node, kind))
    }

    /// The node, when it comes from a document.
    #[must_use]
    pub const fn node(&self) -> Option<Node<'a>> {
        match self {
            Self::Element(element) => Some(element.node),
            _ => None,
        }
    }

    /// Its type.
    #[must_use]
    pub const fn type_of(&self) -> Type {
        match self {
            Self::Element(element) => Type::Fhir(element.kind),
            Self::Boolean(_) => Type::System(System::Boolean),
            Self::Integer(_) => Type::System(System::Integer),
            Self::String(_) => Type::System(System::String),
            Self::Decimal(_) => Type::System(System::Decimal),
            Self::Temporal(value) => Type::System(match value.kind() {
                TemporalKind::Date => System::Date,
                TemporalKind::DateTime => System::DateTime,
                TemporalKind::Time => System::Time,
            }),
            Self::Quantity(_) => Type::System(System::Quantity),
            Self::Type(_) => Type::System(System::Any),
        }
    }

    /// A boolean, of FHIR or of FHIRPath.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Element(element) if system_of(element.kind) == Some(System::Boolean) => element.node.bool(),
            _ => None,
        }
    }

    /// The text of a string or of any primitive of a document, without copy when it is in one.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::String(text) => Some(text.clone()),
            Self::Element(element) => element.text().map(Cow::Borrowed),
            _ => None,
        }
    }
}

impl From<Decimal> for Item<'_> {
    fn from(value: Decimal) -> Self {
        Self::Decimal(Box::new(value))
    }
}

impl From<Quantity> for Item<'_> {
    fn from(value: Quantity) -> Self {
        Self::Quantity(Box::new(value))
    }
}

impl From<String> for Item<'_> {
    fn from(value: String) -> Self {
        Self::String(Cow::Owned(value))
    }
}

/// A collection of one.
pub(super) fn one(item: Item<'_>) -> Collection<'_> {
    let mut collection = Collection::new();
    collection.push(item);
    collection
}

/// A collection of one boolean.
pub(super) fn boolean<'a>(value: bool) -> Collection<'a> {
    one(Item::Boolean(value))
}

/// A collection of the item that there is, or of none.
pub(super) fn optional(item: Option<Item<'_>>) -> Collection<'_> {
    item.map_or_else(Collection::new, one)
}
