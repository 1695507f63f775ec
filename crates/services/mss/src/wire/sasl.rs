//! The messages of SASL that open a mailbox: XOAUTH2 (what Référentiel #2 asks, ECO.1.2.1), OAUTHBEARER (RFC
//! 7628), EXTERNAL (RFC 4422, appendix A) and PLAIN (RFC 4616). Decoded octets; base64 is the protocol's.
//!
//! Which SASL step an application mailbox uses after mutual TLS is not published: EXTERNAL with the
//! mailbox as authorization identity is our choice.

use std::fmt;

/// A SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// `XOAUTH2`.
    Xoauth2,
    /// `OAUTHBEARER`.
    OauthBearer,
    /// `EXTERNAL`.
    External,
    /// `PLAIN`.
    Plain,
}

impl Mechanism {
    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xoauth2 => "XOAUTH2",
            Self::OauthBearer => "OAUTHBEARER",
            Self::External => "EXTERNAL",
            Self::Plain => "PLAIN",
        }
    }

    /// Reads a name, in any case.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        let all = [Self::Xoauth2, Self::OauthBearer, Self::External, Self::Plain];
        all.into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }
}

/// A Pro Santé Connect access token: in memory only (ECO.1.2.5), never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// A token of RFC 6750 §2.1 (`b64token`), at most 8 Ki characters.
    ///
    /// # Errors
    /// [`SaslError::Token`].
    pub fn new(token: &str) -> Result<Self, SaslError> {
        let sign = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        if (1..=8192).contains(&token.len()) && token.bytes().all(sign) {
            return Ok(Self(token.to_owned()));
        }
        Err(SaslError::Token)
    }

    /// The token, for the wire or its verifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// What a client says it is: a mailbox and a proof.
#[derive(Debug, PartialEq, Eq)]
pub enum Response {
    /// XOAUTH2 and OAUTHBEARER.
    Bearer {
        /// The mailbox to open.
        mailbox: String,
        /// The token.
        token: AccessToken,
    },
    /// EXTERNAL: the proof is the certificate of the connection; nothing when the server shall choose.
    Certificate {
        /// The mailbox to open.
        mailbox: Option<String>,
    },
    /// PLAIN.
    Password(Password),
}

/// A mailbox and its password.
#[derive(PartialEq, Eq)]
pub struct Password {
    /// The mailbox.
    pub mailbox: String,
    /// Never shown.
    pub password: String,
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Response {
    /// Reads the response of a mechanism.
    ///
    /// # Errors
    /// [`SaslError`].
    pub fn read(mechanism: Mechanism, bytes: &[u8]) -> Result<Self, SaslError> {
        let text = std::str::from_utf8(bytes).map_err(|_| SaslError::Form)?;
        match mechanism {
            Mechanism::Xoauth2 => read_xoauth2(text),
            Mechanism::OauthBearer => read_oauthbearer(text),
            Mechanism::External if text.contains('\0') => Err(SaslError::Form),
            Mechanism::External => Ok(Self::Certificate { mailbox: (!text.is_empty()).then(|| text.to_owned()) }),
            Mechanism::Plain => read_plain(text),
        }
    }
}

/// `user=<mailbox>^Aauth=Bearer <token>^A^A`.
#[must_use]
pub fn xoauth2(mailbox: &str, token: &AccessToken) -> String {
    format!("user={mailbox}\x01auth=Bearer {}\x01\x01", token.as_str())
}

/// `n,a=<mailbox>,^Ahost=…^Aport=…^Aauth=Bearer <token>^A^A`.
#[must_use]
pub fn oauthbearer(mailbox: &str, host: &str, port: u16, token: &AccessToken) -> String {
    let mailbox = mailbox.replace('=', "=3D").replace(',', "=2C");
    format!("n,a={mailbox},\x01host={host}\x01port={port}\x01auth=Bearer {}\x01\x01", token.as_str())
}

/// The server's answer to a token that it refuses, before the refusal itself: the JSON seen in the field.
#[must_use]
pub const fn bearer_refused() -> &'static str {
    r#"{"status":"401","schemes":"bearer","scope":"openid scope_all"}"#
}

fn read_xoauth2(text: &str) -> Result<Response, SaslError> {
    let text = text.strip_suffix("\x01\x01").ok_or(SaslError::Form)?;
    let (user, auth) = text.split_once('\x01').ok_or(SaslError::Form)?;
    let mailbox = user.strip_prefix("user=").filter(|user| !user.is_empty()).ok_or(SaslError::Form)?;
    Ok(Response::Bearer { mailbox: mailbox.to_owned(), token: read_auth(auth)? })
}

fn read_oauthbearer(text: &str) -> Result<Response, SaslError> {
    let text = text.strip_suffix("\x01\x01").ok_or(SaslError::Form)?;
    let mut fields = text.split('\x01');
    let mut header = fields.next().unwrap_or_default().split(',');
    if !matches!(header.next(), Some("n" | "y")) {
        return Err(SaslError::Form);
    }
    let mailbox = header.next().and_then(|name| name.strip_prefix("a=")).filter(|name| !name.is_empty());
    let mailbox = mailbox.ok_or(SaslError::Form)?.replace("=2C", ",").replace("=3D", "=");
    let auth = fields.find(|field| field.starts_with("auth=")).ok_or(SaslError::Form)?;
    Ok(Response::Bearer { mailbox, token: read_auth(auth)? })
}

fn read_auth(field: &str) -> Result<AccessToken, SaslError> {
    let (scheme, token) = field.strip_prefix("auth=").and_then(|auth| auth.split_once(' ')).ok_or(SaslError::Form)?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(SaslError::Form);
    }
    AccessToken::new(token.trim())
}

fn read_plain(text: &str) -> Result<Response, SaslError> {
    let mut fields = text.split('\0');
    let (Some(as_mailbox), Some(mailbox), Some(password), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(SaslError::Form);
    };
    // To open one mailbox with the password of another is nothing that the twin knows.
    if mailbox.is_empty() || !(as_mailbox.is_empty() || as_mailbox.eq_ignore_ascii_case(mailbox)) {
        return Err(SaslError::Form);
    }
    Ok(Response::Password(Password { mailbox: mailbox.to_owned(), password: password.to_owned() }))
}

/// Why a response of SASL is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SaslError {
    /// Not the form of the mechanism.
    #[error("the response has not the form of its SASL mechanism")]
    Form,
    /// Not a token of RFC 6750.
    #[error("the access token is not one of RFC 6750 §2.1")]
    Token,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAILBOX: &str = "thomas.eric@medecin.mssante.test";

    fn token() -> AccessToken {
        AccessToken::new("eyJhbGciOi.J9.x-_~+/=").unwrap()
    }

    #[test]
    fn a_token_is_carried_both_ways() {
        let expected = || Response::Bearer { mailbox: MAILBOX.into(), token: token() };
        let xoauth2 = xoauth2(MAILBOX, &token());
        assert_eq!(Response::read(Mechanism::Xoauth2, xoauth2.as_bytes()), Ok(expected()));
        let bearer = oauthbearer(MAILBOX, "smtp.test", 587, &token());
        assert_eq!(Response::read(Mechanism::OauthBearer, bearer.as_bytes()), Ok(expected()));
        let odd = oauthbearer("a,=b@c.test", "smtp.test", 587, &token());
        let Ok(Response::Bearer { mailbox, .. }) = Response::read(Mechanism::OauthBearer, odd.as_bytes()) else {
            panic!("not read")
        };
        assert_eq!(mailbox, "a,=b@c.test");
    }

    #[test]
    fn other_forms_are_refused() {
        let cases: [(Mechanism, &[u8]); 13] = [
            (Mechanism::Xoauth2, b""),
            (Mechanism::Xoauth2, b"user=a\x01auth=Bearer t"),
            (Mechanism::Xoauth2, b"user=\x01auth=Bearer t\x01\x01"),
            (Mechanism::Xoauth2, b"user=a\x01auth=Basic t\x01\x01"),
            (Mechanism::Xoauth2, b"user=a\x01auth=Bearer t t\x01\x01"),
            (Mechanism::Xoauth2, b"user=a\x01auth=Bearer \xff\x01\x01"),
            (Mechanism::OauthBearer, b"p=tls-unique,a=b,\x01auth=Bearer t\x01\x01"),
            (Mechanism::OauthBearer, b"n,,\x01auth=Bearer t\x01\x01"),
            (Mechanism::OauthBearer, b"n,a=b,\x01host=h\x01\x01"),
            (Mechanism::External, b"a\0b"),
            (Mechanism::Plain, b"a\0b"),
            (Mechanism::Plain, b"other@c.test\0a@b.test\0secret"),
            (Mechanism::Plain, b"\0\0secret"),
        ];
        for (mechanism, bytes) in cases {
            assert!(Response::read(mechanism, bytes).is_err(), "{mechanism:?} {}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn certificates_and_passwords_are_read() {
        let external = |bytes| Response::read(Mechanism::External, bytes).unwrap();
        assert_eq!(external(b""), Response::Certificate { mailbox: None });
        assert_eq!(external(b"a@b.test"), Response::Certificate { mailbox: Some("a@b.test".into()) });
        for plain in ["\0a@b.test\0s", "A@b.test\0a@b.test\0s"] {
            let Ok(Response::Password(found)) = Response::read(Mechanism::Plain, plain.as_bytes()) else {
                panic!("{plain:?}")
            };
            assert_eq!((found.mailbox.as_str(), found.password.as_str()), ("a@b.test", "s"));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let read = Response::read(Mechanism::Plain, b"\0a@b.test\0geheim").unwrap();
        assert!(!format!("{read:?} {:?}", token()).contains("geheim"));
        assert!(!format!("{:?}", token()).contains("eyJ"));
    }

    proptest! {
        #[test]
        fn any_response_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            for mechanism in [Mechanism::Xoauth2, Mechanism::OauthBearer, Mechanism::External, Mechanism::Plain] {
                let _ = Response::read(mechanism, &bytes);
            }
        }

        #[test]
        fn no_token_breaks_out_of_its_field(text in any::<String>()) {
            if let Ok(token) = AccessToken::new(&text) {
                prop_assert!(!token.as_str().contains(['\x01', '\r', '\n', ' ']));
            }
        }
    }
}
