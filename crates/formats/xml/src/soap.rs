//! SOAP envelopes, WS-Addressing and faults, read and written. Pure: no HTTP here.
//!
//! Written: SOAP 1.2 with WS-Addressing 1.0. Read: SOAP 1.2, and SOAP 1.1 under its own [`Version`], so that
//! a strict twin refuses it and a lenient one logs it. Order: reading, writing, faults, content type.

use roxmltree::{Document, Node};

use crate::tree::NodeExt;
use crate::write::Writer;

mod fault;
mod media;

pub use fault::{Fault, FaultCode};
pub(crate) use media::quoted;
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
        let Some(header) = self.header else { return Vec::new() };
        header
            .child_elements()
            .filter(|block| must_understand(*block, self.version))
            .filter(|block| {
                let name = block.tag_name();
                name.namespace() != Some(NS_WSA) && !understood(name.namespace(), name.name())
            })
            .collect()
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
    let root = document.root_element();
    let version = match root.tag_name().namespace() {
        Some(NS_SOAP12) => Version::Soap12,
        Some(NS_SOAP11) => Version::Soap11,
        _ => return Err(SoapError::NotAnEnvelope),
    };
    let namespace = root.tag_name().namespace();
    if !root.is(namespace, "Envelope") {
        return Err(SoapError::NotAnEnvelope);
    }
    let (header, body) = parts(root, namespace)?;
    let addressing = Addressing::read(header)?;
    Ok(Envelope {
        version,
        header,
        body,
        content: body.first_element_child(),
        action: addressing.value("Action"),
        message_id: addressing.value("MessageID"),
        relates_to: addressing.value("RelatesTo"),
        to: addressing.value("To"),
        reply_to: addressing.get("ReplyTo").and_then(|r| non_empty(r.child(Some(NS_WSA), "Address")?)),
    })
}

/// `Envelope = Header?, Body`; SOAP 1.1 allows more after the Body, no French service sends it.
fn parts<'a>(root: Node<'a, 'a>, namespace: Option<&str>) -> Result<(Option<Node<'a, 'a>>, Node<'a, 'a>), SoapError> {
    let mut elements = root.child_elements().peekable();
    let header = elements.next_if(|first| first.is(namespace, "Header"));
    let body = elements.next().ok_or(SoapError::NoBody)?;
    if !body.is(namespace, "Body") {
        return Err(SoapError::Structure { line: body.position().0 });
    }
    match elements.next() {
        Some(intruder) => Err(SoapError::Structure { line: intruder.position().0 }),
        None => Ok((header, body)),
    }
}

/// The WS-Addressing blocks of a header, each at most once.
#[derive(Default)]
struct Addressing<'a>(Vec<Node<'a, 'a>>);

impl<'a> Addressing<'a> {
    /// `RelatesTo` may come several times (WS-Addressing 1.0 Core §3.1); the first one counts here.
    const NAMES: [&'static str; 5] = ["Action", "MessageID", "RelatesTo", "To", "ReplyTo"];

    fn read(header: Option<Node<'a, 'a>>) -> Result<Self, SoapError> {
        let Some(header) = header else { return Ok(Self::default()) };
        let mut found = Self::default();
        for block in header.child_elements() {
            for name in Self::NAMES {
                if block.is(Some(NS_WSA), name) {
                    if name != "RelatesTo" && found.get(name).is_some() {
                        return Err(SoapError::Twice { name, line: block.position().0 });
                    }
                    found.0.push(block);
                }
            }
        }
        Ok(found)
    }

    fn get(&self, name: &str) -> Option<Node<'a, 'a>> {
        self.0.iter().copied().find(|block| block.is(Some(NS_WSA), name))
    }

    fn value(&self, name: &str) -> Option<String> {
        non_empty(self.get(name)?)
    }
}

fn non_empty(node: Node<'_, '_>) -> Option<String> {
    Some(node.trimmed_text()).filter(|text| !text.is_empty())
}

/// The DMP kit writes the attribute without prefix: it counts as the envelope's.
fn must_understand(block: Node<'_, '_>, version: Version) -> bool {
    let namespace = match version {
        Version::Soap11 => NS_SOAP11,
        Version::Soap12 => NS_SOAP12,
    };
    let value = block.attribute((namespace, "mustUnderstand")).or_else(|| block.attribute("mustUnderstand"));
    matches!(value.map(str::trim), Some("1" | "true"))
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
        let mut w = Writer::document();
        w.open("soap:Envelope").ns("soap", NS_SOAP12).ns("wsa", NS_WSA);
        w.open("soap:Header");
        w.open("wsa:Action").attr("soap:mustUnderstand", "true").text(&self.action).close();
        w.leaf("wsa:MessageID", &self.message_id);
        w.leaf_opt("wsa:RelatesTo", self.relates_to.as_deref());
        w.leaf_opt("wsa:To", self.to.as_deref());
        if let Some(reply_to) = &self.reply_to {
            w.open("wsa:ReplyTo").leaf("wsa:Address", reply_to).close();
        }
        for header in &self.headers {
            w.raw(header);
        }
        w.close();
        w.open("soap:Body").raw(&self.body).close();
        w.finish()
    }
}

/// The header block that names a block which was not understood, to go with a MustUnderstand fault
/// (SOAP 1.2 Part 1 §5.4.8).
#[must_use]
pub fn not_understood_block(block: Node<'_, '_>) -> String {
    let name = block.tag_name();
    let mut w = Writer::fragment();
    w.open("soap:NotUnderstood").ns("soap", NS_SOAP12);
    match name.namespace().filter(|uri| !uri.is_empty()) {
        Some(uri) => w.ns("q", uri).attr("qname", &format!("q:{}", name.name())),
        None => w.attr("qname", name.name()),
    };
    w.finish()
}

/// A new `urn:uuid:` MessageID (version 4).
#[must_use]
pub fn new_message_id() -> String {
    uuid::Uuid::new_v4().urn().to_string()
}
