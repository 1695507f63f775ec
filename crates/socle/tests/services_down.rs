//! A national service does not answer: what is taken waits, visibly, and leaves when the service is back;
//! what could never leave is refused at once.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at what it did not expect")]

mod installation;

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use socle_cda::letter::Letter;
use socle_cda::{Document, Header};
use socle_fhir::pdsm::{SubmittedPatient, write_provide_bundle};
use uuid::Uuid;

use installation::door::{Caller, RECIPIENT, flow_of, lot};
use installation::mailbox::{python_is_there, sha256};
use installation::{Installation, dmp, eventually, skip};

const SOON: Duration = Duration::from_secs(60);

fn letter() -> Document {
    let letter = Letter::for_test_person(Uuid::now_v7(), Timestamp::now(), jiff::tz::Offset::UTC).unwrap();
    letter.to_document().unwrap()
}

async fn taken(caller: &Caller, letter: &Document) -> String {
    let answer = caller.post(write_provide_bundle(&lot(letter))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{}", String::from_utf8_lossy(answer.body()));
    flow_of(&answer).unwrap()
}

/// What `socle jobs list` shows.
fn jobs(installation: &Installation) -> Vec<Value> {
    let output = installation.run(&["jobs", "list", "--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until a job of this kind has failed once and waits for its next attempt.
async fn waiting(installation: &Installation, kind: &str) -> Value {
    let job = || {
        jobs(installation)
            .into_iter()
            .find(|job| job["kind"] == kind && job["state"] == "waiting" && job["error"].is_string())
    };
    eventually(&format!("a job {kind} waits and says why"), SOON, || std::future::ready(job().is_some())).await;
    job().unwrap()
}

async fn delivered(installation: &Installation, caller: &Caller, flow: &str) {
    eventually("the flow is done", SOON, || async {
        let flow = caller.flow(flow).await;
        assert_ne!(flow["state"], "failed", "{flow:#}");
        flow["state"] == "done"
    })
    .await;
    assert_eq!(jobs(installation), Vec::<Value>::new());
}

async fn in_dmp(installation: &Installation, letter: &Document) -> Vec<Bytes> {
    let header = Header::read(letter).unwrap();
    let (client, patient) = (installation.dmp_client(), dmp::patient_of(header));
    let mut found = Vec::new();
    for entry in dmp::entries(&client, &patient).await {
        if entry.unique_id == header.id.to_unique_id() {
            found.push(dmp::retrieve(&client, &patient, &entry).await);
        }
    }
    found
}

fn in_mailbox(installation: &Installation, letter: &Document) -> usize {
    let digest = sha256(letter.bytes());
    installation.mails(RECIPIENT).iter().filter(|mail| mail.digests.contains(&digest)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_insi_a_checked_identity_waits_and_an_unchecked_one_is_refused() {
    if !python_is_there() {
        return skip("services_down", "python3 is not installed");
    }
    let mut installation = Installation::apart();
    installation.kill_twin("ins");
    let caller = installation.caller().await;

    let letter = letter();
    let mut without_paper = lot(&letter);
    if let SubmittedPatient::Described(declared) = &mut without_paper.patient {
        declared.evidence = None;
    }
    let refused = caller.post(write_provide_bundle(&without_paper)).await.unwrap();
    let said = String::from_utf8_lossy(refused.body()).into_owned();
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{said}");
    assert!(said.contains("EXI SI 08"), "{said}");
    assert_eq!(caller.flow(&flow_of(&refused).unwrap()).await["state"], "refused");

    let answer = caller.post(write_provide_bundle(&lot(&letter))).await.unwrap();
    let said = String::from_utf8_lossy(answer.body()).into_owned();
    assert_eq!(answer.status(), StatusCode::OK, "{said}");
    assert!(said.contains("INSi does not answer") && said.contains("transient"), "{said}");
    let flow = flow_of(&answer).unwrap();
    waiting(&installation, "identify").await;
    assert_eq!(jobs(&installation).len(), 1, "nothing else begins before INSi has answered");
    assert!(in_dmp(&installation, &letter).await.is_empty());

    installation.start_twin("ins");
    delivered(&installation, &caller, &flow).await;
    assert_eq!(in_dmp(&installation, &letter).await, [letter.bytes().clone()]);
    assert_eq!(in_mailbox(&installation, &letter), 1);
    installation.check_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_dmp_and_mail_operator_the_deliveries_wait() {
    if !python_is_there() {
        return skip("services_down", "python3 is not installed");
    }
    let mut installation = Installation::apart();
    installation.kill_twin("dmp");
    installation.kill_twin("mss");
    let caller = installation.caller().await;
    let letter = letter();
    let flow = taken(&caller, &letter).await;
    let (to_dmp, by_mail) = (waiting(&installation, "dmp").await, waiting(&installation, "mail").await);
    for job in [&to_dmp, &by_mail] {
        assert_eq!(job["flow"], flow.as_str());
        assert!(job["attempts"].as_u64().unwrap() >= 1 && !job["due"].as_str().unwrap().is_empty(), "{job}");
    }
    assert_eq!(caller.flow(&flow).await["state"], "waiting");
    let for_people = String::from_utf8(installation.run(&["jobs", "list"]).stdout).unwrap();
    assert!(
        for_people.contains("dmp") && for_people.contains("mail") && for_people.lines().count() == 2,
        "{for_people}"
    );

    installation.start_twin("dmp");
    installation.start_twin("mss");
    delivered(&installation, &caller, &flow).await;
    assert_eq!(in_dmp(&installation, &letter).await, [letter.bytes().clone()]);
    assert!(in_mailbox(&installation, &letter) >= 1);
    installation.check_logs();
}

/// The next attempt is hours away; an operator has no need to wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_or_dead_job_is_put_back_to_work() {
    for (case, dispatch, state) in [
        ("waiting", "first_wait_s = 7200\nlongest_wait_s = 7200\nmax_attempts = 9\n", "waiting"),
        ("dead", "first_wait_s = 1\nlongest_wait_s = 1\nmax_attempts = 1\n", "dead"),
    ] {
        let mut installation = Installation::at_rest(true);
        let usual = "first_wait_s = 1\nlongest_wait_s = 2\nmax_attempts = 1000\n";
        installation.write_config(&installation.config_text().replace(usual, dispatch));
        installation.start_all();
        installation.kill_twin("dmp");
        let caller = installation.caller().await;
        let letter = letter();
        taken(&caller, &letter).await;
        let stuck = || {
            jobs(&installation)
                .into_iter()
                .find(|job| job["kind"] == "dmp" && job["state"] == state && job["error"].is_string())
        };
        eventually(&format!("the job is {case}"), SOON, || std::future::ready(stuck().is_some())).await;
        let id = stuck().unwrap()["id"].to_string();
        installation.start_twin("dmp");
        assert!(in_dmp(&installation, &letter).await.is_empty(), "{case}");
        let output = installation.run(&["jobs", "retry", &id]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && said.contains("put back to work"),
            "{case}: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        eventually("it is in the DMP", SOON, || async {
            in_dmp(&installation, &letter).await == [letter.bytes().clone()]
        })
        .await;
        installation.check_logs();
    }
}

/// A document waits for the DMP; meanwhile INSi falls silent, and the next document of the same person
/// comes. What INSi said of the first one still holds.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_once_qualified_is_not_lost_while_insi_is_down() {
    let mut installation = Installation::at_rest(true);
    let config = installation.config_text().replace("[dispatch]\n", "[dispatch]\ninsi_answer_valid_h = 0\n");
    installation.write_config(&config);
    installation.start_all();
    let caller = installation.caller().await;
    installation.kill_twin("dmp");
    let (first, second) = (letter(), letter());
    let first_flow = taken(&caller, &first).await;
    waiting(&installation, "dmp").await;
    installation.kill_twin("ins");
    let second_flow = taken(&caller, &second).await;
    waiting(&installation, "identify").await;

    installation.start_twin("dmp");
    eventually("the first one leaves", SOON, || async {
        let flow = caller.flow(&first_flow).await;
        assert_ne!(flow["state"], "failed", "{flow:#}");
        flow["state"] == "done"
    })
    .await;
    assert_eq!(in_dmp(&installation, &first).await, [first.bytes().clone()]);
    assert!(in_dmp(&installation, &second).await.is_empty(), "the second one waits for INSi");
    installation.start_twin("ins");
    delivered(&installation, &caller, &second_flow).await;
    assert_eq!(in_dmp(&installation, &second).await, [second.bytes().clone()]);
    installation.check_logs();
}

/// Nothing can be said of a professional's token while nobody gives the keys to check it: the caller is
/// told to come back, not that the token is wrong. Applications are known all the same.
#[tokio::test(flavor = "multi_thread")]
async fn without_pro_sante_connect_a_professional_is_asked_to_come_back() {
    let mut installation = Installation::apart();
    let token = installation.token_of_professional().await;
    installation.kill_twin("prosante");
    let application = installation.caller().await;
    taken(&application, &letter()).await;

    let mut professional = installation.stranger();
    professional.token = token;
    let sent = letter();
    let answer = professional.post(write_provide_bundle(&lot(&sent))).await.unwrap();
    let said = String::from_utf8_lossy(answer.body()).into_owned();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{said}");
    assert!(answer.headers().contains_key("retry-after"), "{:?}", answer.headers());
    assert!(said.contains("transient") && said.contains("does not answer"), "{said}");

    installation.start_twin("prosante");
    // The twin keeps its sessions in memory, so that they end with it.
    professional.token = installation.token_of_professional().await;
    eventually("a professional is known again", SOON, || async {
        professional.post(write_provide_bundle(&lot(&sent))).await.unwrap().status() == StatusCode::OK
    })
    .await;
    installation.check_logs();
}
