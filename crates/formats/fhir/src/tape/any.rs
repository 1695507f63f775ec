//! A document in JSON or XML: which of the two is seen from its first character.

use bytes::Bytes;
use socle_finding::Lang;

use super::{Document, JsonError, Limits, Position};
use crate::outcome::Issue;
use crate::xml::{self, ReadError};

/// Why a document was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is not the JSON that we take.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is not the XML that we take.
    #[error(transparent)]
    Xml(#[from] ReadError),
}

impl DocumentError {
    /// Where in the bytes.
    #[must_use]
    pub const fn position(&self) -> Position {
        match self {
            Self::Json(error) => error.position,
            Self::Xml(error) => error.position,
        }
    }

    /// The sentence for a person: what, where, how to mend it.
    #[must_use]
    pub fn shown(&self, lang: Lang) -> String {
        match self {
            Self::Json(error) => error.shown(lang),
            Self::Xml(error) => error.shown(lang),
        }
    }

    /// The same, as an issue of an OperationOutcome.
    #[must_use]
    pub fn issue(&self) -> Issue {
        match self {
            Self::Json(error) => error.issue(),
            Self::Xml(error) => error.issue(),
        }
    }
}

impl Document {
    /// Reads a document in JSON or XML under the default [`Limits`].
    ///
    /// # Errors
    /// What is wrong, where, how to mend it.
    pub fn read(bytes: impl Into<Bytes>) -> Result<Self, DocumentError> {
        Self::read_within(bytes, &Limits::default())
    }

    /// Reads a document in JSON or XML under the given limits.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn read_within(bytes: impl Into<Bytes>, limits: &Limits) -> Result<Self, DocumentError> {
        let bytes = bytes.into();
        if is_markup(&bytes) {
            return Ok(xml::read_within(bytes, limits)?);
        }
        Ok(Self::parse_within(bytes, limits)?)
    }
}

/// The first character is `<`, in UTF-8 or UTF-16, after a byte order mark and white space if there are any.
fn is_markup(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    matches!(
        text.trim_ascii_start(),
        [b'<', ..] | [0xFE, 0xFF, 0, b'<', ..] | [0xFF, 0xFE, b'<', 0, ..] | [0, b'<', ..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Format;

    #[test]
    fn the_first_character_says_the_syntax() {
        let xml = "<Patient xmlns=\"http://hl7.org/fhir\"/>";
        let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(xml.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let rows: [(Vec<u8>, Format); 5] = [
            (xml.into(), Format::Xml),
            (format!("\u{FEFF}{xml}").into(), Format::Xml),
            (format!("\n {xml}").into(), Format::Xml),
            (utf16, Format::Xml),
            (b" {}".into(), Format::Json),
        ];
        for (bytes, expected) in rows {
            assert_eq!(Document::read(bytes.clone()).unwrap().format(), expected, "{bytes:?}");
        }
        assert!(matches!(Document::read("<Patient"), Err(DocumentError::Xml(_))));
        let error = Document::read("a;b").unwrap_err();
        assert!(matches!(error, DocumentError::Json(_)));
        assert_eq!(error.position().line, 1);
    }
}
