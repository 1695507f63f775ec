//! The CapabilityStatement: what is routed, and nothing else (FHIR R4 §5.1).

use socle_fhir::definitions::{SearchKind, types};
use socle_fhir::write::{Array, Json, Object};

use crate::Settings;
use crate::catalogue::{self, Catalogue};
use crate::resource::instant;

const SYSTEM: [&str; 3] = ["transaction", "batch", "history-system"];
const ON_TYPE: [&str; 8] =
    ["read", "vread", "update", "delete", "create", "search-type", "history-instance", "history-type"];

/// The resource types that are served: each one that stands alone.
pub(crate) fn served() -> Vec<&'static str> {
    let mut names: Vec<&str> =
        types().all().map(|id| types().name(id)).filter(|name| types().resource(name).is_some()).collect();
    names.sort_unstable();
    names
}

pub(crate) fn statement(settings: &Settings) -> Vec<u8> {
    let mut json = Json::new();
    json.object(|statement| {
        statement.text("resourceType", "CapabilityStatement").text("status", "active");
        statement.text("date", &instant(jiff::Timestamp::now())).text("kind", "instance");
        statement.object("software", |software| {
            software.text("name", "Socle").text("version", env!("CARGO_PKG_VERSION"));
        });
        statement.object("implementation", |implementation| {
            implementation.text("description", &settings.description).text("url", &settings.url);
        });
        statement.text("fhirVersion", "4.0.1");
        statement.texts("format", &["application/fhir+json", "application/fhir+xml"]);
        statement.array("rest", |list| _ = list.object(rest));
    });
    json.finish()
}

fn rest(rest: &mut Object<'_>) {
    rest.text("mode", "server");
    rest.array("resource", |list| {
        for kind in served() {
            if let Some(catalogue) = catalogue::of(kind) {
                list.object(|out| resource(out, kind, &catalogue));
            }
        }
    });
    rest.array("interaction", |list| codes(list, &SYSTEM));
}

fn codes(list: &mut Array<'_>, codes: &[&str]) {
    for code in codes {
        list.object(|interaction| _ = interaction.text("code", code));
    }
}

fn resource(out: &mut Object<'_>, kind: &str, catalogue: &Catalogue) {
    out.text("type", kind).text("profile", &format!("http://hl7.org/fhir/StructureDefinition/{kind}"));
    out.array("interaction", |list| codes(list, &ON_TYPE));
    out.text("versioning", "versioned-update").bool("readHistory", true).bool("updateCreate", true);
    out.bool("conditionalCreate", true).text("conditionalRead", "full-support");
    out.bool("conditionalUpdate", true).text("conditionalDelete", "single");
    let references = || catalogue.all().filter(|one| one.kind == SearchKind::Reference);
    out.array("searchInclude", |list| {
        list.text("*");
        references().for_each(|one| _ = list.text(&format!("{kind}:{}", one.code)));
    });
    out.array("searchParam", |list| {
        for (name, code) in [("_id", "token"), ("_lastUpdated", "date")] {
            let definition = format!("http://hl7.org/fhir/SearchParameter/Resource-{}", &name[1..]);
            list.object(|out| _ = out.text("name", name).text("definition", &definition).text("type", code));
        }
        for one in catalogue.all() {
            list.object(|out| _ = out.text("name", &one.code).text("definition", one.url).text("type", code(one.kind)));
        }
    });
}

const fn code(kind: SearchKind) -> &'static str {
    match kind {
        SearchKind::Number => "number",
        SearchKind::Date => "date",
        SearchKind::String => "string",
        SearchKind::Token => "token",
        SearchKind::Reference => "reference",
        SearchKind::Composite => "composite",
        SearchKind::Quantity => "quantity",
        SearchKind::Uri => "uri",
        SearchKind::Special => "special",
    }
}
