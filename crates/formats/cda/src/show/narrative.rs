//! The narrative block as HTML: a closed list of elements and styles; anything else gives its text.

use maud::{Markup, html};
use socle_xml::roxmltree::Node;

use super::Words;
use super::files::{Files, embedded};
use crate::document::{HL7_V3, child};
use crate::header::folded;

/// No table of a document is wider or longer in one cell.
const MOST_COLUMNS: u16 = 64;
const MOST_ROWS: u16 = 1_000;

/// A `text` of a section.
pub(super) fn block(text: Node<'_, '_>, files: &Files<'_, '_>, words: Words) -> Markup {
    Block { files, words }.inside(text)
}

#[derive(Clone, Copy)]
struct Block<'f, 'a, 'i> {
    files: &'f Files<'a, 'i>,
    words: Words,
}

impl Block<'_, '_, '_> {
    fn inside(self, parent: Node<'_, '_>) -> Markup {
        html! {
            @for node in parent.children() {
                @if node.is_text() { (node.text().unwrap_or_default()) }
                @else if node.is_element() { (self.element(node)) }
            }
        }
    }

    fn element(self, node: Node<'_, '_>) -> Markup {
        let (id, class) = (id_of(node), class_of(node));
        match node.tag_name().name() {
            // What acts has no text for a reader.
            "script" | "style" | "iframe" | "object" | "embed" | "template" => html! {},
            "paragraph" => html! { p id=[id] class=[class] { (self.inside(node)) } },
            "content" => self.content(node, id, class),
            "br" => html! { br; },
            "sub" => html! { sub { (self.inside(node)) } },
            "sup" => html! { sup { (self.inside(node)) } },
            "list" => self.list(node, id, class),
            "table" => self.table(node, id),
            "caption" => html! { p.caption { (self.inside(node)) } },
            "footnote" => html! { small.footnote id=[id] { " (" (self.inside(node)) ") " } },
            "footnoteRef" | "colgroup" | "col" => html! {},
            "linkHtml" => self.link(node, id),
            "renderMultiMedia" => self.media(node),
            _ => self.inside(node),
        }
    }

    fn content(self, node: Node<'_, '_>, id: Option<String>, class: Option<String>) -> Markup {
        match node.attribute("revised") {
            Some("delete") => html! { del id=[id] class=[class] { (self.inside(node)) } },
            Some("insert") => html! { ins id=[id] class=[class] { (self.inside(node)) } },
            _ if id.is_none() && class.is_none() => self.inside(node),
            _ => html! { span id=[id] class=[class] { (self.inside(node)) } },
        }
    }

    fn list(self, node: Node<'_, '_>, id: Option<String>, class: Option<String>) -> Markup {
        let caption = child(node, "caption");
        let items: Vec<_> = node.children().filter(|n| n.has_tag_name((HL7_V3, "item"))).collect();
        let inside = html! {
            @for item in &items {
                li id=[id_of(*item)] class=[class_of(*item)] { (self.inside(*item)) }
            }
        };
        html! {
            @if let Some(caption) = caption { p.caption { (self.inside(caption)) } }
            @if node.attribute("listType") == Some("ordered") { ol id=[id] class=[class] { (inside) } }
            @else { ul id=[id] class=[class] { (inside) } }
        }
    }

    /// A table scrolls alone, by keyboard too; its headers have a scope.
    fn table(self, node: Node<'_, '_>, id: Option<String>) -> Markup {
        let caption = child(node, "caption");
        let label = caption.map(folded).unwrap_or_else(|| self.words.pick("Tableau", "Table").to_owned());
        html! {
            div.table role="region" tabindex="0" aria-label=(label) {
                table id=[id] {
                    @if let Some(caption) = caption { caption { (self.inside(caption)) } }
                    @for part in node.children().filter(Node::is_element) {
                        @match part.tag_name().name() {
                            "thead" => thead { (self.rows(part, true)) },
                            "tfoot" => tfoot { (self.rows(part, false)) },
                            "tbody" => tbody { (self.rows(part, false)) },
                            "tr" => tbody { (self.row(part, false)) },
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    fn rows(self, part: Node<'_, '_>, head: bool) -> Markup {
        html! {
            @for row in part.children().filter(|n| n.has_tag_name((HL7_V3, "tr"))) { (self.row(row, head)) }
        }
    }

    fn row(self, row: Node<'_, '_>, head: bool) -> Markup {
        let cells: Vec<_> =
            row.children().filter(|n| matches!(n.tag_name().name(), "td" | "th") && n.is_element()).collect();
        // A row of headers alone heads its columns, wherever it stands.
        let head = head || (cells.len() > 1 && cells.iter().all(|cell| cell.tag_name().name() == "th"));
        html! {
            tr id=[id_of(row)] {
                @for cell in cells { (self.cell(cell, head)) }
            }
        }
    }

    fn cell(self, cell: Node<'_, '_>, head: bool) -> Markup {
        let columns = span(cell, "colspan", MOST_COLUMNS);
        let rows = span(cell, "rowspan", MOST_ROWS);
        let (id, class) = (id_of(cell), class_of(cell));
        let header = cell.tag_name().name() == "th" || head;
        if header && !folded(cell).is_empty() {
            let scope = match (head, columns) {
                (true, Some(_)) => "colgroup",
                (true, None) => "col",
                (false, _) => "row",
            };
            return html! {
                th scope=(scope) id=[id] class=[class] colspan=[columns] rowspan=[rows] { (self.inside(cell)) }
            };
        }
        html! { td id=[id] class=[class] colspan=[columns] rowspan=[rows] { (self.inside(cell)) } }
    }

    /// A link inside the document leads; an address outside is text, which a reader may copy.
    fn link(self, node: Node<'_, '_>, id: Option<String>) -> Markup {
        let href = node.attribute("href").unwrap_or_default().trim();
        if let Some(target) = href.strip_prefix('#').filter(|target| !target.is_empty()) {
            return html! { a id=[id] href={ "#" (anchor_of(target)) } { (self.inside(node)) } };
        }
        let told = crate::rules::is_safe_link(href) && !href.is_empty() && folded(node) != href;
        html! {
            span.link id=[id] { (self.inside(node)) @if told { " (" (href) ")" } }
        }
    }

    fn media(self, node: Node<'_, '_>) -> Markup {
        let caption = child(node, "caption").map(folded).filter(|caption| !caption.is_empty());
        let ids = node.attribute("referencedObject").unwrap_or_default();
        html! {
            figure {
                @for id in ids.split_whitespace() {
                    @if let Some(media) = self.files.called(id) { (embedded(media, caption.as_deref(), self.words)) }
                    @else {
                        p.alert { (self.words.pick("Un fichier appelé par le texte n'est pas dans le document.",
                            "A file that the text calls is not in the document.")) }
                    }
                }
                @if let Some(caption) = caption { figcaption { (caption) } }
            }
        }
    }
}

fn span(cell: Node<'_, '_>, name: &str, most: u16) -> Option<u16> {
    let wanted = cell.attribute(name)?.trim().parse::<u32>().ok()?;
    let span = u16::try_from(wanted).unwrap_or(most).min(most);
    (span > 1).then_some(span)
}

/// Identifiers of the document never meet those of the page.
fn anchor_of(id: &str) -> String {
    format!("n-{}", id.split_whitespace().collect::<Vec<_>>().join("-"))
}

fn id_of(node: Node<'_, '_>) -> Option<String> {
    node.attribute("ID").map(anchor_of)
}

/// `styleCode`: the ones that HL7 names, whatever their case; a style of the sender's own means nothing here.
fn class_of(node: Node<'_, '_>) -> Option<String> {
    let codes = node.attribute("styleCode")?;
    let mut classes: Vec<&str> = Vec::new();
    for code in codes.split_whitespace() {
        match code.to_ascii_lowercase().as_str() {
            "bold" => classes.push("bold"),
            "italics" => classes.push("italics"),
            "bolditalics" => classes.extend(["bold", "italics"]),
            "emphasis" => classes.push("emphasis"),
            "underline" => classes.push("underline"),
            _ => {}
        }
    }
    (!classes.is_empty()).then(|| classes.join(" "))
}
