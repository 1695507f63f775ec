//! The rules of PDSm that have no FHIRPath: one fault per row, found by its rule, where it is.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where it cannot go on, and says what it skips"
)]

#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;

use serde_json::{Value, json};
use socle_fhir::Document;
use socle_fhir::package::{Closure, Limits, Package, View};
use socle_fhir::profile::{Options, Subject, Validator};
use socle_finding::Severity;

const PROFILES: &str = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/";

fn validator() -> Option<Validator> {
    let mut roots = Vec::new();
    for name in ["ans.fhir.fr.pdsm-3.1.1.tgz", "ans.fhir.fr.pdsm-combined.tgz"] {
        let bytes = std::fs::read(support::shared("rules of PDSm", &format!("fhir/packages/{name}"))?).unwrap();
        roots.push(Arc::new(Package::from_archive(name, &bytes, &Limits::default()).unwrap()));
    }
    Some(Validator::of(Arc::new(View::of(Closure::of(&roots, roots.as_slice()))), Options::default()))
}

/// The rules in words that are broken, and where.
fn broken(validator: &Validator, resource: &Value) -> Vec<(String, String, Severity)> {
    let report = validator.validate(&Document::parse(resource.to_string()).unwrap(), &[]);
    let unwritten: Vec<_> = report.not_checked.iter().filter(|one| one.subject == Subject::Invariant).collect();
    assert!(unwritten.is_empty(), "{unwritten:?}");
    let findings = report.findings.iter().filter(|finding| finding.rule.point.starts_with("constr-"));
    findings.map(|finding| (finding.rule.point.to_string(), finding.at.path.clone(), finding.severity)).collect()
}

fn nos(name: &str, code: &str) -> Value {
    json!({"system": format!("https://mos.esante.gouv.fr/NOS/{name}/FHIR/{}", name.replace('_', "-")), "code": code})
}

fn concept(coding: &Value) -> Value {
    json!({"coding": [coding]})
}

fn document() -> Value {
    json!({
        "resourceType": "DocumentReference", "id": "d",
        "meta": {"profile": [format!("{PROFILES}pdsm-comprehensive-document-reference")]},
        "contained": [
            {"resourceType": "PractitionerRole", "id": "ps"},
            {"resourceType": "Patient", "id": "patient"}
        ],
        "status": "current",
        "type": concept(&json!({"system": "http://loinc.org", "code": "34133-9"})),
        "category": [concept(&nos("TRE_A03-ClasseDocument", "10"))],
        "author": [{"reference": "#ps"}],
        "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/old"}}],
        "content": [{
            "attachment": {"contentType": "application/pdf", "url": "Binary/6789"},
            "format": nos("TRE_A11-IheFormatCode", "urn:ihe:iti:xds-sd:pdf:2008")
        }],
        "context": {
            "event": [concept(&json!({"system": "urn:oid:1.2.250.1.213.2.5", "code": "HBGD036"}))],
            "facilityType": concept(&nos("TRE_R02-SecteurActivite", "SA01")),
            "practiceSetting": concept(&nos("TRE_A01-CadreExercice", "ETABLISSEMENT"))
        }
    })
}

#[test]
fn each_rule_in_words_finds_its_fault() {
    let Some(validator) = validator() else { return };
    assert_eq!(broken(&validator, &document()), [], "a document without fault");
    type Spoil = fn(&mut Value);
    let cases: [(&str, Spoil, &str, &str); 15] = [
        (
            "a type of another nomenclature",
            |d| d["type"] = concept(&nos("TRE_A03-ClasseDocument", "10")),
            "constr-bind-type",
            "type",
        ),
        ("a type of text alone", |d| d["type"] = json!({"text": "CR"}), "constr-bind-type", "type"),
        ("a type without its system", |d| d["type"] = concept(&json!({"code": "34133-9"})), "constr-bind-type", "type"),
        (
            "the second category of LOINC",
            |d| {
                d["category"] = json!([
                    concept(&nos("TRE_A03-ClasseDocument", "10")),
                    concept(&json!({"system": "http://loinc.org", "code": "34133-9"}))
                ])
            },
            "constr-bind-category",
            "category[1]",
        ),
        (
            "a format of LOINC",
            |d| d["content"][0]["format"] = json!({"system": "http://loinc.org", "code": "34133-9"}),
            "constr-bind-format",
            "content[0].format",
        ),
        (
            "an event of no nomenclature",
            |d| d["context"]["event"] = json!([concept(&json!({"code": "HBGD036"}))]),
            "constr-bind-context-event",
            "context.event[0]",
        ),
        (
            "a patient's nomenclature for a professional's document",
            |d| d["context"]["facilityType"] = concept(&nos("TRE_A00-ProducteurDocNonPS", "PAT")),
            "constr-bind-ProducteurDoc",
            "context.facilityType",
        ),
        (
            "a professional's nomenclature for a patient's document",
            |d| d["author"] = json!([{"reference": "#patient"}]),
            "constr-bind-ProducteurDoc",
            "context.facilityType",
        ),
        (
            "a facility of practice settings, authors of both kinds",
            |d| {
                d["author"] = json!([{"reference": "#patient"}, {"reference": "#ps"}]);
                d["context"]["facilityType"] = concept(&nos("TRE_A01-CadreExercice", "ETABLISSEMENT"));
            },
            "constr-bind-ProducteurDoc",
            "context.facilityType",
        ),
        (
            "a practice setting of LOINC",
            |d| d["context"]["practiceSetting"] = concept(&json!({"system": "http://loinc.org", "code": "34133-9"})),
            "constr-bind-ProducteurDoc",
            "context.practiceSetting",
        ),
        (
            "a URL that leads to a patient",
            |d| d["content"][0]["attachment"]["url"] = json!("Patient/6789"),
            "constr-bind-attachmenturl",
            "content[0].attachment.url",
        ),
        (
            "a URL without an id",
            |d| d["content"][0]["attachment"]["url"] = json!("Binary/"),
            "constr-bind-attachmenturl",
            "content[0].attachment.url",
        ),
        (
            "a replacement that transforms too",
            |d| {
                let other = json!({"code": "transforms", "target": {"reference": "DocumentReference/other"}});
                d["relatesTo"].as_array_mut().unwrap().push(other);
            },
            "constr-bind-relatesTo",
            "relatesTo[0]",
        ),
        (
            "two replaced",
            |d| {
                let again = d["relatesTo"][0].clone();
                d["relatesTo"].as_array_mut().unwrap().push(again);
            },
            "constr-bind-relatesTo",
            "relatesTo[0]",
        ),
        (
            "a format without code",
            |d| d["content"][0]["format"] = json!({"system": nos("TRE_A11-IheFormatCode", "")["system"]}),
            "constr-bind-format",
            "content[0].format",
        ),
    ];
    for (name, spoil, rule, at) in cases {
        let mut spoiled = document();
        spoil(&mut spoiled);
        let expected = [(rule.to_owned(), format!("DocumentReference.{at}"), Severity::Error)];
        assert_eq!(broken(&validator, &spoiled), expected, "{name}");
    }
}

#[test]
fn what_the_rules_allow_is_let_pass() {
    let Some(validator) = validator() else { return };
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 6] = [
        ("IHE's own name of TRE_A11", |d| {
            d["content"][0]["format"]["system"] =
                json!("http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode");
        }),
        ("a document found by a search", |d| {
            d["content"][0]["attachment"]["url"] = json!("https://depot.example.fr/documents?id=12");
        }),
        ("a patient's document", |d| {
            d["author"] = json!([{"reference": "Patient/1"}]);
            d["context"]["facilityType"] = concept(&nos("TRE_A00-ProducteurDocNonPS", "PAT"));
        }),
        ("no replacement, two other relations", |d| {
            d["relatesTo"][0]["code"] = json!("appends");
            let again = d["relatesTo"][0].clone();
            d["relatesTo"].as_array_mut().unwrap().push(again);
        }),
        ("no event", |d| _ = d["context"].as_object_mut().unwrap().remove("event")),
        ("a code of ours beside the asked one", |d| {
            d["type"]["coding"].as_array_mut().unwrap().insert(0, json!({"system": "urn:oid:1.2.3", "code": "a"}));
        }),
    ];
    for (name, change) in cases {
        let mut changed = document();
        change(&mut changed);
        assert_eq!(broken(&validator, &changed), [], "{name}");
    }
}

/// A transaction: the document, what it replaces, its Binary.
fn transaction(url: &str, replaced: Value) -> Value {
    let mut document = document();
    document["content"][0]["attachment"]["url"] = json!(url);
    document["relatesTo"][0]["target"]["reference"] = json!("urn:uuid:00000000-0000-4000-8000-000000000002");
    let entry = |id: u8, resource: Value| {
        let kind = resource["resourceType"].clone();
        json!({
            "fullUrl": format!("urn:uuid:00000000-0000-4000-8000-00000000000{id}"),
            "resource": resource,
            "request": {"method": "POST", "url": kind}
        })
    };
    let binary = json!({"resourceType": "Binary", "contentType": "text/plain", "data": "YQ=="});
    json!({
        "resourceType": "Bundle", "type": "transaction",
        "entry": [entry(1, document), entry(2, replaced), entry(3, binary)]
    })
}

#[test]
fn in_a_transaction_the_url_is_of_its_binary_and_the_replaced_document_follows_the_profile() {
    let Some(validator) = validator() else { return };
    let patient = || json!({"resourceType": "Patient"});
    let keys = |bundle: &Value| broken(&validator, bundle).into_iter().map(|(key, ..)| key).collect::<Vec<_>>();
    let target = "constr-bind-relatesToTarget";
    for (url, expected) in [
        ("Binary/1", vec![target]),
        ("urn:uuid:00000000-0000-4000-8000-000000000003", vec![target]),
        ("urn:uuid:00000000-0000-4000-8000-000000000002", vec![target, "constr-bind-attachmenturl"]),
        ("https://depot.example.fr/documents?id=12", vec![target, "constr-bind-attachmenturl"]),
    ] {
        let mut found = keys(&transaction(url, patient()));
        found.sort_by_key(|key| key != target);
        assert_eq!(found, expected, "{url}");
    }
}

#[test]
fn advice_is_no_error_and_the_submission_set_has_its_rule() {
    let Some(validator) = validator() else { return };
    let mut simple = document();
    simple["meta"]["profile"] = json!([format!("{PROFILES}pdsm-simplified-publish")]);
    assert_eq!(broken(&validator, &simple), []);
    simple["context"]["facilityType"] = concept(&json!({"system": "http://loinc.org", "code": "34133-9"}));
    let advised = ("constr-bind-ProducteurDoc-simplified", "DocumentReference.context.facilityType");
    let expected = [(advised.0.to_owned(), advised.1.to_owned(), Severity::Information)];
    assert_eq!(broken(&validator, &simple), expected);

    let lot = |coding: Value| {
        json!({
            "resourceType": "List", "status": "current", "mode": "working",
            "meta": {"profile": [format!("{PROFILES}pdsm-submissionset-comprehensive")]},
            "extension": [{
                "url": "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType",
                "valueCodeableConcept": concept(&coding)
            }]
        })
    };
    assert_eq!(broken(&validator, &lot(nos("TRE_R209-TypeActivite", "07"))), []);
    let found = broken(&validator, &lot(nos("TRE_A03-ClasseDocument", "10")));
    let expected = [("constr-bind-designationtype".to_owned(), "List.extension[0]".to_owned(), Severity::Error)];
    assert_eq!(found, expected);
}
