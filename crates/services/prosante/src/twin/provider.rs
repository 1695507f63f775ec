//! What the provider grants: an authorization request is checked, a login makes a code, a code makes
//! tokens, tokens live and end. No HTTP; the time is handed in.

mod authorize;
mod state;
mod tokens;

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use socle_trust::token::{Issuer, SigningKey};

pub(super) use authorize::{Authorization, AuthorizeRefused, Prompt};
pub(super) use state::Login;
pub(super) use tokens::{Grant, OauthFailure, TokenKnown};

use super::registry::RegisteredClient;
use crate::wire::{PROTOCOL, REALM};
use state::State;

/// How long things live. The defaults are the published ones.
#[derive(Debug, Clone, Copy)]
pub struct Lives {
    /// A code.
    pub code: SignedDuration,
    /// An access token and an ID token.
    pub access: SignedDuration,
    /// A refresh token, from its last use.
    pub refresh: SignedDuration,
    /// A session without use.
    pub idle: SignedDuration,
    /// A session, whatever its use.
    pub session: SignedDuration,
}

impl Default for Lives {
    fn default() -> Self {
        Self {
            code: SignedDuration::from_secs(60),
            access: SignedDuration::from_secs(120),
            refresh: SignedDuration::from_mins(30),
            idle: SignedDuration::from_mins(30),
            session: SignedDuration::from_hours(4),
        }
    }
}

/// Which discovery document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Pro Santé Connect's own, which names the wallet.
    Wallet,
    /// The standard one: the issuer's endpoints, which send the browser on to the wallet.
    Standard,
}

/// The provider, shared by both listeners.
#[derive(Debug)]
pub(super) struct Provider {
    issuer: Issuer,
    /// `http://127.0.0.1:<port>`.
    wallet: String,
    clients: Vec<RegisteredClient>,
    lives: Lives,
    ahead: SignedDuration,
    without_acr: bool,
    state: Mutex<State>,
}

impl Provider {
    pub(super) fn new(
        issuer: Issuer,
        wallet: String,
        clients: Vec<RegisteredClient>,
        lives: Lives,
        ahead: SignedDuration,
        without_acr: bool,
    ) -> Self {
        Self { issuer, wallet, clients, lives, ahead, without_acr, state: Mutex::default() }
    }

    pub(super) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(self.ahead).unwrap_or(now)
    }

    pub(super) fn issuer(&self) -> &str {
        self.issuer.name()
    }

    pub(super) fn wallet(&self) -> &str {
        &self.wallet
    }

    /// In reality the issuer's; here the browser's cookie is the wallet's.
    pub(super) fn wallet_logout(&self) -> String {
        format!("{}{REALM}{PROTOCOL}/logout", self.wallet)
    }

    pub(super) fn clients(&self) -> &[RegisteredClient] {
        &self.clients
    }

    pub(super) fn client(&self, id: &str) -> Option<&RegisteredClient> {
        self.clients.iter().find(|client| client.id == id)
    }

    pub(super) fn jwks(&self) -> String {
        self.issuer.jwks()
    }

    pub(super) fn rotate(&self, key: SigningKey) {
        self.issuer.rotate(key);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A discovery document: what the browser meets (login, logout) differs, the rest does not.
    pub(super) fn discovery(&self, door: Door) -> Value {
        let issuer = self.issuer();
        let at = |path: &str| format!("{issuer}{PROTOCOL}{path}");
        let (authorization, logout) = match door {
            Door::Wallet => (format!("{}/auth", self.wallet), self.wallet_logout()),
            Door::Standard => (at("/auth"), at("/logout")),
        };
        let methods = json!(["client_secret_basic", "client_secret_post", "tls_client_auth"]);
        json!({
            "issuer": issuer,
            "authorization_endpoint": authorization,
            "token_endpoint": at("/token"),
            "introspection_endpoint": at("/token/introspect"),
            "userinfo_endpoint": at("/userinfo"),
            "end_session_endpoint": logout,
            "revocation_endpoint": at("/revoke"),
            "jwks_uri": at("/certs"),
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "acr_values_supported": ["0", "0"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "claims_supported": ["aud", "sub", "iss", "auth_time", "given_name", "family_name", "preferred_username", "acr"],
            "claim_types_supported": ["normal"],
            "scopes_supported": authorize::SCOPES_KNOWN,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "code_challenge_methods_supported": ["plain", "S256"],
            "tls_client_certificate_bound_access_tokens": true,
            "authorization_response_iss_parameter_supported": true,
        })
    }
}
