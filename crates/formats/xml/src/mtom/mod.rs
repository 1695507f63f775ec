//! MTOM: a SOAP envelope and its binary parts in one `multipart/related` body (XOP 1.0, RFC 2387).
//!
//! Parts are [`Bytes`]: reading slices the received body, writing hands back the caller's buffers between
//! small header chunks; nothing is copied unless a peer used a transfer encoding. Order: parts and
//! messages, writing, what an `xop:Include` means; `read` takes a body apart.
//!
//! Not here: spooling to disk. A body is in memory once, under [`Limits::bytes`].

mod read;
mod transfer;

use bytes::Bytes;
use roxmltree::{Document, Node};

pub use read::{MtomError, is_multipart, read, receive};

use crate::soap::quoted;
use crate::tree::NodeExt;
use crate::write::Writer;

/// Namespace of `xop:Include`.
pub const NS_XOP: &str = "http://www.w3.org/2004/08/xop/include";

/// One binary part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Without `<` and `>`; empty when the peer gave none.
    pub content_id: String,
    /// As written in the part's header.
    pub content_type: String,
    /// The content, decoded.
    pub bytes: Bytes,
}

/// A message to send: a `Content-Type` and the chunks of its body.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Value of the HTTP header, boundary included.
    pub content_type: String,
    /// Body, to be sent one after the other.
    pub body: Vec<Bytes>,
}

impl Outgoing {
    /// Length of the body.
    #[must_use]
    pub fn content_length(&self) -> u64 {
        self.body.iter().map(|chunk| chunk.len() as u64).sum()
    }

    /// The body in one piece, copied.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        Bytes::from(self.body.concat())
    }
}

/// What a multipart message may cost before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Whole body, in bytes.
    pub bytes: usize,
    /// Root part, in bytes.
    pub root: usize,
    /// Parts beside the root.
    pub parts: usize,
    /// Header lines of one part.
    pub header_lines: usize,
    /// Bytes of one header line.
    pub header_line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 512 << 20, root: 8 << 20, parts: 200, header_lines: 64, header_line: 8 << 10 }
    }
}

/// Puts an envelope and its parts together.
///
/// Nothing but chance keeps a delimiter out of binary content: the boundary has more than 128 random bits.
/// Characters that a header cannot carry are left out of `content_id` and `content_type`.
#[must_use]
pub fn write(envelope: &str, action: &str, parts: &[Part]) -> Outgoing {
    let boundary = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let root_id = format!("root.{}@socle", uuid::Uuid::new_v4().simple());
    let mut body = Vec::with_capacity(2 * parts.len() + 3);
    body.push(head(&boundary, &root_id, "application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"", ""));
    body.push(Bytes::copy_from_slice(envelope.as_bytes()));
    for part in parts {
        body.push(head(&boundary, &part.content_id, &part.content_type, "\r\n"));
        body.push(part.bytes.clone());
    }
    body.push(Bytes::from(format!("\r\n--{boundary}--\r\n")));
    let content_type = format!(
        "multipart/related; type=\"application/xop+xml\"; start=\"<{root_id}>\"; \
         start-info=\"application/soap+xml\"; action={}; boundary=\"{boundary}\"",
        quoted(action)
    );
    Outgoing { content_type, body }
}

fn head(boundary: &str, content_id: &str, content_type: &str, before: &str) -> Bytes {
    let id = id_of_header(content_id);
    let content_type: String = content_type.chars().filter(|c| matches!(c, ' '..='~')).collect();
    Bytes::from(format!(
        "{before}--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: binary\r\n\
         Content-ID: <{id}>\r\n\r\n"
    ))
}

fn id_of_header(content_id: &str) -> String {
    content_id.chars().filter(|c| matches!(c, '!'..='~') && !matches!(c, '<' | '>')).collect()
}

/// The `xop:Include` element that stands for a part, to be the only child of its element.
#[must_use]
pub fn include(content_id: &str) -> String {
    let mut w = Writer::fragment();
    w.open("xop:Include").ns("xop", NS_XOP).attr("href", &href(content_id));
    w.finish()
}

/// The `cid:` URI of a Content-ID (RFC 2392): everything but unreserved characters, `@` and `+` is
/// percent-encoded.
#[must_use]
pub fn href(content_id: &str) -> String {
    let mut uri = String::from("cid:");
    for byte in id_of_header(content_id).bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@+".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// A message received, multipart or not.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The root part: the envelope.
    pub root: Bytes,
    /// Content type of the root part, as written.
    pub root_type: String,
    /// The other parts, in order.
    pub parts: Vec<Part>,
}

impl Incoming {
    /// The part that an `xop:Include/@href` names: `cid:` and a percent-encoded Content-ID.
    ///
    /// # Errors
    /// [`MtomError::Href`] when it is no `cid:` URI, [`MtomError::MissingPart`] when no part has that id.
    pub fn resolve(&self, href: &str) -> Result<&Part, MtomError> {
        let id = content_id_of(href)?;
        self.parts
            .iter()
            .find(|part| !part.content_id.is_empty() && part.content_id == id)
            .ok_or(MtomError::MissingPart)
    }

    /// Checks that every `xop:Include` of the envelope stands alone in its element and names a part that
    /// came, and that no part is named twice.
    ///
    /// # Errors
    /// [`MtomError`] for the first that does not.
    pub fn check_includes(&self, envelope: &Document<'_>) -> Result<(), MtomError> {
        let mut used: Vec<&str> = Vec::new();
        for include in envelope.descendants().filter(|node| node.is(Some(NS_XOP), "Include")) {
            let holder = include.parent_element().ok_or(MtomError::NotAlone)?;
            let part = self.resolve(href_of_only_child(holder)?.unwrap_or_default())?;
            if used.contains(&part.content_id.as_str()) {
                return Err(MtomError::PartUsedTwice);
            }
            used.push(&part.content_id);
        }
        Ok(())
    }

    /// The binary content of an element: the part that it includes, without a copy, or its own base64 text.
    ///
    /// # Errors
    /// [`MtomError`] when it includes something that did not come, or holds neither.
    pub fn content(&self, element: Node<'_, '_>) -> Result<Bytes, MtomError> {
        if let Some(href) = href_of_only_child(element)? {
            return Ok(self.resolve(href)?.bytes.clone());
        }
        if element.first_element_child().is_some() {
            return Err(MtomError::NotAlone);
        }
        transfer::base64(element.full_text().as_bytes())
    }
}

/// The href of the `xop:Include` in an element, if it has one; white space around it is tolerated.
fn href_of_only_child<'a>(element: Node<'a, '_>) -> Result<Option<&'a str>, MtomError> {
    let Some(include) = element.child(Some(NS_XOP), "Include") else { return Ok(None) };
    let others = element.children().filter(|child| *child != include);
    let is_blank = |child: Node<'_, '_>| child.is_text() && child.text().unwrap_or_default().trim().is_empty();
    if !others.into_iter().all(is_blank) {
        return Err(MtomError::NotAlone);
    }
    include.attribute("href").map(Some).ok_or(MtomError::Href)
}

fn content_id_of(href: &str) -> Result<String, MtomError> {
    let (scheme, id) = href.trim().split_once(':').ok_or(MtomError::Href)?;
    if !scheme.eq_ignore_ascii_case("cid") || id.is_empty() {
        return Err(MtomError::Href);
    }
    percent_decoded(id).ok_or(MtomError::Href)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (hex, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
