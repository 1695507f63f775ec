//! Dates as the sources give them: with their precision, or not at all.

use std::fmt;

use jiff::civil::Date;

/// The word of the tables for what was not found.
const UNKNOWN: &str = "UNKNOWN";

/// What was found, or the fact that it was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<T> {
    /// Found.
    Known(T),
    /// Not found: shown as such, never guessed.
    Unknown,
}

impl<T> Known<T> {
    /// The value, when there is one.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown => None,
        }
    }
}

impl Known<String> {
    pub(super) fn of(text: &str) -> Self {
        if text == UNKNOWN { Self::Unknown } else { Self::Known(text.to_owned()) }
    }
}

impl<T: fmt::Display> fmt::Display for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => value.fmt(f),
            Self::Unknown => f.write_str(UNKNOWN),
        }
    }
}

/// A day, a month or a year, as the source says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// A day.
    Date(Date),
    /// A month, by its first day.
    Month(Date),
    /// A year, by its first day.
    Year(Date),
    /// From the first day of a year to the last of another.
    Years(Date, Date),
}

impl Day {
    /// Reads `YYYY-MM-DD`, `YYYY-MM`, `YYYY` or `YYYY-YYYY`, years 2000 to 2099.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let year = |text: &str| {
            let digits = text.len() == 4 && text.starts_with("20") && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<i16>().ok()).flatten()
        };
        let number = |text: &str| (text.len() == 2).then(|| text.parse::<i8>().ok()).flatten();
        let parts: Vec<&str> = text.split('-').collect();
        match parts.as_slice() {
            [y] => Some(Self::Year(Date::new(year(y)?, 1, 1).ok()?)),
            [first, last] if last.len() == 4 => {
                let (first, last) = (year(first)?, year(last)?);
                (first < last).then_some(())?;
                Some(Self::Years(Date::new(first, 1, 1).ok()?, Date::new(last, 12, 31).ok()?))
            }
            [y, m] => Some(Self::Month(Date::new(year(y)?, number(m)?, 1).ok()?)),
            [y, m, d] => Some(Self::Date(Date::new(year(y)?, number(m)?, number(d)?).ok()?)),
            _ => None,
        }
    }

    /// The first day that it can mean.
    #[must_use]
    pub const fn first(self) -> Date {
        match self {
            Self::Date(date) | Self::Month(date) | Self::Year(date) | Self::Years(date, _) => date,
        }
    }

    /// The last day that it can mean.
    #[must_use]
    pub fn last(self) -> Date {
        match self {
            Self::Date(date) | Self::Years(_, date) => date,
            Self::Month(date) => date.last_of_month(),
            Self::Year(date) => date.last_of_year(),
        }
    }

    /// From which day a gap blocks. A window of years is planned from its first day and blocks from its
    /// last; any other date blocks from its first day on.
    #[must_use]
    pub const fn blocks_from(self) -> Date {
        match self {
            Self::Date(date) | Self::Month(date) | Self::Year(date) | Self::Years(_, date) => date,
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(f),
            Self::Month(date) => write!(f, "{}-{:02}", date.year(), date.month()),
            Self::Year(date) => write!(f, "{}", date.year()),
            Self::Years(first, last) => write!(f, "{}-{}", first.year(), last.year()),
        }
    }
}

/// From when a requirement binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Now (`en vigueur`).
    InForce,
    /// From a day; `depuis X` in the tables when `since` holds.
    From {
        /// The day. A window of years is planned from its first day and blocks from its last.
        day: Day,
        /// Is it written `depuis`?
        since: bool,
    },
    /// When the scheme aimed at is Ségur; the text says which wave.
    Segur(String),
    /// Depends on a text that is not there (`selon …`): never blocks, always in the roadmap.
    DependsOn(String),
    /// Not found: never blocks, always in the roadmap.
    Unknown,
}

impl Due {
    /// Reads the column `date`.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        if text == "en vigueur" {
            return Some(Self::InForce);
        }
        if text == UNKNOWN {
            return Some(Self::Unknown);
        }
        if text.starts_with("Ségur") {
            return Some(Self::Segur(text.to_owned()));
        }
        if text.starts_with("selon ") {
            return Some(Self::DependsOn(text.to_owned()));
        }
        if let Some(day) = text.strip_prefix("depuis ") {
            return Some(Self::From { day: Day::of(day)?, since: true });
        }
        Some(Self::From { day: Day::of(text)?, since: false })
    }

    /// The first day on which it is to be planned for; none when there is no date.
    #[must_use]
    pub const fn planned(&self) -> Option<Date> {
        match self {
            Self::From { day, .. } => Some(day.first()),
            _ => None,
        }
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InForce => f.write_str("en vigueur"),
            Self::From { day, since: true } => write!(f, "depuis {day}"),
            Self::From { day, since: false } => day.fmt(f),
            Self::Segur(text) | Self::DependsOn(text) => f.write_str(text),
            Self::Unknown => f.write_str(UNKNOWN),
        }
    }
}

/// One end of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// On a day.
    On(Day),
    /// Always open.
    Permanent,
    /// Not found.
    Unknown,
}

impl Bound {
    /// Reads `opens` or `closes`.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        match text {
            "permanent" => Some(Self::Permanent),
            UNKNOWN => Some(Self::Unknown),
            day => Day::of(day).map(Self::On),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(day) => day.fmt(f),
            Self::Permanent => f.write_str("permanent"),
            Self::Unknown => f.write_str(UNKNOWN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_keep_their_precision() {
        for (text, first, last) in [
            ("2026-05-16", "2026-05-16", "2026-05-16"),
            ("2024-02", "2024-02-01", "2024-02-29"),
            ("2027", "2027-01-01", "2027-12-31"),
            ("2026-2028", "2026-01-01", "2028-12-31"),
        ] {
            let day = Day::of(text).unwrap();
            assert_eq!((day.first().to_string(), day.last().to_string()), (first.into(), last.into()), "{text}");
            assert_eq!(day.to_string(), text);
        }
        for bad in ["", "2026-13", "2026-02-30", "26-01-01", "2028-2026", "2026-1-1", "1999", "2026-05-16T", "+026"] {
            assert_eq!(Day::of(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_has_no_date_is_never_a_date() {
        for text in ["en vigueur", "Ségur vague 2", "selon loi de transposition", "UNKNOWN"] {
            let due = Due::of(text).unwrap();
            assert_eq!(due.planned(), None, "{text}");
            assert_eq!(due.to_string(), text);
        }
        assert_eq!(Due::of("depuis 2024").unwrap().planned(), Some(jiff::civil::date(2024, 1, 1)));
        assert_eq!(Due::of("bientôt"), None);
        assert_eq!(Bound::of("permanent"), Some(Bound::Permanent));
        assert_eq!(Bound::of("bientôt"), None);
    }
}
