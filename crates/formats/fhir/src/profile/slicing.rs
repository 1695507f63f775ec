//! Slicings, compiled: each slice becomes a list of tests on an item, one per discriminator (FHIR R4
//! §5.1.0.9 to §5.1.0.14).
//!
//! A discriminator is a path from the item; what the slice's own definition says at the end of that path
//! is the test. The definition may be in the snapshot of the profile, in that of a data type, of another
//! profile, or of an extension: [`Definition`] walks them all, as structures, so that compiling a profile
//! never waits for another one to be compiled.

use std::sync::Arc;

use super::library::Library;
use crate::definitions::{
    Discriminator, DiscriminatorKind, Element, Max, SlicingRules, Strength, Structure, TypeRef, Value,
};

/// How the repetitions of an element are told apart.
pub(super) struct Slicing {
    pub(super) rules: SlicingRules,
    pub(super) ordered: bool,
    pub(super) slices: Vec<Slice>,
}

pub(super) struct Slice {
    /// Its place in the specs of the program.
    pub(super) spec: u32,
    pub(super) name: Box<str>,
    /// All of them hold for an item of the slice.
    pub(super) tests: Vec<Test>,
}

pub(super) struct Test {
    pub(super) path: Vec<Step>,
    pub(super) rule: TestRule,
}

impl Test {
    fn decides(&self) -> bool {
        !matches!(self.rule, TestRule::Undecidable)
    }
}

/// One step of a discriminator's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The child of that name.
    Child(Box<str>),
    /// The children `value[x]`, by the name before the bracket.
    Choice(Box<str>),
    /// The extensions of that URL.
    Extension(Box<str>),
    /// What a reference points at.
    Resolve,
    /// Only what is of that type.
    OfType(Box<str>),
}

pub(super) enum TestRule {
    /// Something there is exactly this.
    Fixed(Value),
    /// Something there holds this.
    Pattern(Value),
    /// Below what is there, at each path, something is or holds the value.
    Parts(Vec<Test>),
    /// One of these holds.
    Any(Vec<Test>),
    /// A code there is in the value set.
    Codes(Box<str>),
    /// Something is there, or nothing.
    Exists(bool),
    /// What is there is of one of these types.
    Type(Box<[Box<str>]>),
    /// What is there follows one of these profiles.
    Profile(Box<[Box<str>]>),
    /// The text there is this URL.
    Url(Box<str>),
    /// The profile does not say how to decide.
    Undecidable,
}

/// The slicing of an element; none when it has no slice and closes nothing.
pub(super) fn compile(
    library: &Library,
    structure: &Arc<Structure>,
    at: usize,
    slices: &[usize],
) -> Option<Box<Slicing>> {
    let head = &structure.elements[at];
    let stated = head.slicing.as_ref();
    if slices.is_empty() && stated.is_none_or(|slicing| slicing.rules != SlicingRules::Closed) {
        return None;
    }
    let discriminators = discriminators(head);
    let slices = slices
        .iter()
        .map(|slice| Slice {
            spec: u32::try_from(*slice).unwrap_or(u32::MAX),
            name: structure.elements[*slice].slice_name.clone().unwrap_or_default(),
            tests: tests(library, &Definition { structure: Arc::clone(structure), at: *slice }, &discriminators),
        })
        .collect();
    Some(Box::new(Slicing {
        rules: stated.map_or(SlicingRules::Open, |slicing| slicing.rules),
        ordered: stated.is_some_and(|slicing| slicing.ordered),
        slices,
    }))
}

/// What is written, or what FHIR implies: extensions by URL, choices by type.
fn discriminators(head: &Element) -> Vec<Discriminator> {
    let stated = head.slicing.as_ref().map(|slicing| slicing.discriminators.clone()).unwrap_or_default();
    if !stated.is_empty() {
        return stated;
    }
    let implied = if head.path.ends_with(".extension") || head.path.ends_with(".modifierExtension") {
        (DiscriminatorKind::Value, "url")
    } else if head.path.ends_with("[x]") {
        (DiscriminatorKind::Type, "$this")
    } else {
        return Vec::new();
    };
    vec![Discriminator { kind: implied.0, path: implied.1.into() }]
}

/// A discriminator on which the slice says nothing tells nothing, as long as another one does.
fn tests(library: &Library, slice: &Definition, discriminators: &[Discriminator]) -> Vec<Test> {
    let mut tests: Vec<Test> = discriminators.iter().flat_map(|by| tests_by(library, slice, by)).collect();
    if tests.iter().any(Test::decides) {
        tests.retain(Test::decides);
    }
    tests
}

fn tests_by(library: &Library, slice: &Definition, by: &Discriminator) -> Vec<Test> {
    let Some(names) = parse(&by.path) else { return vec![Test { path: Vec::new(), rule: TestRule::Undecidable }] };
    if let ([Step::Child(url)], Some(canonical)) = (names.as_slice(), slice.extension_profile())
        && &**url == "url"
        && by.kind == DiscriminatorKind::Value
    {
        return vec![Test { path: names, rule: TestRule::Url(canonical) }];
    }
    tests_at(library, slice, &names, by.kind, &[])
}

/// What the slice says at the end of the path. Where it says nothing and an element on the way is sliced
/// itself, its required slices say it (`component:SystolicBP` by `code.coding:SBPCode.code`), or all of them
/// when they leave nothing else.
fn tests_at(library: &Library, here: &Definition, names: &[Step], kind: DiscriminatorKind, path: &[Step]) -> Vec<Test> {
    let direct = test_at(library, here, names, kind, path);
    let next = names.split_first().and_then(|(step, rest)| Some((here.follow(library, step.clone())?, rest)));
    let (false, Some(((step, next), rest))) = (direct.decides(), next) else { return vec![direct] };
    let path = [path, &[step]].concat();
    let inner = next.slices();
    if inner.is_empty() {
        return tests_at(library, &next, rest, kind, &path);
    }
    let is_required = |slice: &&Definition| slice.element().min.unwrap_or(0) > 0;
    let said = |slice: &Definition| tests_at(library, slice, rest, kind, &path);
    if inner.iter().any(|slice| is_required(&slice)) {
        return inner.iter().filter(is_required).flat_map(said).collect();
    }
    let is_closed = next.element().slicing.as_ref().is_some_and(|slicing| slicing.rules == SlicingRules::Closed);
    if is_closed {
        return vec![Test { path: Vec::new(), rule: TestRule::Any(inner.iter().flat_map(said).collect()) }];
    }
    vec![direct]
}

fn test_at(library: &Library, from: &Definition, names: &[Step], kind: DiscriminatorKind, path: &[Step]) -> Test {
    let (mut path, mut here) = (path.to_vec(), from.clone());
    for step in names {
        let Some((step, next)) = here.follow(library, step.clone()) else {
            return Test { path, rule: TestRule::Undecidable };
        };
        path.push(step);
        here = next;
    }
    let rule = match kind {
        DiscriminatorKind::Value | DiscriminatorKind::Pattern => here.value_rule(library),
        DiscriminatorKind::Exists => here.exists_rule(),
        DiscriminatorKind::Type => here.type_rule(library, path.last()),
        DiscriminatorKind::Profile => here.profile_rule(path.last()),
    };
    Test { path, rule: rule.unwrap_or(TestRule::Undecidable) }
}

/// The steps of a restricted FHIRPath (FHIR R4 §5.1.0.12); names are told from choices later.
fn parse(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path.trim();
    while !rest.is_empty() {
        let (step, after) = if let Some(inside) = rest.strip_prefix("extension(") {
            let (url, after) = inside.split_once(')')?;
            (Some(Step::Extension(url.trim().trim_matches(['\'', '"']).into())), after)
        } else if let Some(inside) = rest.strip_prefix("ofType(") {
            let (of, after) = inside.split_once(')')?;
            (Some(Step::OfType(of.trim().trim_start_matches("FHIR.").into())), after)
        } else if let Some(after) = rest.strip_prefix("resolve()") {
            (Some(Step::Resolve), after)
        } else if let Some(after) = rest.strip_prefix("$this") {
            (None, after)
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            let name = &rest[..end];
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !is_name {
                let stem = name.strip_suffix("[x]")?;
                (Some(Step::Choice(stem.into())), &rest[end..])
            } else {
                (Some(Step::Child(name.into())), &rest[end..])
            }
        };
        steps.extend(step);
        rest = match after.strip_prefix('.') {
            Some(more) if !more.is_empty() => more,
            None if after.is_empty() => after,
            _ => return None,
        };
    }
    Some(steps)
}

/// An element of some structure.
#[derive(Clone)]
struct Definition {
    structure: Arc<Structure>,
    at: usize,
}

impl Definition {
    fn element(&self) -> &Element {
        &self.structure.elements[self.at]
    }

    fn root(structure: Arc<Structure>) -> Option<Self> {
        (!structure.elements.is_empty()).then_some(Self { structure, at: 0 })
    }

    /// The extension that a slice of `extension` stands for.
    fn extension_profile(&self) -> Option<Box<str>> {
        let [of] = self.element().types.as_slice() else { return None };
        let profile = of.profiles.first().filter(|_| &*of.code == "Extension")?;
        Some(profile.split('|').next().unwrap_or(profile).into())
    }

    fn follow(&self, library: &Library, step: Step) -> Option<(Step, Self)> {
        match step {
            Step::Child(name) | Step::Choice(name) => {
                let next = self.child(library, &name)?;
                let is_choice = next.element().path.ends_with("[x]");
                Some((if is_choice { Step::Choice(name) } else { Step::Child(name) }, next))
            }
            Step::Extension(url) => {
                let next = self.extension(library, &url)?;
                Some((Step::Extension(url), next))
            }
            Step::OfType(of) => {
                let next = self.narrowed(&of);
                Some((Step::OfType(of), next))
            }
            Step::Resolve => {
                let target = self.target(library);
                Some((Step::Resolve, target.unwrap_or_else(|| self.clone())))
            }
        }
    }

    /// The elements directly below, in this structure.
    fn below(&self) -> impl Iterator<Item = usize> {
        let path = &self.element().path;
        let rest = self.structure.elements[self.at + 1..].iter().enumerate();
        rest.take_while(move |(_, element)| {
            element.path.strip_prefix(&**path).is_some_and(|tail| tail.starts_with('.'))
        })
        .filter(move |(_, element)| !element.path[path.len() + 1..].contains('.'))
        .map(|(more, _)| self.at + 1 + more)
    }

    /// The slices of this element.
    fn slices(&self) -> Vec<Self> {
        let path = &self.element().path;
        let inside = self.structure.elements[self.at + 1..].iter().enumerate();
        inside
            .take_while(|(_, element)| {
                element.path.strip_prefix(&**path).is_some_and(|tail| tail.is_empty() || tail.starts_with('.'))
            })
            .filter(|(_, element)| element.path == *path && element.slice_name.is_some())
            .map(|(more, _)| Self { structure: Arc::clone(&self.structure), at: self.at + 1 + more })
            .filter(|_| self.element().slicing.is_some())
            .collect()
    }

    fn child(&self, library: &Library, name: &str) -> Option<Self> {
        let named = |at: usize| {
            let last = self.structure.elements[at].path.rsplit('.').next().unwrap_or_default();
            last == name || last.strip_suffix("[x]") == Some(name)
        };
        let own = self.below().find(|at| named(*at));
        if let Some(at) = own {
            return Some(Self { structure: Arc::clone(&self.structure), at });
        }
        let has_own = self.below().next().is_some();
        if has_own {
            return None;
        }
        self.element().types.iter().find_map(|of| Self::of_type(library, of)?.child(library, name))
    }

    fn of_type(library: &Library, of: &TypeRef) -> Option<Self> {
        let profiled = of.profiles.first().and_then(|profile| library.structure(profile)).and_then(Self::root);
        profiled.or_else(|| Self::root(library.structure_of(&of.code)?))
    }

    fn extension(&self, library: &Library, url: &str) -> Option<Self> {
        let is_it = |at: &usize| {
            let here = Self { structure: Arc::clone(&self.structure), at: *at };
            here.element().path.ends_with(".extension") && here.extension_profile().as_deref() == Some(url)
        };
        let own: Vec<usize> = self.below().filter(is_it).collect();
        // Sliced again (`actionType/Single` of `actionType`), the one that must be there says more.
        let is_required_again = |at: &&usize| {
            let element = &self.structure.elements[**at];
            element.min.unwrap_or(0) > 0 && element.slice_name.as_ref().is_some_and(|name| name.contains('/'))
        };
        let mut again = own.iter().filter(is_required_again);
        let at = match (again.next(), again.next()) {
            (Some(one), None) => Some(*one),
            _ => own.first().copied(),
        };
        if let Some(at) = at {
            return Some(Self { structure: Arc::clone(&self.structure), at });
        }
        library.structure(url).and_then(Self::root).or_else(|| self.child(library, "extension"))
    }

    /// The slice of a choice that is of that type, or the choice itself.
    fn narrowed(&self, of: &str) -> Self {
        let path = &self.element().path;
        let after = self.structure.elements[self.at + 1..].iter().enumerate();
        let slice = after.take_while(|(_, element)| element.path.starts_with(&**path)).find(|(_, element)| {
            element.path == *path && matches!(element.types.as_slice(), [one] if &*one.code == of)
        });
        let at = slice.map_or(self.at, |(more, _)| self.at + 1 + more);
        Self { structure: Arc::clone(&self.structure), at }
    }

    fn target(&self, library: &Library) -> Option<Self> {
        let of = self.element().types.iter().find(|of| !of.target_profiles.is_empty())?;
        Self::root(library.structure(of.target_profiles.first()?)?)
    }

    fn value_rule(&self, library: &Library) -> Option<TestRule> {
        let element = self.element();
        if let Some(rule) = exact(element) {
            return Some(rule);
        }
        // A choice that is narrowed to one type says it there (`value[x]:valueCode`).
        if element.path.ends_with("[x]")
            && let [one] = self.slices().as_slice()
            && let Some(rule) = exact(one.element())
        {
            return Some(rule);
        }
        if element.max == Some(Max::Count(0)) {
            return Some(TestRule::Exists(false));
        }
        let mut parts = Vec::new();
        self.parts(&mut Vec::new(), &mut parts);
        if !parts.is_empty() {
            return Some(TestRule::Parts(parts));
        }
        if let [of] = element.types.as_slice()
            && !of.profiles.is_empty()
            && let Some(root) = Self::of_type(library, of)
        {
            let mut parts = Vec::new();
            root.parts(&mut Vec::new(), &mut parts);
            if let Some(rule) = exact(root.element()) {
                return Some(rule);
            }
            if !parts.is_empty() {
                return Some(TestRule::Parts(parts));
            }
        }
        let binding = element.binding.as_ref().filter(|binding| binding.strength == Strength::Required);
        if let Some(value_set) = binding.and_then(|binding| binding.value_set.clone()) {
            return Some(TestRule::Codes(value_set));
        }
        self.exists_rule()
    }

    /// What the elements below fix, each with the way there.
    fn parts(&self, path: &mut Vec<Step>, into: &mut Vec<Test>) {
        for at in self.below() {
            let below = Self { structure: Arc::clone(&self.structure), at };
            let element = below.element();
            if element.slice_name.is_some() || element.max == Some(Max::Count(0)) {
                continue;
            }
            let name = element.path.rsplit('.').next().unwrap_or_default();
            path.push(match name.strip_suffix("[x]") {
                Some(stem) => Step::Choice(stem.into()),
                None => Step::Child(name.into()),
            });
            match exact(element) {
                Some(rule) => into.push(Test { path: path.clone(), rule }),
                None => below.parts(path, into),
            }
            path.pop();
        }
    }

    fn exists_rule(&self) -> Option<TestRule> {
        let element = self.element();
        if element.min.unwrap_or(0) > 0 {
            return Some(TestRule::Exists(true));
        }
        (element.max == Some(Max::Count(0))).then_some(TestRule::Exists(false))
    }

    fn type_rule(&self, library: &Library, last: Option<&Step>) -> Option<TestRule> {
        let element = self.element();
        if last == Some(&Step::Resolve) {
            // `follow` stays on the reference when the target's profile is unknown.
            let is_target = self.at == 0 && element.types.is_empty();
            let types: Box<[Box<str>]> = if is_target {
                [self.structure.type_name.clone()].into()
            } else {
                let targets = element.types.iter().flat_map(|of| &of.target_profiles);
                targets.filter_map(|target| library.type_of_profile(target)).collect()
            };
            return (!types.is_empty()).then_some(TestRule::Type(types));
        }
        let types: Box<[Box<str>]> = if self.at == 0 {
            [self.structure.type_name.clone()].into()
        } else {
            element.types.iter().map(|of| of.code.clone()).collect()
        };
        (!types.is_empty()).then_some(TestRule::Type(types))
    }

    fn profile_rule(&self, last: Option<&Step>) -> Option<TestRule> {
        let element = self.element();
        if last == Some(&Step::Resolve) && self.at == 0 {
            return Some(TestRule::Profile([self.structure.url.clone()].into()));
        }
        let profiles: Box<[Box<str>]> = match last {
            Some(Step::Resolve) => element.types.iter().flat_map(|of| of.target_profiles.clone()).collect(),
            _ => element.types.iter().flat_map(|of| of.profiles.clone()).collect(),
        };
        if !profiles.is_empty() {
            return Some(TestRule::Profile(profiles));
        }
        // A slice that names no profile is told by its type.
        let types: Box<[Box<str>]> = element.types.iter().map(|of| of.code.clone()).collect();
        (!types.is_empty()).then_some(TestRule::Type(types))
    }
}

fn exact(element: &Element) -> Option<TestRule> {
    let fixed = element.fixed.clone().map(TestRule::Fixed);
    fixed.or_else(|| element.pattern.clone().map(TestRule::Pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discriminator_paths_are_read() {
        let child = |name: &str| Step::Child(name.into());
        for (path, wanted) in [
            ("$this", Some(vec![])),
            ("url", Some(vec![child("url")])),
            ("$this.code", Some(vec![child("code")])),
            ("code.coding.system", Some(vec![child("code"), child("coding"), child("system")])),
            (
                "extension('http://x.org/a').value.ofType(Coding)",
                Some(vec![Step::Extension("http://x.org/a".into()), child("value"), Step::OfType("Coding".into())]),
            ),
            ("item.resolve().code", Some(vec![child("item"), Step::Resolve, child("code")])),
            ("value[x]", Some(vec![Step::Choice("value".into())])),
            ("code.", None),
            ("where(a=b)", None),
        ] {
            assert_eq!(parse(path), wanted, "{path}");
        }
    }
}
