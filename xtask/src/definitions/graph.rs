//! The table of names and types: which member of which type is what, for every type of R4.
//!
//! A type is a datatype, a resource, or an element with members of its own (`Patient.contact`).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::Resource;

/// Names that the code of the product knows by number; they come first, in this order.
const WELL_KNOWN: [&str; 24] = [
    "resourceType",
    "id",
    "extension",
    "modifierExtension",
    "url",
    "value",
    "meta",
    "implicitRules",
    "language",
    "text",
    "div",
    "status",
    "contained",
    "profile",
    "reference",
    "identifier",
    "system",
    "code",
    "display",
    "coding",
    "type",
    "entry",
    "resource",
    "fullUrl",
];

/// Their place is their number in the tables.
const PRIMITIVES: [&str; 20] = [
    "base64Binary",
    "boolean",
    "canonical",
    "code",
    "date",
    "dateTime",
    "decimal",
    "id",
    "instant",
    "integer",
    "markdown",
    "oid",
    "positiveInt",
    "string",
    "time",
    "unsignedInt",
    "uri",
    "url",
    "uuid",
    "xhtml",
];
const FIRST_PRIMITIVE: u8 = 16;

/// The bytes of the table, and what to say of it.
pub(super) struct Graph {
    pub(super) bytes: Vec<u8>,
    names: usize,
    types: usize,
    children: usize,
}

impl Graph {
    pub(super) fn summary(&self) -> String {
        format!("{} names, {} types, {} members", self.names, self.types, self.children)
    }
}

struct Type<'a> {
    name: String,
    kind: u8,
    is_abstract: bool,
    /// The type that it specializes.
    parent: Option<String>,
    /// The datatype or resource whose snapshot defines it.
    root: &'a str,
    element: usize,
    children: Vec<Child>,
}

struct Child {
    name: String,
    base: String,
    type_name: String,
    flags: u8,
    element: usize,
}

const MANY: u8 = 1;
const CHOICE: u8 = 2;
const XML_ATTRIBUTE: u8 = 4;
const REQUIRED: u8 = 8;

pub(super) fn build(resources: &[Resource]) -> anyhow::Result<Graph> {
    let mut types = Vec::new();
    for resource in resources.iter().filter(|resource| is_type(&resource.body)) {
        types_of(&resource.body, &mut types).with_context(|| resource.id.clone())?;
    }
    write(&types)
}

fn is_type(body: &Value) -> bool {
    body["resourceType"] == "StructureDefinition" && body["kind"] != "logical" && body["derivation"] != "constraint"
}

fn types_of<'a>(body: &'a Value, types: &mut Vec<Type<'a>>) -> anyhow::Result<()> {
    let root = body["type"].as_str().context("no type")?;
    let elements = body["snapshot"]["element"].as_array().context("no snapshot")?;
    let paths: Vec<&str> = elements.iter().filter_map(|element| element["path"].as_str()).collect();
    ensure!(paths.len() == elements.len(), "an element has no path");
    for (at, path) in paths.iter().enumerate() {
        let has_members = paths.get(at + 1).is_some_and(|next| next.starts_with(&format!("{path}.")));
        if at > 0 && !has_members {
            continue;
        }
        let parent = if at == 0 {
            body["baseDefinition"].as_str().and_then(|url| url.rsplit('/').next())
        } else {
            elements[at]["type"][0]["code"].as_str()
        };
        let kind = match body["kind"].as_str() {
            _ if at > 0 => 1,
            Some("resource") => 2,
            Some("primitive-type") => FIRST_PRIMITIVE + primitive(root)?,
            _ => 0,
        };
        types.push(Type {
            name: (*path).to_owned(),
            kind,
            is_abstract: at == 0 && body["abstract"] == true,
            parent: parent.map(str::to_owned),
            root,
            element: at,
            children: children_of(path, &paths, elements)?,
        });
    }
    Ok(())
}

fn primitive(name: &str) -> anyhow::Result<u8> {
    let at =
        PRIMITIVES.iter().position(|known| *known == name).with_context(|| format!("{name} is no known primitive"))?;
    Ok(u8::try_from(at)?)
}

fn children_of(parent: &str, paths: &[&str], elements: &[Value]) -> anyhow::Result<Vec<Child>> {
    let mut children = Vec::new();
    for (at, path) in paths.iter().enumerate() {
        let Some(name) = path.strip_prefix(parent).and_then(|rest| rest.strip_prefix('.')) else { continue };
        let element = &elements[at];
        // A prohibited element and the value of a primitive are no members in JSON.
        let is_value =
            element["type"][0]["code"].as_str().is_some_and(|code| code.starts_with("http://hl7.org/fhirpath"));
        if name.contains('.') || element["max"] == "0" || (is_value && name == "value") {
            continue;
        }
        let has_members = paths.get(at + 1).is_some_and(|next| next.starts_with(&format!("{path}.")));
        let flags = flags(element);
        if let Some(base) = name.strip_suffix("[x]") {
            let types = element["type"].as_array().context("a choice without types")?;
            for code in types.iter().filter_map(|one| one["code"].as_str()) {
                let (name, base, type_name) = (format!("{base}{}", capital(code)), base.to_owned(), code.to_owned());
                children.push(Child { name, base, type_name, flags: flags | CHOICE, element: at });
            }
            continue;
        }
        let type_name =
            if has_members { (*path).to_owned() } else { type_of(element).with_context(|| (*path).to_owned())? };
        children.push(Child { name: name.to_owned(), base: name.to_owned(), type_name, flags, element: at });
    }
    Ok(children)
}

fn flags(element: &Value) -> u8 {
    let mut flags = 0;
    if element["max"] != "1" {
        flags |= MANY;
    }
    if element["representation"][0] == "xmlAttr" {
        flags |= XML_ATTRIBUTE;
    }
    if element["min"].as_u64() > Some(0) {
        flags |= REQUIRED;
    }
    flags
}

fn type_of(element: &Value) -> anyhow::Result<String> {
    if let Some(reference) = element["contentReference"].as_str() {
        return Ok(reference.trim_start_matches('#').to_owned());
    }
    let one = &element["type"][0];
    let code = one["code"].as_str().context("no type")?;
    let named = one["extension"].as_array().into_iter().flatten().find_map(|extension| extension["valueUrl"].as_str());
    // `xhtml.id` alone does not say which FHIR type its system type is.
    Ok(if code.starts_with("http:") { named.unwrap_or("string") } else { code }.to_owned())
}

fn capital(code: &str) -> String {
    let mut letters = code.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

fn write(types: &[Type<'_>]) -> anyhow::Result<Graph> {
    let names = names(types);
    let number: BTreeMap<&str, u16> =
        names.iter().enumerate().map(|(at, name)| Ok((*name, u16::try_from(at)?))).collect::<anyhow::Result<_>>()?;
    let place: BTreeMap<&str, u16> = types
        .iter()
        .enumerate()
        .map(|(at, one)| Ok((one.name.as_str(), u16::try_from(at)?)))
        .collect::<anyhow::Result<_>>()?;
    let type_number = |name: &str| place.get(name).copied().with_context(|| format!("no type {name}"));
    let mut out = Out(Vec::new());
    out.count(names.len())?;
    for name in &names {
        out.text(name)?;
    }
    let companions = companions(types);
    out.count(companions.len())?;
    for name in companions {
        out.u16(number[name]);
    }
    out.count(types.len())?;
    for one in types {
        out.text(&one.name)?;
        out.0.extend([one.kind, u8::from(one.is_abstract)]);
        out.u16(one.parent.as_deref().map_or(Ok(u16::MAX), type_number)?);
        out.u16(number.get(one.name.as_str()).copied().unwrap_or(u16::MAX));
        out.u16(type_number(one.root)?);
        out.count(one.element)?;
        out.count(one.children.len())?;
    }
    for child in types.iter().flat_map(|one| &one.children) {
        out.u16(number[child.name.as_str()]);
        out.u16(number[child.base.as_str()]);
        out.u16(type_number(&child.type_name)?);
        out.0.push(child.flags);
        out.count(child.element)?;
    }
    let children = types.iter().map(|one| one.children.len()).sum();
    Ok(Graph { bytes: out.0, names: names.len(), types: types.len(), children })
}

/// Member names, base names of choices, names of datatypes and resources.
fn names<'a>(types: &'a [Type<'_>]) -> Vec<&'a str> {
    let mut rest = BTreeSet::new();
    for one in types {
        if one.kind != 1 {
            rest.insert(one.name.as_str());
        }
        for child in &one.children {
            rest.extend([child.name.as_str(), child.base.as_str()]);
        }
    }
    let mut names = WELL_KNOWN.to_vec();
    names.extend(rest.into_iter().filter(|name| !WELL_KNOWN.contains(name)));
    names
}

/// Names that a primitive element has somewhere: `_name` may stand beside them (FHIR R4 §2.6.2.2).
fn companions<'a>(types: &'a [Type<'_>]) -> BTreeSet<&'a str> {
    let children = types.iter().flat_map(|one| &one.children);
    children
        .filter(|child| PRIMITIVES.contains(&child.type_name.as_str()) && child.flags & XML_ATTRIBUTE == 0)
        .map(|child| child.name.as_str())
        .collect()
}

struct Out(Vec<u8>);

impl Out {
    fn u16(&mut self, value: u16) {
        self.0.extend(value.to_le_bytes());
    }

    fn count(&mut self, value: usize) -> anyhow::Result<()> {
        self.u16(u16::try_from(value)?);
        Ok(())
    }

    fn text(&mut self, text: &str) -> anyhow::Result<()> {
        self.0.push(u8::try_from(text.len())?);
        self.0.extend(text.as_bytes());
        Ok(())
    }
}
