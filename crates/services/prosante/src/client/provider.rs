use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use serde::de::DeserializeOwned;
use socle_identity::{Environment, EnvironmentMix};
use socle_trust::https::{Body, ClientLimits, HttpError, HttpsClient};
use socle_trust::tls::{TlsError, Versions, client_config};
use socle_trust::token::{Jwks, KeySource, Loading, TokenError};
use socle_trust::{Anchors, Credentials};
use tokio::time::Instant;

use crate::model::UserInfo;
use crate::wire::{DISCOVERY_STANDARD, DISCOVERY_WALLET, Discovery};

/// The discovery document is read again after this long.
const DISCOVERY_LIFE: Duration = Duration::from_secs(3600);
/// Largest answer of the provider.
const ANSWER_MAX: usize = 1 << 20;

/// The provider, as its discovery document describes it. Clones share what was read.
#[derive(Debug, Clone)]
pub(super) struct Provider {
    http: HttpsClient,
    issuer: String,
    environment: Environment,
    known: Arc<RwLock<Option<Known>>>,
}

/// The document, and when it was read.
type Known = (Arc<Discovery>, Instant);

impl Provider {
    pub(super) fn new(
        issuer: &str,
        environment: Environment,
        anchors: &Anchors,
        credentials: Option<&Credentials>,
    ) -> Result<Self, SetupError> {
        environment.admit(anchors.environment(), "the authorities of Pro Santé Connect's certificate")?;
        let issuer = issuer.trim_end_matches('/').to_owned();
        if !is_secure(&issuer) {
            return Err(SetupError::Issuer);
        }
        let limits =
            ClientLimits { request: Duration::from_secs(10), response_bytes: ANSWER_MAX, ..ClientLimits::default() };
        let http = HttpsClient::new(&client_config(anchors, credentials, Versions::Both)?, limits);
        Ok(Self { http, issuer, environment, known: Arc::default() })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) const fn environment(&self) -> Environment {
        self.environment
    }

    /// The document, read at the first call and once an hour.
    pub(super) async fn discovery(&self) -> Result<Arc<Discovery>, ProviderError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        let known = match known {
            Some((document, read)) if read.elapsed() < DISCOVERY_LIFE => return Ok(document),
            known => known,
        };
        match self.read_discovery().await {
            Ok(document) => {
                let document = Arc::new(document);
                let fresh = Some((Arc::clone(&document), Instant::now()));
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = fresh;
                Ok(document)
            }
            // A document that was good stays in use while the provider is silent.
            Err(error) if error.is_temporary() => known.map(|(document, _)| document).ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// Pro Santé Connect's own document names the wallet; another provider has the standard one only.
    async fn read_discovery(&self) -> Result<Discovery, ProviderError> {
        let wallet = self.get_json(&format!("{}{DISCOVERY_WALLET}", self.issuer), None).await;
        let document: Discovery = match wallet {
            Err(ProviderError::Status { status: 404, .. }) => {
                self.get_json(&format!("{}{DISCOVERY_STANDARD}", self.issuer), None).await?
            }
            other => other?,
        };
        self.check(&document)?;
        Ok(document)
    }

    /// OpenID Connect Discovery 1.0 §4.3, and no endpoint in clear text.
    fn check(&self, document: &Discovery) -> Result<(), ProviderError> {
        if document.issuer != self.issuer {
            return Err(ProviderError::Discovery("its issuer is not the one that is configured"));
        }
        let required = [
            &document.authorization_endpoint,
            &document.token_endpoint,
            &document.userinfo_endpoint,
            &document.jwks_uri,
        ];
        let optional =
            [&document.end_session_endpoint, &document.introspection_endpoint, &document.revocation_endpoint];
        if required.into_iter().chain(optional.into_iter().flatten()).all(|url| self.admits(url)) {
            return Ok(());
        }
        Err(ProviderError::Discovery("an endpoint is not https"))
    }

    /// The twin's wallet is plain http on loopback, so that a browser needs no certificate.
    fn admits(&self, url: &str) -> bool {
        is_secure(url) || (self.environment == Environment::Jumeau && is_loopback(url))
    }

    /// Who the token belongs to.
    pub(super) async fn user_info(&self, access_token: &str) -> Result<UserInfo, ProviderError> {
        let discovery = self.discovery().await?;
        self.get_json(&discovery.userinfo_endpoint, Some(access_token)).await
    }

    async fn get_json<T: DeserializeOwned>(&self, url: &str, bearer: Option<&str>) -> Result<T, ProviderError> {
        let body = self.get(url, bearer).await?;
        serde_json::from_slice(&body)
            .map_err(|error| ProviderError::Json { what: last_segment(url), line: error.line() })
    }

    async fn get(&self, url: &str, bearer: Option<&str>) -> Result<Bytes, ProviderError> {
        let mut request = Request::get(uri(url)?).header(header::ACCEPT, "application/json");
        if let Some(token) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request =
            request.body(Body::empty()).map_err(|_| ProviderError::Discovery("a URL or a token is no text"))?;
        let answer = self.http.send(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(ProviderError::Status { what: last_segment(url), status: answer.status().as_u16() });
        }
        Ok(answer.into_body())
    }

    /// Posts a form and gives back status and body, whatever they are.
    pub(super) async fn post(
        &self,
        url: &str,
        form: String,
        basic: Option<String>,
    ) -> Result<(StatusCode, Bytes), ProviderError> {
        let mut request = Request::post(uri(url)?)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        if let Some(basic) = basic {
            request = request.header(header::AUTHORIZATION, basic);
        }
        let request = request.body(Body::from(form)).map_err(|_| ProviderError::Discovery("a URL is no text"))?;
        let answer = self.http.send(request).await?;
        Ok((answer.status(), answer.into_body()))
    }

    async fn keys(&self) -> Result<Jwks, TokenError> {
        let unavailable = |error: ProviderError| TokenError::KeysUnavailable(error.to_string());
        let discovery = self.discovery().await.map_err(unavailable)?;
        Jwks::parse(&self.get(&discovery.jwks_uri, None).await.map_err(unavailable)?)
    }
}

impl KeySource for Provider {
    fn load(&self) -> Loading<'_> {
        Box::pin(self.keys())
    }
}

fn uri(url: &str) -> Result<Uri, ProviderError> {
    url.parse().map_err(|_| ProviderError::Discovery("an endpoint is no URL"))
}

fn is_secure(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some())
}

fn is_loopback(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| {
        uri.scheme_str() == Some("http") && matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
    })
}

/// `userinfo`, `token`…: the whole URL adds nothing, and a query never shows.
fn last_segment(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Why the provider could not be used. Nothing of a token or a person is shown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// No answer.
    #[error("Pro Santé Connect: {0}")]
    Http(#[from] HttpError),
    /// An answer that is no success.
    #[error("Pro Santé Connect: {what} answered HTTP {status}")]
    Status {
        /// Last segment of the URL.
        what: String,
        /// HTTP status.
        status: u16,
    },
    /// An answer that is no JSON of the expected form.
    #[error("Pro Santé Connect: the answer of {what} is not what is expected (line {line})")]
    Json {
        /// Last segment of the URL.
        what: String,
        /// Where reading stopped.
        line: usize,
    },
    /// The discovery document may not be followed.
    #[error("Pro Santé Connect: the discovery document is refused: {0} (OpenID Connect Discovery 1.0 §4.3)")]
    Discovery(&'static str),
}

impl ProviderError {
    /// Is it worth another try?
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Status { status, .. } => *status >= 500 || matches!(*status, 408 | 429),
            Self::Json { .. } | Self::Discovery(_) => false,
        }
    }
}

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The issuer is not `https://…`.
    #[error("the issuer of Pro Santé Connect is no https URL")]
    Issuer,
    /// Two environments.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}
