//! How this crate gathers what it finds: all of it, not the first, and never without bound.

use std::fmt;

use socle_finding::{Finding, Location, Rule, Severity, Text};
use socle_xml::roxmltree::Node;

/// The place of an element.
pub(crate) fn at(node: Node<'_, '_>) -> Location {
    let (line, column) = position(node.document().input_text(), node.range().start);
    Location { path: path_of(node), line: Some(line), column: Some(column) }
}

/// Line and column, from 1; a document may have a finding in every line, so counting must be cheap.
fn position(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |at| at + 1);
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// The place where `child` should have been in `parent`.
pub(crate) fn missing_in(parent: Node<'_, '_>, child: &str) -> Location {
    let place = at(parent);
    Location { path: format!("{}/{child}", place.path), ..place }
}

/// Names from the ClinicalDocument (or the root), with a rank where siblings share a name.
fn path_of(node: Node<'_, '_>) -> String {
    let mut steps: Vec<String> = Vec::new();
    let mut current = Some(node);
    while let Some(element) = current {
        let name = element.tag_name().name();
        let is_document = name == "ClinicalDocument";
        steps.push(if is_document { name.to_owned() } else { step_of(element) });
        if is_document {
            break;
        }
        current = element.parent_element();
    }
    steps.reverse();
    steps.join("/")
}

fn step_of(element: Node<'_, '_>) -> String {
    let name = element.tag_name();
    let same = |n: &Node<'_, '_>| n.is_element() && n.tag_name() == name;
    let before = element.prev_siblings().skip(1).filter(same).count();
    let after = element.next_siblings().skip(1).any(|n| same(&n));
    if before == 0 && !after {
        return name.name().to_owned();
    }
    format!("{}[{}]", name.name(), before + 1)
}

/// A list of findings that stays bounded whatever the input.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// A document with more faults than this is broken as a whole: the rest would teach nothing.
    const MOST: usize = 200;

    pub(crate) fn add(&mut self, severity: Severity, rule: Rule, at: Location, message: Text, mend: Text) {
        if self.0.len() < Self::MOST {
            self.0.push(Finding { severity, rule, at, message, mend });
        } else if severity == Severity::Error && !self.has_error() {
            self.0.pop();
            self.0.push(Finding { severity, rule, at, message, mend });
        }
    }

    pub(crate) fn error(&mut self, rule: Rule, at: Location, message: Text, mend: Text) {
        self.add(Severity::Error, rule, at, message, mend);
    }

    pub(crate) fn warning(&mut self, rule: Rule, at: Location, message: Text, mend: Text) {
        self.add(Severity::Warning, rule, at, message, mend);
    }

    pub(crate) fn has_error(&self) -> bool {
        socle_finding::any_error(&self.0)
    }

    /// Information: worth knowing, nothing to be done at once.
    pub(crate) fn note(&mut self, rule: Rule, at: Location, message: Text, mend: Text) {
        self.add(Severity::Information, rule, at, message, mend);
    }

    /// Has something been said of this very place?
    pub(crate) fn has_at(&self, place: &Location) -> bool {
        self.0.iter().any(|finding| finding.at.line == place.line && finding.at.column == place.column)
    }

    pub(crate) fn extend(&mut self, other: impl IntoIterator<Item = Finding>) {
        for f in other {
            self.add(f.severity, f.rule, f.at, f.message, f.mend);
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Finding> {
        self.0
    }

    /// The value when it could be built and nothing is an error, else all that was found.
    pub(crate) fn conclude<T>(self, value: Option<T>) -> Result<Checked<T>, Refused> {
        match value {
            Some(value) if !self.has_error() => Ok(Checked { value, warnings: self.0 }),
            _ => Err(Refused { findings: self.0 }),
        }
    }
}

/// A value that was read, and what was odd about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<T> {
    /// The value.
    pub value: T,
    /// Only warnings.
    pub warnings: Vec<Finding>,
}

/// Why a value was not read: at least one finding is an error; the warnings come along.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refused {
    /// In the order of the input.
    pub findings: Vec<Finding>,
}

impl Refused {
    /// Those that are errors.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_error())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut errors = self.errors();
        match errors.next() {
            None => f.write_str("refused"),
            Some(first) => {
                write!(f, "{} at {} [{}]", first.message.en, first.at.path, first.rule)?;
                match errors.count() {
                    0 => Ok(()),
                    more => write!(f, " (and {more} more)"),
                }
            }
        }
    }
}
