//! Check 6: metadata. What `socle_cda::xds` reads as a feed of the DMP is complete, typed and coherent; the
//! published lists, the patient of the VIHF and the visibility are looked at here.

use socle_cda::codes;
use socle_cda::xds::{Cumulation, Cx, DocumentEntry, Submission};
use socle_cda::{Code, Finding, Refused};
use socle_finding::Lang;
use socle_identity::Ins;

use crate::model::ErrorCode;
use crate::wire::response::RegistryError;

/// TRE_R209 as JDV_J59 takes it (contentTypeCode); it also takes sectors of TRE_R02 and `EXP_PATIENT`.
const CONTENT_TYPES: [&str; 33] = [
    "03", "04", "07", "08", "09", "11", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "25", "26", "27",
    "28", "33", "37", "40", "42", "43", "44", "45", "46", "47", "48", "50", "52", "60",
];
const OTHER_CONTENT: &str = "97";

/// Every error that reading found, at its place.
pub(super) fn unreadable(refused: &Refused) -> Vec<RegistryError> {
    refused.errors().map(|finding| error_of(finding, code_of(finding))).collect()
}

/// Two rules of the reading have a code of their own (IHE ITI TF-3 table 4.2.4.1-2).
fn code_of(finding: &Finding) -> ErrorCode {
    match finding.rule.point.as_ref() {
        "XDSPatientIdDoesNotMatch" => ErrorCode::PatientIdDoesNotMatch,
        "XDSDuplicateUniqueIdInRegistry" => ErrorCode::DuplicateUniqueIdInMessage,
        _ => ErrorCode::RegistryMetadata,
    }
}

/// A finding as a registry says it; it shows no value.
pub(super) fn error_of(finding: &Finding, code: ErrorCode) -> RegistryError {
    let context = format!("{} : {} [{}]", finding.message.get(Lang::Fr), finding.mend.get(Lang::Fr), finding.rule);
    RegistryError { location: Some(finding.at.path.clone()), ..RegistryError::new(code, context) }
}

/// What is wrong with metadata that read well.
pub(super) fn check(
    submission: &Submission,
    patient: &Ins,
    cumulation: Cumulation,
    lists: Lists,
) -> Vec<RegistryError> {
    let mut errors = Vec::new();
    // The entries' patient is the lot's: reading has compared them.
    if !submission.set.patient_id.same(&Cx::from(patient)) {
        let context = "l'INS du lot n'est pas celle du VIHF";
        errors.push(at("SubmissionSet.patientId", ErrorCode::PatientIdDoesNotMatch, context));
    }
    if lists == Lists::Published && !is_content_type(&submission.set.content_type) {
        errors.push(at("SubmissionSet.contentTypeCode", ErrorCode::RegistryMetadata, UNLISTED));
    }
    for (rank, entry) in (1..).zip(&submission.entries).filter(|(_, entry)| !entry.is_signature()) {
        let place = |attribute: &str| format!("DocumentEntry[{rank}].{attribute}");
        if lists == Lists::Published {
            for attribute in unlisted(entry) {
                errors.push(at(&place(attribute), ErrorCode::RegistryMetadata, UNLISTED));
            }
        }
        if let Err(error) = entry.visibility().judged(cumulation) {
            errors.push(at(&place("confidentialityCode"), ErrorCode::RegistryMetadata, &error.to_string()));
        }
    }
    errors
}

/// Whether a code must be in a published list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lists {
    /// It must (JDV of CI-SIS).
    Published,
    /// Any code will do.
    Any,
}

const UNLISTED: &str = "le code n'est pas dans les jeux de valeurs publiés, avec ce codingScheme";

fn unlisted(entry: &DocumentEntry) -> impl Iterator<Item = &'static str> {
    let known = |code: &Code, listed: Option<Code>| listed.is_some_and(|listed| listed.system == code.system);
    [
        ("typeCode", codes::is_listed_type(&entry.type_code)),
        (
            "classCode",
            codes::class_label(&entry.class_code.code).is_some() && entry.class_code.system == codes::CLASSES,
        ),
        ("formatCode", codes::format_scheme(&entry.format_code.code) == Some(entry.format_code.system.as_str())),
        ("healthcareFacilityTypeCode", known(&entry.facility, codes::facility(&entry.facility.code))),
        ("practiceSettingCode", known(&entry.practice_setting, codes::practice_setting(&entry.practice_setting.code))),
    ]
    .into_iter()
    .filter(|(_, is_listed)| !is_listed)
    .map(|(attribute, _)| attribute)
}

fn is_content_type(code: &Code) -> bool {
    let text = code.code.as_str();
    match code.system.as_str() {
        codes::ACTIVITIES => CONTENT_TYPES.contains(&text) || text == OTHER_CONTENT,
        codes::SECTORS => codes::facility(text).is_some(),
        codes::MISCELLANEOUS => text == "EXP_PATIENT",
        _ => false,
    }
}

fn at(location: &str, code: ErrorCode, context: &str) -> RegistryError {
    RegistryError { location: Some(location.to_owned()), ..RegistryError::new(code, context) }
}
