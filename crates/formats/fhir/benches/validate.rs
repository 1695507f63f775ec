//! How fast documents are validated, on one thread: base R4 over the official examples, base R4 over resources
//! of 4 to 5 KB, and the FR Core patient against its profile. Each with parsing counted in, and left out.
//!
//! `cargo bench -p socle-fhir --bench validate [-- WORD]`, WORD being part of the name of what to measure; the
//! documents come from the shared data. Time is what the processor spent on this thread, so that what else the
//! machine does is not counted.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures and stops when it cannot")]
#![allow(missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use socle_fhir::Document;
use socle_fhir::package::{Closure, Limits, Package, View};
use socle_fhir::profile::{Options, Validator};

const PATIENT: &str = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient";

fn main() {
    examples();
    patient();
}

fn examples() {
    let Some(tgz) = support::shared("bench validate", "fhir/examples/r4-examples.tgz") else { return };
    let files: Vec<Bytes> = support::unpack(&tgz).into_iter().map(|(_, content)| content.into()).collect();
    let validator = Validator::core(Options::default());
    measure("official R4 examples, base", &validator, &files, &[]);
    // The questionnaires that a tool made have thousands of errors each: what they cost is messages.
    let is_valid = |file: &Bytes| validator.validate(&Document::parse(file.clone()).unwrap(), &[]).is_valid();
    let (right, wrong): (Vec<Bytes>, Vec<Bytes>) = files.into_iter().partition(is_valid);
    measure("official R4 examples with errors, base", &validator, &wrong, &[]);
    measure("official R4 examples without errors, base", &validator, &right, &[]);
    let middle: Vec<Bytes> = right.into_iter().filter(|file| (4_000..=5_000).contains(&file.len())).collect();
    measure("examples of 4-5 KB, base", &validator, &middle, &[]);
}

fn patient() {
    let [Some(combined), Some(published)] =
        ["fhir/packages/hl7.fhir.fr.core-2.2.0-combined.tgz", "fhir/packages/hl7.fhir.fr.core-2.2.0.tgz"]
            .map(|path| support::shared("bench validate", path))
    else {
        return;
    };
    let bytes = std::fs::read(combined).unwrap();
    let roots = [Arc::new(Package::from_archive("combined", &bytes, &Limits::default()).unwrap())];
    let view = View::of(Closure::of(&roots, roots.as_slice()));
    let validator = Validator::of(Arc::new(view), Options::default());
    assert!(validator.knows(PATIENT));
    let is_patient = |name: &str| name.ends_with("/Patient-FRCorePatientExample.json");
    let files = support::unpack(&published).into_iter().filter(|(name, _)| is_patient(name));
    let files: Vec<Bytes> = files.map(|(_, content)| content.into()).collect();
    measure("FR Core patient, its profile", &validator, &files, &[PATIENT]);
}

fn measure(name: &str, validator: &Validator, files: &[Bytes], profiles: &[&str]) {
    assert!(!files.is_empty(), "{name}: nothing to measure");
    if std::env::args().skip(1).any(|word| !word.starts_with("--") && !name.contains(&word)) {
        return;
    }
    let size: usize = files.iter().map(Bytes::len).sum();
    let read = || files.iter().map(|file| Document::parse(file.clone()).unwrap());
    let documents: Vec<Document> = read().collect();
    let findings: usize = documents.iter().map(|document| validator.validate(document, profiles).findings.len()).sum();
    let parsing = best(|| read().for_each(|document| _ = black_box(document)));
    let judging = best(|| {
        documents.iter().for_each(|document| _ = black_box(validator.validate(document, profiles)));
    });
    let both = best(|| read().for_each(|document| _ = black_box(validator.validate(&document, profiles))));
    println!("{name}: {} documents, {size} bytes, {findings} findings", files.len());
    for (what, seconds) in [("parsed", parsing), ("validated", judging), ("both", both)] {
        let (speed, rate) = (size as f64 / seconds / 1e6, files.len() as f64 / seconds);
        println!("  {what:9} {speed:7.0} MB/s {rate:9.0} resources/s {:8.1} µs each", 1e6 / rate);
    }
}

/// Seconds of one pass: the best of some runs, each of passes enough that the clock's step does not count.
fn best(mut pass: impl FnMut()) -> f64 {
    let mut passes = 1_u32;
    let mut timed = |passes: u32| {
        let begin = processor_time();
        (0..passes).for_each(|_| pass());
        (processor_time() - begin).as_secs_f64()
    };
    while timed(passes) < 0.25 {
        passes *= 2;
    }
    let runs = (0..5).map(|_| timed(passes));
    runs.fold(f64::MAX, f64::min) / f64::from(passes)
}

/// What the processor spent on this thread, where Linux tells it; else the time that passed.
fn processor_time() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|line| line.split(' ').next()?.parse().ok());
    spent.map_or_else(|| START.elapsed(), Duration::from_nanos)
}
