//! Functions whose arguments are bodies, evaluated for each item, or types.

use super::ast::{Expr, Node, TypeName};
use super::compile::{Compiler, Scope};
use super::error::{ErrorKind, FhirPathError, Result};
use super::functions::{Function, Special};
use super::model::{System, TypeTest};
use super::program::{Block, Op};
use super::typing::Static;
use crate::definitions::{TypeKind, types};

impl Compiler<'_> {
    pub(super) fn special(
        &mut self,
        special: Special,
        on: &Static,
        arguments: &[Expr],
        at: u32,
        scope: &Scope,
    ) -> Result<Static> {
        let first = arguments.first();
        match special {
            Special::Where => self.body(Op::Where, on, first, at).map(|_| on.clone()),
            Special::Select => {
                let kind = self.body(Op::Select, on, first, at)?;
                Ok(Static { many: on.many || kind.many, ordered: on.ordered && kind.ordered, ..kind })
            }
            Special::All => self.body(Op::All, on, first, at).map(|_| Static::system(System::Boolean)),
            Special::Exists => self.body(Op::Exists, on, first, at).map(|_| Static::system(System::Boolean)),
            Special::Repeat => self.repeat(on, first, at),
            Special::Aggregate => self.aggregate(on, arguments, at, scope),
            Special::Iif => self.iif(on, arguments, at, scope),
            Special::Sort => self.sort(on, arguments, at),
            Special::Trace => self.trace(on, arguments, at, scope),
            Special::Coalesce => self.coalesce(arguments, at, scope),
            Special::Is | Special::As | Special::OfType => {
                let specifier =
                    first.and_then(type_name).ok_or(FhirPathError::new(ErrorKind::Expected("a type"), at))?;
                match special {
                    Special::Is => self.is(&specifier, at),
                    // FHIRPath wants one item before as(); R4 itself writes it after descendants() (dom-3).
                    Special::As => self.keep_type(on, &specifier, on.ordered && on.types.is_some(), at),
                    _ => self.keep_type(on, &specifier, false, at),
                }
            }
        }
    }

    fn body(&mut self, make: fn(Block) -> Op, on: &Static, body: Option<&Expr>, at: u32) -> Result<Static> {
        let place = self.ops.len();
        self.put(make(Block::NONE), at);
        let Some(body) = body else { return Ok(Static::any()) };
        let (block, kind) = self.block(body, &Scope { this: on.clone().single() })?;
        self.ops[place] = make(block);
        Ok(kind)
    }

    /// The body is evaluated on what it gives, too: it is compiled for the types of both.
    fn repeat(&mut self, on: &Static, body: Option<&Expr>, at: u32) -> Result<Static> {
        let (ops, barrier) = (self.ops.len(), self.barrier);
        let first = self.body(Op::Repeat, on, body, at)?;
        self.ops.truncate(ops);
        self.places.truncate(ops);
        self.barrier = barrier;
        let kind = self.body(Op::Repeat, &on.with(&first), body, at)?;
        Ok(Static { ordered: on.ordered && kind.ordered, ..kind.many() })
    }

    fn aggregate(&mut self, on: &Static, arguments: &[Expr], at: u32, scope: &Scope) -> Result<Static> {
        let has_start = arguments.len() > 1;
        if let Some(start) = arguments.get(1) {
            self.expr(start, scope)?;
        }
        let place = self.ops.len();
        self.put(Op::Aggregate { body: Block::NONE, has_start }, at);
        if let Some(body) = arguments.first() {
            let (body, _) = self.block(body, &Scope { this: on.clone().single() })?;
            self.ops[place] = Op::Aggregate { body, has_start };
        }
        Ok(Static::any())
    }

    fn iif(&mut self, on: &Static, arguments: &[Expr], at: u32, scope: &Scope) -> Result<Static> {
        let this = if on.types.as_ref().is_some_and(|types| types.is_empty()) { &scope.this } else { on };
        let inner = Scope { this: this.clone().single() };
        let place = self.ops.len();
        self.put(Op::Iif { criterion: Block::NONE, then: Block::NONE, otherwise: Block::NONE }, at);
        let (Some(criterion), Some(then)) = (arguments.first(), arguments.get(1)) else { return Ok(Static::any()) };
        let (criterion, kind) = self.block(criterion, &inner)?;
        let is_never = kind.is_never(|kind| kind.system() == Some(System::Boolean));
        if is_never {
            return Err(FhirPathError::new(ErrorKind::Types { operation: "iif" }, at));
        }
        let (then, mut result) = self.block(then, &inner)?;
        let mut otherwise = Block::NONE;
        if let Some(expr) = arguments.get(2) {
            let (block, kind) = self.block(expr, &inner)?;
            otherwise = block;
            result = Static { many: result.many || kind.many, ..result.with(&kind) };
        }
        self.ops[place] = Op::Iif { criterion, then, otherwise };
        Ok(result)
    }

    /// A key with a minus in front sorts downward, whatever its type.
    fn sort(&mut self, on: &Static, arguments: &[Expr], at: u32) -> Result<Static> {
        let place = self.ops.len();
        self.put(Op::Sort(Box::default(), 0), at);
        let inner = Scope { this: on.clone().single() };
        let mut keys = Vec::new();
        for argument in arguments {
            let (key, is_down) = match &argument.node {
                Node::Polarity { is_minus: true, operand } => (&**operand, true),
                _ => (argument, false),
            };
            keys.push((self.block(key, &inner)?.0, is_down));
        }
        self.ops[place] = Op::Sort(keys.into(), self.here());
        Ok(Static { ordered: true, ..on.clone() })
    }

    fn trace(&mut self, on: &Static, arguments: &[Expr], at: u32, scope: &Scope) -> Result<Static> {
        if let Some(name) = arguments.first() {
            self.expr(name, scope)?;
        }
        self.body(Op::Trace, on, arguments.get(1), at)?;
        self.barrier = self.ops.len();
        Ok(on.clone())
    }

    fn coalesce(&mut self, arguments: &[Expr], at: u32, scope: &Scope) -> Result<Static> {
        let place = self.ops.len();
        self.put(Op::Coalesce(Box::default(), 0), at);
        let mut blocks = Vec::new();
        let mut result = Static::empty();
        for argument in arguments {
            let (block, kind) = self.block(argument, scope)?;
            blocks.push(block);
            result = result.with(&kind);
        }
        self.ops[place] = Op::Coalesce(blocks.into(), self.here());
        Ok(result)
    }

    pub(super) fn is(&mut self, specifier: &TypeName, at: u32) -> Result<Static> {
        match TypeTest::named(specifier.namespace.as_deref(), &specifier.name) {
            Some(test) => self.put_is(test, at),
            None => self.put(Op::Fail(ErrorKind::UnknownType(specifier.name.clone())), at),
        }
        Ok(Static::system(System::Boolean))
    }

    fn put_is(&mut self, test: TypeTest, at: u32) {
        let follows_reference = self.ops.len() > self.barrier
            && matches!(self.ops.last(), Some(Op::Call(Function::Resolve, _)))
            && test.fhir.is_some_and(|kind| types().kind(kind) == TypeKind::Resource);
        match test.fhir.filter(|_| follows_reference) {
            Some(kind) => {
                self.ops.pop();
                self.places.pop();
                self.put(Op::ResolvesTo(kind), at);
            }
            None => self.put(Op::Is(test), at),
        }
    }

    pub(super) fn keep_type(&mut self, on: &Static, specifier: &TypeName, is_single: bool, at: u32) -> Result<Static> {
        let Some(test) = TypeTest::named(specifier.namespace.as_deref(), &specifier.name) else {
            self.put(Op::Fail(ErrorKind::UnknownType(specifier.name.clone())), at);
            return Ok(Static::any());
        };
        self.put(Op::As { test, is_single }, at);
        Ok(on.filtered(test))
    }
}

/// `Patient`, `FHIR.Patient` as an argument.
fn type_name(expr: &Expr) -> Option<TypeName> {
    match &expr.node {
        Node::Member { base: None, name } => Some(TypeName { namespace: None, name: name.clone() }),
        Node::Member { base: Some(base), name } => match &base.node {
            Node::Member { base: None, name: namespace } => {
                Some(TypeName { namespace: Some(namespace.clone()), name: name.clone() })
            }
            _ => None,
        },
        _ => None,
    }
}
