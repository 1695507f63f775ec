//! Parts of resources: `_summary` and `_elements` (FHIR R4 §3.1.1.5.7, .8). What is left out is said by a tag.

use socle_fhir::definitions::{Structure, TypeId, TypeKind, r4, types};
use socle_fhir::{Document, IssueType, NameId, Node};
use socle_finding::Text;

use crate::problem::{Answered, Problem};

const SUBSETTED: &str = r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;

/// How much of each resource is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    /// What the definitions mark as summary.
    Summary,
    /// The narrative, and what must be there.
    Text,
    /// All but the narrative.
    Data,
    /// The number of resources alone.
    Count,
    /// These members, and what must be there.
    Elements(Vec<String>),
}

impl Shape {
    pub(crate) fn of(pairs: &[(String, String)]) -> Answered<Self> {
        let get = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let wrong = || {
            Problem::bad_request(
                IssueType::Value,
                "search.html#summary",
                Text::fixed("_summary n'a pas une valeur connue", "_summary has no known value"),
                Text::fixed("true, text, data, count ou false", "true, text, data, count or false"),
            )
        };
        match get("_summary") {
            Some("true") => Ok(Self::Summary),
            Some("text") => Ok(Self::Text),
            Some("data") => Ok(Self::Data),
            Some("count") => Ok(Self::Count),
            None | Some("false") => Ok(get("_elements").map_or(Self::Whole, |list| {
                Self::Elements(list.split(',').map(|one| one.trim().to_owned()).collect())
            })),
            Some(_) => Err(wrong()),
        }
    }

    /// The resource in this shape.
    pub(crate) fn apply(&self, json: Vec<u8>) -> Vec<u8> {
        if matches!(self, Self::Whole | Self::Count) {
            return json;
        }
        let Ok(document) = Document::parse(json) else { return Vec::new() };
        let root = document.root();
        let Some(kind) = root.resource_type().and_then(|name| types().resource(name)) else {
            return document.bytes().to_vec();
        };
        let mut out = Vec::with_capacity(document.bytes().len());
        self.object(&mut out, root, kind, true);
        out
    }

    fn object(&self, out: &mut Vec<u8>, node: Node<'_>, owner: TypeId, is_root: bool) {
        let structure = r4().type_named(types().name(types().root(owner)));
        out.push(b'{');
        let mut is_first = true;
        for (name, value) in node.members() {
            if !self.keeps(owner, value.name_id(), name, is_root, structure.as_deref()) {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            out.extend_from_slice(format!("\"{name}\":").as_bytes());
            if is_root && name == "meta" {
                tagged(out, value);
            } else {
                self.value(out, value, owner);
            }
        }
        out.push(b'}');
    }

    /// Elements defined where they stand have a summary of their own; datatypes are whole.
    fn value(&self, out: &mut Vec<u8>, value: Node<'_>, owner: TypeId) {
        let child = types().child(owner, value.name_id()).filter(|_| *self == Self::Summary);
        let Some(inner) = child.map(|child| child.type_id).filter(|id| types().kind(*id) == TypeKind::Backbone) else {
            out.extend_from_slice(value.raw().as_bytes());
            return;
        };
        if value.kind() != socle_fhir::Kind::Array {
            self.object(out, value, inner, false);
            return;
        }
        out.push(b'[');
        for (at, item) in value.items().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            self.object(out, item, inner, false);
        }
        out.push(b']');
    }

    fn keeps(&self, owner: TypeId, id: NameId, name: &str, is_root: bool, structure: Option<&Structure>) -> bool {
        if is_root && matches!(name, "resourceType" | "id" | "meta") {
            return true;
        }
        let id = id.companion_of().unwrap_or(id);
        let Some(child) = types().child(owner, id) else { return false };
        let is_summary =
            || structure.and_then(|it| it.elements.get(usize::from(child.element))).is_some_and(|it| it.is_summary);
        let base = child.base.text().unwrap_or(name);
        match self {
            Self::Whole | Self::Count => true,
            Self::Summary => is_summary(),
            Self::Data => !(is_root && name == "text"),
            Self::Text => child.required || name == "text",
            Self::Elements(wanted) => {
                child.required || wanted.iter().any(|one| one == base || one == name.trim_start_matches('_'))
            }
        }
    }
}

/// A meta with the tag that says that the resource is not whole.
fn tagged(out: &mut Vec<u8>, meta: Node<'_>) {
    out.push(b'{');
    for (name, value) in meta.members().filter(|(name, _)| *name != "tag") {
        out.extend_from_slice(format!("\"{name}\":{},", value.raw()).as_bytes());
    }
    out.extend_from_slice(b"\"tag\":[");
    for tag in meta.all("tag") {
        out.extend_from_slice(tag.raw().as_bytes());
        out.push(b',');
    }
    out.extend_from_slice(SUBSETTED.as_bytes());
    out.extend_from_slice(b"]}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_keeps_what_it_says() {
        let resource = r#"{"resourceType":"Observation","id":"x","meta":{"versionId":"1","tag":[{"code":"a"}]},"text":{"status":"generated","div":"<div/>"},"status":"final","code":{"text":"c"},"note":[{"text":"n"}],"component":[{"code":{"text":"d"},"interpretation":[{"text":"high"}]}]}"#;
        let rows: [(&str, &str, &[&str]); 5] = [
            ("_summary", "true", &["status", "code", "component"]),
            ("_summary", "data", &["status", "code", "note", "component"]),
            ("_summary", "text", &["text", "status", "code"]),
            ("_elements", "note,unknown", &["status", "code", "note"]),
            ("_elements", "component", &["status", "code", "component"]),
        ];
        for (name, value, expected) in rows {
            let shape = Shape::of(&[(name.to_owned(), value.to_owned())]).unwrap();
            let document = Document::parse(shape.apply(resource.as_bytes().to_vec())).unwrap();
            let members: Vec<&str> = document.root().members().map(|(name, _)| name).collect();
            assert_eq!(members, [&["resourceType", "id", "meta"], expected].concat(), "{name}={value}");
            assert_eq!(document.root().at(&["meta"]).unwrap().all("tag").count(), 2);
            let inner = document.root().all("component").next().map(|one| one.get("interpretation").is_some());
            assert_eq!(inner, expected.contains(&"component").then_some(value != "true"), "{name}={value}");
        }
        assert!(Shape::of(&[("_summary".into(), "some".into())]).is_err());
    }
}
