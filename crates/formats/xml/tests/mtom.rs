//! Multipart messages: written and read back, as peers write them, and hostile ones.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a helper that fails, fails its test")]

use bytes::Bytes;
use proptest::prelude::*;
use socle_xml::mtom::{self, Incoming, Limits, MtomError, Part};
use socle_xml::{Limits as XmlLimits, NodeExt, parse, soap};

const TYPE: &str = "multipart/related; type=\"application/xop+xml\"; start=\"<root@x>\"; boundary=\"b\"";

/// What a content is, or why it is none.
type Outcome = Result<&'static [u8], MtomError>;

fn part(id: &str, bytes: impl Into<Bytes>) -> Part {
    Part { content_id: id.to_owned(), content_type: "text/xml".to_owned(), bytes: bytes.into() }
}

fn read(content_type: &str, body: &str) -> Result<Incoming, MtomError> {
    mtom::read(content_type, Bytes::copy_from_slice(body.as_bytes()), &Limits::default())
}

/// A message with CRLF, whose parts are given as headers and content.
fn message(parts: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (headers, content) in parts {
        body.push_str(&format!("--b\r\n{headers}\r\n{content}\r\n"));
    }
    body + "--b--\r\n"
}

#[test]
fn a_message_is_read_back_without_copying_its_parts() {
    let document = Bytes::from(vec![7_u8; 100_000]);
    let parts = [part("doc1@socle", document.clone()), part("sig1@socle", "<s/>")];
    let written = mtom::write("<e/>", "urn:a", &parts);
    assert!(written.body.iter().any(|chunk| chunk.as_ptr() == document.as_ptr()), "sent from the caller's buffer");
    assert!(written.content_type.starts_with("multipart/related; type=\"application/xop+xml\"; start=\"<root."));
    let media = soap::read_content_type(&written.content_type).expect("content type");
    assert_eq!(media.parameter("action"), Some("urn:a"));
    assert_eq!(media.parameter("start-info"), Some("application/soap+xml"));
    assert_eq!(media.parameter("boundary").map(str::len), Some(64));

    let body = written.to_bytes();
    assert_eq!(body.len() as u64, written.content_length());
    let range = body.as_ptr_range();
    let read = mtom::read(&written.content_type, body, &Limits::default()).expect("read back");
    assert_eq!(read.root, Bytes::from_static(b"<e/>"));
    assert!(read.root_type.starts_with("application/xop+xml"));
    assert_eq!(read.parts, parts);
    assert!(range.contains(&read.parts[0].bytes.as_ptr()), "a slice of the received body");
}

#[test]
fn two_messages_have_different_boundaries() {
    let (first, second) = (mtom::write("", "", &[]), mtom::write("", "", &[]));
    assert_ne!(first.content_type, second.content_type);
}

#[test]
fn headers_cannot_be_injected() {
    let bad = Part {
        content_id: "a>\r\nX-Evil: 1\r\n\r\nbody".to_owned(),
        content_type: "text/xml\r\nX-Evil: 2".to_owned(),
        bytes: Bytes::from_static(b"content"),
    };
    let written = mtom::write("<e/>", "urn:a\r\nX-Evil: 3", &[bad]);
    assert!(!written.content_type.contains(['\r', '\n']));
    let read = mtom::read(&written.content_type, written.to_bytes(), &Limits::default()).expect("read back");
    assert_eq!(read.parts[0].content_id, "aX-Evil:1body");
    assert_eq!(read.parts[0].content_type, "text/xmlX-Evil: 2");
    assert_eq!(read.parts[0].bytes, Bytes::from_static(b"content"));
}

#[test]
fn messages_as_peers_write_them_are_read() {
    let root = ("Content-ID: <root@x>\r\nContent-Type: application/xop+xml\r\n", "<e/>");
    let cases: [(&str, &str, String, &[&str]); 17] = [
        ("the plain case", TYPE, message(&[root, ("Content-ID: <d@x>\r\n", "abc")]), &["abc"]),
        ("no other part", TYPE, message(&[root]), &[]),
        ("root is not first", TYPE, message(&[("Content-ID: <d@x>\r\n", "abc"), root]), &["abc"]),
        ("no start parameter", "multipart/related; boundary=b", message(&[root, ("", "abc")]), &["abc"]),
        ("start without <>", "multipart/related; boundary=b; start=root@x", message(&[("", "abc"), root]), &["abc"]),
        (
            "case and blanks in headers",
            TYPE,
            message(&[("CONTENT-id:<root@x>\r\n", "<e/>"), ("content-ID :  <d@x> \r\n", "abc")]),
            &["abc"],
        ),
        ("folded header", TYPE, message(&[root, ("Content-ID:\r\n <d@x>\r\n", "abc")]), &["abc"]),
        (
            "preamble and epilogue",
            TYPE,
            format!("This is MIME.\r\n--bb\r\n{}epilogue --b\r\n", message(&[root, ("", "abc")])),
            &["abc"],
        ),
        ("blanks after the delimiter", TYPE, message(&[root, ("", "abc")]).replace("--b\r\n", "--b \t\r\n"), &["abc"]),
        ("LF only", TYPE, message(&[root, ("", "abc")]).replace("\r\n", "\n"), &["abc"]),
        (
            "LF only, content ends with CR",
            TYPE,
            "--b\n\n<e/>\n--b\n\nabc\r\n--b--".to_owned().replacen("\n\n", "\nContent-ID: <root@x>\n\n", 1),
            &["abc\r"],
        ),
        ("empty content", TYPE, message(&[root, ("", "")]), &[""]),
        ("empty content, one line end", TYPE, message(&[root]).replace("--b--", "--b\r\n\r\n--b--"), &[""]),
        (
            "content with line ends and dashes",
            TYPE,
            message(&[root, ("", "\r\n--a\r\n--\r\n\r\n")]),
            &["\r\n--a\r\n--\r\n\r\n"],
        ),
        (
            "content like a longer boundary",
            TYPE,
            message(&[root, ("", "x\r\n--bc\r\n--b-\r\ny")]),
            &["x\r\n--bc\r\n--b-\r\ny"],
        ),
        ("delimiter after LF in a CRLF message", TYPE, message(&[root, ("", "x\n--b\r\ny")]), &["x\n--b\r\ny"]),
        ("nothing after the last dashes", TYPE, message(&[root, ("", "abc")]).trim_end().to_owned(), &["abc"]),
    ];
    for (name, content_type, body, expected) in cases {
        let read = read(content_type, &body).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(read.root, Bytes::from_static(b"<e/>"), "{name}");
        let contents: Vec<_> = read.parts.iter().map(|p| String::from_utf8_lossy(&p.bytes).into_owned()).collect();
        assert_eq!(contents, expected, "{name}");
    }
}

#[test]
fn transfer_encodings_are_decoded() {
    let root = ("Content-ID: <root@x>\r\n", "<e/>");
    let encoded = |how: &str, content: &str| {
        let headers = format!("Content-Transfer-Encoding: {how}\r\nContent-Length: 3\r\n");
        read(TYPE, &message(&[root, (&headers, content)])).map(|m| m.parts[0].bytes.clone())
    };
    let cases: [(&str, &str, Outcome); 12] = [
        ("binary", "a=3D", Ok(b"a=3D")),
        ("8BIT", "abcdef", Ok(b"abcdef")),
        ("Base64", "w6kg\r\n w6k=\r\n", Ok("é é".as_bytes())),
        ("base64", "", Ok(b"")),
        ("base64", "!!!!", Err(MtomError::Encoding("base64"))),
        ("base64", "w6k", Err(MtomError::Encoding("base64"))),
        ("quoted-printable", "caf=C3=A9 =\r\nau lait=0D", Ok("café au lait\r".as_bytes())),
        ("quoted-printable", "soft =\nbreak", Ok(b"soft break")),
        ("quoted-printable", "a=G1", Err(MtomError::Encoding("quoted-printable"))),
        ("quoted-printable", "a=+1", Err(MtomError::Encoding("quoted-printable"))),
        ("quoted-printable", "a=", Err(MtomError::Encoding("quoted-printable"))),
        ("x-gzip", "abc", Err(MtomError::Encoding("a known transfer encoding"))),
    ];
    for (how, content, expected) in cases {
        assert_eq!(encoded(how, content), expected.map(Bytes::from_static), "{how}: {content}");
    }
}

#[test]
fn hostile_messages_are_refused() {
    let root = ("Content-ID: <root@x>\r\n", "<e/>");
    let twice = [root, ("Content-ID: <d@x>\r\n", "1"), ("Content-ID: <d@x>\r\n", "2")];
    let headers = "X: y\r\n".repeat(65);
    let long = format!("X: {}\r\n", "y".repeat(9000));
    let cases: [(&str, &str, String, MtomError); 16] = [
        ("not multipart", "application/soap+xml", message(&[root]), MtomError::ContentType),
        ("multipart/mixed", "multipart/mixed; boundary=b", message(&[root]), MtomError::ContentType),
        ("no boundary", "multipart/related", message(&[root]), MtomError::ContentType),
        ("empty boundary", "multipart/related; boundary=\"\"", message(&[root]), MtomError::ContentType),
        ("boundary not ASCII", "multipart/related; boundary=\"é\"", message(&[root]), MtomError::ContentType),
        ("empty body", TYPE, String::new(), MtomError::NoPart),
        ("no delimiter", TYPE, "abc\r\n".to_owned(), MtomError::NoPart),
        ("delimiter inside a line", TYPE, "x--b\r\n\r\n<e/>\r\nx--b--".to_owned(), MtomError::NoPart),
        ("closed at once", TYPE, "--b--\r\n".to_owned(), MtomError::NoPart),
        (
            "cut in the content",
            TYPE,
            message(&[root, ("", "abcdef")]).split("def").next().unwrap_or_default().to_owned(),
            MtomError::Truncated,
        ),
        ("cut before the closing delimiter", TYPE, message(&[root]).replace("\r\n--b--\r\n", ""), MtomError::Truncated),
        ("cut in the headers", TYPE, "--b\r\nContent-ID: <ro".to_owned(), MtomError::Truncated),
        ("start names nothing", TYPE, message(&[("Content-ID: <other@x>\r\n", "<e/>")]), MtomError::MissingRoot),
        ("two parts of one id", TYPE, message(&twice), MtomError::DuplicateId),
        ("a header without colon", TYPE, message(&[root, ("Content-ID <d@x>\r\n", "")]), MtomError::Header { part: 2 }),
        (
            "65 header lines",
            TYPE,
            message(&[root, (&headers, "")]),
            MtomError::TooBig { what: "header lines in a part", limit: 64 },
        ),
    ];
    for (name, content_type, body, expected) in cases {
        assert_eq!(read(content_type, &body).err(), Some(expected), "{name}");
    }
    let refused = read(TYPE, &message(&[root, (&long, "")])).err();
    assert_eq!(refused, Some(MtomError::TooBig { what: "bytes in a header line", limit: 8 << 10 }));

    let limits = Limits { bytes: 1000, root: 10, parts: 2, ..Limits::default() };
    let limited = |body: String| mtom::read(TYPE, Bytes::from(body), &limits).err();
    let big_root = message(&[("Content-ID: <root@x>\r\n", "<eeeeeeeee/>")]);
    assert_eq!(limited(big_root), Some(MtomError::TooBig { what: "bytes in the root part", limit: 10 }));
    assert_eq!(limited(message(&[root, ("", ""), ("", "")])), None, "two parts beside the root");
    let three = message(&[root, ("", ""), ("", ""), ("", "")]);
    assert_eq!(limited(three), Some(MtomError::TooBig { what: "parts", limit: 2 }));
    assert_eq!(limited("x".repeat(1001)), Some(MtomError::TooBig { what: "bytes", limit: 1000 }));
}

#[test]
fn includes_are_resolved_by_the_rules() {
    let incoming = Incoming {
        root: Bytes::new(),
        root_type: String::new(),
        parts: vec![part("doc1@urn:ihe:iti:xds-b:2007", "one"), part("d+2@x", "two"), part("", "anonymous")],
    };
    let resolve = |href: &str| incoming.resolve(href).map(|p| p.bytes.clone());
    let cases: [(&str, Outcome); 9] = [
        ("cid:doc1@urn%3Aihe%3Aiti%3Axds-b%3A2007", Ok(b"one")),
        ("CID:doc1@urn:ihe:iti:xds-b:2007", Ok(b"one")),
        ("cid:d+2@x", Ok(b"two")),
        ("cid:d%2B2%40x", Ok(b"two")),
        ("cid:other", Err(MtomError::MissingPart)),
        ("cid:", Err(MtomError::Href)),
        ("http://x/doc1", Err(MtomError::Href)),
        ("cid:a%2", Err(MtomError::Href)),
        ("cid:a%ff", Err(MtomError::Href)),
    ];
    for (href, expected) in cases {
        assert_eq!(resolve(href), expected.map(Bytes::from_static), "{href}");
    }
    for part in incoming.parts.iter().filter(|p| !p.content_id.is_empty()) {
        assert_eq!(incoming.resolve(&mtom::href(&part.content_id)), Ok(part), "our own href");
    }

    let include = |href: &str| format!("<x:Include xmlns:x='{}' href='{href}'/>", mtom::NS_XOP);
    let (one, two) = (include("cid:doc1@urn:ihe:iti:xds-b:2007"), include("cid:d+2@x"));
    let content: [(&str, String, Outcome); 8] = [
        ("included", one.clone(), Ok(b"one")),
        ("white space around", format!("\n  {one}\n"), Ok(b"one")),
        ("inline base64", "dHdv\n".to_owned(), Ok(b"two")),
        ("empty", String::new(), Ok(b"")),
        ("text beside", format!("x{one}"), Err(MtomError::NotAlone)),
        ("two includes", format!("{one}{two}"), Err(MtomError::NotAlone)),
        ("another element", "<y/>".to_owned(), Err(MtomError::NotAlone)),
        ("no base64", "?".to_owned(), Err(MtomError::Encoding("base64"))),
    ];
    for (name, inner, expected) in content {
        let text = format!("<d>{inner}</d>");
        let document = parse(&text, &XmlLimits::ENVELOPE).expect("well-formed");
        assert_eq!(incoming.content(document.root_element()), expected.map(Bytes::from_static), "{name}");
    }

    let check = |text: String| {
        let document = parse(&text, &XmlLimits::ENVELOPE).expect("well-formed");
        incoming.check_includes(&document)
    };
    assert_eq!(check(format!("<r><d>{one}</d><d>{two}</d></r>")), Ok(()));
    assert_eq!(check(format!("<r><d>{one}</d><d>{one}</d></r>")), Err(MtomError::PartUsedTwice));
    assert_eq!(check(format!("<r><d>{}</d></r>", include("cid:gone"))), Err(MtomError::MissingPart));
    assert_eq!(check(format!("<r><d>{one}{two}</d></r>")), Err(MtomError::NotAlone));
}

#[test]
fn a_fault_comes_as_multipart_or_alone() {
    let fault = soap::Fault::new(soap::FaultCode::Sender, "non");
    let envelope = soap::Outgoing::response("urn:fault", None, fault.to_body_xml()).to_xml();
    let multipart = mtom::write(&envelope, "urn:fault", &[]);
    for (content_type, body) in [
        (multipart.content_type.clone(), multipart.to_bytes()),
        (soap::content_type("urn:fault"), Bytes::from(envelope.clone())),
    ] {
        let incoming = mtom::receive(&content_type, body, &Limits::default()).expect("received");
        let text = std::str::from_utf8(&incoming.root).expect("UTF-8").to_owned();
        let document = parse(&text, &XmlLimits::ENVELOPE).expect("well-formed");
        assert_eq!(soap::read(&document).expect("envelope").fault().as_ref(), Some(&fault));
    }
}

#[test]
fn an_include_is_written_where_a_document_goes() {
    let text = format!("<d>{}</d>", mtom::include("doc1@a:b"));
    let document = parse(&text, &XmlLimits::ENVELOPE).expect("well-formed");
    let include = document.root_element().child(Some(mtom::NS_XOP), "Include").expect("xop:Include");
    assert_eq!(include.attribute("href"), Some("cid:doc1@a%3Ab"));
}

/// Binary content rich in what a delimiter is made of.
fn contents() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\n--".to_vec()),
        Just(b"\n--".to_vec()),
        Just(b"--\r\n".to_vec()),
        Just(b"\r\n--b".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn written_is_read(root in any::<String>(), all in prop::collection::vec(contents(), 0..5)) {
        let parts: Vec<Part> = all.into_iter().enumerate().map(|(i, bytes)| part(&format!("p{i}@x"), bytes)).collect();
        let written = mtom::write(&root, "urn:a", &parts);
        let read = mtom::read(&written.content_type, written.to_bytes(), &Limits::default());
        let read = read.map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(read.root, Bytes::from(root));
        prop_assert_eq!(read.parts, parts);
    }

    /// A content that holds the message's own delimiter is a chance of 1 in 2^128 that nobody waits for; one
    /// that holds part of it is not. What follows that part is no hexadecimal digit, which could complete it.
    #[test]
    fn content_with_a_prefix_of_the_boundary_is_read(cut in 1..64_usize, rest in "[^-0-9a-f]{0,3}") {
        let parts = [part("p@x", "placeholder")];
        let written = mtom::write("<e/>", "urn:a", &parts);
        let media = soap::read_content_type(&written.content_type).expect("content type");
        let boundary = media.parameter("boundary").expect("boundary");
        let tricky = format!("\r\n--{}{rest}\r\n--{boundary}x\r\n", &boundary[..cut]);
        let body = String::from_utf8(written.to_bytes().to_vec()).expect("text").replace("placeholder", &tricky);
        let read = read(&written.content_type, &body).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(&read.parts[0].bytes[..], tricky.as_bytes());
    }

    #[test]
    fn arbitrary_bodies_never_panic(body in contents(), content_type in "multipart/related; boundary=\"?[b\\- ]{0,3}\"?(; start=[<>a]{0,3})?") {
        let _ = mtom::read(&content_type, Bytes::from(body), &Limits::default());
    }

    #[test]
    fn arbitrary_pieces_never_panic(pieces in prop::collection::vec("(--b|--b--|\r\n|\n|Content-ID: <a>|Content-Transfer-Encoding: base64|:|x| )", 0..30)) {
        let _ = mtom::read("multipart/related; boundary=b", Bytes::from(pieces.concat()), &Limits::default());
    }
}
