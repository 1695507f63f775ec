//! Delivery status notifications (RFC 3464 in RFC 6522), as an operator writes them.

use std::fmt::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
use jiff::Timestamp;

use super::{header, message};
use crate::model::MessageId;
use crate::wire::smtp::Enhanced;

/// A report about one message and one of its recipients, who may be a patient: not printable.
pub struct Report<'a> {
    /// Of the report itself.
    pub message_id: &'a MessageId,
    /// When it is written.
    pub date: Timestamp,
    /// Who reports, e.g. `mailer-daemon@op-a.test`.
    pub from: &'a str,
    /// The host that reports.
    pub reporting_host: &'a str,
    /// The sender of the message.
    pub to: &'a str,
    /// `ENVID` as the sender gave it.
    pub envid: Option<&'a str>,
    /// When the message arrived.
    pub arrived: Timestamp,
    /// `ORCPT` as the sender gave it.
    pub original_recipient: Option<&'a str>,
    /// The mailbox.
    pub final_recipient: &'a str,
    /// What happened.
    pub action: Action,
    /// The status.
    pub status: Enhanced,
    /// The reply that the recipient's server gave, or would have given.
    pub diagnostic: &'a str,
    /// The header of the message, which is given back; without a line break at its end.
    pub headers: &'a [u8],
}

/// `Action` of RFC 3464 §2.3.3, those that an operator that delivers itself knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// In the mailbox.
    Delivered,
    /// It will never be.
    Failed,
}

impl Action {
    const fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    const fn subject(self) -> &'static str {
        match self {
            Self::Delivered => "Successful Mail Delivery Report",
            Self::Failed => "Undelivered Mail Returned to Sender",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Delivered => "Le message a été remis à la boîte aux lettres du destinataire.",
            Self::Failed => "Le message n'a pas été distribué.",
        }
    }
}

/// Writes a report.
#[must_use]
pub fn write(report: &Report<'_>) -> Bytes {
    let boundary = message::boundary(report.message_id);
    let mut out = String::new();
    let _ = write!(out, "Date: {}\r\n", message::date(report.date));
    header::addresses(&mut out, "From", std::iter::once((Some("Mail Delivery System"), report.from)));
    header::addresses(&mut out, "To", std::iter::once((None, report.to)));
    let _ = write!(out, "Message-ID: {}\r\nAuto-Submitted: auto-replied\r\n", report.message_id);
    header::unstructured(&mut out, "Subject", report.action.subject());
    out.push_str("MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n");
    let _ = write!(out, " boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n");
    out.push_str("Content-Type: text/plain; charset=utf-8\r\nContent-Language: fr\r\n");
    header::text_body(&mut out, &format!("{}\n\n{}", report.action.sentence(), report.diagnostic));
    let _ = write!(out, "--{boundary}\r\nContent-Type: message/delivery-status\r\n\r\n");
    status_fields(&mut out, report);
    let _ = write!(out, "\r\n--{boundary}\r\nContent-Type: text/rfc822-headers\r\n\r\n");
    let mut bytes = BytesMut::with_capacity(out.len() + report.headers.len() + 100);
    bytes.put_slice(out.as_bytes());
    bytes.put_slice(report.headers);
    bytes.put_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    bytes.freeze()
}

/// The fields about the message, an empty line, the fields about the recipient (RFC 3464 §2.1).
fn status_fields(out: &mut String, report: &Report<'_>) {
    let _ = write!(out, "Reporting-MTA: dns; {}\r\n", report.reporting_host);
    if let Some(envid) = report.envid {
        let _ = write!(out, "Original-Envelope-Id: {}\r\n", super::smtp::xtext(envid));
    }
    let _ = write!(out, "Arrival-Date: {}\r\n\r\n", message::date(report.arrived));
    if let Some(address) = report.original_recipient {
        let _ = write!(out, "Original-Recipient: rfc822; {}\r\n", super::smtp::xtext(address));
    }
    let _ = write!(
        out,
        "Final-Recipient: rfc822; {}\r\nAction: {}\r\nStatus: {}\r\nDiagnostic-Code: smtp; {}\r\n",
        report.final_recipient,
        report.action.word(),
        report.status,
        report.diagnostic
    );
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    #[test]
    fn a_report_has_the_three_parts_of_the_standard() {
        let report = Report {
            message_id: &"dsn1@op-a.test".parse().unwrap(),
            date: "2026-11-21T08:00:00Z".parse().unwrap(),
            from: "mailer-daemon@op-a.test",
            reporting_host: "smtp.op-a.test",
            to: "thomas.eric@medecin.mssante.test",
            envid: Some("2f1c+"),
            arrived: "2026-11-21T07:59:59Z".parse().unwrap(),
            original_recipient: Some("dpi@hopital-a.mssante.test"),
            final_recipient: "dpi@hopital-a.mssante.test",
            action: Action::Delivered,
            status: Enhanced(2, 1, 5),
            diagnostic: "250 2.1.5 delivered",
            headers: b"Message-ID: <m1@medecin.mssante.test>",
        };
        let bytes = write(&report);
        let message = MessageParser::new().parse(bytes.as_ref()).unwrap();
        let types = message.parts.iter().filter_map(|part| {
            mail_parser::MimeHeaders::content_type(part)
                .map(|t| format!("{}/{}", t.c_type, t.c_subtype.as_deref().unwrap_or("")))
        });
        let expected = ["multipart/report", "text/plain", "message/delivery-status", "text/rfc822-headers"];
        assert_eq!(types.collect::<Vec<_>>(), expected);
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        for field in [
            "Original-Envelope-Id: 2f1c+2B\r\n",
            "Original-Recipient: rfc822; dpi@hopital-a.mssante.test\r\n",
            "Action: delivered\r\nStatus: 2.1.5\r\n",
            "\r\n\r\nMessage-ID: <m1@medecin.mssante.test>\r\n",
            "Auto-Submitted: auto-replied\r\n",
        ] {
            assert!(text.contains(field), "{field}\n{text}");
        }
    }
}
