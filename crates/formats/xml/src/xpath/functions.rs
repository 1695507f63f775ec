//! The functions (W3C XQuery 1.0 and XPath 2.0 Functions and Operators; `document`, `current` of XSLT 2.0).

use std::borrow::Cow;

use regex::Regex;

use super::ast::{Expr, Function, Type};
use super::eval::{Eval, Evaluation, Focus, Missing, node_of};
use super::pattern;
use super::value::{Item, Sequence, compare_values, trim};
use super::{Code, XPathError};
use crate::arena::NodeRef;

type Visit<'v, 'a> = &'v mut dyn FnMut(Item<'a>) -> Eval<bool>;

impl<'a> Evaluation<'a> {
    pub(super) fn call(
        &self,
        function: Function,
        arguments: &'a [Expr],
        focus: Focus<'_, 'a>,
        visit: Visit<'_, 'a>,
    ) -> Eval<bool> {
        use Function as F;
        // An argument that is not given is the context item, for the functions that allow it.
        let argument = |at: usize| arguments.get(at).unwrap_or(&Expr::Context);
        let text = |at: usize| self.text(argument(at), focus);
        let condition = |answer: bool| Item::Boolean(answer);
        let item = match function {
            F::Not => condition(!self.truth(argument(0), focus)?),
            F::Boolean => condition(self.truth(argument(0), focus)?),
            F::Empty => condition(!self.exists(argument(0), focus)?),
            F::Exists => condition(self.exists(argument(0), focus)?),
            F::True => condition(true),
            F::False => condition(false),
            F::Position => Item::integer(focus.position),
            F::Last => Item::integer(focus.size),
            F::Current => Item::Node(self.current()),
            F::Count => Item::integer(self.count(argument(0), focus)?),
            F::String if arguments.is_empty() => Item::text(focus.item.clone().into_string()),
            F::String => Item::text(self.one(argument(0), focus)?.map_or(Cow::Borrowed(""), Item::into_string)),
            F::StringLength => Item::integer(self.context_text(arguments, focus)?.chars().count()),
            F::NormalizeSpace => Item::text(normalize_space(self.context_text(arguments, focus)?)),
            F::Number => Item::Double(self.value(argument(0), focus)?.map_or(f64::NAN, |value| value.to_number())),
            F::Name => Item::text(self.node_argument(arguments, focus)?.map_or("", NodeRef::name)),
            F::LocalName => Item::text(self.node_argument(arguments, focus)?.map_or("", NodeRef::local_name)),
            F::NamespaceUri => Item::text(self.node_argument(arguments, focus)?.map_or("", NodeRef::namespace)),
            F::NodeName => match self.one(argument(0), focus)? {
                None => return Ok(true),
                Some(item) => qname_of(node_of(item)?),
            },
            F::Concat => {
                let mut joined = String::new();
                for part in arguments {
                    joined.push_str(&self.value(part, focus)?.map_or(Cow::Borrowed(""), Item::into_string));
                }
                Item::text(joined)
            }
            F::Contains => condition(text(0)?.contains(&*text(1)?)),
            F::StartsWith => condition(text(0)?.starts_with(&*text(1)?)),
            F::EndsWith => condition(text(0)?.ends_with(&*text(1)?)),
            F::SubstringBefore | F::SubstringAfter => {
                let (within, what) = (text(0)?, text(1)?);
                Item::text(split_at(&within, &what, function == F::SubstringAfter).to_owned())
            }
            F::Substring => {
                let start = self.double(argument(1), focus)?;
                let length = if arguments.len() > 2 { Some(self.double(argument(2), focus)?) } else { None };
                Item::text(substring(&text(0)?, start, length))
            }
            F::Translate => Item::text(translate(&text(0)?, &text(1)?, &text(2)?)),
            F::UpperCase => Item::text(text(0)?.to_uppercase()),
            F::LowerCase => Item::text(text(0)?.to_lowercase()),
            F::IriToUri => Item::text(iri_to_uri(&text(0)?)),
            F::StringJoin => {
                let parts = self.items(argument(0), focus)?.into_iter().map(|item| item.atomize().into_string());
                Item::text(parts.collect::<Vec<_>>().join(&*text(1)?))
            }
            F::Matches | F::Tokenize | F::Replace => {
                let flags_at = if function == F::Replace { 3 } else { 2 };
                let flags = if arguments.len() > flags_at { text(flags_at)? } else { Cow::Borrowed("") };
                let regex = self.patterns().met(&text(1)?, &flags)?;
                let input = self.text(argument(0), focus)?;
                return self.regex(function, input, &regex, arguments.get(2), focus, visit);
            }
            F::ResolveQName => match self.resolve_qname(arguments, focus)? {
                None => return Ok(true),
                Some(name) => name,
            },
            F::QName => {
                let (namespace, lexical) = (text(0)?, text(1)?);
                let local = lexical.split_once(':').map_or(&*lexical, |(_, local)| local).to_owned();
                Item::QName { namespace, local: local.into() }
            }
            F::NamespaceUriFromQName | F::LocalNameFromQName => match self.value(argument(0), focus)? {
                None => return Ok(true),
                Some(Item::QName { namespace, .. }) if function == F::NamespaceUriFromQName => Item::String(namespace),
                Some(Item::QName { local, .. }) => Item::String(local),
                Some(_) => return Err(XPathError::new(Code::Type, "a qualified name is expected")),
            },
            F::Doc => match self.value(argument(0), focus)? {
                None => return Ok(true),
                Some(path) => Item::Node(self.document(&path.into_string())?),
            },
            F::Document => {
                let paths = self.items(argument(0), focus)?;
                let found: Eval<Sequence<'a>> = paths
                    .into_iter()
                    .map(|path| self.document(&path.atomize().into_string()).map(Item::Node))
                    .collect();
                return self.all(found?.into_iter(), visit);
            }
            F::DocAvailable => condition(self.documents().document(&text(0)?).is_ok()),
            F::Root => match self.node_argument(arguments, focus)? {
                None => return Ok(true),
                Some(node) => Item::Node(node.arena.root()),
            },
            F::Floor | F::Ceiling | F::Round | F::Abs => match self.number(argument(0), focus)? {
                None => return Ok(true),
                Some(number) => round(function, number),
            },
            F::Sum | F::Avg | F::Min | F::Max => match self.aggregate(function, arguments, focus)? {
                None => return Ok(true),
                Some(item) => item,
            },
            F::Data => {
                let items = self.items(argument(0), focus)?;
                return self.all(items.into_iter().map(Item::atomize), visit);
            }
            F::DistinctValues => {
                let values = self.distinct(argument(0), focus)?;
                return self.all(values.into_iter(), visit);
            }
            F::Reverse => {
                let items = self.items(argument(0), focus)?;
                return self.all(items.into_iter().rev(), visit);
            }
            F::Subsequence => {
                let start = self.double(argument(1), focus)?;
                let length = if arguments.len() > 2 { Some(self.double(argument(2), focus)?) } else { None };
                let items = self.items(argument(0), focus)?;
                let kept = items.into_iter().enumerate().filter(|(index, _)| within(*index, start, length));
                return self.all(kept.map(|(_, item)| item), visit);
            }
            F::IndexOf => {
                let Some(wanted) = self.value(argument(1), focus)? else { return Ok(true) };
                let equal = |item: &Item<'a>| compare_values(super::ast::Comparison::Equal, item, &wanted) == Ok(true);
                let items = self.items(argument(0), focus)?.into_iter().map(Item::atomize);
                let found: Sequence<'a> =
                    items.enumerate().filter(|(_, item)| equal(item)).map(|(at, _)| Item::integer(at + 1)).collect();
                return self.all(found.into_iter(), visit);
            }
            F::StringToCodepoints => {
                let points: Sequence<'a> = text(0)?.chars().map(|c| Item::Integer(i64::from(u32::from(c)))).collect();
                return self.all(points.into_iter(), visit);
            }
            F::ExactlyOne | F::ZeroOrOne | F::OneOrMore => {
                let items = self.items(argument(0), focus)?;
                let allowed = match function {
                    F::ExactlyOne => items.len() == 1,
                    F::ZeroOrOne => items.len() < 2,
                    _ => !items.is_empty(),
                };
                if !allowed {
                    return Err(XPathError::new(Code::Type, "another number of items is expected"));
                }
                return self.all(items.into_iter(), visit);
            }
            F::DeepEqual => condition(self.deep_equal(arguments, focus)?),
        };
        visit(item)
    }

    /// A string argument: nothing counts as the empty string, a number is a type error.
    pub(super) fn text(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<Cow<'a, str>> {
        match self.value(expr, focus)? {
            None => Ok(Cow::Borrowed("")),
            Some(Item::String(text) | Item::Untyped(text)) => Ok(text),
            Some(_) => Err(XPathError::new(Code::Type, "a string is expected")),
        }
    }

    /// The argument, or the string value of the context item.
    fn context_text(&self, arguments: &'a [Expr], focus: Focus<'_, 'a>) -> Eval<Cow<'a, str>> {
        match arguments.first() {
            Some(argument) => self.text(argument, focus),
            None => Ok(focus.item.clone().into_string()),
        }
    }

    fn node_argument(&self, arguments: &'a [Expr], focus: Focus<'_, 'a>) -> Eval<Option<NodeRef<'a>>> {
        match arguments.first() {
            None => focus.node().map(Some),
            Some(argument) => self.one(argument, focus)?.map(node_of).transpose(),
        }
    }

    fn double(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<f64> {
        let number = self.number(expr, focus)?;
        let number = number.ok_or_else(|| XPathError::new(Code::Type, "a number is expected"))?;
        Ok(number.as_number().unwrap_or(f64::NAN))
    }

    pub(super) fn document(&self, path: &str) -> Eval<NodeRef<'a>> {
        self.documents().document(path).map(|arena| arena.root()).map_err(|missing| {
            let what = match missing {
                Missing::Absent => "the document that the rule looks values up in is missing",
                Missing::Unreadable => "the document that the rule looks values up in cannot be read",
            };
            XPathError { code: Code::Document, what, document: Some(path.into()) }
        })
    }

    /// In-scope namespaces of the element, the default one included.
    fn resolve_qname(&self, arguments: &'a [Expr], focus: Focus<'_, 'a>) -> Eval<Option<Item<'a>>> {
        let [name, element] = arguments else { return Ok(None) };
        let Some(name) = self.value(name, focus)? else { return Ok(None) };
        let name = name.into_string();
        let name = trim(&name);
        let Some(element) = self.one(element, focus)?.map(node_of).transpose()? else { return Ok(None) };
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        if local.is_empty() || local.contains([':', ' ']) {
            return Err(XPathError::new(Code::BadValue, "the value is no qualified name"));
        }
        let namespace = match element.lookup_prefix(prefix) {
            Some(uri) => uri,
            None if prefix.is_empty() => "",
            None => return Err(XPathError::new(Code::Prefix, "the prefix of the value is not declared here")),
        };
        Ok(Some(Item::QName { namespace: Cow::Borrowed(namespace), local: local.to_owned().into() }))
    }

    pub(super) fn regex(
        &self,
        function: Function,
        input: Cow<'a, str>,
        regex: &Regex,
        replacement: Option<&'a Expr>,
        focus: Focus<'_, 'a>,
        visit: Visit<'_, 'a>,
    ) -> Eval<bool> {
        if function == Function::Matches {
            return visit(Item::Boolean(regex.is_match(&input)));
        }
        if regex.is_match("") {
            return Err(XPathError::new(Code::Regex, "the regular expression matches nothing at all"));
        }
        if function == Function::Tokenize {
            let parts: Sequence<'a> = match input.is_empty() {
                true => Vec::new(),
                false => regex.split(&input).map(|part| Item::text(part.to_owned())).collect(),
            };
            return self.all(parts.into_iter(), visit);
        }
        let replacement = match replacement {
            Some(expr) => self.text(expr, focus)?,
            None => Cow::Borrowed(""),
        };
        let by = pattern::replacement(&replacement)
            .ok_or_else(|| XPathError::new(Code::Regex, "the replacement cannot be read"))?;
        visit(Item::text(regex.replace_all(&input, by).into_owned()))
    }

    fn distinct(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Eval<Sequence<'a>> {
        let mut seen = std::collections::HashSet::new();
        let items = self.items(expr, focus)?.into_iter().map(Item::atomize);
        Ok(items
            .filter(|item| {
                let family = if item.is_numeric() { 0 } else { u8::from(matches!(item, Item::Boolean(_))) + 1 };
                seen.insert((family, item.clone().into_string().into_owned()))
            })
            .collect())
    }

    fn aggregate(&self, function: Function, arguments: &'a [Expr], focus: Focus<'_, 'a>) -> Eval<Option<Item<'a>>> {
        let Some(values) = arguments.first() else { return Ok(None) };
        let mut numbers = Vec::new();
        for item in self.items(values, focus)? {
            let number = match item.atomize() {
                untyped @ Item::Untyped(_) => untyped.cast(Type::Double)?,
                number if number.is_numeric() => number,
                _ => return Err(XPathError::new(Code::Type, "numbers are expected")),
            };
            numbers.push(number);
        }
        let Some(first) = numbers.first() else {
            return match (function, arguments.get(1)) {
                (Function::Sum, None) => Ok(Some(Item::Integer(0))),
                (Function::Sum, Some(zero)) => self.value(zero, focus),
                _ => Ok(None),
            };
        };
        if let Function::Sum = function
            && let Some(total) = numbers.iter().try_fold(0_i64, |sum, n| match n {
                Item::Integer(n) => sum.checked_add(*n),
                _ => None,
            })
        {
            return Ok(Some(Item::Integer(total)));
        }
        let doubles = || numbers.iter().filter_map(Item::as_number);
        #[expect(clippy::cast_precision_loss, reason = "an average is a double")]
        let value = match function {
            Function::Sum => doubles().sum(),
            Function::Avg => doubles().sum::<f64>() / numbers.len() as f64,
            Function::Min => doubles().fold(f64::INFINITY, f64::min),
            _ => doubles().fold(f64::NEG_INFINITY, f64::max),
        };
        let all_integers = numbers.iter().all(|n| matches!(n, Item::Integer(_)));
        if all_integers && function != Function::Avg {
            return Item::Double(value).cast(Type::Integer).map(Some);
        }
        Ok(Some(if matches!(first, Item::Double(_)) { Item::Double(value) } else { Item::Decimal(value) }))
    }

    /// Values pairwise equal; nodes by name, attributes and content.
    fn deep_equal(&self, arguments: &'a [Expr], focus: Focus<'_, 'a>) -> Eval<bool> {
        let [left, right] = arguments else { return Ok(false) };
        let (left, right) = (self.items(left, focus)?, self.items(right, focus)?);
        let equal = |pair: (&Item<'a>, &Item<'a>)| match pair {
            (Item::Node(a), Item::Node(b)) => same_content(*a, *b),
            (a, b) => compare_values(super::ast::Comparison::Equal, a, b).unwrap_or(false),
        };
        Ok(left.len() == right.len() && left.iter().zip(&right).all(equal))
    }
}

fn qname_of(node: NodeRef<'_>) -> Item<'_> {
    Item::QName { namespace: node.namespace().into(), local: node.local_name().into() }
}

/// Both subtrees in step: the same shape is the same kinds and depths in document order.
fn same_content(a: NodeRef<'_>, b: NodeRef<'_>) -> bool {
    if a.is_attribute() || b.is_attribute() {
        return a.is_attribute() && b.is_attribute() && same_name(a, b) && a.own_text() == b.own_text();
    }
    let (first, second) = (a.at..a.end(), b.at..b.end());
    first.len() == second.len()
        && first.zip(second).all(|(left, right)| {
            let (left, right) = (a.arena.node(left), b.arena.node(right));
            left.kind() == right.kind()
                && left.end() - a.at == right.end() - b.at
                && same_name(left, right)
                && left.own_text() == right.own_text()
                && left.attributes().count() == right.attributes().count()
                && left.attributes().all(|attribute| {
                    let same = |other: &NodeRef<'_>| same_name(attribute, *other);
                    right.attributes().find(same).is_some_and(|other| other.own_text() == attribute.own_text())
                })
        })
}

fn same_name(a: NodeRef<'_>, b: NodeRef<'_>) -> bool {
    a.local_name() == b.local_name() && a.namespace() == b.namespace()
}

/// White space of XML only: U+00A0 is a character like others.
fn normalize_space(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut words = text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return Cow::Borrowed("") };
    let mut joined = first.to_owned();
    for word in words {
        joined.push(' ');
        joined.push_str(word);
    }
    if joined == *text { text } else { Cow::Owned(joined) }
}

fn split_at<'t>(text: &'t str, what: &str, after: bool) -> &'t str {
    match text.split_once(what) {
        None => "",
        Some((before, rest)) => {
            if after {
                rest
            } else {
                before
            }
        }
    }
}

/// `round`: half up.
fn rounded(value: f64) -> f64 {
    (value + 0.5).floor()
}

/// Is the place among those from `start` on, `length` of them? Places count from 1; bounds are rounded.
#[expect(clippy::cast_precision_loss, reason = "places are small whole numbers")]
fn within(index: usize, start: f64, length: Option<f64>) -> bool {
    let place = (index + 1) as f64;
    let start = rounded(start);
    place >= start && length.is_none_or(|length| place < start + rounded(length))
}

/// Characters, not bytes.
fn substring(text: &str, start: f64, length: Option<f64>) -> String {
    text.chars().enumerate().filter(|(index, _)| within(*index, start, length)).map(|(_, c)| c).collect()
}

fn translate(text: &str, from: &str, to: &str) -> String {
    let to: Vec<char> = to.chars().collect();
    text.chars()
        .filter_map(|c| match from.chars().position(|known| known == c) {
            None => Some(c),
            Some(at) => to.get(at).copied(),
        })
        .collect()
}

fn iri_to_uri(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'\\' | b'^' | b'`') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn round(function: Function, number: Item<'_>) -> Item<'_> {
    let apply = |value: f64| match function {
        Function::Floor => value.floor(),
        Function::Ceiling => value.ceil(),
        Function::Round => rounded(value),
        _ => value.abs(),
    };
    match number {
        Item::Integer(value) => Item::Integer(if function == Function::Abs { value.saturating_abs() } else { value }),
        Item::Decimal(value) => Item::Decimal(apply(value)),
        Item::Double(value) => Item::Double(apply(value)),
        other => other,
    }
}
