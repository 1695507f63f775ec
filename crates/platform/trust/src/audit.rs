//! The audit log: what a record is, how it is sealed, and how its place in the log is proven.
//!
//! A record is written as canonical JSON (`jcs`), hashed with a salt into a leaf of a Merkle tree
//! ([`merkle`], RFC 9162 §2.1) and encrypted with the data key of the person concerned ([`seal`]).
//! Erasing the key, or salt and ciphertext, leaves every proof valid and nothing to read. The root is
//! published as a signed note ([`checkpoint`], C2SP).
//!
//! Not here: where leaves are stored, who may read them, projections to FHIR or DICOM.

pub mod checkpoint;
pub mod jcs;
pub mod merkle;
pub mod seal;

mod record;

pub use merkle::Hash;
pub use record::{Agent, AgentRole, Code, Object, Outcome, PatientId, Record, RecordAction, RecordError};
pub use seal::{DataKey, SealError, Sealed};
