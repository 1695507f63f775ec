//! Operations with a body: `where`, `select`, `repeat`, `iif`, `sort`… and three-valued logic.

use std::cmp::Ordering;

use super::compare::{self, Seen};
use super::error::{ErrorKind, Result};
use super::machine::{Frame, Machine};
use super::program::{Block, Op};
use super::value::{Collection, Item, boolean, optional};

impl<'a> Machine<'a, '_> {
    pub(super) fn filter(&mut self, body: Block, frame: &Frame<'_, 'a>) -> Result<()> {
        let items = self.pop();
        let mut result = Collection::new();
        for (index, item) in items.into_iter().enumerate() {
            let holds = self.criterion(body, &Frame { this: Some(&item), index, total: frame.total })?;
            if holds == Some(true) {
                result.push(item);
            }
        }
        self.push(result);
        Ok(())
    }

    pub(super) fn select(&mut self, body: Block, frame: &Frame<'_, 'a>) -> Result<()> {
        let items = self.pop();
        let mut result = Collection::new();
        for (index, item) in items.iter().enumerate() {
            let more = self.value(body, &Frame { this: Some(item), index, total: frame.total })?;
            self.spend(more.len() as u64)?;
            result.extend(more);
        }
        self.push(result);
        Ok(())
    }

    pub(super) fn all(&mut self, body: Block, frame: &Frame<'_, 'a>) -> Result<()> {
        let items = self.pop();
        for (index, item) in items.iter().enumerate() {
            if self.criterion(body, &Frame { this: Some(item), index, total: frame.total })? != Some(true) {
                self.push(boolean(false));
                return Ok(());
            }
        }
        self.push(boolean(true));
        Ok(())
    }

    pub(super) fn exists(&mut self, body: Block, frame: &Frame<'_, 'a>) -> Result<()> {
        let items = self.pop();
        for (index, item) in items.iter().enumerate() {
            if self.criterion(body, &Frame { this: Some(item), index, total: frame.total })? == Some(true) {
                self.push(boolean(true));
                return Ok(());
            }
        }
        self.push(boolean(false));
        Ok(())
    }

    /// Until the body gives nothing new (FHIRPath 2.0 §5.2.3: an item that was seen is not taken again).
    pub(super) fn repeat(&mut self, body: Block, frame: &Frame<'_, 'a>) -> Result<()> {
        let mut queue = self.pop();
        let (mut result, mut seen) = (Collection::new(), Seen::default());
        let mut places = std::collections::HashSet::new();
        while !queue.is_empty() {
            let mut next = Collection::new();
            for (index, item) in queue.iter().enumerate() {
                for found in self.value(body, &Frame { this: Some(item), index, total: frame.total })? {
                    let is_new = match found.node().filter(|_| compare::text(&found).is_none()) {
                        Some(node) => places.insert((std::ptr::from_ref(node.document()), node.index())),
                        None => {
                            self.spend(seen.cost())?;
                            seen.is_new(&found)
                        }
                    };
                    self.spend(1)?;
                    if is_new {
                        next.push(found);
                    }
                }
            }
            result.extend(next.iter().cloned());
            queue = next;
        }
        self.push(result);
        Ok(())
    }

    pub(super) fn aggregate(&mut self, body: Block, has_start: bool) -> Result<()> {
        let mut total = if has_start { self.pop() } else { Collection::new() };
        let items = self.pop();
        for (index, item) in items.iter().enumerate() {
            total = self.value(body, &Frame { this: Some(item), index, total: Some(&total) })?;
        }
        self.push(total);
        Ok(())
    }

    pub(super) fn iif(&mut self, criterion: Block, then: Block, otherwise: Block, frame: &Frame<'_, 'a>) -> Result<()> {
        let input = self.pop();
        if input.len() > 1 {
            return self.fail(ErrorKind::NotSingle("iif"));
        }
        let inner = Frame { this: input.first().or(frame.this), ..*frame };
        let chosen = if self.criterion(criterion, &inner)? == Some(true) { then } else { otherwise };
        let result = if chosen.is_none() { Collection::new() } else { self.value(chosen, &inner)? };
        self.push(result);
        Ok(())
    }

    /// By each key in turn; what has no value for a key comes first, downward too (R4 suite, testSort10).
    pub(super) fn sort(&mut self, keys: &[(Block, bool)]) -> Result<()> {
        let items = self.pop();
        let mut rows: Vec<(Vec<Option<Item<'a>>>, Item<'a>)> = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let mut row = Vec::with_capacity(keys.len().max(1));
            for (key, _) in keys {
                let mut value = self.value(*key, &Frame { this: Some(&item), index, total: None })?;
                if value.len() > 1 {
                    return self.fail(ErrorKind::NotSingle("sort"));
                }
                row.push(value.pop());
            }
            if keys.is_empty() {
                row.push(Some(item.clone()));
            }
            rows.push((row, item));
        }
        self.spend((rows.len() as u64) * u64::from(rows.len().checked_ilog2().unwrap_or(0)))?;
        let mut is_wrong = false;
        rows.sort_by(|(left, _), (right, _)| {
            for (place, (left, right)) in left.iter().zip(right).enumerate() {
                let is_down = keys.get(place).is_some_and(|(_, is_down)| *is_down);
                let order = match (left, right) {
                    (Some(left), Some(right)) => match compare::order(left, right) {
                        Ok(order) if is_down => order.reverse(),
                        Ok(order) => order,
                        Err(_) => {
                            is_wrong = true;
                            Ordering::Equal
                        }
                    },
                    (left, right) => left.is_some().cmp(&right.is_some()),
                };
                if order != Ordering::Equal {
                    return order;
                }
            }
            Ordering::Equal
        });
        if is_wrong {
            return self.fail(ErrorKind::Operands("sort"));
        }
        self.push(rows.into_iter().map(|(_, item)| item).collect());
        Ok(())
    }

    pub(super) fn trace(&mut self, body: Block, frame: &Frame<'_, 'a>) -> Result<()> {
        let name = self.text("trace")?.unwrap_or_default();
        let items = self.pop();
        if body.is_none() {
            self.environment.hooks.trace(&name, &items);
        } else {
            let mut shown = Collection::new();
            for (index, item) in items.iter().enumerate() {
                shown.extend(self.value(body, &Frame { this: Some(item), index, total: frame.total })?);
            }
            self.environment.hooks.trace(&name, &shown);
        }
        self.push(items);
        Ok(())
    }

    /// What a body says of an item, as a boolean.
    fn criterion(&mut self, body: Block, frame: &Frame<'_, 'a>) -> Result<Option<bool>> {
        let at = self.at;
        self.run(body, frame)?;
        self.at = at;
        self.truth("where")
    }

    /// Three-valued logic (FHIRPath 2.0 §6.5); the right side is not evaluated when the left decides.
    pub(super) fn logic(&mut self, op: &Op, block: Block, frame: &Frame<'_, 'a>) -> Result<()> {
        let (name, decisive) = match op {
            Op::And(_) => ("and", Some(false)),
            Op::Or(_) => ("or", Some(true)),
            _ => ("implies", Some(false)),
        };
        let left = self.truth(name)?;
        if left == decisive {
            self.push(boolean(matches!(op, Op::Or(_) | Op::Implies(_))));
            return Ok(());
        }
        let at = self.at;
        self.run(block, frame)?;
        self.at = at;
        let right = self.truth(name)?;
        let result = match op {
            Op::And(_) if right == Some(false) => Some(false),
            Op::Or(_) if right == Some(true) => Some(true),
            Op::Implies(_) if right == Some(true) => Some(true),
            Op::Implies(_) => left.and(right),
            _ => left.and(right),
        };
        self.push(optional(result.map(Item::Boolean)));
        Ok(())
    }
}
