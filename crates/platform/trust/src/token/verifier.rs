use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::jws::{self, Compact};
use super::{Claims, Jwks, KeySource, TokenError};
use crate::certificate::sha256;

/// Clocks may differ by this much.
const LEEWAY: SignedDuration = SignedDuration::from_secs(30);
/// An unknown `kid` makes the keys be read again, at most this often: a forged `kid` costs nothing.
const RELOAD_MIN: Duration = Duration::from_secs(10);
/// Keys older than this are read again, so that a withdrawn key ends.
const RELOAD_MAX: Duration = Duration::from_secs(900);
/// Verified tokens kept per generation of the cache (there are two).
const CACHE_HALF: usize = 2048;

/// What kind of token is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Access token: the audience is in `aud` or `azp` (Keycloak puts the client in `azp`).
    Access,
    /// ID token: the client is in `aud`, and is `azp` if there is one (OpenID Connect Core §3.1.3.7).
    Id,
}

/// What a token must be.
#[derive(Debug, Clone)]
pub struct Expected {
    /// `iss`, exactly.
    pub issuer: String,
    /// At least one of these is the audience. None here, no token passes.
    pub audiences: Vec<String>,
    /// Access or ID token.
    pub kind: TokenKind,
}

/// Verifies the tokens of one issuer, for one kind of use.
///
/// A token seen before costs one SHA-256 and no RSA; its dates are checked again each time.
pub struct Verifier {
    expected: Expected,
    source: Box<dyn KeySource>,
    state: RwLock<Keys>,
    reloading: tokio::sync::Mutex<()>,
    seen: Mutex<Seen>,
}

#[derive(Clone, Default)]
struct Keys {
    set: Arc<Jwks>,
    /// When the last attempt to read them began, failed or not.
    tried: Option<Instant>,
    /// When they were last read.
    read: Option<Instant>,
}

impl Keys {
    fn is_fresh(&self) -> bool {
        self.read.is_some_and(|read| read.elapsed() < RELOAD_MAX)
    }
}

impl Verifier {
    /// A verifier that reads the issuer's keys at the first token.
    pub fn new(expected: Expected, source: impl KeySource + 'static) -> Self {
        Self {
            expected,
            source: Box::new(source),
            state: RwLock::default(),
            reloading: tokio::sync::Mutex::default(),
            seen: Mutex::default(),
        }
    }

    /// Verifies a token at `now`.
    ///
    /// # Errors
    /// [`TokenError`] names the first refusal: form, key, signature, then issuer, type, audience, dates.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Claims>, TokenError> {
        let digest = sha256(token.as_bytes());
        if let Some(claims) = self.remembered(&digest) {
            check_dates(&claims, now)?;
            return Ok(claims);
        }
        let compact = jws::parse(token)?;
        let keys = self.keys_for(&compact).await?;
        keys.verify(&compact)?;
        let claims = Arc::new(self.accept(&compact, now)?);
        self.seen().put(digest, Arc::clone(&claims));
        Ok(claims)
    }

    /// A token verified with keys that are not due to be read again.
    fn remembered(&self, digest: &[u8; 32]) -> Option<Arc<Claims>> {
        self.keys().is_fresh().then(|| self.seen().get(digest)).flatten()
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> Keys {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keys, read again when they are old or do not hold the token's.
    async fn keys_for(&self, token: &Compact<'_>) -> Result<Arc<Jwks>, TokenError> {
        let usable = |keys: &Keys| keys.is_fresh() && keys.set.knows(token);
        let may_try = |keys: &Keys| keys.tried.is_none_or(|tried| tried.elapsed() >= RELOAD_MIN);
        let keys = self.keys();
        if usable(&keys) || (keys.read.is_some() && !may_try(&keys)) {
            return Ok(keys.set);
        }
        let _one_at_a_time = self.reloading.lock().await;
        let keys = self.keys();
        if usable(&keys) {
            return Ok(keys.set);
        }
        if may_try(&keys) {
            return self.reload(keys).await;
        }
        if keys.read.is_some() { Ok(keys.set) } else { Err(never_read()) }
    }

    /// Keys that were good stay in use when the issuer does not answer.
    async fn reload(&self, old: Keys) -> Result<Arc<Jwks>, TokenError> {
        let tried = Some(Instant::now());
        match self.source.load().await {
            Ok(set) => {
                let set = Arc::new(set);
                self.set_keys(Keys { set: Arc::clone(&set), tried, read: tried });
                *self.seen() = Seen::default();
                Ok(set)
            }
            Err(error) => {
                tracing::warn!(issuer = self.expected.issuer, %error, "the issuer's keys could not be read");
                self.set_keys(Keys { tried, ..old.clone() });
                if old.read.is_some() { Ok(old.set) } else { Err(error) }
            }
        }
    }

    fn set_keys(&self, keys: Keys) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Checks the content of a token whose signature is right.
    fn accept(&self, token: &Compact<'_>, now: Timestamp) -> Result<Claims, TokenError> {
        let claims = read_claims(&token.payload)?;
        if claims.iss != self.expected.issuer {
            return Err(TokenError::WrongIssuer);
        }
        self.check_type(token, &claims)?;
        self.check_audience(&claims)?;
        check_dates(&claims, now)?;
        Ok(claims)
    }

    /// `typ` of the header (RFC 8725 §3.11) and Keycloak's claim of that name.
    fn check_type(&self, token: &Compact<'_>, claims: &Claims) -> Result<(), TokenError> {
        let header = token.typ.as_deref().map(|typ| typ.trim_start_matches("application/").to_ascii_lowercase());
        let (headers, claim) = match self.expected.kind {
            TokenKind::Access => (["jwt", "at+jwt"].as_slice(), "Bearer"),
            TokenKind::Id => (["jwt"].as_slice(), "ID"),
        };
        let header_fits = header.is_none_or(|header| headers.contains(&header.as_str()));
        let claim_fits = claims.typ.as_deref().is_none_or(|typ| typ == claim);
        if header_fits && claim_fits { Ok(()) } else { Err(TokenError::WrongType) }
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), TokenError> {
        let ours = |audience: &String| self.expected.audiences.contains(audience);
        let fits = match self.expected.kind {
            TokenKind::Access => claims.aud.iter().chain(&claims.azp).any(ours),
            TokenKind::Id => claims.aud.iter().any(ours) && claims.azp.as_ref().is_none_or(ours),
        };
        if fits { Ok(()) } else { Err(TokenError::WrongAudience) }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("expected", &self.expected).finish_non_exhaustive()
    }
}

fn never_read() -> TokenError {
    TokenError::KeysUnavailable("the last attempt failed less than 10 s ago".to_owned())
}

/// A missing claim and a malformed one are different faults of whoever wrote the token.
fn read_claims(payload: &[u8]) -> Result<Claims, TokenError> {
    serde_json::from_slice(payload).map_err(|_| {
        let json: serde_json::Value = serde_json::from_slice(payload).unwrap_or_default();
        if !json.is_object() {
            return TokenError::Malformed("the payload is not a JSON object");
        }
        ["iss", "sub", "exp"]
            .into_iter()
            .find(|name| json.get(name).is_none())
            .map_or(TokenError::Malformed("a claim has the wrong type"), TokenError::MissingClaim)
    })
}

fn check_dates(claims: &Claims, now: Timestamp) -> Result<(), TokenError> {
    // A time near the end of the calendar cannot be shifted: then the bound itself is compared.
    let (past, future) = (now.checked_sub(LEEWAY).unwrap_or(now), now.checked_add(LEEWAY).unwrap_or(now));
    if claims.exp <= past {
        return Err(TokenError::Expired);
    }
    if claims.nbf.is_some_and(|nbf| nbf > future) {
        return Err(TokenError::NotYetValid);
    }
    if claims.iat.is_some_and(|iat| iat > future) {
        return Err(TokenError::IssuedInFuture);
    }
    Ok(())
}

/// Tokens verified before, in two generations: when the young one is full, the old one goes.
#[derive(Default)]
struct Seen {
    young: HashMap<[u8; 32], Arc<Claims>>,
    old: HashMap<[u8; 32], Arc<Claims>>,
}

impl Seen {
    fn get(&mut self, digest: &[u8; 32]) -> Option<Arc<Claims>> {
        if let Some(claims) = self.young.get(digest) {
            return Some(Arc::clone(claims));
        }
        let claims = self.old.remove(digest)?;
        self.put(*digest, Arc::clone(&claims));
        Some(claims)
    }

    fn put(&mut self, digest: [u8; 32], claims: Arc<Claims>) {
        if self.young.len() >= CACHE_HALF {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, claims);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(jti: usize) -> Arc<Claims> {
        Arc::new(
            serde_json::from_value(serde_json::json!({ "iss": "i", "sub": "s", "exp": 9, "jti": jti.to_string() }))
                .unwrap(),
        )
    }

    #[test]
    fn the_memory_of_tokens_is_bounded_and_keeps_those_in_use() {
        let digest = |n: usize| sha256(&n.to_be_bytes());
        let mut seen = Seen::default();
        seen.put(digest(0), claims(0));
        for n in 1..10 * CACHE_HALF {
            seen.put(digest(n), claims(n));
            assert!(seen.young.len() + seen.old.len() <= 2 * CACHE_HALF);
            assert_eq!(seen.get(&digest(0)).unwrap().jti.as_deref(), Some("0"), "used all the time, at {n}");
        }
        assert!(seen.get(&digest(1)).is_none(), "not used since, gone");
    }
}
