//! What is known of a collection before anything is evaluated.

use smallvec::SmallVec;

use super::error::ErrorKind;
use super::functions::{Function, Gives};
use super::model::{System, Type, TypeId, TypeTest};
use super::program::{Member, Members, Step};
use crate::definitions::{Child, types};
use crate::tape::NameId;

/// The types that items may have, whether there may be several, and whether their order means something.
#[derive(Debug, Clone)]
pub(super) struct Static {
    /// None when they may have any type.
    pub(super) types: Option<SmallVec<[Type; 2]>>,
    pub(super) many: bool,
    pub(super) ordered: bool,
}

impl Static {
    pub(super) const fn any() -> Self {
        Self { types: None, many: true, ordered: true }
    }

    pub(super) fn empty() -> Self {
        Self { types: Some(SmallVec::new()), many: false, ordered: true }
    }

    pub(super) fn one(kind: Type) -> Self {
        Self { types: Some(SmallVec::from_slice(&[kind])), many: false, ordered: true }
    }

    pub(super) fn system(system: System) -> Self {
        Self::one(Type::System(system))
    }

    pub(super) fn fhir(id: TypeId) -> Self {
        Self::one(Type::Fhir(id))
    }

    pub(super) fn many(self) -> Self {
        Self { many: true, ..self }
    }

    pub(super) fn single(self) -> Self {
        Self { many: false, ordered: true, ..self }
    }

    /// Items of both.
    pub(super) fn with(&self, other: &Self) -> Self {
        let types = match (&self.types, &other.types) {
            (Some(left), Some(right)) => {
                let mut types = left.clone();
                types.extend(right.iter().copied().filter(|kind| !left.contains(kind)));
                Some(types)
            }
            _ => None,
        };
        Self { types, many: true, ordered: self.ordered && other.ordered }
    }

    /// No item can be of any of these types.
    pub(super) fn is_never(&self, accepts: impl Fn(Type) -> bool) -> bool {
        self.types.as_ref().is_some_and(|types| !types.is_empty() && !types.iter().any(|kind| accepts(*kind)))
    }

    /// What a function gives on this, with that argument.
    pub(super) fn given(&self, function: Function, gives: Gives, argument: Option<&Self>) -> Self {
        match gives {
            Gives::One(system) => Self::system(system),
            Gives::Many(system) => Self::system(system).many(),
            Gives::Input => self.clone(),
            Gives::OneOfInput => self.clone().single(),
            Gives::Both => argument.map_or_else(|| self.clone(), |argument| self.with(argument)),
            Gives::Elements => Self { types: None, many: true, ordered: false },
            Gives::Anything => self.given_by(function),
        }
    }

    fn given_by(&self, function: Function) -> Self {
        let named = |name| types().named(name).map_or_else(Self::any, Self::fhir);
        match function {
            Function::Extension => named("Extension").many(),
            Function::ElementDefinition => named("ElementDefinition"),
            Function::Type => Self { many: self.many, ..Self::system(System::Any) },
            Function::GetValue => {
                let systems = self.types.as_ref().map(|types| {
                    types.iter().filter_map(|kind| kind.system()).map(Type::System).collect::<SmallVec<[Type; 2]>>()
                });
                Self { types: systems, many: false, ordered: true }
            }
            _ => Self::any(),
        }
    }

    /// The step to an element, and what is there.
    pub(super) fn step(&self, name: &str) -> Result<(Step, Self), ErrorKind> {
        let unknown = |on: &str| ErrorKind::UnknownElement { name: name.into(), on: on.into() };
        let Some(known) = &self.types else {
            let id = NameId::of(name).ok_or_else(|| unknown("FHIR"))?;
            return Ok((Step::Named(id), Self { ordered: self.ordered, ..Self::any() }));
        };
        let on = known.first().map_or("{}", |kind| kind.name());
        let Some(id) = NameId::of(name) else {
            return if known.is_empty() { Ok((Step::Named(NameId::NONE), Self::empty())) } else { Err(unknown(on)) };
        };
        let mut result = Self { many: self.many, ordered: self.ordered, ..Self::empty() };
        let mut steps = SmallVec::<[Step; 2]>::new();
        for kind in known {
            if let Some((step, there)) = step_from(*kind, id)? {
                let many = result.many || there.many;
                result = Self { many, ordered: result.ordered, ..result.with(&there) };
                steps.push(step);
            }
        }
        let step = match (known.len(), steps.pop()) {
            (0, _) => Step::Named(id),
            (_, None) => return Err(unknown(on)),
            (1, Some(step)) => step,
            (_, Some(_)) => Step::Named(id),
        };
        Ok((step, result))
    }

    /// What is left of this by type.
    pub(super) fn filtered(&self, test: TypeTest) -> Self {
        let narrowed: SmallVec<[Type; 2]> = match &self.types {
            Some(known) => known.iter().copied().filter(|kind| test.filters(*kind)).collect(),
            None => SmallVec::new(),
        };
        let types = if narrowed.is_empty() { test.types().collect() } else { narrowed };
        Self { types: Some(types), many: self.many, ordered: self.ordered }
    }
}

fn step_from(kind: Type, name: NameId) -> Result<Option<(Step, Static)>, ErrorKind> {
    let Type::Fhir(id) = kind else { return Ok(step_from_system(kind, name)) };
    if name == NameId::VALUE
        && let Some(system) = super::model::system_of(id)
    {
        return Ok(Some((Step::Named(name), Static::system(system))));
    }
    let children = types().element(id, name);
    let Some(first) = children.first() else { return Ok(step_below(id, name)) };
    if first.choice && first.base != name {
        let text = |id: NameId| id.text().unwrap_or_default().into();
        return Err(ErrorKind::ChoiceName { name: text(name), instead: text(first.base) });
    }
    let members = members(id, children);
    let mut there = Static::empty();
    for member in &members.members {
        there = there.with(&Static::fhir(member.kind));
    }
    there.many = first.many;
    Ok(Some((Step::Known(members), there)))
}

/// The parts of a quantity.
fn step_from_system(kind: Type, name: NameId) -> Option<(Step, Static)> {
    if kind != Type::System(System::Quantity) {
        return None;
    }
    match name.text()? {
        "value" => Some((Step::Named(name), Static::system(System::Decimal))),
        "unit" | "code" => Some((Step::Named(name), Static::system(System::String))),
        _ => None,
    }
}

/// An element that an abstract type has not, but a type made from it.
fn step_below(id: TypeId, name: NameId) -> Option<(Step, Static)> {
    if !types().is_abstract(id) {
        return None;
    }
    let is_there = types().all().any(|below| types().is_subtype(below, id) && !types().element(below, name).is_empty());
    is_there.then(|| (Step::Named(name), Static::any()))
}

fn members(owner: TypeId, children: &[Child]) -> Members {
    let members: Box<[Member]> = children.iter().map(|child| Member::of(owner, child)).collect();
    let mask = members.iter().fold(0, |mask, member| mask | bit(member.name) | bit(member.companion));
    Members { mask, members }
}

/// The bit of a name in [`Members::mask`].
pub(super) const fn bit(name: NameId) -> u64 {
    if name.0 == NameId::NONE.0 { 0 } else { 1 << (name.0 & 63) }
}
