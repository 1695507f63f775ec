use std::collections::HashSet;

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use socle_finding::Lang;

use super::*;

fn parse(text: &str) -> Result<Document, JsonError> {
    Document::parse(text.to_owned())
}

#[test]
fn walks_a_document() {
    let text = r#"{"resourceType":"Bundle","entry":[{"resource":{"id":"a\u00e9","active":true}},1.50,[],null]}"#;
    let document = parse(text).unwrap();
    let root = document.root();
    let entries: Vec<_> = root.all("entry").collect();
    let id = entries[0].at(&["resource", "id"]).unwrap();
    assert_eq!((id.str(), id.raw(), id.name()), (Some("aé"), r#""a\u00e9""#, Some("id")));
    assert_eq!(id.path(), "Bundle.entry[0].resource.id");
    assert_eq!(entries[0].at(&["resource", "active"]).unwrap().bool(), Some(true));
    assert_eq!(
        (entries[1].number(), entries[1].u64(), entries[1].path().as_str()),
        (Some("1.50"), None, "Bundle.entry[1]")
    );
    assert_eq!((entries[2].kind(), entries[2].items().count(), entries[3].kind()), (Kind::Array, 0, Kind::Null));
    assert_eq!(root.members().map(|(name, _)| name).collect::<Vec<_>>(), ["resourceType", "entry"]);
    assert_eq!(id.parent().unwrap(), entries[0].get("resource").unwrap());
    assert_eq!(root.parent(), None);
    assert_eq!(root.raw_bytes(), text.as_bytes());
    assert!(root.get("absent").is_none() && id.get("id").is_none() && root.items().next().is_none());
    assert_eq!(format!("{document:?} {id:?}"), "Document(92 bytes, 10 values) Node(Bundle.entry[0].resource.id)");
}

#[test]
fn counts_lines_and_columns_in_characters() {
    let filler = "é".repeat(20_000);
    let text = format!("{{\n \"a\": \"é\", \"b\": 1,\n\n\"c\": \"{filler}\", \"d\": 2}}");
    let document = parse(&text).unwrap();
    let place = |name: &str| {
        let position = document.root().get(name).unwrap().position();
        (position.line, position.column)
    };
    assert_eq!([place("a"), place("b"), place("c")], [(2, 7), (2, 17), (4, 6)]);
    assert_eq!(place("d"), (4, 6 + 20_002 + 2 + 5), "after several blocks of the same line");
}

#[test]
fn says_what_is_wrong_where_and_how_to_mend_it() {
    use JsonErrorKind as K;
    let cases = [
        ("", K::Empty, (1, 1), "$"),
        (" \n ", K::Empty, (2, 2), "$"),
        ("{", K::Truncated, (1, 2), "$"),
        (r#"{"a":"b"#, K::Truncated, (1, 8), "$.a"),
        (r#"{"a":[1,2"#, K::Truncated, (1, 10), "$.a[2]"),
        (r#"{"a":tru"#, K::Truncated, (1, 6), "$.a"),
        (r#"{"a":1.}"#, K::Number, (1, 6), "$.a"),
        (r#"{"a":01}"#, K::Number, (1, 6), "$.a"),
        (r#"{"a":-}"#, K::Number, (1, 6), "$.a"),
        (r#"{"a":1e}"#, K::Number, (1, 6), "$.a"),
        (r#"{"a":+1}"#, K::ExpectedValue, (1, 6), "$.a"),
        (r#"{"a":NaN}"#, K::ExpectedValue, (1, 6), "$.a"),
        (r#"{"a":}"#, K::ExpectedValue, (1, 6), "$.a"),
        (r#"{a:1}"#, K::ExpectedName, (1, 2), "$"),
        (r#"{"a" 1}"#, K::ExpectedColon, (1, 6), "$.a"),
        (r#"{"a":1 "b":2}"#, K::ExpectedCommaOrEnd, (1, 8), "$"),
        (r#"{"a":[1 2]}"#, K::ExpectedCommaOrEnd, (1, 9), "$.a[1]"),
        (r#"{"a":1,}"#, K::TrailingComma, (1, 8), "$"),
        (r#"[1,]"#, K::TrailingComma, (1, 4), "$[1]"),
        (r#"{"a":1} x"#, K::TrailingData, (1, 9), "$"),
        ("{\"a\":1}{", K::TrailingData, (1, 8), "$"),
        ("{\"a\":\n{\"b\":1,\"c\":2,\"b\":3}}", K::DuplicateName, (2, 18), "$.a.b"),
        (r#"{"resourceType":"Patient","id":"x","\u0069d":"y"}"#, K::DuplicateName, (1, 46), "Patient.id"),
        ("{\"a\":\"x\ny\"}", K::ControlCharacter, (1, 8), "$.a"),
        ("{\"a\":\"\\n\u{1}\"}", K::ControlCharacter, (1, 9), "$.a"),
        (r#"{"a":"\x"}"#, K::Escape, (1, 7), "$.a"),
        (r#"{"a":"\u00g0"}"#, K::Escape, (1, 7), "$.a"),
        (r#"{"a":"\ud800"}"#, K::LoneSurrogate, (1, 7), "$.a"),
        (r#"{"a":"\udc00"}"#, K::LoneSurrogate, (1, 7), "$.a"),
        (r#"{"a":"\ud800\u0041"}"#, K::LoneSurrogate, (1, 7), "$.a"),
        ("{ // comment\n}", K::Comment, (1, 3), "$"),
        (r#"{"a": /* no */ 1}"#, K::Comment, (1, 7), "$.a"),
        ("nul", K::Truncated, (1, 1), "$"),
        ("nulx", K::ExpectedValue, (1, 1), "$"),
        ("]", K::ExpectedValue, (1, 1), "$"),
    ];
    for (text, kind, (line, column), path) in cases {
        let error = parse(text).unwrap_err();
        let place = (error.position.line, error.position.column);
        assert_eq!((error.kind, place, error.path.as_str()), (kind, (line, column), path), "{text}");
        let shown = error.to_string();
        assert!(shown.contains(&format!("line {line}, column {column}")), "{shown}");
        assert!(error.shown(Lang::Fr).contains(&format!("ligne {line}, colonne {column}")));
        assert!(error.issue().finding.is_error() && error.issue().finding.at.line.is_some());
    }
}

#[test]
fn takes_utf_8_alone() {
    let cases: [(&[u8], JsonErrorKind); 5] = [
        (b"{\"a\":\"\xE9\"}", JsonErrorKind::NotUtf8),
        (b"{\"a\":\"\xC0\x80\"}", JsonErrorKind::NotUtf8),
        (b"\xFF\xFE{\0}\0", JsonErrorKind::Utf16),
        (b"{\0}\0", JsonErrorKind::Utf16),
        (b"\0{\0}", JsonErrorKind::Utf16),
    ];
    for (bytes, kind) in cases {
        assert_eq!(Document::parse(bytes).unwrap_err().kind, kind, "{bytes:?}");
    }
    let marked = Document::parse(&b"\xEF\xBB\xBF{\"a\":1}"[..]).unwrap();
    assert_eq!(marked.oddities().map(|odd| odd.kind).collect::<Vec<_>>(), [OddityKind::ByteOrderMark]);
    assert_eq!(marked.root().get("a").unwrap().u64(), Some(1));
}

#[test]
fn flags_what_fhir_forbids_and_json_allows() {
    let text = r#"{"a":[],"b":{},"c":"","d":null,"e":[null,"x"],"f":[[1]],"g":" "}"#;
    let document = parse(text).unwrap();
    let found: Vec<_> = document.oddities().map(|odd| (odd.node.path(), odd.kind)).collect();
    let expected = [
        ("$.a", OddityKind::EmptyArray),
        ("$.b", OddityKind::EmptyObject),
        ("$.c", OddityKind::EmptyString),
        ("$.d", OddityKind::NullMember),
        ("$.e[0]", OddityKind::NullItem),
        ("$.f[0]", OddityKind::NestedArray),
    ];
    assert_eq!(found, expected.map(|(path, kind)| (path.to_owned(), kind)));
    assert!(document.oddities().all(|odd| odd.issue().finding.is_error()));
}

#[test]
fn values_and_their_companions_are_aligned() {
    let rows: [(&str, &[(&str, OddityKind)]); 14] = [
        (r#""given":["a",null],"_given":[null,{"id":"b"}]"#, &[]),
        (r#""_given":[{"id":"b"}]"#, &[]),
        (r#""birthDate":"1978","_birthDate":{"id":"b"}"#, &[]),
        (r#""_birthDate":{"id":"b"}"#, &[]),
        (r#""given":["a",null]"#, &[("$.given[1]", OddityKind::NullItem)]),
        (r#""line":[null,null]"#, &[("$.line[0]", OddityKind::NullItem), ("$.line[1]", OddityKind::NullItem)]),
        (r#""given":["a",null],"_given":[null,null]"#, &[("$._given[1]", OddityKind::NullItem)]),
        (r#""_given":[null,{"id":"b"}],"given":["a"]"#, &[("$._given", OddityKind::CompanionLength)]),
        (r#""_given":[null,{"id":"b"}]"#, &[("$._given[0]", OddityKind::NullItem)]),
        (r#""given":["a"],"_given":{"id":"b"}"#, &[("$._given", OddityKind::CompanionShape)]),
        (r#""given":["a"],"_given":["b"]"#, &[("$._given[0]", OddityKind::CompanionShape)]),
        (r#""birthDate":"1978","_birthDate":[{"id":"b"}]"#, &[("$._birthDate", OddityKind::CompanionShape)]),
        (r#""birthDate":"1978","_birthDate":"b""#, &[("$._birthDate", OddityKind::CompanionShape)]),
        (
            r#""name":[{"given":[]}],"_given":"b""#,
            &[("$.name[0].given", OddityKind::EmptyArray), ("$._given", OddityKind::CompanionShape)],
        ),
    ];
    for (members, expected) in rows {
        let document = parse(&format!("{{{members}}}")).unwrap();
        let found: Vec<_> = document.oddities().map(|odd| (odd.node.path(), odd.kind)).collect();
        let found: Vec<_> = found.iter().map(|(path, kind)| (path.as_str(), *kind)).collect();
        assert_eq!(found, expected, "{members}");
    }
}

#[test]
fn a_path_is_never_empty() {
    let document = parse(r#"{"resourceType":"","a":1}"#).unwrap();
    assert_eq!((document.root().path(), document.root().get("a").unwrap().path()), ("$".into(), "$.a".into()));
}

#[test]
fn a_place_inside_a_text_is_told() {
    let document = parse("{\"a\":\n \"b\u{e9}c\",\"d\":\"e\\n\"}").unwrap();
    let at = |name: &str, offset| document.root().get(name).unwrap().position_within(offset);
    assert_eq!((at("a", 3).line, at("a", 3).column), (2, 5));
    assert_eq!(at("d", 1), document.root().get("d").unwrap().position(), "an escape hides the place");
}

#[test]
fn costs_no_more_than_its_limits() {
    let limits = Limits { bytes: 1000, depth: 3, nodes: 10 };
    let within = |text: String| Document::parse_within(text, &limits).map(|document| document.len());
    assert_eq!(within("[[[1]]]".into()), Ok(4));
    assert_eq!(within("[[[[]]]]".into()).unwrap_err().kind, JsonErrorKind::TooDeep { limit: 3 });
    assert_eq!(within(format!("[{}1]", "1,".repeat(8))), Ok(10));
    assert_eq!(within(format!("[{}1]", "1,".repeat(9))).unwrap_err().kind, JsonErrorKind::TooManyValues { limit: 10 });
    assert_eq!(within(format!("\"{}\"", "x".repeat(998))), Ok(1));
    assert_eq!(within(format!("\"{}\"", "x".repeat(999))).unwrap_err().kind, JsonErrorKind::TooBig { limit: 1000 });
    let bomb = "[".repeat(1_000_000);
    assert_eq!(parse(&bomb).unwrap_err().kind, JsonErrorKind::TooDeep { limit: 200 });
    assert!(parse(&format!("{}{}", "[".repeat(200), "]".repeat(200))).is_ok());
}

#[test]
fn many_names_are_told_apart() {
    let members: Vec<String> = (0..20_000).map(|at| format!("\"name{at}\":{at}")).collect();
    let text = format!("{{{}}}", members.join(","));
    let document = parse(&text).unwrap();
    for at in [0, 1, 127, 128, 19_999] {
        assert_eq!(document.root().get(&format!("name{at}")).unwrap().u64(), Some(at));
    }
    let twice = text.replace("\"name19999\"", "\"name3\"");
    assert_eq!(parse(&twice).unwrap_err().kind, JsonErrorKind::DuplicateName);
}

/// JSON as serde_json reads it, each object as the list of its members.
#[derive(Debug)]
enum Tree {
    Scalar,
    List(Vec<Tree>),
    Members(Vec<(String, Tree)>),
}

impl Tree {
    fn has_duplicates(&self) -> bool {
        match self {
            Self::Scalar => false,
            Self::List(items) => items.iter().any(Self::has_duplicates),
            Self::Members(members) => {
                let names: HashSet<_> = members.iter().map(|(name, _)| name).collect();
                names.len() != members.len() || members.iter().any(|(_, value)| value.has_duplicates())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Tree::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(member) = members.next_entry()? {
            all.push(member);
        }
        Ok(Tree::Members(all))
    }
}

/// What the tape read, as serde_json would hold it.
fn value_of(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Null => Value::Null,
        Kind::Boolean => Value::Bool(node.bool().unwrap()),
        Kind::Number => serde_json::from_str(node.number().unwrap()).unwrap(),
        Kind::String => Value::String(node.str().unwrap().to_owned()),
        Kind::Array => node.items().map(value_of).collect(),
        Kind::Object => node.members().map(|(name, value)| (name.to_owned(), value_of(value))).collect(),
    }
}

/// Ours and serde_json's verdict agree, but for the rules that are ours; values are the same.
fn agrees_with_serde_json(bytes: &[u8]) -> Result<(), TestCaseError> {
    let ours = Document::parse(bytes.to_vec());
    let theirs = serde_json::from_slice::<Value>(bytes);
    match (ours, theirs) {
        (Ok(document), Ok(value)) => {
            let tree: Tree = serde_json::from_slice(bytes).unwrap();
            prop_assert!(!tree.has_duplicates(), "a name that is there twice was missed");
            prop_assert_eq!(value_of(document.root()), value);
        }
        (Ok(document), Err(error)) => {
            let is_marked = document.oddities().any(|odd| odd.kind == OddityKind::ByteOrderMark);
            let is_ours = error.to_string().contains("number out of range") || is_marked;
            prop_assert!(is_ours, "accepted, and serde_json says: {error}");
        }
        (Err(error), Ok(_)) => {
            let tree: Tree = serde_json::from_slice(bytes).unwrap();
            let is_twice = error.kind == JsonErrorKind::DuplicateName && tree.has_duplicates();
            prop_assert!(is_twice, "refused what serde_json takes: {error}");
        }
        (Err(error), Err(_)) => prop_assert!(error.position.line >= 1 && error.position.column >= 1),
    }
    Ok(())
}

fn values() -> impl Strategy<Value = Value> {
    let number = prop_oneof![any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from)];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        ".{0,90}".prop_map(Value::from),
        "[a-zA-Z0-9+/]{60,300}".prop_map(Value::from),
        "[\"\\\\\u{1}\u{1f}\u{20}é\u{1F600}]{0,12}".prop_map(Value::from),
    ];
    scalar.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-z\"\\\\é]{0,9}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every character as an escape, surrogate pairs included.
fn escaped(value: &Value) -> String {
    let text = value.to_string();
    let mut out = String::new();
    for sign in text.chars() {
        if sign.is_ascii() {
            out.push(sign);
        } else {
            for unit in sign.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04X}"));
            }
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn reads_what_serde_json_writes(value in values()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap(), escaped(&value)] {
            agrees_with_serde_json(text.as_bytes())?;
        }
    }

    #[test]
    fn refuses_what_serde_json_refuses(value in values(), at in any::<prop::sample::Index>(), with in "[\\[\\]{}\",:0-9eE.+\\-\\\\u \t\nantfl/\u{0}\u{1}é]{0,3}", cut in 0usize..4) {
        let mut bytes = value.to_string().into_bytes();
        let from = at.index(bytes.len());
        let to = (from + cut).min(bytes.len());
        bytes.splice(from..to, with.bytes());
        agrees_with_serde_json(&bytes)?;
    }

    #[test]
    fn soup_of_tokens_never_panics(text in "([\\[\\]{}:,]|\"a\"|\"b\\\\n\"|\"\\\\ud83d\\\\ude00\"|1|-0.5e3|true|null| ){0,24}") {
        agrees_with_serde_json(text.as_bytes())?;
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        agrees_with_serde_json(&bytes)?;
    }

    #[test]
    fn paths_and_raw_texts_lead_back(value in values()) {
        let text = value.to_string();
        let document = parse(&text).unwrap();
        let mut open = vec![document.root()];
        while let Some(node) = open.pop() {
            let again = parse(node.raw()).unwrap();
            prop_assert_eq!(value_of(again.root()), value_of(node));
            prop_assert_eq!(&document.bytes()[node.position().offset..][..node.raw().len()], node.raw().as_bytes());
            open.extend(node.items());
            open.extend(node.members().map(|(_, member)| member));
        }
    }
}
