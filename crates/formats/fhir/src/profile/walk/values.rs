//! Fixed values, patterns, ranges (FHIR R4 §5.1.0.6, §2.24).

use std::cmp::Ordering;

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
        let Some(value) = item.value else { return };
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
        let low = rare.min_value.as_ref().is_some_and(|min| compare(value, min.node()) == Some(Ordering::Less));
        let high = rare.max_value.as_ref().is_some_and(|max| compare(value, max.node()) == Some(Ordering::Greater));
        if low || high {
            let (message, point) = if low {
                (
                    Text::fixed("la valeur est sous le minimum permis", "the value is below the permitted minimum"),
                    "minValue",
                )
            } else {
                (
                    Text::fixed("la valeur dépasse le maximum permis", "the value is above the permitted maximum"),
                    "maxValue",
                )
            };
            self.error(
                value,
                rule_of(program, format!("{} {point}", program.id(spec))),
                message,
                Text::fixed("vérifiez la valeur et son unité", "check the value and its unit"),
            );
        }
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

/// Numbers, dates of the same precision, and quantities of the same unit; none when they do not compare.
fn compare(value: Node<'_>, bound: Node<'_>) -> Option<Ordering> {
    match (value.kind(), bound.kind()) {
        (Kind::Number, Kind::Number) => {
            let (value, bound): (f64, f64) = (value.number()?.parse().ok()?, bound.number()?.parse().ok()?);
            value.partial_cmp(&bound)
        }
        (Kind::String, Kind::String) => {
            let (value, bound) = (value.str()?, bound.str()?);
            let common = value.len().min(bound.len());
            let (value, bound) = (value.get(..common)?, bound.get(..common)?);
            Some(value.cmp(bound))
        }
        (Kind::Object, Kind::Object) => {
            let same = value.text("code") == bound.text("code") && value.text("system") == bound.text("system");
            same.then(|| compare(value.get("value")?, bound.get("value")?)).flatten()
        }
        _ => None,
    }
}
