//! What the published packages hold, read by these readers: examples, canonicals, code systems.
//! Expected findings were written from the files and the profiles.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test stops when it cannot go on")]

mod support;

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use socle_fhir::fr_core::{DeclaredPatient, Edition, read_patient, write_declared};
use socle_fhir::pdsm::{SourceId, SubmittedPatient, read_document_reference, read_provide_bundle};
use socle_fhir::{Document, Issues, Kind, Node, mapping};
use socle_identity::{HighConfidenceDevice, Sex, Status, Traits};

const PDSM: &str = "fhir/packages/ans.fhir.fr.pdsm-3.1.1.tgz";
const PDSM_COMBINED: &str = "fhir/packages/ans.fhir.fr.pdsm-combined.tgz";
const FR_CORE: [(&str, Edition); 2] = [
    ("fhir/packages/hl7.fhir.fr.core-2.1.0.tgz", Edition::V2_1),
    ("fhir/packages/hl7.fhir.fr.core-2.2.0.tgz", Edition::V2_2),
];

/// A package: its files by their name.
fn package(test: &str, path: &str) -> Option<HashMap<String, Vec<u8>>> {
    let tgz = support::shared(test, path)?;
    let short = |name: String| name.rsplit('/').next().unwrap_or_default().to_owned();
    Some(support::unpack(&tgz).into_iter().map(|(name, content)| (short(name), content)).collect())
}

fn json_of(files: &HashMap<String, Vec<u8>>, name: &str) -> Value {
    serde_json::from_slice(&files[name]).unwrap()
}

/// Path, point of the rule, and whether it refuses; in the order of the paths.
fn said(issues: &Issues) -> Vec<(String, String, bool)> {
    let mut found: Vec<_> = issues
        .0
        .iter()
        .map(|issue| (issue.finding.at.path.clone(), issue.finding.rule.point.to_string(), issue.finding.is_error()))
        .collect();
    found.sort();
    found
}

fn expected(rows: &[(&str, &str, bool)]) -> Vec<(String, String, bool)> {
    let mut rows: Vec<_> =
        rows.iter().map(|(path, point, refuses)| ((*path).into(), (*point).into(), *refuses)).collect();
    rows.sort();
    rows
}

/// PDSm publishes the pieces of an ITI-65 transaction, not the transaction: they are put together here.
/// Size and hash of the published fiche are those of no document, its author and authenticator are not
/// contained, its recipient has no address, and its Patient has no official name.
#[test]
fn the_examples_of_pdsm_are_read_and_their_faults_are_found() {
    let Some(files) = package("the_examples_of_pdsm", PDSM) else { return };
    let bundle = transaction(&files);
    let document = Document::parse(bundle.to_string()).unwrap();
    let issues = read_provide_bundle(&document).unwrap_err();
    let rows = [
        ("Bundle.entry[0].resource.identifier[0]", "mhd-startswithoid", false),
        ("Bundle.entry[0].resource.extension[3].valueReference", "pdsm-ext-intended-recipient", true),
        ("Bundle.entry[1].resource.author[0]", "DocumentReference.author", true),
        ("Bundle.entry[1].resource.authenticator", "DocumentReference.authenticator", true),
        ("Bundle.entry[1].resource.content[0].attachment.size", "DocumentReference.content.attachment.size", true),
        ("Bundle.entry[1].resource.content[0].attachment.hash", "DocumentReference.content.attachment.hash", true),
        ("Bundle.entry[3].resource.name", "name[official]", true),
    ];
    assert_eq!(said(&issues), expected(&rows));
}

#[test]
fn the_examples_of_pdsm_once_mended_are_read_whole() {
    let Some(files) = package("the_examples_of_pdsm_once_mended", PDSM) else { return };
    let mut bundle = transaction(&files);
    let entries = bundle["entry"].as_array_mut().unwrap();
    let list = &mut entries[0]["resource"];
    list["contained"][0]["telecom"] = json!([{"system": "email", "value": "a.b@hopital.mssante.fr"}]);
    let fiche = &mut entries[1]["resource"];
    fiche["author"][0]["reference"] = json!("#practitioner-example");
    fiche["authenticator"]["reference"] = json!("#practitioner-example");
    fiche["content"][0]["attachment"]["size"] = json!(11);
    fiche["content"][0]["attachment"]["hash"] = json!("Ck1VqNd45QIvq3AZd8XYQLvEhtA=");
    entries[3]["resource"]["name"][0]["use"] = json!("official");
    let document = Document::parse(bundle.to_string()).unwrap();
    let noted = read_provide_bundle(&document).unwrap_or_else(|issues| panic!("{issues}"));
    let read = noted.value;
    assert_eq!(read.documents[0].bytes, "Hello World");
    assert_eq!(read.documents[0].metadata.authors[0].emails, ["sophie.leclerc@mssante.fr"]);
    assert!(matches!(&read.submission_set.source_id, SourceId::Assigned(id) if id.value == "SRC-01"));
    let SubmittedPatient::Described(patient) = &read.patient else { panic!("{:?}", read.patient) };
    assert_eq!((patient.traits.sex, patient.evidence, patient.status), (Sex::Male, None, None));
    assert_eq!(read.recipients.len(), 1);
}

fn transaction(files: &HashMap<String, Vec<u8>>) -> Value {
    let names = [
        "List-ExampleSubmissionSet.json",
        "DocumentReference-exemple-pdsm-documentreference.json",
        "Binary-6789.json",
        "Patient-fr-patient-123.json",
    ];
    let entries: Vec<Value> = names
        .iter()
        .map(|name| {
            let resource = json_of(files, name);
            let kind = resource["resourceType"].clone();
            json!({"resource": resource, "request": {"method": "POST", "url": kind}})
        })
        .collect();
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
}

/// The draft PDSm4DMP publishes a whole transaction; what PDSm demands and it lacks is the custodian.
#[test]
fn the_transaction_of_pdsm4dmp_is_read() {
    let path = "documents/pdsm4dmp/examples/Bundle-example-td2-iti65-lot-soumission.json";
    let Some(file) = support::shared("the_transaction_of_pdsm4dmp", path) else { return };
    let bytes = std::fs::read(file).unwrap();
    let document = Document::parse(bytes.clone()).unwrap();
    let issues = read_provide_bundle(&document).unwrap_err();
    let custodian = ("Bundle.entry[1].resource.custodian", "DocumentReference.custodian", true);
    assert_eq!(said(&issues), expected(&[custodian]));

    let mut bundle: Value = serde_json::from_slice(&bytes).unwrap();
    bundle["entry"][1]["resource"]["custodian"] =
        json!({"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.2", "value": "1690781810"}});
    let document = Document::parse(bundle.to_string()).unwrap();
    let noted = read_provide_bundle(&document).unwrap_or_else(|issues| panic!("{issues}"));
    assert!(noted.remarks.is_empty());
    let SubmittedPatient::Identified(patient) = &noted.value.patient else { panic!("{:?}", noted.value.patient) };
    assert_eq!((patient.system.as_str(), patient.value.as_str()), ("urn:oid:1.2.250.1.213.1.4.8", "123456789012345"));
    assert!(noted.value.documents[0].bytes.starts_with(b"<?xml"));
}

#[test]
fn the_fiches_of_a_searchset_are_read() {
    let path = "documents/pdsm4dmp/examples/Bundle-example-annexe-searchset-documentreferences.json";
    let Some(file) = support::shared("the_fiches_of_a_searchset", path) else { return };
    let document = Document::parse(std::fs::read(file).unwrap()).unwrap();
    let fiches: Vec<_> = document.root().all("entry").filter_map(|entry| entry.get("resource")).collect();
    assert!(!fiches.is_empty());
    for fiche in fiches {
        let points: HashSet<_> = match read_document_reference(fiche) {
            Ok(_) => HashSet::new(),
            Err(issues) => {
                said(&issues).into_iter().filter(|(.., refuses)| *refuses).map(|(_, point, _)| point).collect()
            }
        };
        for point in points {
            let element = point.trim_start_matches("DocumentReference.").split('.').next().unwrap().to_owned();
            let is_there = fiche.get(&element).is_some();
            assert!(
                !is_there || element == "content" || element == "context",
                "{point} is said to be missing and is there"
            );
        }
    }
}

/// Every published Patient that carries an INS carries the number 1234567890122 with the key 44; 12 is right.
#[test]
fn the_patients_of_fr_core_are_read_and_their_wrong_key_is_found() {
    let cases = [
        (FR_CORE[1].0, "Patient-FRCorePatientExample.json"),
        ("fhir/packages/ans.fhir.fr.cercle-de-soins-main.tgz", "Patient-cds-patient-example.json"),
    ];
    for (path, name) in cases {
        let Some(files) = package("the_patients_of_fr_core", path) else { return };
        let text = String::from_utf8(files[name].clone()).unwrap();
        let document = Document::parse(text.clone()).unwrap();
        let issues = read_patient(document.root()).unwrap_err();
        assert_eq!(said(&issues), expected(&[("Patient.identifier[0].value", "matricule et clé", true)]), "{name}");

        let document = Document::parse(text.replace("123456789012244", "123456789012212")).unwrap();
        let patient = read_patient(document.root()).unwrap_or_else(|issues| panic!("{name}: {issues}")).value;
        assert_eq!(
            (patient.status, patient.evidence, patient.ins.is_some()),
            (Some(Status::Qualified), None, true),
            "{name}"
        );
        assert!(patient.traits.birth_place.is_some() && !patient.traits.given_names.is_empty(), "{name}");
    }
}

fn declared(device: HighConfidenceDevice) -> DeclaredPatient {
    let traits = Traits {
        birth_name: "PAT-TROIS".into(),
        given_names: "DOMINIQUE MARIE-LOUISE".into(),
        first_given_name: "DOMINIQUE".into(),
        sex: Sex::Female,
        birth_date: jiff::civil::date(1979, 3, 28),
        birth_place: Some("51215".parse().unwrap()),
        used_name: None,
        used_given_name: None,
    };
    let mut patient = DeclaredPatient::new(traits);
    patient.status = Some(Status::Qualified);
    patient.method = Some("INSI".into());
    patient.asked_insi_on = Some(jiff::civil::date(2026, 11, 24));
    patient.evidence =
        Some(socle_fhir::fr_core::DeclaredEvidence { device, checked_on: jiff::civil::date(2026, 11, 24) });
    patient.ins = Some(socle_identity::Ins {
        matricule: "279035121518989".parse().unwrap(),
        authority: socle_identity::InsAuthority::NirTest,
    });
    patient
}

/// Every canonical and code of FR Core that we write is in the package of that edition.
#[test]
fn what_we_write_of_fr_core_is_in_its_package() {
    for (path, edition) in FR_CORE {
        let Some(files) = package("what_we_write_of_fr_core", path) else { return };
        let resources: Vec<Value> = files.values().filter_map(|file| serde_json::from_slice(file).ok()).collect();
        let canonicals: HashMap<&str, &Value> =
            resources.iter().filter_map(|resource| Some((resource["url"].as_str()?, resource))).collect();
        for device in HighConfidenceDevice::ALL {
            let document = Document::parse(write_declared(&declared(device), None, edition)).unwrap();
            let mut checked = 0;
            walk(document.root(), &mut |node| checked += usize::from(is_published(node, &canonicals, edition)));
            assert!(checked >= 6, "{edition:?} {device}: {checked}");
        }
    }
}

fn is_published(node: Node<'_>, canonicals: &HashMap<&str, &Value>, edition: Edition) -> bool {
    let ours = |url: &&str| url.starts_with(socle_fhir::fr_core::BASE);
    if let Some(url) = node.text("url").filter(ours) {
        let definition = canonicals.get(url).unwrap_or_else(|| panic!("{url} is not in {edition:?}"));
        let parts: HashSet<&str> = definition["snapshot"]["element"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|element| element["fixedUri"].as_str())
            .collect();
        for part in node.all("extension").filter_map(|part| part.text("url")) {
            assert!(parts.contains(part), "{url} has no {part} in {edition:?}");
        }
        return true;
    }
    if let (Some(system), Some(code)) = (node.text("system").filter(ours), node.text("code")) {
        let concepts = canonicals.get(system).unwrap_or_else(|| panic!("{system} is not in {edition:?}"));
        let codes: Vec<_> =
            concepts["concept"].as_array().unwrap().iter().map(|concept| concept["code"].as_str()).collect();
        assert!(codes.contains(&Some(code)), "{system}#{code} is not in {edition:?}");
        return true;
    }
    false
}

fn walk(node: Node<'_>, look: &mut impl FnMut(Node<'_>)) {
    look(node);
    for child in node.items().chain(node.members().map(|(_, member)| member)) {
        walk(child, look);
    }
}

/// The OID of a code system of the NOS is the one that its own resource says.
#[test]
fn our_table_of_code_systems_is_that_of_the_packages() {
    let Some(files) = package("our_table_of_code_systems", PDSM_COMBINED) else { return };
    let mut known = 0;
    for system in files.values().filter_map(|file| serde_json::from_slice::<Value>(file).ok()) {
        let (Some("CodeSystem"), Some(url)) = (system["resourceType"].as_str(), system["url"].as_str()) else {
            continue;
        };
        let Some(oid) = system["identifier"][0]["value"].as_str().and_then(|oid| oid.strip_prefix("urn:oid:")) else {
            continue;
        };
        if let Some(ours) = mapping::oid_of_system(url) {
            assert_eq!(ours, oid, "{url}");
            // IHE's own format codes have a French name, which is the one that is written.
            assert!(mapping::system_of_oid(oid) == url || url.starts_with("http://ihe.net/"), "{url}");
            known += 1;
        }
    }
    assert!(known >= 16, "{known} of the table are in the package");
}

/// All official R4 examples: what the tape holds is what serde_json holds.
#[test]
fn the_official_examples_are_read_as_serde_json_reads_them() {
    let Some(tgz) = support::shared("the_official_examples", "fhir/examples/r4-examples.tgz") else { return };
    let files = support::unpack(&tgz);
    assert!(files.len() > 700);
    for (name, content) in files {
        let document = Document::parse(content.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let value: Value = serde_json::from_slice(&content).unwrap();
        assert_same(document.root(), &value, &name);
    }
}

fn assert_same(node: Node<'_>, value: &Value, name: &str) {
    match value {
        Value::Object(members) => {
            assert_eq!(node.members().count(), members.len(), "{name} {}", node.path());
            node.members().for_each(|(key, member)| assert_same(member, &members[key], name));
        }
        Value::Array(items) => {
            assert_eq!(node.items().count(), items.len(), "{name} {}", node.path());
            node.items().zip(items).for_each(|(item, value)| assert_same(item, value, name));
        }
        Value::String(text) => assert_eq!(node.str(), Some(text.as_str()), "{name} {}", node.path()),
        Value::Number(number) => {
            let read: serde_json::Number = serde_json::from_str(node.number().unwrap()).unwrap();
            assert_eq!(&read, number, "{name} {}", node.path());
        }
        Value::Bool(truth) => assert_eq!(node.bool(), Some(*truth), "{name} {}", node.path()),
        Value::Null => assert_eq!(node.kind(), Kind::Null, "{name} {}", node.path()),
    }
}
