//! What a validation gives back.

use std::borrow::Cow;

use socle_finding::{Finding, Location, Severity};

/// What was found in a document, and what could not be looked at.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// In the order of the document, as far as each check goes once through it.
    pub findings: Vec<Finding>,
    /// What the document asks for and nobody here knows.
    pub not_checked: Vec<NotChecked>,
}

impl Report {
    /// No error among the findings.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !socle_finding::any_error(&self.findings)
    }

    /// How many findings are that bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// One thing that could not be checked, however often the document asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotChecked {
    /// What kind of thing.
    pub subject: Subject,
    /// Its canonical, or the key of an invariant after the canonical of its profile.
    pub name: Cow<'static, str>,
    /// How often it was asked for.
    pub count: u32,
    /// Where first.
    pub at: Location,
}

/// What could not be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A profile that is not known, or has no snapshot.
    Profile,
    /// An extension whose definition is not known.
    Extension,
    /// A value set that is not known, or that needs a code system that is not.
    ValueSet,
    /// An invariant without an expression, or with one that cannot be evaluated.
    Invariant,
    /// A slice that its definition does not tell apart.
    Slice,
    /// The questionnaire of a response.
    Questionnaire,
    /// The measure of a report.
    Measure,
    /// The library of a measure.
    Library,
}

impl Subject {
    /// The word in both languages.
    #[must_use]
    pub const fn named(self) -> (&'static str, &'static str) {
        match self {
            Self::Profile => ("profil", "profile"),
            Self::Extension => ("extension", "extension"),
            Self::ValueSet => ("jeu de valeurs", "value set"),
            Self::Invariant => ("règle", "invariant"),
            Self::Slice => ("tranche", "slice"),
            Self::Questionnaire => ("questionnaire", "questionnaire"),
            Self::Measure => ("mesure", "measure"),
            Self::Library => ("bibliothèque", "library"),
        }
    }
}
