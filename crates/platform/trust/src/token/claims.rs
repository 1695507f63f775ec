use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

use super::TokenError;
use crate::Certificate;

/// The claims of a verified token. Only [`super::Verifier`] makes one.
///
/// Claims about a person (names, identifiers) are in `other`: `Debug` shows none of them.
#[derive(Clone, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Subject; not a stable key at Pro Santé Connect, where a merge of identities changes it.
    pub sub: String,
    /// Audiences.
    #[serde(default, deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// The client that the token was issued to.
    #[serde(default)]
    pub azp: Option<String>,
    /// End of validity.
    #[serde(deserialize_with = "numeric_date")]
    pub exp: Timestamp,
    /// Start of validity.
    #[serde(default, deserialize_with = "optional_date")]
    pub nbf: Option<Timestamp>,
    /// Time of issue.
    #[serde(default, deserialize_with = "optional_date")]
    pub iat: Option<Timestamp>,
    /// Identifier of the token.
    #[serde(default)]
    pub jti: Option<String>,
    /// `Bearer`, `ID`… (Keycloak's claim, not the header).
    #[serde(default)]
    pub typ: Option<String>,
    /// The nonce of the authorization request.
    #[serde(default)]
    pub nonce: Option<String>,
    /// Scopes, separated by spaces.
    #[serde(default)]
    pub scope: Option<String>,
    /// Confirmation: what the token is bound to.
    #[serde(default)]
    cnf: Option<Confirmation>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[derive(Clone, Deserialize)]
struct Confirmation {
    #[serde(default, rename = "x5t#S256")]
    x5t_s256: Option<String>,
}

/// How literally to take RFC 8705.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// base64url of the 32 bytes (RFC 8705 §3.1).
    Strict,
    /// Also base64 of the digest's hexadecimal text, as the example of CI-SIS shows it (volet
    /// Sécurisation de la couche transport API REST 1.2.0).
    Tolerant,
}

impl Claims {
    /// Does it have this scope?
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.as_deref().is_some_and(|scopes| scopes.split(' ').any(|s| s == scope))
    }

    /// A text claim among the others, e.g. `SubjectNameID`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.other.get(name).and_then(Value::as_str)
    }

    /// Is it bound to a client certificate?
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.cnf.as_ref().is_some_and(|cnf| cnf.x5t_s256.is_some())
    }

    /// Checks that a bound token comes with its certificate (RFC 8705 §3). An unbound token passes:
    /// ask [`Self::is_bound`] where binding is mandatory.
    ///
    /// # Errors
    /// [`TokenError::CertificateRequired`], [`TokenError::WrongCertificate`].
    pub fn check_binding(&self, shown: Option<&Certificate>, binding: Binding) -> Result<(), TokenError> {
        let Some(bound) = self.cnf.as_ref().and_then(|cnf| cnf.x5t_s256.as_deref()) else { return Ok(()) };
        let shown = shown.ok_or(TokenError::CertificateRequired)?;
        if bound == x5t_s256(shown) || (binding == Binding::Tolerant && is_hex_form(bound, shown)) {
            return Ok(());
        }
        Err(TokenError::WrongCertificate)
    }
}

/// The `x5t#S256` of a certificate, as RFC 8705 §3.1 wants it.
#[must_use]
pub fn x5t_s256(certificate: &Certificate) -> String {
    URL_SAFE_NO_PAD.encode(certificate.thumbprint_sha256())
}

fn is_hex_form(bound: &str, shown: &Certificate) -> bool {
    let hex: String = shown.thumbprint_sha256().iter().map(|b| format!("{b:02x}")).collect();
    [&URL_SAFE_NO_PAD, &URL_SAFE, &STANDARD, &STANDARD_NO_PAD]
        .iter()
        .filter_map(|engine| engine.decode(bound).ok())
        .any(|text| text.eq_ignore_ascii_case(hex.as_bytes()))
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("iss", &self.iss)
            .field("azp", &self.azp)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Audience::deserialize(input)? {
        Audience::One(one) => vec![one],
        Audience::Many(many) => many,
    })
}

/// Seconds since 1970, fractions allowed (RFC 7519 §2, NumericDate).
fn numeric_date<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
    let number = serde_json::Number::deserialize(input)?;
    let seconds = number.as_i64().or_else(|| number.as_f64().map(whole_seconds));
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| de::Error::custom("a date out of range"))
}

/// A float cast saturates, and what is out of range is refused after.
#[expect(clippy::cast_possible_truncation, reason = "a saturated value is out of Timestamp's range")]
const fn whole_seconds(seconds: f64) -> i64 {
    seconds as i64
}

fn optional_date<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Timestamp>, D::Error> {
    numeric_date(input).map(Some)
}
