//! The issuer over HTTPS: discovery, keys, tokens, UserInfo, introspection, revocation. No CORS header
//! anywhere: the calls come from servers.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use socle_trust::Certificate;
use socle_trust::https::PeerCertificate;

use super::provider::{Door, Grant, OauthFailure, Provider, TokenKnown};
use super::registry::{ClientRefused, authenticate};
use super::wallet;
use crate::wire::form::{self, Parameters, with_query};
use crate::wire::{DISCOVERY_STANDARD, DISCOVERY_WALLET, PROTOCOL, REALM};

/// Largest form taken.
const FORM_MAX: usize = 64 * 1024;

type Shared = State<Arc<Provider>>;
type Peer = Option<Extension<PeerCertificate>>;

pub(super) fn router(provider: Arc<Provider>) -> Router {
    let at = |path: &str| format!("{REALM}{PROTOCOL}{path}");
    Router::new()
        .route(&format!("{REALM}{DISCOVERY_WALLET}"), get(discovery_wallet))
        .route(&format!("{REALM}{DISCOVERY_STANDARD}"), get(discovery_standard))
        .route(&at("/auth"), get(to_wallet).post(wallet::choose))
        .route(&at("/certs"), get(keys))
        .route(&at("/token"), post(token))
        .route(&at("/token/introspect"), post(introspect))
        .route(&at("/revoke"), post(revoke))
        .route(&at("/userinfo"), get(user_info).post(user_info))
        .route(&at("/logout"), get(to_wallet_logout).post(wallet::logout_confirmed))
        .layer(DefaultBodyLimit::max(FORM_MAX))
        .with_state(provider)
}

async fn discovery_wallet(State(provider): Shared) -> Response {
    json_response(StatusCode::OK, &provider.discovery(Door::Wallet))
}

async fn discovery_standard(State(provider): Shared) -> Response {
    json_response(StatusCode::OK, &provider.discovery(Door::Standard))
}

/// Keycloak's own authorization endpoint: the wallet's page stands behind it here.
async fn to_wallet(State(provider): Shared, RawQuery(query): RawQuery) -> Response {
    on_to(&format!("{}/auth", provider.wallet()), query)
}

async fn to_wallet_logout(State(provider): Shared, RawQuery(query): RawQuery) -> Response {
    on_to(&provider.wallet_logout(), query)
}

fn on_to(url: &str, query: Option<String>) -> Response {
    let location = format!("{url}?{}", query.unwrap_or_default());
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

async fn keys(State(provider): Shared) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], provider.jwks()).into_response()
}

async fn token(State(provider): Shared, peer: Peer, headers: HeaderMap, body: Bytes) -> Response {
    let answer = read_form(&headers, &body).and_then(|form| {
        let grant = client_of(&provider, &headers, &form, certificate(&peer))?;
        provider.grant(grant, &form, provider.now())
    });
    match answer {
        Ok(answer) => no_store(json_response(StatusCode::OK, &json!(answer))),
        Err(failure) => failure.into_response(),
    }
}

async fn introspect(State(provider): Shared, peer: Peer, headers: HeaderMap, body: Bytes) -> Response {
    let known = read_form(&headers, &body).and_then(|form| {
        client_of(&provider, &headers, &form, certificate(&peer))?;
        let token = form.get("token").ok_or(OauthFailure::new("invalid_request", "token is missing"))?;
        Ok(provider.introspect(token, provider.now()))
    });
    match known {
        Ok(TokenKnown::Active(claims)) => no_store(json_response(StatusCode::OK, &claims)),
        Ok(TokenKnown::Inactive) => no_store(json_response(StatusCode::OK, &json!({ "active": false }))),
        Err(failure) => failure.into_response(),
    }
}

/// RFC 7009 §2.2: an unknown token is a success too.
async fn revoke(State(provider): Shared, peer: Peer, headers: HeaderMap, body: Bytes) -> Response {
    let revoked = read_form(&headers, &body).and_then(|form| {
        let grant = client_of(&provider, &headers, &form, certificate(&peer))?;
        let token = form.get("token").ok_or(OauthFailure::new("invalid_request", "token is missing"))?;
        provider.revoke(grant.client, token);
        Ok(())
    });
    match revoked {
        Ok(()) => no_store(StatusCode::OK.into_response()),
        Err(failure) => failure.into_response(),
    }
}

/// RFC 6750: the token comes in the header, and nowhere else.
async fn user_info(State(provider): Shared, peer: Peer, headers: HeaderMap) -> Response {
    let Some(token) = bearer(&headers) else {
        return unauthorized("Bearer realm=\"esante-wallet\"", "invalid_request");
    };
    match provider.user_info(token, certificate(&peer), provider.now()) {
        Some(claims) => no_store(json_response(StatusCode::OK, &claims)),
        None => unauthorized("Bearer realm=\"esante-wallet\", error=\"invalid_token\"", "invalid_token"),
    }
}

fn certificate(peer: &Peer) -> Option<&Certificate> {
    peer.as_ref()?.0.0.as_deref()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

fn read_form(headers: &HeaderMap, body: &Bytes) -> Result<Parameters, OauthFailure> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OauthFailure::new("invalid_request", "the body must be application/x-www-form-urlencoded"));
    }
    let text = std::str::from_utf8(body).map_err(|_| OauthFailure::new("invalid_request", "the form is not UTF-8"))?;
    form::read(text).map_err(|_| OauthFailure::new("invalid_request", "the form is malformed or repeats a parameter"))
}

fn client_of<'a>(
    provider: &'a Provider,
    headers: &HeaderMap,
    form: &Parameters,
    certificate: Option<&'a Certificate>,
) -> Result<Grant<'a>, OauthFailure> {
    let (client, proof) =
        authenticate(provider.clients(), headers, form, certificate).map_err(|refused| match refused {
            ClientRefused::Unknown => OauthFailure {
                status: StatusCode::UNAUTHORIZED,
                error: "invalid_client",
                description: "unknown client or wrong proof",
            },
            ClientRefused::Malformed => {
                OauthFailure::new("invalid_request", "two proofs of the client, or a malformed one")
            }
        })?;
    Ok(Grant { client, proof, certificate })
}

impl IntoResponse for OauthFailure {
    fn into_response(self) -> Response {
        tracing::info!(error = self.error, "Pro Santé Connect twin refused");
        let body = json!({ "error": self.error, "error_description": self.description });
        let mut response = no_store(json_response(self.status, &body));
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"esante-wallet\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

fn unauthorized(challenge: &'static str, error: &str) -> Response {
    let mut response = no_store(json_response(StatusCode::UNAUTHORIZED, &json!({ "error": error })));
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

fn json_response(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// Where the browser goes after logout, when the address is registered for the client of the hint.
pub(super) fn logout_redirect(provider: &Provider, form: &Parameters) -> Option<String> {
    let client = match form.get("id_token_hint") {
        Some(hint) => provider.client_of_hint(hint),
        None => form.get("client_id").and_then(|id| provider.client(id)),
    };
    let uri = form.get("post_logout_redirect_uri")?;
    let registered = client?.logout_redirects.iter().any(|redirect| redirect.admits(uri));
    registered.then(|| match form.get("state") {
        Some(state) => with_query(uri, &[("state", Some(state))]),
        None => uri.to_owned(),
    })
}
