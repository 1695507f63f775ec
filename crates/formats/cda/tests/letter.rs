//! Socle's own letter.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and says aloud what it skips")]

mod fixtures;

use socle_cda::letter::Letter;
use socle_cda::xds::{Cx, DocumentEntry, EntryOptions};
use socle_cda::{Body, Header};
use uuid::Uuid;

fn letter() -> Letter {
    let id = Uuid::from_u128(0x0f3c_2a51_7d4e_4b6a_9c1d_8e2f_4a5b_6c7d);
    let offset = jiff::tz::Offset::constant(1);
    Letter::for_test_person(id, "2026-11-24T10:00:00Z".parse().unwrap(), offset).unwrap()
}

#[test]
fn its_header_has_nothing_to_say_against_it() {
    let document = letter().to_document().unwrap();
    assert_eq!(document.findings(), []);
    assert_eq!(document.body(), &Body::Level3);
    let header = Header::read(&document).unwrap();
    assert_eq!(header.ins().unwrap().unwrap().to_cx(), "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH");
    assert_eq!(header.patient.traits.as_ref().unwrap().differences(&letter().traits), []);
    assert_eq!(header.effective_time.to_string(), "20261124110000+0100");
    assert_eq!(header.id.root, "2.25.20250816065750623362526552026404056189");
}

#[test]
fn its_metadata_are_complete() {
    let document = letter().to_document().unwrap();
    let entry = DocumentEntry::from_header(&document, &Cx::from(&letter().ins), &EntryOptions::new("Doc1")).unwrap();
    assert_eq!(entry.warnings, []);
    assert_eq!(entry.value.format_code.code, "urn:asip:ci-sis:ldl-ses:2017");
    assert!(entry.value.class_code.is("10", "1.2.250.1.213.1.1.4.1"));
    assert_eq!(entry.value.creation_time.as_str(), "20261124100000");
}

#[test]
fn the_same_letter_gives_the_same_bytes_and_another_id_another_letter() {
    let first = letter();
    assert_eq!(first.to_xml(), letter().to_xml());
    let document = second_letter().to_document().unwrap();
    let header = Header::read(&document).unwrap();
    assert_ne!(header.id.root, first.document_oid());
    assert_eq!(header.related.as_ref().unwrap().parent.root, first.document_oid());
    assert_eq!(document.findings(), []);
    let address = header.recipients[0].telecoms[0].as_str();
    assert_eq!(address, "mailto:hugo.lemaitre@medecin.mssante.example");
}

#[test]
fn every_reference_of_an_entry_has_its_narrative() {
    let document = letter().to_document().unwrap();
    let (references, ids) = document
        .with_root(|root| {
            let all = |name: &str| -> Vec<String> {
                let values = root.descendants().filter_map(|n| n.attribute(name));
                values.map(|value| value.trim_start_matches('#').to_owned()).collect()
            };
            let is_reference = |n: &socle_xml::roxmltree::Node<'_, '_>| n.tag_name().name() == "reference";
            let references: Vec<String> = root
                .descendants()
                .filter(is_reference)
                .filter_map(|n| n.attribute("value"))
                .map(|value| value.trim_start_matches('#').to_owned())
                .collect();
            (references, all("ID"))
        })
        .unwrap();
    assert!(references.len() >= 14);
    for reference in references {
        assert!(ids.contains(&reference), "{reference}");
    }
}

/// A second version, to a recipient with an address.
fn second_letter() -> Letter {
    let address = "hugo.lemaitre@medecin.mssante.example".to_owned();
    Letter {
        id: Uuid::from_u128(7),
        version: 2,
        replaces: Some(letter().document_oid()),
        recipient_address: Some(address),
        ..letter()
    }
}

/// The published schema, by a validator that is not ours.
#[test]
fn it_is_valid_against_the_published_schema() {
    let Some(schema) = fixtures::schema("it_is_valid_against_the_published_schema") else { return };
    for (name, xml) in [("letter-1.xml", letter().to_xml()), ("letter-2.xml", second_letter().to_xml())] {
        fixtures::keep(name, xml.as_bytes());
        fixtures::assert_valid(&schema, name, xml.as_bytes());
    }
}
