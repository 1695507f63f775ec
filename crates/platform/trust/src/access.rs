//! The access decision: default deny, one named rule per permission, an answer that explains itself.
//!
//! The rules are a table: who (person, system), what (action), on which condition. The first row that
//! fits decides; no row, no access.
//!
//! Not here: patient opposition, consent, care team, break-glass. A permit says that the actor may act
//! for the structure that owns the resource, and nothing about the patient's wishes.

use socle_finding::Text;
use socle_identity::{Environment, IdNatStruct};

use crate::{Actor, ActorKind};

/// What an actor wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Hand in a document (ITI-65).
    SubmitDocument,
    /// Search documents (ITI-67).
    SearchDocuments,
    /// Read a document (ITI-68).
    ReadDocument,
    /// See a flow, its steps and messages; the console.
    ReadFlow,
    /// Run a stuck job again.
    RetryJob,
    /// Read the audit log.
    ReadAudit,
    /// Read, search or list resources by FHIR REST.
    ReadResources,
    /// Write or delete resources by FHIR REST.
    WriteResources,
}

/// A question to [`decide`].
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// What for.
    pub action: Action,
    /// The world of the resource.
    pub environment: Environment,
    /// The structure that owns the resource; `None` when the actor's own structure is meant (a search,
    /// a submission).
    pub owner: Option<&'a IdNatStruct>,
}

/// The answer, for the caller and for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// May the actor go on?
    pub permit: bool,
    /// The rule that decided, a stable identifier.
    pub rule: &'static str,
    /// Why, for people.
    pub explanation: Text,
}

struct Rule {
    name: &'static str,
    kind: ActorKind,
    actions: &'static [Action],
    explanation: Text,
}

const PERMISSIONS: [Rule; 2] = [
    Rule {
        name: "professional-in-structure",
        kind: ActorKind::Person,
        actions: &[
            Action::SubmitDocument,
            Action::SearchDocuments,
            Action::ReadDocument,
            Action::ReadFlow,
            Action::RetryJob,
            Action::ReadAudit,
            Action::ReadResources,
            Action::WriteResources,
        ],
        explanation: Text::fixed(
            "professionnel authentifié par Pro Santé Connect, agissant pour sa structure",
            "professional authenticated by Pro Santé Connect, acting for their structure",
        ),
    },
    Rule {
        name: "application-of-structure",
        kind: ActorKind::System,
        actions: &[
            Action::SubmitDocument,
            Action::SearchDocuments,
            Action::ReadDocument,
            Action::ReadFlow,
            Action::RetryJob,
            Action::ReadAudit,
            Action::ReadResources,
            Action::WriteResources,
        ],
        explanation: Text::fixed(
            "application cliente déclarée par la structure",
            "client application declared by the structure",
        ),
    },
];

const OTHER_ENVIRONMENT: Decision = deny(
    "environment-lock",
    "l'acteur et la ressource n'appartiennent pas au même environnement",
    "the actor and the resource do not belong to the same environment",
);
const NO_STRUCTURE: Decision = deny(
    "structure-required",
    "aucune structure : le professionnel doit choisir sa situation d'exercice, l'application doit être déclarée par une structure",
    "no structure: a professional chooses a situation of exercise, an application is declared by a structure",
);
const OTHER_STRUCTURE: Decision = deny(
    "owner-structure",
    "la ressource appartient à une autre structure",
    "the resource belongs to another structure",
);
const DEFAULT: Decision = deny(
    "default-deny",
    "aucune règle n'autorise cette action pour cet acteur",
    "no rule allows this action to this actor",
);

const fn deny(rule: &'static str, fr: &'static str, en: &'static str) -> Decision {
    Decision { permit: false, rule, explanation: Text::fixed(fr, en) }
}

/// Decides. The same question always has the same answer: record it with the event.
#[must_use]
pub fn decide(request: &Request<'_>) -> Decision {
    if request.actor.environment != request.environment {
        return OTHER_ENVIRONMENT;
    }
    let Some(structure) = &request.actor.structure else { return NO_STRUCTURE };
    if request.owner.is_some_and(|owner| owner != structure) {
        return OTHER_STRUCTURE;
    }
    let kind = request.actor.kind();
    let allows = |rule: &&Rule| rule.kind == kind && rule.actions.contains(&request.action);
    PERMISSIONS.iter().find(allows).map_or(DEFAULT, |rule| Decision {
        permit: true,
        rule: rule.name,
        explanation: rule.explanation.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ActorId;

    fn actor(id: ActorId, structure: Option<&str>) -> Actor {
        Actor {
            id,
            name: "x".to_owned(),
            roles: Vec::new(),
            structure: structure.map(|s| s.parse().unwrap()),
            environment: Environment::Jumeau,
        }
    }

    #[test]
    fn every_actor_and_action_has_its_decision() {
        let person = || ActorId::Person("899700218896".parse().unwrap());
        let system = || ActorId::System("dpi".to_owned());
        let mine: IdNatStruct = "10B0152872".parse().unwrap();
        let other: IdNatStruct = "1690781810".parse().unwrap();
        let (here, there) = (Environment::Jumeau, Environment::Production);
        let cases = [
            (person(), Some("10B0152872"), Action::SubmitDocument, here, None, "professional-in-structure"),
            (person(), Some("10B0152872"), Action::ReadAudit, here, Some(&mine), "professional-in-structure"),
            (person(), Some("10B0152872"), Action::ReadDocument, here, Some(&other), "owner-structure"),
            (person(), None, Action::ReadFlow, here, None, "structure-required"),
            (person(), Some("10B0152872"), Action::SubmitDocument, there, None, "environment-lock"),
            (system(), Some("10B0152872"), Action::SubmitDocument, here, None, "application-of-structure"),
            (system(), Some("10B0152872"), Action::ReadFlow, here, Some(&mine), "application-of-structure"),
            (system(), Some("10B0152872"), Action::ReadDocument, here, Some(&other), "owner-structure"),
            (system(), Some("10B0152872"), Action::RetryJob, here, None, "application-of-structure"),
            (system(), Some("10B0152872"), Action::ReadAudit, here, None, "application-of-structure"),
            (person(), Some("10B0152872"), Action::ReadResources, here, Some(&mine), "professional-in-structure"),
            (system(), Some("10B0152872"), Action::WriteResources, here, Some(&mine), "application-of-structure"),
            (system(), Some("10B0152872"), Action::ReadResources, here, Some(&other), "owner-structure"),
            (system(), None, Action::SubmitDocument, here, None, "structure-required"),
        ];
        for (id, structure, action, environment, owner, rule) in cases {
            let actor = actor(id, structure);
            let decision = decide(&Request { actor: &actor, action, environment, owner });
            assert_eq!(decision.rule, rule, "{actor:?} {action:?}");
            let permissions = PERMISSIONS.iter().any(|p| p.name == rule);
            assert_eq!(decision.permit, permissions, "{actor:?} {action:?}");
            assert!(!decision.explanation.fr.is_empty() && !decision.explanation.en.is_empty());
        }
    }
}
