//! One patient: everything that designates one in a transaction designates the same.
//!
//! A document filed under another patient is what must never happen: what cannot be compared is refused.

use std::collections::HashMap;

use socle_identity::Difference;

use super::bundle::{Scope, Target};
use super::issues;
use crate::datatypes::Identifier;
use crate::fr_core::{DeclaredPatient, has_no_trait, read_patient};
use crate::outcome::{Issue, Issues};
use crate::pdsm::SubmittedPatient;
use crate::tape::Node;

/// The references that designate a patient, in order.
#[derive(Default)]
pub(super) struct Patients<'a> {
    designations: Vec<(Node<'a>, Target<'a>)>,
}

/// What one of them says.
struct View {
    identifiers: Vec<Identifier>,
    declared: Option<DeclaredPatient>,
    elsewhere: Option<String>,
}

impl<'a> Patients<'a> {
    /// Takes note of a reference; an absent one is said where it is demanded.
    pub(super) fn designate(&mut self, scope: Scope<'a>, reference: Option<Node<'a>>) {
        if let Some(reference) = reference {
            self.designations.push((reference, scope.resolve(reference)));
        }
    }

    /// The one patient that all references designate. Without any reference there is none, and the
    /// elements that are demanded have said so.
    pub(super) fn settle(self, issues: &mut Issues) -> Option<SubmittedPatient> {
        let views = views(self.designations, issues);
        let (_, best) = views.iter().rev().max_by_key(|(_, view)| worth(view))?;
        let mut is_one = true;
        for (reference, other) in &views {
            if let Some(issue) = differs(best, other) {
                issues.push(issue.at(*reference));
                is_one = false;
            }
        }
        is_one.then(|| best.submitted()).flatten()
    }
}

/// Each Patient is read once, however often it is written.
fn views<'a>(designations: Vec<(Node<'a>, Target<'a>)>, issues: &mut Issues) -> Vec<(Node<'a>, View)> {
    let mut read: HashMap<&str, Option<DeclaredPatient>> = HashMap::new();
    let mut views = Vec::new();
    for (reference, target) in designations {
        let view = match target {
            Target::Broken(issue) => {
                issues.push(*issue);
                continue;
            }
            Target::Elsewhere(text) => {
                View { identifiers: Vec::new(), declared: None, elsewhere: Some(text.to_owned()) }
            }
            Target::Named(identifier) => View { identifiers: vec![identifier], declared: None, elsewhere: None },
            Target::Contained(node) | Target::Entry(_, node) => {
                if node.resource_type() != Some("Patient") {
                    issues.push(issues::not_a_patient().at(reference));
                    continue;
                }
                let declared = read.entry(node.raw()).or_insert_with(|| declared(node, issues)).clone();
                if declared.is_none() && !has_no_trait(node) {
                    continue;
                }
                View { identifiers: identifiers(node), declared, elsewhere: None }
            }
        };
        views.push((reference, view));
    }
    views
}

fn declared(node: Node<'_>, issues: &mut Issues) -> Option<DeclaredPatient> {
    if has_no_trait(node) {
        return None;
    }
    match read_patient(node) {
        Ok(noted) => {
            issues.0.extend(noted.remarks);
            Some(noted.value)
        }
        Err(found) => {
            issues.0.extend(found.0);
            None
        }
    }
}

/// The number of an insured person (type NH) is shared by a family: it identifies nobody.
fn identifiers(node: Node<'_>) -> Vec<Identifier> {
    let is_insured = |identifier: &Node<'_>| {
        let kind = identifier.get("type").and_then(|kind| kind.all("coding").find_map(|coding| coding.text("code")));
        kind == Some("NH")
    };
    node.all("identifier").filter(|identifier| !is_insured(identifier)).filter_map(Identifier::read).collect()
}

impl View {
    fn submitted(&self) -> Option<SubmittedPatient> {
        if let Some(declared) = &self.declared {
            return Some(SubmittedPatient::Described(Box::new(declared.clone())));
        }
        if let Some(reference) = &self.elsewhere {
            return Some(SubmittedPatient::Referenced(reference.clone()));
        }
        let is_ins = |identifier: &&Identifier| identifier.system.starts_with("urn:oid:1.2.250.1.213.1.4.");
        let best = self.identifiers.iter().find(is_ins).or_else(|| self.identifiers.first());
        best.cloned().map(SubmittedPatient::Identified)
    }
}

/// What is known best: traits, then evidence, then an INS, then identifiers. Of two alike, the first.
fn worth(view: &View) -> (bool, bool, bool, usize) {
    let declared = view.declared.as_ref();
    (
        declared.is_some(),
        declared.is_some_and(|patient| patient.evidence.is_some()),
        declared.is_some_and(|patient| patient.ins.is_some()),
        view.identifiers.len(),
    )
}

/// Why two views are not, or not surely, one patient.
fn differs(one: &View, other: &View) -> Option<Issue> {
    if let (Some(a), Some(b)) = (&one.elsewhere, &other.elsewhere) {
        return (a != b).then(issues::other_patient);
    }
    if has_conflict(one, other) {
        return Some(issues::other_patient());
    }
    if let (Some(a), Some(b)) = (&one.declared, &other.declared) {
        let differences: Vec<Difference> = a.traits.differences(&b.traits);
        return (!differences.is_empty()).then(|| issues::other_traits(&differences));
    }
    let shares = one.identifiers.iter().any(|identifier| other.identifiers.contains(identifier));
    (!shares).then(issues::cannot_compare)
}

/// Two INS that are not the same: two patients, whatever else they share.
fn has_conflict(one: &View, other: &View) -> bool {
    let (Some(a), Some(b)) = (ins(one), ins(other)) else { return false };
    a.system == b.system && a.value != b.value
}

fn ins(view: &View) -> Option<&Identifier> {
    let systems = ["8", "9", "10", "11"].map(|last| format!("urn:oid:1.2.250.1.213.1.4.{last}"));
    let declared = view.declared.as_ref().and_then(|patient| patient.ins.as_ref());
    let is_active = |identifier: &&Identifier| declared.is_none_or(|ins| ins.matricule.as_str() == identifier.value);
    view.identifiers.iter().filter(|identifier| systems.contains(&identifier.system)).find(is_active)
}
