//! How fast FHIRPath is: all search parameters of R4 over the official examples, and single expressions.
//!
//! `cargo bench -p socle-fhir --bench fhirpath`; one thread. An evaluation is one program on one resource of its
//! base, as an index would do it. Documents are read before.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures and stops when it cannot")]
#![allow(missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use socle_fhir::Document;
use socle_fhir::definitions::{r4, types};
use socle_fhir::fhirpath::{Environment, Item, Options, Program, Type, TypeId, compile};

fn main() {
    compilation();
    if let Some(tgz) = support::shared("bench fhirpath", "fhir/examples/r4-examples.tgz") {
        let files: Vec<Document> =
            support::unpack(&tgz).into_iter().map(|(_, content)| Document::parse(content).unwrap()).collect();
        extraction(&files);
    }
    expressions();
}

/// The search parameters of R4 by the type that they are about.
fn programs() -> HashMap<TypeId, Vec<Program>> {
    let mut programs: HashMap<TypeId, Vec<Program>> = HashMap::new();
    for parameter in r4().search_parameters() {
        let Some(expression) = parameter.expression.as_deref() else { continue };
        for base in parameter.base.iter().filter_map(|base| types().named(base)) {
            programs.entry(base).or_default().push(compile(expression, &Options::on(base)).unwrap());
        }
    }
    programs
}

fn compilation() {
    let count: usize = programs().values().map(Vec::len).sum();
    let time = best(|| _ = black_box(programs()));
    println!("search parameters of R4: {count} programs compiled in {:.1} ms", time.as_secs_f64() * 1e3);
}

fn extraction(documents: &[Document]) {
    let programs = programs();
    let mut work: Vec<(Item<'_>, &Program)> = Vec::new();
    for document in documents {
        let Some(item) = Item::resource(document.root()) else { continue };
        let Type::Fhir(own) = item.type_of() else { continue };
        let bases = programs.iter().filter(|(base, _)| types().is_subtype(own, **base));
        work.extend(bases.flat_map(|(_, programs)| programs).map(|program| (item.clone(), program)));
    }
    let environment = Environment::default();
    let mut values = 0;
    let time = best(|| {
        values = work.iter().map(|(item, program)| program.evaluate(item, &environment).unwrap().len()).sum();
        black_box(values);
    });
    let rate = work.len() as f64 / time.as_secs_f64();
    let resources = documents.len() as f64 / time.as_secs_f64();
    println!(
        "search parameters over {} official R4 examples: {} evaluations, {values} values",
        documents.len(),
        work.len()
    );
    println!("  {:.2} M evaluations/s, {:.0} resources/s, one thread", rate / 1e6, resources);
}

fn expressions() {
    let text = r#"{"resourceType":"Patient","id":"p","active":true,"name":[{"use":"official","family":"PAT-TROIS","given":["DOMINIQUE","JEAN"]},{"use":"usual","given":["DOM"]}],"telecom":[{"system":"phone","value":"0102030405"}],"birthDate":"1979-10-30"}"#;
    let document = Document::parse(text.as_bytes().to_vec()).unwrap();
    let patient = Item::resource(document.root()).unwrap();
    let environment = Environment::default();
    let options = Options::on(types().named("Patient").unwrap());
    for expression in [
        "Patient.name.given",
        "Patient.name.where(use='official').family",
        "telecom.exists() and name.all(given.exists() or family.exists())",
        "birthDate > @1970-01-01 and birthDate <= today()",
        "name.family.matches('^[A-Z-]+$')",
        "descendants().count()",
    ] {
        let program = compile(expression, &options).unwrap();
        let time = best(|| {
            for _ in 0..1000 {
                black_box(program.evaluate(&patient, &environment).unwrap());
            }
        });
        println!("  {:>8.0} ns  {expression}", time.as_secs_f64() * 1e6);
    }
}

fn best(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    let mut best = Duration::MAX;
    while start.elapsed() < Duration::from_secs(1) {
        let begin = Instant::now();
        work();
        best = best.min(begin.elapsed());
    }
    best
}
