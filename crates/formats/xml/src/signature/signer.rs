//! A private key with its certificates, parsed once.

use std::fmt;

/// Signs for one person or organisation. Parse once, keep, share between threads.
pub struct Signer {
    chain: Vec<Vec<u8>>,
}

impl Signer {
    /// From PEM: certificates, leaf first, and the key (PKCS#8, or PKCS#1 "RSA PRIVATE KEY").
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn from_pem(chain_pem: &[u8], key_pem: &[u8]) -> Result<Self, SignerError> {
        let _ = (chain_pem, key_pem);
        Err(SignerError::Key)
    }

    /// From DER: certificates, leaf first, and the key in PKCS#8.
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn from_der(chain: Vec<Vec<u8>>, pkcs8: &[u8]) -> Result<Self, SignerError> {
        let _ = (chain, pkcs8);
        Err(SignerError::Key)
    }

    /// From PKCS#12, as IGC-Santé delivers it.
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn from_pkcs12(bytes: &[u8], password: &str) -> Result<Self, SignerError> {
        let _ = (bytes, password);
        Err(SignerError::Key)
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
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// No private RSA key of 2048 to 4096 bits could be read.
    #[error("no RSA private key of 2048 to 4096 bits (PKCS#8 or PKCS#1) could be read")]
    Key,
    /// No certificate could be read.
    #[error("no certificate could be read")]
    Certificate,
    /// The key is not the certificate's.
    #[error("the private key does not belong to the certificate")]
    Mismatch,
    /// Wrong password or broken PKCS#12.
    #[error("the PKCS#12 file could not be opened: wrong password or not PKCS#12")]
    Pkcs12,
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// No `ds:Signature` template in the document.
    #[error("the document holds no ds:Signature template")]
    NoTemplate,
}
