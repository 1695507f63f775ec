//! OpenID Connect messages as Pro Santé Connect exchanges them, read and written. Pure, no I/O.
//!
//! Order: form encoding ([`form`]), discovery, authorization request and its answer, token answer and
//! errors, PKCE, UserInfo. Tokens themselves (JWS) are `socle_trust::token`'s.
//!
//! Not here: which request is granted (`twin.rs`), what is believed of an answer (`client.rs`).
//! Source: OpenID Connect Core and Discovery 1.0, RFC 6749, 7009, 7636, 7662, 9207, and the published
//! discovery document and samples of Pro Santé Connect.

mod authorization;
mod discovery;
pub mod form;
mod pkce;
mod token;
mod userinfo;

pub use authorization::{AuthorizationRequest, Callback, CallbackError};
pub use discovery::Discovery;
pub(crate) use pkce::random;
pub use pkce::{Pkce, challenge_of};
pub use token::{OauthError, TokenAnswer};
pub use userinfo::user_info;
pub(crate) use userinfo::{other_ids, sub};

/// The path of the realm, below the host.
pub const REALM: &str = "/auth/realms/esante-wallet";
/// The discovery document of Pro Santé Connect: the one that names the wallet.
pub const DISCOVERY_WALLET: &str = "/.well-known/wallet-openid-configuration";
/// The discovery document of the standard.
pub const DISCOVERY_STANDARD: &str = "/.well-known/openid-configuration";
/// Below the realm, every protocol endpoint.
pub const PROTOCOL: &str = "/protocol/openid-connect";
/// The scopes to ask for.
pub const SCOPES: &str = "openid scope_all";
/// The only level that is supported natively. It is a label, not a level of eIDAS.
pub const ACR: &str = "eidas1";
