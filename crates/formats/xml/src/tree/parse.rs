//! Text to tree.

use roxmltree::{Document, Error, ParsingOptions};

use super::scan::scan;
use super::{Limits, XmlError, XmlErrorKind, line_and_column};

/// Parses a text into a read-only tree: XML 1.0 with namespaces, no DOCTYPE whatever it holds, under limits.
///
/// Time and memory are linear in the size of the text, also for hostile input.
///
/// # Errors
/// The first thing that is refused, with its place.
pub fn parse<'a>(text: &'a str, limits: &Limits) -> Result<Document<'a>, XmlError> {
    scan(text, limits).map_err(|(kind, at)| XmlError::new(kind, line_and_column(text, at)))?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: limits.nodes, entity_resolver: None };
    Document::parse_with_options(text, options).map_err(|e| refusal(&e, limits))
}

fn refusal(error: &Error, limits: &Limits) -> XmlError {
    let kind = match error {
        Error::DtdDetected => XmlErrorKind::Doctype,
        Error::NodesLimitReached => XmlErrorKind::TooManyNodes { limit: limits.nodes },
        Error::AttributesLimitReached => XmlErrorKind::TooManyAttributes { limit: limits.attributes },
        Error::NamespacesLimitReached => XmlErrorKind::TooManyNamespaces { limit: usize::from(u16::MAX) },
        other => XmlErrorKind::NotWellFormed(reason(other)),
    };
    let at = error.pos();
    XmlError::new(kind, (at.row, at.col))
}

/// The parser's own messages repeat names and characters of the input; these do not.
fn reason(error: &Error) -> &'static str {
    match error {
        Error::InvalidXmlPrefixUri(_) | Error::UnexpectedXmlUri(_) | Error::UnexpectedXmlnsUri(_) => {
            "a reserved namespace is declared"
        }
        Error::InvalidElementNamePrefix(_) => "an element has the prefix xmlns",
        Error::DuplicatedNamespace(..) => "namespace declared twice on an element",
        Error::UnknownNamespace(..) => "undeclared prefix",
        Error::UnexpectedCloseTag(..) | Error::UnexpectedEntityCloseTag(_) => "end tag without its start tag",
        Error::UnknownEntityReference(..) => "unknown entity",
        Error::MalformedEntityReference(_) | Error::EntityReferenceLoop(_) => "malformed reference",
        Error::InvalidAttributeValue(_) => "'<' in an attribute value",
        Error::DuplicatedAttribute(..) => "attribute given twice",
        Error::NoRootNode => "no root element",
        Error::UnclosedRootNode => "an element is not closed",
        Error::UnexpectedDeclaration(_) => "XML declaration not at the start",
        Error::InvalidName(_) => "malformed name",
        Error::NonXmlChar(..) => "character not allowed in XML",
        Error::InvalidComment(_) => "malformed comment",
        Error::InvalidCharacterData(_) => "']]>' in text",
        Error::UnexpectedEndOfStream => "unexpected end",
        _ => "malformed markup",
    }
}
