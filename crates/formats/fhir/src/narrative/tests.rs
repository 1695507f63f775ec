use proptest::prelude::*;

use super::*;

fn div(inside: &str) -> String {
    format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inside}</div>")
}

fn kinds(text: &str) -> Vec<ProblemKind> {
    check(text).into_iter().map(|problem| problem.kind).collect()
}

#[test]
fn one_row_for_each_thing_that_may_be_wrong() {
    use ProblemKind::*;
    let rows = [
        ("texte", vec![]),
        ("<p class='a'>é<br/></p>", vec![]),
        ("<img src=\"#a\" alt=\"\"/>", vec![]),
        ("<!-- a --> b", vec![]),
        ("<![CDATA[a]]>", vec![]),
        ("&lt;&#233;&#xE9;", vec![]),
        ("<a href=\"https://exemple.fr/a?b=1&amp;c=2\">a</a>", vec![]),
        ("<table border=\"1\"><tbody><tr><td colspan=\"2\" xml:lang=\"fr\">a</td></tr></tbody></table>", vec![]),
        ("", vec![Empty]),
        (" <p> </p> ", vec![Empty]),
        ("<img alt=\"a\"/>", vec![Empty]),
        ("<script>a</script>", vec![Element("script".into())]),
        ("<P>a</P>", vec![Element("P".into())]),
        ("<p onclick=\"a\">a</p>", vec![Attribute("onclick".into())]),
        ("<form><input/>a</form>", vec![Element("form".into()), Element("input".into())]),
        ("<a href=\" java\tscript:alert(1)\">a</a>", vec![ActiveLink]),
        ("<a href=\"&#106;avascript:alert(1)\">a</a>", vec![ActiveLink]),
        ("<a href=\"urn:uuid:1\">a</a>", vec![DeadLink]),
        ("<a href=\"DATA:text/html,a\">a</a>", vec![DeadLink]),
        ("<a href=\"#ailleurs\">a</a>", vec![]),
        ("a&nbsp;b", vec![Entity("nbsp".into())]),
        ("<?php a ?>b", vec![Instruction]),
        ("<svg xmlns=\"http://www.w3.org/2000/svg\"/>a", vec![Element("svg".into()), Namespace]),
        ("<p>a", vec![NotWellFormed]),
        ("<p>a</b></p>", vec![NotWellFormed]),
        ("<p class=a>a</p>", vec![NotWellFormed]),
        ("<p class=\"a\" class=\"b\">a</p>", vec![NotWellFormed]),
        ("<p class=\"a\"id=\"b\">a</p>", vec![NotWellFormed]),
        ("<p title=\"<\">a</p>", vec![NotWellFormed]),
        ("a & b", vec![NotWellFormed]),
        ("a &#0;", vec![NotWellFormed]),
        ("<!-- a -- b --> c", vec![NotWellFormed]),
        ("a ]]> b", vec![NotWellFormed]),
    ];
    for (inside, expected) in rows {
        assert_eq!(kinds(&div(inside)), expected, "{inside}");
    }
    let rows = [
        ("", vec![NotADiv]),
        ("text", vec![NotADiv]),
        ("<div>a</div>", vec![Namespace]),
        ("<p xmlns=\"http://www.w3.org/1999/xhtml\">a</p>", vec![NotADiv]),
        ("<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div><p/>", vec![NotADiv]),
        ("<h:div xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:p>a</h:p></h:div>", vec![]),
        ("<h:div xmlns:h=\"http://www.w3.org/1999/xhtml\"><p>a</p></h:div>", vec![Element("p".into())]),
        ("<!DOCTYPE div><div/>", vec![NotADiv]),
    ];
    for (text, expected) in rows {
        assert_eq!(kinds(text), expected, "{text}");
    }
}

#[test]
fn every_problem_has_a_place_and_its_words() {
    let text = div("a\n<script/><p onclick=''>&nbsp;<?a?></p>");
    for problem in check(&text) {
        assert!(text[problem.offset..].starts_with(['<', '&', 'o']), "{problem:?}");
        assert!(!problem.kind.message().fr.is_empty() && !problem.kind.mend().en.is_empty());
        assert_eq!(problem.kind.key(), "txt-1");
    }
    assert_eq!(check(&text).len(), 4);
    assert_eq!(ProblemKind::Empty.key(), "txt-2");
}

const PIECES: [&str; 16] = [
    "<p>",
    "</p>",
    "<br/>",
    "a",
    "&lt;",
    "&nbsp;",
    "<!-- b -->",
    "<![CDATA[c]]>",
    "<a href=\"d\">",
    "</a>",
    "<",
    ">",
    "\"",
    "é",
    "<b c='d'",
    "&",
];

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in ".*") {
        let _ = check(&text);
        let _ = check(&div(&text));
    }

    /// What is well-formed here is well-formed for an XML parser, and the other way round.
    #[test]
    fn an_xml_parser_says_the_same(pieces in prop::collection::vec(0..PIECES.len(), 0..12)) {
        let text = div(&pieces.iter().map(|piece| PIECES[*piece]).collect::<String>());
        let found = kinds(&text);
        let is_read = !found.iter().any(|kind| matches!(kind, ProblemKind::NotWellFormed | ProblemKind::NotADiv | ProblemKind::Entity(_)));
        let parsed = socle_xml::parse(&text, &socle_xml::Limits::default());
        prop_assert_eq!(is_read, parsed.is_ok(), "{}: {:?} {:?}", text, found, parsed.err());
    }
}

#[test]
fn a_link_leads_to_the_narrative_or_to_what_the_resource_knows() {
    let is_contained = |id: &str| id == "contenu";
    for (inside, expected) in [
        ("<p id='b'><a href='#b'>a</a></p>", vec![]),
        ("<a href='#b'>a</a><a name='b'>c</a>", vec![]),
        ("<a href='#contenu'>a</a>", vec![]),
        ("<a href='#'>a</a>", vec![]),
        ("<a href='#rien'>a</a>", vec![ProblemKind::Anchor]),
    ] {
        let found: Vec<_> = check_in(&div(inside), &is_contained).into_iter().map(|problem| problem.kind).collect();
        assert_eq!(found, expected, "{inside}");
    }
}

#[test]
fn sections_are_the_divs_at_the_top_that_say_a_language() {
    let languages = |inside: &str| sections(&div(inside)).map(|found| found.languages.join(" "));
    assert_eq!(languages("<div lang='fr'>a</div><div xml:lang='de'>b</div><div>c</div>").as_deref(), Some("fr de"));
    assert_eq!(languages("<p lang='fr'>a</p><div><div lang='fr'>a</div></div>").as_deref(), Some(""));
    assert_eq!(languages("<p>"), None);
}

#[test]
fn a_text_has_the_source_of_what_it_is_in() {
    let text = div("a<p>b</p><p class='x generated'>c <b>d</b></p> <p class='additional'>e</p>");
    let found = sections(&text).unwrap().without_source;
    let signs: Vec<&str> = found.iter().map(|at| &text[*at..=*at]).collect();
    assert_eq!(signs, ["a", "b"]);
}
