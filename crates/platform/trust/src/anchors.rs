use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor};
use socle_identity::Environment;
use webpki::{CertRevocationList, OwnedCertRevocationList};

use crate::credentials::{read_certificates, read_file, read_file_up_to};
use crate::{Certificate, CredentialsError};

/// Largest revocation list read.
const LIST_MAX: u64 = 64 * 1024 * 1024;

/// The authorities that one environment trusts: roots, and the intermediates that help to reach them.
///
/// A self-signed authority is a root; another authority is an intermediate, never trusted by itself.
///
/// With revocation lists, a revoked certificate is refused everywhere. Where an authority has no list,
/// or its list is over, [`crate::chain`] refuses a signature and TLS goes on (IGC-Santé publishes
/// daily, and a handshake must not depend on a download). Without any list, revocation is not checked.
#[derive(Clone)]
pub struct Anchors {
    environment: Environment,
    roots: Arc<[TrustAnchor<'static>]>,
    intermediates: Arc<[CertificateDer<'static>]>,
    certificates: Arc<[Certificate]>,
    lists: Arc<[CertificateRevocationListDer<'static>]>,
    parsed_lists: Arc<[CertRevocationList<'static>]>,
}

impl Anchors {
    /// Authorities from PEM files (several certificates per file allowed).
    ///
    /// # Errors
    /// [`CredentialsError`] naming the file: unreadable, not PEM, not an authority, of another
    /// environment; or no root among them.
    pub fn from_pem_files(files: &[impl AsRef<Path>], environment: Environment) -> Result<Self, CredentialsError> {
        let mut all = Vec::new();
        for file in files {
            let file = file.as_ref();
            let source = file.display().to_string();
            for der in read_certificates(&read_file(file)?, &source)? {
                all.push(authority(&der, environment, &source)?);
            }
        }
        Self::build(all, environment)
    }

    /// Authorities from DER.
    ///
    /// # Errors
    /// As [`Self::from_pem_files`].
    pub fn from_der(
        authorities: &[CertificateDer<'_>],
        environment: Environment,
        source: &str,
    ) -> Result<Self, CredentialsError> {
        let all = authorities.iter().map(|der| authority(der, environment, source)).collect::<Result<_, _>>()?;
        Self::build(all, environment)
    }

    fn build(all: Vec<Certificate>, environment: Environment) -> Result<Self, CredentialsError> {
        let (roots, others): (Vec<_>, Vec<_>) = all.iter().partition(|c| c.subject() == c.issuer());
        if roots.is_empty() {
            return Err(CredentialsError::NoRoot);
        }
        let anchor = |c: &&Certificate| webpki::anchor_from_trusted_cert(c.der()).map(|anchor| anchor.to_owned());
        let roots = roots
            .iter()
            .map(anchor)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| CredentialsError::Authority(e.to_string()))?;
        let intermediates = others.iter().map(|c| c.der().clone()).collect();
        Ok(Self {
            environment,
            roots: roots.into(),
            intermediates,
            certificates: all.into(),
            lists: Arc::default(),
            parsed_lists: Arc::default(),
        })
    }

    /// The same authorities with the revocation lists of these files (DER as published, or PEM), which
    /// replace earlier ones.
    ///
    /// # Errors
    /// [`CredentialsError`] naming the file: unreadable, over 64 MB, or not a list of version 2.
    pub fn with_revocation_lists(self, files: &[impl AsRef<Path>]) -> Result<Self, CredentialsError> {
        let (mut lists, mut parsed) = (Vec::new(), Vec::new());
        for file in files {
            let file = file.as_ref();
            let bytes = read_file_up_to(file, LIST_MAX)?;
            let der = CertificateRevocationListDer::from_pem_slice(&bytes).unwrap_or_else(|_| bytes.into());
            let list = OwnedCertRevocationList::from_der(&der).map_err(|e| CredentialsError::RevocationList {
                file: file.display().to_string(),
                error: e.to_string(),
            })?;
            parsed.push(CertRevocationList::from(list));
            lists.push(der);
        }
        Ok(Self { lists: lists.into(), parsed_lists: parsed.into(), ..self })
    }

    /// The world these authorities belong to.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// Every authority, roots and intermediates.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The same authorities as PEM, for the clients of a twin.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.certificates.iter().map(|c| crate::credentials::pem("CERTIFICATE", c.der())).collect()
    }

    pub(crate) fn roots(&self) -> &[TrustAnchor<'static>] {
        &self.roots
    }

    pub(crate) fn revocation_lists(&self) -> &[CertificateRevocationListDer<'static>] {
        &self.lists
    }

    pub(crate) fn parsed_revocation_lists(&self) -> &[CertRevocationList<'static>] {
        &self.parsed_lists
    }

    pub(crate) fn intermediates(&self) -> &[CertificateDer<'static>] {
        &self.intermediates
    }
}

impl fmt::Debug for Anchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Anchors")
            .field("environment", &self.environment)
            .field("certificates", &self.certificates)
            .field("revocation_lists", &self.lists.len())
            .finish_non_exhaustive()
    }
}

fn authority(der: &[u8], environment: Environment, source: &str) -> Result<Certificate, CredentialsError> {
    let certificate =
        Certificate::from_der(der).map_err(|error| CredentialsError::Certificate { file: source.to_owned(), error })?;
    certificate.admit(environment).map_err(|mix| CredentialsError::Environment { file: source.to_owned(), mix })?;
    if !certificate.is_authority() {
        return Err(CredentialsError::NotAuthority { file: source.to_owned() });
    }
    Ok(certificate)
}
