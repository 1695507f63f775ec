//! One JSON object a line for each file.

use std::io::Write;

use serde_json::{Value, json};
use socle_finding::{Finding, Lang};

use super::super::checked::{Checked, Outcome, Verdict};
use super::{Report, put, word};
use crate::cli::FailOn;

pub(super) struct Json {
    pub(super) out: Box<dyn Write>,
    pub(super) lang: Lang,
    pub(super) fail_on: FailOn,
}

impl Report for Json {
    fn add(&mut self, checked: &Checked) {
        let line = line(checked, self.lang, self.fail_on);
        put(&mut self.out, line);
        // A program may follow the report while it is made.
        let _ = self.out.flush();
    }

    fn end(&mut self) {}
}

fn line(checked: &Checked, lang: Lang, fail_on: FailOn) -> Value {
    let valid = checked.verdict(fail_on) == Verdict::Valid;
    match &checked.outcome {
        Outcome::Unusable { why, mend } => json!({
            "file": checked.file, "kind": checked.kind, "valid": false, "errors": 0, "warnings": 0, "findings": [],
            "unusable": {"message": why.get(lang), "mend": mend.get(lang)},
        }),
        Outcome::Judged(judged) => json!({
            "file": checked.file,
            "kind": checked.kind,
            "what": judged.what.as_ref().map(|what| what.get(lang)),
            "valid": valid,
            "errors": judged.counts.errors,
            "warnings": judged.counts.warnings,
            "findings": judged.findings.iter().map(|spotted| finding(&spotted.finding, lang)).collect::<Vec<_>>(),
            "findingsLeftOut": judged.counts.all() - judged.findings.len() as u64,
            "notChecked": judged.not_checked.iter()
                .map(|unchecked| json!({"what": unchecked.what.get(lang), "count": unchecked.count}))
                .collect::<Vec<_>>(),
        }),
    }
}

fn finding(finding: &Finding, lang: Lang) -> Value {
    json!({
        "severity": word(finding.severity),
        "rule": finding.rule.to_string(),
        "path": finding.at.path,
        "line": finding.at.line,
        "column": finding.at.column,
        "message": finding.message.get(lang),
        "mend": finding.mend.get(lang),
    })
}
