use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::session::{Done, Session};
use crate::net::{NetError, Stream};
use crate::twin::access::AccessError;
use crate::wire::sasl::{self, Mechanism, Password, Response};
use crate::wire::smtp::LINE_MAX;

impl<S: Stream> Session<'_, S> {
    /// `AUTHENTICATE`, with or without a first response (RFC 4959).
    pub(super) async fn authenticate(&mut self, name: &str, initial: Option<Vec<u8>>) -> Result<Done, NetError> {
        if let Some(refused) = self.refuses_authentication() {
            return Ok(refused);
        }
        let offered = self.operator.access.mechanisms(self.peer.certificate.as_deref());
        let Some(mechanism) = Mechanism::read(name).filter(|mechanism| offered.contains(mechanism)) else {
            return Ok(Done::no("[CANNOT] this mechanism is not offered here"));
        };
        let response = match initial {
            Some(response) => Some(response),
            None => self.ask("").await?,
        };
        let Some(response) = response else { return Ok(Done::bad("cancelled, or not base64")) };
        match Response::read(mechanism, &response) {
            Ok(response) => self.open(mechanism, response).await,
            Err(error) => Ok(Done::bad(error.to_string())),
        }
    }

    /// `LOGIN`: a convenience of the twin for plain mail clients.
    pub(super) async fn login(&mut self, name: &[u8], password: &[u8]) -> Result<Done, NetError> {
        if let Some(refused) = self.refuses_authentication() {
            return Ok(refused);
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let response = Response::Password(Password { mailbox: text(name), password: text(password) });
        self.open(Mechanism::Plain, response).await
    }

    fn refuses_authentication(&self) -> Option<Done> {
        if !self.peer.tls {
            return Some(Done::no("[PRIVACYREQUIRED] STARTTLS first"));
        }
        self.mailbox.is_some().then(|| Done::bad("already authenticated"))
    }

    async fn open(&mut self, mechanism: Mechanism, response: Response) -> Result<Done, NetError> {
        let error = match self.operator.access.open(response, self.peer.certificate.as_deref()).await {
            Ok(mailbox) => return Ok(self.opened(mailbox)),
            Err(error) => error,
        };
        self.failed_authentications += 1;
        tracing::info!(mechanism = mechanism.name(), reason = %error, "an IMAP client was not authenticated");
        if error.is_temporary() {
            return Ok(Done::no("[UNAVAILABLE] Pro Sante Connect cannot be asked now"));
        }
        if matches!(mechanism, Mechanism::Xoauth2 | Mechanism::OauthBearer) {
            // The reason comes first, the client answers with nothing of interest, then the refusal.
            self.ask(sasl::bearer_refused()).await?;
        }
        let text = if matches!(error, AccessError::Token(_)) { "token rejected" } else { "refused" };
        Ok(Done::no(format!("[AUTHENTICATIONFAILED] {text}")))
    }

    /// `+ ` with a text in base64, and the client's line; nothing when it cancels or does not speak base64.
    async fn ask(&mut self, text: &str) -> Result<Option<Vec<u8>>, NetError> {
        self.out.raw(&format!("+ {}\r\n", STANDARD.encode(text)));
        self.flush().await?;
        let line = self.lines.line(LINE_MAX).await?;
        Ok(line.filter(|line| line != "*").and_then(|line| STANDARD.decode(line).ok()))
    }
}
