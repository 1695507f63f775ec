use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::core::IString;
use imap_codec::imap_types::extensions::binary::LiteralOrLiteral8;
use imap_codec::imap_types::flag::Flag;
use imap_codec::imap_types::mailbox::{ListMailbox, Mailbox as MailboxName};
use imap_codec::imap_types::status::StatusDataItemName;
use jiff::Timestamp;
use socle_store::Blob;

use super::out::Out;
use super::session::{Done, Session, octets};
use super::view::View;
use crate::net::{NetError, Stream};
use crate::twin::change::{self, Change};
use crate::twin::folders::{Folder, Folders, INBOX};
use crate::twin::office::{Mailbox, OfficeError};

impl<S: Stream> Session<'_, S> {
    pub(super) async fn folder_command(
        &mut self,
        mailbox: &Arc<Mailbox>,
        body: CommandBody<'static>,
    ) -> Result<Done, NetError> {
        let done = match body {
            CommandBody::Select { mailbox: name } => self.select(mailbox, &folder_name(&name), false).await,
            CommandBody::Examine { mailbox: name } => self.select(mailbox, &folder_name(&name), true).await,
            CommandBody::Create { mailbox: name } => self.change(mailbox, Change::Create(folder_name(&name))).await,
            CommandBody::Delete { mailbox: name } => self.change(mailbox, Change::Delete(folder_name(&name))).await,
            CommandBody::Rename { from, to } => {
                self.change(mailbox, Change::Rename { from: folder_name(&from), to: folder_name(&to) }).await
            }
            CommandBody::Subscribe { mailbox: name } => self.subscribe(mailbox, folder_name(&name), true).await,
            CommandBody::Unsubscribe { mailbox: name } => self.subscribe(mailbox, folder_name(&name), false).await,
            CommandBody::List { reference, mailbox_wildcard } => {
                self.list(mailbox, "LIST", &folder_name(&reference), &wildcard(&mailbox_wildcard)).await
            }
            CommandBody::Lsub { reference, mailbox_wildcard } => {
                self.list(mailbox, "LSUB", &folder_name(&reference), &wildcard(&mailbox_wildcard)).await
            }
            CommandBody::Status { mailbox: name, item_names } => {
                self.status(mailbox, &folder_name(&name), &item_names).await
            }
            CommandBody::Append { mailbox: name, flags, date, message } => {
                let received = date.and_then(|date| Timestamp::from_second(date.as_ref().timestamp()).ok());
                let change = Change::Append {
                    folder: folder_name(&name),
                    flags: flag_names(&flags),
                    received: received.unwrap_or_else(Timestamp::now),
                    message: Blob::new(literal(message)),
                };
                self.change(mailbox, change).await
            }
            _ => Ok(Done::bad("this command is not known")),
        };
        Ok(done.unwrap_or_else(Done::from))
    }

    /// Writes a change; `APPENDUID` and `COPYUID` (RFC 4315) come with the `OK`.
    pub(super) async fn change(&self, mailbox: &Arc<Mailbox>, change: Change) -> Result<Done, OfficeError> {
        Ok(match self.operator.access.office.change(mailbox, change).await? {
            change::Done::Nothing => Done::ok("done"),
            change::Done::Appended { uid_validity, uid } => Done::ok(format!("[APPENDUID {uid_validity} {uid}] done")),
            change::Done::Copied { uids, .. } if uids.is_empty() => Done::ok("nothing to copy"),
            change::Done::Copied { uid_validity, uids } => Done::ok(format!("[{}] done", copyuid(uid_validity, &uids))),
        })
    }

    async fn subscribe(&self, mailbox: &Arc<Mailbox>, folder: String, yes: bool) -> Result<Done, OfficeError> {
        self.change(mailbox, Change::Subscribe { folder, subscribed: yes }).await
    }

    async fn select(&mut self, mailbox: &Arc<Mailbox>, name: &str, read_only: bool) -> Result<Done, OfficeError> {
        // Whatever happens, the folder selected before is no longer (RFC 3501 §6.3.1).
        self.view = None;
        let folders = self.operator.access.office.folders(mailbox).await?;
        let mut folders = folders.write().unwrap_or_else(PoisonError::into_inner);
        let Some(id) = folders.named(name).map(|folder| folder.id) else {
            return Ok(Done::no("[NONEXISTENT] there is no such folder"));
        };
        let first_recent = match read_only {
            true => folders.get(id).map_or(1, |folder| folder.first_recent),
            false => folders.take_recent(id),
        };
        let clock = folders.clock();
        let Some(folder) = folders.get(id) else { return Ok(Done::no("[NONEXISTENT] there is no such folder")) };
        let view = View::new(folder, clock, read_only, first_recent);
        describe(&mut self.out, folder, &view);
        self.view = Some(view);
        Ok(if read_only { Done::ok("[READ-ONLY] examined") } else { Done::ok("[READ-WRITE] selected") })
    }

    async fn list(
        &mut self,
        mailbox: &Arc<Mailbox>,
        word: &str,
        reference: &str,
        pattern: &str,
    ) -> Result<Done, OfficeError> {
        if pattern.is_empty() {
            self.out.raw(&format!("* {word} (\\Noselect) \"/\" \"\"\r\n"));
            return Ok(Done::ok("the separator"));
        }
        let pattern = format!("{reference}{pattern}");
        let mut out = Out::default();
        self.folders(mailbox, |folders| {
            for folder in folders.by_name() {
                let shown = word == "LIST" || folder.record.subscribed;
                if shown && matches(pattern.as_bytes(), folder.record.name.as_bytes()) {
                    out.raw(&format!("* {word} ")).list(attributes(folders, folder)).raw(" \"/\" ");
                    out.string(folder.record.name.as_bytes()).raw("\r\n");
                }
            }
        })
        .await?;
        self.out.append(&mut out);
        Ok(Done::ok("these"))
    }

    async fn status(
        &mut self,
        mailbox: &Arc<Mailbox>,
        name: &str,
        items: &[StatusDataItemName],
    ) -> Result<Done, OfficeError> {
        let mut out = Out::default();
        let found =
            self.folders(mailbox, |folders| folders.named(name).map(|folder| status(&mut out, folder, items))).await?;
        self.out.append(&mut out);
        Ok(match found {
            Some(()) => Done::ok("that is all"),
            None => Done::no("[NONEXISTENT] there is no such folder"),
        })
    }
}

/// The untagged answers to `SELECT`.
fn describe(out: &mut Out, folder: &Folder, view: &View) {
    const FLAGS: &str = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";
    let recent = view.entries.iter().filter(|entry| entry.uid >= view.first_recent).count();
    let unseen = folder.messages.values().position(|message| !message.record.flags.contains("\\Seen"));
    out.raw(&format!("* FLAGS ({FLAGS} $MDNSent)\r\n* {} EXISTS\r\n* {recent} RECENT\r\n", view.entries.len()));
    if let Some(position) = unseen {
        out.raw(&format!("* OK [UNSEEN {}] first unseen\r\n", position + 1));
    }
    let kept = if view.read_only { String::new() } else { format!("{FLAGS} $MDNSent \\*") };
    out.raw(&format!("* OK [PERMANENTFLAGS ({kept})] kept\r\n"));
    out.raw(&format!("* OK [UIDVALIDITY {}] for ever\r\n", folder.record.uid_validity));
    out.raw(&format!("* OK [UIDNEXT {}] next\r\n", folder.uid_next()));
}

fn attributes<'a>(folders: &Folders, folder: &'a Folder) -> impl Iterator<Item = &'a str> {
    let below = format!("{}/", folder.record.name);
    let has_children = folders.by_name().iter().any(|other| other.record.name.starts_with(&below));
    let children = if has_children { "\\HasChildren" } else { "\\HasNoChildren" };
    std::iter::once(children).chain(folder.record.special.map(|special| special.attribute()))
}

fn status(out: &mut Out, folder: &Folder, items: &[StatusDataItemName]) {
    let values = items.iter().filter_map(|item| {
        Some(match item {
            StatusDataItemName::Messages => format!("MESSAGES {}", folder.messages.len()),
            StatusDataItemName::Recent => format!("RECENT {}", folder.recent()),
            StatusDataItemName::UidNext => format!("UIDNEXT {}", folder.uid_next()),
            StatusDataItemName::UidValidity => format!("UIDVALIDITY {}", folder.record.uid_validity),
            StatusDataItemName::Unseen => format!("UNSEEN {}", folder.unseen()),
            StatusDataItemName::Deleted | StatusDataItemName::DeletedStorage => return None,
        })
    });
    let values = values.collect::<Vec<_>>();
    out.raw("* STATUS ").string(folder.record.name.as_bytes()).raw(" ");
    out.list(values.iter().map(String::as_str)).raw("\r\n");
}

/// `*` is anything, `%` anything without a separator (RFC 3501 §6.3.8); `INBOX` matches in any case.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name == INBOX.as_bytes() && pattern.eq_ignore_ascii_case(name) {
        return true;
    }
    // Where the last wildcard stood and how much of the name it had eaten: it is asked to eat one more, so the
    // work is at most pattern times name.
    let (mut at, mut read) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    let mut retry_any: Option<(usize, usize)> = None;
    loop {
        match pattern.get(at) {
            Some(b'*') => {
                retry_any = Some((at + 1, read));
                retry = None;
                at += 1;
                continue;
            }
            Some(b'%') => {
                retry = Some((at + 1, read));
                at += 1;
                continue;
            }
            Some(sign) if name.get(read) == Some(sign) => {
                at += 1;
                read += 1;
                continue;
            }
            None if read == name.len() => return true,
            _ => {}
        }
        let by_level = retry.filter(|(_, eaten)| name.get(*eaten).is_some_and(|sign| *sign != b'/'));
        let next = by_level.or(retry_any.filter(|(_, eaten)| *eaten < name.len()));
        let Some((after, eaten)) = next else { return false };
        if by_level.is_some() {
            retry = Some((after, eaten + 1));
        } else {
            retry = None;
            retry_any = Some((after, eaten + 1));
        }
        (at, read) = (after, eaten + 1);
    }
}

/// A folder's name as the client wrote it, `INBOX` in capitals.
pub(super) fn folder_name(name: &MailboxName<'_>) -> String {
    match name {
        MailboxName::Inbox => INBOX.to_owned(),
        MailboxName::Other(other) => String::from_utf8_lossy(&octets(other.inner())).into_owned(),
    }
}

fn wildcard(pattern: &ListMailbox<'_>) -> String {
    match pattern {
        ListMailbox::Token(token) => String::from_utf8_lossy(token.as_ref()).into_owned(),
        ListMailbox::String(IString::Literal(literal)) => String::from_utf8_lossy(literal.data()).into_owned(),
        ListMailbox::String(IString::Quoted(quoted)) => quoted.inner().to_owned(),
    }
}

fn literal(message: LiteralOrLiteral8<'static>) -> Vec<u8> {
    match message {
        LiteralOrLiteral8::Literal(literal) => literal.into_inner().into_owned(),
        LiteralOrLiteral8::Literal8(literal) => literal.data.into_owned(),
    }
}

/// System flags in their usual form, keywords as written.
pub(super) fn flag_names(flags: &[Flag<'_>]) -> BTreeSet<String> {
    flags.iter().map(ToString::to_string).collect()
}

/// `COPYUID <validity> <from> <to>`.
pub(super) fn copyuid(uid_validity: u32, uids: &[(u32, u32)]) -> String {
    let set =
        |side: fn(&(u32, u32)) -> u32| uids.iter().map(|pair| side(pair).to_string()).collect::<Vec<_>>().join(",");
    format!("COPYUID {uid_validity} {} {}", set(|pair| pair.0), set(|pair| pair.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_levels() {
        let cases = [
            ("*", "a/b/c", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("a/%", "a/b", true),
            ("a/%", "a/b/c", false),
            ("a/*", "a/b/c", true),
            ("*c", "a/b/c", true),
            ("%/%", "a/b", true),
            ("%/%", "a/b/c", false),
            ("*%", "a/b", true),
            ("a*b%d", "axxb/bcd", true),
            ("a%b*d", "ab/xd", true),
            ("inbox", "INBOX", true),
            ("sent", "Sent", false),
            ("", "a", false),
            ("%%%%*x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
