//! The tape to XML, members in the order of the definitions.

use super::xhtml;
use super::{FHIR, WriteError, WriteErrorKind};
use crate::definitions::{Child, PrimitiveKind, TypeId, TypeKind, Types, types};
use crate::tape::{Kind, NameId, Node};

/// Writes a resource as an XML document, without white space between the elements.
///
/// # Errors
/// [`WriteError`]: what R4 does not have, or XML cannot carry.
pub fn write(resource: Node<'_>) -> Result<String, WriteError> {
    let mut writer = Writer { types: types(), out: String::with_capacity(resource.raw().len() * 2) };
    writer.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    writer.resource(resource, true)?;
    Ok(writer.out)
}

struct Writer {
    types: &'static Types,
    out: String,
}

/// A member of an object, with its `_name`.
struct Member<'a> {
    child: Child,
    name: &'static str,
    value: Option<Node<'a>>,
    companion: Option<Node<'a>>,
}

impl Writer {
    fn resource(&mut self, node: Node<'_>, is_root: bool) -> Result<(), WriteError> {
        let type_id = node.resource_type().and_then(|name| self.types.resource(name));
        let type_id = type_id.ok_or_else(|| WriteError::at(WriteErrorKind::NotAResource, node))?;
        let name = self.types.name(type_id);
        self.out.push('<');
        self.out.push_str(name);
        if is_root {
            self.out.push_str(" xmlns=\"");
            self.out.push_str(FHIR);
            self.out.push('"');
        }
        self.content(type_id, name, node)
    }

    /// The attributes and elements of an open start tag, and its end.
    fn content(&mut self, type_id: TypeId, name: &str, node: Node<'_>) -> Result<(), WriteError> {
        let members = self.members(type_id, node)?;
        let (attributes, elements): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.child.xml_attribute);
        for member in attributes {
            self.attribute(member.name, member.value.ok_or_else(|| WriteError::at(WriteErrorKind::Shape, node))?)?;
        }
        if elements.is_empty() {
            self.out.push_str("/>");
            return Ok(());
        }
        self.out.push('>');
        for member in elements {
            self.member(member)?;
        }
        self.end(name);
        Ok(())
    }

    /// The members in the order of the definition, each with its `_name`.
    fn members<'a>(&self, type_id: TypeId, node: Node<'a>) -> Result<Vec<Member<'a>>, WriteError> {
        if node.kind() != Kind::Object {
            return Err(WriteError::at(WriteErrorKind::Shape, node));
        }
        let is_resource = self.types.kind(type_id) == TypeKind::Resource;
        let mut members: Vec<Member<'a>> = Vec::new();
        for (_, value) in node.members() {
            let id = value.name_id();
            if is_resource && id == NameId::RESOURCE_TYPE {
                continue;
            }
            let base = id.companion_of();
            let child = self.types.child(type_id, base.unwrap_or(id));
            let (Some(child), Some(name)) = (child, base.unwrap_or(id).text()) else {
                return Err(WriteError::at(WriteErrorKind::UnknownElement, value));
            };
            let at = members.iter().position(|member| member.child.name == child.name).unwrap_or(members.len());
            if at == members.len() {
                members.push(Member { child: *child, name, value: None, companion: None });
            }
            if let Some(member) = members.get_mut(at) {
                *(if base.is_some() { &mut member.companion } else { &mut member.value }) = Some(value);
            }
        }
        members.sort_by_key(|member| member.child.order);
        Ok(members)
    }

    fn member(&mut self, member: &Member<'_>) -> Result<(), WriteError> {
        let type_id = member.child.type_id;
        match (self.types.kind(type_id), member.value, member.companion) {
            (TypeKind::Primitive(PrimitiveKind::Xhtml), Some(div), None) => self.div(div),
            (TypeKind::Primitive(_), value, companion) => self.primitives(member, value, companion),
            (_, Some(value), None) => self.each(value, |writer, node| writer.element(member.name, type_id, node)),
            (_, _, Some(wrong)) => Err(WriteError::at(WriteErrorKind::UnknownElement, wrong)),
            (_, None, None) => Ok(()),
        }
    }

    fn each(
        &mut self,
        value: Node<'_>,
        one: impl Fn(&mut Self, Node<'_>) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        if value.kind() == Kind::Array {
            return value.items().try_for_each(|item| one(self, item));
        }
        one(self, value)
    }

    fn element(&mut self, name: &str, type_id: TypeId, node: Node<'_>) -> Result<(), WriteError> {
        self.out.push('<');
        self.out.push_str(name);
        if self.types.kind(type_id) != TypeKind::Resource {
            return self.content(type_id, name, node);
        }
        self.out.push('>');
        self.resource(node, false)?;
        self.end(name);
        Ok(())
    }

    fn primitives(
        &mut self,
        member: &Member<'_>,
        value: Option<Node<'_>>,
        companion: Option<Node<'_>>,
    ) -> Result<(), WriteError> {
        let is_array = |node: Option<Node<'_>>| node.is_some_and(|node| node.kind() == Kind::Array);
        if !is_array(value) && !is_array(companion) {
            return self.primitive(member, value, companion);
        }
        let alone = [value, companion].into_iter().flatten().find(|node| node.kind() != Kind::Array);
        if let Some(node) = alone {
            return Err(WriteError::at(WriteErrorKind::Shape, node));
        }
        let items = |node: Option<Node<'_>>| node.map_or(0, |node| node.items().count());
        let (mut values, mut companions) = (value.map(Node::items), companion.map(Node::items));
        for _ in 0..items(value).max(items(companion)) {
            let value = values.as_mut().and_then(Iterator::next);
            let companion = companions.as_mut().and_then(Iterator::next);
            self.primitive(member, value, companion)?;
        }
        Ok(())
    }

    fn primitive(
        &mut self,
        member: &Member<'_>,
        value: Option<Node<'_>>,
        companion: Option<Node<'_>>,
    ) -> Result<(), WriteError> {
        let there = |node: &Node<'_>| node.kind() != Kind::Null;
        self.out.push('<');
        self.out.push_str(member.name);
        if let Some(value) = value.filter(there) {
            self.attribute("value", value)?;
        }
        match companion.filter(there) {
            Some(companion) => self.content(member.child.type_id, member.name, companion),
            None => {
                self.out.push_str("/>");
                Ok(())
            }
        }
    }

    fn attribute(&mut self, name: &str, value: Node<'_>) -> Result<(), WriteError> {
        let text = match value.kind() {
            Kind::String => value.str().unwrap_or_default(),
            Kind::Number | Kind::Boolean => value.raw(),
            _ => return Err(WriteError::at(WriteErrorKind::Shape, value)),
        };
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        let is_written = escape(&mut self.out, text);
        self.out.push('"');
        if is_written { Ok(()) } else { Err(WriteError::at(WriteErrorKind::Character, value)) }
    }

    fn div(&mut self, div: Node<'_>) -> Result<(), WriteError> {
        let element = div.str().and_then(xhtml::element_of);
        self.out.push_str(&element.ok_or_else(|| WriteError::at(WriteErrorKind::Narrative, div))?);
        Ok(())
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

/// Text of an attribute in double quotes. White space other than a blank would be normalised by a reader
/// (XML 1.0 §3.3.3): it is written as references. False when a character is none of XML's.
fn escape(out: &mut String, text: &str) -> bool {
    let mut from = 0;
    for (at, sign) in text.char_indices() {
        let reference = match sign {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\n' => "&#10;",
            '\r' => "&#13;",
            '\t' => "&#9;",
            '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => return false,
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(reference);
        from = at + sign.len_utf8();
    }
    out.push_str(&text[from..]);
    true
}
