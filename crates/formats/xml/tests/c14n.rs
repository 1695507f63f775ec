//! Canonical XML against two other implementations: libxml2 (`xmllint`) and bergshamra.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a helper that fails, fails its test")]

mod fixtures;

use std::io::Write;

use bergshamra::c14n::{C14nMode, canonicalize};
use proptest::prelude::*;
use socle_xml::c14n::{self, Canonical};
use socle_xml::roxmltree::Node;
use socle_xml::{Limits, NodeExt, decode, parse};

fn whole(uri: &str, text: &str) -> String {
    let document = parse(text, &Limits::default()).unwrap_or_else(|e| panic!("{e}: {text}"));
    Canonical::from_uri(uri).expect("known method").of(document.root())
}

#[test]
fn the_examples_of_the_recommendation_come_out_as_printed() {
    let cases = [
        (
            "instructions and comments around the root (C14N §3.1)",
            c14n::INCLUSIVE_WITH_COMMENTS,
            "<?xml version=\"1.0\"?>\n\n<?xml-stylesheet   href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n\n<doc>Hello, world!<!-- Comment 1 --></doc>\n\n<?pi-without-data     ?>\n\n<!-- Comment 2 -->\n\n<!-- Comment 3 -->",
            "<?xml-stylesheet href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n<doc>Hello, world!<!-- Comment 1 --></doc>\n<?pi-without-data?>\n<!-- Comment 2 -->\n<!-- Comment 3 -->",
        ),
        (
            "the same without comments",
            c14n::INCLUSIVE,
            "<?p?>\n<doc>a<!-- c --></doc>\n<?q ?>\n<!-- d -->",
            "<?p?>\n<doc>a</doc>\n<?q?>",
        ),
        (
            "a declaration that breaks its line is no instruction",
            c14n::INCLUSIVE_WITH_COMMENTS,
            "<?xml\n version='1.0'\tencoding='UTF-8'?><!-- c --><doc/>",
            "<!-- c -->\n<doc></doc>",
        ),
        (
            "order of attributes and namespaces, superfluous declarations (C14N §3.3)",
            c14n::INCLUSIVE,
            "<doc><e3   name = \"elem3\"   id=\"elem3\"   /><e5 a:attr=\"out\" b:attr=\"sorted\" attr2=\"all\" attr=\"I'm\"\n xmlns:b=\"http://www.ietf.org\" xmlns:a=\"http://www.w3.org\" xmlns=\"http://example.org\"/><e6 xmlns=\"\" xmlns:a=\"http://www.w3.org\"><e7 xmlns=\"http://www.ietf.org\"><e8 xmlns=\"\" xmlns:a=\"http://www.w3.org\"><e9 xmlns=\"\" xmlns:a=\"http://www.ietf.org\"/></e8></e7></e6></doc>",
            "<doc><e3 id=\"elem3\" name=\"elem3\"></e3><e5 xmlns=\"http://example.org\" xmlns:a=\"http://www.w3.org\" xmlns:b=\"http://www.ietf.org\" attr=\"I'm\" attr2=\"all\" b:attr=\"sorted\" a:attr=\"out\"></e5><e6 xmlns:a=\"http://www.w3.org\"><e7 xmlns=\"http://www.ietf.org\"><e8 xmlns=\"\"><e9 xmlns:a=\"http://www.ietf.org\"></e9></e8></e7></e6></doc>",
        ),
        (
            "character references and CDATA (C14N §3.4)",
            c14n::INCLUSIVE,
            "<doc><text>First line&#x0d;&#10;Second line</text><value>&#x32;</value><compute><![CDATA[value>\"0\" && value<\"10\" ?\"valid\":\"error\"]]></compute><norm attr=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; '/></doc>",
            "<doc><text>First line&#xD;\nSecond line</text><value>2</value><compute>value&gt;\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"</compute><norm attr=\" '    &#xD;&#xA;&#x9;   ' \"></norm></doc>",
        ),
    ];
    for (name, uri, text, expected) in cases {
        assert_eq!(whole(uri, text), expected, "{name}");
    }
}

#[test]
fn exclusive_form_of_a_part_does_not_change_with_its_surroundings() {
    let inside = "<s:E xmlns:s='urn:s' xmlns='urn:d' xmlns:u='urn:unused'><s:H><n:a xmlns:n='urn:n' xmlns:xsi='urn:xsi' p='1' xsi:t='x'><n:b/><c/></n:a></s:H></s:E>";
    let alone = "<n:a xmlns='urn:d' xmlns:xsi='urn:xsi' xmlns:n='urn:n' xsi:t='x' p='1'><n:b/><c/></n:a>";
    let form = |text: &str, prefixes: &[&str]| {
        let document = parse(text, &Limits::default()).expect("well-formed");
        let node = document.descendants().find(|n| n.is(Some("urn:n"), "a")).expect("n:a");
        let prefixes = prefixes.iter().map(|p| (*p).to_owned()).collect();
        Canonical { exclusive: true, prefixes, ..Canonical::default() }.of(node)
    };
    let expected =
        "<n:a xmlns:n=\"urn:n\" xmlns:xsi=\"urn:xsi\" p=\"1\" xsi:t=\"x\"><n:b></n:b><c xmlns=\"urn:d\"></c></n:a>";
    assert_eq!(form(inside, &[]), expected);
    assert_eq!(form(alone, &[]), expected);
    let with_list = "<n:a xmlns=\"urn:d\" xmlns:n=\"urn:n\" xmlns:u=\"urn:unused\" xmlns:xsi=\"urn:xsi\" p=\"1\" xsi:t=\"x\"><n:b></n:b><c></c></n:a>";
    assert_eq!(form(inside, &["#default", "u", "absent"]), with_list);
}

#[test]
fn inclusive_form_of_a_part_takes_namespaces_and_xml_attributes_along() {
    let text = "<a xmlns='u' xmlns:p='v' xml:lang='fr' xml:space='preserve' x='1'><b xml:lang='en'><c/></b></a>";
    let document = parse(text, &Limits::default()).expect("well-formed");
    let part = document.descendants().find(|n| n.is(Some("u"), "b")).expect("b");
    let expected = "<b xmlns=\"u\" xmlns:p=\"v\" xml:lang=\"en\" xml:space=\"preserve\"><c></c></b>";
    assert_eq!(Canonical::default().of(part), expected);
}

#[test]
fn namespaces_declared_again_are_written_once() {
    let text = "<r xmlns:a='urn:a' xmlns:b='urn:b' xmlns:c='urn:c'><x xmlns:b='urn:b'/><y xmlns:b='urn:2' xmlns:d='urn:d'>\
                <z xmlns:b='urn:b' xmlns:a='urn:a'/><z xmlns:d='urn:d'/></y></r>";
    let expected = "<r xmlns:a=\"urn:a\" xmlns:b=\"urn:b\" xmlns:c=\"urn:c\"><x></x><y xmlns:b=\"urn:2\" xmlns:d=\"urn:d\">\
                    <z xmlns:b=\"urn:b\"></z><z></z></y></r>";
    assert_eq!(whole(c14n::INCLUSIVE, text), expected);
}

#[test]
fn a_document_of_many_namespaces_costs_no_square() {
    let declared: String = (0..500).map(|i| format!(" xmlns:p{i}='urn:{i}'")).collect();
    let text = format!("<r{declared}>{}</r>", "<a xmlns:q='urn:q'/>".repeat(4_000));
    assert_eq!(whole(c14n::INCLUSIVE, &text).matches("xmlns:q").count(), 4_000);
}

#[test]
fn a_subtree_can_be_left_out() {
    let document = parse("<a><s>x<t/></s>y<s/></a>", &Limits::default()).expect("well-formed");
    let first = document.root_element().first_element_child().expect("s");
    let how = Canonical { without: Some(first.id()), ..Canonical::default() };
    assert_eq!(how.of(document.root_element()), "<a>y<s></s></a>");
}

/// What `xmllint` makes of a document; both of its methods keep comments.
fn xmllint(option: &str, text: &str) -> String {
    let mut file = tempfile::NamedTempFile::new().expect("temporary file");
    file.write_all(text.as_bytes()).expect("written");
    let output = std::process::Command::new("xmllint").arg(option).arg(file.path()).output().expect("xmllint");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Bergshamra's parser leaves a line feed in an attribute value and CR LF in a comment as they are (XML 1.0
/// §2.11 and §3.3.3 say otherwise; the official example `IPS-FR` has such a value), so it is given text
/// where neither occurs.
fn by_bergshamra(mode: C14nMode, text: &str) -> String {
    String::from_utf8(canonicalize::<&str>(text, mode, None, &[]).expect("canonical")).expect("UTF-8")
}

#[test]
fn every_example_has_the_canonical_form_of_libxml2_and_bergshamra() {
    let name = "every_example_has_the_canonical_form_of_libxml2_and_bergshamra";
    let (Some(shared), Some(_)) = (fixtures::shared(name), fixtures::program(name, "xmllint")) else { return };
    let mut compared = 0;
    for entry in std::fs::read_dir(shared.join("data/documents/cda/examples")).expect("examples") {
        let path = entry.expect("entry").path();
        if path.extension().is_none_or(|e| e != "xml") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("example");
        let text = decode(&bytes, &Limits::default()).expect("decoded");
        // libxml2 reads the file as declared; the decoded text is UTF-8.
        if text.was_transcoded() {
            continue;
        }
        let inclusive = whole(c14n::INCLUSIVE_WITH_COMMENTS, &text);
        let exclusive = whole(c14n::EXCLUSIVE_WITH_COMMENTS, &text);
        assert!(inclusive == xmllint("--c14n", &text), "{}: inclusive", path.display());
        assert!(exclusive == xmllint("--exc-c14n", &text), "{}: exclusive", path.display());
        assert!(
            whole(c14n::INCLUSIVE, &text) == by_bergshamra(C14nMode::Inclusive, &inclusive),
            "{}: without comments",
            path.display()
        );
        compared += 1;
    }
    assert!(compared >= 80, "{compared} compared");
}

/// Small documents full of what canonical form is about.
fn documents() -> impl Strategy<Value = String> {
    let attribute = prop_oneof![
        Just(String::new()),
        Just(" xmlns='urn:u'".to_owned()),
        Just(" xmlns=''".to_owned()),
        Just(" xmlns='urn:v'".to_owned()),
        "[ab]".prop_map(|n| format!(" {n}='x'")),
        "[pq]".prop_map(|p| format!(" {p}:z='1'")),
        Just(" c='&#9;\t\n&#10;&lt;&gt;&quot;&apos;é&amp;&#13;'".to_owned()),
        Just(" xml:lang='fr'".to_owned()),
    ];
    let attributes = prop::collection::vec(attribute, 0..3).prop_map(|mut all| {
        all.sort();
        all.dedup_by_key(|a| a.split('=').next().unwrap_or_default().to_owned());
        all.concat()
    });
    let leaf = prop_oneof![
        Just("x &amp; &lt; &gt; \" ' \r\n é".to_owned()),
        Just("<![CDATA[<&]]>".to_owned()),
        Just("<!-- c\r\nd -->".to_owned()),
        Just("<?pi  data \r\n?>".to_owned()),
        Just("&#13;&#10;&#9;".to_owned()),
    ];
    let element = leaf.prop_recursive(4, 24, 4, move |inner| {
        let tag = prop_oneof![Just("e"), Just("p:e"), Just("q:e")];
        let declared = prop_oneof![
            Just(""),
            Just(" xmlns:p='urn:other'"),
            Just(" xmlns:r='urn:unused'"),
            Just(" xmlns:q='http://p'")
        ];
        (tag, declared, attributes.clone(), prop::collection::vec(inner, 0..4)).prop_map(
            |(tag, declared, attributes, children)| {
                format!("<{tag}{declared}{attributes}>{}</{tag}>", children.concat())
            },
        )
    });
    prop::collection::vec(element, 0..4).prop_map(|children| {
        format!(
            "<!-- before -->\r\n<root xmlns:p='http://p' xmlns:q='http://q'>{}</root>\n<?after x?>",
            children.concat()
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn agrees_with_bergshamra_on_generated_documents(text in documents()) {
        prop_assume!(parse(&text, &Limits::default()).is_ok());
        let text = whole(c14n::INCLUSIVE_WITH_COMMENTS, &text);
        for (uri, mode) in [
            (c14n::INCLUSIVE, C14nMode::Inclusive),
            (c14n::INCLUSIVE_WITH_COMMENTS, C14nMode::InclusiveWithComments),
            (c14n::EXCLUSIVE, C14nMode::Exclusive),
            (c14n::EXCLUSIVE_WITH_COMMENTS, C14nMode::ExclusiveWithComments),
        ] {
            prop_assert_eq!(whole(uri, &text), by_bergshamra(mode, &text), "{}", uri);
        }
    }

    /// Canonical form is a fixed point, and says the same as the document it is of.
    #[test]
    fn canonical_form_is_its_own(text in documents()) {
        prop_assume!(parse(&text, &Limits::default()).is_ok());
        let once = whole(c14n::INCLUSIVE_WITH_COMMENTS, &text);
        prop_assert_eq!(whole(c14n::INCLUSIVE_WITH_COMMENTS, &once), once);
    }

    /// Every element cut out by inclusive form stands alone and has the same exclusive form as in place,
    /// unless it inherits an `xml:` attribute.
    #[test]
    fn a_part_cut_out_keeps_its_exclusive_form(text in documents()) {
        prop_assume!(!text.contains("xml:lang") && parse(&text, &Limits::default()).is_ok());
        let document = parse(&text, &Limits::default()).expect("checked");
        let exclusive = Canonical { exclusive: true, ..Canonical::default() };
        for node in document.descendants().filter(Node::is_element) {
            let cut = socle_xml::write::subtree(node);
            let alone = parse(&cut, &Limits::default()).expect("a subtree stands alone");
            prop_assert_eq!(exclusive.of(alone.root_element()), exclusive.of(node));
        }
    }
}

#[test]
fn libxml2_agrees_on_generated_documents() {
    let name = "libxml2_agrees_on_generated_documents";
    if fixtures::program(name, "xmllint").is_none() {
        return;
    }
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(150));
    runner
        .run(&documents(), |text| {
            prop_assume!(parse(&text, &Limits::default()).is_ok());
            prop_assert_eq!(whole(c14n::INCLUSIVE_WITH_COMMENTS, &text), xmllint("--c14n", &text));
            prop_assert_eq!(whole(c14n::EXCLUSIVE_WITH_COMMENTS, &text), xmllint("--exc-c14n", &text));
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
}
