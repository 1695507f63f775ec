//! What can go wrong, with what to do about it. No message holds personal data.

use std::path::PathBuf;

use uuid::Uuid;

use crate::{Digest, Expect, JobId};

/// Why the store did not do what was asked.
///
/// The first group are answers about the data (nothing was written, the caller decides); the second one
/// are troubles of the machine or of the data folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A write or delete expected something else.
    #[error("{kind}/{id}: expected {expected:?}, found {}", version_or_nothing(*found))]
    Conflict {
        /// The resource's kind.
        kind: String,
        /// Its id.
        id: String,
        /// What the batch expected.
        expected: Expect,
        /// The current version, tombstones included; `None` if it never existed.
        found: Option<u64>,
    },
    /// A unique name is held by another owner.
    #[error("this {name} is already taken by {owner}")]
    Taken {
        /// What kind of name.
        name: String,
        /// Who holds it.
        owner: String,
    },
    /// A job update came after its lease ran out and another runner claimed the job, or it was finished.
    #[error("job {job} is no longer held by this attempt: its lease ran out, or it was finished or retried")]
    LeaseLost {
        /// The job.
        job: JobId,
    },
    /// There is no such job, or it is not in a state that can be retried.
    #[error("job {job}: {problem}")]
    NoSuchJob {
        /// The job.
        job: JobId,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A step or job names a flow that does not exist, or a flow that begins exists already.
    #[error("flow {flow} {problem}")]
    Flow {
        /// The flow.
        flow: Uuid,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The batch holds something that the store does not keep.
    #[error("{what}: {rule}")]
    Invalid {
        /// Which part.
        what: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// The batch is larger than the write queue.
    #[error("the batch holds {bytes} bytes, more than the {limit} that one commit takes; write it in parts")]
    TooBig {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },

    /// The data folder cannot be made or written.
    #[error("the data folder {} cannot be used: {source}; create it, or give this user the right to write there", path.display())]
    Folder {
        /// The folder or the file in it.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process has the data folder open.
    #[error("the data folder {} is in use by another process; stop it, or choose another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The data was written by a newer version of Socle.
    #[error(
        "the data folder has schema {found}, this program knows up to {known}; run the newer program, or restore a backup made before"
    )]
    Newer {
        /// The schema in the folder.
        found: i64,
        /// The newest that this program reads.
        known: i64,
    },
    /// Something stored is not what was written.
    #[error("the stored data is damaged: {what}; stop, keep a copy of the folder, restore the last backup")]
    Damaged {
        /// What is wrong, and where.
        what: String,
    },
    /// A key file is lost, unreadable or not the one of this store.
    #[error("the key file {} {problem}: without it the audit log can be neither read nor continued; restore it from a backup", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An audit record could not be sealed; its batch was not written.
    #[error("the audit record was not sealed, so that nothing of its batch was written: {0}")]
    Seal(#[from] socle_trust::audit::SealError),
    /// A blob's bytes are not there or not the ones that were written.
    #[error("blob {digest} is damaged: {what}; restore it from a backup")]
    BlobDamaged {
        /// Its address.
        digest: Digest,
        /// What is wrong.
        what: String,
    },
    /// The disk is full.
    #[error("the disk of the data folder is full; nothing of this batch was written: free some space, then try again")]
    DiskFull,
    /// The system refused to read or write.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What the store was doing.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The embedded database refused.
    #[error("the database failed: {0}")]
    Database(String),
    /// The store was closed, or its writer stopped.
    #[error("the store is closed")]
    Closed,
}

fn version_or_nothing(version: Option<u64>) -> String {
    version.map_or_else(|| "nothing".to_owned(), |version| format!("version {version}"))
}
