//! Expressions whose items are asked for: sequences, numbers, ranges, sets of nodes.

use super::{Eval, Evaluation, Focus, SEQUENCE, document_order, in_order, node_of};
use crate::arena::NodeRef;
use crate::xpath::ast::{Expr, NodeOrder, Operator, SetOperator, Type};
use crate::xpath::value::{Item, Sequence, compare_values};
use crate::xpath::{Code, XPathError};

impl<'a> Evaluation<'a> {
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
    pub(in crate::xpath) fn one(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<Option<Item<'a>>> {
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
    pub(in crate::xpath) fn value(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<Option<Item<'a>>> {
        Ok(self.one(expr, focus)?.map(Item::atomize))
    }

    pub(in crate::xpath) fn count(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<usize> {
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
    pub(in crate::xpath) fn each(
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

    pub(in crate::xpath) fn all(
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
        let whole = |item: Item<'a>| match item.cast(Type::Integer) {
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
    pub(in crate::xpath) fn number(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<Option<Item<'a>>> {
        match self.value(expr, focus)? {
            None => Ok(None),
            Some(untyped @ Item::Untyped(_)) => untyped.cast(Type::Double).map(Some),
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
        Operator::IntegerDivide => return Item::Double((a / b).trunc()).cast(Type::Integer),
    };
    Ok(if double { Item::Double(value) } else { Item::Decimal(value) })
}
