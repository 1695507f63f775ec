//! Walking the tape.

use std::fmt;

use bytes::Bytes;

use super::{Document, Kind, NameId, Position, Raw, Tag};

/// One value of a document.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document,
    index: u32,
}

impl<'a> Node<'a> {
    pub(super) const fn new(document: &'a Document, index: u32) -> Self {
        Self { document, index }
    }

    /// The document that holds it.
    #[must_use]
    pub const fn document(self) -> &'a Document {
        self.document
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.cell().tag {
            Tag::Object => Kind::Object,
            Tag::Array => Kind::Array,
            Tag::Plain | Tag::Escaped => Kind::String,
            Tag::Number => Kind::Number,
            Tag::True | Tag::False => Kind::Boolean,
            Tag::Null => Kind::Null,
        }
    }

    /// The member of that name; none when there is none, or when this is no object.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Self> {
        if self.cell().tag != Tag::Object {
            return None;
        }
        self.get_id(self.document.keys.find(name)?)
    }

    /// As [`Self::get`], for a name whose number is known: no text is compared.
    #[must_use]
    pub fn get_id(self, name: NameId) -> Option<Self> {
        if self.cell().tag != Tag::Object {
            return None;
        }
        self.children().find(|child| child.cell().key == name)
    }

    /// The member at the end of a way through objects; arrays are not entered.
    #[must_use]
    pub fn at(self, way: &[&str]) -> Option<Self> {
        way.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The items of an array; nothing for any other value.
    #[must_use]
    pub fn items(self) -> Items<'a> {
        Items(self.children_if(Tag::Array))
    }

    /// The items of the array of that name; nothing when it is absent or no array.
    #[must_use]
    pub fn all(self, name: &str) -> Items<'a> {
        self.get(name).map_or(Items(Children::none(self.document)), Self::items)
    }

    /// The members of an object in document order, each with its name; nothing for any other value.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        Members(self.children_if(Tag::Object))
    }

    /// The members of an object without their names, which [`Self::name_id`] gives as numbers.
    pub(crate) fn member_nodes(self) -> Items<'a> {
        Items(self.children_if(Tag::Object))
    }

    /// The text of a string, escapes resolved.
    #[must_use]
    pub fn str(self) -> Option<&'a str> {
        let cell = self.cell();
        match cell.tag {
            Tag::Plain => Some(self.document.slice(cell.start + 1, cell.end - 1)),
            Tag::Escaped => Some(self.document.unescaped(cell.skip)),
            _ => None,
        }
    }

    /// The text of the string of that name.
    #[must_use]
    pub fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.str()
    }

    /// The value of a boolean.
    #[must_use]
    pub fn bool(self) -> Option<bool> {
        match self.cell().tag {
            Tag::True => Some(true),
            Tag::False => Some(false),
            _ => None,
        }
    }

    /// A number as it was written: `1.0` and `1.00` differ (FHIR R4 §2.24.0.1, decimal).
    #[must_use]
    pub fn number(self) -> Option<&'a str> {
        (self.cell().tag == Tag::Number).then(|| self.raw())
    }

    /// A number that is a whole one of 64 bits.
    #[must_use]
    pub fn u64(self) -> Option<u64> {
        self.number()?.parse().ok()
    }

    /// The text as it was received, quotes and escapes included. Of an XML document it is XML: the element, or
    /// the value of an attribute; nothing for the null that fills an array. [`Self::json`] is the same for both.
    #[must_use]
    pub fn raw(self) -> &'a str {
        let cell = self.cell();
        self.document.slice(cell.start, cell.end)
    }

    /// The bytes as they were received, without a copy.
    #[must_use]
    pub fn raw_bytes(self) -> Bytes {
        let cell = self.cell();
        self.document.bytes.slice(cell.start as usize..cell.end as usize)
    }

    /// Its name, when it is the member of an object.
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        let key = self.cell().key;
        (key != super::NameId::NONE).then(|| self.document.keys.text(key))
    }

    /// The number of its name; [`NameId::NONE`] when it is no member of an object.
    #[must_use]
    pub fn name_id(self) -> NameId {
        self.cell().key
    }

    /// The place on the tape: from 0 for the root, in document order, one number for each value.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// The object or array that holds it; none for the root.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        (self.index != 0).then(|| Self::new(self.document, self.cell().parent))
    }

    /// The `resourceType`, when it is an object that says one.
    #[must_use]
    pub fn resource_type(self) -> Option<&'a str> {
        self.text("resourceType")
    }

    /// Where it begins.
    #[must_use]
    pub fn position(self) -> Position {
        self.document.position_of(self.cell().start as usize)
    }

    /// The place of a byte of its text ([`Self::str`]); where it begins, when the text was written with escapes.
    #[must_use]
    pub fn position_within(self, offset: usize) -> Position {
        let cell = self.cell();
        let (start, end) = (cell.start as usize, cell.end as usize);
        let is_as_written =
            |from: usize| self.str().is_some_and(|text| self.document.bytes[from..end].starts_with(text.as_bytes()));
        let first = match cell.tag {
            Tag::Plain => start + 1,
            Tag::Escaped if is_as_written(start) => start,
            _ => return self.position(),
        };
        self.document.position_of((first + offset).min(end))
    }

    /// Where it is in the document, in the manner of FHIRPath: `Bundle.entry[0].resource.id`.
    ///
    /// It starts with the root's resource type, or `$` when the root is no resource.
    #[must_use]
    pub fn path(self) -> String {
        let mut steps = Vec::new();
        let mut node = self;
        while let Some(parent) = node.parent() {
            steps.push(node);
            node = parent;
        }
        let mut path = node.resource_type().filter(|name| !name.is_empty()).unwrap_or("$").to_owned();
        for step in steps.into_iter().rev() {
            step.push_step(&mut path);
        }
        path
    }

    fn push_step(self, path: &mut String) {
        if let Some(name) = self.name() {
            path.push('.');
            path.push_str(name);
        } else {
            let before =
                self.parent().map_or(0, |array| array.children().take_while(|item| item.index != self.index).count());
            path.push_str(&format!("[{before}]"));
        }
    }

    fn cell(self) -> &'a Raw {
        &self.document.nodes[self.index as usize]
    }

    fn children(self) -> Children<'a> {
        let cell = self.cell();
        match cell.tag {
            Tag::Object | Tag::Array => Children { document: self.document, at: self.index + 1, end: cell.skip },
            _ => Children::none(self.document),
        }
    }

    fn children_if(self, tag: Tag) -> Children<'a> {
        if self.cell().tag == tag { self.children() } else { Children::none(self.document) }
    }
}

impl PartialEq for Node<'_> {
    /// The same place of the same document.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.index == other.index
    }
}

impl fmt::Debug for Node<'_> {
    /// The place, never the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.path())
    }
}

#[derive(Clone)]
struct Children<'a> {
    document: &'a Document,
    at: u32,
    end: u32,
}

impl<'a> Children<'a> {
    const fn none(document: &'a Document) -> Self {
        Self { document, at: 0, end: 0 }
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        if self.at >= self.end {
            return None;
        }
        let node = Node::new(self.document, self.at);
        self.at = match node.cell().tag {
            Tag::Object | Tag::Array => node.cell().skip,
            _ => self.at + 1,
        };
        Some(node)
    }
}

/// The items of an array.
#[derive(Clone)]
pub struct Items<'a>(Children<'a>);

impl<'a> Iterator for Items<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        self.0.next()
    }
}

/// The members of an object.
#[derive(Clone)]
pub struct Members<'a>(Children<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Node<'a>);

    fn next(&mut self) -> Option<(&'a str, Node<'a>)> {
        let node = self.0.next()?;
        Some((node.name().unwrap_or_default(), node))
    }
}
