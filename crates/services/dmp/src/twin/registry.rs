//! TD3.1, ITI-18: stored queries, answered with what this speaker may know.

use socle_cda::xds::{Association, Cx, RegistryObjects};
use socle_identity::Ins;

use super::fault::Refusal;
use super::feed::{check_dmp, storage};
use super::gate::{Admitted, Gate};
use super::service::Twin;
use super::state::Kept;
use crate::model::query::{AllOf, FindDocuments, FindSubmissionSets, Named, SetContents, StoredQuery};
use crate::model::rights::{Action, Note, Right, right};
use crate::model::visibility::{Shown, Viewer};
use crate::model::{ErrorCode, Mode};
use crate::wire::query::{Read, ReturnType};

/// Most objects of one answer.
const RESULTS_MAX: usize = 2000;

/// Who asks, and what.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) admitted: Admitted,
    pub(super) read: Read,
}

/// Check 3, which depends on the query: metadata, or the reference of a document alone (TD3.1b).
pub(super) fn judge(admitted: Admitted, read: Read) -> Result<Asked, Refusal> {
    let by_name = matches!(read.query, StoredQuery::GetDocuments(_));
    let metadata = may(&admitted, Action::SearchMetadata);
    if by_name && !metadata {
        Gate::check_right(&admitted, Action::SearchReference)?;
    } else {
        Gate::check_right(&admitted, Action::SearchMetadata)?;
        Gate::check_consultation(&admitted)?;
    }
    check_dmp(&admitted)?;
    if patient_of(&read.query).is_some_and(|patient| *patient != admitted.patient) {
        let context = "le patient de la requête n'est pas celui du VIHF";
        return Err(Refusal::registry(ErrorCode::PatientIdDoesNotMatch, context));
    }
    Ok(Asked { admitted, read })
}

fn may(admitted: &Admitted, action: Action) -> bool {
    right(admitted.vihf.mode(), admitted.profile, admitted.vihf.purpose(), action) != Right::No
}

const fn patient_of(query: &StoredQuery) -> Option<&Ins> {
    match query {
        StoredQuery::FindDocuments(FindDocuments { patient, .. })
        | StoredQuery::FindDocumentsByReferenceId(FindDocuments { patient, .. }, _)
        | StoredQuery::FindSubmissionSets(FindSubmissionSets { patient, .. }) => Some(patient),
        StoredQuery::GetDocuments(_)
        | StoredQuery::GetAssociations(_)
        | StoredQuery::GetDocumentsAndAssociations(_)
        | StoredQuery::GetSubmissionSetAndContents(_) => None,
    }
}

/// The objects asked for, as this speaker may see them.
pub(super) async fn answer(twin: &Twin, asked: Asked) -> Result<RegistryObjects, Refusal> {
    let Asked { admitted, read } = asked;
    let search = Search { twin, eyes: Eyes::of(&admitted) };
    let objects = match read.query {
        StoredQuery::FindDocuments(find) => search.documents(find, &Vec::new()).await?,
        StoredQuery::FindDocumentsByReferenceId(find, references) => search.documents(find, &references).await?,
        StoredQuery::FindSubmissionSets(find) => search.sets(&find).await?,
        StoredQuery::GetDocuments(named) => entries(search.named(named).await?),
        StoredQuery::GetAssociations(uuids) => search.associations(&uuids).await?,
        StoredQuery::GetDocumentsAndAssociations(named) => search.with_associations(named).await?,
        StoredQuery::GetSubmissionSetAndContents(contents) => search.contents(contents).await?,
    };
    let count = objects.sets.len() + objects.entries.len() + objects.associations.len();
    if count > RESULTS_MAX {
        let context = format!("{count} résultats, {RESULTS_MAX} au plus");
        return Err(Refusal::registry(ErrorCode::TooManyResults, context));
    }
    Ok(match read.return_type {
        ReturnType::LeafClass => objects,
        ReturnType::ObjectRef => references(&objects),
    })
}

/// Which entries exist for a speaker.
pub(super) struct Eyes<'a> {
    admitted: &'a Admitted,
    viewer: Viewer,
}

impl<'a> Eyes<'a> {
    pub(super) fn of(admitted: &'a Admitted) -> Self {
        Self { admitted, viewer: Viewer::Lps(admitted.viewer()) }
    }

    /// Of this patient, and visible. A structure that has the right to references only (note 5) finds those
    /// of its own documents: which others the DMP would show it is UNKNOWN.
    pub(super) fn see(&self, kept: &Kept) -> bool {
        let Admitted { vihf, patient, profile, .. } = self.admitted;
        if !kept.entry.patient_id.same(&Cx::from(patient)) {
            return false;
        }
        let reference = right(vihf.mode(), *profile, vihf.purpose(), Action::SearchReference);
        if reference == Right::Under(Note::ReferenceOnly) || vihf.mode() == Mode::Indirect {
            return kept.fed_by == vihf.structure().id;
        }
        let authors: Vec<_> =
            kept.entry.authors.iter().filter_map(|author| author.person.as_ref()).map(|xcn| xcn.id.clone()).collect();
        let Some(status) = kept.entry.status else { return false };
        let visibility = kept.entry.visibility();
        self.viewer.sees(&Shown { status, visibility, fed_by: &kept.fed_by, authors: &authors })
    }
}

struct Search<'a> {
    twin: &'a Twin,
    eyes: Eyes<'a>,
}

impl Search<'_> {
    async fn documents(&self, find: FindDocuments, references: &AllOf<String>) -> Result<RegistryObjects, Refusal> {
        let all = self.twin.state.entries_of(&find.patient).await.map_err(storage)?;
        let refers = |kept: &Kept| {
            let ids: Vec<_> = kept.entry.reference_ids.iter().map(ToString::to_string).collect();
            references.iter().all(|group| group.iter().any(|wanted| ids.contains(wanted)))
        };
        let found = all.into_iter().filter(|kept| find.filter.matches(&kept.entry) && refers(kept));
        Ok(entries(found.filter(|kept| self.eyes.see(kept)).collect()))
    }

    async fn sets(&self, find: &FindSubmissionSets) -> Result<RegistryObjects, Refusal> {
        let all = self.twin.state.sets_of(&find.patient).await.map_err(storage)?;
        let mut sets = Vec::new();
        for set in all.into_iter().filter(|set| find.matches(set)) {
            // A lot whose every document is hidden is hidden too.
            let members = self.twin.state.members_of(&set.id).await.map_err(storage)?;
            if members.iter().any(|kept| !kept.entry.is_signature() && self.eyes.see(kept)) {
                sets.push(set);
            }
        }
        Ok(RegistryObjects { sets, ..RegistryObjects::default() })
    }

    async fn named(&self, named: Named) -> Result<Vec<Kept>, Refusal> {
        let mut found = match named {
            Named::UniqueIds(ids) => self.twin.state.entries_named(&ids).await.map_err(storage)?,
            Named::EntryUuids(uuids) => {
                let mut found = Vec::new();
                for uuid in uuids {
                    found.extend(self.twin.state.entry(&uuid).await.map_err(storage)?);
                }
                found
            }
        };
        found.retain(|kept| self.eyes.see(kept));
        Ok(found)
    }

    async fn with_associations(&self, named: Named) -> Result<RegistryObjects, Refusal> {
        let found = self.named(named).await?;
        let uuids: Vec<_> = found.iter().map(|kept| kept.entry.id.clone()).collect();
        let associations = self.associations(&uuids).await?.associations;
        Ok(RegistryObjects { associations, ..entries(found) })
    }

    async fn associations(&self, uuids: &[String]) -> Result<RegistryObjects, Refusal> {
        let mut shown = Vec::new();
        for association in self.twin.state.associations_of(uuids).await.map_err(storage)? {
            if self.shows(&association).await? {
                shown.push(association);
            }
        }
        Ok(RegistryObjects { associations: shown, ..RegistryObjects::default() })
    }

    /// An association is shown when its every end is: an entry that is seen, a lot of the patient.
    async fn shows(&self, association: &Association) -> Result<bool, Refusal> {
        for end in [&association.source, &association.target] {
            let is_shown = match self.twin.state.entry(end).await.map_err(storage)? {
                Some(kept) => self.eyes.see(&kept),
                None => {
                    let sets = self.twin.state.sets_by_uuid(std::slice::from_ref(end)).await.map_err(storage)?;
                    sets.iter().any(|set| set.patient_id.same(&Cx::from(&self.eyes.admitted.patient)))
                }
            };
            if !is_shown {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn contents(&self, contents: SetContents) -> Result<RegistryObjects, Refusal> {
        let sets = match &contents.set {
            Named::EntryUuids(uuids) => self.twin.state.sets_by_uuid(uuids).await.map_err(storage)?,
            Named::UniqueIds(ids) => self.twin.state.sets_named(ids).await.map_err(storage)?,
        };
        let patient = Cx::from(&self.eyes.admitted.patient);
        let Some(set) = sets.into_iter().find(|set| set.patient_id.same(&patient)) else {
            return Ok(RegistryObjects::default());
        };
        let mut members = self.twin.state.members_of(&set.id).await.map_err(storage)?;
        members.retain(|kept| contents.matches(&kept.entry) && self.eyes.see(kept));
        if members.is_empty() {
            return Ok(RegistryObjects::default());
        }
        let mut associations = self.associations(std::slice::from_ref(&set.id)).await?.associations;
        associations.retain(|a| members.iter().any(|kept| [&a.source, &a.target].contains(&&kept.entry.id)));
        Ok(RegistryObjects { sets: vec![set], associations, ..entries(members) })
    }
}

fn entries(found: Vec<Kept>) -> RegistryObjects {
    RegistryObjects { entries: found.into_iter().map(|kept| kept.entry).collect(), ..RegistryObjects::default() }
}

fn references(objects: &RegistryObjects) -> RegistryObjects {
    let sets = objects.sets.iter().map(|set| &set.id);
    let ids = sets.chain(objects.entries.iter().map(|entry| &entry.id));
    let ids = ids.chain(objects.associations.iter().map(|association| &association.id));
    RegistryObjects { references: ids.cloned().collect(), ..RegistryObjects::default() }
}
