//! A map that only grows, and whose values stay where they are: a reference to one lives as long as the map.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::OnceLock;

const BUCKETS: usize = 128;

struct Link<K, V> {
    key: K,
    value: OnceLock<V>,
    next: Slot<K, V>,
}

/// The first of a chain of entries.
type Slot<K, V> = OnceLock<Box<Link<K, V>>>;

/// Made for a few hundred entries that are asked for often and from many threads: no lock is held while asking.
pub(crate) struct AppendMap<K, V> {
    hasher: RandomState,
    buckets: OnceLock<Box<[Slot<K, V>]>>,
}

impl<K, V> Default for AppendMap<K, V> {
    fn default() -> Self {
        Self { hasher: RandomState::new(), buckets: OnceLock::new() }
    }
}

impl<K, V> std::fmt::Debug for AppendMap<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppendMap")
    }
}

impl<K: Eq + Hash + Clone, V> AppendMap<K, V> {
    /// The value of a key, made at the first question. Other keys can be asked for meanwhile.
    pub(crate) fn get_or_insert_with(&self, key: K, make: impl FnOnce() -> V) -> &V {
        let buckets = self.buckets.get_or_init(|| (0..BUCKETS).map(|_| OnceLock::new()).collect());
        let hash = usize::try_from(self.hasher.hash_one(&key) % BUCKETS as u64).unwrap_or(0);
        let mut slot = &buckets[hash];
        loop {
            let link =
                slot.get_or_init(|| Box::new(Link { key: key.clone(), value: OnceLock::new(), next: OnceLock::new() }));
            if link.key == key {
                return link.value.get_or_init(make);
            }
            slot = &link.next;
        }
    }
}
