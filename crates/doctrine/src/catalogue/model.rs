//! The rows of the catalogue, as strict types.

use std::fmt;

use jiff::civil::Date;
use socle_finding::Text;

use super::day::{Bound, Day, Due, Known};
use super::token::{Grade, Kind, Level, Method, Pillar, Published};

/// `DOC-<FICHE>-<NN>`: stable, never used again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct RequirementId(String);

impl RequirementId {
    /// Reads an id.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (doc, fiche, number) = (parts.next()?, parts.next()?, parts.next()?);
        let is_fiche = !fiche.is_empty() && fiche.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_number = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
        let is_id = doc == "DOC" && is_fiche && is_number && parts.next().is_none();
        is_id.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An absolute `http` or `https` address of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Reference(String);

impl Reference {
    /// Reads an address.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let host = rest.split(['/', '?', '#']).next()?;
        let is_host =
            host.contains('.') && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
        let is_plain = !text.chars().any(|sign| sign.is_whitespace() || sign.is_control() || "\"<>".contains(sign));
        (is_host && is_plain).then(|| Self(text.to_owned()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which edition of the Doctrine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// `2026-concertation`.
    pub code: String,
    /// When its sources were read last: what is older than six months is said with this day.
    pub read_on: Date,
    /// Its name.
    pub label: Text,
}

/// One verifiable sentence. Level, condition and date are three values, never merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Its id.
    pub id: RequirementId,
    /// Which part of the Doctrine.
    pub pillar: Pillar,
    /// Chapter.
    pub chapter: String,
    /// Fiche.
    pub fiche: String,
    /// The sentence.
    pub text: Text,
    /// Whom it binds.
    pub applies_to: Vec<Kind>,
    /// How strongly.
    pub level: Level,
    /// From when.
    pub due: Due,
    /// Under which condition, in the words of the table; its meaning is in [`Condition`].
    pub condition: Option<String>,
    /// The texts behind it.
    pub legal_basis: Option<String>,
    /// What official texts call it, verbatim.
    pub official_ids: Vec<String>,
    /// Where it was read.
    pub reference: Reference,
    /// By what it is proven.
    pub methods: Vec<Method>,
    /// How a program or a person checks it.
    pub verification: String,
    /// How well the source holds.
    pub grade: Grade,
}

impl Requirement {
    /// Can a program try it on the wire? Then a signed statement alone never makes it conform.
    #[must_use]
    pub fn is_probed(&self) -> bool {
        self.methods.contains(&Method::Probe)
    }
}

/// A corridor of Ségur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corridor {
    /// `IMG-DRIMBOX`.
    pub code: String,
    /// `Imagerie`.
    pub corridor: String,
    /// `DRIMbox`.
    pub name: String,
    /// In which waves it exists.
    pub waves: Vec<u8>,
    /// Dates and remarks, as read.
    pub notes: String,
    /// Where it was read.
    pub reference: Reference,
    /// Its arrêté.
    pub order: Known<String>,
    /// The state of wave 2, as read.
    pub wave_2: Known<String>,
    /// How well the source holds.
    pub grade: Grade,
}

/// A listing, certification or funding scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme {
    /// `SEGUR-REF`.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Who decides.
    pub authority: String,
    /// Who applies, in words.
    pub applicant: String,
    /// The texts behind it.
    pub basis: String,
    /// What is asked and how it is shown.
    pub conditions: String,
    /// Where it was read.
    pub reference: Reference,
    /// Its state in November 2026, as read.
    pub status: Known<String>,
    /// How much money; none when it is no funding.
    pub amount: Option<Known<String>>,
    /// Who may apply.
    pub applicants: Vec<Kind>,
    /// What must be conform.
    pub requires: Vec<RequirementId>,
    /// What the applicant is asked.
    pub questions: Vec<String>,
    /// How well the source holds.
    pub grade: Grade,
}

/// When one step of a scheme is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// A programme or a corridor.
    pub scheme: String,
    /// The wave of Ségur.
    pub wave: Option<u8>,
    /// The step.
    pub step: String,
    /// From when.
    pub opens: Bound,
    /// Until when.
    pub closes: Bound,
    /// Paris time of closing; of opening when only that is known.
    pub time: Option<String>,
    /// Where it was read.
    pub reference: Reference,
    /// How well the source holds.
    pub grade: Grade,
    /// A remark.
    pub note: Option<String>,
}

/// A dated event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Milestone {
    /// When.
    pub day: Day,
    /// What.
    pub event: String,
    /// Where it was read.
    pub reference: Reference,
    /// How well the source holds.
    pub grade: Grade,
    /// Published, adopted, or only announced.
    pub status: Published,
}

/// What a fiche announced for this edition and, apart, what was published since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FicheNews {
    /// The fiche.
    pub fiche: String,
    /// The requirements concerned.
    pub requirements: Vec<RequirementId>,
    /// What was announced.
    pub announced: Known<String>,
    /// Where.
    pub announced_reference: Option<Reference>,
    /// What was published since, in the words of the table.
    pub published: String,
    /// When.
    pub published_on: Known<Day>,
    /// Where.
    pub published_reference: Known<Reference>,
    /// How well the source holds.
    pub grade: Grade,
}

/// A reference of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its key.
    pub key: String,
    /// Its address.
    pub url: Reference,
    /// Its title.
    pub title: String,
}

/// What a condition of the requirements means: one of the schemes is aimed at, and no fact is false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The words of the column `condition`, or its first token.
    pub words: String,
    /// Programmes, one of which must be aimed at; none: no matter which.
    pub schemes: Vec<String>,
    /// Facts of the product, or rules on its categories (`ehds:…`), all of which must be true or unknown.
    pub facts: Vec<String>,
}

/// A fact that a product file is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its name in the product file.
    pub name: String,
    /// The question.
    pub question: Text,
}
