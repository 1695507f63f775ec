//! References inside a transaction: found by the type of the element that holds them, replaced in the text.

use std::collections::HashMap;

use socle_fhir::Node;
use socle_fhir::definitions::{PrimitiveKind, TypeId, types};

/// JSON whose references were replaced.
pub(super) struct Replaced(pub(super) Vec<u8>);

/// The references of a resource that are criteria: `Patient?identifier=…`.
pub(super) fn conditional(root: Node<'_>) -> Vec<String> {
    let mut found = Vec::new();
    each(root, &mut |node, is_reference, _| {
        let text = node.str().unwrap_or_default();
        let kind = text.split_once('?').map(|(kind, _)| kind);
        if is_reference
            && kind.is_some_and(|kind| types().resource(kind).is_some())
            && !found.iter().any(|one| one == text)
        {
            found.push(text.to_owned());
        }
    });
    found
}

/// The resource with each `fullUrl` of the bundle replaced by what it is called here: in references, in elements of
/// type uri, url, oid and uuid, and in the links and images of narratives (FHIR R4 §3.1.0.11.2). Canonicals stay.
pub(super) fn replaced(root: Node<'_>, names: &HashMap<String, String>) -> Replaced {
    let start = root.raw().as_ptr() as usize;
    let mut out = Vec::with_capacity(root.raw().len());
    let mut done = 0;
    each(root, &mut |node, _, is_narrative| {
        let Some(text) = node.str() else { return };
        let new = if is_narrative { in_narrative(text, names) } else { name_of(text, names) };
        let Some(new) = new else { return };
        let at = node.raw().as_ptr() as usize - start;
        out.extend_from_slice(&root.raw().as_bytes()[done..at]);
        out.extend_from_slice(quoted(&new).as_bytes());
        done = at + node.raw().len();
    });
    out.extend_from_slice(&root.raw().as_bytes()[done..]);
    Replaced(out)
}

/// A name, with what may follow it: a version or a fragment.
fn name_of(text: &str, names: &HashMap<String, String>) -> Option<String> {
    if let Some(name) = names.get(text) {
        return Some(name.clone());
    }
    let (url, fragment) = text.split_once('#')?;
    Some(format!("{}#{fragment}", names.get(url)?))
}

fn in_narrative(text: &str, names: &HashMap<String, String>) -> Option<String> {
    let mut new = None;
    for (url, name) in names {
        for quote in ['"', '\''] {
            for attribute in ["href", "src"] {
                let (old, by) =
                    (format!("{attribute}={quote}{url}{quote}"), format!("{attribute}={quote}{name}{quote}"));
                let current = new.as_deref().unwrap_or(text);
                if current.contains(&old) {
                    new = Some(current.replace(&old, &by));
                }
            }
        }
    }
    new
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Visits what may hold a reference, in document order: whether it is a `Reference.reference`, whether it is XHTML.
fn each<'a>(root: Node<'a>, visit: &mut impl FnMut(Node<'a>, bool, bool)) {
    if let Some(kind) = root.resource_type().and_then(|name| types().resource(name)) {
        members(root, kind, visit);
    }
}

fn members<'a>(node: Node<'a>, owner: TypeId, visit: &mut impl FnMut(Node<'a>, bool, bool)) {
    for (name, value) in node.members() {
        if let Some(base) = value.name_id().companion_of() {
            // `_name` holds extensions beside a primitive.
            let element = types().child(owner, base).and_then(|_| types().named("Element"));
            if let Some(element) = element {
                value_of(value, element, false, visit);
            }
            continue;
        }
        let Some(child) = types().child(owner, value.name_id()) else { continue };
        let is_reference = name == "reference" && types().name(owner) == "Reference";
        value_of(value, child.type_id, is_reference, visit);
    }
}

fn value_of<'a>(value: Node<'a>, kind: TypeId, is_reference: bool, visit: &mut impl FnMut(Node<'a>, bool, bool)) {
    match value.kind() {
        socle_fhir::Kind::Array => value.items().for_each(|item| value_of(item, kind, is_reference, visit)),
        socle_fhir::Kind::Object if value.resource_type().is_some() => each(value, visit),
        socle_fhir::Kind::Object => members(value, kind, visit),
        socle_fhir::Kind::String => match types().primitive(kind) {
            Some(PrimitiveKind::Uri | PrimitiveKind::Url | PrimitiveKind::Oid | PrimitiveKind::Uuid) => {
                visit(value, is_reference, false);
            }
            Some(PrimitiveKind::Xhtml) => visit(value, false, true),
            _ if is_reference => visit(value, true, false),
            _ => {}
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use socle_fhir::Document;

    use super::*;

    #[test]
    fn references_are_replaced_where_the_standard_says_and_nowhere_else() {
        let names = HashMap::from([("urn:uuid:1".to_owned(), "Patient/x".to_owned())]);
        let rows = [
            (
                r#"{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"}}"#,
                r#"{"resourceType":"Observation","subject":{"reference":"Patient/x"}}"#,
            ),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"urn:uuid:1#c"},"focus":[{"reference":"urn:uuid:2"},{"reference":"urn:uuid:1"}]}"#,
                r#"{"resourceType":"Observation","subject":{"reference":"Patient/x#c"},"focus":[{"reference":"urn:uuid:2"},{"reference":"Patient/x"}]}"#,
            ),
            (
                r#"{"resourceType":"DocumentReference","identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:1"}],"content":[{"attachment":{"url":"urn:uuid:1"}}]}"#,
                r#"{"resourceType":"DocumentReference","identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:1"}],"content":[{"attachment":{"url":"Patient/x"}}]}"#,
            ),
            (
                r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div><a href=\"urn:uuid:1\">urn:uuid:1</a></div>"}}"#,
                r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div><a href=\"Patient/x\">urn:uuid:1</a></div>"}}"#,
            ),
            (
                r#"{"resourceType":"Patient","extension":[{"url":"urn:x","valueReference":{"reference":"urn:uuid:1"}}],"_birthDate":{"extension":[{"url":"urn:x","valueUri":"urn:uuid:1"}]}}"#,
                r#"{"resourceType":"Patient","extension":[{"url":"urn:x","valueReference":{"reference":"Patient/x"}}],"_birthDate":{"extension":[{"url":"urn:x","valueUri":"Patient/x"}]}}"#,
            ),
            (
                r#"{"resourceType":"QuestionnaireResponse","questionnaire":"urn:uuid:1","contained":[{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"}}]}"#,
                r#"{"resourceType":"QuestionnaireResponse","questionnaire":"urn:uuid:1","contained":[{"resourceType":"Observation","subject":{"reference":"Patient/x"}}]}"#,
            ),
        ];
        for (received, expected) in rows {
            let document = Document::parse(received.as_bytes().to_vec()).unwrap();
            let Replaced(json) = replaced(document.root(), &names);
            assert_eq!(String::from_utf8(json).unwrap(), expected);
        }
    }

    #[test]
    fn criteria_are_found_in_references_only() {
        let text = r#"{"resourceType":"Observation","implicitRules":"Patient?x=y","subject":{"reference":"Patient?identifier=a|b"},"focus":[{"reference":"Patient?identifier=a|b"},{"reference":"http://x/y?z"}]}"#;
        let document = Document::parse(text.as_bytes().to_vec()).unwrap();
        assert_eq!(conditional(document.root()), ["Patient?identifier=a|b"]);
    }
}
