//! What mail clients change in a mailbox: planned on the memory, then committed, then applied.
//!
//! Pure: [`plan`] reads the folders and says what to write; `office` does it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use socle_store::{Batch, Blob, Delete, Expect, Write};
use uuid::Uuid;

use super::folders::{Effect, Folder, FolderRecord, Folders, INBOX, MessageRecord};

/// One change that a client asks for.
#[derive(Debug)]
pub(crate) enum Change {
    Append { folder: String, flags: BTreeSet<String>, received: Timestamp, message: Blob },
    Flags { folder: Uuid, uids: Vec<u32>, how: FlagChange, flags: BTreeSet<String> },
    Expunge { folder: Uuid, uids: Option<Vec<u32>> },
    Copy { folder: Uuid, uids: Vec<u32>, to: String },
    Move { folder: Uuid, uids: Vec<u32>, to: String },
    Create(String),
    Delete(String),
    Rename { from: String, to: String },
    Subscribe { folder: String, subscribed: bool },
}

/// How `STORE` changes flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlagChange {
    Set,
    Add,
    Remove,
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Done {
    Nothing,
    Appended { uid_validity: u32, uid: u32 },
    Copied { uid_validity: u32, uids: Vec<(u32, u32)> },
}

/// Why a change is refused; nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error("there is no such folder")]
    NoFolder,
    #[error("there is no such folder yet")]
    TryCreate,
    #[error("there is a folder of that name already")]
    Exists,
    #[error(
        "a folder's name is 1 to 200 printable ASCII characters (modified UTF-7), without `*`, `%` or empty levels"
    )]
    Name,
    #[error("this folder cannot be deleted or renamed")]
    Fixed,
    #[error("the mailbox has as many folders, or the folder as many messages, as the twin keeps")]
    Full,
    #[error("a message keeps at most {FLAGS_MAX} flags")]
    Flags,
    #[error("the folder has no UID left")]
    Uids,
}

/// More than any client shows.
const FOLDERS_MAX: usize = 500;
const FLAGS_MAX: usize = 64;

/// What to write, then to apply, and the answer.
pub(crate) struct Plan {
    pub(crate) batch: Batch,
    pub(crate) effects: Vec<Effect>,
    pub(crate) done: Done,
}

pub(crate) const FOLDER: &str = "folder";
pub(crate) const MESSAGE: &str = "message";

pub(crate) fn plan(
    tenant: &str,
    mailbox: Uuid,
    folders: &Folders,
    change: Change,
    now: Timestamp,
) -> Result<Plan, ChangeError> {
    let mut plan = Planner { mailbox, folders, now, batch: Batch::new(tenant), effects: Vec::new() };
    let done = plan.run(change)?;
    Ok(Plan { batch: plan.batch, effects: plan.effects, done })
}

struct Planner<'a> {
    mailbox: Uuid,
    folders: &'a Folders,
    now: Timestamp,
    batch: Batch,
    effects: Vec<Effect>,
}

impl Planner<'_> {
    fn run(&mut self, change: Change) -> Result<Done, ChangeError> {
        match change {
            Change::Append { folder, flags, received, message } => self.append(&folder, flags, received, message),
            Change::Flags { folder, uids, how, flags } => self.flags(folder, &uids, how, &flags),
            Change::Expunge { folder, uids } => self.expunge(folder, uids.as_deref()),
            Change::Copy { folder, uids, to } => self.copy(folder, &uids, &to),
            Change::Move { folder, uids, to } => {
                let done = self.copy(folder, &uids, &to)?;
                let source = self.folders.get(folder).ok_or(ChangeError::NoFolder)?;
                self.remove(source, uids.into_iter().filter(|uid| source.messages.contains_key(uid)).collect());
                Ok(done)
            }
            Change::Create(name) => self.create(&name),
            Change::Delete(name) => self.delete(&name),
            Change::Rename { from, to } => self.rename(&from, &to),
            Change::Subscribe { folder, subscribed } => {
                let folder = self.named(&folder)?;
                self.put(folder.id, FolderRecord { subscribed, ..folder.record.clone() });
                Ok(Done::Nothing)
            }
        }
    }

    fn named(&self, name: &str) -> Result<&'_ Folder, ChangeError> {
        self.folders.named(name).ok_or(ChangeError::NoFolder)
    }

    fn append(
        &mut self,
        folder: &str,
        flags: BTreeSet<String>,
        received: Timestamp,
        message: Blob,
    ) -> Result<Done, ChangeError> {
        let folder = self.folders.named(folder).ok_or(ChangeError::TryCreate)?;
        check_flags(&flags)?;
        let uid = folder.uid_next();
        if uid == u32::MAX {
            return Err(ChangeError::Uids);
        }
        let record = MessageRecord { digest: message.digest(), size: message.bytes().len() as u64, received, flags };
        self.batch.blobs.push(message);
        self.add(folder.id, uid, record);
        Ok(Done::Appended { uid_validity: folder.record.uid_validity, uid })
    }

    fn flags(
        &mut self,
        folder: Uuid,
        uids: &[u32],
        how: FlagChange,
        flags: &BTreeSet<String>,
    ) -> Result<Done, ChangeError> {
        let folder = self.folders.get(folder).ok_or(ChangeError::NoFolder)?;
        for (uid, message) in uids.iter().filter_map(|uid| folder.messages.get_key_value(uid)) {
            let old = &message.record.flags;
            let new = match how {
                FlagChange::Set => flags.clone(),
                FlagChange::Add => old | flags,
                FlagChange::Remove => old - flags,
            };
            if new == *old {
                continue;
            }
            check_flags(&new)?;
            self.write_message(folder.id, *uid, &MessageRecord { flags: new.clone(), ..message.record.clone() });
            self.effects.push(Effect::Flags(folder.id, *uid, new));
        }
        Ok(Done::Nothing)
    }

    /// Those marked `\Deleted`, all or some of them.
    fn expunge(&mut self, folder: Uuid, uids: Option<&[u32]>) -> Result<Done, ChangeError> {
        let folder = self.folders.get(folder).ok_or(ChangeError::NoFolder)?;
        let deleted = folder.messages.iter().filter(|(uid, message)| {
            message.record.flags.contains("\\Deleted") && uids.is_none_or(|uids| uids.contains(uid))
        });
        let deleted = deleted.map(|(uid, _)| *uid).collect();
        self.remove(folder, deleted);
        Ok(Done::Nothing)
    }

    fn copy(&mut self, folder: Uuid, uids: &[u32], to: &str) -> Result<Done, ChangeError> {
        let source = self.folders.get(folder).ok_or(ChangeError::NoFolder)?;
        let target = self.folders.named(to).ok_or(ChangeError::TryCreate)?;
        let mut pairs = Vec::new();
        let messages = uids.iter().filter_map(|uid| source.messages.get_key_value(uid));
        for ((uid, message), new) in messages.zip(target.uid_next()..u32::MAX) {
            self.add(target.id, new, message.record.clone());
            pairs.push((*uid, new));
        }
        Ok(Done::Copied { uid_validity: target.record.uid_validity, uids: pairs })
    }

    /// Levels that are missing above are made too (RFC 3501 §6.3.3).
    fn create(&mut self, name: &str) -> Result<Done, ChangeError> {
        let name = name.strip_suffix('/').unwrap_or(name);
        check_name(name)?;
        if self.folders.named(name).is_some() {
            return Err(ChangeError::Exists);
        }
        let ends = name.match_indices('/').map(|(at, _)| at).chain(std::iter::once(name.len()));
        let missing = ends.map(|end| &name[..end]).filter(|level| self.folders.named(level).is_none());
        let missing = missing.map(str::to_owned).collect::<Vec<_>>();
        if self.folders.by_name().len() + missing.len() > FOLDERS_MAX {
            return Err(ChangeError::Full);
        }
        for level in missing {
            self.put(Uuid::new_v4(), new_folder(self.mailbox, level, None, self.now));
        }
        Ok(Done::Nothing)
    }

    fn delete(&mut self, name: &str) -> Result<Done, ChangeError> {
        let folder = self.named(name)?;
        let (id, messages) = (folder.id, folder.messages.keys().copied().collect::<Vec<_>>());
        // A level that others hang under stays (RFC 3501 §6.3.4 would make it \Noselect).
        if is_fixed(folder) || self.children(&folder.record.name).next().is_some() {
            return Err(ChangeError::Fixed);
        }
        self.batch.deletes.extend(messages.into_iter().map(|uid| delete(MESSAGE, message_id(id, uid))));
        self.batch.deletes.push(delete(FOLDER, id.to_string()));
        self.effects.push(Effect::Drop(id));
        Ok(Done::Nothing)
    }

    /// Children follow; renaming `INBOX` moves its messages and leaves it there, empty (RFC 3501 §6.3.5).
    fn rename(&mut self, from: &str, to: &str) -> Result<Done, ChangeError> {
        check_name(to)?;
        let folder = self.named(from)?;
        if self.folders.named(to).is_some() {
            return Err(ChangeError::Exists);
        }
        if folder.record.name == INBOX {
            return self.rename_inbox(folder.id, to);
        }
        if is_fixed(folder) || to.starts_with(&format!("{}/", folder.record.name)) {
            return Err(ChangeError::Fixed);
        }
        let old = folder.record.name.clone();
        let moved = self.children(&old).chain(std::iter::once(folder));
        let moved = moved.map(|folder| (folder.id, folder.record.clone())).collect::<Vec<_>>();
        for (id, record) in moved {
            let name = format!("{to}{}", &record.name[old.len()..]);
            check_name(&name)?;
            self.put(id, FolderRecord { name, ..record });
        }
        Ok(Done::Nothing)
    }

    fn rename_inbox(&mut self, inbox: Uuid, to: &str) -> Result<Done, ChangeError> {
        let source = self.folders.get(inbox).ok_or(ChangeError::NoFolder)?;
        let id = Uuid::new_v4();
        self.put(id, new_folder(self.mailbox, to.to_owned(), None, self.now));
        for (uid, message) in (1..).zip(source.messages.values()) {
            self.add(id, uid, message.record.clone());
        }
        self.remove(source, source.messages.keys().copied().collect());
        Ok(Done::Nothing)
    }

    fn children<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Folder> {
        let all = self.folders.by_name().into_iter();
        all.filter(move |folder| folder.record.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
    }

    fn add(&mut self, folder: Uuid, uid: u32, record: MessageRecord) {
        self.write_message(folder, uid, &record);
        self.effects.push(Effect::Add(folder, uid, record));
    }

    /// When the last UID goes, the folder remembers that it was given.
    fn remove(&mut self, folder: &Folder, uids: Vec<u32>) {
        let next = folder.uid_next();
        if uids.contains(&(next - 1)) && folder.record.uid_floor < next {
            self.put(folder.id, FolderRecord { uid_floor: next, ..folder.record.clone() });
        }
        for uid in uids {
            self.batch.deletes.push(delete(MESSAGE, message_id(folder.id, uid)));
            self.effects.push(Effect::Remove(folder.id, uid));
        }
    }

    fn put(&mut self, id: Uuid, record: FolderRecord) {
        self.batch.writes.push(folder_write(id, &record));
        self.effects.push(Effect::Folder(id, record));
    }

    fn write_message(&mut self, folder: Uuid, uid: u32, record: &MessageRecord) {
        self.batch.writes.push(message_write(folder, uid, record));
    }
}

fn check_flags(flags: &BTreeSet<String>) -> Result<(), ChangeError> {
    if flags.len() > FLAGS_MAX || flags.iter().any(|flag| flag.len() > 100) {
        return Err(ChangeError::Flags);
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), ChangeError> {
    let sign = |b: u8| (b' '..=b'~').contains(&b) && !b"*%".contains(&b);
    let levels = name.split('/').all(|level| !level.trim().is_empty());
    if (1..=200).contains(&name.len()) && name.bytes().all(sign) && levels {
        return Ok(());
    }
    Err(ChangeError::Name)
}

fn is_fixed(folder: &Folder) -> bool {
    folder.record.name == INBOX || folder.record.special.is_some()
}

/// `UIDVALIDITY` is the time of creation, so that a folder made again under an old name has another one.
pub(crate) fn new_folder(
    mailbox: Uuid,
    name: String,
    special: Option<super::folders::Special>,
    now: Timestamp,
) -> FolderRecord {
    let uid_validity = u32::try_from(now.as_second()).unwrap_or(u32::MAX).max(1);
    FolderRecord { mailbox, name, uid_validity, uid_floor: 1, special, subscribed: true }
}

pub(crate) fn folder_write(id: Uuid, record: &FolderRecord) -> Write {
    Write::new(FOLDER, id.to_string(), json(record)).posting("mailbox", record.mailbox.to_string())
}

pub(crate) fn message_write(folder: Uuid, uid: u32, record: &MessageRecord) -> Write {
    Write::new(MESSAGE, message_id(folder, uid), json(record)).posting("folder", folder.to_string())
}

fn message_id(folder: Uuid, uid: u32) -> String {
    format!("{folder}.{uid}")
}

fn delete(kind: &str, id: String) -> Delete {
    Delete { kind: kind.to_owned(), id, expect: Expect::Any }
}

#[expect(clippy::expect_used, reason = "records are structs of texts and numbers: serde_json writes them all")]
pub(crate) fn json(record: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("a record is JSON")
}
