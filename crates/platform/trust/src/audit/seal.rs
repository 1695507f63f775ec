//! A record sealed: salted leaf for the tree, ciphertext for the store.
//!
//! The leaf commits to the record through a salt, so that it reveals nothing of a record that can be
//! guessed; the ciphertext is under the data key of the person concerned. Erasing that key, or salt
//! and ciphertext, erases the record and keeps the log's proofs.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use super::jcs::JcsError;
use super::merkle::{self, Hash};
use super::record::{Record, RecordError};

/// Length of the salt, bytes.
pub const SALT_LEN: usize = 16;

/// The key that encrypts the records of one person (or of no person): AES-256.
#[derive(Clone)]
pub struct DataKey {
    bytes: [u8; 32],
    key: LessSafeKey,
}

impl DataKey {
    /// A new key.
    ///
    /// # Errors
    /// [`SealError::Random`] when the system gives no random bytes.
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self::from_bytes(random()?))
    }

    /// A key kept elsewhere.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        #[expect(clippy::expect_used, reason = "AES_256_GCM takes 32 bytes, which the type gives")]
        let key = UnboundKey::new(&AES_256_GCM, &bytes).expect("32 bytes are an AES-256 key");
        Self { bytes, key: LessSafeKey::new(key) }
    }

    /// The secret itself, to be kept wrapped.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// This key encrypted under `master`, for the store. `owner` is bound to it: a wrapped key moved
    /// to another owner does not unwrap.
    ///
    /// # Errors
    /// [`SealError::Random`].
    pub fn wrap(&self, master: &Self, owner: &[u8]) -> Result<Vec<u8>, SealError> {
        master.encrypt(&self.bytes, owner)
    }

    /// The reverse of [`Self::wrap`].
    ///
    /// # Errors
    /// [`SealError::Key`] for another master, another owner, or changed bytes.
    pub fn unwrap(wrapped: &[u8], master: &Self, owner: &[u8]) -> Result<Self, SealError> {
        let bytes = master.decrypt(wrapped, owner).ok_or(SealError::Key)?;
        Ok(Self::from_bytes(bytes.try_into().map_err(|_| SealError::Key)?))
    }

    /// nonce ‖ ciphertext ‖ tag. The nonce is random: 2^32 records under one key stay safe
    /// (NIST SP 800-38D §8.3), and a key covers one person.
    fn encrypt(&self, plain: &[u8], bound: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut out = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plain);
        let tag = self
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut out[NONCE_LEN..])
            .map_err(|_| SealError::TooBig)?;
        out.extend_from_slice(tag.as_ref());
        Ok(out)
    }

    fn decrypt(&self, sealed: &[u8], bound: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut plain = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.key.open_in_place(nonce, Aad::from(bound), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// What the store keeps of a record. Purging drops `salt` and `ciphertext`, never `leaf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Makes the leaf unguessable.
    pub salt: [u8; SALT_LEN],
    /// nonce (12) ‖ AES-256-GCM of the canonical record ‖ tag (16).
    pub ciphertext: Vec<u8>,
    /// The leaf's hash in the tree.
    pub leaf: Hash,
}

impl Sealed {
    /// Seals a record under the key of the person concerned.
    ///
    /// # Errors
    /// [`SealError`]: no random bytes, or a record without canonical form.
    pub fn seal(record: &Record, key: &DataKey) -> Result<Self, SealError> {
        let canonical = record.canonical()?;
        let salt = random()?;
        let ciphertext = key.encrypt(&canonical, &salt)?;
        let leaf = merkle::leaf_hash(&merkle::leaf_input(&salt, &canonical));
        Ok(Self { salt, ciphertext, leaf })
    }

    /// Opens it, and checks that it is what the leaf commits to.
    ///
    /// # Errors
    /// [`SealError`]: wrong key or changed bytes, another leaf, or bytes that are no record.
    pub fn open(&self, key: &DataKey) -> Result<Record, SealError> {
        let canonical = key.decrypt(&self.ciphertext, &self.salt).ok_or(SealError::Key)?;
        if merkle::leaf_hash(&merkle::leaf_input(&self.salt, &canonical)) != self.leaf {
            return Err(SealError::Leaf);
        }
        Ok(Record::from_canonical(&canonical)?)
    }
}

fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SealError::Random)?;
    Ok(bytes)
}

/// Why a record or a key was not sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: nothing was sealed")]
    Random,
    /// Over AES-GCM's limit for one message.
    #[error("too large to be sealed in one piece")]
    TooBig,
    /// Wrong key, or bytes changed since.
    #[error("the sealed bytes do not open: wrong key, or changed since they were sealed")]
    Key,
    /// The content is authentic but not the one that the log committed to.
    #[error("the opened record is not the one that its leaf commits to")]
    Leaf,
    /// The record has no canonical form.
    #[error(transparent)]
    Canonical(#[from] JcsError),
    /// The opened bytes are not a record.
    #[error(transparent)]
    Record(#[from] RecordError),
}
