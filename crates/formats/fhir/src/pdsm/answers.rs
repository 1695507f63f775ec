//! What the front door answers to ITI-65, ITI-67 and ITI-68, and what it says of itself.

use jiff::Timestamp;
use socle_finding::Lang;

use super::write::{Content, Standing, write_fiche, write_profile};
use super::{DocumentMetadata, SubmittedPatient, names};
use crate::outcome::Issue;
use crate::write::{Json, Object};

/// Something that a transaction stored, in the order of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// `List`, `DocumentReference`, `Binary`.
    pub resource_type: &'static str,
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// When.
    pub at: Timestamp,
}

/// A fiche as the front door shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// Since when.
    pub at: Timestamp,
    /// Was it replaced?
    pub superseded: bool,
    /// Whose it is.
    pub patient: SubmittedPatient,
    /// The fiche.
    pub metadata: DocumentMetadata,
    /// Where the document is: `Binary/12`, or absolute.
    pub url: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-1.
    pub sha1: [u8; 20],
}

/// An entry of a searchset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchEntry {
    /// Absolute.
    pub full_url: String,
    /// The resource, as JSON.
    pub resource: Vec<u8>,
}

/// What a CapabilityStatement says of the program behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityAbout {
    /// The base URL of the API.
    pub base: String,
    /// The program's version.
    pub version: String,
    /// When this statement last changed.
    pub date: Timestamp,
    /// One sentence for people: what this server is, and that it is a twin when it is one.
    pub description: String,
    /// By what fiches can be searched.
    pub searches: Vec<SearchParameter>,
}

/// A parameter of the search of fiches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchParameter {
    /// The name in the query.
    pub name: &'static str,
    /// The canonical of its definition.
    pub definition: &'static str,
    /// `token`, `reference`, `date`…
    pub kind: &'static str,
    /// What of it is supported.
    pub documentation: &'static str,
}

/// The transaction-response of a lot: one entry for each of the request's, in its order (FHIR R4 §3.1.0.11.4).
///
/// Warnings on the lot go with its first entry, as that entry's outcome.
#[must_use]
pub fn write_transaction_response(self_url: &str, stored: &[Stored], remarks: &[Issue], lang: Lang) -> Vec<u8> {
    let outcome = (!remarks.is_empty()).then(|| crate::outcome::write(remarks, lang));
    let mut json = Json::new();
    json.object(|out| {
        out.text("resourceType", "Bundle");
        write_profile(out, names::RESPONSE);
        out.text("type", "transaction-response");
        write_self(out, self_url);
        out.array("entry", |list| {
            for (index, Stored { resource_type, id, version, at }) in stored.iter().enumerate() {
                list.object(|entry| {
                    entry.object("response", |response| {
                        response.text("status", "201 Created");
                        response.text("location", &format!("{resource_type}/{id}/_history/{version}"));
                        response.text("etag", &format!("W/\"{version}\"")).text("lastModified", &at.to_string());
                        if let Some(outcome) = outcome.as_ref().filter(|_| index == 0) {
                            response.raw("outcome", outcome);
                        }
                    });
                });
            }
        });
    });
    json.finish()
}

/// A fiche, as a read or a search answers it.
#[must_use]
pub fn write_document_reference(document: &StoredDocument) -> Vec<u8> {
    let StoredDocument { id, version, at, superseded, patient, metadata, url, size, sha1 } = document;
    let standing =
        Standing { id: Some(id.clone()), version: Some((*version, at.to_string())), superseded: *superseded };
    let content = Content { url, size: *size, sha1: *sha1 };
    let mut json = Json::new();
    json.object(|out| {
        out.text("resourceType", "DocumentReference");
        write_fiche(out, metadata, patient, &content, &standing);
    });
    json.finish()
}

/// A searchset of fiches (ITI-67), all of what was found.
#[must_use]
pub fn write_searchset(self_url: &str, at: Timestamp, entries: &[SearchEntry]) -> Vec<u8> {
    let mut json = Json::new();
    json.object(|out| {
        out.text("resourceType", "Bundle");
        out.object("meta", |meta| {
            meta.text("lastUpdated", &at.to_string()).texts("profile", &[names::SEARCH_RESPONSE]);
        });
        out.text("type", "searchset").number("total", entries.len() as u64);
        write_self(out, self_url);
        out.array("entry", |list| {
            for SearchEntry { full_url, resource } in entries {
                list.object(|entry| {
                    entry.text("fullUrl", full_url).raw("resource", resource);
                    entry.object("search", |search| _ = search.text("mode", "match"));
                });
            }
        });
    });
    json.finish()
}

fn write_self(out: &mut Object<'_>, url: &str) {
    out.array("link", |list| _ = list.object(|link| _ = link.text("relation", "self").text("url", url)));
}

/// A Binary, for a reader that asks for FHIR; the others get the bytes themselves (ITI-68).
#[must_use]
pub fn write_binary(id: &str, content_type: &str, bytes: &[u8]) -> Vec<u8> {
    let mut json = Json::new();
    json.object(|out| {
        out.text("resourceType", "Binary").text("id", id).text("contentType", content_type).base64("data", bytes);
    });
    json.finish()
}

/// What the front door can do: the transaction ITI-65, the search and read of fiches, the read of documents.
#[must_use]
pub fn write_capability_statement(about: &CapabilityAbout) -> Vec<u8> {
    let mut json = Json::new();
    json.object(|out| {
        out.text("resourceType", "CapabilityStatement").text("status", "active").text("date", &about.date.to_string());
        out.text("kind", "instance");
        out.object("software", |software| _ = software.text("name", "Socle").text("version", &about.version));
        out.object("implementation", |implementation| {
            implementation.text("description", &about.description).text("url", &about.base);
        });
        out.text("fhirVersion", "4.0.1").texts("format", &["application/fhir+json"]);
        out.array("rest", |list| {
            list.object(|rest| {
                rest.text("mode", "server");
                rest.array("resource", |list| {
                    list.object(|fiches| write_fiches_capability(fiches, &about.searches));
                    list.object(|binary| {
                        binary.text("type", "Binary");
                        write_interactions(binary, &["read"]);
                    });
                });
                write_interactions(rest, &["transaction"]);
            });
        });
    });
    json.finish()
}

fn write_fiches_capability(out: &mut Object<'_>, searches: &[SearchParameter]) {
    out.text("type", "DocumentReference").texts("supportedProfile", &[names::DOCUMENT_REFERENCE]);
    write_interactions(out, &["read", "search-type"]);
    out.array("searchParam", |list| {
        for SearchParameter { name, definition, kind, documentation } in searches {
            list.object(|out| {
                out.text("name", name).text("definition", definition).text("type", kind);
                out.text("documentation", documentation);
            });
        }
    });
}

fn write_interactions(out: &mut Object<'_>, codes: &[&str]) {
    out.array("interaction", |list| {
        for code in codes {
            list.object(|interaction| _ = interaction.text("code", code));
        }
    });
}
