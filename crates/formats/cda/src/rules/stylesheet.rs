//! Stylesheets that travel with a document. Socle runs none; other readers do.
//!
//! Source: CI-SIS, volet Structuration minimale V1.16.8 (form *autoprésentable*; the DMP takes no document
//! whose stylesheet is another file).

use socle_finding::{Location, Text};
use socle_xml::roxmltree::Node;

use crate::document::HL7_V3;
use crate::finding::{Findings, at};
use crate::header::{rule, text};

const XSLT: &str = "http://www.w3.org/1999/XSL/Transform";

pub(super) fn judge(root: Node<'_, '_>, found: &mut Findings) {
    let tree = root.document();
    for node in tree.root().children() {
        if let Some(instruction) = node.pi().filter(|pi| pi.target == "xml-stylesheet") {
            judge_instruction(instruction.value.unwrap_or_default(), found);
        }
    }
    let outer = tree.root_element();
    if outer.tag_name().namespace() == Some(XSLT) {
        judge_embedded(outer, found);
    }
}

fn judge_instruction(value: &str, found: &mut Findings) {
    let href = pseudo_attribute(value, "href").unwrap_or_default();
    if href.is_empty() || href.starts_with('#') {
        return;
    }
    let place = Location { path: "processing-instruction(xml-stylesheet)".to_owned(), line: Some(1), column: None };
    let remote = href.contains(':') || href.starts_with("//");
    if remote {
        found.error(
            rule("feuille de style distante"),
            place,
            text(
                "le document demande une feuille de style à un autre serveur",
                "the document asks another server for a stylesheet",
            ),
            text("retirez l'instruction xml-stylesheet", "remove the instruction xml-stylesheet"),
        );
    } else {
        found.note(
            rule("feuille de style séparée"),
            place,
            text(
                "le document demande une feuille de style d'un autre fichier : le DMP ne l'accepte pas",
                "the document asks for a stylesheet of another file: the DMP does not take it",
            ),
            text("retirez l'instruction xml-stylesheet", "remove the instruction xml-stylesheet"),
        );
    }
}

/// `href="…"` of a processing instruction.
fn pseudo_attribute<'v>(value: &'v str, name: &str) -> Option<&'v str> {
    let after = value.split_once(name)?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    after[1..].split(quote).next()
}

/// An embedded stylesheet must not fetch; its scripts are told, since readers that run it run them.
fn judge_embedded(outer: Node<'_, '_>, found: &mut Findings) {
    let mut scripts = None;
    for node in outer.descendants().filter(Node::is_element) {
        let name = node.tag_name();
        if name.namespace() == Some(HL7_V3) && name.name() == "ClinicalDocument" {
            continue;
        }
        let imports = name.namespace() == Some(XSLT) && matches!(name.name(), "import" | "include");
        let reads = node.attributes().any(|attribute| is_remote_call(attribute.value()));
        if imports || reads {
            fetches(node, found);
        }
        if name.namespace() != Some(HL7_V3) && name.name().eq_ignore_ascii_case("script") {
            scripts = scripts.or(Some(node));
        }
    }
    if let Some(node) = scripts {
        found.warning(
            rule("feuille de style embarquée, script"),
            at(node),
            text("la feuille de style embarquée contient un script", "the embedded stylesheet holds a script"),
            text(
                "retirez-le ; la forme autoprésentable est dépréciée",
                "remove it; the self-presenting form is deprecated",
            ),
        );
    }
}

/// `document('http://…')`, `unparsed-text('//…')`.
fn is_remote_call(value: &str) -> bool {
    ["document(", "doc(", "unparsed-text("].iter().any(|call| {
        value.match_indices(call).any(|(at, _)| {
            let argument = value[at + call.len()..].trim_start().trim_start_matches(['\'', '"']);
            ["http:", "https:", "file:", "ftp:", "//"].iter().any(|scheme| argument.starts_with(scheme))
        })
    })
}

fn fetches(node: Node<'_, '_>, found: &mut Findings) {
    found.error(
        rule("feuille de style embarquée, accès externe"),
        at(node),
        text(
            "la feuille de style embarquée va chercher un autre fichier",
            "the embedded stylesheet fetches another file",
        ),
        Text::fixed(
            "embarquez tout dans le document, ou retirez la feuille",
            "embed all in the document, or remove the stylesheet",
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_stylesheet_is_read_whatever_the_quotes() {
        assert_eq!(pseudo_attribute("type=\"text/xsl\" href=\"#\"", "href"), Some("#"));
        assert_eq!(pseudo_attribute("href = 'a b'", "href"), Some("a b"));
        assert_eq!(pseudo_attribute("type='text/xsl'", "href"), None);
        assert!(is_remote_call("document('http://x')") && is_remote_call("a | doc( \"//x\")"));
        assert!(!is_remote_call("document('')/a") && !is_remote_call("http://www.w3.org/1999/xhtml"));
    }
}
