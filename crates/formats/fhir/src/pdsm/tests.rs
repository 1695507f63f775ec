use bytes::Bytes;
use jiff::civil::date;
use proptest::prelude::*;
use socle_identity::{HighConfidenceDevice, Sex, Traits};

use socle_finding::Lang;

use super::*;
use crate::datatypes::{Coding, Identifier};
use crate::fr_core::{DeclaredPatient, LocalIdentifier, LocalKind};
use crate::outcome::Issues;
use crate::tape::Document;

/// A transaction written by hand, in another manner than ours: a Patient entry, a conditional reference,
/// a second Patient by a local identifier, TRE_A07 in its other spelling.
const BUNDLE: &str = include_str!("iti65.json");
const CDA: &[u8] = br#"<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>"#;

fn read(text: &str) -> Result<(ProvideBundle, Vec<String>), Issues> {
    let document = Document::parse(text.to_owned()).unwrap();
    let noted = read_provide_bundle(&document)?;
    let remarks = noted.remarks.iter().map(|issue| format!("{} {}", issue.finding.at.path, issue.finding.rule.point));
    Ok((noted.value, remarks.collect()))
}

fn doctor() -> Party {
    let mut doctor = Party::new(PartyKind::Practitioner);
    doctor.identifiers = vec![Identifier { system: "urn:oid:1.2.250.1.71.4.2.1".into(), value: "899700218896".into() }];
    doctor.name = Some("MARTIN".into());
    doctor.given = vec!["Alice".into()];
    doctor
}

fn hospital() -> Party {
    let mut hospital = Party::new(PartyKind::Organization);
    hospital.identifiers = vec![Identifier { system: "urn:oid:1.2.250.1.71.4.2.2".into(), value: "1690781810".into() }];
    hospital.name = Some("HOPITAL A".into());
    hospital
}

fn nos(name: &str, code: &str) -> Coding {
    Coding::new(format!("https://mos.esante.gouv.fr/NOS/{name}/FHIR/{}", name.replace('_', "-")), code, None)
}

#[test]
fn reads_a_transaction_of_somebody_else() {
    let (bundle, remarks) = read(BUNDLE).unwrap();
    assert_eq!(remarks, Vec::<String>::new());

    let SubmittedPatient::Described(patient) = &bundle.patient else { panic!("{:?}", bundle.patient) };
    assert_eq!(patient.traits.birth_name, "PAT-TROIS");
    assert_eq!(patient.ins.as_ref().unwrap().matricule.as_str(), "279035121518989");
    assert_eq!(patient.evidence.unwrap().device, HighConfidenceDevice::PA);

    let lot = &bundle.submission_set;
    assert_eq!(lot.unique_id, Some(Identifier::uri("urn:oid:1.2.250.1.999.2.1")));
    assert_eq!(lot.entry_uuid, Some("00000000-0000-4000-8000-00000000000a".parse().unwrap()));
    assert_eq!(lot.source_id, SourceId::Oid("1.2.250.1.999.1".parse().unwrap()));
    assert_eq!((lot.content_type.code.as_str(), lot.submitted.to_dtm().as_str()), ("07", "20261124100000"));
    assert_eq!((lot.title.as_deref(), lot.comment.as_deref()), (Some("Consultation"), Some("Bonne lecture")));
    let mut author = doctor();
    author.roles = vec![nos("TRE_G15-ProfessionSante", "10")];
    author.organization = Some(Box::new(hospital()));
    assert_eq!((lot.author.as_ref(), lot.author_organization.as_ref()), (Some(&author), Some(&hospital())));

    let expected = [
        Recipient {
            to: Addressee::Mailbox("luc.bernard@hopital-a.mssante.test".parse().unwrap()),
            kind: PartyKind::Practitioner,
            name: Some("Luc BERNARD".into()),
        },
        Recipient { to: Addressee::ThePatient, kind: PartyKind::Patient, name: None },
    ];
    assert_eq!(bundle.recipients, expected);
    assert!(bundle.feed_dmp);

    let [document] = &bundle.documents[..] else { panic!("{:?}", bundle.documents) };
    assert_eq!(document.bytes, CDA);
    let fiche = &document.metadata;
    assert_eq!(fiche.unique_id, Identifier::uri("urn:oid:1.2.250.1.999.3.1"));
    assert_eq!((fiche.type_code.code.as_str(), fiche.class_code.code.as_str()), ("11488-4", "10"));
    assert_eq!((&fiche.authors, fiche.authenticator.as_ref()), (&vec![doctor()], Some(&doctor())));
    assert_eq!(fiche.custodian.reference.as_deref(), Some("Organization/12"));
    let confidentiality = Confidentiality { level: Level::Restricted, hidden: vec![Visibility::InvisibleToPatient] };
    assert_eq!(fiche.confidentiality, confidentiality);
    let target = RelationTarget::Identifier(Identifier::uri("urn:oid:1.2.250.1.999.3.0"));
    assert_eq!(fiche.relations, [Relation { code: RelationCode::Replaces, target }]);
    assert_eq!((fiche.mime.as_str(), fiche.language.as_str()), ("text/xml", "fr-FR"));
    assert_eq!(fiche.service_stop.as_ref().unwrap().to_dtm(), "20261124092000");
    assert_eq!((fiche.facility.code.as_str(), fiche.practice.code.as_str()), ("SA01", "ETABLISSEMENT"));
    assert_eq!((fiche.events.len(), fiche.reference_ids[0].value.as_str()), (1, "ACC-1"));
}

const LIST: &str = "Bundle.entry[0].resource";
const FICHE: &str = "Bundle.entry[1].resource";
const ATTACHMENT: &str = "Bundle.entry[1].resource.content[0].attachment";

fn hex_sha1() -> String {
    crate::base64::sha1(CDA).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One thing broken per row: what is replaced, where that is said and by which point of the profile.
#[test]
fn one_thing_broken_is_one_thing_said() {
    let hash = crate::base64::encode(&crate::base64::sha1(CDA));
    let other_hash = crate::base64::encode(&crate::base64::sha1(b"x"));
    let data = crate::base64::encode(CDA);
    let hash_part = format!("\"hash\":\"{hash}\",");
    let cases: Vec<(&str, &str, String, String, &str)> = vec![
        ("no lot", r#""code":"submissionset""#, r#""code":"folder""#.into(), LIST.into(), "Bundle.entry:Folders"),
        ("list of no type", "MHDlistTypes", "other".into(), format!("{LIST}.code"), "List.code"),
        ("not a transaction", "\"transaction\"", "\"batch\"".into(), "Bundle.type".into(), "Bundle.type"),
        ("method PUT", r#"{"method":"POST","url":"Binary"}"#, r#"{"method":"PUT","url":"Binary"}"#.into(), "Bundle.entry[2].request.method".into(), "Bundle.entry.request.method"),
        ("no method", r#"{"method":"POST","url":"Binary"}"#, r#"{"url":"Binary"}"#.into(), "Bundle.entry[2].request.method".into(), "Bundle.entry.request.method"),
        ("same fullUrl", "0003\",\"request\"", "0004\",\"request\"".into(), "Bundle.entry[3]".into(), "bdl-7"),
        ("lot not current", "\"status\":\"current\",\"mode\"", "\"status\":\"retired\",\"mode\"".into(), format!("{LIST}.status"), "status"),
        ("lot without status", "\"status\":\"current\",\"mode\"", "\"mode\"".into(), format!("{LIST}.status"), "List.status"),
        ("mode", "\"working\"", "\"snapshot\"".into(), format!("{LIST}.mode"), "List.mode"),
        ("no mode", "\"mode\":\"working\",", String::new(), format!("{LIST}.mode"), "List.mode"),
        ("encounter", "\"mode\":\"working\"", "\"mode\":\"working\",\"encounter\":{\"reference\":\"Encounter/1\"}".into(), format!("{LIST}.encounter"), "List.encounter"),
        ("no sourceId", "ihe-sourceId", "other".into(), format!("{LIST}.extension"), "List.extension:ihe-sourceId"),
        ("sourceId no OID", "urn:oid:1.2.250.1.999.1\"", "urn:oid:1.x\"".into(), format!("{LIST}.extension[1]"), "List.extension:ihe-sourceId"),
        ("no designationType", "ihe-designationType", "other".into(), format!("{LIST}.extension"), "List.extension:ihe-designationType"),
        ("designationType without code", "\"code\":\"07\",", String::new(), format!("{LIST}.extension[0]"), "List.extension:ihe-designationType"),
        ("no date of the lot", "\"date\":\"2026-11-24T11:00:00+01:00\",\n  \"source\"", "\"source\"".into(), format!("{LIST}.date"), "List.date"),
        ("bad date of the lot", "\"date\":\"2026-11-24T11:00:00+01:00\",\n  \"source\"", "\"date\":\"24/11/2026\",\"source\"".into(), format!("{LIST}.date"), "List.date"),
        ("no source", "\"source\":{\"reference\":\"#role\"", "\"origin\":{\"reference\":\"#role\"".into(), format!("{LIST}.source"), "List.source"),
        ("source not contained", "\"#role\"", "\"PractitionerRole/1\"".into(), format!("{LIST}.source"), "List.source"),
        ("source leads nowhere", "\"#role\"", "\"#nobody\"".into(), format!("{LIST}.source"), "ref-1"),
        ("entryUUID no UUID", "urn:uuid:00000000-0000-4000-8000-00000000000a", "urn:oid:1.2".into(), format!("{LIST}.identifier[1]"), "identifier:entryUUID"),
        ("no subject of the lot", "\"subject\":{\"reference\":\"urn", "\"topic\":{\"reference\":\"urn".into(), format!("{LIST}.subject"), "List.subject"),
        ("recipient leads nowhere", "\"#to\"", "\"#nobody\"".into(), format!("{LIST}.extension[2].valueReference"), "ref-1"),
        ("recipient elsewhere", "\"#to\"", "\"Practitioner/1\"".into(), format!("{LIST}.extension[2].valueReference"), "pdsm-ext-intended-recipient"),
        ("recipient without address", "\"system\":\"email\",\"value\":\"luc.bernard", "\"system\":\"sms\",\"value\":\"luc.bernard".into(), format!("{LIST}.extension[2].valueReference"), "pdsm-ext-intended-recipient"),
        ("recipient no address", "luc.bernard@hopital-a.mssante.test", "luc bernard".into(), format!("{LIST}.extension[2].valueReference"), "pdsm-ext-intended-recipient"),
        ("bad feed-dmp", "\"extension\":[\n   {\"url\":\"https://profiles", "\"extension\":[\n   {\"url\":\"urn:socle:extension:feed-dmp\",\"valueString\":\"no\"},{\"url\":\"https://profiles".into(), format!("{LIST}.extension[0]"), "urn:socle:extension:feed-dmp"),
        ("fiche outside the lot", "\"item\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-000000000002\"}", "\"item\":{\"reference\":\"DocumentReference/1\"}".into(), format!("{LIST}.entry[0].item"), "List.entry.item"),
        ("item is no fiche", "\"item\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-000000000002\"}", "\"item\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-000000000003\"}".into(), format!("{LIST}.entry[0].item"), "List.entry.item"),
        ("item unresolved", "\"item\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-000000000002\"}", "\"item\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-000000000009\"}".into(), format!("{LIST}.entry[0].item"), "3.1.0.11.2"),
        ("no masterIdentifier", "masterIdentifier", "otherIdentifier".into(), format!("{FICHE}.masterIdentifier"), "DocumentReference.masterIdentifier"),
        ("masterIdentifier without value", "\"value\":\"urn:oid:1.2.250.1.999.3.1\"", "\"use\":\"usual\"".into(), format!("{FICHE}.masterIdentifier"), "DocumentReference.masterIdentifier"),
        ("fiche superseded", "\"status\":\"current\",\n  \"type\"", "\"status\":\"superseded\",\"type\"".into(), format!("{FICHE}.status"), "status"),
        ("docStatus", "\"status\":\"current\",\n  \"type\"", "\"status\":\"current\",\"docStatus\":\"final\",\"type\"".into(), format!("{FICHE}.docStatus"), "DocumentReference.docStatus"),
        ("no type", "\"type\":{\"coding\":[{\"system\":\"http://loinc.org\"", "\"kind\":{\"coding\":[{\"system\":\"http://loinc.org\"".into(), format!("{FICHE}.type"), "DocumentReference.type"),
        ("type without system", "\"system\":\"http://loinc.org\",", String::new(), format!("{FICHE}.type"), "DocumentReference.type"),
        ("two classes", "\"category\":[", "\"category\":[{\"coding\":[{\"system\":\"s\",\"code\":\"11\"}]},".into(), format!("{FICHE}.category[1]"), "DocumentReference.category"),
        ("no date of the fiche", "\"date\":\"2026-11-24T11:00:00+01:00\",\n  \"author\"", "\"author\"".into(), format!("{FICHE}.date"), "DocumentReference.date"),
        ("no author", "\"author\":[{\"reference\":\"#doctor\"}]", "\"writer\":[{\"reference\":\"#doctor\"}]".into(), format!("{FICHE}.author"), "DocumentReference.author"),
        ("author elsewhere", "\"author\":[{\"reference\":\"#doctor\"}]", "\"author\":[{\"reference\":\"Practitioner/1\"}]".into(), format!("{FICHE}.author[0]"), "DocumentReference.author"),
        ("author is a Binary", "\"author\":[{\"reference\":\"#doctor\"}]", "\"author\":[{\"reference\":\"urn:uuid:00000000-0000-4000-8000-000000000003\"}]".into(), format!("{FICHE}.author[0]"), "DocumentReference.author"),
        ("no custodian", "\"custodian\"", "\"keeper\"".into(), format!("{FICHE}.custodian"), "DocumentReference.custodian"),
        ("relation of no kind", "\"replaces\"", "\"improves\"".into(), format!("{FICHE}.relatesTo[0].code"), "DocumentReference.relatesTo.code"),
        ("no level", "\"code\":\"R\"", "\"code\":\"MASQUE_PS\"".into(), format!("{FICHE}.securityLabel"), "DocumentReference.securityLabel"),
        ("two levels", "\"INVISIBLE_PATIENT\"", "\"N\"".into(), format!("{FICHE}.securityLabel[1].coding[0]"), "DocumentReference.securityLabel"),
        ("label that nobody knows", "\"INVISIBLE_PATIENT\"", "\"INVISIBLE\"".into(), format!("{FICHE}.securityLabel[1].coding[0]"), "DocumentReference.securityLabel (JDV_J08)"),
        ("no contentType", "\"contentType\":\"text/xml\",", String::new(), format!("{ATTACHMENT}.contentType"), "DocumentReference.content.attachment.contentType"),
        ("no language", "\"language\":\"fr-FR\",", String::new(), format!("{ATTACHMENT}.language"), "DocumentReference.content.attachment.language"),
        ("no title", "\"title\":\"Compte rendu de consultation\",", String::new(), format!("{ATTACHMENT}.title"), "DocumentReference.content.attachment.title"),
        ("bad creation", "2026-11-24T10:30:00+01:00", "2026-11-24T10:30".into(), format!("{ATTACHMENT}.creation"), "DocumentReference.content.attachment.creation"),
        ("other type in the Binary", "\"contentType\":\"application/xml\"", "\"contentType\":\"application/pdf\"".into(), "Bundle.entry[2].resource".into(), "Binary.contentType"),
        ("no type in the Binary", "\"contentType\":\"application/xml\",", String::new(), "Bundle.entry[2].resource.contentType".into(), "Binary.contentType"),
        ("no data", "\"data\":", "\"date\":".into(), "Bundle.entry[2].resource.data".into(), "Binary.data"),
        ("bad base64", &data, format!("{}*", &data[1..]), "Bundle.entry[2].resource.data".into(), "2.24.0.1 (base64Binary)"),
        ("no size", "\"size\":80,", String::new(), format!("{ATTACHMENT}.size"), "DocumentReference.content.attachment.size"),
        ("other size", "\"size\":80", "\"size\":81".into(), format!("{ATTACHMENT}.size"), "DocumentReference.content.attachment.size"),
        ("size with decimals", "\"size\":80", "\"size\":80.0".into(), format!("{ATTACHMENT}.size"), "DocumentReference.content.attachment.size"),
        ("no hash", &hash_part, String::new(), format!("{ATTACHMENT}.hash"), "DocumentReference.content.attachment.hash"),
        ("other hash", &hash, other_hash, format!("{ATTACHMENT}.hash"), "DocumentReference.content.attachment.hash"),
        ("hash in hexadecimal", &hash, hex_sha1(), format!("{ATTACHMENT}.hash"), "DocumentReference.content.attachment.hash"),
        ("hash cut", &hash, "AAAA".into(), format!("{ATTACHMENT}.hash"), "DocumentReference.content.attachment.hash"),
        ("no format", "\"format\":", "\"form\":".into(), "Bundle.entry[1].resource.content[0].format".into(), "DocumentReference.content.format"),
        ("no period", "\"period\":", "\"time\":".into(), format!("{FICHE}.context.period"), "DocumentReference.context.period"),
        ("no start", "\"start\":\"2026-11-24T10:00:00+01:00\",", String::new(), format!("{FICHE}.context.period.start"), "DocumentReference.context.period.start"),
        ("bad end", "2026-11-24T10:20:00+01:00", "later".into(), format!("{FICHE}.context.period.end"), "DocumentReference.context.period.end"),
        ("no facility", "\"facilityType\"", "\"facility\"".into(), format!("{FICHE}.context.facilityType"), "DocumentReference.context.facilityType"),
        ("no practice", "\"practiceSetting\"", "\"practice\"".into(), format!("{FICHE}.context.practiceSetting"), "DocumentReference.context.practiceSetting"),
        ("event without code", "\"code\":\"YYYY600\"", "\"display\":\"x\"".into(), format!("{FICHE}.context.event[0]"), "DocumentReference.context.event"),
        ("no sourcePatientInfo", "\"sourcePatientInfo\"", "\"patientInfo\"".into(), format!("{FICHE}.context.sourcePatientInfo"), "DocumentReference.context.sourcePatientInfo"),
        ("no subject of the fiche", "\"subject\":{\"reference\":\"Patient?", "\"topic\":{\"reference\":\"Patient?".into(), format!("{FICHE}.subject"), "DocumentReference.subject"),
        ("subject has another INS", "%7C279035121518989", "%7C180032B02040123".into(), format!("{FICHE}.subject"), "subject"),
        ("subject cannot be compared", "1.4.10%7C279035121518989", "1.4.9%7C279035121518989".into(), format!("{FICHE}.subject"), "subject"),
        ("search by name", "Patient?identifier=urn:oid:1.2.250.1.213.1.4.10%7C279035121518989", "Patient?name=PAT-TROIS".into(), format!("{FICHE}.subject"), "3.1.0.11.2"),
        ("subject elsewhere", "Patient?identifier=urn:oid:1.2.250.1.213.1.4.10%7C279035121518989", "Patient/12".into(), format!("{FICHE}.subject"), "subject"),
        ("other patient at the source", "\"value\":\"IPP-42\"}]}],\n  \"masterIdentifier", "\"value\":\"IPP-43\"}]}],\n  \"masterIdentifier".into(), format!("{FICHE}.context.sourcePatientInfo"), "subject"),
        ("subject is a doctor", "\"sourcePatientInfo\":{\"reference\":\"#source\"}", "\"sourcePatientInfo\":{\"reference\":\"#doctor\"}".into(), format!("{FICHE}.context.sourcePatientInfo"), "subject"),
        ("patient without birth date", ",\"birthDate\":\"1979-03-28\"", String::new(), "Bundle.entry[3].resource.birthDate".into(), "birthDate"),
        ("empty array", "\"note\":[{\"text\":\"Bonne lecture\"}]", "\"note\":[]".into(), format!("{LIST}.note"), "2.6.2"),
        ("null", "\"title\":\"Consultation\"", "\"title\":null".into(), format!("{LIST}.title"), "2.6.2"),
    ];
    for (name, from, to, path, point) in cases {
        assert!(BUNDLE.contains(from), "{name}: nothing to break");
        let issues =
            read(&BUNDLE.replacen(from, &to, if name == "recipient without address" { 2 } else { 1 })).unwrap_err();
        let errors: Vec<_> = issues.0.iter().filter(|issue| issue.finding.is_error()).collect();
        let found: Vec<_> =
            errors.iter().map(|issue| (issue.finding.at.path.clone(), issue.finding.rule.point.to_string())).collect();
        assert!(found.contains(&(path, point.to_owned())), "{name}: {found:?}");
        assert_eq!(found.len(), consequences(name), "{name}: {found:?}");
        assert!(errors.iter().all(|issue| issue.finding.at.line.is_some_and(|line| line > 0)), "{name}");
        assert!(!issues.to_string().contains("27903") && !issues.to_string().contains("TROIS"), "{name}");
    }
}

/// How many things a single fault entails: a lot that is none has no fiche in it, and so on.
fn consequences(name: &str) -> usize {
    match name {
        "no lot" | "list of no type" => 3,
        "same fullUrl" => 3,
        "fiche outside the lot" | "item is no fiche" | "item unresolved" => 2,
        "patient without birth date" => 2,
        _ => 1,
    }
}

#[test]
fn what_is_refused_as_a_whole_is_said() {
    let cases = [
        (r#"{"resourceType":"Patient"}"#, "Bundle"),
        (r#"[]"#, "Bundle"),
        (r#"{"resourceType":"Bundle","type":"transaction"}"#, "Bundle.entry:SubmissionSet"),
        (
            r#"{"resourceType":"Bundle","type":"transaction","entry":[{"x":1},5,{"resource":{}}]}"#,
            "Bundle.entry:SubmissionSet",
        ),
    ];
    for (text, point) in cases {
        let issues = read(text).unwrap_err();
        assert!(issues.0.iter().any(|issue| issue.finding.rule.point == point), "{text}: {issues}");
    }
}

#[test]
fn a_bundle_that_is_wrong_everywhere_is_listed_up_to_a_limit() {
    let entries = vec!["{}"; 5000].join(",");
    let issues = read(&format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{entries}]}}"#)).unwrap_err();
    assert_eq!(issues.0.len(), 200);
}

#[test]
fn what_may_differ_is_taken() {
    let inline = format!("\"data\":\"{}\",", crate::base64::encode(CDA));
    let (before, after) =
        BUNDLE.split_once(",\n {\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000003\"").unwrap();
    let (_, after) = after.split_once("\"}},").unwrap();
    let without_binary = format!("{before},{after}");
    let wrapped: String = BUNDLE.replace("\"data\":\"", "\"data\":\"\\n  ").replace("PD94", "PD94\\r\\n ");
    let cases = [
        (
            "document inside the fiche",
            without_binary.replace("\"url\":\"urn:uuid:00000000-0000-4000-8000-000000000003\",", &inline),
            1,
        ),
        ("base64 in lines", wrapped, 0),
        (
            "lot's identifier is a UUID",
            BUNDLE.replace("urn:oid:1.2.250.1.999.2.1", "urn:uuid:00000000-0000-4000-8000-00000000000b"),
            1,
        ),
        ("author is an organisation alone", BUNDLE.replacen("\"reference\":\"#role\",", "", 1), 0),
        (
            "Binary by the end of its fullUrl",
            BUNDLE
                .replace("\"url\":\"urn:uuid:00000000-0000-4000-8000-000000000003\"", "\"url\":\"Binary/b1\"")
                .replace("\"urn:uuid:00000000-0000-4000-8000-000000000003\"", "\"https://a.test/fhir/Binary/b1\""),
            0,
        ),
        (
            "Binary by type and id",
            BUNDLE
                .replace("\"url\":\"urn:uuid:00000000-0000-4000-8000-000000000003\"", "\"url\":\"Binary/b1\"")
                .replace("\"resourceType\":\"Binary\"", "\"resourceType\":\"Binary\",\"id\":\"b1\""),
            0,
        ),
    ];
    for (name, text, remarks) in cases {
        let (bundle, found) = read(&text).unwrap_or_else(|issues| panic!("{name}: {issues}"));
        assert_eq!(bundle.documents[0].bytes, CDA, "{name}");
        assert_eq!(found.len(), remarks, "{name}: {found:?}");
    }
    let kept_out = BUNDLE.replacen("\"extension\":[\n   {\"url\":\"https://profiles", "\"extension\":[\n   {\"url\":\"urn:socle:extension:feed-dmp\",\"valueBoolean\":false},{\"url\":\"https://profiles", 1);
    assert!(!read(&kept_out).unwrap().0.feed_dmp);
}

fn words() -> impl Strategy<Value = String> {
    "[A-Za-zé\"\\\\' ]{0,8}[a-z]"
}

fn codings() -> impl Strategy<Value = Coding> {
    (words(), words(), prop::option::of(words())).prop_map(|(system, code, display)| Coding { system, code, display })
}

fn identifiers() -> impl Strategy<Value = Identifier> {
    (prop_oneof![Just("urn:oid:1.2.250.1.71.4.2.1".to_owned()), words()], words())
        .prop_map(|(system, value)| Identifier { system, value })
}

fn parties() -> impl Strategy<Value = Party> {
    let simple = (identifiers(), words(), any::<bool>(), 0usize..5).prop_map(|(identifier, name, has_mail, kind)| {
        let kinds = [
            PartyKind::Practitioner,
            PartyKind::Organization,
            PartyKind::Device,
            PartyKind::Patient,
            PartyKind::RelatedPerson,
        ];
        let mut party = Party::new(kinds[kind]);
        if party.kind == PartyKind::Patient {
            return party;
        }
        party.identifiers = vec![identifier];
        party.name = Some(name.clone());
        if matches!(party.kind, PartyKind::Practitioner | PartyKind::RelatedPerson) {
            party.given = vec![name];
        }
        if has_mail && party.kind != PartyKind::Device {
            party.emails = vec!["a@b.mssante.test".into()];
        }
        party
    });
    (simple, prop::option::of(codings()), prop::option::of(words())).prop_map(|(mut party, role, place)| {
        if party.kind == PartyKind::Practitioner {
            party.roles = role.into_iter().collect();
            party.organization = place.map(|name| {
                let mut organization = Party::new(PartyKind::Organization);
                organization.name = Some(name);
                Box::new(organization)
            });
        }
        party
    })
}

fn custodians() -> impl Strategy<Value = Party> {
    (words(), any::<bool>()).prop_map(|(name, is_elsewhere)| {
        let mut party = Party::new(PartyKind::Organization);
        party.name = Some(name);
        party.reference = is_elsewhere.then(|| "Organization/12".to_owned());
        party
    })
}

fn patients() -> impl Strategy<Value = SubmittedPatient> {
    let described = (words(), any::<bool>()).prop_map(|(name, has_ins)| {
        let traits = Traits {
            birth_name: name.trim().to_owned(),
            given_names: "DOMINIQUE MARIE".into(),
            first_given_name: "DOMINIQUE".into(),
            sex: Sex::Female,
            birth_date: date(1979, 3, 28),
            birth_place: None,
            used_name: None,
            used_given_name: None,
        };
        let mut patient = DeclaredPatient::new(traits);
        patient.local = vec![LocalIdentifier { system: "urn:oid:1.2.3".into(), value: name, kind: LocalKind::Pi }];
        patient.ins = has_ins.then(|| socle_identity::Ins {
            matricule: "279035121518989".parse().unwrap(),
            authority: socle_identity::InsAuthority::NirTest,
        });
        SubmittedPatient::Described(Box::new(patient))
    });
    prop_oneof![
        described,
        identifiers().prop_map(SubmittedPatient::Identified),
        Just(SubmittedPatient::Referenced("Patient/12".into())),
    ]
}

fn fiches() -> impl Strategy<Value = DocumentMetadata> {
    let codes = (codings(), codings(), codings(), codings(), codings(), prop::collection::vec(codings(), 0..3));
    let people = (prop::collection::vec(parties(), 1..3), prop::option::of(parties()), custodians());
    let hidden = prop::sample::subsequence(Visibility::ALL.to_vec(), 0..=3);
    let texts = (words(), prop::option::of(words()), prop::option::of(any::<bool>()), 0usize..3);
    (codes, people, hidden, texts).prop_map(|(codes, people, hidden, (title, description, archived, level))| {
        let (type_code, class_code, format, facility, practice, events) = codes;
        let (authors, authenticator, custodian) = people;
        DocumentMetadata {
            unique_id: Identifier::uri("urn:oid:1.2.3"),
            entry_uuid: archived.map(|_| uuid::Uuid::from_u128(7)),
            type_code,
            class_code,
            indexed: "2026-11-24T10:00:00Z".parse().unwrap(),
            authors,
            authenticator: authenticator.filter(|person| person.kind == PartyKind::Practitioner),
            custodian,
            description,
            confidentiality: Confidentiality { level: Level::ALL[level], hidden },
            relations: vec![Relation {
                code: RelationCode::ALL[level],
                target: RelationTarget::Reference("DocumentReference/9".into()),
            }],
            archived,
            mime: "text/xml".into(),
            language: "fr-FR".into(),
            title,
            created: "2026-11-24".parse().unwrap(),
            format,
            service_start: "2026".parse().unwrap(),
            service_stop: archived.map(|_| "2026-11".parse().unwrap()),
            events,
            facility,
            practice,
            reference_ids: vec![ReferenceId { type_code: "urn:x".into(), system: None, value: "1".into() }],
        }
    })
}

fn bundles() -> impl Strategy<Value = ProvideBundle> {
    let documents = prop::collection::vec((fiches(), prop::collection::vec(any::<u8>(), 1..200)), 1..3);
    let lot = (prop::option::of(parties()), custodians(), codings(), prop::option::of(words()));
    let recipients = prop::collection::vec((0usize..4, words()), 0..3);
    (patients(), lot, documents, recipients, any::<bool>()).prop_map(
        |(patient, lot, documents, recipients, feed_dmp)| {
            let (author, mut organization, content_type, title) = lot;
            organization.reference = None;
            let documents = documents.into_iter().enumerate().map(|(at, (mut metadata, bytes))| {
                metadata.unique_id = Identifier::uri(format!("urn:oid:1.2.{at}"));
                ProvidedDocument { metadata, bytes: Bytes::from(bytes) }
            });
            let has_patient = !matches!(patient, SubmittedPatient::Referenced(_));
            let mut bundle = ProvideBundle {
                patient,
                submission_set: SubmissionSet {
                    unique_id: title.as_ref().map(|_| Identifier::uri("urn:oid:1.2.9")),
                    entry_uuid: title.as_ref().map(|_| uuid::Uuid::from_u128(5)),
                    source_id: SourceId::Oid("1.2.250.1.999.1".parse().unwrap()),
                    comment: title.clone(),
                    title,
                    content_type,
                    submitted: "2026-11-24T10:00:00Z".parse().unwrap(),
                    author,
                    author_organization: Some(organization),
                },
                documents: documents.collect(),
                recipients: recipients.into_iter().map(|(kind, name)| recipient(kind, name)).collect(),
                feed_dmp,
            };
            if !has_patient {
                leave_the_patient_out(&mut bundle);
            }
            bundle
        },
    )
}

fn recipient(kind: usize, name: String) -> Recipient {
    let at = |address: &str| Addressee::Mailbox(address.parse().unwrap());
    match kind {
        0 => Recipient { to: at("a.b@c.mssante.test"), kind: PartyKind::Practitioner, name: None },
        1 => Recipient { to: at("d@c.mssante.test"), kind: PartyKind::Organization, name: Some(name) },
        2 => Recipient { to: at("279035121518989@patient.mssante.fr"), kind: PartyKind::Patient, name: None },
        _ => Recipient { to: Addressee::ThePatient, kind: PartyKind::Patient, name: None },
    }
}

/// A patient who is only referred to is nowhere contained, so nobody can be that patient.
fn leave_the_patient_out(bundle: &mut ProvideBundle) {
    let is_patient = |party: &Party| party.kind == PartyKind::Patient;
    bundle.recipients.retain(|recipient| recipient.to != Addressee::ThePatient);
    bundle.submission_set.author = bundle.submission_set.author.take().filter(|author| !is_patient(author));
    for document in &mut bundle.documents {
        document.metadata.authors.retain(|author| !is_patient(author));
        if document.metadata.authors.is_empty() {
            document.metadata.authors.push(doctor());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read(bundle in bundles()) {
        let text = String::from_utf8(write_provide_bundle(&bundle)).unwrap();
        let (again, remarks) = read(&text).unwrap_or_else(|issues| panic!("{issues}\n{text}"));
        prop_assert_eq!(&again, &bundle, "{}", text);
        prop_assert!(remarks.is_empty(), "{remarks:?}");
    }

    #[test]
    fn a_fiche_that_is_answered_is_read(bundle in bundles()) {
        let document = &bundle.documents[0];
        let stored = StoredDocument {
            id: "d1".into(),
            version: 2,
            at: "2026-11-24T10:00:00Z".parse().unwrap(),
            superseded: true,
            patient: bundle.patient.clone(),
            metadata: document.metadata.clone(),
            url: "Binary/b1".into(),
            size: document.bytes.len() as u64,
            sha1: crate::base64::sha1(&document.bytes),
        };
        let answer = Document::parse(write_document_reference(&stored)).unwrap();
        prop_assert_eq!(answer.oddities().count(), 0);
        prop_assert_eq!(read_document_reference(answer.root()).unwrap().value, document.metadata.clone());
        prop_assert_eq!(answer.root().text("status"), Some("superseded"));
        prop_assert_eq!(answer.root().at(&["meta", "versionId"]).unwrap().str(), Some("2"));
    }

    /// A transaction with any piece cut out or put twice is read or refused, never a panic.
    #[test]
    fn broken_transactions_never_panic(from in any::<prop::sample::Index>(), length in 0usize..400, twice in any::<bool>()) {
        let (from, mut bytes) = (from.index(BUNDLE.len()), BUNDLE.as_bytes().to_vec());
        let to = (from + length).min(bytes.len());
        let piece = bytes[from..to].to_vec();
        bytes.splice(from..to, if twice { [piece.clone(), piece].concat() } else { Vec::new() });
        if let Ok(document) = Document::parse(bytes) {
            if let Err(issues) = read_provide_bundle(&document) {
                prop_assert!(issues.refuse(), "refused without a word");
            }
            if let Err(issues) = read_document_reference(document.root()) {
                prop_assert!(issues.refuse(), "refused without a word");
            }
        }
    }
}

#[test]
fn each_entry_is_answered_in_its_place() {
    let roles = |text: &str| entry_roles(&Document::parse(text.to_owned()).unwrap());
    let expected = [EntryRole::SubmissionSet, EntryRole::Fiche(0), EntryRole::Document(0), EntryRole::Patient];
    assert_eq!(roles(BUNDLE), expected);
    assert_eq!(roles("{}"), []);
    let (mut bundle, _) = read(BUNDLE).unwrap();
    let mut second = bundle.documents[0].clone();
    second.metadata.unique_id = Identifier::uri("urn:oid:1.2.3");
    bundle.documents.push(second);
    let expected = [
        EntryRole::SubmissionSet,
        EntryRole::Fiche(0),
        EntryRole::Document(0),
        EntryRole::Fiche(1),
        EntryRole::Document(1),
    ];
    assert_eq!(roles(&String::from_utf8(write_provide_bundle(&bundle)).unwrap()), expected);
}

#[test]
fn answers_are_well_formed() {
    let at: jiff::Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
    let stored = [Stored { resource_type: "List", id: "l1".into(), version: 1, at }];
    let response =
        Document::parse(write_transaction_response("https://socle.test/fhir", &stored, &[], Lang::Fr)).unwrap();
    let entry = response.root().all("entry").next().unwrap().get("response").unwrap();
    assert_eq!((entry.text("status"), entry.text("location")), (Some("201 Created"), Some("List/l1/_history/1")));
    assert_eq!(entry.text("etag"), Some("W/\"1\""));

    let entries = [SearchEntry {
        full_url: "https://socle.test/fhir/Binary/b1".into(),
        resource: write_binary("b1", "text/xml", b"<a/>"),
    }];
    let found = Document::parse(write_searchset("https://socle.test/fhir/DocumentReference", at, &entries)).unwrap();
    assert_eq!(found.root().get("total").unwrap().u64(), Some(1));
    let data = found.root().all("entry").next().unwrap().at(&["resource", "data"]).unwrap().str().unwrap();
    assert_eq!(crate::base64::decode(data).unwrap(), b"<a/>");
    let none = Document::parse(write_searchset("https://socle.test/fhir/DocumentReference", at, &[])).unwrap();
    assert_eq!((none.oddities().count(), none.root().get("total").unwrap().u64()), (0, Some(0)));

    let about = CapabilityAbout {
        base: "https://socle.test/fhir".into(),
        version: "0.1.0".into(),
        date: at,
        description: "jumeau".into(),
        searches: vec![SearchParameter {
            name: "patient",
            definition: "http://hl7.org/fhir/SearchParameter/clinical-patient",
            kind: "reference",
            documentation: "patient.identifier",
        }],
    };
    let statement = Document::parse(write_capability_statement(&about)).unwrap();
    let rest = statement.root().all("rest").next().unwrap();
    let types: Vec<_> = rest.all("resource").filter_map(|resource| resource.text("type")).collect();
    assert_eq!(
        (types.as_slice(), statement.root().text("fhirVersion")),
        (&["DocumentReference", "Binary"][..], Some("4.0.1"))
    );
    for document in [&response, &found, &statement] {
        assert_eq!(document.oddities().count(), 0);
    }
}
