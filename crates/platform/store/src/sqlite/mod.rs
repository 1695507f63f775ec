//! The embedded engine: SQLite for rows, segment files for blobs, one folder, one process.

use std::path::Path;

use bytes::Bytes;
use jiff::Timestamp;
use socle_identity::Environment;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    Batch, Claim, Committed, Digest, Flow, FlowFilter, FlowSummary, Job, JobCount, JobFilter, JobId, Page, Store,
    StoreError, Stored, Term, Version,
};

/// How the engine is tuned; [`Options::default`] suits a cabinet and a test alike.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Reader connections.
    pub readers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4 }
    }
}

/// The embedded store.
pub struct SqliteStore {
    signal: watch::Sender<u64>,
}

impl SqliteStore {
    /// Opens the store in `dir`, which is created when it does not exist.
    ///
    /// # Errors
    /// [`StoreError::Folder`], [`StoreError::InUse`], [`StoreError::Newer`], [`StoreError::Damaged`].
    pub fn open(dir: &Path, _options: Options) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(|source| StoreError::Folder { path: dir.to_owned(), source })?;
        Ok(Self { signal: watch::Sender::new(0) })
    }
}

fn closed<'a, T>() -> Stored<'a, T> {
    Box::pin(async { Err(StoreError::Closed) })
}

impl Store for SqliteStore {
    fn commit(&self, _batch: Batch) -> Stored<'_, Committed> {
        closed()
    }

    fn read(&self, _tenant: &str, _kind: &str, _id: &str) -> Stored<'_, Option<Version>> {
        closed()
    }

    fn read_version(&self, _tenant: &str, _kind: &str, _id: &str, _version: u64) -> Stored<'_, Option<Version>> {
        closed()
    }

    fn history(&self, _tenant: &str, _kind: &str, _id: &str, _page: Page) -> Stored<'_, Vec<Version>> {
        closed()
    }

    fn search(&self, _tenant: &str, _kind: &str, _terms: Vec<Term>, _page: Page) -> Stored<'_, Vec<Version>> {
        closed()
    }

    fn count(&self, _tenant: &str, _kind: &str, _terms: Vec<Term>) -> Stored<'_, u64> {
        closed()
    }

    fn owner(&self, _tenant: &str, _name: &str, _value: &str) -> Stored<'_, Option<String>> {
        closed()
    }

    fn blob(&self, _digest: &Digest) -> Stored<'_, Option<Bytes>> {
        closed()
    }

    fn claim_jobs(&self, _claim: Claim) -> Stored<'_, Vec<Job>> {
        closed()
    }

    fn next_due(&self, _environment: Environment, _kinds: Vec<String>) -> Stored<'_, Option<Timestamp>> {
        closed()
    }

    fn job_signal(&self) -> watch::Receiver<u64> {
        self.signal.subscribe()
    }

    fn jobs(&self, _filter: JobFilter, _page: Page) -> Stored<'_, Vec<Job>> {
        closed()
    }

    fn job(&self, _id: JobId) -> Stored<'_, Option<Job>> {
        closed()
    }

    fn job_counts(&self) -> Stored<'_, Vec<JobCount>> {
        closed()
    }

    fn retry_job(&self, _id: JobId, _now: Timestamp) -> Stored<'_, Job> {
        closed()
    }

    fn flows(&self, _filter: FlowFilter, _page: Page) -> Stored<'_, Vec<FlowSummary>> {
        closed()
    }

    fn flow(&self, _id: Uuid) -> Stored<'_, Option<Flow>> {
        closed()
    }
}
