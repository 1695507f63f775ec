//! Expressions, steps and tests.

use super::parts::{fields, variants};
use super::{Reader, Stored, Writer};
use crate::xpath::ast::{
    Axis, AxisStep, Comparison, Expr, Function, Lookup, NodeOrder, Operator, Path, Predicate, SetOperator, Start, Step,
    Test, Type,
};

fields! {
    AxisStep { axis, test, predicates, lookup, template }
    Lookup { attribute, value }
    Path { start, steps, ordered }
    Predicate { expr, positional }
}

variants!(Start { 0 Context, 1 Root, 2 Expr(expr) });
variants!(Step { 0 Axis(step), 1 Expr { expr, predicates } });
variants!(Test {
    0 Named(sym), 1 Any, 2 InNamespace(namespace), 3 WithLocal(local), 4 Text, 5 Node, 6 Comment, 7 Instruction,
    8 Element, 9 Attribute, 10 DocumentNode,
});
variants!(Axis {
    0 Child, 1 Attribute, 2 Itself, 3 Descendant, 4 DescendantOrSelf, 5 Parent, 6 Ancestor, 7 AncestorOrSelf,
    8 FollowingSibling, 9 PrecedingSibling, 10 Following, 11 Preceding,
});
variants!(Comparison { 0 Equal, 1 NotEqual, 2 Less, 3 LessOrEqual, 4 Greater, 5 GreaterOrEqual });
variants!(NodeOrder { 0 Is, 1 Before, 2 After });
variants!(Operator { 0 Add, 1 Subtract, 2 Multiply, 3 Divide, 4 IntegerDivide, 5 Modulo });
variants!(SetOperator { 0 Union, 1 Intersect, 2 Except });
variants!(Type {
    0 String, 1 Boolean, 2 Integer, 3 Decimal, 4 Double, 5 DateTime, 6 Date, 7 AnyUri, 8 Language, 9 Untyped, 10 NcName,
});

impl Stored for Function {
    fn put(&self, to: &mut Writer) {
        let number = Self::ALL.iter().position(|known| known == self).unwrap_or(usize::MAX);
        to.byte(u8::try_from(number).unwrap_or(u8::MAX));
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Self::ALL.get(usize::from(from.byte()?)).copied()
    }
}

/// The expression itself; boxed ones come back through [`Stored`], which counts how deep they are.
macro_rules! expression {
    ($($number:literal $variant:ident $(($($field:ident),*))? $({$($named:ident),*})?),* $(,)?) => {
        pub(super) fn put(expr: &Expr, to: &mut Writer) {
            match expr {
                $(Expr::$variant $(($($field),*))? $({$($named),*})? => {
                    to.byte($number);
                    $($($field.put(to);)*)?
                    $($($named.put(to);)*)?
                })*
            }
        }

        pub(super) fn take(from: &mut Reader<'_>) -> Option<Expr> {
            Some(match from.byte()? {
                $($number => Expr::$variant
                    $(($({ let $field = Stored::take(from)?; $field }),*))?
                    $({$($named: Stored::take(from)?),*})?,)*
                _ => return None,
            })
        }
    };
}

expression! {
    0 String(text), 1 Integer(value), 2 Decimal(value), 3 Double(value), 4 Variable(variable), 5 Context, 6 Path(path),
    7 Filter { base, predicates }, 8 Sequence(parts), 9 Or(a, b), 10 And(a, b), 11 General(how, a, b),
    12 Value(how, a, b), 13 Order(order, a, b), 14 Arithmetic(operator, a, b), 15 Negate(a), 16 Range(a, b),
    17 Set(operator, a, b), 18 If(a, b, c), 19 Quantified { every, variable, within, satisfies },
    20 For { variable, within, each }, 21 Castable(a, kind, optional), 22 Cast(a, kind, optional),
    23 Call(function, arguments), 24 Regex { function, input, regex, replacement },
}
