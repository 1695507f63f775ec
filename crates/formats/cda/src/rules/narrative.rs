//! The narrative block: only what NarrativeBlock.xsd knows, nothing that acts, every reference resolved.

use socle_finding::{Rule, Severity, Text};
use socle_xml::roxmltree::Node;

use super::{CDA_R2, Ids};
use crate::document::HL7_V3;
use crate::finding::{Findings, at};
use crate::header::text;

const ELEMENTS: [&str; 22] = [
    "br",
    "caption",
    "col",
    "colgroup",
    "content",
    "footnote",
    "footnoteRef",
    "item",
    "linkHtml",
    "list",
    "paragraph",
    "renderMultiMedia",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "text",
    "tfoot",
    "th",
    "thead",
    "tr",
];

/// Where a link of a document may lead.
const SCHEMES: [&str; 5] = ["http:", "https:", "mailto:", "tel:", "urn:"];

/// Does a link lead to one of those, or inside the document?
pub(crate) fn is_safe_link(href: &str) -> bool {
    let href = href.trim();
    let has_scheme = href.split(['/', '?', '#']).next().is_some_and(|head| head.contains(':'));
    let lower = href.to_ascii_lowercase();
    !href.chars().any(char::is_control) && (!has_scheme || SCHEMES.iter().any(|scheme| lower.starts_with(scheme)))
}

/// Judges a `text` of a section.
pub(super) fn judge(block: Node<'_, '_>, ids: &Ids<'_>, found: &mut Findings) {
    for node in block.descendants().filter(Node::is_element) {
        let name = node.tag_name();
        if name.namespace() != Some(HL7_V3) || !ELEMENTS.contains(&name.name()) {
            foreign(node, found);
            continue;
        }
        for attribute in node.attributes() {
            judge_attribute(node, attribute.name(), attribute.value(), found);
        }
        match name.name() {
            "renderMultiMedia" => judge_media(node, ids, found),
            "linkHtml" => judge_link(node, ids, found),
            _ => {}
        }
    }
}

/// Nothing to read and nothing to see.
pub(super) fn is_empty(block: Node<'_, '_>) -> bool {
    block.descendants().all(|node| {
        let says = node.is_text() && node.text().is_some_and(|text| !text.trim().is_empty());
        !says && node.tag_name().name() != "renderMultiMedia"
    })
}

fn foreign(node: Node<'_, '_>, found: &mut Findings) {
    found.error(
        Rule::fixed(CDA_R2, "NarrativeBlock, éléments"),
        at(node),
        text(
            "le texte contient un élément qui n'est pas du bloc narratif (HTML, script…)",
            "the text holds an element that is not of the narrative block (HTML, script…)",
        ),
        text(
            "n'utilisez que paragraph, content, list, table, br, linkHtml, renderMultiMedia…",
            "use paragraph, content, list, table, br, linkHtml, renderMultiMedia… only",
        ),
    );
}

fn judge_attribute(node: Node<'_, '_>, name: &str, value: &str, found: &mut Findings) {
    let acts = name.len() > 2 && name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("on"));
    let lower = value.to_ascii_lowercase();
    let styled = name == "style" || (name != "href" && (lower.contains("url(") || lower.contains("expression(")));
    if acts || styled {
        found.error(
            Rule::fixed(CDA_R2, "NarrativeBlock, attributs"),
            at(node),
            text(
                "le texte contient un attribut qui agit ou va chercher ailleurs (on…, style, url)",
                "the text holds an attribute that acts or fetches (on…, style, url)",
            ),
            text("retirez cet attribut ; styleCode suffit", "remove this attribute; styleCode is enough"),
        );
    }
}

fn judge_media(node: Node<'_, '_>, ids: &Ids<'_>, found: &mut Findings) {
    let objects = node.attribute("referencedObject").unwrap_or_default();
    if objects.split_whitespace().all(|id| ids.has(id)) && !objects.trim().is_empty() {
        return;
    }
    unresolved(node, Severity::Warning, found);
}

fn judge_link(node: Node<'_, '_>, ids: &Ids<'_>, found: &mut Findings) {
    let href = node.attribute("href").unwrap_or_default().trim();
    if let Some(id) = href.strip_prefix('#') {
        if !id.is_empty() && !ids.has(id) {
            unresolved(node, Severity::Warning, found);
        }
    } else if !is_safe_link(href) {
        found.error(
            Rule::fixed(CDA_R2, "NarrativeBlock, linkHtml/@href"),
            at(node),
            text(
                "un lien mène à autre chose qu'une adresse web, de courriel ou de téléphone",
                "a link leads to something else than a web, mail or telephone address",
            ),
            text("utilisez https:, mailto:, tel: ou #identifiant", "use https:, mailto:, tel: or #identifier"),
        );
    }
}

/// `reference/@value="#x"`, of an entry to its narrative.
pub(super) fn judge_reference(node: Node<'_, '_>, ids: &Ids<'_>, found: &mut Findings) {
    let Some(id) = node.attribute("value").and_then(|value| value.trim().strip_prefix('#')) else { return };
    if !ids.has(id) {
        unresolved(node, Severity::Warning, found);
    }
}

fn unresolved(node: Node<'_, '_>, severity: Severity, found: &mut Findings) {
    found.add(
        severity,
        Rule::fixed(CDA_R2, "références internes"),
        at(node),
        text("la référence ne mène à aucun élément du document", "the reference leads to no element of the document"),
        text(
            "donnez un attribut ID à l'élément visé, ou corrigez la référence",
            "give the target an ID, or mend the reference",
        ),
    );
}

pub(super) fn double_id(node: Node<'_, '_>, found: &mut Findings) {
    found.error(
        Rule::fixed(CDA_R2, "ID, xs:ID"),
        at(node),
        text("deux éléments ont le même ID", "two elements have the same ID"),
        Text::fixed("donnez à chacun le sien", "give each its own"),
    );
}

#[cfg(test)]
mod tests {
    use super::is_safe_link;

    #[test]
    fn links_lead_to_pages_mail_telephone_or_inside() {
        for safe in
            ["https://esante.gouv.fr/a:b", "HTTP://x", "mailto:a@b.fr", "tel:0123", "#x", "page/1:2", "urn:oid:1.2"]
        {
            assert!(is_safe_link(safe), "{safe}");
        }
        for hostile in [
            "javascript:alert(1)",
            " JaVaScript:x",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "java\nscript:x",
            "blob:x",
        ] {
            assert!(!is_safe_link(hostile), "{hostile}");
        }
    }
}
