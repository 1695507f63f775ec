//! SOAP faults: SOAP 1.2 written, SOAP 1.2 and 1.1 read.

use roxmltree::Node;

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whose fault it is.
    pub code: FaultCode,
    /// Application code. A bare name is in the SOAP namespace, as INSi writes it (`soap:siram_100`); another
    /// namespace is written `{namespace}name`.
    pub subcode: Option<String>,
    /// Text for people.
    pub reason: String,
    /// Language of the reason.
    pub lang: String,
    /// Content of `Detail`: well-formed XML that stands alone.
    pub detail: Option<String>,
}

/// SOAP 1.2 Part 1 §5.4.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultCode {
    /// The envelope is of another SOAP version.
    VersionMismatch,
    /// A header block was not understood.
    MustUnderstand,
    /// An unknown `encodingStyle`.
    DataEncodingUnknown,
    /// The message is wrong; the same one will fail again.
    Sender,
    /// The receiver failed; the same message may pass later.
    Receiver,
}

impl FaultCode {
    /// Local name in SOAP 1.2.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VersionMismatch => "VersionMismatch",
            Self::MustUnderstand => "MustUnderstand",
            Self::DataEncodingUnknown => "DataEncodingUnknown",
            Self::Sender => "Sender",
            Self::Receiver => "Receiver",
        }
    }
}

impl Fault {
    /// A fault in French without subcode or detail.
    #[must_use]
    pub fn new(code: FaultCode, reason: impl Into<String>) -> Self {
        Self { code, subcode: None, reason: reason.into(), lang: "fr".to_owned(), detail: None }
    }

    /// The fault that a Body carries, if this node is one.
    #[must_use]
    pub fn read(node: Node<'_, '_>) -> Option<Self> {
        let _ = node;
        None
    }

    /// The `soap:Fault` element, to be put in [`Outgoing::body`](super::Outgoing::body).
    #[must_use]
    pub fn to_body_xml(&self) -> String {
        String::new()
    }

    /// HTTP status of the answer: 400 for Sender, else 500 (SOAP 1.2 Part 2 §7.5.2.2). INSi answers 500 always.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self.code {
            FaultCode::Sender => 400,
            _ => 500,
        }
    }
}
