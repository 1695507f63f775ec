//! The lot leaves by MSSanté: one mail per recipient, with the XDM archive and the readable copies.
//!
//! The Message-ID is that of the job: a mail that is sent again after an unknown outcome is seen as the
//! same by whoever receives it twice.

use bytes::Bytes;
use socle_cda::{pdf, xdm};
use socle_finding::{Finding, Location, Rule, Severity, Text};
use socle_mss::client::{Class, Fate, Submission, SubmitError};
use socle_mss::model::{
    Archive, BodyText, DocumentMail, Draft, HeaderText, Label, MailboxKind, MessageId, ProductNumber, ReadableCopy,
    Receipts, Recipient, Recipients, Reply, Sender, TextError,
};
use socle_store::{Blob, Job};
use socle_trust::audit::{Code, RecordAction};
use uuid::Uuid;

use super::job::{DeliveryJob, Lot, Target};
use super::package::{Package, Unpacked};
use super::{Attempt, End};
use crate::desk::Gateway;

const PROTOCOL: &str = "SMTP, STARTTLS, mTLS";

impl Gateway {
    pub(super) async fn deliver_by_mail(&self, job: &Job) -> Attempt {
        let Ok(DeliveryJob { lot, target }) = serde_json::from_slice(&job.payload) else {
            return self.unreadable(job, "mssante", PROTOCOL);
        };
        let attempt =
            self.begin(job, &lot, &target, PROTOCOL, Code::new("urn:socle:event", "mssante"), RecordAction::C);
        let package = match self.package(&lot).await {
            Ok(package) => package,
            Err(unpacked) => return attempt.unpacked(unpacked),
        };
        let mail = match self.write_mail(&lot, &target, job, package) {
            Ok(mail) => mail,
            Err(finding) => return attempt.never(&finding),
        };
        let sent = self.services.mss.submit(&mail).await;
        concluded(attempt, &mail, sent)
    }

    fn write_mail(
        &self,
        lot: &Lot,
        target: &Target,
        job: &Job,
        package: Package,
    ) -> Result<DocumentMail, Box<Finding>> {
        let settings = &self.settings;
        let label = Label::entity(settings.mailbox_label.parse().map_err(refused)?);
        let sender = Sender::new(settings.mailbox.clone(), MailboxKind::Application, label, settings.environment)
            .map_err(refused)?;
        let first = &package.documents[0];
        let draft = Draft {
            message_id: MessageId::new(message_uuid(lot.flow, job), &settings.mailbox.domain()),
            date: lot.set.submitted,
            sender,
            recipients: self.recipients(target, &package)?,
            reply_to: None,
            in_reply_to: None,
            label: label_of(&first.header).map_err(refused)?,
            patient: &package.identity,
            body: BodyText::standard(),
            archive: archive(settings, &package)?,
            readable_copies: package.documents.iter().filter_map(readable_copy).collect(),
            receipts: Receipts { delivery: true, reading: false },
            product: settings.mss_product.parse::<ProductNumber>().map_err(refused)?,
        };
        DocumentMail::new(draft).map_err(refused)
    }

    fn recipients(&self, target: &Target, package: &Package) -> Result<Recipients, Box<Finding>> {
        let list = &self.services.white_list;
        match target {
            Target::Professional(address) => {
                let recipient = Recipient::professional(address.clone(), list).map_err(refused)?;
                Recipients::professionals(vec![recipient]).map_err(refused)
            }
            Target::Patient | Target::Dmp => {
                let identity = package.identity.qualified().ok_or_else(not_qualified)?;
                let recipient = Recipient::patient(identity, list).map_err(refused)?;
                Recipients::patient(recipient, Reply::Ended).map_err(refused)
            }
        }
    }
}

/// The same for every attempt of a job, another for every job.
fn message_uuid(flow: Uuid, job: &Job) -> Uuid {
    Uuid::new_v5(&flow, job.key.as_bytes())
}

fn label_of(header: &socle_cda::Header) -> Result<HeaderText, TextError> {
    let label = if header.code.label.is_empty() { &header.title } else { &header.code.label };
    label.parse()
}

fn archive(settings: &crate::Settings, package: &Package) -> Result<Archive, Box<Finding>> {
    let outgoing = xdm::Outgoing {
        sender: xdm::Sender {
            organisation: settings.structure_name.clone(),
            software: "Socle".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            editor: "Socle".to_owned(),
            contact: settings.mailbox.shown(),
        },
        set: package.set.clone(),
        documents: package.documents.iter().map(|packed| (packed.entry.clone(), packed.bytes().clone())).collect(),
    };
    let zip = xdm::write(&outgoing).map_err(refused)?;
    Archive::read(zip).map_err(refused)
}

/// A document that has no readable form yet goes without one: the archive holds it all the same.
fn readable_copy(packed: &super::package::Packed) -> Option<ReadableCopy> {
    let pdf = pdf::of(&packed.document).ok()?;
    let date = packed.header.main_event.start.date()?;
    Some(ReadableCopy { date, label: label_of(&packed.header).ok(), folder: None, pdf: Bytes::from(pdf) })
}

fn concluded(mut attempt: Attempt, mail: &DocumentMail, sent: Result<Submission, SubmitError>) -> Attempt {
    attempt.exchange = Some((Blob::new(envelope_of(mail)), sent.as_ref().ok().map(|sent| Blob::new(replies_of(sent)))));
    match sent {
        Ok(submission) => match submission.deliveries.iter().find_map(|delivery| delivery.fate.class()) {
            None => {
                attempt.end = End::Done;
                let ins = if mail.carries_qualified_ins() { "O" } else { "N" };
                let size = submission.size.div_ceil(1024);
                attempt.summary = Text::new(
                    format!("remis à l'opérateur ({size} Ko, X-MSS-INS: {ins})"),
                    format!("handed to the operator ({size} KB, X-MSS-INS: {ins})"),
                );
                attempt
            }
            Some(Class::Permanent) => attempt.never(&operator_refused(&replies_of(&submission))),
            Some(_) => {
                let replies = replies_of(&submission);
                attempt.later(Text::new(
                    format!("l'opérateur diffère : {}", replies.trim()),
                    format!("the operator defers: {}", replies.trim()),
                ))
            }
        },
        Err(error) => match error.class() {
            Class::Permanent => attempt.never(&refused(error)),
            Class::Temporary => attempt.later(Text::new(format!("opérateur : {error}"), format!("operator: {error}"))),
            Class::Unknown => attempt.later(Text::new(
                format!("issue inconnue, renvoyé avec le même Message-ID : {error}"),
                format!("outcome unknown, sent again with the same Message-ID: {error}"),
            )),
        },
    }
}

/// What the flow shows of the mail: its headers; the archive is in the store under its documents.
fn envelope_of(mail: &DocumentMail) -> String {
    let headers = [
        ("Message-ID", mail.message_id().as_str().to_owned()),
        ("From", mail.sender().address().shown()),
        ("To", mail.recipients().as_slice().iter().map(|to| to.address().shown()).collect::<Vec<_>>().join(", ")),
        ("X-MSS-CODECDA", mail.document_codes()),
        ("X-MSS-INS", if mail.carries_qualified_ins() { "O" } else { "N" }.to_owned()),
    ];
    headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}

fn replies_of(submission: &Submission) -> String {
    let line = |fate: &Fate| match fate {
        Fate::Accepted(reply) | Fate::Refused(reply) => format!("{reply}\r\n"),
    };
    submission.deliveries.iter().map(|delivery| line(&delivery.fate)).collect()
}

fn refused(error: impl std::fmt::Display) -> Box<Finding> {
    Box::new(Finding {
        severity: Severity::Error,
        rule: Rule::fixed("MSSanté Référentiel #2", "ECO.2"),
        at: Location::default(),
        message: Text::new(format!("le mail ne peut pas partir : {error}"), format!("the mail cannot leave: {error}")),
        mend: Text::fixed(
            "corrigez, puis relancez le travail (socle jobs retry)",
            "mend it, then run the job again (socle jobs retry)",
        ),
    })
}

fn operator_refused(replies: &str) -> Box<Finding> {
    let replies = replies.trim();
    Box::new(Finding {
        severity: Severity::Error,
        rule: Rule::fixed("RFC 5321", "§4.2"),
        at: Location::default(),
        message: Text::new(format!("l'opérateur refuse : {replies}"), format!("the operator refuses: {replies}")),
        mend: Text::fixed("vérifiez l'adresse, puis relancez le travail", "check the address, then run the job again"),
    })
}

fn not_qualified() -> Box<Finding> {
    Box::new(Finding {
        rule: Rule::fixed("MSSanté Référentiel #2", "ECO.2.2.6"),
        message: Text::fixed(
            "l'adresse d'un patient demande une identité qualifiée",
            "a patient's address asks for a qualified identity",
        ),
        ..*refused("")
    })
}

impl Attempt {
    pub(super) fn unpacked(self, unpacked: Unpacked) -> Self {
        match unpacked {
            Unpacked::Later(why) => self.later(why),
            Unpacked::Never(why) => self.never(&Finding {
                severity: Severity::Error,
                rule: Rule::fixed("Socle", "lot enregistré"),
                at: Location::default(),
                message: why,
                mend: Text::fixed("produisez de nouveau le document", "produce the document again"),
            }),
        }
    }
}
