use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Request, StatusCode, Uri};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;

use super::jws::{Algorithm, Compact};
use super::{Issuer, TokenError};
use crate::https::{Body, HttpsClient};

/// Most keys read from one set.
const KEYS_MAX: usize = 64;

/// The public keys of an issuer (RFC 7517 §5), those that can verify what we accept.
#[derive(Debug, Clone, Default)]
pub struct Jwks {
    keys: Vec<Key>,
}

#[derive(Debug, Clone)]
struct Key {
    kid: Option<String>,
    /// The only algorithm this key may be used with, when its owner says so.
    only: Option<Algorithm>,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// An uncompressed point.
    P256(Vec<u8>),
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

impl Jwks {
    /// Reads a JWK set. Keys for encryption, of other kinds or malformed are left out (RFC 7517 §5).
    ///
    /// # Errors
    /// [`TokenError::KeysUnavailable`] when it is not a JWK set or holds no usable key.
    pub fn parse(json: &[u8]) -> Result<Self, TokenError> {
        let set: Set = serde_json::from_slice(json)
            .map_err(|_| TokenError::KeysUnavailable("not a JWK set (RFC 7517 §5)".to_owned()))?;
        let keys: Vec<_> = set.keys.into_iter().take(KEYS_MAX).filter_map(Key::read).collect();
        if keys.is_empty() {
            return Err(TokenError::KeysUnavailable("no key to verify RS256, PS256 or ES256 with".to_owned()));
        }
        Ok(Self { keys })
    }

    pub(super) fn knows(&self, token: &Compact<'_>) -> bool {
        self.find(token).is_some()
    }

    pub(super) fn verify(&self, token: &Compact<'_>) -> Result<(), TokenError> {
        self.find(token).ok_or(TokenError::UnknownKey)?.verify(token)
    }

    /// By `kid`. A token without one is verified only where there is no choice.
    fn find(&self, token: &Compact<'_>) -> Option<&Key> {
        match (&token.kid, self.keys.as_slice()) {
            (Some(kid), keys) => keys.iter().find(|key| key.kid.as_ref() == Some(kid)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

impl Key {
    fn read(json: serde_json::Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(json).ok()?;
        if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let only = match jwk.alg.as_deref() {
            None => None,
            Some(name) => Some(Algorithm::parse(name)?),
        };
        let bytes = |part: Option<String>| URL_SAFE_NO_PAD.decode(part?).ok();
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Material::Rsa(RsaPublicKeyComponents { n: bytes(jwk.n)?, e: bytes(jwk.e)? }),
            ("EC", Some("P-256")) => Material::P256(point(&bytes(jwk.x)?, &bytes(jwk.y)?)?),
            _ => return None,
        };
        Some(Self { kid: jwk.kid, only, material })
    }

    fn verify(&self, token: &Compact<'_>) -> Result<(), TokenError> {
        if self.only.is_some_and(|only| only != token.algorithm) {
            return Err(TokenError::Algorithm);
        }
        let (message, signature) = (token.signed.as_bytes(), token.signature.as_slice());
        let verified = match (&self.material, token.algorithm) {
            (Material::Rsa(key), Algorithm::Rs256) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
            (Material::Rsa(key), Algorithm::Ps256) => key.verify(&RSA_PSS_2048_8192_SHA256, message, signature),
            (Material::P256(key), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message, signature)
            }
            _ => return Err(TokenError::Algorithm),
        };
        verified.map_err(|_| TokenError::BadSignature)
    }
}

fn point(x: &[u8], y: &[u8]) -> Option<Vec<u8>> {
    (x.len() == 32 && y.len() == 32).then(|| [&[4], x, y].concat())
}

/// A set being loaded.
pub type Loading<'a> = Pin<Box<dyn Future<Output = Result<Jwks, TokenError>> + Send + 'a>>;

/// Where an issuer's keys are read, again when a token names an unknown one.
pub trait KeySource: Send + Sync {
    /// Reads the keys now.
    fn load(&self) -> Loading<'_>;
}

/// Keys that do not change.
impl KeySource for Jwks {
    fn load(&self) -> Loading<'_> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}

/// Our own keys.
impl KeySource for Arc<Issuer> {
    fn load(&self) -> Loading<'_> {
        Box::pin(std::future::ready(Jwks::parse(self.jwks().as_bytes())))
    }
}

/// Keys published at a URL (`jwks_uri`).
#[derive(Debug, Clone)]
pub struct RemoteKeys {
    client: HttpsClient,
    url: Uri,
}

impl RemoteKeys {
    /// Keys read with `client` at `url`.
    #[must_use]
    pub const fn new(client: HttpsClient, url: Uri) -> Self {
        Self { client, url }
    }

    async fn fetch(&self) -> Result<Jwks, TokenError> {
        let unavailable = |reason: String| TokenError::KeysUnavailable(reason);
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = self.url.clone();
        let answer = self.client.send(request).await.map_err(|e| unavailable(e.to_string()))?;
        if answer.status() != StatusCode::OK {
            return Err(unavailable(format!("{} answered {}", self.url, answer.status())));
        }
        Jwks::parse(answer.body())
    }
}

impl KeySource for RemoteKeys {
    fn load(&self) -> Loading<'_> {
        Box::pin(self.fetch())
    }
}
