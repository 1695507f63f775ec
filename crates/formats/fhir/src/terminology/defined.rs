//! Definitions (R4's tables, packages, files) as a source of terminology.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::code_system::CodeSystem;
use super::library::Source;
use super::model::ValueSet;
use super::read::{read_code_system, read_value_set};
use crate::definitions::Definitions;

type Kept<T> = RwLock<HashMap<Box<str>, Option<Arc<T>>>>;

/// Definitions as a source. What was asked once is kept read.
///
/// ```
/// use std::sync::Arc;
/// use socle_fhir::{package::View, terminology::{Defined, Membership, Terminology}};
///
/// let terminology = Terminology::new(Arc::new(Defined::new(Arc::new(View::core()))));
/// let gender = "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1";
/// assert_eq!(terminology.member(gender, None, "female", None), Membership::Yes);
/// assert_eq!(terminology.member(gender, None, "femme", None), Membership::No);
/// ```
pub struct Defined {
    definitions: Arc<dyn Definitions>,
    systems: Kept<CodeSystem>,
    sets: Kept<ValueSet>,
}

impl Defined {
    /// What these definitions hold.
    #[must_use]
    pub fn new(definitions: Arc<dyn Definitions>) -> Self {
        Self { definitions, systems: RwLock::default(), sets: RwLock::default() }
    }

    fn system(&self, canonical: &str) -> Option<Arc<CodeSystem>> {
        kept(&self.systems, canonical, || {
            let document = self.definitions.resource("CodeSystem", canonical);
            document.and_then(|document| read_code_system(document.root()).ok())
        })
    }

    fn set(&self, canonical: &str) -> Option<Arc<ValueSet>> {
        kept(&self.sets, canonical, || {
            let document = self.definitions.resource("ValueSet", canonical)?;
            read_value_set(document.root()).ok()
        })
    }
}

fn kept<T>(all: &Kept<T>, canonical: &str, read: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
    if let Some(known) = all.read().unwrap_or_else(PoisonError::into_inner).get(canonical) {
        return known.clone();
    }
    let made = read().map(Arc::new);
    all.write().unwrap_or_else(PoisonError::into_inner).insert(canonical.into(), made.clone());
    made
}

fn versioned(url: &str, version: Option<&str>) -> String {
    version.map_or_else(|| url.to_owned(), |version| format!("{url}|{version}"))
}

impl Source for Defined {
    fn code_systems(&self, url: &str) -> Vec<Arc<CodeSystem>> {
        self.system(url).into_iter().collect()
    }

    fn value_sets(&self, url: &str) -> Vec<Arc<ValueSet>> {
        self.set(url).into_iter().collect()
    }

    fn code_system(&self, url: &str, wanted: Option<&str>) -> Option<Arc<CodeSystem>> {
        let default = self.system(url);
        super::newest(default.as_slice(), wanted).or_else(|| self.system(&versioned(url, wanted)))
    }

    fn value_set(&self, url: &str, wanted: Option<&str>) -> Option<Arc<ValueSet>> {
        let default = self.set(url);
        super::newest(default.as_slice(), wanted).or_else(|| self.set(&versioned(url, wanted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::View;
    use crate::terminology::{Membership, Terminology};

    #[test]
    fn the_tables_of_r4_answer() {
        let terminology = Terminology::new(Arc::new(Defined::new(Arc::new(View::core()))));
        let cases = [
            ("http://hl7.org/fhir/ValueSet/administrative-gender", None, "male", Membership::Yes),
            ("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1", None, "homme", Membership::No),
            ("http://hl7.org/fhir/ValueSet/mimetypes", None, "application/fhir+xml", Membership::Yes),
            ("http://hl7.org/fhir/ValueSet/mimetypes", None, "fhir", Membership::No),
            ("http://hl7.org/fhir/ValueSet/all-languages", Some("urn:ietf:bcp:47"), "fr-FR", Membership::Yes),
            ("http://hl7.org/fhir/ValueSet/currencies", None, "EUR", Membership::Yes),
            ("http://hl7.org/fhir/ValueSet/iso3166-1-3", Some("urn:iso:std:iso:3166"), "FRA", Membership::Yes),
            ("http://hl7.org/fhir/ValueSet/iso3166-1-3", Some("urn:iso:std:iso:3166"), "FR", Membership::No),
            ("http://hl7.org/fhir/ValueSet/ucum-units", Some("http://unitsofmeasure.org"), "mg/dL", Membership::Yes),
            ("http://hl7.org/fhir/ValueSet/ucum-units", Some("http://unitsofmeasure.org"), "mgg", Membership::No),
            (
                "http://hl7.org/fhir/ValueSet/all-distance-units",
                Some("http://unitsofmeasure.org"),
                "m",
                Membership::Yes,
            ),
            ("http://hl7.org/fhir/ValueSet/all-distance-units", Some("http://unitsofmeasure.org"), "s", Membership::No),
        ];
        for (set, system, code, expected) in cases {
            assert_eq!(terminology.member(set, system, code, None), expected, "{set} {code}");
        }
    }
}
