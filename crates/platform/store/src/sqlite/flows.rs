//! Flows in the database: begun, told, their state kept up to date, listed.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use uuid::Uuid;

use super::sql::{damaged, from_micros, to_micros, to_u64};
use super::{blobs, jobs, text};
use crate::{
    Cursor, Digest, Exchange, Flow, FlowFilter, FlowState, FlowStep, FlowSummary, JobFilter, NewFlow, Page, StepState,
    StoreError,
};

/// The last flow and step numbers given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    flow: i64,
    step: i64,
}

impl Numbers {
    pub(super) fn load(db: &Connection) -> Result<Self, StoreError> {
        let flow = db.query_row("SELECT coalesce(max(n), 0) FROM flow", [], |row| row.get(0))?;
        let step = db.query_row("SELECT coalesce(max(n), 0) FROM flow_step", [], |row| row.get(0))?;
        Ok(Self { flow, step })
    }
}

/// Begins a flow.
pub(super) fn begin(
    db: &Connection,
    numbers: &mut Numbers,
    tenant: &str,
    flow: &NewFlow,
    at: Timestamp,
) -> Result<(), StoreError> {
    let taken = "SELECT 1 FROM flow WHERE id = ?1";
    if db.prepare_cached(taken)?.exists([flow.id.into_bytes()])? {
        return Err(StoreError::Flow { flow: flow.id, problem: "exists already" });
    }
    numbers.flow += 1;
    let insert = "INSERT INTO flow (n, id, tenant, kind, state, document, actor, created) \
                  VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7)";
    db.prepare_cached(insert)?.execute(params![
        numbers.flow,
        flow.id.into_bytes(),
        tenant,
        flow.kind,
        flow.document,
        flow.actor,
        to_micros(at)
    ])?;
    Ok(())
}

/// The row number of a flow of this tenant.
pub(super) fn row_of(db: &Connection, tenant: &str, flow: Uuid) -> Result<i64, StoreError> {
    let select = "SELECT n FROM flow WHERE id = ?1 AND tenant = ?2";
    db.prepare_cached(select)?
        .query_row((flow.into_bytes(), tenant), |row| row.get(0))
        .optional()?
        .ok_or(StoreError::Flow { flow, problem: "does not exist in this tenant" })
}

/// Tells a step.
pub(super) fn tell(db: &Connection, numbers: &mut Numbers, tenant: &str, step: &FlowStep) -> Result<(), StoreError> {
    let flow = row_of(db, tenant, step.flow)?;
    for digest in step.exchange.iter().flat_map(|exchange| [Some(exchange.request), exchange.response]).flatten() {
        if blobs::place(db, &digest)?.is_none() {
            return Err(StoreError::Invalid {
                what: "exchange of a flow step",
                rule: "blobs of this batch or of earlier ones",
            });
        }
    }
    numbers.step += 1;
    let insert = "INSERT INTO flow_step (n, flow, step, state, started, ended, protocol, summary, rule, request, response) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    db.prepare_cached(insert)?.execute(params![
        numbers.step,
        flow,
        step.step,
        step_number(step.state),
        to_micros(step.started),
        step.ended.map(to_micros),
        step.protocol,
        text::written(&step.summary),
        step.rule,
        step.exchange.map(|exchange| *exchange.request.as_bytes()),
        step.exchange.and_then(|exchange| exchange.response).map(|response| *response.as_bytes()),
    ])?;
    Ok(())
}

/// Derives the state of a flow again, after its steps or jobs changed.
pub(super) fn settle(db: &Connection, flow: Uuid) -> Result<(), StoreError> {
    let last = "SELECT state FROM flow_step WHERE flow = (SELECT n FROM flow WHERE id = ?1) \
                GROUP BY step HAVING n = max(n)";
    let mut statement = db.prepare_cached(last)?;
    let mut rows = statement.query([flow.into_bytes()])?;
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.push(step_state(row.get(0)?)?);
    }
    let state = FlowState::derive(steps, jobs::states_of_flow(db, flow)?);
    let update = "UPDATE flow SET state = ?2 WHERE id = ?1 AND state <> ?2";
    db.prepare_cached(update)?.execute((flow.into_bytes(), flow_number(state)))?;
    Ok(())
}

const COLUMNS: &str = "n, id, tenant, kind, state, document, actor, created";

/// Flows that pass the filter, newest first.
pub(super) fn list(db: &Connection, filter: &FlowFilter, page: Page) -> Result<Vec<FlowSummary>, StoreError> {
    let mut wheres = vec!["n < ?"];
    let mut values = vec![Value::from(page.before())];
    if let Some(tenant) = &filter.tenant {
        wheres.push("tenant = ?");
        values.push(tenant.clone().into());
    }
    if let Some(state) = filter.state {
        // Written out, so that the index of what is not done can serve.
        wheres.push(if state == FlowState::Done { "state = ?" } else { "state <> 1 AND state = ?" });
        values.push(flow_number(state).into());
    }
    values.push(page.rows().into());
    let select = format!("SELECT {COLUMNS} FROM flow WHERE {} ORDER BY n DESC LIMIT ?", wheres.join(" AND "));
    let mut statement = db.prepare_cached(&select)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut flows = Vec::new();
    while let Some(row) = rows.next()? {
        flows.push(summary(row)?);
    }
    Ok(flows)
}

/// One flow, on one snapshot.
pub(super) fn find(db: &Connection, id: Uuid) -> Result<Option<Flow>, StoreError> {
    let snapshot = db.unchecked_transaction()?;
    let mut statement = snapshot.prepare_cached(&format!("SELECT {COLUMNS} FROM flow WHERE id = ?1"))?;
    let mut rows = statement.query([id.into_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let steps = steps(&snapshot, id, row.get(0)?)?;
    let filter = JobFilter { flow: Some(id), ..JobFilter::default() };
    let mut jobs = jobs::list(&snapshot, &filter, Page::first(Page::MAX))?;
    jobs.reverse();
    Ok(Some(Flow { summary: summary(row)?, steps, jobs }))
}

fn steps(db: &Connection, flow: Uuid, row_number: i64) -> Result<Vec<FlowStep>, StoreError> {
    let select = "SELECT step, state, started, ended, protocol, summary, rule, request, response FROM flow_step \
                  WHERE flow = ?1 ORDER BY n";
    let mut statement = db.prepare_cached(select)?;
    let mut rows = statement.query([row_number])?;
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.push(FlowStep {
            flow,
            step: row.get(0)?,
            state: step_state(row.get(1)?)?,
            started: from_micros(row.get(2)?)?,
            ended: row.get::<_, Option<i64>>(3)?.map(from_micros).transpose()?,
            protocol: row.get(4)?,
            summary: text::read(row.get(5)?),
            rule: row.get(6)?,
            exchange: exchange(row)?,
        });
    }
    Ok(steps)
}

fn exchange(row: &Row<'_>) -> Result<Option<Exchange>, StoreError> {
    let digest = |bytes: Option<[u8; 32]>| bytes.map(Digest::from_bytes);
    let response = digest(row.get(8)?);
    Ok(digest(row.get(7)?).map(|request| Exchange { request, response }))
}

fn summary(row: &Row<'_>) -> Result<FlowSummary, StoreError> {
    Ok(FlowSummary {
        cursor: Cursor(to_u64(row.get(0)?)?),
        id: Uuid::from_bytes(row.get(1)?),
        tenant: row.get(2)?,
        kind: row.get(3)?,
        state: flow_state(row.get(4)?)?,
        document: row.get(5)?,
        actor: row.get(6)?,
        created: from_micros(row.get(7)?)?,
    })
}

const fn flow_number(state: FlowState) -> i64 {
    match state {
        FlowState::Waiting => 0,
        FlowState::Done => 1,
        FlowState::Refused => 2,
        FlowState::Failed => 3,
    }
}

fn flow_state(number: i64) -> Result<FlowState, StoreError> {
    match number {
        0 => Ok(FlowState::Waiting),
        1 => Ok(FlowState::Done),
        2 => Ok(FlowState::Refused),
        3 => Ok(FlowState::Failed),
        _ => Err(damaged("a flow is in an unknown state")),
    }
}

const fn step_number(state: StepState) -> i64 {
    match state {
        StepState::Ok => 0,
        StepState::Waiting => 1,
        StepState::Refused => 2,
        StepState::Failed => 3,
    }
}

fn step_state(number: i64) -> Result<StepState, StoreError> {
    match number {
        0 => Ok(StepState::Ok),
        1 => Ok(StepState::Waiting),
        2 => Ok(StepState::Refused),
        3 => Ok(StepState::Failed),
        _ => Err(damaged("a step is in an unknown state")),
    }
}
