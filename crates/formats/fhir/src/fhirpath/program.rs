//! Compiled expressions: operations in the order in which a stack of collections takes them.
//!
//! An operation with a body (`where`, `and`…) stands before it; the body is the block of operations that
//! follows, and the operation says where it ends.

use std::sync::Arc;

use regex::Regex;

use super::ast::Binary;
use super::decimal::Decimal;
use super::error::ErrorKind;
use super::functions::Function;
use super::model::{TypeId, TypeTest};
use super::temporal::Temporal;
use super::value::Quantity;
use crate::definitions::{Child, TypeKind, types};
use crate::tape::NameId;

/// A compiled expression. Cheap to share between threads, expensive to make: keep it.
#[derive(Debug)]
pub struct Program {
    pub(super) text: Arc<str>,
    pub(super) ops: Box<[Op]>,
    /// For each operation, the character of the expression that it comes from.
    pub(super) places: Box<[u32]>,
}

impl Program {
    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Operations from the first to before the last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Block {
    pub(super) const NONE: Self = Self { start: 0, end: 0 };

    pub(super) const fn is_none(self) -> bool {
        self.start == self.end
    }
}

#[derive(Debug)]
pub(super) enum Op {
    /// Puts `{}`.
    Empty,
    Constant(Constant),
    /// Puts `$this`.
    This,
    Index,
    Total,
    Variable(Variable),
    /// Steps from each item to elements of it, all the way down for one item before the next.
    Walk(Vec<Step>),
    /// Keeps what is of that type: the `Patient` of `Patient.name`.
    Root(TypeId),
    /// `namespace` or `name` of what `type()` gave.
    Reflect {
        is_namespace: bool,
    },
    /// Takes arguments, then the input.
    Call(Function, u8),
    Where(Block),
    Select(Block),
    All(Block),
    Exists(Block),
    Repeat(Block),
    /// With `has_start`, the first total was put after the input.
    Aggregate {
        body: Block,
        has_start: bool,
    },
    Iif {
        criterion: Block,
        then: Block,
        otherwise: Block,
    },
    Sort(Box<[(Block, bool)]>, u32),
    /// The name was put after the input.
    Trace(Block),
    Coalesce(Box<[Block]>, u32),
    And(Block),
    Or(Block),
    Implies(Block),
    Binary(Binary),
    /// `left = constant`, or `!=` without `wanted`: the constant is compared where it is.
    Equals {
        constant: Constant,
        wanted: bool,
    },
    /// `left in ('a' | 'b')`: no collection is made of the texts.
    OneOf(Box<[Box<str>]>),
    /// Whether `$this` has such an element, or has none without `wanted`: nothing is collected.
    Has {
        steps: Vec<Step>,
        wanted: bool,
    },
    Negate,
    Plus,
    At,
    Is(TypeTest),
    /// With `is_single`, several items are an error.
    As {
        test: TypeTest,
        is_single: bool,
    },
    /// `resolve() is Patient`: what the reference says counts when it cannot be followed.
    ResolvesTo(TypeId),
    Matches {
        regex: Box<Regex>,
    },
    ReplaceMatches {
        regex: Box<Regex>,
    },
    Fail(ErrorKind),
}

#[derive(Debug)]
pub(super) enum Constant {
    Boolean(bool),
    Integer(i64),
    String(Box<str>),
    Decimal(Decimal),
    Temporal(Temporal),
    Quantity(Box<Quantity>),
}

#[derive(Debug)]
pub(super) enum Variable {
    Resource,
    RootResource,
    Context,
    Named(Box<str>),
}

/// One step down.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// From one type: the members that it may be.
    Known(Members),
    /// From any type that has it.
    Named(NameId),
}

/// The JSON members that an element may be.
#[derive(Debug, Clone)]
pub(super) struct Members {
    /// A bit for each name and companion, by the lowest six bits: what is not in it is none of them.
    pub(super) mask: u64,
    pub(super) members: Box<[Member]>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) name: NameId,
    /// [`NameId::NONE`] when it is no primitive.
    pub(super) companion: NameId,
    pub(super) kind: TypeId,
    /// The type is what `resourceType` says.
    pub(super) is_resource: bool,
}

impl Member {
    /// A member of that type. The id of a resource is an `id`, as the page of Resource has it (FHIR R4 §2.26.3);
    /// the StructureDefinition says `string`.
    pub(super) fn of(owner: TypeId, child: &Child) -> Self {
        let is_resource_id = child.name == NameId::ID && types().kind(owner) == TypeKind::Resource;
        let id = if is_resource_id { types().named("id") } else { None };
        let is_primitive = types().primitive(child.type_id).is_some();
        let companion = if is_primitive { child.name.companion() } else { None };
        Self {
            name: child.name,
            companion: companion.unwrap_or(NameId::NONE),
            kind: id.unwrap_or(child.type_id),
            is_resource: types().kind(child.type_id) == TypeKind::Resource,
        }
    }
}
