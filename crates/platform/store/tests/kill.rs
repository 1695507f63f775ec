//! A writing process is killed at random moments; whatever it had acknowledged must be there, whole.
//!
//! The parent starts this same program as the writer (SIGKILL, or TerminateProcess on Windows), reads what it
//! acknowledges, kills it, opens the store and looks at every batch: all of its parts or none. The folder is kept
//! from round to round, so that each round also goes on after a crash.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program without #[test] functions"
)]

use std::collections::BTreeSet;
use std::io::{BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use socle_identity::Environment;
use socle_store::{
    AuditFilter, Batch, Blob, Claim, Expect, FlowState, FlowStep, JobFilter, JobState, NewFlow, NewJob, Options, Page,
    SqliteStore, StepState, Store, StoreError, Term, Unique, Write,
};
use socle_trust::audit::{Code, PatientId, Record, RecordAction};
use uuid::Uuid;

const ROUNDS: u64 = 20;
const CALLERS: u64 = 8;
const T: &str = "platform";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (Some("write"), Some(folder), Some(round)) => {
            runtime.block_on(write(Path::new(&folder), round.parse().unwrap()))
        }
        _ => runtime.block_on(kill_and_look()),
    }
}

// The process to kill.

/// Commits and finishes jobs until killed, telling what is acknowledged.
async fn write(folder: &Path, round: u64) {
    let store = Arc::new(SqliteStore::open(folder, Options { segment_bytes: 1 << 20, ..Options::default() }).unwrap());
    let runner = tokio::spawn(run_jobs(Arc::clone(&store)));
    for caller in 0..CALLERS {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0.. {
                store.commit(batch(Name { round, caller, n })).await.unwrap();
                tell(&format!("kept {round} {caller} {n}"));
                // Refused in the same groups as the others' batches: must leave nothing.
                let refused = store.commit(batch(Name { round, caller, n })).await;
                assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
            }
        });
    }
    runner.await.unwrap();
}

async fn run_jobs(store: Arc<SqliteStore>) {
    loop {
        let claim = Claim {
            environment: Environment::Jumeau,
            kinds: vec!["dmp".into()],
            max: 4,
            now: Timestamp::now(),
            lease: Duration::from_secs(3600),
        };
        for job in store.claim_jobs(claim).await.unwrap() {
            store.commit(Batch { job_updates: vec![job.done()], ..Batch::new(T) }).await.unwrap();
            tell(&format!("done {}", job.key));
        }
    }
}

/// One line, whole or not at all as far as the parent is concerned: it ignores one without its end.
fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

/// Names a batch; everything in it follows from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    round: u64,
    caller: u64,
    n: u64,
}

impl Name {
    fn flow(self) -> Uuid {
        Uuid::from_u128(u128::from(self.round) << 96 | u128::from(self.caller) << 64 | u128::from(self.n))
    }

    fn blob(self) -> Blob {
        // Of every size, from nothing to 60 KB.
        let length = (self.n * 7919 + self.caller * 104_729) % 60_000;
        let line = format!("{self:?} ");
        Blob::new(line.bytes().cycle().take(line.len() + length as usize).collect::<Vec<_>>())
    }
}

fn batch(name: Name) -> Batch {
    let (flow, id) = (name.flow(), name.flow().to_string());
    let mut record =
        Record::new("kill", Environment::Jumeau, Code::ihe("ITI-65"), RecordAction::C, Timestamp::UNIX_EPOCH);
    record.flow = Some(flow);
    record.patient = Some(PatientId { system: "urn:oid:1.2.3".into(), value: (name.n % 10).to_string() });
    let job = |kind: &str| NewJob {
        kind: kind.into(),
        key: id.clone(),
        lane: Some(format!("{kind} {}", name.caller)),
        environment: Environment::Jumeau,
        flow: Some(flow),
        payload: id.clone().into(),
        not_before: None,
    };
    let step = FlowStep {
        flow,
        step: "store".into(),
        state: StepState::Ok,
        started: Timestamp::UNIX_EPOCH,
        ended: None,
        protocol: String::new(),
        summary: socle_finding::Text::same(id.clone()),
        rule: None,
        exchange: None,
    };
    let resource = |kind: &str| {
        let body = format!("{kind} {}", name.blob().digest());
        Write::new(kind, &id, body).posting("id", &id).posting("round", name.round.to_string()).expect(Expect::Absent)
    };
    Batch {
        uniques: vec![Unique { name: "n".into(), value: id.clone(), owner: id.clone() }],
        writes: vec![resource("Doc"), resource("List")],
        blobs: vec![name.blob()],
        flows: vec![NewFlow { id: flow, kind: "kill".into(), document: Some(id.clone()), actor: None }],
        flow_steps: vec![step],
        jobs: vec![job("dmp"), job("mss")],
        audit: vec![record.clone(), record],
        ..Batch::new(T)
    }
}

// The parent.

async fn kill_and_look() {
    let folder = tempfile::tempdir().unwrap();
    let (mut totals, mut signed) = ((0, 0), BTreeSet::new());
    for round in 0..ROUNDS {
        let (kept, done) = kill_one(folder.path(), round);
        let store = SqliteStore::open(folder.path(), Options::default()).unwrap();
        for &name in &kept {
            look(&store, name).await;
        }
        for id in &done {
            look_at_done_job(&store, id).await;
        }
        look_at_the_rest(&store, round, &kept).await;
        totals = (totals.0 + kept.len(), totals.1 + done.len());
        signed.insert(store.audit_checkpoint().await.unwrap().size);
    }
    let store = SqliteStore::open(folder.path(), Options::default()).unwrap();
    let report = store.check().await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.audit.checkpoints, signed.len() as u64);
    assert!(totals.0 >= ROUNDS as usize / 2);
    println!("{ROUNDS} kills: {} acknowledged batches and {} finished jobs, all there and whole", totals.0, totals.1);
}

/// Starts a writer, kills it at some moment, gives what it had acknowledged.
fn kill_one(folder: &Path, round: u64) -> (BTreeSet<Name>, Vec<String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["write", folder.to_str().unwrap(), &round.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (first, first_seen) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || read(out, &first));
    if round % 2 == 1 {
        first_seen.recv_timeout(Duration::from_secs(60)).unwrap();
    }
    // Random enough: each run meets other moments, even rounds from the opening of the store on, odd ones at work.
    std::thread::sleep(Duration::from_millis(u64::from(Uuid::new_v4().as_bytes()[0]) + 10));
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(status.code().is_none_or(|code| code != 101), "the writer panicked");
    reader.join().unwrap()
}

fn read(mut out: impl std::io::BufRead, first: &std::sync::mpsc::Sender<()>) -> (BTreeSet<Name>, Vec<String>) {
    let (mut kept, mut done) = (BTreeSet::new(), Vec::new());
    let mut line = String::new();
    while out.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["kept", round, caller, n] => {
                let [round, caller, n] = [round, caller, n].map(|number| number.parse().unwrap());
                kept.insert(Name { round, caller, n });
            }
            ["done", key] => done.push(key.to_owned()),
            _ => panic!("{line}"),
        }
        line.clear();
        // In even rounds nobody waits for it.
        let _ = first.send(());
    }
    (kept, done)
}

/// All of a batch is there.
async fn look(store: &SqliteStore, name: Name) {
    let (flow, id) = (name.flow(), name.flow().to_string());
    for kind in ["Doc", "List"] {
        let resource = store.read(T, kind, &id).await.unwrap().unwrap_or_else(|| panic!("{name:?} was lost"));
        assert_eq!((resource.version, resource.body), (1, format!("{kind} {}", name.blob().digest()).into()));
        assert_eq!(store.count(T, kind, vec![Term::is("id", &id)]).await.unwrap(), 1);
    }
    assert_eq!(store.blob(&name.blob().digest()).await.unwrap().unwrap(), name.blob().bytes());
    assert_eq!(store.owner(T, "n", &id).await.unwrap().unwrap(), id);
    let flow_there = store.flow(flow).await.unwrap().unwrap();
    assert_eq!((flow_there.steps.len(), flow_there.jobs.len(), flow_there.summary.state), (1, 2, FlowState::Waiting));
    let filter = AuditFilter { patient: None, flow: Some(flow) };
    assert_eq!(store.audit(filter, Page::first(9)).await.unwrap().len(), 2);
}

async fn look_at_done_job(store: &SqliteStore, id: &str) {
    let filter = JobFilter { flow: Some(id.parse().unwrap()), kinds: vec!["dmp".into()], ..JobFilter::default() };
    let jobs = store.jobs(filter, Page::first(9)).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.state).collect::<Vec<_>>(), [JobState::Done], "{id}");
}

/// What was not acknowledged is whole or absent: everything comes in the same numbers.
async fn look_at_the_rest(store: &SqliteStore, round: u64, kept: &BTreeSet<Name>) {
    let of_round = || vec![Term::is("round", round.to_string())];
    let docs = store.count(T, "Doc", of_round()).await.unwrap();
    assert_eq!(store.count(T, "List", of_round()).await.unwrap(), docs);
    assert!(docs >= kept.len() as u64 && docs <= kept.len() as u64 + CALLERS, "{docs} of {}", kept.len());
    let all = store.count(T, "Doc", vec![]).await.unwrap();
    let jobs: u64 = store.job_counts().await.unwrap().iter().map(|count| count.count).sum();
    assert_eq!(jobs, 2 * all);
    let report = store.check().await.unwrap();
    assert!(report.is_sound(), "round {round}: {report:?}");
    assert_eq!((report.blobs, report.audit.size), (all, 2 * all));
}
