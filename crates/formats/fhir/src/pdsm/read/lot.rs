//! The lot de soumission: a List.

use socle_identity::{MssAddress, Oid};

use super::bundle::{Scope, Target};
use super::patient::Patients;
use super::{fiche, issues, parties};
use crate::datatypes::{Coding, Identifier, URI};
use crate::outcome::Issues;
use crate::pdsm::{Addressee, Party, PartyKind, Recipient, SourceId, SubmissionSet, names};
use crate::tape::Node;

pub(super) struct Lot {
    pub(super) submission_set: SubmissionSet,
    pub(super) recipients: Vec<Recipient>,
    pub(super) feed_dmp: bool,
}

pub(super) fn read<'a>(scope: Scope<'a>, patients: &mut Patients<'a>, issues: &mut Issues) -> Option<Lot> {
    let list = scope.owner;
    check_constants(list, issues);
    if list.get("subject").is_none() {
        issues.push(issues::missing("List.subject").missing_in(list, "subject"));
    }
    patients.designate(scope, list.get("subject"));
    let (author, author_organization) = source(scope, patients, issues);
    let (source_id, content_type) = (source_id(list, issues), content_type(list, issues));
    let submitted = fiche::date_time(list, "date", "List.date", issues);
    let (unique_id, entry_uuid) = (unique_id(list, issues), fiche::entry_uuid(list, issues));
    let recipients = recipients(scope, patients, issues);
    let feed_dmp = feed_dmp(list, issues);
    let submission_set = SubmissionSet {
        unique_id,
        entry_uuid,
        source_id: source_id?,
        title: list.text("title").map(str::to_owned),
        comment: list.all("note").find_map(|note| note.text("text")).map(str::to_owned),
        content_type: content_type?,
        submitted: submitted?,
        author,
        author_organization,
    };
    Some(Lot { submission_set, recipients, feed_dmp })
}

fn check_constants(list: Node<'_>, issues: &mut Issues) {
    match list.get("status") {
        None => issues.push(issues::missing("List.status").missing_in(list, "status")),
        Some(status) if status.str() != Some("current") => issues.push(issues::not_current().at(status)),
        Some(_) => {}
    }
    match list.get("mode") {
        None => issues.push(issues::missing("List.mode").missing_in(list, "mode")),
        Some(mode) if mode.str() != Some("working") => issues.push(issues::not_working().at(mode)),
        Some(_) => {}
    }
    for (name, point) in [
        ("modifierExtension", "List.modifierExtension"),
        ("encounter", "List.encounter"),
        ("orderedBy", "List.orderedBy"),
        ("emptyReason", "List.emptyReason"),
    ] {
        if let Some(node) = list.get(name) {
            issues.push(issues::not_allowed(point).at(node));
        }
    }
}

fn extension<'a>(node: Node<'a>, url: &str) -> Option<Node<'a>> {
    node.all("extension").find(|ext| ext.text("url") == Some(url))
}

/// The author: a person or a device by reference, an organisation by extension, or both.
fn source<'a>(scope: Scope<'a>, patients: &mut Patients<'a>, issues: &mut Issues) -> (Option<Party>, Option<Party>) {
    let Some(source) = scope.owner.get("source") else {
        issues.push(issues::missing("List.source").missing_in(scope.owner, "source"));
        return (None, None);
    };
    let organization = extension(source, names::AUTHOR_ORGANIZATION).and_then(|ext| ext.get("valueReference"));
    let organization = organization.and_then(|node| parties::contained(scope, node, "ihe-authorOrg", issues));
    let has_reference = source.get("reference").is_some() || source.get("identifier").is_some();
    if !has_reference {
        if organization.is_none() {
            issues.push(issues::empty_reference().at(source));
        }
        return (None, organization);
    }
    let author = parties::contained(scope, source, "List.source", issues);
    if author.as_ref().is_some_and(|author| author.kind == PartyKind::Patient) {
        patients.designate(scope, Some(source));
    }
    (author, organization)
}

fn source_id(list: Node<'_>, issues: &mut Issues) -> Option<SourceId> {
    let Some(node) = extension(list, names::SOURCE_ID) else {
        issues.push(issues::missing("List.extension:ihe-sourceId").missing_in(list, "extension"));
        return None;
    };
    let identifier = node.get("valueIdentifier").and_then(Identifier::read);
    let id = identifier.and_then(|identifier| match identifier.system.as_str() {
        URI => identifier.value.parse::<Oid>().ok().map(SourceId::Oid),
        _ => Some(SourceId::Assigned(identifier)),
    });
    if id.is_none() {
        issues.push(issues::bad_value("List.extension:ihe-sourceId").at(node));
    }
    id
}

fn content_type(list: Node<'_>, issues: &mut Issues) -> Option<Coding> {
    let Some(node) = extension(list, names::CONTENT_TYPE) else {
        issues.push(issues::missing("List.extension:ihe-designationType").missing_in(list, "extension"));
        return None;
    };
    let coding = node.get("valueCodeableConcept").and_then(Coding::read_concept);
    if coding.is_none() {
        issues.push(issues::bad_code("List.extension:ihe-designationType").at(node));
    }
    coding
}

fn unique_id(list: Node<'_>, issues: &mut Issues) -> Option<Identifier> {
    let node = list.all("identifier").find(|identifier| identifier.text("use") == Some("usual"))?;
    let identifier = Identifier::read(node);
    match &identifier {
        None => issues.push(issues::bad_value("List.identifier:uniqueId").at(node)),
        Some(known) if !known.value.starts_with("urn:oid:") => issues.push(issues::not_an_oid().at(node)),
        Some(_) => {}
    }
    identifier
}

fn feed_dmp(list: Node<'_>, issues: &mut Issues) -> bool {
    let Some(node) = extension(list, names::FEED_DMP) else { return true };
    let says = node.get("valueBoolean").and_then(Node::bool);
    if says.is_none() {
        issues.push(issues::bad_value("urn:socle:extension:feed-dmp").at(node));
    }
    says.unwrap_or(true)
}

fn recipients<'a>(scope: Scope<'a>, patients: &mut Patients<'a>, issues: &mut Issues) -> Vec<Recipient> {
    let is_recipient = |ext: &Node<'a>| matches!(ext.text("url"), Some(names::RECIPIENT | names::MHD_RECIPIENT));
    let mut found = Vec::new();
    for ext in scope.owner.all("extension").filter(is_recipient) {
        let Some(reference) = ext.get("valueReference") else {
            issues.push(issues::missing("pdsm-ext-intended-recipient.value").missing_in(ext, "valueReference"));
            continue;
        };
        found.extend(recipient(scope, reference, patients, issues));
    }
    found
}

fn recipient<'a>(
    scope: Scope<'a>,
    reference: Node<'a>,
    patients: &mut Patients<'a>,
    issues: &mut Issues,
) -> Option<Recipient> {
    let node = match scope.resolve(reference) {
        Target::Contained(node) | Target::Entry(_, node) => node,
        Target::Broken(issue) => {
            issues.push(*issue);
            return None;
        }
        Target::Elsewhere(_) | Target::Named(_) => {
            issues.push(issues::not_contained_party("pdsm-ext-intended-recipient").at(reference));
            return None;
        }
    };
    let Some(party) = parties::read(scope, node) else {
        issues.push(issues::unexpected_party("pdsm-ext-intended-recipient").at(reference));
        return None;
    };
    let emails = parties::emails(scope, node);
    let name = parties::shown(&party);
    let Some(email) = emails.first() else {
        if party.kind == PartyKind::Patient {
            patients.designate(scope, Some(reference));
            return Some(Recipient { to: Addressee::ThePatient, kind: PartyKind::Patient, name: None });
        }
        issues.push(issues::recipient_without_address().at(reference));
        return None;
    };
    match email.parse::<MssAddress>() {
        Ok(address) => Some(Recipient { to: Addressee::Mailbox(address), kind: party.kind, name }),
        Err(error) => {
            issues.push(issues::bad_address(error).at(reference));
            None
        }
    }
}
