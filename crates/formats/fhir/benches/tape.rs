//! How fast documents are read, beside serde_json's `Value`, in the same run; and how fast a whole
//! ITI-65 transaction is: tape, links, base64, SHA-1.
//!
//! `cargo bench -p socle-fhir --bench tape`; the official R4 examples come from the shared data.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures and stops when it cannot")]
#![allow(missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use socle_fhir::{Document, pdsm};

fn main() {
    if let Some(tgz) = support::shared("bench tape", "fhir/examples/r4-examples.tgz") {
        let files: Vec<Bytes> = support::unpack(&tgz).into_iter().map(|(_, content)| content.into()).collect();
        compare("official R4 examples", &files);
    }
    compare("bundle with 266 KB of base64", &[provide_bundle(266 << 10)]);
    transaction(200_000);
}

fn transaction(size: usize) {
    let sample = include_bytes!("../src/pdsm/iti65.json");
    let document = Document::parse(&sample[..]).unwrap();
    let mut bundle = pdsm::read_provide_bundle(&document).unwrap().value;
    bundle.documents[0].bytes = vec![b'x'; size].into();
    let text = Bytes::from(pdsm::write_provide_bundle(&bundle));
    let read = best(|| {
        let document = Document::parse(text.clone()).unwrap();
        black_box(pdsm::read_provide_bundle(&document).unwrap());
    });
    let write = best(|| _ = black_box(pdsm::write_provide_bundle(&bundle)));
    println!("ITI-65 with a document of {size} bytes");
    for (work, time) in [("read", read), ("write", write)] {
        println!("  {work:<18} {:>10.1} µs", time.as_secs_f64() * 1e6);
    }
}

fn compare(name: &str, files: &[Bytes]) {
    let bytes: usize = files.iter().map(Bytes::len).sum();
    let nodes: usize = files.iter().map(|file| Document::parse(file.clone()).unwrap().len()).sum();
    println!("{name}: {} files, {bytes} bytes, {nodes} values", files.len());
    let tape = best(|| files.iter().for_each(|file| _ = black_box(Document::parse(file.clone()).unwrap())));
    let value = best(|| {
        files.iter().for_each(|file| _ = black_box(serde_json::from_slice::<serde_json::Value>(file).unwrap()))
    });
    for (reader, time) in [("tape", tape), ("serde_json Value", value)] {
        let rate = bytes as f64 / time.as_secs_f64() / 1e6;
        println!("  {reader:<18} {:>10.1} µs {rate:>9.0} MB/s", time.as_secs_f64() * 1e6);
    }
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

fn provide_bundle(base64: usize) -> Bytes {
    let data = "QUJD".repeat(base64 / 4);
    let meta = r#"{"fullUrl":"urn:uuid:1","resource":{"resourceType":"List","status":"current","mode":"working","entry":[{"item":{"reference":"urn:uuid:2"}}]},"request":{"method":"POST","url":"List"}}"#;
    let entries = vec![meta; 20].join(",");
    format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{entries},{{"resource":{{"resourceType":"Binary","contentType":"text/xml","data":"{data}"}}}}]}}"#).into()
}
