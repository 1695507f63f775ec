//! Decimals as FHIR means them: exact, with the number of digits that was written.
//!
//! `1.0` and `1.00` are equal and stay different texts (FHIR R4 §2.24.0.1). A value is an integer of at
//! most 38 digits over a power of ten; what does not fit is an absent value, never a rounded one, except
//! where a rule asks to round (division, roots, logarithms: [`Decimal::DIGITS`] digits after the point).
//!
//! Order: reading and writing, comparing, arithmetic, rounding; roots, powers and logarithms are in `series.rs`.
//! No binary floating point anywhere.

mod series;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// An exact decimal: `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    scale: u8,
}

/// Text that is no decimal, or needs more than 38 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal of at most 38 digits")]
pub struct NotADecimal;

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, scale: 0 };
    /// Digits after the point of a quotient, a root or a logarithm that does not end before.
    pub const DIGITS: u8 = 16;
    /// Digits after the point that a value may have.
    pub const MAX_SCALE: u8 = 37;

    /// `mantissa / 10^scale`; none above [`Self::MAX_SCALE`].
    #[must_use]
    pub const fn new(mantissa: i128, scale: u8) -> Option<Self> {
        if scale > Self::MAX_SCALE { None } else { Some(Self { mantissa, scale }) }
    }

    /// The digits without the point.
    #[must_use]
    pub const fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// How many digits are after the point.
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// Zero, of any scale.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// The whole number it is equal to, when it is one that fits.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        let whole = self.trimmed();
        if whole.scale != 0 {
            return None;
        }
        i64::try_from(whole.mantissa).ok()
    }

    /// The same value without the zeros that end its fraction.
    #[must_use]
    pub const fn trimmed(self) -> Self {
        let Self { mut mantissa, mut scale } = self;
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa, scale }
    }

    /// The same value with exactly so many digits after the point; none when digits would be lost or
    /// do not fit.
    #[must_use]
    pub fn with_scale(self, scale: u8) -> Option<Self> {
        if scale >= self.scale {
            let mantissa = self.mantissa.checked_mul(power_of_ten(scale - self.scale)?)?;
            return Self::new(mantissa, scale);
        }
        let step = power_of_ten(self.scale - scale)?;
        (self.mantissa % step == 0).then_some(Self { mantissa: self.mantissa / step, scale })
    }

    /// The sum; none when it does not fit.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self { mantissa: left.checked_add(right)?, scale })
    }

    /// The difference; none when it does not fit.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated()?)
    }

    /// The opposite; none for the one value that has none.
    #[must_use]
    pub fn negated(self) -> Option<Self> {
        Some(Self { mantissa: self.mantissa.checked_neg()?, scale: self.scale })
    }

    /// Without its sign; none for the one value that has no opposite.
    #[must_use]
    pub fn absolute(self) -> Option<Self> {
        if self.is_negative() { self.negated() } else { Some(self) }
    }

    /// The product; its fraction loses its last digits when it cannot keep all of them. None when it does not fit.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let exact = self.mantissa.checked_mul(other.mantissa);
        if let (Some(mantissa), true) = (exact, self.scale + other.scale <= Self::MAX_SCALE) {
            return Some(Self { mantissa, scale: self.scale + other.scale });
        }
        let (left, right) = (self.trimmed(), other.trimmed());
        if let (Some(mantissa), true) =
            (left.mantissa.checked_mul(right.mantissa), left.scale + right.scale <= Self::MAX_SCALE)
        {
            return Some(Self { mantissa, scale: left.scale + right.scale });
        }
        let (left, right) = (left.shortened(18), right.shortened(18));
        let product = Self { mantissa: left.mantissa.checked_mul(right.mantissa)?, scale: left.scale + right.scale };
        Some(product)
    }

    /// The quotient, with at most [`Self::DIGITS`] digits after the point unless the operands have more;
    /// none for a divisor of zero, or when it does not fit.
    #[must_use]
    pub fn over(self, divisor: Self) -> Option<Self> {
        if divisor.is_zero() {
            return None;
        }
        let (left, right, _) = self.aligned(divisor)?;
        let digits = Self::DIGITS.max(self.scale).min(Self::MAX_SCALE);
        let (mut quotient, mut rest, mut scale) = (left.checked_div(right)?, left % right, 0);
        let is_negative = (left < 0) != (right < 0);
        while rest != 0 && scale < digits {
            let (Some(more), Some(wider)) = (rest.checked_mul(10), quotient.checked_mul(10)) else { break };
            let digit = (more / right).abs();
            quotient = if is_negative { wider.checked_sub(digit)? } else { wider.checked_add(digit)? };
            rest = more % right;
            scale += 1;
        }
        let half = rest.checked_mul(2).is_none_or(|twice| twice.abs() >= right.abs());
        if rest != 0 && half {
            quotient = if is_negative { quotient.checked_sub(1)? } else { quotient.checked_add(1)? };
        }
        Some(Self { mantissa: quotient, scale })
    }

    /// The quotient without its fraction; none for a divisor of zero.
    #[must_use]
    pub fn whole_quotient(self, divisor: Self) -> Option<Self> {
        let (left, right, _) = self.aligned(divisor)?;
        Some(Self { mantissa: left.checked_div(right)?, scale: 0 })
    }

    /// What is left of a division by a whole quotient; none for a divisor of zero.
    #[must_use]
    pub fn remainder(self, divisor: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(divisor)?;
        Some(Self { mantissa: left.checked_rem(right)?, scale })
    }

    /// Without its fraction, toward zero.
    #[must_use]
    pub fn truncated(self) -> Self {
        self.with_truncated_scale(0)
    }

    /// The greatest whole number that is not above.
    #[must_use]
    pub fn floor(self) -> Self {
        self.floor_at(0)
    }

    /// The smallest whole number that is not below.
    #[must_use]
    pub fn ceiling(self) -> Self {
        self.ceiling_at(0)
    }

    /// The greatest value with so many digits after the point that is not above.
    #[must_use]
    pub fn floor_at(self, scale: u8) -> Self {
        if scale >= self.scale {
            return self;
        }
        let down = self.with_truncated_scale(scale);
        if self.is_negative() && down != self { Self { mantissa: down.mantissa - 1, scale } } else { down }
    }

    /// The smallest value with so many digits after the point that is not below.
    #[must_use]
    pub fn ceiling_at(self, scale: u8) -> Self {
        if scale >= self.scale {
            return self;
        }
        let down = self.with_truncated_scale(scale);
        if !self.is_negative() && down != self { Self { mantissa: down.mantissa + 1, scale } } else { down }
    }

    /// The nearest value with at most so many digits after the point, halves away from zero.
    #[must_use]
    pub fn rounded(self, scale: u8) -> Self {
        if scale >= self.scale {
            return self;
        }
        let Some(step) = power_of_ten(self.scale - scale) else { return Self { mantissa: 0, scale } };
        let (whole, rest) = (self.mantissa / step, self.mantissa % step);
        let is_up = rest.unsigned_abs() >= step.unsigned_abs().div_ceil(2);
        let mantissa = if is_up { whole + self.mantissa.signum() } else { whole };
        Self { mantissa, scale }
    }

    /// Half a unit of the last digit that was written.
    #[must_use]
    pub fn half_of_last_digit(self) -> Option<Self> {
        Self::new(5, self.scale + 1)
    }

    /// Without the digits after that place, toward zero.
    #[must_use]
    pub fn with_truncated_scale(self, scale: u8) -> Self {
        if scale >= self.scale {
            return self;
        }
        let mantissa = power_of_ten(self.scale - scale).map_or(0, |step| self.mantissa / step);
        Self { mantissa, scale }
    }

    /// At most so many digits, by rounding its fraction.
    fn shortened(self, digits: u32) -> Self {
        let mut value = self;
        while value.scale > 0 && value.mantissa.unsigned_abs().checked_ilog10().is_some_and(|log| log >= digits) {
            value = value.rounded(value.scale - 1);
        }
        value
    }

    /// Both mantissas at the larger of both scales.
    fn aligned(self, other: Self) -> Option<(i128, i128, u8)> {
        let scale = self.scale.max(other.scale);
        let left = self.mantissa.checked_mul(power_of_ten(scale - self.scale)?)?;
        let right = other.mantissa.checked_mul(power_of_ten(scale - other.scale)?)?;
        Some((left, right, scale))
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self { mantissa: i128::from(value), scale: 0 }
    }
}

impl FromStr for Decimal {
    type Err = NotADecimal;

    /// `-12.50`, `1e3`: sign, digits, fraction, exponent.
    fn from_str(text: &str) -> Result<Self, NotADecimal> {
        read(text.as_bytes()).ok_or(NotADecimal)
    }
}

fn read(text: &[u8]) -> Option<Decimal> {
    let (is_negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mut mantissa, mut scale, mut seen, mut after_point) = (0_i128, 0_i32, 0, false);
    loop {
        match rest {
            [digit @ b'0'..=b'9', more @ ..] => {
                mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
                scale += i32::from(after_point);
                seen += 1;
                rest = more;
            }
            [b'.', more @ ..] if !after_point && seen > 0 && more.first().is_some_and(u8::is_ascii_digit) => {
                after_point = true;
                rest = more;
            }
            _ => break,
        }
    }
    if seen == 0 {
        return None;
    }
    let exponent = match rest {
        [] => 0,
        [b'e' | b'E', digits @ ..] => std::str::from_utf8(digits).ok()?.parse::<i32>().ok()?,
        _ => return None,
    };
    scale = scale.checked_sub(exponent)?;
    if scale < 0 {
        mantissa = mantissa.checked_mul(power_of_ten(u8::try_from(scale.unsigned_abs()).ok()?)?)?;
        scale = 0;
    }
    Decimal::new(if is_negative { -mantissa } else { mantissa }, u8::try_from(scale).ok()?)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0width$}", self.mantissa.unsigned_abs(), width = usize::from(self.scale) + 1);
        let (whole, part) = digits.split_at(digits.len() - usize::from(self.scale));
        let sign = if self.is_negative() { "-" } else { "" };
        if part.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{part}") }
    }
}

impl PartialEq for Decimal {
    /// By value: `1.0` is `1.00`.
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.aligned(*other) {
            Some((left, right, _)) => left.cmp(&right),
            None => self.compare_parts(*other),
        }
    }
}

impl Decimal {
    /// Whole parts, then what is after the point, digit by digit: for values too far apart to align.
    fn compare_parts(self, other: Self) -> Ordering {
        let (left, right) = (self.truncated(), other.truncated());
        let wholes = left.mantissa.cmp(&right.mantissa);
        if wholes != Ordering::Equal {
            return wholes;
        }
        let fraction = |value: Self| power_of_ten(value.scale).map_or(value.mantissa, |step| value.mantissa % step);
        let scale = self.scale.max(other.scale);
        let widened = |value: Self| {
            let step = power_of_ten(scale - value.scale).unwrap_or(i128::MAX);
            fraction(value).saturating_mul(step)
        };
        widened(self).cmp(&widened(other))
    }
}

/// None above 10^38, which 128 bits do not hold.
const fn power_of_ten(exponent: u8) -> Option<i128> {
    10_i128.checked_pow(exponent as u32)
}
