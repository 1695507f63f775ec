//! ebRIM written: prefixes `lcm` and `rim`, children in the order of the schema (ebRIM 3.0).

use socle_xml::write::Writer;

use super::hl7::escape;
use super::{Association, Author, DocumentEntry, RegistryObjects, Submission, SubmissionSet, scheme};
use crate::code::Code;

/// `lcm:SubmitObjectsRequest`: the content of ITI-41 and the METADATA.XML of XDM (without XML declaration).
#[must_use]
pub fn write_submission(submission: &Submission) -> String {
    let mut out = Output::new();
    out.w.open("lcm:SubmitObjectsRequest").ns("lcm", scheme::LCM).ns("rim", scheme::RIM);
    out.w.open("rim:RegistryObjectList");
    out.set(&submission.set);
    submission.entries.iter().for_each(|entry| out.entry(entry));
    submission.associations.iter().for_each(|association| out.association(association));
    out.w.close().close();
    out.w.finish()
}

/// `rim:RegistryObjectList`: what an answer to a stored query or an update holds.
#[must_use]
pub fn write_list(objects: &RegistryObjects) -> String {
    let mut out = Output::new();
    out.w.open("rim:RegistryObjectList").ns("rim", scheme::RIM);
    for reference in &objects.references {
        out.w.open("rim:ObjectRef").attr("id", reference).close();
    }
    objects.sets.iter().for_each(|set| out.set(set));
    objects.entries.iter().for_each(|entry| out.entry(entry));
    objects.associations.iter().for_each(|association| out.association(association));
    out.w.close();
    out.w.finish()
}

/// A writer that numbers classifications and identifiers.
struct Output {
    w: Writer,
    last_id: usize,
}

impl Output {
    fn new() -> Self {
        Self { w: Writer::fragment(), last_id: 0 }
    }

    fn next_id(&mut self, prefix: &str) -> String {
        self.last_id += 1;
        format!("{prefix}{}", self.last_id)
    }

    fn set(&mut self, set: &SubmissionSet) {
        self.w.open("rim:RegistryPackage").attr("id", &set.id).attr("objectType", scheme::PACKAGE);
        self.w.attr_opt("status", set.status.map(|status| status.urn()));
        self.slot("submissionTime", [set.submission_time.as_str()]);
        self.slot("intendedRecipient", set.intended_recipients.iter().map(String::as_str));
        self.text("rim:Name", set.title.as_deref());
        self.text("rim:Description", set.comments.as_deref());
        set.authors.iter().for_each(|author| self.author(scheme::SET_AUTHOR, &set.id, author));
        self.code(scheme::SET_CONTENT_TYPE, &set.id, &set.content_type);
        self.identifier(scheme::SET_UNIQUE_ID, &set.id, &set.unique_id, "XDSSubmissionSet.uniqueId");
        self.identifier(scheme::SET_SOURCE_ID, &set.id, &set.source_id, "XDSSubmissionSet.sourceId");
        self.identifier(scheme::SET_PATIENT_ID, &set.id, &set.patient_id.to_string(), "XDSSubmissionSet.patientId");
        self.w.close();
        let id = self.next_id("c");
        self.w.open("rim:Classification").attr("id", &id).attr("classificationNode", scheme::SUBMISSION_SET);
        self.w.attr("classifiedObject", &set.id).attr("objectType", scheme::CLASSIFICATION).close();
    }

    fn entry(&mut self, entry: &DocumentEntry) {
        self.w.open("rim:ExtrinsicObject").attr("id", &entry.id).attr_opt("lid", entry.logical_id.as_deref());
        self.w.attr("mimeType", &entry.mime_type).attr("objectType", scheme::STABLE_ENTRY);
        self.w.attr_opt("status", entry.status.map(|status| status.urn()));
        self.entry_slots(entry);
        self.text("rim:Name", entry.title.as_deref());
        self.text("rim:Description", entry.comments.as_deref());
        if let Some(version) = &entry.version {
            self.w.open("rim:VersionInfo").attr("versionName", version).close();
        }
        entry.authors.iter().for_each(|author| self.author(scheme::AUTHOR, &entry.id, author));
        self.code(scheme::CLASS, &entry.id, &entry.class_code);
        self.code(scheme::TYPE, &entry.id, &entry.type_code);
        self.code(scheme::FORMAT, &entry.id, &entry.format_code);
        entry.confidentiality.iter().for_each(|code| self.code(scheme::CONFIDENTIALITY, &entry.id, code));
        self.code(scheme::FACILITY, &entry.id, &entry.facility);
        self.code(scheme::PRACTICE_SETTING, &entry.id, &entry.practice_setting);
        entry.events.iter().for_each(|code| self.code(scheme::EVENT, &entry.id, code));
        self.identifier(scheme::PATIENT_ID, &entry.id, &entry.patient_id.to_string(), "XDSDocumentEntry.patientId");
        self.identifier(scheme::UNIQUE_ID, &entry.id, &entry.unique_id, "XDSDocumentEntry.uniqueId");
        self.w.close();
    }

    fn entry_slots(&mut self, entry: &DocumentEntry) {
        self.slot("creationTime", [entry.creation_time.as_str()]);
        self.slot("hash", entry.hash.as_deref());
        self.slot("languageCode", [entry.language.as_str()]);
        self.slot("legalAuthenticator", entry.legal_authenticator.as_ref().map(ToString::to_string).as_deref());
        self.slot("repositoryUniqueId", entry.repository_id.as_deref());
        self.slot("serviceStartTime", entry.service_start.as_ref().map(|time| time.as_str()));
        self.slot("serviceStopTime", entry.service_stop.as_ref().map(|time| time.as_str()));
        self.slot("size", entry.size.map(|size| size.to_string()).as_deref());
        self.slot("sourcePatientId", entry.source_patient_id.as_ref().map(ToString::to_string).as_deref());
        self.slot("sourcePatientInfo", entry.source_patient_info.iter().map(String::as_str));
        let references: Vec<String> = entry.reference_ids.iter().map(ToString::to_string).collect();
        self.slot(scheme::REFERENCE_IDS, references.iter().map(String::as_str));
        self.slot("URI", entry.uri.as_deref());
    }

    fn association(&mut self, association: &Association) {
        self.w.open("rim:Association").attr("id", &association.id);
        self.w.attr("associationType", association.kind.urn()).attr("objectType", scheme::ASSOCIATION);
        self.w.attr("sourceObject", &association.source).attr("targetObject", &association.target);
        for slot in &association.slots {
            self.slot(&slot.name, slot.values.iter().map(String::as_str));
        }
        self.w.close();
    }

    fn author(&mut self, scheme: &str, object: &str, author: &Author) {
        self.open_classification(scheme, object, "");
        self.slot("authorPerson", author.person.as_ref().map(ToString::to_string).as_deref());
        let institutions: Vec<String> = author.institutions.iter().map(ToString::to_string).collect();
        self.slot("authorInstitution", institutions.iter().map(String::as_str));
        self.slot("authorRole", author.roles.iter().map(String::as_str));
        let specialties: Vec<String> = author.specialties.iter().map(specialty).collect();
        self.slot("authorSpecialty", specialties.iter().map(String::as_str));
        self.slot("authorTelecommunication", author.telecoms.iter().map(String::as_str));
        self.w.close();
    }

    fn code(&mut self, scheme: &str, object: &str, code: &Code) {
        self.open_classification(scheme, object, &code.code);
        self.slot("codingScheme", [code.system.as_str()]);
        self.text("rim:Name", Some(&code.label));
        self.w.close();
    }

    fn open_classification(&mut self, scheme: &str, object: &str, node: &str) {
        let id = self.next_id("c");
        self.w.open("rim:Classification").attr("id", &id).attr("classificationScheme", scheme);
        self.w.attr("classifiedObject", object).attr("nodeRepresentation", node);
        self.w.attr("objectType", scheme::CLASSIFICATION);
    }

    fn identifier(&mut self, scheme: &str, object: &str, value: &str, name: &str) {
        let id = self.next_id("e");
        self.w.open("rim:ExternalIdentifier").attr("id", &id).attr("identificationScheme", scheme);
        self.w.attr("objectType", scheme::EXTERNAL_IDENTIFIER).attr("registryObject", object).attr("value", value);
        self.text("rim:Name", Some(name));
        self.w.close();
    }

    /// A slot without value is not written.
    fn slot<'v>(&mut self, name: &str, values: impl IntoIterator<Item = &'v str>) {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return;
        }
        self.w.open("rim:Slot").attr("name", name).open("rim:ValueList");
        for value in values {
            self.w.leaf("rim:Value", value);
        }
        self.w.close().close();
    }

    /// `charset="UTF8" xml:lang="FR"`: as the published samples have it.
    fn text(&mut self, name: &'static str, value: Option<&str>) {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        self.w.open(name).open("rim:LocalizedString");
        self.w.attr("charset", "UTF8").attr("xml:lang", "FR").attr("value", value).close().close();
    }
}

/// `code^label^system` (CI-SIS, authorSpecialty).
fn specialty(code: &Code) -> String {
    format!("{}^{}^{}", escape(&code.code), escape(&code.label), escape(&code.system))
}
