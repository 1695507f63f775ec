//! A response against its questionnaire (FHIR R4 §4.18, §4.17).
//!
//! Order here: the questionnaire is found, then level by level the items are put beside the questions, and
//! each question looks at its items. Beside: `enable` (is a question asked at all), `answer` (types,
//! options, limits).
//!
//! Not here: a questionnaire that is not known (listed as not checked), expressions that need more than the
//! response (`%variable`s of SDC), answers computed by the form.

mod answer;
mod enable;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use socle_finding::Text;

use super::ranges::{decimal, moment, quantities};
use super::say::{both, r4};
use super::{MAX_DEPTH, Walk};
use crate::profile::report::Subject;
use crate::tape::{Kind, Node};

/// What is answered: the questionnaire, by whom.
struct Form<'q, 'd> {
    questionnaire: Node<'q>,
    response: Node<'d>,
    /// The response is said to be complete: what is required is there.
    is_whole: bool,
}

impl<'d> Walk<'_, 'd> {
    pub(super) fn response(&mut self, response: Node<'d>) {
        let Some(at) = response.get("questionnaire") else { return };
        let Some(canonical) = at.str() else { return };
        if let Some(id) = canonical.strip_prefix('#') {
            if let Some(held) = response.all("contained").find(|held| held.text("id") == Some(id)) {
                self.answered(response, held);
            }
            return;
        }
        match self.library.definitions.resource("Questionnaire", canonical) {
            Some(document) => self.answered(response, document.root()),
            None => self.not_checked(Subject::Questionnaire, canonical, at),
        }
    }

    fn answered(&mut self, response: Node<'d>, questionnaire: Node<'_>) {
        let is_whole = matches!(response.text("status"), Some("completed" | "amended"));
        let form = Form { questionnaire, response, is_whole };
        self.level(&form, response, questionnaire, 0);
    }

    /// The items of one level beside its questions: all are asked for, in the order of the questionnaire.
    fn level<'q>(&mut self, form: &Form<'q, 'd>, holder: Node<'d>, questions: Node<'q>, depth: u32) {
        if depth > MAX_DEPTH {
            return;
        }
        let questions: Vec<Node<'q>> = questions.all("item").collect();
        let mut given: Vec<Vec<Node<'d>>> = vec![Vec::new(); questions.len()];
        let mut last = 0;
        for item in holder.all("item") {
            let Some(id) = item.text("linkId") else { continue };
            let Some(place) = questions.iter().position(|question| question.text("linkId") == Some(id)) else {
                self.not_asked(form, item, id);
                continue;
            };
            if place < last {
                self.out_of_turn(item);
            }
            last = last.max(place);
            given[place].push(item);
        }
        for (question, items) in questions.into_iter().zip(given) {
            self.question(form, holder, question, &items, depth);
        }
    }

    fn question<'q>(
        &mut self,
        form: &Form<'q, 'd>,
        holder: Node<'d>,
        question: Node<'q>,
        items: &[Node<'d>],
        depth: u32,
    ) {
        let enabled = self.is_enabled(form, question, holder);
        if enabled == Some(false) {
            for item in items.iter().filter(|item| item.get("answer").is_some() || item.get("item").is_some()) {
                self.not_enabled(*item);
            }
            return;
        }
        let is_required = form.is_whole && enabled == Some(true) && flag(question, "required");
        let kind = question.text("type").unwrap_or_default();
        if items.is_empty() {
            if is_required && kind != "display" {
                self.no_answer(holder, question);
            }
            return;
        }
        if items.len() > 1 && !flag(question, "repeats") {
            self.several(items[1]);
        }
        for item in items {
            match kind {
                "display" => self.display_item(*item),
                "group" => self.group_item(form, *item, question, is_required, depth),
                _ => self.question_item(form, *item, question, is_required, depth),
            }
        }
    }

    fn group_item<'q>(&mut self, form: &Form<'q, 'd>, item: Node<'d>, group: Node<'q>, is_required: bool, depth: u32) {
        if item.get("answer").is_some() {
            self.error(
                item,
                r4("4.18"),
                Text::fixed("un groupe n'a pas de réponse", "a group has no answer"),
                Text::fixed(
                    "mettez les réponses dans les questions du groupe : item.item",
                    "put the answers in the questions of the group: item.item",
                ),
            );
        } else if is_required && item.get("item").is_none() {
            self.no_answer(item, group);
            return;
        }
        self.level(form, item, group, depth + 1);
    }

    fn display_item(&mut self, item: Node<'d>) {
        if item.get("answer").is_none() && item.get("item").is_none() {
            return;
        }
        self.error(
            item,
            r4("4.17"),
            Text::fixed("un texte affiché n'attend pas de réponse", "a displayed text has no answer"),
            Text::fixed("retirez answer et item", "remove answer and item"),
        );
    }

    fn question_item<'q>(
        &mut self,
        form: &Form<'q, 'd>,
        item: Node<'d>,
        question: Node<'q>,
        is_required: bool,
        depth: u32,
    ) {
        if item.get("item").is_some() {
            self.error(
                item,
                r4("4.18"),
                Text::fixed(
                    "une question porte ses sous-questions dans ses réponses",
                    "a question holds its inner questions in its answers",
                ),
                Text::fixed("déplacez-les dans answer.item", "move them to answer.item"),
            );
        }
        let answers: Vec<Node<'d>> = item.all("answer").collect();
        if is_required && answers.is_empty() {
            self.no_answer(item, question);
        }
        self.how_many(form, item, question, answers.len());
        for answer in &answers {
            self.answer(form, *answer, question, answers.len());
            self.level(form, *answer, question, depth + 1);
        }
    }

    fn how_many(&mut self, form: &Form<'_, 'd>, item: Node<'d>, question: Node<'_>, count: usize) {
        if count > 1 && !flag(question, "repeats") {
            self.several(item);
        }
        let bound = |name: &str| {
            let value = extension(question, &format!("{CORE}{name}"))?.get("valueInteger")?.u64()?;
            usize::try_from(value).ok()
        };
        if let Some(min) = bound("questionnaire-minOccurs").filter(|min| form.is_whole && count < *min) {
            self.error(
                item,
                r4("4.18"),
                both(
                    format!("la question veut au moins {min} réponses, trouvé {count}"),
                    format!("the question asks for at least {min} answers, {count} found"),
                ),
                Text::fixed("ajoutez les réponses qui manquent", "add the answers that are missing"),
            );
        }
        if let Some(max) = bound("questionnaire-maxOccurs").filter(|max| count > *max) {
            self.error(
                item,
                r4("4.18"),
                both(
                    format!("la question admet au plus {max} réponses, trouvé {count}"),
                    format!("the question allows at most {max} answers, {count} found"),
                ),
                both(format!("n'en gardez que {max}"), format!("keep {max} only")),
            );
        }
    }

    fn not_asked(&mut self, form: &Form<'_, 'd>, item: Node<'d>, id: &str) {
        let (message, mend) = if knows(form.questionnaire, id) {
            (
                Text::fixed(
                    "la question n'est pas à cette place dans le questionnaire",
                    "the question is not at this place in the questionnaire",
                ),
                Text::fixed(
                    "rangez les items comme le questionnaire : groupes dans item, sous-questions dans answer.item",
                    "nest the items as the questionnaire does: groups in item, inner questions in answer.item",
                ),
            )
        } else {
            (
                Text::fixed("le questionnaire n'a pas ce linkId", "the questionnaire has no such linkId"),
                Text::fixed("mettez le linkId de la question", "put the linkId of the question"),
            )
        };
        self.error(item, r4("4.18"), message, mend);
    }

    fn out_of_turn(&mut self, item: Node<'d>) {
        self.error(
            item,
            r4("4.18"),
            Text::fixed(
                "les items ne sont pas dans l'ordre du questionnaire",
                "the items are not in the order of the questionnaire",
            ),
            Text::fixed("rangez-les comme les questions", "put them in the order of the questions"),
        );
    }

    fn not_enabled(&mut self, item: Node<'d>) {
        self.error(
            item,
            r4("4.17"),
            Text::fixed(
                "la question a une réponse, or sa condition enableWhen n'est pas remplie",
                "the question has an answer, but its enableWhen condition is not met",
            ),
            Text::fixed(
                "retirez la réponse, ou corrigez celle dont la question dépend",
                "remove the answer, or mend the one that the question depends on",
            ),
        );
    }

    fn no_answer(&mut self, at: Node<'d>, question: Node<'_>) {
        let id = question.text("linkId").unwrap_or_default().to_owned();
        self.error(
            at,
            r4("4.17"),
            both(
                format!("la question {id} est obligatoire et n'a pas de réponse"),
                format!("the question {id} is required and has no answer"),
            ),
            Text::fixed(
                "répondez, ou mettez le statut in-progress tant que la réponse n'est pas complète",
                "answer it, or set the status in-progress as long as the response is not complete",
            ),
        );
    }

    fn several(&mut self, at: Node<'d>) {
        self.error(
            at,
            r4("4.17"),
            Text::fixed("la question n'admet qu'une réponse", "the question allows one answer only"),
            Text::fixed(
                "gardez une réponse, ou mettez repeats à true dans le questionnaire",
                "keep one answer, or set repeats to true in the questionnaire",
            ),
        );
    }
}

const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

fn flag(question: Node<'_>, name: &str) -> bool {
    question.get(name).and_then(Node::bool) == Some(true)
}

fn extension<'a>(node: Node<'a>, url: &str) -> Option<Node<'a>> {
    node.all("extension").find(|extension| extension.text("url") == Some(url))
}

/// The value of a choice: its type as the name says it, and the value.
fn choice<'a>(node: Node<'a>, stem: &str) -> Option<(&'a str, Node<'a>)> {
    node.members().find_map(|(name, value)| {
        let of = name.strip_prefix(stem)?;
        of.starts_with(|sign: char| sign.is_ascii_uppercase()).then_some((of, value))
    })
}

/// Numbers, moments and quantities in order; none when they do not compare.
fn ordered(value: Node<'_>, bound: Node<'_>) -> Option<Ordering> {
    match (value.kind(), bound.kind()) {
        (Kind::Number, Kind::Number) => Some(decimal(value)?.cmp(&decimal(bound)?)),
        (Kind::String, Kind::String) => moment(value)?.compare(moment(bound)?),
        (Kind::Object, Kind::Object) => quantities(value, bound),
        _ => None,
    }
}

/// Some question of the questionnaire has that id.
fn knows(questionnaire: Node<'_>, id: &str) -> bool {
    let mut open: Vec<Node<'_>> = questionnaire.all("item").collect();
    while let Some(question) = open.pop() {
        if question.text("linkId") == Some(id) {
            return true;
        }
        open.extend(question.all("item"));
    }
    false
}
