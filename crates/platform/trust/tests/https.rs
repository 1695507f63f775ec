//! The HTTP stack on real sockets: who is let in, what is said of the peer, limits, and how it stops.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod fixtures;

use std::io::Write;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{Request, StatusCode};
use socle_trust::https::{
    Body, ClientLimits, HttpError, HttpErrorKind, HttpsClient, PeerAddr, PeerCertificate, ServerLimits, serve_with,
};
use socle_trust::pki::{Profile, TestPki};
use socle_trust::tls::{ClientAuth, Versions, client_config, server_config};
use socle_trust::{Credentials, ServerConfig, Shutdown};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

fn server_credentials() -> Credentials {
    fixtures::pki().credentials("server", &fixtures::server()).unwrap()
}

fn client_credentials() -> Credentials {
    fixtures::pki().credentials("auth-cli", &Profile::OrgAuthCli(fixtures::organisation())).unwrap()
}

async fn who(
    Extension(PeerCertificate(peer)): Extension<PeerCertificate>,
    Extension(from): Extension<PeerAddr>,
) -> String {
    assert!(from.0.ip().is_loopback());
    peer.map_or_else(|| "nobody".to_owned(), |certificate| certificate.subject().get("CN").unwrap_or("?").to_owned())
}

/// One permit per request that reached `/soon` or `/never`.
static ARRIVED: Semaphore = Semaphore::const_new(0);

fn service() -> Router {
    Router::new()
        .route("/who", get(who))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/slow", get(|| async { tokio::time::sleep(Duration::from_secs(60)).await }))
        .route(
            "/soon",
            get(|| async {
                ARRIVED.add_permits(1);
                tokio::time::sleep(Duration::from_millis(300)).await;
                "done"
            }),
        )
        .route(
            "/never",
            get(|| async {
                ARRIVED.add_permits(1);
                std::future::pending::<()>().await;
            }),
        )
        .route("/large", get(|| async { Bytes::from(vec![b'x'; 300_000]) }))
        .layer(axum::extract::DefaultBodyLimit::max(64 * 1024 * 1024))
}

struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    task: tokio::task::JoinHandle<()>,
}

async fn start(tls: Option<Arc<ServerConfig>>, limits: ServerLimits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    let task = tokio::spawn(serve_with(listener, tls, service(), shutdown.clone(), limits));
    Running { address, shutdown, task }
}

fn tls(clients: ClientAuth<'_>, versions: Versions) -> Option<Arc<ServerConfig>> {
    Some(server_config(&server_credentials(), clients, versions).unwrap())
}

fn client(credentials: Option<&Credentials>, versions: Versions) -> HttpsClient {
    let config = client_config(fixtures::pki().anchors(), credentials, versions).unwrap();
    HttpsClient::new(&config, ClientLimits { request: Duration::from_secs(10), ..ClientLimits::default() })
}

fn request(url: String) -> Request<Body> {
    Request::get(url).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_server_knows_its_client_by_certificate() {
    let me = client_credentials();
    for versions in [Versions::Tls12, Versions::Both] {
        let anchors = fixtures::pki().anchors();
        let cases = [
            (ClientAuth::None, None, Ok("nobody")),
            (ClientAuth::None, Some(&me), Ok("nobody")),
            (ClientAuth::Optional(anchors), None, Ok("nobody")),
            (ClientAuth::Optional(anchors), Some(&me), Ok("dpi.hopital-a.test")),
            (ClientAuth::Required(anchors), Some(&me), Ok("dpi.hopital-a.test")),
            (ClientAuth::Required(anchors), None, Err(())),
        ];
        for (clients, credentials, expected) in cases {
            let server = start(tls(clients, versions), ServerLimits::default()).await;
            let answer = client(credentials, versions).send(request(format!("https://{}/who", server.address))).await;
            let name = format!("{versions:?} {} {clients:?}", credentials.is_some());
            match (answer, expected) {
                (Ok(answer), Ok(body)) => assert_eq!(answer.body(), body, "{name}"),
                (Err(error), Err(())) => {
                    assert!(matches!(error.kind, HttpErrorKind::Tls(_)), "{name}: {error}");
                    assert!(!error.may_have_arrived(), "{name}");
                }
                (answer, _) => panic!("{name}: {answer:?}"),
            }
            server.shutdown.trigger();
            server.task.await.unwrap();
        }
    }
}

#[tokio::test]
async fn certificates_of_strangers_are_refused_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let stranger = TestPki::open_or_create(folder.path()).unwrap();
    let theirs = stranger.credentials("client", &Profile::OrgAuthCli(fixtures::organisation())).unwrap();
    let server =
        start(tls(ClientAuth::Optional(fixtures::pki().anchors()), Versions::Both), ServerLimits::default()).await;
    let url = format!("https://localhost:{}/who", server.address.port());

    let shows_wrong = client(Some(&theirs), Versions::Both).send(request(url.clone())).await.unwrap_err();
    assert!(matches!(shows_wrong.kind, HttpErrorKind::Tls(_)), "{shows_wrong}");
    let seal = fixtures::pki().credentials("sign", &Profile::OrgSign(fixtures::organisation())).unwrap();
    let wrong_use = client(Some(&seal), Versions::Both).send(request(url.clone())).await.unwrap_err();
    assert!(matches!(wrong_use.kind, HttpErrorKind::Tls(_)), "{wrong_use}");

    let config = client_config(stranger.anchors(), None, Versions::Both).unwrap();
    let trusts_wrong = HttpsClient::new(&config, ClientLimits::default()).send(request(url)).await.unwrap_err();
    assert!(matches!(trusts_wrong.kind, HttpErrorKind::Tls(_)), "{trusts_wrong}");
    assert!(!trusts_wrong.may_have_arrived());
    server.shutdown.trigger();
}

#[tokio::test]
async fn expired_and_revoked_certificates_open_no_connection() {
    let profile = Profile::OrgAuthCli(fixtures::organisation());
    let folder = tempfile::tempdir().unwrap();
    let pki = TestPki::open_or_create(folder.path()).unwrap();
    let four_years_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(4 * 365 * 24);
    let expired = pki.credentials_made_on(&profile, four_years_ago).unwrap();
    let expired_server = pki.credentials_made_on(&fixtures::server(), four_years_ago).unwrap();
    let revoked = pki.credentials("revoked", &profile).unwrap();
    let good = pki.credentials("good", &profile).unwrap();
    let credentials = pki.credentials("server", &fixtures::server()).unwrap();
    pki.revoke(revoked.certificate()).unwrap();
    let anchors = pki.anchors().clone().with_revocation_lists(&pki.revocation_lists().unwrap()).unwrap();

    let config = server_config(&credentials, ClientAuth::Required(&anchors), Versions::Both).unwrap();
    let server = start(Some(config), ServerLimits::default()).await;
    let send = async |shown: &Credentials, to: SocketAddr| {
        let config = client_config(&anchors, Some(shown), Versions::Both).unwrap();
        let client = HttpsClient::new(&config, ClientLimits::default());
        client.send(request(format!("https://{to}/who"))).await.map(|answer| answer.status()).map_err(|e| e.kind)
    };
    assert_eq!(send(&good, server.address).await, Ok(StatusCode::OK));
    for (name, shown) in [("expired", &expired), ("revoked", &revoked)] {
        let answer = send(shown, server.address).await;
        assert!(matches!(answer, Err(HttpErrorKind::Tls(_))), "{name}: {answer:?}");
    }
    let config = server_config(&expired_server, ClientAuth::None, Versions::Both).unwrap();
    let old = start(Some(config), ServerLimits::default()).await;
    let answer = send(&good, old.address).await;
    assert!(matches!(&answer, Err(HttpErrorKind::Tls(reason)) if reason.contains("expired")), "{answer:?}");
    server.shutdown.trigger();
    old.shutdown.trigger();
}

#[tokio::test]
async fn a_name_that_the_certificate_has_not_is_refused() {
    let server = start(tls(ClientAuth::None, Versions::Both), ServerLimits::default()).await;
    // 127.0.0.2 is loopback too, and not in the certificate.
    let Ok(listener) = TcpListener::bind("127.0.0.2:0").await else { return };
    let address = listener.local_addr().unwrap();
    let other = tokio::spawn(serve_with(
        listener,
        tls(ClientAuth::None, Versions::Both),
        service(),
        server.shutdown.clone(),
        ServerLimits::default(),
    ));
    let error = client(None, Versions::Both).send(request(format!("https://{address}/who"))).await.unwrap_err();
    assert!(matches!(error.kind, HttpErrorKind::Tls(_)), "{error}");
    let fine = client(None, Versions::Both);
    for host in ["localhost", "127.0.0.1"] {
        let answer = fine.send(request(format!("https://{host}:{}/who", server.address.port()))).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{host}");
    }
    server.shutdown.trigger();
    other.await.unwrap();
}

#[tokio::test]
async fn only_suites_with_ecdhe_and_an_aead_exist() {
    let config = server_config(&server_credentials(), ClientAuth::None, Versions::Both).unwrap();
    let suites: Vec<_> = config.crypto_provider().cipher_suites.iter().map(|s| format!("{:?}", s.suite())).collect();
    assert_eq!(suites.len(), 9, "{suites:?}");
    for suite in &suites {
        let modern = suite.starts_with("TLS13_") || suite.starts_with("TLS_ECDHE_");
        let aead = suite.contains("GCM") || suite.contains("CHACHA20_POLY1305");
        assert!(modern && aead, "{suite}");
    }
    for dmp in ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"] {
        assert!(suites.iter().any(|s| s == dmp), "{dmp}");
    }
    let server = start(tls(ClientAuth::None, Versions::Tls12), ServerLimits::default()).await;
    let answer = client(None, Versions::Tls12).send(request(format!("https://{}/who", server.address))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    server.shutdown.trigger();
}

/// A client that is not ours: openssl, with a certificate, then with suites that we do not have.
#[tokio::test(flavor = "multi_thread")]
async fn openssl_gets_in_with_the_suites_of_the_dmp_only() {
    let folder = tempfile::tempdir().unwrap();
    let me = client_credentials();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("roots.pem"), fixtures::pki().anchors().to_pem()).unwrap();
    std::fs::write(at("me.pem"), me.chain_pem()).unwrap();
    std::fs::write(at("me.key"), me.key_pem()).unwrap();
    let server =
        start(tls(ClientAuth::Required(fixtures::pki().anchors()), Versions::Both), ServerLimits::default()).await;
    let cases: [(&[&str], bool); 5] = [
        (&["-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"], true),
        (&["-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"], true),
        (&["-tls1_3"], true),
        (&["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384:AES256-GCM-SHA384:DHE-RSA-AES256-GCM-SHA384"], false),
        (&["-tls1_1"], false),
    ];
    for (options, enters) in cases {
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(["s_client", "-quiet", "-verify_return_error", "-servername", "localhost", "-connect"]);
        openssl.arg(server.address.to_string()).args(options);
        openssl.arg("-CAfile").arg(at("roots.pem")).arg("-cert").arg(at("me.pem")).arg("-key").arg(at("me.key"));
        openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut running) = openssl.spawn() else {
            return fixtures::skip("openssl_gets_in_with_the_suites_of_the_dmp_only", "no openssl");
        };
        let asked =
            running.stdin.as_mut().unwrap().write_all(b"GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        let output = tokio::task::spawn_blocking(|| running.wait_with_output()).await.unwrap().unwrap();
        let (answer, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let entered = answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("dpi.hopital-a.test");
        assert_eq!(entered, enters, "{options:?}: {asked:?} {answer} {said}");
    }
    server.shutdown.trigger();
}

#[tokio::test]
async fn bodies_travel_in_chunks_and_connections_are_kept() {
    let server = start(tls(ClientAuth::None, Versions::Both), ServerLimits::default()).await;
    let client = client(None, Versions::Both);
    let chunks = vec![
        Bytes::from_static(b"one "),
        Bytes::new(),
        Bytes::from(vec![b'x'; 3_000_000]),
        Bytes::from_static(b" end"),
    ];
    for _ in 0..3 {
        let request =
            Request::post(format!("https://{}/echo", server.address)).body(Body::from(chunks.clone())).unwrap();
        let answer = client.send(request).await.unwrap();
        assert_eq!(answer.body().len(), 3_000_008);
        assert!(answer.body().starts_with(b"one xx") && answer.body().ends_with(b"xx end"));
    }
    server.shutdown.trigger();
    server.task.await.unwrap();
}

fn limited(limits: ClientLimits) -> HttpsClient {
    HttpsClient::new(&client_config(fixtures::pki().anchors(), None, Versions::Both).unwrap(), limits)
}

#[tokio::test]
async fn what_a_client_does_not_bear_is_named() {
    let server = start(None, ServerLimits::default()).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = limited(ClientLimits { response_bytes: 1000, ..ClientLimits::default() });
    let send = |url: String| client.send(request(url));

    let hasty = limited(ClientLimits { request: Duration::from_millis(200), ..ClientLimits::default() });
    let slow = request(format!("http://{}/slow?patient=255069999999934", server.address));
    let timeout = hasty.send(slow).await.unwrap_err();
    assert_eq!(timeout.kind, HttpErrorKind::Timeout { after: Duration::from_millis(200) });
    assert!(timeout.may_have_arrived());
    assert_eq!(timeout.to_string(), format!("{}: no answer within 200 ms", server.address));
    let big = send(format!("http://{}/large", server.address)).await.unwrap_err();
    assert_eq!(big.kind, HttpErrorKind::TooBig { limit: 1000 });
    let nobody = send(format!("http://{closed}/")).await.unwrap_err();
    assert!(matches!(nobody.kind, HttpErrorKind::Connect(_)) && !nobody.may_have_arrived(), "{nobody}");
    for url in ["http://example.org/", "http://192.0.2.1/", "http://localhost.example.org/"] {
        let plain = send(url.to_owned()).await.unwrap_err();
        assert_eq!(plain.kind, HttpErrorKind::PlainHttp, "{url}");
    }
    for url in ["/only/a/path", "ftp://localhost/"] {
        let HttpError { kind, .. } = send(url.to_owned()).await.unwrap_err();
        assert!(matches!(kind, HttpErrorKind::Url(_)), "{url}: {kind}");
    }
    let not_tls = send(format!("https://{}/who", server.address)).await.unwrap_err();
    assert!(matches!(not_tls.kind, HttpErrorKind::Tls(_)), "{not_tls}");
    server.shutdown.trigger();
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_told_from_a_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for answer in ["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "SSH-2.0-not-http\r\n\r\n", ""] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let client = limited(ClientLimits::default());
    for name in ["body cut", "not HTTP", "closed"] {
        let error = client.send(request(format!("http://{address}/"))).await.unwrap_err();
        assert!(matches!(error.kind, HttpErrorKind::Broken(_)) && error.may_have_arrived(), "{name}: {error}");
    }
}

/// What a raw peer reads until the server closes; it must close in time.
async fn raw(address: SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.unwrap().ok();
    String::from_utf8_lossy(&answer).into_owned()
}

fn impatient() -> ServerLimits {
    let brief = Duration::from_millis(200);
    ServerLimits { handshake: brief, head: brief, silence: brief, head_bytes: 8 * 1024, ..ServerLimits::default() }
}

#[tokio::test]
async fn slow_and_wild_peers_are_cut() {
    let server = start(None, impatient()).await;
    let secure = start(tls(ClientAuth::None, Versions::Both), impatient()).await;
    let long = format!("GET /who HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(20_000));
    let cases: [(&str, SocketAddr, &[u8], &str); 7] = [
        ("says nothing", server.address, b"", ""),
        ("half a head", server.address, b"GET /who HTTP/1.1\r\nhost", ""),
        (
            "half a body",
            server.address,
            b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf",
            "HTTP/1.1 400",
        ),
        ("idle after an answer", server.address, b"GET /who HTTP/1.1\r\nhost: a\r\n\r\n", "HTTP/1.1 200"),
        ("head too long", server.address, long.as_bytes(), "HTTP/1.1 431"),
        ("not HTTP", server.address, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "HTTP/1.1 400"),
        ("no TLS handshake", secure.address, b"", ""),
    ];
    for (name, address, sent, expected) in cases {
        let answer = raw(address, sent).await;
        assert!(answer.starts_with(expected), "{name}: {answer}");
    }
    server.shutdown.trigger();
    secure.shutdown.trigger();
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    let huge = Router::new().route("/", get(|| async { Bytes::from(vec![b'x'; 64 * 1024 * 1024]) }));
    let limits = ServerLimits { connections: 1, ..impatient() };
    tokio::spawn(serve_with(listener, None, huge, shutdown.clone(), limits));
    let mut deaf = TcpStream::connect(address).await.unwrap();
    deaf.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // The only place is free again once the deaf peer is cut.
    let limits =
        ClientLimits { request: Duration::from_secs(20), response_bytes: 100 << 20, ..ClientLimits::default() };
    let answer = limited(limits).send(request(format!("http://{address}/"))).await.unwrap();
    assert_eq!(answer.body().len(), 64 * 1024 * 1024);
    shutdown.trigger();
    drop(deaf);
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_their_turn() {
    let server = start(None, ServerLimits { connections: 1, ..ServerLimits::default() }).await;
    let held = TcpStream::connect(server.address).await.unwrap();
    let client = limited(ClientLimits { request: Duration::from_millis(300), ..ClientLimits::default() });
    let waiting = client.send(request(format!("http://{}/who", server.address))).await.unwrap_err();
    assert!(matches!(waiting.kind, HttpErrorKind::Timeout { .. }), "{waiting}");
    drop(held);
    let client = limited(ClientLimits::default());
    let answer = client.send(request(format!("http://{}/who", server.address))).await.unwrap();
    assert_eq!(answer.body(), "nobody");
    server.shutdown.trigger();
}

#[tokio::test]
async fn the_order_to_stop_lets_requests_end_and_cuts_what_does_not() {
    let limits = ServerLimits { grace: Duration::from_secs(2), ..ServerLimits::default() };
    let server = start(None, limits).await;
    let client = limited(ClientLimits::default());
    let get = |path: &str| {
        let (client, request) = (client.clone(), request(format!("http://{}{path}", server.address)));
        tokio::spawn(async move { client.send(request).await })
    };
    let (soon, never) = (get("/soon"), get("/never"));
    ARRIVED.acquire_many(2).await.unwrap().forget();
    server.shutdown.trigger();
    server.task.await.unwrap();
    assert_eq!(soon.await.unwrap().unwrap().body(), "done");
    assert!(matches!(never.await.unwrap().unwrap_err().kind, HttpErrorKind::Broken(_)));
    let after = client.send(request(format!("http://{}/who", server.address))).await.unwrap_err();
    assert!(matches!(after.kind, HttpErrorKind::Connect(_)), "{after}");
}
