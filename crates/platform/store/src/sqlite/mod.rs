//! The embedded engine: SQLite for rows, segment files for blobs, one folder, one process.
//!
//! Read in this order: `folder` (what is on the disk), `schema`, `writer` (group commit), then what a
//! batch holds: `resources`, `postings` and `index` (typed entries, which `plan` searches), `blobs` and `segments`, `jobs`, `flows`, the audit log (`log`,
//! `keys`, `checkpoints`); `readers`, and `verify` and `check` last.
//!
//! *Invariant:* one thread writes; what it answered is synced. *Invariant:* a blob is synced before the
//! row that names it is committed. *Absent on purpose:* the sharing of a folder by two processes.

mod blobs;
mod check;
mod checkpoints;
mod flows;
mod folder;
mod index;
mod jobs;
mod keys;
mod log;
mod plan;
mod postings;
mod readers;
mod resources;
mod schema;
mod segments;
mod sql;
mod text;
mod verify;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use jiff::Timestamp;
use socle_identity::Environment;
use socle_trust::audit::checkpoint::NotePublicKey;
use socle_trust::audit::{Hash, PatientId, Record};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use uuid::Uuid;

use self::checkpoints::Notary;
use self::folder::Folder;
use self::keys::Keyring;
use self::readers::Readers;
use self::segments::Segments;
use self::sql::damaged;
use self::writer::{Order, Reply, Request, Tools, Writer};
use crate::{
    AuditEntry, AuditFilter, AuditHead, AuditReport, Batch, CheckReport, Checkpoint, Claim, Committed, Digest, Erased,
    Flow, FlowFilter, FlowSummary, Found, Job, JobCount, JobFilter, JobId, Page, Query, Store, StoreError, Stored,
    Term, Version,
};

/// Requests that may wait for the writer.
const QUEUE: usize = 1024;

/// Bytes that may wait for the writer, in KiB: also the limit of one batch.
const QUEUE_KIB: usize = 256 * 1024;

/// Up to this size of the database, all of its pages are checked at each start (some 0.1 s); a larger one is
/// checked by [`SqliteStore::check`] alone.
const QUICK_CHECK_BYTES: u64 = 32 << 20;

/// How the engine is tuned; [`Options::default`] suits a cabinet and a test alike.
#[derive(Debug, Clone)]
pub struct Options {
    /// Reader connections.
    pub readers: usize,
    /// A new blob segment begins when the current one is longer, in bytes.
    pub segment_bytes: u64,
    /// The name of a new audit log: a host and path, unique to it, without scheme, space or plus
    /// (C2SP tlog-checkpoint). `None`: `socle.local/` and a random UUID. A log keeps the name it was made with.
    pub log_name: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, segment_bytes: 256 << 20, log_name: None }
    }
}

/// The embedded store. Dropping it writes what waits, then closes the folder.
pub struct SqliteStore {
    /// `None` only while dropping.
    requests: Option<mpsc::Sender<Request>>,
    room: Arc<Semaphore>,
    writer: Option<JoinHandle<()>>,
    readers: Readers,
    blobs: PathBuf,
    keyring: Arc<Keyring>,
    log_key: NotePublicKey,
    signal: watch::Sender<u64>,
    // Last, so that the folder is free only when nothing uses it.
    _folder: Folder,
}

impl SqliteStore {
    /// Opens the store in `dir`, which is made when it does not exist.
    ///
    /// # Errors
    /// [`StoreError::Folder`], [`StoreError::InUse`], [`StoreError::Newer`], [`StoreError::Damaged`].
    pub fn open(dir: &Path, options: Options) -> Result<Self, StoreError> {
        let folder = Folder::open(dir)?;
        let db = open_database(&folder)?;
        Self::start(folder, db, options)
    }

    fn start(folder: Folder, db: rusqlite::Connection, options: Options) -> Result<Self, StoreError> {
        jobs::release_orphans(&db)?;
        let segments = Segments::open(folder.blobs(), options.segment_bytes, blobs::end(&db)?)?;
        let signal = watch::Sender::new(0);
        let (requests, queue) = mpsc::channel(QUEUE);
        let keyring = Arc::new(Keyring::new(keys::secret(&folder, &db, "master.key")?));
        let log_name = options.log_name.unwrap_or_else(|| format!("socle.local/{}", Uuid::new_v4()));
        let notary = Notary::open(&folder, &db, &log_name)?;
        let log_key = notary.public().clone();
        let tools = Tools { db, segments, keyring: Arc::clone(&keyring), notary, signal: signal.clone() };
        let writer = Writer::new(tools)?.start(queue)?;
        Ok(Self {
            requests: Some(requests),
            room: Arc::new(Semaphore::new(QUEUE_KIB)),
            writer: Some(writer),
            readers: Readers::new(folder.database()?, options.readers),
            blobs: folder.blobs(),
            keyring,
            log_key,
            signal,
            _folder: folder,
        })
    }

    /// Has the writer do something. Waits while its queue is full.
    async fn ask<T>(&self, weight: usize, order: impl FnOnce(Reply<T>) -> Order) -> Result<T, StoreError> {
        let kib = weight.div_ceil(1024);
        if kib > QUEUE_KIB {
            return Err(StoreError::TooBig { bytes: weight, limit: QUEUE_KIB * 1024 });
        }
        let room = Arc::clone(&self.room).acquire_many_owned(kib as u32).await.map_err(|_| StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or(StoreError::Closed)?;
        let request = Request { order: order(reply), room: Some(room) };
        requests.send(request).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the writer's thread had stopped");
        }
    }
}

fn open_database(folder: &Folder) -> Result<rusqlite::Connection, StoreError> {
    let path = folder.database()?;
    let bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
    if bytes == 0 && Segments::any(&folder.blobs()) {
        return Err(damaged("there are blobs but no socle.db"));
    }
    let db = sql::open_writer(&path)?;
    schema::prepare(&db)?;
    if bytes == 0 {
        folder.sync()?;
    }
    if bytes <= QUICK_CHECK_BYTES {
        sql::quick_check(&db)?;
    }
    Ok(db)
}

impl Store for SqliteStore {
    fn commit(&self, batch: Batch) -> Stored<'_, Committed> {
        Box::pin(async move {
            batch.validate()?;
            self.ask(batch.weight(), |reply| Order::Commit(Box::new(batch), reply)).await
        })
    }

    fn read(&self, tenant: &str, kind: &str, id: &str) -> Stored<'_, Option<Version>> {
        let (tenant, kind, id) = (tenant.to_owned(), kind.to_owned(), id.to_owned());
        Box::pin(self.readers.run(move |db| resources::read(db, &tenant, &kind, &id)))
    }

    fn read_version(&self, tenant: &str, kind: &str, id: &str, version: u64) -> Stored<'_, Option<Version>> {
        let (tenant, kind, id) = (tenant.to_owned(), kind.to_owned(), id.to_owned());
        Box::pin(self.readers.run(move |db| resources::read_version(db, &tenant, &kind, &id, version)))
    }

    fn history(&self, tenant: &str, kind: &str, id: &str, page: Page) -> Stored<'_, Vec<Version>> {
        let (tenant, kind, id) = (tenant.to_owned(), kind.to_owned(), id.to_owned());
        Box::pin(self.readers.run(move |db| resources::history(db, &tenant, &kind, &id, page)))
    }

    fn search(&self, tenant: &str, kind: &str, terms: Vec<Term>, page: Page) -> Stored<'_, Vec<Version>> {
        let (tenant, kind) = (tenant.to_owned(), kind.to_owned());
        Box::pin(self.readers.run(move |db| resources::search(db, &tenant, &kind, &terms, page)))
    }

    fn count(&self, tenant: &str, kind: &str, terms: Vec<Term>) -> Stored<'_, u64> {
        let (tenant, kind) = (tenant.to_owned(), kind.to_owned());
        Box::pin(self.readers.run(move |db| resources::count(db, &tenant, &kind, &terms)))
    }

    fn find(&self, query: Query) -> Stored<'_, Found> {
        Box::pin(self.readers.run(move |db| plan::find(db, &query)))
    }

    fn changes(
        &self,
        tenant: &str,
        kind: Option<&str>,
        since: Option<Timestamp>,
        page: Page,
    ) -> Stored<'_, Vec<Version>> {
        let (tenant, kind) = (tenant.to_owned(), kind.map(str::to_owned));
        Box::pin(self.readers.run(move |db| resources::changes(db, &tenant, kind.as_deref(), since, page)))
    }

    fn owner(&self, tenant: &str, name: &str, value: &str) -> Stored<'_, Option<String>> {
        let (tenant, name, value) = (tenant.to_owned(), name.to_owned(), value.to_owned());
        Box::pin(self.readers.run(move |db| resources::owner(db, &tenant, &name, &value)))
    }

    fn blob(&self, digest: &Digest) -> Stored<'_, Option<Bytes>> {
        let (digest, folder) = (*digest, self.blobs.clone());
        Box::pin(self.readers.run(move |db| {
            let place = blobs::place(db, &digest)?;
            place.map(|place| segments::read(&folder, &digest, place)).transpose()
        }))
    }

    fn claim_jobs(&self, claim: Claim) -> Stored<'_, Vec<Job>> {
        Box::pin(self.ask(0, |reply| Order::Claim(claim, reply)))
    }

    fn next_due(&self, environment: Environment, kinds: Vec<String>) -> Stored<'_, Option<Timestamp>> {
        Box::pin(self.readers.run(move |db| jobs::next_due(db, environment, &kinds)))
    }

    fn job_signal(&self) -> watch::Receiver<u64> {
        self.signal.subscribe()
    }

    fn jobs(&self, filter: JobFilter, page: Page) -> Stored<'_, Vec<Job>> {
        Box::pin(self.readers.run(move |db| jobs::list(db, &filter, page)))
    }

    fn job(&self, id: JobId) -> Stored<'_, Option<Job>> {
        Box::pin(self.readers.run(move |db| jobs::find(db, sql::to_i64(id.0))))
    }

    fn job_counts(&self) -> Stored<'_, Vec<JobCount>> {
        Box::pin(self.readers.run(jobs::counts))
    }

    fn retry_job(&self, id: JobId, now: Timestamp) -> Stored<'_, Job> {
        Box::pin(self.ask(0, move |reply| Order::Retry(id, now, reply)))
    }

    fn flows(&self, filter: FlowFilter, page: Page) -> Stored<'_, Vec<FlowSummary>> {
        Box::pin(self.readers.run(move |db| flows::list(db, &filter, page)))
    }

    fn flow(&self, id: Uuid) -> Stored<'_, Option<Flow>> {
        Box::pin(self.readers.run(move |db| flows::find(db, id)))
    }

    fn audit(&self, filter: AuditFilter, page: Page) -> Stored<'_, Vec<AuditEntry>> {
        let keyring = Arc::clone(&self.keyring);
        Box::pin(self.readers.run(move |db| log::list(db, &keyring, &filter, page)))
    }

    fn audit_from(&self, index: u64, limit: usize) -> Stored<'_, Vec<AuditEntry>> {
        let keyring = Arc::clone(&self.keyring);
        Box::pin(self.readers.run(move |db| log::range(db, &keyring, index, Page::first(limit))))
    }

    fn audit_head(&self) -> Stored<'_, AuditHead> {
        Box::pin(self.readers.run(log::head))
    }

    fn audit_public_key(&self) -> String {
        self.log_key.to_string()
    }

    fn audit_checkpoint(&self) -> Stored<'_, Checkpoint> {
        Box::pin(self.ask(0, Order::Checkpoint))
    }

    fn audit_checkpoints(&self, page: Page) -> Stored<'_, Vec<Checkpoint>> {
        Box::pin(self.readers.run(move |db| checkpoints::list(db, page)))
    }

    fn audit_inclusion(&self, index: u64, size: u64) -> Stored<'_, Vec<Hash>> {
        Box::pin(self.readers.run(move |db| log::inclusion(db, index, size)))
    }

    fn audit_consistency(&self, first: u64, second: u64) -> Stored<'_, Vec<Hash>> {
        Box::pin(self.readers.run(move |db| log::consistency(db, first, second)))
    }

    fn audit_verify(&self) -> Stored<'_, AuditReport> {
        let (keyring, key) = (Arc::clone(&self.keyring), self.log_key.clone());
        Box::pin(self.readers.run(move |db| verify::verify(db, &keyring, &key)))
    }

    fn erase_person(&self, patient: PatientId, trace: Record) -> Stored<'_, Erased> {
        Box::pin(self.ask(0, |reply| Order::Erase(patient, Box::new(trace), reply)))
    }

    fn check(&self) -> Stored<'_, CheckReport> {
        let (keyring, key, blobs) = (Arc::clone(&self.keyring), self.log_key.clone(), self.blobs.clone());
        Box::pin(self.readers.run(move |db| check::check(db, &blobs, &keyring, &key)))
    }
}

#[cfg(test)]
mod tests;
