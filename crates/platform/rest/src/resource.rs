//! A resource as it comes in, as it is kept, and as it goes out.
//!
//! It is kept as received, without white space, under a head that is always written in the same way:
//! `{"resourceType":"…","id":"…","meta":{`. What the store decides (version, instant) is put in there when the
//! resource goes out: nothing is parsed or written anew.

use bytes::Bytes;
use http::StatusCode;
use socle_fhir::definitions::types;
use socle_fhir::{Document, IssueType, Node, xml};
use socle_finding::Text;
use socle_store::Version;

use crate::problem::{Answered, Problem};

/// Whether a text is a logical id (FHIR R4 §2.24.0.1 id).
pub(crate) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

/// Reads a body as a document in JSON, whatever it was written in.
pub(crate) fn read(body: &Bytes, is_xml: bool) -> Answered<Document> {
    let document = if is_xml {
        let read = xml::read(body.clone()).map_err(|error| unreadable(error.issue()))?;
        Document::parse(read.root().json()).map_err(|error| unreadable(error.issue()))?
    } else {
        Document::parse(body.clone()).map_err(|error| unreadable(error.issue()))?
    };
    Ok(document)
}

fn unreadable(issue: socle_fhir::Issue) -> Problem {
    Problem { status: StatusCode::BAD_REQUEST, issues: vec![issue] }
}

/// The type that a resource says, which has to be the one that the address says.
pub(crate) fn check_type(root: Node<'_>, kind: &str) -> Answered<()> {
    if root.resource_type() == Some(kind) && types().resource(kind).is_some() {
        return Ok(());
    }
    Err(Problem::bad_request(
        IssueType::Invalid,
        "http.html#create",
        Text::fixed(
            "le corps n'est pas une ressource du type de l'adresse",
            "the body is no resource of the type in the address",
        ),
        Text::fixed("corrigez resourceType, ou l'adresse", "mend resourceType, or the address"),
    ))
}

/// The bytes to keep of a resource under an id.
pub(crate) fn kept(root: Node<'_>, kind: &str, id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(root.raw().len() + 64);
    out.extend_from_slice(head(kind, id).as_bytes());
    let meta = root.get("meta").map(Node::members);
    let theirs = meta.into_iter().flatten().filter(|(name, _)| !matches!(*name, "versionId" | "lastUpdated"));
    for (at, (name, value)) in theirs.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        member(&mut out, name, value);
    }
    out.push(b'}');
    for (name, value) in root.members().filter(|(name, _)| !matches!(*name, "resourceType" | "id" | "meta")) {
        out.push(b',');
        member(&mut out, name, value);
    }
    out.push(b'}');
    out
}

fn member(out: &mut Vec<u8>, name: &str, value: Node<'_>) {
    // A name that needs an escape is none of FHIR's, and refused by the validator where there is one.
    out.push(b'"');
    out.extend(name.bytes().filter(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)));
    out.extend_from_slice(b"\":");
    minified(out, value.raw().as_bytes());
}

/// JSON without the white space between its tokens.
fn minified(out: &mut Vec<u8>, json: &[u8]) {
    let mut in_string = false;
    let mut escaped = false;
    for &byte in json {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            continue;
        } else {
            in_string = byte == b'"';
        }
        out.push(byte);
    }
}

fn head(kind: &str, id: &str) -> String {
    format!("{{\"resourceType\":\"{kind}\",\"id\":\"{id}\",\"meta\":{{")
}

/// A version as it goes out.
pub(crate) fn shown(version: &Version) -> Vec<u8> {
    stamped(&version.kind, &version.id, version.version, version.at, &version.body)
}

/// Kept bytes with the version and the instant that the store gave.
pub(crate) fn stamped(kind: &str, id: &str, version: u64, at: jiff::Timestamp, body: &[u8]) -> Vec<u8> {
    let meta = head(kind, id).len();
    let (before, after) = body.split_at_checked(meta).unwrap_or((body, &[]));
    let mut out = Vec::with_capacity(body.len() + 80);
    out.extend_from_slice(before);
    out.extend_from_slice(format!("\"versionId\":\"{version}\",\"lastUpdated\":\"{}\"", instant(at)).as_bytes());
    if after.first() != Some(&b'}') {
        out.push(b',');
    }
    out.extend_from_slice(after);
    out
}

/// `2026-11-24T22:10:08.123456Z`
pub(crate) fn instant(at: jiff::Timestamp) -> String {
    format!("{at:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_kept_as_it_came_under_its_own_head() {
        let rows = [
            (r#"{"resourceType":"Patient"}"#, r#"{"resourceType":"Patient","id":"x","meta":{}}"#),
            (
                "{ \"id\" : \"other\",\n \"active\": true,\t\"resourceType\":\"Patient\", \"meta\": {\"versionId\":\"9\", \"tag\":[ {\"code\":\"a \\\" b\"} ]} }",
                r#"{"resourceType":"Patient","id":"x","meta":{"tag":[{"code":"a \" b"}]},"active":true}"#,
            ),
            (
                r#"{"resourceType":"Observation","valueQuantity":{"value":1.00}}"#,
                r#"{"resourceType":"Observation","id":"x","meta":{},"valueQuantity":{"value":1.00}}"#,
            ),
        ];
        for (received, expected) in rows {
            let document = Document::parse(received.as_bytes().to_vec()).unwrap();
            let kind = document.root().resource_type().unwrap();
            assert_eq!(String::from_utf8(kept(document.root(), kind, "x")).unwrap(), expected);
        }
        let at = jiff::Timestamp::from_second(0).unwrap();
        let shown = |body: &str| String::from_utf8(stamped("Patient", "x", 3, at, body.as_bytes())).unwrap();
        assert_eq!(
            shown(r#"{"resourceType":"Patient","id":"x","meta":{},"active":true}"#),
            r#"{"resourceType":"Patient","id":"x","meta":{"versionId":"3","lastUpdated":"1970-01-01T00:00:00.000000Z"},"active":true}"#
        );
        assert!(shown(r#"{"resourceType":"Patient","id":"x","meta":{"tag":[]}}"#).contains(r#"Z","tag":[]}}"#));
    }

    #[test]
    fn ids_are_those_of_fhir() {
        for (text, expected) in [
            ("a", true),
            ("A-1.b", true),
            ("", false),
            (&"a".repeat(65), false),
            ("a_b", false),
            ("é", false),
            ("a/b", false),
        ] {
            assert_eq!(is_id(text), expected, "{text}");
        }
    }
}
