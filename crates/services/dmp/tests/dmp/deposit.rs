//! Deposits: new, replaced, repeated, of another patient.

use socle_cda::Document as Cda;
use socle_cda::xds::{Cx, DocumentEntry, EntryOptions, Status};
use socle_dmp::client::{Attempt, Deposit, Document, FailureKind, Placed, Reason};
use socle_dmp::model::ErrorCode;
use socle_dmp::model::query::Filter;
use socle_identity::Environment;

use crate::support::{
    Twin, automaton, deposit, entry_of, example, letter, letter_for, lot_of, patient, patient_of, qualified, reader,
    reference, shared,
};

#[tokio::test]
async fn a_document_comes_back_as_it_went() {
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let document = letter();
    let provided = client.provide(&patient, deposit(document.clone())).await.unwrap();
    assert_eq!(provided.documents[0].how, Placed::Original);
    assert_eq!(provided.exchanges.len(), 1);

    let found = client.find(&patient, &reader(), Filter::default()).await.unwrap();
    let [entry] = found.entries.as_slice() else { panic!("{} entries", found.entries.len()) };
    assert_eq!(entry.unique_id, document.entry.unique_id);
    assert_eq!(entry.status, Some(Status::Approved));
    assert_eq!(entry.hash, document.entry.hash);
    assert_eq!(entry.size, Some(document.bytes.len() as u64));
    assert_eq!(entry.version.as_deref(), Some("1"));
    assert!(entry.id.starts_with("urn:uuid:") && entry.logical_id.is_some());
    assert_eq!(entry.repository_id.as_deref(), Some("1.2.250.1.213.4.1.1.1.2"));

    let got = client.retrieve(&patient, &reader(), &[reference(entry)]).await.unwrap();
    assert_eq!(got.documents[0].bytes, document.bytes);
    assert_eq!(got.documents[0].mime_type, "text/xml");
}

/// Every example whose metadata can be derived, autoprésentable and N1 among them.
#[tokio::test]
async fn every_example_of_the_test_patient_comes_back_byte_identical() {
    const TEST: &str = "every_example_of_the_test_patient_comes_back_byte_identical";
    let Some(folder) = shared(TEST, "documents/cda/examples") else { return };
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let mut deposited = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(cda) = Cda::parse(std::fs::read(&file).unwrap()) else { continue };
        let derived = DocumentEntry::from_header(&cda, &Cx::from(patient.ins()), &EntryOptions::new("Doc01"));
        let Ok(derived) = derived else { continue };
        let document = Document { entry: derived.value, bytes: cda.bytes().clone(), replaces: None };
        // Two examples of the bed share one id.
        if deposited.iter().any(|(_, other): &(String, Document)| other.entry.unique_id == document.entry.unique_id) {
            continue;
        }
        let provided = client.provide(&patient, deposit(document.clone())).await;
        assert!(provided.is_ok(), "{name}: {:?}", provided.unwrap_err());
        deposited.push((name, document));
    }
    // 73 of the 85 carry this INS and have derived metadata; two of them share one id.
    assert_eq!(deposited.len(), 72);
    for needed in ["BIO-CR-BIO_2021.01_Auto-Presentable.xml", "BIO-CR-BIO_2021.01_CDA-R2-Niveau-1.xml"] {
        assert!(deposited.iter().any(|(name, _)| name == needed), "{needed} was not deposited");
    }
    let found = client.find(&patient, &reader(), Filter::default()).await.unwrap();
    assert_eq!(found.entries.len(), deposited.len());
    for (name, document) in &deposited {
        let entry = found.entries.iter().find(|entry| entry.unique_id == document.entry.unique_id).unwrap();
        let got = client.retrieve(&patient, &reader(), &[reference(entry)]).await.unwrap();
        assert!(got.documents[0].bytes == document.bytes, "{name} came back changed");
        assert_eq!(got.documents[0].mime_type, document.entry.mime_type, "{name}");
    }
}

#[tokio::test]
async fn a_new_version_replaces_and_the_old_one_is_deprecated() {
    const TEST: &str = "a_new_version_replaces_and_the_old_one_is_deprecated";
    let Some(first) = example(TEST, "BIO-CR-BIO_2021.01_Microbiologie_V1.xml") else { return };
    let Some(second) = example(TEST, "BIO-CR-BIO_2021.01_Microbiologie_V2.xml") else { return };
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let first = entry_of(Cda::parse(first).unwrap(), patient.ins());
    let mut second = entry_of(Cda::parse(second).unwrap(), patient.ins());
    second.replaces = Some(first.entry.unique_id.clone());
    client.provide(&patient, deposit(first.clone())).await.unwrap();
    let old = client.find(&patient, &reader(), Filter::default()).await.unwrap().entries.remove(0);

    let provided = client.provide(&patient, deposit(second.clone())).await.unwrap();
    assert_eq!(provided.documents[0].how, Placed::Replaced { entry_uuid: old.id.clone() });
    assert_eq!(provided.exchanges.len(), 2, "the reference is looked for, then the deposit is sent");

    let active = client.find(&patient, &reader(), Filter::default()).await.unwrap();
    let ids: Vec<_> = active.entries.iter().map(|entry| entry.unique_id.as_str()).collect();
    assert_eq!(ids, [second.entry.unique_id.as_str()]);
    let obsolete = Filter { status: vec![Status::Deprecated], ..Filter::default() };
    let obsolete = client.find(&patient, &reader(), obsolete).await.unwrap();
    assert_eq!(obsolete.entries[0].unique_id, first.entry.unique_id);
    let got = client.retrieve(&patient, &reader(), &[reference(&obsolete.entries[0])]).await.unwrap();
    assert_eq!(got.documents[0].bytes, first.bytes, "a former version is still readable");

    let mut third = letter();
    third.replaces = Some(first.entry.unique_id.clone());
    let failure = client.provide(&patient, deposit(third)).await.unwrap_err();
    assert_eq!(failure.code(), Some(&ErrorCode::RegistryDeprecatedDocument));
}

#[tokio::test]
async fn a_replacement_of_what_the_dmp_does_not_have_is_an_original() {
    let twin = Twin::start().await;
    let mut document = letter();
    document.replaces = Some("1.2.250.1.999.404".into());
    let provided = twin.client().provide(&patient(), deposit(document)).await.unwrap();
    assert_eq!(provided.documents[0].how, Placed::OriginalInsteadOfReplacement);
}

#[tokio::test]
async fn another_structure_does_not_replace() {
    let twin = Twin::start().await;
    let patient = patient();
    let first = letter();
    twin.client().provide(&patient, deposit(first.clone())).await.unwrap();
    let other = twin.client_with(|settings| settings.structure = crate::support::structure("1750000001"));
    let mut second = letter();
    second.replaces = Some(first.entry.unique_id);
    // It does not even see the reference, so its document is another original.
    let provided = other.provide(&patient, deposit(second)).await.unwrap();
    assert_eq!(provided.documents[0].how, Placed::OriginalInsteadOfReplacement);
}

#[tokio::test]
async fn the_same_document_again_is_a_success_and_is_there_once() {
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let document = letter();
    client.provide(&patient, deposit(document.clone())).await.unwrap();

    let again = client.provide(&patient, deposit(document.clone())).await.unwrap();
    assert_eq!(again.documents[0].how, Placed::AlreadyThere);
    assert_eq!(again.exchanges.len(), 2, "sent, refused as a duplicate, then the stored hash was compared");

    let asked = Deposit { attempt: Attempt::Again, ..deposit(document.clone()) };
    let asked = client.provide(&patient, asked).await.unwrap();
    assert_eq!(asked.documents[0].how, Placed::AlreadyThere);
    assert_eq!(asked.exchanges.len(), 1, "nothing is sent when the registry has it");

    let found = client.find(&patient, &reader(), Filter::default()).await.unwrap();
    assert_eq!(found.entries.len(), 1);
}

#[tokio::test]
async fn another_content_under_the_same_id_is_refused() {
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let document = letter();
    client.provide(&patient, deposit(document.clone())).await.unwrap();
    let text = String::from_utf8(document.bytes.to_vec()).unwrap();
    let changed = Cda::parse(text.replace("</title>", " (corrigé)</title>").into_bytes()).unwrap();
    let other = entry_of(changed, patient.ins());
    assert_eq!(other.entry.unique_id, document.entry.unique_id);
    for attempt in [Attempt::First, Attempt::Again] {
        let failure = client.provide(&patient, Deposit { attempt, ..deposit(other.clone()) }).await.unwrap_err();
        assert_eq!(failure.code(), Some(&ErrorCode::NonIdenticalHash), "{attempt:?}");
    }
}

#[tokio::test]
async fn what_was_partly_deposited_is_completed() {
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let (first, second) = (letter(), letter());
    client.provide(&patient, deposit(second.clone())).await.unwrap();
    let both =
        Deposit { set: lot_of(&first), documents: vec![first, second], speaker: automaton(), attempt: Attempt::Again };
    let provided = client.provide(&patient, both).await.unwrap();
    let how: Vec<_> = provided.documents.iter().map(|document| document.how.clone()).collect();
    assert_eq!(how, [Placed::Original, Placed::AlreadyThere]);
}

#[tokio::test]
async fn what_can_be_known_to_be_wrong_is_refused_before_anything_leaves() {
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let other = patient_of("109076322088835");
    type Row = (&'static str, fn(&mut Deposit), fn(&Reason) -> bool);
    let cases: [Row; 3] = [
        ("no document", |d| d.documents.clear(), |r| matches!(r, Reason::Count { count: 0, .. })),
        ("the same twice", |d| d.documents.push(d.documents[0].clone()), |r| matches!(r, Reason::SameUniqueId { .. })),
        (
            "a lot of somebody else",
            |d| d.set.patient_id = Cx::from(patient_of("109076322088835").ins()),
            |r| matches!(r, Reason::OtherPatient { .. }),
        ),
    ];
    for (case, spoil, expected) in cases {
        let mut spoiled = deposit(letter());
        spoil(&mut spoiled);
        let failure = client.provide(&patient, spoiled).await.unwrap_err();
        let FailureKind::Refused(refusal) = &failure.kind else { panic!("{case}: {failure}") };
        assert!(expected(&refusal.reason), "{case}: {failure}");
        assert!(failure.exchanges.is_empty(), "{case}: something left");
    }
    let failure = client.provide(&other, deposit(letter())).await.unwrap_err();
    assert!(failure.to_string().contains("EX_GEN-1530"), "{failure}");
    let elsewhere = qualified(patient.ins().clone(), Environment::BacASable);
    let failure = client.provide(&elsewhere, deposit(letter())).await.unwrap_err();
    assert!(failure.to_string().contains("bac-a-sable"), "{failure}");
    assert!(failure.exchanges.is_empty());
}

#[tokio::test]
async fn a_person_without_an_open_dmp_is_refused() {
    let twin = Twin::start().await;
    for matricule in ["236066322083656", "109076322088835"] {
        let patient = patient_of(matricule);
        let failure = twin.client().provide(&patient, deposit(letter_for(patient.ins()))).await.unwrap_err();
        assert_eq!(failure.code(), Some(&ErrorCode::UnknownPatientId));
        assert!(!format!("{failure} {failure:?}").contains(matricule), "an error shows a person");
    }
}
