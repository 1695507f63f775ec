//! Resources that define others: a StructureDefinition has to make a snapshot, a Questionnaire has to be
//! answerable.

use socle_finding::Text;

use super::Walk;
use super::say::{both, r4};
use crate::definitions::{Derivation, read_structure, types};
use crate::snapshot;
use crate::tape::Node;

impl<'d> Walk<'_, 'd> {
    pub(super) fn structure_definition(&mut self, node: Node<'d>) {
        let Some(type_name) = node.text("type") else { return };
        let is_known = types().named(type_name).is_some();
        if !is_known && !type_name.contains(':') {
            self.error(
                node.get("type").unwrap_or(node),
                r4("5.3"),
                Text::fixed("FHIR R4 n'a pas ce type", "FHIR R4 has no such type"),
                Text::fixed("un type propre s'écrit comme une URL", "a type of one's own is written as a URL"),
            );
            return;
        }
        self.specialization(node, type_name);
        self.paths(node, type_name);
        self.snapshot(node);
    }

    /// Every path starts with the type (sdf-8, sdf-8a, for types that are URLs too).
    fn paths(&mut self, node: Node<'d>, type_name: &str) {
        let start = type_name.rsplit('/').next().unwrap_or(type_name);
        for part in ["differential", "snapshot"] {
            let Some(part) = node.get(part) else { continue };
            for element in part.all("element") {
                let Some(at) = element.get("path") else { continue };
                let first = at.str().and_then(|path| path.split('.').next());
                if first.is_some_and(|first| first != start) {
                    self.error(
                        element,
                        r4("5.3"),
                        both(
                            format!("le chemin ne commence pas par {start}"),
                            format!("the path does not start with {start}"),
                        ),
                        Text::fixed("corrigez le chemin", "mend the path"),
                    );
                }
            }
        }
    }

    fn snapshot(&mut self, node: Node<'d>) {
        let Ok(mut structure) = read_structure(node) else { return };
        if structure.derivation != Some(Derivation::Constraint) {
            return;
        }
        structure.elements.clear();
        let first = structure.differential.first();
        if first.is_some_and(|first| !first.path.contains('.') && first.slicing.is_some()) {
            self.error(
                node,
                r4("5.1.0.9"),
                Text::fixed("la racine d'un profil ne se découpe pas", "the root of a profile is not sliced"),
                Text::fixed("découpez un élément, ou faites deux profils", "slice an element, or make two profiles"),
            );
        }
        let made = snapshot::generate(&structure, &|canonical| self.library.structure(canonical));
        // A base that is not known here is not a fault of the profile.
        let Ok(made) = made else { return };
        for finding in made.findings {
            self.say(finding.severity, node, finding.rule, finding.message, finding.mend);
        }
        for id in made.unplaced {
            self.unplaced(node, &id);
        }
    }

    /// An element that the base does not have constrains nothing (FHIR R4 §5.1.0.4).
    fn unplaced(&mut self, node: Node<'d>, id: &str) {
        let elements = node.get("differential").into_iter().flat_map(|part| part.all("element"));
        let is_it = |element: &Node<'_>| element.text("id") == Some(id) || element.text("path") == Some(id);
        let at = { elements }.find(is_it).unwrap_or(node);
        self.error(
            at,
            r4("5.1.0.4"),
            Text::fixed("la base du profil n'a pas cet élément", "the base of the profile has no such element"),
            Text::fixed(
                "corrigez le chemin ; un choix s'écrit value[x], ou valueQuantity pour un de ses types",
                "mend the path; a choice is written value[x], or valueQuantity for one of its types",
            ),
        );
    }

    /// What is made new is not what it is made from (sdf-5, sdf-19).
    fn specialization(&mut self, node: Node<'d>, type_name: &str) {
        if node.text("derivation") != Some("specialization") {
            return;
        }
        let base = node.text("baseDefinition").and_then(|base| self.library.structure(base));
        if base.is_some_and(|base| &*base.type_name == type_name) {
            self.error(
                node,
                r4("5.3"),
                Text::fixed(
                    "une spécialisation définit un type nouveau, or type est celui de la base",
                    "a specialization defines a new type, but type is that of the base",
                ),
                Text::fixed(
                    "donnez un type propre, ou mettez derivation à constraint",
                    "give a type of its own, or set derivation to constraint",
                ),
            );
        }
    }

    /// A question that waits for an answer waits for one outside itself (FHIR R4 §4.17, enableWhen).
    pub(super) fn questionnaire(&mut self, node: Node<'d>) {
        let mut open: Vec<Node<'d>> = node.all("item").collect();
        while let Some(item) = open.pop() {
            open.extend(item.all("item"));
            let waits_for = |condition: Node<'d>| condition.text("question").is_some_and(|id| holds(item, id));
            if item.all("enableWhen").any(waits_for) {
                self.error(
                    item,
                    r4("4.17"),
                    Text::fixed(
                        "la question attend la réponse d'une question qu'elle contient",
                        "the question waits for the answer of one that it contains",
                    ),
                    Text::fixed("faites-la dépendre d'une question extérieure", "make it depend on a question outside"),
                );
            }
        }
    }
}

fn holds(item: Node<'_>, id: &str) -> bool {
    let mut open: Vec<Node<'_>> = item.all("item").collect();
    while let Some(inner) = open.pop() {
        if inner.text("linkId") == Some(id) {
            return true;
        }
        open.extend(inner.all("item"));
    }
    false
}
