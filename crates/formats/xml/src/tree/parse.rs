//! Text to tree.

use roxmltree::{Document, ParsingOptions};

use super::{Limits, XmlError, XmlErrorKind};

/// Parses a text into a read-only tree.
///
/// # Errors
/// The first thing that is refused, with its place.
pub fn parse<'a>(text: &'a str, limits: &Limits) -> Result<Document<'a>, XmlError> {
    let options = ParsingOptions { nodes_limit: limits.nodes, ..ParsingOptions::default() };
    Document::parse_with_options(text, options)
        .map_err(|e| XmlError::new(XmlErrorKind::NotWellFormed("syntax"), (e.pos().row, e.pos().col)))
}
