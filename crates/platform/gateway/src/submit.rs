//! A document comes in: the ITI-65 transaction from its bytes to its acknowledgement.
//!
//! Order of the steps: read the lot, decide, read the documents, identify the patient, hold the
//! document against the identity, plan the deliveries, store. Nothing is written before the last one,
//! and that one is a single commit: resources, bytes, jobs, steps and audit records together.
//!
//! When INSi does not answer, a document whose patient has a checked paper is taken all the same and
//! its deliveries wait behind an `identify` job; without a paper it could never leave, so it is refused
//! at once.
//!
//! Not here: HTTP, the delivery itself ([`crate::dispatch`]).

mod documents;
mod identify;
mod plan;
mod store;

use bytes::Bytes;
use jiff::Timestamp;
use socle_fhir::pdsm::{ProvideBundle, Stored, read_provide_bundle};
use socle_fhir::{Document, Issue};
use socle_store::{Exchange, NewFlow, StepState};
use socle_trust::Actor;
use socle_trust::access::Action;
use uuid::Uuid;

use crate::desk::Gateway;
use crate::refusal::{Refusal, Stop};
use crate::trace::{Clock, Steps};

pub(crate) use documents::Checked;
pub(crate) use identify::{Identified, Known, conclude, kept_exchange, may_pass};
pub(crate) use plan::Plan;

/// A transaction as the front door hands it over: the caller is known, the bytes are not yet read.
#[derive(Debug)]
pub struct Arrival {
    /// Who sends, by a verified token.
    pub actor: Actor,
    /// How the caller was recognised, for the flow: `OpenID Connect`, `OAuth 2.0, mTLS`.
    pub authenticated_by: &'static str,
    /// When the request began.
    pub began: Timestamp,
    /// When the caller was recognised.
    pub authenticated: Timestamp,
    /// The body.
    pub body: Bytes,
}

/// A transaction that was taken: it is durable, and its deliveries will be made.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The flow that shows what becomes of it.
    pub flow: Uuid,
    /// What was stored, in the order of the transaction-response.
    pub stored: Vec<Stored>,
    /// Warnings.
    pub remarks: Vec<Issue>,
    /// Was it here already? The same bytes sent again are answered as the first time.
    pub replayed: bool,
}

impl Gateway {
    /// Takes a transaction, or refuses it with all the reasons.
    ///
    /// # Errors
    /// [`Refusal`]: nothing of the transaction is kept; the refusal itself is traced.
    pub async fn submit(&self, arrival: Arrival) -> Result<Accepted, Refusal> {
        let flow = Uuid::now_v7();
        let mut steps = Steps::begin(flow, &arrival);
        match self.take(&arrival, flow, &mut steps).await {
            Ok(accepted) => Ok(accepted),
            Err(stop) => Err(self.refuse(&arrival, flow, steps, stop).await),
        }
    }

    async fn take(&self, arrival: &Arrival, flow: Uuid, steps: &mut Steps) -> Result<Accepted, Stop> {
        let clock = Clock::start();
        let (lot, mut remarks) = read_lot(&arrival.body)?;
        self.permit(&arrival.actor, Action::SubmitDocument)?;
        let (documents, found) = documents::check(&lot)?;
        remarks.extend(found);
        steps.done(clock, "validate", "FHIR R4 (PDSm ITI-65), CDA R2", plan::said_of(&documents), None);

        let clock = Clock::start();
        let mut identified = self.identify(&arrival.actor, &lot, &documents).await?;
        remarks.append(&mut identified.remarks);
        let exchange = identified.exchange.as_ref().map(|(request, response)| Exchange {
            request: request.digest(),
            response: response.as_ref().map(socle_store::Blob::digest),
        });
        steps.identified(clock, &identified, exchange);

        let plan = plan::make(&self.settings, &self.services, &lot, &documents, &identified)?;
        remarks.extend(plan.remarks.iter().cloned());
        steps.planned(&plan);
        let taken = store::Taken { arrival, flow, lot: &lot, documents, identified, plan };
        let mut accepted = self.keep(taken, steps.clone()).await?;
        remarks.append(&mut accepted.remarks);
        Ok(Accepted { remarks, ..accepted })
    }

    /// Keeps the trace of a refusal; the answer is the same when even that cannot be written, and the
    /// caller is told so by the missing flow.
    async fn refuse(&self, arrival: &Arrival, flow: Uuid, mut steps: Steps, stop: Stop) -> Refusal {
        steps.stopped(&stop);
        let begun = NewFlow {
            id: flow,
            kind: "iti-65".to_owned(),
            document: None,
            actor: Some(arrival.actor.id.as_str().to_owned()),
        };
        let record = self.record_of_refusal(arrival, flow, &stop);
        let kept = self.commit_trace(begun, steps, record).await;
        if let Err(error) = &kept {
            tracing::error!(%error, "a refusal could not be traced");
        }
        Refusal { status: stop.status, issues: stop.issues, flow: kept.is_ok().then_some(flow) }
    }
}

fn read_lot(body: &Bytes) -> Result<(ProvideBundle, Vec<Issue>), Stop> {
    let document = Document::parse(body.clone()).map_err(|error| Stop::new("validate", 400, error.issue()))?;
    let lot = read_provide_bundle(&document).map_err(|issues| Stop::all("validate", 422, issues))?;
    Ok((lot.value, lot.remarks))
}

/// The state that a step of a stopped flow shows.
pub(crate) const fn state_of(stop: &Stop) -> StepState {
    if stop.status >= 500 { StepState::Failed } else { StepState::Refused }
}
