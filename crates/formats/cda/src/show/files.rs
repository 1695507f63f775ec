//! Files of a document in the page: images and PDF seen, the others offered, all inside the page itself.
//!
//! The type is that of the bytes, one of a short list: a document that says `text/html` gets nothing run.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use socle_xml::roxmltree::Node;

use super::Words;
use crate::document::{HL7_V3, child, media_type_of, payload_of};

/// What a file is, from its first bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    media_type: &'static str,
    extension: &'static str,
    /// Browsers show it as an image.
    image: bool,
}

const fn kind(media_type: &'static str, extension: &'static str, image: bool) -> Kind {
    Kind { media_type, extension, image }
}

const PDF: Kind = kind("application/pdf", "pdf", false);

fn kind_of(bytes: &[u8]) -> Kind {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if memchr::memmem::find(&bytes[..bytes.len().min(1024)], b"%PDF-").is_some() {
        PDF
    } else if starts(&[0xFF, 0xD8, 0xFF]) {
        kind("image/jpeg", "jpg", true)
    } else if starts(b"\x89PNG\r\n\x1a\n") {
        kind("image/png", "png", true)
    } else if starts(b"GIF8") {
        kind("image/gif", "gif", true)
    } else if starts(b"II*\0") || starts(b"MM\0*") {
        kind("image/tiff", "tif", false)
    } else if starts(b"{\\rtf") {
        kind("application/rtf", "rtf", false)
    } else {
        kind("application/octet-stream", "bin", false)
    }
}

/// Beyond this size a PDF is offered and not shown: it would be twice in the page.
const SHOWN_INLINE: usize = 8 << 20;

/// The `observationMedia` of a document by ID, and which ones the narrative calls.
pub(super) struct Files<'a, 'i> {
    by_id: HashMap<&'a str, Node<'a, 'i>>,
    /// Places in the tree.
    called: HashSet<u32>,
}

impl<'a, 'i> Files<'a, 'i> {
    pub(super) fn of(root: Node<'a, 'i>) -> Self {
        let mut by_id = HashMap::new();
        let mut called_ids: HashSet<&str> = HashSet::new();
        for node in root.descendants().filter(|node| node.tag_name().namespace() == Some(HL7_V3)) {
            match node.tag_name().name() {
                "observationMedia" | "regionOfInterest" => {
                    if let Some(id) = node.attribute("ID") {
                        by_id.insert(id, node);
                    }
                }
                "renderMultiMedia" => {
                    called_ids.extend(node.attribute("referencedObject").unwrap_or_default().split_whitespace());
                }
                _ => {}
            }
        }
        let called = called_ids.iter().filter_map(|id| by_id.get(id)).filter_map(|node| media_of(*node));
        let called = called.map(|node| node.id().get()).collect();
        Self { by_id, called }
    }

    /// The file that a `renderMultiMedia` calls.
    pub(super) fn called(&self, id: &str) -> Option<Node<'a, 'i>> {
        media_of(*self.by_id.get(id)?)
    }

    /// Files among the entries of a section that its text does not call: they are in the document, so they
    /// are shown.
    pub(super) fn unreferenced(&self, section: Node<'_, '_>, words: Words) -> Markup {
        let is_of = |node: &Node<'_, '_>| {
            let owner = node.ancestors().find(|parent| parent.has_tag_name((HL7_V3, "section")));
            owner == Some(section) && !self.called.contains(&node.id().get())
        };
        let entries = section.children().filter(|node| node.has_tag_name((HL7_V3, "entry")));
        let all = entries.flat_map(|entry| entry.descendants());
        let media: Vec<_> = all.filter(|node| node.has_tag_name((HL7_V3, "observationMedia"))).filter(is_of).collect();
        html! {
            @for node in media { figure { (embedded(node, None, words)) } }
        }
    }
}

/// An `observationMedia`, or the one of which a region is marked.
fn media_of<'a, 'i>(node: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    node.descendants().find(|inner| inner.has_tag_name((HL7_V3, "observationMedia")))
}

/// The file of an `observationMedia`.
pub(super) fn embedded(media: Node<'_, '_>, caption: Option<&str>, words: Words) -> Markup {
    let Some(value) = child(media, "value") else { return lost(words) };
    let Ok(bytes) = payload_of(value) else { return lost(words) };
    if bytes.is_empty() {
        return lost(words);
    }
    file(&bytes, caption, words)
}

/// The file of a niveau 1 document.
pub(super) fn whole(text: Node<'_, '_>, words: Words) -> Markup {
    let Ok(bytes) = payload_of(text) else { return lost(words) };
    if media_type_of(text) == "text/plain" {
        let words_of_it = String::from_utf8(bytes).unwrap_or_else(|error| {
            // Latin-1, the other encoding of French text.
            error.as_bytes().iter().map(|b| char::from(*b)).collect()
        });
        return html! { pre { (printable(&words_of_it)) } };
    }
    let shown_inside = kind_of(&bytes) == PDF && bytes.len() <= SHOWN_INLINE;
    html! {
        (file(&bytes, None, words))
        @if shown_inside {
            object.pdf type="application/pdf" data=(address(PDF, &bytes))
                aria-label=(words.pick("Le document PDF", "The PDF document")) {
                p { (words.pick("Ce navigateur n'affiche pas les PDF : enregistrez le fichier par le lien ci-dessus.",
                    "This browser does not show PDF: save the file by the link above.")) }
            }
        }
    }
}

/// Control characters would be drawn as nothing; tabs and ends of line stay.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t' | '\r') { '\u{FFFD}' } else { c }).collect()
}

fn file(bytes: &[u8], caption: Option<&str>, words: Words) -> Markup {
    let kind = kind_of(bytes);
    let address = address(kind, bytes);
    if kind.image {
        let alt = caption
            .unwrap_or(words.pick("Image du document, sans description", "Image of the document, without description"));
        return html! { img src=(address) alt=(alt); };
    }
    let what = match kind.extension {
        "pdf" => "PDF",
        "tif" => "TIFF",
        "rtf" => "RTF",
        _ => words.pick("fichier", "file"),
    };
    html! {
        p.file {
            a href=(address) download={ "document." (kind.extension) } {
                (words.pick("Enregistrer le fichier", "Save the file")) " (" (what) ", " (size(bytes.len(), words)) ")"
            }
        }
    }
}

fn address(kind: Kind, bytes: &[u8]) -> String {
    format!("data:{};base64,{}", kind.media_type, STANDARD.encode(bytes))
}

fn size(bytes: usize, words: Words) -> String {
    let kilo = bytes.div_ceil(1024);
    if kilo < 1024 {
        return format!("{kilo} {}", words.pick("Ko", "KB"));
    }
    format!("{} {}", kilo.div_ceil(1024), words.pick("Mo", "MB"))
}

fn lost(words: Words) -> Markup {
    html! { p.alert { (words.pick("Un fichier du document ne peut pas être lu.", "A file of the document cannot be read.")) } }
}
