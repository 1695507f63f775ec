//! JSON written in the order of the calls, without a tree in between.
//!
//! The closures make brackets and commas impossible to forget; nothing empty can be written where
//! FHIR forbids it, except on purpose. Large contents (a resource as it was received, base64) are
//! appended as they are.

use ::base64::Engine as _;

/// A JSON text being written.
#[derive(Debug, Default)]
pub struct Json(Vec<u8>);

impl Json {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The one object of the text.
    pub fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        write_object(&mut self.0, fill);
    }

    /// The bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// An object being written.
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl Object<'_> {
    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        write_string(self.out, name);
        self.out.push(b':');
    }

    /// A string.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        write_string(self.out, value);
        self
    }

    /// A string, when there is one.
    pub fn maybe(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// An array of strings; nothing when there is none.
    pub fn texts<T: AsRef<str>>(&mut self, name: &str, values: &[T]) -> &mut Self {
        self.array(name, |list| {
            for value in values {
                list.text(value.as_ref());
            }
        })
    }

    /// A boolean.
    pub fn bool(&mut self, name: &str, value: bool) -> &mut Self {
        self.name(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    /// A whole number.
    pub fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.name(name);
        self.out.extend_from_slice(value.to_string().as_bytes());
        self
    }

    /// An object. One that stays empty is taken back: FHIR has none.
    pub fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        let (kept, was_empty) = (self.out.len(), self.is_empty);
        self.name(name);
        let start = self.out.len();
        write_object(self.out, fill);
        self.take_back(kept, was_empty, start)
    }

    /// An array. One that stays empty is taken back: FHIR has none.
    pub fn array(&mut self, name: &str, fill: impl FnOnce(&mut Array<'_>)) -> &mut Self {
        let (kept, was_empty) = (self.out.len(), self.is_empty);
        self.name(name);
        let start = self.out.len();
        self.out.push(b'[');
        fill(&mut Array { out: self.out, is_empty: true });
        self.out.push(b']');
        self.take_back(kept, was_empty, start)
    }

    fn take_back(&mut self, kept: usize, was_empty: bool, start: usize) -> &mut Self {
        if self.out.len() == start + 2 {
            self.out.truncate(kept);
            self.is_empty = was_empty;
        }
        self
    }

    /// A value that is JSON already, such as a resource as it was received. The caller vouches for it.
    pub fn raw(&mut self, name: &str, json: &[u8]) -> &mut Self {
        self.name(name);
        self.out.extend_from_slice(json);
        self
    }

    /// Bytes in base64.
    pub fn base64(&mut self, name: &str, bytes: &[u8]) -> &mut Self {
        self.name(name);
        self.out.push(b'"');
        let start = self.out.len();
        let length = bytes.len().div_ceil(3) * 4;
        self.out.resize(start + length, 0);
        let written = ::base64::engine::general_purpose::STANDARD.encode_slice(bytes, &mut self.out[start..]);
        self.out.truncate(start + written.unwrap_or(0));
        self.out.push(b'"');
        self
    }
}

/// An array being written.
pub struct Array<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl Array<'_> {
    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
    }

    /// A string.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.separate();
        write_string(self.out, value);
        self
    }

    /// An object.
    pub fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        self.separate();
        write_object(self.out, fill);
        self
    }

    /// A value that is JSON already. The caller vouches for it.
    pub fn raw(&mut self, json: &[u8]) -> &mut Self {
        self.separate();
        self.out.extend_from_slice(json);
        self
    }
}

fn write_object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fill(&mut Object { out, is_empty: true });
    out.push(b'}');
}

pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)) {
        out.extend_from_slice(&rest[..at]);
        write_escape(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn written(fill: impl FnOnce(&mut Object<'_>)) -> String {
        let mut json = Json::new();
        json.object(fill);
        String::from_utf8(json.finish()).unwrap()
    }

    #[test]
    fn writes_in_the_order_of_the_calls_and_nothing_empty() {
        let text = written(|out| {
            out.text("b", "x").bool("a", true).number("n", 3).maybe("no", None).texts("none", &[] as &[&str]);
            out.object("empty", |_| {}).array("also", |_| {});
            out.array("list", |list| _ = list.text("y").object(|inner| _ = inner.bool("z", false)).raw(b"[1]"));
            out.object("deep", |deep| _ = deep.object("gone", |gone| _ = gone.array("too", |_| {})));
            out.base64("bytes", b"abc").raw("raw", b"{}");
        });
        assert_eq!(text, r#"{"b":"x","a":true,"n":3,"list":["y",{"z":false},[1]],"bytes":"YWJj","raw":{}}"#);
        assert_eq!(written(|out| _ = out.object("empty", |_| {}).text("a", "b")), r#"{"a":"b"}"#);
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was(text in any::<String>(), name in any::<String>()) {
            let read: Value = serde_json::from_str(&written(|out| _ = out.text(&name, &text))).unwrap();
            prop_assert_eq!(read, json!({name: text}));
        }
    }
}
