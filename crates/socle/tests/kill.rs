//! Processes die at random moments of fifty submissions. Whatever was acknowledged is in the DMP exactly
//! once and in the mailbox at least once, under one Message-ID; the audit log still proves itself.
//!
//! The moments come from a seed that is printed; `SOCLE_TEST_SEED` plays the same ones again.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at what it did not expect")]

mod installation;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use socle_cda::letter::Letter;
use socle_cda::xds::Status;
use socle_cda::{Document, Header};
use socle_fhir::pdsm::write_provide_bundle;
use uuid::Uuid;

use installation::door::{Caller, RECIPIENT, flow_of, lot};
use installation::mailbox::{Mail, python_is_there, sha256};
use installation::{Installation, dmp, eventually, skip};

const DOCUMENTS: usize = 50;
const SENDERS: usize = 4;
const KILLS: u32 = 8;
/// One document in so many is not sent again when its answer did not come: it may be there or not.
const GIVEN_UP: usize = 5;

/// Who dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Platform,
    Twin(&'static str),
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long suite: ./check --long"]
async fn the_platform_dies() {
    play(Victim::Platform).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long suite: ./check --long"]
async fn the_dmp_dies() {
    play(Victim::Twin("dmp")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long suite: ./check --long"]
async fn the_mail_operator_dies() {
    play(Victim::Twin("mss")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long suite: ./check --long"]
async fn insi_dies() {
    play(Victim::Twin("ins")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long suite: ./check --long"]
async fn pro_sante_connect_dies() {
    play(Victim::Twin("prosante")).await;
}

/// Numbers that follow from a seed (xorshift64*).
struct Chance(u64);

impl Chance {
    fn seeded(victim: Victim) -> Self {
        let given = std::env::var("SOCLE_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed: u64 = given.unwrap_or_else(|| u64::try_from(Uuid::new_v4().as_u128() >> 64).unwrap());
        println!("{victim:?}: SOCLE_TEST_SEED={seed}");
        Self(seed | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }
}

/// A document and what its sender knows of it.
struct Sent {
    bytes: Bytes,
    unique_id: String,
    /// The flow, when the document was acknowledged.
    flow: Option<String>,
}

async fn play(victim: Victim) {
    if !python_is_there() {
        return skip("kill", "python3 is not installed");
    }
    let mut chance = Chance::seeded(victim);
    let mut installation = Installation::at_rest(true);
    // INSi is asked for every document, so that its absence is felt by every document.
    let config = installation.config_text().replace("[dispatch]\n", "[dispatch]\ninsi_answer_valid_h = 0\n");
    installation.write_config(&config);
    installation.start_all();
    let caller = installation.caller().await;
    let next = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..SENDERS).map(|_| tokio::spawn(send(caller.clone(), Arc::clone(&next)))).collect();

    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(20 + chance.below(700))).await;
        match victim {
            Victim::Platform => {
                installation.kill_platform();
                tokio::time::sleep(Duration::from_millis(chance.below(200))).await;
                installation.start_platform();
            }
            Victim::Twin(name) => {
                installation.kill_twin(name);
                tokio::time::sleep(Duration::from_millis(chance.below(1500))).await;
                installation.start_twin(name);
            }
        }
    }
    let mut sent = Vec::new();
    for sender in senders {
        sent.extend(sender.await.unwrap());
    }
    assert_eq!(sent.len(), DOCUMENTS);
    everything_is_delivered(&installation).await;
    every_document_is_where_it_belongs(&installation, victim, &sent).await;
    the_audit_log_is_whole(&mut installation);
    installation.check_logs();
}

/// Sends until there is nothing left to send. A request whose answer does not come is sent again.
async fn send(mut caller: Caller, next: Arc<AtomicUsize>) -> Vec<Sent> {
    let mut all = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= DOCUMENTS {
            return all;
        }
        let letter = Letter::for_test_person(Uuid::now_v7(), Timestamp::now(), jiff::tz::Offset::UTC).unwrap();
        let document = letter.to_document().unwrap();
        let bundle = Bytes::from(write_provide_bundle(&lot(&document)));
        let flow = acknowledged(&mut caller, bundle, !number.is_multiple_of(GIVEN_UP)).await;
        let unique_id = Header::read(&document).unwrap().id.to_unique_id();
        all.push(Sent { bytes: document.bytes().clone(), unique_id, flow });
        // Fifty submissions last as long as the killing does.
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn acknowledged(caller: &mut Caller, bundle: Bytes, insist: bool) -> Option<String> {
    let began = Instant::now();
    loop {
        match caller.post(bundle.clone()).await {
            Ok(answer) if answer.status() == StatusCode::OK => return Some(flow_of(&answer).unwrap()),
            Ok(answer) => {
                let temporary = answer.status() == StatusCode::SERVICE_UNAVAILABLE;
                assert!(temporary, "{}: {}", answer.status(), String::from_utf8_lossy(answer.body()));
            }
            Err(_) if !insist => return None,
            Err(_) => {}
        }
        assert!(began.elapsed() < Duration::from_secs(60), "a document is not acknowledged");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn everything_is_delivered(installation: &Installation) {
    let caller = installation.caller().await;
    eventually("every job is done", Duration::from_secs(120), || async {
        let jobs = caller.get("/operator/jobs").await;
        let jobs = jobs["jobs"].as_array().unwrap();
        for job in jobs.iter().filter(|job| job["state"] == "dead") {
            let flow = caller.flow(job["flow"].as_str().unwrap()).await;
            assert_ne!(job["state"], "dead", "{job}\n{flow:#}");
        }
        jobs.is_empty()
    })
    .await;
}

async fn every_document_is_where_it_belongs(installation: &Installation, victim: Victim, sent: &[Sent]) {
    let client = installation.dmp_client();
    let document = Document::parse(sent[0].bytes.clone()).unwrap();
    let patient = dmp::patient_of(Header::read(&document).unwrap());
    let mut in_dmp: HashMap<String, Vec<Option<Status>>> = HashMap::new();
    for entry in dmp::entries(&client, &patient).await {
        in_dmp.entry(entry.unique_id).or_default().push(entry.status);
    }
    let mails = installation.mails(RECIPIENT);
    let caller = installation.caller().await;
    let once = vec![Some(Status::Approved)];
    for one in sent {
        let entries = in_dmp.get(&one.unique_id).cloned().unwrap_or_default();
        let digest = sha256(&one.bytes);
        let copies: Vec<&Mail> = mails.iter().filter(|mail| mail.digests.contains(&digest)).collect();
        let names: HashSet<_> = copies.iter().map(|mail| &mail.message_id).collect();
        let Some(flow) = &one.flow else {
            assert!(entries.len() <= 1 && names.len() <= 1, "{}: twice, and never acknowledged", one.unique_id);
            continue;
        };
        assert_eq!(entries, once, "in the DMP: {} {flow}", one.unique_id);
        assert_eq!(names.len(), 1, "{} copies of {} under {} names", copies.len(), one.unique_id, names.len());
        if copies.len() > 1 && victim != Victim::Platform {
            // A platform that dies writes nothing of the attempt; otherwise the doubt is in the flow.
            let flow = caller.flow(flow).await;
            assert!(flow.to_string().contains("outcome unknown"), "a duplicate without an unknown outcome: {flow:#}");
        }
    }
    let acknowledged = sent.iter().filter(|one| one.flow.is_some()).count();
    println!("{victim:?}: {acknowledged} acknowledged, {} mails, {} in the DMP", mails.len(), in_dmp.len());
    assert!(acknowledged >= DOCUMENTS - DOCUMENTS / GIVEN_UP);
}

/// By the platform that runs, and then by its folder alone.
fn the_audit_log_is_whole(installation: &mut Installation) {
    for is_running in [true, false] {
        if !is_running {
            installation.kill_platform();
        }
        let output = installation.run(&["audit", "verify", "--format", "json"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("\"sound\":true"),
            "{said} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
