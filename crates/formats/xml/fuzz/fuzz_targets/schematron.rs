//! A schema and what it includes: refused, or read with its defects told; its compiled form says the same of a document;
//! damage in that form is seen.
//!
//! The input is a schema, after a zero byte what it includes as `i.sch`, after another a value set as `v.xml`.
//! `cargo +nightly fuzz run schematron` in `crates/formats/xml`.

#![no_main]

use std::sync::Arc;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use socle_xml::arena::{Arena, Names};
use socle_xml::schematron::{Memory, Schematron, Values};
use socle_xml::{Limits, parse};

const DOCUMENT: &str = r#"<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><templateId root="1.2"/><code code="A" codeSystem="1"/><component><section><templateId root="1.3"/><title>Un</title><entry v="3" xsi:type="T"/></section></component></ClinicalDocument>"#;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let mut files = Memory::new();
    for name in ["s.sch", "i.sch", "v.xml"] {
        files = files.with(name, parts.next().unwrap_or_default());
    }
    // Most inputs are the inside of a schema: the root is the same in all of them.
    let inside = String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
    files = files.with(
        "w.sch",
        format!("<schema xmlns='http://purl.oclc.org/dsdl/schematron' queryBinding='xslt2'><ns prefix='cda' uri='urn:hl7-org:v3'/>{inside}</schema>"),
    );
    let files = Arc::new(files);
    for path in ["s.sch", "w.sch"] {
        judge(&files, path);
    }
    let _ = Schematron::from_cache(bytes, "k", &Names::new());
});

fn judge(files: &Arc<Memory>, path: &str) {
    let names = Names::new();
    let Ok(schema) = Schematron::load(&**files, path, &names) else { return };
    let values = Values::new(files.clone(), &names);
    let started = Instant::now();
    let svrl = run(&schema, &values, &names);
    assert!(started.elapsed() < Duration::from_secs(20), "the budget does not hold");
    let Some(mut kept) = schema.to_cache("k", &names) else { return };
    let again = Schematron::from_cache(&kept, "k", &names).expect("what is written is read");
    assert_eq!(run(&again, &values, &names), svrl);
    assert!(Schematron::from_cache(&kept, "other", &names).is_none());
    if let Some(last) = kept.last_mut() {
        *last ^= 1;
    }
    assert!(Schematron::from_cache(&kept, "k", &names).is_none());
}

fn run(schema: &Schematron, values: &Values, names: &Names) -> String {
    let parsed = parse(DOCUMENT, &Limits::default()).expect("a document");
    let arena = Arena::new(&parsed, names);
    let outcome = schema.run(&arena, values).expect("built after the rules");
    let findings = outcome.findings(DOCUMENT);
    assert!(findings.len() >= outcome.failures.len());
    outcome.to_svrl()
}
