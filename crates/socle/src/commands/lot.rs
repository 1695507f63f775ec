//! A lot made from a document alone: its metadata derived from its header, as the DMP wants them, in
//! the form of PDSm.

use jiff::Timestamp;
use socle_cda::xds::{Author, Cx, DocumentEntry, EntryOptions, SubmissionSet as XdsSet, Xcn, Xon};
use socle_cda::{Code, Document, Header, Refused, UtcTime};
use socle_fhir::datatypes::{Coding, DateTime, Identifier};
use socle_fhir::fr_core::{DeclaredPatient, LocalIdentifier, LocalKind};
use socle_fhir::mapping;
use socle_fhir::pdsm::{
    Confidentiality, DocumentMetadata, Level, Party, PartyKind, ProvideBundle, ProvidedDocument, Recipient,
    ReferenceId, Relation, RelationCode, RelationTarget, SourceId, SubmissionSet, SubmittedPatient, Visibility,
};
use socle_finding::{Finding, Location, Rule, Severity, Text};
use socle_identity::{IdNatPs, IdNatStruct, Oid};
use uuid::Uuid;

/// What the document does not say.
pub(super) struct Wishes {
    /// The patient, when it is not the header's.
    pub patient: Option<DeclaredPatient>,
    pub recipients: Vec<Recipient>,
    pub feed_dmp: bool,
    pub hidden: Vec<Visibility>,
    /// The OID of the system that sends.
    pub source: Oid,
}

/// Why no lot can be made of a document.
#[derive(Debug, thiserror::Error)]
pub(super) enum LotError {
    /// The header breaks a rule, or does not give what the metadata are made of.
    #[error(transparent)]
    Header(#[from] Refused),
    /// The patient has no name, sex or date of birth there.
    #[error("the header lacks the patient's traits")]
    NoTraits,
    /// No identifier of the patient at all.
    #[error("the document does not identify its patient")]
    NoPatientId,
    /// The documented act has no date.
    #[error("the documented act has no start")]
    NoServiceStart,
    /// A time that FHIR does not write.
    #[error("a date of the header does not exist")]
    Time,
}

impl LotError {
    /// What a person is told, each with its rule.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let (path, message) = match self {
            Self::Header(refused) => return refused.findings.clone(),
            Self::NoTraits => (
                "ClinicalDocument/recordTarget/patientRole/patient",
                Text::fixed("l'en-tête ne donne pas les traits du patient", "the header lacks the patient's traits"),
            ),
            Self::NoPatientId => (
                "ClinicalDocument/recordTarget/patientRole/id",
                Text::fixed("le document n'identifie pas son patient", "the document does not identify its patient"),
            ),
            Self::NoServiceStart => (
                "ClinicalDocument/documentationOf/serviceEvent/effectiveTime/low",
                Text::fixed("l'acte documenté n'a pas de date de début", "the documented act has no start"),
            ),
            Self::Time => (
                "ClinicalDocument",
                Text::fixed("une date de l'en-tête n'existe pas", "a date of the header does not exist"),
            ),
        };
        vec![Finding {
            severity: Severity::Error,
            rule: Rule::fixed("CI-SIS Structuration minimale 1.16.8", "en-tête"),
            at: Location::path(path),
            message,
            mend: Text::fixed("complétez l'en-tête du document", "complete the document's header"),
        }]
    }
}

/// The lot of one document.
pub(super) fn lot_of(document: &Document, wishes: Wishes, now: Timestamp) -> Result<ProvideBundle, LotError> {
    let header = Header::read(document)?;
    let patient = match wishes.patient {
        Some(patient) => patient,
        None => patient_of(header)?,
    };
    let id = patient_id(header, &wishes.source)?;
    let entry = DocumentEntry::from_header(document, &id, &EntryOptions::new("Doc1"))?.value;
    let unique_id = Oid::of_uuid(Uuid::now_v7().as_u128());
    let set = XdsSet::around(&entry, header, &unique_id, &wishes.source, now);
    let metadata = metadata_of(&entry, header, wishes.hidden, now)?;
    Ok(ProvideBundle {
        patient: SubmittedPatient::Described(Box::new(patient)),
        submission_set: SubmissionSet {
            unique_id: Some(Identifier::uri(unique_id.urn())),
            entry_uuid: Some(Uuid::now_v7()),
            source_id: SourceId::Oid(wishes.source),
            title: set.title.clone(),
            comment: None,
            content_type: coding(&set.content_type),
            submitted: DateTime::from(now),
            author: entry.authors.first().map(author),
            author_organization: None,
        },
        documents: vec![ProvidedDocument { metadata, bytes: document.bytes().clone() }],
        recipients: wishes.recipients,
        feed_dmp: wishes.feed_dmp,
    })
}

/// The patient as the header has them. Nothing is declared of the identity's status: that is for INSi
/// and for whoever checked a paper to say.
pub(super) fn patient_of(header: &Header) -> Result<DeclaredPatient, LotError> {
    let traits = header.patient.traits.clone().ok_or(LotError::NoTraits)?;
    let mut patient = DeclaredPatient::new(traits);
    patient.ins = header.ins().and_then(Result::ok);
    patient.local = header
        .patient
        .local_ids
        .iter()
        .map(|id| LocalIdentifier { system: id.oid.urn(), value: id.value.clone(), kind: LocalKind::Pi })
        .collect();
    Ok(patient)
}

/// For deriving metadata only: none of it is written in the lot. A matricule whose key is wrong stands
/// as a name of the sender's own, so that the front door refuses it, by its rule.
fn patient_id(header: &Header, source: &Oid) -> Result<Cx, LotError> {
    if let Some(Ok(ins)) = header.ins() {
        return Ok(Cx::from(&ins));
    }
    if let Some(local) = header.patient.local_ids.first() {
        return Ok(Cx::local(&local.value, local.oid.as_str()));
    }
    let wrong = header.patient.ins_candidates.first().ok_or(LotError::NoPatientId)?;
    Ok(Cx::local(&wrong.matricule, source.as_str()))
}

fn metadata_of(
    entry: &DocumentEntry,
    header: &Header,
    hidden: Vec<Visibility>,
    now: Timestamp,
) -> Result<DocumentMetadata, LotError> {
    let level = match header.confidentiality.code.as_str() {
        "R" => Level::Restricted,
        "V" => Level::VeryRestricted,
        _ => Level::Normal,
    };
    let start = entry.service_start.as_ref().ok_or(LotError::NoServiceStart)?;
    Ok(DocumentMetadata {
        unique_id: unique_id(&entry.unique_id),
        entry_uuid: None,
        type_code: coding(&entry.type_code),
        class_code: coding(&entry.class_code),
        indexed: DateTime::from(now),
        authors: entry.authors.iter().map(author).collect(),
        authenticator: entry.legal_authenticator.as_ref().map(person),
        custodian: custodian(header),
        description: None,
        confidentiality: Confidentiality { level, hidden },
        relations: relations(header),
        archived: None,
        mime: entry.mime_type.clone(),
        language: entry.language.clone(),
        title: header.title.clone(),
        created: moment(&entry.creation_time)?,
        format: coding(&entry.format_code),
        service_start: moment(start)?,
        service_stop: entry.service_stop.as_ref().map(moment).transpose()?,
        events: entry.events.iter().map(coding).collect(),
        facility: coding(&entry.facility),
        practice: coding(&entry.practice_setting),
        reference_ids: entry.reference_ids.iter().map(reference_id).collect(),
    })
}

/// `root`, or `root^extension` where a document uses both (a root that is no OID is a UUID).
fn unique_id(text: &str) -> Identifier {
    match text.parse::<Oid>() {
        Ok(oid) => Identifier::uri(oid.urn()),
        Err(_) => Identifier::uri(text.to_owned()),
    }
}

fn coding(code: &Code) -> Coding {
    let label = (!code.label.is_empty()).then_some(code.label.as_str());
    mapping::coding(&code.code, &code.system, label)
}

fn author(author: &Author) -> Party {
    let mut party = author.person.as_ref().map_or_else(|| Party::new(PartyKind::Organization), person);
    party.roles = author.specialties.iter().map(coding).collect();
    party.organization = author.institutions.first().map(|place| Box::new(organisation(place)));
    party
}

fn person(xcn: &Xcn) -> Party {
    let mut party = Party::new(if xcn.id_type == "RI" { PartyKind::Device } else { PartyKind::Practitioner });
    if !xcn.id.is_empty() {
        let authority = if xcn.authority.is_empty() { IdNatPs::OID } else { &xcn.authority };
        party.identifiers.push(Identifier { system: format!("urn:oid:{authority}"), value: xcn.id.clone() });
    }
    party.name = Some(xcn.family.clone()).filter(|name| !name.is_empty());
    party.given = [&xcn.given, &xcn.other_given].into_iter().filter(|name| !name.is_empty()).cloned().collect();
    party
}

fn organisation(xon: &Xon) -> Party {
    let mut party = Party::new(PartyKind::Organization);
    if !xon.id.is_empty() {
        let authority = if xon.authority.is_empty() { IdNatStruct::OID } else { &xon.authority };
        party.identifiers.push(Identifier { system: format!("urn:oid:{authority}"), value: xon.id.clone() });
    }
    party.name = Some(xon.name.clone()).filter(|name| !name.is_empty());
    party
}

fn custodian(header: &Header) -> Party {
    let mut party = Party::new(PartyKind::Organization);
    party.name.clone_from(&header.custodian.name);
    party.identifiers = header
        .custodian
        .ids
        .iter()
        .filter_map(|id| Some(Identifier { system: format!("urn:oid:{}", id.root), value: id.extension.clone()? }))
        .collect();
    party
}

fn relations(header: &Header) -> Vec<Relation> {
    let Some(related) = &header.related else { return Vec::new() };
    let code = match related.kind {
        socle_cda::header::RelatedKind::Replaces => RelationCode::Replaces,
        socle_cda::header::RelatedKind::Transforms => RelationCode::Transforms,
    };
    vec![Relation { code, target: RelationTarget::Identifier(unique_id(&related.parent.to_unique_id())) }]
}

fn reference_id(cx: &Cx) -> ReferenceId {
    ReferenceId {
        type_code: cx.kind.clone(),
        system: (!cx.authority.is_empty()).then(|| cx.authority.clone()),
        value: cx.id.clone(),
    }
}

/// XDS times are UTC, of any precision; FHIR wants a moment or a date.
fn moment(time: &UtcTime) -> Result<DateTime, LotError> {
    if let Some(moment) = time.timestamp() {
        return Ok(DateTime::from(moment));
    }
    let text = time.as_str();
    let date = match text.len() {
        4 => text.to_owned(),
        6 => format!("{}-{}", &text[..4], &text[4..]),
        _ => format!(
            "{}-{}-{}",
            text.get(..4).unwrap_or_default(),
            text.get(4..6).unwrap_or_default(),
            text.get(6..8).unwrap_or_default()
        ),
    };
    date.parse().map_err(|_| LotError::Time)
}
