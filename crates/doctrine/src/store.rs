//! Evidence kept in a folder: files named by their SHA-256, and `index.json`, append-only and signed.
//!
//! Each entry is a leaf of a Merkle tree (RFC 9162); the index carries a signed note over size and root
//! (C2SP tlog-checkpoint, Ed25519). Who verifies pins the key by its fingerprint: an index signed again by
//! another key fails. Evidence that holds what could be a person's matricule INS is refused, unless that
//! matricule is on the allow-list of test identities; what is compressed or drawn inside a file is not seen.

use std::fs;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use socle_identity::Matricule;
use socle_trust::audit::checkpoint::{self, Checkpoint, CheckpointError, NoteKey, NotePublicKey};
use socle_trust::audit::{jcs, merkle};

use crate::catalogue::hex;
use crate::dossier::Evidence;

const FORMAT: &str = "socle-evidence/1";
const INDEX: &str = "index.json";
const ORIGIN: &str = "socle/evidence";
/// Largest piece of evidence and largest index.
const BYTES_MAX: usize = 256 << 20;
const INDEX_MAX: u64 = 64 << 20;

/// One piece of evidence in the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it shows.
    pub requirement: String,
    /// Of which version of the product.
    pub product_version: String,
    /// Against which catalogue.
    pub catalogue_sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// What it is.
    pub evidence: Evidence,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    format: String,
    key: String,
    entries: Vec<Entry>,
    checkpoint: String,
}

/// Why evidence was not kept, or an index is not believed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not an index.
    #[error("not an evidence index: {0}")]
    Index(String),
    /// Signed by another key than the one pinned.
    #[error("the index is signed by another key: fingerprint {found}, not the one that you pinned")]
    OtherKey {
        /// The fingerprint of the key that is there.
        found: String,
    },
    /// The signature does not hold.
    #[error("the index was changed after it was signed: {0}")]
    Signature(#[from] CheckpointError),
    /// Entries were changed, added or taken out.
    #[error("the entries are not those that were signed")]
    Entries,
    /// The bytes of a file are not those of the index.
    #[error("{file} was changed: its bytes have not the SHA-256 of the index")]
    Tampered {
        /// Which.
        file: String,
    },
    /// It holds what could be a person's matricule.
    #[error(
        "byte {offset} starts what could be a person's matricule INS (right key, not a declared test identity): make the evidence again with test identities"
    )]
    PlausibleIns {
        /// Where; never what.
        offset: usize,
    },
    /// Too much.
    #[error("more than 256 MB: hand the evidence over in parts")]
    TooBig,
}

/// A folder of evidence.
#[derive(Debug)]
pub struct EvidenceStore {
    folder: PathBuf,
    key: NoteKey,
    entries: Vec<Entry>,
    test_identities: Vec<Matricule>,
}

impl EvidenceStore {
    /// Opens a folder, or makes it. What is there must hold under this key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(folder: &Path, key: NoteKey, test_identities: Vec<Matricule>) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|source| StoreError::Io { path: folder.to_owned(), source })?;
        let index = folder.join(INDEX);
        let entries = if index.exists() { verify(&index, &fingerprint(key.public()))? } else { Vec::new() };
        Ok(Self { folder: folder.to_owned(), key, entries, test_identities })
    }

    /// Keeps bytes and signs the index anew. The evidence's digest and file name are filled in from them.
    ///
    /// # Errors
    /// [`StoreError::PlausibleIns`] and the system's; the index is then as before.
    pub fn add(&mut self, mut entry: Entry, bytes: &[u8]) -> Result<&Entry, StoreError> {
        if bytes.len() > BYTES_MAX {
            return Err(StoreError::TooBig);
        }
        if let Some(offset) = plausible_ins(bytes, &self.test_identities) {
            return Err(StoreError::PlausibleIns { offset });
        }
        let name = hex(digest(&SHA256, bytes).as_ref());
        write_whole(&self.folder.join(&name), bytes)?;
        entry.size = bytes.len() as u64;
        entry.evidence.file = Some(name.clone());
        entry.evidence.sha256 = name;
        let mut entries = self.entries.clone();
        entries.push(entry);
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: entries.len() as u64, root: root(&entries)? };
        let index = Index {
            format: FORMAT.to_owned(),
            key: self.key.public().to_string(),
            checkpoint: checkpoint.sign(&self.key)?,
            entries,
        };
        let text = serde_json::to_vec_pretty(&index).map_err(|error| StoreError::Index(error.to_string()))?;
        write_whole(&self.folder.join(INDEX), &text)?;
        self.entries = index.entries;
        self.entries.last().ok_or(StoreError::Entries)
    }

    /// What is kept, in the order in which it came.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What others pin.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(self.key.public())
    }
}

/// SHA-256 in hexadecimal of the key's text (C2SP `name+hash+key`).
#[must_use]
pub fn fingerprint(key: &NotePublicKey) -> String {
    hex(digest(&SHA256, key.to_string().as_bytes()).as_ref())
}

/// Verifies an index against a pinned key, then every file beside it; gives the entries.
///
/// # Errors
/// [`StoreError`]: another key, a changed index, changed entries, or the name of the changed file.
pub fn verify(index: &Path, pinned: &str) -> Result<Vec<Entry>, StoreError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::Io { path, source }
    };
    if fs::metadata(index).map_err(io(index))?.len() > INDEX_MAX {
        return Err(StoreError::Index("more than 64 MB".to_owned()));
    }
    let bytes = fs::read(index).map_err(io(index))?;
    let read: Index = serde_json::from_slice(&bytes).map_err(|error| StoreError::Index(error.to_string()))?;
    if read.format != FORMAT {
        return Err(StoreError::Index(format!("its format is not {FORMAT}")));
    }
    let key: NotePublicKey = read.key.parse()?;
    let found = fingerprint(&key);
    if !found.eq_ignore_ascii_case(pinned.trim()) {
        return Err(StoreError::OtherKey { found });
    }
    let signed = checkpoint::verify(&read.checkpoint, &key)?;
    let is_ours = signed.origin == ORIGIN && signed.size == read.entries.len() as u64;
    if !is_ours || signed.root != root(&read.entries)? {
        return Err(StoreError::Entries);
    }
    let folder = index.parent().unwrap_or_else(|| Path::new("."));
    for entry in &read.entries {
        let name = &entry.evidence.sha256;
        // The name is joined to a path: a digest and nothing else.
        let is_digest = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_digest {
            return Err(StoreError::Entries);
        }
        let path = folder.join(name);
        let size = fs::metadata(&path).map_err(io(&path))?.len();
        if size != entry.size || hex(digest(&SHA256, &fs::read(&path).map_err(io(&path))?).as_ref()) != *name {
            return Err(StoreError::Tampered { file: name.clone() });
        }
    }
    Ok(read.entries)
}

fn root(entries: &[Entry]) -> Result<merkle::Hash, StoreError> {
    let mut tree = merkle::Frontier::new();
    for entry in entries {
        let canonical = jcs::to_vec(entry).map_err(|error| StoreError::Index(error.to_string()))?;
        tree.push(merkle::leaf_hash(&canonical));
    }
    Ok(tree.root())
}

fn write_whole(file: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    socle_trust::write_secret(file, bytes).map_err(|source| StoreError::Io { path: file.to_owned(), source })
}

/// Where bytes hold what could be a person's matricule: 13 characters and their right key, spaces between
/// them or not, no letter or digit around, not one of the test identities.
#[must_use]
pub fn plausible_ins(bytes: &[u8], test_identities: &[Matricule]) -> Option<usize> {
    let starts = |at: usize| {
        matches!(bytes[at], b'1' | b'2')
            && !at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric())
    };
    (0..bytes.len()).filter(|at| starts(*at)).find(|at| {
        let Some((text, end)) = fifteen(bytes, *at) else { return false };
        let is_alone = bytes.get(end).is_none_or(|after| !after.is_ascii_alphanumeric());
        let is_matricule = text.parse::<Matricule>().is_ok_and(|found| !test_identities.contains(&found));
        is_alone && is_matricule
    })
}

/// Fifteen letters or digits from a place on, single spaces between them left out, and where they end.
fn fifteen(bytes: &[u8], from: usize) -> Option<(String, usize)> {
    let mut text = String::with_capacity(15);
    let mut at = from;
    while text.len() < 15 {
        match bytes.get(at)? {
            sign if sign.is_ascii_alphanumeric() => text.push(char::from(*sign)),
            b' ' if bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) => {}
            _ => return None,
        }
        at += 1;
    }
    Some((text, at))
}
