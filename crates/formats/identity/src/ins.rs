use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Environment, EnvironmentMix, Oid};

/// A matricule INS: 13 characters and a key of two digits, the key being right.
///
/// NIR and NIA look the same; only the authority ([`InsAuthority`]) tells them apart. Corsica's
/// `2A`/`2B` and unknown months (`20`-`99`) are read; 5, 6, 7 and 8 in front are not INS.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matricule(String);

impl Matricule {
    /// All 15 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 13 characters before the key (`NumIdentifiant` of INSi).
    #[must_use]
    pub fn number(&self) -> &str {
        &self.0[..13]
    }

    /// The two digits of the key (`Cle` of INSi).
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0[13..]
    }

    /// Builds a matricule from its 13 characters; INSi may leave the key out.
    ///
    /// # Errors
    /// [`InsError::Shape`] when the number is none.
    pub fn from_number(number: &str) -> Result<Self, InsError> {
        let key = key_of(number).ok_or(InsError::Shape)?;
        format!("{number}{key:02}").parse()
    }
}

impl FromStr for Matricule {
    type Err = InsError;

    fn from_str(text: &str) -> Result<Self, InsError> {
        let text: String = text.chars().filter(|c| *c != ' ').collect::<String>().to_ascii_uppercase();
        if !has_shape(&text) {
            return Err(InsError::Shape);
        }
        let written: u32 = text[13..].parse().map_err(|_| InsError::Shape)?;
        if key_of(&text[..13]) != Some(written) {
            return Err(InsError::Key);
        }
        Ok(Self(text))
    }
}

/// `^[12]\d{2}(0[1-9]|1[0-2]|[2-9]\d)(\d{2}|2A|2B)\d{3}\d{3}\d{2}$`, the key being checked apart.
fn has_shape(text: &str) -> bool {
    let b = text.as_bytes();
    if b.len() != 15 || !matches!(b[0], b'1' | b'2') {
        return false;
    }
    let digits = |range: std::ops::Range<usize>| b[range].iter().all(u8::is_ascii_digit);
    if !digits(1..5) || !digits(7..15) {
        return false;
    }
    let month = (b[3] - b'0') * 10 + (b[4] - b'0');
    let month_is_known_form = matches!(month, 1..=12 | 20..=99);
    let department = digits(5..7) || matches!(&b[5..7], b"2A" | b"2B");
    month_is_known_form && department
}

fn key_of(number: &str) -> Option<u32> {
    if number.len() != 13 || !number.is_ascii() {
        return None;
    }
    let digits = number.replacen("2A", "19", 1).replacen("2B", "18", 1);
    let value: u64 = digits.parse().ok()?;
    u32::try_from(97 - value % 97).ok()
}

impl TryFrom<String> for Matricule {
    type Error = InsError;

    fn try_from(text: String) -> Result<Self, InsError> {
        text.parse()
    }
}

impl From<Matricule> for String {
    fn from(matricule: Matricule) -> Self {
        matricule.0
    }
}

impl fmt::Debug for Matricule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Matricule(…)")
    }
}

/// Why a text is not a matricule. Says nothing of the text itself: it may be a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InsError {
    /// Not 15 characters of the published form.
    #[error("the matricule INS has not the form of 13 characters and a key of two digits")]
    Shape,
    /// 97 − (number mod 97) gives another key.
    #[error("the key of the matricule INS is wrong (97 − number modulo 97)")]
    Key,
}

/// Who assigned a matricule: the part of the INS that tells a NIR from a NIA and a test from a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InsAuthority {
    /// INS-NIR.
    Nir,
    /// INS-NIA (waiting number).
    Nia,
    /// INS-NIR of test.
    NirTest,
    /// INS-NIR of demonstration.
    NirDemo,
}

impl InsAuthority {
    /// The OID, dotted.
    #[must_use]
    pub const fn oid(self) -> &'static str {
        match self {
            Self::Nir => "1.2.250.1.213.1.4.8",
            Self::Nia => "1.2.250.1.213.1.4.9",
            Self::NirTest => "1.2.250.1.213.1.4.10",
            Self::NirDemo => "1.2.250.1.213.1.4.11",
        }
    }

    /// The code of FR Core (`fr-core-cs-v2-0203`).
    #[must_use]
    pub const fn type_code(self) -> &'static str {
        match self {
            Self::Nir => "INS-NIR",
            Self::Nia => "INS-NIA",
            Self::NirTest => "INS-NIR-TEST",
            Self::NirDemo => "INS-NIR-DEMO",
        }
    }

    /// Test and demonstration numbers are never admitted in production.
    ///
    /// The contrary is not refused: INSi's qualification platform itself answers the production OID
    /// for its fictitious people.
    ///
    /// # Errors
    /// [`EnvironmentMix`] for OID .10 and .11 in production.
    pub fn admit_in(self, environment: Environment) -> Result<(), EnvironmentMix> {
        let is_test = matches!(self, Self::NirTest | Self::NirDemo);
        if is_test && environment == Environment::Production {
            return Err(EnvironmentMix {
                what: "an INS of test or demonstration",
                belongs_to: Environment::BacASable,
                used_in: environment,
            });
        }
        Ok(())
    }
}

impl FromStr for InsAuthority {
    type Err = UnknownInsAuthority;

    fn from_str(text: &str) -> Result<Self, UnknownInsAuthority> {
        match text.strip_prefix("urn:oid:").unwrap_or(text) {
            "1.2.250.1.213.1.4.8" => Ok(Self::Nir),
            "1.2.250.1.213.1.4.9" => Ok(Self::Nia),
            "1.2.250.1.213.1.4.10" => Ok(Self::NirTest),
            "1.2.250.1.213.1.4.11" => Ok(Self::NirDemo),
            _ => Err(UnknownInsAuthority),
        }
    }
}

impl TryFrom<&Oid> for InsAuthority {
    type Error = UnknownInsAuthority;

    fn try_from(oid: &Oid) -> Result<Self, UnknownInsAuthority> {
        oid.as_str().parse()
    }
}

/// The OID is not one of the four of the INS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the OID is not one of those of the INS (1.2.250.1.213.1.4.8, .9, .10, .11)")]
pub struct UnknownInsAuthority;

/// An INS: a matricule never goes without its authority.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ins {
    /// The 15 characters.
    pub matricule: Matricule,
    /// Who assigned them.
    pub authority: InsAuthority,
}

impl Ins {
    /// The form of IHE: `<matricule>^^^&<OID>&ISO^NH` (CI-SIS: type NH for an INS in XDS metadata).
    #[must_use]
    pub fn to_cx(&self) -> String {
        format!("{}^^^&{}&ISO^NH", self.matricule.as_str(), self.authority.oid())
    }
}

impl fmt::Debug for Ins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ins(…, {})", self.authority.type_code())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Published values (identity specification §2.1): number and key.
    const PUBLISHED: [(&str, &str); 4] =
        [("180032B020401", "23"), ("297022A020778", "78"), ("2840588321025", "32"), ("1090763220834", "89")];

    #[test]
    fn published_keys_are_found_again() {
        for (number, key) in PUBLISHED {
            let matricule = Matricule::from_number(number).unwrap();
            assert_eq!((matricule.number(), matricule.key()), (number, key));
        }
    }

    #[test]
    fn refuses_by_form_or_by_key_and_says_which() {
        let cases = [
            ("279035121518989", Ok(())),
            ("2 79 03 51 215 189 89", Ok(())),
            ("279035121518988", Err(InsError::Key)),
            ("221042545611404", Err(InsError::Key)),
            ("779035121518989", Err(InsError::Shape)),
            ("27903512151898", Err(InsError::Shape)),
            ("279135121518989", Err(InsError::Shape)),
            ("2790351215189é9", Err(InsError::Shape)),
            ("", Err(InsError::Shape)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Matricule>().map(|_| ()), expected, "{text}");
        }
    }

    #[test]
    fn never_prints_a_person() {
        let ins = Ins { matricule: "279035121518989".parse().unwrap(), authority: InsAuthority::NirTest };
        assert!(!format!("{ins:?} {:?}", ins.matricule).contains("27903"));
        assert_eq!(ins.to_cx(), "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH");
    }

    #[test]
    fn test_numbers_stay_out_of_production() {
        assert!(InsAuthority::NirTest.admit_in(Environment::Production).is_err());
        assert!(InsAuthority::NirDemo.admit_in(Environment::Production).is_err());
        assert!(InsAuthority::Nir.admit_in(Environment::Production).is_ok());
        assert!(InsAuthority::NirTest.admit_in(Environment::Jumeau).is_ok());
    }

    fn numbers() -> impl Strategy<Value = String> {
        let department = prop_oneof![(0u32..100).prop_map(|d| format!("{d:02}")), Just("2A".into()), Just("2B".into())];
        (1u32..3, 0u32..100, prop_oneof![1u32..13, 20u32..100], department, 0u32..1_000_000)
            .prop_map(|(sex, year, month, dept, rest)| format!("{sex}{year:02}{month:02}{dept}{rest:06}"))
    }

    proptest! {
        /// The key is modulo 97, a prime: one wrong digit is always seen, Corsica included.
        #[test]
        fn one_wrong_digit_is_always_refused(number in numbers(), at in 0usize..15, digit in b'0'..=b'9') {
            let good = Matricule::from_number(&number).unwrap();
            let mut typed = good.as_str().as_bytes().to_vec();
            prop_assume!(typed[at].is_ascii_digit() && typed[at] != digit);
            typed[at] = digit;
            let typed = String::from_utf8(typed).unwrap();
            prop_assert!(typed.parse::<Matricule>().is_err());
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in ".{0,20}") {
            let _ = text.parse::<Matricule>();
            let _ = Matricule::from_number(&text);
        }
    }
}
