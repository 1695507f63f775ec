//! Times of the two worlds: local with an offset in CDA, UTC without offset in XDS.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A point in time of a CDA document (`TS`), as precise as it was written.
///
/// Read: `AAAA`, `AAAAMM`, `AAAAMMJJ`, `AAAAMMJJhhmm`, `AAAAMMJJhhmmss`, the last two with or without
/// `±ZZzz` (CI-SIS, volet Structuration minimale V1.16.8, data types; its schematron lets `AAAAMM`
/// through), and fractions of a second, which are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Time {
    local: DateTime,
    precision: Precision,
    offset: Option<Offset>,
}

/// How much of a time was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// `AAAA`.
    Year,
    /// `AAAAMM`.
    Month,
    /// `AAAAMMJJ`.
    Day,
    /// `AAAAMMJJhhmm`.
    Minute,
    /// `AAAAMMJJhhmmss`.
    Second,
}

impl Time {
    /// How precise it is.
    #[must_use]
    pub const fn precision(&self) -> Precision {
        self.precision
    }

    /// Does it carry an offset from UTC?
    #[must_use]
    pub const fn has_offset(&self) -> bool {
        self.offset.is_some()
    }

    /// The day, where the writer was; none when only a year or a month is known.
    #[must_use]
    pub fn date(&self) -> Option<Date> {
        (self.precision >= Precision::Day).then(|| self.local.date())
    }

    /// Date and time where the writer was; what is not known is the first of its kind.
    #[must_use]
    pub const fn local(&self) -> DateTime {
        self.local
    }

    /// The instant, when a time of day and an offset are known.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        if self.precision < Precision::Minute {
            return None;
        }
        self.offset?.to_timestamp(self.local).ok()
    }

    /// The same in XDS: UTC, as precise as it was. None for a time of day whose offset is unknown.
    #[must_use]
    pub fn to_utc(&self) -> Option<UtcTime> {
        if self.precision < Precision::Minute {
            return UtcTime::cut(self.local, self.precision);
        }
        UtcTime::cut(Offset::UTC.to_datetime(self.timestamp()?), self.precision)
    }

    /// Writes an instant as CDA wants it: to the second, with the offset given.
    #[must_use]
    pub fn at(instant: Timestamp, offset: Offset) -> Self {
        let local = offset.to_datetime(instant);
        let whole = local.with().subsec_nanosecond(0).build().unwrap_or(local);
        Self { local: whole, precision: Precision::Second, offset: Some(offset) }
    }
}

impl fmt::Display for Time {
    /// The form of the `value` attribute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&digits(self.local, self.precision))?;
        if let Some(offset) = self.offset {
            let minutes = offset.seconds() / 60;
            let sign = if minutes < 0 { '-' } else { '+' };
            write!(f, "{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)?;
        }
        Ok(())
    }
}

impl FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        if !text.is_ascii() || text.len() > 32 {
            return Err(TimeError::Form);
        }
        let zone_at = text.find(['+', '-']).unwrap_or(text.len());
        let (clock, zone) = text.split_at(zone_at);
        let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, rest)| (clock, Some(rest)));
        let (local, precision) = read_digits(clock)?;
        let fraction_is_one = |f: &str| precision == Precision::Second && !f.is_empty() && all_digits(f);
        if !fraction.is_none_or(fraction_is_one) {
            return Err(TimeError::Form);
        }
        let offset = if zone.is_empty() { None } else { Some(read_offset(zone)?) };
        if offset.is_some() && precision < Precision::Minute {
            return Err(TimeError::Form);
        }
        Ok(Self { local, precision, offset })
    }
}

fn read_offset(zone: &str) -> Result<Offset, TimeError> {
    let (sign, digits) = zone.split_at(1);
    if digits.len() != 4 || !all_digits(digits) {
        return Err(TimeError::Offset);
    }
    let hours: i32 = digits[..2].parse().map_err(|_| TimeError::Offset)?;
    let minutes: i32 = digits[2..].parse().map_err(|_| TimeError::Offset)?;
    if hours > 14 || minutes > 59 {
        return Err(TimeError::Offset);
    }
    let seconds = (hours * 60 + minutes) * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).map_err(|_| TimeError::Offset)
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// Reads `AAAA[MM[JJ[hhmm[ss]]]]`.
fn read_digits(text: &str) -> Result<(DateTime, Precision), TimeError> {
    if !all_digits(text) {
        return Err(TimeError::Form);
    }
    let precision = match text.len() {
        4 => Precision::Year,
        6 => Precision::Month,
        8 => Precision::Day,
        12 => Precision::Minute,
        14 => Precision::Second,
        _ => return Err(TimeError::Form),
    };
    let part = |from: usize, to: usize, absent: i8| -> Result<i8, TimeError> {
        text.get(from..to).map_or(Ok(absent), |t| t.parse().map_err(|_| TimeError::Form))
    };
    let year: i16 = text[..4].parse().map_err(|_| TimeError::Form)?;
    let (month, day) = (part(4, 6, 1)?, part(6, 8, 1)?);
    let (hour, minute, second) = (part(8, 10, 0)?, part(10, 12, 0)?, part(12, 14, 0)?);
    let local = DateTime::new(year, month, day, hour, minute, second, 0).map_err(|_| TimeError::Calendar)?;
    Ok((local, precision))
}

fn digits(t: DateTime, precision: Precision) -> String {
    let (year, month, day) = (t.year(), t.month(), t.day());
    let (hour, minute, second) = (t.hour(), t.minute(), t.second());
    match precision {
        Precision::Year => format!("{year:04}"),
        Precision::Month => format!("{year:04}{month:02}"),
        Precision::Day => format!("{year:04}{month:02}{day:02}"),
        Precision::Minute => format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}"),
        Precision::Second => format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}"),
    }
}

/// Why a text is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not one of the published lengths, or other signs than digits.
    #[error("a time is AAAA, AAAAMMJJ, AAAAMMJJhhmm±ZZzz or AAAAMMJJhhmmss±ZZzz")]
    Form,
    /// Month 14, the 30th of February, 25 o'clock.
    #[error("the time is not in the calendar")]
    Calendar,
    /// Not `±hhmm`.
    #[error("the offset from UTC is ± and four digits")]
    Offset,
}

/// A time of XDS metadata (DTM, IHE ITI TF-3 4.2.3.1.7): digits, UTC, as precise as known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UtcTime(String);

impl UtcTime {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first instant it may mean.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        Offset::UTC.to_timestamp(read_dtm(&self.0).ok()?).ok()
    }

    /// The last instant it may mean: a day lasts until its last second.
    #[must_use]
    pub fn last_timestamp(&self) -> Option<Timestamp> {
        let start = read_dtm(&self.0).ok()?;
        let span = match self.0.len() {
            4 => jiff::Span::new().years(1),
            6 => jiff::Span::new().months(1),
            8 => jiff::Span::new().days(1),
            10 => jiff::Span::new().hours(1),
            12 => jiff::Span::new().minutes(1),
            _ => jiff::Span::new().seconds(1),
        };
        let end = start.checked_add(span).ok()?.checked_sub(SignedDuration::from_secs(1)).ok()?;
        Offset::UTC.to_timestamp(end).ok()
    }

    fn cut(utc: DateTime, precision: Precision) -> Option<Self> {
        digits(utc, precision).parse().ok()
    }
}

impl From<Timestamp> for UtcTime {
    fn from(instant: Timestamp) -> Self {
        Self(digits(Offset::UTC.to_datetime(instant), Precision::Second))
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for UtcTime {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        read_dtm(text)?;
        Ok(Self(text.to_owned()))
    }
}

/// XDS also knows the hour alone (`YYYYMMDDhh`).
fn read_dtm(text: &str) -> Result<DateTime, TimeError> {
    if text.len() == 10 && text.is_ascii() {
        return read_digits(&format!("{text}00")).map(|(time, _)| time);
    }
    read_digits(text).map(|(time, _)| time)
}

impl TryFrom<String> for UtcTime {
    type Error = TimeError;

    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<UtcTime> for String {
    fn from(time: UtcTime) -> Self {
        time.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_of_cda_become_utc_as_precise_as_they_were() {
        let cases = [
            ("20260302101500+0100", Some("20260302091500")),
            ("20260302003000+0100", Some("20260301233000")),
            ("20260101003000-0400", Some("20260101043000")),
            ("202603021015+0100", Some("202603020915")),
            ("20260302101500.827+0100", Some("20260302091500")),
            ("20260302", Some("20260302")),
            ("202603", Some("202603")),
            ("2026", Some("2026")),
            ("20260302101500", None),
        ];
        for (text, utc) in cases {
            let time: Time = text.parse().unwrap();
            assert_eq!(time.to_utc().as_ref().map(UtcTime::as_str), utc, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_and_says_why() {
        let cases = [
            ("", TimeError::Form),
            ("2026030", TimeError::Form),
            ("2026-03-02", TimeError::Offset),
            ("20260302101500Z", TimeError::Form),
            ("20260302+0100", TimeError::Form),
            ("2026030210.5+0100", TimeError::Form),
            ("20260302101500.+0100", TimeError::Form),
            ("20261402", TimeError::Calendar),
            ("20260230", TimeError::Calendar),
            ("20260302251500+0100", TimeError::Calendar),
            ("20260302101500+100", TimeError::Offset),
            ("20260302101500+1500", TimeError::Offset),
            ("20260302101500+0160", TimeError::Offset),
            ("２０２６", TimeError::Form),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Time>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_time_of_xds_lasts_as_long_as_it_is_vague() {
        let cases = [
            ("2024", "2024-01-01T00:00:00Z", "2024-12-31T23:59:59Z"),
            ("202402", "2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z"),
            ("20240228", "2024-02-28T00:00:00Z", "2024-02-28T23:59:59Z"),
            ("2024022823", "2024-02-28T23:00:00Z", "2024-02-28T23:59:59Z"),
            ("202402282359", "2024-02-28T23:59:00Z", "2024-02-28T23:59:59Z"),
            ("20240228235959", "2024-02-28T23:59:59Z", "2024-02-28T23:59:59Z"),
        ];
        for (text, first, last) in cases {
            let time: UtcTime = text.parse().unwrap();
            assert_eq!(time.timestamp().unwrap().to_string(), first, "{text}");
            assert_eq!(time.last_timestamp().unwrap().to_string(), last, "{text}");
        }
        for bad in ["", "20", "20240230", "20240228T10", "20240228100000+0100"] {
            assert!(bad.parse::<UtcTime>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn written_times_are_read_back(seconds in 0i64..4_102_444_800, minutes in -720i32..=840) {
            let offset = Offset::from_seconds(minutes * 60).unwrap();
            let time = Time::at(Timestamp::from_second(seconds).unwrap(), offset);
            prop_assert_eq!(time.to_string().parse::<Time>(), Ok(time));
            prop_assert_eq!(time.timestamp().unwrap().as_second(), seconds);
            prop_assert_eq!(time.to_utc().unwrap().timestamp().unwrap().as_second(), seconds);
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "[0-9+.-]{0,24}|.{0,12}") {
            let _ = text.parse::<Time>();
            let _ = text.parse::<UtcTime>();
        }
    }
}
