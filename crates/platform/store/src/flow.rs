//! Flows: what happened to one submission, step by step, for people to look at.
//!
//! A flow holds no personal data but who submitted it: what it is about is told by the resources and
//! blobs it points to. Its state is derived, never written by the caller.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use socle_finding::Text;
use uuid::Uuid;

use crate::{Cursor, Digest, Job, JobState};

/// A flow that begins.
#[derive(Clone, PartialEq, Eq)]
pub struct NewFlow {
    /// Its name, made by the caller.
    pub id: Uuid,
    /// What sort of flow: `iti-65`, `send`…
    pub kind: String,
    /// The document that it carries, by the id of its resource.
    pub document: Option<String>,
    /// Who started it: a professional's identifier or a system's name.
    pub actor: Option<String>,
}

impl fmt::Debug for NewFlow {
    /// Without its actor, who is a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewFlow({}, {})", self.id, self.kind)
    }
}

/// What happened at one step. A step that is tried again is told again: all of them are kept, the last
/// one of each name counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowStep {
    /// The flow.
    pub flow: Uuid,
    /// The step's name: `identify`, `dmp`…
    pub step: String,
    /// How it went.
    pub state: StepState,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// On which protocol: `SOAP 1.2, ITI-41`…; empty when nothing left the process.
    pub protocol: String,
    /// One line for people, without personal data.
    pub summary: Text,
    /// The rule that decided, when one did: `RNIV v2.0, EXI SI 08`.
    pub rule: Option<String>,
    /// What went over the wire, kept as blobs.
    pub exchange: Option<Exchange>,
}

/// A request and its response as they were on the wire, by digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// What was sent.
    pub request: Digest,
    /// What came back; `None`: nothing.
    pub response: Option<Digest>,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Done.
    Ok,
    /// Not finished: queued, or to be tried again.
    Waiting,
    /// A rule said no.
    Refused,
    /// It went wrong and nobody tries again by itself.
    Failed,
}

/// Where a flow stands, derived in this order: a job is dead: failed; a job is unfinished or a step
/// waits, or there is nothing yet: waiting; a step failed: failed; a step was refused: refused; else done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowState {
    /// Something is still to be done.
    Waiting,
    /// Everything is done.
    Done,
    /// A rule said no.
    Refused,
    /// Somebody has to look.
    Failed,
}

impl FlowState {
    /// The state that these last steps and these jobs give.
    pub(crate) fn derive(steps: impl IntoIterator<Item = StepState>, jobs: impl IntoIterator<Item = JobState>) -> Self {
        let steps: Vec<_> = steps.into_iter().collect();
        let jobs: Vec<_> = jobs.into_iter().collect();
        let unfinished = |job: &JobState| matches!(job, JobState::Waiting | JobState::Running);
        if jobs.contains(&JobState::Dead) {
            return Self::Failed;
        }
        if jobs.iter().any(unfinished) || steps.contains(&StepState::Waiting) || (steps.is_empty() && jobs.is_empty()) {
            return Self::Waiting;
        }
        if steps.contains(&StepState::Failed) {
            return Self::Failed;
        }
        if steps.contains(&StepState::Refused) {
            return Self::Refused;
        }
        Self::Done
    }
}

/// One line of the list of flows.
#[derive(Clone, PartialEq, Eq)]
pub struct FlowSummary {
    /// Its name.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: String,
    /// What sort of flow.
    pub kind: String,
    /// Where it stands.
    pub state: FlowState,
    /// The document that it carries.
    pub document: Option<String>,
    /// Who started it.
    pub actor: Option<String>,
    /// When it was committed.
    pub created: Timestamp,
    /// Where the next page begins when this is the last of its page.
    pub cursor: Cursor,
}

impl fmt::Debug for FlowSummary {
    /// Without its actor, who is a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FlowSummary({}, {}, {:?})", self.id, self.kind, self.state)
    }
}

/// A flow with all that happened and all that is still to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The flow itself.
    pub summary: FlowSummary,
    /// Everything that happened, oldest first.
    pub steps: Vec<FlowStep>,
    /// Its jobs, oldest first.
    pub jobs: Vec<Job>,
}

impl Flow {
    /// The last word on each step, in the order in which the steps first appeared.
    #[must_use]
    pub fn last_steps(&self) -> Vec<&FlowStep> {
        let mut last: Vec<&FlowStep> = Vec::new();
        for step in &self.steps {
            match last.iter_mut().find(|known| known.step == step.step) {
                Some(known) => *known = step,
                None => last.push(step),
            }
        }
        last
    }
}

/// Which flows to list; `None` means "whatever". Newest first.
#[derive(Debug, Clone, Default)]
pub struct FlowFilter {
    /// Of this tenant.
    pub tenant: Option<String>,
    /// In this state.
    pub state: Option<FlowState>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_flow_follows_its_steps_and_jobs() {
        use {FlowState as F, JobState as J, StepState as S};
        let cases: [(&str, &[S], &[J], F); 10] = [
            ("nothing yet", &[], &[], F::Waiting),
            ("all done", &[S::Ok, S::Ok], &[J::Done], F::Done),
            ("done without jobs", &[S::Ok], &[], F::Done),
            ("a job waits", &[S::Ok], &[J::Done, J::Waiting], F::Waiting),
            ("a job runs", &[S::Ok], &[J::Running], F::Waiting),
            ("a step waits", &[S::Ok, S::Waiting], &[], F::Waiting),
            ("a dead job wins over one that waits", &[S::Waiting], &[J::Waiting, J::Dead], F::Failed),
            ("retried: its step failed, its job waits again", &[S::Failed], &[J::Waiting], F::Waiting),
            ("failed", &[S::Ok, S::Failed, S::Refused], &[J::Done], F::Failed),
            ("refused", &[S::Ok, S::Refused], &[], F::Refused),
        ];
        for (name, steps, jobs, expected) in cases {
            assert_eq!(F::derive(steps.iter().copied(), jobs.iter().copied()), expected, "{name}");
        }
    }
}
