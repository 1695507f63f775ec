//! What a flow shows and what the audit log keeps, built as the steps go by.

use jiff::Timestamp;
use socle_finding::Text;
use socle_identity::Status;
use socle_store::{Batch, Blob, Exchange, FlowStep, StepState};
use socle_trust::Actor;
use socle_trust::audit::{Agent, AgentRole, Code, Object, Outcome, PatientId, Record, RecordAction};
use uuid::Uuid;

use crate::refusal::Stop;
use crate::settings::Settings;
use crate::submit::{Arrival, Identified, Known, Plan, state_of};

/// A moment at which a step began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Timestamp);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Timestamp::now())
    }
}

/// The steps of one flow, until they are committed.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    flow: Uuid,
    all: Vec<FlowStep>,
    /// The messages that the steps refer to; a store takes both in one batch.
    messages: Vec<Blob>,
    last: Timestamp,
}

impl Steps {
    pub(crate) fn begin(flow: Uuid, arrival: &Arrival) -> Self {
        let mut steps = Self { flow, all: Vec::new(), messages: Vec::new(), last: arrival.authenticated };
        let caller = arrival.actor.id.as_str();
        let summary = Text::new(format!("appelant reconnu : {caller}"), format!("caller recognised: {caller}"));
        let mut step = steps.step("authenticate", StepState::Ok, arrival.began, arrival.authenticated_by, summary);
        step.ended = Some(arrival.authenticated);
        steps.all.push(step);
        steps
    }

    fn step(&self, name: &str, state: StepState, started: Timestamp, protocol: &str, summary: Text) -> FlowStep {
        FlowStep {
            flow: self.flow,
            step: name.to_owned(),
            state,
            started,
            ended: Some(Timestamp::now()),
            protocol: protocol.to_owned(),
            summary,
            rule: None,
            exchange: None,
        }
    }

    pub(crate) fn done(&mut self, clock: Clock, name: &str, protocol: &str, summary: Text, exchange: Option<Exchange>) {
        let mut step = self.step(name, StepState::Ok, clock.0, protocol, summary);
        step.exchange = exchange;
        self.last = Timestamp::now();
        self.all.push(step);
    }

    pub(crate) fn identified(&mut self, clock: Clock, found: &Identified, exchange: Option<Exchange>) {
        let status = said_of(found.identity.status());
        let (state, summary) = match found.known {
            Known::Asked => (StepState::Ok, answered(&status)),
            Known::Before(at) => (
                StepState::Ok,
                Text::new(
                    format!("{}, réponse d'INSi du {at:.0}", status.fr),
                    format!("{}, by INSi's answer of {at:.0}", status.en),
                ),
            ),
            Known::Unreachable => (
                StepState::Waiting,
                Text::new(
                    format!("INSi ne répond pas ; {}", status.fr),
                    format!("INSi does not answer; {}", status.en),
                ),
            ),
        };
        let mut step = self.step("identify", state, clock.0, INSI_PROTOCOL, summary);
        step.exchange = exchange;
        if let Some((request, response)) = &found.exchange {
            self.messages.push(request.clone());
            self.messages.extend(response.clone());
        }
        self.last = Timestamp::now();
        self.all.push(step);
    }

    pub(crate) fn planned(&mut self, plan: &Plan) {
        let started = self.last;
        self.all.push(self.step("decide", StepState::Ok, started, "", plan.summary()));
        for refused in &plan.refused {
            let mut step = self.step(&refused.step, StepState::Refused, started, "", refused.summary.clone());
            step.rule = Some(refused.rule.clone());
            self.all.push(step);
        }
    }

    pub(crate) fn stopped(&mut self, stop: &Stop) {
        let mut step = self.step(stop.step, state_of(stop), self.last, "", stop.summary());
        step.rule = stop.rule();
        self.all.push(step);
    }

    /// Puts the steps and their messages into the batch that makes them true.
    pub(crate) fn keep_in(self, batch: &mut Batch) {
        batch.flow_steps.extend(self.all);
        batch.blobs.extend(self.messages);
    }
}

/// The protocol of the step `identify`, whether it is made at once or later.
pub(crate) const INSI_PROTOCOL: &str = "SOAP 1.2, mTLS, WS_INS2";

/// What INSi's answer made of the identity.
pub(crate) fn answered(status: &Text) -> Text {
    Text::new(format!("INSi a répondu ; {}", status.fr), format!("INSi answered; {}", status.en))
}

/// An identity's status, for people: RNIV's word, and its code.
pub(crate) fn said_of(status: Status) -> Text {
    let word = match status {
        Status::Provisional => "provisional",
        Status::Retrieved => "retrieved",
        Status::Validated => "validated",
        Status::Qualified => "qualified",
    };
    Text::new(format!("identité {} ({status})", status.french()), format!("{word} identity ({status})"))
}

/// A record of what an actor did.
pub(crate) fn record(
    settings: &Settings,
    actor: &Actor,
    kind: Code,
    action: RecordAction,
    flow: Option<Uuid>,
) -> Record {
    let mut record = Record::new(&settings.system, settings.environment, kind, action, Timestamp::now());
    let requestor = Agent {
        role: match actor.kind() {
            socle_trust::ActorKind::Person => AgentRole::User,
            socle_trust::ActorKind::System => AgentRole::Client,
        },
        id: actor.id.as_str().to_owned(),
        name: Some(actor.name.clone()),
        requestor: true,
    };
    record.agents.push(requestor);
    if let Some(structure) = &actor.structure {
        record.agents.push(Agent {
            role: AgentRole::Organisation,
            id: structure.as_str().to_owned(),
            name: None,
            requestor: false,
        });
    }
    record.flow = flow;
    record.purpose = Some("TREAT".to_owned());
    record
}

/// A record of what the platform itself did on behalf of a flow.
pub(crate) fn system_record(settings: &Settings, kind: Code, action: RecordAction, flow: Option<Uuid>) -> Record {
    let mut record = Record::new(&settings.system, settings.environment, kind, action, Timestamp::now());
    record.agents.push(Agent { role: AgentRole::Client, id: settings.system.clone(), name: None, requestor: true });
    record.agents.push(Agent {
        role: AgentRole::Organisation,
        id: settings.structure.as_str().to_owned(),
        name: Some(settings.structure_name.clone()),
        requestor: false,
    });
    record.flow = flow;
    record.purpose = Some("TREAT".to_owned());
    record
}

/// The person of a record, named by their key: whoever reads the log with the store's key finds them.
pub(crate) fn about(mut record: Record, person: &crate::PersonKey) -> Record {
    record.patient = Some(PatientId { system: "urn:socle:person".to_owned(), value: person.as_str().to_owned() });
    record
}

/// A document as an object of a record (audit-entity-type 2, object-role 3 report).
pub(crate) fn document(id: &str) -> Object {
    Object { kind: 2, role: 3, id: id.to_owned(), details: std::collections::BTreeMap::new() }
}

/// Marks how it ended.
pub(crate) fn failed(mut record: Record, outcome: Outcome, why: String) -> Record {
    record.outcome = outcome;
    record.description = Some(why);
    record
}
