//! Code systems that are rules rather than lists: languages, media types, units.

use std::borrow::Cow;

use super::model::{Filter, FilterOp};
use crate::ucum::Unit;

/// A code system without a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// BCP 47 language tags, `urn:ietf:bcp:47`.
    Language,
    /// Media types of RFC 6838, `urn:ietf:bcp:13`.
    Mime,
    /// UCUM units, `http://unitsofmeasure.org`.
    Ucum,
}

impl Grammar {
    const ALL: [Self; 3] = [Self::Language, Self::Mime, Self::Ucum];

    /// The grammar of that canonical.
    #[must_use]
    pub fn of(url: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grammar| grammar.url() == url)
    }

    /// Its canonical.
    #[must_use]
    pub const fn url(self) -> &'static str {
        match self {
            Self::Language => "urn:ietf:bcp:47",
            Self::Mime => "urn:ietf:bcp:13",
            Self::Ucum => "http://unitsofmeasure.org",
        }
    }

    /// The code as the rules prefer to write it: `fr-FR` for `FR-fr` (RFC 5646 §2.1.1).
    #[must_use]
    pub fn normal(self, code: &str) -> Cow<'_, str> {
        match self {
            Self::Language => normal_language(code),
            Self::Mime | Self::Ucum => Cow::Borrowed(code),
        }
    }

    /// The code follows the rules.
    #[must_use]
    pub fn accepts(self, code: &str) -> bool {
        match self {
            Self::Language => is_language(code),
            Self::Mime => is_media_type(code),
            Self::Ucum => Unit::parse(code).is_ok(),
        }
    }
}

/// A well-formed tag of RFC 5646 §2.1, in any case; grandfathered tags are not accepted.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-').peekable();
    let alpha = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let alnum = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let Some(first) = parts.next() else { return false };
    if first.eq_ignore_ascii_case("x") {
        return parts.peek().is_some() && parts.all(|part| (1..=8).contains(&part.len()) && alnum(part));
    }
    if !(2..=8).contains(&first.len()) || !alpha(first) {
        return false;
    }
    // Each kind of part comes once and in this order; the number counts how far we are.
    let mut stage = 0;
    while let Some(part) = parts.next() {
        let own = match part.len() {
            3 if alpha(part) && stage <= 1 && first.len() <= 3 => 1,
            4 if alpha(part) && stage < 2 => 2,
            2 if alpha(part) && stage < 3 => 3,
            3 if part.bytes().all(|byte| byte.is_ascii_digit()) && stage < 3 => 3,
            5..=8 if alnum(part) && stage <= 4 => 4,
            4 if part.as_bytes()[0].is_ascii_digit() && alnum(part) && stage <= 4 => 4,
            1 if alnum(part) => {
                let shortest = if part.eq_ignore_ascii_case("x") { 1 } else { 2 };
                return parts.peek().is_some()
                    && parts.all(|part| (1..=8).contains(&part.len()) && alnum(part))
                    && tag_has_no_short_part(tag, part, shortest);
            }
            _ => return false,
        };
        stage = own;
    }
    true
}

/// The canonical form of a unit.
pub(super) fn canonical_unit(code: &str) -> Option<String> {
    Unit::parse(code).ok().map(|unit| unit.canonical())
}

/// The canonical form that the filters of an include ask of units, when they ask one (`canonical = m`;
/// FHIR R4, Using UCUM with FHIR).
///
/// # Errors
/// When they ask something else.
pub(super) fn unit_filter(grammar: Grammar, filters: &[Filter]) -> Result<Option<String>, ()> {
    match filters {
        [] => Ok(None),
        [one] if grammar == Grammar::Ucum && &*one.property == "canonical" && one.op == FilterOp::Equal => {
            one.value.as_deref().and_then(canonical_unit).map(Some).ok_or(())
        }
        _ => Err(()),
    }
}

fn normal_language(tag: &str) -> Cow<'_, str> {
    let mut normal = String::with_capacity(tag.len());
    let mut is_after_singleton = false;
    for part in tag.split('-') {
        let is_first = normal.is_empty();
        if !is_first {
            normal.push('-');
        }
        match part.len() {
            2 if !is_first && !is_after_singleton => normal.push_str(&part.to_ascii_uppercase()),
            4 if !is_first && !is_after_singleton && part.is_ascii() => {
                let (head, tail) = part.split_at(1);
                normal.push_str(&head.to_ascii_uppercase());
                normal.push_str(&tail.to_ascii_lowercase());
            }
            _ => normal.push_str(&part.to_ascii_lowercase()),
        }
        is_after_singleton |= part.len() == 1;
    }
    if normal == tag { Cow::Borrowed(tag) } else { Cow::Owned(normal) }
}

/// The parts right after a singleton have at least so many characters.
fn tag_has_no_short_part(tag: &str, singleton: &str, shortest: usize) -> bool {
    tag.split('-').skip_while(|part| *part != singleton).nth(1).is_some_and(|next| next.len() >= shortest)
}

/// `type/subtype` with parameters (RFC 6838 §4.2, RFC 2045 §5.1).
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        (1..=127).contains(&name.len())
            && name.as_bytes()[0].is_ascii_alphanumeric()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let mut parts = text.split(';');
    let Some((kind, subtype)) = parts.next().and_then(|essence| essence.trim_end().split_once('/')) else {
        return false;
    };
    is_name(kind)
        && is_name(subtype)
        && parts.all(|parameter| {
            parameter.trim().split_once('=').is_some_and(|(name, value)| is_name(name) && !value.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags() {
        for good in
            ["fr", "fr-FR", "zh-Hant-TW", "de-CH-1996", "es-419", "sl-rozaj-biske", "x-own", "en-a-bbb-x-a", "gsw"]
        {
            assert!(Grammar::Language.accepts(good), "{good}");
        }
        for bad in ["", "f", "français", "fr_FR", "fr-", "-fr", "fr-FR-FR", "fr-a", "123", "fr-toolongpart"] {
            assert!(!Grammar::Language.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn language_tags_are_written_as_rfc_5646_prefers() {
        for (tag, expected) in [("FR", "fr"), ("fr-fr", "fr-FR"), ("ZH-hant-tw", "zh-Hant-TW"), ("en-X-AB", "en-x-ab")]
        {
            assert_eq!(Grammar::Language.normal(tag), expected);
        }
    }

    #[test]
    fn media_types() {
        for good in ["text/xml", "application/fhir+json", "text/plain; charset=utf-8", "application/vnd.a.b-c"] {
            assert!(Grammar::Mime.accepts(good), "{good}");
        }
        for bad in ["", "text", "text/", "/xml", "a b/c", "text/xml;charset"] {
            assert!(!Grammar::Mime.accepts(bad), "{bad}");
        }
    }
}
