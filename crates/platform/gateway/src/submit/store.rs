//! The last step: one commit, after which the lot is acknowledged.

use jiff::Timestamp;
use socle_fhir::pdsm::{ProvideBundle, ProvidedDocument, SourceId, Stored, StoredDocument, write_document_reference};
use socle_fhir::{Issue, IssueType, mapping};
use socle_finding::{Rule, Severity, Text};
use socle_identity::{IdNatStruct, Oid};
use socle_store::{
    Batch, Blob, Committed, FlowStep, NewFlow, NewJob, Page, StepState, StoreError, Term, Unique, Version, Write,
};
use socle_trust::audit::{Code, Outcome, Record, RecordAction};
use uuid::Uuid;

use super::{Accepted, Arrival, Checked, Identified, Known, plan::Plan};
use crate::desk::Gateway;
use crate::dispatch::job::{DocumentAt, Lot, SetFacts};
use crate::library::{BinaryAt, postings_of};
use crate::refusal::{Stop, store_stop};
use crate::trace::{self, Steps};
use crate::{TENANT, kind};

/// Names that one document alone may hold (CI-SIS Structuration minimale, rule of versions: the same
/// id, or the same setId and versionNumber, is another document's).
const DOCUMENT_ID: &str = "document";
const DOCUMENT_VERSION: &str = "document-version";
/// The lot that a document came in.
const LIST: &str = "list";

/// Everything that the former steps found, on its way into one commit.
pub(super) struct Taken<'a> {
    pub(super) arrival: &'a Arrival,
    pub(super) flow: Uuid,
    pub(super) lot: &'a ProvideBundle,
    pub(super) documents: Vec<Checked>,
    pub(super) identified: Identified,
    pub(super) plan: Plan,
}

/// A document of the lot with the name it gets here.
struct Kept<'a> {
    id: String,
    blob: Blob,
    checked: &'a Checked,
    provided: &'a ProvidedDocument,
}

impl Gateway {
    pub(super) async fn keep(&self, taken: Taken<'_>, steps: Steps) -> Result<Accepted, Stop> {
        let now = Timestamp::now();
        let list = Uuid::now_v7().to_string();
        let kept = name_documents(&taken);
        let mut batch = Batch::new(TENANT);
        batch.flows.push(begun(&taken, &kept));
        batch.uniques = kept.iter().flat_map(uniques).collect();
        batch.blobs = kept.iter().map(|document| document.blob.clone()).collect();
        batch.writes = writes(&taken, &kept, &list, now);
        batch.jobs = self.jobs_of(&taken, &kept, now);
        steps.keep_in(&mut batch);
        batch.flow_steps.push(stored_step(&taken, now));
        batch.audit.push(self.record_of_submission(&taken, &kept));
        match self.store.commit(batch).await {
            Ok(committed) => Ok(accepted(taken.flow, &list, &kept, &committed)),
            Err(StoreError::Taken { name, owner }) => self.replay(&name, &owner, &kept, &taken.identified).await,
            Err(error) => Err(store_stop("store", &error)),
        }
    }

    fn jobs_of(&self, taken: &Taken<'_>, kept: &[Kept<'_>], now: Timestamp) -> Vec<NewJob> {
        let lot = Lot {
            flow: taken.flow,
            person: taken.identified.key.clone(),
            set: set_facts(taken.lot, now),
            documents: kept.iter().map(document_at).collect(),
            carried: taken.identified.carried.clone(),
        };
        let environment = self.settings.environment;
        if taken.identified.known == Known::Unreachable {
            return vec![lot.identify_job(&taken.identified.identity, &taken.plan.targets, environment)];
        }
        taken.plan.targets.iter().map(|target| lot.delivery_job(target, environment)).collect()
    }

    fn record_of_submission(&self, taken: &Taken<'_>, kept: &[Kept<'_>]) -> Record {
        let actor = &taken.arrival.actor;
        let mut record = trace::record(&self.settings, actor, Code::ihe("ITI-65"), RecordAction::C, Some(taken.flow));
        record.objects = kept.iter().map(|document| trace::document(&document.id)).collect();
        trace::about(record, &taken.identified.key)
    }

    /// An identifier is taken. By the very same lot of the same person: the caller had no answer the first
    /// time and asks again, and gets it. By another one, or by a part of one: refused.
    async fn replay(
        &self,
        name: &str,
        owner: &str,
        kept: &[Kept<'_>],
        identified: &Identified,
    ) -> Result<Accepted, Stop> {
        let read = self.store.read(TENANT, kind::BINARY, owner).await.map_err(|error| store_stop("store", &error))?;
        let first: Option<BinaryAt> = read.and_then(|version| serde_json::from_slice(&version.body).ok());
        let Some(first) = first.filter(|binary| binary.person == identified.key) else {
            return Err(duplicate(name));
        };
        // One more than the lot has: a lot that held others too is another one.
        let terms = vec![Term::is(LIST, &first.list)];
        let found = self.store.search(TENANT, kind::BINARY, terms, Page::first(kept.len() + 1)).await;
        let mut there = found.map_err(|error| store_stop("store", &error))?;
        let Some(at) = there.first().map(|version| version.at).filter(|_| there.len() == kept.len()) else {
            return Err(duplicate(name));
        };
        let one = |resource_type, id: &str| Stored { resource_type, id: id.to_owned(), version: 1, at };
        let mut stored = vec![one("List", &first.list)];
        for document in kept {
            let digest = document.blob.digest().to_string();
            let is_it = |version: &Version| {
                serde_json::from_slice::<BinaryAt>(&version.body).is_ok_and(|binary| binary.digest == digest)
            };
            let Some(place) = there.iter().position(is_it) else { return Err(duplicate(name)) };
            let version = there.swap_remove(place);
            stored.push(one("DocumentReference", &version.id));
            stored.push(one("Binary", &version.id));
        }
        Ok(Accepted { flow: first.flow, stored, remarks: vec![replayed()], replayed: true })
    }

    /// Writes the trace of a flow that was stopped.
    pub(crate) async fn commit_trace(
        &self,
        flow: NewFlow,
        steps: Steps,
        record: Record,
    ) -> Result<Committed, StoreError> {
        let mut batch = Batch::new(TENANT);
        batch.flows.push(flow);
        steps.keep_in(&mut batch);
        batch.audit.push(record);
        self.store.commit(batch).await
    }

    pub(crate) fn record_of_refusal(&self, arrival: &Arrival, flow: Uuid, stop: &Stop) -> Record {
        let record = trace::record(&self.settings, &arrival.actor, Code::ihe("ITI-65"), RecordAction::C, Some(flow));
        let outcome = if stop.status >= 500 { Outcome::SeriousFailure } else { Outcome::MinorFailure };
        let why = stop.rule().map_or_else(|| stop.step.to_owned(), |rule| format!("{}: {rule}", stop.step));
        trace::failed(record, outcome, why)
    }
}

fn name_documents<'a>(taken: &'a Taken<'_>) -> Vec<Kept<'a>> {
    let pairs = taken.documents.iter().zip(&taken.lot.documents);
    pairs
        .map(|(checked, provided)| Kept {
            id: Uuid::now_v7().to_string(),
            blob: Blob::new(checked.document.bytes().clone()),
            checked,
            provided,
        })
        .collect()
}

fn begun(taken: &Taken<'_>, kept: &[Kept<'_>]) -> NewFlow {
    NewFlow {
        id: taken.flow,
        kind: "iti-65".to_owned(),
        document: kept.first().map(|document| document.id.clone()),
        actor: Some(taken.arrival.actor.id.as_str().to_owned()),
    }
}

fn uniques(kept: &Kept<'_>) -> [Unique; 2] {
    let header = &kept.checked.header;
    let version = format!("{}|{}", header.set_id.to_unique_id(), header.version);
    [(DOCUMENT_ID, header.id.to_unique_id()), (DOCUMENT_VERSION, version)].map(|(name, value)| Unique {
        name: name.to_owned(),
        value,
        owner: kept.id.clone(),
    })
}

/// What the metadata of the lot say; what the caller left out is made once, here, and kept.
fn set_facts(lot: &ProvideBundle, now: Timestamp) -> SetFacts {
    let set = &lot.submission_set;
    let own = || Oid::of_uuid(Uuid::now_v7().as_u128()).into();
    let unique_id =
        set.unique_id.as_ref().and_then(|id| id.value.strip_prefix("urn:oid:")).map_or_else(own, str::to_owned);
    let content = &set.content_type;
    let oid = mapping::oid_of_system(&content.system).unwrap_or(&content.system);
    SetFacts {
        unique_id,
        source_id: source_oid(&set.source_id),
        content_type: socle_cda::Code::new(&content.code, oid, content.display.as_deref().unwrap_or_default()),
        title: set.title.clone(),
        submitted: set.submitted.timestamp().unwrap_or(now),
    }
}

/// XDS knows a source by an OID alone: that of whoever assigned the name, when the name is none.
fn source_oid(source: &SourceId) -> String {
    match source {
        SourceId::Oid(oid) => oid.as_str().to_owned(),
        SourceId::Assigned(name) => name.system.strip_prefix("urn:oid:").unwrap_or(IdNatStruct::OID).to_owned(),
    }
}

fn document_at(kept: &Kept<'_>) -> DocumentAt {
    let visibility = kept.checked.visibility;
    DocumentAt {
        id: kept.id.clone(),
        digest: kept.blob.digest(),
        masked_to_professionals: visibility.is_masked_to_professionals(),
        invisible_to_patient: visibility.is_invisible_to_patient(),
        invisible_to_representatives: visibility.is_invisible_to_representatives(),
    }
}

fn writes(taken: &Taken<'_>, kept: &[Kept<'_>], list: &str, now: Timestamp) -> Vec<Write> {
    let mut writes = Vec::with_capacity(2 + 2 * kept.len());
    writes.extend(identity(&taken.identified));
    for document in kept {
        writes.push(fiche(taken, document, now));
        writes.push(binary(taken, document, list));
    }
    writes
}

/// What the domain now knows of the person: nothing new when it knew it already, or when INSi was silent.
fn identity(identified: &Identified) -> Option<Write> {
    match identified.known {
        Known::Asked => {}
        Known::Before(_) | Known::Unreachable => return None,
    }
    let body = serde_json::to_vec(&identified.identity).ok()?;
    Some(
        Write::new(kind::IDENTITY, identified.key.as_str(), body)
            .posting("status", identified.identity.status().code()),
    )
}

fn fiche(taken: &Taken<'_>, kept: &Kept<'_>, now: Timestamp) -> Write {
    let stored = StoredDocument {
        id: kept.id.clone(),
        version: 1,
        at: now,
        superseded: false,
        patient: taken.lot.patient.clone(),
        metadata: kept.provided.metadata.clone(),
        url: format!("Binary/{}", kept.id),
        size: kept.provided.bytes.len() as u64,
        sha1: sha1(&kept.provided.bytes),
    };
    let mut write = Write::new(kind::DOCUMENT, &kept.id, write_document_reference(&stored));
    write.postings = postings_of(&taken.identified, taken.lot, &kept.provided.metadata);
    write
}

fn binary(taken: &Taken<'_>, kept: &Kept<'_>, list: &str) -> Write {
    let at = BinaryAt {
        digest: kept.blob.digest().to_string(),
        content_type: kept.provided.metadata.mime.clone(),
        person: taken.identified.key.clone(),
        list: list.to_owned(),
        flow: taken.flow,
    };
    Write::new(kind::BINARY, &kept.id, serde_json::to_vec(&at).unwrap_or_default()).posting(LIST, list)
}

fn sha1(bytes: &[u8]) -> [u8; 20] {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let mut out = [0; 20];
    out.copy_from_slice(digest.as_ref());
    out
}

fn stored_step(taken: &Taken<'_>, started: Timestamp) -> FlowStep {
    let bytes: usize = taken.documents.iter().map(|checked| checked.document.bytes().len()).sum();
    let kilobytes = bytes.div_ceil(1024);
    FlowStep {
        flow: taken.flow,
        step: "store".to_owned(),
        state: StepState::Ok,
        started,
        // It ends when the commit that holds this line is durable: no time of it can stand in it.
        ended: None,
        protocol: "SQLite".to_owned(),
        summary: Text::new(
            format!("fiche, document ({kilobytes} Ko), trace et travaux dans un seul enregistrement"),
            format!("metadata, document ({kilobytes} KB), trace and jobs in one commit"),
        ),
        rule: None,
        exchange: None,
    }
}

fn accepted(flow: Uuid, list: &str, kept: &[Kept<'_>], committed: &Committed) -> Accepted {
    let one = |resource_type, id: &str| Stored { resource_type, id: id.to_owned(), version: 1, at: committed.at };
    let mut stored = vec![one("List", list)];
    for document in kept {
        stored.push(one("DocumentReference", &document.id));
        stored.push(one("Binary", &document.id));
    }
    Accepted { flow, stored, remarks: Vec::new(), replayed: false }
}

fn replayed() -> Issue {
    Issue::new(
        Severity::Information,
        IssueType::Duplicate,
        Rule::fixed("CI-SIS Structuration minimale 1.16.8", "SMIN id"),
        Text::fixed(
            "ce document avait déjà été pris en charge : rien n'est fait deux fois",
            "this document had been taken already: nothing is done twice",
        ),
        Text::fixed("rien à faire", "nothing to do"),
    )
}

fn duplicate(name: &str) -> Stop {
    let (point, message) = if name == DOCUMENT_VERSION {
        (
            "SMIN setId, versionNumber",
            Text::fixed(
                "cette version (setId et versionNumber) a déjà été reçue sous un autre identifiant",
                "this version (setId and versionNumber) was received under another identifier",
            ),
        )
    } else {
        (
            "SMIN id",
            Text::fixed("un autre document porte déjà cet identifiant", "another document has this identifier already"),
        )
    };
    let mend = Text::fixed(
        "une correction est une nouvelle version : nouvel id, même setId, versionNumber + 1, relatedDocument RPLC",
        "a correction is a new version: new id, same setId, versionNumber + 1, relatedDocument RPLC",
    );
    let rule = Rule::fixed("CI-SIS Structuration minimale 1.16.8", point);
    let issue = super::documents::on(Issue::error(IssueType::Duplicate, rule, message, mend), "ClinicalDocument/id");
    Stop::new("store", 409, issue)
}
