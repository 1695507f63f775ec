//! Keys, certificates, TLS, tokens, access decisions and the audit log's proofs.
//!
//! Everything here answers one question: may we believe this? [`pki`] makes the twins' look-alike of
//! IGC-Santé and [`Credentials`] loads real certificates; [`chain`] says whether a certificate may be
//! trusted, [`tls`] and [`https`] carry that onto the network; [`token`] reads and signs JWS;
//! [`access`] decides, [`audit`] keeps the proof.
//!
//! Absent on purpose: a cipher suite to choose, an option that skips a check, a certificate that
//! serves two environments, a private key or a person in a `Debug`. No storage: the store keeps what
//! is sealed here.

mod actor;
mod anchors;
mod certificate;
mod credentials;
mod secret;
mod shutdown;

pub mod access;
pub mod audit;
pub mod chain;
pub mod https;
pub mod pki;
pub mod tls;
pub mod token;

pub use actor::{Actor, ActorId, ActorKind, Role};
pub use anchors::Anchors;
pub use certificate::{Certificate, CertificateError, DistinguishedName, DnAttribute, DnError, Nature};
pub use credentials::{Credentials, CredentialsError};
pub use rustls::{ClientConfig, ServerConfig};
pub use rustls_pki_types::{CertificateDer, PrivateKeyDer};
pub use secret::write_secret;
pub use shutdown::Shutdown;
