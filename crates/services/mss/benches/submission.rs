//! How many mails of 300 KB a client gets through a twin, durably, on this machine: both in one process, over TLS.
//!
//! `cargo bench -p socle-mss [-- <mails> <connections>]`

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a bench may fail, and says what it found")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use socle_mss::client::Client;
use socle_mss::model::{Archive, DocumentMail, MessageId};
use socle_mss::wire::message;
use support::*;
use uuid::Uuid;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<usize>().ok());
    let (mails, connections) = (numbers.next().unwrap_or(3000), numbers.next().unwrap_or(16));
    steps();
    run(submissions(mails, connections));
}

/// A mail of 300 KB on the wire.
fn sample(list: &socle_mss::model::WhiteList) -> DocumentMail {
    let identity = patient();
    let mut draft = draft(&identity, application(), to(list, &[MARIE]));
    draft.message_id = MessageId::new(Uuid::new_v4(), &"hopital-a.mssante.test".parse().unwrap());
    draft.readable_copies[0].pdf = pdf(215_000);
    DocumentMail::new(draft).unwrap()
}

async fn submissions(mails: usize, connections: usize) {
    let mut twin = Twin::start().await;
    let mut settings = settings(&twin.running().submission_url, Some(hospital()));
    settings.connections_max = connections;
    let client = Arc::new(Client::new(settings).unwrap());
    let mail = Arc::new(sample(twin.list()));
    let size = message::write(&mail).len();
    assert!(client.submit(&mail).await.unwrap().is_complete());
    let (left, began) = (Arc::new(AtomicUsize::new(mails)), Instant::now());
    let tasks = (0..connections).map(|_| {
        let (client, mail, left) = (Arc::clone(&client), Arc::clone(&mail), Arc::clone(&left));
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                let began = Instant::now();
                assert!(client.submit(&mail).await.unwrap().is_complete());
                waits.push(began.elapsed());
            }
            waits
        })
    });
    let mut waits = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        waits.extend(task.await.unwrap());
    }
    let seconds = began.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |part: usize| waits[(waits.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    println!(
        "{mails} mails of {size} octets, {connections} connections: {:.0} mails/s, {:.0} MB/s; p50 {:.1} ms, p99 {:.1} ms",
        mails as f64 / seconds,
        (mails * size) as f64 / seconds / 1e6,
        at(50),
        at(99)
    );
    twin.stop().await;
}

/// What one mail costs before it leaves.
fn steps() {
    let list = {
        let name = || "CN=smtp.jumeau.test,O=JUMEAU,C=FR".parse().unwrap();
        let domains = ["medecin.mssante.test", "hopital-a.mssante.test"];
        socle_mss::model::WhiteList::new(
            socle_identity::Environment::Jumeau,
            domains.map(|domain| (domain.parse().unwrap(), name())),
        )
        .unwrap()
    };
    let mail = sample(&list);
    let zip = zip(&[CDA]);
    let bytes = message::write(&mail);
    time("read an archive of one document", || Archive::read(zip.clone()).unwrap());
    time("write a mail of 300 KB", || message::write(&mail));
    time("dot-stuff it", || socle_mss::wire::data::stuff(&bytes));
}

fn time<T>(what: &str, work: impl Fn() -> T) {
    const ROUNDS: u32 = 500;
    let began = Instant::now();
    for _ in 0..ROUNDS {
        std::hint::black_box(work());
    }
    println!("{what}: {:.0} µs", began.elapsed().as_secs_f64() / f64::from(ROUNDS) * 1e6);
}
