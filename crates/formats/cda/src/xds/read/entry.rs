//! One DocumentEntry.

use socle_finding::{Severity, Text};
use socle_identity::Oid;
use socle_xml::NodeExt as _;

use super::super::{Cx, DocumentEntry, Status, scheme};
use super::parts::{Reader, UTC_FORM, XCN_FORM};
use crate::code::Code;
use crate::codes;
use crate::time::UtcTime;

pub(super) fn entry_of(r: &mut Reader<'_, '_, '_>) -> Option<DocumentEntry> {
    let (id, mime_type) = (r.attribute("id"), r.attribute("mimeType"));
    let unique_id = unique_id(r);
    let patient_id = r.mandatory_patient(scheme::PATIENT_ID);
    let creation_time = r.mandatory_time("creationTime");
    let language = r.mandatory_slot("languageCode");
    let class_code = r.mandatory_code("classCode", scheme::CLASS);
    let type_code = r.mandatory_code("typeCode", scheme::TYPE);
    let format_code = r.mandatory_code("formatCode", scheme::FORMAT);
    let facility = r.mandatory_code("healthcareFacilityTypeCode", scheme::FACILITY);
    let practice_setting = r.mandatory_code("practiceSettingCode", scheme::PRACTICE_SETTING);
    let confidentiality = confidentiality(r);
    let (hash, size) = (hash(r), size(r));
    let service_stop = optional_time(r, "serviceStopTime");
    let mut entry = DocumentEntry {
        id: id?,
        logical_id: r.node.attribute("lid").map(|lid| lid.trim().to_owned()),
        version: version(r),
        status: r.node.attribute("status").and_then(Status::read),
        mime_type: mime_type?,
        unique_id: unique_id?,
        patient_id: patient_id?,
        source_patient_id: None,
        source_patient_info: r.slot("sourcePatientInfo"),
        title: r.text("Name"),
        comments: r.text("Description"),
        creation_time: creation_time?,
        language: language?,
        authors: r.authors(scheme::AUTHOR),
        legal_authenticator: None,
        class_code: class_code?,
        type_code: type_code?,
        format_code: format_code?,
        confidentiality,
        facility: facility?,
        practice_setting: practice_setting?,
        events: r.codes("eventCodeList", scheme::EVENT),
        service_start: None,
        service_stop,
        reference_ids: r.slot(scheme::REFERENCE_IDS).iter().filter_map(|text| text.parse().ok()).collect(),
        hash,
        size,
        repository_id: r.first("repositoryUniqueId"),
        uri: uri(r),
    };
    entry.service_start = optional_time(r, "serviceStartTime");
    entry.source_patient_id = source_patient_id(r);
    entry.legal_authenticator = legal_authenticator(r);
    what_the_dmp_requires(r, &entry);
    if !entry.is_signature() {
        coherence(r, &entry);
    }
    Some(entry)
}

/// An OID, or `OID^extension` (IHE ITI TF-3 4.2.3.2.26).
fn unique_id(r: &mut Reader<'_, '_, '_>) -> Option<String> {
    let value = r.identifier("uniqueId", scheme::UNIQUE_ID)?;
    let root = value.split('^').next().unwrap_or_default();
    if value.len() > 128 || root.parse::<Oid>().is_err() {
        let severity = r.dmp_severity();
        r.malformed(severity, "uniqueId", Text::fixed("donnez un OID", "give an OID"));
    }
    Some(value)
}

/// A long URI comes in numbered parts: `1|…`, `2|…` (IHE ITI TF-3 4.2.3.2.28).
fn uri(r: &Reader<'_, '_, '_>) -> Option<String> {
    let values = r.slot("URI");
    let numbered: Option<Vec<(u32, &str)>> =
        values.iter().map(|v| v.split_once('|').and_then(|(n, part)| Some((n.parse().ok()?, part)))).collect();
    let Some(mut parts) = numbered else { return values.into_iter().next() };
    parts.sort_unstable_by_key(|(n, _)| *n);
    let whole: String = parts.into_iter().map(|(_, part)| part).collect();
    if whole.is_empty() { None } else { Some(whole) }
}

fn version(r: &Reader<'_, '_, '_>) -> Option<String> {
    let info = r.node.child(Some(scheme::RIM), "VersionInfo")?;
    info.attribute("versionName").map(|version| version.trim().to_owned())
}

fn optional_time(r: &mut Reader<'_, '_, '_>, name: &'static str) -> Option<UtcTime> {
    let value = r.first(name)?;
    let severity = r.dmp_severity();
    r.parsed(severity, name, &value, UTC_FORM)
}

fn source_patient_id(r: &mut Reader<'_, '_, '_>) -> Option<Cx> {
    let value = r.first("sourcePatientId")?;
    let severity = r.dmp_severity();
    let form = Text::fixed("écrivez identifiant^^^&OID&ISO^PI", "write identifier^^^&OID&ISO^PI");
    r.parsed(severity, "sourcePatientId", &value, form)
}

fn legal_authenticator(r: &mut Reader<'_, '_, '_>) -> Option<super::super::Xcn> {
    let value = r.first("legalAuthenticator")?;
    let severity = r.dmp_severity();
    r.parsed(severity, "legalAuthenticator", &value, XCN_FORM)
}

fn hash(r: &mut Reader<'_, '_, '_>) -> Option<String> {
    let value = r.first("hash")?.to_ascii_lowercase();
    if value.len() == 40 && value.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some(value);
    }
    r.malformed(
        Severity::Error,
        "hash",
        Text::fixed("écrivez le SHA-1 en hexadécimal", "write the SHA-1 in hexadecimal"),
    );
    None
}

fn size(r: &mut Reader<'_, '_, '_>) -> Option<u64> {
    let value = r.first("size")?;
    r.parsed(Severity::Error, "size", &value, Text::fixed("écrivez le nombre d'octets", "write the number of bytes"))
}

/// At least one code, and at least one of N, R, V among them.
fn confidentiality(r: &mut Reader<'_, '_, '_>) -> Vec<Code> {
    let all = r.codes("confidentialityCode", scheme::CONFIDENTIALITY);
    if all.is_empty() {
        r.absent("confidentialityCode");
        return all;
    }
    let is_level = |code: &Code| code.system == codes::CONFIDENTIALITY && matches!(code.code.as_str(), "N" | "R" | "V");
    if !all.iter().any(is_level) {
        let severity = r.dmp_severity();
        let form = Text::fixed(
            "donnez toujours N, R ou V (2.16.840.1.113883.5.25), avec ou sans code de visibilité",
            "always give N, R or V (2.16.840.1.113883.5.25), with or without a visibility code",
        );
        r.malformed(severity, "confidentialityCode", form);
    }
    all
}

/// A signature of a lot has no patient's context of its own: what is missing there is only told.
fn what_the_dmp_requires(r: &mut Reader<'_, '_, '_>, entry: &DocumentEntry) {
    for (attribute, is_there) in [
        ("legalAuthenticator", entry.legal_authenticator.is_some() || !r.slot("legalAuthenticator").is_empty()),
        ("serviceStartTime", entry.service_start.is_some() || !r.slot("serviceStartTime").is_empty()),
        ("sourcePatientId", entry.source_patient_id.is_some() || !r.slot("sourcePatientId").is_empty()),
        ("sourcePatientInfo", !entry.source_patient_info.is_empty()),
        ("title", entry.title.is_some()),
        ("author", !entry.authors.is_empty()),
    ] {
        match (is_there, entry.is_signature()) {
            (true, _) => {}
            (false, true) => r.absent_tolerated(attribute),
            (false, false) => r.absent_for_dmp(attribute),
        }
    }
}

/// Codes that are derived from one another, and codes with a published system.
fn coherence(r: &mut Reader<'_, '_, '_>, entry: &DocumentEntry) {
    let severity = r.dmp_severity();
    match codes::class_of(&entry.type_code) {
        Some(class) if class != entry.class_code => r.incoherent(
            severity,
            "classCode",
            Text::fixed("la classe n'est pas celle du type (ASS_X04)", "the class is not that of the type (ASS_X04)"),
            Text::new(
                format!("pour ce type, écrivez la classe {}", class.code),
                format!("for this type, write class {}", class.code),
            ),
        ),
        Some(_) => {}
        None => r.incoherent(
            Severity::Warning,
            "typeCode",
            Text::fixed("le type n'est pas listé (ASS_X04)", "the type is not listed (ASS_X04)"),
            Text::fixed("vérifiez le code et son système", "check the code and its system"),
        ),
    }
    for (attribute, code, known) in [
        ("classCode", &entry.class_code, codes::class_label(&entry.class_code.code).map(|_| codes::CLASSES.to_owned())),
        ("healthcareFacilityTypeCode", &entry.facility, codes::facility(&entry.facility.code).map(|c| c.system)),
        (
            "practiceSettingCode",
            &entry.practice_setting,
            codes::practice_setting(&entry.practice_setting.code).map(|c| c.system),
        ),
        ("formatCode", &entry.format_code, codes::format_scheme(&entry.format_code.code).map(str::to_owned)),
    ] {
        match known {
            Some(system) if system == code.system => {}
            Some(system) => r.incoherent(
                severity,
                attribute,
                Text::fixed("le codingScheme n'est pas celui du code", "the codingScheme is not that of the code"),
                Text::new(format!("écrivez {system}"), format!("write {system}")),
            ),
            None => r.incoherent(
                Severity::Warning,
                attribute,
                Text::fixed("le code n'est pas dans les listes publiées", "the code is not in the published lists"),
                Text::fixed("vérifiez le code", "check the code"),
            ),
        }
    }
}
