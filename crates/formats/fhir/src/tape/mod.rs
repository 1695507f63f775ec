//! JSON documents in memory: the received bytes, and a compact tape that says where everything is.
//!
//! [`Document::parse`] reads the bytes once (`parse.rs`), strictly, as FHIR asks (FHIR R4 §2.6.2 JSON,
//! RFC 8259, RFC 7493). [`Node`] (`node.rs`) walks the tape. Strings are borrowed from the received bytes
//! unless they hold an escape, numbers keep the text that was written, line and column are counted when
//! somebody asks. [`JsonError`] (`error.rs`) says what is wrong, where, and how to mend it; [`Oddity`]
//! is what JSON allows and FHIR does not.
//!
//! Not here: what an element means. A tape knows objects, arrays and scalars, no resource.

mod any;
mod comments;
mod companion;
mod error;
pub(crate) mod grow;
mod json;
mod keys;
mod name;
mod node;
mod parse;
mod place;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use bytes::Bytes;
use socle_finding::{Rule, Severity, Text};

pub use any::DocumentError;
pub use comments::without_comments;
pub use error::{JsonError, JsonErrorKind};
pub use name::NameId;
pub use node::{Items, Members, Node};
pub use place::Position;

use crate::outcome::{Issue, IssueType};
use keys::Keys;
use place::Places;

/// What a document may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes received. Never above 4 GiB: offsets are 32 bits.
    pub bytes: usize,
    /// Objects and arrays inside each other.
    pub depth: usize,
    /// Values: objects, arrays, strings, numbers, booleans, nulls.
    pub nodes: usize,
}

impl Default for Limits {
    /// 256 MB (a Synthea patient bundle passes 100 MB), 200 levels, 20 million values.
    fn default() -> Self {
        Self { bytes: 256 << 20, depth: 200, nodes: 20_000_000 }
    }
}

/// How a document was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// FHIR R4 §2.6.2
    Json,
    /// FHIR R4 §2.6.1
    Xml,
}

/// A document: its bytes and its tape. Cheap to move, expensive to clone; share it in an `Arc`.
pub struct Document {
    bytes: Bytes,
    format: Format,
    nodes: Vec<Raw>,
    keys: Keys,
    /// Text of the strings that were written with escapes, one after the other.
    unescaped: String,
    /// Where each of them is in `unescaped`.
    escapes: Vec<(u32, u32)>,
    oddities: Vec<(u32, OddityKind)>,
    places: OnceLock<Places>,
}

impl Document {
    /// Reads a document under the default [`Limits`].
    ///
    /// # Errors
    /// [`JsonError`] with the place and the way to mend it.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, JsonError> {
        Self::parse_within(bytes, &Limits::default())
    }

    /// Reads a document under the given limits.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub fn parse_within(bytes: impl Into<Bytes>, limits: &Limits) -> Result<Self, JsonError> {
        parse::parse(bytes.into(), limits)
    }

    /// The outermost value.
    #[must_use]
    pub const fn root(&self) -> Node<'_> {
        Node::new(self, 0)
    }

    /// The bytes as they were received.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How it was written.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// How many values the document holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: a document holds at least its root.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What JSON or XML allows and FHIR does not, in document order.
    pub fn oddities(&self) -> impl Iterator<Item = Oddity<'_>> {
        self.oddities.iter().map(|(index, kind)| Oddity { node: Node::new(self, *index), kind: *kind })
    }

    fn position_of(&self, offset: usize) -> Position {
        self.places.get_or_init(|| Places::of(&self.bytes)).position(&self.bytes, offset)
    }

    fn slice(&self, start: u32, end: u32) -> &str {
        self.bytes
            .get(start as usize..end as usize)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    fn unescaped(&self, at: u32) -> &str {
        self.escapes
            .get(at as usize)
            .and_then(|(start, end)| self.unescaped.get(*start as usize..*end as usize))
            .unwrap_or_default()
    }
}

impl std::fmt::Debug for Document {
    /// Sizes only: the content is a person's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} bytes, {} values)", self.bytes.len(), self.nodes.len())
    }
}

/// The kind of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number.
    Number,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
}

impl Kind {
    /// The name in both languages, for messages.
    #[must_use]
    pub const fn named(self) -> (&'static str, &'static str) {
        match self {
            Self::Object => ("un objet", "an object"),
            Self::Array => ("un tableau", "an array"),
            Self::String => ("une chaîne", "a string"),
            Self::Number => ("un nombre", "a number"),
            Self::Boolean => ("un booléen", "a boolean"),
            Self::Null => ("null", "null"),
        }
    }
}

/// Something that JSON or XML allows and FHIR does not.
#[derive(Clone, Copy)]
pub struct Oddity<'a> {
    /// Where.
    pub node: Node<'a>,
    /// What.
    pub kind: OddityKind,
}

impl Oddity<'_> {
    /// The same, as an issue: an error, but for the byte order mark.
    #[must_use]
    pub fn issue(&self) -> Issue {
        let (severity, message) = self.kind.message();
        let rule = match self.kind {
            OddityKind::ByteOrderMark => Rule::fixed("RFC 8259", "8.1"),
            OddityKind::XmlOrder
            | OddityKind::XmlForm
            | OddityKind::XmlTwice
            | OddityKind::StrayText
            | OddityKind::ForeignNamespace => Rule::fixed("FHIR R4", "2.6.1"),
            _ => Rule::fixed("FHIR R4", "2.6.2"),
        };
        Issue::new(severity, IssueType::Structure, rule, message, self.kind.mend()).at(self.node)
    }
}

/// What the syntax allows and FHIR does not (FHIR R4 §2.6.1, §2.6.2: no empty value, null only inside arrays…).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddityKind {
    /// `[]`
    EmptyArray,
    /// `{}`
    EmptyObject,
    /// `""`
    EmptyString,
    /// `"x": null`
    NullMember,
    /// An array directly inside an array.
    NestedArray,
    /// A null in an array that no `_name` (or value) fills.
    NullItem,
    /// `_name` is as long as `name`, and it is not.
    CompanionLength,
    /// `_name` is no object, or no array of objects and nulls, where `name` asks for one.
    CompanionShape,
    /// XML: elements that are not in the order of the definition, or one name in two places.
    XmlOrder,
    /// XML: an attribute that should be an element, or the other way round.
    XmlForm,
    /// XML: an attribute and an element of one name; one of the two was left out.
    XmlTwice,
    /// XML: text between elements.
    StrayText,
    /// XML: an element outside the namespace of FHIR (of XHTML, for a narrative).
    ForeignNamespace,
    /// A byte order mark in front; it was skipped (RFC 8259 §8.1 lets a reader do so).
    ByteOrderMark,
}

impl OddityKind {
    const fn message(self) -> (Severity, Text) {
        match self {
            Self::EmptyArray => (Severity::Error, Text::fixed("ce tableau est vide", "this array is empty")),
            Self::EmptyObject => (Severity::Error, Text::fixed("cet objet est vide", "this object is empty")),
            Self::EmptyString => (Severity::Error, Text::fixed("cette chaîne est vide", "this string is empty")),
            Self::NullMember => (
                Severity::Error,
                Text::fixed("null n'est permis que dans un tableau", "null is allowed inside arrays only"),
            ),
            Self::NestedArray => (
                Severity::Error,
                Text::fixed("un tableau contient directement un tableau", "an array holds an array directly"),
            ),
            Self::NullItem => (
                Severity::Error,
                Text::fixed(
                    "rien ne remplit ce null : ni valeur, ni identifiant, ni extension",
                    "nothing fills this null: no value, no id, no extension",
                ),
            ),
            Self::CompanionLength => (
                Severity::Error,
                Text::fixed(
                    "ce tableau n'a pas la longueur du tableau des valeurs",
                    "this array is not as long as the array of the values",
                ),
            ),
            Self::CompanionShape => (
                Severity::Error,
                Text::fixed(
                    "un objet est attendu ici (un tableau d'objets et de null si l'élément se répète)",
                    "an object is expected here (an array of objects and nulls if the element repeats)",
                ),
            ),
            Self::XmlOrder => (
                Severity::Error,
                Text::fixed(
                    "cet élément n'est pas à sa place : l'ordre des éléments XML est fixé",
                    "this element is out of place: the order of XML elements is fixed",
                ),
            ),
            Self::XmlForm => (
                Severity::Error,
                Text::fixed(
                    "attribut à la place d'un élément, ou élément à la place d'un attribut",
                    "an attribute where an element belongs, or an element where an attribute does",
                ),
            ),
            Self::XmlTwice => (
                Severity::Error,
                Text::fixed(
                    "un attribut et un élément portent ici le même nom",
                    "an attribute and an element have the same name here",
                ),
            ),
            Self::StrayText => (
                Severity::Error,
                Text::fixed("du texte se trouve entre les éléments", "there is text between the elements"),
            ),
            Self::ForeignNamespace => (
                Severity::Error,
                Text::fixed(
                    "cet élément n'est pas dans l'espace de noms de FHIR",
                    "this element is not in the namespace of FHIR",
                ),
            ),
            Self::ByteOrderMark => (
                Severity::Warning,
                Text::fixed(
                    "le document commence par une marque d'ordre des octets",
                    "the document starts with a byte order mark",
                ),
            ),
        }
    }

    const fn mend(self) -> Text {
        match self {
            Self::EmptyArray | Self::EmptyObject | Self::EmptyString | Self::NullMember => Text::fixed(
                "retirez l'élément : FHIR n'écrit pas ce qui est absent",
                "remove the element: FHIR does not write what is absent",
            ),
            Self::NestedArray => Text::fixed("aplatissez le tableau", "flatten the array"),
            Self::NullItem => {
                Text::fixed("retirez-le, ou donnez-lui une extension", "remove it, or give it an extension")
            }
            Self::CompanionLength => Text::fixed(
                "complétez le plus court des deux tableaux avec des null",
                "fill the shorter of the two arrays with nulls",
            ),
            Self::CompanionShape => Text::fixed(
                "écrivez {\"id\": …, \"extension\": […]}, dans un tableau si l'élément se répète",
                "write {\"id\": …, \"extension\": […]}, in an array if the element repeats",
            ),
            Self::XmlOrder => Text::fixed(
                "rangez les éléments dans l'ordre de la définition, les répétitions côte à côte",
                "put the elements in the order of the definition, repetitions side by side",
            ),
            Self::XmlForm => Text::fixed(
                "seuls id (hors ressource) et url d'une extension sont des attributs ; une valeur va dans value",
                "only id (not of a resource) and url of an extension are attributes; a value goes into value",
            ),
            Self::XmlTwice => Text::fixed("gardez l'un des deux", "keep one of the two"),
            Self::StrayText => Text::fixed(
                "mettez la valeur dans l'attribut value, ou retirez le texte",
                "put the value into the attribute value, or remove the text",
            ),
            Self::ForeignNamespace => Text::fixed(
                "déclarez http://hl7.org/fhir (http://www.w3.org/1999/xhtml pour div), ou retirez l'élément",
                "declare http://hl7.org/fhir (http://www.w3.org/1999/xhtml for div), or remove the element",
            ),
            Self::ByteOrderMark => Text::fixed("enregistrez en UTF-8 sans BOM", "save as UTF-8 without BOM"),
        }
    }
}

/// One value: what it is, where it is, and how to go on from it.
#[derive(Clone, Copy)]
struct Raw {
    /// First byte of the value.
    start: u32,
    /// After its last byte.
    end: u32,
    /// Of a container: the node after everything inside it. Of an escaped string: its place in `escapes`.
    /// Of an array's or object's children the next sibling is thus one step away.
    skip: u32,
    /// The container that holds it; itself for the root.
    parent: u32,
    /// Its name in its object; [`NameId::NONE`] in an array and for the root.
    key: NameId,
    tag: Tag,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Object,
    Array,
    /// A string without escape.
    Plain,
    /// A string with escapes.
    Escaped,
    Number,
    True,
    False,
    Null,
}
