//! Sections: title, text, code, and the code that their model fixes.
//!
//! Source: CI-SIS and HL7 CDA R2 (a section has a narrative text, whoever reads entries); models of
//! section of the CI-SIS and IHE PCC (`tables`).

use std::sync::LazyLock;

use socle_finding::{Rule, Text};
use socle_xml::roxmltree::Node;

use super::{CDA_R2, Ids, Known, narrative, tables};
use crate::document::{Body, child, children, path};
use crate::finding::{Findings, at, missing_in};
use crate::header::{folded, rule, text};

pub(super) fn judge_body(root: Node<'_, '_>, known: &Known<'_>, found: &mut Findings) {
    let Some(body) = path(root, &["component", "structuredBody"]).filter(|_| *known.body == Body::Level3) else {
        return;
    };
    if !children(body, "component").any(|component| child(component, "section").is_some()) {
        found.error(
            rule("corps, structuredBody, section 1..*"),
            missing_in(body, "component/section"),
            text("le corps structuré n'a pas de section", "the structured body has no section"),
            text("ajoutez les sections du volet", "add the sections of the volet"),
        );
    }
}

pub(super) fn judge(section: Node<'_, '_>, ids: &Ids<'_>, found: &mut Findings) {
    judge_title(section, found);
    judge_text(section, ids, found);
    judge_code(section, found);
}

fn judge_title(section: Node<'_, '_>, found: &mut Findings) {
    if child(section, "title").is_some_and(|title| !folded(title).is_empty()) {
        return;
    }
    found.warning(
        Rule::fixed(CDA_R2, "section/title"),
        missing_in(section, "title"),
        text("la section n'a pas de titre", "the section has no title"),
        text("donnez un titre : c'est lui que le lecteur voit", "give a title: it is what the reader sees"),
    );
}

/// A section that only gathers others needs no text of its own.
fn judge_text(section: Node<'_, '_>, ids: &Ids<'_>, found: &mut Findings) {
    let gathers = children(section, "component").any(|component| child(component, "section").is_some());
    let Some(block) = child(section, "text") else {
        if !gathers && !section.has_attribute("nullFlavor") {
            found.error(
                Rule::fixed(CDA_R2, "section/text"),
                missing_in(section, "text"),
                text("la section n'a pas de texte lisible", "the section has no readable text"),
                text(
                    "ajoutez l'élément text : tout ce que disent les entrées y est écrit pour les personnes",
                    "add the element text: all that the entries say is written there for people",
                ),
            );
        }
        return;
    };
    narrative::judge(block, ids, found);
    if !gathers && narrative::is_empty(block) {
        found.warning(
            Rule::fixed(CDA_R2, "section/text"),
            at(block),
            text("le texte de la section est vide", "the text of the section is empty"),
            text("écrivez-y ce que disent les entrées", "write there what the entries say"),
        );
    }
}

fn judge_code(section: Node<'_, '_>, found: &mut Findings) {
    let point = "corps, section/code 1..1";
    let Some(node) = child(section, "code") else {
        found.error(
            rule(point),
            missing_in(section, "code"),
            text("la section n'a pas de code", "the section has no code"),
            text(
                "ajoutez le code que fixe le modèle de la section",
                "add the code that the model of the section fixes",
            ),
        );
        return;
    };
    let Some(code) = node.attribute("code").map(str::trim) else { return };
    let models = children(section, "templateId").filter_map(|template| template.attribute("root"));
    for model in models {
        let Some(codes) = codes_of(model).filter(|codes| !codes.contains(&code)) else { continue };
        found.warning(
            rule("corps, section/code et templateId"),
            at(node),
            Text::new(
                format!("le code n'est pas celui du modèle de section {model}"),
                format!("the code is not that of the model of section {model}"),
            ),
            Text::new(format!("écrivez {}", codes.join(" ou ")), format!("write {}", codes.join(" or "))),
        );
        return;
    }
}

fn codes_of(model: &str) -> Option<&'static [&'static str]> {
    let rank = tables::SECTIONS.binary_search_by(|(root, _)| (*root).cmp(model)).ok()?;
    Some(tables::SECTIONS[rank].1)
}

/// templateIds of the CI-SIS and of the models it builds on, sorted.
static PUBLISHED: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("templates.txt").lines().collect());

/// A templateId of the body that no published model has: one digit wrong, and nothing judges the element.
pub(super) fn judge_template(node: Node<'_, '_>, found: &mut Findings) {
    let parent = node.parent_element().map(|parent| parent.tag_name().name());
    let Some(root) = node.attribute("root").filter(|_| parent != Some("ClinicalDocument")) else { return };
    if PUBLISHED.binary_search(&root).is_ok() {
        return;
    }
    found.note(
        rule("corps, templateId, modèle publié"),
        at(node),
        text(
            "le templateId n'est pas celui d'un modèle connu : rien ne juge cet élément",
            "the templateId is not that of a known model: nothing judges this element",
        ),
        text("vérifiez le templateId", "check the templateId"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_so_that_searching_finds() {
        assert!(tables::SECTIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(PUBLISHED.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(codes_of("1.3.6.1.4.1.19376.1.5.3.1.3.13"), Some(["48765-2"].as_slice()));
    }
}
