//! XML signatures: SAML assertions (VIHF, INSi) and the XAdES signature of a DMP lot, made and checked.
//!
//! A signature says that *some* element is signed; [`verify_assertion`] says that *the* assertion of the
//! message is, by a certificate that the caller's [`Trust`] accepted before its key was used.
//! Digests are taken of the very tree that callers read, so no difference between two parsers can come
//! between what is checked and what is used. Order: policy and trust here; then algorithms, certificates,
//! `ds:Signature` itself, assertions, signing by template, the lot ([`xades`]).
//!
//! Not here: chain, validity and revocation of the certificate; Conditions, replay and rights of the
//! assertion.

mod algorithm;
mod assertion;
mod certificate;
mod core;
mod error;
mod fill;
mod signer;
pub mod xades;

pub use algorithm::{Algorithm, Method};
pub use assertion::{NS_SAML2, SignedAssertion, assertion_signature_template, verify_assertion, verify_bare_assertion};
pub use error::SignatureError;
pub use fill::sign;
pub use signer::{SignError, Signer, SignerError};

/// Decides on a certificate before its key is used: leaf (DER), then the other certificates that came.
///
/// Chain, usage (a signature certificate, not one for authentication), validity and revocation are judged
/// there, by `socle_trust::chain::verify`; its error comes back inside [`SignatureError::Trust`].
pub type Trust<'t> = dyn Fn(&[u8], &[Vec<u8>]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + 't;

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
