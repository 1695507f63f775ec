//! Documents built from plain values: right, or refused with every fault; judged by the schema too.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod fixtures;

use serde_json::{Value, json};
use socle_cda::build::BuildError;
use socle_cda::build::model::{Level1, Plan};
use socle_cda::xds::{Cx, DocumentEntry, EntryOptions};
use socle_cda::{Body, Document, Header, Severity};

fn header() -> Value {
    let author = json!({
        "id": "899700000017", "family": "MARTIN", "given": "ALICE", "title": "DR",
        "specialty": {"code": "G15_10/SM26", "label": "Médecin - Qualifié en Médecine Générale (SM)"},
        "structure": {"id": "499700000017001", "name": "Cabinet du Dr Martin"},
    });
    json!({
        "id": "0f3c2a51-7d4e-4b6a-9c1d-8e2f4a5b6c7d",
        "written_at": "2026-03-02T10:15:00+01:00",
        "patient": {
            "ins": {"matricule": "279035121518989", "oid": "1.2.250.1.213.1.4.10", "qualified": true},
            "birth_name": "PAT-TROIS", "given_names": "DOMINIQUE MARIE-LOUISE", "first_given_name": "DOMINIQUE",
            "sex": "F", "birth_date": "1979-03-28", "birth_place": "51215",
            "local_ids": [{"oid": "1.2.250.1.999.7.9", "value": "IPP0001"}],
        },
        "author": author,
        "act": {"start": "2026-03-02T09:30:00+01:00", "practice_setting": "AMBULATOIRE"},
        "encounter": {"facility": "SA07"},
    })
}

fn level_1(kind: &str, header: Value, file: &[u8]) -> Level1 {
    let plan = serde_json::from_value(json!({"model": "n1", "type": kind, "header": header})).unwrap();
    let Plan::N1(document) = plan else { panic!("a niveau 1") };
    let mut document = *document;
    document.file = file.to_vec();
    document
}

fn letter_plan() -> Value {
    let snomed = |code: &str, label: &str| json!({"code": code, "system": "2.16.840.1.113883.6.96", "label": label});
    json!({
        "model": "ldl-ses",
        "header": header(),
        "reason": ["Fièvre"],
        "stay": {
            "admission": snomed("183452005", "hospitalisation en urgence"),
            "discharge": snomed("160849004", "retour au domicile"),
            "summary": "Guérison", "adverse_events": "Aucun",
            "resistant_search": {"yes": false}, "transfusion": {"yes": false}, "blood_derivatives": {"yes": true, "detail": "albumine"},
        },
    })
}

fn build(plan: Value) -> Result<Document, BuildError> {
    match serde_json::from_value(plan).unwrap() {
        Plan::N1(document) => document.build(),
        Plan::LdlSes(letter) => letter.build(),
    }
}

/// Every document built by the tests of this file.
fn built() -> Vec<(String, Document)> {
    let mut all = Vec::new();
    let files: [(&str, &[u8]); 5] = [
        ("application/pdf", b"%PDF-1.4"),
        ("text/plain", "Été".as_bytes()),
        ("text/rtf", b"{\\rtf1 x}"),
        ("image/jpeg", b"\xFF\xD8\xFF\xE0"),
        ("image/tiff", b"II*\0x"),
    ];
    for (media_type, file) in files {
        let document =
            level_1("11488-4", header(), file).build().unwrap_or_else(|error| panic!("{media_type}: {error}"));
        assert_eq!(document.body(), &Body::Level1 { media_type: media_type.to_owned() });
        assert_eq!(document.payload().unwrap().unwrap(), file);
        all.push((format!("n1-{}.xml", media_type.replace('/', "-")), document));
    }
    all.push(("ldl-ses-empty.xml".to_owned(), build(letter_plan()).unwrap()));
    let mut full = letter_plan();
    full["treatments"] = json!([
        {"name": "Paracétamol", "posology": "si douleur"},
        {"name": "Céfixime 200 mg", "atc": "J01DD08", "posology": "matin et soir", "from": "2026-03-02", "until": "2026-03-08",
         "every_hours": 12, "dose": {"value": "1", "unit": "{tbl}"}},
    ]);
    full["results"] = json!(["CRP : 31 mg/L", "x < y & z"]);
    full["allergies"] = json!([
        {"kind": {"code": "416098002", "system": "2.16.840.1.113883.6.96", "label": "allergie médicamenteuse"},
         "text": "Pénicilline : urticaire", "since": "2010-05-01"},
    ]);
    full["follow_up"] = json!([{"text": "Consultation", "on": "2026-03-09"}, {"text": "Repos"}]);
    full["header"]["recipients"] =
        json!([{"professional": header()["author"], "mss_address": "dr.martin@medecin.mssante.fr"}]);
    full["header"]["family_doctor"] = header()["author"].clone();
    full["header"]["replaces"] = json!("2.25.42");
    full["header"]["version"] = json!(2);
    full["header"]["act"]["stop"] = json!("2026-03-02T10:00:00+01:00");
    all.push(("ldl-ses-full.xml".to_owned(), build(full).unwrap()));
    all
}

/// And a niveau 1 from FHIR, whose patient has no INS: valid, but not for the DMP.
fn built_from_all() -> Vec<(String, Document)> {
    let plan = socle_cda::build::fhir::level_1(&transaction(|_| {}), 0).unwrap_or_else(|error| panic!("{error}"));
    let mut all = built();
    all.push(("n1-fhir.xml".to_owned(), plan.build().unwrap()));
    all
}

#[test]
fn what_is_built_has_no_finding_and_complete_metadata() {
    for (name, document) in built() {
        let worse: Vec<_> = document.findings().iter().filter(|f| f.severity > Severity::Information).collect();
        assert_eq!(worse, Vec::<&socle_cda::Finding>::new(), "{name}");
        let header = Header::read(&document).unwrap();
        let ins = header.ins().unwrap().unwrap();
        let entry = DocumentEntry::from_header(&document, &Cx::from(&ins), &EntryOptions::new("Doc1")).unwrap();
        assert_eq!(entry.warnings.iter().filter(|f| f.severity > Severity::Information).count(), 0, "{name}");
        fixtures::keep(&name, document.bytes());
    }
}

#[test]
fn a_level_1_document_of_every_listed_type_is_built() {
    let mut count = 0;
    for (code, label) in socle_cda::codes::listed_types() {
        let document = level_1(code, header(), b"%PDF-1.4").build().unwrap_or_else(|error| panic!("{code}: {error}"));
        assert_eq!(document.code(), Some(code));
        assert_eq!(Header::read(&document).unwrap().code.label, label);
        count += 1;
    }
    assert!(count > 80, "{count}");
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_built() {
    let refused = |result: Result<Document, BuildError>, point: &str| {
        let error = result.err().unwrap_or_else(|| panic!("{point}"));
        let BuildError::Refused(refused) = &error else { panic!("{point}: {error}") };
        assert!(refused.errors().any(|finding| finding.rule.point.contains(point)), "{point}: {error}");
        assert!(!error.to_string().contains("PAT-TROIS"));
    };
    let with = |pointer: &str, value: Value| {
        let mut header = header();
        *header.pointer_mut(pointer).unwrap() = value;
        level_1("11488-4", header, b"%PDF-1.4").build()
    };
    refused(with("/act/practice_setting", json!("NULLE_PART")), "standardIndustryClassCode");
    refused(with("/encounter/facility", json!("SA999")), "healthCareFacility");
}

#[test]
fn the_examples_to_start_from_are_right() {
    for example in [socle_cda::build::EXAMPLE_N1, socle_cda::build::EXAMPLE_LDL_SES] {
        let document = match serde_json::from_str(example).unwrap() {
            Plan::N1(mut document) => {
                document.file = b"%PDF-1.4".to_vec();
                document.build()
            }
            Plan::LdlSes(letter) => letter.build(),
        };
        assert!(document.unwrap().findings().iter().all(|finding| finding.severity == Severity::Information));
    }
}

#[test]
fn an_unknown_type_or_file_is_refused_before_anything_is_written() {
    assert!(matches!(level_1("00000-0", header(), b"%PDF-1.4").build(), Err(BuildError::Kind(_))));
    for file in [b"PK\x03\x04\0".as_slice(), b"", b"\0\0", b"  "] {
        assert!(matches!(level_1("11488-4", header(), file).build(), Err(BuildError::MediaType)), "{file:?}");
    }
}

#[test]
fn an_ins_that_is_not_stated_as_qualified_is_refused_and_a_patient_without_ins_is_not() {
    let mut plan = letter_plan();
    plan["header"]["patient"]["ins"]["qualified"] = json!(false);
    let error = serde_json::from_value::<Plan>(plan).err().unwrap().to_string();
    assert!(error.contains("EXI SI 08"), "{error}");
    let mut plan = letter_plan();
    plan["header"]["patient"].as_object_mut().unwrap().remove("ins");
    let document = build(plan).unwrap();
    assert!(document.patient().unwrap().ins_candidates.is_empty());
    assert!(document.findings().iter().any(|finding| finding.rule.point == "EX_GEN-1530"));
}

#[test]
fn wrong_json_says_which_member() {
    let cases = [
        ("/header/patient/ins/matricule", json!("279035121518988"), "key"),
        ("/header/author/id", json!("a^b"), "national identifier"),
        ("/header/act/start", json!("demain"), "demain"),
        ("/header/written_at", json!("2026-03-02"), "second"),
        ("/header/patient/sex", json!("X"), "X"),
        ("/header/confidentiality", json!("SECRET"), "SECRET"),
    ];
    for (pointer, value, word) in cases {
        let mut plan = letter_plan();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        plan.pointer_mut(parent).unwrap()[member] = value;
        let error = serde_json::from_value::<Plan>(plan).err().unwrap_or_else(|| panic!("{pointer}")).to_string();
        assert!(error.contains(word), "{pointer}: {error}");
    }
}

/// libxml2 says the same as we do of what is built.
#[test]
fn what_is_built_is_valid_by_the_schema() {
    let Some(schema) = fixtures::schema("what_is_built") else { return };
    for (name, document) in built_from_all() {
        fixtures::assert_valid(&schema, &name, document.bytes());
    }
}

/// The schema and the official schematrons, of all documents and of the volet, as a user installs them:
/// everything runs, nothing fails.
#[test]
fn what_is_built_passes_its_official_layers() {
    let Some(bed) = fixtures::shared("official_layers", "documents/cda/testbed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let shelf = socle_xml::library::Shelf::new(folder.path());
    shelf.add(&bed).unwrap();
    let library = shelf.newest(None).unwrap().unwrap();
    for (name, document) in built_from_all() {
        let report = socle_cda::validate::validate_document(&document, Some(&library));
        let errors: Vec<_> = report.findings().filter(|f| f.severity == Severity::Error).collect();
        assert_eq!(errors, Vec::<&socle_cda::Finding>::new(), "{name}");
        let not_checked: Vec<_> = report.not_checked().map(|(layer, _)| layer.name.en.as_ref()).collect();
        assert_eq!(not_checked, Vec::<&str>::new(), "{name}");
        let volet = report.layers.iter().filter(|layer| layer.name.en.contains("CI-SIS_LDL-SES_2022.01")).count();
        assert_eq!(volet, usize::from(name.starts_with("ldl-ses")), "{name}");
        assert!(report.layers.len() >= 7, "{name}: own rules, schema, five schematrons");
    }
}

/// A fault that only an official schematron sees is in the report.
#[test]
fn what_the_official_layers_refuse_is_in_the_report() {
    let Some(bed) = fixtures::shared("official_refusals", "documents/cda/testbed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let shelf = socle_xml::library::Shelf::new(folder.path());
    shelf.add(&bed).unwrap();
    let library = shelf.newest(None).unwrap().unwrap();
    let good = build(letter_plan()).unwrap();
    let xml = String::from_utf8(good.bytes().to_vec()).unwrap();
    for (what, by, layer) in [
        ("code=\"183452005\"", "code=\"0\"", "CI-SIS_LDL-SES_2022.01"),
        ("<component><structuredBody>", "<inconnu/><component><structuredBody>", "XML schema"),
    ] {
        let bad = xml.replacen(what, by, 1);
        assert_ne!(bad, xml, "{what}");
        let report = socle_cda::validate::validate(bad.into_bytes(), Some(&library));
        let refusing = report.layers.iter().find(|each| each.name.en.contains(layer)).unwrap();
        let socle_cda::validate::Outcome::Checked(findings) = &refusing.outcome else { panic!("{layer} ran") };
        assert!(findings.iter().any(socle_cda::Finding::is_error), "{layer}: {findings:?}");
        assert!(!report.is_valid());
    }
}

/// The sample transaction of PDSm, its Binary a PDF.
fn transaction(change: impl Fn(&mut Value)) -> socle_fhir::pdsm::ProvideBundle {
    let mut bundle: Value = serde_json::from_str(include_str!("../../fhir/src/pdsm/iti65.json")).unwrap();
    let pdf = b"%PDF-1.4";
    let packed = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let fiche = bundle.pointer_mut("/entry/1/resource").unwrap();
    let attachment = fiche.pointer_mut("/content/0/attachment").unwrap().as_object_mut().unwrap();
    let hex = socle_cda::xds::sha1_hex(pdf);
    let digest: Vec<u8> = (0..20).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
    attachment.insert("hash".into(), json!(packed(&digest)));
    attachment.insert("size".into(), json!(pdf.len()));
    attachment.insert("contentType".into(), json!("application/pdf"));
    fiche["contained"][0]["qualification"] = json!([{"code": {"coding": [{
        "system": "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante",
        "code": "10", "display": "Médecin"}]}}]);
    *bundle.pointer_mut("/entry/2/resource").unwrap() =
        json!({"resourceType": "Binary", "contentType": "application/pdf", "data": packed(pdf)});
    change(&mut bundle);
    let document = socle_fhir::Document::parse(serde_json::to_vec(&bundle).unwrap()).unwrap();
    match socle_fhir::pdsm::read_provide_bundle(&document) {
        Ok(noted) => noted.value,
        Err(issues) => panic!("{issues:?}"),
    }
}

#[test]
fn a_transaction_of_pdsm_with_a_pdf_becomes_a_niveau_1_document() {
    let lot = transaction(|_| {});
    let plan = socle_cda::build::fhir::level_1(&lot, 0).unwrap_or_else(|error| panic!("{error} {error:?}"));
    let document = plan.build().unwrap_or_else(|error| panic!("{error}"));
    let header = Header::read(&document).unwrap();
    let fiche = &lot.documents[0].metadata;
    assert_eq!(format!("urn:oid:{}", header.id.root), fiche.unique_id.value);
    assert_eq!(header.title, fiche.title);
    assert_eq!(header.code.code, fiche.type_code.code);
    assert_eq!(header.confidentiality.code, "R");
    assert_eq!(header.effective_time.to_string(), "20261124103000+0100");
    assert_eq!(header.related.as_ref().unwrap().parent.root, "1.2.250.1.999.3.0");
    assert_eq!(header.authors[0].ids[0].extension.as_deref(), Some("899700218896"));
    assert_eq!(header.authors[0].specialty.as_ref().unwrap().code, "G15_10");
    assert_eq!(header.main_event.practice_setting.code, "ETABLISSEMENT");
    assert_eq!(header.encounter.facility.code, "SA01");
    assert_eq!(document.payload().unwrap().unwrap(), b"%PDF-1.4");
}

#[test]
fn what_a_transaction_does_not_say_is_listed() {
    let lot = transaction(|bundle| {
        let doctor = bundle.pointer_mut("/entry/1/resource/contained/0").unwrap().as_object_mut().unwrap();
        doctor.remove("qualification");
        doctor["identifier"][0]["system"] = json!("urn:oid:1.2.3");
    });
    let refused = socle_cda::build::fhir::level_1(&lot, 0).err().unwrap();
    let told: Vec<_> = refused.findings.iter().map(|finding| finding.message.en.as_ref()).collect();
    assert!(told.iter().any(|text| text.contains("national identifier (RPPS)")), "{told:?}");
    assert!(told.iter().any(|text| text.contains("profession")), "{told:?}");
    assert!(socle_cda::build::fhir::level_1(&lot, 9).is_err());
}
