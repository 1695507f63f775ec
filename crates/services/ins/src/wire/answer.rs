use std::fmt;

use socle_xml::NodeExt;
use socle_xml::roxmltree::Node;
use socle_xml::soap::{Envelope, NS_SOAP12};
use socle_xml::write::Writer;

use super::NS_RESULT;

/// `RESULTAT`, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Code 00: exactly one identity.
    Found(Box<Individual>),
    /// Code 01.
    NotFound,
    /// Code 02: several, of whom nothing is told.
    Several,
}

impl Answer {
    /// `CodeCR`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Found(_) => "00",
            Self::NotFound => "01",
            Self::Several => "02",
        }
    }

    /// `LibelleCR`, without accent as on the wire.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Found(_) => "OK",
            Self::NotFound => "Aucune identite trouvee",
            Self::Several => "Plusieurs identites trouvees",
        }
    }
}

/// `INDIVIDU`: texts as they came, so that an odd answer is still readable.
#[derive(Clone, PartialEq, Eq)]
pub struct Individual {
    /// `INSACTIF`.
    pub active: WrittenIns,
    /// Every `INSHISTO`.
    pub history: Vec<WrittenIns>,
    /// `TIQ`.
    pub traits: WrittenTraits,
}

impl fmt::Debug for Individual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Individual(…)")
    }
}

/// `INSACTIF` or `INSHISTO`.
#[derive(Clone, PartialEq, Eq)]
pub struct WrittenIns {
    /// `NumIdentifiant`, 13 characters.
    pub number: String,
    /// `Cle`, optional.
    pub key: Option<String>,
    /// `TypeMatricule`, optional and never seen.
    pub kind: Option<String>,
    /// `OID`.
    pub oid: String,
    /// `DateDeb`.
    pub from: Option<String>,
    /// `DateFin`.
    pub to: Option<String>,
}

impl fmt::Debug for WrittenIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrittenIns(…)")
    }
}

/// `TIQ`: every element is optional.
#[derive(Clone, PartialEq, Eq)]
pub struct WrittenTraits {
    /// `NomNaissance`.
    pub birth_name: Option<String>,
    /// `Prenom`.
    pub given_name: Option<String>,
    /// `ListePrenom`.
    pub given_names: Option<String>,
    /// `Sexe`.
    pub sex: Option<String>,
    /// `DateNaissance`, possibly lunar.
    pub birth_date: Option<String>,
    /// `LieuNaissance`.
    pub birth_place: Option<String>,
}

impl fmt::Debug for WrittenTraits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrittenTraits(…)")
    }
}

/// A history is bounded at the source (about ten changes); we stop reading long after.
const HISTORY_MAX: usize = 200;

/// Reads `RESULTAT` from its envelope.
///
/// # Errors
/// [`ReadAnswerError`]; unknown elements are skipped, and the order of children does not count.
pub fn read_answer(envelope: &Envelope<'_>) -> Result<Answer, ReadAnswerError> {
    let result = envelope.content.filter(|node| is_named(*node, "RESULTAT")).ok_or(ReadAnswerError::NoResult)?;
    let code = result.path(Some(NS_RESULT), &["CR", "CodeCR"]).ok_or(ReadAnswerError::NoCode)?.trimmed_text();
    match code.as_str() {
        "00" => {
            let individual = child(result, "INDIVIDU").ok_or(ReadAnswerError::NoIndividual)?;
            Ok(Answer::Found(Box::new(read_individual(individual)?)))
        }
        "01" => Ok(Answer::NotFound),
        "02" => Ok(Answer::Several),
        other => Err(ReadAnswerError::UnknownCode(other.chars().take(8).collect())),
    }
}

fn read_individual(node: Node<'_, '_>) -> Result<Individual, ReadAnswerError> {
    let active = read_ins(child(node, "INSACTIF").ok_or(ReadAnswerError::Missing("INSACTIF"))?)?;
    let mut history = Vec::new();
    for former in node.children_named(Some(NS_RESULT), "INSHISTO") {
        if history.len() == HISTORY_MAX {
            return Err(ReadAnswerError::HistoryTooLong);
        }
        history.push(read_ins(former)?);
    }
    let traits = child(node, "TIQ").ok_or(ReadAnswerError::Missing("TIQ"))?;
    Ok(Individual { active, history, traits: read_traits(traits) })
}

fn read_ins(node: Node<'_, '_>) -> Result<WrittenIns, ReadAnswerError> {
    let id = child(node, "IdIndividu").ok_or(ReadAnswerError::Missing("IdIndividu"))?;
    Ok(WrittenIns {
        number: text(id, "NumIdentifiant").ok_or(ReadAnswerError::Missing("NumIdentifiant"))?,
        key: text(id, "Cle"),
        kind: text(id, "TypeMatricule"),
        oid: text(node, "OID").ok_or(ReadAnswerError::Missing("OID"))?,
        from: text(node, "DateDeb"),
        to: text(node, "DateFin"),
    })
}

fn read_traits(node: Node<'_, '_>) -> WrittenTraits {
    WrittenTraits {
        birth_name: text(node, "NomNaissance"),
        given_name: text(node, "Prenom"),
        given_names: text(node, "ListePrenom"),
        sex: text(node, "Sexe"),
        birth_date: text(node, "DateNaissance"),
        birth_place: text(node, "LieuNaissance"),
    }
}

fn is_named(node: Node<'_, '_>, name: &str) -> bool {
    node.is(Some(NS_RESULT), name)
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.child(Some(NS_RESULT), name)
}

fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    child(node, name).map(NodeExt::trimmed_text).filter(|text| !text.is_empty())
}

/// Writes an answer as the test platform does: no header, the body under another prefix than the
/// envelope, `RESULTAT` in the default namespace. Readers that compare prefixes find out here.
///
/// `order` tells the order of the children of `INSHISTO`: that of the schema, or the one seen in a
/// published sample.
#[must_use]
pub fn write_answer(answer: &Answer, order: HistoryOrder) -> String {
    let mut w = Writer::document();
    w.open("soap:Envelope").ns("soap", NS_SOAP12);
    w.open("S:Body").ns("S", NS_SOAP12);
    w.open("RESULTAT").ns("", NS_RESULT);
    w.open("CR").leaf("CodeCR", answer.code()).leaf("LibelleCR", answer.label()).close();
    if let Answer::Found(individual) = answer {
        write_individual(&mut w, individual, order);
    }
    w.finish()
}

/// The order of the children of `INSHISTO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HistoryOrder {
    /// `IdIndividu`, `OID`, `DateDeb`, `DateFin`.
    #[default]
    Schema,
    /// The dates first, as in a sample of the test platform.
    DatesFirst,
}

fn write_individual(w: &mut Writer, individual: &Individual, order: HistoryOrder) {
    w.open("INDIVIDU");
    w.open("INSACTIF");
    write_ins(w, &individual.active, HistoryOrder::Schema);
    w.close();
    for former in &individual.history {
        w.open("INSHISTO");
        write_ins(w, former, order);
        w.close();
    }
    let traits = &individual.traits;
    w.open("TIQ");
    w.leaf_opt("NomNaissance", traits.birth_name.as_deref());
    w.leaf_opt("Prenom", traits.given_name.as_deref());
    w.leaf_opt("ListePrenom", traits.given_names.as_deref());
    w.leaf_opt("Sexe", traits.sex.as_deref());
    w.leaf_opt("DateNaissance", traits.birth_date.as_deref());
    w.leaf_opt("LieuNaissance", traits.birth_place.as_deref());
    w.close().close();
}

fn write_ins(w: &mut Writer, ins: &WrittenIns, order: HistoryOrder) {
    if order == HistoryOrder::DatesFirst {
        w.leaf_opt("DateDeb", ins.from.as_deref()).leaf_opt("DateFin", ins.to.as_deref());
    }
    w.open("IdIndividu");
    w.leaf("NumIdentifiant", &ins.number);
    w.leaf_opt("Cle", ins.key.as_deref());
    w.leaf_opt("TypeMatricule", ins.kind.as_deref());
    w.close();
    w.leaf("OID", &ins.oid);
    if order == HistoryOrder::Schema {
        w.leaf_opt("DateDeb", ins.from.as_deref()).leaf_opt("DateFin", ins.to.as_deref());
    }
}

/// Why a body is no answer of WS_INS2. The raw bytes are kept all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadAnswerError {
    /// The body holds something else.
    #[error("the body of INSi's answer is no RESULTAT (namespace http://www.cnamts.fr/INSiResultat)")]
    NoResult,
    /// No `CR/CodeCR`.
    #[error("INSi's answer has no CR/CodeCR")]
    NoCode,
    /// A code that no public text describes.
    #[error("INSi answered the code {0:?}; 00, 01 and 02 are known")]
    UnknownCode(String),
    /// Code 00 without `INDIVIDU`.
    #[error("INSi answered 00 without INDIVIDU")]
    NoIndividual,
    /// An element without which there is no INS.
    #[error("INSi's answer has no {0}")]
    Missing(&'static str),
    /// More than 200 former INS.
    #[error("INSi's answer holds more than 200 INSHISTO")]
    HistoryTooLong,
}
