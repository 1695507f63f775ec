//! The twin is killed (SIGKILL) while deposits run, and started again on the same folder: what it
//! acknowledged is there, once.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use socle_cda::xds::Status;
use socle_dmp::client::{Attempt, Client, Deposit, Document};
use socle_dmp::model::query::Filter;
use socle_dmp::twin::{self, Settings};
use socle_trust::Shutdown;
use tokio::task::JoinSet;

use crate::support::{deposit, letter, patient, pki, reader, reference, settings};

const FOLDER: &str = "SOCLE_DMP_TEST_TWIN";

/// Not a test but the process that is killed: this binary starts itself with the folder in its environment.
#[tokio::test]
async fn twin_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let running = twin::start(Settings::new(pki(), PathBuf::from(folder)), Shutdown::new()).await.unwrap();
    println!("\nURL {}", running.url);
    running.stopped().await;
}

struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["durable::twin_process", "--exact", "--nocapture"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.find_map(|line| line.unwrap().strip_prefix("URL ").map(str::to_owned)).unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    fn client(&self) -> Client {
        let mut settings = settings(&self.url);
        settings.limits.request = Duration::from_secs(5);
        Client::new(settings).unwrap()
    }

    /// SIGKILL: nothing is told to the process.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_sigkill_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut sent: HashMap<String, Document> = HashMap::new();
    let mut acknowledged: Vec<String> = Vec::new();
    for millis in [120, 250, 400] {
        let twin = Process::start(folder.path());
        let client = twin.client();
        let mut running = JoinSet::new();
        for _ in 0..16 {
            let document = letter();
            sent.insert(document.entry.unique_id.clone(), document.clone());
            let client = client.clone();
            running.spawn(async move {
                let unique_id = document.entry.unique_id.clone();
                client.provide(&patient(), deposit(document)).await.is_ok().then_some(unique_id)
            });
        }
        tokio::time::sleep(Duration::from_millis(millis)).await;
        twin.kill();
        acknowledged.extend(running.join_all().await.into_iter().flatten());
    }

    let twin = Process::start(folder.path());
    let client = twin.client();
    let there = client.find(&patient(), &reader(), Filter::default()).await.unwrap().entries;
    for unique_id in &acknowledged {
        let count = there.iter().filter(|entry| entry.unique_id == *unique_id).count();
        assert_eq!(count, 1, "an acknowledged document is there {count} times");
    }
    // What was in doubt is sent again, and is there once whatever became of the first try.
    for document in sent.values().filter(|document| !acknowledged.contains(&document.entry.unique_id)) {
        let again = Deposit { attempt: Attempt::Again, ..deposit(document.clone()) };
        client.provide(&patient(), again).await.unwrap();
    }
    let there = client.find(&patient(), &reader(), Filter::default()).await.unwrap().entries;
    assert_eq!(there.len(), sent.len());
    for entry in &there {
        assert_eq!(entry.status, Some(Status::Approved));
        let got = client.retrieve(&patient(), &reader(), &[reference(entry)]).await.unwrap();
        assert_eq!(got.documents[0].bytes, sent[&entry.unique_id].bytes);
    }
    twin.kill();
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, Bytes::from_static(b"not a folder")).unwrap();
    let error = twin::start(Settings::new(pki(), file), Shutdown::new()).await.unwrap_err();
    assert!(error.to_string().contains("data folder"), "{error}");
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = Settings::new(pki(), folder.path().join("dmp"));
    settings.port = taken.local_addr().unwrap().port();
    let error = twin::start(settings, Shutdown::new()).await.unwrap_err();
    assert!(error.to_string().contains("cannot listen on 127.0.0.1"), "{error}");
}
