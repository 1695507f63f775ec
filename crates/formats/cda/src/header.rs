//! The header of a CI-SIS document, typed: what XDS metadata, mail and identity checks need of it.
//!
//! Order: the header and its parts, then reading (`read`, `patient`, `people`, `acts`). A header is built when
//! nothing is an error but form or key of the INS, which [`Header::ins`] tells; all that is wrong is
//! listed, not the first.
//! Source: CI-SIS, volet Structuration minimale V1.16.8, en-tête.

mod acts;
mod patient;
mod people;
mod read;

use std::fmt;

use jiff::civil::Date;
use socle_identity::{Ins, InsAuthority, InsError, Oid, Traits};

use crate::code::{Code, Identifier};
use crate::document::Document;
use crate::finding::Refused;
use crate::time::Time;

pub(crate) use patient::judge_ins;
pub(crate) use read::{
    Loose, bad_value, code_of, folded, identifier, loosely, missing, read, rule, templates_of, text,
};

/// The header of one document. `Debug` shows its id and code: a title may hold a name.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// `templateId`, in order.
    pub templates: Vec<Template>,
    /// `id`.
    pub id: Identifier,
    /// `code`: the typeCode of XDS.
    pub code: Code,
    /// `title`, spaces folded.
    pub title: String,
    /// `effectiveTime`.
    pub effective_time: Time,
    /// `confidentialityCode`.
    pub confidentiality: Code,
    /// `languageCode`.
    pub language: String,
    /// `setId`: the same for all versions.
    pub set_id: Identifier,
    /// `versionNumber`, from 1.
    pub version: u32,
    /// `relatedDocument`.
    pub related: Option<Related>,
    /// `recordTarget`.
    pub patient: Patient,
    /// `author`, at least one.
    pub authors: Vec<Author>,
    /// `custodian`.
    pub custodian: Organisation,
    /// `legalAuthenticator`.
    pub legal_authenticator: Authenticator,
    /// `informationRecipient`.
    pub recipients: Vec<Recipient>,
    /// `participant`.
    pub participants: Vec<Participant>,
    /// `inFulfillmentOf`.
    pub orders: Vec<Order>,
    /// The main act (`documentationOf`): the one that names a cadre d'exercice.
    pub main_event: MainEvent,
    /// The other acts.
    pub other_events: Vec<ServiceEvent>,
    /// `componentOf`.
    pub encounter: Encounter,
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({:?}, {}, …)", self.id, self.code.code)
    }
}

impl Header {
    /// The header of a document. Warnings are in [`Document::findings`].
    ///
    /// # Errors
    /// [`Refused`], with every finding, when a mandatory element is missing or malformed
    /// (form and key of the INS apart: see [`Self::ins`]).
    pub fn read(document: &Document) -> Result<&Self, Refused> {
        document.header().ok_or_else(|| Refused { findings: document.findings().to_vec() })
    }

    /// The INS that the document carries: see [`Patient::ins`].
    #[must_use]
    pub fn ins(&self) -> Option<Result<Ins, InsError>> {
        self.patient.ins()
    }
}

/// `templateId`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// OID.
    pub root: String,
    /// The version of the model (`2024.01`).
    pub version: Option<String>,
}

/// `relatedDocument`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// What this document is to the other.
    pub kind: RelatedKind,
    /// `parentDocument/id`.
    pub parent: Identifier,
}

/// `relatedDocument/@typeCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelatedKind {
    /// `RPLC`: replaces it.
    Replaces,
    /// `XFRM`: another form of it.
    Transforms,
}

/// `recordTarget/patientRole`. `Debug` shows no trait.
#[derive(Clone, PartialEq, Eq)]
pub struct Patient {
    /// Those of the INS, in order of the document: usually one, the first identifier.
    pub ins_candidates: Vec<InsCandidate>,
    /// All identifiers that are not of the INS.
    pub local_ids: Vec<LocalId>,
    /// Names as written.
    pub name: PatientName,
    /// `administrativeGenderCode/@code`.
    pub gender: Option<String>,
    /// `birthTime`, when it is a day.
    pub birth_date: Option<Date>,
    /// `birthplace/place/addr/county` (COG), when it is one.
    pub birth_place: Option<socle_identity::BirthPlace>,
    /// The five traits, when the header has them all in form.
    pub traits: Option<Traits>,
    /// `telecom/@value`.
    pub telecoms: Vec<String>,
}

impl Patient {
    /// The INS that the document carries: none when no identifier of the patient has an OID of the INS,
    /// [`InsError`] when the text under that OID is no matricule or has a wrong key.
    #[must_use]
    pub fn ins(&self) -> Option<Result<Ins, InsError>> {
        let candidate = self.ins_candidates.first()?;
        Some(candidate.matricule.parse().map(|matricule| Ins { matricule, authority: candidate.authority }))
    }
}

/// `patientRole/id` under an OID of the INS; whether it is a matricule is for [`Header::ins`] to say.
#[derive(Clone, PartialEq, Eq)]
pub struct InsCandidate {
    /// Which OID.
    pub authority: InsAuthority,
    /// The text, as written.
    pub matricule: String,
}

impl fmt::Debug for InsCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InsCandidate(…, {})", self.authority.type_code())
    }
}

/// A local identifier of the patient (IPP).
#[derive(Clone, PartialEq, Eq)]
pub struct LocalId {
    /// The authority.
    pub oid: Oid,
    /// The identifier.
    pub value: String,
}

impl fmt::Debug for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalId(…, {})", self.oid)
    }
}

/// The names of the patient. Empty texts are absent names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PatientName {
    /// `family[@qualifier="BR"]`, or the only family name.
    pub birth: String,
    /// `family[@qualifier="CL"]` (or `SP`): nom utilisé.
    pub used: Option<String>,
    /// `given` without qualifier: the list of birth given names.
    pub given_names: String,
    /// `given[@qualifier="BR"]`: first birth given name.
    pub first_given_name: String,
    /// `given[@qualifier="CL"]`: prénom utilisé.
    pub used_given_name: Option<String>,
}

/// The name of a person who is not the patient. `Debug` shows none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PersonName {
    /// Nom d'exercice.
    pub family: String,
    /// Prénoms.
    pub given: String,
    /// Civilité.
    pub prefix: Option<String>,
    /// Titre (`DR`, `PR`).
    pub suffix: Option<String>,
}

/// An organisation. All may be absent but one of name and identifiers.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Organisation {
    /// `id`: Struct_IdNat first, usually.
    pub ids: Vec<Identifier>,
    /// `name`.
    pub name: Option<String>,
}

impl Organisation {
    /// The national identifier (Struct_IdNat, OID 1.2.250.1.71.4.2.2), when there is one.
    #[must_use]
    pub fn national_id(&self) -> Option<&str> {
        let national = |id: &&Identifier| id.root == socle_identity::IdNatStruct::OID;
        self.ids.iter().find(national).and_then(|id| id.extension.as_deref())
    }
}

/// `author`.
#[derive(Clone, PartialEq, Eq)]
pub struct Author {
    /// `time`.
    pub time: Option<Time>,
    /// `functionCode`: the role.
    pub role: Option<Code>,
    /// `assignedAuthor/id`, at least one.
    pub ids: Vec<Identifier>,
    /// `assignedAuthor/code`: profession and speciality.
    pub specialty: Option<Code>,
    /// Person or device.
    pub by: AuthoredBy,
    /// `representedOrganization`.
    pub organisation: Option<Organisation>,
    /// `telecom/@value`.
    pub telecoms: Vec<String>,
}

/// Who or what an author is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthoredBy {
    /// `assignedPerson`.
    Person(PersonName),
    /// `assignedAuthoringDevice`.
    Device {
        /// `manufacturerModelName`.
        model: Option<String>,
        /// `softwareName`.
        software: Option<String>,
    },
}

/// `legalAuthenticator`.
#[derive(Clone, PartialEq, Eq)]
pub struct Authenticator {
    /// `time`.
    pub time: Option<Time>,
    /// `assignedEntity/id`, at least one.
    pub ids: Vec<Identifier>,
    /// `assignedPerson/name`.
    pub name: Option<PersonName>,
    /// `representedOrganization`.
    pub organisation: Option<Organisation>,
}

/// `informationRecipient/intendedRecipient`.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// `id`.
    pub ids: Vec<Identifier>,
    /// `informationRecipient/name`.
    pub name: Option<PersonName>,
    /// `receivedOrganization`.
    pub organisation: Option<Organisation>,
    /// `telecom/@value`: an MSSanté address has the form `mailto:…`.
    pub telecoms: Vec<String>,
}

/// `participant`.
#[derive(Clone, PartialEq, Eq)]
pub struct Participant {
    /// `@typeCode` (JDV_J144).
    pub kind: String,
    /// `functionCode`.
    pub function: Option<Code>,
    /// `associatedEntity/id`.
    pub ids: Vec<Identifier>,
    /// `associatedPerson/name`.
    pub name: Option<PersonName>,
    /// `scopingOrganization`.
    pub organisation: Option<Organisation>,
}

/// `inFulfillmentOf/order`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// `id`.
    pub ids: Vec<Identifier>,
    /// `ps3-20:accessionNumber`.
    pub accession_numbers: Vec<Identifier>,
}

/// `documentationOf/serviceEvent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEvent {
    /// `id`.
    pub ids: Vec<Identifier>,
    /// `code` and its translations; empty when the act has no code.
    pub codes: Vec<Code>,
    /// `effectiveTime/low`.
    pub start: Option<Time>,
    /// `effectiveTime/high`.
    pub stop: Option<Time>,
}

/// The act that gives the metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MainEvent {
    /// `effectiveTime/low`.
    pub start: Time,
    /// The act as any other; `event.start` is the same time.
    pub event: ServiceEvent,
    /// `performer/…/standardIndustryClassCode`: cadre d'exercice, practiceSettingCode of XDS.
    pub practice_setting: Code,
}

/// `componentOf/encompassingEncounter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encounter {
    /// `code` (JDV_J142).
    pub code: Option<Code>,
    /// `effectiveTime/low`.
    pub start: Option<Time>,
    /// `effectiveTime/high`.
    pub stop: Option<Time>,
    /// `location/healthCareFacility/code`: healthcareFacilityTypeCode of XDS.
    pub facility: Code,
    /// Name of the place, when given.
    pub place: Option<String>,
}

/// `Debug` of people and of what leads to them shows nothing: names and addresses would end in logs.
macro_rules! redacted {
    ($($person:ident),+) => {
        $(impl fmt::Debug for $person {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($person), "(…)"))
            }
        })+
    };
}

redacted!(Patient, PatientName, PersonName, Organisation, Author, Authenticator, Recipient, Participant);
