//! Who may open which mailbox, for SMTP and IMAP alike.

use std::sync::Arc;

use jiff::Timestamp;
use socle_identity::MssAddress;
use socle_trust::Certificate;
use socle_trust::token::{Binding, Claims, TokenError, Verifier};

use super::office::{Holder, Mailbox, Office};
use super::seed::{Owner, TEST_PASSWORD};
use crate::wire::sasl::{AccessToken, Mechanism, Password, Response};

/// Opens mailboxes.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) office: Arc<Office>,
    pub(crate) tokens: Option<Arc<Verifier>>,
}

/// Why a mailbox is not opened. A client is told little; the log says which one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AccessError {
    #[error("there is no such mailbox")]
    NoMailbox,
    #[error("{0}")]
    Token(#[from] TokenError),
    #[error("tokens are not checked here: the twin was started without Pro Santé Connect")]
    NoTokens,
    #[error("the token's holder is not one of the mailbox's")]
    NotOwner,
    #[error("no certificate was shown")]
    NoCertificate,
    #[error("the certificate is not of the mailbox's structure")]
    OtherStructure,
    #[error("this kind of mailbox is opened in another way")]
    OtherKind,
    #[error("the password is wrong")]
    Password,
}

impl AccessError {
    /// Our trouble rather than the client's: the same may succeed later.
    pub(crate) const fn is_temporary(&self) -> bool {
        matches!(self, Self::Token(error) if error.is_temporary())
    }
}

impl Access {
    /// What may be tried on a connection where this certificate was shown.
    pub(crate) fn mechanisms(&self, certificate: Option<&Certificate>) -> Vec<Mechanism> {
        let tokens = self.tokens.is_some().then_some([Mechanism::Xoauth2, Mechanism::OauthBearer]);
        let external = certificate.is_some().then_some(Mechanism::External);
        tokens.into_iter().flatten().chain(external).chain([Mechanism::Plain]).collect()
    }

    /// Opens the mailbox that the response names.
    pub(crate) async fn open(
        &self,
        response: Response,
        certificate: Option<&Certificate>,
    ) -> Result<Arc<Mailbox>, AccessError> {
        match response {
            Response::Bearer { mailbox, token } => self.by_token(&mailbox, &token, certificate).await,
            Response::Certificate { mailbox } => self.by_certificate(mailbox.as_deref(), certificate),
            Response::Password(password) => self.by_password(&password),
        }
    }

    fn mailbox(&self, name: &str) -> Result<Arc<Mailbox>, AccessError> {
        let address = name.parse::<MssAddress>().map_err(|_| AccessError::NoMailbox)?;
        self.office.mailbox(&address).ok_or(AccessError::NoMailbox)
    }

    /// The subject of the token is the holder of a PER mailbox or a declared member of an ORG one. Which scope and
    /// audience messaging demands is not published: the verifier was configured with an audience, and
    /// no scope is demanded.
    async fn by_token(
        &self,
        name: &str,
        token: &AccessToken,
        certificate: Option<&Certificate>,
    ) -> Result<Arc<Mailbox>, AccessError> {
        let verifier = self.tokens.as_ref().ok_or(AccessError::NoTokens)?;
        let claims = verifier.verify(token.as_str(), Timestamp::now()).await?;
        claims.check_binding(certificate, Binding::Tolerant)?;
        let mailbox = self.mailbox(name)?;
        match mailbox.owner() {
            Some(Owner::Persons(persons)) if persons.iter().any(|person| is_of(&claims, person.as_str())) => {
                Ok(mailbox)
            }
            Some(Owner::Persons(_)) => Err(AccessError::NotOwner),
            Some(Owner::Structure(_)) | None => Err(AccessError::OtherKind),
        }
    }

    /// Which SASL step opens an application mailbox is not published: EXTERNAL is our choice.
    fn by_certificate(
        &self,
        name: Option<&str>,
        certificate: Option<&Certificate>,
    ) -> Result<Arc<Mailbox>, AccessError> {
        let certificate = certificate.ok_or(AccessError::NoCertificate)?;
        let is_own = |mailbox: &Mailbox| match mailbox.owner() {
            Some(Owner::Structure(id)) => certificate.subject().all("OU").any(|unit| unit == id.as_str()),
            _ => false,
        };
        let Some(name) = name else {
            // Without a name, there must be no choice.
            let mut own = self.office.mailboxes().into_iter().filter(|mailbox| is_own(mailbox));
            return own.next().filter(|_| own.next().is_none()).ok_or(AccessError::NoMailbox);
        };
        let mailbox = self.mailbox(name)?;
        if !mailbox.is_application() {
            return Err(AccessError::OtherKind);
        }
        if is_own(&mailbox) { Ok(mailbox) } else { Err(AccessError::OtherStructure) }
    }

    fn by_password(&self, given: &Password) -> Result<Arc<Mailbox>, AccessError> {
        let mailbox = self.mailbox(&given.mailbox)?;
        let password = match &mailbox.holder {
            Holder::Seed(seed) => seed.password.as_str(),
            Holder::Patient => TEST_PASSWORD,
            Holder::Gone => return Err(AccessError::NoMailbox),
        };
        if given.password == password { Ok(mailbox) } else { Err(AccessError::Password) }
    }
}

/// Pro Santé Connect names the professional in both claims (PS_IdNat: kind digit and RPPS).
fn is_of(claims: &Claims, person: &str) -> bool {
    ["SubjectNameID", "preferred_username"].into_iter().any(|name| claims.text(name) == Some(person))
}
