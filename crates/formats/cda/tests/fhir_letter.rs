//! A lettre de liaison from a FHIR document: what it becomes, what is told when FHIR does not say it, and that whatever
//! people write in it stays text and passes the official rules.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at what it did not expect, and says what it skips"
)]

mod fixtures;

use proptest::prelude::*;
use serde_json::{Value, json};
use socle_cda::build::fhir::discharge_letter;
use socle_cda::{Document, Finding, Header, Severity};
use socle_xml::library::{Library, Shelf};

const G15: &str = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante";
const CI_SIS: &str = "urn:oid:1.2.250.1.213.1.1.4.322";

fn concept(system: &str, code: &str, display: &str) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": display}]})
}

fn observation(code: &str, value: (&str, Value)) -> Value {
    json!({"resourceType": "Observation", "id": code, "status": "final", "code": concept(CI_SIS, code, ""), value.0: value.1})
}

fn section(code: &str, text: &str, entries: &[&str]) -> Value {
    let entries: Vec<Value> = entries.iter().map(|reference| json!({"reference": reference})).collect();
    json!({
        "code": concept("http://loinc.org", code, ""),
        "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{text}</div>")},
        "entry": entries,
    })
}

/// A letter with everything that is read.
fn bundle() -> Value {
    let patient = fixtures::fhir_patient();
    let resources = [
        json!({
            "resourceType": "Composition", "id": "letter", "status": "final", "type": concept("http://loinc.org", "11490-0", ""),
            "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.250.1.999.5.77"},
            "subject": {"reference": "Patient/p"}, "encounter": {"reference": "urn:uuid:0000-stay"},
            "date": "2026-03-02T17:00:00+01:00", "title": "Lettre de liaison", "confidentiality": "R",
            "author": [{"reference": "PractitionerRole/role"}], "custodian": {"reference": "Organization/chu"},
            "attester": [{"mode": "legal", "party": {"reference": "PractitionerRole/role"}}],
            "section": [
                section("42349-1", "<p>Fièvre à 39,2 °C.</p><p>Douleur &lt; 2 jours</p>", &[]),
                section("42545-4", "", &["Observation/MED-142", "Observation/MED-143", "Observation/MED-309", "Observation/MED-145", "Observation/MED-147"]),
                section("10183-2", "", &["MedicationRequest/m"]),
                section("30954-2", "<ul><li>CRP : 31 mg/L</li><li>x &amp; y</li></ul>", &[]),
                section("48765-2", "", &["AllergyIntolerance/a"]),
                section("18776-5", "<table><tbody><tr><td>Consultation</td><td>09/03/2026</td></tr></tbody></table>", &[]),
            ],
        }),
        patient,
        json!({"resourceType": "PractitionerRole", "id": "role", "practitioner": {"reference": "Practitioner/dr"},
            "organization": {"reference": "Organization/chu"}, "code": [concept(G15, "10", "Médecin")]}),
        json!({"resourceType": "Practitioner", "id": "dr", "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "899700000017"}],
            "name": [{"family": "BERTHELOT", "given": ["Claire"]}]}),
        json!({"resourceType": "Organization", "id": "chu", "name": "Centre hospitalier de Valbrune (fictif)",
            "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.2", "value": "1990000017"}],
            "type": [concept("https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite", "SA01", "")]}),
        json!({"resourceType": "Encounter", "id": "stay", "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP", "display": "Hospitalisation (établissement, y compris HAD)"},
        "serviceType": concept("https://mos.esante.gouv.fr/NOS/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice", "ETABLISSEMENT", ""),
        "period": {"start": "2026-02-25T17:00:00+01:00", "end": "2026-03-02T17:00:00+01:00"},
        "serviceProvider": {"reference": "Organization/chu"},
        "hospitalization": {
            "admitSource": concept("http://snomed.info/sct", "183452005", "hospitalisation en urgence"),
            "dischargeDisposition": concept("http://snomed.info/sct", "160849004", "retour au domicile"),
        }}),
        observation("MED-142", ("valueString", json!("Pyélonéphrite aiguë."))),
        observation("MED-143", ("valueString", json!("Aucun"))),
        observation("MED-309", ("valueBoolean", json!(true))),
        observation("MED-145", ("valueBoolean", json!(false))),
        observation("MED-147", ("valueBoolean", json!(false))),
        json!({"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", "subject": {"reference": "Patient/p"},
            "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "J01DD08", "display": "Céfixime"}], "text": "Céfixime 200 mg"},
            "dosageInstruction": [{"text": "matin et soir", "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d",
                "boundsPeriod": {"start": "2026-03-02", "end": "2026-03-08"}}},
                "doseAndRate": [{"doseQuantity": {"value": 1, "code": "{tbl}", "system": "http://unitsofmeasure.org"}}]}]}),
        json!({"resourceType": "AllergyIntolerance", "id": "a", "type": "allergy", "category": ["medication"], "patient": {"reference": "Patient/p"},
            "code": {"text": "Pénicilline : urticaire"}, "onsetDateTime": "2010-05-01"}),
    ];
    let entries = resources.into_iter().map(|resource| {
        let id = resource["id"].as_str().unwrap();
        let full_url = if id == "stay" {
            "urn:uuid:0000-stay".to_owned()
        } else {
            format!("https://chu.example/fhir/{}/{id}", resource["resourceType"].as_str().unwrap())
        };
        json!({"fullUrl": full_url, "resource": resource})
    });
    json!({"resourceType": "Bundle", "type": "document", "entry": entries.collect::<Vec<_>>()})
}

/// The resource of a type in a bundle.
fn of<'b>(bundle: &'b mut Value, kind: &str) -> &'b mut Value {
    let entries = bundle["entry"].as_array_mut().unwrap();
    &mut entries.iter_mut().find(|entry| entry["resource"]["resourceType"] == kind).unwrap()["resource"]
}

fn built(bundle: &Value) -> Result<Document, Vec<Finding>> {
    let source = socle_fhir::Document::parse(serde_json::to_vec(bundle).unwrap()).unwrap();
    let letter = discharge_letter(&source).map_err(|refused| refused.findings)?;
    letter.build().map_err(|error| panic!("{error}"))
}

#[test]
fn a_fhir_document_becomes_a_letter() {
    let document = built(&bundle()).unwrap();
    let header = Header::read(&document).unwrap();
    assert_eq!(header.id.root.to_string(), "1.2.250.1.999.5.77");
    assert_eq!(header.title, "Lettre de liaison");
    assert_eq!(header.confidentiality.code, "R");
    assert_eq!(header.effective_time.to_string(), "20260302170000+0100");
    assert_eq!(header.ins().unwrap().unwrap().matricule.as_str(), "279035121518989");
    assert_eq!(header.authors[0].ids[0].extension.as_deref(), Some("899700000017"));
    assert_eq!(header.encounter.facility.code, "SA01");
    assert_eq!(header.main_event.practice_setting.code, "ETABLISSEMENT");
    let xml = String::from_utf8(document.bytes().to_vec()).unwrap();
    for part in [
        "<paragraph>Fièvre à 39,2 °C.</paragraph><paragraph>Douleur &lt; 2 jours</paragraph>",
        "Pyélonéphrite aiguë.",
        "Céfixime 200 mg",
        "J01DD08",
        "<period value=\"12\" unit=\"h\"",
        "<item>CRP : 31 mg/L</item><item>x &amp; y</item>",
        "Pénicilline : urticaire",
        "416098002",
        "Consultation : 09/03/2026",
    ] {
        assert!(xml.contains(part), "{part}");
    }
}

#[test]
fn what_fhir_does_not_say_is_told_with_its_place() {
    let cases: [(&str, &str, &str, &str); 13] = [
        ("Composition", "/date", "Bundle.entry[0].resource.date", "date is missing"),
        ("Composition", "/author", "Bundle.entry[0].resource.author", "no author"),
        ("Composition", "/subject", "Bundle.entry[0].resource.subject", "subject is missing"),
        ("Composition", "/encounter", "Bundle.entry[0].resource.encounter", "encounter is missing"),
        ("Encounter", "/period/end", "Bundle.entry[5].resource.period.end", "end is missing"),
        ("Encounter", "/serviceType", "Bundle.entry[5].resource.serviceType", "practice setting"),
        ("Encounter", "/hospitalization/admitSource", "resource.hospitalization.admitSource", "admitSource is missing"),
        ("Organization", "/type", "Bundle.entry[4].resource.type", "facility type"),
        ("Practitioner", "/identifier", "resource", "RPPS"),
        ("Practitioner", "/name", "resource", "no name"),
        ("Observation", "/valueString", "resource.valueString", "valueString is missing"),
        ("MedicationRequest", "/dosageInstruction", "resource.dosageInstruction", "posology"),
        ("AllergyIntolerance", "/code", "resource.code", "code is missing"),
    ];
    for (kind, removed, path, message) in cases {
        let mut bundle = bundle();
        let (parent, member) = removed.rsplit_once('/').unwrap();
        of(&mut bundle, kind).pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(member).unwrap();
        let findings = built(&bundle).err().unwrap_or_else(|| panic!("{kind}{removed} was not missed"));
        let told = findings.iter().any(|f| f.message.en.contains(message) && f.at.path.contains(path));
        assert!(told, "{kind}{removed}: {findings:#?}");
        assert!(!format!("{findings:?}").contains("PAT-TROIS"), "{kind}{removed}");
    }
}

#[test]
fn references_that_lead_nowhere_and_other_bundles_are_told() {
    let mut nowhere = bundle();
    of(&mut nowhere, "Composition")["subject"]["reference"] = json!("Patient/other");
    let findings = built(&nowhere).err().unwrap();
    assert!(findings.iter().any(|f| f.at.path == "Bundle.entry[0].resource.subject.reference" && f.at.line.is_some()));
    let findings = built(&json!({"resourceType": "Bundle", "type": "document"})).err().unwrap();
    assert!(findings[0].message.en.contains("no Composition"));
    let mut placeless = bundle();
    of(&mut placeless, "Patient")["extension"].as_array_mut().unwrap().pop();
    let findings = built(&placeless).err().unwrap();
    assert!(findings.iter().any(|finding| finding.message.en.contains("birth place")), "{findings:?}");
    let mut unqualified = bundle();
    of(&mut unqualified, "Patient")["extension"][0]["extension"].as_array_mut().unwrap().pop();
    let document = built(&unqualified).unwrap();
    assert!(document.patient().unwrap().ins_candidates.is_empty(), "an identity that is not said to be qualified");
}

fn library() -> Option<(tempfile::TempDir, Library)> {
    let bed = fixtures::shared("a letter from FHIR, officially", "documents/cda/testbed")?;
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(folder.path());
    let library = shelf.open(shelf.add(&bed).unwrap()).unwrap();
    Some((folder, library))
}

fn assert_officially_right(document: &Document, library: &Library) {
    let report = socle_cda::validate::validate_document(document, Some(library));
    let errors: Vec<_> = report.findings().filter(|finding| finding.severity == Severity::Error).collect();
    assert_eq!(errors, Vec::<&Finding>::new());
    assert_eq!(report.not_checked().count(), 0);
}

#[test]
fn a_letter_from_fhir_passes_its_official_layers_whatever_is_written_in_it() {
    let Some((_folder, library)) = library() else { return };
    assert_officially_right(&built(&bundle()).unwrap(), &library);
    let text = "[ -~àâçéèêëîïôùûüÿœæÉÈÀ€’\u{1F600}]{1,60}[a-z<>&\"']";
    let config = ProptestConfig { cases: 24, ..ProptestConfig::default() };
    proptest!(config, |(
        summary in text, events in text, family in "[A-Z' -]{1,80}[A-Z]", long in 1..400_usize, optional in any::<[bool; 6]>(),
        medication in text, posology in text, allergy in text,
    )| {
        let mut bundle = bundle();
        let entries = bundle["entry"].as_array_mut().unwrap();
        for entry in entries.iter_mut() {
            let resource = &mut entry["resource"];
            match resource["id"].as_str().unwrap() {
                "MED-142" => resource["valueString"] = json!(summary.repeat(long)),
                "MED-143" => resource["valueString"] = json!(events),
                "dr" => resource["name"][0]["family"] = json!(family),
                "m" => {
                    resource["medicationCodeableConcept"]["text"] = json!(medication);
                    resource["dosageInstruction"][0]["text"] = json!(posology);
                    if optional[0] {
                        resource["dosageInstruction"][0].as_object_mut().unwrap().remove("timing");
                    }
                }
                "a" => {
                    resource["code"]["text"] = json!(allergy);
                    if optional[1] {
                        resource.as_object_mut().unwrap().remove("onsetDateTime");
                        resource["type"] = json!("intolerance");
                    }
                }
                "letter" => {
                    let sections = resource["section"].as_array_mut().unwrap();
                    let optional_sections = [("10183-2", optional[2]), ("48765-2", optional[3]), ("30954-2", optional[4]), ("18776-5", optional[5])];
                    for (code, _) in optional_sections.iter().filter(|(_, absent)| *absent) {
                        sections.retain(|section| section["code"]["coding"][0]["code"] != *code);
                    }
                }
                _ => {}
            }
        }
        assert_officially_right(&built(&bundle).unwrap(), &library);
    });
}
