//! Least and greatest values (ElementDefinition `minValue[x]`, `maxValue[x]`, FHIR R4 §2.33).
//!
//! Numbers, moments at the precision that both have, quantities converted by UCUM. A bound of a moment may be a
//! duration: before now for the least, after now for the greatest.

use std::cmp::Ordering;

use socle_finding::Text;

use super::Walk;
use super::say::rule_of;
use crate::definitions::Value;
use crate::fhirpath::{CalendarUnit, Decimal, Temporal};
use crate::profile::program::{Program, Rare, Spec};
use crate::tape::{Kind, Node};
use crate::ucum::{self, Unit};

/// Which bound.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    Least,
    Greatest,
}

impl<'d> Walk<'_, 'd> {
    /// The value against the bounds of its element. What cannot be compared breaks no bound.
    pub(super) fn range(&mut self, value: Node<'d>, program: &Program, spec: &Spec, rare: &Rare) {
        let breaks = |bound: Bound, limit: &Option<Value>| {
            let order = limit.as_ref().and_then(|limit| compare(value, limit, bound));
            order == Some(if bound == Bound::Least { Ordering::Less } else { Ordering::Greater })
        };
        let (message, point) = if breaks(Bound::Least, &rare.min_value) {
            (
                Text::fixed("la valeur est sous le minimum permis", "the value is below the permitted minimum"),
                "minValue",
            )
        } else if breaks(Bound::Greatest, &rare.max_value) {
            (Text::fixed("la valeur dépasse le maximum permis", "the value is above the permitted maximum"), "maxValue")
        } else {
            return;
        };
        self.error(
            value,
            rule_of(program, format!("{} {point}", program.id(spec))),
            message,
            Text::fixed("vérifiez la valeur et son unité", "check the value and its unit"),
        );
    }
}

fn compare(value: Node<'_>, limit: &Value, bound: Bound) -> Option<Ordering> {
    let node = limit.node();
    match (value.kind(), node.kind()) {
        (Kind::Number, Kind::Number) => Some(decimal(value)?.cmp(&decimal(node)?)),
        (Kind::String, Kind::String) if *limit.type_name == *"time" => {
            Temporal::read_time(value.str()?)?.compare(Temporal::read_time(node.str()?)?)
        }
        (Kind::String, Kind::String) => moment(value)?.compare(moment(node)?),
        (Kind::String, Kind::Object) => moment(value)?.compare(from_now(node, bound)?),
        (Kind::Object, Kind::Object) => quantities(value, node),
        _ => None,
    }
}

pub(super) fn decimal(node: Node<'_>) -> Option<Decimal> {
    node.number()?.parse().ok()
}

pub(super) fn moment(node: Node<'_>) -> Option<Temporal> {
    Temporal::read_date_time(node.str()?)
}

/// Now, less or plus a duration. `a` and `mo` are years and months of the calendar: a birth date is compared
/// with a day, not with 365.25 days.
fn from_now(duration: Node<'_>, bound: Bound) -> Option<Temporal> {
    let amount = decimal(duration.get("value")?)?;
    let amount = if bound == Bound::Least { amount.negated()? } else { amount };
    let unit = match duration.text("code").or_else(|| duration.text("unit"))? {
        "a" => CalendarUnit::Year,
        "mo" => CalendarUnit::Month,
        code => CalendarUnit::of_ucum(code)?,
    };
    Temporal::of_moment(jiff::Timestamp::now()).plus(amount, unit)
}

/// Of the same unit, or both of UCUM.
pub(super) fn quantities(value: Node<'_>, limit: Node<'_>) -> Option<Ordering> {
    let (number, least) = (decimal(value.get("value")?)?, decimal(limit.get("value")?)?);
    let (system, code) = (value.text("system"), value.text("code"));
    if system == limit.text("system") && code == limit.text("code") {
        return Some(number.cmp(&least));
    }
    let is_ucum = |quantity: Node<'_>| quantity.text("system") == Some(ucum::SYSTEM);
    if !is_ucum(value) || !is_ucum(limit) {
        return None;
    }
    ucum::compare(number, &Unit::parse(code?).ok()?, least, &Unit::parse(limit.text("code")?).ok()?)
}
