use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The world that an endpoint, a certificate, an identity, a token or a job belongs to.
///
/// Everything that Socle touches is bound to one of them, and nothing passes from one to another:
/// an identity that a twin qualified never reaches a national service, a test certificate never
/// authenticates in production, a mail of the twin never leaves for a real domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Socle's own local twins.
    Jumeau,
    /// The national test platforms (bac à sable, qualification, formation).
    BacASable,
    /// The real services, with real patients.
    Production,
}

impl Environment {
    /// The word used in `socle.toml`, in logs and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jumeau => "jumeau",
            Self::BacASable => "bac-a-sable",
            Self::Production => "production",
        }
    }

    /// Refuses to let something of `other` act in this environment.
    ///
    /// # Errors
    /// [`EnvironmentMix`] when the two differ; `what` names the thing for the message.
    pub fn admit(self, other: Self, what: &'static str) -> Result<(), EnvironmentMix> {
        if self == other {
            return Ok(());
        }
        Err(EnvironmentMix { what, belongs_to: other, used_in: self })
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "jumeau" => Ok(Self::Jumeau),
            "bac-a-sable" => Ok(Self::BacASable),
            "production" => Ok(Self::Production),
            other => Err(format!("`{other}` is none of jumeau, bac-a-sable, production")),
        }
    }
}

/// Two environments met. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} belongs to the environment `{belongs_to}` and may not be used in `{used_in}`")]
pub struct EnvironmentMix {
    /// What was about to cross the border (a certificate, an identity, a mail domain…).
    pub what: &'static str,
    /// Where it comes from.
    pub belongs_to: Environment,
    /// Where it was about to act.
    pub used_in: Environment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_admits_only_its_own() {
        let all = [Environment::Jumeau, Environment::BacASable, Environment::Production];
        for here in all {
            for there in all {
                assert_eq!(here.admit(there, "a key").is_ok(), here == there, "{there} in {here}");
            }
            assert_eq!(here.as_str().parse(), Ok(here));
        }
    }
}
