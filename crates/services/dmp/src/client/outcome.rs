//! How a call ended: every failure is of one of three kinds, and carries what went over the wire.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use socle_finding::Text;
use socle_identity::EnvironmentMix;

use crate::model::ErrorCode;

/// A call that did not succeed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What to do with it.
    pub kind: FailureKind,
    /// What was sent and received, oldest first; empty when nothing left.
    pub exchanges: Vec<Exchange>,
}

/// What a caller can do about a failure.
#[derive(Debug, Clone)]
pub enum FailureKind {
    /// The same request would be refused again. Something has to be mended first.
    Refused(Refusal),
    /// Nothing was done; the same request may pass later.
    Temporary(Trouble),
    /// The request may have been done. [`super::Client::provide`] has already asked, in vain: call it
    /// again later with [`super::Attempt::Again`].
    Unknown(Trouble),
}

impl Failure {
    pub(crate) fn refused(reason: Reason) -> Self {
        Self { kind: FailureKind::Refused(Refusal { reason, said: None }), exchanges: Vec::new() }
    }

    /// The error code that the DMP answered, if it did.
    #[must_use]
    pub const fn code(&self) -> Option<&ErrorCode> {
        match &self.kind {
            FailureKind::Refused(Refusal { reason: Reason::Code(code), .. }) => Some(code),
            FailureKind::Temporary(Trouble::Code(code)) | FailureKind::Unknown(Trouble::Code(code)) => Some(code),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FailureKind::Refused(refusal) => write!(f, "the DMP's deposit or query is refused: {}", refusal.reason),
            FailureKind::Temporary(trouble) => write!(f, "the DMP cannot answer now: {trouble}"),
            FailureKind::Unknown(trouble) => write!(f, "whether the DMP did it is unknown: {trouble}"),
        }
    }
}

impl std::error::Error for Failure {}

/// A refusal: why, and what the other side said.
#[derive(Clone)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The text that the DMP sent along. It may name a person: for the professional's eyes, never a log.
    pub said: Option<String>,
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal").field("reason", &self.reason).finish_non_exhaustive()
    }
}

/// Why a call is refused. The messages hold nothing of a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// By the DMP, with a code.
    #[error("{0} ({text})", text = .0.meaning().en)]
    Code(ErrorCode),
    /// By the DMP, with a SOAP fault without known code.
    #[error("the DMP answered a SOAP fault without a code")]
    Fault,
    /// By the DMP, or something before it, with an HTTP status and no SOAP answer.
    #[error("HTTP status {0} without a SOAP answer")]
    Status(u16),
    /// By us: the address of the DMP is not usable.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
    /// By us: two environments would meet.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
    /// By us: the metadata are of another patient than the identity (EX_GEN-1530).
    #[error("{at}: the patientId is not the INS of the qualified identity (EX_GEN-1530)")]
    OtherPatient {
        /// `SubmissionSet` or the entry's id.
        at: String,
    },
    /// By us: nothing to deposit, or too much.
    #[error("a deposit has 1 to {most} documents, not {count}")]
    Count {
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// By us: the same uniqueId twice in one deposit.
    #[error("{at}: the uniqueId serves twice in the deposit (XDSDuplicateUniqueIdInMessage)")]
    SameUniqueId {
        /// The entry's id.
        at: String,
    },
    /// By us: the signature could not be made.
    #[error("the VIHF or the lot could not be signed: {0}")]
    Signature(String),
    /// By us: what came back is not what was stored.
    #[error("the document received is not the one registered: {0}")]
    Integrity(&'static str),
    /// By us: the answer cannot be understood.
    #[error("the answer of the DMP is not readable: {0}")]
    Answer(String),
    /// The uniqueId is taken, and the registry does not show by what.
    #[error("a document of this uniqueId is registered already, and its hash is not shown: compare by hand")]
    CannotCompare,
}

impl Reason {
    /// How to mend it.
    #[must_use]
    pub fn mend(&self) -> &Text {
        static FAULT: Text = Text::fixed(
            "lisez le texte du DMP joint à l'échange, corrigez, puis relancez",
            "read the text of the DMP in the exchange, mend, then run again",
        );
        static ADDRESS: Text = Text::fixed(
            "vérifiez l'adresse du DMP et les certificats dans la configuration (`socle doctor`)",
            "check the address of the DMP and the certificates in the configuration (`socle doctor`)",
        );
        static ENVIRONMENT: Text = Text::fixed(
            "n'utilisez que des identités, certificats et adresses du même environnement",
            "use identities, certificates and addresses of one environment only",
        );
        static PATIENT: Text = Text::fixed(
            "vérifiez de quel patient est le document : ses métadonnées doivent porter l'INS qualifiée",
            "check whose document it is: its metadata must carry the qualified INS",
        );
        static DEPOSIT: Text = Text::fixed("corrigez la composition du dépôt", "mend what the deposit is made of");
        static SIGNATURE: Text = Text::fixed(
            "vérifiez le certificat ORG_SIGN et sa clé (`socle doctor`)",
            "check the ORG_SIGN certificate and its key (`socle doctor`)",
        );
        static INTEGRITY: Text = Text::fixed(
            "n'utilisez pas ce document ; relancez la consultation, puis signalez-le au DMP",
            "do not use this document; retrieve it again, then report it to the DMP",
        );
        match self {
            Self::Code(code) => code.mend(),
            Self::Fault | Self::Answer(_) => &FAULT,
            Self::Status(_) | Self::Unsendable(_) => &ADDRESS,
            Self::Environment(_) => &ENVIRONMENT,
            Self::OtherPatient { .. } => &PATIENT,
            Self::Count { .. } | Self::SameUniqueId { .. } => &DEPOSIT,
            Self::Signature(_) => &SIGNATURE,
            Self::Integrity(_) => &INTEGRITY,
            Self::CannotCompare => ErrorCode::DuplicateUniqueIdInRegistry.mend(),
        }
    }
}

/// Why there is no answer that counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// A code that says "later".
    #[error("{0} ({text})", text = .0.meaning().en)]
    Code(ErrorCode),
    /// A SOAP fault of the receiver.
    #[error("the DMP answered a SOAP fault of its own side")]
    Fault,
    /// Not SOAP at all: a proxy's page, a maintenance notice.
    #[error("HTTP status {0} without a SOAP answer")]
    Status(u16),
    /// An answer came, and cannot be understood.
    #[error("the answer of the DMP is not readable: {0}")]
    Answer(String),
    /// The network.
    #[error("{0}")]
    Network(String),
    /// The request was lost before it was done: the DMP does not know the document.
    #[error("the connection broke, and the DMP does not have the document")]
    NotStored,
}

/// One request and its answer, as bytes. Whoever shows or keeps them redacts them first.
#[derive(Clone)]
pub struct Exchange {
    /// `wsa:Action` of the request.
    pub action: &'static str,
    /// When the request left.
    pub started: Timestamp,
    /// Until the answer was whole, or the failure was known.
    pub took: Duration,
    /// What was sent.
    pub request: Message,
    /// What came back: nothing when the exchange broke.
    pub response: Option<(u16, Message)>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.response.as_ref().map(|(status, _)| status);
        write!(f, "Exchange({}, {} ms, {status:?})", self.action, self.took.as_millis())
    }
}

/// An HTTP message's content.
#[derive(Clone)]
pub struct Message {
    /// `Content-Type`.
    pub content_type: String,
    /// The body, in the pieces in which it was sent; the documents in it are not copied.
    pub chunks: Vec<Bytes>,
}

impl Message {
    /// The body in one piece, copied.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self.chunks.as_slice() {
            [one] => one.clone(),
            chunks => chunks.concat().into(),
        }
    }
}
