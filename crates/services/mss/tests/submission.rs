//! Our client against our twin, over real sockets and TLS: every way in, every refusal, what survives.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use mail_parser::MessageParser;
use socle_identity::Environment;
use socle_mss::client::{Class, Client, Fate, Stage, SubmitError, Timeouts};
use socle_mss::model::{DocumentMail, Receipts, Reply};
use support::imap::Imap;
use support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

#[test]
fn an_application_sends_to_professionals_and_to_a_patient() {
    run(async {
        let mut twin = Twin::start().await;
        let client = twin.client(Some(hospital()));
        let sent = mail(twin.list(), application(), &[MARIE, DPI]);
        let submission = client.submit(&sent).await.unwrap();
        assert!(submission.is_complete(), "{submission:?}");
        assert_eq!(submission.deliveries.len(), 2);
        let identity = patient();
        let to_patient = to_patient(twin.list(), &identity, Reply::Ended);
        let to_patient = DocumentMail::new(draft(&identity, application(), to_patient)).unwrap();
        assert!(client.submit(&to_patient).await.unwrap().is_complete());

        for (mailbox, message) in [(MARIE, &sent), (DPI, &sent), ("279035121518989@patient.mssante.fr", &to_patient)] {
            let mut imap = Imap::login(twin.running(), mailbox).await;
            let stored = imap.only_message().await;
            let written = socle_mss::wire::message::write(message);
            let trace = format!("Return-Path: <{SOCLE}>\r\nReceived: from lps.hopital-a.test ([127.0.0.1])\r\n");
            assert!(stored.starts_with(trace.as_bytes()), "{mailbox}");
            assert!(stored.ends_with(&written), "{mailbox}: the message is kept octet for octet");
        }
        twin.stop().await;
    });
}

#[test]
fn a_person_sends_with_a_token_and_once_again_with_a_fresh_one() {
    run(async {
        let mut twin = Twin::start().await;
        let client = twin.client(None);
        let mail = mail(twin.list(), marie(), &[DPI]);
        let good = token(MARIE_ID, 300);
        let expired = token(MARIE_ID, -60);
        let others = token(PAUL_ID, 300);
        let cases: [(&str, Vec<String>, bool, usize); 4] = [
            ("a good token", vec![good.clone()], true, 1),
            ("an expired one, then a fresh one", vec![expired.clone(), good.clone()], true, 2),
            ("two bad ones", vec![expired.clone(), expired.clone(), good.clone()], false, 2),
            ("somebody else's", vec![others.clone(), others], false, 2),
        ];
        for (name, tokens, sent, asked) in cases {
            let tokens = Tokens::new(&tokens);
            let outcome = client.submit_as(&mail, &tokens).await;
            assert_eq!(outcome.is_ok(), sent, "{name}: {outcome:?}");
            assert_eq!(tokens.asked(), asked, "{name}");
            if let Err(error) = outcome {
                assert!(matches!(&error, SubmitError::Authentication(reply) if reply.code() == 535), "{name}: {error}");
                assert_eq!(error.class(), Class::Temporary, "{name}");
                assert!(!error.to_string().contains("ey"), "{name}: no token in an error");
            }
        }
        twin.stop().await;
    });
}

#[test]
fn each_mailbox_is_opened_in_its_way_only() {
    run(async {
        let mut twin = Twin::start().await;
        let other = certificate("mss-other", "10B0000009");
        let from_app = mail(twin.list(), application(), &[DPI]);
        let from_marie = mail(twin.list(), marie(), &[DPI]);
        let tokens = || Tokens::new(&[token(MARIE_ID, 300), token(MARIE_ID, 300)]);

        let refused = twin.client(Some(other)).submit(&from_app).await.unwrap_err();
        assert!(matches!(&refused, SubmitError::Authentication(reply) if reply.code() == 535), "{refused}");
        let refused = twin.client(None).submit(&from_app).await.unwrap_err();
        assert!(matches!(refused, SubmitError::NoMechanism("EXTERNAL")), "{refused}");
        let refused = twin.client(Some(hospital())).submit(&from_marie).await.unwrap_err();
        assert!(matches!(refused, SubmitError::NeedsPerson(_)), "{refused}");
        let refused = twin.client(None).submit_as(&from_app, &tokens()).await.unwrap_err();
        assert!(matches!(refused, SubmitError::NeedsCertificate), "{refused}");
        for class in [SubmitError::NeedsCertificate.class(), refused.class()] {
            assert_eq!(class, Class::Permanent);
        }
        twin.stop().await;
    });
}

#[test]
fn recipients_are_judged_one_by_one() {
    run(async {
        let mut twin = Twin::start().await;
        let client = twin.client(Some(hospital()));
        let sent = mail(twin.list(), application(), &["nobody@medecin.mssante.test", MARIE]);
        let submission = client.submit(&sent).await.unwrap();
        assert!(!submission.is_complete());
        let codes = submission.deliveries.iter().map(|delivery| match &delivery.fate {
            Fate::Accepted(reply) | Fate::Refused(reply) => (reply.code(), reply.enhanced().unwrap().to_string()),
        });
        let codes = codes.collect::<Vec<_>>();
        assert_eq!(codes, [(550, "5.1.1".to_owned()), (250, "2.0.0".to_owned())]);
        assert_eq!(submission.deliveries[0].fate.class(), Some(Class::Permanent));
        assert_eq!(submission.deliveries[1].fate.class(), None);

        let nobody = mail(twin.list(), application(), &["nobody@medecin.mssante.test"]);
        let submission = client.submit(&nobody).await.unwrap();
        assert_eq!(submission.deliveries.len(), 1, "all refused: nothing was sent, and the connection serves again");
        assert!(client.submit(&mail(twin.list(), application(), &[MARIE])).await.unwrap().is_complete());
        let mut imap = Imap::login(twin.running(), MARIE).await;
        assert_eq!(imap.count("INBOX").await, 2);
        twin.stop().await;
    });
}

#[test]
fn a_mail_too_large_is_refused_before_it_leaves() {
    run(async {
        let mut twin = Twin::start().await;
        let client = twin.client(Some(hospital()));
        let identity = patient();
        for recipients in [to(twin.list(), &[MARIE]), to_patient(twin.list(), &identity, Reply::Allowed)] {
            let mut large = draft(&identity, application(), recipients);
            large.readable_copies[0].pdf = pdf(20 * 1024 * 1024);
            let large = DocumentMail::new(large).unwrap();
            let error = client.submit(&large).await.unwrap_err();
            assert!(matches!(error, SubmitError::TooLarge { size_max: 26_214_400, .. }), "{error}");
            assert_eq!(error.class(), Class::Permanent);
        }
        let fits = {
            let mut fits = draft(&identity, application(), to(twin.list(), &[MARIE]));
            fits.readable_copies[0].pdf = pdf(10 * 1024 * 1024);
            DocumentMail::new(fits).unwrap()
        };
        assert!(client.submit(&fits).await.unwrap().is_complete());
        twin.stop().await;
    });
}

#[test]
fn environments_never_meet() {
    let twins = settings("smtp://localhost:1", None);
    let production = socle_mss::client::Settings { environment: Environment::Production, ..twins.clone() };
    assert!(
        Client::new(production).unwrap_err().to_string().contains("jumeau"),
        "authorities of the twins in production"
    );
    run(async {
        let mut twin = Twin::start().await;
        assert_eq!(twin.list().environment(), Environment::Jumeau);
        assert!(
            socle_mss::model::Recipient::professional("x@medecin.mssante.fr".parse().unwrap(), twin.list()).is_err()
        );
        twin.stop().await;
    });
}

#[test]
fn delivery_reports_come_to_the_sender_when_asked() {
    run(async {
        let mut twin = Twin::start().await;
        let client = twin.client(Some(hospital()));
        let identity = patient();
        let mut asked = draft(&identity, application(), to(twin.list(), &[MARIE, DPI]));
        asked.receipts = Receipts { delivery: true, reading: false };
        let asked = DocumentMail::new(asked).unwrap();
        assert!(client.submit(&asked).await.unwrap().reports_asked);
        assert!(!client.submit(&mail(twin.list(), application(), &[MARIE])).await.unwrap().reports_asked);
        let mut imap = Imap::login(twin.running(), SOCLE).await;
        assert_eq!(imap.count("INBOX").await, 2, "one report for each recipient, none when none was asked");
        let report = imap.message(1).await;
        let report = String::from_utf8(report).unwrap();
        for part in [
            "report-type=delivery-status",
            "\r\nAction: delivered\r\nStatus: 2.1.5\r\n",
            &format!("\r\nOriginal-Recipient: rfc822; {MARIE}\r\nFinal-Recipient: rfc822; {MARIE}\r\n"),
            &format!("\r\nOriginal-Envelope-Id: {}\r\n", asked.message_id().as_str()),
            &format!("\r\nMessage-ID: {}\r\n", asked.message_id()),
        ] {
            assert!(report.contains(part), "{part}\n{report}");
        }
        assert!(MessageParser::new().parse(report.as_bytes()).unwrap().parts.len() >= 4);
        twin.stop().await;
    });
}

#[test]
fn fifty_at_once_are_all_there_once() {
    run(async {
        let mut twin = Twin::start().await;
        let client = Arc::new(twin.client(Some(hospital())));
        let mails: Vec<_> = (0..50).map(|_| mail(twin.list(), application(), &[MARIE, DPI])).collect();
        let tasks: Vec<_> = mails
            .iter()
            .cloned()
            .map(|mail| {
                let client = Arc::clone(&client);
                tokio::spawn(async move { client.submit(&mail).await.unwrap().is_complete() })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap());
        }
        for mailbox in [MARIE, DPI] {
            let mut imap = Imap::login(twin.running(), mailbox).await;
            let ids = imap.message_ids().await;
            let mut expected: Vec<_> = mails.iter().map(|mail| mail.message_id().to_string()).collect();
            let mut found = ids.clone();
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{mailbox}");
        }
        twin.stop().await;
    });
}

#[test]
fn what_was_accepted_survives_and_uids_go_on() {
    run(async {
        let mut twin = Twin::start().await;
        let client = twin.client(Some(hospital()));
        let identity = patient();
        let first = mail(twin.list(), application(), &[MARIE]);
        assert!(client.submit(&first).await.unwrap().is_complete());
        // The same mail again, as after an unknown outcome: a real operator keeps both.
        assert!(client.submit(&first).await.unwrap().is_complete());
        let to_patient = to_patient(twin.list(), &identity, Reply::Allowed);
        let to_patient = DocumentMail::new(draft(&identity, application(), to_patient)).unwrap();
        assert!(client.submit(&to_patient).await.unwrap().is_complete());
        let mut imap = Imap::login(twin.running(), MARIE).await;
        let before = imap.select("INBOX").await;
        imap.ok("STORE 1 +FLAGS (\\Flagged $MDNSent)").await;
        imap.ok("STORE 2 +FLAGS (\\Deleted)").await;
        imap.ok("EXPUNGE").await;
        drop(imap);

        twin.restart().await;
        let mut imap = Imap::login(twin.running(), MARIE).await;
        let after = imap.select("INBOX").await;
        assert_eq!(after.uid_validity, before.uid_validity);
        assert_eq!((after.exists, after.uid_next), (1, 3), "UID 2 was given and is not given again");
        let flags = imap.ok("FETCH 1 (UID FLAGS)").await;
        assert!(flags.contains("(UID 1 FLAGS ($MDNSent \\Flagged"), "{flags}");
        assert_eq!(imap.message_ids().await, [first.message_id().to_string()]);
        let mut patient = Imap::login(twin.running(), "279035121518989@patient.mssante.fr").await;
        assert_eq!(patient.count("INBOX").await, 1);

        let client = twin.client(Some(hospital()));
        assert!(client.submit(&mail(twin.list(), application(), &[MARIE])).await.unwrap().is_complete());
        assert!(imap.ok("NOOP").await.contains("* 2 EXISTS"));
        assert!(imap.ok("FETCH 2 UID").await.contains("UID 3"));
        twin.stop().await;
    });
}

#[test]
fn a_connection_that_the_operator_closed_is_replaced() {
    run(async {
        let mut twin = Twin::start().await;
        let port = twin.running().addresses.submission.port();
        let client = twin.client(Some(hospital()));
        assert!(client.submit(&mail(twin.list(), application(), &[MARIE])).await.unwrap().is_complete());
        twin.stop().await;
        let error = client.submit(&mail(&list_of_twin(&twin), application(), &[MARIE])).await.unwrap_err();
        assert!(matches!(error, SubmitError::Connect { .. }), "{error}");
        assert_eq!(error.class(), Class::Temporary);
        assert!(error.to_string().contains(&port.to_string()), "{error}");
    });
}

fn list_of_twin(_: &Twin) -> socle_mss::model::WhiteList {
    let name = || "CN=smtp.jumeau.test,O=JUMEAU,C=FR".parse().unwrap();
    let domains = ["medecin.mssante.test", "hopital-a.mssante.test"];
    socle_mss::model::WhiteList::new(Environment::Jumeau, domains.map(|d| (d.parse().unwrap(), name()))).unwrap()
}

/// A peer that says these lines, one after each line of the client's, then closes.
async fn scripted(lines: Vec<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        for (at, line) in lines.into_iter().enumerate() {
            if at > 0 && stream.read(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
            stream.write_all(line.as_bytes()).await.unwrap();
        }
        let _ = stream.read(&mut buffer).await;
    });
    url
}

#[test]
fn a_peer_without_tls_or_without_sense_gets_nothing() {
    run(async {
        let list = list_of_twin_free();
        let mail = mail(&list, application(), &[MARIE]);
        let cases: [(&str, Vec<&'static str>, &str, Class); 7] = [
            ("STARTTLS is hidden", vec!["220 x\r\n", "250-x\r\n250 SIZE 1000\r\n"], "STARTTLS", Class::Temporary),
            (
                "STARTTLS is refused",
                vec!["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "454 4.7.0 later\r\n"],
                "454",
                Class::Temporary,
            ),
            (
                "something is slipped in before TLS",
                vec!["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"],
                "STARTTLS",
                Class::Temporary,
            ),
            ("it is busy", vec!["421 4.3.2 busy\r\n"], "421", Class::Temporary),
            ("it wants nobody", vec!["554 5.3.2 no\r\n"], "554", Class::Permanent),
            ("it is no SMTP server", vec!["SSH-2.0-OpenSSH\r\n"], "SMTP", Class::Temporary),
            (
                "it is no TLS server",
                vec!["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n", "plain text\r\n"],
                "reached",
                Class::Temporary,
            ),
        ];
        for (name, lines, word, class) in cases {
            let url = scripted(lines).await;
            let error = client(&url, Some(hospital())).submit(&mail).await.unwrap_err();
            assert!(error.to_string().contains(word), "{name}: {error}");
            assert_eq!(error.class(), class, "{name}: {error}");
        }
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://localhost:{}", silent.local_addr().unwrap().port());
        let mut settings = settings(&url, Some(hospital()));
        settings.timeouts =
            Timeouts { connect: Duration::from_millis(200), reply: Duration::from_millis(50), ..settings.timeouts };
        let error = Client::new(settings).unwrap().submit(&mail).await.unwrap_err();
        assert!(matches!(error, SubmitError::Lost { stage: Stage::Connect, closed: false, .. }), "{error}");
    });
}

fn list_of_twin_free() -> socle_mss::model::WhiteList {
    let name = || "CN=smtp.jumeau.test,O=JUMEAU,C=FR".parse().unwrap();
    socle_mss::model::WhiteList::new(Environment::Jumeau, [("medecin.mssante.test".parse().unwrap(), name())]).unwrap()
}
