use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use socle_identity::Environment;
use uuid::Uuid;

use super::jcs::{self, JcsError};

/// One line of the audit log: who did what, when, to whose data, why, and how it ended.
///
/// One internal shape holds what the ANS trace profile (TdE), IHE BALP, DICOM and EHDS annex II 3.2
/// each want; none of their own shapes can hold the others (TdE allows two agents, BALP wants three),
/// so they are projections of this one. The canonical bytes are RFC 8785; times are UTC milliseconds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// UUIDv7, chosen when the record is formed: sending it twice is seen.
    pub id: Uuid,
    /// The system that records (host or site), as configured.
    pub system: String,
    /// The world in which it happened.
    pub environment: Environment,
    /// Kind of event, e.g. DCM 110112 or audit-event-type `rest`.
    pub kind: Code,
    /// More precise kind, e.g. `ITI-41`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subkind: Option<Code>,
    /// Create, read, update, delete, execute.
    pub action: RecordAction,
    /// When it happened, by the clock of whoever did it.
    #[serde(with = "millis")]
    pub occurred: Timestamp,
    /// When it was recorded, by the clock of the log.
    #[serde(with = "millis")]
    pub recorded: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed, or why access was forced. Mandatory in those cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// User, organisation, client, server; at least one.
    pub agents: Vec<Agent>,
    /// The person whose data it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientId>,
    /// Documents, queries, submission sets… touched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Object>,
    /// Purpose of use, v3-ActReason: `TREAT`, `BTG`, `PATRQT`…
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// EHDS priority category of the data (annex II 3.2 c).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Where the data comes from (annex II 3.2 e), e.g. `urn:finess:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The flow this step belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<Uuid>,
    /// `X-Request-Id` or `traceparent`, to join the records of both ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl Record {
    /// A record of something that just succeeded; set the other fields as they are known.
    #[must_use]
    pub fn new(system: &str, environment: Environment, kind: Code, action: RecordAction, now: Timestamp) -> Self {
        Self {
            id: Uuid::now_v7(),
            system: system.to_owned(),
            environment,
            kind,
            subkind: None,
            action,
            occurred: to_millis(now),
            recorded: to_millis(now),
            outcome: Outcome::Success,
            description: None,
            agents: Vec::new(),
            patient: None,
            objects: Vec::new(),
            purpose: None,
            category: None,
            origin: None,
            flow: None,
            request: None,
        }
    }

    /// The canonical bytes (RFC 8785): what is hashed and sealed.
    ///
    /// # Errors
    /// None in practice, since no field holds a fraction; the error is passed on rather than hidden.
    pub fn canonical(&self) -> Result<Vec<u8>, JcsError> {
        jcs::to_vec(self)
    }

    /// Reads canonical bytes back.
    ///
    /// # Errors
    /// The JSON error when the bytes are not a record; it quotes no content.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, RecordError> {
        serde_json::from_slice(bytes).map_err(|e| RecordError { line: e.line(), column: e.column() })
    }
}

/// A record names people: only what finds it is shown.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// Bytes that are not an audit record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an audit record: line {line}, column {column}")]
pub struct RecordError {
    /// Line of the fault, from 1.
    pub line: usize,
    /// Column of the fault, from 1.
    pub column: usize,
}

/// A code of a public list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Code {
    /// URI of the list.
    pub system: String,
    /// The code, kept verbatim even when unknown to us.
    pub code: String,
}

impl Code {
    /// A code of any list.
    #[must_use]
    pub fn new(system: &str, code: &str) -> Self {
        Self { system: system.to_owned(), code: code.to_owned() }
    }

    /// A DICOM event code (PS3.16 CID 400), e.g. `110112` Query.
    #[must_use]
    pub fn dicom(code: &str) -> Self {
        Self::new("http://dicom.nema.org/resources/ontology/DCM", code)
    }

    /// An IHE transaction, e.g. `ITI-41`.
    #[must_use]
    pub fn ihe(code: &str) -> Self {
        Self::new("urn:ihe:event-type-code", code)
    }

    /// A REST interaction is the event (audit-event-type `rest`).
    #[must_use]
    pub fn rest() -> Self {
        Self::new("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest")
    }
}

/// What was done (FHIR audit-event-action).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RecordAction {
    /// Create.
    C,
    /// Read.
    R,
    /// Update.
    U,
    /// Delete.
    D,
    /// Execute.
    E,
}

/// How it ended (audit-event-outcome); written as its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Outcome {
    /// 0
    Success,
    /// 4
    MinorFailure,
    /// 8
    SeriousFailure,
    /// 12
    MajorFailure,
}

impl From<Outcome> for u8 {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => 0,
            Outcome::MinorFailure => 4,
            Outcome::SeriousFailure => 8,
            Outcome::MajorFailure => 12,
        }
    }
}

impl TryFrom<u8> for Outcome {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            0 => Ok(Self::Success),
            4 => Ok(Self::MinorFailure),
            8 => Ok(Self::SeriousFailure),
            12 => Ok(Self::MajorFailure),
            other => Err(format!("outcome {other} is none of 0, 4, 8, 12")),
        }
    }
}

/// Someone or something that took part.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// What it was in this event.
    pub role: AgentRole,
    /// Its identifier (PS_IdNat, Struct_IdNat, client id, host).
    pub id: String,
    /// The name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Did it ask for the event?
    pub requestor: bool,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("role", &self.role).finish_non_exhaustive()
    }
}

/// What an agent was in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentRole {
    /// A person.
    User,
    /// The structure of that person.
    Organisation,
    /// The application that opened the connection (source, DCM 110153, when it sends).
    Client,
    /// The application that answered (destination, DCM 110152, when it receives).
    Server,
}

/// The person concerned.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PatientId {
    /// OID of the authority, as `urn:oid:…`, or a local URI.
    pub system: String,
    /// The identifier.
    pub value: String,
}

impl fmt::Debug for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientId").field("system", &self.system).finish_non_exhaustive()
    }
}

/// A thing touched: document, submission set, query, job.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// audit-entity-type: 1 person, 2 system object, 3 organisation, 4 other.
    pub kind: u8,
    /// object-role: 3 report, 4 domain resource, 20 job, 24 query, 26 processing element.
    pub role: u8,
    /// Identifier or reference.
    pub id: String,
    /// Other facts, by name.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub details: std::collections::BTreeMap<String, String>,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("kind", &self.kind).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A record is written in milliseconds: a finer time would not survive its own canonical form.
fn to_millis(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// `2026-11-21T09:00:01.120Z`, always three decimals.
mod millis {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&format_args!("{:.3}", super::to_millis(*time)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
        String::deserialize(input)?.parse().map_err(D::Error::custom)
    }
}
