//! `FETCH`, `STORE`, `SEARCH`, `COPY`, `MOVE`, `EXPUNGE` and what closes a folder.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::core::{Charset, Vec1};
use imap_codec::imap_types::fetch::{MacroOrMessageDataItemNames, MessageDataItemName, Section};
use imap_codec::imap_types::flag::{Flag, StoreResponse, StoreType};
use imap_codec::imap_types::search::SearchKey;
use imap_codec::imap_types::sequence::SequenceSet;

use super::folder::{copyuid, flag_names, folder_name};
use super::out::Out;
use super::search::{Candidate, needs_octets};
use super::section::{self, Parsed};
use super::session::{Done, PIECE, Session, flags};
use super::structure;
use super::view::{Entry, number};
use crate::net::{NetError, Stream};
use crate::twin::change::{self, Change, FlagChange};
use crate::twin::folders::Message;
use crate::twin::mime::{self, Part};
use crate::twin::office::{Mailbox, OfficeError};

const NO_SUCH: &str = "a sequence number is beyond the folder's end";
const READ_ONLY: &str = "[CANNOT] the folder was opened to be read only";

impl<S: Stream> Session<'_, S> {
    pub(super) async fn message_command(
        &mut self,
        mailbox: &Arc<Mailbox>,
        body: CommandBody<'static>,
    ) -> Result<Done, NetError> {
        match body {
            CommandBody::Check => Ok(Done::ok("checked")),
            CommandBody::Unselect => {
                self.view = None;
                Ok(Done::ok("unselected"))
            }
            CommandBody::Close => Ok(self.close(mailbox).await.unwrap_or_else(Done::from)),
            CommandBody::Expunge => Ok(self.expunge(mailbox, None).await.unwrap_or_else(Done::from)),
            CommandBody::ExpungeUid { sequence_set } => {
                Ok(self.expunge(mailbox, Some(&sequence_set)).await.unwrap_or_else(Done::from))
            }
            CommandBody::Search { charset, criteria, uid } => {
                self.search(mailbox, charset.as_ref(), criteria, uid).await
            }
            CommandBody::Fetch { sequence_set, macro_or_item_names, uid } => {
                self.fetch(mailbox, &sequence_set, &macro_or_item_names, uid).await
            }
            CommandBody::Store { sequence_set, kind, response, flags, uid } => {
                let stored = self.store(mailbox, &sequence_set, kind, response, &flags, uid).await;
                Ok(stored.unwrap_or_else(Done::from))
            }
            CommandBody::Copy { sequence_set, mailbox: to, uid } => {
                let copied = self.copy(mailbox, &sequence_set, folder_name(&to), uid).await;
                Ok(copied.unwrap_or_else(Done::from))
            }
            CommandBody::Move { sequence_set, mailbox: to, uid } => {
                let moved = self.move_to(mailbox, &sequence_set, folder_name(&to), uid).await;
                Ok(moved.unwrap_or_else(Done::from))
            }
            _ => Ok(Done::bad("this command is not known")),
        }
    }

    /// Where the set points, as (position, UID).
    fn named(&self, set: &SequenceSet, by_uid: bool) -> Option<Vec<(usize, u32)>> {
        let view = self.view.as_ref()?;
        let positions = view.positions(set, by_uid).ok()?;
        let uids = view.uids(&positions);
        Some(positions.into_iter().zip(uids).collect())
    }

    fn writable_folder(&self) -> Option<uuid::Uuid> {
        self.view.as_ref().filter(|view| !view.read_only).map(|view| view.folder)
    }

    async fn close(&mut self, mailbox: &Arc<Mailbox>) -> Result<Done, OfficeError> {
        if let Some(folder) = self.writable_folder() {
            self.change(mailbox, Change::Expunge { folder, uids: None }).await?;
        }
        self.view = None;
        Ok(Done::ok("closed"))
    }

    async fn expunge(&mut self, mailbox: &Arc<Mailbox>, set: Option<&SequenceSet>) -> Result<Done, OfficeError> {
        let Some(folder) = self.writable_folder() else { return Ok(Done::no(READ_ONLY)) };
        let uids = set.map(|set| self.named(set, true).unwrap_or_default());
        let uids = uids.map(|named| named.into_iter().map(|(_, uid)| uid).collect());
        self.change(mailbox, Change::Expunge { folder, uids }).await
    }

    async fn copy(
        &mut self,
        mailbox: &Arc<Mailbox>,
        set: &SequenceSet,
        to: String,
        by_uid: bool,
    ) -> Result<Done, OfficeError> {
        let Some(named) = self.named(set, by_uid) else { return Ok(Done::bad(NO_SUCH)) };
        let Some(folder) = self.view.as_ref().map(|view| view.folder) else { return Ok(Done::bad(NO_SUCH)) };
        let uids = named.into_iter().map(|(_, uid)| uid).collect();
        self.change(mailbox, Change::Copy { folder, uids, to }).await
    }

    /// `COPYUID` comes before the removals (RFC 6851 §4.3).
    async fn move_to(
        &mut self,
        mailbox: &Arc<Mailbox>,
        set: &SequenceSet,
        to: String,
        by_uid: bool,
    ) -> Result<Done, OfficeError> {
        let Some(named) = self.named(set, by_uid) else { return Ok(Done::bad(NO_SUCH)) };
        let Some(folder) = self.writable_folder() else { return Ok(Done::no(READ_ONLY)) };
        let uids = named.into_iter().map(|(_, uid)| uid).collect();
        let done = self.operator.access.office.change(mailbox, Change::Move { folder, uids, to }).await?;
        if let change::Done::Copied { uid_validity, uids } = done
            && !uids.is_empty()
        {
            self.out.raw(&format!("* OK [{}] moved\r\n", copyuid(uid_validity, &uids)));
        }
        Ok(Done::ok("moved"))
    }

    async fn store(
        &mut self,
        mailbox: &Arc<Mailbox>,
        set: &SequenceSet,
        kind: StoreType,
        response: StoreResponse,
        flags: &[Flag<'_>],
        by_uid: bool,
    ) -> Result<Done, OfficeError> {
        let Some(named) = self.named(set, by_uid) else { return Ok(Done::bad(NO_SUCH)) };
        let Some(folder) = self.writable_folder() else { return Ok(Done::no(READ_ONLY)) };
        let how = match kind {
            StoreType::Replace => FlagChange::Set,
            StoreType::Add => FlagChange::Add,
            StoreType::Remove => FlagChange::Remove,
        };
        let uids = named.iter().map(|(_, uid)| *uid).collect();
        self.change(mailbox, Change::Flags { folder, uids, how, flags: flag_names(flags) }).await?;
        self.told(mailbox, &named, response == StoreResponse::Answer, by_uid).await?;
        Ok(Done::ok("stored").without_expunge(by_uid))
    }

    /// After our own change: the client knows the new flags, or is told them.
    async fn told(
        &mut self,
        mailbox: &Arc<Mailbox>,
        named: &[(usize, u32)],
        aloud: bool,
        by_uid: bool,
    ) -> Result<(), OfficeError> {
        let office = Arc::clone(&self.operator.access.office);
        let folders = office.folders(mailbox).await?.read().unwrap_or_else(PoisonError::into_inner);
        let Some(view) = &mut self.view else { return Ok(()) };
        let Some(folder) = folders.get(view.folder) else { return Ok(()) };
        for (position, uid) in named {
            let Some(message) = folder.messages.get(uid) else { continue };
            if let Some(entry) = view.entries.get_mut(*position) {
                *entry = Entry { uid: *uid, told: message.changed };
            }
            if aloud {
                self.out.raw(&format!("* {} FETCH (", number(*position)));
                if by_uid {
                    self.out.raw(&format!("UID {uid} "));
                }
                self.out.raw("FLAGS ").list(flags(message, *uid >= view.first_recent)).raw(")\r\n");
            }
        }
        Ok(())
    }

    async fn search(
        &mut self,
        mailbox: &Arc<Mailbox>,
        charset: Option<&Charset<'_>>,
        criteria: Vec1<SearchKey<'static>>,
        by_uid: bool,
    ) -> Result<Done, NetError> {
        let charset = charset.map(|charset| charset.as_ref().to_owned()).unwrap_or_default();
        if !matches!(charset.trim_matches('"').to_ascii_uppercase().as_str(), "" | "UTF-8" | "US-ASCII") {
            return Ok(Done::no("[BADCHARSET (UTF-8 US-ASCII)] this charset is not known"));
        }
        let key = SearchKey::And(criteria);
        let candidates = match self.candidates(mailbox, None).await {
            Ok(candidates) => candidates,
            Err(error) => return Ok(error.into()),
        };
        let mut found = String::new();
        for (position, message) in candidates {
            let bytes = match self.octets_for(needs_octets(&key), &message).await {
                Ok(bytes) => bytes,
                Err(error) => return Ok(error.into()),
            };
            let Some(view) = &self.view else { break };
            let candidate = Candidate { view, position, message: &message, bytes: bytes.as_deref() };
            if candidate.matches(&key) {
                let value = if by_uid { view.entries[position].uid } else { number(position) };
                found.push_str(&format!(" {value}"));
            }
        }
        self.out.raw(&format!("* SEARCH{found}\r\n"));
        Ok(Done::ok("searched").without_expunge(by_uid))
    }

    async fn octets_for(&self, needed: bool, message: &Message) -> Result<Option<Bytes>, OfficeError> {
        if !needed {
            return Ok(None);
        }
        Ok(Some(self.operator.access.office.message(&message.record.digest).await?))
    }

    /// Copies of the messages at these positions (or at all), as they are now; those that are gone are left out.
    async fn candidates(
        &self,
        mailbox: &Arc<Mailbox>,
        positions: Option<&[(usize, u32)]>,
    ) -> Result<Vec<(usize, Message)>, OfficeError> {
        let Some(view) = &self.view else { return Ok(Vec::new()) };
        self.folders(mailbox, |folders| {
            let Some(folder) = folders.get(view.folder) else { return Vec::new() };
            let at = |position: usize, uid: u32| Some((position, folder.messages.get(&uid)?.clone()));
            match positions {
                Some(positions) => positions.iter().filter_map(|(position, uid)| at(*position, *uid)).collect(),
                None => view.entries.iter().enumerate().filter_map(|(position, e)| at(position, e.uid)).collect(),
            }
        })
        .await
    }

    async fn fetch(
        &mut self,
        mailbox: &Arc<Mailbox>,
        set: &SequenceSet,
        items: &MacroOrMessageDataItemNames<'static>,
        by_uid: bool,
    ) -> Result<Done, NetError> {
        let mut items = match items {
            MacroOrMessageDataItemNames::Macro(all) => all.expand(),
            MacroOrMessageDataItemNames::MessageDataItemNames(items) => items.clone(),
        };
        if items
            .iter()
            .any(|item| matches!(item, MessageDataItemName::Binary { .. } | MessageDataItemName::BinarySize { .. }))
        {
            return Ok(Done::bad("BINARY is not offered"));
        }
        if by_uid && !items.contains(&MessageDataItemName::Uid) {
            items.insert(0, MessageDataItemName::Uid);
        }
        let Some(named) = self.named(set, by_uid) else { return Ok(Done::bad(NO_SUCH)) };
        let reads = items.iter().any(marks_as_seen) && self.writable_folder().is_some();
        let count = named.len();
        // Some at a time: what is read of a large folder is bounded, and sent as it is read.
        let mut shown = 0;
        for some in named.chunks(100) {
            match self.fetch_some(mailbox, some, &items, reads).await? {
                Ok(messages) => shown += messages,
                Err(error) => return Ok(Done::from(error).without_expunge(by_uid)),
            }
        }
        let done = if shown == count { Done::ok("fetched") } else { Done::no("some of the messages are gone") };
        Ok(done.without_expunge(by_uid))
    }

    /// The outer error ends the session, the inner one the command.
    async fn fetch_some(
        &mut self,
        mailbox: &Arc<Mailbox>,
        named: &[(usize, u32)],
        items: &[MessageDataItemName<'_>],
        reads: bool,
    ) -> Result<Result<usize, OfficeError>, NetError> {
        let newly_seen = if reads { self.mark_seen(mailbox, named).await } else { Ok(BTreeSet::new()) };
        let newly_seen = match newly_seen {
            Ok(newly_seen) => newly_seen,
            Err(error) => return Ok(Err(error)),
        };
        let messages = match self.candidates(mailbox, Some(named)).await {
            Ok(messages) => messages,
            Err(error) => return Ok(Err(error)),
        };
        let needed = items.iter().any(needs_message);
        let count = messages.len();
        for (position, message) in messages {
            let bytes = match self.octets_for(needed, &message).await {
                Ok(bytes) => bytes.unwrap_or_default(),
                Err(error) => return Ok(Err(error)),
            };
            let Some(entry) = self.view.as_ref().and_then(|view| view.entries.get(position)).copied() else { continue };
            let is_recent = self.view.as_ref().is_some_and(|view| entry.uid >= view.first_recent);
            let with_flags = newly_seen.contains(&entry.uid) && !items.contains(&MessageDataItemName::Flags);
            self.out.raw(&format!("* {} FETCH (", number(position)));
            let (out, uid, structure) = (&mut self.out, entry.uid, OnceCell::new());
            let mut row = Row { out, uid, message: &message, bytes: &bytes, is_recent, structure };
            row.write(items, with_flags);
            self.out.raw(")\r\n");
            if self.out.len() >= PIECE {
                self.flush().await?;
            }
        }
        Ok(Ok(count))
    }

    /// `\Seen` for those that are not; which ones.
    async fn mark_seen(
        &mut self,
        mailbox: &Arc<Mailbox>,
        named: &[(usize, u32)],
    ) -> Result<BTreeSet<u32>, OfficeError> {
        let Some(folder) = self.writable_folder() else { return Ok(BTreeSet::new()) };
        let candidates = self.candidates(mailbox, Some(named)).await?;
        let unseen = candidates.iter().filter(|(_, message)| !message.record.flags.contains("\\Seen"));
        let positions = unseen.map(|(position, _)| *position).collect::<BTreeSet<_>>();
        let unseen = named.iter().filter(|(position, _)| positions.contains(position)).copied().collect::<Vec<_>>();
        let uids = unseen.iter().map(|(_, uid)| *uid).collect::<Vec<_>>();
        if uids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let flags = BTreeSet::from(["\\Seen".to_owned()]);
        self.change(mailbox, Change::Flags { folder, uids: uids.clone(), how: FlagChange::Add, flags }).await?;
        self.told(mailbox, &unseen, false, true).await?;
        Ok(uids.into_iter().collect())
    }
}

/// Does the item set `\Seen` (RFC 3501 §6.4.5)?
const fn marks_as_seen(item: &MessageDataItemName<'_>) -> bool {
    matches!(
        item,
        MessageDataItemName::BodyExt { peek: false, .. }
            | MessageDataItemName::Rfc822
            | MessageDataItemName::Rfc822Text
    )
}

const fn needs_message(item: &MessageDataItemName<'_>) -> bool {
    !matches!(
        item,
        MessageDataItemName::Flags
            | MessageDataItemName::InternalDate
            | MessageDataItemName::Rfc822Size
            | MessageDataItemName::Uid
    )
}

/// One answer to `FETCH`.
struct Row<'a> {
    out: &'a mut Out,
    uid: u32,
    message: &'a Message,
    bytes: &'a [u8],
    is_recent: bool,
    /// Found once, and only when a part is asked for.
    structure: OnceCell<Part>,
}

impl Row<'_> {
    fn write(&mut self, items: &[MessageDataItemName<'_>], with_flags: bool) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.raw(" ");
            }
            self.item(item);
        }
        if with_flags {
            self.out.raw(" FLAGS ").list(flags(self.message, self.is_recent));
        }
    }

    fn item(&mut self, item: &MessageDataItemName<'_>) {
        let record = &self.message.record;
        match item {
            MessageDataItemName::Uid => {
                self.out.raw(&format!("UID {}", self.uid));
            }
            MessageDataItemName::Flags => {
                self.out.raw("FLAGS ").list(flags(self.message, self.is_recent));
            }
            MessageDataItemName::InternalDate => {
                let date = record.received.strftime("%d-%b-%Y %H:%M:%S +0000").to_string();
                self.out.raw(&format!("INTERNALDATE \"{date}\""));
            }
            MessageDataItemName::Rfc822Size => {
                self.out.raw(&format!("RFC822.SIZE {}", record.size));
            }
            MessageDataItemName::Envelope => {
                self.out.raw("ENVELOPE ");
                structure::envelope(self.out, &self.bytes[..mime::header_length(self.bytes)]);
            }
            MessageDataItemName::Body | MessageDataItemName::BodyStructure => {
                let extended = *item == MessageDataItemName::BodyStructure;
                self.out.raw(if extended { "BODYSTRUCTURE " } else { "BODY " });
                let root = self.structure.get_or_init(|| mime::parse(self.bytes));
                structure::structure(self.out, self.bytes, root, extended);
            }
            MessageDataItemName::Rfc822 => {
                self.out.raw("RFC822 ").literal(self.bytes);
            }
            MessageDataItemName::Rfc822Header => {
                self.out.raw("RFC822.HEADER ").literal(&self.bytes[..mime::header_length(self.bytes)]);
            }
            MessageDataItemName::Rfc822Text => {
                self.out.raw("RFC822.TEXT ").literal(&self.bytes[mime::header_length(self.bytes)..]);
            }
            MessageDataItemName::BodyExt { section, partial, .. } => self.section(section.as_ref(), *partial),
            MessageDataItemName::Binary { .. } | MessageDataItemName::BinarySize { .. } => {}
        }
    }

    fn section(&mut self, section: Option<&Section<'_>>, partial: Option<(u32, NonZeroU32)>) {
        self.out.raw("BODY[");
        section::write_name(self.out, section);
        self.out.raw("]");
        if let Some((start, _)) = partial {
            self.out.raw(&format!("<{start}>"));
        }
        self.out.raw(" ");
        let root = self.structure.get_or_init(|| mime::parse(self.bytes));
        match (Parsed { bytes: self.bytes, root }).section(section) {
            None => self.out.raw("NIL"),
            Some(bytes) => self.out.literal(section::partial(&bytes, partial)),
        };
    }
}
