//! The code tables of this crate against the published ones.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and says aloud what it skips")]

mod fixtures;

use socle_cda::{Code, codes};
use socle_xml::roxmltree;

/// A CSV file with quoted fields: header dropped.
fn csv(path: &std::path::Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let field = |line: &str| {
        let mut fields = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                _ => fields.last_mut().unwrap().push(c),
            }
        }
        fields
    };
    text.lines().skip(1).map(field).collect()
}

fn value_set(path: &std::path::Path) -> Vec<Code> {
    let text = std::fs::read_to_string(path).unwrap();
    let tree = roxmltree::Document::parse(&text).unwrap();
    let concepts = tree.descendants().filter(|n| n.tag_name().name() == "Concept");
    let part = |n: &roxmltree::Node<'_, '_>, name: &str| n.attribute(name).unwrap_or_default().to_owned();
    concepts.map(|n| Code::new(part(&n, "code"), part(&n, "codeSystem"), part(&n, "displayName"))).collect()
}

#[test]
fn classes_of_types_are_those_of_ass_x04() {
    let test = "classes_of_types";
    let Some(path) = fixtures::shared(test, "documents/terminology/type_to_class.csv") else { return };
    let rows = csv(&path);
    assert_eq!(rows.len(), 130);
    for row in rows {
        let [code, system, label, class] = row.as_slice() else { unreachable!("four columns") };
        let typed = Code::new(code.as_str(), if system.is_empty() { codes::LOINC } else { system }, "");
        let found = codes::class_of(&typed).map(|c| c.code);
        // A class that JDV_J57 does not have (99), the signature's and the unknown ones are not derived.
        let expected = (class.len() == 2 && class != "99").then(|| class.clone());
        assert_eq!(found, expected, "{code}");
        if !class.starts_with("urn:") && !label.is_empty() {
            assert_eq!(codes::type_label(code), Some(label.as_str()), "{code}");
        }
    }
    assert_eq!(codes::class_of(&Code::new("11490-0", "1.2.3", "")), None, "another system is another code");
}

#[test]
fn formats_of_templates_are_those_of_ass_a11() {
    let test = "formats_of_templates";
    let Some(path) = fixtures::shared(test, "documents/terminology/template_to_formatcode_ASS_A11.csv") else { return };
    for row in csv(&path) {
        let format = codes::format_of_templates(std::iter::once(row[0].as_str())).unwrap();
        assert!(format.is(&row[1], &row[3]), "{}", row[0]);
        assert_eq!(codes::format_scheme(&row[1]), Some(row[3].as_str()));
    }
    for unlisted in ["1.2.250.1.213.1.1.1.59", "1.2.250.1.213.1.1.1.61", "1.2.250.1.213.1.1.1.62", ""] {
        assert_eq!(codes::format_of_templates(std::iter::once(unlisted)), None, "{unlisted}");
    }
}

#[test]
fn labels_are_those_of_the_value_sets() {
    let test = "labels_are_those_of_the_value_sets";
    let Some(folder) = fixtures::shared(test, "documents/cda/testbed/jeuxDeValeurs") else { return };
    for concept in value_set(&folder.join("JDV_J02_XdsHealthcareFacilityTypeCode_CISIS.xml")) {
        let found = codes::facility(&concept.code).unwrap();
        assert_eq!((&found, &found.label), (&concept, &concept.label));
    }
    for concept in value_set(&folder.join("JDV_J04_XdsPracticeSettingCode_CISIS.xml")) {
        let found = codes::practice_setting(&concept.code).unwrap();
        assert_eq!((&found, &found.label), (&concept, &concept.label));
    }
    for concept in value_set(&folder.join("JDV_J07_XdsTypeCode_CISIS.xml")) {
        assert_eq!(codes::type_label(&concept.code), Some(concept.label.as_str()));
    }
    let visibility = socle_cda::xds::Visibility::new(true, true, true, socle_cda::xds::Cumulation::Allowed).unwrap();
    let published = value_set(&folder.join("JDV_J08_XdsConfidentialityCode_CISIS.xml"));
    for code in visibility.codes() {
        assert!(published.iter().any(|p| *p == code && p.label == code.label), "{code:?}");
    }
}

#[test]
fn classes_are_those_of_jdv_j57() {
    let Some(path) = fixtures::shared("classes_are_those", "documents/terminology/classcode_JDV_J57.csv") else {
        return;
    };
    for row in csv(&path).into_iter().filter(|row| row[2] != "URN") {
        assert_eq!(codes::class_label(&row[0]), Some(row[1].as_str()));
        assert_eq!(row[2], codes::CLASSES);
    }
}
