use uuid::Uuid;

use imap_codec::imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};

use crate::twin::folders::Folder;

/// A folder as one session sees it: sequence numbers are positions here, and move only when the client is told.
#[derive(Debug)]
pub(super) struct View {
    pub(super) folder: Uuid,
    pub(super) read_only: bool,
    pub(super) entries: Vec<Entry>,
    /// The first UID that is `\Recent` in this session.
    pub(super) first_recent: u32,
    /// The mailbox's clock when everything was told.
    clock: u64,
}

/// A message that the client knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) uid: u32,
    /// The clock of the flags that the client was told.
    pub(super) told: u64,
}

/// What changed since the client was told last.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// By sequence number, in the order to send.
    Expunged(u32),
    /// How many messages there are, and how many are recent.
    Exists(usize),
    /// Flags of the message at this position.
    Flags(usize),
}

impl View {
    pub(super) fn new(folder: &Folder, clock: u64, read_only: bool, first_recent: u32) -> Self {
        let entries = folder.messages.iter().map(|(uid, message)| Entry { uid: *uid, told: message.changed });
        Self { folder: folder.id, read_only, entries: entries.collect(), first_recent, clock }
    }

    /// Brings the view up to date. Removals wait when sequence numbers are in use (RFC 3501 §7.4.1).
    pub(super) fn update(&mut self, folder: &Folder, clock: u64, may_expunge: bool) -> Vec<News> {
        let mut news = Vec::new();
        if clock == self.clock {
            return news;
        }
        if may_expunge {
            self.clock = clock;
            let gone = (0..self.entries.len()).rev().filter(|at| !folder.messages.contains_key(&self.entries[*at].uid));
            // From the last to the first, so that each number is right when it is sent.
            let gone = gone.collect::<Vec<_>>();
            for at in gone {
                self.entries.remove(at);
                news.push(News::Expunged(number(at)));
            }
        }
        let last = self.entries.last().map_or(0, |entry| entry.uid);
        let known = self.entries.len();
        let new = folder.messages.range(last.saturating_add(1)..);
        self.entries.extend(new.map(|(uid, message)| Entry { uid: *uid, told: message.changed }));
        if self.entries.len() > known {
            news.push(News::Exists(self.entries.len()));
        }
        for (at, entry) in self.entries.iter_mut().enumerate().take(known) {
            if let Some(message) = folder.messages.get(&entry.uid)
                && message.changed != entry.told
            {
                entry.told = message.changed;
                news.push(News::Flags(at));
            }
        }
        news
    }

    /// The positions that a set names, in order. A sequence number beyond the end is the client's fault (unless the
    /// folder is empty, where many ask for `1:*`); a UID that does not exist is nothing.
    pub(super) fn positions(&self, set: &SequenceSet, by_uid: bool) -> Result<Vec<usize>, NoSuchMessage> {
        let last_uid = self.entries.last().map_or(0, |entry| entry.uid);
        let count = number_of(self.entries.len());
        let largest = if by_uid { last_uid } else { count };
        let mut ranges = Vec::with_capacity(set.0.as_ref().len());
        for sequence in set.0.as_ref() {
            let (a, b) = match sequence {
                Sequence::Single(one) => (value(one, largest), value(one, largest)),
                Sequence::Range(a, b) => (value(a, largest), value(b, largest)),
            };
            if !by_uid && count > 0 && (a.max(b) > count || a.min(b) == 0) {
                return Err(NoSuchMessage);
            }
            ranges.push((a.min(b), a.max(b)));
        }
        let ranges = merged(ranges);
        let named = self.entries.iter().enumerate().filter(|(at, entry)| {
            let value = if by_uid { entry.uid } else { number(*at) };
            let before = ranges.partition_point(|(start, _)| *start <= value);
            before > 0 && ranges[before - 1].1 >= value
        });
        Ok(named.map(|(at, _)| at).collect())
    }

    pub(super) fn uids(&self, positions: &[usize]) -> Vec<u32> {
        positions.iter().filter_map(|at| self.entries.get(*at)).map(|entry| entry.uid).collect()
    }
}

/// A sequence number beyond the folder's end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoSuchMessage;

/// In order, none touching another, so that looking one up is a binary search however long the list.
fn merged(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut out: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (start, end) in ranges {
        match out.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => out.push((start, end)),
        }
    }
    out
}

fn value(which: &SeqOrUid, largest: u32) -> u32 {
    match which {
        SeqOrUid::Value(value) => value.get(),
        SeqOrUid::Asterisk => largest,
    }
}

/// Sequence numbers begin at 1.
pub(super) fn number(position: usize) -> u32 {
    number_of(position).saturating_add(1)
}

fn number_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::Timestamp;
    use socle_store::Digest;

    use super::*;
    use crate::twin::folders::{FolderRecord, Message, MessageRecord};

    fn folder(uids: &[u32]) -> Folder {
        let message = |uid: &u32| {
            let record = MessageRecord {
                digest: Digest::of(b""),
                size: 0,
                received: Timestamp::UNIX_EPOCH,
                flags: BTreeSet::new(),
            };
            (*uid, Message { record, changed: 1 })
        };
        let record = FolderRecord {
            mailbox: Uuid::nil(),
            name: "INBOX".into(),
            uid_validity: 1,
            uid_floor: 1,
            special: None,
            subscribed: true,
        };
        let messages = uids.iter().map(message).collect::<BTreeMap<_, _>>();
        Folder { id: Uuid::nil(), record, messages, first_recent: 1 }
    }

    #[test]
    fn a_client_is_told_what_changed_in_an_order_it_can_follow() {
        let mut view = View::new(&folder(&[1, 3, 5, 7]), 0, false, 1);
        let mut now = folder(&[3, 7, 8]);
        now.messages.get_mut(&7).unwrap().changed = 9;
        assert_eq!(view.update(&now, 5, false), [News::Exists(5), News::Flags(3)]);
        assert_eq!(view.entries.len(), 5, "removals wait");
        assert_eq!(view.update(&now, 5, true), [News::Expunged(3), News::Expunged(1)]);
        assert_eq!(view.uids(&[0, 1, 2]), [3, 7, 8]);
        assert_eq!(view.update(&now, 6, true), []);
    }

    #[test]
    fn sets_name_positions() {
        let view = View::new(&folder(&[10, 20, 30]), 0, false, 1);
        let cases = [
            ("1", false, Ok(vec![0])),
            ("1:*", false, Ok(vec![0, 1, 2])),
            ("*:2", false, Ok(vec![1, 2])),
            ("3,1,2:3,1", false, Ok(vec![0, 1, 2])),
            ("3,1", false, Ok(vec![0, 2])),
            ("4", false, Err(NoSuchMessage)),
            ("1:4294967295", false, Err(NoSuchMessage)),
            ("10:25", true, Ok(vec![0, 1])),
            ("1:4294967295", true, Ok(vec![0, 1, 2])),
            ("40:*", true, Ok(vec![2])),
            ("11", true, Ok(vec![])),
        ];
        for (set, by_uid, expected) in cases {
            let parsed = SequenceSet::try_from(set).unwrap();
            assert_eq!(view.positions(&parsed, by_uid), expected, "{set} {by_uid}");
        }
        let empty = View::new(&folder(&[]), 0, false, 1);
        for by_uid in [false, true] {
            assert_eq!(empty.positions(&SequenceSet::try_from("1:*").unwrap(), by_uid), Ok(vec![]));
        }
    }
}
