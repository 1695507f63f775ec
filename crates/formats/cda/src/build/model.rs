//! What a document is made of, as plain values. Every type reads JSON: names of members are those of the
//! fields, times are `2026-03-02T10:15:00+01:00` or as CDA writes them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer};
use socle_identity::{IdNatPs, IdNatStruct, Ins, InsAuthority, Matricule, QualifiedIdentity, Traits};
use uuid::Uuid;

use crate::code::Code;
use crate::time::Time;

/// What can be built, as JSON tells it: `{"model": "n1", …}` or `{"model": "ldl-ses", …}`.
#[derive(Clone, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case")]
pub enum Plan {
    /// A niveau 1 document.
    N1(Box<Level1>),
    /// A lettre de liaison à la sortie.
    LdlSes(Box<DischargeLetter>),
}

/// A niveau 1 document: a header around a file.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level1 {
    /// The header.
    #[serde(rename = "header")]
    pub head: Head,
    /// The type, a code of JDV_J07 (`11488-4`).
    #[serde(rename = "type")]
    pub kind: String,
    /// The file: PDF, text in UTF-8, RTF, JPEG or TIFF, told from its bytes. JSON does not carry it.
    #[serde(skip)]
    pub file: Vec<u8>,
}

/// The header of a document to build.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Gives the document's id: `2.25.<this number>` (ITU-T X.667), and those inside. A new one by default.
    #[serde(default = "Uuid::new_v4")]
    pub id: Uuid,
    /// The document's id, when the caller has an OID of its own for it.
    #[serde(default)]
    pub oid: Option<String>,
    /// Gives the setId, the same for all versions. Derived from `id` by default: right for a first version.
    #[serde(default)]
    pub set_id: Option<Uuid>,
    /// From 1.
    #[serde(default = "first")]
    pub version: u32,
    /// The id (an OID) of the document that this one replaces.
    #[serde(default)]
    pub replaces: Option<String>,
    /// The title; that of the type by default.
    #[serde(default)]
    pub title: Option<String>,
    /// effectiveTime; now, in UTC, by default.
    #[serde(default = "now", deserialize_with = "instant")]
    pub written_at: Time,
    /// `N`, `R` or `V`.
    #[serde(default)]
    pub confidentiality: Confidentiality,
    /// The patient.
    pub patient: Subject,
    /// The author.
    pub author: Professional,
    /// Who answers for it; the author by default.
    #[serde(default)]
    pub legal_authenticator: Option<Professional>,
    /// Who keeps it; the author's structure by default.
    #[serde(default)]
    pub custodian: Option<Structure>,
    /// To whom it goes.
    #[serde(default)]
    pub recipients: Vec<Recipient>,
    /// The médecin traitant.
    #[serde(default)]
    pub family_doctor: Option<Professional>,
    /// What was done.
    pub act: Act,
    /// Where.
    pub encounter: Encounter,
}

impl Head {
    /// The OID of the document.
    #[must_use]
    pub fn document_oid(&self) -> String {
        self.oid.clone().unwrap_or_else(|| format!("2.25.{}", self.id.as_u128()))
    }

    pub(super) fn set_oid(&self) -> String {
        let set = self.set_id.unwrap_or_else(|| Uuid::from_u128(self.id.as_u128() ^ 1));
        format!("2.25.{}", set.as_u128())
    }
}

/// confidentialityCode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Confidentiality {
    /// Normal.
    #[default]
    N,
    /// Restricted.
    R,
    /// Very restricted.
    V,
}

impl Confidentiality {
    pub(super) const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::N => ("N", "Normal"),
            Self::R => ("R", "Restreint"),
            Self::V => ("V", "Très restreint"),
        }
    }
}

/// The patient of a document. An INS comes in by a door that says how it is known to be qualified.
#[derive(Clone, Deserialize)]
#[serde(try_from = "StatedSubject")]
pub struct Subject {
    ins: Option<Ins>,
    /// The traits.
    pub traits: Traits,
    /// Local identifiers (IPP): OID and value.
    pub local_ids: Vec<(String, String)>,
    /// The address.
    pub address: Option<Address>,
    /// Telephone or mail, as URI (`tel:0199000012`).
    pub telecoms: Vec<String>,
}

impl Subject {
    /// The patient of a qualified identity: the document carries the INS.
    #[must_use]
    pub fn qualified(identity: &QualifiedIdentity) -> Self {
        Self::stated_qualified(identity.ins().clone(), identity.traits().clone())
    }

    /// The caller states that this identity is qualified, and keeps the proof.
    #[must_use]
    pub fn stated_qualified(ins: Ins, traits: Traits) -> Self {
        Self { ins: Some(ins), ..Self::unqualified(traits) }
    }

    /// Any other identity: no INS.
    #[must_use]
    pub const fn unqualified(traits: Traits) -> Self {
        Self { ins: None, traits, local_ids: Vec::new(), address: None, telecoms: Vec::new() }
    }

    /// The INS that the document carries.
    #[must_use]
    pub const fn ins(&self) -> Option<&Ins> {
        self.ins.as_ref()
    }
}

/// As JSON states a patient.
#[derive(Deserialize)]
struct StatedSubject {
    #[serde(default)]
    ins: Option<StatedIns>,
    #[serde(flatten)]
    traits: Traits,
    #[serde(default)]
    local_ids: Vec<LocalId>,
    #[serde(default)]
    address: Option<Address>,
    #[serde(default)]
    telecoms: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatedIns {
    matricule: Matricule,
    oid: String,
    /// The identity is QUAL in the caller's own records.
    qualified: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalId {
    oid: String,
    value: String,
}

impl TryFrom<StatedSubject> for Subject {
    type Error = String;

    fn try_from(stated: StatedSubject) -> Result<Self, String> {
        let ins = match stated.ins {
            None => None,
            Some(ins) if !ins.qualified => {
                return Err("the identity is not qualified: the document may not carry its INS (RNIV v2.0, EXI SI 08); leave `ins` out".to_owned());
            }
            Some(ins) => {
                let authority: InsAuthority = ins.oid.parse().map_err(|error| format!("ins.oid: {error}"))?;
                Some(Ins { matricule: ins.matricule, authority })
            }
        };
        let local_ids = stated.local_ids.into_iter().map(|id| (id.oid, id.value)).collect();
        Ok(Self { ins, traits: stated.traits, local_ids, address: stated.address, telecoms: stated.telecoms })
    }
}

/// A postal address.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Number in the street.
    #[serde(default)]
    pub number: Option<String>,
    /// Street.
    #[serde(default)]
    pub street: Option<String>,
    /// Postal code.
    #[serde(default)]
    pub postal_code: Option<String>,
    /// City.
    #[serde(default)]
    pub city: Option<String>,
}

/// A professional in a structure.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Professional {
    /// PS_IdNat: `8` then the RPPS.
    pub id: IdNatPs,
    /// Family name.
    pub family: String,
    /// Given name.
    pub given: String,
    /// Title (`DR`, `PR`).
    #[serde(default)]
    pub title: Option<String>,
    /// Profession and speciality (JDV_J01), of system 1.2.250.1.213.1.1.4.5 by default.
    #[serde(deserialize_with = "specialty")]
    pub specialty: Code,
    /// The structure.
    pub structure: Structure,
    /// Address of practice.
    #[serde(default)]
    pub address: Option<Address>,
    /// Telephone or mail, as URI.
    #[serde(default)]
    pub telecom: Option<String>,
}

/// A structure.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Structure {
    /// Struct_IdNat: `1` then the FINESS, `3` then the SIRET…
    pub id: IdNatStruct,
    /// Its name.
    pub name: String,
    /// Its address.
    #[serde(default)]
    pub address: Option<Address>,
    /// Telephone or mail, as URI.
    #[serde(default)]
    pub telecom: Option<String>,
}

/// To whom a document goes.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Who.
    pub professional: Professional,
    /// MSSanté address.
    #[serde(default)]
    pub mss_address: Option<String>,
}

/// The main act of a document.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// `serviceEvent/code`, when it has one.
    #[serde(default)]
    pub code: Option<Code>,
    /// When it began.
    #[serde(deserialize_with = "time")]
    pub start: Time,
    /// When it ended.
    #[serde(default, deserialize_with = "optional_time")]
    pub stop: Option<Time>,
    /// Cadre d'exercice, a code of JDV_J04 (`AMBULATOIRE`, `ETABLISSEMENT`).
    pub practice_setting: String,
}

/// The encounter of a document.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encounter {
    /// `IMP`, `AMB`, `EMER` (JDV_J142), when known.
    #[serde(default)]
    pub kind: Option<Code>,
    /// When it began; the act's start by default.
    #[serde(default, deserialize_with = "optional_time")]
    pub start: Option<Time>,
    /// When it ended.
    #[serde(default, deserialize_with = "optional_time")]
    pub stop: Option<Time>,
    /// Secteur d'activité, a code of JDV_J02 (`SA01`, `SA07`).
    pub facility: String,
}

/// A *lettre de liaison à la sortie de l'établissement* (LDL-SES 2022.01).
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DischargeLetter {
    /// The header. The act is the stay.
    #[serde(rename = "header")]
    pub head: Head,
    /// Why the patient came: paragraphs.
    pub reason: Vec<String>,
    /// The stay.
    pub stay: Stay,
    /// Treatments taken home. None is told as such.
    #[serde(default)]
    pub treatments: Vec<Treatment>,
    /// Results worth knowing, one a line.
    #[serde(default)]
    pub results: Vec<String>,
    /// Allergies identified during the stay. None is told as no known allergy.
    #[serde(default)]
    pub allergies: Vec<Allergy>,
    /// What is to be done, one a line.
    #[serde(default)]
    pub follow_up: Vec<FollowUp>,
}

/// What happened in hospital.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    /// How the patient came in, a code of SNOMED CT of the volet's value set.
    pub admission: Code,
    /// How they left.
    pub discharge: Code,
    /// The summary.
    pub summary: String,
    /// Adverse events; `Aucun` when there was none.
    pub adverse_events: String,
    /// Was a search for resistant micro-organisms made, and what came of it.
    pub resistant_search: Answer,
    /// Were blood products transfused.
    pub transfusion: Answer,
    /// Were blood derivatives given.
    pub blood_derivatives: Answer,
}

/// Yes or no, and the words that say it to people.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Yes or no.
    pub yes: bool,
    /// More words (`négative`).
    #[serde(default)]
    pub detail: Option<String>,
}

/// A treatment taken home.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Treatment {
    /// Name and dose, as prescribed.
    pub name: String,
    /// ATC code.
    #[serde(default)]
    pub atc: Option<String>,
    /// How it is taken, in words.
    pub posology: String,
    /// From when; the day of the document by default.
    #[serde(default)]
    pub from: Option<Date>,
    /// Until when, when it is known.
    #[serde(default)]
    pub until: Option<Date>,
    /// Hours between doses, when it is regular.
    #[serde(default)]
    pub every_hours: Option<u16>,
    /// Units a dose: number and UCUM unit (`1`, `{tbl}`).
    #[serde(default)]
    pub dose: Option<Dose>,
}

/// A dose.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dose {
    /// The number, as it is written.
    pub value: String,
    /// UCUM.
    pub unit: String,
}

/// An allergy or hypersensitivity.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allergy {
    /// Its kind, a code of SNOMED CT (`416098002` allergie médicamenteuse).
    pub kind: Code,
    /// To what, and how it shows, in words.
    pub text: String,
    /// Since when.
    #[serde(default)]
    pub since: Option<Date>,
}

/// Something to be done after the stay.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// In words.
    pub text: String,
    /// When, if there is a day.
    #[serde(default)]
    pub on: Option<Date>,
}

const fn first() -> u32 {
    1
}

fn now() -> Time {
    Time::at(Timestamp::now(), Offset::UTC)
}

/// ISO 8601 or CDA.
pub(super) fn parse_time(text: &str) -> Result<Time, String> {
    let joined = match text.split_once('T') {
        None => text.replace('-', ""),
        Some((date, clock)) => {
            let clock = clock.replace('Z', "+0000").replace(':', "");
            format!("{}{clock}", date.replace('-', ""))
        }
    };
    let wanted = if text.contains(['T', '-']) && !text.contains('+') || text.contains('T') { &joined } else { text };
    wanted.parse().map_err(|error| format!("{text}: {error}"))
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
    let text = String::deserialize(from)?;
    parse_time(&text).map_err(serde::de::Error::custom)
}

/// To the second, with its offset from UTC.
fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
    let time = time(from)?;
    if time.timestamp().is_none() || time.precision() != crate::time::Precision::Second {
        return Err(serde::de::Error::custom("written_at is to the second, with an offset from UTC"));
    }
    Ok(time)
}

fn optional_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Time>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| parse_time(&text)).transpose().map_err(serde::de::Error::custom)
}

/// The system of professions and specialities has one OID: JSON may leave it out.
fn specialty<'de, D: Deserializer<'de>>(from: D) -> Result<Code, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Stated {
        code: String,
        #[serde(default)]
        system: Option<String>,
        #[serde(default)]
        label: String,
    }
    let Stated { code, system, label } = Stated::deserialize(from)?;
    Ok(Code::new(code, system.unwrap_or_else(|| "1.2.250.1.213.1.1.4.5".to_owned()), label))
}

/// `Debug` of people shows nothing.
macro_rules! redacted {
    ($($kind:ident),+) => {
        $(impl std::fmt::Debug for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($kind), "(…)"))
            }
        })+
    };
}

redacted!(Plan, Level1, Head, Subject, Address, Professional, Structure, Recipient, Act, Encounter);
redacted!(DischargeLetter, Stay, Answer, Treatment, Dose, Allergy, FollowUp);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_json_and_as_cda_write_them() {
        let cases = [
            ("2026-03-02T10:15:00+01:00", "20260302101500+0100"),
            ("2026-03-02T10:15:00-04:00", "20260302101500-0400"),
            ("2026-03-02T09:15:00Z", "20260302091500+0000"),
            ("2026-03-02T10:15+01:00", "202603021015+0100"),
            ("2026-03-02", "20260302"),
            ("20260302101500+0100", "20260302101500+0100"),
            ("20260302", "20260302"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_time(text).unwrap().to_string(), expected, "{text}");
        }
        for bad in ["", "demain", "2026-02-30", "2026-03-02T25:00:00Z"] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }
}
