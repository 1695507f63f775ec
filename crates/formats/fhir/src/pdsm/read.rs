use super::{DocumentMetadata, ProvideBundle};
use crate::outcome::{Issues, Reading};
use crate::tape::{Document, Node};

/// Reads an ITI-65 transaction.
///
/// # Errors
/// All that is wrong with it.
pub fn read_provide_bundle(_document: &Document) -> Reading<ProvideBundle> {
    Err(Issues::default())
}

/// Reads a fiche that stands alone.
///
/// # Errors
/// All that is wrong with it.
pub fn read_document_reference(_node: Node<'_>) -> Reading<DocumentMetadata> {
    Err(Issues::default())
}
