//! Searches (FHIR R4 §3.1.1): from the text of a request to a query of the store.
//!
//! `value` reads one value by the type of its parameter, `condition` a whole parameter with its modifier or chain,
//! `page` seals what a next link carries, `include` follows references from what was found; [`Search::read`] puts a
//! request together.

mod condition;
mod include;
mod page;
mod value;

use socle_fhir::definitions::SearchKind;
use socle_fhir::{Issue, IssueType};
use socle_finding::{Rule, Text};
use socle_store::{Filter, Sort, SortBy};

pub(crate) use condition::{Refused, condition};
pub(crate) use include::{Include, Origin, included};
pub(crate) use page::{Place, Sealer};

use crate::catalogue;
use crate::problem::{Answered, Problem};
use crate::shape::Shape;

/// Most resources of one page.
pub(crate) const PAGE_MAX: usize = 1000;
/// Resources of one page when the caller does not say.
const PAGE_DEFAULT: usize = 50;
/// Most parameters of one search.
const PARAMETERS_MAX: usize = 128;

/// A search that was understood.
pub(crate) struct Search {
    pub(crate) filter: Filter,
    pub(crate) sort: Vec<Sort>,
    pub(crate) count: usize,
    pub(crate) total: bool,
    pub(crate) includes: Vec<Include>,
    pub(crate) shape: Shape,
    /// What was understood, as it was written: the self link says it.
    pub(crate) used: Vec<(String, String)>,
    /// What was not understood, and passed over.
    pub(crate) remarks: Vec<Issue>,
}

impl Search {
    /// Reads the parameters of a search on one type.
    pub(crate) fn read(kind: &str, pairs: &[(String, String)], base: &str, strict: bool) -> Answered<Self> {
        let mut search = Self {
            filter: Filter::All(Vec::new()),
            sort: Vec::new(),
            count: PAGE_DEFAULT,
            total: true,
            includes: Vec::new(),
            shape: Shape::of(pairs)?,
            used: Vec::new(),
            remarks: Vec::new(),
        };
        if pairs.len() > PARAMETERS_MAX {
            return Err(too_many());
        }
        let mut filters = Vec::new();
        for (name, value) in pairs {
            match search.take(kind, name, value, base, &mut filters) {
                Ok(()) => search.used.push((name.clone(), value.clone())),
                Err(Refused::Wrong(problem)) => return Err(*problem),
                Err(Refused::Unknown) => search.remarks.push(unknown(name, strict)),
            }
        }
        if strict && !search.remarks.is_empty() {
            return Err(Problem { status: http::StatusCode::BAD_REQUEST, issues: search.remarks });
        }
        search.filter = Filter::All(filters);
        Ok(search)
    }

    fn take(
        &mut self,
        kind: &str,
        name: &str,
        value: &str,
        base: &str,
        filters: &mut Vec<Filter>,
    ) -> Result<(), Refused> {
        match name {
            "_format" | "_pretty" | "_summary" | "_elements" => {}
            "_count" => {
                let count: usize = value.parse().map_err(|_| Refused::wrong("_count", "un nombre", "a number"))?;
                self.count = count.min(PAGE_MAX);
            }
            "_total" => match value {
                "none" => self.total = false,
                "estimate" | "accurate" => self.total = true,
                _ => return Err(Refused::wrong("_total", "none, estimate ou accurate", "none, estimate or accurate")),
            },
            "_sort" => {
                for one in value.split(',') {
                    self.sort.push(sort(kind, one)?);
                }
            }
            _ if name == "_include" || name.starts_with("_include:") => {
                self.includes.push(Include::read(kind, name, value, false)?);
            }
            _ if name == "_revinclude" || name.starts_with("_revinclude:") => {
                self.includes.push(Include::read(kind, name, value, true)?);
            }
            _ => filters.push(condition(kind, name, value, base, 0)?),
        }
        Ok(())
    }
}

fn sort(kind: &str, text: &str) -> Result<Sort, Refused> {
    let (code, descending) = text.strip_prefix('-').map_or((text, false), |code| (code, true));
    let by = match code {
        "_id" => SortBy::Id,
        "_lastUpdated" => SortBy::Updated,
        _ => {
            let catalogue = catalogue::of(kind).ok_or(Refused::Unknown)?;
            let parameter = catalogue.get(code).ok_or(Refused::Unknown)?;
            match parameter.kind {
                SearchKind::String | SearchKind::Uri => SortBy::Text(code.to_owned()),
                SearchKind::Date | SearchKind::Number | SearchKind::Quantity => SortBy::Range(code.to_owned()),
                SearchKind::Reference => SortBy::Link(code.to_owned()),
                SearchKind::Token | SearchKind::Composite | SearchKind::Special => return Err(Refused::Unknown),
            }
        }
    };
    Ok(Sort { by, descending })
}

/// The name of a parameter as far as it may be shown: never a value that a caller wrote in its place.
fn shown(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || "._:-".contains(*c)).take(40).collect()
}

fn unknown(name: &str, strict: bool) -> Issue {
    let name = shown(name);
    let message = Text::new(
        format!("le paramètre de recherche « {name} » n'est pas connu ici, ou pas avec cette valeur"),
        format!("the search parameter `{name}` is not known here, or not with this value"),
    );
    let mend = Text::fixed("les paramètres connus sont dans metadata", "the known parameters are in metadata");
    let rule = Rule::fixed("FHIR R4", "search.html#errors");
    if strict {
        Issue::error(IssueType::NotSupported, rule, message, mend)
    } else {
        Issue::warning(IssueType::NotSupported, rule, message, mend)
    }
}

fn too_many() -> Problem {
    Problem::bad_request(
        IssueType::TooCostly,
        "search.html",
        Text::fixed("trop de paramètres", "too many parameters"),
        Text::fixed("128 au plus", "128 at most"),
    )
}

/// The pairs of a query string or a form.
pub(crate) fn pairs(text: &[u8]) -> Vec<(String, String)> {
    let halves = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        (decoded(&pair[..at]), decoded(pair.get(at + 1..).unwrap_or_default()))
    });
    halves.take(PARAMETERS_MAX + 1).collect()
}

pub(crate) fn decoded(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &tail[2..];
                continue;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(*byte),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `name=value&…`
pub(crate) fn written(pairs: &[(String, String)]) -> String {
    let each = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    each.collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:,".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_they_were_written() {
        let pairs = pairs(b"name=%C3%89lodie+B&x&y=&a%3Ab=%7c&&z=%zz");
        let expected = [("name", "Élodie B"), ("x", ""), ("y", ""), ("a:b", "|"), ("z", "%zz")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(written(&pairs), "name=%C3%89lodie%20B&x=&y=&a:b=%7C&z=%25zz");
    }
}
