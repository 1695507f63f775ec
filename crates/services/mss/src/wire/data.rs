//! A message inside SMTP's `DATA` (RFC 5321 §4.5.2): lines that begin with a dot get another one, and
//! `CRLF . CRLF` ends it.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

/// The message as `DATA` sends it, end included. Lines must end with CRLF already, as [`super::message`]
/// writes them; a last line without CRLF gets one.
#[must_use]
pub fn stuff(message: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(message.len() + message.len() / 64 + 8);
    let mut rest = message;
    if rest.first() == Some(&b'.') {
        out.extend_from_slice(b".");
    }
    while let Some(at) = memmem::find(rest, b"\n.") {
        out.extend_from_slice(&rest[..=at]);
        out.extend_from_slice(b".");
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    if !message.is_empty() && !message.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out.freeze()
}

/// Reads what follows `DATA`, piece by piece.
///
/// The end is `CRLF . CRLF` alone: a lone CR or LF is told apart in [`Received::bare_line_break`], since two
/// servers that disagree on where a message ends let one mail smuggle another.
#[derive(Debug)]
pub struct Unstuffer {
    message: BytesMut,
    line: State,
    size_max: usize,
    size: usize,
    bare_line_break: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    LineStart,
    Dot,
    DotCr,
    Inside,
    Cr,
}

/// A message that has come to its end.
#[derive(Debug)]
pub struct Received {
    /// The message, dots removed; nothing when it is larger than allowed.
    pub message: Option<Bytes>,
    /// A CR or an LF stood alone somewhere.
    pub bare_line_break: bool,
}

impl Unstuffer {
    /// Keeps at most `size_max` octets; what follows is read to the end and dropped.
    #[must_use]
    pub fn new(size_max: usize) -> Self {
        Self { message: BytesMut::new(), line: State::LineStart, size_max, size: 0, bare_line_break: false }
    }

    /// Takes octets; says how many belonged to the message, and gives it when it has ended.
    pub fn push(&mut self, bytes: &[u8]) -> (usize, Option<Received>) {
        let mut at = 0;
        while at < bytes.len() {
            if self.line == State::Inside {
                // The long way inside a line is copied whole.
                let end = memchr::memchr2(b'\r', b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found);
                self.keep(&bytes[at..end]);
                at = end;
                if at == bytes.len() {
                    break;
                }
            }
            let byte = bytes[at];
            at += 1;
            if self.step(byte) {
                return (at, Some(self.finish()));
            }
        }
        (at, None)
    }

    /// One octet; true at the end of the message.
    fn step(&mut self, byte: u8) -> bool {
        self.line = match (self.line, byte) {
            (State::LineStart, b'.') => State::Dot,
            (State::Dot, b'\r') => State::DotCr,
            (State::DotCr, b'\n') => return true,
            (State::DotCr, _) => {
                // A dot, a CR, then something else: the dot was stuffing, the CR stands alone.
                self.keep(b"\r");
                self.bare_line_break = true;
                self.after_cr_or_inside(byte)
            }
            (State::Cr, b'\n') => {
                self.keep(b"\n");
                State::LineStart
            }
            (State::Cr, _) => {
                self.bare_line_break = true;
                self.after_cr_or_inside(byte)
            }
            _ => self.after_cr_or_inside(byte),
        };
        false
    }

    fn after_cr_or_inside(&mut self, byte: u8) -> State {
        self.keep(&[byte]);
        match byte {
            b'\r' => State::Cr,
            b'\n' => {
                self.bare_line_break = true;
                State::Inside
            }
            _ => State::Inside,
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.size += bytes.len();
        if self.size <= self.size_max {
            self.message.extend_from_slice(bytes);
        } else {
            self.message = BytesMut::new();
        }
    }

    fn finish(&mut self) -> Received {
        let message = (self.size <= self.size_max).then(|| std::mem::take(&mut self.message).freeze());
        Received { message, bare_line_break: self.bare_line_break }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], size_max: usize) -> Option<(usize, Received)> {
        let mut reader = Unstuffer::new(size_max);
        match reader.push(bytes) {
            (used, Some(received)) => Some((used, received)),
            (_, None) => None,
        }
    }

    #[test]
    fn dots_are_doubled_and_the_end_is_added() {
        let cases: [(&str, &str); 6] = [
            ("", ".\r\n"),
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"),
            ("a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n"),
            ("a.b\r\n", "a.b\r\n.\r\n"),
        ];
        for (message, sent) in cases {
            assert_eq!(stuff(message.as_bytes()), sent.as_bytes(), "{message:?}");
        }
    }

    #[test]
    fn only_crlf_dot_crlf_ends_a_message() {
        let cases: [(&str, Option<&str>, bool); 8] = [
            ("a\r\n.\r\n", Some("a\r\n"), false),
            (".\r\n", Some(""), false),
            ("..a\r\n.\r\n", Some(".a\r\n"), false),
            (".a\r\n.\r\n", Some("a\r\n"), false),
            ("a\n.\r\n", None, false),
            ("a\n.\nb\r\n.\r\n", Some("a\n.\nb\r\n"), true),
            ("a\r\n.\rb\r\n.\r\n", Some("a\r\n\rb\r\n"), true),
            ("a\rb\r\n.\r\n", Some("a\rb\r\n"), true),
        ];
        for (sent, message, bare) in cases {
            let found = read(sent.as_bytes(), 1000);
            assert_eq!(found.is_some(), message.is_some(), "{sent:?}");
            let Some((used, received)) = found else { continue };
            assert_eq!(used, sent.len(), "{sent:?}");
            assert_eq!(received.message.as_deref(), message.map(str::as_bytes), "{sent:?}");
            assert_eq!(received.bare_line_break, bare, "{sent:?}");
        }
    }

    #[test]
    fn a_message_too_large_is_read_to_its_end_and_dropped() {
        let (used, received) = read(b"12345\r\n.\r\nQUIT\r\n", 6).unwrap();
        assert_eq!((used, received.message), (10, None));
        assert_eq!(read(b"1234\r\n.\r\n", 6).unwrap().1.message.unwrap().as_ref(), b"1234\r\n");
    }

    proptest! {
        #[test]
        fn a_message_comes_back_in_any_pieces(lines in prop::collection::vec("[a.\r]{0,8}", 0..20), cut in 1usize..7) {
            let message: String = lines.iter().map(|line| format!("{}\r\n", line.replace('\r', ""))).collect();
            let sent = stuff(message.as_bytes());
            let mut reader = Unstuffer::new(10_000);
            let mut found = None;
            for piece in sent.chunks(cut) {
                prop_assert!(found.is_none(), "ended before its end");
                found = reader.push(piece).1;
            }
            let received = found.unwrap();
            let read = received.message.unwrap();
            prop_assert_eq!(read.as_ref(), message.as_bytes());
            prop_assert!(!received.bare_line_break);
        }

        #[test]
        fn any_octets_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut whole = bytes;
            whole.extend_from_slice(b"\r\n.\r\n");
            prop_assert!(read(&whole, 50).is_some());
        }
    }
}
