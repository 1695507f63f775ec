//! One pass over the string of a `div`.

use memchr::{memchr, memchr2, memmem};

use super::{Problem, ProblemKind, allowed};
use crate::xml::XHTML;

/// More elements open at once than any narrative has.
const MAX_DEPTH: usize = 200;

/// Lists what a narrative may not hold. Reading stops where it is no XML any more. Where links to `#id` lead is not
/// looked at: they may lead out of the narrative ([`check_in`]).
#[must_use]
pub fn check(div: &str) -> Vec<Problem> {
    check_in(div, &|_| true)
}

/// The same in a resource: a link to `#id` leads to an element of the narrative, or to what `is_elsewhere` knows.
#[must_use]
pub fn check_in(div: &str, is_elsewhere: &dyn Fn(&str) -> bool) -> Vec<Problem> {
    let mut checker = Checker {
        text: div,
        at: 0,
        open: Vec::new(),
        prefix: None,
        has_content: false,
        ids: Vec::new(),
        links: Vec::new(),
        problems: Vec::new(),
    };
    match checker.run() {
        Ok(()) if !checker.has_content && checker.problems.is_empty() => checker.note(ProblemKind::Empty, 0),
        Ok(()) => {}
        Err(NotWellFormed) => {
            let at = checker.at.min(div.len());
            checker.note(ProblemKind::NotWellFormed, at);
        }
    }
    checker.anchors(is_elsewhere);
    checker.problems
}

struct NotWellFormed;

struct Checker<'a> {
    text: &'a str,
    at: usize,
    open: Vec<&'a str>,
    /// The prefix that the `div` declares for XHTML, if it uses one.
    prefix: Option<&'a str>,
    /// There is text or an image.
    has_content: bool,
    /// What links can lead to, and where they do.
    ids: Vec<&'a str>,
    links: Vec<(&'a str, usize)>,
    problems: Vec<Problem>,
}

impl<'a> Checker<'a> {
    fn run(&mut self) -> Result<(), NotWellFormed> {
        self.space();
        if self.rest().first() != Some(&b'<') || !self.rest().get(1).is_some_and(|next| is_name_start(*next)) {
            self.note(ProblemKind::NotADiv, self.at);
            return Ok(());
        }
        self.markup()?;
        while !self.open.is_empty() {
            self.text_run()?;
            self.markup()?;
        }
        self.space();
        if self.at < self.text.len() {
            self.note(ProblemKind::NotADiv, self.at);
        }
        Ok(())
    }

    /// Text up to the next markup.
    fn text_run(&mut self) -> Result<(), NotWellFormed> {
        loop {
            let rest = self.rest();
            let end = memchr2(b'<', b'&', rest).ok_or(NotWellFormed)?;
            self.has_content |= !rest[..end].trim_ascii().is_empty();
            let has_end_of_cdata = memmem::find(&rest[..end], b"]]>").is_some();
            self.at += end;
            if has_end_of_cdata {
                return Err(NotWellFormed);
            }
            if rest[end] == b'<' {
                return Ok(());
            }
            self.has_content = true;
            self.reference()?;
        }
    }

    /// `&lt;`, `&#233;`; an entity that XML does not know is noted.
    fn reference(&mut self) -> Result<(), NotWellFormed> {
        let start = self.at;
        let end = memchr(b';', self.rest()).ok_or(NotWellFormed)?;
        let name = &self.text[start + 1..start + end];
        if let Some(number) = name.strip_prefix('#') {
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            let is_allowed = |sign: &char| matches!(sign, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..);
            code.ok().and_then(char::from_u32).filter(is_allowed).ok_or(NotWellFormed)?;
        } else if !matches!(name, "lt" | "gt" | "amp" | "quot" | "apos") {
            if name.is_empty() || !name.bytes().all(is_name) {
                return Err(NotWellFormed);
            }
            self.note(ProblemKind::Entity(name.into()), start);
        }
        self.at += end + 1;
        Ok(())
    }

    fn markup(&mut self) -> Result<(), NotWellFormed> {
        let rest = self.rest();
        match rest.get(1) {
            Some(b'/') => self.end_tag(),
            Some(b'!') if rest.starts_with(b"<!--") => {
                let end = memmem::find(&rest[4..], b"--").ok_or(NotWellFormed)?;
                self.at += 4 + end + 2;
                self.expect(b'>')
            }
            Some(b'!') if rest.starts_with(b"<![CDATA[") => {
                let end = memmem::find(rest, b"]]>").ok_or(NotWellFormed)?;
                self.has_content |= !rest[9..end].trim_ascii().is_empty();
                self.at += end + 3;
                Ok(())
            }
            Some(b'?') => {
                self.note(ProblemKind::Instruction, self.at);
                self.at += memmem::find(rest, b"?>").ok_or(NotWellFormed)? + 2;
                Ok(())
            }
            _ => self.start_tag(),
        }
    }

    fn end_tag(&mut self) -> Result<(), NotWellFormed> {
        self.at += 2;
        let name = self.name()?;
        self.space();
        self.expect(b'>')?;
        if self.open.pop() == Some(name) { Ok(()) } else { Err(NotWellFormed) }
    }

    fn start_tag(&mut self) -> Result<(), NotWellFormed> {
        let start = self.at;
        self.at += 1;
        let name = self.name()?;
        let attributes = self.attributes()?;
        let is_root = self.open.is_empty();
        if is_root {
            self.root(name, &attributes, start);
        }
        let local = self.local(name);
        if !is_root && !local.is_some_and(allowed::element) {
            self.note(ProblemKind::Element(name.into()), start);
        }
        for attribute in &attributes {
            self.attribute(attribute);
            match (local, attribute.name) {
                (Some("a"), "href") => self.link(attribute),
                (_, "id") | (Some("a"), "name") => self.ids.push(attribute.value),
                _ => {}
            }
        }
        let has_source = attributes.iter().any(|attribute| attribute.name == "src");
        self.has_content |= local == Some("img") && has_source;
        if self.rest().first() == Some(&b'/') {
            self.at += 1;
        } else {
            self.open.push(name);
        }
        if self.open.len() > MAX_DEPTH {
            return Err(NotWellFormed);
        }
        self.expect(b'>')
    }

    /// The outermost element: a `div` of XHTML, which may write it with a prefix.
    fn root(&mut self, name: &'a str, attributes: &[Attribute<'a>], start: usize) {
        let (prefix, local) = name.split_once(':').map_or((None, name), |(prefix, local)| (Some(prefix), local));
        if local != "div" {
            self.note(ProblemKind::NotADiv, start);
        }
        let declaration = |attribute: &&Attribute<'a>| match prefix {
            None => attribute.name == "xmlns",
            Some(prefix) => attribute.name.strip_prefix("xmlns:") == Some(prefix),
        };
        if attributes.iter().find(declaration).is_none_or(|declared| declared.value != XHTML) {
            self.note(ProblemKind::Namespace, start);
        }
        self.prefix = prefix;
    }

    /// The name without the prefix of XHTML; none when it has another one, or lacks it.
    fn local(&self, name: &'a str) -> Option<&'a str> {
        match (self.prefix, name.split_once(':')) {
            (None, None) => Some(name),
            (Some(prefix), Some((used, local))) if prefix == used => Some(local),
            _ => None,
        }
    }

    fn attribute(&mut self, attribute: &Attribute<'_>) {
        let name = attribute.name;
        if name == "xmlns" {
            if attribute.value != XHTML && self.prefix.is_none() {
                self.note(ProblemKind::Namespace, attribute.offset);
            }
        } else if !name.starts_with("xmlns:") && !allowed::attribute(name) {
            self.note(ProblemKind::Attribute(name.into()), attribute.offset);
        }
        if matches!(name, "href" | "src" | "cite" | "longdesc") && runs_a_program(attribute.value) {
            self.note(ProblemKind::ActiveLink, attribute.offset);
        }
    }

    fn link(&mut self, attribute: &Attribute<'a>) {
        if let Some(id) = attribute.value.strip_prefix('#') {
            if !id.is_empty() {
                self.links.push((id, attribute.offset));
            }
        } else if is_dead(attribute.value) {
            self.note(ProblemKind::DeadLink, attribute.offset);
        }
    }

    fn anchors(&mut self, is_elsewhere: &dyn Fn(&str) -> bool) {
        let links = std::mem::take(&mut self.links);
        for (id, offset) in links {
            if !self.ids.contains(&id) && !is_elsewhere(id) {
                self.note(ProblemKind::Anchor, offset);
            }
        }
    }

    fn attributes(&mut self) -> Result<Vec<Attribute<'a>>, NotWellFormed> {
        let mut attributes: Vec<Attribute<'a>> = Vec::new();
        loop {
            let before = self.at;
            self.space();
            match self.rest().first() {
                Some(b'>' | b'/') => return Ok(attributes),
                Some(_) if self.at > before => {}
                _ => return Err(NotWellFormed),
            }
            let offset = self.at;
            let name = self.name()?;
            self.space();
            self.expect(b'=')?;
            self.space();
            let value = self.quoted()?;
            if attributes.iter().any(|attribute| attribute.name == name) {
                return Err(NotWellFormed);
            }
            attributes.push(Attribute { name, value, offset });
        }
    }

    fn quoted(&mut self) -> Result<&'a str, NotWellFormed> {
        let quote = *self.rest().first().filter(|byte| matches!(byte, b'"' | b'\'')).ok_or(NotWellFormed)?;
        self.at += 1;
        let start = self.at;
        loop {
            let rest = self.rest();
            let end = memchr::memchr3(quote, b'&', b'<', rest).ok_or(NotWellFormed)?;
            self.at += end;
            match rest[end] {
                b'<' => return Err(NotWellFormed),
                b'&' => self.reference()?,
                _ => {
                    let value = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(value);
                }
            }
        }
    }

    fn name(&mut self) -> Result<&'a str, NotWellFormed> {
        let rest = self.rest();
        if !rest.first().is_some_and(|first| is_name_start(*first)) {
            return Err(NotWellFormed);
        }
        let length = rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len());
        let name = &self.text[self.at..self.at + length];
        self.at += length;
        Ok(name)
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotWellFormed> {
        if self.rest().first() != Some(&byte) {
            return Err(NotWellFormed);
        }
        self.at += 1;
        Ok(())
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).unwrap_or(rest.len());
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn note(&mut self, kind: ProblemKind, offset: usize) {
        self.problems.push(Problem { kind, offset });
    }
}

struct Attribute<'a> {
    name: &'a str,
    /// As it is written: references are not resolved.
    value: &'a str,
    offset: usize,
}

/// Browsers skip white space and control characters in front of and inside a scheme, and know no case. A scheme
/// that is written with references is taken for one that hides.
fn runs_a_program(link: &str) -> bool {
    let Some((scheme, _)) = link.split_once(':') else { return false };
    let scheme: String = scheme.chars().filter(|sign| *sign > ' ').map(|sign| sign.to_ascii_lowercase()).collect();
    matches!(scheme.as_str(), "javascript" | "vbscript" | "livescript") || scheme.contains("&#")
}

/// `urn:` names a thing, it does not open it; what `data:` opens, nobody has seen.
fn is_dead(link: &str) -> bool {
    link.split_once(':')
        .is_some_and(|(scheme, _)| ["urn", "data"].iter().any(|known| scheme.eq_ignore_ascii_case(known)))
}

const fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

const fn is_name(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b':')
}
