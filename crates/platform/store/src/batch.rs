//! What one commit writes: a [`Batch`], and what it answers: [`Committed`].
//!
//! A batch is all or nothing. Order of application: uniques, writes, deletes, flows and steps, jobs,
//! job updates, audit records; blobs are durable before any of it can be seen.
//!
//! Not here: what a resource means, which of its fields are indexed. The caller says so in postings.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use socle_trust::audit::Record;

use crate::index::{ENTRY_LIMIT, LINK_LIMIT};
use crate::{Blob, Entry, FlowStep, JobId, JobUpdate, Key, NewFlow, NewJob, StoreError};

/// Everything that one commit writes, for one tenant.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Whose data this is: the platform, one twin, one FHIR base. Never a person.
    pub tenant: String,
    /// Names that must be free, or already held by the same owner.
    pub uniques: Vec<Unique>,
    /// Names that become free again.
    pub releases: Vec<Release>,
    /// New versions of resources.
    pub writes: Vec<Write>,
    /// Tombstones.
    pub deletes: Vec<Delete>,
    /// Bytes kept under their digest; those already there cost nothing.
    pub blobs: Vec<Blob>,
    /// Flows that begin.
    pub flows: Vec<NewFlow>,
    /// What happened in flows, in order.
    pub flow_steps: Vec<FlowStep>,
    /// Work to do later.
    pub jobs: Vec<NewJob>,
    /// What became of claimed jobs.
    pub job_updates: Vec<JobUpdate>,
    /// What the audit log must say of all this. Their `recorded` is replaced by the store's clock.
    pub audit: Vec<Record>,
}

impl Batch {
    /// An empty batch for `tenant`.
    #[must_use]
    pub fn new(tenant: impl Into<String>) -> Self {
        Self { tenant: tenant.into(), ..Self::default() }
    }
}

/// A new version of a resource.
#[derive(Clone)]
pub struct Write {
    /// The resource's kind: `Patient`, `DocumentReference`, `mailbox`…
    pub kind: String,
    /// Its id, unique within tenant and kind, 1 to 255 bytes. Never personal: it is shown in errors.
    pub id: String,
    /// The content, kept as it is.
    pub body: Bytes,
    /// What it can be found by; replaces what the former version could be found by.
    pub postings: Vec<Posting>,
    /// What [`crate::Query`] finds it by; replaces what the former version had.
    pub entries: Vec<Entry>,
    /// What must be there before.
    pub expect: Expect,
}

impl Write {
    /// A write with nothing to find it by and nothing expected.
    #[must_use]
    pub fn new(kind: impl Into<String>, id: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self {
            kind: kind.into(),
            id: id.into(),
            body: body.into(),
            postings: Vec::new(),
            entries: Vec::new(),
            expect: Expect::Any,
        }
    }

    /// Makes it findable by `name` = `value`.
    #[must_use]
    pub fn posting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.postings.push(Posting { name: name.into(), value: value.into() });
        self
    }

    /// Refuses the batch unless `expect` holds.
    #[must_use]
    pub const fn expect(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Write({}/{}, {} bytes, {} postings, {:?})",
            self.kind,
            self.id,
            self.body.len(),
            self.postings.len(),
            self.expect
        )
    }
}

/// One exact (name, value) pair by which a current version is found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Posting {
    /// The search name: `patient.identifier`, `status`…
    pub name: String,
    /// The value, already normalised by the caller; compared byte by byte.
    pub value: String,
}

impl fmt::Debug for Posting {
    /// Without the value, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Posting({})", self.name)
    }
}

/// What must be there before a write or a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expect {
    /// Whatever.
    #[default]
    Any,
    /// Nothing, or a tombstone (its version number goes on).
    Absent,
    /// Exactly this version, alive or tombstone.
    Version(u64),
}

/// A tombstone. Deleting what is absent or already deleted, with [`Expect::Any`], changes nothing.
#[derive(Debug, Clone)]
pub struct Delete {
    /// The resource's kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What must be there before.
    pub expect: Expect,
}

/// A name that one owner holds within the tenant.
///
/// Held by another owner: the batch is refused with [`StoreError::Taken`]. Held by the same one: nothing
/// changes, so that an update may state its uniques again.
#[derive(Clone, PartialEq, Eq)]
pub struct Unique {
    /// What kind of name it is: `DocumentEntry.uniqueId`…
    pub name: String,
    /// The value that is unique, 1 to 1 024 bytes.
    pub value: String,
    /// Who holds it, usually the resource's id; it is told to those who come later.
    pub owner: String,
}

impl fmt::Debug for Unique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unique({}, held by {})", self.name, self.owner)
    }
}

/// Gives a [`Unique`] back; nothing happens when it was free.
#[derive(Clone, PartialEq, Eq)]
pub struct Release {
    /// What kind of name it is.
    pub name: String,
    /// The value that becomes free.
    pub value: String,
}

impl fmt::Debug for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Release({})", self.name)
    }
}

/// What a commit did. It is durable: it survives the loss of power.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The store's clock at the commit, the `at` of each version; it never goes back.
    pub at: Timestamp,
    /// The version that each write made, in the order of [`Batch::writes`].
    pub writes: Vec<u64>,
    /// The tombstone that each delete made, in order; `None` where there was nothing to delete.
    pub deletes: Vec<Option<u64>>,
    /// The job that each new job became, in order.
    pub jobs: Vec<Enqueued>,
    /// The log index of each audit record, in order.
    pub audit: Vec<u64>,
}

/// What became of a [`NewJob`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is a new job.
    New(JobId),
    /// A job of this kind has this idempotency key already; nothing was added.
    Existing(JobId),
}

impl Enqueued {
    /// The job, new or not.
    #[must_use]
    pub const fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Existing(id) => id,
        }
    }
}

/// Longest kind, tenant, posting name or id, in bytes.
pub(crate) const NAME_LIMIT: usize = 255;
/// Longest posting or unique value, in bytes.
pub(crate) const VALUE_LIMIT: usize = 1024;
/// Most postings of one resource.
pub(crate) const POSTING_LIMIT: usize = 10_000;

impl Batch {
    /// Refuses what the store does not keep, before anything is written.
    pub(crate) fn validate(&self) -> Result<(), StoreError> {
        name("tenant", &self.tenant)?;
        for unique in &self.uniques {
            name("unique name", &unique.name)?;
            value("unique value", &unique.value)?;
            name("unique owner", &unique.owner)?;
        }
        for write in &self.writes {
            name("kind", &write.kind)?;
            name("id", &write.id)?;
            if write.postings.len() > POSTING_LIMIT {
                return Err(StoreError::Invalid { what: "postings", rule: "at most 10 000 for one resource" });
            }
            for posting in &write.postings {
                name("posting name", &posting.name)?;
                value("posting value", &posting.value)?;
            }
            entries(&write.entries)?;
        }
        for delete in &self.deletes {
            name("kind", &delete.kind)?;
            name("id", &delete.id)?;
        }
        for flow in &self.flows {
            name("flow kind", &flow.kind)?;
        }
        for step in &self.flow_steps {
            name("flow step", &step.step)?;
        }
        for job in &self.jobs {
            name("job kind", &job.kind)?;
            value("job key", &job.key)?;
            if let Some(lane) = &job.lane {
                value("job lane", lane)?;
            }
        }
        Ok(())
    }

    /// About how many bytes this batch holds in memory and will write.
    pub(crate) fn weight(&self) -> usize {
        let blobs: usize = self.blobs.iter().map(|blob| blob.bytes().len()).sum();
        let writes: usize =
            self.writes.iter().map(|write| write.body.len() + 64 * (write.postings.len() + write.entries.len())).sum();
        let jobs: usize = self.jobs.iter().map(|job| job.payload.len()).sum();
        1024 * (1 + self.audit.len()) + blobs + writes + jobs
    }
}

fn entries(entries: &[Entry]) -> Result<(), StoreError> {
    if entries.len() > ENTRY_LIMIT {
        return Err(StoreError::Invalid { what: "entries", rule: "at most 100 000 for one resource" });
    }
    for entry in entries {
        name("entry name", &entry.name)?;
        let Key::Link { kind, id } = &entry.value else { continue };
        if kind.len() > NAME_LIMIT || id.len() > LINK_LIMIT {
            return Err(StoreError::Invalid { what: "link", rule: "at most 255 bytes of kind and 1 024 of id" });
        }
    }
    Ok(())
}

fn name(what: &'static str, text: &str) -> Result<(), StoreError> {
    if text.is_empty() || text.len() > NAME_LIMIT {
        return Err(StoreError::Invalid { what, rule: "1 to 255 bytes" });
    }
    Ok(())
}

fn value(what: &'static str, text: &str) -> Result<(), StoreError> {
    if text.len() > VALUE_LIMIT {
        return Err(StoreError::Invalid { what, rule: "at most 1 024 bytes" });
    }
    Ok(())
}
