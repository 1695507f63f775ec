//! We are INSi: SOAP 1.2 over mutual TLS at `/lps`, its WSDL at `/lps?wsdl`, and a page for people.
//! *Jumeau local non officiel, sans lien avec l'ANS, la CNAM ni le GIE SESAM-Vitale ; ne vaut ni
//! homologation ni référencement.*
//!
//! Enter by [`start`]. A request meets, in this order: the certificate (any of the twins' authorities,
//! else no connection), HTTP, SOAP, WS-Addressing, the schemas, the authorisation number, the name of
//! the certificate, the traits, the search. What is faithful and what is ours is said by the page.
//!
//! Keeps nothing: the persons are in the program or in a CSV file read at start. Absent on purpose:
//! the access by CPS or Pro Santé Connect (signed assertion), WS_INS1, verification (WS_INS3 to 5).

mod page;
mod population;
mod refusal;
mod rules;
mod service;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use socle_trust::Shutdown;
use socle_trust::https::{CannotListen, Door, serve};
use socle_trust::pki::{PkiError, Profile, TestPki};
use socle_trust::tls::{ClientAuth, TlsError, Versions, server_config};

pub use population::{Person, Population, PopulationError, Scenario};
pub use rules::FieldCodes;

use rules::Admission;
use service::Twin;

/// Every page and document of a twin says this.
pub const UNOFFICIAL: &str = "jumeau local non officiel, sans lien avec l'ANS, la CNAM ni le GIE SESAM-Vitale ; ne vaut ni homologation ni référencement";

/// The authorisation number (IDAM) that the twin knows by itself, and that Socle's own client sends.
pub const IDAM: &str = "SOCLE-JUMEAU-0001";

/// What the twin is started with.
#[derive(Debug)]
pub struct Settings {
    /// The address to listen on; loopback unless told.
    pub listen: IpAddr,
    /// Port of `/lps`, mutual TLS; 0 takes a free one.
    pub port: u16,
    /// Port of the page, plain HTTP on loopback; 0 takes a free one.
    pub page_port: u16,
    /// The authorities of the twins: the server's certificate is made there, clients' are checked
    /// against it.
    pub pki: Arc<TestPki>,
    /// More names of the host, in its certificate.
    pub names: Vec<String>,
    /// Authorisation numbers known besides [`IDAM`].
    pub authorised: Vec<String>,
    /// The codes of `siram_10`.
    pub codes: FieldCodes,
    /// A CSV file of more persons.
    pub population: Option<PathBuf>,
}

impl Settings {
    /// On loopback, free ports, the persons of the program.
    #[must_use]
    pub fn new(pki: Arc<TestPki>) -> Self {
        Self {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            page_port: 0,
            pki,
            names: Vec::new(),
            authorised: Vec::new(),
            codes: FieldCodes::default(),
            population: None,
        }
    }
}

/// A twin that listens until the order to stop.
#[derive(Debug)]
pub struct Running {
    /// `https://localhost:<port>/lps`.
    pub url: String,
    /// `http://127.0.0.1:<port>/`.
    pub page: String,
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
/// [`TwinError`]: a port taken, keys that cannot be made, a population that does not read.
pub async fn start(settings: Settings, shutdown: Shutdown) -> Result<Running, TwinError> {
    let door = Door::open(settings.listen, settings.port).await?;
    let page_door = Door::open(IpAddr::V4(Ipv4Addr::LOCALHOST), settings.page_port).await?;
    let url = format!("https://localhost:{}/lps", door.port());
    let page = format!("http://127.0.0.1:{}/", page_door.port());
    let (population, tls) = prepare(&settings).await?;
    let mut authorised = settings.authorised;
    authorised.push(IDAM.to_owned());
    let twin =
        Arc::new(Twin { url: url.clone(), population, admission: Admission { authorised, codes: settings.codes } });
    let service = service::router(Arc::clone(&twin));
    let pages = Router::new().route("/", get(page::show)).with_state(twin);
    let tasks = vec![
        tokio::spawn(serve(door.listener, Some(tls), service, shutdown.clone())),
        tokio::spawn(serve(page_door.listener, None, pages, shutdown)),
    ];
    Ok(Running { url, page, tasks })
}

/// Keys and files are read where blocking is allowed.
async fn prepare(settings: &Settings) -> Result<(Population, Arc<socle_trust::ServerConfig>), TwinError> {
    let (pki, names, file) = (Arc::clone(&settings.pki), settings.names.clone(), settings.population.clone());
    let work = move || {
        let mut population = Population::official();
        if let Some(file) = file {
            population.load(&file)?;
        }
        let credentials = pki.credentials("insi-server", &Profile::Server { names })?;
        let tls = server_config(&credentials, ClientAuth::Required(pki.anchors()), Versions::Both)?;
        Ok((population, tls))
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| TwinError::Interrupted)?
}

/// Why the twin does not start.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// The port is taken, or not ours to take.
    #[error("INSi twin: {0}")]
    Listen(#[from] CannotListen),
    /// Keys and certificates.
    #[error("INSi twin: {0}")]
    Pki(#[from] PkiError),
    /// TLS cannot be set up.
    #[error("INSi twin: {0}")]
    Tls(#[from] TlsError),
    /// The file of persons.
    #[error("INSi twin: {0}")]
    Population(#[from] PopulationError),
    /// The program was stopping.
    #[error("INSi twin: stopped while starting")]
    Interrupted,
}
