use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

use super::IncomingBody;
use super::stream::Patient;
use crate::{Certificate, Shutdown};

/// How long a refused client is still listened to.
const LINGER: Duration = Duration::from_secs(1);

/// Request extension: the certificate that the client showed and proved, if any.
#[derive(Debug, Clone)]
pub struct PeerCertificate(pub Option<Arc<Certificate>>);

/// Request extension: the address that the client connected from.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddr(pub SocketAddr);

/// A bound listener and the address that it got.
#[derive(Debug)]
pub struct Door {
    /// What [`serve`] takes.
    pub listener: TcpListener,
    /// With the port that the system chose when 0 was asked for.
    pub address: SocketAddr,
}

impl Door {
    /// Takes the port; port 0 is any free one.
    ///
    /// # Errors
    /// [`CannotListen`]: taken, or not ours to take.
    pub async fn open(ip: IpAddr, port: u16) -> Result<Self, CannotListen> {
        let wanted = SocketAddr::new(ip, port);
        let failed = |source| CannotListen { address: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }
}

/// An address that is taken, or not ours to take.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct CannotListen {
    /// What was asked for.
    pub address: SocketAddr,
    /// Of the system.
    pub source: std::io::Error,
}

/// What a server bears from its clients.
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// Connections at once; more wait in the listener's queue.
    pub connections: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For a whole request head, and for an idle kept connection.
    pub head: Duration,
    /// Silence inside a request body, or of a peer that does not read its answer.
    pub silence: Duration,
    /// Largest request head, bytes.
    pub head_bytes: usize,
    /// For requests under way when the order to stop comes.
    pub grace: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 4096,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            silence: Duration::from_secs(30),
            head_bytes: 64 * 1024,
            grace: Duration::from_secs(10),
        }
    }
}

/// Serves until the order to stop, then lets requests under way end. Default limits.
///
/// `service` is cloned per request: an `axum::Router` is made for it. Without `tls` the connection is
/// plain: callers bind such a listener to loopback only.
pub async fn serve<S, B>(listener: TcpListener, tls: Option<Arc<ServerConfig>>, service: S, shutdown: Shutdown)
where
    S: tower::Service<Request<IncomingBody>, Response = hyper::Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    serve_with(listener, tls, service, shutdown, ServerLimits::default()).await;
}

/// [`serve`] with limits of the caller.
pub async fn serve_with<S, B>(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    service: S,
    shutdown: Shutdown,
    limits: ServerLimits,
) where
    S: tower::Service<Request<IncomingBody>, Response = hyper::Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let graceful = GracefulShutdown::new();
    let cut = Shutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let server = Arc::new(Server { tls: tls.map(TlsAcceptor::from), service, limits, cut: cut.clone() });
    loop {
        let accepted = tokio::select! {
            () = shutdown.triggered() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, address, place)) = accepted else { continue };
        tokio::spawn(Arc::clone(&server).connection(stream, address, graceful.watcher(), place));
    }
    drop(listener);
    if tokio::time::timeout(limits.grace, graceful.shutdown()).await.is_err() {
        cut.trigger();
    }
}

/// The next connection and its place under the cap; `None` after an error worth another try.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, address, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            // Out of descriptors: at once again would only burn the processor.
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

struct Server<S> {
    tls: Option<TlsAcceptor>,
    service: S,
    limits: ServerLimits,
    cut: Shutdown,
}

impl<S, B> Server<S>
where
    S: tower::Service<Request<IncomingBody>, Response = hyper::Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        watcher: Watcher,
        _place: OwnedSemaphorePermit,
    ) {
        let _ = stream.set_nodelay(true);
        let served = async {
            let Some(acceptor) = &self.tls else { return self.exchange(stream, address, None, watcher).await };
            match tokio::time::timeout(self.limits.handshake, acceptor.accept(stream).into_fallible()).await {
                Ok(Ok(stream)) => {
                    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                    match certificate.map(|der| Certificate::from_der(der)).transpose() {
                        Ok(certificate) => self.exchange(stream, address, certificate, watcher).await,
                        Err(error) => tracing::debug!(%address, %error, "client certificate not readable"),
                    }
                }
                Ok(Err((error, stream))) => {
                    tracing::debug!(%address, %error, "TLS handshake refused");
                    let _ = tokio::time::timeout(LINGER, linger(stream)).await;
                }
                Err(_) => tracing::debug!(%address, "TLS handshake too slow"),
            }
        };
        tokio::select! {
            () = served => {}
            () = self.cut.triggered() => {}
        }
    }

    async fn exchange<I>(&self, stream: I, address: SocketAddr, certificate: Option<Certificate>, watcher: Watcher)
    where
        I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let service = WithPeer {
            service: self.service.clone(),
            address: PeerAddr(address),
            certificate: PeerCertificate(certificate.map(Arc::new)),
            silence: self.limits.silence,
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .max_header_size(self.limits.head_bytes)
            .serve_connection(TokioIo::new(Patient::new(stream, self.limits.silence)), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%address, %error, "connection ended");
        }
    }
}

/// Reads what a refused client is still sending: closing at once would make the system answer with a
/// reset, which can reach the client before the alert that says why it was refused.
async fn linger(mut stream: TcpStream) {
    let mut discarded = [0; 4096];
    if stream.shutdown().await.is_ok() {
        while stream.read(&mut discarded).await.is_ok_and(|count| count > 0) {}
    }
}

/// The service of one connection: adds to each request who sent it.
struct WithPeer<S> {
    service: S,
    address: PeerAddr,
    certificate: PeerCertificate,
    silence: Duration,
}

impl<S, R> hyper::service::Service<Request<Incoming>> for WithPeer<S>
where
    S: tower::Service<Request<IncomingBody>, Response = R, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    R: Send,
{
    type Response = R;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<R, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let patience = self.silence;
        let mut request = request.map(|body| IncomingBody::new(body, patience));
        request.extensions_mut().insert(self.address);
        request.extensions_mut().insert(self.certificate.clone());
        let service = self.service.clone();
        Box::pin(tower::ServiceExt::oneshot(service, request))
    }
}
