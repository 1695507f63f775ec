//! Units of measure (UCUM 2.0.1): read a code, compare and convert quantities exactly.
//!
//! [`Unit::parse`] reads a case sensitive code (`mg/dL`, `[in_i]`, `10*3/uL`) into its canonical form: an exact
//! factor over the seven base units. [`Unit::is_comparable`] says whether two measure the same; [`compare`] and
//! [`convert`] work on values with them.
//!
//! ```
//! use socle_fhir::ucum::{Unit, convert};
//!
//! let (inch, centimetre) = (Unit::parse("[in_i]")?, Unit::parse("cm")?);
//! assert_eq!(convert("2".parse()?, &inch, &centimetre).map(|value| value.to_string()).as_deref(), Some("5.08"));
//! assert_eq!(Unit::parse("mmol/L")?.canonical(), "m-3");
//! assert!(!Unit::parse("[iU]/L")?.is_comparable(&Unit::parse("g/L")?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The temperatures `Cel`, `[degF]` and `[degRe]` convert to kelvin. The other special units (logarithmic
//! scales, pH, diopters, slopes) compare with themselves only, and so do arbitrary units (UCUM §24): nothing
//! says what they are worth.
//!
//! Order: units, reading (`parse.rs`), the table (`table.rs`, `units.txt`), factors (`ratio.rs`).

mod parse;
mod ratio;
mod table;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt::Write;

use crate::fhirpath::Decimal;
use ratio::Ratio;

/// The system of UCUM codes.
pub const SYSTEM: &str = "http://unitsofmeasure.org";

/// A unit in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    factor: Ratio,
    /// What is added before the factor: the zero of a temperature.
    offset: Option<Decimal>,
    /// Powers of the base units, in the order of [`BASE`].
    powers: [i32; 7],
    /// Units that nothing defines, with their powers, in the order of the table.
    opaque: Vec<(u16, i32)>,
}

/// Base units: metre, second, gram, radian, kelvin, coulomb, candela.
const BASE: [&str; 7] = ["m", "s", "g", "rad", "K", "C", "cd"];

/// A code that is no unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// Nothing that UCUM knows.
    #[error("`{0}` is no UCUM unit")]
    Unknown(String),
    /// An operator, a bracket or a number is out of place.
    #[error("malformed UCUM code at character {at}")]
    Malformed {
        /// Counted from 1.
        at: usize,
    },
    /// A unit on a scale of its own inside a product.
    #[error("the special unit `{0}` stands alone")]
    Special(String),
    /// More than 200 characters, 20 brackets or 30 as a power.
    #[error("the unit is too long or too deep")]
    TooLong,
}

impl Unit {
    /// The unit of plain numbers.
    #[must_use]
    pub const fn one() -> Self {
        Self { factor: Ratio::ONE, offset: None, powers: [0; 7], opaque: Vec::new() }
    }

    /// Reads a case sensitive code.
    ///
    /// # Errors
    /// [`UnitError`], UCUM 2.0.1 §§4-12.
    pub fn parse(code: &str) -> Result<Self, UnitError> {
        parse::parse(code, &|atom| table::unit(atom))
    }

    /// Quantities in both units can be compared.
    #[must_use]
    pub fn is_comparable(&self, other: &Self) -> bool {
        self.powers == other.powers && self.opaque == other.opaque
    }

    /// The base units that it is made of: `g.m-3`, `1` for none.
    #[must_use]
    pub fn canonical(&self) -> String {
        let base = BASE.iter().copied().zip(self.powers);
        let opaque = self.opaque.iter().map(|(index, power)| (table::code(*index), *power));
        let mut text = String::new();
        for (code, power) in base.chain(opaque).filter(|(_, power)| *power != 0) {
            let dot = if text.is_empty() { "" } else { "." };
            let _ = if power == 1 { write!(text, "{dot}{code}") } else { write!(text, "{dot}{code}{power}") };
        }
        if text.is_empty() { "1".to_owned() } else { text }
    }

    /// The value in base units; none when it does not fit.
    #[must_use]
    pub fn to_canonical(&self, value: Decimal) -> Option<Decimal> {
        self.canonical_ratio(value)?.decimal()
    }

    fn canonical_ratio(&self, value: Decimal) -> Option<Ratio> {
        let value = self.offset.map_or(Some(value), |offset| value.plus(offset))?;
        Ratio::of(value).times(self.factor)
    }

    /// The product of two units; none when a power or the factor does not fit, or one has a zero of its own.
    #[must_use]
    pub fn times(&self, other: &Self) -> Option<Self> {
        self.combined(other, 1)
    }

    /// The quotient of two units, likewise.
    #[must_use]
    pub fn over(&self, other: &Self) -> Option<Self> {
        self.combined(other, -1)
    }

    fn combined(&self, other: &Self, sign: i32) -> Option<Self> {
        if self.offset.is_some() || other.offset.is_some() {
            return None;
        }
        let factor = if sign > 0 { self.factor.times(other.factor) } else { self.factor.over(other.factor) }?;
        let mut result = Self { factor, offset: None, powers: self.powers, opaque: self.opaque.clone() };
        for (power, more) in result.powers.iter_mut().zip(other.powers) {
            *power += more * sign;
        }
        for (index, more) in &other.opaque {
            match result.opaque.binary_search_by_key(index, |(index, _)| *index) {
                Ok(at) => result.opaque[at].1 += more * sign,
                Err(at) => result.opaque.insert(at, (*index, more * sign)),
            }
        }
        result.opaque.retain(|(_, power)| *power != 0);
        result.within_limits()
    }

    /// Itself, unless a power is one that [`Self::parse`] would not read back.
    fn within_limits(self) -> Option<Self> {
        let opaque = self.opaque.iter().map(|(_, power)| *power);
        let is_readable = self.powers.into_iter().chain(opaque).all(|power| power.abs() <= parse::MAX_POWER);
        is_readable.then_some(self)
    }

    fn power(&self, exponent: i32) -> Option<Self> {
        if self.offset.is_some() {
            return None;
        }
        let raised = Self {
            factor: self.factor.power(exponent)?,
            offset: None,
            powers: self.powers.map(|power| power * exponent),
            opaque: self.opaque.iter().map(|(index, power)| (*index, power * exponent)).collect(),
        };
        raised.within_limits()
    }

    /// The factor of this unit is not below that of the other: it is the coarser one.
    #[must_use]
    pub fn is_coarser(&self, other: &Self) -> bool {
        self.factor.compare(other.factor) == Some(Ordering::Greater)
    }
}

/// The value in another unit; none when they are not comparable or it does not fit. A fraction that does not
/// end is rounded to [`Decimal::DIGITS`] digits.
#[must_use]
pub fn convert(value: Decimal, from: &Unit, to: &Unit) -> Option<Decimal> {
    if !from.is_comparable(to) {
        return None;
    }
    let converted = from.canonical_ratio(value)?.over(to.factor)?.decimal()?;
    to.offset.map_or(Some(converted), |offset| converted.minus(offset))
}

/// Which of two quantities is greater, exactly; none when they are not comparable.
#[must_use]
pub fn compare(left: Decimal, left_unit: &Unit, right: Decimal, right_unit: &Unit) -> Option<Ordering> {
    if !left_unit.is_comparable(right_unit) {
        return None;
    }
    left_unit.canonical_ratio(left)?.compare(right_unit.canonical_ratio(right)?)
}
