//! A message that has come: checked, traced, stored in all mailboxes at once, reported when asked.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use jiff::Timestamp;
use mail_parser::{HeaderName, Message, MessageParser};
use socle_identity::MssAddress;
use socle_store::Blob;
use uuid::Uuid;

use super::mime;
use super::office::{Delivery, Item, Mailbox, OfficeError, SubmissionRecord};
use super::smtp::Operator;
use crate::model::{Archive, MessageId, ReceivedSubject};
use crate::wire::data::Received;
use crate::wire::dsn::{self, Action, Report};
use crate::wire::message::date;
use crate::wire::smtp::{Enhanced, Mail, Notify, Rcpt};

/// Who sends to whom, and which reports are wanted: not printable, a recipient may be a patient.
pub(crate) struct Envelope {
    mailbox: MssAddress,
    /// `MAIL FROM:<>`, of reports.
    is_null: bool,
    envid: Option<String>,
    pub(crate) recipients: Vec<Recipient>,
}

/// One `RCPT`.
pub(crate) struct Recipient {
    address: MssAddress,
    notify: Option<Notify>,
    orcpt: Option<String>,
}

impl Envelope {
    pub(crate) fn new(mailbox: &Arc<Mailbox>, mail: &Mail) -> Self {
        let (mailbox, envid) = (mailbox.address.clone(), mail.envid.clone());
        Self { mailbox, is_null: mail.from.is_empty(), envid, recipients: Vec::new() }
    }

    /// The same address twice is one delivery.
    pub(crate) fn add(&mut self, address: MssAddress, rcpt: &Rcpt) {
        if self.recipients.iter().all(|known| known.address != address) {
            self.recipients.push(Recipient { address, notify: rcpt.notify, orcpt: rcpt.orcpt.clone() });
        }
    }
}

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the message is larger than {} octets", super::smtp::SIZE_MAX)]
    TooLarge,
    #[error("a CR or LF stands alone in the message (RFC 5321 s. 2.3.8)")]
    BareLineBreak,
    #[error("the message has no header (RFC 5322 s. 3.6)")]
    Header,
    #[error("the message passed too many servers: a loop")]
    Loop,
    #[error("no space left, try again later")]
    DiskFull,
    #[error("the message could not be stored, try again later")]
    Store,
}

/// RFC 5321 §6.3.
const HOPS_MAX: usize = 100;

/// Takes a message; when it answers, the message is on the disk for every recipient.
pub(crate) async fn accept(
    operator: &Operator,
    envelope: &Envelope,
    received: Received,
    hello: &str,
    peer: IpAddr,
) -> Result<Uuid, Refusal> {
    if received.bare_line_break {
        return Err(Refusal::BareLineBreak);
    }
    let message = received.message.ok_or(Refusal::TooLarge)?;
    let found = Findings::of(&message)?;
    let (id, now) = (Uuid::now_v7(), Timestamp::now());
    let blob = Blob::new(traced(operator, envelope, &message, hello, peer, id, now));
    let items = envelope.recipients.iter().map(|to| Item { to: to.address.clone(), message: blob.clone() });
    let mut items = items.collect::<Vec<_>>();
    items.extend(reports(operator, envelope, &message, now));
    let office = &operator.access.office;
    let copies_before = match &found.message_id {
        Some(message_id) => office.copies_of(message_id).await.map_err(|_| Refusal::Store)?,
        None => 0,
    };
    let submission = SubmissionRecord {
        id,
        received: now,
        from: envelope.mailbox.shown(),
        to: envelope.recipients.iter().map(|to| to.address.shown()).collect(),
        size: message.len() as u64,
        message_id: found.message_id,
        copies_before,
        warnings: found.warnings,
    };
    match office.deliver(Delivery { items, submission }).await {
        Ok(()) => Ok(id),
        Err(OfficeError::DiskFull) => Err(Refusal::DiskFull),
        Err(error) => {
            tracing::error!(%error, "a mail could not be stored");
            Err(Refusal::Store)
        }
    }
}

/// The message under the two headers of its arrival (RFC 5321 §4.4). `Received` names no recipient: each
/// one would read the others'.
fn traced(
    operator: &Operator,
    envelope: &Envelope,
    message: &Bytes,
    hello: &str,
    peer: IpAddr,
    id: Uuid,
    now: Timestamp,
) -> Bytes {
    let return_path = if envelope.is_null { String::new() } else { envelope.mailbox.to_wire() };
    let trace = format!(
        "Return-Path: <{return_path}>\r\nReceived: from {hello} ([{peer}])\r\n by {} with ESMTPSA id {id};\r\n {}\r\n",
        operator.host,
        date(now)
    );
    let mut out = BytesMut::with_capacity(trace.len() + message.len());
    out.put_slice(trace.as_bytes());
    out.put_slice(message);
    out.freeze()
}

/// A report for each recipient whose delivery the sender wants to hear of (RFC 3461); none about a report.
fn reports(operator: &Operator, envelope: &Envelope, message: &Bytes, now: Timestamp) -> Vec<Item> {
    if envelope.is_null {
        return Vec::new();
    }
    let headers = message[..mime::header_length(message)].trim_ascii_end();
    let domain = envelope.mailbox.domain();
    let from = format!("mailer-daemon@{domain}");
    let to = envelope.mailbox.to_wire();
    let wanted = envelope.recipients.iter().filter(|to| to.notify.is_some_and(|notify| notify.success));
    wanted
        .map(|recipient| {
            let report = Report {
                message_id: &MessageId::new(Uuid::now_v7(), &domain),
                date: now,
                from: &from,
                reporting_host: &operator.host,
                to: &to,
                envid: envelope.envid.as_deref(),
                arrived: now,
                original_recipient: recipient.orcpt.as_deref(),
                final_recipient: &recipient.address.to_wire(),
                action: Action::Delivered,
                status: Enhanced(2, 1, 5),
                diagnostic: "250 2.1.5 delivered to the mailbox",
                headers,
            };
            Item { to: envelope.mailbox.clone(), message: Blob::new(dsn::write(&report)) }
        })
        .collect()
}

/// What a message shows of itself.
struct Findings {
    message_id: Option<String>,
    warnings: Vec<String>,
}

impl Findings {
    fn of(bytes: &[u8]) -> Result<Self, Refusal> {
        let message = mime::parse(bytes);
        let header = &bytes[message.header.clone()];
        let read = MessageParser::new().parse_headers(header).filter(|message| !message.headers().is_empty());
        let read = read.ok_or(Refusal::Header)?;
        if read.header_values(HeaderName::Received).count() >= HOPS_MAX {
            return Err(Refusal::Loop);
        }
        let names = message.leaves().into_iter().filter_map(|part| mime::file_name(bytes, part)).collect::<Vec<_>>();
        let message_id = read.message_id().and_then(|id| id.parse::<MessageId>().ok());
        let message_id = message_id.map(|id| id.as_str().to_owned());
        Ok(Self { message_id, warnings: warnings(&read, &names) })
    }
}

/// What Référentiel #2 asks of a mail that business software sends. An operator takes the mail all the same:
/// people write with webmails too.
fn warnings(message: &Message<'_>, attachments: &[String]) -> Vec<String> {
    let has = |name: &str| message.header(HeaderName::Other(name.into())).is_some();
    let has_archive = attachments.iter().any(|name| name.eq_ignore_ascii_case(Archive::NAME));
    let has_pdf = attachments.iter().any(|name| name.to_ascii_lowercase().ends_with(".pdf"));
    let subject = ReceivedSubject::read(message.subject().unwrap_or_default());
    let (coded, ins) = (has("X-MSS-CODECDA"), has("X-MSS-INS"));
    let rules = [
        (!has("X-MSS-NIL"), "X-MSS-NIL absent (ECO.2.4.3)"),
        (has_archive && !coded, "IHE_XDM.zip sans X-MSS-CODECDA (ECO.2.4.1)"),
        (has_archive && !ins, "IHE_XDM.zip sans X-MSS-INS (ECO.2.4.2)"),
        (!has_archive && coded, "X-MSS-CODECDA sans IHE_XDM.zip (ECO.2.4.1)"),
        (!has_archive && ins, "X-MSS-INS sans IHE_XDM.zip (ECO.2.4.2)"),
        (has_archive && !has_pdf, "IHE_XDM.zip sans copie PDF (ECO.2.1.1)"),
        (has_archive && !subject.is_document, "objet sans XDM/1.0/DDM+ (ECO.2.1.3)"),
        (message.message_id().is_none(), "Message-ID absent (ECO.2.2.1)"),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, rule)| rule.to_owned()).collect()
}
