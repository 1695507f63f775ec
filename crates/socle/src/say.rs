//! What the program says on a terminal: results on standard output, troubles on standard error, in the
//! language of the locale.

use std::io::Write as _;
use std::process::ExitCode;

use socle_fhir::outcome::Shown;
use socle_finding::{Lang, Severity};

use crate::trouble::told;

/// An error, for a person.
pub(crate) struct Explained {
    pub said: String,
    pub causes: Vec<String>,
    pub mends: Vec<String>,
}

impl std::fmt::Display for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.said)?;
        self.causes.iter().try_for_each(|cause| write!(f, " : {cause}"))
    }
}

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
        self.trouble(None, error);
        ExitCode::from(2)
    }

    /// What went wrong, about what, why, and what to do.
    pub(crate) fn trouble(&self, subject: Option<&str>, error: &anyhow::Error) {
        let Explained { said, causes, mends } = self.explain(error);
        let subject = subject.map(|subject| format!("{subject} : ")).unwrap_or_default();
        self.note(format!("{} : {subject}{said}", self.pick("erreur", "error")));
        for cause in causes {
            self.note(format!("{:>8} : {cause}", self.pick("cause", "because")));
        }
        for mend in mends {
            self.note(format!("{:>8} : {mend}", self.pick("remède", "mend")));
        }
    }

    /// An error in the language asked for. What only a library says stays as it says it.
    pub(crate) fn explain(&self, error: &anyhow::Error) -> Explained {
        let (mut sentences, mut mends) = (Vec::new(), Vec::new());
        for cause in error.chain() {
            let Some(told) = told(cause) else {
                sentences.push(cause.to_string());
                continue;
            };
            sentences.push(told.said.get(self.lang).to_owned());
            mends.extend(told.mend.map(|mend| mend.get(self.lang).to_owned()));
            if told.is_whole {
                break;
            }
        }
        let said = sentences.remove(0);
        Explained { said, causes: sentences, mends }
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
            let line = issue.line.map(|line| format!("{} {line}", self.pick("ligne", "line")));
            let place: Vec<_> = issue.expression.first().cloned().into_iter().chain(line).collect();
            if !place.is_empty() {
                self.note(format!("{:>8} : {}", self.pick("où", "where"), place.join(", ")));
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
