use jiff::Timestamp;
use socle_identity::{IdNatPs, IdNatStruct};
use socle_xml::NodeExt;
use socle_xml::roxmltree::Node;

use super::{NS_HL7, NS_SAML, PURPOSE_SYSTEM, RESOURCE_URN, SECTOR_SYSTEM, X509_SUBJECT, name};
use crate::model::{Automaton, Employee, Mode, Professional, Purpose, Role, Software, Speaker, Structure, Vihf};
use crate::wire::{CxError, ins_from_cx};

/// Longest text of an attribute or identifier.
const TEXT_MAX: usize = 1000;

/// An assertion as read: what it says, and what a receiver has to check about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What it says.
    pub vihf: Vihf,
    /// `@ID`, for the replay cache.
    pub id: String,
    /// `@IssueInstant`.
    pub issued_at: Timestamp,
    /// `Conditions/@NotBefore`, when stated.
    pub not_before: Option<Timestamp>,
    /// `Conditions/@NotOnOrAfter`, when stated.
    pub not_on_or_after: Option<Timestamp>,
    /// `Issuer`, to be compared with the subject DN of the signing certificate.
    pub issuer: String,
    /// `VIHF_Version`.
    pub version: String,
    /// Was the mode written `Authentification_Mode`?
    pub other_mode_name: bool,
}

/// Reads a VIHF. Give it the node that `verify_assertion` proved, and nothing else.
///
/// # Errors
/// [`VihfError`]: what is missing or wrong, never with a value.
pub fn read(assertion: Node<'_, '_>) -> Result<Received, VihfError> {
    if assertion.attribute("Version") != Some("2.0") {
        return Err(VihfError::SamlVersion);
    }
    let attributes = Attributes::read(assertion)?;
    let (mode, other_mode_name) = attributes.mode()?;
    let structure = attributes.structure()?;
    let speaker = attributes.speaker(&name_id(assertion)?, &structure.id)?;
    check_coherence(mode, &speaker)?;
    attributes.check_resource()?;
    let patient = attributes.optional(name::RESOURCE_ID)?.map(|cx| ins_from_cx(&cx)).transpose()?;
    let vihf = Vihf {
        mode,
        speaker,
        structure,
        patient,
        purpose: attributes.purpose()?,
        secret_connection: attributes.optional(name::CONFIDENTIALITY)?.is_some(),
        software: attributes.software()?,
    };
    let conditions = assertion.child(Some(NS_SAML), "Conditions");
    Ok(Received {
        vihf,
        id: bounded(assertion.attribute("ID").unwrap_or_default(), "ID")?,
        issued_at: instant(assertion, "IssueInstant")?.ok_or(VihfError::Missing("IssueInstant"))?,
        not_before: conditions.map_or(Ok(None), |node| instant(node, "NotBefore"))?,
        not_on_or_after: conditions.map_or(Ok(None), |node| instant(node, "NotOnOrAfter"))?,
        issuer: issuer(assertion)?,
        version: attributes.required(name::VERSION)?,
        other_mode_name,
    })
}

fn issuer(assertion: Node<'_, '_>) -> Result<String, VihfError> {
    let issuer = assertion.child(Some(NS_SAML), "Issuer").ok_or(VihfError::Missing("Issuer"))?;
    if issuer.attribute("Format") != Some(X509_SUBJECT) {
        return Err(VihfError::Value { what: "Issuer/@Format", rule: "the format is X509SubjectName" });
    }
    bounded(&issuer.trimmed_text(), "Issuer")
}

fn name_id(assertion: Node<'_, '_>) -> Result<String, VihfError> {
    let name_id = assertion.path(Some(NS_SAML), &["Subject", "NameID"]).ok_or(VihfError::Missing("Subject/NameID"))?;
    bounded(&name_id.trimmed_text(), "Subject/NameID")
}

/// A structure vouches for a person in AIR, and an unattended process never consults (PDT-INF-606).
const fn check_coherence(mode: Mode, speaker: &Speaker) -> Result<(), VihfError> {
    match (mode, speaker) {
        (Mode::IndirectRenforcee | Mode::Direct, Speaker::Automaton(_)) => Err(VihfError::AutomatonAlone),
        _ => Ok(()),
    }
}

/// The attributes of the statement, by name.
struct Attributes<'a, 'input>(Vec<(&'a str, Node<'a, 'input>)>);

impl<'a, 'input> Attributes<'a, 'input> {
    fn read(assertion: Node<'a, 'input>) -> Result<Self, VihfError> {
        let statement =
            assertion.child(Some(NS_SAML), "AttributeStatement").ok_or(VihfError::Missing("AttributeStatement"))?;
        let all = statement
            .children_named(Some(NS_SAML), "Attribute")
            .map(|node| (node.attribute("Name").unwrap_or_default(), node))
            .collect();
        Ok(Self(all))
    }

    /// The attribute of this name, which may come once.
    fn node(&self, name: &'static str) -> Result<Option<(&'a str, Node<'a, 'input>)>, VihfError> {
        let mut found = self.0.iter().filter(|(written, _)| written.eq_ignore_ascii_case(name));
        let first = found.next().copied();
        if found.next().is_some() {
            return Err(VihfError::Twice(name));
        }
        Ok(first)
    }

    fn values(&self, name: &'static str) -> Result<Vec<Node<'a, 'input>>, VihfError> {
        let node = self.node(name)?;
        Ok(node.map(|(_, node)| node.children_named(Some(NS_SAML), "AttributeValue").collect()).unwrap_or_default())
    }

    fn optional(&self, name: &'static str) -> Result<Option<String>, VihfError> {
        match self.values(name)?.as_slice() {
            [] => Ok(None),
            [value] => bounded(&value.trimmed_text(), name).map(Some),
            _ => Err(VihfError::Twice(name)),
        }
    }

    fn required(&self, name: &'static str) -> Result<String, VihfError> {
        self.optional(name)?.ok_or(VihfError::Missing(name))
    }

    /// The mode, and whether its name was written in another case than ours.
    fn mode(&self) -> Result<(Mode, bool), VihfError> {
        let text = self.required(name::MODE)?;
        let rule = "the mode is DIRECTE, INDIRECTE or INDIRECTE_RENFORCEE";
        let mode = Mode::from_wire(&text).ok_or(VihfError::Value { what: name::MODE, rule })?;
        let other_name = self.node(name::MODE)?.is_some_and(|(written, _)| written != name::MODE);
        Ok((mode, other_name))
    }

    fn structure(&self) -> Result<Structure, VihfError> {
        let rule = "the structure is named by its Struct_IdNat";
        let id = self.required(name::STRUCTURE)?;
        let id = id.parse().map_err(|_| VihfError::Value { what: name::STRUCTURE, rule })?;
        let sector = self.required(name::SECTOR)?;
        let code = sector.strip_suffix(SECTOR_SYSTEM).and_then(|rest| rest.strip_suffix('^'));
        let code = code.filter(|code| !code.is_empty() && !code.contains('^'));
        let rule = "the sector is written SAnn^1.2.250.1.71.4.2.4";
        let sector = code.ok_or(VihfError::Value { what: name::SECTOR, rule })?.to_owned();
        Ok(Structure { id, sector })
    }

    fn speaker(&self, name_id: &str, structure: &IdNatStruct) -> Result<Speaker, VihfError> {
        let display_name = self.required(name::SUBJECT_ID)?;
        let mut roles = self.roles()?.into_iter();
        let role = roles.next().ok_or(VihfError::Missing(name::ROLE))?;
        if role.system == Role::PROFESSIONS {
            let id: IdNatPs = name_id.parse().map_err(|_| VihfError::NameId)?;
            let specialty = roles.find(|role| role.system == Role::SPECIALTIES);
            let professional = Professional::from_roles(id, &display_name, role, specialty);
            return professional.map(Speaker::Professional).map_err(|_| VihfError::NoSpecialty);
        }
        let internal_id = name_id.strip_prefix(structure.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let internal_id = internal_id.filter(|id| !id.is_empty()).ok_or(VihfError::NameId)?.to_owned();
        if role.is_automaton() {
            return Ok(Speaker::Automaton(Automaton { internal_id, name: display_name }));
        }
        Ok(Speaker::Employee(Employee { internal_id, name: display_name, role }))
    }

    fn roles(&self) -> Result<Vec<Role>, VihfError> {
        let values = self.values(name::ROLE)?;
        if values.len() > 2 {
            return Err(VihfError::Value { what: name::ROLE, rule: "one role, then one savoir-faire at most" });
        }
        let role = |value: Node<'_, '_>| {
            let ce = value.child(Some(NS_HL7), "Role")?;
            Role::new(
                ce.attribute("code")?,
                ce.attribute("codeSystem")?,
                ce.attribute("displayName").unwrap_or_default(),
            )
        };
        let rule = "a role is an HL7 CE with code and codeSystem";
        values.into_iter().map(role).collect::<Option<_>>().ok_or(VihfError::Value { what: name::ROLE, rule })
    }

    fn purpose(&self) -> Result<Purpose, VihfError> {
        let values = self.values(name::PURPOSE)?;
        let value = values.first().ok_or(VihfError::Missing(name::PURPOSE))?;
        let rule = "the purpose is normal, bris_de_glace or centre15 of 1.2.250.1.213.1.1.4.248";
        value
            .child(Some(NS_HL7), "PurposeOfUse")
            .filter(|ce| ce.attribute("codeSystem") == Some(PURPOSE_SYSTEM))
            .and_then(|ce| Purpose::from_wire(ce.attribute("code")?))
            .ok_or(VihfError::Value { what: name::PURPOSE, rule })
    }

    fn check_resource(&self) -> Result<(), VihfError> {
        if self.required(name::RESOURCE_URN)? != RESOURCE_URN {
            return Err(VihfError::Value { what: name::RESOURCE_URN, rule: "the resource is urn:dmp" });
        }
        Ok(())
    }

    fn software(&self) -> Result<Software, VihfError> {
        Ok(Software {
            id: self.required(name::LPS_ID)?,
            name: self.required(name::LPS_NAME)?,
            version: self.required(name::LPS_VERSION)?,
            homologation: self.required(name::LPS_HOMOLOGATION)?,
        })
    }
}

/// A text that is there and not absurdly long.
fn bounded(text: &str, what: &'static str) -> Result<String, VihfError> {
    if text.is_empty() {
        return Err(VihfError::Missing(what));
    }
    if text.len() > TEXT_MAX {
        return Err(VihfError::Value { what, rule: "at most 1 000 characters" });
    }
    Ok(text.to_owned())
}

fn instant(node: Node<'_, '_>, name: &'static str) -> Result<Option<Timestamp>, VihfError> {
    let rule = "an instant is an xs:dateTime in UTC (SAML 2.0 core §1.3.3)";
    node.attribute(name).map(|text| text.parse().map_err(|_| VihfError::Value { what: name, rule })).transpose()
}

/// Why an assertion is no VIHF. Says what and by which rule; never repeats a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VihfError {
    /// Not SAML 2.0.
    #[error("the assertion is not of SAML 2.0")]
    SamlVersion,
    /// A part that the VIHF must have.
    #[error("the VIHF lacks `{0}`")]
    Missing(&'static str),
    /// A part that comes once.
    #[error("the VIHF holds `{0}` several times")]
    Twice(&'static str),
    /// A part whose value is not one.
    #[error("the value of `{what}` is wrong: {rule}")]
    Value {
        /// Which part.
        what: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// The patient's identifier is no INS.
    #[error("`resource-id`: {0}")]
    Patient(#[from] CxError),
    /// The `NameID` does not fit the role.
    #[error("the NameID is neither the PS_IdNat of a professional nor <Struct_IdNat>/<identifier> of the structure")]
    NameId,
    /// A physician or pharmacist without savoir-faire.
    #[error("a médecin or a pharmacien is named with their savoir-faire (second role)")]
    NoSpecialty,
    /// `AUTOMATE` in a mode that needs a person.
    #[error("the role AUTOMATE goes with the mode INDIRECTE only")]
    AutomatonAlone,
}
