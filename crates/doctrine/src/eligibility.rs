//! Can my product apply, what is missing, by when.
//!
//! A window whose dates were not found is unknown, never open. Where the entry was not found but a later
//! step is over, nobody new gets in: closed, with that remark. A copy older than six months is said to be.

use jiff::Span;
use jiff::civil::Date;
use serde::Serialize;
use socle_finding::Text;

use crate::applicability::Applicability;
use crate::catalogue::{Bound, Catalogue, Kind, Known, RequirementId, Window};
use crate::dossier::Status;
use crate::evaluation::Evaluation;
use crate::product::{Product, SEGUR};

/// The steps by which one enters a scheme. The others come after.
const ENTRIES: [&str; 5] = ["candidature", "dossier-administratif", "référencement", "relève", "toutes"];

/// Can one enter?
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Gate {
    /// No more.
    Closed {
        /// The last day.
        since: Date,
    },
    /// Until a day.
    Open {
        /// The last day.
        until: Date,
    },
    /// Not before a day.
    Later {
        /// The first day.
        opens: Date,
    },
    /// Always.
    Permanent,
    /// Not found: ask the desk.
    Unknown,
}

/// The answer for one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eligibility {
    /// A programme or a corridor.
    pub scheme: String,
    /// Its name.
    pub name: String,
    /// Which wave of Ségur.
    pub wave: Option<u8>,
    /// By which of its kinds the product is concerned; empty when it is not.
    pub concerned: Vec<Kind>,
    /// Can one enter?
    pub gate: Gate,
    /// Steps after the entry that are still open, for who is in: the step and its last day.
    pub still_open: Vec<(String, Date)>,
    /// What must be conform and is not.
    pub gaps: Vec<RequirementId>,
    /// What the applicant is asked.
    pub questions: Vec<String>,
    /// What must be said with it.
    pub remarks: Vec<Text>,
}

/// The answer for a scheme of the catalogue; none for an unknown code.
///
/// A product is concerned by a corridor when it is of its kind, by a programme when it, or its applicant,
/// is of one of the kinds that may apply.
#[must_use]
pub fn eligibility(
    catalogue: &Catalogue,
    product: &Product,
    evaluation: &Evaluation<'_>,
    code: &str,
) -> Option<Eligibility> {
    let corridor = catalogue.corridor(code);
    // A corridor is entered by the Ségur listing: what the listing asks, the corridor asks.
    let programme = catalogue.programme(if corridor.is_some() { SEGUR } else { code })?;
    let name = corridor.map_or(&programme.name, |corridor| &corridor.name).clone();
    let applicants = match corridor {
        Some(corridor) => corridor.code.split('-').nth(1).and_then(Kind::of).into_iter().collect(),
        None => programme.applicants.clone(),
    };
    let closure = product.closure();
    let wave = corridor.and_then(|corridor| corridor.waves.iter().max().copied());
    let windows: Vec<&Window> =
        catalogue.windows.iter().filter(|window| window.scheme == code && window.wave == wave).collect();
    let mut remarks = Vec::new();
    let is_permanent = matches!(&programme.status, Known::Known(status) if status.starts_with("permanent"));
    let gate = if windows.is_empty() && is_permanent && corridor.is_none() {
        Gate::Permanent
    } else {
        gate(&windows, evaluation.day, &mut remarks)
    };
    if gate == Gate::Unknown {
        remarks.push(Text::fixed("dates non trouvées : interrogez le guichet", "dates not found: ask the desk"));
    }
    remarks.extend(windows.iter().filter_map(|window| window.note.clone()).map(Text::same));
    remarks.dedup();
    let read_on = catalogue.edition.read_on;
    if read_on.saturating_add(Span::new().months(6)) < evaluation.day {
        remarks.push(Text::new(
            format!("dates lues le {read_on}, peut-être prolongées depuis"),
            format!("dates read on {read_on}, may have been extended since"),
        ));
    }
    Some(Eligibility {
        scheme: code.to_owned(),
        name,
        wave,
        concerned: applicants.into_iter().filter(|kind| closure.contains(kind)).collect(),
        still_open: still_open(&windows, evaluation.day),
        gate,
        gaps: gaps(&programme.requires, evaluation),
        questions: programme.questions.clone(),
        remarks,
    })
}

fn is_entry(window: &Window) -> bool {
    ENTRIES.contains(&window.step.as_str())
}

fn closed_on(window: &Window, today: Date) -> Option<Date> {
    match window.closes {
        Bound::On(day) => Some(day.last()).filter(|last| *last < today),
        Bound::Permanent | Bound::Unknown => None,
    }
}

fn gate(windows: &[&Window], today: Date, remarks: &mut Vec<Text>) -> Gate {
    let (entries, later): (Vec<&Window>, Vec<&Window>) = windows.iter().copied().partition(|window| is_entry(window));
    if entries.iter().any(|window| window.closes == Bound::Permanent) {
        return Gate::Permanent;
    }
    let dated = |window: &&&Window| matches!(window.closes, Bound::On(day) if day.last() >= today);
    if let Some(window) = entries.iter().find(dated)
        && let Bound::On(closes) = window.closes
    {
        return match window.opens {
            Bound::On(opens) if opens.first() > today => Gate::Later { opens: opens.first() },
            _ => Gate::Open { until: closes.last() },
        };
    }
    let all_entries_closed = !entries.is_empty() && entries.iter().all(|window| closed_on(window, today).is_some());
    if all_entries_closed {
        if later.iter().any(|window| window.step == "clôture" && closed_on(window, today).is_none()) {
            remarks.push(Text::fixed(
                "programme encore ouvert, prochaine relève UNKNOWN",
                "programme still open, next collection UNKNOWN",
            ));
            return Gate::Unknown;
        }
        return entries
            .iter()
            .filter_map(|window| closed_on(window, today))
            .max()
            .map_or(Gate::Unknown, |since| Gate::Closed { since });
    }
    match later.iter().filter_map(|window| closed_on(window, today)).min() {
        Some(since) => {
            remarks.push(Text::fixed(
                "date d'entrée non trouvée ; une étape suivante est close selon la copie lue",
                "entry date not found; a later step is closed as far as the copy read says",
            ));
            Gate::Closed { since }
        }
        None => Gate::Unknown,
    }
}

fn still_open(windows: &[&Window], today: Date) -> Vec<(String, Date)> {
    let later = windows.iter().filter(|window| !is_entry(window));
    later
        .filter_map(|window| match window.closes {
            Bound::On(day) if day.last() >= today => Some((window.step.clone(), day.last())),
            _ => None,
        })
        .collect()
}

fn gaps(requires: &[RequirementId], evaluation: &Evaluation<'_>) -> Vec<RequirementId> {
    let is_gap = |id: &&RequirementId| {
        evaluation.rows.iter().any(|row| {
            row.ruling.requirement.id == **id
                && row.ruling.applicability == Applicability::Applicable
                && row.status != Status::Conform
        })
    };
    requires.iter().filter(is_gap).cloned().collect()
}
