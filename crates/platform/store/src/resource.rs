//! Words for reading: versions, search terms, pages.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

/// One version of a resource, as it was written.
#[derive(Clone, PartialEq, Eq)]
pub struct Version {
    /// The resource's kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// 1 for the first one, then one more at each write or delete.
    pub version: u64,
    /// When it was committed, by the store's clock.
    pub at: Timestamp,
    /// A tombstone: the resource was deleted at this version, and `body` is empty.
    pub deleted: bool,
    /// The content, byte for byte.
    pub body: Bytes,
    /// Where the next page begins when this is the last of its page.
    pub cursor: Cursor,
}

impl fmt::Debug for Version {
    /// Without the body, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.deleted { "deleted" } else { "alive" };
        write!(f, "Version({}/{} v{}, {state}, {} bytes)", self.kind, self.id, self.version, self.body.len())
    }
}

/// One condition of a search: the posting `name` has one of `values` (exactly, byte by byte).
#[derive(Clone, PartialEq, Eq)]
pub struct Term {
    /// The posting's name.
    pub name: String,
    /// Any of these values will do; with none of them, nothing is found.
    pub values: Vec<String>,
}

impl Term {
    /// `name` = `value`.
    #[must_use]
    pub fn is(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), values: vec![value.into()] }
    }

    /// `name` is one of `values`.
    #[must_use]
    pub fn any_of<V: Into<String>>(name: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self { name: name.into(), values: values.into_iter().map(Into::into).collect() }
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Term({}, {} values)", self.name, self.values.len())
    }
}

/// A place in a list that is read page by page. It stays valid when the list grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub(crate) u64);

impl Cursor {
    /// A number to put in an address; a number of another list gives another place, never an error.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        self.0
    }

    /// The cursor of [`Cursor::to_u64`].
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }
}

/// How much of a list to read, from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most this many; more than [`Page::MAX`] is read as [`Page::MAX`].
    pub limit: usize,
    /// After this one, or from the beginning.
    pub after: Option<Cursor>,
}

impl Page {
    /// Most entries of one page.
    pub const MAX: usize = 10_000;

    /// The first `limit` entries.
    #[must_use]
    pub const fn first(limit: usize) -> Self {
        Self { limit, after: None }
    }

    /// The `limit` entries after `cursor`.
    #[must_use]
    pub const fn after(cursor: Cursor, limit: usize) -> Self {
        Self { limit, after: Some(cursor) }
    }

    /// How many rows to fetch.
    pub(crate) fn rows(self) -> i64 {
        self.limit.min(Self::MAX) as i64
    }

    /// For lists whose cursors descend: rows with a number below this one.
    pub(crate) fn before(self) -> i64 {
        self.after.map_or(i64::MAX, |cursor| i64::try_from(cursor.0).unwrap_or(i64::MAX))
    }
}
