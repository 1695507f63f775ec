//! Metadata held against the document that they are about: what both say, they say alike.
//!
//! Source: CI-SIS, volet Structuration minimale V1.16.8 (correspondence of header and XDS). A difference
//! of identity, patient or kind is an error; of anything else, somebody should look.

use socle_finding::{Finding, Location, Rule, Severity, Text};

use super::{DocumentEntry, EntryOptions};
use crate::code::Code;
use crate::codes;
use crate::document::Document;
use crate::finding::Findings;

const CORRESPONDENCE: &str = "CI-SIS Structuration minimale 1.16.8, correspondance XDS";

/// What an entry says otherwise than its document. `place` is how the entry is called in findings
/// (`DocumentEntry[1]`).
#[must_use]
pub fn disagreements(entry: &DocumentEntry, document: &Document, place: &str) -> Vec<Finding> {
    let mut found = Findings::default();
    match DocumentEntry::from_header(document, &entry.patient_id, &EntryOptions::new(&*entry.id)) {
        Ok(derived) => compare(entry, &derived.value, place, &mut found),
        Err(refused) => {
            // What is wrong with the document itself is told with it.
            let of_patient = |finding: &&Finding| finding.rule.point.contains("XDSPatientIdDoesNotMatch");
            let of_patient: Vec<Finding> = refused.findings.iter().filter(of_patient).cloned().collect();
            if of_patient.is_empty() {
                not_compared(place, &mut found);
            }
            found.extend(of_patient);
        }
    }
    found.into_vec()
}

fn not_compared(place: &str, found: &mut Findings) {
    found.warning(
        Rule::fixed(CORRESPONDENCE, "en-tête"),
        Location::path(place),
        Text::fixed(
            "les métadonnées n'ont pas été comparées : l'en-tête du document est refusé",
            "the metadata were not compared: the header of the document is refused",
        ),
        Text::fixed("corrigez d'abord le document", "mend the document first"),
    );
}

fn compare(entry: &DocumentEntry, derived: &DocumentEntry, place: &str, found: &mut Findings) {
    use Severity::{Error, Warning};
    let level = |entry: &DocumentEntry| -> Vec<Code> {
        entry.confidentiality.iter().filter(|code| code.system == codes::CONFIDENTIALITY).cloned().collect()
    };
    let facts = [
        ("uniqueId", Error, entry.unique_id == derived.unique_id),
        ("typeCode", Error, entry.type_code == derived.type_code),
        ("classCode", Error, entry.class_code == derived.class_code),
        ("mimeType", Warning, same_mime(&entry.mime_type, &derived.mime_type)),
        ("formatCode", Warning, entry.format_code == derived.format_code),
        ("title", Warning, entry.title == derived.title),
        ("creationTime", Warning, entry.creation_time == derived.creation_time),
        ("languageCode", Warning, entry.language == derived.language),
        ("confidentialityCode", Warning, level(entry) == level(derived)),
        ("healthcareFacilityTypeCode", Warning, entry.facility == derived.facility),
        ("practiceSettingCode", Warning, entry.practice_setting == derived.practice_setting),
        ("serviceStartTime", Warning, entry.service_start.is_none() || entry.service_start == derived.service_start),
        ("author", Warning, entry.authors.len() == derived.authors.len()),
    ];
    for (attribute, severity, same) in facts {
        if !same {
            differs(attribute, severity, place, found);
        }
    }
}

/// `application/xml` is what many senders write.
fn same_mime(said: &str, derived: &str) -> bool {
    said == derived || (derived == "text/xml" && said == "application/xml")
}

fn differs(attribute: &'static str, severity: Severity, place: &str, found: &mut Findings) {
    found.add(
        severity,
        Rule::fixed(CORRESPONDENCE, attribute),
        Location::path(format!("{place}.{attribute}")),
        Text::new(
            format!("{attribute} n'est pas ce que dit le document"),
            format!("{attribute} is not what the document says"),
        ),
        Text::fixed("tirez les métadonnées de l'en-tête du document", "derive the metadata from the document's header"),
    );
}
