//! What an operation finds wrong, and the OperationOutcome that carries it.

use socle_finding::{Lang, Severity};

use crate::write::{Json, Object};

const MESSAGE_ID: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id";
const TX_ISSUE_TYPE: &str = "http://hl7.org/fhir/tools/CodeSystem/tx-issue-type";

/// A sentence, with the key under which terminology servers know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: &'static str,
    pub(super) text: String,
}

/// One issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxIssue {
    pub(super) severity: Severity,
    /// The code of issue-type.
    pub(super) code: &'static str,
    /// The code of tx-issue-type.
    pub(super) kind: Option<&'static str>,
    pub(super) message: Message,
    pub(super) at: String,
}

impl TxIssue {
    pub(super) fn new(severity: Severity, code: &'static str, kind: &'static str, message: Message, at: &str) -> Self {
        Self { severity, code, kind: Some(kind), message, at: at.to_owned() }
    }

    /// The sentence.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.message.text
    }

    /// The code of `tx-issue-type`, when there is one.
    #[must_use]
    pub const fn kind(&self) -> Option<&'static str> {
        self.kind
    }

    fn write(&self, out: &mut Object<'_>) {
        if !self.message.id.is_empty() {
            out.array("extension", |list| {
                list.object(|ext| _ = ext.text("url", MESSAGE_ID).text("valueString", self.message.id));
            });
        }
        out.text("severity", severity(self.severity)).text("code", self.code);
        out.object("details", |details| {
            if let Some(kind) = self.kind {
                details.array("coding", |list| {
                    list.object(|coding| _ = coding.text("system", TX_ISSUE_TYPE).text("code", kind));
                });
            }
            details.text("text", &self.message.text);
        });
        if !self.at.is_empty() {
            out.texts("expression", &[&self.at]);
        }
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "information",
    }
}

/// The issues as an OperationOutcome inside another resource.
pub(super) fn write_outcome(out: &mut Object<'_>, issues: &[TxIssue]) {
    out.text("resourceType", "OperationOutcome");
    out.array("issue", |list| issues.iter().for_each(|issue| _ = list.object(|out| issue.write(out))));
}

/// An operation that could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .issues.first().map(TxIssue::text).unwrap_or_default())]
pub struct Refusal {
    /// The HTTP status to answer.
    pub status: u16,
    /// Why.
    pub issues: Vec<TxIssue>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, kind: Option<&'static str>, message: Message) -> Self {
        let issue = TxIssue { severity: Severity::Error, code, kind, message, at: String::new() };
        Self { status, issues: vec![issue] }
    }

    /// The OperationOutcome to answer.
    #[must_use]
    pub fn outcome(&self) -> Vec<u8> {
        let mut json = Json::new();
        json.object(|out| write_outcome(out, &self.issues));
        json.finish()
    }
}

/// In which language a person reads the answer: French when it is asked for, else English.
pub(super) fn spoken(request: &super::request::Request<'_>) -> Lang {
    match request.working_languages() {
        Some(languages) if languages.is_french() => Lang::Fr,
        _ => Lang::En,
    }
}
