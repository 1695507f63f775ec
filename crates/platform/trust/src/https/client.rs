use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{AlertDescription, ClientConfig};

use super::Body;

/// What a client bears from a server.
#[derive(Debug, Clone, Copy)]
pub struct ClientLimits {
    /// To open a TCP connection.
    pub connect: Duration,
    /// For the whole exchange, connection included.
    pub request: Duration,
    /// Largest answer, bytes.
    pub response_bytes: usize,
    /// A kept connection is closed after this long without use.
    pub idle: Duration,
    /// Kept connections per host.
    pub idle_connections: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(30),
            response_bytes: 64 * 1024 * 1024,
            idle: Duration::from_secs(20),
            idle_connections: 32,
        }
    }
}

/// A client with its pool of connections. Cheap to clone; clones share the pool.
#[derive(Clone)]
pub struct HttpsClient {
    inner: Client<HttpsConnector<HttpConnector>, Body>,
    limits: ClientLimits,
}

impl HttpsClient {
    /// A client that trusts and shows what `tls` says (see [`crate::tls::client_config`]).
    #[must_use]
    pub fn new(tls: &Arc<ClientConfig>, limits: ClientLimits) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(limits.connect));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(ClientConfig::clone(tls))
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let inner = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(limits.idle)
            .pool_max_idle_per_host(limits.idle_connections)
            .build(connector);
        Self { inner, limits }
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// `https` anywhere; plain `http` to loopback only (twins behind a reverse proxy, tests).
    ///
    /// # Errors
    /// [`HttpError`]; [`HttpError::may_have_arrived`] says whether the server may have acted.
    pub async fn send(&self, request: Request<impl Into<Body>>) -> Result<Response<Bytes>, HttpError> {
        let request = request.map(Into::into);
        let host = host(request.uri());
        let failed = |kind| HttpError { host: host.clone(), kind };
        check(request.uri()).map_err(failed)?;
        match tokio::time::timeout(self.limits.request, self.exchange(request)).await {
            Ok(answered) => answered.map_err(failed),
            Err(_) => Err(failed(HttpErrorKind::Timeout { after: self.limits.request })),
        }
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Response<Bytes>, HttpErrorKind> {
        let response = self.inner.request(request).await.map_err(|error| refusal(&error))?;
        let (head, body) = response.into_parts();
        let limit = self.limits.response_bytes;
        let body = Limited::new(body, limit).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return HttpErrorKind::TooBig { limit };
            }
            HttpErrorKind::Broken(innermost(&*error))
        })?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

impl fmt::Debug for HttpsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsClient").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Host and port only: a path or a query may hold a patient's identifier.
fn host(uri: &Uri) -> String {
    uri.authority().map_or_else(String::new, |authority| match authority.port() {
        Some(port) => format!("{}:{port}", authority.host()),
        None => authority.host().to_owned(),
    })
}

fn check(uri: &Uri) -> Result<(), HttpErrorKind> {
    let host = uri.host().ok_or(HttpErrorKind::Url("an absolute URL is needed"))?;
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => Ok(()),
        Some(scheme) if *scheme == Scheme::HTTP && is_loopback(host) => Ok(()),
        Some(scheme) if *scheme == Scheme::HTTP => Err(HttpErrorKind::PlainHttp),
        _ => Err(HttpErrorKind::Url("the scheme is neither https nor http")),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Finds what a caller has to know in hyper's chain of causes.
fn refusal(error: &hyper_util::client::legacy::Error) -> HttpErrorKind {
    let reason = innermost(error);
    match tls_error(error) {
        Some(_) if error.is_connect() => HttpErrorKind::Tls(reason),
        // With TLS 1.3 a server refuses our certificate after our side of the handshake is over: the
        // alert comes where an answer was due, and the request was not read.
        Some(rustls::Error::AlertReceived(alert)) if speaks_of_a_certificate(*alert) => HttpErrorKind::Tls(reason),
        _ if error.is_connect() => HttpErrorKind::Connect(reason),
        _ => HttpErrorKind::Broken(reason),
    }
}

fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // An io::Error is not the source of what it wraps: its own source is one step further.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = inner.map_or_else(|| error.source(), |inner| Some(inner as &(dyn Error + 'static)));
    }
    None
}

/// The alerts of RFC 8446 §6.2 by which a server refuses a client's certificate.
const fn speaks_of_a_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::CertificateRequired
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::DecryptError
            | A::HandshakeFailure
    )
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// An exchange that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host}: {kind}")]
pub struct HttpError {
    /// Host and port; never the path, which may hold a patient's identifier.
    pub host: String,
    /// What happened.
    pub kind: HttpErrorKind,
}

impl HttpError {
    /// May the server have received the request, and acted? Then only an idempotent request may be
    /// sent again without a check.
    #[must_use]
    pub const fn may_have_arrived(&self) -> bool {
        matches!(self.kind, HttpErrorKind::Timeout { .. } | HttpErrorKind::TooBig { .. } | HttpErrorKind::Broken(_))
    }
}

/// Why an exchange gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpErrorKind {
    /// The request has no usable URL.
    #[error("the request cannot be sent: {0}")]
    Url(&'static str),
    /// Plain http beyond loopback.
    #[error("plain http is for loopback only, use https")]
    PlainHttp,
    /// Nobody answers there.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// One side refused the other's certificate, or they share no version or suite.
    #[error("TLS refused: {0}")]
    Tls(String),
    /// No whole answer in time.
    #[error("no answer within {} ms", .after.as_millis())]
    Timeout {
        /// The time given.
        after: Duration,
    },
    /// The answer is larger than what the caller takes.
    #[error("the answer is larger than {limit} bytes")]
    TooBig {
        /// The limit.
        limit: usize,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("the exchange broke: {0}")]
    Broken(String),
}
