//! Bytes to text to a read-only tree. Order: limits, errors, decoding, parsing, helpers on nodes.
//!
//! What is refused here is refused for every format of the house: DOCTYPE, XML 1.1, a declaration that
//! contradicts the bytes, sizes beyond [`Limits`].

mod declaration;
mod decode;
mod error;
mod node;
mod parse;
mod scan;

pub use decode::{Decoded, Encoding, decode};
pub use error::{XmlError, XmlErrorKind};
pub use node::NodeExt;
pub use parse::parse;

/// What a document may cost before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the input, in bytes as received; the decoded text is held to the same number.
    pub bytes: usize,
    /// Open elements above and including an element.
    pub depth: usize,
    /// Nodes of the tree: elements, texts, comments, processing instructions.
    pub nodes: u32,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Length in bytes of an element's, attribute's or instruction's lexical name.
    pub name: usize,
}

impl Limits {
    /// Limits of a SOAP envelope whose documents travel beside it.
    pub const ENVELOPE: Self = Self { bytes: 8 << 20, nodes: 1_000_000, ..Self::CDA };

    /// Limits of a CDA document with its base64 bodies.
    pub const CDA: Self = Self { bytes: 64 << 20, depth: 256, nodes: 5_000_000, attributes: 1024, name: 1024 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::CDA
    }
}

/// Line and column (in characters) of a byte of a text, both from 1.
pub(crate) fn line_and_column(text: &str, at: usize) -> (u32, u32) {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    // A byte that does not continue a UTF-8 sequence begins a character.
    let column = before[start..].iter().filter(|&&b| b & 0xC0 != 0x80).count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}
