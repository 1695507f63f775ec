//! Runs programs: a stack of collections, and `$this`, `$index`, `$total` of each body.
//!
//! Order: evaluation, one operation after the other, then what pops and pushes, then operators. Operations with a
//! body are in `bodies.rs`.

use std::borrow::Cow;
use std::time::Instant;

use smallvec::SmallVec;

use super::ast::Binary;
use super::compare::{self, Seen};
use super::environment::Environment;
use super::error::{ErrorKind, FhirPathError, Result};
use super::model::{TypeId, TypeTest};
use super::navigate;
use super::program::{Block, Constant, Op, Program, Step, Variable};
use super::strings;
use super::temporal::Temporal;
use super::value::{Collection, Item, boolean, one, optional};
use crate::definitions::types;

impl Program {
    /// Evaluates the expression on one item.
    ///
    /// # Errors
    /// [`FhirPathError`] of the stage execution, with the character of the expression where it stopped.
    pub fn evaluate<'a>(&'a self, focus: &Item<'a>, environment: &Environment<'a>) -> Result<Collection<'a>> {
        let mut result = Collection::new();
        if let [Op::This, rest @ ..] = &*self.ops
            && let Some(steps) = simple_path(rest)
        {
            navigate::walk(focus, steps, &mut |item| result.push(item));
            return Ok(result);
        }
        let mut machine = Machine::new(self, environment, focus);
        let frame = Frame { this: Some(focus), index: 0, total: None };
        machine.run(machine.whole(), &frame)?;
        Ok(machine.pop())
    }

    /// Whether an invariant holds: what it gives is true, or one item that is no boolean. An empty result does
    /// not hold.
    ///
    /// # Errors
    /// As for [`Self::evaluate`].
    pub fn holds<'a>(&'a self, focus: &Item<'a>, environment: &Environment<'a>) -> Result<bool> {
        let result = self.evaluate(focus, environment)?;
        Ok(match result.as_slice() {
            [] => false,
            [item] => item.as_bool().unwrap_or(true),
            _ => true,
        })
    }
}

/// Nothing but steps down from the focus: no budget is needed, each node is seen at most once.
fn simple_path(rest: &[Op]) -> Option<&[Step]> {
    match rest {
        [] => Some(&[]),
        [Op::Walk(steps)] => Some(steps),
        _ => None,
    }
}

/// What a body sees.
#[derive(Clone, Copy)]
pub(super) struct Frame<'f, 'a> {
    pub(super) this: Option<&'f Item<'a>>,
    pub(super) index: usize,
    pub(super) total: Option<&'f Collection<'a>>,
}

pub(super) struct Machine<'a, 'e> {
    program: &'a Program,
    pub(super) environment: &'e Environment<'a>,
    focus: &'e Item<'a>,
    stack: SmallVec<[Collection<'a>; 4]>,
    steps: u64,
    started: Option<Instant>,
    now: Option<Temporal>,
    /// The operation that runs.
    pub(super) at: usize,
}

impl<'a, 'e> Machine<'a, 'e> {
    fn new(program: &'a Program, environment: &'e Environment<'a>, focus: &'e Item<'a>) -> Self {
        Self { program, environment, focus, stack: SmallVec::new(), steps: 0, started: None, now: None, at: 0 }
    }

    fn whole(&self) -> Block {
        Block { start: 0, end: u32::try_from(self.program.ops.len()).unwrap_or(u32::MAX) }
    }

    /// Runs a block. It leaves one collection more on the stack.
    pub(super) fn run(&mut self, block: Block, frame: &Frame<'_, 'a>) -> Result<()> {
        let program = self.program;
        let mut at = block.start as usize;
        while at < block.end as usize {
            self.at = at;
            let size = self.stack.last().map_or(0, SmallVec::len);
            self.spend(1 + size as u64)?;
            let Some(op) = program.ops.get(at) else { break };
            at = self.operation(op, at + 1, frame)?;
        }
        Ok(())
    }

    /// Runs a block and takes what it gives.
    pub(super) fn value(&mut self, block: Block, frame: &Frame<'_, 'a>) -> Result<Collection<'a>> {
        let at = self.at;
        self.run(block, frame)?;
        self.at = at;
        Ok(self.pop())
    }

    /// Runs one operation, and says which is next.
    fn operation(&mut self, op: &'a Op, next: usize, frame: &Frame<'_, 'a>) -> Result<usize> {
        match op {
            Op::Empty => self.push(Collection::new()),
            Op::Constant(constant) => self.push(one(item_of(constant))),
            Op::This => self.push(optional(frame.this.cloned())),
            Op::Index => self.push(one(Item::Integer(i64::try_from(frame.index).unwrap_or(i64::MAX)))),
            Op::Total => self.push(frame.total.cloned().unwrap_or_default()),
            Op::Variable(variable) => self.variable(variable),
            Op::Walk(steps) => self.walk(steps)?,
            Op::Root(kind) => self.keep(|item| item.type_of().is(*kind)),
            Op::Reflect { is_namespace } => self.reflect(*is_namespace),
            Op::Call(function, arguments) => self.call(*function, usize::from(*arguments))?,
            Op::Binary(operator) => self.binary(*operator)?,
            Op::Equals { constant, wanted } => self.equals(constant, *wanted)?,
            Op::OneOf(texts) => self.one_of(texts)?,
            Op::Has { steps, wanted } => self.has(steps, *wanted, frame),
            Op::Negate => self.negate()?,
            Op::Plus => self.number()?,
            Op::At => self.item_at()?,
            Op::Is(test) => self.is(*test)?,
            Op::As { test, is_single } => self.keep_type(*test, *is_single)?,
            Op::ResolvesTo(kind) => self.resolves_to(*kind)?,
            Op::Matches { regex } => {
                let result = self.text("matches")?.map(|text| Item::Boolean(regex.is_match(&text)));
                self.push(optional(result));
            }
            Op::ReplaceMatches { regex } => {
                let by = self.text("replaceMatches")?;
                let text = self.text("replaceMatches")?;
                let replaced =
                    text.zip(by).map(|(text, by)| regex.replace_all(&text, strings::replacement(&by)).into_owned());
                self.push(optional(replaced.map(Item::from)));
            }
            Op::Fail(kind) => return self.fail(kind.clone()),
            _ => return self.with_body(op, next, frame),
        }
        Ok(next)
    }

    fn with_body(&mut self, op: &'a Op, next: usize, frame: &Frame<'_, 'a>) -> Result<usize> {
        let after = |block: &Block| if block.is_none() { next } else { block.end as usize };
        match op {
            Op::And(block) | Op::Or(block) | Op::Implies(block) => {
                self.logic(op, *block, frame)?;
                Ok(after(block))
            }
            Op::Where(block) => self.filter(*block, frame).map(|()| after(block)),
            Op::Select(block) => self.select(*block, frame).map(|()| after(block)),
            Op::All(block) => self.all(*block, frame).map(|()| after(block)),
            Op::Exists(block) => self.exists(*block, frame).map(|()| after(block)),
            Op::Repeat(block) => self.repeat(*block, frame).map(|()| after(block)),
            Op::Trace(block) => self.trace(*block, frame).map(|()| after(block)),
            Op::Aggregate { body, has_start } => self.aggregate(*body, *has_start).map(|()| after(body)),
            Op::Iif { criterion, then, otherwise } => {
                self.iif(*criterion, *then, *otherwise, frame)?;
                Ok(if otherwise.is_none() { after(then) } else { after(otherwise) })
            }
            Op::Sort(keys, end) => self.sort(keys).map(|()| (*end as usize).max(next)),
            Op::Coalesce(blocks, end) => {
                self.pop();
                let mut result = Collection::new();
                for block in blocks {
                    result = self.value(*block, frame)?;
                    if !result.is_empty() {
                        break;
                    }
                }
                self.push(result);
                Ok(*end as usize)
            }
            _ => Ok(next),
        }
    }

    fn variable(&mut self, variable: &'a Variable) {
        let node = self.focus.node();
        let environment = self.environment;
        let found = |node: Option<crate::tape::Node<'a>>| optional(node.and_then(Item::resource));
        let value = match variable {
            Variable::Context => one(environment.context.as_ref().unwrap_or(self.focus).clone()),
            Variable::Resource => match &environment.resource {
                Some(item) => one(item.clone()),
                None => found(node.and_then(navigate::resource_of)),
            },
            Variable::RootResource => match environment.root_resource.as_ref().or(environment.resource.as_ref()) {
                Some(item) => one(item.clone()),
                None => found(node.and_then(navigate::container)),
            },
            Variable::Named(name) => {
                let known = environment.variables.iter().find(|(known, _)| **known == **name);
                known.map(|(_, value)| value.iter().cloned().collect()).unwrap_or_default()
            }
        };
        self.push(value);
    }

    fn walk(&mut self, steps: &'a [Step]) -> Result<()> {
        let input = self.pop();
        let mut result = Collection::new();
        for item in &input {
            navigate::walk(item, steps, &mut |item| result.push(item));
        }
        self.spend(result.len() as u64)?;
        self.push(result);
        Ok(())
    }

    /// As [`Binary::Equal`] on a collection of one.
    fn equals(&mut self, constant: &'a Constant, wanted: bool) -> Result<()> {
        let left = self.pop();
        self.spend(left.len() as u64)?;
        let equal = match left.as_slice() {
            [] => None,
            [item] => compare::equal(item, &item_of(constant)),
            _ => Some(false),
        };
        self.push(optional(equal.map(|equal| Item::Boolean(equal == wanted))));
        Ok(())
    }

    /// As [`Binary::In`] on a collection of these texts.
    fn one_of(&mut self, texts: &'a [Box<str>]) -> Result<()> {
        self.spend(texts.len() as u64)?;
        let is =
            |item: &Item<'a>, text: &'a str| compare::equal(item, &Item::String(Cow::Borrowed(text))) == Some(true);
        let result = self.single("in")?.map(|item| Item::Boolean(texts.iter().any(|text| is(&item, text))));
        self.push(optional(result));
        Ok(())
    }

    fn has(&mut self, steps: &[Step], wanted: bool, frame: &Frame<'_, 'a>) {
        let mut found = false;
        if let Some(this) = frame.this {
            navigate::walk(this, steps, &mut |_| found = true);
        }
        self.push(boolean(found == wanted));
    }

    fn keep(&mut self, accept: impl Fn(&Item<'a>) -> bool) {
        let mut items = self.pop();
        items.retain(|item| accept(item));
        self.push(items);
    }

    fn reflect(&mut self, is_namespace: bool) {
        let items = self.pop();
        let part = |item: &Item<'a>| match item {
            Item::Type(kind) => {
                let text = if is_namespace { kind.namespace() } else { kind.name() };
                Some(Item::String(Cow::Borrowed(text)))
            }
            _ => None,
        };
        self.push(items.iter().filter_map(part).collect());
    }

    fn is(&mut self, test: TypeTest) -> Result<()> {
        let result = self.single("is")?.map(|item| Item::Boolean(test.is(item.type_of())));
        let of_nothing = self.environment.decides.then_some(Item::Boolean(false));
        self.push(optional(result.or(of_nothing)));
        Ok(())
    }

    fn keep_type(&mut self, test: TypeTest, is_single: bool) -> Result<()> {
        if is_single && self.stack.last().is_some_and(|items| items.len() > 1) {
            return self.fail(ErrorKind::NotSingle("as"));
        }
        self.keep(|item| test.filters(item.type_of()));
        Ok(())
    }

    fn resolves_to(&mut self, kind: TypeId) -> Result<()> {
        let Some(item) = self.single("is")? else {
            self.push(Collection::new());
            return Ok(());
        };
        let resolved = self.resolve(&item).map(|element| element.type_id());
        let found = resolved.or_else(|| navigate::referenced_type(&item));
        self.push(optional(found.map(|found| Item::Boolean(types().is_subtype(found, kind)))));
        Ok(())
    }

    fn item_at(&mut self) -> Result<()> {
        let index = self.whole_number("[ ]")?;
        let mut items = self.pop();
        let place = index.and_then(|index| usize::try_from(index).ok()).filter(|place| *place < items.len());
        self.push(optional(place.map(|place| items.swap_remove(place))));
        Ok(())
    }
}

/// Taking from the stack.
impl<'a> Machine<'a, '_> {
    pub(super) fn push(&mut self, items: Collection<'a>) {
        self.stack.push(items);
    }

    pub(super) fn pop(&mut self) -> Collection<'a> {
        self.stack.pop().unwrap_or_default()
    }

    /// At most one item.
    pub(super) fn single(&mut self, what: &'static str) -> Result<Option<Item<'a>>> {
        let mut items = self.pop();
        if items.len() > 1 {
            return self.fail(ErrorKind::NotSingle(what));
        }
        Ok(items.pop())
    }

    /// One item as a boolean; one that is no boolean is true (FHIRPath 2.0 §4.5).
    pub(super) fn truth(&mut self, what: &'static str) -> Result<Option<bool>> {
        let item = self.single(what)?;
        Ok(item.map(|item| item.as_bool().unwrap_or(true)))
    }

    /// One item as a text.
    pub(super) fn text(&mut self, what: &'static str) -> Result<Option<Cow<'a, str>>> {
        let Some(item) = self.single(what)? else { return Ok(None) };
        match item.as_text() {
            Some(text) => Ok(Some(text)),
            None if item.node().is_some() && super::model::Type::system(item.type_of()).is_some() => Ok(None),
            None => self.fail(ErrorKind::Operands(what)),
        }
    }

    /// One item as a whole number.
    pub(super) fn whole_number(&mut self, what: &'static str) -> Result<Option<i64>> {
        let Some(item) = self.single(what)? else { return Ok(None) };
        match compare::value(&item) {
            Some(Item::Integer(value)) => Ok(Some(value)),
            _ => self.fail(ErrorKind::Operands(what)),
        }
    }

    pub(super) fn fail<T>(&self, kind: ErrorKind) -> Result<T> {
        Err(FhirPathError::new(kind, self.program.places.get(self.at).copied().unwrap_or_default()))
    }

    /// Counts steps, and looks at the clock now and then.
    pub(super) fn spend(&mut self, steps: u64) -> Result<()> {
        const GLANCE: u64 = 1024;
        let before = self.steps / GLANCE;
        self.steps = self.steps.saturating_add(steps);
        if self.steps / GLANCE != before {
            self.check_budget()?;
        }
        if self.steps > self.environment.budget.steps {
            return self.fail(ErrorKind::StepBudget);
        }
        Ok(())
    }

    /// Counts a text before it is made: eight bytes are a step.
    pub(super) fn spend_text(&mut self, bytes: usize) -> Result<()> {
        self.spend(bytes as u64 / 8)
    }

    fn check_budget(&mut self) -> Result<()> {
        let Some(limit) = self.environment.budget.time else { return Ok(()) };
        let started = *self.started.get_or_insert_with(Instant::now);
        if started.elapsed() > limit { self.fail(ErrorKind::TimeBudget) } else { Ok(()) }
    }

    /// One moment for the whole evaluation.
    pub(super) fn now(&mut self) -> Temporal {
        let environment = self.environment;
        *self.now.get_or_insert_with(|| match &environment.now {
            Some(now) => Temporal::of_moment(*now),
            None => Temporal::of_moment(jiff::Timestamp::now()),
        })
    }

    pub(super) fn binary(&mut self, operator: Binary) -> Result<()> {
        match operator {
            Binary::Union => self.union(),
            Binary::Equal | Binary::NotEqual => {
                let (right, left) = (self.pop(), self.pop());
                self.spend(left.len() as u64)?;
                let wanted = operator == Binary::Equal;
                let result = compare::all_equal(&left, &right).map(|equal| Item::Boolean(equal == wanted));
                self.push(optional(result));
                Ok(())
            }
            Binary::Equivalent | Binary::NotEquivalent => {
                let (right, left) = (self.pop(), self.pop());
                self.spend((left.len() as u64).saturating_mul(right.len() as u64))?;
                self.push(boolean(compare::all_equivalent(&left, &right) == (operator == Binary::Equivalent)));
                Ok(())
            }
            Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => self.inequality(operator),
            Binary::In => {
                let items = self.pop();
                self.membership(&items, "in")
            }
            Binary::Contains => {
                let item = self.pop();
                let items = self.pop();
                self.push(item);
                self.membership(&items, "contains")
            }
            Binary::Xor => {
                let (right, left) = (self.truth("xor")?, self.truth("xor")?);
                self.push(optional(left.zip(right).map(|(left, right)| Item::Boolean(left != right))));
                Ok(())
            }
            Binary::Concatenate => {
                let (right, left) = (self.text("&")?, self.text("&")?);
                let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
                self.spend_text(left.len() + right.len())?;
                self.push(one(Item::from(format!("{left}{right}"))));
                Ok(())
            }
            _ => self.arithmetic(operator),
        }
    }

    fn inequality(&mut self, operator: Binary) -> Result<()> {
        let (right, left) = (self.single(operator.text())?, self.single(operator.text())?);
        let (Some(left), Some(right)) = (left, right) else {
            self.push(Collection::new());
            return Ok(());
        };
        let result = match compare::order(&left, &right) {
            Ok(order) => Some(match operator {
                Binary::Less => order.is_lt(),
                Binary::LessOrEqual => order.is_le(),
                Binary::Greater => order.is_gt(),
                _ => order.is_ge(),
            }),
            Err(compare::NoOrder::Open) => None,
            Err(compare::NoOrder::Types) if has_no_value(&left) || has_no_value(&right) => None,
            Err(compare::NoOrder::Types) => return self.fail(ErrorKind::Operands(operator.text())),
        };
        self.push(optional(result.map(Item::Boolean)));
        Ok(())
    }

    /// The item that is on the stack is one of these.
    fn membership(&mut self, items: &Collection<'a>, what: &'static str) -> Result<()> {
        self.spend(items.len() as u64)?;
        let result = self
            .single(what)?
            .map(|item| Item::Boolean(items.iter().any(|other| compare::equal(&item, other) == Some(true))));
        self.push(optional(result));
        Ok(())
    }

    fn union(&mut self) -> Result<()> {
        let (right, left) = (self.pop(), self.pop());
        self.spend((left.len() + right.len()) as u64)?;
        let result = self.distinct(left.into_iter().chain(right))?;
        self.push(result);
        Ok(())
    }

    /// Each item once.
    pub(super) fn distinct(&mut self, items: impl Iterator<Item = Item<'a>>) -> Result<Collection<'a>> {
        let (mut result, mut seen) = (Collection::new(), None::<Seen<'a>>);
        for item in items {
            match &mut seen {
                None if result.len() < 8 => {
                    if !result.iter().any(|other| compare::equal(other, &item) == Some(true)) {
                        result.push(item);
                    }
                }
                None => {
                    let mut table = Seen::default();
                    for item in &result {
                        table.is_new(item);
                    }
                    if table.is_new(&item) {
                        result.push(item);
                    }
                    seen = Some(table);
                }
                Some(table) => {
                    let is_new = table.is_new(&item);
                    let cost = table.cost();
                    if is_new {
                        result.push(item);
                    }
                    self.spend(cost)?;
                }
            }
        }
        Ok(result)
    }
}

/// A primitive of a document that has only an id or extensions, or text that is not of its type: the validator
/// says so, and a comparison has no answer.
fn has_no_value(item: &Item<'_>) -> bool {
    item.node().is_some() && item.type_of().system().is_some() && compare::value(item).is_none()
}

fn item_of(constant: &Constant) -> Item<'_> {
    match constant {
        Constant::Boolean(value) => Item::Boolean(*value),
        Constant::Integer(value) => Item::Integer(*value),
        Constant::String(text) => Item::String(Cow::Borrowed(text)),
        Constant::Decimal(value) => Item::from(*value),
        Constant::Temporal(value) => Item::Temporal(*value),
        Constant::Quantity(quantity) => Item::Quantity(quantity.clone()),
    }
}

impl super::model::Type {
    /// It is that FHIR type, or one made from it.
    fn is(self, kind: TypeId) -> bool {
        matches!(self, Self::Fhir(id) if types().is_subtype(id, kind))
    }
}
