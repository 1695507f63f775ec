//! TD0.2 on the wire: HL7 v3 PRPA_IN201307UV02 asks, PRPA_IN201308UV02 answers.
//!
//! The interactions are HL7's; the code systems around them are the DMP's, and come from [`Kit`]. Order:
//! the question, the answer, errors.

use jiff::Timestamp;
use socle_cda::UtcTime;
use socle_identity::{Ins, InsAuthority};
use socle_xml::NodeExt;
use socle_xml::roxmltree::Node;
use socle_xml::write::Writer;
use uuid::Uuid;

use super::Kit;
use super::vihf::NS_HL7;
use crate::model::{Authorisation, Existence};

const NS: Option<&str> = Some(NS_HL7);
const NS_XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const INTERACTIONS: &str = "2.16.840.1.113883.1.6";
const ASKS: &str = "PRPA_IN201307UV02";
const ANSWERS: &str = "PRPA_IN201308UV02";
const REASON: &str = "TEST_EXST";
const AUTHORISATION: &str = "AUTORISATION";

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The message's identifier, an OID.
    pub id: String,
    /// Of whom.
    pub patient: Ins,
}

impl Question {
    /// A question about this patient, with an identifier of its own.
    #[must_use]
    pub fn about(patient: &Ins) -> Self {
        Self { id: format!("2.25.{}", Uuid::new_v4().as_u128()), patient: patient.clone() }
    }
}

/// The `PRPA_IN201307UV02` element. `real` tells production from tests.
#[must_use]
pub fn write(question: &Question, software: &str, real: bool, kit: &Kit) -> String {
    let mut w = Writer::fragment();
    open(&mut w, ASKS, &question.id, real, "AL");
    device(&mut w, ("receiver", "RCV"), &kit.dmp_device, "DMP");
    device(&mut w, ("sender", "SND"), &question.id, software);
    w.open("attentionLine").attr("xsi:nil", "true").close();
    w.open("controlActProcess").attr("classCode", "CACT").attr("moodCode", "EVN");
    w.open("reasonCode").attr("code", REASON).attr("codeSystem", &kit.reason_system).close();
    by_parameter(&mut w, question);
    w.finish()
}

fn open(w: &mut Writer, interaction: &'static str, id: &str, real: bool, acknowledge: &str) {
    w.open(interaction).ns("", NS_HL7).ns("xsi", NS_XSI).attr("ITSVersion", "XML_1.0");
    w.open("id").attr("root", id).attr("extension", "1").close();
    w.open("creationTime").attr("value", UtcTime::from(Timestamp::now()).as_str()).close();
    w.open("interactionId").attr("root", INTERACTIONS).attr("extension", interaction).close();
    w.open("processingCode").attr("code", if real { "P" } else { "D" }).close();
    w.open("processingModeCode").attr("code", "T").close();
    w.open("acceptAckCode").attr("code", acknowledge).close();
}

fn device(w: &mut Writer, (element, kind): (&'static str, &str), root: &str, software: &str) {
    w.open(element).attr("typeCode", kind);
    w.open("device").attr("classCode", "DEV").attr("determinerCode", "INSTANCE");
    w.open("id").attr("root", root).close().leaf("softwareName", software).close().close();
}

fn by_parameter(w: &mut Writer, question: &Question) {
    w.open("queryByParameter");
    w.open("queryId").attr("root", &question.id).attr("extension", "1").close();
    w.open("statusCode").attr("code", "new").close().open("parameterList");
    w.open("dataSource").attr("xsi:nil", "true").close().open("patientIdentifier");
    let Ins { matricule, authority } = &question.patient;
    w.open("value").attr("root", authority.oid()).attr("extension", matricule.as_str()).close();
    w.leaf("semanticsText", "Patient.id").close().close().close();
}

/// Reads a `PRPA_IN201307UV02`.
///
/// # Errors
/// [`ExistenceError`].
pub fn read(node: Node<'_, '_>) -> Result<Question, ExistenceError> {
    if !node.is(NS, ASKS) {
        return Err(ExistenceError::Missing(ASKS));
    }
    let id = attribute(node, &["id"], "root")?;
    let act = child(node, "controlActProcess")?;
    if attribute(act, &["reasonCode"], "code")? != REASON {
        return Err(ExistenceError::Reason);
    }
    let path = ["queryByParameter", "parameterList", "patientIdentifier", "value"];
    let patient = patient(attribute(act, &path, "root")?, attribute(act, &path, "extension")?)?;
    Ok(Question { id: id.to_owned(), patient })
}

fn patient(root: &str, extension: &str) -> Result<Ins, ExistenceError> {
    let authority: InsAuthority = root.parse().map_err(|_| ExistenceError::Patient)?;
    Ok(Ins { matricule: extension.parse().map_err(|_| ExistenceError::Patient)?, authority })
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Result<Node<'a, 'i>, ExistenceError> {
    node.child(NS, name).ok_or(ExistenceError::Missing(name))
}

fn attribute<'a>(node: Node<'a, '_>, path: &[&'static str], name: &'static str) -> Result<&'a str, ExistenceError> {
    let last = path.last().copied().unwrap_or(name);
    node.path(NS, path).and_then(|found| found.attribute(name)).ok_or(ExistenceError::Missing(last))
}

/// The `PRPA_IN201308UV02` element. Names are not given: `NON RENSEIGNE` means absent.
#[must_use]
pub fn write_answer(question: &Question, existence: Existence, kit: &Kit) -> String {
    let mut w = Writer::fragment();
    open(&mut w, ANSWERS, &format!("2.25.{}", Uuid::new_v4().as_u128()), false, "NE");
    device(&mut w, ("receiver", "RCV"), &question.id, "LPS");
    device(&mut w, ("sender", "SND"), &kit.dmp_device, "DMP");
    if let Existence::Open(authorisation) = existence {
        w.open("attentionLine");
        w.open("keyWordText").attr("code", AUTHORISATION).attr("codeSystem", &kit.keyword_system).close();
        w.open("value").attr("xsi:type", "CV").attr("code", authorisation.code());
        w.attr("codeSystem", &kit.authorisation_system).close().close();
    }
    w.open("acknowledgement").attr("typeCode", "AA");
    w.open("targetMessage").open("id").attr("root", &question.id).attr("extension", "1").close().close().close();
    w.open("controlActProcess").attr("classCode", "CACT").attr("moodCode", "EVN");
    if existence != Existence::None {
        subject(&mut w, question, existence);
    }
    w.open("queryAck").open("queryId").attr("root", &question.id).attr("extension", "1").close();
    let code = if existence == Existence::None { "NF" } else { "OK" };
    w.open("queryResponseCode").attr("code", code).close().close();
    by_parameter(&mut w, question);
    w.finish()
}

fn subject(w: &mut Writer, question: &Question, existence: Existence) {
    let status = if existence == Existence::Closed { "terminated" } else { "active" };
    w.open("subject").attr("typeCode", "SUBJ");
    w.open("registrationEvent").attr("classCode", "REG").attr("moodCode", "EVN");
    w.open("subject1").attr("typeCode", "SBJ").open("patient").attr("classCode", "PAT");
    let Ins { matricule, authority } = &question.patient;
    w.open("id").attr("root", authority.oid()).attr("extension", matricule.as_str()).close();
    w.open("statusCode").attr("code", status).close();
    w.open("patientPerson").attr("classCode", "PSN").attr("determinerCode", "INSTANCE");
    w.open("name").leaf("family", "NON RENSEIGNE").leaf("given", "NON RENSEIGNE").close();
    w.close().close().close().close().close();
}

/// Reads a `PRPA_IN201308UV02`.
///
/// # Errors
/// [`ExistenceError`]; an open DMP whose authorisation is not told is an error, as it decides on reading.
pub fn read_answer(node: Node<'_, '_>) -> Result<Existence, ExistenceError> {
    if !node.is(NS, ANSWERS) {
        return Err(ExistenceError::Missing(ANSWERS));
    }
    if attribute(node, &["acknowledgement"], "typeCode")? != "AA" {
        return Err(ExistenceError::Refused);
    }
    let act = child(node, "controlActProcess")?;
    match attribute(act, &["queryAck", "queryResponseCode"], "code")? {
        "NF" => return Ok(Existence::None),
        "OK" => {}
        _ => return Err(ExistenceError::Response),
    }
    let status = attribute(act, &["subject", "registrationEvent", "subject1", "patient", "statusCode"], "code")?;
    if status == "terminated" {
        return Ok(Existence::Closed);
    }
    let is_authorisation = |line: &Node<'_, '_>| {
        let keyword = line.child(NS, "keyWordText");
        keyword.is_some_and(|k| k.attribute("code") == Some(AUTHORISATION) || k.trimmed_text() == AUTHORISATION)
    };
    let line = node.children_named(NS, "attentionLine").find(is_authorisation);
    let line = line.ok_or(ExistenceError::Missing("attentionLine"))?;
    let code = attribute(line, &["value"], "code")?;
    Authorisation::from_wire(code).map(Existence::Open).ok_or(ExistenceError::Authorisation)
}

/// Why a message of TD0.2 is not one. Never repeats a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExistenceError {
    /// An element that must be there.
    #[error("{0} is missing (HL7 v3, TD0.2)")]
    Missing(&'static str),
    /// Another reason than TEST_EXST.
    #[error("the reasonCode is not TEST_EXST")]
    Reason,
    /// No INS.
    #[error("the patientIdentifier is not an INS with a right key")]
    Patient,
    /// `AE`: the DMP could not answer.
    #[error("the acknowledgement is not AA: the DMP could not answer")]
    Refused,
    /// Neither OK nor NF.
    #[error("the queryResponseCode is neither OK nor NF")]
    Response,
    /// None of the four.
    #[error("AUTORISATION is none of VALIDE, EXPIRE, INTERDIT, NON_EXISTE")]
    Authorisation,
}

#[cfg(test)]
mod tests {
    use socle_xml::{Limits, parse};

    use super::*;

    fn question() -> Question {
        Question::about(&super::super::ins_from_cx("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH").unwrap())
    }

    fn all() -> [Existence; 6] {
        let open = [Authorisation::Valid, Authorisation::Expired, Authorisation::Forbidden, Authorisation::Missing];
        let [a, b, c, d] = open.map(Existence::Open);
        [Existence::None, Existence::Closed, a, b, c, d]
    }

    fn read_answer_text(xml: &str) -> Result<Existence, ExistenceError> {
        let document = parse(xml, &Limits::ENVELOPE).unwrap();
        read_answer(document.root_element())
    }

    #[test]
    fn questions_and_answers_there_and_back() {
        let question = question();
        let xml = write(&question, "Socle & fils", false, &Kit::built_in());
        let document = parse(&xml, &Limits::ENVELOPE).unwrap();
        assert_eq!(read(document.root_element()), Ok(question.clone()));
        for existence in all() {
            let xml = write_answer(&question, existence, &Kit::built_in());
            assert_eq!(read_answer_text(&xml), Ok(existence), "{xml}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let open = write_answer(&question(), Existence::Open(Authorisation::Valid), &Kit::built_in());
        let cases = [
            ("another response code", "\"OK\"", "\"QE\"", ExistenceError::Response),
            ("an error", "\"AA\"", "\"AE\"", ExistenceError::Refused),
            ("an unknown authorisation", "VALIDE", "PEUT_ETRE", ExistenceError::Authorisation),
            ("no authorisation", AUTHORISATION, "STATUT_MT", ExistenceError::Missing("attentionLine")),
            ("no status", "statusCode code=\"active\"", "other", ExistenceError::Missing("statusCode")),
            ("another message", ANSWERS, "PRPA_IN201306UV02", ExistenceError::Missing(ANSWERS)),
        ];
        for (case, from, to, expected) in cases {
            let spoiled = open.replace(from, to);
            assert_ne!(spoiled, open, "{case}: nothing was spoiled");
            assert_eq!(read_answer_text(&spoiled), Err(expected), "{case}");
        }
        let asked = write(&question(), "Socle", true, &Kit::built_in());
        let cases = [
            ("another reason", REASON, "FERM", ExistenceError::Reason),
            ("a wrong key", "279035121518989", "279035121518988", ExistenceError::Patient),
            ("no INS", "1.2.250.1.213.1.4.10", "1.2.3", ExistenceError::Patient),
        ];
        for (case, from, to, expected) in cases {
            let xml = asked.replace(from, to);
            let document = parse(&xml, &Limits::ENVELOPE).unwrap();
            assert_eq!(read(document.root_element()), Err(expected), "{case}");
        }
    }
}
