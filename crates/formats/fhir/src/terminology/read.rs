//! From the tape to the models.

use super::code_system::{CodeSystem, CodeSystemBuilder};
use super::model::{
    Coding, Compose, Concept, ConceptMap, Contained, Content, Designation, Extension, Filter, FilterOp, Header,
    Include, IncludedConcept, MapElement, MapGroup, MapTarget, NamingSystem, Property, PropertyDefinition,
    PropertyValue, Unmapped, ValueSet,
};
use crate::tape::Node;

const STANDARDS_STATUS: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-standards-status";
const SUPPLEMENT: &str = "http://hl7.org/fhir/StructureDefinition/valueset-supplement";
const EXPANSION_PARAMETER: [&str; 2] = [
    "http://hl7.org/fhir/StructureDefinition/valueset-expansion-parameter",
    "http://hl7.org/fhir/tools/StructureDefinition/valueset-expansion-parameter",
];

/// Why a resource is not a terminology that we can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Another resource type.
    #[error("the resource is not a {0}")]
    NotA(&'static str),
    /// The element is required and absent.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The element has a value that FHIR does not know.
    #[error("{0} has an unknown value")]
    Unknown(&'static str),
}

/// A CodeSystem.
///
/// ```
/// use socle_fhir::{Document, terminology};
///
/// let json = r#"{"resourceType":"CodeSystem","url":"http://example.org/c","content":"complete",
///     "concept":[{"code":"a","display":"A","concept":[{"code":"b"}]}]}"#;
/// let system = terminology::read_code_system(Document::parse(json)?.root())?;
/// assert_eq!((system.len(), system.find("b")), (2, Some(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When it is no CodeSystem, or has no `content`. A missing `url` is read as an empty one: contained
/// and inline resources may have none.
pub fn read_code_system(node: Node<'_>) -> Result<CodeSystem, ReadError> {
    expect(node, "CodeSystem")?;
    let content = node.text("content").ok_or(ReadError::Missing("CodeSystem.content"))?;
    let content = Content::of(content).ok_or(ReadError::Unknown("CodeSystem.content"))?;
    let mut builder = CodeSystemBuilder::new("", content);
    builder
        .header(header(node))
        // "If this value is missing, then it is not specified": the stricter reading finds fewer false matches.
        .case_sensitive(node.get("caseSensitive").and_then(Node::bool).unwrap_or(true))
        .value_set(node.text("valueSet"))
        .supplements(node.text("supplements"));
    for property in node.all("property") {
        builder.property(PropertyDefinition {
            code: boxed(property, "code").unwrap_or_default(),
            uri: boxed(property, "uri"),
            kind: boxed(property, "type").unwrap_or_default(),
        });
    }
    // Without recursion, and parents before children: the order of the document.
    let mut open = vec![(node.all("concept"), None)];
    while let Some((mut siblings, parent)) = open.pop() {
        let Some(concept) = siblings.next() else { continue };
        open.push((siblings, parent));
        let id = builder.add(read_concept(concept), parent);
        open.push((concept.all("concept"), Some(id)));
    }
    Ok(builder.finish())
}

fn read_concept(node: Node<'_>) -> Concept {
    Concept {
        code: boxed(node, "code").unwrap_or_default(),
        display: boxed(node, "display"),
        definition: boxed(node, "definition"),
        designations: node.all("designation").map(designation).collect(),
        properties: node.all("property").filter_map(property).collect(),
        extensions: extensions(node),
    }
}

fn designation(node: Node<'_>) -> Designation {
    let extensions = extensions(node);
    let status = extensions.iter().find(|ext| &*ext.url == STANDARDS_STATUS);
    let status = status.and_then(|ext| ext.value.as_ref()).map(|value| value.text().into());
    Designation {
        language: boxed(node, "language"),
        usage: node.get("use").map(coding),
        value: node.text("value").unwrap_or_default().trim().into(),
        status,
        source: None,
        extensions,
    }
}

fn property(node: Node<'_>) -> Option<Property> {
    Some(Property { code: boxed(node, "code")?, value: value(node)? })
}

/// The `value[x]` of a property or an extension, when it is a simple one or a Coding.
fn value(node: Node<'_>) -> Option<PropertyValue> {
    let (name, value) = node.members().find(|(name, _)| name.starts_with("value"))?;
    let text = || value.str().map(Box::from);
    let number = || value.number().map(Box::from);
    match name {
        "valueCode" => text().map(PropertyValue::Code),
        "valueCoding" => Some(PropertyValue::Coding(coding(value))),
        "valueBoolean" => value.bool().map(PropertyValue::Boolean),
        "valueInteger" | "valuePositiveInt" | "valueUnsignedInt" => number().map(PropertyValue::Integer),
        "valueDecimal" => number().map(PropertyValue::Decimal),
        "valueDateTime" | "valueDate" | "valueInstant" => text().map(PropertyValue::DateTime),
        _ => text().map(PropertyValue::Text),
    }
}

fn extensions(node: Node<'_>) -> Vec<Extension> {
    let read = |ext: Node<'_>| Some(Extension { url: boxed(ext, "url")?, value: value(ext), json: ext.raw().into() });
    node.all("extension").filter_map(read).collect()
}

/// A Coding.
#[must_use]
pub fn coding(node: Node<'_>) -> Coding {
    Coding {
        system: boxed(node, "system"),
        version: boxed(node, "version"),
        code: boxed(node, "code"),
        display: boxed(node, "display"),
    }
}

fn header(node: Node<'_>) -> Header {
    let standards = node.all("extension").find(|ext| ext.text("url") == Some(STANDARDS_STATUS));
    Header {
        url: boxed(node, "url").unwrap_or_default(),
        version: boxed(node, "version"),
        name: boxed(node, "name"),
        title: boxed(node, "title"),
        status: boxed(node, "status"),
        standards_status: standards.and_then(value).map(|value| value.text().into()),
        experimental: node.get("experimental").and_then(Node::bool),
        date: boxed(node, "date"),
        language: boxed(node, "language"),
        id: boxed(node, "id"),
    }
}

/// A ValueSet.
///
/// # Errors
/// When it is no ValueSet.
pub fn read_value_set(node: Node<'_>) -> Result<ValueSet, ReadError> {
    expect(node, "ValueSet")?;
    let supplements = node.all("extension").filter(|ext| ext.text("url") == Some(SUPPLEMENT));
    Ok(ValueSet {
        header: header(node),
        compose: node.get("compose").map(compose),
        expansion: node.get("expansion").map(expansion),
        supplements: supplements.filter_map(value).map(|value| value.text().into()).collect(),
        extensions: extensions(node),
        contained: node.all("contained").filter_map(|inner| read_value_set(inner).ok()).collect(),
    })
}

fn compose(node: Node<'_>) -> Compose {
    let parameter = |ext: Node<'_>| {
        let part = |name: &str| ext.all("extension").find(|inner| inner.text("url") == Some(name)).and_then(value);
        Some((part("name")?.text().into(), part("value")?.text().into()))
    };
    let said = |ext: &Node<'_>| ext.text("url").is_some_and(|url| EXPANSION_PARAMETER.contains(&url));
    Compose {
        inactive: node.get("inactive").and_then(Node::bool),
        locked_date: boxed(node, "lockedDate"),
        include: node.all("include").map(include).collect(),
        exclude: node.all("exclude").map(include).collect(),
        parameters: node.all("extension").filter(said).filter_map(parameter).collect(),
    }
}

fn include(node: Node<'_>) -> Include {
    let concept = |concept: Node<'_>| IncludedConcept {
        code: boxed(concept, "code").unwrap_or_default(),
        display: boxed(concept, "display"),
        designations: concept.all("designation").map(designation).collect(),
        extensions: extensions(concept),
    };
    let filter = |filter: Node<'_>| Filter {
        property: boxed(filter, "property").unwrap_or_default(),
        op: FilterOp::of(filter.text("op").unwrap_or_default()),
        value: boxed(filter, "value"),
    };
    Include {
        system: boxed(node, "system"),
        version: boxed(node, "version"),
        concepts: node.all("concept").map(concept).collect(),
        filters: node.all("filter").map(filter).collect(),
        value_sets: node.all("valueSet").filter_map(|set| set.str().map(Into::into)).collect(),
    }
}

fn expansion(node: Node<'_>) -> Vec<Contained> {
    let mut found = Vec::new();
    let mut open = vec![node.all("contains")];
    while let Some(mut siblings) = open.pop() {
        let Some(item) = siblings.next() else { continue };
        open.push(siblings);
        let flag = |name: &str| item.get(name).and_then(Node::bool).unwrap_or(false);
        if item.get("code").is_some() {
            found.push(Contained {
                coding: coding(item),
                designations: item.all("designation").map(designation).collect(),
                is_abstract: flag("abstract"),
                is_inactive: flag("inactive"),
            });
        }
        open.push(item.all("contains"));
    }
    found
}

/// A ConceptMap.
///
/// # Errors
/// When it is no ConceptMap.
pub fn read_concept_map(node: Node<'_>) -> Result<ConceptMap, ReadError> {
    expect(node, "ConceptMap")?;
    let any = |names: [&str; 4]| names.into_iter().find_map(|name| boxed(node, name));
    Ok(ConceptMap {
        header: header(node),
        source: any(["sourceUri", "sourceCanonical", "sourceScopeUri", "sourceScopeCanonical"]),
        target: any(["targetUri", "targetCanonical", "targetScopeUri", "targetScopeCanonical"]),
        groups: node.all("group").map(map_group).collect(),
    })
}

fn map_group(node: Node<'_>) -> MapGroup {
    let unmapped = node.get("unmapped").and_then(|unmapped| match unmapped.text("mode")? {
        "provided" | "use-source-code" => Some(Unmapped::Provided),
        "fixed" => Some(Unmapped::Fixed(coding(unmapped))),
        _ => boxed(unmapped, "url").or_else(|| boxed(unmapped, "otherMap")).map(Unmapped::OtherMap),
    });
    MapGroup {
        source: boxed(node, "source"),
        target: boxed(node, "target"),
        elements: node.all("element").map(map_element).collect(),
        unmapped,
    }
}

fn map_element(node: Node<'_>) -> MapElement {
    let target = |target: Node<'_>| MapTarget {
        code: boxed(target, "code"),
        display: boxed(target, "display"),
        // R4 says equivalence, R5 relationship.
        equivalence: boxed(target, "equivalence")
            .or_else(|| boxed(target, "relationship"))
            .unwrap_or_else(|| "relatedto".into()),
        comment: boxed(target, "comment"),
    };
    MapElement { code: boxed(node, "code").unwrap_or_default(), targets: node.all("target").map(target).collect() }
}

/// A NamingSystem.
///
/// # Errors
/// When it is no NamingSystem.
pub fn read_naming_system(node: Node<'_>) -> Result<NamingSystem, ReadError> {
    expect(node, "NamingSystem")?;
    let id = |id: Node<'_>| {
        let preferred = id.get("preferred").and_then(Node::bool).unwrap_or(false);
        Some((boxed(id, "type")?, boxed(id, "value")?, preferred))
    };
    Ok(NamingSystem {
        name: boxed(node, "name").unwrap_or_default(),
        kind: boxed(node, "kind").unwrap_or_default(),
        unique_ids: node.all("uniqueId").filter_map(id).collect(),
    })
}

fn expect(node: Node<'_>, kind: &'static str) -> Result<(), ReadError> {
    if node.resource_type() == Some(kind) { Ok(()) } else { Err(ReadError::NotA(kind)) }
}

fn boxed(node: Node<'_>, name: &str) -> Option<Box<str>> {
    node.text(name).map(Into::into)
}
