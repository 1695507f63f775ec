//! Authors, authenticators, recipients, participants, organisations.

use socle_xml::roxmltree::Node;

use super::read::{code_of, folded, identifiers, missing, one, rule, text, tolerated_time};
use super::{Authenticator, Author, AuthoredBy, Organisation, Participant, PersonName, Recipient};
use crate::document::{child, children, path};
use crate::finding::{Findings, at, missing_in};

/// `author`: assignedAuthor, an id, and a person or a device.
pub(super) fn author_of(node: Node<'_, '_>, found: &mut Findings) -> Option<Author> {
    let point = "en-tête, author/assignedAuthor/id 1..*";
    if node.has_attribute("nullFlavor") {
        missing(node, "assignedAuthor", point, found);
        return None;
    }
    let time = tolerated_time(child(node, "time"));
    let assigned = one(node, "assignedAuthor", point, found)?;
    let ids = identifiers(assigned);
    if ids.is_empty() {
        missing(assigned, "id", point, found);
    }
    let by = authored_by(assigned, found);
    if child(node, "time").is_none() {
        found.warning(
            rule("en-tête, author/time"),
            missing_in(node, "time"),
            text("l'auteur n'a pas de date de participation", "the author has no time of participation"),
            text("ajoutez l'élément time", "add the element time"),
        );
    }
    if ids.is_empty() {
        return None;
    }
    Some(Author {
        time,
        role: child(node, "functionCode").and_then(code_of),
        ids,
        specialty: child(assigned, "code").and_then(code_of),
        by: by?,
        organisation: child(assigned, "representedOrganization").map(organisation_of),
        telecoms: telecoms(assigned),
    })
}

fn authored_by(assigned: Node<'_, '_>, found: &mut Findings) -> Option<AuthoredBy> {
    if let Some(person) = child(assigned, "assignedPerson") {
        let name = child(person, "name").and_then(person_name);
        if name.is_none() {
            no_name(person, found);
        }
        return Some(AuthoredBy::Person(name.unwrap_or_default()));
    }
    if let Some(device) = child(assigned, "assignedAuthoringDevice") {
        let named = |name: &str| child(device, name).map(folded).filter(|name| !name.is_empty());
        return Some(AuthoredBy::Device { model: named("manufacturerModelName"), software: named("softwareName") });
    }
    missing(assigned, "assignedPerson", "en-tête, author, personne ou dispositif", found);
    None
}

fn no_name(person: Node<'_, '_>, found: &mut Findings) {
    found.warning(
        rule("en-tête, personne, nom"),
        at(person),
        text("la personne n'a pas de nom", "the person has no name"),
        text("donnez name/family", "give name/family"),
    );
}

/// `legalAuthenticator`: time, assignedEntity and an id.
pub(super) fn authenticator_of(node: Node<'_, '_>, found: &mut Findings) -> Option<Authenticator> {
    let time = one(node, "time", "en-tête, legalAuthenticator/time 1..1", found);
    let signed = child(node, "signatureCode").and_then(|code| code.attribute("code"));
    if signed != Some("S") {
        found.warning(
            rule("en-tête, legalAuthenticator/signatureCode"),
            missing_in(node, "signatureCode"),
            text("signatureCode n'est pas S", "signatureCode is not S"),
            text("écrivez signatureCode code=\"S\"", "write signatureCode code=\"S\""),
        );
    }
    let point = "en-tête, legalAuthenticator/assignedEntity/id 1..*";
    let entity = one(node, "assignedEntity", point, found)?;
    let ids = identifiers(entity);
    if ids.is_empty() {
        missing(entity, "id", point, found);
        return None;
    }
    let name = path(entity, &["assignedPerson", "name"]).and_then(person_name);
    if name.is_none() {
        no_name(entity, found);
    }
    let organisation = child(entity, "representedOrganization").map(organisation_of);
    Some(Authenticator { time: tolerated_time(Some(time?)), ids, name, organisation })
}

pub(super) fn recipient_of(node: Node<'_, '_>) -> Option<Recipient> {
    let intended = child(node, "intendedRecipient")?;
    Some(Recipient {
        ids: identifiers(intended),
        name: path(intended, &["informationRecipient", "name"]).and_then(person_name),
        organisation: child(intended, "receivedOrganization").map(organisation_of),
        telecoms: telecoms(intended),
    })
}

pub(super) fn participant_of(node: Node<'_, '_>) -> Option<Participant> {
    let entity = child(node, "associatedEntity")?;
    Some(Participant {
        kind: node.attribute("typeCode").unwrap_or_default().to_owned(),
        function: child(node, "functionCode").and_then(code_of),
        ids: identifiers(entity),
        name: path(entity, &["associatedPerson", "name"]).and_then(person_name),
        organisation: child(entity, "scopingOrganization").map(organisation_of),
    })
}

pub(super) fn organisation_of(node: Node<'_, '_>) -> Organisation {
    let name = child(node, "name").map(folded).filter(|name| !name.is_empty());
    Organisation { ids: identifiers(node), name }
}

/// `telecom/@value`, those that have one.
pub(super) fn telecoms(node: Node<'_, '_>) -> Vec<String> {
    let value = |telecom: Node<'_, '_>| telecom.attribute("value").map(|value| value.trim().to_owned());
    children(node, "telecom").filter_map(value).filter(|value| !value.is_empty()).collect()
}

/// None when there is neither family nor given name.
fn person_name(node: Node<'_, '_>) -> Option<PersonName> {
    let all = |name: &'static str| children(node, name).map(folded).filter(|part| !part.is_empty());
    let family = all("family").next().unwrap_or_default();
    let given = all("given").collect::<Vec<_>>().join(" ");
    if family.is_empty() && given.is_empty() {
        return None;
    }
    Some(PersonName { family, given, prefix: all("prefix").next(), suffix: all("suffix").next() })
}
