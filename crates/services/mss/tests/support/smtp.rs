//! A plain dialogue with the twin's submission, with or without TLS and a certificate.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use socle_mss::twin::{Running, TEST_PASSWORD};
use socle_trust::Credentials;
use socle_trust::tls::{Versions, client_config};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(crate) struct Smtp {
    stream: BufReader<Box<dyn Stream>>,
}

impl Smtp {
    /// The STARTTLS listener, before TLS.
    pub(crate) async fn plain(running: &Running) -> Self {
        let stream = TcpStream::connect(running.addresses.submission).await.unwrap();
        let mut smtp = Self { stream: BufReader::new(Box::new(stream)) };
        assert!(smtp.reply().await.starts_with("220 "));
        smtp
    }

    /// The listener where TLS comes at once.
    pub(crate) async fn tls(running: &Running, credentials: Option<&Credentials>) -> Self {
        let tls = client_config(super::pki().anchors(), credentials, Versions::Both).unwrap();
        let tcp = TcpStream::connect(running.addresses.submissions).await.unwrap();
        let stream = TlsConnector::from(Arc::clone(&tls)).connect("localhost".try_into().unwrap(), tcp).await.unwrap();
        let mut smtp = Self { stream: BufReader::new(Box::new(stream)) };
        assert!(smtp.reply().await.starts_with("220 "));
        smtp
    }

    /// TLS, EHLO, and the mailbox opened with its test password.
    pub(crate) async fn opened(running: &Running, mailbox: &str) -> Self {
        let mut smtp = Self::tls(running, None).await;
        smtp.say("EHLO lps.test").await;
        let response = STANDARD.encode(format!("\0{mailbox}\0{TEST_PASSWORD}"));
        assert!(smtp.say(&format!("AUTH PLAIN {response}")).await.starts_with("235 "));
        smtp
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// All lines of one reply; what came before the end when the peer closed.
    pub(crate) async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line).await.unwrap_or(0);
            reply.push_str(&line);
            if read == 0 || line.as_bytes().get(3) != Some(&b'-') {
                return reply;
            }
        }
    }

    pub(crate) async fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }
}
