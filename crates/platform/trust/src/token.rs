//! Signed tokens (JWS compact, RFC 7515; JWT, RFC 7519): verified for what Socle accepts, signed for
//! what it issues.
//!
//! [`Verifier`] checks signature, issuer, audience, dates and type, and names each refusal. Algorithms
//! are RS256, PS256 and ES256, decided by the key and not by the token: `none` and HMAC with a public
//! key have no code here. [`Issuer`] signs RS256 for the twins and for our own clients.
//!
//! Not here: introspection, encryption (JWE), HS256 with a client's secret.

mod claims;
mod issuer;
mod jwks;
mod jws;
mod verifier;

pub use claims::{Binding, Claims, x5t_s256};
pub use issuer::{Issuer, SigningKey, SigningKeyError};
pub use jwks::{Jwks, KeySource, Loading, RemoteKeys};
pub use jws::Algorithm;
pub use verifier::{Expected, TokenKind, Verifier};

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three base64url parts around JSON, or a claim of the wrong type.
    #[error("malformed token: {0} (RFC 7515 §3.1, RFC 7519 §4)")]
    Malformed(&'static str),
    /// `none`, HMAC, or another algorithm than RS256, PS256, ES256.
    #[error("the token's algorithm is not accepted: RS256, PS256 or ES256 (RFC 8725 §3.1)")]
    Algorithm,
    /// No key of the issuer has this `kid`.
    #[error("the token is signed with a key that its issuer does not publish (`kid` unknown)")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// Another issuer.
    #[error("the token comes from another issuer (`iss`)")]
    WrongIssuer,
    /// Meant for somebody else.
    #[error("the token is for another audience (`aud`, `azp`)")]
    WrongAudience,
    /// An ID token where an access token is due, or the reverse.
    #[error("the token is of another type (`typ`): an access token cannot stand for an ID token, nor the reverse")]
    WrongType,
    /// Over.
    #[error("the token is expired (`exp`)")]
    Expired,
    /// Not begun.
    #[error("the token is not valid yet (`nbf`)")]
    NotYetValid,
    /// Issued later than now: clocks differ by more than the leeway.
    #[error("the token was issued in the future (`iat`): check both clocks")]
    IssuedInFuture,
    /// A claim that must be there.
    #[error("the token has no `{0}`")]
    MissingClaim(&'static str),
    /// Bound to another certificate than the one shown.
    #[error("the token is bound to another client certificate (`cnf.x5t#S256`, RFC 8705 §3)")]
    WrongCertificate,
    /// Bound to a certificate, and none was shown.
    #[error("the token is bound to a client certificate and none was shown (RFC 8705 §3)")]
    CertificateRequired,
    /// The issuer's keys cannot be read now: nothing is known about the token.
    #[error("the issuer's keys cannot be read now: {0}")]
    KeysUnavailable(String),
}

impl TokenError {
    /// A short stable name, for logs and for answers.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown-key",
            Self::BadSignature => "bad-signature",
            Self::WrongIssuer => "wrong-issuer",
            Self::WrongAudience => "wrong-audience",
            Self::WrongType => "wrong-type",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::IssuedInFuture => "issued-in-future",
            Self::MissingClaim(_) => "missing-claim",
            Self::WrongCertificate => "wrong-certificate",
            Self::CertificateRequired => "certificate-required",
            Self::KeysUnavailable(_) => "keys-unavailable",
        }
    }

    /// Is it our trouble rather than the token's? Then the answer is 503 and not 401.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::KeysUnavailable(_))
    }
}
