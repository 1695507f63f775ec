use std::fmt;

use jiff::Timestamp;
use socle_xml::NodeExt;
use socle_xml::roxmltree::Node;
use socle_xml::soap::{Envelope, NS_SOAP12, NS_WSA};
use socle_xml::write::Writer;
use uuid::Uuid;

use super::{ACTION_TRAITS, NS_BAM, NS_LPS, NS_REQUEST};
use crate::model::Query;

/// The software that asks, as the CNDA authorised it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Software {
    /// `IDAM`: the authorisation number given by the CNDA.
    pub idam: String,
    /// `Version` of the software.
    pub version: String,
    /// `Instance`: this installation, always the same.
    pub instance: Uuid,
    /// `Nom`: `urn:lps:<name>:<version>`.
    pub name: String,
}

/// What travels in the headers beside the question: fresh identifiers, one instant, who asks.
#[derive(Debug, Clone, Copy)]
pub struct Contexts<'a> {
    /// `Id` of ContexteBAM.
    pub bam: Uuid,
    /// `Id` of ContexteLPS.
    pub lps: Uuid,
    /// `Temps` of both, in UTC.
    pub at: Timestamp,
    /// `Emetteur` of both: the organisation's identifier, the OU of its certificate.
    pub emitter: &'a str,
    /// `LPS`.
    pub software: &'a Software,
}

impl<'a> Contexts<'a> {
    /// New identifiers, now.
    #[must_use]
    pub fn new(emitter: &'a str, software: &'a Software) -> Self {
        Self { bam: Uuid::new_v4(), lps: Uuid::new_v4(), at: Timestamp::now(), emitter, software }
    }

    /// `YYYY-MM-DDThh:mm:ss.sssZ`.
    fn time(&self) -> String {
        format!("{:.3}", self.at)
    }

    /// A search without carte Vitale has an empty `COUVERTURE`.
    fn write_bam(&self, w: &mut Writer) {
        w.open("ctxbam:ContexteBAM").ns("ctxbam", NS_BAM).attr("Nature", "CTXBAM").attr("Version", "01_02");
        w.leaf("ctxbam:Id", &self.bam.to_string());
        w.leaf("ctxbam:Temps", &self.time());
        w.leaf("ctxbam:Emetteur", self.emitter);
        w.open("ctxbam:COUVERTURE").close();
        w.close();
    }

    fn write_lps(&self, w: &mut Writer) {
        w.open("ctxlps:ContexteLPS").ns("ctxlps", NS_LPS).attr("Nature", "CTXLPS").attr("Version", "01_00");
        w.leaf("ctxlps:Id", &self.lps.to_string());
        w.leaf("ctxlps:Temps", &self.time());
        w.leaf("ctxlps:Emetteur", self.emitter);
        w.open("ctxlps:LPS");
        w.open("ctxlps:IDAM").attr("R", "4").text(&self.software.idam).close();
        w.leaf("ctxlps:Version", &self.software.version);
        w.leaf("ctxlps:Instance", &self.software.instance.to_string());
        w.leaf("ctxlps:Nom", &self.software.name);
        w.close().close();
    }
}

/// A request of WS_INS2 to write.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The headers.
    pub contexts: Contexts<'a>,
    /// New for each message; a fault repeats it.
    pub message_id: Uuid,
    /// The question.
    pub query: &'a Query,
}

impl Request<'_> {
    /// `uuid:<uuid>`: the form of the field, not `urn:uuid:`.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!("uuid:{}", self.message_id)
    }

    /// The envelope, SOAP 1.2.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut w = Writer::document();
        w.open("soap:Envelope").ns("soap", NS_SOAP12).ns("wsa", NS_WSA);
        w.open("soap:Header");
        self.contexts.write_bam(&mut w);
        self.contexts.write_lps(&mut w);
        w.leaf("wsa:Action", ACTION_TRAITS);
        w.leaf("wsa:MessageID", &self.message_id());
        w.close();
        w.open("soap:Body");
        self.write_query(&mut w);
        w.finish()
    }

    fn write_query(&self, w: &mut Writer) {
        let query = self.query;
        w.open("r:RECSANSVITALE").ns("r", NS_REQUEST);
        w.leaf("r:NomNaissance", query.birth_name.as_str());
        w.leaf("r:Prenom", query.given_name.as_str());
        w.leaf("r:Sexe", query.sex.letter());
        w.leaf("r:DateNaissance", &query.birth_date.to_string());
        w.leaf_opt("r:LieuNaissance", query.birth_place.as_ref().map(socle_identity::BirthPlace::as_str));
        w.close();
    }
}

/// A request of WS_INS2 as the service reads it: texts as they came, nothing believed yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// `IDAM` of ContexteLPS.
    pub idam: Option<String>,
    /// `NomNaissance`.
    pub birth_name: Option<String>,
    /// Every `Prenom`, in order: clients send several elements, or one with spaces.
    pub given_names: Vec<String>,
    /// `Sexe`.
    pub sex: Option<String>,
    /// `DateNaissance`.
    pub birth_date: Option<String>,
    /// `LieuNaissance`.
    pub birth_place: Option<String>,
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Received(…)")
    }
}

/// The most `Prenom` elements that a request may hold; the schema has no limit.
const GIVEN_NAMES_MAX: usize = 50;

/// Reads a request of WS_INS2 from its envelope. An element that is empty counts as absent.
///
/// # Errors
/// [`ReadRequestError`] says what the schemas of the WSDL do not allow.
pub fn read_request(envelope: &Envelope<'_>) -> Result<Received, ReadRequestError> {
    let header = envelope.header.ok_or(ReadRequestError::Missing("soap:Header"))?;
    let bam = header.child(Some(NS_BAM), "ContexteBAM").ok_or(ReadRequestError::Missing("ContexteBAM"))?;
    let lps = header.child(Some(NS_LPS), "ContexteLPS").ok_or(ReadRequestError::Missing("ContexteLPS"))?;
    check_context(bam, NS_BAM, "ContexteBAM")?;
    check_context(lps, NS_LPS, "ContexteLPS")?;
    if bam.child(Some(NS_BAM), "COUVERTURE").is_none() {
        return Err(ReadRequestError::Missing("ContexteBAM/COUVERTURE"));
    }
    let body = envelope.content.filter(|node| node.is(Some(NS_REQUEST), "RECSANSVITALE"));
    let mut received = read_traits(body.ok_or(ReadRequestError::Missing("RECSANSVITALE"))?)?;
    received.idam = lps.path(Some(NS_LPS), &["LPS", "IDAM"]).map(NodeExt::trimmed_text).filter(|text| !text.is_empty());
    Ok(received)
}

/// What both contexts have: `Version`, `Id` and `Temps`, the last being a dateTime.
fn check_context(node: Node<'_, '_>, namespace: &str, name: &'static str) -> Result<(), ReadRequestError> {
    if node.attribute("Version").is_none() || node.child(Some(namespace), "Id").is_none() {
        return Err(ReadRequestError::Incomplete(name));
    }
    let time = node.child(Some(namespace), "Temps").ok_or(ReadRequestError::Incomplete(name))?.trimmed_text();
    if time.parse::<Timestamp>().is_err() && time.parse::<jiff::civil::DateTime>().is_err() {
        return Err(ReadRequestError::Time(name));
    }
    Ok(())
}

/// The children of `RECSANSVITALE` are a sequence: each at its place, `Prenom` alone may repeat.
fn read_traits(node: Node<'_, '_>) -> Result<Received, ReadRequestError> {
    const SEQUENCE: [&str; 5] = ["NomNaissance", "Prenom", "Sexe", "DateNaissance", "LieuNaissance"];
    let mut received = Received {
        idam: None,
        birth_name: None,
        given_names: Vec::new(),
        sex: None,
        birth_date: None,
        birth_place: None,
    };
    let mut reached = 0;
    for child in node.child_elements() {
        let at =
            SEQUENCE.iter().position(|name| child.is(Some(NS_REQUEST), name)).ok_or(ReadRequestError::Unexpected)?;
        let repeats = at == 1 && reached == 2;
        if at < reached && !repeats {
            return Err(ReadRequestError::Order(SEQUENCE[at]));
        }
        reached = at + 1;
        let text = Some(child.trimmed_text()).filter(|text| !text.is_empty());
        match at {
            0 => received.birth_name = text,
            1 => received.given_names.extend(text),
            2 => received.sex = text,
            3 => received.birth_date = text,
            _ => received.birth_place = text,
        }
        if received.given_names.len() > GIVEN_NAMES_MAX {
            return Err(ReadRequestError::TooManyGivenNames);
        }
    }
    Ok(received)
}

/// What the schemas do not allow in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadRequestError {
    /// An element that the WSDL asks for.
    #[error("the request has no {0}")]
    Missing(&'static str),
    /// `Version`, `Id` or `Temps`.
    #[error("{0} lacks Version, Id or Temps")]
    Incomplete(&'static str),
    /// Not an `xsd:dateTime`.
    #[error("Temps of {0} is no xsd:dateTime")]
    Time(&'static str),
    /// An element of another name in `RECSANSVITALE`.
    #[error("RECSANSVITALE holds an element that its schema does not know")]
    Unexpected,
    /// An element repeated or not at its place.
    #[error("{0} is repeated, or not at its place in the sequence of RECSANSVITALE")]
    Order(&'static str),
    /// More than 50.
    #[error("RECSANSVITALE holds more than 50 Prenom")]
    TooManyGivenNames,
}
