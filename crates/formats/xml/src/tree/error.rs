//! Why a text is not accepted as XML: where, by which rule, how to mend it.

use std::fmt;

use socle_finding::{Finding, Location, Rule, Severity, Text};

/// A refusal of the input, with its place. Never repeats the content: it may be a person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlError {
    /// What is wrong.
    pub kind: XmlErrorKind,
    /// Line, from 1; 1 when the whole input is meant.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// What can be wrong with an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XmlErrorKind {
    /// Not well-formed: the reason, in English, without content.
    NotWellFormed(&'static str),
    /// Holds a document type declaration.
    Doctype,
    /// Declares a version other than 1.0.
    Version,
    /// An encoding that we do not read.
    UnknownEncoding,
    /// The declared encoding and the bytes disagree.
    EncodingMismatch,
    /// More bytes than [`Limits::bytes`](crate::Limits::bytes).
    TooBig {
        /// The limit.
        limit: usize,
    },
    /// Deeper than [`Limits::depth`](crate::Limits::depth).
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// More nodes than [`Limits::nodes`](crate::Limits::nodes).
    TooManyNodes {
        /// The limit.
        limit: u32,
    },
    /// More attributes on one element than [`Limits::attributes`](crate::Limits::attributes).
    TooManyAttributes {
        /// The limit.
        limit: usize,
    },
    /// More namespaces in scope than any document needs.
    TooManyNamespaces {
        /// The limit.
        limit: usize,
    },
    /// A name longer than [`Limits::name`](crate::Limits::name).
    NameTooLong {
        /// The limit.
        limit: usize,
    },
}

impl XmlError {
    pub(crate) fn new(kind: XmlErrorKind, (line, column): (u32, u32)) -> Self {
        Self { kind, line, column }
    }

    pub(crate) fn whole(kind: XmlErrorKind) -> Self {
        Self::new(kind, (1, 1))
    }

    /// What happened, in French and English.
    #[must_use]
    pub fn text(&self) -> Text {
        let (fr, en) = match self.kind {
            XmlErrorKind::NotWellFormed(_) => ("le XML n'est pas bien formé", "the XML is not well-formed"),
            XmlErrorKind::Doctype => (
                "le document contient une déclaration DOCTYPE, toujours refusée",
                "the document holds a DOCTYPE declaration, always refused",
            ),
            XmlErrorKind::Version => ("seul XML 1.0 est accepté", "only XML 1.0 is accepted"),
            XmlErrorKind::UnknownEncoding => ("l'encodage n'est pas pris en charge", "the encoding is not supported"),
            XmlErrorKind::EncodingMismatch => {
                ("l'encodage déclaré contredit les octets", "the declared encoding contradicts the bytes")
            }
            XmlErrorKind::TooBig { .. } => ("le document est trop gros", "the document is too big"),
            XmlErrorKind::TooDeep { .. } => ("les éléments sont trop imbriqués", "elements are nested too deep"),
            XmlErrorKind::TooManyNodes { .. } => ("le document a trop de nœuds", "the document has too many nodes"),
            XmlErrorKind::TooManyAttributes { .. } => {
                ("un élément a trop d'attributs", "an element has too many attributes")
            }
            XmlErrorKind::TooManyNamespaces { .. } => {
                ("un élément a trop d'espaces de noms", "an element has too many namespaces")
            }
            XmlErrorKind::NameTooLong { .. } => ("un nom est trop long", "a name is too long"),
        };
        Text::fixed(fr, en)
    }

    /// The rule that refuses.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self.kind {
            XmlErrorKind::NotWellFormed(_) => Rule::fixed("XML 1.0", "§2.1"),
            XmlErrorKind::Doctype => Rule::fixed("SOAP 1.2 Part 1", "§5 (no DTD), applied to all XML"),
            XmlErrorKind::Version => Rule::fixed("XML 1.0", "§2.8"),
            XmlErrorKind::UnknownEncoding | XmlErrorKind::EncodingMismatch => Rule::fixed("XML 1.0", "§4.3.3"),
            XmlErrorKind::TooBig { .. }
            | XmlErrorKind::TooDeep { .. }
            | XmlErrorKind::TooManyNodes { .. }
            | XmlErrorKind::TooManyAttributes { .. }
            | XmlErrorKind::TooManyNamespaces { .. }
            | XmlErrorKind::NameTooLong { .. } => Rule::fixed("Socle", "limits on XML input"),
        }
    }

    /// How to mend it, in French and English.
    #[must_use]
    pub fn mend(&self) -> Text {
        let (fr, en) = match self.kind {
            XmlErrorKind::NotWellFormed(_) => (
                "corrigez le document à cette ligne, ou faites-le régénérer par son producteur",
                "mend the document at this line, or have its producer generate it again",
            ),
            XmlErrorKind::Doctype => (
                "retirez la déclaration <!DOCTYPE …> et remplacez les entités par leurs valeurs",
                "remove the <!DOCTYPE …> declaration and replace entities by their values",
            ),
            XmlErrorKind::Version => ("déclarez <?xml version=\"1.0\"?>", "declare <?xml version=\"1.0\"?>"),
            XmlErrorKind::UnknownEncoding => (
                "enregistrez le document en UTF-8 et déclarez-le ainsi",
                "save the document as UTF-8 and declare it so",
            ),
            XmlErrorKind::EncodingMismatch => (
                "corrigez la déclaration d'encodage ou réenregistrez le document en UTF-8",
                "correct the encoding declaration or save the document as UTF-8",
            ),
            XmlErrorKind::TooBig { .. } => (
                "allégez le document (images, PDF embarqués) ou relevez la limite configurée",
                "make the document lighter (images, embedded PDF) or raise the configured limit",
            ),
            XmlErrorKind::TooDeep { .. }
            | XmlErrorKind::TooManyNodes { .. }
            | XmlErrorKind::TooManyAttributes { .. }
            | XmlErrorKind::TooManyNamespaces { .. }
            | XmlErrorKind::NameTooLong { .. } => (
                "un document de santé n'a pas cette forme : vérifiez son producteur",
                "no health document has this shape: check its producer",
            ),
        };
        Text::fixed(fr, en)
    }

    /// The refusal as a finding, for reports.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding {
            severity: Severity::Error,
            rule: self.rule(),
            at: Location { path: String::new(), line: Some(self.line), column: Some(self.column) },
            message: self.text(),
            mend: self.mend(),
        }
    }
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.text().en)?;
        match self.kind {
            XmlErrorKind::NotWellFormed(reason) => write!(f, " ({reason})"),
            XmlErrorKind::TooBig { limit } => write!(f, " (more than {limit} bytes)"),
            XmlErrorKind::TooDeep { limit } => write!(f, " (more than {limit} levels)"),
            XmlErrorKind::TooManyNodes { limit } => write!(f, " (more than {limit})"),
            XmlErrorKind::TooManyAttributes { limit } => write!(f, " (more than {limit})"),
            XmlErrorKind::TooManyNamespaces { limit } => write!(f, " (more than {limit})"),
            XmlErrorKind::NameTooLong { limit } => write!(f, " (more than {limit} bytes)"),
            XmlErrorKind::Doctype
            | XmlErrorKind::Version
            | XmlErrorKind::UnknownEncoding
            | XmlErrorKind::EncodingMismatch => Ok(()),
        }?;
        write!(f, " [{}]", self.rule())
    }
}

impl std::error::Error for XmlError {}
