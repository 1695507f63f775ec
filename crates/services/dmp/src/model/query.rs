//! The stored queries of ITI-18 that the DMP answers, as values (IHE ITI TF-2 3.18.4.1.2.3.7).
//!
//! Lists are alternatives; an empty one asks for nothing. Event and confidentiality codes and reference
//! ids are lists of alternatives of which every one must be met.

use jiff::Timestamp;
use socle_cda::xds::{DocumentEntry, Status, SubmissionSet};
use socle_cda::{Code, UtcTime};
use socle_identity::Ins;

/// A query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredQuery {
    /// The entries of a patient.
    FindDocuments(FindDocuments),
    /// The same, by accession number, order or study.
    FindDocumentsByReferenceId(FindDocuments, AllOf<String>),
    /// The lots of a patient.
    FindSubmissionSets(FindSubmissionSets),
    /// Entries by their identifier.
    GetDocuments(Named),
    /// What binds these objects.
    GetAssociations(Vec<String>),
    /// Entries by their identifier, and what binds them.
    GetDocumentsAndAssociations(Named),
    /// A lot, its members, and what binds them.
    GetSubmissionSetAndContents(SetContents),
}

/// Conditions of which each must be met, each by one of its alternatives.
pub type AllOf<T> = Vec<Vec<T>>;

/// Objects named one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By entryUUID: this version of the metadata.
    EntryUuids(Vec<String>),
    /// By uniqueId: the document.
    UniqueIds(Vec<String>),
}

/// FindDocuments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindDocuments {
    /// Of whom.
    pub patient: Ins,
    /// Which ones.
    pub filter: Filter,
}

/// Which documents of a patient. The default is every active one (EX_3.1-1030).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// availabilityStatus, at least one.
    pub status: Vec<Status>,
    /// classCode.
    pub class_codes: Vec<Code>,
    /// typeCode.
    pub type_codes: Vec<Code>,
    /// formatCode.
    pub format_codes: Vec<Code>,
    /// practiceSettingCode.
    pub practice_settings: Vec<Code>,
    /// healthcareFacilityTypeCode.
    pub facilities: Vec<Code>,
    /// eventCodeList.
    pub events: AllOf<Code>,
    /// confidentialityCode.
    pub confidentiality: AllOf<Code>,
    /// authorPerson, with `%` and `_` as in SQL's LIKE.
    pub author_persons: Vec<String>,
    /// creationTime.
    pub created: Period,
    /// serviceStartTime.
    pub service_start: Period,
    /// serviceStopTime.
    pub service_stop: Period,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            status: vec![Status::Approved],
            class_codes: Vec::new(),
            type_codes: Vec::new(),
            format_codes: Vec::new(),
            practice_settings: Vec::new(),
            facilities: Vec::new(),
            events: Vec::new(),
            confidentiality: Vec::new(),
            author_persons: Vec::new(),
            created: Period::default(),
            service_start: Period::default(),
            service_stop: Period::default(),
        }
    }
}

impl Filter {
    /// Does this entry of a registry match?
    #[must_use]
    pub fn matches(&self, entry: &DocumentEntry) -> bool {
        let status = entry.status.is_some_and(|status| self.status.contains(&status));
        let authors: Vec<_> = entry.authors.iter().filter_map(|author| author.person.as_ref()).collect();
        status
            && one_of(&self.class_codes, &entry.class_code)
            && one_of(&self.type_codes, &entry.type_code)
            && one_of(&self.format_codes, &entry.format_code)
            && one_of(&self.practice_settings, &entry.practice_setting)
            && one_of(&self.facilities, &entry.facility)
            && all_met(&self.events, &entry.events)
            && all_met(&self.confidentiality, &entry.confidentiality)
            && (self.author_persons.is_empty()
                || authors.iter().any(|xcn| like_any(&self.author_persons, &xcn.to_string())))
            && self.created.holds(Some(&entry.creation_time))
            && self.service_start.holds(entry.service_start.as_ref())
            && self.service_stop.holds(entry.service_stop.as_ref())
    }
}

fn one_of(wanted: &[Code], code: &Code) -> bool {
    wanted.is_empty() || wanted.contains(code)
}

fn all_met(wanted: &[Vec<Code>], codes: &[Code]) -> bool {
    wanted.iter().all(|alternatives| alternatives.iter().any(|code| codes.contains(code)))
}

fn like_any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| like(pattern, text))
}

/// SQL's LIKE with `%` and `_`, without escape (IHE ITI TF-2 3.18.4.1.2.3.2).
///
/// Linear in both texts for one `%`, and at worst their product: both are bounded by the slot's limits.
#[must_use]
pub fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut restart: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                restart = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '_' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match restart {
                Some((after_percent, from)) => {
                    restart = Some((after_percent, from + 1));
                    p = after_percent;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

/// FindSubmissionSets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindSubmissionSets {
    /// Of whom.
    pub patient: Ins,
    /// availabilityStatus, at least one.
    pub status: Vec<Status>,
    /// sourceId.
    pub source_ids: Vec<String>,
    /// submissionTime.
    pub submitted: Period,
    /// authorPerson, one pattern.
    pub author_person: Option<String>,
    /// contentTypeCode.
    pub content_types: Vec<Code>,
}

impl FindSubmissionSets {
    /// Does this lot match? (Its patient is for the caller to compare.)
    #[must_use]
    pub fn matches(&self, set: &SubmissionSet) -> bool {
        let authors: Vec<_> = set.authors.iter().filter_map(|author| author.person.as_ref()).collect();
        set.status.is_some_and(|status| self.status.contains(&status))
            && (self.source_ids.is_empty() || self.source_ids.contains(&set.source_id))
            && one_of(&self.content_types, &set.content_type)
            && self.submitted.holds(Some(&set.submission_time))
            && self
                .author_person
                .as_ref()
                .is_none_or(|pattern| authors.iter().any(|xcn| like(pattern, &xcn.to_string())))
    }
}

/// GetSubmissionSetAndContents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetContents {
    /// The lot: one identifier.
    pub set: Named,
    /// formatCode of the members.
    pub format_codes: Vec<Code>,
    /// confidentialityCode of the members.
    pub confidentiality: AllOf<Code>,
}

impl SetContents {
    /// Is this member asked for?
    #[must_use]
    pub fn matches(&self, entry: &DocumentEntry) -> bool {
        one_of(&self.format_codes, &entry.format_code) && all_met(&self.confidentiality, &entry.confidentiality)
    }
}

/// From (included) to (excluded). A time that is not precise counts from its first instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Period {
    /// Not before.
    pub from: Option<UtcTime>,
    /// Before.
    pub to: Option<UtcTime>,
}

impl Period {
    /// From this instant on.
    #[must_use]
    pub fn since(instant: Timestamp) -> Self {
        Self { from: Some(instant.into()), to: None }
    }

    fn holds(&self, time: Option<&UtcTime>) -> bool {
        if self.from.is_none() && self.to.is_none() {
            return true;
        }
        let Some(time) = time.and_then(UtcTime::timestamp) else { return false };
        let start = self.from.as_ref().and_then(UtcTime::timestamp);
        let end = self.to.as_ref().and_then(UtcTime::timestamp);
        start.is_none_or(|start| time >= start) && end.is_none_or(|end| time < end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn like_is_sql_s() {
        let cases = [
            ("%", "", true),
            ("", "", true),
            ("", "a", false),
            ("MARTIN%", "MARTIN^ALICE", true),
            ("%^MARTIN^%", "801^MARTIN^ALICE", true),
            ("%^MARTIN^%", "801^MARTINEZ^ALICE", false),
            ("M_RTIN", "MARTIN", true),
            ("%a%b%", "xxaxxbxx", true),
            ("%ab", "aab", true),
            ("a%%", "a", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_period_has_its_beginning_and_not_its_end() {
        let time = |text: &str| text.parse::<UtcTime>().unwrap();
        let period = Period { from: Some(time("2026")), to: Some(time("202603")) };
        let cases = [
            ("20251231235959", false),
            ("20260101000000", true),
            ("20260228235959", true),
            ("20260301000000", false),
            ("2026", true),
        ];
        for (text, expected) in cases {
            assert_eq!(period.holds(Some(&time(text))), expected, "{text}");
        }
        assert!(!period.holds(None), "an entry without the time is not in a period");
        assert!(Period::default().holds(None));
    }

    proptest! {
        #[test]
        fn a_text_is_like_itself_and_like_percent_around_any_part(text in "[^%_]{0,20}", from in 0usize..20, len in 0usize..20) {
            prop_assert!(like(&text, &text));
            let part: String = text.chars().skip(from).take(len).collect();
            let around = format!("%{part}%");
            prop_assert!(like(&around, &text));
        }
    }
}
