use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// A proof key for code exchange, method S256 (RFC 7636).
pub struct Pkce {
    verifier: String,
}

impl Pkce {
    /// A new one, of 256 random bits.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new() -> Result<Self, ring::error::Unspecified> {
        Ok(Self { verifier: random()? })
    }

    /// The verifier kept from before.
    #[must_use]
    pub const fn from_verifier(verifier: String) -> Self {
        Self { verifier }
    }

    /// The secret, for the token request.
    #[must_use]
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// What the authorization request shows.
    #[must_use]
    pub fn challenge(&self) -> String {
        challenge_of(&self.verifier)
    }
}

/// `BASE64URL(SHA256(verifier))` (RFC 7636 §4.2).
#[must_use]
pub fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// 256 random bits, base64url.
pub(crate) fn random() -> Result<String, ring::error::Unspecified> {
    let mut bytes = [0u8; 32];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_that_of_the_standard() {
        let pkce = Pkce::from_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into());
        assert_eq!(pkce.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn verifiers_are_long_and_never_the_same() {
        let (a, b) = (Pkce::new().unwrap(), Pkce::new().unwrap());
        assert_eq!(a.verifier().len(), 43);
        assert_ne!(a.verifier(), b.verifier());
    }
}
