//! One call: a VIHF signed for it, an envelope, an exchange, an answer or a classified failure.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Response, StatusCode};
use jiff::Timestamp;
use socle_trust::https::{Body, HttpError, HttpErrorKind};
use socle_xml::mtom::{self, Incoming, Part};
use socle_xml::roxmltree::Node;
use socle_xml::signature::sign;
use socle_xml::soap::{self, Fault, FaultCode, NS_WSSE};
use socle_xml::write::Writer;
use socle_xml::{Limits, decode, parse};

use super::{Client, Exchange, Failure, FailureKind, Inner, Message, Reason, Refusal, Trouble};
use crate::model::{ErrorCode, Recovery, Vihf};
use crate::wire::response::RegistryResponse;
use crate::wire::vihf::{Issue, write};
use crate::wire::{Action, PROVIDE};

/// Which of the DMP's services is called, with which content.
pub(super) struct Call {
    pub(super) action: Action,
    pub(super) service: Service,
    pub(super) vihf: Vihf,
    pub(super) authenticated_at: Option<Timestamp>,
    pub(super) content: Content,
}

/// A path below the base URL.
#[derive(Debug, Clone, Copy)]
pub(super) enum Service {
    Repository,
    Registry,
    Patients,
}

/// How the envelope travels.
pub(super) enum Content {
    /// Alone.
    Plain(String),
    /// In a multipart, with its parts.
    Mtom(String, Vec<Part>),
}

/// An answer that is a SOAP envelope.
pub(super) struct Answer {
    incoming: Incoming,
    pub(super) exchange: Exchange,
}

/// Makes the call.
///
/// # Errors
/// [`Failure`] for everything that is no SOAP answer. Faults are read by [`Answer::read`].
pub(super) async fn call(client: &Client, call: Call) -> Result<Answer, Failure> {
    let inner = Arc::clone(&client.inner);
    let action = call.action;
    let request = blocking(move || prepare(&inner, call)).await?;
    let started = Timestamp::now();
    let clock = Instant::now();
    let sent = client.inner.https.send(request.http).await;
    let mut exchange =
        Exchange { action: action.request, started, took: clock.elapsed(), request: request.message, response: None };
    match sent {
        Ok(response) => {
            let (status, message) = keep(&response);
            exchange.response = Some((status.as_u16(), message));
            read_answer(&response, action, exchange)
        }
        Err(error) => Err(Failure { kind: network(error, action), exchanges: vec![exchange] }),
    }
}

/// Signs and digests away from the threads that serve sockets.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => Err(Failure {
            kind: FailureKind::Temporary(Trouble::Network(format!("the request was not prepared: {stopped}"))),
            exchanges: Vec::new(),
        }),
    }
}

struct Prepared {
    http: http::Request<Body>,
    message: Message,
}

fn prepare(inner: &Inner, call: Call) -> Result<Prepared, Failure> {
    let url = inner.url(call.service);
    let security = security_header(inner, &call.vihf, call.authenticated_at)?;
    let envelope = |body: String| {
        let mut envelope = soap::Outgoing::request(call.action.request, url.as_str(), body);
        envelope.headers.push(security);
        envelope.to_xml()
    };
    let message = match call.content {
        Content::Plain(body) => {
            Message { content_type: soap::content_type(call.action.request), chunks: vec![Bytes::from(envelope(body))] }
        }
        Content::Mtom(body, parts) => {
            let outgoing = mtom::write(&envelope(body), call.action.request, &parts);
            Message { content_type: outgoing.content_type, chunks: outgoing.body }
        }
    };
    let http = http::Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(CONTENT_TYPE, &message.content_type)
        .header(ACCEPT, "application/soap+xml, multipart/related")
        .body(Body::from(message.chunks.clone()))
        .map_err(|error| Failure::refused(Reason::Unsendable(error.to_string())))?;
    Ok(Prepared { http, message })
}

fn security_header(inner: &Inner, vihf: &Vihf, authenticated_at: Option<Timestamp>) -> Result<String, Failure> {
    let settings = &inner.settings;
    let issue = Issue {
        at: Timestamp::now(),
        authenticated_at,
        issuer: &inner.issuer,
        version: &settings.kit.vihf_version,
        algorithm: settings.algorithm,
    };
    let assertion = sign(&write(vihf, &issue), &inner.signer)
        .map_err(|error| Failure::refused(Reason::Signature(error.to_string())))?;
    let mut w = Writer::fragment();
    w.open("wsse:Security").ns("wsse", NS_WSSE).raw(&assertion);
    Ok(w.finish())
}

fn keep(response: &Response<Bytes>) -> (StatusCode, Message) {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    (response.status(), Message { content_type: content_type.to_owned(), chunks: vec![response.body().clone()] })
}

/// Takes the answer apart; one that is no SOAP is judged by its status.
fn read_answer(response: &Response<Bytes>, action: Action, exchange: Exchange) -> Result<Answer, Failure> {
    let (status, message) = keep(response);
    let incoming = mtom::receive(&message.content_type, response.body().clone(), &mtom::Limits::default());
    match incoming {
        Ok(incoming) if is_envelope(&incoming.root) => Ok(Answer { incoming, exchange }),
        Ok(_) if status.is_success() => Err(unreadable("no SOAP envelope in it", action, exchange)),
        Err(error) if status.is_success() => Err(unreadable(&error.to_string(), action, exchange)),
        _ => Err(Failure { kind: by_status(status, action), exchanges: vec![exchange] }),
    }
}

/// A cheap look, so that a proxy's HTML page is judged by its status and not as broken XML.
fn is_envelope(root: &[u8]) -> bool {
    let head = &root[..root.len().min(512)];
    head.windows(b"Envelope".len()).any(|window| window == b"Envelope")
}

fn unreadable(what: &str, action: Action, exchange: Exchange) -> Failure {
    let kind = if action == PROVIDE {
        FailureKind::Unknown(Trouble::Answer(what.to_owned()))
    } else {
        FailureKind::Refused(Refusal { reason: Reason::Answer(what.to_owned()), said: None })
    };
    Failure { kind, exchanges: vec![exchange] }
}

/// Only a provide changes something: whatever else was asked can be asked again.
fn in_doubt(trouble: Trouble, action: Action) -> FailureKind {
    if action == PROVIDE { FailureKind::Unknown(trouble) } else { FailureKind::Temporary(trouble) }
}

fn network(error: HttpError, action: Action) -> FailureKind {
    let text = error.to_string();
    match error.kind {
        HttpErrorKind::Url(_) | HttpErrorKind::PlainHttp => {
            FailureKind::Refused(Refusal { reason: Reason::Unsendable(text), said: None })
        }
        _ if error.may_have_arrived() => in_doubt(Trouble::Network(text), action),
        _ => FailureKind::Temporary(Trouble::Network(text)),
    }
}

fn by_status(status: StatusCode, action: Action) -> FailureKind {
    let code = status.as_u16();
    match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            FailureKind::Temporary(Trouble::Status(code))
        }
        _ if status.is_server_error() => in_doubt(Trouble::Status(code), action),
        _ => FailureKind::Refused(Refusal { reason: Reason::Status(code), said: None }),
    }
}

impl Answer {
    /// Reads the content of the body, after a fault was ruled out.
    ///
    /// # Errors
    /// [`Failure`] for a fault, and for what `read` cannot understand.
    pub(super) fn read<T, E: std::fmt::Display>(
        self,
        action: Action,
        read: impl FnOnce(Node<'_, '_>, &Incoming) -> Result<T, E>,
    ) -> Result<(T, Exchange), Failure> {
        let Self { incoming, exchange } = self;
        match read_body(&incoming, read) {
            Ok(value) => Ok((value, exchange)),
            Err(Unread::Fault(fault)) => Err(Failure { kind: by_fault(fault, action), exchanges: vec![exchange] }),
            Err(Unread::Unreadable(what)) => Err(unreadable(&what, action, exchange)),
        }
    }
}

enum Unread {
    Fault(Fault),
    Unreadable(String),
}

fn read_body<T, E: std::fmt::Display>(
    incoming: &Incoming,
    read: impl FnOnce(Node<'_, '_>, &Incoming) -> Result<T, E>,
) -> Result<T, Unread> {
    fn unreadable(error: impl std::fmt::Display) -> Unread {
        Unread::Unreadable(error.to_string())
    }
    let text = decode(&incoming.root, &Limits::ENVELOPE).map_err(unreadable)?;
    let document = parse(&text, &Limits::ENVELOPE).map_err(unreadable)?;
    let envelope = soap::read(&document).map_err(unreadable)?;
    if let Some(fault) = envelope.fault() {
        return Err(Unread::Fault(fault));
    }
    let content = envelope.content.ok_or_else(|| unreadable("the SOAP body is empty"))?;
    read(content, incoming).map_err(unreadable)
}

/// The subcode tells when it is known; else whose fault it is.
fn by_fault(fault: Fault, action: Action) -> FailureKind {
    let said = Some(fault.reason).filter(|reason| !reason.is_empty());
    let local = fault.subcode.as_deref().map(|subcode| subcode.rsplit('}').next().unwrap_or(subcode));
    let code = local.map(ErrorCode::from_wire);
    let is_known = !matches!(code, None | Some(ErrorCode::Unlisted(_)));
    match code {
        Some(code) if code.recovery() == Recovery::Retry => FailureKind::Temporary(Trouble::Code(code)),
        _ if fault.code == FaultCode::Receiver && !is_known => in_doubt(Trouble::Fault, action),
        Some(code) => FailureKind::Refused(Refusal { reason: Reason::Code(code), said }),
        None => FailureKind::Refused(Refusal { reason: Reason::Fault, said }),
    }
}

/// What a registry's "failure" means.
pub(super) fn by_response(response: &RegistryResponse) -> FailureKind {
    let Some(error) = response.first_error() else {
        return FailureKind::Refused(Refusal {
            reason: Reason::Answer("a failure without an error".into()),
            said: None,
        });
    };
    let code = error.code.clone();
    match code.recovery() {
        Recovery::Retry => FailureKind::Temporary(Trouble::Code(code)),
        Recovery::AskWhatIsStored | Recovery::Mend => {
            let said = Some(error.context.clone()).filter(|context| !context.is_empty());
            FailureKind::Refused(Refusal { reason: Reason::Code(code), said })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::QUERY;

    #[test]
    fn a_fault_is_judged_by_its_code_then_by_whose_it_is() {
        let of = |code, subcode: Option<&str>| {
            let fault = Fault::new(code, "texte");
            Fault { subcode: subcode.map(str::to_owned), ..fault }
        };
        let (sender, receiver) = (FaultCode::Sender, FaultCode::Receiver);
        let refused = |kind: &FailureKind| matches!(kind, FailureKind::Refused(_));
        let temporary = |kind: &FailureKind| matches!(kind, FailureKind::Temporary(_));
        let unknown = |kind: &FailureKind| matches!(kind, FailureKind::Unknown(_));
        type Kind<'a> = &'a dyn Fn(&FailureKind) -> bool;
        let cases: [(&str, Fault, Action, Kind<'_>); 8] = [
            ("known code", of(sender, Some("DMPInvalidCertificate")), PROVIDE, &refused),
            ("known code in a namespace", of(sender, Some("{urn:x}DMPInvalidCertificate")), PROVIDE, &refused),
            ("known code, though the receiver's", of(receiver, Some("XDSUnknownPatientId")), PROVIDE, &refused),
            ("busy, though the sender's", of(sender, Some("XDSRegistryBusy")), PROVIDE, &temporary),
            ("unknown code of the sender's", of(sender, Some("DMPNew")), PROVIDE, &refused),
            ("unknown code of the receiver's, feeding", of(receiver, Some("DMPNew")), PROVIDE, &unknown),
            ("unknown code of the receiver's, asking", of(receiver, Some("DMPNew")), QUERY, &temporary),
            ("no code, the receiver's", of(receiver, None), PROVIDE, &unknown),
        ];
        for (case, fault, action, expected) in cases {
            let kind = by_fault(fault, action);
            assert!(expected(&kind), "{case}: {kind:?}");
            assert!(!format!("{kind:?}").contains("texte"), "{case}: the DMP's text is in a log");
        }
    }

    #[test]
    fn a_status_without_soap_is_doubt_only_when_something_may_have_been_done() {
        let cases = [
            (503, PROVIDE, "Temporary"),
            (429, PROVIDE, "Temporary"),
            (500, PROVIDE, "Unknown"),
            (504, PROVIDE, "Unknown"),
            (504, QUERY, "Temporary"),
            (403, PROVIDE, "Refused"),
            (413, PROVIDE, "Refused"),
        ];
        for (status, action, expected) in cases {
            let kind = format!("{:?}", by_status(StatusCode::from_u16(status).unwrap(), action));
            assert!(kind.starts_with(expected), "{status}: {kind}");
        }
    }
}
