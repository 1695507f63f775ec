//! One element of a differential laid over the element that it constrains.

use socle_finding::Text;

use crate::definitions::{Constraint, Element, Max, SlicingRules, TypeRef};

/// Something that a differential may not say.
pub(super) struct Contradiction {
    pub(super) message: Text,
    pub(super) mend: Text,
}

/// Lays `over` on `element`; what it does not say stays. What contradicts the element is told, and holds.
pub(super) fn merge(element: &mut Element, over: &Element, is_profile: bool) -> Vec<Contradiction> {
    let mut told = Vec::new();
    if is_profile {
        cardinality(element, over, &mut told);
        types(element, over, &mut told);
        binding(element, over, &mut told);
    }
    replace(&mut element.min, &over.min);
    replace(&mut element.max, &over.max);
    replace(&mut element.fixed, &over.fixed);
    replace(&mut element.pattern, &over.pattern);
    replace(&mut element.min_value, &over.min_value);
    replace(&mut element.max_value, &over.max_value);
    replace(&mut element.max_length, &over.max_length);
    element.without_value.is_forbidden |= over.without_value.is_forbidden;
    if !over.without_value.alternatives.is_empty() {
        element.without_value.alternatives.clone_from(&over.without_value.alternatives);
    }
    if !over.narrative.languages.is_empty() {
        element.narrative.languages.clone_from(&over.narrative.languages);
    }
    replace(&mut element.narrative.source, &over.narrative.source);
    slicing(element, over);
    replace(&mut element.binding, &over.binding);
    replace(&mut element.content_reference, &over.content_reference);
    replace(&mut element.base, &over.base);
    if !over.types.is_empty() {
        element.types.clone_from(&over.types);
    }
    add_constraints(&mut element.constraints, &over.constraints);
    element.must_support |= over.must_support;
    element.is_modifier |= over.is_modifier;
    element.is_summary |= over.is_summary;
    element.xml_attribute |= over.xml_attribute;
    told
}

fn replace<T: Clone>(field: &mut Option<T>, over: &Option<T>) {
    if over.is_some() {
        field.clone_from(over);
    }
}

/// What the base closed stays closed, whatever the differential says.
fn slicing(element: &mut Element, over: &Element) {
    let was_closed = element.slicing.as_ref().is_some_and(|slicing| slicing.rules == SlicingRules::Closed);
    replace(&mut element.slicing, &over.slicing);
    if let (true, Some(slicing)) = (was_closed, &mut element.slicing) {
        slicing.rules = SlicingRules::Closed;
    }
}

/// Invariants only add up; one of the same key is said again, not twice.
pub(super) fn add_constraints(constraints: &mut Vec<Constraint>, more: &[Constraint]) {
    for constraint in more {
        match constraints.iter_mut().find(|known| known.key == constraint.key) {
            Some(known) => known.clone_from(constraint),
            None => constraints.push(constraint.clone()),
        }
    }
}

fn cardinality(element: &Element, over: &Element, told: &mut Vec<Contradiction>) {
    if let (Some(base), Some(min)) = (element.min, over.min)
        && min < base
    {
        told.push(Contradiction {
            message: Text::new(
                format!("le minimum {min} est plus bas que celui de la base, {base}"),
                format!("the minimum {min} is lower than that of the base, {base}"),
            ),
            mend: Text::fixed(
                "un profil ne peut que restreindre : augmentez min",
                "a profile can only restrict: raise min",
            ),
        });
    }
    if let (Some(base), Some(max)) = (element.max, over.max)
        && max > base
    {
        told.push(Contradiction {
            message: Text::new(
                format!("le maximum {} est plus haut que celui de la base, {}", shown(max), shown(base)),
                format!("the maximum {} is higher than that of the base, {}", shown(max), shown(base)),
            ),
            mend: Text::fixed(
                "un profil ne peut que restreindre : baissez max",
                "a profile can only restrict: lower max",
            ),
        });
    }
    let (min, max) = (over.min.or(element.min), over.max.or(element.max));
    if let (Some(min), Some(Max::Count(max))) = (min, max)
        && min > max
    {
        told.push(Contradiction {
            message: Text::new(
                format!("le minimum {min} passe le maximum {max} : rien ne peut être valide"),
                format!("the minimum {min} passes the maximum {max}: nothing can be valid"),
            ),
            mend: Text::fixed("corrigez min ou max", "mend min or max"),
        });
    }
}

fn shown(max: Max) -> String {
    match max {
        Max::Count(count) => count.to_string(),
        Max::Many => "*".to_owned(),
    }
}

fn types(element: &Element, over: &Element, told: &mut Vec<Contradiction>) {
    // Any resource stands for Resource, any type for an element of an open choice.
    let admits = |known: &TypeRef, code: &str| {
        *known.code == *code || matches!(&*known.code, "Resource" | "Element" | "*" | "DomainResource")
    };
    for wanted in &over.types {
        if element.types.is_empty() || element.types.iter().any(|known| admits(known, &wanted.code)) {
            continue;
        }
        let known = element.types.iter().map(|known| &*known.code).collect::<Vec<_>>().join(", ");
        told.push(Contradiction {
            message: Text::new(
                format!("le type {} n'est pas parmi ceux de la base ({known})", wanted.code),
                format!("type {} is not among those of the base ({known})", wanted.code),
            ),
            mend: Text::fixed("gardez des types de la base", "keep types of the base"),
        });
    }
}

fn binding(element: &Element, over: &Element, told: &mut Vec<Contradiction>) {
    if let (Some(base), Some(binding)) = (&element.binding, &over.binding)
        && binding.strength < base.strength
    {
        told.push(Contradiction {
            message: Text::fixed(
                "la liaison au jeu de valeurs est moins stricte que celle de la base",
                "the binding to the value set is less strict than that of the base",
            ),
            mend: Text::fixed("gardez au moins la force de la base", "keep at least the strength of the base"),
        });
    }
}
