//! Items are told apart into slices, each checked against its own, all counted.

use std::borrow::Cow;

use socle_finding::Text;

use super::codes::Answer;
use super::say::{both, rule_of};
use super::values::{holds, is_exactly};
use super::{Item, Mode, Walk};
use crate::definitions::SlicingRules;
use crate::profile::compile::choice_name;
use crate::profile::library::Followed;
use crate::profile::program::{Member, Program, Spec};
use crate::profile::report::Subject;
use crate::profile::slicing::{Slicing, Step, Test, TestRule};
use crate::tape::{Kind, NameId, Node};

/// One repetition, with the name of its type.
#[derive(Clone, Copy)]
pub(super) struct Repeat<'d, 'p> {
    item: Item<'d>,
    node: Node<'d>,
    of: &'p str,
}

/// The repetitions of an element.
pub(super) fn items<'d, 'p>(
    value: Option<Node<'d>>,
    extra: Option<Node<'d>>,
    ty: u16,
    spec: &'p Spec,
) -> Vec<Repeat<'d, 'p>> {
    let of = spec.types.get(ty as usize).map_or("", |of| &*of.name);
    let is_array = [value, extra].into_iter().flatten().any(|node| node.kind() == Kind::Array);
    if !is_array {
        let item = Item { value, extra };
        return item.node().map(|node| Repeat { item, node, of }).into_iter().collect();
    }
    let mut values = value.map(Node::items);
    let mut extras = extra.map(Node::items);
    std::iter::from_fn(|| {
        let value = values.as_mut().and_then(Iterator::next);
        let extra = extras.as_mut().and_then(Iterator::next);
        Some(Repeat { item: Item { value, extra }, node: value.or(extra)?, of })
    })
    .collect()
}

/// What a discriminator's path leads to.
struct Reached<'d> {
    node: Node<'d>,
    /// The type that the name of a choice says.
    of: Option<Cow<'d, str>>,
}

/// Whether an item is of a slice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    Yes,
    No,
    Unknown,
}

impl<'d> Walk<'_, 'd> {
    pub(super) fn slices(
        &mut self,
        holder: Node<'d>,
        items: &[Repeat<'d, '_>],
        program: &Program,
        spec: &Spec,
        slicing: &Slicing,
    ) {
        let mut slots: Vec<Vec<Repeat<'d, '_>>> = vec![Vec::new(); slicing.slices.len()];
        let mut undecided = false;
        let (mut last, mut outside) = (0, false);
        for repeat in items {
            let mut found: Option<usize> = None;
            for (place, slice) in slicing.slices.iter().enumerate() {
                match self.is_of_slice(*repeat, &slice.tests) {
                    Is::Yes if found.is_some() => self.two_slices(repeat.node, program, spec),
                    Is::Yes => {
                        found = Some(place);
                        slots[place].push(*repeat);
                    }
                    Is::Unknown => {
                        undecided = true;
                        let name = format!("{}#{}:{}", program.structure.url, program.id(spec), slice.name);
                        self.not_checked(Subject::Slice, &name, repeat.node);
                    }
                    Is::No => {}
                }
            }
            match found {
                Some(place) => {
                    if slicing.ordered && place < last {
                        self.out_of_order(repeat.node, program, spec);
                    }
                    if slicing.rules == SlicingRules::OpenAtEnd && outside {
                        self.not_at_end(repeat.node, program, spec);
                    }
                    last = place;
                }
                None if slicing.rules == SlicingRules::Closed && !undecided => {
                    self.outside_closed(repeat.node, program, spec);
                }
                None => outside = true,
            }
        }
        for (slice, found) in slicing.slices.iter().zip(&slots) {
            let own = &program.specs[slice.spec as usize];
            let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
            if count < own.min && !undecided {
                self.slice_missing(holder, program, own, count);
            }
            if count == 0 && own.min == 0 && own.max > 0 && own.must_support && !undecided {
                self.unsupported(holder, program, own);
            }
            if count > own.max {
                self.too_many(holder, holder, program, own, count);
            }
            for repeat in found {
                let ty = own.types.iter().position(|of| *of.name == *repeat.of || repeat.of.is_empty());
                let ty = match ty {
                    Some(ty) => u16::try_from(ty).unwrap_or(Member::OTHER_TYPE),
                    None if own.types.is_empty() => 0,
                    None => Member::OTHER_TYPE,
                };
                self.item(repeat.item, repeat.node, program, own, ty, Mode::Profile);
            }
            if let Some(inner) = &own.slicing {
                self.slices(holder, found, program, own, inner);
            }
        }
    }

    fn is_of_slice(&mut self, repeat: Repeat<'d, '_>, tests: &[Test]) -> Is {
        if tests.is_empty() {
            return Is::Unknown;
        }
        let mut answer = Is::Yes;
        for test in tests {
            match self.passes(repeat.item, repeat.of, test) {
                Is::No => return Is::No,
                Is::Unknown => answer = Is::Unknown,
                Is::Yes => {}
            }
        }
        answer
    }

    fn passes(&mut self, item: Item<'d>, of: &str, test: &Test) -> Is {
        let reached = self.reach(item, of, &test.path);
        let any = |passes: &mut dyn FnMut(&Reached<'d>) -> bool| {
            if reached.iter().any(passes) { Is::Yes } else { Is::No }
        };
        match &test.rule {
            TestRule::Fixed(value) => any(&mut |reached| is_exactly(reached.node, value.node())),
            TestRule::Pattern(value) => any(&mut |reached| holds(reached.node, value.node())),
            TestRule::Url(url) => any(&mut |reached| reached.node.str() == Some(url)),
            TestRule::Exists(wanted) => {
                if reached.is_empty() == *wanted {
                    Is::No
                } else {
                    Is::Yes
                }
            }
            TestRule::Type(types) => any(&mut |reached| is_of_types(reached, types)),
            TestRule::Parts(parts) => {
                let nodes: Vec<Node<'d>> = reached.iter().map(|reached| reached.node).collect();
                let mut answer = Is::No;
                for node in nodes {
                    let inside = Item { value: Some(node), extra: None };
                    if parts.iter().all(|part| self.passes(inside, "", part) == Is::Yes) {
                        answer = Is::Yes;
                        break;
                    }
                }
                answer
            }
            TestRule::Any(tests) => {
                let mut answer = Is::No;
                for test in tests {
                    match self.passes(item, of, test) {
                        Is::Yes => return Is::Yes,
                        Is::Unknown => answer = Is::Unknown,
                        Is::No => {}
                    }
                }
                answer
            }
            TestRule::Codes(value_set) => {
                let mut answer = Is::No;
                for reached in &reached {
                    match self.is_in(value_set, reached.node) {
                        Answer::Inside => return Is::Yes,
                        Answer::Unknown => answer = Is::Unknown,
                        _ => {}
                    }
                }
                answer
            }
            TestRule::Profile(profiles) => {
                let mut answer = Is::No;
                for reached in &reached {
                    for profile in profiles {
                        match self.library.follow(profile) {
                            Followed::Type(ix) => {
                                let name = self.library.name(ix);
                                let is_any = matches!(name, "Resource" | "DomainResource");
                                if is_any || reached.node.resource_type() == Some(name) {
                                    return Is::Yes;
                                }
                            }
                            Followed::Profile(program) => {
                                if self.follows(reached.node, &program) {
                                    return Is::Yes;
                                }
                            }
                            Followed::Unknown => answer = Is::Unknown,
                        }
                    }
                }
                answer
            }
            TestRule::Undecidable => Is::Unknown,
        }
    }

    /// What is at the end of a path from an item.
    fn reach(&mut self, item: Item<'d>, of: &str, path: &[Step]) -> Vec<Reached<'d>> {
        let mut here = vec![(item, (!of.is_empty()).then(|| Cow::Owned(of.to_owned())))];
        for step in path {
            let mut next = Vec::new();
            for (item, of) in here {
                self.step_from(item, of, step, &mut next);
            }
            here = next;
        }
        here.into_iter().filter_map(|(item, of)| Some(Reached { node: item.node()?, of })).collect()
    }

    fn step_from(
        &mut self,
        item: Item<'d>,
        of: Option<Cow<'d, str>>,
        step: &Step,
        into: &mut Vec<(Item<'d>, Option<Cow<'d, str>>)>,
    ) {
        let object = item.value.filter(|node| node.kind() == Kind::Object).or(item.extra);
        match step {
            Step::Child(name) => {
                let Some(object) = object else { return };
                // A name of R4 is looked for by its number: no text is made nor compared for each item.
                let (value, extra) = match NameId::of(name) {
                    Some(id) => (object.get_id(id), id.companion().and_then(|extra| object.get_id(extra))),
                    None => (object.get(name), object.get(&format!("_{name}"))),
                };
                push_items(value, extra, None, into);
            }
            Step::Choice(stem) => {
                let Some(object) = object else { return };
                for (name, member) in object.members() {
                    let Some(of) = name.strip_prefix(&**stem) else { continue };
                    if of.starts_with(|sign: char| sign.is_ascii_uppercase()) {
                        push_items(Some(member), None, Some(Cow::Borrowed(of)), into);
                    }
                }
            }
            Step::Extension(url) => {
                let Some(object) = object else { return };
                for extension in object.all("extension").filter(|extension| extension.text("url") == Some(url)) {
                    into.push((Item { value: Some(extension), extra: None }, None));
                }
            }
            Step::OfType(wanted) => {
                let is_it = of.as_ref().is_none_or(|of| choice_name("", wanted) == **of || **of == **wanted);
                if is_it {
                    into.push((item, of));
                }
            }
            Step::Resolve => {
                let Some(value) = item.value else { return };
                let reference = value.str().or_else(|| value.text("reference"));
                if let Some(target) = reference.and_then(|reference| self.resolve(reference, value)) {
                    into.push((Item { value: Some(target), extra: None }, None));
                } else if let Some(kind) = reference.and_then(super::references::type_in) {
                    // The type can be told without the target.
                    into.push((item, Some(Cow::Borrowed(kind))));
                }
            }
        }
    }
}

fn push_items<'d>(
    value: Option<Node<'d>>,
    extra: Option<Node<'d>>,
    of: Option<Cow<'d, str>>,
    into: &mut Vec<(Item<'d>, Option<Cow<'d, str>>)>,
) {
    match value {
        Some(value) if value.kind() == Kind::Array => {
            into.extend(value.items().map(|item| (Item { value: Some(item), extra: None }, of.clone())));
        }
        _ if value.is_some() || extra.is_some() => into.push((Item { value, extra }, of)),
        _ => {}
    }
}

fn is_of_types(reached: &Reached<'_>, types: &[Box<str>]) -> bool {
    let is_any = |of: &str| matches!(of, "Resource" | "DomainResource" | "Element" | "BackboneElement");
    if let Some(kind) = reached.node.resource_type() {
        return types.iter().any(|of| **of == *kind || is_any(of));
    }
    match &reached.of {
        Some(of) => types.iter().any(|wanted| **wanted == **of || choice_name("", wanted) == **of),
        None => true,
    }
}

impl<'d> Walk<'_, 'd> {
    fn slice_missing(&mut self, holder: Node<'d>, program: &Program, spec: &Spec, count: u32) {
        let (id, min) = (program.id(spec).to_owned(), spec.min);
        let element = program.element(spec);
        let wanted = element.fixed.as_ref().or(element.pattern.as_ref()).and_then(|value| value.node().str());
        self.error(
            holder,
            rule_of(program, format!("{id} min {min}")),
            both(
                format!("{id} : au moins {min} de cette tranche, trouvé {count}"),
                format!("{id}: at least {min} of this slice required, {count} found"),
            ),
            match wanted {
                Some(wanted) => both(format!("ajoutez : {wanted}"), format!("add: {wanted}")),
                None => Text::fixed("ajoutez l'élément de cette tranche", "add the element of this slice"),
            },
        );
    }

    fn two_slices(&mut self, node: Node<'d>, program: &Program, spec: &Spec) {
        let id = program.id(spec).to_owned();
        self.error(
            node,
            rule_of(program, format!("{id} slicing")),
            Text::fixed("l'élément entre dans deux tranches du profil", "the element fits two slices of the profile"),
            Text::fixed("séparez-le en deux éléments", "split it into two elements"),
        );
    }

    fn outside_closed(&mut self, node: Node<'d>, program: &Program, spec: &Spec) {
        let id = program.id(spec).to_owned();
        self.error(
            node,
            rule_of(program, format!("{id} slicing closed")),
            both(
                format!("{id} : l'élément n'entre dans aucune tranche et le profil n'en admet pas d'autre"),
                format!("{id}: the element fits no slice and the profile allows no other"),
            ),
            Text::fixed(
                "retirez-le, ou donnez-lui le code qui désigne sa tranche",
                "remove it, or give it the code that tells its slice",
            ),
        );
    }

    fn out_of_order(&mut self, node: Node<'d>, program: &Program, spec: &Spec) {
        let id = program.id(spec).to_owned();
        self.error(
            node,
            rule_of(program, format!("{id} slicing ordered")),
            Text::fixed(
                "les tranches ne sont pas dans l'ordre du profil",
                "the slices are not in the order of the profile",
            ),
            Text::fixed("rangez-les comme le profil", "put them in the order of the profile"),
        );
    }

    fn not_at_end(&mut self, node: Node<'d>, program: &Program, spec: &Spec) {
        let id = program.id(spec).to_owned();
        self.error(
            node,
            rule_of(program, format!("{id} slicing openAtEnd")),
            Text::fixed(
                "un élément hors tranche précède une tranche",
                "an element outside the slices stands before one",
            ),
            Text::fixed("mettez les éléments hors tranche à la fin", "put the elements outside the slices at the end"),
        );
    }
}
