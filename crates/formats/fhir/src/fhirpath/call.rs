//! The functions whose arguments are evaluated before them (FHIRPath 2.0 §5, FHIR R4 §2.9.1.4).
//!
//! Order: by family: booleans, subsets, texts, trees, FHIR, boundaries.

use std::borrow::Cow;

use super::arithmetic::decimal_boundary;
use super::compare;
use super::convert;
use super::error::{ErrorKind, Result};
use super::functions::{Function, Part};
use super::machine::Machine;
use super::model::System;
use super::navigate;
use super::strings;
use super::temporal::{Precision, TemporalKind};
use super::value::{Collection, Element, Item, Quantity, boolean, one, optional};
use crate::definitions::types;
use crate::tape::{NameId, Node};

impl<'a> Machine<'a, '_> {
    pub(super) fn call(&mut self, function: Function, arguments: usize) -> Result<()> {
        match function {
            Function::Empty => self.map(|items| boolean(items.is_empty())),
            Function::Exists => self.map(|items| boolean(!items.is_empty())),
            Function::Count => self.map(|items| one(Item::Integer(i64::try_from(items.len()).unwrap_or(i64::MAX)))),
            Function::Not => {
                let value = self.truth("not")?;
                self.push(optional(value.map(|value| Item::Boolean(!value))));
            }
            Function::AllTrue => self.booleans("allTrue", |values| values.iter().all(|value| *value))?,
            Function::AnyTrue => self.booleans("anyTrue", |values| values.contains(&true))?,
            Function::AllFalse => self.booleans("allFalse", |values| !values.contains(&true))?,
            Function::AnyFalse => self.booleans("anyFalse", |values| values.contains(&false))?,
            Function::Type => self.map(|items| items.iter().map(|item| Item::Type(item.type_of())).collect()),
            Function::To(System::Quantity) | Function::ConvertsTo(System::Quantity) => {
                self.quantity(function, arguments)?;
            }
            Function::To(system) => {
                let item = self.single("to…")?;
                self.push(optional(item.and_then(|item| convert::convert(&item, system))));
            }
            Function::ConvertsTo(system) => {
                let item = self.single("convertsTo…")?;
                self.push(optional(item.map(|item| Item::Boolean(convert::convert(&item, system).is_some()))));
            }
            Function::Now => self.moment(Item::Temporal),
            Function::Today => self.moment(|now| Item::Temporal(now.date())),
            Function::TimeOfDay => self.moment(|now| now.time().map_or(Item::Boolean(false), Item::Temporal)),
            Function::Abs
            | Function::Ceiling
            | Function::Exp
            | Function::Floor
            | Function::Ln
            | Function::Log
            | Function::Power
            | Function::Round
            | Function::Sqrt
            | Function::Truncate => self.math(function, arguments)?,
            Function::LowBoundary | Function::HighBoundary => self.boundary(function, arguments)?,
            Function::Precision => self.precision()?,
            Function::Comparable => self.comparable()?,
            Function::Part(part) => self.part(part)?,
            _ => return self.call_collection(function, arguments),
        }
        Ok(())
    }

    fn call_collection(&mut self, function: Function, arguments: usize) -> Result<()> {
        match function {
            Function::Single => {
                let item = self.single("single")?;
                self.push(optional(item));
            }
            Function::First => self.map(|mut items| {
                items.truncate(1);
                items
            }),
            Function::Last => self.map(|mut items| optional(items.pop())),
            Function::Tail => self.map(|items| items.into_iter().skip(1).collect()),
            Function::Skip | Function::Take => {
                let count = self.whole_number("skip")?.unwrap_or(0);
                let count = usize::try_from(count).unwrap_or(0);
                if function == Function::Skip {
                    self.map(|items| items.into_iter().skip(count).collect());
                } else {
                    self.map(|items| items.into_iter().take(count).collect());
                }
            }
            Function::Distinct => {
                let items = self.pop();
                let result = self.distinct(items.into_iter())?;
                self.push(result);
            }
            Function::IsDistinct => {
                let items = self.pop();
                let count = items.len();
                let distinct = self.distinct(items.into_iter())?;
                self.push(boolean(distinct.len() == count));
            }
            Function::Union => self.binary(super::ast::Binary::Union)?,
            Function::Combine => {
                let more = if arguments == 2 { self.second_of_combine() } else { self.pop() };
                let mut items = self.pop();
                self.spend((items.len() + more.len()) as u64)?;
                items.extend(more);
                self.push(items);
            }
            Function::Intersect | Function::Exclude | Function::SubsetOf | Function::SupersetOf => {
                self.sets(function)?
            }
            Function::Children => {
                let items = self.pop();
                let mut result = Collection::new();
                items.iter().for_each(|item| navigate::children(item, &mut |child| result.push(child)));
                self.spend(result.len() as u64)?;
                self.push(result);
            }
            Function::Descendants => self.descendants()?,
            Function::Join => self.join(arguments)?,
            Function::Split | Function::ToChars => self.split(function)?,
            _ if is_of_fhir(function) => return self.call_fhir(function, arguments),
            _ => return self.call_text(function, arguments),
        }
        Ok(())
    }

    fn map(&mut self, change: impl FnOnce(Collection<'a>) -> Collection<'a>) {
        let items = self.pop();
        self.push(change(items));
    }

    /// `preserveOrder` changes nothing: order is always kept.
    fn second_of_combine(&mut self) -> Collection<'a> {
        self.pop();
        self.pop()
    }

    fn moment(&mut self, part: impl FnOnce(super::Temporal) -> Item<'a>) {
        self.pop();
        let now = self.now();
        self.push(one(part(now)));
    }

    fn booleans(&mut self, what: &'static str, decide: impl Fn(&[bool]) -> bool) -> Result<()> {
        let items = self.pop();
        let values: Vec<bool> = items.iter().filter_map(Item::as_bool).collect();
        if values.len() < items.len() {
            return self.fail(ErrorKind::Operands(what));
        }
        self.push(boolean(decide(&values)));
        Ok(())
    }

    fn quantity(&mut self, function: Function, arguments: usize) -> Result<()> {
        let unit = if arguments > 0 { self.text("toQuantity")? } else { None };
        let item = self.single("toQuantity")?;
        let is_question = function == Function::ConvertsTo(System::Quantity);
        let result = item.map(|item| {
            let quantity = convert::convert(&item, System::Quantity).as_ref().and_then(compare::quantity);
            match (quantity, unit) {
                (Some(quantity), Some(unit)) => convert::in_unit(&quantity, &unit),
                (quantity, _) => quantity,
            }
        });
        let result = match (is_question, result) {
            (true, result) => result.map(|quantity| Item::Boolean(quantity.is_some())),
            (false, result) => result.flatten().map(Item::from),
        };
        self.push(optional(result));
        Ok(())
    }

    fn sets(&mut self, function: Function) -> Result<()> {
        let (others, items) = (self.pop(), self.pop());
        self.spend((items.len() as u64).saturating_mul(others.len() as u64))?;
        let is_in = |item: &Item<'a>, items: &Collection<'a>| {
            items.iter().any(|other| compare::equal(item, other) == Some(true))
        };
        let result = match function {
            Function::Exclude => items.into_iter().filter(|item| !is_in(item, &others)).collect(),
            Function::SubsetOf => boolean(items.iter().all(|item| is_in(item, &others))),
            Function::SupersetOf => boolean(others.iter().all(|item| is_in(item, &items))),
            _ => self.distinct(items.into_iter().filter(|item| is_in(item, &others)))?,
        };
        self.push(result);
        Ok(())
    }

    fn descendants(&mut self) -> Result<()> {
        let items = self.pop();
        let mut result = Collection::new();
        let mut problem = Ok(());
        for item in &items {
            navigate::descendants(item, &mut |below| {
                problem = self.spend(1);
                result.push(below.clone());
                problem.is_ok()
            });
        }
        problem?;
        self.push(result);
        Ok(())
    }
}

/// Texts.
impl<'a> Machine<'a, '_> {
    fn call_text(&mut self, function: Function, arguments: usize) -> Result<()> {
        match function {
            Function::Substring => return self.substring(arguments),
            Function::Matches | Function::MatchesFull => return self.matches(function, arguments),
            Function::ReplaceMatches | Function::Replace => return self.replace(function, arguments),
            _ => {}
        }
        let argument = if arguments > 0 { Some(self.text("text")?) } else { None };
        let text = self.text("text")?;
        let (Some(text), Some(argument)) = (text, argument.unwrap_or(Some(Cow::Borrowed("")))) else {
            self.push(Collection::new());
            return Ok(());
        };
        self.spend_text(text.len())?;
        let result = match function {
            Function::StartsWith => Some(Item::Boolean(text.starts_with(&*argument))),
            Function::EndsWith => Some(Item::Boolean(text.ends_with(&*argument))),
            Function::Contains => Some(Item::Boolean(text.contains(&*argument))),
            Function::IndexOf => Some(Item::Integer(strings::index_of(&text, &argument))),
            Function::LastIndexOf => Some(Item::Integer(strings::last_index_of(&text, &argument))),
            Function::Length => Some(Item::Integer(strings::characters(&text))),
            Function::Upper => Some(Item::from(text.to_uppercase())),
            Function::Lower => Some(Item::from(text.to_lowercase())),
            Function::Trim => Some(Item::from(text.trim().to_owned())),
            Function::Encode => strings::encode(&text, &argument).map(Item::from),
            Function::Decode => strings::decode(&text, &argument).map(Item::from),
            Function::Escape => strings::escape(&text, &argument).map(Item::from),
            Function::Unescape => strings::unescape(&text, &argument).map(Item::from),
            _ => None,
        };
        self.push(optional(result));
        Ok(())
    }

    fn substring(&mut self, arguments: usize) -> Result<()> {
        let length = if arguments > 1 { self.whole_number("substring")? } else { None };
        let start = self.whole_number("substring")?;
        let text = self.text("substring")?;
        let result = text.zip(start).and_then(|(text, start)| strings::substring(&text, start, length));
        self.push(optional(result.map(Item::from)));
        Ok(())
    }

    fn matches(&mut self, function: Function, arguments: usize) -> Result<()> {
        let flags = if arguments > 1 { self.text("matches")? } else { None };
        let pattern = self.text("matches")?;
        let text = self.text("matches")?;
        let (Some(text), Some(pattern)) = (text, pattern) else {
            self.push(Collection::new());
            return Ok(());
        };
        let is_whole = function == Function::MatchesFull;
        self.spend(1000)?;
        match strings::regex(&pattern, is_whole, flags.as_deref().unwrap_or_default()) {
            Ok(regex) => self.push(boolean(regex.is_match(&text))),
            Err(kind) => return self.fail(kind),
        }
        Ok(())
    }

    fn replace(&mut self, function: Function, arguments: usize) -> Result<()> {
        let flags = if arguments > 2 { self.text("replaceMatches")? } else { None };
        let (by, pattern, text) = (self.text("replace")?, self.text("replace")?, self.text("replace")?);
        let (Some(text), Some(pattern), Some(by)) = (text, pattern, by) else {
            self.push(Collection::new());
            return Ok(());
        };
        let times = text.len() / pattern.len().max(1) + 1;
        self.spend_text(text.len().saturating_add(times.saturating_mul(by.len())))?;
        let result = match function {
            Function::Replace if pattern.is_empty() => {
                let mut signs: String = text.chars().flat_map(|sign| by.chars().chain([sign])).collect();
                signs.push_str(&by);
                signs
            }
            Function::Replace => text.replace(&*pattern, &by),
            _ if pattern.is_empty() => text.into_owned(),
            _ => {
                self.spend(1000)?;
                match strings::regex(&pattern, false, flags.as_deref().unwrap_or_default()) {
                    Ok(regex) => regex.replace_all(&text, strings::replacement(&by)).into_owned(),
                    Err(kind) => return self.fail(kind),
                }
            }
        };
        self.push(one(Item::from(result)));
        Ok(())
    }

    fn join(&mut self, arguments: usize) -> Result<()> {
        let separator = if arguments > 0 { self.text("join")? } else { None };
        let items = self.pop();
        let mut texts = Vec::with_capacity(items.len());
        for item in &items {
            match item.as_text() {
                Some(text) => texts.push(text),
                None => return self.fail(ErrorKind::Operands("join")),
            }
        }
        let separator = separator.unwrap_or_default();
        self.spend_text(texts.iter().map(|text| text.len() + separator.len()).sum())?;
        let result = (!texts.is_empty()).then(|| texts.join(&separator));
        self.push(optional(result.map(Item::from)));
        Ok(())
    }

    fn split(&mut self, function: Function) -> Result<()> {
        let separator = if function == Function::Split { self.text("split")? } else { None };
        let Some(text) = self.text("split")? else {
            self.push(Collection::new());
            return Ok(());
        };
        self.spend(text.len() as u64)?;
        let by_character = |text: &str| text.chars().map(|sign| Item::from(String::from(sign))).collect();
        let result = match separator {
            Some(separator) if !separator.is_empty() => {
                text.split(&*separator).map(|part| Item::from(part.to_owned())).collect()
            }
            _ => by_character(&text),
        };
        self.push(result);
        Ok(())
    }
}

const fn is_of_fhir(function: Function) -> bool {
    matches!(
        function,
        Function::Extension
            | Function::HasExtension
            | Function::HasValue
            | Function::GetValue
            | Function::Resolve
            | Function::MemberOf
            | Function::ConformsTo
            | Function::Subsumes
            | Function::SubsumedBy
            | Function::HtmlChecks
            | Function::ElementDefinition
            | Function::Slice
            | Function::CheckModifiers
    )
}

/// What FHIR adds.
impl<'a> Machine<'a, '_> {
    fn call_fhir(&mut self, function: Function, arguments: usize) -> Result<()> {
        match function {
            Function::Extension | Function::HasExtension => self.extension(function),
            Function::HasValue => {
                let items = self.pop();
                let has_value = |item: &Item<'a>| match item {
                    Item::Element(element) => element.has_value(),
                    _ => true,
                };
                self.push(boolean(items.len() == 1 && items.iter().all(has_value)));
                Ok(())
            }
            Function::GetValue => {
                let items = self.pop();
                let value = match items.as_slice() {
                    [Item::Element(element)] => element.system(),
                    [item] => Some(item.clone()),
                    _ => None,
                };
                self.push(optional(value));
                Ok(())
            }
            Function::Resolve => {
                let items = self.pop();
                self.spend(items.len() as u64 * 16)?;
                let result = items.iter().filter_map(|item| self.resolve(item)).map(Item::Element).collect();
                self.push(result);
                Ok(())
            }
            Function::MemberOf => self.member_of(),
            Function::ConformsTo => self.conforms_to(),
            Function::Subsumes | Function::SubsumedBy => self.subsumes(function),
            Function::HtmlChecks => {
                let item = self.single("htmlChecks")?;
                let node = item.and_then(|item| item.node());
                let is_safe = node.and_then(|node| self.environment.hooks.html_is_safe(node));
                self.push(optional(is_safe.map(Item::Boolean)));
                Ok(())
            }
            Function::ElementDefinition => {
                let items = self.pop();
                let hooks = self.environment.hooks;
                let kind = types().named("ElementDefinition");
                let nodes = items.iter().filter_map(|item| hooks.element_definition(item));
                let result =
                    nodes.zip(std::iter::repeat(kind)).filter_map(|(node, kind)| Some(Item::element(node, kind?)));
                let result = result.collect();
                self.push(result);
                Ok(())
            }
            Function::Slice => self.slice(),
            _ => self.check_modifiers(arguments),
        }
    }

    pub(super) fn resolve(&self, item: &Item<'a>) -> Option<Element<'a>> {
        let reference = navigate::reference_text(item)?;
        self.environment.hooks.resolve(&reference, item.node()?)
    }

    fn extension(&mut self, function: Function) -> Result<()> {
        let url = self.text("extension")?;
        let items = self.pop();
        let mut result = Collection::new();
        if let (Some(url), Some(kind)) = (url, types().named("Extension")) {
            items.iter().for_each(|item| navigate::extensions(item, &url, kind, &mut |found| result.push(found)));
        }
        self.spend(result.len() as u64)?;
        self.push(if function == Function::HasExtension { boolean(!result.is_empty()) } else { result });
        Ok(())
    }

    fn member_of(&mut self) -> Result<()> {
        let value_set = self.text("memberOf")?;
        let item = self.single("memberOf")?;
        let result = match (item, value_set) {
            (Some(item), Some(value_set)) => self.environment.hooks.member_of(&item, &value_set),
            _ => None,
        };
        self.push(optional(result.map(Item::Boolean)));
        Ok(())
    }

    /// The types of R4 are known here; any other profile is the hook's.
    fn conforms_to(&mut self) -> Result<()> {
        const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
        let profile = self.text("conformsTo")?;
        let item = self.single("conformsTo")?;
        let (Some(item), Some(profile)) = (item, profile) else {
            self.push(Collection::new());
            return Ok(());
        };
        let kind = profile.strip_prefix(BASE).and_then(|name| types().named(name));
        let answer = match (self.environment.hooks.conforms_to(&item, &profile), kind, item.type_of()) {
            (Some(answer), _, _) => answer,
            (None, Some(kind), super::Type::Fhir(own)) => types().is_subtype(own, kind),
            (None, Some(_), super::Type::System(_)) => false,
            (None, None, _) => return self.fail(ErrorKind::Unresolved("conformsTo")),
        };
        self.push(boolean(answer));
        Ok(())
    }

    fn subsumes(&mut self, function: Function) -> Result<()> {
        let (other, item) = (self.single("subsumes")?, self.single("subsumes")?);
        let hooks = self.environment.hooks;
        let result = item.zip(other).and_then(|(item, other)| match function {
            Function::Subsumes => hooks.subsumes(&item, &other),
            _ => hooks.subsumes(&other, &item),
        });
        self.push(optional(result.map(Item::Boolean)));
        Ok(())
    }

    fn slice(&mut self) -> Result<()> {
        let (slice, structure) = (self.text("slice")?, self.text("slice")?);
        let items = self.pop();
        let (Some(slice), Some(structure)) = (slice, structure) else {
            self.push(Collection::new());
            return Ok(());
        };
        let mut result = Collection::new();
        for item in items {
            match self.environment.hooks.in_slice(&item, &structure, &slice) {
                Some(true) => result.push(item),
                Some(false) => {}
                None => return self.fail(ErrorKind::Unresolved("slice")),
            }
        }
        self.push(result);
        Ok(())
    }

    /// The input, when it has no modifier extension but these.
    fn check_modifiers(&mut self, arguments: usize) -> Result<()> {
        let mut known = Vec::with_capacity(arguments);
        for _ in 0..arguments {
            known.extend(self.text("checkModifiers")?);
        }
        let items = self.pop();
        let is_known = |node: Node<'a>| {
            node.get_id(NameId::URL).and_then(Node::str).is_some_and(|url| known.iter().any(|one| one == url))
        };
        let modifiers = |item: &Item<'a>| item.node().and_then(|node| node.get_id(NameId::MODIFIER_EXTENSION));
        if items.iter().filter_map(modifiers).any(|list| !list.items().all(is_known)) {
            return self.fail(ErrorKind::Operands("checkModifiers"));
        }
        self.push(items);
        Ok(())
    }
}

/// Boundaries and parts of values.
impl<'a> Machine<'a, '_> {
    fn boundary(&mut self, function: Function, arguments: usize) -> Result<()> {
        let wanted = if arguments > 0 { self.whole_number("lowBoundary")? } else { None };
        let Some(item) = self.single("lowBoundary")? else {
            self.push(Collection::new());
            return Ok(());
        };
        let is_low = function == Function::LowBoundary;
        let digits = |default: u8| match wanted {
            None => Some(default),
            Some(wanted) => u8::try_from(wanted).ok(),
        };
        let decimal = |value| decimal_boundary(value, digits(8)?, is_low);
        let result = match compare::value(&item) {
            Some(Item::Integer(value)) => decimal(value.into()).map(Item::from),
            Some(Item::Decimal(value)) => decimal(*value).map(Item::from),
            Some(Item::Quantity(quantity)) => {
                decimal(quantity.value).map(|value| Item::from(Quantity { value, unit: quantity.unit }))
            }
            Some(Item::Temporal(value)) => {
                let digits = digits(match value.kind() {
                    TemporalKind::Date => 8,
                    TemporalKind::DateTime => 17,
                    TemporalKind::Time => 9,
                });
                let bound = |digits| if is_low { value.low_boundary(digits) } else { value.high_boundary(digits) };
                digits.and_then(bound).map(Item::Temporal)
            }
            _ => return self.fail(ErrorKind::Operands("lowBoundary")),
        };
        self.push(optional(result));
        Ok(())
    }

    fn precision(&mut self) -> Result<()> {
        let Some(item) = self.single("precision")? else {
            self.push(Collection::new());
            return Ok(());
        };
        let digits = match compare::value(&item) {
            Some(Item::Integer(_)) => 0,
            Some(Item::Decimal(value)) => value.scale(),
            Some(Item::Temporal(value)) => value.digits(),
            _ => return self.fail(ErrorKind::Operands("precision")),
        };
        self.push(one(Item::Integer(digits.into())));
        Ok(())
    }

    fn comparable(&mut self) -> Result<()> {
        let (right, left) = (self.single("comparable")?, self.single("comparable")?);
        let unit = |item: &Item<'a>| compare::quantity(item).map(|quantity| quantity.unit);
        let result = left.zip(right).map(|(left, right)| match (unit(&left), unit(&right)) {
            (Some(left), Some(right)) => {
                left == right || left.ucum().zip(right.ucum()).is_some_and(|(left, right)| left.is_comparable(&right))
            }
            _ => false,
        });
        self.push(optional(result.map(Item::Boolean)));
        Ok(())
    }

    fn part(&mut self, part: Part) -> Result<()> {
        let item = self.single("part of a date")?;
        let result = match item.as_ref().map(compare::value) {
            None => None,
            Some(Some(Item::Temporal(value))) => match part {
                Part::Date => Some(Item::Temporal(value.date())),
                Part::Time => value.time().map(Item::Temporal),
                Part::TimezoneOffset => value.offset_in_hours().map(Item::from),
                Part::Year => value.component(Precision::Year).map(Item::Integer),
                Part::Month => value.component(Precision::Month).map(Item::Integer),
                Part::Day => value.component(Precision::Day).map(Item::Integer),
                Part::Hour => value.component(Precision::Hour).map(Item::Integer),
                Part::Minute => value.component(Precision::Minute).map(Item::Integer),
                Part::Second => value.component(Precision::Second).map(Item::Integer),
                Part::Millisecond => value.milliseconds().map(Item::Integer),
            },
            Some(_) => return self.fail(ErrorKind::Operands("part of a date")),
        };
        self.push(optional(result));
        Ok(())
    }
}
