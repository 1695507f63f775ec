//! Decoding and parsing against hostile input, official examples and their mutants.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a helper that fails, fails its test")]

mod fixtures;

use proptest::prelude::*;
use socle_xml::{Limits, NodeExt, XmlErrorKind, decode, parse, roxmltree};

fn refusal(text: &str) -> XmlErrorKind {
    match parse(text, &Limits::default()) {
        Ok(_) => panic!("accepted: {}", &text[..text.len().min(200)]),
        Err(refused) => refused.kind,
    }
}

#[test]
fn doctype_is_refused_whatever_it_holds() {
    let cases = [
        ("empty", "<!DOCTYPE a><a/>"),
        ("an entity that nobody uses", "<!DOCTYPE a [<!ENTITY x \"y\">]><a/>"),
        ("external", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"),
        ("after the declaration", "<?xml version=\"1.0\"?>\n<!DOCTYPE a>\n<a/>"),
        ("lower case", "<!doctype html><a/>"),
        ("behind a comment", "<!-- c --><!DOCTYPE a><a/>"),
        ("behind an instruction", "<?x y?><!DOCTYPE a><a/>"),
        ("inside the root", "<a><!DOCTYPE a></a>"),
        (
            "billion laughs",
            "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;\">]><l>&c;</l>",
        ),
    ];
    for (name, text) in cases {
        assert_eq!(refusal(text), XmlErrorKind::Doctype, "{name}");
    }
}

#[test]
fn text_that_only_looks_like_a_doctype_is_accepted() {
    for text in ["<a><!-- <!DOCTYPE a> --></a>", "<a><![CDATA[<!DOCTYPE a>]]></a>", "<a b='&lt;!DOCTYPE a>'/>"] {
        assert!(parse(text, &Limits::default()).is_ok(), "{text}");
    }
}

#[test]
fn instructions_of_every_right_name_are_read() {
    for text in ["<?b?><a/>", "<?été-1.2 x?><a/>", "<a><?b:c\nd?></a>", "<?xml-stylesheet href='a'?><a/>"] {
        assert!(parse(text, &Limits::default()).is_ok(), "{text}");
    }
}

#[test]
fn only_xml_1_0_is_read() {
    for (name, text) in [
        ("1.1", "<?xml version=\"1.1\"?><a/>"),
        ("1.1 after a tab", "<?xml\tversion='1.1'?><a/>"),
        ("2.0", "<?xml version=\"2.0\"?><a/>"),
        ("empty", "<?xml version=\"\"?><a/>"),
    ] {
        assert_eq!(refusal(text), XmlErrorKind::Version, "{name}");
    }
    assert!(parse("<?xml version='1.0' encoding='UTF-8' standalone='yes'?><a/>", &Limits::default()).is_ok());
}

#[test]
fn what_is_not_well_formed_is_refused_with_its_line() {
    let cases = [
        ("end tag missing", "<a>\n<b>\n</a>", 3),
        ("attribute twice", "<a>\n<b x='1' x='2'/></a>", 2),
        ("attribute twice by namespace", "<a xmlns:p='u' xmlns:q='u'>\n<b p:x='1' q:x='2'/></a>", 2),
        ("default namespace twice", "<a>\n<b xmlns='u' xmlns='v'/></a>", 2),
        ("prefix declared twice", "<a>\n<b xmlns:p='u' xmlns:p='v'/></a>", 2),
        ("prefix bound to nothing", "<a>\n<b xmlns:p=''/></a>", 2),
        ("attribute p:xmlns", "<a xmlns:p='u'>\n<b p:xmlns='v'/></a>", 2),
        ("undeclared prefix", "<a>\n<p:b/></a>", 2),
        ("unknown entity", "<a>\n&nbsp;</a>", 2),
        ("control character", "<a>\n\u{1}</a>", 2),
        ("control by reference", "<a>\n&#1;</a>", 2),
        ("second declaration", "<a>\n<?xml version='1.0'?></a>", 2),
        ("declaration after a blank line", "\n<?xml version='1.0'?><a/>", 2),
        ("an instruction whose name ends at no white space", "<a>\n<?b\u{F620}c?></a>", 2),
        ("an instruction that would be written as a declaration", "<a>\n<?xml\u{F620} c?></a>", 2),
        ("an instruction with a quote in its name", "<a>\n<?b'c'?></a>", 2),
        ("two roots", "<a/>\n<b/>", 2),
        ("']]>' in text", "<a>\n]]></a>", 2),
        ("'--' in a comment", "<a>\n<!-- -- --></a>", 2),
        ("'<' in an attribute", "<a>\n<b c='<'/></a>", 2),
        ("attribute without quotes", "<a>\n<b c=d/></a>", 2),
        ("nothing", "", 1),
        ("no element", "<!-- -->", 1),
    ];
    for (name, text, line) in cases {
        let refused = parse(text, &Limits::default()).expect_err(name);
        assert!(matches!(refused.kind, XmlErrorKind::NotWellFormed(_)), "{name}: {:?}", refused.kind);
        assert_eq!(refused.line, line, "{name}");
    }
}

#[test]
fn limits_are_kept() {
    let limits = Limits { bytes: 10_000, depth: 4, nodes: 50, attributes: 5, name: 20 };
    let attributes = |n: usize| (0..n).map(|i| format!(" a{i}=''")).collect::<String>();
    let cases = [
        ("as deep as allowed", "<a><a><a><a/></a></a></a>".to_owned(), None),
        ("one deeper", "<a><a><a><a><a/></a></a></a></a>".to_owned(), Some(XmlErrorKind::TooDeep { limit: 4 })),
        ("as many attributes", format!("<a{}/>", attributes(5)), None),
        ("one more", format!("<a{}/>", attributes(6)), Some(XmlErrorKind::TooManyAttributes { limit: 5 })),
        ("a long name", format!("<{0}/>", "n".repeat(20)), None),
        ("a longer one", format!("<{0}/>", "n".repeat(21)), Some(XmlErrorKind::NameTooLong { limit: 20 })),
        (
            "a longer attribute name",
            format!("<a {}=''/>", "n".repeat(21)),
            Some(XmlErrorKind::NameTooLong { limit: 20 }),
        ),
        ("many nodes", format!("<a>{}</a>", "<b/>".repeat(60)), Some(XmlErrorKind::TooManyNodes { limit: 50 })),
        ("too big", format!("<a>{}</a>", "x".repeat(10_000)), Some(XmlErrorKind::TooBig { limit: 10_000 })),
    ];
    for (name, text, expected) in cases {
        assert_eq!(parse(&text, &limits).err().map(|e| e.kind), expected, "{name}");
    }
}

#[test]
fn what_would_exhaust_the_parser_is_refused_before_it_is_built() {
    let many_attributes: String = (0..1000).map(|i| format!(" a{i:04}=''")).collect();
    let many_namespaces: String = (0..500).map(|i| format!(" xmlns:p{i}='u{i}'")).collect();
    let cases = [
        ("100 000 nested elements", "<a>".repeat(100_000), XmlErrorKind::TooDeep { limit: 256 }),
        ("10 million '<'", "<".repeat(10_002_000), XmlErrorKind::TooManyNodes { limit: 5_000_000 }),
        (
            "10 million '='",
            format!("<a>{}</a>", "=".repeat(10_002_000)),
            XmlErrorKind::TooManyNodes { limit: 5_000_000 },
        ),
        (
            "2 000 attributes",
            format!("<a{many_attributes}{many_attributes}/>"),
            XmlErrorKind::TooManyAttributes { limit: 1024 },
        ),
        (
            "1 000 attributes on each of 200 elements",
            format!("<a>{}</a>", format!("<b{many_attributes}/>").repeat(200)),
            XmlErrorKind::TooManyAttributes { limit: 1024 },
        ),
        (
            "500 namespaces copied by each of 50 000 elements",
            format!("<a{many_namespaces}>{}</a>", "<b xmlns:c='d'/>".repeat(50_000)),
            XmlErrorKind::TooManyNamespaces { limit: 512 },
        ),
    ];
    for (name, text, kind) in cases {
        assert_eq!(refusal(&text), kind, "{name}");
    }
}

#[test]
fn two_hundred_megabytes_are_refused_by_their_size() {
    let bytes = vec![b' '; 200 << 20];
    let refused = decode(&bytes, &Limits::default()).expect_err("200 MB");
    assert_eq!(refused.kind, XmlErrorKind::TooBig { limit: 64 << 20 });
}

#[test]
fn an_error_speaks_both_languages_and_shows_no_content() {
    let text = "<patient>\n<nom>DUPONT</prenom></patient>";
    let refused = parse(text, &Limits::default()).expect_err("wrong end tag");
    let finding = refused.finding();
    for shown in
        [refused.to_string(), format!("{refused:?}"), finding.message.fr.to_string(), finding.mend.en.to_string()]
    {
        assert!(!shown.is_empty());
        assert!(!shown.contains("DUPONT") && !shown.contains("prenom"), "{shown}");
    }
    assert_eq!((finding.at.line, finding.at.column), (Some(2), Some(12)));
}

#[test]
fn nodes_answer_small_questions() {
    let text = "<r xmlns='u' xmlns:p='v'><p:a>x<!-- c -->y<b/>z</p:a><a xmlns=''>n</a><a> t </a></r>";
    let document = parse(text, &Limits::default()).expect("well-formed");
    let root = document.root_element();
    let other = root.child(Some("v"), "a").expect("v:a");
    assert_eq!(other.full_text(), "xyz", "a comment does not cut a value");
    assert_eq!(other.qname(), "p:a");
    assert_eq!(other.source(), "<p:a>x<!-- c -->y<b/>z</p:a>");
    assert_eq!(root.child(None, "a").map(|n| n.full_text()).as_deref(), Some("n"), "xmlns='' is no namespace");
    assert_eq!(root.child(Some("u"), "a").map(|n| n.trimmed_text()).as_deref(), Some("t"));
    assert_eq!(root.children_named(Some("u"), "a").count(), 1);
    assert_eq!(root.child_elements().count(), 3);
    assert_eq!(root.path(Some("v"), &["a"]), Some(other));
    assert_eq!(other.resolve_qname("p:Sender"), Some((Some("v"), "Sender")));
    assert_eq!(other.resolve_qname("Sender"), Some((Some("u"), "Sender")));
    assert_eq!(other.resolve_qname("z:Sender"), None);
}

#[test]
fn every_example_is_read_and_the_bad_mutants_are_not() {
    let Some(shared) = fixtures::shared("every_example_is_read_and_the_bad_mutants_are_not") else { return };
    let examples = shared.join("data/documents/cda/examples");
    let mut read = 0;
    for entry in std::fs::read_dir(&examples).expect("examples").map(|e| e.expect("entry").path()) {
        if entry.extension().is_some_and(|e| e == "xml") {
            let bytes = std::fs::read(&entry).expect("example");
            let text = decode(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{}: {e}", entry.display()));
            parse(&text, &Limits::default()).unwrap_or_else(|e| panic!("{}: {e}", entry.display()));
            read += 1;
        }
    }
    assert!(read >= 85, "{read} examples");

    let mutant = |name: &str| {
        let patch = std::fs::read_to_string(shared.join(format!("data/xml/mutants/{name}.json"))).expect("mutant");
        let field = |key: &str| {
            let after = patch.split_once(&format!("\"{key}\": ")).expect("key").1;
            after.split([',', '\n']).next().expect("value").to_owned()
        };
        let unquoted = |key: &str| {
            let value = field(key);
            value.trim().trim_matches('"').replace("\\\"", "\"").replace("\\n", "\n")
        };
        let mut bytes = std::fs::read(examples.join(unquoted("base"))).expect("base");
        let at: usize = field("byte_offset").trim().parse().expect("offset");
        bytes.splice(at..at + unquoted("delete").len(), unquoted("insert").into_bytes());
        bytes
    };
    let lie = mutant("BIO-TROD_2024.01_Angine__encoding-latin1-lie");
    let refused = decode(&lie, &Limits::default()).expect_err("us-ascii declared over UTF-8");
    assert_eq!(refused.kind, XmlErrorKind::EncodingMismatch);

    let doctype = mutant("VAC_2023.01__doctype-entity");
    let text = decode(&doctype, &Limits::default()).expect("UTF-8");
    assert_eq!(parse(&text, &Limits::default()).expect_err("DOCTYPE").kind, XmlErrorKind::Doctype);

    let broken = mutant("BIO-CR-BIO_2021.01_Microbiologie_V1__not-well-formed");
    let text = decode(&broken, &Limits::default()).expect("UTF-8");
    let refused = parse(&text, &Limits::default()).expect_err("not well-formed");
    assert!(matches!(refused.kind, XmlErrorKind::NotWellFormed(_)), "{refused}");
}

/// Fragments that meet the parser's rules from both sides.
fn markup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<a>"),
        Just("</a>"),
        Just("<a/>"),
        Just("<p:a xmlns:p='u'>"),
        Just("</p:a>"),
        Just("<!--"),
        Just("-->"),
        Just("<![CDATA["),
        Just("]]>"),
        Just("<?p "),
        Just("?>"),
        Just("<!DOCTYPE a>"),
        Just("<?xml version='1.0'?>"),
        Just("&amp;"),
        Just("&#x41;"),
        Just("&x;"),
        Just(" a='1'"),
        Just(" xmlns='u'"),
        Just("<a b='"),
        Just("'"),
        Just("\""),
        Just(">"),
        Just("<"),
        Just("/"),
        Just("="),
        Just("é"),
        Just("\u{1}"),
        Just("\r\n"),
        Just("x"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(text) = decode(&bytes, &Limits::default()) {
            let _ = parse(&text, &Limits::default());
        }
    }

    /// The scan before the tree only refuses; what it lets pass and the tree accepts is inside the limits.
    #[test]
    fn what_is_accepted_is_well_formed_and_inside_the_limits(text in markup()) {
        let limits = Limits { bytes: 1000, depth: 3, nodes: 30, attributes: 2, name: 10 };
        match parse(&text, &limits) {
            Ok(document) => {
                prop_assert!(roxmltree::Document::parse(&text).is_ok());
                for node in document.descendants().filter(roxmltree::Node::is_element) {
                    prop_assert!(node.ancestors().filter(roxmltree::Node::is_element).count() <= 3);
                    prop_assert!(node.attributes().len() <= 2);
                }
            }
            Err(refused) => {
                let is_limit = !matches!(refused.kind, XmlErrorKind::NotWellFormed(_) | XmlErrorKind::Doctype | XmlErrorKind::Version);
                prop_assert!(is_limit || roxmltree::Document::parse(&text).is_err() || refused.to_string().contains("namespace"), "{refused}: {text}");
            }
        }
    }
}
