//! Running a schema on a document.

use std::borrow::Cow;

use super::matching::Matcher;
use super::model::{BodyStep, Check, ExprId, Piece, Role, Schematron};
use super::source::collapse;
use super::values::{Seen, Values};
use crate::arena::{Arena, Kind, NodeRef};
use crate::xpath::{Code, Evaluation, Focus, Item, RULES_BUDGET, SyntaxError, XPathError};

/// The document was built before the rules were loaded: it does not know their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the document was built before the rules were loaded")]
pub struct Stale;

/// What a schema says of a document.
#[derive(Debug)]
pub struct Outcome<'a> {
    pub(super) schema: &'a Schematron,
    /// Rules that fired, pattern by pattern, in document order.
    pub fired: Vec<Fired<'a>>,
    /// Assertions that do not hold and reports that do, in the order of `fired`.
    pub failures: Vec<Failure<'a>>,
    /// What could not be checked, and why. Never to be shown as a success.
    pub unchecked: Vec<Unchecked<'a>>,
}

/// A rule on a node.
#[derive(Debug, Clone, Copy)]
pub struct Fired<'a> {
    pub(super) pattern: u32,
    pub(super) rule: u32,
    /// The node.
    pub node: NodeRef<'a>,
}

/// An assertion that does not hold, or a report that does.
#[derive(Debug, Clone)]
pub struct Failure<'a> {
    /// The place in [`Outcome::fired`] of the rule.
    pub fired: usize,
    pub(super) check: u32,
    /// The node.
    pub node: NodeRef<'a>,
    /// The path of names, as the reference implementation prints it.
    pub location: String,
    /// The message, white space collapsed.
    pub text: String,
    /// The messages of its diagnostics.
    pub diagnostics: Vec<String>,
}

/// A check or a rule that could not be run.
#[derive(Debug, Clone)]
pub struct Unchecked<'a> {
    pub(super) rule: u32,
    pub(super) check: Option<u32>,
    /// The node; the root when the rule itself could not be matched.
    pub node: NodeRef<'a>,
    /// Why.
    pub reason: Reason,
}

/// Why something could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The expression was not understood when the schema was read.
    Unread(SyntaxError),
    /// The expression could not be run to its end.
    Failed(XPathError),
}

impl Reason {
    /// The document of values that is missing, if that is the reason.
    #[must_use]
    pub fn missing_document(&self) -> Option<&str> {
        match self {
            Self::Failed(error) if error.code == Code::Document => error.document.as_deref(),
            _ => None,
        }
    }
}

impl<'a> Outcome<'a> {
    /// The schema that was run.
    #[must_use]
    pub fn schema(&self) -> &'a Schematron {
        self.schema
    }

    /// Everything was checked and nothing failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failures.is_empty() && self.unchecked.is_empty()
    }

    /// The id of a pattern that fired, empty when it has none.
    #[must_use]
    pub fn pattern_id(&self, fired: &Fired<'a>) -> &'a str {
        self.schema.patterns.get(fired.pattern as usize).map_or("", |pattern| &pattern.id)
    }

    /// The context of a rule that fired, white space collapsed.
    #[must_use]
    pub fn context(&self, fired: &Fired<'a>) -> &'a str {
        self.schema.rules.get(fired.rule as usize).map_or("", |rule| &rule.context)
    }

    /// Is it a report that holds, rather than an assertion that does not?
    #[must_use]
    pub fn is_report(&self, failure: &Failure<'a>) -> bool {
        self.check(failure).is_some_and(|check| check.is_report)
    }

    /// The test of a failure, white space collapsed.
    #[must_use]
    pub fn test(&self, failure: &Failure<'a>) -> &'a str {
        self.check(failure).map_or("", |check| &check.test_text)
    }

    /// The rank that the schema gives: of the check, else of the rule, else an error for an assertion and a warning for a
    /// report.
    #[must_use]
    pub fn role(&self, failure: &Failure<'a>) -> Role {
        let rule = self.fired.get(failure.fired).and_then(|fired| self.schema.rules.get(fired.rule as usize));
        let written = self.check(failure).and_then(|check| check.role).or_else(|| rule.and_then(|rule| rule.role));
        written.unwrap_or(if self.is_report(failure) { Role::Warning } else { Role::Error })
    }

    pub(super) fn check(&self, failure: &Failure<'a>) -> Option<&'a Check> {
        self.schema.checks.get(failure.check as usize)
    }
}

pub(super) fn run<'a>(schema: &'a Schematron, arena: &'a Arena, values: &'a Values) -> Result<Outcome<'a>, Stale> {
    if !arena.knows(schema.generation) {
        return Err(Stale);
    }
    Ok(Run::new(schema, arena, Seen { values, from: schema.path() }).patterns())
}

struct Run<'a> {
    schema: &'a Schematron,
    arena: &'a Arena,
    evaluation: Evaluation<'a>,
    outcome: Outcome<'a>,
}

impl<'a> Run<'a> {
    fn new(schema: &'a Schematron, arena: &'a Arena, seen: Seen<'a>) -> Self {
        let evaluation = Evaluation::new(arena, &schema.regexes, Box::new(seen), schema.number.0, RULES_BUDGET);
        let readable = |&(variable, id): &(_, ExprId)| Some((variable, schema.expression(id).ok()?));
        evaluation.set_globals(schema.globals.iter().filter_map(readable));
        let outcome = Outcome { schema, fired: Vec::new(), failures: Vec::new(), unchecked: Vec::new() };
        Self { schema, arena, evaluation, outcome }
    }

    fn patterns(mut self) -> Outcome<'a> {
        let firing = self.firing();
        for fired in firing {
            self.rule(fired);
        }
        self.outcome
    }

    /// In each pattern, a node fires the first rule that chooses it.
    fn firing(&mut self) -> Vec<Fired<'a>> {
        let schema = self.schema;
        let mut fired = Vec::new();
        let mut unchecked = Vec::new();
        let mut taken = vec![u32::MAX; self.arena.len()];
        let mut matcher = Matcher::new(schema, self.arena, &self.evaluation);
        for (number, pattern) in (0_u32..).zip(&schema.patterns) {
            let start = fired.len();
            for rule in pattern.first_rule..pattern.end_rule {
                let alternatives = match &schema.rules[rule as usize].alternatives {
                    Ok(alternatives) => alternatives,
                    Err(error) => {
                        unchecked.push((rule, Reason::Unread(*error)));
                        continue;
                    }
                };
                for &alternative in alternatives {
                    match matcher.nodes(alternative) {
                        Err(error) => unchecked.push((rule, Reason::Failed(error))),
                        Ok(nodes) => {
                            for &at in nodes.iter().filter(|&&at| self.is_visited(at)) {
                                if std::mem::replace(&mut taken[at as usize], number) != number {
                                    fired.push(Fired { pattern: number, rule, node: self.arena.node(at) });
                                }
                            }
                        }
                    }
                }
            }
            fired[start..].sort_by_key(|fired| fired.node.at);
        }
        let node = self.arena.root();
        self.outcome.unchecked =
            unchecked.into_iter().map(|(rule, reason)| Unchecked { rule, check: None, node, reason }).collect();
        fired
    }

    /// The reference implementation goes through the root, elements, comments and instructions, never texts.
    fn is_visited(&self, at: u32) -> bool {
        self.arena.node(at).kind() != Some(Kind::Text)
    }

    fn rule(&mut self, fired: Fired<'a>) {
        self.outcome.fired.push(fired);
        self.evaluation.start_rule(fired.node);
        let item = Item::Node(fired.node);
        for step in &self.schema.rules[fired.rule as usize].body {
            match *step {
                // A variable that cannot be read is unknown: the checks that ask for it say so.
                BodyStep::Let(variable, id) => {
                    if let Ok(expr) = self.schema.expression(id) {
                        self.evaluation.declare(variable, expr);
                    }
                }
                BodyStep::Check(check) => self.check(check, fired, Focus::on(&item)),
            }
        }
    }

    fn check(&mut self, number: u32, fired: Fired<'a>, focus: Focus<'_, 'a>) {
        let check = &self.schema.checks[number as usize];
        let answer = match self.schema.expression(check.test) {
            Ok(expr) => self.evaluation.truth(expr, focus).map_err(Reason::Failed),
            Err(error) => Err(Reason::Unread(error)),
        };
        match answer {
            Ok(holds) if holds == check.is_report => self.fail(number, check, fired, focus),
            Ok(_) => {}
            Err(reason) => {
                let unchecked = Unchecked { rule: fired.rule, check: Some(number), node: fired.node, reason };
                self.outcome.unchecked.push(unchecked);
            }
        }
    }

    fn fail(&mut self, number: u32, check: &'a Check, fired: Fired<'a>, focus: Focus<'_, 'a>) {
        let message = |pieces: &'a [Piece]| collapse(&self.message(pieces, focus));
        let diagnostics = check.diagnostics.iter().filter_map(|&at| self.schema.diagnostics.get(at as usize));
        let failure = Failure {
            fired: self.outcome.fired.len() - 1,
            check: number,
            node: fired.node,
            location: fired.node.location(),
            text: message(&check.message),
            diagnostics: diagnostics.map(|diagnostic| message(&diagnostic.message)).collect(),
        };
        self.outcome.failures.push(failure);
    }

    /// A part that cannot be evaluated is shown as such: the failure itself is certain.
    fn message(&self, pieces: &'a [Piece], focus: Focus<'_, 'a>) -> String {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Name => text.push_str(focus_name(focus)),
                Piece::ValueOf(id) => text.push_str(&self.values(*id, focus, value_text).unwrap_or("[?]".into())),
                Piece::NameOf(id) => text.push_str(&self.values(*id, focus, name_text).unwrap_or("[?]".into())),
            }
        }
        text
    }

    /// The items of an expression, one space between (XSLT 2.0 §11.3).
    fn values(&self, id: ExprId, focus: Focus<'_, 'a>, text: fn(Item<'a>) -> Cow<'a, str>) -> Option<Cow<'a, str>> {
        let items = self.evaluation.items(self.schema.expression(id).ok()?, focus).ok()?;
        let mut parts: Vec<Cow<'a, str>> = items.into_iter().map(text).collect();
        match parts.len() {
            1 => parts.pop(),
            _ => Some(parts.join(" ").into()),
        }
    }
}

fn focus_name<'a>(focus: Focus<'_, 'a>) -> &'a str {
    match focus.item() {
        Item::Node(node) => node.name(),
        _ => "",
    }
}

fn value_text(item: Item<'_>) -> Cow<'_, str> {
    item.into_string()
}

fn name_text(item: Item<'_>) -> Cow<'_, str> {
    match item {
        Item::Node(node) => Cow::Borrowed(node.name()),
        other => other.into_string(),
    }
}
