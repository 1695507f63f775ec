//! A whole folder of documents, everything that Socle says of each: its own rules, the schema, the volet, the common
//! schematrons.
//!
//! `cargo bench -p socle-cda --bench folder`, with the shared data. Two figures: documents a second as the clock sees
//! them, which builds beside spoil, and the processor time of a document, of all threads, which they hardly do.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when it cannot run")]

#[path = "../tests/fixtures/mod.rs"]
mod fixtures;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use socle_cda::validate::validate;
use socle_xml::library::{Library, Shelf};

const ROUNDS: usize = 6;

fn main() {
    let Some(bed) = fixtures::shared("folder", "documents/cda/testbed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(folder.path());
    let library = shelf.open(shelf.add(&bed).unwrap()).unwrap();
    library.load_all().unwrap();
    let documents: Vec<Bytes> = fixtures::examples("folder").into_iter().map(|(_, bytes)| bytes.into()).collect();
    println!("{} documents, {} KB", documents.len(), documents.iter().map(Bytes::len).sum::<usize>() / 1024);
    // Value sets are read and schemas compiled by the first documents.
    run(&documents, Some(&library), 2);
    for threads in [1, 2] {
        told("own rules alone", threads, &documents, None);
        told("every layer, the schema and own rules", threads, &documents, Some(&library));
    }
}

fn told(what: &str, threads: usize, documents: &[Bytes], library: Option<&Library>) {
    let (started, spent_before) = (Instant::now(), spent());
    run(documents, library, threads);
    let count = f64::from(u32::try_from(documents.len() * ROUNDS).unwrap());
    let processor = (spent() - spent_before).as_secs_f64() * 1000.0 / count;
    let rate = count / started.elapsed().as_secs_f64();
    println!("{what}, {threads} threads: {rate:.0} documents/s; {processor:.2} ms of processor a document");
}

fn run(documents: &[Bytes], library: Option<&Library>, threads: usize) {
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= documents.len() * ROUNDS {
                return;
            }
            let bytes = documents[at % documents.len()].clone();
            std::hint::black_box(validate(bytes, library.map(|library| library as _)));
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
}

fn spent() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap(), u32::try_from(now.tv_nsec).unwrap())
}
