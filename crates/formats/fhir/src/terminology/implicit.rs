//! Value sets that nobody wrote: their canonical says what they hold.

use super::library::Source;
use super::model::{Compose, Filter, FilterOp, Header, Include, ValueSet};

const SNOMED: &str = "http://snomed.info/sct";
const LOINC: &str = "http://loinc.org";

/// The value set that a canonical implies: all codes of a system whose canonical it is with `?fhir_vs`
/// or `/vs`, the SNOMED CT forms `?fhir_vs=isa/[code]` and `?fhir_vs=refset/[code]`, the LOINC ones
/// (FHIR R4 §4.9, terminologies-systems).
pub(super) fn value_set(source: &dyn Source, url: &str) -> Option<ValueSet> {
    let include = snomed(url).or_else(|| loinc(url)).or_else(|| whole(source, url))?;
    let header = Header { url: url.into(), status: Some("active".into()), ..Header::default() };
    Some(ValueSet {
        header,
        compose: Some(Compose { include: vec![include], ..Compose::default() }),
        ..ValueSet::default()
    })
}

fn snomed(url: &str) -> Option<Include> {
    let (system, query) = url.split_once("?fhir_vs")?;
    let version = system.strip_prefix(SNOMED)?;
    let filter = match query.strip_prefix('=') {
        None if query.is_empty() => None,
        Some(query) => Some(match query.split_once('/')? {
            ("isa", code) => filter("concept", FilterOp::IsA, code),
            ("refset", code) => filter("concept", FilterOp::In, code),
            _ => return None,
        }),
        None => return None,
    };
    Some(Include {
        system: Some(SNOMED.into()),
        version: (!version.is_empty()).then(|| system.into()),
        filters: filter.into_iter().collect(),
        ..Include::default()
    })
}

fn loinc(url: &str) -> Option<Include> {
    let code = url.strip_prefix(LOINC)?.strip_prefix("/vs")?;
    let filters = match code.strip_prefix('/') {
        None if code.is_empty() => Vec::new(),
        Some(list) if list.starts_with("LL") => vec![filter("LIST", FilterOp::Equal, list)],
        Some(part) => vec![filter("ancestor", FilterOp::Equal, part)],
        None => return None,
    };
    Some(Include { system: Some(LOINC.into()), filters, ..Include::default() })
}

fn whole(source: &dyn Source, url: &str) -> Option<Include> {
    let system = url.strip_suffix("?fhir_vs").or_else(|| url.strip_suffix("/vs"))?;
    let is_known = source.code_system(system, None).is_some() || super::grammar::Grammar::of(system).is_some();
    is_known.then(|| Include { system: Some(system.into()), ..Include::default() })
}

fn filter(property: &str, op: FilterOp, value: &str) -> Filter {
    Filter { property: property.into(), op, value: Some(value.into()) }
}
