//! The data folder: opened, refused, damaged. Each refusal says what to do.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use rusqlite::Connection;
use socle_store::{Batch, Blob, Options, Page, SqliteStore, Store, StoreError, Write};

use crate::audit::copy;
use crate::fixtures::{self, record};

const T: &str = "platform";

fn open(dir: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(dir, Options::default())
}

/// Why a folder does not open.
fn refusal(dir: &Path) -> StoreError {
    open(dir).map(|_| ()).unwrap_err()
}

fn sql(dir: &Path, batch: &str) {
    Connection::open(dir.join("socle.db")).unwrap().execute_batch(batch).unwrap();
}

/// A store with three blobs of 1 000 bytes, in two segments, some resources and an audit log.
async fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 1500, ..Options::default() };
    let store = SqliteStore::open(dir.path(), options).unwrap();
    for n in 0..3_u8 {
        let batch = Batch {
            writes: vec![Write::new("Doc", n.to_string(), "{}").posting("n", n.to_string())],
            blobs: vec![blob(n)],
            audit: vec![record(Some("a"), None)],
            ..Batch::new(T)
        };
        store.commit(batch).await.unwrap();
    }
    dir
}

fn blob(n: u8) -> Blob {
    Blob::new(vec![n; 1000])
}

#[tokio::test]
async fn a_folder_is_made_with_its_parents_for_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("new/données");
    drop(open(&inner).unwrap());
    for name in ["socle.db", "store.lock", "master.key", "audit.key", "blobs"] {
        assert!(inner.join(name).exists(), "{name}");
    }
    #[cfg(unix)]
    for (name, expected) in
        [("", 0o700), ("blobs", 0o700), ("master.key", 0o600), ("audit.key", 0o600), ("socle.db", 0o600)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(inner.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, expected, "{name}");
    }
}

#[tokio::test]
async fn one_folder_belongs_to_one_store_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains("another process"), "{error}");
    drop(first);
    drop(open(dir.path()).unwrap());
}

#[test]
fn a_path_that_cannot_be_a_folder_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = refusal(&path);
        assert!(matches!(error, StoreError::Folder { .. }), "{error:?}");
        assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_refused_with_its_reason() {
    type Spoil = fn(&Path);
    type Expected = fn(&StoreError) -> bool;
    let damaged: Expected = |error| matches!(error, StoreError::Damaged { .. });
    let key: Expected = |error| matches!(error, StoreError::Key { .. });
    let cases: [(&str, Spoil, Expected); 13] = [
        ("not a database", |dir| fs::write(dir.join("socle.db"), "x".repeat(8192)).unwrap(), damaged),
        ("a broken page", |dir| overwrite(&dir.join("socle.db"), 3 * 4096, &[0xff; 4096]), damaged),
        ("cut in half", |dir| cut(&dir.join("socle.db"), 2), damaged),
        ("another program's", |dir| sql(dir, "PRAGMA application_id = 7"), damaged),
        (
            "a newer schema",
            |dir| sql(dir, "PRAGMA user_version = 99"),
            |error| matches!(error, StoreError::Newer { found: 99, known: 2 }),
        ),
        ("no database but blobs", |dir| fs::remove_file(dir.join("socle.db")).unwrap(), damaged),
        ("no master key", |dir| fs::remove_file(dir.join("master.key")).unwrap(), key),
        ("another master key", |dir| fs::write(dir.join("master.key"), "ab".repeat(32)).unwrap(), key),
        ("no key at all in it", |dir| fs::write(dir.join("master.key"), "hello").unwrap(), key),
        ("no signing key", |dir| fs::remove_file(dir.join("audit.key")).unwrap(), key),
        ("no signing key in it", |dir| fs::write(dir.join("audit.key"), "hello").unwrap(), key),
        ("a segment is missing", |dir| fs::remove_file(dir.join("blobs/000002.seg")).unwrap(), damaged),
        ("a segment is cut", |dir| cut(&dir.join("blobs/000002.seg"), 2), damaged),
    ];
    let sound = filled().await;
    drop(open(copy(sound.path()).path()).unwrap());
    for (name, spoil, expected) in cases {
        let dir = copy(sound.path());
        spoil(dir.path());
        let error = refusal(dir.path());
        assert!(expected(&error), "{name}: {error:?}");
        let text = error.to_string();
        assert!(["backup", "newer program"].iter().any(|remedy| text.contains(remedy)), "{name}: {text}");
    }
}

#[tokio::test]
async fn the_signing_key_of_another_store_is_refused() {
    let (one, other) = (filled().await, filled().await);
    fs::copy(other.path().join("audit.key"), one.path().join("audit.key")).unwrap();
    assert!(matches!(refusal(one.path()), StoreError::Key { .. }));
}

#[tokio::test]
async fn an_empty_database_of_nobody_becomes_a_store_and_a_used_one_does_not() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("socle.db"), "").unwrap();
    drop(open(dir.path()).unwrap());
    let dir = tempfile::tempdir().unwrap();
    sql(dir.path(), "CREATE TABLE theirs (x)");
    assert!(matches!(refusal(dir.path()), StoreError::Damaged { .. }));
}

#[tokio::test]
async fn the_rest_of_a_crash_behind_the_last_blob_is_cut_off() {
    let dir = filled().await;
    let segment = dir.path().join("blobs/000002.seg");
    let before = fs::read(&segment).unwrap();
    for rest in [&b"SOCLEB1\n"[..], &[0; 3000], &before] {
        OpenOptions::new().append(true).open(&segment).unwrap().write_all(rest).unwrap();
        drop(fixtures::open(dir.path()));
        assert_eq!(fs::read(&segment).unwrap(), before);
    }
    // A segment that was begun and of which nothing counts is begun again.
    fs::write(dir.path().join("blobs/000003.seg"), "the rest of a crash").unwrap();
    let store = SqliteStore::open(dir.path(), Options { segment_bytes: 1, ..Options::default() }).unwrap();
    store.commit(Batch { blobs: vec![blob(9)], ..Batch::new(T) }).await.unwrap();
    assert_eq!(fs::metadata(dir.path().join("blobs/000003.seg")).unwrap().len(), 1056);
    for n in [0, 1, 2, 9] {
        assert_eq!(store.blob(&blob(n).digest()).await.unwrap().unwrap(), blob(n).bytes());
    }
    assert!(store.check().await.unwrap().is_sound());
}

#[tokio::test]
async fn a_changed_blob_is_never_given_and_the_check_finds_it() {
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil); 5] = [
        ("a byte of it", |dir| overwrite(&dir.join("blobs/000001.seg"), 56 + 500, &[1])),
        ("its header", |dir| overwrite(&dir.join("blobs/000001.seg"), 10, &[1])),
        ("the segment is gone", |dir| fs::remove_file(dir.join("blobs/000001.seg")).unwrap()),
        ("its place in the index", |dir| {
            sql(dir, "UPDATE blob SET offset = offset + 1 WHERE segment = 1 AND offset = 56")
        }),
        ("its length in the index", |dir| {
            sql(dir, "UPDATE blob SET length = 999999999999 WHERE segment = 1 AND offset = 56")
        }),
    ];
    let sound = filled().await;
    for (name, spoil) in cases {
        let dir = copy(sound.path());
        spoil(dir.path());
        let store = fixtures::open(dir.path());
        let error = store.blob(&blob(0).digest()).await.unwrap_err();
        assert!(matches!(error, StoreError::BlobDamaged { .. }), "{name}: {error:?}");
        let report = store.check().await.unwrap();
        assert!(report.bad_blobs.iter().any(|bad| bad.digest == blob(0).digest()), "{name}: {report:?}");
        assert!(!report.is_sound());
        // The others are still given, and new ones are taken.
        assert_eq!(store.blob(&blob(2).digest()).await.unwrap().unwrap(), blob(2).bytes(), "{name}");
        store.commit(Batch { blobs: vec![blob(9)], ..Batch::new(T) }).await.unwrap();
    }
}

#[tokio::test]
async fn the_check_finds_rows_that_contradict_each_other() {
    let cases = [
        ("an index entry is missing", "DELETE FROM posting WHERE rid = 1"),
        ("an index entry too many", "INSERT INTO posting VALUES (1, 77)"),
        ("a version is missing", "DELETE FROM version WHERE rid = 2"),
        ("a version of nothing", "INSERT INTO version VALUES (99, 99, 1, 0, 0, x'')"),
        ("deleted without a tombstone", "UPDATE resource SET deleted = 1 WHERE rid = 3"),
        ("an audit entry was removed", "DELETE FROM audit_leaf WHERE idx = 1"),
    ];
    let sound = filled().await;
    assert!(fixtures::open(sound.path()).check().await.unwrap().is_sound());
    for (name, batch) in cases {
        let dir = copy(sound.path());
        sql(dir.path(), batch);
        let report = fixtures::open(dir.path()).check().await.unwrap();
        assert!(!report.is_sound(), "{name}: {report:?}");
    }
}

/// Two pairs that share an index entry by chance of the hash must not be taken for each other.
#[tokio::test]
async fn a_false_hit_of_the_index_is_not_shown() {
    let dir = filled().await;
    sql(dir.path(), "INSERT INTO posting SELECT term, 2 FROM posting WHERE rid = 1 ON CONFLICT DO NOTHING");
    let store = fixtures::open(dir.path());
    let terms = vec![socle_store::Term::is("n", "0")];
    let found = store.search(T, "Doc", terms.clone(), Page::first(9)).await.unwrap();
    assert_eq!(found.iter().map(|version| version.id.as_str()).collect::<Vec<_>>(), ["0"]);
    assert_eq!(store.count(T, "Doc", terms).await.unwrap(), 1);
}

fn overwrite(path: &Path, at: usize, bytes: &[u8]) {
    let mut content = fs::read(path).unwrap();
    content[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(path, content).unwrap();
}

fn cut(path: &Path, parts: u64) {
    let length = fs::metadata(path).unwrap().len();
    OpenOptions::new().write(true).open(path).unwrap().set_len(length / parts).unwrap();
}
