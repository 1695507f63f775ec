//! The nodes of an axis, in the axis's order, and the tests on them.

use super::ast::{Axis, Test};
use crate::arena::{Kind, NodeRef, ROOT};

/// Calls `visit` for each node of the axis until it answers `false`; gives what it answered last.
pub(super) fn walk<'a, E>(
    axis: Axis,
    from: NodeRef<'a>,
    visit: &mut dyn FnMut(NodeRef<'a>) -> Result<bool, E>,
) -> Result<bool, E> {
    match axis {
        Axis::Child => all(from.children(), visit),
        Axis::Attribute => all(from.attributes(), visit),
        Axis::Itself => visit(from),
        Axis::Descendant => all(below(from), visit),
        Axis::DescendantOrSelf => Ok(visit(from)? && all(below(from), visit)?),
        Axis::Parent => all(from.parent().into_iter(), visit),
        Axis::Ancestor => all(from.ancestors(), visit),
        Axis::AncestorOrSelf => Ok(visit(from)? && all(from.ancestors(), visit)?),
        Axis::FollowingSibling => all(std::iter::successors(from.next_sibling(), |node| node.next_sibling()), visit),
        Axis::PrecedingSibling => all(siblings_before(from).into_iter().rev(), visit),
        Axis::Following => all(following(from), visit),
        Axis::Preceding => all(preceding(from), visit),
    }
}

fn all<'a, E>(
    nodes: impl Iterator<Item = NodeRef<'a>>,
    visit: &mut dyn FnMut(NodeRef<'a>) -> Result<bool, E>,
) -> Result<bool, E> {
    for node in nodes {
        if !visit(node)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn below(from: NodeRef<'_>) -> impl Iterator<Item = NodeRef<'_>> {
    let range = if from.is_attribute() { 0..0 } else { from.at + 1..from.end() };
    range.map(move |at| from.arena.node(at))
}

fn siblings_before(from: NodeRef<'_>) -> Vec<NodeRef<'_>> {
    if from.is_attribute() {
        return Vec::new();
    }
    from.parent().into_iter().flat_map(NodeRef::children).take_while(|node| node.at < from.at).collect()
}

fn following(from: NodeRef<'_>) -> impl Iterator<Item = NodeRef<'_>> {
    // What follows an attribute follows its element's start: the element's content is after it.
    let start = if from.is_attribute() { from.parent().map_or(0, |owner| owner.at + 1) } else { from.end() };
    (start..from.arena.root().end()).map(move |at| from.arena.node(at))
}

fn preceding(from: NodeRef<'_>) -> impl Iterator<Item = NodeRef<'_>> {
    let start = if from.is_attribute() { from.parent().unwrap_or(from) } else { from };
    (ROOT..start.at).rev().map(move |at| from.arena.node(at)).filter(move |node| node.end() <= start.at)
}

impl Test {
    pub(crate) fn accepts(self, axis: Axis, node: NodeRef<'_>) -> bool {
        let principal = if axis == Axis::Attribute { node.is_attribute() } else { node.is_element() };
        match self {
            Self::Named(sym) => principal && node.is_named(sym),
            Self::Any => principal,
            Self::InNamespace(namespace) => principal && node.is_in(namespace),
            Self::WithLocal(local) => principal && node.has_local(local),
            Self::Node => true,
            Self::Text => node.kind() == Some(Kind::Text),
            Self::Comment => node.kind() == Some(Kind::Comment),
            Self::Instruction => node.kind() == Some(Kind::Instruction),
            Self::Element => node.is_element(),
            Self::Attribute => node.is_attribute(),
            Self::DocumentNode => node.kind() == Some(Kind::Root),
        }
    }
}
