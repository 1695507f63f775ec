use super::{Cx, DocumentEntry, Visibility};
use crate::document::Document;
use crate::finding::{Checked, Refused};

/// What the header does not say.
#[derive(Debug, Clone)]
pub struct EntryOptions {
    /// `ExtrinsicObject/@id` in the submission (`Doc1`).
    pub id: String,
    /// Who may not see the document.
    pub visibility: Visibility,
    /// comments.
    pub comments: Option<String>,
}

impl DocumentEntry {
    /// The entry of a document: everything that can be derived is (CI-SIS; DMP), nothing is invented.
    ///
    /// `patient` is the INS (`Cx::from(&ins)`) when it may leave the domain, else a local identifier.
    ///
    /// # Errors
    /// [`Refused`] when the header is, or when a code has no published derivation.
    pub fn from_header(_document: &Document, _patient: &Cx, _options: &EntryOptions) -> Result<Checked<Self>, Refused> {
        Err(Refused { findings: Vec::new() })
    }
}
