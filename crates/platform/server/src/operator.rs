//! What the command line asks a running platform: jobs and the audit log (`/operator/…`).

use std::str::FromStr;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use socle_store::{AuditReport, Job, JobId};

use crate::Door;
use crate::authenticate::{Caller, Refused};

pub(crate) fn routes() -> Router<Door> {
    Router::new()
        .route("/operator/jobs", get(jobs))
        .route("/operator/jobs/{id}/retry", post(retry))
        .route("/operator/audit/verify", post(verify))
        .route("/operator/flows/{id}", get(flow))
}

async fn jobs(State(door): State<Door>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let caller = match recognise(&door, &parts).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    match door.gateway.jobs(&caller.actor).await {
        Ok(jobs) => Json(json!({"jobs": jobs.iter().map(shown).collect::<Vec<_>>()})).into_response(),
        Err(stop) => stopped(&stop),
    }
}

async fn retry(State(door): State<Door>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let caller = match recognise(&door, &parts).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let Ok(id) = u64::from_str(&id) else {
        return problem(StatusCode::BAD_REQUEST, "le numéro d'un travail est un nombre / a job's number is a number");
    };
    match door.gateway.retry(&caller.actor, JobId(id)).await {
        Ok(job) => Json(shown(&job)).into_response(),
        Err(stop) => stopped(&stop),
    }
}

async fn verify(State(door): State<Door>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let caller = match recognise(&door, &parts).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    match door.gateway.verify_audit(&caller.actor).await {
        Ok(report) => Json(report_shown(&report)).into_response(),
        Err(stop) => stopped(&stop),
    }
}

async fn flow(State(door): State<Door>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let caller = match recognise(&door, &parts).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let Ok(id) = id.parse() else { return problem(StatusCode::NOT_FOUND, "flux inconnu / unknown flow") };
    match door.gateway.flow(&caller.actor, id).await {
        Ok(Some(flow)) => Json(flow_shown(&flow)).into_response(),
        Ok(None) => problem(StatusCode::NOT_FOUND, "flux inconnu / unknown flow"),
        Err(stop) => stopped(&stop),
    }
}

async fn recognise(door: &Door, parts: &Parts) -> Result<Caller, Response> {
    door.authenticator.recognise(&parts.headers, &parts.extensions).await.map_err(|refused| unauthenticated(&refused))
}

fn unauthenticated(refused: &Refused) -> Response {
    let body = json!({"error": refused.to_string()});
    (refused.status(), [(axum::http::header::WWW_AUTHENTICATE, refused.challenge())], Json(body)).into_response()
}

fn stopped(stop: &socle_gateway::Stop) -> Response {
    let status = StatusCode::from_u16(stop.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let errors: Vec<_> = stop.issues.iter().map(|issue| issue.finding.message.en.to_string()).collect();
    (status, Json(json!({"error": errors.join("; ")}))).into_response()
}

fn problem(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"error": text}))).into_response()
}

fn shown(job: &Job) -> Value {
    json!({
        "id": job.id.0,
        "kind": job.kind,
        "state": job.state,
        "attempts": job.attempts,
        "due": job.due,
        "error": job.error,
        "flow": job.flow,
        "environment": job.environment,
        "behind": job.behind,
        "created": job.created,
    })
}

fn flow_shown(flow: &socle_store::Flow) -> Value {
    let step = |step: &socle_store::FlowStep| {
        json!({
            "step": step.step,
            "state": step.state,
            "started": step.started,
            "ended": step.ended,
            "protocol": step.protocol,
            "summary": step.summary,
            "rule": step.rule,
        })
    };
    json!({
        "id": flow.summary.id,
        "state": flow.summary.state,
        "document": flow.summary.document,
        "created": flow.summary.created,
        "steps": flow.steps.iter().map(step).collect::<Vec<_>>(),
        "jobs": flow.jobs.iter().map(shown).collect::<Vec<_>>(),
    })
}

pub(crate) fn report_shown(report: &AuditReport) -> Value {
    json!({
        "sound": report.is_sound(),
        "size": report.size,
        "opened": report.opened,
        "erased": report.erased,
        "checkpoints": report.checkpoints,
        "covered": report.covered,
        "problems": report.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "more": report.more,
    })
}
