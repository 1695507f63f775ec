//! Canonical XML 1.0 and Exclusive Canonical XML 1.0, over the tree that values are read from.
//!
//! A signature check that digests one tree while the application reads another can be fooled by any
//! difference between two parsers. Here the digest is taken of the very node that callers read.
//! Order: what to canonicalise, the walk, names and namespaces, escaping.
//!
//! Absent on purpose: Canonical XML 1.1, arbitrary node sets (only subtrees, minus one).

use memchr::memchr;
use roxmltree::{Attribute, Namespace, Node, NodeId, NodeType};

use crate::tree::NodeExt;

/// Canonical XML 1.0, comments omitted.
pub const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
/// Canonical XML 1.0 with comments.
pub const INCLUSIVE_WITH_COMMENTS: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments";
/// Exclusive Canonical XML 1.0, comments omitted.
pub const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// Exclusive Canonical XML 1.0 with comments.
pub const EXCLUSIVE_WITH_COMMENTS: &str = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";

/// How to canonicalise, and what to leave out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Canonical {
    /// Exclusive: only namespaces that are visibly used, plus [`prefixes`](Self::prefixes).
    pub exclusive: bool,
    /// Keep comments.
    pub comments: bool,
    /// `InclusiveNamespaces/@PrefixList`, the default namespace being `#default`. Only for exclusive.
    pub prefixes: Vec<String>,
    /// A subtree to leave out: the signature inside what it signs.
    pub without: Option<NodeId>,
}

impl Canonical {
    /// The method of an algorithm URI, if it is one of the four of this module.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        let (exclusive, comments) = match uri {
            INCLUSIVE => (false, false),
            INCLUSIVE_WITH_COMMENTS => (false, true),
            EXCLUSIVE => (true, false),
            EXCLUSIVE_WITH_COMMENTS => (true, true),
            _ => return None,
        };
        Some(Self { exclusive, comments, ..Self::default() })
    }

    /// Canonical form of an element with all below it, or of a whole document when given its root node.
    #[must_use]
    pub fn of(&self, node: Node<'_, '_>) -> String {
        let mut out = String::new();
        self.write(node, &mut out);
        out
    }

    /// As [`of`](Self::of), into a sink: a digest needs no copy of the document.
    pub fn write<S: Sink>(&self, node: Node<'_, '_>, sink: &mut S) {
        let mut walk = Walk { how: self, sink, rendered: Vec::new(), frames: Vec::new() };
        if node.is_root() {
            walk.document(node);
        } else {
            walk.subtree(node);
        }
    }
}

/// Takes canonical text, piece by piece.
pub trait Sink {
    /// The next piece.
    fn put(&mut self, text: &str);
}

impl Sink for String {
    fn put(&mut self, text: &str) {
        self.push_str(text);
    }
}

struct Walk<'w, 'a, S> {
    how: &'w Canonical,
    sink: &'w mut S,
    /// Namespaces as written on open elements, innermost last: prefix (empty: default) and URI.
    rendered: Vec<(&'a str, &'a str)>,
    /// Length of `rendered` before each open element.
    frames: Vec<usize>,
}

impl<'a, S: Sink> Walk<'_, 'a, S> {
    /// Comments and instructions beside the root element stand on lines of their own (C14N §2.3).
    fn document(&mut self, root: Node<'a, '_>) {
        let mut after_element = false;
        for child in root.children() {
            if child.is_element() {
                self.subtree(child);
                after_element = true;
            } else if self.is_written(child) {
                if after_element {
                    self.sink.put("\n");
                }
                self.leaf(child);
                if !after_element {
                    self.sink.put("\n");
                }
            }
        }
    }

    fn subtree(&mut self, apex: Node<'a, '_>) {
        let mut node = apex;
        loop {
            let enters = node.is_element() && self.how.without != Some(node.id());
            if enters {
                self.start_tag(node, node == apex);
                if let Some(child) = node.first_child() {
                    node = child;
                    continue;
                }
                self.end_tag(node);
            } else if self.is_written(node) {
                self.leaf(node);
            }
            loop {
                if node == apex {
                    return;
                }
                if let Some(sibling) = node.next_sibling() {
                    node = sibling;
                    break;
                }
                let Some(parent) = node.parent() else { return };
                node = parent;
                self.end_tag(node);
            }
        }
    }

    fn is_written(&self, node: Node<'_, '_>) -> bool {
        match node.node_type() {
            NodeType::Text => true,
            // The tree takes a declaration whose `<?xml` ends its line for an instruction; no other has that name.
            NodeType::PI => node.pi().is_none_or(|instruction| instruction.target != "xml"),
            NodeType::Comment => self.how.comments,
            NodeType::Root | NodeType::Element => false,
        }
    }

    fn leaf(&mut self, node: Node<'_, '_>) {
        if let Some(pi) = node.pi() {
            self.sink.put("<?");
            self.sink.put(pi.target);
            if let Some(value) = pi.value {
                self.sink.put(" ");
                self.lines(value);
            }
            self.sink.put("?>");
        } else if node.is_comment() {
            self.sink.put("<!--");
            self.lines(node.text().unwrap_or_default());
            self.sink.put("-->");
        } else {
            self.escaped(node.text().unwrap_or_default(), &TEXT);
        }
    }

    fn start_tag(&mut self, node: Node<'a, '_>, is_apex: bool) {
        let frame = self.rendered.len();
        self.frames.push(frame);
        if self.how.exclusive {
            self.visible_namespaces(node);
        } else {
            self.new_namespaces(node, is_apex);
        }
        self.rendered[frame..].sort_unstable();

        self.sink.put("<");
        self.sink.put(node.qname());
        for at in frame..self.rendered.len() {
            let (prefix, uri) = self.rendered[at];
            self.sink.put(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            self.sink.put(prefix);
            self.sink.put("=\"");
            self.escaped(uri, &ATTRIBUTE);
            self.sink.put("\"");
        }
        for attribute in self.attributes(node, is_apex) {
            self.sink.put(" ");
            self.sink.put(lexical_name(node, &attribute));
            self.sink.put("=\"");
            self.escaped(attribute.value(), &ATTRIBUTE);
            self.sink.put("\"");
        }
        self.sink.put(">");
    }

    fn end_tag(&mut self, node: Node<'_, '_>) {
        self.sink.put("</");
        self.sink.put(node.qname());
        self.sink.put(">");
        let frame = self.frames.pop().unwrap_or(0);
        self.rendered.truncate(frame);
    }

    /// Every namespace in scope that the output does not have in scope already (C14N §2.3): at the top all of
    /// them can be new, below only those that the element declares.
    fn new_namespaces(&mut self, node: Node<'a, '_>, is_apex: bool) {
        let own: Vec<&'a Namespace<'_>> = node.namespaces().collect();
        let declared = if is_apex { own.len() } else { own.len() - inherited(node, &own) };
        for namespace in &own[..declared] {
            self.render(namespace.name().unwrap_or_default(), namespace.uri());
        }
    }

    /// Namespaces that the start tag uses, and those of the PrefixList that are in scope (Exclusive C14N §3).
    fn visible_namespaces(&mut self, node: Node<'a, '_>) {
        self.render_prefix(node, prefix_of(node.qname()));
        for attribute in node.attributes() {
            let prefix = prefix_of(lexical_name(node, &attribute));
            if !prefix.is_empty() {
                self.render_prefix(node, prefix);
            }
        }
        let how = self.how;
        for listed in &how.prefixes {
            let prefix = if listed == "#default" { "" } else { listed.as_str() };
            let in_scope = node.namespaces().find(|n| n.name().unwrap_or_default() == prefix);
            if let Some(namespace) = in_scope {
                self.render(namespace.name().unwrap_or_default(), namespace.uri());
            }
        }
    }

    fn render_prefix(&mut self, node: Node<'a, '_>, prefix: &str) {
        let in_scope = node.namespaces().find(|n| n.name().unwrap_or_default() == prefix);
        match in_scope {
            Some(namespace) => self.render(namespace.name().unwrap_or_default(), namespace.uri()),
            None if prefix.is_empty() => self.render("", ""),
            None => {}
        }
    }

    fn render(&mut self, prefix: &'a str, uri: &'a str) {
        if prefix == "xml" {
            return;
        }
        let known = self.rendered.iter().rev().find(|(p, _)| *p == prefix).map(|(_, uri)| *uri);
        // "No default namespace" is what an output without any declaration says.
        let known = known.or((prefix.is_empty()).then_some(""));
        if known != Some(uri) {
            self.rendered.push((prefix, uri));
        }
    }

    /// In canonical order. Inclusive: the top element inherits `xml:` attributes of its ancestors (C14N §2.4).
    fn attributes<'n, 'i>(&self, node: Node<'n, 'i>, is_apex: bool) -> Vec<Attribute<'n, 'i>> {
        let mut attributes: Vec<Attribute<'n, 'i>> = node.attributes().collect();
        if is_apex && !self.how.exclusive {
            let inherited = node.ancestors().skip(1).flat_map(|ancestor| ancestor.attributes());
            for attribute in inherited.filter(|a| a.namespace() == Some(roxmltree::NS_XML_URI)) {
                let is_given =
                    |a: &Attribute<'_, '_>| a.namespace() == attribute.namespace() && a.name() == attribute.name();
                if !attributes.iter().any(is_given) {
                    attributes.push(attribute);
                }
            }
        }
        attributes.sort_by_key(|a| (a.namespace().unwrap_or_default(), a.name()));
        attributes
    }

    fn escaped(&mut self, text: &str, escapes: &Escapes) {
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| escapes[usize::from(byte)].is_some()) {
            self.sink.put(&rest[..at]);
            self.sink.put(escapes[usize::from(rest.as_bytes()[at])].unwrap_or_default());
            rest = &rest[at + 1..];
        }
        self.sink.put(rest);
    }

    /// Comments and instructions come with the line ends of the file; XML 1.0 §2.11 makes them all LF.
    fn lines(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = memchr(b'\r', rest.as_bytes()) {
            self.sink.put(&rest[..at]);
            self.sink.put("\n");
            rest = &rest[at + 1..];
            rest = rest.strip_prefix('\n').unwrap_or(rest);
        }
        self.sink.put(rest);
    }
}

fn prefix_of(qname: &str) -> &str {
    qname.split_once(':').map_or("", |(prefix, _)| prefix)
}

fn lexical_name<'i>(node: Node<'_, 'i>, attribute: &Attribute<'_, 'i>) -> &'i str {
    node.document().input_text().get(attribute.range_qname()).unwrap_or_default()
}

/// How many namespaces, at the end of the list, an element has from its parent. The tree keeps them in the
/// parent's order behind its own, and equal ones at one place: looking each of them up would let a document
/// of many namespaces cost the square of its size.
fn inherited(node: Node<'_, '_>, own: &[&Namespace<'_>]) -> usize {
    let Some(parent) = node.parent_element() else { return 0 };
    let of_parent: Vec<&Namespace<'_>> = parent.namespaces().collect();
    let mut rest = own;
    for namespace in of_parent.iter().rev() {
        if let Some((last, before)) = rest.split_last()
            && std::ptr::eq(*last, *namespace)
        {
            rest = before;
        }
    }
    own.len() - rest.len()
}

/// What a byte is written as, where it is not itself.
type Escapes = [Option<&'static str>; 256];

/// C14N §2.3, text nodes.
static TEXT: Escapes = escapes(&[(b'&', "&amp;"), (b'<', "&lt;"), (b'>', "&gt;"), (b'\r', "&#xD;")]);

/// C14N §2.3, attribute nodes.
static ATTRIBUTE: Escapes =
    escapes(&[(b'&', "&amp;"), (b'<', "&lt;"), (b'"', "&quot;"), (b'\t', "&#x9;"), (b'\n', "&#xA;"), (b'\r', "&#xD;")]);

const fn escapes(pairs: &[(u8, &'static str)]) -> Escapes {
    let mut table = [None; 256];
    let mut at = 0;
    while at < pairs.len() {
        table[pairs[at].0 as usize] = Some(pairs[at].1);
        at += 1;
    }
    table
}
