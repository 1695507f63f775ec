//! How many documents per second the store acknowledges, beside what the disk itself gives.
//!
//! `cargo run --release -p socle-store --example commit_rate -- [FOLDER] [SECONDS] [CALLERS] [KIB]`
//!
//! One document is what the platform's main way commits: a blob (200 KiB unless told), three resources with
//! six postings each, a unique name, a flow with two steps, two audit records about one of 1 000 persons, and
//! two jobs, which a runner claims and finishes meanwhile. Then the store is opened again, and 64 callers read and
//! search. Disks of virtual machines are throttled by the
//! minute: the disk's own rates, measured just before and just after, belong to the result.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measuring tool: it prints, and stops when it cannot measure"
)]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use socle_identity::Environment;
use socle_store::{
    Batch, Blob, Claim, FlowStep, NewFlow, NewJob, Options, Page, SqliteStore, StepState, Store, Term, Unique, Write,
};
use socle_trust::audit::{Code, PatientId, Record, RecordAction};
use uuid::Uuid;

const TENANT: &str = "platform";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| arguments.get(at).map_or(default, |text| text.parse().expect("a number"));
    let folder = arguments.first().map_or_else(|| std::env::temp_dir().join("socle-commit-rate"), PathBuf::from);
    let (seconds, callers, kib) = (number(1, 10), number(2, 64), number(3, 200));
    std::fs::create_dir_all(&folder).expect("the folder");

    println!("disk before: {}", Disk::measure(&folder));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let result =
        runtime.block_on(run(&folder.join("store"), Duration::from_secs(seconds), callers, kib as usize * 1024));
    println!("{callers} callers, {kib} KiB each: {result}");
    println!("{}", runtime.block_on(read(&folder.join("store"))));
    println!("disk after:  {}", Disk::measure(&folder));
    std::fs::remove_dir_all(&folder).expect("the folder goes away");
}

/// What the disk gives to one writer.
struct Disk {
    syncs: f64,
    megabytes: f64,
}

impl Disk {
    /// Two seconds of appending 4 KiB and syncing, then 64 MiB in one go.
    fn measure(folder: &Path) -> Self {
        let path = folder.join("disk");
        let mut file = File::create(&path).expect("a file");
        let (mut count, start) = (0_u32, Instant::now());
        while start.elapsed() < Duration::from_secs(2) {
            file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).expect("a write");
            count += 1;
        }
        let syncs = f64::from(count) / start.elapsed().as_secs_f64();
        let start = Instant::now();
        file.write_all(&vec![7; 64 << 20]).and_then(|()| file.sync_data()).expect("a write");
        let megabytes = 67.1 / start.elapsed().as_secs_f64();
        std::fs::remove_file(path).expect("the file goes away");
        Self { syncs, megabytes }
    }
}

impl std::fmt::Display for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0} fdatasync/s, {:.0} MB/s", self.syncs, self.megabytes)
    }
}

/// What the store gave.
struct Rates {
    documents: usize,
    seconds: f64,
    latencies: Vec<Duration>,
    jobs: usize,
}

impl std::fmt::Display for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = |share: usize| self.latencies.get(self.latencies.len() * share / 1000).map_or(0, Duration::as_millis);
        write!(
            f,
            "{:.0} documents/s durable; p50 {} ms, p99 {} ms, p99.9 {} ms; {:.0} jobs/s done meanwhile",
            self.documents as f64 / self.seconds,
            at(500),
            at(990),
            at(999),
            self.jobs as f64 / self.seconds
        )
    }
}

async fn run(folder: &Path, time: Duration, callers: u64, bytes: usize) -> Rates {
    let store = Arc::new(SqliteStore::open(folder, Options::default()).expect("the store"));
    let end = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let runner = tokio::spawn(finish_jobs(Arc::clone(&store), Arc::clone(&end)));
    let callers: Vec<_> =
        (0..callers).map(|caller| tokio::spawn(submit(Arc::clone(&store), start + time, caller, bytes))).collect();
    let mut latencies = Vec::new();
    for caller in callers {
        latencies.extend(caller.await.expect("a caller"));
    }
    let seconds = start.elapsed().as_secs_f64();
    end.store(true, Ordering::Relaxed);
    let jobs = runner.await.expect("the runner");
    latencies.sort_unstable();
    Rates { documents: latencies.len(), seconds, latencies, jobs }
}

/// Opens the store, then reads documents by id and by two terms, 64 callers at once, two seconds each.
async fn read(folder: &Path) -> String {
    let begun = Instant::now();
    let store = Arc::new(SqliteStore::open(folder, Options::default()).expect("the store"));
    let opened = begun.elapsed().as_millis();
    let some = store.search(TENANT, "List", vec![], Page::first(5000)).await.expect("a search");
    let ids: Arc<Vec<String>> = Arc::new(some.into_iter().map(|version| version.id).collect());
    let documents = store.count(TENANT, "List", vec![]).await.expect("a count");
    let reads = per_second(&store, move |store, n| {
        let ids = Arc::clone(&ids);
        async move { store.read(TENANT, "List", &ids[n % ids.len()]).await.expect("a read").is_some() }
    })
    .await;
    let searches = per_second(&store, |store, n| async move {
        let patient = format!("{:015}", n % 1000);
        let terms = ["patient", "status"].map(|name| Term::is(name, format!("{name}|{patient}|List")));
        !store.search(TENANT, "List", terms.to_vec(), Page::first(20)).await.expect("a search").is_empty()
    })
    .await;
    format!(
        "opened in {opened} ms; of {documents} documents: {reads:.0} reads/s by id, {searches:.0} searches/s by two terms"
    )
}

async fn per_second<F, Fut>(store: &Arc<SqliteStore>, work: F) -> f64
where
    F: Fn(Arc<SqliteStore>, usize) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = bool> + Send,
{
    let begun = Instant::now();
    let callers: Vec<_> = (0..64_usize)
        .map(|caller| {
            let (store, work) = (Arc::clone(store), work.clone());
            tokio::spawn(async move {
                let mut done = 0_usize;
                while begun.elapsed() < Duration::from_secs(2) {
                    work(Arc::clone(&store), caller + 64 * done).await;
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for caller in callers {
        done += caller.await.expect("a caller");
    }
    done as f64 / begun.elapsed().as_secs_f64()
}

/// One caller: a document after the other.
async fn submit(store: Arc<SqliteStore>, until: Instant, caller: u64, bytes: usize) -> Vec<Duration> {
    let mut content = vec![b'x'; bytes];
    let mut latencies = Vec::new();
    while Instant::now() < until {
        content.splice(..8.min(bytes), (caller << 32 | latencies.len() as u64).to_le_bytes());
        let begun = Instant::now();
        store.commit(document(&content)).await.expect("a commit");
        latencies.push(begun.elapsed());
    }
    latencies
}

/// What the platform commits for one document.
fn document(content: &[u8]) -> Batch {
    let (flow, now) = (Uuid::now_v7(), Timestamp::now());
    let patient = format!("{:015}", flow.as_u128() % 1000);
    let blob = Blob::new(content.to_vec());
    let resource = |kind: &str| {
        let names = ["identifier", "patient", "type", "status", "author", "date"];
        let write = Write::new(kind, Uuid::now_v7().to_string(), vec![b'{'; 2000]);
        names.iter().fold(write, |write, name| write.posting(*name, format!("{name}|{patient}|{kind}")))
    };
    let record = || {
        let mut record = Record::new("bench", Environment::Jumeau, Code::ihe("ITI-65"), RecordAction::C, now);
        record.patient = Some(PatientId { system: "urn:oid:1.2.250.1.213.1.4.10".into(), value: patient.clone() });
        record.flow = Some(flow);
        record
    };
    let step = |name: &str| FlowStep {
        flow,
        step: name.into(),
        state: StepState::Ok,
        started: now,
        ended: Some(now),
        protocol: "FHIR R4, ITI-65".into(),
        summary: "one line for people".into(),
        rule: None,
        exchange: None,
    };
    let job = |kind: &str| NewJob {
        kind: kind.into(),
        key: flow.to_string(),
        lane: Some(format!("{kind} {patient}")),
        environment: Environment::Jumeau,
        flow: Some(flow),
        payload: vec![b'{'; 300].into(),
        not_before: None,
    };
    Batch {
        writes: vec![resource("DocumentReference"), resource("List"), resource("Binary")],
        uniques: vec![Unique { name: "masterIdentifier".into(), value: flow.to_string(), owner: flow.to_string() }],
        blobs: vec![blob],
        flows: vec![NewFlow { id: flow, kind: "iti-65".into(), document: None, actor: None }],
        flow_steps: vec![step("identify"), step("store")],
        jobs: vec![job("dmp"), job("mss")],
        audit: vec![record(), record()],
        ..Batch::new(TENANT)
    }
}

/// The runner: claims what is due, says it is done with a step and an audit record, sixteen at a time.
async fn finish_jobs(store: Arc<SqliteStore>, end: Arc<AtomicBool>) -> usize {
    let mut done = 0;
    let mut signal = store.job_signal();
    while !end.load(Ordering::Relaxed) {
        signal.mark_unchanged();
        let claim = Claim {
            environment: Environment::Jumeau,
            kinds: vec!["dmp".into(), "mss".into()],
            max: 16,
            now: Timestamp::now(),
            lease: Duration::from_secs(60),
        };
        let jobs = store.claim_jobs(claim).await.expect("a claim");
        if jobs.is_empty() {
            let _ = tokio::time::timeout(Duration::from_millis(100), signal.changed()).await;
            continue;
        }
        done += jobs.len();
        let works: Vec<_> = jobs
            .into_iter()
            .map(|job| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let mut record = Record::new(
                        "bench",
                        Environment::Jumeau,
                        Code::ihe("ITI-41"),
                        RecordAction::E,
                        Timestamp::now(),
                    );
                    record.flow = job.flow;
                    let batch = Batch { job_updates: vec![job.done()], audit: vec![record], ..Batch::new(TENANT) };
                    store.commit(batch).await.expect("a commit");
                })
            })
            .collect();
        for work in works {
            work.await.expect("a job");
        }
    }
    done
}
