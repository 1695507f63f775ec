//! What is wrong with a document, and FHIR's OperationOutcome of it.
//!
//! A [`Finding`] says it in both languages, with the rule, the place and the way to mend it; an
//! [`Issue`] is the same in one language, as it travels in an OperationOutcome ([`write`], [`read`]).
//! A reader answers [`Reading`]: the value with its remarks, or all that is wrong, never only the first.

use std::borrow::Cow;

use crate::tape::{Node, Position};
use crate::text::{Lang, Text};
use crate::write::Json;

/// FHIR's `issue-severity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Information,
    /// Taken, but should be mended.
    Warning,
    /// Refused.
    Error,
    /// Refused, and nothing further was looked at.
    Fatal,
}

impl Severity {
    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// Does it refuse the document?
    #[must_use]
    pub const fn refuses(self) -> bool {
        matches!(self, Self::Error | Self::Fatal)
    }

    fn from_code(code: &str) -> Option<Self> {
        [Self::Information, Self::Warning, Self::Error, Self::Fatal].into_iter().find(|known| known.code() == code)
    }
}

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

/// The text that forbids something, and the point in it: `RNIV v2.0`, `EXI SI 08`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The text and its version.
    pub text: Cow<'static, str>,
    /// The point.
    pub point: Cow<'static, str>,
}

impl Rule {
    /// A rule known when the program was written.
    #[must_use]
    pub const fn new(text: &'static str, point: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), point: Cow::Borrowed(point) }
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}", self.text, self.point)
    }
}

/// Something found in a document. It points at the data and never repeats it: it may be a person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// Of what kind.
    pub code: IssueType,
    /// What forbids it.
    pub rule: Option<Rule>,
    /// Where, in the manner of FHIRPath.
    pub expression: Option<String>,
    /// Where, in the received bytes.
    pub position: Option<Position>,
    /// What.
    pub message: Text,
    /// How to mend it.
    pub mend: Option<Text>,
}

impl Finding {
    /// A finding without place, rule or remedy yet.
    #[must_use]
    pub const fn new(severity: Severity, code: IssueType, message: Text) -> Self {
        Self { severity, code, rule: None, expression: None, position: None, message, mend: None }
    }

    /// A finding that refuses.
    #[must_use]
    pub const fn error(code: IssueType, fr: &'static str, en: &'static str) -> Self {
        Self::new(Severity::Error, code, Text::new(fr, en))
    }

    /// A finding that lets pass.
    #[must_use]
    pub const fn warning(code: IssueType, fr: &'static str, en: &'static str) -> Self {
        Self::new(Severity::Warning, code, Text::new(fr, en))
    }

    /// Names what forbids it.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rule = Some(rule);
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn mend(mut self, mend: Text) -> Self {
        self.mend = Some(mend);
        self
    }

    /// Points at an element, by FHIRPath only.
    #[must_use]
    pub fn expression(mut self, expression: String) -> Self {
        self.expression = Some(expression);
        self
    }

    /// Points at a place in the bytes.
    #[must_use]
    pub const fn position(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// Points at a node, both ways.
    #[must_use]
    pub fn at(self, node: Node<'_>) -> Self {
        self.expression(node.path()).position(node.position())
    }

    /// Points at an element that a node does not have: the node's place, the element's path.
    #[must_use]
    pub fn missing_in(self, node: Node<'_>, element: &str) -> Self {
        self.expression(format!("{}.{element}", node.path())).position(node.position())
    }

    /// The same in one language.
    #[must_use]
    pub fn issue(&self, lang: Lang) -> Issue {
        Issue {
            severity: self.severity,
            code: self.code,
            rule: self.rule.clone(),
            expression: self.expression.iter().cloned().collect(),
            line: self.position.map(|position| position.line),
            column: self.position.map(|position| position.column),
            message: self.message.get(lang).to_owned(),
            mend: self.mend.as_ref().map(|mend| mend.get(lang).to_owned()),
        }
    }
}

/// All that was found, in the order of finding. As an error, it shows its refusals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Does any of them refuse?
    #[must_use]
    pub fn refuse(&self) -> bool {
        self.0.iter().any(|finding| finding.severity.refuses())
    }

    /// The value with its remarks when nothing refuses; everything that was found otherwise.
    ///
    /// # Errors
    /// The findings, when one of them refuses or when there is no value.
    pub fn with<T>(self, value: Option<T>) -> Reading<T> {
        match value {
            Some(value) if !self.refuse() => Ok(Noted { value, remarks: self.0 }),
            _ => Err(self),
        }
    }

    /// One more.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let refusals = self.0.iter().filter(|finding| finding.severity.refuses());
        for (at, finding) in refusals.enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            let place = finding.expression.as_deref().unwrap_or("$");
            write!(f, "{separator}{place}: {}", finding.message.en)?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}

/// A value, and what was remarked while it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted<T> {
    /// The value.
    pub value: T,
    /// Warnings and information.
    pub remarks: Vec<Finding>,
}

/// What a reader answers.
pub type Reading<T> = Result<Noted<T>, Findings>;

/// One issue of an OperationOutcome, in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad.
    pub severity: Severity,
    /// Of what kind.
    pub code: IssueType,
    /// What forbids it.
    pub rule: Option<Rule>,
    /// Where, in the manner of FHIRPath.
    pub expression: Vec<String>,
    /// Where, from 1.
    pub line: Option<usize>,
    /// Where, from 1.
    pub column: Option<usize>,
    /// What.
    pub message: String,
    /// How to mend it.
    pub mend: Option<String>,
}

/// Where HL7's validator puts line and column, which R4 has no element for.
const LINE: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line";
const COLUMN: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col";
const MEND: &str = "urn:socle:extension:mend";
const RULES: &str = "urn:socle:rules";

/// Writes an OperationOutcome of what was found, in one language.
///
/// No finding at all is written as `All OK`, since the resource asks for one issue (FHIR R4, OperationOutcome).
#[must_use]
pub fn write(findings: &[Finding], lang: Lang) -> Vec<u8> {
    let issues: Vec<Issue> = findings.iter().map(|finding| finding.issue(lang)).collect();
    write_issues(&issues, lang)
}

/// Writes an OperationOutcome of issues that are already in one language.
#[must_use]
pub fn write_issues(issues: &[Issue], lang: Lang) -> Vec<u8> {
    let mut json = Json::new();
    json.object(|outcome| {
        outcome.text("resourceType", "OperationOutcome");
        outcome.text("language", lang.tag());
        outcome.array("issue", |list| {
            if issues.is_empty() {
                list.object(|issue| {
                    issue.text("severity", "information").text("code", "informational");
                    issue.object("details", |details| _ = details.text("text", "All OK"));
                });
            }
            for issue in issues {
                list.object(|out| write_issue(out, issue, lang));
            }
        });
    });
    json.finish()
}

fn write_issue(out: &mut crate::write::Object<'_>, issue: &Issue, lang: Lang) {
    if issue.line.is_some() || issue.mend.is_some() {
        out.array("extension", |list| {
            for (url, number) in [(LINE, issue.line), (COLUMN, issue.column)] {
                if let Some(number) = number {
                    list.object(|ext| _ = ext.text("url", url).number("valueInteger", number as u64));
                }
            }
            if let Some(mend) = &issue.mend {
                list.object(|ext| _ = ext.text("url", MEND).text("valueString", mend));
            }
        });
    }
    out.text("severity", issue.severity.code()).text("code", issue.code.code());
    out.object("details", |details| {
        if let Some(rule) = &issue.rule {
            details.array("coding", |list| {
                list.object(|coding| {
                    _ = coding.text("system", RULES).text("code", &rule.point).text("display", &rule.text)
                });
            });
        }
        details.text("text", &issue.message);
    });
    if let Some(diagnostics) = diagnostics(issue, lang) {
        out.text("diagnostics", &diagnostics);
    }
    out.texts("expression", &issue.expression);
}

/// Place, rule and remedy in one line, for clients that show `diagnostics` only.
fn diagnostics(issue: &Issue, lang: Lang) -> Option<String> {
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

/// Reads the issues of an OperationOutcome, ours or another server's; none when it is another resource.
///
/// What cannot be told apart (an unknown severity or code) is read as an error of processing, and an
/// issue without text shows its diagnostics: a message is never lost.
#[must_use]
pub fn read(node: Node<'_>) -> Option<Vec<Issue>> {
    (node.resource_type() == Some("OperationOutcome")).then(|| node.all("issue").map(read_issue).collect())
}

fn read_issue(node: Node<'_>) -> Issue {
    let details = node.get("details");
    let rule = details.and_then(|details| details.all("coding").find(|coding| coding.text("system") == Some(RULES)));
    let message = details
        .and_then(|details| details.text("text"))
        .or_else(|| node.text("diagnostics"))
        .or_else(|| details?.all("coding").find_map(|coding| coding.text("display").or_else(|| coding.text("code"))));
    Issue {
        severity: node.text("severity").and_then(Severity::from_code).unwrap_or(Severity::Error),
        code: node.text("code").and_then(IssueType::from_code).unwrap_or(IssueType::Processing),
        rule: rule.and_then(read_rule),
        expression: node.all("expression").filter_map(|path| path.str().map(str::to_owned)).collect(),
        line: number_of(node, LINE),
        column: number_of(node, COLUMN),
        message: message.or_else(|| node.text("code")).unwrap_or_default().to_owned(),
        mend: extension(node, MEND).and_then(|ext| ext.text("valueString")).map(str::to_owned),
    }
}

fn read_rule(coding: Node<'_>) -> Option<Rule> {
    Some(Rule { text: coding.text("display")?.to_owned().into(), point: coding.text("code")?.to_owned().into() })
}

fn number_of(node: Node<'_>, url: &str) -> Option<usize> {
    usize::try_from(extension(node, url)?.get("valueInteger")?.u64()?).ok()
}

fn extension<'a>(node: Node<'a>, url: &str) -> Option<Node<'a>> {
    node.all("extension").find(|ext| ext.text("url") == Some(url))
}
