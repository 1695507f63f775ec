use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use socle_identity::{Environment, EnvironmentMix};

use crate::{Certificate, CertificateError};

/// Largest PEM file read.
const FILE_MAX: u64 = 1024 * 1024;
/// Longest chain read.
const CHAIN_MAX: usize = 10;

/// A certificate, the chain that leads to its authority, and its private key.
///
/// Built only when the key is the certificate's. Cheap to clone. The key never shows in `Debug`.
#[derive(Clone)]
pub struct Credentials {
    certified: Arc<CertifiedKey>,
    key: Arc<PrivateKeyDer<'static>>,
    certificate: Arc<Certificate>,
}

impl Credentials {
    /// Certificate (leaf first) and private key (PKCS#8, PKCS#1 or SEC1) from PEM files; one file may
    /// hold both.
    ///
    /// # Errors
    /// [`CredentialsError`] naming the file, among which a certificate of another environment.
    pub fn from_pem_files(certificate: &Path, key: &Path, environment: Environment) -> Result<Self, CredentialsError> {
        let credentials =
            Self::from_pem(&read_file(certificate)?, &read_file(key)?).map_err(|e| e.in_file(certificate))?;
        credentials
            .certificate
            .admit(environment)
            .map_err(|mix| CredentialsError::Environment { file: certificate.display().to_string(), mix })?;
        Ok(credentials)
    }

    /// Certificate, chain and private key from a PKCS#12 file, as IGC-Santé delivers them.
    ///
    /// # Errors
    /// [`CredentialsError`] naming the file, among which a wrong password.
    pub fn from_pkcs12_file(file: &Path, password: &str, environment: Environment) -> Result<Self, CredentialsError> {
        let source = file.display().to_string();
        let credentials = Self::from_pkcs12(&read_file(file)?, password)
            .ok_or_else(|| CredentialsError::Pkcs12 { file: source.clone() })?;
        let admitted = credentials.certificate.admit(environment);
        admitted.map_err(|mix| CredentialsError::Environment { file: source, mix })?;
        Ok(credentials)
    }

    /// The bags of a PKCS#12 have no order: the leaf is the certificate of the key, its chain follows
    /// the issuers' names.
    fn from_pkcs12(bytes: &[u8], password: &str) -> Option<Self> {
        let bags = p12_keystore::Pkcs12Archive::from_pkcs12(bytes, password).ok()?;
        let key = PrivateKeyDer::Pkcs8(bags.keys.first()?.key.as_der().to_vec().into());
        let mut left: Vec<_> =
            bags.certs.iter().filter_map(|bag| Certificate::from_der(bag.cert.as_der()).ok()).collect();
        let is_leaf = |c: &Certificate| Self::new(vec![c.der().clone()], key.clone_key()).is_ok();
        let mut chain = vec![left.swap_remove(left.iter().position(is_leaf)?)];
        while let Some(at) = chain.last().and_then(|last| left.iter().position(|c| c.subject() == last.issuer())) {
            chain.push(left.swap_remove(at));
        }
        Self::new(chain.iter().map(|c| c.der().clone()).collect(), key).ok()
    }

    /// Certificate (leaf first) and private key from PEM texts.
    ///
    /// # Errors
    /// [`CredentialsError`].
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CredentialsError> {
        let chain = read_certificates(chain, "the certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| CredentialsError::NotPem { file: "the key".to_owned(), what: "a private key" })?;
        Self::new(chain, key)
    }

    /// Certificate (leaf first) and private key from DER.
    ///
    /// # Errors
    /// [`CredentialsError`].
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, CredentialsError> {
        let leaf = chain
            .first()
            .ok_or_else(|| CredentialsError::NotPem { file: "the certificate".to_owned(), what: "a certificate" })?;
        let certificate = Certificate::from_der(leaf)
            .map_err(|error| CredentialsError::Certificate { file: "the certificate".to_owned(), error })?;
        let signing = any_supported_type(&key).map_err(|_| CredentialsError::Key)?;
        let certified = CertifiedKey::new(chain, signing);
        certified.keys_match().map_err(|_| CredentialsError::KeyMismatch)?;
        Ok(Self { certified: Arc::new(certified), key: Arc::new(key), certificate: Arc::new(certificate) })
    }

    /// The leaf.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The chain, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    /// The private key.
    #[must_use]
    pub fn key(&self) -> &PrivateKeyDer<'static> {
        &self.key
    }

    /// The chain as PEM, leaf first.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        self.chain().iter().map(|der| pem("CERTIFICATE", der)).collect()
    }

    /// The private key as PEM. Handle as a secret.
    #[must_use]
    pub fn key_pem(&self) -> String {
        let label = match *self.key {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        pem(label, self.key.secret_der())
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// A PEM block (RFC 7468), 64 characters a line.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = String::with_capacity(text.len() + text.len() / 64 + 64);
    out.push_str("-----BEGIN ");
    out.push_str(label);
    out.push_str("-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}

pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, CredentialsError> {
    read_file_up_to(path, FILE_MAX)
}

pub(crate) fn read_file_up_to(path: &Path, limit: u64) -> Result<Vec<u8>, CredentialsError> {
    let failed = |error: String| CredentialsError::File { file: path.display().to_string(), error };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > limit {
        return Err(failed(format!("larger than {limit} bytes")));
    }
    Ok(bytes)
}

pub(crate) fn read_certificates(pem: &[u8], source: &str) -> Result<Vec<CertificateDer<'static>>, CredentialsError> {
    let not_pem = || CredentialsError::NotPem { file: source.to_owned(), what: "a certificate" };
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(pem).take(CHAIN_MAX).collect::<Result<_, _>>().map_err(|_| not_pem())?;
    if chain.is_empty() { Err(not_pem()) } else { Ok(chain) }
}

/// Why keys or certificates were refused. `file` is the file, or what the bytes were given as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// The file does not read.
    #[error("{file}: {error}")]
    File {
        /// The file.
        file: String,
        /// The system's words.
        error: String,
    },
    /// No such PEM block in it.
    #[error("{file} holds no PEM block of {what} (RFC 7468)")]
    NotPem {
        /// The file.
        file: String,
        /// What was looked for.
        what: &'static str,
    },
    /// The certificate does not parse.
    #[error("{file}: {error}")]
    Certificate {
        /// The file.
        file: String,
        /// What is wrong with it.
        error: CertificateError,
    },
    /// A certificate of another world.
    #[error("{file}: {mix}")]
    Environment {
        /// The file.
        file: String,
        /// Where it belongs and where it was to be used.
        mix: EnvironmentMix,
    },
    /// An anchor that may not sign certificates.
    #[error("{file} is not an authority's certificate (basic constraints, RFC 5280 §4.2.1.9)")]
    NotAuthority {
        /// The file.
        file: String,
    },
    /// Anchors without a self-signed certificate.
    #[error("no root among the authorities: a self-signed certificate is needed")]
    NoRoot,
    /// An authority that the chain verifier does not take.
    #[error("an authority's certificate is not usable: {0}")]
    Authority(String),
    /// Not a certificate revocation list.
    #[error("{file} is not a revocation list of version 2 (RFC 5280 §5): {error}")]
    RevocationList {
        /// The file.
        file: String,
        /// What is wrong with it.
        error: String,
    },
    /// A PKCS#12 that does not open.
    #[error("{file} does not open: wrong password, or not a PKCS#12 with a key and its certificate (RFC 7292)")]
    Pkcs12 {
        /// The file.
        file: String,
    },
    /// Not a key that we use.
    #[error("the private key is neither RSA of 2048 bits or more nor ECDSA P-256/P-384, in PKCS#8, PKCS#1 or SEC1")]
    Key,
    /// The key is another certificate's.
    #[error("the private key is not the certificate's")]
    KeyMismatch,
}

impl CredentialsError {
    /// Names the file in an error that knew only bytes.
    fn in_file(self, path: &Path) -> Self {
        let file = path.display().to_string();
        match self {
            Self::NotPem { what, .. } => Self::NotPem { file, what },
            Self::Certificate { error, .. } => Self::Certificate { file, error },
            other => other,
        }
    }
}
