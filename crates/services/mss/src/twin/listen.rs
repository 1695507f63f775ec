//! Sockets of the operator: connections under limits, TLS before or inside the dialogue, a graceful stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use socle_trust::{Certificate, Shutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::smtp::{End, Operator, Peer};
use super::{imap, smtp};

/// Connections at once, for each listener; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 1024;
const HANDSHAKE: Duration = Duration::from_secs(10);
/// For what is under way when the order to stop comes.
const GRACE: Duration = Duration::from_secs(10);

/// Which dialogue a listener speaks, and when TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Submission,
    Submissions,
    Imap,
    Imaps,
}

/// Serves a listener until the order to stop, then lets what is under way end.
pub(crate) async fn serve(listener: TcpListener, service: Service, operator: Arc<Operator>, tls: Arc<ServerConfig>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut tasks = JoinSet::new();
    let shutdown = operator.shutdown.clone();
    loop {
        while tasks.try_join_next().is_some() {}
        let next = accept(&listener, &places);
        let Some((place, stream, address)) = until(&shutdown, next).await else { break };
        let (operator, tls) = (Arc::clone(&operator), TlsAcceptor::from(Arc::clone(&tls)));
        tasks.spawn(async move {
            connection(&operator, service, stream, address, &tls).await;
            drop(place);
        });
    }
    drop(listener);
    let all_done = async { while tasks.join_next().await.is_some() {} };
    if timeout(GRACE, all_done).await.is_err() {
        tracing::warn!("connections of the mail twin were cut after the grace period");
        tasks.shutdown().await;
    }
}

async fn until<T>(shutdown: &Shutdown, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = shutdown.triggered() => None,
    }
}

/// The next connection, when there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (Option<tokio::sync::OwnedSemaphorePermit>, TcpStream, SocketAddr) {
    // The semaphore is never closed: without a permit, nothing is lost but the limit.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (place, stream, address),
            Err(error) => {
                // Out of descriptors, usually: waiting lets some go.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(operator: &Operator, service: Service, stream: TcpStream, address: SocketAddr, tls: &TlsAcceptor) {
    let _ = stream.set_nodelay(true);
    let plain = Peer { address: address.ip(), tls: false, certificate: None };
    let (stream, greet) = match service {
        Service::Submissions | Service::Imaps => (stream, true),
        Service::Submission => match smtp::serve(operator, plain, stream, true).await {
            End::StartTls(stream) => (stream, false),
            End::Closed => return,
        },
        Service::Imap => match imap::serve(operator, plain, stream, true).await {
            End::StartTls(stream) => (stream, false),
            End::Closed => return,
        },
    };
    let Some(stream) = handshake(tls, stream).await else { return };
    let peer = Peer { address: address.ip(), tls: true, certificate: certificate(&stream) };
    match service {
        Service::Submission | Service::Submissions => drop(smtp::serve(operator, peer, stream, greet).await),
        Service::Imap | Service::Imaps => drop(imap::serve(operator, peer, stream, greet).await),
    }
}

async fn handshake(tls: &TlsAcceptor, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    match timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake with the mail twin failed");
            None
        }
        Err(_) => None,
    }
}

/// The certificate that the client showed; TLS has checked it.
fn certificate(stream: &TlsStream<TcpStream>) -> Option<Arc<Certificate>> {
    let leaf = stream.get_ref().1.peer_certificates()?.first()?;
    Certificate::from_der(leaf).ok().map(Arc::new)
}
