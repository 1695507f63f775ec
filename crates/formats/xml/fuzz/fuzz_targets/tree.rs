//! Bytes are refused with a place, or are a tree: every node has its source, the canonical form reads back to itself, and
//! the copy that rules run on has the same nodes.
//!
//! `cargo +nightly fuzz run tree` in `crates/formats/xml`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use socle_xml::arena::{Arena, Names};
use socle_xml::c14n::Canonical;
use socle_xml::{Limits, NodeExt as _, decode, parse};

const LIMITS: Limits = Limits { bytes: 1 << 20, depth: 64, nodes: 10_000, attributes: 64, name: 256 };

fuzz_target!(|bytes: &[u8]| {
    let text = match decode(bytes, &LIMITS) {
        Ok(text) => text,
        Err(error) => return assert!(error.line > 0 && error.column > 0),
    };
    assert!(text.len() <= LIMITS.bytes);
    let document = match parse(&text, &LIMITS) {
        Ok(document) => document,
        Err(error) => return assert!(error.line > 0 && error.column > 0),
    };
    for node in document.descendants() {
        assert!(node.position().0 > 0 && node.ancestors().count() <= LIMITS.depth + 2);
        if node.is_element() {
            assert!(node.source().starts_with('<') && !node.qname().is_empty());
        }
    }
    let arena = Arena::new(&document, &Names::new());
    assert_eq!(arena.root().string(), document.root_element().full_text());
    for exclusive in [false, true] {
        let how = Canonical { exclusive, comments: true, ..Canonical::default() };
        let once = how.of(document.root());
        // The form has no namespace that is not used: under other limits it may only grow by what it escapes.
        let again = parse(&once, &Limits::CDA).expect("the canonical form is XML");
        assert_eq!(how.of(again.root()), once);
    }
});
