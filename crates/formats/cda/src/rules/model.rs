//! The three ways of saying what a document is agree: templateId, code, body.
//!
//! Source: CI-SIS, volets and ASS_A11; IHE ITI TF-3 5.2 (XDS-SD).

use socle_finding::Text;
use socle_xml::roxmltree::Node;

use super::Known;
use crate::document::{Body, child, path};
use crate::finding::{Findings, at, missing_in};
use crate::header::{Template, rule, text};
use crate::volet::{self, Volet, XDS_SD};

/// Templates of the arc of French document models, whatever their volet.
const FRENCH_MODELS: &str = "1.2.250.1.213.1.1.1.";
/// Of every document (CI-SIS), and the parents of families of models.
const PARENTS: [&str; 3] = ["1.2.250.1.213.1.1.1.1", "1.2.250.1.213.1.1.1.2.1", "1.2.250.1.213.1.1.1.5"];
/// Models without a volet in the table: they have a format or are in the published list.
const WITHOUT_VOLET: [&str; 8] = [
    "1.2.250.1.213.1.1.1.10",
    "1.2.250.1.213.1.1.1.20",
    "1.2.250.1.213.1.1.1.48",
    "1.2.250.1.213.1.1.1.49",
    "1.2.250.1.213.1.1.1.50",
    "1.2.250.1.213.1.1.1.57",
    "1.2.250.1.213.1.1.1.58",
    "1.2.250.1.213.1.1.1.60",
];

pub(super) fn judge(root: Node<'_, '_>, known: &Known<'_>, found: &mut Findings) {
    let volets: Vec<(&'static Volet, &Template)> =
        known.templates.iter().filter_map(|t| Some((volet::of_template(&t.root)?, t))).collect();
    if *known.body == Body::Missing {
        return;
    }
    judge_level(root, known, &volets, found);
    judge_code(root, &volets, found);
    judge_unknown(root, known.templates, found);
}

fn judge_level(root: Node<'_, '_>, known: &Known<'_>, volets: &[(&'static Volet, &Template)], found: &mut Findings) {
    let unstructured = known.templates.iter().any(|template| template.root == XDS_SD);
    let structured = *known.body == Body::Level3;
    let place = || missing_in(root, "templateId");
    if structured && unstructured {
        found.warning(
            rule("corps, niveau 3, templateId"),
            place(),
            text(
                "le document se dit non structuré (XDS-SD) et son corps est structuré",
                "the document says that it is unstructured (XDS-SD) and its body is structured",
            ),
            text("retirez templateId 1.3.6.1.4.1.19376.1.2.20", "remove templateId 1.3.6.1.4.1.19376.1.2.20"),
        );
    }
    if !structured && !volets.is_empty() {
        found.warning(
            rule("corps, niveau 1, templateId"),
            place(),
            text(
                "le document se réclame d'un volet structuré et son corps ne l'est pas",
                "the document claims a structured volet and its body is not structured",
            ),
            text("retirez le templateId du volet", "remove the templateId of the volet"),
        );
    }
    if let [(first, _), .., (last, _)] = volets
        && first != last
    {
        found.warning(
            rule("en-tête, templateId, un volet"),
            place(),
            text("le document se réclame de plusieurs volets", "the document claims several volets"),
            text("gardez le templateId d'un seul volet", "keep the templateId of one volet"),
        );
    }
    if let ([(volet, template)], true) = (volets, structured)
        && template.version.is_none()
    {
        found.note(
            rule("en-tête, templateId, édition du volet"),
            place(),
            Text::new(
                format!("le templateId du volet {} ne dit pas son édition", volet.name),
                format!("the templateId of volet {} does not tell its edition", volet.name),
            ),
            text("donnez extension, par exemple 2024.01", "give extension, for instance 2024.01"),
        );
    }
}

/// The code of a volet's documents is fixed.
fn judge_code(root: Node<'_, '_>, volets: &[(&'static Volet, &Template)], found: &mut Findings) {
    let Some(node) = child(root, "code") else { return };
    let Some(code) = node.attribute("code").map(str::trim) else { return };
    let Some((volet, _)) = volets.first() else { return };
    let unstructured = path(root, &["component", "nonXMLBody"]).is_some();
    if unstructured || volet.codes.is_empty() || volet.codes.contains(&code) {
        return;
    }
    found.error(
        rule("en-tête, code et templateId du volet"),
        at(node),
        Text::new(
            format!("le code n'est pas celui du volet {}", volet.name),
            format!("the code is not that of volet {}", volet.name),
        ),
        Text::new(
            format!("écrivez {}, ou le templateId du volet voulu", volet.codes.join(" ou ")),
            format!("write {}, or the templateId of the volet that is meant", volet.codes.join(" or ")),
        ),
    );
}

fn judge_unknown(root: Node<'_, '_>, templates: &[Template], found: &mut Findings) {
    for template in templates.iter().filter(|template| template.root.starts_with(FRENCH_MODELS)) {
        let known = PARENTS.contains(&template.root.as_str())
            || WITHOUT_VOLET.contains(&template.root.as_str())
            || volet::of_template(&template.root).is_some();
        if !known {
            found.warning(
                rule("en-tête, templateId, modèle publié"),
                missing_in(root, "templateId"),
                Text::new(
                    format!("{} n'est pas un modèle de document publié", template.root),
                    format!("{} is not a published model of document", template.root),
                ),
                text("vérifiez le templateId du volet", "check the templateId of the volet"),
            );
        }
    }
}
