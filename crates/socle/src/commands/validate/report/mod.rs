//! How findings are shown: to people (`text.rs`), to programs (`json.rs`), to code hosts (`sarif.rs`), to
//! test reporters (`junit.rs`).

mod json;
mod junit;
mod sarif;
#[cfg(test)]
mod tests;
mod text;

use std::io::{IsTerminal as _, Write};

use super::checked::Checked;
use crate::cli::{ReportFormat, Validate};
use crate::say::Speaker;

/// A report being made.
pub(super) trait Report {
    /// One more file, in the order the user gave.
    fn add(&mut self, checked: &Checked);

    /// That was all.
    fn end(&mut self);
}

/// The report that was asked for, on standard output.
pub(super) fn begin(options: &Validate, speaker: &Speaker) -> Box<dyn Report> {
    let out: Box<dyn Write> = Box::new(std::io::BufWriter::new(std::io::stdout()));
    let (lang, fail_on) = (speaker.lang, options.fail_on);
    match options.format {
        ReportFormat::Text => Box::new(text::Text::new(out, lang, fail_on, colours())),
        ReportFormat::Json => Box::new(json::Json { out, lang, fail_on }),
        ReportFormat::Sarif => Box::new(sarif::Sarif::new(out, lang)),
        ReportFormat::Junit => Box::new(junit::Junit::new(out, lang, fail_on)),
    }
}

/// Colours are for a terminal that has them and whose user did not refuse them (no-color.org).
fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && !refused && !is_dumb
}

/// A line of the report. A reader that has gone (`| head`) is no trouble of ours.
fn put(out: &mut dyn Write, line: impl std::fmt::Display) {
    let _ = writeln!(out, "{line}");
}

/// The word for a severity, for programs.
const fn word(severity: socle_finding::Severity) -> &'static str {
    match severity {
        socle_finding::Severity::Error => "error",
        socle_finding::Severity::Warning => "warning",
        socle_finding::Severity::Information => "information",
    }
}
