//! When values are equal, equivalent, or in order (FHIRPath 2.0 §6.1, §6.2).

use std::cmp::Ordering;
use std::collections::HashMap;

use super::decimal::Decimal;
use super::value::{Collection, Item, Quantity, QuantityUnit};
use crate::tape::{Kind, NameId, Node};
use crate::ucum::{self, Unit};

/// Equal, different, or not to be said. An element is its value when it is a primitive.
pub(super) fn equal(left: &Item<'_>, right: &Item<'_>) -> Option<bool> {
    if let (Item::Element(left), Item::Element(right)) = (left, right)
        && super::model::system_of(left.type_id()).is_none()
        && super::model::system_of(right.type_id()).is_none()
    {
        return match (quantity(&Item::Element(*left)), quantity(&Item::Element(*right))) {
            (Some(left), Some(right)) => quantities_equal(&left, &right),
            _ => Some(left.node() == right.node() || nodes_equal(left.node(), right.node(), false)),
        };
    }
    if let (Some(left), Some(right)) = (text(left), text(right)) {
        return Some(left == right);
    }
    match (value(left)?, value(right)?) {
        (Item::Boolean(left), Item::Boolean(right)) => Some(left == right),
        (Item::String(left), Item::String(right)) => Some(left == right),
        (Item::Temporal(left), Item::Temporal(right)) => {
            let are_comparable =
                (left.kind() == super::TemporalKind::Time) == (right.kind() == super::TemporalKind::Time);
            if are_comparable { left.compare(right).map(|order| order == Ordering::Equal) } else { Some(false) }
        }
        (Item::Type(left), Item::Type(right)) => Some(left == right),
        (Item::Quantity(left), Item::Quantity(right)) => quantities_equal(&left, &right),
        (Item::Quantity(left), right) => {
            decimal(&right).map_or(Some(false), |right| quantities_equal(&left, &plain(right)))
        }
        (left, Item::Quantity(right)) => {
            decimal(&left).map_or(Some(false), |left| quantities_equal(&plain(left), &right))
        }
        (Item::Temporal(left), Item::String(right)) => Some(left.to_string() == right),
        (Item::String(left), Item::Temporal(right)) => Some(left == right.to_string()),
        (left, right) => match (decimal(&left), decimal(&right)) {
            (Some(left), Some(right)) => Some(left == right),
            _ => Some(false),
        },
    }
}

/// Collections are equal when they are pairwise, in order; an empty one makes the answer empty.
pub(super) fn all_equal(left: &Collection<'_>, right: &Collection<'_>) -> Option<bool> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    if left.len() != right.len() {
        return Some(false);
    }
    let mut result = Some(true);
    for (left, right) in left.iter().zip(right) {
        match equal(left, right) {
            Some(false) => return Some(false),
            None => result = None,
            Some(true) => {}
        }
    }
    result
}

/// Equal but for case and white space of texts, the last digits of numbers, and order.
pub(super) fn equivalent(left: &Item<'_>, right: &Item<'_>) -> bool {
    let (Some(left_value), Some(right_value)) = (value(left), value(right)) else {
        return match (left.node(), right.node()) {
            (Some(left), Some(right)) => nodes_equal(left, right, true),
            _ => false,
        };
    };
    match (left_value, right_value) {
        (Item::String(left), Item::String(right)) => texts_equivalent(&left, &right),
        (Item::Temporal(left), Item::Temporal(right)) => left.is_equivalent(right),
        (Item::Quantity(left), Item::Quantity(right)) => quantities_equivalent(&left, &right),
        (Item::Quantity(left), right) => {
            decimal(&right).is_some_and(|right| quantities_equivalent(&left, &plain(right)))
        }
        (left, Item::Quantity(right)) => decimal(&left).is_some_and(|left| quantities_equivalent(&plain(left), &right)),
        (left, right) => match (decimal(&left), decimal(&right)) {
            (Some(left), Some(right)) => decimals_equivalent(left, right),
            _ => equal(&left, &right) == Some(true),
        },
    }
}

/// Collections are equivalent when each item has one of its own in the other.
pub(super) fn all_equivalent(left: &Collection<'_>, right: &Collection<'_>) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut free: Vec<&Item<'_>> = right.iter().collect();
    left.iter().all(|item| {
        let place = free.iter().position(|other| equivalent(item, other));
        place.map(|place| free.swap_remove(place)).is_some()
    })
}

/// Why two values have no order.
pub(super) enum NoOrder {
    /// The precision leaves it open, or the units do not go together.
    Open,
    /// They are of types that do not compare.
    Types,
}

/// Which comes first.
pub(super) fn order(left: &Item<'_>, right: &Item<'_>) -> Result<Ordering, NoOrder> {
    let (Some(left), Some(right)) = (value(left), value(right)) else { return Err(NoOrder::Types) };
    match (left, right) {
        (Item::String(left), Item::String(right)) => Ok(left.cmp(&right)),
        (Item::Temporal(left), Item::Temporal(right)) => {
            let is_time = |value: super::Temporal| value.kind() == super::TemporalKind::Time;
            if is_time(left) != is_time(right) {
                return Err(NoOrder::Types);
            }
            left.compare(right).ok_or(NoOrder::Open)
        }
        (Item::Quantity(left), Item::Quantity(right)) => compare_quantities(&left, &right).ok_or(NoOrder::Open),
        (Item::Quantity(left), right) => {
            let right = decimal(&right).ok_or(NoOrder::Types)?;
            compare_quantities(&left, &plain(right)).ok_or(NoOrder::Open)
        }
        (left, Item::Quantity(right)) => {
            let left = decimal(&left).ok_or(NoOrder::Types)?;
            compare_quantities(&plain(left), &right).ok_or(NoOrder::Open)
        }
        (left, right) => match (decimal(&left), decimal(&right)) {
            (Some(left), Some(right)) => Ok(left.cmp(&right)),
            _ => Err(NoOrder::Types),
        },
    }
}

/// The FHIRPath value of an item: a primitive of a document becomes one, and so does a Quantity.
pub(super) fn value<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    match item {
        Item::Element(element) => element.system().or_else(|| quantity(item).map(Item::from)),
        _ => Some(item.clone()),
    }
}

/// A text without a copy.
pub(super) fn text<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    match item {
        Item::String(text) => Some(text),
        Item::Element(element) if super::model::system_of(element.type_id()) == Some(super::System::String) => {
            element.text()
        }
        _ => None,
    }
}

/// A whole number or a decimal.
pub(super) fn decimal(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Integer(value) => Some((*value).into()),
        Item::Decimal(value) => Some(**value),
        Item::Element(element) => match element.system()? {
            Item::Integer(value) => Some(value.into()),
            Item::Decimal(value) => Some(*value),
            _ => None,
        },
        _ => None,
    }
}

/// A quantity, of FHIRPath or of FHIR. A FHIR quantity with a comparator is none: it is no number.
pub(super) fn quantity(item: &Item<'_>) -> Option<Quantity> {
    match item {
        Item::Quantity(quantity) => Some((**quantity).clone()),
        Item::Element(element) if super::model::is_quantity(element.type_id()) => {
            let node = element.node();
            let value = node.get_id(NameId::VALUE)?.number()?.parse().ok()?;
            if node.get("comparator").is_some() {
                return None;
            }
            let system = node.get_id(NameId::SYSTEM).and_then(Node::str);
            let code = node.get_id(NameId::CODE).and_then(Node::str);
            let unit = match (system, code) {
                (Some(ucum::SYSTEM), Some(code)) => QuantityUnit::of_code(code),
                (_, Some(code)) => QuantityUnit::Other(code.into()),
                (_, None) => match node.text("unit") {
                    Some(unit) => QuantityUnit::Other(unit.into()),
                    None => QuantityUnit::Ucum("1".into()),
                },
            };
            Some(Quantity { value, unit })
        }
        _ => None,
    }
}

fn plain(value: Decimal) -> Quantity {
    Quantity { value, unit: QuantityUnit::Ucum("1".into()) }
}

impl QuantityUnit {
    /// A UCUM code; the words of the calendar are the calendar's units.
    pub(super) fn of_code(code: &str) -> Self {
        match super::CalendarUnit::named(code).filter(|_| code.len() > 2) {
            Some(unit) => Self::Calendar(unit),
            None => Self::Ucum(code.into()),
        }
    }

    /// The UCUM unit; none for years and months of the calendar and for what UCUM does not know.
    pub(super) fn ucum(&self) -> Option<Unit> {
        match self {
            Self::Calendar(unit) => Unit::parse(unit.ucum()?).ok(),
            Self::Ucum(code) => Unit::parse(code).ok(),
            Self::Other(_) => None,
        }
    }
}

fn quantities_equal(left: &Quantity, right: &Quantity) -> Option<bool> {
    if left.unit == right.unit {
        return Some(left.value == right.value);
    }
    let calendar = |unit: &QuantityUnit| matches!(unit, QuantityUnit::Calendar(unit) if unit.ucum().is_none());
    if calendar(&left.unit) || calendar(&right.unit) {
        return compare_quantities(left, right).map(|order| order == Ordering::Equal);
    }
    let (Some(left_unit), Some(right_unit)) = (left.unit.ucum(), right.unit.ucum()) else { return Some(false) };
    if !left_unit.is_comparable(&right_unit) {
        return Some(false);
    }
    ucum::compare(left.value, &left_unit, right.value, &right_unit).map(|order| order == Ordering::Equal)
}

/// None for units that do not go together; a year is twelve months, and no number of days.
pub(super) fn compare_quantities(left: &Quantity, right: &Quantity) -> Option<Ordering> {
    if left.unit == right.unit {
        return Some(left.value.cmp(&right.value));
    }
    if let (Some(left), Some(right)) = (months(left), months(right)) {
        return Some(left.cmp(&right));
    }
    ucum::compare(left.value, &left.unit.ucum()?, right.value, &right.unit.ucum()?)
}

fn months(quantity: &Quantity) -> Option<Decimal> {
    match quantity.unit {
        QuantityUnit::Calendar(super::CalendarUnit::Year) => quantity.value.times(12.into()),
        QuantityUnit::Calendar(super::CalendarUnit::Month) => Some(quantity.value),
        _ => None,
    }
}

/// In the coarser of both units, at the precision of the less precise value.
fn quantities_equivalent(left: &Quantity, right: &Quantity) -> bool {
    if left.unit == right.unit {
        return decimals_equivalent(left.value, right.value);
    }
    if let (Some(left), Some(right)) = (months(left), months(right)) {
        return decimals_equivalent(left, right);
    }
    let (Some(left_unit), Some(right_unit)) = (left.unit.ucum(), right.unit.ucum()) else { return false };
    let (finer, finer_unit, coarser, unit) = if left_unit.is_coarser(&right_unit) {
        (right.value, right_unit, left.value, left_unit)
    } else {
        (left.value, left_unit, right.value, right_unit)
    };
    ucum::convert(finer, &finer_unit, &unit).is_some_and(|converted| decimals_equivalent(converted, coarser))
}

/// Rounded to the precision of the less precise of both; zeros at the end say nothing.
fn decimals_equivalent(left: Decimal, right: Decimal) -> bool {
    let (left, right) = (left.trimmed(), right.trimmed());
    let scale = left.scale().min(right.scale());
    left.rounded(scale) == right.rounded(scale)
}

fn texts_equivalent(left: &str, right: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    words(left) == words(right)
}

/// The same members with the same values. Equivalence leaves out ids, order, and what equivalence of values does.
fn nodes_equal(left: Node<'_>, right: Node<'_>, is_loose: bool) -> bool {
    match (left.kind(), right.kind()) {
        (Kind::Object, Kind::Object) => {
            let counts = |node: Node<'_>| node.members().filter(|(name, _)| !is_loose || *name != "id").count();
            counts(left) == counts(right)
                && left
                    .members()
                    .filter(|(name, _)| !is_loose || *name != "id")
                    .all(|(name, node)| right.get(name).is_some_and(|other| nodes_equal(node, other, is_loose)))
        }
        (Kind::Array, Kind::Array) if is_loose => {
            let mut free: Vec<Node<'_>> = right.items().collect();
            left.items().count() == free.len()
                && left.items().all(|node| {
                    let place = free.iter().position(|other| nodes_equal(node, *other, true));
                    place.map(|place| free.swap_remove(place)).is_some()
                })
        }
        (Kind::Array, Kind::Array) => {
            left.items().count() == right.items().count()
                && left.items().zip(right.items()).all(|(left, right)| nodes_equal(left, right, false))
        }
        (Kind::Number, Kind::Number) => {
            let value = |node: Node<'_>| node.raw().parse::<Decimal>();
            match (value(left), value(right)) {
                (Ok(left), Ok(right)) if is_loose => decimals_equivalent(left, right),
                (Ok(left), Ok(right)) => left == right,
                _ => left.raw() == right.raw(),
            }
        }
        (Kind::String, Kind::String) if is_loose => {
            texts_equivalent(left.str().unwrap_or_default(), right.str().unwrap_or_default())
        }
        (Kind::String, Kind::String) => left.str() == right.str(),
        (left_kind, right_kind) => left_kind == right_kind && left.bool() == right.bool(),
    }
}

/// Items that were seen, to find equal ones among many without comparing all pairs.
#[derive(Default)]
pub(super) struct Seen<'a> {
    items: Vec<Item<'a>>,
    /// Texts by themselves; they are most of what is compared in great numbers.
    texts: HashMap<String, usize>,
    /// Places of what is no text.
    others: Vec<usize>,
}

impl<'a> Seen<'a> {
    /// Remembers an item, and says whether it is new. Small collections are compared directly.
    pub(super) fn is_new(&mut self, item: &Item<'a>) -> bool {
        if self.contains(item) {
            return false;
        }
        let place = self.items.len();
        match text(item) {
            Some(text) => _ = self.texts.insert(text.to_owned(), place),
            None => self.others.push(place),
        }
        self.items.push(item.clone());
        true
    }

    pub(super) fn contains(&self, item: &Item<'a>) -> bool {
        if let Some(text) = text(item)
            && self.texts.contains_key(text)
        {
            return true;
        }
        self.others.iter().any(|place| equal(&self.items[*place], item) == Some(true))
    }

    /// How many comparisons the next item costs.
    pub(super) fn cost(&self) -> u64 {
        self.others.len() as u64
    }
}
