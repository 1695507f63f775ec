//! MTOM: a SOAP envelope and its binary parts in one `multipart/related` body (XOP 1.0, RFC 2387).
//!
//! Parts are [`Bytes`]: reading slices the received body, writing hands back the caller's buffers between
//! small header chunks; nothing is copied unless a peer used a transfer encoding. Order: writing, reading.

use bytes::Bytes;

/// One binary part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Without `<` and `>`.
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

/// A message received.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The root part: the envelope.
    pub root: Bytes,
    /// The other parts, in order.
    pub parts: Vec<Part>,
}

impl Incoming {
    /// The part that an `xop:Include/@href` names: `cid:` and a percent-encoded Content-ID.
    ///
    /// # Errors
    /// [`MtomError::Href`] when it is no `cid:` URI, [`MtomError::MissingPart`] when no part has that id.
    pub fn resolve(&self, href: &str) -> Result<&Part, MtomError> {
        let _ = href;
        Err(MtomError::MissingPart)
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

/// Why a multipart message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MtomError {
    /// Not `multipart/related` with a boundary.
    #[error("the content type is no multipart/related with a boundary (RFC 2387 §3)")]
    ContentType,
    /// No part has that Content-ID.
    #[error("an xop:Include names a part that did not come (XOP 1.0 §3.2)")]
    MissingPart,
    /// An href that is no `cid:` URI.
    #[error("the href of an xop:Include is no cid: URI (XOP 1.0 §2.1, RFC 2392)")]
    Href,
}

/// Is this a content type that [`read`] takes?
#[must_use]
pub fn is_multipart(content_type: &str) -> bool {
    let _ = content_type;
    false
}

/// Puts an envelope and its parts together. The boundary is random (128 bits).
#[must_use]
pub fn write(envelope: &str, action: &str, parts: &[Part]) -> Outgoing {
    let _ = (envelope, parts);
    Outgoing { content_type: action.to_owned(), body: Vec::new() }
}

/// Takes a multipart body apart.
///
/// # Errors
/// [`MtomError`], always with the rule; nothing is read in part.
pub fn read(content_type: &str, body: Bytes, limits: &Limits) -> Result<Incoming, MtomError> {
    let _ = (content_type, body, limits);
    Err(MtomError::ContentType)
}
