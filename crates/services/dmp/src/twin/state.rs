//! What the twin keeps: lots, entries, associations and documents, in its own store.
//!
//! Objects are kept as the ebRIM that is answered, beside what is asked of them: who fed, which blob. All
//! that one request brings is one commit, durable before the request is acknowledged.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use socle_cda::xds::{
    Association, DocumentEntry, Profile, RegistryObjects, Status, Submission, SubmissionSet, read_list, write_list,
};
use socle_identity::{IdNatStruct, Ins};
use socle_store::{Batch, Blob, Digest, Expect, Page, SqliteStore, Store, StoreError, Term, Unique, Version, Write};
use socle_xml::{Limits, parse};

const TENANT: &str = "dmp";
const ENTRY: &str = "entry";
const SET: &str = "set";
const ASSOCIATION: &str = "association";
const PATIENT: &str = "patient";
const UNIQUE_ID: &str = "unique-id";
const IN_SET: &str = "in-set";
const SOURCE: &str = "source";
const TARGET: &str = "target";

/// An entry, and what the twin alone knows of it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) entry: DocumentEntry,
    /// The structure of the VIHF that fed it (note 4: imputed to the structure).
    pub(super) fed_by: IdNatStruct,
    pub(super) blob: Digest,
    /// entryUUID of its lot.
    pub(super) set: String,
    /// Version of the record, for optimistic writes.
    version: u64,
}

/// What one feed writes. Ids are the registry's.
#[derive(Debug)]
pub(super) struct NewLot {
    pub(super) submission: Submission,
    /// Bytes of each entry, in the order of the entries.
    pub(super) documents: Vec<Bytes>,
    pub(super) patient: Ins,
    pub(super) fed_by: IdNatStruct,
    /// Entries that become obsolete.
    pub(super) replaced: Vec<Kept>,
}

/// Why a lot is not written.
#[derive(Debug)]
pub(super) enum NotKept {
    /// Another request was faster: a uniqueId is taken, or a replaced entry has changed.
    Overtaken,
    /// Storage failed.
    Store(StoreError),
    /// The store holds something that does not read.
    Damaged,
}

impl From<StoreError> for NotKept {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken { .. } | StoreError::Conflict { .. } => Self::Overtaken,
            other => Self::Store(other),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct EntryRecord {
    rim: String,
    fed_by: IdNatStruct,
    blob: Digest,
    set: String,
}

/// The twin's store.
#[derive(Clone)]
pub(super) struct State(Arc<SqliteStore>);

impl State {
    pub(super) const fn new(store: Arc<SqliteStore>) -> Self {
        Self(store)
    }

    /// Entries of a patient, oldest first.
    pub(super) async fn entries_of(&self, patient: &Ins) -> Result<Vec<Kept>, NotKept> {
        self.entries(Term::is(PATIENT, patient.to_cx())).await
    }

    /// Entries with one of these uniqueIds.
    pub(super) async fn entries_named(&self, unique_ids: &[String]) -> Result<Vec<Kept>, NotKept> {
        self.entries(Term::any_of(UNIQUE_ID, unique_ids)).await
    }

    /// Members of a lot.
    pub(super) async fn members_of(&self, set: &str) -> Result<Vec<Kept>, NotKept> {
        self.entries(Term::is(IN_SET, set)).await
    }

    /// The entry with this entryUUID.
    pub(super) async fn entry(&self, uuid: &str) -> Result<Option<Kept>, NotKept> {
        if uuid.is_empty() || uuid.len() > 255 {
            return Ok(None);
        }
        let found = self.0.read(TENANT, ENTRY, uuid).await?;
        found.filter(|version| !version.deleted).map(|version| kept(&version)).transpose()
    }

    /// Lots of a patient, oldest first.
    pub(super) async fn sets_of(&self, patient: &Ins) -> Result<Vec<SubmissionSet>, NotKept> {
        self.sets(Term::is(PATIENT, patient.to_cx())).await
    }

    /// Lots with one of these uniqueIds.
    pub(super) async fn sets_named(&self, unique_ids: &[String]) -> Result<Vec<SubmissionSet>, NotKept> {
        self.sets(Term::any_of(UNIQUE_ID, unique_ids)).await
    }

    /// Lots with one of these entryUUIDs.
    pub(super) async fn sets_by_uuid(&self, uuids: &[String]) -> Result<Vec<SubmissionSet>, NotKept> {
        let mut sets = Vec::new();
        for uuid in uuids.iter().filter(|uuid| !uuid.is_empty() && uuid.len() <= 255) {
            let found = self.0.read(TENANT, SET, uuid).await?;
            sets.extend(found.map(|version| objects(&version.body)).transpose()?.map(|o| o.sets).unwrap_or_default());
        }
        Ok(sets)
    }

    /// Associations of which one of these objects is an end.
    pub(super) async fn associations_of(&self, uuids: &[String]) -> Result<Vec<Association>, NotKept> {
        let mut all: Vec<Association> = Vec::new();
        for end in [SOURCE, TARGET] {
            for version in self.all(ASSOCIATION, Term::any_of(end, uuids)).await? {
                for association in objects(&version.body)?.associations {
                    if !all.iter().any(|known| known.id == association.id) {
                        all.push(association);
                    }
                }
            }
        }
        Ok(all)
    }

    /// The bytes of a document.
    pub(super) async fn document(&self, kept: &Kept) -> Result<Bytes, NotKept> {
        self.0.blob(&kept.blob).await?.ok_or(NotKept::Damaged)
    }

    /// Writes a lot: all of it, durably, or nothing.
    pub(super) async fn keep(&self, lot: NewLot) -> Result<(), NotKept> {
        self.0.commit(batch(lot)).await?;
        Ok(())
    }

    async fn entries(&self, term: Term) -> Result<Vec<Kept>, NotKept> {
        self.all(ENTRY, term).await?.iter().map(kept).collect()
    }

    async fn sets(&self, term: Term) -> Result<Vec<SubmissionSet>, NotKept> {
        let mut sets = Vec::new();
        for version in self.all(SET, term).await? {
            sets.extend(objects(&version.body)?.sets);
        }
        Ok(sets)
    }

    /// Every resource of a kind with this term, oldest first.
    async fn all(&self, kind: &str, term: Term) -> Result<Vec<Version>, NotKept> {
        let mut all: Vec<Version> = Vec::new();
        loop {
            let page = match all.last() {
                Some(last) => Page::after(last.cursor, 1000),
                None => Page::first(1000),
            };
            let found = self.0.search(TENANT, kind, vec![term.clone()], page).await?;
            let is_last = found.len() < 1000;
            all.extend(found);
            if is_last {
                all.reverse();
                return Ok(all);
            }
        }
    }
}

fn batch(lot: NewLot) -> Batch {
    let NewLot { submission, documents, patient, fed_by, replaced } = lot;
    let Submission { set, entries, associations } = submission;
    let (patient, set_id) = (patient.to_cx(), set.id.clone());
    let mut batch = Batch::new(TENANT);
    batch.uniques.push(unique("SubmissionSet.uniqueId", &set.unique_id, &set.id));
    for (entry, bytes) in entries.into_iter().zip(documents) {
        batch.uniques.push(unique("DocumentEntry.uniqueId", &entry.unique_id, &entry.id));
        let blob = Blob::new(bytes);
        let kept = Kept { entry, fed_by: fed_by.clone(), blob: blob.digest(), set: set_id.clone(), version: 0 };
        batch.blobs.push(blob);
        batch.writes.push(write_entry(kept, &patient, Expect::Absent));
    }
    for mut old in replaced {
        let expect = Expect::Version(old.version);
        old.entry.status = Some(Status::Deprecated);
        batch.writes.push(write_entry(old, &patient, expect));
    }
    for association in associations {
        let ends = (association.source.clone(), association.target.clone());
        let id = association.id.clone();
        let rim = write_list(&RegistryObjects { associations: vec![association], ..Default::default() });
        let write = Write::new(ASSOCIATION, id, rim).posting(SOURCE, ends.0).posting(TARGET, ends.1);
        batch.writes.push(write.expect(Expect::Absent));
    }
    let unique_id = set.unique_id.clone();
    let rim = write_list(&RegistryObjects { sets: vec![set], ..Default::default() });
    let write = Write::new(SET, set_id, rim).posting(PATIENT, patient).posting(UNIQUE_ID, unique_id);
    batch.writes.push(write.expect(Expect::Absent));
    batch
}

fn unique(name: &str, value: &str, owner: &str) -> Unique {
    Unique { name: name.to_owned(), value: value.to_owned(), owner: owner.to_owned() }
}

fn write_entry(kept: Kept, patient: &str, expect: Expect) -> Write {
    let Kept { entry, fed_by, blob, set, .. } = kept;
    let (id, unique_id) = (entry.id.clone(), entry.unique_id.clone());
    let rim = write_list(&RegistryObjects { entries: vec![entry], ..Default::default() });
    let record = EntryRecord { rim, fed_by, blob, set: set.clone() };
    // A struct of strings always becomes JSON.
    let body = serde_json::to_vec(&record).unwrap_or_default();
    Write::new(ENTRY, id, body)
        .posting(PATIENT, patient)
        .posting(UNIQUE_ID, unique_id)
        .posting(IN_SET, set)
        .expect(expect)
}

fn kept(version: &Version) -> Result<Kept, NotKept> {
    let record: EntryRecord = serde_json::from_slice(&version.body).map_err(|_| NotKept::Damaged)?;
    let entry = objects(record.rim.as_bytes())?.entries.pop().ok_or(NotKept::Damaged)?;
    let EntryRecord { fed_by, blob, set, .. } = record;
    Ok(Kept { entry, fed_by, blob, set, version: version.version })
}

fn objects(rim: &[u8]) -> Result<RegistryObjects, NotKept> {
    let text = std::str::from_utf8(rim).map_err(|_| NotKept::Damaged)?;
    let document = parse(text, &Limits::ENVELOPE).map_err(|_| NotKept::Damaged)?;
    let read = read_list(document.root_element(), Profile::Answer).map_err(|_| NotKept::Damaged)?;
    Ok(read.value)
}
