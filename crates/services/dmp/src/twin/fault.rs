//! What the twin answers when it does not do what was asked: a SOAP fault, or a registry's failure.

use socle_xml::signature::SignatureError;
use socle_xml::soap::{Fault, FaultCode, NS_WSA, NS_WSSE};

use crate::model::ErrorCode;
use crate::wire::response::RegistryError;

/// A refusal.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Before the transaction: SOAP, addressing, VIHF, rights.
    Fault(Box<Fault>),
    /// By the transaction: every error found.
    Registry(Vec<RegistryError>),
}

impl Refusal {
    /// The sender's fault, in words.
    pub(super) fn sender(reason: impl Into<String>) -> Self {
        Self::Fault(Box::new(Fault::new(FaultCode::Sender, reason)))
    }

    /// Our own fault: storage failed.
    pub(super) fn receiver(reason: impl Into<String>) -> Self {
        Self::Fault(Box::new(Fault::new(FaultCode::Receiver, reason)))
    }

    /// Not SOAP 1.2.
    pub(super) fn version() -> Self {
        let reason = "SOAP 1.2 est attendu (http://www.w3.org/2003/05/soap-envelope)";
        Self::Fault(Box::new(Fault::new(FaultCode::VersionMismatch, reason)))
    }

    /// A code of the DMP. In which namespace the real one puts it is UNKNOWN: it stands bare.
    pub(super) fn dmp(code: &ErrorCode, reason: impl Into<String>) -> Self {
        let fault = Fault::new(FaultCode::Sender, reason);
        Self::Fault(Box::new(Fault { subcode: Some(code.as_str().to_owned()), ..fault }))
    }

    /// A code of WS-Security 1.1 §12.
    pub(super) fn security(code: &str, reason: impl Into<String>) -> Self {
        let fault = Fault::new(FaultCode::Sender, reason);
        Self::Fault(Box::new(Fault { subcode: Some(format!("{{{NS_WSSE}}}{code}")), ..fault }))
    }

    /// A code of WS-Addressing 1.0 SOAP Binding §6.4.
    pub(super) fn addressing(code: &str, reason: impl Into<String>) -> Self {
        let fault = Fault::new(FaultCode::Sender, reason);
        Self::Fault(Box::new(Fault { subcode: Some(format!("{{{NS_WSA}}}{code}")), ..fault }))
    }

    /// One error of the transaction.
    pub(super) fn registry(code: ErrorCode, context: impl Into<String>) -> Self {
        Self::Registry(vec![RegistryError::new(code, context)])
    }

    /// The same, at a place in the request.
    pub(super) fn registry_at(code: ErrorCode, at: impl Into<String>, context: impl Into<String>) -> Self {
        Self::Registry(vec![RegistryError { location: Some(at.into()), ..RegistryError::new(code, context) }])
    }

    /// A signature that is not accepted: the certificate has the DMP's code, the rest WS-Security's.
    pub(super) fn signature(error: &SignatureError) -> Self {
        let reason = format!("VIHF : {error}");
        match error {
            SignatureError::Trust(_) | SignatureError::Certificate => {
                Self::dmp(&ErrorCode::DmpInvalidCertificate, reason)
            }
            SignatureError::Digest(_) | SignatureError::Value => Self::security("FailedCheck", reason),
            SignatureError::Algorithm(_) => Self::security("UnsupportedAlgorithm", reason),
            _ => Self::security("InvalidSecurity", reason),
        }
    }

    /// For the log: no text that could hold data of a person.
    pub(super) fn code(&self) -> String {
        match self {
            Self::Fault(fault) => fault.subcode.clone().unwrap_or_else(|| fault.code.as_str().to_owned()),
            Self::Registry(errors) => errors.first().map_or_else(String::new, |error| error.code.to_string()),
        }
    }
}
