//! How the store names a person without saying who they are.

use std::path::Path;

use ring::hmac;
use serde::{Deserialize, Serialize};
use socle_identity::{Ins, Traits};

/// A person's name inside the store: a keyed digest of the INS, or of the traits when there is none.
///
/// It orders deliveries, keys the audit log's encryption and finds the identity again. Without the
/// key, which never leaves the data folder, a matricule cannot be found by trying them all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonKey(String);

impl PersonKey {
    /// The text, 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes [`PersonKey`]s with the secret of one data folder.
pub(crate) struct PersonKeys(hmac::Key);

impl PersonKeys {
    /// Reads the secret, or makes it at first start.
    ///
    /// # Errors
    /// The system's, when the file can be neither read nor made, or is not 32 bytes.
    pub(crate) fn open(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join("person.key");
        let secret = match std::fs::read(&path) {
            Ok(secret) if secret.len() == 32 => secret,
            Ok(_) => return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "person.key is not 32 bytes")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(&path)?,
            Err(error) => return Err(error),
        };
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    pub(crate) fn of_ins(&self, ins: &Ins) -> PersonKey {
        self.digest(&["ins", ins.authority.oid(), ins.matricule.as_str()])
    }

    pub(crate) fn of_traits(&self, traits: &Traits) -> PersonKey {
        let date = traits.birth_date.to_string();
        self.digest(&["traits", &traits.birth_name, &traits.first_given_name, traits.sex.letter(), &date])
    }

    fn digest(&self, parts: &[&str]) -> PersonKey {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        let tag = context.sign();
        PersonKey(tag.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn make(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut secret = vec![0; 32];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut secret)
        .map_err(|_| std::io::Error::other("the system gives no random bytes"))?;
    socle_trust::write_secret(path, &secret)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use socle_identity::InsAuthority;

    use super::*;

    #[test]
    fn a_person_keeps_their_key_and_it_depends_on_the_secret() {
        let ins = Ins { matricule: "279035121518989".parse().unwrap(), authority: InsAuthority::NirTest };
        let other = Ins { authority: InsAuthority::Nir, ..ins.clone() };
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keys = PersonKeys::open(a.path()).unwrap();
        let again = PersonKeys::open(a.path()).unwrap();
        let elsewhere = PersonKeys::open(b.path()).unwrap();
        assert_eq!(keys.of_ins(&ins), again.of_ins(&ins));
        assert_ne!(keys.of_ins(&ins), keys.of_ins(&other));
        assert_ne!(keys.of_ins(&ins), elsewhere.of_ins(&ins));
        std::fs::write(a.path().join("person.key"), "short").unwrap();
        assert!(PersonKeys::open(a.path()).is_err());
    }
}
