//! The platform put together: store, clients of the national services, gateway, front door.
//!
//! Order: starting, what runs, then one function per part. Everything here happens once, at start; a
//! part that cannot work says so before the first request.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use socle_finding::Lang;
use socle_gateway::{Gateway, Services};
use socle_identity::Environment;
use socle_mss::wire::white_list;
use socle_prosante::client::{Authentication, Bearer, BearerSettings};
use socle_rest::{Base, Validation};
use socle_server::{Application, Authenticator, ConsoleSettings, Door, DoorSettings};
use socle_store::{Digest, Options, SqliteStore, Store};
use socle_trust::https::{ClientLimits, serve};
use socle_trust::pki::{Organisation, Profile, TestPki};
use socle_trust::tls::{ClientAuth, Versions, server_config};
use socle_trust::token::{Expected, Issuer, SigningKey, TokenKind, Verifier};
use socle_trust::{Anchors, Credentials, Shutdown};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::config::{self, Config, Endpoint, check_lock};
use crate::trouble::{OrTrouble as _, Trouble};
use crate::twins::{self, Name, Twins};

/// What other software needs to meet the twins: client certificates by the profiles that the services
/// ask for, and the authorities; the files' names in the folder of the test PKI.
pub(crate) async fn make_client_files(config: &Config, pki: &Arc<TestPki>) -> Result<Vec<String>> {
    let (folder, pki) = (config.pki_folder(), Arc::clone(pki));
    let auth = |cn: &str| Profile::OrgAuthCli(organisation(config, cn));
    let wanted = [
        ("insi-auto", auth("INSI-AUTO")),
        ("dmp-auth-cli", auth("SOCLE")),
        ("dmp-sign", Profile::OrgSign(organisation(config, "SOCLE"))),
        ("mss-auth-cli", auth("SOCLE")),
    ];
    let names = wanted.iter().map(|(name, _)| (*name).to_owned()).chain(["anchors.pem".to_owned()]).collect();
    tokio::task::spawn_blocking(move || -> Result<()> {
        pki.credentials_for(&wanted)?;
        std::fs::write(folder.join("anchors.pem"), pki.anchors().to_pem())?;
        Ok(())
    })
    .await??;
    Ok(names)
}

/// The application that the command line is, for the front door.
pub(crate) const CLI_CLIENT: &str = "socle-cli";
const CLI_COMMON_NAME: &str = "SOCLE-CLI";

/// A platform that runs.
pub(crate) struct Platform {
    pub gateway: Arc<Gateway>,
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    pub twins: Twins,
    store: Arc<SqliteStore>,
    tasks: Vec<JoinHandle<()>>,
}

/// Where things are that a configuration may leave to chance.
struct Addresses {
    issuer: String,
    ins: String,
    dmp: String,
    submission: String,
}

impl Platform {
    /// Starts everything that the configuration asks for.
    pub(crate) async fn start(config: &Config, lang: Lang, shutdown: &Shutdown) -> Result<Self> {
        refuse_mixed_environments(config)?;
        let pki = match config.environment {
            Environment::Jumeau => Some(open_pki(config).await?),
            Environment::BacASable | Environment::Production => None,
        };
        if let Some(pki) = &pki {
            make_client_files(config, pki).await?;
        }
        let plain = bind(config.server.listen, "server.listen").await?;
        let tls = bind(config.server.listen_tls, "server.listen_tls").await?;
        let twins = match &pki {
            Some(pki) => Twins::start(config, pki, &wanted_twins(config), shutdown).await?,
            None => Twins::default(),
        };
        let addresses = Addresses::of(config, &twins)?;
        let (plain_at, tls_at) = (plain.local_addr()?, tls.local_addr()?);
        let store = open_store(config).await?;
        let parts = Parts { config, pki: pki.as_deref(), addresses: &addresses };
        let gateway = Arc::new(Gateway::open(
            parts.gateway_settings(),
            parts.services(&twins)?,
            Arc::clone(&store) as Arc<dyn Store>,
            &config.data,
        )?);
        let door = Door::open(
            Arc::clone(&gateway),
            parts.bases(plain_at, lang, &store)?,
            parts.authenticator(tls_at)?,
            parts.door_settings(plain_at, tls_at, lang)?,
        );
        let server_tls = server_config(
            &parts.server_credentials()?,
            ClientAuth::Optional(&parts.client_anchors()?),
            Versions::Both,
        )?;
        let tasks = vec![
            tokio::spawn(serve(plain, None, door.plain(), shutdown.clone())),
            tokio::spawn(serve(tls, Some(server_tls), door.tls(), shutdown.clone())),
            tokio::spawn(Arc::clone(&gateway).dispatch(shutdown.clone())),
            tokio::spawn(sign_checkpoints(Arc::clone(&store), shutdown.clone())),
        ];
        Ok(Self { gateway, plain: plain_at, tls: tls_at, twins, store, tasks })
    }

    /// Gives the order to stop and waits for it to be done.
    pub(crate) async fn close(self, shutdown: &Shutdown) {
        shutdown.trigger();
        self.stopped().await;
    }

    /// Waits for everything to end after `shutdown`; the last word of the audit log is signed.
    pub(crate) async fn stopped(self) {
        for task in self.tasks {
            // A task that was aborted has ended as well.
            let _ = task.await;
        }
        if let Err(error) = self.store.audit_checkpoint().await {
            tracing::error!(%error, "the last checkpoint of the audit log could not be signed");
        }
        self.twins.stopped().await;
    }
}

/// Says all that mixes, then stops.
pub(crate) fn refuse_mixed_environments(config: &Config) -> Result<()> {
    let Err(breaches) = check_lock(config) else { return Ok(()) };
    let lines = |lang| {
        breaches.iter().map(|breach| format!("\n  {} : {}", breach.field, breach.reason.get(lang))).collect::<String>()
    };
    let trouble = Trouble::new(
        format!("la configuration mêle des environnements, ou s'expose trop :{}", lines(Lang::Fr)),
        format!("the configuration mixes environments, or exposes too much:{}", lines(Lang::En)),
    );
    Err(trouble.mend("un seul environnement par configuration", "one environment per configuration").into())
}

/// The test PKI, made at the first start.
pub(crate) async fn open_pki(config: &Config) -> Result<Arc<TestPki>> {
    let folder = config.pki_folder();
    let shown = folder.display().to_string();
    let opened = tokio::task::spawn_blocking(move || TestPki::open_or_create(&folder)).await?;
    Ok(Arc::new(opened.or_trouble(|| {
        Trouble::new(
            format!("la PKI de test ne peut pas être ouverte dans {shown}"),
            format!("the test PKI cannot be opened in {shown}"),
        )
        .mend(
            "donnez à cet utilisateur le droit d'écrire dans le dossier de données, ou choisissez-en un autre (data = …)",
            "give this user the right to write in the data folder, or choose another one (data = …)",
        )
    })?))
}

/// The twins that serve in this process.
fn wanted_twins(config: &Config) -> Vec<Name> {
    let each = [
        (Name::ProSante, &config.prosante.endpoint),
        (Name::Ins, &config.ins.endpoint),
        (Name::Dmp, &config.dmp.endpoint),
        (Name::Mss, &config.mss.endpoint),
    ];
    each.into_iter().filter(|(_, endpoint)| **endpoint == Endpoint::Twin).map(|(name, _)| name).collect()
}

async fn bind(address: SocketAddr, field: &str) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await.or_trouble(|| {
        Trouble::new(
            format!("{field} : {address} ne peut pas être ouvert"),
            format!("{field}: {address} cannot be opened"),
        )
        .mend(
            format!("une plateforme tourne peut-être déjà ; sinon choisissez un autre port ({field} = …)"),
            format!("a platform may be running already; otherwise choose another port ({field} = …)"),
        )
    })?;
    Ok(bound)
}

async fn open_store(config: &Config) -> Result<Arc<SqliteStore>> {
    let folder = config.data.join("store");
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&folder, Options::default())).await?;
    Ok(Arc::new(opened?))
}

/// Signs the audit log every minute in which something happened.
async fn sign_checkpoints(store: Arc<SqliteStore>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.triggered() => return,
            () = tokio::time::sleep(Duration::from_secs(60)) => {}
        }
        if let Err(error) = store.audit_checkpoint().await {
            tracing::error!(%error, "a checkpoint of the audit log could not be signed");
        }
    }
}

impl Addresses {
    fn of(config: &Config, twins: &Twins) -> Result<Self> {
        let missing = |name: &str| {
            Trouble::new(format!("{name} : aucun jumeau ne sert ici"), format!("{name}: no twin serves here"))
        };
        let pick = |endpoint: &Endpoint, twin: Option<String>, name: &str| -> Result<String, Trouble> {
            match endpoint {
                Endpoint::At(address) => Ok(address.clone()),
                Endpoint::Twin => twin.ok_or_else(|| missing(name)),
            }
        };
        let submission = pick(&config.mss.endpoint, twins.mss.as_ref().map(|twin| twin.submission_url.clone()), "mss")?;
        Ok(Self {
            issuer: pick(
                &config.prosante.endpoint,
                twins.prosante.as_ref().map(|twin| twin.issuer.clone()),
                "prosante",
            )?,
            ins: pick(&config.ins.endpoint, twins.ins.as_ref().map(|twin| twin.url.clone()), "ins")?,
            dmp: pick(&config.dmp.endpoint, twins.dmp.as_ref().map(|twin| twin.url.clone()), "dmp")?,
            submission: if submission.contains("://") { submission } else { format!("smtp://{submission}") },
        })
    }
}

/// What the parts are made of.
struct Parts<'a> {
    config: &'a Config,
    pki: Option<&'a TestPki>,
    addresses: &'a Addresses,
}

impl Parts<'_> {
    fn gateway_settings(&self) -> socle_gateway::Settings {
        let config = self.config;
        socle_gateway::Settings {
            environment: config.environment,
            system: "socle".to_owned(),
            structure: config.structure.id.clone(),
            structure_name: config.structure.name.clone(),
            mss_product: config.software.mss_product.clone(),
            mailbox: config.mss.mailbox.clone(),
            mailbox_label: config.mss.label.clone(),
            insi_answer_valid: Duration::from_secs(config.dispatch.insi_answer_valid_h * 3600),
            workers: config.dispatch.workers,
            first_wait: Duration::from_secs(config.dispatch.first_wait_s),
            longest_wait: Duration::from_secs(config.dispatch.longest_wait_s),
            max_attempts: config.dispatch.max_attempts,
        }
    }

    fn services(&self, twins: &Twins) -> Result<Services> {
        Ok(Services { ins: self.ins()?, dmp: self.dmp()?, mss: self.mss()?, white_list: self.white_list(twins)? })
    }

    fn ins(&self) -> Result<socle_ins::client::Client> {
        let config = self.config;
        let software = socle_ins::wire::Software {
            idam: config.software.insi_authorisation.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: instance_of(&config.data)?,
            name: format!("urn:lps:socle:{}", env!("CARGO_PKG_VERSION")),
        };
        let client = socle_ins::client::Client::new(socle_ins::client::Settings {
            url: self.addresses.ins.clone(),
            environment: config.environment,
            credentials: self.credentials(
                "insi-auto",
                "INSI-AUTO",
                config.ins.credentials.as_ref(),
                "ins.credentials",
                false,
            )?,
            anchors: self.anchors(config.ins.anchors.as_deref(), "ins.anchors")?,
            software,
            patience: socle_ins::client::Patience::default(),
        });
        client.context("ins")
    }

    fn dmp(&self) -> Result<socle_dmp::client::Client> {
        let config = self.config;
        let client = socle_dmp::client::Client::new(socle_dmp::client::Settings {
            base_url: self.addresses.dmp.clone(),
            environment: config.environment,
            tls: self.credentials(
                "dmp-auth-cli",
                "SOCLE",
                config.dmp.credentials.as_ref(),
                "dmp.credentials",
                false,
            )?,
            seal: self.credentials("dmp-sign", "SOCLE", config.dmp.seal.as_ref(), "dmp.seal", true)?,
            anchors: self.anchors(config.dmp.anchors.as_deref(), "dmp.anchors")?,
            structure: socle_dmp::model::Structure {
                id: config.structure.id.clone(),
                sector: config.structure.sector.clone(),
            },
            software: socle_dmp::model::Software {
                id: instance_of(&config.data)?.to_string(),
                name: "Socle".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                homologation: config.software.dmp_homologation.clone(),
            },
            kit: socle_dmp::wire::Kit::built_in(),
            algorithm: socle_xml::signature::Algorithm::RsaSha256,
            limits: ClientLimits::default(),
        });
        client.context("dmp")
    }

    fn mss(&self) -> Result<socle_mss::client::Client> {
        let config = self.config;
        let client = socle_mss::client::Client::new(socle_mss::client::Settings {
            url: self.addresses.submission.parse().context("mss.endpoint")?,
            environment: config.environment,
            anchors: self.anchors(config.mss.anchors.as_deref(), "mss.anchors")?,
            credentials: Some(self.credentials(
                "mss-auth-cli",
                "SOCLE",
                config.mss.credentials.as_ref(),
                "mss.credentials",
                false,
            )?),
            name: "[127.0.0.1]".to_owned(),
            timeouts: socle_mss::client::Timeouts::default(),
            connections_max: config.dispatch.workers.max(1),
        });
        client.context("mss")
    }

    fn white_list(&self, twins: &Twins) -> Result<socle_mss::model::WhiteList> {
        if let Some(twin) = &twins.mss {
            return Ok(twin.white_list.clone());
        }
        match (&self.config.mss.white_list, self.pki) {
            (Some(file), _) => self.national_white_list(file),
            (None, Some(pki)) => twins::white_list(pki),
            (None, None) => Err(Trouble::missing(
                "mss.white_list",
                "un exemplaire de listeblanchemssante.xml",
                "a copy of listeblanchemssante.xml",
            )
            .into()),
        }
    }

    /// The list of the espace de confiance, once its signature is proven.
    fn national_white_list(&self, file: &Path) -> Result<socle_mss::model::WhiteList> {
        let bytes = std::fs::read(file).with_context(|| format!("mss.white_list : {}", file.display()))?;
        let anchors = self.anchors(self.config.mss.anchors.as_deref(), "mss.anchors")?;
        let trust = white_list::signed_by(&anchors, white_list::NATIONAL_SIGNER, Timestamp::now());
        let signed = white_list::read(&bytes, self.config.environment, &trust)
            .with_context(|| format!("mss.white_list : {}", file.display()))?;
        if signed.left_out > 0 {
            tracing::warn!(left_out = signed.left_out, "entries of the liste blanche were left out");
        }
        Ok(signed.list)
    }

    fn authenticator(&self, tls: SocketAddr) -> Result<Authenticator> {
        let config = self.config;
        let issuer_name = format!("https://localhost:{}/oauth", tls.port());
        let issuer = Arc::new(Issuer::new(&issuer_name, SigningKey::open_or_create(&config.data.join("token.key"))?));
        let mut audiences = config.prosante.audiences.clone();
        audiences.push(config.prosante.client_id.clone());
        let professionals = Bearer::new(BearerSettings {
            issuer: self.addresses.issuer.clone(),
            environment: config.environment,
            anchors: self.anchors(config.prosante.anchors.as_deref(), "prosante.anchors")?,
            audiences,
        })
        .context("prosante")?;
        let expected = Expected { issuer: issuer_name, audiences: vec![fhir_base(tls)], kind: TokenKind::Access };
        Ok(Authenticator {
            structure: config.structure.id.clone(),
            environment: config.environment,
            ours: Verifier::new(expected, Arc::clone(&issuer)),
            issuer,
            applications: applications(config),
            professionals,
        })
    }

    /// The structure's own FHIR base.
    fn bases(&self, plain: SocketAddr, lang: Lang, store: &Arc<SqliteStore>) -> Result<HashMap<String, Base>> {
        let config = self.config;
        let settings = socle_rest::Settings {
            tenant: format!("r4.{BASE}"),
            url: format!("http://{plain}/r4/{BASE}"),
            structure: config.structure.id.clone(),
            environment: config.environment,
            system: "socle".to_owned(),
            validation: Validation::Strict,
            lang,
            page_key: page_key(&config.data)?,
            description: if config.uses_twins() { twins::NOTICE } else { "Socle" }.to_owned(),
        };
        let base = Base::new(settings, Arc::clone(store) as Arc<dyn Store>)?;
        Ok(HashMap::from([(BASE.to_owned(), base)]))
    }

    fn door_settings(&self, plain: SocketAddr, tls: SocketAddr, lang: Lang) -> Result<DoorSettings> {
        let config = self.config;
        let origin = format!("http://{plain}");
        let client = socle_prosante::client::Client::new(socle_prosante::client::Settings {
            issuer: self.addresses.issuer.clone(),
            environment: config.environment,
            anchors: self.anchors(config.prosante.anchors.as_deref(), "prosante.anchors")?,
            client_id: config.prosante.client_id.clone(),
            authentication: self.console_secret()?,
            redirect_uri: format!("{origin}/login/callback"),
            post_logout_redirect_uri: Some(format!("{origin}/logout/callback")),
        });
        Ok(DoorSettings {
            base: fhir_base(tls),
            plain_base: format!("{origin}/fhir"),
            lang,
            body_max: config.server.body_max_mb * 1024 * 1024,
            notice: config.uses_twins().then_some(twins::NOTICE),
            console: ConsoleSettings {
                client: Arc::new(client.context("prosante")?),
                title: config.structure.name.clone(),
            },
        })
    }

    fn console_secret(&self) -> Result<Authentication> {
        if let Some(file) = &self.config.prosante.client_secret_file {
            let secret = std::fs::read_to_string(file)
                .with_context(|| format!("prosante.client_secret_file : {}", file.display()))?;
            return Ok(Authentication::Secret(secret.trim().to_owned()));
        }
        match self.config.environment {
            Environment::Jumeau => Ok(Authentication::Secret(socle_prosante::twin::CONSOLE.secret.to_owned())),
            _ => Err(Trouble::missing(
                "prosante.client_secret_file",
                "le fichier qui contient le secret du client",
                "the file that holds the client's secret",
            )
            .into()),
        }
    }

    fn server_credentials(&self) -> Result<Credentials> {
        match (self.pki, &self.config.server.certificate) {
            (_, Some(files)) => read_credentials(files, self.config.environment, "server.certificate"),
            (Some(pki), None) => Ok(pki.credentials("socle-server", &Profile::Server { names: Vec::new() })?),
            (None, None) => Err(missing_pair("server.certificate")),
        }
    }

    fn client_anchors(&self) -> Result<Anchors> {
        self.anchors(self.config.server.client_anchors.as_deref(), "server.client_anchors")
    }

    fn anchors(&self, file: Option<&Path>, field: &str) -> Result<Anchors> {
        match (file, self.pki) {
            (Some(file), _) => {
                Ok(Anchors::from_pem_files(&[file], self.config.environment).with_context(|| field.to_owned())?)
            }
            (None, Some(pki)) => Ok(pki.anchors().clone()),
            (None, None) => {
                Err(Trouble::missing(field, "les autorités du service, en PEM", "the service's authorities, in PEM")
                    .into())
            }
        }
    }

    fn credentials(
        &self,
        name: &str,
        cn: &str,
        files: Option<&config::Credentials>,
        field: &str,
        seal: bool,
    ) -> Result<Credentials> {
        match (files, self.pki) {
            (Some(files), _) => read_credentials(files, self.config.environment, field),
            (None, Some(pki)) => {
                let organisation = self.organisation(cn);
                let profile = if seal { Profile::OrgSign(organisation) } else { Profile::OrgAuthCli(organisation) };
                Ok(pki.credentials(name, &profile)?)
            }
            (None, None) => Err(missing_pair(field)),
        }
    }

    fn organisation(&self, cn: &str) -> Organisation {
        organisation(self.config, cn)
    }
}

fn organisation(config: &Config, cn: &str) -> Organisation {
    Organisation {
        cn: cn.to_owned(),
        id: config.structure.id.clone(),
        name: config.structure.name.clone(),
        department: "Paris (75)".to_owned(),
    }
}

fn read_credentials(files: &config::Credentials, environment: Environment, field: &str) -> Result<Credentials> {
    Credentials::from_pem_files(&files.certificate, &files.key, environment).with_context(|| field.to_owned())
}

fn missing_pair(field: &str) -> anyhow::Error {
    Trouble::missing(field, "certificate = … et key = … (PEM)", "certificate = … and key = … (PEM)").into()
}

/// The name of the structure's own FHIR base, in its address and in the store.
const BASE: &str = "main";

/// The key of the links between pages, derived from the key that signs tokens, which is made when there is none.
fn page_key(data: &Path) -> Result<[u8; 32]> {
    let file = data.join("token.key");
    SigningKey::open_or_create(&file)?;
    let secret = std::fs::read(&file).with_context(|| file.display().to_string())?;
    Ok(*Digest::of(&[b"links between pages", secret.as_slice()].concat()).as_bytes())
}

fn fhir_base(tls: SocketAddr) -> String {
    format!("https://localhost:{}/fhir", tls.port())
}

fn applications(config: &Config) -> Vec<Application> {
    let mut all: Vec<Application> = config
        .server
        .applications
        .iter()
        .map(|known| Application {
            id: known.id.clone(),
            name: known.name.clone(),
            common_name: known.certificate_cn.clone(),
        })
        .collect();
    if config.environment == Environment::Jumeau {
        all.push(Application {
            id: CLI_CLIENT.to_owned(),
            name: "socle (ligne de commande)".to_owned(),
            common_name: CLI_COMMON_NAME.to_owned(),
        });
    }
    all
}

/// The certificate with which the command line asks the front door for a token.
pub(crate) fn cli_credentials(config: &Config, pki: Option<&TestPki>) -> Result<Credentials> {
    match (&config.cli.credentials, pki) {
        (Some(files), _) => read_credentials(files, config.environment, "cli.credentials"),
        (None, Some(pki)) => {
            Ok(pki.credentials("socle-cli", &Profile::OrgAuthCli(organisation(config, CLI_COMMON_NAME)))?)
        }
        (None, None) => Err(missing_pair("cli.credentials")),
    }
}

/// This installation's own name for the national services, made once.
fn instance_of(data: &Path) -> Result<Uuid> {
    let file = data.join("instance");
    if let Ok(text) = std::fs::read_to_string(&file) {
        return text.trim().parse().with_context(|| file.display().to_string());
    }
    let instance = Uuid::new_v4();
    std::fs::create_dir_all(data).with_context(|| data.display().to_string())?;
    std::fs::write(&file, instance.to_string()).with_context(|| file.display().to_string())?;
    Ok(instance)
}
