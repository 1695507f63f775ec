//! How a request wants to be answered, and answers as HTTP: JSON or XML, pretty or not, with their headers.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LOCATION, CONTENT_TYPE, HeaderMap, HeaderName};
use http::{Response, StatusCode};
use socle_fhir::{Document, IssueType, outcome, xml};
use socle_finding::{Lang, Text};

use crate::problem::{Answered, Problem};

/// What an interaction gives back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// A resource, as JSON.
    pub(crate) resource: Option<Vec<u8>>,
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<jiff::Timestamp>,
    pub(crate) location: Option<String>,
}

impl Reply {
    pub(crate) const fn empty(status: StatusCode) -> Self {
        Self { status, resource: None, etag: None, modified: None, location: None }
    }

    pub(crate) fn of(status: StatusCode, resource: Vec<u8>) -> Self {
        Self { resource: Some(resource), ..Self::empty(status) }
    }

    pub(crate) fn version(mut self, version: u64, at: jiff::Timestamp) -> Self {
        self.etag = Some(etag(version));
        self.modified = Some(at);
        self
    }
}

pub(crate) fn etag(version: u64) -> String {
    format!("W/\"{version}\"")
}

/// The writing of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    Json,
    Xml,
}

/// What a caller wants back after a write (FHIR R4 §3.1.0.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Return {
    Representation,
    Minimal,
    Outcome,
}

/// How a request wants to be answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    writing: Writing,
    is_pretty: bool,
    pub(crate) lang: Lang,
    pub(crate) returns: Return,
    /// `Prefer: handling=strict`
    pub(crate) strict: bool,
}

impl Wish {
    /// What is answered when the wish itself cannot be understood.
    pub(crate) const fn plain(lang: Lang) -> Self {
        Self { writing: Writing::Json, is_pretty: false, lang, returns: Return::Representation, strict: false }
    }

    pub(crate) const fn returning(mut self, returns: Return) -> Self {
        self.returns = returns;
        self
    }

    pub(crate) fn of(headers: &HeaderMap, pairs: &[(String, String)], lang: Lang) -> Answered<Self> {
        let get = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let writing = match get("_format") {
            Some(format) => writing(&format.replace(' ', "+")).ok_or_else(not_acceptable)?,
            None => accepted(header(headers, &ACCEPT).unwrap_or("*/*")).ok_or_else(not_acceptable)?,
        };
        let prefer: Vec<&str> = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()).collect();
        let prefers =
            |wanted: &str| prefer.iter().flat_map(|list| list.split([',', ';'])).any(|one| one.trim() == wanted);
        let returns = if prefers("return=minimal") {
            Return::Minimal
        } else if prefers("return=OperationOutcome") {
            Return::Outcome
        } else {
            Return::Representation
        };
        Ok(Self {
            writing,
            is_pretty: get("_pretty") == Some("true"),
            lang,
            returns,
            strict: prefers("handling=strict"),
        })
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn writing(mime: &str) -> Option<Writing> {
    let mut parts = mime.split(';').map(str::trim);
    let name = parts.next()?;
    if parts.filter_map(|part| part.strip_prefix("fhirVersion=")).any(|version| !matches!(version, "4.0" | "4.0.1")) {
        return None;
    }
    match name {
        "json" | "application/fhir+json" | "application/json" | "text/json" => Some(Writing::Json),
        "xml" | "application/fhir+xml" | "application/xml" | "text/xml" => Some(Writing::Xml),
        _ => None,
    }
}

/// The writing that an Accept header likes best.
fn accepted(accept: &str) -> Option<Writing> {
    let mut best: Option<(u32, Writing)> = None;
    for range in accept.split(',') {
        let quality = range.split(';').find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok());
        let quality = (quality.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as u32;
        let name = range.split(';').next().unwrap_or_default().trim();
        let is_any = matches!(name, "*/*" | "application/*" | "");
        let Some(writing) = writing(range.trim()).or(is_any.then_some(Writing::Json)) else { continue };
        if quality > 0 && best.is_none_or(|(least, _)| quality > least) {
            best = Some((quality, writing));
        }
    }
    best.map(|(_, writing)| writing)
}

/// Whether the body of a request is XML; refused when it is neither JSON nor XML.
pub(crate) fn is_xml(headers: &HeaderMap) -> Answered<bool> {
    match header(headers, &CONTENT_TYPE).and_then(writing) {
        Some(writing) => Ok(writing == Writing::Xml),
        None => Err(unsupported_media_type()),
    }
}

pub(crate) fn unsupported_media_type() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        IssueType::NotSupported,
        "http.html#mime-type",
        Text::fixed("ce Content-Type n'est pas lu ici", "this Content-Type is not read here"),
        Text::fixed(
            "envoyez application/fhir+json ou application/fhir+xml, en FHIR 4.0",
            "send application/fhir+json or application/fhir+xml, in FHIR 4.0",
        ),
    )
}

fn not_acceptable() -> Problem {
    Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        IssueType::NotSupported,
        "http.html#mime-type",
        Text::fixed("ce format n'est pas écrit ici", "this format is not written here"),
        Text::fixed(
            "demandez application/fhir+json ou application/fhir+xml, en FHIR 4.0",
            "ask for application/fhir+json or application/fhir+xml, in FHIR 4.0",
        ),
    )
}

/// An answer as HTTP.
pub(crate) fn rendered(answered: Answered<Reply>, wish: &Wish) -> Response<Bytes> {
    let reply =
        answered.unwrap_or_else(|problem| Reply::of(problem.status, outcome::write(&problem.issues, wish.lang)));
    let mut response = Response::builder().status(reply.status).header("cache-control", "no-store");
    if let Some(etag) = &reply.etag {
        response = response.header("etag", etag);
    }
    if let Some(modified) = reply.modified {
        response = response.header("last-modified", modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
    if let Some(location) = &reply.location {
        response = response.header("location", location).header(CONTENT_LOCATION, location);
    }
    if reply.status == StatusCode::SERVICE_UNAVAILABLE {
        response = response.header("retry-after", "5");
    }
    let Some(resource) = reply.resource else { return response.body(Bytes::new()).unwrap_or_default() };
    let (mime, body) = written(resource, wish);
    response.header(CONTENT_TYPE, mime).body(body.into()).unwrap_or_default()
}

fn written(json: Vec<u8>, wish: &Wish) -> (&'static str, Vec<u8>) {
    const JSON: &str = "application/fhir+json; charset=utf-8";
    if wish.writing == Writing::Xml
        && let Ok(document) = Document::parse(json.clone())
        && let Ok(text) = xml::write(document.root())
    {
        return ("application/fhir+xml; charset=utf-8", text.into());
    }
    (JSON, if wish.is_pretty { pretty(&json) } else { json })
}

/// JSON with a line for each member and item.
fn pretty(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    for &byte in json {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            out.push(byte);
            continue;
        }
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'{' | b'[' => {
                out.push(byte);
                depth += 1;
                line(&mut out, depth);
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            _ => {
                in_string = byte == b'"';
                out.push(byte);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_format_that_we_write_is_chosen() {
        for (accept, expected) in [
            ("*/*", Some(Writing::Json)),
            ("application/fhir+xml", Some(Writing::Xml)),
            ("application/fhir+xml;q=0.5, application/json", Some(Writing::Json)),
            ("text/html, application/xml;q=0.9, */*;q=0.8", Some(Writing::Xml)),
            ("text/html", None),
            ("application/fhir+json; fhirVersion=4.0", Some(Writing::Json)),
            ("application/fhir+json; fhirVersion=5.0", None),
            ("application/fhir+json;q=0", None),
        ] {
            assert_eq!(accepted(accept), expected, "{accept}");
        }
    }

    #[test]
    fn pretty_json_is_the_same_json() {
        let json = r#"{"a":[1,{"b":"x, {\"y\": 2}"}],"c":"\\"}"#;
        let read = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        assert_eq!(read(&pretty(json.as_bytes())), read(json.as_bytes()));
    }
}
