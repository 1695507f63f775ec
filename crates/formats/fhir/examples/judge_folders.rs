//! Validates folders on one thread, over and over, and says how fast: the part of Socle in
//! `scripts/compare-validators`, which gives the same folders to other validators.
//!
//! `judge_folders SECONDS [-p PACKAGE.tgz]... NAME=FOLDER[=PROFILE]...`; one line a folder: name, documents,
//! documents with errors, documents a second of processor time. Files are read before; parsing is counted in.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use socle_fhir::Document;
use socle_fhir::package::{Closure, Limits, Package, View};
use socle_fhir::profile::{Options, Validator};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    let seconds: f64 = arguments.next().ok_or("SECONDS is missing")?.parse()?;
    let mut packages = Vec::new();
    while arguments.next_if(|word| word == "-p").is_some() {
        let file = arguments.next().ok_or("-p PACKAGE.tgz")?;
        packages.push(Arc::new(Package::from_archive(&file, &std::fs::read(&file)?, &Limits::default())?));
    }
    let view = View::of(Closure::of(&packages, packages.as_slice()));
    let validator = Validator::of(Arc::new(view), Options::default());
    for one in arguments {
        let mut parts = one.splitn(3, '=');
        let (Some(name), Some(folder)) = (parts.next(), parts.next()) else { return Err("NAME=FOLDER".into()) };
        let profiles: Vec<&str> = parts.collect();
        measure(&validator, name, &documents(folder)?, &profiles, seconds);
    }
    Ok(())
}

fn documents(folder: &str) -> std::io::Result<Vec<Bytes>> {
    let files: std::io::Result<Vec<PathBuf>> = std::fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect();
    let mut files = files?;
    files.sort();
    files.iter().map(|file| Ok(std::fs::read(file)?.into())).collect()
}

/// Warm: passes until the time is spent, the second half of which tells.
fn measure(validator: &Validator, name: &str, documents: &[Bytes], profiles: &[&str], seconds: f64) {
    let is_wrong = |document: &&Bytes| {
        Document::parse((*document).clone())
            .map_or(true, |document| !validator.validate(&document, profiles).is_valid())
    };
    let pass = || documents.iter().filter(is_wrong).count();
    let wrong = pass();
    let half = Duration::from_secs_f64(seconds / 2.0);
    passes(half, &pass);
    let before = processor_time();
    let count = passes(half, &pass) * documents.len();
    let spent = (processor_time() - before).as_secs_f64();
    println!("RESULT {name} {} {wrong} {:.2}", documents.len(), count as f64 / spent);
}

fn passes(time: Duration, pass: &impl Fn() -> usize) -> usize {
    let start = Instant::now();
    let mut count = 0;
    while count == 0 || start.elapsed() < time {
        pass();
        count += 1;
    }
    count
}

/// What the processor spent on this thread, where Linux tells it; else the time that passed.
fn processor_time() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|line| line.split(' ').next()?.parse().ok());
    spent.map_or_else(|| START.elapsed(), Duration::from_nanos)
}
