//! Looking at the work: flows, jobs, the audit log. Looking is an access like another.

use bytes::Bytes;
use jiff::Timestamp;
use socle_fhir::{Issue, IssueType};
use socle_finding::{Rule, Text};
use socle_store::{
    AuditReport, Batch, Digest, Flow, FlowFilter, FlowSummary, Job, JobFilter, JobId, JobState, Page, StoreError,
};
use socle_trust::Actor;
use socle_trust::access::Action;
use socle_trust::audit::{Code, Object, RecordAction};
use uuid::Uuid;

use crate::desk::Gateway;
use crate::refusal::{Stop, store_stop};
use crate::{TENANT, trace};

/// DCM 110101: the audit log itself was used.
const AUDIT_LOG_USED: &str = "110101";

impl Gateway {
    /// The flows, newest first.
    ///
    /// # Errors
    /// [`Stop`] when the actor may not, or the store does not answer.
    pub async fn flows(&self, actor: &Actor, filter: FlowFilter, page: Page) -> Result<Vec<FlowSummary>, Stop> {
        self.permit(actor, Action::ReadFlow)?;
        let filter = FlowFilter { tenant: Some(TENANT.to_owned()), ..filter };
        self.store.flows(filter, page).await.map_err(|error| store_stop("read", &error))
    }

    /// One flow with its steps and jobs.
    ///
    /// # Errors
    /// As [`Self::flows`].
    pub async fn flow(&self, actor: &Actor, id: Uuid) -> Result<Option<Flow>, Stop> {
        self.permit(actor, Action::ReadFlow)?;
        self.store.flow(id).await.map_err(|error| store_stop("read", &error))
    }

    /// A message of a flow as it was on the wire. It holds a person's data: the access is traced.
    ///
    /// # Errors
    /// As [`Self::flows`].
    pub async fn message(&self, actor: &Actor, flow: Uuid, digest: &Digest) -> Result<Option<Bytes>, Stop> {
        self.permit(actor, Action::ReadFlow)?;
        let Some(known) = self.store.flow(flow).await.map_err(|error| store_stop("read", &error))? else {
            return Ok(None);
        };
        let exchanges = known.steps.iter().filter_map(|step| step.exchange);
        if !exchanges.into_iter().any(|exchange| exchange.request == *digest || exchange.response == Some(*digest)) {
            return Ok(None);
        }
        let mut record = trace::record(&self.settings, actor, Code::rest(), RecordAction::R, Some(flow));
        record.objects.push(Object {
            kind: 2,
            role: 26,
            id: digest.to_string(),
            details: std::collections::BTreeMap::new(),
        });
        let mut batch = Batch::new(TENANT);
        batch.audit.push(record);
        self.store.commit(batch).await.map_err(|error| store_stop("trace", &error))?;
        self.store.blob(digest).await.map_err(|error| store_stop("read", &error))
    }

    /// The work that is waiting, running, stuck or dead; newest first.
    ///
    /// # Errors
    /// As [`Self::flows`].
    pub async fn jobs(&self, actor: &Actor) -> Result<Vec<Job>, Stop> {
        self.permit(actor, Action::ReadFlow)?;
        let mut all = Vec::new();
        for state in [JobState::Dead, JobState::Running, JobState::Waiting] {
            let filter = JobFilter { tenant: Some(TENANT.to_owned()), state: Some(state), ..JobFilter::default() };
            all.extend(self.store.jobs(filter, Page::first(1000)).await.map_err(|error| store_stop("read", &error))?);
        }
        Ok(all)
    }

    /// Puts a dead or waiting job back to work now.
    ///
    /// # Errors
    /// [`Stop`]: 404 when there is no such job, 409 when it is running or done.
    pub async fn retry(&self, actor: &Actor, id: JobId) -> Result<Job, Stop> {
        self.permit(actor, Action::RetryJob)?;
        let retried = self.store.retry_job(id, Timestamp::now()).await.map_err(|error| not_retried(&error))?;
        let mut record = trace::record(&self.settings, actor, Code::rest(), RecordAction::E, retried.flow);
        record.objects.push(Object {
            kind: 2,
            role: 20,
            id: id.to_string(),
            details: std::collections::BTreeMap::new(),
        });
        let mut batch = Batch::new(TENANT);
        batch.audit.push(record);
        self.store.commit(batch).await.map_err(|error| store_stop("trace", &error))?;
        Ok(retried)
    }

    /// Walks the whole audit log and proves it, or says where it is broken.
    ///
    /// # Errors
    /// As [`Self::flows`].
    pub async fn verify_audit(&self, actor: &Actor) -> Result<AuditReport, Stop> {
        self.permit(actor, Action::ReadAudit)?;
        let record = trace::record(&self.settings, actor, Code::dicom(AUDIT_LOG_USED), RecordAction::R, None);
        let mut batch = Batch::new(TENANT);
        batch.audit.push(record);
        self.store.commit(batch).await.map_err(|error| store_stop("trace", &error))?;
        self.store.audit_verify().await.map_err(|error| store_stop("audit", &error))
    }
}

fn not_retried(error: &StoreError) -> Stop {
    let StoreError::NoSuchJob { .. } = error else { return store_stop("retry", error) };
    let issue = Issue::error(
        IssueType::NotFound,
        Rule::fixed("Socle", "travaux"),
        Text::new(
            format!("ce travail ne peut pas être relancé : {error}"),
            format!("this job cannot be run again: {error}"),
        ),
        Text::fixed("voyez socle jobs list", "see socle jobs list"),
    );
    Stop::new("retry", 404, issue)
}
