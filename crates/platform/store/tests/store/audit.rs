//! The audit log: written with its batch, read, signed, verified, erased; and every way to tamper with it.

use std::path::Path;

use rusqlite::Connection;
use socle_store::{
    AuditContent, AuditEntry, AuditFilter, AuditProblem, AuditReport, Batch, Cursor, Expect, Options, Page,
    SqliteStore, Store, StoreError, Write,
};
use socle_trust::audit::checkpoint::{self, NoteKey, NotePublicKey};
use socle_trust::audit::{Record, merkle};
use uuid::Uuid;

use crate::fixtures::{self, patient, record};

const T: &str = "platform";

async fn log(store: &SqliteStore, records: impl IntoIterator<Item = Record>) -> Vec<u64> {
    let batch = Batch { audit: records.into_iter().collect(), ..Batch::new(T) };
    store.commit(batch).await.unwrap().audit
}

fn said(entries: &[AuditEntry]) -> Vec<(u64, Option<Uuid>)> {
    let id = |entry: &AuditEntry| match &entry.content {
        AuditContent::Record(record) => Some(record.id),
        AuditContent::Erased | AuditContent::Damaged(_) => None,
    };
    entries.iter().map(|entry| (entry.index, id(entry))).collect()
}

#[tokio::test]
async fn records_are_found_by_person_by_flow_and_by_place() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let records = [
        record(Some("a"), Some(one)),
        record(Some("b"), Some(one)),
        record(None, None),
        record(Some("a"), Some(other)),
    ];
    let ids = records.clone().map(|record| Some(record.id));
    assert_eq!(log(&store, records[..2].to_vec()).await, [0, 1]);
    assert_eq!(log(&store, records[2..].to_vec()).await, [2, 3]);
    let list = async |patient: Option<&str>, flow, page| {
        let filter = AuditFilter { patient: patient.map(fixtures::patient), flow };
        said(&store.audit(filter, page).await.unwrap())
    };
    assert_eq!(list(None, None, Page::first(3)).await, [(3, ids[3]), (2, ids[2]), (1, ids[1])]);
    assert_eq!(list(None, None, Page::after(Cursor::from_u64(1), 3)).await, [(0, ids[0])]);
    assert_eq!(list(Some("a"), None, Page::first(9)).await, [(3, ids[3]), (0, ids[0])]);
    assert_eq!(list(None, Some(one), Page::first(9)).await, [(1, ids[1]), (0, ids[0])]);
    assert_eq!(list(Some("b"), Some(one), Page::first(9)).await, [(1, ids[1])]);
    assert_eq!(list(Some("b"), Some(other), Page::first(9)).await, []);
    assert_eq!(list(Some("nobody"), None, Page::first(9)).await, []);
    assert_eq!(said(&store.audit_from(2, 9).await.unwrap()), [(2, ids[2]), (3, ids[3])]);
    assert_eq!(said(&store.audit_from(0, 1).await.unwrap()), [(0, ids[0])]);

    let entry = store.audit_from(0, 1).await.unwrap().remove(0);
    let AuditContent::Record(kept) = entry.content else { panic!("{entry:?}") };
    assert!(kept.recorded > kept.occurred, "recorded by the store's clock");
    assert_eq!((kept.recorded, entry.flow), (entry.recorded, Some(one)));
    assert_eq!(*kept, Record { recorded: kept.recorded, ..records[0].clone() });
}

#[tokio::test]
async fn a_refused_batch_leaves_no_trace_and_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    log(&store, [record(Some("a"), None)]).await;
    let refused = Batch {
        writes: vec![Write::new("Doc", "1", "").expect(Expect::Version(9))],
        audit: vec![record(Some("new person"), None)],
        ..Batch::new(T)
    };
    assert!(matches!(store.commit(refused.clone()).await, Err(StoreError::Conflict { .. })));
    let accepted = Batch { writes: Vec::new(), ..refused };
    assert_eq!(store.commit(accepted).await.unwrap().audit, [1]);
    let report = store.audit_verify().await.unwrap();
    assert_eq!((report.size, report.opened, report.is_sound()), (2, 2, true), "{report:?}");
}

#[tokio::test]
async fn the_database_says_no_name_and_no_identifier() {
    let dir = tempfile::tempdir().unwrap();
    log(&fixtures::open(dir.path()), [record(Some("277076322082910"), None)]).await;
    for file in ["socle.db", "socle.db-wal"] {
        let bytes = std::fs::read(dir.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(15).any(|window| window == b"277076322082910"), "{file}");
    }
}

#[tokio::test]
async fn a_checkpoint_signs_the_head_and_its_proofs_hold() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { log_name: Some("socle.example.org/log".into()), ..Options::default() };
    let store = SqliteStore::open(dir.path(), options).unwrap();
    let key: NotePublicKey = store.audit_public_key().parse().unwrap();
    assert_eq!(key.name(), "socle.example.org/log");
    log(&store, (0..300).map(|n| record(Some(&(n % 7).to_string()), None))).await;
    let first = store.audit_checkpoint().await.unwrap();
    assert_eq!(store.audit_checkpoint().await.unwrap(), first, "nothing came since");
    log(&store, (0..250).map(|_| record(None, None))).await;
    let second = store.audit_checkpoint().await.unwrap();
    let head = store.audit_head().await.unwrap();
    assert_eq!((first.size, second.size, head.size), (300, 550, 550));
    assert_eq!(head.checkpoint.as_ref(), Some(&second));
    let newest_first = store.audit_checkpoints(Page::first(9)).await.unwrap();
    assert_eq!(newest_first, [second.clone(), first.clone()]);

    let [old, new] = [&first, &second].map(|signed| checkpoint::verify(&signed.note, &key).unwrap());
    assert_eq!((new.size, new.root, new.origin.as_str()), (550, head.root, "socle.example.org/log"));
    for index in [0, 255, 256, 299, 549] {
        let path = store.audit_inclusion(index, 550).await.unwrap();
        let leaf = store.audit_from(index, 1).await.unwrap()[0].leaf;
        merkle::verify_inclusion(&leaf, index, 550, &path, &new.root).unwrap();
    }
    let path = store.audit_consistency(300, 550).await.unwrap();
    merkle::verify_consistency(300, 550, &old.root, &new.root, &path).unwrap();
    for (first, second) in [(0, 551), (551, 551), (3, 2)] {
        assert!(matches!(store.audit_consistency(first, second).await, Err(StoreError::Invalid { .. })));
    }
    for (index, size) in [(550, 550), (0, 551), (0, 0), (u64::MAX, u64::MAX)] {
        assert!(matches!(store.audit_inclusion(index, size).await, Err(StoreError::Invalid { .. })));
    }
}

#[tokio::test]
async fn an_empty_log_is_sound_and_can_be_signed() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    assert_eq!(store.audit_verify().await.unwrap(), AuditReport::default());
    assert_eq!(store.audit_checkpoint().await.unwrap().size, 0);
    let head = store.audit_head().await.unwrap();
    assert_eq!((head.size, head.root), (0, merkle::empty_root()));
    assert_eq!(store.audit_verify().await.unwrap(), AuditReport { checkpoints: 1, ..AuditReport::default() });
}

#[tokio::test]
async fn the_log_goes_on_under_its_name_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let key = {
        let store = fixtures::open(dir.path());
        log(&store, [record(Some("a"), None)]).await;
        store.audit_checkpoint().await.unwrap();
        store.audit_public_key()
    };
    let options = Options { log_name: Some("another.name".into()), ..Options::default() };
    let store = SqliteStore::open(dir.path(), options).unwrap();
    assert_eq!(store.audit_public_key(), key);
    assert_eq!(log(&store, [record(Some("a"), None)]).await, [1]);
    store.audit_checkpoint().await.unwrap();
    let report = store.audit_verify().await.unwrap();
    assert_eq!((report.opened, report.checkpoints, report.covered), (2, 2, 2));
    assert!(report.is_sound(), "{report:?}");
}

#[tokio::test]
async fn an_erased_person_is_unreadable_and_every_proof_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    log(&store, [record(Some("gone"), None), record(Some("stays"), None), record(Some("gone"), None)]).await;
    store.audit_checkpoint().await.unwrap();
    let before = raw(dir.path(), |db| {
        db.query_row("SELECT sealed FROM audit_leaf WHERE idx = 0", [], |row| row.get(0)).unwrap()
    });
    let wrapped: Vec<u8> = raw(dir.path(), |db| {
        db.query_row("SELECT wrapped FROM person_key WHERE id = 1", [], |row| row.get(0)).unwrap()
    });
    let root = store.audit_head().await.unwrap().root;

    let erased = store.erase_person(patient("gone"), record(None, None)).await.unwrap();
    assert_eq!((erased.records, erased.trace), (2, 3));
    assert_eq!(store.erase_person(patient("never was"), record(None, None)).await.unwrap().records, 0);
    let contents: Vec<_> = store.audit_from(0, 3).await.unwrap().into_iter().map(|entry| entry.content).collect();
    assert!(matches!(&contents[..], [AuditContent::Erased, AuditContent::Record(_), AuditContent::Erased]));
    let of_person = AuditFilter { patient: Some(patient("gone")), flow: None };
    assert_eq!(store.audit(of_person.clone(), Page::first(9)).await.unwrap().len(), 2);

    // The person comes back: a new key, readable.
    log(&store, [record(Some("gone"), None)]).await;
    let back = store.audit(of_person, Page::first(1)).await.unwrap().remove(0);
    assert!(matches!(back.content, AuditContent::Record(_)));
    let report = store.audit_verify().await.unwrap();
    assert_eq!((report.size, report.opened, report.erased, report.checkpoints), (6, 4, 2, 1));
    assert!(report.is_sound(), "{report:?}");
    let leaf = store.audit_from(0, 1).await.unwrap()[0].leaf;
    merkle::verify_inclusion(&leaf, 0, 3, &store.audit_inclusion(0, 3).await.unwrap(), &root).unwrap();

    let before: Vec<u8> = before;
    for file in ["socle.db", "socle.db-wal"] {
        let bytes = std::fs::read(dir.path().join(file)).unwrap();
        for secret in [&before, &wrapped] {
            assert!(!bytes.windows(16).any(|window| window == &secret[12..28]), "{file} still holds it");
        }
    }
}

fn raw<T>(dir: &Path, work: impl FnOnce(&Connection) -> T) -> T {
    work(&Connection::open(dir.join("socle.db")).unwrap())
}

/// Changes one byte of a column.
fn flip(db: &Connection, table: &str, column: &str, at: &str) {
    let select = format!("SELECT CAST({column} AS BLOB) FROM {table} WHERE {at}");
    let mut bytes: Vec<u8> = db.query_row(&select, [], |row| row.get(0)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let cast = if column == "note" { "CAST(?1 AS TEXT)" } else { "?1" };
    db.execute(&format!("UPDATE {table} SET {column} = {cast} WHERE {at}"), [bytes]).unwrap();
}

fn swap(db: &Connection, one: i64, other: i64) {
    for (from, to) in [(one, -1), (other, one), (-1, other)] {
        db.execute("UPDATE audit_leaf SET idx = ?2 WHERE idx = ?1", [from, to]).unwrap();
    }
}

fn sql(db: &Connection, batch: &str) {
    db.execute_batch(batch).unwrap();
}

/// 600 leaves, checkpoints at 300 and 590, person 5 erased at 595.
async fn sound_log(dir: &Path) {
    let store = fixtures::open(dir);
    let some = |count: usize| (0..count).map(|n| record(Some(&(n % 6).to_string()), Some(Uuid::now_v7())));
    log(&store, some(300)).await;
    store.audit_checkpoint().await.unwrap();
    log(&store, some(290)).await;
    store.audit_checkpoint().await.unwrap();
    log(&store, some(5)).await;
    store.erase_person(patient("5"), record(None, None)).await.unwrap();
    log(&store, some(4)).await;
}

#[tokio::test]
async fn whatever_is_changed_in_the_file_is_found() {
    use AuditProblem as P;
    let sound = tempfile::tempdir().unwrap();
    sound_log(sound.path()).await;
    let report = fixtures::open(sound.path()).audit_verify().await.unwrap();
    assert_eq!((report.size, report.checkpoints, report.covered, report.is_sound()), (600, 2, 590, true), "{report:?}");

    type Tamper = fn(&Connection);
    type Finds = fn(&AuditProblem) -> bool;
    let cases: [(&str, Tamper, Finds); 24] = [
        ("sealed byte", |db| flip(db, "audit_leaf", "sealed", "idx = 7"), |p| matches!(p, P::Entry { index: 7, .. })),
        ("salt byte", |db| flip(db, "audit_leaf", "salt", "idx = 7"), |p| matches!(p, P::Entry { index: 7, .. })),
        ("leaf byte", |db| flip(db, "audit_leaf", "leaf", "idx = 7"), |p| matches!(p, P::Root { size: 300 })),
        (
            "leaf of an erased one",
            |db| flip(db, "audit_leaf", "leaf", "idx = 5"),
            |p| matches!(p, P::Root { size: 300 }),
        ),
        ("last leaf", |db| flip(db, "audit_leaf", "leaf", "idx = 599"), |p| matches!(p, P::Head { .. })),
        (
            "first removed",
            |db| sql(db, "DELETE FROM audit_leaf WHERE idx = 0"),
            |p| matches!(p, P::Missing { first: 0, count: 1 }),
        ),
        (
            "some removed",
            |db| sql(db, "DELETE FROM audit_leaf WHERE idx BETWEEN 9 AND 11"),
            |p| matches!(p, P::Missing { first: 9, count: 3 }),
        ),
        (
            "last removed",
            |db| sql(db, "DELETE FROM audit_leaf WHERE idx = 599"),
            |p| matches!(p, P::Head { written: 600, found: 599 }),
        ),
        (
            "cut before a checkpoint, head hidden too",
            |db| sql(db, "DELETE FROM audit_leaf WHERE idx >= 512; DELETE FROM audit_head"),
            |p| matches!(p, P::Checkpoint { size: 590, .. }),
        ),
        (
            "removed and closed up",
            |db| {
                sql(
                    db,
                    "DELETE FROM audit_leaf WHERE idx = 599; UPDATE audit_leaf SET idx = 599 WHERE idx = 598; UPDATE audit_leaf SET idx = 598 WHERE idx = 599",
                )
            },
            |p| matches!(p, P::Head { .. }),
        ),
        ("pair swapped", |db| swap(db, 20, 21), |p| matches!(p, P::Root { size: 300 })),
        ("pair swapped between checkpoints", |db| swap(db, 400, 401), |p| matches!(p, P::Root { size: 590 })),
        (
            "pair swapped after the last checkpoint",
            |db| swap(db, 597, 598),
            |p| matches!(p, P::Head { written: 600, found: 600 }),
        ),
        (
            "an old record put in place of another of the same person",
            |db| {
                sql(
                    db,
                    "UPDATE audit_leaf SET (flow, recorded, leaf, salt, sealed) = \
                          (SELECT flow, recorded, leaf, salt, sealed FROM audit_leaf WHERE idx = 0) WHERE idx = 6",
                )
            },
            |p| matches!(p, P::Root { size: 300 }),
        ),
        (
            "one added",
            |db| {
                sql(
                    db,
                    "INSERT INTO audit_leaf SELECT 600, person, flow, recorded, leaf, salt, sealed FROM audit_leaf WHERE idx = 0",
                )
            },
            |p| matches!(p, P::Head { written: 600, found: 601 }),
        ),
        (
            "flow",
            |db| sql(db, "UPDATE audit_leaf SET flow = NULL WHERE idx = 7"),
            |p| matches!(p, P::Entry { index: 7, .. }),
        ),
        (
            "instant",
            |db| sql(db, "UPDATE audit_leaf SET recorded = recorded + 1 WHERE idx = 7"),
            |p| matches!(p, P::Entry { index: 7, .. }),
        ),
        (
            "given to another person",
            |db| sql(db, "UPDATE audit_leaf SET person = 1 WHERE idx = 7"),
            |p| matches!(p, P::Entry { index: 7, .. }),
        ),
        (
            "person's key removed",
            |db| sql(db, "DELETE FROM person_key WHERE id = 2"),
            |p| matches!(p, P::Entry { index: 1, .. }),
        ),
        (
            "person's key replaced by another's",
            |db| sql(db, "UPDATE person_key SET wrapped = (SELECT wrapped FROM person_key WHERE id = 1) WHERE id = 2"),
            |p| matches!(p, P::Entry { index: 1, .. }),
        ),
        (
            "blanked without an erasure",
            |db| sql(db, "UPDATE audit_leaf SET salt = NULL, sealed = NULL WHERE idx = 7"),
            |p| matches!(p, P::Entry { index: 7, .. }),
        ),
        (
            "checkpoint",
            |db| flip(db, "audit_checkpoint", "note", "size = 300"),
            |p| matches!(p, P::Checkpoint { size: 300, .. }),
        ),
        (
            "kept node",
            |db| flip(db, "audit_node", "root", "level = 8 AND idx = 1"),
            |p| matches!(p, P::Node { level: 8, index: 1 }),
        ),
        ("head", |db| flip(db, "audit_head", "nodes", "one = 1"), |p| matches!(p, P::Head { .. })),
    ];
    for (name, tamper, finds) in cases {
        let dir = copy(sound.path());
        raw(dir.path(), tamper);
        let report = fixtures::open(dir.path()).audit_verify().await.unwrap();
        assert!(report.problems.iter().any(finds), "{name}: {report:?}");
        assert!(report.problems.iter().all(|problem| !problem.to_string().is_empty()));
    }
}

/// The log's own key signs other checkpoints than ours only in the hands of a thief; another key never does.
#[tokio::test]
async fn a_checkpoint_signed_by_another_key_is_found() {
    let dir = tempfile::tempdir().unwrap();
    sound_log(dir.path()).await;
    let stranger = tempfile::tempdir().unwrap();
    let name = fixtures::open(dir.path()).audit_public_key().split('+').next().unwrap().to_owned();
    let key = NoteKey::open_or_create(&stranger.path().join("key"), &name).unwrap();
    let forged = checkpoint::Checkpoint { origin: name, size: 300, root: [7; 32] }.sign(&key).unwrap();
    raw(dir.path(), |db| db.execute("UPDATE audit_checkpoint SET note = ?1 WHERE size = 300", [forged]).unwrap());
    let report = fixtures::open(dir.path()).audit_verify().await.unwrap();
    assert!(matches!(&report.problems[..], [AuditProblem::Checkpoint { size: 300, .. }]), "{report:?}");
}

/// A copy of a store's folder.
pub(crate) fn copy(from: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("blobs")).unwrap();
    for folder in ["", "blobs"] {
        for entry in std::fs::read_dir(from.join(folder)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), dir.path().join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    dir
}
