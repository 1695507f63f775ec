use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// Longest text read as a DN: the longest of the white list has about 200 characters.
const TEXT_MAX: usize = 4096;

/// A distinguished name, compared as a set.
///
/// The same name is printed in either order, its multi-valued parts in any order, with or without a
/// space after the comma (the MSSanté white list does all of it): two names are equal when they hold
/// the same attributes with the same values, trimmed and without case. Text is read tolerantly and
/// written by RFC 2253, most specific part first.
#[derive(Clone)]
pub struct DistinguishedName {
    /// As encoded: least specific first.
    parts: Vec<Vec<DnAttribute>>,
    /// Sorted normal form of all attributes: what equality and hashing look at.
    key: Vec<(String, String)>,
}

/// One attribute of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnAttribute {
    /// `CN`, `OU`, `O`, `ST`, `C`… or a dotted OID when it has no short name here.
    pub kind: String,
    /// The value, as it is in the certificate.
    pub value: String,
}

/// OID and short name. RFC 2253 names the first ones; GN, SN and the rest are those that tools print
/// for the subjects of IGC-Santé persons.
const KINDS: [(&str, &str); 14] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.11", "OU"),
    ("2.5.4.10", "O"),
    ("2.5.4.8", "ST"),
    ("2.5.4.7", "L"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("2.5.4.4", "SN"),
    ("2.5.4.42", "GN"),
    ("2.5.4.12", "title"),
    ("2.5.4.5", "serialNumber"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// Other spellings met in texts.
const SYNONYMS: [(&str, &str); 7] = [
    ("S", "ST"),
    ("SURNAME", "SN"),
    ("GIVENNAME", "GN"),
    ("T", "title"),
    ("E", "emailAddress"),
    ("EMAIL", "emailAddress"),
    ("OID.2.5.4.5", "serialNumber"),
];

impl DistinguishedName {
    /// A name from its parts, least specific first, as they are encoded.
    #[must_use]
    pub fn new(parts: Vec<Vec<DnAttribute>>) -> Self {
        let mut key: Vec<_> = parts.iter().flatten().map(|a| (a.kind.to_lowercase(), normal(&a.value))).collect();
        key.sort_unstable();
        Self { parts, key }
    }

    /// The first value of an attribute, from the most specific part.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&str> {
        self.parts.iter().rev().flatten().find(|a| a.kind.eq_ignore_ascii_case(kind)).map(|a| a.value.as_str())
    }

    /// Every value of an attribute, most specific part first (IGC-Santé issuers have two OU).
    pub fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        self.parts.iter().rev().flatten().filter(move |a| a.kind.eq_ignore_ascii_case(kind)).map(|a| a.value.as_str())
    }

    /// The parts as encoded, least specific first; a part holds several attributes in a person's name.
    #[must_use]
    pub fn parts(&self) -> &[Vec<DnAttribute>] {
        &self.parts
    }
}

/// Trimmed, inner spaces as one, without case (what RFC 5280 §7.1 asks of a comparison).
fn normal(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for word in value.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().flat_map(char::to_lowercase));
    }
    out
}

impl PartialEq for DistinguishedName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for DistinguishedName {}

impl Hash for DistinguishedName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts.iter().rev().enumerate() {
            for (within, attribute) in part.iter().enumerate() {
                match (at, within) {
                    (0, 0) => {}
                    (_, 0) => f.write_str(",")?,
                    _ => f.write_str("+")?,
                }
                write!(f, "{}=", attribute.kind)?;
                escape(&attribute.value, f)?;
            }
        }
        Ok(())
    }
}

/// RFC 2253 §2.4.
fn escape(value: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        let special = matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';');
        let edge = (at == 0 && matches!(c, ' ' | '#')) || (at == last && c == ' ');
        if special || edge {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    Ok(())
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for DistinguishedName {
    type Err = DnError;

    /// Reads a printed name, most specific part first.
    ///
    /// A comma separates only before a known attribute type and `=`: values of the white list hold
    /// commas and apostrophes that nobody escaped.
    fn from_str(text: &str) -> Result<Self, DnError> {
        if text.len() > TEXT_MAX {
            return Err(DnError::TooLong);
        }
        let mut parts: Vec<Vec<DnAttribute>> = Vec::new();
        let mut rest = text;
        let mut joined = false;
        loop {
            let (kind, after) = kind_and_equals(rest).ok_or(DnError::NoAttribute { at: text.len() - rest.len() })?;
            let (value, separator, after) = value(after)?;
            let attribute = DnAttribute { kind, value };
            match parts.last_mut() {
                Some(part) if joined => part.push(attribute),
                _ => parts.push(vec![attribute]),
            }
            let Some(separator) = separator else { break };
            joined = separator == '+';
            rest = after;
        }
        parts.reverse();
        Ok(Self::new(parts))
    }
}

/// `CN=` or `2.5.4.3 =`, spaces allowed around; the known name of the type.
fn kind_and_equals(text: &str) -> Option<(String, &str)> {
    let (kind, rest) = text.split_once('=')?;
    Some((known_kind(kind.trim())?, rest))
}

fn known_kind(text: &str) -> Option<String> {
    let by_name = KINDS.iter().find(|(oid, name)| name.eq_ignore_ascii_case(text) || *oid == text);
    if let Some((_, name)) = by_name {
        return Some((*name).to_owned());
    }
    if let Some((_, name)) = SYNONYMS.iter().find(|(other, _)| other.eq_ignore_ascii_case(text)) {
        return Some((*name).to_owned());
    }
    let dotted = text.contains('.') && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    dotted.then(|| text.to_owned())
}

/// The value up to a separator that an attribute type follows, unescaped; the separator; what follows.
fn value(text: &str) -> Result<(String, Option<char>, &str), DnError> {
    let text = text.trim_start_matches(is_blank);
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted_value(quoted);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut kept = 0; // length up to the last sign that trimming may not remove
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                escaped(&mut chars, &mut out)?;
                kept = out.len();
            }
            ',' | ';' | '+' if kind_and_equals(&text[at + 1..]).is_some() => {
                return Ok((finish(out, kept)?, Some(c), &text[at + 1..]));
            }
            _ => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                if !is_blank(c) {
                    kept = out.len();
                }
            }
        }
    }
    Ok((finish(out, kept)?, None, ""))
}

/// What surrounds a value without being part of it, unless escaped.
const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn finish(mut out: Vec<u8>, kept: usize) -> Result<String, DnError> {
    out.truncate(kept);
    String::from_utf8(out).map_err(|_| DnError::Escape)
}

/// `\,` or `\C3\A9` (RFC 2253 §3).
fn escaped(chars: &mut std::str::CharIndices<'_>, out: &mut Vec<u8>) -> Result<(), DnError> {
    let (_, first) = chars.next().ok_or(DnError::Escape)?;
    let Some(high) = first.to_digit(16) else {
        out.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
        return Ok(());
    };
    let low = chars.next().and_then(|(_, c)| c.to_digit(16)).ok_or(DnError::Escape)?;
    out.push(u8::try_from(high * 16 + low).map_err(|_| DnError::Escape)?);
    Ok(())
}

fn quoted_value(text: &str) -> Result<(String, Option<char>, &str), DnError> {
    let mut out = Vec::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => escaped(&mut chars, &mut out)?,
            '"' => {
                let rest = text[at + 1..].trim_start_matches(is_blank);
                let value = String::from_utf8(out).map_err(|_| DnError::Escape)?;
                let Some(separator) = rest.chars().next() else { return Ok((value, None, "")) };
                if !matches!(separator, ',' | ';' | '+') {
                    return Err(DnError::Quote);
                }
                return Ok((value, Some(separator), &rest[1..]));
            }
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(DnError::Quote)
}

/// The short name of an attribute type, or its OID.
pub(super) fn kind_of(oid: &str) -> String {
    known_kind(oid).unwrap_or_else(|| oid.to_owned())
}

/// The OID of a short name of [`KINDS`].
pub(crate) fn oid_of(kind: &str) -> Option<&'static str> {
    KINDS.iter().find(|(_, name)| name.eq_ignore_ascii_case(kind)).map(|(oid, _)| *oid)
}

/// Why a text is not a distinguished name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DnError {
    /// No `CN=`-like start where one is due.
    #[error("no attribute type and `=` at byte {at} (RFC 2253 §3)")]
    NoAttribute {
        /// Byte offset in the text.
        at: usize,
    },
    /// A backslash followed by nothing that it can escape.
    #[error("a backslash escapes nothing that RFC 2253 §3 knows")]
    Escape,
    /// A quote never closed, or followed by more text.
    #[error("a quoted value is not closed before the next separator")]
    Quote,
    /// Over 4096 bytes.
    #[error("a distinguished name of more than {TEXT_MAX} bytes is not read")]
    TooLong,
}
