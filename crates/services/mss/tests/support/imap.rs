//! A plain dialogue with the twin's IMAP, over TLS at once.

use std::sync::Arc;

use socle_mss::twin::{Running, TEST_PASSWORD};
use socle_trust::tls::{Versions, client_config};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) struct Imap {
    stream: BufReader<TlsStream<TcpStream>>,
    tag: u32,
}

/// What `SELECT` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) exists: u32,
    pub(crate) uid_validity: u32,
    pub(crate) uid_next: u32,
}

impl Imap {
    pub(crate) async fn connect(running: &Running) -> Self {
        let tls = client_config(super::pki().anchors(), None, Versions::Both).unwrap();
        let tcp = TcpStream::connect(running.addresses.imaps).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let stream = TlsConnector::from(Arc::clone(&tls)).connect(name, tcp).await.unwrap();
        let mut imap = Self { stream: BufReader::new(stream), tag: 0 };
        assert!(imap.line().await.starts_with("* OK [CAPABILITY IMAP4rev1 "));
        imap
    }

    pub(crate) async fn login(running: &Running, mailbox: &str) -> Self {
        let mut imap = Self::connect(running).await;
        imap.ok(&format!("LOGIN {mailbox} {TEST_PASSWORD}")).await;
        imap
    }

    /// Sends octets as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// One line; empty at the end.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = Vec::new();
        // A peer that cuts without TLS's goodbye has ended as well.
        let _ = self.stream.read_until(b'\n', &mut line).await;
        String::from_utf8_lossy(&line).into_owned()
    }

    /// A command; the untagged answers and the tagged one.
    pub(crate) async fn command(&mut self, text: &str) -> (String, String) {
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        self.send(format!("{tag} {text}\r\n").as_bytes()).await;
        self.answer(&tag).await
    }

    /// Everything up to the tagged answer, literals inside.
    pub(crate) async fn answer(&mut self, tag: &str) -> (String, String) {
        let mut untagged = String::new();
        loop {
            let line = self.line().await;
            if line.is_empty() || line.starts_with(&format!("{tag} ")) {
                return (untagged, line);
            }
            untagged.push_str(&line);
            if let Some(length) = literal(&line) {
                let mut octets = vec![0; length];
                self.stream.read_exact(&mut octets).await.unwrap();
                untagged.push_str(&String::from_utf8_lossy(&octets));
            }
        }
    }

    /// A command that is answered `OK`: what came, the tagged line too.
    pub(crate) async fn ok(&mut self, text: &str) -> String {
        let (untagged, tagged) = self.command(text).await;
        assert!(tagged.contains(" OK "), "{text}: {untagged}{tagged}");
        untagged + &tagged
    }

    pub(crate) async fn select(&mut self, folder: &str) -> Selected {
        let answer = self.ok(&format!("SELECT {folder}")).await;
        let number = |before: &str, after: &str| {
            let rest = answer.split(before).nth(1)?;
            rest.split(after).next()?.trim().parse().ok()
        };
        let exists = answer.lines().find_map(|line| line.strip_prefix("* ")?.strip_suffix(" EXISTS")?.parse().ok());
        Selected {
            exists: exists.unwrap(),
            uid_validity: number("[UIDVALIDITY ", "]").unwrap(),
            uid_next: number("[UIDNEXT ", "]").unwrap(),
        }
    }

    pub(crate) async fn count(&mut self, folder: &str) -> u32 {
        self.select(folder).await.exists
    }

    /// The octets of a message of the folder that is selected.
    pub(crate) async fn message(&mut self, sequence: u32) -> Vec<u8> {
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        self.send(format!("{tag} FETCH {sequence} BODY.PEEK[]\r\n").as_bytes()).await;
        let line = self.line().await;
        let mut octets = vec![0; literal(&line).unwrap_or_else(|| panic!("{line}"))];
        self.stream.read_exact(&mut octets).await.unwrap();
        self.answer(&tag).await;
        octets
    }

    pub(crate) async fn only_message(&mut self) -> Vec<u8> {
        assert_eq!(self.count("INBOX").await, 1);
        self.message(1).await
    }

    /// Of every message of the INBOX, in order.
    pub(crate) async fn message_ids(&mut self) -> Vec<String> {
        self.select("INBOX").await;
        let answer = self.ok("FETCH 1:* BODY.PEEK[HEADER.FIELDS (Message-ID)]").await;
        let ids = answer.lines().filter_map(|line| line.strip_prefix("Message-ID: "));
        ids.map(|id| id.trim().to_owned()).collect()
    }
}

fn literal(line: &str) -> Option<usize> {
    line.trim_end().strip_suffix('}')?.rsplit_once('{')?.1.parse().ok()
}
