//! The filters of an include, applied to a code system (FHIR R4 §4.9).

use regex::{Regex, RegexBuilder};

use super::code_system::{CodeSystem, ConceptId};
use super::model::{Filter, FilterOp, Include};
use super::set::Members;

/// Compiled regular expressions are kept below this size; matching is linear in the text whatever they say.
const MAX_REGEX: usize = 1 << 20;

/// Why a filter cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the filter {property} {op} {value:?} of {system} cannot be applied: {why}")]
pub struct FilterError {
    /// The code system.
    pub system: Box<str>,
    /// The property looked at.
    pub property: Box<str>,
    /// The operator.
    pub op: Box<str>,
    /// The value, when there is one.
    pub value: Option<Box<str>>,
    /// What is wrong.
    pub why: FilterFault,
    /// Where: `ValueSet.compose.include[0].filter[1]`.
    pub at: String,
}

/// What is wrong with a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilterFault {
    /// There is no value to compare with.
    #[error("it has no value")]
    NoValue,
    /// The operator is not known, or not for this property.
    #[error("the operator is not known for this property")]
    Operator,
    /// The regular expression does not parse or is too big.
    #[error("the regular expression is not valid")]
    Regex,
}

/// The positions that an include takes of a system; its imports are not looked at.
///
/// # Errors
/// When a filter cannot be applied.
pub(super) fn selected(system: &CodeSystem, include: &Include) -> Result<Members, FilterError> {
    if include.concepts.is_empty() && include.filters.is_empty() {
        return Ok(Members::All);
    }
    let listed: Vec<_> = include.concepts.iter().filter_map(|concept| system.find(&concept.code)).collect();
    if include.filters.is_empty() {
        return Ok(Members::of(listed, system.len()));
    }
    let mut tests = Vec::new();
    for (index, filter) in include.filters.iter().enumerate() {
        tests.push(Test::new(system, filter, index)?);
    }
    let size = u32::try_from(system.len()).unwrap_or(u32::MAX);
    // Start from the smallest answer that is known without a scan.
    let below = tests.iter().find_map(|test| test.candidates(system));
    let candidates = below.unwrap_or_else(|| (0..size).collect());
    let found = candidates.into_iter().filter(|id| tests.iter().all(|test| test.holds(system, *id)));
    // FHIR forbids concepts beside filters (vsd-3); the union is what a reader of such a set expects.
    Ok(Members::of(found.chain(listed), system.len()))
}

/// One filter, prepared.
struct Test<'a> {
    property: &'a str,
    check: Check<'a>,
}

enum Check<'a> {
    Below { of: Option<ConceptId>, with_self: bool },
    NotBelow(Option<ConceptId>),
    Above(Option<ConceptId>),
    ChildOf(Option<ConceptId>),
    LeafBelow(Option<ConceptId>),
    Equal(&'a str),
    In(Vec<&'a str>),
    NotIn(Vec<&'a str>),
    Exists(bool),
    Regex(Box<Regex>),
}

impl<'a> Test<'a> {
    fn new(system: &CodeSystem, filter: &'a Filter, index: usize) -> Result<Self, FilterError> {
        let fail = |why: FilterFault| FilterError {
            system: system.url().into(),
            property: filter.property.clone(),
            op: filter.op.code().into(),
            value: filter.value.clone(),
            why,
            at: format!("filter[{index}]"),
        };
        let value =
            filter.value.as_deref().filter(|value| !value.is_empty()).ok_or_else(|| fail(FilterFault::NoValue))?;
        let list = || value.split(',').map(str::trim).collect();
        let check = match &filter.op {
            FilterOp::IsA => Check::Below { of: system.find(value), with_self: true },
            FilterOp::DescendentOf => Check::Below { of: system.find(value), with_self: false },
            FilterOp::IsNotA => Check::NotBelow(system.find(value)),
            FilterOp::Generalizes => Check::Above(system.find(value)),
            FilterOp::ChildOf => Check::ChildOf(system.find(value)),
            FilterOp::DescendentLeaf => Check::LeafBelow(system.find(value)),
            FilterOp::Equal => Check::Equal(value),
            FilterOp::In => Check::In(list()),
            FilterOp::NotIn => Check::NotIn(list()),
            FilterOp::Exists => Check::Exists(value == "true"),
            FilterOp::Regex => Check::Regex(Box::new(whole_match(value).ok_or_else(|| fail(FilterFault::Regex))?)),
            FilterOp::Other(_) => return Err(fail(FilterFault::Operator)),
        };
        Ok(Self { property: &filter.property, check })
    }

    /// The concepts that may hold, when the hierarchy tells them without a scan.
    fn candidates(&self, system: &CodeSystem) -> Option<Vec<ConceptId>> {
        match self.check {
            Check::Below { of: Some(of), .. } | Check::LeafBelow(Some(of)) => {
                let mut below: Vec<_> = system.hierarchy().below(of).collect();
                below.sort_unstable();
                Some(below)
            }
            Check::ChildOf(Some(of)) => Some(system.hierarchy().children(of).to_vec()),
            Check::Below { of: None, .. } | Check::LeafBelow(None) | Check::ChildOf(None) => Some(Vec::new()),
            _ => None,
        }
    }

    fn holds(&self, system: &CodeSystem, id: ConceptId) -> bool {
        let tree = system.hierarchy();
        let strictly_below = |of: ConceptId| of != id && tree.subsumes(of, id);
        match &self.check {
            Check::Below { of, with_self } => of.is_some_and(|of| strictly_below(of) || (*with_self && of == id)),
            Check::NotBelow(of) => of.is_none_or(|of| !tree.subsumes(of, id)),
            Check::Above(of) => of.is_some_and(|of| tree.subsumes(id, of)),
            Check::ChildOf(of) => of.is_some_and(|of| tree.children(of).contains(&id)),
            Check::LeafBelow(of) => of.is_some_and(|of| strictly_below(of) && tree.children(id).is_empty()),
            Check::Equal(wanted) => self.any(system, id, |value| value == *wanted),
            Check::In(wanted) => self.any(system, id, |value| wanted.contains(&value)),
            Check::NotIn(wanted) => !self.any(system, id, |value| wanted.contains(&value)),
            Check::Exists(wanted) => self.any(system, id, |_| true) == *wanted,
            Check::Regex(regex) => self.any(system, id, |value| regex.is_match(value)),
        }
    }

    /// A value of the concept under the property fits.
    fn any(&self, system: &CodeSystem, id: ConceptId, fits: impl Fn(&str) -> bool) -> bool {
        let Some(concept) = system.concept(id) else { return false };
        let tree = system.hierarchy();
        let code_of = |other: &ConceptId| system.concept(*other).is_some_and(|other| fits(&other.code));
        match self.property {
            "code" | "concept" => fits(&concept.code),
            "display" => {
                concept.display.as_deref().is_some_and(&fits)
                    || concept.designations.iter().any(|name| fits(&name.value))
            }
            "definition" => concept.definition.as_deref().is_some_and(fits),
            "parent" => tree.parents(id).iter().any(code_of),
            "child" => tree.children(id).iter().any(code_of),
            name => {
                // A flag that is not said is not `false`: the ecosystem tests tell the two apart.
                system.values_of(id, name).any(|value| fits(value.text()))
            }
        }
    }
}

/// The whole value must match, without backtracking.
fn whole_match(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(MAX_REGEX).build().ok()
}
