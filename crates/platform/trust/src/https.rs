//! The one HTTP(S) stack: a server loop and a client, HTTP/1.1 on tokio, hyper and rustls.
//!
//! [`serve`] runs any tower service (an `axum::Router`) behind limits: handshake, header, body and
//! write timeouts, a cap on connections, a graceful stop. [`HttpsClient`] sends over a pool, with a
//! timeout per request and a limit on the answer; its errors say what a caller has to know: whether
//! the other side may have received the request.
//!
//! Not here: routing, retries, redirects, proxies, HTTP/2.

mod body;
mod client;
mod server;
mod stream;

pub use body::{Body, IncomingBody};
pub use client::{ClientLimits, HttpError, HttpErrorKind, HttpsClient};
pub use server::{CannotListen, Door, PeerAddr, PeerCertificate, ServerLimits, serve, serve_with};
