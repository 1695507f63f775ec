//! Invariants of an element, evaluated on its values.

use socle_finding::{Severity, Text};

use super::say::{both, rule_of};
use super::{Item, Walk};
use crate::profile::BestPractice;
use crate::profile::invariant::{Check, Invariant};
use crate::profile::program::{Program, Spec};
use crate::tape::Node;

impl<'d> Walk<'_, 'd> {
    pub(super) fn invariants(&mut self, item: Item<'d>, node: Node<'d>, program: &Program, spec: &Spec) {
        for invariant in &spec.invariants {
            let holds = match &invariant.check {
                Check::Native(native) => item.value.and_then(|value| native.holds(value)),
            };
            if holds == Some(false) {
                self.broken(node, program, spec, invariant);
            }
        }
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
        let key = constraint.key.to_string();
        let human = constraint.human.as_deref().unwrap_or_default();
        let expression = constraint.expression.as_deref().unwrap_or_default();
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
}
