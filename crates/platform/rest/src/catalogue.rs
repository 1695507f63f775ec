//! The search parameters of each resource type, compiled once, and the entries that they give of a resource.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use socle_fhir::Document;
use socle_fhir::definitions::{SearchKind, SearchParameter, r4, types};
use socle_fhir::fhirpath::{Environment, Item, Options, Program, compile};
use socle_store::{Entry, Key};

use crate::extract;

/// A search parameter on one resource type.
pub(crate) struct Parameter {
    pub(crate) code: Arc<str>,
    pub(crate) url: &'static str,
    pub(crate) kind: SearchKind,
    pub(crate) targets: Vec<&'static str>,
    program: Program,
    /// The parts of a composite; empty for the other kinds.
    pub(crate) parts: Vec<Part>,
}

/// A part of a composite.
pub(crate) struct Part {
    pub(crate) kind: SearchKind,
    program: Program,
}

/// The parameters of one type, by code.
pub(crate) struct Catalogue {
    parameters: Vec<Parameter>,
}

/// The catalogue of a resource type; made when it is first asked for.
pub(crate) fn of(kind: &str) -> Option<Arc<Catalogue>> {
    static MADE: LazyLock<Mutex<HashMap<String, Arc<Catalogue>>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(catalogue) = made.get(kind) {
        return Some(Arc::clone(catalogue));
    }
    types().resource(kind)?;
    let catalogue = Arc::new(Catalogue::of(kind));
    made.insert(kind.to_owned(), Arc::clone(&catalogue));
    Some(catalogue)
}

impl Catalogue {
    fn of(kind: &str) -> Self {
        let is_base = |base: &str| base == kind || base == "Resource" || base == "DomainResource";
        let on_it = r4().search_parameters().iter().filter(|one| one.base.iter().any(|base| is_base(base)));
        let mut parameters: Vec<Parameter> = on_it.filter_map(|one| Parameter::of(one, kind)).collect();
        parameters.sort_by(|a, b| a.code.cmp(&b.code));
        parameters.dedup_by(|a, b| a.code == b.code);
        Self { parameters }
    }

    pub(crate) fn get(&self, code: &str) -> Option<&Parameter> {
        let at = self.parameters.binary_search_by(|one| one.code.as_ref().cmp(code)).ok()?;
        self.parameters.get(at)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter()
    }

    /// Everything that a resource is found by. `base` is the URL that its own references may begin with.
    pub(crate) fn entries(&self, document: &Document, base: &str) -> Vec<Entry> {
        let mut entries = Vec::new();
        let Some(item) = Item::resource(document.root()) else { return entries };
        let environment = Environment::default();
        for parameter in &self.parameters {
            // An expression that cannot be evaluated on this resource finds nothing in it.
            let Ok(values) = parameter.program.evaluate(&item, &environment) else { continue };
            for value in &values {
                parameter.entries_of(value, &environment, base, &mut entries);
            }
        }
        entries
    }
}

/// Handled apart from the index: `_id` and `_lastUpdated` are columns of every resource.
const APART: [&str; 2] = ["_id", "_lastUpdated"];

impl Parameter {
    fn of(one: &'static SearchParameter, kind: &str) -> Option<Self> {
        if APART.contains(&one.code.as_ref()) || one.kind == SearchKind::Special {
            return None;
        }
        let on = Options::on(types().named(kind)?);
        let program = compile(one.expression.as_deref()?, &on).ok()?;
        let parts: Vec<Part> = one.components.iter().filter_map(Part::of).collect();
        if one.kind == SearchKind::Composite && !is_served(&parts) {
            return None;
        }
        let targets = one.target.iter().map(AsRef::as_ref).collect();
        Some(Self { code: one.code.as_ref().into(), url: &one.url, kind: one.kind, targets, program, parts })
    }

    fn entries_of(&self, value: &Item<'_>, environment: &Environment<'_>, base: &str, entries: &mut Vec<Entry>) {
        if self.kind != SearchKind::Composite {
            extract::entries(&self.code, self.kind, value, base, entries);
            return;
        }
        let [first, second] = self.parts.as_slice() else { return };
        let keys = |part: &Part| {
            let mut keys = Vec::new();
            for value in part.program.evaluate(value, environment).unwrap_or_default() {
                extract::entries(&self.code, part.kind, &value, base, &mut keys);
            }
            keys
        };
        let seconds = keys(second);
        for first in keys(first) {
            let Key::Exact(word) = &first.value else { continue };
            let together = seconds.iter().filter_map(|second| composite(word, &second.value));
            entries.extend(together.map(|key| Entry::new(Arc::clone(&self.code), key)));
        }
    }
}

/// Two parts, of which the first is a word and the second a word or a range.
fn is_served(parts: &[Part]) -> bool {
    let [first, second] = parts else { return false };
    first.kind == SearchKind::Token
        && matches!(second.kind, SearchKind::Token | SearchKind::Quantity | SearchKind::Date | SearchKind::Number)
}

/// What a composite is found by: its second part, on a scale or in a list that only those with the first part share.
pub(crate) fn composite(first: &str, second: &Key) -> Option<Key> {
    match second {
        Key::Exact(word) => Some(Key::Exact(joined(first, word))),
        Key::Range { unit, low, high } => Some(Key::Range { unit: joined(first, unit), low: *low, high: *high }),
        Key::Text { .. } | Key::Link { .. } => None,
    }
}

/// Two words as one that no other two give.
pub(crate) fn joined(first: &str, second: &str) -> String {
    format!("{}\u{1f}{first}{second}", first.len())
}

impl Part {
    fn of(component: &'static socle_fhir::definitions::Component) -> Option<Self> {
        let definition = r4().search_parameters().iter().find(|one| one.url == component.definition)?;
        Some(Self { kind: definition.kind, program: compile(&component.expression, &Options::default()).ok()? })
    }
}
