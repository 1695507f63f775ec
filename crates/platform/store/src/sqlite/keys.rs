//! The keys of the audit log: `master.key` and `audit.key` in the folder, and one data key per person in
//! the database, wrapped by the master key.
//!
//! A person is known in the database by a keyed hash of the identifier, so that a stolen database says
//! nobody's name. A person who was erased and comes back gets a new key.

use std::collections::HashMap;
use std::path::PathBuf;

use jiff::Timestamp;
use ring::hmac;
use rusqlite::{Connection, OptionalExtension as _};
use socle_trust::audit::{DataKey, PatientId};

use super::folder::Folder;
use super::sql::{damaged, to_micros};
use crate::{Digest, StoreError};

/// Most data keys kept in memory.
const KEPT: usize = 4096;

/// A secret of 32 random bytes, kept in a file as 64 hexadecimal digits; made for a new store.
///
/// The database knows its fingerprint: a store whose key file is lost or replaced does not start, rather
/// than write what nobody can read or sign with a key that nobody knows.
pub(super) fn secret(folder: &Folder, db: &Connection, name: &str) -> Result<[u8; 32], StoreError> {
    let path = folder.file(name);
    let known: Option<Vec<u8>> =
        db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()?;
    let secret = match (read_secret(path.clone())?, &known) {
        (Some(secret), _) => secret,
        (None, Some(_)) => return Err(StoreError::Key { path, problem: "is missing" }),
        (None, None) => make_secret(&path)?,
    };
    let fingerprint = Digest::of(&[name.as_bytes(), &secret].concat());
    match known {
        Some(known) if known == fingerprint.as_bytes() => {}
        Some(_) => return Err(StoreError::Key { path, problem: "is not the key of this store" }),
        None => {
            db.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", (name, fingerprint.as_bytes()))?;
        }
    }
    Ok(secret)
}

fn read_secret(path: PathBuf) -> Result<Option<[u8; 32]>, StoreError> {
    match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Folder { path, source }),
        Ok(text) => match text.trim().parse::<Digest>() {
            Ok(bytes) => Ok(Some(*bytes.as_bytes())),
            Err(_) => Err(StoreError::Key { path, problem: "is not 64 hexadecimal digits" }),
        },
    }
}

fn make_secret(path: &std::path::Path) -> Result<[u8; 32], StoreError> {
    let secret = *DataKey::generate()?.as_bytes();
    let line = format!("{}\n", Digest::from_bytes(secret));
    socle_trust::write_secret(path, line.as_bytes())
        .map_err(|source| StoreError::Folder { path: path.to_owned(), source })?;
    Ok(secret)
}

/// A person as the database knows them: a keyed hash.
pub(super) type Person = [u8; 32];

/// What opens and finds the records of a person.
pub(super) struct Keyring {
    master: DataKey,
    index: hmac::Key,
}

impl Keyring {
    pub(super) fn new(master: [u8; 32]) -> Self {
        // Derived, so that the hash of a person says nothing about the key that wraps.
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &master), b"index of persons");
        Self { master: DataKey::from_bytes(master), index: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()) }
    }

    /// The hash of a person, or of nobody.
    pub(super) fn person(&self, patient: Option<&PatientId>) -> Person {
        let mut context = hmac::Context::with_key(&self.index);
        if let Some(patient) = patient {
            context.update(&(patient.system.len() as u64).to_le_bytes());
            context.update(patient.system.as_bytes());
            context.update(patient.value.as_bytes());
        }
        let mut person = [0; 32];
        person.copy_from_slice(context.sign().as_ref());
        person
    }

    /// The key of a row of `person_key`; `None` if it was erased.
    pub(super) fn find(&self, db: &Connection, id: i64) -> Result<Option<DataKey>, StoreError> {
        let select = "SELECT person, wrapped FROM person_key WHERE id = ?1";
        let row: Option<(Person, Option<Vec<u8>>)> =
            db.prepare_cached(select)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match row {
            None => Err(damaged("the key row of an audit entry is missing")),
            Some((_, None)) => Ok(None),
            Some((person, Some(wrapped))) => self.unwrap(&wrapped, &person).map(Some),
        }
    }

    fn unwrap(&self, wrapped: &[u8], person: &Person) -> Result<DataKey, StoreError> {
        DataKey::unwrap(wrapped, &self.master, person)
            .map_err(|_| damaged("the key of an audit entry does not open with master.key"))
    }
}

/// The writer's keys: those in use are kept unwrapped.
pub(super) struct WriterKeys {
    kept: HashMap<Person, (i64, DataKey)>,
    last: i64,
}

impl WriterKeys {
    pub(super) fn load(db: &Connection) -> Result<Self, StoreError> {
        let last = db.query_row("SELECT coalesce(max(id), 0) FROM person_key", [], |row| row.get(0))?;
        Ok(Self { kept: HashMap::new(), last })
    }

    /// The last key number given: where to go back to when a batch is undone.
    pub(super) const fn last(&self) -> i64 {
        self.last
    }

    /// Forgets the keys that were made after `last`.
    pub(super) fn forget_after(&mut self, last: i64) {
        if last < self.last {
            self.last = last;
            self.kept.retain(|_, (id, _)| *id <= last);
        }
    }

    /// Forgets a person's key.
    pub(super) fn forget(&mut self, person: &Person) {
        self.kept.remove(person);
    }

    /// The row number and the key of a person, made when there is none.
    pub(super) fn get(
        &mut self,
        db: &Connection,
        keyring: &Keyring,
        person: Person,
        at: Timestamp,
    ) -> Result<(i64, &DataKey), StoreError> {
        if !self.kept.contains_key(&person) {
            if self.kept.len() >= KEPT {
                self.kept.clear();
            }
            let key = self.find_or_make(db, keyring, &person, at)?;
            self.kept.insert(person, key);
        }
        let (id, key) = self.kept.get(&person).ok_or(StoreError::Closed)?;
        Ok((*id, key))
    }

    fn find_or_make(
        &mut self,
        db: &Connection,
        keyring: &Keyring,
        person: &Person,
        at: Timestamp,
    ) -> Result<(i64, DataKey), StoreError> {
        let select = "SELECT id, wrapped FROM person_key WHERE person = ?1 AND wrapped IS NOT NULL";
        let found: Option<(i64, Vec<u8>)> =
            db.prepare_cached(select)?.query_row([person], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if let Some((id, wrapped)) = found {
            return Ok((id, keyring.unwrap(&wrapped, person)?));
        }
        let key = DataKey::generate()?;
        self.last += 1;
        let insert = "INSERT INTO person_key (id, person, wrapped, created) VALUES (?1, ?2, ?3, ?4)";
        let wrapped = key.wrap(&keyring.master, person)?;
        db.prepare_cached(insert)?.execute((self.last, person, wrapped, to_micros(at)))?;
        Ok((self.last, key))
    }
}
