//! Reading: one resource, one version, histories, searches.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use jiff::fmt::rfc2822::DateTimeParser;
use socle_fhir::definitions::r4;
use socle_fhir::{IssueType, outcome};
use socle_finding::Text;
use socle_store::{Cursor, Filter, Found, Page, Query, Version};
use socle_trust::audit::Record;

use crate::answer::{Reply, Wish, etag, unsupported_media_type};
use crate::base::{Base, Call};
use crate::bundle::{self, Links, Searchset};
use crate::problem::{Answered, Problem};
use crate::resource::shown;
use crate::route::Around;
use crate::search::{self, Origin, PAGE_MAX, Place, Search, included};
use crate::shape::Shape;
use crate::{catalogue, trace};

impl Base {
    pub(crate) async fn read(&self, call: &Call, kind: &str, id: &str, record: Record) -> Answered<Reply> {
        let read = self.store.read(&self.settings.tenant, kind, id).await?;
        let version = read.ok_or_else(Problem::not_found)?;
        if version.deleted {
            return Err(Problem::gone());
        }
        self.show(call, version, record).await
    }

    pub(crate) async fn read_version(
        &self,
        call: &Call,
        kind: &str,
        id: &str,
        number: u64,
        record: Record,
    ) -> Answered<Reply> {
        let read = self.store.read_version(&self.settings.tenant, kind, id, number).await?;
        let version = read.ok_or_else(Problem::not_found)?;
        if version.deleted {
            return Err(Problem::gone());
        }
        self.show(call, version, record).await
    }

    async fn show(&self, call: &Call, version: Version, mut record: Record) -> Answered<Reply> {
        let shape = Shape::of(&search::pairs(call.query.as_bytes()))?;
        trace::shown(&mut record, &self.settings, std::slice::from_ref(&version));
        self.trace(record).await?;
        if is_unchanged(&call.headers, &version) {
            return Ok(Reply::empty(StatusCode::NOT_MODIFIED).version(version.version, version.at));
        }
        let resource = shape.apply(shown(&version));
        Ok(Reply::of(StatusCode::OK, resource).version(version.version, version.at))
    }

    pub(crate) async fn history(&self, call: &Call, kind: &str, id: &str, mut record: Record) -> Answered<Reply> {
        let asked = self.asked(call, kind)?;
        let tenant = &self.settings.tenant;
        let current = self.store.read(tenant, kind, id).await?.ok_or_else(Problem::not_found)?;
        let mut versions = self.store.history(tenant, kind, id, asked.page()).await?;
        if let Some(since) = asked.since {
            versions.retain(|version| version.at >= since);
        }
        trace::touched(&mut record, [(kind, id)]);
        self.trace(record).await?;
        let total = asked.since.is_none().then_some(current.version);
        self.past(call, kind, &asked, versions, total)
    }

    pub(crate) async fn history_of_all(&self, call: &Call, kind: Option<&str>, mut record: Record) -> Answered<Reply> {
        let asked = self.asked(call, kind.unwrap_or_default())?;
        let versions = self.store.changes(&self.settings.tenant, kind, asked.since, asked.page()).await?;
        trace::touched(&mut record, versions.iter().map(|version| (version.kind.as_str(), version.id.as_str())));
        self.trace(record).await?;
        self.past(call, kind.unwrap_or_default(), &asked, versions, None)
    }

    fn past(
        &self,
        call: &Call,
        kind: &str,
        asked: &Past,
        mut versions: Vec<Version>,
        total: Option<u64>,
    ) -> Answered<Reply> {
        let address = format!("{}/{}", self.settings.url, call.path.trim_matches('/'));
        let has_more = versions.len() > asked.count;
        versions.truncate(asked.count);
        let next = match versions.last().filter(|_| has_more) {
            Some(last) => {
                let place = Place { after: Some(last.cursor), search: asked.search.clone() };
                Some(format!("{address}?_page={}", self.sealer.seal(&past_of(kind), &place)?))
            }
            None => None,
        };
        let question = if asked.search.is_empty() { "" } else { "?" };
        let own = format!("{address}{question}{}", asked.search);
        let bundle = bundle::history(&self.settings.url, &versions, Links { own, next }, total);
        Ok(Reply::of(StatusCode::OK, bundle))
    }

    /// `_count` and `_since`, or the page that a link of ours leads to.
    fn asked(&self, call: &Call, kind: &str) -> Answered<Past> {
        let mut pairs = search::pairs(call.query.as_bytes());
        let mut after = None;
        if let Some((_, sealed)) = pairs.iter().find(|(name, _)| name == "_page") {
            let place = self.sealer.open(&past_of(kind), sealed)?;
            (after, pairs) = (place.after, search::pairs(place.search.as_bytes()));
        }
        pairs.retain(|(name, _)| matches!(name.as_str(), "_count" | "_since"));
        let mut past = Past { count: 50, since: None, after, search: search::written(&pairs) };
        for (name, value) in &pairs {
            let wrong = || wrong_history(name);
            match name.as_str() {
                "_count" => past.count = value.parse::<usize>().map_err(|_| wrong())?.clamp(1, PAGE_MAX),
                _ => past.since = Some(value.replace(' ', "+").parse().map_err(|_| wrong())?),
            }
        }
        Ok(past)
    }

    pub(crate) async fn search_by_form(&self, call: &Call, kind: &str, wish: &Wish, record: Record) -> Answered<Reply> {
        let mime = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_form = mime.split(';').next().is_some_and(|mime| mime.trim() == "application/x-www-form-urlencoded");
        if !is_form && !call.body.is_empty() {
            return Err(unsupported_media_type());
        }
        let mut pairs = search::pairs(call.query.as_bytes());
        pairs.extend(search::pairs(&call.body));
        // The form keeps identifiers out of addresses: its own link is sealed as well.
        let place = Place { after: None, search: search::written(&pairs) };
        let sealed = self.sealer.seal(kind, &place)?;
        self.search(kind, vec![("_page".to_owned(), sealed)], None, wish, record).await
    }

    pub(crate) async fn search(
        &self,
        kind: &str,
        mut pairs: Vec<(String, String)>,
        around: Option<&Around>,
        wish: &Wish,
        mut record: Record,
    ) -> Answered<Reply> {
        let address = around.map_or_else(
            || format!("{}/{kind}", self.settings.url),
            |around| format!("{}/{}/{}/{kind}", self.settings.url, around.kind, around.id),
        );
        let place_of = around.map_or_else(|| kind.to_owned(), |around| format!("{}/{}/{kind}", around.kind, around.id));
        let mut own = None;
        let mut after = None;
        if let Some(at) = pairs.iter().position(|(name, _)| name == "_page") {
            let (_, sealed) = pairs.swap_remove(at);
            let place = self.sealer.open(&place_of, &sealed)?;
            own = Some(format!("{address}?_page={sealed}"));
            (after, pairs) = (place.after, search::pairs(place.search.as_bytes()));
        }
        let search = Search::read(kind, &pairs, &self.settings.url, wish.strict)?;
        let found = self.find(kind, &search, around, after).await?;
        let (matches, has_more) = page_of(found.versions, search.count);
        let from = Origin { store: self.store.as_ref(), tenant: &self.settings.tenant, base: &self.settings.url };
        let more = included(&from, &search.includes, &matches).await?;
        let all: Vec<Version> = matches.iter().chain(&more).cloned().collect();
        trace::shown(&mut record, &self.settings, &all);
        self.trace(record).await?;
        let next = match matches.last().filter(|_| has_more) {
            Some(last) => {
                let place = Place { after: Some(last.cursor), search: search::written(&search.used) };
                Some(format!("{address}?_page={}", self.sealer.seal(&place_of, &place)?))
            }
            None => None,
        };
        let question = if search.used.is_empty() { "" } else { "?" };
        let own = own.unwrap_or_else(|| format!("{address}{question}{}", search::written(&search.used)));
        let set = Searchset {
            base: &self.settings.url,
            links: Links { own, next },
            total: found.total,
            matches: &matches,
            included: &more,
            shape: &search.shape,
            outcome: (!search.remarks.is_empty()).then(|| outcome::write(&search.remarks, wish.lang)),
        };
        Ok(Reply::of(StatusCode::OK, set.write()))
    }

    async fn find(
        &self,
        kind: &str,
        search: &Search,
        around: Option<&Around>,
        after: Option<Cursor>,
    ) -> Answered<Found> {
        let mut filter = search.filter.clone();
        if let Some(around) = around {
            filter = Filter::All(vec![in_compartment(around, kind)?, filter]);
        }
        let counts_only = search.shape == Shape::Count || search.count == 0;
        let limit = if counts_only { 0 } else { search.count + 1 };
        let query = Query {
            tenant: self.settings.tenant.clone(),
            kind: kind.to_owned(),
            filter,
            sort: search.sort.clone(),
            page: Page { limit, after },
            count: search.total || counts_only,
        };
        Ok(self.store.find(query).await?)
    }
}

/// What a history was asked for.
struct Past {
    count: usize,
    since: Option<jiff::Timestamp>,
    after: Option<Cursor>,
    search: String,
}

impl Past {
    /// One more than is shown, to know whether there are more.
    const fn page(&self) -> Page {
        Page { limit: self.count + 1, after: self.after }
    }
}

/// What a place in a history is sealed for: never a place in a search.
fn past_of(kind: &str) -> String {
    format!("{kind}/_history")
}

fn page_of(mut versions: Vec<Version>, count: usize) -> (Vec<Version>, bool) {
    let has_more = versions.len() > count;
    versions.truncate(count);
    (versions, has_more)
}

/// The resources of a type that are in a compartment (FHIR R4 §5.7).
fn in_compartment(around: &Around, kind: &str) -> Answered<Filter> {
    let compartment = r4().compartments().iter().find(|one| one.code.as_ref() == around.kind);
    let members = compartment.and_then(|one| one.members.iter().find(|(name, _)| name.as_ref() == kind));
    let (Some((_, codes)), Some(catalogue)) = (members, catalogue::of(kind)) else {
        return Err(Problem::not_served("compartment"));
    };
    let target = (around.kind.clone(), around.id.clone());
    let links = codes.iter().filter(|code| catalogue.get(code).is_some());
    Ok(Filter::Any(links.map(|code| Filter::Link(code.as_ref().to_owned(), vec![target.clone()])).collect()))
}

/// FHIR R4 §3.1.0.1.3: If-None-Match counts before If-Modified-Since (RFC 9110 §13.2.2).
fn is_unchanged(headers: &HeaderMap, version: &Version) -> bool {
    if let Some(known) = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()) {
        let own = etag(version.version);
        return known.split(',').any(|one| one.trim() == own || one.trim() == own.trim_start_matches("W/"));
    }
    let since = headers.get(IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|text| DateTimeParser::new().parse_timestamp(text).ok());
    since.is_some_and(|since| version.at.as_second() <= since.as_second())
}

fn wrong_history(name: &str) -> Problem {
    Problem::bad_request(
        IssueType::Value,
        "http.html#history",
        Text::new(format!("{name} n'a pas une valeur lisible"), format!("{name} has no value that can be read")),
        Text::fixed("_count : un nombre ; _since : un instant", "_count: a number; _since: an instant"),
    )
}
