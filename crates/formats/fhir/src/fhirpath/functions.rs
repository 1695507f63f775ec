//! The functions by name: how many arguments, what they take and what they give.

use super::model::System;

/// A function whose arguments are evaluated before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Empty,
    Exists,
    Not,
    AllTrue,
    AnyTrue,
    AllFalse,
    AnyFalse,
    SubsetOf,
    SupersetOf,
    Count,
    Distinct,
    IsDistinct,
    Single,
    First,
    Last,
    Tail,
    Skip,
    Take,
    Intersect,
    Exclude,
    Union,
    Combine,
    To(System),
    ConvertsTo(System),
    IndexOf,
    LastIndexOf,
    Substring,
    StartsWith,
    EndsWith,
    Contains,
    Upper,
    Lower,
    Replace,
    Matches,
    MatchesFull,
    ReplaceMatches,
    Length,
    ToChars,
    Trim,
    Split,
    Join,
    Encode,
    Decode,
    Escape,
    Unescape,
    Abs,
    Ceiling,
    Exp,
    Floor,
    Ln,
    Log,
    Power,
    Round,
    Sqrt,
    Truncate,
    Children,
    Descendants,
    Now,
    TimeOfDay,
    Today,
    Type,
    Extension,
    HasExtension,
    HasValue,
    GetValue,
    Resolve,
    MemberOf,
    ConformsTo,
    Subsumes,
    SubsumedBy,
    HtmlChecks,
    ElementDefinition,
    Slice,
    CheckModifiers,
    LowBoundary,
    HighBoundary,
    Precision,
    Comparable,
    Part(Part),
}

/// A component of a date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    TimezoneOffset,
    Date,
    Time,
}

/// A function whose arguments are evaluated for each item, or not at all, or are types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    Where,
    Select,
    All,
    Exists,
    Repeat,
    Aggregate,
    Iif,
    Sort,
    Trace,
    Coalesce,
    Is,
    As,
    OfType,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Callable {
    Plain(Function),
    Special(Special),
}

/// What a function wants before its dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Anything,
    /// One text.
    Text,
    /// A collection whose order means something.
    Order,
}

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    One(System),
    Many(System),
    /// Items of its input.
    Input,
    /// At most one item of its input.
    OneOfInput,
    /// Items of its input and its argument.
    Both,
    /// Elements of any type, in no order.
    Elements,
    Anything,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    /// The least and the most arguments.
    pub(super) arguments: (u8, u8),
    pub(super) callable: Callable,
    pub(super) takes: Takes,
    pub(super) gives: Gives,
}

/// The function of that name, with that number of arguments where two share a name.
pub(super) fn find(name: &str, arguments: usize) -> Option<&'static Signature> {
    if name == "exists" && arguments > 0 {
        return Some(&EXISTS_WHERE);
    }
    SIGNATURES.binary_search_by(|signature| signature.name.cmp(name)).ok().map(|at| &SIGNATURES[at])
}

const fn plain(name: &'static str, arguments: (u8, u8), function: Function, takes: Takes, gives: Gives) -> Signature {
    Signature { name, arguments, callable: Callable::Plain(function), takes, gives }
}

const fn special(name: &'static str, arguments: (u8, u8), special: Special) -> Signature {
    Signature { name, arguments, callable: Callable::Special(special), takes: Takes::Anything, gives: Gives::Anything }
}

const EXISTS_WHERE: Signature = special("exists", (0, 1), Special::Exists);

use Gives::{Anything as AnyItem, Both, Elements, Input, Many, One, OneOfInput};
use System::{Boolean, Date, DateTime, Decimal, Integer, Quantity, String, Time};
use Takes::{Anything, Order, Text};

/// By name.
#[rustfmt::skip]
static SIGNATURES: [Signature; 115] = [
    plain("abs", (0, 0), Function::Abs, Anything, OneOfInput),
    special("aggregate", (1, 2), Special::Aggregate),
    special("all", (1, 1), Special::All),
    plain("allFalse", (0, 0), Function::AllFalse, Anything, One(Boolean)),
    plain("allTrue", (0, 0), Function::AllTrue, Anything, One(Boolean)),
    plain("anyFalse", (0, 0), Function::AnyFalse, Anything, One(Boolean)),
    plain("anyTrue", (0, 0), Function::AnyTrue, Anything, One(Boolean)),
    special("as", (1, 1), Special::As),
    plain("ceiling", (0, 0), Function::Ceiling, Anything, One(Integer)),
    plain("checkModifiers", (0, 20), Function::CheckModifiers, Anything, Input),
    plain("children", (0, 0), Function::Children, Anything, Elements),
    special("coalesce", (1, 20), Special::Coalesce),
    plain("combine", (1, 2), Function::Combine, Anything, Both),
    plain("comparable", (1, 1), Function::Comparable, Anything, One(Boolean)),
    plain("conformsTo", (1, 1), Function::ConformsTo, Anything, One(Boolean)),
    plain("contains", (1, 1), Function::Contains, Text, One(Boolean)),
    plain("convertsToBoolean", (0, 0), Function::ConvertsTo(Boolean), Anything, One(Boolean)),
    plain("convertsToDate", (0, 0), Function::ConvertsTo(Date), Anything, One(Boolean)),
    plain("convertsToDateTime", (0, 0), Function::ConvertsTo(DateTime), Anything, One(Boolean)),
    plain("convertsToDecimal", (0, 0), Function::ConvertsTo(Decimal), Anything, One(Boolean)),
    plain("convertsToInteger", (0, 0), Function::ConvertsTo(Integer), Anything, One(Boolean)),
    plain("convertsToQuantity", (0, 1), Function::ConvertsTo(Quantity), Anything, One(Boolean)),
    plain("convertsToString", (0, 0), Function::ConvertsTo(String), Anything, One(Boolean)),
    plain("convertsToTime", (0, 0), Function::ConvertsTo(Time), Anything, One(Boolean)),
    plain("count", (0, 0), Function::Count, Anything, One(Integer)),
    plain("dateOf", (0, 0), Function::Part(Part::Date), Anything, One(Date)),
    plain("dayOf", (0, 0), Function::Part(Part::Day), Anything, One(Integer)),
    plain("decode", (1, 1), Function::Decode, Text, One(String)),
    plain("descendants", (0, 0), Function::Descendants, Anything, Elements),
    plain("distinct", (0, 0), Function::Distinct, Anything, Input),
    plain("elementDefinition", (0, 0), Function::ElementDefinition, Anything, AnyItem),
    plain("empty", (0, 0), Function::Empty, Anything, One(Boolean)),
    plain("encode", (1, 1), Function::Encode, Text, One(String)),
    plain("endsWith", (1, 1), Function::EndsWith, Text, One(Boolean)),
    plain("escape", (1, 1), Function::Escape, Text, One(String)),
    plain("exclude", (1, 1), Function::Exclude, Anything, Input),
    plain("exists", (0, 1), Function::Exists, Anything, One(Boolean)),
    plain("exp", (0, 0), Function::Exp, Anything, One(Decimal)),
    plain("extension", (1, 1), Function::Extension, Anything, AnyItem),
    plain("first", (0, 0), Function::First, Order, OneOfInput),
    plain("floor", (0, 0), Function::Floor, Anything, One(Integer)),
    plain("getValue", (0, 0), Function::GetValue, Anything, AnyItem),
    plain("hasExtension", (1, 1), Function::HasExtension, Anything, One(Boolean)),
    plain("hasValue", (0, 0), Function::HasValue, Anything, One(Boolean)),
    plain("highBoundary", (0, 1), Function::HighBoundary, Anything, OneOfInput),
    plain("hourOf", (0, 0), Function::Part(Part::Hour), Anything, One(Integer)),
    plain("htmlChecks", (0, 0), Function::HtmlChecks, Anything, One(Boolean)),
    plain("htmlChecks2", (0, 0), Function::HtmlChecks, Anything, One(Boolean)),
    special("iif", (2, 3), Special::Iif),
    plain("indexOf", (1, 1), Function::IndexOf, Text, One(Integer)),
    plain("intersect", (1, 1), Function::Intersect, Anything, Input),
    special("is", (1, 1), Special::Is),
    plain("isDistinct", (0, 0), Function::IsDistinct, Anything, One(Boolean)),
    plain("join", (0, 1), Function::Join, Anything, One(String)),
    plain("last", (0, 0), Function::Last, Order, OneOfInput),
    plain("lastIndexOf", (1, 1), Function::LastIndexOf, Text, One(Integer)),
    plain("length", (0, 0), Function::Length, Text, One(Integer)),
    plain("ln", (0, 0), Function::Ln, Anything, One(Decimal)),
    plain("log", (1, 1), Function::Log, Anything, One(Decimal)),
    plain("lowBoundary", (0, 1), Function::LowBoundary, Anything, OneOfInput),
    plain("lower", (0, 0), Function::Lower, Text, One(String)),
    plain("matches", (1, 2), Function::Matches, Text, One(Boolean)),
    plain("matchesFull", (1, 2), Function::MatchesFull, Text, One(Boolean)),
    plain("memberOf", (1, 1), Function::MemberOf, Anything, One(Boolean)),
    plain("millisecondOf", (0, 0), Function::Part(Part::Millisecond), Anything, One(Integer)),
    plain("minuteOf", (0, 0), Function::Part(Part::Minute), Anything, One(Integer)),
    plain("monthOf", (0, 0), Function::Part(Part::Month), Anything, One(Integer)),
    plain("not", (0, 0), Function::Not, Anything, One(Boolean)),
    plain("now", (0, 0), Function::Now, Anything, One(DateTime)),
    special("ofType", (1, 1), Special::OfType),
    plain("power", (1, 1), Function::Power, Anything, AnyItem),
    plain("precision", (0, 0), Function::Precision, Anything, One(Integer)),
    special("repeat", (1, 1), Special::Repeat),
    plain("replace", (2, 2), Function::Replace, Text, One(String)),
    plain("replaceMatches", (2, 3), Function::ReplaceMatches, Text, One(String)),
    plain("resolve", (0, 0), Function::Resolve, Anything, AnyItem),
    plain("round", (0, 1), Function::Round, Anything, One(Decimal)),
    plain("secondOf", (0, 0), Function::Part(Part::Second), Anything, One(Integer)),
    special("select", (1, 1), Special::Select),
    plain("single", (0, 0), Function::Single, Anything, OneOfInput),
    plain("skip", (1, 1), Function::Skip, Order, Input),
    plain("slice", (2, 2), Function::Slice, Anything, Input),
    special("sort", (0, 20), Special::Sort),
    plain("split", (1, 1), Function::Split, Text, Many(String)),
    plain("sqrt", (0, 0), Function::Sqrt, Anything, One(Decimal)),
    plain("startsWith", (1, 1), Function::StartsWith, Text, One(Boolean)),
    plain("subsetOf", (1, 1), Function::SubsetOf, Anything, One(Boolean)),
    plain("substring", (1, 2), Function::Substring, Text, One(String)),
    plain("subsumedBy", (1, 1), Function::SubsumedBy, Anything, One(Boolean)),
    plain("subsumes", (1, 1), Function::Subsumes, Anything, One(Boolean)),
    plain("supersetOf", (1, 1), Function::SupersetOf, Anything, One(Boolean)),
    plain("tail", (0, 0), Function::Tail, Order, Input),
    plain("take", (1, 1), Function::Take, Order, Input),
    plain("timeOf", (0, 0), Function::Part(Part::Time), Anything, One(Time)),
    plain("timeOfDay", (0, 0), Function::TimeOfDay, Anything, One(Time)),
    plain("timezoneOffsetOf", (0, 0), Function::Part(Part::TimezoneOffset), Anything, One(Decimal)),
    plain("toBoolean", (0, 0), Function::To(Boolean), Anything, One(Boolean)),
    plain("toChars", (0, 0), Function::ToChars, Text, Many(String)),
    plain("toDate", (0, 0), Function::To(Date), Anything, One(Date)),
    plain("toDateTime", (0, 0), Function::To(DateTime), Anything, One(DateTime)),
    plain("toDecimal", (0, 0), Function::To(Decimal), Anything, One(Decimal)),
    plain("toInteger", (0, 0), Function::To(Integer), Anything, One(Integer)),
    plain("toQuantity", (0, 1), Function::To(Quantity), Anything, One(Quantity)),
    plain("toString", (0, 0), Function::To(String), Anything, One(String)),
    plain("toTime", (0, 0), Function::To(Time), Anything, One(Time)),
    plain("today", (0, 0), Function::Today, Anything, One(Date)),
    special("trace", (1, 2), Special::Trace),
    plain("trim", (0, 0), Function::Trim, Text, One(String)),
    plain("truncate", (0, 0), Function::Truncate, Anything, One(Integer)),
    plain("type", (0, 0), Function::Type, Anything, AnyItem),
    plain("unescape", (1, 1), Function::Unescape, Text, One(String)),
    plain("union", (1, 1), Function::Union, Anything, Both),
    plain("upper", (0, 0), Function::Upper, Text, One(String)),
    special("where", (1, 1), Special::Where),
    plain("yearOf", (0, 0), Function::Part(Part::Year), Anything, One(Integer)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order() {
        for pair in SIGNATURES.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} {}", pair[0].name, pair[1].name);
        }
        for signature in &SIGNATURES {
            assert_eq!(find(signature.name, 0).map(|found| found.name), Some(signature.name));
        }
    }
}
