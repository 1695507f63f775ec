//! For people: each file with what was found in it, the spot marked in its source, and a summary.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;
use std::time::{Duration, Instant};

use socle_finding::{Finding, Lang, Severity};

use super::super::checked::{Checked, Counts, Excerpt, Judged, Outcome, Spotted, Verdict};
use super::{Report, put};
use crate::cli::FailOn;

/// Of one finding that comes again and again, so many places are shown.
const PLACES: usize = 3;

pub(super) struct Text {
    out: Box<dyn Write>,
    lang: Lang,
    fail_on: FailOn,
    paint: Paint,
    began: Instant,
    files: [usize; 3],
    counts: Counts,
    /// What could not be checked: in how many files, how often in all.
    not_checked: BTreeMap<String, (usize, u64)>,
    was_block: bool,
}

impl Text {
    pub(super) fn new(out: Box<dyn Write>, lang: Lang, fail_on: FailOn, colours: bool) -> Self {
        let (files, counts, not_checked) = ([0; 3], Counts::default(), BTreeMap::new());
        Self {
            out,
            lang,
            fail_on,
            paint: Paint(colours),
            began: Instant::now(),
            files,
            counts,
            not_checked,
            was_block: false,
        }
    }

    fn pick<'a>(&self, fr: &'a str, en: &'a str) -> &'a str {
        match self.lang {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }

    fn judged(&mut self, checked: &Checked, judged: &Judged, verdict: Verdict) {
        self.counts.add(judged.counts);
        for unchecked in &judged.not_checked {
            let (files, times) = self.not_checked.entry(clean(unchecked.what.get(self.lang))).or_default();
            *files += 1;
            *times += unchecked.count;
        }
        let (sign, colour) = if verdict == Verdict::Valid { ("✓", Colour::Green) } else { ("✗", Colour::Red) };
        let what = judged.what.as_ref().map(|what| clean(what.get(self.lang))).unwrap_or_default();
        let kind = checked.kind.unwrap_or_default();
        let between = if what.is_empty() { "" } else { " · " };
        let head = format!(
            "{} {}  {}",
            self.paint.of(colour, sign),
            self.paint.of(Colour::Bold, clean(&checked.file)),
            self.paint.of(Colour::Faint, format!("{kind}{between}{what}"))
        );
        self.head(head, !judged.findings.is_empty());
        for group in groups(&judged.findings) {
            self.group(&group);
        }
        let left_out = judged.counts.all() - judged.findings.len() as u64;
        if left_out > 0 {
            let line = format!("  … {} {left_out} {}", self.pick("et", "and"), self.pick("de plus", "more"));
            put(&mut self.out, line);
        }
    }

    /// Files with findings stand apart; those without follow each other.
    fn head(&mut self, line: String, is_block: bool) {
        if is_block || self.was_block {
            put(&mut self.out, "");
        }
        self.was_block = is_block;
        put(&mut self.out, line);
    }

    /// Findings that say the same, at their places.
    fn group(&mut self, group: &[&Spotted]) {
        let Some(first) = group.first() else { return };
        let Finding { severity, rule, message, mend, .. } = &first.finding;
        let (word, colour) = match severity {
            Severity::Error => (self.pick("erreur", "error"), Colour::Red),
            Severity::Warning => (self.pick("attention", "warning"), Colour::Yellow),
            Severity::Information => (self.pick("note", "note"), Colour::Blue),
        };
        let times = if group.len() > 1 { format!("  ({} ×)", group.len()) } else { String::new() };
        let word = self.paint.of(colour, format!("{word:>11}"));
        let said = self.paint.of(Colour::Bold, clean(message.get(self.lang)));
        put(&mut self.out, format!("{word}  {said}{times}"));
        for spotted in group.iter().take(PLACES) {
            self.place(spotted, colour);
        }
        if group.len() > PLACES {
            self.other_places(&group[PLACES..]);
        }
        self.row(self.pick("remède", "mend"), mend.get(self.lang));
        self.row(self.pick("règle", "rule"), rule);
    }

    fn place(&mut self, spotted: &Spotted, colour: Colour) {
        let at = &spotted.finding.at;
        let place = match at.line {
            Some(line) if at.path.is_empty() => format!("{} {line}", self.pick("ligne", "line")),
            Some(line) => format!("{}, {} {line}", at.path, self.pick("ligne", "line")),
            None => at.path.clone(),
        };
        if !place.is_empty() {
            self.row(self.pick("où", "where"), place);
        }
        if let Some(Excerpt { line, text, before }) =
            spotted.excerpt.as_ref().filter(|excerpt| !excerpt.text.is_empty())
        {
            let bar = self.paint.of(Colour::Faint, format!("{line:>11} │"));
            put(&mut self.out, format!("{bar} {text}"));
            let blank = self.paint.of(Colour::Faint, format!("{:>11} │", ""));
            put(&mut self.out, format!("{blank} {}{}", " ".repeat(*before), self.paint.of(colour, "^")));
        }
    }

    fn other_places(&mut self, rest: &[&Spotted]) {
        let lines: Vec<String> =
            rest.iter().filter_map(|spotted| Some(spotted.finding.at.line?.to_string())).take(12).collect();
        let dots = if rest.len() > lines.len() { "…" } else { "" };
        let also = match lines.is_empty() {
            true => format!("{} {}", rest.len(), self.pick("autres places", "other places")),
            false => format!("{} {}{dots}", self.pick("lignes", "lines"), lines.join(", ")),
        };
        self.row(self.pick("et aussi", "and also"), also);
    }

    fn row(&mut self, name: &str, text: impl Display) {
        let name = self.paint.of(Colour::Faint, format!("{name:>11}"));
        put(&mut self.out, format!("{name}  {}", clean(&text.to_string())));
    }

    fn summary(&mut self) {
        let [valid, invalid, unusable] = self.files;
        let all = valid + invalid + unusable;
        let mut parts = vec![format!("{all} {}", plural(all, self.pick("fichier", "file")))];
        let counted = [
            (valid, self.pick("valide", "valid"), self.pick("valides", "valid"), Colour::Green),
            (invalid, self.pick("invalide", "invalid"), self.pick("invalides", "invalid"), Colour::Red),
            (unusable, self.pick("illisible", "unusable"), self.pick("illisibles", "unusable"), Colour::Red),
        ];
        for (count, one, many, colour) in counted.into_iter().filter(|(count, ..)| *count > 0) {
            parts.push(self.paint.of(colour, format!("{count} {}", if count > 1 { many } else { one })));
        }
        let Counts { errors, warnings, .. } = self.counts;
        let (error, warning) = (self.pick("erreur", "error"), self.pick("avertissement", "warning"));
        parts.push(format!("{errors} {}", plural(usize::try_from(errors).unwrap_or(usize::MAX), error)));
        parts.push(format!("{warnings} {}", plural(usize::try_from(warnings).unwrap_or(usize::MAX), warning)));
        parts.push(duration(self.began.elapsed()));
        put(&mut self.out, "");
        put(&mut self.out, parts.join(" · "));
    }

    fn unchecked(&mut self) {
        if self.not_checked.is_empty() {
            return;
        }
        put(&mut self.out, "");
        let head = self.pick(
            "Non contrôlé (ni valide, ni invalide : ce qui le définit manque) :",
            "Not checked (neither valid nor invalid: what defines it is missing):",
        );
        put(&mut self.out, self.paint.of(Colour::Bold, head));
        for (what, (files, times)) in std::mem::take(&mut self.not_checked) {
            let count = format!(
                "{times} × {} {files} {}",
                self.pick("dans", "in"),
                plural(files, self.pick("fichier", "file"))
            );
            put(&mut self.out, format!("  {what}  {}", self.paint.of(Colour::Faint, count)));
        }
    }
}

impl Report for Text {
    fn add(&mut self, checked: &Checked) {
        let verdict = checked.verdict(self.fail_on);
        self.files[verdict as usize] += 1;
        match &checked.outcome {
            Outcome::Judged(judged) => self.judged(checked, judged, verdict),
            Outcome::Unusable { why, mend } => {
                let file = self.paint.of(Colour::Bold, clean(&checked.file));
                let head = format!("{} {file}  {}", self.paint.of(Colour::Red, "✗"), why.get(self.lang));
                self.head(head, true);
                self.row(self.pick("remède", "mend"), mend.get(self.lang));
            }
        }
        let _ = self.out.flush();
    }

    fn end(&mut self) {
        self.unchecked();
        self.summary();
        let _ = self.out.flush();
    }
}

/// Findings that say the same thing by the same rule, in the order of the first of each; errors first.
fn groups(findings: &[Spotted]) -> Vec<Vec<&Spotted>> {
    let mut groups: Vec<Vec<&Spotted>> = Vec::new();
    let mut known: BTreeMap<(Severity, &str, String), usize> = BTreeMap::new();
    for spotted in findings {
        let Finding { severity, message, rule, .. } = &spotted.finding;
        let key = (*severity, &*message.fr, rule.to_string());
        let at = *known.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(spotted);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.first().map(|spotted| spotted.finding.severity)));
    groups
}

/// A document must not drive the terminal by what it is called or holds.
fn clean(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { '\u{fffd}' } else { sign }).collect()
}

fn plural(count: usize, word: &str) -> String {
    if count > 1 { format!("{word}s") } else { word.to_owned() }
}

fn duration(took: Duration) -> String {
    match took.as_millis() {
        millis @ 0..10_000 => format!("{millis} ms"),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}

#[derive(Clone, Copy)]
enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
    Bold,
    Faint,
}

/// Colours, or none.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn of(self, colour: Colour, text: impl Display) -> String {
        if !self.0 {
            return text.to_string();
        }
        let code = match colour {
            Colour::Red => 31,
            Colour::Green => 32,
            Colour::Yellow => 33,
            Colour::Blue => 34,
            Colour::Bold => 1,
            Colour::Faint => 2,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
