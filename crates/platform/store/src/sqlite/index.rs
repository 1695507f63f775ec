//! Typed entries: turned into rows, put in order, written; cleared with their resource.
//!
//! *Invariant:* only living resources have entries. The rows of one batch go into each table in the order of its
//! key, so that a large transaction touches each page once.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _};

use super::resources::{self, Written};
use crate::index::TEXT_LIMIT;
use crate::{Digest, Entry, Key, StoreError};

/// The 8 bytes by which a word is known.
pub(super) fn hash(word: &str) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Digest::of(word.as_bytes()).as_bytes()[..8]);
    i64::from_be_bytes(first)
}

/// The number of a unit; 0 for none.
pub(super) fn unit(unit: &str) -> i64 {
    if unit.is_empty() { 0 } else { hash(unit) }
}

/// A text as it is kept, and as one that is searched has to be cut to meet it.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_LIMIT)]
}

/// The number of an entry name in a space, if there is one.
pub(super) fn find_param(db: &Connection, space: i64, name: &str) -> Result<Option<i64>, StoreError> {
    let select = "SELECT id FROM param WHERE space = ?1 AND name = ?2";
    Ok(db.prepare_cached(select)?.query_row((space, name), |row| row.get(0)).optional()?)
}

fn intern_param(db: &Connection, space: i64, name: &str) -> Result<i64, StoreError> {
    if let Some(param) = find_param(db, space, name)? {
        return Ok(param);
    }
    let insert = "INSERT INTO param (id, space, name) SELECT coalesce(max(id), 0) + 1, ?1, ?2 FROM param RETURNING id";
    Ok(db.prepare_cached(insert)?.query_row((space, name), |row| row.get(0))?)
}

/// Removes all entries of a resource.
pub(super) fn clear(db: &Connection, rid: i64) -> Result<(), StoreError> {
    for delete in [
        "DELETE FROM entry_exact WHERE rid = ?1",
        "DELETE FROM entry_text WHERE rid = ?1",
        "DELETE FROM entry_range WHERE rid = ?1",
        "DELETE FROM entry_link WHERE rid = ?1",
    ] {
        db.prepare_cached(delete)?.execute([rid])?;
    }
    Ok(())
}

/// The rows of one batch.
pub(super) struct Rows<'a> {
    tenant: &'a str,
    params: HashMap<(i64, &'a str), i64>,
    spaces: HashMap<&'a str, i64>,
    /// The resources whose entries these are.
    of: HashSet<i64>,
    exact: Vec<(i64, i64, i64)>,
    text: Vec<(i64, i64, &'a str, &'a str)>,
    range: Vec<(i64, i64, i64, i64, i64)>,
    link: Vec<(i64, i64, i64, &'a str)>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(tenant: &'a str) -> Self {
        Self {
            tenant,
            params: HashMap::new(),
            spaces: HashMap::new(),
            of: HashSet::new(),
            exact: Vec::new(),
            text: Vec::new(),
            range: Vec::new(),
            link: Vec::new(),
        }
    }

    /// Adds the entries of a resource that was just written; those of its former version go at once.
    pub(super) fn add(
        &mut self,
        db: &Connection,
        space: i64,
        written: &Written,
        entries: &'a [Entry],
    ) -> Result<(), StoreError> {
        let rid = written.rid;
        if written.version > 1 {
            clear(db, rid)?;
        }
        if !self.of.insert(rid) {
            self.forget(rid);
        }
        for entry in entries {
            let param = self.param(db, space, &entry.name)?;
            match &entry.value {
                Key::Exact(word) => self.exact.push((rid, param, hash(word))),
                Key::Text { folded, written } => self.text.push((rid, param, cut(folded), cut(written))),
                Key::Range { unit: of, low, high } => self.range.push((rid, param, unit(of), *low, *high)),
                Key::Link { kind, id } => {
                    let space = self.space(db, kind)?;
                    self.link.push((rid, param, space, id));
                }
            }
        }
        Ok(())
    }

    /// A resource written twice in one batch: the last one counts.
    fn forget(&mut self, rid: i64) {
        self.exact.retain(|row| row.0 != rid);
        self.text.retain(|row| row.0 != rid);
        self.range.retain(|row| row.0 != rid);
        self.link.retain(|row| row.0 != rid);
    }

    fn param(&mut self, db: &Connection, space: i64, name: &'a str) -> Result<i64, StoreError> {
        if let Some(param) = self.params.get(&(space, name)) {
            return Ok(*param);
        }
        let param = intern_param(db, space, name)?;
        self.params.insert((space, name), param);
        Ok(param)
    }

    fn space(&mut self, db: &Connection, kind: &'a str) -> Result<i64, StoreError> {
        if kind.is_empty() {
            return Ok(0);
        }
        if let Some(space) = self.spaces.get(kind) {
            return Ok(*space);
        }
        let space = resources::intern_space(db, self.tenant, kind)?;
        self.spaces.insert(kind, space);
        Ok(space)
    }

    /// Writes them all, sorted.
    pub(super) fn insert(mut self, db: &Connection) -> Result<(), StoreError> {
        self.exact.sort_unstable();
        self.exact.dedup();
        let mut insert = db.prepare_cached("INSERT INTO entry_exact (rid, param, hash) VALUES (?1, ?2, ?3)")?;
        for row in self.exact {
            insert.execute(row)?;
        }
        self.text.sort_unstable();
        self.text.dedup();
        let mut insert =
            db.prepare_cached("INSERT INTO entry_text (rid, param, folded, written) VALUES (?1, ?2, ?3, ?4)")?;
        for row in self.text {
            insert.execute(row)?;
        }
        self.range.sort_unstable();
        self.range.dedup();
        let mut insert =
            db.prepare_cached("INSERT INTO entry_range (rid, param, unit, low, high) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for row in self.range {
            insert.execute(row)?;
        }
        self.link.sort_unstable();
        self.link.dedup();
        let mut insert = db.prepare_cached("INSERT INTO entry_link (rid, param, space, id) VALUES (?1, ?2, ?3, ?4)")?;
        for row in self.link {
            insert.execute(row)?;
        }
        Ok(())
    }
}
