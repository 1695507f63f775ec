//! A running platform, as the command line reaches it: over TLS, with the certificate of a declared
//! application and a short token bound to it.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::Value;
use socle_finding::Lang;
use socle_trust::https::{Body, ClientLimits, HttpsClient};
use socle_trust::tls::{Versions, client_config};
use socle_trust::{Anchors, Credentials};

use crate::config::Config;
use crate::platform::{cli_credentials, open_pki};
use crate::trouble::{OrTrouble as _, Trouble};

/// A client of the front door.
#[derive(Clone)]
pub(crate) struct Remote {
    http: HttpsClient,
    base: String,
    token: String,
    lang: Lang,
}

impl Remote {
    /// Reaches the platform of this configuration and gets a token.
    pub(crate) async fn connect(config: &Config, lang: Lang) -> Result<Self> {
        let pki = match config.environment {
            socle_identity::Environment::Jumeau => Some(open_pki(config).await?),
            _ => None,
        };
        let credentials = cli_credentials(config, pki.as_deref())?;
        let anchors = match (&config.cli.anchors, &pki) {
            (Some(file), _) => Anchors::from_pem_files(&[file], config.environment).context("cli.anchors")?,
            (None, Some(pki)) => pki.anchors().clone(),
            (None, None) => {
                return Err(Trouble::missing(
                    "cli.anchors",
                    "les autorités de la plateforme, en PEM",
                    "the platform's authorities, in PEM",
                )
                .into());
            }
        };
        let default = format!("https://localhost:{}", config.server.listen_tls.port());
        let base = config.cli.server.clone().unwrap_or(default);
        Self::with(base, &anchors, &credentials, lang).await
    }

    /// As [`Self::connect`], with everything at hand.
    pub(crate) async fn with(base: String, anchors: &Anchors, credentials: &Credentials, lang: Lang) -> Result<Self> {
        let tls = client_config(anchors, Some(credentials), Versions::Both)?;
        let http = HttpsClient::new(&tls, ClientLimits::default());
        let mut remote = Self { http, base: base.trim_end_matches('/').to_owned(), token: String::new(), lang };
        remote.token = remote.ask_token().await?;
        Ok(remote)
    }

    async fn ask_token(&self) -> Result<String> {
        let request = Request::post(format!("{}/oauth/token", self.base))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("grant_type=client_credentials".to_owned()))?;
        let response = self.http.send(request).await.or_trouble(|| {
            Trouble::new(
                format!("la plateforme ne répond pas à {}", self.base),
                format!("the platform does not answer at {}", self.base),
            )
            .mend(
                "lancez `socle serve` dans un autre terminal, ou indiquez son adresse (cli.server)",
                "run `socle serve` in another terminal, or give its address (cli.server)",
            )
        })?;
        let body: Value = serde_json::from_slice(response.body()).context("/oauth/token")?;
        match body.get("access_token").and_then(Value::as_str) {
            Some(token) => Ok(token.to_owned()),
            None => bail!("/oauth/token : {}", body.get("error_description").and_then(Value::as_str).unwrap_or("?")),
        }
    }

    /// Posts a FHIR transaction. A token that ran out meanwhile is asked for again, once.
    pub(crate) async fn transaction(&mut self, bundle: Vec<u8>) -> Result<Response<Bytes>> {
        let body = Bytes::from(bundle);
        let answer = self.send(Method::POST, "/fhir", Some(("application/fhir+json", body.clone()))).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        self.token = self.ask_token().await?;
        self.send(Method::POST, "/fhir", Some(("application/fhir+json", body))).await
    }

    /// A request of the operator's interface, answered in JSON.
    pub(crate) async fn operator(&self, method: Method, path: &str) -> Result<Value> {
        let response = self.send(method, path, None).await?;
        let body: Value = serde_json::from_slice(response.body()).with_context(|| path.to_owned())?;
        if response.status().is_success() {
            return Ok(body);
        }
        bail!("{}", body.get("error").and_then(Value::as_str).unwrap_or("?"))
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Bytes)>,
    ) -> Result<Response<Bytes>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::ACCEPT_LANGUAGE, self.lang.tag());
        let body = match body {
            Some((content_type, bytes)) => {
                request = request.header(header::CONTENT_TYPE, content_type);
                Body::from(bytes)
            }
            None => Body::empty(),
        };
        Ok(self.http.send(request.body(body)?).await?)
    }
}
