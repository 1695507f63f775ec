use bytes::Bytes;
use socle_cda::xdm::{self, Limits};
use socle_cda::{Document, Header, Refused};
use socle_identity::{Ins, InsError};

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
    /// [`ArchiveError`]. A CDA whose header cannot be read is one of them: it could carry an INS that nobody saw.
    pub fn read(zip: Bytes) -> Result<Self, ArchiveError> {
        let archive = xdm::read(&zip, &Limits::default())?;
        let documents = archive.cda_documents().iter().map(facts).collect::<Result<Vec<_>, _>>()?;
        if documents.is_empty() {
            return Err(ArchiveError::NoCda);
        }
        Ok(Self { zip, documents })
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

fn facts(document: &Document) -> Result<DocumentFacts, ArchiveError> {
    let header = Header::read(document)?;
    let code = document.code().filter(|code| is_header_code(code)).ok_or(ArchiveError::Code)?;
    let ins = header.ins().transpose()?;
    Ok(DocumentFacts { code: code.to_owned(), ins, has_traits: header.patient.traits.is_some() })
}

/// Codes are joined by commas in a header: nothing else than what LOINC and the national lists use.
fn is_header_code(code: &str) -> bool {
    (1..=64).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

/// Why an archive cannot leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Not an XDM archive, or a document of it has no readable header.
    #[error("the archive or a document in it is refused: {0}")]
    Refused(#[from] Refused),
    /// Nothing to name in `X-MSS-CODECDA`.
    #[error("the archive holds no CDA document")]
    NoCda,
    /// `X-MSS-CODECDA` cannot name it (ECO.2.4.1).
    #[error("a document's code is not 1 to 64 letters, digits, `-`, `.` or `_` (Référentiel #2, ECO.2.4.1)")]
    Code,
    /// An identifier under an OID of the INS that is none.
    #[error("the INS of a document is wrong: {0}")]
    Ins(#[from] InsError),
}
