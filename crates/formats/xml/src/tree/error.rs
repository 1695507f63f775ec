//! Why a text is not accepted as XML: where, by which rule, how to mend it.

use std::fmt;

/// A sentence for people, in the two languages of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// French.
    pub fr: &'static str,
    /// English.
    pub en: &'static str,
}

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
        match self.kind {
            XmlErrorKind::NotWellFormed(_) => {
                Text { fr: "le XML n'est pas bien formé", en: "the XML is not well-formed" }
            }
            XmlErrorKind::Doctype => Text {
                fr: "le document contient une déclaration DOCTYPE, toujours refusée",
                en: "the document holds a DOCTYPE declaration, always refused",
            },
            XmlErrorKind::Version => Text { fr: "seul XML 1.0 est accepté", en: "only XML 1.0 is accepted" },
            XmlErrorKind::UnknownEncoding => Text {
                fr: "l'encodage déclaré n'est pas pris en charge",
                en: "the declared encoding is not supported",
            },
            XmlErrorKind::EncodingMismatch => Text {
                fr: "l'encodage déclaré contredit les octets",
                en: "the declared encoding contradicts the bytes",
            },
            XmlErrorKind::TooBig { .. } => Text { fr: "le document est trop gros", en: "the document is too big" },
            XmlErrorKind::TooDeep { .. } => {
                Text { fr: "les éléments sont trop imbriqués", en: "elements are nested too deep" }
            }
            XmlErrorKind::TooManyNodes { .. } => {
                Text { fr: "le document a trop de nœuds", en: "the document has too many nodes" }
            }
            XmlErrorKind::TooManyAttributes { .. } => {
                Text { fr: "un élément a trop d'attributs", en: "an element has too many attributes" }
            }
            XmlErrorKind::NameTooLong { .. } => Text { fr: "un nom est trop long", en: "a name is too long" },
        }
    }

    /// The rule that refuses.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self.kind {
            XmlErrorKind::NotWellFormed(_) => "XML 1.0 §2.1, Namespaces in XML 1.0",
            XmlErrorKind::Doctype => "SOAP 1.2 Part 1 §5; Socle: no DTD, no entity",
            XmlErrorKind::Version => "XML 1.0 §2.8",
            XmlErrorKind::UnknownEncoding | XmlErrorKind::EncodingMismatch => "XML 1.0 §4.3.3",
            XmlErrorKind::TooBig { .. }
            | XmlErrorKind::TooDeep { .. }
            | XmlErrorKind::TooManyNodes { .. }
            | XmlErrorKind::TooManyAttributes { .. }
            | XmlErrorKind::NameTooLong { .. } => "Socle: limits on XML input",
        }
    }

    /// How to mend it, in French and English.
    #[must_use]
    pub fn mend(&self) -> Text {
        match self.kind {
            XmlErrorKind::NotWellFormed(_) => Text {
                fr: "corrigez le document à cette ligne, ou faites-le régénérer par son producteur",
                en: "mend the document at this line, or have its producer generate it again",
            },
            XmlErrorKind::Doctype => Text {
                fr: "retirez la déclaration <!DOCTYPE …> et remplacez les entités par leurs valeurs",
                en: "remove the <!DOCTYPE …> declaration and replace entities by their values",
            },
            XmlErrorKind::Version => {
                Text { fr: "déclarez <?xml version=\"1.0\"?>", en: "declare <?xml version=\"1.0\"?>" }
            }
            XmlErrorKind::UnknownEncoding => Text {
                fr: "enregistrez le document en UTF-8 et déclarez-le ainsi",
                en: "save the document as UTF-8 and declare it so",
            },
            XmlErrorKind::EncodingMismatch => Text {
                fr: "corrigez la déclaration d'encodage ou réenregistrez le document en UTF-8",
                en: "correct the encoding declaration or save the document as UTF-8",
            },
            XmlErrorKind::TooBig { .. } => Text {
                fr: "allégez le document (images, PDF embarqués) ou relevez la limite configurée",
                en: "make the document lighter (images, embedded PDF) or raise the configured limit",
            },
            XmlErrorKind::TooDeep { .. }
            | XmlErrorKind::TooManyNodes { .. }
            | XmlErrorKind::TooManyAttributes { .. }
            | XmlErrorKind::NameTooLong { .. } => Text {
                fr: "un document de santé n'a pas cette forme : vérifiez son producteur",
                en: "no health document has this shape: check its producer",
            },
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
