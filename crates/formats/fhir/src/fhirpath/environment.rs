//! What an evaluation may ask of the world around it, and what it may cost.

use std::time::Duration;

use super::navigate::resolve_inside;
use super::value::{Element, Item};
use crate::tape::Node;

/// What the document alone does not know. Every answer may be «I do not know» (none).
///
/// The default of each method is what can be said without anything else.
pub trait Hooks: Send + Sync {
    /// The resource that a reference points at; by default one of the same document ([`resolve_inside`]).
    fn resolve<'a>(&'a self, reference: &str, from: Node<'a>) -> Option<Element<'a>> {
        resolve_inside(reference, from)
    }

    /// Whether a code, Coding, CodeableConcept or Quantity is in the value set; none when the value set or its
    /// code systems are not known.
    fn member_of(&self, item: &Item<'_>, value_set: &str) -> Option<bool> {
        let _ = (item, value_set);
        None
    }

    /// Whether an element follows a profile; none when the profile is not known. The types of R4 need no hook.
    fn conforms_to(&self, item: &Item<'_>, profile: &str) -> Option<bool> {
        let _ = (item, profile);
        None
    }

    /// Whether the first concept is the second or above it; none when that is not known.
    fn subsumes(&self, above: &Item<'_>, below: &Item<'_>) -> Option<bool> {
        let _ = (above, below);
        None
    }

    /// Whether an element is in that slice of that structure; none when the structure is not known.
    fn in_slice(&self, item: &Item<'_>, structure: &str, slice: &str) -> Option<bool> {
        let _ = (item, structure, slice);
        None
    }

    /// The ElementDefinition of an element, as a node.
    fn element_definition<'a>(&'a self, item: &Item<'a>) -> Option<Node<'a>> {
        let _ = item;
        None
    }

    /// Whether a narrative is the XHTML that FHIR allows (FHIR R4 txt-1, txt-2); none for what is no text.
    fn html_is_safe(&self, narrative: Node<'_>) -> Option<bool> {
        Some(crate::narrative::check(narrative.str()?).is_empty())
    }

    /// What `trace()` was called on, with its name.
    fn trace(&self, name: &str, items: &[Item<'_>]) {
        let _ = (name, items);
    }
}

/// The hooks of a document that stands alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Hooks for Alone {}

/// What an evaluation may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Operations, items that are put into collections, and comparisons of items.
    pub steps: u64,
    /// Time; looked at every thousand steps.
    pub time: Option<Duration>,
}

impl Default for Budget {
    /// Ten million steps and two seconds: a bundle of 100 MB passes, an endless `repeat` does not.
    fn default() -> Self {
        Self { steps: 10_000_000, time: Some(Duration::from_secs(2)) }
    }
}

/// Where an evaluation takes place.
///
/// `%resource` and `%rootResource` are found above the focus unless they are said. `now()` is one moment for
/// the whole evaluation.
#[derive(Clone)]
pub struct Environment<'a> {
    pub(super) hooks: &'a dyn Hooks,
    pub(super) resource: Option<Item<'a>>,
    pub(super) root_resource: Option<Item<'a>>,
    pub(super) context: Option<Item<'a>>,
    pub(super) now: Option<jiff::Timestamp>,
    pub(super) budget: Budget,
    /// It decides an invariant: `is` on nothing is false.
    pub(super) decides: bool,
    /// No [`super::Collection`]: that would tie the environment to one lifetime.
    pub(super) variables: Vec<(&'a str, Vec<Item<'a>>)>,
}

impl Default for Environment<'_> {
    fn default() -> Self {
        Self::new(&Alone)
    }
}

impl<'a> Environment<'a> {
    /// With these hooks and the default [`Budget`].
    #[must_use]
    pub fn new(hooks: &'a dyn Hooks) -> Self {
        Self {
            hooks,
            resource: None,
            root_resource: None,
            context: None,
            now: None,
            budget: Budget::default(),
            decides: false,
            variables: Vec::new(),
        }
    }

    /// `%resource`: the resource that holds the focus.
    #[must_use]
    pub fn with_resource(self, resource: Item<'a>) -> Self {
        Self { resource: Some(resource), ..self }
    }

    /// `%rootResource`: the resource that contains it, when it is a contained one.
    #[must_use]
    pub fn with_root_resource(self, resource: Item<'a>) -> Self {
        Self { root_resource: Some(resource), ..self }
    }

    /// `%context`, when it is not the focus.
    #[must_use]
    pub fn with_context(self, context: Item<'a>) -> Self {
        Self { context: Some(context), ..self }
    }

    /// What `now()` says, in UTC; the moment of the evaluation otherwise.
    #[must_use]
    pub fn at(self, now: jiff::Timestamp) -> Self {
        Self { now: Some(now), ..self }
    }

    /// The result decides an invariant. FHIRPath makes `{} is T` empty, and an empty result does not hold; the
    /// invariants of R4 count on its being false, as validators have it: ras-2 is `(probability is decimal)
    /// implies …` where there may be no probability.
    #[must_use]
    pub fn deciding(self) -> Self {
        Self { decides: true, ..self }
    }

    /// What the evaluation may cost.
    #[must_use]
    pub fn within(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// The value of an external constant that was named when the program was compiled.
    #[must_use]
    pub fn with_variable(mut self, name: &'a str, value: impl IntoIterator<Item = Item<'a>>) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into_iter().collect()));
        self
    }
}
