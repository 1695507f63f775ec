//! What changes from one edition of the catalogue to another.

use super::Catalogue;
use super::model::{Requirement, RequirementId};

/// What became of one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// New in the later edition.
    Added,
    /// Gone from it: its id is never used again.
    Retired,
    /// Some columns changed: their names.
    Changed(Vec<&'static str>),
}

/// The requirements that differ, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditionDiff(pub Vec<(RequirementId, Change)>);

impl EditionDiff {
    /// Compares two catalogues.
    #[must_use]
    pub fn between(before: &Catalogue, after: &Catalogue) -> Self {
        let mut all = Vec::new();
        for old in &before.requirements {
            match after.requirement(old.id.as_str()) {
                None => all.push((old.id.clone(), Change::Retired)),
                Some(new) => {
                    let columns = changed(old, new);
                    if !columns.is_empty() {
                        all.push((old.id.clone(), Change::Changed(columns)));
                    }
                }
            }
        }
        let added = after.requirements.iter().filter(|new| before.requirement(new.id.as_str()).is_none());
        all.extend(added.map(|new| (new.id.clone(), Change::Added)));
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Self(all)
    }
}

fn changed(old: &Requirement, new: &Requirement) -> Vec<&'static str> {
    let columns = [
        ("pillar", old.pillar == new.pillar),
        ("chapter", old.chapter == new.chapter),
        ("fiche", old.fiche == new.fiche),
        ("requirement_fr", old.text.fr == new.text.fr),
        ("requirement_en", old.text.en == new.text.en),
        ("applies_to", old.applies_to == new.applies_to),
        ("level", old.level == new.level),
        ("date", old.due == new.due),
        ("condition", old.condition == new.condition),
        ("legal_basis", old.legal_basis == new.legal_basis),
        ("official_id", old.official_ids == new.official_ids),
        ("reference", old.reference == new.reference),
        ("automatable", old.methods == new.methods),
        ("verification", old.verification == new.verification),
        ("source_grade", old.grade == new.grade),
    ];
    columns.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}
