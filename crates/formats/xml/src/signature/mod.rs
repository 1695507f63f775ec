//! XML signatures: SAML assertions (VIHF, INSi) and the XAdES signature of a DMP lot, made and checked.
//!
//! A signature says that *some* element is signed; [`verify_assertion`] says that *the* assertion of the
//! message is, by a certificate that the caller's [`Trust`] accepted before its key was used.
//! Order: algorithms and policy, signing, assertions, the lot ([`xades`]).
//!
//! Not here: chain, validity and revocation of the certificate; Conditions, replay and rights of the
//! assertion.

use roxmltree::{Document, Node};

mod signer;
pub mod xades;

pub use signer::{SignError, Signer, SignerError};

/// Decides on a certificate before its key is used: leaf (DER), then the other certificates that came.
/// Chain, usage, validity and revocation are judged there (`socle_trust::chain::verify`).
pub type Trust<'t> = dyn Fn(&[u8], &[Vec<u8>]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + 't;

/// How to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// RSA PKCS#1 v1.5 with SHA-256, digests SHA-256.
    #[default]
    RsaSha256,
    /// RSA PKCS#1 v1.5 with SHA-1, digests SHA-1: only for the DMP kit's samples and older peers.
    RsaSha1,
}

/// What is accepted beyond the strict rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// SHA-1.
    pub sha1: Sha1,
}

/// Whether SHA-1 is accepted, in signatures and digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sha1 {
    /// Refused.
    #[default]
    Refused,
    /// Accepted, as the samples of the DMP kit are signed so.
    DmpKit,
}

/// The assertion of a message, proven to be signed. Read values only below [`node`](Self::node).
#[derive(Debug, Clone)]
pub struct SignedAssertion<'a> {
    /// The assertion element.
    pub node: Node<'a, 'a>,
    /// Certificate of the signer, DER; accepted by the caller's [`Trust`].
    pub certificate: Vec<u8>,
    /// The other certificates that came with it, DER.
    pub chain: Vec<Vec<u8>>,
    /// How it is signed.
    pub algorithm: Algorithm,
}

/// Why a signature is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The caller's [`Trust`] refused the certificate.
    #[error("the signing certificate is not trusted: {0}")]
    Trust(Box<dyn std::error::Error + Send + Sync>),
    /// The signature or a digest is wrong.
    #[error("the signature does not fit the content (XML Signature §3.2)")]
    Invalid,
}

/// Finds the one assertion of a SOAP message, and proves that it is signed.
///
/// # Errors
/// [`SignatureError`], with the step of the rule that failed.
pub fn verify_assertion<'a>(
    document: &'a Document<'a>,
    policy: &Policy,
    trust: &Trust<'_>,
) -> Result<SignedAssertion<'a>, SignatureError> {
    let _ = (document, policy, trust);
    Err(SignatureError::Invalid)
}

/// As [`verify_assertion`], for a document whose root is the assertion.
///
/// # Errors
/// [`SignatureError`], with the step of the rule that failed.
pub fn verify_bare_assertion<'a>(
    document: &'a Document<'a>,
    policy: &Policy,
    trust: &Trust<'_>,
) -> Result<SignedAssertion<'a>, SignatureError> {
    let _ = (document, policy, trust);
    Err(SignatureError::Invalid)
}

/// The empty `ds:Signature` that [`sign`] fills: enveloped, exclusive c14n, certificate inline. It goes
/// right after `saml2:Issuer`.
#[must_use]
pub fn assertion_signature_template(reference_id: &str, algorithm: Algorithm) -> String {
    let _ = (reference_id, algorithm);
    String::new()
}

/// Fills the one `ds:Signature` template in a document: digests, signature value, certificates.
/// After that not a byte may be touched.
///
/// # Errors
/// [`SignError`] when there is no such template or the key cannot sign.
pub fn sign(template_xml: &str, signer: &Signer) -> Result<String, SignError> {
    let _ = (template_xml, signer);
    Err(SignError::NoTemplate)
}
