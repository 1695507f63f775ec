//! CDA R2 documents of the CI-SIS, their XDS metadata, and XDM archives. Pure: bytes in, values out.
//!
//! Enter by [`document::Document`], which keeps the received bytes and reads the header;
//! [`xds`] derives metadata from it and writes and reads ebRIM; [`xdm`] packs both for MSSanté;
//! [`letter`] makes Socle's own synthetic document; [`pdf`] makes the readable copy.
//!
//! Absent on purpose: no network, no file; no document is ever serialised again, no stylesheet run.

pub mod build;
pub mod code;
pub mod codes;
pub mod diff;
pub mod document;
mod finding;
pub mod header;
pub mod letter;
pub mod pdf;
mod rules;
pub mod sections;
pub mod show;
pub mod time;
pub mod validate;
pub mod volet;
pub mod xdm;
pub mod xds;

pub use code::{Code, Identifier};
pub use document::{Body, Document, DocumentError, Form};
pub use finding::{Checked, Refused};
pub use header::Header;
pub use socle_finding::{Finding, Location, Rule, Severity, Text};
pub use time::{Time, UtcTime};
