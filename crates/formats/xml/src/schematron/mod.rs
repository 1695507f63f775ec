//! ISO Schematron, native: rules read once, indexed by element and template, run in a fraction of a millisecond.
//!
//! Order: [`Files`] (where rules are read from), [`Schematron`] and its parts, loading (`source`: files and includes;
//! `compile`: phases, abstract patterns and rules, expressions), running (`matching`: which rule fires where; `run`),
//! reports ([`Outcome`], SVRL, findings). The semantics are those of the XSLT skeleton that ANS, Gazelle and the
//! vendors run, where it differs from ISO/IEC 19757-3: a pattern's `let` is seen everywhere, an abstract rule may come
//! from another pattern, `document()` starts from the folder of the schema itself.
//!
//! What could not be checked is told ([`Outcome::unchecked`], [`Schematron::defects`]) and is never a success.
//! Absent on purpose: `key`, `documents`, foreign XSLT, network.

mod cache;
mod compile;
mod files;
mod finding;
mod matching;
mod model;
mod run;
mod source;
mod svrl;
mod values;

pub(crate) use files::resolve;
pub use files::{Files, Folder, Memory};
pub use model::{Defect, DefectKind, LoadError, Role, Schematron};
pub use run::{Failure, Fired, Outcome, Reason, Unchecked};
pub use values::Values;

use crate::arena::{Arena, Names};

impl Schematron {
    /// Reads a schema with all that it includes. Relative names start from the folder of the file that holds them.
    ///
    /// # Errors
    /// When the file itself is no schema. What is wrong further in is a [`Defect`]: the rest is still checked.
    pub fn load(files: &dyn Files, path: &str, names: &Names) -> Result<Self, LoadError> {
        let source = source::read(files, path)?;
        Ok(compile::compile(&source, path, names))
    }

    /// Runs the rules on a document.
    ///
    /// # Errors
    /// [`Stale`](run::Stale) when the document was built before the rules were loaded.
    pub fn run<'a>(&'a self, document: &'a Arena, values: &'a Values) -> Result<Outcome<'a>, run::Stale> {
        run::run(self, document, values)
    }
}

pub use run::Stale;
