use super::*;
use crate::definitions::{Element, Max, SlicingRules, r4, read_structure};
use crate::tape::Document;

fn profile(type_name: &str, base: &str, elements: &str) -> Structure {
    let text = format!(
        r#"{{"resourceType":"StructureDefinition","url":"http://a/p","name":"P","status":"draft","kind":"resource",
            "abstract":false,"type":"{type_name}","baseDefinition":"{base}","derivation":"constraint",
            "differential":{{"element":[{elements}]}}}}"#
    );
    read_structure(Document::parse(text.into_bytes()).unwrap().root()).unwrap()
}

const PATIENT: &str = "http://hl7.org/fhir/StructureDefinition/Patient";
const OBSERVATION: &str = "http://hl7.org/fhir/StructureDefinition/Observation";
const QUESTIONNAIRE: &str = "http://hl7.org/fhir/StructureDefinition/Questionnaire";

fn made(type_name: &str, elements: &str) -> Snapshot {
    let base = format!("http://hl7.org/fhir/StructureDefinition/{type_name}");
    generate(&profile(type_name, &base, elements), &|url| r4().structure(url)).unwrap()
}

#[track_caller]
fn at<'s>(snapshot: &'s Snapshot, id: &str) -> &'s Element {
    snapshot.structure.elements.iter().find(|element| &*element.id == id).unwrap_or_else(|| panic!("no {id}"))
}

#[test]
fn a_slice_walks_into_its_type_and_keeps_the_base() {
    let snapshot = made(
        "Patient",
        r#"{"id":"Patient.identifier","path":"Patient.identifier","min":1,
            "slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"open"}},
           {"id":"Patient.identifier:INS.one","path":"Patient.identifier","sliceName":"INS.one","max":"1"},
           {"id":"Patient.identifier:INS.one.system","path":"Patient.identifier.system","min":1,"fixedUri":"urn:oid:1.2"}"#,
    );
    assert!(snapshot.findings.is_empty(), "{:?}", snapshot.findings);
    let slice = at(&snapshot, "Patient.identifier:INS.one");
    assert_eq!((slice.min, slice.max), (Some(0), Some(Max::Count(1))));
    let system = at(&snapshot, "Patient.identifier:INS.one.system");
    assert_eq!((system.min, &*system.path), (Some(1), "Patient.identifier.system"));
    assert_eq!(system.base.as_ref().map(|base| &*base.path), Some("Identifier.system"));
    assert!(at(&snapshot, "Patient.identifier:INS.one.use").binding.is_some(), "from the datatype");
    let ids: Vec<_> = snapshot.structure.elements.iter().map(|element| &*element.id).collect();
    let place = |id: &str| ids.iter().position(|other| *other == id).unwrap();
    assert_eq!(place("Patient.identifier:INS.one"), place("Patient.identifier") + 1);
    assert!(place("Patient.active") > place("Patient.identifier:INS.one.assigner"));
}

#[test]
fn ids_may_be_absent_from_a_differential() {
    let snapshot = made(
        "Patient",
        r#"{"path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"closed"}},
           {"path":"Patient.identifier","sliceName":"A","min":1},
           {"path":"Patient.identifier.value","min":1},
           {"path":"Patient.identifier","sliceName":"B"}"#,
    );
    assert_eq!(at(&snapshot, "Patient.identifier:A.value").min, Some(1));
    assert_eq!(at(&snapshot, "Patient.identifier:B").min, Some(0));
    assert!(!snapshot.structure.elements.iter().any(|element| &*element.id == "Patient.identifier:B.value"));
}

#[test]
fn a_reslice_starts_from_its_slice_and_follows_it() {
    let snapshot = made(
        "Patient",
        r#"{"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"use"}],"rules":"open"}},
           {"id":"Patient.identifier:a","path":"Patient.identifier","sliceName":"a","max":"3",
            "slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"open"}},
           {"id":"Patient.identifier:b","path":"Patient.identifier","sliceName":"b"},
           {"id":"Patient.identifier:a/one","path":"Patient.identifier","sliceName":"a/one"}"#,
    );
    assert!(snapshot.findings.is_empty(), "{:?}", snapshot.findings);
    assert_eq!(at(&snapshot, "Patient.identifier:a/one").max, Some(Max::Count(3)));
    let slices: Vec<_> =
        snapshot.structure.elements.iter().filter_map(|element| element.slice_name.as_deref()).collect();
    assert_eq!(slices, ["a", "a/one", "b"]);
}

#[test]
fn a_choice_is_narrowed_by_its_shortcut_and_sliced_by_name() {
    let short = made(
        "Observation",
        r#"{"id":"Observation.valueQuantity","path":"Observation.valueQuantity","min":1},
        {"id":"Observation.valueQuantity.unit","path":"Observation.valueQuantity.unit","min":1}"#,
    );
    let value = at(&short, "Observation.value[x]");
    assert_eq!(value.types.iter().map(|t| &*t.code).collect::<Vec<_>>(), ["Quantity"]);
    assert_eq!(value.slicing.as_ref().map(|slicing| slicing.rules), Some(SlicingRules::Closed));
    assert_eq!(at(&short, "Observation.value[x]:valueQuantity.unit").min, Some(1));
    let sliced = made(
        "Observation",
        r#"{"id":"Observation.value[x]:valueString","path":"Observation.value[x]","sliceName":"valueString"}"#,
    );
    assert_eq!(at(&sliced, "Observation.value[x]").types.len(), 11, "other types stay allowed");
    assert_eq!(&*at(&sliced, "Observation.value[x]:valueString").types[0].code, "string");
}

#[test]
fn a_content_reference_is_followed_as_deep_as_the_differential_goes() {
    let snapshot = made(
        "Questionnaire",
        r#"{"id":"Questionnaire.item.item.item.text","path":"Questionnaire.item.item.item.text","min":1}"#,
    );
    assert!(snapshot.findings.is_empty(), "{:?}", snapshot.findings);
    assert_eq!(at(&snapshot, "Questionnaire.item.item.item.text").min, Some(1));
    assert_eq!(at(&snapshot, "Questionnaire.item.text").min, Some(0));
    assert!(at(&snapshot, "Questionnaire.item.item.item.item").content_reference.is_some());
}

#[test]
fn what_contradicts_the_base_is_told_and_does_not_stop_the_rest() {
    let cases = [
        ("a lower minimum", OBSERVATION, r#"{"path":"Observation.status","min":0}"#, "lower than that of the base"),
        ("a higher maximum", PATIENT, r#"{"path":"Patient.active","max":"*"}"#, "higher than that of the base"),
        ("nothing left", PATIENT, r#"{"path":"Patient.name","min":2,"max":"1"}"#, "nothing can be valid"),
        ("another type", PATIENT, r#"{"path":"Patient.active","type":[{"code":"string"}]}"#, "is not among those"),
        ("an unknown element", PATIENT, r#"{"path":"Patient.nom","min":1}"#, "does not exist"),
        ("an unknown element inside", PATIENT, r#"{"path":"Patient.name.nom","min":1}"#, "does not exist"),
        ("a slice of nothing", PATIENT, r#"{"path":"Patient.name","sliceName":"a"}"#, "told apart"),
        (
            "a weaker binding",
            PATIENT,
            r#"{"path":"Patient.gender","binding":{"strength":"example","valueSet":"http://a/v"}}"#,
            "less strict",
        ),
        ("inside several types", OBSERVATION, r#"{"path":"Observation.value[x].unit","min":1}"#, "several types"),
        (
            "inside an unknown profile",
            PATIENT,
            r#"{"path":"Patient.extension","slicing":{"rules":"open"}},
               {"path":"Patient.extension","sliceName":"e","type":[{"code":"Other","profile":["http://a/none"]}]},
               {"path":"Patient.extension.url","min":1}"#,
            "not found",
        ),
    ];
    for (case, base, element, word) in cases {
        let type_name = base.rsplit('/').next().unwrap();
        let both = format!(r#"{element},{{"path":"{type_name}.language","min":1}}"#);
        let snapshot = made(type_name, &both);
        let said: Vec<_> = snapshot.findings.iter().map(|finding| &*finding.message.en).collect();
        assert!(said.iter().any(|said| said.contains(word)), "{case}: {said:?}");
        assert!(snapshot.findings.iter().all(|finding| finding.at.path.starts_with("http://a/p#")), "{case}");
        assert_eq!(at(&snapshot, &format!("{type_name}.language")).min, Some(1), "{case}: the rest is made");
    }
}

#[test]
fn a_base_that_is_not_there_is_an_error_that_names_it() {
    let none = profile("Patient", "http://a/none", "");
    let error = generate(&none, &|url| r4().structure(url)).err().unwrap();
    assert!(error.to_string().contains("http://a/none"), "{error}");
    let orphan = Structure { base: None, ..none };
    assert!(generate(&orphan, &|_| None).is_err());
}

#[test]
fn a_bomb_of_a_differential_stays_small() {
    let deep = format!(r#"{{"path":"Questionnaire{}","min":1}}"#, ".item".repeat(5000));
    let snapshot = made("Questionnaire", &deep);
    assert!(snapshot.findings[0].message.en.contains("levels"));
    let wide: Vec<_> = (0..3000)
        .map(|n| {
            format!(
                r#"{{"path":"Questionnaire.item","sliceName":"s{n}"}},{{"path":"Questionnaire.item.text","min":1}}"#
            )
        })
        .collect();
    let bomb = profile("Questionnaire", QUESTIONNAIRE, &wide.join(","));
    let error = generate(&bomb, &|url| r4().structure(url)).err().unwrap();
    assert!(error.to_string().contains("passes"), "{error}");
}
