//! We submit mail to an operator: the "API LPS" of Référentiel #2 (SMTP, STARTTLS, SASL).
//!
//! [`Client::submit`] sends from an application mailbox, by the certificate of the structure (mutual TLS, then
//! `AUTH EXTERNAL`: that step is our choice, the national text is not public); [`Client::submit_as`]
//! sends from a person's or a team's mailbox with a Pro Santé Connect token (`XOAUTH2`), which lives in memory
//! only. In order: what a client needs, what it does, what came of it.
//!
//! What a failure means for a retry is said by [`SubmitError::class`]: only [`Class::Unknown`] may lead
//! to a second copy of a mail, and a receiver sees by the `Message-ID` that both are one.
//!
//! Not here: queues and backoff (jobs), and any retry but two: a connection of the pool that turns out to be
//! closed before anything was accepted, and one fresh token after a refusal.

mod connection;
mod outcome;
mod pool;
mod url;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use socle_identity::{Environment, EnvironmentMix};
use socle_trust::tls::{self, TlsError, Versions};
use socle_trust::{Anchors, ClientConfig, Credentials};

pub use outcome::{Class, Delivery, Fate, Stage, Submission, SubmitError};
pub use url::{Security, SubmissionUrl, UrlError};

use crate::model::{DocumentMail, MailboxKind, SIZE_MAX_DEFAULT};
use crate::wire;
use crate::wire::sasl::AccessToken;
use connection::{Access, Connection};
use pool::Pool;

/// What is needed to reach an operator.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `smtp://host:587` (STARTTLS) or `smtps://host:465` (TLS at once); never without TLS.
    pub url: SubmissionUrl,
    /// Where the operator lives; every mail must live there too.
    pub environment: Environment,
    /// The only authorities that are trusted there: IGC-Santé's (ECO.1.1.10), of the same environment.
    pub anchors: Anchors,
    /// The structure's certificate (`ORG_AUTH_CLI`), needed when mail leaves from an application mailbox.
    pub credentials: Option<Credentials>,
    /// Our name in `EHLO`: a domain or an address literal.
    pub name: String,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// At most so many connections at once; further mails wait for one.
    pub connections_max: usize,
}

/// How long to wait before giving up. All of them are ends of waiting, never pauses.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// To connect, TLS included.
    pub connect: Duration,
    /// For one reply, or for the peer to take what we write.
    pub reply: Duration,
    /// For the reply to the message itself (RFC 5321 §4.5.3.2.6 says 10 minutes; an operator checks
    /// for viruses meanwhile).
    pub accept: Duration,
    /// How long a connection may wait in the pool.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            reply: Duration::from_secs(60),
            accept: Duration::from_secs(600),
            idle: Duration::from_secs(20),
        }
    }
}

/// Where a person's access tokens come from (the Pro Santé Connect session).
pub trait TokenSource: Send + Sync {
    /// A valid access token; when `refused` is one, another that is fresher.
    fn access_token<'a>(&'a self, refused: Option<&'a AccessToken>) -> TokenFuture<'a>;
}

/// See [`TokenSource::access_token`].
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<AccessToken, TokenUnavailable>> + Send + 'a>>;

/// The session has ended, or Pro Santé Connect does not answer; the person must log in again, or wait.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no Pro Santé Connect token: {0}")]
pub struct TokenUnavailable(pub String);

/// A client of one operator; shared by all who send.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    tls: Arc<ClientConfig>,
    pool: Pool,
}

impl Client {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// [`SettingsError`] when authorities or certificate belong to another environment.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.environment.admit(settings.anchors.environment(), "the authorities that the mail client trusts")?;
        let tls = tls::client_config(&settings.anchors, settings.credentials.as_ref(), Versions::Both)?;
        let pool = Pool::new(settings.connections_max, settings.timeouts.idle);
        Ok(Self { settings, tls, pool })
    }

    /// Sends from an application mailbox.
    ///
    /// # Errors
    /// [`SubmitError`]; a refusal of some recipients is no error, [`Submission`] tells.
    pub async fn submit(&self, mail: &DocumentMail) -> Result<Submission, SubmitError> {
        let mailbox = mail.sender().address().to_wire();
        if mail.sender().kind() != MailboxKind::Application {
            return Err(SubmitError::NeedsPerson(mail.sender().kind()));
        }
        let message = self.written(mail)?;
        let _place = self.pool.place().await;
        if let Some(mut connection) = self.pool.take(&mailbox) {
            match connection.submit(mail, &message).await {
                Err(error) if error.is_stale_connection() => {}
                outcome => return self.give_back(&mailbox, connection, outcome),
            }
        }
        let mut connection = self.open(Access::Certificate { mailbox: &mailbox }).await?;
        let outcome = connection.submit(mail, &message).await;
        self.give_back(&mailbox, connection, outcome)
    }

    /// Sends from the mailbox of a person or a team, with the person's token; when the operator refuses it, once
    /// again with a fresh one.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn submit_as(&self, mail: &DocumentMail, tokens: &dyn TokenSource) -> Result<Submission, SubmitError> {
        let mailbox = mail.sender().address().to_wire();
        if mail.sender().kind() == MailboxKind::Application {
            return Err(SubmitError::NeedsCertificate);
        }
        let message = self.written(mail)?;
        let _place = self.pool.place().await;
        let first = tokens.access_token(None).await?;
        let opened = self.open(Access::Token { mailbox: &mailbox, token: &first }).await;
        let mut connection = match opened {
            Err(SubmitError::Authentication(_)) => {
                let fresh = tokens.access_token(Some(&first)).await?;
                self.open(Access::Token { mailbox: &mailbox, token: &fresh }).await?
            }
            opened => opened?,
        };
        let outcome = connection.submit(mail, &message).await;
        connection.quit().await;
        outcome
    }

    async fn open(&self, access: Access<'_>) -> Result<Connection, SubmitError> {
        Connection::open(&self.settings, &self.tls, access).await
    }

    /// The message's octets, after what can be refused without the operator.
    fn written(&self, mail: &DocumentMail) -> Result<bytes::Bytes, SubmitError> {
        self.settings.environment.admit(mail.recipients().environment(), "a mail")?;
        let message = wire::message::write(mail);
        match mail.size_max() {
            Some(size_max) if message.len() as u64 > size_max => {
                Err(SubmitError::TooLarge { size: message.len() as u64, size_max })
            }
            _ => Ok(message),
        }
    }

    fn give_back(
        &self,
        mailbox: &str,
        connection: Connection,
        outcome: Result<Submission, SubmitError>,
    ) -> Result<Submission, SubmitError> {
        if connection.is_usable() {
            self.pool.put(mailbox, connection);
        }
        outcome
    }
}

/// Why a client cannot be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SettingsError {
    /// Two environments met.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
    /// Authorities or certificate are of no use for TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}
