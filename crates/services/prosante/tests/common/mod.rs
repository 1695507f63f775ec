//! What several test files need: one PKI, a running twin, and clients of it.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{Request, Response, header};
use jiff::{SignedDuration, Timestamp};
use socle_identity::Environment;
use socle_prosante::client::{Authentication, Bearer, BearerSettings, Client, Session, Settings};
use socle_prosante::twin::{self, DEMO, Running, log_in_with_wallet};
use socle_trust::https::{Body, ClientLimits, HttpsClient};
use socle_trust::pki::{Organisation, Profile, TestPki};
use socle_trust::tls::{Versions, client_config};
use socle_trust::{Credentials, Shutdown};

pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/callback";

/// One folder for all test binaries: keys are made once per checkout.
pub(crate) fn pki() -> Arc<TestPki> {
    static PKI: OnceLock<Arc<TestPki>> = OnceLock::new();
    let open = || TestPki::open_or_create(&PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pki")).unwrap();
    Arc::clone(PKI.get_or_init(|| Arc::new(open())))
}

pub(crate) fn organisation(file: &str, common_name: &str) -> Credentials {
    let organisation = Organisation {
        cn: common_name.to_owned(),
        id: "10B0000001".parse().unwrap(),
        name: "HOPITAL DES ESSAIS".to_owned(),
        department: "Paris (75)".to_owned(),
    };
    pki().credentials(file, &Profile::OrgAuthCli(organisation)).unwrap()
}

/// A twin's settings; the signing key is shared, since one is long to make.
pub(crate) fn twin_settings() -> twin::Settings {
    twin::Settings::new(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("prosante"), pki())
}

pub(crate) async fn start_with(settings: twin::Settings) -> (Running, Shutdown) {
    let shutdown = Shutdown::new();
    (twin::start(settings, shutdown.clone()).await.unwrap(), shutdown)
}

pub(crate) async fn start() -> (Running, Shutdown) {
    start_with(twin_settings()).await
}

pub(crate) fn settings(issuer: &str) -> Settings {
    Settings {
        issuer: issuer.to_owned(),
        environment: Environment::Jumeau,
        anchors: pki().anchors().clone(),
        client_id: DEMO.id.to_owned(),
        authentication: Authentication::Secret(DEMO.secret.to_owned()),
        redirect_uri: REDIRECT.to_owned(),
        post_logout_redirect_uri: Some("http://127.0.0.1:9/logout".to_owned()),
    }
}

pub(crate) fn client(issuer: &str) -> Client {
    Client::new(settings(issuer)).unwrap()
}

pub(crate) fn bearer(issuer: &str, audiences: &[&str]) -> Bearer {
    Bearer::new(BearerSettings {
        issuer: issuer.to_owned(),
        environment: Environment::Jumeau,
        anchors: pki().anchors().clone(),
        audiences: audiences.iter().map(ToString::to_string).collect(),
    })
    .unwrap()
}

pub(crate) fn http(credentials: Option<&Credentials>) -> HttpsClient {
    let tls = client_config(pki().anchors(), credentials, Versions::Both).unwrap();
    HttpsClient::new(&tls, ClientLimits::default())
}

/// A login as a user does it, but for the browser.
pub(crate) async fn log_in(client: &Client, persona: &str) -> Session {
    let (url, pending) = client.begin(Timestamp::now()).await.unwrap();
    let query = log_in_with_wallet(&http(None), &url, persona).await.unwrap();
    client.finish(pending, &query, Timestamp::now()).await.unwrap()
}

pub(crate) async fn get(http: &HttpsClient, url: &str, headers: &[(header::HeaderName, &str)]) -> Response<Bytes> {
    let mut request = Request::get(url);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    http.send(request.body(Body::empty()).unwrap()).await.unwrap()
}

pub(crate) async fn post(
    http: &HttpsClient,
    url: &str,
    form: &str,
    headers: &[(header::HeaderName, &str)],
) -> Response<Bytes> {
    let mut request = Request::post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    http.send(request.body(Body::from(form.to_owned())).unwrap()).await.unwrap()
}

pub(crate) fn json(response: &Response<Bytes>) -> serde_json::Value {
    serde_json::from_slice(response.body()).unwrap()
}

pub(crate) fn location(response: &Response<Bytes>) -> String {
    response
        .headers()
        .get(header::LOCATION)
        .unwrap_or_else(|| panic!("{}", response.status()))
        .to_str()
        .unwrap()
        .to_owned()
}

pub(crate) fn later(seconds: i64) -> Timestamp {
    Timestamp::now().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

/// The folder of shared sample data, or `None` after saying visibly that the test is skipped.
pub(crate) fn shared(test: &str) -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    let folder = std::env::var_os("SOCLE_SHARED").map_or_else(default, PathBuf::from);
    if folder.join("data").is_dir() {
        return Some(folder.join("data/identity/psc"));
    }
    skip(test, "no shared data");
    None
}

/// Says that a test is skipped; in strict mode that is a failure.
pub(crate) fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("SOCLE_STRICT").is_none_or(|v| v != "1"), "{test}: {why}");
    println!("SKIPPED {test}: {why}");
}
