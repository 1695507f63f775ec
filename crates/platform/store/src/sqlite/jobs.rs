//! Jobs in the database: committed, claimed, finished, retried, listed.
//!
//! Invariant: of the unfinished jobs of a lane, exactly one is not `behind`: the running one, else the
//! oldest. Claims look at those alone, by an index that holds nothing else, so that a long lane costs
//! nothing. `due` is the instant from which a job may be claimed: of a running one, the end of its lease.

use jiff::{SignedDuration, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use socle_identity::Environment;
use uuid::Uuid;

use super::sql::{damaged, from_micros, to_i64, to_micros, to_u64};
use super::text;
use crate::{Claim, Enqueued, Job, JobCount, JobFilter, JobId, JobState, JobUpdate, NewJob, Outcome, Page, StoreError};

const WAITING: i64 = 0;
const RUNNING: i64 = 1;
const DONE: i64 = 2;
const DEAD: i64 = 3;

/// The last job number given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    job: i64,
}

impl Numbers {
    pub(super) fn load(db: &Connection) -> Result<Self, StoreError> {
        Ok(Self { job: db.query_row("SELECT coalesce(max(id), 0) FROM job", [], |row| row.get(0))? })
    }
}

/// Adds a job, or finds the one that has its key.
pub(super) fn enqueue(
    db: &Connection,
    numbers: &mut Numbers,
    tenant: &str,
    job: &NewJob,
    at: Timestamp,
) -> Result<Enqueued, StoreError> {
    let same = "SELECT id FROM job WHERE tenant = ?1 AND kind = ?2 AND key = ?3";
    let existing = db.prepare_cached(same)?.query_row((tenant, &job.kind, &job.key), |row| row.get(0)).optional()?;
    if let Some(id) = existing {
        return Ok(Enqueued::Existing(JobId(to_u64(id)?)));
    }
    let environment = job.environment.as_str();
    let behind = match &job.lane {
        Some(lane) => head(db, tenant, environment, lane)?.is_some(),
        None => false,
    };
    numbers.job += 1;
    let insert = "INSERT INTO job (id, tenant, kind, key, lane, environment, flow, payload, state, behind, due, \
                  attempts, claim, error, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0, NULL, ?12)";
    db.prepare_cached(insert)?.execute(params![
        numbers.job,
        tenant,
        job.kind,
        job.key,
        job.lane,
        environment,
        job.flow.map(Uuid::into_bytes),
        job.payload.as_ref(),
        WAITING,
        behind,
        to_micros(job.not_before.unwrap_or(at)),
        to_micros(at),
    ])?;
    Ok(Enqueued::New(JobId(to_u64(numbers.job)?)))
}

/// The unfinished job of a lane that goes first.
fn head(db: &Connection, tenant: &str, environment: &str, lane: &str) -> Result<Option<i64>, StoreError> {
    let select = "SELECT id FROM job WHERE tenant = ?1 AND environment = ?2 AND lane = ?3 AND state < 2 \
                  ORDER BY state DESC, id LIMIT 1";
    Ok(db.prepare_cached(select)?.query_row((tenant, environment, lane), |row| row.get(0)).optional()?)
}

/// Restores the invariant of a lane after one of its jobs was finished or put back.
fn settle(db: &Connection, job: &Job) -> Result<(), StoreError> {
    let Some(lane) = &job.lane else { return Ok(()) };
    let environment = job.environment.as_str();
    let Some(head) = head(db, &job.tenant, environment, lane)? else { return Ok(()) };
    let others = "UPDATE job SET behind = 1 WHERE tenant = ?1 AND environment = ?2 AND lane = ?3 AND state < 2 \
                  AND behind = 0 AND id <> ?4";
    db.prepare_cached(others)?.execute((&job.tenant, environment, lane, head))?;
    db.prepare_cached("UPDATE job SET behind = 0 WHERE id = ?1 AND behind = 1")?.execute([head])?;
    Ok(())
}

/// Claims due jobs.
pub(super) fn claim(db: &Connection, claim: &Claim) -> Result<Vec<Job>, StoreError> {
    let now = to_micros(claim.now);
    let max = claim.max.min(Page::MAX);
    let mut due: Vec<(i64, i64)> = Vec::new();
    for kind in &claim.kinds {
        let select = "SELECT due, id FROM job WHERE environment = ?1 AND kind = ?2 AND state < 2 AND behind = 0 \
                      AND due <= ?3 ORDER BY due, id LIMIT ?4";
        let mut statement = db.prepare_cached(select)?;
        let rows = statement
            .query_map((claim.environment.as_str(), kind, now, max as i64), |row| Ok((row.get(0)?, row.get(1)?)))?;
        due.extend(rows.collect::<Result<Vec<_>, _>>()?);
    }
    due.sort_unstable();
    due.dedup();
    due.truncate(max);
    let until = to_micros(end_of_lease(claim));
    let take =
        "UPDATE job SET state = 1, due = ?2, attempts = attempts + 1, claim = claim + 1, claimed = ?3 WHERE id = ?1";
    let mut jobs = Vec::with_capacity(due.len());
    for (_, id) in due {
        db.prepare_cached(take)?.execute((id, until, now))?;
        jobs.push(find(db, id)?.ok_or_else(|| damaged("a job that is due does not exist"))?);
    }
    Ok(jobs)
}

/// Puts back the jobs that a former process had claimed: this one alone has the folder, so that nobody works at them.
/// Each is due since it was last claimed.
pub(super) fn release_orphans(db: &Connection) -> Result<(), StoreError> {
    db.execute("UPDATE job SET state = 0, due = coalesce(claimed, due) WHERE state = 1", [])?;
    Ok(())
}

fn end_of_lease(claim: &Claim) -> Timestamp {
    let lease = SignedDuration::try_from(claim.lease).unwrap_or(SignedDuration::MAX);
    claim.now.checked_add(lease).unwrap_or(Timestamp::MAX)
}

/// Writes what became of a claimed job; gives the job as it was.
pub(super) fn update(db: &Connection, tenant: &str, update: &JobUpdate, at: Timestamp) -> Result<Job, StoreError> {
    let missing = StoreError::NoSuchJob { job: update.id, problem: "does not exist in this tenant" };
    let job = find(db, to_i64(update.id.0))?.filter(|job| job.tenant == tenant).ok_or(missing)?;
    if job.state != JobState::Running || job.claim != update.claim {
        return Err(StoreError::LeaseLost { job: job.id });
    }
    let (state, due, error) = match &update.outcome {
        Outcome::Done => (DONE, at, None),
        Outcome::Retry { at, error } => (WAITING, *at, Some(text::written(error))),
        Outcome::Dead { error } => (DEAD, at, Some(text::written(error))),
    };
    let set = "UPDATE job SET state = ?2, due = ?3, error = ?4, behind = 0 WHERE id = ?1";
    db.prepare_cached(set)?.execute((to_i64(job.id.0), state, to_micros(due), error))?;
    settle(db, &job)?;
    Ok(job)
}

/// Puts a dead job back, or makes a waiting one due.
pub(super) fn retry(db: &Connection, id: JobId, now: Timestamp) -> Result<Job, StoreError> {
    let refused = |problem| StoreError::NoSuchJob { job: id, problem };
    let job = find(db, to_i64(id.0))?.ok_or(refused("does not exist"))?;
    match job.state {
        JobState::Done => return Err(refused("is done already")),
        JobState::Running => return Err(refused("is running; wait for its end or for the end of its lease")),
        JobState::Waiting | JobState::Dead => {}
    }
    let set = "UPDATE job SET state = 0, due = ?2, attempts = 0 WHERE id = ?1";
    db.prepare_cached(set)?.execute((to_i64(id.0), to_micros(now)))?;
    settle(db, &job)?;
    find(db, to_i64(id.0))?.ok_or(refused("does not exist"))
}

/// When the first of these jobs can be claimed.
pub(super) fn next_due(
    db: &Connection,
    environment: Environment,
    kinds: &[String],
) -> Result<Option<Timestamp>, StoreError> {
    let mut next: Option<i64> = None;
    let select = "SELECT due FROM job WHERE environment = ?1 AND kind = ?2 AND state < 2 AND behind = 0 \
                  ORDER BY due LIMIT 1";
    let mut statement = db.prepare_cached(select)?;
    for kind in kinds {
        let due: Option<i64> = statement.query_row((environment.as_str(), kind), |row| row.get(0)).optional()?;
        next = next.into_iter().chain(due).min();
    }
    next.map(from_micros).transpose()
}

const COLUMNS: &str = "id, tenant, kind, key, lane, environment, flow, payload, state, behind, due, attempts, claim, \
                       claimed, error, created";

fn job(row: &Row<'_>) -> Result<Job, StoreError> {
    let environment: String = row.get(5)?;
    Ok(Job {
        id: JobId(to_u64(row.get(0)?)?),
        tenant: row.get(1)?,
        kind: row.get(2)?,
        key: row.get(3)?,
        lane: row.get(4)?,
        environment: environment.parse().map_err(|_| damaged("a job is bound to an unknown environment"))?,
        flow: row.get::<_, Option<[u8; 16]>>(6)?.map(Uuid::from_bytes),
        payload: row.get::<_, Vec<u8>>(7)?.into(),
        state: state(row.get(8)?)?,
        behind: row.get(9)?,
        due: from_micros(row.get(10)?)?,
        attempts: row.get(11)?,
        claim: to_u64(row.get(12)?)?,
        claimed: row.get::<_, Option<i64>>(13)?.map(from_micros).transpose()?,
        error: row.get::<_, Option<String>>(14)?.map(text::read),
        created: from_micros(row.get(15)?)?,
    })
}

fn state(number: i64) -> Result<JobState, StoreError> {
    match number {
        WAITING => Ok(JobState::Waiting),
        RUNNING => Ok(JobState::Running),
        DONE => Ok(JobState::Done),
        DEAD => Ok(JobState::Dead),
        _ => Err(damaged("a job is in an unknown state")),
    }
}

const fn number(state: JobState) -> i64 {
    match state {
        JobState::Waiting => WAITING,
        JobState::Running => RUNNING,
        JobState::Done => DONE,
        JobState::Dead => DEAD,
    }
}

/// One job.
pub(super) fn find(db: &Connection, id: i64) -> Result<Option<Job>, StoreError> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM job WHERE id = ?1"))?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(job).transpose()
}

/// The states of a flow's jobs.
pub(super) fn states_of_flow(db: &Connection, flow: Uuid) -> Result<Vec<JobState>, StoreError> {
    let mut statement = db.prepare_cached("SELECT state FROM job WHERE flow = ?1")?;
    let mut rows = statement.query([flow.into_bytes()])?;
    let mut states = Vec::new();
    while let Some(row) = rows.next()? {
        states.push(state(row.get(0)?)?);
    }
    Ok(states)
}

/// Jobs that pass the filter, newest first.
pub(super) fn list(db: &Connection, filter: &JobFilter, page: Page) -> Result<Vec<Job>, StoreError> {
    let mut wheres = vec!["id < ?".to_owned()];
    let mut values = vec![Value::from(page.before())];
    let mut only = |condition: &str, value: Value| {
        wheres.push(condition.to_owned());
        values.push(value);
    };
    if let Some(tenant) = &filter.tenant {
        only("tenant = ?", tenant.clone().into());
    }
    if let Some(state) = filter.state {
        // Written out, so that the index of what is not done can serve.
        only(if state == JobState::Done { "state = ?" } else { "state <> 2 AND state = ?" }, number(state).into());
    }
    if let Some(environment) = filter.environment {
        only("environment = ?", environment.as_str().to_owned().into());
    }
    if let Some(flow) = filter.flow {
        only("flow = ?", flow.into_bytes().to_vec().into());
    }
    if !filter.kinds.is_empty() {
        wheres.push(format!("kind IN ({})", vec!["?"; filter.kinds.len()].join(", ")));
        values.extend(filter.kinds.iter().cloned().map(Value::from));
    }
    values.push(page.rows().into());
    let select = format!("SELECT {COLUMNS} FROM job WHERE {} ORDER BY id DESC LIMIT ?", wheres.join(" AND "));
    let mut statement = db.prepare(&select)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(job(row)?);
    }
    Ok(jobs)
}

/// How many jobs stand where.
pub(super) fn counts(db: &Connection) -> Result<Vec<JobCount>, StoreError> {
    let select =
        "SELECT kind, environment, state, count(*) FROM job GROUP BY kind, environment, state ORDER BY 1, 2, 3";
    let mut statement = db.prepare_cached(select)?;
    let mut rows = statement.query([])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let environment: String = row.get(1)?;
        counts.push(JobCount {
            kind: row.get(0)?,
            environment: environment.parse().map_err(|_| damaged("a job is bound to an unknown environment"))?,
            state: state(row.get(2)?)?,
            count: to_u64(row.get(3)?)?,
        });
    }
    Ok(counts)
}
