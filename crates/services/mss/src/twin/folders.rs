//! A mailbox in memory: its folders, and of each message what a list shows. The octets are in the store.
//!
//! Only the writer (`office`) changes it, by [`Effect`]s, after their commit: what a session sees is durable.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use socle_store::Digest;
use uuid::Uuid;

/// The folders of one mailbox.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    list: BTreeMap<Uuid, Folder>,
    /// Grows with each change.
    clock: u64,
}

/// A folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) id: Uuid,
    pub(crate) record: FolderRecord,
    pub(crate) messages: BTreeMap<u32, Message>,
    /// Messages from this UID on were shown to no session yet (`\Recent`).
    pub(crate) first_recent: u32,
}

/// A folder as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FolderRecord {
    /// The mailbox that it belongs to.
    pub(crate) mailbox: Uuid,
    /// As clients write it: `/` between levels, modified UTF-7 (RFC 3501 §5.1.3) left as it is.
    pub(crate) name: String,
    /// `UIDVALIDITY`: set once, never the same for two folders of one name.
    pub(crate) uid_validity: u32,
    /// No UID below this one is given again; written when the last message is removed.
    pub(crate) uid_floor: u32,
    /// What it is for (RFC 6154).
    pub(crate) special: Option<Special>,
    /// `SUBSCRIBE`.
    pub(crate) subscribed: bool,
}

/// A special use of RFC 6154, those that every mailbox has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Special {
    Sent,
    Drafts,
    Trash,
    Archive,
    Junk,
}

impl Special {
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Self::Sent => "\\Sent",
            Self::Drafts => "\\Drafts",
            Self::Trash => "\\Trash",
            Self::Archive => "\\Archive",
            Self::Junk => "\\Junk",
        }
    }
}

pub(crate) const INBOX: &str = "INBOX";

/// What every mailbox begins with.
pub(crate) const FIRST_FOLDERS: [(&str, Option<Special>); 6] = [
    (INBOX, None),
    ("Sent", Some(Special::Sent)),
    ("Drafts", Some(Special::Drafts)),
    ("Trash", Some(Special::Trash)),
    ("Archive", Some(Special::Archive)),
    ("Junk", Some(Special::Junk)),
];

/// A message in a list.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) record: MessageRecord,
    /// The mailbox's clock at the last change of the flags.
    pub(crate) changed: u64,
}

/// A message as the store keeps it, beside its octets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageRecord {
    /// Its octets.
    pub(crate) digest: Digest,
    /// `RFC822.SIZE`.
    pub(crate) size: u64,
    /// `INTERNALDATE`.
    pub(crate) received: Timestamp,
    /// `\Seen` and the like, and keywords.
    pub(crate) flags: BTreeSet<String>,
}

/// One change of the memory, after its commit.
#[derive(Debug)]
pub(crate) enum Effect {
    /// A new or changed folder.
    Folder(Uuid, FolderRecord),
    /// A folder and its messages are gone.
    Drop(Uuid),
    /// A new message.
    Add(Uuid, u32, MessageRecord),
    /// Other flags.
    Flags(Uuid, u32, BTreeSet<String>),
    /// A message is gone.
    Remove(Uuid, u32),
}

impl Folders {
    /// From the store's records.
    pub(crate) fn load(folders: Vec<(Uuid, FolderRecord)>, messages: Vec<(Uuid, u32, MessageRecord)>) -> Self {
        let mut all = Self::default();
        for (id, record) in folders {
            all.apply(Effect::Folder(id, record));
        }
        for (folder, uid, record) in messages {
            all.apply(Effect::Add(folder, uid, record));
        }
        all
    }

    /// A session that was told everything at this time has nothing to be told now.
    pub(crate) const fn clock(&self) -> u64 {
        self.clock
    }

    pub(crate) fn apply(&mut self, effect: Effect) {
        self.clock += 1;
        match effect {
            Effect::Folder(id, record) => match self.list.get_mut(&id) {
                Some(folder) => folder.record = record,
                None => {
                    self.list.insert(id, Folder { id, record, messages: BTreeMap::new(), first_recent: 1 });
                }
            },
            Effect::Drop(id) => {
                self.list.remove(&id);
            }
            Effect::Add(id, uid, record) => {
                let message = Message { record, changed: self.clock };
                self.list.get_mut(&id).map(|folder| folder.messages.insert(uid, message));
            }
            Effect::Flags(id, uid, flags) => {
                let changed = self.clock;
                if let Some(message) = self.list.get_mut(&id).and_then(|folder| folder.messages.get_mut(&uid)) {
                    message.record.flags = flags;
                    message.changed = changed;
                }
            }
            Effect::Remove(id, uid) => {
                self.list.get_mut(&id).map(|folder| folder.messages.remove(&uid));
            }
        }
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&Folder> {
        self.list.get(&id)
    }

    /// `INBOX` in any case, everything else as written.
    pub(crate) fn named(&self, name: &str) -> Option<&Folder> {
        self.list.values().find(|folder| same_folder_name(&folder.record.name, name))
    }

    /// In the order of their names.
    pub(crate) fn by_name(&self) -> Vec<&Folder> {
        let mut all = self.list.values().collect::<Vec<_>>();
        all.sort_by(|a, b| a.record.name.cmp(&b.record.name));
        all
    }

    /// Gives the messages that no session was told of, and marks them as told.
    pub(crate) fn take_recent(&mut self, id: Uuid) -> u32 {
        let Some(folder) = self.list.get_mut(&id) else { return 0 };
        let next = folder.uid_next();
        std::mem::replace(&mut folder.first_recent, next)
    }
}

impl Folder {
    /// The UID of the next message.
    pub(crate) fn uid_next(&self) -> u32 {
        let last = self.messages.last_key_value().map_or(0, |(uid, _)| *uid);
        last.saturating_add(1).max(self.record.uid_floor)
    }

    pub(crate) fn unseen(&self) -> usize {
        self.messages.values().filter(|message| !message.record.flags.contains("\\Seen")).count()
    }

    pub(crate) fn recent(&self) -> usize {
        self.messages.range(self.first_recent..).count()
    }
}

pub(crate) fn same_folder_name(a: &str, b: &str) -> bool {
    a == b || (a.eq_ignore_ascii_case(INBOX) && b.eq_ignore_ascii_case(INBOX))
}
