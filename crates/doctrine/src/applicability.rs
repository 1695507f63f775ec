//! Does a requirement bind this product, on this day? With the reason, always.
//!
//! A product is bound when its kinds are meant, the condition holds (a scheme aimed at, facts that are
//! not false) and the day has come. A fact that is not answered counts as true, and is named, so that
//! nothing disappears from the roadmap because a question was left open.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;
use socle_finding::Text;

use crate::catalogue::{Catalogue, Condition, Due, Kind, Level, Requirement, token_of};
use crate::product::{Ehr, EhrCategory, EhrMode, Product, SEGUR};

/// The three answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Applicability {
    /// It binds now.
    Applicable,
    /// It will, or its day is not known.
    NotYet,
    /// It does not.
    NotApplicable,
}

/// What is to be said of one requirement for one product on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling<'a> {
    /// Which.
    pub requirement: &'a Requirement,
    /// The answer.
    pub applicability: Applicability,
    /// Why.
    pub reasons: Vec<Text>,
    /// Facts that nobody answered and on which the answer rests.
    pub missing_facts: Vec<String>,
    /// Is it mandatory, applicable, and past the last day that its date can mean? Only then a gap blocks.
    pub blocks: bool,
}

/// Rules on every requirement of the catalogue, in its order.
#[must_use]
pub fn rule<'a>(catalogue: &'a Catalogue, product: &Product, today: Date) -> Vec<Ruling<'a>> {
    let closure = product.closure();
    let case = Case { catalogue, product, closure, today };
    catalogue.requirements.iter().map(|requirement| case.rule_on(requirement)).collect()
}

struct Case<'a, 'p> {
    catalogue: &'a Catalogue,
    product: &'p Product,
    closure: BTreeSet<Kind>,
    today: Date,
}

/// Whether a condition holds.
enum Holds {
    Yes { reasons: Vec<Text>, missing: Vec<String> },
    No(Text),
}

impl<'a> Case<'a, '_> {
    fn rule_on(&self, requirement: &'a Requirement) -> Ruling<'a> {
        let ruling = |applicability, reasons, missing_facts| Ruling {
            requirement,
            applicability,
            reasons,
            missing_facts,
            blocks: false,
        };
        let meant: Vec<Kind> =
            requirement.applies_to.iter().copied().filter(|kind| self.closure.contains(kind)).collect();
        if meant.is_empty() {
            return ruling(Applicability::NotApplicable, vec![self.other_kinds(requirement)], Vec::new());
        }
        let mut reasons = vec![Text::new(format!("vise {}", tokens(&meant)), format!("binds {}", tokens(&meant)))];
        let mut missing_facts = Vec::new();
        match self.condition(requirement.condition.as_deref()) {
            Holds::No(reason) => return ruling(Applicability::NotApplicable, vec![reason], Vec::new()),
            Holds::Yes { reasons: because, missing } => {
                reasons.extend(because);
                missing_facts.extend(missing);
            }
        }
        let (has_come, is_past, reason) = self.day(&requirement.due);
        reasons.push(reason);
        let applicability = if has_come { Applicability::Applicable } else { Applicability::NotYet };
        let blocks = has_come && is_past && requirement.level == Level::Mandatory;
        Ruling { blocks, ..ruling(applicability, reasons, missing_facts) }
    }

    fn other_kinds(&self, requirement: &Requirement) -> Text {
        let theirs = tokens(&requirement.applies_to);
        let ours = tokens(&self.closure.iter().copied().filter(|kind| *kind != Kind::Any).collect::<Vec<_>>());
        Text::new(format!("vise {theirs} ; le produit est {ours}"), format!("binds {theirs}; the product is {ours}"))
    }

    fn condition(&self, words: Option<&str>) -> Holds {
        let Some(words) = words else { return Holds::Yes { reasons: Vec::new(), missing: Vec::new() } };
        let Some(condition) = self.catalogue.conditions.iter().find(|one| one.words == token_of(words)) else {
            // A catalogue that was read has a meaning for each condition; should one lack it, it stays in view.
            return Holds::Yes { reasons: Vec::new(), missing: vec![words.to_owned()] };
        };
        let mut reasons = Vec::new();
        if !condition.schemes.is_empty() {
            let Some(aimed) = condition.schemes.iter().find(|scheme| self.product.aims_at(scheme, self.catalogue))
            else {
                return Holds::No(not_aimed_at(words, condition));
            };
            reasons.push(Text::new(
                format!("condition « {words} » : {aimed} est visé"),
                format!("condition « {words} »: {aimed} is aimed at"),
            ));
        }
        let mut missing = Vec::new();
        for fact in &condition.facts {
            match self.fact(fact) {
                Answer::No => return Holds::No(denied(words, fact)),
                Answer::Yes => reasons.push(Text::new(
                    format!("condition « {words} » : déclarée remplie ({fact})"),
                    format!("condition « {words} »: declared met ({fact})"),
                )),
                Answer::Unknown(asked) => {
                    reasons.push(Text::new(
                        format!("condition « {words} » : fait manquant ({})", asked.join(", ")),
                        format!("condition « {words} »: fact missing ({})", asked.join(", ")),
                    ));
                    missing.extend(asked.into_iter().map(str::to_owned));
                }
            }
        }
        Holds::Yes { reasons, missing }
    }

    fn fact<'f>(&self, name: &'f str) -> Answer<'f> {
        let ehr = &self.product.ehr;
        match name {
            "ehds:marketed:abc" => marketed(ehr, &ABC),
            "ehds:marketed:def" => marketed(ehr, &DEF),
            "ehds:in-house-or-service" => by_mode(ehr, &[EhrMode::InHouse, EhrMode::Service]),
            "ehds:category:abc" => by_category(ehr, &ABC),
            "ehds:category:def" => by_category(ehr, &DEF),
            _ => match self.product.facts.get(name) {
                Some(true) => Answer::Yes,
                Some(false) => Answer::No,
                None => Answer::Unknown(vec![name]),
            },
        }
    }

    /// Has the day come, is its last possible day past, and how to say it.
    fn day(&self, due: &Due) -> (bool, bool, Text) {
        match due {
            Due::InForce => (true, true, Text::fixed("en vigueur", "in force")),
            Due::From { day, .. } => {
                let has_come = day.first() <= self.today;
                let is_past = day.blocks_from() <= self.today;
                let said = if has_come {
                    Text::new(format!("depuis {day}"), format!("since {day}"))
                } else {
                    Text::new(format!("à partir de {day}"), format!("from {day}"))
                };
                (has_come, is_past, said)
            }
            Due::Segur(wave) => {
                let aimed = self.product.aims_at(SEGUR, self.catalogue) || self.product.schemes.contains("SONS");
                let said = if aimed {
                    Text::new(format!("{wave} : dispositif visé"), format!("{wave}: scheme aimed at"))
                } else {
                    Text::new(
                        format!("daté par {wave}, qui n'est pas visé"),
                        format!("dated by {wave}, which is not aimed at"),
                    )
                };
                (aimed, aimed, said)
            }
            Due::DependsOn(text) => {
                (false, false, Text::new(format!("date {text} : UNKNOWN"), format!("date « {text} »: UNKNOWN")))
            }
            Due::Unknown => (false, false, Text::same("date UNKNOWN")),
        }
    }
}

enum Answer<'f> {
    Yes,
    No,
    Unknown(Vec<&'f str>),
}

const ABC: [EhrCategory; 3] = [EhrCategory::A, EhrCategory::B, EhrCategory::C];
const DEF: [EhrCategory; 3] = [EhrCategory::D, EhrCategory::E, EhrCategory::F];

/// Chapter III for what is placed on the market: an EHR system, that mode, one of the categories.
fn marketed<'f>(ehr: &Ehr, categories: &[EhrCategory]) -> Answer<'f> {
    both(by_mode(ehr, &[EhrMode::Marketed]), by_category(ehr, categories))
}

fn by_mode<'f>(ehr: &Ehr, modes: &[EhrMode]) -> Answer<'f> {
    let of_mode = match &ehr.modes {
        None => Answer::Unknown(vec!["ehr_mode"]),
        Some(given) if modes.iter().any(|mode| given.contains(mode)) => Answer::Yes,
        Some(_) => Answer::No,
    };
    both(is_system(ehr), of_mode)
}

/// Chapter II looks at the data, whatever the mode.
fn by_category<'f>(ehr: &Ehr, categories: &[EhrCategory]) -> Answer<'f> {
    let of_category = match &ehr.categories {
        None => Answer::Unknown(vec!["ehr_categories"]),
        Some(given) if categories.iter().any(|category| given.contains(category)) => Answer::Yes,
        Some(_) => Answer::No,
    };
    both(is_system(ehr), of_category)
}

fn is_system<'f>(ehr: &Ehr) -> Answer<'f> {
    match ehr.system {
        Some(true) => Answer::Yes,
        Some(false) => Answer::No,
        None => Answer::Unknown(vec!["ehr_system"]),
    }
}

fn both<'f>(one: Answer<'f>, other: Answer<'f>) -> Answer<'f> {
    match (one, other) {
        (Answer::No, _) | (_, Answer::No) => Answer::No,
        (Answer::Yes, Answer::Yes) => Answer::Yes,
        (Answer::Unknown(mut asked), Answer::Unknown(more)) => {
            asked.extend(more.into_iter().filter(|name| !asked.contains(name)).collect::<Vec<_>>());
            Answer::Unknown(asked)
        }
        (Answer::Unknown(asked), Answer::Yes) | (Answer::Yes, Answer::Unknown(asked)) => Answer::Unknown(asked),
    }
}

fn not_aimed_at(words: &str, condition: &Condition) -> Text {
    let schemes = condition.schemes.join(", ");
    Text::new(
        format!("condition « {words} » : dispositif non visé ({schemes})"),
        format!("condition « {words} »: scheme not aimed at ({schemes})"),
    )
}

fn denied(words: &str, fact: &str) -> Text {
    Text::new(
        format!("condition « {words} » : le fichier produit dit non ({fact})"),
        format!("condition « {words} »: the product file says no ({fact})"),
    )
}

fn tokens(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.token()).collect::<Vec<_>>().join(", ")
}
