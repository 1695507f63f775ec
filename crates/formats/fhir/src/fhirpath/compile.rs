//! Expressions to programs: names become numbers, types are checked, constants are made ready.
//!
//! An error that the data could still avoid (a text where a number is wanted) is left to the evaluation, as the
//! R4 test suite has it; an element that a type does not have is an error here.
//!
//! Order: options, the compiler, paths, functions, operators. Functions with bodies or types are in `special.rs`.

use std::sync::Arc;

use regex::Regex;

use super::ast::{Binary, Expr, Literal, Node, Unit};
use super::error::{ErrorKind, FhirPathError, Result};
use super::functions::{Callable, Function, Signature, Takes, find};
use super::model::{System, Type, TypeId};
use super::parser::parse;
use super::program::{Block, Constant, Op, Program, Step, Variable};
use super::strings::regex as make_regex;
use super::typing::Static;
use super::value::{Quantity, QuantityUnit};
use crate::definitions::{TypeKind, types};
use crate::tape::NameId;

/// How to compile an expression.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    context: Option<TypeId>,
    /// The other types of a choice.
    more: &'a [TypeId],
    is_strict: bool,
    is_lenient: bool,
    variables: &'a [&'a str],
}

impl<'a> Options<'a> {
    /// For an expression that is evaluated on items of that type.
    #[must_use]
    pub const fn on(context: TypeId) -> Self {
        Self { context: Some(context), more: &[], is_strict: false, is_lenient: false, variables: &[] }
    }

    /// For an expression that is evaluated on items of any of these types, such as an invariant of a choice.
    #[must_use]
    pub const fn on_any(contexts: &'a [TypeId]) -> Self {
        let (context, more) = match contexts {
            [] => (None, contexts),
            [first, more @ ..] => (Some(*first), more),
        };
        Self { context, more, is_strict: false, is_lenient: false, variables: &[] }
    }

    /// An element that the type does not have is nothing, not an error: for published definitions that are wrong
    /// and still have to be lived with.
    #[must_use]
    pub const fn lenient(self) -> Self {
        Self { is_lenient: true, ..self }
    }

    /// An expression about another type than its context is an error, not an empty result; and so is a function
    /// that needs an order on a collection that has none.
    #[must_use]
    pub const fn strict(self) -> Self {
        Self { is_strict: true, ..self }
    }

    /// External constants that [`super::Environment::with_variable`] will define, beside those of FHIR.
    #[must_use]
    pub const fn with_variables(self, variables: &'a [&'a str]) -> Self {
        Self { variables, ..self }
    }
}

/// Compiles an expression.
///
/// # Errors
/// [`FhirPathError`] of the stages syntax and semantic, with the character where it is.
pub fn compile(text: &str, options: &Options<'_>) -> Result<Program> {
    let expr = parse(text)?;
    let mut compiler = Compiler { options, ops: Vec::new(), places: Vec::new(), barrier: 0 };
    let this = options.this();
    compiler.expr(&expr, &Scope { this })?;
    Ok(Program { text: Arc::from(text), ops: compiler.ops.into(), places: compiler.places.into() })
}

impl Options<'_> {
    /// What the focus is.
    fn this(&self) -> Static {
        let first = self.context.map_or_else(Static::any, Static::fhir);
        self.more.iter().fold(first, |all, kind| all.with(&Static::fhir(*kind))).single()
    }
}

pub(super) struct Compiler<'o> {
    pub(super) options: &'o Options<'o>,
    pub(super) ops: Vec<Op>,
    pub(super) places: Vec<u32>,
    /// No operation before this one may be extended: it ends a block.
    pub(super) barrier: usize,
}

/// What `$this` is.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) this: Static,
}

impl Compiler<'_> {
    pub(super) fn expr(&mut self, expr: &Expr, scope: &Scope) -> Result<Static> {
        match &expr.node {
            Node::Empty => {
                self.put(Op::Empty, expr.at);
                Ok(Static::empty())
            }
            Node::Literal(literal) => Ok(self.literal(literal, expr.at)),
            Node::This => {
                self.put(Op::This, expr.at);
                Ok(scope.this.clone())
            }
            Node::Index => {
                self.put(Op::Index, expr.at);
                Ok(Static::system(System::Integer))
            }
            Node::Total => {
                self.put(Op::Total, expr.at);
                Ok(Static::any())
            }
            Node::External(name) => self.external(name, expr.at),
            Node::Member { base: None, name } => self.first_name(name, expr.at, scope),
            Node::Member { base: Some(base), name } => {
                let on = self.expr(base, scope)?;
                self.member(&on, name, expr.at)
            }
            Node::Call { base, name, arguments } => self.call(base.as_deref(), name, arguments, expr.at, scope),
            Node::Indexer { base, index } => {
                let on = self.expr(base, scope)?;
                self.expr(index, scope)?;
                self.put(Op::At, expr.at);
                Ok(on.single())
            }
            Node::Polarity { is_minus, operand } => {
                let on = self.expr(operand, scope)?;
                self.put(if *is_minus { Op::Negate } else { Op::Plus }, expr.at);
                Ok(on)
            }
            Node::Binary { .. } => self.operators(expr, scope),
            Node::Type { is_test, operand, specifier } => {
                let on = self.expr(operand, scope)?;
                if *is_test { self.is(specifier, expr.at) } else { self.keep_type(&on, specifier, false, expr.at) }
            }
        }
    }

    fn literal(&mut self, literal: &Literal, at: u32) -> Static {
        let (constant, system) = match literal {
            Literal::Boolean(value) => (Constant::Boolean(*value), System::Boolean),
            Literal::String(text) => (Constant::String(text.clone()), System::String),
            Literal::Integer(value) => (Constant::Integer(*value), System::Integer),
            Literal::Decimal(value) => (Constant::Decimal(*value), System::Decimal),
            Literal::Temporal(value) => {
                let kind = super::Item::Temporal(*value).type_of();
                (Constant::Temporal(*value), kind.system().unwrap_or(System::Any))
            }
            Literal::Quantity(value, unit) => {
                let unit = match unit {
                    Unit::Calendar(unit) => QuantityUnit::Calendar(*unit),
                    Unit::Code(code) => QuantityUnit::of_code(code),
                };
                (Constant::Quantity(Box::new(Quantity { value: *value, unit })), System::Quantity)
            }
            Literal::TimeWithZone => {
                self.put(Op::Fail(ErrorKind::TimeZone), at);
                return Static::system(System::Time);
            }
        };
        self.put(Op::Constant(constant), at);
        Static::system(system)
    }

    fn external(&mut self, name: &str, at: u32) -> Result<Static> {
        let constant = match name {
            "ucum" => Some("http://unitsofmeasure.org".to_owned()),
            "sct" => Some("http://snomed.info/sct".to_owned()),
            "loinc" => Some("http://loinc.org".to_owned()),
            _ => match name.split_once('-') {
                Some(("vs", id)) => Some(format!("http://hl7.org/fhir/ValueSet/{id}")),
                Some(("ext", id)) => Some(format!("http://hl7.org/fhir/StructureDefinition/{id}")),
                _ => None,
            },
        };
        if let Some(text) = constant {
            self.put(Op::Constant(Constant::String(text.into())), at);
            return Ok(Static::system(System::String));
        }
        let (variable, kind) = match name {
            "resource" => (Variable::Resource, Static::any().single()),
            "rootResource" => (Variable::RootResource, Static::any().single()),
            "context" => (Variable::Context, self.options.this()),
            _ if self.options.variables.contains(&name) => (Variable::Named(name.into()), Static::any()),
            _ => return Err(FhirPathError::new(ErrorKind::UnknownVariable(name.into()), at)),
        };
        self.put(Op::Variable(variable), at);
        Ok(kind)
    }

    /// A name that nothing stands before: an element of `$this`, or the type that `$this` must be.
    fn first_name(&mut self, name: &str, at: u32, scope: &Scope) -> Result<Static> {
        let starts_upper = name.starts_with(|sign: char| sign.is_ascii_uppercase());
        if let Some(kind) = types().named(name).filter(|_| starts_upper)
            && matches!(types().kind(kind), TypeKind::Resource | TypeKind::Complex)
        {
            return self.root(kind, at, scope);
        }
        self.put(Op::This, at);
        self.member(&scope.this, name, at)
    }

    fn root(&mut self, kind: TypeId, at: u32, scope: &Scope) -> Result<Static> {
        let is_sub = |one: Type, of: TypeId| matches!(one, Type::Fhir(id) if types().is_subtype(id, of));
        let is_super = |one: Type| matches!(one, Type::Fhir(id) if types().is_subtype(kind, id));
        if scope.this.is_never(|one| is_sub(one, kind) || is_super(one)) {
            if self.options.is_strict {
                let context = scope.this.types.iter().flatten().next().map_or("", |kind| kind.name());
                let kind = ErrorKind::WrongContext { named: types().name(kind).into(), context: context.into() };
                return Err(FhirPathError::new(kind, at));
            }
            self.put(Op::Empty, at);
            return Ok(Static::empty());
        }
        self.put(Op::This, at);
        let is_sure = scope.this.types.as_ref().is_some_and(|known| known.iter().all(|one| is_sub(*one, kind)));
        if is_sure {
            return Ok(scope.this.clone());
        }
        self.put(Op::Root(kind), at);
        Ok(Static::fhir(kind))
    }

    fn member(&mut self, on: &Static, name: &str, at: u32) -> Result<Static> {
        let is_type_info = on.types.as_deref() == Some(&[Type::System(System::Any)]);
        if is_type_info && matches!(name, "namespace" | "name") {
            self.put(Op::Reflect { is_namespace: name == "namespace" }, at);
            return Ok(Static { many: on.many, ..Static::system(System::String) });
        }
        let (step, there) = match on.step(name) {
            Ok(found) => found,
            Err(_) if self.options.is_lenient => (Step::Named(NameId::NONE), Static::empty()),
            Err(kind) => return Err(FhirPathError::new(kind, at)),
        };
        self.step(step, at);
        Ok(there)
    }

    /// One more step, in the same walk when nothing comes between.
    fn step(&mut self, step: Step, at: u32) {
        if self.ops.len() > self.barrier
            && let Some(Op::Walk(steps)) = self.ops.last_mut()
        {
            steps.push(step);
            return;
        }
        self.put(Op::Walk(vec![step]), at);
    }

    fn call(&mut self, base: Option<&Expr>, name: &str, arguments: &[Expr], at: u32, scope: &Scope) -> Result<Static> {
        let Some(signature) = find(name, arguments.len()) else {
            return Err(FhirPathError::new(ErrorKind::UnknownFunction(name.into()), at));
        };
        let (least, most) = signature.arguments;
        if !(usize::from(least)..=usize::from(most)).contains(&arguments.len()) {
            let kind = ErrorKind::Arguments { function: signature.name, takes: signature.arguments };
            return Err(FhirPathError::new(kind, at));
        }
        let on = match base {
            Some(base) => self.expr(base, scope)?,
            None => {
                self.put(Op::This, at);
                scope.this.clone()
            }
        };
        match signature.callable {
            Callable::Plain(function) => self.plain(function, signature, &on, arguments, at, scope),
            Callable::Special(special) => self.special(special, &on, arguments, at, scope),
        }
    }

    fn plain(
        &mut self,
        function: Function,
        signature: &Signature,
        on: &Static,
        arguments: &[Expr],
        at: u32,
        scope: &Scope,
    ) -> Result<Static> {
        let operation = signature.name;
        let is_text = |kind: Type| kind.system().is_some_and(|system| system != System::Quantity);
        if signature.takes == Takes::Text && on.is_never(is_text) {
            return Err(FhirPathError::new(ErrorKind::Types { operation }, at));
        }
        if signature.takes == Takes::Order && self.options.is_strict && on.many && !on.ordered {
            return Err(FhirPathError::new(ErrorKind::Unordered(operation), at));
        }
        let start = self.ops.len();
        let mut first = None;
        for argument in arguments {
            let kind = self.expr(argument, scope)?;
            first.get_or_insert(kind);
        }
        let given = on.given(function, signature.gives, first.as_ref());
        if let Some(op) = self.constant_regex(function, start, arguments.len()) {
            self.put(op, at);
            return Ok(given);
        }
        if let (Function::Empty | Function::Exists, []) = (function, arguments)
            && let Some(steps) = self.steps_from_this()
        {
            self.put(Op::Has { steps, wanted: function == Function::Exists }, at);
            return Ok(given);
        }
        let count = u8::try_from(arguments.len()).unwrap_or(u8::MAX);
        self.put(Op::Call(function, count), at);
        Ok(given)
    }

    /// Takes back the operations just put, when they are steps down from `$this`.
    fn steps_from_this(&mut self) -> Option<Vec<Step>> {
        let start = self.ops.len().checked_sub(2).filter(|start| *start >= self.barrier)?;
        if !matches!(self.ops.get(start..), Some([Op::This, Op::Walk(_)])) {
            return None;
        }
        let Some(Op::Walk(steps)) = self.ops.pop() else { return None };
        self.ops.truncate(start);
        self.places.truncate(start);
        Some(steps)
    }

    /// A regular expression that is written in the text is made once. One that is wrong is an error where it
    /// is evaluated.
    fn constant_regex(&mut self, function: Function, start: usize, arguments: usize) -> Option<Op> {
        let is_whole = match (function, arguments) {
            (Function::Matches, 1) | (Function::ReplaceMatches, 2) => false,
            (Function::MatchesFull, 1) => true,
            _ => return None,
        };
        let Some(Op::Constant(Constant::String(text))) = self.ops.get(start) else { return None };
        if function == Function::ReplaceMatches && text.is_empty() {
            return None;
        }
        let regex: Box<Regex> = Box::new(make_regex(text, is_whole, "").ok()?);
        self.ops.remove(start);
        self.places.remove(start);
        self.shift_blocks(start);
        self.barrier = self.ops.len();
        Some(if function == Function::ReplaceMatches { Op::ReplaceMatches { regex } } else { Op::Matches { regex } })
    }

    /// The operations from `start` on moved down by one: their blocks did so too.
    fn shift_blocks(&mut self, start: usize) {
        let down = |block: &mut Block| {
            if !block.is_none() {
                block.start -= 1;
                block.end -= 1;
            }
        };
        for op in self.ops.iter_mut().skip(start) {
            match op {
                Op::Where(block)
                | Op::Select(block)
                | Op::All(block)
                | Op::Exists(block)
                | Op::Repeat(block)
                | Op::Trace(block)
                | Op::And(block)
                | Op::Or(block)
                | Op::Implies(block)
                | Op::Aggregate { body: block, .. } => down(block),
                Op::Iif { criterion, then, otherwise } => [criterion, then, otherwise].into_iter().for_each(down),
                Op::Sort(keys, end) => {
                    keys.iter_mut().for_each(|(block, _)| down(block));
                    *end -= 1;
                }
                Op::Coalesce(blocks, end) => {
                    blocks.iter_mut().for_each(down);
                    *end -= 1;
                }
                _ => {}
            }
        }
    }

    pub(super) fn put(&mut self, op: Op, at: u32) {
        self.ops.push(op);
        self.places.push(at);
    }

    pub(super) fn here(&self) -> u32 {
        u32::try_from(self.ops.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn block(&mut self, expr: &Expr, scope: &Scope) -> Result<(Block, Static)> {
        self.barrier = self.ops.len();
        let start = self.here();
        let kind = self.expr(expr, scope)?;
        self.barrier = self.ops.len();
        Ok((Block { start, end: self.here() }, kind))
    }
}

/// Operators.
impl Compiler<'_> {
    /// Operators in a row are taken from the first on, without going down into each left side.
    fn operators(&mut self, expr: &Expr, scope: &Scope) -> Result<Static> {
        let mut row = Vec::new();
        let mut first = expr;
        while let Node::Binary { operator, left, right } = &first.node {
            row.push((*operator, &**right, first.at));
            first = left;
        }
        let mut kind = self.expr(first, scope)?;
        for (operator, right, at) in row.into_iter().rev() {
            kind = self.operator(operator, &kind, right, at, scope)?;
        }
        Ok(kind)
    }

    fn operator(&mut self, operator: Binary, left: &Static, right: &Expr, at: u32, scope: &Scope) -> Result<Static> {
        let make: fn(Block) -> Op = match operator {
            Binary::And => Op::And,
            Binary::Or => Op::Or,
            Binary::Implies => Op::Implies,
            _ => return self.eager(operator, left, right, at, scope),
        };
        let place = self.ops.len();
        self.put(make(Block::NONE), at);
        let (block, _) = self.block(right, scope)?;
        self.ops[place] = make(block);
        Ok(Static::system(System::Boolean))
    }

    fn eager(&mut self, operator: Binary, left: &Static, right: &Expr, at: u32, scope: &Scope) -> Result<Static> {
        let start = self.ops.len();
        let right = self.expr(right, scope)?;
        let op = self.with_constants(operator, start).unwrap_or(Op::Binary(operator));
        self.put(op, at);
        match operator {
            Binary::Union => Ok(left.with(&right)),
            Binary::Concatenate => Ok(Static::system(System::String)),
            Binary::Plus | Binary::Minus | Binary::Times | Binary::Over | Binary::Div | Binary::Mod => {
                check_sum(operator, left, &right).map_err(|kind| FhirPathError::new(kind, at))?;
                Ok(arithmetic(operator, left, &right))
            }
            _ => Ok(Static::system(System::Boolean)),
        }
    }

    /// An operator whose right side is written out: the operations of that side, which begin at `start`, go
    /// into it. Invariants ask little else of codes, for each element of each document.
    fn with_constants(&mut self, operator: Binary, start: usize) -> Option<Op> {
        let right = self.ops.get(start..)?;
        let op = match (operator, right) {
            (Binary::Equal | Binary::NotEqual, [Op::Constant(_)]) => {
                let Some(Op::Constant(constant)) = self.ops.pop() else { return None };
                Op::Equals { constant, wanted: operator == Binary::Equal }
            }
            (Binary::In, [Op::Constant(_), ..]) => {
                let texts = right.iter().filter(|op| !matches!(op, Op::Binary(Binary::Union)));
                let texts = texts.map(|op| match op {
                    Op::Constant(Constant::String(text)) => Some(text.clone()),
                    _ => None,
                });
                Op::OneOf(texts.collect::<Option<_>>()?)
            }
            _ => return None,
        };
        self.ops.truncate(start);
        self.places.truncate(start);
        Some(op)
    }
}

/// A date moves by a quantity, never by a number.
fn check_sum(operator: Binary, left: &Static, right: &Static) -> std::result::Result<(), ErrorKind> {
    let is_date = |kind: Type| matches!(kind.system(), Some(System::Date | System::DateTime | System::Time));
    let is_only_date = !left.is_never(is_date) && left.is_never(|kind| !is_date(kind)) && left.types.is_some();
    let is_no_quantity = right.is_never(|kind| kind.system() == Some(System::Quantity));
    let is_number = !right.is_never(|kind| matches!(kind.system(), Some(System::Integer | System::Decimal)));
    if is_only_date && is_no_quantity && is_number {
        return Err(ErrorKind::Types { operation: operator.text() });
    }
    Ok(())
}

fn arithmetic(operator: Binary, left: &Static, right: &Static) -> Static {
    let sum = left.with(right);
    let types = sum.types.map(|types| {
        let systems = types.iter().filter_map(|kind| kind.system()).map(Type::System);
        let decimal = (operator == Binary::Over).then_some(Type::System(System::Decimal));
        systems.chain(decimal).collect()
    });
    Static { types, many: false, ordered: true }
}
