//! A tape made value by value, for a reader of another syntax than JSON.

use std::sync::OnceLock;

use bytes::Bytes;

use super::{Document, Format, Keys, NameId, OddityKind, Raw, Tag};

/// A document being made. Values are pushed in document order; offsets are into the bytes given at the end.
pub(crate) struct Growing {
    nodes: Vec<Raw>,
    keys: Keys,
    unescaped: String,
    escapes: Vec<(u32, u32)>,
    oddities: Vec<(u32, OddityKind)>,
    open: Vec<u32>,
    max: usize,
}

/// More values than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

/// From the first byte to the one after the last.
pub(crate) type Span = std::ops::Range<usize>;

impl Growing {
    pub(crate) fn new(bytes: usize, max: usize) -> Self {
        Self {
            nodes: Vec::with_capacity((bytes / 24).clamp(16, 1 << 16)),
            keys: Keys::new(),
            unescaped: String::new(),
            escapes: Vec::new(),
            oddities: Vec::new(),
            open: Vec::with_capacity(16),
            max: max.min(u32::MAX as usize - 1),
        }
    }

    pub(crate) fn name(&mut self, name: &str) -> NameId {
        self.keys.intern(name)
    }

    pub(crate) fn text_of(&self, name: NameId) -> &str {
        self.keys.text(name)
    }

    /// Something odd about the value pushed next.
    pub(crate) fn odd(&mut self, kind: OddityKind) {
        self.oddities.push((offset(self.nodes.len()), kind));
    }

    /// Something odd about the innermost open object or array.
    pub(crate) fn odd_container(&mut self, kind: OddityKind) {
        self.oddities.push((self.open.last().copied().unwrap_or(0), kind));
    }

    pub(crate) fn open_object(&mut self, key: NameId, start: usize) -> Result<(), TooMany> {
        self.open(key, start, Tag::Object)
    }

    pub(crate) fn open_array(&mut self, key: NameId, start: usize) -> Result<(), TooMany> {
        self.open(key, start, Tag::Array)
    }

    /// Closes the innermost object or array.
    pub(crate) fn close(&mut self, end: usize) {
        let Some(index) = self.open.pop() else { return };
        let skip = offset(self.nodes.len());
        if skip == index + 1 {
            let is_object = self.nodes.last().is_some_and(|cell| cell.tag == Tag::Object);
            let kind = if is_object { OddityKind::EmptyObject } else { OddityKind::EmptyArray };
            self.oddities.push((index, kind));
        }
        if let Some(cell) = self.nodes.get_mut(index as usize) {
            cell.skip = skip;
            cell.end = offset(end);
        }
    }

    /// A string that stands in the bytes as it is; the span has one byte more on each side (its quotes).
    pub(crate) fn plain(&mut self, key: NameId, span: Span) -> Result<(), TooMany> {
        if span.len() == 2 {
            self.odd(OddityKind::EmptyString);
        }
        self.push(key, span, Tag::Plain, 0)
    }

    /// A string that the bytes write in another way.
    pub(crate) fn written(&mut self, key: NameId, span: Span, text: &str) -> Result<(), TooMany> {
        let place = offset(self.escapes.len());
        let start = offset(self.unescaped.len());
        self.unescaped.push_str(text);
        self.escapes.push((start, offset(self.unescaped.len())));
        self.push(key, span, Tag::Escaped, place)
    }

    pub(crate) fn number(&mut self, key: NameId, span: Span) -> Result<(), TooMany> {
        self.push(key, span, Tag::Number, 0)
    }

    pub(crate) fn boolean(&mut self, key: NameId, span: Span, value: bool) -> Result<(), TooMany> {
        self.push(key, span, if value { Tag::True } else { Tag::False }, 0)
    }

    pub(crate) fn null(&mut self, at: usize) -> Result<(), TooMany> {
        self.push(NameId::NONE, at..at, Tag::Null, 0)
    }

    pub(crate) fn finish(mut self, bytes: Bytes, format: Format) -> Document {
        self.oddities.sort_by_key(|(index, _)| *index);
        let Self { nodes, keys, unescaped, escapes, oddities, .. } = self;
        Document { bytes, format, nodes, keys, unescaped, escapes, oddities, places: OnceLock::new() }
    }

    fn open(&mut self, key: NameId, start: usize, tag: Tag) -> Result<(), TooMany> {
        let index = offset(self.nodes.len());
        self.push(key, start..start, tag, u32::MAX)?;
        self.open.push(index);
        Ok(())
    }

    fn push(&mut self, key: NameId, span: Span, tag: Tag, skip: u32) -> Result<(), TooMany> {
        if self.nodes.len() >= self.max {
            return Err(TooMany);
        }
        let parent = self.open.last().copied().unwrap_or(0);
        self.nodes.push(Raw { start: offset(span.start), end: offset(span.end), skip, parent, key, tag });
        Ok(())
    }
}

/// Offsets fit: readers refuse more than 4 GiB.
#[expect(clippy::cast_possible_truncation, reason = "a document has less than 4 GiB")]
const fn offset(value: usize) -> u32 {
    value as u32
}
