//! The XAdES signature of a DMP lot: a detached `ds:Signature` over a Manifest of the documents.
//!
//! Source: IHE ITI TF-3 §5.5 (Document Digital Signature), CI-SIS Partage de documents, XAdES 1.1.1
//! (ETSI TS 101 903). Core validation does not follow a Manifest: the digests in it are checked here.

use jiff::Timestamp;

use super::{Algorithm, Policy, SignError, SignatureError, Signer, Trust};

/// A document of the lot.
#[derive(Debug, Clone, Copy)]
pub struct LotDocument<'a> {
    /// `uniqueId` of the DocumentEntry, without `urn:oid:`.
    pub unique_id: &'a str,
    /// Its bytes.
    pub content: Content<'a>,
}

/// How a document is digested.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// XML: after canonicalisation with comments.
    Xml(&'a [u8]),
    /// Anything else: its bytes.
    Binary(&'a [u8]),
}

/// A lot whose signature and digests were checked.
#[derive(Debug, Clone)]
pub struct Lot {
    /// Certificate of the signer, DER; accepted by the caller's [`Trust`].
    pub certificate: Vec<u8>,
    /// The other certificates that came, DER.
    pub chain: Vec<Vec<u8>>,
    /// `SigningTime`.
    pub signing_time: Timestamp,
    /// How it is signed.
    pub algorithm: Algorithm,
    /// uniqueId and digest of each document.
    pub references: Vec<(String, Vec<u8>)>,
}

/// Signs a lot.
///
/// # Errors
/// [`SignError`].
pub fn write_lot(
    submission_set_unique_id: &str,
    documents: &[LotDocument<'_>],
    signing_time: Timestamp,
    signer: &Signer,
    algorithm: Algorithm,
) -> Result<String, SignError> {
    let _ = (submission_set_unique_id, documents, signing_time, signer, algorithm);
    Err(SignError::NoTemplate)
}

/// Checks the signature of a lot against the documents that came with it: none missing, none more.
///
/// # Errors
/// [`SignatureError`].
pub fn verify_lot(
    signature_xml: &[u8],
    submission_set_unique_id: &str,
    documents: &[LotDocument<'_>],
    policy: &Policy,
    trust: &Trust<'_>,
) -> Result<Lot, SignatureError> {
    let _ = (signature_xml, submission_set_unique_id, documents, policy, trust);
    Err(SignatureError::Invalid)
}
