//! The store against a model of a few lines per rule: any sequence of commits, claims, retries and restarts gives
//! the same answers and the same state.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use socle_identity::Environment;
use socle_store::{
    Batch, Blob, Claim, Delete, Enqueued, Expect, Job, JobFilter, JobId, JobState, JobUpdate, NewJob, Outcome, Page,
    Release, SqliteStore, Store, StoreError, Term, Unique, Write,
};

use crate::fixtures::{self, at, record};

const KINDS: [&str; 2] = ["Doc", "List"];
const IDS: u8 = 4;
const NAMES: [&str; 2] = ["a", "b"];
const VALUES: u8 = 3;
const TENANTS: [&str; 2] = ["one", "two"];
const ENVIRONMENTS: [Environment; 2] = [Environment::Jumeau, Environment::Production];
const JOB_KINDS: [&str; 2] = ["dmp", "mss"];

/// What the machine does.
#[derive(Debug, Clone)]
enum Step {
    Commit(Parts),
    Claim {
        environment: usize,
        both_kinds: bool,
        max: usize,
        lease: u64,
    },
    /// Says what became of a job that was claimed, maybe long ago: `nth` of all claims so far.
    Tell {
        nth: prop::sample::Index,
        outcome: u8,
    },
    Retry {
        job: u64,
    },
    Wait(i64),
    Reopen,
}

/// A write: kind, id, postings, what is expected.
type Written = (usize, u8, Vec<(usize, u8)>, Expected);

/// What a commit answers: versions, tombstones, jobs.
type Answer = (Vec<u64>, Vec<Option<u64>>, Vec<Enqueued>);

/// What a batch holds, with small numbers for names.
#[derive(Debug, Clone)]
struct Parts {
    tenant: usize,
    writes: Vec<Written>,
    deletes: Vec<(usize, u8, Expected)>,
    uniques: Vec<(u8, u8)>,
    releases: Vec<u8>,
    jobs: Vec<(usize, u8, Option<u8>, usize, i64)>,
    audit: u8,
}

#[derive(Debug, Clone, Copy)]
enum Expected {
    Any,
    Absent,
    /// The current version plus this.
    Current(u64),
}

fn parts() -> impl Strategy<Value = Parts> {
    use prop::collection::vec;
    let expected = || prop_oneof![6 => Just(Expected::Any), 1 => Just(Expected::Absent), 2 => (0..2_u64).prop_map(Expected::Current)];
    let postings = vec((0..NAMES.len(), 0..VALUES), 0..4);
    (
        0..TENANTS.len(),
        vec((0..KINDS.len(), 0..IDS, postings, expected()), 0..4),
        vec((0..KINDS.len(), 0..IDS, expected()), 0..2),
        vec((0..VALUES, 0..2_u8), 0..2),
        vec(0..VALUES, 0..2),
        vec((0..JOB_KINDS.len(), 0..8_u8, prop::option::of(0..2_u8), 0..ENVIRONMENTS.len(), 0..30_i64), 0..3),
        0..3_u8,
    )
        .prop_map(|(tenant, writes, deletes, uniques, releases, jobs, audit)| Parts {
            tenant,
            writes,
            deletes,
            uniques,
            releases,
            jobs,
            audit,
        })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => parts().prop_map(Step::Commit),
        4 => (0..ENVIRONMENTS.len(), any::<bool>(), 0..4_usize, 1..40_u64)
            .prop_map(|(environment, both_kinds, max, lease)| Step::Claim { environment, both_kinds, max, lease }),
        4 => (any::<prop::sample::Index>(), 0..3_u8).prop_map(|(nth, outcome)| Step::Tell { nth, outcome }),
        2 => (0..12_u64).prop_map(|job| Step::Retry { job }),
        3 => (1..25_i64).prop_map(Step::Wait),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..40)
}

/// One version: its body, or a tombstone, and what it is found by.
type ModelVersion = Option<(String, BTreeSet<(String, String)>)>;

/// What the store should be.
#[derive(Debug, Clone, Default)]
struct Model {
    /// By tenant, kind and id: in the order of creation, with all versions.
    resources: Vec<((String, String, String), Vec<ModelVersion>)>,
    uniques: BTreeMap<(String, String), String>,
    jobs: Vec<Job>,
    audit: u64,
}

impl Model {
    fn find(&self, key: &(String, String, String)) -> Option<&Vec<ModelVersion>> {
        self.resources.iter().find(|(other, _)| other == key).map(|(_, versions)| versions)
    }

    fn versions(&mut self, key: &(String, String, String)) -> &mut Vec<ModelVersion> {
        if self.find(key).is_none() {
            self.resources.push((key.clone(), Vec::new()));
        }
        &mut self.resources.iter_mut().find(|(other, _)| other == key).unwrap().1
    }

    fn met(&self, key: &(String, String, String), expect: Expect) -> bool {
        let versions = self.find(key);
        match expect {
            Expect::Any => true,
            Expect::Absent => versions.is_none_or(|versions| versions.last().unwrap().is_none()),
            Expect::Version(n) => versions.is_some_and(|versions| versions.len() as u64 == n),
        }
    }

    /// What the batch should answer: versions and tombstones and jobs, or the name of the refusal.
    fn commit(&mut self, batch: &Batch) -> Result<Answer, &'static str> {
        let tenant = &batch.tenant;
        for release in &batch.releases {
            self.uniques.remove(&(tenant.clone(), release.value.clone()));
        }
        for unique in &batch.uniques {
            let owner =
                self.uniques.entry((tenant.clone(), unique.value.clone())).or_insert_with(|| unique.owner.clone());
            if *owner != unique.owner {
                return Err("taken");
            }
        }
        let mut written = Vec::new();
        for write in &batch.writes {
            let key = (tenant.clone(), write.kind.clone(), write.id.clone());
            if !self.met(&key, write.expect) {
                return Err("conflict");
            }
            let postings = write.postings.iter().map(|posting| (posting.name.clone(), posting.value.clone())).collect();
            let versions = self.versions(&key);
            versions.push(Some((String::from_utf8(write.body.to_vec()).unwrap(), postings)));
            written.push(versions.len() as u64);
        }
        let mut deleted = Vec::new();
        for delete in &batch.deletes {
            let key = (tenant.clone(), delete.kind.clone(), delete.id.clone());
            if !self.met(&key, delete.expect) {
                return Err("conflict");
            }
            let alive = self.find(&key).is_some_and(|versions| versions.last().unwrap().is_some());
            deleted.push(alive.then(|| {
                let versions = self.versions(&key);
                versions.push(None);
                versions.len() as u64
            }));
        }
        let enqueued = batch.jobs.iter().map(|job| self.enqueue(tenant, job)).collect();
        for update in &batch.job_updates {
            self.tell(tenant, update)?;
        }
        self.audit += batch.audit.len() as u64;
        Ok((written, deleted, enqueued))
    }

    fn enqueue(&mut self, tenant: &str, job: &NewJob) -> Enqueued {
        let same = |other: &&Job| other.tenant == tenant && other.kind == job.kind && other.key == job.key;
        if let Some(existing) = self.jobs.iter().find(same) {
            return Enqueued::Existing(existing.id);
        }
        let id = JobId(self.jobs.len() as u64 + 1);
        self.jobs.push(Job {
            id,
            tenant: tenant.to_owned(),
            kind: job.kind.clone(),
            key: job.key.clone(),
            lane: job.lane.clone(),
            environment: job.environment,
            flow: None,
            payload: job.payload.clone(),
            state: JobState::Waiting,
            behind: false,
            attempts: 0,
            claim: 0,
            claimed: None,
            due: job.not_before.unwrap(),
            error: None,
            created: at(0),
        });
        Enqueued::New(id)
    }

    fn tell(&mut self, tenant: &str, update: &JobUpdate) -> Result<(), &'static str> {
        let job = self.jobs.iter_mut().find(|job| job.id == update.id && job.tenant == tenant).ok_or("no such job")?;
        if job.state != JobState::Running || job.claim != update.claim {
            return Err("lease lost");
        }
        match &update.outcome {
            Outcome::Done => (job.state, job.error) = (JobState::Done, None),
            Outcome::Retry { at, error } => {
                (job.state, job.due, job.error) = (JobState::Waiting, *at, Some(error.clone()));
            }
            Outcome::Dead { error } => (job.state, job.error) = (JobState::Dead, Some(error.clone())),
        }
        Ok(())
    }

    /// Whether another job of its lane goes first: the running one, else the oldest unfinished one.
    fn behind(&self, job: &Job) -> bool {
        let unfinished = |job: &Job| matches!(job.state, JobState::Waiting | JobState::Running);
        let lane = |job: &Job| (job.tenant.clone(), job.environment.as_str(), job.lane.clone());
        let first = self
            .jobs
            .iter()
            .filter(|other| unfinished(other) && lane(other) == lane(job))
            .min_by_key(|other| (other.state != JobState::Running, other.id));
        job.lane.is_some() && unfinished(job) && first.is_some_and(|first| first.id != job.id)
    }

    fn claim(&mut self, claim: &Claim) -> Vec<JobId> {
        let due = |job: &&Job| {
            matches!(job.state, JobState::Waiting | JobState::Running)
                && job.due <= claim.now
                && job.environment == claim.environment
                && claim.kinds.contains(&job.kind)
                && !self.behind(job)
        };
        let mut ids: Vec<_> = self.jobs.iter().filter(due).map(|job| (job.due, job.id)).collect();
        ids.sort_unstable();
        ids.truncate(claim.max);
        for (_, id) in &ids {
            let job = self.jobs.iter_mut().find(|job| job.id == *id).unwrap();
            job.state = JobState::Running;
            job.due = claim.now + claim.lease;
            job.attempts += 1;
            job.claim += 1;
            job.claimed = Some(claim.now);
        }
        ids.into_iter().map(|(_, id)| id).collect()
    }

    /// Nobody works at the running jobs any more.
    fn reopen(&mut self) {
        for job in self.jobs.iter_mut().filter(|job| job.state == JobState::Running) {
            (job.state, job.due) = (JobState::Waiting, job.claimed.unwrap());
        }
    }

    fn retry(&mut self, id: JobId, now: jiff::Timestamp) -> bool {
        let Some(job) = self.jobs.iter_mut().find(|job| job.id == id) else { return false };
        if matches!(job.state, JobState::Done | JobState::Running) {
            return false;
        }
        (job.state, job.due, job.attempts) = (JobState::Waiting, now, 0);
        true
    }

    fn search(&self, tenant: &str, kind: &str, terms: &[Term]) -> Vec<(String, u64, String)> {
        let holds = |postings: &BTreeSet<(String, String)>| {
            terms
                .iter()
                .all(|term| term.values.iter().any(|value| postings.contains(&(term.name.clone(), value.clone()))))
        };
        let mut found = Vec::new();
        for ((of_tenant, of_kind, id), versions) in self.resources.iter().rev() {
            if let Some(Some((body, postings))) = versions.last()
                && of_tenant == tenant
                && of_kind == kind
                && holds(postings)
            {
                found.push((id.clone(), versions.len() as u64, body.clone()));
            }
        }
        found
    }
}

/// The batch that `parts` describe; what it expects depends on what is there.
fn batch(parts: &Parts, model: &Model, number: usize) -> Batch {
    let tenant = TENANTS[parts.tenant];
    let expect = |kind: usize, id: u8, expected| match expected {
        Expected::Any => Expect::Any,
        Expected::Absent => Expect::Absent,
        Expected::Current(plus) => {
            let key = (tenant.to_owned(), KINDS[kind].to_owned(), id.to_string());
            Expect::Version(model.find(&key).map_or(0, |versions| versions.len() as u64) + plus)
        }
    };
    let mut made = Batch::new(tenant);
    for (at, (kind, id, postings, expected)) in parts.writes.iter().enumerate() {
        let write = Write::new(KINDS[*kind], id.to_string(), format!("body {number}.{at}"))
            .expect(expect(*kind, *id, *expected));
        made.writes
            .push(postings.iter().fold(write, |write, (name, value)| write.posting(NAMES[*name], value.to_string())));
    }
    for (kind, id, expected) in &parts.deletes {
        made.deletes.push(Delete {
            kind: KINDS[*kind].into(),
            id: id.to_string(),
            expect: expect(*kind, *id, *expected),
        });
    }
    for (value, owner) in &parts.uniques {
        made.uniques.push(Unique { name: "n".into(), value: value.to_string(), owner: format!("owner {owner}") });
    }
    made.releases = parts.releases.iter().map(|value| Release { name: "n".into(), value: value.to_string() }).collect();
    for (kind, key, lane, environment, due) in &parts.jobs {
        made.jobs.push(NewJob {
            lane: lane.map(|lane| lane.to_string()),
            environment: ENVIRONMENTS[*environment],
            not_before: Some(at(*due)),
            ..fixtures::job(JOB_KINDS[*kind], &key.to_string(), None)
        });
    }
    made.audit = (0..parts.audit).map(|n| record((n > 0).then_some("someone"), None)).collect();
    made.blobs.push(Blob::new(format!("blob {}", number % 7)));
    made
}

fn refusal(error: &StoreError) -> &'static str {
    match error {
        StoreError::Conflict { .. } => "conflict",
        StoreError::Taken { .. } => "taken",
        StoreError::LeaseLost { .. } => "lease lost",
        StoreError::NoSuchJob { .. } => "no such job",
        _ => "another one",
    }
}

/// Does the steps on both, comparing each answer, then the whole state.
async fn play(steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = fixtures::open(dir.path());
    let (mut model, mut claims, mut now) = (Model::default(), Vec::<Job>::new(), 0);
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Commit(parts) => {
                let batch = batch(&parts, &model, number);
                commit(&store, &mut model, batch).await;
            }
            Step::Claim { environment, both_kinds, max, lease } => {
                let claim = Claim {
                    environment: ENVIRONMENTS[environment],
                    kinds: JOB_KINDS[..=usize::from(both_kinds)].iter().map(|&kind| kind.to_owned()).collect(),
                    max,
                    now: at(now),
                    lease: Duration::from_secs(lease),
                };
                let jobs = store.claim_jobs(claim.clone()).await.unwrap();
                assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), model.claim(&claim), "step {number}");
                claims.extend(jobs);
            }
            Step::Tell { nth, outcome } => {
                if claims.is_empty() {
                    continue;
                }
                let job = nth.get(&claims);
                let update =
                    [job.done(), job.retry(at(now + 5), "later"), job.dead("never")][usize::from(outcome)].clone();
                commit(&store, &mut model, Batch { job_updates: vec![update], ..Batch::new(&job.tenant) }).await;
            }
            Step::Retry { job } => {
                let retried = store.retry_job(JobId(job), at(now)).await;
                assert_eq!(retried.is_ok(), model.retry(JobId(job), at(now)), "step {number}: {retried:?}");
            }
            Step::Wait(seconds) => now += seconds,
            Step::Reopen => {
                drop(store);
                store = fixtures::open(dir.path());
                model.reopen();
            }
        }
    }
    compare(&store, &model).await;
}

async fn commit(store: &SqliteStore, model: &mut Model, batch: Batch) {
    let mut after = model.clone();
    let expected = after.commit(&batch);
    let answered = store.commit(batch).await.map(|done| (done.writes, done.deletes, done.jobs));
    assert_eq!(answered.as_ref().map_err(refusal), expected.as_ref().map_err(|&refusal| refusal));
    if expected.is_ok() {
        *model = after;
    }
}

async fn compare(store: &SqliteStore, model: &Model) {
    for tenant in TENANTS {
        for kind in KINDS {
            for id in 0..IDS {
                compare_history(store, model, (tenant.into(), kind.into(), id.to_string())).await;
            }
            compare_searches(store, model, tenant, kind).await;
        }
        for value in 0..VALUES {
            let owner = store.owner(tenant, "n", &value.to_string()).await.unwrap();
            assert_eq!(owner.as_ref(), model.uniques.get(&(tenant.to_owned(), value.to_string())));
        }
    }
    let mut jobs = store.jobs(JobFilter::default(), Page::first(99)).await.unwrap();
    jobs.reverse();
    let expected: Vec<_> = model.jobs.iter().map(|job| Job { behind: model.behind(job), ..job.clone() }).collect();
    let comparable = |job: &Job| {
        let ended = matches!(job.state, JobState::Done | JobState::Dead);
        Job { created: at(0), due: if ended { at(0) } else { job.due }, ..job.clone() }
    };
    assert_eq!(jobs.iter().map(comparable).collect::<Vec<_>>(), expected.iter().map(comparable).collect::<Vec<_>>());
    let report = store.check().await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.audit.size, model.audit);
}

async fn compare_history(store: &SqliteStore, model: &Model, key: (String, String, String)) {
    let history = store.history(&key.0, &key.1, &key.2, Page::first(99)).await.unwrap();
    let found: Vec<_> = history.iter().rev().map(|version| (!version.deleted).then(|| version.body.to_vec())).collect();
    let expected = model.find(&key).cloned().unwrap_or_default();
    let expected: Vec<_> = expected.into_iter().map(|version| version.map(|(body, _)| body.into_bytes())).collect();
    assert_eq!(found, expected, "{key:?}");
    let current = store.read(&key.0, &key.1, &key.2).await.unwrap();
    assert_eq!(current.map(|version| version.version), history.first().map(|version| version.version));
}

async fn compare_searches(store: &SqliteStore, model: &Model, tenant: &str, kind: &str) {
    let values = |of: std::ops::Range<u8>| of.map(|value| value.to_string()).collect::<Vec<_>>();
    let mut searches = vec![vec![]];
    for value in values(0..VALUES) {
        searches.push(vec![Term::is("a", &value)]);
        searches.push(vec![Term::is("a", &value), Term::any_of("b", values(0..2))]);
        searches.push(vec![
            Term::any_of("b", values(1..3)),
            Term::is("a", &value),
            Term::any_of("a", values(0..VALUES)),
        ]);
    }
    for terms in searches {
        let expected = model.search(tenant, kind, &terms);
        assert_eq!(store.count(tenant, kind, terms.clone()).await.unwrap(), expected.len() as u64);
        let (mut found, mut page) = (Vec::new(), Page::first(2));
        loop {
            let versions = store.search(tenant, kind, terms.clone(), page).await.unwrap();
            let Some(last) = versions.last() else { break };
            page = Page::after(last.cursor, 2);
            found.extend(versions.iter().map(|version| {
                (version.id.clone(), version.version, String::from_utf8(version.body.to_vec()).unwrap())
            }));
        }
        assert_eq!(found, expected, "{tenant} {kind} {terms:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_gives_what_the_model_gives(steps in steps()) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(play(steps));
    }
}
