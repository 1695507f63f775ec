//! Languages asked for, and the names of a concept among which they choose (BCP 47, RFC 4647).

use std::fmt::Write as _;

use crate::terminology::code_system::{CodeSystem, ConceptId, same_words};
use crate::terminology::model::{Coding, Designation, Extension, IncludedConcept};

/// What a display is for, when an expansion lists it beside others.
pub(super) const DISPLAY_USE: (&str, &str, &str) =
    ("http://terminology.hl7.org/CodeSystem/hl7TermMaintInfra", "preferredForLanguage", "Preferred For Language");

/// Languages in the order of preference, as `Accept-Language` writes them (RFC 9110 §12.5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Languages {
    /// Tag and weight in thousandths, the greatest first.
    ranges: Vec<(Box<str>, u16)>,
}

impl Languages {
    /// None when there is no range in it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let range = |part: &str| {
            let (tag, quality) = part.split_once(';').unwrap_or((part, ""));
            let quality = quality.trim().strip_prefix("q=").map_or(Some(1000), thousandths)?;
            let tag = tag.trim();
            (!tag.is_empty()).then(|| (tag.into(), quality))
        };
        let mut ranges: Vec<_> = text.split(',').filter_map(range).collect();
        ranges.sort_by_key(|(_, quality)| std::cmp::Reverse(*quality));
        (!ranges.is_empty()).then_some(Self { ranges })
    }

    /// As it is repeated in an answer.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (tag, quality) in &self.ranges {
            let comma = if text.is_empty() { "" } else { "," };
            let _ = match quality {
                1000 => write!(text, "{comma}{tag}"),
                0 => write!(text, "{comma} {tag}; q=0"),
                _ => write!(text, "{comma} {tag}; q={}.{:03}", quality / 1000, quality % 1000),
            };
        }
        text.trim_start().to_owned()
    }

    /// For a message: `en`, `de, fr`.
    pub(super) fn summary(&self) -> String {
        self.ranges.iter().filter(|(_, quality)| *quality > 0).map(|(tag, _)| &**tag).collect::<Vec<_>>().join(", ")
    }

    /// French is asked for before any other language that we write.
    pub(super) fn is_french(&self) -> bool {
        let first = self.ranges.iter().map(|(tag, _)| primary(tag)).find(|tag| matches!(*tag, "fr" | "en"));
        first == Some("fr")
    }

    /// Nothing else is wanted: `*;q=0`.
    fn is_strict(&self) -> bool {
        self.ranges.iter().any(|(tag, quality)| &**tag == "*" && *quality == 0)
    }

    fn wanted(&self) -> impl Iterator<Item = &str> {
        self.ranges.iter().filter(|(_, quality)| *quality > 0).map(|(tag, _)| &**tag)
    }

    /// A name in that language is one that was asked for.
    fn accept(&self, language: Option<&str>) -> bool {
        let Some(language) = language else { return true };
        self.wanted().any(|wanted| Depth::Language.matches(wanted, language))
    }
}

fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    let part = format!("{part:0<3}").get(..3)?.parse::<u16>().ok()?;
    Some((whole * 1000 + part).min(1000))
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

/// How much of two tags must be the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// All.
    Full,
    /// `fr` for `fr-FR` and the reverse: one is the beginning of the other.
    Prefix,
    /// The language alone: `de-CH` for `de-AT`.
    Language,
}

impl Depth {
    fn matches(self, wanted: &str, language: &str) -> bool {
        if wanted == "*" {
            return true;
        }
        match self {
            Self::Full => wanted.eq_ignore_ascii_case(language),
            Self::Prefix => wanted.split('-').zip(language.split('-')).all(|(one, two)| one.eq_ignore_ascii_case(two)),
            Self::Language => primary(wanted).eq_ignore_ascii_case(primary(language)),
        }
    }
}

/// One name of a concept.
#[derive(Debug, Clone)]
pub(super) struct Name<'a> {
    pub(super) value: &'a str,
    pub(super) language: Option<&'a str>,
    pub(super) usage: Option<&'a Coding>,
    /// It is the display of the concept in the system or the value set.
    pub(super) is_base: bool,
    pub(super) is_active: bool,
    pub(super) status: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) extensions: &'a [Extension],
}

impl<'a> Name<'a> {
    fn base(value: &'a str, language: Option<&'a str>) -> Self {
        Self {
            value,
            language,
            usage: None,
            is_base: true,
            is_active: true,
            status: None,
            source: None,
            extensions: &[],
        }
    }

    fn of(designation: &'a Designation) -> Self {
        Self {
            value: &designation.value,
            language: designation.language.as_deref(),
            usage: designation.usage.as_ref(),
            is_base: false,
            is_active: designation.is_active(),
            status: designation.status.as_deref(),
            source: designation.source.as_deref(),
            extensions: &designation.extensions,
        }
    }

    /// It may be shown as the display.
    fn is_display(&self) -> bool {
        self.usage.is_none_or(|usage| {
            let code = usage.code.as_deref().unwrap_or_default();
            code == DISPLAY_USE.1 || code == "display" || code == "900000000000548007"
        })
    }
}

/// All names of a concept.
#[derive(Debug, Clone, Default)]
pub(super) struct Names<'a> {
    pub(super) all: Vec<Name<'a>>,
}

impl<'a> Names<'a> {
    /// Those of the code system, and those that a value set adds.
    pub(super) fn of(
        system: &'a CodeSystem,
        id: ConceptId,
        included: Option<(&'a IncludedConcept, Option<&'a str>)>,
    ) -> Self {
        let mut all = Vec::new();
        if let Some(concept) = system.concept(id) {
            let language = system.header().language.as_deref();
            all.extend(concept.display.as_deref().map(|display| Name::base(display, language)));
            all.extend(concept.designations.iter().map(Name::of));
        }
        if let Some((concept, language)) = included {
            all.extend(concept.display.as_deref().map(|display| Name::base(display.trim(), language)));
            all.extend(concept.designations.iter().map(Name::of));
        }
        Self { all }
    }

    /// One name.
    pub(super) fn single(value: &'a str) -> Self {
        Self { all: vec![Name::base(value, Some("en"))] }
    }

    /// The one to show: the best of the languages asked for, else the default unless `*;q=0` forbids it.
    pub(super) fn preferred(&self, languages: Option<&Languages>) -> Option<&Name<'a>> {
        if let Some(languages) = languages {
            let found = languages.wanted().find_map(|wanted| self.in_language(wanted));
            if found.is_some() || languages.is_strict() {
                return found;
            }
        }
        let active = |name: &&Name<'a>| name.is_display() && name.is_active;
        let base = || self.all.iter().find(|name| name.is_base);
        base().or_else(|| self.all.iter().find(active)).or_else(|| self.all.first())
    }

    fn in_language(&self, wanted: &str) -> Option<&Name<'a>> {
        let fits = |name: &Name<'a>, depth: Depth| match name.language {
            Some(language) => depth.matches(wanted, language),
            None => wanted == "*",
        };
        for active_only in [true, false] {
            for depth in [Depth::Full, Depth::Prefix, Depth::Language] {
                let candidates =
                    || self.all.iter().filter(|name| fits(name, depth) && (!active_only || name.is_active));
                let found = candidates().find(|name| name.is_display()).or_else(|| candidates().next());
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// Some name in one of the languages, or in the default one, is these words.
    pub(super) fn has(
        &self,
        languages: Option<&Languages>,
        default: Option<&str>,
        words: &str,
        active_only: bool,
    ) -> bool {
        self.candidates(languages, default, active_only).any(|name| same_words(name.value, words))
    }

    /// The same, but for the white space.
    pub(super) fn has_but_for_spaces(&self, languages: Option<&Languages>, words: &str) -> bool {
        let squeezed = squeeze(words);
        self.candidates(languages, None, false).any(|name| same_words(&squeeze(name.value), &squeezed))
    }

    fn candidates<'b>(
        &'b self,
        languages: Option<&'b Languages>,
        default: Option<&'b str>,
        active_only: bool,
    ) -> impl Iterator<Item = &'b Name<'a>> {
        self.all.iter().filter(move |name| {
            let is_default = default.is_some_and(|default| name.language == Some(default));
            let is_wanted = languages.is_none_or(|languages| languages.accept(name.language));
            (is_default || is_wanted) && (!active_only || name.is_active)
        })
    }

    /// How many names there are in the languages asked for, displays only or all.
    pub(super) fn count(&self, languages: Option<&Languages>, displays_only: bool) -> usize {
        self.candidates(languages, None, false).filter(|name| !displays_only || name.is_display()).count()
    }

    /// The names for a message: `'Display 1' (en) or 'Affichage 1' (fr)`.
    pub(super) fn presented(&self, languages: Option<&Languages>, displays_only: bool, or: &str) -> String {
        let show = |name: &Name<'_>| match name.language {
            Some(language) => format!("'{}' ({language})", name.value),
            None => format!("'{}'", name.value),
        };
        let is_shown = |name: &&Name<'_>| !displays_only || name.is_display();
        let mut shown: Vec<_> = self.candidates(languages, None, false).filter(is_shown).map(show).collect();
        if shown.is_empty() {
            shown = self.all.iter().filter(is_shown).map(show).collect();
        }
        joined(&shown, or)
    }

    /// The active displays, each once.
    pub(super) fn allowed(&self) -> Vec<&str> {
        let mut allowed = Vec::new();
        for name in self.all.iter().filter(|name| name.is_active && name.is_display()) {
            if !allowed.contains(&name.value) {
                allowed.push(name.value);
            }
        }
        allowed
    }
}

/// The same words without regard to case and white space.
pub(super) fn squeezed_equal(left: &str, right: &str) -> bool {
    same_words(&squeeze(left), &squeeze(right))
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn joined(items: &[String], or: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {or} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named<'a>(names: &[(&'a str, Option<&'a str>)]) -> Names<'a> {
        Names {
            all: names
                .iter()
                .map(|(value, language)| Name { is_base: false, ..Name::base(value, *language) })
                .collect(),
        }
    }

    #[test]
    fn french_falls_back_to_french_then_to_the_default() {
        let names = named(&[("Heart", Some("en")), ("Cœur", Some("fr")), ("Cœur (CA)", Some("fr-CA"))]);
        let cases = [
            ("fr-FR", Some("Cœur")),
            ("fr-CA", Some("Cœur (CA)")),
            ("fr", Some("Cœur")),
            ("de,fr;q=0.5", Some("Cœur")),
            ("de", Some("Heart")),
            ("de,*;q=0", None),
        ];
        for (asked, expected) in cases {
            let languages = Languages::read(asked);
            assert_eq!(names.preferred(languages.as_ref()).map(|name| name.value), expected, "{asked}");
        }
    }

    #[test]
    fn weights_are_read_and_repeated() {
        let cases =
            [("de,*; q=0", "de, *; q=0"), ("en,it,*", "en,it,*"), ("en;q=0.5, fr", "fr, en; q=0.500"), ("fr;q=2", "")];
        for (text, expected) in cases {
            assert_eq!(Languages::read(text).map(|read| read.text()).unwrap_or_default(), expected, "{text}");
        }
    }
}
