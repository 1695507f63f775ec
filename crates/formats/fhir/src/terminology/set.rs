//! Value sets ready to be asked: each include is a set of positions in its code system.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use super::code_system::{CodeSystem, ConceptId};
use super::filter::{self, FilterError};
use super::grammar::{self, Grammar};
use super::iso;
use super::library::Source;
use super::model::{Content, Designation, Include, ValueSet};
use super::version::{self, VersionRule, chosen};

/// Value sets that import value sets, at most so deep.
const MAX_DEPTH: usize = 50;
/// The includes that one question may have to visit, imports counted each time they are imported: a
/// few value sets that import each other twice would make 2⁵⁰ of them.
const MAX_WEIGHT: usize = 10_000;

/// A value set resolved: its systems found, its filters applied, its imports resolved.
#[derive(Debug)]
pub struct Set {
    value_set: Arc<ValueSet>,
    includes: Vec<Part>,
    excludes: Vec<Part>,
    /// The expansion of its author, used when it has no compose.
    listed: Option<Listed>,
    /// How many includes one question may have to visit.
    weight: usize,
}

type Listed = HashMap<Box<str>, HashSet<Box<str>>>;

/// One include or exclude, resolved.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) system: Option<PartSystem>,
    pub(super) imports: Vec<Arc<Set>>,
}

/// The part of a system that an include takes.
#[derive(Debug)]
pub(super) enum PartSystem {
    /// Positions in a known system.
    Known { system: Arc<CodeSystem>, members: Members },
    /// A grammar; these codes only, when it lists some; units of this canonical form only, when it says one.
    Grammar { grammar: Grammar, codes: Option<HashSet<Box<str>>>, unit: Option<String> },
    /// Codes of a system that we do not have.
    Listed { url: Box<str>, codes: HashSet<Box<str>> },
    /// Nothing can be said.
    Missing { url: Box<str>, why: Reason },
}

/// Why nothing can be said of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The value set, or one that it imports, is not known.
    ValueSet,
    /// The code system is not known, or not in the version that is asked.
    CodeSystem,
    /// The code system is known without its codes, or with a part of them.
    Incomplete,
    /// A filter that we cannot apply.
    Filter,
    /// Value sets that import each other in a circle, or too deep.
    Circle,
    /// The value set says neither how it is made nor what it holds.
    Empty,
}

impl Reason {
    /// A few words for a message.
    #[must_use]
    pub const fn text(self) -> socle_finding::Text {
        use socle_finding::Text;
        match self {
            Self::ValueSet => Text::fixed("jeu de valeurs inconnu", "value set not known"),
            Self::CodeSystem => Text::fixed("système de codes inconnu", "code system not known"),
            Self::Incomplete => Text::fixed("système de codes incomplet", "code system without all its codes"),
            Self::Filter => Text::fixed("filtre non applicable", "filter that cannot be applied"),
            Self::Circle => Text::fixed("jeux de valeurs en cercle", "value sets in a circle"),
            Self::Empty => Text::fixed("jeu de valeurs sans contenu", "value set without content"),
        }
    }
}

/// Whether a code is in a value set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It is, and its display, when there is one, is a name of it.
    Yes,
    /// It is, but its display is no name of it.
    WrongDisplay,
    /// It is not.
    No,
    /// Nobody can say.
    Unknown(Reason),
}

impl Membership {
    /// The code is in the value set, whatever its display.
    #[must_use]
    pub const fn is_member(self) -> bool {
        matches!(self, Self::Yes | Self::WrongDisplay)
    }
}

/// Why a value set cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// It, or one that it imports, is not known.
    #[error("the value set {0} is not known")]
    Unknown(Box<str>),
    /// Value sets import each other in a circle; the circle.
    #[error("value sets import each other: {}", .0.join(", "))]
    Circle(Vec<String>),
    /// Value sets import each other so often that no question could be answered.
    #[error("the value set {0} imports too many value sets")]
    TooBig(String),
    /// A filter cannot be applied.
    #[error("{0}")]
    Filter(FilterError),
}

impl SetError {
    /// The reason for an answer.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Unknown(_) => Reason::ValueSet,
            Self::Circle(_) | Self::TooBig(_) => Reason::Circle,
            Self::Filter(_) => Reason::Filter,
        }
    }
}

/// A set of positions in a code system.
#[derive(Clone, PartialEq, Eq)]
pub enum Members {
    /// All.
    All,
    /// These, sorted: when they are few.
    Few(Box<[ConceptId]>),
    /// One bit per position.
    Bits(Box<[u64]>),
}

impl Members {
    /// Of positions in any order.
    #[must_use]
    pub fn of(ids: impl IntoIterator<Item = ConceptId>, size: usize) -> Self {
        let mut ids: Vec<_> = ids.into_iter().filter(|id| (*id as usize) < size).collect();
        ids.sort_unstable();
        ids.dedup();
        // Below one position in 32, the list is the smaller of the two.
        if ids.len() < size / 32 + 4 {
            return Self::Few(ids.into());
        }
        let mut bits = vec![0_u64; size.div_ceil(64)];
        for id in ids {
            bits[id as usize / 64] |= 1 << (id % 64);
        }
        Self::Bits(bits.into())
    }

    /// That position is in it.
    #[must_use]
    pub fn contains(&self, id: ConceptId) -> bool {
        match self {
            Self::All => true,
            Self::Few(ids) => ids.binary_search(&id).is_ok(),
            Self::Bits(bits) => bits.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1),
        }
    }

    /// Its positions, in order, in a system of that size.
    #[must_use]
    pub fn ids(&self, size: usize) -> Vec<ConceptId> {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        match self {
            Self::Few(ids) => ids.to_vec(),
            _ => (0..size).filter(|id| self.contains(*id)).collect(),
        }
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Few(ids) => write!(f, "{} positions", ids.len()),
            Self::Bits(bits) => write!(f, "{} positions", bits.iter().map(|word| word.count_ones()).sum::<u32>()),
        }
    }
}

impl Set {
    /// Resolves a value set: systems and imports are found in `source`, versions chosen by `rules`.
    ///
    /// A system that is not known makes no error here: the answers that depend on it are
    /// [`Membership::Unknown`].
    ///
    /// # Errors
    /// When an import is not known, a filter cannot be applied, or value sets form a circle.
    pub fn resolve(
        value_set: &Arc<ValueSet>,
        source: &dyn Source,
        rules: &[VersionRule],
    ) -> Result<Arc<Self>, SetError> {
        Resolver { source, rules, open: Vec::new(), done: HashMap::new() }.set(value_set)
    }

    /// The definition.
    #[must_use]
    pub const fn value_set(&self) -> &Arc<ValueSet> {
        &self.value_set
    }

    pub(super) fn includes(&self) -> &[Part] {
        &self.includes
    }

    pub(super) fn excludes(&self) -> &[Part] {
        &self.excludes
    }

    /// Inactive codes are not in it (`compose.inactive` is false).
    #[must_use]
    pub fn leaves_out_inactive(&self) -> bool {
        self.value_set.compose.as_ref().is_some_and(|compose| compose.inactive == Some(false))
    }

    /// Whether a code is in it, without allocation. Without `system`, the code of any system counts
    /// when exactly one include has it.
    #[must_use]
    pub fn member(&self, system: Option<&str>, code: &str, display: Option<&str>) -> Membership {
        self.member_within(system, code, display, false)
    }

    /// The same inside another value set, which may leave out inactive codes.
    fn member_within(&self, system: Option<&str>, code: &str, display: Option<&str>, no_inactive: bool) -> Membership {
        if let Some(listed) = &self.listed {
            if self.value_set.expansion.is_none() {
                return Membership::Unknown(Reason::Empty);
            }
            return Self::in_list(listed, system, code);
        }
        let no_inactive = no_inactive || self.leaves_out_inactive();
        let mut answer = Membership::No;
        for part in &self.includes {
            match part.member(system, code, display, no_inactive) {
                Membership::No => {}
                Membership::Unknown(why) => answer = Membership::Unknown(why),
                found => {
                    answer = found;
                    break;
                }
            }
        }
        if answer == Membership::No {
            return answer;
        }
        for part in &self.excludes {
            match part.member(system, code, None, false) {
                Membership::No => {}
                Membership::Unknown(why) => answer = Membership::Unknown(why),
                Membership::Yes | Membership::WrongDisplay => return Membership::No,
            }
        }
        answer
    }

    /// The value set itself gives that name to the code (`compose.include.concept`, `expansion.contains`).
    #[must_use]
    pub fn gives_display(&self, system: Option<&str>, code: &str, display: &str) -> bool {
        let is_name = |own: &Option<Box<str>>, others: &[Designation]| {
            own.as_deref() == Some(display) || others.iter().any(|other| *other.value == *display)
        };
        let listed = self.value_set.expansion.iter().flatten().any(|item| {
            let is_it = item.coding.code.as_deref() == Some(code) && item.coding.system.as_deref() == system;
            is_it && is_name(&item.coding.display, &item.designations)
        });
        let includes = self.value_set.compose.iter().flat_map(|compose| &compose.include);
        listed
            || includes
                .filter(|include| include.system.as_deref() == system)
                .flat_map(|include| &include.concepts)
                .any(|concept| *concept.code == *code && is_name(&concept.display, &concept.designations))
    }

    fn in_list(listed: &Listed, system: Option<&str>, code: &str) -> Membership {
        let is_in = match system {
            Some(system) => listed.get(system).is_some_and(|codes| codes.contains(code)),
            None => listed.values().any(|codes| codes.contains(code)),
        };
        if is_in { Membership::Yes } else { Membership::No }
    }

    /// Every system that it takes codes from, imports included, each once.
    #[must_use]
    pub fn systems(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.collect_systems(&mut found);
        found
    }

    /// The first thing in it that is not known, imports included: some answers will be
    /// [`Membership::Unknown`].
    #[must_use]
    pub fn unknown(&self) -> Option<Reason> {
        let is_empty = self.value_set.compose.is_none() && self.value_set.expansion.is_none();
        if is_empty {
            return Some(Reason::Empty);
        }
        self.includes.iter().chain(&self.excludes).find_map(|part| {
            let own = match &part.system {
                Some(PartSystem::Missing { why, .. }) => Some(*why),
                Some(PartSystem::Known { system, .. }) if system.content() != Content::Complete => {
                    Some(Reason::Incomplete)
                }
                _ => None,
            };
            own.or_else(|| part.imports.iter().find_map(|import| import.unknown()))
        })
    }

    fn collect_systems<'a>(&'a self, found: &mut Vec<&'a str>) {
        for part in &self.includes {
            if let Some(system) = &part.system
                && !found.contains(&system.url())
            {
                found.push(system.url());
            }
            part.imports.iter().for_each(|import| import.collect_systems(found));
        }
        for url in self.listed.iter().flat_map(HashMap::keys) {
            if !found.contains(&&**url) {
                found.push(url);
            }
        }
    }
}

impl Part {
    pub(super) fn member(
        &self,
        system: Option<&str>,
        code: &str,
        display: Option<&str>,
        no_inactive: bool,
    ) -> Membership {
        let mut answer = match &self.system {
            Some(own) => own.member(system, code, display, no_inactive),
            None => Membership::Yes,
        };
        for import in &self.imports {
            if answer == Membership::No {
                return answer;
            }
            // The display is judged once: by the system when the include has one, else by the imports.
            let display = if self.system.is_none() { display } else { None };
            match import.member_within(system, code, display, no_inactive) {
                Membership::Yes => {}
                other if answer.is_member() || other == Membership::No => answer = other,
                _ => {}
            }
        }
        answer
    }
}

impl PartSystem {
    pub(super) fn url(&self) -> &str {
        match self {
            Self::Known { system, .. } => system.url(),
            Self::Grammar { grammar, .. } => grammar.url(),
            Self::Listed { url, .. } | Self::Missing { url, .. } => url,
        }
    }

    /// It takes that code of that system.
    pub(super) fn has(&self, system: &str, code: &str) -> bool {
        self.member(Some(system), code, None, false).is_member()
    }

    fn member(&self, system: Option<&str>, code: &str, display: Option<&str>, no_inactive: bool) -> Membership {
        if system.is_some_and(|system| system != self.url()) {
            return Membership::No;
        }
        let yes_if = |is_member: bool| if is_member { Membership::Yes } else { Membership::No };
        match self {
            Self::Known { system, members } => {
                let Some(id) = system.find(code) else { return Self::not_found(system) };
                if !members.contains(id) || (no_inactive && system.is_inactive(id)) {
                    return Membership::No;
                }
                match display.and_then(|display| system.is_named(id, display)) {
                    Some(false) => Membership::WrongDisplay,
                    _ => Membership::Yes,
                }
            }
            Self::Grammar { grammar, codes, unit } => yes_if(
                codes.as_ref().is_none_or(|codes| codes.contains(code))
                    && match unit {
                        Some(unit) => grammar::canonical_unit(code).as_ref() == Some(unit),
                        None => grammar.accepts(code),
                    },
            ),
            Self::Listed { codes, .. } => yes_if(codes.contains(code)),
            Self::Missing { why, .. } => Membership::Unknown(*why),
        }
    }

    fn not_found(system: &CodeSystem) -> Membership {
        match system.content() {
            Content::Complete | Content::Supplement => Membership::No,
            Content::Fragment | Content::Example | Content::NotPresent => Membership::Unknown(Reason::Incomplete),
        }
    }
}

struct Resolver<'a> {
    source: &'a dyn Source,
    rules: &'a [VersionRule],
    /// The value sets that are being resolved, from the outermost.
    open: Vec<String>,
    /// Those that were resolved, by canonical.
    done: HashMap<String, Arc<Set>>,
}

impl Resolver<'_> {
    fn set(&mut self, value_set: &Arc<ValueSet>) -> Result<Arc<Set>, SetError> {
        let name = value_set.header.canonical();
        let is_named = !value_set.header.url.is_empty();
        if (is_named && self.open.contains(&name)) || self.open.len() >= MAX_DEPTH {
            return Err(SetError::Circle(self.open.iter().cloned().chain([name]).collect()));
        }
        if is_named && let Some(known) = self.done.get(&name) {
            return Ok(known.clone());
        }
        self.open.push(name.clone());
        let done = self.parts(value_set);
        self.open.pop();
        let mut set = done?;
        let parts = set.includes.iter().chain(&set.excludes);
        let weights = parts.map(|part| part.imports.iter().fold(1, |sum: usize, set| sum.saturating_add(set.weight)));
        set.weight = weights.fold(1, usize::saturating_add);
        if set.weight > MAX_WEIGHT {
            return Err(SetError::TooBig(name));
        }
        let set = Arc::new(set);
        if is_named {
            self.done.insert(name, set.clone());
        }
        Ok(set)
    }

    fn parts(&mut self, value_set: &Arc<ValueSet>) -> Result<Set, SetError> {
        let mut set =
            Set { value_set: value_set.clone(), includes: Vec::new(), excludes: Vec::new(), listed: None, weight: 1 };
        let Some(compose) = &value_set.compose else {
            set.listed = Some(listed(value_set));
            return Ok(set);
        };
        for (index, include) in compose.include.iter().enumerate() {
            set.includes.push(self.part(value_set, include).map_err(|error| placed(error, "include", index))?);
        }
        for (index, exclude) in compose.exclude.iter().enumerate() {
            set.excludes.push(self.part(value_set, exclude).map_err(|error| placed(error, "exclude", index))?);
        }
        Ok(set)
    }

    fn part(&mut self, of: &ValueSet, include: &Include) -> Result<Part, SetError> {
        let mut imports = Vec::new();
        for canonical in &include.value_sets {
            let import = find_value_set(self.source, self.rules, of, canonical)
                .ok_or_else(|| SetError::Unknown(pinned(self.rules, canonical).into()))?;
            imports.push(self.set(&import)?);
        }
        let system = match &include.system {
            Some(url) => Some(self.system(url, include)?),
            None => None,
        };
        Ok(Part { system, imports })
    }

    fn system(&self, url: &str, include: &Include) -> Result<PartSystem, SetError> {
        let (wanted, _) = chosen(self.rules, url, include.version.as_deref());
        let iso = || iso::system(url).filter(|_| wanted.is_none());
        let known = self.source.code_system(url, wanted).or_else(iso);
        let is_absent = known.as_ref().is_some_and(|system| system.content() == Content::NotPresent);
        if let Some(system) = known.filter(|_| !is_absent) {
            let members = filter::selected(&system, include).map_err(SetError::Filter)?;
            return Ok(PartSystem::Known { system, members });
        }
        let codes: HashSet<_> = include.concepts.iter().map(|concept| concept.code.clone()).collect();
        if let Some(grammar) = Grammar::of(url)
            && let Ok(unit) = grammar::unit_filter(grammar, &include.filters)
        {
            let codes = (!codes.is_empty()).then_some(codes);
            return Ok(PartSystem::Grammar { grammar, codes, unit });
        }
        if !codes.is_empty() {
            return Ok(PartSystem::Listed { url: url.into(), codes });
        }
        let why = match Grammar::of(url) {
            Some(_) => Reason::Filter,
            None if is_absent => Reason::Incomplete,
            None => Reason::CodeSystem,
        };
        Ok(PartSystem::Missing { url: url.into(), why })
    }
}

/// Says in which include a filter is wrong; an import has said it already.
fn placed(error: SetError, name: &str, index: usize) -> SetError {
    match error {
        SetError::Filter(filter) if filter.at.starts_with("filter") => {
            let at = format!("ValueSet.compose.{name}[{index}].{}", filter.at);
            SetError::Filter(FilterError { at, ..filter })
        }
        other => other,
    }
}

/// The value set that `canonical` names from inside `of`: one that it contains, or one of the source.
pub(super) fn find_value_set(
    source: &dyn Source,
    rules: &[VersionRule],
    of: &ValueSet,
    canonical: &str,
) -> Option<Arc<ValueSet>> {
    if let Some(id) = canonical.strip_prefix('#') {
        let own = of.contained.iter().find(|inner| inner.header.id.as_deref() == Some(id))?;
        return Some(Arc::new(own.clone()));
    }
    let (url, said) = version::split(canonical);
    let (wanted, _) = chosen(rules, url, said);
    source.value_set(url, wanted)
}

/// `canonical` with the version that the rules choose.
pub(super) fn pinned(rules: &[VersionRule], canonical: &str) -> String {
    let (url, said) = version::split(canonical);
    match chosen(rules, url, said).0 {
        Some(version) => format!("{url}|{version}"),
        None => url.to_owned(),
    }
}

fn listed(value_set: &ValueSet) -> Listed {
    let mut listed = Listed::new();
    for item in value_set.expansion.iter().flatten() {
        let (Some(system), Some(code)) = (&item.coding.system, &item.coding.code) else { continue };
        listed.entry(system.clone()).or_default().insert(code.clone());
    }
    listed
}
