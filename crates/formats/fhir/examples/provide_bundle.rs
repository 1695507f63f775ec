//! Writes an ITI-65 transaction of PDSm for a synthetic patient, with the file named on the command line
//! as its document (or a few bytes of our own), so that another validator can look at it:
//!
//! `cargo run -p socle-fhir --example provide_bundle -- letter.xml > bundle.json`

#![expect(clippy::print_stdout, reason = "the bundle is the output")]

use std::error::Error;

use jiff::civil::date;
use socle_fhir::datatypes::{Coding, Identifier};
use socle_fhir::fr_core::{DeclaredEvidence, DeclaredPatient, LocalIdentifier, LocalKind};
use socle_fhir::mapping;
use socle_fhir::pdsm::{
    Addressee, Confidentiality, DocumentMetadata, Level, Party, PartyKind, ProvideBundle, ProvidedDocument, Recipient,
    SourceId, SubmissionSet, SubmittedPatient, write_provide_bundle,
};
use socle_identity::{HighConfidenceDevice, Ins, InsAuthority, Sex, Status, Traits};

fn main() -> Result<(), Box<dyn Error>> {
    let bytes = match std::env::args_os().nth(1) {
        Some(path) => std::fs::read(path)?,
        None => br#"<ClinicalDocument xmlns="urn:hl7-org:v3"/>"#.to_vec(),
    };
    let author = author();
    let bundle = ProvideBundle {
        patient: SubmittedPatient::Described(Box::new(patient()?)),
        submission_set: submission_set(&author)?,
        documents: vec![ProvidedDocument { metadata: metadata(author)?, bytes: bytes.into() }],
        recipients: vec![Recipient {
            to: Addressee::Mailbox("luc.bernard@hopital-a.mssante.test".parse()?),
            kind: PartyKind::Practitioner,
            name: Some("Luc BERNARD".to_owned()),
        }],
        feed_dmp: true,
    };
    println!("{}", String::from_utf8(write_provide_bundle(&bundle))?);
    Ok(())
}

fn patient() -> Result<DeclaredPatient, Box<dyn Error>> {
    let mut patient = DeclaredPatient::new(Traits {
        birth_name: "PAT-TROIS".to_owned(),
        given_names: "DOMINIQUE MARIE-LOUISE".to_owned(),
        first_given_name: "DOMINIQUE".to_owned(),
        sex: Sex::Female,
        birth_date: date(1979, 3, 28),
        birth_place: Some("51215".parse()?),
        used_name: None,
        used_given_name: None,
    });
    patient.status = Some(Status::Qualified);
    patient.ins = Some(Ins { matricule: "279035121518989".parse()?, authority: InsAuthority::NirTest });
    patient.evidence = Some(DeclaredEvidence { device: HighConfidenceDevice::PA, checked_on: date(2026, 11, 24) });
    patient.local = vec![LocalIdentifier {
        system: "urn:oid:1.2.250.1.999.7.9".to_owned(),
        value: "IPP-42".to_owned(),
        kind: LocalKind::Pi,
    }];
    Ok(patient)
}

fn author() -> Party {
    let mut hospital = Party::new(PartyKind::Organization);
    hospital.identifiers = vec![identifier("urn:oid:1.2.250.1.71.4.2.2", "1690781810")];
    hospital.name = Some("HOPITAL A".to_owned());
    let mut author = Party::new(PartyKind::Practitioner);
    author.identifiers = vec![
        identifier("urn:oid:1.2.250.1.71.4.2.1", "899700218896"),
        identifier("https://rpps.esante.gouv.fr", "99700218896"),
    ];
    author.name = Some("MARTIN".to_owned());
    author.given = vec!["Alice".to_owned()];
    author.roles = vec![mapping::coding("10", "1.2.250.1.71.1.2.7", Some("Médecin"))];
    author.organization = Some(Box::new(hospital));
    author
}

fn identifier(system: &str, value: &str) -> Identifier {
    Identifier { system: system.to_owned(), value: value.to_owned() }
}

fn submission_set(author: &Party) -> Result<SubmissionSet, Box<dyn Error>> {
    Ok(SubmissionSet {
        unique_id: Some(Identifier::uri("urn:oid:1.2.250.1.999.2.1")),
        entry_uuid: None,
        source_id: SourceId::Oid("1.2.250.1.999.1".parse()?),
        title: Some("Consultation".to_owned()),
        comment: None,
        content_type: mapping::coding("07", "1.2.250.1.213.2.2", None),
        submitted: "2026-11-24T11:00:00+01:00".parse()?,
        author: Some(author.clone()),
        author_organization: author.organization.as_deref().cloned(),
    })
}

fn metadata(author: Party) -> Result<DocumentMetadata, Box<dyn Error>> {
    let mut custodian = Party::new(PartyKind::Organization);
    custodian.identifiers = vec![identifier("urn:oid:1.2.250.1.71.4.2.2", "1690781810")];
    custodian.name = Some("HOPITAL A".to_owned());
    Ok(DocumentMetadata {
        unique_id: Identifier::uri("urn:oid:1.2.250.1.999.3.1"),
        entry_uuid: None,
        type_code: Coding::new(mapping::LOINC, "11488-4", Some("CR ou fiche de consultation ou de visite")),
        class_code: mapping::coding("10", "1.2.250.1.213.1.1.4.1", Some("Compte rendu")),
        indexed: "2026-11-24T11:00:00+01:00".parse()?,
        authenticator: Some(author.clone()),
        authors: vec![author],
        custodian,
        description: None,
        confidentiality: Confidentiality { level: Level::Normal, hidden: Vec::new() },
        relations: Vec::new(),
        archived: None,
        mime: "text/xml".to_owned(),
        language: "fr-FR".to_owned(),
        title: "Compte rendu de consultation".to_owned(),
        created: "2026-11-24T10:30:00+01:00".parse()?,
        format: mapping::coding("urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3", None),
        service_start: "2026-11-24T10:00:00+01:00".parse()?,
        service_stop: None,
        events: Vec::new(),
        facility: mapping::coding("SA01", "1.2.250.1.71.4.2.4", None),
        practice: mapping::coding("ETABLISSEMENT", "1.2.250.1.213.1.1.4.9", None),
        reference_ids: Vec::new(),
    })
}
