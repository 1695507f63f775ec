//! We are an operator of the espace de confiance MSSanté, and Mon espace santé behind it: SMTP submission, IMAP, a
//! page. *Jumeau local non officiel, sans lien avec l'ANS, la CNAM ni le GIE SESAM-Vitale ; ne vaut ni
//! homologation ni référencement.*
//!
//! Enter by [`start`]. A mail meets, in this order: TLS, authentication of the mailbox ([`Owner`]), the sender, the
//! liste blanche and the mailbox of each recipient, size and form of the message, the disk; then it is answered
//! `250`. In order here: settings, starting, what runs.
//!
//! Absent on purpose: relaying to another operator, antivirus, quotas, and any mail that leaves this machine.

mod access;
mod change;
mod folders;
mod imap;
mod listen;
mod mime;
mod office;
mod page;
mod receive;
mod seed;
mod smtp;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::ServerConfig;
use socle_identity::{Domain, Environment, EnvironmentMix, MssAddress, MssAddressError};
use socle_store::{Options, SqliteStore, Store, StoreError};
use socle_trust::https::{CannotListen, Door};
use socle_trust::pki::{Organisation, PkiError, Profile, TestPki};
use socle_trust::tls::{ClientAuth, TlsError, Versions, server_config};
use socle_trust::token::Verifier;
use socle_trust::{Credentials, Shutdown};
use tokio::task::JoinHandle;

pub use seed::{HOSPITAL_A, Owner, Seed, TEST_PASSWORD, seeds};

use crate::model::WhiteList;
use crate::wire::white_list;
use access::Access;
use listen::Service;
use office::{Office, Writer};
use page::Page;
use smtp::Operator;

/// Every page and document of a twin says this.
pub const UNOFFICIAL: &str = "jumeau local non officiel, sans lien avec l'ANS, la CNAM ni le GIE SESAM-Vitale ; ne vaut ni homologation ni référencement";

/// The common name of the certificate that signs the twin's liste blanche.
pub const LIST_SIGNER: &str = "alb.mssante.test";

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
    /// More names of the operator's host, in its certificate; the first one is what it calls itself.
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
    /// The page, plain HTTP on loopback.
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

/// Where the twin listens.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
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

/// A twin that runs until the order to stop.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addresses: Addresses,
    /// What [`crate::client::Settings`] takes: `smtp://localhost:<port>`.
    pub submission_url: String,
    /// `http://127.0.0.1:<port>/`.
    pub page: String,
    /// The list that clients check recipients against; also served, signed, at `<page>listeblanchemssante.xml`.
    pub white_list: WhiteList,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Returns when the twin has stopped and its folder is closed.
    pub async fn stopped(self) {
        for task in self.tasks {
            // A task that was aborted has ended as well.
            let _ = task.await;
        }
    }
}

/// Starts the twin.
///
/// # Errors
/// [`TwinError`]: a port taken, a folder that cannot be used, keys that cannot be made, a mailbox that is not of the
/// twins.
pub async fn start(settings: Settings, shutdown: Shutdown) -> Result<Running, TwinError> {
    let doors = Doors::open(&settings).await?;
    let addresses = doors.addresses();
    let host = settings.names.first().cloned().unwrap_or_else(|| "localhost".to_owned());
    let prepared = prepare(&settings).await?;
    let white_list = listed(&settings.mailboxes, &prepared.operator)?;
    let list = white_list::write(&white_list, Timestamp::now(), &prepared.list_signer)?;
    let store: Arc<dyn Store> = Arc::new(prepared.store);
    let has_tokens = settings.tokens.is_some();
    let (office, writer) = Office::open(store, settings.mailboxes).await?;
    let office = Arc::new(office);
    let page = Page { office: Arc::clone(&office), addresses, list, has_tokens };
    let access = Access { office, tokens: settings.tokens };
    let operator = Operator { host, list: white_list.clone(), access, shutdown: shutdown.clone() };
    let tasks = doors.serve(Arc::new(operator), &prepared.tls, page, writer, shutdown);
    Ok(Running {
        submission_url: format!("smtp://localhost:{}", addresses.submission.port()),
        page: format!("http://127.0.0.1:{}/", addresses.page.port()),
        addresses,
        white_list,
        tasks,
    })
}

struct Doors {
    submission: Door,
    submissions: Door,
    imap: Door,
    imaps: Door,
    page: Door,
}

impl Doors {
    async fn open(settings: &Settings) -> Result<Self, TwinError> {
        let (ip, ports) = (settings.listen, settings.ports);
        Ok(Self {
            submission: Door::open(ip, ports.submission).await?,
            submissions: Door::open(ip, ports.submissions).await?,
            imap: Door::open(ip, ports.imap).await?,
            imaps: Door::open(ip, ports.imaps).await?,
            page: Door::open(IpAddr::V4(Ipv4Addr::LOCALHOST), ports.page).await?,
        })
    }

    const fn addresses(&self) -> Addresses {
        Addresses {
            submission: self.submission.address,
            submissions: self.submissions.address,
            imap: self.imap.address,
            imaps: self.imaps.address,
            page: self.page.address,
        }
    }

    /// The writer ends when the last of the others has let go of the office.
    fn serve(
        self,
        operator: Arc<Operator>,
        tls: &Arc<ServerConfig>,
        page: Page,
        writer: Writer,
        shutdown: Shutdown,
    ) -> Vec<JoinHandle<()>> {
        let mail = [
            (self.submission, Service::Submission),
            (self.submissions, Service::Submissions),
            (self.imap, Service::Imap),
            (self.imaps, Service::Imaps),
        ];
        let mail = mail.map(|(door, service)| {
            tokio::spawn(listen::serve(door.listener, service, Arc::clone(&operator), Arc::clone(tls)))
        });
        let page = page::router(Arc::new(page));
        let page = tokio::spawn(socle_trust::https::serve(self.page.listener, None, page, shutdown));
        mail.into_iter().chain([page, tokio::spawn(writer.run())]).collect()
    }
}

/// What reads files and makes keys.
struct Prepared {
    operator: Credentials,
    list_signer: Credentials,
    tls: Arc<ServerConfig>,
    store: SqliteStore,
}

/// Done where blocking is allowed.
async fn prepare(settings: &Settings) -> Result<Prepared, TwinError> {
    let (pki, data, names) = (Arc::clone(&settings.pki), settings.data.clone(), settings.names.clone());
    let work = move || {
        let signer = Organisation {
            cn: LIST_SIGNER.to_owned(),
            id: HOSPITAL_A.parse().map_err(|_| TwinError::Interrupted)?,
            name: "SOCLE JUMEAU NON OFFICIEL".to_owned(),
            department: "Paris (75)".to_owned(),
        };
        let wanted = [("mss-operator", Profile::Server { names }), ("mss-liste-blanche", Profile::OrgSign(signer))];
        let mut made = pki.credentials_for(&wanted)?.into_iter();
        let (Some(operator), Some(list_signer)) = (made.next(), made.next()) else {
            return Err(TwinError::Interrupted);
        };
        let tls = server_config(&operator, ClientAuth::Optional(pki.anchors()), Versions::Both)?;
        let store = SqliteStore::open(&data, Options::default())?;
        Ok(Prepared { operator, list_signer, tls, store })
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| TwinError::Interrupted)?
}

/// The list that the operator of these authorities serves for [`seeds`], for a client in another process. Makes the
/// operator's certificate when nobody has yet: call it where blocking is allowed.
///
/// # Errors
/// [`TwinError::Pki`] when it cannot be made.
pub fn seeded_white_list(pki: &TestPki) -> Result<WhiteList, TwinError> {
    let operator = pki.credentials("mss-operator", &Profile::Server { names: Vec::new() })?;
    listed(&seeds(), &operator)
}

/// Every domain of a mailbox, and the citizens': all are this operator's.
fn listed(mailboxes: &[Seed], operator: &Credentials) -> Result<WhiteList, TwinError> {
    let patients = MssAddress::PATIENT_DOMAIN.parse::<Domain>()?;
    let domains = mailboxes.iter().map(|seed| seed.address.domain()).chain([patients]);
    let name = operator.certificate().subject();
    Ok(WhiteList::new(Environment::Jumeau, domains.map(|domain| (domain, name.clone())))?)
}

/// Why the twin does not start.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// A port is taken or not allowed.
    #[error("MSSanté twin: {0}")]
    Listen(#[from] CannotListen),
    /// Its certificate cannot be made.
    #[error("MSSanté twin: {0}")]
    Pki(#[from] PkiError),
    /// TLS cannot be set up.
    #[error("MSSanté twin: {0}")]
    Tls(#[from] TlsError),
    /// Its folder cannot be used, or is damaged.
    #[error("MSSanté twin: {0}")]
    Store(#[from] StoreError),
    /// The liste blanche cannot be signed.
    #[error("MSSanté twin: {0}")]
    List(#[from] white_list::SignError),
    /// A configured mailbox does not live under `.test`.
    #[error("MSSanté twin: {0}")]
    Environment(#[from] EnvironmentMix),
    /// A domain cannot be written.
    #[error("MSSanté twin: {0}")]
    Domain(#[from] MssAddressError),
    /// The program was stopping.
    #[error("MSSanté twin: stopped while starting")]
    Interrupted,
}
