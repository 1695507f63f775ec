//! XDS metadata: derived from the published examples, written, read back, read from others, and broken.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod fixtures;

use std::collections::HashMap;

use proptest::prelude::*;
use socle_cda::xds::{
    self, Association, AssociationKind, Cx, DocumentEntry, EntryOptions, Profile, RegistryObjects, Status, Submission,
    SubmissionSet,
};
use socle_cda::{Code, Document, Header};
use socle_xml::roxmltree;

const AT: &str = "2026-11-24T10:00:00Z";

fn entry_of(name: &str, document: &Document) -> DocumentEntry {
    let header = Header::read(document).unwrap();
    let patient = match header.ins().unwrap() {
        Ok(ins) => Cx::from(&ins),
        Err(_) => Cx::local("IPP1", "1.2.3.4"),
    };
    let made = DocumentEntry::from_header(document, &patient, &EntryOptions::new("Doc1"));
    made.unwrap_or_else(|error| panic!("{name}: {error}")).value
}

fn submission_of(name: &str, document: &Document) -> Submission {
    let entry = entry_of(name, document);
    let header = Header::read(document).unwrap();
    let (set_id, source) = ("1.2.250.1.999.1.1".parse().unwrap(), "1.2.250.1.999.1".parse().unwrap());
    let set = SubmissionSet::around(&entry, header, &set_id, &source, AT.parse().unwrap());
    Submission::new(set, vec![entry])
}

fn read(xml: &str, profile: Profile) -> Result<socle_cda::Checked<Submission>, socle_cda::Refused> {
    let tree = roxmltree::Document::parse(xml).unwrap();
    xds::read_submission(tree.root_element(), profile)
}

/// Labels are not part of equality of codes, so they are compared apart.
fn labels(entry: &DocumentEntry) -> Vec<String> {
    let one = [&entry.class_code, &entry.type_code, &entry.format_code, &entry.facility, &entry.practice_setting];
    one.into_iter().chain(&entry.confidentiality).chain(&entry.events).map(|code| code.label.clone()).collect()
}

#[test]
fn every_example_gives_metadata_that_come_back_the_same_and_satisfy_the_dmp() {
    for (name, bytes) in fixtures::examples("every_example_gives_metadata") {
        let document = Document::parse(bytes.clone()).unwrap();
        let written = submission_of(&name, &document);
        let xml = xds::write_submission(&written);
        fixtures::keep(&name.replace(".xml", ".metadata"), xml.as_bytes());
        let back = read(&xml, Profile::Dmp).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(back.value, written, "{name}");
        assert_eq!(labels(&back.value.entries[0]), labels(&written.entries[0]), "{name}");
        let entry = &written.entries[0];
        assert_eq!(entry.size, Some(bytes.len() as u64), "{name}");
        assert!(labels(entry).iter().all(|label| !label.is_empty()), "{name}");
    }
}

/// The format of each example by another way than ours: file name → volet → format, from the data tables.
#[test]
fn formats_are_those_of_the_volet_tables() {
    let test = "formats_are_those_of_the_volet_tables";
    let (Some(volets), Some(examples)) = (
        fixtures::shared(test, "documents/terminology/volet_template_formatcode.csv"),
        fixtures::shared(test, "documents/cda/oracle/example_to_schematron.csv"),
    ) else {
        return;
    };
    let rows = |path| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
    };
    let format_of: HashMap<String, String> =
        rows(volets).into_iter().map(|row| (row[0].to_uppercase(), row.last().unwrap().clone())).collect();
    let volet_of: HashMap<String, Vec<String>> = rows(examples).into_iter().map(|row| (row[0].clone(), row)).collect();
    let mut unlisted = Vec::new();
    for (name, bytes) in fixtures::examples(test) {
        let document = Document::parse(bytes).unwrap();
        let format = entry_of(&name, &document).format_code;
        let row = &volet_of[&name];
        let volet = row[5].trim_start_matches("CI-SIS_").rsplit_once('_').map_or("VSM", |(volet, _)| volet);
        let volet = volet.trim_end_matches("_1.4").to_uppercase();
        let expected = match (row[3].as_str(), format_of.get(&volet).map(String::as_str)) {
            ("N1", _) => "urn:ihe:iti:xds-sd:pdf:2008",
            (_, Some(known)) if !known.starts_with("UNKNOWN") => known,
            _ => "urn:asipSante:modelesHorsProfils:2011",
        };
        assert_eq!(format.code, expected, "{name} ({volet})");
        let of_ihe = format.code.starts_with("urn:ihe:");
        assert_eq!(format.system, if of_ihe { "1.3.6.1.4.1.19376.1.2.3" } else { "1.2.250.1.213.1.1.4.2.282" });
        if expected.ends_with("modelesHorsProfils:2011") {
            unlisted.push(name);
        }
    }
    assert_eq!(
        unlisted,
        [
            "BIO-TROD_2024.01_Angine.xml",
            "BIO-TROD_2024.01_COVID-19.xml",
            "BIO-TROD_2024.01_COVID-19_Grippe-A_Grippe-B.xml",
            "DLU-FR-SU_2025.01.xml"
        ]
    );
}

/// Read by hand in the files: what the metadata of five very different documents must say.
#[test]
fn derived_values_are_those_of_the_files() {
    let examples: HashMap<String, Vec<u8>> = fixtures::examples("derived_values").into_iter().collect();
    if examples.is_empty() {
        return;
    }
    let entry = |name: &str| entry_of(name, &Document::parse(examples[name].clone()).unwrap());

    let letter = entry("LDL-SES_2022.01.xml");
    assert_eq!(letter.unique_id, "1.2.250.1.213.1.1.1.29.2022.1.1");
    assert_eq!(letter.creation_time.as_str(), "20191203123000");
    assert_eq!(letter.service_start.as_ref().unwrap().as_str(), "20191029101700");
    assert_eq!(letter.service_stop.as_ref().unwrap().as_str(), "20191203123000");
    assert_eq!(letter.patient_id.to_string(), "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH");
    assert_eq!(letter.source_patient_id.as_ref().unwrap().to_string(), "1234567890121^^^&1.2.3.4.567.8.9.10&ISO^PI");
    assert_eq!(
        letter.source_patient_info,
        ["PID-5|PAT-TROIS^DOMINIQUE^^^^^L", "PID-5|PAT-TROIS^DOMINIQUE^^^^^D", "PID-7|19790328", "PID-8|F"]
    );
    assert_eq!(
        letter.authors[0].person.as_ref().unwrap().to_string(),
        "801234567897^DAVID^Charles^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
    );
    assert_eq!(
        letter.authors[0].institutions[0].to_string(),
        "Hôpital Européen Georges Pompidou^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1750803447"
    );
    assert!(letter.authors[0].specialties[0].is("G15_10/SM27", "1.2.250.1.213.1.1.4.5"));
    assert_eq!(
        letter.legal_authenticator.as_ref().unwrap().to_string(),
        "801234567897^AUGUIN^Léon^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
    );
    assert!(letter.class_code.is("10", "1.2.250.1.213.1.1.4.1"));
    assert!(letter.type_code.is("11490-0", "2.16.840.1.113883.6.1"));
    assert!(letter.facility.is("SA01", "1.2.250.1.71.4.2.4"));
    assert!(letter.practice_setting.is("ETABLISSEMENT", "1.2.250.1.213.1.1.4.9"));
    assert_eq!(letter.events, [Code::new("IMP", "2.16.840.1.113883.5.4", "")]);
    assert_eq!((letter.mime_type.as_str(), letter.language.as_str()), ("text/xml", "fr-FR"));

    let self_presenting = entry("BIO-CR-BIO_2021.01_Auto-Presentable.xml");
    assert_eq!(self_presenting.mime_type, "application/xslt+xml");

    let refunds = entry("CNAM-HR_2021.01.xml");
    assert!(refunds.class_code.is("60", "1.2.250.1.213.1.1.4.1"));
    let system = refunds.authors[0].person.as_ref().unwrap();
    assert_eq!((system.id.as_str(), system.id_type.as_str()), ("518003502400041/1.2.250.1.215.1.2", "RI"));

    let imaging = entry("IMG_CR_IMG_2024.01.xml");
    let references: Vec<_> = imaging.reference_ids.iter().map(ToString::to_string).collect();
    assert!(
        references
            .contains(&"105234751^^^&1.2.250.1.925.994044785528.27&ISO^urn:ihe:iti:xds:2013:accession".to_owned())
    );
    assert!(
        references.contains(&"1.2.250.1.925.994044.27.123.1876360^^^^urn:ihe:iti:xds:2016:studyInstanceUID".to_owned())
    );
    assert!(
        references
            .iter()
            .any(|r| r.starts_with("984375862^^^&1.2.250.1.748.12345678.12&ISO^urn:ihe:iti:xds:2013:order"))
    );

    let vaccines = entry("VAC_2023.01.xml");
    let patient = vaccines.legal_authenticator.unwrap();
    assert_eq!((patient.authority.as_str(), patient.id_type.as_str()), ("1.2.250.1.213.1.4.8", "NH"));
}

#[test]
fn an_ins_that_the_document_does_not_carry_is_refused() {
    let Some((name, bytes)) = fixtures::examples("an_ins_that").into_iter().find(|(name, _)| name.starts_with("LDL"))
    else {
        return;
    };
    let document = Document::parse(bytes).unwrap();
    let other = Cx::from(&socle_identity::Ins {
        matricule: socle_identity::Matricule::from_number("2840588321025").unwrap(),
        authority: socle_identity::InsAuthority::NirTest,
    });
    let refused = DocumentEntry::from_header(&document, &other, &EntryOptions::new("Doc1")).unwrap_err();
    assert_eq!(refused.errors().next().unwrap().rule.point, "XDSPatientIdDoesNotMatch", "{name}");
}

#[test]
fn the_composed_archive_s_metadata_are_read_as_a_mail_and_refused_as_a_feed() {
    let Some(path) = fixtures::shared("the_composed_archive_s_metadata", "messaging/xdm/METADATA.XML") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let read_as_mail = read(&text, Profile::Xdm).unwrap();
    let submission = read_as_mail.value;
    let entry = &submission.entries[0];
    assert_eq!(submission.set.unique_id, "1.2.250.1.71.4.2.2.120456789.71024000081.1.9");
    assert!(submission.set.content_type.is("07", "1.2.250.1.213.2.2"));
    assert_eq!(entry.uri.as_deref(), Some("DOC00001.XML"));
    assert_eq!(entry.hash.as_deref(), Some("94683a537e7bff5c3c2580e494d8c3a12affd712"));
    assert_eq!(entry.size, Some(245_855));
    assert_eq!(entry.patient_id.ins().unwrap().to_cx(), "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH");
    assert_eq!(entry.authors[0].person.as_ref().unwrap().id, "801234564895");
    let points: Vec<_> = read_as_mail.warnings.iter().map(|f| f.rule.point.as_ref()).collect();
    assert_eq!(points, ["legalAuthenticator"]);
    let refused = read(&text, Profile::Dmp).unwrap_err();
    let points: Vec<_> = refused.errors().map(|f| f.at.path.as_str()).collect();
    assert_eq!(points, ["DocumentEntry[1].legalAuthenticator"]);
}

fn full_submission() -> Submission {
    let code = |code: &str, system: &str| Code::new(code, system, "libellé");
    let entry = DocumentEntry {
        id: "Doc1".into(),
        logical_id: None,
        version: None,
        status: None,
        mime_type: "text/xml".into(),
        unique_id: "1.2.250.1.999.7.42.1".into(),
        patient_id: "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH".parse().unwrap(),
        source_patient_id: Some(Cx::local("IPP0001", "1.2.250.1.999.7.9")),
        source_patient_info: vec!["PID-5|PAT-TROIS^DOMINIQUE^^^^^L".into(), "PID-7|19790328".into(), "PID-8|F".into()],
        title: Some("CR d'examen <A & B> \"é\"".into()),
        comments: Some("commentaire".into()),
        creation_time: "20260302091500".parse().unwrap(),
        language: "fr-FR".into(),
        authors: vec![xds::Author {
            person: Some("801234567897^MARTIN^ALICE^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS".parse().unwrap()),
            institutions: vec!["CABINET^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^499900000000001".parse().unwrap()],
            roles: vec!["Médecin traitant".into()],
            specialties: vec![code("G15_10/SM26", "1.2.250.1.213.1.1.4.5")],
            telecoms: vec!["^^Internet^a@medecin.mssante.fr".into()],
        }],
        legal_authenticator: Some("801234567897^MARTIN^ALICE^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS".parse().unwrap()),
        class_code: code("10", "1.2.250.1.213.1.1.4.1"),
        type_code: code("11488-4", "2.16.840.1.113883.6.1"),
        format_code: code("urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3"),
        confidentiality: vec![code("N", "2.16.840.1.113883.5.25"), code("MASQUE_PS", "1.2.250.1.213.1.1.4.13")],
        facility: code("SA07", "1.2.250.1.71.4.2.4"),
        practice_setting: code("AMBULATOIRE", "1.2.250.1.213.1.1.4.9"),
        events: vec![code("39", "1.2.250.1.213.3.3.13")],
        service_start: Some("20260302083000".parse().unwrap()),
        service_stop: Some("20260302".parse().unwrap()),
        reference_ids: vec!["7^^^&1.2.3&ISO^urn:ihe:iti:xds:2013:order".parse().unwrap()],
        hash: Some("94683a537e7bff5c3c2580e494d8c3a12affd712".into()),
        size: Some(12),
        repository_id: None,
        uri: None,
    };
    let set = SubmissionSet {
        id: "SS1".into(),
        status: None,
        unique_id: "1.2.250.1.999.7.42.2".into(),
        source_id: "1.2.250.1.999.7".into(),
        patient_id: entry.patient_id.clone(),
        submission_time: "20260302091600".parse().unwrap(),
        title: Some("Lot".into()),
        comments: None,
        authors: entry.authors.clone(),
        content_type: code("07", "1.2.250.1.213.2.2"),
        intended_recipients: vec!["Cabinet|801234567897^B^C".into()],
    };
    Submission::new(set, vec![entry])
}

/// One thing broken per row: what is replaced, by what, and the attribute that the finding names.
#[test]
fn broken_metadata_are_refused_by_attribute() {
    let entry = |attribute: &str| format!("DocumentEntry[1].{attribute}");
    let set = |attribute: &str| format!("SubmissionSet[1].{attribute}");
    let slot = |name: &str| format!("<rim:Slot name=\"{name}\">");
    let cases: Vec<(String, String, String)> = [
        (slot("creationTime"), slot("x"), entry("creationTime")),
        ("20260302091500".into(), "2026-03-02T09:15:00Z".into(), entry("creationTime")),
        ("20260302091500".into(), "20260302091500+0100".into(), entry("creationTime")),
        ("20260302091500".into(), "20261302091500".into(), entry("creationTime")),
        (slot("languageCode"), slot("x"), entry("languageCode")),
        (slot("legalAuthenticator"), slot("x"), entry("legalAuthenticator")),
        (slot("serviceStartTime"), slot("x"), entry("serviceStartTime")),
        ("20260302083000".into(), "hier".into(), entry("serviceStartTime")),
        (slot("sourcePatientId"), slot("x"), entry("sourcePatientId")),
        (slot("sourcePatientInfo"), slot("x"), entry("sourcePatientInfo")),
        ("IPP0001^^^".into(), "^^^".into(), entry("sourcePatientId")),
        ("mimeType=\"text/xml\"".into(), "".into(), entry("mimeType")),
        ("41a5887f-8865".into(), "00000000-8865".into(), entry("classCode")),
        ("nodeRepresentation=\"10\"".into(), "nodeRepresentation=\"11\"".into(), entry("classCode")),
        ("f0306f51-975f".into(), "00000000-975f".into(), entry("typeCode")),
        ("nodeRepresentation=\"11488-4\"".into(), "nodeRepresentation=\"\"".into(), entry("typeCode")),
        ("a09d5840-386c".into(), "00000000-386c".into(), entry("formatCode")),
        ("1.3.6.1.4.1.19376.1.2.3<".into(), "1.2.250.1.213.1.1.4.2.282<".into(), entry("formatCode")),
        ("f4f85eac-e6cb".into(), "00000000-e6cb".into(), entry("confidentialityCode")),
        ("nodeRepresentation=\"N\"".into(), "nodeRepresentation=\"MASQUE_PS\"".into(), entry("confidentialityCode")),
        ("f33fb8ac-18af".into(), "00000000-18af".into(), entry("healthcareFacilityTypeCode")),
        ("1.2.250.1.71.4.2.4<".into(), "1.2.3<".into(), entry("healthcareFacilityTypeCode")),
        ("cccf5598-8b07".into(), "00000000-8b07".into(), entry("practiceSettingCode")),
        ("1.2.250.1.213.1.1.4.9<".into(), "<".into(), entry("practiceSettingCode")),
        ("93606bcf-9494".into(), "00000000-9494".into(), entry("author")),
        ("58a6f841-87b3".into(), "00000000-87b3".into(), entry("patientId")),
        ("2e82c1f6-a085".into(), "00000000-a085".into(), entry("uniqueId")),
        ("value=\"1.2.250.1.999.7.42.1\"".into(), "value=\"90E1C8EC-F951\"".into(), entry("uniqueId")),
        ("94683a537e7bff5c3c2580e494d8c3a12affd712".into(), "zz".into(), entry("hash")),
        (">12<".into(), ">douze<".into(), entry("size")),
        ("value=\"CR d".into(), "valeur=\"CR d".into(), entry("title")),
        (slot("submissionTime"), slot("x"), set("submissionTime")),
        ("aa543740-bdda".into(), "00000000-bdda".into(), set("contentTypeCode")),
        ("96fdda7c-d067".into(), "00000000-d067".into(), set("uniqueId")),
        ("value=\"1.2.250.1.999.7.42.2\"".into(), "value=\"lot-1\"".into(), set("uniqueId")),
        ("554ac39e-e3fe".into(), "00000000-e3fe".into(), set("sourceId")),
        ("6b5aea1a-874d".into(), "00000000-874d".into(), set("patientId")),
        ("a7058bb9-b4e4".into(), "00000000-b4e4".into(), set("author")),
        ("a54d6aa5-d40d".into(), "00000000-d40d".into(), set("classificationNode")),
        ("targetObject=\"Doc1\"".into(), "targetObject=\"Doc2\"".into(), "DocumentEntry[1]".into()),
        ("sourceObject=\"SS1\"".into(), "sourceObject=\"SS2\"".into(), "Association[1]".into()),
        ("<rim:RegistryPackage id=\"SS1\"".into(), "<rim:RegistryPackage".into(), set("id")),
    ]
    .into();
    let good = xds::write_submission(&full_submission());
    assert_eq!(read(&good, Profile::Dmp).unwrap().value, full_submission());
    for (what, by, expected) in cases {
        let broken = good.replacen(&what, &by, 1);
        assert_ne!(broken, good, "{what} is in the metadata");
        let refused = read(&broken, Profile::Dmp).expect_err(&expected);
        let errors: Vec<_> = refused.errors().map(|f| f.at.path.clone()).collect();
        assert!(errors.contains(&expected), "{what} → {by}: {errors:?}");
        assert!(refused.errors().all(|f| f.at.line.is_some()));
    }
}

#[test]
fn two_patients_two_lots_and_doubles_are_refused() {
    let other = |s: &mut Submission| s.entries[0].patient_id = Cx::local("1", "1.2.3");
    let twice = |s: &mut Submission| {
        let entry = DocumentEntry { id: "Doc2".into(), ..s.entries[0].clone() };
        s.add(entry);
    };
    type Spoil = fn(&mut Submission);
    let cases: [(&str, Spoil, &str); 2] = [
        ("another patient", other, "XDSPatientIdDoesNotMatch"),
        ("same uniqueId", twice, "XDSDuplicateUniqueIdInRegistry"),
    ];
    for (name, spoil, point) in cases {
        let mut submission = full_submission();
        spoil(&mut submission);
        for profile in [Profile::Dmp, Profile::Xdm] {
            let refused = read(&xds::write_submission(&submission), profile).expect_err(name);
            assert_eq!(refused.errors().next().unwrap().rule.point, point, "{name}");
        }
    }
    let submission = full_submission();
    let objects = RegistryObjects { sets: vec![submission.set.clone(), submission.set], ..RegistryObjects::default() };
    let list = xds::write_list(&objects);
    assert!(read(&format!("<a>{list}</a>"), Profile::Xdm).is_err());
    assert!(read("<a/>", Profile::Xdm).is_err());
}

/// What foreign clients do, and must not be refused for.
#[test]
fn foreign_spellings_are_read_the_same() {
    let good = xds::write_submission(&full_submission());
    let prefix = |x: &str, prefix: &str| {
        let declared = x.replace("xmlns:rim=", &format!("xmlns{}{prefix}=", if prefix.is_empty() { "" } else { ":" }));
        let colon = if prefix.is_empty() { "" } else { ":" };
        declared.replace("<rim:", &format!("<{prefix}{colon}")).replace("</rim:", &format!("</{prefix}{colon}"))
    };
    let slot = "<rim:Slot name=\"creationTime\">";
    let unknown = "<rim:Slot name=\"urn:x\"><rim:ValueList><rim:Value>1</rim:Value></rim:ValueList></rim:Slot>";
    let class = "41a5887f-8865-4c09-adf7-e362475b143a";
    let localized = "charset=\"UTF8\" xml:lang=\"FR\"";
    let cases: [(&str, String); 9] = [
        ("another prefix", prefix(&good, "ns3")),
        ("the default namespace", prefix(&good, "")),
        ("charset and language", good.replace(localized, "charset=\"UTF-8\" xml:lang=\"fr-FR\"")),
        ("no charset", good.replace(localized, "")),
        ("upper-case UUIDs", good.replace(class, &class.to_uppercase())),
        ("UUIDs without urn", good.replace("Scheme=\"urn:uuid:", "Scheme=\"")),
        ("spaces", good.replace("<rim:Value>", "<rim:Value>\n  ").replace("</rim:Value>", "\n</rim:Value>")),
        ("effective dates in CX", good.replace("&amp;ISO^NH", "&amp;ISO^NH^^20260302")),
        ("unknown slots", good.replacen(slot, &format!("{unknown}{slot}"), 1)),
    ];
    for (name, spelled) in cases {
        assert_ne!(spelled, good, "{name}");
        let back = read(&spelled, Profile::Dmp).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(back.value, full_submission(), "{name}");
    }
}

#[test]
fn a_replacement_signed_as_a_lot_comes_back_with_its_associations() {
    let mut submission = full_submission();
    submission.replace("Doc1", "urn:uuid:7d3d33b5-9f6c-4f6b-9a15-6a1f4f9a5d11");
    let signer = submission.set.authors[0].clone();
    let oid = "1.2.250.1.999.7.42.3".parse().unwrap();
    let signature =
        DocumentEntry::signature("Sig1", &oid, &submission.entries[0], signer, b"<Signature/>", AT.parse().unwrap());
    submission.sign(signature);
    let back = read(&xds::write_submission(&submission), Profile::Dmp).unwrap();
    assert_eq!(back.value, submission);
    assert!(back.warnings.is_empty(), "{:?}", back.warnings);
    let kinds: Vec<_> =
        back.value.associations.iter().map(|a| (&a.kind, a.source.as_str(), a.target.as_str())).collect();
    assert_eq!(
        kinds,
        [
            (&AssociationKind::HasMember, "SS1", "Doc1"),
            (&AssociationKind::Replaces, "Doc1", "urn:uuid:7d3d33b5-9f6c-4f6b-9a15-6a1f4f9a5d11"),
            (&AssociationKind::HasMember, "SS1", "Sig1"),
            (&AssociationKind::Signs, "Sig1", "SS1"),
        ]
    );
    assert_eq!(back.value.associations[0].slot("SubmissionSetStatus"), ["Original"]);
    let signature = &back.value.entries[1];
    assert!(signature.is_signature() && signature.visibility().is_masked_to_professionals());
    assert!(signature.type_code.is("E1762", "ASTM") && signature.class_code.system == "URN");
    assert_eq!((signature.title.as_deref(), signature.language.as_str()), (Some("Source"), "art"));
    assert_eq!(signature.hash.as_deref(), Some(xds::sha1_hex(b"<Signature/>").as_str()));
}

#[test]
fn an_answer_of_a_registry_comes_back_the_same() {
    let submission = full_submission();
    let stored = |status, version: &str| DocumentEntry {
        id: format!("urn:uuid:7d3d33b5-9f6c-4f6b-9a15-6a1f4f9a5d1{version}"),
        logical_id: Some("urn:uuid:7d3d33b5-9f6c-4f6b-9a15-6a1f4f9a5d11".into()),
        version: Some(version.into()),
        status: Some(status),
        repository_id: Some("1.2.250.1.213.4.1.1.1.2".into()),
        ..submission.entries[0].clone()
    };
    let statuses = [Status::Approved, Status::Deprecated, Status::Archived, Status::Deleted];
    let objects = RegistryObjects {
        sets: vec![SubmissionSet { status: Some(Status::Approved), ..submission.set.clone() }],
        entries: statuses
            .into_iter()
            .zip(["1", "2", "3", "4"])
            .map(|(status, version)| stored(status, version))
            .collect(),
        associations: vec![Association {
            slots: vec![xds::Slot { name: "NewStatus".into(), values: vec![Status::Deleted.urn().into()] }],
            ..Association::new("a", AssociationKind::UpdateAvailabilityStatus, "SS1", "urn:uuid:1")
        }],
        references: vec!["urn:uuid:2".into()],
    };
    let xml = xds::write_list(&objects);
    let tree = roxmltree::Document::parse(&xml).unwrap();
    let back = xds::read_list(tree.root_element(), Profile::Answer).unwrap();
    assert_eq!(back.value, objects);
    let empty = xds::write_list(&RegistryObjects::default());
    let tree = roxmltree::Document::parse(&empty).unwrap();
    assert_eq!(xds::read_list(tree.root_element(), Profile::Answer).unwrap().value, RegistryObjects::default());
}

/// A text without white space at its ends, which reading trims.
fn words() -> impl Strategy<Value = String> {
    "[^\\p{C}\\p{Z}]{1,8}( [^\\p{C}\\p{Z}]{1,8}){0,3}"
}

fn codes(most: usize) -> impl Strategy<Value = Vec<Code>> {
    let one = (words(), "[0-2](\\.[1-9][0-9]{0,3}){1,5}", words());
    proptest::collection::vec(one.prop_map(|(code, system, label)| Code::new(code, system, label)), 0..=most)
}

proptest! {
    #[test]
    fn any_metadata_come_back_the_same(
        texts in (words(), proptest::option::of(words()), words(), words()),
        (events, specialties) in (codes(3), codes(2)),
        roles in proptest::collection::vec(words(), 0..3),
        count in 1usize..5,
        (bare, masked) in (any::<bool>(), any::<bool>()),
    ) {
        let (title, comments, family, structure) = texts;
        let mut submission = full_submission();
        let author = &mut submission.set.authors[0];
        author.person = Some(xds::Xcn { family, ..author.person.clone().unwrap() });
        author.institutions = vec![xds::Xon { name: structure, ..author.institutions[0].clone() }];
        (author.roles, author.specialties) = (roles, specialties);
        let mut entry = submission.entries.remove(0);
        entry.authors = submission.set.authors.clone();
        (entry.title, entry.comments, entry.events) = (Some(title), comments, events);
        entry.set_visibility(xds::Visibility::new(masked, false, !masked, xds::Cumulation::Refused).unwrap());
        if bare {
            (entry.service_stop, entry.hash, entry.size) = (None, None, None);
            entry.reference_ids.clear();
        }
        let number = |n: usize| DocumentEntry {
            id: format!("Doc{n}"),
            unique_id: format!("1.2.250.1.999.{n}"),
            ..entry.clone()
        };
        let submission = Submission::new(submission.set, (1..=count).map(number).collect());
        let back = read(&xds::write_submission(&submission), Profile::Dmp);
        prop_assert!(back.is_ok(), "{:?}", back);
        let back = back.unwrap().value;
        prop_assert_eq!(labels(&back.entries[0]), labels(&submission.entries[0]));
        prop_assert!(back == submission);
    }
}
