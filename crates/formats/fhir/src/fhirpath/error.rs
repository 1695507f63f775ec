//! What is wrong with an expression, or with its evaluation, and where in its text.

use std::fmt;

use socle_finding::{Lang, Text};

/// An expression that cannot be compiled, or an evaluation that cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} (character {})", .kind.message().en, .at + 1)]
pub struct FhirPathError {
    /// What.
    pub kind: ErrorKind,
    /// The character of the expression where it is, counted from 0.
    pub at: u32,
}

/// When an error shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The text is no FHIRPath.
    Syntax,
    /// The text is FHIRPath, but not about this type.
    Semantic,
    /// The data, a limit, or what is asked of them.
    Execution,
}

/// What is wrong. Messages name parts of the expression, never a value of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A character that nothing starts with.
    UnexpectedCharacter(char),
    /// Text, a name or a comment that does not end.
    Unterminated,
    /// A number that is too large.
    Number,
    /// A date or time that does not exist.
    Date,
    /// Something else was expected.
    Expected(&'static str),
    /// More brackets, operators or steps inside each other than allowed, or a longer text.
    TooComplex,

    /// No element of that name in the type.
    UnknownElement {
        /// The element.
        name: Box<str>,
        /// The type.
        on: Box<str>,
    },
    /// A choice element named with its type: `valueQuantity` instead of `value`.
    ChoiceName {
        /// What was written.
        name: Box<str>,
        /// What it should be.
        instead: Box<str>,
    },
    /// The expression is about another type than its context.
    WrongContext {
        /// The type that it names.
        named: Box<str>,
        /// The type that it is evaluated on.
        context: Box<str>,
    },
    /// No function of that name.
    UnknownFunction(Box<str>),
    /// A function with too few or too many arguments.
    Arguments {
        /// The function.
        function: &'static str,
        /// The least and the most that it takes.
        takes: (u8, u8),
    },
    /// An external constant that nobody defined.
    UnknownVariable(Box<str>),
    /// An operation on a type that has none such.
    Types {
        /// The operator or function.
        operation: &'static str,
    },
    /// Order matters for the function, and its input has none.
    Unordered(&'static str),

    /// A type that neither FHIR nor FHIRPath has.
    UnknownType(Box<str>),
    /// One item was needed, and there are several.
    NotSingle(&'static str),
    /// The values have types that do not go together.
    Operands(&'static str),
    /// A result that does not fit in 38 digits or the years 1 to 9999.
    Overflow,
    /// A regular expression that cannot be compiled in linear time.
    Regex,
    /// A unit that is unknown or does not fit the other one.
    Unit,
    /// A canonical that could not be resolved.
    Unresolved(&'static str),
    /// A time of day with a zone.
    TimeZone,
    /// More steps than the budget allows.
    StepBudget,
    /// More time than the budget allows.
    TimeBudget,
}

impl FhirPathError {
    /// That error at that character.
    #[must_use]
    pub const fn new(kind: ErrorKind, at: u32) -> Self {
        Self { kind, at }
    }

    /// When it shows.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.kind.stage()
    }

    /// The sentence for a person: what, and at which character.
    #[must_use]
    pub fn shown(&self, lang: Lang) -> String {
        let message = self.kind.message();
        match lang {
            Lang::Fr => format!("{} (caractère {})", message.fr, self.at + 1),
            Lang::En => format!("{} (character {})", message.en, self.at + 1),
        }
    }
}

impl ErrorKind {
    /// When it shows.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match self {
            Self::UnexpectedCharacter(_)
            | Self::Unterminated
            | Self::Number
            | Self::Date
            | Self::Expected(_)
            | Self::TooComplex => Stage::Syntax,
            Self::UnknownElement { .. }
            | Self::ChoiceName { .. }
            | Self::WrongContext { .. }
            | Self::UnknownFunction(_)
            | Self::Arguments { .. }
            | Self::UnknownVariable(_)
            | Self::Types { .. }
            | Self::Unordered(_) => Stage::Semantic,
            _ => Stage::Execution,
        }
    }

    /// What is wrong, in both languages.
    #[must_use]
    pub fn message(&self) -> Text {
        match self {
            Self::UnexpectedCharacter(sign) => Text::new(
                format!("le caractère « {sign} » n'a pas sa place ici"),
                format!("`{sign}` has no place here"),
            ),
            Self::Unterminated => Text::fixed(
                "un texte, un nom ou un commentaire n'est pas terminé",
                "a text, a name or a comment does not end",
            ),
            Self::Number => Text::fixed("ce nombre est trop grand", "this number is too large"),
            Self::Date => Text::fixed("cette date ou cette heure n'existe pas", "this date or time does not exist"),
            Self::Expected(what) => Text::new(format!("il manque {what}"), format!("{what} is missing")),
            Self::TooComplex => {
                Text::fixed("l'expression est trop longue ou trop imbriquée", "the expression is too long or too deep")
            }
            Self::UnknownElement { name, on } => {
                Text::new(format!("{on} n'a pas d'élément {name}"), format!("{on} has no element {name}"))
            }
            Self::ChoiceName { name, instead } => Text::new(
                format!("écrivez {instead} à la place de {name} : FHIRPath nomme les éléments à choix sans leur type"),
                format!("write {instead} instead of {name}: FHIRPath names choice elements without their type"),
            ),
            Self::WrongContext { named, context } => Text::new(
                format!("l'expression porte sur {named} et s'évalue sur {context}"),
                format!("the expression is about {named} and is evaluated on {context}"),
            ),
            Self::UnknownFunction(name) => Text::new(
                format!("FHIRPath n'a pas de fonction {name}()"),
                format!("FHIRPath has no function {name}()"),
            ),
            Self::Arguments { function, takes: (least, most) } => Text::new(
                format!("{function}() prend de {least} à {most} arguments"),
                format!("{function}() takes {least} to {most} arguments"),
            ),
            Self::UnknownVariable(name) => {
                Text::new(format!("%{name} n'est pas défini"), format!("%{name} is not defined"))
            }
            Self::Types { operation } => Text::new(
                format!("{operation} ne s'applique pas à ces types"),
                format!("{operation} does not apply to these types"),
            ),
            Self::Unordered(function) => Text::new(
                format!("{function}() a besoin d'un ordre, et cette collection n'en a pas"),
                format!("{function}() needs an order, and this collection has none"),
            ),
            Self::UnknownType(name) => {
                Text::new(format!("le type {name} n'existe pas"), format!("there is no type {name}"))
            }
            Self::NotSingle(what) => Text::new(
                format!("{what} attend une seule valeur, et il y en a plusieurs"),
                format!("{what} wants one value, and there are several"),
            ),
            Self::Operands(what) => Text::new(
                format!("{what} ne s'applique pas à ces valeurs"),
                format!("{what} does not apply to these values"),
            ),
            Self::Overflow => Text::fixed("le résultat est trop grand", "the result is too large"),
            Self::Regex => Text::fixed(
                "cette expression régulière est invalide, trop grande, ou demande un retour en arrière (assertions, références)",
                "this regular expression is invalid, too large, or needs backtracking (look-around, back-references)",
            ),
            Self::Unit => {
                Text::fixed("cette unité est inconnue ou ne convient pas", "this unit is unknown or does not fit")
            }
            Self::Unresolved(what) => Text::new(
                format!("{what} : référence canonique introuvable"),
                format!("{what}: the canonical was not found"),
            ),
            Self::TimeZone => Text::fixed("une heure du jour n'a pas de fuseau", "a time of day has no zone"),
            Self::StepBudget => Text::fixed(
                "l'évaluation dépasse le nombre d'étapes permis",
                "the evaluation takes more steps than allowed",
            ),
            Self::TimeBudget => {
                Text::fixed("l'évaluation dépasse le temps permis", "the evaluation takes more time than allowed")
            }
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message().en)
    }
}

/// What most of this module returns.
pub(super) type Result<T> = std::result::Result<T, FhirPathError>;
