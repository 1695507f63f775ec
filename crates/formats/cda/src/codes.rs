//! Codes that are derived, never chosen: class from type, format from template, labels.
//!
//! Source: ASS_X04 and ASS_A11 of the ANS (see `tables`), CI-SIS.

mod tables;

use crate::code::Code;

/// LOINC.
pub const LOINC: &str = "2.16.840.1.113883.6.1";
/// Terminology of the ANS for types (`CERT_DECL`, `SYNTH`, `DOCPAT01`…).
pub const TA_TYPES: &str = "1.2.250.1.213.1.1.4.12";
/// TRE_A03, classes.
pub const CLASSES: &str = "1.2.250.1.213.1.1.4.1";
/// TRE_A06, French formats.
pub const FRENCH_FORMATS: &str = "1.2.250.1.213.1.1.4.2.282";
/// TRE_A11, formats of IHE.
pub const IHE_FORMATS: &str = "1.3.6.1.4.1.19376.1.2.3";
/// TRE_R02, sectors of activity (`SA01`…).
pub const SECTORS: &str = "1.2.250.1.71.4.2.4";
/// TRE_A00, what has no other home (`EXP_PATIENT`, `SNR`).
pub const MISCELLANEOUS: &str = "1.2.250.1.213.1.1.4.6";
/// TRE_R209, types of activity (contentTypeCode).
pub const ACTIVITIES: &str = "1.2.250.1.213.2.2";
/// Confidentiality of HL7.
pub const CONFIDENTIALITY: &str = "2.16.840.1.113883.5.25";
/// `urn:asipSante:modelesHorsProfils:2011`: what ASS_A11 does not list.
pub const UNLISTED_FORMAT: &str = "urn:asipSante:modelesHorsProfils:2011";

/// The class of a type (ASS_X04). None when the type is not listed, or the source gives no class
/// (34876-3, 68814-3, 101881-1), or a class that JDV_J57 does not have (`FEUILLE-DE-STYLE`).
#[must_use]
pub fn class_of(type_code: &Code) -> Option<Code> {
    let (_, system, _, class) = find(tables::TYPES, &type_code.code, |row| row.0)?;
    if !system.is_empty() && *system != type_code.system {
        return None;
    }
    let (code, label) = find(tables::CLASSES, class, |row| row.0)?;
    Some(Code::new(*code, CLASSES, *label))
}

/// Is it a type of JDV_J07, or of the association table?
#[must_use]
pub fn is_listed_type(code: &Code) -> bool {
    find(tables::TYPES, &code.code, |row| row.0).is_some_and(|row| row.1.is_empty() || row.1 == code.system)
}

/// The French label of a type (JDV_J07), when there is one.
#[must_use]
pub fn type_label(type_code: &str) -> Option<&'static str> {
    find(tables::TYPES, type_code, |row| row.0).map(|row| row.2).filter(|label| !label.is_empty())
}

/// The types that have a published code system and label (JDV_J07): code and label.
pub fn listed_types() -> impl Iterator<Item = (&'static str, &'static str)> {
    tables::TYPES.iter().filter(|row| !row.1.is_empty() && !row.2.is_empty()).map(|row| (row.0, row.2))
}

/// The code system of a type (JDV_J07), when the source tells.
#[must_use]
pub fn type_system(type_code: &str) -> Option<&'static str> {
    find(tables::TYPES, type_code, |row| row.0).map(|row| row.1).filter(|system| !system.is_empty())
}

/// The healthcareFacilityTypeCode of this code (JDV_J02).
#[must_use]
pub fn facility(code: &str) -> Option<Code> {
    let (code, label) = find(tables::FACILITIES, code, |row| row.0)?;
    Some(Code::new(*code, if code.starts_with("SA") { SECTORS } else { MISCELLANEOUS }, *label))
}

/// The practice setting of this code (JDV_J04).
#[must_use]
pub fn practice_setting(code: &str) -> Option<Code> {
    find(tables::SETTINGS, code, |row| row.0).map(|(code, system, label)| Code::new(*code, *system, *label))
}

/// The label of a class (JDV_J57).
#[must_use]
pub fn class_label(code: &str) -> Option<&'static str> {
    find(tables::CLASSES, code, |row| row.0).map(|row| row.1)
}

/// The format of a niveau 3 document, from its templates (ASS_A11): French ones first, then the
/// others. None when no template is listed: the caller uses [`unlisted_format`] and says so.
#[must_use]
pub fn format_of_templates<'a>(templates: impl Iterator<Item = &'a str> + Clone) -> Option<Code> {
    let listed = |root: &str| find(tables::FORMATS, root, |row| row.0).map(|row| format(row.1));
    let french = |root: &&str| root.starts_with("1.2.250.1.213.");
    templates.clone().filter(french).find_map(listed).or_else(|| templates.clone().find_map(listed))
}

/// The format of a niveau 1 document, from the media type of its body.
#[must_use]
pub fn format_of_media_type(media_type: &str) -> Option<Code> {
    let (code, label) = match media_type {
        "application/pdf" => ("urn:ihe:iti:xds-sd:pdf:2008", "Document à corps non structuré en PDF/A-1"),
        "text/plain" => ("urn:ihe:iti:xds-sd:text:2008", "Document à corps non structuré en texte"),
        "text/rtf" => ("urn:ihe:iti-fr:xds-sd:rtf:2010", "Document à corps non structuré en RTF"),
        "image/jpeg" => ("urn:ihe:iti-fr:xds-sd:jpeg:2010", "Document à corps non structuré en JPEG"),
        "image/tiff" => ("urn:ihe:iti-fr:xds-sd:tiff:2010", "Document à corps non structuré en TIFF"),
        _ => return None,
    };
    Some(Code { label: label.to_owned(), ..format(code) })
}

/// The format of what ASS_A11 does not list. Templates 1.2.250.1.213.1.1.1.59 (TROD), .61 and .62
/// (DLU urgences) are in that case: no published text says which format they have.
#[must_use]
pub fn unlisted_format() -> Code {
    Code::new(UNLISTED_FORMAT, FRENCH_FORMATS, "Modèle hors profil")
}

/// The coding scheme of a format that is listed anywhere: ASS_A11, a niveau 1 body, the unlisted one, a
/// KOS imaging manifest.
#[must_use]
pub fn format_scheme(code: &str) -> Option<&'static str> {
    let unstructured = ["application/pdf", "text/plain", "text/rtf", "image/jpeg", "image/tiff"];
    match code {
        "1.2.840.10008.5.1.4.1.1.88.59" => return Some("1.2.840.10008.2.6.1"),
        UNLISTED_FORMAT => return Some(FRENCH_FORMATS),
        _ => {}
    }
    let listed = tables::FORMATS.iter().any(|(_, format)| *format == code)
        || unstructured.iter().any(|media_type| format_of_media_type(media_type).is_some_and(|f| f.code == code));
    listed.then(|| scheme_of_format(code))
}

/// A format with the scheme that its form tells. The sources carry no label: the code is its own.
fn format(code: &str) -> Code {
    Code::new(code, scheme_of_format(code), code)
}

fn scheme_of_format(code: &str) -> &'static str {
    let of_ihe = code.starts_with("urn:ihe:") && !code.starts_with("urn:ihe:iti-fr:");
    if of_ihe { IHE_FORMATS } else { FRENCH_FORMATS }
}

fn find<'a, T>(table: &'a [T], key: &str, key_of: impl Fn(&T) -> &'static str) -> Option<&'a T> {
    table.binary_search_by(|row| key_of(row).cmp(key)).ok().map(|at| &table[at])
}
