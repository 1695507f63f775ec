//! Algorithms of XML Signature, by their URIs: what is signed with, what is accepted, how it is checked.

use ring::digest;
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_cert::spki::ObjectIdentifier;

use super::{Policy, Sha1};
use crate::c14n::Sink;

/// How to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// RSA PKCS#1 v1.5 with SHA-256, digests SHA-256.
    #[default]
    RsaSha256,
    /// RSA PKCS#1 v1.5 with SHA-1, digests SHA-1: only for the DMP kit's samples and older peers.
    RsaSha1,
}

impl Algorithm {
    /// URI of the signature method.
    #[must_use]
    pub fn uri(self) -> &'static str {
        self.method().uri()
    }

    /// How its signatures are checked.
    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::RsaSha256 => Method::RsaSha256,
            Self::RsaSha1 => Method::RsaSha1,
        }
    }

    /// The digest that goes with it.
    pub(super) fn digest(self) -> DigestMethod {
        match self {
            Self::RsaSha256 => DigestMethod::Sha256,
            Self::RsaSha1 => DigestMethod::Sha1,
        }
    }

    pub(super) fn of_uri(uri: &str) -> Option<Self> {
        [Self::RsaSha256, Self::RsaSha1].into_iter().find(|algorithm| algorithm.uri() == uri)
    }
}

/// Signature methods that are accepted; RSA keys from 2048 to 8192 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// RSA PKCS#1 v1.5, SHA-256.
    RsaSha256,
    /// RSA PKCS#1 v1.5, SHA-384.
    RsaSha384,
    /// RSA PKCS#1 v1.5, SHA-512.
    RsaSha512,
    /// RSASSA-PSS, SHA-256 and MGF1 with SHA-256.
    RsaPssSha256,
    /// ECDSA on P-256, SHA-256.
    EcdsaSha256,
    /// RSA PKCS#1 v1.5, SHA-1: only under [`Sha1::DmpKit`].
    RsaSha1,
}

impl Method {
    const ALL: [Self; 6] =
        [Self::RsaSha256, Self::RsaSha384, Self::RsaSha512, Self::RsaPssSha256, Self::EcdsaSha256, Self::RsaSha1];

    /// Its URI (RFC 9231).
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::RsaSha256 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            Self::RsaSha384 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
            Self::RsaSha512 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
            Self::RsaPssSha256 => "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
            Self::EcdsaSha256 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            Self::RsaSha1 => "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        }
    }

    /// The method of a URI, if the policy accepts it.
    pub(super) fn accepted(uri: &str, policy: &Policy) -> Option<Self> {
        let method = Self::ALL.into_iter().find(|method| method.uri() == uri)?;
        (method != Self::RsaSha1 || policy.sha1 == Sha1::DmpKit).then_some(method)
    }

    /// Checks a signature with the key bits of a certificate, whose algorithm must be of the right family.
    pub(super) fn verifies(self, key: &PublicKey<'_>, message: &[u8], value: &[u8]) -> bool {
        let (family, algorithm): (_, &'static dyn VerificationAlgorithm) = match self {
            Self::RsaSha256 => (RSA, &signature::RSA_PKCS1_2048_8192_SHA256),
            Self::RsaSha384 => (RSA, &signature::RSA_PKCS1_2048_8192_SHA384),
            Self::RsaSha512 => (RSA, &signature::RSA_PKCS1_2048_8192_SHA512),
            Self::RsaPssSha256 => (RSA, &signature::RSA_PSS_2048_8192_SHA256),
            Self::EcdsaSha256 => (EC, &signature::ECDSA_P256_SHA256_FIXED),
            Self::RsaSha1 => (RSA, &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY),
        };
        key.algorithm == family && UnparsedPublicKey::new(algorithm, key.bits).verify(message, value).is_ok()
    }
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// A public key as a certificate holds it.
pub(super) struct PublicKey<'k> {
    pub(super) algorithm: ObjectIdentifier,
    pub(super) bits: &'k [u8],
}

/// Digest methods that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DigestMethod {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl DigestMethod {
    const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its URI (RFC 9231).
    pub(super) fn uri(self) -> &'static str {
        match self {
            Self::Sha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
            Self::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Self::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            Self::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
        }
    }

    pub(super) fn of_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.uri() == uri)
    }

    pub(super) fn is_accepted(self, policy: &Policy) -> bool {
        self != Self::Sha1 || policy.sha1 == Sha1::DmpKit
    }

    pub(super) fn of_bytes(self, bytes: &[u8]) -> Vec<u8> {
        digest::digest(self.ring(), bytes).as_ref().to_vec()
    }

    /// Digest of what is written into the sink.
    pub(super) fn of_pieces(self, write: impl FnOnce(&mut Digester)) -> Vec<u8> {
        let mut digester = Digester { context: digest::Context::new(self.ring()), buffer: Vec::with_capacity(BUFFER) };
        write(&mut digester);
        digester.context.update(&digester.buffer);
        digester.context.finish().as_ref().to_vec()
    }

    fn ring(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// Canonical form comes in pieces of a few bytes; the digest takes them by the block.
const BUFFER: usize = 8 << 10;

/// Digests canonical form as it is written.
pub(super) struct Digester {
    context: digest::Context,
    buffer: Vec<u8>,
}

impl Sink for Digester {
    fn put(&mut self, text: &str) {
        if self.buffer.len() + text.len() > BUFFER {
            self.context.update(&self.buffer);
            self.buffer.clear();
        }
        if text.len() >= BUFFER {
            self.context.update(text.as_bytes());
        } else {
            self.buffer.extend_from_slice(text.as_bytes());
        }
    }
}
