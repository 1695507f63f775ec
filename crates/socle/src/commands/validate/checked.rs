//! What was found in one file.

use std::time::Duration;

use socle_finding::{Finding, Severity, Text};

use crate::cli::FailOn;

/// More findings than this teach nothing about one file; the rest is counted.
pub(super) const MOST_KEPT: usize = 1000;

/// One file, judged or not.
#[derive(Debug)]
pub(super) struct Checked {
    /// As the user named it; `-` for standard input.
    pub(super) file: String,
    /// The format it was recognised as.
    pub(super) kind: Option<&'static str>,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
}

#[derive(Debug)]
pub(super) enum Outcome {
    Judged(Judged),
    /// It could not be judged: why, and what to do.
    Unusable {
        why: Text,
        mend: Text,
    },
}

/// What a format found.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// What the document says it is.
    pub(super) what: Option<Text>,
    pub(super) findings: Vec<Spotted>,
    pub(super) counts: Counts,
    pub(super) not_checked: Vec<Unchecked>,
}

/// A finding, and the line of the file that it points at.
#[derive(Debug)]
pub(super) struct Spotted {
    pub(super) finding: Finding,
    pub(super) excerpt: Option<Excerpt>,
}

/// A line of a file, cut around the spot.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) line: u32,
    pub(super) text: String,
    /// How many signs of `text` stand before the spot.
    pub(super) before: usize,
}

/// Something that could not be checked, and how often it was needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unchecked {
    pub(super) what: Text,
    pub(super) count: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) errors: u64,
    pub(super) warnings: u64,
    pub(super) notes: u64,
}

/// The worst is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Valid,
    Invalid,
    Unusable,
}

impl Checked {
    pub(super) fn verdict(&self, fail_on: FailOn) -> Verdict {
        match &self.outcome {
            Outcome::Unusable { .. } => Verdict::Unusable,
            Outcome::Judged(judged) => judged.counts.verdict(fail_on),
        }
    }
}

impl Counts {
    fn verdict(self, fail_on: FailOn) -> Verdict {
        let fails = self.errors > 0 || (fail_on == FailOn::Warning && self.warnings > 0);
        if fails { Verdict::Invalid } else { Verdict::Valid }
    }

    pub(super) const fn count(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Information => self.notes += 1,
        }
    }

    pub(super) const fn add(&mut self, other: Self) {
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.notes += other.notes;
    }

    pub(super) const fn all(self) -> u64 {
        self.errors + self.warnings + self.notes
    }
}

impl Judged {
    pub(super) fn of(what: Option<Text>, findings: Vec<Finding>, not_checked: Vec<Unchecked>) -> Self {
        let mut judged = Self { what, not_checked, ..Self::default() };
        for finding in findings {
            judged.push(finding);
        }
        judged
    }

    /// Counts a finding, and keeps it while there are not too many.
    pub(super) fn push(&mut self, finding: Finding) {
        self.counts.count(finding.severity);
        if self.findings.len() < MOST_KEPT {
            self.findings.push(Spotted { finding, excerpt: None });
        }
    }

    /// Counts something unchecked, once for each time it was needed.
    pub(super) fn push_unchecked(&mut self, unchecked: Unchecked) {
        match self.not_checked.iter_mut().find(|known| known.what == unchecked.what) {
            Some(known) => known.count += unchecked.count,
            None => self.not_checked.push(unchecked),
        }
    }

    /// Shows each finding its line of the file.
    pub(super) fn show(&mut self, bytes: &[u8]) {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        for spotted in &mut self.findings {
            let at = &spotted.finding.at;
            let (Some(line), Some(column)) = (at.line, at.column) else { continue };
            let Some(start) = starts.get((line as usize).saturating_sub(1)) else { continue };
            let whole = text[*start..].split('\n').next().unwrap_or_default();
            spotted.excerpt = Some(Excerpt::of(line, whole, column as usize));
        }
    }
}

impl Excerpt {
    /// What is shown of a line, at most.
    const WIDTH: usize = 96;
    /// What is shown of it before the spot, at most.
    const LEAD: usize = 40;

    /// The line, cut around a column that counts from 1.
    pub(super) fn of(line: u32, whole: &str, column: usize) -> Self {
        let column = column.max(1) - 1;
        let indent = whole.chars().take_while(|sign| sign.is_whitespace()).count().min(column);
        let from = indent.max(column.saturating_sub(Self::LEAD));
        let is_cut = from > indent;
        let shown = whole.chars().skip(from).map(|sign| if sign.is_control() { ' ' } else { sign });
        let mut text: String = shown.clone().take(Self::WIDTH).collect();
        if shown.count() > Self::WIDTH {
            text.push('…');
        }
        let lead = if is_cut { "…" } else { "" };
        let trimmed = text.trim_end();
        Self { line, text: format!("{lead}{trimmed}"), before: column - from + lead.chars().count() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_shows_the_spot_however_long_the_line_is() {
        let cases = [
            ("    \"gender\" : \"M\"\r", 5, "\"gender\" : \"M\"", 0),
            ("<é à=\"1\">", 4, "<é à=\"1\">", 3),
            ("", 1, "", 0),
            ("ab", 99, "", 0),
        ];
        for (line, column, text, before) in cases {
            let excerpt = Excerpt::of(7, line, column);
            if column == 99 {
                assert_eq!(excerpt.line, 7);
                continue;
            }
            assert_eq!((excerpt.text.as_str(), excerpt.before), (text, before), "{line:?}");
        }
        let long = format!("{}X{}", "a".repeat(5000), "b".repeat(5000));
        let excerpt = Excerpt::of(1, &long, 5001);
        assert_eq!(excerpt.text.chars().nth(excerpt.before), Some('X'));
        assert!(excerpt.text.chars().count() < 100);
    }

    #[test]
    fn findings_without_end_are_counted_and_not_kept() {
        let finding = Finding {
            severity: Severity::Warning,
            rule: socle_finding::Rule::fixed("a", "b"),
            at: socle_finding::Location::path("p"),
            message: Text::fixed("m", "m"),
            mend: Text::fixed("m", "m"),
        };
        let judged = Judged::of(None, vec![finding; MOST_KEPT + 5], Vec::new());
        assert_eq!((judged.findings.len(), judged.counts.warnings), (MOST_KEPT, MOST_KEPT as u64 + 5));
        assert_eq!(judged.counts.verdict(FailOn::Error), Verdict::Valid);
        assert_eq!(judged.counts.verdict(FailOn::Warning), Verdict::Invalid);
    }
}
