//! We are the système DMP: registry and repository over SOAP 1.2, mutual TLS, with a page for people.
//! *Jumeau local non officiel, sans lien avec l'ANS, la CNAM ni le GIE SESAM-Vitale ; ne vaut ni
//! homologation ni référencement.*
//!
//! Enter by [`start`]. A request meets, in this order: the certificate (one of the twins' authorities,
//! else no connection), HTTP and SOAP (`service`), the VIHF, its freshness and the rights matrix (`gate`),
//! then its transaction: TD0.2, `feed` (ITI-41), `registry` (ITI-18), `repository` (ITI-43). What is kept is in
//! `state`, durable before it is acknowledged.
//!
//! Absent on purpose: TD0.3 to TD1.x and TD3.3 (their services answer a fault that says so), XSD and
//! Schematron of documents, revocation.

mod cda;
mod fault;
mod feed;
mod gate;
mod metadata;
mod page;
mod panel;
mod people;
mod registry;
mod repository;
mod service;
mod state;
mod wsdl;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{delete, get};
use socle_store::{Options, SqliteStore, StoreError};
use socle_trust::Shutdown;
use socle_trust::https::{CannotListen, Door, serve};
use socle_trust::pki::{PkiError, Profile, TestPki};
use socle_trust::tls::{ClientAuth, TlsError, Versions, server_config};

pub use panel::{Fault, Panel};
pub use people::{People, Situation};

use crate::wire::Kit;
use gate::Gate;
use service::Twin;
use state::State;

/// Every page and document of a twin says this.
pub const UNOFFICIAL: &str = "jumeau local non officiel, sans lien avec l'ANS, la CNAM ni le GIE SESAM-Vitale ; ne vaut ni homologation ni référencement";

/// Where the services are, below the host (IHE, and public clients of the DMP).
const BASE: &str = "/si-dmp-server/v2/services";

/// What the twin is started with.
#[derive(Debug)]
pub struct Settings {
    /// The address to listen on; loopback unless told.
    pub listen: IpAddr,
    /// Port of the services, mutual TLS 1.2; 0 takes a free one.
    pub port: u16,
    /// Port of the page and the fault panel, plain HTTP on loopback; 0 takes a free one.
    pub page_port: u16,
    /// The twin's own folder.
    pub data: PathBuf,
    /// The authorities of the twins: the server's certificate is made there, clients' and signatures
    /// are checked against it.
    pub pki: Arc<TestPki>,
    /// More names of the host, in its certificate.
    pub names: Vec<String>,
    /// Values of the vendor kit.
    pub kit: Kit,
    /// What is refused beyond doubt.
    pub strictness: Strictness,
    /// Who has which DMP.
    pub people: People,
    /// How far the `IssueInstant` of a VIHF may be from our clock. The DMP's value is UNKNOWN.
    pub window: Duration,
    /// Largest request, in bytes. The DMP's value is UNKNOWN.
    pub request_bytes: usize,
    /// How long the faults `slow` and `timeout-after-commit` wait.
    pub slowness: Duration,
}

impl Settings {
    /// On loopback, free ports, the people of the program, strict.
    #[must_use]
    pub fn new(pki: Arc<TestPki>, data: PathBuf) -> Self {
        Self {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            page_port: 0,
            data,
            pki,
            names: Vec::new(),
            kit: Kit::built_in(),
            strictness: Strictness::Strict,
            people: People::official(),
            window: Duration::from_secs(5 * 60),
            request_bytes: 100 << 20,
            slowness: Duration::from_secs(30),
        }
    }
}

/// Strict refuses what the texts forbid; lenient takes what is seen in the field, and logs each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// By the texts.
    #[default]
    Strict,
    /// As observed: SOAP 1.1 envelopes, `Authentification_Mode`, SHA-1, parentheses out of place, codes
    /// that are in no published list, documents inline.
    Lenient,
}

/// A twin that listens until the order to stop.
#[derive(Debug)]
pub struct Running {
    /// The base of the services: `https://localhost:<port>/si-dmp-server/v2/services`.
    pub url: String,
    /// `http://127.0.0.1:<port>/`.
    pub page: String,
    /// The fault panel.
    pub panel: Arc<Panel>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Running {
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
/// [`TwinError`]: a port taken, keys that cannot be made, a folder that cannot be opened.
pub async fn start(settings: Settings, shutdown: Shutdown) -> Result<Running, TwinError> {
    let door = Door::open(settings.listen, settings.port).await?;
    let page_door = Door::open(IpAddr::V4(Ipv4Addr::LOCALHOST), settings.page_port).await?;
    let url = format!("https://localhost:{}{BASE}", door.port());
    let page = format!("http://127.0.0.1:{}/", page_door.port());
    let (store, tls) = prepare(&settings).await?;
    let panel = Arc::new(Panel::new(settings.slowness));
    let twin = Arc::new(Twin {
        url: url.clone(),
        gate: Gate::new(settings.pki.anchors().clone(), settings.window, settings.strictness),
        state: State::new(Arc::new(store)),
        people: settings.people,
        kit: settings.kit,
        strictness: settings.strictness,
        request_bytes: settings.request_bytes,
        panel: Arc::clone(&panel),
    });
    let services = service::router(Arc::clone(&twin));
    let pages = Router::new()
        .route("/", get(page::show))
        .route("/faults", get(panel::list).delete(panel::disarm_all))
        .route("/faults/{name}", delete(panel::disarm).post(panel::arm))
        .with_state(twin);
    let tasks = vec![
        tokio::spawn(serve(door.listener, Some(tls), services, shutdown.clone())),
        tokio::spawn(serve(page_door.listener, None, pages, shutdown)),
    ];
    Ok(Running { url, page, panel, tasks })
}

/// Keys and files are read where blocking is allowed.
async fn prepare(settings: &Settings) -> Result<(SqliteStore, Arc<socle_trust::ServerConfig>), TwinError> {
    let (pki, names, data) = (Arc::clone(&settings.pki), settings.names.clone(), settings.data.clone());
    let work = move || {
        let store = SqliteStore::open(&data, Options::default())?;
        let credentials = pki.credentials("dmp-server", &Profile::Server { names })?;
        // The LPS access lists TLS 1.2 alone (PDT-INF-579v4).
        let tls = server_config(&credentials, ClientAuth::Required(pki.anchors()), Versions::Tls12)?;
        Ok((store, tls))
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| TwinError::Interrupted)?
}

/// Why the twin does not start.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// The port is taken, or not ours to take.
    #[error("the DMP twin {0}")]
    Listen(#[from] CannotListen),
    /// The server's keys.
    #[error("the DMP twin: {0}")]
    Pki(#[from] PkiError),
    /// TLS does not take them.
    #[error("the DMP twin: {0}")]
    Tls(#[from] TlsError),
    /// The folder.
    #[error("the DMP twin: {0}")]
    Store(#[from] StoreError),
    /// The process is stopping.
    #[error("the DMP twin was interrupted while it started")]
    Interrupted,
}
