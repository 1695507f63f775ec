use std::sync::{Arc, PoisonError};
use std::time::Duration;

use imap_codec::imap_types::command::{Command, CommandBody};
use imap_codec::imap_types::core::{AString, IString};

use super::command::{self, Read};
use super::out::Out;
use super::view::{News, View, number};
use crate::net::{Lines, NetError, Stream};
use crate::twin::folders::{Folders, Message};
use crate::twin::office::{Mailbox, OfficeError};
use crate::twin::smtp::{End, Operator, Peer};
use crate::wire::sasl::Mechanism;

/// RFC 3501 §5.4: not less than 30 minutes, once authenticated.
const WAIT: Duration = Duration::from_secs(30 * 60);
const WAIT_STRANGER: Duration = Duration::from_secs(60);
const FAULTS_MAX: u32 = 50;
const AUTHENTICATIONS_MAX: u32 = 5;
/// What is written at once; a folder of large messages is sent piece by piece.
pub(super) const PIECE: usize = 256 * 1024;

/// Serves one connection; `greet` is false after STARTTLS, where the client speaks first.
pub(crate) async fn serve<S: Stream>(operator: &Operator, peer: Peer, stream: S, greet: bool) -> End<S> {
    let mut session = Session {
        operator,
        peer,
        lines: Lines::new(stream, WAIT_STRANGER),
        out: Out::default(),
        mailbox: None,
        view: None,
        faults: 0,
        failed_authentications: 0,
    };
    match session.run(greet).await {
        Ok(Flow::StartTls) => End::StartTls(session.lines.into_inner()),
        Ok(Flow::Go | Flow::End) => {
            session.lines.close().await;
            End::Closed
        }
        Err(error) => {
            tracing::debug!(%error, "an IMAP session broke");
            End::Closed
        }
    }
}

pub(super) struct Session<'a, S> {
    pub(super) operator: &'a Operator,
    pub(super) peer: Peer,
    pub(super) lines: Lines<S>,
    pub(super) out: Out,
    pub(super) mailbox: Option<Arc<Mailbox>>,
    pub(super) view: Option<View>,
    faults: u32,
    pub(super) failed_authentications: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Flow {
    Go,
    End,
    StartTls,
}

/// How a command ends.
#[derive(Debug)]
pub(super) struct Done {
    status: &'static str,
    text: String,
    /// May `EXPUNGE` be told before it (RFC 3501 §7.4.1)?
    may_expunge: bool,
}

impl Done {
    pub(super) fn ok(text: impl Into<String>) -> Self {
        Self { status: "OK", text: text.into(), may_expunge: true }
    }

    pub(super) fn no(text: impl Into<String>) -> Self {
        Self { status: "NO", text: text.into(), may_expunge: true }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self { status: "BAD", text: text.into(), may_expunge: true }
    }

    /// For `FETCH`, `STORE` and `SEARCH` by sequence numbers.
    pub(super) const fn without_expunge(mut self, by_uid: bool) -> Self {
        self.may_expunge = by_uid;
        self
    }
}

impl From<OfficeError> for Done {
    fn from(error: OfficeError) -> Self {
        use crate::twin::change::ChangeError;
        let code = match &error {
            OfficeError::Change(ChangeError::NoFolder) => "[NONEXISTENT] ",
            OfficeError::Change(ChangeError::TryCreate) => "[TRYCREATE] ",
            OfficeError::Change(ChangeError::Exists) => "[ALREADYEXISTS] ",
            OfficeError::Change(_) => "[CANNOT] ",
            OfficeError::DiskFull => "[OVERQUOTA] ",
            OfficeError::Store(_) | OfficeError::Stopping => "[UNAVAILABLE] ",
        };
        match error {
            OfficeError::Store(error) => {
                tracing::error!(error, "a mailbox could not be read or written");
                Self::no(format!("{code}the store failed"))
            }
            error => Self::no(format!("{code}{error}")),
        }
    }
}

impl<S: Stream> Session<'_, S> {
    async fn run(&mut self, greet: bool) -> Result<Flow, NetError> {
        if greet {
            let capabilities = self.capabilities();
            self.out.raw(&format!("* OK [CAPABILITY {capabilities}] IMAP4rev1 jumeau local MSSante non officiel\r\n"));
            self.flush().await?;
        }
        loop {
            let read = tokio::select! {
                read = command::read(&mut self.lines, self.mailbox.is_some()) => read,
                () = self.operator.shutdown.triggered() => return self.bye("the twin is stopping").await,
            };
            let flow = match read {
                Ok(Read::Command(command)) => self.obey(command).await?,
                Ok(Read::End) => return Ok(Flow::End),
                Ok(Read::Wrong { tag, why }) => self.fault(tag, why).await?,
                Ok(Read::TooLong) | Err(NetError::LineTooLong(_)) => return self.bye("the command is too long").await,
                Err(NetError::Silent(_)) => return self.bye("no command in time").await,
                Err(error) => return Err(error),
            };
            if flow != Flow::Go {
                return Ok(flow);
            }
        }
    }

    async fn obey(&mut self, command: Command<'static>) -> Result<Flow, NetError> {
        let tag = command.tag.as_ref().to_owned();
        let done = match command.body {
            CommandBody::Logout => {
                self.out.raw(&format!("* BYE au revoir\r\n{tag} OK logged out\r\n"));
                self.flush().await?;
                return Ok(Flow::End);
            }
            CommandBody::StartTLS => return self.start_tls(&tag).await,
            CommandBody::Idle if self.mailbox.is_some() => self.idle().await?,
            body => self.dispatch(body).await?,
        };
        self.tell_news(done.may_expunge);
        self.out.raw(&format!("{tag} {} {}\r\n", done.status, done.text));
        self.flush().await?;
        if self.failed_authentications == AUTHENTICATIONS_MAX {
            return self.bye("too many failed authentications").await;
        }
        Ok(Flow::Go)
    }

    async fn dispatch(&mut self, body: CommandBody<'static>) -> Result<Done, NetError> {
        match body {
            CommandBody::Capability => {
                let capabilities = self.capabilities();
                self.out.raw(&format!("* CAPABILITY {capabilities}\r\n"));
                Ok(Done::ok("these"))
            }
            CommandBody::Noop => Ok(Done::ok("nothing done")),
            CommandBody::Id { .. } => {
                self.out.raw("* ID (\"name\" \"Socle, jumeau local MSSante non officiel\")\r\n");
                Ok(Done::ok("that is me"))
            }
            CommandBody::Authenticate { mechanism, initial_response } => {
                let initial = initial_response.map(|response| response.declassify().to_vec());
                self.authenticate(mechanism.as_ref(), initial).await
            }
            CommandBody::Login { username, password } => {
                self.login(&octets(&username), &octets(password.declassify())).await
            }
            body => match self.mailbox.clone() {
                None => Ok(Done::bad("authenticate first")),
                Some(mailbox) => self.dispatch_authenticated(&mailbox, body).await,
            },
        }
    }

    async fn dispatch_authenticated(
        &mut self,
        mailbox: &Arc<Mailbox>,
        body: CommandBody<'static>,
    ) -> Result<Done, NetError> {
        match body {
            CommandBody::Namespace => {
                self.out.raw("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
                Ok(Done::ok("these"))
            }
            CommandBody::Select { .. }
            | CommandBody::Examine { .. }
            | CommandBody::Create { .. }
            | CommandBody::Delete { .. }
            | CommandBody::Rename { .. }
            | CommandBody::Subscribe { .. }
            | CommandBody::Unsubscribe { .. }
            | CommandBody::List { .. }
            | CommandBody::Lsub { .. }
            | CommandBody::Status { .. }
            | CommandBody::Append { .. } => self.folder_command(mailbox, body).await,
            CommandBody::Check
            | CommandBody::Close
            | CommandBody::Unselect
            | CommandBody::Expunge
            | CommandBody::ExpungeUid { .. }
            | CommandBody::Search { .. }
            | CommandBody::Fetch { .. }
            | CommandBody::Store { .. }
            | CommandBody::Copy { .. }
            | CommandBody::Move { .. } => match &self.view {
                None => Ok(Done::bad("select a folder first")),
                Some(_) => self.message_command(mailbox, body).await,
            },
            _ => Ok(Done::bad("this extension is not offered")),
        }
    }

    fn capabilities(&self) -> String {
        let mut words = vec!["IMAP4rev1", "LITERAL+", "SASL-IR", "ID"];
        let mechanisms = self.operator.access.mechanisms(self.peer.certificate.as_deref());
        match (self.peer.tls, &self.mailbox) {
            (false, _) => words.extend(["STARTTLS", "LOGINDISABLED"]),
            (true, None) => words.extend(mechanisms.into_iter().map(auth_capability)),
            (true, Some(_)) => {
                words.extend(["NAMESPACE", "IDLE", "UIDPLUS", "MOVE", "UNSELECT", "CHILDREN", "SPECIAL-USE"]);
            }
        }
        words.join(" ")
    }

    async fn start_tls(&mut self, tag: &str) -> Result<Flow, NetError> {
        if self.peer.tls {
            self.out.raw(&format!("{tag} BAD TLS is there already\r\n"));
            self.flush().await?;
            return Ok(Flow::Go);
        }
        self.out.raw(&format!("{tag} OK begin TLS\r\n"));
        self.flush().await?;
        // What came before the handshake would be read as if it had come inside (CVE-2011-0411).
        if self.lines.is_drained() { Ok(Flow::StartTls) } else { Ok(Flow::End) }
    }

    /// Now that the client is known, it may stay silent for longer.
    pub(super) fn opened(&mut self, mailbox: Arc<Mailbox>) -> Done {
        self.mailbox = Some(mailbox);
        self.lines.set_wait(WAIT);
        Done::ok(format!("[CAPABILITY {}] authenticated", self.capabilities()))
    }

    /// `IDLE` (RFC 2177): news as they come, until the client says `DONE`.
    async fn idle(&mut self) -> Result<Done, NetError> {
        let Some(mailbox) = self.mailbox.clone() else { return Ok(Done::bad("authenticate first")) };
        let mut changes = mailbox.watch();
        self.out.raw("+ idling\r\n");
        loop {
            self.tell_news(true);
            self.flush().await?;
            tokio::select! {
                line = self.lines.line(1024) => {
                    let line = line?;
                    let is_done = line.as_deref().is_some_and(|line| line.eq_ignore_ascii_case("DONE"));
                    return Ok(if is_done { Done::ok("idle ended") } else { Done::bad("DONE was expected") });
                }
                changed = changes.changed() => {
                    if changed.is_err() {
                        return Ok(Done::ok("idle ended"));
                    }
                }
                () = self.operator.shutdown.triggered() => return Ok(Done::ok("idle ended")),
            }
        }
    }

    /// Tells the client what others changed in its folder.
    fn tell_news(&mut self, may_expunge: bool) {
        let (Some(view), Some(mailbox)) = (&mut self.view, &self.mailbox) else { return };
        let Some(folders) = mailbox.loaded() else { return };
        let folders = folders.read().unwrap_or_else(PoisonError::into_inner);
        let Some(folder) = folders.get(view.folder) else { return };
        for news in view.update(folder, folders.clock(), may_expunge) {
            match news {
                News::Expunged(sequence) => {
                    self.out.raw(&format!("* {sequence} EXPUNGE\r\n"));
                }
                News::Exists(count) => {
                    let recent = view.entries.iter().filter(|entry| entry.uid >= view.first_recent).count();
                    self.out.raw(&format!("* {count} EXISTS\r\n* {recent} RECENT\r\n"));
                }
                News::Flags(at) => {
                    let Some(message) = folder.messages.get(&view.entries[at].uid) else { continue };
                    let uid = view.entries[at].uid;
                    self.out.raw(&format!("* {} FETCH (UID {uid} FLAGS ", number(at)));
                    self.out.list(flags(message, uid >= view.first_recent)).raw(")\r\n");
                }
            }
        }
    }

    async fn fault(&mut self, tag: Option<String>, why: &str) -> Result<Flow, NetError> {
        self.faults += 1;
        if self.faults == FAULTS_MAX {
            return self.bye("too many faults").await;
        }
        self.out.raw(&format!("{} BAD {why}\r\n", tag.as_deref().unwrap_or("*")));
        self.flush().await?;
        Ok(Flow::Go)
    }

    async fn bye(&mut self, why: &str) -> Result<Flow, NetError> {
        self.out.raw(&format!("* BYE {why}\r\n"));
        self.flush().await?;
        Ok(Flow::End)
    }

    pub(super) async fn flush(&mut self) -> Result<(), NetError> {
        let bytes = self.out.take();
        if bytes.is_empty() { Ok(()) } else { self.lines.send(&bytes).await }
    }

    /// Looks at the folders of the mailbox.
    pub(super) async fn folders<T>(
        &self,
        mailbox: &Mailbox,
        look: impl FnOnce(&Folders) -> T + Send,
    ) -> Result<T, OfficeError> {
        let folders = self.operator.access.office.folders(mailbox).await?;
        Ok(look(&folders.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

const fn auth_capability(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Xoauth2 => "AUTH=XOAUTH2",
        Mechanism::OauthBearer => "AUTH=OAUTHBEARER",
        Mechanism::External => "AUTH=EXTERNAL",
        Mechanism::Plain => "AUTH=PLAIN",
    }
}

/// A message's flags, with `\Recent` where the session has it.
pub(super) fn flags(message: &Message, is_recent: bool) -> impl Iterator<Item = &str> {
    message.record.flags.iter().map(String::as_str).chain(is_recent.then_some("\\Recent"))
}

/// The octets of a string of IMAP.
pub(super) fn octets(text: &AString<'_>) -> Vec<u8> {
    match text {
        AString::Atom(atom) => atom.inner().as_bytes().to_vec(),
        AString::String(IString::Literal(literal)) => literal.data().to_vec(),
        AString::String(IString::Quoted(quoted)) => quoted.inner().as_bytes().to_vec(),
    }
}
