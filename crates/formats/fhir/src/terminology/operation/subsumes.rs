//! `CodeSystem/$subsumes` (FHIR R4 §4.8) and `$closure` (§4.10).

use std::sync::Arc;

use super::issue::Refusal;
use super::message;
use super::request::Request;
use super::scope::{Scope, System};
use super::validate::unknown_message;
use crate::terminology::library::Source;
use crate::terminology::model::Coding;
use crate::terminology::read::coding;
use crate::write::Json;

pub(super) fn subsumes(base: &Arc<dyn Source>, request: &Request<'_>) -> Result<Vec<u8>, Refusal> {
    let scope = Scope::new(base, request)?;
    let one = |code: &str, whole: &str| {
        let given = request.value(whole, "valueCoding").map(coding);
        given.unwrap_or_else(|| Coding {
            system: request.text("system").map(Into::into),
            version: request.text("version").map(Into::into),
            code: request.text(code).map(Into::into),
            display: None,
        })
    };
    let (left, right) = (one("codeA", "codingA"), one("codeB", "codingB"));
    let (Some(url), Some(left_code), Some(right_code)) = (&left.system, &left.code, &right.code) else {
        let message = message::missing_parameter(scope.lang, "codeA, codeB, system");
        return Err(Refusal::new(400, "invalid", None, message));
    };
    if right.system.as_ref().is_some_and(|other| other != url) {
        return Ok(outcome("not-subsumed"));
    }
    let system = scope.system(url, left.version.as_deref()).ok_or_else(|| {
        let (message, _) = unknown_message(&scope, url, left.version.as_deref());
        Refusal::new(404, "not-found", Some("not-found"), message)
    })?;
    let find = |code: &str| match system.locate(code) {
        Some(spot) => Ok(spot.id),
        None => {
            let message = message::unknown_code(scope.lang, code, system.url(), system.version());
            Err(Refusal::new(422, "not-found", Some("invalid-code"), message))
        }
    };
    let (above, below) = (find(left_code)?, find(right_code)?);
    let System::Defined(defined) = &system else {
        return Ok(outcome(if left_code == right_code { "equivalent" } else { "not-subsumed" }));
    };
    let tree = defined.hierarchy();
    Ok(outcome(match (above, below) {
        (Some(one), Some(other)) if one == other => "equivalent",
        (Some(one), Some(other)) if tree.subsumes(one, other) => "subsumes",
        (Some(one), Some(other)) if tree.subsumes(other, one) => "subsumed-by",
        _ => "not-subsumed",
    }))
}

fn outcome(code: &str) -> Vec<u8> {
    let mut json = Json::new();
    json.object(|out| {
        out.text("resourceType", "Parameters").array("parameter", |list| {
            list.object(|one| _ = one.text("name", "outcome").text("valueCode", code));
        });
    });
    json.finish()
}

/// The subsumptions among the concepts that a client has sent under one name, as a ConceptMap. The
/// client's table is not kept here: all its concepts come with each call.
pub(super) fn closure(base: &Arc<dyn Source>, request: &Request<'_>) -> Result<Vec<u8>, Refusal> {
    let scope = Scope::new(base, request)?;
    let Some(name) = request.text("name") else {
        return Err(Refusal::new(400, "invalid", None, message::missing_parameter(scope.lang, "name")));
    };
    let concepts: Vec<_> = request.values("concept", "valueCoding").map(coding).collect();
    let mut json = Json::new();
    json.object(|out| {
        out.text("resourceType", "ConceptMap").text("name", name).text("status", "active");
        out.array("group", |groups| {
            let mut systems: Vec<&str> = concepts.iter().filter_map(|one| one.system.as_deref()).collect();
            systems.sort_unstable();
            systems.dedup();
            for url in systems {
                let Some(System::Defined(system)) = scope.system(url, None) else { continue };
                let of_system = concepts.iter().filter(|one| one.system.as_deref() == Some(url));
                let codes = of_system.filter_map(|one| one.code.as_deref());
                let ids: Vec<_> = codes.filter_map(|code| system.find(code)).collect();
                let code = |id: u32| system.concept(id).map(|concept| &*concept.code).unwrap_or_default();
                groups.object(|group| {
                    group.text("source", url).text("target", url);
                    group.array("element", |elements| {
                        for own in &ids {
                            let above: Vec<_> =
                                ids.iter().filter(|id| *id != own && system.hierarchy().subsumes(**id, *own)).collect();
                            if above.is_empty() {
                                continue;
                            }
                            elements.object(|element| {
                                element.text("code", code(*own)).array("target", |targets| {
                                    for id in above {
                                        // The element is narrower than its target: R4 names it from the target.
                                        targets.object(|target| {
                                            target.text("code", code(*id)).text("equivalence", "subsumes");
                                        });
                                    }
                                });
                            });
                        }
                    });
                });
            }
        });
    });
    Ok(json.finish())
}
