//! The ITI-65 transaction written: the lot, then each fiche with its Binary. What is contained is what the
//! profile wants contained: the patient, the authors, the authenticator, the custodian, the recipients.

use uuid::Uuid;

use super::parties::{Contained, patient_reference};
use super::{
    Addressee, DocumentMetadata, Party, PartyKind, ProvideBundle, ReferenceId, Relation, RelationTarget, SourceId,
    SubmittedPatient, Visibility, names,
};
use crate::base64::{encode, sha1};
use crate::datatypes::{Coding, Identifier, URI};
use crate::mapping;
use crate::write::{Array, Json, Object};

/// Writes an ITI-65 transaction. Entries are linked by fresh UUIDs; sizes and hashes are counted here.
#[must_use]
pub fn write_provide_bundle(bundle: &ProvideBundle) -> Vec<u8> {
    let urls: Vec<(String, String)> = bundle.documents.iter().map(|_| (urn(), urn())).collect();
    let mut json = Json::new();
    json.object(|out| {
        out.text("resourceType", "Bundle");
        write_profile(out, names::BUNDLE);
        out.text("type", "transaction");
        out.array("entry", |list| {
            write_entry(list, &urn(), "List", |resource| write_lot(resource, bundle, &urls));
            for (document, (fiche, binary)) in bundle.documents.iter().zip(&urls) {
                let content = Content { url: binary, size: document.bytes.len() as u64, sha1: sha1(&document.bytes) };
                write_entry(list, fiche, "DocumentReference", |resource| {
                    write_fiche(resource, &document.metadata, &bundle.patient, &content, &Standing::default());
                });
                write_entry(list, binary, "Binary", |resource| {
                    resource.text("contentType", &document.metadata.mime).base64("data", &document.bytes);
                });
            }
        });
    });
    json.finish()
}

fn urn() -> String {
    format!("urn:uuid:{}", Uuid::new_v4())
}

fn write_entry(list: &mut Array<'_>, full_url: &str, kind: &str, fill: impl FnOnce(&mut Object<'_>)) {
    list.object(|entry| {
        entry.text("fullUrl", full_url);
        entry.object("resource", |resource| {
            resource.text("resourceType", kind);
            fill(resource);
        });
        entry.object("request", |request| _ = request.text("method", "POST").text("url", kind));
    });
}

pub(super) fn write_profile(out: &mut Object<'_>, profile: &str) {
    out.object("meta", |meta| _ = meta.texts("profile", &[profile]));
}

fn write_lot(out: &mut Object<'_>, bundle: &ProvideBundle, urls: &[(String, String)]) {
    let lot = &bundle.submission_set;
    let mut contained = Contained::default();
    let author = lot.author.as_ref().map(|author| contained.refer(author, "author"));
    let organization = lot.author_organization.as_ref().map(|place| contained.refer(place, "organization"));
    let recipients: Vec<_> = bundle.recipients.iter().map(|to| (to, contained.refer_recipient(to))).collect();
    write_profile(out, names::SUBMISSION_SET);
    out.array("contained", |list| contained.write(list, &bundle.patient));
    out.array("extension", |list| {
        write_extension(list, names::CONTENT_TYPE, |ext| {
            ext.object("valueCodeableConcept", |concept| lot.content_type.write_concept(concept));
        });
        write_extension(list, names::SOURCE_ID, |ext| {
            ext.object("valueIdentifier", |out| write_source_id(out, &lot.source_id));
        });
        for (recipient, reference) in &recipients {
            // PDSm's extension knows no patient, IHE's knows no PractitionerRole.
            let is_of_patient =
                matches!(recipient.kind, PartyKind::Patient | PartyKind::RelatedPerson | PartyKind::Device)
                    || recipient.to == Addressee::ThePatient;
            let url = if is_of_patient { names::MHD_RECIPIENT } else { names::RECIPIENT };
            write_extension(list, url, |ext| write_reference(ext, "valueReference", reference));
        }
        if !bundle.feed_dmp {
            write_extension(list, names::FEED_DMP, |ext| _ = ext.bool("valueBoolean", false));
        }
    });
    write_identifiers(out, lot.unique_id.as_ref(), lot.entry_uuid);
    out.text("status", "current").text("mode", "working").maybe("title", lot.title.as_deref());
    out.object("code", |concept| {
        Coding::new(names::LIST_TYPES, "submissionset", None).write_concept(concept);
    });
    write_reference(out, "subject", patient_reference(&bundle.patient));
    out.text("date", lot.submitted.as_str());
    out.object("source", |source| {
        if let Some(organization) = &organization {
            source.array("extension", |list| {
                write_extension(list, names::AUTHOR_ORGANIZATION, |ext| {
                    write_reference(ext, "valueReference", organization);
                });
            });
        }
        source.maybe("reference", author.as_deref());
    });
    out.array("note", |list| {
        if let Some(comment) = &lot.comment {
            list.object(|note| _ = note.text("text", comment));
        }
    });
    out.array("entry", |list| {
        for (fiche, _) in urls {
            list.object(|entry| write_reference(entry, "item", fiche));
        }
    });
}

fn write_source_id(out: &mut Object<'_>, id: &SourceId) {
    match id {
        SourceId::Oid(oid) => Identifier { system: URI.to_owned(), value: oid.urn() }.write(out),
        SourceId::Assigned(identifier) => identifier.write(out),
    }
}

/// idUnique as `usual`, entryUUID as `official` (MHD).
fn write_identifiers(out: &mut Object<'_>, unique_id: Option<&Identifier>, entry_uuid: Option<Uuid>) {
    out.array("identifier", |list| {
        if let Some(identifier) = unique_id {
            list.object(|out| {
                out.text("use", "usual");
                identifier.write(out);
            });
        }
        if let Some(uuid) = entry_uuid {
            list.object(|out| {
                out.text("use", "official").text("system", URI).text("value", &format!("urn:uuid:{uuid}"));
            });
        }
    });
}

fn write_extension(list: &mut Array<'_>, url: &str, fill: impl FnOnce(&mut Object<'_>)) {
    list.object(|ext| {
        ext.text("url", url);
        fill(ext);
    });
}

fn write_reference(out: &mut Object<'_>, name: &str, reference: &str) {
    out.object(name, |link| _ = link.text("reference", reference));
}

/// Where a document is, and what it weighs.
pub(super) struct Content<'a> {
    pub(super) url: &'a str,
    pub(super) size: u64,
    pub(super) sha1: [u8; 20],
}

/// What the receiver adds to a fiche that it keeps.
#[derive(Default)]
pub(super) struct Standing {
    pub(super) id: Option<String>,
    /// Version and instant.
    pub(super) version: Option<(u64, String)>,
    pub(super) superseded: bool,
}

pub(super) fn write_fiche(
    out: &mut Object<'_>,
    fiche: &DocumentMetadata,
    patient: &SubmittedPatient,
    content: &Content<'_>,
    standing: &Standing,
) {
    let mut contained = Contained::default();
    let authors: Vec<_> = fiche.authors.iter().map(|author| contained.refer(author, "author")).collect();
    let authenticator = fiche.authenticator.as_ref().map(|person| contained.refer(person, "authenticator"));
    let custodian = contained.refer(&fiche.custodian, "custodian");
    out.maybe("id", standing.id.as_deref());
    out.object("meta", |meta| {
        if let Some((version, instant)) = &standing.version {
            meta.text("versionId", &version.to_string()).text("lastUpdated", instant);
        }
        meta.texts("profile", &[names::DOCUMENT_REFERENCE]);
    });
    out.array("contained", |list| contained.write(list, patient));
    out.array("extension", |list| {
        if let Some(archived) = fiche.archived {
            write_extension(list, names::ARCHIVED, |ext| _ = ext.bool("valueBoolean", archived));
        }
    });
    out.object("masterIdentifier", |id| {
        id.text("use", "usual");
        fiche.unique_id.write(id);
    });
    write_identifiers(out, None, fiche.entry_uuid);
    out.text("status", if standing.superseded { "superseded" } else { "current" });
    out.object("type", |concept| fiche.type_code.write_concept(concept));
    out.array("category", |list| _ = list.object(|concept| fiche.class_code.write_concept(concept)));
    write_reference(out, "subject", patient_reference(patient));
    out.text("date", fiche.indexed.as_str());
    out.array("author", |list| {
        for author in &authors {
            list.object(|link| _ = link.text("reference", author));
        }
    });
    if let Some(authenticator) = &authenticator {
        write_reference(out, "authenticator", authenticator);
    }
    write_custodian(out, &fiche.custodian, &custodian);
    out.array("relatesTo", |list| fiche.relations.iter().for_each(|relation| write_relation(list, relation)));
    out.maybe("description", fiche.description.as_deref());
    out.array("securityLabel", |list| write_labels(list, fiche));
    out.array("content", |list| _ = list.object(|out| write_content(out, fiche, content)));
    out.object("context", |context| write_context(context, fiche, patient));
}

fn write_custodian(out: &mut Object<'_>, custodian: &Party, reference: &str) {
    out.object("custodian", |link| {
        link.text("reference", reference);
        if custodian.reference.is_some() {
            link.maybe("display", custodian.name.as_deref());
        }
    });
}

fn write_relation(list: &mut Array<'_>, relation: &Relation) {
    list.object(|out| {
        out.text("code", relation.code.code());
        out.object("target", |link| match &relation.target {
            RelationTarget::Reference(text) => _ = link.text("reference", text),
            RelationTarget::Identifier(known) => _ = link.object("identifier", |id| known.write(id)),
        });
    });
}

fn write_labels(list: &mut Array<'_>, fiche: &DocumentMetadata) {
    let level = Coding::new(mapping::CONFIDENTIALITY, fiche.confidentiality.level.code(), None);
    let hidden = fiche.confidentiality.hidden.iter().map(|hidden| Visibility::code(*hidden));
    let hidden = hidden.map(|code| Coding::new(mapping::VISIBILITY, code, None));
    for coding in std::iter::once(level).chain(hidden) {
        list.object(|concept| coding.write_concept(concept));
    }
}

fn write_content(out: &mut Object<'_>, fiche: &DocumentMetadata, content: &Content<'_>) {
    out.object("attachment", |attachment| {
        attachment.text("contentType", &fiche.mime).text("language", &fiche.language).text("url", content.url);
        attachment.number("size", content.size).text("hash", &encode(&content.sha1));
        attachment.text("title", &fiche.title).text("creation", fiche.created.as_str());
    });
    out.object("format", |coding| fiche.format.write(coding));
}

fn write_context(out: &mut Object<'_>, fiche: &DocumentMetadata, patient: &SubmittedPatient) {
    out.array("event", |list| {
        for event in &fiche.events {
            list.object(|concept| event.write_concept(concept));
        }
    });
    out.object("period", |period| {
        period.text("start", fiche.service_start.as_str());
        period.maybe("end", fiche.service_stop.as_ref().map(crate::datatypes::DateTime::as_str));
    });
    out.object("facilityType", |concept| fiche.facility.write_concept(concept));
    out.object("practiceSetting", |concept| fiche.practice.write_concept(concept));
    write_reference(out, "sourcePatientInfo", patient_reference(patient));
    out.array("related", |list| fiche.reference_ids.iter().for_each(|id| write_reference_id(list, id)));
}

/// CXi, as the slice `referenceIdList` of PDSm 3.1.1 has it. The discriminator of that slice names no
/// value, so HL7's validator says of any such element that it cannot be evaluated.
fn write_reference_id(list: &mut Array<'_>, id: &ReferenceId) {
    list.object(|related| {
        related.object("identifier", |identifier| {
            identifier.object("type", |concept| Coding::new(URI, &*id.type_code, None).write_concept(concept));
            identifier.maybe("system", id.system.as_deref()).text("value", &id.value);
        });
    });
}
