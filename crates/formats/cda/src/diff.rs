//! What changed from one version of a document to another, as a person reads it: header, then sections.
//!
//! Sections are paired by code and rank; their texts are compared line by line. Order: the result, the
//! header, the sections, the lines. Not here: entries (a reader sees the narrative), files.

use serde::Serialize;
use socle_finding::Text;

use crate::document::{Document, DocumentError};
use crate::header::Header;
use crate::sections::Section;

/// The differences. It holds the words of both documents: for the reader who asked, not for a log.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Fields of the header.
    pub header: Vec<Field>,
    /// Sections, in the order of the second document, those that went at their former place.
    pub sections: Vec<Changed>,
    /// The body is not of the same kind, or the encapsulated file is not the same.
    pub body: Option<Text>,
}

impl std::fmt::Debug for Diff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Diff({} fields, {} sections)", self.header.len(), self.sections.len())
    }
}

impl Diff {
    /// Nothing that a reader sees.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.header.is_empty() && self.sections.is_empty() && self.body.is_none()
    }
}

/// A field of the header that differs.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: Text,
    /// In the first document.
    pub before: Option<String>,
    /// In the second.
    pub after: Option<String>,
}

/// A section that differs.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its title, or its code.
    pub title: String,
    /// What happened to it.
    pub change: Change,
    /// Its lines: all of an added or removed one, the changed ones with those around of a changed one.
    pub lines: Vec<Line>,
}

/// What happened to a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Only in the second document.
    Added,
    /// Only in the first.
    Removed,
    /// In both, with other words.
    Changed,
}

/// A line of a section.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Where it is.
    pub side: Side,
    /// The words.
    pub text: String,
}

/// Which document has a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The first alone.
    Before,
    /// The second alone.
    After,
    /// Both.
    Both,
}

/// Compares two documents.
///
/// # Errors
/// None in practice: both were read before.
pub fn compare(before: &Document, after: &Document) -> Result<Diff, DocumentError> {
    let header = header_fields(before, after);
    let sections = changed_sections(&before.sections()?, &after.sections()?);
    let body = if before.body() == after.body() {
        let other = before.payload().ok() != after.payload().ok();
        other.then_some(Text::fixed("le fichier encapsulé n'est pas le même", "the encapsulated file is not the same"))
    } else {
        Some(Text::fixed("le corps n'est pas de même nature", "the body is not of the same kind"))
    };
    Ok(Diff { header, sections, body })
}

type Getter = fn(&Header) -> Option<String>;

/// The fields that a reader compares.
const FIELDS: &[(Text, Getter)] = &[
    (Text::fixed("identifiant", "identifier"), |h| Some(h.id.to_unique_id())),
    (Text::fixed("type", "type"), |h| Some(format!("{} {}", h.code.code, h.code.label))),
    (Text::fixed("titre", "title"), |h| Some(h.title.clone())),
    (Text::fixed("date", "date"), |h| Some(h.effective_time.to_string())),
    (Text::fixed("confidentialité", "confidentiality"), |h| Some(h.confidentiality.code.clone())),
    (Text::fixed("langue", "language"), |h| Some(h.language.clone())),
    (Text::fixed("lot de versions", "set of versions"), |h| Some(h.set_id.to_unique_id())),
    (Text::fixed("version", "version"), |h| Some(h.version.to_string())),
    (Text::fixed("document remplacé", "replaced document"), |h| h.related.as_ref().map(|r| r.parent.to_unique_id())),
    (Text::fixed("matricule INS", "matricule INS"), |h| h.patient.ins_candidates.first().map(|i| i.matricule.clone())),
    (Text::fixed("OID de l'INS", "OID of the INS"), |h| {
        h.patient.ins_candidates.first().map(|i| i.authority.oid().to_owned())
    }),
    (Text::fixed("nom de naissance", "birth name"), |h| some(&h.patient.name.birth)),
    (Text::fixed("prénoms de naissance", "birth given names"), |h| some(&h.patient.name.given_names)),
    (Text::fixed("premier prénom", "first given name"), |h| some(&h.patient.name.first_given_name)),
    (Text::fixed("nom utilisé", "used name"), |h| h.patient.name.used.clone()),
    (Text::fixed("prénom utilisé", "used given name"), |h| h.patient.name.used_given_name.clone()),
    (Text::fixed("sexe", "sex"), |h| h.patient.gender.clone()),
    (Text::fixed("date de naissance", "birth date"), |h| h.patient.birth_date.map(|date| date.to_string())),
    (Text::fixed("lieu de naissance (COG)", "birth place (COG)"), |h| {
        h.patient.birth_place.as_ref().map(|place| place.as_str().to_owned())
    }),
    (Text::fixed("auteurs", "authors"), |h| {
        Some(h.authors.iter().map(crate::pdf::author_text).collect::<Vec<_>>().join(" ; "))
    }),
    (Text::fixed("responsable", "legal authenticator"), |h| {
        h.legal_authenticator.name.as_ref().map(crate::pdf::person)
    }),
    (Text::fixed("conservateur", "custodian"), |h| h.custodian.name.clone()),
    (Text::fixed("destinataires", "recipients"), |h| {
        let names = h.recipients.iter().filter_map(|recipient| recipient.name.as_ref().map(crate::pdf::person));
        some(&names.collect::<Vec<_>>().join(" ; "))
    }),
    (Text::fixed("début de l'acte", "start of the act"), |h| Some(h.main_event.start.to_string())),
    (Text::fixed("fin de l'acte", "end of the act"), |h| h.main_event.event.stop.map(|time| time.to_string())),
    (Text::fixed("cadre d'exercice", "practice setting"), |h| Some(h.main_event.practice_setting.code.clone())),
    (Text::fixed("secteur d'activité", "kind of facility"), |h| Some(h.encounter.facility.code.clone())),
];

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn header_fields(before: &Document, after: &Document) -> Vec<Field> {
    let (before, after) = (Header::read(before).ok(), Header::read(after).ok());
    let differing = FIELDS.iter().filter_map(|(name, get)| {
        let (before, after) = (before.and_then(get), after.and_then(get));
        (before != after).then(|| Field { name: name.clone(), before, after })
    });
    differing.collect()
}

/// A section as it is paired: its code and which one of that code it is.
fn keyed(sections: &[Section]) -> Vec<((String, usize), &Section)> {
    let mut seen = std::collections::HashMap::new();
    let all = sections.iter().flat_map(Section::all);
    let keyed = all.map(|section| {
        let code = section.code.as_ref().map_or_else(|| title_of(section), |code| code.code.clone());
        let rank: &mut usize = seen.entry(code.clone()).or_default();
        *rank += 1;
        ((code, *rank), section)
    });
    keyed.collect()
}

fn title_of(section: &Section) -> String {
    let code = || section.code.as_ref().map(|code| code.code.clone());
    section.title.clone().or_else(code).unwrap_or_default()
}

fn changed_sections(before: &[Section], after: &[Section]) -> Vec<Changed> {
    let (before, after) = (keyed(before), keyed(after));
    let find =
        |all: &[((String, usize), &Section)], key: &(String, usize)| all.iter().position(|(other, _)| other == key);
    let mut changes = Vec::new();
    let mut next_removed = 0;
    let mut removed_until = |end: usize, changes: &mut Vec<Changed>| {
        for (key, section) in before.get(next_removed..end).unwrap_or_default() {
            if find(&after, key).is_none() {
                changes.push(whole(section, Change::Removed, Side::Before));
            }
        }
        next_removed = next_removed.max(end);
    };
    for (key, section) in &after {
        let Some(rank) = find(&before, key) else {
            changes.push(whole(section, Change::Added, Side::After));
            continue;
        };
        removed_until(rank, &mut changes);
        let old = before[rank].1;
        let lines = compared(&titled(old), &titled(section));
        if lines.iter().any(|line| line.side != Side::Both) {
            changes.push(Changed { title: title_of(section), change: Change::Changed, lines: around(lines) });
        }
    }
    removed_until(before.len(), &mut changes);
    changes
}

/// A changed title is a changed line.
fn titled(section: &Section) -> Vec<&str> {
    section.title.iter().chain(&section.lines).map(String::as_str).collect()
}

fn whole(section: &Section, change: Change, side: Side) -> Changed {
    let lines = section.lines.iter().map(|text| Line { side, text: text.clone() }).collect();
    Changed { title: title_of(section), change, lines }
}

/// Beyond this many cells, two texts are told as one replaced by the other.
const MOST_CELLS: usize = 4_000_000;

/// The lines of two texts by their longest common subsequence.
fn compared(before: &[&str], after: &[&str]) -> Vec<Line> {
    let start = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (rest_before, rest_after) = (&before[start..], &after[start..]);
    let end = rest_before.iter().rev().zip(rest_after.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&rest_before[..rest_before.len() - end], &rest_after[..rest_after.len() - end]);
    let line = |side, text: &&str| Line { side, text: (*text).to_owned() };
    let mut lines: Vec<Line> = before[..start].iter().map(|text| line(Side::Both, text)).collect();
    if a.len().saturating_mul(b.len()) > MOST_CELLS {
        lines.extend(a.iter().map(|text| line(Side::Before, text)));
        lines.extend(b.iter().map(|text| line(Side::After, text)));
    } else {
        lines.extend(walked(a, b));
    }
    lines.extend(before[before.len() - end..].iter().map(|text| line(Side::Both, text)));
    lines
}

fn walked(a: &[&str], b: &[&str]) -> Vec<Line> {
    let width = b.len() + 1;
    let mut longest = vec![0u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i * width + j] = if a[i] == b[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < a.len() || j < b.len() {
        let both = i < a.len() && j < b.len() && a[i] == b[j];
        let from_before = i < a.len() && (j == b.len() || longest[(i + 1) * width + j] >= longest[i * width + j + 1]);
        let (side, text) = if both {
            (Side::Both, a[i])
        } else if from_before {
            (Side::Before, a[i])
        } else {
            (Side::After, b[j])
        };
        i += usize::from(side != Side::After);
        j += usize::from(side != Side::Before);
        lines.push(Line { side, text: text.to_owned() });
    }
    lines
}

/// Changed lines and one on each side.
fn around(lines: Vec<Line>) -> Vec<Line> {
    let changed: Vec<bool> = lines.iter().map(|line| line.side != Side::Both).collect();
    let near = |at: usize| changed[at.saturating_sub(1)..(at + 2).min(changed.len())].contains(&true);
    let kept: Vec<bool> = (0..changed.len()).map(near).collect();
    lines.into_iter().zip(kept).filter_map(|(line, kept)| kept.then_some(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &[&str], after: &[&str]) -> String {
        let sign = |line: Line| {
            let sign = match line.side {
                Side::Both => ' ',
                Side::Before => '-',
                Side::After => '+',
            };
            format!("{sign}{}", line.text)
        };
        compared(before, after).into_iter().map(sign).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn lines_are_paired_by_their_longest_common_part() {
        let cases: [(&[&str], &[&str], &str); 6] = [
            (&["a", "b"], &["a", "b"], " a| b"),
            (&[], &["a"], "+a"),
            (&["a"], &[], "-a"),
            (&["a", "b", "c"], &["a", "x", "c"], " a|-b|+x| c"),
            (&["a", "b", "c", "d"], &["b", "d", "e"], "-a| b|-c| d|+e"),
            (&["a", "a"], &["a", "b", "a"], " a|+b| a"),
        ];
        for (before, after, expected) in cases {
            assert_eq!(shown(before, after), expected);
        }
        let (long, other) = (vec!["a"; 3_000], vec!["b"; 3_000]);
        assert_eq!(compared(&long, &other).len(), 6_000, "told as one replaced by the other");
    }
}
