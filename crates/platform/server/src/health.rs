//! `/health`: does the platform serve, and where does each part stand?

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::Door;

pub(crate) fn routes() -> Router<Door> {
    Router::new().route("/health", get(health))
}

async fn health(State(door): State<Door>) -> Response {
    let counts = door.gateway.store().job_counts().await;
    let store = counts.is_ok();
    let status = if store { axum::http::StatusCode::OK } else { axum::http::StatusCode::SERVICE_UNAVAILABLE };
    let jobs: Vec<_> = counts
        .unwrap_or_default()
        .iter()
        .map(|count| json!({"kind": count.kind, "state": count.state, "count": count.count}))
        .collect();
    let body = json!({
        "status": if store { "up" } else { "down" },
        "version": env!("CARGO_PKG_VERSION"),
        "environment": door.gateway.settings().environment,
        "notice": door.settings.notice,
        "store": if store { "up" } else { "down" },
        "jobs": jobs,
    });
    (status, Json(body)).into_response()
}
