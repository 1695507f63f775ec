//! Whether a certificate may be believed: chain, dates, use, environment.
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;

use crate::{Anchors, Certificate};

/// What a certificate is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Signature of documents and assertions: emailProtection and nonRepudiation (ORG SIGN, CPS).
    Signature,
    /// TLS client.
    TlsClient,
    /// TLS server.
    TlsServer,
}

/// Verifies that a certificate chains to the anchors and may be used so at that time.
///
/// # Errors
/// [`ChainError`] names what is wrong.
pub fn verify(
    der: &[u8],
    intermediates: &[CertificateDer<'_>],
    anchors: &Anchors,
    usage: Usage,
    at: Timestamp,
) -> Result<Certificate, ChainError> {
    let _ = (der, intermediates, anchors, usage, at);
    Err(ChainError::UnknownIssuer)
}

/// Why a certificate is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// No chain to an anchor.
    #[error("the certificate does not chain to an authority of this environment")]
    UnknownIssuer,
}
