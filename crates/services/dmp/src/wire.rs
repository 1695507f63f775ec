//! The formats of the DMP on the wire, read and written, pure: VIHF assertions ([`vihf`]), stored queries
//! ([`query`], [`slot`]), provide and retrieve ([`documents`]), registry answers and errors ([`response`]).
//!
//! SOAP envelopes, MTOM and signatures are `socle_xml`'s; metadata in ebRIM are `socle_cda::xds`'.
//!
//! Not here: which error to retry (`model`, `client`), what is allowed (`twin`).

mod cx;
mod kit;
pub mod slot;
pub mod vihf;

pub use cx::{CxError, ins_from_cx};
pub use kit::Kit;
