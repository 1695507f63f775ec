//! One pass over the markup before a tree is built: what would cost too much is refused while it is cheap.
//!
//! The tree builder reserves memory by the number of `<` and `=`, compares attributes pairwise and copies
//! namespace lists, so hostile input must not reach it. It also tolerates a repeated `xmlns` and
//! `p:xmlns`; those are refused here.

use memchr::{memchr, memchr_iter, memmem};

use super::declaration::declaration;
use super::{Limits, XmlErrorKind};

/// A refusal and the byte where it was seen.
pub(super) type Refused = (XmlErrorKind, usize);

/// Namespaces that may be in scope of one element.
const NAMESPACES_IN_SCOPE: usize = 512;
/// Sum of in-scope namespaces over the elements that declare some: bounds the copies made of them.
const NAMESPACE_COPIES: usize = 20_000_000;
/// Sum of squared attribute counts of elements with many: bounds the pairwise comparisons.
const ATTRIBUTE_COMPARISONS: usize = 100_000_000;
/// From here on an element has "many" attributes.
const MANY_ATTRIBUTES: usize = 64;

/// Checks all limits, DOCTYPE, version and the shape of markup.
pub(super) fn scan(text: &str, limits: &Limits) -> Result<(), Refused> {
    if text.len() > limits.bytes {
        return Err((XmlErrorKind::TooBig { limit: limits.bytes }, 0));
    }
    let bytes = text.as_bytes();
    // Each node needs at most two `<`, each attribute one `=`.
    let reservable = usize::try_from(limits.nodes).unwrap_or(usize::MAX).saturating_mul(2).saturating_add(1024);
    if memchr_iter(b'<', bytes).count() > reservable || memchr_iter(b'=', bytes).count() > reservable {
        return Err((XmlErrorKind::TooManyNodes { limit: limits.nodes }, 0));
    }
    Scanner { bytes, at: start_of_content(text)?, limits, open: Vec::new(), copies: 0, comparisons: 0 }.run()
}

fn start_of_content(text: &str) -> Result<usize, Refused> {
    let mark = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    match declaration(&text[mark..]) {
        None => Ok(mark),
        Some(found) if found.version == Some("1.0") => Ok(mark + found.len),
        Some(found) if found.version.is_none() => Err((malformed("XML declaration"), 0)),
        Some(_) => Err((XmlErrorKind::Version, 0)),
    }
}

fn malformed(what: &'static str) -> XmlErrorKind {
    XmlErrorKind::NotWellFormed(what)
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    limits: &'a Limits,
    /// Namespaces in scope of each open element.
    open: Vec<usize>,
    copies: usize,
    comparisons: usize,
}

impl<'a> Scanner<'a> {
    fn run(mut self) -> Result<(), Refused> {
        while let Some(offset) = memchr(b'<', &self.bytes[self.at..]) {
            self.at += offset;
            self.markup()?;
        }
        Ok(())
    }

    fn markup(&mut self) -> Result<(), Refused> {
        let rest = &self.bytes[self.at..];
        match rest.get(1) {
            Some(b'/') => {
                self.open.pop();
                self.skip_past(b">", "end tag")
            }
            Some(b'?') => self.instruction(),
            Some(b'!') if rest.starts_with(b"<!--") => {
                self.at += b"<!--".len();
                self.skip_past(b"-->", "comment")
            }
            Some(b'!') if rest.starts_with(b"<![CDATA[") => self.skip_past(b"]]>", "CDATA section"),
            Some(b'!') if is_doctype(rest) => Err((XmlErrorKind::Doctype, self.at)),
            Some(b'!') | None => Err((malformed("markup"), self.at)),
            Some(_) => self.start_tag(),
        }
    }

    /// The target `xml`, in any case, is reserved (XML 1.0 §2.6): a second declaration is none.
    fn instruction(&mut self) -> Result<(), Refused> {
        let name = self.name_at(self.at + 2)?;
        if name.eq_ignore_ascii_case(b"xml") {
            return Err((malformed("processing instruction named xml"), self.at));
        }
        // The tree builder lets content begin without white space, right where the name stops being one.
        let rest = &self.bytes[self.at + 2 + name.len()..];
        let separated = rest.starts_with(b"?>") || matches!(rest.first(), Some(b' ' | b'\t' | b'\r' | b'\n'));
        let is_name = std::str::from_utf8(name).is_ok_and(|name| name.chars().all(is_name_char));
        if !separated || !is_name {
            return Err((malformed("name of a processing instruction"), self.at));
        }
        self.skip_past(b"?>", "processing instruction")
    }

    fn start_tag(&mut self) -> Result<(), Refused> {
        let start = self.at;
        self.at += 1 + self.name_at(start + 1)?.len();
        let mut attributes = 0;
        let mut prefixes: Vec<&[u8]> = Vec::new();
        let empty = loop {
            self.skip_space();
            match self.bytes.get(self.at) {
                Some(b'>') => break false,
                Some(b'/') => break true,
                Some(_) => {}
                None => return Err((malformed("start tag"), start)),
            }
            attributes += 1;
            if attributes > self.limits.attributes {
                return Err((XmlErrorKind::TooManyAttributes { limit: self.limits.attributes }, start));
            }
            if let Some(prefix) = self.attribute()? {
                if prefixes.contains(&prefix) {
                    return Err((malformed("namespace declared twice on an element"), start));
                }
                prefixes.push(prefix);
            }
        };
        self.at += 1;
        self.comparisons(start, attributes)?;
        let in_scope = self.namespaces(start, prefixes.len())?;
        if self.open.len() >= self.limits.depth {
            return Err((XmlErrorKind::TooDeep { limit: self.limits.depth }, start));
        }
        if !empty {
            self.open.push(in_scope);
        }
        Ok(())
    }

    /// `Name Eq AttValue`; gives the prefix that it declares, if it declares a namespace.
    fn attribute(&mut self) -> Result<Option<&'a [u8]>, Refused> {
        let start = self.at;
        let name = self.name_at(start)?;
        self.at += name.len();
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b'=') {
            return Err((malformed("attribute without value"), start));
        }
        self.at += 1;
        self.skip_space();
        let Some(quote @ (b'"' | b'\'')) = self.bytes.get(self.at).copied() else {
            return Err((malformed("attribute value without quotes"), start));
        };
        let value = self.at + 1;
        let Some(length) = memchr(quote, &self.bytes[value..]) else {
            return Err((malformed("attribute value without end"), start));
        };
        self.at = value + length + 1;
        declared_prefix(name, length).map_err(|what| (malformed(what), start))
    }

    fn namespaces(&mut self, start: usize, declared: usize) -> Result<usize, Refused> {
        let inherited = self.open.last().copied().unwrap_or(0);
        if declared == 0 {
            return Ok(inherited);
        }
        let in_scope = inherited + declared;
        self.copies = self.copies.saturating_add(in_scope);
        if in_scope > NAMESPACES_IN_SCOPE || self.copies > NAMESPACE_COPIES {
            return Err((XmlErrorKind::TooManyNamespaces { limit: NAMESPACES_IN_SCOPE }, start));
        }
        Ok(in_scope)
    }

    fn comparisons(&mut self, start: usize, attributes: usize) -> Result<(), Refused> {
        if attributes > MANY_ATTRIBUTES {
            self.comparisons = self.comparisons.saturating_add(attributes * attributes);
        }
        if self.comparisons > ATTRIBUTE_COMPARISONS {
            return Err((XmlErrorKind::TooManyAttributes { limit: self.limits.attributes }, start));
        }
        Ok(())
    }

    fn name_at(&self, at: usize) -> Result<&'a [u8], Refused> {
        let rest = &self.bytes[at.min(self.bytes.len())..];
        let len = rest.iter().position(|&b| ENDS_NAME[usize::from(b)]).unwrap_or(rest.len());
        match len {
            0 => Err((malformed("name"), at)),
            _ if len > self.limits.name => Err((XmlErrorKind::NameTooLong { limit: self.limits.name }, at)),
            _ => Ok(&rest[..len]),
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn skip_past(&mut self, end: &[u8], what: &'static str) -> Result<(), Refused> {
        match memmem::find(&self.bytes[self.at..], end) {
            Some(offset) => {
                self.at += offset + end.len();
                Ok(())
            }
            None => Err((malformed(what), self.at)),
        }
    }
}

/// No name of any kind holds these; whether the rest is a name is for the parser.
static ENDS_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let ends = b" \t\r\n=>/?<\"'&";
    let mut at = 0;
    while at < ends.len() {
        table[ends[at] as usize] = true;
        at += 1;
    }
    table
};

/// XML 1.0 §2.3, `NameChar`.
fn is_name_char(c: char) -> bool {
    match c {
        ':' | '_' | '-' | '.' | '\u{B7}' => true,
        '\0'..='\u{7F}' => c.is_ascii_alphanumeric(),
        _ => matches!(c,
            '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}'
            | '\u{200C}'..='\u{200D}' | '\u{203F}'..='\u{2040}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
            | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}'),
    }
}

fn is_doctype(rest: &[u8]) -> bool {
    rest.get(..b"<!DOCTYPE".len()).is_some_and(|start| start.eq_ignore_ascii_case(b"<!DOCTYPE"))
}

/// The prefix that an attribute declares, empty for the default namespace.
fn declared_prefix(name: &[u8], value_length: usize) -> Result<Option<&[u8]>, &'static str> {
    if name == b"xmlns" {
        return Ok(Some(b""));
    }
    match name.strip_prefix(b"xmlns:") {
        // Namespaces in XML 1.0 §2.2: the empty URI may be bound only to the default.
        Some(_) if value_length == 0 => Err("prefix bound to no namespace"),
        Some(prefix) => Ok(Some(prefix)),
        None if name.ends_with(b":xmlns") => Err("attribute named xmlns with a prefix"),
        None => Ok(None),
    }
}
