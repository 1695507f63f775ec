use socle_fhir::{Issue, IssueType, Issues};
use socle_finding::{Finding, Rule, Text};
use socle_store::StoreError;
use uuid::Uuid;

/// A submission that was not taken: nothing of it is kept but the trace that it was refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Everything that was found, the reasons among it.
    pub issues: Vec<Issue>,
    /// The flow under which the refusal is shown; none when it could not be written either.
    pub flow: Option<Uuid>,
}

/// Where a flow stops: at which step, and why.
#[derive(Debug, Clone)]
pub struct Stop {
    /// The step.
    pub step: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The reasons, and what was remarked before.
    pub issues: Vec<Issue>,
}

impl Stop {
    pub(crate) fn new(step: &'static str, status: u16, issue: Issue) -> Self {
        Self { step, status, issues: vec![issue] }
    }

    pub(crate) fn all(step: &'static str, status: u16, issues: Issues) -> Self {
        Self { step, status, issues: issues.0 }
    }

    /// The rule of the first reason.
    pub(crate) fn rule(&self) -> Option<String> {
        self.reason().map(|finding| finding.rule.to_string())
    }

    /// The first reason, for a list.
    pub(crate) fn summary(&self) -> Text {
        self.reason().map_or_else(|| Text::same(""), |finding| finding.message.clone())
    }

    fn reason(&self) -> Option<&Finding> {
        self.issues.iter().map(|issue| &issue.finding).find(|finding| finding.is_error())
    }
}

/// The store could not write: the caller may try again, nothing was taken.
pub(crate) fn store_stop(step: &'static str, error: &StoreError) -> Stop {
    tracing::error!(%error, "the store refused a commit");
    let (status, code, message) = match error {
        StoreError::DiskFull => (
            507,
            IssueType::NoStore,
            Text::fixed("le disque est plein : rien n'a été enregistré", "the disk is full: nothing was stored"),
        ),
        _ => (
            503,
            IssueType::Transient,
            Text::fixed("l'enregistrement a échoué : rien n'a été pris en charge", "storing failed: nothing was taken"),
        ),
    };
    let mend = Text::fixed("renvoyez la même transaction plus tard", "send the same transaction again later");
    Stop::new(step, status, Issue::error(code, Rule::fixed("Socle", "durabilité"), message, mend))
}

/// A finding of another validator, with FHIR's word for its kind.
pub(crate) fn issue_of(finding: &Finding, code: IssueType) -> Issue {
    Issue { code, finding: finding.clone() }
}
