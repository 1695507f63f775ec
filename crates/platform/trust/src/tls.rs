//! TLS as the services want it: rustls on ring, TLS 1.2 and 1.3, suites with ECDHE and an AEAD only.
//!
//! The three suites that the DMP lists and ours share are among them; CBC suites are not. Verification
//! is rustls's own, helped by the intermediates we hold: several national servers do not send theirs.
//!
//! Revocation is checked with the lists that the anchors hold, for the leaf; a missing or old list
//! does not stop a handshake. Not here: sockets ([`crate::https`] has them).

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
    SupportedProtocolVersion,
};

use crate::{Anchors, Credentials};

/// Does a server ask its clients for a certificate?
#[derive(Debug, Clone, Copy)]
pub enum ClientAuth<'a> {
    /// It does not.
    None,
    /// It asks, and accepts its absence; a certificate that is shown must be good.
    Optional(&'a Anchors),
    /// No certificate, no connection.
    Required(&'a Anchors),
}

/// Protocol versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// TLS 1.2 alone, as the DMP's access for software.
    Tls12,
    /// TLS 1.2 and 1.3.
    Both,
}

static ONLY_12: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS12];

impl Versions {
    fn list(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Tls12 => &ONLY_12,
            Self::Both => rustls::ALL_VERSIONS,
        }
    }
}

/// The configuration of a server.
///
/// # Errors
/// [`TlsError`] when the anchors cannot make a verifier.
pub fn server_config(
    credentials: &Credentials,
    clients: ClientAuth<'_>,
    versions: Versions,
) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions.list())?;
    let builder = match clients {
        ClientAuth::None => builder.with_no_client_auth(),
        ClientAuth::Optional(anchors) => builder.with_client_cert_verifier(client_verifier(anchors, false)?),
        ClientAuth::Required(anchors) => builder.with_client_cert_verifier(client_verifier(anchors, true)?),
    };
    Ok(Arc::new(builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(credentials.certified())))))
}

/// The configuration of a client, with its own certificate where the server asks for one.
///
/// # Errors
/// [`TlsError`] when the anchors cannot make a verifier, or when anchors and credentials belong to
/// different environments.
pub fn client_config(
    anchors: &Anchors,
    credentials: Option<&Credentials>,
    versions: Versions,
) -> Result<Arc<ClientConfig>, TlsError> {
    let verifier = Arc::new(ServerVerifier {
        inner: WebPkiServerVerifier::builder_with_provider(roots(anchors), provider())
            .with_crls(anchors.revocation_lists().iter().cloned())
            .only_check_end_entity_revocation()
            .allow_unknown_revocation_status()
            .build()?,
        intermediates: anchors.intermediates().to_vec(),
    });
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions.list())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let Some(credentials) = credentials else { return Ok(Arc::new(builder.with_no_client_auth())) };
    credentials.certificate().admit(anchors.environment())?;
    Ok(Arc::new(builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(credentials.certified())))))
}

/// The configuration of a client that trusts nobody: for plain HTTP to loopback, where nothing is verified.
/// Every TLS handshake fails.
///
/// # Errors
/// [`TlsError`] when rustls refuses its own default versions.
pub fn client_config_without_anchors() -> Result<Arc<ClientConfig>, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(Versions::Both.list())?;
    Ok(Arc::new(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()))
}

/// ring's provider without what we do not want: every suite it has is ECDHE (or TLS 1.3) with AES-GCM
/// or ChaCha20, which the tests check.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn roots(anchors: &Anchors) -> Arc<RootCertStore> {
    Arc::new(RootCertStore { roots: anchors.roots().to_vec() })
}

fn client_verifier(anchors: &Anchors, required: bool) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let builder = WebPkiClientVerifier::builder_with_provider(roots(anchors), provider())
        .with_crls(anchors.revocation_lists().iter().cloned())
        .only_check_end_entity_revocation()
        .allow_unknown_revocation_status();
    let builder = if required { builder } else { builder.allow_unauthenticated() };
    let inner = builder.build().map_err(|e| TlsError::Verifier(e.to_string()))?;
    Ok(Arc::new(ClientVerifier { inner, intermediates: anchors.intermediates().to_vec() }))
}

/// rustls's verifier of servers, given our intermediates besides those that the server sent.
#[derive(Debug)]
struct ServerVerifier {
    inner: Arc<WebPkiServerVerifier>,
    intermediates: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.inner.verify_server_cert(end_entity, &with_ours(sent, &self.intermediates), name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The same for clients.
#[derive(Debug)]
struct ClientVerifier {
    inner: Arc<dyn ClientCertVerifier>,
    intermediates: Vec<CertificateDer<'static>>,
}

impl ClientCertVerifier for ClientVerifier {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.inner.verify_client_cert(end_entity, &with_ours(sent, &self.intermediates), now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn with_ours<'a>(sent: &[CertificateDer<'a>], ours: &[CertificateDer<'a>]) -> Vec<CertificateDer<'a>> {
    sent.iter().chain(ours).cloned().collect()
}

/// Why a TLS configuration was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TlsError {
    /// rustls refused.
    #[error("TLS configuration: {0}")]
    Rustls(#[from] Error),
    /// The anchors make no verifier.
    #[error("TLS configuration: no verifier from the anchors: {0}")]
    Verifier(String),
    /// The server's environment and the client's are not the same.
    #[error("TLS configuration: {0}")]
    Environment(#[from] socle_identity::EnvironmentMix),
}

impl From<rustls::client::VerifierBuilderError> for TlsError {
    fn from(error: rustls::client::VerifierBuilderError) -> Self {
        Self::Verifier(error.to_string())
    }
}
