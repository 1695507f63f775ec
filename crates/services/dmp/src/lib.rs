//! DMP and Mon espace santé: the client of an LPS and a twin of the système DMP, over IHE XDS.b
//! (SOAP 1.2, MTOM/XOP, signed VIHF).
//!
//! Enter by [`client::Client`]: it asks for a [`socle_identity::QualifiedIdentity`], since only a
//! qualified INS feeds or reads a DMP (EX_GEN-1530). The twin ([`twin::start`]) is the same protocol
//! from the other side. Between the two, [`wire`] knows the format once, and [`model`] the words and
//! rules. The client never knows that a twin exists.
//!
//! The normative "Guide d'intégration DMP" SEL-MP-037 is given to registered vendors only: what is
//! here follows CI-SIS, IHE ITI and public implementations. What nothing but vendor-kit messages seen
//! in public shows stands apart, in [`wire::Kit`], and can be replaced without touching the code.

pub mod client;
pub mod model;
pub mod twin;
pub mod wire;

/// A file of the shared sample data; absent, the test that asks says so and is skipped, unless
/// `SOCLE_STRICT=1` makes that a failure.
#[cfg(test)]
pub(crate) fn shared_data(test: &str, path: &str) -> Option<Vec<u8>> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared");
    let root = std::env::var("SOCLE_SHARED").unwrap_or_else(|_| default.to_owned());
    let read = std::fs::read(std::path::Path::new(&root).join("data").join(path));
    if read.is_err() {
        println!("SKIPPED {test}: no shared data");
        assert!(std::env::var("SOCLE_STRICT").as_deref() != Ok("1"), "{path} is not in the shared data");
    }
    read.ok()
}
