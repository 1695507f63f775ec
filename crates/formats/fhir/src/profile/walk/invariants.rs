//! Invariants of an element, evaluated on its values.

use socle_finding::{Severity, Text};

use super::say::{both, rule_of};
use super::{Item, Walk};
use crate::definitions::{Constraint, TypeId};
use crate::fhirpath::{self, Environment, Hooks};
use crate::narrative;
use crate::profile::invariant::Invariant;
use crate::profile::library::{Followed, Library};
use crate::profile::native::Native;
use crate::profile::program::{Program, Spec};
use crate::profile::report::Subject;
use crate::profile::{BestPractice, Options, pdsm, words};
use crate::tape::Node;
use crate::terminology::{Membership, Terminology};

impl<'d> Walk<'_, 'd> {
    /// The invariants of an element on one of its values, which is of type `on`.
    pub(super) fn invariants(
        &mut self,
        item: Item<'d>,
        node: Node<'d>,
        program: &Program,
        spec: &Spec,
        on: Option<TypeId>,
    ) {
        for invariant in &spec.invariants {
            if item.value.is_some_and(|value| invariant.is_idle(value)) {
                continue;
            }
            let native = invariant.native.and_then(|native| self.native(native, item.value?));
            match native.or_else(|| self.evaluate(node, invariant, on)) {
                Some(true) => {}
                Some(false) => self.broken(node, program, spec, invariant),
                None => {
                    if let Some(constraint) = program.element(spec).constraints.get(invariant.constraint as usize) {
                        self.unwritten(node, program, &constraint.key);
                    }
                }
            }
        }
    }

    fn native(&mut self, native: Native, node: Node<'d>) -> Option<bool> {
        #[cfg(test)]
        if self.by_path {
            return None;
        }
        if native != Native::Pdsm(pdsm::Rule::ReplacedFollows) {
            return native.holds(node);
        }
        // What is not in the document is not looked at: its type is, as for any reference.
        let Some(replaced) = node.text("reference").and_then(|reference| self.resolve(reference, node)) else {
            return Some(true);
        };
        match self.library.follow(pdsm::DOCUMENT) {
            Followed::Profile(program) => Some(self.follows(replaced, &program)),
            _ => None,
        }
    }

    /// Whether it holds; none when it cannot be evaluated.
    fn evaluate(&self, node: Node<'d>, invariant: &Invariant, on: Option<TypeId>) -> Option<bool> {
        let path = invariant.path.as_ref()?;
        let focus = match on {
            Some(on) => fhirpath::Item::element(node, on),
            None => fhirpath::Item::resource(node)?,
        };
        let around = Around { library: self.library, terms: self.terms, options: self.options };
        let mut environment = Environment::new(&around).deciding();
        // An invariant of a bundle on the resource of an entry: `%resource` is the bundle.
        if let Some(resource) = self.resources.last()
            && *resource != node
            && node.resource_type().is_some()
            && let Some(resource) = fhirpath::Item::resource(*resource)
        {
            environment = environment.with_resource(resource.clone()).with_root_resource(resource);
        }
        if !invariant.is_denial {
            return path.holds(&focus, &environment).ok();
        }
        let found = path.evaluate(&focus, &environment).ok()?;
        Some(found.iter().all(|item| item.as_bool().unwrap_or(true)))
    }

    /// FHIRPath that says where an extension may stand: true, or nothing that can be said.
    pub(super) fn holds_here(&self, text: &str, holder: Node<'d>, on: Option<TypeId>) -> Option<bool> {
        let program = self.library.path(text, on)?;
        let focus = match on {
            Some(on) => fhirpath::Item::element(holder, on),
            None => fhirpath::Item::resource(holder)?,
        };
        let around = Around { library: self.library, terms: self.terms, options: self.options };
        program.holds(&focus, &Environment::new(&around)).ok()
    }

    /// Whether a FHIRPath on a resource gives that element; none when it cannot be evaluated.
    pub(super) fn selects(&self, text: &str, resource: Node<'d>, element: Node<'d>) -> Option<bool> {
        let program = self.library.path(text, None)?;
        let focus = fhirpath::Item::resource(resource)?;
        let around = Around { library: self.library, terms: self.terms, options: self.options };
        let found = program.evaluate(&focus, &Environment::new(&around)).ok()?;
        Some(found.iter().any(|item| item.node() == Some(element)))
    }

    fn broken(&mut self, node: Node<'d>, program: &Program, spec: &Spec, invariant: &Invariant) {
        let Some(constraint) = program.element(spec).constraints.get(invariant.constraint as usize) else { return };
        let severity = match (constraint.is_best_practice, constraint.is_error) {
            (true, _) => match self.options.best_practice {
                BestPractice::Ignored => return,
                BestPractice::Information => Severity::Information,
                BestPractice::Warning => Severity::Warning,
                BestPractice::Error => Severity::Error,
            },
            (false, true) => Severity::Error,
            (false, false) => Severity::Warning,
        };
        let worded = match invariant.native {
            Some(Native::Pdsm(rule)) => Some(rule),
            _ => None,
        };
        let severity = if worded.is_some_and(pdsm::Rule::is_advice) { Severity::Information } else { severity };
        if self.quiet > 0 {
            self.errors += usize::from(severity == Severity::Error);
            return;
        }
        let key = constraint.key.to_string();
        if let Some(rule) = worded {
            let (message, mend) = rule.say(node);
            return self.say(severity, node, rule_of(program, key), message, mend);
        }
        if let Some((message, mend)) = words::of(&key, expression_of(constraint)) {
            return self.say(severity, node, rule_of(program, key), message, mend);
        }
        let human = constraint.human.as_deref().unwrap_or_default();
        let expression = expression_of(constraint);
        let message = if human.is_empty() {
            both(format!("la règle {key} n'est pas respectée"), format!("the rule {key} does not hold"))
        } else {
            both(
                format!("la règle {key} n'est pas respectée : {human}"),
                format!("the rule {key} does not hold: {human}"),
            )
        };
        let mend = if expression.is_empty() {
            Text::fixed("suivez ce que la règle demande", "do what the rule asks")
        } else {
            both(format!("faites que ceci soit vrai ici : {expression}"), format!("make this true here: {expression}"))
        };
        self.say(severity, node, rule_of(program, key), message, mend);
    }

    pub(super) fn unwritten(&mut self, node: Node<'d>, program: &Program, key: &str) {
        let name = format!("{}#{key}", program.structure.url);
        self.not_checked(Subject::Invariant, &name, node);
    }
}

fn expression_of(constraint: &Constraint) -> &str {
    constraint.expression.as_deref().unwrap_or_default()
}

/// What FHIRPath asks of the world.
struct Around<'v> {
    library: &'v Library,
    terms: &'v Terminology,
    options: &'v Options,
}

impl Hooks for Around<'_> {
    fn member_of(&self, item: &fhirpath::Item<'_>, value_set: &str) -> Option<bool> {
        let ask = |system: Option<&str>, code: &str| match self.terms.member(value_set, system, code, None) {
            Membership::Yes | Membership::WrongDisplay => Some(true),
            Membership::No => Some(false),
            Membership::Unknown(_) => None,
        };
        let Some(node) = item.node() else { return ask(None, &item.as_text()?) };
        if let Some(code) = node.str() {
            return ask(None, code);
        }
        if let Some(code) = node.text("code") {
            return ask(node.text("system"), code);
        }
        let answers: Vec<_> =
            node.all("coding").filter_map(|coding| Some(ask(coding.text("system"), coding.text("code")?))).collect();
        if answers.contains(&Some(true)) {
            return Some(true);
        }
        if answers.contains(&None) { None } else { Some(false) }
    }

    fn conforms_to(&self, item: &fhirpath::Item<'_>, profile: &str) -> Option<bool> {
        let node = item.node()?;
        match self.library.follow(profile) {
            Followed::Type(ix) => Some(node.resource_type() == Some(self.library.name(ix))),
            Followed::Profile(program) => {
                let mut walk = Walk::new(self.library, self.terms, self.options, node.document());
                Some(walk.follows(node, &program))
            }
            Followed::Unknown => None,
        }
    }

    fn html_is_safe(&self, narrative: Node<'_>) -> Option<bool> {
        Some(narrative::check(narrative.str()?).is_empty())
    }
}
