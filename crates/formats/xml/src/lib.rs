//! XML in and out, safely: trees, SOAP, MTOM, signatures.
//!
//! Enter by [`decode`] then [`parse`]: bytes become text, text becomes a read-only tree under [`Limits`].
//! [`mod@write`] is the only way out; [`c14n`] is the canonical form, for digests. On top of these: [`soap`]
//! (envelopes, addressing, faults), [`mtom`] (multipart with binary parts that are never copied) and
//! [`signature`] (SAML assertions and the XAdES signature of a DMP lot, behind one binding rule); and the judges of
//! documents: [`xsd`], [`schematron`] with its [`arena`] and [`xpath`], and [`library`], where the user's packages of
//! official rules are installed.
//!
//! Absent on purpose: no DTD, no entity, no network or file access, no mutable tree, no certificate chain
//! validation (the caller hands it in, see [`signature::Trust`]).

pub mod arena;
pub mod c14n;
pub mod library;
pub mod mtom;
pub mod schematron;
pub mod signature;
pub mod soap;
mod tree;
pub mod write;
pub mod xpath;
pub mod xsd;

pub use roxmltree;
pub use tree::{Decoded, Encoding, Limits, NodeExt, XmlError, XmlErrorKind, decode, parse};
