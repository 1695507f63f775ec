//! Bundles that go out: lists of what was found, histories, answers to bundles.

use socle_fhir::write::{Json, Object};
use socle_store::Version;
use uuid::Uuid;

use crate::answer::{Reply, etag};
use crate::resource::{instant, shown};
use crate::shape::Shape;

/// Links of a list.
pub(crate) struct Links {
    pub(crate) own: String,
    pub(crate) next: Option<String>,
}

fn begin(bundle: &mut Object<'_>, kind: &str) {
    bundle.text("resourceType", "Bundle").text("id", &Uuid::now_v7().to_string());
    bundle.object("meta", |meta| _ = meta.text("lastUpdated", &instant(jiff::Timestamp::now())));
    bundle.text("type", kind);
}

fn links(bundle: &mut Object<'_>, links: &Links) {
    bundle.array("link", |list| {
        list.object(|link| _ = link.text("relation", "self").text("url", &links.own));
        if let Some(next) = &links.next {
            list.object(|link| _ = link.text("relation", "next").text("url", next));
        }
    });
}

/// What a search found.
pub(crate) struct Searchset<'a> {
    pub(crate) base: &'a str,
    pub(crate) links: Links,
    pub(crate) total: Option<u64>,
    pub(crate) matches: &'a [Version],
    pub(crate) included: &'a [Version],
    pub(crate) shape: &'a Shape,
    /// An OperationOutcome, when something was passed over.
    pub(crate) outcome: Option<Vec<u8>>,
}

impl Searchset<'_> {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut json = Json::new();
        json.object(|bundle| {
            begin(bundle, "searchset");
            if let Some(total) = self.total {
                bundle.number("total", total);
            }
            links(bundle, &self.links);
            bundle.array("entry", |list| {
                for (mode, versions) in [("match", self.matches), ("include", self.included)] {
                    for version in versions {
                        list.object(|entry| {
                            entry.text("fullUrl", &format!("{}/{}/{}", self.base, version.kind, version.id));
                            entry.raw("resource", &self.shape.apply(shown(version)));
                            entry.object("search", |search| _ = search.text("mode", mode));
                        });
                    }
                }
                if let Some(outcome) = &self.outcome {
                    list.object(|entry| {
                        entry.raw("resource", outcome);
                        entry.object("search", |search| _ = search.text("mode", "outcome"));
                    });
                }
            });
        });
        json.finish()
    }
}

/// Versions, newest first.
pub(crate) fn history(base: &str, versions: &[Version], own: Links, total: Option<u64>) -> Vec<u8> {
    let mut json = Json::new();
    json.object(|bundle| {
        begin(bundle, "history");
        if let Some(total) = total {
            bundle.number("total", total);
        }
        links(bundle, &own);
        bundle.array("entry", |list| {
            for version in versions {
                list.object(|entry| past(entry, base, version));
            }
        });
    });
    json.finish()
}

fn past(entry: &mut Object<'_>, base: &str, version: &Version) {
    let address = format!("{}/{}", version.kind, version.id);
    entry.text("fullUrl", &format!("{base}/{address}"));
    if !version.deleted {
        entry.raw("resource", &shown(version));
    }
    // A first version counts as a create: how it came about is not kept.
    let (method, url, status) = match (version.deleted, version.version) {
        (true, _) => ("DELETE", address.as_str(), "204 No Content"),
        (false, 1) => ("POST", version.kind.as_str(), "201 Created"),
        (false, _) => ("PUT", address.as_str(), "200 OK"),
    };
    entry.object("request", |request| _ = request.text("method", method).text("url", url));
    entry.object("response", |response| {
        response.text("status", status).text("etag", &etag(version.version));
        response.text("lastModified", &instant(version.at));
    });
}

/// The answers to the entries of a batch or transaction, in their order.
pub(crate) fn responses(kind: &str, replies: &[Reply]) -> Vec<u8> {
    let mut json = Json::new();
    json.object(|bundle| {
        begin(bundle, kind);
        bundle.array("entry", |list| {
            for reply in replies {
                list.object(|entry| response(entry, reply));
            }
        });
    });
    json.finish()
}

fn response(entry: &mut Object<'_>, reply: &Reply) {
    let is_error = reply.status.is_client_error() || reply.status.is_server_error();
    if let Some(resource) = reply.resource.as_ref().filter(|_| !is_error) {
        entry.raw("resource", resource);
    }
    entry.object("response", |response| {
        let reason = reply.status.canonical_reason().unwrap_or_default();
        response.text("status", &format!("{} {reason}", reply.status.as_u16()));
        response.maybe("location", reply.location.as_deref()).maybe("etag", reply.etag.as_deref());
        response.maybe("lastModified", reply.modified.map(instant).as_deref());
        if let Some(outcome) = reply.resource.as_ref().filter(|_| is_error) {
            response.raw("outcome", outcome);
        }
    });
}
