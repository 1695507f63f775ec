//! The language of the rules: tables of expressions and what they give, then what must be refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it cannot go on, and says what it compared")]

use socle_xml::arena::{Arena, Names};
use socle_xml::xpath::{Code, Expression, Item, XPathError};
use socle_xml::{Limits, parse};

const DOCUMENT: &str = r#"<?xml version="1.0"?><?style a?><!-- head -->
<c:doc xmlns:c="urn:c" xmlns="urn:d" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <c:head><c:templateId root="1.2"/><c:code code="A" system="s1"/><c:time low="20240101" high="202401"/></c:head>
  <c:body>
    <c:section n="1"><c:templateId root="1.3"/><c:title>Un</c:title><c:item v="3"/><c:item v="10"/></c:section>
    <c:section n="2"><c:title>Deux &#233;t&#xe9;s</c:title><c:item v="x" xsi:type="T"/><c:section n="3"/></c:section>
  </c:body>
  <plain xmlns="" k="v">a<b>b</b>c</plain>
</c:doc>"#;

const PREFIXES: [(&str, &str); 4] = [
    ("c", "urn:c"),
    ("d", "urn:d"),
    ("xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    ("xs", "http://www.w3.org/2001/XMLSchema"),
];

/// Evaluates at the document element; items as text, joined by a comma.
fn answer(text: &str) -> Result<String, XPathError> {
    let names = Names::new();
    let expression = Expression::read(text, &PREFIXES, &names).unwrap_or_else(|e| panic!("{text}: {e}"));
    let parsed = parse(DOCUMENT, &Limits::default()).unwrap();
    let arena = Arena::new(&parsed, &names);
    let items = expression.evaluate(arena.document_element().unwrap())?;
    Ok(items.into_iter().map(shown).collect::<Vec<_>>().join(","))
}

fn shown(item: Item<'_>) -> String {
    match item {
        Item::Node(node) if node.name().is_empty() => node.string().into_owned(),
        Item::Node(node) => node.location(),
        Item::String(text) | Item::Untyped(text) => text.into_owned(),
        Item::Boolean(value) => value.to_string(),
        Item::Integer(value) => value.to_string(),
        Item::Decimal(value) | Item::Double(value) => value.to_string(),
        Item::QName { namespace, local } => format!("{{{namespace}}}{local}"),
        Item::Moment(moment) => moment.to_string(),
    }
}

#[test]
fn expressions_give_what_the_standard_says() {
    let cases = [
        // Steps and tests.
        ("c:head/c:code/@code", "/c:doc/c:head/c:code/@code"),
        ("count(c:body/c:section)", "2"),
        ("count(//c:section)", "3"),
        ("//c:section[@n='3']", "/c:doc/c:body/c:section[2]/c:section"),
        ("count(//*:section)", "3"),
        ("count(c:body/*)", "2"),
        ("count(//c:*)", "15"),
        ("count(plain)", "1"),
        ("count(d:plain)", "0"),
        ("plain/text()", "a,c"),
        ("string(plain)", "abc"),
        ("plain/b/..", "/c:doc/plain"),
        ("//c:item[1]", "/c:doc/c:body/c:section/c:item,/c:doc/c:body/c:section[2]/c:item"),
        ("(//c:item)[1]", "/c:doc/c:body/c:section/c:item"),
        ("(//c:item)[last()]/@v", "/c:doc/c:body/c:section[2]/c:item/@v"),
        ("//c:item[position()=2]/@v/string()", "10"),
        ("c:body/c:section[2]/preceding-sibling::*/@n/string()", "1"),
        ("//c:section[@n='3']/ancestor::*/name()", "c:doc,c:body,c:section"),
        ("//c:section[@n='3']/ancestor::*[1]/@n/string()", "2"),
        ("//c:title/following::c:section/@n/string()", "2,3"),
        ("//c:item[@v='x']/preceding::c:item/@v/string()", "3,10"),
        ("count(/node())", "3"),
        ("/comment()", " head "),
        ("count(c:head/descendant-or-self::*)", "4"),
        ("self::c:doc/name()", "c:doc"),
        ("count(c:body/c:section/c:item | c:body/c:section/c:title)", "5"),
        ("count(c:body/* except c:body/c:section[@n='1'])", "1"),
        ("count(c:body/* intersect c:body/c:section[@n='1'])", "1"),
        ("c:head/(c:templateId and c:code)", "true"),
        ("c:head/(c:templateId | c:code)/name()", "c:templateId,c:code"),
        ("c:head[c:templateId/@root='1.2']/c:code/@system/string()", "s1"),
        ("count(.//c:section[c:templateId[@root='1.3']])", "1"),
        ("c:head/count(*)", "3"),
        // Comparisons: untyped values are strings, unless the other is a number.
        ("c:head/c:time/@high > c:head/c:time/@low", "false"),
        ("c:head/c:time/@low > c:head/c:time/@high", "true"),
        ("number(c:head/c:time/@high) > number(c:head/c:time/@low)", "false"),
        ("//c:item/@v = 3", "true"),
        ("c:body/c:section[1]/c:item/@v > 9", "true"),
        ("'10' < '9'", "true"),
        ("//c:item/@v != '3'", "true"),
        ("() = ()", "false"),
        ("(1,2) = (2,3)", "true"),
        ("c:head/c:code/@code = ('B','A')", "true"),
        ("c:head/c:code/@code eq 'A'", "true"),
        ("c:head/c:nothing eq 'A'", ""),
        ("not(c:head/c:nothing = 'A')", "true"),
        ("c:body << c:head", "false"),
        ("c:body is c:body", "true"),
        // Numbers.
        ("1 + 2 * 3", "7"),
        ("7 idiv 2", "3"),
        ("7 mod 2", "1"),
        ("7 div 2", "3.5"),
        ("-(-3)", "3"),
        ("string(1 div 1)", "1"),
        ("string(1.50)", "1.5"),
        ("string(1e7)", "1.0E7"),
        ("string(number('abc'))", "NaN"),
        ("string(number(''))", "NaN"),
        ("sum((1,2,3))", "6"),
        ("sum(())", "0"),
        ("round(2.5), floor(-1.5), ceiling(1.2), abs(-4)", "3,-2,2,4"),
        ("1 to 3", "1,2,3"),
        ("count(())", "0"),
        ("max((1,5,2)), min((4,2))", "5,2"),
        // Strings: characters, not bytes; white space of XML only.
        ("string-length(c:body/c:section[2]/c:title)", "9"),
        ("substring('12345', 2, 3)", "234"),
        ("substring('12345', 0)", "12345"),
        ("substring('12345', 1.5, 2.6)", "234"),
        ("substring('été', 2)", "té"),
        ("normalize-space('  a \t b ')", "a b"),
        ("string-length(normalize-space('\u{a0}a'))", "2"),
        ("concat('a', 1, 2.5, true())", "a12.5true"),
        ("substring-before('a.b','.'), substring-after('a.b','.')", "a,b"),
        ("translate('bar','abc','AB')", "BAr"),
        ("upper-case('é'), lower-case('A')", "É,a"),
        ("string-join(//c:item/@v, '-')", "3-10-x"),
        ("tokenize('a b  c', '\\s+')", "a,b,c"),
        ("matches('abc', '^a.c$')", "true"),
        ("matches('xabcx', 'b')", "true"),
        ("matches('ABC', 'abc', 'i')", "true"),
        ("matches('\u{a0}', '\\s')", "false"),
        ("matches('1-2', '[A-Za-z\\d\\-]+')", "true"),
        ("replace('a1b2', '(\\d)', '<$1>')", "a<1>b<2>"),
        ("distinct-values(('a','b','a'))", "a,b"),
        ("starts-with('abc','ab') and ends-with('abc','bc') and contains('abc','b')", "true"),
        ("'it''s', \"say \"\"x\"\"\"", "it's,say \"x\""),
        // Expressions.
        ("if (c:head) then 'y' else 'n'", "y"),
        ("every $x in //c:item satisfies $x/@v", "true"),
        ("some $x in //c:item satisfies $x/@v = 'x'", "true"),
        ("for $x in (1,2), $y in (10,20) return $x + $y", "11,21,12,22"),
        ("exists(c:head) and not(empty(c:head)) (: a (: nested :) comment :)", "true"),
        ("boolean('') or boolean(0)", "false"),
        // Types.
        ("'12' castable as xs:integer", "true"),
        ("' +12 ' castable as xs:integer", "true"),
        ("'1.2' castable as xs:integer", "false"),
        ("'' castable as xs:integer", "false"),
        ("() castable as xs:integer", "false"),
        ("() castable as xs:integer?", "true"),
        ("'2024-02-30T10:00:00' castable as xs:dateTime", "false"),
        ("'2024-02-29T10:00:00+14:00' castable as xs:dateTime", "true"),
        ("'2024-02-29T10:00:00+14:01' castable as xs:dateTime", "false"),
        ("'2024-02-29T24:00:00Z' castable as xs:dateTime", "true"),
        ("'fr-FR' castable as xs:language", "true"),
        ("'fr_FR' castable as xs:language", "false"),
        ("'a b' castable as xs:anyURI", "true"),
        ("xs:dateTime('2024-01-01T00:00:00+01:00') < xs:dateTime('2024-01-01T00:00:00Z')", "true"),
        ("xs:decimal('1.50') + 1", "2.5"),
        // Names: prefixes of the document, its default namespace included.
        ("resolve-QName('c:x', .)", "{urn:c}x"),
        ("resolve-QName('x', .)", "{urn:d}x"),
        ("resolve-QName('x', plain)", "{}x"),
        ("resolve-QName(@nothing, .)", ""),
        ("resolve-QName(//@xsi:type, .) = QName('urn:d','T')", "true"),
        ("local-name-from-QName(QName('u','p:a')), namespace-uri-from-QName(QName('u','a'))", "a,u"),
        ("//@xsi:type = 'T'", "true"),
        ("local-name(), namespace-uri(), name(c:head)", "doc,urn:c,c:head"),
        ("doc-available('x.xml')", "false"),
    ];
    for (expression, expected) in cases {
        assert_eq!(answer(expression).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn what_cannot_be_answered_is_an_error_and_never_false() {
    let cases = [
        ("//c:item/@v > 100", Code::BadValue, "an untyped value that is no number"),
        ("'1' = 1", Code::Type, "a string with a number"),
        ("string-length((1,2))", Code::Type, "several items"),
        ("name(//c:item)", Code::Type, "several nodes"),
        ("contains(1, '1')", Code::Type, "a number as string"),
        ("(1,2) and true()", Code::Type, "two values as condition"),
        ("$nothing", Code::Variable, "unknown variable"),
        ("1 idiv 0", Code::Arithmetic, "division by zero"),
        ("doc('x.xml')", Code::Document, "no documents here"),
        ("resolve-QName('zz:x', .)", Code::Prefix, "undeclared prefix"),
        ("matches('a', '(')", Code::Regex, "not a regular expression"),
        ("replace('a', 'a*', 'b')", Code::Regex, "matches the empty string"),
        ("c:head/string()/x", Code::Type, "a step on a string"),
        ("xs:integer('a')", Code::BadValue, "no integer"),
        ("1 to 1000000000", Code::Budget, "a sequence without end"),
        ("count(for $a in 1 to 20000, $b in 1 to 20000 return 1)", Code::Budget, "a product without end"),
    ];
    for (expression, code, why) in cases {
        assert_eq!(answer(expression).map_err(|e| e.code), Err(code), "{expression}: {why}");
    }
}

#[test]
fn what_is_not_supported_is_refused_when_it_is_read() {
    let deep = format!("{}1{}", "(".repeat(200), ")".repeat(200));
    let wide = vec!["1"; 2000].join("+");
    let cases: [&str; 21] = [
        "",
        "1 +",
        "a[",
        "a]",
        "(1",
        "unknown(1)",
        "not()",
        "x:a",
        "a instance of element()",
        "'open",
        "(: open",
        "$",
        "a/",
        "//",
        "1 castable as xs:unknown",
        "for $x return 1",
        "fantasy::a",
        "1a",
        "concat('a')",
        &deep,
        &wide,
    ];
    for expression in cases {
        let refused = Expression::read(expression, &PREFIXES, &Names::new());
        assert!(refused.is_err(), "{}", &expression[..expression.len().min(40)]);
    }
}

#[test]
fn a_document_built_before_the_rules_is_refused() {
    let names = Names::new();
    let parsed = parse(DOCUMENT, &Limits::default()).unwrap();
    let early = Arena::new(&parsed, &names);
    let expression = Expression::read("c:head", &PREFIXES, &names).unwrap();
    assert_eq!(expression.holds(early.root()).map_err(|e| e.code), Err(Code::Stale));
    let late = Arena::new(&parsed, &names);
    assert_eq!(expression.holds(late.document_element().unwrap()), Ok(true));
}
