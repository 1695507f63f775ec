//! One parameter of a search: what it names, its modifier, where its chain leads.

use socle_fhir::IssueType;
use socle_fhir::definitions::{SearchKind, types};
use socle_finding::Text;
use socle_store::{Filter, TextTest};

use super::{shown, value};
use crate::catalogue::{self, Parameter};
use crate::extract;
use crate::problem::Problem;
use crate::values::fold;

/// Most steps of a chain.
const CHAIN_MAX: usize = 6;

/// Why a parameter makes no condition.
pub(crate) enum Refused {
    /// It is not known: passed over, or refused when the caller is strict (FHIR R4 §3.1.1.3).
    Unknown,
    /// It is known, and wrong.
    Wrong(Box<Problem>),
}

impl Refused {
    pub(crate) fn wrong(name: &str, fr: &str, en: &str) -> Self {
        let name = shown(name);
        Self::Wrong(Box::new(Problem::bad_request(
            IssueType::Value,
            "search.html",
            Text::new(format!("le paramètre {name} attend {fr}"), format!("the parameter {name} wants {en}")),
            Text::fixed("corrigez l'adresse de la recherche", "mend the search"),
        )))
    }

    /// A modifier that is not applied would give other resources than were asked for (FHIR R4 §3.1.1.4.4).
    fn modifier(name: &str) -> Self {
        let name = shown(name);
        Self::Wrong(Box::new(Problem::bad_request(
            IssueType::NotSupported,
            "search.html#modifiers",
            Text::new(
                format!("le modificateur de {name} n'est pas servi ici"),
                format!("the modifier of {name} is not served here"),
            ),
            Text::fixed("cherchez sans lui, ou voyez metadata", "search without it, or see metadata"),
        )))
    }
}

/// The condition that a parameter puts on resources of a type.
pub(crate) fn condition(kind: &str, name: &str, value: &str, base: &str, depth: usize) -> Result<Filter, Refused> {
    if depth > CHAIN_MAX {
        return Err(Refused::wrong(name, "une chaîne moins longue", "a shorter chain"));
    }
    if let Some(rest) = name.strip_prefix("_has:") {
        return linked_from(kind, rest, value, base, depth);
    }
    if let Some((head, rest)) = name.split_once('.') {
        return links_to(kind, head, rest, value, base, depth);
    }
    let (code, modifier) = name.split_once(':').map_or((name, None), |(code, modifier)| (code, Some(modifier)));
    if value.is_empty() {
        return Err(Refused::wrong(name, "une valeur", "a value"));
    }
    match (code, modifier) {
        ("_id", None) => Ok(Filter::Id(value.split(',').map(str::to_owned).collect())),
        ("_lastUpdated", None) => any(value, |one| value::moment(one, Filter::Updated).ok_or_else(|| wrong_date(name))),
        ("_id" | "_lastUpdated", Some(_)) => Err(Refused::modifier(name)),
        _ => {
            let catalogue = catalogue::of(kind).ok_or(Refused::Unknown)?;
            let parameter = catalogue.get(code).ok_or(Refused::Unknown)?;
            of_parameter(parameter, name, modifier, value, base)
        }
    }
}

/// `_has:Observation:patient:code=…` (FHIR R4 §3.1.1.5.10).
fn linked_from(kind: &str, rest: &str, value: &str, base: &str, depth: usize) -> Result<Filter, Refused> {
    let mut parts = rest.splitn(3, ':');
    let (Some(source), Some(code), Some(inner)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Refused::wrong("_has", "Type:référence:paramètre", "Type:reference:parameter"));
    };
    let catalogue = catalogue::of(source).ok_or(Refused::Unknown)?;
    let reference = catalogue.get(code).filter(|one| one.kind == SearchKind::Reference).ok_or(Refused::Unknown)?;
    if !reference.targets.is_empty() && !reference.targets.contains(&kind) {
        return Err(Refused::Unknown);
    }
    let inner = condition(source, inner, value, base, depth + 1)?;
    Ok(Filter::LinkedFrom(source.to_owned(), code.to_owned(), Box::new(inner)))
}

/// `subject:Patient.name=…` (FHIR R4 §3.1.1.5.9). Without a type, each one that has the parameter is tried.
fn links_to(kind: &str, head: &str, rest: &str, value: &str, base: &str, depth: usize) -> Result<Filter, Refused> {
    let (code, typed) = head.split_once(':').map_or((head, None), |(code, target)| (code, Some(target)));
    let catalogue = catalogue::of(kind).ok_or(Refused::Unknown)?;
    let reference = catalogue.get(code).filter(|one| one.kind == SearchKind::Reference).ok_or(Refused::Unknown)?;
    let targets: Vec<&str> = match typed {
        Some(target) => vec![target],
        None => reference.targets.clone(),
    };
    let mut each = Vec::new();
    for target in targets {
        match condition(target, rest, value, base, depth + 1) {
            Ok(inner) => each.push(Filter::LinksTo(code.to_owned(), target.to_owned(), Box::new(inner))),
            Err(Refused::Unknown) => {}
            Err(wrong) => return Err(wrong),
        }
    }
    if each.is_empty() { Err(Refused::Unknown) } else { Ok(Filter::Any(each)) }
}

fn of_parameter(
    parameter: &Parameter,
    name: &str,
    modifier: Option<&str>,
    value: &str,
    base: &str,
) -> Result<Filter, Refused> {
    let code = parameter.code.as_ref();
    if modifier == Some("missing") {
        let present = Filter::Present(code.to_owned());
        return match value {
            "false" => Ok(present),
            "true" => Ok(Filter::Not(Box::new(present))),
            _ => Err(Refused::wrong(name, "true ou false", "true or false")),
        };
    }
    match (parameter.kind, modifier) {
        (SearchKind::Token, None) => Ok(words(code, value)),
        (SearchKind::Token, Some("not")) => Ok(Filter::Not(Box::new(words(code, value)))),
        (SearchKind::Token, Some("text")) => any(value, |one| text(name, code, one, TextTest::Begins)),
        (SearchKind::Token, Some("of-type")) => any(value, |one| of_type(name, code, one)),
        (SearchKind::String, None) => any(value, |one| text(name, code, one, TextTest::Begins)),
        (SearchKind::String, Some("contains")) => any(value, |one| text(name, code, one, TextTest::Holds)),
        (SearchKind::String, Some("exact")) => any(value, |one| {
            let written = value::plain(one);
            Ok(Filter::Text(code.to_owned(), TextTest::Written(fold(&written), written)))
        }),
        (SearchKind::Uri, None) => any(value, |one| Ok(uri(code, &value::plain(one)))),
        (SearchKind::Uri, Some("below")) => any(value, |one| {
            let one = value::plain(one);
            let below = Filter::Text(code.to_owned(), TextTest::Begins(format!("{}/", one.trim_end_matches('/'))));
            Ok(Filter::Any(vec![uri(code, &one), below]))
        }),
        (SearchKind::Uri, Some("above")) => any(value, |one| Ok(above(code, &value::plain(one)))),
        (SearchKind::Reference, Some("identifier")) => Ok(words(&format!("{code}:identifier"), value)),
        (SearchKind::Reference, modifier) => any(value, |one| reference(parameter, name, modifier, one, base)),
        (SearchKind::Date, None) => any(value, |one| {
            value::moment(one, |bounds| Filter::Range(code.to_owned(), String::new(), bounds))
                .ok_or_else(|| wrong_date(name))
        }),
        (SearchKind::Number, None) => any(value, |one| {
            value::number(one, |bounds| Filter::Range(code.to_owned(), String::new(), bounds))
                .ok_or_else(|| Refused::wrong(name, "un nombre", "a number"))
        }),
        (SearchKind::Quantity, None) => any(value, |one| {
            value::quantity(one, |unit, bounds| Filter::Range(code.to_owned(), unit.to_owned(), bounds))
                .ok_or_else(|| wrong_quantity(name))
        }),
        (SearchKind::Composite, None) => any(value, |one| composite(parameter, name, one)),
        _ => Err(Refused::modifier(name)),
    }
}

/// Any of the values between commas.
fn any(value: &str, one: impl Fn(&str) -> Result<Filter, Refused>) -> Result<Filter, Refused> {
    let mut each = value::split(value, ',').map(one).collect::<Result<Vec<_>, _>>()?;
    if each.len() == 1 { each.pop().ok_or(Refused::Unknown) } else { Ok(Filter::Any(each)) }
}

fn words(code: &str, value: &str) -> Filter {
    Filter::Exact(code.to_owned(), value::split(value, ',').map(value::plain).collect())
}

fn text(name: &str, code: &str, value: &str, test: impl Fn(String) -> TextTest) -> Result<Filter, Refused> {
    let folded = fold(&value::plain(value));
    if folded.is_empty() {
        return Err(Refused::wrong(name, "un texte", "a text"));
    }
    Ok(Filter::Text(code.to_owned(), test(folded)))
}

fn of_type(name: &str, code: &str, value: &str) -> Result<Filter, Refused> {
    let parts: Vec<String> = value::split(value, '|').map(value::plain).collect();
    let [system, kind, value] = parts.as_slice() else {
        return Err(Refused::wrong(name, "système|type|valeur", "system|type|value"));
    };
    Ok(Filter::Exact(code.to_owned(), vec![extract::of_type(system, kind, value)]))
}

fn uri(code: &str, value: &str) -> Filter {
    Filter::Text(code.to_owned(), TextTest::Is(value.to_owned()))
}

/// The URI and all that it is below.
fn above(code: &str, value: &str) -> Filter {
    let ends = value.match_indices('/').map(|(at, _)| at).chain([value.len()]);
    Filter::Any(ends.filter(|end| *end > 0).take(64).map(|end| uri(code, &value[..end])).collect())
}

fn reference(
    parameter: &Parameter,
    name: &str,
    modifier: Option<&str>,
    value: &str,
    base: &str,
) -> Result<Filter, Refused> {
    let value = value::plain(value);
    let to = |targets| Filter::Link(parameter.code.as_ref().to_owned(), targets);
    if let Some(kind) = modifier {
        if types().resource(kind).is_none() || value.contains('/') {
            return Err(Refused::modifier(name));
        }
        return Ok(to(vec![(kind.to_owned(), value)]));
    }
    match extract::link(&value, base) {
        Some(socle_store::Key::Link { kind, id }) if !kind.is_empty() => Ok(to(vec![(kind, id)])),
        Some(_) if crate::resource::is_id(&value) => {
            Ok(to(parameter.targets.iter().map(|kind| ((*kind).to_owned(), value.clone())).collect()))
        }
        Some(socle_store::Key::Link { kind, id }) => Ok(to(vec![(kind, id)])),
        _ => Err(Refused::wrong(name, "id, Type/id ou une URL", "id, Type/id or a URL")),
    }
}

/// `code$value`, both in the same element (FHIR R4 §3.1.1.4.13).
fn composite(parameter: &Parameter, name: &str, value: &str) -> Result<Filter, Refused> {
    let code = parameter.code.as_ref().to_owned();
    let parts: Vec<&str> = value::split(value, '$').collect();
    let ([_, kind], [first, second]) = (parameter.parts.as_slice(), parts.as_slice()) else {
        return Err(Refused::wrong(name, "deux valeurs jointes par $", "two values joined by $"));
    };
    let first = value::plain(first);
    let on = |unit: &str| catalogue::joined(&first, unit);
    let made = match kind.kind {
        SearchKind::Token => Some(Filter::Exact(code, vec![on(&value::plain(second))])),
        SearchKind::Date => value::moment(second, |bounds| Filter::Range(code.clone(), on(""), bounds)),
        SearchKind::Number => value::number(second, |bounds| Filter::Range(code.clone(), on(""), bounds)),
        SearchKind::Quantity => value::quantity(second, |unit, bounds| Filter::Range(code.clone(), on(unit), bounds)),
        _ => None,
    };
    made.ok_or_else(|| Refused::wrong(name, "une seconde valeur de son type", "a second value of its type"))
}

fn wrong_date(name: &str) -> Refused {
    Refused::wrong(name, "une date : [préfixe]AAAA[-MM[-JJ[Thh:mm…]]]", "a date: [prefix]YYYY[-MM[-DD[Thh:mm…]]]")
}

fn wrong_quantity(name: &str) -> Refused {
    Refused::wrong(name, "[préfixe]nombre[|système|unité]", "[prefix]number[|system|unit]")
}
