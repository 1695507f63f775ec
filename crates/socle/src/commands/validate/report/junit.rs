//! JUnit XML, for test reporters: a test case for each file.

use std::io::Write;
use std::time::Duration;

use socle_finding::{Finding, Lang, Severity};
use socle_xml::write::Writer;

use super::super::checked::{Checked, Judged, Outcome, Verdict};
use super::{Report, put, word};
use crate::cli::FailOn;

pub(super) struct Junit {
    out: Box<dyn Write>,
    lang: Lang,
    fail_on: FailOn,
    cases: Vec<Case>,
}

struct Case {
    file: String,
    kind: &'static str,
    took: Duration,
    /// A failure or an error: its message and its text.
    bad: Option<(&'static str, String, String)>,
    said: String,
}

impl Junit {
    pub(super) fn new(out: Box<dyn Write>, lang: Lang, fail_on: FailOn) -> Self {
        Self { out, lang, fail_on, cases: Vec::new() }
    }

    fn lines(&self, judged: &Judged, wanted: impl Fn(Severity) -> bool) -> String {
        let shown = judged.findings.iter().map(|spotted| &spotted.finding).filter(|finding| wanted(finding.severity));
        shown.map(|finding| line(finding, self.lang)).collect::<Vec<_>>().join("\n")
    }

    fn bad(&self, judged: &Judged) -> (&'static str, String, String) {
        let fails = |severity| match self.fail_on {
            FailOn::Error => severity == Severity::Error,
            FailOn::Warning => severity >= Severity::Warning,
        };
        let first = judged.findings.iter().find(|spotted| fails(spotted.finding.severity));
        let message = first.map(|spotted| spotted.finding.message.get(self.lang).to_owned()).unwrap_or_default();
        ("failure", message, self.lines(judged, fails))
    }
}

impl Report for Junit {
    fn add(&mut self, checked: &Checked) {
        let (bad, said) = match &checked.outcome {
            Outcome::Unusable { why, mend } => {
                (Some(("error", why.get(self.lang).to_owned(), mend.get(self.lang).to_owned())), String::new())
            }
            Outcome::Judged(judged) => {
                let is_bad = checked.verdict(self.fail_on) == Verdict::Invalid;
                let said = self.lines(judged, |severity| severity != Severity::Error);
                (is_bad.then(|| self.bad(judged)), said)
            }
        };
        let (file, kind, took) = (checked.file.clone(), checked.kind.unwrap_or("unknown"), checked.took);
        self.cases.push(Case { file, kind, took, bad, said });
    }

    fn end(&mut self) {
        let count = |word: &str| {
            let of = |case: &&Case| case.bad.as_ref().is_some_and(|(kind, ..)| *kind == word);
            self.cases.iter().filter(of).count().to_string()
        };
        let tests = self.cases.len().to_string();
        let seconds = |took: Duration| format!("{:.3}", took.as_secs_f64());
        let time = seconds(self.cases.iter().map(|case| case.took).sum());
        let mut xml = Writer::document();
        for name in ["testsuites", "testsuite"] {
            xml.open(name).attr("name", "socle validate").attr("tests", &tests).attr("failures", &count("failure"));
            xml.attr("errors", &count("error")).attr("time", &time);
        }
        for case in &self.cases {
            xml.open("testcase").attr("name", &clean(&case.file)).attr("classname", case.kind);
            xml.attr("time", &seconds(case.took));
            if let Some((kind, message, text)) = &case.bad {
                xml.open(kind).attr("message", &clean(message)).text(&clean(text)).close();
            }
            if !case.said.is_empty() {
                xml.leaf("system-out", &clean(&case.said));
            }
            xml.close();
        }
        xml.close().close();
        put(&mut self.out, xml.finish());
        let _ = self.out.flush();
    }
}

fn line(finding: &Finding, lang: Lang) -> String {
    let at = &finding.at;
    let place = match (at.line, at.column) {
        (Some(line), Some(column)) => format!("{line}:{column} {}", at.path),
        (Some(line), None) => format!("{line} {}", at.path),
        _ => at.path.clone(),
    };
    let (message, mend) = (finding.message.get(lang), finding.mend.get(lang));
    format!("{} {place} {message} ({}). {mend}", word(finding.severity), finding.rule)
}

/// XML 1.0 has no way to write control characters (§2.2).
fn clean(text: &str) -> String {
    let refused = |sign: char| match sign {
        '\n' | '\t' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        _ => sign.is_control(),
    };
    text.chars().map(|sign| if refused(sign) { '\u{fffd}' } else { sign }).collect()
}
