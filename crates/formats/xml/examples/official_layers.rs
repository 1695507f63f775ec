//! What the common schematrons of a test bed say of documents, and how long all of them take together, one JSON object a
//! line: for `scripts/compare-saxon`, which runs another engine beside.
//!
//! `official_layers TEST_BED FOLDER_OF_DOCUMENTS`. A time is the best of five, from the bytes: decoding, parsing and
//! copying are in it.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool prints, and stops when it cannot run")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use socle_xml::library::{COMMON, Layer, Shelf};
use socle_xml::{Limits, decode, parse};

fn main() {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [bed, documents] = arguments.as_slice() else {
        println!("official_layers TEST_BED FOLDER_OF_DOCUMENTS");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(folder.path());
    let library = shelf.open(shelf.add(bed).unwrap()).unwrap();
    library.load_all().unwrap();
    let mut files: Vec<PathBuf> = std::fs::read_dir(documents).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    files.sort();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let run = || {
            let decoded = decode(&bytes, &Limits::default()).unwrap();
            let document = parse(&decoded.text, &Limits::default()).unwrap();
            library.schematrons(&COMMON, document.root_element())
        };
        let layers = run();
        let (mut wall, mut processor) = (Duration::MAX, Duration::MAX);
        for _ in 0..5 {
            let (started, spent_before) = (Instant::now(), spent());
            std::hint::black_box(run());
            processor = processor.min(spent() - spent_before);
            wall = wall.min(started.elapsed());
        }
        let line = json!({
            "document": file.file_name().unwrap().to_string_lossy(),
            "wall_ms": wall.as_secs_f64() * 1000.0,
            "processor_ms": processor.as_secs_f64() * 1000.0,
            "layers": layers.iter().map(said).collect::<Vec<_>>(),
        });
        println!("{line}");
    }
}

/// Rules that fired, and the text of each failed check; a check that was not made is told apart by its severity.
fn said(layer: &Layer) -> serde_json::Value {
    let texts: Vec<&str> = layer.findings().iter().map(|finding| finding.message.fr.as_ref()).collect();
    json!({"name": layer.name, "fired": layer.fired, "texts": texts})
}

fn spent() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap(), u32::try_from(now.tv_nsec).unwrap())
}
