use std::fmt;

use serde::{Deserialize, Serialize};
use socle_identity::{Environment, IdNatPs, IdNatStruct};

/// Who asks: a professional whom Pro Santé Connect vouches for, or an application of a structure.
///
/// Built from a verified token or a verified client certificate, never from what a request claims.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The identifier, which also tells a person from a system.
    pub id: ActorId,
    /// The name to show to people: exercise name of a professional, name of an application.
    pub name: String,
    /// Professions and specialties, empty for a system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// The structure the actor works for (situation of exercise chosen, owner of an application).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structure: Option<IdNatStruct>,
    /// The world whose authority vouched for this actor.
    pub environment: Environment,
}

impl Actor {
    /// Person or system.
    #[must_use]
    pub const fn kind(&self) -> ActorKind {
        match self.id {
            ActorId::Person(_) => ActorKind::Person,
            ActorId::System(_) => ActorKind::System,
        }
    }
}

/// The name of a person stays out of logs.
impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor")
            .field("kind", &self.kind())
            .field("structure", &self.structure)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

/// What identifies an actor.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorId {
    /// PS_IdNat of a professional.
    Person(IdNatPs),
    /// The client identifier of an application.
    System(String),
}

impl ActorId {
    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Person(id) => id.as_str(),
            Self::System(name) => name,
        }
    }
}

impl fmt::Debug for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(_) => f.write_str("Person(…)"),
            Self::System(name) => f.debug_tuple("System").field(name).finish(),
        }
    }
}

/// Person or system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// A professional.
    Person,
    /// An application.
    System,
}

/// A profession or a specialty, as Pro Santé Connect writes it: `10^1.2.250.1.213.1.1.5.5`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Role {
    /// The code in its list.
    pub code: String,
    /// The OID of the list.
    pub system: String,
}
