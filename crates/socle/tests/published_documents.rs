//! The 85 published example documents of the CI-SIS, sent by the command line, against a table that was
//! written before the program ran on them; then read again in the DMP and in the recipient's mailbox.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at what it did not expect")]

mod installation;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use socle_cda::{Document, Header};

use installation::mailbox::{python_is_there, sha256};
use installation::{Installation, dmp, door, eventually, shared, skip};

const TEST: &str = "published_documents";

/// A line of the table.
struct Expected {
    document: String,
    verdict: String,
    rule: String,
}

fn table() -> Vec<Expected> {
    let text = include_str!("published/expected.tsv");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let expected = lines.map(|line| {
        let mut fields = line.split('\t').map(str::to_owned);
        let mut next = || fields.next().unwrap_or_default();
        Expected { document: next(), verdict: next(), rule: next() }
    });
    expected.collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long suite: ./check --long"]
async fn every_published_document_has_the_expected_verdict_and_arrives_byte_for_byte() {
    let Some(folder) = shared(TEST, "documents/cda/examples") else { return };
    if !python_is_there() {
        return skip(TEST, "python3 is not installed");
    }
    let table = table();
    assert_eq!(table.len(), 85);
    let installation = Installation::embedded();
    let sent = send(&installation, &folder, &table);
    assert_eq!(differences(&table, &sent), Vec::<String>::new(), "the program and the table differ");

    let caller = installation.caller().await;
    eventually("every delivery is made", Duration::from_secs(180), || async {
        let jobs = caller.get("/operator/jobs").await;
        let dead: Vec<_> = jobs["jobs"].as_array().unwrap().iter().filter(|job| job["state"] == "dead").collect();
        assert!(dead.is_empty(), "{dead:?}");
        jobs["jobs"].as_array().unwrap().is_empty()
    })
    .await;
    let accepted: Vec<_> = table.iter().filter(|line| line.verdict == "accepted").collect();
    let documents: Vec<_> =
        accepted.iter().map(|line| Bytes::from(std::fs::read(folder.join(&line.document)).unwrap())).collect();
    all_are_in_the_dmp(&installation, &documents).await;
    all_are_in_the_mailbox(&installation, &documents);
    installation.check_logs();
}

/// What `socle send` says of each document, in the order of the table.
fn send(installation: &Installation, folder: &Path, table: &[Expected]) -> Vec<Value> {
    let mut command = installation.command(&["send", "--format", "json", "--checked-document", "PA"]);
    command.args(table.iter().map(|line| folder.join(&line.document)));
    let output = command.args(["--to", door::RECIPIENT]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let sent: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(sent.len(), table.len(), "{errors}");
    let worst = sent.iter().map(|one| match one["verdict"].as_str().unwrap() {
        "accepted" => 0,
        "refused" => 1,
        _ => 2,
    });
    assert_eq!(output.status.code(), worst.max(), "{errors}");
    sent
}

fn differences(table: &[Expected], sent: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    for (expected, sent) in table.iter().zip(sent) {
        let name = Path::new(sent["file"].as_str().unwrap()).file_name().unwrap().to_string_lossy();
        assert_eq!(name, expected.document);
        let rules: Vec<_> = errors_of(sent).iter().filter_map(|issue| issue["rule"].as_str()).collect();
        let by_rule = expected.rule.is_empty() == rules.is_empty()
            && (expected.rule.is_empty() || rules.iter().any(|rule| rule.contains(&expected.rule)));
        if sent["verdict"] != expected.verdict.as_str() || !by_rule {
            found.push(format!("{name}: expected {} {}, got {}", expected.verdict, expected.rule, sent));
        }
    }
    found
}

fn errors_of(sent: &Value) -> Vec<&Value> {
    sent["issues"].as_array().unwrap().iter().filter(|issue| issue["severity"] == "error").collect()
}

async fn all_are_in_the_dmp(installation: &Installation, documents: &[Bytes]) {
    let client = installation.dmp_client();
    for bytes in documents {
        let document = Document::parse(bytes.clone()).unwrap();
        let header = Header::read(&document).unwrap();
        let patient = dmp::patient_of(header);
        let unique_id = header.id.to_unique_id();
        let entries = dmp::entries(&client, &patient).await;
        let of_it: Vec<_> = entries.iter().filter(|entry| entry.unique_id == unique_id).collect();
        assert_eq!(of_it.len(), 1, "{unique_id}");
        assert!(dmp::retrieve(&client, &patient, of_it[0]).await == *bytes, "{unique_id}: other bytes");
    }
}

fn all_are_in_the_mailbox(installation: &Installation, documents: &[Bytes]) {
    let mails = installation.mails(door::RECIPIENT);
    assert_eq!(mails.len(), documents.len(), "one mail per document");
    for bytes in documents {
        let digest = sha256(bytes);
        let with_it: Vec<_> = mails.iter().filter(|mail| mail.digests.contains(&digest)).collect();
        assert_eq!(with_it.len(), 1, "{digest}");
        assert_eq!(with_it[0].carries_ins, "O", "its patient's identity is qualified");
    }
}
