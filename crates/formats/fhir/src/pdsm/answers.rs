//! What the front door answers to ITI-65, ITI-67 and ITI-68.

use jiff::Timestamp;

use super::{DocumentMetadata, SubmittedPatient};

/// Something that a transaction stored, in the order of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// `List`, `DocumentReference`, `Binary`.
    pub resource_type: &'static str,
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// When.
    pub at: Timestamp,
}

/// A fiche as the front door shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// Since when.
    pub at: Timestamp,
    /// Was it replaced?
    pub superseded: bool,
    /// Whose it is.
    pub patient: SubmittedPatient,
    /// The fiche.
    pub metadata: DocumentMetadata,
    /// Where the document is: `Binary/12`, or absolute.
    pub url: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-1.
    pub sha1: [u8; 20],
}

/// An entry of a searchset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchEntry {
    /// Absolute.
    pub full_url: String,
    /// The resource, as JSON.
    pub resource: Vec<u8>,
}

/// What a CapabilityStatement says of the program behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityAbout {
    /// The base URL.
    pub base: String,
    /// The program's version.
    pub version: String,
    /// When it started.
    pub date: Timestamp,
}

/// The transaction-response of a lot.
#[must_use]
pub fn write_transaction_response(_self_url: &str, _stored: &[Stored]) -> Vec<u8> {
    Vec::new()
}

/// A fiche.
#[must_use]
pub fn write_document_reference(_document: &StoredDocument) -> Vec<u8> {
    Vec::new()
}

/// A searchset.
#[must_use]
pub fn write_searchset(_self_url: &str, _at: Timestamp, _entries: &[SearchEntry]) -> Vec<u8> {
    Vec::new()
}

/// A Binary.
#[must_use]
pub fn write_binary(_id: &str, _content_type: &str, _bytes: &[u8]) -> Vec<u8> {
    Vec::new()
}

/// What the front door can do.
#[must_use]
pub fn write_capability_statement(_about: &CapabilityAbout) -> Vec<u8> {
    Vec::new()
}
