//! Two versions of one letter: what a reader must see, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use jiff::Timestamp;
use jiff::tz::Offset;
use socle_cda::diff::{Change, Side, compare};
use socle_cda::letter::Letter;
use socle_cda::{Document, diff::Diff};
use uuid::Uuid;

fn letter() -> String {
    let at: Timestamp = "2026-03-02T09:15:00Z".parse().unwrap();
    Letter::for_test_person(Uuid::from_u128(7), at, Offset::constant(1)).unwrap().to_xml()
}

fn diff(before: &str, after: &str) -> Diff {
    let parse = |xml: &str| Document::parse(xml.as_bytes().to_vec()).unwrap();
    compare(&parse(before), &parse(after)).unwrap()
}

#[test]
fn the_same_letter_has_no_difference() {
    assert!(diff(&letter(), &letter()).is_empty());
}

#[test]
fn fields_of_the_header_are_told_by_name_with_both_values() {
    let cases = [
        ("<versionNumber value=\"1\"/>", "<versionNumber value=\"2\"/>", "version", Some("1"), Some("2")),
        (
            "<given>DOMINIQUE MARIE-LOUISE</given>",
            "<given>DOMINIQUE</given>",
            "birth given names",
            Some("DOMINIQUE MARIE-LOUISE"),
            Some("DOMINIQUE"),
        ),
        (
            "<componentOf>",
            "<relatedDocument typeCode=\"RPLC\"><parentDocument><id root=\"2.25.6\"/></parentDocument></relatedDocument><componentOf>",
            "replaced document",
            None,
            Some("2.25.6"),
        ),
    ];
    for (what, by, name, before, after) in cases {
        let changed = letter().replacen(what, by, 1);
        let diff = diff(&letter(), &changed);
        assert_eq!(diff.header.len(), 1, "{name}");
        let field = &diff.header[0];
        assert_eq!((&*field.name.en, field.before.as_deref(), field.after.as_deref()), (name, before, after));
        assert!(diff.sections.is_empty() && diff.body.is_none());
    }
}

#[test]
fn a_changed_line_is_shown_with_its_neighbours_and_whole_sections_come_and_go() {
    let changed = letter().replacen("CRP : 184 mg/L", "CRP : 185 mg/L", 1);
    let told = diff(&letter(), &changed);
    assert_eq!(told.sections.len(), 1);
    let section = &told.sections[0];
    assert_eq!((section.title.as_str(), section.change), ("Résultats d'examens", Change::Changed));
    let sides: Vec<_> = section.lines.iter().map(|line| line.side).collect();
    assert_eq!(sides, [Side::Both, Side::Before, Side::After, Side::Both]);

    let (start, _) = letter().match_indices("<component><section>").nth(1).map(|(at, text)| (at, text.len())).unwrap();
    let end = start + letter()[start..].find("</section></component>").unwrap() + "</section></component>".len();
    let without = format!("{}{}", &letter()[..start], &letter()[end..]);
    let gone = diff(&letter(), &without);
    assert_eq!((gone.sections.len(), gone.sections[0].change), (1, Change::Removed));
    assert_eq!(gone.sections[0].title, "Motif de l'hospitalisation");
    let came = diff(&without, &letter());
    assert_eq!((came.sections.len(), came.sections[0].change), (1, Change::Added));
    assert_eq!(came.sections[0].lines.len(), gone.sections[0].lines.len());
}

#[test]
fn another_file_or_another_kind_of_body_is_told() {
    let minimal = include_str!("minimal.xml");
    let other = minimal.replace("Qm9uam91cg==", "Qm9uc29pcg==");
    assert!(diff(minimal, &other).body.unwrap().en.contains("file"));
    assert!(diff(minimal, &letter()).body.unwrap().en.contains("kind"));
    assert!(!format!("{:?}", diff(minimal, &letter())).contains("PAT-TROIS"), "nobody is named in Debug");
}

#[test]
fn sections_are_found_by_code_at_any_depth() {
    let document = Document::parse(letter().into_bytes()).unwrap();
    assert_eq!(document.sections().unwrap().len(), 7);
    let treatments = document.section("10183-2").unwrap().unwrap();
    assert_eq!(treatments.entries, 2);
    assert_eq!(treatments.lines[1], "Céfixime 200 mg | 1 comprimé matin et soir | 08/03/2026");
    assert!(document.section("00000-0").unwrap().is_none());
}
