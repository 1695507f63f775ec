//! `$expand` (FHIR R4 §4.9).

use super::collect::{Collected, Item, Slot, What, Wish, collect, words};
use super::issue::Refusal;
use super::language::{DISPLAY_USE, Name, Names};
use super::request::{Form, Request};
use super::scope::Scope;
use super::validate::asked_value_set;
use crate::terminology::code_system::CodeSystem;
use crate::terminology::library::Terminology;
use crate::terminology::model::{Coding, Compose, Extension, Header, Include, PropertyValue, ValueSet};
use crate::write::{Array, Json, Object};

const STANDARD: &str = "http://hl7.org/fhir/concept-properties#";
const UNCLOSED: &str = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed";
const EXTENSIONS: &str = "http://hl7.org/fhir/StructureDefinition/";
const R5_PROPERTY: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.property";
const R5_VALUE: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.contains.property";

/// Extensions of a concept of the system that an expansion repeats.
const OF_SYSTEM: [&str; 4] = ["coding-sctdescid", "rendering-style", "rendering-xhtml", "codesystem-alternate"];
/// Extensions of a concept of the value set that an expansion repeats.
const OF_SET: [&str; 7] = [
    "valueset-supplement",
    "valueset-deprecated",
    "structuredefinition-standards-status",
    "valueset-concept-definition",
    "coding-sctdescid",
    "rendering-style",
    "rendering-xhtml",
];
/// Extensions of a designation that an expansion repeats.
const OF_NAME: [&str; 5] = [
    "coding-sctdescid",
    "rendering-style",
    "rendering-xhtml",
    "structuredefinition-standards-status",
    "codesystem-alternate",
];

pub(super) fn expand(terminology: &Terminology, request: &mut Request<'_>, most: usize) -> Result<Vec<u8>, Refusal> {
    let mut scope = Scope::new(terminology.source(), request)?;
    let value_set = asked_value_set(&scope, request)?;
    request.see_value_set(&value_set);
    scope.rules.clone_from(&request.rules);
    scope.supplements.extend(value_set.supplements.iter().cloned());
    scope.check_supplements()?;
    let set = scope.set(terminology, &value_set).map_err(|error| unresolved(&scope, &error, &value_set))?;
    let filter = request.text("filter");
    let is_paged = request.number("count").is_some();
    let wish = Wish {
        active_only: request.active_only == Some(true),
        no_abstract: request.exclude_not_for_ui == Some(true),
        words: filter.map(words).unwrap_or_default(),
        versions_match: request.versions_match,
        most: if is_paged { usize::MAX } else { most },
        rules: &scope.rules,
    };
    let collected = collect(&scope, &set, &wish)?;
    Ok(Expansion { request, collected: &collected, value_set: &value_set }.write())
}

fn unresolved(scope: &Scope, error: &crate::terminology::set::SetError, of: &ValueSet) -> Refusal {
    use super::message;
    use crate::terminology::{set::SetError, version};
    match error {
        SetError::Unknown(canonical) => {
            let (url, version) = version::split(canonical);
            let message = message::unknown_import(scope.lang, url, version);
            Refusal::new(422, "not-found", Some("not-found"), message)
        }
        other => scope.unresolved(other, of),
    }
}

struct Expansion<'a, 'r> {
    request: &'a Request<'r>,
    collected: &'a Collected,
    value_set: &'a ValueSet,
}

/// A property that the expansion declares.
struct Declared {
    code: String,
    uri: Option<String>,
}

/// One code as it is written.
struct Row<'a> {
    item: &'a Item,
    slot: &'a Slot,
    children: Vec<usize>,
    properties: Vec<(usize, PropertyValue)>,
}

impl<'a> Expansion<'a, '_> {
    fn write(&self) -> Vec<u8> {
        let total = self.collected.items.len();
        let offset = self.request.number("offset");
        let count = self.request.number("count");
        let is_tree = self.collected.is_tree
            && self.request.exclude_nested != Some(true)
            && offset.unwrap_or(0) == 0
            && count.is_none_or(|count| count > total);
        let from = offset.unwrap_or(0).min(total);
        let to = count.map_or(total, |count| from.saturating_add(count).min(total));
        let mut declared = Vec::new();
        let mut rows: Vec<_> =
            self.collected.items[from..to].iter().map(|item| self.row(item, &mut declared)).collect();
        let mut roots = Vec::new();
        for at in 0..rows.len() {
            match rows[at].item.parent.filter(|_| is_tree) {
                Some(parent) => rows[parent].children.push(at),
                None => roots.push(at),
            }
        }
        let mut json = Json::new();
        json.object(|out| {
            self.write_header(out);
            out.object("expansion", |out| self.write_expansion(out, &declared, &rows, &roots));
        });
        json.finish()
    }

    fn write_header(&self, out: &mut Object<'_>) {
        let Header { url, version, name, title, status, experimental, date, language, .. } = &self.value_set.header;
        out.text("resourceType", "ValueSet").maybe("language", language.as_deref());
        if !url.is_empty() {
            out.text("url", url);
        }
        out.maybe("version", version.as_deref()).maybe("name", name.as_deref()).maybe("title", title.as_deref());
        out.maybe("status", status.as_deref());
        if let Some(experimental) = experimental {
            out.bool("experimental", *experimental);
        }
        out.maybe("date", date.as_deref());
        if self.request.include_definition == Some(true) {
            out.array("extension", |list| {
                self.value_set.extensions.iter().for_each(|ext| _ = list.raw(ext.json.as_bytes()));
            });
            if let Some(compose) = &self.value_set.compose {
                out.object("compose", |out| write_compose(out, compose));
            }
        }
    }

    fn write_expansion(&self, out: &mut Object<'_>, declared: &[Declared], rows: &[Row<'_>], roots: &[usize]) {
        let form = self.request.form;
        out.array("extension", |list| {
            if let Some(fragment) = self.collected.fragments.first() {
                let url = fragment.split('|').next().unwrap_or_default();
                let reason = format!("This extension is based on a fragment of the code system {url}");
                list.object(|ext| _ = ext.text("url", UNCLOSED).bool("valueBoolean", true));
                list.object(|ext| _ = ext.text("url", &format!("{UNCLOSED}-reason")).text("valueString", &reason));
            }
            if form == Form::R4 {
                declared.iter().for_each(|property| write_declared_r4(list, property));
            }
        });
        out.text("identifier", &format!("urn:uuid:{}", uuid::Uuid::new_v4()));
        out.text("timestamp", &jiff::Timestamp::now().to_string());
        out.number("total", self.collected.items.len() as u64);
        if let Some(offset) = self.request.number("offset") {
            out.number("offset", offset as u64);
        }
        out.array("parameter", |list| self.write_parameters(list));
        if form == Form::R5 {
            out.array("property", |list| {
                for property in declared {
                    list.object(|one| _ = one.text("code", &property.code).maybe("uri", property.uri.as_deref()));
                }
            });
        }
        out.array("contains", |list| {
            roots.iter().for_each(|root| self.write_row(list, rows, *root, declared));
        });
    }

    fn write_parameters(&self, list: &mut Array<'_>) {
        let mut put = |name: &str, fill: &dyn Fn(&mut Object<'_>)| {
            list.object(|one| fill(one.text("name", name)));
        };
        let request = self.request;
        if let Some(filter) = request.text("filter") {
            put("filter", &|one| _ = one.text("valueString", filter));
        }
        if let Some(languages) = request.working_languages() {
            put("displayLanguage", &|one| _ = one.text("valueCode", &languages.text()));
        }
        for designation in &request.designations {
            put("designation", &|one| _ = one.text("valueString", designation));
        }
        let flags = [
            ("excludeNested", request.exclude_nested),
            ("activeOnly", request.active_only),
            ("includeDesignations", request.include_designations),
            ("includeDefinition", request.include_definition),
            ("excludeNotForUI", request.exclude_not_for_ui),
            ("versionsMatch", self.collected.versions_match.filter(|matched| *matched)),
        ];
        for (name, value) in flags {
            if let Some(value) = value {
                put(name, &|one| _ = one.bool("valueBoolean", value));
            }
        }
        for name in ["offset", "count"] {
            if let Some(value) = request.number(name) {
                put(name, &|one| _ = one.number("valueInteger", value as u64));
            }
        }
        for (name, value) in &self.collected.notes {
            put(name, &|one| _ = one.text("valueUri", value));
        }
        let mut used: Vec<&str> = Vec::new();
        for supplement in self.collected.systems.iter().filter_map(|slot| slot.system.as_ref()) {
            for canonical in
                supplement.used_supplements().filter(|canonical| !used.contains(canonical)).collect::<Vec<_>>()
            {
                used.push(canonical);
                put("used-supplement", &|one| _ = one.text("valueUri", canonical));
            }
        }
    }

    fn row(&self, item: &'a Item, declared: &mut Vec<Declared>) -> Row<'a> {
        let slot = &self.collected.systems[item.system];
        let mut row = Row { item, slot, children: Vec::new(), properties: Vec::new() };
        if let (What::Concept(id), Some(system)) = (&item.what, &slot.system) {
            self.properties(&mut row, system, *id, declared);
        }
        row
    }

    fn properties(&self, row: &mut Row<'a>, system: &'a CodeSystem, id: u32, declared: &mut Vec<Declared>) {
        let Some(concept) = system.concept(id) else { return };
        let included = row.item.included().map(|(concept, _)| concept.extensions.as_slice()).unwrap_or_default();
        let mut put = |code: &str, uri: Option<String>, value: PropertyValue, repeats: bool| {
            let known = |one: &Declared| one.code == code || (uri.is_some() && one.uri == uri);
            let at = declared.iter().position(known).unwrap_or_else(|| {
                declared.push(Declared { code: code.to_owned(), uri: uri.clone() });
                declared.len() - 1
            });
            let same = |(other, known): &(usize, PropertyValue)| *other == at && (!repeats || *known == value);
            match row.properties.iter().position(same) {
                Some(known) => row.properties[known].1 = value,
                None => row.properties.push((at, value)),
            }
        };
        let standard = |name: &str| Some(format!("{STANDARD}{name}"));
        if let Some(status) = system.status(id).filter(|status| !status.eq_ignore_ascii_case("active")) {
            put("status", standard("status"), PropertyValue::Code(status.into()), false);
        }
        // What the value set says comes after what the system says, and replaces it.
        let known = [
            (&concept.extensions[..], "codesystem-label", "label", "label"),
            (included, "valueset-label", "label", "label"),
            (&concept.extensions[..], "codesystem-conceptOrder", "order", "order"),
            (included, "valueset-conceptOrder", "order", "order"),
            (&concept.extensions[..], "itemWeight", "weight", "itemWeight"),
            (included, "itemWeight", "weight", "itemWeight"),
        ];
        for (extensions, url, code, uri) in known {
            let value = extensions.iter().find(|ext| is_standard(ext, url)).and_then(|ext| ext.value.clone());
            if let Some(value) = value.map(as_decimal) {
                put(code, standard(uri), value, false);
            }
        }
        let asks_all = self.request.properties.iter().any(|name| &**name == "*");
        if self.request.properties.iter().any(|name| &**name == "definition")
            && let Some(definition) = &concept.definition
        {
            put("definition", standard("definition"), PropertyValue::Text(definition.clone()), false);
        }
        for property in &concept.properties {
            if asks_all || self.request.properties.contains(&property.code) {
                let defined = system.properties().iter().find(|defined| defined.code == property.code);
                let uri = defined.and_then(|defined| defined.uri.as_deref()).map(str::to_owned);
                put(&property.code, uri, property.value.clone(), true);
            }
        }
    }

    fn write_row(&self, list: &mut Array<'_>, rows: &[Row<'_>], at: usize, declared: &[Declared]) {
        let row = &rows[at];
        list.object(|out| {
            out.array("extension", |list| {
                write_extensions(list, row);
                if self.request.form == Form::R4 {
                    row.properties.iter().for_each(|(at, value)| write_value_r4(list, &declared[*at].code, value));
                }
            });
            out.text("system", &row.slot.url);
            if let (What::Concept(id), Some(system)) = (&row.item.what, &row.slot.system) {
                if system.is_abstract(*id) {
                    out.bool("abstract", true);
                }
                if system.is_inactive(*id) {
                    out.bool("inactive", true);
                }
            }
            if self.collected.with_versions {
                out.maybe("version", row.slot.version.as_deref());
            }
            out.text("code", row.item.code(row.slot));
            self.write_names(out, &row.item.names(row.slot));
            if self.request.form == Form::R5 {
                out.array("property", |list| {
                    for (at, value) in &row.properties {
                        list.object(|one| write_value(one.text("code", &declared[*at].code), value));
                    }
                });
            }
            out.array("contains", |list| {
                row.children.iter().for_each(|child| self.write_row(list, rows, *child, declared));
            });
        });
    }

    fn write_names(&self, out: &mut Object<'_>, names: &Names<'_>) {
        let preferred = names.preferred(self.request.working_languages());
        out.maybe("display", preferred.map(|name| name.value));
        if self.request.include_designations != Some(true) {
            return;
        }
        out.array("designation", |list| {
            for name in &names.all {
                let is_shown = preferred.is_some_and(|shown| std::ptr::eq(shown, name));
                if !is_shown && self.is_wanted(name) {
                    list.object(|out| write_name(out, name));
                }
            }
        });
    }

    /// The designation is of a language or a use that was asked for, when some were.
    fn is_wanted(&self, name: &Name<'_>) -> bool {
        let wanted = &self.request.designations;
        let is_of = |token: &str| {
            let (system, code) = token.split_once('|').unwrap_or(("", token));
            let is_used =
                |usage: &Coding| usage.system.as_deref() == Some(system) && usage.code.as_deref() == Some(code);
            name.usage.is_some_and(is_used) || (system == "urn:ietf:bcp:47" && name.language == Some(code))
        };
        wanted.is_empty() || wanted.iter().any(|token| is_of(token))
    }
}

/// An order or a weight is a decimal, even when its author wrote a whole number.
fn as_decimal(value: PropertyValue) -> PropertyValue {
    match value {
        PropertyValue::Integer(number) => PropertyValue::Decimal(number),
        other => other,
    }
}

fn is_standard(extension: &Extension, name: &str) -> bool {
    extension.url.strip_prefix(EXTENSIONS) == Some(name)
}

fn write_extensions(list: &mut Array<'_>, row: &Row<'_>) {
    let concept = match (&row.item.what, &row.slot.system) {
        (What::Concept(id), Some(system)) => system.concept(*id),
        _ => None,
    };
    let of_system = concept.map(|concept| concept.extensions.as_slice()).unwrap_or_default();
    let of_set = row.item.included().map(|(concept, _)| concept.extensions.as_slice()).unwrap_or_default();
    let repeated = |ext: &&Extension, names: &[&str]| names.iter().any(|name| is_standard(ext, name));
    let of_system = of_system.iter().filter(|ext| repeated(ext, &OF_SYSTEM));
    for extension in of_system.chain(of_set.iter().filter(|ext| repeated(ext, &OF_SET))) {
        list.raw(extension.json.as_bytes());
    }
}

pub(super) fn write_name(out: &mut Object<'_>, name: &Name<'_>) {
    out.array("extension", |list| {
        for extension in name.extensions.iter().filter(|ext| OF_NAME.iter().any(|known| is_standard(ext, known))) {
            list.raw(extension.json.as_bytes());
        }
    });
    out.maybe("language", name.language);
    write_use(out, "use", name);
    out.text("value", name.value);
}

/// The use of a name; a display has its own.
pub(super) fn write_use(out: &mut Object<'_>, member: &str, name: &Name<'_>) {
    match name.usage {
        Some(usage) => _ = out.object(member, |out| write_coding(out, usage)),
        None if name.is_base => {
            let (system, code, display) = DISPLAY_USE;
            out.object(member, |out| _ = out.text("system", system).text("code", code).text("display", display));
        }
        None => {}
    }
}

pub(super) fn write_coding(out: &mut Object<'_>, coding: &Coding) {
    out.maybe("system", coding.system.as_deref()).maybe("version", coding.version.as_deref());
    out.maybe("code", coding.code.as_deref()).maybe("display", coding.display.as_deref());
}

/// A `value[x]`.
pub(super) fn write_value(out: &mut Object<'_>, value: &PropertyValue) {
    match value {
        PropertyValue::Code(text) => out.text("valueCode", text),
        PropertyValue::Text(text) => out.text("valueString", text),
        PropertyValue::DateTime(text) => out.text("valueDateTime", text),
        PropertyValue::Boolean(value) => out.bool("valueBoolean", *value),
        PropertyValue::Integer(number) => out.raw("valueInteger", number.as_bytes()),
        PropertyValue::Decimal(number) => out.raw("valueDecimal", number.as_bytes()),
        PropertyValue::Coding(coding) => out.object("valueCoding", |out| write_coding(out, coding)),
    };
}

fn write_compose(out: &mut Object<'_>, compose: &Compose) {
    out.maybe("lockedDate", compose.locked_date.as_deref());
    if let Some(inactive) = compose.inactive {
        out.bool("inactive", inactive);
    }
    for (name, parts) in [("include", &compose.include), ("exclude", &compose.exclude)] {
        out.array(name, |list| parts.iter().for_each(|part| _ = list.object(|out| write_include(out, part))));
    }
}

fn write_include(out: &mut Object<'_>, include: &Include) {
    out.maybe("system", include.system.as_deref()).maybe("version", include.version.as_deref());
    out.array("concept", |list| {
        for concept in &include.concepts {
            list.object(|out| {
                out.array("extension", |list| {
                    concept.extensions.iter().for_each(|ext| _ = list.raw(ext.json.as_bytes()));
                });
                out.text("code", &concept.code).maybe("display", concept.display.as_deref());
                out.array("designation", |list| {
                    for designation in &concept.designations {
                        list.object(|out| {
                            out.array("extension", |list| {
                                designation.extensions.iter().for_each(|ext| _ = list.raw(ext.json.as_bytes()));
                            });
                            out.maybe("language", designation.language.as_deref());
                            if let Some(usage) = &designation.usage {
                                out.object("use", |out| write_coding(out, usage));
                            }
                            out.text("value", &designation.value);
                        });
                    }
                });
            });
        }
    });
    out.array("filter", |list| {
        for filter in &include.filters {
            list.object(|out| {
                out.text("property", &filter.property).text("op", filter.op.code());
                out.maybe("value", filter.value.as_deref());
            });
        }
    });
    out.texts("valueSet", &include.value_sets);
}

fn write_declared_r4(list: &mut Array<'_>, property: &Declared) {
    list.object(|out| {
        out.array("extension", |parts| {
            parts.object(|part| _ = part.text("url", "code").text("valueCode", &property.code));
            if let Some(uri) = &property.uri {
                parts.object(|part| _ = part.text("url", "uri").text("valueUri", uri));
            }
        });
        out.text("url", R5_PROPERTY);
    });
}

fn write_value_r4(list: &mut Array<'_>, code: &str, value: &PropertyValue) {
    list.object(|out| {
        out.array("extension", |parts| {
            parts.object(|part| _ = part.text("url", "code").text("valueCode", code));
            parts.object(|part| write_value(part.text("url", "value"), value));
        });
        out.text("url", R5_VALUE);
    });
}
