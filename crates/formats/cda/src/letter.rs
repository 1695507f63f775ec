//! Socle's own synthetic *lettre de liaison à la sortie* (LDL-SES 2022.01, niveau 3), for
//! demonstrations and tests.
//!
//! Patient: the official test person PAT-TROIS DOMINIQUE, or other traits given. Professionals,
//! hospital and story are invented; `build` writes them. Order: what may change, then the story.
//! What it will not do: write anybody's real document.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use socle_identity::{IdNatPs, IdNatPsError, IdNatStruct, Ins, InsAuthority, Matricule, Sex, Traits};
use uuid::Uuid;

use crate::build::model::{
    self as build, Act, Address, Answer, Confidentiality, DischargeLetter, Dose, Encounter, FollowUp, Head, Recipient,
    Stay, Subject, Treatment,
};
use crate::code::Code;
use crate::document::{Document, DocumentError};
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
        self.plan().to_xml()
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

    /// The story, as the builder wants it.
    fn plan(&self) -> DischargeLetter {
        DischargeLetter {
            head: self.head(),
            reason: vec!["Fièvre à 39,2 °C et douleur lombaire droite depuis deux jours.".to_owned()],
            stay: stay(),
            treatments: vec![
                treatment("Céfixime 200 mg", "J01DD08", "1 comprimé matin et soir", 12, self.day(6)),
                treatment(
                    "Paracétamol 1 g",
                    "N02BE01",
                    "1 comprimé en cas de douleur ou de fièvre, sans dépasser 3 par jour",
                    8,
                    self.day(4),
                ),
            ],
            results: RESULTS.map(str::to_owned).to_vec(),
            allergies: Vec::new(),
            follow_up: self.follow_up(),
        }
    }

    fn head(&self) -> Head {
        let inpatient = Code::new("IMP", "2.16.840.1.113883.5.4", "Hospitalisation (établissement, y compris HAD)");
        let hospital = self.author.to_build(("avenue de la Source", "51000", "VALBRUNE"), "tel:0199000017");
        let practice = self.recipient.to_build(("place des Tilleuls", "51300", "DOMPREMY"), "tel:0199000025");
        Head {
            id: self.id,
            oid: None,
            set_id: Some(self.set_id),
            version: self.version,
            replaces: self.replaces.clone(),
            title: None,
            written_at: self.now(),
            confidentiality: Confidentiality::N,
            patient: self.subject(),
            author: hospital,
            legal_authenticator: None,
            custodian: None,
            recipients: vec![Recipient { professional: practice.clone(), mss_address: self.recipient_address.clone() }],
            family_doctor: Some(practice),
            act: Act {
                code: Some(inpatient.clone()),
                start: self.admitted(),
                stop: Some(self.now()),
                practice_setting: "ETABLISSEMENT".to_owned(),
            },
            encounter: Encounter {
                kind: Some(inpatient),
                start: Some(self.admitted()),
                stop: Some(self.now()),
                facility: "SA01".to_owned(),
            },
        }
    }

    /// The used names are always written, as hospitals do.
    fn subject(&self) -> Subject {
        let mut traits = self.traits.clone();
        traits.used_name.get_or_insert_with(|| self.traits.birth_name.clone());
        traits.used_given_name.get_or_insert_with(|| self.traits.first_given_name.clone());
        let mut subject = Subject::stated_qualified(self.ins.clone(), traits);
        subject.local_ids = vec![(LOCAL_IDS.to_owned(), "IPP-0042".to_owned())];
        subject.address = Some(address(Some("12"), "rue des Glycines", "51300", "DOMPREMY"));
        subject.telecoms = vec!["tel:0199000012".to_owned()];
        subject
    }

    fn follow_up(&self) -> Vec<FollowUp> {
        let visit = self.day(7);
        let day = format!("{:02}/{:02}/{:04}", visit.day(), visit.month(), visit.year());
        let step = |text: &str| FollowUp { text: text.to_owned(), on: None };
        vec![
            FollowUp { text: format!("Consultation du médecin traitant vers le {day}."), on: Some(visit) },
            step("Boissons abondantes ; pas d'examen des urines de contrôle sans symptôme."),
            step("Reconsulter sans attendre en cas de fièvre ou de douleur qui revient."),
        ]
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

impl Professional {
    fn to_build(&self, (street, postal_code, city): (&str, &str, &str), telecom: &str) -> build::Professional {
        let place = address(None, street, postal_code, city);
        build::Professional {
            id: self.id.clone(),
            family: self.family.clone(),
            given: self.given.clone(),
            title: Some("DR".to_owned()),
            specialty: self.specialty.clone(),
            structure: build::Structure {
                id: self.structure.clone(),
                name: self.structure_name.clone(),
                address: Some(place.clone()),
                telecom: Some(telecom.to_owned()),
            },
            address: Some(place),
            telecom: Some(telecom.to_owned()),
        }
    }
}

fn address(number: Option<&str>, street: &str, postal_code: &str, city: &str) -> Address {
    Address {
        number: number.map(str::to_owned),
        street: Some(street.to_owned()),
        postal_code: Some(postal_code.to_owned()),
        city: Some(city.to_owned()),
    }
}

fn stay() -> Stay {
    let snomed = |code, label| Code::new(code, "2.16.840.1.113883.6.96", label);
    let answer = |yes, detail: Option<&str>| Answer { yes, detail: detail.map(str::to_owned) };
    Stay {
        admission: snomed("183452005", "hospitalisation en urgence"),
        discharge: snomed("160849004", "retour au domicile"),
        summary: SUMMARY.to_owned(),
        adverse_events: "Aucun".to_owned(),
        resistant_search: answer(true, Some("négative")),
        transfusion: answer(false, None),
        blood_derivatives: answer(false, None),
    }
}

fn treatment(name: &str, atc: &str, posology: &str, every_hours: u16, until: Date) -> Treatment {
    Treatment {
        name: name.to_owned(),
        atc: Some(atc.to_owned()),
        posology: posology.to_owned(),
        from: None,
        until: Some(until),
        every_hours: Some(every_hours),
        dose: Some(Dose { value: "1".to_owned(), unit: "{tbl}".to_owned() }),
    }
}

const SUMMARY: &str = "Pyélonéphrite aiguë droite, sans signe de gravité, documentée à Escherichia coli sensible. \
    Apyrexie obtenue en 48 heures sous ceftriaxone intraveineuse, relais par voie orale le quatrième jour. \
    Échographie rénale sans dilatation ni abcès. Retour au domicile en bon état général.";
const RESULTS: [&str; 5] = [
    "CRP : 184 mg/L à l'entrée, 31 mg/L à la sortie.",
    "Créatinine : 68 µmol/L, stable.",
    "Examen cytobactériologique des urines : Escherichia coli, sensible au céfixime.",
    "Échographie rénale : reins de taille normale, pas de dilatation.",
    "Hémocultures : résultat définitif attendu, sera transmis au médecin traitant.",
];
/// OID of the local identifiers (IPP), invented.
const LOCAL_IDS: &str = "1.2.250.1.999.1.9";
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
