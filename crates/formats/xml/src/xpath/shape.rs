//! What can be told of an expression before it is run: whether a predicate counts positions, whether a path gives its
//! nodes in order, which index finds its nodes.

use super::ast::{Axis, AxisStep, Comparison, Expr, Function, Lookup, Path, Predicate, Start, Step, Test};
use crate::arena::{Names, Sym};

/// `descendant-or-self::node()`, which `//` stands for.
pub(super) fn any_below() -> Step {
    let (axis, test) = (Axis::DescendantOrSelf, Test::Node);
    Step::Axis(AxisStep { axis, test, predicates: Vec::new(), lookup: None, template: None })
}

/// Adds a step; `//` and a child that counts no positions become one step down.
pub(super) fn push(steps: &mut Vec<Step>, mut step: Step) {
    if let Step::Expr { expr: Expr::Context, predicates } = &mut step {
        let predicates = std::mem::take(predicates);
        let itself = AxisStep { axis: Axis::Itself, test: Test::Node, predicates, lookup: None, template: None };
        step = Step::Axis(itself);
    }
    if let (Some(last), Step::Axis(next)) = (steps.last(), &mut step)
        && *last == any_below()
        && next.axis == Axis::Child
        && !next.is_positional()
    {
        next.axis = Axis::Descendant;
        next.lookup = lookup(&next.predicates);
        steps.pop();
    }
    steps.push(step);
}

pub(super) fn filter(base: Expr, predicates: Vec<Predicate>) -> Expr {
    if predicates.is_empty() { base } else { Expr::Filter { base: Box::new(base), predicates } }
}

pub(super) fn path(start: Start, steps: Vec<Step>) -> Expr {
    let ordered = is_ordered(&start, &steps);
    Expr::Path(Box::new(Path { start, steps, ordered }))
}

/// What is known of the nodes after some steps.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    /// At most one.
    One,
    /// In document order, none below another.
    Flat,
    /// In document order, once each.
    Nested,
    /// Nothing.
    Unknown,
}

fn is_ordered(start: &Start, steps: &[Step]) -> bool {
    let first = match start {
        Start::Context | Start::Root => Order::One,
        Start::Expr(Expr::Call(Function::Root | Function::Current | Function::Doc, _)) => Order::One,
        Start::Expr(_) => Order::Unknown,
    };
    steps.iter().fold(first, after) != Order::Unknown
}

fn after(order: Order, step: &Step) -> Order {
    use Order::{Flat, Nested, One, Unknown};
    let step = match step {
        Step::Axis(step) => step,
        // Values stay in the order of the nodes that they were made from; they are the last step or an error.
        Step::Expr { expr, .. } if kind(expr).is_value() => return order,
        Step::Expr { .. } => return Unknown,
    };
    match (step.axis, order) {
        (_, Unknown) => Unknown,
        (Axis::Itself, order) => order,
        (Axis::Child | Axis::Attribute, One | Flat) | (Axis::FollowingSibling, One) => Flat,
        (Axis::Descendant | Axis::DescendantOrSelf, One | Flat) | (Axis::Following, One) => Nested,
        (Axis::Attribute, Nested) => Nested,
        (Axis::Parent, One) => One,
        _ => Unknown,
    }
}

/// What an expression gives, as far as its text tells.
#[derive(Clone, Copy, PartialEq)]
enum Gives {
    Nodes,
    Boolean,
    Text,
    Number,
    Unknown,
}

impl Gives {
    fn is_value(self) -> bool {
        matches!(self, Self::Boolean | Self::Text | Self::Number)
    }
}

fn kind(expr: &Expr) -> Gives {
    match expr {
        Expr::String(_) => Gives::Text,
        Expr::Integer(_) | Expr::Decimal(_) | Expr::Double(_) | Expr::Arithmetic(..) | Expr::Negate(_) => Gives::Number,
        Expr::Or(..)
        | Expr::And(..)
        | Expr::General(..)
        | Expr::Value(..)
        | Expr::Order(..)
        | Expr::Quantified { .. }
        | Expr::Castable(..)
        | Expr::Regex { function: Function::Matches, .. } => Gives::Boolean,
        Expr::Regex { .. } => Gives::Text,
        Expr::Set(..) => Gives::Nodes,
        Expr::Path(path) => match path.steps.last() {
            Some(Step::Expr { expr, .. }) => kind(expr),
            _ => Gives::Nodes,
        },
        Expr::If(_, then, otherwise) if kind(then) == kind(otherwise) => kind(then),
        Expr::Filter { base, .. } => kind(base),
        Expr::Call(function, _) => kind_of_call(*function),
        _ => Gives::Unknown,
    }
}

fn kind_of_call(function: Function) -> Gives {
    use Function as F;
    match function {
        F::Not | F::Empty | F::Exists | F::True | F::False | F::Boolean | F::DocAvailable | F::DeepEqual => {
            Gives::Boolean
        }
        F::Matches | F::Contains | F::StartsWith | F::EndsWith => Gives::Boolean,
        F::String | F::Concat | F::Substring | F::SubstringBefore | F::SubstringAfter | F::NormalizeSpace => {
            Gives::Text
        }
        F::Name | F::LocalName | F::NamespaceUri | F::StringJoin | F::Replace | F::Translate => Gives::Text,
        F::UpperCase | F::LowerCase | F::IriToUri | F::Tokenize | F::LocalNameFromQName => Gives::Text,
        F::NamespaceUriFromQName => Gives::Text,
        F::Doc | F::Document | F::Root => Gives::Nodes,
        F::Count | F::Number | F::StringLength | F::Position | F::Last | F::Sum | F::Floor | F::Ceiling => {
            Gives::Number
        }
        F::Round | F::Abs | F::StringToCodepoints => Gives::Number,
        _ => Gives::Unknown,
    }
}

/// Must the place of a node among the others be known to judge it?
pub(super) fn is_positional(predicate: &Expr) -> bool {
    matches!(kind(predicate), Gives::Number | Gives::Unknown) || asks_position(predicate)
}

fn asks_position(expr: &Expr) -> bool {
    match expr {
        Expr::Call(Function::Position | Function::Last, _) => true,
        other => children(other).into_iter().any(asks_position),
    }
}

/// Does it give the same whatever the node it is asked of?
fn is_free(expr: &Expr) -> bool {
    match expr {
        Expr::Context => false,
        Expr::Path(path) if path.start == Start::Context || path.start == Start::Root => false,
        Expr::Call(function, arguments) if arguments.is_empty() => matches!(function, Function::True | Function::False),
        other => children(other).into_iter().all(is_free),
    }
}

/// The expressions right below one, those of its steps and predicates included.
fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::String(_) | Expr::Integer(_) | Expr::Decimal(_) | Expr::Double(_) => Vec::new(),
        Expr::Variable(_) | Expr::Context => Vec::new(),
        Expr::Path(path) => {
            let start = if let Start::Expr(expr) = &path.start { Some(expr) } else { None };
            start.into_iter().chain(path.steps.iter().flat_map(step_children)).collect()
        }
        Expr::Filter { base, predicates } => {
            std::iter::once(&**base).chain(predicates.iter().map(|predicate| &predicate.expr)).collect()
        }
        Expr::Sequence(items) | Expr::Call(_, items) => items.iter().collect(),
        Expr::Or(a, b) | Expr::And(a, b) | Expr::Range(a, b) => vec![a, b],
        Expr::General(_, a, b) | Expr::Value(_, a, b) => vec![a, b],
        Expr::Order(_, a, b) => vec![a, b],
        Expr::Arithmetic(_, a, b) => vec![a, b],
        Expr::Set(_, a, b) => vec![a, b],
        Expr::Negate(a) | Expr::Castable(a, ..) | Expr::Cast(a, ..) => vec![a],
        Expr::If(a, b, c) => vec![a, b, c],
        Expr::Quantified { within, satisfies, .. } => vec![within, satisfies],
        Expr::For { within, each, .. } => vec![within, each],
        Expr::Regex { input, replacement, .. } => std::iter::once(&**input).chain(replacement.as_deref()).collect(),
    }
}

fn step_children(step: &Step) -> Vec<&Expr> {
    match step {
        Step::Axis(step) => step.predicates.iter().map(|predicate| &predicate.expr).collect(),
        Step::Expr { expr, predicates } => {
            std::iter::once(expr).chain(predicates.iter().map(|predicate| &predicate.expr)).collect()
        }
    }
}

/// The conditions that must all hold.
fn conditions<'e>(expr: &'e Expr, found: &mut Vec<&'e Expr>) {
    match expr {
        Expr::And(a, b) => {
            conditions(a, found);
            conditions(b, found);
        }
        other => found.push(other),
    }
}

fn all_conditions(predicates: &[Predicate]) -> Vec<&Expr> {
    let mut found = Vec::new();
    for predicate in predicates.iter().filter(|predicate| !predicate.positional) {
        conditions(&predicate.expr, &mut found);
    }
    found
}

/// `@a = E` or `text() = E` where E does not depend on the candidate: an index can answer.
fn lookup(predicates: &[Predicate]) -> Option<Lookup> {
    let conditions = all_conditions(predicates);
    conditions.into_iter().find_map(|condition| {
        let Expr::General(Comparison::Equal, left, right) = condition else { return None };
        [(left, right), (right, left)].into_iter().find_map(|(key, value)| {
            let attribute = key_of(key)?;
            is_free(value).then(|| Lookup { attribute, value: (**value).clone() })
        })
    })
}

/// The attribute, or the text (`None`), that an expression names.
fn key_of(expr: &Expr) -> Option<Option<Sym>> {
    let Expr::Path(path) = expr else { return None };
    let (Start::Context, [Step::Axis(step)]) = (&path.start, path.steps.as_slice()) else { return None };
    match (step.axis, step.test, step.predicates.is_empty()) {
        (Axis::Attribute, Test::Named(sym), true) => Some(Some(sym)),
        (Axis::Child, Test::Text, true) => Some(None),
        _ => None,
    }
}

/// The root of a child `templateId` that the predicates ask for: `templateId/@root = 'X'`, `templateId[@root = 'X']`.
pub(super) fn template_asked<'e>(predicates: &'e [Predicate], names: &Names) -> Option<&'e str> {
    all_conditions(predicates).into_iter().find_map(|condition| match condition {
        Expr::General(Comparison::Equal, left, right) => {
            let (path, root) = literal_beside(left, right)?;
            let [Step::Axis(child), Step::Axis(attribute)] = path.steps.as_slice() else { return None };
            (path.start == Start::Context && is_template(child, names) && is_root(attribute, names)).then_some(root)
        }
        Expr::Path(path) if path.start == Start::Context => {
            let [Step::Axis(child)] = path.steps.as_slice() else { return None };
            if !is_template(child, names) {
                return None;
            }
            all_conditions(&child.predicates).into_iter().find_map(|condition| {
                let Expr::General(Comparison::Equal, left, right) = condition else { return None };
                let (path, root) = literal_beside(left, right)?;
                let [Step::Axis(attribute)] = path.steps.as_slice() else { return None };
                (path.start == Start::Context && is_root(attribute, names)).then_some(root)
            })
        }
        _ => None,
    })
}

fn literal_beside<'e>(left: &'e Expr, right: &'e Expr) -> Option<(&'e Path, &'e str)> {
    match (left, right) {
        (Expr::Path(path), Expr::String(text)) | (Expr::String(text), Expr::Path(path)) => Some((path, text)),
        _ => None,
    }
}

fn is_template(step: &AxisStep, names: &Names) -> bool {
    let Test::Named(sym) = step.test else { return false };
    let known = names.snapshot();
    let local = known.parts.get(sym.0 as usize).map(|&(_, local)| known.locals.at(local));
    step.axis == Axis::Child && local == Some("templateId")
}

fn is_root(step: &AxisStep, names: &Names) -> bool {
    step.axis == Axis::Attribute && step.predicates.is_empty() && step.test == Test::Named(names.intern("", "root"))
}

/// Names the variables that an expression asks for and does not bind itself.
pub(crate) fn free_variables(expr: &Expr, found: &mut dyn FnMut(super::ast::Variable)) {
    match expr {
        Expr::Variable(variable) => found(*variable),
        Expr::Quantified { variable, within, satisfies: body, .. } | Expr::For { variable, within, each: body } => {
            free_variables(within, found);
            free_variables(body, &mut |asked| {
                if asked != *variable {
                    found(asked);
                }
            });
        }
        other => children(other).into_iter().for_each(|child| free_variables(child, found)),
    }
}
