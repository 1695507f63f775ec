//! A fiche: a DocumentReference.

use uuid::Uuid;

use super::bundle::{Scope, Target};
use super::{issues, parties};
use crate::datatypes::{Coding, DateTime, Identifier};
use crate::outcome::Issues;
use crate::pdsm::{
    Confidentiality, DocumentMetadata, Level, Party, PartyKind, ReferenceId, Relation, RelationCode, RelationTarget,
    Visibility, names,
};
use crate::tape::Node;

/// A fiche, and the references to authors that are the patient.
pub(super) struct Fiche<'a> {
    pub(super) metadata: DocumentMetadata,
    pub(super) patient_authors: Vec<Node<'a>>,
}

pub(super) fn read<'a>(scope: Scope<'a>, issues: &mut Issues) -> Option<Fiche<'a>> {
    let mut reader = Reader { scope, node: scope.owner, issues };
    reader.check_constants();
    reader.demand("subject", "DocumentReference.subject");
    let head = reader.head();
    let people = reader.people();
    let (confidentiality, relations) = (reader.confidentiality(), reader.relations());
    let content = reader.content();
    let context = reader.context();
    let archived = reader.archived();
    let (head, people, content, context) = (head?, people?, content?, context?);
    let metadata = DocumentMetadata {
        unique_id: head.unique_id,
        entry_uuid: head.entry_uuid,
        type_code: head.type_code,
        class_code: head.class_code,
        indexed: head.indexed,
        authors: people.authors,
        authenticator: people.authenticator,
        custodian: people.custodian,
        description: scope.owner.text("description").map(str::to_owned),
        confidentiality: confidentiality?,
        relations,
        archived,
        mime: content.mime,
        language: content.language,
        title: content.title,
        created: content.created,
        format: content.format,
        service_start: context.service_start,
        service_stop: context.service_stop,
        events: context.events,
        facility: context.facility,
        practice: context.practice,
        reference_ids: context.reference_ids,
    };
    Some(Fiche { metadata, patient_authors: people.patient_authors })
}

struct Reader<'a, 'i> {
    scope: Scope<'a>,
    node: Node<'a>,
    issues: &'i mut Issues,
}

struct Head {
    unique_id: Identifier,
    entry_uuid: Option<Uuid>,
    type_code: Coding,
    class_code: Coding,
    indexed: DateTime,
}

struct People<'a> {
    authors: Vec<Party>,
    authenticator: Option<Party>,
    custodian: Party,
    patient_authors: Vec<Node<'a>>,
}

struct Content {
    mime: String,
    language: String,
    title: String,
    created: DateTime,
    format: Coding,
}

struct Context {
    service_start: DateTime,
    service_stop: Option<DateTime>,
    events: Vec<Coding>,
    facility: Coding,
    practice: Coding,
    reference_ids: Vec<ReferenceId>,
}

impl<'a> Reader<'a, '_> {
    fn check_constants(&mut self) {
        match self.node.get("status") {
            None => self.issues.push(issues::missing("DocumentReference.status").missing_in(self.node, "status")),
            // One that stands alone may have been replaced since.
            Some(status) if self.scope.bundle.root() != self.node && status.str() != Some("current") => {
                self.issues.push(issues::not_current().at(status));
            }
            Some(_) => {}
        }
        for (name, point) in
            [("modifierExtension", "DocumentReference.modifierExtension"), ("docStatus", "DocumentReference.docStatus")]
        {
            if let Some(node) = self.node.get(name) {
                self.issues.push(issues::not_allowed(point).at(node));
            }
        }
    }

    fn demand(&mut self, name: &str, element: &'static str) -> Option<Node<'a>> {
        demand(self.node, name, element, self.issues)
    }

    fn head(&mut self) -> Option<Head> {
        let unique_id = self.demand("masterIdentifier", "DocumentReference.masterIdentifier").and_then(|node| {
            let identifier = Identifier::read(node);
            if identifier.is_none() {
                self.issues.push(issues::bad_value("DocumentReference.masterIdentifier").at(node));
            }
            identifier
        });
        let entry_uuid = entry_uuid(self.node, self.issues);
        let type_code = concept(self.node, "type", "DocumentReference.type", self.issues);
        let class_code = self.class_code();
        let indexed = date_time(self.node, "date", "DocumentReference.date", self.issues);
        Some(Head {
            unique_id: unique_id?,
            entry_uuid,
            type_code: type_code?,
            class_code: class_code?,
            indexed: indexed?,
        })
    }

    fn class_code(&mut self) -> Option<Coding> {
        const ELEMENT: &str = "DocumentReference.category";
        let list = self.demand("category", ELEMENT)?;
        let mut classes = list.items();
        let class = classes.next();
        if let Some(second) = classes.next() {
            self.issues.push(issues::several_classes().at(second));
        }
        let coding = class.and_then(Coding::read_concept);
        if coding.is_none() {
            self.issues.push(issues::bad_code(ELEMENT).at(class.unwrap_or(list)));
        }
        coding
    }

    fn people(&mut self) -> Option<People<'a>> {
        let mut authors = Vec::new();
        let mut patient_authors = Vec::new();
        if self.node.all("author").next().is_none() {
            self.issues.push(issues::missing("DocumentReference.author").missing_in(self.node, "author"));
        }
        for reference in self.node.all("author") {
            let author = parties::contained(self.scope, reference, "DocumentReference.author", self.issues);
            if author.as_ref().is_some_and(|author| author.kind == PartyKind::Patient) {
                patient_authors.push(reference);
            }
            authors.extend(author);
        }
        let authenticator = self.node.get("authenticator");
        let authenticator = authenticator.and_then(|reference| {
            parties::contained(self.scope, reference, "DocumentReference.authenticator", self.issues)
        });
        let custodian = self.demand("custodian", "DocumentReference.custodian");
        let custodian = custodian
            .and_then(|reference| parties::anywhere(self.scope, reference, "DocumentReference.custodian", self.issues));
        Some(People { authors, authenticator, custodian: custodian?, patient_authors })
    }

    fn confidentiality(&mut self) -> Option<Confidentiality> {
        let mut level = None;
        let mut hidden = Vec::new();
        for coding in self.node.all("securityLabel").flat_map(|label| label.all("coding")) {
            let code = coding.text("code").unwrap_or_default();
            if let Some(found) = Level::ALL.into_iter().find(|known| known.code() == code) {
                if level.is_some_and(|known| known != found) {
                    self.issues.push(issues::several_levels().at(coding));
                }
                level = Some(found);
            } else if let Some(found) = Visibility::ALL.into_iter().find(|known| known.code() == code) {
                hidden.push(found);
            } else {
                self.issues.push(issues::unknown_label().at(coding));
            }
        }
        if level.is_none() {
            self.issues.push(issues::no_level().missing_in(self.node, "securityLabel"));
        }
        Some(Confidentiality { level: level?, hidden })
    }

    fn relations(&mut self) -> Vec<Relation> {
        self.node.all("relatesTo").filter_map(|node| self.relation(node)).collect()
    }

    fn relation(&mut self, node: Node<'a>) -> Option<Relation> {
        let code = demand(node, "code", "DocumentReference.relatesTo.code", self.issues)?;
        let known = RelationCode::ALL.into_iter().find(|known| Some(known.code()) == code.str());
        if known.is_none() {
            self.issues.push(issues::bad_value("DocumentReference.relatesTo.code").at(code));
        }
        let target = demand(node, "target", "DocumentReference.relatesTo.target", self.issues)?;
        let target = match self.scope.resolve(target) {
            Target::Elsewhere(text) => RelationTarget::Reference(text.to_owned()),
            Target::Named(identifier) => RelationTarget::Identifier(identifier),
            Target::Broken(issue) => {
                self.issues.push(*issue);
                return None;
            }
            Target::Contained(_) | Target::Entry(..) => {
                self.issues.push(issues::bad_value("DocumentReference.relatesTo.target").at(target));
                return None;
            }
        };
        Some(Relation { code: known?, target })
    }

    fn archived(&mut self) -> Option<bool> {
        let node = self.node.all("extension").find(|ext| ext.text("url") == Some(names::ARCHIVED))?;
        let says = node.get("valueBoolean").and_then(Node::bool);
        if says.is_none() {
            self.issues.push(issues::bad_value("pdsm-ext-is-archived").at(node));
        }
        says
    }

    fn content(&mut self) -> Option<Content> {
        let list = self.demand("content", "DocumentReference.content")?;
        let mut contents = list.items();
        let content = contents.next()?;
        if let Some(second) = contents.next() {
            self.issues.push(issues::several_contents().at(second));
        }
        let attachment = demand(content, "attachment", "DocumentReference.content.attachment", self.issues)?;
        let mime = text(attachment, "contentType", "DocumentReference.content.attachment.contentType", self.issues);
        let language = text(attachment, "language", "DocumentReference.content.attachment.language", self.issues);
        let title = text(attachment, "title", "DocumentReference.content.attachment.title", self.issues);
        let created = date_time(attachment, "creation", "DocumentReference.content.attachment.creation", self.issues);
        let format = demand(content, "format", "DocumentReference.content.format", self.issues).and_then(|node| {
            let coding = Coding::read(node);
            if coding.is_none() {
                self.issues.push(issues::bad_code("DocumentReference.content.format").at(node));
            }
            coding
        });
        Some(Content { mime: mime?, language: language?, title: title?, created: created?, format: format? })
    }

    fn context(&mut self) -> Option<Context> {
        let context = self.demand("context", "DocumentReference.context")?;
        let period = demand(context, "period", "DocumentReference.context.period", self.issues);
        let start =
            period.and_then(|period| date_time(period, "start", "DocumentReference.context.period.start", self.issues));
        let stop = period.filter(|period| period.get("end").is_some());
        let stop =
            stop.and_then(|period| date_time(period, "end", "DocumentReference.context.period.end", self.issues));
        let facility = concept(context, "facilityType", "DocumentReference.context.facilityType", self.issues);
        let practice = concept(context, "practiceSetting", "DocumentReference.context.practiceSetting", self.issues);
        demand(context, "sourcePatientInfo", "DocumentReference.context.sourcePatientInfo", self.issues);
        let events = context.all("event").filter_map(|event| self.event(event)).collect();
        let reference_ids = context.all("related").filter_map(|related| self.reference_id(related)).collect();
        Some(Context {
            service_start: start?,
            service_stop: stop,
            events,
            facility: facility?,
            practice: practice?,
            reference_ids,
        })
    }

    fn event(&mut self, node: Node<'_>) -> Option<Coding> {
        let coding = Coding::read_concept(node);
        if coding.is_none() {
            self.issues.push(issues::bad_code("DocumentReference.context.event").at(node));
        }
        coding
    }

    /// CXi: the type is a URI inside `type.coding`; other related things are not of XDS and stay unread.
    fn reference_id(&mut self, related: Node<'_>) -> Option<ReferenceId> {
        let identifier = related.get("identifier")?;
        let coding = identifier.get("type")?.all("coding").next()?;
        let (type_code, value) = (coding.text("code"), identifier.text("value"));
        if type_code.is_none() || value.is_none() {
            self.issues.push(issues::bad_value("DocumentReference.context.related").at(related));
        }
        let system = identifier.text("system").map(str::to_owned);
        Some(ReferenceId { type_code: type_code?.to_owned(), system, value: value?.to_owned() })
    }
}

/// The identifier that is `official`: a UUID as URN (MHD EntryUUID). Others stay unread.
pub(super) fn entry_uuid(node: Node<'_>, issues: &mut Issues) -> Option<Uuid> {
    let node = node.all("identifier").find(|identifier| identifier.text("use") == Some("official"))?;
    let uuid = node.text("value").and_then(|value| value.strip_prefix("urn:uuid:")).and_then(|text| text.parse().ok());
    if uuid.is_none() {
        issues.push(issues::bad_value("identifier:entryUUID").at(node));
    }
    uuid
}

fn demand<'a>(node: Node<'a>, name: &str, element: &'static str, issues: &mut Issues) -> Option<Node<'a>> {
    let found = node.get(name);
    if found.is_none() {
        issues.push(issues::missing(element).missing_in(node, name));
    }
    found
}

fn text(node: Node<'_>, name: &str, element: &'static str, issues: &mut Issues) -> Option<String> {
    let found = demand(node, name, element, issues)?;
    let text = found.str();
    if text.is_none() {
        issues.push(issues::bad_value(element).at(found));
    }
    text.map(str::to_owned)
}

fn concept(node: Node<'_>, name: &str, element: &'static str, issues: &mut Issues) -> Option<Coding> {
    let found = demand(node, name, element, issues)?;
    let coding = Coding::read_concept(found);
    if coding.is_none() {
        issues.push(issues::bad_code(element).at(found));
    }
    coding
}

pub(super) fn date_time(node: Node<'_>, name: &str, element: &'static str, issues: &mut Issues) -> Option<DateTime> {
    let found = demand(node, name, element, issues)?;
    let moment = found.str().and_then(|text| text.parse().ok());
    if moment.is_none() {
        issues.push(issues::bad_value(element).at(found));
    }
    moment
}
