//! The audit log verified from end to end: every record opened and compared with its leaf, the tree
//! built again and compared with every checkpoint, with the nodes kept for proofs, and with the head.

use rusqlite::Connection;
use socle_trust::audit::checkpoint::{self, NotePublicKey};
use socle_trust::audit::merkle::Frontier;

use super::checkpoints;
use super::keys::Keyring;
use super::log::{self, Leaf, Opened};
use crate::{AuditContent, AuditProblem, AuditReport, Checkpoint, StoreError};

/// Most problems that a report lists.
const LISTED: usize = 1000;

/// Walks the whole log on one snapshot.
pub(super) fn verify(db: &Connection, keyring: &Keyring, key: &NotePublicKey) -> Result<AuditReport, StoreError> {
    let snapshot = db.unchecked_transaction()?;
    let mut walk = Walk {
        db: &snapshot,
        keyring,
        key,
        report: AuditReport::default(),
        tree: Frontier::new(),
        opened: Opened::default(),
        next: checkpoints::next(&snapshot, 0)?,
    };
    let mut leaves = snapshot.prepare_cached(&format!("SELECT {} FROM audit_leaf ORDER BY idx", log::COLUMNS))?;
    let mut rows = leaves.query([])?;
    walk.checkpoint()?;
    while let Some(row) = rows.next()? {
        walk.leaf(Leaf::read(row))?;
        walk.checkpoint()?;
    }
    walk.end()?;
    Ok(walk.report)
}

struct Walk<'a> {
    db: &'a Connection,
    keyring: &'a Keyring,
    key: &'a NotePublicKey,
    report: AuditReport,
    tree: Frontier,
    opened: Opened,
    /// The checkpoint to compare next.
    next: Option<Checkpoint>,
}

impl Walk<'_> {
    fn problem(&mut self, problem: AuditProblem) {
        if self.report.problems.len() < LISTED {
            self.report.problems.push(problem);
        } else {
            self.report.more += 1;
        }
    }

    fn leaf(&mut self, leaf: Result<Leaf, StoreError>) -> Result<(), StoreError> {
        let leaf = match leaf {
            Ok(leaf) => leaf,
            Err(error) => {
                self.problem(AuditProblem::Entry { index: self.report.size, why: error.to_string() });
                self.report.size += 1;
                return Ok(());
            }
        };
        if leaf.index > self.report.size {
            self.problem(AuditProblem::Missing { first: self.report.size, count: leaf.index - self.report.size });
        }
        self.report.size = leaf.index + 1;
        let content = match self.opened.key(self.db, self.keyring, leaf.key) {
            Ok(key) => leaf.open(key),
            Err(error) => AuditContent::Damaged(error.to_string()),
        };
        match content {
            AuditContent::Record(_) => self.report.opened += 1,
            AuditContent::Erased => self.report.erased += 1,
            AuditContent::Damaged(why) => self.problem(AuditProblem::Entry { index: leaf.index, why }),
        }
        for (level, index, root) in log::push(&mut self.tree, leaf.hash) {
            if log::kept_node(self.db, level, index)? != Some(root) {
                self.problem(AuditProblem::Node { level, index });
            }
        }
        Ok(())
    }

    /// Compares the tree with the checkpoint of its size, if there is one.
    fn checkpoint(&mut self) -> Result<(), StoreError> {
        let size = self.tree.size();
        let Some(checkpoint) = self.next.take_if(|next| next.size == size) else { return Ok(()) };
        self.next = checkpoints::next(self.db, size + 1)?;
        match checkpoint::verify(&checkpoint.note, self.key) {
            Err(error) => self.problem(AuditProblem::Checkpoint { size, why: error.to_string() }),
            Ok(signed) if signed.size != size || signed.origin != self.key.name() => {
                let why = "its note is about another size or another log".to_owned();
                self.problem(AuditProblem::Checkpoint { size, why });
            }
            Ok(signed) if signed.root != self.tree.root() => self.problem(AuditProblem::Root { size }),
            Ok(_) => {
                self.report.checkpoints += 1;
                self.report.covered = size;
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), StoreError> {
        while let Some(Checkpoint { size, .. }) = self.next.take() {
            let why = "it covers more leaves than there are: the last ones were removed".to_owned();
            self.problem(AuditProblem::Checkpoint { size, why });
            self.next = checkpoints::next(self.db, size + 1)?;
        }
        let head = log::load_head(self.db).unwrap_or_default();
        if head != self.tree {
            self.problem(AuditProblem::Head { written: head.size(), found: self.tree.size() });
        }
        Ok(())
    }
}
