//! Expressions as they were written, each with the character where it starts.

use super::decimal::Decimal;
use super::temporal::{CalendarUnit, Temporal};

#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub(super) node: Node,
    /// The character of its name, operator or first sign.
    pub(super) at: u32,
    /// How many expressions are inside each other here; the left sides of operators in a row count once.
    pub(super) depth: u16,
}

#[derive(Debug, Clone)]
pub(super) enum Node {
    /// `{}`
    Empty,
    Literal(Literal),
    This,
    Index,
    Total,
    /// `%name`
    External(Box<str>),
    /// A name; the first of a path has no base.
    Member {
        base: Option<Box<Expr>>,
        name: Box<str>,
    },
    /// A function; the first of a path has no base.
    Call {
        base: Option<Box<Expr>>,
        name: Box<str>,
        arguments: Vec<Expr>,
    },
    /// `base[index]`
    Indexer {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    /// `-operand`, `+operand`
    Polarity {
        is_minus: bool,
        operand: Box<Expr>,
    },
    Binary {
        operator: Binary,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `operand is Type`, `operand as Type`
    Type {
        is_test: bool,
        operand: Box<Expr>,
        specifier: TypeName,
    },
}

#[derive(Debug, Clone)]
pub(super) enum Literal {
    Boolean(bool),
    String(Box<str>),
    Integer(i64),
    Decimal(Decimal),
    Temporal(Temporal),
    TimeWithZone,
    Quantity(Decimal, Unit),
}

/// The unit of a quantity literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unit {
    /// `4 days`
    Calendar(CalendarUnit),
    /// `4 'd'`
    Code(Box<str>),
}

/// `Quantity`, `FHIR.Patient`, `System.String`
#[derive(Debug, Clone)]
pub(super) struct TypeName {
    pub(super) namespace: Option<Box<str>>,
    pub(super) name: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Times,
    Over,
    Div,
    Mod,
    Plus,
    Minus,
    Concatenate,
    Union,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}

impl Binary {
    /// As it is written.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Times => "*",
            Self::Over => "/",
            Self::Div => "div",
            Self::Mod => "mod",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Concatenate => "&",
            Self::Union => "|",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Equivalent => "~",
            Self::NotEquivalent => "!~",
            Self::In => "in",
            Self::Contains => "contains",
            Self::And => "and",
            Self::Or => "or",
            Self::Xor => "xor",
            Self::Implies => "implies",
        }
    }
}
