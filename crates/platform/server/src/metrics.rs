//! `/metrics` in the OpenMetrics text format. Labels are codes: no person, no address, no identifier.

use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::Door;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ByInteraction {
    pub(crate) interaction: &'static str,
    pub(crate) status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByJob {
    kind: String,
    state: String,
}

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) requests: Family<ByInteraction, Counter>,
    pub(crate) submissions: Histogram,
    jobs: Family<ByJob, Gauge<u64, AtomicU64>>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("socle");
        let requests = Family::default();
        let submissions = Histogram::new(exponential_buckets(0.001, 2.0, 14));
        let jobs = Family::default();
        registry.register("requests", "Requests to the front door", requests.clone());
        registry.register_with_unit(
            "submission_duration",
            "From the request to the durable acknowledgement",
            Unit::Seconds,
            submissions.clone(),
        );
        registry.register("jobs", "Deliveries by kind and state", jobs.clone());
        Self { registry, requests, submissions, jobs }
    }

    pub(crate) fn count(&self, interaction: &'static str, status: u16) {
        self.requests.get_or_create(&ByInteraction { interaction, status }).inc();
    }
}

pub(crate) fn routes() -> Router<Door> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(door): State<Door>) -> Response {
    for count in door.gateway.store().job_counts().await.unwrap_or_default() {
        let state = format!("{:?}", count.state).to_lowercase();
        door.metrics.jobs.get_or_create(&ByJob { kind: count.kind, state }).set(count.count);
    }
    let mut text = String::new();
    if encode(&mut text, &door.metrics.registry).is_err() {
        return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
