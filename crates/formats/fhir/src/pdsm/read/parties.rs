//! Who plays a part: PractitionerRole, Practitioner, Organization, Device, RelatedPerson, Patient.

use super::bundle::{Scope, Target};
use super::issues;
use crate::datatypes::{Coding, Identifier};
use crate::outcome::Issues;
use crate::pdsm::{Party, PartyKind, names};
use crate::tape::Node;

/// How far links between parties are followed: role, practitioner, organisation.
const FARTHEST: usize = 3;

/// Follows a reference to a party that the profile wants contained in its resource.
pub(super) fn contained(
    scope: Scope<'_>,
    reference: Node<'_>,
    point: &'static str,
    issues: &mut Issues,
) -> Option<Party> {
    follow(scope, reference, point, false, issues)
}

/// Follows a reference to a party that may be a resource of the receiver.
pub(super) fn anywhere(
    scope: Scope<'_>,
    reference: Node<'_>,
    point: &'static str,
    issues: &mut Issues,
) -> Option<Party> {
    follow(scope, reference, point, true, issues)
}

fn follow<'a>(
    scope: Scope<'a>,
    reference: Node<'a>,
    point: &'static str,
    may_be_elsewhere: bool,
    issues: &mut Issues,
) -> Option<Party> {
    match scope.resolve(reference) {
        Target::Contained(node) | Target::Entry(_, node) => {
            let party = read(scope, node);
            if party.is_none() {
                issues.push(issues::unexpected_party(point).at(reference));
            }
            party
        }
        Target::Broken(issue) => {
            issues.push(*issue);
            None
        }
        Target::Elsewhere(text) if may_be_elsewhere => Some(elsewhere(text, reference)),
        Target::Named(identifier) if may_be_elsewhere => {
            let mut party = Party::new(PartyKind::Organization);
            party.identifiers.push(identifier);
            party.name = reference.text("display").map(str::to_owned);
            Some(party)
        }
        Target::Elsewhere(_) | Target::Named(_) => {
            issues.push(issues::not_contained_party(point).at(reference));
            None
        }
    }
}

fn elsewhere(text: &str, reference: Node<'_>) -> Party {
    let kind = match text.split('/').rev().nth(1) {
        Some("Practitioner" | "PractitionerRole") => PartyKind::Practitioner,
        Some("Device") => PartyKind::Device,
        _ => PartyKind::Organization,
    };
    let mut party = Party::new(kind);
    party.reference = Some(text.to_owned());
    party.name = reference.text("display").map(str::to_owned);
    party
}

/// Reads a party; none when the resource cannot be one.
pub(super) fn read(scope: Scope<'_>, node: Node<'_>) -> Option<Party> {
    read_within(scope, node, FARTHEST)
}

fn read_within<'a>(scope: Scope<'a>, node: Node<'a>, farthest: usize) -> Option<Party> {
    let kind = match node.resource_type()? {
        "Patient" => return Some(Party::new(PartyKind::Patient)),
        "PractitionerRole" => return role(scope, node, farthest),
        "Practitioner" => PartyKind::Practitioner,
        "RelatedPerson" => PartyKind::RelatedPerson,
        "Organization" => PartyKind::Organization,
        "Device" => PartyKind::Device,
        _ => return None,
    };
    let mut party = Party::new(kind);
    party.identifiers = node.all("identifier").filter_map(Identifier::read).collect();
    party.emails = own_emails(node);
    match kind {
        PartyKind::Organization => party.name = node.text("name").map(str::to_owned),
        PartyKind::Device => {
            party.name = node.all("deviceName").find_map(|name| name.text("name")).map(str::to_owned);
        }
        _ => person(node, &mut party),
    }
    party.roles = node.all("qualification").filter_map(|held| held.get("code")).flat_map(codings).collect();
    Some(party)
}

/// The official name, or the first.
fn person(node: Node<'_>, party: &mut Party) {
    let official = node.all("name").find(|name| name.text("use") == Some("official"));
    let Some(name) = official.or_else(|| node.all("name").next()) else { return };
    party.name = name.text("family").map(str::to_owned);
    party.given = name.all("given").filter_map(Node::str).map(str::to_owned).collect();
}

/// A role is its practitioner in its organisation.
fn role<'a>(scope: Scope<'a>, node: Node<'a>, farthest: usize) -> Option<Party> {
    let farthest = farthest.checked_sub(1)?;
    let linked = |name: &str| {
        let target = scope.resolve(node.get(name)?);
        read_within(scope, target.resource()?, farthest)
    };
    let mut party = linked("practitioner").unwrap_or_else(|| Party::new(PartyKind::Practitioner));
    let own = node.all("identifier").filter_map(Identifier::read);
    party.identifiers.extend(own);
    let held = node.all("code").chain(node.all("specialty")).flat_map(codings).collect::<Vec<_>>();
    party.roles = held.into_iter().chain(std::mem::take(&mut party.roles)).collect();
    party.organization = linked("organization").map(Box::new);
    let own = own_emails(node);
    party.emails = own.into_iter().chain(std::mem::take(&mut party.emails)).collect();
    Some(party)
}

fn codings(concept: Node<'_>) -> impl Iterator<Item = Coding> {
    concept.all("coding").filter_map(Coding::read)
}

/// Where somebody is reached: their own addresses, those of the person behind a role, those of its organisation.
pub(super) fn emails(scope: Scope<'_>, node: Node<'_>) -> Vec<String> {
    let Some(party) = read(scope, node) else { return Vec::new() };
    if party.kind == PartyKind::Patient {
        return own_emails(node);
    }
    let of_organization = party.organization.map(|organization| organization.emails).unwrap_or_default();
    party.emails.into_iter().chain(of_organization).collect()
}

/// Mail addresses of a resource, those said to be MSSanté first.
fn own_emails(node: Node<'_>) -> Vec<String> {
    let mails = node.all("telecom").filter(|telecom| telecom.text("system") == Some("email"));
    let (secure, other): (Vec<_>, Vec<_>) = mails.partition(|telecom| is_mss(*telecom));
    let value = |telecom: Node<'_>| telecom.text("value").map(str::to_owned);
    secure.into_iter().chain(other).filter_map(value).collect()
}

fn is_mss(telecom: Node<'_>) -> bool {
    let kind = telecom.all("extension").find(|ext| ext.text("url") == Some(names::EMAIL_TYPE));
    kind.and_then(|ext| ext.at(&["valueCoding", "code"])).and_then(Node::str) == Some("MSSANTE")
}

/// A name for a screen: given names and family name, or the organisation's.
pub(super) fn shown(party: &Party) -> Option<String> {
    let parts: Vec<&str> = party.given.iter().map(String::as_str).chain(party.name.as_deref()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
