use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An RPPS number: 11 digits, the last one by Luhn.
///
/// The key is not demanded: national test identities carry numbers whose key is wrong, and
/// [`Self::has_right_key`] tells, so that production can refuse what test accepts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rpps(String);

impl Rpps {
    /// The 11 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does the last digit agree with Luhn's formula?
    #[must_use]
    pub fn has_right_key(&self) -> bool {
        let sum: u32 = self.0.bytes().rev().enumerate().map(|(at, digit)| luhn_term(at, u32::from(digit - b'0'))).sum();
        sum.is_multiple_of(10)
    }
}

const fn luhn_term(at: usize, digit: u32) -> u32 {
    if at.is_multiple_of(2) {
        return digit;
    }
    let doubled = digit * 2;
    if doubled > 9 { doubled - 9 } else { doubled }
}

impl FromStr for Rpps {
    type Err = IdNatPsError;

    fn from_str(text: &str) -> Result<Self, IdNatPsError> {
        if text.len() == 11 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(text.to_owned()));
        }
        Err(IdNatPsError::Rpps)
    }
}

impl TryFrom<String> for Rpps {
    type Error = IdNatPsError;

    fn try_from(text: String) -> Result<Self, IdNatPsError> {
        text.parse()
    }
}

impl From<Rpps> for String {
    fn from(rpps: Rpps) -> Self {
        rpps.0
    }
}

/// The national identifier of a professional (PS_IdNat, OID 1.2.250.1.71.4.2.1): a digit that says
/// the kind, then the identifier. Test identities may be letters (`ANS2021…`): only the length is sure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdNatPs(String);

impl IdNatPs {
    /// The OID of the authority.
    pub const OID: &'static str = "1.2.250.1.71.4.2.1";

    /// The text, kind digit included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The RPPS, when it is one (`8` and 11 digits).
    #[must_use]
    pub fn rpps(&self) -> Option<Rpps> {
        self.0.strip_prefix('8')?.parse().ok()
    }
}

impl From<&Rpps> for IdNatPs {
    fn from(rpps: &Rpps) -> Self {
        Self(format!("8{}", rpps.as_str()))
    }
}

impl fmt::Display for IdNatPs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for IdNatPs {
    type Err = IdNatPsError;

    fn from_str(text: &str) -> Result<Self, IdNatPsError> {
        let printable = text.bytes().all(|b| b.is_ascii_graphic() && b != b'^' && b != b'&');
        if text.is_empty() || text.len() > 64 || !printable {
            return Err(IdNatPsError::IdNat);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for IdNatPs {
    type Error = IdNatPsError;

    fn try_from(text: String) -> Result<Self, IdNatPsError> {
        text.parse()
    }
}

impl From<IdNatPs> for String {
    fn from(id: IdNatPs) -> Self {
        id.0
    }
}

/// Why a text does not identify a professional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdNatPsError {
    /// Not 11 digits.
    #[error("an RPPS is 11 digits")]
    Rpps,
    /// Empty, over 64 characters, or with a sign that HL7 uses as separator.
    #[error("the national identifier of a professional is 1 to 64 printable characters")]
    IdNat,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_nat_says_whether_it_is_an_rpps() {
        let cases = [
            ("810005678901", Some("10005678901")),
            ("899700218896", Some("99700218896")),
            ("00B6087510", None),
            ("ANS20210107161422", None),
            ("3010000001/12", None),
        ];
        for (text, rpps) in cases {
            let id: IdNatPs = text.parse().unwrap();
            assert_eq!(id.rpps().as_ref().map(Rpps::as_str), rpps, "{text}");
        }
        for bad in ["", "8^1", "a b"] {
            assert!(bad.parse::<IdNatPs>().is_err(), "{bad}");
        }
    }

    #[test]
    fn luhn_tells_a_right_key() {
        assert!("79927398713".parse::<Rpps>().unwrap().has_right_key());
        assert!(!"79927398710".parse::<Rpps>().unwrap().has_right_key());
        assert!("7992739871".parse::<Rpps>().is_err());
    }
}
