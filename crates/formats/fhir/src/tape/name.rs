//! Element names as numbers: one table for the whole process.
//!
//! The table holds every member name of R4, the base names of its choices (`value` of `valueString`), the
//! names of its types and resources, and `_name` for each name that a primitive element has. Any other
//! name gets a number of its document, above those.

use std::fmt;
use std::sync::LazyLock;

use crate::definitions::graph;

/// A name, as a number. Two names of R4, or two names of one document, are the same if their numbers are.
///
/// Names that R4 does not have are numbered per document: across documents compare their texts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(pub(crate) u32);

/// From here on, numbers are a document's own.
pub(super) const FIRST_OWN: u32 = 1 << 16;

impl NameId {
    /// No name: an item of an array, or the root.
    pub const NONE: Self = Self(u32::MAX);
    /// `resourceType`
    pub const RESOURCE_TYPE: Self = Self(0);
    /// `id`
    pub const ID: Self = Self(1);
    /// `extension`
    pub const EXTENSION: Self = Self(2);
    /// `modifierExtension`
    pub const MODIFIER_EXTENSION: Self = Self(3);
    /// `url`
    pub const URL: Self = Self(4);
    /// `value`: the base name of `value[x]`, and an element of its own in some types.
    pub const VALUE: Self = Self(5);
    /// `meta`
    pub const META: Self = Self(6);
    /// `text`
    pub const TEXT: Self = Self(9);
    /// `div`
    pub const DIV: Self = Self(10);
    /// `status`
    pub const STATUS: Self = Self(11);
    /// `contained`
    pub const CONTAINED: Self = Self(12);
    /// `profile`
    pub const PROFILE: Self = Self(13);
    /// `reference`
    pub const REFERENCE: Self = Self(14);
    /// `identifier`
    pub const IDENTIFIER: Self = Self(15);
    /// `system`
    pub const SYSTEM: Self = Self(16);
    /// `code`
    pub const CODE: Self = Self(17);
    /// `display`
    pub const DISPLAY: Self = Self(18);
    /// `coding`
    pub const CODING: Self = Self(19);
    /// `type`
    pub const TYPE: Self = Self(20);
    /// `entry`
    pub const ENTRY: Self = Self(21);
    /// `resource`
    pub const RESOURCE: Self = Self(22);
    /// `fullUrl`
    pub const FULL_URL: Self = Self(23);

    /// The number of a name of R4.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        NAMES.find(name)
    }

    /// The text of a name of R4; none for [`Self::NONE`] and for a document's own names.
    #[must_use]
    pub fn text(self) -> Option<&'static str> {
        NAMES.text(self)
    }

    /// It is in the table of R4.
    #[must_use]
    pub const fn is_known(self) -> bool {
        self.0 < FIRST_OWN
    }

    /// `_birthDate` of `birthDate`: where JSON writes the id and extensions of a primitive element (FHIR
    /// R4 §2.6.2.2); none when no primitive element has that name.
    #[must_use]
    pub fn companion(self) -> Option<Self> {
        NAMES.companion.get(self.0 as usize).copied().filter(|id| *id != Self::NONE)
    }

    /// `birthDate` of `_birthDate`; none for a name that is no companion.
    #[must_use]
    pub fn companion_of(self) -> Option<Self> {
        self.is_known()
            .then(|| NAMES.companion_of.get((self.0 as usize).checked_sub(NAMES.first_companion)?).copied())?
    }
}

impl fmt::Debug for NameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => f.write_str(text),
            None if *self == Self::NONE => f.write_str("(none)"),
            None => write!(f, "(own name {})", self.0 - FIRST_OWN),
        }
    }
}

/// The table. It never grows: a name that is not there costs a few steps, whoever chose it.
pub(super) struct Names {
    text: String,
    spans: Vec<(u32, u32)>,
    /// Upper half of the hash in the upper half, name + 1 in the lower; 0 is free. The length is a power of two.
    slots: Vec<u32>,
    companion: Vec<NameId>,
    first_companion: usize,
    companion_of: Vec<NameId>,
}

pub(super) static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let graph = graph();
    let mut names = Names {
        text: String::new(),
        spans: Vec::new(),
        slots: vec![0; 8192],
        companion: vec![NameId::NONE; graph.names.len()],
        first_companion: graph.names.len(),
        companion_of: Vec::new(),
    };
    for name in &graph.names {
        names.add(&[name]);
    }
    for primary in &graph.companions {
        let id = names.add(&["_", graph.names.get(usize::from(*primary)).copied().unwrap_or_default()]);
        if let Some(place) = names.companion.get_mut(usize::from(*primary)) {
            *place = id;
        }
        names.companion_of.push(NameId(u32::from(*primary)));
    }
    names
});

impl Names {
    fn add(&mut self, parts: &[&str]) -> NameId {
        let start = self.text.len();
        parts.iter().for_each(|part| self.text.push_str(part));
        let id = low(self.spans.len() as u64);
        self.spans.push((low(start as u64), low(self.text.len() as u64)));
        let hash = hash(0, &self.text.as_bytes()[start..]);
        let mut at = self.first_slot(hash);
        while self.slots[at] != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = tag(hash) | (id + 1);
        NameId(id)
    }

    #[inline]
    pub(super) fn find(&self, name: &str) -> Option<NameId> {
        let hash = hash(0, name.as_bytes());
        let mut at = self.first_slot(hash);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            let id = (slot & 0xFFFF) - 1;
            if slot & 0xFFFF_0000 == tag(hash) && self.at(id) == name {
                return Some(NameId(id));
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// It is a `_name`.
    #[inline]
    pub(super) const fn is_companion(&self, id: NameId) -> bool {
        id.0 < FIRST_OWN && id.0 as usize >= self.first_companion
    }

    pub(super) fn text(&self, id: NameId) -> Option<&str> {
        self.spans.get(id.0 as usize).map(|_| self.at(id.0))
    }

    fn at(&self, id: u32) -> &str {
        let (start, end) = self.spans.get(id as usize).copied().unwrap_or_default();
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    fn first_slot(&self, hash: u64) -> usize {
        low(hash) as usize & (self.slots.len() - 1)
    }
}

/// Sixteen bits of the hash that the slot does not already say.
const fn tag(hash: u64) -> u32 {
    low(hash >> 48) << 16
}

/// The lower 32 bits. Counts fit: a document has at most 4 GiB.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
pub(super) const fn low(value: u64) -> u32 {
    value as u32
}

/// Folded multiplication over eight bytes at a time; names are short.
#[inline]
pub(super) fn hash(seed: u64, name: &[u8]) -> u64 {
    let mut state = seed ^ (name.len() as u64);
    if let Some(last) = name.last_chunk::<8>() {
        for chunk in name[..name.len() - 1].chunks_exact(8) {
            state = fold(state, u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
        }
        return fold(state, u64::from_le_bytes(*last));
    }
    let word = match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | (u64::from(u32::from_le_bytes(*last)) << 32)
        }
        _ => name.iter().fold(0_u64, |word, byte| (word << 8) | u64::from(*byte)),
    };
    fold(state, word)
}

#[expect(clippy::cast_possible_truncation, reason = "both halves of the product are used")]
const fn fold(state: u64, word: u64) -> u64 {
    let product = ((state ^ word ^ 0xA076_1D64_78BD_642F) as u128) * 0x9E37_79B9_7F4A_7C15_u128;
    (product as u64) ^ ((product >> 64) as u64)
}
