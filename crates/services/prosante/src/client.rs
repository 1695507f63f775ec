//! We rely on Pro Santé Connect: [`Client`] logs a professional in with a browser, [`Bearer`] knows who
//! calls with an access token. Both read the provider's discovery document and trust nothing else.
//!
//! Every answer is verified whole before it is believed: state, issuer, ID token (signature, issuer,
//! audience, dates, nonce, `at_hash`), and that UserInfo speaks of the same subject. Tokens live in
//! memory only, in a [`Session`] that does not serialise and whose `Debug` shows nothing.
//!
//! Absent on purpose: the implicit and password grants, HS256 ID tokens, CIBA, a session store, CORS
//! (the client secret stays on a server, requirement 22 of the référentiel Pro Santé Connect).

mod bearer;
mod login;
mod provider;
mod session;

pub use bearer::{Bearer, BearerError, BearerSettings};
pub(crate) use login::at_hash;
pub use login::{Authentication, Client, LoginError, PendingLogin, Settings};
pub use provider::{ProviderError, SetupError};
pub use session::Session;
