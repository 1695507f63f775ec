//! Exact factors between units: a fraction times a power of ten.

use std::cmp::Ordering;

use crate::fhirpath::Decimal;

/// `numerator / denominator · 10^exponent`, reduced; the denominator is above zero.
///
/// Exact as long as both parts fit 128 bits; beyond that the last of at least 18 digits is lost, which only
/// units defined by measured constants reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ratio {
    numerator: i128,
    denominator: i128,
    exponent: i32,
}

impl Ratio {
    pub(super) const ONE: Self = Self { numerator: 1, denominator: 1, exponent: 0 };

    pub(super) fn of(value: Decimal) -> Self {
        Self { numerator: value.mantissa(), denominator: 1, exponent: -i32::from(value.scale()) }.reduced()
    }

    /// A number as the table writes it: `6.0221367`, `254e-2`; digits after the 36th are left out.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i32 = exponent.parse().ok()?;
        let kept = digits.get(..37).unwrap_or(digits);
        let value = Self::of(kept.parse().ok()?);
        Some(Self { exponent: value.exponent.checked_add(exponent)?, ..value })
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        let (left, right) = (self.cross_reduced(other), other.cross_reduced(self));
        let exponent = self.exponent.checked_add(other.exponent)?;
        let (numerator, up) = product(left.numerator, right.numerator)?;
        let (denominator, down) = product(left.denominator, right.denominator)?;
        Some(Self { numerator, denominator, exponent: exponent.checked_add(up)?.checked_sub(down)? }.reduced())
    }

    pub(super) fn over(self, divisor: Self) -> Option<Self> {
        self.times(divisor.inverted()?)
    }

    pub(super) fn power(self, exponent: i32) -> Option<Self> {
        let base = if exponent < 0 { self.inverted()? } else { self };
        (0..exponent.unsigned_abs()).try_fold(Self::ONE, |result, _| result.times(base))
    }

    /// The value, rounded to [`Decimal::DIGITS`] digits when its fraction does not end.
    pub(super) fn decimal(self) -> Option<Decimal> {
        let numerator = Decimal::new(self.numerator, 0)?;
        let power = 10_i128.checked_pow(self.exponent.unsigned_abs())?;
        let power = Decimal::new(power, 0)?;
        let denominator = Decimal::new(self.denominator, 0)?;
        if self.exponent >= 0 {
            return numerator.times(power)?.over(denominator);
        }
        if self.denominator == 1 {
            return Decimal::new(self.numerator, u8::try_from(self.exponent.unsigned_abs()).ok()?);
        }
        numerator.over(denominator.times(power)?)
    }

    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        let signs = self.numerator.signum().cmp(&other.numerator.signum());
        if signs != Ordering::Equal || self.numerator == 0 {
            return Some(signs);
        }
        let ratio = self.over(other)?;
        let order = ratio.compare_to_one();
        Some(if self.numerator < 0 { order.reverse() } else { order })
    }

    fn compare_to_one(self) -> Ordering {
        let (mut left, mut right) = (self.numerator, self.denominator);
        for _ in 0..self.exponent.unsigned_abs() {
            let side = if self.exponent > 0 { &mut left } else { &mut right };
            match side.checked_mul(10) {
                Some(more) => *side = more,
                None if self.exponent > 0 => return Ordering::Greater,
                None => return Ordering::Less,
            }
        }
        left.cmp(&right)
    }

    fn inverted(self) -> Option<Self> {
        if self.numerator == 0 {
            return None;
        }
        let sign = self.numerator.signum();
        Some(Self {
            numerator: self.denominator * sign,
            denominator: self.numerator.checked_abs()?,
            exponent: self.exponent.checked_neg()?,
        })
    }

    /// Without what its numerator shares with the other's denominator, and its denominator with the other's numerator.
    fn cross_reduced(self, other: Self) -> Self {
        let above = gcd(self.numerator, other.denominator);
        let below = gcd(self.denominator, other.numerator);
        Self { numerator: self.numerator / above, denominator: self.denominator / below, ..self }
    }

    fn reduced(self) -> Self {
        if self.numerator == 0 {
            return Self { numerator: 0, denominator: 1, exponent: 0 };
        }
        let common = gcd(self.numerator, self.denominator);
        let Self { mut numerator, mut denominator, mut exponent } =
            Self { numerator: self.numerator / common, denominator: self.denominator / common, ..self };
        while numerator % 10 == 0 {
            numerator /= 10;
            exponent = exponent.saturating_add(1);
        }
        while denominator % 10 == 0 {
            denominator /= 10;
            exponent = exponent.saturating_sub(1);
        }
        Self { numerator, denominator, exponent }
    }
}

/// The product and the power of ten that was taken out of it to make it fit.
fn product(left: i128, right: i128) -> Option<(i128, i32)> {
    let (mut left, mut right, mut exponent) = (left, right, 0);
    loop {
        if let Some(result) = left.checked_mul(right) {
            return Some((result, exponent));
        }
        if left.unsigned_abs() > right.unsigned_abs() {
            left /= 10;
        } else {
            right /= 10;
        }
        exponent += 1;
    }
}

fn gcd(left: i128, right: i128) -> i128 {
    let (mut left, mut right) = (left.unsigned_abs(), right.unsigned_abs());
    while right != 0 {
        (left, right) = (right, left % right);
    }
    i128::try_from(left).unwrap_or(1).max(1)
}
