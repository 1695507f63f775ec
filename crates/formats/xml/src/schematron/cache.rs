//! A compiled schema as bytes: reading it back is fifty times faster than compiling.
//!
//! Format: magic and version, the key of the package, a checksum, a pool of strings, the expanded names, then the schema
//! field by field with short numbers. A file that is damaged, of another version or another package is no cache: the
//! schema is compiled again. Schemas with an expression that is not understood are not kept.

mod expressions;
mod parts;

use std::collections::HashMap;
use std::sync::Arc;

use super::model::Schematron;
use crate::arena::{Local, Names, Namespace, Sym, Table, Template};

/// Changes whenever the compiled form does.
const MAGIC: &[u8; 8] = b"SOCLSCH1";
/// Values inside values; what the compiler makes is far from it.
const DEPTH: usize = 4096;

/// Writes and reads a value.
trait Stored: Sized {
    fn put(&self, to: &mut Writer);
    fn take(from: &mut Reader<'_>) -> Option<Self>;
}

struct Writer {
    out: Vec<u8>,
    table: Arc<Table>,
    strings: HashMap<Box<str>, u32>,
    pool: Vec<Box<str>>,
    names: HashMap<u32, u32>,
    name_pool: Vec<(u32, u32)>,
}

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push((value & 0x7F) as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    fn string(&mut self, text: &str) -> u32 {
        if let Some(&known) = self.strings.get(text) {
            return known;
        }
        let number = u32::try_from(self.pool.len()).unwrap_or(u32::MAX);
        self.pool.push(text.into());
        self.strings.insert(text.into(), number);
        number
    }

    fn name(&mut self, sym: Sym) {
        let known = self.names.get(&sym.0).copied();
        let number = known.unwrap_or_else(|| {
            let table = self.table.clone();
            let (namespace, local) = table.parts.get(sym.0 as usize).copied().unwrap_or_default();
            let pair = (self.string(table.namespaces.at(namespace)), self.string(table.locals.at(local)));
            let number = u32::try_from(self.name_pool.len()).unwrap_or(u32::MAX);
            self.name_pool.push(pair);
            self.names.insert(sym.0, number);
            number
        });
        self.number(u64::from(number));
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    depth: usize,
    strings: Vec<&'b str>,
    names: Vec<Sym>,
    shared: &'b Names,
}

impl<'b> Reader<'b> {
    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// How many items follow: never more than there are bytes left.
    fn length(&mut self) -> Option<usize> {
        let length = usize::try_from(self.number()?).ok()?;
        (length <= self.bytes.len() - self.at).then_some(length)
    }

    fn slice(&mut self, length: usize) -> Option<&'b [u8]> {
        let slice = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(slice)
    }

    fn string(&mut self) -> Option<&'b str> {
        let number = usize::try_from(self.number()?).ok()?;
        self.strings.get(number).copied()
    }
}

impl Stored for Sym {
    fn put(&self, to: &mut Writer) {
        to.name(*self);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let number = usize::try_from(from.number()?).ok()?;
        from.names.get(number).copied()
    }
}

macro_rules! interned {
    ($($type:ident $strings:ident $intern:ident),*) => {$(
        impl Stored for $type {
            fn put(&self, to: &mut Writer) {
                let number = to.string(&to.table.clone().$strings.at(self.0).to_owned());
                to.number(u64::from(number));
            }

            fn take(from: &mut Reader<'_>) -> Option<Self> {
                let text = from.string()?;
                Some(from.shared.$intern(text))
            }
        }
    )*};
}

interned!(Namespace namespaces namespace, Local locals local, Template templates template);

impl Schematron {
    /// The compiled schema as bytes, for [`from_cache`](Self::from_cache). `key` is what the schema was compiled from.
    /// `None` when it has an expression that is not understood.
    #[must_use]
    pub fn to_cache(&self, key: &str, names: &Names) -> Option<Vec<u8>> {
        if self.expressions.iter().any(Result::is_err) || self.rules.iter().any(|rule| rule.alternatives.is_err()) {
            return None;
        }
        let mut to = Writer {
            out: Vec::new(),
            table: names.snapshot(),
            strings: HashMap::new(),
            pool: Vec::new(),
            names: HashMap::new(),
            name_pool: Vec::new(),
        };
        self.put(&mut to);
        let body = std::mem::take(&mut to.out);
        to.number(to.pool.len() as u64);
        for text in std::mem::take(&mut to.pool) {
            to.number(text.len() as u64);
            to.out.extend_from_slice(text.as_bytes());
        }
        to.number(to.name_pool.len() as u64);
        for (namespace, local) in std::mem::take(&mut to.name_pool) {
            to.number(u64::from(namespace));
            to.number(u64::from(local));
        }
        let content = [to.out, body].concat();
        let mut file =
            [&MAGIC[..], &checksum(key.as_bytes()).to_le_bytes(), &checksum(&content).to_le_bytes()].concat();
        file.extend(content);
        Some(file)
    }

    /// A schema from its bytes; `None` when they are damaged, or of another version or key.
    #[must_use]
    pub fn from_cache(bytes: &[u8], key: &str, names: &Names) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC[..])?;
        let (known_key, rest) = rest.split_first_chunk::<8>()?;
        let (sum, content) = rest.split_first_chunk::<8>()?;
        if u64::from_le_bytes(*known_key) != checksum(key.as_bytes()) || u64::from_le_bytes(*sum) != checksum(content) {
            return None;
        }
        let mut from =
            Reader { bytes: content, at: 0, depth: 0, strings: Vec::new(), names: Vec::new(), shared: names };
        for _ in 0..from.length()? {
            let length = from.length()?;
            let text = std::str::from_utf8(from.slice(length)?).ok()?;
            from.strings.push(text);
        }
        for _ in 0..from.length()? {
            let (namespace, local) = (from.string()?, from.string()?);
            from.names.push(names.intern(namespace, local));
        }
        let mut schema = Self::take(&mut from)?;
        schema.generation = names.generation();
        Some(schema)
    }
}

/// Eight bytes at a time: against damage, not against forgery; the folder is the user's own.
fn checksum(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(PRIME).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(bytes.len() as u64, |sum, word| step(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| step(sum, u64::from(*byte)))
}
