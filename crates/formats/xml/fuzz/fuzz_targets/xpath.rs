//! Any expression is read or refused with its place, and its evaluation ends within its budget, on any document.
//!
//! The input is an expression; after a zero byte, perhaps a document.
//! `cargo +nightly fuzz run xpath` in `crates/formats/xml`.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use socle_xml::arena::{Arena, Names};
use socle_xml::xpath::{Code, Expression};
use socle_xml::{Limits, decode, parse};

const LIMITS: Limits = Limits { bytes: 1 << 20, depth: 64, nodes: 10_000, attributes: 64, name: 256 };

const PREFIXES: [(&str, &str); 4] = [
    ("c", "urn:hl7-org:v3"),
    ("cda", "urn:hl7-org:v3"),
    ("xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    ("xs", "http://www.w3.org/2001/XMLSchema"),
];

const DOCUMENT: &[u8] = br#"<c:doc xmlns:c="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" k="1"><!-- head --><c:head><c:templateId root="1.2"/><c:time low="20240101" high="x"/></c:head><c:section n="1"><c:templateId root="1.3"/><c:title>Un &#233;t&#233;</c:title><c:item v="3" xsi:type="c:T"/><c:item v="10"/><c:section n="2"/></c:section><plain>a<b>b</b>c</plain></c:doc>"#;

fuzz_target!(|bytes: &[u8]| {
    let (expression, document) = match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, DOCUMENT),
    };
    let Ok(text) = std::str::from_utf8(expression) else { return };
    let names = Names::new();
    let expression = match Expression::read(text, &PREFIXES, &names) {
        Ok(expression) => expression,
        Err(error) => return assert!(error.at <= text.len()),
    };
    let Ok(decoded) = decode(document, &LIMITS) else { return };
    let Ok(parsed) = parse(&decoded, &LIMITS) else { return };
    let arena = Arena::new(&parsed, &names);
    let node = arena.document_element().expect("a document has an element");
    let started = Instant::now();
    match expression.evaluate(node) {
        // A condition may stop early; when the whole can be known, so can its truth, or it has none.
        Ok(_) => assert!(expression.holds(node).err().is_none_or(|error| error.code == Code::Type)),
        Err(error) => assert!(error.code != Code::Stale),
    }
    assert!(started.elapsed() < Duration::from_secs(30), "the budget does not hold");
});
