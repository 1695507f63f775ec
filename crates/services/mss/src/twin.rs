//! We are an operator of the espace de confiance MSSanté, and Mon espace santé behind it: SMTP submission, IMAP, a
//! page. *Jumeau local non officiel, sans lien avec l'ANS, la CNAM ni le GIE SESAM-Vitale ; ne vaut ni
//! homologation ni référencement.*
//!
//! In order: what it is started with, starting it, what it says once started.

mod seed;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use socle_trust::Shutdown;
use socle_trust::pki::{PkiError, TestPki};
use socle_trust::tls::TlsError;
use socle_trust::token::Verifier;

pub use seed::{Owner, Seed, seeds};

/// What the twin is started with.
#[derive(Debug)]
pub struct Settings {
    /// The address to listen on; loopback unless told.
    pub listen: IpAddr,
    /// The ports.
    pub ports: Ports,
    /// Its own folder: mailboxes survive a restart.
    pub data: PathBuf,
    /// The authorities of the twins; the operator's certificate is made there, and clients' certificates are checked
    /// against it.
    pub pki: Arc<TestPki>,
    /// More names of the operator's host, in its certificate.
    pub names: Vec<String>,
    /// Checks Pro Santé Connect access tokens; without it, token mechanisms are not offered.
    pub tokens: Option<Arc<Verifier>>,
    /// The mailboxes, see [`seeds`].
    pub mailboxes: Vec<Seed>,
}

/// Port 0 takes a free one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    /// SMTP submission with STARTTLS (587 in reality).
    pub submission: u16,
    /// SMTP submission with TLS at once (465).
    pub submissions: u16,
    /// IMAP with STARTTLS (143).
    pub imap: u16,
    /// IMAP with TLS at once (993).
    pub imaps: u16,
    /// The page, plain HTTP.
    pub page: u16,
}

impl Settings {
    /// On loopback, free ports, the seeded mailboxes, no tokens.
    #[must_use]
    pub fn new(data: PathBuf, pki: Arc<TestPki>) -> Self {
        Self {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: Ports::default(),
            data,
            pki,
            names: Vec::new(),
            tokens: None,
            mailboxes: seeds(),
        }
    }
}

/// A twin that runs until the order to stop.
#[derive(Debug, Clone, Copy)]
pub struct Running {
    /// SMTP submission, STARTTLS.
    pub submission: SocketAddr,
    /// SMTP submission, TLS at once.
    pub submissions: SocketAddr,
    /// IMAP, STARTTLS.
    pub imap: SocketAddr,
    /// IMAP, TLS at once.
    pub imaps: SocketAddr,
    /// The page.
    pub page: SocketAddr,
}

/// Starts the twin.
///
/// # Errors
/// [`TwinError`].
pub async fn start(settings: Settings, shutdown: Shutdown) -> Result<Running, TwinError> {
    let _ = (settings, shutdown);
    Err(TwinError::NotYet)
}

/// Why the twin does not start.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// Being written.
    #[error("the MSSanté twin is not written yet")]
    NotYet,
    /// A port is taken or not allowed.
    #[error("the MSSanté twin cannot listen on {address}: {source}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Its certificate cannot be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Its folder cannot be used, or is damaged.
    #[error(transparent)]
    Store(#[from] socle_store::StoreError),
}
