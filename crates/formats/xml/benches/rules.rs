//! How fast the official rules judge documents: schema, schematrons, loading.
//!
//! `cargo bench -p socle-xml --bench rules`, with the shared data. Medians over all example documents; every document is
//! parsed and copied anew for each measure that says so. Times are those of the processor, of all threads of this
//! process: builds beside disturb them little. A whole folder, with Socle's own rules: `--bench folder` of `socle-cda`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when it cannot run")]

#[path = "../tests/fixtures/mod.rs"]
mod fixtures;

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use socle_xml::library::{COMMON, Library, Shelf};
use socle_xml::{Limits, decode, parse};

#[derive(Clone)]
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
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = spent();
    let value = run();
    (value, spent() - start)
}

/// Processor time of this process since it began.
fn spent() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap(), u32::try_from(now.tv_nsec).unwrap())
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
    told(what, examples.iter().map(|example| best(example, &run)).collect());
}

/// The same without what another run of the same document takes.
fn over_net(examples: &[Example], what: &str, run: impl Fn(&Example), without: impl Fn(&Example)) {
    let net = |example: &Example| best(example, &run).saturating_sub(best(example, &without));
    told(what, examples.iter().map(net).collect());
}

fn best(example: &Example, run: &impl Fn(&Example)) -> Duration {
    run(example);
    (0..5).map(|_| timed(|| run(example)).1).min().unwrap()
}

fn told(what: &str, mut times: Vec<Duration>) {
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
    let with_volet: Vec<Example> = examples.iter().filter(|example| example.volet.is_some()).cloned().collect();
    over(examples, "decode, parse and copy (in each line below)", |example| named(example, &[]));
    over(&with_volet, "volet", |example| named(example, &[example.volet.as_deref().unwrap()]));
    let near: Vec<Example> =
        with_volet.iter().filter(|e| (150_000..260_000).contains(&e.bytes.len())).cloned().collect();
    let by_volet = |example: &Example| named(example, &[example.volet.as_deref().unwrap()]);
    let nothing = |example: &Example| named(example, &[]);
    over(&near, "volet, documents of about 200 KB", by_volet);
    over_net(&near, "the same, without decode, parse and copy", by_volet, nothing);
    over_net(&with_volet, "volet, all documents, without decode, parse and copy", by_volet, nothing);
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
