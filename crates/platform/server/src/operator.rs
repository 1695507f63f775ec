//! What the command line asks a running platform: jobs and the audit log (`/operator/…`).

use std::str::FromStr;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use socle_finding::{Lang, Text};
use socle_store::{AuditReport, Flow, FlowStep, Job, JobId};

use crate::Door;
use crate::authenticate::{Caller, Refused};
use crate::fhir::lang_of;

pub(crate) fn routes() -> Router<Door> {
    Router::new()
        .route("/operator/jobs", get(jobs))
        .route("/operator/jobs/{id}/retry", post(retry))
        .route("/operator/audit/verify", post(verify))
        .route("/operator/flows/{id}", get(flow))
}

async fn jobs(State(door): State<Door>, request: Request) -> Response {
    let desk = match Desk::open(&door, request).await {
        Ok(desk) => desk,
        Err(response) => return response,
    };
    match door.gateway.jobs(&desk.caller.actor).await {
        Ok(jobs) => Json(json!({"jobs": jobs.iter().map(|job| desk.job(job)).collect::<Vec<_>>()})).into_response(),
        Err(stop) => desk.stopped(&stop),
    }
}

async fn retry(State(door): State<Door>, Path(id): Path<String>, request: Request) -> Response {
    const NO_NUMBER: Text = Text::fixed("le numéro d'un travail est un nombre", "a job's number is a number");
    let desk = match Desk::open(&door, request).await {
        Ok(desk) => desk,
        Err(response) => return response,
    };
    let Ok(id) = u64::from_str(&id) else { return desk.problem(StatusCode::BAD_REQUEST, &NO_NUMBER) };
    match door.gateway.retry(&desk.caller.actor, JobId(id)).await {
        Ok(job) => Json(desk.job(&job)).into_response(),
        Err(stop) => desk.stopped(&stop),
    }
}

async fn verify(State(door): State<Door>, request: Request) -> Response {
    let desk = match Desk::open(&door, request).await {
        Ok(desk) => desk,
        Err(response) => return response,
    };
    match door.gateway.verify_audit(&desk.caller.actor).await {
        Ok(report) => Json(report_shown(&report)).into_response(),
        Err(stop) => desk.stopped(&stop),
    }
}

async fn flow(State(door): State<Door>, Path(id): Path<String>, request: Request) -> Response {
    const UNKNOWN: Text = Text::fixed("ce flux n'est pas connu", "the flow is not known");
    let desk = match Desk::open(&door, request).await {
        Ok(desk) => desk,
        Err(response) => return response,
    };
    let Ok(id) = id.parse() else { return desk.problem(StatusCode::NOT_FOUND, &UNKNOWN) };
    match door.gateway.flow(&desk.caller.actor, id).await {
        Ok(Some(flow)) => Json(desk.flow(&flow)).into_response(),
        Ok(None) => desk.problem(StatusCode::NOT_FOUND, &UNKNOWN),
        Err(stop) => desk.stopped(&stop),
    }
}

/// One request: who asks, in which language.
struct Desk {
    caller: Caller,
    lang: Lang,
}

impl Desk {
    async fn open(door: &Door, request: Request) -> Result<Self, Response> {
        let (parts, _) = request.into_parts();
        let lang = lang_of(&parts.headers, door.settings.lang);
        match door.authenticator.recognise(&parts.headers, &parts.extensions).await {
            Ok(caller) => Ok(Self { caller, lang }),
            Err(refused) => Err(unauthenticated(&refused, lang)),
        }
    }

    fn stopped(&self, stop: &socle_gateway::Stop) -> Response {
        let status = StatusCode::from_u16(stop.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let errors: Vec<_> = stop.issues.iter().map(|issue| issue.finding.message.get(self.lang)).collect();
        (status, Json(json!({"error": errors.join("; ")}))).into_response()
    }

    fn problem(&self, status: StatusCode, text: &Text) -> Response {
        (status, Json(json!({"error": text.get(self.lang)}))).into_response()
    }

    fn job(&self, job: &Job) -> Value {
        json!({
            "id": job.id.0,
            "kind": job.kind,
            "state": job.state,
            "attempts": job.attempts,
            "due": job.due,
            "error": job.error.as_ref().map(|error| error.get(self.lang)),
            "flow": job.flow,
            "environment": job.environment,
            "behind": job.behind,
            "created": job.created,
        })
    }

    fn flow(&self, flow: &Flow) -> Value {
        json!({
            "id": flow.summary.id,
            "state": flow.summary.state,
            "document": flow.summary.document,
            "created": flow.summary.created,
            "steps": flow.steps.iter().map(|step| self.step(step)).collect::<Vec<_>>(),
            "jobs": flow.jobs.iter().map(|job| self.job(job)).collect::<Vec<_>>(),
        })
    }

    fn step(&self, step: &FlowStep) -> Value {
        json!({
            "step": step.step,
            "state": step.state,
            "started": step.started,
            "ended": step.ended,
            "protocol": step.protocol,
            "summary": step.summary.get(self.lang),
            "rule": step.rule,
        })
    }
}

fn unauthenticated(refused: &Refused, lang: Lang) -> Response {
    let body = Json(json!({"error": refused.issue().finding.message.get(lang)}));
    (refused.status(), [refused.header()], body).into_response()
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
