//! `/oauth/token`: an application shows its certificate and gets a short token bound to it
//! (RFC 6749 §4.4 client credentials, RFC 8705 §2 and §3).

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, PRAGMA};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use socle_trust::https::PeerCertificate;
use socle_trust::token::x5t_s256;
use uuid::Uuid;

use crate::Door;

/// Short: a token that leaks is bound anyway, and a new one costs one request.
const LIFE: SignedDuration = SignedDuration::from_secs(300);

pub(crate) fn routes() -> Router<Door> {
    Router::new().route("/oauth/token", post(token)).route("/oauth/jwks", get(jwks))
}

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    client_id: Option<String>,
}

#[derive(Serialize)]
struct TokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    azp: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    cnf: Confirmation,
}

#[derive(Serialize)]
struct Confirmation {
    #[serde(rename = "x5t#S256")]
    x5t_s256: String,
}

async fn token(
    State(door): State<Door>,
    peer: Option<Extension<PeerCertificate>>,
    Form(request): Form<TokenRequest>,
) -> Response {
    if request.grant_type != "client_credentials" {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", "only client_credentials is served here");
    }
    let Some(certificate) = peer.and_then(|Extension(PeerCertificate(shown))| shown) else {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "no client certificate was shown");
    };
    let shown = certificate.subject().get("CN").unwrap_or_default();
    let Some(application) = door.authenticator.applications.iter().find(|known| known.common_name == shown) else {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "no application is declared for this certificate");
    };
    if request.client_id.as_deref().is_some_and(|id| id != application.id) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "client_id is not that of the certificate");
    }
    let now = Timestamp::now().as_second();
    let claims = TokenClaims {
        iss: door.authenticator.issuer.name(),
        sub: &application.id,
        aud: &door.settings.base,
        azp: &application.id,
        iat: now,
        exp: now + LIFE.as_secs(),
        jti: Uuid::new_v4().to_string(),
        cnf: Confirmation { x5t_s256: x5t_s256(&certificate) },
    };
    match door.authenticator.issuer.sign(&claims, "at+jwt") {
        Ok(token) => {
            let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFE.as_secs()});
            (StatusCode::OK, [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")], Json(body)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a token could not be signed");
            refused(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the token could not be signed")
        }
    }
}

async fn jwks(State(door): State<Door>) -> Response {
    ([(axum::http::header::CONTENT_TYPE, "application/json")], door.authenticator.issuer.jwks()).into_response()
}

fn refused(status: StatusCode, error: &str, description: &str) -> Response {
    let body = json!({"error": error, "error_description": description});
    (status, [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")], Json(body)).into_response()
}
