//! Ways through a document: steps, children, descendants, references inside the document.

use super::model::TypeId;
use super::program::{Member, Members, Step};
use super::typing::bit;
use super::value::{Collection, Element, Item, QuantityUnit};
use crate::definitions::types;
use crate::tape::{Kind, NameId, Node};

/// Steps from an item, and gives each element that is found at the end to `put`.
pub(super) fn walk<'a>(item: &Item<'a>, steps: &[Step], put: &mut dyn FnMut(Item<'a>)) {
    let Some((step, rest)) = steps.split_first() else { return put(item.clone()) };
    match item {
        Item::Element(element) => step_down(*element, step, &mut |below| {
            if rest.is_empty() { put(below) } else { walk(&below, rest, put) }
        }),
        Item::Quantity(quantity) => {
            let Step::Named(name) = step else { return };
            let part = match (name.text(), &quantity.unit) {
                (Some("value"), _) => Item::from(quantity.value),
                (Some("unit" | "code"), QuantityUnit::Ucum(code) | QuantityUnit::Other(code)) => {
                    Item::from(String::from(code.clone()))
                }
                _ => return,
            };
            walk(&part, rest, put);
        }
        _ => {}
    }
}

fn step_down<'a>(element: Element<'a>, step: &Step, put: &mut dyn FnMut(Item<'a>)) {
    match step {
        Step::Known(members) => step_known(element, members, put),
        Step::Named(name) => step_named(element, *name, put),
    }
}

/// One pass over the members of the object: what the mask does not have is none of them.
fn step_known<'a>(element: Element<'a>, members: &Members, put: &mut dyn FnMut(Item<'a>)) {
    let Some(holder) = element.companion() else { return };
    let (mut found, mut aside) = (None, None);
    for node in holder.member_nodes() {
        let name = node.name_id();
        if members.mask & bit(name) == 0 {
            continue;
        }
        let Some(member) = members.members.iter().find(|member| member.name == name || member.companion == name) else {
            continue;
        };
        if member.name != name {
            aside = Some((member, node));
            continue;
        }
        if node.kind() != Kind::Array && node.kind() != Kind::Null {
            return put_value(node, member, put);
        }
        found = Some((member, node));
    }
    match (found, aside) {
        (Some((member, node)), aside) => put_array(node, member, aside.map(|(_, node)| node), put),
        (None, Some((member, node))) => put_aside(node, member, put),
        (None, None) => {}
    }
}

fn step_named<'a>(element: Element<'a>, name: NameId, put: &mut dyn FnMut(Item<'a>)) {
    if name == NameId::VALUE
        && let Some(value) = element.system()
    {
        return put(value);
    }
    for child in types().element(element.type_id(), name) {
        let member = Member::of(element.type_id(), child);
        let Some(holder) = element.companion() else { return };
        let value = holder.get_id(member.name).filter(|node| node.kind() != Kind::Null);
        let aside = if member.companion == NameId::NONE { None } else { holder.get_id(member.companion) };
        match (value, aside) {
            (Some(node), aside) if node.kind() == Kind::Array => put_array(node, &member, aside, put),
            (Some(node), _) => put_value(node, &member, put),
            (None, Some(node)) => put_aside(node, &member, put),
            (None, None) => {}
        }
    }
}

fn put_value<'a>(node: Node<'a>, member: &Member, put: &mut dyn FnMut(Item<'a>)) {
    let item = if member.is_resource { Item::resource(node) } else { None };
    put(item.unwrap_or_else(|| Item::element(node, member.kind)));
}

/// The items of an array; a null stands for a primitive that has an id or an extension only, which is at the
/// same place of the array beside it (FHIR R4 §2.6.2.3).
fn put_array<'a>(array: Node<'a>, member: &Member, aside: Option<Node<'a>>, put: &mut dyn FnMut(Item<'a>)) {
    let mut beside = aside.map(Node::items);
    for node in array.items() {
        let companion = beside.as_mut().and_then(Iterator::next);
        if node.kind() != Kind::Null {
            put_value(node, member, put);
        } else if let Some(companion) = companion.filter(|node| node.kind() == Kind::Object) {
            put(Item::element(companion, member.kind));
        }
    }
    for companion in beside.into_iter().flatten().filter(|node| node.kind() == Kind::Object) {
        put(Item::element(companion, member.kind));
    }
}

/// `_name` without `name`.
fn put_aside<'a>(node: Node<'a>, member: &Member, put: &mut dyn FnMut(Item<'a>)) {
    match node.kind() {
        Kind::Object => put(Item::element(node, member.kind)),
        Kind::Array => {
            node.items()
                .filter(|node| node.kind() == Kind::Object)
                .for_each(|node| put(Item::element(node, member.kind)));
        }
        _ => {}
    }
}

/// The elements directly below, in document order.
pub(super) fn children<'a>(item: &Item<'a>, put: &mut dyn FnMut(Item<'a>)) {
    let Item::Element(element) = item else { return };
    let Some(holder) = element.companion() else { return };
    for node in holder.member_nodes() {
        let name = node.name_id();
        if let Some(child) = types().child(element.type_id(), name) {
            let member = Member::of(element.type_id(), child);
            let aside = || holder.get_id(member.companion);
            match node.kind() {
                Kind::Array => put_array(node, &member, aside(), put),
                Kind::Null => {}
                _ => put_value(node, &member, put),
            }
        } else if let Some(primary) = name.companion_of()
            && holder.get_id(primary).is_none()
            && let Some(child) = types().child(element.type_id(), primary)
        {
            put_aside(node, &Member::of(element.type_id(), child), put);
        }
    }
}

/// The extensions with that URL.
pub(super) fn extensions<'a>(item: &Item<'a>, url: &str, kind: TypeId, put: &mut dyn FnMut(Item<'a>)) {
    let Item::Element(element) = item else { return };
    let Some(holder) = element.companion() else { return };
    let Some(extensions) = holder.get_id(NameId::EXTENSION) else { return };
    for node in extensions.items() {
        if node.get_id(NameId::URL).and_then(Node::str) == Some(url) {
            put(Item::element(node, kind));
        }
    }
}

/// The text of a reference: of a Reference, or of a uri.
pub(super) fn reference_text<'a>(item: &Item<'a>) -> Option<std::borrow::Cow<'a, str>> {
    match item {
        Item::Element(element) if super::model::system_of(element.type_id()).is_none() => {
            element.node().get_id(NameId::REFERENCE)?.str().map(Into::into)
        }
        _ => item.as_text(),
    }
}

/// The type that a reference names: by its `type`, or before the id.
pub(super) fn referenced_type(item: &Item<'_>) -> Option<TypeId> {
    let named = item.node().and_then(|node| node.get_id(NameId::TYPE)).and_then(Node::str);
    if let Some(kind) = named.and_then(|name| types().resource(name)) {
        return Some(kind);
    }
    let text = reference_text(item)?;
    let path = text.split_once("/_history/").map_or(&*text, |(path, _)| path);
    let mut parts = path.rsplit('/');
    let (_, kind) = (parts.next()?, parts.next()?);
    types().resource(kind)
}

/// What a reference points at inside its own document: `#id` among the contained resources, else an entry of
/// the Bundle by its `fullUrl` (FHIR R4 §2.36.4).
#[must_use]
pub fn resolve_inside<'a>(reference: &str, from: Node<'a>) -> Option<Element<'a>> {
    if let Some(id) = reference.strip_prefix('#') {
        let container = container(from)?;
        if id.is_empty() {
            return Element::resource(container);
        }
        let contained = container.get_id(NameId::CONTAINED)?;
        let found = contained.items().find(|node| node.get_id(NameId::ID).and_then(Node::str) == Some(id));
        return Element::resource(found?);
    }
    let mut node = from;
    while let Some(parent) = node.parent() {
        if parent.name_id() == NameId::ENTRY
            && let Some(found) = entry(parent, node, reference)
        {
            return Some(found);
        }
        node = parent;
    }
    None
}

/// The entry that a reference means, seen from `own`, an entry of the same array.
fn entry<'a>(entries: Node<'a>, own: Node<'a>, reference: &str) -> Option<Element<'a>> {
    let reference = reference.split_once("/_history/").map_or(reference, |(path, _)| path);
    let full_url = |entry: Node<'a>| entry.get_id(NameId::FULL_URL).and_then(Node::str);
    let is_absolute = reference.contains("://") || reference.starts_with("urn:");
    let base = full_url(own).and_then(base_of);
    let is_it = |entry: &Node<'a>| {
        let Some(url) = full_url(*entry) else { return false };
        if is_absolute {
            return url == reference;
        }
        let rest = url.strip_suffix(reference).and_then(|rest| rest.strip_suffix('/'));
        rest.is_some_and(|rest| base.is_none_or(|base| rest == base))
    };
    Element::resource(entries.items().find(is_it)?.get_id(NameId::RESOURCE)?)
}

/// `http://example.org/fhir` of `http://example.org/fhir/Patient/1`.
fn base_of(url: &str) -> Option<&str> {
    let (rest, _) = url.rsplit_once('/')?;
    let (base, kind) = rest.rsplit_once('/')?;
    types().resource(kind).map(|_| base)
}

/// The resource that holds a node.
pub(super) fn resource_of(node: Node<'_>) -> Option<Node<'_>> {
    std::iter::successors(Some(node), |node| node.parent()).find(|node| node.get_id(NameId::RESOURCE_TYPE).is_some())
}

/// The resource that holds a node, or that contains the resource that holds it.
pub(super) fn container(node: Node<'_>) -> Option<Node<'_>> {
    let resource = resource_of(node)?;
    match resource.parent() {
        Some(array) if array.name_id() == NameId::CONTAINED => array.parent(),
        _ => Some(resource),
    }
}

/// All elements below, parents before their children; stops when `put` says so.
pub(super) fn descendants<'a>(item: &Item<'a>, put: &mut dyn FnMut(&Item<'a>) -> bool) -> bool {
    let mut level = Collection::new();
    children(item, &mut |child| level.push(child));
    level.iter().all(|child| put(child) && descendants(child, put))
}
