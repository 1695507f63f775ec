//! The fault panel: named failures, switched on for the next requests.
//!
//! `POST /faults/<name>?times=2` arms, `GET /faults` lists, `DELETE /faults/<name>` or `/faults` disarms.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::service::Twin;

/// A failure that can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The answer comes late.
    Slow,
    /// What was asked is done, and no answer comes in time.
    TimeoutAfterCommit,
    /// What was asked is done, and the connection breaks.
    CutAfterCommit,
    /// A proxy's page in HTML, status 500.
    Http500Html,
    /// Maintenance, status 503.
    Maintenance503,
    /// `DMPInvalidCertificate`.
    InvalidCertificate,
    /// `DMPAccessDeniedByRightsService`.
    AccessDenied,
    /// "Structure introuvable ou Inactive".
    StructureUnknown,
    /// "PS et Structure non liés".
    NotLinked,
    /// `XDSPatientIdDoesNotMatch`.
    PatientDoesNotMatch,
    /// `XDSUnknownPatientId`.
    UnknownPatient,
    /// `XDSRepositoryError`.
    RepositoryError,
    /// `XDSRegistryBusy`.
    RegistryBusy,
    /// `XDSTooManyResults`.
    TooManyResults,
    /// A SOAP fault inside a multipart.
    FaultInMultipart,
    /// The envelope of the answer is of SOAP 1.1.
    ResponseSoap11,
    /// The parts of the answer are missing.
    MtomMissingPart,
    /// The Content-ID has signs that a `cid:` URI percent-encodes.
    CidPercentEncoded,
    /// Another content than the registered one.
    HashMismatch,
    /// Nothing of the answer to a query is there yet (indexing is late).
    EmptyRegistry,
}

impl Fault {
    const NAMES: [(Self, &'static str); 20] = [
        (Self::Slow, "slow"),
        (Self::TimeoutAfterCommit, "timeout-after-commit"),
        (Self::CutAfterCommit, "cut-after-commit"),
        (Self::Http500Html, "http-500-html"),
        (Self::Maintenance503, "maintenance-503"),
        (Self::InvalidCertificate, "DMPInvalidCertificate"),
        (Self::AccessDenied, "DMPAccessDeniedByRightsService"),
        (Self::StructureUnknown, "structure-inconnue"),
        (Self::NotLinked, "ps-structure-non-lies"),
        (Self::PatientDoesNotMatch, "XDSPatientIdDoesNotMatch"),
        (Self::UnknownPatient, "XDSUnknownPatientId"),
        (Self::RepositoryError, "XDSRepositoryError"),
        (Self::RegistryBusy, "XDSRegistryBusy"),
        (Self::TooManyResults, "XDSTooManyResults"),
        (Self::FaultInMultipart, "fault-in-multipart"),
        (Self::ResponseSoap11, "response-soap11"),
        (Self::MtomMissingPart, "mtom-missing-part"),
        (Self::CidPercentEncoded, "cid-percent-encoded"),
        (Self::HashMismatch, "hash-mismatch-on-retrieve"),
        (Self::EmptyRegistry, "empty-registry-after-feed"),
    ];

    /// Its name, on the panel and the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(fault, _)| *fault == self).map_or("", |(_, name)| name)
    }

    /// The fault of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(fault, _)| *fault)
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().map(|(_, name)| *name)
    }
}

/// Which faults are armed, and for how many requests.
#[derive(Debug)]
pub struct Panel {
    armed: Mutex<BTreeMap<Fault, u32>>,
    leniencies: Mutex<BTreeMap<&'static str, u64>>,
    pub(super) slowness: Duration,
}

impl Panel {
    pub(super) fn new(slowness: Duration) -> Self {
        Self { armed: Mutex::default(), leniencies: Mutex::default(), slowness }
    }

    /// Arms a fault for the next `times` requests that it can meet.
    pub fn arm(&self, fault: Fault, times: u32) {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        if times == 0 {
            armed.remove(&fault)
        } else {
            armed.insert(fault, times)
        };
    }

    /// Disarms every fault.
    pub fn disarm_all(&self) {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Is it armed? Then one time of it is spent.
    pub(super) fn spend(&self, fault: Fault) -> bool {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left) = armed.get_mut(&fault) else { return false };
        *left = left.saturating_sub(1);
        if *left == 0 {
            armed.remove(&fault);
        }
        true
    }

    /// Logs and counts what a lenient twin took.
    pub(super) fn note(&self, leniencies: &[&'static str]) {
        let mut counts = self.leniencies.lock().unwrap_or_else(PoisonError::into_inner);
        for leniency in leniencies {
            tracing::info!(leniency, "the DMP twin was lenient");
            *counts.entry(leniency).or_default() += 1;
        }
    }

    /// How often each leniency was used.
    #[must_use]
    pub fn leniencies(&self) -> Vec<(&'static str, u64)> {
        let counts = self.leniencies.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(name, count)| (*name, *count)).collect()
    }

    fn to_json(&self) -> Value {
        let armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let names = Fault::NAMES
            .iter()
            .map(|(fault, name)| json!({ "name": name, "armed": armed.get(fault).copied().unwrap_or_default() }));
        Value::Array(names.collect())
    }
}

#[derive(Deserialize)]
pub(super) struct Times {
    times: Option<u32>,
}

pub(super) async fn list(State(twin): State<Arc<Twin>>) -> Json<Value> {
    Json(twin.panel.to_json())
}

pub(super) async fn arm(
    State(twin): State<Arc<Twin>>,
    Path(name): Path<String>,
    Query(times): Query<Times>,
) -> Result<Json<Value>, StatusCode> {
    let fault = Fault::named(&name).ok_or(StatusCode::NOT_FOUND)?;
    twin.panel.arm(fault, times.times.unwrap_or(1));
    Ok(Json(twin.panel.to_json()))
}

pub(super) async fn disarm(State(twin): State<Arc<Twin>>, Path(name): Path<String>) -> Result<Json<Value>, StatusCode> {
    let fault = Fault::named(&name).ok_or(StatusCode::NOT_FOUND)?;
    twin.panel.arm(fault, 0);
    Ok(Json(twin.panel.to_json()))
}

pub(super) async fn disarm_all(State(twin): State<Arc<Twin>>) -> Json<Value> {
    twin.panel.disarm_all();
    Json(twin.panel.to_json())
}
