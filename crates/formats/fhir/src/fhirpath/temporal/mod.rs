//! Dates, date-times and times with the precision that was written, and their zone when there is one.
//!
//! Comparing two values of different precision may have no answer (FHIRPath 2.0 §6.2). Seconds and their
//! fraction are one precision. Adding goes by the calendar: a month after 31 January is the last of February.
//!
//! Order: the value, reading, writing, comparing, adding, boundaries.

mod reader;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

use jiff::civil;

use super::decimal::Decimal;
use reader::Reader;

/// Which of the three types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporalKind {
    /// `@2014-01`
    Date,
    /// `@2014-01-25T14:30`
    DateTime,
    /// `@T14:30`
    Time,
}

/// The last component that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// `2014`
    Year,
    /// `2014-01`
    Month,
    /// `2014-01-25`
    Day,
    /// `2014-01-25T14`
    Hour,
    /// `2014-01-25T14:30`
    Minute,
    /// `2014-01-25T14:30:00`, with any fraction.
    Second,
}

/// A date, a date-time or a time. Components below its precision hold their least value.
#[derive(Debug, Clone, Copy)]
pub struct Temporal {
    kind: TemporalKind,
    precision: Precision,
    local: civil::DateTime,
    /// Digits of the fraction of a second that were written.
    fraction: u8,
    /// Minutes east of UTC.
    offset: Option<i16>,
}

/// A length of time in one unit of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarUnit {
    /// `year`
    Year,
    /// `month`
    Month,
    /// `week`
    Week,
    /// `day`
    Day,
    /// `hour`
    Hour,
    /// `minute`
    Minute,
    /// `second`
    Second,
    /// `millisecond`
    Millisecond,
}

impl CalendarUnit {
    /// `day`, `days`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let singular = name.strip_suffix('s').unwrap_or(name);
        Some(match singular {
            "year" => Self::Year,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            "millisecond" => Self::Millisecond,
            _ => return None,
        })
    }

    /// The UCUM unit of the same length; years and months have none (FHIRPath 2.0 §4.1.8.2).
    #[must_use]
    pub const fn ucum(self) -> Option<&'static str> {
        match self {
            Self::Year | Self::Month => None,
            Self::Week => Some("wk"),
            Self::Day => Some("d"),
            Self::Hour => Some("h"),
            Self::Minute => Some("min"),
            Self::Second => Some("s"),
            Self::Millisecond => Some("ms"),
        }
    }

    /// The calendar unit of a definite UCUM unit of time.
    #[must_use]
    pub fn of_ucum(code: &str) -> Option<Self> {
        Some(match code {
            "wk" => Self::Week,
            "d" => Self::Day,
            "h" => Self::Hour,
            "min" => Self::Minute,
            "s" => Self::Second,
            "ms" => Self::Millisecond,
            _ => return None,
        })
    }

    /// Milliseconds; none for years and months.
    const fn milliseconds(self) -> Option<i64> {
        Some(match self {
            Self::Year | Self::Month => return None,
            Self::Week => 7 * 86_400_000,
            Self::Day => 86_400_000,
            Self::Hour => 3_600_000,
            Self::Minute => 60_000,
            Self::Second => 1_000,
            Self::Millisecond => 1,
        })
    }
}

impl Temporal {
    /// Which type it is.
    #[must_use]
    pub const fn kind(self) -> TemporalKind {
        self.kind
    }

    /// The last component that it has.
    #[must_use]
    pub const fn precision(self) -> Precision {
        self.precision
    }

    /// It says its zone.
    #[must_use]
    pub const fn has_offset(self) -> bool {
        self.offset.is_some()
    }

    /// A moment as a date-time in UTC with milliseconds.
    #[must_use]
    pub fn of_moment(moment: jiff::Timestamp) -> Self {
        let since = jiff::SignedDuration::from_millis(moment.as_millisecond());
        let epoch = EPOCH.to_datetime(civil::Time::midnight());
        Self {
            kind: TemporalKind::DateTime,
            precision: Precision::Second,
            local: epoch.checked_add(since).unwrap_or(epoch),
            fraction: 3,
            offset: Some(0),
        }
    }

    /// The date alone.
    #[must_use]
    pub fn date(self) -> Self {
        let precision = self.precision.min(Precision::Day);
        let local = self.local.date().to_datetime(civil::Time::midnight());
        Self { kind: TemporalKind::Date, precision, local, fraction: 0, offset: None }
    }

    /// The same components as a date-time.
    #[must_use]
    pub const fn as_date_time(self) -> Self {
        Self { kind: TemporalKind::DateTime, ..self }
    }

    /// The time of day alone, when there is one.
    #[must_use]
    pub fn time(self) -> Option<Self> {
        (self.precision > Precision::Day).then(|| Self {
            kind: TemporalKind::Time,
            local: self.local.time().to_datetime(EPOCH),
            offset: None,
            ..self
        })
    }

    /// One component; none when it was not written.
    #[must_use]
    pub fn component(self, which: Precision) -> Option<i64> {
        let (date, time) = (self.local.date(), self.local.time());
        let is_there = self.precision >= which && (self.kind != TemporalKind::Time || which > Precision::Day);
        is_there.then(|| match which {
            Precision::Year => date.year().into(),
            Precision::Month => date.month().into(),
            Precision::Day => date.day().into(),
            Precision::Hour => time.hour().into(),
            Precision::Minute => time.minute().into(),
            Precision::Second => time.second().into(),
        })
    }

    /// The thousandths of its second; none when no fraction was written.
    #[must_use]
    pub fn milliseconds(self) -> Option<i64> {
        (self.fraction > 0).then(|| self.local.millisecond().into())
    }

    /// Its zone in hours east of UTC.
    #[must_use]
    pub fn offset_in_hours(self) -> Option<Decimal> {
        Decimal::from(i64::from(self.offset?)).over(60.into())
    }

    /// Reads a date: `2014`, `2014-01`, `2014-01-25`.
    #[must_use]
    pub fn read_date(text: &str) -> Option<Self> {
        let mut reader = Reader::new(text);
        let (date, precision) = reader.date()?;
        reader.is_done().then(|| Self {
            kind: TemporalKind::Date,
            precision,
            local: date.to_datetime(civil::Time::midnight()),
            fraction: 0,
            offset: None,
        })
    }

    /// Reads a date-time: a date, then perhaps `T` and perhaps a time and a zone.
    #[must_use]
    pub fn read_date_time(text: &str) -> Option<Self> {
        let mut reader = Reader::new(text);
        let (date, precision) = reader.date()?;
        let mut value = Self {
            kind: TemporalKind::DateTime,
            precision,
            local: date.to_datetime(civil::Time::midnight()),
            fraction: 0,
            offset: None,
        };
        if reader.take(b'T') && !reader.is_done() {
            if precision != Precision::Day {
                return None;
            }
            let (time, precision, fraction) = reader.time()?;
            value.local = date.to_datetime(time);
            value.precision = precision;
            value.fraction = fraction;
            value.offset = reader.offset()?;
        }
        reader.is_done().then_some(value)
    }

    /// Reads a time: `14`, `14:30`, `14:30:15.123`.
    #[must_use]
    pub fn read_time(text: &str) -> Option<Self> {
        let mut reader = Reader::new(text);
        let (time, precision, fraction) = reader.time()?;
        reader.is_done().then(|| Self {
            kind: TemporalKind::Time,
            precision,
            local: time.to_datetime(EPOCH),
            fraction,
            offset: None,
        })
    }

    /// Which is earlier; none when the precision, or a zone that only one says, leaves it open.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        let is_time = |value: Self| value.kind == TemporalKind::Time;
        if is_time(self) != is_time(other) {
            return None;
        }
        let both_have_time = self.precision > Precision::Day && other.precision > Precision::Day;
        let (left, right) = match (self.offset, other.offset) {
            _ if !both_have_time => (self.local, other.local),
            (Some(left), Some(right)) => (minutes_later(self.local, -left)?, minutes_later(other.local, -right)?),
            (None, None) => (self.local, other.local),
            (Some(_), None) | (None, Some(_)) => return self.compare_without_zone(other),
        };
        compare_to(left, right, self.precision.min(other.precision), self.precision == other.precision)
    }

    /// One of both has no zone: the order is sure when they are further apart than zones can be.
    fn compare_without_zone(self, other: Self) -> Option<Ordering> {
        let utc = |value: Self, offset: i16| minutes_later(value.local, -value.offset.unwrap_or(offset));
        let (earliest, latest) = (EAST, WEST);
        if utc(self, latest)? < utc(other, earliest)? && utc(self, earliest)? < utc(other, latest)? {
            return Some(Ordering::Less);
        }
        if utc(self, earliest)? > utc(other, latest)? && utc(self, latest)? > utc(other, earliest)? {
            return Some(Ordering::Greater);
        }
        None
    }

    /// Equal with the same precision (FHIRPath 2.0 §6.1.2: a difference in precision is a difference).
    #[must_use]
    pub fn is_equivalent(self, other: Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }

    /// The same moment later by so many of a unit, or earlier when negative. A fraction of a unit above the
    /// second is left out, and so is what is finer than the value itself (FHIRPath 2.0 §6.6.7). None when it
    /// leaves the years 1 to 9999.
    #[must_use]
    pub fn plus(self, amount: Decimal, unit: CalendarUnit) -> Option<Self> {
        let whole = amount.truncated().to_i64()?;
        let fraction_counts = unit == CalendarUnit::Second && self.precision == Precision::Second;
        let milliseconds = match unit.milliseconds() {
            Some(length) if fraction_counts => amount.times(Decimal::from(length))?.truncated().to_i64()?,
            Some(length) => whole.checked_mul(length)?,
            None => {
                let months = if unit == CalendarUnit::Year { whole.checked_mul(12)? } else { whole };
                return self.plus_months(months);
            }
        };
        self.plus_milliseconds(milliseconds)
    }

    fn plus_months(self, months: i64) -> Option<Self> {
        if self.kind == TemporalKind::Time {
            return None;
        }
        let months = if self.precision == Precision::Year { months / 12 * 12 } else { months };
        let span = jiff::Span::new().try_months(months).ok()?;
        self.moved(self.local.checked_add(span).ok()?)
    }

    fn plus_milliseconds(self, milliseconds: i64) -> Option<Self> {
        const DAY: i64 = 86_400_000;
        match self.precision {
            // 365 and 30 days: FHIRPath 2.0 §6.6.7.
            Precision::Year => return self.plus_months(milliseconds / (365 * DAY) * 12),
            Precision::Month => return self.plus_months(milliseconds / (30 * DAY)),
            _ => {}
        }
        let kept = match self.precision {
            Precision::Day => milliseconds / DAY * DAY,
            Precision::Hour => milliseconds / 3_600_000 * 3_600_000,
            Precision::Minute => milliseconds / 60_000 * 60_000,
            _ => milliseconds,
        };
        if self.kind == TemporalKind::Time {
            let time = self.local.time().wrapping_add(jiff::SignedDuration::from_millis(kept));
            return self.moved(time.to_datetime(EPOCH));
        }
        self.moved(self.local.checked_add(jiff::SignedDuration::from_millis(kept)).ok()?)
    }

    fn moved(self, local: civil::DateTime) -> Option<Self> {
        let has_milliseconds = local.subsec_nanosecond() != 0 && self.fraction < 3;
        let fraction = if has_milliseconds { 3 } else { self.fraction };
        (local.year() >= 1).then_some(Self { local, fraction, ..self })
    }

    /// How many digits its precision has: 4, 6, 8, 10, 12, 14, 17 for dates, 2, 4, 6, 9 for times.
    #[must_use]
    pub const fn digits(self) -> u8 {
        let digits = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second if self.fraction == 0 => 14,
            Precision::Second => 17,
        };
        match self.kind {
            TemporalKind::Time => digits - 8,
            _ => digits,
        }
    }

    /// The earliest moment that it may be, at a precision of so many digits; none for a count of digits that
    /// is no precision of its type.
    ///
    /// The zone of a value without one is taken as the most eastern.
    #[must_use]
    pub fn low_boundary(self, digits: u8) -> Option<Self> {
        self.boundary(digits, self.local, EAST)
    }

    /// The latest moment that it may be, likewise. The zone is taken as the most western.
    ///
    /// A value whose last component is the hour ends with its first minute: FHIR itself has no such value
    /// (dateTime asks for minutes with hours), and the R4 test suite reads `T08` as `T08:00`.
    #[must_use]
    pub fn high_boundary(self, digits: u8) -> Option<Self> {
        let (date, time) = (self.local.date(), self.local.time());
        let (hour, minute) = (time.hour(), time.minute());
        let last_moment = |date: civil::Date| date.to_datetime(civil::Time::constant(23, 59, 59, 999_000_000));
        let latest = match self.precision {
            Precision::Year => last_moment(date.last_of_year()),
            Precision::Month => last_moment(date.last_of_month()),
            Precision::Day => last_moment(date),
            Precision::Hour | Precision::Minute => {
                date.to_datetime(civil::Time::new(hour, minute, 59, 999_000_000).ok()?)
            }
            Precision::Second if self.fraction == 0 => {
                date.to_datetime(civil::Time::new(hour, minute, time.second(), 999_000_000).ok()?)
            }
            Precision::Second => self.local,
        };
        self.boundary(digits, latest, WEST)
    }

    fn boundary(self, digits: u8, moment: civil::DateTime, zone: i16) -> Option<Self> {
        let full = match self.kind {
            TemporalKind::Time => digits.checked_add(8)?,
            _ => digits,
        };
        let (precision, fraction) = match full {
            4 => (Precision::Year, 0),
            6 => (Precision::Month, 0),
            8 => (Precision::Day, 0),
            10 => (Precision::Hour, 0),
            12 => (Precision::Minute, 0),
            14 => (Precision::Second, 0),
            17 => (Precision::Second, 3),
            _ => return None,
        };
        let is_possible = match self.kind {
            TemporalKind::Date => precision <= Precision::Day,
            TemporalKind::DateTime => true,
            TemporalKind::Time => precision > Precision::Day,
        };
        let has_zone = self.kind == TemporalKind::DateTime && precision > Precision::Day;
        let offset = if has_zone { Some(self.offset.unwrap_or(zone)) } else { None };
        is_possible.then(|| Self { precision, fraction, offset, local: cut(moment, precision, fraction), ..self })
    }
}

/// UTC+14, the most eastern zone: its days begin first.
const EAST: i16 = 14 * 60;
/// UTC-12, the most western.
const WEST: i16 = -12 * 60;
/// The date that times of day stand on.
const EPOCH: civil::Date = civil::date(1970, 1, 1);

fn minutes_later(moment: civil::DateTime, minutes: i16) -> Option<civil::DateTime> {
    moment.checked_add(jiff::SignedDuration::from_mins(i64::from(minutes))).ok()
}

/// Components down to `last`; equal ones decide only when nothing finer was written on one side.
fn compare_to(
    left: civil::DateTime,
    right: civil::DateTime,
    last: Precision,
    is_same_precision: bool,
) -> Option<Ordering> {
    let order = cut(left, last, 9).cmp(&cut(right, last, 9));
    if order != Ordering::Equal || is_same_precision { Some(order) } else { None }
}

/// The moment with everything below the precision at its least.
fn cut(moment: civil::DateTime, precision: Precision, fraction: u8) -> civil::DateTime {
    let (date, time) = (moment.date(), moment.time());
    let midnight = civil::Time::midnight();
    let at = |hour, minute, second, nanosecond| civil::Time::new(hour, minute, second, nanosecond).unwrap_or(midnight);
    match precision {
        Precision::Year => date.first_of_year().to_datetime(midnight),
        Precision::Month => date.first_of_month().to_datetime(midnight),
        Precision::Day => date.to_datetime(midnight),
        Precision::Hour => date.to_datetime(at(time.hour(), 0, 0, 0)),
        Precision::Minute => date.to_datetime(at(time.hour(), time.minute(), 0, 0)),
        Precision::Second if fraction == 0 => date.to_datetime(at(time.hour(), time.minute(), time.second(), 0)),
        Precision::Second => moment,
    }
}

impl fmt::Display for Temporal {
    /// As FHIR writes it: `2014-01-25T14:30:00.000+01:00`, `14:30`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.local;
        if self.kind != TemporalKind::Time {
            write!(f, "{:04}", local.year())?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", local.month())?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", local.day())?;
            }
            if self.precision >= Precision::Hour {
                f.write_str("T")?;
            }
        }
        if self.precision >= Precision::Hour {
            write!(f, "{:02}", local.hour())?;
        }
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", local.minute())?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", local.second())?;
        }
        if self.fraction > 0 {
            let nanoseconds = format!("{:09}", local.subsec_nanosecond());
            write!(f, ".{}", &nanoseconds[..usize::from(self.fraction.min(9))])?;
        }
        match self.offset {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60)
            }
        }
    }
}
