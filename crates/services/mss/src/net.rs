//! A buffered stream of lines under limits and deadlines, the same on both sides.
//!
//! Not here: what the lines mean.

use std::io;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// Any connection: TCP, TLS over it, or a pipe in a test.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A stream with what was read from it and not yet used.
#[derive(Debug)]
pub(crate) struct Lines<S> {
    stream: S,
    buffer: BytesMut,
    wait: Duration,
}

/// Why nothing more was read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    /// The peer closed, or the network failed.
    #[error("the connection was lost: {0}")]
    Lost(#[from] io::Error),
    /// Nothing came for too long.
    #[error("the peer was silent for {} s", .0.as_secs())]
    Silent(Duration),
    /// A line longer than the limit; the rest of it was not read.
    #[error("a line has more than {0} octets")]
    LineTooLong(usize),
    /// A line that is not UTF-8.
    #[error("a line is not UTF-8")]
    Encoding,
}

impl<S: Stream> Lines<S> {
    const PIECE: usize = 32 * 1024;

    /// Every single read or write ends after `wait`.
    pub(crate) fn new(stream: S, wait: Duration) -> Self {
        Self { stream, buffer: BytesMut::new(), wait }
    }

    /// From now on; gives back what it was.
    pub(crate) const fn set_wait(&mut self, wait: Duration) -> Duration {
        std::mem::replace(&mut self.wait, wait)
    }

    /// The next line, its CRLF (or LF) left out; nothing at the end of the stream.
    pub(crate) async fn line(&mut self, length_max: usize) -> Result<Option<String>, NetError> {
        let Some(mut line) = self.raw_line(length_max).await? else { return Ok(None) };
        while line.last().is_some_and(|b| matches!(b, b'\r' | b'\n')) {
            line.truncate(line.len() - 1);
        }
        String::from_utf8(line.to_vec()).map(Some).map_err(|_| NetError::Encoding)
    }

    /// The next line with its line break; nothing at the end of the stream.
    pub(crate) async fn raw_line(&mut self, length_max: usize) -> Result<Option<BytesMut>, NetError> {
        let mut searched = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                let end = searched + at + 1;
                if end > length_max {
                    self.buffer.advance(end);
                    return Err(NetError::LineTooLong(length_max));
                }
                return Ok(Some(self.buffer.split_to(end)));
            }
            searched = self.buffer.len();
            if searched > length_max {
                return Err(NetError::LineTooLong(length_max));
            }
            if self.fill().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// So many octets, added to `into`.
    pub(crate) async fn exactly(&mut self, length: usize, into: &mut BytesMut) -> Result<(), NetError> {
        while self.buffer.len() < length {
            if self.fill().await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        into.extend_from_slice(&self.buffer.split_to(length));
        Ok(())
    }

    /// Octets as they come, at least one; none at the end of the stream.
    pub(crate) async fn some(&mut self) -> Result<Bytes, NetError> {
        if self.buffer.is_empty() && self.fill().await? == 0 {
            return Ok(Bytes::new());
        }
        Ok(self.buffer.split().freeze())
    }

    /// Gives back octets that [`Self::some`] took too many.
    pub(crate) fn unread(&mut self, rest: &[u8]) {
        let mut buffer = BytesMut::from(rest);
        buffer.extend_from_slice(&self.buffer);
        self.buffer = buffer;
    }

    /// Is there nothing read and unused?
    pub(crate) fn is_drained(&self) -> bool {
        self.buffer.is_empty()
    }

    async fn fill(&mut self) -> Result<usize, NetError> {
        self.buffer.reserve(Self::PIECE);
        match timeout(self.wait, self.stream.read_buf(&mut self.buffer)).await {
            Ok(read) => Ok(read?),
            Err(_) => Err(NetError::Silent(self.wait)),
        }
    }

    /// Writes and flushes.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        let write = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(self.wait, write).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(NetError::Silent(self.wait)),
        }
    }

    /// Says goodbye to the peer, as far as it listens.
    pub(crate) async fn close(&mut self) {
        let _ = timeout(Duration::from_secs(1), self.stream.shutdown()).await;
    }

    /// The stream under it; what was read and not used is gone.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn peer(text: &'static [u8]) -> Lines<tokio::io::DuplexStream> {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        theirs.write_all(text).await.unwrap();
        Lines::new(ours, Duration::from_millis(50))
    }

    #[tokio::test]
    async fn lines_come_one_by_one_under_a_limit() {
        let mut lines = peer(b"EHLO x\r\nNOOP\n\xff\r\nlonger than ten\r\nQUIT\r\n").await;
        assert_eq!(lines.line(10).await.unwrap().as_deref(), Some("EHLO x"));
        assert_eq!(lines.line(10).await.unwrap().as_deref(), Some("NOOP"));
        assert!(matches!(lines.line(10).await, Err(NetError::Encoding)));
        assert!(matches!(lines.line(10).await, Err(NetError::LineTooLong(10))));
        assert_eq!(lines.line(10).await.unwrap().as_deref(), Some("QUIT"));
        assert!(lines.line(10).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_line_without_end_is_stopped_and_a_silent_peer_too() {
        let mut endless = peer(&[b'a'; 100]).await;
        assert!(matches!(endless.line(10).await, Err(NetError::LineTooLong(10))));
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut silent = Lines::new(ours, Duration::from_millis(20));
        assert!(matches!(silent.line(10).await, Err(NetError::Silent(_))));
    }

    #[tokio::test]
    async fn octets_can_be_given_back() {
        let mut lines = peer(b"abcdef\r\n").await;
        assert_eq!(lines.some().await.unwrap().as_ref(), b"abcdef\r\n");
        lines.unread(b"def\r\n");
        assert!(!lines.is_drained());
        assert_eq!(lines.line(10).await.unwrap().as_deref(), Some("def"));
    }
}
