//! What the program says on a terminal: results on standard output, troubles on standard error, in the
//! language of the locale.

use std::io::Write as _;
use std::process::ExitCode;

use socle_fhir::outcome::Shown;
use socle_finding::{Lang, Severity};

/// Speaks French or English.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speaker {
    pub lang: Lang,
}

impl Speaker {
    /// The language asked for, else that of `SOCLE_LANG` or of the locale.
    pub(crate) fn new(asked: Option<&str>) -> Self {
        let locale = || {
            ["SOCLE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()))
        };
        let lang = asked.map(Lang::of).or_else(|| locale().as_deref().map(Lang::of)).unwrap_or_default();
        Self { lang }
    }

    pub(crate) fn pick<'a>(&self, fr: &'a str, en: &'a str) -> &'a str {
        match self.lang {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }

    /// A line of result.
    pub(crate) fn line(&self, line: impl std::fmt::Display) {
        // A reader that has gone (`| head`) is no trouble of ours.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }

    /// A line for whoever watches, not for a pipe.
    pub(crate) fn note(&self, line: impl std::fmt::Display) {
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }

    /// The end of a command that could not do its work.
    pub(crate) fn failed(&self, error: &anyhow::Error) -> ExitCode {
        self.note(format!("{} : {error}", self.pick("erreur", "error")));
        for cause in error.chain().skip(1) {
            self.note(format!("   {} : {cause}", self.pick("cause", "because")));
        }
        ExitCode::from(2)
    }

    /// What a server found, as a person reads it: what, where, by which rule, how to mend it.
    pub(crate) fn issues(&self, subject: &str, issues: &[Shown]) {
        for issue in issues {
            let word = match issue.severity {
                Severity::Error => self.pick("erreur", "error"),
                Severity::Warning => self.pick("attention", "warning"),
                Severity::Information => self.pick("note", "note"),
            };
            self.note(format!("{word} : {subject} : {}", issue.message));
            if let Some(place) = issue.expression.first() {
                let line =
                    issue.line.map(|line| format!(", {} {line}", self.pick("ligne", "line"))).unwrap_or_default();
                self.note(format!("{:>8} : {place}{line}", self.pick("où", "where")));
            }
            if let Some(rule) = &issue.rule {
                self.note(format!("{:>8} : {rule}", self.pick("règle", "rule")));
            }
            if let Some(mend) = &issue.mend {
                self.note(format!("{:>8} : {mend}", self.pick("remède", "mend")));
            }
        }
    }
}

/// Today, by UTC.
pub(crate) fn today() -> jiff::civil::Date {
    jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date()
}
