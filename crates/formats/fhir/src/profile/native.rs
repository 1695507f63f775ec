//! Invariants in Rust: the commonest of R4, and those that profiles state in words alone.

use super::pdsm;
use crate::definitions::{Constraint, Structure};
use crate::tape::{Kind, NameId, Node};

/// A rule written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Native {
    /// Either extensions or a value.
    Ext1,
    /// No contained resource in a contained one.
    Dom2,
    /// No versionId nor lastUpdated in a contained resource.
    Dom4,
    /// No security label in a contained resource.
    Dom5,
    /// There should be a narrative.
    Dom6,
    /// A unit's code has a system.
    Qty3,
    /// A telecom value has a system.
    Cpt2,
    /// A contained resource is referred to.
    Dom3,
    /// A local reference leads to a contained resource.
    Ref1,
    /// A period does not end before it starts.
    Per1,
    /// With two conditions or more it is said how they combine. R4 writes `> 2`, its words say "more than one".
    Que12,
    /// `exists` is answered by a boolean.
    Que7,
    /// A dateTime is precise to the day. R4 writes it without the "if it is a dateTime" of its words: a Period,
    /// which its vital signs allow too, is not meant.
    Vs1,
    /// A rule that PDSm states in words.
    Pdsm(pdsm::Rule),
}

impl Native {
    pub(super) fn of(structure: &Structure, constraint: &Constraint) -> Option<Self> {
        let Some(expression) = constraint.expression.as_deref() else {
            return pdsm::Rule::of(&structure.url, &constraint.key).map(Self::Pdsm);
        };
        Some(match expression {
            "extension.exists() != value.exists()" => Self::Ext1,
            "contained.contained.empty()" => Self::Dom2,
            "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()" => Self::Dom4,
            "contained.meta.security.empty()" => Self::Dom5,
            "text.`div`.exists()" => Self::Dom6,
            "code.empty() or system.exists()" => Self::Qty3,
            "value.empty() or system.exists()" => Self::Cpt2,
            "start.hasValue().not() or end.hasValue().not() or (start <= end)" => Self::Per1,
            "operator = 'exists' implies (answer is Boolean)" => Self::Que7,
            "($this as dateTime).toString().length() >= 8" => Self::Vs1,
            "enableWhen.count() > 2 implies enableBehavior.exists()" => Self::Que12,
            text if text.starts_with("reference.startsWith('#').not() or (reference.substring(1)") => Self::Ref1,
            text if text.starts_with("contained.where((('#'+id in (%resource.descendants().reference") => Self::Dom3,
            _ => return None,
        })
    }

    /// Whether it holds; none when the FHIRPath has to say.
    pub(super) fn holds(self, node: Node<'_>) -> Option<bool> {
        if let Self::Pdsm(rule) = self {
            return rule.holds(node);
        }
        if node.kind() != Kind::Object {
            return None;
        }
        match self {
            // An empty `reference` makes the FHIRPath empty too; no validator takes that for a fault.
            Self::Ref1 => {
                let reference = node.text("reference").unwrap_or_default();
                return (!reference.starts_with('#') || reference == "#").then_some(true);
            }
            Self::Dom3 => return every_contained_is_named(node).then_some(true),
            Self::Vs1 => return Some(true),
            Self::Per1 => return in_order(node.text("start"), node.text("end")),
            _ => {}
        }
        let contained = |way: &[&str]| !node.all("contained").any(|resource| resource.at(way).is_some());
        Some(match self {
            Self::Ext1 => {
                let has_value =
                    node.members().any(|(name, _)| name.strip_prefix('_').unwrap_or(name).starts_with("value"));
                node.get("extension").is_some() != has_value
            }
            Self::Dom2 => contained(&["contained"]),
            Self::Dom4 => contained(&["meta", "versionId"]) && contained(&["meta", "lastUpdated"]),
            Self::Dom5 => contained(&["meta", "security"]),
            // A contained resource has no narrative of its own (FHIR R4, DomainResource.text).
            Self::Dom6 => node.at(&["text", "div"]).is_some() || is_contained(node),
            Self::Qty3 => has(node, "system") || !has(node, "code"),
            Self::Cpt2 => has(node, "system") || !has(node, "value"),
            Self::Que7 => node.text("operator") != Some("exists") || has(node, "answerBoolean"),
            Self::Que12 => node.all("enableWhen").count() < 2 || has(node, "enableBehavior"),
            Self::Dom3 | Self::Ref1 | Self::Per1 | Self::Vs1 | Self::Pdsm(_) => return None,
        })
    }
}

fn is_contained(resource: Node<'_>) -> bool {
    resource.parent().is_some_and(|list| list.name() == Some("contained"))
}

/// The primitive is there, by its value or by what `_name` adds.
fn has(node: Node<'_>, name: &str) -> bool {
    let Some(id) = NameId::of(name) else { return false };
    let companion = || id.companion().and_then(|extra| node.get_id(extra));
    node.get_id(id).or_else(companion).is_some()
}

/// No resource is contained, or each is named by some text of the resource; what else may justify one, the
/// FHIRPath knows.
fn every_contained_is_named(resource: Node<'_>) -> bool {
    let mut ids = resource.all("contained").map(|held| held.text("id")).peekable();
    if ids.peek().is_none() {
        return true;
    }
    ids.all(|id| id.is_some_and(|id| is_named(resource, id)))
}

fn is_named(resource: Node<'_>, id: &str) -> bool {
    let mut open = vec![resource];
    while let Some(node) = open.pop() {
        match node.kind() {
            Kind::Object => open.extend(node.member_nodes()),
            Kind::Array => open.extend(node.items()),
            Kind::String if node.str().is_some_and(|text| names(node.name(), text, id)) => return true,
            _ => {}
        }
    }
    false
}

/// The text is `#id`, or a narrative that has it as a link.
fn names(name: Option<&str>, text: &str, id: &str) -> bool {
    text.strip_prefix('#') == Some(id) || (name == Some("div") && text.contains(&format!("\"#{id}\"")))
}

/// Two moments in order; none when their texts do not tell: other precisions, other zones.
fn in_order(start: Option<&str>, end: Option<&str>) -> Option<bool> {
    let (Some(start), Some(end)) = (start, end) else { return Some(true) };
    let is_date = |text: &str| text.len() == 10 && text.is_ascii();
    (is_date(start) && is_date(end)).then(|| start <= end)
}
