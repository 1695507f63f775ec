//! Durable jobs: work that an acknowledged batch promised, done at least once.
//!
//! The life of a job: waiting, running (claimed under a lease), then done or dead; a retry puts it back
//! to waiting. A lease that runs out makes the job claimable again; so does the opening of an embedded
//! store, where nobody else can be at work. The runner must be idempotent: the store promises at least
//! once, never exactly once.
//!
//! **Lanes.** Jobs with the same lane (of one tenant, in one environment) are done one at a time and in
//! the order they were committed: only the oldest unfinished job of a lane can be claimed, also while it
//! waits for its next attempt. A *dead* job frees its lane: the following ones go on, and the dead one
//! stays visible until [`retry_job`](crate::Store::retry_job) puts it back at its old place, to be done
//! before those that still wait but not beside one that runs.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use socle_finding::Text;
use socle_identity::Environment;
use uuid::Uuid;

use crate::Cursor;

/// Names a job; greater is younger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Work to do once the batch is committed.
#[derive(Clone)]
pub struct NewJob {
    /// Which runner does it.
    pub kind: String,
    /// Idempotency key: a second job of the same tenant, kind and key is not added, whatever its state.
    pub key: String,
    /// Jobs of one lane are done in order, one at a time; usually kind and patient.
    pub lane: Option<String>,
    /// Where it may act; a runner of another environment never gets it.
    pub environment: Environment,
    /// The flow that it belongs to.
    pub flow: Option<Uuid>,
    /// What the runner needs; the store does not look inside.
    pub payload: Bytes,
    /// Not before this instant; `None`: at once.
    pub not_before: Option<Timestamp>,
}

impl fmt::Debug for NewJob {
    /// Without lane and payload, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewJob({}, {}, {} bytes)", self.kind, self.environment, self.payload.len())
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// To be done, at `due` at the earliest, when its lane is free.
    Waiting,
    /// Claimed; if nothing is said by `due`, it can be claimed again.
    Running,
    /// Done.
    Done,
    /// Given up, kept for people to look at and [`retry`](crate::Store::retry_job).
    Dead,
}

/// A job as it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Whose it is.
    pub tenant: String,
    /// Which runner does it.
    pub kind: String,
    /// Its idempotency key.
    pub key: String,
    /// Its lane.
    pub lane: Option<String>,
    /// Where it may act.
    pub environment: Environment,
    /// Its flow.
    pub flow: Option<Uuid>,
    /// What the runner needs.
    pub payload: Bytes,
    /// Where it stands.
    pub state: JobState,
    /// An older job of its lane goes first.
    pub behind: bool,
    /// How many times it was claimed since it was committed or last [retried](crate::Store::retry_job) by
    /// hand, this claim included.
    pub attempts: u32,
    /// Which claim this is; an outcome counts only for the current one.
    pub claim: u64,
    /// Waiting: not before; running: end of the lease; else: when it ended.
    pub due: Timestamp,
    /// When it was last claimed.
    pub claimed: Option<Timestamp>,
    /// Why the last attempt failed.
    pub error: Option<Text>,
    /// When it was committed.
    pub created: Timestamp,
}

impl Job {
    /// It is done.
    #[must_use]
    pub const fn done(&self) -> JobUpdate {
        self.outcome(Outcome::Done)
    }

    /// It failed and is to be tried again at `at`. `error` must hold no personal data.
    #[must_use]
    pub fn retry(&self, at: Timestamp, error: impl Into<Text>) -> JobUpdate {
        self.outcome(Outcome::Retry { at, error: error.into() })
    }

    /// It failed for good. `error` must hold no personal data.
    #[must_use]
    pub fn dead(&self, error: impl Into<Text>) -> JobUpdate {
        self.outcome(Outcome::Dead { error: error.into() })
    }

    /// Where the next page begins when this is the last of its page.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        Cursor(self.id.0)
    }

    const fn outcome(&self, outcome: Outcome) -> JobUpdate {
        JobUpdate { id: self.id, claim: self.claim, outcome }
    }
}

impl fmt::Debug for Job {
    /// Without lane and payload, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({}, {}, {:?}, attempt {})", self.id, self.kind, self.state, self.attempts)
    }
}

/// What became of a claimed job. Made by [`Job::done`], [`Job::retry`], [`Job::dead`].
///
/// It counts only while the claim holds: when the lease ran out and another runner claimed the job, the
/// batch is refused with [`LeaseLost`](crate::StoreError::LeaseLost).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobUpdate {
    /// Which job.
    pub id: JobId,
    /// Which claim of it: [`Job::claim`].
    pub claim: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// The outcome of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// To be tried again.
    Retry {
        /// Not before this instant.
        at: Timestamp,
        /// Why, without personal data.
        error: Text,
    },
    /// Given up.
    Dead {
        /// Why, without personal data.
        error: Text,
    },
}

/// Which jobs a runner asks for.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Only jobs of this environment.
    pub environment: Environment,
    /// Only these kinds.
    pub kinds: Vec<String>,
    /// At most this many.
    pub max: usize,
    /// Jobs due at this instant.
    pub now: Timestamp,
    /// How long the runner may take before others may claim.
    pub lease: Duration,
}

/// Which jobs to list; every `None` and empty list means "whatever". Newest first.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Of this tenant.
    pub tenant: Option<String>,
    /// Of these kinds.
    pub kinds: Vec<String>,
    /// In this state.
    pub state: Option<JobState>,
    /// Bound to this environment.
    pub environment: Option<Environment>,
    /// Of this flow.
    pub flow: Option<Uuid>,
}

/// How many jobs of one kind stand where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCount {
    /// The kind.
    pub kind: String,
    /// The environment they are bound to.
    pub environment: Environment,
    /// The state.
    pub state: JobState,
    /// How many.
    pub count: u64,
}
