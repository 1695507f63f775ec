//! A twin is killed at some moment of many submissions; whatever it had answered `250` to must be there, once.
//!
//! The parent starts this same program as the twin (SIGKILL, or TerminateProcess on Windows) and sends to it until it
//! dies. The folder is kept from round to round, so that each round also goes on after a crash.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program without #[test] functions"
)]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use socle_mss::client::{Class, Client};
use socle_mss::model::WhiteList;
use support::imap::Imap;
use support::*;

const ROUNDS: u64 = 6;
const SENDERS: usize = 6;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("twin"), Some(folder)) => run(be_a_twin(Path::new(&folder).to_owned())),
        _ => run(kill_and_look()),
    }
}

/// Runs until killed.
async fn be_a_twin(folder: std::path::PathBuf) {
    let (running, _shutdown) = run_twin(folder).await;
    println!("{}", running.submission_url);
    running.stopped().await;
}

/// What became of the mails of all rounds, by `Message-ID`.
#[derive(Default)]
struct Told {
    accepted: BTreeSet<String>,
    unknown: BTreeSet<String>,
    not_sent: BTreeSet<String>,
}

async fn kill_and_look() {
    let mut twin = Twin::start().await;
    let list = twin.list().clone();
    twin.stop().await;
    let folder = twin.folder.path().to_owned();
    let mut told = Told::default();
    for round in 0..ROUNDS {
        kill_one(&folder, round, &list, &mut told).await;
    }
    assert!(told.accepted.len() > SENDERS, "the twin had time to take mails");

    twin.restart().await;
    let mut imap = Imap::login(twin.running(), MARIE).await;
    let found = imap.message_ids().await;
    let unique: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(found.len(), unique.len(), "nobody sent twice, nothing is there twice");
    let lost: Vec<_> = told.accepted.difference(&unique).collect();
    assert!(lost.is_empty(), "answered 250 and lost: {lost:?}");
    let more: Vec<_> = unique.difference(&told.accepted).collect();
    assert!(more.iter().all(|id| told.unknown.contains(*id)), "there without a final dot: {more:?}");
    assert!(told.not_sent.is_disjoint(&unique));
    for sequence in [1, u32::try_from(found.len()).unwrap()] {
        assert!(imap.message(sequence).await.ends_with(b"--\r\n"), "a whole message, to its last boundary");
    }
    println!(
        "{ROUNDS} kills: {} mails answered 250, all there once; {} unknown, {} of them there",
        told.accepted.len(),
        told.unknown.len(),
        more.len()
    );
    twin.stop().await;
}

/// Sends from several connections until the twin is killed.
async fn kill_one(folder: &Path, round: u64, list: &WhiteList, told: &mut Told) {
    let (mut child, url) = start(folder);
    let client = Arc::new(client(&url, Some(hospital())));
    let senders: Vec<_> = (0..SENDERS).map(|_| tokio::spawn(send(Arc::clone(&client), list.clone()))).collect();
    tokio::time::sleep(Duration::from_millis(150 + round * 67)).await;
    child.kill().unwrap();
    child.wait().unwrap();
    for sender in senders {
        let part = sender.await.unwrap();
        told.accepted.extend(part.accepted);
        told.unknown.extend(part.unknown);
        told.not_sent.extend(part.not_sent);
    }
}

fn start(folder: &Path) -> (Child, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut child = command.arg("twin").arg(folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("smtp://"), "{line}");
    (child, line.trim().to_owned())
}

async fn send(client: Arc<Client>, list: WhiteList) -> Told {
    let mut told = Told::default();
    loop {
        let mail = mail(&list, application(), &[MARIE]);
        let id = mail.message_id().to_string();
        match client.submit(&mail).await {
            Ok(submission) => {
                assert!(submission.is_complete());
                told.accepted.insert(id);
            }
            Err(error) => {
                let kept = if error.class() == Class::Unknown { &mut told.unknown } else { &mut told.not_sent };
                kept.insert(id);
                return told;
            }
        }
    }
}
