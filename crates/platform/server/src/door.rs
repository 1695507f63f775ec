use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use jiff::Timestamp;
use socle_finding::Lang;
use socle_gateway::Gateway;
use socle_rest::Base;

use crate::authenticate::Authenticator;
use crate::console::{self, Console, ConsoleSettings};
use crate::metrics::Metrics;
use crate::{base, fhir, health, metrics, operator, token};

/// What the front door needs beside the gateway.
#[derive(Debug, Clone)]
pub struct DoorSettings {
    /// The base of FHIR as callers see it, over TLS: the audience of our own tokens.
    pub base: String,
    /// The base of FHIR on this machine, in plain HTTP.
    pub plain_base: String,
    /// The language when the caller asks for none.
    pub lang: Lang,
    /// Largest request body, in bytes.
    pub body_max: usize,
    /// What is said on every page and at the head of every answer beside twins.
    pub notice: Option<&'static str>,
    /// The console.
    pub console: ConsoleSettings,
}

/// The front door. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    pub(crate) gateway: Arc<Gateway>,
    /// By the name that stands in their address.
    pub(crate) bases: Arc<HashMap<String, Base>>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) settings: Arc<DoorSettings>,
    pub(crate) console: Arc<Console>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) opened: Timestamp,
}

impl Door {
    /// Opens the door over a gateway, and FHIR bases by the name that stands in their address (`/r4/<name>`).
    #[must_use]
    pub fn open(
        gateway: Arc<Gateway>,
        bases: HashMap<String, Base>,
        authenticator: Authenticator,
        settings: DoorSettings,
    ) -> Self {
        Self {
            gateway,
            bases: Arc::new(bases),
            authenticator: Arc::new(authenticator),
            console: Arc::new(Console::new(settings.console.clone())),
            settings: Arc::new(settings),
            metrics: Arc::new(Metrics::new()),
            opened: Timestamp::now(),
        }
    }

    /// For this machine: FHIR, console, health and metrics, in plain HTTP on loopback.
    pub fn plain(&self) -> Router {
        self.common().merge(console::routes()).merge(metrics::routes()).with_state(self.clone())
    }

    /// For applications: FHIR and tokens, over TLS with client certificates.
    pub fn tls(&self) -> Router {
        self.common().merge(token::routes()).merge(metrics::routes()).with_state(self.clone())
    }

    fn common(&self) -> Router<Self> {
        Router::new()
            .merge(fhir::routes())
            .merge(base::routes())
            .merge(operator::routes())
            .merge(health::routes())
            // Each handler that reads a body bounds it itself, to answer in its own format.
            .layer(DefaultBodyLimit::disable())
    }
}
