//! Files of a schema to one tree of elements, every include put in its place.

use super::files::{Files, resolve};
use super::model::{Defect, DefectKind, LoadError};
use crate::{Limits, NodeExt, decode, parse};

/// Elements of one schema with all that it includes; the largest published one has 24 000.
const ELEMENTS: usize = 1_000_000;
/// Elements inside elements, over all files.
const ELEMENT_DEPTH: usize = 256;
/// Includes inside includes.
const DEPTH: usize = 32;

const NS: &str = "http://purl.oclc.org/dsdl/schematron";

/// An element of a schema; one of another namespace has no name.
#[derive(Debug, Clone, Default)]
pub(super) struct Element {
    pub(super) name: Box<str>,
    pub(super) attributes: Vec<(Box<str>, Box<str>)>,
    pub(super) content: Vec<Content>,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Element(Element),
    Text(Box<str>),
}

impl Element {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|content| match content {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        })
    }

    pub(super) fn named<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Self> {
        self.elements().filter(move |element| *element.name == *name)
    }

    /// All text below, white space collapsed.
    pub(super) fn text(&self) -> String {
        let mut texts = Vec::new();
        let mut left: Vec<&Content> = self.content.iter().rev().collect();
        while let Some(content) = left.pop() {
            match content {
                Content::Text(text) => texts.push(&**text),
                Content::Element(element) => left.extend(element.content.iter().rev()),
            }
        }
        collapse(&texts.concat())
    }
}

/// Words with one space between.
pub(super) fn collapse(text: &str) -> String {
    text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A schema and what is wrong with its files.
pub(super) struct Source {
    pub(super) schema: Element,
    pub(super) defects: Vec<Defect>,
}

pub(super) fn read(files: &dyn Files, path: &str) -> Result<Source, LoadError> {
    let stored = files.find(path).ok_or_else(|| LoadError::Absent { path: path.to_owned() })?;
    let mut reader = Reader { files, open: Vec::new(), elements: 0, depth: 0, defects: Vec::new() };
    let schema = reader.file(&stored).map_err(|kind| LoadError::Unreadable { path: stored.clone(), kind })?;
    if *schema.name != *"schema" {
        return Err(LoadError::NoSchema { path: stored });
    }
    Ok(Source { schema, defects: reader.defects })
}

struct Reader<'f> {
    files: &'f dyn Files,
    /// Files being read, each included by the one before.
    open: Vec<String>,
    elements: usize,
    depth: usize,
    defects: Vec<Defect>,
}

impl Reader<'_> {
    fn file(&mut self, stored: &str) -> Result<Element, DefectKind> {
        if self.open.iter().any(|open| open == stored) {
            return Err(DefectKind::CyclicInclude);
        }
        if self.open.len() >= DEPTH {
            return Err(DefectKind::TooMany { what: "includes inside includes" });
        }
        let bytes = self.files.read(stored).map_err(|_| DefectKind::MissingInclude)?;
        let limits = Limits::default();
        let text = decode(&bytes, &limits).map_err(|e| DefectKind::NotXml { line: e.line })?;
        let parsed = parse(&text.text, &limits).map_err(|e| DefectKind::NotXml { line: e.line })?;
        self.open.push(stored.to_owned());
        let element = self.element(parsed.root_element(), stored);
        self.open.pop();
        element
    }

    fn element(&mut self, node: roxmltree::Node<'_, '_>, file: &str) -> Result<Element, DefectKind> {
        self.elements += 1;
        self.depth += 1;
        if self.elements > ELEMENTS || self.depth > ELEMENT_DEPTH {
            return Err(DefectKind::TooMany { what: "elements" });
        }
        let name = if node.tag_name().namespace() == Some(NS) { node.tag_name().name() } else { "" };
        let attributes = node
            .attributes()
            .filter(|attribute| attribute.namespace().is_none())
            .map(|attribute| (attribute.name().into(), attribute.value().into()))
            .collect();
        let mut content: Vec<Content> = Vec::new();
        for child in node.children() {
            if child.is_text() {
                push_text(&mut content, child.text().unwrap_or_default());
            } else if child.is(Some(NS), "include") {
                content.extend(self.include(child, file)?.map(Content::Element));
            } else if child.is_element() {
                content.push(Content::Element(self.element(child, file)?));
            }
        }
        self.depth -= 1;
        Ok(Element { name: name.into(), attributes, content })
    }

    /// The root of the included file, in place of the include. What cannot be had is a defect; the rest goes on.
    fn include(&mut self, node: roxmltree::Node<'_, '_>, file: &str) -> Result<Option<Element>, DefectKind> {
        let href = node.attribute("href").unwrap_or_default();
        let target = resolve(file, href).and_then(|path| self.files.find(&path));
        let read = match target {
            Some(stored) => self.file(&stored),
            None => Err(DefectKind::MissingInclude),
        };
        match read {
            Ok(element) => Ok(Some(element)),
            Err(kind @ DefectKind::TooMany { .. }) => Err(kind),
            Err(kind) => {
                self.defects.push(Defect { kind, place: format!("{file}: include {}", collapse(href)) });
                Ok(None)
            }
        }
    }
}

/// A comment does not cut a text.
fn push_text(content: &mut Vec<Content>, text: &str) {
    if let Some(Content::Text(last)) = content.last_mut() {
        *last = format!("{last}{text}").into();
    } else {
        content.push(Content::Text(text.into()));
    }
}
