//! FHIR R4 as Socle reads, judges and writes it: documents kept as received, the definitions of R4 and of
//! packages, FHIRPath, terminology, validation against profiles; FR Core patients and PDSm transactions.
//!
//! Enter by [`Document::parse`]: one strict pass over the received bytes into a compact tape; everything
//! else reads that tape. [`outcome`] carries what is wrong with a document, in French or English;
//! [`fr_core`] reads and writes who the patient is; [`pdsm`] reads and writes the transactions of the
//! CI-SIS volet "Partage de documents de santé en mobilité"; [`mapping`] translates XDS code systems;
//! [`mod@write`] is the small JSON writer that all of them share.
//!
//! What a document should be is said by [`definitions`] (R4 itself is in the binary), by [`package`]s and the
//! [`snapshot`]s made of their profiles; [`terminology`] knows the codes, [`fhirpath`] and [`ucum`] evaluate the
//! invariants, [`narrative`] looks at XHTML, and [`profile`] puts all of it together into a validator. [`mod@xml`]
//! is the other writing of the same documents.
//!
//! ```
//! use socle_fhir::Document;
//!
//! let document = Document::parse(&br#"{"resourceType":"Patient","name":[{"family":"PAT-TROIS"}]}"#[..])?;
//! let name = document.root().all("name").next().and_then(|name| name.get("family"));
//! assert_eq!(name.map(|name| name.path()).as_deref(), Some("Patient.name[0].family"));
//!
//! let error = Document::parse(&br#"{"resourceType":"Patient","active":tru}"#[..]).unwrap_err();
//! assert_eq!((error.position.line, error.path.as_str()), (1, "Patient.active"));
//! # Ok::<(), socle_fhir::JsonError>(())
//! ```
//!
//! Absent on purpose: no struct generated per resource, no network. The readers of [`fr_core`] and [`pdsm`] check
//! what Socle needs to act; a profile says more.

// Helpers that unit and integration tests share name the crate as the latter do.
#[cfg(test)]
extern crate self as socle_fhir;

pub mod base64;
pub mod datatypes;
pub mod definitions;
pub mod fhirpath;
pub mod fr_core;
pub mod mapping;
pub mod narrative;
pub mod outcome;
pub mod package;
pub mod pdsm;
pub mod profile;
pub mod snapshot;
pub mod tape;
pub mod terminology;
pub mod ucum;
pub mod write;
pub mod xml;

pub use outcome::{Issue, IssueType, Issues, Noted, Reading};
pub use tape::{Document, DocumentError, Format, JsonError, Kind, Limits, NameId, Node, Position, without_comments};
