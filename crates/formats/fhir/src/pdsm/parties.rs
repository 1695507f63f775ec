//! Parties written into `contained`, each once, with the id that refers to it.

use super::{Addressee, Party, PartyKind, Recipient, SubmittedPatient, names};
use crate::datatypes::{Coding, Identifier};
use crate::fr_core;
use crate::write::{Array, Object};

/// The id of the contained Patient.
pub(super) const PATIENT_ID: &str = "patient";

/// The parties of one resource, in the order in which they were asked for.
#[derive(Default)]
pub(super) struct Contained<'a> {
    parties: Vec<(&'a Party, String)>,
    recipients: Vec<(&'a Recipient, String)>,
}

impl<'a> Contained<'a> {
    /// The reference to a party; it is contained once however often it plays.
    pub(super) fn refer(&mut self, party: &'a Party, part: &str) -> String {
        if let Some(reference) = &party.reference {
            return reference.clone();
        }
        if party.kind == PartyKind::Patient {
            return format!("#{PATIENT_ID}");
        }
        let known = self.parties.iter().find(|(other, _)| *other == party).map(|(_, id)| format!("#{id}"));
        known.unwrap_or_else(|| {
            let id = format!("{part}-{}", self.parties.len() + 1);
            let reference = format!("#{id}");
            self.parties.push((party, id));
            reference
        })
    }

    /// The reference to a recipient.
    pub(super) fn refer_recipient(&mut self, recipient: &'a Recipient) -> String {
        if recipient.to == Addressee::ThePatient {
            return format!("#{PATIENT_ID}");
        }
        let id = format!("recipient-{}", self.recipients.len() + 1);
        let reference = format!("#{id}");
        self.recipients.push((recipient, id));
        reference
    }

    /// The patient, then everybody who was asked for.
    pub(super) fn write(&self, list: &mut Array<'_>, patient: &SubmittedPatient) {
        write_patient(list, patient);
        let of = patient_reference(patient);
        for (party, id) in &self.parties {
            write_party(list, party, id, of);
        }
        for (recipient, id) in &self.recipients {
            list.object(|out| write_recipient(out, recipient, id, of));
        }
    }
}

/// The patient, contained: the whole of them, or their identifier.
fn write_patient(list: &mut Array<'_>, patient: &SubmittedPatient) {
    match patient {
        SubmittedPatient::Described(declared) => {
            list.object(|out| fr_core::write_into(out, declared, Some(PATIENT_ID), declared.edition()));
        }
        SubmittedPatient::Identified(identifier) => {
            list.object(|out| {
                out.text("resourceType", "Patient").text("id", PATIENT_ID);
                out.array("identifier", |list| _ = list.object(|out| identifier.write(out)));
            });
        }
        SubmittedPatient::Referenced(_) => {}
    }
}

/// The reference to the patient.
pub(super) fn patient_reference(patient: &SubmittedPatient) -> &str {
    match patient {
        SubmittedPatient::Described(_) | SubmittedPatient::Identified(_) => "#patient",
        SubmittedPatient::Referenced(reference) => reference,
    }
}

fn write_party(list: &mut Array<'_>, party: &Party, id: &str, patient: &str) {
    let is_role = party.kind == PartyKind::Practitioner && (party.organization.is_some() || !party.roles.is_empty());
    if !is_role {
        list.object(|out| write_simple(out, party, id, patient));
        return;
    }
    let (person, place) = (format!("{id}-person"), format!("{id}-place"));
    list.object(|out| {
        out.text("resourceType", "PractitionerRole").text("id", id);
        out.object("practitioner", |link| _ = link.text("reference", &format!("#{person}")));
        if party.organization.is_some() {
            out.object("organization", |link| _ = link.text("reference", &format!("#{place}")));
        }
        out.array("code", |codes| write_concepts(codes, &party.roles));
    });
    list.object(|out| write_simple(out, party, &person, patient));
    if let Some(organization) = &party.organization {
        list.object(|out| write_simple(out, organization, &place, patient));
    }
}

fn write_simple(out: &mut Object<'_>, party: &Party, id: &str, patient: &str) {
    out.text("resourceType", resource_type(party.kind)).text("id", id);
    out.array("identifier", |list| party.identifiers.iter().for_each(|known| write_identifier(list, known)));
    match party.kind {
        PartyKind::Organization => _ = out.maybe("name", party.name.as_deref()),
        PartyKind::Device => {
            if let Some(name) = &party.name {
                out.array("deviceName", |list| {
                    list.object(|device| _ = device.text("name", name).text("type", "user-friendly-name"));
                });
            }
        }
        PartyKind::RelatedPerson => {
            out.object("patient", |link| _ = link.text("reference", patient));
            write_name(out, party);
        }
        PartyKind::Practitioner | PartyKind::Patient => write_name(out, party),
    }
    out.array("telecom", |list| party.emails.iter().for_each(|email| write_email(list, email)));
}

const fn resource_type(kind: PartyKind) -> &'static str {
    match kind {
        PartyKind::Practitioner => "Practitioner",
        PartyKind::Organization => "Organization",
        PartyKind::Patient => "Patient",
        PartyKind::RelatedPerson => "RelatedPerson",
        PartyKind::Device => "Device",
    }
}

fn write_name(out: &mut Object<'_>, party: &Party) {
    out.array("name", |list| {
        if party.name.is_some() || !party.given.is_empty() {
            list.object(|name| _ = name.maybe("family", party.name.as_deref()).texts("given", &party.given));
        }
    });
}

/// The systems that the profiles of the Annuaire want a type for, and the type (as-practitioner, as-organization 1.1.0).
const TYPES: [(&str, &str); 4] = [
    ("urn:oid:1.2.250.1.71.4.2.1", "IDNPS"),
    ("https://rpps.esante.gouv.fr", "RPPS"),
    ("https://adeli.esante.gouv.fr", "ADELI"),
    ("urn:oid:1.2.250.1.71.4.2.2", "IDNST"),
];

fn write_identifier(list: &mut Array<'_>, identifier: &Identifier) {
    list.object(|out| {
        if let Some((_, kind)) = TYPES.iter().find(|(system, _)| *system == identifier.system) {
            let coding = Coding::new(format!("{}/CodeSystem/fr-core-cs-v2-0203", fr_core::BASE), *kind, None);
            out.text("use", "official").object("type", |concept| coding.write_concept(concept));
        }
        identifier.write(out);
    });
}

fn write_concepts(list: &mut Array<'_>, codings: &[Coding]) {
    for coding in codings {
        list.object(|concept| coding.write_concept(concept));
    }
}

fn write_email(list: &mut Array<'_>, email: &str) {
    list.object(|out| {
        out.array("extension", |list| {
            list.object(|ext| {
                ext.text("url", names::EMAIL_TYPE);
                ext.object("valueCoding", |coding| {
                    coding.text("system", names::EMAIL_TYPES).text("code", "MSSANTE");
                });
            });
        });
        out.text("system", "email").text("value", email);
    });
}

fn write_recipient(out: &mut Object<'_>, recipient: &Recipient, id: &str, patient: &str) {
    out.text("resourceType", resource_type(recipient.kind)).text("id", id);
    let name = recipient.name.as_deref();
    match recipient.kind {
        PartyKind::Organization => _ = out.maybe("name", name),
        PartyKind::Device => {}
        PartyKind::RelatedPerson => _ = out.object("patient", |link| _ = link.text("reference", patient)),
        PartyKind::Practitioner | PartyKind::Patient => {}
    }
    if let (Some(name), PartyKind::Practitioner | PartyKind::RelatedPerson) = (name, recipient.kind) {
        out.array("name", |list| _ = list.object(|human| _ = human.text("text", name)));
    }
    if let Addressee::Mailbox(address) = &recipient.to {
        out.array("telecom", |list| write_email(list, &address.to_wire()));
    }
}
