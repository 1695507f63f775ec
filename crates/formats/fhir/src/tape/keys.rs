//! The member names of one document that R4 does not have, each kept once.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use super::NameId;
use super::name::{FIRST_OWN, NAMES, Names, hash, low};

/// An open-addressing table over the own names of a document, above the table of R4.
///
/// The hash is seeded once per process, so that nobody can choose names that collide.
pub(super) struct Keys {
    known: &'static Names,
    text: String,
    spans: Vec<(u32, u32)>,
    /// Hash in the upper half, name + 1 in the lower; 0 is free. The length is zero or a power of two.
    slots: Vec<u64>,
}

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0x5EED_u32));

impl Keys {
    pub(super) fn new() -> Self {
        Self { known: &NAMES, text: String::new(), spans: Vec::new(), slots: Vec::new() }
    }

    /// It is the `_name` of a name of R4.
    #[inline]
    pub(super) const fn is_companion(&self, id: NameId) -> bool {
        self.known.is_companion(id)
    }

    pub(super) fn text(&self, id: NameId) -> &str {
        match id.0.checked_sub(FIRST_OWN) {
            None => self.known.text(id).unwrap_or_default(),
            Some(own) => self.own(own),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<NameId> {
        if let Some(id) = self.known.find(name) {
            return Some(id);
        }
        if self.slots.is_empty() {
            return None;
        }
        self.find_own(name, hash(*SEED, name.as_bytes())).ok()
    }

    #[inline]
    pub(super) fn intern(&mut self, name: &str) -> NameId {
        match self.known.find(name) {
            Some(id) => id,
            None => self.intern_own(name),
        }
    }

    fn intern_own(&mut self, name: &str) -> NameId {
        if self.spans.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let hash = hash(*SEED, name.as_bytes());
        match self.find_own(name, hash) {
            Ok(id) => id,
            Err(free) => self.add(name, hash, free),
        }
    }

    /// The name, or the slot where it would be. There is always a free slot.
    fn find_own(&self, name: &str, hash: u64) -> Result<NameId, usize> {
        let mut at = self.first_slot(hash);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            let own = low(slot) - 1;
            if slot >> 32 == hash >> 32 && self.own(own) == name {
                return Ok(NameId(FIRST_OWN + own));
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    fn own(&self, own: u32) -> &str {
        self.spans
            .get(own as usize)
            .and_then(|(start, end)| self.text.get(*start as usize..*end as usize))
            .unwrap_or_default()
    }

    fn add(&mut self, name: &str, hash: u64, at: usize) -> NameId {
        let own = low(self.spans.len() as u64);
        let start = low(self.text.len() as u64);
        self.text.push_str(name);
        self.spans.push((start, low(self.text.len() as u64)));
        self.slots[at] = (hash >> 32 << 32) | u64::from(own + 1);
        NameId(FIRST_OWN + own)
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![0; (old.len() * 2).max(16)];
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            let name = hash(*SEED, self.own(low(slot) - 1).as_bytes());
            let mut at = self.first_slot(name);
            while self.slots[at] != 0 {
                at = (at + 1) & (self.slots.len() - 1);
            }
            self.slots[at] = slot;
        }
    }

    fn first_slot(&self, hash: u64) -> usize {
        low(hash) as usize & (self.slots.len() - 1)
    }
}
