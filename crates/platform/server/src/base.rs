//! FHIR bases: each tenant of the store that is open to FHIR REST, under `/r4/<tenant>`.
//!
//! The caller is recognised here as at the front door, and the body read only after that; everything else is
//! `socle-rest`.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::any;
use socle_rest::Call;

use crate::Door;
use crate::fhir::{Answer, discard, read_body};

pub(crate) fn routes() -> Router<Door> {
    Router::new()
        .route("/r4/{tenant}", any(system))
        .route("/r4/{tenant}/", any(system))
        .route("/r4/{tenant}/{*path}", any(below))
}

async fn system(State(door): State<Door>, Path(tenant): Path<String>, request: Request) -> Response {
    answer(&door, &tenant, String::new(), request).await
}

async fn below(State(door): State<Door>, Path((tenant, path)): Path<(String, String)>, request: Request) -> Response {
    answer(&door, &tenant, path, request).await
}

async fn answer(door: &Door, tenant: &str, path: String, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = Answer::to(door, &parts.headers, "r4");
    let caller = match door.authenticator.recognise(&parts.headers, &parts.extensions).await {
        Ok(caller) => caller,
        Err(refused) => {
            discard(body, door.settings.body_max).await;
            return answer.unauthenticated(&refused);
        }
    };
    let Some(base) = door.bases.get(tenant) else {
        discard(body, door.settings.body_max).await;
        return answer.not_supported(&parts.method, parts.uri.path());
    };
    let body = match read_body(body, door.settings.body_max).await {
        Ok(body) => body,
        Err(problem) => return answer.unreadable_body(&problem, door.settings.body_max),
    };
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let call = Call { actor: caller.actor, method: parts.method, path, query, headers: parts.headers, body };
    let response = base.answer(call).await;
    door.metrics.count("r4", response.status().as_u16());
    response.map(Body::from)
}
