//! Programs on small documents, hooks, budgets, bombs, and texts that nobody meant.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::definitions::types;
use crate::tape::Document;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p1",
  "contained":[{"resourceType":"Organization","id":"o1","name":"CHU"}],
  "extension":[{"url":"http://example.org/a","valueCode":"x"},{"url":"http://example.org/b","valueQuantity":{"value":4,"unit":"j","system":"http://unitsofmeasure.org","code":"d"}}],
  "active":true,
  "name":[{"use":"official","family":"PAT-TROIS","given":[null,"JEAN"],"_given":[{"extension":[{"url":"http://example.org/initial","valueString":"D"}]},null]}],
  "_birthDate":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]},
  "managingOrganization":{"reference":"\#o1"},
  "generalPractitioner":[{"reference":"Practitioner/1"},{"reference":"urn:uuid:1","type":"Organization"}]}"#;

fn patient() -> Document {
    Document::parse(PATIENT.replace("\\#", "#").into_bytes()).unwrap()
}

fn on(kind: &str) -> Options<'static> {
    Options::on(types().named(kind).unwrap())
}

/// What an expression gives, as texts.
fn run(document: &Document, expression: &str) -> Result<Vec<String>> {
    let focus = Item::resource(document.root()).unwrap();
    let program = compile(expression, &on(focus.type_of().name()))?;
    let items = program.evaluate(&focus, &Environment::default())?;
    Ok(items.iter().map(shown).collect())
}

fn shown(item: &Item<'_>) -> String {
    match item {
        Item::Element(element) => element.node().path(),
        Item::Type(kind) => kind.to_string(),
        _ => convert::convert(item, System::String).and_then(|text| text.as_text().map(String::from)).unwrap(),
    }
}

type Result<T> = std::result::Result<T, FhirPathError>;

#[test]
fn finds_elements_where_they_stand() {
    let document = patient();
    for (expression, due) in [
        ("name.given", vec!["Patient.name[0]._given[0]", "Patient.name[0].given[1]"]),
        ("name.given.select(hasValue())", vec!["false", "true"]),
        ("name.given.extension('http://example.org/initial').value.toString()", vec!["D"]),
        ("name.given.getValue()", vec![]),
        ("name.given.where(hasValue()).getValue()", vec!["JEAN"]),
        ("birthDate.exists() and birthDate.hasValue().not()", vec!["true"]),
        ("birthDate.extension.value.toString()", vec!["unknown"]),
        ("birthDate > @2000", vec![]),
        ("extension.value.select($this is code)", vec!["true", "false"]),
        ("extension('http://example.org/b').value > 3 'd'", vec!["true"]),
        ("extension('http://example.org/b').value = 96 'h'", vec!["true"]),
        ("extension.value.ofType(code)", vec!["Patient.extension[0].valueCode"]),
        ("managingOrganization.resolve().name", vec!["Patient.contained[0].name"]),
        ("contained.name", vec!["Patient.contained[0].name"]),
        ("contained.first().name.select(%resource.id | %rootResource.id).toString()", vec!["p1"]),
        ("generalPractitioner.where(resolve() is Practitioner).reference.toString()", vec!["Practitioner/1"]),
        ("generalPractitioner.where(resolve() is Organization).reference.toString()", vec!["urn:uuid:1"]),
        ("active.type()", vec!["FHIR.boolean"]),
        ("name.type()", vec!["FHIR.HumanName"]),
        ("(1 'mg').type()", vec!["System.Quantity"]),
        ("descendants().where($this is Extension).url.count()", vec!["4"]),
        ("children().count()", vec!["10"]),
        ("Observation.value", vec![]),
        ("coalesce(photo.title, name.family, 'nobody').toString()", vec!["PAT-TROIS"]),
        ("name.sort(family).family.toString()", vec!["PAT-TROIS"]),
        ("'2024-02-29'.toDate().yearOf()", vec!["2024"]),
        ("name.select($index)", vec!["0"]),
        ("name.given.where($index = 1).toString()", vec!["JEAN"]),
        ("name.where(given.where(hasValue()).matches('^J')).use.toString()", vec!["official"]),
        ("'a1b2'.replaceMatches('(\\\\d)', '<$1>')", vec!["a<1>b<2>"]),
        ("%`vs-x` & %ucum", vec!["http://hl7.org/fhir/ValueSet/xhttp://unitsofmeasure.org"]),
    ] {
        let found = run(&document, expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let due: Vec<String> = due.into_iter().map(String::from).collect();
        assert_eq!(found, due, "{expression}");
    }
}

#[test]
fn knows_the_resource_around_its_focus() {
    let document = patient();
    let contained = document.root().all("contained").next().unwrap();
    let name = Item::element(contained.get("name").unwrap(), types().named("string").unwrap());
    let program = compile("%resource.id & ' ' & %rootResource.id & ' ' & %context", &on("string")).unwrap();
    let items = program.evaluate(&name, &Environment::default()).unwrap();
    assert_eq!(items.iter().map(shown).collect::<Vec<_>>(), ["o1 p1 CHU"]);
    let said = Environment::default().with_resource(Item::resource(document.root()).unwrap());
    let items = program.evaluate(&name, &said).unwrap();
    assert_eq!(items.iter().map(shown).collect::<Vec<_>>(), ["p1 p1 CHU"]);
}

#[test]
fn says_what_is_wrong_and_where() {
    let document = patient();
    let cases: [(&str, Stage, u32); 20] = [
        ("name.givn", Stage::Semantic, 5),
        ("nmae", Stage::Semantic, 0),
        ("name.foo()", Stage::Semantic, 5),
        ("name.where()", Stage::Semantic, 5),
        ("%unknown", Stage::Semantic, 0),
        ("extension.valueCode", Stage::Semantic, 10),
        ("name.startsWith('a')", Stage::Semantic, 5),
        ("@2020-01-01 + 1", Stage::Semantic, 12),
        ("name.(given)", Stage::Syntax, 5),
        ("name[", Stage::Syntax, 5),
        ("'abc", Stage::Syntax, 0),
        ("@2020-13", Stage::Syntax, 0),
        ("1 # 2", Stage::Syntax, 2),
        ("name = ", Stage::Syntax, 7),
        ("generalPractitioner.single()", Stage::Execution, 20),
        ("name.family.matches('(?=a)')", Stage::Execution, 12),
        ("1 < 'a'", Stage::Execution, 2),
        ("generalPractitioner.as(Reference)", Stage::Execution, 20),
        ("active.as(string1)", Stage::Execution, 7),
        ("name.slice('http://x', 'y')", Stage::Execution, 5),
    ];
    for (expression, stage, at) in cases {
        let error = run(&document, expression).expect_err(expression);
        assert_eq!((error.stage(), error.at), (stage, at), "{expression}: {error}");
        assert!(!error.shown(socle_finding::Lang::Fr).contains("PAT-TROIS"));
    }
    assert!(compile("Observation.value", &on("Patient").strict()).is_err());
    assert!(compile("children().first()", &on("Patient").strict()).is_err());
    assert!(compile("nmae.exists()", &on("Patient").lenient()).is_ok());
}

struct Known;

impl Hooks for Known {
    fn member_of(&self, _: &Item<'_>, value_set: &str) -> Option<bool> {
        (value_set == "http://example.org/vs").then_some(true)
    }

    fn conforms_to(&self, _: &Item<'_>, profile: &str) -> Option<bool> {
        (profile == "http://example.org/profile").then_some(false)
    }

    fn subsumes(&self, _: &Item<'_>, _: &Item<'_>) -> Option<bool> {
        Some(true)
    }
}

#[test]
fn asks_its_hooks() {
    let document = patient();
    let focus = Item::resource(document.root()).unwrap();
    let environment =
        Environment::new(&Known).with_variable("limit", [Item::Integer(3)]).at("2024-05-06T07:08:09Z".parse().unwrap());
    for (expression, due) in [
        ("name.first().use.memberOf('http://example.org/vs')", "true"),
        ("conformsTo('http://example.org/profile')", "false"),
        ("conformsTo('http://hl7.org/fhir/StructureDefinition/DomainResource')", "true"),
        ("active.subsumes(active)", "true"),
        ("name.count() < %limit", "true"),
        ("now()", "2024-05-06T07:08:09.000Z"),
        ("today() + 1 month", "2024-06-06"),
        ("timeOfDay()", "07:08:09.000"),
    ] {
        let program = compile(expression, &on("Patient").with_variables(&["limit"])).unwrap();
        let items = program.evaluate(&focus, &environment).unwrap();
        assert_eq!(items.iter().map(shown).collect::<Vec<_>>(), [due], "{expression}");
    }
    let unknown = compile("name.first().use.memberOf('http://example.org/other')", &on("Patient")).unwrap();
    assert!(unknown.evaluate(&focus, &environment).unwrap().is_empty());
    assert!(!unknown.holds(&focus, &environment).unwrap());
}

#[test]
fn follows_references_inside_a_bundle() {
    let bundle = r#"{"resourceType":"Bundle","type":"collection","entry":[
      {"fullUrl":"http://a.org/fhir/Patient/1","resource":{"resourceType":"Patient","id":"1","link":[{"other":{"reference":"Patient/2"}}]}},
      {"fullUrl":"http://b.org/fhir/Patient/2","resource":{"resourceType":"Patient","id":"2","gender":"male"}},
      {"fullUrl":"http://a.org/fhir/Patient/2","resource":{"resourceType":"Patient","id":"2","gender":"female"}},
      {"fullUrl":"urn:uuid:9","resource":{"resourceType":"Observation","subject":{"reference":"http://b.org/fhir/Patient/2/_history/3"},"focus":[{"reference":"urn:uuid:9"}]}}]}"#;
    let document = Document::parse(bundle.as_bytes().to_vec()).unwrap();
    let found = run(&document, "entry.resource.ofType(Patient).link.other.resolve().gender.toString()").unwrap();
    assert_eq!(found, ["female"]);
    let found = run(&document, "entry.resource.ofType(Observation).subject.resolve().gender.toString()").unwrap();
    assert_eq!(found, ["male"]);
    let found = run(&document, "entry.resource.ofType(Observation).focus.resolve().is(Observation)").unwrap();
    assert_eq!(found, ["true"]);
}

#[test]
fn stays_within_its_budget() {
    let document = patient();
    let focus = Item::resource(document.root()).unwrap();
    let budget = Budget { steps: 100_000, time: Some(Duration::from_secs(20)) };
    for bomb in [
        "'a'.repeat($this & 'a')",
        "'a'.repeat($this & $this)",
        "'aaaaaaaaaaaaaaaa'.toChars().aggregate($total & $total & $total & $total, 'aaaaaaaaaaaaaaaa')",
        "'aaaaaaaaaaaaaaaa'.toChars().aggregate($total.combine($total).combine($total), $this)",
        "'aaaaaaaaaaaaaaaa'.replace('', 'aaaaaaaaaaaaaaaa').replace('', 'aaaaaaaaaaaaaaaa').replace('', 'aaaaaaaaaaaaaaaa').replace('', 'aaaaaaaaaaaaaaaa').replace('', 'aaaaaaaaaaaaaaaa')",
        "1.repeat($this + 1)",
        "descendants().select(%resource.descendants()).select(%resource.descendants().select(%resource.descendants())).count()",
    ] {
        let program = compile(bomb, &on("Patient")).unwrap();
        let error = program.evaluate(&focus, &Environment::default().within(budget)).expect_err(bomb);
        assert_eq!(error.kind, ErrorKind::StepBudget, "{bomb}");
    }
    let time = Budget { steps: u64::MAX, time: Some(Duration::ZERO) };
    let program = compile("1.repeat($this + 1)", &on("Patient")).unwrap();
    let error = program.evaluate(&focus, &Environment::default().within(time)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimeBudget);
}

#[test]
fn bombs_in_the_text_are_errors() {
    let many = |part: &str, count: usize| part.repeat(count);
    for bomb in [
        many("(", 50_000),
        many("-", 50_000),
        format!("id{}", many(".first()", 10_000)),
        format!("id{}", many("[0]", 10_000)),
        format!("1{}", many("+1", 30_000)),
        format!("1{}", many(" is Patient", 9_000)),
        format!("{}id{}", many("iif(true,", 5_000), many(",1)", 5_000)),
        format!("{}true{}", many("where(", 9_000), many(")", 9_000)),
        format!("{}true", many("true implies (", 5_000)),
        many("a", 200_000),
    ] {
        let error = compile(&bomb, &on("Patient")).expect_err(&bomb[..20]);
        assert_eq!(error.kind, ErrorKind::TooComplex, "{}", &bomb[..20]);
    }
    let long = format!("id = '0'{}", many(" or id = 'p1'", 900));
    assert_eq!(run(&patient(), &long).unwrap(), ["true"]);
    let deep = format!("{}true{}", many("name.where(", 150), many(")", 150));
    assert!(compile(&deep, &Options::default()).is_ok());
    let deep = format!("{}true{}", many("%resource.where(", 150), many(")", 150));
    assert_eq!(run(&patient(), &deep).unwrap(), ["Patient"]);
}

#[test]
fn programs_are_shared_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<Program>();
}

/// Pieces of expressions, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "name",
        "given",
        "Patient",
        "id",
        "$this",
        "$index",
        "$total",
        "%resource",
        "%ucum",
        "true",
        "1",
        "-2.5",
        "'a'",
        "'2020'",
        "@2020-01",
        "@T10:30",
        "4 days",
        "2 'mg'",
        "{}",
        "(",
        ")",
        "[",
        "]",
        ".",
        ",",
        "+",
        "-",
        "*",
        "/",
        "&",
        "|",
        "<",
        ">=",
        "=",
        "!~",
        " and ",
        " or ",
        " implies ",
        " in ",
        " contains ",
        " div ",
        " mod ",
        " is ",
        " as ",
        "where(",
        "select(",
        "exists(",
        "first()",
        "count()",
        "repeat(",
        "iif(",
        "sort(",
        "toString()",
        "toQuantity()",
        "matches('a+')",
        "replace(",
        "lowBoundary()",
        "children()",
        "descendants()",
        "extension('x')",
        "resolve()",
        "ofType(string)",
        "combine(",
        "power(",
        "round(",
        "substring(",
        "aggregate(",
        "trace('t')",
        "not()",
        "as(Quantity)",
        "length()",
        "split(','",
        "// x\n",
        "`a`",
    ]);
    prop::collection::vec(piece, 1..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_program_or_an_error(text in "\\PC{0,60}") {
        let _ = compile(&text, &Options::default());
    }

    #[test]
    fn any_pieces_are_evaluated_or_refused(text in pieces()) {
        let document = patient();
        let focus = Item::resource(document.root()).unwrap();
        let budget = Budget { steps: 20_000, time: Some(Duration::from_secs(5)) };
        for options in [on("Patient"), Options::default(), on("Patient").strict(), on("Patient").lenient()] {
            if let Ok(program) = compile(&text, &options) {
                match program.evaluate(&focus, &Environment::default().within(budget)) {
                    Ok(items) => prop_assert!(items.len() <= 20_000),
                    Err(error) => {
                        prop_assert_eq!(error.stage(), Stage::Execution, "{}", text);
                        prop_assert!((error.at as usize) < text.len());
                    }
                }
            }
        }
    }

    /// Equality is symmetric; order is antisymmetric.
    #[test]
    fn comparisons_agree_both_ways(left in 0_usize..20, right in 0_usize..20) {
        let values = [
            "1", "1.0", "2", "'a'", "'A'", "true", "@2020", "@2020-01", "@2020-01-01T10:00:00Z", "@2020-01-01T10:00:00",
            "@T10:00", "1 'g'", "1000 'mg'", "1 year", "12 months", "1 'a'", "2 days", "0.5", "'1'", "@2019",
        ];
        let document = patient();
        let (left, right) = (values[left], values[right]);
        for (one, other) in [("=", "="), ("~", "~"), ("!=", "!="), ("<", ">"), ("<=", ">=")] {
            let forth = run(&document, &format!("{left} {one} {right}"));
            let back = run(&document, &format!("{right} {other} {left}"));
            prop_assert_eq!(forth.as_ref().ok(), back.as_ref().ok(), "{} {} {}", left, one, right);
        }
    }
}
