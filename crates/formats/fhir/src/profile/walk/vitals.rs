//! Vital signs: R4 has profiles that every Observation of such a sign follows, whatever it claims (FHIR R4,
//! Vital Signs Profile; the "magic" LOINC codes).
//!
//! The sign is told by its LOINC code; in the category `vital-signs` also by the SNOMED CT concept of the same
//! sign, since the profiles ask for the LOINC code beside any other.

use super::Walk;
use crate::profile::library::{CORE, Followed};
use crate::tape::Node;

/// LOINC code, SNOMED CT concept, profile.
const SIGNS: &[(&str, &[&str], &str)] = &[
    ("85353-1", &[], "vitalspanel"),
    ("9279-1", &["86290005"], "resprate"),
    ("8867-4", &["364075005"], "heartrate"),
    ("2708-6", &["431314004"], "oxygensat"),
    ("8310-5", &["386725007", "276885007"], "bodytemp"),
    ("8302-2", &["50373000"], "bodyheight"),
    ("9843-4", &["363812007", "363811000"], "headcircum"),
    ("29463-7", &["27113001"], "bodyweight"),
    ("39156-5", &["60621009"], "bmi"),
    ("85354-9", &["75367002"], "bp"),
];

impl<'d> Walk<'_, 'd> {
    /// Against the profile of its sign, unless it claims that one itself.
    pub(super) fn vital_sign(&mut self, observation: Node<'d>) {
        let Some(profile) = profile_of(observation) else { return };
        let canonical = format!("{CORE}{profile}");
        let claims = observation.get("meta").and_then(|meta| meta.get("profile")).into_iter().flat_map(Node::items);
        let is_claimed = { claims }.filter_map(Node::str).any(|claim| self.is_or_derives_from(claim, &canonical));
        if is_claimed {
            return;
        }
        if let Followed::Profile(program) = self.library.follow(&canonical) {
            self.against(observation, &program);
        }
    }

    /// The profile is that one, or constrains it.
    fn is_or_derives_from(&self, profile: &str, wanted: &str) -> bool {
        let mut here = profile.to_owned();
        for _ in 0..super::MAX_DEPTH {
            if here.split('|').next() == Some(wanted) {
                return true;
            }
            match self.library.structure(&here).and_then(|structure| structure.base.clone()) {
                Some(base) => here = base.into(),
                None => return false,
            }
        }
        false
    }
}

fn profile_of(observation: Node<'_>) -> Option<&'static str> {
    let codings = || observation.get("code").into_iter().flat_map(|code| code.all("coding"));
    let has = |system: &str, code: &str| {
        codings().any(|coding| coding.text("system") == Some(system) && coding.text("code") == Some(code))
    };
    let by_loinc = SIGNS.iter().find(|(loinc, ..)| has("http://loinc.org", loinc));
    let is_vital = || {
        let categories = observation.all("category").flat_map(|category| category.all("coding"));
        { categories }.any(|coding| {
            coding.text("code") == Some("vital-signs")
                && coding.text("system") == Some("http://terminology.hl7.org/CodeSystem/observation-category")
        })
    };
    let by_snomed = || {
        let same = |concepts: &[&str]| concepts.iter().any(|concept| has("http://snomed.info/sct", concept));
        SIGNS.iter().find(|(_, concepts, _)| same(concepts)).filter(|_| is_vital())
    };
    by_loinc.or_else(by_snomed).map(|(.., profile)| *profile)
}

#[cfg(test)]
mod tests {
    use crate::profile::{Options, Validator};
    use crate::tape::Document;

    #[test]
    fn a_vital_sign_is_of_a_day_or_of_a_period() {
        let validator = Validator::core(Options::default());
        for (effective, wanted) in [
            (r#""effectiveDateTime":"2024-01-01""#, 0),
            (r#""effectiveDateTime":"2024-01""#, 1),
            (r#""effectivePeriod":{"start":"2024"}"#, 0),
        ] {
            let json = format!(
                r#"{{"resourceType":"Observation","status":"final","category":[{{"coding":[{{"code":"vital-signs",
                "system":"http://terminology.hl7.org/CodeSystem/observation-category"}}]}}],
                "code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4"}}]}},"subject":{{"reference":"Patient/1"}},
                "valueQuantity":{{"value":70,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}},{effective}}}"#
            );
            let report = validator.validate(&Document::parse(json).unwrap(), &[]);
            let errors: Vec<_> = report.findings.iter().filter(|finding| finding.is_error()).collect();
            assert_eq!(errors.len(), wanted, "{effective}: {errors:?}");
        }
    }

    #[test]
    fn a_vital_sign_follows_its_profile() {
        let category = r#""category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"#;
        let loinc = r#"{"system":"http://loinc.org","code":"8310-5"}"#;
        let snomed = r#"{"system":"http://snomed.info/sct","code":"276885007"}"#;
        let value = r#""valueQuantity":{"value":36.5,"unit":"°C","system":"http://unitsofmeasure.org","code":"Cel"},"#;
        let validator = Validator::core(Options::default());
        for (name, category, codes, value, wanted) in [
            ("right", category, loinc, value, 0),
            ("both codes", category, &*format!("{loinc},{snomed}"), value, 0),
            ("without the LOINC code", category, snomed, value, 1),
            ("without category", "", loinc, value, 2),
            ("without value", category, loinc, "", 1),
            ("no vital sign", "", snomed, "", 0),
        ] {
            let json = format!(
                r#"{{"resourceType":"Observation","status":"final",{category}"code":{{"coding":[{codes}]}},{value}
                "subject":{{"reference":"Patient/1"}},"effectiveDateTime":"2024-01-01"}}"#
            );
            let report = validator.validate(&Document::parse(json).unwrap(), &[]);
            let errors: Vec<_> = report.findings.iter().filter(|finding| finding.is_error()).collect();
            assert_eq!(errors.len(), wanted, "{name}: {errors:?}");
        }
    }
}
