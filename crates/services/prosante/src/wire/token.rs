use std::fmt;

use serde::{Deserialize, Serialize};

use super::authorization::printable;

/// The answer of the token endpoint. It holds secrets: nothing shows them.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// Two minutes of life, as announced by `expires_in`.
    pub access_token: String,
    /// Seconds.
    #[serde(default)]
    pub expires_in: i64,
    /// Seconds.
    #[serde(default)]
    pub refresh_expires_in: i64,
    /// Thirty minutes of life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// `Bearer`.
    pub token_type: String,
    /// Who logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// Keycloak's.
    #[serde(default, rename = "not-before-policy")]
    pub not_before_policy: i64,
    /// Session at the provider.
    #[serde(default)]
    pub session_state: String,
    /// Scopes granted.
    #[serde(default)]
    pub scope: String,
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// An error of OAuth (RFC 6749 §5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OauthError {
    /// `invalid_grant`…
    pub error: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

impl OauthError {
    /// Reads an error body; none when it is something else. The code alone is kept: a description may
    /// repeat what was sent.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let error: Self = serde_json::from_slice(body).ok()?;
        Some(Self { error: printable(&error.error), error_description: None })
    }
}
