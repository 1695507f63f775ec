//! Any expression compiles or is refused, and its evaluation ends within its budget, on any document.
//!
//! The input is an expression; after a zero byte, perhaps a document.

#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use socle_fhir::Document;
use socle_fhir::definitions::types;
use socle_fhir::fhirpath::{Budget, Environment, Item, Options, Stage, compile};
use socle_fhir::ucum::Unit;

static PATIENT: LazyLock<Document> = LazyLock::new(|| {
    let text = r##"{"resourceType":"Patient","id":"p","contained":[{"resourceType":"Organization","id":"o","name":"CHU"}],"extension":[{"url":"x","valueQuantity":{"value":4.50,"system":"http://unitsofmeasure.org","code":"mg/dL"}}],"active":true,"name":[{"use":"official","family":"PAT-TROIS","given":[null,"JEAN"],"_given":[{"id":"g"},null]}],"birthDate":"1979-10-30","managingOrganization":{"reference":"#o"}}"##;
    Document::parse(text.as_bytes().to_vec()).expect("a document")
});

fuzz_target!(|bytes: &[u8]| {
    let (expression, document) = match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => (&bytes[..end], Document::read(bytes[end + 1..].to_vec()).ok()),
        None => (bytes, None),
    };
    let Ok(expression) = std::str::from_utf8(expression) else { return };
    if let Ok(unit) = Unit::parse(expression) {
        Unit::parse(&unit.canonical()).expect("a canonical unit is a unit");
    }
    let document = document.as_ref().unwrap_or(&PATIENT);
    let Some(focus) = Item::resource(document.root()) else { return };
    let budget = Budget { steps: 50_000, time: Some(Duration::from_secs(1)) };
    let typed = types().named("Patient").map(Options::on).unwrap_or_default();
    for options in [Options::default(), typed, typed.strict(), typed.lenient()] {
        match compile(expression, &options) {
            Ok(program) => {
                let started = Instant::now();
                if let Err(error) = program.evaluate(&focus, &Environment::default().within(budget)) {
                    assert_eq!(error.stage(), Stage::Execution);
                }
                assert!(started.elapsed() < Duration::from_secs(10), "the budget does not hold");
            }
            Err(error) => assert!((error.at as usize) <= expression.len()),
        }
    }
});
