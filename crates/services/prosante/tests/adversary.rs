//! A provider that lies: our relying party believes nothing that it does not verify.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod fixtures;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri};
use jiff::Timestamp;
use serde_json::{Value, json};
use socle_prosante::client::{LoginError, ProviderError};
use socle_prosante::model::persona;
use socle_prosante::twin::DEMO;
use socle_prosante::wire::{form, user_info};
use socle_trust::Shutdown;
use socle_trust::pki::Profile;
use socle_trust::tls::{ClientAuth, Versions, server_config};
use socle_trust::token::{Issuer, SigningKey, TokenError};

use fixtures::{client, pki};

/// What the provider says, to be spoilt.
struct Lies {
    wallet_document: bool,
    discovery: Value,
    id_claims: Value,
    /// The ID token as it leaves: the signed one, unless this says otherwise.
    id_token: fn(String) -> Value,
    user_info: Value,
    token_status: StatusCode,
}

impl Lies {
    fn none(issuer: &str) -> Self {
        let user_info = user_info(persona("marie-martin").unwrap());
        let now = Timestamp::now().as_second();
        Self {
            wallet_document: true,
            discovery: json!({
                "issuer": issuer,
                "authorization_endpoint": "http://127.0.0.1:1/auth",
                "token_endpoint": format!("{issuer}/token"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
                "jwks_uri": format!("{issuer}/certs"),
                "authorization_response_iss_parameter_supported": true,
            }),
            id_claims: json!({
                "iss": issuer, "sub": user_info["sub"], "aud": DEMO.id, "azp": DEMO.id, "typ": "ID",
                "iat": now, "exp": now + 120,
            }),
            id_token: |token| json!(token),
            user_info,
            token_status: StatusCode::OK,
        }
    }

    fn answer(&self, path: &str, key: &Issuer) -> Response {
        let json = |value: &Value| value.to_string().into_response();
        match path.trim_start_matches("/realm") {
            "/.well-known/wallet-openid-configuration" if self.wallet_document => json(&self.discovery),
            "/.well-known/openid-configuration" => json(&self.discovery),
            "/certs" => key.jwks().into_response(),
            "/userinfo" => json(&self.user_info),
            "/token" => (self.token_status, json(&self.tokens(key))).into_response(),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn tokens(&self, key: &Issuer) -> Value {
        let id_token = (self.id_token)(key.sign(&self.id_claims, "JWT").unwrap());
        json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 120, "id_token": id_token })
    }
}

struct Liar {
    lies: Arc<Mutex<Lies>>,
    issuer: String,
    _stop: Shutdown,
}

fn key() -> SigningKey {
    SigningKey::open_or_create(&PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("liar.pem")).unwrap()
}

async fn liar() -> Liar {
    let pki = pki();
    let credentials = pki.credentials("liar", &Profile::Server { names: Vec::new() }).unwrap();
    let tls = server_config(&credentials, ClientAuth::None, Versions::Both).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("https://localhost:{}/realm", listener.local_addr().unwrap().port());
    let lies = Arc::new(Mutex::new(Lies::none(&issuer)));
    let keys = Arc::new(Issuer::new(&issuer, key()));
    let shared = Arc::clone(&lies);
    let router = Router::new().fallback(move |uri: Uri| {
        let answer = shared.lock().unwrap().answer(uri.path(), &keys);
        async move { answer }
    });
    let stop = Shutdown::new();
    tokio::spawn(socle_trust::https::serve(listener, Some(tls), router, stop.clone()));
    Liar { lies, issuer, _stop: stop }
}

impl Liar {
    /// One login, the ID token having the right nonce before it is spoilt.
    async fn play(&self, spoil: fn(&mut Lies)) -> Result<(), LoginError> {
        *self.lies.lock().unwrap() = Lies::none(&self.issuer);
        spoil(&mut self.lies.lock().unwrap());
        let client = client(&self.issuer);
        let (url, pending) = client.begin(Timestamp::now()).await?;
        let parameters = form::read(url.split_once('?').unwrap().1).unwrap();
        {
            let mut lies = self.lies.lock().unwrap();
            if lies.id_claims.get("nonce").is_none() {
                lies.id_claims["nonce"] = json!(parameters.get("nonce"));
            }
        }
        let query = form::write(&[("code", Some("c")), ("state", Some(pending.state())), ("iss", Some(&self.issuer))]);
        client.finish(pending, &query, Timestamp::now()).await.map(|_| ())
    }
}

/// A token whose header says `none`, with a payload that would be right.
fn unsigned(token: String) -> Value {
    use base64::Engine;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    json!(format!("{header}.{}.", token.split('.').nth(1).unwrap()))
}

fn signed_by_another(token: String) -> Value {
    use base64::Engine;
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("stranger.pem");
    json!(Issuer::new("x", SigningKey::open_or_create(&file).unwrap()).sign(&claims, "JWT").unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_believed_that_is_not_verified() {
    let liar = liar().await;
    liar.play(|_| ()).await.unwrap();
    liar.play(|lies| lies.wallet_document = false).await.unwrap();
    type Case = (&'static str, fn(&mut Lies), fn(&LoginError) -> bool);
    let discovery = |e: &LoginError| matches!(e, LoginError::Provider(ProviderError::Discovery(_)));
    let cases: [Case; 21] = [
        ("another issuer", |l| l.discovery["issuer"] = json!("https://evil.test"), discovery),
        ("tokens in clear text", |l| l.discovery["token_endpoint"] = json!("http://evil.test/token"), discovery),
        ("wallet in clear text", |l| l.discovery["authorization_endpoint"] = json!("http://evil.test/auth"), discovery),
        ("keys in clear text", |l| l.discovery["jwks_uri"] = json!("http://evil.test/certs"), discovery),
        (
            "no token endpoint",
            |l| l.discovery["token_endpoint"] = Value::Null,
            |e| matches!(e, LoginError::Provider(ProviderError::Json { .. })),
        ),
        ("replayed nonce", |l| l.id_claims["nonce"] = json!("old"), |e| matches!(e, LoginError::Nonce)),
        ("no nonce", |l| l.id_claims["nonce"] = Value::Null, |e| matches!(e, LoginError::Nonce)),
        (
            "another audience",
            |l| l.id_claims["aud"] = json!("other"),
            |e| matches!(e, LoginError::IdToken(TokenError::WrongAudience)),
        ),
        (
            "another authorised party",
            |l| l.id_claims["azp"] = json!("other"),
            |e| matches!(e, LoginError::IdToken(TokenError::WrongAudience)),
        ),
        (
            "another issuer in the token",
            |l| l.id_claims["iss"] = json!("https://evil.test"),
            |e| matches!(e, LoginError::IdToken(TokenError::WrongIssuer)),
        ),
        (
            "expired",
            |l| l.id_claims["exp"] = json!(1_000_000),
            |e| matches!(e, LoginError::IdToken(TokenError::Expired)),
        ),
        (
            "an access token as ID token",
            |l| l.id_claims["typ"] = json!("Bearer"),
            |e| matches!(e, LoginError::IdToken(TokenError::WrongType)),
        ),
        (
            "no subject",
            |l| l.id_claims["sub"] = Value::Null,
            |e| matches!(e, LoginError::IdToken(TokenError::Malformed(_))),
        ),
        ("swapped access token", |l| l.id_claims["at_hash"] = json!("x"), |e| matches!(e, LoginError::AccessToken)),
        (
            "UserInfo of somebody else",
            |l| l.user_info["sub"] = json!("f:x:y"),
            |e| matches!(e, LoginError::OtherSubject),
        ),
        (
            "UserInfo of nobody",
            |l| l.user_info["SubjectNameID"] = json!(""),
            |e| matches!(e, LoginError::Provider(ProviderError::Json { .. })),
        ),
        ("no ID token", |l| l.id_token = |_| Value::Null, |e| matches!(e, LoginError::NoIdToken)),
        ("unsigned", |l| l.id_token = unsigned, |e| matches!(e, LoginError::IdToken(TokenError::Algorithm))),
        (
            "signed by a stranger",
            |l| l.id_token = signed_by_another,
            |e| matches!(e, LoginError::IdToken(TokenError::UnknownKey)),
        ),
        (
            "an error without a name",
            |l| l.token_status = StatusCode::BAD_GATEWAY,
            |e| matches!(e, LoginError::Provider(ProviderError::Status { status: 502, .. })) && e.is_temporary(),
        ),
        ("an ID token that is no text", |l| l.id_token = |_| json!(1), |e| matches!(e, LoginError::TokenAnswer)),
    ];
    for (name, spoil, expected) in cases {
        let error = liar.play(spoil).await.expect_err(name);
        assert!(expected(&error), "{name}: {error}");
    }
}
