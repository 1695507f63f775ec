//! SOAP envelopes, WS-Addressing and faults, read and written. Pure: no HTTP here.
//!
//! Written: SOAP 1.2 with WS-Addressing 1.0. Read: SOAP 1.2, and SOAP 1.1 under its own [`Version`], so that
//! a strict twin refuses it and a lenient one logs it. Order: reading, writing, faults, content type.

use roxmltree::{Document, Node};

mod fault;
mod media;

pub use fault::{Fault, FaultCode};
pub use media::{ContentType, content_type, read_content_type};

/// Namespace of SOAP 1.2.
pub const NS_SOAP12: &str = "http://www.w3.org/2003/05/soap-envelope";
/// Namespace of SOAP 1.1.
pub const NS_SOAP11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// Namespace of WS-Addressing 1.0.
pub const NS_WSA: &str = "http://www.w3.org/2005/08/addressing";
/// Namespace of WS-Security 1.0 headers.
pub const NS_WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// The address that means "answer on this connection".
pub const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";

/// Which SOAP an envelope is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// SOAP 1.1: recognised, never written.
    Soap11,
    /// SOAP 1.2.
    Soap12,
}

/// An envelope as read. All strings are without surrounding white space; an empty header value is `None`.
#[derive(Debug, Clone)]
pub struct Envelope<'a> {
    /// SOAP 1.1 or 1.2.
    pub version: Version,
    /// The Header element.
    pub header: Option<Node<'a, 'a>>,
    /// The Body element.
    pub body: Node<'a, 'a>,
    /// The first element in the Body.
    pub content: Option<Node<'a, 'a>>,
    /// `wsa:Action`.
    pub action: Option<String>,
    /// `wsa:MessageID`, as written.
    pub message_id: Option<String>,
    /// `wsa:RelatesTo`.
    pub relates_to: Option<String>,
    /// `wsa:To`.
    pub to: Option<String>,
    /// `wsa:ReplyTo/wsa:Address`.
    pub reply_to: Option<String>,
}

impl<'a> Envelope<'a> {
    /// The fault in the Body, if that is what came.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        Fault::read(self.content?)
    }

    /// Header blocks with a true `mustUnderstand` whose expanded name `understood` does not know.
    /// WS-Addressing blocks are understood here. An unprefixed `mustUnderstand` counts, as peers write it.
    pub fn not_understood(&self, understood: impl Fn(Option<&str>, &str) -> bool) -> Vec<Node<'a, 'a>> {
        let _ = understood;
        Vec::new()
    }
}

/// Why a document is no usable envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SoapError {
    /// The root element is no SOAP Envelope of a known version.
    #[error("the root element is no SOAP 1.1 or 1.2 Envelope (SOAP 1.2 Part 1 §5.1)")]
    NotAnEnvelope,
    /// No Body.
    #[error("the SOAP Envelope has no Body (SOAP 1.2 Part 1 §5.1)")]
    NoBody,
    /// Something else than an optional Header and one Body.
    #[error("line {line}: the SOAP Envelope holds something else than one Header and one Body (SOAP 1.2 Part 1 §5.1)")]
    Structure {
        /// Line of the intruder.
        line: u32,
    },
    /// A WS-Addressing header that may come once came twice.
    #[error("line {line}: wsa:{name} comes twice (WS-Addressing 1.0 SOAP Binding §6.4.1)")]
    Twice {
        /// Local name of the header.
        name: &'static str,
        /// Line of the second one.
        line: u32,
    },
}

/// Reads an envelope.
///
/// # Errors
/// [`SoapError`] when the document is no envelope. Missing addressing headers are no error here.
pub fn read<'a>(document: &'a Document<'a>) -> Result<Envelope<'a>, SoapError> {
    let _ = document;
    Err(SoapError::NotAnEnvelope)
}

/// An envelope to write.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// `wsa:Action`.
    pub action: String,
    /// `wsa:MessageID`, `urn:uuid:…` unless the service wants another form (INSi: `uuid:…`).
    pub message_id: String,
    /// `wsa:RelatesTo`: the MessageID that is answered, as it was written.
    pub relates_to: Option<String>,
    /// `wsa:To`.
    pub to: Option<String>,
    /// `wsa:ReplyTo/wsa:Address`.
    pub reply_to: Option<String>,
    /// Other header blocks, each well-formed XML that stands alone.
    pub headers: Vec<String>,
    /// Content of the Body, well-formed XML that stands alone.
    pub body: String,
}

impl Outgoing {
    /// A request: new MessageID, `ReplyTo` anonymous.
    #[must_use]
    pub fn request(action: impl Into<String>, to: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            message_id: new_message_id(),
            relates_to: None,
            to: Some(to.into()),
            reply_to: Some(ANONYMOUS.to_owned()),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// An answer to the request with that MessageID: new MessageID, `To` anonymous.
    #[must_use]
    pub fn response(action: impl Into<String>, relates_to: Option<&str>, body: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            message_id: new_message_id(),
            relates_to: relates_to.map(str::to_owned),
            to: Some(ANONYMOUS.to_owned()),
            reply_to: None,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// The envelope, SOAP 1.2, with XML declaration, prefix `soap`.
    #[must_use]
    pub fn to_xml(&self) -> String {
        String::new()
    }
}

/// A new `urn:uuid:` MessageID (version 4).
#[must_use]
pub fn new_message_id() -> String {
    uuid::Uuid::new_v4().urn().to_string()
}
