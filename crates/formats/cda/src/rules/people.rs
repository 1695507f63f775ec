//! Identifiers of professionals and structures: from a national register, and in its form.
//!
//! Source: CI-SIS, volet Structuration minimale V1.16.8, PS_IdNat and Struct_IdNat.

use std::collections::HashSet;

use socle_finding::{Severity, Text};
use socle_identity::{IdNatPs, IdNatStruct, InsAuthority, Rpps};
use socle_xml::roxmltree::Node;

use super::Known;
use crate::code::Identifier;
use crate::document::{child, children};
use crate::finding::{Findings, at};
use crate::header::{identifier, rule, text};

/// Billing number (N° AM) of the Assurance maladie; the dossier pharmaceutique as an author.
const OTHER_REGISTERS: [&str; 2] = ["1.2.250.1.215.300.5", "1.2.250.1.176.1"];

/// Identifiers that were judged: a document repeats its author's in ten places, a fault is told once.
#[derive(Default)]
pub(super) struct Seen(HashSet<Identifier>);

/// `assignedAuthor`, `assignedEntity`, `associatedEntity`, `intendedRecipient`.
pub(super) fn judge_person(node: Node<'_, '_>, known: &Known<'_>, seen: &mut Seen, found: &mut Findings) {
    let mut registered = false;
    let mut any = false;
    for id in children(node, "id") {
        let Some(identifier) = identifier(id) else { continue };
        any = true;
        registered |= identifier.root == IdNatPs::OID
            || OTHER_REGISTERS.contains(&identifier.root.as_str())
            || identifier.root.parse::<InsAuthority>().is_ok();
        if identifier.root == IdNatPs::OID && seen.0.insert(identifier.clone()) {
            judge_professional(id, identifier.extension.as_deref(), known, found);
        }
    }
    let parent = node.parent_element().map(|parent| parent.tag_name().name());
    let answers = matches!(parent, Some("author" | "legalAuthenticator" | "authenticator"));
    if any && !registered && answers {
        // A digital service (SNR) has an identifier of its editor.
        let person = child(node, "assignedPerson").is_some();
        found.add(
            if person { Severity::Warning } else { Severity::Information },
            rule("en-tête, PS_IdNat 1.2.250.1.71.4.2.1"),
            at(children(node, "id").next().unwrap_or(node)),
            text(
                "aucun identifiant de l'auteur ou du signataire n'est d'un répertoire national de professionnels",
                "no identifier of the author or signer is of a national register of professionals",
            ),
            text(
                "donnez l'identifiant national (8 suivi du RPPS), root 1.2.250.1.71.4.2.1",
                "give the national identifier (8 then the RPPS), root 1.2.250.1.71.4.2.1",
            ),
        );
    }
}

fn judge_professional(node: Node<'_, '_>, extension: Option<&str>, known: &Known<'_>, found: &mut Findings) {
    let point = "en-tête, PS_IdNat, forme";
    let Some(extension) = extension else {
        found.warning(rule(point), at(node), NO_EXTENSION, GIVE_EXTENSION);
        return;
    };
    let Some(rest) = extension.strip_prefix('8') else {
        if !extension.starts_with(['0', '1', '3', '4', '5', '6']) {
            found.warning(
                rule(point),
                at(node),
                text(
                    "l'identifiant national ne commence pas par un chiffre de type (0, 1, 3, 4, 5, 6 ou 8)",
                    "the national identifier does not begin with a digit of kind (0, 1, 3, 4, 5, 6 or 8)",
                ),
                text("écrivez 8 suivi du RPPS", "write 8 then the RPPS"),
            );
        }
        return;
    };
    match rest.parse::<Rpps>() {
        Err(_) => found.warning(
            rule(point),
            at(node),
            text("après le 8, le RPPS n'a pas 11 chiffres", "after the 8, the RPPS has not 11 digits"),
            text("écrivez 8 suivi des 11 chiffres du RPPS", "write 8 then the 11 digits of the RPPS"),
        ),
        Ok(rpps) if !rpps.has_right_key() => wrong_key(node, "en-tête, PS_IdNat, clé du RPPS", known, found),
        Ok(_) => {}
    }
}

/// Any organisation.
pub(super) fn judge_structure(node: Node<'_, '_>, known: &Known<'_>, seen: &mut Seen, found: &mut Findings) {
    for id in children(node, "id") {
        let Some(identifier) = identifier(id).filter(|identifier| identifier.root == IdNatStruct::OID) else {
            continue;
        };
        if !seen.0.insert(identifier.clone()) {
            continue;
        }
        let point = "en-tête, Struct_IdNat, forme";
        let Some(extension) = identifier.extension else {
            found.warning(rule(point), at(id), NO_EXTENSION, GIVE_EXTENSION);
            continue;
        };
        let (length, register) = match extension.chars().next() {
            Some('1') => (10, "FINESS"),
            Some('2') => (10, "SIREN"),
            Some('3') => (15, "SIRET"),
            _ => continue,
        };
        if extension.len() != length {
            found.warning(
                rule(point),
                at(id),
                Text::new(
                    format!("l'identifiant d'une structure par {register} n'a pas {length} caractères"),
                    format!("the identifier of a structure by {register} has not {length} characters"),
                ),
                Text::new(
                    format!("écrivez le chiffre de type puis le {register} complet"),
                    format!("write the digit of kind, then the whole {register}"),
                ),
            );
        } else if !luhn(&extension[1..]) {
            wrong_key(id, "en-tête, Struct_IdNat, clé", known, found);
        }
    }
}

/// FINESS, SIREN and SIRET end with a key of Luhn. Letters (Corsica, test numbers) have no published
/// value: nothing is said of them.
fn luhn(number: &str) -> bool {
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return true;
    }
    let term = |(rank, digit): (usize, u8)| {
        let digit = u32::from(digit - b'0');
        let doubled = if rank.is_multiple_of(2) { digit } else { digit * 2 };
        if doubled > 9 { doubled - 9 } else { doubled }
    };
    number.bytes().rev().enumerate().map(term).sum::<u32>().is_multiple_of(10)
}

fn wrong_key(node: Node<'_, '_>, point: &'static str, known: &Known<'_>, found: &mut Findings) {
    if !known.is_real() {
        return;
    }
    found.warning(
        rule(point),
        at(node),
        text("la clé de l'identifiant est fausse", "the key of the identifier is wrong"),
        text("vérifiez le numéro dans l'annuaire", "check the number in the directory"),
    );
}

const NO_EXTENSION: Text = text("l'identifiant national est vide", "the national identifier is empty");
const GIVE_EXTENSION: Text = text("donnez l'attribut extension", "give the attribute extension");

#[cfg(test)]
mod tests {
    use super::luhn;

    #[test]
    fn keys_of_real_registers_are_right_and_one_wrong_digit_is_seen() {
        for right in ["750712184", "690781810", "2A0000014"] {
            assert!(luhn(right), "{right}");
        }
        for wrong in ["750712185", "690781811", "690871810"] {
            assert!(!luhn(wrong), "{wrong}");
        }
    }
}
