use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::ServerName;
use socle_trust::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::outcome::{Delivery, Fate, Stage, Submission, SubmitError};
use super::{SIZE_MAX_DEFAULT, Security, Settings};
use crate::model::DocumentMail;
use crate::net::{Lines, Stream};
use crate::wire::data;
use crate::wire::sasl::{self, AccessToken, Mechanism};
use crate::wire::smtp::{Capabilities, Command, LINE_MAX, Mail, Notify, Rcpt, Reply, ReplyReader, Return};

/// How a mailbox is opened.
#[derive(Debug, Clone, Copy)]
pub(super) enum Access<'a> {
    /// By the certificate of the TLS connection.
    Certificate { mailbox: &'a str },
    /// By a token.
    Token { mailbox: &'a str, token: &'a AccessToken },
}

/// An authenticated connection to an operator.
#[derive(Debug)]
pub(super) struct Connection {
    session: Session<TlsStream<TcpStream>>,
    capabilities: Capabilities,
    accept: Duration,
}

impl Connection {
    pub(super) async fn open(
        settings: &Settings,
        tls: &Arc<ClientConfig>,
        access: Access<'_>,
    ) -> Result<Self, SubmitError> {
        let mut session = connect(settings, tls).await?;
        let capabilities = session.hello(&settings.name).await?;
        session.authenticate(&capabilities, access).await?;
        Ok(Self { session, capabilities, accept: settings.timeouts.accept })
    }

    /// One transaction; the connection can be used again when [`Self::is_usable`].
    pub(super) async fn submit(&mut self, mail: &DocumentMail, message: &[u8]) -> Result<Submission, SubmitError> {
        self.session.submit(&self.capabilities, self.accept, mail, message).await
    }

    pub(super) const fn is_usable(&self) -> bool {
        self.session.usable
    }

    pub(super) async fn quit(mut self) {
        if self.session.usable {
            let _ = self.session.command(Stage::Hello, &Command::Quit).await;
        }
        self.session.lines.close().await;
    }
}

async fn connect(settings: &Settings, tls: &Arc<ClientConfig>) -> Result<Session<TlsStream<TcpStream>>, SubmitError> {
    let failed = |source: io::Error| SubmitError::Connect { host: settings.url.to_string(), source };
    let slow = |_| failed(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
    let name = settings.url.server_name().map_err(|error| failed(io::Error::other(error)))?;
    let address = (settings.url.host.as_str(), settings.url.port);
    let tcp = timeout(settings.timeouts.connect, TcpStream::connect(address)).await.map_err(slow)?.map_err(failed)?;
    tcp.set_nodelay(true).map_err(failed)?;
    let reply = settings.timeouts.reply;
    match settings.url.security {
        Security::Implicit => {
            let done = timeout(settings.timeouts.connect, handshake(tls, name, tcp)).await;
            let mut session = Session::new(done.map_err(slow)?.map_err(failed)?, reply);
            session.greeting().await?;
            Ok(session)
        }
        Security::StartTls => {
            let mut session = Session::new(tcp, reply);
            session.greeting().await?;
            let tcp = session.start_tls(&settings.name).await?;
            let done = timeout(settings.timeouts.connect, handshake(tls, name, tcp)).await;
            Ok(Session::new(done.map_err(slow)?.map_err(failed)?, reply))
        }
    }
}

async fn handshake(
    tls: &Arc<ClientConfig>,
    name: ServerName<'static>,
    tcp: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await
}

/// The dialogue, over any stream.
#[derive(Debug)]
struct Session<S> {
    lines: Lines<S>,
    /// Is the peer ready for a new transaction?
    usable: bool,
}

impl<S: Stream> Session<S> {
    fn new(stream: S, reply: Duration) -> Self {
        Self { lines: Lines::new(stream, reply), usable: true }
    }

    async fn greeting(&mut self) -> Result<(), SubmitError> {
        let reply = self.reply(Stage::Connect).await?;
        positive(Stage::Connect, reply).map(|_| ())
    }

    async fn hello(&mut self, name: &str) -> Result<Capabilities, SubmitError> {
        let reply = self.command(Stage::Hello, &Command::Ehlo(name.to_owned())).await?;
        positive(Stage::Hello, reply).map(|reply| Capabilities::read(&reply))
    }

    /// Gives the stream back for the handshake. Nothing may have come between the server's `220` and
    /// TLS: it would be read as if it had come inside (CVE-2011-0411).
    async fn start_tls(mut self, name: &str) -> Result<S, SubmitError> {
        if !self.hello(name).await?.starttls {
            return Err(SubmitError::NoStartTls);
        }
        let reply = self.command(Stage::Hello, &Command::StartTls).await?;
        positive(Stage::Hello, reply)?;
        if !self.lines.is_drained() {
            return Err(SubmitError::NoStartTls);
        }
        Ok(self.lines.into_inner())
    }

    async fn authenticate(&mut self, offered: &Capabilities, access: Access<'_>) -> Result<(), SubmitError> {
        let (mechanism, response) = match access {
            Access::Certificate { mailbox } => (Mechanism::External, mailbox.to_owned()),
            Access::Token { mailbox, token } => (Mechanism::Xoauth2, sasl::xoauth2(mailbox, token)),
        };
        if !offered.mechanisms.contains(&mechanism) {
            return Err(SubmitError::NoMechanism(mechanism.name()));
        }
        let command = Command::Auth(mechanism, Some(STANDARD.encode(response)));
        let mut reply = self.command(Stage::Authentication, &command).await?;
        if reply.code() == 334 {
            // XOAUTH2 says why in base64; an empty line asks for the refusal itself.
            reply = self.line(Stage::Authentication, "").await?;
        }
        if reply.code() == 235 {
            return Ok(());
        }
        self.usable = false;
        Err(SubmitError::Authentication(reply))
    }

    async fn submit(
        &mut self,
        offered: &Capabilities,
        accept: Duration,
        mail: &DocumentMail,
        message: &[u8],
    ) -> Result<Submission, SubmitError> {
        let size = message.len() as u64;
        let size_max = offered.size_max.unwrap_or(SIZE_MAX_DEFAULT);
        if size > size_max {
            return Err(SubmitError::TooLarge { size, size_max });
        }
        let fates = self.envelope(offered, mail, size).await?;
        let reports_asked = offered.dsn && mail.receipts().delivery;
        if fates.iter().all(|fate| fate.is_err()) {
            self.reset().await;
            return Ok(submission(mail, fates, None, size, reports_asked));
        }
        let reply = self.message(accept, message).await?;
        Ok(submission(mail, fates, Some(reply), size, reports_asked))
    }

    /// `MAIL` and each `RCPT`, in one go when the server lets us (RFC 2920): for each recipient, `Err` with
    /// the reply that refused it.
    async fn envelope(
        &mut self,
        offered: &Capabilities,
        mail: &DocumentMail,
        size: u64,
    ) -> Result<Vec<Result<(), Reply>>, SubmitError> {
        let commands = envelope_commands(offered, mail, size);
        let mut replies = Vec::with_capacity(commands.len());
        self.usable = false;
        if offered.pipelining {
            let lines = commands.iter().map(|command| command.to_line() + "\r\n").collect::<String>();
            self.send(Stage::Envelope, lines.as_bytes()).await?;
            for _ in &commands {
                replies.push(self.reply(Stage::Envelope).await?);
            }
        } else {
            for command in &commands {
                replies.push(self.command(Stage::Envelope, command).await?);
                if !replies[0].is_positive() {
                    break;
                }
            }
        }
        self.usable = true;
        let mut replies = replies.into_iter();
        match replies.next() {
            Some(reply) if !reply.is_positive() => {
                self.reset().await;
                Err(SubmitError::Refused { stage: Stage::Envelope, reply })
            }
            _ => Ok(replies.map(|reply| if reply.is_positive() { Ok(()) } else { Err(reply) }).collect()),
        }
    }

    /// `DATA` and the message. Until the final dot has left, the operator has nothing; after it, only its
    /// reply tells.
    async fn message(&mut self, accept: Duration, message: &[u8]) -> Result<Reply, SubmitError> {
        const END: usize = b".\r\n".len();
        self.usable = false;
        let reply = self.command(Stage::Envelope, &Command::Data).await?;
        if reply.code() != 354 {
            self.usable = true;
            self.reset().await;
            return Err(SubmitError::Refused { stage: Stage::Envelope, reply });
        }
        let stuffed = data::stuff(message);
        let (text, end) = stuffed.split_at(stuffed.len() - END);
        self.send(Stage::Message, text).await?;
        self.send(Stage::Accepted, end).await?;
        let usual = self.lines.set_wait(accept);
        let reply = self.reply(Stage::Accepted).await;
        self.lines.set_wait(usual);
        self.usable = reply.as_ref().is_ok_and(|reply| reply.code() != 421);
        reply
    }

    /// Forgets a transaction; a server that does not is not used again.
    async fn reset(&mut self) {
        let reply = self.command(Stage::Envelope, &Command::Rset).await;
        self.usable = reply.is_ok_and(|reply| reply.is_positive());
    }

    async fn command(&mut self, stage: Stage, command: &Command) -> Result<Reply, SubmitError> {
        self.line(stage, &command.to_line()).await
    }

    async fn line(&mut self, stage: Stage, line: &str) -> Result<Reply, SubmitError> {
        self.send(stage, format!("{line}\r\n").as_bytes()).await?;
        self.reply(stage).await
    }

    async fn send(&mut self, stage: Stage, bytes: &[u8]) -> Result<(), SubmitError> {
        let sent = self.lines.send(bytes).await;
        sent.map_err(|error| self.broken(SubmitError::lost(stage, error)))
    }

    async fn reply(&mut self, stage: Stage) -> Result<Reply, SubmitError> {
        let mut reader = ReplyReader::default();
        loop {
            let line = match self.lines.line(LINE_MAX).await {
                Ok(Some(line)) => line,
                Ok(None) => {
                    let closed = io::Error::from(io::ErrorKind::UnexpectedEof);
                    return Err(self.broken(SubmitError::lost(stage, closed.into())));
                }
                Err(error) => return Err(self.broken(SubmitError::lost(stage, error))),
            };
            match reader.push(&line) {
                Ok(None) => {}
                Ok(Some(reply)) => return Ok(reply),
                Err(error) => return Err(self.broken(SubmitError::Protocol { stage, error })),
            }
        }
    }

    const fn broken(&mut self, error: SubmitError) -> SubmitError {
        self.usable = false;
        error
    }
}

fn positive(stage: Stage, reply: Reply) -> Result<Reply, SubmitError> {
    if reply.is_positive() { Ok(reply) } else { Err(SubmitError::Refused { stage, reply }) }
}

fn envelope_commands(offered: &Capabilities, mail: &DocumentMail, size: u64) -> Vec<Command> {
    let asks = offered.dsn && mail.receipts().delivery;
    let from = Mail {
        from: mail.sender().address().to_wire(),
        size: offered.size_max.map(|_| size),
        ret: asks.then_some(Return::Headers),
        // The same over retries, so that a report finds its mail (RFC 3461 §4.4).
        envid: asks.then(|| mail.message_id().as_str().chars().take(100).collect()),
        ..Mail::default()
    };
    let recipients = mail.recipients().as_slice().iter().map(|recipient| {
        let to = recipient.address().to_wire();
        let orcpt = asks.then(|| to.clone());
        Command::Rcpt(Rcpt { to, notify: asks.then_some(Notify::ALL), orcpt })
    });
    std::iter::once(Command::Mail(from)).chain(recipients).collect()
}

/// Each recipient's fate: refused by `RCPT`, or what the reply to the message says for all others.
fn submission(
    mail: &DocumentMail,
    fates: Vec<Result<(), Reply>>,
    message: Option<Reply>,
    size: u64,
    reports_asked: bool,
) -> Submission {
    let recipients = mail.recipients().as_slice().iter().map(|recipient| recipient.address().clone());
    let deliveries = recipients.zip(fates).filter_map(|(address, fate)| {
        let fate = match (fate, &message) {
            (Err(reply), _) => Fate::Refused(reply),
            (Ok(()), Some(reply)) if reply.is_positive() => Fate::Accepted(reply.clone()),
            (Ok(()), Some(reply)) => Fate::Refused(reply.clone()),
            (Ok(()), None) => return None,
        };
        Some(Delivery { address, fate })
    });
    Submission { deliveries: deliveries.collect(), size, reports_asked }
}
