//! Why bytes are not the JSON that we take.

use socle_finding::{Lang, Rule, Text};

use super::Position;
use crate::outcome::{Issue, IssueType};

/// The first thing that is wrong with the bytes: what, where, how to mend it. Nothing was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}, line {}, column {}, at {path}; {}", .kind.message().en, .position.line, .position.column, .kind.mend().en)]
pub struct JsonError {
    /// What.
    pub kind: JsonErrorKind,
    /// Where in the bytes.
    pub position: Position,
    /// Where in the document, as far as it was read: `Bundle.entry[0].resource`.
    pub path: String,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// More bytes than allowed.
    TooBig {
        /// The limit, in bytes.
        limit: usize,
    },
    /// More values than allowed.
    TooManyValues {
        /// The limit.
        limit: usize,
    },
    /// Objects and arrays too deep.
    TooDeep {
        /// The limit, in levels.
        limit: usize,
    },
    /// Not UTF-8.
    NotUtf8,
    /// UTF-16 or UTF-32, seen by its byte order mark or its zero bytes.
    Utf16,
    /// Nothing but white space.
    Empty,
    /// The bytes end inside a value.
    Truncated,
    /// Something after the document.
    TrailingData,
    /// A value was expected.
    ExpectedValue,
    /// A member name in double quotes was expected.
    ExpectedName,
    /// `:` was expected.
    ExpectedColon,
    /// `,` or the closing bracket was expected.
    ExpectedCommaOrEnd,
    /// A comma before a closing bracket.
    TrailingComma,
    /// The same name twice in an object.
    DuplicateName,
    /// Not a number of RFC 8259.
    Number,
    /// A control character inside a string.
    ControlCharacter,
    /// A backslash followed by something else than `"\/bfnrtu`.
    Escape,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// `//` or `/*`.
    Comment,
}

impl JsonErrorKind {
    /// What is wrong.
    #[must_use]
    pub fn message(self) -> Text {
        match self {
            Self::TooBig { limit } => Text::new(
                format!("le document dépasse {limit} octets"),
                format!("the document is longer than {limit} bytes"),
            ),
            Self::TooManyValues { limit } => Text::new(
                format!("le document contient plus de {limit} valeurs"),
                format!("the document holds more than {limit} values"),
            ),
            Self::TooDeep { limit } => Text::new(
                format!("plus de {limit} objets ou tableaux sont imbriqués"),
                format!("objects and arrays are more than {limit} deep"),
            ),
            Self::NotUtf8 => Text::fixed("le document n'est pas en UTF-8", "the document is not UTF-8"),
            Self::Utf16 => Text::fixed(
                "le document est en UTF-16 ou UTF-32, pas en UTF-8",
                "the document is in UTF-16 or UTF-32, not in UTF-8",
            ),
            Self::Empty => Text::fixed("le document est vide", "the document is empty"),
            Self::Truncated => {
                Text::fixed("le document s'arrête au milieu d'une valeur", "the document ends in the middle of a value")
            }
            Self::TrailingData => {
                Text::fixed("il reste du texte après la fin du document", "there is text after the end of the document")
            }
            Self::ExpectedValue => Text::fixed("une valeur est attendue ici", "a value is expected here"),
            Self::ExpectedName => {
                Text::fixed("un nom entre guillemets est attendu ici", "a name in double quotes is expected here")
            }
            Self::ExpectedColon => Text::fixed("deux-points attendus ici", "a colon is expected here"),
            Self::ExpectedCommaOrEnd => Text::fixed(
                "une virgule ou la fin de l'objet ou du tableau est attendue ici",
                "a comma or the end of the object or array is expected here",
            ),
            Self::TrailingComma => {
                Text::fixed("une virgule précède la parenthèse fermante", "a comma stands before the closing bracket")
            }
            Self::DuplicateName => {
                Text::fixed("ce nom figure deux fois dans l'objet", "this name is twice in the object")
            }
            Self::Number => Text::fixed("ce n'est pas un nombre JSON", "this is not a JSON number"),
            Self::ControlCharacter => {
                Text::fixed("caractère de contrôle dans une chaîne", "control character inside a string")
            }
            Self::Escape => Text::fixed("échappement inconnu dans une chaîne", "unknown escape in a string"),
            Self::LoneSurrogate => Text::fixed(
                "moitié isolée d'une paire de substitution Unicode",
                "lone half of a Unicode surrogate pair",
            ),
            Self::Comment => Text::fixed("JSON n'a pas de commentaires", "JSON has no comments"),
        }
    }

    /// How to mend it.
    #[must_use]
    pub const fn mend(self) -> Text {
        match self {
            Self::TooBig { .. } | Self::TooManyValues { .. } => {
                Text::fixed("découpez l'envoi en plusieurs documents", "split it into several documents")
            }
            Self::TooDeep { .. } => Text::fixed(
                "aucune ressource FHIR n'est aussi profonde : vérifiez ce qui l'a produite",
                "no FHIR resource is that deep: check what made it",
            ),
            Self::NotUtf8 | Self::Utf16 => {
                Text::fixed("enregistrez ou envoyez le document en UTF-8", "save or send the document in UTF-8")
            }
            Self::Empty => Text::fixed("envoyez une ressource FHIR", "send a FHIR resource"),
            Self::Truncated => Text::fixed(
                "vérifiez que l'envoi est complet (Content-Length, fichier)",
                "check that all of it was sent (Content-Length, file)",
            ),
            Self::TrailingData => Text::fixed("envoyez un seul document JSON", "send one JSON document only"),
            Self::ExpectedValue | Self::ExpectedName | Self::ExpectedColon | Self::ExpectedCommaOrEnd => {
                Text::fixed("corrigez la syntaxe JSON à cet endroit", "mend the JSON syntax there")
            }
            Self::TrailingComma => Text::fixed("retirez la virgule", "remove the comma"),
            Self::DuplicateName => Text::fixed("gardez une seule des deux valeurs", "keep one of the two values only"),
            Self::Number => Text::fixed(
                "écrivez le nombre sans zéro initial, signe + ni NaN",
                "write the number without leading zero, plus sign or NaN",
            ),
            Self::ControlCharacter => Text::fixed("écrivez-le \\n, \\t ou \\u00XX", "write it as \\n, \\t or \\u00XX"),
            Self::Escape => Text::fixed(
                "doublez la barre oblique inverse, ou écrivez \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX",
                "double the backslash, or write \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX",
            ),
            Self::LoneSurrogate => Text::fixed(
                "écrivez les deux moitiés de la paire, ou le caractère lui-même",
                "write both halves of the pair, or the character itself",
            ),
            Self::Comment => Text::fixed("retirez le commentaire", "remove the comment"),
        }
    }

    /// What forbids it.
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            Self::TooBig { .. } | Self::TooManyValues { .. } | Self::TooDeep { .. } => Rule::fixed("Socle", "limits"),
            Self::NotUtf8 | Self::Utf16 => Rule::fixed("RFC 8259", "8.1"),
            Self::DuplicateName => Rule::fixed("RFC 7493 (I-JSON)", "2.3"),
            Self::LoneSurrogate => Rule::fixed("RFC 7493 (I-JSON)", "2.1"),
            Self::Comment => Rule::fixed("FHIR R4", "2.6.2"),
            Self::Number => Rule::fixed("RFC 8259", "6"),
            Self::ControlCharacter | Self::Escape => Rule::fixed("RFC 8259", "7"),
            _ => Rule::fixed("RFC 8259", "2"),
        }
    }

    const fn issue_type(self) -> IssueType {
        match self {
            Self::TooBig { .. } => IssueType::TooLong,
            Self::TooManyValues { .. } | Self::TooDeep { .. } => IssueType::TooCostly,
            _ => IssueType::Structure,
        }
    }
}

impl JsonError {
    /// The sentence for a person: what, where, how to mend it.
    #[must_use]
    pub fn shown(&self, lang: Lang) -> String {
        let (what, mend, at) = (self.kind.message(), self.kind.mend(), self.position);
        match lang {
            Lang::Fr => format!("{}, ligne {}, colonne {} ({}) ; {}", what.fr, at.line, at.column, self.path, mend.fr),
            Lang::En => format!("{}, line {}, column {} ({}); {}", what.en, at.line, at.column, self.path, mend.en),
        }
    }

    /// The same, as an issue of an OperationOutcome.
    #[must_use]
    pub fn issue(&self) -> Issue {
        let (kind, rule) = (self.kind.issue_type(), self.kind.rule());
        Issue::error(kind, rule, self.kind.message(), self.kind.mend()).placed(self.path.clone(), self.position)
    }
}
