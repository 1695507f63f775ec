//! JSON: whatever is read leads back to the bytes, as JSON again, and to XML and back when R4 knows it.
//!
//! `cargo +nightly fuzz run json` in `crates/formats/fhir`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use socle_fhir::{Document, Node, narrative, xml};

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::parse(bytes.to_vec()) else { return };
    document.oddities().for_each(|oddity| drop(oddity.issue()));
    walk(document.root());
    let again = Document::parse(document.root().json()).expect("a value of a document is a document");
    assert_eq!(again.len(), document.len());
    if let Ok(text) = xml::write(document.root()) {
        let read = xml::read(text.clone()).expect("what is written is read");
        // A `div` with a prefix is rewritten once: what is stable is what was written from XML.
        let second = xml::write(read.root()).expect("and written again");
        let again = xml::read(second.clone()).expect("and read again");
        assert_eq!(xml::write(again.root()).expect("and written once more"), second);
    }
});

fn walk(node: Node<'_>) {
    let position = node.position();
    assert!(position.line > 0 && position.column > 0 && !node.path().is_empty());
    if let Some(text) = node.str() {
        for problem in narrative::check(text) {
            assert!(text.is_char_boundary(problem.offset));
            assert!(node.position_within(problem.offset).line > 0);
        }
    }
    node.items().for_each(walk);
    for (name, member) in node.members() {
        assert!(node.get(name) == Some(member) && node.get_id(member.name_id()) == Some(member));
        walk(member);
    }
}
