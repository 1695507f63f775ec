//! The trait that every engine implements.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use jiff::Timestamp;
use socle_identity::Environment;
use tokio::sync::watch;
use uuid::Uuid;

use socle_trust::audit::{Hash, PatientId, Record};

use crate::{
    AuditEntry, AuditFilter, AuditHead, AuditReport, Batch, CheckReport, Checkpoint, Claim, Committed, Digest, Erased,
    Flow, FlowFilter, FlowSummary, Found, Job, JobCount, JobFilter, JobId, Page, Query, StoreError, Term, Version,
};

/// The answer of a store: a future that owns what it needs, so that `dyn Store` works.
pub type Stored<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Durable state. Used as `Arc<dyn Store>`.
///
/// Everything a future resolves to is durable or read from durable state. A future that is dropped
/// before it resolves may or may not have had its effect.
pub trait Store: Send + Sync {
    /// Writes the batch: all of it, durably, or nothing.
    ///
    /// Waits while the write queue is full, so that a fast caller is slowed down and nothing is dropped.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Taken`], [`StoreError::LeaseLost`], [`StoreError::Flow`],
    /// [`StoreError::Invalid`], [`StoreError::TooBig`]: nothing was written. After any other error the outcome is unknown
    /// until the store is read.
    fn commit(&self, batch: Batch) -> Stored<'_, Committed>;

    /// The current version of a resource, a tombstone included; `None` if it never existed.
    fn read(&self, tenant: &str, kind: &str, id: &str) -> Stored<'_, Option<Version>>;

    /// One version of a resource.
    fn read_version(&self, tenant: &str, kind: &str, id: &str, version: u64) -> Stored<'_, Option<Version>>;

    /// The versions of one resource, newest first.
    fn history(&self, tenant: &str, kind: &str, id: &str, page: Page) -> Stored<'_, Vec<Version>>;

    /// The living resources of a kind that have all `terms` (none: all of them), newest first.
    ///
    /// Newest is by the creation of the resource: an update does not move it, so that reading page by
    /// page shows each one once while others write.
    fn search(&self, tenant: &str, kind: &str, terms: Vec<Term>, page: Page) -> Stored<'_, Vec<Version>>;

    /// How many living resources of a kind have all `terms`.
    fn count(&self, tenant: &str, kind: &str, terms: Vec<Term>) -> Stored<'_, u64>;

    /// The living resources that pass a query, in its order.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when a sorted page goes on after a resource that is no longer there.
    fn find(&self, query: Query) -> Stored<'_, Found>;

    /// The versions of all resources of a kind, or of all kinds, committed at `since` or later, newest first; a
    /// version's cursor is its place in the order of commits.
    fn changes(
        &self,
        tenant: &str,
        kind: Option<&str>,
        since: Option<Timestamp>,
        page: Page,
    ) -> Stored<'_, Vec<Version>>;

    /// Who holds a unique name.
    fn owner(&self, tenant: &str, name: &str, value: &str) -> Stored<'_, Option<String>>;

    /// The bytes under a digest, checked against it.
    ///
    /// # Errors
    /// [`StoreError::BlobDamaged`] when they were changed on the disk.
    fn blob(&self, digest: &Digest) -> Stored<'_, Option<Bytes>>;

    /// Claims due jobs, oldest due first; see [`crate::job`] for lanes and leases.
    fn claim_jobs(&self, claim: Claim) -> Stored<'_, Vec<Job>>;

    /// When the next job of these kinds can be claimed (an instant already past: now).
    fn next_due(&self, environment: Environment, kinds: Vec<String>) -> Stored<'_, Option<Timestamp>>;

    /// Changes each time jobs may have become claimable by something else than the passing of time: new
    /// ones, a lane freed, a retry. Each receiver sees every change that came after its last look.
    fn job_signal(&self) -> watch::Receiver<u64>;

    /// Jobs, newest first.
    fn jobs(&self, filter: JobFilter, page: Page) -> Stored<'_, Vec<Job>>;

    /// One job.
    fn job(&self, id: JobId) -> Stored<'_, Option<Job>>;

    /// How many jobs stand where.
    fn job_counts(&self) -> Stored<'_, Vec<JobCount>>;

    /// Puts a dead job back, or makes a waiting one due at `now`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`] when it does not exist, is done, or is running.
    fn retry_job(&self, id: JobId, now: Timestamp) -> Stored<'_, Job>;

    /// Flows, newest first.
    fn flows(&self, filter: FlowFilter, page: Page) -> Stored<'_, Vec<FlowSummary>>;

    /// One flow with its steps and jobs.
    fn flow(&self, id: Uuid) -> Stored<'_, Option<Flow>>;

    /// Entries of the audit log, newest first. Whoever reads the log must trace it.
    fn audit(&self, filter: AuditFilter, page: Page) -> Stored<'_, Vec<AuditEntry>>;

    /// Entries of the audit log from an index on, oldest first, at most [`Page::MAX`].
    fn audit_from(&self, index: u64, limit: usize) -> Stored<'_, Vec<AuditEntry>>;

    /// Size and root of the log, and its last checkpoint.
    fn audit_head(&self) -> Stored<'_, AuditHead>;

    /// The public key of the log, in the text form of C2SP signed notes (`name+hash+key`).
    fn audit_public_key(&self) -> String;

    /// Signs the log as it is. To be called every minute in which records came, and at shutdown. The last
    /// checkpoint is given again when nothing came since.
    fn audit_checkpoint(&self) -> Stored<'_, Checkpoint>;

    /// Checkpoints, newest first; the cursor of one is its size.
    fn audit_checkpoints(&self, page: Page) -> Stored<'_, Vec<Checkpoint>>;

    /// The path that proves that entry `index` is in the tree of `size` leaves (RFC 9162 §2.1.3.1).
    ///
    /// # Errors
    /// [`StoreError::Invalid`] unless `index < size <=` the size of the log.
    fn audit_inclusion(&self, index: u64, size: u64) -> Stored<'_, Vec<Hash>>;

    /// The path that proves that the tree of `first` leaves is the beginning of that of `second`
    /// (RFC 9162 §2.1.4.1).
    ///
    /// # Errors
    /// [`StoreError::Invalid`] unless `first <= second <=` the size of the log.
    fn audit_consistency(&self, first: u64, second: u64) -> Stored<'_, Vec<Hash>>;

    /// Walks the whole log: opens every record and compares it with its leaf, builds the tree again and
    /// compares it with every checkpoint and with the head.
    fn audit_verify(&self) -> Stored<'_, AuditReport>;

    /// Erases a person from the log: the data key, the salts and the sealed records are overwritten; the
    /// leaves stay, so that every proof stays valid. `trace`, the record of the erasure itself, should not
    /// name the person. Copies in backups stay readable with the `master.key` and database of that time.
    fn erase_person(&self, patient: PatientId, trace: Record) -> Stored<'_, Erased>;

    /// Checks everything: the database, every blob against its digest, the audit log.
    fn check(&self) -> Stored<'_, CheckReport>;
}
