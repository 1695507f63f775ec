//! A document as one flat list of nodes, for rules that ask it thousands of questions.
//!
//! Order: [`Names`], the [`Arena`] and its nodes, building it from a parsed tree, the indexes. A node is its place in
//! document order, so that "is below" is a comparison of numbers. The arena owns its text: one copy of the
//! document, shared by every set of rules and every thread.
//!
//! Absent on purpose: changing a document, namespace nodes, document type declarations.

mod append;
mod build;
mod names;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use append::AppendMap;
pub(crate) use names::{Generation, Strings, Table};
pub use names::{Local, Names, Namespace, Sym, Template};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The document itself.
    Root,
    /// An element.
    Element,
    /// A text.
    Text,
    /// A comment.
    Comment,
    /// A processing instruction.
    Instruction,
}

/// A part of the arena's text.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

#[derive(Debug, Clone)]
struct Node {
    kind: Kind,
    sym: u32,
    parent: u32,
    /// Next sibling, 0 when there is none (the root is nobody's sibling).
    next: u32,
    /// One past the last node below.
    end: u32,
    attributes: u32,
    attributes_end: u32,
    scope: u32,
    /// Text of a text, comment or instruction.
    text: Span,
    /// Lexical name of an element, target of an instruction.
    name: Span,
    /// Byte in the source.
    offset: u32,
}

#[derive(Debug, Clone)]
struct Attribute {
    sym: u32,
    owner: u32,
    value: Span,
    name: Span,
}

/// Lists of nodes by a small number, in document order.
#[derive(Debug, Clone, Default)]
struct Index {
    starts: Vec<u32>,
    nodes: Vec<u32>,
}

impl Index {
    fn get(&self, key: u32) -> &[u32] {
        let key = key as usize;
        match (self.starts.get(key), self.starts.get(key + 1)) {
            (Some(&start), Some(&end)) => self.nodes.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// From pairs (key, node) in document order; a node that repeats under a key counts once.
    fn build(keys: usize, pairs: &[(u32, u32)]) -> Self {
        let mut counts = vec![0_u32; keys + 1];
        let mut last = vec![u32::MAX; keys];
        let mut fresh = |key: u32, node: u32| std::mem::replace(&mut last[key as usize], node) != node;
        let kept: Vec<(u32, u32)> = pairs.iter().copied().filter(|&(key, node)| fresh(key, node)).collect();
        for &(key, _) in &kept {
            counts[key as usize + 1] += 1;
        }
        for key in 0..keys {
            counts[key + 1] += counts[key];
        }
        let starts = counts.clone();
        let mut nodes = vec![0; kept.len()];
        for (key, node) in kept {
            nodes[counts[key as usize] as usize] = node;
            counts[key as usize] += 1;
        }
        Self { starts, nodes }
    }
}

/// By which value the elements of a name are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Attribute {
        element: Sym,
        attribute: Sym,
    },
    Text {
        element: Sym,
    },
    /// The values of a path of a set of rules, told apart by the set's number and the path's place in it.
    Path {
        owner: u64,
        place: usize,
    },
}

type Keyed = HashMap<Box<str>, Vec<u32>>;

/// A document.
#[derive(Debug)]
pub struct Arena {
    table: Arc<Table>,
    /// Names, namespaces and local names that the table does not know.
    extra: Vec<(u32, u32)>,
    extra_namespaces: Strings,
    extra_locals: Strings,
    text: String,
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
    scopes: Vec<Vec<(Box<str>, Box<str>)>>,
    by_name: Index,
    by_template: Index,
    keyed: AppendMap<Key, Option<Keyed>>,
}

/// The root's number.
pub(crate) const ROOT: u32 = 0;
/// Set in a handle that is an attribute's.
const ATTRIBUTE: u32 = 1 << 31;

/// A node or an attribute of a document.
#[derive(Clone, Copy)]
pub struct NodeRef<'a> {
    pub(crate) arena: &'a Arena,
    pub(crate) at: u32,
}

impl std::fmt::Debug for NodeRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "node {}", self.at)
    }
}

impl PartialEq for NodeRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at && std::ptr::eq(self.arena, other.arena)
    }
}

impl Eq for NodeRef<'_> {}

impl Arena {
    /// The root.
    #[must_use]
    pub fn root(&self) -> NodeRef<'_> {
        self.node(ROOT)
    }

    /// How many nodes there are, the root included, attributes not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: there is always a root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The document element.
    #[must_use]
    pub fn document_element(&self) -> Option<NodeRef<'_>> {
        self.root().children().find(|child| child.kind() == Some(Kind::Element))
    }

    pub(crate) fn node(&self, at: u32) -> NodeRef<'_> {
        NodeRef { arena: self, at }
    }

    pub(crate) fn generation(&self) -> Generation {
        Generation::of(&self.table)
    }

    /// The elements of a name, in document order.
    pub(crate) fn named(&self, sym: Sym) -> &[u32] {
        self.by_name.get(sym.0)
    }

    /// The elements with a child `templateId` of this root, in document order; `None` when the document was built before
    /// the rule was read.
    pub(crate) fn with_template(&self, template: Template) -> Option<&[u32]> {
        ((template.0 as usize) < self.table.templates.len()).then(|| self.by_template.get(template.0))
    }

    /// The elements with this value, in document order, by an index made at the first question.
    pub(crate) fn keyed(&self, key: Key, value: &str) -> &[u32] {
        let known = self.keyed.get_or_insert_with(key, || Some(self.index(key)));
        known.as_ref().and_then(|values| values.get(value)).map_or(&[], Vec::as_slice)
    }

    /// Is this among the values of a path from the root? `take` gives them at the first question and tells whether it
    /// gave all; `None` when it did not.
    pub(crate) fn has_value(
        &self,
        key: Key,
        value: &str,
        take: impl FnOnce(&mut dyn FnMut(&str)) -> bool,
    ) -> Option<bool> {
        let known = self.keyed.get_or_insert_with(key, || {
            let mut values = Keyed::new();
            let whole = take(&mut |value| drop(values.insert(value.into(), Vec::new())));
            whole.then_some(values)
        });
        known.as_ref().map(|values| values.contains_key(value))
    }

    fn index(&self, key: Key) -> Keyed {
        let mut keyed = Keyed::new();
        let mut add = |value: &str, node: u32| {
            let nodes = keyed.entry(value.into()).or_default();
            if nodes.last() != Some(&node) {
                nodes.push(node);
            }
        };
        match key {
            Key::Attribute { element, attribute } => {
                for &at in self.named(element) {
                    if let Some(value) = self.node(at).attribute(attribute) {
                        add(value, at);
                    }
                }
            }
            Key::Text { element } => {
                for &at in self.named(element) {
                    let texts = self.node(at).children().filter(|child| child.kind() == Some(Kind::Text));
                    texts.for_each(|text| add(text.own_text(), at));
                }
            }
            Key::Path { .. } => {}
        }
        keyed
    }

    fn span(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn parts(&self, sym: u32) -> (u32, u32) {
        let known = self.table.parts.len();
        let parts = match (sym as usize).checked_sub(known) {
            None => self.table.parts.get(sym as usize),
            Some(extra) => self.extra.get(extra),
        };
        parts.copied().unwrap_or((u32::MAX, u32::MAX))
    }

    fn namespace_of(&self, sym: u32) -> &str {
        let (namespace, _) = self.parts(sym);
        match (namespace as usize).checked_sub(self.table.namespaces.len()) {
            None => self.table.namespaces.at(namespace),
            Some(extra) => self.extra_namespaces.at(u32::try_from(extra).unwrap_or(u32::MAX)),
        }
    }

    fn local_of(&self, sym: u32) -> &str {
        let (_, local) = self.parts(sym);
        match (local as usize).checked_sub(self.table.locals.len()) {
            None => self.table.locals.at(local),
            Some(extra) => self.extra_locals.at(u32::try_from(extra).unwrap_or(u32::MAX)),
        }
    }
}

impl<'a> NodeRef<'a> {
    pub(crate) fn is_attribute(self) -> bool {
        self.at & ATTRIBUTE != 0
    }

    fn data(self) -> &'a Node {
        &self.arena.nodes[self.at as usize]
    }

    fn attribute_data(self) -> &'a Attribute {
        &self.arena.attributes[(self.at & !ATTRIBUTE) as usize]
    }

    /// What it is; `None` for an attribute.
    #[must_use]
    pub fn kind(self) -> Option<Kind> {
        if self.is_attribute() { None } else { Some(self.data().kind) }
    }

    pub(crate) fn is_element(self) -> bool {
        self.kind() == Some(Kind::Element)
    }

    fn sym_number(self) -> Option<u32> {
        if self.is_attribute() {
            return Some(self.attribute_data().sym);
        }
        (self.data().kind == Kind::Element).then(|| self.data().sym)
    }

    /// The number of an element's or attribute's name.
    pub(crate) fn is_named(self, sym: Sym) -> bool {
        self.sym_number() == Some(sym.0)
    }

    pub(crate) fn is_in(self, namespace: Namespace) -> bool {
        self.sym_number().is_some_and(|sym| self.arena.parts(sym).0 == namespace.0)
    }

    pub(crate) fn has_local(self, local: Local) -> bool {
        self.sym_number().is_some_and(|sym| self.arena.parts(sym).1 == local.0)
    }

    /// The local name; an instruction's target; empty for the rest.
    #[must_use]
    pub fn local_name(self) -> &'a str {
        match self.sym_number() {
            Some(sym) => self.arena.local_of(sym),
            None => self.name(),
        }
    }

    /// The namespace, empty for none.
    #[must_use]
    pub fn namespace(self) -> &'a str {
        self.sym_number().map_or("", |sym| self.arena.namespace_of(sym))
    }

    /// The name as written.
    #[must_use]
    pub fn name(self) -> &'a str {
        let span = if self.is_attribute() { self.attribute_data().name } else { self.data().name };
        self.arena.span(span)
    }

    /// The element around it; the element of an attribute.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        if self.is_attribute() {
            return Some(self.arena.node(self.attribute_data().owner));
        }
        (self.at != ROOT).then(|| self.arena.node(self.data().parent))
    }

    pub(crate) fn ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), |node| node.parent())
    }

    pub(crate) fn first_child(self) -> Option<Self> {
        if self.is_attribute() || self.data().end <= self.at + 1 {
            return None;
        }
        Some(self.arena.node(self.at + 1))
    }

    pub(crate) fn next_sibling(self) -> Option<Self> {
        if self.is_attribute() {
            return None;
        }
        let next = self.data().next;
        (next != 0).then(|| self.arena.node(next))
    }

    /// The nodes directly below, in order.
    pub fn children(self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.first_child(), |node| node.next_sibling())
    }

    /// One past the last node below.
    pub(crate) fn end(self) -> u32 {
        if self.is_attribute() { self.at } else { self.data().end }
    }

    pub(crate) fn attributes(self) -> impl Iterator<Item = Self> + use<'a> {
        let range = if self.is_attribute() { 0..0 } else { self.data().attributes..self.data().attributes_end };
        range.map(move |at| NodeRef { arena: self.arena, at: at | ATTRIBUTE })
    }

    pub(crate) fn attribute_node(self, sym: Sym) -> Option<Self> {
        self.attributes().find(|attribute| attribute.attribute_data().sym == sym.0)
    }

    /// The value of an attribute.
    pub(crate) fn attribute(self, sym: Sym) -> Option<&'a str> {
        self.attribute_node(sym).map(|node| self.arena.span(node.attribute_data().value))
    }

    /// The value of an attribute by the name written in the rule's terms.
    #[must_use]
    pub fn attribute_named(self, namespace: &str, local: &str) -> Option<&'a str> {
        self.attributes()
            .find(|attribute| attribute.local_name() == local && attribute.namespace() == namespace)
            .map(|node| self.arena.span(node.attribute_data().value))
    }

    /// The text of this node alone, not of those below.
    pub(crate) fn own_text(self) -> &'a str {
        let span = if self.is_attribute() { self.attribute_data().value } else { self.data().text };
        self.arena.span(span)
    }

    /// The string value: for an element or the root, all texts below.
    #[must_use]
    pub fn string(self) -> std::borrow::Cow<'a, str> {
        use std::borrow::Cow;
        if !matches!(self.kind(), Some(Kind::Element | Kind::Root)) {
            return Cow::Borrowed(self.own_text());
        }
        let mut texts = (self.at + 1..self.end())
            .map(|at| self.arena.node(at))
            .filter(|node| node.kind() == Some(Kind::Text))
            .map(Self::own_text);
        let Some(first) = texts.next() else { return Cow::Borrowed("") };
        match texts.next() {
            None => Cow::Borrowed(first),
            Some(second) => Cow::Owned([first, second].into_iter().chain(texts).collect()),
        }
    }

    /// The namespace that a prefix means here; `""` is the default one.
    pub(crate) fn lookup_prefix(self, prefix: &str) -> Option<&'a str> {
        if prefix == "xml" {
            return Some("http://www.w3.org/XML/1998/namespace");
        }
        let element = if self.is_element() { self } else { self.parent()? };
        let scope = self.arena.scopes.get(element.data().scope as usize)?;
        scope.iter().find(|(known, _)| **known == *prefix).map(|(_, uri)| &**uri)
    }

    /// The byte of the source where it starts; for an attribute, where its element does.
    #[must_use]
    pub fn offset(self) -> usize {
        let element = if self.is_attribute() { self.arena.node(self.attribute_data().owner) } else { self };
        element.data().offset as usize
    }

    /// The path of names as written from the root, with `[n]` only when an earlier sibling has the same name, as the
    /// reference implementation of Schematron prints it. The root is shown as its document element.
    #[must_use]
    pub fn location(self) -> String {
        let start = if self.at == ROOT { self.arena.document_element().unwrap_or(self) } else { self };
        let mut steps: Vec<String> = Vec::new();
        if start.is_attribute() {
            steps.push(format!("/@{}", start.name()));
        }
        let chain = std::iter::once(start).chain(start.ancestors());
        steps.extend(chain.filter(|node| !node.is_attribute() && node.at != ROOT).map(Self::location_step));
        steps.into_iter().rev().collect()
    }

    fn location_step(self) -> String {
        let name = match self.kind() {
            Some(Kind::Comment) => "comment()",
            Some(Kind::Text) => "text()",
            Some(Kind::Instruction) => "processing-instruction()",
            _ => self.name(),
        };
        let same = |node: &Self| node.kind() == self.kind() && (!self.is_element() || node.name() == self.name());
        let siblings = self.parent().and_then(Self::first_child);
        let before = std::iter::successors(siblings, |node| node.next_sibling());
        match before.take_while(|node| node.at < self.at).filter(same).count() {
            0 => format!("/{name}"),
            earlier => format!("/{name}[{}]", earlier + 1),
        }
    }
}
