//! Deposits per second, client to twin over real TLS, with documents of 200 KB; then where the time goes.
//!
//! `cargo bench -p socle-dmp --bench deposits`. Client and twin share this process and its cores.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when something fails")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::civil::date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use socle_cda::letter::Letter;
use socle_cda::xds::{Cx, DocumentEntry, EntryOptions, SubmissionSet, sha1_hex};
use socle_cda::{Document as Cda, Header};
use socle_dmp::client::{Attempt, Client, Deposit, Document, Settings};
use socle_dmp::model::{Automaton, Software, Speaker, Structure, Vihf};
use socle_dmp::twin::{self, Settings as TwinSettings};
use socle_dmp::wire::Kit;
use socle_dmp::wire::vihf::{Issue, write};
use socle_identity::{Environment, Evidence, HighConfidenceDevice, Identity, InsiAnswer, QualifiedIdentity};
use socle_store::{Batch, Blob, Options, SqliteStore, Store, Write};
use socle_trust::https::ClientLimits;
use socle_trust::pki::{Organisation, Profile, TestPki};
use socle_trust::{Credentials, Shutdown};
use socle_xml::signature::xades::{Content, LotDocument, LotToSign, verify_lot, write_lot};
use socle_xml::signature::{Algorithm, Policy, Signer, sign, verify_bare_assertion};
use socle_xml::{Limits, parse};
use uuid::Uuid;

const DOCUMENT_BYTES: usize = 200 * 1024;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pki = Arc::new(TestPki::open_or_create(&folder.path().join("pki")).unwrap());
    let keys = Keys::make(&pki);
    let shutdown = Shutdown::new();
    let settings = TwinSettings::new(Arc::clone(&pki), folder.path().join("dmp"));
    let running = runtime.block_on(twin::start(settings, shutdown.clone())).unwrap();
    let client = Client::new(keys.settings(&running.url, &pki)).unwrap();
    println!("deposits of {DOCUMENT_BYTES} bytes, client and twin in one process, 2 workers");
    for at_once in [1, 4, 16] {
        runtime.block_on(deposits(&client, at_once));
    }
    steps(&keys);
    shutdown.trigger();
    runtime.block_on(running.stopped());
}

struct Keys {
    auth: Credentials,
    seal: Credentials,
    patient: QualifiedIdentity,
}

impl Keys {
    fn make(pki: &TestPki) -> Self {
        let organisation = Organisation {
            cn: "Bench".into(),
            id: "10B0152872".parse().unwrap(),
            name: "BENCH".into(),
            department: "Paris (75)".into(),
        };
        let wanted =
            [("bench-auth", Profile::OrgAuthCli(organisation.clone())), ("bench-sign", Profile::OrgSign(organisation))];
        let mut made = pki.credentials_for(&wanted).unwrap();
        let seal = made.remove(1);
        Self { auth: made.remove(0), seal, patient: patient() }
    }

    fn settings(&self, url: &str, pki: &TestPki) -> Settings {
        Settings {
            base_url: url.to_owned(),
            environment: Environment::Jumeau,
            tls: self.auth.clone(),
            seal: self.seal.clone(),
            anchors: pki.anchors().clone(),
            structure: structure(),
            software: software(),
            kit: Kit::built_in(),
            algorithm: Algorithm::RsaSha256,
            limits: ClientLimits::default(),
        }
    }
}

fn structure() -> Structure {
    Structure { id: "10B0152872".parse().unwrap(), sector: "SA01".into() }
}

fn software() -> Software {
    Software { id: "1".into(), name: "Socle".into(), version: "0.1".into(), homologation: "JUMEAU".into() }
}

fn speaker() -> Speaker {
    Speaker::Automaton(Automaton { internal_id: "bench".into(), name: "Bench".into() })
}

fn letter() -> Letter {
    let written_at = Timestamp::now() - SignedDuration::from_hours(1);
    Letter::for_test_person(Uuid::new_v4(), written_at, Offset::UTC).unwrap()
}

fn patient() -> QualifiedIdentity {
    let letter = letter();
    let answer = InsiAnswer {
        ins: letter.ins,
        history: Vec::new(),
        traits: letter.traits.clone(),
        received_at: Timestamp::now(),
        environment: Environment::Jumeau,
        answer_digest: "00".repeat(32),
    };
    let evidence =
        Evidence { device: HighConfidenceDevice::PA, checked_on: date(2026, 11, 24), checked_by: "bench".into() };
    let identity = Identity::declared(letter.traits).check(evidence).unwrap().accept(answer).unwrap();
    identity.qualified().unwrap().clone()
}

/// A letter whose narrative is made long.
fn document(patient: &QualifiedIdentity) -> (Document, SubmissionSet) {
    let xml = letter().to_xml();
    let paragraph = "<paragraph>Évolution favorable sous traitement, sortie autorisée ce jour.</paragraph>";
    let filler = paragraph.repeat((DOCUMENT_BYTES - xml.len()) / paragraph.len());
    let xml = xml.replacen("</text>", &format!("{filler}</text>"), 1);
    let cda = Cda::parse(xml.into_bytes()).unwrap();
    let entry = DocumentEntry::from_header(&cda, &Cx::from(patient.ins()), &EntryOptions::new("Doc01")).unwrap().value;
    let (id, source) = (format!("2.25.{}", Uuid::new_v4().as_u128()), "1.2.250.1.999.7");
    let header = Header::read(&cda).unwrap();
    let set = SubmissionSet::around(&entry, header, &id.parse().unwrap(), &source.parse().unwrap(), Timestamp::now());
    (Document { entry, bytes: cda.bytes().clone(), replaces: None }, set)
}

async fn deposits(client: &Client, at_once: usize) {
    const COUNT: usize = 240;
    let patient = patient();
    let mut all: Vec<_> = (0..COUNT).map(|_| document(&patient)).collect();
    let clock = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    let share = COUNT / at_once;
    while !all.is_empty() {
        let mine = all.split_off(all.len() - share.min(all.len()));
        let (client, patient) = (client.clone(), patient.clone());
        tasks.spawn(async move {
            let mut times = Vec::with_capacity(mine.len());
            for (document, set) in mine {
                let started = Instant::now();
                let deposit = Deposit { set, documents: vec![document], speaker: speaker(), attempt: Attempt::First };
                client.provide(&patient, deposit).await.unwrap();
                times.push(started.elapsed());
            }
            times
        });
    }
    let mut times: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let took = clock.elapsed();
    times.sort_unstable();
    let rate = COUNT as f64 / took.as_secs_f64();
    let (median, p99) = (times[COUNT / 2], times[COUNT * 99 / 100]);
    println!("{at_once:>3} at once: {rate:>6.1} deposits/s, median {:.1} ms, p99 {:.1} ms", ms(median), ms(p99));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Each step alone, on one core.
fn steps(keys: &Keys) {
    let (document, set) = document(&keys.patient);
    let chain = keys.seal.chain().iter().map(|der| der.to_vec()).collect();
    let signer = Signer::from_der(chain, keys.seal.key().secret_der()).unwrap();
    let vihf = Vihf::indirect(structure(), speaker(), software()).about(&keys.patient);
    let issuer = keys.seal.certificate().subject().to_string();
    let assertion = || {
        let issue = Issue {
            at: Timestamp::now(),
            authenticated_at: None,
            issuer: &issuer,
            version: "3.0",
            algorithm: Algorithm::RsaSha256,
        };
        sign(&write(&vihf, &issue), &signer).unwrap()
    };
    let documents = [LotDocument { unique_id: &document.entry.unique_id, content: Content::Xml(&document.bytes) }];
    let lot = || {
        let lot = LotToSign {
            submission_set: &set.unique_id,
            signature_id: "S",
            documents: &documents,
            signing_time: Timestamp::now(),
            algorithm: Algorithm::RsaSha256,
        };
        write_lot(&lot, &signer).unwrap()
    };
    let (signed, signed_lot) = (assertion(), lot());
    println!("one step, one core:");
    time("client: VIHF written and signed", || drop(black_box(assertion())));
    time("client: lot canonicalised and signed", || drop(black_box(lot())));
    time("twin: VIHF verified (without its chain)", || {
        let tree = parse(&signed, &Limits::ENVELOPE).unwrap();
        black_box(verify_bare_assertion(&tree, &Policy::default(), &|_, _| Ok(())).unwrap());
    });
    time("twin: lot canonicalised and verified", || {
        let verified =
            verify_lot(signed_lot.as_bytes(), &set.unique_id, &documents, &Policy::default(), &|_, _| Ok(()));
        black_box(verified.unwrap());
    });
    time("twin: CDA parsed, header read", || drop(black_box(Cda::parse(document.bytes.clone()).unwrap())));
    time("twin: SHA-1", || {
        black_box(sha1_hex(&document.bytes));
    });
    time("twin: SHA-256 (its blob's address)", || {
        black_box(socle_store::Digest::of(&Bytes::clone(&document.bytes)));
    });
    commits(&document.bytes);
}

/// A commit alone: two syncs of the disk, which many at once share.
fn commits(bytes: &Bytes) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), Options::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut rank = 0u32;
    time("twin: 200 KB committed durably, alone", || {
        rank += 1;
        let mut batch = Batch::new("bench");
        batch.blobs.push(Blob::new([bytes.as_ref(), &rank.to_le_bytes()].concat()));
        batch.writes.push(Write::new("entry", rank.to_string(), "{}"));
        black_box(runtime.block_on(store.commit(batch)).unwrap());
    });
}

fn time(what: &str, mut work: impl FnMut()) {
    const TIMES: u32 = 100;
    work();
    let clock = Instant::now();
    (0..TIMES).for_each(|_| work());
    println!("{:>8.2} ms  {what}", ms(clock.elapsed() / TIMES));
}
