use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::name::comparison_key;
use crate::same_name;

/// The traits of an identity (identity specification §2.3): five strict ones, and what people are called.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traits {
    /// Nom de naissance.
    pub birth_name: String,
    /// Prénoms de naissance: the complete list, in order, separated by spaces. Empty when not known.
    pub given_names: String,
    /// Premier prénom de naissance.
    pub first_given_name: String,
    /// Sexe.
    pub sex: Sex,
    /// Date de naissance.
    pub birth_date: Date,
    /// Lieu de naissance; none when unknown (`99999` is a known unknown).
    pub birth_place: Option<BirthPlace>,
    /// Nom utilisé.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_name: Option<String>,
    /// Prénom utilisé.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_given_name: Option<String>,
}

impl Traits {
    /// The strict traits in which `other` differs. An absent birth place differs from nothing.
    ///
    /// The list of given names is compared when both sides have one: a list that is only the
    /// first given name is what many records hold, so it agrees with any list that starts with it.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        if !same_name(&self.birth_name, &other.birth_name) {
            found.push(Difference::BirthName);
        }
        if !same_name(&self.first_given_name, &other.first_given_name) {
            found.push(Difference::FirstGivenName);
        }
        if !lists_agree(self, other) {
            found.push(Difference::GivenNames);
        }
        if self.sex != other.sex {
            found.push(Difference::Sex);
        }
        if self.birth_date != other.birth_date {
            found.push(Difference::BirthDate);
        }
        if let (Some(here), Some(there)) = (&self.birth_place, &other.birth_place)
            && here != there
        {
            found.push(Difference::BirthPlace);
        }
        found
    }
}

fn lists_agree(a: &Traits, b: &Traits) -> bool {
    if a.given_names.is_empty() || b.given_names.is_empty() || same_name(&a.given_names, &b.given_names) {
        return true;
    }
    same_name(&a.given_names, &b.first_given_name) || same_name(&b.given_names, &a.first_given_name)
}

impl fmt::Debug for Traits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Traits(…)")
    }
}

/// The first given name is the list, or whole words at its beginning (EXI ID 10, RNIV EXI SI 29-30).
#[must_use]
pub fn consistent_first_given_name(first: &str, list: &str) -> bool {
    let (first, list) = (comparison_key(first), comparison_key(list));
    !first.is_empty() && (list == first || list.strip_prefix(&first).is_some_and(|rest| rest.starts_with(' ')))
}

/// A strict trait that is not the same on two sides. Names the trait, never its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// Nom de naissance.
    BirthName,
    /// Premier prénom.
    FirstGivenName,
    /// Liste des prénoms.
    GivenNames,
    /// Sexe.
    Sex,
    /// Date de naissance.
    BirthDate,
    /// Lieu de naissance.
    BirthPlace,
}

impl Difference {
    /// The French name of the trait.
    #[must_use]
    pub const fn french(self) -> &'static str {
        match self {
            Self::BirthName => "nom de naissance",
            Self::FirstGivenName => "premier prénom de naissance",
            Self::GivenNames => "liste des prénoms de naissance",
            Self::Sex => "sexe",
            Self::BirthDate => "date de naissance",
            Self::BirthPlace => "lieu de naissance",
        }
    }

    /// The English name of the trait.
    #[must_use]
    pub const fn english(self) -> &'static str {
        match self {
            Self::BirthName => "birth name",
            Self::FirstGivenName => "first given name",
            Self::GivenNames => "list of given names",
            Self::Sex => "sex",
            Self::BirthDate => "date of birth",
            Self::BirthPlace => "place of birth",
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.english())
    }
}

/// The sex of an identity. INSi knows `M` and `F` alone; a local identity may hold `I`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sex {
    /// `M`.
    #[serde(rename = "M")]
    Male,
    /// `F`.
    #[serde(rename = "F")]
    Female,
    /// `I`, indéterminé: never sent to INSi.
    #[serde(rename = "I")]
    Indeterminate,
}

impl Sex {
    /// The letter of INSi, CDA and HL7 v2.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Male => "M",
            Self::Female => "F",
            Self::Indeterminate => "I",
        }
    }

    /// The code of FHIR's `administrative-gender`.
    #[must_use]
    pub const fn fhir(self) -> &'static str {
        match self {
            Self::Male => "male",
            Self::Female => "female",
            Self::Indeterminate => "unknown",
        }
    }
}

impl FromStr for Sex {
    type Err = UnknownSex;

    /// Reads the letter (`M F I`, CDA's `UN`) or the FHIR code.
    fn from_str(text: &str) -> Result<Self, UnknownSex> {
        match text {
            "M" | "male" => Ok(Self::Male),
            "F" | "female" => Ok(Self::Female),
            "I" | "UN" | "U" | "unknown" | "other" => Ok(Self::Indeterminate),
            _ => Err(UnknownSex),
        }
    }
}

/// The text is no code of sex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sex is none of M, F, I (or male, female, unknown)")]
pub struct UnknownSex;

/// Code officiel géographique of a birth place: a commune, or a country (`99xxx`), or `99999` (unknown).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BirthPlace(String);

impl BirthPlace {
    /// The five characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BirthPlace {
    type Err = BirthPlaceError;

    fn from_str(text: &str) -> Result<Self, BirthPlaceError> {
        let b = text.as_bytes();
        let ok = b.len() == 5
            && b[2..].iter().all(u8::is_ascii_digit)
            && (b[..2].iter().all(u8::is_ascii_digit) || matches!(&b[..2], b"2A" | b"2B"));
        if ok { Ok(Self(text.to_owned())) } else { Err(BirthPlaceError) }
    }
}

impl TryFrom<String> for BirthPlace {
    type Error = BirthPlaceError;

    fn try_from(text: String) -> Result<Self, BirthPlaceError> {
        text.parse()
    }
}

impl From<BirthPlace> for String {
    fn from(place: BirthPlace) -> Self {
        place.0
    }
}

impl fmt::Debug for BirthPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthPlace(…)")
    }
}

/// The text is not a COG code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a place of birth is five digits of the code officiel géographique (2A… and 2B… in Corsica)")]
pub struct BirthPlaceError;

#[cfg(test)]
mod tests {
    use super::*;

    fn dominique() -> Traits {
        Traits {
            birth_name: "PAT-TROIS".into(),
            given_names: "DOMINIQUE MARIE-LOUISE".into(),
            first_given_name: "DOMINIQUE".into(),
            sex: Sex::Female,
            birth_date: jiff::civil::date(1979, 3, 28),
            birth_place: Some("51215".parse().unwrap()),
            used_name: None,
            used_given_name: None,
        }
    }

    type Case = (&'static str, fn(&mut Traits), &'static [Difference]);

    #[test]
    fn names_each_strict_trait_that_differs() {
        let cases: [Case; 9] = [
            ("nothing", |_| {}, &[]),
            ("case and hyphen", |t| t.birth_name = "Pat Trois".into(), &[]),
            ("list holds the first name only", |t| t.given_names = "Dominique".into(), &[]),
            ("no place known", |t| t.birth_place = None, &[]),
            ("birth name", |t| t.birth_name = "PAT-QUATRE".into(), &[Difference::BirthName]),
            ("list of names", |t| t.given_names = "DOMINIQUE ANNE".into(), &[Difference::GivenNames]),
            ("sex", |t| t.sex = Sex::Male, &[Difference::Sex]),
            ("birth date", |t| t.birth_date = jiff::civil::date(1976, 5, 31), &[Difference::BirthDate]),
            ("place", |t| t.birth_place = Some("63220".parse().unwrap()), &[Difference::BirthPlace]),
        ];
        for (name, spoil, expected) in cases {
            let mut other = dominique();
            spoil(&mut other);
            assert_eq!(dominique().differences(&other), expected, "{name}");
            assert_eq!(other.differences(&dominique()), expected, "{name}, the other way round");
        }
    }

    #[test]
    fn first_given_name_is_the_beginning_of_the_list() {
        for first in ["JEAN", "JEAN CHRISTOPHE", "Jean-Christophe", "JEAN-CHRISTOPHE-PIERRE"] {
            assert!(consistent_first_given_name(first, "JEAN CHRISTOPHE PIERRE"), "{first}");
        }
        for first in ["CHRISTOPHE", "JEA", "", "JEAN CHRISTOPHE PIERRE PAUL"] {
            assert!(!consistent_first_given_name(first, "JEAN CHRISTOPHE PIERRE"), "{first}");
        }
    }

    #[test]
    fn birth_places_are_cog_codes() {
        for good in ["63220", "2A020", "99100", "99999"] {
            assert!(good.parse::<BirthPlace>().is_ok(), "{good}");
        }
        for bad in ["6322", "2C020", "PARIS", "6322é", ""] {
            assert!(bad.parse::<BirthPlace>().is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", dominique()), "Traits(…)");
    }
}
