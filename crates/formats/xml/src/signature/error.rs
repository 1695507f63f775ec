//! Why a signature is not accepted: the step of the rule that failed. Never shows content.

use crate::XmlError;
use crate::soap::SoapError;

/// Why a signature is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// Not XML that is read here.
    #[error("the signed document is not readable: {0}")]
    Xml(#[from] XmlError),
    /// Not a SOAP message.
    #[error("the signed message is no SOAP envelope: {0}")]
    Soap(#[from] SoapError),
    /// Not exactly one security header.
    #[error("{found} wsse:Security headers, exactly one is expected (WS-Security 1.1 §5)")]
    SecurityHeader {
        /// How many came.
        found: usize,
    },
    /// Not exactly one assertion in the document.
    #[error("{found} SAML assertions in the document, exactly one is expected (XML signature wrapping)")]
    AssertionCount {
        /// How many came.
        found: usize,
    },
    /// The assertion is not where it belongs.
    #[error("the SAML assertion is not a child of wsse:Security, or not the root of its document")]
    AssertionPlace,
    /// Too large to be an assertion.
    #[error("the SAML assertion has more than {limit} bytes")]
    TooBig {
        /// The limit.
        limit: usize,
    },
    /// The identifier of the signed element is missing, or used elsewhere too.
    #[error("the ID of the signed element is missing or not unique (XML Signature §4.4.3.2)")]
    Id,
    /// Not exactly one signature.
    #[error("{found} signatures, exactly one is expected")]
    SignatureCount {
        /// How many came.
        found: usize,
    },
    /// The signature is not where it belongs.
    #[error("the signature does not stand right after saml:Issuer (SAML 2.0 Core §5.4)")]
    SignaturePlace,
    /// The signature has another form than the profile allows.
    #[error("the signature has not the form of its profile: {0}")]
    Structure(&'static str),
    /// An algorithm that is not accepted; SHA-1 is one of them unless the policy says otherwise.
    #[error("{0} is not on the list of accepted algorithms (SHA-1 needs the DMP kit policy)")]
    Algorithm(&'static str),
    /// A comment or a processing instruction in what is signed: values would read differently.
    #[error("line {line}: the signed element holds a comment or a processing instruction")]
    Comment {
        /// Its line.
        line: u32,
    },
    /// No usable certificate.
    #[error("the signature carries no readable X.509 certificate (XML Signature §4.5.4)")]
    Certificate,
    /// The caller's [`Trust`](super::Trust) refused the certificate.
    #[error("the signing certificate is not trusted: {0}")]
    Trust(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A digest does not fit: the content was changed after signing.
    #[error("the digest of {0} does not fit: it was changed after signing (XML Signature §3.2.1)")]
    Digest(&'static str),
    /// The signature value does not fit the certificate's key.
    #[error("the signature value does not fit the certificate's key (XML Signature §3.2.2)")]
    Value,
    /// The lot and the documents are not the same.
    #[error("the signed lot and the documents differ: {0} (IHE ITI TF-3 §5.5)")]
    Lot(&'static str),
}
