//! What a check of the whole store found.

use crate::{AuditReport, Digest};

/// What a check of the whole store found. [`CheckReport::is_sound`] sums it up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// What the database's own check says, the first hundred lines.
    pub database: Vec<String>,
    /// Rows of our tables that contradict each other, the first hundred of each sort.
    pub rows: Vec<String>,
    /// How many blobs there are.
    pub blobs: u64,
    /// How many bytes they hold.
    pub blob_bytes: u64,
    /// Blobs that are missing or damaged, the first thousand.
    pub bad_blobs: Vec<BlobProblem>,
    /// The audit log.
    pub audit: AuditReport,
}

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.database.is_empty() && self.rows.is_empty() && self.bad_blobs.is_empty() && self.audit.is_sound()
    }
}

/// A blob that is missing or damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobProblem {
    /// Its address.
    pub digest: Digest,
    /// What is wrong with it.
    pub why: String,
}
