//! `xs:dateTime` and `xs:date`: the calendar is checked, a zone is optional.

use std::cmp::Ordering;
use std::fmt;

use jiff::civil::{Date, DateTime};

use super::value::Item;
use super::{Code, XPathError};

/// An instant or a day; without a zone it counts as UTC, as the reference implementation's default does here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    at: DateTime,
    /// Minutes east of UTC.
    zone: Option<i32>,
    is_date: bool,
}

impl Moment {
    /// `2024-01-31T10:00:00.5+01:00`.
    pub(super) fn date_time(text: &str) -> Option<Self> {
        let (rest, zone) = zone(text)?;
        let (date, time) = rest.split_once('T')?;
        let date = day(date)?;
        let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
        if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
        let nanos = format!("{fraction:0<9}").get(..9)?.parse::<i32>().ok()?;
        let midnight = (hour, minute, second, nanos) == (24, 0, 0, 0);
        let date = if midnight { date.tomorrow().ok()? } else { date };
        let hour = if midnight { 0 } else { i8::try_from(hour).ok()? };
        let time = jiff::civil::Time::new(hour, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, nanos).ok()?;
        Some(Self { at: date.to_datetime(time), zone, is_date: false })
    }

    /// `2024-01-31`.
    pub(super) fn date(text: &str) -> Option<Self> {
        let (rest, zone) = zone(text)?;
        Some(Self { at: day(rest)?.to_datetime(jiff::civil::Time::midnight()), zone, is_date: true })
    }

    pub(super) fn cast(self, to_date_time: bool) -> Option<Self> {
        let midnight = jiff::civil::Time::midnight();
        let at = if to_date_time { self.at } else { self.at.date().to_datetime(midnight) };
        Some(Self { at, is_date: !to_date_time, ..self })
    }

    /// A text read as this one's type.
    pub(super) fn like(self, text: &str) -> Result<Item<'static>, XPathError> {
        let read = if self.is_date { Self::date(text.trim()) } else { Self::date_time(text.trim()) };
        read.map(Item::Moment).ok_or_else(|| XPathError::new(Code::BadValue, "a value compared with a date is none"))
    }

    /// `None` between a day and an instant.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        (self.is_date == other.is_date).then(|| self.utc().cmp(&other.utc()))
    }

    fn utc(&self) -> DateTime {
        let shift = jiff::Span::new().minutes(self.zone.unwrap_or(0));
        self.at.checked_sub(shift).unwrap_or(self.at)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_date { write!(f, "{}", self.at.date()) } else { write!(f, "{}", self.at) }?;
        match self.zone {
            None => Ok(()),
            Some(0) => write!(f, "Z"),
            Some(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}

fn zone(text: &str) -> Option<(&str, Option<i32>)> {
    if let Some(rest) = text.strip_suffix('Z') {
        return Some((rest, Some(0)));
    }
    let Some(start) = text.len().checked_sub(6).filter(|&at| text.is_char_boundary(at)) else {
        return Some((text, None));
    };
    let (rest, tail) = text.split_at(start);
    // The day part of a date also starts with a hyphen, but a colon is only in a zone there.
    if !tail.starts_with(['+', '-']) || tail.as_bytes().get(3) != Some(&b':') {
        return Some((text, None));
    }
    let [hours, minutes] = numbers(&tail[1..], ':', [2, 2])?;
    let total = hours * 60 + minutes;
    if minutes > 59 || total > 14 * 60 {
        return None;
    }
    Some((rest, Some(if tail.starts_with('-') { -total } else { total })))
}

fn day(text: &str) -> Option<Date> {
    let [year, month, day] = numbers(text, '-', [4, 2, 2])?;
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Fields of fixed widths.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i32; N]> {
    let mut found = [0; N];
    let mut fields = text.split(separator);
    for (slot, width) in found.iter_mut().zip(widths) {
        let field = fields.next()?;
        if field.len() != width || !field.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *slot = field.parse().ok()?;
    }
    fields.next().is_none().then_some(found)
}
