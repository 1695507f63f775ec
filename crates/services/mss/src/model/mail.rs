use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use socle_identity::{Domain, Environment, EnvironmentMix, Identity, MssAddress, Status};
use uuid::Uuid;

use super::{Archive, BodyText, HeaderText, PatientName, PdfName, Recipients, Sender, Subject, TextError};

/// The size that operators take when they say nothing, in bytes: what vendors configure (the figure
/// guaranteed between operators is not published).
pub const SIZE_MAX_DEFAULT: u64 = 10 * 1024 * 1024;

/// The size that Mon espace santé takes, in bytes, strict (ENS V1.3 §6: 25 MB).
pub const SIZE_MAX_PATIENT: u64 = 25 * 1024 * 1024;

/// What is needed to write a mail.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// Chosen once, kept over retries: a receiver sees by it that two mails are one.
    pub message_id: MessageId,
    /// When it was written; kept over retries too.
    pub date: Timestamp,
    /// The mailbox that sends.
    pub sender: Sender,
    /// To whom.
    pub recipients: Recipients,
    /// Where answers go when not to the sender (ECO.2.2.5).
    pub reply_to: Option<MssAddress>,
    /// The mail that this one answers or replaces.
    pub in_reply_to: Option<MessageId>,
    /// What the document is called, e.g. `Lettre de liaison à la sortie`.
    pub label: HeaderText,
    /// Whom it is about, with the status of the identity.
    pub patient: &'a Identity,
    /// What the reader reads first.
    pub body: BodyText,
    /// The documents.
    pub archive: Archive,
    /// The same documents as PDF/A-1 (ECO.2.1.1).
    pub readable_copies: Vec<ReadableCopy>,
    /// Which proofs are asked for.
    pub receipts: Receipts,
    /// Our product, for `X-MSS-NIL`.
    pub product: ProductNumber,
}

/// A PDF made of one document.
#[derive(Clone)]
pub struct ReadableCopy {
    /// Date of the act.
    pub date: Date,
    /// The type's label; the mail's when absent.
    pub label: Option<HeaderText>,
    /// Numéro de dossier.
    pub folder: Option<HeaderText>,
    /// The PDF.
    pub pdf: Bytes,
}

impl fmt::Debug for ReadableCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadableCopy({} octets)", self.pdf.len())
    }
}

/// Which proofs of delivery are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipts {
    /// Accusé de réception: a DSN of the recipient's server (ECO.2.3.1).
    pub delivery: bool,
    /// Accusé de lecture: an MDN (ECO.2.3.2).
    pub reading: bool,
}

/// A mail about one usager, that cannot be written wrong: ready for [`crate::wire::message::write`].
#[derive(Debug, Clone)]
pub struct DocumentMail {
    message_id: MessageId,
    date: Timestamp,
    sender: Sender,
    recipients: Recipients,
    reply_to: Option<MssAddress>,
    in_reply_to: Option<MessageId>,
    subject: Subject,
    body: BodyText,
    archive: Archive,
    attachments: Vec<Attachment>,
    receipts: Receipts,
    product: ProductNumber,
}

/// A readable copy under its prescribed name.
#[derive(Clone)]
pub struct Attachment {
    /// The file name.
    pub name: PdfName,
    /// The PDF.
    pub pdf: Bytes,
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attachment({} octets)", self.pdf.len())
    }
}

impl DocumentMail {
    /// Writes the mail, or says everything that forbids it.
    ///
    /// # Errors
    /// [`MailRefusals`], at least one.
    pub fn new(draft: Draft<'_>) -> Result<Self, MailRefusals> {
        let mut refusals = Vec::new();
        check_environment(&draft, &mut refusals);
        check_patient(&draft, &mut refusals);
        let named = name_everything(&draft).map_err(|error| refusals.push(error.into()));
        let (Ok((subject, attachments)), true) = (named, refusals.is_empty()) else {
            return Err(MailRefusals(refusals));
        };
        let Draft { message_id, date, sender, recipients, reply_to, in_reply_to, .. } = draft;
        let Draft { body, archive, receipts, product, .. } = draft;
        Ok(Self {
            message_id,
            date,
            sender,
            recipients,
            reply_to,
            in_reply_to,
            subject,
            body,
            archive,
            attachments,
            receipts,
            product,
        })
    }

    /// `Message-ID`.
    #[must_use]
    pub const fn message_id(&self) -> &MessageId {
        &self.message_id
    }

    /// `Date`.
    #[must_use]
    pub const fn date(&self) -> Timestamp {
        self.date
    }

    /// `From`.
    #[must_use]
    pub const fn sender(&self) -> &Sender {
        &self.sender
    }

    /// `To`.
    #[must_use]
    pub const fn recipients(&self) -> &Recipients {
        &self.recipients
    }

    /// `Reply-To`.
    #[must_use]
    pub const fn reply_to(&self) -> Option<&MssAddress> {
        self.reply_to.as_ref()
    }

    /// `In-Reply-To` and `References`.
    #[must_use]
    pub const fn in_reply_to(&self) -> Option<&MessageId> {
        self.in_reply_to.as_ref()
    }

    /// `Subject`.
    #[must_use]
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The text.
    #[must_use]
    pub const fn body(&self) -> &BodyText {
        &self.body
    }

    /// The archive.
    #[must_use]
    pub const fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The PDFs.
    #[must_use]
    pub fn attachments(&self) -> &[Attachment] {
        &self.attachments
    }

    /// The proofs asked for.
    #[must_use]
    pub const fn receipts(&self) -> Receipts {
        self.receipts
    }

    /// `X-MSS-NIL` (ECO.2.4.3).
    #[must_use]
    pub const fn product(&self) -> &ProductNumber {
        &self.product
    }

    /// `X-MSS-CODECDA` (ECO.2.4.1): the codes of the documents, in their order.
    #[must_use]
    pub fn document_codes(&self) -> String {
        self.archive.documents().iter().map(|document| document.code.as_str()).collect::<Vec<_>>().join(",")
    }

    /// `X-MSS-INS` (ECO.2.4.2): is a qualified INS in the archive?
    #[must_use]
    pub fn carries_qualified_ins(&self) -> bool {
        self.archive.carries_ins()
    }

    /// The largest size that the recipients take when the operator takes more.
    #[must_use]
    pub const fn size_max(&self) -> Option<u64> {
        match self.recipients {
            Recipients::Patient(_) => Some(SIZE_MAX_PATIENT),
            Recipients::Professionals(_) => None,
        }
    }

    /// What a full document mail would hold and this one does not; to be shown to whoever sends.
    #[must_use]
    pub fn lacks_readable_copies(&self) -> bool {
        self.attachments.len() < self.archive.documents().len()
    }
}

fn check_environment(draft: &Draft<'_>, refusals: &mut Vec<MailRefusal>) {
    let environment = draft.recipients.environment();
    let reply_to = draft.reply_to.as_ref().map_or(Ok(()), |address| address.domain().admit_in(environment));
    let sender = environment.admit(draft.sender.environment(), "the sender's mailbox");
    let product = draft.product.admit_in(environment);
    refusals.extend([sender, reply_to, product].into_iter().filter_map(Result::err).map(MailRefusal::from));
}

/// The INS leaves with a qualified identity only, all documents are of one usager, and a patient gets
/// their own documents.
fn check_patient(draft: &Draft<'_>, refusals: &mut Vec<MailRefusal>) {
    let mut carried = draft.archive.documents().iter().flat_map(|document| &document.ins);
    let to_patient = draft.recipients.to_patient().map(|(recipient, _)| recipient.address());
    let Some(qualified) = draft.patient.qualified() else {
        if carried.next().is_some() || to_patient.is_some() {
            refusals.push(MailRefusal::NotQualified(draft.patient.status()));
        }
        return;
    };
    if let Err(mix) = qualified.admit_in(draft.recipients.environment()) {
        refusals.push(mix.into());
    }
    let own = &qualified.ins().matricule;
    if carried.any(|ins| ins.matricule != *own) {
        refusals.push(MailRefusal::OtherPatient);
    }
    if to_patient.is_some_and(|address| *address != MssAddress::Patient(own.clone())) {
        refusals.push(MailRefusal::OtherMailbox);
    }
}

fn name_everything(draft: &Draft<'_>) -> Result<(Subject, Vec<Attachment>), TextError> {
    let patient = PatientName::try_from(draft.patient.traits())?;
    let subject = Subject::document(&draft.label, &patient)?;
    let mut attachments = Vec::with_capacity(draft.readable_copies.len());
    for copy in &draft.readable_copies {
        let label = copy.label.as_ref().unwrap_or(&draft.label);
        let name = PdfName::new(copy.date, label, &patient, copy.folder.as_ref())?;
        attachments.push(Attachment { name, pdf: copy.pdf.clone() });
    }
    Ok((subject, attachments))
}

/// One reason why a mail cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailRefusal {
    /// An INS, in the archive or as address, with an identity that may not carry it.
    #[error("the INS leaves with a qualified identity only, and this one is {0} (RNIV v2.0, EXI SI 08)")]
    NotQualified(Status),
    /// Two usagers in one mail.
    #[error("a document of the archive is about another usager than the mail (Référentiel #2, ECO.2.1.1)")]
    OtherPatient,
    /// A patient would get another's documents.
    #[error("the recipient's mailbox is not that of the patient whom the documents are about (ECO.2.2.6)")]
    OtherMailbox,
    /// A name or a label cannot stand in a header.
    #[error("the subject or the name of a PDF cannot be written (ECO.2.1.3, ECO.2.1.6): {0}")]
    Text(#[from] TextError),
    /// Sender, recipients and identity do not live in one environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
}

/// All that forbids a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRefusals(Vec<MailRefusal>);

impl MailRefusals {
    /// The reasons, at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[MailRefusal] {
        &self.0
    }
}

impl fmt::Display for MailRefusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the mail was not written: ")?;
        f.write_str(&self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }
}

impl std::error::Error for MailRefusals {}

/// A `Message-ID` (RFC 5322 §3.6.4), without its angle brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId(String);

impl MessageId {
    /// `<uuid>@<domain>`: one for each mail, kept over its retries.
    #[must_use]
    pub fn new(id: Uuid, domain: &Domain) -> Self {
        Self(format!("{}@{}", id.hyphenated(), domain.as_str()))
    }

    /// The text, without brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageId {
    type Err = MessageIdError;

    /// Reads it with or without brackets.
    fn from_str(text: &str) -> Result<Self, MessageIdError> {
        let text = text.trim();
        let text = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
        let is_atom =
            |side: &str| !side.is_empty() && side.bytes().all(|b| b.is_ascii_graphic() && !b"<>@".contains(&b));
        match text.rsplit_once('@') {
            Some((left, right)) if is_atom(left) && is_atom(right) && text.len() <= 250 => Ok(Self(text.to_owned())),
            _ => Err(MessageIdError),
        }
    }
}

impl TryFrom<String> for MessageId {
    type Error = MessageIdError;

    fn try_from(text: String) -> Result<Self, MessageIdError> {
        text.parse()
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

/// The text is no `Message-ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a Message-ID is `<left@right>`, printable ASCII, at most 250 characters (RFC 5322 §3.6.4)")]
pub struct MessageIdError;

/// The reference number that `convergence.esante.gouv.fr` gave to our product (`X-MSS-NIL`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductNumber(String);

impl ProductNumber {
    /// What twins are told: no number was given to Socle.
    #[must_use]
    pub fn of_twins() -> Self {
        Self("SOCLE-JUMEAU".to_owned())
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Real operators are told a real number (R5: no production without one).
    ///
    /// # Errors
    /// [`EnvironmentMix`] for that of the twins elsewhere.
    pub fn admit_in(&self, environment: Environment) -> Result<(), EnvironmentMix> {
        if *self == Self::of_twins() {
            return environment.admit(Environment::Jumeau, "the product number (X-MSS-NIL)");
        }
        Ok(())
    }
}

impl FromStr for ProductNumber {
    type Err = ProductNumberError;

    fn from_str(text: &str) -> Result<Self, ProductNumberError> {
        let sign = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        if (1..=64).contains(&text.len()) && text.bytes().all(sign) {
            return Ok(Self(text.to_owned()));
        }
        Err(ProductNumberError)
    }
}

/// The text is no product number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the product number (X-MSS-NIL, given by Convergence) is 1 to 64 letters, digits, `-`, `.` or `_`")]
pub struct ProductNumberError;
