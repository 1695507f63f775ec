//! The sections of a structured body, typed: what a reader looks for by code.

use socle_xml::roxmltree::Node;

use crate::code::Code;
use crate::document::{Document, DocumentError, child, children, path};
use crate::header::{Template, code_of, folded, templates_of};
use crate::pdf::narrative_lines;

/// A section, with those inside it. `Debug` shows its code alone: titles and texts are the patient's.
#[derive(Clone, PartialEq, Eq)]
pub struct Section {
    /// `code`.
    pub code: Option<Code>,
    /// `templateId`.
    pub templates: Vec<Template>,
    /// `title`, spaces folded.
    pub title: Option<String>,
    /// The narrative, one line a paragraph, item or row.
    pub lines: Vec<String>,
    /// How many entries say the same to machines.
    pub entries: usize,
    /// The sections inside.
    pub sections: Vec<Section>,
}

impl std::fmt::Debug for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.as_ref().map_or("", |code| code.code.as_str());
        write!(f, "Section({code}, {} lines, {} entries)", self.lines.len(), self.entries)
    }
}

impl Section {
    fn of(node: Node<'_, '_>) -> Self {
        Self {
            code: child(node, "code").and_then(code_of),
            templates: templates_of(node),
            title: child(node, "title").map(folded).filter(|title| !title.is_empty()),
            lines: child(node, "text").map(narrative_lines).unwrap_or_default(),
            entries: children(node, "entry").count(),
            sections: sections_of(node),
        }
    }

    /// This section, then those inside, in the order of reading.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let section = waiting.pop()?;
            waiting.extend(section.sections.iter().rev());
            Some(section)
        })
    }

    /// Is it the section of this code, whatever its system?
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|own| own.code == code)
    }
}

/// The sections of a body or a section.
pub(crate) fn sections_of(node: Node<'_, '_>) -> Vec<Section> {
    children(node, "component").filter_map(|component| child(component, "section")).map(Section::of).collect()
}

impl Document {
    /// The sections of a niveau 3 body, in order; none for a niveau 1.
    ///
    /// # Errors
    /// None in practice: the bytes were read before.
    pub fn sections(&self) -> Result<Vec<Section>, DocumentError> {
        self.with_root(|root| path(root, &["component", "structuredBody"]).map(sections_of).unwrap_or_default())
    }

    /// The first section of this code (`48765-2`), at any depth.
    ///
    /// # Errors
    /// As [`Self::sections`].
    pub fn section(&self, code: &str) -> Result<Option<Section>, DocumentError> {
        let sections = self.sections()?;
        Ok(sections.iter().flat_map(Section::all).find(|section| section.is(code)).cloned())
    }
}
