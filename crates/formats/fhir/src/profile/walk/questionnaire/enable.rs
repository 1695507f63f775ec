//! Whether a question is asked: `enableWhen`, `enableBehavior`, and expressions (FHIR R4 §4.17).
//!
//! None where R4 leaves it open or the conditions do not tell: then nothing is reported for the question.

use std::cmp::Ordering;

use super::super::Walk;
use super::{Form, choice, extension, ordered};
use crate::tape::{Kind, Node};

/// Extensions that say it by FHIRPath on the response: of SDC, and of Finland's Kanta.
const EXPRESSIONS: [&str; 2] = [
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression",
    "http://phr.kanta.fi/StructureDefinition/fiphr-ext-questionnaire-enablewhen",
];

impl<'d> Walk<'_, 'd> {
    pub(super) fn is_enabled(&self, form: &Form<'_, 'd>, question: Node<'_>, holder: Node<'d>) -> Option<bool> {
        if let Some(said) = EXPRESSIONS.iter().find_map(|url| extension(question, url)) {
            return self.holds_here(expression(said)?, form.response, None);
        }
        let conditions: Vec<Option<bool>> =
            question.all("enableWhen").map(|condition| is_met(form, holder, condition)).collect();
        let all = conditions.iter().try_fold(true, |all, one| one.map(|one| all && one));
        match (conditions.as_slice(), question.text("enableBehavior")) {
            ([], _) => Some(true),
            ([one], _) => *one,
            (several, Some("all")) if several.contains(&Some(false)) => Some(false),
            (_, Some("all")) => all,
            (several, Some("any")) if several.contains(&Some(true)) => Some(true),
            (several, Some("any")) => several.iter().all(Option::is_some).then_some(false),
            _ => None,
        }
    }
}

fn expression(said: Node<'_>) -> Option<&str> {
    said.text("valueString").or_else(|| {
        let expression = said.get("valueExpression")?;
        expression.text("expression").filter(|_| expression.text("language") == Some("text/fhirpath"))
    })
}

fn is_met<'d>(form: &Form<'_, 'd>, holder: Node<'d>, condition: Node<'_>) -> Option<bool> {
    let answers = answers(form, holder, condition.text("question")?);
    let (of, wanted) = choice(condition, "answer")?;
    let given: Vec<(&str, Node<'d>)> = answers.into_iter().filter_map(|answer| choice(answer, "value")).collect();
    let any = |fits: fn(Ordering) -> bool| {
        let one = |(own, value): &(&str, Node<'d>)| compare(own, *value, of, wanted).map(fits);
        let found: Vec<Option<bool>> = given.iter().map(one).collect();
        if found.contains(&Some(true)) { Some(true) } else { found.iter().all(Option::is_some).then_some(false) }
    };
    match condition.text("operator")? {
        "exists" => Some(wanted.bool()? != given.is_empty()),
        "=" => any(Ordering::is_eq),
        // Of no answer, R4 does not say whether it is another one; of several, whether one or all are meant.
        "!=" => {
            let equal: Vec<Option<bool>> =
                given.iter().map(|(own, value)| compare(own, *value, of, wanted).map(Ordering::is_eq)).collect();
            let first = (*equal.first()?)?;
            equal.iter().all(|one| *one == Some(first)).then_some(!first)
        }
        ">" => any(Ordering::is_gt),
        "<" => any(Ordering::is_lt),
        ">=" => any(Ordering::is_ge),
        "<=" => any(Ordering::is_le),
        _ => None,
    }
}

/// The answers of the nearest item of that id: below the holder, then below what holds that, up to the response.
fn answers<'d>(form: &Form<'_, 'd>, holder: Node<'d>, id: &str) -> Vec<Node<'d>> {
    let mut here = Some(holder);
    while let Some(node) = here {
        if node.kind() == Kind::Object {
            let items = items_named(node, id);
            if !items.is_empty() {
                return items.into_iter().flat_map(|item| item.all("answer")).collect();
            }
        }
        here = (node != form.response).then(|| node.parent()).flatten();
    }
    Vec::new()
}

fn items_named<'d>(node: Node<'d>, id: &str) -> Vec<Node<'d>> {
    let (mut open, mut found) = (vec![node], Vec::new());
    while let Some(node) = open.pop() {
        if node.text("linkId") == Some(id) {
            found.push(node);
        }
        open.extend(node.all("item").chain(node.all("answer")));
    }
    found
}

/// Equal, or how they are ordered; values that are only equal or not are `Less` when not. None when it cannot be told.
pub(super) fn compare(own: &str, value: Node<'_>, of: &str, wanted: Node<'_>) -> Option<Ordering> {
    let number = |of: &str| matches!(of, "Integer" | "Decimal");
    if own != of && !(number(own) && number(of)) {
        return Some(Ordering::Less);
    }
    let told = |same: bool| Some(if same { Ordering::Equal } else { Ordering::Less });
    match of {
        "Boolean" => told(value.bool() == wanted.bool()),
        "Coding" => {
            let same = value.text("code")? == wanted.text("code")?;
            match (value.text("system"), wanted.text("system")) {
                _ if !same => told(false),
                (Some(own), Some(wanted)) => told(own == wanted),
                (None, None) => told(true),
                _ => None,
            }
        }
        "Reference" => told(value.text("reference")? == wanted.text("reference")?),
        "String" | "Uri" | "Time" => Some(value.str()?.cmp(wanted.str()?)),
        "Date" | "DateTime" if value.str()?.len() != wanted.str()?.len() => None,
        "Date" | "DateTime" => Some(value.str()?.cmp(wanted.str()?)),
        _ => ordered(value, wanted),
    }
}
