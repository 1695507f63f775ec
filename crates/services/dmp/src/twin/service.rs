//! One request at a service, from HTTP down to its transaction, and its answer back up.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use socle_cda::xds::RegistryObjects;
use socle_trust::Certificate;
use socle_trust::https::PeerCertificate;
use socle_xml::mtom::{self, Incoming, Part};
use socle_xml::soap::{self, Envelope, Fault as SoapFault, NS_SOAP11, NS_SOAP12, NS_WSSE, SoapError, Version};
use socle_xml::{Limits, decode, parse};

use super::fault::Refusal;
use super::gate::Gate;
use super::panel::{Fault, Panel};
use super::people::People;
use super::state::State;
use super::{BASE, Strictness, feed, registry, repository, wsdl};
use crate::model::rights::Action as Right;
use crate::model::{ErrorCode, Existence};
use crate::wire::documents::{Retrieved, read_retrieve, write_retrieved};
use crate::wire::existence::{self, Question};
use crate::wire::response::{self, QueryResponse, RegistryResponse};
use crate::wire::{Action, EXISTENCE, Kit, PROVIDE, QUERY, RETRIEVE, query};

/// What every request is judged by.
pub(super) struct Twin {
    pub(super) url: String,
    pub(super) gate: Gate,
    pub(super) state: State,
    pub(super) people: People,
    pub(super) kit: Kit,
    pub(super) strictness: Strictness,
    pub(super) request_bytes: usize,
    pub(super) panel: Arc<Panel>,
}

/// One of the four services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Repository,
    Registry,
    Patients,
    Habilitations,
}

impl Service {
    pub(super) const ALL: [(Self, &'static str); 4] = [
        (Self::Repository, "repository"),
        (Self::Registry, "registry"),
        (Self::Patients, "patients"),
        (Self::Habilitations, "habilitations"),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(service, _)| *service)
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(service, _)| *service == self).map_or("", |(_, name)| name)
    }
}

pub(super) fn router(twin: Arc<Twin>) -> Router {
    let path = format!("{BASE}/{{service}}");
    Router::new().route(&path, get(contract).post(ask)).method_not_allowed_fallback(not_allowed).with_state(twin)
}

async fn not_allowed() -> (StatusCode, [(HeaderName, &'static str); 1]) {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST, GET")])
}

/// `GET …?wsdl`.
async fn contract(Shared(twin): Shared<Arc<Twin>>, Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Some(service) = Service::named(&name) else { return StatusCode::NOT_FOUND.into_response() };
    if !query.is_some_and(|query| query.eq_ignore_ascii_case("wsdl")) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")], "POST a SOAP message, or GET ?wsdl\n")
            .into_response();
    }
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], wsdl::write(service, &twin.url)).into_response()
}

/// `POST …`.
async fn ask(Shared(twin): Shared<Arc<Twin>>, Path(name): Path<String>, request: Request<Body>) -> Response {
    let Some(service) = Service::named(&name) else { return StatusCode::NOT_FOUND.into_response() };
    if let Some(response) = before(&twin).await {
        return response;
    }
    let (head, body) = request.into_parts();
    let certificate = head.extensions.get::<PeerCertificate>().and_then(|peer| peer.0.clone());
    let reply = match receive(&head.headers, body, twin.request_bytes).await {
        Ok(message) => treat(&twin, service, message, certificate).await,
        Err(response) => return response,
    };
    after(&twin, reply).await
}

/// Faults that meet a request before it is read.
async fn before(twin: &Twin) -> Option<Response> {
    if twin.panel.spend(Fault::Slow) {
        tokio::time::sleep(twin.panel.slowness).await;
    }
    if twin.panel.spend(Fault::Maintenance503) {
        return Some((StatusCode::SERVICE_UNAVAILABLE, "maintenance\n").into_response());
    }
    if twin.panel.spend(Fault::Http500Html) {
        let page = axum::response::Html("<!DOCTYPE html><html><body><h1>Internal Server Error</h1></body></html>");
        return Some((StatusCode::INTERNAL_SERVER_ERROR, page).into_response());
    }
    None
}

/// A message as it came.
struct Received {
    content_type: String,
    body: Bytes,
}

/// A body that is announced too large is refused before it is read.
async fn receive(headers: &HeaderMap, body: Body, limit: usize) -> Result<Received, Response> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_big(limit));
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(Received { content_type: content_type.to_owned(), body: body.to_bytes() }),
        Err(error) if error.is::<LengthLimitError>() => Err(too_big(limit)),
        Err(_) => Err(StatusCode::BAD_REQUEST.into_response()),
    }
}

fn too_big(limit: usize) -> Response {
    let text = format!("ce jumeau prend {limit} octets au plus par requête ; la limite du DMP est inconnue\n");
    let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
    (StatusCode::PAYLOAD_TOO_LARGE, close, text).into_response()
}

/// What of a request its answer needs.
#[derive(Debug, Default)]
struct Context {
    message_id: Option<String>,
    action: Option<Action>,
    /// Did it come as a multipart? The answer goes as it came.
    is_multipart: bool,
}

/// An answer to be written.
struct Reply {
    context: Context,
    outcome: Result<Answered, Refusal>,
}

enum Answered {
    Fed,
    Found(RegistryObjects),
    Given(RegistryResponse, Vec<Retrieved>),
    Tested(String),
}

/// A request that passed every check that needs no state.
enum Work {
    Feed(Box<feed::Feed>),
    Query(Box<registry::Asked>),
    Retrieve(Box<repository::Wanted>),
    Test(Question, Existence),
}

async fn treat(twin: &Arc<Twin>, service: Service, received: Received, certificate: Option<Arc<Certificate>>) -> Reply {
    let (judge, now) = (Arc::clone(twin), Timestamp::now());
    let judged = tokio::task::spawn_blocking(move || {
        let mut context = Context::default();
        let work = judge.judge(service, received, certificate.as_deref(), now, &mut context);
        (context, work)
    });
    let (context, work) = match judged.await {
        Ok(judged) => judged,
        Err(_) => (Context::default(), Err(Refusal::receiver("le jumeau s'arrête"))),
    };
    let outcome = match work {
        Ok(work) => twin.perform(work).await,
        Err(refusal) => Err(refusal),
    };
    let code = outcome.as_ref().err().map(Refusal::code);
    let action = context.action.map(|action| action.request);
    tracing::info!(action, code, "the DMP twin answers");
    Reply { context, outcome }
}

impl Twin {
    /// From bytes to work: SOAP, then the gate, then the transaction's own checks.
    fn judge(
        &self,
        service: Service,
        received: Received,
        tls: Option<&Certificate>,
        now: Timestamp,
        context: &mut Context,
    ) -> Result<Work, Refusal> {
        context.is_multipart = mtom::is_multipart(&received.content_type);
        let message = mtom::receive(&received.content_type, received.body, &self.limits())
            .map_err(|error| Refusal::sender(error.to_string()))?;
        let not_soap = |error: &dyn std::fmt::Display| Refusal::sender(error.to_string());
        let text = decode(&message.root, &Limits::ENVELOPE).map_err(|error| not_soap(&error))?;
        let document = parse(&text, &Limits::ENVELOPE).map_err(|error| not_soap(&error))?;
        let envelope = soap::read(&document).map_err(|error| match error {
            SoapError::NotAnEnvelope if document.root_element().tag_name().name() == "Envelope" => Refusal::version(),
            error => not_soap(&error),
        })?;
        context.message_id.clone_from(&envelope.message_id);
        let mut leniencies = Vec::new();
        self.check_soap(&envelope, &message, &mut leniencies)?;
        let action = action_of(service, &envelope)?;
        context.action = Some(action);
        self.refuse_on_demand()?;
        let mut admitted = self.gate.admit(&document, tls, &self.people, now)?;
        admitted.leniencies.append(&mut leniencies);
        let body = envelope.content.ok_or_else(|| Refusal::sender("le corps SOAP est vide"))?;
        match action {
            PROVIDE => {
                let feed = feed::judge(self, body, &message, admitted, now)?;
                self.panel.note(feed.leniencies());
                Ok(Work::Feed(Box::new(feed)))
            }
            EXISTENCE => {
                let question = existence::read(body).map_err(|error| Refusal::sender(error.to_string()))?;
                Gate::check_right(&admitted, Right::TestExistence)?;
                if question.patient != admitted.patient {
                    let reason = "le patient de la question n'est pas celui du VIHF";
                    return Err(Refusal::dmp(&ErrorCode::PatientIdDoesNotMatch, reason));
                }
                self.panel.note(&admitted.leniencies);
                Ok(Work::Test(question, admitted.situation.existence))
            }
            RETRIEVE => {
                let requests = read_retrieve(body).map_err(|error| Refusal::sender(error.to_string()))?;
                self.panel.note(&admitted.leniencies);
                repository::judge(admitted, requests).map(|wanted| Work::Retrieve(Box::new(wanted)))
            }
            _ => {
                let read = query::read(body).map_err(|error| Refusal::registry(error.code(), error.to_string()))?;
                for leniency in &read.leniencies {
                    self.gate.lenient(true, leniency, &mut admitted.leniencies)?;
                }
                self.panel.note(&admitted.leniencies);
                registry::judge(admitted, read).map(|asked| Work::Query(Box::new(asked)))
            }
        }
    }

    fn limits(&self) -> mtom::Limits {
        mtom::Limits { bytes: self.request_bytes, ..mtom::Limits::default() }
    }

    fn check_soap(
        &self,
        envelope: &Envelope<'_>,
        message: &Incoming,
        leniencies: &mut Vec<&'static str>,
    ) -> Result<(), Refusal> {
        if envelope.version == Version::Soap11 {
            match self.strictness {
                Strictness::Strict => return Err(Refusal::version()),
                Strictness::Lenient => leniencies.push("SOAP 1.1"),
            }
        }
        let essence = soap::read_content_type(&message.root_type).map(|media| media.essence).unwrap_or_default();
        if !matches!(essence.as_str(), "application/soap+xml" | "application/xop+xml") {
            self.gate.lenient(true, "Content-Type autre que application/soap+xml", leniencies)?;
        }
        let ours = |namespace: Option<&str>, name: &str| (namespace, name) == (Some(NS_WSSE), "Security");
        if envelope.not_understood(ours).is_empty() {
            return Ok(());
        }
        let reason = "un bloc d'en-tête mustUnderstand n'est pas compris";
        Err(Refusal::Fault(Box::new(SoapFault::new(soap::FaultCode::MustUnderstand, reason))))
    }

    /// Faults that the panel has in store for whatever is asked.
    fn refuse_on_demand(&self) -> Result<(), Refusal> {
        let faults: [(Fault, fn() -> Refusal); 9] = [
            (Fault::InvalidCertificate, || Refusal::dmp(&ErrorCode::DmpInvalidCertificate, ON_DEMAND)),
            (Fault::AccessDenied, || Refusal::dmp(&ErrorCode::DmpAccessDeniedByRightsService, ON_DEMAND)),
            (Fault::StructureUnknown, || Refusal::sender("Structure introuvable ou Inactive")),
            (Fault::NotLinked, || Refusal::sender("PS et Structure non liés")),
            (Fault::PatientDoesNotMatch, || Refusal::registry(ErrorCode::PatientIdDoesNotMatch, ON_DEMAND)),
            (Fault::UnknownPatient, || Refusal::registry(ErrorCode::UnknownPatientId, ON_DEMAND)),
            (Fault::RepositoryError, || Refusal::registry(ErrorCode::RepositoryError, ON_DEMAND)),
            (Fault::RegistryBusy, || Refusal::registry(ErrorCode::RegistryBusy, ON_DEMAND)),
            (Fault::TooManyResults, || Refusal::registry(ErrorCode::TooManyResults, ON_DEMAND)),
        ];
        match faults.into_iter().find(|(fault, _)| self.panel.spend(*fault)) {
            Some((_, refusal)) => Err(refusal()),
            None => Ok(()),
        }
    }

    async fn perform(&self, work: Work) -> Result<Answered, Refusal> {
        match work {
            Work::Feed(feed) => feed::keep(self, *feed).await.map(|()| Answered::Fed),
            Work::Test(question, existence) => {
                Ok(Answered::Tested(existence::write_answer(&question, existence, &self.kit)))
            }
            Work::Query(asked) => {
                let found = registry::answer(self, *asked).await?;
                let nothing_yet = self.panel.spend(Fault::EmptyRegistry);
                Ok(Answered::Found(if nothing_yet { RegistryObjects::default() } else { found }))
            }
            Work::Retrieve(wanted) => {
                let (response, mut documents) = repository::answer(self, *wanted).await?;
                if self.panel.spend(Fault::HashMismatch) {
                    documents.iter_mut().for_each(|document| document.bytes = Bytes::from_static(b"<autre/>"));
                }
                Ok(Answered::Given(response, documents))
            }
        }
    }
}

const ON_DEMAND: &str = "demandé au panneau de fautes du jumeau";

/// The transaction, which the service must have. What this twin does not have is said as such.
fn action_of(service: Service, envelope: &Envelope<'_>) -> Result<Action, Refusal> {
    if service == Service::Habilitations {
        return Err(Refusal::receiver("ce service n'est pas encore dans ce jumeau (TD0.3, TD1.6)"));
    }
    let missing = |what: &str| Refusal::addressing("MessageAddressingHeaderRequired", format!("{what} est absent"));
    let action = envelope.action.as_deref().ok_or_else(|| missing("wsa:Action"))?;
    if envelope.message_id.is_none() {
        return Err(missing("wsa:MessageID"));
    }
    let here: &[Action] = match service {
        Service::Repository => &[PROVIDE, RETRIEVE],
        Service::Patients => &[EXISTENCE],
        _ => &[QUERY],
    };
    let unsupported = || {
        let text = format!("cette action n'est pas celle d'une transaction de {}", service.name());
        Refusal::addressing("ActionNotSupported", text)
    };
    here.iter().find(|known| known.request == action).copied().ok_or_else(unsupported)
}

/// Faults that meet an answer once the work is done.
async fn after(twin: &Twin, reply: Reply) -> Response {
    let panel = &twin.panel;
    if reply.outcome.is_ok() && panel.spend(Fault::TimeoutAfterCommit) {
        tokio::time::sleep(panel.slowness).await;
    }
    if reply.outcome.is_ok() && panel.spend(Fault::CutAfterCommit) {
        return Response::new(Body::new(Broken));
    }
    write(reply, panel)
}

/// A body that breaks the connection at its first byte.
struct Broken;

impl hyper::body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionAborted.into())))
    }
}

fn write(reply: Reply, panel: &Panel) -> Response {
    let Reply { context, outcome } = reply;
    let action = context.action.map_or(FAULT_ACTION, |action| action.response);
    let (status, action, body, parts) = match outcome {
        Ok(Answered::Fed) => (StatusCode::OK, action, response::write(&RegistryResponse::success()), Vec::new()),
        Ok(Answered::Tested(body)) => (StatusCode::OK, action, body, Vec::new()),
        Ok(Answered::Found(objects)) => {
            let response = QueryResponse { response: RegistryResponse::success(), objects };
            (StatusCode::OK, action, response::write_query(&response), Vec::new())
        }
        Ok(Answered::Given(response, documents)) => {
            let (body, parts) = write_retrieved(&response, &documents);
            (StatusCode::OK, action, body, parts)
        }
        // HL7 v3 has no list of registry errors: the first one's code is a fault's.
        Err(Refusal::Registry(errors)) if context.action == Some(EXISTENCE) => {
            let error = errors.first().map_or(ErrorCode::RegistryError, |error| error.code.clone());
            return write(Reply { context, outcome: Err(Refusal::dmp(&error, error.meaning().fr.clone())) }, panel);
        }
        Err(Refusal::Registry(errors)) => {
            let failure = RegistryResponse::failure(errors);
            (StatusCode::OK, action, write_failure(context.action, failure), Vec::new())
        }
        Err(Refusal::Fault(fault)) => {
            let status = StatusCode::from_u16(fault.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, FAULT_ACTION, fault.to_body_xml(), Vec::new())
        }
    };
    let mut envelope = soap::Outgoing::response(action, context.message_id.as_deref(), body).to_xml();
    if panel.spend(Fault::ResponseSoap11) {
        envelope = envelope.replace(NS_SOAP12, NS_SOAP11);
    }
    // A Document Repository answers MTOM (IHE ITI TF-2 3.43.4.2); the rest goes as it came.
    let in_multipart = panel.spend(Fault::FaultInMultipart);
    if context.is_multipart || !parts.is_empty() || in_multipart {
        return multipart(status, action, envelope, parts, panel);
    }
    (status, [(header::CONTENT_TYPE, soap::content_type(action))], envelope).into_response()
}

/// WS-Addressing 1.0 SOAP Binding §6: the action of a fault of addressing or SOAP.
const FAULT_ACTION: &str = "http://www.w3.org/2005/08/addressing/soap/fault";

fn write_failure(action: Option<Action>, failure: RegistryResponse) -> String {
    match action {
        Some(QUERY) => response::write_query(&QueryResponse { response: failure, objects: RegistryObjects::default() }),
        Some(RETRIEVE) => write_retrieved(&failure, &[]).0,
        _ => response::write(&failure),
    }
}

fn multipart(status: StatusCode, action: &str, mut envelope: String, mut parts: Vec<Part>, panel: &Panel) -> Response {
    if panel.spend(Fault::CidPercentEncoded) {
        for part in &mut parts {
            let id = std::mem::take(&mut part.content_id);
            part.content_id = format!("{}@urn:ihe:iti:xds-b:2007", id.split('@').next().unwrap_or_default());
            envelope = envelope.replace(&mtom::href(&id), &mtom::href(&part.content_id));
        }
    }
    if panel.spend(Fault::MtomMissingPart) {
        parts.clear();
    }
    let outgoing = mtom::write(&envelope, action, &parts);
    let body = Body::new(socle_trust::https::Body::from(outgoing.body));
    (status, [(header::CONTENT_TYPE, outgoing.content_type)], body).into_response()
}
