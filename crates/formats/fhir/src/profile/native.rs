//! Invariants in Rust: the commonest of R4, and those that profiles state in words alone.

use crate::definitions::{Constraint, Structure};
use crate::tape::{Kind, Node};

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
}

impl Native {
    pub(super) fn of(_structure: &Structure, constraint: &Constraint) -> Option<Self> {
        Some(match constraint.expression.as_deref()? {
            "extension.exists() != value.exists()" => Self::Ext1,
            "contained.contained.empty()" => Self::Dom2,
            "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()" => Self::Dom4,
            "contained.meta.security.empty()" => Self::Dom5,
            "text.`div`.exists()" => Self::Dom6,
            "code.empty() or system.exists()" => Self::Qty3,
            "value.empty() or system.exists()" => Self::Cpt2,
            _ => return None,
        })
    }

    /// Whether it holds; none when the FHIRPath has to say.
    pub(super) fn holds(self, node: Node<'_>) -> Option<bool> {
        if node.kind() != Kind::Object {
            return None;
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
            Self::Dom6 => node.at(&["text", "div"]).is_some(),
            Self::Qty3 => has(node, "system") || !has(node, "code"),
            Self::Cpt2 => has(node, "system") || !has(node, "value"),
        })
    }
}

/// The primitive is there, by its value or by what `_name` adds.
fn has(node: Node<'_>, name: &str) -> bool {
    node.get(name).is_some() || node.get(&format!("_{name}")).is_some()
}
