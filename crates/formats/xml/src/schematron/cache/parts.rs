//! Simple values and the parts of a schema.

use super::{Reader, Stored, Writer};
use crate::arena::Generation;
use crate::schematron::model::{
    BodyStep, Check, Defect, DefectKind, Diagnostic, ExprId, Number, Pattern, Piece, Role, Rule, Schematron, TrieId,
    TrieStep,
};
use crate::xpath::SyntaxError;

impl Stored for u32 {
    fn put(&self, to: &mut Writer) {
        to.number(u64::from(*self));
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        from.number()?.try_into().ok()
    }
}

impl Stored for i64 {
    fn put(&self, to: &mut Writer) {
        to.out.extend_from_slice(&self.to_le_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self::from_le_bytes(*from.slice(8)?.first_chunk()?))
    }
}

impl Stored for f64 {
    fn put(&self, to: &mut Writer) {
        to.out.extend_from_slice(&self.to_le_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self::from_le_bytes(*from.slice(8)?.first_chunk()?))
    }
}

impl Stored for bool {
    fn put(&self, to: &mut Writer) {
        to.byte(u8::from(*self));
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Some(from.byte()? == 1)
    }
}

impl Stored for Box<str> {
    fn put(&self, to: &mut Writer) {
        let number = to.string(self);
        to.number(u64::from(number));
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        from.string().map(Into::into)
    }
}

impl Stored for String {
    fn put(&self, to: &mut Writer) {
        let number = to.string(self);
        to.number(u64::from(number));
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        from.string().map(Into::into)
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn put(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        self.iter().for_each(|item| item.put(to));
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let length = from.length()?;
        let mut items = Self::with_capacity(length);
        for _ in 0..length {
            items.push(T::take(from)?);
        }
        Some(items)
    }
}

impl<T: Stored> Stored for Option<T> {
    fn put(&self, to: &mut Writer) {
        to.byte(u8::from(self.is_some()));
        if let Some(value) = self {
            value.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        if from.byte()? == 0 { Some(None) } else { T::take(from).map(Some) }
    }
}

impl<T: Stored> Stored for Box<T> {
    fn put(&self, to: &mut Writer) {
        (**self).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        T::take(from).map(Self::new)
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
        self.1.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?))
    }
}

/// Only what could be read is kept.
impl<T: Stored> Stored for Result<T, SyntaxError> {
    fn put(&self, to: &mut Writer) {
        if let Ok(value) = self {
            value.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        T::take(from).map(Ok)
    }
}

/// A struct, field by field.
macro_rules! fields {
    ($($type:ident { $($field:ident),* $(,)? })*) => {$(
        impl Stored for $type {
            fn put(&self, to: &mut Writer) {
                $(self.$field.put(to);)*
            }

            fn take(from: &mut Reader<'_>) -> Option<Self> {
                Some(Self { $($field: Stored::take(from)?),* })
            }
        }
    )*};
}

/// A number in a type of its own.
macro_rules! wrapped {
    ($($type:ident),*) => {$(
        impl Stored for $type {
            fn put(&self, to: &mut Writer) {
                self.0.put(to);
            }

            fn take(from: &mut Reader<'_>) -> Option<Self> {
                Stored::take(from).map(Self)
            }
        }
    )*};
}

/// An enum: the variant's number, then its fields.
macro_rules! variants {
    ($type:ident { $($number:literal $variant:ident $(($($field:ident),*))? $({$($named:ident),*})?),* $(,)? }) => {
        impl Stored for $type {
            fn put(&self, to: &mut Writer) {
                match self {
                    $(Self::$variant $(($($field),*))? $({$($named),*})? => {
                        to.byte($number);
                        $($($field.put(to);)*)?
                        $($($named.put(to);)*)?
                    })*
                }
            }

            fn take(from: &mut Reader<'_>) -> Option<Self> {
                Some(match from.byte()? {
                    $($number => Self::$variant
                        $(($({ let $field = Stored::take(from)?; $field }),*))?
                        $({$($named: Stored::take(from)?),*})?,)*
                    _ => return None,
                })
            }
        }
    };
}

pub(super) use {fields, variants};

use crate::xpath::ast::{Expr, RegexId, Variable};
use crate::xpath::{Pattern as Regex, Patterns};

wrapped!(ExprId, TrieId, RegexId, Variable);

fields! {
    Pattern { id, name, first_rule, end_rule }
    Rule { context, id, role, alternatives, body }
    Check { is_report, test, test_text, id, see, role, message, diagnostics }
    Diagnostic { id, message }
    TrieStep { parent, step, template }
    Defect { kind, place }
}

variants!(BodyStep { 0 Let(variable, value), 1 Check(check) });
variants!(Piece { 0 Text(text), 1 ValueOf(value), 2 Name, 3 NameOf(value) });
variants!(Role { 0 Error, 1 Warning, 2 Information });

impl Stored for Regex {
    fn put(&self, to: &mut Writer) {
        self.pattern.put(to);
        self.flags.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self::new(Stored::take(from)?, Stored::take(from)?))
    }
}

/// Those met while running are met again.
impl Stored for Patterns {
    fn put(&self, to: &mut Writer) {
        self.written.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Stored::take(from).map(Self::new)
    }
}

/// Kinds that hold a text of the program say less once kept.
impl Stored for DefectKind {
    fn put(&self, to: &mut Writer) {
        let (number, line) = match self {
            Self::MissingInclude => (0, 0),
            Self::CyclicInclude => (1, 0),
            Self::NotXml { line } => (2, *line),
            Self::TooMany { .. } => (3, 0),
            Self::NeverFires => (4, 0),
            Self::UnknownAbstract => (5, 0),
            Self::CyclicExtends => (6, 0),
            Self::UnknownVariable => (7, 0),
            Self::Unsupported | Self::Expression(_) => (8, 0),
        };
        to.byte(number);
        line.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let (number, line) = (from.byte()?, u32::take(from)?);
        Some(match number {
            0 => Self::MissingInclude,
            1 => Self::CyclicInclude,
            2 => Self::NotXml { line },
            3 => Self::TooMany { what: "parts" },
            4 => Self::NeverFires,
            5 => Self::UnknownAbstract,
            6 => Self::CyclicExtends,
            7 => Self::UnknownVariable,
            8 => Self::Unsupported,
            _ => return None,
        })
    }
}

/// Known again when the names are: not kept.
impl Stored for Generation {
    fn put(&self, _: &mut Writer) {}

    fn take(_: &mut Reader<'_>) -> Option<Self> {
        Some(Self::default())
    }
}

/// A new one for each schema in memory.
impl Stored for Number {
    fn put(&self, _: &mut Writer) {}

    fn take(_: &mut Reader<'_>) -> Option<Self> {
        Some(Self::next())
    }
}

fields! {
    Schematron {
        path, title, version, phase, namespaces, patterns, rules, checks, diagnostics, globals, expressions, regexes,
        trie, defects, generation, number,
    }
}

/// Boxes of expressions count their depth: a damaged file must not exhaust the stack.
impl Stored for Expr {
    fn put(&self, to: &mut Writer) {
        super::expressions::put(self, to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        from.depth += 1;
        if from.depth > super::DEPTH {
            return None;
        }
        let expr = super::expressions::take(from);
        from.depth -= 1;
        expr
    }
}
