//! The front door, as an application of the hospital uses it: a token by its certificate, then FHIR.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;
use socle_cda::Document;
use socle_fhir::fr_core::DeclaredEvidence;
use socle_fhir::pdsm::{Addressee, PartyKind, ProvideBundle, Recipient};
use socle_identity::{Environment, HighConfidenceDevice};
use socle_prosante::client::{Authentication, Client, Settings};
use socle_prosante::twin::{DEMO, log_in_with_wallet};
use socle_trust::https::{Body, ClientLimits, HttpError, HttpsClient};
use socle_trust::pki::Profile;
use socle_trust::tls::{Versions, client_config};

use super::Installation;
use super::dmp::organisation;
use super::lot::{Wishes, lot_of, patient_of};

/// A mailbox of the twins' operator.
pub(crate) const RECIPIENT: &str = "dpi@hopital-a.mssante.test";

/// A caller with its certificate. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) http: HttpsClient,
    pub(crate) base: String,
    pub(crate) token: String,
}

impl Installation {
    /// An application that has no token yet.
    pub(crate) fn stranger(&self) -> Caller {
        let pki = self.pki();
        let profile = Profile::OrgAuthCli(organisation("SOCLE-CLI"));
        let credentials = pki.credentials("socle-cli", &profile).unwrap();
        let tls = client_config(pki.anchors(), Some(&credentials), Versions::Both).unwrap();
        let http = HttpsClient::new(&tls, ClientLimits::default());
        Caller { http, base: format!("https://localhost:{}", self.ports.tls), token: String::new() }
    }

    /// An application with a token.
    pub(crate) async fn caller(&self) -> Caller {
        let mut caller = self.stranger();
        caller.authenticate().await.unwrap();
        caller
    }

    /// `GET /health`.
    pub(crate) async fn health(&self) -> StatusCode {
        let caller = self.stranger();
        let url = format!("http://127.0.0.1:{}/health", self.ports.plain);
        caller.http.send(Request::get(url).body(Body::empty()).unwrap()).await.unwrap().status()
    }
}

impl Installation {
    /// The access token of a professional who logged in at Pro Santé Connect.
    pub(crate) async fn token_of_professional(&self) -> String {
        let pki = self.pki();
        let tls = client_config(pki.anchors(), None, Versions::Both).unwrap();
        let http = HttpsClient::new(&tls, ClientLimits::default());
        let client = Client::new(Settings {
            issuer: format!("https://localhost:{}/auth/realms/esante-wallet", self.ports.prosante),
            environment: Environment::Jumeau,
            anchors: pki.anchors().clone(),
            client_id: DEMO.id.to_owned(),
            authentication: Authentication::Secret(DEMO.secret.to_owned()),
            redirect_uri: format!("http://127.0.0.1:9{}", DEMO.redirect_path),
            post_logout_redirect_uri: None,
        })
        .unwrap();
        let (url, pending) = client.begin(Timestamp::now()).await.unwrap();
        let query = log_in_with_wallet(&http, &url, "marie-martin").await.unwrap();
        let session = client.finish(pending, &query, Timestamp::now()).await.unwrap();
        session.access_token(Timestamp::now()).unwrap().to_owned()
    }
}

impl Caller {
    /// Asks for a token (RFC 6749 §4.4).
    pub(crate) async fn authenticate(&mut self) -> Result<(), HttpError> {
        let request = Request::post(format!("{}/oauth/token", self.base))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("grant_type=client_credentials".to_owned()))
            .unwrap();
        let answer = self.http.send(request).await?;
        let answer: Value = serde_json::from_slice(answer.body()).unwrap();
        self.token = answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned();
        Ok(())
    }

    /// Posts a transaction.
    pub(crate) async fn post(&self, bundle: impl Into<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.post_as("application/fhir+json", bundle).await
    }

    pub(crate) async fn post_as(
        &self,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Response<Bytes>, HttpError> {
        let mut request = Request::post(format!("{}/fhir", self.base)).header(header::CONTENT_TYPE, content_type);
        if !self.token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        self.http.send(request.header(header::ACCEPT_LANGUAGE, "en").body(Body::from(body.into())).unwrap()).await
    }

    /// A request without a body, answered in JSON.
    pub(crate) async fn ask(&self, method: Method, path: &str) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Body::empty())
            .unwrap();
        let answer = self.http.send(request).await.unwrap();
        let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        (answer.status(), body)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// A flow: its steps and jobs.
    pub(crate) async fn flow(&self, id: &str) -> Value {
        self.get(&format!("/operator/flows/{id}")).await
    }
}

/// The flow that an answer names.
pub(crate) fn flow_of(answer: &Response<Bytes>) -> Option<String> {
    Some(answer.headers().get("socle-flow")?.to_str().unwrap().to_owned())
}

/// What `socle send --checked-document PA --to RECIPIENT` would post.
pub(crate) fn lot(document: &Document) -> ProvideBundle {
    let header = socle_cda::Header::read(document).unwrap();
    let mut patient = patient_of(header).unwrap();
    let checked_on = jiff::tz::Offset::UTC.to_datetime(Timestamp::now()).date();
    patient.evidence = Some(DeclaredEvidence { device: HighConfidenceDevice::PA, checked_on });
    let to = Addressee::Mailbox(RECIPIENT.parse().unwrap());
    let wishes = Wishes {
        patient: Some(patient),
        recipients: vec![Recipient { to, kind: PartyKind::Organization, name: None }],
        feed_dmp: true,
        hidden: Vec::new(),
        source: "1.2.250.1.71.4.2.2".parse().unwrap(),
    };
    lot_of(document, wishes, Timestamp::now()).unwrap()
}
