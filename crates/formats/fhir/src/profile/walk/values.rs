//! Fixed values, patterns, lengths, what may stand for a value (FHIR R4 §5.1.0.6, §2.24).

use socle_finding::Text;

use super::say::{both, rule_of};
use super::{Item, Walk};
use crate::profile::program::{Program, Rare, Spec};
use crate::tape::{Kind, Node};

impl<'d> Walk<'_, 'd> {
    pub(super) fn rare(&mut self, item: Item<'d>, node: Node<'d>, program: &Program, spec: &Spec, rare: &Rare) {
        if let Some(fixed) = &rare.fixed
            && !item.value.is_some_and(|value| is_exactly(value, fixed.node()))
        {
            self.not_fixed(node, program, spec);
        }
        if let Some(pattern) = &rare.pattern
            && !item.value.is_some_and(|value| holds(value, pattern.node()))
        {
            self.not_pattern(node, program, spec);
        }
        let Some(value) = item.value.filter(|value| value.kind() != Kind::Null) else {
            self.without_value(item, node, program, spec, rare);
            return;
        };
        if !rare.narrative.is_empty() {
            self.narrative(value, program, spec, &rare.narrative);
        }
        if let Some(max) = rare.max_length
            && let Some(text) = value.str()
            && text.chars().count() > max as usize
        {
            self.error(
                value,
                rule_of(program, format!("{} maxLength", program.id(spec))),
                both(format!("le texte dépasse {max} caractères"), format!("the text is longer than {max} characters")),
                Text::fixed("raccourcissez-le", "shorten it"),
            );
        }
        self.range(value, program, spec, rare);
    }

    /// A primitive that has extensions alone (ElementDefinition `mustHaveValue`, `valueAlternatives`).
    fn without_value(&mut self, item: Item<'d>, node: Node<'d>, program: &Program, spec: &Spec, rare: &Rare) {
        let asked = &rare.without_value;
        let id = program.id(spec).to_owned();
        if asked.is_forbidden {
            self.error(
                node,
                rule_of(program, format!("{id} mustHaveValue")),
                both(
                    format!("le profil demande une valeur pour {id} : une extension ne la remplace pas"),
                    format!("the profile asks for a value of {id}: no extension stands for it"),
                ),
                Text::fixed("donnez la valeur", "give the value"),
            );
            return;
        }
        let stands = |url: &str| asked.alternatives.iter().any(|known| **known == *url);
        let has_one =
            item.extra.is_some_and(|extra| extra.all("extension").filter_map(|one| one.text("url")).any(stands));
        if asked.alternatives.is_empty() || has_one {
            return;
        }
        let names = asked.alternatives.join(", ");
        self.error(
            node,
            rule_of(program, format!("{id} valueAlternatives")),
            both(
                format!("{id} est sans valeur, et sans l'extension qui peut la remplacer : {names}"),
                format!("{id} has no value, and not the extension that may stand for it: {names}"),
            ),
            Text::fixed("donnez la valeur, ou cette extension", "give the value, or that extension"),
        );
    }

    fn not_fixed(&mut self, node: Node<'d>, program: &Program, spec: &Spec) {
        let id = program.id(spec).to_owned();
        self.error(
            node,
            rule_of(program, format!("{id} fixed")),
            both(
                format!("{id} n'a pas la valeur que le profil fixe"),
                format!("{id} has not the value that the profile fixes"),
            ),
            Text::fixed("mettez la valeur du profil", "put the value of the profile"),
        );
    }

    fn not_pattern(&mut self, node: Node<'d>, program: &Program, spec: &Spec) {
        let id = program.id(spec).to_owned();
        self.error(
            node,
            rule_of(program, format!("{id} pattern")),
            both(
                format!("{id} ne suit pas le motif du profil"),
                format!("{id} does not follow the pattern of the profile"),
            ),
            Text::fixed("ajoutez ce que le motif demande", "add what the pattern asks for"),
        );
    }
}

/// The same value, member for member; numbers by their text, since FHIR keeps precision.
pub(super) fn is_exactly(value: Node<'_>, fixed: Node<'_>) -> bool {
    if value.kind() != fixed.kind() {
        return false;
    }
    match value.kind() {
        Kind::Object => {
            value.members().count() == fixed.members().count()
                && fixed.members().all(|(name, want)| value.get(name).is_some_and(|have| is_exactly(have, want)))
        }
        Kind::Array => {
            value.items().count() == fixed.items().count()
                && value.items().zip(fixed.items()).all(|(have, want)| is_exactly(have, want))
        }
        Kind::String => value.str() == fixed.str(),
        _ => value.raw() == fixed.raw(),
    }
}

/// At least what the pattern says: its members, and for each of its items one that holds it.
pub(super) fn holds(value: Node<'_>, pattern: Node<'_>) -> bool {
    match (value.kind(), pattern.kind()) {
        (Kind::Object, Kind::Object) => {
            pattern.members().all(|(name, want)| value.get(name).is_some_and(|have| holds(have, want)))
        }
        (Kind::Array, Kind::Array) => pattern.items().all(|want| value.items().any(|have| holds(have, want))),
        _ => is_exactly(value, pattern),
    }
}
