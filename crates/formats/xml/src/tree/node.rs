//! Small questions that every reader of a tree asks.

use roxmltree::{Document, Node};

/// Helpers on [`roxmltree::Node`]. `None` as namespace means "no namespace".
pub trait NodeExt<'a, 'input: 'a>: Copy {
    /// First child element of this expanded name.
    fn child(self, namespace: Option<&str>, name: &str) -> Option<Node<'a, 'input>>;

    /// All child elements of this expanded name, in document order.
    fn children_named<'n>(self, namespace: Option<&'n str>, name: &'n str) -> impl Iterator<Item = Node<'a, 'input>>;

    /// All child elements.
    fn child_elements(self) -> impl Iterator<Item = Node<'a, 'input>>;

    /// The first element reached by going down these names of one namespace.
    fn path(self, namespace: Option<&str>, names: &[&str]) -> Option<Node<'a, 'input>>;

    /// Is this an element of that expanded name?
    fn is(self, namespace: Option<&str>, name: &str) -> bool;

    /// The text of an element: all text nodes below it, concatenated. A comment in the middle of a value
    /// does not cut it, unlike [`Node::text`].
    fn full_text(self) -> String;

    /// [`full_text`](Self::full_text) without white space at both ends.
    fn trimmed_text(self) -> String;

    /// The lexical name as written, prefix included; empty when the node is no element.
    fn qname(self) -> &'input str;

    /// The source text of the node.
    fn source(self) -> &'input str;

    /// Line and column of the node's start, from 1.
    fn position(self) -> (u32, u32);

    /// The namespace and local name that a QName in content means here (`soap:Sender`); without prefix the
    /// default namespace counts. `None` when the prefix is not declared.
    fn resolve_qname<'t>(self, text: &'t str) -> Option<(Option<&'a str>, &'t str)>;
}

impl<'a, 'input> NodeExt<'a, 'input> for Node<'a, 'input> {
    fn child(self, namespace: Option<&str>, name: &str) -> Option<Node<'a, 'input>> {
        self.children().find(|child| child.is(namespace, name))
    }

    fn children_named<'n>(self, namespace: Option<&'n str>, name: &'n str) -> impl Iterator<Item = Node<'a, 'input>> {
        self.children().filter(move |child| child.is(namespace, name))
    }

    fn child_elements(self) -> impl Iterator<Item = Node<'a, 'input>> {
        self.children().filter(Node::is_element)
    }

    fn path(self, namespace: Option<&str>, names: &[&str]) -> Option<Node<'a, 'input>> {
        names.iter().try_fold(self, |node, name| node.child(namespace, name))
    }

    fn is(self, namespace: Option<&str>, name: &str) -> bool {
        // `xmlns=""` is no namespace, though the tree gives it as an empty one.
        let of_node = self.tag_name().namespace().filter(|uri| !uri.is_empty());
        self.is_element() && self.tag_name().name() == name && of_node == namespace
    }

    fn full_text(self) -> String {
        self.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect()
    }

    fn trimmed_text(self) -> String {
        self.full_text().trim().to_owned()
    }

    fn qname(self) -> &'input str {
        if !self.is_element() {
            return "";
        }
        let source = self.source().strip_prefix('<').unwrap_or_default();
        let ends = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'>' | b'/');
        source.bytes().position(ends).map_or(source, |end| &source[..end])
    }

    fn source(self) -> &'input str {
        source_of(self.document(), self.range())
    }

    fn position(self) -> (u32, u32) {
        let at = self.document().text_pos_at(self.range().start);
        (at.row, at.col)
    }

    fn resolve_qname<'t>(self, text: &'t str) -> Option<(Option<&'a str>, &'t str)> {
        match text.trim().split_once(':') {
            Some((prefix, local)) => Some((Some(self.lookup_namespace_uri(Some(prefix))?), local)),
            None => Some((self.default_namespace(), text.trim())),
        }
    }
}

fn source_of<'input>(document: &Document<'input>, range: std::ops::Range<usize>) -> &'input str {
    document.input_text().get(range).unwrap_or_default()
}
