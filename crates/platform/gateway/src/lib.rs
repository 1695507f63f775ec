//! The flows: what happens to a document from the moment a caller hands it in until every addressee
//! has it.
//!
//! Enter by [`Gateway`]: [`Gateway::submit`] takes an ITI-65 transaction and answers once everything
//! is durable; [`Gateway::dispatch`] delivers what was taken, for as long as it takes;
//! [`Gateway::find_documents`] and [`Gateway::read_document`] are the road back. Each flow is a plain function that reads as its
//! steps.
//!
//! *Promise:* a document that was acknowledged is delivered, or shown as stuck with the reason; it is
//! never filed under another patient; its INS leaves only with a qualified identity; every step is
//! traced in the same commit that makes it true.
//!
//! *Absent on purpose:* HTTP (the server's), wire formats (the services'), SQL (the store's). What a
//! national service is, the gateway knows by its client alone; it never knows whether a twin answers.

mod consult;
mod desk;
mod dispatch;
mod library;
mod person;
mod refusal;
mod settings;
mod submit;
mod trace;
mod watch;

pub use consult::ConsultError;
pub use desk::Gateway;
pub use library::{DocumentQuery, FoundDocument};
pub use person::PersonKey;
pub use refusal::{Refusal, Stop};
pub use settings::{Services, Settings};
pub use submit::{Accepted, Arrival};

/// The tenant of the store in which the platform keeps its own data.
pub const TENANT: &str = "socle";

/// Kinds of resources in the store.
mod kind {
    /// What the domain knows of a person, by [`crate::PersonKey`].
    pub(crate) const IDENTITY: &str = "identity";
    /// A fiche, as FHIR JSON.
    pub(crate) const DOCUMENT: &str = "DocumentReference";
    /// Where a document's bytes are.
    pub(crate) const BINARY: &str = "Binary";
}
