//! The audit log against the published vectors, and records sealed and opened.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod fixtures;

use std::fs;

use jiff::Timestamp;
use proptest::prelude::*;
use serde::Deserialize;
use socle_identity::Environment;
use socle_trust::audit::merkle::{
    Frontier, consistency, empty_root, inclusion, leaf_hash, leaf_input, root, verify_consistency, verify_inclusion,
};
use socle_trust::audit::{
    Agent, AgentRole, Code, DataKey, Hash, Object, Outcome, PatientId, Record, RecordAction, SealError, Sealed, jcs,
};

#[derive(Deserialize)]
struct Vectors {
    leaves_hex: Vec<String>,
    leaf_hashes: Vec<String>,
    roots: std::collections::BTreeMap<u64, String>,
    inclusion: Vec<Inclusion>,
    consistency: Vec<Consistency>,
}

#[derive(Deserialize)]
struct Inclusion {
    leaf_index: u64,
    tree_size: u64,
    path: Vec<String>,
}

#[derive(Deserialize)]
struct Consistency {
    first: u64,
    second: u64,
    path: Vec<String>,
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hash(text: &str) -> Hash {
    hex(text).try_into().unwrap()
}

#[test]
fn the_tree_has_the_published_vectors() {
    let Some(data) = fixtures::shared("the_tree_has_the_published_vectors") else { return };
    let text = fs::read(data.join("trust/composed/merkle-rfc9162-vectors.json")).unwrap();
    let vectors: Vectors = serde_json::from_slice(&text).unwrap();
    let leaves: Vec<_> = vectors.leaves_hex.iter().map(|leaf| leaf_hash(&hex(leaf))).collect();
    let expected: Vec<_> = vectors.leaf_hashes.iter().map(|leaf| hash(leaf)).collect();
    assert_eq!(leaves, expected);
    let roots: Vec<_> = (0..=8).map(|size| hash(&vectors.roots[&size])).collect();
    let mut frontier = Frontier::new();
    for (size, expected) in roots.iter().enumerate() {
        assert_eq!(root(leaves.as_slice(), size as u64).unwrap(), *expected, "size {size}");
        assert_eq!(frontier.root(), *expected, "size {size}");
        if let Some(leaf) = leaves.get(size) {
            frontier.push(*leaf);
        }
    }
    assert_eq!(roots[0], empty_root());
    assert_eq!((vectors.inclusion.len(), vectors.consistency.len()), (36, 36));
    for Inclusion { leaf_index, tree_size, path } in &vectors.inclusion {
        let path: Vec<_> = path.iter().map(|h| hash(h)).collect();
        let at = usize::try_from(*leaf_index).unwrap();
        let size = usize::try_from(*tree_size).unwrap();
        assert_eq!(inclusion(leaves.as_slice(), *leaf_index, *tree_size).unwrap(), path, "{leaf_index} in {tree_size}");
        assert_eq!(verify_inclusion(&leaves[at], *leaf_index, *tree_size, &path, &roots[size]), Ok(()));
    }
    for Consistency { first, second, path } in &vectors.consistency {
        let path: Vec<_> = path.iter().map(|h| hash(h)).collect();
        let (old, new) = (usize::try_from(*first).unwrap(), usize::try_from(*second).unwrap());
        assert_eq!(consistency(leaves.as_slice(), *first, *second).unwrap(), path, "{first} to {second}");
        assert_eq!(verify_consistency(*first, *second, &roots[old], &roots[new], &path), Ok(()));
    }
}

fn record() -> Record {
    let at: Timestamp = "2026-11-21T09:00:01.1209Z".parse().unwrap();
    let mut record = Record::new("socle.example.org", Environment::Jumeau, Code::rest(), RecordAction::R, at);

    record.subkind = Some(Code::ihe("ITI-68"));
    record.agents = vec![
        Agent { role: AgentRole::User, id: "810001234567".to_owned(), name: Some("Éric".to_owned()), requestor: true },
        Agent { role: AgentRole::Server, id: "socle.example.org".to_owned(), name: None, requestor: false },
    ];
    record.patient =
        Some(PatientId { system: "urn:oid:1.2.250.1.213.1.4.10".to_owned(), value: "255069999999934".to_owned() });
    record.objects = vec![Object { kind: 2, role: 3, id: "urn:oid:1.2.3".to_owned(), details: [].into() }];
    record.purpose = Some("TREAT".to_owned());
    record
}

#[test]
fn a_record_has_one_canonical_form() {
    let mut record = record();
    record.id = uuid::Uuid::nil();
    record.outcome = Outcome::SeriousFailure;
    record.description = Some("refusé \"net\"\n".to_owned());
    let canonical = record.canonical().unwrap();
    assert_eq!(
        String::from_utf8(canonical.clone()).unwrap(),
        concat!(
            r#"{"action":"R","agents":[{"id":"810001234567","name":"Éric","requestor":true,"role":"user"},"#,
            r#"{"id":"socle.example.org","requestor":false,"role":"server"}],"description":"refusé \"net\"\n","#,
            r#""environment":"jumeau","id":"00000000-0000-0000-0000-000000000000","#,
            r#""kind":{"code":"rest","system":"http://terminology.hl7.org/CodeSystem/audit-event-type"},"#,
            r#""objects":[{"id":"urn:oid:1.2.3","kind":2,"role":3}],"#,
            r#""occurred":"2026-11-21T09:00:01.120Z","outcome":8,"#,
            r#""patient":{"system":"urn:oid:1.2.250.1.213.1.4.10","value":"255069999999934"},"#,
            r#""purpose":"TREAT","recorded":"2026-11-21T09:00:01.120Z","#,
            r#""subkind":{"code":"ITI-68","system":"urn:ihe:event-type-code"},"system":"socle.example.org"}"#
        )
    );
    let back = Record::from_canonical(&canonical).unwrap();
    assert!(back == record);
    assert_eq!(back.canonical().unwrap(), canonical);
}

#[test]
fn what_a_record_says_stays_out_of_debug() {
    let record = record();
    let shown = format!("{record:?} {:?} {:?} {:?}", record.agents, record.patient, record.objects);
    for secret in ["255069999999934", "Éric", "810001234567", "1.2.3\""] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn bytes_that_are_no_record_are_refused_without_being_quoted() {
    let mut json: serde_json::Value = serde_json::from_slice(&record().canonical().unwrap()).unwrap();
    json["outcome"] = 5.into();
    json["agents"][0]["id"] = "810009999999".into();
    let error = Record::from_canonical(json.to_string().as_bytes()).unwrap_err().to_string();
    assert!(!error.contains("810009999999"), "{error}");
    assert!(Record::from_canonical(b"{").is_err());
}

type Spoil = fn(&mut Sealed);

#[test]
fn a_sealed_record_opens_with_its_key_only_and_unchanged_only() {
    let record = record();
    let key = DataKey::generate().unwrap();
    let sealed = Sealed::seal(&record, &key).unwrap();
    assert!(sealed.open(&key).unwrap() == record);
    assert_eq!(sealed.leaf, leaf_hash(&leaf_input(&sealed.salt, &record.canonical().unwrap())));
    assert_ne!(Sealed::seal(&record, &key).unwrap().leaf, sealed.leaf, "the salt makes leaves differ");

    assert!(matches!(sealed.open(&DataKey::generate().unwrap()), Err(SealError::Key)));
    let spoils: [(&str, Spoil, SealError); 6] = [
        ("ciphertext", |s| s.ciphertext[20] ^= 1, SealError::Key),
        ("tag", |s| *s.ciphertext.last_mut().unwrap() ^= 1, SealError::Key),
        ("nonce", |s| s.ciphertext[0] ^= 1, SealError::Key),
        ("salt", |s| s.salt[0] ^= 1, SealError::Key),
        ("empty", |s| s.ciphertext.clear(), SealError::Key),
        ("leaf", |s| s.leaf[0] ^= 1, SealError::Leaf),
    ];
    for (name, spoil, expected) in spoils {
        let mut changed = sealed.clone();
        spoil(&mut changed);
        assert_eq!(changed.open(&key).map(|_| ()), Err(expected), "{name}");
    }
}

#[test]
fn a_wrapped_key_belongs_to_its_owner() {
    let (master, key) = (DataKey::generate().unwrap(), DataKey::generate().unwrap());
    let wrapped = key.wrap(&master, b"person 1").unwrap();
    assert_eq!(DataKey::unwrap(&wrapped, &master, b"person 1").unwrap().as_bytes(), key.as_bytes());
    assert_eq!(DataKey::unwrap(&wrapped, &master, b"person 2").err(), Some(SealError::Key));
    assert_eq!(DataKey::unwrap(&wrapped, &key, b"person 1").err(), Some(SealError::Key));
    assert_eq!(DataKey::unwrap(&wrapped[..20], &master, b"person 1").err(), Some(SealError::Key));
    assert_eq!(format!("{key:?}"), "DataKey(…)");
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(".{0,6}", inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_json_reads_back_as_the_same_value_and_is_stable(value in json()) {
        let canonical = jcs::to_vec(&value).unwrap();
        let back: serde_json::Value = serde_json::from_slice(&canonical).unwrap();
        prop_assert_eq!(&back, &value);
        prop_assert_eq!(jcs::to_vec(&back).unwrap(), canonical);
    }
}
