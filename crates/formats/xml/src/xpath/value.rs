//! Items and what XPath does to them: values of nodes, numbers as text, comparisons with the casts that they bring.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::ast::{Comparison, Type};
use super::moment::Moment;
use super::{Code, XPathError};
use crate::arena::{Kind, NodeRef};

/// One item of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<'a> {
    /// A node or an attribute.
    Node(NodeRef<'a>),
    /// `xs:string` (and `xs:anyURI`, which compares the same).
    String(Cow<'a, str>),
    /// `xs:untypedAtomic`: the value of a node that no schema has typed.
    Untyped(Cow<'a, str>),
    /// `xs:boolean`.
    Boolean(bool),
    /// `xs:integer`.
    Integer(i64),
    /// `xs:decimal`, held as a double: 15 significant digits.
    Decimal(f64),
    /// `xs:double`.
    Double(f64),
    /// `xs:QName`.
    QName {
        /// Namespace, empty for none.
        namespace: Cow<'a, str>,
        /// Local name.
        local: Cow<'a, str>,
    },
    /// `xs:dateTime` or `xs:date`.
    Moment(Moment),
}

/// A sequence of items.
pub type Sequence<'a> = Vec<Item<'a>>;

impl<'a> Item<'a> {
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::String(text.into())
    }

    pub(crate) fn integer(count: usize) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// The typed value: a node's is untyped, a comment's and an instruction's is a string.
    pub(crate) fn atomize(self) -> Self {
        match self {
            Self::Node(node) => match node.kind() {
                Some(Kind::Comment | Kind::Instruction) => Self::String(node.string()),
                _ => Self::Untyped(node.string()),
            },
            value => value,
        }
    }

    /// The value as a string (`fn:string`).
    pub(crate) fn into_string(self) -> Cow<'a, str> {
        match self {
            Self::Node(node) => node.string(),
            Self::String(text) | Self::Untyped(text) => text,
            Self::Boolean(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Self::Integer(value) => Cow::Owned(value.to_string()),
            Self::Decimal(value) => Cow::Owned(decimal_text(value)),
            Self::Double(value) => Cow::Owned(double_text(value)),
            Self::QName { local, .. } => local,
            Self::Moment(moment) => Cow::Owned(moment.to_string()),
        }
    }

    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self, Self::Integer(_) | Self::Decimal(_) | Self::Double(_))
    }

    /// The number of a numeric value.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "XPath promotes integers to doubles")]
            Self::Integer(value) => Some(*value as f64),
            Self::Decimal(value) | Self::Double(value) => Some(*value),
            _ => None,
        }
    }

    /// `fn:number`: NaN for what is no number.
    pub(crate) fn to_number(&self) -> f64 {
        match self {
            Self::Node(node) => parse_double(&node.string()).unwrap_or(f64::NAN),
            Self::String(text) | Self::Untyped(text) => parse_double(text).unwrap_or(f64::NAN),
            Self::Boolean(value) => f64::from(u8::from(*value)),
            other => other.as_number().unwrap_or(f64::NAN),
        }
    }

    /// `cast as`; the error when the value has no such form.
    pub(crate) fn cast(self, to: Type) -> Result<Self, XPathError> {
        let value = self.atomize();
        let refused = || XPathError::new(Code::BadValue, "the value cannot be cast to this type");
        match (to, &value) {
            (Type::String | Type::AnyUri, _) => return Ok(Self::String(value.into_string())),
            (Type::Untyped, _) => return Ok(Self::Untyped(value.into_string())),
            (Type::Double, _) if value.is_numeric() => return value.as_number().map(Self::Double).ok_or_else(refused),
            (Type::Decimal, _) if value.is_numeric() => {
                return value.as_number().filter(|n| n.is_finite()).map(Self::Decimal).ok_or_else(refused);
            }
            (Type::Integer, Self::Integer(_)) => return Ok(value),
            (Type::Integer, Self::Decimal(n) | Self::Double(n)) => return whole(n.trunc()).ok_or_else(refused),
            (Type::Boolean, _) if value.is_numeric() => {
                return Ok(Self::Boolean(value.as_number().is_some_and(|n| n != 0.0 && !n.is_nan())));
            }
            (Type::Boolean, Self::Boolean(_)) => return Ok(value),
            (Type::Double, Self::Boolean(flag)) => return Ok(Self::Double(f64::from(u8::from(*flag)))),
            (Type::Decimal, Self::Boolean(flag)) => return Ok(Self::Decimal(f64::from(u8::from(*flag)))),
            (Type::Integer, Self::Boolean(flag)) => return Ok(Self::Integer(i64::from(*flag))),
            (Type::DateTime | Type::Date, Self::Moment(moment)) => {
                return moment.cast(to == Type::DateTime).map(Self::Moment).ok_or_else(refused);
            }
            (_, Self::String(_) | Self::Untyped(_)) => {}
            _ => return Err(XPathError::new(Code::Type, "no cast between these types")),
        }
        let text = value.into_string();
        let trimmed = trim(&text);
        match to {
            Type::Integer => parse_integer(trimmed).map(Self::Integer),
            Type::Decimal => parse_decimal(trimmed).map(Self::Decimal),
            Type::Double => parse_double(trimmed).map(Self::Double),
            Type::Boolean => match trimmed {
                "true" | "1" => Some(Self::Boolean(true)),
                "false" | "0" => Some(Self::Boolean(false)),
                _ => None,
            },
            Type::DateTime => Moment::date_time(trimmed).map(Self::Moment),
            Type::Date => Moment::date(trimmed).map(Self::Moment),
            Type::Language => is_language(trimmed).then(|| Self::String(trimmed.to_owned().into())),
            Type::NcName => is_ncname(trimmed).then(|| Self::String(trimmed.to_owned().into())),
            Type::String | Type::AnyUri | Type::Untyped => Some(Self::String(text)),
        }
        .ok_or_else(refused)
    }
}

fn whole(value: f64) -> Option<Item<'static>> {
    #[expect(clippy::cast_possible_truncation, reason = "checked against the range just before")]
    (value.abs() < 9.0e18).then_some(Item::Integer(value as i64))
}

/// Without white space of XML at both ends; U+00A0 is none.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

fn parse_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Beyond 64 bits it stays an integer of XPath, which has no limit; the nearest of ours orders it the same way.
    Some(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
}

fn parse_decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = whole.bytes().chain(part.bytes());
    if whole.len() + part.len() == 0 || !all.clone().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn parse_double(text: &str) -> Option<f64> {
    let text = trim(text);
    match text {
        "INF" => return Some(f64::INFINITY),
        "-INF" => return Some(f64::NEG_INFINITY),
        "NaN" => return Some(f64::NAN),
        _ => {}
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    parse_decimal(mantissa)?;
    if let Some(exponent) = exponent {
        parse_integer(exponent)?;
    }
    text.parse().ok()
}

fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let sized = |part: &str| (1..=8).contains(&part.len());
    sized(first)
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| sized(part) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn is_ncname(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c.is_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '\u{B7}'))
}

/// XPath's form of a decimal: no exponent, no `.0`.
fn decimal_text(value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value}") }
}

/// XPath's form of a double: as a decimal from 0.000001 to a million, with an exponent elsewhere.
fn double_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "INF" } else { "-INF" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    if (1e-6..1e6).contains(&value.abs()) {
        return format!("{value}");
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => text,
    }
}

impl Comparison {
    fn holds(self, order: Option<Ordering>) -> bool {
        match (self, order) {
            (Self::NotEqual, None) => true,
            (_, None) => false,
            (Self::Equal, Some(order)) => order.is_eq(),
            (Self::NotEqual, Some(order)) => order.is_ne(),
            (Self::Less, Some(order)) => order.is_lt(),
            (Self::LessOrEqual, Some(order)) => order.is_le(),
            (Self::Greater, Some(order)) => order.is_gt(),
            (Self::GreaterOrEqual, Some(order)) => order.is_ge(),
        }
    }

    /// `a < b` as `b > a`.
    pub(crate) fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

/// A pair of a general comparison: an untyped value takes the type of the other (XPath 2.0 §3.5.2).
pub(crate) fn compare_general(how: Comparison, left: &Item<'_>, right: &Item<'_>) -> Result<bool, XPathError> {
    match (left, right) {
        (Item::Untyped(text), other) if other.is_numeric() => {
            compare_values(how, &Item::Double(double_or_error(text)?), other)
        }
        (other, Item::Untyped(text)) if other.is_numeric() => {
            compare_values(how, other, &Item::Double(double_or_error(text)?))
        }
        (Item::Untyped(_), Item::Boolean(_)) => compare_values(how, &left.clone().cast(Type::Boolean)?, right),
        (Item::Boolean(_), Item::Untyped(_)) => compare_values(how, left, &right.clone().cast(Type::Boolean)?),
        (Item::Untyped(text), Item::Moment(moment)) => compare_values(how, &moment.like(text)?, right),
        (Item::Moment(moment), Item::Untyped(text)) => compare_values(how, left, &moment.like(text)?),
        _ => compare_values(how, left, right),
    }
}

fn double_or_error(text: &str) -> Result<f64, XPathError> {
    parse_double(text).ok_or_else(|| XPathError::new(Code::BadValue, "a value compared with a number is none"))
}

/// Two values of types that can be compared; untyped ones count as strings.
pub(crate) fn compare_values(how: Comparison, left: &Item<'_>, right: &Item<'_>) -> Result<bool, XPathError> {
    use Item::{Boolean, Moment, QName, String, Untyped};
    match (left, right) {
        (String(a) | Untyped(a), String(b) | Untyped(b)) => Ok(how.holds(Some(a.cmp(b)))),
        (Item::Integer(a), Item::Integer(b)) => Ok(how.holds(Some(a.cmp(b)))),
        (Boolean(a), Boolean(b)) => Ok(how.holds(Some(a.cmp(b)))),
        (Moment(a), Moment(b)) => match a.compare(b) {
            Some(order) => Ok(how.holds(Some(order))),
            None => Err(XPathError::new(Code::Type, "a date is compared with a date and time")),
        },
        (QName { namespace, local }, QName { namespace: other, local: name }) => match how {
            Comparison::Equal => Ok(namespace == other && local == name),
            Comparison::NotEqual => Ok(namespace != other || local != name),
            _ => Err(XPathError::new(Code::Type, "names have no order")),
        },
        _ => match (left.as_number(), right.as_number()) {
            (Some(a), Some(b)) => Ok(how.holds(a.partial_cmp(&b))),
            _ => Err(XPathError::new(Code::Type, "values of these types cannot be compared")),
        },
    }
}
