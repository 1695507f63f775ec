//! One walk over the tape against programs.
//!
//! Against the program of a base type ([`Mode::Base`]) everything is checked and everything is entered;
//! against that of a profile ([`Mode::Profile`]) only what the profile adds, since the base was walked
//! before. Nothing is allocated while all is well: paths are made for messages, by climbing the tape.
//!
//! Order here: the walk's state, objects, one element with its repetitions, one item. Beside: `resource`
//! (claims, contained resources), `slices`, `values` (fixed, patterns, ranges), `codes` (bindings),
//! `references`, `extensions`, `bundles`, `vitals` (vital signs by their code), `questionnaire` and `measure` (answers and reports against what
//! they answer), `invariants`, `say` (findings).

mod bundles;
mod codes;
mod conformance;
mod extensions;
mod invariants;
mod measure;
mod narrative;
mod questionnaire;
mod ranges;
mod references;
mod resource;
mod say;
mod slices;
mod special;
mod values;
mod vitals;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Options;
use super::library::{Followed, Library};
use super::primitive;
use super::program::{Children, Code, Member, Program, Spec, TypeSpec};
use super::report::{NotChecked, Subject};
use crate::definitions::PrimitiveKind;
use crate::tape::{Document, Kind, NameId, Node};
use crate::terminology::Terminology;
use socle_finding::Finding;

/// What a walk is against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Base,
    Profile,
}

/// One value of an element: what is written, and for a primitive what `_name` adds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'d> {
    pub(super) value: Option<Node<'d>>,
    pub(super) extra: Option<Node<'d>>,
}

impl<'d> Item<'d> {
    /// The node that stands for it in messages.
    pub(super) fn node(self) -> Option<Node<'d>> {
        self.value.or(self.extra)
    }
}

/// One element in its object, before its repetitions are looked at.
#[derive(Clone, Copy)]
struct Slot<'d> {
    value: Option<Node<'d>>,
    extra: Option<Node<'d>>,
    ty: u16,
}

impl Slot<'_> {
    const EMPTY: Self = Self { value: None, extra: None, ty: 0 };
}

pub(super) struct Walk<'v, 'd> {
    library: &'v Library,
    terms: &'v Terminology,
    options: &'v Options,
    document: &'d Document,
    slots: Vec<Slot<'d>>,
    /// The resources on the way to the current element.
    resources: Vec<Node<'d>>,
    /// The ids of elements, with the resource that they are in.
    ids: HashSet<(u32, &'d str)>,
    /// Targets of references by their place, made when a reference is first resolved.
    targets: Option<references::Targets<'d>>,
    /// Whether a node follows a profile, as found before: node, program.
    followed: HashMap<(u32, usize), bool>,
    /// Displays that are not those of their system, each with its finding; a value set may still give them.
    wrong_displays: Vec<(usize, Node<'d>)>,
    /// Those findings that a value set overruled.
    right_displays: Vec<usize>,
    /// Above zero nothing is written down, only counted.
    quiet: u32,
    /// Members that R4 does not know: what is odd inside them is not said as well.
    unknown: Vec<Node<'d>>,
    errors: usize,
    /// Coded values of which a profile says itself what they are.
    governed: HashSet<u32>,
    /// Findings that a base type only advises, with the value: they fall where a profile says something else.
    advice: Vec<(usize, u32)>,
    depth: u32,
    /// Invariants that are also written in Rust are evaluated as FHIRPath all the same.
    #[cfg(test)]
    pub(super) by_path: bool,
    pub(super) findings: Vec<Finding>,
    pub(super) not_checked: Vec<NotChecked>,
}

/// Profiles on profiles on references: no honest document needs more.
const MAX_DEPTH: u32 = 64;

impl<'v, 'd> Walk<'v, 'd> {
    pub(super) fn new(
        library: &'v Library,
        terms: &'v Terminology,
        options: &'v Options,
        document: &'d Document,
    ) -> Self {
        Self {
            library,
            terms,
            options,
            document,
            slots: Vec::with_capacity(128),
            resources: Vec::with_capacity(8),
            ids: HashSet::new(),
            targets: None,
            followed: HashMap::new(),
            wrong_displays: Vec::new(),
            right_displays: Vec::new(),
            quiet: 0,
            unknown: Vec::new(),
            errors: 0,
            governed: HashSet::new(),
            advice: Vec::new(),
            depth: 0,
            #[cfg(test)]
            by_path: false,
            findings: Vec::new(),
            not_checked: Vec::new(),
        }
    }

    /// The members of an object against the children of an element. `node` is none for a primitive
    /// without `_name`: all its children are absent.
    fn members(
        &mut self,
        node: Option<Node<'d>>,
        holder: Node<'d>,
        program: &Program,
        children: &Children,
        mode: Mode,
    ) {
        let first = self.slots.len();
        self.slots.resize(first + children.list.len(), Slot::EMPTY);
        if let Some(node) = node {
            for member in node.member_nodes() {
                let name = member.name_id();
                if mode == Mode::Base && name == NameId::ID {
                    self.element_id(member, node);
                }
                match children.find(name) {
                    Some(found) => self.take(first, member, found, mode),
                    None if mode == Mode::Base && name != NameId::RESOURCE_TYPE => self.unknown_member(member),
                    None => {}
                }
            }
        }
        for (place, spec) in children.list.iter().enumerate() {
            let slot = self.slots[first + place];
            self.element(holder, slot, program, &program.specs[*spec as usize], mode);
        }
        self.slots.truncate(first);
    }

    fn take(&mut self, first: usize, member: Node<'d>, found: Member, mode: Mode) {
        let slot = &mut self.slots[first + found.child as usize];
        let is_second = (slot.value.is_some() || slot.extra.is_some()) && slot.ty != found.ty;
        if is_second {
            if mode == Mode::Base {
                self.two_types(member);
            }
            return;
        }
        slot.ty = found.ty;
        let side = if found.is_extra { &mut slot.extra } else { &mut slot.value };
        *side = Some(member);
    }

    /// One element of an object: kind, each item, how many, slices.
    fn element(&mut self, holder: Node<'d>, slot: Slot<'d>, program: &Program, spec: &Spec, mode: Mode) {
        let Some(first) = slot.value.or(slot.extra) else {
            if spec.min > 0 {
                self.too_few(holder, program, spec, 0);
            } else if spec.must_support && mode == Mode::Profile {
                self.unsupported(holder, program, spec);
            }
            if let Some(slicing) = &spec.slicing {
                self.slices(holder, &[], program, spec, slicing);
            }
            return;
        };
        if mode == Mode::Base && !self.has_right_shape(slot, spec) {
            return;
        }
        let is_array = first.kind() == Kind::Array;
        let mut count = 0_u32;
        if is_array {
            let mut values = slot.value.map(Node::items);
            let mut extras = slot.extra.map(Node::items);
            loop {
                let value = values.as_mut().and_then(Iterator::next);
                let extra = extras.as_mut().and_then(Iterator::next);
                let (Some(node), item) = (value.or(extra), Item { value, extra }) else { break };
                count += 1;
                self.item(item, node, program, spec, slot.ty, mode);
            }
        } else {
            count = 1;
            self.item(Item { value: slot.value, extra: slot.extra }, first, program, spec, slot.ty, mode);
        }
        if count < spec.min {
            self.too_few(holder, program, spec, count);
        }
        if count > spec.max {
            self.too_many(first, holder, program, spec, count);
        }
        if let Some(slicing) = &spec.slicing {
            let items = slices::items(slot.value, slot.extra, slot.ty, spec);
            self.slices(holder, &items, program, spec, slicing);
        }
    }

    /// An element that may repeat is an array, another is not (FHIR R4 §2.6.2).
    fn has_right_shape(&mut self, slot: Slot<'d>, spec: &Spec) -> bool {
        let mut right = true;
        for node in [slot.value, slot.extra].into_iter().flatten() {
            let is_array = node.kind() == Kind::Array;
            if is_array != spec.many && node.kind() != Kind::Null {
                self.wrong_shape(node, spec.many);
                right = false;
            } else if node.kind() == Kind::Null && node.name().is_some() {
                right = false; // the tape has said it
            }
        }
        if right
            && spec.many
            && let (Some(values), Some(extras)) = (slot.value, slot.extra)
            && values.items().count() != extras.items().count()
        {
            self.unaligned(extras);
        }
        right
    }

    fn item(&mut self, item: Item<'d>, node: Node<'d>, program: &Program, spec: &Spec, ty: u16, mode: Mode) {
        match mode {
            Mode::Base => self.base_item(item, node, program, spec, ty),
            Mode::Profile => self.profile_item(item, node, program, spec, ty),
        }
    }

    fn base_item(&mut self, item: Item<'d>, node: Node<'d>, program: &Program, spec: &Spec, ty: u16) {
        match spec.types.get(ty as usize).map(|of| of.code) {
            Some(Code::Primitive(primitive)) => {
                if !self.primitive(item, node, primitive) {
                    return;
                }
            }
            Some(Code::Xhtml) => {
                if self.is_kind(node, Kind::String) {
                    self.div(node);
                }
                return;
            }
            Some(Code::Resource(_)) => {
                if self.is_kind(node, Kind::Object) {
                    self.resource(node);
                }
            }
            Some(Code::Complex(ix)) => {
                if !self.is_kind(node, Kind::Object) {
                    return;
                }
                match &spec.children {
                    Some(children) => self.members(Some(node), node, program, children, Mode::Base),
                    None => self.complex(node, ix),
                }
                self.has_content(node);
                if Some(ix) == self.library.known.reference
                    && let Some(of) = spec.types.get(ty as usize)
                {
                    self.reference_form(node);
                    self.reference(node, program, spec, of);
                }
            }
            Some(Code::Unknown) => {}
            None => {
                let same = spec.same_as.and_then(|at| program.specs.get(at as usize));
                if let Some(children) = same.and_then(|same| same.children.as_ref())
                    && self.is_kind(node, Kind::Object)
                {
                    self.members(Some(node), node, program, children, Mode::Base);
                    self.has_content(node);
                }
                if let Some(same) = same {
                    self.invariants(item, node, program, same, same.kind);
                }
            }
        }
        self.constraints(item, node, program, spec, ty, Mode::Base);
    }

    /// A value of a complex type, against the type's own program.
    fn complex(&mut self, node: Node<'d>, ix: super::program::TypeIx) {
        let Some(base) = self.library.base(ix) else { return };
        if let Some(children) = &base.root().children {
            self.members(Some(node), node, base, children, Mode::Base);
        }
        self.invariants(Item { value: Some(node), extra: None }, node, base, base.root(), base.root().kind);
        self.special(node, ix);
    }

    /// False when it is nothing that more can be said of.
    fn primitive(&mut self, item: Item<'d>, node: Node<'d>, primitive: PrimitiveKind) -> bool {
        let value = item.value.filter(|value| value.kind() != Kind::Null);
        let extra = item.extra.filter(|extra| extra.kind() != Kind::Null);
        let before = self.errors;
        if let Some(extra) = extra {
            if !self.is_kind(extra, Kind::Object) {
                return false;
            }
            if let Some(element) = self.library.known.element {
                self.complex(extra, element);
            }
        }
        let Some(value) = value else {
            // What is wrong inside has been said.
            let is_told = self.errors > before;
            if !is_told && extra.is_none_or(|extra| extra.get("extension").is_none()) {
                self.no_content(node);
            }
            return extra.is_some();
        };
        if !self.is_kind(value, primitive::kind(primitive)) {
            return false;
        }
        if let Some(fault) = primitive::check(primitive, value) {
            self.bad_primitive(value, fault);
            return !fault.is_error();
        }
        self.watch_text(value, primitive);
        true
    }

    fn profile_item(&mut self, item: Item<'d>, node: Node<'d>, program: &Program, spec: &Spec, ty: u16) {
        if ty == Member::OTHER_TYPE {
            self.type_not_allowed(node, program, spec);
            return;
        }
        let of = spec.types.get(ty as usize);
        let is_primitive = of.is_some_and(|of| matches!(of.code, Code::Primitive(_)));
        if let Some(children) = &spec.children {
            let inside = if is_primitive { item.extra } else { item.value };
            let inside = inside.filter(|node| node.kind() == Kind::Object);
            if inside.is_some() || is_primitive {
                self.members(inside, node, program, children, Mode::Profile);
            }
        }
        if let (Some(of), Some(value)) = (of, item.value) {
            self.type_constraints(value, program, spec, of);
        }
        self.constraints(item, node, program, spec, ty, Mode::Profile);
    }

    /// What a profile says of the type of a value: profiles on it, what it may point at.
    fn type_constraints(&mut self, value: Node<'d>, program: &Program, spec: &Spec, of: &TypeSpec) {
        if let Code::Resource(wanted) = of.code {
            let fits = spec.types.iter().any(|of| match of.code {
                Code::Resource(None) => true,
                Code::Resource(Some(ix)) => value.resource_type() == Some(self.library.name(ix)),
                _ => false,
            });
            if !fits && wanted.is_some() {
                self.type_not_allowed(value, program, spec);
                return;
            }
        }
        let own = spec.types.iter().filter(|own| match own.code {
            Code::Resource(Some(ix)) => value.resource_type() == Some(self.library.name(ix)),
            code => code == of.code,
        });
        let profiles: Vec<&str> = own.flat_map(|own| &own.profiles).map(|profile| &**profile).collect();
        self.one_of(value, program, spec, &profiles);
        if matches!(&*of.name, "Reference") {
            self.reference(value, program, spec, of);
        }
    }

    /// The value follows one of the profiles.
    fn one_of(&mut self, value: Node<'d>, program: &Program, spec: &Spec, profiles: &[&str]) {
        // An extension was checked against its definition when the base was walked.
        let is_own = value.text("url").is_some_and(|url| profiles.iter().all(|profile| *profile == url));
        if profiles.is_empty() || is_own {
            return;
        }
        let mut known = Vec::new();
        let mut of_type = None;
        for profile in profiles {
            match self.library.follow(profile) {
                Followed::Type(ix) if self.is_of(value, ix) => return,
                Followed::Type(ix) => of_type = Some(ix),
                Followed::Profile(program) => known.push(program),
                Followed::Unknown => self.profile_of_type_unknown(value, program, spec, profile),
            }
        }
        if let (Some(ix), 1) = (of_type, profiles.len()) {
            let name = self.library.name(ix).to_owned();
            self.other_type(value, name);
            return;
        }
        match known.as_slice() {
            [] => {}
            [one] if profiles.len() == 1 => self.against(value, one),
            several => {
                let fits = several.iter().any(|one| self.follows(value, one));
                if !fits && known.len() == profiles.len() {
                    self.no_profile_fits(value, program, spec, profiles);
                }
            }
        }
    }

    /// The canonical of a type as a profile: any value of that type. What a datatype is, the walk has checked.
    fn is_of(&self, value: Node<'d>, ix: super::program::TypeIx) -> bool {
        let name = self.library.name(ix);
        matches!(name, "Resource" | "DomainResource") || value.resource_type().is_none_or(|kind| kind == name)
    }

    /// What both modes check of an item: values, codes, invariants.
    fn constraints(&mut self, item: Item<'d>, node: Node<'d>, program: &Program, spec: &Spec, ty: u16, mode: Mode) {
        if let Some(rare) = &spec.rare {
            self.rare(item, node, program, spec, rare);
        }
        if mode == Mode::Profile && (spec.rare.is_some() || spec.binding.is_some()) {
            self.governed(node);
        }
        if let Some(binding) = &spec.binding
            && let Some(value) = item.value
        {
            self.binding(value, program, binding, spec.types.get(ty as usize));
        }
        if !spec.invariants.is_empty() {
            let on = spec.types.get(ty as usize).and_then(|of| of.kind).or(spec.kind);
            self.invariants(item, node, program, spec, on);
        }
    }

    fn is_kind(&mut self, node: Node<'d>, kind: Kind) -> bool {
        let right = node.kind() == kind;
        if !right {
            self.wrong_kind(node, kind);
        }
        right
    }

    /// ele-1: an object holds something beside its id.
    fn has_content(&mut self, node: Node<'d>) {
        let mut members = node.member_nodes();
        let (first, second) = (members.next(), members.next());
        let only_id = second.is_none() && first.is_some_and(|first| first.name_id() == NameId::ID);
        if only_id {
            self.no_content(node);
        }
    }

    /// Does the node follow the profile? Nothing is written down. A profile that is being followed
    /// already, on the way here, is taken to be.
    fn follows(&mut self, node: Node<'d>, program: &Arc<Program>) -> bool {
        let key = (node.index(), Arc::as_ptr(program).addr());
        if let Some(known) = self.followed.get(&key) {
            return *known;
        }
        self.followed.insert(key, true);
        let before = self.errors;
        self.quiet += 1;
        self.against(node, program);
        self.quiet -= 1;
        let follows = self.errors == before;
        self.errors = before;
        self.followed.insert(key, follows);
        follows
    }

    /// The node against a profile.
    fn against(&mut self, node: Node<'d>, program: &Arc<Program>) {
        if self.depth >= MAX_DEPTH {
            self.not_checked(Subject::Profile, &program.structure.url, node);
            return;
        }
        self.depth += 1;
        let is_resource = program.structure.kind == crate::definitions::StructureKind::Resource;
        let is_held = is_resource && self.resources.last().is_none_or(|held| *held != node);
        if is_held {
            self.resources.push(node);
        }
        let item = Item { value: Some(node), extra: None };
        if is_resource && node.resource_type() != Some(&program.structure.type_name) {
            self.wrong_resource(node, program);
        } else {
            self.profile_item(item, node, program, program.root(), 0);
            for key in &program.unwritten {
                self.unwritten(node, program, key);
            }
        }
        if is_held {
            self.resources.pop();
        }
        self.depth -= 1;
    }
}
