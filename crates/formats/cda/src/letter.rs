//! Socle's own synthetic *lettre de liaison à la sortie* (LDL-SES 2022.01, niveau 3), for
//! demonstrations and tests.
//!
//! Patient: the official test person PAT-TROIS DOMINIQUE, or other traits given. Professionals,
//! hospital and story are invented. Order: what may change, then the header (`opening`) and the
//! sections (`sections`). What it will not do: write anybody's real document.

mod opening;
mod sections;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use socle_identity::{IdNatPs, IdNatPsError, IdNatStruct, Ins, InsAuthority, Matricule, Sex, Traits};
use socle_xml::write::Writer;
use uuid::Uuid;

use crate::code::Code;
use crate::document::{Document, DocumentError, HL7_V3};
use crate::time::Time;

/// What may change from one letter to the next.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Gives the document's id: `2.25.<this number>` (ITU-T X.667).
    pub id: Uuid,
    /// Gives the setId, the same for all versions.
    pub set_id: Uuid,
    /// From 1.
    pub version: u32,
    /// The id (an OID) of the document that this one replaces.
    pub replaces: Option<String>,
    /// effectiveTime: the patient goes home that day, after five in hospital.
    pub written_at: Timestamp,
    /// Offset of the writer's clock.
    pub offset: Offset,
    /// The patient's INS.
    pub ins: Ins,
    /// The patient's traits.
    pub traits: Traits,
    /// Author and legal authenticator.
    pub author: Professional,
    /// The médecin traitant, to whom the letter goes.
    pub recipient: Professional,
    /// MSSanté address of the recipient, when the letter should carry one.
    pub recipient_address: Option<String>,
}

/// A professional in a structure; all synthetic.
#[derive(Debug, Clone)]
pub struct Professional {
    /// PS_IdNat.
    pub id: IdNatPs,
    /// Family name.
    pub family: String,
    /// Given name.
    pub given: String,
    /// Profession and speciality (JDV_J01).
    pub specialty: Code,
    /// Struct_IdNat.
    pub structure: IdNatStruct,
    /// Name of the structure.
    pub structure_name: String,
}

impl Letter {
    /// A first version for the official test person, by invented professionals.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants of the right form.
    pub fn for_test_person(id: Uuid, written_at: Timestamp, offset: Offset) -> Result<Self, LetterError> {
        Ok(Self {
            id,
            set_id: Uuid::from_u128(id.as_u128() ^ 1),
            version: 1,
            replaces: None,
            written_at,
            offset,
            ins: Ins { matricule: Matricule::from_number("2790351215189")?, authority: InsAuthority::NirTest },
            traits: test_person()?,
            author: professional("899700000017", ("BERTHELOT", "Claire"), ("G15_10/SM27", INTERNIST), HOSPITAL)?,
            recipient: professional("899700000025", ("LEMAITRE", "Hugo"), ("G15_10/SM26", GENERALIST), PRACTICE)?,
            recipient_address: None,
        })
    }

    /// The letter as XML.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut page = Page { w: Writer::document(), letter: self, last_id: 1 };
        page.w.open("ClinicalDocument").ns("", HL7_V3).ns("xsi", "http://www.w3.org/2001/XMLSchema-instance");
        page.header();
        page.body();
        page.w.finish()
    }

    /// The letter as a document.
    ///
    /// # Errors
    /// [`DocumentError`], if what is written were no CDA.
    pub fn to_document(&self) -> Result<Document, DocumentError> {
        Document::parse(self.to_xml().into_bytes())
    }

    /// The OID of this document.
    #[must_use]
    pub fn document_oid(&self) -> String {
        format!("2.25.{}", self.id.as_u128())
    }

    fn now(&self) -> Time {
        Time::at(self.written_at, self.offset)
    }

    /// Five days before the letter, at the same hour.
    fn admitted(&self) -> Time {
        let five_days = jiff::SignedDuration::from_hours(24 * 5);
        Time::at(self.written_at.checked_sub(five_days).unwrap_or(self.written_at), self.offset)
    }

    /// A day counted from that of the letter.
    fn day(&self, after: i64) -> Date {
        let today = self.now().local().date();
        today.checked_add(jiff::Span::new().days(after)).unwrap_or(today)
    }
}

const INTERNIST: &str = "Médecin - Médecine interne (SM)";
const GENERALIST: &str = "Médecin - Qualifié en Médecine Générale (SM)";
/// FINESS numbers of department 99, which does not exist.
const HOSPITAL: (&str, &str) = ("1990000017", "Centre hospitalier de Valbrune (fictif)");
const PRACTICE: (&str, &str) = ("499700000025001", "Cabinet médical des Tilleuls (fictif)");

fn professional(
    id: &str,
    (family, given): (&str, &str),
    (code, label): (&str, &str),
    (structure, structure_name): (&str, &str),
) -> Result<Professional, LetterError> {
    Ok(Professional {
        id: id.parse()?,
        family: family.to_owned(),
        given: given.to_owned(),
        specialty: Code::new(code, "1.2.250.1.213.1.1.4.5", label),
        structure: structure.parse()?,
        structure_name: structure_name.to_owned(),
    })
}

/// Traits of the test identity published by the ANS.
fn test_person() -> Result<Traits, LetterError> {
    Ok(Traits {
        birth_name: "PAT-TROIS".to_owned(),
        given_names: "DOMINIQUE MARIE-LOUISE".to_owned(),
        first_given_name: "DOMINIQUE".to_owned(),
        sex: Sex::Female,
        birth_date: Date::new(1979, 3, 28)?,
        birth_place: Some("51215".parse()?),
        used_name: None,
        used_given_name: None,
    })
}

/// A letter being written.
struct Page<'l> {
    w: Writer,
    letter: &'l Letter,
    last_id: u128,
}

impl Page<'_> {
    /// An identifier of a section or entry: the same letter always gives the same ones.
    fn fresh_id(&mut self) {
        self.last_id += 1;
        let uuid = Uuid::from_u128(self.letter.id.as_u128() ^ (self.last_id << 64));
        self.w.open("id").attr("root", &uuid.hyphenated().to_string().to_uppercase()).close();
    }

    fn template(&mut self, root: &str) {
        self.w.open("templateId").attr("root", root).close();
    }

    fn templates(&mut self, roots: &[&str]) {
        roots.iter().for_each(|root| self.template(root));
    }

    fn id(&mut self, root: &str, extension: &str) {
        self.id_like("id", root, extension);
    }

    fn id_like(&mut self, element: &'static str, root: &str, extension: &str) {
        self.w.open(element).attr("root", root).attr("extension", extension).close();
    }

    fn code(&mut self, element: &'static str, code: &str, system: System, label: &str) {
        self.open_code(element, code, system, label);
        self.w.close();
    }

    fn open_code(&mut self, element: &'static str, code: &str, system: System, label: &str) {
        self.w.open(element).attr("code", code).attr("displayName", label);
        self.w.attr("codeSystem", system.oid).attr("codeSystemName", system.name);
    }

    fn value(&mut self, element: &'static str, value: &str) {
        self.w.open(element).attr("value", value).close();
    }

    fn interval(&mut self, low: &str, high: &str) {
        self.w.open("effectiveTime");
        self.value("low", low);
        self.value("high", high);
        self.w.close();
    }

    /// A line break between parts, for people who read the source.
    fn line(&mut self) {
        self.w.raw("\n");
    }
}

/// A code system and its usual name.
#[derive(Clone, Copy)]
struct System {
    oid: &'static str,
    name: &'static str,
}

const LOINC: System = System { oid: "2.16.840.1.113883.6.1", name: "LOINC" };
const SNOMED_CT: System = System { oid: "2.16.840.1.113883.6.96", name: "SNOMED CT" };
const CI_SIS: System = System { oid: "1.2.250.1.213.1.1.4.322", name: "TerminologieCISIS" };
const ACT_CODE: System = System { oid: "2.16.840.1.113883.5.4", name: "HL7:ActCode" };

/// A date as people write it.
fn shown(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

/// A date as CDA writes it.
fn written(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

/// A constant that is not in form: never seen by callers.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a constant of the synthetic letter is not in form: {0}")]
pub struct LetterError(String);

impl From<socle_identity::InsError> for LetterError {
    fn from(error: socle_identity::InsError) -> Self {
        Self(error.to_string())
    }
}

impl From<IdNatPsError> for LetterError {
    fn from(error: IdNatPsError) -> Self {
        Self(error.to_string())
    }
}

impl From<socle_identity::IdNatStructError> for LetterError {
    fn from(error: socle_identity::IdNatStructError) -> Self {
        Self(error.to_string())
    }
}

impl From<socle_identity::BirthPlaceError> for LetterError {
    fn from(error: socle_identity::BirthPlaceError) -> Self {
        Self(error.to_string())
    }
}

impl From<jiff::Error> for LetterError {
    fn from(error: jiff::Error) -> Self {
        Self(error.to_string())
    }
}
