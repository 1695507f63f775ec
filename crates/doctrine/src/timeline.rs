//! Dates, with what is published kept apart from what was only announced.

use jiff::civil::Date;

use crate::catalogue::{Catalogue, FicheNews, Milestone, Published};

/// The events of the catalogue in three lists that are never merged, and the news of each fiche.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline<'a> {
    /// The day from which past and future are told.
    pub today: Date,
    /// Their act is published.
    pub published: Vec<&'a Milestone>,
    /// Voted; publication in the Official Journal of the Union not seen (`JOUE non vu`).
    pub adopted: Vec<&'a Milestone>,
    /// Only announced.
    pub announced: Vec<&'a Milestone>,
    /// Per fiche, announced and published side by side.
    pub fiches: &'a [FicheNews],
}

impl<'a> Timeline<'a> {
    /// Sorts the events of a catalogue, by day.
    #[must_use]
    pub fn of(catalogue: &'a Catalogue, today: Date) -> Self {
        let list = |status| {
            let mut list: Vec<_> = catalogue.milestones.iter().filter(|one| one.status == status).collect();
            list.sort_by_key(|one| one.day.first());
            list
        };
        Self {
            today,
            published: list(Published::Published),
            adopted: list(Published::AdoptedNotSeen),
            announced: list(Published::Announced),
            fiches: &catalogue.fiches,
        }
    }

    /// Is the event past on that day?
    #[must_use]
    pub fn is_past(&self, milestone: &Milestone) -> bool {
        milestone.day.last() < self.today
    }
}
