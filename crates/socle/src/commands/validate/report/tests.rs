use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use socle_finding::{Finding, Lang, Location, Rule, Severity, Text};

use super::super::checked::{Checked, Judged, Outcome, Unchecked};
use super::*;
use crate::cli::FailOn;

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn finding(severity: Severity, line: Option<u32>, path: &str) -> Finding {
    Finding {
        severity,
        rule: Rule::fixed("FHIR R4", "2.6.2"),
        at: Location { path: path.into(), line, column: line.map(|_| 3) },
        message: Text::fixed("c'est <faux> & \u{1} mauvais", "it is <wrong> & \u{1} bad"),
        mend: Text::fixed("corrigez", "mend it"),
    }
}

fn files() -> Vec<Checked> {
    let judged = |findings: Vec<Finding>| {
        let unchecked = Unchecked { what: Text::fixed("jeu de valeurs x", "value set x"), count: 4 };
        let mut judged = Judged::of(Some(Text::fixed("Patient", "Patient")), findings, vec![unchecked]);
        judged.show(b"{\n  \"gender\" : \"M\",\n  \"x\" : 1 }");
        Outcome::Judged(judged)
    };
    let checked = |file: &str, outcome| Checked {
        file: file.into(),
        kind: Some("fhir-json"),
        outcome,
        took: Duration::from_millis(2),
    };
    let bad = vec![
        finding(Severity::Warning, Some(3), "Patient.x"),
        finding(Severity::Error, Some(2), "Patient.gender"),
        finding(Severity::Error, None, ""),
    ];
    vec![
        checked("bon.json", judged(Vec::new())),
        checked("dossier été\\mauvais.json", judged(bad)),
        checked("avertit.json", judged(vec![finding(Severity::Warning, Some(99), "Patient")])),
        Checked {
            file: "absent.json".into(),
            kind: None,
            outcome: Outcome::Unusable { why: Text::fixed("absent", "missing"), mend: Text::fixed("cherchez", "look") },
            took: Duration::ZERO,
        },
    ]
}

fn shown(make: impl FnOnce(Box<dyn Write>) -> Box<dyn Report>) -> String {
    let shared = Shared::default();
    let mut report = make(Box::new(shared.clone()));
    files().iter().for_each(|file| report.add(file));
    report.end();
    String::from_utf8(shared.0.borrow().clone()).unwrap()
}

#[test]
fn json_is_an_object_a_line_with_the_agreed_members() {
    let text = shown(|out| Box::new(json::Json { out, lang: Lang::Fr, fail_on: FailOn::Error }));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    for line in &lines {
        for member in ["file", "kind", "valid", "errors", "warnings", "findings"] {
            assert!(line.get(member).is_some(), "{member}: {line}");
        }
    }
    let verdicts: Vec<_> = lines.iter().map(|line| line["valid"].as_bool().unwrap()).collect();
    assert_eq!(verdicts, [true, false, true, false]);
    assert_eq!((&lines[1]["errors"], &lines[1]["warnings"]), (&2.into(), &1.into()));
    let first = &lines[1]["findings"][0];
    assert_eq!((&first["line"], &first["column"], &first["mend"]), (&3.into(), &3.into(), &"corrigez".into()));
    assert_eq!(lines[1]["notChecked"][0]["count"], 4);
    assert_eq!(lines[3]["unusable"]["message"], "absent");
}

/// The members that the published schema of SARIF 2.1.0 requires, and the values it restricts.
#[test]
fn sarif_has_what_its_schema_requires() {
    let text = shown(|out| Box::new(sarif::Sarif::new(out, Lang::En)));
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let runs = log["runs"].as_array().unwrap();
    let run = &runs[0];
    assert!(run["tool"]["driver"]["name"].is_string());
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["id"].is_string()));
    assert_eq!(rules.len(), 1, "a rule is listed once");
    assert_eq!(run["invocations"][0]["executionSuccessful"], false, "a file could not be judged");
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    for result in results {
        assert!(result["message"]["text"].is_string());
        assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert!(!place["artifactLocation"]["uri"].as_str().unwrap().contains([' ', '\\', 'é']));
        if let Some(region) = place.get("region") {
            assert!(region["startLine"].as_u64().unwrap() >= 1 && region["startColumn"].as_u64().unwrap() >= 1);
        }
    }
    let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert!(notifications.iter().all(|notification| notification["message"]["text"].is_string()));
    assert_eq!(notifications.iter().filter(|notification| notification["level"] == "error").count(), 1);
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    for (fail_on, failures) in [(FailOn::Error, 1), (FailOn::Warning, 2)] {
        let text = shown(|out| Box::new(junit::Junit::new(out, Lang::Fr, fail_on)));
        let limits = socle_xml::Limits::default();
        let tree = socle_xml::parse(&text, &limits).unwrap();
        let suite = tree.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        let count = |name: &str| tree.descendants().filter(|node| node.has_tag_name(name)).count();
        assert_eq!((count("testcase"), count("failure"), count("error")), (4, failures, 1));
        for (attribute, value) in [("tests", 4), ("failures", failures), ("errors", 1)] {
            assert_eq!(suite.attribute(attribute), Some(value.to_string().as_str()), "{attribute}");
        }
        let case = tree.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        assert!(case.attribute("message").unwrap().contains("<faux> &"));
    }
}

#[test]
fn the_text_shows_the_spot_groups_what_is_the_same_and_sums_up() {
    let plain = |lang| shown(move |out| Box::new(text::Text::new(out, lang, FailOn::Error, false)));
    let french = plain(Lang::Fr);
    for word in [
        "✓ bon.json",
        "✗ dossier été",
        "(2 ×)",
        "          2 │ \"gender\" : \"M\",",
        "            │ ^",
        "remède  corrigez",
        "4 fichiers · 2 valides · 1 invalide · 1 illisible · 2 erreurs · 2 avertissements",
        "jeu de valeurs x  12 × dans 3 fichiers",
    ] {
        assert!(french.contains(word), "`{word}` is not in:\n{french}");
    }
    assert!(french.find("erreur").unwrap() < french.find("attention").unwrap(), "errors first");
    assert!(plain(Lang::En).contains("4 files · 2 valid · 1 invalid · 1 unusable · 2 errors · 2 warnings"));
    assert!(!french.contains(['\u{1b}', '\u{1}']), "a document does not drive the terminal");
    assert!(shown(|out| Box::new(text::Text::new(out, Lang::Fr, FailOn::Error, true))).contains('\u{1b}'));
}
