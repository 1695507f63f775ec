use serde::{Deserialize, Serialize};

/// What we use of the discovery document (OpenID Connect Discovery 1.0 §3); the rest is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// The `iss` of every token.
    pub issuer: String,
    /// The wallet: another host than the issuer's.
    pub authorization_endpoint: String,
    /// Codes and refresh tokens become tokens.
    pub token_endpoint: String,
    /// Who the professional is.
    pub userinfo_endpoint: String,
    /// The keys.
    pub jwks_uri: String,
    /// Logout by the browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_session_endpoint: Option<String>,
    /// Is a token alive?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    /// End of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// Does the answer carry `iss` (RFC 9207)? Then its absence is an attack.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}
