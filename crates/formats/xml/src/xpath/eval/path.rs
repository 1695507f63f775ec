//! Paths: steps along axes, what their index knows, predicates, order.

use super::{Eval, Evaluation, Focus, SEQUENCE, in_order, node_of};
use crate::arena::{Arena, Key, NodeRef, ROOT, Sym};
use crate::xpath::ast::{Axis, AxisStep, Lookup, Path, Predicate, Start, Step, Test};
use crate::xpath::value::{Item, Sequence};
use crate::xpath::{Code, XPathError, axes};

impl<'a> Evaluation<'a> {
    pub(super) fn path(
        &self,
        path: &'a Path,
        focus: Focus<'_, 'a>,
        visit: &mut dyn FnMut(Item<'a>) -> Eval<bool>,
    ) -> Eval<bool> {
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
    pub(super) fn steps(
        &self,
        steps: &'a [Step],
        from: NodeRef<'a>,
        visit: &mut dyn FnMut(Item<'a>) -> Eval<bool>,
    ) -> Eval<bool> {
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

    pub(in crate::xpath) fn filter(&self, mut items: Sequence<'a>, predicates: &'a [Predicate]) -> Eval<Sequence<'a>> {
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
    pub(super) fn unordered_path(&self, path: &'a Path, focus: Focus<'_, 'a>) -> Eval<Sequence<'a>> {
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
}
