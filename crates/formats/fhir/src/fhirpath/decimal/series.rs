//! Roots, powers and logarithms.

use super::Decimal;

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
