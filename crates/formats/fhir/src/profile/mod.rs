//! Validation of documents against R4 and profiles.
//!
//! Enter by [`Validator`]. A structure compiles once to a program (`compile`, `program`): for each
//! element how many, which types, which values, which codes, which invariants, how slices are told apart
//! (`slicing`). A walk (`walk`) goes once over the tape against the program of the resource's type, which
//! checks everything, then against each profile, which checks what the profile adds. Programs are shared
//! by all threads (`library`).
//!
//! What cannot be looked up is never silence: it is listed in [`Report::not_checked`].
//!
//! ```
//! use socle_fhir::{Document, definitions::r4, profile::{Options, Validator}};
//!
//! let validator = Validator::core(Options::default());
//! let document = Document::parse(r#"{"resourceType":"Patient","gender":"homme","birthDate":"1975-13-01"}"#)?;
//! let report = validator.validate(&document, &[]);
//! assert!(!report.is_valid());
//! let places: Vec<&str> = report.findings.iter().map(|finding| finding.at.path.as_str()).collect();
//! assert!(places.contains(&"Patient.gender") && places.contains(&"Patient.birthDate"));
//! # let _ = r4();
//! # Ok::<(), socle_fhir::JsonError>(())
//! ```
//!
//! Not here: where definitions come from (`definitions`, `package`), how reports are shown.

mod compile;
mod invariant;
mod library;
mod native;
mod pdsm;
mod primitive;
mod program;
mod report;
mod slicing;
#[cfg(test)]
mod tests;
mod walk;
mod words;

use std::sync::Arc;

use socle_finding::Severity;

pub use report::{NotChecked, Report, Subject};

use crate::definitions::Definitions;
use crate::tape::Document;
use crate::terminology::{Defined, Terminology};
use library::{Followed, Library};
use walk::Walk;

/// How much a validator asks for.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the rules of good practice are worth (`elementdefinition-bestpractice`).
    pub best_practice: BestPractice,
    /// What an extension is worth whose definition is not known.
    pub unknown_extension: Severity,
    /// What a claim in `meta.profile` is worth that is not known.
    pub claimed_profile_unknown: Severity,
    /// What it is worth that a profile asked for is not known.
    pub asked_profile_unknown: Severity,
    /// What it is worth that a profile asks for another one, on a type or on what is referred to, that is not
    /// known. It is always listed in [`Report::not_checked`].
    pub required_profile_unknown: Severity,
    /// What a code is worth that its system, known whole, does not have.
    pub unknown_code: Severity,
    /// What a display is worth that is not that of its code.
    pub wrong_display: Severity,
    /// What a reference says of its target's type is checked even when the target is not in the document.
    pub reference_types: bool,
    /// Extensions of example.org are let pass.
    pub example_urls: bool,
    /// Relative references are `Type/id`.
    pub strict_references: bool,
    /// Text that looks like HTML is an error.
    pub security_checks: bool,
    /// The elements that a profile marks must-support and that are not there are told, as information. Those of an
    /// element that is not there either are not.
    pub must_support: bool,
    /// No more findings than this are written down.
    pub max_findings: usize,
    /// Profiles that entries of a bundle have to follow, beside those that they claim.
    pub entries: Vec<EntryProfile>,
}

/// A profile that an entry of a bundle has to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryProfile {
    /// The resource type of the entry; of any type when none.
    pub kind: Option<Box<str>>,
    /// Which of those entries, from 0.
    pub place: usize,
    /// `url` or `url|version`.
    pub profile: Box<str>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            best_practice: BestPractice::Warning,
            unknown_extension: Severity::Warning,
            claimed_profile_unknown: Severity::Warning,
            asked_profile_unknown: Severity::Error,
            required_profile_unknown: Severity::Information,
            unknown_code: Severity::Error,
            wrong_display: Severity::Warning,
            reference_types: true,
            example_urls: true,
            strict_references: true,
            security_checks: false,
            must_support: false,
            max_findings: 10_000,
            entries: Vec::new(),
        }
    }
}

/// What the rules of good practice are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BestPractice {
    /// They are not reported.
    Ignored,
    /// Worth knowing.
    Information,
    /// A warning.
    #[default]
    Warning,
    /// An error.
    Error,
}

/// Validates documents from one point of view. Made once, shared by all threads.
pub struct Validator {
    library: Library,
    terms: Arc<Terminology>,
    options: Options,
}

impl Validator {
    /// From what the definitions hold; codes are looked up in the terminology.
    #[must_use]
    pub fn new(definitions: Arc<dyn Definitions>, terms: Arc<Terminology>, options: Options) -> Self {
        Self { library: Library::new(definitions), terms, options }
    }

    /// From the definitions, their code systems and value sets too.
    #[must_use]
    pub fn of(definitions: Arc<dyn Definitions>, options: Options) -> Self {
        let source = Defined::new(Arc::clone(&definitions));
        Self::new(definitions, Arc::new(Terminology::new(Arc::new(source))), options)
    }

    /// R4 alone.
    #[must_use]
    pub fn core(options: Options) -> Self {
        Self::of(Arc::new(Core), options)
    }

    /// The document against R4, the profiles that it claims, and `profiles` (`url` or `url|version`).
    #[must_use]
    pub fn validate(&self, document: &Document, profiles: &[&str]) -> Report {
        let mut walk = Walk::new(&self.library, &self.terms, &self.options, document);
        walk.document(profiles);
        walk.drop_overruled();
        Report { findings: walk.findings, not_checked: walk.not_checked }
    }

    /// Whether a profile is known, so that its lack can be told before any document is read.
    #[must_use]
    pub fn knows(&self, profile: &str) -> bool {
        !matches!(self.library.follow(profile), Followed::Unknown)
    }
}

impl std::fmt::Debug for Validator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Validator").field("options", &self.options).finish_non_exhaustive()
    }
}

/// R4 as the tables of the binary hold it.
struct Core;

impl Definitions for Core {
    fn structure(&self, canonical: &str) -> Option<Arc<crate::definitions::Structure>> {
        crate::definitions::r4().structure(canonical)
    }

    fn resource(&self, kind: &str, canonical: &str) -> Option<Arc<Document>> {
        crate::definitions::r4().resource(kind, canonical)
    }
}
