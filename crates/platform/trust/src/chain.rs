//! Whether a certificate may be believed: chain, dates, use, environment.
//!
//! rustls-webpki builds the path and checks every signature and date in it; around it come what
//! IGC-Santé's profiles add (key usage of a signature) and the environment. A chain of another world
//! gets an error that says so: "unknown issuer" would send its reader looking for the wrong fault.
//!
//! Revocation is read from the lists that the anchors hold. Not here: OCSP, downloads.

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use socle_identity::EnvironmentMix;
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, RevocationCheckDepth, RevocationOptions,
    RevocationOptionsBuilder, UnknownStatusPolicy, ring,
};

use crate::{Anchors, Certificate, CertificateError};

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

/// id-kp-emailProtection, DER content (RFC 5280 §4.2.1.12).
const EMAIL_PROTECTION: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 4];

/// RSA with SHA-2, and ECDSA on the two curves in use. No SHA-1.
static ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 8] = [
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
    ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P384_SHA384,
];

/// Verifies that a certificate chains to the anchors and may be used so at that time.
///
/// `intermediates` are those that came with it; the anchors' own are tried too.
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
    let certificate = Certificate::from_der(der)?;
    certificate.admit(anchors.environment())?;
    check_dates(&certificate, at)?;
    let end_entity = EndEntityCert::try_from(certificate.der()).map_err(refusal)?;
    let all: Vec<_> = intermediates.iter().chain(anchors.intermediates()).cloned().collect();
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let required = match usage {
        // The authorities of IGC-Santé have no extended key usage, so it is required of the leaf below.
        Usage::Signature => KeyUsage::required_if_present(EMAIL_PROTECTION),
        Usage::TlsClient => KeyUsage::client_auth(),
        Usage::TlsServer => KeyUsage::server_auth(),
    };
    let lists: Vec<_> = anchors.parsed_revocation_lists().iter().collect();
    end_entity
        .verify_for_usage(&ALGORITHMS, anchors.roots(), &all, time, required, revocation(&lists, usage), None)
        .map_err(refusal)?;
    check_key_usage(&certificate, usage)?;
    drop(end_entity);
    Ok(certificate)
}

/// A signature needs a list that is in force and says nothing against it; TLS bears its absence.
fn revocation<'a>(lists: &'a [&'a CertRevocationList<'a>], usage: Usage) -> Option<RevocationOptions<'a>> {
    let (unknown, over) = match usage {
        Usage::Signature => (UnknownStatusPolicy::Deny, ExpirationPolicy::Enforce),
        Usage::TlsClient | Usage::TlsServer => (UnknownStatusPolicy::Allow, ExpirationPolicy::Ignore),
    };
    let options = RevocationOptionsBuilder::new(lists).ok()?;
    let options = options.with_depth(RevocationCheckDepth::EndEntity).with_status_policy(unknown);
    Some(options.with_expiration_policy(over).build())
}

/// The leaf's dates first: webpki reports whichever fault it meets first on whichever path.
fn check_dates(certificate: &Certificate, at: Timestamp) -> Result<(), ChainError> {
    if at > certificate.not_after() {
        return Err(ChainError::Expired { since: certificate.not_after() });
    }
    if at < certificate.not_before() {
        return Err(ChainError::NotYetValid { from: certificate.not_before() });
    }
    Ok(())
}

/// webpki does not look at key usage (RFC 5280 §4.2.1.3), and a seal says that it is one.
fn check_key_usage(certificate: &Certificate, usage: Usage) -> Result<(), ChainError> {
    let allowed = match usage {
        Usage::Signature => certificate.allows_non_repudiation() && certificate.allows_email_protection(),
        Usage::TlsClient | Usage::TlsServer => certificate.allows_digital_signature(),
    };
    if allowed { Ok(()) } else { Err(ChainError::WrongUsage) }
}

fn refusal(error: webpki::Error) -> ChainError {
    use webpki::Error as E;
    match error {
        E::CertExpired { not_after, .. } => ChainError::Expired { since: moment(not_after) },
        E::CertNotValidYet { not_before, .. } => ChainError::NotYetValid { from: moment(not_before) },
        E::RequiredEkuNotFoundContext(_) | E::CaUsedAsEndEntity => ChainError::WrongUsage,
        E::CertRevoked => ChainError::Revoked,
        E::UnknownRevocationStatus | E::CrlExpired { .. } => ChainError::RevocationUnknown,
        E::UnknownIssuer => ChainError::UnknownIssuer,
        E::InvalidSignatureForPublicKey => ChainError::BadSignature,
        other => ChainError::Invalid(other.to_string()),
    }
}

fn moment(time: UnixTime) -> Timestamp {
    i64::try_from(time.as_secs()).ok().and_then(|s| Timestamp::from_second(s).ok()).unwrap_or(Timestamp::MAX)
}

/// Why a certificate is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It does not parse.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A test certificate in production, a twin's in the bac à sable, a real one in tests…
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
    /// Its dates, or an authority's, are over.
    #[error("the certificate, or an authority above it, expired on {since}")]
    Expired {
        /// When.
        since: Timestamp,
    },
    /// Its dates, or an authority's, have not begun.
    #[error("the certificate, or an authority above it, is valid only from {from}: check the clock")]
    NotYetValid {
        /// From when.
        from: Timestamp,
    },
    /// No chain to an anchor.
    #[error("the certificate does not chain to an authority of this environment")]
    UnknownIssuer,
    /// On its authority's revocation list.
    #[error("the certificate is revoked")]
    Revoked,
    /// Revocation lists are in use, and none in force speaks for its authority.
    #[error("no revocation list in force from the certificate's authority: a signature is not accepted without one")]
    RevocationUnknown,
    /// A signature in the chain is wrong.
    #[error("a signature in the certificate's chain is wrong")]
    BadSignature,
    /// Key usage or extended key usage say otherwise.
    #[error("the certificate is not made for this use (key usage, extended key usage: RFC 5280 §4.2.1.3, §4.2.1.12)")]
    WrongUsage,
    /// Another fault that RFC 5280 validation found.
    #[error("the certificate's chain is not valid: {0}")]
    Invalid(String),
}
