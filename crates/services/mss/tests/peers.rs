//! Programs that are not ours, over real sockets and TLS: Python's smtplib, imaplib and zipfile, openssl, msmtp.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod support;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use socle_mss::twin::TEST_PASSWORD;
use support::imap::Imap;
use support::*;

/// The authorities of the twins, for programs that read PEM.
fn authorities(twin: &Twin) -> PathBuf {
    let file = twin.folder.path().join("authorities.pem");
    std::fs::write(&file, pki().anchors().to_pem()).unwrap();
    file
}

/// Runs a program with this input; nothing when it is not installed.
async fn spoken(test: &str, mut command: Command, input: Vec<u8>) -> Option<Output> {
    let run = move || {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().ok()?;
        // A program that ends before it has read everything closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(&input);
        Some(child.wait_with_output().unwrap())
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    if output.is_none() {
        skipped(test, "the program is not installed");
    }
    output
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn python_reads_what_we_send_and_we_take_what_python_sends() {
    run(async {
        let mut twin = Twin::start().await;
        let sent = mail(twin.list(), application(), &[MARIE]);
        assert!(twin.client(Some(hospital())).submit(&sent).await.unwrap().is_complete());
        let expected = json!({
            "subject": "XDM/1.0/DDM+CR de consultation médicale PAT-TROIS DOMINIQUE 28/03/1979",
            "label": "Hôpital A – Socle",
            "from": SOCLE,
            "message_id": sent.message_id().to_string(),
            "body": sent.body().as_str(),
            "pdf_name": "20261120_CR de consultation médicale_PAT-TROIS_DOMINIQUE.pdf",
            "document_sha256": socle_store::Digest::of(CDA.as_bytes()).to_string(),
        });
        let at = twin.running().addresses;
        let mut python = Command::new("python3");
        python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/read_write.py")).arg(authorities(&twin));
        for port in [at.submission, at.imap, at.imaps].map(|address| address.port().to_string()) {
            python.arg(port);
        }
        python.arg(TEST_PASSWORD);
        let test = "python_reads_what_we_send_and_we_take_what_python_sends";
        if let Some(output) = spoken(test, python, expected.to_string().into_bytes()).await {
            assert!(output.status.success() && said(&output).trim() == "ok", "{}", said(&output));
        }
        twin.stop().await;
    });
}

#[test]
fn openssl_sees_the_certificate_behind_starttls() {
    run(async {
        let mut twin = Twin::start().await;
        let at = twin.running().addresses;
        let authorities = authorities(&twin);
        let services = [("smtp", at.submission), ("imap", at.imap)];
        for (protocol, address) in services {
            for version in ["-tls1_2", "-tls1_3"] {
                let mut openssl = Command::new("openssl");
                openssl.args([
                    "s_client",
                    "-starttls",
                    protocol,
                    "-verify_return_error",
                    "-verify_hostname",
                    "localhost",
                ]);
                openssl.args([version, "-CAfile"]).arg(&authorities).args(["-connect", &address.to_string()]);
                let test = "openssl_sees_the_certificate_behind_starttls";
                let bye: &[u8] = if protocol == "smtp" { b"QUIT\r\n" } else { b"a LOGOUT\r\n" };
                let Some(output) = spoken(test, openssl, bye.to_vec()).await else { continue };
                let said = said(&output);
                assert!(said.contains("Verify return code: 0 (ok)"), "{protocol} {version}: {said}");
                assert!(said.contains("Acceptable client certificate CA names"), "a certificate is asked for: {said}");
            }
        }
        let mut old = Command::new("openssl");
        old.args(["s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-connect", &at.imaps.to_string()]);
        if let Some(output) = spoken("openssl_sees_the_certificate_behind_starttls", old, Vec::new()).await {
            assert!(!output.status.success(), "TLS 1.1 is refused (ECO.1.1.1): {}", said(&output));
        }
        twin.stop().await;
    });
}

#[test]
fn msmtp_sends_with_a_token_and_with_a_certificate() {
    run(async {
        let mut twin = Twin::start().await;
        let test = "msmtp_sends_with_a_token_and_with_a_certificate";
        let (authorities, at) = (authorities(&twin), twin.running().addresses);
        let hospital = hospital();
        let (certificate, key) = (twin.folder.path().join("org.pem"), twin.folder.path().join("org.key"));
        std::fs::write(&certificate, hospital.chain_pem()).unwrap();
        std::fs::write(&key, hospital.key_pem()).unwrap();
        let by_token = |mechanism: &'static str, token: String| {
            vec![
                format!("--auth={mechanism}"),
                format!("--user={MARIE}"),
                format!("--passwordeval=echo {token}"),
                format!("--from={MARIE}"),
            ]
        };
        let by_certificate = vec![
            "--auth=external".to_owned(),
            format!("--user={SOCLE}"),
            format!("--tls-cert-file={}", certificate.display()),
            format!("--tls-key-file={}", key.display()),
            format!("--from={SOCLE}"),
        ];
        let cases: [(&str, Vec<String>, bool); 4] = [
            ("XOAUTH2", by_token("xoauth2", token(MARIE_ID, 300)), true),
            ("OAUTHBEARER", by_token("oauthbearer", token(MARIE_ID, 300)), true),
            ("an expired token", by_token("xoauth2", token(MARIE_ID, -60)), false),
            ("EXTERNAL with a certificate", by_certificate, true),
        ];
        let mut sent = 0;
        for (name, arguments, accepted) in cases {
            let mut msmtp = Command::new("msmtp");
            msmtp.args(["--host=localhost", "--tls=on", "--tls-starttls=on", "--domain=lps.test"]);
            msmtp
                .arg(format!("--port={}", at.submission.port()))
                .arg(format!("--tls-trust-file={}", authorities.display()));
            msmtp.args(arguments).arg(DPI);
            let text = format!("Subject: par msmtp\nX-MSS-NIL: TEST\n\n{name}\n.\n").into_bytes();
            let Some(output) = spoken(test, msmtp, text).await else { return };
            assert_eq!(output.status.success(), accepted, "{name}: {}", said(&output));
            sent += u32::from(accepted);
        }
        let mut imap = Imap::login(twin.running(), DPI).await;
        assert_eq!(imap.count("INBOX").await, sent);
        assert!(String::from_utf8(imap.message(1).await).unwrap().ends_with("XOAUTH2\r\n.\r\n"));
        twin.stop().await;
    });
}

#[test]
fn mbsync_mirrors_a_mailbox_both_ways() {
    run(async {
        let mut twin = Twin::start().await;
        let test = "mbsync_mirrors_a_mailbox_both_ways";
        let client = twin.client(Some(hospital()));
        for _ in 0..3 {
            assert!(client.submit(&mail(twin.list(), application(), &[MARIE])).await.unwrap().is_complete());
        }
        let (authorities, port) = (authorities(&twin), twin.running().addresses.imap.port());
        let mirror = twin.folder.path().join("mirror");
        std::fs::create_dir(&mirror).unwrap();
        let configuration = twin.folder.path().join("mbsyncrc");
        std::fs::write(
            &configuration,
            format!(
                "IMAPAccount twin\nHost localhost\nPort {port}\nUser {MARIE}\nPass {TEST_PASSWORD}\nSSLType STARTTLS\n\
                 CertificateFile {}\n\nIMAPStore far\nAccount twin\n\nMaildirStore near\nPath {at}/\nInbox {at}/INBOX\n\
                 SubFolders Verbatim\n\nChannel both\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\n\
                 SyncState *\n",
                authorities.display(),
                at = mirror.display()
            ),
        )
        .unwrap();
        let sync = || {
            let mut mbsync = Command::new("mbsync");
            mbsync.arg("-c").arg(&configuration).arg("both");
            spoken(test, mbsync, Vec::new())
        };
        let Some(output) = sync().await else { return };
        assert!(output.status.success(), "{}", said(&output));
        let mut files: Vec<_> =
            std::fs::read_dir(mirror.join("INBOX/new")).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert_eq!(files.len(), 3);
        assert!(mirror.join("Archive/cur").exists(), "every folder is mirrored");

        // Here: one is read, one is removed, a folder with a mail is new.
        let name = files[0].file_name().unwrap().to_str().unwrap();
        let name = name.split(":2,").next().unwrap();
        std::fs::rename(&files[0], mirror.join(format!("INBOX/cur/{name}:2,S"))).unwrap();
        std::fs::remove_file(&files[1]).unwrap();
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(mirror.join("Dossiers").join(part)).unwrap();
        }
        std::fs::write(mirror.join("Dossiers/new/1.1.here"), "Subject: d'ici\n\nx\n").unwrap();
        let output = sync().await.unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let mut imap = Imap::login(twin.running(), MARIE).await;
        assert_eq!(imap.count("INBOX").await, 2);
        assert!(imap.ok("SEARCH SEEN").await.starts_with("* SEARCH "), "the flag came over");
        assert_eq!(imap.count("Dossiers").await, 1);
        twin.stop().await;
    });
}
