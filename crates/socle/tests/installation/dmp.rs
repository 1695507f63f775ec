//! What the DMP holds, asked on its real protocol (ITI-18, ITI-43) by another software of the hospital,
//! in the name of a professional.

use bytes::Bytes;
use jiff::Timestamp;
use socle_cda::Header;
use socle_cda::xds::{DocumentEntry, Status};
use socle_dmp::client::{Client, DocumentRef, Reader, Settings};
use socle_dmp::model::query::Filter;
use socle_dmp::model::{Professional, Purpose, Software, Structure};
use socle_dmp::wire::Kit;
use socle_identity::{Environment, Evidence, HighConfidenceDevice, Identity, InsiAnswer, QualifiedIdentity};
use socle_trust::https::ClientLimits;
use socle_trust::pki::{Organisation, Profile};
use socle_xml::signature::Algorithm;

use super::Installation;

/// The structure of the default configuration.
const STRUCTURE: &str = "10B0000001";
/// Who reads.
const DOCTOR: &str = "899700000017";

impl Installation {
    /// A client of the DMP of this installation.
    pub(crate) fn dmp_client(&self) -> Client {
        let pki = self.pki();
        let organisation = organisation("SOCLE-ESSAIS");
        Client::new(Settings {
            base_url: format!("https://localhost:{}/si-dmp-server/v2/services", self.ports.dmp),
            environment: Environment::Jumeau,
            tls: pki.credentials("tests-auth-cli", &Profile::OrgAuthCli(organisation.clone())).unwrap(),
            seal: pki.credentials("tests-sign", &Profile::OrgSign(organisation)).unwrap(),
            anchors: pki.anchors().clone(),
            structure: Structure { id: STRUCTURE.parse().unwrap(), sector: "SA01".to_owned() },
            software: Software {
                id: "tests".to_owned(),
                name: "Essais".to_owned(),
                version: "1".to_owned(),
                homologation: "SOCLE-JUMEAU".to_owned(),
            },
            kit: Kit::built_in(),
            algorithm: Algorithm::RsaSha256,
            limits: ClientLimits::default(),
        })
        .unwrap()
    }
}

/// A certificate's subject in that structure.
pub(crate) fn organisation(cn: &str) -> Organisation {
    Organisation {
        cn: cn.to_owned(),
        id: STRUCTURE.parse().unwrap(),
        name: "HOPITAL DES ESSAIS".to_owned(),
        department: "Paris (75)".to_owned(),
    }
}

pub(crate) fn reader() -> Reader {
    Reader {
        professional: Professional::new(DOCTOR.parse().unwrap(), "Marie MARTIN", "10", Some("SM26")).unwrap(),
        authenticated_at: Timestamp::now(),
        purpose: Purpose::Normal,
    }
}

/// The patient of a document, as INSi would have confirmed them: the DMP asks for a qualified INS.
pub(crate) fn patient_of(header: &Header) -> QualifiedIdentity {
    let traits = header.patient.traits.clone().unwrap();
    let answer = InsiAnswer {
        ins: header.ins().unwrap().unwrap(),
        history: Vec::new(),
        traits: traits.clone(),
        received_at: Timestamp::now(),
        environment: Environment::Jumeau,
        answer_digest: "00".repeat(32),
    };
    let evidence = Evidence {
        device: HighConfidenceDevice::PA,
        checked_on: jiff::civil::date(2026, 1, 5),
        checked_by: DOCTOR.to_owned(),
    };
    let identity = Identity::declared(traits).check(evidence).unwrap().accept(answer).unwrap();
    identity.qualified().unwrap().clone()
}

/// Every entry of a patient, also those that were replaced.
pub(crate) async fn entries(client: &Client, patient: &QualifiedIdentity) -> Vec<DocumentEntry> {
    let filter = Filter { status: vec![Status::Approved, Status::Deprecated], ..Filter::default() };
    client.find(patient, &reader(), filter).await.unwrap().entries
}

/// A document's bytes.
pub(crate) async fn retrieve(client: &Client, patient: &QualifiedIdentity, entry: &DocumentEntry) -> Bytes {
    let wanted = DocumentRef::try_from(entry).unwrap();
    let mut retrieved = client.retrieve(patient, &reader(), &[wanted]).await.unwrap();
    retrieved.documents.pop().unwrap().bytes
}
