//! What is asked of typed entries: a [`Query`] and its [`Filter`], free of any engine.

use std::fmt;

use crate::{Page, Version};

/// A question about the living resources of one kind.
#[derive(Clone)]
pub struct Query {
    /// Whose.
    pub tenant: String,
    /// Of which kind.
    pub kind: String,
    /// What must hold.
    pub filter: Filter,
    /// In which order; newest created first where this does not decide. A resource without the value comes last.
    pub sort: Vec<Sort>,
    /// How many, after which.
    pub page: Page,
    /// Count all that pass, too.
    pub count: bool,
}

impl fmt::Debug for Query {
    /// Without the filter, whose values may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query({} of {}, {:?})", self.kind, self.tenant, self.page)
    }
}

/// What a resource must be. Names are those of [`crate::Entry`].
#[derive(Clone)]
pub enum Filter {
    /// Each of these; with none, everything passes.
    All(Vec<Self>),
    /// One of these; with none, nothing passes.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// It has one of these ids.
    Id(Vec<String>),
    /// Its current version was committed within the bounds, in microseconds since 1970; `low` and `high` are the same.
    Updated(Bounds),
    /// It has an entry of that name.
    Present(String),
    /// It has one of these words.
    Exact(String, Vec<String>),
    /// It has such a text.
    Text(String, TextTest),
    /// It has such a range, on that unit.
    Range(String, String, Bounds),
    /// It links to one of these (kind, id).
    Link(String, Vec<(String, String)>),
    /// It links to a living resource of that kind that passes.
    LinksTo(String, String, Box<Self>),
    /// A living resource of that kind, which passes, links to it by that name.
    LinkedFrom(String, String, Box<Self>),
}

/// How a text is compared.
#[derive(Clone)]
pub enum TextTest {
    /// The folded text begins so.
    Begins(String),
    /// The folded text holds that.
    Holds(String),
    /// The folded text is that.
    Is(String),
    /// The folded text is the first, and the text as written is the second.
    Written(String, String),
}

/// Between which numbers the ends of a range are, all included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The lower end.
    pub low: (i64, i64),
    /// The upper end.
    pub high: (i64, i64),
}

impl Bounds {
    /// Any range.
    pub const ANY: Self = Self { low: (i64::MIN, i64::MAX), high: (i64::MIN, i64::MAX) };
}

/// One step of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// The greatest first.
    pub descending: bool,
}

/// What is compared to sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortBy {
    /// The order of commits.
    Updated,
    /// The id.
    Id,
    /// The least text of that name (the greatest when descending).
    Text(String),
    /// The least lower end of that name (the greatest upper end when descending).
    Range(String),
    /// The least id that it links to by that name (the greatest when descending).
    Link(String),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// One page; a version's cursor is where the next one begins.
    pub versions: Vec<Version>,
    /// How many pass in all, when it was asked, at the same moment.
    pub total: Option<u64>,
}
