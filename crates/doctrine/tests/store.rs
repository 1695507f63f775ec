//! The evidence store, with evidence and index changed under it.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::Path;

use socle_doctrine::dossier::{Evidence, EvidenceKind, Origin};
use socle_doctrine::store::{Entry, EvidenceStore, StoreError, plausible_ins, verify};
use socle_identity::Matricule;
use socle_trust::audit::checkpoint::NoteKey;

fn entry() -> Entry {
    Entry {
        requirement: "DOC-INS-05".to_owned(),
        product_version: "4.2.0".to_owned(),
        catalogue_sha256: "0".repeat(64),
        size: 0,
        evidence: Evidence {
            kind: EvidenceKind::WireCapture,
            file: None,
            permalink: None,
            sha256: String::new(),
            produced: "2026-11-21T10:00:00Z".parse().unwrap(),
            origin: Origin::Twin,
            tool: None,
            synthetic_data: Some(true),
            signed_by: None,
            official_slot: Some("INS/va1.53".to_owned()),
        },
    }
}

fn open(folder: &Path, key: &str) -> Result<EvidenceStore, StoreError> {
    let key = NoteKey::open_or_create(&folder.join(key), "socle.example.org").unwrap();
    EvidenceStore::open(&folder.join("preuves"), key, Vec::new())
}

#[test]
fn acceptance_11_tampered_evidence_fails_by_the_name_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), "a.key").unwrap();
    store.add(entry(), b"first exchange").unwrap();
    let second = store.add(entry(), b"second exchange").unwrap().evidence.sha256.clone();
    let (index, pinned) = (folder.path().join("preuves/index.json"), store.fingerprint());
    assert_eq!(verify(&index, &pinned).unwrap(), store.entries());
    assert_eq!(open(folder.path(), "a.key").unwrap().entries().len(), 2, "what is kept is found again");

    let file = folder.path().join("preuves").join(&second);
    std::fs::write(&file, b"second exchangE").unwrap();
    let error = verify(&index, &pinned).unwrap_err();
    assert!(matches!(&error, StoreError::Tampered { file } if *file == second), "{error}");
    std::fs::remove_file(&file).unwrap();
    assert!(verify(&index, &pinned).unwrap_err().to_string().contains(&second));
    std::fs::write(&file, b"second exchange").unwrap();

    let good = std::fs::read_to_string(&index).unwrap();
    for (name, from, to) in [
        ("another requirement", "DOC-INS-05", "DOC-INS-06"),
        ("another version", "4.2.0", "4.3.0"),
        ("another day", "2026-11-21", "2026-11-22"),
        ("another slot", "INS/va1.53", "INS/va1.36"),
    ] {
        std::fs::write(&index, good.replacen(from, to, 1)).unwrap();
        assert!(matches!(verify(&index, &pinned), Err(StoreError::Entries)), "{name}");
    }
    std::fs::write(&index, good.replace("socle/evidence", "socle/other")).unwrap();
    assert!(matches!(verify(&index, &pinned), Err(StoreError::Signature(_))));
    std::fs::write(&index, "{}").unwrap();
    assert!(matches!(verify(&index, &pinned), Err(StoreError::Index(_))));
}

#[test]
fn an_index_signed_again_by_another_key_fails() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), "a.key").unwrap();
    store.add(entry(), b"exchange").unwrap();
    let (index, pinned) = (folder.path().join("preuves/index.json"), store.fingerprint());
    std::fs::remove_file(&index).unwrap();
    let mut forger = open(folder.path(), "b.key").unwrap();
    forger.add(entry(), b"forged").unwrap();
    assert!(matches!(verify(&index, &pinned), Err(StoreError::OtherKey { found }) if found == forger.fingerprint()));
    assert!(matches!(open(folder.path(), "a.key"), Err(StoreError::OtherKey { .. })));
}

#[test]
fn acceptance_16_evidence_with_a_plausible_real_ins_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let person = Matricule::from_number("2690749588157").unwrap();
    let (number, key) = (person.number().to_owned(), person.key().to_owned());
    let spaced = format!("{} {} {} {key}", &number[..1], &number[1..7], &number[7..]);
    let wrong_key = format!("{number}{:02}", (key.parse::<u8>().unwrap() % 97) + 1);
    let cases = [
        ("in XML", format!("<id extension=\"{number}{key}\"/>"), true),
        ("with spaces", format!("INS : {spaced}."), true),
        ("at the end", format!("{number}{key}"), true),
        ("a wrong key", wrong_key, false),
        ("inside a longer number", format!("9{number}{key}"), false),
        ("followed by digits", format!("{number}{key}0"), false),
        ("no number", "1 2 3".to_owned(), false),
        ("nothing", String::new(), false),
    ];
    for (name, text, is_refused) in cases {
        assert_eq!(plausible_ins(text.as_bytes(), &[]).is_some(), is_refused, "{name}");
    }
    let text = format!("<id extension=\"{number}{key}\"/>");
    let mut store = open(folder.path(), "a.key").unwrap();
    let error = store.add(entry(), text.as_bytes()).unwrap_err();
    assert!(matches!(error, StoreError::PlausibleIns { offset: 15 }), "{error}");
    assert!(!error.to_string().contains(&number), "an error never repeats a matricule");
    assert!(store.entries().is_empty());
    assert_eq!(plausible_ins(text.as_bytes(), &[person]), None, "a declared test identity is no person");
}
