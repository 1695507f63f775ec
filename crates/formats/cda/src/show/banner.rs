//! Whose document it is, then what it is: from the header, even one that is refused.

use jiff::civil::Date;
use maud::{Markup, html};
use socle_identity::InsAuthority;
use socle_xml::roxmltree::Node;

use super::{Words, title_of};
use crate::codes;
use crate::document::{Document, child};
use crate::header::{self, Loose, Patient};
use crate::pdf::{author_text, moment, person, with_structure};
use crate::volet::Claim;

/// Who: the traits and the INS, and what is known of its worth.
pub(super) fn banner(document: &Document, root: Node<'_, '_>, words: Words) -> Markup {
    let kind = child(root, "code").and_then(|code| code.attribute("code")).and_then(codes::type_label);
    let label = child(root, "code").and_then(|code| code.attribute("displayName"));
    let title = title_of(root).or_else(|| kind.or(label).map(str::to_owned));
    let date = child(root, "effectiveTime").and_then(|node| node.attribute("value")?.trim().parse().ok());
    let errors = document.findings().iter().filter(|finding| finding.is_error()).count();
    html! {
        header.banner {
            h1 { (title.unwrap_or_else(|| words.pick("Document sans titre", "Document without title").to_owned())) }
            p.when {
                @if let Some(kind) = kind.or(label) { (kind) }
                @if let Some(date) = date { " · " (moment(&date)) }
            }
            @if errors > 0 {
                p.alert role="alert" {
                    (words.pick("Ce document n'est pas conforme : ", "This document does not conform: "))
                    (errors) (words.pick(" erreur(s). Vérifiez l'identité du patient.", " error(s). Check the patient's identity."))
                }
            }
            @if let Some(patient) = document.patient() { (identity(patient, words)) }
            @else { p.alert role="alert" { (words.pick("Le patient ne peut pas être lu.", "The patient cannot be read.")) } }
        }
    }
}

fn identity(patient: &Patient, words: Words) -> Markup {
    let name = &patient.name;
    let given = if name.given_names.is_empty() { &name.first_given_name } else { &name.given_names };
    html! {
        section.identity aria-label=(words.pick("Identité du patient", "The patient's identity")) {
            dl {
                (row(words.pick("Nom de naissance", "Birth name"), &name.birth))
                (row(words.pick("Prénoms de naissance", "Birth given names"), given))
                @if let Some(used) = &name.used { (row(words.pick("Nom utilisé", "Used name"), used)) }
                @if let Some(used) = &name.used_given_name { (row(words.pick("Prénom utilisé", "Used given name"), used)) }
                @if let Some(gender) = patient.gender.as_deref() { (row(words.pick("Sexe", "Sex"), sex(gender, words))) }
                @if let Some(date) = patient.birth_date { (row(words.pick("Né(e) le", "Born on"), &day(date))) }
                @if let Some(place) = &patient.birth_place { (row(words.pick("Lieu de naissance (COG)", "Birth place (COG)"), place.as_str())) }
                div.ins {
                    dt { (words.pick("Matricule INS", "Matricule INS")) }
                    dd { (ins(patient, words)) }
                }
            }
        }
    }
}

fn ins(patient: &Patient, words: Words) -> Markup {
    let Some(candidate) = patient.ins_candidates.first() else {
        return html! { strong { (words.pick("absent : identité non qualifiée", "absent: identity not qualified")) } };
    };
    let wrong = candidate.matricule.parse::<socle_identity::Matricule>().is_err();
    let test = !matches!(candidate.authority, InsAuthority::Nir | InsAuthority::Nia);
    html! {
        span.matricule { (grouped(&candidate.matricule)) }
        " (" (candidate.authority.type_code()) ")"
        @if wrong { " " strong.wrong { (words.pick("matricule faux", "wrong matricule")) } }
        @if test { " " strong.test { (words.pick("identité de test", "test identity")) } }
    }
}

/// As on the carte Vitale: 2 79 03 51 215 189 89.
fn grouped(matricule: &str) -> String {
    let ends = [1, 3, 5, 7, 10, 13, 15];
    if matricule.len() != 15 || !matricule.is_ascii() {
        return matricule.to_owned();
    }
    let starts = std::iter::once(0).chain(ends);
    starts.zip(ends).map(|(from, to)| &matricule[from..to]).collect::<Vec<_>>().join("\u{a0}")
}

fn row(label: &str, value: &str) -> Markup {
    html! {
        @if !value.is_empty() { div { dt { (label) } dd { (value) } } }
    }
}

fn sex(gender: &str, words: Words) -> &'static str {
    match gender {
        "F" => words.pick("Féminin", "Female"),
        "M" => words.pick("Masculin", "Male"),
        _ => words.pick("Indéterminé", "Undetermined"),
    }
}

fn day(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

/// What the document says of itself, after its content: people, acts, identifiers.
pub(super) fn facts(document: &Document, root: Node<'_, '_>, words: Words) -> Markup {
    let loose = header::loosely(root);
    let claim = Claim::of(document);
    html! {
        footer.facts aria-label=(words.pick("À propos du document", "About the document")) {
            h2 { (words.pick("À propos du document", "About the document")) }
            dl {
                (people(&loose, words))
                (acts(&loose, words))
                (row(words.pick("Modèle", "Model"), claim.title().get(words.0)))
                @if let Some(code) = &loose.confidentiality { (row(words.pick("Confidentialité", "Confidentiality"), confidentiality(code, words))) }
                @if let Some(version) = loose.version { (row("Version", &version.to_string())) }
                @if let Some(replaced) = &loose.replaces { (row(words.pick("Remplace le document", "Replaces the document"), replaced)) }
                @if let Some(id) = &loose.id { (row(words.pick("Identifiant du document", "Identifier of the document"), id)) }
                @if let Some(patient) = document.patient() {
                    @for local in &patient.local_ids { (row(words.pick("Identifiant local du patient", "Local identifier of the patient"), &local.value)) }
                }
            }
            p.note { (words.pick("Affichage par Socle. Le document d'origine fait foi.", "Shown by Socle. The original document prevails.")) }
        }
    }
}

fn people(loose: &Loose, words: Words) -> Markup {
    html! {
        @for author in &loose.authors { (row(words.pick("Auteur", "Author"), &author_text(author))) }
        @if let Some(signer) = &loose.legal_authenticator {
            (row(words.pick("Responsable", "Legal authenticator"),
                &with_structure(signer.name.as_ref().map(person).unwrap_or_default(), signer.organisation.as_ref())))
        }
        @for recipient in &loose.recipients {
            (row(words.pick("Destinataire", "Recipient"),
                &with_structure(recipient.name.as_ref().map(person).unwrap_or_default(), recipient.organisation.as_ref())))
        }
        @for participant in &loose.participants {
            @let function = participant.function.as_ref().map(|code| code.label.as_str()).filter(|label| !label.is_empty());
            (row(function.unwrap_or(words.pick("Participant", "Participant")),
                &with_structure(participant.name.as_ref().map(person).unwrap_or_default(), participant.organisation.as_ref())))
        }
        @if let Some(custodian) = &loose.custodian {
            (row(words.pick("Conservateur", "Custodian"), custodian.name.as_deref().unwrap_or_default()))
        }
    }
}

fn acts(loose: &Loose, words: Words) -> Markup {
    let interval = |start: Option<&crate::Time>, stop: Option<&crate::Time>| match (start, stop) {
        (Some(start), Some(stop)) => format!("{} → {}", moment(start), moment(stop)),
        (Some(one), None) | (None, Some(one)) => moment(one),
        (None, None) => String::new(),
    };
    html! {
        @for event in &loose.events {
            @let label = event.codes.first().map(|code| code.label.clone()).unwrap_or_default();
            @let when = interval(event.start.as_ref(), event.stop.as_ref());
            @let parts = [label, when].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
            (row(words.pick("Acte", "Act"), &parts))
        }
        @if let Some(encounter) = &loose.encounter {
            @let place = encounter.place.clone().unwrap_or_else(|| encounter.facility.label.clone());
            @let when = interval(encounter.start.as_ref(), encounter.stop.as_ref());
            @let parts = [place, when].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
            (row(words.pick("Prise en charge", "Encounter"), &parts))
        }
    }
}

fn confidentiality(code: &str, words: Words) -> &'static str {
    match code {
        "N" => words.pick("normale", "normal"),
        "R" => words.pick("restreinte", "restricted"),
        "V" => words.pick("très restreinte", "very restricted"),
        _ => words.pick("inconnue", "unknown"),
    }
}
