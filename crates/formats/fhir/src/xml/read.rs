//! XML to the tape. A tree first (no DTD, no entity, limits), then its elements grouped by name.

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::Bytes;
use socle_xml::roxmltree::{Attribute, Node};

use super::xhtml;
use super::{FHIR, ReadError, ReadErrorKind, XHTML};
use crate::definitions::{Child, JsonForm, PrimitiveKind, TypeId, TypeKind, Types, types};
use crate::tape::grow::{Growing, Span, TooMany};
use crate::tape::{Document, Format, Limits, NameId, OddityKind};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Reads a resource in XML under the default [`Limits`].
///
/// # Errors
/// [`ReadError`] with the place and the way to mend it.
pub fn read(bytes: impl Into<Bytes>) -> Result<Document, ReadError> {
    read_within(bytes, &Limits::default())
}

/// Reads a resource in XML under the given limits.
///
/// A document in another encoding than UTF-8 is read if its declaration is true; [`Document::bytes`] is then
/// its text in UTF-8, and positions are in that.
///
/// # Errors
/// As for [`read`].
pub fn read_within(bytes: impl Into<Bytes>, limits: &Limits) -> Result<Document, ReadError> {
    let bytes = bytes.into();
    let xml_limits = xml_limits(limits);
    let decoded = socle_xml::decode(&bytes, &xml_limits).map_err(|error| ReadError::xml(&bytes, &error))?;
    let text: &str = &decoded;
    let tree = socle_xml::parse(text, &xml_limits).map_err(|error| ReadError::xml(text.as_bytes(), &error))?;
    let root = tree.root_element();
    if root.tag_name().namespace() != Some(FHIR) {
        return Err(ReadError::at(ReadErrorKind::NotFhir, text.as_bytes(), root.range().start));
    }
    let is_borrowed = matches!(decoded.text, Cow::Borrowed(_));
    let skipped = if is_borrowed && decoded.bom { 3 } else { 0 };
    let mut reader = Reader { text, skipped, types: types(), out: Growing::new(text.len(), limits.nodes) };
    if decoded.bom {
        reader.out.odd(OddityKind::ByteOrderMark);
    }
    match reader.resource(NameId::NONE, root) {
        Ok(()) => {}
        Err(TooMany) => {
            return Err(ReadError::at(ReadErrorKind::TooManyValues { limit: limits.nodes }, text.as_bytes(), 0));
        }
    }
    let out = reader.out;
    let received = if is_borrowed { bytes.clone() } else { Bytes::copy_from_slice(text.as_bytes()) };
    Ok(out.finish(received, Format::Xml))
}

fn xml_limits(limits: &Limits) -> socle_xml::Limits {
    socle_xml::Limits {
        bytes: limits.bytes.min(u32::MAX as usize - 1),
        depth: limits.depth,
        // An element makes up to three nodes: itself and the white space around it.
        nodes: u32::try_from(limits.nodes.saturating_mul(3)).unwrap_or(u32::MAX),
        ..socle_xml::Limits::CDA
    }
}

struct Reader<'a> {
    text: &'a str,
    /// Bytes before the text in what was received.
    skipped: usize,
    types: &'static Types,
    out: Growing,
}

/// Elements of one name under one parent.
struct Group<'a, 'input> {
    name: NameId,
    child: Option<Child>,
    /// It stands after what should follow it, or its elements are not next to each other.
    is_late: bool,
    elements: Vec<Node<'a, 'input>>,
}

/// An element of a primitive type: its value, and the element itself when it has an id or extensions.
struct Primitive<'a, 'input> {
    element: Node<'a, 'input>,
    value: Option<Attribute<'a, 'input>>,
    has_more: bool,
}

impl Reader<'_> {
    /// An element that is named by its resource type.
    fn resource(&mut self, key: NameId, node: Node<'_, '_>) -> Result<(), TooMany> {
        let name = node.tag_name().name();
        self.open(key, node)?;
        // `<f:Patient`: the name ends where the qualified name does; what stands around it are its quotes.
        let tag = self.text.get(node.range().start..).unwrap_or_default();
        let end = tag.find(|sign: char| sign.is_ascii_whitespace() || matches!(sign, '/' | '>')).unwrap_or(tag.len());
        let span = self.span(node.range().start + end - name.len()..node.range().start + end);
        self.out.plain(NameId::RESOURCE_TYPE, span.start - 1..span.end + 1)?;
        self.members(self.types.resource(name), node, vec![NameId::RESOURCE_TYPE])?;
        self.close(node);
        Ok(())
    }

    fn object(&mut self, key: NameId, type_id: Option<TypeId>, node: Node<'_, '_>) -> Result<(), TooMany> {
        self.open(key, node)?;
        self.members(type_id, node, Vec::new())?;
        self.close(node);
        Ok(())
    }

    fn open(&mut self, key: NameId, node: Node<'_, '_>) -> Result<(), TooMany> {
        if node.children().any(|child| child.is_text() && !child.text().unwrap_or_default().trim().is_empty()) {
            self.out.odd(OddityKind::StrayText);
        }
        self.out.open_object(key, self.span(node.range()).start)
    }

    fn close(&mut self, node: Node<'_, '_>) {
        self.out.close(self.span(node.range()).end);
    }

    /// What an element that is an object holds. `used` are the names that its members have so far.
    fn members(&mut self, type_id: Option<TypeId>, node: Node<'_, '_>, mut used: Vec<NameId>) -> Result<(), TooMany> {
        for attribute in node.attributes().filter(|attribute| attribute.namespace() != Some(XSI)) {
            let name = self.out.name(attribute.name());
            if !self.is_new(&mut used, name) {
                continue;
            }
            if type_id.and_then(|id| self.types.child(id, name)).is_some_and(|child| !child.xml_attribute) {
                self.out.odd(OddityKind::XmlForm);
            }
            self.string(name, attribute)?;
        }
        self.elements(type_id, node, &mut used)
    }

    fn elements(&mut self, type_id: Option<TypeId>, node: Node<'_, '_>, used: &mut Vec<NameId>) -> Result<(), TooMany> {
        for group in self.groups(type_id, node) {
            if !self.is_new(used, group.name) {
                continue;
            }
            if group.is_late {
                self.out.odd(OddityKind::XmlOrder);
            }
            if group.child.is_some_and(|child| child.xml_attribute) {
                self.out.odd(OddityKind::XmlForm);
            }
            if group.elements.iter().any(|element| !self.is_at_home(*element, group.child)) {
                self.out.odd(OddityKind::ForeignNamespace);
            }
            self.group(&group, used)?;
        }
        Ok(())
    }

    /// An object has each name once, in JSON: a second one (an attribute and an element, `_name` as an element) is
    /// noted on the object and left out.
    fn is_new(&mut self, used: &mut Vec<NameId>, name: NameId) -> bool {
        let is_new = !used.contains(&name);
        if is_new {
            used.push(name);
        } else {
            self.out.odd_container(OddityKind::XmlTwice);
        }
        is_new
    }

    fn groups<'a, 'input>(&mut self, type_id: Option<TypeId>, node: Node<'a, 'input>) -> Vec<Group<'a, 'input>> {
        let mut groups: Vec<Group<'_, '_>> = Vec::new();
        let mut by_name = HashMap::new();
        let mut last = 0;
        for element in node.children().filter(Node::is_element) {
            let name = self.out.name(element.tag_name().name());
            let next = groups.len();
            let at = *by_name.entry(name).or_insert(next);
            if let Some(group) = groups.get_mut(at) {
                group.is_late |= at + 1 != next;
                group.elements.push(element);
                continue;
            }
            let child = type_id.and_then(|id| self.types.child(id, name)).copied();
            let order = child.map_or(last, |child| child.order);
            groups.push(Group { name, child, is_late: order < last, elements: vec![element] });
            last = last.max(order);
        }
        groups
    }

    fn is_at_home(&self, element: Node<'_, '_>, child: Option<Child>) -> bool {
        let is_div = child.is_some_and(|child| self.is_xhtml(child));
        element.tag_name().namespace() == Some(if is_div { XHTML } else { FHIR })
    }

    fn is_xhtml(&self, child: Child) -> bool {
        self.types.primitive(child.type_id) == Some(PrimitiveKind::Xhtml)
    }

    fn group(&mut self, group: &Group<'_, '_>, used: &mut Vec<NameId>) -> Result<(), TooMany> {
        let kind = group.child.map(|child| self.types.kind(child.type_id));
        match (group.child, kind) {
            (Some(child), _) if self.is_xhtml(child) => self.list(group, Self::div),
            (Some(child), Some(TypeKind::Primitive(kind))) => {
                self.primitives(group, Some(child.type_id), kind.json_form(), used)
            }
            (Some(child), Some(TypeKind::Resource)) => {
                self.list(group, |reader, key, element| reader.wrapped(key, child.type_id, element))
            }
            (Some(child), _) => {
                self.list(group, |reader, key, element| reader.object(key, Some(child.type_id), element))
            }
            (None, _) if group.elements.iter().all(is_like_a_primitive) => {
                self.primitives(group, None, JsonForm::String, used)
            }
            (None, _) => self.list(group, |reader, key, element| reader.object(key, None, element)),
        }
    }

    /// The elements of a group one by one: in an array where the definition makes one, or where there are
    /// several all the same.
    fn list(
        &mut self,
        group: &Group<'_, '_>,
        mut one: impl FnMut(&mut Self, NameId, Node<'_, '_>) -> Result<(), TooMany>,
    ) -> Result<(), TooMany> {
        let (Some(first), Some(last)) = (group.elements.first(), group.elements.last()) else { return Ok(()) };
        if !is_array(group) {
            return one(self, group.name, *first);
        }
        self.out.open_array(group.name, self.span(first.range()).start)?;
        for element in &group.elements {
            one(self, NameId::NONE, *element)?;
        }
        self.out.close(self.span(last.range()).end);
        Ok(())
    }

    /// `contained` and `resource` hold one element, which is named by its type.
    fn wrapped(&mut self, key: NameId, type_id: TypeId, wrapper: Node<'_, '_>) -> Result<(), TooMany> {
        let mut inside = wrapper.children().filter(Node::is_element);
        match (inside.next(), inside.next()) {
            (Some(resource), None) => self.resource(key, resource),
            _ => self.object(key, Some(type_id), wrapper),
        }
    }

    fn div(&mut self, key: NameId, div: Node<'_, '_>) -> Result<(), TooMany> {
        let text = xhtml::text_of(div, self.text);
        self.out.written(key, self.span(div.range()), &text)
    }

    fn primitives(
        &mut self,
        group: &Group<'_, '_>,
        type_id: Option<TypeId>,
        form: JsonForm,
        used: &mut Vec<NameId>,
    ) -> Result<(), TooMany> {
        let items: Vec<Primitive<'_, '_>> = group.elements.iter().map(primitive).collect();
        let array = is_array(group).then(|| self.span_of(group));
        if items.iter().any(|item| item.value.is_some()) {
            self.values(group.name, &items, array.clone(), form)?;
        }
        if items.iter().any(|item| item.has_more) {
            let companion = format!("_{}", self.out.text_of(group.name));
            let companion = self.out.name(&companion);
            if !self.is_new(used, companion) {
                return Ok(());
            }
            self.companions(companion, &items, array, type_id)?;
        }
        Ok(())
    }

    fn values(
        &mut self,
        name: NameId,
        items: &[Primitive<'_, '_>],
        array: Option<Span>,
        form: JsonForm,
    ) -> Result<(), TooMany> {
        let key = self.open_list(name, array.as_ref())?;
        for item in items {
            match item.value {
                Some(value) => self.value(key, value, form)?,
                None => self.out.null(self.span(item.element.range()).start)?,
            }
        }
        self.close_list(array);
        Ok(())
    }

    fn companions(
        &mut self,
        name: NameId,
        items: &[Primitive<'_, '_>],
        array: Option<Span>,
        type_id: Option<TypeId>,
    ) -> Result<(), TooMany> {
        let key = self.open_list(name, array.as_ref())?;
        for item in items {
            if !item.has_more {
                self.out.null(self.span(item.element.range()).start)?;
                continue;
            }
            self.open(key, item.element)?;
            let mut used = Vec::new();
            for attribute in item.element.attributes().filter(|attribute| attribute.name() != "value") {
                let name = self.out.name(attribute.name());
                if self.is_new(&mut used, name) {
                    self.string(name, attribute)?;
                }
            }
            self.elements(type_id, item.element, &mut used)?;
            self.close(item.element);
        }
        self.close_list(array);
        Ok(())
    }

    /// Opens the array, if there is one, and says how its items are called.
    fn open_list(&mut self, name: NameId, array: Option<&Span>) -> Result<NameId, TooMany> {
        let Some(span) = array else { return Ok(name) };
        self.out.open_array(name, span.start)?;
        Ok(NameId::NONE)
    }

    fn close_list(&mut self, array: Option<Span>) {
        if let Some(span) = array {
            self.out.close(span.end);
        }
    }

    /// A value as JSON would write it; one that is no boolean or number stays a string, for the validator.
    fn value(&mut self, key: NameId, attribute: Attribute<'_, '_>, form: JsonForm) -> Result<(), TooMany> {
        let span = self.span(attribute.range_value());
        let is_as_written = self.text.get(attribute.range_value()) == Some(attribute.value());
        match (form, attribute.value()) {
            (JsonForm::Boolean, "true" | "false") if is_as_written => {
                self.out.boolean(key, span, attribute.value() == "true")
            }
            (JsonForm::Number, number) if is_as_written && is_number(number) => self.out.number(key, span),
            _ => self.string(key, attribute),
        }
    }

    fn string(&mut self, key: NameId, attribute: Attribute<'_, '_>) -> Result<(), TooMany> {
        let span = self.span(attribute.range_value());
        let is_as_written = self.text.get(attribute.range_value()) == Some(attribute.value());
        if is_as_written {
            return self.out.plain(key, span.start - 1..span.end + 1);
        }
        self.out.written(key, span, attribute.value())
    }

    fn span_of(&self, group: &Group<'_, '_>) -> Span {
        let start = group.elements.first().map_or(0, |first| self.span(first.range()).start);
        start..group.elements.last().map_or(start, |last| self.span(last.range()).end)
    }

    const fn span(&self, range: Span) -> Span {
        range.start + self.skipped..range.end + self.skipped
    }
}

fn is_array(group: &Group<'_, '_>) -> bool {
    group.child.is_some_and(|child| child.many) || group.elements.len() > 1
}

fn primitive<'a, 'input>(element: &Node<'a, 'input>) -> Primitive<'a, 'input> {
    let value = element.attribute_node("value");
    let has_more = element.attributes().any(|attribute| attribute.name() != "value")
        || element.children().any(|child| child.is_element());
    Primitive { element: *element, value, has_more: has_more || value.is_none() }
}

/// Of an element that R4 does not have: it has a value, and nothing but extensions inside.
fn is_like_a_primitive(element: &Node<'_, '_>) -> bool {
    let mut inside = element.children().filter(Node::is_element);
    element.attribute("value").is_some() && inside.all(|child| child.tag_name().name() == "extension")
}

/// RFC 8259 §6, which is also the pattern of `decimal` (FHIR R4 §2.24.0.1).
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(is_digits)
}
