//! Values of a search: escapes, prefixes, and the bounds that they put on a range (FHIR R4 §3.1.1.4.5 to .11).

use socle_fhir::fhirpath::Decimal;
use socle_fhir::ucum;
use socle_store::{Bounds, Filter};

use crate::extract;
use crate::values::{interval, ordered};

/// The parts between unescaped separators; escapes are kept.
pub(super) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut escaped = false;
        for (at, c) in text.char_indices() {
            if c == separator && !escaped {
                rest = Some(&text[at + c.len_utf8()..]);
                return Some(&text[..at]);
            }
            escaped = c == '\\' && !escaped;
        }
        rest = None;
        Some(text)
    })
}

/// A value without its escapes.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
}

fn prefix(text: &str) -> (Prefix, &str) {
    let known = [
        ("eq", Prefix::Eq),
        ("ne", Prefix::Ne),
        ("gt", Prefix::Gt),
        ("lt", Prefix::Lt),
        ("ge", Prefix::Ge),
        ("le", Prefix::Le),
        ("sa", Prefix::Sa),
        ("eb", Prefix::Eb),
        ("ap", Prefix::Ap),
    ];
    let found = known.iter().find_map(|(code, prefix)| Some((*prefix, text.strip_prefix(code)?)));
    found.unwrap_or((Prefix::Eq, text))
}

/// What a prefix asks of a range, when the value searched goes from `a` to `b`.
fn compared(prefix: Prefix, (a, b): (i64, i64), on: &impl Fn(Bounds) -> Filter) -> Filter {
    let low = |low| on(Bounds { low, ..Bounds::ANY });
    let high = |high| on(Bounds { high, ..Bounds::ANY });
    let within = || on(Bounds { low: (a, i64::MAX), high: (i64::MIN, b) });
    let above = || high((b.saturating_add(1), i64::MAX));
    let below = || low((i64::MIN, a.saturating_sub(1)));
    match prefix {
        Prefix::Eq => within(),
        Prefix::Ne => Filter::Any(vec![low((i64::MIN, a.saturating_sub(1))), high((b.saturating_add(1), i64::MAX))]),
        Prefix::Gt => above(),
        Prefix::Lt => below(),
        Prefix::Ge => Filter::Any(vec![above(), within()]),
        Prefix::Le => Filter::Any(vec![below(), within()]),
        Prefix::Sa => low((b.saturating_add(1), i64::MAX)),
        Prefix::Eb => high((i64::MIN, a.saturating_sub(1))),
        Prefix::Ap => on(Bounds { low: (i64::MIN, b), high: (a, i64::MAX) }),
    }
}

/// A date with its prefix; none when it is no date.
pub(super) fn moment(text: &str, on: impl Fn(Bounds) -> Filter) -> Option<Filter> {
    let (prefix, text) = prefix(text);
    // A plus sign that was not escaped in the address has become a space.
    let (mut low, mut high) = interval(&text.replace(' ', "+"))?;
    if prefix == Prefix::Ap {
        // A tenth of the distance to now (FHIR R4 §3.1.1.4.5).
        let now = jiff::Timestamp::now().as_microsecond();
        let more = (now - low).abs() / 10;
        (low, high) = (low.saturating_sub(more), high.saturating_add(more));
    }
    Some(compared(prefix, (low, high), &on))
}

/// A number with its prefix; none when it is no number.
pub(super) fn number(text: &str, on: impl Fn(Bounds) -> Filter) -> Option<Filter> {
    let (prefix, text) = prefix(text);
    let ends = ends(prefix, text.parse().ok()?, Some)?;
    Some(compared(prefix, ends, &on))
}

/// `100` is all from 99.5 to before 100.5, unless a prefix compares (FHIR R4 §3.1.1.4.6).
fn ends(prefix: Prefix, value: Decimal, scaled: impl Fn(Decimal) -> Option<Decimal>) -> Option<(i64, i64)> {
    let key = |value: Decimal| ordered(scaled(value)?);
    let more = match prefix {
        Prefix::Eq | Prefix::Ne => value.half_of_last_digit()?,
        Prefix::Ap => value.absolute()?.over(10.into())?,
        _ => return key(value).map(|key| (key, key)),
    };
    let (low, high) = (key(value.minus(more)?)?, key(value.plus(more)?)?);
    Some((low, if prefix == Prefix::Ap { high } else { high.saturating_sub(1) }))
}

/// `number`, `number|system|code`, `number||code`; a UCUM unit is compared in base units.
pub(super) fn quantity(text: &str, on: impl Fn(&str, Bounds) -> Filter) -> Option<Filter> {
    let (prefix, text) = prefix(text);
    let parts: Vec<String> = split(text, '|').map(plain).collect();
    let value: Decimal = parts.first()?.parse().ok()?;
    let (system, code) = match parts.as_slice() {
        [_] => ("", ""),
        [_, system, code] if !code.is_empty() => (system.as_str(), code.as_str()),
        _ => return None,
    };
    if code.is_empty() {
        return Some(compared(prefix, ends(prefix, value, Some)?, &|bounds| on("", bounds)));
    }
    if system == ucum::SYSTEM
        && let Some((unit, _)) = extract::canonical(code, value)
    {
        let ends = ends(prefix, value, |value| Some(extract::canonical(code, value)?.1))?;
        return Some(compared(prefix, ends, &|bounds| on(&unit, bounds)));
    }
    let unit = extract::coded_unit(system, code);
    Some(compared(prefix, ends(prefix, value, Some)?, &|bounds| on(&unit, bounds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_keep_separators_inside_values() {
        let parts = |text: &'static str| split(text, ',').map(plain).collect::<Vec<_>>();
        assert_eq!(parts(r"a,b"), ["a", "b"]);
        assert_eq!(parts(r"a\,b,c\\,d\|"), ["a,b", "c\\", "d|"]);
        assert_eq!(parts(""), [""]);
    }
}
