//! INSi did not answer when the document came: it is asked again, and then the deliveries begin.

use socle_finding::Text;
use socle_ins::model::SearchTraits;
use socle_store::{Job, Write};
use socle_trust::audit::{Code, Outcome, RecordAction};

use super::job::IdentifyJob;
use super::{Attempt, End};
use crate::desk::Gateway;
use crate::submit::{conclude, kept_exchange, may_pass};
use crate::{kind, trace};

const STEP: &str = "identify";

impl Gateway {
    pub(super) async fn identify_again(&self, job: &Job) -> Attempt {
        let Ok(IdentifyJob { lot, stated, targets }) = serde_json::from_slice(&job.payload) else {
            return self.unreadable(job, STEP, trace::INSI_PROTOCOL);
        };
        let mut attempt = Attempt {
            step: STEP.to_owned(),
            protocol: trace::INSI_PROTOCOL,
            end: End::Later,
            summary: Text::same(""),
            rule: None,
            exchange: None,
            next: Vec::new(),
            writes: Vec::new(),
            record: trace::about(
                trace::system_record(&self.settings, Code::new("urn:cnam:insi", "WS_INS2"), RecordAction::E, job.flow),
                &lot.person,
            ),
        };
        let known = match self.known_before(&lot.person, &stated).await {
            Ok(known) => known,
            Err(stop) => return attempt.later(stop.summary()),
        };
        let identity = if let Some(identity) = known {
            identity
        } else {
            let Ok(traits) = SearchTraits::of(&stated) else { return self.unreadable(job, STEP, trace::INSI_PROTOCOL) };
            match self.services.ins.search(&traits).await {
                Err(failed) => {
                    attempt.exchange = kept_exchange(&failed.exchanges);
                    let finding = failed.error.finding();
                    return if may_pass(&failed.error) {
                        attempt.later(finding.message.clone())
                    } else {
                        attempt.never(&finding)
                    };
                }
                Ok(search) => {
                    attempt.exchange = kept_exchange(&search.exchanges);
                    match conclude(&stated, search.outcome, lot.carried.as_ref()) {
                        Ok((identity, _)) => identity,
                        Err(issue) => return attempt.never(&issue.finding),
                    }
                }
            }
        };
        let status = identity.status();
        attempt.end = End::Done;
        attempt.summary = trace::answered(&trace::said_of(status));
        let body = serde_json::to_vec(&identity).unwrap_or_default();
        attempt.writes = vec![Write::new(kind::IDENTITY, lot.person.as_str(), body).posting("status", status.code())];
        let environment = self.settings.environment;
        attempt.next = targets.iter().map(|target| lot.delivery_job(target, environment)).collect();
        attempt
    }
}

impl Attempt {
    pub(super) fn later(mut self, why: Text) -> Self {
        self.end = End::Later;
        self.record = trace::failed(self.record, Outcome::MinorFailure, why.fr.to_string());
        self.summary = why;
        self
    }

    pub(super) fn never(mut self, finding: &socle_finding::Finding) -> Self {
        self.end = End::Never;
        self.rule = Some(finding.rule.to_string());
        self.summary = finding.message.clone();
        self.record = trace::failed(self.record, Outcome::SeriousFailure, format!("{}", finding.rule));
        self
    }
}
