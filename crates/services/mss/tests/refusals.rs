//! What the twin's submission refuses, reply by reply, and what it bears from clients that do wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use socle_mss::twin::{self, TEST_PASSWORD};
use socle_mss::wire::sasl::{self, AccessToken};
use socle_trust::Shutdown;
use support::imap::Imap;
use support::smtp::Smtp;
use support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[test]
fn nothing_is_taken_in_clear() {
    run(async {
        let mut twin = Twin::start().await;
        let mut smtp = Smtp::plain(twin.running()).await;
        let offered = smtp.say("EHLO lps.test").await;
        assert!(offered.contains("STARTTLS") && !offered.contains("AUTH"), "{offered}");
        for (line, code) in [
            ("AUTH PLAIN AGEAYg==", "530 5.7.0"),
            ("MAIL FROM:<dpi@hopital-a.mssante.test>", "530 5.7.0"),
            ("RCPT TO:<dpi@hopital-a.mssante.test>", "503"),
            ("DATA", "503"),
            ("NOOP", "250"),
            ("VRFY dpi", "252"),
            ("QUIT", "221"),
        ] {
            assert!(smtp.say(line).await.starts_with(code), "{line}");
        }
        // What is pipelined behind STARTTLS is never obeyed.
        let mut smtp = Smtp::plain(twin.running()).await;
        smtp.say("EHLO lps.test").await;
        smtp.send(b"STARTTLS\r\nNOOP\r\n").await;
        assert!(smtp.reply().await.starts_with("220 "));
        assert_eq!(smtp.reply().await, "", "the connection ends");
        twin.stop().await;
    });
}

#[test]
fn each_refusal_of_the_envelope_has_its_code() {
    run(async {
        let mut twin = Twin::start().await;
        let from = "MAIL FROM:<dr.marie.martin@medecin.mssante.test>";
        let cases: [(&str, &[&str], &str); 20] = [
            ("RCPT before MAIL", &["RCPT TO:<dpi@hopital-a.mssante.test>"], "503 5.5.1"),
            ("DATA before MAIL", &["DATA"], "503 5.5.1"),
            ("MAIL twice", &[from, from], "503 5.5.1"),
            ("another mailbox's name", &["MAIL FROM:<dpi@hopital-a.mssante.test>"], "550 5.7.1"),
            ("no address", &["MAIL FROM:<nobody>"], "550 5.7.1"),
            ("own name in capitals", &["MAIL FROM:<Dr.Marie.Martin@MEDECIN.mssante.test>"], "250 2.1.0"),
            ("a report's empty path", &["MAIL FROM:<>"], "250 2.1.0"),
            ("announced too large", &["MAIL FROM:<dr.marie.martin@medecin.mssante.test> SIZE=26214401"], "552 5.3.4"),
            ("an unknown parameter", &["MAIL FROM:<dr.marie.martin@medecin.mssante.test> BY=10"], "555 5.5.4"),
            ("a real domain", &[from, "RCPT TO:<x@medecin.mssante.fr>"], "550 5.7.1"),
            ("a domain of the internet", &[from, "RCPT TO:<x@example.com>"], "550 5.7.1"),
            ("a domain below a listed one", &[from, "RCPT TO:<x@cardio.hopital-a.mssante.test>"], "550 5.7.1"),
            ("no such mailbox", &[from, "RCPT TO:<nobody@hopital-a.mssante.test>"], "550 5.1.1"),
            ("not an address", &[from, "RCPT TO:<nobody>"], "550 5.1.3"),
            ("a wrong matricule", &[from, "RCPT TO:<279035121518988@patient.mssante.fr>"], "550 5.1.3"),
            ("a name for a patient", &[from, "RCPT TO:<dominique@patient.mssante.fr>"], "550 5.1.3"),
            ("a right matricule", &[from, "RCPT TO:<279035121518989@patient.mssante.fr>"], "250 2.1.5"),
            ("no valid recipient", &[from, "RCPT TO:<nobody@hopital-a.mssante.test>", "DATA"], "554 5.5.1"),
            ("RSET forgets", &[from, "RSET", "RCPT TO:<dpi@hopital-a.mssante.test>"], "503 5.5.1"),
            ("EHLO forgets", &[from, "EHLO again.test", "RCPT TO:<dpi@hopital-a.mssante.test>"], "503 5.5.1"),
        ];
        for (name, lines, expected) in cases {
            let mut smtp = Smtp::opened(twin.running(), MARIE).await;
            let mut last = String::new();
            for line in lines {
                last = smtp.say(line).await;
            }
            assert!(last.starts_with(expected), "{name}: {last}");
            assert!(!last.contains("279035"), "{name}: no matricule in a reply");
        }
        twin.stop().await;
    });
}

#[test]
fn a_hundred_recipients_then_no_more() {
    run(async {
        let mut twin = Twin::start().await;
        let mut smtp = Smtp::opened(twin.running(), MARIE).await;
        smtp.say("MAIL FROM:<dr.marie.martin@medecin.mssante.test>").await;
        let mut codes = Vec::new();
        for n in 0..102 {
            // 13 characters of number and the key, all different persons.
            let number = format!("2790351215{n:03}");
            let number: u64 = number.parse().unwrap();
            let matricule = format!("{number}{:02}", 97 - number % 97);
            codes.push(smtp.say(&format!("RCPT TO:<{matricule}@patient.mssante.fr>")).await[..3].to_owned());
        }
        assert!(codes[..100].iter().all(|code| code == "250"));
        assert_eq!(codes[100..], ["452", "452"]);
        smtp.say("DATA").await;
        assert!(smtp.say("Subject: x\r\n\r\nx\r\n.").await.starts_with("250 2.0.0"));
        twin.stop().await;
    });
}

#[test]
fn each_message_is_judged_by_its_octets() {
    run(async {
        let mut twin = Twin::start().await;
        let hops = "Received: from x\r\n".repeat(100);
        let cases: [(&str, String, &str); 6] = [
            ("a right one", "Subject: x\r\n\r\nbody\r\n".into(), "250 2.0.0"),
            ("no header", "\r\nbody\r\n".into(), "550 5.6.0"),
            ("an LF alone", "Subject: x\r\n\r\na\nb\r\n".into(), "550 5.6.0"),
            ("a smuggled end", "Subject: x\r\n\r\na\n.\nMAIL FROM:<x@y.test>\r\n".into(), "550 5.6.0"),
            ("a CR alone", "Subject: x\r\n\r\na\rb\r\n".into(), "550 5.6.0"),
            ("a loop", format!("{hops}Subject: x\r\n\r\nx\r\n"), "554 5.4.6"),
        ];
        for (name, message, expected) in cases {
            let mut smtp = Smtp::opened(twin.running(), MARIE).await;
            smtp.say("MAIL FROM:<dr.marie.martin@medecin.mssante.test>").await;
            smtp.say(&format!("RCPT TO:<{DPI}>")).await;
            assert!(smtp.say("DATA").await.starts_with("354"));
            let reply = smtp.say(&format!("{message}.")).await;
            assert!(reply.starts_with(expected), "{name}: {reply}");
            assert!(smtp.say("NOOP").await.starts_with("250"), "{name}: the session goes on");
        }
        let mut smtp = Smtp::opened(twin.running(), MARIE).await;
        smtp.say("MAIL FROM:<dr.marie.martin@medecin.mssante.test>").await;
        smtp.say(&format!("RCPT TO:<{DPI}>")).await;
        smtp.say("DATA").await;
        smtp.send(b"Subject: large\r\n\r\n").await;
        let line = [b'a'; 998];
        for _ in 0..27_000 {
            smtp.send(&line).await;
            smtp.send(b"\r\n").await;
        }
        assert!(smtp.say(".").await.starts_with("552 5.3.4"));
        let mut imap = Imap::login(twin.running(), DPI).await;
        assert_eq!(imap.count("INBOX").await, 1, "only the right one is there");
        twin.stop().await;
    });
}

#[test]
fn authentication_by_every_way_and_its_refusals() {
    run(async {
        let mut twin = Twin::start().await;
        let (hospital, other) = (hospital(), certificate("mss-other", "10B0000009"));
        let plain = |mailbox: &str, password: &str| STANDARD.encode(format!("\0{mailbox}\0{password}"));
        let bearer =
            |mailbox: &str, token: &str| STANDARD.encode(sasl::xoauth2(mailbox, &AccessToken::new(token).unwrap()));
        let oauth = |mailbox: &str, token: &str| {
            STANDARD.encode(sasl::oauthbearer(mailbox, "localhost", 465, &AccessToken::new(token).unwrap()))
        };
        let (good, expired) = (token(MARIE_ID, 300), token(MARIE_ID, -60));
        let external = STANDARD.encode(SOCLE);
        // With a certificate or not, the line, then the codes in order; `334` is answered by an empty line.
        let cases: Vec<(&str, Option<&socle_trust::Credentials>, String, &[&str])> = vec![
            ("a password", None, format!("AUTH PLAIN {}", plain(MARIE, TEST_PASSWORD)), &["235"]),
            ("a wrong password", None, format!("AUTH PLAIN {}", plain(MARIE, "x")), &["535"]),
            ("nobody", None, format!("AUTH PLAIN {}", plain("nobody@medecin.mssante.test", TEST_PASSWORD)), &["535"]),
            ("not base64", None, "AUTH PLAIN %%".into(), &["501"]),
            ("not the form", None, "AUTH XOAUTH2 eA==".into(), &["501"]),
            ("a mechanism of others", None, "AUTH LOGIN".into(), &["504"]),
            ("a token", None, format!("AUTH XOAUTH2 {}", bearer(MARIE, &good)), &["235"]),
            ("OAUTHBEARER", None, format!("AUTH OAUTHBEARER {}", oauth(MARIE, &good)), &["235"]),
            ("an expired token", None, format!("AUTH XOAUTH2 {}", bearer(MARIE, &expired)), &["334", "535"]),
            ("a forged token", None, format!("AUTH XOAUTH2 {}", bearer(MARIE, "a.b.c")), &["334", "535"]),
            ("somebody else's mailbox", None, format!("AUTH XOAUTH2 {}", bearer(PAUL, &good)), &["334", "535"]),
            ("a team that one is not of", None, format!("AUTH OAUTHBEARER {}", oauth(TEAM, &good)), &["334", "535"]),
            ("a team", None, format!("AUTH XOAUTH2 {}", bearer(TEAM, &token(PAUL_ID, 300))), &["235"]),
            ("an application with a token", None, format!("AUTH XOAUTH2 {}", bearer(SOCLE, &good)), &["334", "535"]),
            ("EXTERNAL without certificate", None, format!("AUTH EXTERNAL {external}"), &["504"]),
            ("EXTERNAL", Some(&hospital), format!("AUTH EXTERNAL {external}"), &["235"]),
            ("EXTERNAL, two applications to choose from", Some(&hospital), "AUTH EXTERNAL =".into(), &["535"]),
            ("EXTERNAL of another structure", Some(&other), format!("AUTH EXTERNAL {external}"), &["535"]),
            ("EXTERNAL for a person", Some(&hospital), format!("AUTH EXTERNAL {}", STANDARD.encode(MARIE)), &["535"]),
            ("cancelled", None, "AUTH PLAIN *".into(), &["501"]),
        ];
        for (name, certificate, line, codes) in cases {
            let mut smtp = Smtp::tls(twin.running(), certificate).await;
            let offered = smtp.say("EHLO lps.test").await;
            assert_eq!(offered.contains(" EXTERNAL"), certificate.is_some(), "{name}: {offered}");
            let mut reply = smtp.say(&line).await;
            for (at, code) in codes.iter().enumerate() {
                if at > 0 {
                    let json = STANDARD.decode(reply[4..].trim()).unwrap();
                    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
                    assert_eq!((&json["status"], &json["schemes"]), (&"401".into(), &"bearer".into()), "{name}");
                    reply = smtp.say("").await;
                }
                assert!(reply.starts_with(code), "{name}: {reply}");
            }
            if codes == ["235"] {
                assert!(smtp.say(&line).await.starts_with("503"), "{name}: once is enough");
                assert!(!smtp.say("EHLO again.test").await.contains("AUTH"), "{name}");
            }
        }
        // Asked for in two steps.
        let mut smtp = Smtp::tls(twin.running(), None).await;
        smtp.say("EHLO lps.test").await;
        assert_eq!(smtp.say("AUTH PLAIN").await, "334 \r\n");
        assert!(smtp.say(&plain(MARIE, TEST_PASSWORD)).await.starts_with("235"));
        twin.stop().await;
    });
}

#[test]
fn a_client_that_does_everything_wrong_is_told_goodbye() {
    run(async {
        let mut twin = Twin::start().await;
        let mut smtp = Smtp::tls(twin.running(), None).await;
        let wrong = STANDARD.encode(format!("\0{MARIE}\0x"));
        smtp.say("EHLO lps.test").await;
        for expected in ["535", "535", "421"] {
            assert!(smtp.say(&format!("AUTH PLAIN {wrong}")).await.starts_with(expected));
        }
        assert_eq!(smtp.reply().await, "");
        let mut smtp = Smtp::plain(twin.running()).await;
        for _ in 0..19 {
            assert!(smtp.say("GET / HTTP/1.1").await.starts_with("500"));
        }
        assert!(smtp.say("GET / HTTP/1.1").await.starts_with("421"));
        let mut smtp = Smtp::plain(twin.running()).await;
        assert!(smtp.say(&"a".repeat(13_000)).await.starts_with("500"), "a long line is one fault");
        let mut smtp = Smtp::plain(twin.running()).await;
        smtp.send(b"\xff\xfe\r\n").await;
        assert!(smtp.reply().await.starts_with("501"));
        twin.stop().await;
    });
}

#[test]
fn the_page_names_no_patient_and_serves_the_list() {
    run(async {
        let mut twin = Twin::start().await;
        let mut smtp = Smtp::opened(twin.running(), MARIE).await;
        for message in ["Subject: x\r\nMessage-ID: <1@x.test>\r\n\r\nx\r\n."; 2] {
            smtp.say("MAIL FROM:<dr.marie.martin@medecin.mssante.test>").await;
            smtp.say("RCPT TO:<279035121518989@patient.mssante.fr>").await;
            smtp.say("DATA").await;
            assert!(smtp.say(message).await.starts_with("250"));
        }
        let page = get(&twin.running().page).await;
        assert!(page.contains("jumeau local non officiel, sans lien avec"), "{page}");
        assert!(page.contains("(patient)@patient.mssante.fr") && !page.contains("279035"), "no matricule");
        assert!(
            page.contains("X-MSS-NIL absent (ECO.2.4.3)") && page.contains("même Message-ID déjà reçu 1"),
            "{page}"
        );
        for address in [MARIE, PAUL, TEAM, DPI, SOCLE] {
            assert!(page.contains(address), "{address}");
        }
        assert!(get(&format!("{}?lang=en", twin.running().page)).await.contains("Twin of an MSSanté operator"));
        twin.stop().await;
    });
}

#[test]
fn a_twin_that_cannot_start_says_why() {
    run(async {
        let mut twin = Twin::start().await;
        let same_folder = twin::Settings::new(twin.folder.path().to_owned(), pki());
        let error = twin::start(same_folder, Shutdown::new()).await.unwrap_err().to_string();
        assert!(error.contains("in use by another process"), "{error}");

        let elsewhere = tempfile::TempDir::new().unwrap();
        let port = twin.running().addresses.imaps.port();
        let settings = twin::Settings {
            ports: twin::Ports { imaps: port, ..twin::Ports::default() },
            ..twin::Settings::new(elsewhere.path().to_owned(), pki())
        };
        let error = twin::start(settings, Shutdown::new()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{error}");

        let mut real = twin::seeds();
        real[0].address = "dr.marie.martin@medecin.mssante.fr".parse().unwrap();
        let settings = twin::Settings { mailboxes: real, ..twin::Settings::new(elsewhere.path().join("real"), pki()) };
        let error = twin::start(settings, Shutdown::new()).await.unwrap_err().to_string();
        assert!(error.contains("a mail domain belongs to the environment `production`"), "{error}");
        twin.stop().await;
    });
}

#[test]
fn garbage_leaves_the_twin_alive() {
    run(async {
        let mut twin = Twin::start().await;
        let at = twin.running().addresses;
        let mut state = 1u64;
        let mut octet = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        for address in [at.submission, at.submissions, at.imap, at.imaps, at.page] {
            for length in [1, 10, 100, 5000, 100_000] {
                let mut garbage: Vec<u8> = (0..length).map(|_| octet()).collect();
                garbage.extend_from_slice(b"\r\na1 LOGIN {99999999999}\r\nEHLO x\r\n{4294967295+}\r\n");
                let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                // The twin may hang up in the middle of it.
                let _ = stream.write_all(&garbage).await;
                let _ = stream.shutdown().await;
                let mut answer = Vec::new();
                let _ = stream.read_to_end(&mut answer).await;
                assert!(answer.len() < 20_000, "{address}");
            }
        }
        Smtp::opened(twin.running(), MARIE).await;
        assert_eq!(Imap::login(twin.running(), MARIE).await.count("INBOX").await, 0);
        twin.stop().await;
    });
}
