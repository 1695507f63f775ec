//! What only happens when the machine fails: the disk is full, the folder of blobs is gone.

use std::path::Path;

use socle_identity::Environment;
use socle_trust::audit::{Code, Record, RecordAction};
use tokio::task::JoinSet;

use super::*;
use crate::{Blob, Write};

const T: &str = "platform";

fn batch(id: usize, bytes: usize) -> Batch {
    let kind = Code::dicom("110106");
    Batch {
        writes: vec![Write::new("Doc", id.to_string(), vec![b'x'; bytes]).posting("id", id.to_string())],
        blobs: vec![Blob::new(format!("blob {id}"))],
        audit: vec![Record::new("test", Environment::Jumeau, kind, RecordAction::C, Timestamp::UNIX_EPOCH)],
        ..Batch::new(T)
    }
}

/// A store whose database may grow by so many pages of 4 KiB: what a full disk looks like.
fn tight(dir: &Path, pages: i64) -> SqliteStore {
    let folder = Folder::open(dir).unwrap();
    let db = open_database(&folder).unwrap();
    let now: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    db.pragma_update_and_check(None, "max_page_count", now + pages, |_| Ok(())).unwrap();
    SqliteStore::start(folder, db, Options::default()).unwrap()
}

/// Every batch is there whole if it was acknowledged, and not at all if it was refused.
async fn compare(store: &SqliteStore, outcomes: &[(usize, bool)]) {
    let acknowledged = outcomes.iter().filter(|(_, acknowledged)| *acknowledged).count() as u64;
    for (id, acknowledged) in outcomes {
        let there = store.read(T, "Doc", &id.to_string()).await.unwrap().is_some();
        let blob = store.blob(&Digest::of(format!("blob {id}").as_bytes())).await.unwrap().is_some();
        assert_eq!((there, blob), (*acknowledged, *acknowledged), "{id}");
    }
    let report = store.check().await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.audit.size, report.blobs), (acknowledged, acknowledged));
}

#[tokio::test]
async fn a_full_disk_refuses_what_does_not_fit_and_keeps_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(tight(dir.path(), 60));
    let mut commits = JoinSet::new();
    for id in 0..40 {
        let store = Arc::clone(&store);
        let bytes = if id % 10 == 5 { 1 << 20 } else { 100 };
        commits.spawn(async move { (id, store.commit(batch(id, bytes)).await) });
    }
    let mut outcomes = Vec::new();
    for (id, result) in commits.join_all().await {
        assert!(matches!(result, Ok(_) | Err(StoreError::DiskFull)), "{id}: {result:?}");
        assert!(id % 10 != 5 || result.is_err(), "{id} cannot fit");
        outcomes.push((id, result.is_ok()));
    }
    compare(&store, &outcomes).await;

    // What fits is taken again, on this store and on the next one.
    store.commit(batch(100, 100)).await.unwrap();
    outcomes.push((100, true));
    drop(Arc::into_inner(store).unwrap());
    let store = SqliteStore::open(dir.path(), Options::default()).unwrap();
    store.commit(batch(101, 1 << 20)).await.unwrap();
    outcomes.push((101, true));
    compare(&store, &outcomes).await;
}

#[tokio::test]
async fn without_a_place_for_blobs_nothing_is_acknowledged_until_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    // Each blob begins a segment of its own.
    let store = SqliteStore::open(dir.path(), Options { segment_bytes: 1, ..Options::default() }).unwrap();
    store.commit(batch(0, 10)).await.unwrap();
    let (blobs, away) = (dir.path().join("blobs"), dir.path().join("away"));
    std::fs::rename(&blobs, &away).unwrap();
    let refused = store.commit(batch(1, 10)).await;
    assert!(matches!(refused, Err(StoreError::Io { .. })), "{refused:?}");
    let claim = store.commit(Batch::new(T)).await;
    assert!(claim.is_ok(), "a batch without blobs goes on: {claim:?}");

    std::fs::rename(&away, &blobs).unwrap();
    store.commit(batch(2, 10)).await.unwrap();
    compare(&store, &[(0, true), (1, false), (2, true)]).await;
    drop(store);
    let store = SqliteStore::open(dir.path(), Options::default()).unwrap();
    compare(&store, &[(0, true), (1, false), (2, true)]).await;
}

/// A batch that fails at its last record, as on a full disk, takes the first ones and a new person's key with it.
#[test]
fn the_log_goes_back_with_an_undone_batch() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::open(dir.path()).unwrap();
    let db = open_database(&folder).unwrap();
    let keyring = Keyring::new([7; 32]);
    let notary = Notary::open(&folder, &db, "test").unwrap();
    let mut log = log::Log::load(&db).unwrap();
    let record = |person: &str| {
        let mut record = batch(0, 0).audit.remove(0);
        record.patient = Some(PatientId { system: "urn:test".into(), value: person.into() });
        record
    };
    let mut append = |person: &str, undo: bool| {
        db.execute_batch("SAVEPOINT one").unwrap();
        let mark = log.mark();
        let index = log.append(&db, &keyring, &record(person), Timestamp::UNIX_EPOCH).unwrap();
        if undo {
            log.go_back(mark);
            db.execute_batch("ROLLBACK TO one").unwrap();
        }
        db.execute_batch("RELEASE one").unwrap();
        log::save_head(&db, log.frontier()).unwrap();
        index
    };
    let indexes =
        [("a", false), ("b", true), ("b", true), ("b", false), ("a", false)].map(|(who, undo)| append(who, undo));
    assert_eq!(indexes, [0, 1, 1, 1, 2]);
    let report = verify::verify(&db, &keyring, notary.public()).unwrap();
    assert_eq!((report.opened, report.is_sound()), (3, true), "{report:?}");
}

#[tokio::test]
async fn what_waits_is_written_before_the_store_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), Options::default()).unwrap();
    let (reply, answer) = oneshot::channel();
    let order = Order::Commit(Box::new(batch(0, 10)), reply);
    store.requests.as_ref().unwrap().send(Request { order, room: None }).await.unwrap();
    drop(store);
    answer.await.unwrap().unwrap();
    let store = SqliteStore::open(dir.path(), Options::default()).unwrap();
    compare(&store, &[(0, true)]).await;
}

/// The caller goes away while its commit waits: the writer answers nobody, and goes on.
#[tokio::test]
async fn a_caller_that_goes_away_disturbs_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), Options::default()).unwrap();
    for id in 0..20 {
        let mut commit = store.commit(batch(id, 10));
        std::future::poll_fn(|context| {
            let _ = commit.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    }
    store.commit(batch(20, 10)).await.unwrap();
    assert!(store.check().await.unwrap().is_sound());
    assert_eq!(store.room.available_permits(), QUEUE_KIB, "all room is given back");
}
