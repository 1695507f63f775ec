//! Running expressions. A condition stops at the first item that decides it; sequences are made only when asked for.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::ast::{
    Axis, AxisStep, Comparison, Expr, Function, Lookup, NodeOrder, Operator, Path, Predicate, SetOperator, Start, Step,
    Test, Variable,
};
use super::value::{Item, Sequence, compare_general, compare_values};
use super::{Code, Patterns, XPathError, axes};
use crate::arena::{Arena, Key, NodeRef, ROOT, Sym};

/// Nodes and items that one set of rules may look at in one document.
pub(crate) const RULES_BUDGET: u64 = 100_000_000;
/// The same for one expression alone.
pub(crate) const EXPRESSION_BUDGET: u64 = 5_000_000;
/// Items in one sequence.
const SEQUENCE: usize = 4_000_000;
/// Variables that ask for one another, and expressions inside them.
const DEPTH: usize = 64;

pub(crate) type Eval<T> = Result<T, XPathError>;

/// Why a document that a rule looks values up in cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is not in the package.
    Absent,
    /// It is there and cannot be read as XML.
    Unreadable,
}

/// The documents that rules look values up in.
pub(crate) trait Documents<'a> {
    /// By the path that the rule gives.
    fn document(&self, path: &str) -> Result<&'a Arena, Missing>;
}

/// None at all.
pub(crate) struct NoDocuments;

impl<'a> Documents<'a> for NoDocuments {
    fn document(&self, _: &str) -> Result<&'a Arena, Missing> {
        Err(Missing::Absent)
    }
}

/// The item that an expression is asked of, and its place among the others.
#[derive(Clone, Copy)]
pub(crate) struct Focus<'f, 'a> {
    pub(super) item: &'f Item<'a>,
    pub(super) position: usize,
    pub(super) size: usize,
}

impl<'f, 'a> Focus<'f, 'a> {
    pub(crate) fn on(item: &'f Item<'a>) -> Self {
        Self { item, position: 1, size: 1 }
    }

    pub(crate) fn item(self) -> &'f Item<'a> {
        self.item
    }

    pub(super) fn node(self) -> Eval<NodeRef<'a>> {
        match self.item {
            Item::Node(node) => Ok(*node),
            _ => Err(XPathError::new(Code::Type, "a node is expected")),
        }
    }
}

enum Memo<'a> {
    Unasked,
    Asked,
    Known(Eval<Rc<Sequence<'a>>>),
}

/// A variable of the rules: evaluated when first asked for, once.
struct Binding<'a> {
    variable: Variable,
    expr: &'a Expr,
    memo: Memo<'a>,
}

/// One run over one document.
pub(crate) struct Evaluation<'a> {
    arena: &'a Arena,
    regexes: &'a Patterns,
    documents: Box<dyn Documents<'a> + 'a>,
    /// The number of the set of rules, for what is remembered of looked-up documents.
    owner: u64,
    /// What may still be looked at.
    budget: Cell<u64>,
    depth: Cell<usize>,
    globals: RefCell<Vec<Binding<'a>>>,
    /// Variables of the rule being run; those after `visible` are declared later than what is being evaluated.
    lets: RefCell<Vec<Binding<'a>>>,
    visible: Cell<usize>,
    /// The node of the rule.
    current: Cell<NodeRef<'a>>,
    /// Variables of `for`, `some`, `every`, innermost last.
    locals: RefCell<Vec<(Variable, Rc<Sequence<'a>>)>>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(
        arena: &'a Arena,
        regexes: &'a Patterns,
        documents: Box<dyn Documents<'a> + 'a>,
        owner: u64,
        budget: u64,
    ) -> Self {
        Self {
            arena,
            regexes,
            documents,
            owner,
            budget: Cell::new(budget),
            depth: Cell::new(0),
            globals: RefCell::default(),
            lets: RefCell::default(),
            visible: Cell::new(0),
            current: Cell::new(arena.root()),
            locals: RefCell::default(),
        }
    }

    /// The variables of the whole set of rules: asked at the root, whatever node asks.
    pub(crate) fn set_globals(&self, bindings: impl Iterator<Item = (Variable, &'a Expr)>) {
        self.globals.replace(bind(bindings));
    }

    /// Starts a rule on a node.
    pub(crate) fn start_rule(&self, node: NodeRef<'a>) {
        self.lets.borrow_mut().clear();
        self.visible.set(0);
        self.current.set(node);
    }

    /// Declares the next variable of the rule.
    pub(crate) fn declare(&self, variable: Variable, expr: &'a Expr) {
        self.lets.borrow_mut().push(Binding { variable, expr, memo: Memo::Unasked });
        self.visible.set(self.visible.get() + 1);
    }

    fn spend(&self) -> Eval<()> {
        match self.budget.get().checked_sub(1) {
            Some(rest) => self.budget.set(rest),
            None => return Err(XPathError::new(Code::Budget, "more steps than one document may take")),
        }
        Ok(())
    }

    pub(super) fn current(&self) -> NodeRef<'a> {
        self.current.get()
    }

    pub(super) fn patterns(&self) -> &'a Patterns {
        self.regexes
    }

    pub(super) fn documents(&self) -> &dyn Documents<'a> {
        &*self.documents
    }

    fn variable(&self, variable: Variable) -> Eval<Rc<Sequence<'a>>> {
        if let Some((_, value)) = self.locals.borrow().iter().rev().find(|(known, _)| *known == variable) {
            return Ok(value.clone());
        }
        let declared = self.lets.borrow()[..self.visible.get()].iter().rposition(|known| known.variable == variable);
        if let Some(at) = declared {
            return self.memoised(&self.lets, at, at, self.current.get());
        }
        let global = self.globals.borrow().iter().rposition(|known| known.variable == variable);
        match global {
            Some(at) => self.memoised(&self.globals, at, 0, self.arena.root()),
            None => Err(XPathError::new(Code::Variable, "the variable is not declared")),
        }
    }

    fn memoised(
        &self,
        bindings: &RefCell<Vec<Binding<'a>>>,
        at: usize,
        visible: usize,
        node: NodeRef<'a>,
    ) -> Eval<Rc<Sequence<'a>>> {
        let expr = {
            let mut bindings = bindings.borrow_mut();
            let binding = &mut bindings[at];
            match &binding.memo {
                Memo::Known(value) => return value.clone(),
                Memo::Asked => return Err(XPathError::new(Code::Variable, "the variable asks for itself")),
                Memo::Unasked => binding.memo = Memo::Asked,
            }
            binding.expr
        };
        let depth = self.depth.replace(self.depth.get() + 1);
        let seen = self.visible.replace(visible);
        let locals = self.locals.take();
        let value = if depth > DEPTH {
            Err(XPathError::new(Code::Budget, "variables ask for one another too deep"))
        } else {
            self.items(expr, Focus::on(&Item::Node(node))).map(Rc::new)
        };
        self.locals.replace(locals);
        self.visible.set(seen);
        self.depth.set(depth);
        bindings.borrow_mut()[at].memo = Memo::Known(value.clone());
        value
    }

    /// The effective boolean value (XPath 2.0 §2.4.3).
    pub(crate) fn truth(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<bool> {
        match expr {
            Expr::Or(left, right) => Ok(self.truth(left, focus)? || self.truth(right, focus)?),
            Expr::And(left, right) => Ok(self.truth(left, focus)? && self.truth(right, focus)?),
            Expr::If(test, then, otherwise) => {
                let chosen = if self.truth(test, focus)? { then } else { otherwise };
                self.truth(chosen, focus)
            }
            Expr::General(how, left, right) => self.general(*how, left, right, focus),
            Expr::Quantified { every, variable, within, satisfies } => {
                self.quantified(*every, *variable, within, satisfies, focus)
            }
            Expr::Call(function, arguments) => match self.condition(*function, arguments, focus) {
                Some(answer) => answer,
                None => self.truth_of_items(expr, focus),
            },
            _ => self.truth_of_items(expr, focus),
        }
    }

    fn truth_of_items(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<bool> {
        let mut first: Option<Item<'a>> = None;
        let mut several = false;
        self.each(expr, focus, &mut |item| {
            several = first.is_some();
            let goes_on = !several && !matches!(item, Item::Node(_));
            first.get_or_insert(item);
            Ok(goes_on)
        })?;
        match first {
            None => Ok(false),
            Some(Item::Node(_)) => Ok(true),
            Some(_) if several => Err(XPathError::new(Code::Type, "several values where one condition is expected")),
            Some(Item::Boolean(value)) => Ok(value),
            Some(Item::String(text) | Item::Untyped(text)) => Ok(!text.is_empty()),
            Some(number) if number.is_numeric() => Ok(number.as_number().is_some_and(|n| n != 0.0 && !n.is_nan())),
            Some(_) => Err(XPathError::new(Code::Type, "the value is no condition")),
        }
    }

    /// Is there at least one item?
    pub(super) fn exists(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<bool> {
        let mut found = false;
        self.each(expr, focus, &mut |_| {
            found = true;
            Ok(false)
        })?;
        Ok(found)
    }

    fn general(&self, how: Comparison, left: &'a Expr, right: &'a Expr, focus: Focus<'_, 'a>) -> Eval<bool> {
        // The side that is walked is the one that is not written out.
        if matches!(left, Expr::String(_) | Expr::Integer(_)) && !matches!(right, Expr::String(_) | Expr::Integer(_)) {
            return self.general(how.turned(), right, left, focus);
        }
        if how == Comparison::Equal
            && let Some(sets) = value_sets(right)
        {
            return self.any(left, focus, |item| self.is_in_sets(&item, &sets, focus));
        }
        let against: Sequence<'a> = match right {
            Expr::String(text) => {
                return self.any(left, focus, |item| compare_general(how, &item, &Item::text(&**text)));
            }
            _ => self.items(right, focus)?.into_iter().map(Item::atomize).collect(),
        };
        self.any(left, focus, |item| {
            for other in &against {
                if compare_general(how, &item, other)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Is the value one of those that these paths of looked-up documents give? Texts are asked by hash, a number is
    /// compared with each.
    fn is_in_sets(&self, item: &Item<'a>, sets: &[(&'a Path, &'a str)], focus: Focus<'_, 'a>) -> Eval<bool> {
        for &(path, document) in sets {
            let known = match item {
                Item::String(text) | Item::Untyped(text) => self.is_in_set(text, path, document)?,
                _ => None,
            };
            let found = match known {
                Some(found) => found,
                None => self.is_given(item, path, focus)?,
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `None` when the values could not all be taken.
    fn is_in_set(&self, text: &str, path: &'a Path, document: &str) -> Eval<Option<bool>> {
        let root = self.document(document)?;
        let key = Key::Path { owner: self.owner, place: std::ptr::from_ref(path).addr() };
        Ok(root.arena.has_value(key, text, |add| {
            let mut take = |value: Item<'a>| {
                add(&value.into_string());
                Ok(true)
            };
            self.steps(&path.steps, root, &mut take).is_ok()
        }))
    }

    fn is_given(&self, item: &Item<'a>, path: &'a Path, focus: Focus<'_, 'a>) -> Eval<bool> {
        let mut equal = false;
        self.path(path, focus, &mut |value| {
            equal = compare_general(Comparison::Equal, item, &value.atomize())?;
            Ok(!equal)
        })?;
        Ok(equal)
    }

    fn any(&self, expr: &'a Expr, focus: Focus<'_, 'a>, mut holds: impl FnMut(Item<'a>) -> Eval<bool>) -> Eval<bool> {
        let mut found = false;
        self.each(expr, focus, &mut |item| {
            found = holds(item.atomize())?;
            Ok(!found)
        })?;
        Ok(found)
    }

    fn quantified(
        &self,
        every: bool,
        variable: Variable,
        within: &'a Expr,
        satisfies: &'a Expr,
        focus: Focus<'_, 'a>,
    ) -> Eval<bool> {
        for item in self.items(within, focus)? {
            if self.with_local(variable, item, || self.truth(satisfies, focus))? != every {
                return Ok(!every);
            }
        }
        Ok(every)
    }

    fn with_local<T>(&self, variable: Variable, item: Item<'a>, run: impl FnOnce() -> Eval<T>) -> Eval<T> {
        self.spend()?;
        self.locals.borrow_mut().push((variable, Rc::new(vec![item])));
        let answer = run();
        self.locals.borrow_mut().pop();
        answer
    }

    /// All items, in order.
    pub(crate) fn items(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<Sequence<'a>> {
        let mut found = Vec::new();
        let mut add = |item| {
            found.push(item);
            if found.len() > SEQUENCE {
                return Err(XPathError::new(Code::Budget, "a sequence is too long"));
            }
            Ok(true)
        };
        match expr {
            Expr::Path(path) if !path.ordered => return self.unordered_path(path, focus),
            _ => self.each(expr, focus, &mut add)?,
        };
        Ok(found)
    }

    /// The only item, if there is one.
    pub(super) fn one(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<Option<Item<'a>>> {
        let several = || XPathError::new(Code::Type, "several items where at most one is allowed");
        if matches!(expr, Expr::Path(path) if !path.ordered) {
            let mut items = self.items(expr, focus)?;
            return if items.len() > 1 { Err(several()) } else { Ok(items.pop()) };
        }
        let mut only = None;
        self.each(expr, focus, &mut |item| if only.replace(item).is_some() { Err(several()) } else { Ok(true) })?;
        Ok(only)
    }

    /// The only value, if there is one.
    pub(super) fn value(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<Option<Item<'a>>> {
        Ok(self.one(expr, focus)?.map(Item::atomize))
    }

    pub(super) fn count(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<usize> {
        if matches!(expr, Expr::Path(path) if !path.ordered) {
            return Ok(self.items(expr, focus)?.len());
        }
        let mut count = 0;
        self.each(expr, focus, &mut |_| {
            count += 1;
            Ok(true)
        })?;
        Ok(count)
    }

    /// Calls `visit` for each item until it answers `false`. Where order is not kept ([`Path::ordered`]), nodes may come
    /// in another order, and more than once.
    pub(super) fn each(
        &self,
        expr: &'a Expr,
        focus: Focus<'_, 'a>,
        visit: &mut dyn FnMut(Item<'a>) -> Eval<bool>,
    ) -> Eval<bool> {
        match expr {
            Expr::String(text) => visit(Item::text(&**text)),
            Expr::Integer(value) => visit(Item::Integer(*value)),
            Expr::Decimal(value) => visit(Item::Decimal(*value)),
            Expr::Double(value) => visit(Item::Double(*value)),
            Expr::Context => visit(focus.item.clone()),
            Expr::Variable(variable) => self.all(self.variable(*variable)?.iter().cloned(), visit),
            Expr::Path(path) => self.path(path, focus, visit),
            Expr::Filter { base, predicates } => {
                let items = self.items(base, focus)?;
                self.all(self.filter(items, predicates)?.into_iter(), visit)
            }
            Expr::Sequence(parts) => {
                for part in parts {
                    if !self.all(self.items(part, focus)?.into_iter(), visit)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expr::Or(..) | Expr::And(..) | Expr::General(..) | Expr::Quantified { .. } => {
                visit(Item::Boolean(self.truth(expr, focus)?))
            }
            Expr::If(test, then, otherwise) => {
                let chosen = if self.truth(test, focus)? { then } else { otherwise };
                match &**chosen {
                    Expr::Path(path) if !path.ordered => self.all(self.items(chosen, focus)?.into_iter(), visit),
                    _ => self.each(chosen, focus, visit),
                }
            }
            Expr::For { variable, within, each } => {
                for item in self.items(within, focus)? {
                    let items = self.with_local(*variable, item, || self.items(each, focus))?;
                    if !self.all(items.into_iter(), visit)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expr::Set(operator, left, right) => {
                let nodes = self.set(*operator, left, right, focus)?;
                self.all(nodes.into_iter().map(Item::Node), visit)
            }
            Expr::Range(from, to) => self.range(from, to, focus, visit),
            Expr::Value(how, left, right) => {
                let (Some(left), Some(right)) = (self.value(left, focus)?, self.value(right, focus)?) else {
                    return Ok(true);
                };
                visit(Item::Boolean(compare_values(*how, &left, &right)?))
            }
            Expr::Order(order, left, right) => self.node_order(*order, left, right, focus, visit),
            Expr::Arithmetic(operator, left, right) => {
                let (Some(left), Some(right)) = (self.number(left, focus)?, self.number(right, focus)?) else {
                    return Ok(true);
                };
                visit(arithmetic(*operator, &left, &right)?)
            }
            Expr::Negate(inner) => match self.number(inner, focus)? {
                None => Ok(true),
                Some(value) => visit(arithmetic(Operator::Subtract, &Item::Integer(0), &value)?),
            },
            Expr::Castable(inner, kind, optional) => visit(Item::Boolean(match self.items(inner, focus)?.as_slice() {
                [] => *optional,
                [one] => one.clone().cast(*kind).is_ok(),
                _ => false,
            })),
            Expr::Cast(inner, kind, optional) => match self.value(inner, focus)? {
                Some(value) => visit(value.cast(*kind)?),
                None if *optional => Ok(true),
                None => Err(XPathError::new(Code::Type, "nothing to cast")),
            },
            Expr::Call(function, arguments) => self.call(*function, arguments, focus, visit),
            Expr::Regex { function, input, regex, replacement } => {
                let pattern = self.regexes.written.get(regex.0 as usize);
                let pattern = pattern.ok_or_else(|| XPathError::new(Code::Regex, "unknown regular expression"))?;
                let input = self.text(input, focus)?;
                self.regex(*function, input, pattern.regex()?, replacement.as_deref(), focus, visit)
            }
        }
    }

    pub(super) fn all(
        &self,
        items: impl Iterator<Item = Item<'a>>,
        visit: &mut dyn FnMut(Item<'a>) -> Eval<bool>,
    ) -> Eval<bool> {
        for item in items {
            if !visit(item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn range(
        &self,
        from: &'a Expr,
        to: &'a Expr,
        focus: Focus<'_, 'a>,
        visit: &mut dyn FnMut(Item<'a>) -> Eval<bool>,
    ) -> Eval<bool> {
        let whole = |item: Item<'a>| match item.cast(super::ast::Type::Integer) {
            Ok(Item::Integer(value)) => Ok(value),
            _ => Err(XPathError::new(Code::Type, "a range is between two integers")),
        };
        let (Some(from), Some(to)) = (self.value(from, focus)?, self.value(to, focus)?) else { return Ok(true) };
        for value in whole(from)?..=whole(to)? {
            self.spend()?;
            if !visit(Item::Integer(value))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn node_order(
        &self,
        order: NodeOrder,
        left: &'a Expr,
        right: &'a Expr,
        focus: Focus<'_, 'a>,
        visit: &mut dyn FnMut(Item<'a>) -> Eval<bool>,
    ) -> Eval<bool> {
        let (Some(left), Some(right)) = (self.one(left, focus)?, self.one(right, focus)?) else { return Ok(true) };
        let (left, right) = (node_of(left)?, node_of(right)?);
        visit(Item::Boolean(match order {
            NodeOrder::Is => left == right,
            NodeOrder::Before => document_order(&left) < document_order(&right),
            NodeOrder::After => document_order(&left) > document_order(&right),
        }))
    }

    /// A number, or nothing; an untyped value is read as a double.
    pub(super) fn number(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<Option<Item<'a>>> {
        match self.value(expr, focus)? {
            None => Ok(None),
            Some(untyped @ Item::Untyped(_)) => untyped.cast(super::ast::Type::Double).map(Some),
            Some(number) if number.is_numeric() => Ok(Some(number)),
            Some(_) => Err(XPathError::new(Code::Type, "a number is expected")),
        }
    }

    fn set(
        &self,
        operator: SetOperator,
        left: &'a Expr,
        right: &'a Expr,
        focus: Focus<'_, 'a>,
    ) -> Eval<Vec<NodeRef<'a>>> {
        let (left, right) = (self.nodes(left, focus)?, self.nodes(right, focus)?);
        let within = |node: &NodeRef<'a>| right.binary_search_by_key(&document_order(node), document_order).is_ok();
        Ok(match operator {
            SetOperator::Intersect => left.into_iter().filter(within).collect(),
            SetOperator::Except => left.into_iter().filter(|node| !within(node)).collect(),
            SetOperator::Union => {
                let mut both = left;
                both.extend(right);
                in_order(&mut both);
                both
            }
        })
    }

    /// Nodes, in document order, once each.
    fn nodes(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<Vec<NodeRef<'a>>> {
        let mut nodes = Vec::new();
        self.each(expr, focus, &mut |item| {
            nodes.push(node_of(item)?);
            Ok(true)
        })?;
        in_order(&mut nodes);
        Ok(nodes)
    }

    fn path(&self, path: &'a Path, focus: Focus<'_, 'a>, visit: &mut dyn FnMut(Item<'a>) -> Eval<bool>) -> Eval<bool> {
        if !path.ordered && path.steps.iter().any(|step| matches!(step, Step::Expr { .. })) {
            return self.all(self.unordered_path(path, focus)?.into_iter(), visit);
        }
        match &path.start {
            Start::Context if path.steps.is_empty() => visit(focus.item.clone()),
            Start::Context => self.steps(&path.steps, focus.node()?, visit),
            Start::Root => {
                let root = focus.node()?.arena.root();
                if path.steps.is_empty() { visit(Item::Node(root)) } else { self.steps(&path.steps, root, visit) }
            }
            Start::Expr(expr) => {
                for item in self.items(expr, focus)? {
                    if !self.steps(&path.steps, node_of(item)?, visit)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// Walks the steps one inside the other.
    fn steps(&self, steps: &'a [Step], from: NodeRef<'a>, visit: &mut dyn FnMut(Item<'a>) -> Eval<bool>) -> Eval<bool> {
        let Some((step, rest)) = steps.split_first() else { return visit(Item::Node(from)) };
        match step {
            Step::Axis(step) => self.axis_step(step, from, &mut |node| self.steps(rest, node, visit)),
            Step::Expr { expr, predicates } => {
                let item = Item::Node(from);
                let items = self.filter(self.items(expr, Focus::on(&item))?, predicates)?;
                if rest.is_empty() {
                    return self.all(items.into_iter(), visit);
                }
                for item in items {
                    if !self.steps(rest, node_of(item)?, visit)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// The nodes of one step from one node.
    pub(crate) fn axis_step(
        &self,
        step: &'a AxisStep,
        from: NodeRef<'a>,
        visit: &mut dyn FnMut(NodeRef<'a>) -> Eval<bool>,
    ) -> Eval<bool> {
        if step.is_positional() {
            return self.positional_step(step, from, visit);
        }
        if step.axis == Axis::Descendant
            && let Some(candidates) = self.candidates(step, from)?
        {
            let start = candidates.partition_point(|&at| at <= from.at);
            for &at in candidates[start..].iter().take_while(|&&at| at < from.end()) {
                let node = from.arena.node(at);
                if step.test.accepts(step.axis, node) && self.accepts(&step.predicates, node)? && !visit(node)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        if let (Axis::Attribute, Test::Named(sym), []) = (step.axis, step.test, step.predicates.as_slice()) {
            return from.attribute_node(sym).map_or(Ok(true), visit);
        }
        axes::walk(step.axis, from, &mut |node| {
            self.spend()?;
            if step.test.accepts(step.axis, node) && self.accepts(&step.predicates, node)? {
                return visit(node);
            }
            Ok(true)
        })
    }

    /// Nodes among which those of a step down must be, by an index.
    fn candidates(&self, step: &'a AxisStep, from: NodeRef<'a>) -> Eval<Option<std::borrow::Cow<'a, [u32]>>> {
        let arena = from.arena;
        if let Some(nodes) = step.template.and_then(|template| arena.with_template(template)) {
            return Ok(Some(nodes.into()));
        }
        let Test::Named(sym) = step.test else { return Ok(None) };
        // An index pays in a document that is asked again and again, which the one being judged is not.
        if let Some(lookup) = &step.lookup
            && from.at == ROOT
            && !std::ptr::eq(arena, self.arena)
            && let Some(found) = self.lookup(lookup, sym, arena)?
        {
            return Ok(Some(found));
        }
        Ok(Some(arena.named(sym).into()))
    }

    fn lookup(&self, lookup: &'a Lookup, element: Sym, arena: &'a Arena) -> Eval<Option<std::borrow::Cow<'a, [u32]>>> {
        let root = Item::Node(arena.root());
        let key = match lookup.attribute {
            Some(attribute) => Key::Attribute { element, attribute },
            None => Key::Text { element },
        };
        let mut found: Vec<u32> = Vec::new();
        for value in self.items(&lookup.value, Focus::on(&root))? {
            match value.atomize() {
                Item::String(text) | Item::Untyped(text) => found.extend(arena.keyed(key, &text)),
                // Numbers compare by value, not by text: the index does not hold them.
                _ => return Ok(None),
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(Some(found.into()))
    }

    fn positional_step(
        &self,
        step: &'a AxisStep,
        from: NodeRef<'a>,
        visit: &mut dyn FnMut(NodeRef<'a>) -> Eval<bool>,
    ) -> Eval<bool> {
        let mut nodes = Vec::new();
        axes::walk(step.axis, from, &mut |node| {
            self.spend()?;
            if step.test.accepts(step.axis, node) {
                nodes.push(Item::Node(node));
            }
            Ok(true)
        })?;
        let mut kept = self.filter(nodes, &step.predicates)?;
        if step.axis.is_reverse() {
            kept.reverse();
        }
        for item in kept {
            if !visit(node_of(item)?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn accepts(&self, predicates: &'a [Predicate], node: NodeRef<'a>) -> Eval<bool> {
        let item = Item::Node(node);
        for predicate in predicates {
            if !self.truth(&predicate.expr, Focus::on(&item))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn filter(&self, mut items: Sequence<'a>, predicates: &'a [Predicate]) -> Eval<Sequence<'a>> {
        for predicate in predicates {
            let size = items.len();
            let mut kept = Vec::new();
            for (index, item) in items.into_iter().enumerate() {
                self.spend()?;
                if self.keeps(predicate, Focus { item: &item, position: index + 1, size })? {
                    kept.push(item);
                }
            }
            items = kept;
        }
        Ok(items)
    }

    fn keeps(&self, predicate: &'a Predicate, focus: Focus<'_, 'a>) -> Eval<bool> {
        if !predicate.positional {
            return self.truth(&predicate.expr, focus);
        }
        let answer = self.items(&predicate.expr, focus)?;
        if let [number] = answer.as_slice()
            && let Some(number) = number.as_number()
        {
            #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "positions are small whole numbers")]
            return Ok(number == focus.position as f64);
        }
        self.truth(&predicate.expr, focus)
    }

    /// Step by step, each step's nodes put in order before the next.
    fn unordered_path(&self, path: &'a Path, focus: Focus<'_, 'a>) -> Eval<Sequence<'a>> {
        let mut items: Sequence<'a> = match &path.start {
            Start::Context => vec![focus.item.clone()],
            Start::Root => vec![Item::Node(focus.node()?.arena.root())],
            Start::Expr(expr) => self.items(expr, focus)?,
        };
        for (index, step) in path.steps.iter().enumerate() {
            let size = items.len();
            let mut next = Vec::new();
            for (place, item) in items.iter().enumerate() {
                let focus = Focus { item, position: place + 1, size };
                match step {
                    Step::Axis(step) => {
                        self.axis_step(step, focus.node()?, &mut |node| {
                            next.push(Item::Node(node));
                            Ok(true)
                        })?;
                    }
                    Step::Expr { expr, predicates } => {
                        focus.node()?;
                        next.extend(self.filter(self.items(expr, focus)?, predicates)?);
                    }
                }
                if next.len() > SEQUENCE {
                    return Err(XPathError::new(Code::Budget, "a sequence is too long"));
                }
            }
            items = self.step_result(next, index + 1 == path.steps.len())?;
        }
        Ok(items)
    }

    /// Nodes in document order, once each; values as they are, after the last step only (XPTY0018, XPTY0019).
    fn step_result(&self, items: Sequence<'a>, is_last: bool) -> Eval<Sequence<'a>> {
        let nodes = items.iter().filter(|item| matches!(item, Item::Node(_))).count();
        if nodes == items.len() {
            let mut nodes = items.into_iter().map(node_of).collect::<Eval<Vec<_>>>()?;
            in_order(&mut nodes);
            return Ok(nodes.into_iter().map(Item::Node).collect());
        }
        if nodes == 0 && is_last {
            return Ok(items);
        }
        Err(XPathError::new(Code::Type, "a step gives values where nodes are expected"))
    }

    /// Functions that are conditions: answered without a sequence.
    fn condition(&self, function: Function, arguments: &'a [Expr], focus: Focus<'_, 'a>) -> Option<Eval<bool>> {
        match (function, arguments) {
            (Function::Not, [argument]) => Some(self.truth(argument, focus).map(|truth| !truth)),
            (Function::Boolean, [argument]) => Some(self.truth(argument, focus)),
            (Function::Exists, [argument]) => Some(self.exists(argument, focus)),
            (Function::Empty, [argument]) => Some(self.exists(argument, focus).map(|exists| !exists)),
            (Function::True, []) => Some(Ok(true)),
            (Function::False, []) => Some(Ok(false)),
            _ => None,
        }
    }
}

/// The paths of an expression whose parts all are `doc('…')/steps/@attribute`, which give the same for every node.
fn value_sets(expr: &Expr) -> Option<Vec<(&Path, &str)>> {
    let parts = match expr {
        Expr::Sequence(parts) if !parts.is_empty() => parts.as_slice(),
        Expr::Path(_) => std::slice::from_ref(expr),
        _ => return None,
    };
    parts.iter().map(value_set).collect()
}

fn value_set(expr: &Expr) -> Option<(&Path, &str)> {
    let Expr::Path(path) = expr else { return None };
    let Start::Expr(Expr::Call(Function::Doc, arguments)) = &path.start else { return None };
    let [Expr::String(document)] = arguments.as_slice() else { return None };
    let plain = |step: &Step| matches!(step, Step::Axis(step) if step.predicates.is_empty());
    let gives_values = matches!(path.steps.last(), Some(Step::Axis(step)) if step.axis == Axis::Attribute);
    (gives_values && path.steps.iter().all(plain)).then_some((&**path, &**document))
}

fn bind<'a>(bindings: impl Iterator<Item = (Variable, &'a Expr)>) -> Vec<Binding<'a>> {
    bindings.map(|(variable, expr)| Binding { variable, expr, memo: Memo::Unasked }).collect()
}

pub(super) fn node_of(item: Item<'_>) -> Eval<NodeRef<'_>> {
    match item {
        Item::Node(node) => Ok(node),
        _ => Err(XPathError::new(Code::Type, "a node is expected")),
    }
}

/// Attributes come right after their element; the order between documents is arbitrary and stays the same.
fn document_order(node: &NodeRef<'_>) -> (usize, u32, u32) {
    let document = std::ptr::from_ref(node.arena).addr();
    match node.parent() {
        Some(owner) if node.is_attribute() => (document, owner.at, node.at),
        _ => (document, node.at, 0),
    }
}

fn in_order(nodes: &mut Vec<NodeRef<'_>>) {
    nodes.sort_unstable_by_key(document_order);
    nodes.dedup();
}

fn arithmetic<'a>(operator: Operator, left: &Item<'a>, right: &Item<'a>) -> Eval<Item<'a>> {
    let overflow = || XPathError::new(Code::Arithmetic, "division by zero or number too large");
    if let (Item::Integer(a), Item::Integer(b)) = (left, right) {
        let whole = match operator {
            Operator::Add => a.checked_add(*b),
            Operator::Subtract => a.checked_sub(*b),
            Operator::Multiply => a.checked_mul(*b),
            Operator::IntegerDivide => a.checked_div(*b),
            Operator::Modulo => a.checked_rem(*b),
            Operator::Divide if *b == 0 => return Err(overflow()),
            #[expect(clippy::cast_precision_loss, reason = "decimals are held as doubles")]
            Operator::Divide => return Ok(Item::Decimal(*a as f64 / *b as f64)),
        };
        return whole.map(Item::Integer).ok_or_else(overflow);
    }
    let (Some(a), Some(b)) = (left.as_number(), right.as_number()) else {
        return Err(XPathError::new(Code::Type, "a number is expected"));
    };
    let double = matches!((left, right), (Item::Double(_), _) | (_, Item::Double(_)));
    let exact = !double || operator == Operator::IntegerDivide;
    if exact && b == 0.0 && matches!(operator, Operator::Divide | Operator::IntegerDivide | Operator::Modulo) {
        return Err(overflow());
    }
    let value = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Modulo => a % b,
        Operator::IntegerDivide => return Item::Double((a / b).trunc()).cast(super::ast::Type::Integer),
    };
    Ok(if double { Item::Double(value) } else { Item::Decimal(value) })
}
