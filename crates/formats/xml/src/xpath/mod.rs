//! XPath 2.0 as the French Schematron files use it: read once, run on an [`Arena`](crate::arena::Arena).
//!
//! Order: errors, [`Expression`] for whoever has one question to ask; inside, `lexer` and `parse` (text to tree),
//! `ast`, `shape` (what can be told before running), `value` (items and comparisons), `eval`, `axes`, `functions`. The
//! semantics are those of XPath 2.0 with XSLT 2.0: values of a document are untyped, so that two of them compare as
//! strings; a value that should be a number and is not is an error, never "false".
//!
//! Absent on purpose: `instance of`, `treat as`, collations, schema types, user functions, network. What is not
//! supported is an error when the expression is read, so that no rule passes because it was not understood.

pub(crate) mod ast;
mod axes;
mod eval;
mod functions;
mod lexer;
mod moment;
pub(crate) mod parse;
mod pattern;
mod shape;
mod value;

use std::collections::HashMap;
use std::fmt;

pub(crate) use eval::{Documents, Evaluation, Focus, Missing, RULES_BUDGET};
use eval::{EXPRESSION_BUDGET, NoDocuments};
pub use moment::Moment;
pub(crate) use pattern::{Pattern, Patterns};
pub(crate) use shape::free_variables;
pub use value::{Item, Sequence};

use crate::arena::{Generation, Names, NodeRef, Strings};

/// An expression that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at byte {at} of the expression)")]
pub struct SyntaxError {
    /// Byte in the expression.
    pub at: usize,
    /// What is wrong with it, in English.
    pub what: &'static str,
}

impl SyntaxError {
    fn new(at: usize, what: &'static str) -> Self {
        Self { at, what }
    }
}

/// The kind of a failure while an expression is run, with the code of W3C XPath and XQuery Functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A value that its type does not allow.
    BadValue,
    /// A type that is not allowed here, or several items where one is.
    Type,
    /// An unknown variable.
    Variable,
    /// There is no context item.
    Context,
    /// A document that cannot be read.
    Document,
    /// A prefix that is not declared.
    Prefix,
    /// A regular expression that is none.
    Regex,
    /// Division by zero, or a number too large.
    Arithmetic,
    /// More steps than one run may take.
    Budget,
    /// Rules and document do not belong together: the document was built before the rules were read.
    Stale,
}

impl Code {
    /// The standard's code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadValue => "FORG0001",
            Self::Type => "XPTY0004",
            Self::Variable => "XPST0008",
            Self::Context => "XPDY0002",
            Self::Document => "FODC0002",
            Self::Prefix => "FONS0004",
            Self::Regex => "FORX0002",
            Self::Arithmetic => "FOAR0002",
            Self::Budget => "SOCLE001",
            Self::Stale => "SOCLE002",
        }
    }
}

/// An expression that could be read and not be run to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XPathError {
    /// Of which kind.
    pub code: Code,
    /// What happened, in English, without values of the document.
    pub what: &'static str,
    /// The document that is missing, for [`Code::Document`].
    pub document: Option<Box<str>>,
}

impl XPathError {
    pub(crate) fn new(code: Code, what: &'static str) -> Self {
        Self { code, what, document: None }
    }
}

impl fmt::Display for XPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.what)
    }
}

impl std::error::Error for XPathError {}

/// One expression, ready to be run on any document whose arena was built with the same names, after it.
#[derive(Debug)]
pub struct Expression {
    expr: ast::Expr,
    regexes: Patterns,
    generation: Generation,
}

impl Expression {
    /// Reads an expression; `prefixes` are (prefix, namespace).
    ///
    /// # Errors
    /// The first place that is not XPath, or not of the supported part.
    pub fn read(text: &str, prefixes: &[(&str, &str)], names: &Names) -> Result<Self, SyntaxError> {
        let prefixes: HashMap<String, String> =
            prefixes.iter().map(|(prefix, uri)| ((*prefix).to_owned(), (*uri).to_owned())).collect();
        let (mut variables, mut regexes) = (Strings::default(), Vec::new());
        let mut scope = parse::Scope { prefixes: &prefixes, names, variables: &mut variables, regexes: &mut regexes };
        let expr = parse::parse(text, &mut scope)?;
        let regexes = Patterns::new(regexes.into_iter().map(|(pattern, flags)| Pattern::new(pattern, flags)).collect());
        Ok(Self { expr, regexes, generation: names.generation() })
    }

    /// The items that it gives at a node.
    ///
    /// # Errors
    /// What XPath calls a dynamic error, and too many steps.
    pub fn evaluate<'a>(&'a self, node: NodeRef<'a>) -> Result<Sequence<'a>, XPathError> {
        self.evaluation(node)?.items(&self.expr, Focus::on(&Item::Node(node)))
    }

    /// Its effective boolean value at a node.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn holds(&self, node: NodeRef<'_>) -> Result<bool, XPathError> {
        self.evaluation(node)?.truth(&self.expr, Focus::on(&Item::Node(node)))
    }

    fn evaluation<'a>(&'a self, node: NodeRef<'a>) -> Result<Evaluation<'a>, XPathError> {
        if !node.arena.knows(self.generation) {
            return Err(XPathError::new(Code::Stale, "the document was built before the expression was read"));
        }
        Ok(Evaluation::new(node.arena, &self.regexes, Box::new(NoDocuments), 0, EXPRESSION_BUDGET))
    }
}
