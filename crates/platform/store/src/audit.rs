//! The audit log as the store keeps it: entries, head, checkpoints, and what a verification found.
//!
//! Records are given in a [`Batch`](crate::Batch) and committed with it. Each is sealed under the data
//! key of the person concerned, and is a leaf of a Merkle tree whose root is signed from time to time
//! ([`Store::audit_checkpoint`](crate::Store::audit_checkpoint)). What a record is and how it is sealed:
//! [`socle_trust::audit`].

use std::fmt;

use jiff::Timestamp;
use socle_trust::audit::{Hash, PatientId, Record};
use uuid::Uuid;

use crate::Cursor;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place in the log, from 0.
    pub index: u64,
    /// Its leaf hash in the tree.
    pub leaf: Hash,
    /// When it was recorded, by the store's clock.
    pub recorded: Timestamp,
    /// The flow it belongs to.
    pub flow: Option<Uuid>,
    /// What it says.
    pub content: AuditContent,
}

impl AuditEntry {
    /// Where the next page begins when this is the last of its page.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        Cursor(self.index)
    }
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditContent {
    /// The record, opened and equal to what its leaf commits to.
    Record(Box<Record>),
    /// The person was erased: nobody can read it any more; its leaf stays.
    Erased,
    /// It does not open, or is not what its leaf commits to: somebody changed the file.
    Damaged(String),
}

/// Which entries to list; every `None` means "whatever".
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Those that concern this person.
    pub patient: Option<PatientId>,
    /// Those of this flow.
    pub flow: Option<Uuid>,
}

/// The state of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// How many leaves.
    pub size: u64,
    /// The root over all of them.
    pub root: Hash,
    /// The last signed checkpoint.
    pub checkpoint: Option<Checkpoint>,
}

/// A signed statement of the root at a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many leaves it covers.
    pub size: u64,
    /// When it was signed.
    pub at: Timestamp,
    /// The signed note (C2SP tlog-checkpoint).
    pub note: String,
}

/// What a verification of the whole log found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditReport {
    /// How many leaves the log has.
    pub size: u64,
    /// How many records were opened and are what their leaves commit to.
    pub opened: u64,
    /// How many belong to erased persons.
    pub erased: u64,
    /// How many checkpoints were verified: signature and root.
    pub checkpoints: u64,
    /// The size of the last good checkpoint: what comes after is protected by the next one only.
    pub covered: u64,
    /// What is wrong, the first thousand.
    pub problems: Vec<AuditProblem>,
    /// How many more problems there are.
    pub more: u64,
}

impl AuditReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.problems.is_empty() && self.more == 0
    }
}

/// Something that does not fit in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditProblem {
    /// There are no entries between two others, or before the first.
    Missing {
        /// The first index that is not there.
        first: u64,
        /// How many are not there.
        count: u64,
    },
    /// An entry does not open, or is not what its leaf commits to.
    Entry {
        /// Its index.
        index: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The leaves do not give the root that a checkpoint signed: one was changed, moved, added or removed
    /// before it.
    Root {
        /// The size of the checkpoint.
        size: u64,
    },
    /// A checkpoint is not one of this log, or is signed by another key.
    Checkpoint {
        /// Its size.
        size: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A node of the tree that is kept for proofs is not the one that the leaves give.
    Node {
        /// Its level: it covers 2^level leaves.
        level: u8,
        /// Its place in that level.
        index: u64,
    },
    /// The head that the last commit wrote does not fit the leaves: some were removed, changed or moved.
    Head {
        /// The size that the last commit wrote.
        written: u64,
        /// The leaves that are there.
        found: u64,
    },
}

impl fmt::Display for AuditProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { first, count } => write!(f, "{count} entries from index {first} are missing"),
            Self::Entry { index, why } => write!(f, "entry {index}: {why}"),
            Self::Root { size } => write!(
                f,
                "the first {size} leaves do not give the signed root of the checkpoint at {size}: an entry before it \
                 was changed, moved, added or removed"
            ),
            Self::Checkpoint { size, why } => write!(f, "checkpoint at {size}: {why}"),
            Self::Node { level, index } => write!(
                f,
                "node {index} of level {level} is not what its leaves give: it, or one of them, was changed, moved or \
                 removed"
            ),
            Self::Head { written, found } if written == found => {
                write!(f, "the {found} leaves do not give the root of the last commit: one was changed or moved")
            }
            Self::Head { written, found } => write!(f, "the last commit left {written} leaves, {found} are there"),
        }
    }
}

/// What an erasure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// How many records nobody can read any more.
    pub records: u64,
    /// The log index of the record that traces the erasure itself.
    pub trace: u64,
}
