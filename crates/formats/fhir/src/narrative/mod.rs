//! What the XHTML of a narrative may hold (FHIR R4 §2.4.0.3, invariants txt-1 and txt-2).
//!
//! [`check`] reads the `div` once, front to back, and lists what is wrong; it needs no tree. The words that are
//! allowed are in `allowed.rs`. [`sections`] tells its languages and where its texts come from, which a profile
//! may ask for.
//!
//! ```
//! use socle_fhir::narrative::{ProblemKind, check};
//!
//! assert!(check(r#"<div xmlns="http://www.w3.org/1999/xhtml"><p>Prise en charge</p></div>"#).is_empty());
//! let problems = check(r#"<div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div>"#);
//! assert_eq!(problems[0].kind, ProblemKind::Element("script".into()));
//! ```
//!
//! Not here: whether the narrative says what the resource says.

mod allowed;
mod check;
mod sections;
#[cfg(test)]
mod tests;

use socle_finding::{Rule, Text};

pub use check::{check, check_in};
pub use sections::{Sections, sections};

/// Something that a narrative may not hold, or lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// Where in the string of the `div`, in bytes. [`crate::Node::position_within`] makes a line of it.
    pub offset: usize,
}

/// What can be wrong with a narrative. Names are those of elements, attributes and entities, never content.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// It is not well-formed XML from here on; nothing after it was looked at.
    NotWellFormed,
    /// It is not one `div` element.
    NotADiv,
    /// The `div` is not in the namespace of XHTML.
    Namespace,
    /// An element that txt-1 does not allow.
    Element(Box<str>),
    /// An attribute that txt-1 does not allow.
    Attribute(Box<str>),
    /// An entity that XML does not know (`&nbsp;`).
    Entity(Box<str>),
    /// A processing instruction.
    Instruction,
    /// A link that runs a program.
    ActiveLink,
    /// A link that leads to nothing that a reader can open (`urn:`, `data:`).
    DeadLink,
    /// A link to `#id`, and nothing has that id.
    Anchor,
    /// No text and no image (txt-2).
    Empty,
}

impl ProblemKind {
    /// The invariant that it breaks; `txt-1` for all but an empty narrative, links included: what they lead to is part
    /// of what FHIR asks of the XHTML.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Empty => "txt-2",
            _ => "txt-1",
        }
    }

    /// The rule.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        match self {
            Self::Empty => Rule::fixed("FHIR R4", "txt-2"),
            // HTML 4.0 §12.1: the prose of FHIR allows its links, no invariant says where they lead.
            Self::DeadLink | Self::Anchor => Rule::fixed("FHIR R4", "2.4.0.2"),
            _ => Rule::fixed("FHIR R4", "txt-1"),
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> Text {
        match self {
            Self::NotWellFormed => {
                Text::fixed("le texte narratif n'est pas du XML bien formé", "the narrative is not well-formed XML")
            }
            Self::NotADiv => {
                Text::fixed("le texte narratif n'est pas un seul élément div", "the narrative is not one div element")
            }
            Self::Namespace => Text::fixed(
                "l'élément div n'est pas dans l'espace de noms XHTML",
                "the div is not in the namespace of XHTML",
            ),
            Self::Element(name) => Text::new(
                format!("l'élément {name} n'est pas permis dans un texte narratif"),
                format!("the element {name} is not allowed in a narrative"),
            ),
            Self::Attribute(name) => Text::new(
                format!("l'attribut {name} n'est pas permis dans un texte narratif"),
                format!("the attribute {name} is not allowed in a narrative"),
            ),
            Self::Entity(name) => Text::new(
                format!("XML ne connaît pas l'entité &{name};"),
                format!("XML does not know the entity &{name};"),
            ),
            Self::Instruction => Text::fixed(
                "une instruction de traitement n'est pas permise dans un texte narratif",
                "a processing instruction is not allowed in a narrative",
            ),
            Self::ActiveLink => Text::fixed("ce lien exécute un programme", "this link runs a program"),
            Self::DeadLink => Text::fixed(
                "ce lien ne mène à rien qu'un lecteur puisse ouvrir",
                "this link leads to nothing that a reader can open",
            ),
            Self::Anchor => Text::fixed(
                "ce lien ne mène à rien dans le texte narratif ni dans la ressource",
                "this link leads to nothing in the narrative or the resource",
            ),
            Self::Empty => Text::fixed("le texte narratif est vide", "the narrative is empty"),
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn mend(&self) -> Text {
        match self {
            Self::NotWellFormed => Text::fixed(
                "fermez chaque élément, mettez les attributs entre guillemets, écrivez &lt; et &amp;",
                "close each element, quote the attributes, write &lt; and &amp;",
            ),
            Self::NotADiv | Self::Namespace => Text::fixed(
                "écrivez <div xmlns=\"http://www.w3.org/1999/xhtml\">…</div>",
                "write <div xmlns=\"http://www.w3.org/1999/xhtml\">…</div>",
            ),
            Self::Element(_) | Self::Attribute(_) | Self::Instruction | Self::ActiveLink => Text::fixed(
                "retirez-le : seule la mise en forme de base de HTML est permise",
                "remove it: only the basic formatting of HTML is allowed",
            ),
            Self::Entity(_) => {
                Text::fixed("écrivez le caractère lui-même, ou &#…;", "write the character itself, or &#…;")
            }
            Self::DeadLink => {
                Text::fixed("utilisez http, https, mailto, tel ou #ancre", "use http, https, mailto, tel or #anchor")
            }
            Self::Anchor => {
                Text::fixed("ajoutez l'id visé, ou retirez le lien", "add the id it leads to, or remove the link")
            }
            Self::Empty => Text::fixed("écrivez un texte, ou retirez text", "write a text, or remove text"),
        }
    }
}
