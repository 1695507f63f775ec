use std::fmt;

use bytes::Bytes;
use socle_cda::header::InsCandidate;
use socle_cda::xdm::{self, Limits};
use socle_cda::{Document, Refused};
use socle_identity::{Ins, InsError};

/// An `IHE_XDM.zip`, with what it holds as read from it: the X-headers come from here (R4), not from
/// the fields of a form.
#[derive(Clone)]
pub struct Archive {
    zip: Bytes,
    documents: Vec<DocumentFacts>,
    carries_ins: bool,
}

/// What a mail must say of one document of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFacts {
    /// `ClinicalDocument/code/@code`.
    pub code: String,
    /// The INS among `recordTarget/patientRole/id`: usually one, none when the document has none.
    pub ins: Vec<Ins>,
}

impl Archive {
    /// The name of the attachment (ECO.2.1.1).
    pub const NAME: &'static str = "IHE_XDM.zip";

    /// Reads an archive: each CDA of its submission sets, in the order of the documents.
    ///
    /// # Errors
    /// [`ArchiveError`]. A CDA whose patient cannot be read is one of them: it could carry an INS that nobody saw.
    pub fn read(zip: Bytes) -> Result<Self, ArchiveError> {
        let archive = xdm::read(&zip, &Limits::default())?;
        let documents = archive.cda_documents().iter().map(facts).collect::<Result<Vec<_>, _>>()?;
        if documents.is_empty() {
            return Err(ArchiveError::NoCda);
        }
        Ok(Self { zip, documents, carries_ins: archive.mail_facts().carries_ins })
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

    /// Does it carry one INS with its OID and the four traits (birth name, first given name, birth date, sex)? Then it is
    /// a qualified one in the sense of `X-MSS-INS` (ECO.2.4.2), since no other leaves.
    #[must_use]
    pub const fn carries_ins(&self) -> bool {
        self.carries_ins
    }
}

/// Its octets are somebody's documents.
impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Archive({} documents, {} octets)", self.documents.len(), self.zip.len())
    }
}

fn facts(document: &Document) -> Result<DocumentFacts, ArchiveError> {
    let code = document.code().filter(|code| is_header_code(code)).ok_or(ArchiveError::Code)?;
    let patient = document.patient().ok_or(ArchiveError::Patient)?;
    let read = |candidate: &InsCandidate| {
        candidate.matricule.parse().map(|matricule| Ins { matricule, authority: candidate.authority })
    };
    let ins = patient.ins_candidates.iter().map(read).collect::<Result<_, _>>()?;
    Ok(DocumentFacts { code: code.to_owned(), ins })
}

/// Codes are joined by commas in a header: nothing else than what LOINC and the national lists use.
fn is_header_code(code: &str) -> bool {
    (1..=64).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

/// Why an archive cannot leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Not an XDM archive, or one that lies or harms.
    #[error("the archive is refused: {0}")]
    Refused(#[from] Refused),
    /// `recordTarget` is not what CDA wants.
    #[error("the patient of a document cannot be read (recordTarget/patientRole)")]
    Patient,
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
