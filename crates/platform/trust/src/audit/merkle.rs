//! The tree: leaves, root, proofs of inclusion and of consistency (RFC 9162 §2.1).
//!
//! [`Frontier`] keeps the root while leaves are added, with at most one hash per level. Proofs are
//! made from any source of leaf hashes; their verification needs nothing but the proof.

use ring::digest::{Context, SHA256};

/// A SHA-256 digest: a leaf, a node or a root.
pub type Hash = [u8; 32];

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
