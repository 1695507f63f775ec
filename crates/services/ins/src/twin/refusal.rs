//! Why a request gets no answer, and the fault that says so. Faults are HTTP 500 whichever side they
//! accuse, as INSi's are; what HTTP itself refuses keeps its own status.

use std::fmt;

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use socle_xml::soap::{Fault, FaultCode, NS_WSA};

use crate::model::InsiFault;
use crate::wire::{self, ACTION_TRAITS, ReadRequestError};

/// A request that is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// By SOAP, WS-Addressing or the schemas: no code of INSi is published for these.
    Soap { name: &'static str, status: StatusCode, fault: Box<Fault> },
    /// SOAP 1.1, or an envelope of no known version.
    VersionMismatch,
    /// By the service.
    Service(Box<InsiFault>),
}

impl Refusal {
    /// SOAP 1.2 Part 2 §7.1.4.
    pub(super) fn media() -> Self {
        let reason = "Le type du message doit être application/soap+xml.";
        Self::sender("media-type", reason).with(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    }

    pub(super) fn too_big(limit: usize) -> Self {
        let reason = format!("Le message dépasse {limit} octets.");
        Self::sender("too-big", reason).with(StatusCode::PAYLOAD_TOO_LARGE)
    }

    pub(super) fn broken() -> Self {
        Self::sender("broken", "Le message n'est pas arrivé en entier.").with(StatusCode::BAD_REQUEST)
    }

    /// Not XML as we accept it (no DTD), or no envelope.
    pub(super) fn not_soap(error: &dyn fmt::Display) -> Self {
        Self::sender("not-soap", format!("Le message n'est pas une enveloppe SOAP lisible : {error}."))
    }

    pub(super) fn schema(error: &ReadRequestError) -> Self {
        Self::sender("schema", format!("La requête n'est pas conforme aux schémas : {error}."))
    }

    /// SOAP 1.2 Part 1 §2.6.
    pub(super) fn not_understood() -> Self {
        let fault = Fault::new(FaultCode::MustUnderstand, "Un en-tête obligatoire n'est pas compris.");
        Self::soap("must-understand", fault)
    }

    pub(super) fn action_mismatch() -> Self {
        Self::addressing("ActionMismatch", "wsa:Action et l'action du type de contenu diffèrent.".into())
    }

    pub(super) fn action_not_supported() -> Self {
        Self::addressing("ActionNotSupported", format!("Ce jumeau offre la seule opération {ACTION_TRAITS}."))
    }

    pub(super) fn header_required(name: &str) -> Self {
        Self::addressing("MessageAddressingHeaderRequired", format!("L'en-tête {name} manque."))
    }

    /// WS-Addressing 1.0 SOAP Binding §6.4 names its faults.
    fn addressing(name: &'static str, reason: String) -> Self {
        let fault = Fault::new(FaultCode::Sender, reason);
        Self::soap(name, Fault { subcode: Some(format!("{{{NS_WSA}}}{name}")), ..fault })
    }

    fn sender(name: &'static str, reason: impl Into<String>) -> Self {
        Self::soap(name, Fault::new(FaultCode::Sender, reason))
    }

    fn soap(name: &'static str, fault: Fault) -> Self {
        Self::Soap { name, status: StatusCode::INTERNAL_SERVER_ERROR, fault: Box::new(fault) }
    }

    fn with(self, status: StatusCode) -> Self {
        match self {
            Self::Soap { name, fault, .. } => Self::Soap { name, status, fault },
            other => other,
        }
    }

    /// For the log.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Soap { name, .. } => name,
            Self::VersionMismatch => "version-mismatch",
            Self::Service(fault) => fault.code.as_deref().unwrap_or("fault"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Soap { status, fault, .. } => soap_response(status, wire::write_soap_fault(&fault)),
            Self::VersionMismatch => {
                let xml = [(header::CONTENT_TYPE, "text/xml; charset=utf-8")];
                (StatusCode::INTERNAL_SERVER_ERROR, xml, wire::version_mismatch_11()).into_response()
            }
            Self::Service(fault) => soap_response(StatusCode::INTERNAL_SERVER_ERROR, wire::write_fault(&fault)),
        }
    }
}

pub(super) fn soap_response(status: StatusCode, xml: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/soap+xml; charset=UTF-8")], xml).into_response()
}
