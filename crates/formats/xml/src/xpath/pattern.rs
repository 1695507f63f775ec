//! Regular expressions of XPath on the `regex` crate: linear in time, limited in size.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use regex::{Regex, RegexBuilder};

use super::{Code, XPathError};
use crate::arena::AppendMap;

/// A regular expression written in a rule, compiled when it is first used.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) pattern: Box<str>,
    pub(crate) flags: Box<str>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(crate) fn new(pattern: Box<str>, flags: Box<str>) -> Self {
        Self { pattern, flags, compiled: OnceLock::new() }
    }

    pub(super) fn regex(&self) -> Result<&Regex, XPathError> {
        let compiled = self.compiled.get_or_init(|| compile(&self.pattern, &self.flags).ok());
        compiled.as_ref().ok_or_else(refused)
    }
}

/// The regular expressions of a set of rules: those written where they are used, and those met while running (a
/// pattern held by a variable).
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    pub(crate) written: Vec<Pattern>,
    met: AppendMap<(String, String), Option<Regex>>,
    met_count: AtomicUsize,
}

/// Patterns that are remembered: a pattern may come from the document, and those have no end.
const MET: usize = 256;

impl Patterns {
    pub(crate) fn new(written: Vec<Pattern>) -> Self {
        Self { written, ..Self::default() }
    }

    /// Compiled once, as long as there are not too many.
    pub(super) fn met(&self, pattern: &str, flags: &str) -> Result<Cow<'_, Regex>, XPathError> {
        if self.met_count.load(Ordering::Relaxed) >= MET {
            return compile(pattern, flags).map(Cow::Owned);
        }
        let known = self.met.get_or_insert_with((pattern.to_owned(), flags.to_owned()), || {
            self.met_count.fetch_add(1, Ordering::Relaxed);
            compile(pattern, flags).ok()
        });
        known.as_ref().map(Cow::Borrowed).ok_or_else(refused)
    }
}

fn refused() -> XPathError {
    XPathError::new(Code::Regex, "the regular expression cannot be read")
}

pub(super) fn compile(pattern: &str, flags: &str) -> Result<Regex, XPathError> {
    let mut builder = RegexBuilder::new(&translate(pattern));
    builder.size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(64);
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            's' => builder.dot_matches_new_line(true),
            'm' => builder.multi_line(true),
            'x' => builder.ignore_whitespace(true),
            _ => return Err(refused()),
        };
    }
    builder.build().map_err(|_| refused())
}

/// Classes that XML Schema defines by other characters than the crate: white space is four characters.
fn translate(pattern: &str) -> Cow<'_, str> {
    if !["\\s", "\\S", "\\i", "\\I", "\\c", "\\C"].iter().any(|class| pattern.contains(class)) {
        return Cow::Borrowed(pattern);
    }
    let (mut out, mut in_class, mut escaped) = (String::with_capacity(pattern.len() + 16), false, false);
    for c in pattern.chars() {
        if !escaped {
            match c {
                '\\' => escaped = true,
                '[' => in_class = true,
                ']' => in_class = false,
                _ => {}
            }
            if c != '\\' {
                out.push(c);
            }
            continue;
        }
        escaped = false;
        match (c, in_class) {
            ('s', false) => out.push_str("[ \\t\\n\\r]"),
            ('s', true) => out.push_str(" \\t\\n\\r"),
            ('S', _) => out.push_str("[^ \\t\\n\\r]"),
            ('i', false) => out.push_str("[\\p{L}_:]"),
            ('i', true) => out.push_str("\\p{L}_:"),
            ('I', _) => out.push_str("[^\\p{L}_:]"),
            ('c', false) => out.push_str("[\\p{L}\\p{N}_:.\\-]"),
            ('c', true) => out.push_str("\\p{L}\\p{N}_:.\\-"),
            ('C', _) => out.push_str("[^\\p{L}\\p{N}_:.\\-]"),
            _ => out.extend(['\\', c]),
        }
    }
    if escaped {
        out.push('\\');
    }
    Cow::Owned(out)
}

/// `$1` and `\$` of XPath in the crate's form; `None` when it is no replacement.
pub(super) fn replacement(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 4);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next()? {
                '\\' => out.push('\\'),
                '$' => out.push_str("$$"),
                _ => return None,
            },
            '$' => {
                let digit = rest.next().filter(char::is_ascii_digit)?;
                out.push_str(&format!("${{{digit}}}"));
            }
            other => out.push(other),
        }
    }
    Some(out)
}
