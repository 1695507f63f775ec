//! The audit log in the database: appended to by the writer, read, erased.
//!
//! The columns beside the sealed record (person, flow, instant) only serve to find it; a verification
//! compares them with what the record says.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use socle_trust::audit::merkle::{self, Frontier, Nodes, ProofError};
use socle_trust::audit::{DataKey, Hash, PatientId, Record, Sealed};
use uuid::Uuid;

use super::checkpoints;
use super::keys::{Keyring, WriterKeys};
use super::sql::{damaged, to_i64, to_micros, to_u64};
use crate::{AuditContent, AuditEntry, AuditFilter, AuditHead, Page, StoreError};

/// Roots of subtrees are kept from this level on (256 leaves); lower ones are computed from the leaves.
const KEPT_LEVEL: u8 = 8;

/// Where the log goes on.
pub(super) struct Log {
    frontier: Frontier,
    keys: WriterKeys,
}

/// A point to go back to when a batch is undone.
pub(super) struct Mark {
    frontier: Frontier,
    last_key: i64,
}

impl Log {
    pub(super) fn load(db: &Connection) -> Result<Self, StoreError> {
        Ok(Self { frontier: load_head(db)?, keys: WriterKeys::load(db)? })
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { frontier: self.frontier.clone(), last_key: self.keys.last() }
    }

    pub(super) fn go_back(&mut self, mark: Mark) {
        self.frontier = mark.frontier;
        self.keys.forget_after(mark.last_key);
    }

    pub(super) const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Appends a record, dated by the store's clock; gives its index.
    pub(super) fn append(
        &mut self,
        db: &Connection,
        keyring: &Keyring,
        record: &Record,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut record = record.clone();
        record.recorded = at;
        let person = keyring.person(record.patient.as_ref());
        let (key_id, key) = self.keys.get(db, keyring, person, at)?;
        let sealed = Sealed::seal(&record, key)?;
        let index = self.frontier.size();
        let insert = "INSERT INTO audit_leaf (idx, person, flow, recorded, leaf, salt, sealed) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        db.prepare_cached(insert)?.execute(params![
            to_i64(index),
            key_id,
            record.flow.map(Uuid::into_bytes),
            record.recorded.as_millisecond(),
            sealed.leaf,
            sealed.salt,
            sealed.ciphertext
        ])?;
        for (level, at, root) in push(&mut self.frontier, sealed.leaf) {
            let insert = "INSERT INTO audit_node (level, idx, root) VALUES (?1, ?2, ?3)";
            db.prepare_cached(insert)?.execute((level, to_i64(at), root))?;
        }
        Ok(index)
    }

    /// Makes a person's records unreadable; gives how many there were.
    pub(super) fn erase(
        &mut self,
        db: &Connection,
        keyring: &Keyring,
        patient: &PatientId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let person = keyring.person(Some(patient));
        self.keys.forget(&person);
        // Without its salt, nobody can even try whether a guessed record was there.
        let blank = "UPDATE audit_leaf SET salt = NULL, sealed = NULL \
                     WHERE sealed IS NOT NULL AND person IN (SELECT id FROM person_key WHERE person = ?1)";
        let records = db.prepare_cached(blank)?.execute([person])?;
        let erase = "UPDATE person_key SET wrapped = NULL, erased = ?2 WHERE person = ?1 AND wrapped IS NOT NULL";
        db.prepare_cached(erase)?.execute((person, to_micros(at)))?;
        Ok(records as u64)
    }
}

/// Adds a leaf to a tree; gives the nodes to keep that it completes: level, index, root.
pub(super) fn push(tree: &mut Frontier, leaf: Hash) -> Vec<(u8, u64, Hash)> {
    let mut completed = Vec::new();
    tree.push_with(leaf, |level, index, root| {
        if level >= KEPT_LEVEL {
            completed.push((level, index, root));
        }
    });
    completed
}

/// A kept node.
pub(super) fn kept_node(db: &Connection, level: u8, index: u64) -> Result<Option<Hash>, StoreError> {
    let select = "SELECT root FROM audit_node WHERE level = ?1 AND idx = ?2";
    Ok(db.prepare_cached(select)?.query_row((level, to_i64(index)), |row| row.get(0)).optional()?)
}

/// Writes the head of the log: once per group, with the group.
pub(super) fn save_head(db: &Connection, frontier: &Frontier) -> Result<(), StoreError> {
    let insert = "INSERT OR REPLACE INTO audit_head (one, size, nodes) VALUES (1, ?1, ?2)";
    db.prepare_cached(insert)?.execute((to_i64(frontier.size()), frontier.peaks().concat()))?;
    Ok(())
}

/// The head of the log as the last commit wrote it.
pub(super) fn load_head(db: &Connection) -> Result<Frontier, StoreError> {
    let select = "SELECT size, nodes FROM audit_head";
    let row: Option<(i64, Vec<u8>)> =
        db.prepare_cached(select)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((size, nodes)) = row else { return Ok(Frontier::default()) };
    let (nodes, rest) = nodes.as_chunks::<32>();
    let frontier = rest.is_empty().then(|| Frontier::from_peaks(size as u64, nodes.to_vec()));
    frontier.flatten().ok_or_else(|| damaged("the head of the audit log makes no sense"))
}

/// The head of the log with its last checkpoint, on one snapshot.
pub(super) fn head(db: &Connection) -> Result<AuditHead, StoreError> {
    let snapshot = db.unchecked_transaction()?;
    let tree = load_head(&snapshot)?;
    Ok(AuditHead { size: tree.size(), root: tree.root(), checkpoint: checkpoints::last(&snapshot)? })
}

/// One row of the log.
pub(super) struct Leaf {
    pub(super) index: u64,
    pub(super) key: i64,
    pub(super) hash: Hash,
    flow: Option<Uuid>,
    /// In milliseconds: the precision of a record.
    recorded: i64,
    sealed: Option<Sealed>,
}

/// The columns of a [`Leaf`].
pub(super) const COLUMNS: &str = "idx, person, flow, recorded, leaf, salt, sealed";

impl Leaf {
    pub(super) fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let leaf: Hash = row.get(4)?;
        let sealed = match (row.get(5)?, row.get(6)?) {
            (Some(salt), Some(ciphertext)) => Some(Sealed { salt, ciphertext, leaf }),
            _ => None,
        };
        Ok(Self {
            index: to_u64(row.get(0)?)?,
            key: row.get(1)?,
            hash: leaf,
            flow: row.get::<_, Option<[u8; 16]>>(2)?.map(Uuid::from_bytes),
            recorded: row.get(3)?,
            sealed,
        })
    }

    /// What it says, with the key of its person.
    pub(super) fn open(&self, key: Option<&DataKey>) -> AuditContent {
        match (key, &self.sealed) {
            (None, None) => AuditContent::Erased,
            (None, Some(_)) => AuditContent::Damaged("its person was erased, but not its content".to_owned()),
            (Some(_), None) => {
                AuditContent::Damaged("its content is missing, but its person was not erased".to_owned())
            }
            (Some(key), Some(sealed)) => match sealed.open(key) {
                Err(error) => AuditContent::Damaged(error.to_string()),
                Ok(record) if record.flow != self.flow || record.recorded.as_millisecond() != self.recorded => {
                    AuditContent::Damaged("its flow or instant was changed beside the record".to_owned())
                }
                Ok(record) => AuditContent::Record(Box::new(record)),
            },
        }
    }

    fn entry(self, key: Option<&DataKey>) -> Result<AuditEntry, StoreError> {
        Ok(AuditEntry {
            index: self.index,
            leaf: self.hash,
            recorded: Timestamp::from_millisecond(self.recorded).map_err(|_| damaged("an instant is out of range"))?,
            flow: self.flow,
            content: self.open(key),
        })
    }
}

/// Keys by their row, unwrapped once for a list or a verification.
#[derive(Default)]
pub(super) struct Opened(HashMap<i64, Option<DataKey>>);

impl Opened {
    pub(super) fn key(&mut self, db: &Connection, keyring: &Keyring, id: i64) -> Result<Option<&DataKey>, StoreError> {
        let key = match self.0.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(keyring.find(db, id)?),
        };
        Ok(key.as_ref())
    }
}

/// Entries that pass the filter, newest first.
pub(super) fn list(
    db: &Connection,
    keyring: &Keyring,
    filter: &AuditFilter,
    page: Page,
) -> Result<Vec<AuditEntry>, StoreError> {
    let mut wheres = vec!["idx < ?"];
    let mut values = vec![Value::from(page.before())];
    if let Some(patient) = &filter.patient {
        wheres.push("person IN (SELECT id FROM person_key WHERE person = ?)");
        values.push(keyring.person(Some(patient)).to_vec().into());
    }
    if let Some(flow) = filter.flow {
        wheres.push("flow = ?");
        values.push(flow.into_bytes().to_vec().into());
    }
    let select = format!("SELECT {COLUMNS} FROM audit_leaf WHERE {} ORDER BY idx DESC LIMIT ?", wheres.join(" AND "));
    values.push(page.rows().into());
    entries(db, keyring, &select, values)
}

/// Entries from an index on, oldest first.
pub(super) fn range(db: &Connection, keyring: &Keyring, from: u64, page: Page) -> Result<Vec<AuditEntry>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM audit_leaf WHERE idx >= ? ORDER BY idx LIMIT ?");
    entries(db, keyring, &select, vec![to_i64(from).into(), page.rows().into()])
}

fn entries(
    db: &Connection,
    keyring: &Keyring,
    select: &str,
    values: Vec<Value>,
) -> Result<Vec<AuditEntry>, StoreError> {
    let snapshot = db.unchecked_transaction()?;
    let mut statement = snapshot.prepare_cached(select)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let (mut opened, mut entries) = (Opened::default(), Vec::new());
    while let Some(row) = rows.next()? {
        let leaf = Leaf::read(row)?;
        let key = opened.key(&snapshot, keyring, leaf.key)?;
        entries.push(leaf.entry(key)?);
    }
    Ok(entries)
}

/// The path that proves that a leaf is in the tree of `size` leaves.
pub(super) fn inclusion(db: &Connection, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
    let tree = Tree(db.unchecked_transaction()?);
    within(&tree.0, size)?;
    merkle::inclusion(&tree, index, size).map_err(unproven)
}

/// The path that proves that the tree of `first` leaves is the beginning of that of `second`.
pub(super) fn consistency(db: &Connection, first: u64, second: u64) -> Result<Vec<Hash>, StoreError> {
    let tree = Tree(db.unchecked_transaction()?);
    within(&tree.0, second)?;
    merkle::consistency(&tree, first, second).map_err(unproven)
}

fn within(db: &Connection, size: u64) -> Result<(), StoreError> {
    if size > load_head(db)?.size() {
        return Err(StoreError::Invalid { what: "size of the tree", rule: "at most the size of the log" });
    }
    Ok(())
}

fn unproven(error: ProofError<StoreError>) -> StoreError {
    match error {
        ProofError::Nodes(error) => error,
        _ => StoreError::Invalid { what: "proof", rule: "a leaf or tree within the tree" },
    }
}

/// The tree in the database, on one snapshot.
struct Tree<'db>(rusqlite::Transaction<'db>);

impl Nodes for Tree<'_> {
    type Error = StoreError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, StoreError> {
        if level >= KEPT_LEVEL {
            return kept_node(&self.0, level, index)?
                .ok_or_else(|| damaged("a node of the audit log's tree is missing"));
        }
        let select = "SELECT leaf FROM audit_leaf WHERE idx >= ?1 ORDER BY idx LIMIT ?2";
        let mut statement = self.0.prepare_cached(select)?;
        let rows = statement.query_map((to_i64(index << level), 1_i64 << level), |row| row.get(0))?;
        let mut subtree = Frontier::new();
        for leaf in rows {
            subtree.push(leaf?);
        }
        Ok(subtree.root())
    }
}
