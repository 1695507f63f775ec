//! INSi, the national identity teleservice: client and twin.
//!
//! Enter by [`model::SearchTraits`], made of an identity, and hand it to [`client::Client::search`]. The
//! rooms: [`model`] (what may be asked and what an answer means), [`wire`] (SOAP messages), [`client`]
//! (we ask the teleservice), [`twin`] (we are the teleservice).

pub mod client;
pub mod model;
pub mod twin;
pub mod wire;
