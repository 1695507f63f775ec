//! The language of schemas: what the XSLT skeleton does where it differs from the standard, and schemas that are wrong:
//! what cannot be checked is told, the rest is checked.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::sync::Arc;

use socle_finding::Severity;
use socle_xml::arena::{Arena, Names};
use socle_xml::schematron::{DefectKind, LoadError, Memory, Schematron, Values};
use socle_xml::xpath::Code;
use socle_xml::{Limits, parse};

const DOCUMENT: &str = "<a k='1'><b n='x'/><b n='y'><c/></b><!-- note --></a>";

fn schema(body: &str) -> String {
    format!("<schema xmlns='http://purl.oclc.org/dsdl/schematron' queryBinding='xslt2'>{body}</schema>")
}

struct Ran {
    fired: usize,
    texts: Vec<String>,
    places: Vec<String>,
    unchecked: Vec<Code>,
    defects: Vec<DefectKind>,
    findings: Vec<Severity>,
    svrl: String,
}

fn run(files: Memory, document: &str) -> Ran {
    let (files, names) = (Arc::new(files), Names::new());
    let schema = Schematron::load(&*files, "s.sch", &names).unwrap();
    let values = Values::new(files, &names);
    let parsed = parse(document, &Limits::default()).unwrap();
    let arena = Arena::new(&parsed, &names);
    let outcome = schema.run(&arena, &values).unwrap();
    let code = |reason: &socle_xml::schematron::Reason| match reason {
        socle_xml::schematron::Reason::Failed(error) => error.code,
        socle_xml::schematron::Reason::Unread(_) => Code::Stale,
    };
    Ran {
        fired: outcome.fired.len(),
        texts: outcome.failures.iter().map(|failure| failure.text.clone()).collect(),
        places: outcome.failures.iter().map(|failure| failure.location.clone()).collect(),
        unchecked: outcome.unchecked.iter().map(|unchecked| code(&unchecked.reason)).collect(),
        defects: schema.defects().iter().map(|defect| defect.kind.clone()).collect(),
        findings: outcome.findings(document).iter().map(|finding| finding.severity).collect(),
        svrl: outcome.to_svrl(),
    }
}

fn run_schema(body: &str) -> Ran {
    run(Memory::new().with("s.sch", schema(body)), DOCUMENT)
}

#[test]
fn rules_fire_as_the_skeleton_has_it() {
    let cases: [(&str, &str, &[&str]); 13] = [
        (
            "the first rule that matches takes the node",
            "<pattern><rule context='b[@n=\"y\"]'><assert test='false()'>one</assert></rule>
             <rule context='b'><assert test='false()'>two</assert></rule></pattern>",
            &["two", "one"],
        ),
        (
            "patterns do not see one another",
            "<pattern><rule context='c'><assert test='false()'>1</assert></rule></pattern>
             <pattern><rule context='c'><assert test='false()'>2</assert></rule></pattern>",
            &["1", "2"],
        ),
        (
            "a pattern's variable is seen by the others, and its name may have blanks",
            "<pattern><let name='v ' value=\"'k'\"/></pattern>
             <pattern><rule context='/a'><report test='$v'><value-of select='$v'/></report></rule></pattern>",
            &["k"],
        ),
        (
            "a variable of a rule hides the global one, and only below its place",
            "<let name='v' value='1'/><pattern><rule context='/a'><report test='true()'><value-of select='$v'/></report>
             <let name='v' value='2'/><let name='w' value='$v + 1'/>
             <report test='true()'><value-of select='$v'/>/<value-of select='$w'/></report></rule></pattern>",
            &["1", "2/3"],
        ),
        (
            "without a default phase all patterns run",
            "<phase id='x'><active pattern='p'/><active pattern='nothing'/></phase>
             <pattern id='p'><rule context='c'><assert test='false()'>p</assert></rule></pattern>
             <pattern id='q'><rule context='c'><assert test='false()'>q</assert></rule></pattern>",
            &["p", "q"],
        ),
        (
            "parameters are text, the longest name first",
            "<pattern abstract='true' id='t'><rule context='$e'><assert test='$elt = $e_max'>
             <value-of select='$elt'/> <name/></assert></rule></pattern>
             <pattern is-a='t' id='i'><param name='e' value='c'/><param name='elt' value=\"'z'\"/>
             <param name='e_max' value=\"'zz'\"/></pattern>",
            &["zc"],
        ),
        (
            "an abstract rule may be of another pattern, with its variables",
            "<pattern><rule abstract='true' id='r'><let name='x' value='@n'/>
             <assert test='$x = \"x\"'><name/> <value-of select='$x'/></assert></rule></pattern>
             <pattern><rule context='b'><extends rule='r'/></rule></pattern>",
            &["by"],
        ),
        (
            "values of a sequence are joined by a space, numbers as XPath writes them",
            "<pattern><rule context='/a'><report test='true()'> n = <value-of select='b/@n'/> ,
             <value-of select='count(b) * 1.0'/></report></rule></pattern>",
            &["n = x y , 2"],
        ),
        (
            "a report is told when it holds",
            "<pattern><rule context='c'><report test='false()'>no</report><report test='..'>yes</report></rule></pattern>",
            &["yes"],
        ),
        (
            "comments are visited, texts and attributes are not",
            "<pattern><rule context='comment()'><assert test='false()'>comment</assert></rule>
             <rule context='@n|text()'><assert test='false()'>never</assert></rule></pattern>",
            &["comment"],
        ),
        (
            "alternatives, any place, places among siblings",
            "<pattern><rule context='c | b[1]'><assert test='false()'><name/></assert></rule></pattern>",
            &["b", "c"],
        ),
        (
            "the root is a context",
            "<pattern><rule context='/'><assert test='z'>root</assert></rule></pattern>",
            &["root"],
        ),
        (
            "diagnostics belong to the assertion",
            "<diagnostics><diagnostic id='d'>see <value-of select='@n'/></diagnostic></diagnostics>
             <pattern><rule context='b[c]'><assert test='z' diagnostics='d'>no</assert></rule></pattern>",
            &["no"],
        ),
    ];
    for (name, body, expected) in cases {
        let ran = run_schema(body);
        assert_eq!(ran.texts, expected, "{name}");
        assert!(ran.unchecked.is_empty(), "{name}: {:?}", ran.unchecked);
    }
}

#[test]
fn the_default_phase_is_the_only_one_that_runs() {
    let text = schema(
        "<phase id='x'><active pattern='p'/></phase><phase id='y'><active pattern='q'/></phase>
         <pattern id='p'><rule context='c'><assert test='false()'>p</assert></rule></pattern>
         <pattern id='q'><rule context='c'><assert test='false()'>q</assert></rule></pattern>",
    )
    .replacen("<schema", "<schema defaultPhase='y'", 1);
    assert_eq!(run(Memory::new().with("s.sch", text), DOCUMENT).texts, ["q"]);
}

#[test]
fn places_are_those_of_the_reference() {
    let ran = run_schema("<pattern><rule context='b|c'><assert test='false()'>x</assert></rule></pattern>");
    assert_eq!(ran.places, ["/a/b", "/a/b[2]", "/a/b[2]/c"]);
}

#[test]
fn includes_come_from_the_folder_of_the_file_that_names_them() {
    let files = Memory::new()
        .with("s.sch", schema("<include href='include/Patterns.sch'/><let name='v' value=\"'values/v.xml'\"/>"))
        .with(
            "include/patterns.sch",
            "<pattern xmlns='http://purl.oclc.org/dsdl/schematron'><include href='deep/rule.sch'/></pattern>",
        )
        .with(
            "include/deep/rule.sch",
            "<rule xmlns='http://purl.oclc.org/dsdl/schematron' context='b'>
             <assert test='document($v)//Concept[@code = current()/@n]'><value-of select='@n'/></assert></rule>",
        )
        .with("values/v.xml", "<set><Concept code='x'/></set>");
    let ran = run(files, DOCUMENT);
    assert_eq!((ran.texts, ran.fired), (vec!["y".to_owned()], 2));
}

#[test]
fn what_cannot_be_checked_is_told_and_the_rest_is_checked() {
    let other = "<pattern><rule context='c'><assert test='false()'>other</assert></rule></pattern>";
    let cases: [(&str, &str, Option<DefectKind>, &[Code]); 9] = [
        ("a missing include", "<include href='no.sch'/>", Some(DefectKind::MissingInclude), &[]),
        ("a cyclic include", "<include href='s.sch'/>", Some(DefectKind::CyclicInclude), &[]),
        ("an include outside", "<include href='../../etc/passwd'/>", Some(DefectKind::MissingInclude), &[]),
        (
            "a missing value set",
            "<pattern><rule context='/a'><assert test=\"document('no.xml')//x\">set</assert></rule></pattern>",
            None,
            &[Code::Document],
        ),
        (
            "a value that is no number",
            "<pattern><rule context='b[1]'><assert test='@n &gt; 1'>n</assert></rule></pattern>",
            None,
            &[Code::BadValue],
        ),
        (
            "an unknown variable",
            "<pattern><rule context='/a'><assert test='$nothing'>v</assert></rule></pattern>",
            Some(DefectKind::UnknownVariable),
            &[Code::Variable],
        ),
        ("an unknown abstract pattern", "<pattern is-a='nothing' id='i'/>", Some(DefectKind::UnknownAbstract), &[]),
        (
            "abstract rules in a circle",
            "<pattern><rule abstract='true' id='x'><extends rule='y'/></rule>
             <rule abstract='true' id='y'><extends rule='x'/></rule>
             <rule context='/a'><extends rule='x'/></rule></pattern>",
            Some(DefectKind::CyclicExtends),
            &[],
        ),
        (
            "variables in a circle",
            "<let name='v' value='$w'/><let name='w' value='$v'/>
             <pattern><rule context='/a'><assert test='$v'>v</assert></rule></pattern>",
            None,
            &[Code::Variable],
        ),
    ];
    for (name, body, defect, unchecked) in cases {
        let ran = run_schema(&format!("{body}{other}"));
        assert_eq!(ran.texts, ["other"], "{name}: the rest is checked");
        assert_eq!(ran.unchecked, unchecked, "{name}");
        assert_eq!(ran.svrl.matches("not checked").count(), unchecked.len(), "{name}: {}", ran.svrl);
        assert_eq!(ran.findings.iter().filter(|&&s| s == Severity::Warning).count(), unchecked.len(), "{name}");
        match defect {
            Some(defect) => assert!(ran.defects.contains(&defect), "{name}: {:?}", ran.defects),
            None => assert_eq!(ran.defects, [], "{name}"),
        }
    }
}

#[test]
fn an_expression_that_is_not_understood_is_a_defect_and_never_passes() {
    for (name, body) in [
        ("a test", "<pattern><rule context='/a'><assert test='unknown()'>x</assert></rule></pattern>"),
        ("a context", "<pattern><rule context='a['><assert test='true()'>x</assert></rule></pattern>"),
        (
            "a context that is no pattern",
            "<pattern><rule context='a/string()'><assert test='true()'>x</assert></rule></pattern>",
        ),
        ("an undeclared prefix", "<pattern><rule context='/a'><assert test='p:b'>x</assert></rule></pattern>"),
    ] {
        let ran = run_schema(body);
        assert!(matches!(ran.defects.as_slice(), [DefectKind::Expression(_)]), "{name}: {:?}", ran.defects);
        assert_eq!(ran.unchecked.len(), 1, "{name}");
        assert!(ran.texts.is_empty(), "{name}");
    }
}

#[test]
fn what_is_no_schema_is_refused() {
    let names = Names::new();
    let load = |text: &str| Schematron::load(&Memory::new().with("s.sch", text), "s.sch", &names).map(drop);
    assert!(matches!(load("<a/>"), Err(LoadError::NoSchema { .. })));
    assert!(matches!(load("<a"), Err(LoadError::Unreadable { .. })));
    assert!(matches!(load("<!DOCTYPE a><a/>"), Err(LoadError::Unreadable { .. })));
    let absent = Schematron::load(&Memory::new(), "s.sch", &names).map(drop);
    assert!(matches!(absent, Err(LoadError::Absent { .. })));
}

#[test]
fn rules_that_never_end_are_stopped() {
    let slow = "count(for $a in //b, $b in 1 to 100000, $c in 1 to 100000 return 1) > 0";
    let body =
        format!("<pattern><rule context='/a'><assert test='{}'>x</assert></rule></pattern>", slow.replace('>', "&gt;"));
    let ran = run_schema(&body);
    assert_eq!(ran.unchecked, [Code::Budget]);
}

#[test]
fn the_report_is_svrl_that_reads_back() {
    let ran = run_schema(
        "<title>T &lt; &amp;</title><ns prefix='p' uri='urn:p'/>
         <pattern id='p1'><rule context='b' role='warning'><assert test='count(c) &lt; 1' id='a1'>l'élément &lt;c&gt; \"x\"</assert>
         <report test='@n'>n</report></rule></pattern>",
    );
    let svrl = parse(&ran.svrl, &Limits::default()).unwrap();
    let named = |name: &str| svrl.descendants().filter(|node| node.tag_name().name() == name).collect::<Vec<_>>();
    assert_eq!(svrl.root_element().attribute("title"), Some("T < &"));
    assert_eq!(named("fired-rule").len(), 2);
    assert_eq!(named("successful-report").len(), 2);
    let [failed] = named("failed-assert")[..] else { unreachable!("{}", ran.svrl) };
    assert_eq!(failed.attribute("test"), Some("count(c) < 1"));
    assert_eq!((failed.attribute("id"), failed.attribute("role")), (Some("a1"), Some("warning")));
    assert_eq!(failed.attribute("location"), Some("/a/b[2]"));
}
