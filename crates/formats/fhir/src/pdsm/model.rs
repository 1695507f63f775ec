//! The words of the volet. Names follow XDS where XDS has one ("lot", "fiche").

use std::fmt;

use bytes::Bytes;
use socle_identity::{MssAddress, Oid};
use uuid::Uuid;

use crate::datatypes::{Coding, DateTime, Identifier};
use crate::fr_core::DeclaredPatient;

/// What an ITI-65 transaction brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvideBundle {
    /// Whose documents these are.
    pub patient: SubmittedPatient,
    /// The lot de soumission.
    pub submission_set: SubmissionSet,
    /// The documents, in the order of the lot.
    pub documents: Vec<ProvidedDocument>,
    /// To whom the lot is also sent by MSSanté.
    pub recipients: Vec<Recipient>,
    /// Does the lot feed the DMP? Socle's own extension on the lot; yes unless it says no.
    pub feed_dmp: bool,
}

/// What an entry of a transaction is to its lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryRole {
    /// The lot itself.
    SubmissionSet,
    /// The fiche of the nth document, from 0.
    Fiche(usize),
    /// The bytes of the nth document, from 0.
    Document(usize),
    /// The patient.
    Patient,
}

/// The patient of a lot, as far as the lot tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmittedPatient {
    /// By their traits, and more.
    Described(Box<DeclaredPatient>),
    /// By an identifier alone: the receiver has to know them.
    Identified(Identifier),
    /// By a resource of the receiver: `Patient/123`.
    Referenced(String),
}

/// A lot de soumission (XDS SubmissionSet).
#[derive(Clone, PartialEq, Eq)]
pub struct SubmissionSet {
    /// idUnique.
    pub unique_id: Option<Identifier>,
    /// idLotSoumission.
    pub entry_uuid: Option<Uuid>,
    /// idSource: the system that sends.
    pub source_id: SourceId,
    /// titre.
    pub title: Option<String>,
    /// commentaire.
    pub comment: Option<String>,
    /// typeActivite (XDS contentTypeCode).
    pub content_type: Coding,
    /// dateSoumission.
    pub submitted: DateTime,
    /// auteur: the person or device.
    pub author: Option<Party>,
    /// auteur: the organisation.
    pub author_organization: Option<Party>,
}

impl fmt::Debug for SubmissionSet {
    /// Codes only: a title or a comment may name a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubmissionSet({:?}, {}, {})", self.unique_id, self.content_type.code, self.submitted)
    }
}

/// The system that sends a lot: an OID for XDS; PDSm's own examples write an identifier inside a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceId {
    /// `urn:ietf:rfc:3986` | `urn:oid:…`
    Oid(Oid),
    /// A system and what it assigned.
    Assigned(Identifier),
}

/// A document with its fiche.
#[derive(Clone, PartialEq, Eq)]
pub struct ProvidedDocument {
    /// The fiche.
    pub metadata: DocumentMetadata,
    /// The document, byte for byte.
    pub bytes: Bytes,
}

impl fmt::Debug for ProvidedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProvidedDocument({:?}, {} bytes)", self.metadata.unique_id, self.bytes.len())
    }
}

/// A fiche (XDS DocumentEntry). Size and hash belong to the bytes and are counted, not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct DocumentMetadata {
    /// idUnique (XDS uniqueId).
    pub unique_id: Identifier,
    /// XDS entryUUID.
    pub entry_uuid: Option<Uuid>,
    /// typeDocument.
    pub type_code: Coding,
    /// classeDocument.
    pub class_code: Coding,
    /// The date of the fiche itself.
    pub indexed: DateTime,
    /// auteur, at least one.
    pub authors: Vec<Party>,
    /// authentificateur (XDS legalAuthenticator).
    pub authenticator: Option<Party>,
    /// The organisation that keeps the document.
    pub custodian: Party,
    /// commentaire.
    pub description: Option<String>,
    /// niveauConfidentialite.
    pub confidentiality: Confidentiality,
    /// Links with fiches that the receiver has.
    pub relations: Vec<Relation>,
    /// Is it archived?
    pub archived: Option<bool>,
    /// MIME type.
    pub mime: String,
    /// langueDocument: `fr-FR`.
    pub language: String,
    /// titreDocument.
    pub title: String,
    /// dateCreationDocument.
    pub created: DateTime,
    /// formatDocument.
    pub format: Coding,
    /// dateDebutActe.
    pub service_start: DateTime,
    /// dateFinActe.
    pub service_stop: Option<DateTime>,
    /// actePathologie.
    pub events: Vec<Coding>,
    /// secteurActivite (XDS healthcareFacilityTypeCode).
    pub facility: Coding,
    /// cadreExercice (XDS practiceSettingCode).
    pub practice: Coding,
    /// referenceIdList.
    pub reference_ids: Vec<ReferenceId>,
}

impl fmt::Debug for DocumentMetadata {
    /// Codes only: titles and names are a person's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentMetadata({:?}, {}, {})", self.unique_id, self.type_code.code, self.mime)
    }
}

/// XDS confidentialityCode: a level, and what is hidden from whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confidentiality {
    /// `N`, `R` or `V`.
    pub level: Level,
    /// Empty: everybody who may see the record sees the document.
    pub hidden: Vec<Visibility>,
}

/// HL7 v3 Confidentiality, as JDV_J08 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `N`
    Normal,
    /// `R`
    Restricted,
    /// `V`
    VeryRestricted,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Restricted, Self::VeryRestricted];

    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Normal => "N",
            Self::Restricted => "R",
            Self::VeryRestricted => "V",
        }
    }
}

/// Who does not see a document (TRE_A07).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// `MASQUE_PS`: professionals other than the author and the médecin traitant.
    MaskedToProfessionals,
    /// `INVISIBLE_PATIENT`: the patient, and so their legal representatives.
    InvisibleToPatient,
    /// `INVISIBLE_REPRESENTANTS_LEGAUX`: the legal representatives of a minor.
    InvisibleToRepresentatives,
}

impl Visibility {
    /// All of them.
    pub const ALL: [Self; 3] =
        [Self::MaskedToProfessionals, Self::InvisibleToPatient, Self::InvisibleToRepresentatives];

    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MaskedToProfessionals => "MASQUE_PS",
            Self::InvisibleToPatient => "INVISIBLE_PATIENT",
            Self::InvisibleToRepresentatives => "INVISIBLE_REPRESENTANTS_LEGAUX",
        }
    }
}

/// A link from one fiche to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Which link.
    pub code: RelationCode,
    /// The other fiche.
    pub target: RelationTarget,
}

/// How the other fiche of a link is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelationTarget {
    /// By a resource of the receiver: `DocumentReference/12`.
    Reference(String),
    /// By its idUnique.
    Identifier(Identifier),
}

/// FHIR's `document-relationship-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationCode {
    /// XDS RPLC.
    Replaces,
    /// XDS XFRM.
    Transforms,
    /// XDS signs.
    Signs,
    /// XDS APND.
    Appends,
}

impl RelationCode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Replaces, Self::Transforms, Self::Signs, Self::Appends];

    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Replaces => "replaces",
            Self::Transforms => "transforms",
            Self::Signs => "signs",
            Self::Appends => "appends",
        }
    }
}

/// An identifier of what the document is about (XDS referenceIdList).
#[derive(Clone, PartialEq, Eq)]
pub struct ReferenceId {
    /// CXi.5: `urn:ihe:iti:xds:2016:studyInstanceUID`…
    pub type_code: String,
    /// CXi.4.2, when there is one.
    pub system: Option<String>,
    /// CXi.1.
    pub value: String,
}

impl fmt::Debug for ReferenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReferenceId({})", self.type_code)
    }
}

/// Somebody or something that plays a part: author, authenticator, custodian, recipient.
///
/// A PractitionerRole is read together with its Practitioner and its Organization.
#[derive(Clone, PartialEq, Eq)]
pub struct Party {
    /// What it is.
    pub kind: PartyKind,
    /// Its identifiers: idNat_PS, RPPS, idNat_Struct…
    pub identifiers: Vec<Identifier>,
    /// Family name of a person; name of an organisation or a device.
    pub name: Option<String>,
    /// Given names of a person.
    pub given: Vec<String>,
    /// Professions, functions and specialties (PractitionerRole `code` and `specialty`, `qualification`).
    pub roles: Vec<Coding>,
    /// Where a professional works.
    pub organization: Option<Box<Party>>,
    /// Mail addresses, those said to be MSSanté first.
    pub emails: Vec<String>,
    /// A resource of the receiver that says the rest (`Organization/12`); it is not in the bundle.
    pub reference: Option<String>,
}

impl Party {
    /// Somebody of whom only the kind is known.
    #[must_use]
    pub const fn new(kind: PartyKind) -> Self {
        Self {
            kind,
            identifiers: Vec::new(),
            name: None,
            given: Vec::new(),
            roles: Vec::new(),
            organization: None,
            emails: Vec::new(),
            reference: None,
        }
    }

    /// The value of the identifier of that system.
    #[must_use]
    pub fn identifier(&self, system: &str) -> Option<&str> {
        self.identifiers.iter().find(|known| known.system == system).map(|known| known.value.as_str())
    }
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Party({:?}, {} identifiers)", self.kind, self.identifiers.len())
    }
}

/// What can play a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartyKind {
    /// A professional.
    Practitioner,
    /// A structure.
    Organization,
    /// The patient of the lot: nothing more is said here, it is said there.
    Patient,
    /// Someone of the patient's.
    RelatedPerson,
    /// A device or a system.
    Device,
}

/// Someone to whom the lot is sent by MSSanté.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Where to.
    pub to: Addressee,
    /// What the recipient is.
    pub kind: PartyKind,
    /// A name to show.
    pub name: Option<String>,
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({:?}, {:?})", self.kind, self.to)
    }
}

/// Where a recipient is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressee {
    /// At a mailbox.
    Mailbox(MssAddress),
    /// The patient of the lot, whose address is made of the INS once it is qualified.
    ThePatient,
}
