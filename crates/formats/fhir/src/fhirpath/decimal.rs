//! Decimals as FHIR means them: exact, with the number of digits that was written.
//!
//! `1.0` and `1.00` are equal and stay different texts (FHIR R4 §2.24.0.1). A value is an integer of at
//! most 38 digits over a power of ten; what does not fit is an absent value, never a rounded one, except
//! where a rule asks to round (division, roots, logarithms: [`Decimal::DIGITS`] digits after the point).
//!
//! Order: reading and writing, comparing, arithmetic, rounding, then roots, powers and logarithms.
//! No binary floating point anywhere.

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

/// Roots, powers and logarithms.
impl Decimal {
    /// The square root; none below zero.
    #[must_use]
    pub fn square_root(self) -> Option<Self> {
        if self.is_negative() {
            return None;
        }
        let value = self.trimmed();
        let mut scale = value.scale + (value.scale & 1);
        let mut radicand = value.with_scale(scale)?.mantissa.unsigned_abs();
        while let (Some(wider), true) = (radicand.checked_mul(100), scale < 2 * Self::DIGITS) {
            radicand = wider;
            scale += 2;
        }
        Some(Self { mantissa: i128::try_from(radicand.isqrt()).ok()?, scale: scale / 2 }.trimmed())
    }

    /// This to that power; none when no real number is, or it does not fit.
    #[must_use]
    pub fn power(self, exponent: Self) -> Option<Self> {
        if let Some(whole) = exponent.to_i64() {
            return self.whole_power(whole);
        }
        if exponent.trimmed() == (Self { mantissa: 5, scale: 1 }) {
            return self.square_root();
        }
        if self.is_zero() {
            return (!exponent.is_negative()).then_some(Self::ZERO);
        }
        Fixed::of(self)?.ln()?.times(Fixed::of(exponent)?)?.exp()?.decimal()
    }

    /// e to this power; none when it does not fit.
    #[must_use]
    pub fn exponential(self) -> Option<Self> {
        Fixed::of(self)?.exp()?.decimal()
    }

    /// The natural logarithm; none for zero and below.
    #[must_use]
    pub fn natural_logarithm(self) -> Option<Self> {
        Fixed::of(self)?.ln()?.decimal()
    }

    /// The logarithm to that base; none when no real number is.
    #[must_use]
    pub fn logarithm(self, base: Self) -> Option<Self> {
        let divisor = Fixed::of(base)?.ln()?;
        Fixed::of(self)?.ln()?.over(divisor)?.decimal()
    }

    fn whole_power(self, exponent: i64) -> Option<Self> {
        let mut result = Self::ONE;
        let mut square = self;
        let mut left = exponent.unsigned_abs();
        while left > 0 {
            if left & 1 == 1 {
                result = result.times(square)?;
            }
            left >>= 1;
            if left > 0 {
                square = square.times(square)?;
            }
        }
        if exponent < 0 { Self::ONE.over(result) } else { Some(result) }
    }
}

/// A number with 18 digits after the point, for series.
#[derive(Clone, Copy)]
struct Fixed(i128);

impl Fixed {
    const ONE: i128 = 1_000_000_000_000_000_000;
    const E: Self = Self(2_718_281_828_459_045_235);
    const LN_2: Self = Self(693_147_180_559_945_309);
    /// Digits that are sure after the roundings of a series.
    const SURE: u8 = 14;

    fn of(value: Decimal) -> Option<Self> {
        let value = value.rounded(18).with_scale(18)?;
        Some(Self(value.mantissa))
    }

    fn decimal(self) -> Option<Decimal> {
        Some(Decimal::new(self.0, 18)?.rounded(Self::SURE).trimmed())
    }

    fn times(self, other: Self) -> Option<Self> {
        let (whole, part) = (other.0 / Self::ONE, other.0 % Self::ONE);
        let high = self.0.checked_mul(whole)?;
        let (self_whole, self_part) = (self.0 / Self::ONE, self.0 % Self::ONE);
        let low = self_whole.checked_mul(part)?.checked_add(self_part.checked_mul(part)? / Self::ONE)?;
        Some(Self(high.checked_add(low)?))
    }

    fn over(self, divisor: Self) -> Option<Self> {
        let (whole, rest) = (self.0.checked_div(divisor.0)?, self.0.checked_rem(divisor.0)?);
        Some(Self(whole.checked_mul(Self::ONE)?.checked_add(rest.checked_mul(Self::ONE)? / divisor.0)?))
    }

    /// e^n by multiplication, e^fraction by its Taylor series.
    fn exp(self) -> Option<Self> {
        let (whole, part) = (self.0 / Self::ONE, Self(self.0 % Self::ONE));
        if whole.unsigned_abs() > 50 {
            return (whole < 0).then_some(Self(0));
        }
        let mut power = Self(Self::ONE);
        for _ in 0..whole.unsigned_abs() {
            power = power.times(Self::E)?;
        }
        if whole < 0 {
            power = Self(Self::ONE).over(power)?;
        }
        let (mut sum, mut term) = (Self::ONE, Self(Self::ONE));
        for step in 1..40 {
            term = Self(term.times(part)?.0 / step);
            if term.0 == 0 {
                break;
            }
            sum += term.0;
        }
        power.times(Self(sum))
    }

    /// ln(m · 2^k) = k · ln 2 + 2 · artanh((m - 1) / (m + 1)), with m near 1.
    fn ln(self) -> Option<Self> {
        if self.0 <= 0 {
            return None;
        }
        let (mut value, mut halvings) = (self.0, 0_i128);
        while value >= Self::ONE * 3 / 2 {
            value /= 2;
            halvings += 1;
        }
        while value < Self::ONE * 3 / 4 {
            value *= 2;
            halvings -= 1;
        }
        let ratio = Self(value - Self::ONE).over(Self(value + Self::ONE))?;
        let square = ratio.times(ratio)?;
        let (mut sum, mut power) = (0, ratio);
        for odd in (1..80).step_by(2) {
            sum += power.0 / odd;
            power = power.times(square)?;
            if power.0 == 0 {
                break;
            }
        }
        Some(Self(halvings.checked_mul(Self::LN_2.0)?.checked_add(sum * 2)?))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn reads_and_writes_what_was_written() {
        for text in ["0", "1", "-1.50", "0.00000001", "1234567890987654321.0", "-0.5"] {
            assert_eq!(of(text).to_string(), text);
        }
        assert_eq!(of("1.5e3").to_string(), "1500");
        assert_eq!(of("15E-3").to_string(), "0.015");
        for text in ["", "-", ".5", "1.", "1.a", "1e", "0x1", "1e99", "1e-99", &"9".repeat(40)] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn computes() {
        let cases: [(&str, Option<Decimal>, &str); 22] = [
            ("plus", of("1.2").plus(of("1.8")), "3.0"),
            ("minus", of("1.8").minus(of("1.2")), "0.6"),
            ("times", of("1.2").times(of("1.8")), "2.16"),
            ("over", of("1").over(of("2")), "0.5"),
            ("over, rounded", of("2").over(of("3")), "0.6666666666666667"),
            ("over, negative", of("-1").over(of("3")), "-0.3333333333333333"),
            ("whole quotient", of("-5.5").whole_quotient(of("2")), "-2"),
            ("remainder", of("-5.5").remainder(of("2")), "-1.5"),
            ("rounded", Some(of("3.14159").rounded(3)), "3.142"),
            ("rounded, negative half", Some(of("-2.5").rounded(0)), "-3"),
            ("floor", Some(of("-2.1").floor()), "-3"),
            ("ceiling", Some(of("-1.1").ceiling()), "-1"),
            ("root", of("81").square_root(), "9"),
            ("root of a fraction", of("0.25").square_root(), "0.5"),
            ("power", of("2.5").power(of("2")), "6.25"),
            ("negative power", of("2").power(of("-2")), "0.25"),
            ("power that is no whole number", of("8").power(of("1").over(of("3")).unwrap()), "2"),
            ("exponential", of("1").exponential(), "2.71828182845905"),
            ("exponential, negative", of("-1").exponential(), "0.36787944117144"),
            ("logarithm", of("10").natural_logarithm(), "2.30258509299405"),
            ("logarithm to a base", of("16").logarithm(of("2")), "4"),
            ("logarithm to base ten", of("100.0").logarithm(of("10.0")), "2"),
        ];
        for (name, value, text) in cases {
            assert_eq!(value.unwrap().to_string(), text, "{name}");
        }
    }

    #[test]
    fn has_no_value_where_there_is_none() {
        assert!(of("1").over(of("0")).is_none());
        assert!(of("-1").square_root().is_none());
        assert!(of("-1").power(of("0.5")).is_none());
        assert!(of("0").natural_logarithm().is_none());
        assert!(of("1000").exponential().is_none());
        assert!(of("16").logarithm(of("1")).is_none());
        let huge = of(&"9".repeat(38));
        assert!(huge.plus(huge).is_none() && huge.times(huge).is_none());
        assert!(of("0.0000000000000000000000000000000001") < huge);
    }

    proptest! {
        /// Text, value, text again.
        #[test]
        fn survives_its_own_text(mantissa in any::<i64>(), scale in 0_u8..18) {
            let value = Decimal::new(i128::from(mantissa), scale).unwrap();
            let again = of(&value.to_string());
            prop_assert_eq!((again.mantissa(), again.scale()), (value.mantissa(), value.scale()));
        }

        /// What was divided comes back, but for the last digits.
        #[test]
        fn a_quotient_times_its_divisor_is_what_was_divided(left in -1_000_000_i64..1_000_000, right in 1_i64..10_000) {
            let (left, right) = (Decimal::from(left), Decimal::from(right));
            let back = left.over(right).unwrap().times(right).unwrap();
            prop_assert_eq!(back.rounded(8), left);
        }

        /// Foreign text is never a panic.
        #[test]
        fn reads_anything(text in "[-+0-9.eE]{0,45}") {
            if let Ok(value) = text.parse::<Decimal>() {
                prop_assert_eq!(of(&value.to_string()), value);
                let _ = (value.square_root(), value.exponential(), value.natural_logarithm(), value.times(value));
                let _ = (value.over(of("7")), value.power(of("1.5")), value.rounded(2), value.floor(), value.cmp(&Decimal::ONE));
            }
        }
    }
}
