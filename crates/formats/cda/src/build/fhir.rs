//! A document from FHIR. Niveau 1: the fiche of a PDSm transaction (ITI-65) whose Binary is a PDF, a text or
//! an image, with its patient and its lot. Lettre de liaison: a FHIR document (`letter`). What FHIR says becomes the
//! header; nothing is made up.
//!
//! The document has the fiche's own unique identifier, so that the fiche stays true of it.

mod letter;

use socle_fhir::Node;
use socle_fhir::datatypes::{Coding, DateTime};
use socle_fhir::fr_core::DeclaredPatient;
use socle_fhir::mapping::oid_of_system;
use socle_fhir::pdsm::{Level, Party, ProvideBundle, RelationCode, RelationTarget, SubmittedPatient};
use socle_finding::{Finding, Location, Rule, Text};
use socle_identity::{Finess, IdNatPs, IdNatStruct, Rpps, Status};
use uuid::Uuid;

use super::model::{Act, Confidentiality, Encounter, Head, Level1, Professional, Structure, Subject, parse_time};
use crate::code::Code;
use crate::finding::{Findings, Refused};
use crate::time::{Precision, Time};

pub use letter::discharge_letter;

const PDSM: &str = "CI-SIS PDSm 3.1.1";
const PROFESSION: &str = "1.2.250.1.71.1.2.7";
const KNOW_HOW: &str = "1.2.250.1.71.4.2.5";
const SPECIALTY: &str = "1.2.250.1.213.1.1.4.5";

/// The plan of the nth document of a transaction (from 0), with its file.
///
/// # Errors
/// [`Refused`], with all that FHIR does not say and a header needs.
pub fn level_1(lot: &ProvideBundle, index: usize) -> Result<Level1, Refused> {
    let mut found = Findings::default();
    let plan = plan(lot, index, &mut found);
    found.conclude(plan).map(|checked| checked.value)
}

fn plan(lot: &ProvideBundle, index: usize, found: &mut Findings) -> Option<Level1> {
    let Some(provided) = lot.documents.get(index) else {
        lacks("entry", "la transaction n'a pas ce document", "the transaction has no such document", found);
        return None;
    };
    let fiche = &provided.metadata;
    let place = format!("DocumentReference[{index}]");
    let at = |element: &str| format!("{place}.{element}");
    let patient = subject(lot, found);
    let organisation = lot.submission_set.author_organization.as_ref();
    let author = fiche.authors.first().and_then(|party| professional(party, organisation, &at("author"), found));
    let signer =
        fiche.authenticator.as_ref().and_then(|party| professional(party, organisation, &at("authenticator"), found));
    let written_at = instant(&fiche.created, &at("content.attachment.creation"), found);
    let start = moment(&fiche.service_start, &at("context.period.start"), found);
    let stop = fiche.service_stop.as_ref().and_then(|stop| moment(stop, &at("context.period.end"), found));
    let oid = fiche.unique_id.value.strip_prefix("urn:oid:").map(str::to_owned);
    if oid.is_none() {
        lacks(
            &at("masterIdentifier"),
            "l'identifiant unique n'est pas un OID",
            "the unique identifier is no OID",
            found,
        );
    }
    Some(Level1 {
        head: Head {
            id: Uuid::new_v4(),
            oid: Some(oid?),
            set_id: None,
            version: 1,
            replaces: replaced(lot, index),
            title: Some(fiche.title.clone()),
            written_at: written_at?,
            confidentiality: match fiche.confidentiality.level {
                Level::Normal => Confidentiality::N,
                Level::Restricted => Confidentiality::R,
                Level::VeryRestricted => Confidentiality::V,
            },
            patient: patient?,
            author: author?,
            legal_authenticator: signer,
            custodian: structure(&fiche.custodian),
            recipients: Vec::new(),
            family_doctor: None,
            act: Act {
                code: fiche.events.first().and_then(code),
                start: start?,
                stop,
                practice_setting: fiche.practice.code.clone(),
            },
            encounter: Encounter { kind: None, start: None, stop, facility: fiche.facility.code.clone() },
        },
        kind: fiche.type_code.code.clone(),
        file: provided.bytes.to_vec(),
    })
}

fn lacks(place: &str, fr: &'static str, en: &'static str, found: &mut Findings) {
    found.extend([Finding {
        severity: socle_finding::Severity::Error,
        rule: Rule::fixed(PDSM, "ce qu'un en-tête CDA demande"),
        at: Location::path(place),
        message: Text::fixed(fr, en),
        mend: Text::fixed("donnez-le dans la fiche ou le lot", "give it in the fiche or the lot"),
    }]);
}

/// The INS comes along only when FHIR says that the identity is qualified (RNIV, EXI SI 08).
fn subject(lot: &ProvideBundle, found: &mut Findings) -> Option<Subject> {
    let SubmittedPatient::Described(declared) = &lot.patient else {
        lacks("Patient", "les traits du patient ne sont pas donnés", "the patient's traits are not given", found);
        return None;
    };
    Some(subject_of(declared))
}

fn subject_of(declared: &DeclaredPatient) -> Subject {
    let DeclaredPatient { traits, ins, status, local, .. } = declared;
    let mut subject = match (ins, status) {
        (Some(ins), Some(Status::Qualified)) => Subject::stated_qualified(ins.clone(), traits.clone()),
        _ => Subject::unqualified(traits.clone()),
    };
    let with_oid =
        local.iter().filter_map(|id| Some((id.system.strip_prefix("urn:oid:")?.to_owned(), id.value.clone())));
    subject.local_ids = with_oid.collect();
    subject
}

fn professional(
    party: &Party,
    organisation: Option<&Party>,
    place: &str,
    found: &mut Findings,
) -> Option<Professional> {
    let id = national_id(party);
    if id.is_none() {
        lacks(
            place,
            "l'auteur ou le signataire n'a pas d'identifiant national (RPPS)",
            "the author or signer has no national identifier (RPPS)",
            found,
        );
    }
    let structure = party.organization.as_deref().or(organisation).and_then(structure);
    if structure.is_none() {
        lacks(
            place,
            "la structure de l'auteur n'a pas d'identifiant national ou de nom",
            "the author's structure has no national identifier or name",
            found,
        );
    }
    if party.name.is_none() {
        lacks(place, "l'auteur ou le signataire n'a pas de nom", "the author or signer has no name", found);
    }
    let specialty = specialty(party);
    if specialty.is_none() {
        lacks(place, "la profession n'est pas donnée", "the profession is not given", found);
    }
    Some(Professional {
        id: id?,
        family: party.name.clone()?,
        given: party.given.join(" "),
        title: None,
        specialty: specialty?,
        structure: structure?,
        address: None,
        telecom: None,
    })
}

fn national_id(party: &Party) -> Option<IdNatPs> {
    let national = party.identifier(&format!("urn:oid:{}", IdNatPs::OID)).and_then(|id| id.parse().ok());
    national.or_else(|| {
        let rpps = party.identifiers.iter().find(|id| id.system.contains("rpps"))?;
        rpps.value.parse::<Rpps>().ok().map(|rpps| IdNatPs::from(&rpps))
    })
}

fn structure(party: &Party) -> Option<Structure> {
    let national = party.identifier(&format!("urn:oid:{}", IdNatStruct::OID)).and_then(|id| id.parse().ok());
    let finess = || {
        let finess = party.identifiers.iter().find(|id| id.system.contains("finess"))?;
        finess.value.parse::<Finess>().ok().map(|finess| IdNatStruct::from(&finess))
    };
    Some(Structure { id: national.or_else(finess)?, name: party.name.clone()?, address: None, telecom: None })
}

/// JDV_J01: `G15_<profession>`, and `/<savoir-faire>` when there is one.
fn specialty(party: &Party) -> Option<Code> {
    let of = |system: &str| party.roles.iter().find(|role| oid_of(&role.system) == Some(system));
    if let Some(code) = of(SPECIALTY) {
        return Some(Code::new(&*code.code, SPECIALTY, code.display.clone().unwrap_or_default()));
    }
    let profession = of(PROFESSION)?;
    let know_how = of(KNOW_HOW);
    let code = know_how.map_or_else(
        || format!("G15_{}", profession.code),
        |know_how| format!("G15_{}/{}", profession.code, know_how.code),
    );
    let label = know_how.unwrap_or(profession).display.clone().unwrap_or_default();
    Some(Code::new(code, SPECIALTY, label))
}

fn oid_of(system: &str) -> Option<&str> {
    oid_of_system(system).or_else(|| system.strip_prefix("urn:oid:"))
}

fn code(coding: &Coding) -> Option<Code> {
    Some(Code::new(&*coding.code, oid_of(&coding.system)?, coding.display.clone().unwrap_or_default()))
}

fn replaced(lot: &ProvideBundle, index: usize) -> Option<String> {
    let relations = &lot.documents.get(index)?.metadata.relations;
    let replaces = relations.iter().find(|relation| relation.code == RelationCode::Replaces)?;
    let RelationTarget::Identifier(identifier) = &replaces.target else { return None };
    identifier.value.strip_prefix("urn:oid:").map(str::to_owned)
}

fn moment(time: &DateTime, place: &str, found: &mut Findings) -> Option<Time> {
    let read = parse_time(time.as_str()).ok();
    if read.is_none() {
        lacks(place, "la date n'est pas lisible", "the date cannot be read", found);
    }
    read
}

fn instant(time: &DateTime, place: &str, found: &mut Findings) -> Option<Time> {
    let read = moment(time, place, found)?;
    if read.timestamp().is_none() || read.precision() != Precision::Second {
        lacks(place, "la date de création n'est pas à la seconde", "the creation date is not to the second", found);
        return None;
    }
    Some(read)
}

/// The moment of a node, to whatever precision.
fn moment_of(node: Node<'_>, found: &mut Findings) -> Option<Time> {
    let read = node.str().and_then(|text| parse_time(text).ok());
    if read.is_none() {
        lacks(&node.path(), "la date n'est pas lisible", "the date cannot be read", found);
    }
    read
}

fn instant_of(node: Node<'_>, found: &mut Findings) -> Option<Time> {
    let read = moment_of(node, found)?;
    if read.timestamp().is_none() || read.precision() != Precision::Second {
        lacks(&node.path(), "la date n'est pas à la seconde", "the date is not to the second", found);
        return None;
    }
    Some(read)
}
