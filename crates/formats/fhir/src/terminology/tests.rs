use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::Document;

fn library(resources: &[&str]) -> Library {
    let mut library = Library::new();
    for resource in resources {
        library.add(Document::parse((*resource).to_owned()).unwrap().root()).unwrap();
    }
    library
}

const ANIMALS: &str = r#"{"resourceType":"CodeSystem","url":"http://e/animals","version":"1.0.0","content":"complete",
 "property":[{"code":"legs","type":"integer"},{"code":"notSelectable","type":"boolean",
   "uri":"http://hl7.org/fhir/concept-properties#notSelectable"}],
 "concept":[{"code":"animal","property":[{"code":"notSelectable","valueBoolean":true}],"concept":[
   {"code":"mammal","display":"Mammifère","concept":[
     {"code":"cat","display":"Chat","property":[{"code":"legs","valueInteger":4}],
      "designation":[{"language":"en","value":"Cat"}]},
     {"code":"whale","property":[{"code":"legs","valueInteger":0}]}]},
   {"code":"bird","property":[{"code":"legs","valueInteger":2}]}]}]}"#;

fn codes(compose: &str) -> String {
    let set = format!(r#"{{"resourceType":"ValueSet","url":"http://e/v","compose":{compose}}}"#);
    let terminology = Terminology::new(Arc::new(library(&[ANIMALS, &set])));
    let mut found = String::new();
    for code in ["animal", "mammal", "cat", "whale", "bird", "plant"] {
        match terminology.member("http://e/v", Some("http://e/animals"), code, None) {
            Membership::Yes => write!(found, "{code} ").unwrap(),
            Membership::Unknown(why) => return format!("{why:?}"),
            _ => {}
        }
    }
    found.trim_end().to_owned()
}

#[test]
fn filters_take_what_fhir_says() {
    let cases = [
        ("concept", "is-a", "mammal", "mammal cat whale"),
        ("concept", "descendent-of", "mammal", "cat whale"),
        ("concept", "is-not-a", "mammal", "animal bird"),
        ("concept", "generalizes", "cat", "animal mammal cat"),
        ("concept", "child-of", "animal", "mammal bird"),
        ("concept", "descendent-leaf", "animal", "cat whale bird"),
        ("concept", "is-a", "absent", ""),
        ("concept", "in", "cat, bird", "cat bird"),
        ("concept", "not-in", "cat,bird", "animal mammal whale"),
        ("legs", "=", "4", "cat"),
        ("legs", "exists", "true", "cat whale bird"),
        ("legs", "exists", "false", "animal mammal"),
        ("legs", "regex", "[02]", "whale bird"),
        ("code", "regex", "b.*d", "bird"),
        ("code", "regex", "ir", ""),
        ("display", "=", "Cat", "cat"),
        ("parent", "=", "mammal", "cat whale"),
        ("child", "exists", "true", "animal mammal"),
        ("notSelectable", "=", "false", ""),
        ("notSelectable", "not-in", "true", "mammal cat whale bird"),
        ("code", "regex", "(", "Filter"),
        ("code", "resembles", "cat", "Filter"),
        ("code", "=", "", "Filter"),
    ];
    for (property, op, value, expected) in cases {
        let filter = format!(r#"{{"property":"{property}","op":"{op}","value":"{value}"}}"#);
        let found = codes(&format!(r#"{{"include":[{{"system":"http://e/animals","filter":[{filter}]}}]}}"#));
        assert_eq!(found, expected, "{property} {op} {value}");
    }
}

#[test]
fn a_compose_is_a_union_of_intersections_minus_the_excludes() {
    let system = r#""system":"http://e/animals""#;
    let isa = |code: &str| format!(r#"{{"property":"concept","op":"is-a","value":"{code}"}}"#);
    let cases = [
        (format!(r#"{{"include":[{{{system}}}]}}"#), "animal mammal cat whale bird"),
        (format!(r#"{{"include":[{{{system},"concept":[{{"code":"cat"}},{{"code":"plant"}}]}}]}}"#), "cat"),
        (
            format!(
                r#"{{"include":[{{{system},"concept":[{{"code":"cat"}}]}},{{{system},"concept":[{{"code":"bird"}}]}}]}}"#
            ),
            "cat bird",
        ),
        (
            format!(
                r#"{{"include":[{{{system},"filter":[{}]}}],"exclude":[{{{system},"concept":[{{"code":"cat"}}]}}]}}"#,
                isa("mammal")
            ),
            "mammal whale",
        ),
        (format!(r#"{{"include":[{{{system},"version":"1.x"}}]}}"#), "animal mammal cat whale bird"),
        (format!(r#"{{"include":[{{{system},"version":"2.0.0"}}]}}"#), "CodeSystem"),
        (r#"{"include":[{"valueSet":["http://e/absent"]}]}"#.to_owned(), "ValueSet"),
        (r#"{"include":[{"valueSet":["http://e/v"]}]}"#.to_owned(), "Circle"),
        (r#"{"include":[{"valueSet":["http://e/animals/vs"]}]}"#.to_owned(), "ValueSet"),
        (r#"{"include":[{"system":"http://e/other"}]}"#.to_owned(), ""),
    ];
    for (compose, expected) in cases {
        assert_eq!(codes(&compose), expected, "{compose}");
    }
}

#[test]
fn what_nobody_can_say_is_unknown() {
    let fragment = ANIMALS.replace(r#""content":"complete""#, r#""content":"fragment""#);
    let all = r#"{"resourceType":"ValueSet","url":"http://e/v","compose":{"include":[{"system":"http://e/animals"}]}}"#;
    let terminology = Terminology::new(Arc::new(library(&[&fragment, all])));
    let member = |set: &str, code| terminology.member(set, Some("http://e/animals"), code, None);
    assert_eq!(member("http://e/v", "cat"), Membership::Yes);
    assert_eq!(member("http://e/v", "plant"), Membership::Unknown(Reason::Incomplete));
    assert_eq!(member("http://e/w", "cat"), Membership::Unknown(Reason::ValueSet));
    assert_eq!(member("http://e/animals/vs", "cat"), Membership::Yes);
    assert_eq!(terminology.member("http://e/v", Some("http://e/other"), "cat", None), Membership::No);
    assert_eq!(terminology.member("http://e/v", None, "cat", Some("chat")), Membership::Yes);
    assert_eq!(terminology.member("http://e/v", None, "cat", Some("Chien")), Membership::WrongDisplay);
}

#[test]
fn codes_without_case_are_found_and_supplements_laid_over() {
    let system = r#"{"resourceType":"CodeSystem","url":"http://e/c","caseSensitive":false,"content":"complete",
        "concept":[{"code":"É1"},{"code":"b"}]}"#;
    let supplement = r#"{"resourceType":"CodeSystem","url":"http://e/s","version":"2","content":"supplement",
        "supplements":"http://e/c","concept":[{"code":"B","designation":[{"language":"fr","value":"bé"}]}]}"#;
    let library = library(&[system, supplement]);
    let base = newest(&library.code_systems("http://e/c"), None).unwrap();
    assert_eq!((base.find("é1"), base.find("B"), base.find("c")), (Some(0), Some(1), None));
    let with = base.supplemented(&[&library.supplements("http://e/c")[0]]);
    assert_eq!(with.is_named(1, "BÉ"), Some(true));
    assert_eq!(base.is_named(1, "BÉ"), None);
    assert!(
        with.has_supplement("http://e/s") && with.has_supplement("http://e/s|2") && !base.has_supplement("http://e/s")
    );
}

#[test]
fn value_sets_that_import_each_other_twice_are_refused_at_once() {
    let set = |at: usize| {
        let next = at + 1;
        format!(
            r#"{{"resourceType":"ValueSet","url":"http://e/{at}","compose":{{"include":[
            {{"valueSet":["http://e/{next}"]}},{{"valueSet":["http://e/{next}"]}}]}}}}"#
        )
    };
    let mut all: Vec<_> = (0..40).map(set).collect();
    all.push(
        r#"{"resourceType":"ValueSet","url":"http://e/40","compose":{"include":[{"system":"http://e/animals"}]}}"#
            .into(),
    );
    all.push(ANIMALS.into());
    let texts: Vec<_> = all.iter().map(String::as_str).collect();
    let terminology = Terminology::new(Arc::new(library(&texts)));
    assert_eq!(terminology.set("http://e/0").unwrap_err().reason(), Reason::Circle);
    assert_eq!(terminology.member("http://e/0", None, "cat", None), Membership::Unknown(Reason::Circle));
    assert_eq!(terminology.member("http://e/35", None, "cat", None), Membership::Yes);
}

#[test]
fn a_value_set_without_inactive_codes_has_none_from_its_imports_either() {
    let system = r#"{"resourceType":"CodeSystem","url":"http://e/c","content":"complete","concept":[{"code":"a"},
        {"code":"b","property":[{"code":"status","valueCode":"retired"}]}]}"#;
    let inner = r#"{"resourceType":"ValueSet","url":"http://e/inner","compose":{"include":[{"system":"http://e/c"}]}}"#;
    let outer = r#"{"resourceType":"ValueSet","url":"http://e/outer","compose":{"inactive":false,
        "include":[{"valueSet":["http://e/inner"]}]}}"#;
    let terminology = Terminology::new(Arc::new(library(&[system, inner, outer])));
    let cases = [("inner", "a", true), ("inner", "b", true), ("outer", "a", true), ("outer", "b", false)];
    for (set, code, expected) in cases {
        let member = terminology.member(&format!("http://e/{set}"), Some("http://e/c"), code, None);
        assert_eq!(member.is_member(), expected, "{set} {code}");
    }
}
