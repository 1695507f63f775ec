//! The catalogue: requirements, corridors, programmes, windows, milestones, what each fiche announced
//! and what was published since, sources, conditions and the facts they ask for.
//!
//! Tables are CSV files (RFC 4180) beside the code, so that a diff shows what a new edition changes and
//! a reader opens them in a spreadsheet. They are parsed once, strictly; every problem names file, row
//! and column and says what to do. `csv` reads, `token` holds the closed lists, `day` the dates with
//! their precision, `model` the rows, `read` makes the rows and checks that the tables agree, `diff`
//! compares two editions.

mod csv;
mod day;
mod diff;
mod model;
mod problem;
mod read;
mod token;

pub use day::{Bound, Day, Due, Known};
pub use diff::{Change, EditionDiff};
pub use model::{
    Condition, Corridor, Edition, Fact, FicheNews, Milestone, Programme, Reference, Requirement, RequirementId, Source,
    Window,
};
pub use problem::{CatalogueError, Problem};
pub(crate) use read::token_of;
pub use token::{Grade, Kind, Level, Method, Pillar, Published};

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};

/// The tables of a catalogue as text, by file name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables(BTreeMap<String, String>);

macro_rules! embedded {
    ($($file:literal),* $(,)?) => { [$(($file, include_str!(concat!("../catalogue/", $file)))),*] };
}

impl Tables {
    /// The tables that came with this program.
    #[must_use]
    pub fn embedded() -> Self {
        let files = embedded![
            "conditions.csv",
            "dispositifs.csv",
            "edition.csv",
            "facts.csv",
            "fiches.csv",
            "milestones.csv",
            "programmes.csv",
            "requirements.csv",
            "sources.csv",
            "windows.csv",
        ];
        Self(files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect())
    }

    /// Puts a table in, or replaces it.
    pub fn set(&mut self, file: impl Into<String>, text: impl Into<String>) {
        self.0.insert(file.into(), text.into());
    }

    /// The text of a table.
    #[must_use]
    pub fn get(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(String::as_str)
    }

    /// All tables, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// SHA-256 in hexadecimal over name, length and bytes of each table, in the order of the names.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut all = Vec::new();
        for (name, text) in self.iter() {
            all.extend_from_slice(format!("{name} {}\n", text.len()).as_bytes());
            all.extend_from_slice(text.as_bytes());
        }
        hex(digest(&SHA256, &all).as_ref())
    }
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A catalogue that was read whole and whose tables agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// Which edition of the Doctrine, and when its sources were read.
    pub edition: Edition,
    /// What is asked.
    pub requirements: Vec<Requirement>,
    /// The corridors of Ségur.
    pub corridors: Vec<Corridor>,
    /// Listings, certifications, funding.
    pub programmes: Vec<Programme>,
    /// When one may apply.
    pub windows: Vec<Window>,
    /// Dated events.
    pub milestones: Vec<Milestone>,
    /// Per fiche: announced, and apart from it, published.
    pub fiches: Vec<FicheNews>,
    /// Where it was read.
    pub sources: Vec<Source>,
    /// What makes a conditional requirement bind.
    pub conditions: Vec<Condition>,
    /// What a product file is asked.
    pub facts: Vec<Fact>,
    /// SHA-256 of the tables: a verdict holds only against the catalogue it was made with.
    pub sha256: String,
}

impl Catalogue {
    /// The catalogue that came with this program.
    ///
    /// # Errors
    /// None in a released program: a test reads it.
    pub fn embedded() -> Result<Self, CatalogueError> {
        Self::read(&Tables::embedded())
    }

    /// Reads the tables.
    ///
    /// # Errors
    /// [`CatalogueError`] lists every problem, each with file, row and column.
    pub fn read(tables: &Tables) -> Result<Self, CatalogueError> {
        read::catalogue(tables)
    }

    /// A requirement by its id.
    #[must_use]
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|requirement| requirement.id.as_str() == id)
    }

    /// A programme by its code.
    #[must_use]
    pub fn programme(&self, code: &str) -> Option<&Programme> {
        self.programmes.iter().find(|programme| programme.code == code)
    }

    /// A corridor by its code.
    #[must_use]
    pub fn corridor(&self, code: &str) -> Option<&Corridor> {
        self.corridors.iter().find(|corridor| corridor.code == code)
    }

    /// Is it the code of a programme or of a corridor?
    #[must_use]
    pub fn knows_scheme(&self, code: &str) -> bool {
        self.programme(code).is_some() || self.corridor(code).is_some()
    }
}
