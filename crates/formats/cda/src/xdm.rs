//! `IHE_XDM.zip`: documents and their metadata in one archive, for MSSanté (IHE ITI-32, "ZIP over email").
//!
//! Order: what is packed, what is unpacked, writing, reading, validating (layout, metadata against documents,
//! each document). Written bytes depend on the content
//! alone. Reading is tolerant of what senders do (case, folder names, `\`, several lots) and refuses
//! what harms: names that leave the archive, bombs, doubles, a hash or size that lies.
//!
//! Not here: the mail around it (`socle-mss`), signatures (none is required in XDM).

mod read;
mod validate;
mod write;

use bytes::Bytes;
use socle_finding::Finding;
use socle_identity::Ins;

use crate::document::Document;
use crate::finding::Refused;
use crate::xds::{Cx, DocumentEntry, Submission, SubmissionSet};

/// Who sends, for README.TXT. Public words only: no patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Organisation that sends.
    pub organisation: String,
    /// Name of the software.
    pub software: String,
    /// Its version.
    pub version: String,
    /// Who makes it.
    pub editor: String,
    /// Whom to ask.
    pub contact: String,
}

/// What to pack: one lot and the bytes of its entries, in order.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The lot.
    pub set: SubmissionSet,
    /// The entries and their documents. URI, hash and size are filled in.
    pub documents: Vec<(DocumentEntry, Bytes)>,
    /// The sender.
    pub sender: Sender,
}

/// A received archive.
#[derive(Debug, Clone)]
pub struct Archive {
    /// Its lots, in the order of their folders.
    pub subsets: Vec<Subset>,
    /// What was odd.
    pub warnings: Vec<Finding>,
}

/// One lot of an archive.
#[derive(Debug, Clone)]
pub struct Subset {
    /// Its folder, as written (`IHE_XDM/SUBSET01`).
    pub folder: String,
    /// The metadata.
    pub submission: Submission,
    /// The bytes of `submission.entries`, in the same order; their hash and size are right.
    pub files: Vec<Bytes>,
}

impl Subset {
    /// Entries with their bytes.
    pub fn documents(&self) -> impl Iterator<Item = (&DocumentEntry, &Bytes)> {
        self.submission.entries.iter().zip(&self.files)
    }
}

/// What `X-MSS-CODECDA` and `X-MSS-INS` say of an archive (MSSanté, Référentiel #2, ECO.2.4.1 and 2.4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFacts {
    /// `ClinicalDocument/code/@code` of each CDA, in order; empty when there is none: then neither header is sent.
    pub cda_codes: Vec<String>,
    /// Every CDA carries one and the same INS with a right key, its OID and the four traits (birth
    /// name, first given name, birth date, sex), and the metadata say the same INS. Whether that INS
    /// is *qualified* is the sender's knowledge: the archive can only show that it could be.
    pub carries_ins: bool,
}

impl Archive {
    /// The facts for the mail headers, from what the archive really holds.
    #[must_use]
    pub fn mail_facts(&self) -> MailFacts {
        let documents = self.subsets.iter().flat_map(Subset::documents);
        let read =
            |(entry, bytes): (&DocumentEntry, &Bytes)| Some((entry.clone(), Document::parse(bytes.clone()).ok()?));
        let cda: Vec<(DocumentEntry, Document)> = documents.filter_map(read).collect();
        let cda_codes = cda.iter().filter_map(|(_, document)| document.code().map(str::to_owned)).collect();
        let mut ins = cda.iter().map(|(entry, document)| ins_with_traits(entry, document));
        let first = ins.next().flatten();
        let carries_ins = first.is_some() && ins.all(|other| other == first);
        MailFacts { cda_codes, carries_ins }
    }

    /// The CDA documents, in order; files that are none are left out.
    #[must_use]
    pub fn cda_documents(&self) -> Vec<Document> {
        let files = self.subsets.iter().flat_map(|subset| &subset.files);
        files.filter_map(|bytes| Document::parse(bytes.clone()).ok()).collect()
    }
}

/// The INS of a document that has its four traits, when the metadata say the same INS.
fn ins_with_traits(entry: &DocumentEntry, document: &Document) -> Option<Ins> {
    let patient = document.patient()?;
    patient.traits.as_ref()?;
    let ins = patient.ins()?.ok()?;
    entry.patient_id.same(&Cx::from(&ins)).then_some(ins)
}

/// Bounds of reading. The default suits a mail of 25 MB.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files in the archive.
    pub entries: usize,
    /// Bytes of one file, unpacked.
    pub file_bytes: u64,
    /// Bytes of all files, unpacked.
    pub total_bytes: u64,
    /// Unpacked over packed, for files above 1 MB.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 1_000, file_bytes: 64 << 20, total_bytes: 256 << 20, ratio: 200 }
    }
}

pub use validate::{Member, Validated, validate};

/// Packs one lot. The same content gives the same bytes.
///
/// # Errors
/// [`XdmError`] when there is nothing to pack, or too much for the format.
pub fn write(outgoing: &Outgoing) -> Result<Bytes, XdmError> {
    write::write(outgoing)
}

/// Unpacks an archive, nothing on disk.
///
/// # Errors
/// [`Refused`] when it is not such an archive, or is hostile, or its metadata lie.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Archive, Refused> {
    read::read(bytes, limits)
}

/// Why an archive was not written.
#[derive(Debug, thiserror::Error)]
pub enum XdmError {
    /// No document.
    #[error("an XDM archive needs at least one document")]
    Empty,
    /// More than 99 999 documents.
    #[error("an XDM archive of more than 99999 documents has no names for them")]
    TooMany,
    /// The ZIP writer failed.
    #[error("the ZIP archive could not be written: {0}")]
    Zip(String),
}
