//! XDS metadata as the DMP and XDM use them: objects, their derivation from a header, ebRIM.
//!
//! Order: objects of this file, composite formats (`hl7`), visibility, derivation from a document
//! (`derive`), their agreement with it (`agree`), ebRIM written (`write`) and read (`read`). We write strictly and read as tolerantly as
//! foreign clients need: any prefix, any spelling of the charset, family and given in either order.
//!
//! Not here: SOAP, MTOM and stored queries (`socle-dmp`), the XAdES content of the lot's signature.
//! Source: IHE ITI TF-3 4.2 and 4.3 (ebRIM 3.0), CI-SIS; scheme UUIDs of IHE ITI TF-3.

mod agree;
mod derive;
mod hl7;
mod read;
pub mod scheme;
mod visibility;
mod write;

use std::fmt;

pub use agree::disagreements;
pub use derive::{EntryOptions, content_type, sha1_hex};
pub use hl7::{Cx, CxError, Xcn, Xon};
pub use read::{read_list, read_submission};
pub use visibility::{Cumulation, Visibility, VisibilityError};
pub use write::{write_list, write_submission};

use crate::code::Code;
use crate::time::UtcTime;

/// DocumentEntry (*fiche*). `Debug` shows no person.
#[derive(Clone, PartialEq, Eq)]
pub struct DocumentEntry {
    /// `ExtrinsicObject/@id`: symbolic in a submission, `urn:uuid:…` from a registry.
    pub id: String,
    /// `@lid`: stable across metadata versions; set by a registry.
    pub logical_id: Option<String>,
    /// `VersionInfo/@versionName`; set by a registry.
    pub version: Option<String>,
    /// `@status`; set by a registry.
    pub status: Option<Status>,
    /// `@mimeType`.
    pub mime_type: String,
    /// uniqueId: `root` or `root^extension`.
    pub unique_id: String,
    /// patientId.
    pub patient_id: Cx,
    /// sourcePatientId.
    pub source_patient_id: Option<Cx>,
    /// sourcePatientInfo: `PID-5|…`, one per value.
    pub source_patient_info: Vec<String>,
    /// title.
    pub title: Option<String>,
    /// comments.
    pub comments: Option<String>,
    /// creationTime.
    pub creation_time: UtcTime,
    /// languageCode.
    pub language: String,
    /// author.
    pub authors: Vec<Author>,
    /// legalAuthenticator.
    pub legal_authenticator: Option<Xcn>,
    /// classCode.
    pub class_code: Code,
    /// typeCode.
    pub type_code: Code,
    /// formatCode.
    pub format_code: Code,
    /// confidentialityCode: N, R or V, and visibility codes; see [`Self::visibility`].
    pub confidentiality: Vec<Code>,
    /// healthcareFacilityTypeCode.
    pub facility: Code,
    /// practiceSettingCode.
    pub practice_setting: Code,
    /// eventCodeList.
    pub events: Vec<Code>,
    /// serviceStartTime.
    pub service_start: Option<UtcTime>,
    /// serviceStopTime.
    pub service_stop: Option<UtcTime>,
    /// referenceIdList (CXi).
    pub reference_ids: Vec<Cx>,
    /// hash: SHA-1, hexadecimal, lower case.
    pub hash: Option<String>,
    /// size, in bytes.
    pub size: Option<u64>,
    /// repositoryUniqueId; set by a repository.
    pub repository_id: Option<String>,
    /// URI: the file's name in an XDM archive.
    pub uri: Option<String>,
}

impl fmt::Debug for DocumentEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentEntry({}, {}, …)", self.id, self.unique_id)
    }
}

impl DocumentEntry {
    /// The visibility codes of this entry.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        Visibility::of(&self.confidentiality)
    }

    /// Replaces the visibility codes, keeping N, R or V.
    pub fn set_visibility(&mut self, visibility: Visibility) {
        self.confidentiality.retain(|code| !visibility::is_visibility(code));
        self.confidentiality.extend(visibility.codes());
    }

    /// Is it the signature of a lot (CI-SIS, DSG)?
    #[must_use]
    pub fn is_signature(&self) -> bool {
        self.format_code.code == scheme::SIGNATURE_FORMAT
    }
}

/// SubmissionSet (*lot de soumission*). `Debug` shows no person.
#[derive(Clone, PartialEq, Eq)]
pub struct SubmissionSet {
    /// `RegistryPackage/@id`.
    pub id: String,
    /// `@status`; set by a registry.
    pub status: Option<Status>,
    /// uniqueId, an OID.
    pub unique_id: String,
    /// sourceId, an OID: the software of the sender.
    pub source_id: String,
    /// patientId.
    pub patient_id: Cx,
    /// submissionTime.
    pub submission_time: UtcTime,
    /// title.
    pub title: Option<String>,
    /// comments.
    pub comments: Option<String>,
    /// author.
    pub authors: Vec<Author>,
    /// contentTypeCode.
    pub content_type: Code,
    /// intendedRecipient, raw (`XON|XCN|XTN`).
    pub intended_recipients: Vec<String>,
}

impl fmt::Debug for SubmissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubmissionSet({}, {}, …)", self.id, self.unique_id)
    }
}

/// An author of an entry or a lot. `Debug` shows nobody.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// authorPerson.
    pub person: Option<Xcn>,
    /// authorInstitution.
    pub institutions: Vec<Xon>,
    /// authorRole.
    pub roles: Vec<String>,
    /// authorSpecialty.
    pub specialties: Vec<Code>,
    /// authorTelecommunication (XTN), raw.
    pub telecoms: Vec<String>,
}

impl fmt::Debug for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Author(…)")
    }
}

/// availabilityStatus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Active.
    Approved,
    /// Replaced.
    Deprecated,
    /// Archived (CI-SIS).
    Archived,
    /// Deleted (CI-SIS).
    Deleted,
}

impl Status {
    /// The URN.
    #[must_use]
    pub const fn urn(self) -> &'static str {
        match self {
            Self::Approved => "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved",
            Self::Deprecated => "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated",
            Self::Archived => "urn:asip:ci-sis:2010:StatusType:Archived",
            Self::Deleted => "urn:asip:ci-sis:2010:StatusType:Deleted",
        }
    }

    /// Reads the URN; a published sample has a space at its end.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let all = [Self::Approved, Self::Deprecated, Self::Archived, Self::Deleted];
        all.into_iter().find(|status| status.urn() == text.trim())
    }
}

/// Association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// `@id`.
    pub id: String,
    /// `@associationType`.
    pub kind: AssociationKind,
    /// `@sourceObject`.
    pub source: String,
    /// `@targetObject`.
    pub target: String,
    /// Slots: `SubmissionSetStatus`, `PreviousVersion`, `OriginalStatus`…
    pub slots: Vec<Slot>,
}

impl Association {
    /// The lot has this new member.
    #[must_use]
    pub fn has_member(id: &str, set: &str, entry: &str) -> Self {
        let original = Slot { name: "SubmissionSetStatus".into(), values: vec!["Original".into()] };
        Self { slots: vec![original], ..Self::new(id, AssociationKind::HasMember, set, entry) }
    }

    /// An association without slots.
    #[must_use]
    pub fn new(id: &str, kind: AssociationKind, source: &str, target: &str) -> Self {
        Self { id: id.into(), kind, source: source.into(), target: target.into(), slots: Vec::new() }
    }

    /// The values of a slot.
    #[must_use]
    pub fn slot(&self, name: &str) -> &[String] {
        self.slots.iter().find(|slot| slot.name == name).map_or(&[], |slot| &slot.values)
    }
}

/// A slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// `@name`.
    pub name: String,
    /// `ValueList/Value`.
    pub values: Vec<String>,
}

/// `Association/@associationType`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AssociationKind {
    /// A lot's member.
    HasMember,
    /// `RPLC`.
    Replaces,
    /// `signs`.
    Signs,
    /// `APND`.
    Appends,
    /// `XFRM`.
    Transforms,
    /// `XFRM_RPLC`.
    TransformsAndReplaces,
    /// `UpdateAvailabilityStatus` (ITI-57).
    UpdateAvailabilityStatus,
    /// Another URN.
    Other(String),
}

impl AssociationKind {
    const KNOWN: [(Self, &'static str); 7] = [
        (Self::HasMember, "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"),
        (Self::Replaces, "urn:ihe:iti:2007:AssociationType:RPLC"),
        (Self::Signs, "urn:ihe:iti:2007:AssociationType:signs"),
        (Self::Appends, "urn:ihe:iti:2007:AssociationType:APND"),
        (Self::Transforms, "urn:ihe:iti:2007:AssociationType:XFRM"),
        (Self::TransformsAndReplaces, "urn:ihe:iti:2007:AssociationType:XFRM_RPLC"),
        (Self::UpdateAvailabilityStatus, "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"),
    ];

    /// The URN.
    #[must_use]
    pub fn urn(&self) -> &str {
        if let Self::Other(urn) = self {
            return urn;
        }
        Self::KNOWN.iter().find(|(kind, _)| kind == self).map_or("", |(_, urn)| urn)
    }

    /// Reads the URN.
    #[must_use]
    pub fn read(urn: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|(_, known)| *known == urn.trim());
        known.map_or_else(|| Self::Other(urn.to_owned()), |(kind, _)| kind)
    }
}

/// What one SubmitObjectsRequest brings: a lot, its entries, what binds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The lot.
    pub set: SubmissionSet,
    /// Its entries, in order.
    pub entries: Vec<DocumentEntry>,
    /// HasMember, RPLC, signs…
    pub associations: Vec<Association>,
}

impl Submission {
    /// A lot of new entries, each its member.
    #[must_use]
    pub fn new(set: SubmissionSet, entries: Vec<DocumentEntry>) -> Self {
        let mut submission = Self { set, entries: Vec::new(), associations: Vec::new() };
        for entry in entries {
            submission.add(entry);
        }
        submission
    }

    /// Adds a new entry, member of the lot.
    pub fn add(&mut self, entry: DocumentEntry) {
        let id = self.next_id();
        self.associations.push(Association::has_member(&id, &self.set.id, &entry.id));
        self.entries.push(entry);
    }

    /// `entry` (an id of this submission) replaces the entry that the registry knows as `old`
    /// (`urn:uuid:…`).
    pub fn replace(&mut self, entry: &str, old: &str) {
        let association = Association::new(&self.next_id(), AssociationKind::Replaces, entry, old);
        self.associations.push(association);
    }

    /// Adds the signature of the lot: its entry, its membership, and that it signs the lot
    /// (CI-SIS, DSG; IHE ITI TF-3 DSG).
    pub fn sign(&mut self, signature: DocumentEntry) {
        let source = signature.id.clone();
        self.add(signature);
        let association = Association::new(&self.next_id(), AssociationKind::Signs, &source, &self.set.id);
        self.associations.push(association);
    }

    fn next_id(&self) -> String {
        format!("as{}", self.associations.len() + 1)
    }
}

/// Registry objects of any message: a submission, an update, an answer to a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistryObjects {
    /// Lots.
    pub sets: Vec<SubmissionSet>,
    /// Entries.
    pub entries: Vec<DocumentEntry>,
    /// Associations.
    pub associations: Vec<Association>,
    /// `ObjectRef/@id`.
    pub references: Vec<String>,
}

/// Who will use metadata that are read: it decides what is an error and what is only odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// A feed of the DMP (TD2.1, ITI-41): all that the DMP requires is required.
    Dmp,
    /// An XDM archive received by mail: what the DMP alone requires is a warning.
    Xdm,
    /// An answer of a registry: as [`Self::Xdm`], and any number of lots.
    Answer,
}
