//! What is wrong, where, by which rule, and how to mend it.
//!
//! One shape for every check of Socle (FHIR, CDA, metadata, mail, identity), so that the terminal,
//! an OperationOutcome and the console show the same thing. A finding points at the data and never
//! repeats it: messages hold no name, no matricule, no value of a person.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A sentence in both languages of the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// French.
    pub fr: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

impl Text {
    /// A sentence known when the program is written.
    #[must_use]
    pub const fn fixed(fr: &'static str, en: &'static str) -> Self {
        Self { fr: Cow::Borrowed(fr), en: Cow::Borrowed(en) }
    }

    /// A sentence made at run time.
    pub fn new(fr: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { fr: fr.into(), en: en.into() }
    }

    /// What is the same in both languages: a name, a code, what another program said.
    pub fn same(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        Self { fr: text.clone(), en: text }
    }

    /// Several sentences, one after the other.
    #[must_use]
    pub fn join(texts: &[Self], between: &str) -> Self {
        let all = |lang| texts.iter().map(|text| text.get(lang)).collect::<Vec<_>>().join(between);
        Self::new(all(Lang::Fr), all(Lang::En))
    }

    /// The sentence in a language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Fr => &self.fr,
            Lang::En => &self.en,
        }
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::same(text)
    }
}

/// The languages of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// French, the first.
    #[default]
    Fr,
    /// English.
    En,
}

impl Lang {
    /// The language of a locale (`fr_FR.UTF-8`) or of an `Accept-Language` header; French unless
    /// English is asked for.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let first = text.trim_start().get(..2).unwrap_or_default();
        if first.eq_ignore_ascii_case("en") { Self::En } else { Self::Fr }
    }

    /// The BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }
}

/// The text that makes a rule, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The published text and its version: `RNIV v2.0`, `CI-SIS Structuration minimale 1.16.8`.
    pub text: Cow<'static, str>,
    /// The point: a requirement's number, a section, an element.
    pub point: Cow<'static, str>,
}

impl Rule {
    /// A rule known when the program is written.
    #[must_use]
    pub const fn fixed(text: &'static str, point: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), point: Cow::Borrowed(point) }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.text, self.point)
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Information,
    /// Goes on, but somebody should look.
    Warning,
    /// Stops here.
    Error,
}

/// Where in the data. Lines and columns count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The path in the data's own language: `recordTarget/patientRole/id[1]`, `Bundle.entry[0].resource`.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub path: String,
    /// Line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// Column.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u32>,
}

impl Location {
    /// A path alone.
    pub fn path(path: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, column: None }
    }
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// By which rule.
    pub rule: Rule,
    /// Where.
    pub at: Location,
    /// What is the matter.
    pub message: Text,
    /// What to do.
    pub mend: Text,
}

impl Finding {
    /// Does it stop the work?
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Is there one among them that stops the work?
#[must_use]
pub fn any_error(findings: &[Finding]) -> bool {
    findings.iter().any(Finding::is_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_survives_json_and_says_itself_in_both_languages() {
        let finding = Finding {
            severity: Severity::Error,
            rule: Rule::fixed("RNIV v2.0", "EXI SI 08"),
            at: Location { path: "recordTarget/patientRole/id[1]".into(), line: Some(41), column: Some(7) },
            message: Text::fixed("l'identité n'est pas qualifiée", "the identity is not qualified"),
            mend: Text::new("interrogez INSi".to_owned(), "query INSi".to_owned()),
        };
        let json = serde_json::to_string(&finding).unwrap();
        assert_eq!(serde_json::from_str::<Finding>(&json).unwrap(), finding);
        assert_eq!(finding.message.get(Lang::En), "the identity is not qualified");
        assert_eq!(finding.rule.to_string(), "RNIV v2.0, EXI SI 08");
        assert!(any_error(&[finding]));
    }

    #[test]
    fn french_comes_first() {
        for (text, lang) in [
            ("fr_FR.UTF-8", Lang::Fr),
            ("en_GB", Lang::En),
            ("C", Lang::Fr),
            ("en-US,fr", Lang::En),
            ("", Lang::Fr),
            ("é", Lang::Fr),
        ] {
            assert_eq!(Lang::of(text), lang, "{text}");
        }
    }
}
