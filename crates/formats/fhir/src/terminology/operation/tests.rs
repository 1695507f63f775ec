use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Document;
use crate::terminology::{Library, Terminology};

fn terminology(resources: &[Value]) -> Terminology {
    let mut library = Library::new();
    for resource in resources {
        library.add(Document::parse(resource.to_string()).unwrap().root()).unwrap();
    }
    Terminology::new(Arc::new(library))
}

fn ask(parameters: Value, operation: impl Fn(Node<'_>) -> Result<Vec<u8>, Refusal>) -> Result<Value, (u16, Value)> {
    let document = Document::parse(json!({"resourceType": "Parameters", "parameter": parameters}).to_string()).unwrap();
    match operation(document.root()) {
        Ok(body) => Ok(serde_json::from_slice(&body).unwrap()),
        Err(refusal) => Err((refusal.status, serde_json::from_slice(&refusal.outcome()).unwrap())),
    }
}

fn parameter<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let found = answer["parameter"].as_array().unwrap().iter().find(|one| one["name"] == name);
    found
        .and_then(|one| one.as_object()?.iter().find(|(key, _)| *key != "name"))
        .map_or(&Value::Null, |(_, value)| value)
}

fn animals() -> Vec<Value> {
    vec![
        json!({"resourceType": "CodeSystem", "url": "http://e/animals", "version": "1.0.0", "language": "fr",
            "name": "Animaux", "content": "complete", "hierarchyMeaning": "is-a", "concept": [
            {"code": "animal", "display": "Animal", "concept": [
                {"code": "cat", "display": "Chat", "definition": "Félin", "designation": [{"language": "en", "value": "Cat"}],
                 "property": [{"code": "legs", "valueInteger": 4}]},
                {"code": "dodo", "display": "Dodo", "property": [{"code": "status", "valueCode": "retired"}]}]}]}),
        json!({"resourceType": "ValueSet", "url": "http://e/v", "status": "active",
            "compose": {"include": [{"system": "http://e/animals"}]}}),
        json!({"resourceType": "ConceptMap", "url": "http://e/m", "group": [{"source": "http://e/animals",
            "target": "http://e/sounds", "element": [{"code": "cat", "target": [{"code": "meow", "equivalence": "wider"}]}],
            "unmapped": {"mode": "fixed", "code": "silence"}}]}),
    ]
}

#[test]
fn subsumption_is_told_in_four_words() {
    let terminology = terminology(&animals());
    let cases = [
        ("animal", "cat", "subsumes"),
        ("cat", "animal", "subsumed-by"),
        ("cat", "cat", "equivalent"),
        ("cat", "dodo", "not-subsumed"),
    ];
    for (left, right, expected) in cases {
        let parameters = json!([{"name": "system", "valueUri": "http://e/animals"},
            {"name": "codeA", "valueCode": left}, {"name": "codeB", "valueCode": right}]);
        let answer = ask(parameters, |node| terminology.subsumes(node, Context::default())).unwrap();
        assert_eq!(parameter(&answer, "outcome"), expected, "{left} {right}");
    }
}

#[test]
fn refusals_say_why_and_with_which_status() {
    let terminology = terminology(&animals());
    let system = json!({"name": "system", "valueUri": "http://e/animals"});
    let unknown = json!({"name": "system", "valueUri": "http://e/plants"});
    let code = |code: &str| json!({"name": "code", "valueCode": code});
    type Operation<'a> = &'a dyn Fn(Node<'_>) -> Result<Vec<u8>, Refusal>;
    let context = Context::default();
    let lookup: Operation<'_> = &|node| terminology.lookup(node, context);
    let subsumes: Operation<'_> = &|node| terminology.subsumes(node, context);
    let expand: Operation<'_> = &|node| terminology.expand(node, context);
    let validate: Operation<'_> = &|node| terminology.validate_code(node, context);
    let translate: Operation<'_> = &|node| terminology.translate(node, context);
    let cases: [(&str, Value, Operation<'_>, u16, Option<&str>); 9] = [
        ("lookup of an unknown code", json!([system, code("dog")]), lookup, 404, Some("invalid-code")),
        ("lookup in an unknown system", json!([unknown, code("cat")]), lookup, 404, Some("not-found")),
        ("lookup of nothing", json!([]), lookup, 400, None),
        ("subsumption without codes", json!([system]), subsumes, 400, None),
        ("expansion of nothing", json!([]), expand, 400, None),
        (
            "expansion of an unknown set",
            json!([{"name": "url", "valueUri": "http://e/w"}]),
            expand,
            422,
            Some("not-found"),
        ),
        ("validation of no code", json!([{"name": "url", "valueUri": "http://e/v"}]), validate, 400, None),
        (
            "a value set that is none",
            json!([{"name": "valueSet", "resource": {"resourceType": "Patient"}}, code("cat"), system]),
            validate,
            400,
            None,
        ),
        (
            "translation by an unknown map",
            json!([{"name": "url", "valueUri": "http://e/n"}, code("cat"), system]),
            translate,
            404,
            Some("not-found"),
        ),
    ];
    for (name, parameters, operation, status, kind) in cases {
        let (found, outcome) = ask(parameters, operation).unwrap_err();
        assert_eq!(found, status, "{name}");
        let issue = &outcome["issue"][0];
        assert_eq!(issue["details"]["coding"][0]["code"].as_str(), kind, "{name}");
        assert!(issue["details"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
}

#[test]
fn a_filter_that_cannot_be_applied_is_pointed_at() {
    let set = |filter: Value| {
        json!([{"name": "valueSet", "resource": {"resourceType": "ValueSet", "url": "http://e/f", "compose": {"include": [
            {"system": "http://e/animals", "filter": [{"property": "legs", "op": "=", "value": "4"}, filter]}]}}}])
    };
    let terminology = terminology(&animals());
    let cases = [
        (
            json!({"property": "concept", "op": "is-a"}),
            "invalid",
            "The system http://e/animals filter with property = concept, op = is-a has no value",
        ),
        (
            json!({"property": "code", "op": "regex", "value": "("}),
            "not-supported",
            "The filter 'code regex (' from the value set http://e/f was not understood in the context of http://e/animals",
        ),
    ];
    for (filter, code, text) in cases {
        let (status, outcome) = ask(set(filter), |node| terminology.expand(node, Context::default())).unwrap_err();
        let issue = &outcome["issue"][0];
        assert_eq!((status, &issue["code"], &issue["details"]["text"]), (400, &json!(code), &json!(text)));
        assert_eq!(issue["expression"][0], "ValueSet.compose.include[0].filter[1]");
    }
}

#[test]
fn a_french_reader_is_answered_in_french() {
    let terminology = terminology(&animals());
    let parameters = |display: &str| {
        json!([{"name": "url", "valueUri": "http://e/v"}, {"name": "displayLanguage", "valueCode": "fr-FR"},
            {"name": "coding", "valueCoding": {"system": "http://e/animals", "code": "cat", "display": display}}])
    };
    let validate =
        |display: &str| ask(parameters(display), |node| terminology.validate_code(node, Context::default())).unwrap();
    assert_eq!(parameter(&validate("CHAT"), "result"), true);
    let wrong = validate("Chien");
    assert_eq!(parameter(&wrong, "result"), false);
    assert_eq!(
        parameter(&wrong, "message"),
        "Libellé erroné 'Chien' pour http://e/animals#cat. Le libellé valable est 'Chat' (fr) (langue : 'fr-FR')"
    );
    assert_eq!(parameter(&wrong, "display"), "Chat");
}

#[test]
fn properties_of_an_expansion_are_extensions_in_r4_and_elements_in_r5() {
    let terminology = terminology(&animals());
    let parameters = json!([{"name": "url", "valueUri": "http://e/v"}, {"name": "property", "valueString": "legs"},
        {"name": "filter", "valueString": "cha"}]);
    let expand = |form| {
        let context = Context { form, ..Context::default() };
        ask(parameters.clone(), |node| terminology.expand(node, context)).unwrap()["expansion"].clone()
    };
    let r4 = expand(Form::R4);
    let cat = &r4["contains"][0];
    assert_eq!((&cat["code"], &cat["property"], r4["total"].as_u64()), (&json!("cat"), &Value::Null, Some(1)));
    assert_eq!(
        cat["extension"][0],
        json!({"extension": [{"url": "code", "valueCode": "legs"}, {"url": "value", "valueInteger": 4}],
            "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.contains.property"})
    );
    let r5 = expand(Form::R5);
    assert_eq!(r5["contains"][0]["property"], json!([{"code": "legs", "valueInteger": 4}]));
    assert_eq!(r5["property"], json!([{"code": "legs"}]));
}

#[test]
fn pages_of_an_expansion_follow_each_other() {
    let terminology = terminology(&animals());
    let page = |offset: u32, count: u32| {
        let parameters = json!([{"name": "url", "valueUri": "http://e/v"}, {"name": "offset", "valueInteger": offset},
            {"name": "count", "valueInteger": count}]);
        let answer = ask(parameters, |node| terminology.expand(node, Context::default())).unwrap();
        let items = answer["expansion"]["contains"].as_array().cloned().unwrap_or_default();
        assert_eq!(answer["expansion"]["total"], 3);
        items.iter().map(|item| item["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (page(0, 2), page(2, 2), page(9, 2), page(0, 0)),
        (vec!["animal".into(), "cat".into()], vec!["dodo".into()], vec![], vec![])
    );
}

#[test]
fn a_lookup_gives_what_is_asked() {
    let terminology = terminology(&animals());
    let parameters = json!([{"name": "system", "valueUri": "http://e/animals"}, {"name": "code", "valueCode": "cat"},
        {"name": "property", "valueCode": "legs"}, {"name": "property", "valueCode": "parent"}]);
    let answer = ask(parameters, |node| terminology.lookup(node, Context::default())).unwrap();
    let expected = [("name", "Animaux"), ("version", "1.0.0"), ("display", "Chat"), ("definition", "Félin")];
    for (name, value) in expected {
        assert_eq!(parameter(&answer, name), value);
    }
    let properties: Vec<_> =
        answer["parameter"].as_array().unwrap().iter().filter(|one| one["name"] == "property").collect();
    let values: Vec<_> =
        properties.iter().map(|one| (one["part"][0]["valueCode"].as_str().unwrap(), &one["part"][1])).collect();
    assert_eq!(
        values,
        [
            ("parent", &json!({"name": "value", "valueCode": "animal"})),
            ("legs", &json!({"name": "value", "valueInteger": 4})),
        ]
    );
    let country = json!([{"name": "system", "valueUri": "urn:iso:std:iso:3166"}, {"name": "code", "valueCode": "DE"},
        {"name": "displayLanguage", "valueCode": "fr"}]);
    let answer = ask(country, |node| terminology.lookup(node, Context::default())).unwrap();
    assert_eq!(parameter(&answer, "display"), "Allemagne");
}

#[test]
fn a_translation_finds_the_target_or_what_holds_for_the_rest() {
    let terminology = terminology(&animals());
    let translate = |code: &str| {
        let parameters = json!([{"name": "url", "valueUri": "http://e/m"}, {"name": "system", "valueUri": "http://e/animals"},
            {"name": "code", "valueCode": code}]);
        ask(parameters, |node| terminology.translate(node, Context::default())).unwrap()
    };
    let cat = translate("cat");
    assert_eq!(parameter(&cat, "result"), true);
    assert_eq!(parameter(&cat, "match")[0], json!({"name": "equivalence", "valueCode": "wider"}));
    assert_eq!(parameter(&cat, "match")[1]["valueCoding"], json!({"system": "http://e/sounds", "code": "meow"}));
    assert_eq!(parameter(&translate("dodo"), "match")[1]["valueCoding"]["code"], "silence");
}

#[test]
fn a_closure_names_what_is_above() {
    let terminology = terminology(&animals());
    let concept = |code: &str| json!({"name": "concept", "valueCoding": {"system": "http://e/animals", "code": code}});
    let parameters =
        json!([{"name": "name", "valueString": "mine"}, concept("animal"), concept("cat"), concept("dodo")]);
    let answer = ask(parameters, |node| terminology.closure(node, Context::default())).unwrap();
    let element = |code: &str| json!({"code": code, "target": [{"code": "animal", "equivalence": "subsumes"}]});
    assert_eq!(answer["group"][0]["element"], json!([element("cat"), element("dodo")]));
}

#[test]
fn a_system_without_its_codes_is_not_found_when_it_is_needed() {
    let terminology = terminology(&[
        json!({"resourceType": "CodeSystem", "url": "http://e/far", "content": "not-present"}),
        json!({"resourceType": "ValueSet", "url": "http://e/v", "compose": {"include": [{"system": "http://e/far"}]}}),
    ]);
    let parameters = json!([{"name": "url", "valueUri": "http://e/v"},
        {"name": "coding", "valueCoding": {"system": "http://e/far", "code": "a"}}]);
    let answer = ask(parameters, |node| terminology.validate_code(node, Context::default())).unwrap();
    assert_eq!(parameter(&answer, "result"), false);
    assert_eq!(parameter(&answer, "x-caused-by-unknown-system"), "http://e/far");
    let expand = json!([{"name": "url", "valueUri": "http://e/v"}]);
    assert_eq!(ask(expand, |node| terminology.expand(node, Context::default())).unwrap_err().0, 422);
}

/// One include: nothing, concepts, or a filter; sometimes intersected with the value set `http://e/other`.
fn part() -> impl Strategy<Value = Value> {
    let code = || (0..14_u8).prop_map(|at| format!("c{at}"));
    let concepts = prop::collection::vec(code(), 1..6)
        .prop_map(|codes| json!({"concept": codes.into_iter().map(|code| json!({"code": code})).collect::<Vec<_>>()}));
    let op = prop::sample::select(vec!["is-a", "descendent-of", "is-not-a", "generalizes", "child-of", "="]);
    let filter =
        (op, code()).prop_map(|(op, code)| json!({"filter": [{"property": "concept", "op": op, "value": code}]}));
    let flag = prop::sample::select(vec!["true", "false"])
        .prop_map(|value| json!({"filter": [{"property": "odd", "op": "=", "value": value}]}));
    let own = prop_oneof![Just(json!({})), concepts, filter, flag];
    (own, any::<bool>(), prop::bool::weighted(0.2)).prop_map(|(mut part, is_crossed, is_import_only)| {
        if is_import_only {
            return json!({"valueSet": ["http://e/other"]});
        }
        part["system"] = json!("http://e/c");
        if is_crossed {
            part["valueSet"] = json!(["http://e/other"]);
        }
        part
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Three ways to ask one question: the list of the codes, the fast answer, the full one.
    #[test]
    fn expansion_membership_and_validation_agree_for_every_code(
        parents in prop::collection::vec(any::<prop::sample::Index>(), 12),
        retired in prop::collection::vec(any::<bool>(), 12),
        include in prop::collection::vec(part(), 1..4),
        exclude in prop::collection::vec(part(), 0..3),
        other in prop::collection::vec(0..12_u8, 0..8),
        inactive in prop::option::of(any::<bool>()),
    ) {
        let concept = |at: usize| {
            let mut properties = vec![json!({"code": "odd", "valueBoolean": at % 2 == 1})];
            if at > 0 {
                properties.push(json!({"code": "parent", "valueCode": format!("c{}", parents[at].index(at))}));
            }
            if retired[at] {
                properties.push(json!({"code": "inactive", "valueBoolean": true}));
            }
            json!({"code": format!("c{at}"), "display": format!("Concept {at}"), "property": properties})
        };
        let system = json!({"resourceType": "CodeSystem", "url": "http://e/c", "content": "complete",
            "concept": (0..12).map(concept).collect::<Vec<_>>()});
        let listed: Vec<_> = other.iter().map(|at| json!({"code": format!("c{at}")})).collect();
        let part = if listed.is_empty() { json!({"system": "http://e/none", "concept": [{"code": "x"}]}) } else { json!({"system": "http://e/c", "concept": listed}) };
        let other = json!({"resourceType": "ValueSet", "url": "http://e/other", "compose": {"include": [part]}});
        let mut compose = json!({"include": include});
        if !exclude.is_empty() {
            compose["exclude"] = json!(exclude);
        }
        if let Some(inactive) = inactive {
            compose["inactive"] = json!(inactive);
        }
        let set = json!({"resourceType": "ValueSet", "url": "http://e/v", "compose": compose});
        let terminology = terminology(&[system, other, set]);
        let expand = json!([{"name": "url", "valueUri": "http://e/v"}, {"name": "excludeNested", "valueBoolean": true}]);
        let answer = ask(expand, |node| terminology.expand(node, Context::default())).unwrap();
        let expanded: Vec<_> = answer["expansion"]["contains"].as_array().into_iter().flatten()
            .filter(|item| item["system"] == "http://e/c")
            .map(|item| item["code"].as_str().unwrap().to_owned()).collect();
        let mut once = expanded.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), expanded.len());
        for at in 0..14 {
            let code = format!("c{at}");
            let is_listed = expanded.contains(&code);
            let member = terminology.member("http://e/v", Some("http://e/c"), &code, None).is_member();
            prop_assert_eq!(member, is_listed, "{} member", code);
            let validate = json!([{"name": "url", "valueUri": "http://e/v"}, {"name": "system", "valueUri": "http://e/c"},
                {"name": "code", "valueCode": code}]);
            let answer = ask(validate, |node| terminology.validate_code(node, Context::default())).unwrap();
            prop_assert_eq!(parameter(&answer, "result").as_bool(), Some(is_listed), "{} {}", code, answer);
        }
    }
}
