//! The documents of a lot, read and held against their fiches.

use socle_cda::{Document, DocumentError, Header};
use socle_fhir::pdsm::{Level, ProvideBundle, ProvidedDocument, Visibility as Hidden};
use socle_fhir::{Issue, IssueType, Issues};
use socle_finding::{Rule, Text};

use crate::refusal::{Stop, issue_of};

/// A document that may be taken, but for its patient.
pub(crate) struct Checked {
    /// The document, byte for byte.
    pub(crate) document: Document,
    /// Its header.
    pub(crate) header: Header,
    /// Who may not see it.
    pub(crate) visibility: socle_cda::xds::Visibility,
}

const SMIN: &str = "CI-SIS Structuration minimale 1.16.8";
const PDSM: &str = "CI-SIS PDSm 3.1.1";

/// Reads every document of the lot; everything found in all documents is returned together.
pub(crate) fn check(lot: &ProvideBundle) -> Result<(Vec<Checked>, Vec<Issue>), Stop> {
    let mut issues = Issues::default();
    let mut checked = Vec::with_capacity(lot.documents.len());
    for (index, provided) in lot.documents.iter().enumerate() {
        checked.extend(check_one(provided, index, &mut issues));
    }
    if issues.refuse() {
        return Err(Stop::all("validate", 422, issues));
    }
    Ok((checked, issues.0))
}

fn check_one(provided: &ProvidedDocument, index: usize, issues: &mut Issues) -> Option<Checked> {
    let document = match Document::parse(provided.bytes.clone()) {
        Ok(document) => document,
        Err(error) => {
            issues.push(unreadable(&error, index));
            return None;
        }
    };
    for finding in document.findings() {
        issues.push(issue_of(finding, IssueType::Invalid));
    }
    let header = Header::read(&document).ok()?.clone();
    hold_against_fiche(&header, &document, provided, index, issues);
    let visibility = visibility_of(&provided.metadata.confidentiality.hidden, issues)?;
    Some(Checked { document, header, visibility })
}

fn unreadable(error: &DocumentError, index: usize) -> Issue {
    let text = Text::new(
        format!("le document {} ne peut pas être lu : {error}", index + 1),
        format!("document {} cannot be read: {error}", index + 1),
    );
    let mend = Text::fixed(
        "envoyez un CDA R2 complet, en UTF-8, sans DOCTYPE",
        "send a complete CDA R2, in UTF-8, without a DOCTYPE",
    );
    Issue::error(IssueType::Structure, Rule::fixed(SMIN, "ClinicalDocument"), text, mend)
}

/// The fiche says of the document what the document says of itself (the twelve facts of XDS that both
/// hold are few in FHIR: identifier, type, confidentiality, MIME type).
fn hold_against_fiche(
    header: &Header,
    document: &Document,
    provided: &ProvidedDocument,
    index: usize,
    issues: &mut Issues,
) {
    let fiche = &provided.metadata;
    let written = fiche.unique_id.value.trim_start_matches("urn:oid:").trim_start_matches("urn:uuid:");
    if written != header.id.to_unique_id() {
        issues.push(differs(index, "masterIdentifier", "l'identifiant unique", "the unique identifier"));
    }
    if fiche.type_code.code != header.code.code {
        issues.push(differs(index, "type", "le type", "the type"));
    }
    let level = match fiche.confidentiality.level {
        Level::Normal => "N",
        Level::Restricted => "R",
        Level::VeryRestricted => "V",
    };
    if level != header.confidentiality.code {
        issues.push(differs(index, "securityLabel", "le niveau de confidentialité", "the confidentiality"));
    }
    let mime = document.form().mime_type();
    let same_family = fiche.mime == mime
        || (mime == "text/xml" && matches!(fiche.mime.as_str(), "application/xml" | "application/hl7-cda+xml"));
    if !same_family {
        issues.push(differs(index, "content.attachment.contentType", "le type MIME", "the MIME type"));
    }
}

fn differs(index: usize, element: &str, fr: &str, en: &str) -> Issue {
    let text = Text::new(
        format!("{fr} de la fiche n'est pas celui du document {}", index + 1),
        format!("{en} of the fiche is not that of document {}", index + 1),
    );
    let mend = Text::fixed("reprenez la valeur de l'en-tête du CDA", "take the value of the CDA's header");
    let rule = Rule::fixed(PDSM, "cohérence de la fiche avec le document");
    on(Issue::error(IssueType::BusinessRule, rule, text, mend), format!("DocumentReference[{index}].{element}"))
}

/// Points at an element by its path.
pub(super) fn on(mut issue: Issue, path: impl Into<String>) -> Issue {
    issue.finding.at.path = path.into();
    issue
}

fn visibility_of(hidden: &[Hidden], issues: &mut Issues) -> Option<socle_cda::xds::Visibility> {
    let has = |wanted| hidden.contains(&wanted);
    let made = socle_cda::xds::Visibility::new(
        has(Hidden::MaskedToProfessionals),
        has(Hidden::InvisibleToPatient),
        has(Hidden::InvisibleToRepresentatives),
        socle_cda::xds::Cumulation::Refused,
    );
    match made {
        Ok(visibility) => Some(visibility),
        Err(_) => {
            issues.push(Issue::error(
                IssueType::BusinessRule,
                Rule::fixed("DMP", "EX_2.1-1050"),
                Text::fixed(
                    "MASQUE_PS et INVISIBLE_PATIENT ne se cumulent pas",
                    "MASQUE_PS and INVISIBLE_PATIENT may not be set together",
                ),
                Text::fixed("choisissez l'un des deux", "choose one of the two"),
            ));
            None
        }
    }
}
