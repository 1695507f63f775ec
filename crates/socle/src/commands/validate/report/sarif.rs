//! SARIF 2.1.0, for code hosts and editors (OASIS, Static Analysis Results Interchange Format).

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Value, json};
use socle_finding::{Finding, Lang, Severity, Text};

use super::super::checked::{Checked, Outcome};
use super::{Report, put};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) struct Sarif {
    out: Box<dyn Write>,
    lang: Lang,
    /// By id: where it is in `rules`.
    known: BTreeMap<String, usize>,
    rules: Vec<Value>,
    results: Vec<Value>,
    notifications: Vec<Value>,
}

impl Sarif {
    pub(super) fn new(out: Box<dyn Write>, lang: Lang) -> Self {
        let (known, rules, results, notifications) = (BTreeMap::new(), Vec::new(), Vec::new(), Vec::new());
        Self { out, lang, known, rules, results, notifications }
    }

    fn result(&mut self, file: &str, finding: &Finding) -> Value {
        let id = finding.rule.to_string();
        let rules = &mut self.rules;
        let index = *self.known.entry(id.clone()).or_insert_with(|| {
            rules.push(json!({"id": id, "shortDescription": {"text": id}}));
            rules.len() - 1
        });
        let text = format!("{}. {}", finding.message.get(self.lang), finding.mend.get(self.lang));
        let mut location = json!({"physicalLocation": {"artifactLocation": {"uri": uri(file)}}});
        if let Some(line) = finding.at.line.filter(|line| *line > 0) {
            let mut region = json!({"startLine": line});
            if let Some(column) = finding.at.column.filter(|column| *column > 0) {
                region["startColumn"] = column.into();
            }
            location["physicalLocation"]["region"] = region;
        }
        if !finding.at.path.is_empty() {
            location["logicalLocations"] = json!([{"fullyQualifiedName": finding.at.path}]);
        }
        let level = level(finding.severity);
        json!({"ruleId": id, "ruleIndex": index, "level": level, "message": {"text": text}, "locations": [location]})
    }

    fn notify(&mut self, file: &str, level: &str, text: String) {
        let location = json!({"physicalLocation": {"artifactLocation": {"uri": uri(file)}}});
        self.notifications.push(json!({"level": level, "message": {"text": text}, "locations": [location]}));
    }
}

impl Report for Sarif {
    fn add(&mut self, checked: &Checked) {
        let lang = self.lang;
        match &checked.outcome {
            Outcome::Unusable { why, mend } => {
                self.notify(&checked.file, "error", format!("{}. {}", why.get(lang), mend.get(lang)));
            }
            Outcome::Judged(judged) => {
                for spotted in &judged.findings {
                    let result = self.result(&checked.file, &spotted.finding);
                    self.results.push(result);
                }
                for unchecked in &judged.not_checked {
                    let said = Text::fixed("non contrôlé", "not checked");
                    let text = format!("{} : {} ({} ×)", said.get(lang), unchecked.what.get(lang), unchecked.count);
                    self.notify(&checked.file, "note", text);
                }
            }
        }
    }

    fn end(&mut self) {
        let is_whole = !self.notifications.iter().any(|notification| notification["level"] == "error");
        let driver = json!({
            "name": "socle",
            "version": env!("CARGO_PKG_VERSION"),
            "language": self.lang.tag(),
            "rules": std::mem::take(&mut self.rules),
        });
        let invocation = json!({
            "executionSuccessful": is_whole,
            "toolExecutionNotifications": std::mem::take(&mut self.notifications),
        });
        let run = json!({
            "tool": {"driver": driver},
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation],
            "results": std::mem::take(&mut self.results),
        });
        put(&mut self.out, json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}));
        let _ = self.out.flush();
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "note",
    }
}

/// A path as a URI (RFC 3986): what is not allowed there is percent-encoded, `\` of Windows is `/`.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
