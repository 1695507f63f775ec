use jiff::civil::date;
use proptest::prelude::*;
use socle_identity::{
    Doubt, Environment, Evidence, HighConfidenceDevice as Device, Identity, Ins, InsAuthority, InsiAnswer, Sex, Status,
    Traits,
};

use super::*;
use crate::outcome::Issues;
use crate::tape::Document;

const INS: &str = "279035121518989";

fn dominique() -> Traits {
    Traits {
        birth_name: "PAT-TROIS".into(),
        given_names: "DOMINIQUE MARIE-LOUISE".into(),
        first_given_name: "DOMINIQUE".into(),
        sex: Sex::Female,
        birth_date: date(1979, 3, 28),
        birth_place: Some("51215".parse().unwrap()),
        used_name: Some("DUPONT".into()),
        used_given_name: None,
    }
}

fn ins() -> Ins {
    Ins { matricule: INS.parse().unwrap(), authority: InsAuthority::NirTest }
}

fn read(text: &str) -> Result<(DeclaredPatient, Vec<String>), Issues> {
    let document = Document::parse(text.to_owned()).unwrap();
    let noted = read_patient(document.root())?;
    Ok((noted.value, noted.remarks.into_iter().map(|issue| issue.finding.at.path).collect()))
}

/// A patient with everything, as FR Core 2.1 writes it.
const PATIENT: &str = r#"{"resourceType":"Patient",
 "extension":[
  {"url":"https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability","extension":[
   {"url":"methodCollection","valueCoding":{"system":"https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-method-collection","code":"INSI"}},
   {"url":"dateCollection","valueDate":"2026-11-21"},
   {"url":"identityStatus","valueCoding":{"system":"https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445","code":"VALI"}},
   {"url":"validationDate","valueDate":"2026-11-20"},
   {"url":"validationMode","valueCoding":{"system":"https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-mode-validation-identity","code":"PA"}}]},
  {"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"extension":[
   {"url":"https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code","valueCoding":{"system":"https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM","code":"51215"}}]}}],
 "identifier":[
  {"use":"official","type":{"coding":[{"system":"https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203","code":"INS-NIR-TEST"}]},"system":"urn:oid:1.2.250.1.213.1.4.10","value":"279035121518989"},
  {"use":"official","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"NH"}]},"system":"urn:oid:1.2.250.1.213.1.4.8","value":"197020100112294"},
  {"use":"usual","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"PI"}]},"system":"urn:oid:1.2.250.1.999.7.9","value":"IPP-42"}],
 "name":[{"use":"official","family":"PAT-TROIS","given":["DOMINIQUE"],"extension":[
   {"url":"https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name","valueString":"DOMINIQUE MARIE-LOUISE"}]},
  {"use":"usual","family":"DUPONT"}],
 "gender":"female","birthDate":"1979-03-28"}"#;

fn complete() -> DeclaredPatient {
    DeclaredPatient {
        traits: dominique(),
        ins: Some(ins()),
        former_ins: Vec::new(),
        status: Some(Status::Qualified),
        doubt: None,
        evidence: Some(DeclaredEvidence { device: Device::PA, checked_on: date(2026, 11, 20) }),
        method: Some("INSI".into()),
        asked_insi_on: Some(date(2026, 11, 21)),
        local: vec![LocalIdentifier {
            system: "urn:oid:1.2.250.1.999.7.9".into(),
            value: "IPP-42".into(),
            kind: LocalKind::Pi,
        }],
    }
}

#[test]
fn reads_a_patient_of_fr_core_whole() {
    assert_eq!(read(PATIENT).unwrap(), (complete(), Vec::new()));
}

/// One thing changed per row; what is read then, or where and by which point it is refused.
#[test]
fn one_thing_broken_is_one_thing_said() {
    let cases: [(&str, &str, &str, &str, &str); 21] = [
        ("another resource", "\"Patient\"", "\"Person\"", "Person", "resourceType"),
        ("no official name", "\"use\":\"official\",\"family\"", "\"family\"", "Patient.name", "name[official]"),
        (
            "two official names",
            "\"use\":\"usual\",\"family\"",
            "\"use\":\"official\",\"family\"",
            "Patient.name[1]",
            "name[official]",
        ),
        ("no birth name", "\"family\":\"PAT-TROIS\",", "", "Patient.name[0].family", "family"),
        ("no given name", "\"given\":[\"DOMINIQUE\"],", "", "Patient.name[0].given", "given"),
        ("no gender", "\"gender\":\"female\",", "", "Patient.gender", "gender"),
        ("unknown gender", "\"gender\":\"female\"", "\"gender\":\"F\"", "Patient.gender", "gender"),
        ("no birth date", ",\"birthDate\":\"1979-03-28\"", "", "Patient.birthDate", "birthDate"),
        ("year only", "1979-03-28", "1979", "Patient.birthDate", "EXI PP 19"),
        ("no such day", "1979-03-28", "1979-02-30", "Patient.birthDate", "EXI PP 19"),
        (
            "bad birth place",
            "\"51215\"",
            "\"5121\"",
            "Patient.extension[1].valueAddress.extension[0].valueCoding.code",
            "valueCoding.code",
        ),
        ("bad INS key", INS, "279035121518988", "Patient.identifier[0].value", "matricule et clé"),
        ("INS too short", INS, "27903512151898", "Patient.identifier[0].value", "matricule et clé"),
        ("type and system differ", "INS-NIR-TEST", "INS-NIA", "Patient.identifier[0]", "identifier.system"),
        (
            "INS of an unknown use",
            "\"use\":\"official\",\"type\":{\"coding\":[{\"system\":\"https",
            "\"use\":\"secondary\",\"type\":{\"coding\":[{\"system\":\"https",
            "Patient.identifier[0]",
            "identifier.use",
        ),
        ("two INS", "\"code\":\"NH\"", "\"code\":\"INS-NIR\"", "Patient.identifier[1]", "fr-core-2"),
        (
            "two statuses",
            "\"url\":\"validationDate\",\"valueDate\":\"2026-11-20\"",
            "\"url\":\"identityStatus\",\"valueCoding\":{\"code\":\"PROV\"}",
            "Patient.extension[0].extension[3].valueCoding",
            "EXI SI 07",
        ),
        (
            "doubtful and valid",
            "\"url\":\"dateCollection\",\"valueDate\":\"2026-11-21\"",
            "\"url\":\"comment\",\"valueCoding\":{\"code\":\"DOUT\"}",
            "Patient",
            "EXI SI 09",
        ),
        (
            "fictive and valid",
            "\"url\":\"dateCollection\",\"valueDate\":\"2026-11-21\"",
            "\"url\":\"comment\",\"valueCodeableConcept\":{\"coding\":[{\"code\":\"FICT\"}]}",
            "Patient",
            "EXI SI 09",
        ),
        (
            "bad date of check",
            "2026-11-20",
            "20/11/2026",
            "Patient.extension[0].extension[3].valueDate",
            "2.24.0.1 (date)",
        ),
        ("bad date of INSi", "2026-11-21", "2026-11", "Patient.extension[0].extension[1].valueDate", "2.24.0.1 (date)"),
    ];
    for (name, from, to, path, point) in cases {
        assert!(PATIENT.contains(from), "{name}: nothing to break");
        let issues = read(&PATIENT.replacen(from, to, 1)).unwrap_err();
        let errors: Vec<_> = issues.0.iter().filter(|issue| issue.finding.is_error()).collect();
        let found = (errors[0].finding.at.path.as_str(), errors[0].finding.rule.point.as_ref());
        assert_eq!((errors.len(), found), (1, (path, point)), "{name}");
        assert!(errors[0].finding.at.line.is_some(), "{name}");
        assert!(!issues.to_string().contains(INS) && !issues.to_string().contains("TROIS"), "{name}");
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let issues = read(r#"{"resourceType":"Patient","gender":"x"}"#).unwrap_err();
    let paths: Vec<_> = issues.0.iter().map(|issue| issue.finding.at.path.as_str()).collect();
    assert_eq!(paths, ["Patient.name", "Patient.gender", "Patient.birthDate"]);
}

/// What is read in spite of a remark, and that nothing is assumed from it.
#[test]
fn nothing_is_assumed() {
    type Look = fn(&DeclaredPatient) -> bool;
    let mode = r#",
   {"url":"validationMode","valueCoding":{"system":"https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-mode-validation-identity","code":"PA"}}"#;
    let cases: [(&str, &str, &str, usize, Look); 13] = [
        ("no validationMode", mode, "", 0, |p| p.evidence.is_none() && p.status == Some(Status::Qualified)),
        ("no validationDate", "validationDate", "validatedOn", 1, |p| p.evidence.is_none()),
        ("unknown paper", "\"PA\"", "\"carte Vitale\"", 1, |p| p.evidence.is_none()),
        ("driving licence", "\"PA\"", "\"PC\"", 1, |p| p.evidence.is_none()),
        ("livret de famille alone", "\"PA\"", "\"LE\"", 1, |p| p.evidence.is_none()),
        ("a device of 2.2", "\"PA\"", "\"AC\"", 0, |p| p.evidence.unwrap().device == Device::ANCV),
        ("a device of RNIV", "\"PA\"", "\"eCN\"", 0, |p| p.evidence.unwrap().device == Device::ECN),
        (
            "INS without type",
            "\"type\":{\"coding\":[{\"system\":\"https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203\",\"code\":\"INS-NIR-TEST\"}]},",
            "",
            1,
            |p| p.ins.is_none() && p.status == Some(Status::Validated),
        ),
        (
            "former INS",
            "\"use\":\"official\",\"type\":{\"coding\":[{\"system\":\"https",
            "\"use\":\"old\",\"type\":{\"coding\":[{\"system\":\"https",
            0,
            |p| p.ins.is_none() && p.former_ins == [ins()],
        ),
        ("VALI in RNIV's words", "fr-core-cs-v2-0445", "fr-core-cs-identity-status", 0, |p| {
            p.status == Some(Status::Validated)
        }),
        ("unknown status", "\"VALI\"", "\"OK\"", 1, |p| p.status.is_none()),
        ("other gender", "\"female\"", "\"other\"", 0, |p| p.traits.sex == Sex::Indeterminate),
        ("first name is not first", "\"given\":[\"DOMINIQUE\"]", "\"given\":[\"MARIE\"]", 1, |p| {
            p.traits.first_given_name == "MARIE"
        }),
    ];
    for (name, from, to, remarks, look) in cases {
        assert!(PATIENT.contains(from), "{name}: nothing to change");
        let (patient, found) = read(&PATIENT.replacen(from, to, 1)).unwrap();
        assert!(look(&patient), "{name}: {patient:?}");
        assert_eq!(found.len(), remarks, "{name}: {found:?}");
    }
}

#[test]
fn statuses_and_doubts_of_every_edition_are_read() {
    let v2 = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445";
    let rniv = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status";
    let cases = [
        (v2, "PROV", Some(Status::Provisional), None),
        (v2, "VALI", Some(Status::Qualified), None),
        (v2, "VIDE", None, None),
        (v2, "HOMA", None, None),
        (v2, "DOUT", Some(Status::Provisional), Some(Doubt::Doubtful)),
        (v2, "FICT", Some(Status::Provisional), Some(Doubt::Fictive)),
        (rniv, "PROV", Some(Status::Provisional), None),
        (rniv, "RECUP", Some(Status::Retrieved), None),
        (rniv, "VALI", Some(Status::Validated), None),
        (rniv, "QUAL", Some(Status::Qualified), None),
    ];
    for (system, code, status, doubt) in cases {
        let text = PATIENT.replace(v2, system).replace("\"VALI\"", &format!("\"{code}\""));
        let (patient, _) = read(&text).unwrap();
        assert_eq!((patient.status, patient.doubt), (status, doubt), "{system} {code}");
    }
}

fn answer() -> InsiAnswer {
    let mut traits = dominique();
    traits.used_name = None;
    InsiAnswer {
        ins: ins(),
        history: vec![Ins { matricule: "180032B02040123".parse().unwrap(), authority: InsAuthority::NirTest }],
        traits,
        received_at: "2026-11-24T10:00:00Z".parse().unwrap(),
        environment: Environment::Jumeau,
        answer_digest: "00".repeat(32),
    }
}

/// The mapping of RNIV's statuses, and that an INS leaves with a qualified identity alone.
#[test]
fn an_identity_is_written_in_the_words_of_each_edition() {
    let evidence = Evidence { device: Device::CN, checked_on: date(2026, 11, 23), checked_by: "899700000017".into() };
    let declared = Identity::declared(dominique());
    let retrieved = declared.accept(answer()).unwrap();
    let validated = declared.check(evidence.clone()).unwrap();
    let qualified = retrieved.check(evidence).unwrap();
    let cases = [
        (&declared, Status::Provisional, Status::Provisional, false),
        (&retrieved, Status::Provisional, Status::Retrieved, false),
        (&validated, Status::Validated, Status::Validated, false),
        (&qualified, Status::Qualified, Status::Qualified, true),
    ];
    for (identity, published, rniv, has_ins) in cases {
        for (edition, status) in [(Edition::V2_1, published), (Edition::V2_2, published), (Edition::Rniv, rniv)] {
            let text = String::from_utf8(write_patient(identity, &[], Some("p1"), edition)).unwrap();
            let (patient, remarks) = read(&text).unwrap();
            assert_eq!((patient.status, patient.ins.is_some()), (Some(status), has_ins), "{edition:?} {text}");
            assert_eq!(text.contains(INS), has_ins, "{edition:?}");
            assert_eq!((&patient.traits, remarks.len()), (identity.traits(), 0));
            assert_eq!(patient.former_ins.len(), usize::from(has_ins));
        }
    }
    for doubt in [Doubt::Doubtful, Doubt::Fictive] {
        for edition in Edition::ALL {
            let text = String::from_utf8(write_patient(&qualified.doubt(doubt), &[], None, edition)).unwrap();
            let (patient, _) = read(&text).unwrap();
            assert_eq!((patient.doubt, patient.status, patient.ins), (Some(doubt), Some(Status::Provisional), None));
            assert!(!text.contains(INS), "{edition:?}");
        }
    }
}

fn names() -> impl Strategy<Value = String> {
    "[A-Z][A-Z'é\"\\\\-]{0,10}".prop_map(|name| name.trim().to_owned())
}

fn patients() -> impl Strategy<Value = DeclaredPatient> {
    let traits = (names(), names(), names(), 0i16..100, prop::option::of(names()), prop::option::of(Just("51215")))
        .prop_map(|(birth_name, first, second, year, used_name, place)| Traits {
            birth_name,
            given_names: format!("{first} {second}"),
            first_given_name: first,
            sex: [Sex::Male, Sex::Female, Sex::Indeterminate][usize::try_from(year).unwrap() % 3],
            birth_date: date(1920 + year, 2, 28),
            birth_place: place.map(|place| place.parse().unwrap()),
            used_name,
            used_given_name: None,
        });
    let status = prop_oneof![
        Just(None),
        Just(Some(Status::Provisional)),
        Just(Some(Status::Retrieved)),
        Just(Some(Status::Validated)),
        Just(Some(Status::Qualified)),
    ];
    let device = prop::option::of(0usize..Device::ALL.len());
    (traits, any::<bool>(), status, device, any::<bool>()).prop_map(|(traits, has_ins, status, device, has_ipp)| {
        let mut patient = DeclaredPatient { traits, status, ..complete() };
        patient.ins = patient.ins.filter(|_| has_ins);
        patient.evidence = device.map(|at| DeclaredEvidence { device: Device::ALL[at], checked_on: date(2026, 1, 2) });
        patient.local.truncate(usize::from(has_ipp));
        patient
    })
}

proptest! {
    /// In the edition that can say it all, what is declared is what is read.
    #[test]
    fn what_is_written_is_read(patient in patients()) {
        let edition = patient.edition();
        let text = String::from_utf8(write_declared(&patient, None, edition)).unwrap();
        let document = Document::parse(text.clone()).unwrap();
        prop_assert_eq!(document.oddities().count(), 0);
        let noted = read_patient(document.root()).unwrap();
        prop_assert_eq!(noted.value, patient, "{:?} {}", edition, text);
    }
}
