//! The tree: leaves, root, proofs of inclusion and of consistency (RFC 9162 §2.1).
//!
//! [`Frontier`] keeps the root while leaves are added: one hash per leaf on average. Proofs read whole
//! subtrees from [`Nodes`] (a slice of leaves, or a store that kept the nodes that the frontier
//! completed): 2·log₂ n reads at most. Their verification needs nothing but the proof.

use std::convert::Infallible;

use ring::digest::{Context, SHA256};

/// A SHA-256 digest: a leaf, a node or a root.
pub type Hash = [u8; 32];

/// A proof of a tree of 2^64 leaves has at most this many hashes.
const PATH_MAX: usize = 65;

/// The input of a leaf: `SHA-256(salt ‖ canonical record)`.
#[must_use]
pub fn leaf_input(salt: &[u8], canonical: &[u8]) -> Hash {
    sha256(&[salt, canonical])
}

/// The hash of a leaf: `SHA-256(0x00 ‖ input)`.
#[must_use]
pub fn leaf_hash(input: &[u8]) -> Hash {
    sha256(&[&[0], input])
}

/// The hash of a node: `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// The root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// The right edge of a growing tree: the roots of its whole subtrees, largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// A frontier kept elsewhere; `None` when a tree of that size has another number of peaks.
    #[must_use]
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Leaves so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the whole subtrees, largest first: one per bit of the size.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_with(leaf, |_, _, _| {});
    }

    /// Adds a leaf and reports each subtree it completes as (level, index, root): level 0 is the leaf
    /// itself, and subtree (l, i) covers leaves i·2^l to (i+1)·2^l. Keep them to serve [`Nodes`].
    pub fn push_with(&mut self, leaf: Hash, mut completed: impl FnMut(u8, u64, Hash)) {
        let mut node = leaf;
        let mut level = 0;
        completed(0, self.size, node);
        while self.size >> level & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            node = node_hash(&left, &node);
            level += 1;
            completed(level, self.size >> level, node);
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root now.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// Where the roots of whole subtrees are read.
pub trait Nodes {
    /// Why one could not be read.
    type Error;

    /// The root of the subtree that covers leaves `index`·2^`level` to (`index`+1)·2^`level`.
    ///
    /// # Errors
    /// Whatever reading costs; asked only for subtrees that are whole.
    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// Leaf hashes in memory: nodes are computed.
impl Nodes for [Hash] {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        if level == 0 {
            let leaf = usize::try_from(index).ok().and_then(|at| self.get(at)).copied();
            return Ok(leaf.unwrap_or_default());
        }
        Ok(node_hash(&self.node(level - 1, index * 2)?, &self.node(level - 1, index * 2 + 1)?))
    }
}

/// The root of the first `size` leaves.
///
/// # Errors
/// The error of `nodes`.
pub fn root<N: Nodes + ?Sized>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    if size == 0 { Ok(empty_root()) } else { subtree(nodes, 0, size) }
}

/// The path that proves that leaf `index` is in the tree of `size` leaves (RFC 9162 §2.1.3.1).
///
/// # Errors
/// [`ProofError::OutOfRange`] unless `index < size`; the error of `nodes`.
pub fn inclusion<N: Nodes + ?Sized>(nodes: &N, index: u64, size: u64) -> Result<Vec<Hash>, ProofError<N::Error>> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(subtree(nodes, middle, end).map_err(ProofError::Nodes)?);
            end = middle;
        } else {
            path.push(subtree(nodes, start, middle).map_err(ProofError::Nodes)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The path that proves that the tree of `first` leaves is the beginning of that of `second`
/// (RFC 9162 §2.1.4.1). Empty when `first` is 0 or `second`.
///
/// # Errors
/// [`ProofError::OutOfRange`] unless `first <= second`; the error of `nodes`.
pub fn consistency<N: Nodes + ?Sized>(nodes: &N, first: u64, second: u64) -> Result<Vec<Hash>, ProofError<N::Error>> {
    if first > second {
        return Err(ProofError::OutOfRange);
    }
    let mut path = Vec::new();
    if first == 0 || first == second {
        return Ok(path);
    }
    let (mut start, mut end) = (0, second);
    // Down the tree until the end of the first one is the end of a subtree.
    while first != end {
        let middle = start + split(end - start);
        if first <= middle {
            path.push(subtree(nodes, middle, end).map_err(ProofError::Nodes)?);
            end = middle;
        } else {
            path.push(subtree(nodes, start, middle).map_err(ProofError::Nodes)?);
            start = middle;
        }
    }
    // Whoever checks knows the first root already when it is this very subtree.
    if start != 0 {
        path.push(subtree(nodes, start, end).map_err(ProofError::Nodes)?);
    }
    path.reverse();
    Ok(path)
}

/// The root of leaves `start` to `end`, where RFC 9162 makes a node of them.
fn subtree<N: Nodes + ?Sized>(nodes: &N, start: u64, end: u64) -> Result<Hash, N::Error> {
    let width = end - start;
    if width.is_power_of_two() {
        let level = width.trailing_zeros();
        #[expect(clippy::cast_possible_truncation, reason = "a u64 has fewer than 65 trailing zeros")]
        return nodes.node(level as u8, start >> level);
    }
    let middle = start + split(width);
    Ok(node_hash(&subtree(nodes, start, middle)?, &subtree(nodes, middle, end)?))
}

/// The largest power of two below `width`, which is 2 or more.
const fn split(width: u64) -> u64 {
    1 << (u64::BITS - 1 - (width - 1).leading_zeros())
}

/// Checks a path of [`inclusion`] (RFC 9162 §2.1.3.2).
///
/// # Errors
/// [`ProofError`]: out of range, or a path that leads elsewhere.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), ProofError<Infallible>> {
    if index >= size || path.len() > PATH_MAX {
        return Err(ProofError::OutOfRange);
    }
    let mut node = *leaf;
    climb(path, index, size - 1, |side, step| node = side.join(&node, step))?;
    if node == *root { Ok(()) } else { Err(ProofError::Wrong) }
}

/// Checks a path of [`consistency`] (RFC 9162 §2.1.4.2).
///
/// # Errors
/// [`ProofError`]: out of range, or a path that leads elsewhere.
pub fn verify_consistency(
    first: u64,
    second: u64,
    first_root: &Hash,
    second_root: &Hash,
    path: &[Hash],
) -> Result<(), ProofError<Infallible>> {
    if first > second || path.len() > PATH_MAX {
        return Err(ProofError::OutOfRange);
    }
    if first == second {
        let same = path.is_empty() && first_root == second_root;
        return if same { Ok(()) } else { Err(ProofError::Wrong) };
    }
    if first == 0 {
        let empty = path.is_empty() && *first_root == empty_root();
        return if empty { Ok(()) } else { Err(ProofError::Wrong) };
    }
    // The subtree that both trees share: the whole first tree, or what the path begins with.
    let (shared, steps) = match path.split_first() {
        None => return Err(ProofError::Wrong),
        Some(_) if first.is_power_of_two() => (*first_root, path),
        Some((shared, steps)) => (*shared, steps),
    };
    let (mut old, mut new) = (shared, shared);
    let level = (first - 1).trailing_ones();
    climb(steps, (first - 1) >> level, (second - 1) >> level, |side, step| {
        new = side.join(&new, step);
        if side == Side::Left {
            old = side.join(&old, step);
        }
    })?;
    if old == *first_root && new == *second_root { Ok(()) } else { Err(ProofError::Wrong) }
}

/// Where a step of a path stands beside the node reached so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Side {
    fn join(self, node: &Hash, step: &Hash) -> Hash {
        match self {
            Self::Left => node_hash(step, node),
            Self::Right => node_hash(node, step),
        }
    }
}

/// Follows a path from node `at` of a level whose last node is `last` up to the root.
fn climb(
    path: &[Hash],
    mut at: u64,
    mut last: u64,
    mut step_on: impl FnMut(Side, &Hash),
) -> Result<(), ProofError<Infallible>> {
    for step in path {
        if last == 0 {
            return Err(ProofError::Wrong);
        }
        if at & 1 == 1 || at == last {
            step_on(Side::Left, step);
            // The last node of a level may have no sibling there: it stands for itself further up.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            step_on(Side::Right, step);
        }
        at >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok(()) } else { Err(ProofError::Wrong) }
}

/// Why a proof was not made or not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError<E> {
    /// The leaf or the size is not in the tree.
    #[error("no such leaf or size in a tree of that size (RFC 9162 §2.1)")]
    OutOfRange,
    /// The path does not lead to the root.
    #[error("the proof does not lead to the root: the log was changed, or the proof is another's")]
    Wrong,
    /// The nodes could not be read.
    #[error("the log's nodes could not be read")]
    Nodes(#[source] E),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    /// RFC 9162 §2.1.1, literally.
    fn root_by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at((leaves.len().next_power_of_two()) / 2);
                node_hash(&root_by_definition(left), &root_by_definition(right))
            }
        }
    }

    #[test]
    fn the_frontier_has_the_root_of_the_definition_at_every_size() {
        let leaves = leaves(300);
        let mut frontier = Frontier::new();
        for size in 0..=leaves.len() {
            assert_eq!(frontier.root(), root_by_definition(&leaves[..size]), "size {size}");
            assert_eq!(root(leaves.as_slice(), size as u64).unwrap(), frontier.root(), "size {size}");
            let kept = Frontier::from_peaks(frontier.size(), frontier.peaks().to_vec());
            assert_eq!(kept.as_ref(), Some(&frontier));
            if let Some(leaf) = leaves.get(size) {
                frontier.push(*leaf);
            }
        }
        assert_eq!(Frontier::from_peaks(3, vec![[0; 32]]), None);
    }

    #[test]
    fn the_subtrees_that_a_frontier_completes_are_the_nodes_of_the_tree() {
        let leaves = leaves(100);
        let mut frontier = Frontier::new();
        let mut count = 0;
        for leaf in &leaves {
            frontier.push_with(*leaf, |level, index, hash| {
                assert_eq!(leaves.node(level, index).unwrap(), hash, "level {level}, index {index}");
                count += 1;
            });
        }
        assert_eq!(count, 100 + 50 + 25 + 12 + 6 + 3 + 1);
    }

    #[test]
    fn sizes_that_do_not_exist_are_refused() {
        let leaves = leaves(4);
        assert_eq!(inclusion(leaves.as_slice(), 4, 4), Err(ProofError::OutOfRange));
        assert_eq!(inclusion(leaves.as_slice(), 0, 0), Err(ProofError::OutOfRange));
        assert_eq!(consistency(leaves.as_slice(), 4, 3), Err(ProofError::OutOfRange));
        let root = root(leaves.as_slice(), 4).unwrap();
        assert_eq!(verify_inclusion(&leaves[0], 4, 4, &[], &root), Err(ProofError::OutOfRange));
        assert_eq!(verify_consistency(5, 4, &root, &root, &[]), Err(ProofError::OutOfRange));
        assert_eq!(verify_inclusion(&leaves[0], 0, 1, &vec![[0; 32]; 66], &root), Err(ProofError::OutOfRange));
    }

    proptest! {
        #[test]
        fn every_leaf_is_proven_in_its_tree_and_in_no_other(size in 1..400_u64, index in 0..400_u64, spoil in any::<usize>()) {
            let index = index % size;
            let leaves = leaves(size);
            let root = root(leaves.as_slice(), size).unwrap();
            let leaf = leaves[usize::try_from(index).unwrap()];
            let mut path = inclusion(leaves.as_slice(), index, size).unwrap();
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &path, &root), Ok(()));

            let other = leaf_hash(b"never logged");
            prop_assert_eq!(verify_inclusion(&other, index, size, &path, &root), Err(ProofError::Wrong));
            if size > 1 {
                let elsewhere = (index + 1) % size;
                prop_assert!(verify_inclusion(&leaf, elsewhere, size, &path, &root).is_err());
                let at = spoil % path.len();
                path[at][spoil % 32] ^= 1;
                prop_assert_eq!(verify_inclusion(&leaf, index, size, &path, &root), Err(ProofError::Wrong));
                path[at][spoil % 32] ^= 1;
                path.pop();
                prop_assert!(verify_inclusion(&leaf, index, size, &path, &root).is_err());
            }
            path.push(root);
            path.push(root);
            prop_assert!(verify_inclusion(&leaf, index, size, &path, &root).is_err());
        }

        #[test]
        fn a_longer_log_is_proven_to_extend_a_shorter_one(second in 0..400_u64, first in 0..400_u64, spoil in any::<usize>()) {
            let first = first % (second + 1);
            let leaves = leaves(second);
            let (old, new) = (root(leaves.as_slice(), first).unwrap(), root(leaves.as_slice(), second).unwrap());
            let mut path = consistency(leaves.as_slice(), first, second).unwrap();
            prop_assert_eq!(verify_consistency(first, second, &old, &new, &path), Ok(()));

            let other = leaf_hash(b"another history");
            prop_assert_eq!(verify_consistency(first, second, &other, &new, &path), Err(ProofError::Wrong));
            if first != 0 {
                prop_assert_eq!(verify_consistency(first, second, &old, &other, &path), Err(ProofError::Wrong));
            }
            if !path.is_empty() {
                let at = spoil % path.len();
                path[at][spoil % 32] ^= 1;
                prop_assert_eq!(verify_consistency(first, second, &old, &new, &path), Err(ProofError::Wrong));
                path[at][spoil % 32] ^= 1;
            }
            path.push(other);
            prop_assert!(verify_consistency(first, second, &old, &new, &path).is_err());
        }

        /// A proof is foreign data: any length and any sizes, no panic.
        #[test]
        fn any_path_is_answered(first in any::<u64>(), second in any::<u64>(), hashes in proptest::collection::vec(any::<[u8; 32]>(), 0..70)) {
            let root = [7; 32];
            prop_assert!(verify_inclusion(&root, first, second, &hashes, &[8; 32]).is_err());
            let answer = verify_consistency(first, second, &root, &[8; 32], &hashes);
            prop_assert!(answer.is_err());
        }
    }
}
