//! The codes of a value set, in order, each once: what an expansion lists.

use std::collections::HashSet;
use std::sync::Arc;

use super::check::status_of;
use super::issue::Refusal;
use super::language::Names;
use super::message;
use super::scope::{Scope, System};
use crate::terminology::code_system::{CodeSystem, ConceptId};
use crate::terminology::model::{Content, Header, Include, IncludedConcept, ValueSet};
use crate::terminology::set::{Members, Part, PartSystem, Set};
use crate::terminology::version::{self, RuleKind, VersionRule};

/// One code of an expansion.
#[derive(Clone)]
pub(super) struct Item {
    /// Which of the systems.
    pub(super) system: usize,
    pub(super) what: What,
    /// The item under which it stands, when the expansion is a tree.
    pub(super) parent: Option<usize>,
    /// Where the value set names it: the value set, the include, the concept.
    included: Option<(Arc<ValueSet>, usize, usize)>,
}

/// What stands for a code.
#[derive(Clone)]
pub(super) enum What {
    Concept(ConceptId),
    /// A code of a grammar, or of a system that we do not have.
    Plain(Box<str>),
}

/// A system that gave codes.
pub(super) struct Slot {
    pub(super) url: Box<str>,
    pub(super) version: Option<Box<str>>,
    pub(super) system: Option<Arc<CodeSystem>>,
    /// Codes are the same when these are.
    key: usize,
}

/// What is asked of the collection.
pub(super) struct Wish<'a> {
    pub(super) active_only: bool,
    pub(super) no_abstract: bool,
    pub(super) words: Vec<String>,
    pub(super) versions_match: Option<bool>,
    /// No more than so many codes are wanted.
    pub(super) most: usize,
    pub(super) rules: &'a [VersionRule],
}

/// The codes, and what was met on the way.
pub(super) struct Collected {
    pub(super) items: Vec<Item>,
    pub(super) systems: Vec<Slot>,
    /// Names and values of parameters to repeat.
    pub(super) notes: Vec<(&'static str, String)>,
    /// The codes can stand in a tree.
    pub(super) is_tree: bool,
    /// Items show the version of their system.
    pub(super) with_versions: bool,
    /// The two versions of one code were taken for one.
    pub(super) versions_match: Option<bool>,
    /// Fragments: the expansion is not closed.
    pub(super) fragments: Vec<Box<str>>,
}

impl Item {
    pub(super) fn included(&self) -> Option<(&IncludedConcept, Option<&str>)> {
        let (set, include, concept) = self.included.as_ref()?;
        let concept = set.compose.as_ref()?.include.get(*include)?.concepts.get(*concept)?;
        Some((concept, set.header.language.as_deref()))
    }

    pub(super) fn code<'a>(&'a self, slot: &'a Slot) -> &'a str {
        match (&self.what, &slot.system) {
            (What::Concept(id), Some(system)) => system.concept(*id).map(|concept| &*concept.code).unwrap_or_default(),
            (What::Plain(code), _) => code,
            _ => "",
        }
    }

    pub(super) fn names<'a>(&'a self, slot: &'a Slot) -> Names<'a> {
        match (&self.what, &slot.system, self.included()) {
            (What::Concept(id), Some(system), included) => Names::of(system, *id, included),
            (_, _, Some((concept, _))) => concept.display.as_deref().map(Names::single).unwrap_or_default(),
            _ => Names::default(),
        }
    }
}

/// Collects the codes of a value set.
pub(super) fn collect(scope: &Scope, set: &Arc<Set>, wish: &Wish<'_>) -> Result<Collected, Refusal> {
    let mut collector = Collector { scope, wish, notes: Vec::new(), root: set.value_set().header.clone() };
    let name = set.value_set().header.canonical();
    collector.status(&set.value_set().header, &set.value_set().header);
    let mut collected = collector.set(set)?;
    if collected.items.len() > wish.most {
        let message = message::too_costly(scope.lang, &name, wish.most);
        return Err(Refusal::new(422, "too-costly", None, message));
    }
    collected.notes = collector.notes;
    collected.notes.extend(collected.fragments.iter().map(|fragment| ("used-fragment", fragment.to_string())));
    Ok(collected)
}

struct Collector<'a> {
    scope: &'a Scope,
    wish: &'a Wish<'a>,
    notes: Vec<(&'static str, String)>,
    root: Header,
}

impl Collector<'_> {
    fn note(&mut self, name: &'static str, value: String) {
        if !self.notes.iter().any(|(known, text)| *known == name && *text == value) {
            self.notes.push((name, value));
        }
    }

    fn status(&mut self, of: &Header, by: &Header) {
        let name = match status_of(of, Some(by)) {
            Some("MSG_DEPRECATED") => "warning-deprecated",
            Some("MSG_WITHDRAWN") => "warning-withdrawn",
            Some("MSG_RETIRED") => "warning-retired",
            Some("MSG_EXPERIMENTAL") => "warning-experimental",
            Some(_) => "warning-draft",
            None => return,
        };
        self.note(name, of.canonical());
    }

    fn set(&mut self, set: &Arc<Set>) -> Result<Collected, Refusal> {
        let value_set = set.value_set();
        let mut out = Collected {
            items: Vec::new(),
            systems: Vec::new(),
            notes: Vec::new(),
            is_tree: true,
            with_versions: false,
            versions_match: self.wish.versions_match,
            fragments: Vec::new(),
        };
        let Some(compose) = &value_set.compose else {
            listed(value_set, &mut out);
            return Ok(out);
        };
        out.with_versions = has_several_versions(compose.include.iter().chain(&compose.exclude));
        if out.versions_match.is_none() && excludes_other_versions(&compose.include, &compose.exclude) {
            out.versions_match = Some(true);
        }
        for (part, exclude) in set.excludes().iter().zip(&compose.exclude) {
            self.see_part(part, exclude, value_set)?;
            out.is_tree &= is_tree(exclude);
        }
        let mut order: Vec<_> = (0..compose.include.len()).collect();
        order.sort_by(|one, two| {
            let (one, two) = (&compose.include[*one], &compose.include[*two]);
            let is_comparable = one.system == two.system && one.version.is_some() && two.version.is_some();
            let newest_first = || version::order(two.version.as_deref(), one.version.as_deref());
            if is_comparable { newest_first() } else { std::cmp::Ordering::Equal }
        });
        let mut seen = HashSet::new();
        for at in order {
            let (include, Some(part)) = (&compose.include[at], set.includes().get(at)) else { continue };
            self.see_part(part, include, value_set)?;
            out.is_tree &= is_tree(include) && (self.wish.words.is_empty() || !include.filters.is_empty());
            self.include(set, at, include, part, &mut out, &mut seen)?;
        }
        Ok(out)
    }

    /// Notes what an include uses; refuses what cannot be used.
    fn see_part(&mut self, part: &Part, include: &Include, of: &ValueSet) -> Result<(), Refusal> {
        if let Some(PartSystem::Missing { url, .. }) = &part.system {
            let (wanted, _) = version::chosen(self.wish.rules, url, include.version.as_deref());
            let known = self.scope.known_versions(url);
            let message = match crate::terminology::grammar::Grammar::of(url) {
                Some(_) => message::not_enumerable(self.scope.lang, url),
                None => message::unknown_system_expanding(self.scope.lang, url, wanted, &known),
            };
            return Err(Refusal::new(422, "not-found", Some("not-found"), message));
        }
        if let Some(PartSystem::Known { system, .. }) = &part.system {
            self.see_system(system, include, of)?;
        }
        for (import, canonical) in part.imports.iter().zip(&include.value_sets) {
            let header = &import.value_set().header;
            self.status(header, &of.header);
            if !canonical.starts_with('#') {
                self.note("used-valueset", header.canonical());
            }
            self.see_rule(&header.url, version::split(canonical).1);
        }
        Ok(())
    }

    fn see_system(&mut self, system: &Arc<CodeSystem>, include: &Include, of: &ValueSet) -> Result<(), Refusal> {
        for rule in self.wish.rules {
            let version = system.version().unwrap_or_default();
            let is_meant = rule.kind == RuleKind::Check && &*rule.url == system.url();
            if is_meant && !version::fits(&rule.version, version) {
                let message = message::version_check(self.scope.lang, system.url(), version, &rule.version);
                return Err(Refusal::new(400, "exception", Some("version-error"), message));
            }
        }
        self.status(system.header(), &of.header);
        self.note("used-codesystem", system.header().canonical());
        self.see_rule(system.url(), include.version.as_deref());
        Ok(())
    }

    /// Repeats the version rule that chose.
    fn see_rule(&mut self, url: &str, said: Option<&str>) {
        let (_, rule) = version::chosen(self.wish.rules, url, said);
        if let Some(rule) = rule {
            let value = format!("{}|{}", rule.url, rule.version);
            if value != self.root.canonical() {
                self.note(rule.parameter, value);
            }
        }
    }

    fn include(
        &mut self,
        set: &Arc<Set>,
        at: usize,
        include: &Include,
        part: &Part,
        out: &mut Collected,
        seen: &mut HashSet<(usize, Box<str>)>,
    ) -> Result<(), Refusal> {
        let Some(own) = &part.system else {
            return self.imports(set, part, out, seen);
        };
        let slot = self.slot(own, out);
        let candidates = self.candidates(own, include, slot, at, set.value_set(), out);
        let mut placed = Vec::new();
        for mut item in candidates {
            if !self.takes(&item, &out.systems[slot], set) {
                continue;
            }
            let code: Box<str> = item.code(&out.systems[slot]).into();
            let url = own.url();
            if !part.imports.iter().all(|import| import.member(Some(url), &code, None).is_member())
                || is_excluded(set, &out.systems[slot], &code, out)
            {
                continue;
            }
            if !seen.insert((out.systems[slot].key, code)) {
                out.is_tree = false;
                continue;
            }
            let position = out.items.len();
            if let (What::Concept(id), Some(system)) = (&item.what, &out.systems[slot].system) {
                if include.concepts.is_empty() {
                    item.parent = parent_of(system, *id, &placed);
                    placed.push((*id, position));
                }
                out.is_tree &= system.hierarchy().parents(*id).len() < 2;
            }
            out.items.push(item);
        }
        for import in &part.imports {
            // Only for what the imports use: their codes were asked one by one.
            self.set(import)?;
        }
        Ok(())
    }

    /// An include of value sets alone: the codes of the first that are in the others too.
    fn imports(
        &mut self,
        set: &Arc<Set>,
        part: &Part,
        out: &mut Collected,
        seen: &mut HashSet<(usize, Box<str>)>,
    ) -> Result<(), Refusal> {
        out.is_tree = false;
        let Some((first, others)) = part.imports.split_first() else { return Ok(()) };
        let inner = self.set(first)?;
        out.fragments.extend(inner.fragments);
        for other in others {
            self.set(other)?;
        }
        let slots: Vec<_> = inner.systems.into_iter().map(|slot| add_slot(slot, out)).collect();
        for item in inner.items {
            let Some(slot) = slots.get(item.system).copied() else { continue };
            let code: Box<str> = item.code(&out.systems[slot]).into();
            let url = &out.systems[slot].url;
            let item = Item { system: slot, parent: None, ..item };
            let is_in_all = others.iter().all(|other| other.member(Some(url), &code, None).is_member());
            if is_in_all
                && self.takes(&item, &out.systems[slot], set)
                && !is_excluded(set, &out.systems[slot], &code, out)
                && seen.insert((out.systems[slot].key, code))
            {
                out.items.push(item);
            }
        }
        Ok(())
    }

    fn slot(&self, own: &PartSystem, out: &mut Collected) -> usize {
        let (version, system) = match own {
            PartSystem::Known { system, .. } => {
                let with = self.scope.system_as_said(system.url(), system.version());
                let system = match with {
                    Some(System::Defined(with)) if with.version() == system.version() => with,
                    _ => system.clone(),
                };
                if matches!(system.content(), Content::Fragment | Content::Example) {
                    let name: Box<str> = system.header().canonical().into();
                    if !out.fragments.contains(&name) {
                        out.fragments.push(name);
                    }
                }
                (system.version().map(Into::into), Some(system))
            }
            _ => (None, None),
        };
        add_slot(Slot { url: own.url().into(), version, system, key: 0 }, out)
    }

    fn candidates(
        &self,
        own: &PartSystem,
        include: &Include,
        slot: usize,
        at: usize,
        value_set: &Arc<ValueSet>,
        out: &Collected,
    ) -> Vec<Item> {
        let named = |concept: usize| Some((value_set.clone(), at, concept));
        let item = |what: What, included| Item { system: slot, what, parent: None, included };
        match (own, &out.systems[slot].system) {
            (PartSystem::Known { members, .. }, Some(system)) if include.concepts.is_empty() => {
                ids(system, members).into_iter().map(|id| item(What::Concept(id), None)).collect()
            }
            (PartSystem::Known { .. }, Some(system)) => {
                let found = |(index, concept): (usize, &IncludedConcept)| {
                    Some(item(What::Concept(system.find(&concept.code)?), named(index)))
                };
                include.concepts.iter().enumerate().filter_map(found).collect()
            }
            _ => {
                let listed = include.concepts.iter().enumerate();
                listed.map(|(index, concept)| item(What::Plain(concept.code.clone()), named(index))).collect()
            }
        }
    }

    /// Neither inactive nor abstract when those are not wanted, and with the words that are looked for.
    fn takes(&self, item: &Item, slot: &Slot, set: &Set) -> bool {
        if let (What::Concept(id), Some(system)) = (&item.what, &slot.system) {
            if (self.wish.active_only || set.leaves_out_inactive()) && system.is_inactive(*id) {
                return false;
            }
            if self.wish.no_abstract && system.is_abstract(*id) {
                return false;
            }
        }
        if self.wish.words.is_empty() {
            return true;
        }
        let has = |text: &str, word: &str| has_word(text, word);
        let names = item.names(slot);
        let code = item.code(slot);
        self.wish.words.iter().all(|word| has(code, word) || names.all.iter().any(|name| has(name.value, word)))
    }
}

/// Adds a system; its key is that of the same system when versions are not told apart.
fn add_slot(mut slot: Slot, out: &mut Collected) -> usize {
    let tell_apart = out.with_versions && out.versions_match != Some(true);
    let same = out.systems.iter().find(|one| one.url == slot.url && (!tell_apart || one.version == slot.version));
    slot.key = same.map_or(out.systems.len(), |same| same.key);
    out.systems.push(slot);
    out.systems.len() - 1
}

fn ids(system: &CodeSystem, members: &Members) -> Vec<ConceptId> {
    members.ids(system.len())
}

/// The item of the nearest concept above that was placed.
fn parent_of(system: &CodeSystem, id: ConceptId, placed: &[(ConceptId, usize)]) -> Option<usize> {
    let mut above = *system.hierarchy().parents(id).first()?;
    for _ in 0..system.len() {
        if let Ok(found) = placed.binary_search_by_key(&above, |(id, _)| *id) {
            return placed.get(found).map(|(_, item)| *item);
        }
        above = *system.hierarchy().parents(above).first()?;
    }
    None
}

/// A word of the text starts with the one that is looked for, without regard to case.
fn has_word(text: &str, word: &str) -> bool {
    let starts = |from: &str| {
        let mut letters = from.chars().flat_map(char::to_lowercase);
        word.chars().all(|letter| letters.next() == Some(letter))
    };
    let mut is_inside = false;
    text.char_indices().any(|(at, letter)| {
        let is_start = letter.is_alphanumeric() && !is_inside;
        is_inside = letter.is_alphanumeric();
        is_start && starts(&text[at..])
    })
}

/// The words of a filter, in lower case.
pub(super) fn words(filter: &str) -> Vec<String> {
    let parts = filter.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect()
}

fn is_excluded(set: &Arc<Set>, slot: &Slot, code: &str, out: &Collected) -> bool {
    let Some(compose) = &set.value_set().compose else { return false };
    let tell_apart = out.with_versions && out.versions_match != Some(true);
    set.excludes().iter().zip(&compose.exclude).any(|(part, _)| {
        let is_same_version = match &part.system {
            Some(PartSystem::Known { system, .. }) => !tell_apart || system.version() == slot.version.as_deref(),
            _ => true,
        };
        is_same_version && part.member(Some(&slot.url), code, None, false).is_member()
    })
}

fn is_tree(include: &Include) -> bool {
    include.value_sets.is_empty() && include.concepts.is_empty() && include.filters.len() < 2
}

fn has_several_versions<'a>(parts: impl Iterator<Item = &'a Include>) -> bool {
    let mut first: Vec<(&str, Option<&str>)> = Vec::new();
    for part in parts {
        let Some(system) = part.system.as_deref() else { continue };
        let version = part.version.as_deref();
        match first.iter().find(|(known, _)| *known == system) {
            Some((_, other)) if *other != version => return true,
            Some(_) => {}
            None => first.push((system, version)),
        }
    }
    false
}

/// All parts are of one system, and no version is both included and excluded: then excluding a version
/// can only mean its codes.
fn excludes_other_versions(include: &[Include], exclude: &[Include]) -> bool {
    let Some(system) = include.first().and_then(|first| first.system.as_deref()) else { return false };
    let is_versioned = |part: &Include| part.system.as_deref() == Some(system) && part.version.is_some();
    !exclude.is_empty()
        && include.iter().chain(exclude).all(is_versioned)
        && !include.iter().any(|one| exclude.iter().any(|other| other.version == one.version))
}

/// A value set that has only the expansion of its author.
fn listed(value_set: &Arc<ValueSet>, out: &mut Collected) {
    out.is_tree = false;
    for item in value_set.expansion.iter().flatten() {
        let (Some(system), Some(code)) = (&item.coding.system, &item.coding.code) else { continue };
        let slot = Slot { url: system.clone(), version: item.coding.version.clone(), system: None, key: 0 };
        let system = match out.systems.iter().position(|one| one.url == slot.url && one.version == slot.version) {
            Some(known) => known,
            None => add_slot(slot, out),
        };
        out.items.push(Item { system, what: What::Plain(code.clone()), parent: None, included: None });
    }
}
