//! `SEARCH` (RFC 3501 §6.4.4): what a key says of one message. Texts are compared decoded and without case.

use imap_codec::imap_types::datetime::NaiveDate;
use imap_codec::imap_types::search::SearchKey;
use jiff::civil::Date;
use jiff::tz::Offset;
use mail_parser::{HeaderName, HeaderValue, Message as Mail, MessageParser, PartType};

use super::session::octets;
use super::view::{View, number};
use crate::twin::folders::Message;

/// One message and where it stands.
pub(super) struct Candidate<'a> {
    pub(super) view: &'a View,
    pub(super) position: usize,
    pub(super) message: &'a Message,
    /// The octets, read only for keys that need them.
    pub(super) bytes: Option<&'a [u8]>,
}

/// Does any part of the key look into the message itself?
pub(super) fn needs_octets(key: &SearchKey<'_>) -> bool {
    match key {
        SearchKey::And(keys) => keys.as_ref().iter().any(needs_octets),
        SearchKey::Not(key) => needs_octets(key),
        SearchKey::Or(a, b) => needs_octets(a) || needs_octets(b),
        SearchKey::Bcc(_)
        | SearchKey::Body(_)
        | SearchKey::Cc(_)
        | SearchKey::From(_)
        | SearchKey::Header(..)
        | SearchKey::SentBefore(_)
        | SearchKey::SentOn(_)
        | SearchKey::SentSince(_)
        | SearchKey::Subject(_)
        | SearchKey::Text(_)
        | SearchKey::To(_) => true,
        _ => false,
    }
}

impl Candidate<'_> {
    /// Sets were checked before: one that names nothing here does not match.
    pub(super) fn matches(&self, key: &SearchKey<'_>) -> bool {
        let flag = |name: &str| self.message.record.flags.contains(name);
        match key {
            SearchKey::All => true,
            SearchKey::And(keys) => keys.as_ref().iter().all(|key| self.matches(key)),
            SearchKey::Or(a, b) => self.matches(a) || self.matches(b),
            SearchKey::Not(key) => !self.matches(key),
            SearchKey::SequenceSet(set) => self.is_in(set, false),
            SearchKey::Uid(set) => self.is_in(set, true),
            SearchKey::Answered => flag("\\Answered"),
            SearchKey::Unanswered => !flag("\\Answered"),
            SearchKey::Deleted => flag("\\Deleted"),
            SearchKey::Undeleted => !flag("\\Deleted"),
            SearchKey::Draft => flag("\\Draft"),
            SearchKey::Undraft => !flag("\\Draft"),
            SearchKey::Flagged => flag("\\Flagged"),
            SearchKey::Unflagged => !flag("\\Flagged"),
            SearchKey::Seen => flag("\\Seen"),
            SearchKey::Unseen => !flag("\\Seen"),
            SearchKey::Keyword(word) => self.has_keyword(word.inner()),
            SearchKey::Unkeyword(word) => !self.has_keyword(word.inner()),
            SearchKey::Recent => self.is_recent(),
            SearchKey::New => self.is_recent() && !flag("\\Seen"),
            SearchKey::Old => !self.is_recent(),
            SearchKey::Larger(size) => self.message.record.size > u64::from(*size),
            SearchKey::Smaller(size) => self.message.record.size < u64::from(*size),
            SearchKey::Before(date) => compare(Some(self.received()), date, |a, b| a < b),
            SearchKey::On(date) => compare(Some(self.received()), date, |a, b| a == b),
            SearchKey::Since(date) => compare(Some(self.received()), date, |a, b| a >= b),
            _ => self.octets_match(key),
        }
    }

    fn octets_match(&self, key: &SearchKey<'_>) -> bool {
        let Some(mail) = self.bytes.and_then(|bytes| MessageParser::new().parse(bytes)) else { return false };
        let header = |name: HeaderName<'static>, text| header_holds(&mail, &name, &lower(text));
        match key {
            SearchKey::Subject(text) => header(HeaderName::Subject, text),
            SearchKey::From(text) => header(HeaderName::From, text),
            SearchKey::To(text) => header(HeaderName::To, text),
            SearchKey::Cc(text) => header(HeaderName::Cc, text),
            SearchKey::Bcc(text) => header(HeaderName::Bcc, text),
            SearchKey::Header(name, text) => named_header_holds(&mail, &lower(name), &lower(text)),
            SearchKey::Body(text) => body_holds(&mail, &lower(text)),
            SearchKey::Text(text) => {
                let text = lower(text);
                mail.headers().iter().any(|header| header_holds(&mail, &header.name, &text)) || body_holds(&mail, &text)
            }
            SearchKey::SentBefore(date) => compare(sent(&mail), date, |a, b| a < b),
            SearchKey::SentOn(date) => compare(sent(&mail), date, |a, b| a == b),
            SearchKey::SentSince(date) => compare(sent(&mail), date, |a, b| a >= b),
            _ => false,
        }
    }

    fn is_in(&self, set: &imap_codec::imap_types::sequence::SequenceSet, by_uid: bool) -> bool {
        use imap_codec::imap_types::sequence::{SeqOrUid, Sequence};
        let entries = &self.view.entries;
        let uid = entries.get(self.position).map_or(0, |entry| entry.uid);
        let last_uid = entries.last().map_or(0, |entry| entry.uid);
        let count = number(entries.len()).saturating_sub(1);
        let (value, largest) = if by_uid { (uid, last_uid) } else { (number(self.position), count) };
        let resolve = |which: &SeqOrUid| match which {
            SeqOrUid::Value(value) => value.get(),
            SeqOrUid::Asterisk => largest,
        };
        set.0.as_ref().iter().any(|sequence| match sequence {
            Sequence::Single(one) => resolve(one) == value,
            Sequence::Range(a, b) => {
                let (a, b) = (resolve(a), resolve(b));
                (a.min(b)..=a.max(b)).contains(&value)
            }
        })
    }

    fn has_keyword(&self, word: &str) -> bool {
        self.message.record.flags.iter().any(|flag| flag.eq_ignore_ascii_case(word))
    }

    fn is_recent(&self) -> bool {
        self.view.entries.get(self.position).is_some_and(|entry| entry.uid >= self.view.first_recent)
    }

    fn received(&self) -> Date {
        Offset::UTC.to_datetime(self.message.record.received).date()
    }
}

fn compare(date: Option<Date>, with: &NaiveDate, how: fn(Date, Date) -> bool) -> bool {
    let with = with.as_ref().to_string().parse::<Date>();
    matches!((date, with), (Some(date), Ok(with)) if how(date, with))
}

/// As the sender wrote it, its zone left out (RFC 3501 §6.4.4).
fn sent(mail: &Mail<'_>) -> Option<Date> {
    let date = mail.date()?;
    let (year, month, day) =
        (i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    Date::new(year, month, day).ok()
}

fn lower(text: &imap_codec::imap_types::core::AString<'_>) -> String {
    String::from_utf8_lossy(&octets(text)).to_lowercase()
}

fn header_holds(mail: &Mail<'_>, name: &HeaderName<'_>, text: &str) -> bool {
    mail.headers().iter().filter(|header| header.name == *name).any(|header| value_holds(&header.value, text))
}

fn named_header_holds(mail: &Mail<'_>, name: &str, text: &str) -> bool {
    let named = mail.headers().iter().filter(|header| header.name.as_str().eq_ignore_ascii_case(name));
    // An empty text asks whether the header is there.
    named.into_iter().any(|header| text.is_empty() || value_holds(&header.value, text))
}

fn value_holds(value: &HeaderValue<'_>, text: &str) -> bool {
    let holds = |value: &str| value.to_lowercase().contains(text);
    match value {
        HeaderValue::Text(value) => holds(value),
        HeaderValue::TextList(values) => values.iter().any(|value| holds(value)),
        HeaderValue::Address(addresses) => addresses.iter().any(|addr| {
            let name = addr.name.as_deref().unwrap_or_default();
            holds(&format!("{name} <{}>", addr.address.as_deref().unwrap_or_default()))
        }),
        HeaderValue::ContentType(value) => {
            holds(&format!("{}/{}", value.c_type, value.c_subtype.as_deref().unwrap_or_default()))
        }
        HeaderValue::DateTime(value) => holds(&value.to_rfc822()),
        HeaderValue::Received(_) | HeaderValue::Empty => false,
    }
}

fn body_holds(mail: &Mail<'_>, text: &str) -> bool {
    mail.parts.iter().any(|part| match &part.body {
        PartType::Text(body) | PartType::Html(body) => body.to_lowercase().contains(text),
        PartType::Message(inner) => body_holds(inner, text),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use imap_codec::CommandCodec;
    use imap_codec::decode::Decoder as _;
    use imap_codec::imap_types::command::CommandBody;
    use socle_store::Digest;
    use uuid::Uuid;

    use super::*;
    use crate::twin::folders::{Folder, FolderRecord, MessageRecord};

    const MAIL: &str = "Date: Sat, 21 Nov 2026 23:30:00 -0500\r\nFrom: =?utf-8?q?H=C3=B4pital?= A <a@b.test>\r\nTo: x@y.test\r\n\
        Subject: CR =?utf-8?q?m=C3=A9dicale?=\r\nX-MSS-INS: O\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nQ2jDqHJlIGNvbnPFk3Vy\r\n";

    fn found(criteria: &str) -> bool {
        let command = format!("a SEARCH CHARSET UTF-8 {criteria}\r\n");
        let (_, command) = CommandCodec::new().decode_static(command.as_bytes()).unwrap();
        let CommandBody::Search { criteria: keys, .. } = command.body else { panic!("{criteria}") };
        let record = MessageRecord {
            digest: Digest::of(b""),
            size: 1000,
            received: "2026-11-22T04:31:00Z".parse().unwrap(),
            flags: BTreeSet::from(["\\Seen".to_owned(), "$MDNSent".to_owned()]),
        };
        let message = Message { record, changed: 1 };
        let folder = FolderRecord {
            mailbox: Uuid::nil(),
            name: "INBOX".into(),
            uid_validity: 1,
            uid_floor: 1,
            special: None,
            subscribed: true,
        };
        let messages = BTreeMap::from([(7, message.clone()), (9, message.clone())]);
        let folder = Folder { id: Uuid::nil(), record: folder, messages, first_recent: 1 };
        let view = View::new(&folder, 0, false, 8);
        let candidate = Candidate { view: &view, position: 0, message: &message, bytes: Some(MAIL.as_bytes()) };
        keys.as_ref().iter().all(|key| candidate.matches(key))
    }

    #[test]
    fn each_key_says_what_the_standard_says() {
        let yes = [
            "ALL",
            "SEEN",
            "OLD",
            "NOT RECENT",
            "KEYWORD $mdnsent",
            "UNFLAGGED",
            "UNANSWERED UNDELETED UNDRAFT",
            "1",
            "1:*",
            "UID 7",
            "UID 1:7",
            "OR FLAGGED SEEN",
            "NOT (SEEN FLAGGED)",
            "LARGER 999",
            "SMALLER 1001",
            "ON 22-Nov-2026",
            "SINCE 22-Nov-2026",
            "BEFORE 23-Nov-2026",
            "SENTON 21-Nov-2026",
            "SENTBEFORE 22-Nov-2026",
            "SENTSINCE 21-Nov-2026",
            "SUBJECT {9+}\r\nMÉDICALE",
            "FROM {8+}\r\nhôpital",
            "FROM a@b.test",
            "TO x@y",
            "HEADER x-mss-ins o",
            "HEADER X-MSS-INS \"\"",
            "BODY {8+}\r\nconsœur",
            "TEXT {7+}\r\nChère ",
            "TEXT y.test",
        ];
        for criteria in yes {
            assert!(found(criteria), "{criteria}");
        }
        let no = [
            "UNSEEN",
            "NEW",
            "RECENT",
            "UNKEYWORD $MDNSent",
            "2",
            "UID 9",
            "UID 8:*",
            "LARGER 1000",
            "SMALLER 1000",
            "ON 21-Nov-2026",
            "BEFORE 22-Nov-2026",
            "SENTON 22-Nov-2026",
            "SUBJECT radio",
            "CC x",
            "HEADER X-MSS-NIL \"\"",
            "BODY medical",
            "NOT ALL",
            "OR FLAGGED DRAFT",
        ];
        for criteria in no {
            assert!(!found(criteria), "{criteria}");
        }
    }
}
