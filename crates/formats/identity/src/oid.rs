use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An ISO object identifier in dotted form, as CI-SIS allows it: at most 64 characters, no leading
/// zero in an arc (CI-SIS, volet Structuration minimale V1.16.8, data types).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Oid(String);

impl Oid {
    /// The OID of a UUID, under `2.25` (ITU-T X.667 §7).
    #[must_use]
    pub fn of_uuid(uuid: u128) -> Self {
        Self(format!("2.25.{uuid}"))
    }

    /// The dotted text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form used in FHIR: `urn:oid:…`.
    #[must_use]
    pub fn urn(&self) -> String {
        format!("urn:oid:{}", self.0)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Oid {
    type Err = OidError;

    fn from_str(text: &str) -> Result<Self, OidError> {
        let text = text.strip_prefix("urn:oid:").unwrap_or(text);
        if text.len() > 64 {
            return Err(OidError::TooLong);
        }
        let mut arcs = 0;
        for arc in text.split('.') {
            if arc.is_empty() || !arc.bytes().all(|b| b.is_ascii_digit()) {
                return Err(OidError::NotDotted);
            }
            if arc.len() > 1 && arc.starts_with('0') {
                return Err(OidError::LeadingZero);
            }
            arcs += 1;
        }
        if arcs < 2 || !matches!(text.as_bytes()[0], b'0'..=b'2') {
            return Err(OidError::NotDotted);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Oid {
    type Error = OidError;

    fn try_from(text: String) -> Result<Self, OidError> {
        text.parse()
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> Self {
        oid.0
    }
}

/// Why a text is not an OID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OidError {
    /// Not digits separated by dots, first arc 0, 1 or 2.
    #[error("an OID is numbers separated by dots, the first being 0, 1 or 2")]
    NotDotted,
    /// `01` in an arc.
    #[error("a number of an OID starts with a useless zero")]
    LeadingZero,
    /// CI-SIS stops at 64 characters.
    #[error("an OID has at most 64 characters")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_an_oid_and_says_what_is_not() {
        let cases = [
            ("1.2.250.1.213.1.4.8", Ok(())),
            ("urn:oid:2.16.840.1.113883.6.1", Ok(())),
            ("1.2.0.5", Ok(())),
            ("1.02", Err(OidError::LeadingZero)),
            ("1..2", Err(OidError::NotDotted)),
            ("3.1", Err(OidError::NotDotted)),
            ("1", Err(OidError::NotDotted)),
            ("", Err(OidError::NotDotted)),
            ("90E1C8EC-F951-4B26-A305-A34848818DD6", Err(OidError::NotDotted)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Oid>().map(|_| ()), expected, "{text}");
        }
        assert_eq!(format!("1.{}", "2".repeat(63)).parse::<Oid>(), Err(OidError::TooLong));
    }
}
