//! The INS and the traits that go with it, beyond form and key (which `header` judges).
//!
//! Source: RNIV v2.0 and Guide d'implémentation de l'INS v3.0; DMP, EX_GEN-1530.

use socle_finding::{Rule, Text};
use socle_identity::{Ins, Traits};
use socle_xml::roxmltree::Node;

use super::Known;
use crate::document::{child, children, path};
use crate::finding::{Findings, at, missing_in};
use crate::header::Patient;

const GUIDE: &str = "Guide d'implémentation de l'INS v3.0";

pub(super) fn judge(root: Node<'_, '_>, known: &Known<'_>, found: &mut Findings) {
    let Some(role) = path(root, &["recordTarget", "patientRole"]) else { return };
    let Some(patient) = known.patient else { return };
    match patient.ins() {
        None => no_ins(role, found),
        Some(Ok(ins)) => {
            judge_traits(role, &ins, patient, found);
            judge_address(role, &ins, found);
        }
        Some(Err(_)) => {}
    }
    judge_birth(root, role, patient, found);
}

/// Lawful: an identity that is not qualified carries no INS. But such a document feeds no DMP.
fn no_ins(role: Node<'_, '_>, found: &mut Findings) {
    found.warning(
        Rule::fixed("DMP", "EX_GEN-1530"),
        missing_in(role, "id[1]"),
        Text::fixed(
            "le document ne porte pas l'INS : l'identité du patient n'est pas qualifiée",
            "the document does not carry the INS: the patient's identity is not qualified",
        ),
        Text::fixed(
            "qualifiez l'identité par INSi avant d'alimenter le DMP, puis mettez l'INS en premier identifiant",
            "qualify the identity by INSi before feeding the DMP, then put the INS first",
        ),
    );
}

/// The matricule repeats sex, year and month of birth: another answer means that two people were mixed
/// up, or that a trait changed since. People may change sex, so this is for somebody to look at.
fn judge_traits(role: Node<'_, '_>, ins: &Ins, patient: &Patient, found: &mut Findings) {
    let Some(traits) = &patient.traits else { return };
    let differing = differences(ins.matricule.as_str(), traits);
    if !differing.is_empty() {
        let (fr, en): (Vec<&str>, Vec<&str>) = differing.into_iter().unzip();
        found.warning(
            Rule::fixed(GUIDE, "matricule et traits"),
            at(child(role, "patient").unwrap_or(role)),
            Text::new(
                format!("le matricule INS ne dit pas la même chose que les traits ({})", fr.join(", ")),
                format!("the matricule INS does not say the same as the traits ({})", en.join(", ")),
            ),
            Text::fixed(
                "reprenez matricule et traits d'une même réponse d'INSi",
                "take matricule and traits of one answer of INSi",
            ),
        );
    }
    if !is_strict(&traits.birth_name) || !is_strict(&traits.given_names) {
        found.warning(
            Rule::fixed("RNIV v2.0", "traits stricts : majuscules non accentuées"),
            at(child(role, "patient").unwrap_or(role)),
            Text::fixed(
                "un nom ou un prénom de naissance n'est pas en majuscules sans accent",
                "a name or given name of birth is not in capitals without accents",
            ),
            Text::fixed("reprenez les traits rendus par INSi", "take the traits that INSi gave"),
        );
    }
}

fn differences(matricule: &str, traits: &Traits) -> Vec<(&'static str, &'static str)> {
    let mut found = Vec::new();
    let sex = match matricule.get(..1) {
        Some("1" | "3" | "7") => Some('M'),
        Some("2" | "4" | "8") => Some('F'),
        _ => None,
    };
    let letter = traits.sex.letter().chars().next();
    if sex.is_some() && matches!(letter, Some('M' | 'F')) && sex != letter {
        found.push(("sexe", "sex"));
    }
    let year = matricule.get(1..3).and_then(|digits| digits.parse::<i16>().ok());
    if year.is_some_and(|year| year != traits.birth_date.year() % 100) {
        found.push(("année de naissance", "year of birth"));
    }
    // Beyond 12 the month is not known (20 to 42, 50 to 99).
    let month =
        matricule.get(3..5).and_then(|digits| digits.parse::<i8>().ok()).filter(|month| (1..=12).contains(month));
    if month.is_some_and(|month| month != traits.birth_date.month()) {
        found.push(("mois de naissance", "month of birth"));
    }
    found
}

fn is_strict(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_uppercase() || matches!(c, ' ' | '-' | '\''))
}

/// The citizen's MSSanté address is the INS: another one writes to somebody else.
fn judge_address(role: Node<'_, '_>, ins: &Ins, found: &mut Findings) {
    for telecom in children(role, "telecom") {
        let value = telecom.attribute("value").unwrap_or_default().trim();
        let Some((local, domain)) = value.strip_prefix("mailto:").and_then(|address| address.split_once('@')) else {
            continue;
        };
        if domain.eq_ignore_ascii_case("patient.mssante.fr") && local != ins.matricule.as_str() {
            found.error(
                Rule::fixed("MSSanté Référentiel #2", "ECO.2.2.6"),
                at(telecom),
                Text::fixed(
                    "l'adresse MSSanté du patient n'est pas celle de son INS",
                    "the patient's MSSanté address is not that of the INS",
                ),
                Text::fixed("écrivez mailto:<INS>@patient.mssante.fr", "write mailto:<INS>@patient.mssante.fr"),
            );
        }
    }
}

fn judge_birth(root: Node<'_, '_>, role: Node<'_, '_>, patient: &Patient, found: &mut Findings) {
    let written = child(root, "effectiveTime").and_then(|node| node.attribute("value"));
    let Some(written) = written.and_then(|value| value.trim().parse::<crate::time::Time>().ok()) else { return };
    if patient.birth_date.is_some_and(|birth| birth > written.local().date()) {
        found.warning(
            Rule::fixed("Socle: règles d'ordre", "birthTime"),
            at(path(role, &["patient", "birthTime"]).unwrap_or(role)),
            Text::fixed("le patient naît après le document", "the patient is born after the document"),
            Text::fixed("vérifiez birthTime et effectiveTime", "check birthTime and effectiveTime"),
        );
    }
}
