use bytes::Bytes;
use socle_identity::Ins;

/// An `IHE_XDM.zip`, with what it holds as read from it: the X-headers come from here (R4), not from
/// the fields of a form.
#[derive(Debug, Clone)]
pub struct Archive {
    zip: Bytes,
    documents: Vec<DocumentFacts>,
}

/// What a mail must say of one document of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFacts {
    /// `ClinicalDocument/code/@code`.
    pub code: String,
    /// The INS of `recordTarget/patientRole/id`, when there is one.
    pub ins: Option<Ins>,
    /// Are the four traits there (birth name, first given name, birth date, sex)? With them, the INS is
    /// a qualified one in the sense of `X-MSS-INS` (ECO.2.4.2).
    pub has_traits: bool,
}

impl Archive {
    /// The name of the attachment (ECO.2.1.1).
    pub const NAME: &'static str = "IHE_XDM.zip";

    /// Reads an archive: each CDA of its submission sets, in the order of the documents.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn read(zip: Bytes) -> Result<Self, ArchiveError> {
        let _ = zip;
        Err(ArchiveError::NoCda)
    }

    /// The bytes.
    #[must_use]
    pub const fn zip(&self) -> &Bytes {
        &self.zip
    }

    /// The documents, at least one, in order.
    #[must_use]
    pub fn documents(&self) -> &[DocumentFacts] {
        &self.documents
    }
}

/// Why an archive cannot leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Nothing to name in `X-MSS-CODECDA`.
    #[error("the archive holds no CDA document")]
    NoCda,
}
