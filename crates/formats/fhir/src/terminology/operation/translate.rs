//! `ConceptMap/$translate` (FHIR R4 §4.10), with the names of parameters of R4 and of R5.

use std::sync::Arc;

use super::issue::Refusal;
use super::message;
use super::request::{Form, Request};
use super::scope::{Scope, unreadable};
use crate::terminology::library::Source;
use crate::terminology::model::{Coding, ConceptMap, MapGroup, Unmapped};
use crate::terminology::read::{coding, read_concept_map};
use crate::terminology::version;
use crate::write::{Array, Json, Object};

/// Maps that refer to other maps, at most so many in a row.
const MAX_STEPS: usize = 8;

struct Match {
    equivalence: String,
    target: Coding,
    source: Option<Coding>,
    map: String,
    comment: Option<Box<str>>,
}

struct Question {
    given: Coding,
    /// From the targets to the sources.
    is_reverse: bool,
    other_system: Option<Box<str>>,
    source_set: Option<Box<str>>,
    target_set: Option<Box<str>>,
}

pub(super) fn translate(base: &Arc<dyn Source>, request: &Request<'_>) -> Result<Vec<u8>, Refusal> {
    let scope = Scope::new(base, request)?;
    let question = question(request).ok_or_else(|| {
        let message = message::missing_parameter(scope.lang, "code + system, coding, codeableConcept");
        Refusal::new(400, "invalid", None, message)
    })?;
    let maps = maps(&scope, request)?;
    let mut found = Vec::new();
    for map in &maps {
        look_in(&scope, map, &question, MAX_STEPS, &mut found);
    }
    Ok(write(&found, &question, request.form, scope.lang))
}

fn question(request: &Request<'_>) -> Option<Question> {
    let text = |names: &[&str]| names.iter().find_map(|name| request.text(name)).map(Box::from);
    let value = |name: &str| request.value(name, "valueCoding").map(coding);
    let first_of = |name: &str| request.value(name, "valueCodeableConcept")?.all("coding").next().map(coding);
    let of_code = |code: &[&str], system: &[&str]| {
        let code = text(code)?;
        Some(Coding { system: text(system), version: text(&["version"]), code: Some(code), display: None })
    };
    let forward = value("coding")
        .or_else(|| value("sourceCoding"))
        .or_else(|| first_of("codeableConcept"))
        .or_else(|| first_of("sourceCodeableConcept"))
        .or_else(|| of_code(&["code", "sourceCode"], &["system", "sourceSystem"]));
    let target = value("targetCoding").or_else(|| of_code(&["targetCode"], &["targetSystem"]));
    let is_reverse = request.is_true("reverse") || (forward.is_none() && target.is_some());
    let other: &[&str] = if forward.is_none() { &["sourceSystem"] } else { &["targetsystem", "targetSystem"] };
    Some(Question {
        given: forward.or(target)?,
        is_reverse,
        other_system: text(other),
        source_set: text(&["source", "sourceScope"]),
        target_set: text(&["target", "targetScope"]),
    })
}

fn maps(scope: &Scope, request: &Request<'_>) -> Result<Vec<Arc<ConceptMap>>, Refusal> {
    if let Some(own) = request.resource("conceptMap") {
        let map = read_concept_map(own).map_err(|error| unreadable(scope.lang, &error.to_string()))?;
        return Ok(vec![Arc::new(map)]);
    }
    let all = scope.source.concept_maps();
    let Some(canonical) = request.text("url") else { return Ok(all) };
    let (url, inside) = version::split(canonical);
    let wanted = request.text("conceptMapVersion").or(inside);
    let is_meant = |map: &&Arc<ConceptMap>| {
        &*map.header.url == url
            && wanted.is_none_or(|wanted| map.header.version.as_deref().is_some_and(|one| version::fits(wanted, one)))
    };
    let newest = all
        .iter()
        .filter(is_meant)
        .max_by(|one, two| version::order(one.header.version.as_deref(), two.header.version.as_deref()));
    match newest {
        Some(map) => Ok(vec![map.clone()]),
        None => Err(Refusal::new(404, "not-found", Some("not-found"), message::not_found(scope.lang, canonical))),
    }
}

fn look_in(scope: &Scope, map: &ConceptMap, question: &Question, steps: usize, found: &mut Vec<Match>) {
    let same = |asked: &Option<Box<str>>, own: &Option<Box<str>>| match (asked, own) {
        (Some(asked), Some(own)) => version::split(asked).0 == version::split(own).0,
        (Some(_), None) => false,
        (None, _) => true,
    };
    let (source, target) = if question.is_reverse { (&map.target, &map.source) } else { (&map.source, &map.target) };
    if !same(&question.source_set, source) || !same(&question.target_set, target) {
        return;
    }
    for group in &map.groups {
        let (from, to) =
            if question.is_reverse { (&group.target, &group.source) } else { (&group.source, &group.target) };
        let is_of = |asked: &Option<Box<str>>, own: &Option<Box<str>>| asked.is_none() || asked == own;
        if !is_of(&question.given.system, from) || !is_of(&question.other_system, to) {
            continue;
        }
        let before = found.len();
        if question.is_reverse {
            reverse(map, group, question, found);
        } else {
            forward(map, group, question, found);
            if found.len() == before && !is_listed(group, question) {
                unmapped(scope, map, group, question, steps, found);
            }
        }
    }
}

fn is_listed(group: &MapGroup, question: &Question) -> bool {
    group.elements.iter().any(|element| Some(&element.code) == question.given.code.as_ref())
}

fn forward(map: &ConceptMap, group: &MapGroup, question: &Question, found: &mut Vec<Match>) {
    let own = group.elements.iter().filter(|element| Some(&element.code) == question.given.code.as_ref());
    for target in own.flat_map(|element| &element.targets) {
        found.push(Match {
            equivalence: target.equivalence.to_string(),
            target: Coding {
                system: group.target.clone(),
                version: None,
                code: target.code.clone(),
                display: target.display.clone(),
            },
            source: None,
            map: map.header.canonical(),
            comment: target.comment.clone(),
        });
    }
}

/// The sources of a target. The concept of the answer stays the target, as the ecosystem does; its
/// source is said beside it.
fn reverse(map: &ConceptMap, group: &MapGroup, question: &Question, found: &mut Vec<Match>) {
    for element in &group.elements {
        for target in element.targets.iter().filter(|target| target.code == question.given.code) {
            let source = Coding { system: group.source.clone(), code: Some(element.code.clone()), ..Coding::default() };
            let target_coding = Coding {
                system: group.target.clone(),
                code: target.code.clone(),
                display: target.display.clone(),
                version: None,
            };
            found.push(Match {
                equivalence: target.equivalence.to_string(),
                target: target_coding,
                source: Some(source),
                map: map.header.canonical(),
                comment: target.comment.clone(),
            });
        }
    }
}

fn unmapped(
    scope: &Scope,
    map: &ConceptMap,
    group: &MapGroup,
    question: &Question,
    steps: usize,
    found: &mut Vec<Match>,
) {
    let mut put = |code: Option<Box<str>>, display: Option<Box<str>>, equivalence: &str| {
        found.push(Match {
            equivalence: equivalence.to_owned(),
            target: Coding { system: group.target.clone(), version: None, code, display },
            source: None,
            map: map.header.canonical(),
            comment: None,
        });
    };
    match &group.unmapped {
        None => {}
        Some(Unmapped::Provided) => put(question.given.code.clone(), None, "equal"),
        Some(Unmapped::Fixed(fixed)) => put(fixed.code.clone(), fixed.display.clone(), "inexact"),
        Some(Unmapped::OtherMap(canonical)) if steps > 0 => {
            let (url, _) = version::split(canonical);
            let maps = scope.source.concept_maps();
            if let Some(other) = maps.iter().find(|other| &*other.header.url == url) {
                look_in(scope, other, question, steps - 1, found);
            }
        }
        Some(Unmapped::OtherMap(_)) => {}
    }
}

/// R5 names what R4 calls `unmatched` and `disjoint`; neither is a translation.
fn is_translation(equivalence: &str) -> bool {
    !matches!(equivalence, "unmatched" | "disjoint" | "not-related-to")
}

fn write(found: &[Match], question: &Question, form: Form, lang: socle_finding::Lang) -> Vec<u8> {
    let result = found.iter().any(|one| is_translation(&one.equivalence));
    let mut json = Json::new();
    json.object(|out| {
        out.text("resourceType", "Parameters").array("parameter", |list| {
            list.object(|one| _ = one.text("name", "result").bool("valueBoolean", result));
            if found.is_empty() {
                let text = message::no_translation(lang).text;
                list.object(|one| _ = one.text("name", "message").text("valueString", &text));
            }
            found.iter().for_each(|one| write_match(list, one, question, form));
        });
    });
    json.finish()
}

fn write_match(list: &mut Array<'_>, one: &Match, question: &Question, form: Form) {
    let write_coding = |out: &mut Object<'_>, coding: &Coding| super::expand::write_coding(out, coding);
    list.object(|out| {
        out.text("name", "match").array("part", |parts| {
            let name = if form == Form::R5 { "relationship" } else { "equivalence" };
            let value = if form == Form::R5 { &*one.equivalence } else { as_r4(&one.equivalence) };
            parts.object(|part| _ = part.text("name", name).text("valueCode", value));
            if one.target.code.is_some() {
                parts.object(|part| {
                    part.text("name", "concept").object("valueCoding", |out| write_coding(out, &one.target));
                });
            }
            if let Some(source) = one.source.as_ref().filter(|_| question.is_reverse) {
                parts.object(|part| {
                    part.text("name", "source").object("valueCoding", |out| write_coding(out, source));
                });
            }
            let origin = if form == Form::R5 { ("originMap", "valueCanonical") } else { ("source", "valueUri") };
            if form == Form::R5 || one.source.is_none() {
                parts.object(|part| _ = part.text("name", origin.0).text(origin.1, &one.map));
            }
            if let Some(comment) = &one.comment {
                parts.object(|part| _ = part.text("name", "comment").text("valueString", comment));
            }
        });
    });
}

/// The code of concept-map-equivalence for a relationship of R5.
fn as_r4(relationship: &str) -> &str {
    match relationship {
        "related-to" => "relatedto",
        "source-is-narrower-than-target" => "wider",
        "source-is-broader-than-target" => "narrower",
        "not-related-to" => "disjoint",
        other => other,
    }
}
