//! `name` and `_name` side by side: the values of primitive elements, and their ids and extensions (FHIR R4
//! §2.6.2.2). Two arrays are as long as each other; a null in one is filled by the other.

use super::{NameId, OddityKind, Raw, Tag};

/// What is wrong between the members of an object and their companions: index of the value, what.
pub(super) fn oddities(nodes: &[Raw], object: u32) -> Vec<(u32, OddityKind)> {
    let members: Vec<(NameId, u32)> = children(nodes, object).map(|at| (nodes[at as usize].key, at)).collect();
    let find = |name: NameId| members.iter().find(|(key, _)| *key == name).map(|(_, at)| *at);
    let mut found = Vec::new();
    for (name, at) in &members {
        match name.companion_of() {
            Some(base) => pair(nodes, find(base), *at, &mut found),
            None if name.companion().is_none_or(|companion| find(companion).is_none()) => {
                found.extend(nulls(nodes, *at).map(|at| (at, OddityKind::NullItem)));
            }
            None => {}
        }
    }
    found
}

fn pair(nodes: &[Raw], value: Option<u32>, companion: u32, found: &mut Vec<(u32, OddityKind)>) {
    let tag = |at: u32| nodes[at as usize].tag;
    match (value.map(tag), tag(companion)) {
        // The name is a primitive's elsewhere, here it is an object: that it has no companion is not for a tape to say.
        (Some(Tag::Object), _) => {}
        (Some(Tag::Array), Tag::Array) => aligned(nodes, value.unwrap_or_default(), companion, found),
        (None, Tag::Array) => {
            let items = children(nodes, companion);
            found.extend(items.filter_map(|at| Some((at, item_oddity(tag(at), true)?))));
        }
        (Some(Tag::Array), _) | (Some(_), Tag::Array) => found.push((companion, OddityKind::CompanionShape)),
        (_, Tag::Object | Tag::Null) => {}
        _ => found.push((companion, OddityKind::CompanionShape)),
    }
}

fn aligned(nodes: &[Raw], values: u32, companions: u32, found: &mut Vec<(u32, OddityKind)>) {
    let (mut values, mut items) = (children(nodes, values), children(nodes, companions));
    loop {
        match (values.next(), items.next()) {
            (None, None) => return,
            (Some(value), Some(item)) => {
                let is_filled = nodes[value as usize].tag != Tag::Null;
                let oddity = item_oddity(nodes[item as usize].tag, !is_filled);
                found.extend(oddity.map(|kind| (item, kind)));
            }
            _ => {
                found.push((companions, OddityKind::CompanionLength));
                return;
            }
        }
    }
}

/// What is wrong with one item of `_name`; a null is allowed where the value is there.
const fn item_oddity(tag: Tag, is_needed: bool) -> Option<OddityKind> {
    match tag {
        Tag::Object => None,
        Tag::Null if is_needed => Some(OddityKind::NullItem),
        Tag::Null => None,
        _ => Some(OddityKind::CompanionShape),
    }
}

fn nulls(nodes: &[Raw], array: u32) -> impl Iterator<Item = u32> {
    let is_array = nodes[array as usize].tag == Tag::Array;
    let items = is_array.then(|| children(nodes, array)).into_iter().flatten();
    items.filter(|at| nodes[*at as usize].tag == Tag::Null)
}

fn children(nodes: &[Raw], of: u32) -> impl Iterator<Item = u32> {
    let end = nodes[of as usize].skip;
    let next = move |at: u32| {
        let cell = &nodes[at as usize];
        if matches!(cell.tag, Tag::Object | Tag::Array) { cell.skip } else { at + 1 }
    };
    let first = (of + 1 < end).then_some(of + 1);
    std::iter::successors(first, move |at| Some(next(*at)).filter(|at| *at < end))
}
