//! The tables of R4 against the reference package of the shared data: every fact of it, and nothing else.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test says what it skipped and what it counted")]

mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use socle_fhir::definitions::r4;

/// Members that are prose or history, by the part of the path where they stand: the tables leave them out.
const LEFT_OUT: [(&str, &[&str]); 8] = [
    (
        "",
        &[
            "text",
            "meta",
            "date",
            "publisher",
            "contact",
            "description",
            "_description",
            "purpose",
            "copyright",
            "jurisdiction",
            "useContext",
            "identifier",
            "contained",
        ],
    ),
    ("StructureDefinition-", &["title", "experimental", "keyword", "mapping", "fhirVersion", "differential"]),
    ("SearchParameter-", &["experimental", "xpath", "xpathUsage"]),
    ("OperationDefinition-", &["title", "experimental", "comment", "documentation"]),
    ("CompartmentDefinition-", &["experimental", "title", "documentation"]),
    ("ConceptMap-", &["experimental", "comment"]),
    (
        ".snapshot.element[",
        &[
            "alias",
            "short",
            "definition",
            "comment",
            "requirements",
            "condition",
            "example",
            "isModifierReason",
            "meaningWhenMissing",
            "orderMeaning",
            "label",
            "code",
            "human",
        ],
    ),
    (".concept[", &["definition", "designation"]),
];

/// Extensions that say a fact; the others say who maintains a thing and how ripe it is.
const KEPT_EXTENSIONS: [&str; 5] = [
    "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type",
    "http://hl7.org/fhir/StructureDefinition/regex",
    "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice",
    "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet",
    "http://hl7.org/fhir/StructureDefinition/codesystem-replacedby",
];

/// Kinds that the tables do not carry.
const UNCHECKED: [&str; 1] = ["CapabilityStatement"];

#[test]
fn the_tables_hold_the_facts_of_the_reference_package() {
    let test = "the_tables_hold_the_facts_of_the_reference_package";
    let Some(tgz) = support::shared(test, "fhir/packages/hl7.fhir.r4.core-4.0.1-slim.tgz") else { return };
    let mut there: BTreeMap<(String, String), Value> = BTreeMap::new();
    for kind in [
        "StructureDefinition",
        "SearchParameter",
        "CodeSystem",
        "ValueSet",
        "ConceptMap",
        "OperationDefinition",
        "CompartmentDefinition",
    ] {
        for document in r4().resources(kind) {
            let body: Value = serde_json::from_slice(document.bytes()).unwrap();
            there.insert((kind.to_owned(), body["id"].as_str().unwrap().to_owned()), body);
        }
    }
    let (mut differences, mut compared) = (Vec::new(), 0);
    for (name, content) in support::unpack(&tgz) {
        let expected: Value = serde_json::from_slice(&content).unwrap();
        let Some(kind) = expected["resourceType"].as_str() else { continue };
        if UNCHECKED.contains(&kind) {
            continue;
        }
        let Some(found) = there.remove(&(kind.to_owned(), expected["id"].as_str().unwrap().to_owned())) else {
            differences.push(format!("{name} is not in the tables"));
            continue;
        };
        compare(&found, &expected, &name, &mut differences);
        compared += 1;
    }
    differences.extend(there.keys().map(|(kind, id)| format!("{kind}/{id} is not in the reference")));
    println!("{compared} resources compared");
    assert!(
        differences.is_empty(),
        "{} differences: {:#?}",
        differences.len(),
        &differences[..differences.len().min(20)]
    );
    assert_eq!(compared, 649 + 1375 + 1063 + 1317 + 19 + 46 + 5);
}

fn compare(found: &Value, expected: &Value, path: &str, differences: &mut Vec<String>) {
    match (found, expected) {
        (Value::Object(members), Value::Object(wanted)) => {
            for (name, value) in members {
                match (name.as_str(), wanted.get(name)) {
                    (_, None) => differences.push(format!("{path}.{name} is not in the reference")),
                    ("extension", Some(wanted)) => {
                        if *value != kept_extensions(wanted) {
                            differences.push(format!("{path}.extension differs"));
                        }
                    }
                    (_, Some(wanted)) => compare(value, wanted, &format!("{path}.{name}"), differences),
                }
            }
            let lost = wanted.iter().filter(|(name, value)| !members.contains_key(*name) && is_fact(path, name, value));
            differences.extend(lost.map(|(name, _)| format!("{path}.{name} is missing")));
        }
        (Value::Array(items), Value::Array(wanted)) if items.len() == wanted.len() => {
            for (at, (item, wanted)) in items.iter().zip(wanted).enumerate() {
                compare(item, wanted, &format!("{path}[{at}]"), differences);
            }
        }
        _ if found == expected => {}
        _ => differences.push(format!("{path} differs")),
    }
}

fn kept_extensions(extensions: &Value) -> Value {
    let is_kept = |extension: &&Value| extension["url"].as_str().is_some_and(|url| KEPT_EXTENSIONS.contains(&url));
    extensions.as_array().unwrap().iter().filter(is_kept).cloned().collect()
}

fn is_fact(path: &str, name: &str, value: &Value) -> bool {
    let is_left_out = |(part, names): &(&str, &[&str])| path.contains(part) && names.contains(&name);
    if LEFT_OUT.iter().any(is_left_out) {
        return false;
    }
    match value {
        Value::Array(_) if name == "extension" => kept_extensions(value) != Value::Array(Vec::new()),
        Value::Array(items) => items.iter().any(|item| is_fact(path, "", item)),
        Value::Object(members) => members.iter().any(|(name, value)| is_fact(path, name, value)),
        _ => true,
    }
}
