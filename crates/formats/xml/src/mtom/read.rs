//! Taking a `multipart/related` body apart (RFC 2046 §5.1, RFC 2387), hostile or merely odd.
//!
//! The line end after the first delimiter decides for the whole body: CRLF as the standard says, or LF as
//! some peers send. So a binary part may hold the other one before something like a delimiter.
//! Order: errors, entry points, parts, headers.

use bytes::Bytes;
use memchr::{memchr, memmem};

use super::{Incoming, Limits, Part, transfer};
use crate::soap::{ContentType, read_content_type};

/// Why a multipart message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MtomError {
    /// Not `multipart/related` with a boundary.
    #[error("the content type is no multipart/related with a boundary of 1 to 200 characters (RFC 2387 §3)")]
    ContentType,
    /// The body exceeds a limit.
    #[error("the message has more than {limit} {what}")]
    TooBig {
        /// What was counted.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// No delimiter at all, or nothing between delimiters.
    #[error("the body has no part between delimiters (RFC 2046 §5.1.1)")]
    NoPart,
    /// The closing delimiter did not come: the message was cut.
    #[error("the body ends without its closing delimiter: it was cut on the way (RFC 2046 §5.1.1)")]
    Truncated,
    /// A header that is none.
    #[error("part {part}: malformed header (RFC 2045 §3)")]
    Header {
        /// Number of the part, from 1.
        part: usize,
    },
    /// A transfer encoding that is unknown, or not what it says.
    #[error("a part or element does not decode as {0} (RFC 2045 §6)")]
    Encoding(&'static str),
    /// No part has the Content-ID of the `start` parameter.
    #[error("no part is the root that the start parameter names (RFC 2387 §3.2)")]
    MissingRoot,
    /// Two parts have one Content-ID.
    #[error("two parts have the same Content-ID (RFC 2045 §7)")]
    DuplicateId,
    /// No part has that Content-ID.
    #[error("an xop:Include names a part that did not come (XOP 1.0 §3.2)")]
    MissingPart,
    /// A part is included twice.
    #[error("two xop:Include name the same part (XOP 1.0 §3.1)")]
    PartUsedTwice,
    /// An `xop:Include` has company in its element.
    #[error("an element with an xop:Include holds something else as well (XOP 1.0 §3.2)")]
    NotAlone,
    /// An href that is no `cid:` URI.
    #[error("the href of an xop:Include is no cid: URI (XOP 1.0 §2.1, RFC 2392)")]
    Href,
}

/// Is this a content type that [`read`] takes?
#[must_use]
pub fn is_multipart(content_type: &str) -> bool {
    read_content_type(content_type).is_some_and(|t| t.essence == "multipart/related")
}

/// Takes a body apart if it is multipart, else takes it as an envelope without parts. Peers answer faults
/// either way, and inline base64 where parts are expected.
///
/// # Errors
/// [`MtomError`], see [`read`].
pub fn receive(content_type: &str, body: Bytes, limits: &Limits) -> Result<Incoming, MtomError> {
    if is_multipart(content_type) {
        return read(content_type, body, limits);
    }
    if body.len() > limits.root {
        return Err(MtomError::TooBig { what: "bytes", limit: limits.root });
    }
    Ok(Incoming { root: body, root_type: content_type.to_owned(), parts: Vec::new() })
}

/// Takes a multipart body apart.
///
/// The `Content-Length` of a part is never believed; a body without its closing delimiter is refused.
///
/// # Errors
/// [`MtomError`], always with the rule; nothing is read in part.
pub fn read(content_type: &str, body: Bytes, limits: &Limits) -> Result<Incoming, MtomError> {
    let media = read_content_type(content_type).ok_or(MtomError::ContentType)?;
    let boundary = boundary_of(&media)?;
    if body.len() > limits.bytes {
        return Err(MtomError::TooBig { what: "bytes", limit: limits.bytes });
    }
    let mut parts = Reader::new(&body, boundary, limits)?.parts()?;
    let root = root_of(&parts, media.parameter("start"))?;
    let root = parts.remove(root);
    if root.bytes.len() > limits.root {
        return Err(MtomError::TooBig { what: "bytes in the root part", limit: limits.root });
    }
    Ok(Incoming { root: root.bytes, root_type: root.content_type, parts })
}

fn boundary_of(media: &ContentType) -> Result<&str, MtomError> {
    let boundary = media.parameter("boundary").map(str::trim_end).unwrap_or_default();
    let fits = (1..=200).contains(&boundary.len()) && boundary.bytes().all(|b| matches!(b, b' '..=b'~'));
    if media.essence != "multipart/related" || !fits {
        return Err(MtomError::ContentType);
    }
    Ok(boundary)
}

/// The part that `start` names, or the first (RFC 2387 §3.2).
fn root_of(parts: &[Part], start: Option<&str>) -> Result<usize, MtomError> {
    let Some(start) = start.map(bare_id).filter(|id| !id.is_empty()) else { return Ok(0) };
    parts.iter().position(|part| part.content_id == start).ok_or(MtomError::MissingRoot)
}

/// A Content-ID without blanks and `<` `>`.
fn bare_id(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text).trim()
}

struct Reader<'r> {
    body: &'r Bytes,
    limits: &'r Limits,
    /// Line end and `--boundary`.
    delimiter: Vec<u8>,
    /// Length of the line end in `delimiter`.
    line_end: usize,
    /// Where the next part's headers begin.
    at: usize,
}

/// What follows `--boundary`.
enum Follows {
    /// `--`: no more parts.
    Close,
    /// Blanks and a line end: the next part begins there.
    Part(usize),
    /// Anything else: it was no delimiter.
    Nothing,
}

impl<'r> Reader<'r> {
    /// Finds the first delimiter, behind any preamble.
    fn new(body: &'r Bytes, boundary: &str, limits: &'r Limits) -> Result<Self, MtomError> {
        let dashes = format!("--{boundary}").into_bytes();
        for at in memmem::find_iter(body, &dashes) {
            let starts_line = at == 0 || body[at - 1] == b'\n';
            let end = at + dashes.len();
            match follows(body, end) {
                Follows::Part(next) if starts_line => {
                    let line_end: &[u8] = if body[..next].ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
                    let delimiter = [line_end, &dashes].concat();
                    return Ok(Self { body, limits, delimiter, line_end: line_end.len(), at: next });
                }
                Follows::Close if starts_line => return Err(MtomError::NoPart),
                _ => {}
            }
        }
        Err(MtomError::NoPart)
    }

    fn parts(mut self) -> Result<Vec<Part>, MtomError> {
        let mut parts: Vec<Part> = Vec::new();
        loop {
            if parts.len() > self.limits.parts {
                return Err(MtomError::TooBig { what: "parts", limit: self.limits.parts });
            }
            let headers = self.headers(parts.len() + 1)?;
            let (content, is_last) = self.content()?;
            let bytes = decoded(headers.transfer_encoding.as_deref(), content)?;
            let is_known = |part: &Part| !headers.id.is_empty() && part.content_id == headers.id;
            if parts.iter().any(is_known) {
                return Err(MtomError::DuplicateId);
            }
            parts.push(Part { content_id: headers.id, content_type: headers.content_type, bytes });
            if is_last {
                return Ok(parts);
            }
        }
    }

    /// Reads header lines up to the empty one.
    fn headers(&mut self, part: usize) -> Result<Headers, MtomError> {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Headers::of(&lines).ok_or(MtomError::Header { part });
            }
            let line = std::str::from_utf8(line).map_err(|_| MtomError::Header { part })?;
            // A folded header goes on with white space (RFC 5322 §2.2.3).
            if line.starts_with([' ', '\t'])
                && let Some(last) = lines.last_mut()
                && last.len() <= self.limits.header_line
            {
                last.push_str(line);
                continue;
            }
            if lines.len() == self.limits.header_lines {
                return Err(MtomError::TooBig { what: "header lines in a part", limit: self.limits.header_lines });
            }
            lines.push(line.to_owned());
        }
    }

    /// The next line, without its end, whichever that is.
    fn line(&mut self) -> Result<&'r [u8], MtomError> {
        let limit = self.limits.header_line;
        let rest = &self.body[self.at..];
        let window = &rest[..rest.len().min(limit + 2)];
        let Some(length) = memchr(b'\n', window) else {
            return Err(match rest.len() > limit {
                true => MtomError::TooBig { what: "bytes in a header line", limit },
                false => MtomError::Truncated,
            });
        };
        self.at += length + 1;
        let line = &rest[..length];
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The content up to the next delimiter, and whether that was the closing one.
    fn content(&mut self) -> Result<(Bytes, bool), MtomError> {
        // The line end of the empty line may be the delimiter's own: then the part is empty.
        let mut from = self.at - self.line_end.min(self.at);
        if !self.body[from..].starts_with(&self.delimiter) {
            from = self.at;
        }
        while let Some(offset) = memmem::find(&self.body[from..], &self.delimiter) {
            let at = from + offset;
            let end = at + self.delimiter.len();
            let content = self.body.slice(self.at.min(at)..at);
            match follows(self.body, end) {
                Follows::Close => return Ok((content, true)),
                Follows::Part(next) => {
                    self.at = next;
                    return Ok((content, false));
                }
                Follows::Nothing => from = end,
            }
        }
        Err(MtomError::Truncated)
    }
}

fn follows(body: &[u8], at: usize) -> Follows {
    let rest = &body[at..];
    if rest.starts_with(b"--") {
        return Follows::Close;
    }
    let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    match &rest[blanks..] {
        [b'\r', b'\n', ..] => Follows::Part(at + blanks + 2),
        [b'\n', ..] => Follows::Part(at + blanks + 1),
        _ => Follows::Nothing,
    }
}

/// Headers of a part that matter.
#[derive(Default)]
struct Headers {
    id: String,
    content_type: String,
    transfer_encoding: Option<String>,
}

impl Headers {
    fn of(lines: &[String]) -> Option<Self> {
        let mut headers = Self::default();
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            match name.trim_end().to_ascii_lowercase().as_str() {
                "content-id" => bare_id(value).clone_into(&mut headers.id),
                "content-type" => value.clone_into(&mut headers.content_type),
                "content-transfer-encoding" => headers.transfer_encoding = Some(value.to_ascii_lowercase()),
                _ => {}
            }
        }
        Some(headers)
    }
}

fn decoded(transfer_encoding: Option<&str>, content: Bytes) -> Result<Bytes, MtomError> {
    match transfer_encoding {
        None | Some("" | "binary" | "8bit" | "7bit") => Ok(content),
        Some("base64") => transfer::base64(&content),
        Some("quoted-printable") => transfer::quoted_printable(&content),
        Some(_) => Err(MtomError::Encoding("a known transfer encoding")),
    }
}
