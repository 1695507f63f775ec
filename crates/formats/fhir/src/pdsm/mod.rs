//! PDSm, the CI-SIS volet "Partage de documents de santé en mobilité" 3.1.1 (French MHD): the ITI-65
//! transaction read ([`read_provide_bundle`]) and written ([`write_provide_bundle`]), and what the
//! front door answers (`answers.rs`).
//!
//! Reading lists all that is wrong, by the words of the profile, and hands out what Socle acts on:
//! the patient, the lot, each document with its bytes, the recipients. What is read can be written
//! again, and reads the same.

mod answers;
mod model;
mod names;
mod parties;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use answers::{
    CapabilityAbout, SearchEntry, SearchParameter, Stored, StoredDocument, write_binary, write_capability_statement,
    write_document_reference, write_searchset, write_transaction_response,
};
pub use model::{
    Addressee, Confidentiality, DocumentMetadata, EntryRole, Level, Party, PartyKind, ProvideBundle, ProvidedDocument,
    Recipient, ReferenceId, Relation, RelationCode, RelationTarget, SourceId, SubmissionSet, SubmittedPatient,
    Visibility,
};
pub use names::FEED_DMP;
pub use read::{entry_roles, read_document_reference, read_provide_bundle};
pub use write::write_provide_bundle;
