//! Editions: which is newer, which pattern it fits, and the rules that a request gives.

use std::cmp::Ordering;

/// `version` fits `pattern`: the same text, or a pattern with `x` or `*` in place of numbers
/// (`1.x`, `1.0.x`; FHIR terminology ecosystem, version patterns).
#[must_use]
pub fn fits(pattern: &str, version: &str) -> bool {
    if pattern == version {
        return true;
    }
    let is_wild = |part: &str| matches!(part, "x" | "X" | "*");
    let wanted: Vec<_> = pattern.split('.').collect();
    if !wanted.iter().any(|part| is_wild(part)) {
        return false;
    }
    let given: Vec<_> = version.split('.').collect();
    let same = wanted.iter().zip(&given).all(|(part, value)| is_wild(part) || part == value);
    let ends_wild = wanted.last().is_some_and(|part| is_wild(part));
    same && (given.len() == wanted.len() || (ends_wild && given.len() > wanted.len()))
}

/// The older first: numbers by value, other text by letter; no version at all is the oldest.
#[must_use]
pub fn order(left: Option<&str>, right: Option<&str>) -> Ordering {
    let parts = |version: &str| version.split(['.', '-', '_']).map(str::to_owned).collect::<Vec<_>>();
    match (left, right) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(left), Some(right)) => {
            let (left, right) = (parts(left), parts(right));
            let unequal = left.iter().zip(&right).map(|(one, two)| part_order(one, two));
            unequal.into_iter().find(|order| *order != Ordering::Equal).unwrap_or(left.len().cmp(&right.len()))
        }
    }
}

fn part_order(left: &str, right: &str) -> Ordering {
    match (left.parse::<u64>(), right.parse::<u64>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

/// `url|version` in its two parts.
#[must_use]
pub fn split(canonical: &str) -> (&str, Option<&str>) {
    match canonical.split_once('|') {
        Some((url, version)) if !version.is_empty() => (url, Some(version)),
        Some((url, _)) => (url, None),
        None => (canonical, None),
    }
}

/// What a rule on versions does (FHIR R4 `$expand`: `system-version`, `check-system-version`,
/// `force-system-version`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// This one when nothing else says.
    Default,
    /// An error when it is another one.
    Check,
    /// This one whatever else says.
    Force,
}

/// The parameters that are rules.
const PARAMETERS: [(&str, RuleKind); 6] = [
    ("system-version", RuleKind::Default),
    ("default-valueset-version", RuleKind::Default),
    ("check-system-version", RuleKind::Check),
    ("check-valueset-version", RuleKind::Check),
    ("force-system-version", RuleKind::Force),
    ("force-valueset-version", RuleKind::Force),
];

/// A rule on the version of a system or a value set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRule {
    /// What it does.
    pub kind: RuleKind,
    /// The parameter that gave it.
    pub parameter: &'static str,
    /// The canonical that it is about.
    pub url: Box<str>,
    /// The version.
    pub version: Box<str>,
}

impl VersionRule {
    /// The rule that the parameter of that name with the value `url|version` is; none when it is no rule.
    #[must_use]
    pub fn read(parameter: &str, canonical: &str) -> Option<Self> {
        let (parameter, kind) = PARAMETERS.into_iter().find(|(name, _)| *name == parameter)?;
        let (url, version) = split(canonical);
        Some(Self { kind, parameter, url: url.into(), version: version?.into() })
    }
}

/// The version that the rules choose for a system, when the definition says `said`; and the rule that chose.
#[must_use]
pub fn chosen<'a>(
    rules: &'a [VersionRule],
    url: &str,
    said: Option<&'a str>,
) -> (Option<&'a str>, Option<&'a VersionRule>) {
    let of = |kind: RuleKind| rules.iter().find(move |rule| rule.kind == kind && &*rule.url == url);
    let by = |rule: &'a VersionRule| (Some(&*rule.version), Some(rule));
    if let Some(rule) = of(RuleKind::Force) {
        return by(rule);
    }
    if said.is_some() {
        return (said, None);
    }
    of(RuleKind::Default).or_else(|| of(RuleKind::Check)).map_or((None, None), by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let cases = [
            ("1.0.0", "1.0.0", true),
            ("1", "1.0.0", false),
            ("1.x", "1.2.0", true),
            ("1.x.x", "1.2.0", true),
            ("1.0.x", "1.2.0", false),
            ("1.0.x", "1.0", false),
            ("x", "2024", true),
            ("*.1", "1.1", true),
            ("*.1", "1.1.1", false),
        ];
        for (pattern, version, expected) in cases {
            assert_eq!(fits(pattern, version), expected, "{pattern} {version}");
        }
    }

    #[test]
    fn numbers_are_compared_by_value() {
        let sorted = [None, Some("beta"), Some("1"), Some("1.2.0"), Some("1.10.0"), Some("2024-01-31")];
        for pair in sorted.windows(2) {
            assert_eq!(order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
    }
}
