//! The formats of the DMP on the wire, read and written, pure: VIHF assertions ([`vihf`]), stored queries
//! ([`query`], [`slot`]), existence ([`existence`]), provide and retrieve
//! ([`documents`]), registry answers and errors ([`response`]).
//!
//! SOAP envelopes, MTOM and signatures are `socle_xml`'s; metadata in ebRIM are `socle_cda::xds`'.
//!
//! Not here: which error to retry (`model`, `client`), what is allowed (`twin`).

mod cx;
pub mod documents;
pub mod existence;
mod kit;
pub mod query;
pub mod response;
pub mod slot;
pub mod vihf;

pub use cx::{CxError, ins_from_cx};
pub use kit::Kit;

/// Namespace of XDS.b.
pub const NS_XDSB: &str = "urn:ihe:iti:xds-b:2007";
/// Namespace of ebRS registry services.
pub const NS_RS: &str = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0";
/// Namespace of ebRS queries.
pub const NS_QUERY: &str = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0";

/// `wsa:Action` of a request and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// Of the request.
    pub request: &'static str,
    /// Of the answer.
    pub response: &'static str,
}

/// TD0.2, existence of a DMP and authorisation (HL7 v3).
pub const EXISTENCE: Action =
    Action { request: "urn:hl7-org:v3:PRPA_IN201307UV02", response: "urn:hl7-org:v3:PRPA_IN201308UV02" };
/// ITI-41, Provide and Register Document Set-b.
pub const PROVIDE: Action = Action {
    request: "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
    response: "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse",
};
/// ITI-18, Registry Stored Query.
pub const QUERY: Action = Action {
    request: "urn:ihe:iti:2007:RegistryStoredQuery",
    response: "urn:ihe:iti:2007:RegistryStoredQueryResponse",
};
/// ITI-43, Retrieve Document Set.
pub const RETRIEVE: Action = Action {
    request: "urn:ihe:iti:2007:RetrieveDocumentSet",
    response: "urn:ihe:iti:2007:RetrieveDocumentSetResponse",
};
