//! A StructureDefinition in a document, to [`Structure`].

use std::sync::Arc;

use super::model::{
    Base, Binding, Constraint, Context, ContextKind, Derivation, Discriminator, DiscriminatorKind, Element, Max,
    NarrativeControl, Slicing, SlicingRules, Strength, Structure, StructureKind, TypeRef, Value, WithoutValue,
};
use crate::tape::{Document, Kind, Node, Position};

const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
const BEST_PRACTICE: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice";
const PROFILE_ELEMENT: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element";
const LANGUAGE_CONTROL: &str = "http://hl7.org/fhir/StructureDefinition/narrative-language-control";
const SOURCE_CONTROL: &str = "http://hl7.org/fhir/StructureDefinition/narrative-source-control";
const VALUE_ALTERNATIVES: &str =
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.valueAlternatives";
const MUST_HAVE_VALUE: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.mustHaveValue";
const MAX_VALUE_SET: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet";

/// Why a document is no definition that we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, line {}, column {}, at {path}", .position.line, .position.column)]
pub struct DefinitionError {
    /// What.
    pub kind: DefinitionErrorKind,
    /// Where in the bytes.
    pub position: Position,
    /// Where in the document.
    pub path: String,
}

/// What can be wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionErrorKind {
    /// It is another resource, or none.
    #[error("this is no StructureDefinition")]
    NotAStructure,
    /// A required member is absent or no string.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A code that its value set does not have.
    #[error("{code} is no {member} (FHIR R4 §5.3)")]
    Code {
        /// The member.
        member: &'static str,
        /// What it says.
        code: String,
    },
    /// A cardinality that is no number.
    #[error("this cardinality is not a number")]
    Cardinality,
}

/// Reads a StructureDefinition, with its snapshot and its differential if it has them.
///
/// # Errors
/// The first thing that makes it unusable. What R4 requires and nothing here needs is not asked for.
pub fn read_structure(node: Node<'_>) -> Result<Structure, DefinitionError> {
    if node.resource_type() != Some("StructureDefinition") {
        return Err(fail(node, DefinitionErrorKind::NotAStructure));
    }
    let url = required(node, "url")?;
    Ok(Structure {
        elements: elements(node, "snapshot", &url)?,
        differential: elements(node, "differential", &url)?,
        url,
        version: text(node, "version"),
        // FHIR requires it and nothing here depends on it: a definition without one still defines.
        name: node.text("name").unwrap_or_default().into(),
        kind: code(node, "kind", structure_kind)?.ok_or_else(|| fail(node, DefinitionErrorKind::Missing("kind")))?,
        type_name: required(node, "type")?,
        is_abstract: flag(node, "abstract"),
        derivation: code(node, "derivation", derivation)?,
        base: text(node, "baseDefinition"),
        contexts: node.all("context").map(context).collect::<Result<_, _>>()?,
        context_invariants: texts(node, "contextInvariant"),
    })
}

fn elements(node: Node<'_>, view: &str, url: &str) -> Result<Vec<Element>, DefinitionError> {
    let read = |element| {
        let mut element = read_element(element)?;
        // A value set that the structure contains goes by the name of the structure, so that a profile on it
        // finds it too.
        let value_set = element.binding.as_mut().and_then(|binding| binding.value_set.as_mut());
        if let Some(value_set) = value_set.filter(|value_set| value_set.starts_with('#')) {
            *value_set = format!("{url}{value_set}").into();
        }
        Ok(element)
    };
    node.get(view).into_iter().flat_map(|view| view.all("element")).map(read).collect()
}

/// Reads an ElementDefinition.
///
/// # Errors
/// As for [`read_structure`].
pub fn read_element(node: Node<'_>) -> Result<Element, DefinitionError> {
    let path = required(node, "path")?;
    Ok(Element {
        id: text(node, "id").unwrap_or_else(|| path.clone()),
        path,
        slice_name: text(node, "sliceName"),
        min: number(node, "min")?,
        max: node.get("max").map(max).transpose()?,
        base: node.get("base").map(base).transpose()?,
        content_reference: text(node, "contentReference"),
        types: node.all("type").map(type_ref).collect::<Result<_, _>>()?,
        fixed: value(node, "fixed"),
        pattern: value(node, "pattern"),
        min_value: value(node, "minValue"),
        max_value: value(node, "maxValue"),
        max_length: number(node, "maxLength")?,
        without_value: without_value(node),
        narrative: narrative(node),
        constraints: node.all("constraint").map(constraint).collect::<Result<_, _>>()?,
        // Differentials that are published describe a binding again, and say neither strength nor value set:
        // they leave it as it is.
        binding: node.get("binding").filter(|node| says_binding(*node)).map(binding).transpose()?,
        slicing: node.get("slicing").map(slicing).transpose()?,
        must_support: flag(node, "mustSupport"),
        is_modifier: flag(node, "isModifier"),
        is_summary: flag(node, "isSummary"),
        xml_attribute: node.all("representation").any(|representation| representation.str() == Some("xmlAttr")),
    })
}

fn without_value(node: Node<'_>) -> WithoutValue {
    let must = extension(node, MUST_HAVE_VALUE).and_then(|flag| flag.get("valueBoolean")?.bool());
    let alternatives = extensions(node, VALUE_ALTERNATIVES).filter_map(|one| {
        let canonical = one.text("valueCanonical").or_else(|| one.text("valueUri"))?;
        Some(canonical.split('|').next().unwrap_or(canonical).into())
    });
    WithoutValue { is_forbidden: must == Some(true), alternatives: alternatives.collect() }
}

fn narrative(node: Node<'_>) -> NarrativeControl {
    NarrativeControl {
        languages: extensions(node, LANGUAGE_CONTROL).filter_map(|one| text(one, "valueCode")).collect(),
        source: extension(node, SOURCE_CONTROL).and_then(|one| text(one, "valueCode")),
    }
}

fn base(node: Node<'_>) -> Result<Base, DefinitionError> {
    let missing = |member| fail(node, DefinitionErrorKind::Missing(member));
    Ok(Base {
        path: required(node, "path")?,
        min: number(node, "min")?.ok_or_else(|| missing("min"))?,
        max: max(node.get("max").ok_or_else(|| missing("max"))?)?,
    })
}

fn max(node: Node<'_>) -> Result<Max, DefinitionError> {
    match node.str() {
        Some("*") => Ok(Max::Many),
        Some(count) => count.parse().map(Max::Count).map_err(|_| fail(node, DefinitionErrorKind::Cardinality)),
        None => Err(fail(node, DefinitionErrorKind::Cardinality)),
    }
}

fn type_ref(node: Node<'_>) -> Result<TypeRef, DefinitionError> {
    let code = required(node, "code")?;
    let named = extension(node, FHIR_TYPE).and_then(|named| named.text("valueUrl").or_else(|| named.text("valueUri")));
    Ok(TypeRef {
        code: named.map_or(code, Into::into),
        profiles: profiles(node),
        target_profiles: texts(node, "targetProfile"),
        aggregation: texts(node, "aggregation"),
    })
}

/// The profiles of a type; where one says which of its elements is meant, with that.
fn profiles(node: Node<'_>) -> Vec<Box<str>> {
    let beside = node.get("_profile");
    let element = |at: usize| {
        let extra = beside.and_then(|beside| beside.items().nth(at)).filter(|extra| extra.kind() == Kind::Object)?;
        extension(extra, PROFILE_ELEMENT)?.text("valueString")
    };
    let profile = |(at, node): (usize, Node<'_>)| {
        let canonical = node.str()?;
        Some(element(at).map_or_else(|| canonical.into(), |element| format!("{canonical}#{element}").into()))
    };
    node.all("profile").enumerate().filter_map(profile).collect()
}

/// The member whose name is the prefix and a type: `fixedUri`, `patternCodeableConcept`.
fn value(node: Node<'_>, prefix: &str) -> Option<Value> {
    node.members().find_map(|(name, value)| {
        let type_name = name.strip_prefix(prefix)?;
        let first = type_name.chars().next()?;
        // A value is what its type says: `fixedUri` is `uri`, `fixedCoding` is `Coding`.
        let is_written = first.is_ascii_uppercase() && (value.kind() != Kind::Null);
        let json = is_written.then(|| Document::parse(value.json()).ok())??;
        let type_name = match value.kind() {
            Kind::Object => type_name.into(),
            _ => uncapital(type_name).into(),
        };
        Some(Value { type_name, json: Arc::new(json) })
    })
}

fn uncapital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}

fn constraint(node: Node<'_>) -> Result<Constraint, DefinitionError> {
    Ok(Constraint {
        key: required(node, "key")?,
        is_error: node.text("severity") != Some("warning"),
        is_best_practice: extension(node, BEST_PRACTICE).and_then(|flag| flag.get("valueBoolean")?.bool())
            == Some(true),
        expression: text(node, "expression"),
        human: text(node, "human"),
        source: text(node, "source"),
    })
}

fn says_binding(node: Node<'_>) -> bool {
    node.get("strength").is_some() || node.get("valueSet").is_some()
}

fn binding(node: Node<'_>) -> Result<Binding, DefinitionError> {
    let max = extension(node, MAX_VALUE_SET);
    Ok(Binding {
        strength: code(node, "strength", strength)?
            .ok_or_else(|| fail(node, DefinitionErrorKind::Missing("strength")))?,
        value_set: text(node, "valueSet"),
        max_value_set: max.and_then(|max| text(max, "valueCanonical").or_else(|| text(max, "valueUri"))),
    })
}

fn slicing(node: Node<'_>) -> Result<Slicing, DefinitionError> {
    Ok(Slicing {
        discriminators: node.all("discriminator").map(discriminator).collect::<Result<_, _>>()?,
        ordered: flag(node, "ordered"),
        // A differential may leave the rules out: they are then those of the base; nothing more is known here.
        rules: code(node, "rules", slicing_rules)?.unwrap_or(SlicingRules::Open),
    })
}

fn discriminator(node: Node<'_>) -> Result<Discriminator, DefinitionError> {
    let kind = code(node, "type", discriminator_kind)?;
    Ok(Discriminator {
        kind: kind.ok_or_else(|| fail(node, DefinitionErrorKind::Missing("type")))?,
        path: required(node, "path")?,
    })
}

fn context(node: Node<'_>) -> Result<Context, DefinitionError> {
    let kind = code(node, "type", context_kind)?;
    Ok(Context {
        kind: kind.ok_or_else(|| fail(node, DefinitionErrorKind::Missing("type")))?,
        expression: required(node, "expression")?,
    })
}

fn structure_kind(code: &str) -> Option<StructureKind> {
    Some(match code {
        "primitive-type" => StructureKind::PrimitiveType,
        "complex-type" => StructureKind::ComplexType,
        "resource" => StructureKind::Resource,
        "logical" => StructureKind::Logical,
        _ => return None,
    })
}

fn derivation(code: &str) -> Option<Derivation> {
    Some(match code {
        "specialization" => Derivation::Specialization,
        "constraint" => Derivation::Constraint,
        _ => return None,
    })
}

fn context_kind(code: &str) -> Option<ContextKind> {
    Some(match code {
        "fhirpath" => ContextKind::FhirPath,
        "element" => ContextKind::Element,
        "extension" => ContextKind::Extension,
        _ => return None,
    })
}

fn strength(code: &str) -> Option<Strength> {
    Some(match code {
        "example" => Strength::Example,
        "preferred" => Strength::Preferred,
        "extensible" => Strength::Extensible,
        "required" => Strength::Required,
        _ => return None,
    })
}

fn discriminator_kind(code: &str) -> Option<DiscriminatorKind> {
    Some(match code {
        "value" => DiscriminatorKind::Value,
        "exists" => DiscriminatorKind::Exists,
        "pattern" => DiscriminatorKind::Pattern,
        "type" => DiscriminatorKind::Type,
        "profile" => DiscriminatorKind::Profile,
        _ => return None,
    })
}

fn slicing_rules(code: &str) -> Option<SlicingRules> {
    Some(match code {
        "closed" => SlicingRules::Closed,
        "open" => SlicingRules::Open,
        "openAtEnd" => SlicingRules::OpenAtEnd,
        _ => return None,
    })
}

fn code<T>(
    node: Node<'_>,
    member: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, DefinitionError> {
    let Some(value) = node.get(member) else { return Ok(None) };
    let code = value.str().unwrap_or_default();
    let unknown = || fail(value, DefinitionErrorKind::Code { member, code: code.to_owned() });
    read(code).map(Some).ok_or_else(unknown)
}

fn extensions<'a>(node: Node<'a>, url: &'static str) -> impl Iterator<Item = Node<'a>> {
    node.all("extension").filter(move |extension| extension.text("url") == Some(url))
}

fn extension<'a>(node: Node<'a>, url: &str) -> Option<Node<'a>> {
    node.all("extension").find(|extension| extension.text("url") == Some(url))
}

fn required(node: Node<'_>, member: &'static str) -> Result<Box<str>, DefinitionError> {
    text(node, member).ok_or_else(|| fail(node, DefinitionErrorKind::Missing(member)))
}

fn text(node: Node<'_>, member: &str) -> Option<Box<str>> {
    node.text(member).map(Into::into)
}

fn texts(node: Node<'_>, member: &str) -> Vec<Box<str>> {
    node.all(member).filter_map(|item| item.str()).map(Into::into).collect()
}

fn flag(node: Node<'_>, member: &str) -> bool {
    node.get(member).and_then(Node::bool) == Some(true)
}

fn number(node: Node<'_>, member: &str) -> Result<Option<u32>, DefinitionError> {
    let Some(value) = node.get(member) else { return Ok(None) };
    let number = value.number().and_then(|number| number.parse().ok());
    number.map(Some).ok_or_else(|| fail(value, DefinitionErrorKind::Cardinality))
}

fn fail(node: Node<'_>, kind: DefinitionErrorKind) -> DefinitionError {
    DefinitionError { kind, position: node.position(), path: node.path() }
}
