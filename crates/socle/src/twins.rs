//! The twins that a configuration asks for, started in this process.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use socle_mss::model::WhiteList;
use socle_trust::Shutdown;
use socle_trust::pki::TestPki;
use socle_trust::token::{Expected, RemoteKeys, TokenKind, Verifier};

use crate::config::Config;
use crate::trouble::{OrTrouble as _, Trouble};

/// Said at every start, on every page, in every piece of evidence of a twin.
pub(crate) const NOTICE: &str = socle_dmp::twin::UNOFFICIAL;

/// A national service that has a twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    ProSante,
    Ins,
    Dmp,
    Mss,
}

impl Name {
    pub(crate) const ALL: [Self; 4] = [Self::ProSante, Self::Ins, Self::Dmp, Self::Mss];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ProSante => "prosante",
            Self::Ins => "ins",
            Self::Dmp => "dmp",
            Self::Mss => "mss",
        }
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }
}

/// Twins that run.
#[derive(Debug, Default)]
pub(crate) struct Twins {
    pub prosante: Option<socle_prosante::twin::Running>,
    pub ins: Option<socle_ins::twin::Running>,
    pub dmp: Option<socle_dmp::twin::Running>,
    pub mss: Option<socle_mss::twin::Running>,
}

impl Twins {
    /// Starts these twins at the configured addresses.
    pub(crate) async fn start(
        config: &Config,
        pki: &Arc<TestPki>,
        names: &[Name],
        shutdown: &Shutdown,
    ) -> Result<Self> {
        let mut twins = Self::default();
        if names.contains(&Name::ProSante) {
            twins.prosante =
                Some(start_prosante(config, pki, shutdown).await.or_trouble(|| not_started("Pro Santé Connect"))?);
        }
        if names.contains(&Name::Ins) {
            twins.ins = Some(start_ins(config, pki, shutdown).await.or_trouble(|| not_started("INSi"))?);
        }
        if names.contains(&Name::Dmp) {
            twins.dmp = Some(start_dmp(config, pki, shutdown).await.or_trouble(|| not_started("DMP"))?);
        }
        if names.contains(&Name::Mss) {
            let issuer = twins.prosante.as_ref().map(|prosante| prosante.issuer.clone());
            twins.mss = Some(start_mss(config, pki, issuer, shutdown).await.or_trouble(|| not_started("MSSanté"))?);
        }
        Ok(twins)
    }

    /// Where each one is, a line each.
    pub(crate) fn addresses(&self) -> Vec<(Name, String)> {
        let mut lines = Vec::new();
        lines.extend(self.prosante.as_ref().map(|twin| (Name::ProSante, format!("{}  ({})", twin.issuer, twin.page))));
        lines.extend(self.ins.as_ref().map(|twin| (Name::Ins, format!("{}  ({})", twin.url, twin.page))));
        lines.extend(self.dmp.as_ref().map(|twin| (Name::Dmp, format!("{}  ({})", twin.url, twin.page))));
        lines.extend(self.mss.as_ref().map(|twin| {
            let imap = format!("imaps://localhost:{}", twin.addresses.imaps.port());
            (Name::Mss, format!("{}  {imap}  ({})", twin.submission_url, twin.page))
        }));
        lines
    }

    pub(crate) async fn stopped(self) {
        if let Some(twin) = self.mss {
            twin.stopped().await;
        }
        if let Some(twin) = self.dmp {
            twin.stopped().await;
        }
        if let Some(twin) = self.ins {
            twin.stopped().await;
        }
        if let Some(twin) = self.prosante {
            twin.stopped().await;
        }
    }
}

fn not_started(name: &str) -> Trouble {
    Trouble::new(format!("le jumeau {name} ne démarre pas"), format!("the twin of {name} does not start")).mend(
        "choisissez des ports libres ([twins]) et un dossier où écrire (data = …)",
        "choose free ports ([twins]) and a folder to write in (data = …)",
    )
}

fn folder(config: &Config, name: Name) -> PathBuf {
    config.data.join("twins").join(name.as_str())
}

async fn start_prosante(
    config: &Config,
    pki: &Arc<TestPki>,
    shutdown: &Shutdown,
) -> Result<socle_prosante::twin::Running> {
    let mut settings = socle_prosante::twin::Settings::new(folder(config, Name::ProSante), Arc::clone(pki));
    settings.listen = config.twins.address;
    settings.port = config.twins.prosante;
    settings.wallet_port = config.twins.wallet;
    Ok(socle_prosante::twin::start(settings, shutdown.clone()).await?)
}

async fn start_ins(config: &Config, pki: &Arc<TestPki>, shutdown: &Shutdown) -> Result<socle_ins::twin::Running> {
    let mut settings = socle_ins::twin::Settings::new(Arc::clone(pki));
    settings.listen = config.twins.address;
    settings.port = config.twins.ins;
    settings.page_port = config.twins.ins_page;
    settings.authorised = vec![config.software.insi_authorisation.clone()];
    settings.population.clone_from(&config.twins.population);
    Ok(socle_ins::twin::start(settings, shutdown.clone()).await?)
}

async fn start_dmp(config: &Config, pki: &Arc<TestPki>, shutdown: &Shutdown) -> Result<socle_dmp::twin::Running> {
    let mut settings = socle_dmp::twin::Settings::new(Arc::clone(pki), folder(config, Name::Dmp));
    settings.listen = config.twins.address;
    settings.port = config.twins.dmp;
    settings.page_port = config.twins.dmp_page;
    Ok(socle_dmp::twin::start(settings, shutdown.clone()).await?)
}

async fn start_mss(
    config: &Config,
    pki: &Arc<TestPki>,
    issuer: Option<String>,
    shutdown: &Shutdown,
) -> Result<socle_mss::twin::Running> {
    let mut settings = socle_mss::twin::Settings::new(folder(config, Name::Mss), Arc::clone(pki));
    settings.listen = config.twins.address;
    settings.ports = socle_mss::twin::Ports {
        submission: config.twins.submission,
        submissions: config.twins.submissions,
        imap: config.twins.imap,
        imaps: config.twins.imaps,
        page: config.twins.mss_page,
    };
    let issuer = issuer.unwrap_or_else(|| prosante_twin_issuer(config));
    settings.tokens = Some(Arc::new(token_verifier(config, pki, issuer)?));
    Ok(socle_mss::twin::start(settings, shutdown.clone()).await?)
}

/// Where the Pro Santé Connect twin of this configuration is, when it runs in another process.
pub(crate) fn prosante_twin_issuer(config: &Config) -> String {
    format!("https://localhost:{}/auth/realms/esante-wallet", config.twins.prosante)
}

fn token_verifier(config: &Config, pki: &TestPki, issuer: String) -> Result<Verifier> {
    let tls = socle_trust::tls::client_config(pki.anchors(), None, socle_trust::tls::Versions::Both)?;
    let http = socle_trust::https::HttpsClient::new(&tls, socle_trust::https::ClientLimits::default());
    let keys = RemoteKeys::new(http, format!("{issuer}/protocol/openid-connect/certs").parse()?);
    let mut audiences = config.prosante.audiences.clone();
    audiences.push(config.prosante.client_id.clone());
    Ok(Verifier::new(Expected { issuer, audiences, kind: TokenKind::Access }, keys))
}

/// The liste blanche of the twins' operator, the same in whichever process it runs.
pub(crate) fn white_list(pki: &TestPki) -> Result<WhiteList> {
    Ok(socle_mss::twin::seeded_white_list(pki)?)
}
