//! Where code systems, value sets and maps are found, and the asking of them by name.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::code_system::CodeSystem;
use super::model::{ConceptMap, Content, ValueSet};
use super::read::{ReadError, read_code_system, read_concept_map, read_value_set};
use super::set::{Membership, Set, SetError};
use super::version;
use crate::tape::Node;

/// What is known from one point of view: the tables of R4, the packages of a project, what an
/// administrator imported.
pub trait Source: Send + Sync {
    /// Every edition of a code system, supplements left out.
    fn code_systems(&self, url: &str) -> Vec<Arc<CodeSystem>>;
    /// Every edition of a value set.
    fn value_sets(&self, url: &str) -> Vec<Arc<ValueSet>>;
    /// The newest edition of a code system, or the newest that fits `wanted` (a version or a pattern).
    fn code_system(&self, url: &str, wanted: Option<&str>) -> Option<Arc<CodeSystem>> {
        newest(&self.code_systems(url), wanted)
    }
    /// The newest edition of a value set, or the newest that fits `wanted`.
    fn value_set(&self, url: &str, wanted: Option<&str>) -> Option<Arc<ValueSet>> {
        newest(&self.value_sets(url), wanted)
    }
    /// Every supplement to a code system.
    fn supplements(&self, url: &str) -> Vec<Arc<CodeSystem>> {
        let _ = url;
        Vec::new()
    }
    /// Every supplement of that canonical.
    fn supplement(&self, url: &str) -> Vec<Arc<CodeSystem>> {
        let _ = url;
        Vec::new()
    }
    /// Every map.
    fn concept_maps(&self) -> Vec<Arc<ConceptMap>> {
        Vec::new()
    }
}

/// What is versioned: the newest is taken when nothing else is asked.
pub trait Versioned {
    /// The edition.
    fn edition(&self) -> Option<&str>;
}

impl Versioned for CodeSystem {
    fn edition(&self) -> Option<&str> {
        self.version()
    }
}

impl Versioned for ValueSet {
    fn edition(&self) -> Option<&str> {
        self.header.version.as_deref()
    }
}

/// The newest edition, or the newest that fits `wanted` (a version or a pattern).
#[must_use]
pub fn newest<T: Versioned>(all: &[Arc<T>], wanted: Option<&str>) -> Option<Arc<T>> {
    let fits = |one: &&Arc<T>| match (wanted, one.edition()) {
        (None, _) => true,
        (Some(wanted), Some(version)) => version::fits(wanted, version),
        (Some(_), None) => false,
    };
    all.iter().filter(fits).max_by(|one, two| version::order(one.edition(), two.edition())).cloned()
}

/// A source that holds what it is given, over another one when there is one.
#[derive(Default)]
pub struct Library {
    code_systems: HashMap<Box<str>, Vec<Arc<CodeSystem>>>,
    supplements: Vec<Arc<CodeSystem>>,
    value_sets: HashMap<Box<str>, Vec<Arc<ValueSet>>>,
    concept_maps: Vec<Arc<ConceptMap>>,
    base: Option<Arc<dyn Source>>,
}

impl Library {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What it is given comes before what `base` has.
    #[must_use]
    pub fn over(base: Arc<dyn Source>) -> Self {
        Self { base: Some(base), ..Self::default() }
    }

    /// Adds a CodeSystem, ValueSet or ConceptMap, or those in a Bundle; other resources are left out.
    ///
    /// # Errors
    /// When the resource cannot be read.
    pub fn add(&mut self, resource: Node<'_>) -> Result<(), ReadError> {
        match resource.resource_type() {
            Some("CodeSystem") => self.add_code_system(read_code_system(resource)?),
            Some("ValueSet") => self.add_value_set(read_value_set(resource)?),
            Some("ConceptMap") => self.add_concept_map(read_concept_map(resource)?),
            Some("Bundle") => {
                for entry in resource.all("entry") {
                    if let Some(inner) = entry.get("resource") {
                        self.add(inner)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds a code system or a supplement; the same edition again replaces the first.
    pub fn add_code_system(&mut self, system: impl Into<Arc<CodeSystem>>) {
        let system = system.into();
        if system.content() == Content::Supplement {
            self.supplements.push(system);
        } else {
            put(self.code_systems.entry(system.url().into()).or_default(), system);
        }
    }

    /// Adds a value set; the same edition again replaces the first.
    pub fn add_value_set(&mut self, set: impl Into<Arc<ValueSet>>) {
        let set = set.into();
        put(self.value_sets.entry(set.header.url.clone()).or_default(), set);
    }

    /// Adds a map.
    pub fn add_concept_map(&mut self, map: impl Into<Arc<ConceptMap>>) {
        self.concept_maps.push(map.into());
    }
}

fn put<T: Versioned>(all: &mut Vec<Arc<T>>, one: Arc<T>) {
    all.retain(|other| other.edition() != one.edition());
    all.push(one);
}

/// The newer of the two; the own one when they are the same.
fn newer<T: Versioned>(own: Option<Arc<T>>, base: Option<Arc<T>>) -> Option<Arc<T>> {
    match (own, base) {
        (Some(own), Some(base)) => {
            let is_base_newer = version::order(base.edition(), own.edition()) == std::cmp::Ordering::Greater;
            Some(if is_base_newer { base } else { own })
        }
        (own, base) => own.or(base),
    }
}

/// The own editions, and those of the base that are not among them.
fn layered<T: Versioned>(own: Option<&Vec<Arc<T>>>, base: Option<Vec<Arc<T>>>) -> Vec<Arc<T>> {
    let mut all = own.cloned().unwrap_or_default();
    for one in base.into_iter().flatten() {
        if all.iter().all(|other| other.edition() != one.edition()) {
            all.push(one);
        }
    }
    all
}

impl Source for Library {
    fn code_systems(&self, url: &str) -> Vec<Arc<CodeSystem>> {
        layered(self.code_systems.get(url), self.base.as_ref().map(|base| base.code_systems(url)))
    }

    fn value_sets(&self, url: &str) -> Vec<Arc<ValueSet>> {
        layered(self.value_sets.get(url), self.base.as_ref().map(|base| base.value_sets(url)))
    }

    fn code_system(&self, url: &str, wanted: Option<&str>) -> Option<Arc<CodeSystem>> {
        let own = self.code_systems.get(url).and_then(|all| newest(all, wanted));
        let base = self.base.as_ref().and_then(|base| base.code_system(url, wanted));
        newer(own, base)
    }

    fn value_set(&self, url: &str, wanted: Option<&str>) -> Option<Arc<ValueSet>> {
        let own = self.value_sets.get(url).and_then(|all| newest(all, wanted));
        let base = self.base.as_ref().and_then(|base| base.value_set(url, wanted));
        newer(own, base)
    }

    fn supplements(&self, url: &str) -> Vec<Arc<CodeSystem>> {
        let of = |system: &&Arc<CodeSystem>| system.supplements().is_some_and(|of| version::split(of).0 == url);
        let own = self.supplements.iter().filter(of).cloned();
        own.chain(self.base.iter().flat_map(|base| base.supplements(url))).collect()
    }

    fn supplement(&self, url: &str) -> Vec<Arc<CodeSystem>> {
        let own = self.supplements.iter().filter(|system| system.url() == url).cloned();
        own.chain(self.base.iter().flat_map(|base| base.supplement(url))).collect()
    }

    fn concept_maps(&self) -> Vec<Arc<ConceptMap>> {
        self.concept_maps.iter().cloned().chain(self.base.iter().flat_map(|base| base.concept_maps())).collect()
    }
}

/// The one to ask: a source, with the value sets that were asked kept resolved.
///
/// ```
/// use std::sync::Arc;
/// use socle_fhir::{Document, terminology::{Library, Membership, Terminology}};
///
/// let mut library = Library::new();
/// library.add(Document::parse(r#"{"resourceType":"CodeSystem","url":"http://example.org/c",
///     "content":"complete","concept":[{"code":"a","display":"Alpha"},{"code":"b"}]}"#)?.root())?;
/// library.add(Document::parse(r#"{"resourceType":"ValueSet","url":"http://example.org/v","compose":{
///     "include":[{"system":"http://example.org/c"}],
///     "exclude":[{"system":"http://example.org/c","concept":[{"code":"b"}]}]}}"#)?.root())?;
/// let terminology = Terminology::new(Arc::new(library));
/// let member = |code, display| terminology.member("http://example.org/v", Some("http://example.org/c"), code, display);
/// assert_eq!(member("a", Some("alpha")), Membership::Yes);
/// assert_eq!(member("a", Some("Beta")), Membership::WrongDisplay);
/// assert_eq!(member("b", None), Membership::No);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Terminology {
    source: Arc<dyn Source>,
    sets: RwLock<HashMap<Box<str>, Resolved>>,
}

type Resolved = Result<Arc<Set>, SetError>;

impl Terminology {
    /// Asks that source, which does not change any more.
    #[must_use]
    pub fn new(source: Arc<dyn Source>) -> Self {
        Self { source, sets: RwLock::default() }
    }

    /// Where its content comes from.
    #[must_use]
    pub fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// A code system: the newest edition, or the newest that fits `wanted`; countries and currencies of
    /// ISO are always known.
    #[must_use]
    pub fn code_system(&self, url: &str, wanted: Option<&str>) -> Option<Arc<CodeSystem>> {
        let iso = || super::iso::system(url).filter(|_| wanted.is_none());
        self.source.code_system(url, wanted).or_else(iso)
    }

    /// A value set, resolved, by `url` or `url|version`. Resolved once; later calls cost a look-up.
    ///
    /// # Errors
    /// When it, or one that it imports, is not known or cannot be resolved.
    pub fn set(&self, canonical: &str) -> Result<Arc<Set>, SetError> {
        if let Some(known) = self.sets.read().unwrap_or_else(PoisonError::into_inner).get(canonical) {
            return known.clone();
        }
        let made = self.resolve(canonical);
        self.sets.write().unwrap_or_else(PoisonError::into_inner).insert(canonical.into(), made.clone());
        made
    }

    fn resolve(&self, canonical: &str) -> Result<Arc<Set>, SetError> {
        let (url, wanted) = version::split(canonical);
        let found = self.source.value_set(url, wanted);
        let found = found.or_else(|| self.implicit(url)).ok_or_else(|| SetError::Unknown(canonical.into()))?;
        Set::resolve(&found, &*self.source, &[])
    }

    /// The value set of all codes of a system, which `CodeSystem.valueSet` or a registry names.
    fn implicit(&self, url: &str) -> Option<Arc<ValueSet>> {
        super::implicit::value_set(&*self.source, url).map(Arc::new)
    }

    /// Whether a code is in a value set (`url` or `url|version`): the question of validators, asked
    /// millions of times. No allocation once the value set was asked.
    ///
    /// Without `system` the code of any system counts (bindings of the type `code`).
    #[must_use]
    pub fn member(&self, value_set: &str, system: Option<&str>, code: &str, display: Option<&str>) -> Membership {
        let answer = |set: &Resolved| match set {
            Ok(set) => set.member(system, code, display),
            Err(error) => Membership::Unknown(error.reason()),
        };
        if let Some(known) = self.sets.read().unwrap_or_else(PoisonError::into_inner).get(value_set) {
            return answer(known);
        }
        answer(&self.set(value_set))
    }
}

impl std::fmt::Debug for Terminology {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.sets.read().unwrap_or_else(PoisonError::into_inner).len();
        write!(f, "Terminology({count} value sets resolved)")
    }
}
