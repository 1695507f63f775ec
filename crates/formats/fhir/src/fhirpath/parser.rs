//! Tokens to expressions, by precedence (FHIRPath 2.0 §6.8 and appendix B).
//!
//! Depth is bounded, of brackets and of chains alike: everything after the parser may recurse.

use super::ast::{Binary, Expr, Literal, Node, TypeName, Unit};
use super::error::{ErrorKind, FhirPathError, Result};
use super::lexer::{Lexed, Sign, Token, lex};
use super::temporal::CalendarUnit;

/// Expressions inside each other; the deepest of R4 has about 50.
const MAX_DEPTH: u16 = 200;
/// Operators in a row.
const MAX_CHAIN: u16 = 1000;

pub(super) fn parse(text: &str) -> Result<Expr> {
    let mut parser = Parser { tokens: lex(text)?, at: 0, nesting: 0 };
    let expr = parser.expression(0)?;
    match parser.token() {
        Token::End => Ok(expr),
        _ => parser.fail(ErrorKind::Expected("an operator")),
    }
}

struct Parser {
    tokens: Vec<Lexed>,
    at: usize,
    nesting: u16,
}

/// How tightly an operator binds; unary signs, indexers and dots bind tighter than all of these.
const TYPE_LEVEL: u8 = 8;

impl Parser {
    /// An expression whose operators bind at least as tightly as `level`.
    fn expression(&mut self, level: u8) -> Result<Expr> {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return self.fail(ErrorKind::TooComplex);
        }
        let mut left = self.unary()?;
        for length in 0.. {
            if length > MAX_CHAIN {
                return self.fail(ErrorKind::TooComplex);
            }
            if let Some(is_test) = self.type_operator().filter(|_| TYPE_LEVEL >= level) {
                left = self.type_operation(left, is_test)?;
                continue;
            }
            let Some((operator, binds)) = self.operator().filter(|(_, binds)| *binds >= level) else { break };
            let at = self.place();
            self.at += 1;
            let right = self.expression(binds + 1)?;
            let depth = (left.depth - 1).max(right.depth);
            let node = Node::Binary { operator, left: Box::new(left), right: Box::new(right) };
            left = self.expr(node, at, depth)?;
        }
        self.nesting -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<(Binary, u8)> {
        let by_sign = |sign| match sign {
            Sign::Pipe => Some((Binary::Union, 7)),
            Sign::Less => Some((Binary::Less, 6)),
            Sign::LessOrEqual => Some((Binary::LessOrEqual, 6)),
            Sign::Greater => Some((Binary::Greater, 6)),
            Sign::GreaterOrEqual => Some((Binary::GreaterOrEqual, 6)),
            Sign::Equal => Some((Binary::Equal, 5)),
            Sign::NotEqual => Some((Binary::NotEqual, 5)),
            Sign::Equivalent => Some((Binary::Equivalent, 5)),
            Sign::NotEquivalent => Some((Binary::NotEquivalent, 5)),
            Sign::Plus => Some((Binary::Plus, 9)),
            Sign::Minus => Some((Binary::Minus, 9)),
            Sign::Ampersand => Some((Binary::Concatenate, 9)),
            Sign::Times => Some((Binary::Times, 10)),
            Sign::Over => Some((Binary::Over, 10)),
            _ => None,
        };
        match self.token() {
            Token::Sign(sign) => by_sign(*sign),
            Token::Name(name) => match &**name {
                "in" => Some((Binary::In, 4)),
                "contains" => Some((Binary::Contains, 4)),
                "and" => Some((Binary::And, 3)),
                "or" => Some((Binary::Or, 2)),
                "xor" => Some((Binary::Xor, 2)),
                "implies" => Some((Binary::Implies, 1)),
                "div" => Some((Binary::Div, 10)),
                "mod" => Some((Binary::Mod, 10)),
                _ => None,
            },
            _ => None,
        }
    }

    fn type_operator(&self) -> Option<bool> {
        match self.token() {
            Token::Name(name) if &**name == "is" => Some(true),
            Token::Name(name) if &**name == "as" => Some(false),
            _ => None,
        }
    }

    fn type_operation(&mut self, operand: Expr, is_test: bool) -> Result<Expr> {
        let at = self.place();
        self.at += 1;
        let first = self.type_part()?;
        let specifier = if self.take(Sign::Dot) {
            TypeName { namespace: Some(first), name: self.type_part()? }
        } else {
            TypeName { namespace: None, name: first }
        };
        let depth = operand.depth;
        self.expr(Node::Type { is_test, operand: Box::new(operand), specifier }, at, depth)
    }

    fn type_part(&mut self) -> Result<Box<str>> {
        match self.token() {
            Token::Name(name) | Token::Quoted(name) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => self.fail(ErrorKind::Expected("a type")),
        }
    }

    fn unary(&mut self) -> Result<Expr> {
        let at = self.place();
        let is_minus = match self.token() {
            Token::Sign(Sign::Minus) => true,
            Token::Sign(Sign::Plus) => false,
            _ => return self.path(),
        };
        self.at += 1;
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return self.fail(ErrorKind::TooComplex);
        }
        let operand = self.unary()?;
        self.nesting -= 1;
        let depth = operand.depth;
        self.expr(Node::Polarity { is_minus, operand: Box::new(operand) }, at, depth)
    }

    /// A term with its dots and indexers.
    fn path(&mut self) -> Result<Expr> {
        let mut base = self.term()?;
        loop {
            if self.take(Sign::Dot) {
                base = self.invocation(Some(base))?;
            } else if *self.token() == Token::Sign(Sign::OpenSquare) {
                let at = self.place();
                self.at += 1;
                let index = self.expression(0)?;
                self.expect(Sign::CloseSquare, "]")?;
                let depth = base.depth.max(index.depth);
                base = self.expr(Node::Indexer { base: Box::new(base), index: Box::new(index) }, at, depth)?;
            } else {
                return Ok(base);
            }
        }
    }

    fn term(&mut self) -> Result<Expr> {
        let at = self.place();
        let literal = match self.token().clone() {
            Token::Sign(Sign::OpenBracket) => {
                self.at += 1;
                let inner = self.expression(0)?;
                self.expect(Sign::CloseBracket, ")")?;
                return Ok(inner);
            }
            Token::Sign(Sign::OpenBrace) => {
                self.at += 1;
                self.expect(Sign::CloseBrace, "}")?;
                return self.expr(Node::Empty, at, 0);
            }
            Token::External(name) => {
                self.at += 1;
                return self.expr(Node::External(name), at, 0);
            }
            Token::String(text) => Literal::String(text),
            Token::Integer(value) => Literal::Integer(value),
            Token::Decimal(value) => Literal::Decimal(value.0),
            Token::Temporal(value) => Literal::Temporal(value.0),
            Token::TimeWithZone => Literal::TimeWithZone,
            Token::Name(name) if &*name == "true" => Literal::Boolean(true),
            Token::Name(name) if &*name == "false" => Literal::Boolean(false),
            _ => return self.invocation(None),
        };
        self.at += 1;
        let literal = self.with_unit(literal);
        self.expr(Node::Literal(literal), at, 0)
    }

    /// A number that a unit follows is a quantity.
    fn with_unit(&mut self, literal: Literal) -> Literal {
        let value = match &literal {
            Literal::Integer(value) => (*value).into(),
            Literal::Decimal(value) => *value,
            _ => return literal,
        };
        let unit = match self.token() {
            Token::String(code) => Unit::Code(code.clone()),
            Token::Name(name) => match CalendarUnit::named(name) {
                Some(unit) => Unit::Calendar(unit),
                None => return literal,
            },
            _ => return literal,
        };
        self.at += 1;
        Literal::Quantity(value, unit)
    }

    /// A name, a function or a variable, after a dot or at the start.
    fn invocation(&mut self, base: Option<Expr>) -> Result<Expr> {
        let at = self.place();
        let depth = base.as_ref().map_or(0, |base| base.depth);
        let base = base.map(Box::new);
        let (name, is_quoted) = match self.token().clone() {
            Token::Name(name) => (name, false),
            Token::Quoted(name) => (name, true),
            Token::Dollar(name) if base.is_none() => {
                let node = match &*name {
                    "this" => Node::This,
                    "index" => Node::Index,
                    "total" => Node::Total,
                    _ => return self.fail(ErrorKind::Expected("$this, $index, $total")),
                };
                self.at += 1;
                return self.expr(node, at, 0);
            }
            _ => return self.fail(ErrorKind::Expected("a value or a name")),
        };
        self.at += 1;
        if is_quoted || !self.take(Sign::OpenBracket) {
            return self.expr(Node::Member { base, name }, at, depth);
        }
        let arguments = self.arguments()?;
        let depth = arguments.iter().fold(depth, |depth, argument| depth.max(argument.depth));
        self.expr(Node::Call { base, name, arguments }, at, depth)
    }

    fn arguments(&mut self) -> Result<Vec<Expr>> {
        let mut arguments = Vec::new();
        if self.take(Sign::CloseBracket) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression(0)?);
            if self.take(Sign::CloseBracket) {
                return Ok(arguments);
            }
            self.expect(Sign::Comma, ", or )")?;
        }
    }

    fn expr(&self, node: Node, at: u32, inner: u16) -> Result<Expr> {
        if inner >= MAX_DEPTH {
            return Err(FhirPathError::new(ErrorKind::TooComplex, at));
        }
        Ok(Expr { node, at, depth: inner + 1 })
    }

    fn take(&mut self, sign: Sign) -> bool {
        let is_there = *self.token() == Token::Sign(sign);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, sign: Sign, text: &'static str) -> Result<()> {
        if self.take(sign) { Ok(()) } else { self.fail(ErrorKind::Expected(text)) }
    }

    fn token(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |lexed| &lexed.token)
    }

    fn place(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |lexed| lexed.at)
    }

    fn fail<T>(&self, kind: ErrorKind) -> Result<T> {
        Err(FhirPathError::new(kind, self.place()))
    }
}
