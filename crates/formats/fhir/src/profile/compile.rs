//! A [`Structure`] becomes a [`Program`].
//!
//! A profile's snapshot repeats everything its base says; the walk has checked that already. What is
//! equal in the base is therefore left out, and an element in which nothing is left is not even visited:
//! a profile costs what it adds.
//!
//! Order: the outline of the flat list, the specs from last to first (children before parents), types,
//! the table of JSON names, what is new against the base.

use std::sync::Arc;

use super::invariant::{self, Invariant, Made};
use super::library::Library;
use super::primitive;
use super::program::{Children, Code, Member, Program, Rare, Spec, Target, TypeSpec};
use super::slicing;
use crate::definitions::{
    Binding, Constraint, Derivation, Element, Max, SlicingRules, Strength, Structure, TypeId, TypeKind, TypeRef,
    types as kinds,
};
use crate::tape::NameId;

const UNITS_OF_VITALS: &str = "http://hl7.org/fhir/ValueSet/ucum-vitals-common";

/// The program of a structure; none when it has no snapshot.
pub(super) fn compile(library: &Library, structure: Arc<Structure>) -> Option<Program> {
    if structure.elements.is_empty() {
        return None;
    }
    let outline = outline(&structure.elements);
    let mut compiler = Compiler {
        library,
        structure: &structure,
        is_profile: structure.derivation == Some(Derivation::Constraint),
        outline,
        specs: Vec::new(),
        unwritten: Vec::new(),
    };
    compiler.specs.resize_with(structure.elements.len(), Spec::default);
    for at in (0..structure.elements.len()).rev() {
        let spec = compiler.spec(at);
        compiler.specs[at] = spec;
    }
    let (specs, unwritten) = (compiler.specs, compiler.unwritten);
    let canonical = match &structure.version {
        Some(version) => format!("{}|{version}", structure.url).into(),
        None => structure.url.clone(),
    };
    Some(Program { canonical, specs, unwritten, structure })
}

/// Where an element hangs.
#[derive(Default)]
struct Place {
    /// Its children, without their slices.
    children: Vec<usize>,
    /// Its slices.
    slices: Vec<usize>,
    /// The element that it slices.
    head: Option<usize>,
}

/// The tree behind the flat list: paths say who is whose child, slice names who is whose slice.
fn outline(elements: &[Element]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    places.resize_with(elements.len(), Place::default);
    let mut open: Vec<usize> = Vec::new();
    for (at, element) in elements.iter().enumerate() {
        while let Some(&top) = open.last() {
            if is_slice_of(&elements[top], element) {
                places[top].slices.push(at);
                places[at].head = Some(top);
                break;
            }
            if is_child_of(&elements[top], element) {
                places[top].children.push(at);
                break;
            }
            open.pop();
        }
        open.push(at);
    }
    places
}

fn is_child_of(parent: &Element, element: &Element) -> bool {
    element.path.rsplit_once('.').is_some_and(|(parents, _)| parents == &*parent.path)
}

fn is_slice_of(head: &Element, element: &Element) -> bool {
    let (Some(name), true) = (&element.slice_name, head.path == element.path) else { return false };
    match &head.slice_name {
        None => true,
        Some(parent) => {
            // Without a slicing of its own, `a/b` beside `a` is only a name with a slash.
            name.strip_prefix(&**parent).is_some_and(|rest| rest.starts_with('/'))
        }
    }
}

struct Compiler<'a> {
    library: &'a Library,
    structure: &'a Arc<Structure>,
    is_profile: bool,
    outline: Vec<Place>,
    specs: Vec<Spec>,
    unwritten: Vec<Box<str>>,
}

impl Compiler<'_> {
    fn spec(&mut self, at: usize) -> Spec {
        let element = &self.structure.elements[at];
        let base = self.base_of(at);
        let types: Box<[TypeSpec]> = element.types.iter().map(|of| type_spec(self.library, of)).collect();
        let children = self.children(at);
        let slicing = slicing::compile(self.library, self.structure, at, &self.outline[at].slices);
        let invariants = self.invariants(at, base.as_ref());
        let binding = self.binding(at, base.as_ref());
        let rare = Rare {
            fixed: element.fixed.clone(),
            pattern: element.pattern.clone(),
            min_value: element.min_value.clone(),
            max_value: element.max_value.clone(),
            max_length: element.max_length,
            without_value: element.without_value.clone(),
            narrative: element.narrative.clone(),
        };
        let mut spec = Spec {
            element: u32::try_from(at).unwrap_or(u32::MAX),
            min: element.min.unwrap_or(0),
            max: count(element.max),
            many: element.base.as_ref().map_or(count(element.max) > 1, |base| count(Some(base.max)) > 1),
            must_support: element.must_support,
            kind: kind_at(&self.structure.type_name, element).filter(|kind| kinds().kind(*kind) != TypeKind::Resource),
            types,
            children,
            same_as: self.same_as(element),
            slicing,
            invariants,
            binding,
            rare: (!rare.is_empty()).then(|| Box::new(rare)),
            active: true,
        };
        spec.active = !self.is_profile || self.adds(at, &spec, base.as_ref());
        spec
    }

    /// Does the element say anything that its base does not?
    fn adds(&self, at: usize, spec: &Spec, base: Option<&Element>) -> bool {
        let element = &self.structure.elements[at];
        let narrower = base.is_none_or(|base| {
            count(base.max) != spec.max || (!element.types.is_empty() && !same_types(&base.types, &element.types))
        });
        spec.min > 0
            || narrower
            || spec.must_support
            || spec.children.is_some()
            || spec
                .slicing
                .as_ref()
                .is_some_and(|slicing| !slicing.slices.is_empty() || slicing.rules == SlicingRules::Closed)
            || !spec.invariants.is_empty()
            || spec.binding.is_some()
            || spec.rare.is_some()
    }

    /// What holds already where this element stands: of a slice, the sliced element; else the element of the base type.
    fn base_of(&self, at: usize) -> Option<Element> {
        if !self.is_profile {
            return None;
        }
        if let Some(head) = self.outline[at].head {
            return Some(self.structure.elements[head].clone());
        }
        let element = &self.structure.elements[at];
        let path: &str = element.base.as_ref().map_or(&element.path, |base| &base.path);
        let of = path.split('.').next()?;
        self.library.structure_of(of)?.elements.iter().find(|base| &*base.path == path).cloned()
    }

    fn same_as(&self, element: &Element) -> Option<u32> {
        let id = element.content_reference.as_ref()?.rsplit('#').next()?.to_owned();
        let found = self.structure.elements.iter().position(|other| *other.id == *id || *other.path == *id)?;
        u32::try_from(found).ok()
    }

    fn children(&self, at: usize) -> Option<Box<Children>> {
        let list: Vec<usize> =
            self.outline[at].children.iter().copied().filter(|child| self.specs[*child].active).collect();
        if list.is_empty() {
            return None;
        }
        let mut children = Children::default();
        for child in list {
            let place = u16::try_from(children.list.len()).unwrap_or(u16::MAX - 1);
            children.list.push(u32::try_from(child).unwrap_or(u32::MAX));
            self.name(&mut children, child, place);
        }
        Some(Box::new(children))
    }

    /// The JSON names of an element.
    fn name(&self, children: &mut Children, child: usize, place: u16) {
        let element = &self.structure.elements[child];
        let name = element.path.rsplit('.').next().unwrap_or_default();
        let Some(stem) = name.strip_suffix("[x]") else {
            let member = Member { child: place, ty: 0, is_extra: false, suffix: 0 };
            children.add(name, member);
            if element.types.first().is_some_and(|of| primitive::named(&of.code).is_some()) {
                children.add(&format!("_{name}"), Member { is_extra: true, ..member });
            }
            return;
        };
        let base = self.base_of(child).filter(|base| !base.types.is_empty());
        let types = base.as_ref().map_or(&element.types, |base| &base.types);
        for of in types {
            let ty = element.types.iter().position(|own| own.code == of.code);
            let ty = ty.and_then(|ty| u16::try_from(ty).ok()).unwrap_or(Member::OTHER_TYPE);
            let (name, suffix) = (choice_name(stem, &of.code), u8::try_from(of.code.len()).unwrap_or(0));
            let member = Member { child: place, ty, is_extra: false, suffix };
            children.add(&name, member);
            if primitive::named(&of.code).is_some() {
                children.add(&format!("_{name}"), Member { is_extra: true, ..member });
            }
        }
    }

    /// The invariants that nothing checks yet: not those of the type (its own program has them), not those
    /// of the base.
    fn invariants(&mut self, at: usize, base: Option<&Element>) -> Box<[Invariant]> {
        let element = &self.structure.elements[at];
        let of = element.types.first().filter(|_| element.types.len() == 1 && element.path.contains('.'));
        let of = of.and_then(|of| self.library.structure_of(&of.code));
        let known = |constraint: &Constraint| {
            let holds = |other: &Constraint| other.key == constraint.key && other.expression == constraint.expression;
            base.is_some_and(|base| base.constraints.iter().any(holds))
                || of.as_ref().and_then(|of| of.elements.first()).is_some_and(|root| root.constraints.iter().any(holds))
        };
        let mut made = Vec::new();
        for (place, constraint) in element.constraints.iter().enumerate() {
            if known(constraint) {
                continue;
            }
            let on = element.types.first().filter(|_| element.types.len() == 1).and_then(|of| kind_of(&of.code));
            let on = on.or_else(|| kind_at(&self.structure.type_name, element));
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            match invariant::compile(self.structure, constraint, place, on) {
                Made::Invariant(invariant) => made.push(invariant),
                Made::Unwritten => self.unwritten.push(constraint.key.clone()),
                Made::Walked => {}
            }
        }
        made.into()
    }

    fn binding(&self, at: usize, base: Option<&Element>) -> Option<Box<Binding>> {
        let mut binding = self.structure.elements[at].binding.clone()?;
        // R4's vital signs bind the values of all components, flows and concepts too, to the units of the vital signs
        // themselves; R4B and R5 corrected `required` to `extensible`, and so do validators of R4.
        let is_of_vitals = &*self.structure.elements[at].path == "Observation.component.value[x]"
            && binding.value_set.as_deref().is_some_and(|set| set.starts_with(UNITS_OF_VITALS));
        if is_of_vitals && binding.strength == Strength::Required {
            binding.strength = Strength::Extensible;
        }
        let base = base.and_then(|base| base.binding.as_ref());
        if base.is_some_and(|base| same_binding(base, &binding)) || binding.value_set.is_none() {
            return None;
        }
        Some(Box::new(binding))
    }
}

/// A datatype by its name; not what an element defines where it stands, and no resource.
fn kind_of(name: &str) -> Option<TypeId> {
    let kind = kinds().named(name)?;
    let is_own = !matches!(name, "Element" | "BackboneElement") && kinds().kind(kind) != TypeKind::Resource;
    is_own.then_some(kind)
}

/// The type of an element by its path, down from the type of the structure; none for a choice.
fn kind_at(type_name: &str, element: &Element) -> Option<TypeId> {
    let mut steps = element.path.split('.');
    steps.next()?;
    let first = kinds().named(type_name)?;
    steps.try_fold(first, |kind, step| Some(kinds().child(kind, NameId::of(step)?)?.type_id))
}

/// `value` + `dateTime` = `valueDateTime`.
pub(super) fn choice_name(stem: &str, of: &str) -> String {
    let mut name = String::with_capacity(stem.len() + of.len());
    name.push_str(stem);
    let mut signs = of.chars();
    name.extend(signs.next().map(|first| first.to_ascii_uppercase()));
    name.push_str(signs.as_str());
    name
}

fn count(max: Option<Max>) -> u32 {
    match max {
        Some(Max::Count(count)) => count,
        Some(Max::Many) | None => u32::MAX,
    }
}

/// Publishers pin what R4 names without a version: `…/all-languages|4.0.1` is what the base asks for already.
fn same_binding(base: &Binding, own: &Binding) -> bool {
    let unpinned = |set: &Option<Box<str>>| {
        set.as_deref().map(|url| match url.strip_suffix("|4.0.1") {
            Some(bare) if bare.starts_with("http://hl7.org/fhir/ValueSet/") => bare.to_owned(),
            _ => url.to_owned(),
        })
    };
    base.strength == own.strength
        && unpinned(&base.value_set) == unpinned(&own.value_set)
        && unpinned(&base.max_value_set) == unpinned(&own.max_value_set)
}

fn same_types(base: &[TypeRef], own: &[TypeRef]) -> bool {
    base.len() == own.len() && base.iter().zip(own).all(|(base, own)| base == own)
}

fn type_spec(library: &Library, of: &TypeRef) -> TypeSpec {
    let name = of.code.strip_prefix("http://hl7.org/fhirpath/System.").map_or(&*of.code, system_type);
    let code = match (primitive::named(name), library.type_named(name)) {
        (Some(primitive), _) => Code::Primitive(primitive),
        _ if name == "xhtml" => Code::Xhtml,
        _ if matches!(name, "Resource" | "DomainResource") => Code::Resource(None),
        (_, Some(ix)) if library.is_resource(ix) => Code::Resource(Some(ix)),
        (_, Some(ix)) => Code::Complex(ix),
        _ => Code::Unknown,
    };
    let target = |canonical: &str| {
        let kind = library.type_of_profile(canonical);
        let tail = canonical.strip_prefix(super::library::CORE).map(|tail| tail.split('|').next().unwrap_or(tail));
        Target { canonical: canonical.into(), is_type: tail.is_some() && tail == kind.as_deref(), kind }
    };
    TypeSpec {
        code,
        name: name.into(),
        kind: kind_of(name),
        profiles: of.profiles.clone().into(),
        targets: of.target_profiles.iter().map(|canonical| target(canonical)).collect(),
        aggregation: of.aggregation.clone().into(),
    }
}

/// The FHIR type of a FHIRPath system type that no extension explains.
fn system_type(name: &str) -> &str {
    match name {
        "Boolean" => "boolean",
        "Integer" => "integer",
        "Decimal" => "decimal",
        "Date" => "date",
        "DateTime" => "dateTime",
        "Time" => "time",
        _ => "string",
    }
}
