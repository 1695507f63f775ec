//! Expressions that only have to be true or not: a condition stops at the first item that decides it.

use std::rc::Rc;

use super::{Eval, Evaluation, Focus};
use crate::arena::Key;
use crate::xpath::ast::{Axis, Comparison, Expr, Function, Path, Start, Step, Variable};
use crate::xpath::value::{Item, Sequence, compare_general};
use crate::xpath::{Code, XPathError};

impl<'a> Evaluation<'a> {
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
    pub(in crate::xpath) fn exists(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<bool> {
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

    pub(super) fn with_local<T>(&self, variable: Variable, item: Item<'a>, run: impl FnOnce() -> Eval<T>) -> Eval<T> {
        self.spend()?;
        self.locals.borrow_mut().push((variable, Rc::new(vec![item])));
        let answer = run();
        self.locals.borrow_mut().pop();
        answer
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
