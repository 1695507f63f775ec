use bytes::{BufMut as _, BytesMut};

/// Octets of responses, written by the rules of RFC 3501 §9.
#[derive(Debug, Default)]
pub(super) struct Out(BytesMut);

impl Out {
    pub(super) fn raw(&mut self, text: &str) -> &mut Self {
        self.0.put_slice(text.as_bytes());
        self
    }

    /// A string: quoted when it is short and printable, a literal otherwise.
    pub(super) fn string(&mut self, bytes: &[u8]) -> &mut Self {
        let is_plain = bytes.len() <= 1000 && bytes.iter().all(|b| (b' '..=b'~').contains(b));
        if !is_plain {
            return self.literal(bytes);
        }
        self.0.put_u8(b'"');
        for byte in bytes {
            if matches!(byte, b'"' | b'\\') {
                self.0.put_u8(b'\\');
            }
            self.0.put_u8(*byte);
        }
        self.0.put_u8(b'"');
        self
    }

    pub(super) fn literal(&mut self, bytes: &[u8]) -> &mut Self {
        self.raw(&format!("{{{}}}\r\n", bytes.len()));
        self.0.put_slice(bytes);
        self
    }

    /// `NIL`, or a string.
    pub(super) fn nstring(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            None => self.raw("NIL"),
            Some(text) => self.string(text.as_bytes()),
        }
    }

    /// `(a b c)`.
    pub(super) fn list<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) -> &mut Self {
        self.raw("(");
        for (at, word) in words.into_iter().enumerate() {
            if at > 0 {
                self.raw(" ");
            }
            self.raw(word);
        }
        self.raw(")")
    }

    /// Takes over what another one holds.
    pub(super) fn append(&mut self, other: &mut Self) {
        self.0.unsplit(other.take());
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What was written, and an empty start.
    pub(super) fn take(&mut self) -> BytesMut {
        self.0.split()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_or_literal() {
        let mut out = Out::default();
        out.nstring(None).raw(" ").string(b"a \"b\" \\").raw(" ").string("é".as_bytes()).raw(" ").list(["x", "y"]);
        assert_eq!(out.take(), "NIL \"a \\\"b\\\" \\\\\" {2}\r\né (x y)".as_bytes());
        assert_eq!(out.len(), 0);
        out.string(b"a\r\nb");
        assert_eq!(out.take(), b"{4}\r\na\r\nb"[..]);
    }
}
