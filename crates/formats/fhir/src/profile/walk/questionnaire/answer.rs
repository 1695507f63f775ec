//! One answer: its type, the options it is one of, its limits (FHIR R4 §4.17).

use std::cmp::Ordering;

use regex::RegexBuilder;
use socle_finding::Text;

use super::super::references::type_in;
use super::super::say::{both, r4};
use super::super::{Walk, codes::Answer};
use super::enable::compare;
use super::{CORE, Form, choice, extension, ordered};
use crate::profile::report::Subject;
use crate::tape::Node;
use crate::terminology::{Membership, Set, read_value_set};

const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

/// A pattern of a questionnaire is no reason to run out of memory.
const MAX_REGEX: usize = 1 << 20;

impl<'d> Walk<'_, 'd> {
    pub(super) fn answer(&mut self, form: &Form<'_, 'd>, answer: Node<'d>, question: Node<'_>, count: usize) {
        let Some((of, value)) = choice(answer, "value") else { return };
        let allowed = allowed(question);
        if !allowed.is_empty() && !allowed.contains(&of) {
            self.other_answer_type(value, &allowed);
            return;
        }
        self.option(answer, of, value, question, count);
        if of == "Coding" {
            self.in_answer_set(form, answer, value, question);
        }
        self.limits(of, value, question);
        self.answer_range(of, value, question);
    }

    /// The answer is one of `answerOption`; an open choice may also be answered by a text of one's own.
    fn option(&mut self, answer: Node<'d>, of: &str, value: Node<'d>, question: Node<'_>, count: usize) {
        let is_own_text = question.text("type") == Some("open-choice") && of == "String";
        if question.get("answerOption").is_none() || is_own_text {
            return;
        }
        let is_it = |option: &Node<'_>| {
            choice(*option, "value").is_some_and(|(kind, wanted)| {
                kind == of && compare(of, value, kind, wanted).is_none_or(Ordering::is_eq)
            })
        };
        let Some(option) = question.all("answerOption").find(is_it) else {
            self.error(
                value,
                r4("4.17"),
                Text::fixed(
                    "la réponse n'est pas une des options de la question",
                    "the answer is none of the options of the question",
                ),
                Text::fixed("choisissez une valeur de answerOption", "choose a value of answerOption"),
            );
            return;
        };
        let exclusive = extension(option, &format!("{CORE}questionnaire-optionExclusive"));
        let is_exclusive = exclusive.and_then(|said| said.get("valueBoolean")).and_then(Node::bool) == Some(true);
        if is_exclusive && count > 1 {
            self.error(
                answer,
                r4("4.17"),
                Text::fixed("cette option exclut toute autre réponse", "this option excludes every other answer"),
                Text::fixed("gardez-la seule, ou retirez-la", "keep it alone, or remove it"),
            );
        }
    }

    fn in_answer_set(&mut self, form: &Form<'_, 'd>, answer: Node<'d>, value: Node<'d>, question: Node<'_>) {
        let Some(canonical) = question.text("answerValueSet") else { return };
        let found = match canonical.strip_prefix('#') {
            Some(id) => self.in_contained(form, id, value),
            None => self.is_in(canonical, value),
        };
        match found {
            Answer::Outside => self.error(
                answer,
                r4("4.17"),
                both(
                    format!("le code n'est pas dans les réponses admises : {canonical}"),
                    format!("the code is not among the allowed answers: {canonical}"),
                ),
                Text::fixed(
                    "choisissez un code du jeu de valeurs, avec son système",
                    "choose a code of the value set, with its system",
                ),
            ),
            Answer::Unknown => self.not_checked(Subject::ValueSet, canonical, answer),
            Answer::Inside | Answer::Empty | Answer::NoCode => {}
        }
    }

    /// The value set is contained in the questionnaire.
    fn in_contained(&self, form: &Form<'_, 'd>, id: &str, value: Node<'d>) -> Answer {
        let Some(code) = value.text("code") else { return Answer::Empty };
        let held = form.questionnaire.all("contained").find(|held| held.text("id") == Some(id));
        let read = held.and_then(|held| read_value_set(held).ok());
        let set = read.and_then(|read| Set::resolve(&read.into(), &**self.terms.source(), &[]).ok());
        match set.map(|set| set.member(value.text("system"), code, None)) {
            Some(Membership::Yes | Membership::WrongDisplay) => Answer::Inside,
            Some(Membership::No) => Answer::Outside,
            Some(Membership::Unknown(_)) | None => Answer::Unknown,
        }
    }

    fn limits(&mut self, of: &str, value: Node<'d>, question: Node<'_>) {
        let said = |name: &str| extension(question, &format!("{CORE}{name}"));
        let count = |name: &str| said(name)?.get("valueInteger")?.u64();
        let length = value.str().map(|text| text.chars().count() as u64);
        if let (Some(length), "String" | "Uri") = (length, of) {
            let max = question.get("maxLength").and_then(Node::u64);
            if let Some(max) = max.filter(|max| length > *max) {
                self.limit(
                    value,
                    both(
                        format!("la réponse dépasse {max} caractères"),
                        format!("the answer is longer than {max} characters"),
                    ),
                    Text::fixed("raccourcissez-la", "shorten it"),
                );
            }
            if let Some(min) = count("minLength").filter(|min| length < *min) {
                self.limit(
                    value,
                    both(
                        format!("la réponse a moins de {min} caractères"),
                        format!("the answer is shorter than {min} characters"),
                    ),
                    Text::fixed("complétez-la", "complete it"),
                );
            }
        }
        if let Some(pattern) = said("regex").and_then(|said| said.text("valueString"))
            && let Some(text) = value.str()
            && is_match(pattern, text) == Some(false)
        {
            self.limit(
                value,
                both(
                    format!("la réponse n'a pas la forme attendue : {pattern}"),
                    format!("the answer has not the expected form: {pattern}"),
                ),
                Text::fixed("corrigez la réponse", "mend the answer"),
            );
        }
        if let Some(max) = count("maxDecimalPlaces")
            && let Some((_, places)) = value.number().and_then(|number| number.split_once('.'))
            && places.len() as u64 > max
        {
            self.limit(
                value,
                both(
                    format!("la réponse a plus de {max} décimales"),
                    format!("the answer has more than {max} decimal places"),
                ),
                Text::fixed("arrondissez-la", "round it"),
            );
        }
        let codes = |name: &str| -> Vec<&str> {
            let url = format!("{CORE}{name}");
            let all = question.all("extension").filter(|extension| extension.text("url") == Some(&url));
            all.filter_map(|extension| extension.text("valueCode")).collect()
        };
        self.one_of_codes(value.text("contentType"), value, &codes("mimeType"));
        if of == "Reference" {
            let kind = value.text("reference").and_then(type_in).or_else(|| value.text("type"));
            self.one_of_codes(kind, value, &codes("questionnaire-referenceResource"));
        }
    }

    fn one_of_codes(&mut self, own: Option<&str>, value: Node<'d>, allowed: &[&str]) {
        let Some(own) = own else { return };
        if allowed.is_empty() || allowed.contains(&own) {
            return;
        }
        let allowed = allowed.join(", ");
        self.limit(
            value,
            both(format!("la question n'admet que : {allowed}"), format!("the question allows only: {allowed}")),
            Text::fixed("répondez par un de ces types", "answer by one of these types"),
        );
    }

    fn answer_range(&mut self, of: &str, value: Node<'d>, question: Node<'_>) {
        let (low, high) = if of == "Quantity" {
            (format!("{SDC}minQuantity"), format!("{SDC}maxQuantity"))
        } else {
            (format!("{CORE}minValue"), format!("{CORE}maxValue"))
        };
        let bound = |url: &str| extension(question, url).and_then(|said| choice(said, "value"));
        let is = |url: &str, order: Ordering| bound(url).is_some_and(|(_, bound)| ordered(value, bound) == Some(order));
        if is(&low, Ordering::Less) {
            self.limit(
                value,
                Text::fixed("la réponse est sous le minimum admis", "the answer is below the allowed minimum"),
                Text::fixed("vérifiez la valeur et son unité", "check the value and its unit"),
            );
        }
        if is(&high, Ordering::Greater) {
            self.limit(
                value,
                Text::fixed("la réponse dépasse le maximum admis", "the answer is above the allowed maximum"),
                Text::fixed("vérifiez la valeur et son unité", "check the value and its unit"),
            );
        }
    }

    fn limit(&mut self, value: Node<'d>, message: Text, mend: Text) {
        self.error(value, r4("4.17"), message, mend);
    }

    fn other_answer_type(&mut self, value: Node<'d>, allowed: &[&str]) {
        let names = allowed.join(", ");
        self.error(
            value,
            r4("4.18"),
            both(
                format!("la question n'attend pas une réponse de ce type, mais : {names}"),
                format!("the question does not expect an answer of this type, but: {names}"),
            ),
            Text::fixed("changez le type de la réponse : value[x]", "change the type of the answer: value[x]"),
        );
    }
}

/// The types of `value[x]` that answer a question; nothing when all do.
fn allowed(question: Node<'_>) -> Vec<&str> {
    let one = match question.text("type").unwrap_or_default() {
        "boolean" => "Boolean",
        "decimal" => "Decimal",
        "integer" => "Integer",
        "date" => "Date",
        "dateTime" => "DateTime",
        "time" => "Time",
        "string" | "text" => "String",
        "url" => "Uri",
        "attachment" => "Attachment",
        "reference" => "Reference",
        "quantity" => "Quantity",
        kind @ ("choice" | "open-choice") => {
            let mut all = vec!["Coding"];
            all.extend((kind == "open-choice").then_some("String"));
            all.extend(question.all("answerOption").filter_map(|option| Some(choice(option, "value")?.0)));
            // A choice without choices: nothing tells what answers it.
            let is_open = question.get("answerOption").is_none() && question.get("answerValueSet").is_none();
            return if is_open { Vec::new() } else { all };
        }
        _ => return Vec::new(),
    };
    vec![one]
}

/// The whole text; none for a pattern that cannot be read.
fn is_match(pattern: &str, text: &str) -> Option<bool> {
    let regex = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(MAX_REGEX).build().ok()?;
    Some(regex.is_match(text))
}
