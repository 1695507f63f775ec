//! The verdicts of libxml2 on the published examples, on mutants, and on the messages of the Hub Santé.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test stops where it cannot go on")]

mod fixtures;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use socle_xml::schematron::{Folder, Memory};
use socle_xml::xsd::{Xsd, XsdError};
use socle_xml::{Limits, XmlErrorKind, decode};

fn cda(shared: &Path) -> Xsd {
    let folder = Folder::open(shared.join("data/documents/cda/testbed")).unwrap();
    Xsd::new(Arc::new(folder), "infrastructure/cda/CDA_extended.xsd")
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Bytes that cannot be read as XML are not valid; `None` when the input itself is refused (DOCTYPE, encoding).
fn verdict(xsd: &Xsd, bytes: &[u8]) -> Option<bool> {
    let Ok(decoded) = decode(bytes, &Limits::default()) else { return None };
    match xsd.check(&decoded.text) {
        Ok(verdict) => {
            assert_eq!(verdict.valid, verdict.findings.is_empty());
            Some(verdict.valid)
        }
        Err(XsdError::NotXml(error)) if error.kind == XmlErrorKind::Doctype => None,
        Err(XsdError::NotXml(_)) => Some(false),
        Err(error) => panic!("{error}"),
    }
}

fn examples(shared: &Path, every: usize) {
    let xsd = cda(shared);
    let expected = json(&shared.join("data/documents/cda/oracle/xsd_expected.json"));
    for (name, expected) in expected.as_object().unwrap().iter().step_by(every) {
        let bytes = fs::read(shared.join("data/documents/cda/examples").join(name)).unwrap();
        assert_eq!(verdict(&xsd, &bytes), expected["valid"].as_bool(), "{name}");
    }
}

fn mutants(shared: &Path, every: usize) {
    let xsd = cda(shared);
    let mut files: Vec<PathBuf> =
        fs::read_dir(shared.join("data/xml/mutants")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut valid, mut invalid) = (0, 0);
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "json")).step_by(every) {
        let mutant = json(file);
        let name = mutant["base"].as_str().unwrap();
        let base = fs::read(shared.join("data/documents/cda/examples").join(name)).unwrap();
        let at = usize::try_from(mutant["patch"]["byte_offset"].as_u64().unwrap()).unwrap();
        let (delete, insert) =
            (mutant["patch"]["delete"].as_str().unwrap(), mutant["patch"]["insert"].as_str().unwrap());
        let bytes = [&base[..at], insert.as_bytes(), &base[at + delete.len()..]].concat();
        let expected = mutant["xsd"]["valid"].as_bool().unwrap();
        // A DOCTYPE and a wrong declared encoding are refused before, whatever libxml2 says.
        match verdict(&xsd, &bytes) {
            None => {
                let kind = mutant["mutation"].as_str().unwrap();
                assert!(kind.contains("doctype") || kind.contains("encoding"), "{}", mutant["id"]);
            }
            Some(ours) => assert_eq!(ours, expected, "{}", mutant["id"]),
        }
        *(if expected { &mut valid } else { &mut invalid }) += 1;
    }
    println!("{valid} valid, {invalid} invalid");
    assert!(valid > 0 && invalid > 0);
}

#[test]
fn a_sample_has_the_verdicts_of_libxml2() {
    let Some(shared) = fixtures::shared("a_sample_has_the_verdicts_of_libxml2") else { return };
    examples(&shared, 9);
    mutants(&shared, 4);
}

#[test]
#[ignore = "long: all examples and mutants"]
fn all_examples_and_mutants_have_the_verdicts_of_libxml2() {
    let Some(shared) = fixtures::shared("all_examples_and_mutants_have_the_verdicts_of_libxml2") else { return };
    examples(&shared, 1);
    mutants(&shared, 1);
}

#[test]
fn documents_that_present_themselves_are_judged_by_what_is_inside() {
    let Some(shared) = fixtures::shared("documents_that_present_themselves_are_judged_by_what_is_inside") else {
        return;
    };
    let xsd = cda(&shared);
    let name = "BIO-CR-BIO_2021.01_Auto-Presentable.xml";
    let bytes = fs::read(shared.join("data/documents/cda/examples").join(name)).unwrap();
    let text = decode(&bytes, &Limits::default()).unwrap().text.into_owned();
    assert!(text.contains("stylesheet"));
    assert!(xsd.check(&text).unwrap().valid);
    let at = text.find("recordTarget").unwrap();
    let broken = format!("{}recordTargeT{}", &text[..at], &text[at + "recordTarget".len()..]);
    let closing =
        broken.replacen("</recordTarget", "</recordTargeT", 1).replacen("</c:recordTarget", "</c:recordTargeT", 1);
    let verdict = xsd.check(&closing).unwrap();
    let line = u32::try_from(text[..at].matches('\n').count() + 1).unwrap();
    assert!(!verdict.valid);
    assert!(verdict.findings.iter().any(|finding| finding.at.line == Some(line)), "{:#?} {line}", verdict.findings);
}

#[test]
fn messages_of_the_hub_are_judged_by_its_schema() {
    let Some(shared) = fixtures::shared("messages_of_the_hub_are_judged_by_its_schema") else { return };
    let folder = Folder::open(shared.join("data/hub/xsd/v3")).unwrap();
    let xsd = Xsd::new(Arc::new(folder), "EDXL-DE-full.xsd");
    let (mut valid, mut invalid) = (0, 0);
    let mut left = vec![shared.join("data/hub")];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "xml") {
                let is_valid = verdict(&xsd, &fs::read(&path).unwrap()) == Some(true);
                *(if is_valid { &mut valid } else { &mut invalid }) += 1;
            }
        }
    }
    // The counts of libxml2 on the same files.
    assert_eq!((valid, invalid), (101, 16));
}

#[test]
fn a_schema_that_is_not_whole_validates_nothing() {
    let missing = Memory::new().with(
        "a.xsd",
        r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="b.xsd"/>
           <xs:element name="a" type="xs:string"/></xs:schema>"#,
    );
    let outside = Memory::new().with(
        "a.xsd",
        r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
           <xs:include schemaLocation="../../../etc/hostname"/><xs:element name="a" type="xs:string"/></xs:schema>"#,
    );
    let none = Memory::new().with("a.xsd", "<a/>");
    for (name, files) in [("a missing include", missing), ("an include outside", outside), ("no schema", none)] {
        assert!(Xsd::new(Arc::new(files), "a.xsd").check("<a/>").is_err(), "{name}");
    }
    assert!(Xsd::new(Arc::new(Memory::new()), "a.xsd").check("<a/>").is_err(), "no file at all");
}

#[test]
fn findings_say_where_and_never_what() {
    let schema = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
        <xs:element name="r"><xs:complexType><xs:sequence><xs:element name="n" type="xs:integer"/></xs:sequence>
        <xs:attribute name="k" type="xs:boolean" use="required"/></xs:complexType></xs:element></xs:schema>"#;
    let xsd = Xsd::new(Arc::new(Memory::new().with("a.xsd", schema)), "a.xsd");
    let cases = [
        ("<r k='true'><n>1</n></r>", 0, ""),
        ("<r k='true'>\n<n>DUPONT</n></r>", 2, "/r/n"),
        ("<r>\n<n>1</n></r>", 1, "/r"),
        ("<r k='true'>\n<n>1</n>\n<extra/></r>", 1, "/r"),
        ("<r k='DUPONT'><n>1</n></r>", 1, "/r"),
        ("<other/>", 1, "/other"),
    ];
    for (document, line, path) in cases {
        let verdict = xsd.check(document).unwrap();
        assert_eq!(verdict.valid, line == 0, "{document}");
        let Some(first) = verdict.findings.first() else { continue };
        assert!(first.at.path.starts_with(path), "{document}: {}", first.at.path);
        assert!(first.at.line == Some(line), "{document}: {:?}", first.at.line);
        assert!(!first.message.fr.contains("DUPONT") && !first.message.en.contains("DUPONT"), "{document}");
        assert_eq!(first.message.en.contains("extra"), document.contains("extra"), "{document}: {}", first.message.en);
    }
    assert!(matches!(xsd.check("<r>"), Err(XsdError::NotXml(_))));
}

#[test]
fn many_threads_share_one_schema_and_each_gets_its_own_verdict() {
    let schema = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
        <xs:element name="r"><xs:complexType><xs:sequence><xs:element name="n" type="xs:integer" maxOccurs="unbounded"/>
        </xs:sequence></xs:complexType></xs:element></xs:schema>"#;
    let xsd = Xsd::new(Arc::new(Memory::new().with("a.xsd", schema)), "a.xsd");
    let broken = Xsd::new(Arc::new(Memory::new().with("a.xsd", "<a/>")), "a.xsd");
    std::thread::scope(|scope| {
        for thread in 0..16_usize {
            let (xsd, broken) = (&xsd, &broken);
            scope.spawn(move || {
                for round in 0..20_usize {
                    // As many wrong values as this thread and round say: an answer that went astray is seen.
                    let wrong = (thread * 20 + round) % 37;
                    let document = format!("<r><n>1</n>{}</r>", "<n>x</n>".repeat(wrong));
                    let verdict = xsd.check(&document).unwrap();
                    assert_eq!((verdict.valid, verdict.findings.len()), (wrong == 0, wrong));
                    assert!(broken.check(&document).is_err(), "a failure leaves the others their turn");
                }
            });
        }
    });
}
