//! A Patient written in the words of one edition.
//!
//! The profile that is claimed is the one that is met: `fr-core-patient-ins` asks for the list of given
//! names, the birth place, an identifier and a status.

use socle_identity::{Doubt, Identity, Ins, Status, Traits};

use super::codes::{self, Edition};
use super::{DeclaredEvidence, DeclaredPatient, LocalIdentifier, LocalKind};
use crate::write::{Array, Json, Object};

/// Writes a Patient of what is declared, in an edition ([`DeclaredPatient::edition`] tells which can say it).
///
/// What the edition has no word for is left out: a status that would say something else, a device.
#[must_use]
pub fn write_declared(patient: &DeclaredPatient, id: Option<&str>, edition: Edition) -> Vec<u8> {
    let mut json = Json::new();
    json.object(|out| write_into(out, patient, id, edition));
    json.finish()
}

/// Writes a Patient of an identity. The INS is there only when the identity is qualified (RNIV EXI SI 08).
///
/// The date of INSi's answer is a day of UTC.
#[must_use]
pub fn write_patient(identity: &Identity, local: &[LocalIdentifier], id: Option<&str>, edition: Edition) -> Vec<u8> {
    let mut patient = DeclaredPatient::new(identity.traits().clone());
    patient.status = Some(identity.status());
    patient.local = local.to_vec();
    match identity {
        Identity::Provisional { doubt, .. } => patient.doubt = *doubt,
        Identity::Validated { evidence, .. } => patient.evidence = Some(evidence.into()),
        Identity::Retrieved { answer } => {
            patient.asked_insi_on = Some(day_of(answer.received_at));
            patient.method = Some("INSI".to_owned());
        }
        Identity::Qualified(qualified) => {
            let answer = qualified.answer();
            patient.evidence = Some(qualified.evidence().into());
            patient.asked_insi_on = Some(day_of(answer.received_at));
            patient.method = Some("INSI".to_owned());
            patient.ins = Some(answer.ins.clone());
            patient.former_ins.clone_from(&answer.history);
        }
    }
    write_declared(&patient, id, edition)
}

fn day_of(moment: jiff::Timestamp) -> jiff::civil::Date {
    jiff::tz::Offset::UTC.to_datetime(moment).date()
}

impl From<&socle_identity::Evidence> for DeclaredEvidence {
    fn from(evidence: &socle_identity::Evidence) -> Self {
        Self { device: evidence.device, checked_on: evidence.checked_on }
    }
}

pub(crate) fn write_into(out: &mut Object<'_>, patient: &DeclaredPatient, id: Option<&str>, edition: Edition) {
    // A doubt takes the INS away (RNIV EXI SI 09, EXI ID 24).
    let ins = if patient.doubt.is_some() { None } else { patient.ins.as_ref() };
    out.text("resourceType", "Patient").maybe("id", id);
    let profile = if meets_ins_profile(patient, ins) { codes::PATIENT_INS } else { codes::PATIENT };
    out.object("meta", |meta| _ = meta.texts("profile", &[profile]));
    out.array("extension", |list| {
        write_reliability(list, patient, ins.is_some(), edition);
        write_birth_place(list, &patient.traits);
    });
    out.array("identifier", |list| {
        if let Some(ins) = ins {
            list.object(|identifier| write_ins(identifier, ins, edition.ins_use(ins.authority)));
        }
        for former in patient.former_ins.iter().filter(|_| ins.is_some()) {
            list.object(|identifier| write_ins(identifier, former, "old"));
        }
        for local in &patient.local {
            list.object(|identifier| write_local(identifier, local));
        }
    });
    out.array("name", |list| write_names(list, &patient.traits));
    out.text("gender", patient.traits.sex.fhir());
    out.text("birthDate", &patient.traits.birth_date.to_string());
}

fn meets_ins_profile(patient: &DeclaredPatient, ins: Option<&Ins>) -> bool {
    let has_identifier = ins.is_some() || !patient.local.is_empty();
    let is_unqualified_vali = patient.status == Some(Status::Validated) && ins.is_none();
    let traits = &patient.traits;
    has_identifier
        && !is_unqualified_vali
        && patient.status.is_some()
        && traits.birth_place.is_some()
        && !traits.given_names.is_empty()
}

fn write_reliability(list: &mut Array<'_>, patient: &DeclaredPatient, has_ins: bool, edition: Edition) {
    let status = if patient.doubt.is_some() { Some(Status::Provisional) } else { patient.status };
    let status = status.and_then(|status| edition.status_code(status, has_ins));
    let evidence = patient.evidence.filter(|_| patient.doubt.is_none());
    let device = evidence.and_then(|evidence| edition.device_code(evidence.device));
    let says_anything =
        status.is_some() || device.is_some() || patient.method.is_some() || patient.asked_insi_on.is_some();
    if says_anything {
        list.object(|out| {
            out.text("url", codes::RELIABILITY);
            out.array("extension", |parts| {
                write_part(parts, "methodCollection", codes::METHODS, patient.method.as_deref());
                write_date(parts, edition.asked_insi(), patient.asked_insi_on);
                write_part(parts, "identityStatus", statuses(edition), status);
                if edition == Edition::Rniv {
                    write_comment(parts, patient.doubt);
                }
                write_date(
                    parts,
                    "validationDate",
                    evidence.filter(|_| device.is_some()).map(|known| known.checked_on),
                );
                write_part(parts, "validationMode", codes::DEVICES, device);
            });
        });
    }
    // Until 2.2.0 a doubt is itself a code of status, in an extension of its own beside PROV.
    if let (Some(doubt), Edition::V2_1 | Edition::V2_2) = (patient.doubt, edition) {
        list.object(|out| {
            out.text("url", codes::RELIABILITY);
            out.array("extension", |parts| {
                write_part(parts, "identityStatus", statuses(edition), Some(codes::doubt_code(doubt)));
            });
        });
    }
}

const fn statuses(edition: Edition) -> &'static str {
    match edition {
        Edition::Rniv => codes::RNIV_STATUSES,
        Edition::V2_1 | Edition::V2_2 => codes::V2_STATUSES,
    }
}

fn write_part(parts: &mut Array<'_>, url: &str, system: &str, code: Option<&str>) {
    if let Some(code) = code {
        parts.object(|part| {
            part.text("url", url);
            part.object("valueCoding", |coding| _ = coding.text("system", system).text("code", code));
        });
    }
}

fn write_comment(parts: &mut Array<'_>, doubt: Option<Doubt>) {
    if let Some(doubt) = doubt {
        parts.object(|part| {
            part.text("url", "comment");
            part.object("valueCodeableConcept", |concept| {
                write_type(concept, codes::RNIV_COMMENTS, codes::doubt_code(doubt));
            });
        });
    }
}

fn write_date(parts: &mut Array<'_>, url: &str, date: Option<jiff::civil::Date>) {
    if let Some(date) = date {
        parts.object(|part| _ = part.text("url", url).text("valueDate", &date.to_string()));
    }
}

fn write_birth_place(list: &mut Array<'_>, traits: &Traits) {
    let Some(place) = &traits.birth_place else { return };
    // Countries (99xxx) too: the binding of the extension is required and holds this code system alone.
    list.object(|out| {
        out.text("url", codes::BIRTH_PLACE);
        out.object("valueAddress", |address| {
            address.array("extension", |parts| {
                write_part(parts, codes::INSEE_CODE, codes::COMMUNES, Some(place.as_str()))
            });
        });
    });
}

fn write_ins(out: &mut Object<'_>, ins: &Ins, usage: &str) {
    out.text("use", usage);
    out.object("type", |concept| write_type(concept, codes::IDENTIFIER_TYPES, ins.authority.type_code()));
    out.text("system", &format!("urn:oid:{}", ins.authority.oid())).text("value", ins.matricule.as_str());
}

fn write_local(out: &mut Object<'_>, local: &LocalIdentifier) {
    let (usage, kind) = match local.kind {
        LocalKind::Pi => (Some("usual"), Some("PI")),
        LocalKind::PiOld => (Some("old"), Some("PI")),
        LocalKind::Rri => (Some("secondary"), Some("RRI")),
        LocalKind::Untyped => (None, None),
    };
    out.maybe("use", usage);
    if let Some(kind) = kind {
        out.object("type", |concept| write_type(concept, codes::V2_IDENTIFIER_TYPES, kind));
    }
    out.text("system", &local.system).text("value", &local.value);
}

fn write_type(concept: &mut Object<'_>, system: &str, code: &str) {
    concept.array("coding", |list| _ = list.object(|coding| _ = coding.text("system", system).text("code", code)));
}

fn write_names(list: &mut Array<'_>, traits: &Traits) {
    list.object(|name| {
        if !traits.given_names.is_empty() {
            name.array("extension", |list| {
                list.object(|ext| _ = ext.text("url", codes::GIVEN_NAMES).text("valueString", &traits.given_names));
            });
        }
        name.text("use", "official").text("family", &traits.birth_name).texts("given", &[&traits.first_given_name]);
    });
    if traits.used_name.is_some() || traits.used_given_name.is_some() {
        list.object(|name| {
            name.text("use", "usual").maybe("family", traits.used_name.as_deref());
            name.array("given", |given| traits.used_given_name.iter().for_each(|used| _ = given.text(used)));
        });
    }
}
