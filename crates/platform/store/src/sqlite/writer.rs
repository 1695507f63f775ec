//! The one writer: a thread that takes what waits, writes it as one group, and answers.
//!
//! Group commit: the blobs of the whole group are appended and synced once, then each batch is applied
//! in a savepoint of one transaction, so that a batch that is refused takes nothing with it, then one
//! COMMIT makes the group durable, and only then is anybody answered. Whatever comes meanwhile is the
//! next group; the slower the disk, the larger the groups.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::thread::JoinHandle;

use jiff::Timestamp;
use rusqlite::Connection;
use socle_trust::audit::{PatientId, Record};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use uuid::Uuid;

use super::checkpoints::Notary;
use super::keys::Keyring;
use super::log::{self, Log};
use super::segments::{Place, Segments};
use super::sql::{from_micros, rounded};
use super::{blobs, flows, index, jobs, resources};
use crate::{Batch, Checkpoint, Claim, Committed, Digest, Erased, Job, JobId, StoreError};

/// Most requests in one group.
const GROUP_REQUESTS: usize = 256;

/// A group stops growing at this many bytes.
const GROUP_BYTES: usize = 32 << 20;

/// What the writer is asked.
pub(super) struct Request {
    pub(super) order: Order,
    /// Room in the queue, given back when the request is answered.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

/// What to write, and whom to answer.
pub(super) enum Order {
    Commit(Box<Batch>, Reply<Committed>),
    Claim(Claim, Reply<Vec<Job>>),
    Retry(JobId, Timestamp, Reply<Job>),
    Checkpoint(Reply<Checkpoint>),
    Erase(PatientId, Box<Record>, Reply<Erased>),
}

/// Where an answer goes; nobody may be waiting any more.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// An answer that is ready but not yet given: it is given once the group is durable.
type Answer = Box<dyn FnOnce(Result<(), StoreError>)>;

/// What the writer works with.
pub(super) struct Tools {
    pub(super) db: Connection,
    pub(super) segments: Segments,
    pub(super) keyring: Arc<Keyring>,
    pub(super) notary: Notary,
    pub(super) signal: watch::Sender<u64>,
}

/// The writer and its state.
pub(super) struct Writer {
    tools: Tools,
    numbers: Numbers,
    log: Log,
    clock: Timestamp,
}

/// What is known of a group while it is written.
#[derive(Default)]
struct Group {
    /// Where its new blobs are.
    places: HashMap<Digest, Place>,
    answers: Vec<Answer>,
    /// Some of its jobs may be due.
    wake: bool,
    /// A person was erased.
    erased: bool,
    /// Why its transaction is gone.
    lost: Option<StoreError>,
}

/// Why a group was not written.
enum Failure {
    /// It never reached its COMMIT.
    NotWritten(StoreError),
    /// Its COMMIT failed.
    Unknown(StoreError),
}

impl Failure {
    const fn error(&self) -> &StoreError {
        match self {
            Self::NotWritten(error) | Self::Unknown(error) => error,
        }
    }
}

/// The numbers that the next batch goes on from.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    resources: resources::Numbers,
    jobs: jobs::Numbers,
    flows: flows::Numbers,
}

impl Numbers {
    fn load(db: &Connection) -> Result<Self, StoreError> {
        Ok(Self {
            resources: resources::Numbers::load(db)?,
            jobs: jobs::Numbers::load(db)?,
            flows: flows::Numbers::load(db)?,
        })
    }
}

impl Writer {
    pub(super) fn new(tools: Tools) -> Result<Self, StoreError> {
        let db = &tools.db;
        let numbers = Numbers::load(db)?;
        let last = "SELECT max(coalesce((SELECT at FROM version ORDER BY seq DESC LIMIT 1), 0), \
                    1000 * coalesce((SELECT recorded FROM audit_leaf ORDER BY idx DESC LIMIT 1), 0))";
        let clock = from_micros(db.query_row(last, [], |row| row.get(0))?)?;
        let log = Log::load(db)?;
        Ok(Self { tools, numbers, log, clock })
    }

    /// Starts the thread; it ends when every sender of `requests` is gone and all are answered.
    pub(super) fn start(self, requests: mpsc::Receiver<Request>) -> Result<JoinHandle<()>, StoreError> {
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || self.serve(requests))
            .map_err(super::sql::io("start the writer's thread"))
    }

    fn serve(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let group = gather(first, &mut requests);
            self.write(group);
        }
    }

    /// Writes a group and answers all of it.
    fn write(&mut self, requests: Vec<Request>) {
        let (orders, rooms): (Vec<_>, Vec<_>) =
            requests.into_iter().map(|request| (request.order, request.room)).unzip();
        let end = self.tools.segments.end();
        let mut group = Group::default();
        let written = self.write_group(orders, &mut group);
        if let Err(failure) = &written {
            tracing::error!(error = %failure.error(), "a group of commits was not written");
            self.recover(failure, end);
        }
        drop(rooms);
        for answer in group.answers {
            answer(written.as_ref().copied().map_err(|failure| again(failure.error())));
        }
        if group.wake && written.is_ok() {
            self.tools.signal.send_modify(|count| *count += 1);
        }
    }

    fn write_group(&mut self, orders: Vec<Order>, group: &mut Group) -> Result<(), Failure> {
        let logged = self.log.frontier().size();
        match self.begin(&orders) {
            Ok(places) => group.places = places,
            Err(error) => group.lost = Some(error),
        }
        for order in orders {
            let answer = self.obey(order, group);
            group.answers.push(answer);
        }
        if let Some(lost) = group.lost.take() {
            return Err(Failure::NotWritten(lost));
        }
        if self.log.frontier().size() != logged {
            log::save_head(&self.tools.db, self.log.frontier()).map_err(Failure::NotWritten)?;
        }
        self.execute("COMMIT").map_err(Failure::Unknown)?;
        if group.erased {
            self.empty_log();
        }
        Ok(())
    }

    /// Makes the group's blobs durable and begins its transaction.
    fn begin(&mut self, orders: &[Order]) -> Result<HashMap<Digest, Place>, StoreError> {
        let blobs = orders.iter().filter_map(|order| match order {
            Order::Commit(batch, _) => Some(&batch.blobs),
            _ => None,
        });
        let places = blobs::append(&self.tools.db, &mut self.tools.segments, blobs.flatten())?;
        self.execute("BEGIN IMMEDIATE")?;
        Ok(places)
    }

    fn obey(&mut self, order: Order, group: &mut Group) -> Answer {
        match order {
            Order::Commit(batch, reply) => {
                let result = self.attempt(group, |writer, group, at| writer.apply(&batch, &group.places, at));
                group.wake |= result.is_ok() && !(batch.jobs.is_empty() && batch.job_updates.is_empty());
                answer(reply, result)
            }
            Order::Claim(claim, reply) => {
                answer(reply, self.attempt(group, |writer, _, _| jobs::claim(&writer.tools.db, &claim)))
            }
            Order::Retry(id, now, reply) => {
                let result = self.attempt(group, |writer, _, _| writer.retry(id, now));
                group.wake |= result.is_ok();
                answer(reply, result)
            }
            Order::Checkpoint(reply) => {
                let sign = |writer: &mut Self, _: &Group, at| {
                    writer.tools.notary.sign(&writer.tools.db, writer.log.frontier(), at)
                };
                answer(reply, self.attempt(group, sign))
            }
            Order::Erase(patient, trace, reply) => {
                let result = self.attempt(group, |writer, _, at| writer.erase(&patient, &trace, at));
                group.erased |= result.is_ok();
                answer(reply, result)
            }
        }
    }

    /// Moves everything from SQLite's log into the database and empties the log, where an erased key would
    /// otherwise stay readable until it is overwritten.
    fn empty_log(&self) {
        let emptied = self.tools.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        if !matches!(emptied, Ok(false)) {
            tracing::warn!(
                "after an erasure, the database's log could not be emptied at once; it will be at the next stop"
            );
        }
    }

    /// Does one order in a savepoint; undone alone when refused. When the database gave up the whole
    /// transaction (a full disk can do that), the group is lost, and what follows is not tried.
    fn attempt<T>(
        &mut self,
        group: &mut Group,
        order: impl FnOnce(&mut Self, &Group, Timestamp) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(lost) = &group.lost {
            return Err(again(lost));
        }
        let before = (self.numbers, self.log.mark());
        let at = self.tick();
        let result = self.execute("SAVEPOINT one").and_then(|()| order(self, group, at)).and_then(|done| {
            self.execute("RELEASE one")?;
            Ok(done)
        });
        let Err(error) = &result else { return result };
        self.numbers = before.0;
        self.log.go_back(before.1);
        let undone = self.execute("ROLLBACK TO one").and_then(|()| self.execute("RELEASE one"));
        if undone.is_err() || self.tools.db.is_autocommit() {
            group.lost = Some(again(error));
        }
        result
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.tools.db.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// The instant of the next batch: the system's clock, which may be set back, never does that here.
    fn tick(&mut self) -> Timestamp {
        self.clock = self.clock.max(rounded(Timestamp::now()));
        self.clock
    }

    fn apply(
        &mut self,
        batch: &Batch,
        places: &HashMap<Digest, Place>,
        at: Timestamp,
    ) -> Result<Committed, StoreError> {
        let (db, numbers, tenant) = (&self.tools.db, &mut self.numbers, batch.tenant.as_str());
        for release in &batch.releases {
            resources::release(db, tenant, release)?;
        }
        for unique in &batch.uniques {
            resources::take(db, tenant, unique)?;
        }
        let mut writes = Vec::with_capacity(batch.writes.len());
        let mut rows = index::Rows::new(tenant);
        for write in &batch.writes {
            let space = resources::intern_space(db, tenant, &write.kind)?;
            let written = resources::write(db, &mut numbers.resources, space, write, at)?;
            rows.add(db, space, &written, &write.entries)?;
            writes.push(written.version);
        }
        rows.insert(db)?;
        let mut deletes = Vec::with_capacity(batch.deletes.len());
        for delete in &batch.deletes {
            let space = resources::intern_space(db, tenant, &delete.kind)?;
            deletes.push(resources::delete(db, &mut numbers.resources, space, delete, at)?);
        }
        for blob in &batch.blobs {
            blobs::index(db, &blob.digest(), places)?;
        }
        let mut touched: HashSet<Uuid> = HashSet::new();
        for flow in &batch.flows {
            flows::begin(db, &mut numbers.flows, tenant, flow, at)?;
        }
        for step in &batch.flow_steps {
            flows::tell(db, &mut numbers.flows, tenant, step)?;
            touched.insert(step.flow);
        }
        let mut enqueued = Vec::with_capacity(batch.jobs.len());
        for job in &batch.jobs {
            if let Some(flow) = job.flow {
                flows::row_of(db, tenant, flow)?;
                touched.insert(flow);
            }
            enqueued.push(jobs::enqueue(db, &mut numbers.jobs, tenant, job, at)?);
        }
        for update in &batch.job_updates {
            touched.extend(jobs::update(db, tenant, update, at)?.flow);
        }
        for flow in touched {
            flows::settle(db, flow)?;
        }
        let keyring = &self.tools.keyring;
        let audit: Result<_, _> = batch.audit.iter().map(|record| self.log.append(db, keyring, record, at)).collect();
        Ok(Committed { at, writes, deletes, jobs: enqueued, audit: audit? })
    }

    fn retry(&mut self, id: JobId, now: Timestamp) -> Result<Job, StoreError> {
        let job = jobs::retry(&self.tools.db, id, now)?;
        if let Some(flow) = job.flow {
            flows::settle(&self.tools.db, flow)?;
        }
        Ok(job)
    }

    fn erase(&mut self, patient: &PatientId, trace: &Record, at: Timestamp) -> Result<Erased, StoreError> {
        let (db, keyring) = (&self.tools.db, &self.tools.keyring);
        let records = self.log.erase(db, keyring, patient, at)?;
        Ok(Erased { records, trace: self.log.append(db, keyring, trace, at)? })
    }

    /// After a group that was not written: nothing of it stays in the transaction, in the segments or in memory.
    fn recover(&mut self, failure: &Failure, end: (i64, u64)) {
        if !self.tools.db.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(%error, "cannot roll back");
        }
        match failure {
            Failure::NotWritten(_) => self.tools.segments.take_back(end),
            // Should this process die now, the next one may find the group in the database's log, and needs its blobs.
            Failure::Unknown(_) => self.tools.segments.begin_next(),
        }
        let reloaded = Numbers::load(&self.tools.db).and_then(|numbers| Ok((numbers, Log::load(&self.tools.db)?)));
        match reloaded {
            Ok((numbers, log)) => (self.numbers, self.log) = (numbers, log),
            Err(error) => tracing::error!(%error, "cannot read where the store stands"),
        }
    }
}

/// Takes what waits, up to the limits of a group.
fn gather(first: Request, requests: &mut mpsc::Receiver<Request>) -> Vec<Request> {
    let mut bytes = first.weight();
    let mut group = vec![first];
    while group.len() < GROUP_REQUESTS && bytes < GROUP_BYTES {
        let Ok(next) = requests.try_recv() else { break };
        bytes += next.weight();
        group.push(next);
    }
    group
}

impl Request {
    fn weight(&self) -> usize {
        match &self.order {
            Order::Commit(batch, _) => batch.weight(),
            _ => 0,
        }
    }
}

/// Keeps a result until the group's fate is known: done only when durable, refused in any case.
fn answer<T: 'static>(reply: Reply<T>, result: Result<T, StoreError>) -> Answer {
    Box::new(move |group| {
        let result = result.and_then(|done| group.map(|()| done));
        // Nobody may be waiting any more; the effect stands.
        let _ = reply.send(result);
    })
}

/// The same error for another one of the group. Only troubles of the machine concern a whole group.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::DiskFull => StoreError::DiskFull,
        StoreError::Damaged { what } => StoreError::Damaged { what: what.clone() },
        StoreError::Io { doing, source } => StoreError::Io { doing, source: std::io::Error::from(source.kind()) },
        other => StoreError::Database(other.to_string()),
    }
}
