//! The FHIR R4 front door: what PDSm asks of a recipient of documents (ITI-65, 67, 68).
//!
//! Every answer but a document is FHIR JSON, and every refusal an OperationOutcome in the language of
//! the caller. Search values are identifiers of patients: they are never logged.

mod answer;
mod query;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use socle_fhir::pdsm::{
    CapabilityAbout, SearchEntry, write_binary, write_capability_statement, write_searchset, write_transaction_response,
};
use socle_gateway::Arrival;

use crate::Door;
use crate::authenticate::Caller;
use answer::FHIR_JSON;
pub(crate) use answer::{Answer, lang_of};
use query::SearchText;

pub(crate) fn routes() -> Router<Door> {
    Router::new()
        .route("/fhir", post(transaction))
        .route("/fhir/", post(transaction))
        .route("/fhir/metadata", get(capabilities))
        .route("/fhir/DocumentReference", get(search))
        .route("/fhir/DocumentReference/_search", post(search_by_form))
        .route("/fhir/DocumentReference/{id}", get(read_fiche))
        .route("/fhir/Binary/{id}", get(read_binary))
        .route("/fhir/{*rest}", axum::routing::any(unknown))
}

async fn transaction(State(door): State<Door>, request: Request) -> Response {
    let began = Timestamp::now();
    let (parts, body) = request.into_parts();
    let answer = Answer::to(&door, &parts.headers, "transaction");
    let caller = match door.authenticator.recognise(&parts.headers, &parts.extensions).await {
        Ok(caller) => caller,
        Err(refused) => {
            discard(body, door.settings.body_max).await;
            return answer.unauthenticated(&refused);
        }
    };
    if !is_json(&parts.headers) {
        discard(body, door.settings.body_max).await;
        return answer.unsupported_media_type();
    }
    let body = match read_body(body, door.settings.body_max).await {
        Ok(body) => body,
        Err(problem) => return answer.unreadable_body(&problem, door.settings.body_max),
    };
    let arrival = Arrival { actor: caller.actor, authenticated_by: caller.by, began, authenticated: caller.at, body };
    match door.gateway.submit(arrival).await {
        Ok(accepted) => {
            let elapsed = Timestamp::now().duration_since(began);
            door.metrics.submissions.observe(elapsed.as_secs_f64());
            let written =
                write_transaction_response(answer.plain_base(), &accepted.stored, &accepted.remarks, answer.lang());
            answer.resource(StatusCode::OK, written, &[("socle-flow", accepted.flow.to_string())])
        }
        Err(refusal) => answer.refused(&refusal),
    }
}

async fn capabilities(State(door): State<Door>, headers: HeaderMap) -> Response {
    let answer = Answer::to(&door, &headers, "capabilities");
    let about = CapabilityAbout {
        base: answer.plain_base().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        date: door.opened,
        description: door.settings.notice.unwrap_or("Socle").to_owned(),
        searches: query::KNOWN.to_vec(),
    };
    answer.resource(StatusCode::OK, write_capability_statement(&about), &[])
}

async fn search(State(door): State<Door>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let text = SearchText::of_url(parts.uri.query().unwrap_or_default());
    let answer = Answer::to(&door, &parts.headers, "search");
    match door.authenticator.recognise(&parts.headers, &parts.extensions).await {
        Ok(caller) => find(&door, answer, caller, text).await,
        Err(refused) => answer.unauthenticated(&refused),
    }
}

/// Largest form of a search, in bytes.
const FORM_MAX: usize = 64 * 1024;

/// The form of a search that keeps identifiers out of URLs.
async fn search_by_form(State(door): State<Door>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = Answer::to(&door, &parts.headers, "search");
    let caller = match door.authenticator.recognise(&parts.headers, &parts.extensions).await {
        Ok(caller) => caller,
        Err(refused) => {
            discard(body, FORM_MAX).await;
            return answer.unauthenticated(&refused);
        }
    };
    match read_body(body, FORM_MAX).await {
        Ok(body) => {
            find(&door, answer, caller, SearchText::of_form(parts.uri.query().unwrap_or_default(), &body)).await
        }
        Err(problem) => answer.unreadable_body(&problem, FORM_MAX),
    }
}

async fn find(door: &Door, answer: Answer<'_>, caller: Caller, text: SearchText) -> Response {
    let query = match text.query() {
        Ok(query) => query,
        Err(issues) => return answer.issues(StatusCode::BAD_REQUEST, &issues),
    };
    match door.gateway.find_documents(&caller.actor, &query).await {
        Ok(found) => {
            let entries: Vec<SearchEntry> = found
                .into_iter()
                .map(|document| SearchEntry {
                    full_url: format!("{}/DocumentReference/{}", answer.plain_base(), document.id),
                    resource: document.body.to_vec(),
                })
                .collect();
            let self_url = format!("{}/DocumentReference{}", answer.plain_base(), text.shown());
            answer.resource(StatusCode::OK, write_searchset(&self_url, Timestamp::now(), &entries), &[])
        }
        Err(stop) => answer.stopped(&stop),
    }
}

async fn read_fiche(State(door): State<Door>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let answer = Answer::to(&door, &parts.headers, "read");
    let caller = match door.authenticator.recognise(&parts.headers, &parts.extensions).await {
        Ok(caller) => caller,
        Err(refused) => return answer.unauthenticated(&refused),
    };
    match door.gateway.read_fiche(&caller.actor, &id).await {
        Ok(found) => {
            let etag = format!("W/\"{}\"", found.version);
            let modified = found.at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            answer.resource(StatusCode::OK, found.body.to_vec(), &[("etag", etag), ("last-modified", modified)])
        }
        Err(stop) => answer.stopped(&stop),
    }
}

/// The document itself, byte for byte, unless FHIR is asked for (FHIR R4 §2.35 Binary).
async fn read_binary(State(door): State<Door>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let answer = Answer::to(&door, &parts.headers, "read-binary");
    let caller = match door.authenticator.recognise(&parts.headers, &parts.extensions).await {
        Ok(caller) => caller,
        Err(refused) => return answer.unauthenticated(&refused),
    };
    match door.gateway.read_document(&caller.actor, &id).await {
        Ok((content_type, bytes)) if wants_fhir(&parts.headers) => {
            answer.resource(StatusCode::OK, write_binary(&id, &content_type, &bytes), &[])
        }
        Ok((content_type, bytes)) => answer.document(&content_type, bytes),
        Err(stop) => answer.stopped(&stop),
    }
}

async fn unknown(State(door): State<Door>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    Answer::to(&door, &parts.headers, "unknown").not_supported(&parts.method, parts.uri.path())
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mime = text.split(';').next().unwrap_or_default().trim();
    matches!(mime, FHIR_JSON | "application/json" | "text/json")
}

fn wants_fhir(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).map(HeaderValue::as_bytes).is_some_and(|accept| memchr_in(accept, FHIR_JSON.as_bytes()))
}

fn memchr_in(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// Why a body could not be read.
pub(crate) enum BodyProblem {
    TooBig,
    Cut,
}

/// Lets a body that will not be read pass by, keeping nothing of it. A connection that is closed while its
/// body still comes is reset, and the caller loses the answer that tells why (RFC 9112 §9.6).
pub(crate) async fn discard(mut body: Body, max: usize) {
    let mut passed = 0;
    while let Some(Ok(frame)) = body.frame().await {
        passed += frame.data_ref().map_or(0, Bytes::len);
        if passed > max {
            return;
        }
    }
}

pub(crate) async fn read_body(body: Body, max: usize) -> Result<Bytes, BodyProblem> {
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(BodyProblem::TooBig),
        Err(_) => Err(BodyProblem::Cut),
    }
}
