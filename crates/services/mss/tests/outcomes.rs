//! What our client concludes when an operator that is not ours behaves in every way it may, and some it may not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socle_identity::Environment;
use socle_mss::client::{Class, Client, Fate, Stage, SubmitError, Timeouts};
use socle_mss::model::{DocumentMail, Receipts, WhiteList};
use socle_trust::pki::Profile;
use socle_trust::tls::{ClientAuth, Versions, server_config};
use support::*;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What the operator does once the message begins.
#[derive(Debug, Clone, Copy)]
enum Message {
    Answer(&'static str),
    CloseInside,
    CloseAfter,
    Silent,
}

/// How the operator behaves.
#[derive(Debug, Clone, Copy)]
struct Behaviour {
    ehlo: &'static str,
    auth: &'static str,
    mail: &'static str,
    /// In turn, the last one again.
    rcpt: &'static [&'static str],
    data: &'static str,
    message: Message,
    /// It closes after so many messages, without a word.
    messages_max: usize,
}

const EHLO: &str = "250-x\r\n250-SIZE 26214400\r\n250-PIPELINING\r\n250-DSN\r\n250 AUTH EXTERNAL XOAUTH2\r\n";
const GOOD: Behaviour = Behaviour {
    ehlo: EHLO,
    auth: "235 2.7.0 ok",
    mail: "250 2.1.0 ok",
    rcpt: &["250 2.1.5 ok"],
    data: "354 go",
    message: Message::Answer("250 2.0.0 queued as 1"),
    messages_max: usize::MAX,
};

/// An operator of that behaviour, and how many connections it had.
struct Fake {
    url: String,
    connections: Arc<AtomicUsize>,
    lines: Arc<std::sync::Mutex<Vec<String>>>,
}

async fn fake(behaviour: Behaviour) -> Fake {
    let credentials = pki().credentials("mss-fake", &Profile::Server { names: Vec::new() }).unwrap();
    let tls = server_config(&credentials, ClientAuth::Optional(pki().anchors()), Versions::Both).unwrap();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let url = format!("smtps://localhost:{}", listener.local_addr().unwrap().port());
    let (connections, lines) = (Arc::new(AtomicUsize::new(0)), Arc::default());
    let fake = Fake { url, connections: Arc::clone(&connections), lines: Arc::clone(&lines) };
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.fetch_add(1, Ordering::SeqCst);
            let (acceptor, lines) = (TlsAcceptor::from(Arc::clone(&tls)), Arc::clone(&lines));
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.unwrap();
                let _ = talk(BufReader::new(stream), behaviour, &lines).await;
            });
        }
    });
    fake
}

async fn talk(
    mut stream: BufReader<TlsStream<TcpStream>>,
    behaviour: Behaviour,
    lines: &std::sync::Mutex<Vec<String>>,
) -> std::io::Result<()> {
    stream.write_all(b"220 fake\r\n").await?;
    let (mut recipients, mut messages) = (behaviour.rcpt.iter(), 0);
    let mut last_recipient = "250 ok";
    let mut line = String::new();
    loop {
        line.clear();
        if messages == behaviour.messages_max || stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        lines.lock().unwrap().push(line.trim_end().to_owned());
        let reply = match line.get(..4).unwrap_or_default() {
            "EHLO" => behaviour.ehlo,
            "AUTH" => behaviour.auth,
            "MAIL" => behaviour.mail,
            "RCPT" => {
                last_recipient = recipients.next().unwrap_or(&last_recipient);
                last_recipient
            }
            "DATA" => behaviour.data,
            "RSET" => {
                recipients = behaviour.rcpt.iter();
                "250 2.0.0 ok"
            }
            _ => "250 2.0.0 ok",
        };
        stream.write_all(reply.trim_end().as_bytes()).await?;
        stream.write_all(b"\r\n").await?;
        if line.starts_with("DATA") && reply.starts_with("354") {
            messages += 1;
            recipients = behaviour.rcpt.iter();
            if message(&mut stream, behaviour.message).await?.is_none() {
                return Ok(());
            }
        }
    }
}

async fn message(stream: &mut BufReader<TlsStream<TcpStream>>, how: Message) -> std::io::Result<Option<()>> {
    if matches!(how, Message::CloseInside) {
        stream.read_exact(&mut [0; 100]).await?;
        return Ok(None);
    }
    let mut line = Vec::new();
    while line != b".\r\n" {
        line.clear();
        stream.read_until(b'\n', &mut line).await?;
    }
    match how {
        Message::Answer(reply) => {
            stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
            Ok(Some(()))
        }
        Message::Silent => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(None)
        }
        Message::CloseAfter | Message::CloseInside => Ok(None),
    }
}

fn list() -> WhiteList {
    let name = || "CN=smtp.jumeau.test,O=JUMEAU,C=FR".parse().unwrap();
    let domains = ["medecin.mssante.test", "hopital-a.mssante.test"];
    WhiteList::new(Environment::Jumeau, domains.map(|domain| (domain.parse().unwrap(), name()))).unwrap()
}

/// Large enough that it does not fit in the buffers between two processes.
fn large() -> DocumentMail {
    let identity = patient();
    let mut large = draft(&identity, application(), to(&list(), &[MARIE, DPI]));
    large.readable_copies[0].pdf = pdf(8_000_000);
    DocumentMail::new(large).unwrap()
}

fn impatient(url: &str) -> Client {
    let mut settings = settings(url, Some(hospital()));
    settings.timeouts = Timeouts { accept: Duration::from_millis(300), ..settings.timeouts };
    Client::new(settings).unwrap()
}

#[test]
fn each_failure_says_what_a_retry_may_do() {
    run(async {
        let small = mail(&list(), application(), &[MARIE, DPI]);
        let large = large();
        let with = |message| Behaviour { message, ..GOOD };
        let cases: [(&str, Behaviour, &DocumentMail, Class, &str); 12] = [
            (
                "the connection ends inside the message",
                with(Message::CloseInside),
                &large,
                Class::Temporary,
                "while the message",
            ),
            (
                "it ends after the final dot",
                with(Message::CloseAfter),
                &small,
                Class::Unknown,
                "before the operator's answer",
            ),
            ("nothing comes after the final dot", with(Message::Silent), &small, Class::Unknown, "silent"),
            ("nonsense comes after the final dot", with(Message::Answer("??")), &small, Class::Unknown, "SMTP"),
            ("EXTERNAL is not offered", Behaviour { ehlo: "250 x", ..GOOD }, &small, Class::Temporary, "AUTH EXTERNAL"),
            ("the certificate is refused", Behaviour { auth: "535 5.7.8 no", ..GOOD }, &small, Class::Temporary, "535"),
            ("no sending now", Behaviour { mail: "451 4.7.1 later", ..GOOD }, &small, Class::Temporary, "451"),
            ("no sending", Behaviour { mail: "553 5.7.1 no", ..GOOD }, &small, Class::Permanent, "553"),
            ("DATA is refused", Behaviour { data: "503 5.5.1 no", ..GOOD }, &small, Class::Permanent, "503"),
            ("DATA is refused now", Behaviour { data: "451 4.3.0 no", ..GOOD }, &small, Class::Temporary, "451"),
            ("two codes in one reply", Behaviour { mail: "250-a\r\n251 b", ..GOOD }, &small, Class::Temporary, "SMTP"),
            (
                "the announced size is too small",
                Behaviour { ehlo: "250-x\r\n250-SIZE 1000\r\n250 AUTH EXTERNAL", ..GOOD },
                &small,
                Class::Permanent,
                "more than the 1000",
            ),
        ];
        for (name, behaviour, mail, class, word) in cases {
            let fake = fake(behaviour).await;
            let error = impatient(&fake.url).submit(mail).await.unwrap_err();
            assert_eq!(error.class(), class, "{name}: {error}");
            assert!(error.to_string().contains(word), "{name}: {error}");
            let is_after = matches!(
                &error,
                SubmitError::Lost { stage: Stage::Accepted, .. } | SubmitError::Protocol { stage: Stage::Accepted, .. }
            );
            assert_eq!(is_after, class == Class::Unknown, "{name}");
            assert_eq!(fake.connections.load(Ordering::SeqCst), 1, "{name}: no retry behind the caller's back");
        }
    });
}

#[test]
fn replies_are_shared_out_among_recipients() {
    run(async {
        let mail = mail(&list(), application(), &[MARIE, DPI]);
        let refused = |class| Some(class);
        let cases: [(&str, Behaviour, [Option<Class>; 2]); 5] = [
            ("all good", GOOD, [None, None]),
            (
                "one now, one never",
                Behaviour { rcpt: &["450 4.2.1 busy", "550 5.1.1 no"], ..GOOD },
                [refused(Class::Temporary), refused(Class::Permanent)],
            ),
            ("one of two", Behaviour { rcpt: &["550 5.1.1 no", "250 ok"], ..GOOD }, [refused(Class::Permanent), None]),
            (
                "the message is refused for those who were not",
                Behaviour { rcpt: &["250 ok", "550 5.1.1 no"], message: Message::Answer("452 4.2.2 full"), ..GOOD },
                [refused(Class::Temporary), refused(Class::Permanent)],
            ),
            (
                "a virus",
                Behaviour { message: Message::Answer("554 5.7.1 virus"), ..GOOD },
                [refused(Class::Permanent); 2],
            ),
        ];
        for pipelining in [true, false] {
            for (name, behaviour, expected) in cases {
                let ehlo = if pipelining { EHLO } else { "250-x\r\n250 AUTH EXTERNAL" };
                let fake = fake(Behaviour { ehlo, ..behaviour }).await;
                let client = client(&fake.url, Some(hospital()));
                for _ in 0..2 {
                    let submission = client.submit(&mail).await.unwrap();
                    let classes: Vec<_> = submission.deliveries.iter().map(|delivery| delivery.fate.class()).collect();
                    assert_eq!(classes, expected, "{name}, pipelining {pipelining}");
                    assert_eq!(submission.is_complete(), expected == [None, None], "{name}");
                }
                assert_eq!(fake.connections.load(Ordering::SeqCst), 1, "{name}: the connection serves again");
            }
        }
    });
}

#[test]
fn a_connection_that_was_closed_while_idle_is_replaced_once() {
    run(async {
        let fake = fake(Behaviour { messages_max: 1, ..GOOD }).await;
        let client = client(&fake.url, Some(hospital()));
        for expected in 1..=3 {
            let submission = client.submit(&mail(&list(), application(), &[MARIE])).await.unwrap();
            assert!(matches!(submission.deliveries[0].fate, Fate::Accepted(_)));
            assert_eq!(fake.connections.load(Ordering::SeqCst), expected);
        }
    });
}

#[test]
fn extensions_are_used_only_when_they_are_offered() {
    run(async {
        let identity = patient();
        let ask = |id: &str| {
            let mut asked = draft(&identity, application(), to(&list(), &[MARIE]));
            asked.receipts = Receipts { delivery: true, reading: true };
            asked.message_id = id.parse().unwrap();
            DocumentMail::new(asked).unwrap()
        };
        let offered = fake(GOOD).await;
        assert!(client(&offered.url, Some(hospital())).submit(&ask("a+b@x.test")).await.unwrap().reports_asked);
        let lines = offered.lines.lock().unwrap().clone();
        assert_eq!(lines[0], "EHLO lps.hopital-a.test");
        assert!(lines[1].starts_with("AUTH EXTERNAL "), "{}", lines[1]);
        assert!(lines[2].starts_with(&format!("MAIL FROM:<{SOCLE}> SIZE=")), "{}", lines[2]);
        assert!(lines[2].ends_with(" RET=HDRS ENVID=a+2Bb@x.test"), "{}", lines[2]);
        assert_eq!(lines[3], format!("RCPT TO:<{MARIE}> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;{MARIE}"));
        assert_eq!(lines[4], "DATA");

        let bare = fake(Behaviour { ehlo: "250-x\r\n250 AUTH EXTERNAL", ..GOOD }).await;
        assert!(!client(&bare.url, Some(hospital())).submit(&ask("b@x.test")).await.unwrap().reports_asked);
        let lines = bare.lines.lock().unwrap().clone();
        assert_eq!(lines[2..4], [format!("MAIL FROM:<{SOCLE}>"), format!("RCPT TO:<{MARIE}>")]);
    });
}

#[test]
fn a_foreign_certificate_is_not_spoken_to() {
    run(async {
        let fake = fake(GOOD).await;
        let elsewhere = fake.url.replace("localhost", "127.0.0.2");
        let error =
            client(&elsewhere, Some(hospital())).submit(&mail(&list(), application(), &[MARIE])).await.unwrap_err();
        assert!(matches!(error, SubmitError::Connect { .. }) && error.to_string().contains("certificate"), "{error}");
        assert!(fake.lines.lock().unwrap().is_empty(), "not a word was said");
    });
}
