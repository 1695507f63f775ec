//! A document as a page that people read: safe whatever the document holds, with a keyboard, on paper.
//!
//! Every element and attribute of the page is written here; the document gives text alone, escaped, and
//! files, whose type is told from their first bytes. No script, no external address, no style of the
//! document; a policy in the page forbids all three again. No stylesheet of a document is ever run.
//!
//! Order: the page, then the banner of identity (`banner`), the narrative (`narrative`), files (`files`).
//! Source: HL7 CDA R2 NarrativeBlock; RGAA 4.1 (landmarks, headings, tables, language).

mod banner;
mod files;
mod narrative;

use base64::Engine as _;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest::{SHA256, digest};
use socle_finding::Lang;
use socle_xml::roxmltree::Node;

use crate::document::{Document, DocumentError, child, children, path};
use crate::header::folded;
use files::Files;

/// The style of a [`fragment`], for the page that it is put in: it touches nothing outside `.cda`.
pub const STYLE: &str = include_str!("show/style.css");
/// The style of the whole [`page`].
pub const PAGE_STYLE: &str = concat!(include_str!("show/page.css"), include_str!("show/style.css"));

/// Where the document is shown: its landmark is one of the page's, or the page has its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Alone,
    Inside,
}

/// Labels in the language of the reader; the document's own words stay in its language.
#[derive(Clone, Copy)]
struct Words(Lang);

impl Words {
    fn pick(self, fr: &'static str, en: &'static str) -> &'static str {
        match self.0 {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }
}

/// The whole page, alone in its file.
///
/// # Errors
/// None in practice: the bytes were read before.
pub fn page(document: &Document, lang: Lang) -> Result<String, DocumentError> {
    let words = Words(lang);
    let title = document.with_root(title_of)?;
    let hash = base64::engine::general_purpose::STANDARD.encode(digest(&SHA256, PAGE_STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; object-src data:; base-uri 'none'; form-action 'none'"
    );
    let page = html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (title.as_deref().unwrap_or(words.pick("Document de santé", "Health document"))) }
                style { (PreEscaped(PAGE_STYLE)) }
            }
            body {
                a.skip href="#contenu" { (words.pick("Aller au contenu du document", "Go to the content of the document")) }
                (shown(document, words, Place::Alone)?)
            }
        }
    };
    Ok(page.into_string())
}

/// The same for a page that has its own frame and one `main`, in which this goes: banner (its `h1` is the page's), table
/// of contents, sections, facts of the header.
///
/// # Errors
/// As [`page`].
pub fn fragment(document: &Document, lang: Lang) -> Result<Markup, DocumentError> {
    shown(document, Words(lang), Place::Inside)
}

fn shown(document: &Document, words: Words, place: Place) -> Result<Markup, DocumentError> {
    document.with_root(|root| {
        let files = Files::of(root);
        html! {
            div.cda {
                (banner::banner(document, root, words))
                (contents(root, words))
                @if place == Place::Alone {
                    main #contenu lang=[language_of(root)] { (body(root, &files, words)) }
                } @else {
                    div.body lang=[language_of(root)] { (body(root, &files, words)) }
                }
                (banner::facts(document, root, words))
            }
        }
    })
}

fn title_of(root: Node<'_, '_>) -> Option<String> {
    child(root, "title").map(folded).filter(|title| !title.is_empty())
}

/// The language of the document's own words, when it looks like a tag.
fn language_of(root: Node<'_, '_>) -> Option<String> {
    let code = child(root, "languageCode")?.attribute("code")?.trim();
    let is_tag = (2..=17).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_tag.then(|| code.to_owned())
}

/// Sections of a node, with the anchor that the table of contents leads to.
fn sections_in<'a, 'i: 'a>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    children(node, "component").filter_map(|component| child(component, "section"))
}

/// Unique in the page: the place of the element in the document.
fn anchor(section: Node<'_, '_>) -> String {
    format!("s{}", section.id().get())
}

fn heading_of(section: Node<'_, '_>, words: Words) -> String {
    let title = child(section, "title").map(folded).filter(|title| !title.is_empty());
    let label = || child(section, "code").and_then(|code| code.attribute("displayName")).map(str::to_owned);
    title.or_else(label).unwrap_or_else(|| words.pick("Section sans titre", "Section without title").to_owned())
}

/// Long documents are entered by their table of contents.
fn contents(root: Node<'_, '_>, words: Words) -> Markup {
    let sections: Vec<_> = path(root, &["component", "structuredBody"]).into_iter().flat_map(sections_in).collect();
    html! {
        @if sections.len() > 1 {
            nav.contents aria-label=(words.pick("Sommaire", "Contents")) {
                ul {
                    @for section in &sections {
                        li { a href={ "#" (anchor(*section)) } { (heading_of(*section, words)) } }
                    }
                }
            }
        }
    }
}

fn body(root: Node<'_, '_>, files: &Files<'_, '_>, words: Words) -> Markup {
    if let Some(text) = path(root, &["component", "nonXMLBody", "text"]) {
        return files::whole(text, words);
    }
    let Some(body) = path(root, &["component", "structuredBody"]) else {
        return html! { p.alert role="alert" { (words.pick("Le document n'a pas de corps.", "The document has no body.")) } };
    };
    html! {
        @for section in sections_in(body) { (section_in(section, 2, files, words)) }
    }
}

fn section_in(node: Node<'_, '_>, depth: u8, files: &Files<'_, '_>, words: Words) -> Markup {
    let anchor = anchor(node);
    let heading = heading_of(node, words);
    let text = child(node, "text");
    html! {
        section id=(anchor) aria-labelledby={ (anchor) "t" } {
            (heading_at(depth, &format!("{anchor}t"), &heading))
            @if let Some(text) = text { div.narrative { (narrative::block(text, files, words)) } }
            (files.unreferenced(node, words))
            @for inner in sections_in(node) { (section_in(inner, depth.saturating_add(1), files, words)) }
        }
    }
}

fn heading_at(depth: u8, id: &str, text: &str) -> Markup {
    match depth {
        0..=2 => html! { h2 id=(id) { (text) } },
        3 => html! { h3 id=(id) { (text) } },
        4 => html! { h4 id=(id) { (text) } },
        5 => html! { h5 id=(id) { (text) } },
        _ => html! { h6 id=(id) { (text) } },
    }
}
