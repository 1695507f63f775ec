//! FHIR XML: whatever is read is a tape like that of its JSON, and is written again when R4 knows it.
//!
//! `cargo +nightly fuzz run xml` in `crates/formats/fhir`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use socle_fhir::{Document, Node, xml};

fuzz_target!(|bytes: &[u8]| {
    // Most inputs are the inside of a Patient: the root is the same in all documents.
    let inside = String::from_utf8_lossy(bytes);
    let wrapped = format!("<Patient xmlns=\"http://hl7.org/fhir\">{inside}</Patient>");
    for text in [bytes.to_vec(), wrapped.into_bytes()] {
        let Ok(document) = xml::read(text) else { continue };
        document.oddities().for_each(|oddity| drop(oddity.issue()));
        walk(document.root());
        let json = Document::parse(document.root().json()).expect("a value of a document is a document");
        assert_eq!(json.len(), document.len());
        if let Ok(text) = xml::write(document.root()) {
            let again = xml::read(text).expect("what is written is read");
            assert_eq!(again.root().resource_type(), document.root().resource_type());
        }
    }
});

fn walk(node: Node<'_>) {
    let position = node.position();
    assert!(position.line > 0 && position.column > 0 && !node.path().is_empty());
    assert!(node.str().is_none_or(|text| text.len() < u32::MAX as usize));
    node.items().for_each(walk);
    node.members().for_each(|(_, member)| walk(member));
}
