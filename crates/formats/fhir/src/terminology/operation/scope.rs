//! What one request sees: the source with the resources that it brings, its version rules, its supplements.

use std::borrow::Cow;
use std::sync::Arc;

use socle_finding::Lang;

use super::issue::{Refusal, spoken};
use super::language::{Names, joined};
use super::message;
use super::request::Request;
use crate::terminology::code_system::{CodeSystem, ConceptId};
use crate::terminology::grammar::Grammar;
use crate::terminology::library::{Library, Source, Terminology};
use crate::terminology::model::{Content, IncludedConcept, ValueSet};
use crate::terminology::set::{Set, SetError};
use crate::terminology::version::{self, VersionRule, chosen};
use crate::terminology::{implicit, iso};

/// A code system, listed or a grammar.
#[derive(Clone)]
pub(super) enum System {
    Defined(Arc<CodeSystem>),
    Grammar(Grammar),
}

/// A code found in a system.
#[derive(Debug, Clone)]
pub(super) struct Spot<'a> {
    pub(super) id: Option<ConceptId>,
    /// As the system writes it.
    pub(super) code: Cow<'a, str>,
    pub(super) is_abstract: bool,
    pub(super) is_inactive: bool,
    pub(super) status: Option<&'a str>,
}

impl System {
    pub(super) fn url(&self) -> &str {
        match self {
            Self::Defined(system) => system.url(),
            Self::Grammar(grammar) => grammar.url(),
        }
    }

    pub(super) fn version(&self) -> Option<&str> {
        match self {
            Self::Defined(system) => system.version(),
            Self::Grammar(_) => None,
        }
    }

    pub(super) fn canonical(&self) -> String {
        match self {
            Self::Defined(system) => system.header().canonical(),
            Self::Grammar(grammar) => grammar.url().to_owned(),
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Defined(system) => system.content() == Content::Complete,
            Self::Grammar(_) => true,
        }
    }

    pub(super) fn language(&self) -> &str {
        match self {
            Self::Defined(system) => system.header().language.as_deref().unwrap_or("en"),
            Self::Grammar(_) => "en",
        }
    }

    pub(super) fn locate<'a>(&'a self, code: &'a str) -> Option<Spot<'a>> {
        match self {
            Self::Defined(system) => {
                let id = system.find(code)?;
                Some(Spot {
                    id: Some(id),
                    code: Cow::Borrowed(&system.concept(id)?.code),
                    is_abstract: system.is_abstract(id),
                    is_inactive: system.is_inactive(id),
                    status: system.status(id),
                })
            }
            Self::Grammar(grammar) => grammar.accepts(code).then(|| Spot {
                id: None,
                code: grammar.normal(code),
                is_abstract: false,
                is_inactive: false,
                status: None,
            }),
        }
    }

    pub(super) fn names<'a>(
        &'a self,
        spot: &'a Spot<'a>,
        included: Option<(&'a IncludedConcept, Option<&'a str>)>,
    ) -> Names<'a> {
        match (self, spot.id) {
            (Self::Defined(system), Some(id)) => Names::of(system, id, included),
            _ => Names::default(),
        }
    }
}

/// The view of one request.
pub(super) struct Scope {
    pub(super) source: Arc<dyn Source>,
    pub(super) rules: Vec<VersionRule>,
    pub(super) lang: Lang,
    /// The supplements that must be used: asked for, or required by the value set.
    pub(super) supplements: Vec<Box<str>>,
    /// The request brings resources of its own.
    has_own: bool,
}

impl Scope {
    /// The base, and what the request brings over it.
    pub(super) fn new(base: &Arc<dyn Source>, request: &Request<'_>) -> Result<Self, Refusal> {
        let lang = spoken(request);
        let mut brought = request.resources().peekable();
        let mut source = base.clone();
        let has_own = brought.peek().is_some();
        if has_own {
            let mut library = Library::over(base.clone());
            for resource in brought {
                // A value set without canonical is asked about directly; it cannot be referred to.
                if resource.get("url").is_some() {
                    library.add(resource).map_err(|error| unreadable(lang, &error.to_string()))?;
                }
            }
            source = Arc::new(library);
        }
        Ok(Self { source, rules: request.rules.clone(), lang, supplements: request.supplements.clone(), has_own })
    }

    /// A value set resolved: kept by the terminology, unless the request changes what it means.
    pub(super) fn set(&self, terminology: &Terminology, value_set: &Arc<ValueSet>) -> Result<Arc<Set>, SetError> {
        if self.has_own || !self.rules.is_empty() {
            return Set::resolve(value_set, &*self.source, &self.rules);
        }
        terminology.set(&value_set.header.canonical())
    }

    /// A code system as the rules and `version` choose it, the supplements laid over.
    pub(super) fn system(&self, url: &str, version: Option<&str>) -> Option<System> {
        self.system_as_said(url, chosen(&self.rules, url, version).0)
    }

    /// The same without the rules.
    pub(super) fn system_as_said(&self, url: &str, version: Option<&str>) -> Option<System> {
        let found = self.source.code_system(url, version).or_else(|| iso::system(url).filter(|_| version.is_none()));
        let has_codes = |system: &Arc<CodeSystem>| {
            matches!(system.content(), Content::Complete | Content::Fragment | Content::Example)
        };
        match found.filter(has_codes) {
            Some(system) => Some(System::Defined(self.supplemented(system))),
            None if version.is_none() => Grammar::of(url).map(System::Grammar),
            None => None,
        }
    }

    fn supplemented(&self, system: Arc<CodeSystem>) -> Arc<CodeSystem> {
        if self.supplements.is_empty() {
            return system;
        }
        let is_used =
            |supplement: &&Arc<CodeSystem>| self.supplements.iter().any(|wanted| is_called(supplement, wanted));
        let all = self.source.supplements(system.url());
        let used: Vec<_> = all.iter().filter(is_used).map(|supplement| &**supplement).collect();
        if used.is_empty() { system } else { Arc::new(system.supplemented(&used)) }
    }

    /// Every supplement that must be used is known.
    pub(super) fn check_supplements(&self) -> Result<(), Refusal> {
        let is_missing = |wanted: &&str| {
            let (url, _) = version::split(wanted);
            !self.source.supplement(url).iter().any(|supplement| is_called(supplement, wanted))
        };
        let missing: Vec<_> = self.supplements.iter().map(|wanted| &**wanted).filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = message::missing_supplement(self.lang, &missing.join(","));
        Err(Refusal::new(422, "not-found", Some("not-found"), message))
    }

    /// The versions of a system that are known, for a message.
    pub(super) fn known_versions(&self, url: &str) -> String {
        let all = self.source.code_systems(url);
        let mut versions: Vec<_> = all.iter().filter_map(|system| system.version().map(str::to_owned)).collect();
        versions.sort();
        let or = match self.lang {
            Lang::Fr => "ou",
            Lang::En if versions.len() > 2 => "and",
            Lang::En => "or",
        };
        joined(&versions, or)
    }

    /// A value set by its canonical: listed, or implied by a system.
    pub(super) fn value_set(&self, url: &str, version: Option<&str>) -> Option<Arc<ValueSet>> {
        let (url, inside) = version::split(url);
        let (wanted, _) = chosen(&self.rules, url, version.or(inside));
        let found = self.source.value_set(url, wanted);
        found.or_else(|| implicit::value_set(&*self.source, url).map(Arc::new))
    }

    /// The refusal for a value set that cannot be resolved, when one is asked to expand or validate it.
    pub(super) fn unresolved(&self, error: &SetError, of: &ValueSet) -> Refusal {
        match error {
            SetError::Unknown(canonical) => {
                let message = message::unknown_value_set(self.lang, canonical);
                Refusal::new(422, "not-found", Some("not-found"), message)
            }
            SetError::Circle(way) => {
                let at = way.last().map(String::as_str).unwrap_or_default();
                let before = way.get(..way.len().saturating_sub(1)).unwrap_or_default().join(", ");
                Refusal::new(400, "processing", Some("vs-invalid"), message::circle(self.lang, at, &before))
            }
            SetError::TooBig(name) => {
                Refusal::new(422, "too-costly", Some("vs-invalid"), message::too_many_imports(self.lang, name))
            }
            SetError::Filter(filter) => {
                let (property, op) = (&*filter.property, &*filter.op);
                let mut refusal = match filter.value.as_deref().filter(|value| !value.is_empty()) {
                    None => {
                        let message = message::filter_without_value(self.lang, &filter.system, property, op);
                        Refusal::new(400, "invalid", Some("vs-invalid"), message)
                    }
                    Some(value) => {
                        let set = &of.header.url;
                        let message =
                            message::filter_not_understood(self.lang, [property, op, value], set, &filter.system);
                        Refusal::new(400, "not-supported", Some("vs-invalid"), message)
                    }
                };
                refusal.issues.iter_mut().for_each(|issue| issue.at.clone_from(&filter.at));
                refusal
            }
        }
    }
}

fn is_called(supplement: &CodeSystem, canonical: &str) -> bool {
    let (url, version) = version::split(canonical);
    supplement.url() == url
        && version.is_none_or(|wanted| supplement.version().is_some_and(|v| version::fits(wanted, v)))
}

pub(super) fn unreadable(lang: Lang, why: &str) -> Refusal {
    Refusal::new(400, "invalid", None, message::unreadable(lang, why))
}
