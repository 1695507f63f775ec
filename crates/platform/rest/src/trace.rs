//! What the audit log says of an interaction: one record for each (FHIR R4 §6.4, AuditEvent).

use std::collections::BTreeMap;

use socle_fhir::{Document, Node};
use socle_store::Version;
use socle_trust::audit::{Agent, AgentRole, Code, Object, Outcome, PatientId, Record, RecordAction};
use socle_trust::{Actor, ActorKind};

use crate::Settings;

const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";

/// A record of an interaction that goes well, until it is said otherwise.
pub(crate) fn record(settings: &Settings, actor: &Actor, interaction: &str) -> Record {
    let now = jiff::Timestamp::now();
    let mut record = Record::new(&settings.system, settings.environment, Code::rest(), action(interaction), now);
    record.subkind = Some(Code::new(INTERACTION, interaction));
    record.agents.push(Agent {
        role: match actor.kind() {
            ActorKind::Person => AgentRole::User,
            ActorKind::System => AgentRole::Client,
        },
        id: actor.id.as_str().to_owned(),
        name: Some(actor.name.clone()),
        requestor: true,
    });
    if let Some(structure) = &actor.structure {
        let id = structure.as_str().to_owned();
        record.agents.push(Agent { role: AgentRole::Organisation, id, name: None, requestor: false });
    }
    record
}

const fn action(interaction: &str) -> RecordAction {
    match interaction.as_bytes() {
        b"create" => RecordAction::C,
        b"read" | b"vread" | b"history-instance" | b"history-type" | b"history-system" => RecordAction::R,
        b"update" => RecordAction::U,
        b"delete" => RecordAction::D,
        _ => RecordAction::E,
    }
}

/// Adds what was touched.
pub(crate) fn touched<'a>(record: &mut Record, each: impl IntoIterator<Item = (&'a str, &'a str)>) {
    record.objects.extend(each.into_iter().map(|(kind, id)| Object {
        kind: 2,
        role: 4,
        id: format!("{kind}/{id}"),
        details: BTreeMap::new(),
    }));
}

/// Adds versions, and their patient when there is only one.
pub(crate) fn shown(record: &mut Record, settings: &Settings, versions: &[Version]) {
    touched(record, versions.iter().map(|version| (version.kind.as_str(), version.id.as_str())));
    let [version] = versions else { return };
    if let Ok(document) = Document::parse(version.body.clone()) {
        record.patient = patient(settings, document.root(), &version.kind, &version.id);
    }
}

/// The patient whom a resource is about, as this tenant knows them.
pub(crate) fn patient(settings: &Settings, root: Node<'_>, kind: &str, id: &str) -> Option<PatientId> {
    let id = if kind == "Patient" { id } else { about(root)? };
    Some(PatientId { system: format!("urn:socle:tenant:{}", settings.tenant), value: id.to_owned() })
}

fn about(root: Node<'_>) -> Option<&str> {
    let reference = |name| root.get(name)?.text("reference");
    let text = reference("subject").or_else(|| reference("patient"))?;
    text.strip_prefix("Patient/").filter(|id| crate::resource::is_id(id))
}

/// A refusal.
pub(crate) fn refused(mut record: Record, status: http::StatusCode) -> Record {
    record.outcome = if status.is_server_error() { Outcome::SeriousFailure } else { Outcome::MinorFailure };
    record.description = Some(format!("HTTP {}", status.as_u16()));
    record
}
