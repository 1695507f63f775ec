//! A tree of elements to a schema: the phase, abstract patterns and rules, then expressions.

use std::collections::{HashMap, HashSet};

use super::model::{
    BodyStep, Check, Defect, DefectKind, Diagnostic, ExprId, Number, Pattern, Piece, Role, Rule, Schematron, TrieId,
    TrieStep,
};
use super::source::{Content, Element, Source, collapse};
use crate::arena::{Names, Strings};
use crate::xpath::ast::{Axis, AxisStep, Expr, Path, SetOperator, Start, Step, Test, Variable};
use crate::xpath::parse::{Scope, parse};
use crate::xpath::{Pattern as Regex, Patterns, SyntaxError};

/// `extends` inside `extends`.
const EXTENDS: usize = 16;
/// Checks of one schema after `extends`.
const CHECKS: usize = 2_000_000;
/// Bytes of all the instances of abstract patterns.
const INSTANCES: usize = 256 << 20;

pub(super) fn compile(source: &Source, path: &str, names: &Names) -> Schematron {
    let schema = &source.schema;
    let active = active_patterns(schema);
    let mut compiler = Compiler::new(schema, names, source.defects.clone());
    compiler.diagnostics(schema);
    for declared in schema.named("let") {
        compiler.global(declared);
    }
    for pattern in schema.named("pattern") {
        let is_active = active.as_ref().is_none_or(|ids| pattern.get("id").is_some_and(|id| ids.contains(id)));
        if is_active && pattern.get("abstract") != Some("true") {
            compiler.pattern(pattern);
        }
    }
    compiler.unknown_variables();
    let parts = compiler;
    Schematron {
        path: path.into(),
        title: schema.named("title").next().map(Element::text).unwrap_or_default().into(),
        version: schema.get("schemaVersion").unwrap_or_default().into(),
        phase: schema.get("defaultPhase").map(Into::into),
        namespaces: parts.prefixes.iter().map(|(prefix, uri)| (prefix.as_str().into(), uri.as_str().into())).collect(),
        patterns: parts.patterns,
        rules: parts.rules,
        checks: parts.checks,
        diagnostics: parts.diagnostics,
        globals: parts.globals,
        expressions: parts.expressions,
        regexes: Patterns::new(parts.regexes.into_iter().map(|(pattern, flags)| Regex::new(pattern, flags)).collect()),
        trie: parts.trie,
        defects: parts.defects,
        generation: names.generation(),
        number: Number::next(),
    }
}

/// The ids that the default phase activates; `None` is all.
fn active_patterns(schema: &Element) -> Option<HashSet<&str>> {
    let phase = schema.get("defaultPhase").filter(|&phase| phase != "#ALL")?;
    let chosen = schema.named("phase").filter(|element| element.get("id") == Some(phase));
    Some(chosen.flat_map(|element| element.named("active")).filter_map(|active| active.get("pattern")).collect())
}

struct Compiler<'s> {
    schema: &'s Element,
    names: &'s Names,
    prefixes: HashMap<String, String>,
    abstract_rules: HashMap<&'s str, &'s Element>,
    diagnostic_ids: HashMap<&'s str, u32>,
    variables: Strings,
    regexes: Vec<(Box<str>, Box<str>)>,
    known: HashMap<String, ExprId>,
    expressions: Vec<Result<Expr, SyntaxError>>,
    /// Bodies of abstract rules, read once.
    bodies: HashMap<&'s str, Vec<BodyStep>>,
    patterns: Vec<Pattern>,
    rules: Vec<Rule>,
    checks: Vec<Check>,
    diagnostics: Vec<Diagnostic>,
    globals: Vec<(Variable, ExprId)>,
    trie: Vec<TrieStep>,
    below: HashMap<TrieId, Vec<TrieId>>,
    defects: Vec<Defect>,
    flattened: usize,
    instances: usize,
}

impl<'s> Compiler<'s> {
    fn new(schema: &'s Element, names: &'s Names, defects: Vec<Defect>) -> Self {
        let prefixes = schema
            .named("ns")
            .filter_map(|ns| Some((ns.get("prefix")?.trim().to_owned(), ns.get("uri")?.to_owned())))
            .collect();
        let is_abstract = |rule: &&Element| rule.get("abstract") == Some("true");
        let mut abstract_rules = HashMap::new();
        for rule in schema.named("pattern").flat_map(|pattern| pattern.named("rule")).filter(is_abstract) {
            if let Some(id) = rule.get("id") {
                abstract_rules.entry(id).or_insert(rule);
            }
        }
        let root =
            AxisStep { axis: Axis::Itself, test: Test::Node, predicates: Vec::new(), lookup: None, template: None };
        Self {
            schema,
            names,
            prefixes,
            abstract_rules,
            diagnostic_ids: HashMap::new(),
            variables: Strings::default(),
            regexes: Vec::new(),
            known: HashMap::new(),
            expressions: Vec::new(),
            bodies: HashMap::new(),
            patterns: Vec::new(),
            rules: Vec::new(),
            checks: Vec::new(),
            diagnostics: Vec::new(),
            globals: Vec::new(),
            trie: vec![TrieStep { parent: TrieId(0), step: root, template: None }],
            below: HashMap::new(),
            defects,
            flattened: 0,
            instances: 0,
        }
    }

    fn defect(&mut self, kind: DefectKind, place: impl Into<String>) {
        self.defects.push(Defect { kind, place: place.into() });
    }

    fn diagnostics(&mut self, schema: &'s Element) {
        for diagnostic in schema.named("diagnostics").flat_map(|all| all.named("diagnostic")) {
            let Some(id) = diagnostic.get("id") else { continue };
            self.diagnostic_ids.insert(id, index(self.diagnostics.len()));
            let message = self.message(diagnostic);
            self.diagnostics.push(Diagnostic { id: id.into(), message });
        }
    }

    fn global(&mut self, declared: &Element) {
        if let Some((variable, value)) = self.declaration(declared) {
            self.globals.push((variable, value));
        }
    }

    /// A name may carry blanks: published files have some.
    fn declaration(&mut self, declared: &Element) -> Option<(Variable, ExprId)> {
        let Some(value) = declared.get("value") else {
            self.defect(DefectKind::Unsupported, "let without value");
            return None;
        };
        let name = declared.get("name").unwrap_or_default().trim();
        let variable = Variable(self.variables.intern(name));
        Some((variable, self.expression(value, &format!("let {name}"))))
    }

    fn pattern(&mut self, pattern: &'s Element) {
        let id = pattern.get("id").unwrap_or_default();
        match pattern.get("is-a") {
            None => self.rules_of(pattern, id, Origin::Written),
            Some(name) => {
                let found = self
                    .schema
                    .named("pattern")
                    .find(|known| known.get("abstract") == Some("true") && known.get("id") == Some(name));
                let Some(found) = found else {
                    return self.defect(DefectKind::UnknownAbstract, format!("pattern {id}: is-a {name}"));
                };
                let instance = instance(found, &parameters(pattern));
                self.instances += size(&instance);
                if self.instances > INSTANCES {
                    return self.defect(DefectKind::TooMany { what: "instances" }, format!("pattern {id}"));
                }
                self.rules_of(&instance, id, Origin::Instance);
            }
        }
    }

    /// A pattern's variables are seen by the whole schema, as the XSLT skeleton has it.
    fn rules_of<'e>(&mut self, pattern: &'e Element, id: &str, origin: Origin)
    where
        's: 'e,
    {
        for declared in pattern.named("let") {
            self.global(declared);
        }
        let first_rule = index(self.rules.len());
        let name = pattern.named("title").next().map(Element::text).unwrap_or_default();
        for rule in pattern.named("rule").filter(|rule| rule.get("abstract") != Some("true")) {
            self.rule(rule, pattern, id, origin);
        }
        let end_rule = index(self.rules.len());
        self.patterns.push(Pattern { id: id.into(), name: name.into(), first_rule, end_rule });
    }

    fn rule(&mut self, rule: &Element, pattern: &Element, pattern_id: &str, origin: Origin) {
        let context = collapse(rule.get("context").unwrap_or_default());
        let alternatives = self.alternatives(rule.get("context").unwrap_or_default());
        let place = format!("pattern {pattern_id}: rule {context}");
        match &alternatives {
            Err(error) => self.defect(DefectKind::Expression(*error), &place),
            Ok(none) if none.is_empty() => self.defect(DefectKind::NeverFires, &place),
            Ok(_) => {}
        }
        let mut body = Vec::new();
        self.body(rule, pattern, origin, &mut Vec::new(), &mut body);
        self.flattened += body.len();
        if self.flattened > CHECKS {
            body.clear();
            self.defect(DefectKind::TooMany { what: "checks" }, place);
        }
        self.rules.push(Rule {
            context: context.into(),
            id: rule.get("id").unwrap_or_default().into(),
            role: rule.get("role").and_then(Role::read),
            alternatives,
            body,
        });
    }

    fn body(
        &mut self,
        rule: &Element,
        pattern: &Element,
        origin: Origin,
        open: &mut Vec<String>,
        body: &mut Vec<BodyStep>,
    ) {
        for element in rule.elements() {
            match &*element.name {
                "let" => {
                    if let Some((variable, value)) = self.declaration(element) {
                        body.push(BodyStep::Let(variable, value));
                    }
                }
                "assert" | "report" => {
                    let check = self.check(element);
                    body.push(BodyStep::Check(check));
                }
                "extends" => self.extend(element, pattern, origin, open, body),
                _ => {}
            }
        }
    }

    /// An abstract rule of the same pattern first: an instance has its own. Then of the whole schema.
    fn extend(
        &mut self,
        extends: &Element,
        pattern: &Element,
        origin: Origin,
        open: &mut Vec<String>,
        body: &mut Vec<BodyStep>,
    ) {
        let Some(id) = extends.get("rule") else {
            return self.defect(DefectKind::Unsupported, "extends without rule");
        };
        if open.iter().any(|known| known == id) || open.len() >= EXTENDS {
            return self.defect(DefectKind::CyclicExtends, format!("extends {id}"));
        }
        let own = |rule: &&Element| rule.get("abstract") == Some("true") && rule.get("id") == Some(id);
        if origin == Origin::Instance
            && let Some(rule) = pattern.named("rule").find(own)
        {
            open.push(id.to_owned());
            self.body(rule, pattern, origin, open, body);
            open.pop();
            return;
        }
        let Some((&key, &rule)) = self.abstract_rules.get_key_value(id) else {
            return self.defect(DefectKind::UnknownAbstract, format!("extends {id}"));
        };
        if let Some(known) = self.bodies.get(key) {
            return body.extend(known);
        }
        let mut extended = Vec::new();
        open.push(id.to_owned());
        self.body(rule, rule, Origin::Written, open, &mut extended);
        open.pop();
        if self.flattened + extended.len() <= CHECKS {
            body.extend(&extended);
        }
        self.bodies.insert(key, extended);
    }

    fn check(&mut self, element: &Element) -> u32 {
        let test_text = collapse(element.get("test").unwrap_or_default());
        let test = self.expression(element.get("test").unwrap_or_default(), &format!("test {test_text}"));
        let message = self.message(element);
        let named = element.get("diagnostics").unwrap_or_default().split_ascii_whitespace();
        let diagnostics = named.filter_map(|id| self.diagnostic_ids.get(id).copied()).collect();
        self.checks.push(Check {
            is_report: *element.name == *"report",
            test,
            test_text: test_text.into(),
            id: element.get("id").unwrap_or_default().into(),
            see: element.get("see").unwrap_or_default().into(),
            role: element.get("role").and_then(Role::read),
            message,
            diagnostics,
        });
        index(self.checks.len() - 1)
    }

    /// The reference implementation drops texts that are white space alone.
    fn message(&mut self, element: &Element) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut left: Vec<&Content> = element.content.iter().rev().collect();
        while let Some(content) = left.pop() {
            match content {
                Content::Text(text) if text.trim().is_empty() => {}
                Content::Text(text) => pieces.push(Piece::Text(text.clone())),
                Content::Element(inner) => match &*inner.name {
                    "value-of" => {
                        let select = inner.get("select").unwrap_or_default();
                        pieces.push(Piece::ValueOf(self.expression(select, "value-of")));
                    }
                    "name" => match inner.get("path") {
                        None => pieces.push(Piece::Name),
                        Some(path) => pieces.push(Piece::NameOf(self.expression(path, "name"))),
                    },
                    _ => left.extend(inner.content.iter().rev()),
                },
            }
        }
        pieces
    }

    fn expression(&mut self, text: &str, place: &str) -> ExprId {
        if let Some(&known) = self.known.get(text) {
            return known;
        }
        let read = self.parse(text);
        if let Err(error) = &read {
            self.defect(DefectKind::Expression(*error), place);
        }
        let id = ExprId(index(self.expressions.len()));
        self.expressions.push(read);
        self.known.insert(text.to_owned(), id);
        id
    }

    fn parse(&mut self, text: &str) -> Result<Expr, SyntaxError> {
        let mut scope = Scope {
            prefixes: &self.prefixes,
            names: self.names,
            variables: &mut self.variables,
            regexes: &mut self.regexes,
        };
        parse(text, &mut scope)
    }

    /// The steps of each alternative; none when the context can never be a visited node.
    fn alternatives(&mut self, context: &str) -> Result<Vec<TrieId>, SyntaxError> {
        let mut found = Vec::new();
        for path in union(self.parse(context)?) {
            let steps = pattern_steps(path)?;
            let never = steps.last().is_some_and(|step| step.axis == Axis::Attribute || step.test == Test::Text);
            if !never {
                found.push(steps.into_iter().fold(TrieId(0), |parent, step| self.trie_step(parent, step)));
            }
        }
        Ok(found)
    }

    fn trie_step(&mut self, parent: TrieId, step: AxisStep) -> TrieId {
        let below = self.below.entry(parent).or_default();
        if let Some(&known) = below.iter().find(|known| self.trie[known.0 as usize].step == step) {
            return known;
        }
        let id = TrieId(index(self.trie.len()));
        below.push(id);
        self.trie.push(TrieStep { parent, template: step.template, step });
        id
    }

    /// A variable that nothing declares is an error of each check that asks for it; said once, when loading.
    fn unknown_variables(&mut self) {
        let lets = self.rules.iter().flat_map(|rule| &rule.body).filter_map(|step| match step {
            BodyStep::Let(variable, _) => Some(*variable),
            BodyStep::Check(_) => None,
        });
        let declared: HashSet<Variable> = self.globals.iter().map(|(variable, _)| *variable).chain(lets).collect();
        let mut unknown = HashSet::new();
        for expr in self.expressions.iter().flatten() {
            crate::xpath::free_variables(expr, &mut |variable| {
                if !declared.contains(&variable) {
                    unknown.insert(variable);
                }
            });
        }
        let mut names: Vec<String> =
            unknown.into_iter().map(|variable| format!("${}", self.variables.at(variable.0))).collect();
        names.sort();
        for name in names {
            self.defect(DefectKind::UnknownVariable, name);
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Written,
    Instance,
}

fn index(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// Longest name first: one may begin with another.
fn parameters(pattern: &Element) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = pattern
        .named("param")
        .filter_map(|param| Some((format!("${}", param.get("name")?.trim()), param.get("value")?.to_owned())))
        .collect();
    found.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    found
}

/// A copy with the parameters put in, as text (ISO/IEC 19757-3 §6.3).
fn instance(element: &Element, parameters: &[(String, String)]) -> Element {
    let replaced = |name: &str, value: &str| -> Box<str> {
        if !matches!(name, "context" | "test" | "select" | "value" | "path") || !value.contains('$') {
            return value.into();
        }
        parameters.iter().fold(value.to_owned(), |text, (name, by)| text.replace(name.as_str(), by)).into()
    };
    Element {
        name: element.name.clone(),
        attributes: element.attributes.iter().map(|(name, value)| (name.clone(), replaced(name, value))).collect(),
        content: element
            .content
            .iter()
            .map(|content| match content {
                Content::Text(text) => Content::Text(text.clone()),
                Content::Element(inner) => Content::Element(instance(inner, parameters)),
            })
            .collect(),
    }
}

fn size(element: &Element) -> usize {
    let attributes: usize = element.attributes.iter().map(|(_, value)| value.len()).sum();
    attributes + element.elements().map(size).sum::<usize>()
}

/// The alternatives of a context.
fn union(expr: Expr) -> Vec<Expr> {
    let (mut left, mut found) = (vec![expr], Vec::new());
    while let Some(expr) = left.pop() {
        match expr {
            Expr::Set(SetOperator::Union, first, second) => left.extend([*second, *first]),
            other => found.push(other),
        }
    }
    found
}

/// A pattern of XSLT as steps down from the root: `a/b` may begin anywhere, `/a/b` at the root.
fn pattern_steps(expr: Expr) -> Result<Vec<AxisStep>, SyntaxError> {
    let refused = || SyntaxError { at: 0, what: "the context is not a pattern: steps down, '|' and predicates" };
    let Expr::Path(path) = expr else { return Err(refused()) };
    let Path { start, steps, .. } = *path;
    let from_root = match start {
        Start::Root => true,
        Start::Context => false,
        Start::Expr(_) => return Err(refused()),
    };
    let mut found = Vec::with_capacity(steps.len() + 1);
    for step in steps {
        match step {
            Step::Axis(step) if is_downward(step.axis) => found.push(step),
            _ => return Err(refused()),
        }
    }
    let Some(first) = found.first_mut().filter(|_| !from_root) else { return Ok(found) };
    if first.axis == Axis::Child && !first.is_positional() {
        first.axis = Axis::Descendant;
    } else if first.axis != Axis::Descendant {
        // The places that a predicate counts are among the children of one parent.
        let any = AxisStep {
            axis: Axis::DescendantOrSelf,
            test: Test::Node,
            predicates: Vec::new(),
            lookup: None,
            template: None,
        };
        found.insert(0, any);
    }
    Ok(found)
}

fn is_downward(axis: Axis) -> bool {
    matches!(axis, Axis::Child | Axis::Attribute | Axis::Descendant | Axis::DescendantOrSelf)
}
