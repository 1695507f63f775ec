use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Environment, EnvironmentMix, Matricule};

/// An MSSanté address: what the text *is*. That we may write to it is said by `mss`' `Recipient`.
///
/// A patient's address is the matricule INS: it is health data, so there is no derived `Debug` and
/// no `Display`; the wire asks for [`Self::to_wire`].
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MssAddress {
    /// A professional, an organisation or an application.
    Professional {
        /// What stands before the `@`, lower case.
        local: String,
        /// The whole domain.
        domain: Domain,
    },
    /// A person, by Mon espace santé: `<matricule INS>@patient.mssante.fr`.
    Patient(Matricule),
}

impl MssAddress {
    /// The domain of citizens.
    pub const PATIENT_DOMAIN: &'static str = "patient.mssante.fr";

    /// The text for an SMTP command or a mail header; never for a log.
    #[must_use]
    pub fn to_wire(&self) -> String {
        match self {
            Self::Professional { local, domain } => format!("{local}@{}", domain.as_str()),
            Self::Patient(matricule) => format!("{}@{}", matricule.as_str(), Self::PATIENT_DOMAIN),
        }
    }

    /// The text for a log or a screen: a patient's shows no matricule.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Professional { .. } => self.to_wire(),
            Self::Patient(_) => format!("(patient)@{}", Self::PATIENT_DOMAIN),
        }
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> Domain {
        match self {
            Self::Professional { domain, .. } => domain.clone(),
            Self::Patient(_) => Domain(Self::PATIENT_DOMAIN.to_owned()),
        }
    }
}

impl FromStr for MssAddress {
    type Err = MssAddressError;

    fn from_str(text: &str) -> Result<Self, MssAddressError> {
        let (local, domain) = text.trim().rsplit_once('@').ok_or(MssAddressError::NoAt)?;
        let domain: Domain = domain.parse()?;
        if domain.as_str() == Self::PATIENT_DOMAIN {
            return local.parse().map(Self::Patient).map_err(|_| MssAddressError::PatientIsMatricule);
        }
        if !is_dot_string(local) {
            return Err(MssAddressError::Local);
        }
        Ok(Self::Professional { local: local.to_ascii_lowercase(), domain })
    }
}

/// RFC 5321 dot-string of at most 64 octets.
fn is_dot_string(local: &str) -> bool {
    let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    (1..=64).contains(&local.len()) && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext))
}

impl TryFrom<String> for MssAddress {
    type Error = MssAddressError;

    fn try_from(text: String) -> Result<Self, MssAddressError> {
        text.parse()
    }
}

impl From<MssAddress> for String {
    fn from(address: MssAddress) -> Self {
        address.to_wire()
    }
}

impl fmt::Debug for MssAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// A mail domain, whole and lower case (the liste blanche lists whole domains, and upper case occurs).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

impl Domain {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Twins live under `.test` (RFC 6761), where no real mail can go: a twin's mail never leaves
    /// for another domain, and nothing of `.test` is written to elsewhere.
    ///
    /// `patient.mssante.fr` exists in every environment: there, the operator decides.
    ///
    /// # Errors
    /// [`EnvironmentMix`] for a `.test` domain outside the twins, or another one inside.
    pub fn admit_in(&self, environment: Environment) -> Result<(), EnvironmentMix> {
        if self.0 == MssAddress::PATIENT_DOMAIN {
            return Ok(());
        }
        let is_twin = self.0.ends_with(".test");
        if is_twin == (environment == Environment::Jumeau) {
            return Ok(());
        }
        let belongs_to = if is_twin { Environment::Jumeau } else { Environment::Production };
        Err(EnvironmentMix { what: "a mail domain", belongs_to, used_in: environment })
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Domain {
    type Err = MssAddressError;

    fn from_str(text: &str) -> Result<Self, MssAddressError> {
        let text = text.to_ascii_lowercase();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if text.len() > 253 || !text.contains('.') || !text.split('.').all(label) {
            return Err(MssAddressError::Domain);
        }
        Ok(Self(text))
    }
}

impl TryFrom<String> for Domain {
    type Error = MssAddressError;

    fn try_from(text: String) -> Result<Self, MssAddressError> {
        text.parse()
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0
    }
}

/// Why a text is not an MSSanté address. Never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MssAddressError {
    /// No `@`.
    #[error("a mail address holds an @")]
    NoAt,
    /// Not a dot-string of RFC 5321.
    #[error("what stands before the @ is not a mailbox name")]
    Local,
    /// Not a domain name.
    #[error("what stands after the @ is not a domain name")]
    Domain,
    /// `patient.mssante.fr` takes matricules INS only.
    #[error("an address of patient.mssante.fr is a matricule INS with a right key")]
    PatientIsMatricule,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_professionals_and_patients_apart() {
        let doctor: MssAddress = "Marie.MARTIN@Medecin.mssante.fr".parse().unwrap();
        assert_eq!(doctor.to_wire(), "marie.martin@medecin.mssante.fr");
        let patient: MssAddress = "279035121518989@patient.mssante.fr".parse().unwrap();
        assert!(matches!(patient, MssAddress::Patient(_)));
        assert_eq!(format!("{patient:?}"), "(patient)@patient.mssante.fr");
        assert_eq!(patient.to_wire(), "279035121518989@patient.mssante.fr");
    }

    #[test]
    fn says_what_is_wrong_with_an_address() {
        let cases = [
            ("marie.martin", MssAddressError::NoAt),
            ("marie martin@medecin.mssante.fr", MssAddressError::Local),
            ("marie..martin@medecin.mssante.fr", MssAddressError::Local),
            ("marie@\r\nRCPT TO:<x@y.fr>", MssAddressError::Domain),
            ("marie@mssante", MssAddressError::Domain),
            ("279035121518988@patient.mssante.fr", MssAddressError::PatientIsMatricule),
            ("marie@patient.mssante.fr", MssAddressError::PatientIsMatricule),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<MssAddress>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn twin_domains_and_real_ones_never_meet() {
        let cases = [
            ("hopital-a.mssante.test", Environment::Jumeau, true),
            ("hopital-a.mssante.test", Environment::Production, false),
            ("hopital-a.mssante.test", Environment::BacASable, false),
            ("medecin.mssante.fr", Environment::Jumeau, false),
            ("medecin.mssante.fr", Environment::Production, true),
            ("patient.mssante.fr", Environment::Jumeau, true),
        ];
        for (domain, environment, admitted) in cases {
            let domain: Domain = domain.parse().unwrap();
            assert_eq!(domain.admit_in(environment).is_ok(), admitted, "{domain} in {environment}");
        }
    }
}
