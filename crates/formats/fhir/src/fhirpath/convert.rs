//! Conversions between the types of FHIRPath (FHIRPath 2.0 §5.5).

use super::compare;
use super::decimal::Decimal;
use super::model::System;
use super::temporal::{CalendarUnit, Temporal, TemporalKind};
use super::value::{Item, Quantity, QuantityUnit};
use crate::ucum;

/// The value in another type; none when it has none there.
pub(super) fn convert<'a>(item: &Item<'a>, to: System) -> Option<Item<'a>> {
    let value = compare::value(item)?;
    match to {
        System::Boolean => boolean(&value).map(Item::Boolean),
        System::Integer => integer(&value).map(Item::Integer),
        System::Decimal => decimal(&value).map(Item::from),
        System::String => match value {
            Item::String(text) => Some(Item::String(text)),
            value => string(&value).map(Item::from),
        },
        System::Date => date(&value).map(Item::Temporal),
        System::DateTime => date_time(&value).map(Item::Temporal),
        System::Time => time(&value).map(Item::Temporal),
        System::Quantity => quantity(&value).map(Item::from),
        System::Any => None,
    }
}

fn boolean(value: &Item<'_>) -> Option<bool> {
    match value {
        Item::Boolean(value) => Some(*value),
        Item::Integer(1) => Some(true),
        Item::Integer(0) => Some(false),
        Item::Decimal(value) if **value == Decimal::ONE => Some(true),
        Item::Decimal(value) if value.is_zero() => Some(false),
        Item::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn integer(value: &Item<'_>) -> Option<i64> {
    match value {
        Item::Integer(value) => Some(*value),
        Item::Boolean(value) => Some(i64::from(*value)),
        Item::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn decimal(value: &Item<'_>) -> Option<Decimal> {
    match value {
        Item::Boolean(true) => Some(Decimal::ONE),
        Item::Boolean(false) => Some(Decimal::ZERO),
        Item::String(text) => text.parse().ok().filter(|_| !text.contains(['e', 'E'])),
        value => compare::decimal(value),
    }
}

/// As it would be written, without the signs of a literal.
pub(super) fn string(value: &Item<'_>) -> Option<String> {
    Some(match value {
        Item::Boolean(value) => value.to_string(),
        Item::Integer(value) => value.to_string(),
        Item::Decimal(value) => value.to_string(),
        Item::String(text) => text.to_string(),
        Item::Temporal(value) => value.to_string(),
        Item::Quantity(quantity) => quantity.to_string(),
        Item::Type(_) | Item::Element(_) => return None,
    })
}

impl std::fmt::Display for Quantity {
    /// As a literal: `4 'mg'`, `1 week`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.unit {
            QuantityUnit::Calendar(unit) => {
                let plural = if self.value == Decimal::ONE { "" } else { "s" };
                write!(f, "{} {}{plural}", self.value, unit.name())
            }
            QuantityUnit::Ucum(code) | QuantityUnit::Other(code) => write!(f, "{} '{code}'", self.value),
        }
    }
}

impl CalendarUnit {
    /// `week`
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::Millisecond => "millisecond",
        }
    }
}

fn date(value: &Item<'_>) -> Option<Temporal> {
    match value {
        Item::Temporal(value) if value.kind() != TemporalKind::Time => Some(value.date()),
        Item::String(text) => Temporal::read_date_time(text).map(Temporal::date),
        _ => None,
    }
}

fn date_time(value: &Item<'_>) -> Option<Temporal> {
    match value {
        Item::Temporal(value) if value.kind() != TemporalKind::Time => Some(value.as_date_time()),
        Item::String(text) => Temporal::read_date_time(text),
        _ => None,
    }
}

fn time(value: &Item<'_>) -> Option<Temporal> {
    match value {
        Item::Temporal(value) if value.kind() == TemporalKind::Time => Some(*value),
        Item::String(text) => Temporal::read_time(text.strip_prefix('T').unwrap_or(text)),
        _ => None,
    }
}

fn quantity(value: &Item<'_>) -> Option<Quantity> {
    match value {
        Item::Quantity(quantity) => Some((**quantity).clone()),
        Item::String(text) => read_quantity(text),
        value => Some(Quantity { value: decimal(value)?, unit: QuantityUnit::Ucum("1".into()) }),
    }
}

/// `4`, `4 days`, `4 'mg'`.
fn read_quantity(text: &str) -> Option<Quantity> {
    let (number, unit) = match text.split_once(char::is_whitespace) {
        None => (text, None),
        Some((number, unit)) => (number, Some(unit.trim())),
    };
    let value: Decimal = number.parse().ok().filter(|_| !number.contains(['e', 'E']))?;
    let unit = match unit {
        None => QuantityUnit::Ucum("1".into()),
        Some(unit) => match unit.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(code) => QuantityUnit::of_code(code),
            None => QuantityUnit::Calendar(CalendarUnit::named(unit)?),
        },
    };
    Some(Quantity { value, unit })
}

/// A quantity in that unit; none when it cannot be.
pub(super) fn in_unit(quantity: &Quantity, unit: &str) -> Option<Quantity> {
    let wanted = match CalendarUnit::named(unit) {
        Some(calendar) => QuantityUnit::Calendar(calendar),
        None => QuantityUnit::of_code(unit),
    };
    if quantity.unit == wanted {
        return Some(quantity.clone());
    }
    let value = ucum::convert(quantity.value, &quantity.unit.ucum()?, &wanted.ucum()?)?;
    Some(Quantity { value, unit: wanted })
}
