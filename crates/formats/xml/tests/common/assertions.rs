//! A VIHF-like assertion, signed and put into a message.

#![allow(dead_code, reason = "each test file uses its own part")]

use socle_xml::signature::{
    Algorithm, Method, NS_SAML2, Policy, Sha1, SignatureError, assertion_signature_template, sign, verify_assertion,
};
use socle_xml::{Limits, parse};

use crate::keys::keys;

pub(crate) const KIT: Policy = Policy { sha1: Sha1::DmpKit };
pub(crate) const STRICT: Policy = Policy { sha1: Sha1::Refused };

pub(crate) type Verdict = Result<(), Box<dyn std::error::Error + Send + Sync>>;

pub(crate) fn trusted(_: &[u8], _: &[Vec<u8>]) -> Verdict {
    Ok(())
}

/// A VIHF-like assertion with an empty signature.
pub(crate) fn template(algorithm: Algorithm) -> String {
    format!(
        "<saml2:Assertion xmlns:saml2=\"{NS_SAML2}\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ID=\"_a1\" IssueInstant=\"2026-11-21T22:00:00Z\" \
         Version=\"2.0\"><saml2:Issuer>CN=x,O=JUMEAU,C=FR</saml2:Issuer>{}<saml2:Subject>\
         <saml2:NameID>899700000012</saml2:NameID></saml2:Subject><saml2:AttributeStatement>\
         <saml2:Attribute Name=\"a&#10;b\"><saml2:AttributeValue xsi:type=\"xs:string\">H\u{e9}l\u{e8}ne &amp; fils\
         </saml2:AttributeValue></saml2:Attribute></saml2:AttributeStatement></saml2:Assertion>",
        assertion_signature_template("_a1", algorithm)
    )
}

pub(crate) fn signed(algorithm: Algorithm) -> String {
    sign(&template(algorithm), &keys().signer()).expect("signed")
}

/// The assertion in a SOAP message whose own declarations differ.
pub(crate) fn message(assertion: &str) -> String {
    format!(
        "<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\" xmlns=\"urn:default\" xmlns:p=\"urn:p\">\
         <soap:Header><wsse:Security xmlns:wsse=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\">\
         {assertion}</wsse:Security></soap:Header><soap:Body><q id=\"Doc1\"><r id=\"Doc1\"/></q></soap:Body></soap:Envelope>"
    )
}

pub(crate) fn verdict(text: &str, policy: &Policy) -> Result<Method, SignatureError> {
    let document = parse(text, &Limits::ENVELOPE).expect("well-formed");
    verify_assertion(&document, policy, &trusted).map(|signed| signed.method)
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
