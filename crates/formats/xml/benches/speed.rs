//! How fast parsing, multipart, signing and verifying are, beside bergshamra where it does the same.
//!
//! `cargo bench -p socle-xml`. One thread; each line is the median of five rounds of a quarter second.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and stops when it cannot run")]

#[path = "../tests/fixtures/keys.rs"]
mod keys;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bergshamra::keys::loader::{load_rsa_private_pem, load_x509_cert_der};
use bergshamra::{DsigContext, KeysManager};
use bytes::Bytes;
use keys::keys;
use socle_xml::c14n::Canonical;
use socle_xml::signature::xades::{Content, LotDocument, LotToSign, verify_lot, write_lot};
use socle_xml::signature::{
    Algorithm, NS_SAML2, Policy, assertion_signature_template, sign, verify_assertion, verify_bare_assertion,
};
use socle_xml::{Limits, decode, mtom, parse};

fn main() {
    let template = assertion();
    let signer = keys().signer();
    let signed = sign(&template, &signer).expect("signed");
    let message = envelope(&signed);
    let trust = |_: &[u8], _: &[Vec<u8>]| Ok(());

    report("sign an assertion (RSA 2048, SHA-256)", &signed, || {
        sign(&template, &signer).expect("signed");
    });
    report("  bergshamra", &signed, {
        let mut key = load_rsa_private_pem(keys().pkcs8_pem.as_bytes()).expect("key");
        key.x509_chain = vec![keys().certificate.clone()];
        let mut manager = KeysManager::new();
        manager.add_key(key);
        let context = DsigContext::new_permissive(manager);
        let template = &template;
        move || {
            bergshamra::sign(&context, template).expect("signed");
        }
    });
    report("sign an assertion (RSA 2048, SHA-1)", &signed, {
        let template = template.replace("2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1");
        let signer = &signer;
        move || {
            sign(&template, signer).expect("signed");
        }
    });
    report("verify an assertion, parsing included", &signed, || {
        let document = parse(&signed, &Limits::ENVELOPE).expect("well-formed");
        verify_bare_assertion(&document, &Policy::default(), &trust).expect("valid");
    });
    report("  bergshamra", &signed, || {
        let mut manager = KeysManager::new();
        manager.add_key(load_x509_cert_der(&keys().certificate).expect("certificate"));
        assert!(bergshamra::verify(&DsigContext::new(manager), &signed).expect("verified").is_valid());
    });
    report("verify it in a SOAP message, parsing included", &message, || {
        let document = parse(&message, &Limits::ENVELOPE).expect("well-formed");
        verify_assertion(&document, &Policy::default(), &trust).expect("valid");
    });

    let Some(cda) = example() else {
        println!("SKIPPED documents: no shared data");
        return;
    };
    documents(&cda, &signer);
}

fn documents(cda: &[u8], signer: &socle_xml::signature::Signer) {
    let text = std::str::from_utf8(cda).expect("UTF-8");
    report("decode and parse a CDA document", text, || {
        parse(&decode(cda, &Limits::CDA).expect("decoded"), &Limits::CDA).expect("well-formed");
    });
    report("  roxmltree alone", text, || {
        socle_xml::roxmltree::Document::parse(text).expect("well-formed");
    });
    report("  uppsala (bergshamra's parser)", text, || {
        bergshamra::xml::uppsala::parse(text).expect("well-formed");
    });
    let document = parse(text, &Limits::CDA).expect("well-formed");
    report("canonical form with comments", text, || {
        black_box(Canonical { comments: true, ..Canonical::default() }.of(document.root()));
    });
    let documents = [LotDocument { unique_id: "1.2.3", content: Content::Xml(cda) }];
    let lot = LotToSign {
        submission_set: "1.2",
        signature_id: "s",
        documents: &documents,
        signing_time: jiff::Timestamp::UNIX_EPOCH,
        algorithm: Algorithm::RsaSha256,
    };
    report("sign a lot of one document", text, || {
        write_lot(&lot, signer).expect("signed");
    });
    let parsed = [LotDocument { unique_id: "1.2.3", content: Content::Parsed { bytes: cda, tree: &document } }];
    let lot_of_parsed = LotToSign { documents: &parsed, ..lot };
    report("  already parsed", text, || {
        write_lot(&lot_of_parsed, signer).expect("signed");
    });
    let signed = write_lot(&lot, signer).expect("signed");
    report("verify a lot of one document", text, || {
        verify_lot(signed.as_bytes(), "1.2", &documents, &Policy::default(), &|_, _| Ok(())).expect("valid");
    });
    let parts = [mtom::Part {
        content_id: "d@x".to_owned(),
        content_type: "text/xml".to_owned(),
        bytes: Bytes::copy_from_slice(cda),
    }];
    report("write a multipart message", text, || {
        black_box(mtom::write("<e/>", "urn:a", &parts));
    });
    let written = mtom::write("<e/>", "urn:a", &parts);
    let body = written.to_bytes();
    report("read a multipart message", text, || {
        mtom::read(&written.content_type, body.clone(), &mtom::Limits::default()).expect("read");
    });
}

/// Runs something for a while; prints operations and megabytes per second.
fn report(what: &str, input: &str, run: impl FnMut()) {
    let mut run = run;
    let mut rates: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            let mut rounds = 0_u32;
            while start.elapsed() < Duration::from_millis(250) {
                run();
                rounds += 1;
            }
            f64::from(rounds) / start.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let (rate, size) = (rates[2], input.len());
    println!("{what:<48} {rate:>10.0}/s  {:>8.1} MB/s  ({size} bytes)", rate * size as f64 / 1e6);
}

/// An assertion of the size of a VIHF.
fn assertion() -> String {
    let attributes: String = (0..12)
        .map(|i| {
            format!(
                "<saml2:Attribute Name=\"urn:oasis:names:tc:xspa:1.0:subject:attribute-{i}\"><saml2:AttributeValue \
                 xsi:type=\"xs:string\">valeur {i} de l'essai &amp; plus</saml2:AttributeValue></saml2:Attribute>"
            )
        })
        .collect();
    format!(
        "<saml2:Assertion xmlns:saml2=\"{NS_SAML2}\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ID=\"_a1\" IssueInstant=\"2026-11-21T22:00:00Z\" \
         Version=\"2.0\"><saml2:Issuer>CN=x,O=JUMEAU,C=FR</saml2:Issuer>{}<saml2:Subject>\
         <saml2:NameID>899700000012</saml2:NameID></saml2:Subject><saml2:AttributeStatement>{attributes}\
         </saml2:AttributeStatement></saml2:Assertion>",
        assertion_signature_template("_a1", Algorithm::RsaSha256)
    )
}

fn envelope(assertion: &str) -> String {
    let security = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    let mut message = socle_xml::soap::Outgoing::request("urn:a", "https://x/registry", "<q/>");
    message.headers.push(format!("<wsse:Security xmlns:wsse=\"{security}\">{assertion}</wsse:Security>"));
    message.to_xml()
}

/// A document of 243 KB without a large embedded file.
fn example() -> Option<Vec<u8>> {
    let root =
        std::env::var("SOCLE_SHARED").unwrap_or_else(|_| format!("{}/../../../../shared", env!("CARGO_MANIFEST_DIR")));
    std::fs::read(format!("{root}/data/documents/cda/examples/AVC-AUNV_2022.01.xml")).ok()
}
