use std::fmt;

use socle_identity::{IdNatPs, IdNatStruct, Ins, QualifiedIdentity};
use socle_trust::{Actor, ActorId};

use super::{Mode, rights::Profile};

/// VIHF, "vecteur d'identification et d'habilitation formelles": who speaks, for which structure, about
/// whom, and why. On the wire it is a signed SAML 2.0 assertion ([`crate::wire::vihf`]).
///
/// [`Vihf::indirect`] and [`Vihf::reinforced`] are the only ways to one to send, and a patient enters by
/// a [`QualifiedIdentity`] alone (EX_GEN-1530). What the twin reads is what others wrote, so it may hold
/// any INS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vihf {
    pub(crate) mode: Mode,
    pub(crate) speaker: Speaker,
    pub(crate) structure: Structure,
    pub(crate) patient: Option<Ins>,
    pub(crate) purpose: Purpose,
    pub(crate) secret_connection: bool,
    pub(crate) software: Software,
}

impl Vihf {
    /// Mode INDIRECTE: the structure speaks, to feed and to find the references of its own documents.
    #[must_use]
    pub const fn indirect(structure: Structure, speaker: Speaker, software: Software) -> Self {
        Self::of(Mode::Indirect, structure, speaker, software)
    }

    /// Mode INDIRECTE_RENFORCEE (AIR): the structure vouches for a professional whom it has
    /// authenticated strongly, to consult in their name.
    #[must_use]
    pub const fn reinforced(structure: Structure, professional: Professional, software: Software) -> Self {
        Self::of(Mode::IndirectRenforcee, structure, Speaker::Professional(professional), software)
    }

    const fn of(mode: Mode, structure: Structure, speaker: Speaker, software: Software) -> Self {
        Self { mode, speaker, structure, patient: None, purpose: Purpose::Normal, secret_connection: false, software }
    }

    /// The same, about this patient.
    #[must_use]
    pub fn about(self, patient: &QualifiedIdentity) -> Self {
        Self { patient: Some(patient.ins().clone()), ..self }
    }

    /// The same, for another reason than the ordinary one.
    #[must_use]
    pub fn because(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }

    /// How the speaker is authenticated.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Who speaks.
    #[must_use]
    pub const fn speaker(&self) -> &Speaker {
        &self.speaker
    }

    /// For which structure.
    #[must_use]
    pub const fn structure(&self) -> &Structure {
        &self.structure
    }

    /// About whom.
    #[must_use]
    pub const fn patient(&self) -> Option<&Ins> {
        self.patient.as_ref()
    }

    /// Why.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Is this the "connexion secrète" of a minor?
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.secret_connection
    }

    /// The software that speaks.
    #[must_use]
    pub const fn software(&self) -> &Software {
        &self.software
    }

    /// The `NameID`: PS_IdNat, or `<Struct_IdNat>/<internal identifier>`.
    #[must_use]
    pub fn name_id(&self) -> String {
        match &self.speaker {
            Speaker::Professional(professional) => professional.id.to_string(),
            Speaker::Employee(Employee { internal_id, .. }) | Speaker::Automaton(Automaton { internal_id, .. }) => {
                format!("{}/{internal_id}", self.structure.id)
            }
        }
    }

    /// The column of the rights matrix. In mode INDIRECTE the structure speaks, whoever is named.
    #[must_use]
    pub fn profile(&self, is_attending: bool) -> Profile {
        match &self.speaker {
            _ if self.mode == Mode::Indirect => Profile::Structure,
            Speaker::Automaton(_) => Profile::Structure,
            Speaker::Employee(_) => Profile::Employee,
            Speaker::Professional(professional) if !professional.is_physician() => Profile::NotPhysician,
            Speaker::Professional(_) if is_attending => Profile::Attending,
            Speaker::Professional(professional) if professional.is_occupational() => Profile::OccupationalPhysician,
            Speaker::Professional(_) => Profile::Physician,
        }
    }
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    /// A health professional.
    Professional(Professional),
    /// Someone of the structure who is no health professional.
    Employee(Employee),
    /// Nobody: an unattended process of the structure, role `AUTOMATE`.
    Automaton(Automaton),
}

/// A health professional as the VIHF names them.
#[derive(Clone, PartialEq, Eq)]
pub struct Professional {
    id: IdNatPs,
    name: String,
    profession: Role,
    specialty: Option<Role>,
}

impl Professional {
    /// Profession 10, médecin (TRE_G15).
    const PHYSICIAN: &'static str = "10";
    /// Profession 21, pharmacien.
    const PHARMACIST: &'static str = "21";
    /// The savoir-faire of occupational medicine (TRE_R01: speciality, competence, capacity, DESC).
    const OCCUPATIONAL: [&'static str; 4] = ["SM25", "C41", "CAPA11", "SCH35"];

    /// A professional: national identifier, name as text, profession (TRE_G15) and savoir-faire (TRE_R01).
    ///
    /// # Errors
    /// [`ProfessionalError`] when a médecin or a pharmacien comes without savoir-faire, or when a code is
    /// not one.
    pub fn new(id: IdNatPs, name: &str, profession: &str, specialty: Option<&str>) -> Result<Self, ProfessionalError> {
        let profession = Role::new(profession, Role::PROFESSIONS, "").ok_or(ProfessionalError::Code)?;
        let specialty = match specialty {
            Some(code) => Some(Role::new(code, Role::SPECIALTIES, "").ok_or(ProfessionalError::Code)?),
            None => None,
        };
        Self::from_roles(id, name, profession, specialty)
    }

    /// The professional whom a verified token names.
    ///
    /// TRE_G15 codes of professions are digits; those of TRE_R01 (savoir-faire) begin with letters.
    ///
    /// # Errors
    /// [`ProfessionalError::NotAPerson`] for a system, else as [`Self::new`].
    pub fn from_actor(actor: &Actor) -> Result<Self, ProfessionalError> {
        let ActorId::Person(id) = &actor.id else { return Err(ProfessionalError::NotAPerson) };
        let is_profession = |code: &str| code.bytes().all(|b| b.is_ascii_digit());
        let mut codes = actor.roles.iter().map(|role| role.code.as_str());
        let profession = codes.clone().find(|code| is_profession(code)).ok_or(ProfessionalError::Code)?;
        let specialty = codes.find(|code| !is_profession(code));
        Self::new(id.clone(), &actor.name, profession, specialty)
    }

    /// The same from the roles of a VIHF.
    pub(crate) fn from_roles(
        id: IdNatPs,
        name: &str,
        profession: Role,
        specialty: Option<Role>,
    ) -> Result<Self, ProfessionalError> {
        let needs_specialty = [Self::PHYSICIAN, Self::PHARMACIST].contains(&profession.code.as_str());
        if needs_specialty && specialty.is_none() {
            return Err(ProfessionalError::NoSpecialty);
        }
        Ok(Self { id, name: name.to_owned(), profession, specialty })
    }

    /// PS_IdNat.
    #[must_use]
    pub const fn id(&self) -> &IdNatPs {
        &self.id
    }

    /// The name, as text.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The profession, then the savoir-faire.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        std::iter::once(&self.profession).chain(&self.specialty)
    }

    fn is_physician(&self) -> bool {
        self.profession.code == Self::PHYSICIAN
    }

    fn is_occupational(&self) -> bool {
        self.specialty.as_ref().is_some_and(|role| Self::OCCUPATIONAL.contains(&role.code.as_str()))
    }
}

impl fmt::Debug for Professional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Professional(…, {:?}, {:?})", self.profession.code, self.specialty.as_ref().map(|role| &role.code))
    }
}

/// Why a professional cannot be named in a VIHF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfessionalError {
    /// An application: it has no profession.
    #[error("a system is no professional: a consultation is made in a person's name (AIR)")]
    NotAPerson,
    /// A médecin (10) or a pharmacien (21) without savoir-faire.
    #[error("a médecin or a pharmacien is named with their savoir-faire (VIHF, attribute subject:role)")]
    NoSpecialty,
    /// Empty, too long, or with signs that codes do not have.
    #[error("a code of profession or savoir-faire is 1 to 32 letters, digits, `_`, `-` or `/`")]
    Code,
}

/// Someone of the structure who is no health professional ("PE non PS").
#[derive(Clone, PartialEq, Eq)]
pub struct Employee {
    /// How the structure knows them.
    pub internal_id: String,
    /// Their name, as text.
    pub name: String,
    /// Their role.
    pub role: Role,
}

impl fmt::Debug for Employee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Employee(…, {:?})", self.role.code)
    }
}

/// An unattended process of the structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Automaton {
    /// How the structure knows it.
    pub internal_id: String,
    /// Its name, shown in the traces of the DMP.
    pub name: String,
}

/// A role in a VIHF: an HL7 `CE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub(crate) code: String,
    pub(crate) system: String,
    pub(crate) display: String,
}

impl Role {
    /// TRE_G15, professions, as the VIHF names it.
    pub const PROFESSIONS: &'static str = "1.2.250.1.71.1.2.7";
    /// TRE_R01, savoir-faire.
    pub const SPECIALTIES: &'static str = "1.2.250.1.71.4.2.5";
    /// The code system of `AUTOMATE`.
    pub const AUTOMATON_SYSTEM: &'static str = "1.2.250.1.213.1.1.4.6";
    /// An unattended feed.
    pub const AUTOMATON: &'static str = "AUTOMATE";

    pub(crate) fn new(code: &str, system: &str, display: &str) -> Option<Self> {
        let is_code = |b: u8| b.is_ascii_alphanumeric() || b"_-/".contains(&b);
        if !(1..=32).contains(&code.len()) || !code.bytes().all(is_code) {
            return None;
        }
        Some(Self { code: code.to_owned(), system: system.to_owned(), display: display.to_owned() })
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The OID of its system.
    #[must_use]
    pub fn system(&self) -> &str {
        &self.system
    }

    /// Is it the role of an unattended process?
    #[must_use]
    pub fn is_automaton(&self) -> bool {
        self.system == Self::AUTOMATON_SYSTEM && self.code == Self::AUTOMATON
    }
}

/// The structure that speaks, with the sector of activity of the place (`SA07`…, 1.2.250.1.71.4.2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// Struct_IdNat.
    pub id: IdNatStruct,
    /// Secteur d'activité.
    pub sector: String,
}

/// The software that speaks, as homologated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Software {
    /// `LPS_ID`: the installation.
    pub id: String,
    /// `LPS_Nom`.
    pub name: String,
    /// `LPS_Version`.
    pub version: String,
    /// `LPS_ID_HOMOLOGATION_DMP`.
    pub homologation: String,
}

/// Why a DMP is opened (VIHF `purposeofuse`, 1.2.250.1.213.1.1.4.248).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Ordinary care.
    Normal,
    /// "Bris de glace": the person cannot express their will (CSP L.1111-17 I al. 1).
    BrisDeGlace,
    /// The SAMU's regulating physician (CSP L.1111-17 I al. 2).
    Centre15,
}

impl Purpose {
    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::BrisDeGlace => "bris_de_glace",
            Self::Centre15 => "centre15",
        }
    }

    /// Reads the code.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Normal, Self::BrisDeGlace, Self::Centre15].into_iter().find(|purpose| purpose.code() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn professional(profession: &str, specialty: Option<&str>) -> Result<Professional, ProfessionalError> {
        Professional::new("899700000017".parse().unwrap(), "Marie Martin", profession, specialty)
    }

    #[test]
    fn a_physician_is_named_with_a_savoir_faire() {
        assert!(professional("10", Some("SM26")).is_ok());
        assert!(professional("60", None).is_ok());
        assert_eq!(professional("10", None), Err(ProfessionalError::NoSpecialty));
        assert_eq!(professional("21", None), Err(ProfessionalError::NoSpecialty));
        assert_eq!(professional("", None), Err(ProfessionalError::Code));
        assert_eq!(professional("60", Some("a b")), Err(ProfessionalError::Code));
    }

    #[test]
    fn the_profile_follows_mode_role_and_the_declared_attending_physician() {
        let cases = [
            ("10", Some("SM26"), false, Profile::Physician),
            ("10", Some("SM26"), true, Profile::Attending),
            ("10", Some("SM25"), false, Profile::OccupationalPhysician),
            ("60", None, false, Profile::NotPhysician),
            ("60", None, true, Profile::NotPhysician),
        ];
        for (profession, specialty, is_attending, expected) in cases {
            let who = professional(profession, specialty).unwrap();
            let vihf = Vihf::reinforced(structure(), who.clone(), software());
            assert_eq!(vihf.profile(is_attending), expected, "{profession} {specialty:?}");
            let indirect = Vihf::indirect(structure(), Speaker::Professional(who), software());
            assert_eq!(indirect.profile(is_attending), Profile::Structure);
        }
    }

    #[test]
    fn a_process_is_named_below_its_structure_and_nobody_is_shown() {
        let robot = Automaton { internal_id: "pfi-1".into(), name: "PFI".into() };
        let vihf = Vihf::indirect(structure(), Speaker::Automaton(robot), software());
        assert_eq!(vihf.name_id(), "10B0000001/pfi-1");
        let vihf = Vihf::reinforced(structure(), professional("10", Some("SM26")).unwrap(), software());
        assert_eq!(vihf.name_id(), "899700000017");
        assert!(!format!("{vihf:?}").contains("Martin"));
    }

    fn structure() -> Structure {
        Structure { id: "10B0000001".parse().unwrap(), sector: "SA01".into() }
    }

    fn software() -> Software {
        Software { id: "1".into(), name: "Socle".into(), version: "0.1".into(), homologation: "TEST".into() }
    }
}
