//! The verdicts of the reference implementation (SaxonC with the test bed's own ISO skeleton) on the published examples,
//! on documents against the wrong volets, and on mutants: the same rules fire, the same assertions fail, at the same
//! places, with the same words.
//!
//! By default a sample of the documents; `--ignored` runs all of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it cannot go on, and says what it compared"
)]

mod fixtures;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use socle_xml::arena::{Arena, Names};
use socle_xml::roxmltree;
use socle_xml::schematron::{DefectKind, Files, Folder, Outcome, Schematron, Values};
use socle_xml::{Limits, decode, parse};

/// The schemas of the test bed, loaded when first asked for.
struct Bed {
    shared: PathBuf,
    files: Arc<dyn Files>,
    names: Names,
    values: Values,
    schemas: HashMap<String, Schematron>,
}

impl Bed {
    fn open(test: &str) -> Option<Self> {
        let shared = fixtures::shared(test)?;
        let folder = Folder::open(shared.join("data/documents/cda/testbed")).unwrap();
        let (files, names): (Arc<dyn Files>, _) = (Arc::new(folder), Names::new());
        let values = Values::new(files.clone(), &names);
        Some(Self { shared, files, names, values, schemas: HashMap::new() })
    }

    fn load<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            if !self.schemas.contains_key(name) {
                let path = format!("schematrons/{name}.sch");
                self.schemas.insert(name.to_owned(), Schematron::load(&*self.files, &path, &self.names).unwrap());
            }
        }
    }

    fn example(&self, name: &str) -> Vec<u8> {
        fs::read(self.shared.join("data/documents/cda/examples").join(name)).unwrap()
    }

    fn json(&self, path: &str) -> Value {
        read_json(&self.shared.join("data").join(path))
    }
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// (kind, pattern, context, location, text), sorted.
type Failed = Vec<[String; 5]>;

fn ours(outcome: &Outcome<'_>) -> Failed {
    let mut failed: Failed = outcome
        .failures
        .iter()
        .map(|failure| {
            let fired = &outcome.fired[failure.fired];
            let kind = if outcome.is_report(failure) { "R" } else { "A" };
            let (pattern, context) = (outcome.pattern_id(fired), outcome.context(fired));
            [kind, pattern, context, &failure.location, &failure.text].map(str::to_owned)
        })
        .collect();
    failed.sort();
    failed
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The RDF files of the terminologies are not in the test data: codes are not looked up without them.
fn needs_rdf(schema: &str, text: &str) -> bool {
    schema.ends_with("terminologie") && text.ends_with("Ce code n'est pas retrouvé dans la terminologie")
}

fn expected(schema: &str, verdict: &Value) -> Failed {
    let mut failed: Failed = verdict["failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| match entry {
            Value::Array(fields) => [&Value::from("A"), &fields[0], &fields[1], &fields[2], &fields[3]].map(text),
            entry => {
                let [pattern, context, location, message] =
                    ["pattern", "context", "location", "text"].map(|field| text(&entry[field]));
                [entry["k"].as_str().unwrap_or("A").to_owned(), pattern, context, location, message]
            }
        })
        .filter(|[.., text]| !needs_rdf(schema, text))
        .collect();
    failed.sort();
    failed
}

/// What was compared, and the differences.
#[derive(Default)]
struct Tally {
    pairs: usize,
    fired: u64,
    failed: usize,
    different: Vec<String>,
}

impl Tally {
    fn compare(&mut self, bed: &Bed, document: &str, schema: &str, verdict: &Value, arena: &Arena) {
        let outcome = bed.schemas[schema].run(arena, &bed.values).unwrap();
        let (ours, theirs) = (ours(&outcome), expected(schema, verdict));
        let fired = verdict["fired"].as_u64().unwrap();
        self.pairs += 1;
        self.fired += fired;
        self.failed += theirs.len();
        if ours != theirs {
            let only =
                |a: &Failed, b: &Failed| a.iter().filter(|entry| !b.contains(entry)).cloned().collect::<Failed>();
            let (more, less) = (only(&ours, &theirs), only(&theirs, &ours));
            self.different.push(format!("{document} {schema}: ours alone {more:#?}, theirs alone {less:#?}"));
        }
        if outcome.fired.len() as u64 != fired {
            self.different.push(format!("{document} {schema}: fired {} instead of {fired}", outcome.fired.len()));
        }
        if let Some(by_pattern) = verdict["fired_by_pattern"].as_object() {
            let mut counts = BTreeMap::<&str, u64>::new();
            outcome.fired.iter().for_each(|fired| *counts.entry(outcome.pattern_id(fired)).or_default() += 1);
            let theirs = by_pattern.iter().map(|(id, count)| (id.as_str(), count.as_u64().unwrap())).collect();
            if counts != theirs {
                self.different.push(format!("{document} {schema}: by pattern {counts:?} instead of {theirs:?}"));
            }
        }
        for unchecked in &outcome.unchecked {
            self.different.push(format!("{document} {schema}: not checked, {:?}", unchecked.reason));
        }
    }

    fn finish(self, what: &str) {
        println!(
            "{what}: {} pairs, {} rules fired, {} failures, {} differences",
            self.pairs,
            self.fired,
            self.failed,
            self.different.len()
        );
        assert!(
            self.pairs > 0 && self.different.is_empty(),
            "{}",
            self.different[..self.different.len().min(8)].join("\n")
        );
    }
}

fn with_arena(bytes: &[u8], names: &Names, run: impl FnOnce(&Arena)) {
    let decoded = decode(bytes, &Limits::default()).unwrap();
    let parsed = parse(&decoded.text, &Limits::default()).unwrap();
    run(&Arena::new(&parsed, names));
}

fn verdicts(bed: &mut Bed, file: &str, documents: impl Fn(usize, &str) -> bool) -> Tally {
    let data = bed.json(file);
    let mut tally = Tally::default();
    for (number, (name, document)) in data["documents"].as_object().unwrap().iter().enumerate() {
        if !documents(number, name) {
            continue;
        }
        let schemas = document.get("schematron").unwrap_or(document).as_object().unwrap();
        bed.load(schemas.keys().map(String::as_str));
        with_arena(&bed.example(name), &bed.names, |arena| {
            for (schema, verdict) in schemas {
                tally.compare(bed, name, schema, verdict, arena);
            }
        });
    }
    tally
}

#[test]
fn a_sample_of_the_examples_has_the_verdicts_of_the_reference() {
    let Some(mut bed) = Bed::open("a_sample_of_the_examples_has_the_verdicts_of_the_reference") else { return };
    let with_failures = ["AVC-AUNV_2022.01.xml", "CANCER-D2LM-FIN_2022.01.xml"];
    verdicts(&mut bed, "xml/saxon-verdicts.json", |number, name| number % 12 == 0 || with_failures.contains(&name))
        .finish("sample of the examples");
}

#[test]
fn a_document_against_the_wrong_volets_has_the_verdicts_of_the_reference() {
    let Some(mut bed) = Bed::open("a_document_against_the_wrong_volets_has_the_verdicts_of_the_reference") else {
        return;
    };
    verdicts(&mut bed, "xml/saxon-cross-verdicts.json", |number, _| number < 2).finish("wrong volets, sample");
}

#[test]
#[ignore = "long: all documents and mutants, minutes without optimisation"]
fn all_examples_have_the_verdicts_of_the_reference() {
    let Some(mut bed) = Bed::open("all_examples_have_the_verdicts_of_the_reference") else { return };
    verdicts(&mut bed, "xml/saxon-verdicts.json", |_, _| true).finish("examples");
    verdicts(&mut bed, "xml/saxon-cross-verdicts.json", |_, _| true).finish("wrong volets");
}

/// The bytes of a mutant: `delete` replaced by `insert` at a byte of its base.
fn patched(base: &[u8], patch: &Value) -> Vec<u8> {
    let at = usize::try_from(patch["byte_offset"].as_u64().unwrap()).unwrap();
    let (delete, insert) = (text(&patch["delete"]), text(&patch["insert"]));
    assert_eq!(&base[at..at + delete.len()], delete.as_bytes());
    [&base[..at], insert.as_bytes(), &base[at + delete.len()..]].concat()
}

fn mutants(bed: &mut Bed, every: usize) -> Tally {
    let mut tally = Tally::default();
    let folder = bed.shared.join("data/xml/mutants");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "json")).step_by(every) {
        let mutant = read_json(file);
        let id = text(&mutant["id"]);
        let Some(schemas) = mutant["schematron"].as_object().filter(|schemas| !schemas.is_empty()) else { continue };
        let bytes = patched(&bed.example(&text(&mutant["base"])), &mutant["patch"]);
        // The declared encoding or a DOCTYPE is what is wrong: the reference read on, we do not.
        let Ok(decoded) = decode(&bytes, &Limits::default()) else { continue };
        let Ok(parsed) = parse(&decoded.text, &Limits::default()) else { continue };
        bed.load(schemas.keys().map(String::as_str));
        let arena = Arena::new(&parsed, &bed.names);
        for (schema, verdict) in schemas {
            tally.compare(bed, &id, schema, verdict, &arena);
        }
    }
    tally
}

#[test]
fn a_sample_of_the_mutants_has_the_verdicts_of_the_reference() {
    let Some(mut bed) = Bed::open("a_sample_of_the_mutants_has_the_verdicts_of_the_reference") else { return };
    mutants(&mut bed, 9).finish("sample of the mutants");
}

#[test]
#[ignore = "long: all documents and mutants, minutes without optimisation"]
fn all_mutants_have_the_verdicts_of_the_reference() {
    let Some(mut bed) = Bed::open("all_mutants_have_the_verdicts_of_the_reference") else { return };
    mutants(&mut bed, 1).finish("mutants");
}

/// Applies a mutation that is given by the place of an element among its parent's.
fn mutated(base: &str, mutation: &Value) -> String {
    let parsed = parse(base, &Limits::default()).unwrap();
    let steps = text(&mutation["path"]);
    let element = steps.split('/').skip(1).fold(parsed.root(), |node, step| {
        let place: usize = step.trim_start_matches("*[").trim_end_matches(']').parse().unwrap();
        node.children().filter(roxmltree::Node::is_element).nth(place - 1).unwrap()
    });
    let attribute = || {
        let name = text(&mutation["attribute"]);
        element
            .attributes()
            .find(|attribute| base[attribute.range_qname()] == *name || attribute.name() == name)
            .unwrap()
    };
    let (range, by) = match mutation["op"].as_str().unwrap() {
        "delete-element" => (element.range(), String::new()),
        "delete-attribute" => (attribute().range(), String::new()),
        "set-attribute" => (attribute().range_value(), text(&mutation["value"])),
        other => panic!("unknown mutation {other}"),
    };
    format!("{}{by}{}", &base[..range.start], &base[range.end..])
}

/// The other oracle lists locations and texts of failed assertions only.
fn other_mutants(bed: &mut Bed, every: usize) -> (usize, Vec<String>) {
    let (mut pairs, mut different) = (0, Vec::new());
    for mutant in bed.json("documents/cda/oracle/mutants.json").as_array().unwrap().iter().step_by(every) {
        let (id, volet) = (text(&mutant["id"]), text(&mutant["volet"]));
        let base = bed.example(&text(&mutant["base"]));
        let base = decode(&base, &Limits::default()).unwrap();
        let document = mutated(&base.text, &mutant["mutation"]);
        let expected = mutant["expected"].as_object().unwrap();
        let schema_of = |key: &str| match key {
            "volet" => format!("CI-SIS_{volet}"),
            "IHE" => "profils/IHE".to_owned(),
            "StructurationMinimale" => "profils/structurationMinimale/ASIP-STRUCT-MIN-StrucMin".to_owned(),
            other => {
                format!("profils/CI-SIS_{}", if other == "ModelesDeContenus" { "ModelesDeContenusCDA" } else { other })
            }
        };
        let names: Vec<(String, &Value)> = expected.iter().map(|(key, verdict)| (schema_of(key), verdict)).collect();
        bed.load(names.iter().map(|(name, _)| name.as_str()));
        with_arena(document.as_bytes(), &bed.names, |arena| {
            for (schema, verdict) in &names {
                let outcome = bed.schemas[schema].run(arena, &bed.values).unwrap();
                let mut found: Vec<[String; 2]> = outcome
                    .failures
                    .iter()
                    .filter(|failure| !outcome.is_report(failure))
                    .map(|failure| [failure.location.clone(), failure.text.clone()])
                    .collect();
                let failed = verdict["failed_asserts"].as_array().unwrap();
                let mut wanted: Vec<[String; 2]> =
                    failed.iter().map(|entry| [text(&entry["location"]), collapse(&text(&entry["text"]))]).collect();
                found.sort();
                wanted.sort();
                pairs += 1;
                if found != wanted || Some(outcome.fired.len() as u64) != verdict["fired_rules"].as_u64() {
                    different.push(format!("{id} {schema}: {found:#?} instead of {wanted:#?}"));
                }
            }
        });
    }
    (pairs, different)
}

fn collapse(text: &str) -> String {
    text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_sample_of_single_faults_has_the_verdicts_of_the_reference() {
    let Some(mut bed) = Bed::open("a_sample_of_single_faults_has_the_verdicts_of_the_reference") else { return };
    let (pairs, different) = other_mutants(&mut bed, 25);
    assert!(pairs > 0 && different.is_empty(), "{pairs} pairs: {}", different.join("\n"));
}

#[test]
#[ignore = "long: all documents and mutants, minutes without optimisation"]
fn all_single_faults_have_the_verdicts_of_the_reference() {
    let Some(mut bed) = Bed::open("all_single_faults_have_the_verdicts_of_the_reference") else { return };
    let (pairs, different) = other_mutants(&mut bed, 1);
    println!("single faults: {pairs} pairs, {} differences", different.len());
    assert!(pairs > 0 && different.is_empty(), "{}", different[..different.len().min(8)].join("\n"));
}

#[test]
#[ignore = "long: loads every schema of the test bed"]
fn every_published_schema_is_understood() {
    let Some(bed) = Bed::open("every_published_schema_is_understood") else { return };
    let mut loaded = 0;
    for path in bed.files.list() {
        let Ok(schema) = Schematron::load(&*bed.files, &path, &bed.names) else { continue };
        loaded += 1;
        for defect in schema.defects() {
            println!("{path}: {} ({})", defect.kind, defect.place);
            assert!(!matches!(defect.kind, DefectKind::Expression(_)), "{path}: {defect:?}");
        }
    }
    assert!(loaded >= 68, "{loaded}");
}
