//! Resources and their versions: written, deleted, read, searched; unique names.

use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::postings::{self, Candidates};
use super::sql::{from_micros, to_i64, to_micros, to_u64};
use crate::{Cursor, Delete, Expect, Page, Release, StoreError, Term, Unique, Version, Write};

/// The last resource and version numbers given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    rid: i64,
    seq: i64,
}

impl Numbers {
    pub(super) fn load(db: &Connection) -> Result<Self, StoreError> {
        let rid = db.query_row("SELECT coalesce(max(rid), 0) FROM resource", [], |row| row.get(0))?;
        let seq = db.query_row("SELECT coalesce(max(seq), 0) FROM version", [], |row| row.get(0))?;
        Ok(Self { rid, seq })
    }
}

/// The number of a space, made when it is new.
pub(super) fn intern_space(db: &Connection, tenant: &str, kind: &str) -> Result<i64, StoreError> {
    if let Some(space) = find_space(db, tenant, kind)? {
        return Ok(space);
    }
    let insert = "INSERT INTO space (id, tenant, kind) SELECT coalesce(max(id), 0) + 1, ?1, ?2 FROM space RETURNING id";
    Ok(db.prepare_cached(insert)?.query_row((tenant, kind), |row| row.get(0))?)
}

/// The number of a space, if there is one.
pub(super) fn find_space(db: &Connection, tenant: &str, kind: &str) -> Result<Option<i64>, StoreError> {
    let select = "SELECT id FROM space WHERE tenant = ?1 AND kind = ?2";
    Ok(db.prepare_cached(select)?.query_row((tenant, kind), |row| row.get(0)).optional()?)
}

/// What a write made.
pub(super) struct Written {
    pub(super) rid: i64,
    pub(super) version: u64,
}

/// A resource's row.
struct Current {
    rid: i64,
    version: u64,
    deleted: bool,
    postings: Vec<u8>,
}

fn current(db: &Connection, space: i64, id: &str) -> Result<Option<Current>, StoreError> {
    let select = "SELECT rid, version, deleted, postings FROM resource WHERE space = ?1 AND id = ?2";
    let row = db
        .prepare_cached(select)?
        .query_row((space, id), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((rid, version, deleted, postings)) = row else { return Ok(None) };
    Ok(Some(Current { rid, version: to_u64(version)?, deleted, postings }))
}

fn check(kind: &str, id: &str, expected: Expect, current: Option<&Current>) -> Result<(), StoreError> {
    let met = match expected {
        Expect::Any => true,
        Expect::Absent => current.is_none_or(|current| current.deleted),
        Expect::Version(version) => current.is_some_and(|current| current.version == version),
    };
    if met {
        return Ok(());
    }
    let found = current.map(|current| current.version);
    Err(StoreError::Conflict { kind: kind.to_owned(), id: id.to_owned(), expected, found })
}

/// Writes a new version; gives its resource and number.
pub(super) fn write(
    db: &Connection,
    numbers: &mut Numbers,
    space: i64,
    write: &Write,
    at: Timestamp,
) -> Result<Written, StoreError> {
    let current = current(db, space, &write.id)?;
    check(&write.kind, &write.id, write.expect, current.as_ref())?;
    let packed = postings::pack(&write.postings);
    let after = postings::entries(space, &packed);
    numbers.seq += 1;
    let (rid, version) = match current {
        None => {
            numbers.rid += 1;
            insert_resource(db, numbers, space, &write.id, &packed)?;
            index(db, numbers.rid, &[], &after)?;
            (numbers.rid, 1)
        }
        Some(current) => {
            let before = if current.deleted { Vec::new() } else { postings::entries(space, &current.postings) };
            let version = current.version + 1;
            update_resource(db, current.rid, version, numbers.seq, false, &packed)?;
            index(db, current.rid, &before, &after)?;
            (current.rid, version)
        }
    };
    insert_version(db, space, numbers.seq, rid, version, at, Some(&write.body))?;
    Ok(Written { rid, version })
}

/// Writes a tombstone; gives its number, or nothing when there was nothing to delete.
pub(super) fn delete(
    db: &Connection,
    numbers: &mut Numbers,
    space: i64,
    delete: &Delete,
    at: Timestamp,
) -> Result<Option<u64>, StoreError> {
    let current = current(db, space, &delete.id)?;
    check(&delete.kind, &delete.id, delete.expect, current.as_ref())?;
    let Some(current) = current.filter(|current| !current.deleted) else { return Ok(None) };
    numbers.seq += 1;
    let version = current.version + 1;
    update_resource(db, current.rid, version, numbers.seq, true, &[])?;
    index(db, current.rid, &postings::entries(space, &current.postings), &[])?;
    super::index::clear(db, current.rid)?;
    insert_version(db, space, numbers.seq, current.rid, version, at, None)?;
    Ok(Some(version))
}

fn insert_resource(db: &Connection, numbers: &Numbers, space: i64, id: &str, packed: &[u8]) -> Result<(), StoreError> {
    let insert =
        "INSERT INTO resource (rid, space, id, version, seq, deleted, postings) VALUES (?1, ?2, ?3, 1, ?4, 0, ?5)";
    db.prepare_cached(insert)?.execute((numbers.rid, space, id, numbers.seq, packed))?;
    Ok(())
}

fn update_resource(
    db: &Connection,
    rid: i64,
    version: u64,
    seq: i64,
    deleted: bool,
    packed: &[u8],
) -> Result<(), StoreError> {
    let update = "UPDATE resource SET version = ?2, seq = ?3, deleted = ?4, postings = ?5 WHERE rid = ?1";
    db.prepare_cached(update)?.execute((rid, to_i64(version), seq, deleted, packed))?;
    Ok(())
}

fn insert_version(
    db: &Connection,
    space: i64,
    seq: i64,
    rid: i64,
    version: u64,
    at: Timestamp,
    body: Option<&Bytes>,
) -> Result<(), StoreError> {
    let insert = "INSERT INTO version (seq, rid, version, at, deleted, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let bytes: &[u8] = body.map_or(&[], |body| body);
    db.prepare_cached(insert)?.execute((seq, rid, to_i64(version), to_micros(at), body.is_none(), bytes))?;
    db.prepare_cached("INSERT INTO change (space, seq) VALUES (?1, ?2)")?.execute((space, seq))?;
    Ok(())
}

/// Moves the index from `before` to `after`, both sorted: an update mostly changes few entries.
fn index(db: &Connection, rid: i64, before: &[i64], after: &[i64]) -> Result<(), StoreError> {
    let mut remove = db.prepare_cached("DELETE FROM posting WHERE term = ?1 AND rid = ?2")?;
    for entry in before.iter().filter(|entry| after.binary_search(entry).is_err()) {
        remove.execute((entry, rid))?;
    }
    let mut add = db.prepare_cached("INSERT INTO posting (term, rid) VALUES (?1, ?2)")?;
    for entry in after.iter().filter(|entry| before.binary_search(entry).is_err()) {
        add.execute((entry, rid))?;
    }
    Ok(())
}

/// Takes a unique name, or finds it held by the same owner.
pub(super) fn take(db: &Connection, tenant: &str, unique: &Unique) -> Result<(), StoreError> {
    match owner(db, tenant, &unique.name, &unique.value)? {
        Some(owner) if owner == unique.owner => Ok(()),
        Some(owner) => Err(StoreError::Taken { name: unique.name.clone(), owner }),
        None => {
            let insert = "INSERT INTO uniq (tenant, name, value, owner) VALUES (?1, ?2, ?3, ?4)";
            db.prepare_cached(insert)?.execute((tenant, &unique.name, &unique.value, &unique.owner))?;
            Ok(())
        }
    }
}

/// Gives a unique name back.
pub(super) fn release(db: &Connection, tenant: &str, release: &Release) -> Result<(), StoreError> {
    let delete = "DELETE FROM uniq WHERE tenant = ?1 AND name = ?2 AND value = ?3";
    db.prepare_cached(delete)?.execute((tenant, &release.name, &release.value))?;
    Ok(())
}

/// Who holds a unique name.
pub(super) fn owner(db: &Connection, tenant: &str, name: &str, value: &str) -> Result<Option<String>, StoreError> {
    let select = "SELECT owner FROM uniq WHERE tenant = ?1 AND name = ?2 AND value = ?3";
    Ok(db.prepare_cached(select)?.query_row((tenant, name, value), |row| row.get(0)).optional()?)
}

/// The columns of a version, in the order that [`version`] reads.
macro_rules! version_columns {
    () => {
        "v.version, v.at, v.deleted, v.body"
    };
}

/// A version whose columns begin at `first`.
pub(super) fn version(row: &Row<'_>, first: usize, kind: &str, id: String, cursor: u64) -> Result<Version, StoreError> {
    Ok(Version {
        kind: kind.to_owned(),
        id,
        version: to_u64(row.get(first)?)?,
        at: from_micros(row.get(first + 1)?)?,
        deleted: row.get(first + 2)?,
        body: row.get::<_, Vec<u8>>(first + 3)?.into(),
        cursor: Cursor(cursor),
    })
}

/// The current version.
pub(super) fn read(db: &Connection, tenant: &str, kind: &str, id: &str) -> Result<Option<Version>, StoreError> {
    let select = concat!(
        "SELECT ",
        version_columns!(),
        ", r.rid FROM space s JOIN resource r ON r.space = s.id JOIN version v ON v.seq = r.seq ",
        "WHERE s.tenant = ?1 AND s.kind = ?2 AND r.id = ?3"
    );
    let mut statement = db.prepare_cached(select)?;
    let mut rows = statement.query((tenant, kind, id))?;
    rows.next()?.map(|row| version(row, 0, kind, id.to_owned(), to_u64(row.get(4)?)?)).transpose()
}

/// The version `number`.
pub(super) fn read_version(
    db: &Connection,
    tenant: &str,
    kind: &str,
    id: &str,
    number: u64,
) -> Result<Option<Version>, StoreError> {
    let select = concat!(
        "SELECT ",
        version_columns!(),
        " FROM space s JOIN resource r ON r.space = s.id JOIN version v ON v.rid = r.rid AND v.version = ?4 ",
        "WHERE s.tenant = ?1 AND s.kind = ?2 AND r.id = ?3"
    );
    let mut statement = db.prepare_cached(select)?;
    let mut rows = statement.query((tenant, kind, id, to_i64(number)))?;
    rows.next()?.map(|row| version(row, 0, kind, id.to_owned(), number)).transpose()
}

/// The versions of a resource, newest first; a version's cursor is its number.
pub(super) fn history(
    db: &Connection,
    tenant: &str,
    kind: &str,
    id: &str,
    page: Page,
) -> Result<Vec<Version>, StoreError> {
    let select = concat!(
        "SELECT ",
        version_columns!(),
        " FROM space s JOIN resource r ON r.space = s.id JOIN version v ON v.rid = r.rid ",
        "WHERE s.tenant = ?1 AND s.kind = ?2 AND r.id = ?3 AND v.version < ?4 ORDER BY v.version DESC LIMIT ?5"
    );
    let mut statement = db.prepare_cached(select)?;
    let mut rows = statement.query((tenant, kind, id, page.before(), page.rows()))?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(version(row, 0, kind, id.to_owned(), to_u64(row.get(0)?)?)?);
    }
    Ok(versions)
}

/// The versions of a kind or of all kinds, newest first; a version's cursor is its number in the order of commits.
pub(super) fn changes(
    db: &Connection,
    tenant: &str,
    kind: Option<&str>,
    since: Option<Timestamp>,
    page: Page,
) -> Result<Vec<Version>, StoreError> {
    // A kind has its own list; all kinds of a tenant together are the list of versions, mostly.
    let select = match kind {
        Some(_) => concat!(
            "SELECT ",
            version_columns!(),
            ", r.id, s.kind, v.seq FROM space s JOIN change c ON c.space = s.id JOIN version v ON v.seq = c.seq ",
            "JOIN resource r ON r.rid = v.rid WHERE s.tenant = ?1 AND s.kind = ?2 AND c.seq < ?3 AND v.at >= ?4 ",
            "ORDER BY c.seq DESC LIMIT ?5"
        ),
        None => concat!(
            "SELECT ",
            version_columns!(),
            ", r.id, s.kind, v.seq FROM version v CROSS JOIN resource r ON r.rid = v.rid CROSS JOIN space s ON s.id = r.space ",
            "WHERE s.tenant = ?1 AND ?2 IS NULL AND v.seq < ?3 AND v.at >= ?4 ORDER BY v.seq DESC LIMIT ?5"
        ),
    };
    let since = since.map_or(i64::MIN, to_micros);
    let mut statement = db.prepare_cached(select)?;
    let mut rows = statement.query((tenant, kind, page.before(), since, page.rows()))?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(5)?;
        versions.push(version(row, 0, &kind, row.get(4)?, to_u64(row.get(6)?)?)?);
    }
    Ok(versions)
}

/// The living resources that have all terms, newest created first; a version's cursor is its resource.
pub(super) fn search(
    db: &Connection,
    tenant: &str,
    kind: &str,
    terms: &[Term],
    page: Page,
) -> Result<Vec<Version>, StoreError> {
    let limit = page.limit.min(Page::MAX);
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    let select = concat!(
        "SELECT r.space, r.postings, r.id, ",
        version_columns!(),
        " FROM resource r JOIN version v ON v.seq = r.seq WHERE r.rid = ?1 AND r.deleted = 0"
    );
    visit(db, (tenant, kind), terms, page.after, select, |rid, row| {
        found.push(version(row, 3, kind, row.get(2)?, to_u64(rid)?)?);
        Ok(found.len() < limit)
    })?;
    Ok(found)
}

/// How many living resources have all terms.
pub(super) fn count(db: &Connection, tenant: &str, kind: &str, terms: &[Term]) -> Result<u64, StoreError> {
    let mut count = 0;
    let select = "SELECT space, postings FROM resource WHERE rid = ?1 AND deleted = 0";
    visit(db, (tenant, kind), terms, None, select, |_, _| {
        count += 1;
        Ok(true)
    })?;
    Ok(count)
}

/// Visits the living resources that have all terms, on one snapshot, until the visitor says `false`. `select` gives the
/// space and postings of a resource first, then what the visitor wants.
fn visit(
    db: &Connection,
    (tenant, kind): (&str, &str),
    terms: &[Term],
    after: Option<Cursor>,
    select: &str,
    mut visitor: impl FnMut(i64, &Row<'_>) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let snapshot = db.unchecked_transaction()?;
    let Some(space) = find_space(&snapshot, tenant, kind)? else { return Ok(()) };
    let mut candidates = Candidates::new(&snapshot, space, terms, after.map(|cursor| to_i64(cursor.0)))?;
    let mut statement = snapshot.prepare_cached(select)?;
    while let Some(rid) = candidates.next()? {
        let mut rows = statement.query([rid])?;
        let Some(row) = rows.next()? else { continue };
        let truly =
            row.get::<_, i64>(0)? == space && postings::holds(row.get_ref(1)?.as_blob().unwrap_or_default(), terms);
        if truly && !visitor(rid, row)? {
            break;
        }
    }
    Ok(())
}
