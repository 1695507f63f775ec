//! The invariants written in Rust say what their FHIRPath says.

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../../tests/support/mutate.rs"]
mod mutate;

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::Value;

use super::{Options, Validator, Walk};
use crate::tape::Document;

/// Key, path and severity of what was found; the invariants among it are what is compared.
fn found(validator: &Validator, document: &Document, by_path: bool) -> BTreeSet<(String, String)> {
    let mut walk = Walk::new(&validator.library, &validator.terms, &validator.options, document);
    walk.by_path = by_path;
    walk.document(&[]);
    walk.findings.into_iter().map(|finding| (finding.rule.point.to_string(), finding.at.path)).collect()
}

/// Where R4's words say something else than the published expression: `> 2` conditions are "more than one" (que-12),
/// `answer is Boolean` asks for a type of FHIRPath where a boolean of FHIR stands (que-7), and contained resources
/// have no narrative (dom-6).
fn is_known(key: &str, path: &str) -> bool {
    matches!(key, "que-7" | "que-12") || (key == "dom-6" && path.ends_with(']') && path.contains(".contained["))
}

#[test]
fn natives_and_their_fhirpath_agree_on_the_official_examples_and_on_mutants() {
    let Some(tgz) = support::shared("natives", "fhir/examples/r4-examples.tgz") else { return };
    let validator = Validator::core(Options { max_findings: 100_000, ..Options::default() });
    let (mut differ, mut broken) = (Vec::new(), BTreeSet::new());
    let mut compare = |name: &str, bytes: Bytes| {
        let Ok(document) = Document::parse(bytes) else { return };
        let (natively, by_path) = (found(&validator, &document, false), found(&validator, &document, true));
        broken.extend(natively.iter().map(|(key, _)| key.clone()));
        let all = natively.symmetric_difference(&by_path).filter(|(key, path)| !is_known(key, path));
        differ.extend(all.map(|one| format!("{name}: {one:?}, natively {}", natively.contains(one))));
    };
    for (seed, (name, bytes)) in (0..).zip(support::unpack(&tgz)) {
        if bytes.len() > 30_000 {
            continue;
        }
        let resource: Value = serde_json::from_slice(&bytes).unwrap();
        compare(&name, bytes.into());
        let mut seeds = mutate::Seeds(seed);
        for _ in 0..3 {
            let mut mutant = resource.clone();
            for _ in 0..3 {
                mutate::remove_any(&mut mutant, &mut seeds);
            }
            compare(&name, serde_json::to_vec(&mutant).unwrap().into());
        }
    }
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
    for key in ["dom-3", "dom-6", "ext-1", "ref-1", "qty-3", "cpt-2"] {
        assert!(broken.contains(key), "no mutant broke {key}");
    }
}

/// One resource for each rule and each way to break or to keep it.
#[test]
fn natives_and_their_fhirpath_agree_on_what_breaks_them() {
    let validator = Validator::core(Options::default());
    let cases: [(&str, &str, bool); 22] = [
        ("ext-1", r#"{"resourceType":"Patient","extension":[{"url":"http://a"}]}"#, true),
        ("ext-1", r#"{"resourceType":"Patient","extension":[{"url":"http://a","valueString":"a"}]}"#, false),
        ("ext-1", r#"{"resourceType":"Patient","extension":[{"url":"http://a","_valueString":{"id":"a"}}]}"#, false),
        (
            "ext-1",
            r#"{"resourceType":"Patient","extension":[{"url":"http://a","valueString":"a","extension":[{"url":"b","valueCode":"c"}]}]}"#,
            true,
        ),
        (
            "dom-2",
            r##"{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"a","contained":[{"resourceType":"Patient","id":"b"}]}],"link":[{"other":{"reference":"#a"},"type":"refer"}]}"##,
            true,
        ),
        ("dom-3", r#"{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"a"}]}"#, true),
        (
            "dom-3",
            r##"{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"a"}],"link":[{"other":{"reference":"#a"},"type":"refer"}]}"##,
            false,
        ),
        (
            "dom-4",
            r##"{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"a","meta":{"versionId":"1"}}],"link":[{"other":{"reference":"#a"},"type":"refer"}]}"##,
            true,
        ),
        (
            "dom-4",
            r##"{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"a","meta":{"lastUpdated":"2020-01-01T00:00:00Z"}}],"link":[{"other":{"reference":"#a"},"type":"refer"}]}"##,
            true,
        ),
        (
            "dom-5",
            r##"{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"a","meta":{"security":[{"code":"a"}]}}],"link":[{"other":{"reference":"#a"},"type":"refer"}]}"##,
            true,
        ),
        ("dom-6", r#"{"resourceType":"Patient"}"#, true),
        ("cpt-2", r#"{"resourceType":"Patient","telecom":[{"value":"1"}]}"#, true),
        ("cpt-2", r#"{"resourceType":"Patient","telecom":[{"use":"home"}]}"#, false),
        ("ref-1", r##"{"resourceType":"Patient","managingOrganization":{"reference":"#a"}}"##, true),
        ("ref-1", r#"{"resourceType":"Patient","managingOrganization":{"display":"a"}}"#, false),
        (
            "per-1",
            r#"{"resourceType":"Patient","identifier":[{"period":{"start":"2021-01-02","end":"2021-01-01"}}]}"#,
            true,
        ),
        (
            "per-1",
            r#"{"resourceType":"Patient","identifier":[{"period":{"start":"2021-01-01","end":"2021-01-01"}}]}"#,
            false,
        ),
        ("per-1", r#"{"resourceType":"Patient","identifier":[{"period":{"start":"2021-01-02"}}]}"#, false),
        (
            "per-1",
            r#"{"resourceType":"Patient","identifier":[{"period":{"start":"2021-01-01T23:00:00-05:00","end":"2021-01-02T01:00:00Z"}}]}"#,
            true,
        ),
        ("qty-3", r#"{"resourceType":"Observation","valueQuantity":{"value":1,"code":"g"}}"#, true),
        (
            "que-7",
            r#"{"resourceType":"Questionnaire","item":[{"enableWhen":[{"question":"a","operator":"exists","answerString":"b"}]}]}"#,
            true,
        ),
        (
            "que-7",
            r#"{"resourceType":"Questionnaire","item":[{"enableWhen":[{"question":"a","operator":"exists","answerBoolean":true}]}]}"#,
            false,
        ),
    ];
    for (key, text, is_broken) in cases {
        let document = Document::parse(text).unwrap();
        for by_path in [false, true].into_iter().filter(|by_path| !by_path || !is_known(key, "")) {
            let found = found(&validator, &document, by_path);
            assert_eq!(found.iter().any(|(point, _)| point == key), is_broken, "{key}, by path {by_path}: {text}");
        }
    }
}
