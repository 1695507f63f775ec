//! Metadata from a document: everything that can be derived is, nothing is invented.
//!
//! Source: CI-SIS, volet Structuration minimale V1.16.8 (correspondence of header and XDS), IHE ITI
//! TF-3 4.2.3; DMP: class from type (ASS_X04), format from template (ASS_A11).

use jiff::Timestamp;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use socle_finding::{Location, Rule, Severity, Text};
use socle_identity::{IdNatPs, IdNatStruct, InsAuthority, Oid, Sex};

use super::hl7::escape;
use super::{Author, Cx, DocumentEntry, SubmissionSet, Visibility, Xcn, Xon, scheme};
use crate::code::{Code, Identifier};
use crate::codes;
use crate::document::{Body, Document};
use crate::finding::{Checked, Findings, Refused};
use crate::header::{self, AuthoredBy, Header, Organisation, Patient, PersonName};
use crate::time::UtcTime;

/// What the header does not say.
#[derive(Debug, Clone)]
pub struct EntryOptions {
    /// `ExtrinsicObject/@id` in the submission (`Doc1`).
    pub id: String,
    /// Who may not see the document.
    pub visibility: Visibility,
    /// comments.
    pub comments: Option<String>,
}

impl EntryOptions {
    /// This id, everybody may see, no comment.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), visibility: Visibility::OPEN, comments: None }
    }
}

impl DocumentEntry {
    /// The entry of a document.
    ///
    /// `patient` is the INS (`Cx::from(&ins)`) when it may leave the domain, else a local identifier.
    /// Hash and size are those of the received bytes.
    ///
    /// # Errors
    /// [`Refused`] when the header is, when `patient` is an INS and the document does not carry the
    /// same one (the DMP's `XDSPatientIdDoesNotMatch`), or when a code has no published derivation.
    pub fn from_header(document: &Document, patient: &Cx, options: &EntryOptions) -> Result<Checked<Self>, Refused> {
        let header = Header::read(document)?;
        let mut found = Findings::default();
        found.extend(document.findings().iter().filter(|f| f.severity == Severity::Warning).cloned());
        check_patient(header, patient, &mut found);
        let class_code = class_code(header, &mut found);
        let format_code = format_code(document, header, &mut found);
        let creation_time = utc(header.effective_time, "effectiveTime", &mut found);
        let service_start = utc(header.main_event.start, "documentationOf/serviceEvent", &mut found);
        let mut confidentiality = vec![labelled_confidentiality(&header.confidentiality)];
        confidentiality.extend(options.visibility.codes());
        let build = || {
            Some(Self {
                id: options.id.clone(),
                logical_id: None,
                version: None,
                status: None,
                mime_type: document.form().mime_type().to_owned(),
                unique_id: header.id.to_unique_id(),
                patient_id: patient.clone(),
                source_patient_id: Some(source_patient_id(&header.patient, patient)),
                source_patient_info: source_patient_info(&header.patient),
                title: Some(header.title.clone()),
                comments: options.comments.clone(),
                creation_time: creation_time?,
                language: header.language.clone(),
                authors: header.authors.iter().map(author).collect(),
                legal_authenticator: Some(legal_authenticator(&header.legal_authenticator)),
                class_code: class_code?,
                type_code: labelled_type(&header.code),
                format_code: format_code?,
                confidentiality,
                facility: labelled(&header.encounter.facility, codes::facility(&header.encounter.facility.code)),
                practice_setting: labelled(
                    &header.main_event.practice_setting,
                    codes::practice_setting(&header.main_event.practice_setting.code),
                ),
                events: event_codes(header),
                service_start: Some(service_start?),
                service_stop: header.main_event.event.stop.and_then(|stop| stop.to_utc()),
                reference_ids: reference_ids(header),
                hash: Some(sha1_hex(document.bytes())),
                size: Some(document.bytes().len() as u64),
                repository_id: None,
                uri: None,
            })
        };
        let entry = build();
        found.conclude(entry)
    }

    /// The entry of the detached signature of a lot (CI-SIS, DSG): `signed` is one of the lot's
    /// documents, from which patient and context come; `xml` is the signature.
    #[must_use]
    pub fn signature(id: &str, unique_id: &Oid, signed: &Self, signer: Author, xml: &[u8], at: Timestamp) -> Self {
        let masked = Visibility::of(&[Code::new("MASQUE_PS", "", ""), Code::new("INVISIBLE_PATIENT", "", "")]);
        let mut confidentiality = vec![Code::new("N", codes::CONFIDENTIALITY, "Normal")];
        confidentiality.extend(masked.codes());
        Self {
            id: id.to_owned(),
            mime_type: "text/xml".to_owned(),
            unique_id: unique_id.as_str().to_owned(),
            title: Some("Source".to_owned()),
            comments: None,
            creation_time: at.into(),
            language: "art".to_owned(),
            legal_authenticator: signer.person.clone().or_else(|| signed.legal_authenticator.clone()),
            authors: vec![signer],
            class_code: Code::new("urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "URN", "Digital Signature"),
            type_code: Code::new("E1762", "ASTM", "Full Document"),
            format_code: Code::new(scheme::SIGNATURE_FORMAT, "URN", "Default Signature Style"),
            confidentiality,
            events: vec![Code::new("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source")],
            service_start: Some(at.into()),
            service_stop: None,
            reference_ids: Vec::new(),
            hash: Some(sha1_hex(xml)),
            size: Some(xml.len() as u64),
            ..signed.clone()
        }
    }
}

impl SubmissionSet {
    /// The lot around an entry made from a document.
    #[must_use]
    pub fn around(entry: &DocumentEntry, header: &Header, unique_id: &Oid, source_id: &Oid, at: Timestamp) -> Self {
        Self {
            id: "SubmissionSet01".to_owned(),
            status: None,
            unique_id: unique_id.as_str().to_owned(),
            source_id: source_id.as_str().to_owned(),
            patient_id: entry.patient_id.clone(),
            submission_time: at.into(),
            title: entry.title.clone(),
            comments: None,
            authors: entry.authors.iter().take(1).cloned().collect(),
            content_type: content_type(header),
            intended_recipients: Vec::new(),
        }
    }
}

/// contentTypeCode (TRE_R209) from the kind of encounter. The published table starts from HL7 v2
/// (PV1-2: I gives 03, O and E give 07, N gives 97); the encounter codes of CDA are read the same way.
#[must_use]
pub fn content_type(header: &Header) -> Code {
    let encounter = header.encounter.code.as_ref().map(|code| code.code.as_str());
    let (code, label) = match encounter {
        Some("IMP" | "ACUTE" | "NONAC") => ("03", "Hospitalisation complète"),
        Some("AMB" | "EXTERNE" | "EMER") => ("07", "Consultations et soins externes"),
        _ => ("97", "Autre"),
    };
    Code::new(code, codes::ACTIVITIES, label)
}

/// SHA-1 in lower-case hexadecimal: what XDS calls hash (IHE ITI TF-3 4.2.3.2.10).
#[must_use]
pub fn sha1_hex(bytes: &[u8]) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    hash.as_ref().iter().fold(String::with_capacity(40), |mut hex, byte| {
        for half in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
        hex
    })
}

fn check_patient(header: &Header, patient: &Cx, found: &mut Findings) {
    if patient.authority.parse::<InsAuthority>().is_err() {
        return;
    }
    let carried = header.ins().and_then(Result::ok);
    if carried.is_some_and(|ins| Cx::from(&ins).same(patient)) {
        return;
    }
    found.error(
        Rule::fixed("DMP", "XDSPatientIdDoesNotMatch"),
        Location::path("ClinicalDocument/recordTarget/patientRole/id"),
        Text::fixed(
            "l'INS des métadonnées n'est pas celui que porte le document",
            "the INS of the metadata is not the one that the document carries",
        ),
        Text::fixed(
            "produisez le document avec l'INS qualifié du patient",
            "produce the document with the patient's qualified INS",
        ),
    );
}

fn class_code(header: &Header, found: &mut Findings) -> Option<Code> {
    let class = codes::class_of(&header.code);
    if class.is_none() {
        found.error(
            Rule::fixed("ASS_X04 CorrespondanceType-Classe", "classCode"),
            Location::path("ClinicalDocument/code"),
            Text::fixed(
                "aucune classe n'est publiée pour ce type de document",
                "no class is published for this type of document",
            ),
            Text::fixed("utilisez un type du JDV_J07", "use a type of JDV_J07"),
        );
    }
    class
}

fn format_code(document: &Document, header: &Header, found: &mut Findings) -> Option<Code> {
    match document.body() {
        Body::Level1 { media_type } => codes::format_of_media_type(media_type),
        Body::Level3 | Body::Missing => {
            let roots = header.templates.iter().map(|template| template.root.as_str());
            Some(codes::format_of_templates(roots).unwrap_or_else(|| unlisted(found)))
        }
    }
}

fn unlisted(found: &mut Findings) -> Code {
    found.warning(
        Rule::fixed("ASS_A11 CorresModeleCDA-XdsFormatCode, 29/06/2026", "formatCode"),
        Location::path("ClinicalDocument/templateId"),
        Text::fixed(
            "aucun format n'est publié pour ce modèle : urn:asipSante:modelesHorsProfils:2011 est utilisé",
            "no format is published for this model: urn:asipSante:modelesHorsProfils:2011 is used",
        ),
        Text::fixed("vérifiez l'accord du destinataire", "check that the recipient agrees"),
    );
    codes::unlisted_format()
}

fn utc(time: crate::time::Time, place: &'static str, found: &mut Findings) -> Option<UtcTime> {
    let utc = time.to_utc();
    if utc.is_none() {
        found.error(
            Rule::fixed("IHE ITI TF-3 4.2.3.1.7", "DTM en UTC"),
            Location::path(format!("ClinicalDocument/{place}")),
            Text::fixed("l'heure UTC ne peut être calculée", "the time in UTC cannot be computed"),
            Text::fixed("ajoutez le décalage, par exemple +0100", "add the offset, for instance +0100"),
        );
    }
    utc
}

/// The document's code; the published label when the document has none.
fn labelled(code: &Code, published: Option<Code>) -> Code {
    if !code.label.is_empty() {
        return code.clone();
    }
    published.filter(|known| known == code).unwrap_or_else(|| Code { label: code.code.clone(), ..code.clone() })
}

fn labelled_type(code: &Code) -> Code {
    let label = codes::type_label(&code.code).unwrap_or_default();
    labelled(code, Some(Code::new(code.code.as_str(), code.system.as_str(), label)).filter(|c| !c.label.is_empty()))
}

fn labelled_confidentiality(code: &Code) -> Code {
    let label = match code.code.as_str() {
        "N" => "Normal",
        "R" => "Restreint",
        _ => "Très restreint",
    };
    labelled(code, Some(Code::new(code.code.as_str(), code.system.as_str(), label)))
}

fn source_patient_id(patient: &Patient, metadata: &Cx) -> Cx {
    patient.local_ids.first().map_or_else(|| metadata.clone(), |id| Cx::local(&id.value, id.oid.as_str()))
}

/// `PID-5` birth name (L) and usual name (D), `PID-7` birth date, `PID-8` sex.
fn source_patient_info(patient: &Patient) -> Vec<String> {
    let name = &patient.name;
    let first = if name.first_given_name.is_empty() { &name.given_names } else { &name.first_given_name };
    let mut lines = vec![format!("PID-5|{}^{}^^^^^L", escape(&name.birth), escape(first))];
    if name.used.is_some() || name.used_given_name.is_some() {
        let family = name.used.as_ref().unwrap_or(&name.birth);
        let given = name.used_given_name.as_ref().unwrap_or(first);
        lines.push(format!("PID-5|{}^{}^^^^^D", escape(family), escape(given)));
    }
    if let Some(date) = patient.birth_date {
        lines.push(format!("PID-7|{:04}{:02}{:02}", date.year(), date.month(), date.day()));
    }
    if let Some(sex) = patient.gender.as_deref().and_then(|gender| gender.parse::<Sex>().ok()) {
        // HL7 v2 table 0001 has U where CDA has UN.
        let letter = if sex == Sex::Indeterminate { "U" } else { sex.letter() };
        lines.push(format!("PID-8|{letter}"));
    }
    lines
}

fn author(author: &header::Author) -> Author {
    let (person, is_device) = match &author.by {
        AuthoredBy::Person(name) => (name.clone(), false),
        AuthoredBy::Device { model, software } => (
            PersonName {
                family: model.clone().unwrap_or_default(),
                given: software.clone().unwrap_or_default(),
                ..PersonName::default()
            },
            true,
        ),
    };
    Author {
        person: xcn(&author.ids, &person, is_device),
        institutions: author.organisation.iter().filter_map(xon).collect(),
        roles: author.role.iter().map(|role| role_text(role).to_owned()).collect(),
        specialties: author.specialty.iter().cloned().collect(),
        telecoms: Vec::new(),
    }
}

fn role_text(role: &Code) -> &str {
    if role.label.is_empty() { &role.code } else { &role.label }
}

fn legal_authenticator(authenticator: &header::Authenticator) -> Xcn {
    let name = authenticator.name.clone().unwrap_or_default();
    xcn(&authenticator.ids, &name, false).unwrap_or_default()
}

/// The kind of identifier: IDNPS for the national one, NH for a patient's INS, RI for a system.
fn xcn(ids: &[Identifier], name: &PersonName, is_device: bool) -> Option<Xcn> {
    let id = ids.iter().find(|id| id.root == IdNatPs::OID).or_else(|| ids.first())?;
    let is_ins = id.root.parse::<InsAuthority>().is_ok();
    let id_type = match (is_device, is_ins, id.root == IdNatPs::OID) {
        (true, ..) => "RI",
        (false, true, _) => "NH",
        (false, false, true) => "IDNPS",
        (false, false, false) => "RI",
    };
    Some(Xcn {
        id: id.extension.clone().unwrap_or_else(|| id.root.clone()),
        family: name.family.clone(),
        given: name.given.clone(),
        authority: if id.extension.is_some() { id.root.clone() } else { String::new() },
        name_type: if is_device { "U" } else { "D" }.to_owned(),
        id_type: id_type.to_owned(),
        ..Xcn::default()
    })
}

fn xon(organisation: &Organisation) -> Option<Xon> {
    let id = organisation.ids.iter().find(|id| id.root == IdNatStruct::OID).or_else(|| organisation.ids.first());
    let name = organisation.name.clone().unwrap_or_default();
    let Some(id) = id else {
        return (!name.is_empty()).then(|| Xon { name, ..Xon::default() });
    };
    Some(Xon {
        name,
        authority: if id.extension.is_some() { id.root.clone() } else { String::new() },
        id_type: if id.root == IdNatStruct::OID { "IDNST".to_owned() } else { String::new() },
        id: id.extension.clone().unwrap_or_else(|| id.root.clone()),
    })
}

fn event_codes(header: &Header) -> Vec<Code> {
    let events = std::iter::once(&header.main_event.event).chain(&header.other_events);
    let mut all: Vec<Code> = Vec::new();
    for code in events.flat_map(|event| &event.codes) {
        if !all.contains(code) {
            all.push(labelled(code, None));
        }
    }
    all
}

/// JDV_J231: accession numbers, orders, and for an imaging report its studies.
fn reference_ids(header: &Header) -> Vec<Cx> {
    let orders = header.orders.iter();
    let accessions = orders.clone().flat_map(|order| &order.accession_numbers);
    let mut all: Vec<Cx> = accessions.map(|id| reference(id, scheme::REFERENCE_ID_ACCESSION)).collect();
    all.extend(orders.flat_map(|order| &order.ids).map(|id| reference(id, scheme::REFERENCE_ID_ORDER)));
    if header.code.is("18748-4", codes::LOINC) {
        let events = std::iter::once(&header.main_event.event).chain(&header.other_events);
        let studies = events.flat_map(|event| &event.ids).filter(|id| id.extension.is_none() && id.oid().is_ok());
        all.extend(studies.map(|id| reference(id, scheme::REFERENCE_ID_STUDY)));
    }
    all.dedup();
    all
}

fn reference(id: &Identifier, kind: &str) -> Cx {
    let (value, authority) = match &id.extension {
        Some(extension) => (extension.clone(), id.root.clone()),
        None => (id.root.clone(), String::new()),
    };
    Cx { id: value, authority, kind: kind.to_owned() }
}
