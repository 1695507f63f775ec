//! An expression as it is run. Names are numbers, variables are numbers of names, shapes that can be answered without
//! making a sequence are told apart when the expression is read.

use crate::arena::{Local, Namespace, Sym, Template};

/// The number of a variable's name in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Variable(pub(crate) u32);

/// The number of a regular expression in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RegexId(pub(crate) u32);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    String(Box<str>),
    Integer(i64),
    Decimal(f64),
    Double(f64),
    Variable(Variable),
    Context,
    Path(Box<Path>),
    Filter {
        base: Box<Expr>,
        predicates: Vec<Predicate>,
    },
    Sequence(Vec<Expr>),
    Or(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    General(Comparison, Box<Expr>, Box<Expr>),
    Value(Comparison, Box<Expr>, Box<Expr>),
    /// `is`, `<<`, `>>`.
    Order(NodeOrder, Box<Expr>, Box<Expr>),
    Arithmetic(Operator, Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    Range(Box<Expr>, Box<Expr>),
    Set(SetOperator, Box<Expr>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    Quantified {
        every: bool,
        variable: Variable,
        within: Box<Expr>,
        satisfies: Box<Expr>,
    },
    For {
        variable: Variable,
        within: Box<Expr>,
        each: Box<Expr>,
    },
    Castable(Box<Expr>, Type, bool),
    Cast(Box<Expr>, Type, bool),
    Call(Function, Vec<Expr>),
    /// `matches`, `replace`, `tokenize` whose pattern is written in the rule.
    Regex {
        function: Function,
        input: Box<Expr>,
        regex: RegexId,
        replacement: Option<Box<Expr>>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeOrder {
    Is,
    Before,
    After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    IntegerDivide,
    Modulo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetOperator {
    Union,
    Intersect,
    Except,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    String,
    Boolean,
    Integer,
    Decimal,
    Double,
    DateTime,
    Date,
    AnyUri,
    Language,
    Untyped,
    NcName,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub(crate) start: Start,
    pub(crate) steps: Vec<Step>,
    /// Walking the steps one inside the other gives document order without repeating a node.
    pub(crate) ordered: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Start {
    Context,
    Root,
    Expr(Expr),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Axis(AxisStep),
    /// A function call or a parenthesised expression as a step.
    Expr {
        expr: Expr,
        predicates: Vec<Predicate>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AxisStep {
    pub(crate) axis: Axis,
    pub(crate) test: Test,
    pub(crate) predicates: Vec<Predicate>,
    /// The step's nodes, in a document that values are looked up in, can be found by this value.
    pub(crate) lookup: Option<Lookup>,
    /// The step's nodes all have a child `templateId` of this root.
    pub(crate) template: Option<Template>,
}

impl AxisStep {
    pub(crate) fn is_positional(&self) -> bool {
        self.predicates.iter().any(|predicate| predicate.positional)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Predicate {
    pub(crate) expr: Expr,
    /// Is a number, may be one, or asks for `position()` or `last()`.
    pub(crate) positional: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lookup {
    /// The attribute whose value is given; the text when `None`.
    pub(crate) attribute: Option<Sym>,
    pub(crate) value: Expr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    Child,
    Attribute,
    Itself,
    Descendant,
    DescendantOrSelf,
    Parent,
    Ancestor,
    AncestorOrSelf,
    FollowingSibling,
    PrecedingSibling,
    Following,
    Preceding,
}

impl Axis {
    pub(crate) fn is_reverse(self) -> bool {
        matches!(self, Self::Parent | Self::Ancestor | Self::AncestorOrSelf | Self::PrecedingSibling | Self::Preceding)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    Named(Sym),
    Any,
    InNamespace(Namespace),
    WithLocal(Local),
    Text,
    Node,
    Comment,
    Instruction,
    Element,
    Attribute,
    DocumentNode,
}

macro_rules! functions {
    ($($variant:ident $name:literal $least:literal $most:literal),* $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Function { $($variant),* }

        impl Function {
            /// All, in the order that compiled schemas are kept with.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// The function of a name with so many arguments; the error says what is wrong with it.
            pub(crate) fn find(name: &str, arguments: usize) -> Result<Self, &'static str> {
                let (function, least, most) = match name {
                    $($name => (Self::$variant, $least, $most),)*
                    _ => return Err("unknown function"),
                };
                if arguments < least || arguments > most {
                    return Err("wrong number of arguments");
                }
                Ok(function)
            }
        }
    };
}

functions! {
    Not "not" 1 1, Count "count" 1 1, ResolveQName "resolve-QName" 2 2, Empty "empty" 1 1, QName "QName" 2 2,
    NamespaceUriFromQName "namespace-uri-from-QName" 1 1, LocalNameFromQName "local-name-from-QName" 1 1,
    Matches "matches" 2 3, StringLength "string-length" 0 1, Substring "substring" 2 3, String "string" 0 1,
    Doc "doc" 1 1, LocalName "local-name" 0 1, EndsWith "ends-with" 2 2, Concat "concat" 2 100,
    Contains "contains" 2 2, SubstringAfter "substring-after" 2 2, SubstringBefore "substring-before" 2 2,
    Number "number" 0 1, NormalizeSpace "normalize-space" 0 1, Name "name" 0 1, Tokenize "tokenize" 2 3,
    DistinctValues "distinct-values" 1 1, StringJoin "string-join" 2 2, Replace "replace" 3 4,
    Document "document" 1 1, StartsWith "starts-with" 2 2, Exists "exists" 1 1, Translate "translate" 3 3,
    UpperCase "upper-case" 1 1, LowerCase "lower-case" 1 1, True "true" 0 0, False "false" 0 0,
    DocAvailable "doc-available" 1 1, IriToUri "iri-to-uri" 1 1, Position "position" 0 0, Last "last" 0 0,
    Boolean "boolean" 1 1, Sum "sum" 1 2, Floor "floor" 1 1, Ceiling "ceiling" 1 1, Round "round" 1 1,
    Abs "abs" 1 1, Data "data" 1 1, Current "current" 0 0, Root "root" 0 1, NamespaceUri "namespace-uri" 0 1,
    Min "min" 1 1, Max "max" 1 1, Avg "avg" 1 1, Reverse "reverse" 1 1, IndexOf "index-of" 2 2,
    Subsequence "subsequence" 2 3, NodeName "node-name" 1 1, StringToCodepoints "string-to-codepoints" 1 1,
    ExactlyOne "exactly-one" 1 1, ZeroOrOne "zero-or-one" 1 1, OneOrMore "one-or-more" 1 1,
    DeepEqual "deep-equal" 2 2,
}
