//! Rules that profiles state by little used means: one thing broken per row.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::sync::Arc;

use socle_fhir::Document;
use socle_fhir::package::View;
use socle_fhir::profile::{Options, Report, Validator};
use socle_finding::Severity;

const PROFILE: &str = "http://example.fr/StructureDefinition/essai";

/// A profile on a type, of these elements.
fn profile(of: &str, elements: &str) -> Document {
    Document::parse(text(of, elements)).unwrap()
}

fn text(of: &str, elements: &str) -> String {
    format!(
        r#"{{"resourceType":"StructureDefinition","url":"{PROFILE}","name":"Essai","status":"draft","fhirVersion":"4.0.1",
        "kind":"resource","abstract":false,"type":"{of}","baseDefinition":"http://hl7.org/fhir/StructureDefinition/{of}",
        "derivation":"constraint","differential":{{"element":[{elements}]}}}}"#
    )
}

fn validator(definitions: Vec<Document>, options: Options) -> Validator {
    let mut view = View::core();
    for definition in definitions {
        view.add(Arc::new(definition)).unwrap();
    }
    Validator::of(Arc::new(view), options)
}

fn report(definitions: Vec<Document>, document: &str) -> Report {
    validator(definitions, Options::default()).validate(&Document::parse(document.to_owned()).unwrap(), &[PROFILE])
}

/// The places and points of the errors.
fn errors(report: &Report) -> Vec<String> {
    let errors = report.findings.iter().filter(|finding| finding.is_error());
    errors.map(|finding| format!("{} {}", finding.at.path, finding.rule.point)).collect()
}

#[test]
fn a_bound_is_compared_in_its_own_unit() {
    let of = |bound: &str| {
        profile(
            "Observation",
            &format!(
                r#"{{"path":"Observation.value[x]","type":[{{"code":"Quantity"}}]}},{{"path":"Observation.valueQuantity",{bound}}}"#
            ),
        )
    };
    let min = r#""minValueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"kg"}"#;
    let max = r#""maxValueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"kg"}"#;
    for (bound, value, system, code, wanted) in [
        (min, "1000", "http://unitsofmeasure.org", "g", None),
        (min, "999.9", "http://unitsofmeasure.org", "g", Some("minValue")),
        (min, "1", "http://unitsofmeasure.org", "kg", None),
        (min, "0.99", "http://unitsofmeasure.org", "kg", Some("minValue")),
        (max, "1000.1", "http://unitsofmeasure.org", "g", Some("maxValue")),
        (max, "1", "http://unitsofmeasure.org", "kg", None),
        // A length is no mass, an own system is not UCUM: nothing can be said.
        (min, "0", "http://unitsofmeasure.org", "m", None),
        (min, "0", "http://example.fr/unites", "g", None),
    ] {
        let document = format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"a"}},
            "valueQuantity":{{"value":{value},"system":"{system}","code":"{code}"}}}}"#
        );
        let found = errors(&report(vec![of(bound)], &document));
        let wanted: Vec<String> = wanted
            .map(|point| format!("Observation.value.ofType(Quantity) Observation.value[x]:valueQuantity {point}"))
            .into_iter()
            .collect();
        assert_eq!(found, wanted, "{bound} {value} {code} {system}");
    }
}

#[test]
fn a_duration_bounds_a_date_from_now() {
    let years = |name: &str, years: u32| {
        format!(
            r#"{{"path":"Patient.birthDate","{name}":{{"value":{years},"system":"http://unitsofmeasure.org","code":"a"}}}}"#
        )
    };
    for (bound, date, wanted) in [
        (years("minValueQuantity", 130), "1850-01-01", true),
        (years("minValueDuration", 130), "1850", true),
        (years("minValueQuantity", 130), "2000-01-01", false),
        (years("maxValueQuantity", 1), "9990-01-01", true),
        (years("maxValueQuantity", 1), "2000-01-01", false),
        (r#"{"path":"Patient.birthDate","minValueDate":"2000-06-01"}"#.to_owned(), "2000-05-31", true),
        (r#"{"path":"Patient.birthDate","minValueDate":"2000-06-01"}"#.to_owned(), "2000-06-01", false),
        // Of a year alone nobody knows.
        (r#"{"path":"Patient.birthDate","minValueDate":"2000-06-01"}"#.to_owned(), "2000", false),
    ] {
        let document = format!(r#"{{"resourceType":"Patient","birthDate":"{date}"}}"#);
        let found = errors(&report(vec![profile("Patient", &bound)], &document));
        assert_eq!(!found.is_empty(), wanted, "{bound} {date}: {found:?}");
        assert!(found.iter().all(|error| error.starts_with("Patient.birthDate ")), "{found:?}");
    }
}

#[test]
fn extensions_stand_for_a_value_only_where_the_profile_lets_them() {
    const R5: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition";
    const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
    let alternatives = format!(
        r#"{{"path":"Patient.active","min":1,"extension":[{{"url":"{R5}.valueAlternatives","valueCanonical":"{ABSENT}"}}]}}"#
    );
    let must =
        format!(r#"{{"path":"Patient.active","extension":[{{"url":"{R5}.mustHaveValue","valueBoolean":true}}]}}"#);
    let free = r#"{"path":"Patient.active","min":1}"#.to_owned();
    let absent = format!(r#""_active":{{"extension":[{{"url":"{ABSENT}","valueCode":"unknown"}}]}}"#);
    let flavor = r#""_active":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-nullFlavor","valueCode":"MSK"}]}"#;
    for (element, member, wanted) in [
        (&alternatives, r#""active":true"#, None),
        (&alternatives, &*absent, None),
        (&alternatives, flavor, Some("valueAlternatives")),
        (&must, r#""active":true"#, None),
        (&must, &*absent, Some("mustHaveValue")),
        (&free, flavor, None),
    ] {
        let document = format!(r#"{{"resourceType":"Patient",{member}}}"#);
        let found = errors(&report(vec![profile("Patient", element)], &document));
        let wanted: Vec<String> =
            wanted.map(|point| format!("Patient.active Patient.active {point}")).into_iter().collect();
        assert_eq!(found, wanted, "{element} {member}");
    }
}

#[test]
fn the_type_of_an_entry_is_the_one_of_the_profile() {
    let manifests = r#"{"path":"Bundle.entry.resource","type":[{"code":"Resource","profile":["http://hl7.org/fhir/StructureDefinition/Basic"]}]}"#;
    for (kind, rest, wanted) in [("Basic", r#","code":{"text":"a"}"#, 0), ("Patient", "", 1)] {
        let document = format!(
            r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"fullUrl":"urn:uuid:b6b9a3b0-6a4e-4f0e-9d0d-0d5b0f5d3d10",
            "resource":{{"resourceType":"{kind}"{rest}}}}}]}}"#
        );
        let found = errors(&report(vec![profile("Bundle", manifests)], &document));
        assert_eq!(found.len(), wanted, "{kind}: {found:?}");
        assert!(found.iter().all(|error| error.starts_with("Bundle.entry[0].resource ")), "{found:?}");
    }
}

#[test]
fn a_profile_that_another_one_asks_for_is_listed_when_it_is_not_known() {
    let element =
        r#"{"path":"Patient.identifier","type":[{"code":"Identifier","profile":["http://example.fr/inconnu"]}]}"#;
    let document = Document::parse(r#"{"resourceType":"Patient","identifier":[{"value":"1"}]}"#).unwrap();
    for severity in [Severity::Information, Severity::Error] {
        let options = Options { required_profile_unknown: severity, ..Options::default() };
        let report = validator(vec![profile("Patient", element)], options).validate(&document, &[PROFILE]);
        assert_eq!(report.count(severity), 1, "{:?}", report.findings);
        assert_eq!(report.not_checked.len(), 1);
        assert_eq!(report.not_checked[0].name, "http://example.fr/inconnu");
        assert_eq!(report.is_valid(), severity != Severity::Error);
    }
}

#[test]
fn a_profile_asks_for_languages_and_sources_in_the_narrative() {
    let element = |name: &str, code: &str| {
        format!(
            r#"{{"path":"Patient.text","extension":[{{"url":"http://hl7.org/fhir/StructureDefinition/narrative-{name}-control","valueCode":"{code}"}}]}}"#
        )
    };
    let (plain, one, two) = (
        "<p>a</p>",
        "<div lang='fr' xml:lang='fr'>a</div>",
        "<div lang='de' xml:lang='de'>a</div><div xml:lang='EN'>b</div>",
    );
    for (element, inside, wanted) in [
        (element("language", "_no"), plain, 0),
        (element("language", "_no"), one, 1),
        (element("language", "_yes"), plain, 1),
        (element("language", "_yes"), two, 0),
        (element("language", "_resource"), one, 0),
        (element("language", "_resource"), two, 1),
        (element("language", "en"), two, 0),
        (element("language", "en"), one, 1),
        (element("source", "error"), plain, 1),
        (element("source", "error"), "<p class='generated'>a <b>b</b></p>", 0),
        (element("source", "error"), "<p class='note generated'>a</p> b <i>c</i>", 2),
        (element("source", "warning"), plain, 0),
    ] {
        let document = format!(
            r#"{{"resourceType":"Patient","language":"fr","text":{{"status":"generated",
            "div":"<div xmlns='http://www.w3.org/1999/xhtml'>{inside}</div>"}}}}"#
        );
        let found = errors(&report(vec![profile("Patient", &element)], &document));
        assert_eq!(found.len(), wanted, "{element} {inside}: {found:?}");
        assert!(found.iter().all(|error| error.starts_with("Patient.text.div ")), "{found:?}");
    }
}

#[test]
fn a_section_follows_one_element_of_a_library_of_sections() {
    const LIBRARY: &str = "http://example.fr/StructureDefinition/sections";
    let section = |name: &str, code: &str, more: &str| {
        format!(
            r#"{{"path":"Composition.section","sliceName":"{name}"}},
            {{"path":"Composition.section.code","min":1,"patternCodeableConcept":{{"coding":[{{"system":"http://example.fr/s","code":"{code}"}}]}}}},
            {{"path":"Composition.section.{more}","min":1}}"#
        )
    };
    let slicing = r#"{"path":"Composition.section","slicing":{"discriminator":[{"type":"pattern","path":"code"}],"rules":"closed"}}"#;
    let library =
        text("Composition", &format!("{slicing},{},{}", section("a", "a", "title"), section("b", "b", "mode")));
    let library = library.replace(PROFILE, LIBRARY);
    let slice = |name: &str| {
        format!(
            r#"{{"path":"Composition.section","sliceName":"{name}","type":[{{"code":"BackboneElement","profile":["{LIBRARY}"],
            "_profile":[{{"extension":[{{"url":"http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element","valueString":"Composition.section:{name}"}}]}}]}}]}}"#
        )
    };
    let document = text("Composition", &format!("{slicing},{},{}", slice("a"), slice("b")));
    for (code, member, wanted) in [
        ("a", r#""title":"t""#, None),
        ("b", r#""mode":"working""#, None),
        ("a", r#""mode":"working""#, Some("Composition.section[0] Composition.section:a.title min 1")),
        ("b", r#""title":"t""#, Some("Composition.section[0] Composition.section:b.mode min 1")),
        ("c", r#""title":"t""#, Some("Composition.section[0] Composition.section slicing closed")),
    ] {
        let composition = format!(
            r#"{{"resourceType":"Composition","status":"final","type":{{"text":"a"}},"date":"2024-01-01","author":[{{"display":"a"}}],"title":"a",
            "section":[{{{member},"code":{{"coding":[{{"system":"http://example.fr/s","code":"{code}"}}]}},"text":{{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'>a</div>"}}}}]}}"#
        );
        let definitions = [&library, &document].map(|text| Document::parse(text.clone()).unwrap());
        let found = errors(&report(definitions.into(), &composition));
        assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "{code} {member}");
    }
}

#[test]
fn a_display_of_the_value_set_that_a_profile_binds_is_right() {
    const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v2-0131";
    let bound = |strength: &str| {
        let text = text(
            "Patient",
            &format!(
                r##"{{"path":"Patient.contact.relationship","binding":{{"strength":"{strength}","valueSet":"#liens"}}}}"##
            ),
        );
        let contained = format!(
            r#""contained":[{{"resourceType":"ValueSet","id":"liens","status":"draft","expansion":{{"timestamp":"2024-01-01","contains":[
            {{"system":"{SYSTEM}","code":"C","display":"urgence"}},{{"system":"{SYSTEM}","code":"N","designation":[{{"value":"proche"}}]}}]}}}}],"url""#
        );
        Document::parse(text.replacen(r#""url""#, &contained, 1)).unwrap()
    };
    for (code, display, wanted) in [
        ("C", "urgence", vec![]),
        ("N", "proche", vec![]),
        ("C", "proche", vec!["Patient.contact[0].relationship[0].coding[0].display Coding.display"]),
        (
            "E",
            "Employer",
            vec!["Patient.contact[0].relationship[0] binding http://example.fr/StructureDefinition/essai#liens"],
        ),
    ] {
        let document = format!(
            r#"{{"resourceType":"Patient","contact":[{{"name":{{"text":"a"}},"relationship":[{{"coding":[{{"system":"{SYSTEM}","code":"{code}","display":"{display}"}}]}}]}}]}}"#
        );
        let options = Options { wrong_display: Severity::Error, ..Options::default() };
        let document = Document::parse(document).unwrap();
        let found = errors(&validator(vec![bound("required")], options).validate(&document, &[PROFILE]));
        assert_eq!(found, wanted, "{code} {display}");
    }
}

#[test]
fn a_slice_is_told_by_an_extension_that_it_slices_again() {
    const KIND: &str = "http://example.fr/StructureDefinition/genre";
    let extension = format!(
        r#"{{"resourceType":"StructureDefinition","url":"{KIND}","name":"Genre","status":"draft","fhirVersion":"4.0.1",
        "kind":"complex-type","abstract":false,"context":[{{"type":"element","expression":"PlanDefinition.action"}}],
        "type":"Extension","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Extension","derivation":"constraint",
        "differential":{{"element":[{{"path":"Extension.url","fixedUri":"{KIND}"}},{{"path":"Extension.value[x]","min":1,"type":[{{"code":"code"}}]}}]}}}}"#
    );
    let slice = |name: &str, member: &str| {
        format!(
            r#",{{"id":"PlanDefinition.action:{name}","path":"PlanDefinition.action","sliceName":"{name}","min":1}},
            {{"id":"PlanDefinition.action:{name}.extension:genre/{name}","path":"PlanDefinition.action.extension","sliceName":"genre/{name}","min":1,"max":"1",
            "type":[{{"code":"Extension","profile":["{KIND}"]}}]}},
            {{"id":"PlanDefinition.action:{name}.extension:genre/{name}.valueCode","path":"PlanDefinition.action.extension.valueCode","min":1,"type":[{{"code":"code"}}],"fixedCode":"{name}"}},
            {{"id":"PlanDefinition.action:{name}.{member}","path":"PlanDefinition.action.{member}","min":1}}"#
        )
    };
    let elements = format!(
        r#"{{"id":"PlanDefinition.action","path":"PlanDefinition.action","slicing":{{"discriminator":[{{"type":"value","path":"extension('{KIND}').value"}}],"rules":"open"}},"min":1}},
        {{"id":"PlanDefinition.action.extension:genre","path":"PlanDefinition.action.extension","sliceName":"genre","type":[{{"code":"Extension","profile":["{KIND}"]}}]}}{}{}"#,
        slice("seul", "title"),
        slice("choix", "description"),
    );
    let action = |kind: &str, member: &str| {
        format!(r#"{{"extension":[{{"url":"{KIND}","valueCode":"{kind}"}}],"{member}":"a"}}"#)
    };
    for (first, second, wanted) in [
        (action("seul", "title"), action("choix", "description"), vec![]),
        (
            action("seul", "description"),
            action("choix", "description"),
            vec!["PlanDefinition.action[0] PlanDefinition.action:seul.title min 1"],
        ),
        (action("seul", "title"), action("seul", "title"), vec!["PlanDefinition PlanDefinition.action:choix min 1"]),
    ] {
        let plan = format!(r#"{{"resourceType":"PlanDefinition","status":"draft","action":[{first},{second}]}}"#);
        let definitions = vec![Document::parse(extension.clone()).unwrap(), profile("PlanDefinition", &elements)];
        assert_eq!(errors(&report(definitions, &plan)), wanted, "{first} {second}");
    }
}
