//! What a request asks: the `Parameters` of the terminology operations, read once.

use super::language::Languages;
use crate::tape::Node;
use crate::terminology::model::ValueSet;
use crate::terminology::version::VersionRule;

/// How the answer is to be written, and what came beside the `Parameters`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The header `Accept-Language`.
    pub accept_language: Option<&'a str>,
    /// The form of what R4 has no element for.
    pub form: Form,
    /// An expansion without paging has at most so many codes; 10 000 when not said.
    pub most_codes: Option<usize>,
}

/// How expansions carry the properties of concepts, which R4 has no element for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// The cross-version extensions `http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet…`.
    #[default]
    R4,
    /// The elements of R5.
    R5,
}

/// The parameters of a request. Unknown ones are left out.
pub(super) struct Request<'a> {
    parameters: Vec<Node<'a>>,
    pub(super) form: Form,
    pub(super) rules: Vec<VersionRule>,
    pub(super) languages: Option<Languages>,
    pub(super) accepted: Option<Languages>,
    pub(super) supplements: Vec<Box<str>>,
    pub(super) properties: Vec<Box<str>>,
    pub(super) designations: Vec<Box<str>>,
    pub(super) active_only: Option<bool>,
    pub(super) exclude_nested: Option<bool>,
    pub(super) include_designations: Option<bool>,
    pub(super) include_definition: Option<bool>,
    pub(super) exclude_not_for_ui: Option<bool>,
    pub(super) versions_match: Option<bool>,
}

impl<'a> Request<'a> {
    /// Reads a `Parameters`; `outer` parameters hold when it does not say.
    pub(super) fn read(node: Node<'a>, outer: Option<Node<'a>>, context: Context<'_>) -> Self {
        let own: Vec<_> = node.all("parameter").collect();
        let is_said = |name: Option<&str>| own.iter().any(|one| one.text("name") == name);
        let inherited = outer.into_iter().flat_map(|outer| outer.all("parameter"));
        let inherited: Vec<_> =
            inherited.filter(|one| one.text("name") != Some("validation") && !is_said(one.text("name"))).collect();
        let mut request = Self {
            parameters: own.into_iter().chain(inherited).collect(),
            form: context.form,
            rules: Vec::new(),
            languages: None,
            accepted: context.accept_language.and_then(Languages::read),
            supplements: Vec::new(),
            properties: Vec::new(),
            designations: Vec::new(),
            active_only: None,
            exclude_nested: None,
            include_designations: None,
            include_definition: None,
            exclude_not_for_ui: None,
            versions_match: None,
        };
        for parameter in request.parameters.clone() {
            if let (Some(name), Some(value)) = (parameter.text("name"), simple(parameter)) {
                request.see(name, value);
            }
        }
        request
    }

    /// Takes a parameter of the request, or of a value set (`valueset-expansion-parameter`): the first
    /// to speak is heard.
    pub(super) fn see(&mut self, name: &str, value: &str) {
        let flag = || Some(value.eq_ignore_ascii_case("true"));
        self.rules.extend(VersionRule::read(name, value));
        match name {
            "displayLanguage" if self.languages.is_none() => self.languages = Languages::read(value),
            "useSupplement" => self.supplements.push(value.into()),
            "property" => self.properties.push(value.into()),
            "designation" => self.designations.push(value.into()),
            "activeOnly" if self.active_only.is_none() => self.active_only = flag(),
            "excludeNested" if self.exclude_nested.is_none() => self.exclude_nested = flag(),
            "includeDesignations" if self.include_designations.is_none() => self.include_designations = flag(),
            "includeDefinition" if self.include_definition.is_none() => self.include_definition = flag(),
            "excludeNotForUI" if self.exclude_not_for_ui.is_none() => self.exclude_not_for_ui = flag(),
            "versionsMatch" if self.versions_match.is_none() => self.versions_match = flag(),
            _ => {}
        }
    }

    /// Takes what the value set says for every expansion, and its language when none was asked.
    pub(super) fn see_value_set(&mut self, set: &ValueSet) {
        for (name, value) in set.compose.iter().flat_map(|compose| &compose.parameters) {
            self.see(name, value);
        }
        if self.accepted.is_none() {
            self.accepted = set.header.language.as_deref().and_then(Languages::read);
        }
    }

    /// The languages to answer in: what was asked, else the header.
    pub(super) fn working_languages(&self) -> Option<&Languages> {
        self.languages.as_ref().or(self.accepted.as_ref())
    }

    fn parameter(&self, name: &str) -> Option<Node<'a>> {
        self.parameters.iter().find(|one| one.text("name") == Some(name)).copied()
    }

    /// The text of a simple parameter.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        simple(self.parameter(name)?)
    }

    /// Every value of a repeated complex parameter.
    pub(super) fn values(&self, name: &'static str, kind: &'static str) -> impl Iterator<Item = Node<'a>> + '_ {
        self.parameters.iter().filter(move |one| one.text("name") == Some(name)).filter_map(move |one| one.get(kind))
    }

    /// A parameter that is true; `false` when absent.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// A parameter that says false.
    pub(super) fn is_false(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("false"))
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.text(name)?.parse().ok()
    }

    /// The value of a complex parameter.
    pub(super) fn value(&self, name: &str, kind: &str) -> Option<Node<'a>> {
        self.parameter(name)?.get(kind)
    }

    /// The resource of a parameter.
    pub(super) fn resource(&self, name: &str) -> Option<Node<'a>> {
        self.parameter(name)?.get("resource")
    }

    /// The resources that the request brings (`tx-resource`), and its own value set and code system.
    pub(super) fn resources(&self) -> impl Iterator<Item = Node<'a>> + '_ {
        let is_brought = |one: &&Node<'_>| matches!(one.text("name"), Some("tx-resource" | "valueSet" | "codeSystem"));
        self.parameters.iter().filter(is_brought).filter_map(|one| one.get("resource"))
    }
}

/// The text of a parameter with a simple value.
fn simple(parameter: Node<'_>) -> Option<&str> {
    let (_, value) = parameter.members().find(|(name, _)| name.starts_with("value"))?;
    value.str().or_else(|| value.number()).or_else(|| value.bool().map(|value| if value { "true" } else { "false" }))
}
