//! `socle.toml`: what this installation is, and which service each part talks to.
//!
//! Order: the file's shape, reading it (file, then environment variables), the environment lock.
//! A configuration that mixes two environments is refused before anything starts: that a test
//! certificate or a twin's identity reaches a national service must not depend on anybody's care.

mod lock;
mod overrides;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use socle_finding::Text;
use socle_identity::{Environment, IdNatStruct, MssAddress};

pub(crate) use lock::check_lock;

/// The whole configuration. Every field has a default that makes an embedded platform whose
/// services are all twins.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// `jumeau`, `bac-a-sable` or `production`.
    pub environment: Environment,
    /// Where the platform keeps its state, and the twins theirs in `twins/`.
    pub data: PathBuf,
    /// The front door.
    pub server: Server,
    /// The structure that sends.
    pub structure: Structure,
    /// How the software names itself to the national services.
    pub software: Software,
    /// Pro Santé Connect.
    pub prosante: ProSante,
    /// INSi.
    pub ins: Service,
    /// DMP and Mon espace santé.
    pub dmp: Dmp,
    /// MSSanté.
    pub mss: Mss,
    /// How the command line reaches a running platform.
    pub cli: Cli,
    /// How the twins listen.
    pub twins: Twins,
    /// When queued work is tried again.
    pub dispatch: Dispatch,
}

/// The front door's addresses.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    /// Console and FHIR in plain HTTP; loopback only.
    pub listen: SocketAddr,
    /// FHIR, and tokens for applications, over TLS with client certificates.
    pub listen_tls: SocketAddr,
    /// Twins answer whoever reaches them: beside twins the front door stays on loopback unless
    /// this says that more is wanted.
    pub expose_with_twins: bool,
    /// Certificate and key of the TLS listener (PEM); made by the test PKI in `jumeau`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Credentials>,
    /// Anchors of the client certificates (PEM); the test PKI's in `jumeau`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_anchors: Option<PathBuf>,
    /// Largest request, in MB.
    pub body_max_mb: usize,
    /// The applications that may ask for a token with their certificate.
    pub applications: Vec<Application>,
}

/// An application of the structure.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    /// Its `client_id`.
    pub id: String,
    /// Its name, for the trace.
    pub name: String,
    /// The CN of its certificate.
    pub certificate_cn: String,
}

/// How the command line reaches a running platform.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cli {
    /// The front door (default: `server.listen_tls` of this configuration).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The certificate of a declared application; made by the test PKI in `jumeau`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// The anchors of the front door's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchors: Option<PathBuf>,
}

/// Who sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Structure {
    /// Its name.
    pub name: String,
    /// Its national identifier with the kind digit (`1` and a FINESS, `3` and a SIRET).
    pub id: IdNatStruct,
    /// Its sector of activity (`SAxx`).
    pub sector: String,
}

/// How the software names itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Software {
    /// INSi's authorisation number (IDAM), delivered by the CNDA.
    pub insi_authorisation: String,
    /// DMP homologation number.
    pub dmp_homologation: String,
    /// Product number of Convergence (`X-MSS-NIL`).
    pub mss_product: String,
}

/// A PEM certificate chain and its key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// The private key, PKCS#8.
    pub key: PathBuf,
}

/// A national service: its twin, or an address with what it takes to be known there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Service {
    /// `twin`, or the service's base address.
    pub endpoint: Endpoint,
    /// The TLS client certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// The anchors of the service's own certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchors: Option<PathBuf>,
}

/// Where a service is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Endpoint {
    /// Socle's own.
    #[default]
    Twin,
    /// An address.
    At(String),
}

impl From<String> for Endpoint {
    fn from(text: String) -> Self {
        if text == "twin" { Self::Twin } else { Self::At(text) }
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Twin => "twin".to_owned(),
            Endpoint::At(address) => address,
        }
    }
}

/// Pro Santé Connect.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProSante {
    /// `twin`, or the issuer.
    pub endpoint: Endpoint,
    /// The console's client identifier.
    pub client_id: String,
    /// A file that holds the client's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<PathBuf>,
    /// Clients whose tokens the front door takes, beside the console's.
    pub audiences: Vec<String>,
    /// The anchors of the issuer's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchors: Option<PathBuf>,
}

/// DMP and Mon espace santé.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Dmp {
    /// `twin`, or the base of the services (`https://…/si-dmp-server/v2/services`).
    pub endpoint: Endpoint,
    /// ORG_AUTH_CLI, for TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// ORG_SIGN, for the VIHF and the lot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal: Option<Credentials>,
    /// The anchors of the DMP's own certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchors: Option<PathBuf>,
}

/// MSSanté.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Mss {
    /// `twin`, or the operator's submission server (`host:port`).
    pub endpoint: Endpoint,
    /// The application mailbox that sends.
    pub mailbox: MssAddress,
    /// What recipients read beside it.
    pub label: String,
    /// ORG_AUTH_CLI of the mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// The anchors of the operator's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchors: Option<PathBuf>,
    /// A verified copy of the liste blanche.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub white_list: Option<PathBuf>,
}

/// The twins' addresses; port 0 takes a free one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Twins {
    /// The interface.
    pub address: std::net::IpAddr,
    /// Pro Santé Connect, back channel.
    pub prosante: u16,
    /// The wallet page, for browsers.
    pub wallet: u16,
    /// INSi.
    pub ins: u16,
    /// INSi's page.
    pub ins_page: u16,
    /// More persons for INSi, a CSV file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population: Option<PathBuf>,
    /// DMP.
    pub dmp: u16,
    /// The DMP's page and fault panel.
    pub dmp_page: u16,
    /// MSSanté submission, STARTTLS.
    pub submission: u16,
    /// MSSanté submission, TLS from the start.
    pub submissions: u16,
    /// IMAP, STARTTLS.
    pub imap: u16,
    /// IMAP, TLS from the start.
    pub imaps: u16,
    /// The MSSanté twin's page and liste blanche.
    pub mss_page: u16,
}

/// When queued work is tried again, and when it is given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Dispatch {
    /// How many deliveries run at once.
    pub workers: usize,
    /// The first wait after a failure, in seconds; doubled each time.
    pub first_wait_s: u64,
    /// The longest wait, in seconds.
    pub longest_wait_s: u64,
    /// After so many attempts a job is a dead letter.
    pub max_attempts: u32,
    /// For how many hours an answer of INSi is good for the next document of the same person (RNIV
    /// gives no number).
    pub insi_answer_valid_h: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            environment: Environment::Jumeau,
            data: PathBuf::from("socle-data"),
            server: Server::default(),
            structure: Structure::default(),
            software: Software::default(),
            prosante: ProSante::default(),
            ins: Service::default(),
            dmp: Dmp::default(),
            mss: Mss::default(),
            cli: Cli::default(),
            twins: Twins::default(),
            dispatch: Dispatch::default(),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            listen_tls: SocketAddr::from(([127, 0, 0, 1], 8443)),
            expose_with_twins: false,
            certificate: None,
            client_anchors: None,
            body_max_mb: 96,
            applications: Vec::new(),
        }
    }
}

impl Default for Structure {
    #[expect(clippy::expect_used, reason = "a constant that the type's own test reads")]
    fn default() -> Self {
        Self {
            name: "HOPITAL DES ESSAIS".to_owned(),
            id: "10B0000001".parse().expect("a Struct_IdNat"),
            sector: "SA01".to_owned(),
        }
    }
}

impl Default for Software {
    fn default() -> Self {
        Self {
            insi_authorisation: "SOCLE-JUMEAU-0001".to_owned(),
            dmp_homologation: "SOCLE-JUMEAU".to_owned(),
            mss_product: "SOCLE-JUMEAU".to_owned(),
        }
    }
}

impl Default for ProSante {
    fn default() -> Self {
        Self {
            endpoint: Endpoint::Twin,
            client_id: "socle-console".to_owned(),
            client_secret_file: None,
            audiences: vec!["socle-demo".to_owned()],
            anchors: None,
        }
    }
}

impl Default for Mss {
    #[expect(clippy::expect_used, reason = "a constant that the type's own test reads")]
    fn default() -> Self {
        Self {
            endpoint: Endpoint::Twin,
            mailbox: "socle@hopital-a.mssante.test".parse().expect("an address"),
            label: "Hopital des essais - Socle".to_owned(),
            credentials: None,
            anchors: None,
            white_list: None,
        }
    }
}

impl Default for Twins {
    fn default() -> Self {
        Self {
            address: std::net::IpAddr::from([127, 0, 0, 1]),
            prosante: 9443,
            wallet: 9080,
            ins: 9444,
            ins_page: 9082,
            population: None,
            dmp: 9445,
            dmp_page: 9083,
            submission: 9587,
            submissions: 9465,
            imap: 9143,
            imaps: 9993,
            mss_page: 9081,
        }
    }
}

impl Default for Dispatch {
    fn default() -> Self {
        Self { workers: 8, first_wait_s: 2, longest_wait_s: 900, max_attempts: 40, insi_answer_valid_h: 24 }
    }
}

impl Config {
    /// Reads the file, when there is one, then the `SOCLE_…` variables.
    ///
    /// # Errors
    /// [`ConfigError`] names the file or the variable, the field, and what was expected.
    pub(crate) fn load(
        file: Option<&Path>,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table = match file {
            Some(path) => read_table(path)?,
            None if Path::new("socle.toml").exists() => read_table(Path::new("socle.toml"))?,
            None => toml::Table::new(),
        };
        overrides::apply(&mut table, variables)?;
        let config: Self = table.try_into().map_err(|error: toml::de::Error| ConfigError::Shape(error.to_string()))?;
        Ok(config)
    }

    /// Is any service a twin?
    #[must_use]
    pub(crate) fn uses_twins(&self) -> bool {
        [&self.prosante.endpoint, &self.ins.endpoint, &self.dmp.endpoint, &self.mss.endpoint].contains(&&Endpoint::Twin)
    }

    /// The folder of the test PKI.
    #[must_use]
    pub(crate) fn pki_folder(&self) -> PathBuf {
        self.data.join("pki")
    }
}

fn read_table(path: &Path) -> Result<toml::Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    text.parse()
        .map_err(|error: toml::de::Error| ConfigError::NotToml { path: path.to_owned(), reason: error.to_string() })
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}: {reason}", path.display())]
    NotToml {
        /// Which one.
        path: PathBuf,
        /// What the parser said, with the place.
        reason: String,
    },
    /// A field is unknown or of another kind.
    #[error("the configuration is not of the expected form: {0}")]
    Shape(String),
    /// A variable does not name a field.
    #[error("the variable {name} names no field")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ConfigError {
    /// What happened, for a person.
    pub(crate) fn said(&self) -> Text {
        match self {
            Self::File { path, source } => Text::new(
                format!("la configuration {} ne peut pas être lue ({source})", path.display()),
                format!("the configuration {} cannot be read ({source})", path.display()),
            ),
            Self::NotToml { path, reason } => Text::new(
                format!("{} n'est pas du TOML :\n{reason}", path.display()),
                format!("{} is not TOML:\n{reason}", path.display()),
            ),
            Self::Shape(reason) => Text::new(
                format!("la configuration n'a pas la forme attendue :\n{reason}"),
                format!("the configuration is not of the expected form:\n{reason}"),
            ),
            Self::Variable { name, .. } => Text::new(
                format!("la variable {name} ne désigne aucun champ de la configuration"),
                format!("the variable {name} names no field of the configuration"),
            ),
        }
    }

    /// What to do.
    pub(crate) fn mend(&self) -> Text {
        match self {
            Self::File { .. } => Text::fixed("vérifiez le chemin et les droits", "check the path and the rights"),
            Self::NotToml { .. } => Text::fixed(
                "`socle serve --print-config` montre un exemple complet",
                "`socle serve --print-config` shows a whole example",
            ),
            Self::Shape(reason) if reason.contains("socket address") => Text::fixed(
                "une adresse d'écoute s'écrit avec son port : \"127.0.0.1:8080\"",
                "a listening address is written with its port: \"127.0.0.1:8080\"",
            ),
            Self::Shape(_) => Text::fixed(
                "`socle serve --print-config` montre les champs et leur forme",
                "`socle serve --print-config` shows the fields and their form",
            ),
            Self::Variable { .. } => Text::fixed(
                "SOCLE_SERVER__LISTEN désigne server.listen : deux soulignés séparent la section du champ",
                "SOCLE_SERVER__LISTEN names server.listen: two underscores part the section from the field",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_configuration_is_an_embedded_platform_on_twins() {
        let config = Config::load(None, std::iter::empty()).unwrap();
        assert!(config.uses_twins());
        assert_eq!(config.environment, Environment::Jumeau);
        assert!(config.server.listen.ip().is_loopback());
    }

    #[test]
    fn a_variable_overrides_the_file_and_a_wrong_one_is_named() {
        let set = |name: &str, value: &str| Config::load(None, std::iter::once((name.to_owned(), value.to_owned())));
        assert_eq!(set("SOCLE_SERVER__LISTEN", "127.0.0.1:9").unwrap().server.listen.port(), 9);
        assert_eq!(set("SOCLE_TWINS__INS", "0").unwrap().twins.ins, 0);
        assert_eq!(set("SOCLE_STRUCTURE__NAME", "12").unwrap().structure.name, "12");
        assert_eq!(
            set("SOCLE_INS__ENDPOINT", "https://x.test/lps").unwrap().ins.endpoint,
            Endpoint::At("https://x.test/lps".into())
        );
        for (name, value) in
            [("SOCLE_SERVER__LISTN", "127.0.0.1:9"), ("SOCLE_TWINS__INS", "many"), ("SOCLE_ENVIRONMENT", "prod")]
        {
            let error = set(name, value).unwrap_err().to_string();
            assert!(
                error.to_lowercase().contains(&name.rsplit('_').next().unwrap().to_lowercase())
                    || error.contains("prod"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_default_configuration_is_written_and_read_back() {
        let text = toml::to_string(&Config::default()).unwrap();
        let back: Config = toml::from_str(&text).unwrap();
        assert_eq!(toml::to_string(&back).unwrap(), text);
    }
}
