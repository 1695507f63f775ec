//! Pro Santé Connect: relying party and twin provider.
//!
//! Enter by [`client::Client`] to log a professional in, by [`client::Bearer`] to know who calls with an
//! access token. The rooms: [`model`] (who a professional is, and where they practise), [`wire`] (OpenID
//! Connect messages), [`client`] (we rely on the provider), [`twin`] (we are the provider).

pub mod client;
pub mod model;
pub mod twin;
pub mod wire;
