//! INSi on the wire: requests of WS_INS2, answers and faults, each written and read. Pure, no I/O.
//!
//! We write strictly (the sequences of the schemas, one namespace per prefix) and read as tolerantly
//! as the official samples need: prefixes mixed for one namespace, children of `INSHISTO` in another
//! order, `Prenom` or `Cle` absent, periods reversed, a history that repeats the active INS. Order:
//! names, request, answer, fault, WSDL.
//!
//! Not here: what an answer means (`model.rs`), which fault to retry (`client.rs`), who is found
//! (`twin.rs`). Absent on purpose: the signed assertion of a CPS card and WS_INS1 (the Vitale
//! assertion is not public); with a certificate of an organisation, no assertion is sent at all.
//!
//! Source: WSDL `DESIR_ICIR_EXP` 1.5.0 with its schemas, and public samples of the test platform.

mod answer;
mod fault;
mod request;
mod wsdl;

pub use answer::{
    Answer, HistoryOrder, Individual, ReadAnswerError, WrittenIns, WrittenTraits, read_answer, write_answer,
};
pub use fault::{read_fault, write_fault};
pub(crate) use fault::{version_mismatch_11, write_soap_fault};
pub use request::{Contexts, ReadRequestError, Received, Request, Software, read_request};
pub use wsdl::wsdl;

/// `wsa:Action` of WS_INS2, and the value of `action` in the content type.
pub const ACTION_TRAITS: &str = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite";
/// `wsa:Action` of WS_INS1.
pub const ACTION_VITALE: &str = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecCarteVitale";

pub(crate) const NS_BAM: &str = "urn:siram:bam:ctxbam";
pub(crate) const NS_LPS: &str = "urn:siram:lps:ctxlps";
pub(crate) const NS_SIRAM: &str = "urn:siram";
pub(crate) const NS_REQUEST: &str = "http://www.cnamts.fr/INSiRecSans";
pub(crate) const NS_RESULT: &str = "http://www.cnamts.fr/INSiResultat";

/// An envelope of INSi is small: a few kilobytes, an assertion included.
pub const LIMITS: socle_xml::Limits =
    socle_xml::Limits { bytes: 512 << 10, depth: 32, nodes: 10_000, attributes: 64, name: 256 };
