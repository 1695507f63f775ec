//! Valid official examples with one thing broken: the validator finds it, where it is, and never panics.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where it cannot go on, and says what it skips"
)]

#[path = "support/mod.rs"]
mod support;

#[path = "support/mutate.rs"]
mod mutate;

use std::collections::BTreeMap;

use mutate::{ALL, Mutation, Seeds, Step};
use serde_json::Value;
use socle_fhir::Document;
use socle_fhir::definitions::r4;
use socle_fhir::profile::{Options, Validator};

/// Larger examples only make the test slow.
const LARGEST: usize = 8_000;

#[test]
fn what_is_broken_in_an_official_example_is_found_where_it_is() {
    let Some(tgz) = support::shared("mutants", "fhir/examples/r4-examples.tgz") else { return };
    let validator = Validator::core(Options::default());
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    let mut missed = Vec::new();
    let files = support::unpack(&tgz).into_iter().filter(|(_, bytes)| bytes.len() <= LARGEST);
    for (seed, (path, bytes)) in files.enumerate() {
        let resource: Value = serde_json::from_slice(&bytes).unwrap();
        if !lines_of_errors(&validator, &resource).is_empty() {
            continue;
        }
        let kind = resource["resourceType"].as_str().unwrap();
        let structure = r4().structure(&format!("http://hl7.org/fhir/StructureDefinition/{kind}")).unwrap();
        for how in ALL {
            let (mut mutant, mut seeds) = (resource.clone(), Seeds(seed as u64));
            let Some(at) = mutate::mutate(&mut mutant, &structure, how, &mut seeds) else { continue };
            *tried.entry(format!("{how:?}")).or_default() += 1;
            let line = line_of(&mutant, &at);
            let found = lines_of_errors(&validator, &mutant);
            if !found.contains(&line) {
                missed.push(format!("{path} (seed {seed}): {how:?} at {at:?}, line {line}; errors on lines {found:?}"));
            }
        }
    }
    println!("{tried:?}");
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
    for how in ALL {
        let least = if how == Mutation::BadDate { 50 } else { 90 };
        let count = tried.get(&format!("{how:?}")).copied().unwrap_or(0);
        assert!(count >= least, "{how:?} was tried {count} times only");
    }
}

/// Where errors are, in the resource written one member a line.
fn lines_of_errors(validator: &Validator, resource: &Value) -> Vec<u32> {
    match Document::parse(serde_json::to_vec_pretty(resource).unwrap()) {
        Ok(document) => {
            let findings = validator.validate(&document, &[]).findings;
            findings.iter().filter(|finding| finding.is_error()).filter_map(|finding| finding.at.line).collect()
        }
        Err(error) => error.issue().finding.at.line.into_iter().collect(),
    }
}

/// The line of a value, in the resource written one member a line.
fn line_of(resource: &Value, way: &[Step]) -> u32 {
    // What the reader refuses (an empty string) is told by its line all the same: the shape is that of another value.
    let text =
        serde_json::to_string_pretty(resource).unwrap().replace(": \"\"", ": \"-\"").replace("  \"\"", "  \"-\"");
    let document = Document::parse(text).unwrap();
    let node = way.iter().fold(document.root(), |node, step| match step {
        Step::Name(name) => node.get(name).unwrap(),
        Step::At(at) => node.items().nth(*at).unwrap(),
    });
    u32::try_from(node.position().line).unwrap()
}
