//! A [`DocumentMail`] as the bytes of RFC 5322 and MIME.
//!
//! The same mail gives the same bytes, whenever it is written: a retry is recognised by a receiver,
//! and the size is known before anything is sent. The boundary comes from the `Message-ID` and
//! begins with `=_`, which no part can hold (base64, quoted-printable, and bodies without it).

use std::fmt::Write as _;

use bytes::Bytes;
use jiff::Timestamp;

use super::header;
use crate::model::{Archive, DocumentMail, MessageId, Reply};

/// Writes the mail: text first, then `IHE_XDM.zip`, then the PDFs.
#[must_use]
pub fn write(mail: &DocumentMail) -> Bytes {
    let mut out = String::with_capacity(capacity(mail));
    headers(&mut out, mail);
    let boundary = boundary(mail.message_id());
    let _ = write!(out, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"{boundary}\"\r\n\r\n");
    let _ = write!(out, "--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Language: fr\r\n");
    header::text_body(&mut out, mail.body().as_str());
    attachment(&mut out, &boundary, "application/zip", Archive::NAME, mail.archive().zip());
    for copy in mail.attachments() {
        attachment(&mut out, &boundary, "application/pdf", copy.name.as_str(), &copy.pdf);
    }
    let _ = write!(out, "--{boundary}--\r\n");
    Bytes::from(out)
}

fn capacity(mail: &DocumentMail) -> usize {
    let parts = mail.attachments().iter().map(|copy| header::base64_body_length(copy.pdf.len()) + 512);
    4096 + mail.body().as_str().len() * 3
        + header::base64_body_length(mail.archive().zip().len())
        + parts.sum::<usize>()
}

fn headers(out: &mut String, mail: &DocumentMail) {
    let sender = mail.sender().address().to_wire();
    let recipients = mail.recipients().as_slice().iter().map(|recipient| recipient.address().to_wire());
    let recipients = recipients.collect::<Vec<_>>();
    let _ = write!(out, "Date: {}\r\n", date(mail.date()));
    header::addresses(out, "From", std::iter::once((Some(mail.sender().label().as_str()), sender.as_str())));
    header::addresses(out, "To", recipients.iter().map(|address| (None, address.as_str())));
    if let Some(address) = mail.reply_to() {
        let _ = write!(out, "Reply-To: {}\r\n", address.to_wire());
    }
    let _ = write!(out, "Message-ID: {}\r\n", mail.message_id());
    if let Some(id) = mail.in_reply_to() {
        let _ = write!(out, "In-Reply-To: {id}\r\nReferences: {id}\r\n");
    }
    header::unstructured(out, "Subject", mail.subject().as_str());
    if mail.receipts().reading {
        let _ = write!(out, "Disposition-Notification-To: {sender}\r\n");
    }
    mss_headers(out, mail);
}

/// The X-headers of Référentiel #2 §3.8.
fn mss_headers(out: &mut String, mail: &DocumentMail) {
    header::unstructured(out, "X-MSS-CODECDA", &mail.document_codes());
    let _ = write!(out, "X-MSS-INS: {}\r\n", if mail.carries_qualified_ins() { "O" } else { "N" });
    let _ = write!(out, "X-MSS-NIL: {}\r\n", mail.product().as_str());
    if matches!(mail.recipients().to_patient(), Some((_, Reply::Ended))) {
        out.push_str("X-MSS-MES: FIN\r\n");
    }
}

fn attachment(out: &mut String, boundary: &str, content_type: &str, name: &str, bytes: &[u8]) {
    let _ = write!(out, "--{boundary}\r\nContent-Type: {content_type}");
    header::parameter(out, "name", name);
    out.push_str("\r\nContent-Disposition: attachment");
    header::parameter(out, "filename", name);
    out.push_str("\r\n");
    header::base64_body(out, bytes);
}

/// The date of RFC 5322 §3.3, in UTC.
#[must_use]
pub fn date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// At most 70 characters (RFC 2046 §5.1.1), all of which need no escape in quotes.
#[must_use]
pub fn boundary(id: &MessageId) -> String {
    let signs = id.as_str().chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c));
    format!("=_{}", signs.take(60).collect::<String>())
}
