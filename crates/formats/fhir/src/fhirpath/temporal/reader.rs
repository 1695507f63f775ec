//! The components of a date or time, read one after the other.

use jiff::civil;

use super::Precision;

/// Fixed-width components, one after the other.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text.as_bytes() }
    }

    pub(super) const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn take(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn digits(&mut self, count: usize) -> Option<i16> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let value = digits
            .iter()
            .try_fold(0_i16, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i16::from(digit - b'0')))?;
        self.rest = rest;
        Some(value)
    }

    fn pair(&mut self) -> Option<i8> {
        i8::try_from(self.digits(2)?).ok()
    }

    pub(super) fn date(&mut self) -> Option<(civil::Date, Precision)> {
        let year = self.digits(4)?;
        if year == 0 {
            return None;
        }
        if !self.take(b'-') {
            return Some((civil::Date::new(year, 1, 1).ok()?, Precision::Year));
        }
        let month = self.pair()?;
        if !self.take(b'-') {
            return Some((civil::Date::new(year, month, 1).ok()?, Precision::Month));
        }
        Some((civil::Date::new(year, month, self.pair()?).ok()?, Precision::Day))
    }

    pub(super) fn time(&mut self) -> Option<(civil::Time, Precision, u8)> {
        let hour = self.pair()?;
        if !self.take(b':') {
            return Some((civil::Time::new(hour, 0, 0, 0).ok()?, Precision::Hour, 0));
        }
        let minute = self.pair()?;
        if !self.take(b':') {
            return Some((civil::Time::new(hour, minute, 0, 0).ok()?, Precision::Minute, 0));
        }
        // A leap second is the moment before it for every purpose here: the calendar below has none.
        let second = self.pair().map(|second| if second == 60 { 59 } else { second })?;
        let (mut nanoseconds, mut count) = (0_i32, 0_u8);
        if self.take(b'.') {
            while let [digit @ b'0'..=b'9', rest @ ..] = self.rest {
                if count < 9 {
                    nanoseconds = nanoseconds * 10 + i32::from(digit - b'0');
                    count += 1;
                }
                self.rest = rest;
            }
            if count == 0 {
                return None;
            }
            nanoseconds *= 10_i32.pow(u32::from(9 - count));
        }
        Some((civil::Time::new(hour, minute, second, nanoseconds).ok()?, Precision::Second, count))
    }

    /// The zone, or that there is none; nothing when it is malformed.
    #[expect(clippy::option_option, reason = "malformed, absent and present are three answers")]
    pub(super) fn offset(&mut self) -> Option<Option<i16>> {
        if self.take(b'Z') {
            return Some(Some(0));
        }
        let sign = match self.rest.first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Some(None),
        };
        self.rest = &self.rest[1..];
        let hours = self.digits(2)?;
        let minutes = if self.take(b':') { self.digits(2)? } else { return None };
        (hours <= 14 && minutes < 60).then_some(Some(sign * (hours * 60 + minutes)))
    }
}
