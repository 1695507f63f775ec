//! What a resource is found by, beyond exact postings: typed [`Entry`]s, written with it and replaced with it.
//!
//! The caller says what a value means: texts come folded, dates and numbers as ranges of integers in the order
//! of the values, links as kind and id. The store only compares.

use std::fmt;
use std::sync::Arc;

/// One value by which the current version of a resource is found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The search name, within the kind: `birthdate`.
    pub name: Arc<str>,
    /// The value.
    pub value: Key,
}

impl Entry {
    /// An entry.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, value: Key) -> Self {
        Self { name: name.into(), value }
    }
}

impl fmt::Debug for Entry {
    /// Without the value, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.value {
            Key::Exact(_) => "exact",
            Key::Text { .. } => "text",
            Key::Range { .. } => "range",
            Key::Link { .. } => "link",
        };
        write!(f, "Entry({}, {kind})", self.name)
    }
}

/// A value, by how it is compared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A word that is equal or not. Kept as 8 bytes of its SHA-256.
    Exact(String),
    /// A text that is compared by its beginning, its parts or the whole.
    Text {
        /// Folded by the caller, in the same way as what is searched.
        folded: String,
        /// As it was written.
        written: String,
    },
    /// Everything from `low` to `high`, both included, on the scale of a unit.
    Range {
        /// Values of different units are never compared; empty for none.
        unit: String,
        /// The lower end.
        low: i64,
        /// The upper end.
        high: i64,
    },
    /// Another resource of the same tenant, whether it exists or not.
    Link {
        /// Its kind; empty for what is outside, whose `id` is then its URL.
        kind: String,
        /// Its id.
        id: String,
    },
}

/// Longest text of an entry, in bytes: a longer one is cut there, and found by its beginning alone.
pub(crate) const TEXT_LIMIT: usize = 512;
/// Longest id or URL of a link, in bytes.
pub(crate) const LINK_LIMIT: usize = 1024;
/// Most entries of one resource.
pub(crate) const ENTRY_LIMIT: usize = 100_000;
