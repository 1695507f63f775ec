//! Writing: create, update, delete, and their conditional forms (FHIR R4 §3.1.0.3 to .8).

use http::StatusCode;
use http::header::{HeaderMap, IF_MATCH};
use socle_fhir::{Document, Issue, IssueType, Node, outcome};
use socle_finding::Text;
use socle_store::{Batch, Committed, Delete, Expect, Filter, Page, Query, Version, Write};
use socle_trust::audit::Record;
use uuid::Uuid;

use crate::answer::{Reply, Return, Wish, is_xml};
use crate::base::{Base, Call};
use crate::problem::{Answered, Problem};
use crate::resource::{check_type, is_id, kept, read, shown, stamped};
use crate::search::{self, Search};
use crate::{catalogue, trace};

/// A write that is ready to be committed.
pub(crate) struct Prepared {
    pub(crate) write: Write,
    /// It makes a resource that was not there, as far as is known.
    pub(crate) creates: bool,
}

impl Base {
    pub(crate) async fn create(&self, call: &Call, kind: &str, wish: &Wish, record: Record) -> Answered<Reply> {
        let document = read(&call.body, is_xml(&call.headers)?)?;
        let criteria = call.headers.get("if-none-exist").and_then(|value| value.to_str().ok());
        let Some(criteria) = criteria else {
            let prepared = self.prepare(kind, new_id(), document.root(), Expect::Absent, true)?;
            return self.commit_one(prepared, wish, record).await;
        };
        let _guard = self.conditions.lock().await;
        match self.only_match(kind, criteria).await? {
            Some(existing) => self.existing(existing, wish, record).await,
            None => {
                let prepared = self.prepare(kind, new_id(), document.root(), Expect::Absent, true)?;
                self.commit_one(prepared, wish, record).await
            }
        }
    }

    /// A conditional create that has nothing to do: the resource is there.
    async fn existing(&self, version: Version, wish: &Wish, mut record: Record) -> Answered<Reply> {
        trace::shown(&mut record, &self.settings, std::slice::from_ref(&version));
        self.trace(record).await?;
        let location = self.location(&version.kind, &version.id, version.version);
        let resource = returned(shown(&version), wish);
        let reply = Reply { resource, location: Some(location), ..Reply::empty(StatusCode::OK) };
        Ok(reply.version(version.version, version.at))
    }

    pub(crate) async fn update(
        &self,
        call: &Call,
        kind: &str,
        id: &str,
        wish: &Wish,
        record: Record,
    ) -> Answered<Reply> {
        let document = read(&call.body, is_xml(&call.headers)?)?;
        check_id(document.root(), id)?;
        let prepared = self.prepare_update(kind, id, document.root(), expected(&call.headers)?).await?;
        self.commit_one(prepared, wish, record).await
    }

    pub(crate) async fn prepare_update(
        &self,
        kind: &str,
        id: &str,
        root: Node<'_>,
        expect: Expect,
    ) -> Answered<Prepared> {
        let current = self.store.read(&self.settings.tenant, kind, id).await?;
        let creates = current.is_none_or(|version| version.deleted);
        if creates && expect != Expect::Any {
            return Err(Problem::conflict());
        }
        self.prepare(kind, id.to_owned(), root, expect, creates)
    }

    /// FHIR R4 §3.1.0.4.3: none is created, one is updated, several are refused.
    pub(crate) async fn update_where(&self, call: &Call, kind: &str, wish: &Wish, record: Record) -> Answered<Reply> {
        let document = read(&call.body, is_xml(&call.headers)?)?;
        let _guard = self.conditions.lock().await;
        let found = self.only_match(kind, &call.query).await?;
        let prepared = self.prepare_where(kind, document.root(), found, expected(&call.headers)?).await?;
        self.commit_one(prepared, wish, record).await
    }

    pub(crate) async fn prepare_where(
        &self,
        kind: &str,
        root: Node<'_>,
        found: Option<Version>,
        expect: Expect,
    ) -> Answered<Prepared> {
        match (found, root.text("id")) {
            (Some(found), None) => self.prepare(kind, found.id, root, expect, false),
            (Some(found), Some(id)) if id == found.id => self.prepare(kind, found.id, root, expect, false),
            (Some(_), Some(_)) => Err(wrong_id()),
            (None, Some(id)) => {
                check_id(root, id)?;
                self.prepare_update(kind, id, root, Expect::Any).await
            }
            (None, None) => self.prepare(kind, new_id(), root, Expect::Absent, true),
        }
    }

    pub(crate) async fn delete(&self, call: &Call, kind: &str, id: &str, record: Record) -> Answered<Reply> {
        let delete = Delete { kind: kind.to_owned(), id: id.to_owned(), expect: expected(&call.headers)? };
        self.commit_deletes(vec![delete], record).await
    }

    pub(crate) async fn delete_where(&self, call: &Call, kind: &str, record: Record) -> Answered<Reply> {
        let _guard = self.conditions.lock().await;
        let found = self.only_match(kind, &call.query).await?;
        let deletes = found.map(|version| Delete { kind: version.kind, id: version.id, expect: Expect::Any });
        self.commit_deletes(deletes.into_iter().collect(), record).await
    }

    async fn commit_deletes(&self, deletes: Vec<Delete>, mut record: Record) -> Answered<Reply> {
        trace::touched(&mut record, deletes.iter().map(|delete| (delete.kind.as_str(), delete.id.as_str())));
        if let [only] = deletes.as_slice()
            && only.kind == "Patient"
            && let Ok(document) = Document::parse(&b"{}"[..])
        {
            record.patient = trace::patient(&self.settings, document.root(), &only.kind, &only.id);
        }
        let mut batch = Batch::new(&self.settings.tenant);
        batch.deletes = deletes;
        batch.audit.push(record);
        let committed = self.store.commit(batch).await?;
        let reply = Reply::empty(StatusCode::NO_CONTENT);
        Ok(match committed.deletes.first() {
            Some(Some(version)) => reply.version(*version, committed.at),
            _ => reply,
        })
    }

    /// The bytes to keep, judged as they came and indexed. `root` is that of a document of its own.
    pub(crate) fn prepare(
        &self,
        kind: &str,
        id: String,
        root: Node<'_>,
        expect: Expect,
        creates: bool,
    ) -> Answered<Prepared> {
        check_type(root, kind)?;
        self.judge(root.document())?;
        let document = Document::parse(kept(root, kind, &id))
            .map_err(|error| Problem { status: StatusCode::UNPROCESSABLE_ENTITY, issues: vec![error.issue()] })?;
        let catalogue = catalogue::of(kind).ok_or_else(Problem::unknown_type)?;
        let entries = catalogue.entries(&document, &self.settings.url);
        let write = Write { entries, ..Write::new(kind, id, document.bytes().clone()) }.expect(expect);
        Ok(Prepared { write, creates })
    }

    fn judge(&self, document: &Document) -> Answered<()> {
        let Some(validator) = &self.validator else { return Ok(()) };
        let report = validator.validate(document, &[]);
        if report.is_valid() {
            return Ok(());
        }
        let wrong = report.findings.into_iter().filter(|finding| finding.is_error()).take(100);
        let issues: Vec<Issue> = wrong.map(Issue::from).collect();
        Err(Problem { status: StatusCode::UNPROCESSABLE_ENTITY, issues })
    }

    async fn commit_one(&self, prepared: Prepared, wish: &Wish, mut record: Record) -> Answered<Reply> {
        let Prepared { write, creates } = prepared;
        let (kind, id, body) = (write.kind.clone(), write.id.clone(), write.body.clone());
        trace::touched(&mut record, [(kind.as_str(), id.as_str())]);
        if let Ok(document) = Document::parse(body.clone()) {
            record.patient = trace::patient(&self.settings, document.root(), &kind, &id);
        }
        let mut batch = Batch::new(&self.settings.tenant);
        batch.writes.push(write);
        batch.audit.push(record);
        let committed = self.store.commit(batch).await?;
        Ok(self.written(&committed, 0, creates, (&kind, &id, &body), wish))
    }

    /// The answer to one write of a commit.
    pub(crate) fn written(
        &self,
        committed: &Committed,
        place: usize,
        creates: bool,
        (kind, id, body): (&str, &str, &[u8]),
        wish: &Wish,
    ) -> Reply {
        let version = committed.writes.get(place).copied().unwrap_or_default();
        let status = if creates { StatusCode::CREATED } else { StatusCode::OK };
        let resource = returned(stamped(kind, id, version, committed.at, body), wish);
        let location = Some(self.location(kind, id, version));
        Reply { resource, location, ..Reply::empty(status) }.version(version, committed.at)
    }

    fn location(&self, kind: &str, id: &str, version: u64) -> String {
        format!("{}/{kind}/{id}/_history/{version}", self.settings.url)
    }

    /// The one resource that meets the criteria, if any.
    pub(crate) async fn only_match(&self, kind: &str, criteria: &str) -> Answered<Option<Version>> {
        let criteria = criteria.split_once('?').map_or(criteria, |(_, criteria)| criteria);
        let mut pairs = search::pairs(criteria.as_bytes());
        pairs.retain(|(name, _)| !matches!(name.as_str(), "_format" | "_pretty"));
        // What is passed over would widen the criteria.
        let search = Search::read(kind, &pairs, &self.settings.url, true)?;
        if matches!(&search.filter, Filter::All(all) if all.is_empty()) {
            return Err(no_criteria());
        }
        let query = Query {
            tenant: self.settings.tenant.clone(),
            kind: kind.to_owned(),
            filter: search.filter,
            sort: Vec::new(),
            page: Page::first(2),
            count: false,
        };
        let mut found = self.store.find(query).await?.versions;
        if found.len() > 1 {
            return Err(Problem::several());
        }
        Ok(found.pop())
    }
}

/// Time-ordered, so that what is written together stands together.
pub(crate) fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// What goes back after a write.
fn returned(resource: Vec<u8>, wish: &Wish) -> Option<Vec<u8>> {
    match wish.returns {
        Return::Representation => Some(resource),
        Return::Minimal => None,
        Return::Outcome => Some(outcome::write(&[], wish.lang)),
    }
}

/// What If-Match says (FHIR R4 §3.1.0.5).
fn expected(headers: &HeaderMap) -> Answered<Expect> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(Expect::Any) };
    value.to_str().ok().map_or_else(|| Err(wrong_etag()), version_of)
}

/// The version that an ETag names.
pub(crate) fn version_of(etag: &str) -> Answered<Expect> {
    let etag = etag.trim();
    let bare = etag.strip_prefix("W/").unwrap_or(etag);
    let number = bare.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    number.and_then(|number| number.parse().ok()).map(Expect::Version).ok_or_else(wrong_etag)
}

fn wrong_etag() -> Problem {
    Problem::bad_request(
        IssueType::Value,
        "http.html#concurrency",
        Text::fixed("If-Match n'est pas un ETag de ce serveur", "If-Match is no ETag of this server"),
        Text::fixed("envoyez W/\"<version>\"", "send W/\"<version>\""),
    )
}

/// The body of an update says the id of the address (FHIR R4 §3.1.0.4).
pub(crate) fn check_id(root: Node<'_>, id: &str) -> Answered<()> {
    if root.text("id") == Some(id) && is_id(id) {
        return Ok(());
    }
    Err(wrong_id())
}

fn wrong_id() -> Problem {
    Problem::bad_request(
        IssueType::Invalid,
        "http.html#update",
        Text::fixed(
            "l'id du corps manque, ou n'est pas celui de l'adresse",
            "the id of the body is missing, or is not that of the address",
        ),
        Text::fixed("mettez le même id aux deux endroits", "put the same id in both places"),
    )
}

fn no_criteria() -> Problem {
    Problem::bad_request(
        IssueType::Required,
        "http.html#cond-update",
        Text::fixed("aucun critère n'est utilisable", "there is no criterion that can be used"),
        Text::fixed("ajoutez par exemple identifier=<système>|<valeur>", "add for example identifier=<system>|<value>"),
    )
}
