//! FHIR XML and JSON are two writings of one document: there and back, on every official example, and on
//! documents made at random from the definitions.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test stops when it cannot go on")]

mod support;

use proptest::prelude::*;
use proptest::test_runner::TestRng;
use serde_json::{Map, Value, json};
use socle_fhir::definitions::{Child, JsonForm, PrimitiveKind, TypeId, TypeKind, types};
use socle_fhir::tape::OddityKind;
use socle_fhir::xml::{ReadErrorKind, WriteErrorKind};
use socle_fhir::{Document, Format, Kind, Limits, Node, xml};

/// A value without the order of its members, numbers as they were written.
fn canonical(node: Node<'_>) -> String {
    match node.kind() {
        Kind::Object => {
            let mut members: Vec<_> =
                node.members().map(|(name, value)| format!("{name:?}:{}", canonical(value))).collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        Kind::Array => format!("[{}]", node.items().map(canonical).collect::<Vec<_>>().join(",")),
        Kind::String => format!("{:?}", node.str().unwrap()),
        Kind::Null => "null".to_owned(),
        Kind::Number | Kind::Boolean => node.raw().to_owned(),
    }
}

fn read(text: &str) -> Document {
    xml::read(text.to_owned()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_official_examples_go_to_xml_and_back_without_a_loss() {
    let Some(tgz) = support::shared("the_official_examples_in_xml", "fhir/examples/r4-examples.tgz") else { return };
    let (mut count, mut refused) = (0, Vec::new());
    for (name, content) in support::unpack(&tgz) {
        let document = Document::parse(content).unwrap();
        let text = match xml::write(document.root()) {
            Ok(text) => text,
            Err(error) => {
                refused.push(format!("{name}: {error}"));
                continue;
            }
        };
        let again = read(&text);
        assert_eq!(again.format(), Format::Xml);
        let odd: Vec<_> = again.oddities().map(|oddity| (oddity.kind, oddity.node.path())).collect();
        assert_eq!(odd, [], "{name}");
        assert!(canonical(document.root()) == canonical(again.root()), "{name}");
        let json = Document::parse(again.root().json()).unwrap();
        assert!(canonical(document.root()) == canonical(json.root()), "{name}, as JSON");
        assert_eq!(xml::write(json.root()).unwrap(), text, "{name}");
        count += 1;
    }
    println!("{count} examples");
    assert_eq!(refused, [] as [String; 0]);
    assert!(count > 700);
}

#[test]
fn what_hl7_publishes_in_both_syntaxes_is_the_same() {
    // The extension of the observation is in its XML alone; narratives differ in how they write quotes.
    for (name, left_out) in [("observation-example", "extension"), ("patient-example", "")] {
        let path = |end: &str| format!("fhir/fhirpath/r4-input/{name}.{end}");
        let Some(xml_file) = support::shared("what_hl7_publishes_in_both", &path("xml")) else { return };
        let Some(json_file) = support::shared("what_hl7_publishes_in_both", &path("json")) else { return };
        let from_xml = xml::read(std::fs::read(xml_file).unwrap()).unwrap();
        let from_json = Document::parse(std::fs::read(json_file).unwrap()).unwrap();
        let without_narrative = |document: &Document| {
            let mut value: Value = serde_json::from_slice(&document.root().json()).unwrap();
            value.as_object_mut().unwrap().retain(|name, _| name != "text" && name != left_out);
            value
        };
        assert_eq!(without_narrative(&from_xml), without_narrative(&from_json), "{name}");
    }
}

#[test]
fn positions_point_into_the_received_bytes() {
    let text = "<?xml version='1.0'?>\n<f:Patient xmlns:f='http://hl7.org/fhir'>\n  <f:active value='true'/>\n  <f:name id='a'>\n    <f:given value='A&amp;B'/>\n    <f:given value='C'/>\n  </f:name>\n  <f:multipleBirthInteger value=\"2\"/>\n</f:Patient>";
    let document = read(text);
    let root = document.root();
    let at = |node: Node<'_>| (node.position().line, node.position().column);
    assert_eq!((root.resource_type(), at(root)), (Some("Patient"), (2, 1)));
    let name = root.all("name").next().unwrap();
    assert_eq!((at(name), name.text("id"), name.path()), ((4, 3), Some("a"), "Patient.name[0]".to_owned()));
    let given: Vec<_> = name.all("given").map(|given| (given.str().unwrap(), at(given))).collect();
    assert_eq!(given, [("A&B", (5, 21)), ("C", (6, 20))]);
    assert_eq!(root.get("active").unwrap().bool(), Some(true));
    assert_eq!(root.get("multipleBirthInteger").unwrap().number(), Some("2"));
    assert!(name.raw().starts_with("<f:name id='a'>") && name.raw().ends_with("</f:name>"));
    assert_eq!(
        root.json(),
        r#"{"resourceType":"Patient","active":true,"name":[{"id":"a","given":["A&B","C"]}],"multipleBirthInteger":2}"#
    );

    let marked = Document::format(&xml::read(format!("\u{FEFF}{text}")).unwrap());
    assert_eq!(marked, Format::Xml);
    let marked = xml::read(format!("\u{FEFF}{text}")).unwrap();
    assert_eq!(marked.root().resource_type(), Some("Patient"));
    assert_eq!(marked.root().all("name").next().unwrap().text("id"), Some("a"));
    assert_eq!(marked.oddities().next().unwrap().kind, OddityKind::ByteOrderMark);
}

/// One row: the inside of a Patient in XML, and its members in JSON.
#[test]
fn each_writing_of_xml_has_its_json() {
    let rows = [
        (r#"<id value="a"/>"#, json!({"id": "a"})),
        (r#"<birthDate value="1978"/>"#, json!({"birthDate": "1978"})),
        (r#"<birthDate id="b"/>"#, json!({"_birthDate": {"id": "b"}})),
        (
            r#"<birthDate value="1978"><extension url="u"><valueDecimal value="1.00"/></extension></birthDate>"#,
            json!({"birthDate": "1978", "_birthDate": {"extension": [{"url": "u", "valueDecimal": 1.00}]}}),
        ),
        (
            r#"<name><given value="a"/><given id="x"/><given value="c" id="y"/></name>"#,
            json!({"name": [{"given": ["a", null, "c"], "_given": [null, {"id": "x"}, {"id": "y"}]}]}),
        ),
        (r#"<name><given id="x"/></name>"#, json!({"name": [{"_given": [{"id": "x"}]}]})),
        (
            r#"<contained><Basic><id value="b"/></Basic></contained>"#,
            json!({"contained": [{"resourceType": "Basic", "id": "b"}]}),
        ),
        (
            r#"<text><status value="empty"/><div xmlns="http://www.w3.org/1999/xhtml"><p class="x">a&lt;b<br/></p></div></text>"#,
            json!({"text": {"status": "empty", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p class=\"x\">a&lt;b<br/></p></div>"}}),
        ),
        (
            r#"<text xmlns:h="http://www.w3.org/1999/xhtml"><status value="empty"/><h:div><h:p>a&lt;b<h:br/></h:p></h:div></text>"#,
            json!({"text": {"status": "empty", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a&lt;b<br/></p></div>"}}),
        ),
        (r#"<active value="yes"/>"#, json!({"active": "yes"})),
        (r#"<multipleBirthInteger value="+1"/>"#, json!({"multipleBirthInteger": "+1"})),
        (r#"<unknown value="1"/>"#, json!({"unknown": "1"})),
        (r#"<unknown><a value="1"/></unknown><unknown/>"#, json!({"unknown": [{"a": "1"}, {}]})),
    ];
    for (inside, expected) in rows {
        let document = read(&format!(r#"<Patient xmlns="http://hl7.org/fhir">{inside}</Patient>"#));
        let mut value: Value = serde_json::from_slice(&document.root().json()).unwrap();
        value.as_object_mut().unwrap().remove("resourceType");
        assert_eq!(value, expected, "{inside}");
    }
}

#[test]
fn what_fhir_forbids_in_xml_is_noted() {
    let rows = [
        (r#"<birthDate value="1978"/><gender value="male"/>"#, Some((OddityKind::XmlOrder, "Patient.gender"))),
        (r#"<name/>"#, Some((OddityKind::EmptyObject, "Patient.name[0]"))),
        (r#"<birthDate value=""/>"#, Some((OddityKind::EmptyString, "Patient.birthDate"))),
        (r#"<birthDate/>"#, Some((OddityKind::EmptyObject, "Patient._birthDate"))),
        (
            r#"<link><type value="a"/></link><contact><gender value="male"/></contact><link><type value="b"/></link>"#,
            Some((OddityKind::XmlOrder, "Patient.link")),
        ),
        (r#"<name family="A"/>"#, Some((OddityKind::XmlForm, "Patient.name[0].family"))),
        (r#"<name><id value="a"/></name>"#, Some((OddityKind::XmlForm, "Patient.name[0].id"))),
        (r#"<name id="a"><id value="b"/></name>"#, Some((OddityKind::XmlTwice, "Patient.name[0]"))),
        (r#"<birthDate id="a"/><_birthDate value="b"/>"#, Some((OddityKind::XmlTwice, "Patient"))),
        (r#"<resourceType value="Basic"/>"#, Some((OddityKind::XmlTwice, "Patient"))),
        (r#"<name>A</name>"#, Some((OddityKind::StrayText, "Patient.name[0]"))),
        (r#"<active xmlns="urn:x" value="true"/>"#, Some((OddityKind::ForeignNamespace, "Patient.active"))),
        (r#"<!-- fine --> <active value="true"/>"#, None),
    ];
    for (inside, expected) in rows {
        let document = read(&format!(
            r#"<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b">{inside}</Patient>"#
        ));
        let found: Vec<_> = document.oddities().map(|oddity| (oddity.kind, oddity.node.path())).collect();
        let first = found.first().map(|(kind, path)| (*kind, path.as_str()));
        assert_eq!(first, expected, "{inside}: {found:?}");
        assert!(document.oddities().all(|oddity| !oddity.issue().finding.message.fr.is_empty()));
    }
}

#[test]
fn what_is_no_fhir_xml_is_refused_with_its_place() {
    type Expected = fn(ReadErrorKind) -> bool;
    let rows: [(&str, Expected, usize); 5] = [
        ("<Patient/>", |kind| kind == ReadErrorKind::NotFhir, 1),
        ("\n<Patient xmlns='http://hl7.org/fhir'>\n<a></b></Patient>", |kind| matches!(kind, ReadErrorKind::Xml(_)), 3),
        ("<!DOCTYPE x><Patient xmlns='http://hl7.org/fhir'/>", |kind| matches!(kind, ReadErrorKind::Xml(_)), 1),
        ("", |kind| matches!(kind, ReadErrorKind::Xml(_)), 1),
        ("{}", |kind| matches!(kind, ReadErrorKind::Xml(_)), 1),
    ];
    for (text, expected, line) in rows {
        let error = xml::read(text.as_bytes()).unwrap_err();
        assert!(expected(error.kind), "{text}: {error}");
        assert_eq!(error.position.line, line, "{text}");
    }
    let deep = "<a>".repeat(300);
    let error = xml::read(format!("<Patient xmlns='http://hl7.org/fhir'>{deep}")).unwrap_err();
    assert!(matches!(error.kind, ReadErrorKind::Xml(socle_xml::XmlErrorKind::TooDeep { .. })), "{error}");
    let limits = Limits { nodes: 5, ..Limits::default() };
    let many = format!("<Patient xmlns='http://hl7.org/fhir'>{}</Patient>", "<name/>".repeat(9));
    let error = xml::read_within(many, &limits).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::TooManyValues { limit: 5 });
}

#[test]
fn what_xml_cannot_say_is_refused_with_its_path() {
    let rows = [
        (r#"{"a":1}"#, WriteErrorKind::NotAResource, "$"),
        (r#"{"resourceType":"Martian"}"#, WriteErrorKind::NotAResource, "Martian"),
        (r#"{"resourceType":"Patient","mine":1}"#, WriteErrorKind::UnknownElement, "Patient.mine"),
        (r#"{"resourceType":"Patient","_name":[{"id":"a"}]}"#, WriteErrorKind::UnknownElement, "Patient._name"),
        (r#"{"resourceType":"Patient","active":{"a":1}}"#, WriteErrorKind::Shape, "Patient.active"),
        (r#"{"resourceType":"Patient","name":["a"]}"#, WriteErrorKind::Shape, "Patient.name[0]"),
        (
            r#"{"resourceType":"Patient","birthDate":"1978","_birthDate":[{"id":"a"}]}"#,
            WriteErrorKind::Shape,
            "Patient.birthDate",
        ),
        (r#"{"resourceType":"Patient","birthDate":"\u0001"}"#, WriteErrorKind::Character, "Patient.birthDate"),
        (r#"{"resourceType":"Patient","text":{"div":"<div>a</div>"}}"#, WriteErrorKind::Narrative, "Patient.text.div"),
        (
            r#"{"resourceType":"Patient","text":{"div":"<div xmlns='http://www.w3.org/1999/xhtml'>&nbsp;</div>"}}"#,
            WriteErrorKind::Narrative,
            "Patient.text.div",
        ),
        (
            r#"{"resourceType":"Patient","text":{"div":"<div xmlns='http://www.w3.org/1999/xhtml'/><evil/>"}}"#,
            WriteErrorKind::Narrative,
            "Patient.text.div",
        ),
    ];
    for (text, kind, path) in rows {
        let document = Document::parse(text.as_bytes()).unwrap();
        let error = xml::write(document.root()).unwrap_err();
        assert_eq!((error.kind, error.path.as_str()), (kind, path), "{text}");
    }
}

/// A resource made at random from the definitions.
fn arbitrary_resource(rng: &mut TestRng) -> Value {
    let types = types();
    let resources: Vec<TypeId> = types.all().filter(|id| types.resource(types.name(*id)) == Some(*id)).collect();
    let id = resources[pick(rng, resources.len())];
    resource(rng, id, 0)
}

fn pick(rng: &mut TestRng, below: usize) -> usize {
    (rng.next_u32() as usize) % below.max(1)
}

fn resource(rng: &mut TestRng, id: TypeId, depth: usize) -> Value {
    let mut members = object(rng, id, depth);
    members.insert("resourceType".into(), types().name(id).into());
    Value::Object(members)
}

/// At least one member, at most one of each choice.
fn object(rng: &mut TestRng, id: TypeId, depth: usize) -> Map<String, Value> {
    let types = types();
    let children: Vec<Child> = types.children(id).to_vec();
    let mut members = Map::new();
    let mut taken = Vec::new();
    for _ in 0..=pick(rng, 4) {
        let child = children[pick(rng, children.len())];
        let is_deep = depth > 4 && types.primitive(child.type_id).is_none();
        if taken.contains(&child.base) || is_deep {
            continue;
        }
        taken.push(child.base);
        add(rng, &mut members, child, depth);
    }
    if members.is_empty() {
        let id =
            types.children(id).iter().find(|child| child.xml_attribute || types.primitive(child.type_id).is_some());
        add(rng, &mut members, *id.unwrap(), depth);
    }
    members
}

fn add(rng: &mut TestRng, members: &mut Map<String, Value>, child: Child, depth: usize) {
    let types = types();
    let name = child.name.text().unwrap();
    let count = if child.many { 1 + pick(rng, 3) } else { 1 };
    let listed = |mut values: Vec<Value>| if child.many { Value::Array(values) } else { values.swap_remove(0) };
    match types.kind(child.type_id) {
        TypeKind::Primitive(kind) => {
            let values: Vec<Value> = (0..count).map(|_| primitive(rng, kind)).collect();
            let mut values: Vec<Value> = values
                .into_iter()
                .map(|value| if child.many && pick(rng, 4) == 0 { Value::Null } else { value })
                .collect();
            let has_companion = kind != PrimitiveKind::Xhtml && !child.xml_attribute;
            let companions: Vec<Value> = values
                .iter()
                .map(|value| match has_companion && (value.is_null() || pick(rng, 3) == 0) {
                    true => json!({"id": "i", "extension": [{"url": "u", "valueDecimal": 1}]}),
                    false => Value::Null,
                })
                .collect();
            if !has_companion {
                values.iter_mut().filter(|value| value.is_null()).for_each(|value| *value = "x".into());
            }
            if values.iter().any(|value| !value.is_null()) {
                members.insert(name.into(), listed(values));
            }
            if companions.iter().any(|companion| !companion.is_null()) {
                members.insert(format!("_{name}"), listed(companions));
            }
        }
        TypeKind::Resource => {
            let basic = types.named("Basic").unwrap();
            members.insert(name.into(), listed((0..count).map(|_| resource(rng, basic, depth + 1)).collect()));
        }
        _ => {
            let values = (0..count).map(|_| Value::Object(object(rng, child.type_id, depth + 1))).collect();
            members.insert(name.into(), listed(values));
        }
    }
}

fn primitive(rng: &mut TestRng, kind: PrimitiveKind) -> Value {
    const TEXTS: [&str; 8] =
        ["a", "é\u{10FFFF}", "<&>\"'", " two  words ", "line\nline\r\n\ttab", "]]>", "&amp;", "\u{7F}\u{85}\u{2028}"];
    match (kind, kind.json_form()) {
        (PrimitiveKind::Xhtml, _) => {
            const DIVS: [&str; 3] = ["", "<p title=\"a&amp;b\">\r\n é &lt;</p>", "<br/><!-- kept --><b>x</b>"];
            format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div>", DIVS[pick(rng, 3)]).into()
        }
        (_, JsonForm::Boolean) => (pick(rng, 2) == 0).into(),
        (_, JsonForm::Number) => Value::from(pick(rng, 100)),
        _ => TEXTS[pick(rng, TEXTS.len())].into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_resource_goes_to_xml_and_back(seed in any::<[u8; 32]>()) {
        let mut rng = TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed);
        let value = arbitrary_resource(&mut rng);
        let document = Document::parse(value.to_string()).unwrap();
        let text = xml::write(document.root()).unwrap_or_else(|error| panic!("{error}: {value}"));
        let again = read(&text);
        prop_assert_eq!(again.oddities().count(), 0, "{}", text);
        let json: Value = serde_json::from_slice(&again.root().json()).unwrap();
        prop_assert_eq!(json, value, "{}", text);
    }

    #[test]
    fn decimals_keep_every_digit(number in r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?") {
        let text = format!(r#"{{"resourceType":"Observation","valueQuantity":{{"value":{number}}}}}"#);
        let document = Document::parse(text.clone()).unwrap();
        let again = read(&xml::write(document.root()).unwrap());
        prop_assert_eq!(&again.root().json()[..], text.as_bytes());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = xml::read(bytes);
    }

    /// Pieces of FHIR XML in any order: mostly not well-formed, sometimes very odd.
    #[test]
    fn soup_of_xml_never_panics(pieces in prop::collection::vec(0..PIECES.len(), 0..30)) {
        let inside: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        for text in [inside.clone(), format!("<Patient xmlns=\"http://hl7.org/fhir\">{inside}</Patient>")] {
            if let Ok(document) = xml::read(text) {
                let json = Document::parse(document.root().json()).unwrap();
                prop_assert_eq!(canonical(json.root()), canonical(document.root()));
                let _ = xml::write(document.root());
                document.oddities().for_each(|oddity| drop(oddity.issue()));
            }
        }
    }
}

const PIECES: [&str; 26] = [
    "<name>",
    "</name>",
    "<name/>",
    "<active value=\"true\"/>",
    "<contained>",
    "</contained>",
    "<Patient>",
    "</Patient>",
    "<text>",
    "</text>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">",
    "</div>",
    "<given value=\"a\"/>",
    "<given id='x'/>",
    "<extension url=\"u\">",
    "</extension>",
    "<valueInteger value=\"1\"/>",
    "text",
    "&#13;",
    "<!-- c -->",
    "<f:x xmlns:f='u'/>",
    "<id value=\"1\"/>",
    "<![CDATA[x]]>",
    "<birthDate value='&#10;' id='a'/>",
    "<_birthDate value='1'/>",
    "<name id='a' family='b'>",
];
