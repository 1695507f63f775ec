//! What is kept of each resource: the members that say a fact. Everything else is prose or history.

use serde_json::{Map, Value};

use super::Resource;

/// What to keep of an object: member names, and what to keep inside them.
struct Keep {
    /// Kept whole.
    whole: &'static [&'static str],
    /// Kept whole, any member that starts so (`fixedUri`, `patternCoding`).
    prefixes: &'static [&'static str],
    /// Kept in part.
    parts: &'static [(&'static str, &'static Self)],
    /// Extensions kept, by URL.
    extensions: &'static [&'static str],
}

const NOTHING: Keep = Keep { whole: &[], prefixes: &[], parts: &[], extensions: &[] };

static STRUCTURE: Keep = Keep {
    whole: &[
        "resourceType",
        "id",
        "url",
        "version",
        "name",
        "status",
        "kind",
        "abstract",
        "context",
        "contextInvariant",
        "type",
        "baseDefinition",
        "derivation",
    ],
    parts: &[("snapshot", &SNAPSHOT)],
    ..NOTHING
};
static SNAPSHOT: Keep = Keep { parts: &[("element", &ELEMENT)], ..NOTHING };
static ELEMENT: Keep = Keep {
    whole: &[
        "id",
        "path",
        "sliceName",
        "sliceIsConstraining",
        "min",
        "max",
        "base",
        "contentReference",
        "maxLength",
        "mustSupport",
        "isModifier",
        "isSummary",
        "representation",
    ],
    prefixes: &["fixed", "pattern", "minValue", "maxValue", "defaultValue"],
    parts: &[("type", &TYPE), ("constraint", &CONSTRAINT), ("binding", &BINDING), ("slicing", &SLICING)],
    ..NOTHING
};
static TYPE: Keep = Keep {
    whole: &["code", "profile", "targetProfile", "aggregation", "versioning"],
    extensions: &[
        "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type",
        "http://hl7.org/fhir/StructureDefinition/regex",
    ],
    ..NOTHING
};
static CONSTRAINT: Keep = Keep {
    whole: &["key", "severity", "expression", "source"],
    extensions: &["http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice"],
    ..NOTHING
};
static BINDING: Keep = Keep {
    whole: &["strength", "valueSet"],
    extensions: &["http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"],
    ..NOTHING
};
static SLICING: Keep = Keep { whole: &["discriminator", "ordered", "rules"], ..NOTHING };

static SEARCH_PARAMETER: Keep = Keep {
    whole: &[
        "resourceType",
        "id",
        "url",
        "version",
        "name",
        "status",
        "derivedFrom",
        "code",
        "base",
        "type",
        "expression",
        "target",
        "multipleOr",
        "multipleAnd",
        "comparator",
        "modifier",
        "chain",
        "component",
    ],
    ..NOTHING
};

static OPERATION: Keep = Keep {
    whole: &[
        "resourceType",
        "id",
        "url",
        "version",
        "name",
        "status",
        "kind",
        "affectsState",
        "code",
        "base",
        "resource",
        "system",
        "type",
        "instance",
        "inputProfile",
        "outputProfile",
    ],
    parts: &[("parameter", &PARAMETER)],
    ..NOTHING
};
static PARAMETER: Keep = Keep {
    whole: &["name", "use", "min", "max", "type", "targetProfile", "searchType", "binding"],
    parts: &[("part", &PARAMETER)],
    ..NOTHING
};

static COMPARTMENT: Keep = Keep {
    whole: &["resourceType", "id", "url", "version", "name", "status", "code", "search"],
    parts: &[("resource", &COMPARTMENT_RESOURCE)],
    ..NOTHING
};
static COMPARTMENT_RESOURCE: Keep = Keep { whole: &["code", "param"], ..NOTHING };

static CODE_SYSTEM: Keep = Keep {
    whole: &[
        "resourceType",
        "id",
        "language",
        "url",
        "version",
        "name",
        "title",
        "status",
        "experimental",
        "caseSensitive",
        "valueSet",
        "hierarchyMeaning",
        "compositional",
        "versionNeeded",
        "content",
        "supplements",
        "count",
    ],
    parts: &[("filter", &FILTER), ("property", &PROPERTY), ("concept", &CONCEPT)],
    ..NOTHING
};
static FILTER: Keep = Keep { whole: &["code", "operator", "value"], ..NOTHING };
static PROPERTY: Keep = Keep { whole: &["code", "uri", "type"], ..NOTHING };
static CONCEPT: Keep = Keep {
    whole: &["code", "display", "property"],
    parts: &[("concept", &CONCEPT)],
    extensions: &["http://hl7.org/fhir/StructureDefinition/codesystem-replacedby"],
    ..NOTHING
};

static VALUE_SET: Keep = Keep {
    whole: &[
        "resourceType",
        "id",
        "language",
        "url",
        "version",
        "name",
        "title",
        "status",
        "experimental",
        "immutable",
    ],
    parts: &[("compose", &COMPOSE), ("expansion", &EXPANSION)],
    ..NOTHING
};
static COMPOSE: Keep =
    Keep { whole: &["lockedDate", "inactive"], parts: &[("include", &INCLUDE), ("exclude", &INCLUDE)], ..NOTHING };
static INCLUDE: Keep =
    Keep { whole: &["system", "version", "filter", "valueSet"], parts: &[("concept", &REFERENCE)], ..NOTHING };
static REFERENCE: Keep = Keep { whole: &["code", "display"], ..NOTHING };
static EXPANSION: Keep = Keep {
    whole: &["identifier", "timestamp", "total", "offset", "parameter"],
    parts: &[("contains", &CONTAINS)],
    ..NOTHING
};
static CONTAINS: Keep = Keep {
    whole: &["system", "abstract", "inactive", "version", "code", "display"],
    parts: &[("contains", &CONTAINS)],
    ..NOTHING
};

static CONCEPT_MAP: Keep = Keep {
    whole: &["resourceType", "id", "url", "version", "name", "title", "status"],
    prefixes: &["source", "target"],
    parts: &[("group", &GROUP)],
    ..NOTHING
};
static GROUP: Keep = Keep {
    whole: &["source", "sourceVersion", "target", "targetVersion", "unmapped"],
    parts: &[("element", &MAPPED)],
    ..NOTHING
};
static MAPPED: Keep = Keep { whole: &["code", "display"], parts: &[("target", &MAPPED_TO)], ..NOTHING };
static MAPPED_TO: Keep = Keep { whole: &["code", "display", "equivalence", "dependsOn", "product"], ..NOTHING };

/// The facts of a resource; none for a kind that we do not carry.
pub(super) fn keep(resource: &Value) -> Option<Resource> {
    let kind = resource["resourceType"].as_str()?;
    let keep = match kind {
        "StructureDefinition" => &STRUCTURE,
        "SearchParameter" => &SEARCH_PARAMETER,
        "OperationDefinition" => &OPERATION,
        "CompartmentDefinition" => &COMPARTMENT,
        "CodeSystem" => &CODE_SYSTEM,
        "ValueSet" => &VALUE_SET,
        "ConceptMap" => &CONCEPT_MAP,
        _ => return None,
    };
    let (kind, id) = (kind.to_owned(), resource["id"].as_str()?.to_owned());
    Some(Resource { kind, id, body: of(resource, keep)? })
}

/// None for an object of which nothing is kept: FHIR writes no empty object.
fn of(value: &Value, keep: &Keep) -> Option<Value> {
    match value {
        Value::Object(members) => {
            let members: Map<_, _> = members.iter().filter_map(|(name, value)| member(name, value, keep)).collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(|item| of(item, keep)).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        scalar => Some(scalar.clone()),
    }
}

fn member(name: &str, value: &Value, keep: &Keep) -> Option<(String, Value)> {
    let kept = if keep.whole.contains(&name) || keep.prefixes.iter().any(|prefix| name.starts_with(prefix)) {
        value.clone()
    } else if let Some((_, inside)) = keep.parts.iter().find(|(part, _)| *part == name) {
        of(value, inside)?
    } else if name == "extension" {
        extensions(value, keep)?
    } else {
        return None;
    };
    Some((name.to_owned(), kept))
}

fn extensions(value: &Value, keep: &Keep) -> Option<Value> {
    let is_kept = |extension: &&Value| extension["url"].as_str().is_some_and(|url| keep.extensions.contains(&url));
    let kept: Vec<Value> = value.as_array()?.iter().filter(is_kept).cloned().collect();
    (!kept.is_empty()).then_some(Value::Array(kept))
}
