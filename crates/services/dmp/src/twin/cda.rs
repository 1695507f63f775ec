//! Check 10: a document is CDA, and its header says what its entry says. XSD and Schematron are not here.

use bytes::Bytes;
use socle_cda::xds::DocumentEntry;
use socle_cda::{Document, Header};
use socle_identity::Ins;

use super::metadata::error_of;
use crate::model::ErrorCode;
use crate::wire::response::RegistryError;

/// formatCode of a KOS imaging manifest, the one kind of document that is no CDA.
const KOS: &str = "1.2.840.10008.5.1.4.1.1.88.59";

/// What of the document contradicts its entry.
pub(super) fn check(entry: &DocumentEntry, rank: usize, bytes: &Bytes, patient: &Ins) -> Vec<RegistryError> {
    if entry.format_code.code == KOS {
        return Vec::new();
    }
    let place = |attribute: &str| format!("DocumentEntry[{rank}].{attribute}");
    let wrong = |attribute: &str, code: ErrorCode, context: String| RegistryError {
        location: Some(place(attribute)),
        ..RegistryError::new(code, context)
    };
    let document = match Document::parse(bytes.clone()) {
        Ok(document) => document,
        Err(error) => return vec![wrong("document", ErrorCode::RepositoryMetadata, error.to_string())],
    };
    let header = match Header::read(&document) {
        Ok(header) => header,
        Err(refused) => return refused.errors().map(|f| error_of(f, ErrorCode::RepositoryMetadata)).collect(),
    };
    let mut errors: Vec<_> = differences(entry, &document, header)
        .map(|(attribute, element)| {
            let context = format!("{attribute} n'est pas ce que dit l'en-tête du document ({element})");
            wrong(attribute, ErrorCode::RepositoryMetadata, context)
        })
        .collect();
    if !matches!(header.ins(), Some(Ok(ins)) if ins == *patient) {
        let context = "l'INS que porte le document n'est pas celle de la fiche (recordTarget/patientRole/id)";
        errors.push(wrong("patientId", ErrorCode::PatientIdDoesNotMatch, context.to_owned()));
    }
    errors
}

/// Attribute and element of each difference.
fn differences<'a>(
    entry: &'a DocumentEntry,
    document: &Document,
    header: &'a Header,
) -> impl Iterator<Item = (&'static str, &'static str)> + 'a {
    let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    [
        ("uniqueId", "id", entry.unique_id == header.id.to_unique_id()),
        ("typeCode", "code", entry.type_code == header.code),
        ("title", "title", entry.title.as_deref().map(folded) == Some(folded(&header.title))),
        (
            "creationTime",
            "effectiveTime",
            header.effective_time.to_utc().is_none_or(|time| time == entry.creation_time),
        ),
        ("languageCode", "languageCode", entry.language == header.language),
        ("confidentialityCode", "confidentialityCode", entry.confidentiality.contains(&header.confidentiality)),
        ("mimeType", "racine du document", entry.mime_type == document.form().mime_type()),
    ]
    .into_iter()
    .filter(|(_, _, same)| !same)
    .map(|(attribute, element, _)| (attribute, element))
}
