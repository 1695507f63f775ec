//! The signature of a DMP lot: written here and by others, checked, and tampered with.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a helper that fails, fails its test")]

mod fixtures;
#[path = "fixtures/keys.rs"]
mod keys;

use std::path::Path;

use keys::{keys, other_keys};
use socle_xml::signature::xades::{Content, Lot, LotDocument, LotToSign, verify_lot, write_lot};
use socle_xml::signature::{Algorithm, Method, Policy, Sha1, SignError, SignatureError, sign};
use socle_xml::{Limits, NodeExt, parse};

const KIT: Policy = Policy { sha1: Sha1::DmpKit };
const STRICT: Policy = Policy { sha1: Sha1::Refused };
const SET: &str = "1.2.250.1.999.1";
const CDA: &[u8] = b"<?xml version=\"1.0\"?>\r\n<!-- v -->\n<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><title a='1'  b=\"2\">R\xC3\xA9sum\xC3\xA9</title></ClinicalDocument>";
const KOS: &[u8] = b"\x00\x01DICM<a>\xff";

fn trusted(_: &[u8], _: &[Vec<u8>]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Ok(())
}

fn documents() -> [LotDocument<'static>; 2] {
    [
        LotDocument { unique_id: "1.2.250.1.999.2", content: Content::Xml(CDA) },
        LotDocument { unique_id: "1.2.250.1.999.3", content: Content::Binary(KOS) },
    ]
}

fn written(algorithm: Algorithm) -> String {
    let lot = LotToSign {
        submission_set: SET,
        signature_id: "Signature-1",
        documents: &documents(),
        signing_time: "2026-11-21T10:11:12.5Z".parse().expect("time"),
        algorithm,
    };
    write_lot(&lot, &keys().signer()).expect("signed")
}

fn verified(text: &str, documents: &[LotDocument<'_>], policy: &Policy) -> Result<Lot, SignatureError> {
    verify_lot(text.as_bytes(), SET, documents, policy, &trusted)
}

#[test]
fn a_lot_is_written_as_dmp_clients_write_it() {
    let text = written(Algorithm::RsaSha256);
    let document = parse(&text, &Limits::ENVELOPE).expect("well-formed");
    let root = document.root_element();
    let (ds, xad) = (Some("http://www.w3.org/2000/09/xmldsig#"), Some("http://uri.etsi.org/01903/v1.1.1#"));
    assert!(root.is(ds, "Signature"));

    let info = root.child(ds, "SignedInfo").expect("SignedInfo");
    let references: Vec<_> =
        info.children_named(ds, "Reference").map(|r| (r.attribute("Type"), r.attribute("URI"))).collect();
    assert_eq!(
        references,
        [
            (Some("http://www.w3.org/2000/09/xmldsig#Manifest"), Some("#IHEManifest")),
            (Some("http://uri.etsi.org/01903/v1.1.1#SignedProperties"), Some("#S0-SignedProperties")),
        ]
    );
    let manifest = document.descendants().find(|n| n.is(ds, "Manifest")).expect("Manifest");
    let uris: Vec<_> =
        manifest.children_named(ds, "Reference").map(|r| r.attribute("URI").unwrap_or_default()).collect();
    assert_eq!(uris, ["urn:oid:1.2.250.1.999.1", "urn:oid:1.2.250.1.999.2", "urn:oid:1.2.250.1.999.3"]);
    let first = manifest.child(ds, "Reference").and_then(|r| r.child(ds, "DigestValue")).expect("placeholder");
    assert_eq!(first.full_text(), "AA==");
    let transformed = manifest.children_named(ds, "Reference").map(|r| r.child(ds, "Transforms").is_some());
    assert_eq!(transformed.collect::<Vec<_>>(), [false, true, false], "only XML is canonicalised");

    let purpose = document.descendants().find(|n| n.is(ds, "SignatureProperty")).expect("SignatureProperty");
    assert_eq!(
        (purpose.full_text().as_str(), purpose.attribute("Target")),
        ("1.2.840.10065.1.12.1.14", Some("#Signature-1"))
    );

    let properties = document.descendants().find(|n| n.is(xad, "SignedSignatureProperties")).expect("properties");
    let names: Vec<_> = properties.child_elements().map(|n| n.tag_name().name()).collect();
    assert_eq!(names, ["SigningTime", "SigningCertificate", "SignaturePolicyIdentifier"]);
    assert_eq!(properties.child(xad, "SigningTime").expect("time").full_text(), "2026-11-21T10:11:12Z");
    let serial = properties.path(xad, &["SigningCertificate", "Cert", "IssuerSerial"]).expect("IssuerSerial");
    assert_eq!(serial.child(ds, "X509SerialNumber").expect("serial").full_text(), "20015998343868");
    let issuer = serial.child(ds, "X509IssuerName").expect("issuer").full_text();
    assert_eq!(issuer, "CN=TEST AC,O=Établissement\\, \\\"essai\\\",C=FR");
}

#[test]
fn a_lot_is_read_back() {
    for (algorithm, method) in [(Algorithm::RsaSha256, Method::RsaSha256), (Algorithm::RsaSha1, Method::RsaSha1)] {
        let lot = verified(&written(algorithm), &documents(), &KIT).expect("valid");
        assert_eq!(lot.method, method);
        assert_eq!(lot.certificate, keys().certificate);
        assert_eq!(lot.signing_time.map(|t| t.to_string()).as_deref(), Some("2026-11-21T10:11:12Z"));
        let ids: Vec<_> = lot.references.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["1.2.250.1.999.2", "1.2.250.1.999.3"]);
    }
    let refused = verified(&written(Algorithm::RsaSha1), &documents(), &STRICT);
    assert!(matches!(refused, Err(SignatureError::Algorithm("DigestMethod" | "SignatureMethod"))));
}

#[test]
fn what_is_the_same_document_to_xml_is_the_same_to_the_lot() {
    let other_lines = "<?xml version='1.0' encoding='ISO-8859-1'?>\n<!-- v -->\n<ClinicalDocument xmlns='urn:hl7-org:v3'><title b='2' a='1'>R\u{e9}sum&#xE9;</title></ClinicalDocument>";
    let latin1: Vec<u8> = other_lines.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    let mut same = documents();
    same[0].content = Content::Xml(&latin1);
    assert!(verified(&written(Algorithm::RsaSha256), &same, &STRICT).is_ok());
}

#[test]
fn a_parsed_document_is_digested_like_its_bytes() {
    let tree = parse(std::str::from_utf8(CDA).expect("UTF-8"), &Limits::CDA).expect("well-formed");
    let mut parsed = documents();
    parsed[0].content = Content::Parsed { bytes: CDA, tree: &tree };
    let text = written(Algorithm::RsaSha256);
    assert!(verified(&text, &parsed, &STRICT).is_ok());
    let other = parse("<ClinicalDocument xmlns='urn:hl7-org:v3'/>", &Limits::CDA).expect("well-formed");
    parsed[0].content = Content::Parsed { bytes: CDA, tree: &other };
    assert!(matches!(verified(&text, &parsed, &STRICT), Err(SignatureError::Digest(_))));
}

#[test]
fn trust_decides_before_anything_is_believed() {
    let spoiled = written(Algorithm::RsaSha256).replace("2026-11-21", "2027-11-21");
    let refuse = |leaf: &[u8], _: &[Vec<u8>]| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        assert_eq!(leaf, keys().certificate);
        Err("an authentication certificate".into())
    };
    let refused = verify_lot(spoiled.as_bytes(), SET, &documents(), &STRICT, &refuse);
    assert!(matches!(refused, Err(SignatureError::Trust(_))));
}

#[test]
fn documents_that_are_not_the_signed_ones_are_refused() {
    let text = written(Algorithm::RsaSha256);
    let [cda, kos] = documents();
    let changed = |from: &str, to: &str| String::from_utf8(CDA.to_vec()).expect("UTF-8").replace(from, to).into_bytes();
    let (value, comment, attribute) =
        (changed("Résumé", "Resume"), changed("<!-- v -->", "<!-- w -->"), changed("a='1'", "a='2'"));
    let as_xml = |bytes| LotDocument { unique_id: cda.unique_id, content: Content::Xml(bytes) };
    let as_binary = |bytes| LotDocument { unique_id: kos.unique_id, content: Content::Binary(bytes) };

    type Expected = fn(&SignatureError) -> bool;
    let digest: Expected = |e| matches!(e, SignatureError::Digest("a document of the lot"));
    let lot: Expected = |e| matches!(e, SignatureError::Lot(_));
    let rows: [(&str, Vec<LotDocument<'_>>, Expected); 10] = [
        ("a value changed", vec![as_xml(&value), kos], digest),
        ("an attribute changed", vec![as_xml(&attribute), kos], digest),
        ("a comment changed", vec![as_xml(&comment), kos], digest),
        ("a byte of the binary", vec![cda, as_binary(b"\x00\x01DICM<a>\xfe")], digest),
        ("a document swapped for the other", vec![as_xml(KOS), kos], |e| matches!(e, SignatureError::Xml(_))),
        ("a document missing", vec![cda], lot),
        ("no document", vec![], lot),
        ("a document more", vec![cda, kos, LotDocument { unique_id: "1.2.3", content: Content::Binary(b"x") }], lot),
        ("the same document twice", vec![cda, kos, cda], lot),
        ("another uniqueId", vec![LotDocument { unique_id: "1.2.3", ..cda }, kos], lot),
    ];
    for (name, documents, expected) in rows {
        let error = verified(&text, &documents, &STRICT).expect_err(name);
        assert!(expected(&error), "{name}: {error}");
    }
    let other_set = verify_lot(text.as_bytes(), "1.2.250.1.999.9", &documents(), &STRICT, &trusted);
    assert!(matches!(other_set, Err(SignatureError::Lot(_))));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn a_signature_that_was_touched_is_refused() {
    let good = written(Algorithm::RsaSha256);
    assert!(verified(&good, &documents(), &STRICT).is_ok(), "the lot that each row spoils");
    let object = |id: &str| {
        let at = good.find(id).expect("id");
        let start = good[..at].rfind("<ds:Object>").expect("start");
        let end = at + good[at..].find("</ds:Object>").expect("end") + "</ds:Object>".len();
        good[start..end].to_owned()
    };
    let (manifest, properties) = (object("Id=\"IHEManifest\""), object("Id=\"S0-SignedProperties\""));
    let reference = |id: &str| {
        let at = good.find(&format!("URI=\"#{id}\"")).expect("reference");
        let start = good[..at].rfind("<ds:Reference").expect("start");
        let end = at + good[at..].find("</ds:Reference>").expect("end") + "</ds:Reference>".len();
        good[start..end].to_owned()
    };
    let own = base64(&keys().certificate);

    type Expected = fn(&SignatureError) -> bool;
    let part: Expected = |e| matches!(e, SignatureError::Digest("a signed part of the signature"));
    let value: Expected = |e| matches!(e, SignatureError::Value);
    let structure: Expected = |e| matches!(e, SignatureError::Structure(_));
    let count: Expected = |e| matches!(e, SignatureError::SignatureCount { .. });
    let id: Expected = |e| matches!(e, SignatureError::Id);
    let rows: Vec<(&str, String, Expected)> = vec![
        ("another time", good.replace("10:11:12Z", "10:11:13Z"), part),
        ("another document named", good.replace("urn:oid:1.2.250.1.999.3", "urn:oid:1.2.250.1.999.4"), part),
        ("a reference added to the Manifest", good.replace("</ds:Manifest>", "<ds:Reference/></ds:Manifest>"), part),
        ("SignedInfo changed", good.replace("Type=\"http://www.w3.org/2000/09/xmldsig#Manifest\" ", ""), value),
        ("another certificate", good.replace(&own, &base64(&other_keys().certificate)), value),
        ("another certificate of the same key", good.replace(&own, &base64(&keys().renewed)), |e| {
            matches!(e, SignatureError::Digest("the signing certificate"))
        }),
        ("Manifest not signed", good.replace(&reference("IHEManifest"), ""), structure),
        ("SignedProperties not signed", good.replace(&reference("S0-SignedProperties"), ""), structure),
        ("no Manifest", good.replace(&manifest, ""), structure),
        ("no SignedProperties", good.replace(&properties, ""), id),
        (
            "two Manifests",
            good.replace(&manifest, &format!("{manifest}{}", manifest.replace("IHEManifest", "Other"))),
            structure,
        ),
        ("one identifier twice", good.replace("Id=\"purposeOfSignature\"", "Id=\"IHEManifest\""), id),
        (
            "Manifest outside of an Object",
            good.replace(&manifest, &manifest.replace("ds:Object", "ds:Other")),
            structure,
        ),
        ("wrapped in another root", format!("<w>{}</w>", good.split("?>").last().expect("root")), count),
        (
            "two signatures",
            good.replace("</ds:SignatureProperties>", "<ds:Signature/></ds:SignatureProperties>"),
            count,
        ),
        ("no signature", "<a/>".to_owned(), count),
        ("not XML", "%PDF-1.7".to_owned(), |e| matches!(e, SignatureError::Xml(_))),
        ("a reference to a file", good.replace("#IHEManifest", "file:///etc/passwd"), structure),
        (
            "an XPath transform",
            good.replacen(
                "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments\"/></ds:Transforms>",
                "http://www.w3.org/TR/1999/REC-xpath-19991116\"/></ds:Transforms>",
                1,
            ),
            value,
        ),
    ];
    for (name, text, expected) in rows {
        assert_ne!(text, good, "{name}: the row changes nothing");
        let error = verified(&text, &documents(), &STRICT).expect_err(name);
        assert!(expected(&error), "{name}: {error}");
    }
}

/// A lot in the shape of another client: default namespace, no transform in SignedInfo, a schema location,
/// the OID without `urn:oid:`, a local time.
fn foreign_template() -> String {
    let digest = |canonical: &[u8]| base64(ring::digest::digest(&ring::digest::SHA256, canonical).as_ref());
    let document = parse(std::str::from_utf8(CDA).expect("UTF-8"), &Limits::CDA).expect("well-formed");
    let canonical = socle_xml::c14n::Canonical { comments: true, ..Default::default() }.of(document.root());
    let sha256 = "<DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>";
    let c14n = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments";
    format!(
        r##"<Signature xmlns="http://www.w3.org/2000/09/xmldsig#" Id="x"><SignedInfo><CanonicalizationMethod Algorithm="{c14n}"/>
<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
<Reference Type="http://www.w3.org/2000/09/xmldsig#Manifest" URI="#IHEManifest">{sha256}<DigestValue/></Reference>
<Reference Type="http://uri.etsi.org/01903/v1.1.1#SignedProperties" URI="#S0-SignedProperties">{sha256}<DigestValue/></Reference>
<Reference URI="#purposeOfSignature">{sha256}<DigestValue/></Reference></SignedInfo><SignatureValue/>
<KeyInfo><X509Data><X509Certificate/></X509Data></KeyInfo>
<Object><SignatureProperties><SignatureProperty Id="purposeOfSignature" Target="#x">1.2.840.10065.1.12.1.14</SignatureProperty></SignatureProperties></Object>
<Object><Manifest xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" Id="IHEManifest" xsi:schemaLocation="a b">
<Reference URI="urn:oid:{SET}">{sha256}<DigestValue>AA==</DigestValue></Reference>
<Reference URI="1.2.250.1.999.2"><Transforms><Transform Algorithm="{c14n}"/></Transforms>{sha256}<DigestValue>{}</DigestValue></Reference>
<Reference URI="urn:oid:1.2.250.1.999.3">{sha256}<DigestValue>{}</DigestValue></Reference></Manifest></Object>
<Object><QualifyingProperties xmlns="http://uri.etsi.org/01903/v1.1.1#" Target="#x"><SignedProperties Id="S0-SignedProperties">
<SignedSignatureProperties><SigningTime>2026-11-21T11:11:12.123+01:00</SigningTime><SigningCertificate><Cert><CertDigest>
<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue>{}</DigestValue></CertDigest></Cert></SigningCertificate>
<SignaturePolicyIdentifier><SignaturePolicyImplied/></SignaturePolicyIdentifier></SignedSignatureProperties>
<SignedDataObjectProperties/></SignedProperties></QualifyingProperties></Object></Signature>"##,
        digest(canonical.as_bytes()),
        digest(KOS),
        digest(&keys().certificate),
    )
}

#[test]
fn a_lot_in_another_clients_shape_is_accepted() {
    let text = sign(&foreign_template(), &keys().signer()).expect("signed");
    let lot = verified(&text, &documents(), &STRICT).expect("valid");
    assert_eq!(lot.signing_time.map(|t| t.to_string()).as_deref(), Some("2026-11-21T10:11:12.123Z"));
    let purpose = text.replace("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12.1.1");
    assert!(matches!(verified(&purpose, &documents(), &STRICT), Err(SignatureError::Digest(_))), "signed as well");
}

fn xmlsec1(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let ids = [
        "--id-attr:Id",
        "http://www.w3.org/2000/09/xmldsig#:Manifest",
        "--id-attr:Id",
        "http://www.w3.org/2000/09/xmldsig#:SignatureProperty",
        "--id-attr:Id",
        "http://uri.etsi.org/01903/v1.1.1#:SignedProperties",
        "--ignore-manifests",
    ];
    let mut command = std::process::Command::new("xmlsec1");
    let output =
        command.current_dir(folder).arg(arguments[0]).args(ids).args(&arguments[1..]).output().expect("xmlsec1");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn xmlsec1_and_socle_accept_each_others_lots() {
    let name = "xmlsec1_and_socle_accept_each_others_lots";
    if fixtures::program(name, "xmlsec1").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).expect("written");
    write("key.pem", &keys().pkcs8_pem);
    write("cert.pem", &keys().certificate_pem);
    for algorithm in [Algorithm::RsaSha256, Algorithm::RsaSha1] {
        let text = written(algorithm);
        write("l.xml", &text);
        xmlsec1(folder.path(), &["--verify", "--pubkey-cert-pem", "cert.pem", "l.xml"])
            .unwrap_or_else(|e| panic!("{algorithm:?}: {e}"));
        write("l.xml", &text.replace("10:11:12Z", "10:11:13Z"));
        xmlsec1(folder.path(), &["--verify", "--pubkey-cert-pem", "cert.pem", "l.xml"])
            .expect_err("xmlsec1 does check");
    }
    write("t.xml", &foreign_template());
    xmlsec1(folder.path(), &["--sign", "--privkey-pem", "key.pem,cert.pem", "--output", "s.xml", "t.xml"])
        .unwrap_or_else(|e| panic!("{e}"));
    let signed = std::fs::read_to_string(folder.path().join("s.xml")).expect("signed");
    assert!(verified(&signed, &documents(), &STRICT).is_ok());
}

#[test]
fn a_document_that_is_no_xml_cannot_be_signed_as_xml() {
    let lot = LotToSign {
        submission_set: SET,
        signature_id: "s",
        documents: &[LotDocument { unique_id: "1.2", content: Content::Xml(KOS) }],
        signing_time: jiff::Timestamp::UNIX_EPOCH,
        algorithm: Algorithm::RsaSha256,
    };
    assert!(matches!(write_lot(&lot, &keys().signer()), Err(SignError::Xml(_))));
}

#[test]
fn every_example_document_can_be_signed_and_checked() {
    let Some(shared) = fixtures::shared("every_example_document_can_be_signed_and_checked") else { return };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(shared.join("data/documents/cda/examples")).expect("examples").take(20) {
        files.push(std::fs::read(entry.expect("entry").path()).expect("example"));
    }
    let ids: Vec<String> = (0..files.len()).map(|i| format!("1.2.{i}")).collect();
    let documents: Vec<LotDocument<'_>> =
        files.iter().zip(&ids).map(|(bytes, id)| LotDocument { unique_id: id, content: Content::Xml(bytes) }).collect();
    let lot = LotToSign {
        submission_set: SET,
        signature_id: "s",
        documents: &documents,
        signing_time: jiff::Timestamp::UNIX_EPOCH,
        algorithm: Algorithm::RsaSha256,
    };
    let text = write_lot(&lot, &keys().signer()).expect("signed");
    let read = verified(&text, &documents, &STRICT).expect("valid");
    assert_eq!(read.references.len(), files.len());
}
