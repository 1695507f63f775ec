//! Expanded names as small numbers, shared by the rules and by the documents they are run on.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The number of an expanded name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sym(pub(crate) u32);

/// The number of a namespace; the empty one is "no namespace".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace(pub(crate) u32);

/// The number of a local name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Local(pub(crate) u32);

/// The number of a template identifier that some rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Template(pub(crate) u32);

/// Strings, each with its number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Strings {
    numbers: HashMap<Arc<str>, u32>,
    strings: Vec<Arc<str>>,
}

impl Strings {
    pub(crate) fn get(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        if let Some(known) = self.get(text) {
            return known;
        }
        let number = u32::try_from(self.strings.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.strings.push(text.clone());
        self.numbers.insert(text, number);
        number
    }

    pub(crate) fn at(&self, number: u32) -> &str {
        self.strings.get(number as usize).map_or("", |text| text)
    }

    pub(crate) fn len(&self) -> usize {
        self.strings.len()
    }
}

/// Names as one point in time knows them. Numbers never change; new names take the next ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) namespaces: Strings,
    pub(crate) locals: Strings,
    pub(crate) templates: Strings,
    pub(crate) names: HashMap<(u32, u32), u32>,
    pub(crate) parts: Vec<(u32, u32)>,
}

impl Table {
    fn intern(&mut self, namespace: &str, local: &str) -> Sym {
        let pair = (self.namespaces.intern(namespace), self.locals.intern(local));
        let next = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        let sym = *self.names.entry(pair).or_insert(next);
        if sym == next {
            self.parts.push(pair);
        }
        Sym(sym)
    }
}

/// The names of one library of rules. Cloning shares it.
///
/// Rules are compiled into it; a document takes a snapshot and numbers its other names above. Names come from rules
/// and value sets alone, so that hostile documents cannot make it grow.
#[derive(Debug, Clone, Default)]
pub struct Names(Arc<RwLock<Arc<Table>>>);

impl Names {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of an expanded name; `""` is no namespace.
    #[must_use]
    pub fn intern(&self, namespace: &str, local: &str) -> Sym {
        let known = self.snapshot();
        if let (Some(ns), Some(local)) = (known.namespaces.get(namespace), known.locals.get(local))
            && let Some(&sym) = known.names.get(&(ns, local))
        {
            return Sym(sym);
        }
        drop(known);
        self.change(|table| table.intern(namespace, local))
    }

    /// The number of a namespace.
    #[must_use]
    pub fn namespace(&self, uri: &str) -> Namespace {
        let known = self.snapshot().namespaces.get(uri);
        Namespace(known.unwrap_or_else(|| self.change(|table| table.namespaces.intern(uri))))
    }

    /// The number of a local name.
    #[must_use]
    pub fn local(&self, name: &str) -> Local {
        let known = self.snapshot().locals.get(name);
        Local(known.unwrap_or_else(|| self.change(|table| table.locals.intern(name))))
    }

    /// The number of a template identifier.
    #[must_use]
    pub fn template(&self, root: &str) -> Template {
        let known = self.snapshot().templates.get(root);
        Template(known.unwrap_or_else(|| self.change(|table| table.templates.intern(root))))
    }

    pub(crate) fn snapshot(&self) -> Arc<Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn generation(&self) -> Generation {
        Generation::of(&self.snapshot())
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut table))
    }
}

/// How many names were known: rules run only on documents that know all of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Generation {
    names: usize,
    namespaces: usize,
    locals: usize,
    templates: usize,
}

impl Generation {
    pub(crate) fn of(table: &Table) -> Self {
        Self {
            names: table.parts.len(),
            namespaces: table.namespaces.len(),
            locals: table.locals.len(),
            templates: table.templates.len(),
        }
    }

    /// Is everything known then known now?
    pub(crate) fn within(self, later: Self) -> bool {
        self.names <= later.names
            && self.namespaces <= later.namespaces
            && self.locals <= later.locals
            && self.templates <= later.templates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_change_and_snapshots_do_not_move() {
        let names = Names::new();
        let code = names.intern("urn:hl7-org:v3", "code");
        let before = names.snapshot();
        let other = names.intern("", "code");
        assert_ne!(code, other);
        assert_eq!(names.intern("urn:hl7-org:v3", "code"), code);
        assert_eq!(before.parts.len(), 1);
        assert!(Generation::of(&before).within(names.generation()));
        assert!(!names.generation().within(Generation::of(&before)));
    }
}
