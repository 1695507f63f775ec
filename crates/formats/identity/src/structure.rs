use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A FINESS number: nine characters, digits but for Corsica's `2A`/`2B`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Finess(String);

impl Finess {
    /// The nine characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Finess {
    type Err = IdNatStructError;

    fn from_str(text: &str) -> Result<Self, IdNatStructError> {
        let b = text.as_bytes();
        let department = |b: &[u8]| b[..2].iter().all(u8::is_ascii_digit) || matches!(&b[..2], b"2A" | b"2B");
        // `10B0000001`-like test numbers hold a letter in third place.
        let rest = |b: &[u8]| b[2..].iter().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
        if b.len() == 9 && (department(b) || b[0] == b'0') && rest(b) {
            return Ok(Self(text.to_owned()));
        }
        Err(IdNatStructError::Finess)
    }
}

impl TryFrom<String> for Finess {
    type Error = IdNatStructError;

    fn try_from(text: String) -> Result<Self, IdNatStructError> {
        text.parse()
    }
}

impl From<Finess> for String {
    fn from(finess: Finess) -> Self {
        finess.0
    }
}

/// The national identifier of a structure (Struct_IdNat, OID 1.2.250.1.71.4.2.2): `1` and a FINESS,
/// `2` and a SIREN, `3` and a SIRET, `0`/`4` and a cabinet; without such a digit, a technical identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdNatStruct(String);

impl IdNatStruct {
    /// The OID of the authority.
    pub const OID: &'static str = "1.2.250.1.71.4.2.2";

    /// The text, kind digit included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The FINESS, when it is one.
    #[must_use]
    pub fn finess(&self) -> Option<Finess> {
        self.0.strip_prefix('1')?.parse().ok()
    }
}

impl From<&Finess> for IdNatStruct {
    fn from(finess: &Finess) -> Self {
        Self(format!("1{}", finess.as_str()))
    }
}

impl fmt::Display for IdNatStruct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for IdNatStruct {
    type Err = IdNatStructError;

    fn from_str(text: &str) -> Result<Self, IdNatStructError> {
        let printable = text.bytes().all(|b| b.is_ascii_graphic() && b != b'^' && b != b'&');
        if text.is_empty() || text.len() > 64 || !printable {
            return Err(IdNatStructError::IdNat);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for IdNatStruct {
    type Error = IdNatStructError;

    fn try_from(text: String) -> Result<Self, IdNatStructError> {
        text.parse()
    }
}

impl From<IdNatStruct> for String {
    fn from(id: IdNatStruct) -> Self {
        id.0
    }
}

/// Why a text does not identify a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdNatStructError {
    /// Not nine characters of a FINESS.
    #[error("a FINESS is nine characters, digits but for Corsica and test numbers")]
    Finess,
    /// Empty, over 64 characters, or with a sign that HL7 uses as separator.
    #[error("the national identifier of a structure is 1 to 64 printable characters")]
    IdNat,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_nat_says_whether_it_is_a_finess() {
        let cases = [
            ("1690781810", Some("690781810")),
            ("10B0152872", Some("0B0152872")),
            ("318751275100020", None),
            ("12A0000014", Some("2A0000014")),
        ];
        for (text, finess) in cases {
            let id: IdNatStruct = text.parse().unwrap();
            assert_eq!(id.finess().as_ref().map(Finess::as_str), finess, "{text}");
        }
        assert!("69078181".parse::<Finess>().is_err());
        assert!("a^b".parse::<IdNatStruct>().is_err());
    }
}
