use std::fmt;

use socle_identity::{EnvironmentMix, MssAddress};

use super::TokenUnavailable;
use crate::model::MailboxKind;
use crate::net::NetError;
use crate::wire::smtp::{Reply, ReplyError};

/// What the operator said of a mail, recipient by recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// In the order of the mail's recipients.
    pub deliveries: Vec<Delivery>,
    /// The message's size, in octets.
    pub size: u64,
    /// Did the operator take the request for delivery reports? Not every one knows DSN (RFC 3461).
    pub reports_asked: bool,
}

impl Submission {
    /// Did everybody get it?
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.deliveries.iter().all(|delivery| matches!(delivery.fate, Fate::Accepted(_)))
    }
}

/// What became of a mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Whom it is for.
    pub address: MssAddress,
    /// What the operator said.
    pub fate: Fate,
}

/// What the operator said of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It has the mail: its reply to the message.
    Accepted(Reply),
    /// It refused this recipient, or the whole message; see [`Fate::class`].
    Refused(Reply),
}

impl Fate {
    /// May the same succeed later? Nothing when it was accepted.
    #[must_use]
    pub const fn class(&self) -> Option<Class> {
        match self {
            Self::Accepted(_) => None,
            Self::Refused(reply) if reply.is_temporary() => Some(Class::Temporary),
            Self::Refused(_) => Some(Class::Permanent),
        }
    }
}

/// What a failure means for a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Nothing was accepted; the same may succeed later.
    Temporary,
    /// Nothing was accepted, and the same will fail again.
    Permanent,
    /// The operator may have the mail: the connection was lost after the final dot. A retry may make a second
    /// copy, with the same `Message-ID`.
    Unknown,
}

/// How far a submission had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Connecting, TLS, greeting.
    Connect,
    /// `EHLO`, `STARTTLS`.
    Hello,
    /// `AUTH`.
    Authentication,
    /// `MAIL`, `RCPT`, `DATA`.
    Envelope,
    /// The message, before its final dot.
    Message,
    /// After the final dot.
    Accepted,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "while connecting",
            Self::Hello => "after EHLO or STARTTLS",
            Self::Authentication => "during authentication",
            Self::Envelope => "during MAIL, RCPT and DATA",
            Self::Message => "while the message was sent",
            Self::Accepted => "after the message was sent, before the operator's answer",
        })
    }
}

/// Why a mail was not submitted; all recipients share it.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The mail lives elsewhere than this operator.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
    /// [`super::Client::submit`] with a mailbox that only persons open.
    #[error("a mailbox of kind {} is opened with a Pro Santé Connect token, not with a certificate", .0.code())]
    NeedsPerson(MailboxKind),
    /// [`super::Client::submit_as`] with an application mailbox.
    #[error("an application mailbox (APP) is opened with the structure's certificate, not with a token")]
    NeedsCertificate,
    /// R7: larger than the operator or Mon espace santé takes.
    #[error("the mail has {size} octets, more than the {size_max} that are taken; send fewer documents in it")]
    TooLarge {
        /// The message's octets.
        size: u64,
        /// What is taken.
        size_max: u64,
    },
    /// No token to try with.
    #[error(transparent)]
    Token(#[from] TokenUnavailable),
    /// The host has no address, refuses, or TLS failed (an expired or foreign certificate, for instance).
    #[error("the operator {host} cannot be reached: {source}")]
    Connect {
        /// The host and port.
        host: String,
        /// What the system or TLS said.
        source: std::io::Error,
    },
    /// The server hides STARTTLS: never in clear (ECO.1.0.1).
    #[error("the operator does not offer STARTTLS; nothing is sent in clear (Référentiel #2, ECO.1.0.1)")]
    NoStartTls,
    /// The server does not offer what this kind of mailbox needs.
    #[error("the operator does not offer AUTH {0}")]
    NoMechanism(&'static str),
    /// The server refused the certificate or the (fresh) token.
    #[error("the operator refused the authentication: {0}")]
    Authentication(Reply),
    /// A reply that ends the submission.
    #[error("{stage}, the operator answered {reply}")]
    Refused {
        /// How far it had come.
        stage: Stage,
        /// The reply.
        reply: Reply,
    },
    /// The connection was lost, or nothing came for too long.
    #[error("{stage}: {cause}")]
    Lost {
        /// How far it had come.
        stage: Stage,
        /// What happened.
        cause: String,
        /// Was it closed, rather than silent?
        closed: bool,
    },
    /// The peer does not speak SMTP.
    #[error("{stage}, the operator did not answer as SMTP does: {error}")]
    Protocol {
        /// How far it had come.
        stage: Stage,
        /// What was wrong.
        error: ReplyError,
    },
}

impl SubmitError {
    /// What it means for a retry.
    ///
    /// What an operator's administrator or a new certificate can mend is temporary: the mail itself
    /// is right.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Environment(_) | Self::NeedsPerson(_) | Self::NeedsCertificate | Self::TooLarge { .. } => {
                Class::Permanent
            }
            Self::Token(_)
            | Self::Connect { .. }
            | Self::NoStartTls
            | Self::NoMechanism(_)
            | Self::Authentication(_) => Class::Temporary,
            Self::Refused { reply, .. } if reply.is_temporary() => Class::Temporary,
            Self::Refused { .. } => Class::Permanent,
            Self::Lost { stage: Stage::Accepted, .. } | Self::Protocol { stage: Stage::Accepted, .. } => Class::Unknown,
            Self::Lost { .. } | Self::Protocol { .. } => Class::Temporary,
        }
    }

    /// A pooled connection that the operator had closed: nothing of this mail was taken, another connection
    /// may try at once.
    pub(super) fn is_stale_connection(&self) -> bool {
        match self {
            Self::Lost { stage: Stage::Envelope, closed, .. } => *closed,
            Self::Refused { stage: Stage::Envelope, reply } => reply.code() == 421,
            _ => false,
        }
    }

    pub(super) fn lost(stage: Stage, error: NetError) -> Self {
        match error {
            NetError::LineTooLong(_) | NetError::Encoding => Self::Protocol { stage, error: ReplyError::TooLong },
            error => {
                let closed = matches!(error, NetError::Lost(_));
                Self::Lost { stage, cause: error.to_string(), closed }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::smtp::Enhanced;

    #[test]
    fn only_a_loss_after_the_final_dot_is_unknown() {
        let lost = |stage| SubmitError::Lost { stage, cause: "closed".into(), closed: true };
        let refused =
            |code| SubmitError::Refused { stage: Stage::Envelope, reply: Reply::new(code, Enhanced(4, 0, 0), "x") };
        let cases = [
            (lost(Stage::Connect), Class::Temporary),
            (lost(Stage::Message), Class::Temporary),
            (lost(Stage::Accepted), Class::Unknown),
            (refused(451), Class::Temporary),
            (refused(552), Class::Permanent),
            (SubmitError::NoStartTls, Class::Temporary),
            (SubmitError::TooLarge { size: 2, size_max: 1 }, Class::Permanent),
        ];
        for (error, class) in cases {
            assert_eq!(error.class(), class, "{error}");
        }
        assert!(lost(Stage::Envelope).is_stale_connection() && !lost(Stage::Message).is_stale_connection());
        assert!(refused(421).is_stale_connection() && !refused(451).is_stale_connection());
    }
}
