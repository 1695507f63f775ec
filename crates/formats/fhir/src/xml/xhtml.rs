//! The element of a narrative as the string that JSON has for it, and back.

use std::fmt::Write;

use socle_xml::roxmltree::{Node, NodeType};
use socle_xml::{Limits, write::escaped};

use super::XHTML;

/// The string of a `div`. It is the received text when that stands alone as it is: it declares its namespace
/// itself and uses no prefix. Otherwise it is written anew, with the namespace on `div`.
pub(super) fn text_of(div: Node<'_, '_>, text: &str) -> String {
    let source = text.get(div.range()).unwrap_or_default();
    if stands_alone(div, source) {
        // What XML normalises is written as a reference ([`element_of`]); JSON has the character itself.
        return if source.contains("&#13;") { source.replace("&#13;", "\r") } else { source.to_owned() };
    }
    let mut out = String::with_capacity(source.len() + 48);
    write_node(&mut out, div, true);
    out
}

fn stands_alone(div: Node<'_, '_>, source: &str) -> bool {
    let tag = &source[..source.find('>').unwrap_or(source.len())];
    let has_prefix = |name: &str| name.contains(':');
    let declares =
        tag.contains("xmlns=\"http://www.w3.org/1999/xhtml\"") || tag.contains("xmlns='http://www.w3.org/1999/xhtml'");
    let names = div.descendants().filter(Node::is_element);
    declares
        && !source.contains('\r')
        && !has_prefix(tag.split_ascii_whitespace().next().unwrap_or_default())
        && names.into_iter().all(|node| {
            node.tag_name().namespace() == Some(XHTML)
                && node.attributes().all(|attribute| {
                    matches!(attribute.namespace(), None | Some("http://www.w3.org/XML/1998/namespace"))
                })
                && !has_prefix(source_name(node, source, div))
        })
}

fn source_name<'s>(node: Node<'_, '_>, source: &'s str, div: Node<'_, '_>) -> &'s str {
    let start = node.range().start - div.range().start + 1;
    let rest = source.get(start..).unwrap_or_default();
    &rest[..rest.find(|sign: char| sign.is_ascii_whitespace() || matches!(sign, '/' | '>')).unwrap_or(rest.len())]
}

/// As deep as the document, which has a limit.
fn write_node(out: &mut String, node: Node<'_, '_>, is_outermost: bool) {
    match node.node_type() {
        NodeType::Text => out.push_str(&text_escaped(node.text().unwrap_or_default())),
        NodeType::Element => write_element(out, node, is_outermost),
        _ => {}
    }
}

fn write_element(out: &mut String, node: Node<'_, '_>, is_outermost: bool) {
    let name = node.tag_name().name();
    out.push('<');
    out.push_str(name);
    if is_outermost {
        // Writing to memory does not fail.
        let _ = write!(out, " xmlns=\"{}\"", node.tag_name().namespace().unwrap_or_default());
    }
    for attribute in node.attributes() {
        let prefix = if attribute.namespace().is_some() { "xml:" } else { "" };
        let _ = write!(out, " {prefix}{}=\"{}\"", attribute.name(), escaped(attribute.value()));
    }
    if !node.has_children() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    node.children().for_each(|child| write_node(out, child, false));
    let _ = write!(out, "</{name}>");
}

fn text_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The string of a `div` as the element that XML has for it; none when it is not the XHTML that it must be.
pub(super) fn element_of(string: &str) -> Option<String> {
    let text = if string.contains('\r') { string.replace('\r', "&#13;") } else { string.to_owned() };
    let tree = socle_xml::parse(&text, &Limits::default()).ok()?;
    let root = tree.root_element();
    let is_alone = tree.root().children().count() == 1 && root.range() == (0..text.len());
    (is_alone && tree.descendants().all(|node| has_names(node, &text)) && root.has_tag_name((XHTML, "div")))
        .then_some(())?;
    Some(text)
}

/// Are its names names? The parser lets an empty prefix pass (`<:div>`), which no other one would read again.
fn has_names(node: Node<'_, '_>, text: &str) -> bool {
    let begins = |at: usize, with: &str| text.get(at..).is_some_and(|rest| rest.starts_with(with));
    !node.is_element()
        || !begins(node.range().start, "<:") && !node.attributes().any(|one| begins(one.range().start, ":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_parser_reads_again_is_an_element() {
        let rows = [
            ("<div xmlns='http://www.w3.org/1999/xhtml'><p>a</p></div>", true),
            ("<:div xmlns='http://www.w3.org/1999/xhtml'></:div>", false),
            ("<div xmlns='http://www.w3.org/1999/xhtml'><:p/></div>", false),
            ("<div xmlns='http://www.w3.org/1999/xhtml'><p :title='a'/></div>", false),
            ("<div xmlns='http://www.w3.org/1999/xhtml'/><p/>", false),
            ("<div>a</div>", false),
            ("a", false),
        ];
        for (text, is_one) in rows {
            assert_eq!(element_of(text).is_some(), is_one, "{text}");
        }
    }
}
