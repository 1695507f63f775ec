//! How a narrative is divided: sections by language, and texts that say where they come from.

use socle_xml::Limits;
use socle_xml::roxmltree::{Document, Node};

/// Class names that say where a text comes from.
const SOURCES: [&str; 5] = ["boilerplate", "generated", "extension", "additional", "original"];

/// How the `div` of a narrative is divided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sections {
    /// The languages of the `div`s directly inside that say one, in order, as they are written.
    pub languages: Vec<Box<str>>,
    /// Where texts are that no class of theirs, nor of what they are in, says the source of (`generated`,
    /// `extension`, `additional`, `boilerplate`, `original`): bytes from the start of the string.
    pub without_source: Vec<usize>,
}

/// Reads how a narrative is divided; none when it is no XML, which [`super::check`] tells.
#[must_use]
pub fn sections(div: &str) -> Option<Sections> {
    let document = socle_xml::parse(div, &Limits::default()).ok()?;
    Some(Sections { languages: languages(&document), without_source: without_source(document.root_element()) })
}

fn languages(document: &Document<'_>) -> Vec<Box<str>> {
    let is_section = |node: &Node<'_, '_>| node.is_element() && node.tag_name().name() == "div";
    let children = document.root_element().children().filter(is_section);
    children.filter_map(|section| language(section).filter(|language| !language.is_empty())).map(Into::into).collect()
}

fn language<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.attribute("lang").or_else(|| node.attribute(("http://www.w3.org/XML/1998/namespace", "lang")))
}

fn without_source(root: Node<'_, '_>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open: Vec<Node<'_, '_>> = vec![root];
    while let Some(node) = open.pop() {
        if node.is_text() && !node.text().unwrap_or_default().trim().is_empty() {
            found.push(node.range().start);
        }
        if !says_source(node) {
            open.extend(node.children());
        }
    }
    found.sort_unstable();
    found
}

fn says_source(node: Node<'_, '_>) -> bool {
    node.attribute("class").is_some_and(|classes| classes.split_whitespace().any(|class| SOURCES.contains(&class)))
}
