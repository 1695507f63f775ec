//! A parsed tree copied into an arena: one walk in document order.

use std::collections::HashMap;
use std::sync::Arc;

use roxmltree::{Document, Node as Parsed, NodeType};

use super::{Arena, Attribute, Generation, Index, Kind, Names, Node, ROOT, Span, Strings, Table};
use crate::NodeExt;

impl Arena {
    /// Copies a parsed document. `names` must already hold the names of every rule that will be run on it.
    #[must_use]
    pub fn new(document: &Document<'_>, names: &Names) -> Self {
        Builder::new(document, names.snapshot()).run(document)
    }

    /// Copies a document that rules look values up in, such as a value set; all its names become known.
    #[must_use]
    pub fn known(document: &Document<'_>, names: &Names) -> Self {
        for node in document.descendants().filter(Parsed::is_element) {
            let _ = names.intern(node.tag_name().namespace().unwrap_or_default(), node.tag_name().name());
            for attribute in node.attributes() {
                let _ = names.intern(attribute.namespace().unwrap_or_default(), attribute.name());
            }
        }
        Self::new(document, names)
    }

    /// May rules compiled when this was known be run on it?
    pub(crate) fn knows(&self, generation: Generation) -> bool {
        generation.within(self.generation())
    }
}

struct Builder {
    table: Arc<Table>,
    extra: Vec<(u32, u32)>,
    extra_names: HashMap<(u32, u32), u32>,
    extra_namespaces: Strings,
    extra_locals: Strings,
    text: String,
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
    scopes: Vec<Vec<(Box<str>, Box<str>)>>,
    named: Vec<(u32, u32)>,
    templates: Vec<(u32, u32)>,
    /// The namespace asked for last: an element's mostly is its parent's.
    last_namespace: Option<(Box<str>, u32)>,
}

impl Builder {
    fn new(document: &Document<'_>, table: Arc<Table>) -> Self {
        Self {
            table,
            extra: Vec::new(),
            extra_names: HashMap::new(),
            extra_namespaces: Strings::default(),
            extra_locals: Strings::default(),
            text: String::with_capacity(document.input_text().len()),
            nodes: Vec::new(),
            attributes: Vec::new(),
            scopes: vec![Vec::new()],
            named: Vec::new(),
            templates: Vec::new(),
            last_namespace: None,
        }
    }

    fn run(mut self, document: &Document<'_>) -> Arena {
        // The parser numbers its nodes in document order, from the root: those numbers are kept.
        for node in document.root().descendants() {
            self.push(node);
        }
        self.close();
        let names = self.table.parts.len() + self.extra.len();
        self.templates.sort_unstable();
        Arena {
            by_name: Index::build(names, &self.named),
            by_template: Index::build(self.table.templates.len(), &self.templates),
            table: self.table,
            extra: self.extra,
            extra_namespaces: self.extra_namespaces,
            extra_locals: self.extra_locals,
            text: self.text,
            nodes: self.nodes,
            attributes: self.attributes,
            scopes: self.scopes,
            keyed: super::AppendMap::default(),
        }
    }

    fn push(&mut self, parsed: Parsed<'_, '_>) {
        let at = number(self.nodes.len());
        let attributes = number(self.attributes.len());
        let mut node = Node {
            kind: Kind::Root,
            sym: u32::MAX,
            parent: parsed.parent().map_or(ROOT, |parent| parent.id().get()),
            next: parsed.next_sibling().map_or(0, |next| next.id().get()),
            end: at + 1,
            attributes,
            attributes_end: attributes,
            scope: 0,
            text: Span::default(),
            name: Span::default(),
            offset: number(parsed.range().start),
        };
        match parsed.node_type() {
            NodeType::Root => {}
            NodeType::Element => {
                node.kind = Kind::Element;
                let tag = parsed.tag_name();
                node.sym = self.name(tag.namespace().unwrap_or_default(), tag.name());
                node.name = self.keep(parsed.qname());
                node.scope = self.scope(parsed, node.parent);
                self.named.push((node.sym, at));
                self.push_attributes(parsed, at);
                node.attributes_end = number(self.attributes.len());
                self.note_template(parsed, node.parent);
            }
            NodeType::Text => {
                node.kind = Kind::Text;
                node.text = self.keep(parsed.text().unwrap_or_default());
            }
            NodeType::Comment => {
                node.kind = Kind::Comment;
                node.text = self.keep(parsed.text().unwrap_or_default());
            }
            NodeType::PI => {
                node.kind = Kind::Instruction;
                if let Some(instruction) = parsed.pi() {
                    node.name = self.keep(instruction.target);
                    node.text = self.keep(instruction.value.unwrap_or_default());
                }
            }
        }
        self.nodes.push(node);
    }

    fn push_attributes(&mut self, parsed: Parsed<'_, '_>, owner: u32) {
        let source = parsed.document().input_text();
        for attribute in parsed.attributes() {
            let sym = self.name(attribute.namespace().unwrap_or_default(), attribute.name());
            let value = self.keep(attribute.value());
            let name = self.keep(source.get(attribute.range_qname()).unwrap_or_default());
            self.attributes.push(Attribute { sym, owner, value, name });
        }
    }

    /// Every standard that we check writes the template of an element in its children `templateId`, at `@root`.
    fn note_template(&mut self, parsed: Parsed<'_, '_>, parent: u32) {
        if parsed.tag_name().name() != "templateId" {
            return;
        }
        if let Some(template) = parsed.attribute("root").and_then(|root| self.table.templates.get(root)) {
            self.templates.push((template, parent));
        }
    }

    /// The namespaces in scope: the parent's list unless some are declared here.
    fn scope(&mut self, parsed: Parsed<'_, '_>, parent: u32) -> u32 {
        let inherited = parsed.parent_element().is_some_and(|above| {
            above.namespaces().len() == parsed.namespaces().len()
                && above.namespaces().zip(parsed.namespaces()).all(|(a, b)| std::ptr::eq(a, b))
        });
        if inherited {
            return self.nodes.get(parent as usize).map_or(0, |node| node.scope);
        }
        let list = parsed.namespaces().map(|known| (known.name().unwrap_or_default().into(), known.uri().into()));
        self.scopes.push(list.collect());
        number(self.scopes.len() - 1)
    }

    fn name(&mut self, namespace: &str, local: &str) -> u32 {
        let pair = (self.namespace(namespace), self.local(local));
        if let Some(&known) = self.table.names.get(&pair) {
            return known;
        }
        let next = number(self.table.parts.len() + self.extra.len());
        let sym = *self.extra_names.entry(pair).or_insert(next);
        if sym == next {
            self.extra.push(pair);
        }
        sym
    }

    fn namespace(&mut self, uri: &str) -> u32 {
        if let Some((last, number)) = &self.last_namespace
            && **last == *uri
        {
            return *number;
        }
        let found = self
            .table
            .namespaces
            .get(uri)
            .unwrap_or_else(|| number(self.table.namespaces.len()) + self.extra_namespaces.intern(uri));
        self.last_namespace = Some((uri.into(), found));
        found
    }

    fn local(&mut self, name: &str) -> u32 {
        let known = self.table.locals.get(name);
        known.unwrap_or_else(|| number(self.table.locals.len()) + self.extra_locals.intern(name))
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = number(self.text.len());
        self.text.push_str(text);
        Span { start, end: number(self.text.len()) }
    }

    /// The last node below each: known once the next node that is not below is.
    fn close(&mut self) {
        for at in (1..self.nodes.len()).rev() {
            let (end, parent) = (self.nodes[at].end, self.nodes[at].parent as usize);
            self.nodes[parent].end = self.nodes[parent].end.max(end);
        }
    }
}

/// [`Limits`](crate::Limits) holds documents far below these numbers.
fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
