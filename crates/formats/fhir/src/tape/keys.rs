//! The member names of one document, each kept once. Comparing two names is comparing two numbers.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// A name, by its place in [`Keys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyId(pub(super) u32);

impl KeyId {
    pub(super) const NONE: Self = Self(u32::MAX);
}

/// An open-addressing table over the names of a document.
///
/// The hash is seeded once per process, so that nobody can choose names that collide.
pub(super) struct Keys {
    text: String,
    spans: Vec<(u32, u32)>,
    /// Hash in the upper half, name + 1 in the lower; 0 is free. The length is a power of two.
    slots: Vec<u64>,
}

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0x5EED_u32));

impl Keys {
    pub(super) fn new() -> Self {
        Self { text: String::new(), spans: Vec::new(), slots: vec![0; 128] }
    }

    pub(super) fn text(&self, id: KeyId) -> &str {
        self.spans
            .get(id.0 as usize)
            .and_then(|(start, end)| self.text.get(*start as usize..*end as usize))
            .unwrap_or_default()
    }

    /// How many different names there are.
    pub(super) const fn len(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn find(&self, name: &str) -> Option<KeyId> {
        let hash = hash(name.as_bytes());
        let mut at = self.first_slot(hash);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            if let Some(id) = self.matching(slot, hash, name) {
                return Some(id);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    pub(super) fn intern(&mut self, name: &str) -> KeyId {
        let hash = hash(name.as_bytes());
        let mut at = self.first_slot(hash);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return self.add(name, hash, at);
            }
            if let Some(id) = self.matching(slot, hash, name) {
                return id;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    fn matching(&self, slot: u64, hash: u64, name: &str) -> Option<KeyId> {
        if slot >> 32 != hash >> 32 {
            return None;
        }
        let id = KeyId(low(slot) - 1);
        (self.text(id) == name).then_some(id)
    }

    fn add(&mut self, name: &str, hash: u64, at: usize) -> KeyId {
        let id = KeyId(low(self.spans.len() as u64));
        let start = low(self.text.len() as u64);
        self.text.push_str(name);
        self.spans.push((start, low(self.text.len() as u64)));
        self.slots[at] = (hash >> 32 << 32) | u64::from(id.0 + 1);
        if self.spans.len() * 2 > self.slots.len() {
            self.grow();
        }
        id
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![0; old.len() * 2];
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            let name = hash(self.text(KeyId(low(slot) - 1)).as_bytes());
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

/// The lower 32 bits. Counts fit: a document has at most 4 GiB.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
const fn low(value: u64) -> u32 {
    value as u32
}

/// Folded multiplication over eight bytes at a time; names are short.
fn hash(name: &[u8]) -> u64 {
    let mut state = *SEED ^ (name.len() as u64);
    let mut chunks = name.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = fold(state, u64::from_le_bytes(word));
    }
    let rest = chunks.remainder().iter().fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
    fold(state, rest)
}

#[expect(clippy::cast_possible_truncation, reason = "both halves of the product are used")]
const fn fold(state: u64, word: u64) -> u64 {
    let product = ((state ^ word) as u128) * 0x9E37_79B9_7F4A_7C15_u128;
    (product as u64) ^ ((product >> 64) as u64)
}
