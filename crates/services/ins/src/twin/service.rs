//! One request at `/lps`, from HTTP down to the rules.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderName, Request, StatusCode, header};
use http_body_util::LengthLimitError;
use socle_trust::https::PeerCertificate;
use socle_xml::soap::{self, ContentType, Envelope, SoapError, Version, read_content_type};

use super::population::Population;
use super::refusal::{Refusal, soap_response};
use super::rules::{Admission, Judged, judge};
use crate::model::InsiFault;
use crate::wire::{self, ACTION_TRAITS, LIMITS, read_request, write_answer};

/// What every request is judged by.
#[derive(Debug)]
pub(super) struct Twin {
    pub(super) url: String,
    pub(super) population: Population,
    pub(super) admission: Admission,
}

pub(super) fn router(twin: Arc<Twin>) -> Router {
    Router::new().route("/lps", get(contract).post(ask)).method_not_allowed_fallback(not_allowed).with_state(twin)
}

async fn not_allowed() -> (StatusCode, [(HeaderName, &'static str); 1]) {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST, GET")])
}

/// `GET /lps?wsdl`.
async fn contract(State(twin): State<Arc<Twin>>, RawQuery(query): RawQuery) -> Response {
    if !query.is_some_and(|query| query.eq_ignore_ascii_case("wsdl")) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")], "POST a SOAP message, or GET ?wsdl\n")
            .into_response();
    }
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], wire::wsdl(&twin.url)).into_response()
}

/// `POST /lps`.
async fn ask(State(twin): State<Arc<Twin>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let certificate = head.extensions.get::<PeerCertificate>().and_then(|peer| peer.0.clone());
    let common_name = certificate.as_ref().and_then(|certificate| certificate.subject().get("CN"));
    let bytes = match to_bytes(body, LIMITS.bytes).await {
        Ok(bytes) => bytes,
        Err(error) => return unreadable_body(&error).into_response(),
    };
    match twin.treat(&head.headers, &bytes, common_name) {
        Ok((answer, order, delay)) => {
            tokio::time::sleep(delay).await;
            tracing::info!(code = answer.code(), "INSi twin answered");
            soap_response(StatusCode::OK, write_answer(&answer, order))
        }
        Err(refusal) => {
            tracing::info!(code = refusal.code(), "INSi twin refused");
            refusal.into_response()
        }
    }
}

fn unreadable_body(error: &axum::Error) -> Refusal {
    let too_big = error.source().is_some_and(|source| source.is::<LengthLimitError>());
    if too_big { Refusal::too_big(LIMITS.bytes) } else { Refusal::broken() }
}

impl Twin {
    fn treat(&self, headers: &HeaderMap, body: &Bytes, common_name: Option<&str>) -> Result<Judged, Refusal> {
        let media = content_type(headers).ok_or_else(Refusal::media)?;
        let text = socle_xml::decode(body, &LIMITS).map_err(|error| Refusal::not_soap(&error))?;
        let document = socle_xml::parse(&text, &LIMITS).map_err(|error| Refusal::not_soap(&error))?;
        let envelope = soap::read(&document).map_err(|error| match error {
            SoapError::NotAnEnvelope if document.root_element().tag_name().name() == "Envelope" => {
                Refusal::VersionMismatch
            }
            error => Refusal::not_soap(&error),
        })?;
        if envelope.version == Version::Soap11 {
            return Err(Refusal::VersionMismatch);
        }
        if media.essence != "application/soap+xml" {
            return Err(Refusal::media());
        }
        check_understood(&envelope)?;
        check_addressing(&envelope, &media)?;
        let received = read_request(&envelope).map_err(|error| Refusal::schema(&error))?;
        let judged = judge(&received, common_name, &self.admission, &self.population);
        judged.map_err(|fault| {
            Refusal::Service(Box::new(InsiFault { message_id: envelope.message_id.clone(), ..*fault }))
        })
    }
}

fn content_type(headers: &HeaderMap) -> Option<ContentType> {
    let media = read_content_type(headers.get(header::CONTENT_TYPE)?.to_str().ok()?)?;
    matches!(media.essence.as_str(), "application/soap+xml" | "text/xml").then_some(media)
}

/// SOAP 1.2 Part 1 §2.6: a header that must be understood and is not makes a fault.
fn check_understood(envelope: &Envelope<'_>) -> Result<(), Refusal> {
    let ours = |namespace: Option<&str>, name: &str| {
        matches!(
            (namespace, name),
            (Some(wire::NS_BAM), "ContexteBAM")
                | (Some(wire::NS_LPS), "ContexteLPS")
                | (Some(soap::NS_WSSE), "Security")
        )
    };
    if envelope.not_understood(ours).is_empty() { Ok(()) } else { Err(Refusal::not_understood()) }
}

/// WS-Addressing decides the operation; the content type's `action` stands in when the header is absent.
fn check_addressing(envelope: &Envelope<'_>, media: &ContentType) -> Result<(), Refusal> {
    let parameter = media.parameter("action").filter(|action| !action.is_empty());
    let action = match (envelope.action.as_deref(), parameter) {
        (Some(header), Some(parameter)) if header != parameter => return Err(Refusal::action_mismatch()),
        (Some(action), _) | (None, Some(action)) => action,
        (None, None) => return Err(Refusal::header_required("wsa:Action")),
    };
    if action != ACTION_TRAITS {
        return Err(Refusal::action_not_supported());
    }
    if envelope.message_id.is_none() {
        return Err(Refusal::header_required("wsa:MessageID"));
    }
    Ok(())
}
