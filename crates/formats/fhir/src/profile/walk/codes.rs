//! Codes against the value sets that they are bound to, and against their own systems.

use std::collections::HashSet;

use socle_finding::{Rule, Severity, Text};

use super::Walk;
use super::say::{both, r4, rule_of};
use crate::definitions::{Binding, Derivation, Strength};
use crate::profile::program::{Code, Program, TypeSpec};
use crate::profile::report::Subject;
use crate::tape::{Kind, Node};
use crate::terminology::{Content, Membership};

/// A display is one of its code (FHIR R4 §4.1, Coding.display).
const DISPLAY: Rule = r4("Coding.display");

impl<'d> Walk<'_, 'd> {
    pub(super) fn binding(&mut self, node: Node<'d>, program: &Program, binding: &Binding, of: Option<&TypeSpec>) {
        if binding.strength == Strength::Example && binding.max_value_set.is_none() {
            return;
        }
        let name = of.map_or("", |of| &*of.name);
        let Some(value_set) = binding.value_set.as_deref() else { return };
        let is_coded = matches!(name, "Coding" | "CodeableConcept" | "Quantity")
            || of.is_some_and(|of| matches!(of.code, Code::Primitive(_)))
            || matches!(name, "Age" | "Duration" | "Count" | "Distance" | "Money" | "SimpleQuantity" | "MoneyQuantity");
        if !is_coded {
            return;
        }
        match self.is_in(value_set, node) {
            Answer::Inside => self.displays_of(value_set, node),
            Answer::NoCode => {}
            Answer::Unknown => self.not_checked(Subject::ValueSet, value_set, node),
            Answer::Empty => {
                if binding.strength == Strength::Required {
                    self.uncoded(node, program, value_set);
                }
            }
            Answer::Outside => {
                let severity = match binding.strength {
                    Strength::Required => Some(Severity::Error),
                    Strength::Extensible => Some(Severity::Warning),
                    Strength::Preferred => Some(Severity::Information),
                    Strength::Example => None,
                };
                if let Some(severity) = severity {
                    self.outside(node, program, severity, value_set, binding.strength);
                }
            }
        }
        if let Some(max) = binding.max_value_set.as_deref()
            && self.is_in(max, node) == Answer::Outside
        {
            self.outside(node, program, Severity::Error, max, Strength::Required);
        }
    }

    /// A profile says what stands here: for a code or a coding, what its concept is as well.
    pub(super) fn governed(&mut self, node: Node<'d>) {
        if self.quiet > 0 || self.advice.is_empty() {
            return;
        }
        let mut here = Some(node);
        while let Some(node) = here {
            self.governed.insert(node.index());
            let is_part = node.name().is_none_or(|name| matches!(name, "coding" | "code" | "system"));
            here = node.parent().filter(|_| is_part);
        }
    }

    /// Takes back what a profile overruled. What R4 advises of a code is not told where a profile asks for
    /// another: FR Core has its own types of identifiers, and who follows it would be warned of each.
    pub(in crate::profile) fn drop_overruled(&mut self) {
        let advice = self.advice.iter().filter(|(_, node)| self.governed.contains(node)).map(|(at, _)| *at);
        let overruled: HashSet<usize> = advice.chain(self.right_displays.iter().copied()).collect();
        let mut at = 0;
        self.findings.retain(|_| {
            at += 1;
            !overruled.contains(&(at - 1))
        });
    }

    /// A value set gives displays of its own (ValueSet.compose.include.concept.display, expansion.contains.display
    /// and their designations): one of those, where the profile binds that value set, is right.
    fn displays_of(&mut self, value_set: &str, node: Node<'d>) {
        if self.wrong_displays.is_empty() || self.quiet > 0 {
            return;
        }
        let codings = node.get("coding").map_or_else(|| vec![node], |codings| codings.items().collect());
        for coding in codings {
            let (Some(display_node), Some(code)) = (coding.get("display"), coding.text("code")) else { continue };
            let Some(at) = self.wrong_displays.iter().position(|(_, wrong)| *wrong == display_node) else { continue };
            let display = display_node.str().unwrap_or_default();
            let set = self.terms.set(value_set);
            if set.is_ok_and(|set| set.gives_display(coding.text("system"), code, display)) {
                let (finding, _) = self.wrong_displays.swap_remove(at);
                self.right_displays.push(finding);
            }
        }
    }

    fn outside(&mut self, node: Node<'d>, program: &Program, severity: Severity, value_set: &str, strength: Strength) {
        let (fr, en) = match strength {
            Strength::Required => ("obligatoire", "required"),
            Strength::Extensible => ("extensible", "extensible"),
            Strength::Preferred => ("conseillé", "preferred"),
            Strength::Example => ("donné en exemple", "an example"),
        };
        let before = self.findings.len();
        self.say(
            severity,
            node,
            rule_of(program, format!("binding {value_set}")),
            both(
                format!("le code n'est pas dans le jeu de valeurs {value_set} ({fr})"),
                format!("the code is not in the value set {value_set} ({en})"),
            ),
            both(
                format!("choisissez un code de {value_set}, avec son système"),
                format!("choose a code of {value_set}, with its system"),
            ),
        );
        let is_advice = strength != Strength::Required && program.structure.derivation != Some(Derivation::Constraint);
        if is_advice && self.findings.len() > before {
            self.advice.push((before, node.index()));
        }
    }

    /// A required binding wants a code: a concept of text alone does not do (FHIR R4 §4.1.5).
    fn uncoded(&mut self, node: Node<'d>, program: &Program, value_set: &str) {
        self.error(
            node,
            rule_of(program, format!("binding {value_set}")),
            both(
                format!("aucun code, et le jeu de valeurs {value_set} est obligatoire : un texte seul ne suffit pas"),
                format!("there is no code, and the value set {value_set} is required: text alone will not do"),
            ),
            both(
                format!("ajoutez un code de {value_set}, avec son système"),
                format!("add a code of {value_set}, with its system"),
            ),
        );
    }

    /// Whether what is coded there is in the value set: for a CodeableConcept, one of its codings.
    pub(super) fn is_in(&self, value_set: &str, node: Node<'d>) -> Answer {
        let ask = |system: Option<&str>, code: &str| match self.terms.member(value_set, system, code, None) {
            Membership::Yes | Membership::WrongDisplay => Answer::Inside,
            Membership::No => Answer::Outside,
            Membership::Unknown(_) => Answer::Unknown,
        };
        if let Some(code) = node.str() {
            return ask(None, code);
        }
        if node.kind() != Kind::Object {
            return Answer::NoCode;
        }
        if let Some(codings) = node.get("coding") {
            let mut answer = Answer::Empty;
            for coding in codings.items() {
                let Some(code) = coding.text("code") else { continue };
                match ask(coding.text("system"), code) {
                    Answer::Inside => return Answer::Inside,
                    Answer::Unknown => answer = Answer::Unknown,
                    _ if answer != Answer::Unknown => answer = Answer::Outside,
                    _ => {}
                }
            }
            return answer;
        }
        match node.text("code") {
            Some(code) => ask(node.text("system"), code),
            // A concept with text alone, or with data-absent-reason, names no code.
            None if node.get("extension").is_some() => Answer::NoCode,
            None => Answer::Empty,
        }
    }

    /// A coding against its own system.
    pub(super) fn coding(&mut self, node: Node<'d>) {
        let Some(system_node) = node.get("system") else { return };
        let Some(system) = system_node.str() else { return };
        if !self.is_absolute(system_node, system) {
            return;
        }
        // Nobody can say what a URL of example.org is.
        let is_let_pass = self.options.example_urls && super::extensions::is_example(system);
        if system.contains("/ValueSet/") && !is_let_pass {
            self.error(
                system_node,
                r4("2.24.0.3"),
                Text::fixed(
                    "ce système est un jeu de valeurs, pas un système de codes",
                    "this system is a value set, not a code system",
                ),
                Text::fixed("mettez l'URL du système de codes", "put the URL of the code system"),
            );
            return;
        }
        let Some(code_node) = node.get("code") else { return };
        let Some(code) = code_node.str() else { return };
        let Some(known) = self.terms.code_system(system, node.text("version")) else { return };
        let Some(concept) = known.find(code) else {
            if known.content() == Content::Complete {
                let severity = self.options.unknown_code;
                self.say(
                    severity,
                    code_node,
                    r4("4.1"),
                    both(
                        format!("le système {system} n'a pas ce code"),
                        format!("the system {system} has no such code"),
                    ),
                    Text::fixed("vérifiez le code et le système", "check the code and the system"),
                );
            }
            return;
        };
        if let Some(display_node) = node.get("display")
            && let Some(display) = display_node.str()
            && known.is_named(concept, display) == Some(false)
        {
            let severity = self.options.wrong_display;
            let before = self.findings.len();
            self.say(
                severity,
                display_node,
                DISPLAY,
                Text::fixed(
                    "ce libellé n'est pas celui du code dans son système",
                    "this display is not that of the code in its system",
                ),
                Text::fixed(
                    "mettez le libellé du système, ou retirez-le",
                    "put the display of the system, or remove it",
                ),
            );
            if self.findings.len() > before {
                self.wrong_displays.push((before, display_node));
            }
        }
    }

    /// A system is an absolute URI.
    pub(super) fn is_absolute(&mut self, node: Node<'d>, system: &str) -> bool {
        let absolute = system.contains(':');
        if !absolute {
            self.error(
                node,
                r4("2.24.0.3"),
                Text::fixed("le système n'est pas une URI absolue", "the system is no absolute URI"),
                Text::fixed(
                    "écrivez l'URI entière : https://…, urn:oid:… ou urn:uuid:…",
                    "write the whole URI: https://…, urn:oid:… or urn:uuid:…",
                ),
            );
        }
        absolute
    }
}

/// Where a coded value stands to a value set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Inside,
    Outside,
    /// Nobody can say.
    Unknown,
    /// A concept without any code.
    Empty,
    /// Nothing that could be coded.
    NoCode,
}
