//! What trust costs: `cargo bench -p socle-trust`. Each line is the mean of a timed run on one core,
//! but for the last two, which use a client and a server in one process.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that prints")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use jiff::Timestamp;
use socle_identity::Environment;
use socle_trust::audit::merkle::{Frontier, inclusion};
use socle_trust::audit::{Agent, AgentRole, Code, DataKey, PatientId, Record, RecordAction, Sealed};
use socle_trust::chain::{self, Usage};
use socle_trust::https::{Body, ClientLimits, HttpsClient, serve};
use socle_trust::pki::{Organisation, Profile, TestPki};
use socle_trust::tls::{ClientAuth, Versions, client_config, server_config};
use socle_trust::token::{Expected, Issuer, Jwks, SigningKey, TokenKind, Verifier};
use socle_trust::{Certificate, Shutdown};

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let pki = TestPki::open_or_create(&folder.path().join("pki")).unwrap();
    println!("{:<52} {:>12.1?}", "4 authorities made", begun.elapsed());
    let begun = Instant::now();
    let all = pki.credentials_for(&profiles()).unwrap();
    println!("{:<52} {:>12.1?}", "3 credentials made", begun.elapsed());
    let begun = Instant::now();
    TestPki::open_or_create(&folder.path().join("pki")).unwrap().credentials_for(&profiles()).unwrap();
    println!("{:<52} {:>12.1?}", "the same opened again", begun.elapsed());

    let seal = all[2].certificate().der();
    time("certificate parsed", || Certificate::from_der(seal).unwrap());
    time("chain verified", || chain::verify(seal, &[], pki.anchors(), Usage::Signature, Timestamp::now()).unwrap());
    tokens(&folder.path().join("signing.key"));
    audit();
    https(&pki);
}

fn profiles() -> [(&'static str, Profile); 3] {
    let organisation = Organisation {
        cn: "bench".to_owned(),
        id: "10B0152872".parse().unwrap(),
        name: "BENCH".to_owned(),
        department: "Paris (75)".to_owned(),
    };
    [
        ("server", Profile::Server { names: Vec::new() }),
        ("client", Profile::OrgAuthCli(organisation.clone())),
        ("seal", Profile::OrgSign(organisation)),
    ]
}

fn time<T>(name: &str, mut work: impl FnMut() -> T) {
    let begun = Instant::now();
    let mut count = 0_u32;
    while begun.elapsed() < Duration::from_millis(700) {
        black_box(work());
        count += 1;
    }
    report(name, begun.elapsed(), count);
}

fn report(name: &str, took: Duration, count: u32) {
    let each = took / count;
    println!("{name:<52} {each:>12.1?} {:>12.0}/s", f64::from(count) / took.as_secs_f64());
}

fn tokens(file: &Path) {
    let issuer = Arc::new(Issuer::new("https://issuer.test", SigningKey::open_or_create(file).unwrap()));
    let now = Timestamp::now();
    let claims = serde_json::json!({
        "iss": issuer.name(), "sub": "f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:899700218896", "aud": "socle",
        "azp": "socle", "exp": now.as_second() + 3600, "iat": now.as_second(), "typ": "Bearer",
        "scope": "openid profile email scope_all", "SubjectNameID": "899700218896", "jti": "1".repeat(700),
    });
    time("token signed RS256", || issuer.sign(&claims, "JWT").unwrap());
    let token = issuer.sign(&claims, "JWT").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let jwks = Jwks::parse(issuer.jwks().as_bytes()).unwrap();
    let expected =
        || Expected { issuer: issuer.name().to_owned(), audiences: vec!["socle".to_owned()], kind: TokenKind::Access };
    runtime.block_on(async {
        let begun = Instant::now();
        let count = 5_000;
        for _ in 0..count {
            Verifier::new(expected(), jwks.clone()).verify(&token, now).await.unwrap();
        }
        report("token verified RS256, never seen", begun.elapsed(), count);
        let verifier = Verifier::new(expected(), jwks.clone());
        let begun = Instant::now();
        let count = 200_000;
        for _ in 0..count {
            verifier.verify(&token, now).await.unwrap();
        }
        report("token verified RS256, seen before", begun.elapsed(), count);
    });
}

fn audit() {
    let mut record =
        Record::new("socle.test", Environment::Jumeau, Code::ihe("ITI-41"), RecordAction::C, Timestamp::now());
    let agent = |role, id: &str| Agent { role, id: id.to_owned(), name: Some("Nom".to_owned()), requestor: false };
    record.agents = vec![
        agent(AgentRole::User, "899700218896"),
        agent(AgentRole::Organisation, "10B0152872"),
        agent(AgentRole::Server, "dmp"),
    ];
    record.patient = Some(PatientId { system: "urn:oid:1.2.250.1.213.1.4.10".to_owned(), value: "1".repeat(15) });
    let key = DataKey::generate().unwrap();
    time("audit record in canonical form", || record.canonical().unwrap());
    time("audit record sealed", || Sealed::seal(&record, &key).unwrap());
    let sealed = Sealed::seal(&record, &key).unwrap();
    time("audit record opened", || sealed.open(&key).unwrap());
    let mut frontier = Frontier::new();
    time("leaf added to the tree, root computed", || {
        frontier.push(sealed.leaf);
        frontier.root()
    });
    let leaves = vec![sealed.leaf; 100_000];
    time("inclusion proof, 100 000 leaves without stored nodes", || {
        inclusion(leaves.as_slice(), 77_777, 100_000).unwrap()
    });
}

fn https(pki: &TestPki) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let all = pki.credentials_for(&profiles()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let router = axum::Router::new().route(
            "/",
            axum::routing::get(|| async { "ok" }).post(|body: bytes::Bytes| async move { body.len().to_string() }),
        );
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        for versions in [Versions::Tls12, Versions::Both] {
            let tls = server_config(&all[0], ClientAuth::Required(pki.anchors()), versions).unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("https://{}/", listener.local_addr().unwrap());
            let shutdown = Shutdown::new();
            tokio::spawn(serve(listener, Some(tls), router.clone(), shutdown.clone()));
            let begun = Instant::now();
            let count = 300;
            for _ in 0..count {
                // A client without memory: full handshake, both sides' certificates.
                let config = client_config(pki.anchors(), Some(&all[1]), versions).unwrap();
                let client = HttpsClient::new(&config, ClientLimits::default());
                client.send(Request::get(&url).body(Body::empty()).unwrap()).await.unwrap();
            }
            report(&format!("mTLS connection and one request, {versions:?}"), begun.elapsed(), count);
            shutdown.trigger();
        }
        let tls = server_config(&all[0], ClientAuth::None, Versions::Both).unwrap();
        tokio::spawn(serve(listener, Some(tls), router, Shutdown::new()));
        let config = client_config(pki.anchors(), None, Versions::Both).unwrap();
        let client = HttpsClient::new(&config, ClientLimits::default());
        many(&client, "kept connections, small answers, 64 at once", 64, 20_000, || {
            Request::get(&url).body(Body::empty()).unwrap()
        })
        .await;
        let body = bytes::Bytes::from(vec![b'x'; 200 * 1024]);
        many(&client, "kept connections, 200 KB posted, 16 at once", 16, 3_000, || {
            Request::post(&url).body(Body::from(body.clone())).unwrap()
        })
        .await;
    });
}

async fn many(client: &HttpsClient, name: &str, at_once: u32, count: u32, request: impl Fn() -> Request<Body>) {
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..at_once {
        let client = client.clone();
        let requests: Vec<_> = (0..count / at_once).map(|_| request()).collect();
        tasks.spawn(async move {
            for request in requests {
                assert_eq!(client.send(request).await.unwrap().status(), 200);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    report(name, begun.elapsed(), count);
}
