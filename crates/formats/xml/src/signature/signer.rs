//! A private key with its certificates, parsed once.

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::rand_core::OsRng;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::Algorithm;
use super::algorithm::DigestMethod;
use super::certificate::Leaf;

/// Signs for one person or organisation. Parse once, keep, share between threads.
pub struct Signer {
    chain: Vec<Vec<u8>>,
    key: RsaKeyPair,
    /// The same key for SHA-1, which ring does not sign with.
    sha1_key: RsaPrivateKey,
    random: SystemRandom,
}

/// `DigestInfo` of SHA-1 before the digest itself (RFC 8017 §9.2).
const SHA1_PREFIX: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

impl Signer {
    /// From PEM: certificates, leaf first, and the key (`PRIVATE KEY` or `RSA PRIVATE KEY`, not encrypted).
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn from_pem(chain_pem: &[u8], key_pem: &[u8]) -> Result<Self, SignerError> {
        let chain: Result<Vec<Vec<u8>>, _> =
            CertificateDer::pem_slice_iter(chain_pem).map(|c| c.map(|c| c.as_ref().to_vec())).collect();
        let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| SignerError::Key)?;
        Self::from_der(chain.map_err(|_| SignerError::Certificate)?, key.secret_der())
    }

    /// From DER: certificates, leaf first, and the key in PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn from_der(chain: Vec<Vec<u8>>, key: &[u8]) -> Result<Self, SignerError> {
        let leaf = chain.first().and_then(|der| Leaf::parse(der)).ok_or(SignerError::Certificate)?;
        let pair = RsaKeyPair::from_pkcs8(key).or_else(|_| RsaKeyPair::from_der(key)).map_err(|_| SignerError::Key)?;
        let sha1_key = RsaPrivateKey::from_pkcs8_der(key)
            .or_else(|_| RsaPrivateKey::from_pkcs1_der(key))
            .map_err(|_| SignerError::Key)?;
        let of_certificate = leaf.public_key().map_err(|_| SignerError::Certificate)?;
        if of_certificate.bits != pair.public_key().as_ref() {
            return Err(SignerError::Mismatch);
        }
        Ok(Self { chain, key: pair, sha1_key, random: SystemRandom::new() })
    }

    /// Certificate of the key, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        self.chain.first().map(Vec::as_slice).unwrap_or_default()
    }

    /// All certificates, leaf first, DER.
    #[must_use]
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// Signature value over a message.
    pub(super) fn value(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match algorithm {
            Algorithm::RsaSha256 => {
                let mut value = vec![0; self.key.public().modulus_len()];
                self.key.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut value).map_err(|_| SignError::Key)?;
                Ok(value)
            }
            Algorithm::RsaSha1 => {
                let padding = Pkcs1v15Sign { hash_len: Some(20), prefix: Box::new(SHA1_PREFIX) };
                let digest = DigestMethod::Sha1.of_bytes(message);
                self.sha1_key.sign_with_rng(&mut OsRng, padding, &digest).map_err(|_| SignError::Key)
            }
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// No private RSA key could be read.
    #[error("no RSA private key of 2048 to 4096 bits could be read (PKCS#8 or PKCS#1, not encrypted)")]
    Key,
    /// No certificate could be read.
    #[error("no certificate could be read")]
    Certificate,
    /// The key is not the certificate's.
    #[error("the private key does not belong to the certificate")]
    Mismatch,
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The template is not readable.
    #[error("the template is not readable: {0}")]
    Xml(#[from] crate::XmlError),
    /// Not exactly one `ds:Signature` template in the document.
    #[error("{found} empty ds:Signature templates in the document, exactly one is expected")]
    NoTemplate {
        /// How many there are.
        found: usize,
    },
    /// The template is not one that can be filled.
    #[error("the ds:Signature template cannot be filled: {0}")]
    Template(String),
    /// The key failed.
    #[error("the private key could not sign")]
    Key,
}
