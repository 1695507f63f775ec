//! Countries and currencies: codes of ISO that no FHIR resource defines, carried as facts.
//!
//! `iso3166.txt`: alpha-2, alpha-3, numeric code, English and French name of the countries of ISO 3166-1
//! (the 249 of 2024). `iso4217.txt`: alphabetic and numeric code, name of the currencies of ISO 4217.

use std::sync::{Arc, LazyLock};

use super::code_system::{CodeSystem, CodeSystemBuilder};
use super::model::{Concept, Content, Designation};

/// `urn:iso:std:iso:3166`: a country has three codes, alpha-2, alpha-3 and numeric.
pub(super) const COUNTRIES: &str = "urn:iso:std:iso:3166";
/// `urn:iso:std:iso:4217`.
pub(super) const CURRENCIES: &str = "urn:iso:std:iso:4217";

static COUNTRY_SYSTEM: LazyLock<Arc<CodeSystem>> = LazyLock::new(|| Arc::new(countries()));
static CURRENCY_SYSTEM: LazyLock<Arc<CodeSystem>> = LazyLock::new(|| Arc::new(currencies()));

/// The code system of ISO with that canonical.
#[must_use]
pub(super) fn system(url: &str) -> Option<Arc<CodeSystem>> {
    match url {
        COUNTRIES => Some(COUNTRY_SYSTEM.clone()),
        CURRENCIES => Some(CURRENCY_SYSTEM.clone()),
        _ => None,
    }
}

fn countries() -> CodeSystem {
    let mut builder = CodeSystemBuilder::new(COUNTRIES, Content::Complete);
    builder.language("en");
    for line in include_str!("iso3166.txt").lines() {
        let mut parts = line.splitn(4, ' ');
        let codes: Vec<_> = parts.by_ref().take(3).collect();
        let (english, french) = parts.next().and_then(|names| names.split_once('|')).unwrap_or_default();
        for code in codes {
            builder.add(concept(code, english, Some(french)), None);
        }
    }
    builder.finish()
}

fn currencies() -> CodeSystem {
    let mut builder = CodeSystemBuilder::new(CURRENCIES, Content::Complete);
    builder.language("en");
    for line in include_str!("iso4217.txt").lines() {
        let mut parts = line.splitn(3, ' ');
        if let (Some(code), Some(_), Some(name)) = (parts.next(), parts.next(), parts.next()) {
            builder.add(concept(code, name, None), None);
        }
    }
    builder.finish()
}

fn concept(code: &str, english: &str, french: Option<&str>) -> Concept {
    let french = french.map(|name| Designation {
        language: Some("fr".into()),
        usage: None,
        value: name.into(),
        status: None,
        source: None,
        extensions: Vec::new(),
    });
    Concept {
        code: code.into(),
        display: Some(english.into()),
        designations: french.into_iter().collect(),
        ..Concept::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_country_has_three_codes_and_two_names() {
        let countries = system(COUNTRIES).unwrap();
        assert_eq!(countries.len(), 3 * 249);
        for (code, name) in
            [("DE", "Allemagne"), ("FRA", "France"), ("840", "États-Unis d'Amérique"), ("CH", "Switzerland")]
        {
            assert_eq!(countries.is_named(countries.find(code).unwrap(), name), Some(true), "{code}");
        }
        let is_well_formed = |code: &str| match code.len() {
            2 => code.bytes().all(|byte| byte.is_ascii_uppercase()),
            3 => code.bytes().all(|byte| byte.is_ascii_uppercase()) || code.bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        assert!(countries.concepts().iter().all(|country| is_well_formed(&country.code)));
    }

    #[test]
    fn currencies_have_their_alphabetic_code() {
        let currencies = system(CURRENCIES).unwrap();
        assert!(
            currencies.find("EUR").is_some() && currencies.find("XPF").is_some() && currencies.find("978").is_none()
        );
    }
}
