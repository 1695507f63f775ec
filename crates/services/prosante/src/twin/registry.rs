//! The relying parties that the twin knows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Uri, header};
use ring::digest::{SHA256, digest};
use socle_trust::{Certificate, DistinguishedName};

use crate::wire::form::{Parameters, unescape};

/// A relying party, as an operator of Pro Santé Connect registers it.
#[derive(Clone)]
pub struct RegisteredClient {
    /// `client_id`.
    pub id: String,
    /// For `client_secret_basic` and `client_secret_post`.
    pub secret: Option<String>,
    /// For `tls_client_auth`: the subject of its certificate (RFC 8705 §2.1.2).
    pub certificate: Option<DistinguishedName>,
    /// Where the browser may come back with a code.
    pub redirects: Vec<Redirect>,
    /// Where it may come back after logout.
    pub logout_redirects: Vec<Redirect>,
}

impl std::fmt::Debug for RegisteredClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisteredClient").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A redirect URI, compared exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// This very text.
    Exact(String),
    /// Any port of loopback, this path: for a program that takes a free port (RFC 8252 §7.3).
    Loopback {
        /// `/login/callback`.
        path: String,
    },
}

impl Redirect {
    pub(super) fn admits(&self, uri: &str) -> bool {
        match self {
            Self::Exact(registered) => registered == uri,
            Self::Loopback { path } => is_loopback(uri, path),
        }
    }
}

fn is_loopback(uri: &str, path: &str) -> bool {
    let has_user = uri.contains('@') || uri.contains('#');
    !has_user
        && uri.parse::<Uri>().is_ok_and(|parsed| {
            let host = matches!(parsed.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
            let place = parsed.path() == path && parsed.query().is_none();
            parsed.scheme_str() == Some("http") && host && place
        })
}

/// A relying party of the twin alone. Its secret is no secret: it opens nothing else.
#[derive(Debug, Clone, Copy)]
pub struct TestClient {
    /// `client_id`.
    pub id: &'static str,
    /// `client_secret`.
    pub secret: &'static str,
    /// Path of the redirect URI, on any port of loopback.
    pub redirect_path: &'static str,
    /// Path of the return after logout, on any port of loopback.
    pub logout_path: &'static str,
}

/// Socle's console.
pub const CONSOLE: TestClient = TestClient {
    id: "socle-console",
    secret: "jumeau-console",
    redirect_path: "/login/callback",
    logout_path: "/logout/callback",
};

/// `socle demo`, `socle send` and tests: nothing listens at its redirect URI, the robot reads the code.
pub const DEMO: TestClient =
    TestClient { id: "socle-demo", secret: "jumeau-demo", redirect_path: "/callback", logout_path: "/logout" };

impl TestClient {
    /// As the twin registers it.
    #[must_use]
    pub fn registered(self) -> RegisteredClient {
        let loopback = |path: &str| vec![Redirect::Loopback { path: path.to_owned() }];
        RegisteredClient {
            id: self.id.to_owned(),
            secret: Some(self.secret.to_owned()),
            certificate: None,
            redirects: loopback(self.redirect_path),
            logout_redirects: loopback(self.logout_path),
        }
    }
}

/// How a client proved who it is: a token asked for with a certificate is bound to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Secret,
    Certificate,
}

/// Why a client is not known (RFC 6749 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientRefused {
    /// `invalid_client`.
    Unknown,
    /// `invalid_request`: two proofs at once, or a broken header (RFC 6749 §2.3).
    Malformed,
}

/// Finds the client and checks its proof: the header, the form, or the certificate; exactly one.
pub(super) fn authenticate<'a>(
    clients: &'a [RegisteredClient],
    headers: &HeaderMap,
    form: &Parameters,
    certificate: Option<&Certificate>,
) -> Result<(&'a RegisteredClient, Proof), ClientRefused> {
    let known = |id: &str| clients.iter().find(|client| client.id == id).ok_or(ClientRefused::Unknown);
    let posted = form.get("client_secret");
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (id, secret) = value.to_str().ok().and_then(read_basic).ok_or(ClientRefused::Malformed)?;
        if posted.is_some() || form.get("client_id").is_some_and(|other| other != id) {
            return Err(ClientRefused::Malformed);
        }
        return check_secret(known(&id)?, &secret);
    }
    let client = known(form.get("client_id").ok_or(ClientRefused::Unknown)?)?;
    match posted {
        Some(secret) => check_secret(client, secret),
        None => check_certificate(client, certificate),
    }
}

fn check_secret<'a>(client: &'a RegisteredClient, given: &str) -> Result<(&'a RegisteredClient, Proof), ClientRefused> {
    // Digests are compared, so that time tells nothing of the secret.
    let same =
        |secret: &String| digest(&SHA256, secret.as_bytes()).as_ref() == digest(&SHA256, given.as_bytes()).as_ref();
    if client.secret.as_ref().is_some_and(same) { Ok((client, Proof::Secret)) } else { Err(ClientRefused::Unknown) }
}

fn check_certificate<'a>(
    client: &'a RegisteredClient,
    shown: Option<&Certificate>,
) -> Result<(&'a RegisteredClient, Proof), ClientRefused> {
    match (&client.certificate, shown) {
        (Some(expected), Some(shown)) if expected == shown.subject() => Ok((client, Proof::Certificate)),
        _ => Err(ClientRefused::Unknown),
    }
}

/// Both parts are form-encoded inside the base64 (RFC 6749 §2.3.1).
fn read_basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((unescape(id).ok()?, unescape(secret).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::form;

    fn basic(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(text)).parse().unwrap());
        headers
    }

    #[test]
    fn redirects_are_exact_but_for_the_port_of_loopback() {
        let exact = Redirect::Exact("https://dpi.test/cb?x=1".into());
        let loopback = Redirect::Loopback { path: "/login/callback".into() };
        let cases = [
            (&exact, "https://dpi.test/cb?x=1", true),
            (&exact, "https://dpi.test/cb", false),
            (&exact, "https://dpi.test/cb?x=1&y", false),
            (&exact, "HTTPS://dpi.test/cb?x=1", false),
            (&loopback, "http://127.0.0.1:8080/login/callback", true),
            (&loopback, "http://localhost/login/callback", true),
            (&loopback, "http://[::1]:1/login/callback", true),
            (&loopback, "https://127.0.0.1/login/callback", false),
            (&loopback, "http://127.0.0.1.evil.test/login/callback", false),
            (&loopback, "http://127.0.0.1@evil.test/login/callback", false),
            (&loopback, "http://evil.test/login/callback", false),
            (&loopback, "http://127.0.0.1/login/callback/", false),
            (&loopback, "http://127.0.0.1/login/callback?next=x", false),
            (&loopback, "http://127.0.0.1/login/callback#x", false),
            (&loopback, "/login/callback", false),
            (&loopback, "", false),
        ];
        for (redirect, uri, expected) in cases {
            assert_eq!(redirect.admits(uri), expected, "{uri}");
        }
    }

    #[test]
    fn a_client_gives_one_good_proof() {
        let clients = [
            RegisteredClient { secret: Some("s:é %".into()), ..CONSOLE.registered() },
            RegisteredClient {
                id: "tls".into(),
                secret: None,
                certificate: Some("CN=a,C=FR".parse().unwrap()),
                ..DEMO.registered()
            },
        ];
        type Case<'a> = (&'a str, HeaderMap, &'a str, Result<Proof, ClientRefused>);
        let none = HeaderMap::new;
        let mut bearer = HeaderMap::new();
        bearer.insert(header::AUTHORIZATION, "Bearer x".parse().unwrap());
        let cases: [Case; 12] = [
            ("header", basic("socle-console:s%3A%C3%A9+%25"), "", Ok(Proof::Secret)),
            (
                "header and same id",
                basic("socle-console:s%3A%C3%A9%20%25"),
                "client_id=socle-console",
                Ok(Proof::Secret),
            ),
            ("header and another id", basic("socle-console:x"), "client_id=tls", Err(ClientRefused::Malformed)),
            ("header and form", basic("socle-console:x"), "client_secret=x", Err(ClientRefused::Malformed)),
            ("wrong secret", basic("socle-console:x"), "", Err(ClientRefused::Unknown)),
            ("unknown client", basic("nobody:x"), "", Err(ClientRefused::Unknown)),
            ("no colon", basic("socle-console"), "", Err(ClientRefused::Malformed)),
            ("another scheme", bearer, "client_id=socle-console", Err(ClientRefused::Malformed)),
            ("form", none(), "client_id=socle-console&client_secret=s%3A%C3%A9+%25", Ok(Proof::Secret)),
            ("no secret", none(), "client_id=socle-console", Err(ClientRefused::Unknown)),
            ("certificate client without one", none(), "client_id=tls", Err(ClientRefused::Unknown)),
            ("nothing", none(), "", Err(ClientRefused::Unknown)),
        ];
        for (name, headers, form, expected) in cases {
            let got = authenticate(&clients, &headers, &form::read(form).unwrap(), None).map(|(_, proof)| proof);
            assert_eq!(got, expected, "{name}");
        }
    }
}
