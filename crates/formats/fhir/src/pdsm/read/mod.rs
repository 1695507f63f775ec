//! An ITI-65 transaction read: entries and their links (`bundle.rs`), the lot (`lot.rs`), each fiche
//! (`fiche.rs`) with its document (`content.rs`), who is who (`parties.rs`), and that all of them speak of
//! one patient (`patient.rs`).
//!
//! Everything is looked at before anything is refused. The 15 invariants that PDSm publishes without an
//! expression are value sets and replacements: those that Socle acts on are checked here by name.

mod bundle;
mod content;
mod fiche;
mod issues;
mod lot;
mod parties;
mod patient;

use std::collections::HashMap;

use super::{DocumentMetadata, EntryRole, ProvideBundle, ProvidedDocument};
use crate::outcome::{Issues, Reading};
use crate::tape::{Document, Node};
use bundle::{Bundle, Scope, Target};
use patient::Patients;

/// The most issues that are listed; a bundle that is wrong in more ways is wrong enough.
const MOST_ISSUES: usize = 200;

/// Reads an ITI-65 transaction of PDSm.
///
/// The fiches come in the order of the lot. Attachments hold their document in a Binary of the bundle;
/// `attachment.data` is taken too, with a remark.
///
/// # Errors
/// All that is wrong with it: what JSON allows and FHIR does not, no lot, a link that leads nowhere, a
/// document that is not the one of its fiche (size, SHA-1), two patients…
pub fn read_provide_bundle(document: &Document) -> Reading<ProvideBundle> {
    let mut issues = Issues(document.oddities().map(|oddity| oddity.issue()).collect());
    let value = read_transaction(document.root(), &mut issues);
    issues.at_most(MOST_ISSUES).with(value)
}

/// Reads a fiche that stands alone, as a search or a read answers it.
///
/// # Errors
/// All that is wrong with it.
pub fn read_document_reference(node: Node<'_>) -> Reading<DocumentMetadata> {
    let mut issues = Issues::default();
    let alone = Bundle::alone(node);
    let value = fiche::read(Scope { bundle: &alone, owner: node }, &mut issues).map(|fiche| fiche.metadata);
    issues.at_most(MOST_ISSUES).with(value)
}

/// What each entry of a transaction is to the lot, in the order of the entries: a transaction-response
/// answers in that order (FHIR R4 §3.1.0.11.4). Meant for a transaction that [`read_provide_bundle`] took.
#[must_use]
pub fn entry_roles(document: &Document) -> Vec<EntryRole> {
    let mut issues = Issues::default();
    let Some(bundle) = Bundle::read(document.root(), &mut issues) else { return Vec::new() };
    let mut roles = vec![EntryRole::Patient; bundle.len()];
    let Some(lot) = bundle.submission_set(&mut issues) else { return Vec::new() };
    for (at, _) in bundle.resources("List") {
        roles[at] = EntryRole::SubmissionSet;
    }
    let scope = Scope { bundle: &bundle, owner: lot };
    let fiches = lot.all("entry").filter_map(|item| scope.entry(item.get("item")?));
    for (nth, (at, fiche)) in fiches.enumerate() {
        roles[at] = EntryRole::Fiche(nth);
        let url = fiche.all("content").next().and_then(|content| content.at(&["attachment", "url"]));
        let binary = url.and_then(|url| Some(Scope { bundle: &bundle, owner: fiche }.follow(url.str()?, url)));
        if let Some(Target::Entry(at, _)) = binary {
            roles[at] = EntryRole::Document(nth);
        }
    }
    roles
}

fn read_transaction(root: Node<'_>, issues: &mut Issues) -> Option<ProvideBundle> {
    let bundle = Bundle::read(root, issues)?;
    let lot_node = bundle.submission_set(issues);
    let mut patients = Patients::default();
    let lot = lot_node.and_then(|node| lot::read(Scope { bundle: &bundle, owner: node }, &mut patients, issues));
    let fiches = read_fiches(&bundle, &mut patients, issues);
    if lot_node.is_some() {
        bundle.refuse_what_nobody_names(issues);
    }
    let documents = lot_node.map(|node| in_order_of_lot(&bundle, node, fiches, issues));
    let patient = patients.settle(issues);
    let (lot, documents, patient) = (lot?, documents?, patient?);
    Some(ProvideBundle {
        patient,
        submission_set: lot.submission_set,
        documents,
        recipients: lot.recipients,
        feed_dmp: lot.feed_dmp,
    })
}

/// The fiches that could be read, each by its node's place.
type Fiches = HashMap<usize, Option<ProvidedDocument>>;

fn read_fiches<'a>(bundle: &'a Bundle<'a>, patients: &mut Patients<'a>, issues: &mut Issues) -> Fiches {
    let mut fiches = Fiches::new();
    let mut known = HashMap::new();
    for (at, node) in bundle.resources("DocumentReference") {
        let scope = Scope { bundle, owner: node };
        patients.designate(scope, node.get("subject"));
        patients.designate(scope, node.at(&["context", "sourcePatientInfo"]));
        let fiche = fiche::read(scope, issues);
        let bytes = content::bytes(scope, issues);
        if let Some(fiche) = &fiche {
            fiche.patient_authors.iter().for_each(|author| patients.designate(scope, Some(*author)));
            if let Some(other) = known.insert(fiche.metadata.unique_id.clone(), node) {
                issues.push(issues::same_unique_id(other).at(node));
            }
        }
        let document = fiche.zip(bytes).map(|(fiche, bytes)| ProvidedDocument { metadata: fiche.metadata, bytes });
        fiches.insert(at, document);
    }
    if fiches.is_empty() {
        issues.push(issues::no_fiche().missing_in(bundle.root(), "entry"));
    }
    fiches
}

fn in_order_of_lot(
    bundle: &Bundle<'_>,
    lot: Node<'_>,
    mut fiches: Fiches,
    issues: &mut Issues,
) -> Vec<ProvidedDocument> {
    let mut documents = Vec::new();
    let scope = Scope { bundle, owner: lot };
    for item in lot.all("entry") {
        let Some(reference) = item.get("item") else {
            issues.push(issues::missing("List.entry.item").missing_in(item, "item"));
            continue;
        };
        match scope.resolve(reference) {
            Target::Entry(at, _) => match fiches.remove(&at) {
                Some(document) => documents.extend(document),
                None => issues.push(issues::not_a_fiche().at(reference)),
            },
            Target::Contained(_) => issues.push(issues::not_a_fiche().at(reference)),
            Target::Elsewhere(_) | Target::Named(_) => issues.push(issues::fiche_elsewhere().at(reference)),
            Target::Broken(issue) => issues.push(*issue),
        }
    }
    let mut forgotten: Vec<_> = fiches.into_keys().collect();
    forgotten.sort_unstable();
    for node in forgotten.into_iter().filter_map(|at| bundle.resource(at)) {
        issues.push(issues::fiche_outside_lot().at(node));
    }
    documents
}
