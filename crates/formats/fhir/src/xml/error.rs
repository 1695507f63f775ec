//! Why bytes are not the XML that we take, and why a document cannot be written as XML.

use socle_finding::{Lang, Rule, Text};
use socle_xml::{XmlError, XmlErrorKind};

use crate::outcome::{Issue, IssueType};
use crate::tape::{Node, Position};

/// The first thing that is wrong with the bytes: what, where, how to mend it. Nothing was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}, line {}, column {}; {}", .kind.message().en, .position.line, .position.column, .kind.mend().en)]
pub struct ReadError {
    /// What.
    pub kind: ReadErrorKind,
    /// Where in the bytes.
    pub position: Position,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// It is no XML that we read.
    Xml(XmlErrorKind),
    /// The root is outside the namespace of FHIR.
    NotFhir,
    /// More values than allowed.
    TooManyValues {
        /// The limit.
        limit: usize,
    },
}

impl ReadErrorKind {
    /// What is wrong.
    #[must_use]
    pub fn message(self) -> Text {
        match self {
            Self::Xml(kind) => plain(kind).text(),
            Self::NotFhir => Text::fixed(
                "l'élément racine n'est pas dans l'espace de noms http://hl7.org/fhir",
                "the root element is not in the namespace http://hl7.org/fhir",
            ),
            Self::TooManyValues { limit } => Text::new(
                format!("le document contient plus de {limit} valeurs"),
                format!("the document holds more than {limit} values"),
            ),
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn mend(self) -> Text {
        match self {
            Self::Xml(kind) => plain(kind).mend(),
            Self::NotFhir => Text::fixed(
                "écrivez <Patient xmlns=\"http://hl7.org/fhir\"> (ou le type de la ressource)",
                "write <Patient xmlns=\"http://hl7.org/fhir\"> (or the type of the resource)",
            ),
            Self::TooManyValues { .. } => {
                Text::fixed("découpez l'envoi en plusieurs documents", "split it into several documents")
            }
        }
    }

    /// What forbids it.
    #[must_use]
    pub fn rule(self) -> Rule {
        match self {
            Self::Xml(kind) => plain(kind).rule(),
            Self::NotFhir => Rule::fixed("FHIR R4", "2.6.1"),
            Self::TooManyValues { .. } => Rule::fixed("Socle", "limits"),
        }
    }

    const fn issue_type(self) -> IssueType {
        match self {
            Self::Xml(XmlErrorKind::TooBig { .. }) => IssueType::TooLong,
            Self::Xml(XmlErrorKind::TooDeep { .. } | XmlErrorKind::TooManyNodes { .. })
            | Self::TooManyValues { .. } => IssueType::TooCostly,
            Self::Xml(_) | Self::NotFhir => IssueType::Structure,
        }
    }
}

fn plain(kind: XmlErrorKind) -> XmlError {
    XmlError { kind, line: 1, column: 1 }
}

impl ReadError {
    pub(super) fn at(kind: ReadErrorKind, bytes: &[u8], offset: usize) -> Self {
        Self { kind, position: Position::of(bytes, offset) }
    }

    pub(super) fn xml(bytes: &[u8], error: &XmlError) -> Self {
        let (line, column) = (error.line as usize, error.column as usize);
        Self { kind: ReadErrorKind::Xml(error.kind), position: Position::at(bytes, line, column) }
    }

    /// The sentence for a person: what, where, how to mend it.
    #[must_use]
    pub fn shown(&self, lang: Lang) -> String {
        let (what, mend, at) = (self.kind.message(), self.kind.mend(), self.position);
        match lang {
            Lang::Fr => format!("{}, ligne {}, colonne {} ; {}", what.fr, at.line, at.column, mend.fr),
            Lang::En => format!("{}, line {}, column {}; {}", what.en, at.line, at.column, mend.en),
        }
    }

    /// The same, as an issue of an OperationOutcome.
    #[must_use]
    pub fn issue(&self) -> Issue {
        let kind = self.kind;
        Issue::error(kind.issue_type(), kind.rule(), kind.message(), kind.mend()).placed(String::new(), self.position)
    }
}

/// Why a document cannot be written as XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at {path}")]
pub struct WriteError {
    /// What.
    pub kind: WriteErrorKind,
    /// Where in the document.
    pub path: String,
}

/// What XML cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteErrorKind {
    /// There is no resource of that type in R4, or no type at all.
    #[error("this is no resource of FHIR R4")]
    NotAResource,
    /// R4 has no such element: nobody knows where it would stand.
    #[error("R4 has no such element here")]
    UnknownElement,
    /// An object where a value belongs, or the other way round.
    #[error("this is not what the element holds")]
    Shape,
    /// A narrative that is no XHTML `div`.
    #[error("this narrative is no well-formed XHTML div")]
    Narrative,
    /// A character that XML 1.0 cannot carry (XML 1.0 §2.2).
    #[error("a character that XML cannot carry")]
    Character,
}

impl WriteError {
    pub(super) fn at(kind: WriteErrorKind, node: Node<'_>) -> Self {
        Self { kind, path: node.path() }
    }
}
