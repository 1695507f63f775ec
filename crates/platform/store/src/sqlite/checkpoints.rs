//! Checkpoints: the root of the log signed with `audit.key`, and kept.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use socle_trust::audit::checkpoint::{self, NoteKey, NotePublicKey};
use socle_trust::audit::merkle::Frontier;

use super::folder::Folder;
use super::sql::{from_micros, to_i64, to_micros, to_u64};
use crate::{Checkpoint, Page, StoreError};

/// The name of a log and the key that signs for it.
pub(super) struct Notary {
    key: NoteKey,
    origin: String,
}

impl Notary {
    /// Opens `audit.key`, or makes it for a new store. The log keeps the name it was made with.
    pub(super) fn open(folder: &Folder, db: &Connection, origin: &str) -> Result<Self, StoreError> {
        let path = folder.file("audit.key");
        let known: Option<String> = db
            .query_row("SELECT CAST(value AS TEXT) FROM meta WHERE name = 'audit.key'", [], |row| row.get(0))
            .optional()?;
        let known: Option<NotePublicKey> = match known {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| super::sql::damaged("meta: audit.key is not a public key"))?),
        };
        if known.is_some() && !path.exists() {
            return Err(StoreError::Key { path, problem: "is missing" });
        }
        let origin = known.as_ref().map_or(origin, NotePublicKey::name).to_owned();
        let key = NoteKey::open_or_create(&path, &origin)
            .map_err(|_| StoreError::Key { path: path.clone(), problem: "cannot be read or made" })?;
        match known {
            Some(known) if known != *key.public() => {
                return Err(StoreError::Key { path, problem: "is not the key of this store" });
            }
            Some(_) => {}
            None => {
                let insert = "INSERT INTO meta (name, value) VALUES ('audit.key', CAST(?1 AS BLOB))";
                db.execute(insert, [key.public().to_string()])?;
            }
        }
        Ok(Self { key, origin })
    }

    /// What others verify this log's checkpoints with.
    pub(super) const fn public(&self) -> &NotePublicKey {
        self.key.public()
    }

    /// Signs the tree and keeps the note; the one that is there when nothing was added since.
    pub(super) fn sign(&self, db: &Connection, tree: &Frontier, at: Timestamp) -> Result<Checkpoint, StoreError> {
        if let Some(last) = last(db)?.filter(|last| last.size == tree.size()) {
            return Ok(last);
        }
        let statement = checkpoint::Checkpoint { origin: self.origin.clone(), size: tree.size(), root: tree.root() };
        let note = statement
            .sign(&self.key)
            .map_err(|_| StoreError::Invalid { what: "name of the log", rule: "one line, without space or plus" })?;
        let insert = "INSERT INTO audit_checkpoint (size, at, note) VALUES (?1, ?2, ?3)";
        db.prepare_cached(insert)?.execute((to_i64(tree.size()), to_micros(at), &note))?;
        Ok(Checkpoint { size: tree.size(), at, note })
    }
}

/// The last checkpoint.
pub(super) fn last(db: &Connection) -> Result<Option<Checkpoint>, StoreError> {
    Ok(list(db, Page::first(1))?.pop())
}

/// Checkpoints, newest first; a checkpoint's cursor is its size.
pub(super) fn list(db: &Connection, page: Page) -> Result<Vec<Checkpoint>, StoreError> {
    let select = "SELECT size, at, note FROM audit_checkpoint WHERE size < ?1 ORDER BY size DESC LIMIT ?2";
    let mut statement = db.prepare_cached(select)?;
    let mut rows = statement.query((page.before(), page.rows()))?;
    let mut checkpoints = Vec::new();
    while let Some(row) = rows.next()? {
        checkpoints.push(read(row)?);
    }
    Ok(checkpoints)
}

/// The smallest checkpoint of at least `from` leaves.
pub(super) fn next(db: &Connection, from: u64) -> Result<Option<Checkpoint>, StoreError> {
    let select = "SELECT size, at, note FROM audit_checkpoint WHERE size >= ?1 ORDER BY size LIMIT 1";
    let mut statement = db.prepare_cached(select)?;
    let mut rows = statement.query([to_i64(from)])?;
    rows.next()?.map(read).transpose()
}

fn read(row: &Row<'_>) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint { size: to_u64(row.get(0)?)?, at: from_micros(row.get(1)?)?, note: row.get(2)? })
}
