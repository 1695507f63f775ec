//! What was taken leaves: durable jobs, delivered at least once, in the order of each patient.
//!
//! Order: the runner, then one file per kind of job. A job is claimed under a lease, done over the
//! national service's real protocol, and its outcome is committed together with the flow's step and
//! the audit record. A process that dies in between finds the job again; each delivery is idempotent
//! (the DMP is asked for the document's unique identifier first; a mail keeps its Message-ID).
//!
//! A failure that may pass is tried again, each wait twice the former; one that will not pass, or the
//! last attempt, makes a dead letter: visible, replayable, with its reason.

mod dmp;
mod identify;
pub(crate) mod job;
mod mail;
mod package;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use socle_finding::Text;
use socle_store::{Batch, Blob, Claim, Exchange, FlowStep, Job, JobUpdate, NewJob, StepState, StoreError};
use socle_trust::Shutdown;
use socle_trust::audit::{Code, Outcome, Record, RecordAction};
use tokio::sync::Semaphore;

use crate::desk::Gateway;
use crate::{TENANT, trace};

/// A claimed job is this process's for so long; a delivery that lasts longer is given up by its own
/// timeouts before.
const LEASE: Duration = Duration::from_secs(900);

/// What became of one attempt.
pub(crate) struct Attempt {
    /// The step of the flow.
    pub(crate) step: String,
    /// On which protocol.
    pub(crate) protocol: &'static str,
    /// How it ended.
    pub(crate) end: End,
    /// One line for people, without personal data.
    pub(crate) summary: Text,
    /// The rule that decided.
    pub(crate) rule: Option<String>,
    /// What went over the wire.
    pub(crate) exchange: Option<(Blob, Option<Blob>)>,
    /// What it makes possible.
    pub(crate) next: Vec<NewJob>,
    /// What the domain learnt.
    pub(crate) writes: Vec<socle_store::Write>,
    /// The audit record.
    pub(crate) record: Record,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Delivered.
    Done,
    /// Not now.
    Later,
    /// Not as it is.
    Never,
}

impl Gateway {
    /// Delivers until `shutdown`; then finishes what is under way.
    pub async fn dispatch(self: Arc<Self>, shutdown: Shutdown) {
        let slots = Arc::new(Semaphore::new(self.settings.workers));
        let mut signal = self.store.job_signal();
        loop {
            let free = slots.available_permits();
            let claimed = if free == 0 { Vec::new() } else { self.claim(free).await };
            let was_idle = claimed.is_empty();
            for job in claimed {
                // There are as many permits as were asked for, and only this loop takes them.
                let Ok(permit) = slots.clone().acquire_owned().await else { return };
                let gateway = self.clone();
                tokio::spawn(async move {
                    gateway.run(job).await;
                    drop(permit);
                });
            }
            if !was_idle && slots.available_permits() > 0 {
                continue;
            }
            tokio::select! {
                () = shutdown.triggered() => break,
                _ = signal.changed() => {}
                _ = slots.acquire() , if slots.available_permits() == 0 => {}
                () = self.until_due() => {}
            }
        }
        // What is under way ends by its own timeouts; whoever stops the process bounds the wait.
        let all = u32::try_from(self.settings.workers).unwrap_or(u32::MAX);
        let _under_way = slots.acquire_many(all).await;
    }

    async fn claim(&self, max: usize) -> Vec<Job> {
        let claim = Claim {
            environment: self.settings.environment,
            kinds: job::KINDS.map(str::to_owned).to_vec(),
            max,
            now: Timestamp::now(),
            lease: LEASE,
        };
        self.store.claim_jobs(claim).await.unwrap_or_else(|error| {
            tracing::error!(%error, "no job could be claimed");
            Vec::new()
        })
    }

    /// Waits until the next job is due, at most a minute (a lease may run out meanwhile).
    async fn until_due(&self) {
        let kinds = job::KINDS.map(str::to_owned).to_vec();
        let due = self.store.next_due(self.settings.environment, kinds).await.ok().flatten();
        let wait = due.map_or(Duration::from_secs(60), |due| {
            let left = due.duration_since(Timestamp::now());
            Duration::try_from(left).unwrap_or(Duration::from_millis(50))
        });
        tokio::time::sleep(wait.clamp(Duration::from_millis(20), Duration::from_secs(60))).await;
    }

    async fn run(&self, job: Job) {
        let started = Timestamp::now();
        let attempt = match job.kind.as_str() {
            job::DMP => self.deliver_to_dmp(&job).await,
            job::MAIL => self.deliver_by_mail(&job).await,
            _ => self.identify_again(&job).await,
        };
        let update = self.outcome(&job, &attempt);
        if let Err(error) = self.conclude(&job, attempt, update, started).await {
            tracing::error!(job = %job.id, %error, "the outcome of a job could not be kept; it will be done again");
        }
    }

    fn outcome(&self, job: &Job, attempt: &Attempt) -> JobUpdate {
        match attempt.end {
            End::Done => job.done(),
            End::Never => job.dead(attempt.summary.clone()),
            End::Later if job.attempts >= self.settings.max_attempts => {
                let (attempts, why) = (job.attempts, &attempt.summary);
                job.dead(Text::new(
                    format!("abandonné après {attempts} essais : {}", why.fr),
                    format!("given up after {attempts} attempts: {}", why.en),
                ))
            }
            End::Later => job.retry(Timestamp::now() + self.wait_before(job.attempts + 1), attempt.summary.clone()),
        }
    }

    /// The wait before attempt `n` (2, 3…): the first wait, doubled each time, up to the longest.
    fn wait_before(&self, n: u32) -> SignedDuration {
        let doubled = self.settings.first_wait.saturating_mul(1 << n.saturating_sub(2).min(20));
        SignedDuration::try_from(doubled.min(self.settings.longest_wait)).unwrap_or(SignedDuration::from_secs(60))
    }

    async fn conclude(
        &self,
        job: &Job,
        attempt: Attempt,
        update: JobUpdate,
        started: Timestamp,
    ) -> Result<(), StoreError> {
        let is_dead = matches!(update.outcome, socle_store::Outcome::Dead { .. });
        let mut batch = Batch::new(TENANT);
        let exchange = attempt.exchange.map(|(request, response)| {
            let exchange = Exchange { request: request.digest(), response: response.as_ref().map(Blob::digest) };
            batch.blobs.push(request);
            batch.blobs.extend(response);
            exchange
        });
        if let Some(flow) = job.flow {
            batch.flow_steps.push(FlowStep {
                flow,
                step: attempt.step,
                state: match attempt.end {
                    End::Done => StepState::Ok,
                    End::Never => StepState::Refused,
                    End::Later if is_dead => StepState::Failed,
                    End::Later => StepState::Waiting,
                },
                started,
                ended: Some(Timestamp::now()),
                protocol: attempt.protocol.to_owned(),
                summary: attempt.summary,
                rule: attempt.rule,
                exchange,
            });
        }
        batch.jobs = attempt.next;
        batch.writes = attempt.writes;
        batch.job_updates.push(update);
        batch.audit.push(attempt.record);
        self.store.commit(batch).await.map(|_| ())
    }

    /// An attempt of which nothing is known yet.
    pub(crate) fn begin(
        &self,
        job: &Job,
        lot: &job::Lot,
        target: &job::Target,
        protocol: &'static str,
        kind: Code,
        action: RecordAction,
    ) -> Attempt {
        let mut record = trace::about(trace::system_record(&self.settings, kind, action, job.flow), &lot.person);
        record.objects = lot.documents.iter().map(|document| trace::document(&document.id)).collect();
        Attempt {
            step: target.step(),
            protocol,
            end: End::Later,
            summary: Text::same(""),
            rule: None,
            exchange: None,
            next: Vec::new(),
            writes: Vec::new(),
            record,
        }
    }

    /// A job whose own data cannot be read will never go.
    pub(crate) fn unreadable(&self, job: &Job, step: &str, protocol: &'static str) -> Attempt {
        let kind = Code::rest();
        let record = trace::system_record(&self.settings, kind, RecordAction::E, job.flow);
        let summary = Text::fixed("le travail enregistré ne peut pas être relu", "the stored job cannot be read again");
        Attempt {
            step: step.to_owned(),
            protocol,
            end: End::Never,
            rule: None,
            exchange: None,
            next: Vec::new(),
            writes: Vec::new(),
            record: trace::failed(record, Outcome::MajorFailure, summary.fr.to_string()),
            summary,
        }
    }
}
