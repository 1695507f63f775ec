//! Other implementations, both ways: xmlsec1, bergshamra, and PKCS#12 files of openssl.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a helper that fails, fails its test")]

#[path = "fixtures/assertions.rs"]
mod assertions;
mod fixtures;
#[path = "fixtures/keys.rs"]
mod keys;

use std::path::Path;

use assertions::{KIT, message, signed, template, verdict};
use keys::keys;
use socle_xml::signature::{Algorithm, Method, SignatureError};

/// Runs xmlsec1 on a file in a folder of its own.
fn xmlsec1(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = std::process::Command::new("xmlsec1").current_dir(folder).args(arguments).output().expect("xmlsec1");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

const ASSERTION_ID: [&str; 2] = ["--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion"];

#[test]
fn xmlsec1_accepts_what_is_signed_here() {
    let name = "xmlsec1_accepts_what_is_signed_here";
    if fixtures::program(name, "xmlsec1").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("cert.pem"), &keys().certificate_pem).expect("written");
    let verify = |text: &str| {
        std::fs::write(folder.path().join("m.xml"), text).expect("written");
        xmlsec1(
            folder.path(),
            &["--verify", ASSERTION_ID[0], ASSERTION_ID[1], "--pubkey-cert-pem", "cert.pem", "m.xml"],
        )
    };
    for algorithm in [Algorithm::RsaSha256, Algorithm::RsaSha1] {
        let assertion = signed(algorithm);
        verify(&assertion).unwrap_or_else(|e| panic!("{algorithm:?}: {e}"));
        verify(&message(&assertion)).unwrap_or_else(|e| panic!("{algorithm:?} in a message: {e}"));
        verify(&message(&assertion.replace("899700000012", "EVIL"))).expect_err("xmlsec1 does check");
    }
}

#[test]
fn what_xmlsec1_signs_is_accepted_here() {
    let name = "what_xmlsec1_signs_is_accepted_here";
    if fixtures::program(name, "xmlsec1").is_none() || fixtures::program(name, "openssl").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).expect("written");
    write("key.pem", &keys().pkcs8_pem);
    write("cert.pem", &keys().certificate_pem);
    write("ca.pem", &keys().authority_pem);
    let openssl = |arguments: &str| {
        let status = std::process::Command::new("openssl")
            .current_dir(folder.path())
            .args(arguments.split(' '))
            .stderr(std::process::Stdio::null())
            .status();
        assert!(status.expect("openssl").success(), "openssl {arguments}");
    };
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.pem -out ec-cert.pem -subj /CN=ec -days 2",
    );
    openssl("req -x509 -newkey rsa:1024 -nodes -keyout small.pem -out small-cert.pem -subj /CN=small -days 2");

    let base = template(Algorithm::RsaSha256);
    let with = |method: &str, digest: &str| {
        base.replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", method)
            .replace("http://www.w3.org/2001/04/xmlenc#sha256", digest)
    };
    let more = "http://www.w3.org/2001/04/xmldsig-more#";
    let sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";
    let own = "key.pem,cert.pem";
    let prefixes = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"><ec:InclusiveNamespaces \
                    xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"ds saml2 #default xsi p\"/></ds:Transform>";
    let listed =
        message(&base).replace("<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>", prefixes);
    let rows: [(&str, String, &str, Option<Method>); 10] = [
        ("RSA-SHA256", message(&base), own, Some(Method::RsaSha256)),
        ("with the authority", message(&base), "key.pem,cert.pem,ca.pem", Some(Method::RsaSha256)),
        ("PrefixList of the DMP samples", listed, own, Some(Method::RsaSha256)),
        ("RSA-SHA1", message(&template(Algorithm::RsaSha1)), own, Some(Method::RsaSha1)),
        (
            "RSA-SHA384, SHA-384",
            message(&with(&format!("{more}rsa-sha384"), &format!("{more}sha384"))),
            own,
            Some(Method::RsaSha384),
        ),
        (
            "RSA-SHA512, SHA-512",
            message(&with(&format!("{more}rsa-sha512"), "http://www.w3.org/2001/04/xmlenc#sha512")),
            own,
            Some(Method::RsaSha512),
        ),
        (
            "ECDSA",
            message(&with(&format!("{more}ecdsa-sha256"), sha256)),
            "ec.pem,ec-cert.pem",
            Some(Method::EcdsaSha256),
        ),
        (
            "white space and CR LF in the document",
            message(
                &base
                    .replace("<saml2:Subject>", "\r\n\t<saml2:Subject\r\n  >")
                    .replace("Name=", "FriendlyName=\"a\r\n\tb\" Name="),
            ),
            own,
            Some(Method::RsaSha256),
        ),
        (
            "CDATA and references",
            message(&base.replace("899700000012", "<![CDATA[<&>]]>&#x20AC;&#13;")),
            own,
            Some(Method::RsaSha256),
        ),
        ("an RSA key of 1024 bits", message(&base), "small.pem,small-cert.pem", None),
    ];
    for (name, text, key, expected) in rows {
        write("t.xml", &text);
        xmlsec1(
            folder.path(),
            &["--sign", ASSERTION_ID[0], ASSERTION_ID[1], "--privkey-pem", key, "--output", "s.xml", "t.xml"],
        )
        .unwrap_or_else(|e| panic!("{name}: {e}"));
        let signed = std::fs::read_to_string(folder.path().join("s.xml")).expect("signed");
        match (verdict(&signed, &KIT), expected) {
            (Ok(method), Some(expected)) => assert_eq!(method, expected, "{name}"),
            (Err(SignatureError::Value), None) => {}
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn bergshamra_agrees_with_what_is_signed_here() {
    use bergshamra::keys::loader::load_x509_cert_der;
    use bergshamra::{DsigContext, KeysManager};
    for algorithm in [Algorithm::RsaSha256, Algorithm::RsaSha1] {
        let assertion = signed(algorithm);
        let check = |text: &str| {
            let mut manager = KeysManager::new();
            manager.add_key(load_x509_cert_der(&keys().certificate).expect("certificate"));
            bergshamra::verify(&DsigContext::new(manager), text).is_ok_and(|r| r.all_reference_digests_verified())
        };
        assert!(check(&assertion), "{algorithm:?}");
        assert!(!check(&assertion.replace("899700000012", "EVIL")), "{algorithm:?}");
    }
}
