use std::fmt;
use std::str::FromStr;

use rustls_pki_types::ServerName;

/// Where an operator takes mail: `smtp://host[:587]` or `smtps://host[:465]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionUrl {
    /// How TLS begins.
    pub security: Security,
    /// The host, which the certificate must name.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// How TLS begins; there is no third way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// By `STARTTLS`, which is demanded (Référentiel #2, ECO.1.0.1).
    StartTls,
    /// With the connection (RFC 8314).
    Implicit,
}

impl SubmissionUrl {
    pub(super) fn server_name(&self) -> Result<ServerName<'static>, UrlError> {
        ServerName::try_from(self.host.clone()).map_err(|_| UrlError::Host)
    }
}

impl FromStr for SubmissionUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let (security, default_port) = match scheme {
            "smtp" => (Security::StartTls, 587),
            "smtps" => (Security::Implicit, 465),
            _ => return Err(UrlError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| UrlError::Port)?),
            _ => (rest, default_port),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let url = Self { security, host: host.to_owned(), port };
        url.server_name()?;
        Ok(url)
    }
}

impl fmt::Display for SubmissionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.security {
            Security::StartTls => "smtp",
            Security::Implicit => "smtps",
        };
        if self.host.contains(':') {
            return write!(f, "{scheme}://[{}]:{}", self.host, self.port);
        }
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// Why a text is no submission URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Neither `smtp://` nor `smtps://`.
    #[error("the operator's URL begins with smtp:// (STARTTLS) or smtps:// (TLS at once)")]
    Scheme,
    /// No host name or address.
    #[error("the operator's URL names no host")]
    Host,
    /// Not a port.
    #[error("the operator's URL ends with a port from 1 to 65535")]
    Port,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_tls_have_their_scheme() {
        let cases = [
            ("smtp://smtp.op-a.test", Ok("smtp://smtp.op-a.test:587")),
            ("smtps://smtp.op-a.test/", Ok("smtps://smtp.op-a.test:465")),
            ("smtp://127.0.0.1:2525", Ok("smtp://127.0.0.1:2525")),
            ("smtps://[::1]:2465", Ok("smtps://[::1]:2465")),
            ("smtp.op-a.test:587", Err(UrlError::Scheme)),
            ("http://smtp.op-a.test", Err(UrlError::Scheme)),
            ("smtp://", Err(UrlError::Host)),
            ("smtp://user@host", Err(UrlError::Host)),
            ("smtp://host:99999", Err(UrlError::Port)),
        ];
        for (text, expected) in cases {
            let read = text.parse::<SubmissionUrl>().map(|url| url.to_string());
            assert_eq!(read.as_deref().map_err(|error| *error), expected, "{text}");
        }
    }
}
