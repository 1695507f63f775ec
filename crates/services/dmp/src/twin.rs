//! We are the système DMP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use socle_trust::Shutdown;
use socle_trust::pki::TestPki;

use crate::wire::Kit;

/// How the twin runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the services listen, over TLS with client certificates; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the page of the twin listens, plain HTTP, loopback only; port 0 takes a free one.
    pub page: SocketAddr,
    /// Its own folder.
    pub data: PathBuf,
    /// The PKI of the twins.
    pub pki: Arc<TestPki>,
    /// Values of the vendor kit.
    pub kit: Kit,
}

/// A twin that runs. It stops with the shutdown that was given.
#[derive(Debug)]
pub struct Running {
    /// The base of the services: `https://127.0.0.1:<port>/si-dmp-server/v2/services`.
    pub base_url: String,
    /// The page.
    pub page_url: String,
    /// Ends when the twin has stopped.
    pub stopped: tokio::task::JoinHandle<()>,
}

/// Why the twin does not run.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// The port is taken, or may not be.
    #[error("the DMP twin cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The system's words.
        source: std::io::Error,
    },
}

/// Starts the twin.
///
/// # Errors
/// [`TwinError`].
pub async fn start(settings: Settings, _shutdown: Shutdown) -> Result<Running, TwinError> {
    Err(TwinError::Listen { address: settings.listen, source: std::io::ErrorKind::Unsupported.into() })
}
