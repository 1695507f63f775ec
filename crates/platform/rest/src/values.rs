//! Values in the form in which they are compared: folded texts, intervals of time, numbers in order.
//!
//! Used by what indexes a resource and by what reads a search, so that both agree.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use socle_fhir::fhirpath::Decimal;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A text without case, accents and punctuation: `Élodie Œuvray-D'Été` is `elodie oeuvray d ete`
/// (FHIR R4 §3.1.1.4.8 string).
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            c if c.is_alphanumeric() => folded.push(c),
            _ if folded.is_empty() || folded.ends_with(' ') => {}
            _ => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The microseconds, first and last included, that a date, dateTime or instant covers. One without a zone is UTC.
pub(crate) fn interval(text: &str) -> Option<(i64, i64)> {
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let mut parts = date.splitn(3, '-');
    let year: i16 = digits(parts.next()?, 4)?;
    let month: Option<i8> = parts.next().map(|text| digits(text, 2)).map_or(Some(None), |read| read.map(Some))?;
    let day: Option<i8> = parts.next().map(|text| digits(text, 2)).map_or(Some(None), |read| read.map(Some))?;
    let first = Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?;
    if let Some(time) = time {
        return day.and_then(|_| moment(first, time));
    }
    let after = match (month, day) {
        (_, Some(_)) => first.tomorrow().ok()?,
        (Some(_), None) => first.last_of_month().tomorrow().ok()?,
        (None, _) => first.last_of_year().tomorrow().ok()?,
    };
    Some((micros(first.at(0, 0, 0, 0), Offset::UTC)?, micros(after.at(0, 0, 0, 0), Offset::UTC)? - 1))
}

fn digits<T: std::str::FromStr>(text: &str, count: usize) -> Option<T> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn micros(at: DateTime, offset: Offset) -> Option<i64> {
    Some(offset.to_timestamp(at).ok()?.as_microsecond())
}

/// `14:30`, `14:30:15`, `14:30:15.250`, with or without zone.
fn moment(date: Date, text: &str) -> Option<(i64, i64)> {
    let zone_at = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(zone_at)?;
    let offset = zone_of(zone)?;
    let (whole, fraction) = clock.split_once('.').map_or((clock, None), |(whole, rest)| (whole, Some(rest)));
    let mut parts = whole.splitn(3, ':');
    let (hour, minute): (i8, i8) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let second: Option<i8> = parts.next().map(|text| digits(text, 2)).map_or(Some(None), |read| read.map(Some))?;
    let length = match (second, fraction) {
        (None, None) => 60_000_000,
        (None, Some(_)) => return None,
        (Some(_), None) => 1_000_000,
        (Some(_), Some(text)) => 10_i64.pow(6_u32.saturating_sub(u32::try_from(text.len()).ok()?)),
    };
    let parts = match fraction {
        None => 0,
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{text:0<6}").get(..6)?.parse::<i64>().ok()?
        }
        Some(_) => return None,
    };
    if second.is_some_and(|second| second > 60) {
        return None;
    }
    // A leap second is the second before it.
    let at = date.to_datetime(Time::new(hour, minute, second.unwrap_or(0).min(59), 0).ok()?);
    let low = micros(at, offset)? + parts;
    Some((low, low + length - 1))
}

fn zone_of(text: &str) -> Option<Offset> {
    if text.is_empty() || text == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = digits::<i32>(hours, 2)? * 3600 + digits::<i32>(minutes, 2)? * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

/// A number as an integer in the same order.
pub(crate) fn ordered(number: Decimal) -> Option<i64> {
    let bits = number.to_string().parse::<f64>().ok()?.to_bits().cast_signed();
    Some(if bits < 0 { bits ^ i64::MAX } else { bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fold_as_french_names_need() {
        for (text, folded) in [
            ("Élodie", "elodie"),
            ("E\u{301}LODIE", "elodie"),
            ("Œuvray-D'Été", "oeuvray d ete"),
            ("  Jean - Pierre  ", "jean pierre"),
            ("Straße", "strasse"),
            ("ﬁn ½", "fin 1 2"),
            ("…", ""),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn a_date_covers_what_its_precision_leaves_open() {
        let day = 86_400_000_000;
        for (text, expected) in [
            ("1970", Some((0, 365 * day - 1))),
            ("1970-02", Some((31 * day, 59 * day - 1))),
            ("1970-01-02", Some((day, 2 * day - 1))),
            ("1970-01-01T00:01", Some((60_000_000, 119_999_999))),
            ("1970-01-01T01:00:00+01:00", Some((0, 999_999))),
            ("1970-01-01T00:00:00.5Z", Some((500_000, 599_999))),
            ("1970-01-01T00:00:00.123456789Z", Some((123_456, 123_456))),
            ("1970-13", None),
            ("1970-02-30", None),
            ("70", None),
            ("1970-01T10:00", None),
            ("1970-01-01T25:00", None),
            ("1970-01-01T10:00:00.Z", None),
            ("1970-01-01T10:00:00+1", None),
        ] {
            assert_eq!(interval(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_keep_their_order() {
        let texts = ["-1000000", "-1.5", "-0.0001", "0", "0.0001", "1.499", "1.5", "99999999999"];
        let keys: Vec<i64> = texts.iter().map(|text| ordered(text.parse().unwrap()).unwrap()).collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }
}
