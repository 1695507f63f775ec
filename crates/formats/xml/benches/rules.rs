//! How fast the official rules judge documents: schema, schematrons, loading, a whole folder.
//!
//! `cargo bench -p socle-xml --bench rules`, with the shared data. Medians over all example documents; every document is
//! parsed and copied anew for each measure that says so.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when it cannot run")]

#[path = "../tests/fixtures/mod.rs"]
mod fixtures;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use socle_xml::library::{COMMON, Library, Shelf, Which};
use socle_xml::{Limits, decode, parse};

struct Example {
    name: String,
    bytes: Vec<u8>,
    volet: Option<String>,
}

fn main() {
    let Some(shared) = fixtures::shared("rules") else { return };
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(folder.path());
    let package = shelf.add(&shared.join("data/documents/cda/testbed")).unwrap();
    println!("{}: {} schematrons of volets, {} common", package.edition, package.volets.len(), package.common.len());

    let library = shelf.open(package.clone()).unwrap();
    let (loaded, compiling) = timed(|| library.load_all().unwrap());
    println!("compile {loaded} schematrons from their sources: {}", shown(compiling));
    let (library, kept) = (0..5)
        .map(|_| {
            timed(|| {
                let library = shelf.open(package.clone()).unwrap();
                library.load_all().unwrap();
                library
            })
        })
        .min_by_key(|(_, time)| *time)
        .unwrap();
    println!("load {loaded} schematrons from their compiled form: {}", shown(kept));

    let examples = examples(&shared, &library);
    println!("{} documents, {} KB", examples.len(), examples.iter().map(|e| e.bytes.len()).sum::<usize>() / 1024);
    per_document(&library, &examples);
    for threads in [1, 2] {
        whole_folder(&library, &examples, threads);
    }
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = run();
    (value, start.elapsed())
}

fn shown(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

/// The examples with the volet that their processing instructions name.
fn examples(shared: &Path, library: &Library) -> Vec<Example> {
    let entries = fs::read_dir(shared.join("data/documents/cda/examples")).unwrap();
    let mut examples: Vec<Example> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .map(|path| {
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let named = |volet: &&String| text.contains(&format!("/{volet}.sch\""));
            let volet = library.package().volets.iter().find(named).cloned();
            Example { name: path.file_name().unwrap().to_string_lossy().into_owned(), bytes, volet }
        })
        .collect();
    examples.sort_by(|a, b| a.name.cmp(&b.name));
    examples
}

/// The best of five, for each document; then the median and the mean over documents.
fn over(examples: &[Example], what: &str, run: impl Fn(&Example)) {
    let mut times: Vec<Duration> = examples
        .iter()
        .map(|example| {
            run(example);
            (0..5).map(|_| timed(|| run(example)).1).min().unwrap()
        })
        .collect();
    times.sort();
    let mean = times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap();
    println!(
        "{what}: median {}, mean {}, worst {}",
        shown(times[times.len() / 2]),
        shown(mean),
        shown(times[times.len() - 1])
    );
}

fn per_document(library: &Library, examples: &[Example]) {
    let named = |example: &Example, names: &[&str]| {
        let decoded = decode(&example.bytes, &Limits::default()).unwrap();
        let document = parse(&decoded.text, &Limits::default()).unwrap();
        std::hint::black_box(library.schematrons(names, document.root_element()));
    };
    let with_volet: Vec<Example> = examples
        .iter()
        .filter(|example| example.volet.is_some())
        .map(|e| Example { name: e.name.clone(), bytes: e.bytes.clone(), volet: e.volet.clone() })
        .collect();
    over(examples, "decode, parse and copy (in each line below)", |example| named(example, &[]));
    over(&with_volet, "volet", |example| named(example, &[example.volet.as_deref().unwrap()]));
    let near: Vec<Example> = with_volet.into_iter().filter(|e| (150_000..260_000).contains(&e.bytes.len())).collect();
    over(&near, "volet, documents of about 200 KB", |example| named(example, &[example.volet.as_deref().unwrap()]));
    for name in COMMON {
        over(examples, name, |example| named(example, &[name]));
    }
    over(examples, "volet and common schematrons together", |example| {
        let names: Vec<&str> = COMMON.into_iter().chain(example.volet.as_deref()).collect();
        named(example, &names);
    });
    over(examples, "schema", |example| {
        let decoded = decode(&example.bytes, &Limits::default()).unwrap();
        let document = parse(&decoded.text, &Limits::default()).unwrap();
        std::hint::black_box(library.schema(document.root_element()));
    });
}

fn whole_folder(library: &Library, examples: &[Example], threads: usize) {
    let rounds = 4;
    let next = AtomicUsize::new(0);
    let work = |_: usize| {
        library.xsd().unwrap().prepare().unwrap();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(example) = examples.get(at % examples.len()).filter(|_| at < examples.len() * rounds) else {
                return;
            };
            let which = example.volet.as_deref().map_or(Which::Common, Which::Volet);
            std::hint::black_box(library.check(&example.bytes, which));
        }
    };
    let ((), time) =
        timed(|| std::thread::scope(|scope| (0..threads).for_each(|n| drop(scope.spawn(move || work(n))))));
    let count = f64::from(u32::try_from(examples.len() * rounds).unwrap());
    println!(
        "whole folder, every layer and the schema, {threads} threads: {:.0} documents/s",
        count / time.as_secs_f64()
    );
}
