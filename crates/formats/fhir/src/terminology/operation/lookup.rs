//! `CodeSystem/$lookup` (FHIR R4 §4.8).

use std::sync::Arc;

use super::expand::{write_coding, write_value};
use super::issue::Refusal;
use super::language::{DISPLAY_USE, Name};
use super::message;
use super::request::Request;
use super::scope::{Scope, Spot, System, unreadable};
use super::validate::unknown_message;
use crate::terminology::code_system::CodeSystem;
use crate::terminology::library::Source;
use crate::terminology::model::{Coding, PropertyValue};
use crate::terminology::read::{coding, read_code_system};
use crate::write::{Array, Json, Object};

pub(super) fn lookup(base: &Arc<dyn Source>, request: &Request<'_>) -> Result<Vec<u8>, Refusal> {
    let scope = Scope::new(base, request)?;
    scope.check_supplements()?;
    let given = given(request);
    let (Some(url), Some(code)) = (given.system.as_deref(), given.code.as_deref()) else {
        let message = message::missing_parameter(scope.lang, "code + system, coding");
        return Err(Refusal::new(400, "invalid", None, message));
    };
    let system = match request.resource("codeSystem") {
        Some(own) => {
            let system = read_code_system(own).map_err(|error| unreadable(scope.lang, &error.to_string()))?;
            System::Defined(Arc::new(system))
        }
        None => scope.system(url, given.version.as_deref()).ok_or_else(|| {
            let (message, _) = unknown_message(&scope, url, given.version.as_deref());
            Refusal::new(404, "not-found", Some("not-found"), message)
        })?,
    };
    let spot = system.locate(code).ok_or_else(|| {
        let message = message::unknown_code(scope.lang, code, system.url(), system.version());
        Refusal::new(404, "not-found", Some("invalid-code"), message)
    })?;
    Ok(write(request, &system, &spot))
}

fn given(request: &Request<'_>) -> Coding {
    if let Some(one) = request.value("coding", "valueCoding") {
        return coding(one);
    }
    let text = |name: &str| request.text(name).map(Into::into);
    Coding { system: text("system"), version: text("version"), code: text("code"), display: None }
}

fn write(request: &Request<'_>, system: &System, spot: &Spot<'_>) -> Vec<u8> {
    let names = system.names(spot, None);
    let shown = names.preferred(request.working_languages());
    let code = &*spot.code;
    let (name, defined) = match system {
        System::Defined(defined) => (defined.header().name.as_deref(), Some(defined)),
        System::Grammar(_) => (None, None),
    };
    let concept = defined.zip(spot.id).and_then(|(defined, id)| defined.concept(id));
    let wanted = |property: &str| {
        let asked = &request.properties;
        asked.is_empty() || asked.iter().any(|name| &**name == property || &**name == "*")
    };
    let mut json = Json::new();
    json.object(|out| {
        out.text("resourceType", "Parameters").array("parameter", |list| {
            let text = |list: &mut Array<'_>, name: &str, kind: &str, value: Option<&str>| {
                if let Some(value) = value {
                    list.object(|one| _ = one.text("name", name).text(kind, value));
                }
            };
            text(list, "name", "valueString", Some(name.unwrap_or(system.url())));
            text(list, "system", "valueUri", Some(system.url()));
            text(list, "version", "valueString", system.version());
            text(list, "code", "valueCode", Some(code));
            text(list, "display", "valueString", Some(shown.map_or(code, |name| name.value)));
            list.object(|one| _ = one.text("name", "abstract").bool("valueBoolean", spot.is_abstract));
            text(list, "definition", "valueString", concept.and_then(|concept| concept.definition.as_deref()));
            if wanted("designation") {
                names.all.iter().for_each(|name| write_designation(list, name));
            }
            if wanted("inactive") {
                write_property(list, "inactive", &PropertyValue::Boolean(spot.is_inactive), None);
            }
            if let (Some(defined), Some(id)) = (defined, spot.id) {
                write_properties(list, defined, id, &request.properties);
                for supplement in defined.used_supplements() {
                    text(list, "used-supplement", "valueCanonical", Some(supplement));
                }
            }
        });
    });
    json.finish()
}

fn write_designation(list: &mut Array<'_>, name: &Name<'_>) {
    list.object(|one| {
        one.text("name", "designation").array("part", |parts| {
            if let Some(language) = name.language {
                parts.object(|part| _ = part.text("name", "language").text("valueCode", language));
            }
            let (system, code, display) = DISPLAY_USE;
            match name.usage {
                Some(usage) => parts.object(|part| {
                    part.text("name", "use").object("valueCoding", |out| write_coding(out, usage));
                }),
                None if name.is_base => parts.object(|part| {
                    part.text("name", "use").object("valueCoding", |out| {
                        out.text("system", system).text("code", code).text("display", display);
                    });
                }),
                None => parts,
            };
            if let Some(source) = name.source {
                parts.object(|part| _ = part.text("name", "source").text("valueCanonical", source));
            }
            parts.object(|part| _ = part.text("name", "value").text("valueString", name.value));
        });
    });
}

/// The parents, the children and the own values; all of them when `*` is asked, else those that are named.
fn write_properties(list: &mut Array<'_>, system: &CodeSystem, id: u32, asked: &[Box<str>]) {
    let asks = |name: &str| asked.iter().any(|one| &**one == name || &**one == "*");
    let related = [("parent", system.hierarchy().parents(id)), ("child", system.hierarchy().children(id))];
    for (name, others) in related {
        for other in others.iter().filter(|_| asks(name)).filter_map(|other| system.concept(*other)) {
            write_property(list, name, &PropertyValue::Code(other.code.clone()), other.display.as_deref());
        }
    }
    let own = system.concept(id).map(|concept| concept.properties.as_slice()).unwrap_or_default();
    for property in own.iter().filter(|property| asks(&property.code)) {
        if !matches!(&*property.code, "parent" | "child" | "inactive") {
            write_property(list, &property.code, &property.value, None);
        }
    }
}

fn write_property(list: &mut Array<'_>, code: &str, value: &PropertyValue, description: Option<&str>) {
    list.object(|one| {
        one.text("name", "property").array("part", |parts| {
            parts.object(|part| _ = part.text("name", "code").text("valueCode", code));
            parts.object(|part: &mut Object<'_>| write_value(part.text("name", "value"), value));
            if let Some(description) = description {
                parts.object(|part| _ = part.text("name", "description").text("valueString", description));
            }
        });
    });
}
