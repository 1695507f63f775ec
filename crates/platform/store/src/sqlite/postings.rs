//! Postings: packed beside the resource, hashed in the index, intersected at a search.

use std::collections::VecDeque;

use rusqlite::{CachedStatement, Connection};

use crate::{Digest, Posting, StoreError, Term};

/// The index entry under which every living resource of a space is found.
const EVERYTHING: (&str, &str) = ("", "");

/// The postings of one resource, sorted and each once, packed: two lengths (u16), name, value.
pub(super) fn pack(postings: &[Posting]) -> Vec<u8> {
    let mut sorted: Vec<_> = postings.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut packed = Vec::with_capacity(sorted.len() * 48);
    for posting in sorted {
        // The batch was validated: both are shorter than 2^16.
        packed.extend_from_slice(&(posting.name.len() as u16).to_le_bytes());
        packed.extend_from_slice(&(posting.value.len() as u16).to_le_bytes());
        packed.extend_from_slice(posting.name.as_bytes());
        packed.extend_from_slice(posting.value.as_bytes());
    }
    packed
}

/// The (name, value) pairs of packed postings; stops at the first byte that makes no sense.
pub(super) fn unpack(mut packed: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    std::iter::from_fn(move || {
        let (lengths, rest) = packed.split_first_chunk::<4>()?;
        let name_length = usize::from(u16::from_le_bytes([lengths[0], lengths[1]]));
        let value_length = usize::from(u16::from_le_bytes([lengths[2], lengths[3]]));
        let (name, rest) = rest.split_at_checked(name_length)?;
        let (value, rest) = rest.split_at_checked(value_length)?;
        packed = rest;
        Some((std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?))
    })
}

/// The index entries of a living resource with these packed postings, sorted.
pub(super) fn entries(space: i64, packed: &[u8]) -> Vec<i64> {
    let mut entries: Vec<_> = unpack(packed).map(|(name, value)| entry(space, name, value)).collect();
    entries.push(everything(space));
    entries.sort_unstable();
    entries.dedup();
    entries
}

/// The entry under which every living resource of a space is found.
pub(super) fn everything(space: i64) -> i64 {
    entry(space, EVERYTHING.0, EVERYTHING.1)
}

/// 8 bytes of SHA-256: two pairs may share an entry, so that a hit must be checked with [`holds`].
fn entry(space: i64, name: &str, value: &str) -> i64 {
    let mut text = Vec::with_capacity(12 + name.len() + value.len());
    text.extend_from_slice(&space.to_le_bytes());
    text.extend_from_slice(&(name.len() as u32).to_le_bytes());
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(value.as_bytes());
    let digest = Digest::of(&text);
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_bytes()[..8]);
    i64::from_le_bytes(first)
}

/// Whether packed postings have all `terms`.
pub(super) fn holds(packed: &[u8], terms: &[Term]) -> bool {
    terms.iter().all(|term| {
        unpack(packed).any(|(name, value)| name == term.name && term.values.iter().any(|wanted| wanted == value))
    })
}

/// Walks the resources that have all terms, newest first: each term's list is asked for its next entry
/// at or below the lowest one seen, so that the shortest list leads whatever the order of the terms.
pub(super) struct Candidates<'db> {
    terms: Vec<Union<'db>>,
    below: Option<i64>,
}

impl<'db> Candidates<'db> {
    /// Candidates of a space, older than `before`.
    pub(super) fn new(
        db: &'db Connection,
        space: i64,
        terms: &[Term],
        before: Option<i64>,
    ) -> Result<Self, StoreError> {
        let mut unions = Vec::with_capacity(terms.len().max(1));
        for term in terms {
            let entries = term.values.iter().map(|value| entry(space, &term.name, value));
            unions.push(Union::new(db, entries)?);
        }
        if terms.is_empty() {
            unions.push(Union::new(db, std::iter::once(everything(space)))?);
        }
        let below = before.map_or(Some(i64::MAX), |before| before.checked_sub(1));
        Ok(Self { terms: unions, below })
    }

    /// The next resource. It may be a false one, by a shared entry.
    pub(super) fn next(&mut self) -> Result<Option<i64>, StoreError> {
        let Some(mut target) = self.below else { return Ok(None) };
        let mut agreed = 0;
        let mut at = 0;
        while agreed < self.terms.len() {
            let Some(found) = self.terms[at].seek(target)? else {
                self.below = None;
                return Ok(None);
            };
            agreed = if found == target { agreed + 1 } else { 1 };
            target = found;
            at = (at + 1) % self.terms.len();
        }
        self.below = target.checked_sub(1);
        Ok(Some(target))
    }
}

/// The merged lists of a term's values.
struct Union<'db>(Vec<List<'db>>);

impl<'db> Union<'db> {
    fn new(db: &'db Connection, entries: impl Iterator<Item = i64>) -> Result<Self, StoreError> {
        entries.map(|entry| List::new(db, entry)).collect::<Result<_, _>>().map(Self)
    }

    /// The greatest resource at or below `target`.
    fn seek(&mut self, target: i64) -> Result<Option<i64>, StoreError> {
        let mut best = None;
        for list in &mut self.0 {
            best = best.max(list.seek(target)?);
        }
        Ok(best)
    }
}

/// One index entry's resources, descending, fetched a few at a time.
struct List<'db> {
    statement: CachedStatement<'db>,
    entry: i64,
    fetched: VecDeque<i64>,
    fetch: i64,
    ended: bool,
}

/// The first fetch is one row, since most lists are only probed; each following one doubles up to this.
const FETCH_MAX: i64 = 256;

impl<'db> List<'db> {
    fn new(db: &'db Connection, entry: i64) -> Result<Self, StoreError> {
        let statement =
            db.prepare_cached("SELECT rid FROM posting WHERE term = ?1 AND rid <= ?2 ORDER BY rid DESC LIMIT ?3")?;
        Ok(Self { statement, entry, fetched: VecDeque::new(), fetch: 1, ended: false })
    }

    fn seek(&mut self, target: i64) -> Result<Option<i64>, StoreError> {
        loop {
            while let Some(&first) = self.fetched.front() {
                if first <= target {
                    return Ok(Some(first));
                }
                self.fetched.pop_front();
            }
            if self.ended {
                return Ok(None);
            }
            let rows = self.statement.query_map((self.entry, target, self.fetch), |row| row.get(0))?;
            self.fetched = rows.collect::<Result<_, _>>()?;
            self.ended = (self.fetched.len() as i64) < self.fetch;
            self.fetch = (self.fetch * 2).min(FETCH_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posting(name: &str, value: &str) -> Posting {
        Posting { name: name.into(), value: value.into() }
    }

    #[test]
    fn packed_postings_come_back_sorted_and_once() {
        let packed = pack(&[posting("b", ""), posting("a", "é"), posting("b", ""), posting("a", "0")]);
        assert_eq!(unpack(&packed).collect::<Vec<_>>(), [("a", "0"), ("a", "é"), ("b", "")]);
    }

    #[test]
    fn cut_or_foreign_bytes_end_the_list() {
        let packed = pack(&[posting("name", "value"), posting("other", "one")]);
        for cut in 0..packed.len() {
            assert!(unpack(&packed[..cut]).count() < 2, "cut at {cut}");
        }
        assert_eq!(unpack(&[1, 0, 0, 0, 0xff]).count(), 0);
    }

    #[test]
    fn where_a_name_ends_matters() {
        assert_ne!(entry(1, "ab", "c"), entry(1, "a", "bc"));
        assert_ne!(entry(1, "a", "b"), entry(2, "a", "b"));
    }

    #[test]
    fn a_term_holds_only_for_its_own_name_and_values() {
        let packed = pack(&[posting("status", "current"), posting("type", "11506-3")]);
        let cases = [
            ("no term", vec![], true),
            ("its value", vec![Term::is("status", "current")], true),
            ("one of several", vec![Term::any_of("status", ["x", "current"])], true),
            ("both terms", vec![Term::is("status", "current"), Term::is("type", "11506-3")], true),
            ("value under another name", vec![Term::is("type", "current")], false),
            ("a prefix", vec![Term::is("status", "curren")], false),
            ("no values", vec![Term::any_of("status", Vec::<String>::new())], false),
            ("one term of two", vec![Term::is("status", "current"), Term::is("type", "x")], false),
        ];
        for (name, terms, expected) in cases {
            assert_eq!(holds(&packed, &terms), expected, "{name}");
        }
    }
}
