//! What the definitions of R4 cost a process that starts, one step after the other, each once; then how fast XML is
//! read and written, and narratives are checked.
//!
//! `cargo bench -p socle-fhir --bench definitions`; the official R4 examples come from the shared data.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures and stops when it cannot")]
#![allow(missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use socle_fhir::definitions::{r4, types};
use socle_fhir::{Document, NameId, narrative, xml};

fn main() {
    let start = Instant::now();
    once("names", || _ = black_box(NameId::of("birthDate")));
    once("types", || _ = black_box(types().named("Patient")));
    once("index of resources", || _ = black_box(r4()));
    once("structure of Patient", || _ = black_box(r4().type_named("Patient")));
    once("one value set", || _ = black_box(r4().value_set("http://hl7.org/fhir/ValueSet/administrative-gender")));
    println!("  {:<24} {:>9.2} ms", "loaded, in all", ms(start.elapsed()));
    once("all search parameters", || _ = black_box(r4().search_parameters()));
    once("all 649 structures", || r4().structures().for_each(|one| _ = black_box(r4().structure(one.url))));
    once("all 1063 code systems", || r4().resources("CodeSystem").for_each(|one| _ = black_box(one)));
    once("all 1317 value sets", || r4().resources("ValueSet").for_each(|one| _ = black_box(one)));
    lookups();
    if let Some(tgz) = support::shared("bench definitions", "fhir/examples/r4-examples.tgz") {
        let documents: Vec<Document> =
            support::unpack(&tgz).into_iter().map(|(_, content)| Document::parse(content).unwrap()).collect();
        syntaxes(&documents);
    }
}

fn lookups() {
    let (observation, code) = (types().named("Observation").unwrap(), NameId::CODE);
    let time = best(|| {
        for _ in 0..1_000_000 {
            black_box(types().child(black_box(observation), black_box(code)));
        }
    });
    println!("  {:<24} {:>9.2} ns", "a child by its number", time.as_secs_f64() * 1e3);
}

fn syntaxes(documents: &[Document]) {
    let json: usize = documents.iter().map(|document| document.bytes().len()).sum();
    let texts: Vec<Bytes> = documents.iter().map(|document| xml::write(document.root()).unwrap().into()).collect();
    let size: usize = texts.iter().map(Bytes::len).sum();
    let narratives: Vec<&str> =
        documents.iter().filter_map(|document| document.root().at(&["text", "div"])?.str()).collect();
    let narrative: usize = narratives.iter().map(|text| text.len()).sum();
    println!("{} official R4 examples: {json} bytes of JSON, {size} of XML, {narrative} of narrative", documents.len());
    rate("XML read", size, || texts.iter().for_each(|text| _ = black_box(xml::read(text.clone()).unwrap())));
    rate("XML written", size, || {
        documents.iter().for_each(|document| _ = black_box(xml::write(document.root()).unwrap()))
    });
    let read: Vec<Document> = texts.iter().map(|text| xml::read(text.clone()).unwrap()).collect();
    rate("JSON of XML", json, || read.iter().for_each(|document| _ = black_box(document.root().json())));
    rate("narratives checked", narrative, || narratives.iter().for_each(|text| _ = black_box(narrative::check(text))));
}

fn rate(name: &str, bytes: usize, work: impl FnMut()) {
    let time = best(work);
    println!("  {name:<24} {:>9.1} µs {:>7.0} MB/s", time.as_secs_f64() * 1e6, bytes as f64 / time.as_secs_f64() / 1e6);
}

fn once(name: &str, work: impl FnOnce()) {
    let begin = Instant::now();
    work();
    println!("  {name:<24} {:>9.2} ms", ms(begin.elapsed()));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn best(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    let mut best = Duration::MAX;
    while start.elapsed() < Duration::from_secs(3) {
        let begin = Instant::now();
        work();
        best = best.min(begin.elapsed());
    }
    best
}
