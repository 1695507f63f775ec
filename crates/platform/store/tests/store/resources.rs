//! Resources, uniques and blobs through the trait, as a caller sees them.

use crate::fixtures;
use socle_store::{Batch, Blob, Cursor, Delete, Digest, Expect, Page, Release, Store, StoreError, Term, Unique, Write};

const T: &str = "platform";

fn write(id: &str) -> Write {
    Write::new("Doc", id, format!("body of {id}"))
}

fn writes(writes: impl IntoIterator<Item = Write>) -> Batch {
    Batch { writes: writes.into_iter().collect(), ..Batch::new(T) }
}

fn deletes(id: &str, expect: Expect) -> Batch {
    Batch { deletes: vec![Delete { kind: "Doc".into(), id: id.into(), expect }], ..Batch::new(T) }
}

fn ids(versions: &[socle_store::Version]) -> Vec<&str> {
    versions.iter().map(|version| version.id.as_str()).collect()
}

#[tokio::test]
async fn versions_follow_each_other_through_updates_and_a_tombstone() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let first = store.commit(writes([write("1")])).await.unwrap();
    assert_eq!(first.writes, [1]);
    let again = store.commit(writes([Write::new("Doc", "1", "two"), Write::new("Doc", "1", "three")])).await.unwrap();
    assert_eq!(again.writes, [2, 3]);
    assert!(again.at >= first.at);
    assert_eq!(store.commit(deletes("1", Expect::Any)).await.unwrap().deletes, [Some(4)]);
    assert_eq!(store.commit(deletes("1", Expect::Any)).await.unwrap().deletes, [None]);
    assert_eq!(store.commit(deletes("never", Expect::Any)).await.unwrap().deletes, [None]);

    let current = store.read(T, "Doc", "1").await.unwrap().unwrap();
    assert!(current.deleted && current.version == 4 && current.body.is_empty());
    let old = store.read_version(T, "Doc", "1", 2).await.unwrap().unwrap();
    assert_eq!((old.version, &old.body[..], old.deleted), (2, &b"two"[..], false));
    assert_eq!(store.read_version(T, "Doc", "1", 5).await.unwrap(), None);
    assert_eq!(store.read(T, "Doc", "never").await.unwrap(), None);
    assert_eq!(store.read("other", "Doc", "1").await.unwrap(), None);

    assert_eq!(store.commit(writes([write("1").expect(Expect::Absent)])).await.unwrap().writes, [5]);
    let page = store.history(T, "Doc", "1", Page::first(2)).await.unwrap();
    assert_eq!(page.iter().map(|version| version.version).collect::<Vec<_>>(), [5, 4]);
    let rest = store.history(T, "Doc", "1", Page::after(page[1].cursor, 10)).await.unwrap();
    assert_eq!(rest.iter().map(|version| version.version).collect::<Vec<_>>(), [3, 2, 1]);
}

#[tokio::test]
async fn what_is_expected_decides_and_a_refused_batch_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    store.commit(writes([write("alive"), write("dead"), write("dead")])).await.unwrap();
    store.commit(deletes("dead", Expect::Version(2))).await.unwrap();
    let cases = [
        ("absent, never existed", "new-1", Expect::Absent, None),
        ("absent, deleted", "dead", Expect::Absent, None),
        ("absent, alive", "alive", Expect::Absent, Some(Some(1))),
        ("its version", "alive", Expect::Version(1), None),
        ("an older version", "alive", Expect::Version(1), Some(Some(2))),
        ("a version of nothing", "new-2", Expect::Version(1), Some(None)),
        ("version 0", "new-2", Expect::Version(0), Some(None)),
        ("too large a version", "alive", Expect::Version(u64::MAX), Some(Some(2))),
    ];
    for (name, id, expect, conflict) in cases {
        let blob = Blob::new(name);
        let mut batch = writes([write(&format!("beside {name}")), write(id).expect(expect)]);
        batch.blobs.push(blob.clone());
        batch.uniques.push(Unique { name: "n".into(), value: name.into(), owner: "o".into() });
        let result = store.commit(batch).await;
        let beside = store.read(T, "Doc", &format!("beside {name}")).await.unwrap();
        let kept = store.blob(&blob.digest()).await.unwrap();
        let owner = store.owner(T, "n", name).await.unwrap();
        match conflict {
            None => {
                result.unwrap();
                assert!(beside.is_some() && kept.is_some() && owner.is_some(), "{name}");
            }
            Some(expected) => {
                let StoreError::Conflict { found, .. } = result.unwrap_err() else { panic!("{name}") };
                assert_eq!(found, expected, "{name}");
                assert!(beside.is_none() && kept.is_none() && owner.is_none(), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn one_refused_batch_of_a_group_takes_nothing_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let shared = Blob::new("the same bytes in all of them");
    let batches = (0..64).map(|n| {
        let mut batch = writes([write(&format!("{n}")), write("once").expect(Expect::Absent)]);
        batch.blobs.push(shared.clone());
        store.commit(batch)
    });
    let results = futures_join(batches.collect()).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(store.count(T, "Doc", vec![]).await.unwrap(), 2);
    assert_eq!(store.blob(&shared.digest()).await.unwrap().unwrap(), shared.bytes());
}

/// Polls all at once, so that they meet in the writer's queue.
async fn futures_join<T>(futures: Vec<socle_store::Stored<'_, T>>) -> Vec<Result<T, StoreError>> {
    let mut results: Vec<_> = futures.iter().map(|_| None).collect();
    let mut pending: Vec<_> = futures.into_iter().enumerate().collect();
    std::future::poll_fn(|context| {
        pending.retain_mut(|(at, future)| match future.as_mut().poll(context) {
            std::task::Poll::Ready(result) => {
                results[*at] = Some(result);
                false
            }
            std::task::Poll::Pending => true,
        });
        if pending.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    results.into_iter().map(Option::unwrap).collect()
}

#[tokio::test]
async fn a_unique_has_one_owner_until_it_is_released() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let take = |tenant: &str, owner: &str| {
        let unique = Unique { name: "uniqueId".into(), value: "2.25.1".into(), owner: owner.into() };
        store.commit(Batch { uniques: vec![unique], ..Batch::new(tenant) })
    };
    take(T, "a").await.unwrap();
    take(T, "a").await.unwrap();
    take("other", "b").await.unwrap();
    let error = take(T, "b").await.unwrap_err();
    assert!(matches!(&error, StoreError::Taken { name, owner } if name == "uniqueId" && owner == "a"), "{error:?}");
    assert!(!error.to_string().contains("2.25.1"), "the value may be personal");
    assert_eq!(store.owner(T, "uniqueId", "2.25.1").await.unwrap().unwrap(), "a");

    let release = Release { name: "uniqueId".into(), value: "2.25.1".into() };
    let handed_over = Batch {
        releases: vec![release],
        uniques: vec![Unique { name: "uniqueId".into(), value: "2.25.1".into(), owner: "b".into() }],
        ..Batch::new(T)
    };
    store.commit(handed_over).await.unwrap();
    assert_eq!(store.owner(T, "uniqueId", "2.25.1").await.unwrap().unwrap(), "b");
}

#[tokio::test]
async fn search_is_exact_current_and_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let document =
        |id: &str, patient: &str, status: &str| write(id).posting("patient", patient).posting("status", status);
    store.commit(writes([document("1", "p", "current"), document("2", "q", "current")])).await.unwrap();
    store
        .commit(writes([document("3", "p", "old"), document("4", "p", "current"), document("5", "p", "x")]))
        .await
        .unwrap();
    store.commit(writes([document("5", "q", "current")])).await.unwrap();
    store.commit(writes([document("1", "p", "current").posting("status", "also")])).await.unwrap();
    let mut elsewhere = writes([document("6", "p", "current")]);
    elsewhere.tenant = "other".into();
    store.commit(elsewhere).await.unwrap();

    let cases = [
        ("everything", vec![], vec!["5", "4", "3", "2", "1"]),
        ("one term", vec![Term::is("patient", "p")], vec!["4", "3", "1"]),
        ("two terms", vec![Term::is("patient", "p"), Term::is("status", "current")], vec!["4", "1"]),
        ("any of", vec![Term::any_of("status", ["old", "also"])], vec!["3", "1"]),
        (
            "any of, and",
            vec![Term::any_of("status", ["old", "current"]), Term::is("patient", "p")],
            vec!["4", "3", "1"],
        ),
        ("replaced value", vec![Term::is("status", "x")], vec![]),
        ("unknown value", vec![Term::is("status", "nothing")], vec![]),
        ("unknown name", vec![Term::is("nothing", "current")], vec![]),
        ("no value at all", vec![Term::any_of("status", Vec::<String>::new())], vec![]),
    ];
    for (name, terms, expected) in cases {
        assert_eq!(ids(&store.search(T, "Doc", terms.clone(), Page::first(9)).await.unwrap()), expected, "{name}");
        assert_eq!(store.count(T, "Doc", terms).await.unwrap(), expected.len() as u64, "{name}");
    }
    assert!(store.search(T, "Other", vec![], Page::first(9)).await.unwrap().is_empty());
    assert!(store.search("nobody", "Doc", vec![], Page::first(9)).await.unwrap().is_empty());

    store.commit(deletes("4", Expect::Any)).await.unwrap();
    assert_eq!(ids(&store.search(T, "Doc", vec![Term::is("patient", "p")], Page::first(9)).await.unwrap()), ["3", "1"]);
    store.commit(writes([write("4")])).await.unwrap();
    assert_eq!(ids(&store.search(T, "Doc", vec![], Page::first(2)).await.unwrap()), ["5", "4"]);
}

#[tokio::test]
async fn pages_show_each_resource_once_while_others_write() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    store.commit(writes((0..25).map(|n| write(&format!("{n}")).posting("k", "v")))).await.unwrap();
    let mut seen: Vec<String> = Vec::new();
    let mut page = Page::first(10);
    loop {
        let found = store.search(T, "Doc", vec![Term::is("k", "v")], page).await.unwrap();
        let Some(last) = found.last() else { break };
        page = Page::after(Cursor::from_u64(last.cursor.to_u64()), 10);
        seen.extend(found.iter().map(|version| version.id.clone()));
        store
            .commit(writes([write("3").posting("k", "v"), write(&format!("new {}", seen.len())).posting("k", "v")]))
            .await
            .unwrap();
    }
    assert_eq!(seen, (0..25).rev().map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(store.search(T, "Doc", vec![], Page::after(Cursor::from_u64(0), 5)).await.unwrap().is_empty());
    assert_eq!(store.search(T, "Doc", vec![], Page::after(Cursor::from_u64(u64::MAX), 5)).await.unwrap().len(), 5);
    assert!(store.search(T, "Doc", vec![], Page::first(0)).await.unwrap().is_empty());
}

#[tokio::test]
async fn blobs_come_back_by_digest_and_are_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let blobs = [Blob::new(""), Blob::new("a"), Blob::new(vec![7; 300_000]), Blob::new("a")];
    store.commit(Batch { blobs: blobs.to_vec(), ..Batch::new(T) }).await.unwrap();
    let size = || std::fs::metadata(dir.path().join("blobs/000001.seg")).unwrap().len();
    let before = size();
    store.commit(Batch { blobs: blobs.to_vec(), ..Batch::new("other") }).await.unwrap();
    assert_eq!(size(), before, "already there");
    for blob in &blobs {
        assert_eq!(store.blob(&blob.digest()).await.unwrap().unwrap(), blob.bytes());
    }
    assert_eq!(store.blob(&Digest::of(b"never written")).await.unwrap(), None);
}

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let blob = Blob::new("bytes");
    let before = {
        let store = fixtures::open(dir.path());
        let batch = Batch { blobs: vec![blob.clone()], ..writes([write("1").posting("k", "v")]) };
        store.commit(batch).await.unwrap();
        store.read(T, "Doc", "1").await.unwrap()
    };
    let store = fixtures::open(dir.path());
    assert_eq!(store.read(T, "Doc", "1").await.unwrap(), before);
    assert_eq!(store.blob(&blob.digest()).await.unwrap().unwrap(), "bytes");
    assert_eq!(store.commit(writes([write("1"), write("2")])).await.unwrap().writes, [2, 1]);
    assert_eq!(ids(&store.search(T, "Doc", vec![], Page::first(9)).await.unwrap()), ["2", "1"]);
}

#[tokio::test]
async fn what_the_store_does_not_keep_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = fixtures::open(dir.path());
    let long = "x".repeat(256);
    let cases: [(&str, Batch); 8] = [
        ("no tenant", Batch::new("")),
        ("no id", writes([write("")])),
        ("long id", writes([write(&long)])),
        ("no kind", writes([Write::new("", "1", "")])),
        ("long posting value", writes([write("1").posting("n", "v".repeat(1025))])),
        ("no posting name", writes([write("1").posting("", "v")])),
        ("too many postings", writes([(0..10_001).fold(write("1"), |write, n| write.posting("n", n.to_string()))])),
        (
            "no owner",
            Batch {
                uniques: vec![Unique { name: "n".into(), value: "v".into(), owner: String::new() }],
                ..Batch::new(T)
            },
        ),
    ];
    for (name, batch) in cases {
        assert!(matches!(store.commit(batch).await, Err(StoreError::Invalid { .. })), "{name}");
    }
    let huge = Batch { blobs: vec![Blob::new(vec![0; 257 << 20])], ..Batch::new(T) };
    assert!(matches!(store.commit(huge).await, Err(StoreError::TooBig { .. })));
    assert_eq!(store.count(T, "Doc", vec![]).await.unwrap(), 0);
}
