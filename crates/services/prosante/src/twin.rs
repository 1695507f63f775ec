//! We are Pro Santé Connect: an OpenID Provider whose issuer speaks https, and a wallet page where the
//! user chooses a test professional. *Jumeau local non officiel, sans lien avec l'ANS, la CNAM ni le GIE
//! SESAM-Vitale ; ne vaut ni homologation ni référencement.*
//!
//! Enter by [`start`]. As in reality the wallet is another host than the issuer; it is plain http on
//! loopback, so that a browser meets no certificate of ours. In order: `registry` (who may ask),
//! `provider` (what is granted: codes, tokens, sessions, with the clock handed in), `endpoints` (the
//! issuer over HTTP), `wallet` and `pages` (the browser's side), `robot` (a login without a browser).
//!
//! Sessions are in memory: a restart logs everybody out, as theirs would. Keys are kept in the data
//! folder. Absent on purpose: passwords and cards (a choice of persona stands for them), CIBA, federated
//! local identity providers, HS256, CORS.

mod endpoints;
mod pages;
mod provider;
mod registry;
mod robot;
mod wallet;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use socle_trust::Shutdown;
use socle_trust::https::{CannotListen, Door, serve};
use socle_trust::pki::{PkiError, Profile, TestPki};
use socle_trust::tls::{ClientAuth, TlsError, Versions, server_config};
use socle_trust::token::{Issuer, SigningKey, SigningKeyError};
use tokio::task::JoinHandle;

pub use provider::Lives;
pub use registry::{CONSOLE, DEMO, Redirect, RegisteredClient, TestClient};
pub use robot::{RobotError, log_in_with_wallet};

use crate::wire::REALM;
use provider::Provider;

/// Every page of a twin says this.
pub const UNOFFICIAL: &str = "jumeau local non officiel, sans lien avec l'ANS, la CNAM ni le GIE SESAM-Vitale ; ne vaut ni homologation ni référencement";

/// What the twin is started with.
#[derive(Debug)]
pub struct Settings {
    /// The address of the issuer; loopback unless told. The wallet is on loopback always.
    pub listen: IpAddr,
    /// Port of the issuer, https; 0 takes a free one.
    pub port: u16,
    /// Port of the wallet, on loopback; 0 takes a free one.
    pub wallet_port: u16,
    /// Serves the wallet over https, as in reality: for client libraries that refuse an authorization
    /// endpoint in clear text. A browser then has to know the twins' authorities.
    pub wallet_tls: bool,
    /// Its own folder: the signing key.
    pub data: PathBuf,
    /// The authorities of the twins.
    pub pki: Arc<TestPki>,
    /// More names of the issuer's host, in its certificate.
    pub names: Vec<String>,
    /// The relying parties.
    pub clients: Vec<RegisteredClient>,
    /// How long things live.
    pub lives: Lives,
    /// The twin's clock runs this much ahead of ours.
    pub clock_ahead: SignedDuration,
    /// Leaves `acr` out of tokens, as happens in reality.
    pub without_acr: bool,
}

impl Settings {
    /// On loopback, free ports, [`CONSOLE`] and [`DEMO`] as relying parties, the published lives.
    #[must_use]
    pub fn new(data: PathBuf, pki: Arc<TestPki>) -> Self {
        Self {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            wallet_port: 0,
            wallet_tls: false,
            data,
            pki,
            names: Vec::new(),
            clients: vec![CONSOLE.registered(), DEMO.registered()],
            lives: Lives::default(),
            clock_ahead: SignedDuration::ZERO,
            without_acr: false,
        }
    }
}

/// A twin that listens until the order to stop.
#[derive(Debug)]
pub struct Running {
    /// `https://localhost:<port>/auth/realms/esante-wallet`.
    pub issuer: String,
    /// `http://127.0.0.1:<port>/` (`https` with [`Settings::wallet_tls`]): the page for people; the wallet
    /// is below.
    pub page: String,
    provider: Arc<Provider>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Signs with a new key from now on; the earlier key stays published.
    ///
    /// # Errors
    /// [`TwinError`] when no key can be made.
    pub async fn rotate_keys(&self) -> Result<(), TwinError> {
        let key = tokio::task::spawn_blocking(SigningKey::generate).await.map_err(|_| TwinError::Interrupted)??;
        self.provider.rotate(key);
        Ok(())
    }

    /// Returns when the twin has stopped.
    pub async fn stopped(self) {
        for task in self.tasks {
            // A listener's task ends by the order to stop; one that was aborted has ended as well.
            let _ = task.await;
        }
    }
}

/// Starts the twin; it runs until `shutdown`.
///
/// # Errors
/// [`TwinError`]: a port taken, a folder that is not writable, keys that cannot be made.
pub async fn start(settings: Settings, shutdown: Shutdown) -> Result<Running, TwinError> {
    let door = Door::open(settings.listen, settings.port).await?;
    let wallet_door = Door::open(IpAddr::V4(Ipv4Addr::LOCALHOST), settings.wallet_port).await?;
    let issuer = format!("https://localhost:{}{REALM}", door.port());
    let scheme = if settings.wallet_tls { "https" } else { "http" };
    let page = format!("{scheme}://127.0.0.1:{}/", wallet_door.port());
    let (key, tls) = prepare(&settings).await?;
    let wallet_tls = settings.wallet_tls.then(|| Arc::clone(&tls));
    let provider = Arc::new(Provider::new(
        Issuer::new(&issuer, key),
        page.trim_end_matches('/').to_owned(),
        settings.clients,
        settings.lives,
        settings.clock_ahead,
        settings.without_acr,
    ));
    let tasks = vec![
        tokio::spawn(serve(door.listener, Some(tls), endpoints::router(Arc::clone(&provider)), shutdown.clone())),
        tokio::spawn(serve(wallet_door.listener, wallet_tls, wallet::router(Arc::clone(&provider)), shutdown)),
    ];
    Ok(Running { issuer, page, provider, tasks })
}

/// Keys are read or made where blocking is allowed.
async fn prepare(settings: &Settings) -> Result<(SigningKey, Arc<socle_trust::ServerConfig>), TwinError> {
    let (pki, names, data) = (Arc::clone(&settings.pki), settings.names.clone(), settings.data.clone());
    let work = move || {
        let folder = |error| TwinError::Folder { folder: data.display().to_string(), error };
        std::fs::create_dir_all(&data).map_err(folder)?;
        let key = SigningKey::open_or_create(&data.join("signing-key.pem"))?;
        let credentials = pki.credentials("prosante-server", &Profile::Server { names })?;
        let tls = server_config(&credentials, ClientAuth::Optional(pki.anchors()), Versions::Both)?;
        Ok((key, tls))
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| TwinError::Interrupted)?
}

/// Why the twin does not start, or cannot make a key.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// The port is taken, or not ours to take.
    #[error("Pro Santé Connect twin: {0}")]
    Listen(#[from] CannotListen),
    /// The data folder.
    #[error("Pro Santé Connect twin: {folder}: {error}")]
    Folder {
        /// Which.
        folder: String,
        /// The system's words.
        error: std::io::Error,
    },
    /// The signing key.
    #[error("Pro Santé Connect twin: {0}")]
    Key(#[from] SigningKeyError),
    /// Certificates.
    #[error("Pro Santé Connect twin: {0}")]
    Pki(#[from] PkiError),
    /// TLS cannot be set up.
    #[error("Pro Santé Connect twin: {0}")]
    Tls(#[from] TlsError),
    /// The program was stopping.
    #[error("Pro Santé Connect twin: stopped while starting")]
    Interrupted,
}
