//! Batches and transactions (FHIR R4 §3.1.0.11): many interactions in one request.
//!
//! A batch does its entries one after the other, each for itself. A transaction first gives every resource its id,
//! then replaces the references between them, then commits all of it at once; what it reads, it reads after that.

mod references;

use std::collections::{HashMap, HashSet};

use http::header::{HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use socle_fhir::{Document, IssueType, Node, outcome};
use socle_finding::Text;
use socle_store::{Batch, Delete, Expect, Version};
use socle_trust::audit::Record;

use crate::answer::{Reply, Return, Wish, is_xml};
use crate::base::{Base, Call};
use crate::bundle;
use crate::problem::{Answered, Problem};
use crate::resource::{check_type, read};
use crate::route::{Interaction, route};
use crate::trace;
use crate::write::{Prepared, check_id, new_id, version_of};
use references::Replaced;

/// One entry, as it was asked.
struct Asked<'a> {
    interaction: Interaction,
    method: Method,
    path: String,
    query: String,
    resource: Option<Node<'a>>,
    full_url: Option<&'a str>,
    request: Node<'a>,
}

/// What an entry of a transaction will do.
enum Planned<'a> {
    /// Writes a resource under that id.
    Write {
        kind: String,
        id: String,
        root: Node<'a>,
        how: How,
    },
    Delete(Delete),
    /// Nothing: a conditional delete without a match.
    Nothing,
    /// A conditional create whose resource is there.
    Existing(Version),
    /// Read once all is written.
    Read,
}

enum How {
    Create,
    Update(Expect),
    /// What the criteria found.
    Where(Box<Option<Version>>, Expect),
}

impl Base {
    pub(crate) async fn bundle(&self, call: &Call, wish: &Wish, record: Record) -> Answered<Reply> {
        let document = read(&call.body, is_xml(&call.headers)?)?;
        let root = document.root();
        check_type(root, "Bundle")?;
        match root.text("type") {
            Some("batch") => self.batch(call, root, wish, record).await,
            Some("transaction") => self.transaction(call, root, wish, record).await,
            _ => Err(Problem::bad_request(
                IssueType::Value,
                "http.html#transaction",
                Text::fixed("ce Bundle n'est ni batch ni transaction", "this Bundle is neither batch nor transaction"),
                Text::fixed("corrigez Bundle.type", "mend Bundle.type"),
            )),
        }
    }

    async fn batch(&self, call: &Call, root: Node<'_>, wish: &Wish, record: Record) -> Answered<Reply> {
        self.trace(record).await?;
        let mut replies = Vec::new();
        for entry in root.all("entry") {
            let done = match self.asked_of(entry) {
                Ok(asked) if asked.interaction == Interaction::Bundle => Err(Problem::not_served("Bundle")),
                Ok(asked) => Box::pin(self.act(&self.call_of(call, &asked), wish)).await,
                Err(problem) => Err(problem),
            };
            replies.push(
                done.unwrap_or_else(|problem| Reply::of(problem.status, outcome::write(&problem.issues, wish.lang))),
            );
        }
        Ok(Reply::of(StatusCode::OK, bundle::responses("batch-response", &replies)))
    }

    async fn transaction(&self, call: &Call, root: Node<'_>, wish: &Wish, mut record: Record) -> Answered<Reply> {
        let asked: Vec<Asked<'_>> = root.all("entry").map(|entry| self.asked_of(entry)).collect::<Answered<_>>()?;
        let guard = self.conditions.lock().await;
        let mut planned = Vec::with_capacity(asked.len());
        for one in &asked {
            planned.push(self.plan(one).await?);
        }
        refuse_twice(&planned)?;
        let names = self.names(&asked, &planned);
        let mut batch = Batch::new(&self.settings.tenant);
        let mut replies: Vec<Option<Reply>> = (0..asked.len()).map(|_| None).collect();
        let mut written = Vec::new();
        let mut deleted = Vec::new();
        for (at, plan) in planned.into_iter().enumerate() {
            match plan {
                Planned::Write { kind, id, root, how } => {
                    let document = self.with_references(root, &names).await?;
                    let prepared = self.prepare_planned(&kind, &id, document.root(), how).await?;
                    trace::touched(&mut record, [(kind.as_str(), id.as_str())]);
                    written.push((at, prepared.creates, kind, id, prepared.write.body.clone()));
                    batch.writes.push(prepared.write);
                }
                Planned::Delete(delete) => {
                    trace::touched(&mut record, [(delete.kind.as_str(), delete.id.as_str())]);
                    deleted.push(at);
                    batch.deletes.push(delete);
                }
                Planned::Nothing => replies[at] = Some(Reply::empty(StatusCode::NO_CONTENT)),
                Planned::Existing(version) => {
                    trace::touched(&mut record, [(version.kind.as_str(), version.id.as_str())]);
                    let location =
                        format!("{}/{}/{}/_history/{}", self.settings.url, version.kind, version.id, version.version);
                    let reply = Reply { location: Some(location), ..Reply::empty(StatusCode::OK) };
                    replies[at] = Some(reply.version(version.version, version.at));
                }
                Planned::Read => {}
            }
        }
        batch.audit.push(record);
        let committed = self.store.commit(batch).await?;
        drop(guard);
        // An entry says what became of it; the resource itself goes back when it is asked for.
        let asks = call
            .headers
            .get_all("prefer")
            .iter()
            .any(|value| value.to_str().is_ok_and(|value| value.contains("return=representation")));
        let each = wish.returning(if asks { Return::Representation } else { Return::Minimal });
        for (place, (at, creates, kind, id, body)) in written.iter().enumerate() {
            replies[*at] = Some(self.written(&committed, place, *creates, (kind, id, body), &each));
        }
        for (place, at) in deleted.into_iter().enumerate() {
            let reply = Reply::empty(StatusCode::NO_CONTENT);
            replies[at] = Some(match committed.deletes.get(place) {
                Some(Some(version)) => reply.version(*version, committed.at),
                _ => reply,
            });
        }
        let mut all = Vec::with_capacity(replies.len());
        for (one, reply) in asked.iter().zip(replies) {
            all.push(match reply {
                Some(reply) => reply,
                // All is written: what cannot be read is said in its own entry.
                None => Box::pin(self.act(&self.call_of(call, one), wish))
                    .await
                    .unwrap_or_else(|problem| Reply::of(problem.status, outcome::write(&problem.issues, wish.lang))),
            });
        }
        Ok(Reply::of(StatusCode::OK, bundle::responses("transaction-response", &all)))
    }

    fn asked_of<'a>(&self, entry: Node<'a>) -> Answered<Asked<'a>> {
        let wrong = || {
            Problem::bad_request(
                IssueType::Required,
                "http.html#transaction",
                Text::fixed(
                    "une entrée n'a pas de request.method et request.url lisibles",
                    "an entry has no request.method and request.url that can be read",
                ),
                Text::fixed("complétez chaque entrée", "complete each entry"),
            )
        };
        let request = entry.get("request").ok_or_else(wrong)?;
        let method: Method = request.text("method").and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
        let url = request.text("url").ok_or_else(wrong)?;
        let url = url.strip_prefix(&self.settings.url).unwrap_or(url);
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let interaction = route(&method, path)?;
        Ok(Asked {
            interaction,
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            resource: entry.get("resource"),
            full_url: entry.text("fullUrl"),
            request,
        })
    }

    /// An entry as a request of its own.
    fn call_of(&self, call: &Call, asked: &Asked<'_>) -> Call {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/fhir+json"));
        let conditions = [
            ("if-match", "ifMatch"),
            ("if-none-match", "ifNoneMatch"),
            ("if-modified-since", "ifModifiedSince"),
            ("if-none-exist", "ifNoneExist"),
        ];
        for (header, member) in conditions {
            let text = asked.request.text(member).map(|text| as_header(member, text));
            if let Some(Ok(value)) = text.map(|text| HeaderValue::from_str(&text)) {
                headers.insert(header, value);
            }
        }
        Call {
            actor: call.actor.clone(),
            method: asked.method.clone(),
            path: asked.path.clone(),
            query: asked.query.clone(),
            headers,
            body: asked.resource.map(Node::raw_bytes).unwrap_or_default(),
        }
    }

    async fn plan<'a>(&self, asked: &Asked<'a>) -> Answered<Planned<'a>> {
        let resource = || {
            asked.resource.ok_or_else(|| {
                Problem::bad_request(
                    IssueType::Required,
                    "http.html#transaction",
                    Text::fixed("une entrée n'a pas de ressource", "an entry has no resource"),
                    Text::fixed("complétez chaque POST et PUT", "complete each POST and PUT"),
                )
            })
        };
        let expect = asked.request.text("ifMatch").map_or(Ok(Expect::Any), version_of)?;
        Ok(match &asked.interaction {
            Interaction::Create(kind) => {
                let existing = match asked.request.text("ifNoneExist") {
                    Some(criteria) => self.only_match(kind, criteria).await?,
                    None => None,
                };
                match existing {
                    Some(version) => Planned::Existing(version),
                    None => Planned::Write { kind: kind.clone(), id: new_id(), root: resource()?, how: How::Create },
                }
            }
            Interaction::Update(kind, id) => {
                let root = resource()?;
                check_id(root, id)?;
                Planned::Write { kind: kind.clone(), id: id.clone(), root, how: How::Update(expect) }
            }
            Interaction::UpdateWhere(kind) => {
                let root = resource()?;
                let found = self.only_match(kind, &asked.query).await?;
                let own = root.text("id").map(str::to_owned);
                let id = found.as_ref().map(|version| version.id.clone()).or(own).unwrap_or_else(new_id);
                let how = How::Where(Box::new(found), expect);
                Planned::Write { kind: kind.clone(), id, root, how }
            }
            Interaction::Delete(kind, id) => Planned::Delete(Delete { kind: kind.clone(), id: id.clone(), expect }),
            Interaction::DeleteWhere(kind) => match self.only_match(kind, &asked.query).await? {
                Some(found) => Planned::Delete(Delete { kind: found.kind, id: found.id, expect }),
                None => Planned::Nothing,
            },
            Interaction::Bundle | Interaction::SearchByForm(_) => {
                return Err(Problem::not_served("Bundle.entry.request"));
            }
            _ => Planned::Read,
        })
    }

    /// What each `fullUrl` is called once it is written.
    fn names(&self, asked: &[Asked<'_>], planned: &[Planned<'_>]) -> HashMap<String, String> {
        let mut names = HashMap::new();
        for (asked, planned) in asked.iter().zip(planned) {
            let (kind, id) = match planned {
                Planned::Write { kind, id, .. } => (kind, id),
                Planned::Existing(version) => (&version.kind, &version.id),
                _ => continue,
            };
            if let Some(full_url) = asked.full_url {
                names.insert(full_url.to_owned(), format!("{kind}/{id}"));
            }
        }
        names
    }

    /// A resource whose references lead where the bundle's resources will be.
    async fn with_references(&self, root: Node<'_>, names: &HashMap<String, String>) -> Answered<Document> {
        let conditional = references::conditional(root);
        let mut names = std::borrow::Cow::Borrowed(names);
        for reference in conditional {
            let (kind, criteria) = reference.split_once('?').unwrap_or((reference.as_str(), ""));
            let found = self.only_match(kind, criteria).await?.ok_or_else(nothing_meant)?;
            names.to_mut().insert(reference.clone(), format!("{}/{}", found.kind, found.id));
        }
        let Replaced(json) = references::replaced(root, &names);
        Document::parse(json).map_err(|error| Problem { status: StatusCode::BAD_REQUEST, issues: vec![error.issue()] })
    }

    async fn prepare_planned(&self, kind: &str, id: &str, root: Node<'_>, how: How) -> Answered<Prepared> {
        match how {
            How::Create => self.prepare(kind, id.to_owned(), root, Expect::Absent, true),
            How::Update(expect) => self.prepare_update(kind, id, root, expect).await,
            How::Where(found, expect) => match *found {
                None if root.text("id").is_none() => self.prepare(kind, id.to_owned(), root, Expect::Absent, true),
                found => self.prepare_where(kind, root, found, expect).await,
            },
        }
    }
}

/// `ifModifiedSince` is an instant in a bundle, and a date of HTTP in a header.
fn as_header(member: &str, text: &str) -> String {
    match (member, text.parse::<jiff::Timestamp>()) {
        ("ifModifiedSince", Ok(at)) => at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        _ => text.to_owned(),
    }
}

/// The same resource twice has no order that means anything (FHIR R4 §3.1.0.11.2).
fn refuse_twice(planned: &[Planned<'_>]) -> Answered<()> {
    let mut seen = HashSet::new();
    for plan in planned {
        let (kind, id) = match plan {
            Planned::Write { kind, id, .. } => (kind, id),
            Planned::Delete(delete) => (&delete.kind, &delete.id),
            _ => continue,
        };
        if !seen.insert((kind.as_str(), id.as_str())) {
            return Err(Problem::bad_request(
                IssueType::Duplicate,
                "http.html#transaction",
                Text::fixed(
                    "la transaction touche deux fois la même ressource",
                    "the transaction touches the same resource twice",
                ),
                Text::fixed("gardez une entrée par ressource", "keep one entry for each resource"),
            ));
        }
    }
    Ok(())
}

fn nothing_meant() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        IssueType::NotFound,
        "http.html#trules",
        Text::fixed("une référence conditionnelle ne désigne rien", "a conditional reference means nothing"),
        Text::fixed(
            "créez d'abord sa cible, ou mettez-la dans la transaction",
            "create its target first, or put it into the transaction",
        ),
    )
}
