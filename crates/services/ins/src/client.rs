//! We ask INSi: one search by traits, over mutual TLS, with every message kept as it went and came.
//!
//! Enter by [`Client::new`], which refuses a certificate that INSi would refuse, then [`Client::search`].
//! A question that the teleservice could not treat (fault of its own, timeout, broken connection) is
//! asked again, a bounded number of times, each time under a new `MessageID`: a search changes nothing
//! there. A fault that accuses the caller is never repeated.
//!
//! Not here: the order of questions and the meaning of answers (`model.rs`), the storage of the
//! messages (the gateway keeps them, EXI REC 07 and 08), the status of an identity (`socle_identity`).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Request as HttpRequest, Response, StatusCode, Uri, header};
use jiff::Timestamp;
use socle_finding::{Finding, Location, Rule, Severity, Text};
use socle_identity::{Environment, EnvironmentMix};
use socle_trust::https::{ClientLimits, HttpError, HttpErrorKind, HttpsClient};
use socle_trust::tls::{TlsError, Versions, client_config};
use socle_trust::{Anchors, Credentials};
use socle_xml::soap;
use tokio::time::Instant;
use uuid::Uuid;

use crate::model::{
    AnswerError, Caller, FaultClass, InsiFault, Miss, Query, Remark, SearchOutcome, SearchPlan, SearchTraits,
    UnknownCaller, interpret,
};
use crate::wire::{self, ACTION_TRAITS, Answer, Contexts, LIMITS, ReadAnswerError, Request, Software};

/// What a client needs to know of the teleservice and of us.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://…/lps`.
    pub url: String,
    /// The world that the teleservice belongs to: stamped on each answer.
    pub environment: Environment,
    /// ORG AUTH_CLI certificate named `INSI-AUTO` or `INSI-MANU`; its OU is the emitter.
    pub credentials: Credentials,
    /// The authorities of the teleservice's certificate.
    pub anchors: Anchors,
    /// What the CNDA authorised.
    pub software: Software,
    /// How long to wait, how often to try.
    pub patience: Patience,
}

/// How long to wait, how often to try.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// To open a connection.
    pub connect: Duration,
    /// For one exchange, connection included.
    pub answer: Duration,
    /// Attempts at one question, the first included; at least one is made.
    pub attempts: u32,
    /// Before the second attempt; doubled before each next one.
    pub pause: Duration,
    /// For a whole search: no question is begun after this.
    pub search: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(5),
            attempts: 2,
            pause: Duration::from_millis(300),
            search: Duration::from_secs(20),
        }
    }
}

/// A client of INSi for one caller and one environment. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: HttpsClient,
    url: Uri,
    environment: Environment,
    caller: Caller,
    emitter: String,
    software: Software,
    patience: Patience,
}

impl Client {
    /// A client ready to ask; nothing is sent yet.
    ///
    /// # Errors
    /// [`SetupError`] when INSi would refuse us, or when two environments meet.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let Settings { url, environment, credentials, anchors, software, patience } = settings;
        environment.admit(anchors.environment(), "the authorities of INSi's certificate")?;
        credentials.certificate().admit(environment)?;
        let subject = credentials.certificate().subject();
        let caller = subject.get("CN").unwrap_or_default().parse()?;
        let emitter = subject.get("OU").ok_or(SetupError::NoEmitter)?.to_owned();
        let limits = ClientLimits {
            connect: patience.connect,
            request: patience.answer,
            response_bytes: LIMITS.bytes,
            ..ClientLimits::default()
        };
        let http = HttpsClient::new(&client_config(&anchors, Some(&credentials), Versions::Both)?, limits);
        Ok(Self { http, url: https(&url)?, environment, caller, emitter, software, patience })
    }

    /// On whose behalf this client asks, as its certificate says.
    #[must_use]
    pub const fn caller(&self) -> Caller {
        self.caller
    }

    /// The world whose INSi is asked.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// Searches a person by traits, question after question (see [`SearchPlan`]).
    ///
    /// # Errors
    /// [`SearchFailed`], with the messages exchanged until then: the identity keeps its status.
    pub async fn search(&self, traits: &SearchTraits) -> Result<Search, SearchFailed> {
        let mut exchanges = Vec::new();
        match self.follow(traits, &mut exchanges).await {
            Ok((outcome, remarks)) => Ok(Search { outcome, remarks, exchanges }),
            Err(error) => Err(SearchFailed { error, exchanges }),
        }
    }

    async fn follow(
        &self,
        traits: &SearchTraits,
        exchanges: &mut Vec<Exchange>,
    ) -> Result<(SearchOutcome, Vec<Remark>), SearchError> {
        let deadline = Instant::now() + self.patience.search;
        let mut plan = SearchPlan::new(traits.clone());
        loop {
            let miss = match self.ask(&plan.query(), deadline, exchanges).await? {
                Answer::Found(individual) => {
                    let (answer, remarks) = self.accept(&individual, traits, exchanges)?;
                    return Ok((SearchOutcome::Found(Box::new(answer)), remarks));
                }
                Answer::NotFound => Miss::NotFound,
                Answer::Several => Miss::Several,
            };
            plan = match plan.after(miss) {
                Ok(plan) => plan,
                Err(Miss::NotFound) => return Ok((SearchOutcome::NotFound, Vec::new())),
                Err(Miss::Several) => return Ok((SearchOutcome::Several, Vec::new())),
            };
        }
    }

    /// The identity of an answer 00, stamped with the digest of the bytes that gave it.
    fn accept(
        &self,
        individual: &wire::Individual,
        traits: &SearchTraits,
        exchanges: &[Exchange],
    ) -> Result<(socle_identity::InsiAnswer, Vec<Remark>), SearchError> {
        let last = exchanges.last();
        let digest = last.and_then(Exchange::response_digest).unwrap_or_default();
        let received_at = last.map_or_else(Timestamp::now, |exchange| exchange.ended);
        let asked = traits.first_given_name().as_str();
        Ok(interpret(individual, asked, self.environment, received_at, &digest)?)
    }

    /// One question, asked again while the teleservice is out of order.
    async fn ask(
        &self,
        query: &Query,
        deadline: Instant,
        exchanges: &mut Vec<Exchange>,
    ) -> Result<Answer, SearchError> {
        let mut pause = self.patience.pause;
        let mut attempt = 1;
        loop {
            if Instant::now() >= deadline {
                return Err(SearchError::OutOfTime { after: self.patience.search });
            }
            let (exchange, answer) = self.exchange(query).await;
            exchanges.push(exchange);
            match answer {
                Err(error) if error.is_retryable() && attempt < self.patience.attempts => {
                    tracing::warn!(attempt, code = %error.code(), "INSi did not answer; asking again");
                    tokio::time::sleep(pause.min(deadline.saturating_duration_since(Instant::now()))).await;
                    pause *= 2;
                    attempt += 1;
                }
                answer => return answer,
            }
        }
    }

    /// One message there, and one back when there is one.
    async fn exchange(&self, query: &Query) -> (Exchange, Result<Answer, SearchError>) {
        let request =
            Request { contexts: Contexts::new(&self.emitter, &self.software), message_id: Uuid::new_v4(), query };
        let body = Bytes::from(request.to_xml());
        let started = Timestamp::now();
        let response = self.post(body.clone()).await;
        let mut exchange = Exchange {
            message_id: request.message_id,
            started,
            ended: Timestamp::now(),
            request: body,
            response: None,
            result: String::new(),
        };
        let answer = match response {
            Ok(response) => {
                exchange.response = Some(response.body().clone());
                read(&response)
            }
            Err(error) => Err(error),
        };
        exchange.result = match &answer {
            Ok(answer) => answer.code().to_owned(),
            Err(error) => error.code(),
        };
        (exchange, answer)
    }

    async fn post(&self, body: Bytes) -> Result<Response<Bytes>, SearchError> {
        let request = HttpRequest::post(self.url.clone())
            .header(header::CONTENT_TYPE, soap::content_type(ACTION_TRAITS))
            .header(header::ACCEPT, "application/soap+xml")
            .body(body)
            .map_err(|_| SearchError::Unsendable)?;
        Ok(self.http.send(request).await?)
    }
}

/// A fault counts whatever the status; anything that is no SOAP message is judged by its status.
fn read(response: &Response<Bytes>) -> Result<Answer, SearchError> {
    let not_soap = |what: String| SearchError::NotSoap { status: response.status().as_u16(), what };
    let text = socle_xml::decode(response.body(), &LIMITS).map_err(|error| not_soap(error.to_string()))?;
    let document = socle_xml::parse(&text, &LIMITS).map_err(|error| not_soap(error.to_string()))?;
    let envelope = soap::read(&document).map_err(|error| not_soap(error.to_string()))?;
    if let Some(fault) = wire::read_fault(&envelope) {
        return Err(SearchError::Fault(Box::new(fault)));
    }
    if response.status() != StatusCode::OK {
        return Err(not_soap("the body is no fault".into()));
    }
    Ok(wire::read_answer(&envelope)?)
}

fn https(url: &str) -> Result<Uri, SetupError> {
    let uri: Uri = url.parse().map_err(|_| SetupError::Url)?;
    if uri.scheme_str() != Some("https") || uri.host().is_none() {
        return Err(SetupError::Url);
    }
    Ok(uri)
}

/// A search that came to its end.
#[derive(Debug, Clone)]
pub struct Search {
    /// Who was found, or not.
    pub outcome: SearchOutcome,
    /// What is odd in the answer and hinders nothing.
    pub remarks: Vec<Remark>,
    /// Every message, in order; the last is the one that gave the outcome.
    pub exchanges: Vec<Exchange>,
}

/// One message to INSi and its answer, byte for byte (EXI REC 07). They hold a person's traits.
#[derive(Clone)]
pub struct Exchange {
    /// Of the request; a fault repeats it.
    pub message_id: Uuid,
    /// Just before sending.
    pub started: Timestamp,
    /// When the answer was whole, or given up.
    pub ended: Timestamp,
    /// The request's body.
    pub request: Bytes,
    /// The answer's body; none when nothing came.
    pub response: Option<Bytes>,
    /// `00`, `01`, `02`, or the code of the error (`desir_550`, `timeout`…).
    pub result: String,
}

impl Exchange {
    /// SHA-256 of the answer's body, in hexadecimal: what [`socle_identity::InsiAnswer`] keeps.
    #[must_use]
    pub fn response_digest(&self) -> Option<String> {
        self.response.as_deref().map(sha256_hex)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("message_id", &self.message_id)
            .field("result", &self.result)
            .finish_non_exhaustive()
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A search that did not come to its end.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct SearchFailed {
    /// Why.
    #[source]
    pub error: SearchError,
    /// Every message until then.
    pub exchanges: Vec<Exchange>,
}

/// Why a search stopped. Shows no trait of the person.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// INSi refused, or is out of order.
    #[error(transparent)]
    Fault(Box<InsiFault>),
    /// No answer came.
    #[error("INSi: {0}")]
    Transport(#[from] HttpError),
    /// An answer came that is no SOAP message.
    #[error("INSi answered HTTP {status} without a SOAP message ({what})")]
    NotSoap {
        /// HTTP status.
        status: u16,
        /// What is wrong with the body, without its content.
        what: String,
    },
    /// A SOAP message that is no answer of WS_INS2.
    #[error(transparent)]
    Unreadable(#[from] ReadAnswerError),
    /// An answer 00 that gives no usable INS.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The whole search took too long.
    #[error("the search was given up after {} s", .after.as_secs())]
    OutOfTime {
        /// The time given.
        after: Duration,
    },
    /// HTTP would not take the request.
    #[error("the request to INSi could not be built")]
    Unsendable,
}

impl SearchError {
    /// May the same question pass later? Then the identity keeps its status and work goes on.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.class() == Some(FaultClass::Retryable)
    }

    /// Whose turn it is; none when the answer itself must be looked at by a person.
    #[must_use]
    pub fn class(&self) -> Option<FaultClass> {
        match self {
            Self::Fault(fault) => Some(fault.class()),
            Self::Transport(error) => Some(match error.kind {
                HttpErrorKind::Url(_) | HttpErrorKind::PlainHttp | HttpErrorKind::Tls(_) => FaultClass::Configuration,
                _ => FaultClass::Retryable,
            }),
            Self::NotSoap { status, .. } if (400..500).contains(status) && !matches!(status, 408 | 429) => {
                Some(FaultClass::Configuration)
            }
            Self::NotSoap { .. } | Self::OutOfTime { .. } => Some(FaultClass::Retryable),
            Self::Unsendable => Some(FaultClass::Configuration),
            Self::Unreadable(_) | Self::Answer(_) => None,
        }
    }

    /// A short stable name, for logs and flows: INSi's own code when it gave one.
    #[must_use]
    pub fn code(&self) -> String {
        let name = match self {
            Self::Fault(fault) => fault.code.as_deref().or(fault.subcode.as_deref()).unwrap_or("fault"),
            Self::Transport(HttpError { kind: HttpErrorKind::Timeout { .. }, .. }) => "timeout",
            Self::Transport(_) => "unreachable",
            Self::NotSoap { status, .. } => return format!("http-{status}"),
            Self::Unreadable(_) => "unreadable",
            Self::Answer(_) => "refused-answer",
            Self::OutOfTime { .. } => "out-of-time",
            Self::Unsendable => "unsendable",
        };
        name.to_owned()
    }

    /// The same for every screen: what, by which rule, how to mend.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding {
            severity: Severity::Error,
            rule: match self {
                Self::Answer(AnswerError::Matricule(_) | AnswerError::Authority(_)) => {
                    Rule::fixed("Référentiel INS", "matricule, clé et OID")
                }
                Self::Answer(AnswerError::Environment(_)) => Rule::fixed("Socle", "verrou d'environnement"),
                _ => Rule::fixed("SEL-MP-043 v05.00.01", "WS_INS2"),
            },
            at: Location::path("INSi"),
            message: Text::new(self.french(), self.to_string()),
            mend: self.mend(),
        }
    }

    fn french(&self) -> String {
        match self {
            Self::Fault(fault) => format!("INSi a refusé ({}) : {}", self.code(), fault.text()),
            Self::Transport(error) => format!("INSi ne répond pas ({}) : {}", error.host, self.code()),
            Self::NotSoap { status, .. } => format!("INSi a répondu HTTP {status} sans message SOAP"),
            Self::Unreadable(_) => "la réponse d'INSi n'est pas un RESULTAT de WS_INS2".into(),
            Self::Answer(AnswerError::Matricule(_)) => "le matricule actif de la réponse d'INSi est faux".into(),
            Self::Answer(_) => "la réponse d'INSi ne donne pas d'identité utilisable".into(),
            Self::OutOfTime { after } => format!("recherche abandonnée après {} s", after.as_secs()),
            Self::Unsendable => "la requête vers INSi n'a pas pu être construite".into(),
        }
    }

    fn mend(&self) -> Text {
        match self {
            Self::Fault(fault) => fault.mend(),
            Self::Answer(_) | Self::Unreadable(_) => Text::fixed(
                "la réponse est gardée telle quelle : faites-la examiner, l'identité garde son statut",
                "the answer is kept as it came: have it looked at, the identity keeps its status",
            ),
            _ if self.is_retryable() => Text::fixed(
                "l'identité garde son statut, réessayez plus tard",
                "the identity keeps its status, try again later",
            ),
            _ => Text::fixed(
                "vérifiez l'adresse et les certificats d'INSi dans la configuration",
                "check INSi's address and certificates in the configuration",
            ),
        }
    }
}

/// Why a client cannot be made: INSi would refuse it, or it would mix two environments.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The URL is not `https://…`.
    #[error("INSi's address is no https URL")]
    Url,
    /// The certificate's name.
    #[error(transparent)]
    Caller(#[from] UnknownCaller),
    /// No OU: nobody to declare as emitter.
    #[error("the certificate has no OU (identifier of the structure), so INSi cannot be told who asks")]
    NoEmitter,
    /// Two environments.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}
