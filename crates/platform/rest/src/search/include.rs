//! `_include` and `_revinclude` (FHIR R4 §3.1.1.5.6): what the resources found point at, and what points at them.

use std::collections::HashSet;

use socle_fhir::definitions::SearchKind;
use socle_fhir::{Document, IssueType};
use socle_finding::Text;
use socle_store::{Filter, Key, Page, Query, Store, Version};

use super::Refused;
use crate::catalogue;
use crate::problem::{Answered, Problem};

/// Most resources that one answer includes.
const INCLUDED_MAX: usize = 1000;
/// Most steps of `:iterate`.
const ITERATE_MAX: usize = 4;

/// One `_include` or `_revinclude`.
#[derive(Debug, Clone)]
pub(crate) struct Include {
    is_reverse: bool,
    iterates: bool,
    source: String,
    /// None: every reference.
    code: Option<String>,
    target: Option<String>,
}

impl Include {
    pub(crate) fn read(kind: &str, name: &str, value: &str, is_reverse: bool) -> Result<Self, Refused> {
        let iterates = match name.split_once(':') {
            None => false,
            Some((_, "iterate" | "recurse")) => true,
            Some(_) => return Err(Refused::Unknown),
        };
        if value == "*" && !is_reverse {
            return Ok(Self { is_reverse, iterates, source: kind.to_owned(), code: None, target: None });
        }
        let mut parts = value.splitn(3, ':');
        let (Some(source), Some(code)) = (parts.next(), parts.next()) else { return Err(Refused::Unknown) };
        let catalogue = catalogue::of(source).ok_or(Refused::Unknown)?;
        if code != "*" || is_reverse {
            catalogue.get(code).filter(|one| one.kind == SearchKind::Reference).ok_or(Refused::Unknown)?;
        }
        Ok(Self {
            is_reverse,
            iterates,
            source: source.to_owned(),
            code: (code != "*").then(|| code.to_owned()),
            target: parts.next().map(str::to_owned),
        })
    }
}

/// Where the resources come from.
pub(crate) struct Origin<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) tenant: &'a str,
    pub(crate) base: &'a str,
}

/// What goes with the resources found, each once, none that was found itself.
pub(crate) async fn included(from: &Origin<'_>, includes: &[Include], found: &[Version]) -> Answered<Vec<Version>> {
    let mut known: HashSet<(String, String)> =
        found.iter().map(|version| (version.kind.clone(), version.id.clone())).collect();
    let mut all: Vec<Version> = Vec::new();
    let mut last: Vec<Version> = found.to_vec();
    for step in 0..ITERATE_MAX {
        let mut next = Vec::new();
        for include in includes.iter().filter(|include| step == 0 || include.iterates) {
            let more = if include.is_reverse {
                reverse(from, include, &last).await?
            } else {
                forward(from, include, &last).await?
            };
            next.extend(more.into_iter().filter(|version| known.insert((version.kind.clone(), version.id.clone()))));
        }
        if next.is_empty() {
            break;
        }
        if all.len() + next.len() > INCLUDED_MAX {
            return Err(too_many());
        }
        all.extend(next.iter().cloned());
        last = next;
    }
    Ok(all)
}

fn too_many() -> Problem {
    Problem::bad_request(
        IssueType::TooCostly,
        "search.html#include",
        Text::fixed("plus de 1 000 ressources seraient incluses", "more than 1 000 resources would be included"),
        Text::fixed("demandez des pages plus courtes (_count)", "ask for shorter pages (_count)"),
    )
}

async fn forward(from: &Origin<'_>, include: &Include, sources: &[Version]) -> Answered<Vec<Version>> {
    let mut links = HashSet::new();
    for source in sources.iter().filter(|source| source.kind == include.source) {
        let (Some(catalogue), Ok(document)) = (catalogue::of(&source.kind), Document::parse(source.body.clone()))
        else {
            continue;
        };
        for entry in catalogue.entries(&document, from.base) {
            let Key::Link { kind, id } = entry.value else { continue };
            let is_meant = include.code.as_ref().is_none_or(|code| *code == *entry.name)
                && include.target.as_ref().is_none_or(|target| *target == kind);
            if is_meant && !kind.is_empty() {
                links.insert((kind, id));
            }
        }
    }
    let mut versions = Vec::new();
    for (kind, id) in links {
        let read = from.store.read(from.tenant, &kind, &id).await?;
        versions.extend(read.filter(|version| !version.deleted));
    }
    versions.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
    Ok(versions)
}

async fn reverse(from: &Origin<'_>, include: &Include, targets: &[Version]) -> Answered<Vec<Version>> {
    let is_meant = |target: &&Version| include.target.as_ref().is_none_or(|kind| *kind == target.kind);
    let targets: Vec<(String, String)> =
        targets.iter().filter(is_meant).map(|target| (target.kind.clone(), target.id.clone())).collect();
    let (Some(code), false) = (&include.code, targets.is_empty()) else { return Ok(Vec::new()) };
    let query = Query {
        tenant: from.tenant.to_owned(),
        kind: include.source.clone(),
        filter: Filter::Link(code.clone(), targets),
        sort: Vec::new(),
        page: Page::first(INCLUDED_MAX),
        count: false,
    };
    Ok(from.store.find(query).await?.versions)
}
