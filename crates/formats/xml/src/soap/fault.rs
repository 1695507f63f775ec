//! SOAP faults: SOAP 1.2 written, SOAP 1.2 and 1.1 read.

use roxmltree::Node;

use super::{NS_SOAP11, NS_SOAP12};
use crate::tree::NodeExt;
use crate::write::{Writer, subtree};

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whose fault it is.
    pub code: FaultCode,
    /// Application code. A bare name is in the SOAP namespace, as INSi writes it (`soap:siram_100`); a name
    /// of another namespace is `{namespace}name`.
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

    /// `soap:` and the local name, as content of `Value`.
    fn qname(self) -> &'static str {
        match self {
            Self::VersionMismatch => "soap:VersionMismatch",
            Self::MustUnderstand => "soap:MustUnderstand",
            Self::DataEncodingUnknown => "soap:DataEncodingUnknown",
            Self::Sender => "soap:Sender",
            Self::Receiver => "soap:Receiver",
        }
    }

    /// SOAP 1.2 names, and `Client`/`Server` of SOAP 1.1. Unknown codes count as the receiver's: a caller
    /// may then try again, and a person looks at it if that does not help.
    fn read(local_name: &str) -> Self {
        match local_name.split('.').next().unwrap_or_default() {
            "VersionMismatch" => Self::VersionMismatch,
            "MustUnderstand" => Self::MustUnderstand,
            "DataEncodingUnknown" => Self::DataEncodingUnknown,
            "Sender" | "Client" => Self::Sender,
            _ => Self::Receiver,
        }
    }
}

impl Fault {
    /// A fault in French without subcode or detail.
    #[must_use]
    pub fn new(code: FaultCode, reason: impl Into<String>) -> Self {
        Self { code, subcode: None, reason: reason.into(), lang: "fr".to_owned(), detail: None }
    }

    /// The fault that a Body carries, if this node is one. Prefixes of one namespace may be mixed, as INSi
    /// does; a missing part is empty.
    #[must_use]
    pub fn read(node: Node<'_, '_>) -> Option<Self> {
        match node.tag_name().namespace()? {
            NS_SOAP12 if node.tag_name().name() == "Fault" => Some(read_12(node)),
            NS_SOAP11 if node.tag_name().name() == "Fault" => Some(read_11(node)),
            _ => None,
        }
    }

    /// The `soap:Fault` element, to be put in [`Outgoing::body`](super::Outgoing::body).
    #[must_use]
    pub fn to_body_xml(&self) -> String {
        let mut w = Writer::fragment();
        w.open("soap:Fault").ns("soap", NS_SOAP12);
        w.open("soap:Code").leaf("soap:Value", self.code.qname());
        if let Some(subcode) = &self.subcode {
            write_subcode(&mut w, subcode);
        }
        w.close();
        w.open("soap:Reason").open("soap:Text").attr("xml:lang", &self.lang).text(&self.reason).close().close();
        if let Some(detail) = &self.detail {
            w.open("soap:Detail").raw(detail).close();
        }
        w.finish()
    }

    /// HTTP status of the answer: 400 for Sender, else 500 (SOAP 1.2 Part 2 §7.5.2.2). INSi answers 500
    /// always.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self.code {
            FaultCode::Sender => 400,
            _ => 500,
        }
    }
}

fn write_subcode(w: &mut Writer, subcode: &str) {
    w.open("soap:Subcode").open("soap:Value");
    match subcode.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((namespace, name)) => w.ns("sub", namespace).text("sub:").text(name),
        None => w.text("soap:").text(subcode),
    };
    w.close().close();
}

fn read_12(fault: Node<'_, '_>) -> Fault {
    let ns = Some(NS_SOAP12);
    let code = fault.path(ns, &["Code", "Value"]);
    let subcode = fault.path(ns, &["Code", "Subcode", "Value"]);
    let reason = fault.path(ns, &["Reason", "Text"]);
    Fault {
        code: FaultCode::read(&local_part(&code.map(|c| c.trimmed_text()).unwrap_or_default())),
        subcode: subcode.and_then(read_subcode),
        reason: reason.map(|r| r.trimmed_text()).unwrap_or_default(),
        lang: reason.and_then(|r| r.attribute((roxmltree::NS_XML_URI, "lang"))).unwrap_or_default().to_owned(),
        detail: fault.child(ns, "Detail").and_then(read_detail),
    }
}

fn read_11(fault: Node<'_, '_>) -> Fault {
    let code = fault.child(None, "faultcode").map(|c| c.trimmed_text()).unwrap_or_default();
    let local = local_part(&code);
    let reason = fault.child(None, "faultstring");
    Fault {
        code: FaultCode::read(&local),
        subcode: local.split_once('.').map(|(_, sub)| sub.to_owned()),
        reason: reason.map(|r| r.trimmed_text()).unwrap_or_default(),
        lang: reason.and_then(|r| r.attribute((roxmltree::NS_XML_URI, "lang"))).unwrap_or_default().to_owned(),
        detail: fault.child(None, "detail").and_then(read_detail),
    }
}

fn local_part(qname: &str) -> String {
    qname.rsplit(':').next().unwrap_or_default().to_owned()
}

fn read_subcode(value: Node<'_, '_>) -> Option<String> {
    let text = value.trimmed_text();
    if text.is_empty() {
        return None;
    }
    // An undeclared prefix says nothing: the name alone is kept.
    match value.resolve_qname(&text) {
        Some((None | Some("" | NS_SOAP12), local)) => Some(local.to_owned()),
        Some((Some(namespace), local)) => Some(format!("{{{namespace}}}{local}")),
        None => Some(local_part(&text)),
    }
}

fn read_detail(detail: Node<'_, '_>) -> Option<String> {
    let content: String = detail.child_elements().map(subtree).collect();
    if !content.is_empty() {
        return Some(content);
    }
    let text = detail.trimmed_text();
    (!text.is_empty()).then(|| {
        let mut w = Writer::fragment();
        w.text(&text);
        w.finish()
    })
}
