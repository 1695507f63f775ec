//! Typed entries: each filter, order and page, over resources that each differ in one thing.

use std::path::Path;

use socle_store::{
    Batch, Bounds, Delete, Entry, Expect, Filter, Key, Page, Query, Sort, SortBy, SqliteStore, Store as _, StoreError,
    TextTest, Write,
};

use crate::fixtures::open;

const T: &str = "base";

fn exact(name: &str, word: &str) -> Entry {
    Entry::new(name, Key::Exact(word.into()))
}

fn text(name: &str, folded: &str, written: &str) -> Entry {
    Entry::new(name, Key::Text { folded: folded.into(), written: written.into() })
}

fn range(name: &str, unit: &str, low: i64, high: i64) -> Entry {
    Entry::new(name, Key::Range { unit: unit.into(), low, high })
}

fn link(name: &str, kind: &str, id: &str) -> Entry {
    Entry::new(name, Key::Link { kind: kind.into(), id: id.into() })
}

fn write(kind: &str, id: &str, entries: Vec<Entry>) -> Write {
    Write { entries, ..Write::new(kind, id, format!("{kind}/{id}")) }
}

async fn filled(dir: &Path) -> SqliteStore {
    let store = open(dir);
    let mut batch = Batch::new(T);
    batch.writes = vec![
        write("P", "p1", vec![text("name", "elodie", "Élodie"), range("born", "", 10, 19), exact("sex", "f")]),
        write("P", "p2", vec![text("name", "eloi", "Eloi"), range("born", "", 30, 30), exact("sex", "m")]),
        write("P", "p3", vec![text("name", "zoe elo", "Zoé Elo"), exact("sex", "f")]),
        write("O", "o1", vec![link("subject", "P", "p1"), exact("code", "a"), range("value", "kg", 5, 5)]),
        write("O", "o2", vec![link("subject", "P", "p1"), exact("code", "b"), range("value", "g", 5, 5)]),
        write("O", "o3", vec![link("subject", "P", "p2"), exact("code", "a")]),
        write("O", "o4", vec![link("subject", "P", "gone"), exact("code", "a")]),
        write("O", "o5", vec![link("subject", "", "http://elsewhere/P/p1"), exact("code", "a")]),
    ];
    store.commit(batch).await.unwrap();
    let mut other = Batch::new("another tenant");
    other.writes = vec![write("P", "p1", vec![text("name", "elodie", "Élodie"), exact("sex", "f")])];
    store.commit(other).await.unwrap();
    store
}

fn query(kind: &str, filter: Filter) -> Query {
    Query { tenant: T.into(), kind: kind.into(), filter, sort: Vec::new(), page: Page::first(100), count: true }
}

async fn ids(store: &SqliteStore, query: Query) -> String {
    let count = query.count;
    let found = store.find(query).await.unwrap();
    if count {
        assert_eq!(found.total, Some(found.versions.len() as u64));
    }
    found.versions.iter().map(|version| version.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn is(name: &str, word: &str) -> Filter {
    Filter::Exact(name.into(), vec![word.into()])
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

fn at_least(low: i64) -> Bounds {
    Bounds { low: (low, i64::MAX), ..Bounds::ANY }
}

#[tokio::test]
async fn each_filter_finds_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let name = |test| Filter::Text("name".into(), test);
    let born = |unit: &str, bounds| Filter::Range("born".into(), unit.into(), bounds);
    let subject = |filter| Filter::LinksTo("subject".into(), "P".into(), Box::new(filter));
    let observed = |filter| Filter::LinkedFrom("O".into(), "subject".into(), Box::new(filter));
    let to = |kind: &str, id: &str| Filter::Link("subject".into(), vec![(kind.into(), id.into())]);
    let cases = [
        ("everything", "P", Filter::All(vec![]), "p3 p2 p1"),
        ("nothing", "P", Filter::Any(vec![]), ""),
        ("a kind that is not there", "X", Filter::All(vec![]), ""),
        ("a word", "P", is("sex", "f"), "p3 p1"),
        ("one of two words", "P", Filter::Exact("sex".into(), vec!["f".into(), "m".into()]), "p3 p2 p1"),
        ("a word of another name", "P", is("name", "f"), ""),
        ("not a word", "P", not(is("sex", "f")), "p2"),
        ("not a name that nobody has", "P", not(is("x", "f")), "p3 p2 p1"),
        ("an id", "P", Filter::Id(vec!["p2".into(), "nobody".into()]), "p2"),
        ("a beginning", "P", name(TextTest::Begins("elo".into())), "p2 p1"),
        ("a part", "P", name(TextTest::Holds("elo".into())), "p3 p2 p1"),
        ("a part with a pattern's sign", "P", name(TextTest::Holds("%".into())), ""),
        ("a whole", "P", name(TextTest::Is("eloi".into())), "p2"),
        ("as written", "P", name(TextTest::Written("elodie".into(), "Élodie".into())), "p1"),
        ("not as written", "P", name(TextTest::Written("elodie".into(), "Elodie".into())), ""),
        ("from a number", "P", born("", at_least(11)), "p2"),
        ("from the lower end", "P", born("", at_least(10)), "p2 p1"),
        ("up to the upper end", "P", born("", Bounds { high: (i64::MIN, 19), ..Bounds::ANY }), "p1"),
        ("another unit", "P", born("kg", Bounds::ANY), ""),
        ("a unit", "O", Filter::Range("value".into(), "kg".into(), Bounds::ANY), "o1"),
        ("present", "P", Filter::Present("born".into()), "p2 p1"),
        ("missing", "P", not(Filter::Present("born".into())), "p3"),
        ("a link", "O", to("P", "p1"), "o2 o1"),
        ("a link to what is not there", "O", to("P", "gone"), "o4"),
        ("a link outside", "O", to("", "http://elsewhere/P/p1"), "o5"),
        ("chain", "O", subject(name(TextTest::Begins("elo".into()))), "o3 o2 o1"),
        ("chain that sifts", "O", subject(name(TextTest::Holds("die".into()))), "o2 o1"),
        ("chain and word", "O", Filter::All(vec![is("code", "a"), subject(is("sex", "f"))]), "o1"),
        (
            "chain to a kind that is not there",
            "O",
            Filter::LinksTo("subject".into(), "X".into(), Box::new(is("a", "b"))),
            "",
        ),
        ("reverse chain", "P", observed(is("code", "a")), "p2 p1"),
        ("reverse chain that sifts", "P", observed(not(is("code", "b"))), "p2 p1"),
        ("not reverse chained", "P", not(observed(is("code", "b"))), "p3 p2"),
        ("there and back", "O", subject(observed(is("code", "b"))), "o2 o1"),
        ("either", "P", Filter::Any(vec![is("sex", "m"), name(TextTest::Begins("zo".into()))]), "p3 p2"),
        ("committed since ever", "P", Filter::Updated(at_least(0)), "p3 p2 p1"),
        ("committed later", "P", Filter::Updated(at_least(i64::MAX - 1)), ""),
    ];
    for (what, kind, filter, expected) in cases {
        assert_eq!(ids(&store, query(kind, filter)).await, expected, "{what}");
    }
    assert!(store.check().await.unwrap().is_sound());
}

#[tokio::test]
async fn an_update_replaces_entries_and_a_delete_removes_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let mut batch = Batch::new(T);
    batch.writes = vec![
        write("P", "p1", vec![exact("sex", "never")]),
        write("P", "p1", vec![exact("sex", "m"), exact("sex", "m")]),
    ];
    batch.deletes = vec![Delete { kind: "P".into(), id: "p3".into(), expect: Expect::Any }];
    store.commit(batch).await.unwrap();
    for (filter, expected) in [
        (is("sex", "m"), "p2 p1"),
        (is("sex", "f"), ""),
        (is("sex", "never"), ""),
        (Filter::Present("born".into()), "p2"),
        (Filter::All(vec![]), "p2 p1"),
    ] {
        assert_eq!(ids(&store, query("P", filter)).await, expected);
    }
    // A tombstone links to nobody, and nobody chains to it.
    let gone = Filter::LinksTo("subject".into(), "P".into(), Box::new(Filter::All(vec![])));
    let mut batch = Batch::new(T);
    batch.deletes = vec![Delete { kind: "P".into(), id: "p2".into(), expect: Expect::Any }];
    store.commit(batch).await.unwrap();
    assert_eq!(ids(&store, query("O", gone)).await, "o2 o1");
    assert!(store.check().await.unwrap().is_sound());
}

#[tokio::test]
async fn pages_in_every_order_show_each_resource_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let by = |by, descending| Sort { by, descending };
    let cases = [
        (vec![], "p3 p2 p1"),
        (vec![by(SortBy::Text("name".into()), false)], "p1 p2 p3"),
        (vec![by(SortBy::Text("name".into()), true)], "p3 p2 p1"),
        (vec![by(SortBy::Range("born".into()), false)], "p1 p2 p3"),
        (vec![by(SortBy::Range("born".into()), true)], "p2 p1 p3"),
        (vec![by(SortBy::Text("nobody has it".into()), false), by(SortBy::Id, false)], "p1 p2 p3"),
        (vec![by(SortBy::Updated, false)], "p1 p2 p3"),
        (vec![by(SortBy::Updated, true)], "p3 p2 p1"),
    ];
    for (sort, expected) in cases {
        for limit in 1..4 {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = Page { limit, after };
                let asked = Query { sort: sort.clone(), page, count: false, ..query("P", Filter::All(vec![])) };
                let found = store.find(asked).await.unwrap();
                seen.extend(found.versions.iter().map(|version| version.id.clone()));
                let Some(last) = found.versions.last() else { break };
                after = Some(last.cursor);
            }
            assert_eq!(seen.join(" "), expected, "{sort:?} by {limit}");
        }
    }
    let lost = Page { limit: 1, after: Some(socle_store::Cursor::from_u64(99)) };
    let asked = Query { sort: vec![by(SortBy::Id, false)], page: lost, ..query("P", Filter::All(vec![])) };
    assert!(matches!(store.find(asked).await, Err(StoreError::Invalid { .. })));
}

/// More than a small set: lists lead, and the answer is the same.
#[tokio::test]
async fn what_is_frequent_is_found_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut batch = Batch::new(T);
    batch.writes = (0..3000)
        .map(|n: i64| {
            let parity = if n % 2 == 0 { "even" } else { "odd" };
            write("N", &n.to_string(), vec![exact("parity", parity), range("n", "", n, n), link("of", "M", "m")])
        })
        .collect();
    batch.writes.push(write("M", "m", vec![exact("is", "m")]));
    store.commit(batch).await.unwrap();
    let of = Filter::LinksTo("of".into(), "M".into(), Box::new(is("is", "m")));
    for (filter, total, first) in [
        (is("parity", "even"), 1500, "2998"),
        (Filter::All(vec![is("parity", "odd"), Filter::Range("n".into(), String::new(), at_least(10))]), 1495, "2999"),
        (Filter::All(vec![of, not(is("parity", "odd"))]), 1500, "2998"),
        (Filter::All(vec![is("parity", "odd"), Filter::Range("n".into(), String::new(), at_least(2990))]), 5, "2999"),
    ] {
        let found = store.find(Query { page: Page::first(1), ..query("N", filter) }).await.unwrap();
        assert_eq!((found.total, found.versions[0].id.as_str()), (Some(total), first));
    }
}

#[tokio::test]
async fn changes_of_a_kind_and_of_all_kinds_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let mut batch = Batch::new(T);
    batch.deletes = vec![Delete { kind: "P".into(), id: "p1".into(), expect: Expect::Any }];
    let at = store.commit(batch).await.unwrap().at;
    let shown = |versions: Vec<socle_store::Version>| {
        versions.iter().map(|one| format!("{}/{}v{}", one.kind, one.id, one.version)).collect::<Vec<_>>().join(" ")
    };
    let all = Page::first(100);
    assert_eq!(shown(store.changes(T, Some("P"), None, all).await.unwrap()), "P/p1v2 P/p3v1 P/p2v1 P/p1v1");
    assert_eq!(shown(store.changes(T, None, Some(at), all).await.unwrap()), "P/p1v2");
    let first = store.changes(T, None, None, Page::first(2)).await.unwrap();
    let next = store.changes(T, None, None, Page::after(first[1].cursor, 3)).await.unwrap();
    assert_eq!((shown(first).as_str(), shown(next).as_str()), ("P/p1v2 O/o5v1", "O/o4v1 O/o3v1 O/o2v1"));
}

/// A folder of the first schema opens, and has its changes in order.
#[tokio::test]
async fn a_folder_of_version_1_is_brought_forward() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path()).await);
    let db = rusqlite::Connection::open(dir.path().join("socle.db")).unwrap();
    db.execute_batch(
        "DROP TABLE param; DROP TABLE entry_exact; DROP TABLE entry_text; DROP TABLE entry_range;
         DROP TABLE entry_link; DROP TABLE change; PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(db);
    let store = open(dir.path());
    assert!(store.check().await.unwrap().is_sound());
    assert_eq!(store.changes(T, Some("P"), None, Page::first(9)).await.unwrap().len(), 3);
    store.commit(Batch { writes: vec![write("P", "p4", vec![exact("sex", "f")])], ..Batch::new(T) }).await.unwrap();
    assert_eq!(ids(&store, query("P", is("sex", "f"))).await, "p4");
}
