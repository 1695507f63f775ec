//! Snapshots: what a profile says once its base is counted in.
//!
//! [`generate`] takes a structure that has only a differential, reads its base's snapshot as a tree
//! (`tree.rs`), lays the differential over it element by element (`merge.rs`), and walks into types,
//! their profiles and content references where the differential does (`walk.rs`). Slices are added after
//! the element that they slice, re-slices after their slice.
//!
//! A profile that contradicts its base is told by findings and applied as it is written: the validator
//! then says what the author meant, and the author learns what is wrong.
//!
//! ```
//! use socle_fhir::{Document, definitions::{r4, read_structure}, snapshot::generate};
//!
//! let profile = Document::parse(r#"{"resourceType":"StructureDefinition","url":"http://a/p","name":"P",
//!     "kind":"resource","abstract":false,"type":"Patient","derivation":"constraint",
//!     "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient",
//!     "differential":{"element":[{"path":"Patient.name.family","min":1}]}}"#)?;
//! let profile = read_structure(profile.root()).map_err(|error| error.to_string())?;
//! let made = generate(&profile, &|canonical| r4().structure(canonical)).map_err(|error| error.to_string())?;
//! let family = made.structure.elements.iter().find(|element| &*element.id == "Patient.name.family");
//! assert_eq!(family.and_then(|family| family.min), Some(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Not here: where structures come from (the caller looks them up), nor prose: facts only.
//!
//! Source: FHIR R4 §5.1.0 (profiling), §5.3 (StructureDefinition), §2.25 (ElementDefinition).

mod merge;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

use std::sync::Arc;

use socle_finding::{Finding, Location, Rule, Severity, Text};

use crate::definitions::{Derivation, Structure};
use tree::Node;
use walk::Walk;

/// Finds a structure by its canonical, with its snapshot.
pub type Lookup<'a> = dyn Fn(&str) -> Option<Arc<Structure>> + 'a;

/// A structure with its snapshot, and what is wrong with its differential.
#[derive(Debug)]
pub struct Snapshot {
    /// The structure; its elements are made.
    pub structure: Structure,
    /// What contradicts the base, in the order of the differential.
    pub findings: Vec<Finding>,
    /// Elements of the differential, by id or path, that have no place in the base: they are left out.
    pub unplaced: Vec<Box<str>>,
}

/// Why no snapshot can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}; {}", .0.message.en, .0.mend.en)]
pub struct SnapshotError(pub Box<Finding>);

/// A snapshot longer than this is not that of a profile: the longest of R4 has some 600 elements.
const MOST_ELEMENTS: usize = 50_000;

/// Makes the snapshot of a structure from its differential and its base.
///
/// # Errors
/// [`SnapshotError`] when its base is not said, not found, or has no snapshot, or when the snapshot
/// would pass every reasonable size.
pub fn generate(profile: &Structure, lookup: &Lookup<'_>) -> Result<Snapshot, SnapshotError> {
    let base = base_of(profile, lookup)?;
    let no_snapshot = || {
        failed(
            profile,
            format!("la base {} n'a pas de snapshot", base.url),
            format!("its base {} has no snapshot", base.url),
            Text::fixed("ajoutez le paquet qui définit la base", "add the package that defines the base"),
        )
    };
    let root = Node::tree(&base.elements).ok_or_else(no_snapshot)?;
    let mut walk = Walk::new(profile, root.clone(), lookup);
    let mut root = root;
    if profile.derivation != Some(Derivation::Constraint) {
        root.name = profile.type_name.clone();
    }
    if let Some(differential) = walk.differential() {
        walk.apply(&mut root, &differential);
    }
    let (too_many, unplaced) = (walk.is_full(), walk.take_unplaced());
    let findings = walk.into_findings();
    if too_many {
        return Err(failed(
            profile,
            format!("le snapshot dépasse {MOST_ELEMENTS} éléments"),
            format!("the snapshot passes {MOST_ELEMENTS} elements"),
            Text::fixed("vérifiez le différentiel", "check the differential"),
        ));
    }
    let structure = Structure { elements: root.into_elements(), ..profile.clone() };
    Ok(Snapshot { structure, findings, unplaced })
}

fn base_of(profile: &Structure, lookup: &Lookup<'_>) -> Result<Arc<Structure>, SnapshotError> {
    let Some(base) = &profile.base else {
        let mend = Text::fixed("écrivez baseDefinition", "write baseDefinition");
        return Err(failed(profile, "aucune base n'est dite".into(), "it names no base".into(), mend));
    };
    lookup(base).ok_or_else(|| {
        failed(
            profile,
            format!("la base {base} est introuvable, ou dépend du profil lui-même"),
            format!("its base {base} is not found, or depends on the profile itself"),
            Text::fixed("ajoutez le paquet qui définit la base", "add the package that defines the base"),
        )
    })
}

fn failed(profile: &Structure, fr: String, en: String, mend: Text) -> SnapshotError {
    SnapshotError(Box::new(finding(profile, "", Severity::Error, Text::new(fr, en), mend)))
}

/// Something about an element of a profile.
fn finding(profile: &Structure, element: &str, severity: Severity, message: Text, mend: Text) -> Finding {
    let at = if element.is_empty() { profile.url.to_string() } else { format!("{}#{element}", profile.url) };
    Finding { severity, rule: Rule::fixed("FHIR R4", "5.1.0 profiling"), at: Location::path(at), message, mend }
}
