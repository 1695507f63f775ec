//! Search and retrieve: who sees what, and who may look.

use socle_cda::xds::{Cumulation, Visibility};
use socle_dmp::client::{DocumentRef, FailureKind, Reader, Reason};
use socle_dmp::model::query::{Filter, Period};
use socle_dmp::model::{Authorisation, ErrorCode, Existence, Professional, Purpose};
use socle_dmp::twin::{Fault, People, Situation};

use crate::support::{
    DOCTOR, PAT_TROIS, Twin, automaton, deposit, letter, letter_for, patient, patient_of, professional, reader,
    reference, structure,
};

#[tokio::test]
async fn masked_documents_are_for_their_structure_and_the_attending_physician() {
    const ATTENDING: &str = "899700000025";
    let attending = Situation { attending: Some(ATTENDING.parse().unwrap()), ..Situation::default() };
    let people = People::official().with(PAT_TROIS.parse().unwrap(), attending);
    let twin = Twin::with(|settings| settings.people = people).await;
    let patient = patient();
    let mut masked = letter();
    masked.entry.set_visibility(Visibility::new(true, false, false, Cumulation::Refused).unwrap());
    twin.client().provide(&patient, deposit(masked)).await.unwrap();

    let away = twin.client_with(|settings| settings.structure = structure("1750000001"));
    let as_ = |who: &str| Reader { professional: professional(who), ..reader() };
    let cases = [
        ("its structure", twin.client(), as_("899700000033"), 1),
        ("elsewhere", away.clone(), as_("899700000033"), 0),
        ("elsewhere, médecin traitant", away.clone(), as_(ATTENDING), 1),
        ("elsewhere, bris de glace", away, Reader { purpose: Purpose::BrisDeGlace, ..as_("899700000033") }, 1),
    ];
    for (case, client, reader, expected) in cases {
        let found = client.find(&patient, &reader, Filter::default()).await.unwrap();
        assert_eq!(found.entries.len(), expected, "{case}");
    }
}

#[tokio::test]
async fn a_hidden_document_cannot_be_retrieved_by_its_id() {
    let twin = Twin::start().await;
    let patient = patient();
    let mut masked = letter();
    masked.entry.set_visibility(Visibility::new(true, false, false, Cumulation::Refused).unwrap());
    twin.client().provide(&patient, deposit(masked.clone())).await.unwrap();
    let wanted =
        DocumentRef { unique_id: masked.entry.unique_id, repository_id: "1.2.250.1.213.4.1.1.1.2".into(), hash: None };
    let away = twin.client_with(|settings| settings.structure = structure("1750000001"));
    let reader = Reader { professional: professional("899700000033"), ..reader() };
    let failure = away.retrieve(&patient, &reader, &[wanted]).await.unwrap_err();
    assert_eq!(failure.code(), Some(&ErrorCode::DocumentUniqueIdError));
}

#[tokio::test]
async fn authorisations_and_oppositions_are_respected() {
    let twin = Twin::start().await;
    let denied = Some(ErrorCode::DmpAccessDeniedByRightsService);
    let cases = [
        ("forbidden", "160012B02077713", Purpose::Normal, denied.clone()),
        ("no authorisation", "297022A02077878", Purpose::Normal, denied.clone()),
        ("expired", "109076322083489", Purpose::Normal, denied.clone()),
        ("no authorisation, bris de glace", "297022A02077878", Purpose::BrisDeGlace, None),
        ("opposed to bris de glace", "275126322074974", Purpose::BrisDeGlace, denied.clone()),
        ("opposed to emergency access", "275126322074974", Purpose::Centre15, denied),
        ("opposed, ordinary access", "275126322074974", Purpose::Normal, None),
        ("closed", "109076322088835", Purpose::Normal, Some(ErrorCode::UnknownPatientId)),
        ("none", "236066322083656", Purpose::Normal, Some(ErrorCode::UnknownPatientId)),
    ];
    for (case, matricule, purpose, expected) in cases {
        let reader = Reader { purpose, ..reader() };
        let found = twin.client().find(&patient_of(matricule), &reader, Filter::default()).await;
        assert_eq!(found.err().and_then(|failure| failure.code().cloned()), expected, "{case}");
    }
}

#[tokio::test]
async fn existence_is_told_before_anything_is_deposited() {
    let twin = Twin::start().await;
    let open = Existence::Open;
    let cases = [
        (PAT_TROIS, open(Authorisation::Valid)),
        ("236066322083656", Existence::None),
        ("109076322088835", Existence::Closed),
        ("160012B02077713", open(Authorisation::Forbidden)),
        ("297022A02077878", open(Authorisation::Missing)),
        ("109076322083489", open(Authorisation::Expired)),
    ];
    for (matricule, expected) in cases {
        let tested = twin.client().existence(&patient_of(matricule), automaton()).await.unwrap();
        assert_eq!(tested.existence, expected, "{matricule}");
        assert_eq!(tested.exchanges.len(), 1);
    }
    twin.running.panel.arm(Fault::UnknownPatient, 1);
    let failure = twin.client().existence(&patient(), automaton()).await.unwrap_err();
    assert_eq!(failure.code(), Some(&ErrorCode::UnknownPatientId), "an HL7 v3 error is a fault");
    twin.running.panel.arm(Fault::Maintenance503, 1);
    let failure = twin.client().existence(&patient(), automaton()).await.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Temporary(_)), "{failure}");
}

#[tokio::test]
async fn an_occupational_physician_has_no_consultation_in_air() {
    let twin = Twin::start().await;
    let who = Professional::new(DOCTOR.parse().unwrap(), "Alice Martin", "10", Some("SM25")).unwrap();
    let failure =
        twin.client().find(&patient(), &Reader { professional: who, ..reader() }, Filter::default()).await.unwrap_err();
    assert_eq!(failure.code(), Some(&ErrorCode::DmpAccessDeniedByRightsService));
}

#[tokio::test]
async fn filters_are_applied_by_the_registry() {
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let document = letter();
    client.provide(&patient, deposit(document.clone())).await.unwrap();
    let entry = document.entry;
    let hit = [
        Filter::default(),
        Filter { type_codes: vec![entry.type_code.clone()], ..Filter::default() },
        Filter { class_codes: vec![entry.class_code.clone()], ..Filter::default() },
        Filter { created: Period { from: Some("2026".parse().unwrap()), to: None }, ..Filter::default() },
        Filter { confidentiality: vec![entry.confidentiality.clone()], ..Filter::default() },
    ];
    for filter in hit {
        assert_eq!(client.find(&patient, &reader(), filter.clone()).await.unwrap().entries.len(), 1, "{filter:?}");
    }
    let miss = [
        Filter { type_codes: vec![entry.class_code.clone()], ..Filter::default() },
        Filter { created: Period { from: None, to: Some("2020".parse().unwrap()) }, ..Filter::default() },
        Filter { author_persons: vec!["NOBODY%".into()], ..Filter::default() },
    ];
    for filter in miss {
        assert_eq!(client.find(&patient, &reader(), filter.clone()).await.unwrap().entries.len(), 0, "{filter:?}");
    }
}

#[tokio::test]
async fn one_patient_s_documents_are_not_another_s() {
    let twin = Twin::start().await;
    let (client, first) = (twin.client(), patient());
    let second = patient_of("277076322082910");
    client.provide(&first, deposit(letter())).await.unwrap();
    client.provide(&second, deposit(letter_for(second.ins()))).await.unwrap();
    let entry = client.find(&first, &reader(), Filter::default()).await.unwrap().entries.remove(0);
    assert_eq!(client.find(&second, &reader(), Filter::default()).await.unwrap().entries.len(), 1);
    let failure = client.retrieve(&second, &reader(), &[reference(&entry)]).await.unwrap_err();
    assert_eq!(failure.code(), Some(&ErrorCode::DocumentUniqueIdError));
}

#[tokio::test]
async fn a_changed_document_is_not_given_to_the_reader() {
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    client.provide(&patient, deposit(letter())).await.unwrap();
    let entry = client.find(&patient, &reader(), Filter::default()).await.unwrap().entries.remove(0);
    let wrong = DocumentRef { hash: Some("00".repeat(20)), ..reference(&entry) };
    let failure = client.retrieve(&patient, &reader(), &[wrong]).await.unwrap_err();
    assert!(matches!(&failure.kind, FailureKind::Refused(refusal) if matches!(refusal.reason, Reason::Integrity(_))));
    let elsewhere = DocumentRef { repository_id: "1.2.3".into(), ..reference(&entry) };
    let failure = client.retrieve(&patient, &reader(), &[elsewhere]).await.unwrap_err();
    assert_eq!(failure.code(), Some(&ErrorCode::UnknownRepositoryId));
}
