use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde::Serialize;

use super::jws;
use crate::certificate::sha256;
use crate::pki::keys;

/// Keys still published after they stopped signing: enough for tokens that outlive two rotations.
const PREVIOUS_MAX: usize = 2;

/// Signs tokens RS256 under one issuer name, and publishes the keys to verify them.
pub struct Issuer {
    name: String,
    /// The first signs; the others are published until their tokens are over.
    keys: RwLock<Vec<Arc<SigningKey>>>,
}

impl Issuer {
    /// An issuer called `name` (its URL: the `iss` of its tokens).
    #[must_use]
    pub fn new(name: &str, key: SigningKey) -> Self {
        Self { name: name.to_owned(), keys: RwLock::new(vec![Arc::new(key)]) }
    }

    /// The `iss` that its tokens must hold.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Signs `claims`, which hold their own `iss`, `exp`…; `typ` goes to the header (`JWT`, `at+jwt`).
    ///
    /// # Errors
    /// [`SigningKeyError`] when the claims are no JSON or signing fails.
    pub fn sign(&self, claims: &impl Serialize, typ: &str) -> Result<String, SigningKeyError> {
        let payload = serde_json::to_vec(claims).map_err(|e| SigningKeyError::Claims(e.to_string()))?;
        let key = self.keys.read().unwrap_or_else(PoisonError::into_inner).first().cloned();
        key.ok_or(SigningKeyError::Sign)?.sign(typ, &payload)
    }

    /// The JWK set to publish.
    #[must_use]
    pub fn jwks(&self) -> String {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    /// Signs with `key` from now on; earlier keys stay published, two of them.
    pub fn rotate(&self, key: SigningKey) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(0, Arc::new(key));
        keys.truncate(1 + PREVIOUS_MAX);
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An RSA key that signs tokens, named by its thumbprint (RFC 7638).
pub struct SigningKey {
    pair: KeyPair,
    kid: String,
    n: String,
    e: String,
}

impl SigningKey {
    /// A new RSA 2048 key. Blocking: a fraction of a second.
    ///
    /// # Errors
    /// [`SigningKeyError`] when it cannot be made.
    pub fn generate() -> Result<Self, SigningKeyError> {
        Self::from_pkcs8(&keys::generate().map_err(SigningKeyError::Make)?)
    }

    /// The key of a PEM file, made if the file does not exist. Blocking.
    ///
    /// # Errors
    /// [`SigningKeyError`] naming the file.
    pub fn open_or_create(file: &Path) -> Result<Self, SigningKeyError> {
        Self::from_pkcs8(&keys::open_or_create(file).map_err(SigningKeyError::Make)?)
    }

    /// A key from PKCS#8 DER.
    ///
    /// # Errors
    /// [`SigningKeyError::Key`] when it is not RSA of 2048 to 4096 bits.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, SigningKeyError> {
        let pair = KeyPair::from_pkcs8(der).map_err(|_| SigningKeyError::Key)?;
        let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
        let (n, e) = (URL_SAFE_NO_PAD.encode(public.n), URL_SAFE_NO_PAD.encode(public.e));
        let kid = URL_SAFE_NO_PAD.encode(sha256(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes()));
        Ok(Self { pair, kid, n, e })
    }

    /// The key's name in tokens and in the set.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    fn jwk(&self) -> serde_json::Value {
        serde_json::json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": self.n, "e": self.e,
        })
    }

    fn sign(&self, typ: &str, payload: &[u8]) -> Result<String, SigningKeyError> {
        let header = serde_json::json!({ "alg": "RS256", "typ": typ, "kid": self.kid }).to_string();
        let mut token = jws::signing_input(&header, payload);
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| SigningKeyError::Sign)?;
        jws::append_signature(&mut token, &signature);
        Ok(token)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// Why a key is not usable or a token was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// Not an RSA private key of 2048 to 4096 bits in PKCS#8.
    #[error("the signing key is not RSA of 2048 to 4096 bits in PKCS#8")]
    Key,
    /// It could not be made, read or kept.
    #[error(transparent)]
    Make(crate::pki::PkiError),
    /// The claims are not JSON.
    #[error("the claims have no JSON form: {0}")]
    Claims(String),
    /// ring refused to sign.
    #[error("the token could not be signed")]
    Sign,
}
