//! SMTP submission of the operator (RFC 6409): a mail is taken from an authenticated mailbox, for listed domains.
//!
//! In order: a session from greeting to goodbye, its commands, then the message. The refusals of recipients come
//! before `DATA`; `250` after it comes when the mail is on the disk of all recipients.
//!
//! Not here: relaying to another operator; every domain of this list is ours.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use socle_identity::MssAddress;
use socle_trust::{Certificate, Shutdown};

use super::access::{Access, AccessError};
use super::office::Mailbox;
use super::receive::{self, Envelope, Refusal};
use crate::model::WhiteList;
use crate::net::{Lines, NetError, Stream};
use crate::wire::data::Unstuffer;
use crate::wire::sasl::{self, Mechanism, Response};
use crate::wire::smtp::{Capabilities, Command, CommandError, Enhanced, LINE_MAX, Mail, Rcpt, Reply};

/// What one message may have, in octets: what Mon espace santé takes, and the figure that operators announce.
pub(crate) const SIZE_MAX: u64 = crate::model::SIZE_MAX_PATIENT;

/// RFC 5321 §4.5.3.2.7: five minutes for a command.
const COMMAND_WAIT: Duration = Duration::from_secs(300);
/// RFC 5321 §4.5.3.1.8.
const RECIPIENTS_MAX: usize = 100;
const FAULTS_MAX: u32 = 20;
const AUTHENTICATIONS_MAX: u32 = 3;

/// What every session of the operator knows.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) host: String,
    pub(crate) list: WhiteList,
    pub(crate) access: Access,
    pub(crate) shutdown: Shutdown,
}

/// The connection under a session.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// TLS is there, and maybe the client's certificate.
    pub(crate) tls: bool,
    pub(crate) certificate: Option<Arc<Certificate>>,
}

/// How a session ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End<S> {
    /// The client asked for TLS on this stream.
    StartTls(S),
    /// Over.
    Closed,
}

/// Serves one connection; `greet` is false after STARTTLS, where the client speaks first.
pub(crate) async fn serve<S: Stream>(operator: &Operator, peer: Peer, stream: S, greet: bool) -> End<S> {
    let mut session = Session {
        operator,
        peer,
        lines: Lines::new(stream, COMMAND_WAIT),
        hello: None,
        mailbox: None,
        transaction: None,
        faults: 0,
        authentications: 0,
    };
    match session.run(greet).await {
        Ok(Flow::StartTls) => End::StartTls(session.lines.into_inner()),
        Ok(Flow::Quit | Flow::Go) => {
            session.lines.close().await;
            End::Closed
        }
        Err(error) => {
            tracing::debug!(%error, "an SMTP session broke");
            End::Closed
        }
    }
}

struct Session<'a, S> {
    operator: &'a Operator,
    peer: Peer,
    lines: Lines<S>,
    hello: Option<String>,
    mailbox: Option<Arc<Mailbox>>,
    transaction: Option<Envelope>,
    faults: u32,
    authentications: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Flow {
    Go,
    Quit,
    StartTls,
}

impl<S: Stream> Session<'_, S> {
    async fn run(&mut self, greet: bool) -> Result<Flow, NetError> {
        if greet {
            let text = format!("{} ESMTP jumeau local MSSante non officiel", self.operator.host);
            self.send(&Reply::bare(220, vec![text])).await?;
        }
        loop {
            let line = tokio::select! {
                line = self.lines.line(LINE_MAX) => line,
                () = self.operator.shutdown.triggered() => {
                    self.send(&Reply::new(421, Enhanced(4, 3, 2), "the twin is stopping")).await?;
                    return Ok(Flow::Quit);
                }
            };
            let command = match line {
                Ok(Some(line)) => Command::read(&line),
                Ok(None) => return Ok(Flow::Quit),
                Err(NetError::LineTooLong(_)) => Err(CommandError::TooLong),
                Err(NetError::Encoding) => Err(CommandError::Encoding),
                Err(NetError::Silent(_)) => {
                    self.send(&Reply::new(421, Enhanced(4, 4, 2), "no command in time")).await?;
                    return Ok(Flow::Quit);
                }
                Err(error) => return Err(error),
            };
            let flow = match command {
                Ok(command) => self.obey(command).await?,
                Err(error) => self.fault(error.reply()).await?,
            };
            if flow != Flow::Go {
                return Ok(flow);
            }
        }
    }

    async fn obey(&mut self, command: Command) -> Result<Flow, NetError> {
        match command {
            Command::Ehlo(name) => {
                self.transaction = None;
                let reply = self.capabilities().to_reply(format!("{} at your service", self.operator.host));
                self.hello = Some(name);
                self.go(reply).await
            }
            Command::Helo(name) => {
                self.transaction = None;
                self.hello = Some(name);
                self.go(Reply::bare(250, vec![self.operator.host.clone()])).await
            }
            Command::StartTls => self.start_tls().await,
            Command::Auth(mechanism, initial) => self.authenticate(mechanism, initial).await,
            Command::Mail(mail) => self.mail(&mail).await,
            Command::Rcpt(rcpt) => self.rcpt(rcpt).await,
            Command::Data => self.data().await,
            Command::Rset => {
                self.transaction = None;
                self.go(Reply::new(250, Enhanced(2, 0, 0), "forgotten")).await
            }
            Command::Noop => self.go(Reply::new(250, Enhanced(2, 0, 0), "ok")).await,
            Command::Vrfy => self.go(Reply::new(252, Enhanced(2, 5, 0), "try RCPT")).await,
            Command::Help => self.go(Reply::new(214, Enhanced(2, 0, 0), "see RFC 6409")).await,
            Command::Quit => {
                self.send(&Reply::new(221, Enhanced(2, 0, 0), "bye")).await?;
                Ok(Flow::Quit)
            }
        }
    }

    fn capabilities(&self) -> Capabilities {
        let certificate = self.peer.certificate.as_deref();
        let authenticated = !self.peer.tls || self.mailbox.is_some();
        Capabilities {
            starttls: !self.peer.tls,
            size_max: Some(SIZE_MAX),
            dsn: true,
            pipelining: true,
            is_8bit: true,
            is_utf8: true,
            mechanisms: if authenticated { Vec::new() } else { self.operator.access.mechanisms(certificate) },
        }
    }

    async fn start_tls(&mut self) -> Result<Flow, NetError> {
        if self.peer.tls {
            return self.fault(Reply::new(503, Enhanced(5, 5, 1), "TLS is there already")).await;
        }
        self.send(&Reply::new(220, Enhanced(2, 0, 0), "ready for TLS")).await?;
        // What came before the handshake would be read as if it had come inside (CVE-2011-0411).
        if self.lines.is_drained() { Ok(Flow::StartTls) } else { Ok(Flow::Quit) }
    }

    async fn mail(&mut self, mail: &Mail) -> Result<Flow, NetError> {
        if !self.peer.tls {
            return self.fault(Reply::new(530, Enhanced(5, 7, 0), "must issue a STARTTLS command first")).await;
        }
        let Some(mailbox) = &self.mailbox else {
            return self.fault(Reply::new(530, Enhanced(5, 7, 0), "authentication required")).await;
        };
        if self.transaction.is_some() {
            return self.fault(Reply::new(503, Enhanced(5, 5, 1), "MAIL was said already")).await;
        }
        if mail.size.is_some_and(|size| size > SIZE_MAX) {
            let text = format!("the limit is {SIZE_MAX} octets");
            return self.fault(Reply::new(552, Enhanced(5, 3, 4), text)).await;
        }
        // Reports have no return path (RFC 3461 §6.1, RFC 8098 §3).
        let is_own = mail.from.is_empty() || mail.from.parse::<MssAddress>().is_ok_and(|from| from == mailbox.address);
        if !is_own {
            return self.fault(Reply::new(550, Enhanced(5, 7, 1), "the sender is not the authenticated mailbox")).await;
        }
        self.transaction = Some(Envelope::new(mailbox, mail));
        self.go(Reply::new(250, Enhanced(2, 1, 0), "sender ok")).await
    }

    async fn rcpt(&mut self, rcpt: Rcpt) -> Result<Flow, NetError> {
        let Some(envelope) = &mut self.transaction else {
            return self.fault(Reply::new(503, Enhanced(5, 5, 1), "MAIL first")).await;
        };
        if envelope.recipients.len() == RECIPIENTS_MAX {
            let reply = Reply::new(452, Enhanced(4, 5, 3), "too many recipients in one mail");
            return self.go(reply).await;
        }
        let reply = match judge(self.operator, &rcpt.to) {
            Ok(address) => {
                envelope.add(address, &rcpt);
                Reply::new(250, Enhanced(2, 1, 5), "recipient ok")
            }
            Err(reply) => reply,
        };
        self.go(reply).await
    }

    async fn data(&mut self) -> Result<Flow, NetError> {
        let Some(envelope) = self.transaction.take() else {
            return self.fault(Reply::new(503, Enhanced(5, 5, 1), "MAIL first")).await;
        };
        if envelope.recipients.is_empty() {
            return self.fault(Reply::new(554, Enhanced(5, 5, 1), "no valid recipient")).await;
        }
        self.send(&Reply::bare(354, vec!["end with <CRLF>.<CRLF>".to_owned()])).await?;
        let mut reader = Unstuffer::new(usize::try_from(SIZE_MAX).unwrap_or(usize::MAX));
        let received = loop {
            let bytes = self.lines.some().await?;
            if bytes.is_empty() {
                return Ok(Flow::Quit);
            }
            let (used, received) = reader.push(&bytes);
            if let Some(received) = received {
                self.lines.unread(&bytes[used..]);
                break received;
            }
        };
        let hello = self.hello.as_deref().unwrap_or("unknown");
        let outcome = receive::accept(self.operator, &envelope, received, hello, self.peer.address).await;
        match outcome {
            Ok(id) => self.go(Reply::new(250, Enhanced(2, 0, 0), format!("queued as {id}"))).await,
            Err(refusal) => self.go(refused(&refusal)).await,
        }
    }

    async fn authenticate(&mut self, mechanism: Mechanism, initial: Option<String>) -> Result<Flow, NetError> {
        if !self.peer.tls {
            return self.fault(Reply::new(530, Enhanced(5, 7, 0), "must issue a STARTTLS command first")).await;
        }
        if self.mailbox.is_some() || self.transaction.is_some() {
            return self.fault(Reply::new(503, Enhanced(5, 5, 1), "already authenticated")).await;
        }
        if !self.operator.access.mechanisms(self.peer.certificate.as_deref()).contains(&mechanism) {
            return self.fault(Reply::new(504, Enhanced(5, 5, 4), "this mechanism is not offered here")).await;
        }
        let response = match initial {
            Some(response) => response,
            None => match self.ask("").await? {
                Some(response) => response,
                None => return Ok(Flow::Quit),
            },
        };
        if response == "*" {
            return self.fault(Reply::new(501, Enhanced(5, 7, 0), "cancelled")).await;
        }
        let response = if response == "=" { Some(Vec::new()) } else { STANDARD.decode(response).ok() };
        let Some(response) = response.and_then(|bytes| Response::read(mechanism, &bytes).ok()) else {
            return self.fault(Reply::new(501, Enhanced(5, 5, 2), "the response is malformed")).await;
        };
        match self.operator.access.open(response, self.peer.certificate.as_deref()).await {
            Ok(mailbox) => {
                self.mailbox = Some(mailbox);
                self.go(Reply::new(235, Enhanced(2, 7, 0), "authenticated")).await
            }
            Err(error) => self.not_authenticated(mechanism, &error).await,
        }
    }

    async fn not_authenticated(&mut self, mechanism: Mechanism, error: &AccessError) -> Result<Flow, NetError> {
        tracing::info!(mechanism = mechanism.name(), reason = %error, "an SMTP client was not authenticated");
        if matches!(mechanism, Mechanism::Xoauth2 | Mechanism::OauthBearer) && !error.is_temporary() {
            // The reason comes first, the client answers with nothing of interest, then the refusal.
            if self.ask(sasl::bearer_refused()).await?.is_none() {
                return Ok(Flow::Quit);
            }
        }
        self.authentications += 1;
        if self.authentications == AUTHENTICATIONS_MAX {
            self.send(&Reply::new(421, Enhanced(4, 7, 0), "too many failed authentications")).await?;
            return Ok(Flow::Quit);
        }
        if error.is_temporary() {
            return self.go(Reply::new(454, Enhanced(4, 7, 0), "Pro Sante Connect cannot be asked now")).await;
        }
        self.go(Reply::new(535, Enhanced(5, 7, 8), "authentication refused")).await
    }

    /// `334` with a text in base64, and the client's line.
    async fn ask(&mut self, text: &str) -> Result<Option<String>, NetError> {
        self.send(&Reply::bare(334, vec![STANDARD.encode(text)])).await?;
        self.lines.line(LINE_MAX).await
    }

    async fn go(&mut self, reply: Reply) -> Result<Flow, NetError> {
        self.send(&reply).await?;
        Ok(Flow::Go)
    }

    /// A client that does everything wrong is told goodbye.
    async fn fault(&mut self, reply: Reply) -> Result<Flow, NetError> {
        self.faults += 1;
        if self.faults == FAULTS_MAX {
            self.send(&Reply::new(421, Enhanced(4, 7, 0), "too many faults")).await?;
            return Ok(Flow::Quit);
        }
        self.go(reply).await
    }

    async fn send(&mut self, reply: &Reply) -> Result<(), NetError> {
        self.lines.send(reply.to_wire().as_bytes()).await
    }
}

/// Before `DATA`: the address, its domain in the liste blanche, its mailbox.
fn judge(operator: &Operator, to: &str) -> Result<MssAddress, Reply> {
    let is_patient = to.to_ascii_lowercase().ends_with("@patient.mssante.fr");
    let address = to.parse::<MssAddress>().map_err(|error| {
        let text =
            if is_patient { "adresse invalide: a matricule INS is expected".to_owned() } else { error.to_string() };
        Reply::new(550, Enhanced(5, 1, 3), text)
    })?;
    if !operator.list.lists(&address.domain()) {
        return Err(Reply::new(550, Enhanced(5, 7, 1), "the domain is not in the liste blanche MSSante"));
    }
    if !operator.access.office.takes(&address) {
        return Err(Reply::new(550, Enhanced(5, 1, 1), "no such mailbox"));
    }
    Ok(address)
}

fn refused(refusal: &Refusal) -> Reply {
    let (code, enhanced) = match refusal {
        Refusal::TooLarge => (552, Enhanced(5, 3, 4)),
        Refusal::BareLineBreak | Refusal::Header => (550, Enhanced(5, 6, 0)),
        Refusal::Loop => (554, Enhanced(5, 4, 6)),
        Refusal::DiskFull => (452, Enhanced(4, 3, 1)),
        Refusal::Store => (451, Enhanced(4, 3, 0)),
    };
    Reply::new(code, enhanced, refusal.to_string())
}
