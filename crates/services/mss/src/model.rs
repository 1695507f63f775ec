//! The words and rules of MSSanté, pure.
//!
//! In order of use: the liste blanche, recipients, the sender, then the mail that joins them and
//! the archive it carries. A text that goes into a header is a [`HeaderText`]: no value of this room
//! can hold a line break there.

mod archive;
mod label;
mod mail;
mod recipient;
mod subject;
mod text;
mod whitelist;

pub use archive::{Archive, ArchiveError, DocumentFacts};
pub use label::{Label, LabelError, MailboxKind, Sender, SenderError};
pub use mail::{
    Attachment, DocumentMail, Draft, MailRefusal, MailRefusals, MessageId, MessageIdError, ProductNumber,
    ProductNumberError, ReadableCopy, Receipts, SIZE_MAX_DEFAULT, SIZE_MAX_PATIENT,
};
pub use recipient::{NotARecipient, Recipient, Recipients, RecipientsError, Reply};
pub use subject::{PatientName, PdfName, ReceivedSubject, Subject};
pub use text::{BodyText, HeaderText, TextError};
pub use whitelist::WhiteList;
