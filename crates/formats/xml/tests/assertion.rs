//! Signed SAML assertions: vectors of xmlsec1, attacks one by one, other implementations both ways.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a helper that fails, fails its test")]

#[path = "fixtures/assertions.rs"]
mod assertions;
mod fixtures;
#[path = "fixtures/keys.rs"]
mod keys;

use std::cell::Cell;

use assertions::{KIT, STRICT, Verdict, base64, message, signed, template, trusted, verdict};
use keys::{keys, other_keys};
use proptest::prelude::*;
use socle_xml::c14n::Canonical;
use socle_xml::signature::{
    Algorithm, Method, NS_SAML2, Policy, SignError, SignatureError, SignerError, assertion_signature_template, sign,
    verify_assertion, verify_bare_assertion,
};
use socle_xml::{Limits, NodeExt, parse};

#[test]
fn vectors_signed_by_xmlsec1_have_their_expected_verdicts() {
    let Some(shared) = fixtures::shared("vectors_signed_by_xmlsec1_have_their_expected_verdicts") else { return };
    let folder = shared.join("data/xml/signatures");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect(name);
    let verdict = |name: &str| verdict(&read(name), &STRICT);

    assert_eq!(verdict("valid_rsa-sha256.xml").expect("valid"), Method::RsaSha256);
    let alone = read("valid_assertion_alone.xml");
    let document = parse(&alone, &Limits::ENVELOPE).expect("well-formed");
    let signed = verify_bare_assertion(&document, &STRICT, &trusted).expect("valid alone");
    let name = signed.node.path(Some(NS_SAML2), &["Subject", "NameID"]).expect("NameID");
    assert_eq!(name.full_text(), "899700000012");
    let bare_is_no_message = verify_assertion(&document, &STRICT, &trusted);
    assert!(matches!(bare_is_no_message, Err(SignatureError::Soap(_))));

    let message_text = read("valid_rsa-sha256.xml");
    let whole_message = parse(&message_text, &Limits::ENVELOPE).expect("well-formed");
    let message_is_not_bare = verify_bare_assertion(&whole_message, &STRICT, &trusted);
    assert!(matches!(message_is_not_bare, Err(SignatureError::AssertionPlace)));

    assert!(matches!(verdict("tampered.xml"), Err(SignatureError::Digest(_))));
    assert!(matches!(verdict("sig_removed.xml"), Err(SignatureError::SignatureCount { found: 0 })));
    assert!(matches!(verdict("xsw1_evil_first_sibling.xml"), Err(SignatureError::AssertionCount { found: 2 })));
    assert!(matches!(verdict("xsw2_evil_root_orig_in_object.xml"), Err(SignatureError::AssertionCount { found: 2 })));
    assert!(matches!(verdict("xsw5_dupe_id.xml"), Err(SignatureError::AssertionCount { found: 2 })));

    // The key of key_injection.xml is the attacker's: all fits, so the certificate must decide.
    let expected = pem_der(&read("cert.pem"));
    let only_expected = |leaf: &[u8], _: &[Vec<u8>]| -> Verdict {
        if leaf == expected { Ok(()) } else { Err("another certificate".into()) }
    };
    for (name, accepted) in [("valid_rsa-sha256.xml", true), ("key_injection.xml", false)] {
        let text = read(name);
        let document = parse(&text, &Limits::ENVELOPE).expect("well-formed");
        assert_eq!(verify_assertion(&document, &STRICT, &only_expected).is_ok(), accepted, "{name}");
    }
}

fn pem_der(pem: &str) -> Vec<u8> {
    use rustls_pki_types::pem::PemObject;
    rustls_pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).expect("certificate").to_vec()
}

#[test]
fn what_is_signed_here_is_accepted_in_any_envelope() {
    for (algorithm, method) in [(Algorithm::RsaSha256, Method::RsaSha256), (Algorithm::RsaSha1, Method::RsaSha1)] {
        let assertion = signed(algorithm);
        assert_eq!(verdict(&message(&assertion), &KIT).expect("valid"), method);
        let document = parse(&assertion, &Limits::ENVELOPE).expect("well-formed");
        let bare = verify_bare_assertion(&document, &KIT, &trusted).expect("valid alone");
        assert_eq!(bare.certificate, keys().certificate);
    }
}

#[test]
fn sha1_is_refused_unless_the_policy_is_that_of_the_dmp_kit() {
    let sha1 = message(&signed(Algorithm::RsaSha1));
    assert!(matches!(verdict(&sha1, &STRICT), Err(SignatureError::Algorithm("DigestMethod" | "SignatureMethod"))));
    assert_eq!(verdict(&sha1, &KIT).expect("kit"), Method::RsaSha1);
    let digest_only = template(Algorithm::RsaSha256)
        .replace("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1");
    let digest_only = message(&sign(&digest_only, &keys().signer()).expect("signed"));
    assert!(matches!(verdict(&digest_only, &STRICT), Err(SignatureError::Algorithm("DigestMethod"))));
    assert_eq!(Policy::default(), STRICT);
}

#[test]
fn trust_decides_before_the_key_is_used() {
    // The value is wrong too: had the key been used first, the error would be another.
    let broken = message(&signed(Algorithm::RsaSha256)).replace("Hélène", "EVIL");
    let document = parse(&broken, &Limits::ENVELOPE).expect("well-formed");
    let asked = Cell::new(0);
    let refuse = |leaf: &[u8], others: &[Vec<u8>]| -> Verdict {
        asked.set(asked.get() + 1);
        assert_eq!(leaf, keys().certificate);
        assert!(others.is_empty());
        Err("revoked".into())
    };
    let refused = verify_assertion(&document, &STRICT, &refuse);
    assert!(matches!(refused, Err(SignatureError::Trust(reason)) if reason.to_string() == "revoked"));
    assert_eq!(asked.get(), 1);
}

#[test]
fn the_leaf_is_found_whatever_the_order_of_certificates() {
    let assertion = signed(Algorithm::RsaSha256);
    let (leaf, authority) = (base64(&keys().certificate), base64(&keys().authority));
    let one = format!("<ds:X509Certificate>{leaf}</ds:X509Certificate>");
    assert!(assertion.contains(&one));
    for (first, second) in [(&leaf, &authority), (&authority, &leaf)] {
        let two = format!(
            "<ds:X509Certificate>{first}</ds:X509Certificate>\n<ds:X509Certificate> {second} </ds:X509Certificate>"
        );
        let text = message(&assertion.replace(&one, &two));
        let document = parse(&text, &Limits::ENVELOPE).expect("well-formed");
        let signed = verify_assertion(&document, &STRICT, &trusted).expect("KeyInfo is not signed");
        assert_eq!(signed.certificate, keys().certificate);
        assert_eq!(signed.chain, [keys().authority.clone()]);
    }
}

#[test]
fn every_attack_is_refused_at_its_step() {
    let good = message(&signed(Algorithm::RsaSha256));
    assert!(verdict(&good, &STRICT).is_ok(), "the message that each row spoils");
    let assertion = signed(Algorithm::RsaSha256);
    let signature_of = |text: &str| {
        let start = text.find("<ds:Signature ").expect("start");
        let end = text.find("</ds:Signature>").expect("end") + "</ds:Signature>".len();
        text[start..end].to_owned()
    };
    let signature = signature_of(&assertion);
    let evil = assertion.replace("899700000012", "EVIL").replace("_a1", "_evil");
    let unsigned_evil = evil.replace(&signature_of(&evil), "");
    let issuer = "<saml2:Issuer>CN=x,O=JUMEAU,C=FR</saml2:Issuer>";
    let reference_start = signature.find("<ds:Reference").expect("reference");
    let reference_end = signature.find("</ds:Reference>").expect("reference") + "</ds:Reference>".len();
    let reference = &signature[reference_start..reference_end];
    let certificate =
        format!("<ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data>", base64(&keys().certificate));
    let with_signature = |new: &str| message(&assertion.replace(&signature, new));
    let in_signature = |old: &str, new: &str| {
        assert!(signature.contains(old), "{old}");
        with_signature(&signature.replace(old, new))
    };
    let security = "<wsse:Security xmlns:wsse=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\">";
    let exclusive = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";
    let enveloped = "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>";

    type Expected = fn(&SignatureError) -> bool;
    let count: Expected = |e| matches!(e, SignatureError::AssertionCount { found: 2 });
    let id: Expected = |e| matches!(e, SignatureError::Id);
    let place: Expected = |e| matches!(e, SignatureError::SignaturePlace);
    let signatures: Expected = |e| matches!(e, SignatureError::SignatureCount { .. });
    let structure: Expected = |e| matches!(e, SignatureError::Structure(_));
    let algorithm: Expected = |e| matches!(e, SignatureError::Algorithm(_));
    let digest: Expected = |e| matches!(e, SignatureError::Digest(_));
    let value: Expected = |e| matches!(e, SignatureError::Value);
    let comment: Expected = |e| matches!(e, SignatureError::Comment { .. });
    let no_certificate: Expected = |e| matches!(e, SignatureError::Certificate);
    let header: Expected = |e| matches!(e, SignatureError::SecurityHeader { .. });
    let elsewhere: Expected = |e| matches!(e, SignatureError::AssertionPlace);

    let rows: Vec<(&str, String, Expected)> = vec![
        ("evil assertion before the signed one", message(&format!("{unsigned_evil}{assertion}")), count),
        ("evil assertion after it", message(&format!("{assertion}{unsigned_evil}")), count),
        ("evil assertion in the body", good.replace("<soap:Body>", &format!("<soap:Body>{unsigned_evil}")), count),
        (
            "evil assertion elsewhere in the header",
            good.replace("<soap:Header>", &format!("<soap:Header><h>{unsigned_evil}</h>")),
            count,
        ),
        (
            "signed one in the Advice of an evil one",
            message(
                &unsigned_evil
                    .replace("<saml2:Subject>", &format!("<saml2:Advice>{assertion}</saml2:Advice><saml2:Subject>")),
            ),
            count,
        ),
        (
            "evil one in the Advice of the signed one",
            message(
                &assertion.replace(
                    "<saml2:Subject>",
                    &format!("<saml2:Advice>{unsigned_evil}</saml2:Advice><saml2:Subject>"),
                ),
            ),
            count,
        ),
        (
            "evil one that took the signature",
            message(&unsigned_evil.replace(
                issuer,
                &format!(
                    "{issuer}{}",
                    signature.replace(
                        "</ds:Signature>",
                        &format!("<ds:Object>{}</ds:Object></ds:Signature>", assertion.replace(&signature, ""))
                    )
                ),
            )),
            count,
        ),
        (
            "signed one outside of Security",
            good.replace(&assertion, "").replace("<soap:Header>", &format!("<soap:Header>{assertion}")),
            elsewhere,
        ),
        ("signed one deeper in Security", message(&format!("<w>{assertion}</w>")), elsewhere),
        ("no Security", good.replace("wsse:Security", "wsse:Other"), header),
        ("two Security", good.replace(security, &format!("{security}</wsse:Security>{security}")), header),
        (
            "Security in the body",
            good.replace("soap:Header>", "soap:Body>")
                .replace("<soap:Body><q id=\"Doc1\"><r id=\"Doc1\"/></q></soap:Body>", ""),
            header,
        ),
        ("its ID used by another element", good.replace("<r id=\"Doc1\"/>", "<r Id=\"_a1\"/>"), id),
        ("its ID used by a wsu:Id", good.replace("<r id=\"Doc1\"/>", "<r u:Id=\"_a1\" xmlns:u=\"urn:wsu\"/>"), id),
        ("its ID used inside", good.replace("<saml2:Subject>", "<saml2:Subject xml:id=\"_a1\">"), id),
        ("no ID", good.replace(" ID=\"_a1\"", ""), id),
        ("another ID", good.replace(" ID=\"_a1\"", " ID=\"_a2\""), structure),
        ("no signature", with_signature(""), signatures),
        ("two signatures", with_signature(&signature.repeat(2)), signatures),
        (
            "a signature in the subject",
            good.replace("<saml2:Subject>", &format!("<saml2:Subject>{signature}")),
            signatures,
        ),
        (
            "signature before the Issuer",
            message(&assertion.replace(&signature, "").replace(issuer, &format!("{signature}{issuer}"))),
            place,
        ),
        (
            "signature at the end",
            message(
                &assertion
                    .replace(&signature, "")
                    .replace("</saml2:Assertion>", &format!("{signature}</saml2:Assertion>")),
            ),
            place,
        ),
        ("signature deeper", with_signature(&format!("<saml2:Subject>{signature}</saml2:Subject>")), place),
        ("no Issuer", good.replace(issuer, ""), place),
        (
            "an Object in the signature",
            in_signature("</ds:Signature>", "<ds:Object>x</ds:Object></ds:Signature>"),
            structure,
        ),
        (
            "an attribute statement hidden in KeyInfo",
            in_signature("<ds:KeyInfo>", "<ds:KeyInfo><saml2:AttributeStatement/>"),
            structure,
        ),
        ("two references", in_signature(reference, &reference.repeat(2)), structure),
        ("no reference", in_signature(reference, ""), structure),
        ("reference to the document", in_signature("URI=\"#_a1\"", "URI=\"\""), structure),
        ("reference by XPointer", in_signature("URI=\"#_a1\"", "URI=\"#xpointer(id('_a1'))\""), structure),
        ("reference without URI", in_signature("URI=\"#_a1\"", ""), structure),
        ("reference to a file", in_signature("URI=\"#_a1\"", "URI=\"file:///etc/passwd\""), structure),
        ("reference to an attachment", in_signature("URI=\"#_a1\"", "URI=\"cid:x\""), structure),
        (
            "no transform",
            in_signature(&format!("<ds:Transforms>{enveloped}{exclusive}</ds:Transforms>"), ""),
            algorithm,
        ),
        ("only enveloped", in_signature(exclusive, ""), algorithm),
        (
            "transforms in the other order",
            in_signature(&format!("{enveloped}{exclusive}"), &format!("{exclusive}{enveloped}")),
            algorithm,
        ),
        (
            "an XPath transform",
            in_signature(
                exclusive,
                &format!(
                    "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>false()</ds:XPath></ds:Transform>{exclusive}"
                ),
            ),
            algorithm,
        ),
        (
            "an XSLT transform",
            in_signature(exclusive, "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/>"),
            algorithm,
        ),
        (
            "inclusive canonical form of the assertion",
            in_signature(exclusive, "<ds:Transform Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>"),
            algorithm,
        ),
        (
            "inclusive canonical form of SignedInfo",
            in_signature(
                "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"",
                "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"",
            ),
            algorithm,
        ),
        (
            "HMAC with the public key",
            in_signature(
                "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
            ),
            algorithm,
        ),
        (
            "MD5",
            in_signature("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#md5"),
            algorithm,
        ),
        ("another hash declared", in_signature("xmldsig-more#rsa-sha256", "xmldsig-more#rsa-sha512"), value),
        (
            "PSS declared",
            in_signature(
                "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
            ),
            value,
        ),
        ("ECDSA declared", in_signature("xmldsig-more#rsa-sha256", "xmldsig-more#ecdsa-sha256"), value),
        ("a value changed", good.replace("899700000012", "899700000013"), digest),
        ("an attribute changed", good.replace("2026-11-21T22", "2026-12-21T22"), digest),
        ("white space added", good.replace("</saml2:Subject>", "</saml2:Subject>\n"), digest),
        ("an element added", good.replace("</saml2:Subject>", "</saml2:Subject><saml2:AttributeStatement/>"), digest),
        (
            "another namespace behind a prefix",
            good.replace("xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"", "xmlns:xsi=\"urn:other\""),
            digest,
        ),
        ("a comment in a value", good.replace("899700000012", "8997<!-- -->00000012"), comment),
        ("a comment in the signature", in_signature("<ds:KeyInfo>", "<ds:KeyInfo><!-- -->"), comment),
        ("an instruction", good.replace("899700000012", "8997<?x?>00000012"), comment),
        ("the digest of other content", message(&assertion.replace("899700000012", "EVIL")), digest),
        (
            "another certificate",
            in_signature(
                &certificate,
                &certificate.replace(&base64(&keys().certificate), &base64(&other_keys().certificate)),
            ),
            value,
        ),
        ("a key without certificate", in_signature(&certificate, "<ds:KeyValue/>"), no_certificate),
        ("no X509 certificate that is one", in_signature(&base64(&keys().certificate), "AAAA"), no_certificate),
        ("a certificate that is no base64", in_signature(&base64(&keys().certificate), "?"), no_certificate),
        ("nine certificates", in_signature(&certificate, &certificate.repeat(9)), no_certificate),
        ("no KeyInfo", in_signature(&format!("<ds:KeyInfo>{certificate}</ds:KeyInfo>"), ""), structure),
        ("no signature value", in_signature("ds:SignatureValue", "ds:Other"), structure),
        ("a digest that is no base64", in_signature("</ds:DigestValue>", "?</ds:DigestValue>"), structure),
        ("assertion of SAML 1.1", good.replace(NS_SAML2, "urn:oasis:names:tc:SAML:1.0:assertion"), |e| {
            matches!(e, SignatureError::AssertionCount { found: 0 })
        }),
        ("an assertion of 200 KB", good.replace("899700000012", &"8".repeat(200_000)), |e| {
            matches!(e, SignatureError::TooBig { .. })
        }),
    ];
    for (name, text, expected) in rows {
        assert_ne!(text, good, "{name}: the row changes nothing");
        match verdict(&text, &KIT) {
            Ok(_) => panic!("{name}: accepted"),
            Err(error) => assert!(expected(&error), "{name}: {error}"),
        }
    }
}

#[test]
fn keys_that_do_not_fit_are_refused() {
    use socle_xml::signature::Signer;
    let (own, other) = (keys(), other_keys());
    let from_pem = Signer::from_pem(own.certificate_pem.as_bytes(), own.pkcs8_pem.as_bytes()).expect("PEM");
    assert_eq!(from_pem.certificate(), own.certificate);
    let both = format!("{}{}", own.certificate_pem, own.authority_pem);
    assert_eq!(Signer::from_pem(both.as_bytes(), own.pkcs8_pem.as_bytes()).expect("PEM").chain().len(), 2);
    let cases = [
        ("another key", Signer::from_der(vec![own.certificate.clone()], &other.pkcs8), SignerError::Mismatch),
        (
            "authority first",
            Signer::from_der(vec![own.authority.clone(), own.certificate.clone()], &own.pkcs8),
            SignerError::Mismatch,
        ),
        ("no certificate", Signer::from_der(Vec::new(), &own.pkcs8), SignerError::Certificate),
        ("no certificate in PEM", Signer::from_pem(b"", own.pkcs8_pem.as_bytes()), SignerError::Certificate),
        ("certificate of noise", Signer::from_der(vec![vec![0x30; 20]], &own.pkcs8), SignerError::Certificate),
        ("no key", Signer::from_pem(own.certificate_pem.as_bytes(), b""), SignerError::Key),
        ("certificate as key", Signer::from_der(vec![own.certificate.clone()], &own.certificate), SignerError::Key),
    ];
    for (name, result, expected) in cases {
        assert_eq!(result.err(), Some(expected), "{name}");
    }
    assert!(!format!("{from_pem:?}").contains("key:"), "no key in Debug");
}

#[test]
fn templates_that_cannot_be_filled_are_refused() {
    let template = template(Algorithm::RsaSha256);
    let signature = assertion_signature_template("_a1", Algorithm::RsaSha256);
    let signer = keys().signer();
    let cases = [
        ("no template", template.replace(&signature, ""), "0 empty"),
        ("two templates", template.replace(&signature, &signature.repeat(2)), "2 empty"),
        ("already signed", sign(&template, &signer).expect("signed"), "0 empty"),
        ("unknown target", template.replace("URI=\"#_a1\"", "URI=\"#_a2\""), "ID"),
        ("two targets", template.replace("<saml2:Subject>", "<saml2:Subject ID=\"_a1\">"), "ID"),
        ("unknown method", template.replace("rsa-sha256", "rsa-md5"), "SignatureMethod"),
        ("unknown digest", template.replace("xmlenc#sha256", "xmlenc#sha0"), "DigestMethod"),
        ("no SignedInfo", template.replace("SignedInfo", "Other"), "SignedInfo"),
        ("not well-formed", template.replace("</saml2:Subject>", ""), "not well-formed"),
    ];
    for (name, text, expected) in cases {
        let refused: SignError = sign(&text, &signer).expect_err(name);
        assert!(refused.to_string().contains(expected), "{name}: {refused}");
    }
}

#[test]
fn signing_leaves_everything_else_as_it_is() {
    let template = template(Algorithm::RsaSha256)
        .replace("<ds:SignatureValue/>", "<ds:SignatureValue Id=\"v\" ></ds:SignatureValue>");
    let signed = sign(&template, &keys().signer()).expect("signed");
    let (before, after) = (template.split("<ds:DigestValue").next(), signed.split("<ds:DigestValue").next());
    assert_eq!(before, after);
    assert!(signed.contains("<ds:SignatureValue Id=\"v\">"), "{signed}");
    assert_eq!(template.split("</ds:Signature>").last(), signed.split("</ds:Signature>").last());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// One character of a signed message changed: refused, or the assertion says what it said.
    #[test]
    fn a_changed_message_is_refused_or_means_the_same(at in any::<prop::sample::Index>(), new in prop_oneof![Just('<'), Just('>'), Just(' '), Just('"'), Just('&'), Just('/'), any::<char>()]) {
        static MESSAGE: std::sync::OnceLock<(String, String)> = std::sync::OnceLock::new();
        let said = |text: &str| -> Option<String> {
            let document = parse(text, &Limits::ENVELOPE).ok()?;
            let signed = verify_assertion(&document, &STRICT, &trusted).ok()?;
            let signature = signed.node.descendants().find(|n| n.is(Some("http://www.w3.org/2000/09/xmldsig#"), "Signature"))?;
            Some(Canonical { exclusive: true, without: Some(signature.id()), ..Canonical::default() }.of(signed.node))
        };
        let (text, meaning) = MESSAGE.get_or_init(|| {
            let text = message(&signed(Algorithm::RsaSha256));
            let meaning = said(&text).expect("valid");
            (text, meaning)
        });
        let mut changed: Vec<char> = text.chars().collect();
        let at = at.index(changed.len());
        changed[at] = new;
        if let Some(other) = said(&changed.into_iter().collect::<String>()) {
            prop_assert_eq!(&other, meaning);
        }
    }
}
