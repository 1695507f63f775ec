//! FHIR XML (FHIR R4 §2.6.1), in and out of the tape.
//!
//! [`read`] makes of XML the tape that the same resource in JSON would give: arrays where the definition lets
//! an element repeat, `_name` members for the ids and extensions of primitives, `resourceType`; positions point
//! into the received bytes. [`write()`] is the way back, in the order of the definitions. Both need
//! [`types`](crate::definitions::types); an element that R4 does not have is kept by the reader, for the validator to report, and
//! refused by the writer, which does not know where it would stand.
//!
//! ```
//! use socle_fhir::xml;
//!
//! let document = xml::read(&br#"<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>"#[..])?;
//! assert_eq!(document.root().json(), r#"{"resourceType":"Patient","active":true}"#);
//! assert!(xml::write(document.root())?.ends_with(r#"<active value="true"/></Patient>"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Not here: profiles, nor what a narrative may hold.

mod error;
mod read;
mod write;
mod xhtml;

pub use error::{ReadError, ReadErrorKind, WriteError, WriteErrorKind};
pub use read::{read, read_within};
pub use write::write;

/// The namespace of FHIR.
pub const FHIR: &str = "http://hl7.org/fhir";
/// The namespace of narratives.
pub const XHTML: &str = "http://www.w3.org/1999/xhtml";
