//! What is wrong with a document, and FHIR's OperationOutcome of it.
//!
//! An [`Issue`] is a finding with FHIR's word for its kind. It is written in one language ([`write()`]);
//! what another server answered is read as [`Shown`] ([`read`]), one language being all that travels.
//! A reader here answers [`Reading`]: the value with its remarks, or all that is wrong, never only the
//! first.

use socle_finding::{Finding, Lang, Location, Rule, Severity, Text};

use crate::tape::{Node, Position};
use crate::write::{Json, Object};

/// FHIR's `issue-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the codes of FHIR's code system issue-type")]
pub enum IssueType {
    Invalid,
    Structure,
    Required,
    Value,
    Invariant,
    Security,
    Login,
    Unknown,
    Expired,
    Forbidden,
    Suppressed,
    Processing,
    NotSupported,
    Duplicate,
    MultipleMatches,
    NotFound,
    Deleted,
    TooLong,
    CodeInvalid,
    Extension,
    TooCostly,
    BusinessRule,
    Conflict,
    Transient,
    LockError,
    NoStore,
    Exception,
    Timeout,
    Incomplete,
    Throttled,
    Informational,
}

impl IssueType {
    const CODES: [(Self, &'static str); 31] = [
        (Self::Invalid, "invalid"),
        (Self::Structure, "structure"),
        (Self::Required, "required"),
        (Self::Value, "value"),
        (Self::Invariant, "invariant"),
        (Self::Security, "security"),
        (Self::Login, "login"),
        (Self::Unknown, "unknown"),
        (Self::Expired, "expired"),
        (Self::Forbidden, "forbidden"),
        (Self::Suppressed, "suppressed"),
        (Self::Processing, "processing"),
        (Self::NotSupported, "not-supported"),
        (Self::Duplicate, "duplicate"),
        (Self::MultipleMatches, "multiple-matches"),
        (Self::NotFound, "not-found"),
        (Self::Deleted, "deleted"),
        (Self::TooLong, "too-long"),
        (Self::CodeInvalid, "code-invalid"),
        (Self::Extension, "extension"),
        (Self::TooCostly, "too-costly"),
        (Self::BusinessRule, "business-rule"),
        (Self::Conflict, "conflict"),
        (Self::Transient, "transient"),
        (Self::LockError, "lock-error"),
        (Self::NoStore, "no-store"),
        (Self::Exception, "exception"),
        (Self::Timeout, "timeout"),
        (Self::Incomplete, "incomplete"),
        (Self::Throttled, "throttled"),
        (Self::Informational, "informational"),
    ];

    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|(known, _)| *known == self).map_or("processing", |(_, code)| code)
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|(_, known)| *known == code).map(|(known, _)| *known)
    }
}

/// A finding, with FHIR's word for its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Of what kind.
    pub code: IssueType,
    /// What, where, by which rule, how to mend it.
    pub finding: Finding,
}

impl Issue {
    /// An issue that refuses; its place is still to be said.
    #[must_use]
    pub fn error(code: IssueType, rule: Rule, message: Text, mend: Text) -> Self {
        Self::new(Severity::Error, code, rule, message, mend)
    }

    /// An issue that lets pass; its place is still to be said.
    #[must_use]
    pub fn warning(code: IssueType, rule: Rule, message: Text, mend: Text) -> Self {
        Self::new(Severity::Warning, code, rule, message, mend)
    }

    /// An issue whose place is still to be said.
    #[must_use]
    pub fn new(severity: Severity, code: IssueType, rule: Rule, message: Text, mend: Text) -> Self {
        Self { code, finding: Finding { severity, rule, at: Location::default(), message, mend } }
    }

    /// Points at a node.
    #[must_use]
    pub fn at(self, node: Node<'_>) -> Self {
        self.placed(node.path(), node.position())
    }

    /// Points at an element that a node does not have: the element's path, the node's line.
    #[must_use]
    pub fn missing_in(self, node: Node<'_>, element: &str) -> Self {
        self.placed(format!("{}.{element}", node.path()), node.position())
    }

    /// Points at a path and a place in the bytes.
    #[must_use]
    pub fn placed(mut self, path: String, position: Position) -> Self {
        let count = |number: usize| u32::try_from(number).ok();
        self.finding.at = Location { path, line: count(position.line), column: count(position.column) };
        self
    }
}

impl From<Finding> for Issue {
    /// A finding of a format that does not speak FHIR: `processing`, FHIR's word for the rest.
    fn from(finding: Finding) -> Self {
        Self { code: IssueType::Processing, finding }
    }
}

/// All that was found, in the order of finding. As an error, it shows what refuses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Issues(pub Vec<Issue>);

impl Issues {
    /// One more.
    pub fn push(&mut self, issue: Issue) {
        self.0.push(issue);
    }

    /// Does any of them refuse?
    #[must_use]
    pub fn refuse(&self) -> bool {
        self.0.iter().any(|issue| issue.finding.is_error())
    }

    /// Keeps at most so many, what refuses before what does not: a refusal is never crowded out.
    #[must_use]
    pub fn at_most(mut self, most: usize) -> Self {
        if self.0.len() > most {
            self.0.sort_by_key(|issue| std::cmp::Reverse(issue.finding.severity));
            self.0.truncate(most);
        }
        self
    }

    /// The value with its remarks when nothing refuses; everything that was found otherwise.
    ///
    /// # Errors
    /// The issues, when one of them refuses or when there is no value.
    pub fn with<T>(self, value: Option<T>) -> Reading<T> {
        match value {
            Some(value) if !self.refuse() => Ok(Noted { value, remarks: self.0 }),
            _ => Err(self),
        }
    }
}

impl std::fmt::Display for Issues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let refusals = self.0.iter().filter(|issue| issue.finding.is_error());
        for (at, Issue { finding, .. }) in refusals.enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {} ({})", finding.at.path, finding.message.en, finding.rule)?;
        }
        Ok(())
    }
}

impl std::error::Error for Issues {}

/// A value, and what was remarked while it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted<T> {
    /// The value.
    pub value: T,
    /// Warnings and information.
    pub remarks: Vec<Issue>,
}

/// What a reader answers.
pub type Reading<T> = Result<Noted<T>, Issues>;

/// An issue in one language, as an OperationOutcome carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// How bad.
    pub severity: Severity,
    /// Of what kind.
    pub code: IssueType,
    /// What forbids it, when the server says so.
    pub rule: Option<Rule>,
    /// Where, in the manner of FHIRPath.
    pub expression: Vec<String>,
    /// Where, from 1.
    pub line: Option<u32>,
    /// Where, from 1.
    pub column: Option<u32>,
    /// What.
    pub message: String,
    /// How to mend it, when the server says so.
    pub mend: Option<String>,
}

impl Shown {
    /// An issue in one of its languages.
    #[must_use]
    pub fn of(issue: &Issue, lang: Lang) -> Self {
        let Finding { severity, rule, at, message, mend } = &issue.finding;
        Self {
            severity: *severity,
            code: issue.code,
            rule: Some(rule.clone()),
            expression: if at.path.is_empty() { Vec::new() } else { vec![at.path.clone()] },
            line: at.line,
            column: at.column,
            message: message.get(lang).to_owned(),
            mend: Some(mend.get(lang).to_owned()),
        }
    }
}

/// Where HL7's validator puts line and column, which R4 has no element for.
const LINE: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line";
const COLUMN: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col";
/// Ours, so that a remedy is told from the rest of `diagnostics`.
const MEND: &str = "urn:socle:extension:mend";
/// The code system of rules: the code is the point, the display is the text that it is in.
const RULES: &str = "urn:socle:rules";

/// Writes an OperationOutcome of what was found, in one language.
///
/// Nothing found is written as one issue that says so, since the resource asks for one (FHIR R4 §2.40).
#[must_use]
pub fn write(issues: &[Issue], lang: Lang) -> Vec<u8> {
    let shown: Vec<Shown> = issues.iter().map(|issue| Shown::of(issue, lang)).collect();
    write_shown(&shown, lang)
}

/// Writes an OperationOutcome of issues that are in one language already.
#[must_use]
pub fn write_shown(issues: &[Shown], lang: Lang) -> Vec<u8> {
    let mut json = Json::new();
    json.object(|outcome| {
        outcome.text("resourceType", "OperationOutcome").text("language", lang.tag());
        outcome.array("issue", |list| {
            if issues.is_empty() {
                list.object(write_nothing_found);
            }
            for issue in issues {
                list.object(|out| write_issue(out, issue, lang));
            }
        });
    });
    json.finish()
}

fn write_nothing_found(out: &mut Object<'_>) {
    out.text("severity", "information").text("code", "informational");
    out.object("details", |details| _ = details.text("text", "All OK"));
}

fn write_issue(out: &mut Object<'_>, issue: &Shown, lang: Lang) {
    out.array("extension", |list| {
        for (url, number) in [(LINE, issue.line), (COLUMN, issue.column)] {
            if let Some(number) = number {
                list.object(|ext| _ = ext.text("url", url).number("valueInteger", number.into()));
            }
        }
        if let Some(mend) = &issue.mend {
            list.object(|ext| _ = ext.text("url", MEND).text("valueString", mend));
        }
    });
    out.text("severity", severity_code(issue.severity)).text("code", issue.code.code());
    out.object("details", |details| {
        if let Some(rule) = &issue.rule {
            details.array("coding", |list| _ = list.object(|coding| write_rule(coding, rule)));
        }
        details.text("text", &issue.message);
    });
    out.maybe("diagnostics", diagnostics(issue, lang).as_deref());
    out.texts("expression", &issue.expression);
}

fn write_rule(coding: &mut Object<'_>, rule: &Rule) {
    coding.text("system", RULES).text("code", &rule.point).text("display", &rule.text);
}

/// Place, rule and remedy in one line, for clients that show `diagnostics` only.
fn diagnostics(issue: &Shown, lang: Lang) -> Option<String> {
    let (line, column, rule, mend) = match lang {
        Lang::Fr => ("ligne", "colonne", "règle :", "remède :"),
        Lang::En => ("line", "column", "rule:", "remedy:"),
    };
    let mut parts = Vec::new();
    if let (Some(at), Some(of)) = (issue.line, issue.column) {
        parts.push(format!("{line} {at}, {column} {of}"));
    }
    if let Some(known) = &issue.rule {
        parts.push(format!("{rule} {known}"));
    }
    if let Some(known) = &issue.mend {
        parts.push(format!("{mend} {known}"));
    }
    (!parts.is_empty()).then(|| parts.join(" ; "))
}

const fn severity_code(severity: Severity) -> &'static str {
    match severity {
        Severity::Information => "information",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Reads the issues of an OperationOutcome, ours or another server's; none when it is another resource.
///
/// What cannot be told (an unknown severity or code, `fatal`) is read as an error, and an issue without
/// text shows its diagnostics: a message is never lost.
#[must_use]
pub fn read(node: Node<'_>) -> Option<Vec<Shown>> {
    (node.resource_type() == Some("OperationOutcome")).then(|| node.all("issue").map(read_issue).collect())
}

fn read_issue(node: Node<'_>) -> Shown {
    let details = node.get("details");
    let rule = details.and_then(|details| details.all("coding").find(|coding| coding.text("system") == Some(RULES)));
    let label = |coding: Node<'_>| Some(coding.text("display").or_else(|| coding.text("code"))?.to_owned());
    let message = details
        .and_then(|details| details.text("text"))
        .or_else(|| node.text("diagnostics"))
        .map(str::to_owned)
        .or_else(|| details?.all("coding").find_map(label))
        .or_else(|| node.text("code").map(str::to_owned));
    Shown {
        severity: read_severity(node.text("severity")),
        code: node.text("code").and_then(IssueType::from_code).unwrap_or(IssueType::Processing),
        rule: rule.and_then(read_rule),
        expression: node.all("expression").filter_map(|path| path.str().map(str::to_owned)).collect(),
        line: number_of(node, LINE),
        column: number_of(node, COLUMN),
        message: message.unwrap_or_default(),
        mend: extension(node, MEND).and_then(|ext| ext.text("valueString")).map(str::to_owned),
    }
}

fn read_severity(code: Option<&str>) -> Severity {
    match code {
        Some("information") => Severity::Information,
        Some("warning") => Severity::Warning,
        _ => Severity::Error,
    }
}

fn read_rule(coding: Node<'_>) -> Option<Rule> {
    Some(Rule { text: coding.text("display")?.to_owned().into(), point: coding.text("code")?.to_owned().into() })
}

fn number_of(node: Node<'_>, url: &str) -> Option<u32> {
    u32::try_from(extension(node, url)?.get("valueInteger")?.u64()?).ok()
}

fn extension<'a>(node: Node<'a>, url: &str) -> Option<Node<'a>> {
    node.all("extension").find(|ext| ext.text("url") == Some(url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Document;

    fn issue() -> Issue {
        let document = Document::parse(&b"{\n \"resourceType\":\"List\", \"status\":\"old\"}"[..]).unwrap();
        let status = document.root().get("status").unwrap();
        Issue::error(
            IssueType::BusinessRule,
            Rule::fixed("PDSm 3.1.1", "List.status"),
            Text::fixed("le statut n'est pas « current »", "the status is not \"current\""),
            Text::fixed("mettez current", "write current"),
        )
        .at(status)
    }

    #[test]
    fn what_is_written_is_read_again_in_each_language() {
        for (lang, message) in
            [(Lang::Fr, "le statut n'est pas « current »"), (Lang::En, "the status is not \"current\"")]
        {
            let warning = Issue { code: IssueType::NotFound, ..issue() };
            let document = Document::parse(write(&[issue(), warning], lang)).unwrap();
            assert_eq!(document.oddities().count(), 0);
            let read = read(document.root()).unwrap();
            assert_eq!(read[0], Shown::of(&issue(), lang));
            assert_eq!((read[0].message.as_str(), read[0].line, read[0].column), (message, Some(2), Some(34)));
            assert_eq!(
                (read[1].code, read[0].expression.as_slice()),
                (IssueType::NotFound, &["List.status".to_owned()][..])
            );
        }
    }

    #[test]
    fn nothing_found_is_one_issue() {
        let document = Document::parse(write(&[], Lang::Fr)).unwrap();
        let read = read(document.root()).unwrap();
        assert_eq!((read.len(), read[0].severity), (1, Severity::Information));
    }

    #[test]
    fn other_servers_are_understood() {
        let cases = [
            (
                r#"{"severity":"fatal","code":"exception","diagnostics":"boom"}"#,
                Severity::Error,
                IssueType::Exception,
                "boom",
            ),
            (
                r#"{"severity":"warning","code":"x","details":{"coding":[{"code":"c1","display":"Label"}]}}"#,
                Severity::Warning,
                IssueType::Processing,
                "Label",
            ),
            (r#"{"severity":"error","code":"not-found"}"#, Severity::Error, IssueType::NotFound, "not-found"),
            ("{}", Severity::Error, IssueType::Processing, ""),
        ];
        for (issue, severity, code, message) in cases {
            let text = format!(r#"{{"resourceType":"OperationOutcome","issue":[{issue}]}}"#);
            let document = Document::parse(text).unwrap();
            let read = read(document.root()).unwrap().remove(0);
            assert_eq!((read.severity, read.code, read.message.as_str()), (severity, code, message), "{issue}");
        }
        let patient = Document::parse(&br#"{"resourceType":"Patient"}"#[..]).unwrap();
        assert_eq!(read(patient.root()), None);
    }

    #[test]
    fn a_refusal_is_never_crowded_out() {
        let warning = || {
            let mut warning = issue();
            warning.finding.severity = Severity::Warning;
            warning
        };
        let mut issues = Issues((0..300).map(|_| warning()).collect());
        issues.push(issue());
        let kept = issues.at_most(200);
        assert!(kept.refuse() && kept.0.len() == 200);
        assert!(kept.with(Some(())).is_err());
    }

    #[test]
    fn every_code_is_read_back() {
        for (kind, code) in IssueType::CODES {
            assert_eq!((kind.code(), IssueType::from_code(code)), (code, Some(kind)));
        }
    }
}
