//! How the front door answers: FHIR JSON, in the language of the caller.

use axum::body::Body;
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Response as HttpResponse, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use socle_fhir::{Issue, IssueType, outcome};
use socle_finding::{Lang, Rule, Text};
use socle_gateway::{Refusal, Stop};

use super::BodyProblem;
use crate::Door;
use crate::authenticate::Refused;

pub(crate) const FHIR_JSON: &str = "application/fhir+json";

/// The language that a caller asks for, or else the one given.
pub(crate) fn lang_of(headers: &HeaderMap, default: Lang) -> Lang {
    headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map_or(default, Lang::of)
}

/// An answer to one request.
pub(crate) struct Answer<'a> {
    door: &'a Door,
    lang: Lang,
    interaction: &'static str,
}

impl<'a> Answer<'a> {
    pub(crate) fn to(door: &'a Door, headers: &HeaderMap, interaction: &'static str) -> Self {
        Self { door, lang: lang_of(headers, door.settings.lang), interaction }
    }

    pub(crate) const fn lang(&self) -> Lang {
        self.lang
    }

    pub(crate) fn plain_base(&self) -> &str {
        &self.door.settings.plain_base
    }

    pub(crate) fn resource(&self, status: StatusCode, body: Vec<u8>, headers: &[(&'static str, String)]) -> Response {
        self.door.metrics.count(self.interaction, status.as_u16());
        let mut response = HttpResponse::builder()
            .status(status)
            .header(CONTENT_TYPE, "application/fhir+json; charset=utf-8")
            .header(CONTENT_LANGUAGE, self.lang.tag())
            .header(CACHE_CONTROL, "no-store");
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        response.body(Body::from(body)).unwrap_or_default()
    }

    /// The document as it came. A browser saves it: a stylesheet that a document carries is never run.
    pub(crate) fn document(&self, content_type: &str, bytes: Bytes) -> Response {
        self.door.metrics.count(self.interaction, 200);
        HttpResponse::builder()
            .header(CONTENT_TYPE, content_type)
            .header("content-disposition", "attachment; filename=\"document.xml\"")
            .header("x-content-type-options", "nosniff")
            .header("content-security-policy", "sandbox; default-src 'none'")
            .header(CACHE_CONTROL, "no-store")
            .body(Body::from(bytes))
            .unwrap_or_default()
    }

    pub(crate) fn issues(&self, status: StatusCode, issues: &[Issue]) -> Response {
        self.resource(status, outcome::write(issues, self.lang), &[])
    }

    pub(crate) fn stopped(&self, stop: &Stop) -> Response {
        self.with_status(stop.status, &stop.issues, &[])
    }

    pub(crate) fn refused(&self, refusal: &Refusal) -> Response {
        let flow: Vec<_> = refusal.flow.iter().map(|flow| ("socle-flow", flow.to_string())).collect();
        self.with_status(refusal.status, &refusal.issues, &flow)
    }

    fn with_status(&self, status: u16, issues: &[Issue], headers: &[(&'static str, String)]) -> Response {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = headers.to_vec();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.push(("retry-after", "5".to_owned()));
        }
        self.resource(status, outcome::write(issues, self.lang), &headers)
    }

    pub(crate) fn unauthenticated(&self, refused: &Refused) -> Response {
        self.resource(refused.status(), outcome::write(&[refused.issue()], self.lang), &[refused.header()])
    }

    pub(crate) fn unsupported_media_type(&self) -> Response {
        let issue = Issue::error(
            IssueType::NotSupported,
            Rule::fixed("FHIR R4", "http.html#mime-type"),
            Text::fixed("la transaction doit être du JSON FHIR", "the transaction has to be FHIR JSON"),
            Text::fixed("envoyez Content-Type: application/fhir+json", "send Content-Type: application/fhir+json"),
        );
        self.issues(StatusCode::UNSUPPORTED_MEDIA_TYPE, &[issue])
    }

    pub(crate) fn unreadable_body(&self, problem: &BodyProblem, max: usize) -> Response {
        let mega = max / (1024 * 1024);
        match problem {
            BodyProblem::TooBig => {
                let issue = Issue::error(
                    IssueType::TooLong,
                    Rule::fixed("Socle", "taille d'une requête"),
                    Text::new(
                        format!("la requête dépasse {mega} Mo : elle n'a pas été lue"),
                        format!("the request is over {mega} MB: it was not read"),
                    ),
                    Text::fixed("envoyez moins de documents par transaction", "send fewer documents per transaction"),
                );
                self.issues(StatusCode::PAYLOAD_TOO_LARGE, &[issue])
            }
            BodyProblem::Cut => {
                let issue = Issue::error(
                    IssueType::Incomplete,
                    Rule::fixed("HTTP", "RFC 9112 §8"),
                    Text::fixed(
                        "la requête s'est interrompue : rien n'a été gardé",
                        "the request was cut: nothing was kept",
                    ),
                    Text::fixed("renvoyez la même transaction", "send the same transaction again"),
                );
                self.issues(StatusCode::BAD_REQUEST, &[issue])
            }
        }
    }

    pub(crate) fn not_supported(&self, method: &Method, path: &str) -> Response {
        let resource: String =
            path.split('/').nth(2).unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        let issue = Issue::error(
            IssueType::NotSupported,
            Rule::fixed("FHIR R4", "http.html"),
            Text::new(
                format!("{method} sur « {resource} » n'est pas servi ici"),
                format!("{method} on `{resource}` is not served here"),
            ),
            Text::fixed("ce qui est servi est dans /fhir/metadata", "what is served is in /fhir/metadata"),
        );
        self.issues(StatusCode::NOT_FOUND, &[issue])
    }
}
