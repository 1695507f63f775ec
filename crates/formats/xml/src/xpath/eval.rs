//! Running expressions. A condition stops at the first item that decides it; sequences are made only when asked for.
//!
//! Order of the rooms: what an evaluation holds (here), conditions (`truth`), items (`sequence`), paths (`path`).

mod path;
mod sequence;
mod truth;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::ast::{Expr, Variable};
use super::value::{Item, Sequence};
use super::{Code, Patterns, XPathError};
use crate::arena::{Arena, NodeRef};

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
