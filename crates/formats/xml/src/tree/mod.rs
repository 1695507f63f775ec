//! Bytes to text to a read-only tree. Order: limits, errors, decoding, parsing, helpers on nodes.
//!
//! What is refused here is refused for every format of the house: DOCTYPE, XML 1.1, a declaration that
//! contradicts the bytes, sizes beyond [`Limits`].

mod decode;
mod error;
mod node;
mod parse;

pub use decode::{Decoded, Encoding, decode};
pub use error::{Text, XmlError, XmlErrorKind};
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
