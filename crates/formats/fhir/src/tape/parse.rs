//! One pass over the bytes. No recursion: an open object or array is an entry of `open`.

use bytes::Bytes;
use memchr::memchr2;

use super::place::Places;
use super::{Document, Format, JsonError, JsonErrorKind, Keys, Limits, NameId, Node, OddityKind, Raw, Tag, companion};

pub(super) fn parse(bytes: Bytes, limits: &Limits) -> Result<Document, JsonError> {
    let text = match decode(&bytes, limits) {
        Ok(text) => text,
        Err(fail) => return Err(Builder::new("", limits).explain(bytes.clone(), fail)),
    };
    let mut builder = Builder::new(text, limits);
    match builder.run() {
        Ok(()) => {
            let parts = builder.parts;
            Ok(parts.document(bytes))
        }
        Err(fail) => Err(builder.explain(bytes.clone(), fail)),
    }
}

/// RFC 8259 §8.1: UTF-8, nothing else.
fn decode<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Fail> {
    let limit = limits.bytes.min(u32::MAX as usize - 1);
    if bytes.len() > limit {
        return Err(Fail { kind: JsonErrorKind::TooBig { limit }, at: 0 });
    }
    if matches!(bytes, [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, ..] | [_, 0, ..]) {
        return Err(Fail { kind: JsonErrorKind::Utf16, at: 0 });
    }
    std::str::from_utf8(bytes).map_err(|error| Fail { kind: JsonErrorKind::NotUtf8, at: error.valid_up_to() })
}

struct Fail {
    kind: JsonErrorKind,
    at: usize,
}

struct Open {
    index: u32,
    is_object: bool,
    is_empty: bool,
    /// One bit for each name that was seen, by its lowest bits.
    names: [u64; 4],
    /// Two names had the same bit: they may be the same.
    may_repeat: bool,
    /// It has a `_name`, or an array with a null: who fills whom must be looked at.
    has_companion: bool,
}

impl Open {
    const fn new(index: u32, is_object: bool) -> Self {
        Self { index, is_object, is_empty: true, names: [0; 4], may_repeat: false, has_companion: false }
    }

    #[inline]
    const fn see(&mut self, name: NameId) {
        let (word, bit) = (&mut self.names[(name.0 >> 6 & 3) as usize], 1 << (name.0 & 63));
        self.may_repeat |= *word & bit != 0;
        *word |= bit;
    }
}

struct Builder<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    max_nodes: usize,
    open: Vec<Open>,
    /// The name that was read and has no value yet.
    pending: NameId,
    parts: Parts,
}

struct Parts {
    nodes: Vec<Raw>,
    keys: Keys,
    unescaped: String,
    escapes: Vec<(u32, u32)>,
    oddities: Vec<(u32, OddityKind)>,
}

impl Parts {
    fn document(self, bytes: Bytes) -> Document {
        let Self { nodes, keys, unescaped, escapes, mut oddities } = self;
        oddities.sort_by_key(|(index, _)| *index);
        Document {
            bytes,
            format: Format::Json,
            nodes,
            keys,
            unescaped,
            escapes,
            oddities,
            places: std::sync::OnceLock::new(),
        }
    }
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, limits: &Limits) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth: limits.depth,
            max_nodes: limits.nodes.min(u32::MAX as usize - 1),
            open: Vec::with_capacity(16),
            pending: NameId::NONE,
            parts: Parts {
                nodes: Vec::with_capacity((text.len() / 24).clamp(16, 1 << 16)),
                keys: Keys::new(),
                unescaped: String::new(),
                escapes: Vec::new(),
                oddities: Vec::new(),
            },
        }
    }

    fn run(&mut self) -> Result<(), Fail> {
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            self.at = 3;
            self.parts.oddities.push((0, OddityKind::ByteOrderMark));
        }
        self.space();
        if self.at == self.bytes.len() {
            return self.fail(JsonErrorKind::Empty);
        }
        self.value()?;
        while let Some(open) = self.open.last() {
            let (index, is_object, is_empty) = (open.index, open.is_object, open.is_empty);
            self.next_child(index, is_object, is_empty)?;
        }
        self.space();
        if self.at < self.bytes.len() {
            return self.fail_or_comment(JsonErrorKind::TrailingData);
        }
        Ok(())
    }

    fn next_child(&mut self, index: u32, is_object: bool, is_empty: bool) -> Result<(), Fail> {
        let close = if is_object { b'}' } else { b']' };
        self.space();
        let byte = self.peek()?;
        if byte == close {
            self.at += 1;
            return self.close(index, is_object, is_empty);
        }
        if is_empty {
            if let Some(open) = self.open.last_mut() {
                open.is_empty = false;
            }
        } else {
            if byte != b',' {
                return self.fail_or_comment(JsonErrorKind::ExpectedCommaOrEnd);
            }
            self.at += 1;
            self.space();
            if self.peek()? == close {
                return self.fail(JsonErrorKind::TrailingComma);
            }
        }
        if is_object {
            self.name()?;
        }
        self.value()
    }

    fn close(&mut self, index: u32, is_object: bool, is_empty: bool) -> Result<(), Fail> {
        let (may_repeat, has_companion) =
            self.open.pop().map_or((false, false), |open| (open.may_repeat, open.has_companion));
        let skip = self.next_index();
        let end = offset(self.at);
        if let Some(cell) = self.parts.nodes.get_mut(index as usize) {
            cell.skip = skip;
            cell.end = end;
        }
        if is_empty {
            let kind = if is_object { OddityKind::EmptyObject } else { OddityKind::EmptyArray };
            self.parts.oddities.push((index, kind));
        }
        if may_repeat {
            self.refuse_duplicates(index, skip)?;
        }
        if is_object && has_companion {
            self.parts.oddities.extend(companion::oddities(&self.parts.nodes, index));
        }
        Ok(())
    }

    /// The first member of the closed object whose name was there before, if any.
    fn refuse_duplicates(&mut self, object: u32, end: u32) -> Result<(), Fail> {
        let mut members = Vec::new();
        let mut at = object + 1;
        while at < end {
            let cell = &self.parts.nodes[at as usize];
            members.push((cell.key, at));
            at = if matches!(cell.tag, Tag::Object | Tag::Array) { cell.skip } else { at + 1 };
        }
        members.sort_unstable();
        let repeated = members.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1).min();
        let Some(repeated) = repeated else { return Ok(()) };
        let cell = &self.parts.nodes[repeated as usize];
        self.pending = cell.key;
        self.open.push(Open::new(object, true));
        Err(Fail { kind: JsonErrorKind::DuplicateName, at: cell.start as usize })
    }

    fn name(&mut self) -> Result<(), Fail> {
        if self.peek()? != b'"' {
            return self.fail_or_comment(JsonErrorKind::ExpectedName);
        }
        let kept = self.parts.unescaped.len();
        self.pending = match self.string()? {
            Str::Plain(start, end) => self.parts.keys.intern(&self.text[start..end]),
            Str::Escaped => {
                let name = self.parts.unescaped.split_off(kept);
                self.parts.keys.intern(&name)
            }
        };
        if let Some(open) = self.open.last_mut() {
            open.see(self.pending);
            open.has_companion |= self.parts.keys.is_companion(self.pending);
        }
        self.space();
        if self.peek()? != b':' {
            return self.fail_or_comment(JsonErrorKind::ExpectedColon);
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn value(&mut self) -> Result<(), Fail> {
        let start = self.at;
        match self.peek()? {
            b'"' => self.string_value(start),
            b'{' => self.container(Tag::Object),
            b'[' => self.container(Tag::Array),
            b'-' | b'0'..=b'9' => {
                self.number()?;
                self.scalar(start, Tag::Number, 0)
            }
            b't' => self.word(b"true", Tag::True),
            b'f' => self.word(b"false", Tag::False),
            b'n' => {
                if self.pending != NameId::NONE {
                    self.parts.oddities.push((self.next_index(), OddityKind::NullMember));
                } else if let Some([object, _]) = self.open.last_chunk_mut() {
                    object.has_companion = true;
                }
                self.word(b"null", Tag::Null)
            }
            _ => self.fail_or_comment(JsonErrorKind::ExpectedValue),
        }
    }

    fn container(&mut self, tag: Tag) -> Result<(), Fail> {
        if self.open.len() >= self.depth {
            return self.fail(JsonErrorKind::TooDeep { limit: self.depth });
        }
        let is_object = tag == Tag::Object;
        let index = self.next_index();
        if !is_object && self.open.last().is_some_and(|open| !open.is_object) {
            self.parts.oddities.push((index, OddityKind::NestedArray));
        }
        let start = self.at;
        self.at += 1;
        self.push(start, tag, u32::MAX)?;
        self.open.push(Open::new(index, is_object));
        Ok(())
    }

    fn string_value(&mut self, start: usize) -> Result<(), Fail> {
        let kept = offset(self.parts.unescaped.len());
        match self.string()? {
            Str::Plain(from, to) => {
                if from == to {
                    self.parts.oddities.push((self.next_index(), OddityKind::EmptyString));
                }
                self.scalar(start, Tag::Plain, 0)
            }
            Str::Escaped => {
                let place = offset(self.parts.escapes.len());
                self.parts.escapes.push((kept, offset(self.parts.unescaped.len())));
                self.scalar(start, Tag::Escaped, place)
            }
        }
    }

    fn word(&mut self, word: &[u8], tag: Tag) -> Result<(), Fail> {
        let start = self.at;
        let rest = &self.bytes[start..];
        if !rest.starts_with(word) {
            let is_cut = word.starts_with(rest);
            return self.fail(if is_cut { JsonErrorKind::Truncated } else { JsonErrorKind::ExpectedValue });
        }
        self.at += word.len();
        self.scalar(start, tag, 0)
    }

    fn scalar(&mut self, start: usize, tag: Tag, skip: u32) -> Result<(), Fail> {
        self.push(start, tag, skip)
    }

    fn push(&mut self, start: usize, tag: Tag, skip: u32) -> Result<(), Fail> {
        if self.parts.nodes.len() >= self.max_nodes {
            return Err(Fail { kind: JsonErrorKind::TooManyValues { limit: self.max_nodes }, at: start });
        }
        let parent = self.open.last().map_or(0, |open| open.index);
        let key = std::mem::replace(&mut self.pending, NameId::NONE);
        self.parts.nodes.push(Raw { start: offset(start), end: offset(self.at), skip, parent, key, tag });
        Ok(())
    }

    /// RFC 8259 §6.
    fn number(&mut self) -> Result<(), Fail> {
        let start = self.at;
        self.at += usize::from(self.bytes[self.at] == b'-');
        let whole = self.digits();
        let leading_zero = whole > 1 && self.bytes.get(self.at - whole) == Some(&b'0');
        if whole == 0 || leading_zero {
            return self.bad_number(start);
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return self.bad_number(start);
            }
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return self.bad_number(start);
            }
        }
        Ok(())
    }

    fn bad_number(&self, start: usize) -> Result<(), Fail> {
        let is_cut = self.at == self.bytes.len();
        let kind = if is_cut { JsonErrorKind::Truncated } else { JsonErrorKind::Number };
        Err(Fail { kind, at: if is_cut { self.at } else { start } })
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - from
    }

    /// Reads the string whose opening quote is here, and goes after its closing quote.
    fn string(&mut self) -> Result<Str, Fail> {
        let start = self.at + 1;
        self.at = self.end_of_plain(start);
        match self.bytes.get(self.at) {
            Some(b'"') => {
                let end = self.at;
                self.at += 1;
                Ok(Str::Plain(start, end))
            }
            _ => self.escaped(start),
        }
    }

    fn escaped(&mut self, start: usize) -> Result<Str, Fail> {
        self.parts.unescaped.push_str(&self.text[start..self.at]);
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Str::Escaped);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return self.fail(JsonErrorKind::ControlCharacter),
                None => return self.fail(JsonErrorKind::Truncated),
            }
            let end = self.end_of_plain(self.at);
            self.parts.unescaped.push_str(&self.text[self.at..end]);
            self.at = end;
        }
    }

    fn escape(&mut self) -> Result<(), Fail> {
        let sign = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            Some(_) => return self.fail(JsonErrorKind::Escape),
            None => return self.fail(JsonErrorKind::Truncated),
        };
        self.at += 2;
        self.parts.unescaped.push(sign);
        Ok(())
    }

    fn unicode_escape(&mut self) -> Result<(), Fail> {
        let first = self.hex(self.at)?;
        let is_high = (0xD800..0xDC00).contains(&first);
        if !is_high {
            let Some(sign) = char::from_u32(first) else { return self.fail(JsonErrorKind::LoneSurrogate) };
            self.at += 6;
            self.parts.unescaped.push(sign);
            return Ok(());
        }
        if !self.bytes[self.at + 6..].starts_with(b"\\u") {
            return self.fail(JsonErrorKind::LoneSurrogate);
        }
        let second = self.hex(self.at + 6)?;
        if !(0xDC00..0xE000).contains(&second) {
            return self.fail(JsonErrorKind::LoneSurrogate);
        }
        let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        self.at += 12;
        self.parts.unescaped.extend(char::from_u32(code));
        Ok(())
    }

    /// The four hexadecimal digits after `\u` at `at`.
    fn hex(&self, at: usize) -> Result<u32, Fail> {
        let Some(digits) = self.bytes.get(at + 2..at + 6) else {
            return Err(Fail { kind: JsonErrorKind::Truncated, at: self.bytes.len() });
        };
        let value = digits.iter().try_fold(0, |value, byte| Some(value * 16 + (*byte as char).to_digit(16)?));
        value.ok_or(Fail { kind: JsonErrorKind::Escape, at })
    }

    /// Where the first quote, backslash or control character is, at or after `from`; or the end.
    ///
    /// Most strings are short: they are looked at eight bytes at a time. Longer ones (base64) go to memchr.
    fn end_of_plain(&self, from: usize) -> usize {
        const SHORT: usize = 64;
        let mut at = from;
        while let Some(chunk) = self.bytes.get(at..at + 8) {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            let found = special(u64::from_le_bytes(word));
            if found != 0 {
                return at + found.trailing_zeros() as usize / 8;
            }
            at += 8;
            if at - from >= SHORT {
                return self.end_of_long(at);
            }
        }
        self.bytes[at..].iter().position(|byte| is_special(*byte)).map_or(self.bytes.len(), |more| at + more)
    }

    fn end_of_long(&self, from: usize) -> usize {
        let rest = &self.bytes[from..];
        let end = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
        let plain = &rest[..end];
        // Without an early exit the compiler looks at many bytes at once.
        let has_control = plain.iter().fold(false, |found, byte| found | (*byte < 0x20));
        if !has_control {
            return from + end;
        }
        from + plain.iter().position(|byte| *byte < 0x20).unwrap_or(end)
    }

    /// Goes after white space; indentation is often long, so eight spaces are one step.
    fn space(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' if self.bytes[self.at..].starts_with(b"        ") => self.at += 8,
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                _ => return,
            }
        }
    }

    fn peek(&self) -> Result<u8, Fail> {
        self.bytes.get(self.at).copied().ok_or(Fail { kind: JsonErrorKind::Truncated, at: self.at })
    }

    fn next_index(&self) -> u32 {
        offset(self.parts.nodes.len())
    }

    fn fail<T>(&self, kind: JsonErrorKind) -> Result<T, Fail> {
        Err(Fail { kind, at: self.at })
    }

    fn fail_or_comment<T>(&self, kind: JsonErrorKind) -> Result<T, Fail> {
        let rest = &self.bytes[self.at..];
        let is_comment = rest.starts_with(b"//") || rest.starts_with(b"/*");
        self.fail(if is_comment { JsonErrorKind::Comment } else { kind })
    }

    /// Turns what was read so far into a document, to say where in it the reading stopped.
    fn explain(mut self, bytes: Bytes, fail: Fail) -> JsonError {
        let end = self.next_index();
        for open in &self.open {
            if let Some(cell) = self.parts.nodes.get_mut(open.index as usize) {
                cell.skip = end;
            }
        }
        let (inside, pending) = (self.open.last().map(|open| (open.index, open.is_object)), self.pending);
        let document = self.parts.document(bytes);
        let position = Places::of(&document.bytes[..fail.at]).position(&document.bytes, fail.at);
        let path = match inside {
            None => "$".to_owned(),
            Some((index, is_object)) => {
                let container = Node::new(&document, index);
                let mut path = container.path();
                if !is_object {
                    path.push_str(&format!("[{}]", container.items().count()));
                } else if pending != NameId::NONE {
                    path.push('.');
                    path.push_str(document.keys.text(pending));
                }
                path
            }
        };
        JsonError { kind: fail.kind, position, path }
    }
}

enum Str {
    /// From and to, quotes left out.
    Plain(usize, usize),
    /// At the end of `unescaped`.
    Escaped,
}

const fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// A high bit at each byte that ends plain text; the lowest such bit is exact, higher ones may be false.
const fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    (below_space | quote | backslash) & HIGH
}

/// Offsets fit: [`decode`] refuses more than 4 GiB, and values and escapes are fewer than bytes.
#[expect(clippy::cast_possible_truncation, reason = "a document has less than 4 GiB")]
const fn offset(value: usize) -> u32 {
    value as u32
}
