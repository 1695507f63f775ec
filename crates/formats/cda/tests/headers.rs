//! One valid document, one thing broken per row; wrappers, attacks, and bytes changed anywhere.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use proptest::prelude::*;
use socle_cda::{Document, DocumentError, Form, Header, Severity};
use socle_identity::InsError;
use socle_xml::XmlErrorKind;

const MINIMAL: &str = include_str!("minimal.xml");

fn parse(xml: &str) -> Document {
    Document::parse(xml.as_bytes().to_vec()).unwrap_or_else(|error| panic!("{error}"))
}

/// Replaces one text that is there.
fn broken(what: &str, by: &str) -> String {
    let out = MINIMAL.replacen(what, by, 1);
    assert_ne!(out, MINIMAL, "{what} is in the document");
    out
}

#[test]
fn the_minimal_document_is_right() {
    let document = parse(MINIMAL);
    assert_eq!(document.findings(), []);
    let header = Header::read(&document).unwrap();
    assert_eq!(header.title, "CR de consultation");
    assert_eq!(header.version, 1);
    assert_eq!(header.patient.name.birth, "PAT-TROIS");
    assert_eq!(header.custodian.national_id(), Some("499700000017001"));
    assert_eq!(document.payload().unwrap().unwrap(), b"Bonjour");
    assert_eq!(document.code(), Some("11488-4"));
}

/// What is replaced, by what, and a word of the rule that must be an error.
#[test]
fn each_missing_or_malformed_element_is_an_error_at_its_line() {
    let cases = [
        ("<realmCode code=\"FR\"/>", "", "realmCode"),
        ("<realmCode code=\"FR\"/>", "<realmCode code=\"DE\"/>", "realmCode"),
        ("POCD_HD000040", "POCD_HD000041", "typeId"),
        ("<templateId root=\"2.16.840.1.113883.2.8.2.1\"/>", "", "templateId"),
        ("<templateId root=\"1.2.250.1.213.1.1.1.1\"/>", "", "templateId"),
        ("<templateId root=\"1.3.6.1.4.1.19376.1.2.20\"/>", "", "templateId"),
        ("<id root=\"1.2.250.1.999.7.42.1\"/>", "", "id 1..1"),
        ("<id root=\"1.2.250.1.999.7.42.1\"/>", "<id root=\"90E1C8EC-F951-4B26-A305-A34848818DD6\"/>", "id 1..1"),
        ("<id root=\"1.2.250.1.999.7.42.1\"/>", "<id nullFlavor=\"UNK\"/>", "id 1..1"),
        ("<id root=\"1.2.250.1.999.7.42.1\"/>", "<id root=\"1.2.3\"/><id root=\"1.2.4\"/>", "id 1..1"),
        ("codeSystem=\"2.16.840.1.113883.6.1\"", "", "code 1..1"),
        ("<title>CR de consultation</title>", "", "title"),
        ("<title>CR de consultation</title>", "<title> </title>", "title"),
        ("effectiveTime value=\"20260302101500+0100\"", "effectiveTime value=\"\"", "effectiveTime"),
        ("effectiveTime value=\"20260302101500+0100\"", "effectiveTime value=\"20261402101500+0100\"", "effectiveTime"),
        ("effectiveTime value=\"20260302101500+0100\"", "effectiveTime value=\"20260302101500\"", "effectiveTime"),
        ("effectiveTime value=\"20260302101500+0100\"", "effectiveTime value=\"2026-03-02\"", "effectiveTime"),
        ("code=\"N\"", "code=\"MASQUE_PS\"", "confidentialityCode"),
        ("<languageCode code=\"fr-FR\"/>", "", "languageCode"),
        ("<setId root=\"1.2.250.1.999.7.42\"/>", "", "setId"),
        ("<versionNumber value=\"1\"/>", "", "versionNumber"),
        ("<versionNumber value=\"1\"/>", "<versionNumber value=\"0\"/>", "versionNumber"),
        ("<versionNumber value=\"1\"/>", "<versionNumber value=\"1.1\"/>", "versionNumber"),
        ("<patientRole>", "<patientRole nullFlavor=\"UNK\">", "patientRole"),
        ("root=\"1.2.250.1.213.1.4.10\"", "root=\"1.2.250.1.213.1.4.99\"", "OID de l'INS"),
        ("<family qualifier=\"BR\">PAT-TROIS</family>", "<family>PAT-TROIS</family>", "nom de naissance"),
        ("<given>DOMINIQUE MARIE-LOUISE</given>", "", "liste des prénoms"),
        ("<given qualifier=\"BR\">DOMINIQUE</given>", "", "premier prénom"),
        ("<administrativeGenderCode code=\"F\"", "<administrativeGenderCode code=\"X\"", "administrativeGenderCode"),
        ("<birthTime value=\"19790328\"/>", "", "birthTime"),
        ("<birthTime value=\"19790328\"/>", "<birthTime value=\"1979\"/>", "birthTime"),
        ("<county>51215</county>", "", "county"),
        ("<county>51215</county>", "<county>MARNE</county>", "county"),
        ("<birthTime value", "<raceCode code=\"1\"/><birthTime value", "éléments interdits"),
        ("<assignedAuthor>", "<assignedAuthor nullFlavor=\"UNK\">", "author"),
        ("<assignedPerson>", "<noPerson/><assignedPerson xmlns=\"urn:x\">", "author"),
        ("<representedCustodianOrganization>", "<representedCustodianOrganization nullFlavor=\"NI\">", "custodian"),
        (
            "<time value=\"20260302101500+0100\"/><signatureCode code=\"S\"/>",
            "<signatureCode code=\"S\"/>",
            "legalAuthenticator",
        ),
        ("<low value=\"20260302093000+0100\"/>", "", "effectiveTime/low"),
        ("<low value=\"20260302093000+0100\"/>", "<low value=\"20260302093000\"/>", "effectiveTime/low"),
        ("code=\"AMBULATOIRE\"", "", "standardIndustryClassCode"),
        ("performer typeCode=\"PRF\"", "performer typeCode=\"SPRF\"", "standardIndustryClassCode"),
        (
            "<code code=\"SA07\" codeSystem=\"1.2.250.1.71.4.2.4\" displayName=\"Cabinet individuel\"/>",
            "",
            "healthCareFacility",
        ),
        ("mediaType=\"text/plain\"", "mediaType=\"text/html\"", "nonXMLBody"),
        ("representation=\"B64\"", "", "nonXMLBody"),
        ("Qm9uam91cg==", "Bonjour !", "nonXMLBody"),
        ("Qm9uam91cg==", "", "nonXMLBody"),
        ("nonXMLBody", "otherBody", "component"),
        (
            "<componentOf>",
            "<relatedDocument typeCode=\"APND\"><parentDocument><id root=\"1.2\"/></parentDocument></relatedDocument><componentOf>",
            "relatedDocument",
        ),
        ("<componentOf>", "<relatedDocument typeCode=\"RPLC\"/><componentOf>", "relatedDocument"),
    ];
    for (what, by, point) in cases {
        let xml = if what == "nonXMLBody" { MINIMAL.replace(what, by) } else { broken(what, by) };
        let document = parse(&xml);
        let refused = Header::read(&document).expect_err(&format!("{what} → {by}"));
        let errors: Vec<_> = refused.errors().collect();
        assert!(errors.iter().any(|f| f.rule.point.contains(point)), "{what} → {by}: {errors:?}");
        assert!(errors.iter().all(|f| f.at.line.is_some() && f.at.path.starts_with("ClinicalDocument")), "{errors:?}");
        let told = format!("{errors:?} {refused}");
        assert!(!told.contains("PAT-TROIS") && !told.contains("279035"), "nobody is named: {told}");
    }
}

#[test]
fn whole_parts_that_are_missing_are_all_told() {
    let mut xml = MINIMAL.to_owned();
    for part in
        ["recordTarget", "author", "custodian", "legalAuthenticator", "documentationOf", "componentOf", "component"]
    {
        let (from, to) = (xml.find(&format!("<{part}>")).unwrap(), format!("</{part}>"));
        let end = xml.find(&to).unwrap() + to.len();
        xml.replace_range(from..end, "");
    }
    let document = parse(&xml);
    let refused = Header::read(&document).unwrap_err();
    assert_eq!(refused.errors().count(), 7, "{:?}", refused.findings);
    assert!(document.patient().is_none());
}

#[test]
fn what_is_tolerated_is_a_warning() {
    let cases = [
        ("effectiveTime value=\"20260302101500+0100\"", "effectiveTime value=\"202603021015+0100\"", "à la seconde"),
        ("effectiveTime value=\"20260302101500+0100\"", "effectiveTime value=\"20260302\"", "à la seconde"),
        ("<id root=\"1.2.250.1.999.7.42.1\"/>", "<id root=\"1.2.3\" extension=\"42\"/>", "id sans extension"),
        ("<setId root=\"1.2.250.1.999.7.42\"/>", "<setId root=\"90E1C8EC-F951-4B26-A305-A34848818DD6\"/>", "setId"),
        ("code=\"fr-FR\"", "code=\"en-GB\"", "languageCode"),
        ("code=\"11488-4\"", "code=\"99999-9\"", "JDV_J07"),
        ("code=\"SA07\"", "code=\"SA11\"", "JDV_J02"),
        ("code=\"AMBULATOIRE\"", "code=\"CABINET\"", "JDV_J04"),
        ("<signatureCode code=\"S\"/>", "", "signatureCode"),
        ("<time value=\"20260302101500+0100\"/>", "<time value=\"20260302101500+100\"/>", "TS"),
        ("<given>DOMINIQUE MARIE-LOUISE</given>", "<given>MARIE-LOUISE</given>", "prénoms cohérents"),
        (
            "<componentOf>",
            "<relatedDocument typeCode=\"RPLC\"><parentDocument><id root=\"90E1C8EC-F951-4B26-A305-A34848818DD6\"/></parentDocument></relatedDocument><componentOf>",
            "relatedDocument",
        ),
        ("<recordTarget>", "<copyTime value=\"20260302\"/><recordTarget>", "copyTime"),
    ];
    for (what, by, point) in cases {
        let document = parse(&broken(what, by));
        let warned: Vec<_> = document.findings().iter().map(|f| (f.severity, f.rule.point.as_ref())).collect();
        assert!(Header::read(&document).is_ok(), "{what} → {by}: {warned:?}");
        assert!(warned.iter().any(|(s, p)| *s == Severity::Warning && p.contains(point)), "{what} → {by}: {warned:?}");
    }
}

#[test]
fn the_ins_is_judged_apart_from_the_header() {
    let cases = [
        ("279035121518989", Some(Ok(())), 0),
        ("279035121518988", Some(Err(InsError::Key)), 1),
        ("27903512151", Some(Err(InsError::Shape)), 1),
        ("", Some(Err(InsError::Shape)), 1),
    ];
    for (matricule, expected, errors) in cases {
        let document = parse(&MINIMAL.replace("279035121518989", matricule));
        let header = Header::read(&document).unwrap();
        assert_eq!(header.ins().map(|ins| ins.map(|_| ())), expected, "{matricule}");
        assert_eq!(document.findings().iter().filter(|f| f.is_error()).count(), errors, "{matricule}");
    }
    let local = "<id root=\"1.2.250.1.213.1.4.10\" extension=\"279035121518989\"/>";
    let without = parse(&broken(local, ""));
    assert_eq!(Header::read(&without).unwrap().ins(), None);
    let twice = parse(&broken(local, &format!("{local}{}", local.replace("4.10", "4.8"))));
    assert!(Header::read(&twice).unwrap_err().errors().any(|f| f.rule.point.contains("un seul INS")));
}

#[test]
fn without_ins_the_traits_may_be_missing() {
    let xml = broken("<id root=\"1.2.250.1.213.1.4.10\" extension=\"279035121518989\"/>", "");
    let xml = xml.replace("<birthTime value=\"19790328\"/>", "").replace("<county>51215</county>", "");
    let document = parse(&xml);
    let header = Header::read(&document).unwrap();
    assert_eq!(header.patient.birth_date, None);
    assert_eq!(header.patient.traits, None);
    assert_eq!(header.patient.local_ids[0].value, "IPP0001");
}

#[test]
fn debug_shows_nobody() {
    let document = parse(MINIMAL);
    let header = Header::read(&document).unwrap();
    let told = format!("{document:?} {header:?}");
    for secret in ["PAT-TROIS", "DOMINIQUE", "279035", "IPP0001", "MARTIN", "19790328"] {
        assert!(!told.contains(secret), "{secret}");
    }
}

#[test]
fn wrapped_documents_are_found_and_attacks_refused() {
    let inner = MINIMAL.split_once("?>").unwrap().1;
    let prefixed = inner.replace('<', "<c:").replace("<c:/", "</c:").replace("xmlns=", "xmlns:c=");
    let stylesheet = |content: &str| {
        format!(
            "<?xml-stylesheet type=\"text/xsl\" href=\"#\"?><xsl:stylesheet version=\"1.0\" \
             xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"><data:Contenu xmlns:data=\"urn:asip-sante:ci-sis\">\
             {content}</data:Contenu></xsl:stylesheet>"
        )
    };
    let signed = format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:Object>{inner}</ds:Object></ds:Signature>"
    );
    for (xml, form, mime) in [
        (stylesheet(inner), Form::SelfPresenting, "application/xslt+xml"),
        (stylesheet(&prefixed), Form::SelfPresenting, "application/xslt+xml"),
        (signed, Form::Signed, "text/xml"),
        (format!("\u{feff}{MINIMAL}"), Form::Plain, "text/xml"),
    ] {
        let document = parse(&xml);
        assert_eq!((document.form(), document.form().mime_type()), (form, mime));
        assert_eq!(document.findings(), []);
        assert_eq!(Header::read(&document).unwrap(), Header::read(&parse(MINIMAL)).unwrap());
    }

    let bomb = format!(
        "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]>{}",
        inner.replace("CR de consultation</title>", "&b;</title>")
    );
    let external = format!("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{inner}");
    let kind = |xml: &str| match Document::parse(xml.as_bytes().to_vec()) {
        Err(DocumentError::Xml(error)) => Some(error.kind),
        _ => None,
    };
    assert_eq!(kind(&bomb), Some(XmlErrorKind::Doctype));
    assert_eq!(kind(&external), Some(XmlErrorKind::Doctype));
    assert!(matches!(kind(&"<a>".repeat(100_000)), Some(XmlErrorKind::TooDeep { .. })));
    assert!(matches!(kind(&MINIMAL[..MINIMAL.len() / 2]), Some(XmlErrorKind::NotWellFormed(_))));
    assert!(kind("%PDF-1.4").is_some() && kind("").is_some());
    let no_document = |xml: &str| Document::parse(xml.as_bytes().to_vec()).unwrap_err();
    assert_eq!(no_document("<ClinicalDocument/>"), DocumentError::NoClinicalDocument);
    assert_eq!(no_document(&format!("<a>{inner}</a>")), DocumentError::NoClinicalDocument);
    assert_eq!(no_document(&stylesheet("")), DocumentError::NoClinicalDocument);
    assert_eq!(no_document(&stylesheet(&inner.repeat(2))), DocumentError::SeveralClinicalDocuments);
}

#[test]
fn other_encodings_are_read_with_a_warning() {
    let latin = MINIMAL.replace("UTF-8", "ISO-8859-1").replace("CR de consultation</title>", "Évaluation</title>");
    let bytes: Vec<u8> = latin.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let document = Document::parse(bytes.clone()).unwrap();
    assert_eq!(document.bytes(), &bytes);
    assert_eq!(Header::read(&document).unwrap().title, "Évaluation");
    assert_eq!(document.findings()[0].rule.point, "encodage UTF-8");
}

#[test]
fn findings_stay_bounded() {
    let many = "<author/>".repeat(5_000);
    let document = parse(&broken("<author>", &format!("{many}<author>")));
    assert!(document.findings().len() <= 200);
    assert!(Header::read(&document).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Document::parse(bytes);
    }

    #[test]
    fn a_document_with_bytes_changed_is_read_or_refused_without_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = MINIMAL.as_bytes().to_vec();
        for (at, by) in changes {
            let at = at.index(bytes.len());
            bytes[at] = by;
        }
        if let Ok(document) = Document::parse(bytes.clone()) {
            prop_assert_eq!(document.bytes(), &bytes);
            prop_assert_eq!(Header::read(&document).is_ok(), Header::read(&document).is_ok_and(|h| h.version >= 1));
            let _ = document.payload();
        }
    }
}
