//! Checkpoints: the size and root of the log, signed (C2SP tlog-checkpoint on signed-note, Ed25519).
//!
//! Text that a person can read, a witness can countersign and any C2SP tool can verify:
//! origin, size, root in base64, an empty line, then a signature per line.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::merkle::Hash;
use crate::certificate::sha256;
use crate::pki::{PkiError, keys};

/// Longest note read.
const NOTE_MAX: usize = 64 * 1024;
/// Most signatures read (C2SP signed-note asks for a limit).
const SIGNATURES_MAX: usize = 16;
/// Signature type Ed25519 of C2SP signed-note.
const ED25519_TYPE: u8 = 1;
/// Em dash and space: what starts a signature line.
const SIGNATURE_START: &str = "\u{2014} ";

/// What a log says of itself at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: a URL without scheme.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    /// Root of that many leaves.
    pub root: Hash,
}

impl Checkpoint {
    /// The signed note of this checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError::Origin`] when the origin is empty or has a line break.
    pub fn sign(&self, key: &NoteKey) -> Result<String, CheckpointError> {
        if self.origin.is_empty() || self.origin.contains(char::is_control) {
            return Err(CheckpointError::Origin);
        }
        let text = self.text();
        let signature = [key.public.id().as_slice(), key.pair.sign(text.as_bytes()).as_ref()].concat();
        Ok(format!("{text}\n{SIGNATURE_START}{} {}\n", key.public.name, STANDARD.encode(signature)))
    }

    /// The signed text, without the signatures.
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let canonical = !size.starts_with('+') && (size == "0" || !size.starts_with('0'));
        if origin.is_empty() || !canonical {
            return None;
        }
        Some(Self {
            origin: origin.to_owned(),
            size: size.parse().ok()?,
            root: STANDARD.decode(root).ok()?.try_into().ok()?,
        })
    }
}

/// Reads a signed note and verifies that `key` signed it. Signatures of other keys (witnesses) are
/// left aside; extension lines after the root are covered by the signature and not interpreted.
///
/// # Errors
/// [`CheckpointError`]: not a checkpoint, not signed by that key, or changed.
pub fn verify(note: &str, key: &NotePublicKey) -> Result<Checkpoint, CheckpointError> {
    let (text, signatures) = split(note)?;
    let ours = signatures.into_iter().find(|s| s.name == key.name && s.id == key.id());
    let ours = ours.ok_or(CheckpointError::NotSigned)?;
    UnparsedPublicKey::new(&ED25519, &key.bytes)
        .verify(text.as_bytes(), &ours.signature)
        .map_err(|_| CheckpointError::BadSignature)?;
    Checkpoint::parse(text).ok_or(CheckpointError::Malformed("not origin, size and root"))
}

struct Signature<'a> {
    name: &'a str,
    id: [u8; 4],
    signature: Vec<u8>,
}

/// The signed text (with its last line break) and the signatures.
fn split(note: &str) -> Result<(&str, Vec<Signature<'_>>), CheckpointError> {
    if note.len() > NOTE_MAX {
        return Err(CheckpointError::Malformed("longer than 64 KB"));
    }
    if note.contains(|c: char| c.is_control() && c != '\n') {
        return Err(CheckpointError::Malformed("a control character"));
    }
    let end = note.rfind("\n\n").ok_or(CheckpointError::Malformed("no empty line before the signatures"))?;
    let (text, rest) = (&note[..=end], &note[end + 2..]);
    let rest = rest.strip_suffix('\n').ok_or(CheckpointError::Malformed("the last line does not end"))?;
    let signatures: Vec<_> =
        rest.split('\n').map(signature).collect::<Option<_>>().ok_or(CheckpointError::Malformed("a signature line"))?;
    if signatures.len() > SIGNATURES_MAX {
        return Err(CheckpointError::Malformed("more than 16 signatures"));
    }
    Ok((text, signatures))
}

fn signature(line: &str) -> Option<Signature<'_>> {
    let (name, encoded) = line.strip_prefix(SIGNATURE_START)?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    (is_key_name(name) && !signature.is_empty()).then(|| Signature { name, id: *id, signature: signature.to_vec() })
}

/// C2SP signed-note: not empty, no space, no `+`.
fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

/// The key of a log.
pub struct NoteKey {
    pair: Ed25519KeyPair,
    public: NotePublicKey,
}

impl NoteKey {
    /// The key of a PEM file, made if the file does not exist. `name` is the log's name, a host as a
    /// rule.
    ///
    /// # Errors
    /// [`CheckpointError::Name`], [`CheckpointError::Key`] or [`CheckpointError::File`].
    pub fn open_or_create(file: &Path, name: &str) -> Result<Self, CheckpointError> {
        if file.exists() {
            return Self::from_pkcs8(&keys::read(file)?, name);
        }
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| CheckpointError::Key)?;
        keys::write_key(file, der.as_ref())?;
        Self::from_pkcs8(der.as_ref(), name)
    }

    /// A key from PKCS#8 DER.
    ///
    /// # Errors
    /// [`CheckpointError::Name`], [`CheckpointError::Key`].
    pub fn from_pkcs8(der: &[u8], name: &str) -> Result<Self, CheckpointError> {
        if !is_key_name(name) || name.contains(char::is_control) {
            return Err(CheckpointError::Name);
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| CheckpointError::Key)?;
        let bytes = pair.public_key().as_ref().try_into().map_err(|_| CheckpointError::Key)?;
        Ok(Self { pair, public: NotePublicKey { name: name.to_owned(), bytes } })
    }

    /// What others verify with.
    #[must_use]
    pub const fn public(&self) -> &NotePublicKey {
        &self.public
    }
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoteKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// The public key of a log; its text is C2SP's `name+hash+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotePublicKey {
    name: String,
    bytes: [u8; 32],
}

impl NotePublicKey {
    /// The name in signature lines.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First four bytes of SHA-256 of name, line break, type and key.
    fn id(&self) -> [u8; 4] {
        let hash = sha256(&[self.name.as_bytes(), &[b'\n', ED25519_TYPE], &self.bytes].concat());
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

impl fmt::Display for NotePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([[ED25519_TYPE].as_slice(), &self.bytes].concat());
        write!(f, "{}+{:08x}+{key}", self.name, u32::from_be_bytes(self.id()))
    }
}

impl FromStr for NotePublicKey {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = match (parts.next(), parts.next(), parts.next()) {
            (Some(name), Some(id), Some(key)) if is_key_name(name) => (name, id, key),
            _ => return Err(CheckpointError::Name),
        };
        let bytes = STANDARD.decode(key).map_err(|_| CheckpointError::Key)?;
        let Some((&ED25519_TYPE, bytes)) = bytes.split_first() else { return Err(CheckpointError::Key) };
        let key = Self { name: name.to_owned(), bytes: bytes.try_into().map_err(|_| CheckpointError::Key)? };
        if u32::from_str_radix(id, 16) == Ok(u32::from_be_bytes(key.id())) {
            Ok(key)
        } else {
            Err(CheckpointError::Key)
        }
    }
}

/// Why a checkpoint was not signed or not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note, or not a checkpoint.
    #[error("not a signed checkpoint: {0} (C2SP signed-note, tlog-checkpoint)")]
    Malformed(&'static str),
    /// No signature by that key.
    #[error("the checkpoint has no signature by that key")]
    NotSigned,
    /// The signature is wrong.
    #[error("the checkpoint's signature is wrong: text or key was changed")]
    BadSignature,
    /// An origin that would break the format.
    #[error("the origin of a log is one line, not empty")]
    Origin,
    /// A key name that would break the format.
    #[error("the name of a log's key is not empty and holds no space and no `+`")]
    Name,
    /// Not an Ed25519 key.
    #[error("not an Ed25519 key of a log, or its hash does not fit")]
    Key,
    /// The key's file.
    #[error(transparent)]
    File(#[from] PkiError),
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED_PKCS8: &[u8] = &[
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    ];

    fn key() -> NoteKey {
        NoteKey::from_pkcs8(SEED_PKCS8, "socle.example.org").unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "socle.example.org/audit/750000001".to_owned(), size: 8, root: [0x5d; 32] }
    }

    #[test]
    fn a_signed_checkpoint_reads_back() {
        let note = checkpoint().sign(&key()).unwrap();
        let lines: Vec<_> = note.split('\n').collect();
        assert_eq!(lines[..4], ["socle.example.org/audit/750000001", "8", &STANDARD.encode([0x5d; 32]), ""]);
        assert!(lines[4].starts_with("— socle.example.org "));
        assert_eq!(lines[5..], [""]);
        assert_eq!(verify(&note, key().public()), Ok(checkpoint()));
    }

    #[test]
    fn the_public_key_has_the_text_of_c2sp() {
        let text = key().public().to_string();
        assert_eq!(text.parse(), Ok(key().public().clone()));
        let other_name = text.replacen("socle", "autre", 1);
        assert_eq!(other_name.parse::<NotePublicKey>(), Err(CheckpointError::Key), "the hash covers the name");
        for bad in ["", "a+b", "a b+00000000+AQ==", "a+zz+AQ=="] {
            assert!(bad.parse::<NotePublicKey>().is_err(), "{bad}");
        }
    }

    /// The example key of Go's `golang.org/x/mod/sumdb/note`, which C2SP signed-note describes.
    #[test]
    fn a_note_signed_by_gos_tools_verifies() {
        let key: NotePublicKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
                    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        // Signed rightly, though not a checkpoint.
        assert_eq!(verify(note, &key), Err(CheckpointError::Malformed("not origin, size and root")));
        assert_eq!(verify(&note.replace("problem is", "problem was"), &key), Err(CheckpointError::BadSignature));
    }

    #[test]
    fn what_is_not_the_signed_checkpoint_is_refused() {
        let good = checkpoint().sign(&key()).unwrap();
        let stranger = NoteKey::from_pkcs8(SEED_PKCS8, "other.example.org").unwrap();
        let cases: [(&str, String, CheckpointError); 8] = [
            ("size changed", good.replace("\n8\n", "\n9\n"), CheckpointError::BadSignature),
            ("root changed", good.replace("XV1d", "XV1e"), CheckpointError::BadSignature),
            ("signed by another", checkpoint().sign(&stranger).unwrap(), CheckpointError::NotSigned),
            (
                "no signature",
                good.split("\n\n").next().unwrap().to_owned(),
                CheckpointError::Malformed("no empty line before the signatures"),
            ),
            ("last line cut", good.trim_end().to_owned(), CheckpointError::Malformed("the last line does not end")),
            ("hyphen for dash", good.replace('—', "-"), CheckpointError::Malformed("a signature line")),
            ("carriage returns", good.replace('\n', "\r\n"), CheckpointError::Malformed("a control character")),
            ("too long", "x".repeat(NOTE_MAX + 1), CheckpointError::Malformed("longer than 64 KB")),
        ];
        for (name, note, expected) in cases {
            assert_eq!(verify(&note, key().public()), Err(expected), "{name}");
        }
        let split = Checkpoint { origin: "a\nb".to_owned(), ..checkpoint() };
        assert_eq!(split.sign(&key()), Err(CheckpointError::Origin));
    }

    #[test]
    fn witnesses_and_extension_lines_do_not_disturb() {
        let key = key();
        let text = format!("{}extension\n", checkpoint().text());
        let signature = [key.public.id().as_slice(), key.pair.sign(text.as_bytes()).as_ref()].concat();
        let ours = format!("— socle.example.org {}\n", STANDARD.encode(signature));
        let witness = "— witness.example.net AAAAAWZlZWRiZWVm\n";
        let note = format!("{text}\n{witness}{ours}");
        assert_eq!(verify(&note, key.public()), Ok(checkpoint()));
    }

    #[test]
    fn sizes_have_one_form() {
        let key = key();
        for size in ["08", "+8", "-1", "", "8 ", "18446744073709551616"] {
            let text = format!("origin\n{size}\n{}\n", STANDARD.encode([1; 32]));
            let signature = [key.public.id().as_slice(), key.pair.sign(text.as_bytes()).as_ref()].concat();
            let note = format!("{text}\n— socle.example.org {}\n", STANDARD.encode(signature));
            assert_eq!(
                verify(&note, key.public()),
                Err(CheckpointError::Malformed("not origin, size and root")),
                "{size}"
            );
        }
    }

    #[test]
    fn a_key_is_kept_in_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log.key");
        let made = NoteKey::open_or_create(&file, "socle.example.org").unwrap();
        let kept = NoteKey::open_or_create(&file, "socle.example.org").unwrap();
        assert_eq!(made.public(), kept.public());
        assert!(matches!(NoteKey::open_or_create(&file, "a b"), Err(CheckpointError::Name)));
    }
}
