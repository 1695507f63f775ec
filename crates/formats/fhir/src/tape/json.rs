//! A value of any document, as JSON.

use bytes::Bytes;

use super::{Format, Kind, Node};
use crate::write::write_string;

impl Node<'_> {
    /// The value as JSON: the received bytes when the document is JSON, without a copy; written anew, without
    /// white space and with the decimals as they were, when it is XML.
    #[must_use]
    pub fn json(self) -> Bytes {
        match self.document().format() {
            Format::Json => self.raw_bytes(),
            Format::Xml => self.written().into(),
        }
    }

    fn written(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.raw().len());
        write(&mut out, self);
        out
    }
}

/// As deep as the document, which has a limit.
fn write(out: &mut Vec<u8>, node: Node<'_>) {
    match node.kind() {
        Kind::Object => list(out, (b'{', b'}'), node.members(), |out, (name, value)| {
            write_string(out, name);
            out.push(b':');
            write(out, value);
        }),
        Kind::Array => list(out, (b'[', b']'), node.items(), write),
        Kind::String => write_string(out, node.str().unwrap_or_default()),
        Kind::Number | Kind::Boolean => out.extend(node.raw().as_bytes()),
        Kind::Null => out.extend(b"null"),
    }
}

fn list<T>(out: &mut Vec<u8>, (open, close): (u8, u8), items: impl Iterator<Item = T>, one: impl Fn(&mut Vec<u8>, T)) {
    out.push(open);
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        one(out, item);
    }
    out.push(close);
}
