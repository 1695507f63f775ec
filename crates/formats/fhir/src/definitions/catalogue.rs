//! Search parameters, operations, compartments: what a server offers.

use crate::tape::Node;

/// A SearchParameter (FHIR R4 §5.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchParameter {
    /// Its canonical.
    pub url: Box<str>,
    /// Its computable name.
    pub name: Box<str>,
    /// What a URL says: `birthdate`.
    pub code: Box<str>,
    /// The resource types that it searches; `Resource` and `DomainResource` stand for all.
    pub base: Vec<Box<str>>,
    /// What its values are.
    pub kind: SearchKind,
    /// FHIRPath that gives the values, one part for each base joined by `|`; none for `_content`, `_query`…
    pub expression: Option<Box<str>>,
    /// The resource types that a reference may lead to.
    pub target: Vec<Box<str>>,
    /// Values may be given with commas; R4 allows it where it does not say.
    pub multiple_or: bool,
    /// It may stand several times; R4 allows it where it does not say.
    pub multiple_and: bool,
    /// `eq`, `gt`… when it says which.
    pub comparators: Vec<Box<str>>,
    /// `missing`, `exact`… when it says which.
    pub modifiers: Vec<Box<str>>,
    /// The parts of a composite.
    pub components: Vec<Component>,
}

/// A part of a composite search parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The canonical of the search parameter of that part.
    pub definition: Box<str>,
    /// FHIRPath from a value of the composite to a value of the part.
    pub expression: Box<str>,
}

/// What the values of a search parameter are (FHIR R4 §3.1.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the code of that name")]
pub enum SearchKind {
    Number,
    Date,
    String,
    Token,
    Reference,
    Composite,
    Quantity,
    Uri,
    Special,
}

impl SearchParameter {
    /// Reads a SearchParameter; none when something is missing without which it means nothing.
    #[must_use]
    pub fn read(node: Node<'_>) -> Option<Self> {
        let allowed = |member| node.get(member).and_then(Node::bool) != Some(false);
        Some(Self {
            url: text(node, "url")?,
            name: text(node, "name").unwrap_or_default(),
            code: text(node, "code")?,
            base: texts(node, "base"),
            kind: search_kind(node.text("type")?)?,
            expression: text(node, "expression"),
            target: texts(node, "target"),
            multiple_or: allowed("multipleOr"),
            multiple_and: allowed("multipleAnd"),
            comparators: texts(node, "comparator"),
            modifiers: texts(node, "modifier"),
            components: node.all("component").filter_map(component).collect(),
        })
    }
}

fn component(node: Node<'_>) -> Option<Component> {
    Some(Component { definition: text(node, "definition")?, expression: text(node, "expression")? })
}

fn search_kind(code: &str) -> Option<SearchKind> {
    Some(match code {
        "number" => SearchKind::Number,
        "date" => SearchKind::Date,
        "string" => SearchKind::String,
        "token" => SearchKind::Token,
        "reference" => SearchKind::Reference,
        "composite" => SearchKind::Composite,
        "quantity" => SearchKind::Quantity,
        "uri" => SearchKind::Uri,
        "special" => SearchKind::Special,
        _ => return None,
    })
}

/// An OperationDefinition (FHIR R4 §5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its canonical.
    pub url: Box<str>,
    /// Its computable name.
    pub name: Box<str>,
    /// What a URL says after `$`.
    pub code: Box<str>,
    /// It is a named query, not an operation.
    pub is_query: bool,
    /// It changes what the server holds: never by GET.
    pub affects_state: bool,
    /// The resource types that it is on.
    pub resources: Vec<Box<str>>,
    /// On the server as a whole.
    pub system: bool,
    /// On a resource type.
    pub on_type: bool,
    /// On one resource.
    pub on_instance: bool,
    /// Inputs and outputs.
    pub parameters: Vec<OperationParameter>,
}

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationParameter {
    /// Its name.
    pub name: Box<str>,
    /// It goes in, or else comes out.
    pub is_input: bool,
    /// At least so many.
    pub min: u32,
    /// At most so many; none for `*`.
    pub max: Option<u32>,
    /// Its type, unless it has parts.
    pub type_name: Option<Box<str>>,
    /// The type of search parameter that its string is written as.
    pub search_kind: Option<SearchKind>,
    /// Its parts.
    pub parts: Vec<Self>,
}

impl Operation {
    /// Reads an OperationDefinition; none when something is missing without which it means nothing.
    #[must_use]
    pub fn read(node: Node<'_>) -> Option<Self> {
        Some(Self {
            url: text(node, "url")?,
            name: text(node, "name").unwrap_or_default(),
            code: text(node, "code")?,
            is_query: node.text("kind") == Some("query"),
            affects_state: flag(node, "affectsState"),
            resources: texts(node, "resource"),
            system: flag(node, "system"),
            on_type: flag(node, "type"),
            on_instance: flag(node, "instance"),
            parameters: parameters(node, "parameter"),
        })
    }
}

fn parameters(node: Node<'_>, member: &str) -> Vec<OperationParameter> {
    node.all(member).filter_map(parameter).collect()
}

fn parameter(node: Node<'_>) -> Option<OperationParameter> {
    let number = |member| node.get(member)?.number()?.parse().ok();
    Some(OperationParameter {
        name: text(node, "name")?,
        is_input: node.text("use") != Some("out"),
        min: number("min").unwrap_or(0),
        max: node.text("max").and_then(|max| max.parse().ok()),
        type_name: text(node, "type"),
        search_kind: node.text("searchType").and_then(search_kind),
        parts: parameters(node, "part"),
    })
}

/// A CompartmentDefinition (FHIR R4 §5.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compartment {
    /// Its canonical.
    pub url: Box<str>,
    /// The type of the resource that it is around: `Patient`.
    pub code: Box<str>,
    /// The resource types that may be in it, each with the codes of the search parameters that say so; a type
    /// that is never in it is left out.
    pub members: Vec<(Box<str>, Vec<Box<str>>)>,
}

impl Compartment {
    /// Reads a CompartmentDefinition; none when something is missing without which it means nothing.
    #[must_use]
    pub fn read(node: Node<'_>) -> Option<Self> {
        let member = |resource| Some((text(resource, "code")?, texts(resource, "param")));
        let members = node.all("resource").filter_map(member).filter(|(_, params)| !params.is_empty());
        Some(Self { url: text(node, "url")?, code: text(node, "code")?, members: members.collect() })
    }
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
