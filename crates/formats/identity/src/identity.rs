use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Difference, Environment, EnvironmentMix, Evidence, Ins, Traits, consistent_first_given_name};

/// What INSi said of a person (code 00), kept with the digest of the answer as it came (EXI REC 07).
///
/// It belongs to the environment of the teleservice that gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsiAnswer {
    /// The active INS.
    pub ins: Ins,
    /// Former INS, the active one left out.
    pub history: Vec<Ins>,
    /// The traits of the reference base.
    pub traits: Traits,
    /// When it came.
    pub received_at: Timestamp,
    /// Which teleservice gave it.
    pub environment: Environment,
    /// SHA-256, in hexadecimal, of the answer's bytes; the bytes are in the blob store.
    pub answer_digest: String,
}

/// What we know of a person, graded as RNIV does: one status at a time (EXI SI 07).
///
/// The two questions of RNIV (recovered through INSi? checked on a paper of high confidence?) *are*
/// the fields, so that "qualified but fictive" cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredIdentity", into = "StoredIdentity")]
pub enum Identity {
    /// PROV: the only home of a doubt.
    Provisional {
        /// What was declared.
        traits: Traits,
        /// DOUT or FICT.
        doubt: Option<Doubt>,
    },
    /// RECUP: INSi has answered, and the traits agree.
    Retrieved {
        /// INSi's answer.
        answer: InsiAnswer,
    },
    /// VALI: a paper of high confidence was checked.
    Validated {
        /// What the paper says.
        traits: Traits,
        /// The check.
        evidence: Evidence,
    },
    /// QUAL: both.
    Qualified(QualifiedIdentity),
}

impl Identity {
    /// An identity as somebody declares it.
    #[must_use]
    pub const fn declared(traits: Traits) -> Self {
        Self::Provisional { traits, doubt: None }
    }

    /// INSi's answer is taken for this person: the traits must agree.
    ///
    /// A different birth place alone does not refuse: INSi does not ask for it, and the code of a
    /// commune changes over the years; the caller is told by [`Traits::differences`].
    ///
    /// # Errors
    /// [`Refused::Doubtful`] when the identity is doubtful or fictive (EXI ID 26), and
    /// [`Refused::Differs`] with the strict traits that are not the same.
    pub fn accept(&self, answer: InsiAnswer) -> Result<Self, Refused> {
        if let Self::Provisional { doubt: Some(doubt), .. } = self {
            return Err(Refused::Doubtful(*doubt));
        }
        let mut differences = self.traits().differences(&answer.traits);
        differences.retain(|difference| *difference != Difference::BirthPlace);
        if !differences.is_empty() {
            return Err(Refused::Differs(differences));
        }
        if !consistent_first_given_name(&answer.traits.first_given_name, &answer.traits.given_names) {
            return Err(Refused::FirstGivenName);
        }
        Ok(match self {
            Self::Provisional { .. } | Self::Retrieved { .. } => Self::Retrieved { answer },
            Self::Validated { evidence, .. } | Self::Qualified(QualifiedIdentity { evidence, .. }) => {
                Self::Qualified(QualifiedIdentity { answer, evidence: evidence.clone() })
            }
        })
    }

    /// A paper of high confidence was compared with these traits.
    ///
    /// # Errors
    /// [`Refused::Doubtful`] when the identity is doubtful or fictive.
    pub fn check(&self, evidence: Evidence) -> Result<Self, Refused> {
        match self {
            Self::Provisional { doubt: Some(doubt), .. } => Err(Refused::Doubtful(*doubt)),
            Self::Provisional { traits, .. } | Self::Validated { traits, .. } => {
                Ok(Self::Validated { traits: traits.clone(), evidence })
            }
            Self::Retrieved { answer } | Self::Qualified(QualifiedIdentity { answer, .. }) => {
                Ok(Self::Qualified(QualifiedIdentity { answer: answer.clone(), evidence }))
            }
        }
    }

    /// Doubtful or fictive: back to PROV, without matricule (EXI SI 09, EXI ID 24).
    #[must_use]
    pub fn doubt(&self, doubt: Doubt) -> Self {
        Self::Provisional { traits: self.traits().clone(), doubt: Some(doubt) }
    }

    /// The traits, from the best source we have.
    #[must_use]
    pub const fn traits(&self) -> &Traits {
        match self {
            Self::Provisional { traits, .. } | Self::Validated { traits, .. } => traits,
            Self::Retrieved { answer } | Self::Qualified(QualifiedIdentity { answer, .. }) => &answer.traits,
        }
    }

    /// The status of RNIV.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Provisional { .. } => Status::Provisional,
            Self::Retrieved { .. } => Status::Retrieved,
            Self::Validated { .. } => Status::Validated,
            Self::Qualified(_) => Status::Qualified,
        }
    }

    /// The qualified identity, when it is one.
    #[must_use]
    pub const fn qualified(&self) -> Option<&QualifiedIdentity> {
        match self {
            Self::Qualified(identity) => Some(identity),
            _ => None,
        }
    }
}

/// The only identity whose INS may leave the domain (EXI SI 08, EXI ID 29).
///
/// Its private fields are the proofs; [`Identity::accept`] and [`Identity::check`] alone put them
/// together. One that comes back from the store was rebuilt from its proofs, not from a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualifiedIdentity {
    answer: InsiAnswer,
    evidence: Evidence,
}

impl QualifiedIdentity {
    /// The INS.
    #[must_use]
    pub const fn ins(&self) -> &Ins {
        &self.answer.ins
    }

    /// The traits of the reference base: they go with the INS, unchanged.
    #[must_use]
    pub const fn traits(&self) -> &Traits {
        &self.answer.traits
    }

    /// INSi's answer.
    #[must_use]
    pub const fn answer(&self) -> &InsiAnswer {
        &self.answer
    }

    /// The check of the paper.
    #[must_use]
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Where this identity was qualified.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.answer.environment
    }

    /// May this identity go to a service of `environment`?
    ///
    /// # Errors
    /// [`EnvironmentMix`] when it was qualified elsewhere, or its INS is a test number.
    pub fn admit_in(&self, environment: Environment) -> Result<(), EnvironmentMix> {
        self.ins().authority.admit_in(environment)?;
        environment.admit(self.environment(), "a qualified identity")
    }
}

/// Why an identity may not be trusted (RNIV attributes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Doubt {
    /// DOUT.
    #[serde(rename = "DOUT")]
    Doubtful,
    /// FICT.
    #[serde(rename = "FICT")]
    Fictive,
}

/// The status of an identity by RNIV v2.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// PROV.
    #[serde(rename = "PROV")]
    Provisional,
    /// RECUP.
    #[serde(rename = "RECUP")]
    Retrieved,
    /// VALI.
    #[serde(rename = "VALI")]
    Validated,
    /// QUAL.
    #[serde(rename = "QUAL")]
    Qualified,
}

impl Status {
    /// The code of FR Core (`fr-core-cs-identity-status`).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Provisional => "PROV",
            Self::Retrieved => "RECUP",
            Self::Validated => "VALI",
            Self::Qualified => "QUAL",
        }
    }

    /// The word of RNIV.
    #[must_use]
    pub const fn french(self) -> &'static str {
        match self {
            Self::Provisional => "provisoire",
            Self::Retrieved => "récupérée",
            Self::Validated => "validée",
            Self::Qualified => "qualifiée",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why a step towards a better status is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// DOUT or FICT blocks everything (EXI ID 26).
    #[error("the identity is marked {}; INSi may not be asked and its INS may not be used (EXI ID 26)", match .0 { Doubt::Doubtful => "DOUT", Doubt::Fictive => "FICT" })]
    Doubtful(Doubt),
    /// The answer is of somebody else, or the record is wrong.
    #[error("INSi's answer differs in: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Differs(Vec<Difference>),
    /// The first given name is not the beginning of the list (EXI ID 10).
    #[error("the first given name is not the beginning of the list of given names (EXI ID 10)")]
    FirstGivenName,
    /// What the store holds contradicts itself.
    #[error("the stored identity holds neither traits nor an answer of INSi")]
    Empty,
}

/// An identity as the store keeps it: its proofs, never its status. Reading it back goes through the
/// same steps as the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredIdentity {
    /// What was declared, or what the paper says; absent when INSi's answer says it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traits: Option<Traits>,
    /// DOUT or FICT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// INSi's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<InsiAnswer>,
    /// The check of the paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

impl From<Identity> for StoredIdentity {
    fn from(identity: Identity) -> Self {
        let empty = Self { traits: None, doubt: None, answer: None, evidence: None };
        match identity {
            Identity::Provisional { traits, doubt } => Self { traits: Some(traits), doubt, ..empty },
            Identity::Retrieved { answer } => Self { answer: Some(answer), ..empty },
            Identity::Validated { traits, evidence } => {
                Self { traits: Some(traits), evidence: Some(evidence), ..empty }
            }
            Identity::Qualified(QualifiedIdentity { answer, evidence }) => {
                Self { answer: Some(answer), evidence: Some(evidence), ..empty }
            }
        }
    }
}

impl TryFrom<StoredIdentity> for Identity {
    type Error = Refused;

    fn try_from(stored: StoredIdentity) -> Result<Self, Refused> {
        let traits = stored.traits.or_else(|| stored.answer.as_ref().map(|answer| answer.traits.clone()));
        let mut identity = Self::Provisional { traits: traits.ok_or(Refused::Empty)?, doubt: stored.doubt };
        if let Some(answer) = stored.answer {
            identity = identity.accept(answer)?;
        }
        if let Some(evidence) = stored.evidence {
            identity = identity.check(evidence)?;
        }
        Ok(identity)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{HighConfidenceDevice, InsAuthority, Sex};

    fn traits() -> Traits {
        Traits {
            birth_name: "PAT-TROIS".into(),
            given_names: "DOMINIQUE MARIE-LOUISE".into(),
            first_given_name: "DOMINIQUE".into(),
            sex: Sex::Female,
            birth_date: date(1979, 3, 28),
            birth_place: Some("51215".parse().unwrap()),
            used_name: None,
            used_given_name: None,
        }
    }

    fn answer() -> InsiAnswer {
        InsiAnswer {
            ins: Ins { matricule: "279035121518989".parse().unwrap(), authority: InsAuthority::NirTest },
            history: Vec::new(),
            traits: traits(),
            received_at: "2026-11-24T10:00:00Z".parse().unwrap(),
            environment: Environment::Jumeau,
            answer_digest: "00".repeat(32),
        }
    }

    fn evidence() -> Evidence {
        Evidence { device: HighConfidenceDevice::PA, checked_on: date(2026, 11, 24), checked_by: "899700000017".into() }
    }

    #[test]
    fn only_both_proofs_qualify_in_either_order() {
        let declared = Identity::declared(traits());
        let retrieved = declared.accept(answer()).unwrap();
        let validated = declared.check(evidence()).unwrap();
        assert_eq!(retrieved.status(), Status::Retrieved);
        assert_eq!(validated.status(), Status::Validated);
        assert!(retrieved.qualified().is_none() && validated.qualified().is_none());
        assert_eq!(retrieved.check(evidence()).unwrap(), validated.accept(answer()).unwrap());
        assert_eq!(retrieved.check(evidence()).unwrap().status(), Status::Qualified);
    }

    #[test]
    fn a_doubt_drops_the_matricule_and_blocks_every_step() {
        let qualified = Identity::declared(traits()).check(evidence()).unwrap().accept(answer()).unwrap();
        for doubt in [Doubt::Doubtful, Doubt::Fictive] {
            let doubtful = qualified.doubt(doubt);
            assert_eq!(doubtful.status(), Status::Provisional);
            assert_eq!(doubtful.accept(answer()), Err(Refused::Doubtful(doubt)));
            assert_eq!(doubtful.check(evidence()), Err(Refused::Doubtful(doubt)));
        }
    }

    #[test]
    fn an_answer_about_somebody_else_is_refused() {
        let mut other = answer();
        other.traits.birth_date = date(1976, 5, 31);
        let declared = Identity::declared(traits());
        assert_eq!(declared.accept(other), Err(Refused::Differs(vec![Difference::BirthDate])));
        let mut moved = answer();
        moved.traits.birth_place = Some("63220".parse().unwrap());
        assert!(declared.accept(moved).is_ok());
    }

    #[test]
    fn comes_back_from_the_store_by_its_proofs() {
        let declared = Identity::declared(traits());
        let all = [
            declared.clone(),
            declared.doubt(Doubt::Fictive),
            declared.accept(answer()).unwrap(),
            declared.check(evidence()).unwrap(),
            declared.check(evidence()).unwrap().accept(answer()).unwrap(),
        ];
        for identity in all {
            let stored = serde_json::to_string(&identity).unwrap();
            assert_eq!(serde_json::from_str::<Identity>(&stored).unwrap(), identity);
            assert!(!stored.contains("QUAL"), "no status is stored");
        }
        let forged = r#"{"status":"QUAL"}"#;
        assert!(serde_json::from_str::<Identity>(forged).is_err());
    }

    #[test]
    fn a_twin_s_identity_never_reaches_a_national_service() {
        let qualified = Identity::declared(traits()).check(evidence()).unwrap().accept(answer()).unwrap();
        let qualified = qualified.qualified().unwrap();
        assert!(qualified.admit_in(Environment::Jumeau).is_ok());
        assert!(qualified.admit_in(Environment::BacASable).is_err());
        assert!(qualified.admit_in(Environment::Production).is_err());
    }
}
