//! The few data types of FHIR that the readers here hand out, and reading and writing them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::tape::Node;
use crate::write::Object;

/// The system of an identifier that is a URI itself (`urn:oid:…`, `urn:uuid:…`).
pub const URI: &str = "urn:ietf:rfc:3986";

/// An identifier with its system.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identifier {
    /// Who assigned it: a URI.
    pub system: String,
    /// What was assigned.
    pub value: String,
}

impl Identifier {
    /// An identifier that is a URI itself.
    #[must_use]
    pub fn uri(value: impl Into<String>) -> Self {
        Self { system: URI.to_owned(), value: value.into() }
    }

    /// Reads an Identifier; none without system or value.
    #[must_use]
    pub fn read(node: Node<'_>) -> Option<Self> {
        Some(Self { system: node.text("system")?.to_owned(), value: node.text("value")?.to_owned() })
    }

    /// Reads the form of a search: `system|value`.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        let (system, value) = token.split_once('|')?;
        (!system.is_empty() && !value.is_empty()).then(|| Self { system: system.to_owned(), value: value.to_owned() })
    }

    pub(crate) fn write(&self, out: &mut Object<'_>) {
        out.text("system", &self.system).text("value", &self.value);
    }
}

impl fmt::Debug for Identifier {
    /// The system only: the value may be a matricule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({}|…)", self.system)
    }
}

/// A code of a code system.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Coding {
    /// The code system's URL.
    pub system: String,
    /// The code.
    pub code: String,
    /// Its label.
    pub display: Option<String>,
}

impl Coding {
    /// A code with its label.
    #[must_use]
    pub fn new(system: impl Into<String>, code: impl Into<String>, display: Option<&str>) -> Self {
        Self { system: system.into(), code: code.into(), display: display.map(str::to_owned) }
    }

    /// Reads a Coding; none without system or code.
    #[must_use]
    pub fn read(node: Node<'_>) -> Option<Self> {
        let (system, code) = (node.text("system")?, node.text("code")?);
        Some(Self::new(system, code, node.text("display")))
    }

    /// Reads the first complete Coding of a CodeableConcept.
    #[must_use]
    pub fn read_concept(node: Node<'_>) -> Option<Self> {
        node.all("coding").find_map(Self::read)
    }

    pub(crate) fn write(&self, out: &mut Object<'_>) {
        out.text("system", &self.system).text("code", &self.code).maybe("display", self.display.as_deref());
    }

    pub(crate) fn write_concept(&self, out: &mut Object<'_>) {
        out.array("coding", |list| _ = list.object(|coding| self.write(coding)));
    }
}

/// A `dateTime` or an `instant` as it was written: a year, a month, a day, or a moment with its offset
/// (FHIR R4 §2.24.0.1). The precision and the offset of the text are kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DateTime(String);

impl DateTime {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The moment, when the text has a time.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.0.contains('T').then(|| self.0.parse().ok()).flatten()
    }

    /// The day as it was written, when the text goes down to the day.
    #[must_use]
    pub fn date(&self) -> Option<Date> {
        self.0.get(..10)?.parse().ok()
    }

    /// Digits of the text down to its precision, without zone: `20250430`, and in UTC when there is a
    /// time: `20250430130000` (the form of XDS, IHE ITI TF-3 §4.2.3.1.7 DTM).
    #[must_use]
    pub fn to_dtm(&self) -> String {
        match self.timestamp() {
            Some(moment) => moment.strftime("%Y%m%d%H%M%S").to_string(),
            None => self.0.chars().filter(char::is_ascii_digit).collect(),
        }
    }
}

impl FromStr for DateTime {
    type Err = NotDateTime;

    fn from_str(text: &str) -> Result<Self, NotDateTime> {
        let is_right = match text.len() {
            4 => has_form(text, "dddd"),
            7 => has_form(text, "dddd-dd") && format!("{text}-01").parse::<Date>().is_ok(),
            10 => has_form(text, "dddd-dd-dd") && text.parse::<Date>().is_ok(),
            _ => is_moment(text),
        };
        if is_right { Ok(Self(text.to_owned())) } else { Err(NotDateTime) }
    }
}

impl From<Timestamp> for DateTime {
    fn from(moment: Timestamp) -> Self {
        Self(moment.to_string())
    }
}

impl From<Date> for DateTime {
    fn from(day: Date) -> Self {
        Self(day.to_string())
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Seconds, any fraction, and an offset: `2025-04-30T14:00:00.123+01:00`.
fn is_moment(text: &str) -> bool {
    let (Some(clock), Some(rest)) = (text.get(..19), text.get(19..)) else { return false };
    let zone = rest.find(['Z', '+', '-']).map_or("", |at| &rest[at..]);
    let has_zone = zone == "Z" || (zone.starts_with(['+', '-']) && has_form(&zone[1..], "dd:dd"));
    has_form(clock, "dddd-dd-ddTdd:dd:dd") && has_zone && text.parse::<Timestamp>().is_ok()
}

fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(byte, sign)| if sign == b'd' { byte.is_ascii_digit() } else { byte == sign })
}

/// The text is no `dateTime` of FHIR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a dateTime is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with its offset (FHIR R4 §2.24.0.1)")]
pub struct NotDateTime;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_time_keeps_its_text_and_precision() {
        let cases = [
            ("2025", Some("2025")),
            ("2025-04", Some("202504")),
            ("2025-04-30", Some("20250430")),
            ("2025-04-30T14:00:00+01:00", Some("20250430130000")),
            ("2025-04-30T14:00:00.125Z", Some("20250430140000")),
            ("2025-04-30T14:00Z", None),
            ("2025-04-30T14:00:00", None),
            ("2025-04-30T14:00:00+01", None),
            ("2025-04-30T14:00:00+01:00[Europe/Paris]", None),
            ("2025-13", None),
            ("2025-02-30", None),
            ("30/04/2025", None),
            ("2025-04-30 ", None),
            ("20250430", None),
            ("é025-04-30T14:00:0é", None),
            ("", None),
        ];
        for (text, dtm) in cases {
            let read = text.parse::<DateTime>();
            assert_eq!(read.as_ref().ok().map(DateTime::to_dtm).as_deref(), dtm, "{text}");
            assert!(read.is_err() || read.unwrap().as_str() == text);
        }
        let moment: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        assert_eq!(DateTime::from(moment).as_str().parse(), Ok(DateTime::from(moment)));
        assert_eq!(DateTime::from(moment).timestamp(), Some(moment));
        assert_eq!(
            "2025-04-30T23:30:00-02:00".parse::<DateTime>().unwrap().date(),
            Some(jiff::civil::date(2025, 4, 30))
        );
    }

    #[test]
    fn an_identifier_shows_its_system_alone() {
        let identifier = Identifier::from_token("urn:oid:1.2|279035121518989").unwrap();
        assert_eq!(format!("{identifier:?}"), "Identifier(urn:oid:1.2|…)");
        assert_eq!(Identifier::from_token("a|b|c").unwrap().value, "b|c");
        for bad in ["", "|", "a|", "|b", "ab"] {
            assert_eq!(Identifier::from_token(bad), None, "{bad}");
        }
    }
}
