//! Tokens to an expression: XPath 2.0 §3, without `instance of`, `treat as`, user functions and schema types.

use std::collections::HashMap;

use super::SyntaxError;
use super::ast::{
    Axis, AxisStep, Comparison, Expr, Function, NodeOrder, Operator, Predicate, RegexId, SetOperator, Start, Step,
    Test, Type, Variable,
};
use super::lexer::{Token, tokens};
use super::shape;
use crate::arena::{Names, Strings};

/// Expressions inside one another. Each level costs stack when it is read and when it is run.
const DEPTH: usize = 64;
/// Operators in one expression, for the same reason.
const OPERATORS: usize = 512;
/// Steps of one path, for the same reason.
const STEPS: usize = 128;
/// Bytes of an expression; the longest published one has two thousand.
const LENGTH: usize = 64 * 1024;

/// What an expression is read against, and what it adds.
pub(crate) struct Scope<'s> {
    pub(crate) prefixes: &'s HashMap<String, String>,
    pub(crate) names: &'s Names,
    pub(crate) variables: &'s mut Strings,
    /// Patterns and flags of the regular expressions written in the rules.
    pub(crate) regexes: &'s mut Vec<(Box<str>, Box<str>)>,
}

pub(crate) fn parse(text: &str, scope: &mut Scope<'_>) -> Result<Expr, SyntaxError> {
    if text.len() > LENGTH {
        return Err(SyntaxError::new(0, "the expression is too long"));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, at: 0, depth: 0, operators: 0, scope };
    let expr = parser.expr()?;
    match parser.peek() {
        Token::End => Ok(expr),
        _ => Err(parser.error("the expression should end here")),
    }
}

struct Parser<'t, 'p, 's> {
    tokens: Vec<(Token<'t>, usize)>,
    at: usize,
    depth: usize,
    operators: usize,
    scope: &'p mut Scope<'s>,
}

/// What an operator makes of its two sides.
type Join = fn(Box<Expr>, Box<Expr>) -> Expr;
type Parsed<T = Expr> = Result<T, SyntaxError>;

impl<'t> Parser<'t, '_, '_> {
    fn peek(&self) -> Token<'t> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Token<'t> {
        self.tokens.get(self.at + ahead).map_or(Token::End, |(token, _)| *token)
    }

    fn advance(&mut self) -> Token<'t> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn error(&self, what: &'static str) -> SyntaxError {
        SyntaxError::new(self.tokens.get(self.at).map_or(0, |(_, at)| *at), what)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if found == sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str, what: &'static str) -> Parsed<()> {
        if self.sign(sign) { Ok(()) } else { Err(self.error(what)) }
    }

    /// A word used as an operator: it stands where no step can.
    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Name(None, found) if found == word);
        self.at += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &'static str, what: &'static str) -> Parsed<()> {
        if self.word(word) { Ok(()) } else { Err(self.error(what)) }
    }

    fn expr(&mut self) -> Parsed {
        let first = self.single()?;
        if !self.sign(",") {
            return Ok(first);
        }
        let mut items = vec![first, self.single()?];
        while self.sign(",") {
            items.push(self.single()?);
        }
        Ok(Expr::Sequence(items))
    }

    fn single(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.error("expressions are nested too deep"));
        }
        let expr = match (self.peek(), self.peek_at(1)) {
            (Token::Name(None, "if"), Token::Sign("(")) => self.conditional(),
            (Token::Name(None, "some"), Token::Variable(..)) => self.quantified(false),
            (Token::Name(None, "every"), Token::Variable(..)) => self.quantified(true),
            (Token::Name(None, "for"), Token::Variable(..)) => self.iteration(),
            _ => self.or(),
        };
        self.depth -= 1;
        expr
    }

    fn conditional(&mut self) -> Parsed {
        self.at += 2;
        let test = self.expr()?;
        self.expect(")", "')' is expected after the condition")?;
        self.expect_word("then", "'then' is expected")?;
        let then = self.single()?;
        self.expect_word("else", "'else' is expected")?;
        Ok(Expr::If(Box::new(test), Box::new(then), Box::new(self.single()?)))
    }

    fn bindings(&mut self) -> Parsed<Vec<(Variable, Expr)>> {
        self.at += 1;
        let mut bound = Vec::new();
        loop {
            let Token::Variable(prefix, name) = self.advance() else {
                return Err(self.error("a variable is expected"));
            };
            let variable = self.variable(prefix, name);
            self.expect_word("in", "'in' is expected")?;
            bound.push((variable, self.single()?));
            if !self.sign(",") {
                return Ok(bound);
            }
        }
    }

    fn quantified(&mut self, every: bool) -> Parsed {
        let bound = self.bindings()?;
        self.expect_word("satisfies", "'satisfies' is expected")?;
        let body = self.single()?;
        Ok(bound.into_iter().rev().fold(body, |satisfies, (variable, within)| Expr::Quantified {
            every,
            variable,
            within: Box::new(within),
            satisfies: Box::new(satisfies),
        }))
    }

    fn iteration(&mut self) -> Parsed {
        let bound = self.bindings()?;
        self.expect_word("return", "'return' is expected")?;
        let body = self.single()?;
        Ok(bound.into_iter().rev().fold(body, |each, (variable, within)| Expr::For {
            variable,
            within: Box::new(within),
            each: Box::new(each),
        }))
    }

    /// Operators of one level, left to right. Long chains are deep trees: they are counted over the whole expression.
    fn chain(&mut self, operand: fn(&mut Self) -> Parsed, operator: fn(&mut Self) -> Option<Join>) -> Parsed {
        let mut left = operand(self)?;
        while let Some(join) = operator(self) {
            self.operators += 1;
            if self.operators > OPERATORS {
                return Err(self.error("too many operators in one expression"));
            }
            left = join(Box::new(left), Box::new(operand(self)?));
        }
        Ok(left)
    }

    fn or(&mut self) -> Parsed {
        self.chain(Self::and, |p| p.word("or").then_some(Expr::Or as Join))
    }

    fn and(&mut self) -> Parsed {
        self.chain(Self::comparison, |p| p.word("and").then_some(Expr::And as Join))
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.range()?;
        let (general, comparison) = match self.peek() {
            Token::Sign("=") => (true, Comparison::Equal),
            Token::Sign("!=") => (true, Comparison::NotEqual),
            Token::Sign("<") => (true, Comparison::Less),
            Token::Sign("<=") => (true, Comparison::LessOrEqual),
            Token::Sign(">") => (true, Comparison::Greater),
            Token::Sign(">=") => (true, Comparison::GreaterOrEqual),
            Token::Name(None, "eq") => (false, Comparison::Equal),
            Token::Name(None, "ne") => (false, Comparison::NotEqual),
            Token::Name(None, "lt") => (false, Comparison::Less),
            Token::Name(None, "le") => (false, Comparison::LessOrEqual),
            Token::Name(None, "gt") => (false, Comparison::Greater),
            Token::Name(None, "ge") => (false, Comparison::GreaterOrEqual),
            _ => return self.node_comparison(left),
        };
        self.at += 1;
        let (left, right) = (Box::new(left), Box::new(self.range()?));
        Ok(if general { Expr::General(comparison, left, right) } else { Expr::Value(comparison, left, right) })
    }

    fn node_comparison(&mut self, left: Expr) -> Parsed {
        let order = match self.peek() {
            Token::Name(None, "is") => NodeOrder::Is,
            Token::Sign("<<") => NodeOrder::Before,
            Token::Sign(">>") => NodeOrder::After,
            _ => return Ok(left),
        };
        self.at += 1;
        Ok(Expr::Order(order, Box::new(left), Box::new(self.range()?)))
    }

    fn range(&mut self) -> Parsed {
        let from = self.additive()?;
        if !self.word("to") {
            return Ok(from);
        }
        Ok(Expr::Range(Box::new(from), Box::new(self.additive()?)))
    }

    fn additive(&mut self) -> Parsed {
        self.chain(Self::multiplicative, |p| {
            if p.sign("+") {
                Some(|a, b| Expr::Arithmetic(Operator::Add, a, b))
            } else if p.sign("-") {
                Some(|a, b| Expr::Arithmetic(Operator::Subtract, a, b))
            } else {
                None
            }
        })
    }

    fn multiplicative(&mut self) -> Parsed {
        self.chain(Self::union, |p| {
            let join: Join = match p.peek() {
                Token::Sign("*") => |a, b| Expr::Arithmetic(Operator::Multiply, a, b),
                Token::Name(None, "div") => |a, b| Expr::Arithmetic(Operator::Divide, a, b),
                Token::Name(None, "idiv") => |a, b| Expr::Arithmetic(Operator::IntegerDivide, a, b),
                Token::Name(None, "mod") => |a, b| Expr::Arithmetic(Operator::Modulo, a, b),
                _ => return None,
            };
            p.at += 1;
            Some(join)
        })
    }

    fn union(&mut self) -> Parsed {
        self.chain(Self::intersection, |p| {
            (p.sign("|") || p.word("union")).then_some(|a, b| Expr::Set(SetOperator::Union, a, b))
        })
    }

    fn intersection(&mut self) -> Parsed {
        self.chain(Self::castable, |p| {
            if p.word("intersect") {
                Some(|a, b| Expr::Set(SetOperator::Intersect, a, b))
            } else if p.word("except") {
                Some(|a, b| Expr::Set(SetOperator::Except, a, b))
            } else {
                None
            }
        })
    }

    fn castable(&mut self) -> Parsed {
        let value = self.unary()?;
        match (self.peek(), self.peek_at(1)) {
            (Token::Name(None, "castable"), Token::Name(None, "as")) => {
                self.at += 2;
                let (kind, optional) = self.single_type()?;
                Ok(Expr::Castable(Box::new(value), kind, optional))
            }
            (Token::Name(None, "cast"), Token::Name(None, "as")) => {
                self.at += 2;
                let (kind, optional) = self.single_type()?;
                Ok(Expr::Cast(Box::new(value), kind, optional))
            }
            (Token::Name(None, "instance"), Token::Name(None, "of"))
            | (Token::Name(None, "treat"), Token::Name(None, "as")) => {
                Err(self.error("'instance of' and 'treat as' are not supported"))
            }
            _ => Ok(value),
        }
    }

    fn single_type(&mut self) -> Parsed<(Type, bool)> {
        let Token::Name(prefix, local) = self.advance() else { return Err(self.error("a type is expected")) };
        let kind = self.simple_type(prefix, local).ok_or_else(|| self.error("the type is not supported"))?;
        Ok((kind, self.sign("?")))
    }

    fn simple_type(&self, prefix: Option<&str>, local: &str) -> Option<Type> {
        let declared = prefix.and_then(|prefix| self.scope.prefixes.get(prefix)).map(String::as_str);
        let schema = matches!(declared, Some("http://www.w3.org/2001/XMLSchema"))
            || (declared.is_none() && matches!(prefix, Some("xs" | "xsd")));
        match local {
            _ if !schema => None,
            "string" => Some(Type::String),
            "boolean" => Some(Type::Boolean),
            "integer" => Some(Type::Integer),
            "decimal" => Some(Type::Decimal),
            "double" | "float" => Some(Type::Double),
            "dateTime" => Some(Type::DateTime),
            "date" => Some(Type::Date),
            "anyURI" => Some(Type::AnyUri),
            "language" => Some(Type::Language),
            "untypedAtomic" => Some(Type::Untyped),
            "NCName" => Some(Type::NcName),
            _ => None,
        }
    }

    fn unary(&mut self) -> Parsed {
        let mut negative = false;
        loop {
            if self.sign("-") {
                negative = !negative;
            } else if !self.sign("+") {
                break;
            }
        }
        let value = self.path()?;
        Ok(if negative { Expr::Negate(Box::new(value)) } else { value })
    }

    fn path(&mut self) -> Parsed {
        let mut steps = Vec::new();
        let start = if self.sign("//") {
            steps.push(shape::any_below());
            Start::Root
        } else if self.sign("/") {
            if !self.starts_step() {
                return Ok(shape::path(Start::Root, steps));
            }
            Start::Root
        } else {
            match self.step()? {
                first @ Step::Axis(_) => steps.push(first),
                Step::Expr { expr, predicates } => {
                    let base = shape::filter(expr, predicates);
                    if !matches!(self.peek(), Token::Sign("/" | "//")) {
                        return Ok(base);
                    }
                    return self.steps(if base == Expr::Context { Start::Context } else { Start::Expr(base) }, steps);
                }
            }
            return self.steps(Start::Context, steps);
        };
        let step = self.step()?;
        shape::push(&mut steps, step);
        self.steps(start, steps)
    }

    fn steps(&mut self, start: Start, mut steps: Vec<Step>) -> Parsed {
        loop {
            if self.sign("//") {
                steps.push(shape::any_below());
            } else if !self.sign("/") {
                return Ok(shape::path(start, steps));
            }
            let step = self.step()?;
            shape::push(&mut steps, step);
            if steps.len() > STEPS {
                return Err(self.error("too many steps in one path"));
            }
        }
    }

    fn starts_step(&self) -> bool {
        match self.peek() {
            Token::Name(..) | Token::Literal(..) | Token::Variable(..) => true,
            Token::Integer(_) | Token::Decimal(_) | Token::Double(_) => true,
            Token::Sign(sign) => matches!(sign, "@" | "*" | "." | ".." | "("),
            Token::End => false,
        }
    }

    fn step(&mut self) -> Parsed<Step> {
        match self.peek() {
            Token::Sign("..") => {
                self.at += 1;
                self.axis_step(Axis::Parent, Test::Node)
            }
            Token::Sign("@") => {
                self.at += 1;
                let test = self.test(Axis::Attribute)?;
                self.axis_step(Axis::Attribute, test)
            }
            Token::Sign("*") => {
                let test = self.test(Axis::Child)?;
                self.axis_step(Axis::Child, test)
            }
            Token::Name(None, name) if self.peek_at(1) == Token::Sign("::") => {
                let axis = axis(name).ok_or_else(|| self.error("unknown axis"))?;
                self.at += 2;
                let test = self.test(axis)?;
                self.axis_step(axis, test)
            }
            Token::Name(prefix, name) if self.peek_at(1) != Token::Sign("(") || is_kind_test(prefix, name) => {
                let test = self.test(Axis::Child)?;
                let axis = if test == Test::Attribute { Axis::Attribute } else { Axis::Child };
                self.axis_step(axis, test)
            }
            _ => {
                let expr = self.primary()?;
                let predicates = self.predicates()?;
                Ok(Step::Expr { expr, predicates })
            }
        }
    }

    fn axis_step(&mut self, axis: Axis, test: Test) -> Parsed<Step> {
        let predicates = self.predicates()?;
        let names = self.scope.names;
        let template = shape::template_asked(&predicates, names).map(|root| names.template(root));
        Ok(Step::Axis(AxisStep { axis, test, predicates, lookup: None, template }))
    }

    fn predicates(&mut self) -> Parsed<Vec<Predicate>> {
        let mut found = Vec::new();
        while self.sign("[") {
            let expr = self.expr()?;
            self.expect("]", "']' is expected")?;
            found.push(Predicate { positional: shape::is_positional(&expr), expr });
        }
        Ok(found)
    }

    fn test(&mut self, axis: Axis) -> Parsed<Test> {
        let start = self.at;
        match self.advance() {
            Token::Sign("*") => Ok(Test::Any),
            Token::Name(prefix, name) if self.peek() == Token::Sign("(") && is_kind_test(prefix, name) => {
                self.kind_test(name)
            }
            Token::Name(None, local) => Ok(Test::Named(self.scope.names.intern("", local))),
            Token::Name(Some("*"), local) => Ok(Test::WithLocal(self.scope.names.local(local))),
            Token::Name(Some(prefix), local) => {
                self.at = start;
                let uri = self.namespace(prefix)?;
                self.at = start + 1;
                Ok(match local {
                    "*" => Test::InNamespace(self.scope.names.namespace(&uri)),
                    _ => Test::Named(self.scope.names.intern(&uri, local)),
                })
            }
            _ => {
                self.at = start;
                Err(self.error(if axis == Axis::Attribute { "an attribute is expected" } else { "a step is expected" }))
            }
        }
    }

    fn kind_test(&mut self, name: &str) -> Parsed<Test> {
        self.at += 1;
        let test = match name {
            "text" => Test::Text,
            "node" => Test::Node,
            "comment" => Test::Comment,
            "processing-instruction" => Test::Instruction,
            "element" => Test::Element,
            "attribute" => Test::Attribute,
            _ => Test::DocumentNode,
        };
        self.sign("*");
        self.expect(")", "a kind test with an argument is not supported")?;
        Ok(test)
    }

    fn namespace(&self, prefix: &str) -> Parsed<String> {
        if let Some(uri) = self.scope.prefixes.get(prefix) {
            return Ok(uri.clone());
        }
        match prefix {
            "xml" => Ok("http://www.w3.org/XML/1998/namespace".to_owned()),
            _ => Err(self.error("the prefix is not declared by an ns element")),
        }
    }

    fn primary(&mut self) -> Parsed {
        match self.advance() {
            Token::Literal(text, quote) => {
                let doubled = [quote, quote].iter().collect::<String>();
                Ok(Expr::String(text.replace(&doubled, &quote.to_string()).into()))
            }
            Token::Integer(digits) => match digits.parse() {
                Ok(value) => Ok(Expr::Integer(value)),
                Err(_) => Ok(Expr::Double(digits.parse().unwrap_or(f64::INFINITY))),
            },
            Token::Decimal(digits) => Ok(Expr::Decimal(digits.parse().unwrap_or(f64::NAN))),
            Token::Double(digits) => Ok(Expr::Double(digits.parse().unwrap_or(f64::NAN))),
            Token::Variable(prefix, name) => Ok(Expr::Variable(self.variable(prefix, name))),
            Token::Sign(".") => Ok(Expr::Context),
            Token::Sign("(") => {
                if self.sign(")") {
                    return Ok(Expr::Sequence(Vec::new()));
                }
                let inner = self.expr()?;
                self.expect(")", "')' is expected")?;
                Ok(inner)
            }
            Token::Name(prefix, name) => {
                let at = self.at - 1;
                self.call(prefix, name, at)
            }
            _ => {
                self.at -= 1;
                Err(self.error("an expression is expected"))
            }
        }
    }

    fn variable(&mut self, prefix: Option<&str>, name: &str) -> Variable {
        let key = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}:{name}"));
        Variable(self.scope.variables.intern(&key))
    }

    fn call(&mut self, prefix: Option<&str>, name: &str, at: usize) -> Parsed {
        self.expect("(", "a step or a function call is expected")?;
        let mut arguments = Vec::new();
        if !self.sign(")") {
            arguments.push(self.single()?);
            while self.sign(",") {
                arguments.push(self.single()?);
            }
            self.expect(")", "')' is expected after the arguments")?;
        }
        let refuse = |parser: &mut Self, what| {
            parser.at = at;
            Err(parser.error(what))
        };
        if let Some(kind) = self.simple_type(prefix, name) {
            let [argument] = <[Expr; 1]>::try_from(arguments)
                .map_err(|_| SyntaxError::new(self.tokens[at].1, "wrong number of arguments"))?;
            return Ok(Expr::Cast(Box::new(argument), kind, true));
        }
        if !matches!(prefix, None | Some("fn")) {
            return refuse(self, "unknown function");
        }
        match Function::find(name, arguments.len()) {
            Ok(function) => Ok(self.with_regex(function, arguments)),
            Err(what) => refuse(self, what),
        }
    }

    /// Regular expressions written in the rule are compiled once for all.
    fn with_regex(&mut self, function: Function, mut arguments: Vec<Expr>) -> Expr {
        let flags_at = match function {
            Function::Matches | Function::Tokenize => 2,
            Function::Replace => 3,
            _ => return Expr::Call(function, arguments),
        };
        let flags = match arguments.get(flags_at) {
            None => "",
            Some(Expr::String(flags)) => flags,
            Some(_) => return Expr::Call(function, arguments),
        };
        let Some(Expr::String(pattern)) = arguments.get(1) else { return Expr::Call(function, arguments) };
        let regex = (pattern.clone(), Box::from(flags));
        let known = self.scope.regexes.iter().position(|known| *known == regex).unwrap_or_else(|| {
            self.scope.regexes.push(regex);
            self.scope.regexes.len() - 1
        });
        let replacement = (function == Function::Replace).then(|| Box::new(arguments.swap_remove(2)));
        let input = Box::new(arguments.swap_remove(0));
        Expr::Regex { function, input, regex: RegexId(u32::try_from(known).unwrap_or(u32::MAX)), replacement }
    }
}

fn axis(name: &str) -> Option<Axis> {
    Some(match name {
        "child" => Axis::Child,
        "attribute" => Axis::Attribute,
        "self" => Axis::Itself,
        "descendant" => Axis::Descendant,
        "descendant-or-self" => Axis::DescendantOrSelf,
        "parent" => Axis::Parent,
        "ancestor" => Axis::Ancestor,
        "ancestor-or-self" => Axis::AncestorOrSelf,
        "following-sibling" => Axis::FollowingSibling,
        "preceding-sibling" => Axis::PrecedingSibling,
        "following" => Axis::Following,
        "preceding" => Axis::Preceding,
        _ => return None,
    })
}

fn is_kind_test(prefix: Option<&str>, name: &str) -> bool {
    prefix.is_none()
        && matches!(
            name,
            "text" | "node" | "comment" | "processing-instruction" | "element" | "attribute" | "document-node"
        )
}
