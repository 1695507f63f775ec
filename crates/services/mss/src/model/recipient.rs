use socle_identity::{Domain, Environment, EnvironmentMix, MssAddress, QualifiedIdentity};

use super::WhiteList;

/// Someone we may write to. There is no other way to one than the two functions below, and the
/// client sends to nothing else.
///
/// Not serialisable on purpose: a queued mail keeps the address and the proofs, and is checked again
/// when its turn comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    address: MssAddress,
    environment: Environment,
}

impl Recipient {
    /// A professional, an organisation or an application, whose whole domain is listed.
    ///
    /// # Errors
    /// [`NotARecipient`]; a patient's address is refused here, however right it looks.
    pub fn professional(address: MssAddress, list: &WhiteList) -> Result<Self, NotARecipient> {
        if matches!(address, MssAddress::Patient(_)) {
            return Err(NotARecipient::PatientNeedsIdentity);
        }
        Self::listed(address, list)
    }

    /// A patient, from a qualified INS only (Référentiel #2, ECO.2.2.6). For a minor it is the minor's
    /// address, not the legal representative's.
    ///
    /// # Errors
    /// [`NotARecipient::Environment`] when the identity was qualified elsewhere, and
    /// [`NotARecipient::NotListed`] when the list has lost `patient.mssante.fr`.
    pub fn patient(identity: &QualifiedIdentity, list: &WhiteList) -> Result<Self, NotARecipient> {
        identity.admit_in(list.environment())?;
        Self::listed(MssAddress::Patient(identity.ins().matricule.clone()), list)
    }

    fn listed(address: MssAddress, list: &WhiteList) -> Result<Self, NotARecipient> {
        let domain = address.domain();
        domain.admit_in(list.environment())?;
        if !list.lists(&domain) {
            return Err(NotARecipient::NotListed(domain));
        }
        Ok(Self { address, environment: list.environment() })
    }

    /// The address.
    #[must_use]
    pub const fn address(&self) -> &MssAddress {
        &self.address
    }

    /// Where mail to this recipient may be sent from.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// Is it Mon espace santé?
    #[must_use]
    pub const fn is_patient(&self) -> bool {
        matches!(self.address, MssAddress::Patient(_))
    }
}

/// Why one may not write to an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotARecipient {
    /// A patient's address was typed or read somewhere.
    #[error("a patient is written to from a qualified INS only, never from an address (Référentiel #2, ECO.2.2.6)")]
    PatientNeedsIdentity,
    /// R1: never outside the list.
    #[error("the domain `{0}` is not in the liste blanche of the espace de confiance MSSanté")]
    NotListed(Domain),
    /// The identity or the domain lives elsewhere.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
}

/// The recipients of one mail: professionals, or one patient alone.
///
/// A patient and a professional in copy are allowed since Référentiel #2 v0.1, but a copy shows the
/// patient's address, which is the INS, to everybody in it: Socle sends separate mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// One to [`Recipients::MAX`] professionals.
    Professionals(ProfessionalRecipients),
    /// One patient.
    Patient(PatientRecipient),
}

/// See [`Recipients::professionals`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfessionalRecipients(Vec<Recipient>);

/// See [`Recipients::patient`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientRecipient {
    recipient: Recipient,
    reply: Reply,
}

/// May the patient answer?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// Yes, to the sender or to the `Reply-To` address.
    Allowed,
    /// No: `X-MSS-MES: FIN` (ECO.2.2.8).
    Ended,
}

impl Recipients {
    /// The largest number in one mail (RFC 5321 §4.5.3.1.8: a server takes at least 100).
    pub const MAX: usize = 100;

    /// Professionals; an address that comes twice is kept once.
    ///
    /// # Errors
    /// [`RecipientsError`] when there is none, too many, a patient, or two environments.
    pub fn professionals(recipients: Vec<Recipient>) -> Result<Self, RecipientsError> {
        let mut kept: Vec<Recipient> = Vec::with_capacity(recipients.len());
        for recipient in recipients {
            if recipient.is_patient() {
                return Err(RecipientsError::PatientInCopy);
            }
            if let Some(first) = kept.first() {
                first.environment.admit(recipient.environment, "a recipient")?;
            }
            if !kept.contains(&recipient) {
                kept.push(recipient);
            }
        }
        match kept.len() {
            0 => Err(RecipientsError::None),
            n if n > Self::MAX => Err(RecipientsError::TooMany),
            _ => Ok(Self::Professionals(ProfessionalRecipients(kept))),
        }
    }

    /// A patient, alone.
    ///
    /// # Errors
    /// [`RecipientsError::NotAPatient`].
    pub fn patient(recipient: Recipient, reply: Reply) -> Result<Self, RecipientsError> {
        if !recipient.is_patient() {
            return Err(RecipientsError::NotAPatient);
        }
        Ok(Self::Patient(PatientRecipient { recipient, reply }))
    }

    /// All of them, at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[Recipient] {
        match self {
            Self::Professionals(list) => &list.0,
            Self::Patient(patient) => std::slice::from_ref(&patient.recipient),
        }
    }

    /// The patient, when the mail goes to one, and whether an answer is wished.
    #[must_use]
    pub const fn to_patient(&self) -> Option<(&Recipient, Reply)> {
        match self {
            Self::Professionals(_) => None,
            Self::Patient(patient) => Some((&patient.recipient, patient.reply)),
        }
    }

    /// The one environment that all belong to.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.as_slice()[0].environment
    }
}

/// Why recipients cannot stand in one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecipientsError {
    /// Nobody.
    #[error("the mail has no recipient")]
    None,
    /// More than [`Recipients::MAX`].
    #[error("the mail has more than {} recipients", Recipients::MAX)]
    TooMany,
    /// A patient among professionals.
    #[error("a patient's mail goes alone: in copy, everybody would read the INS in the address")]
    PatientInCopy,
    /// A professional where a patient is meant.
    #[error("the recipient is not a patient")]
    NotAPatient,
    /// Two environments in one mail.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::civil::date;
    use socle_identity::{Evidence, HighConfidenceDevice, Identity, Ins, InsAuthority, InsiAnswer, Sex, Traits};

    use super::*;

    pub(crate) fn list() -> WhiteList {
        let domains = ["hopital-a.mssante.test", "medecin.mssante.test", MssAddress::PATIENT_DOMAIN];
        let dn = || "CN=smtp.jumeau.test,O=JUMEAU,C=FR".parse().unwrap();
        WhiteList::new(Environment::Jumeau, domains.map(|name| (name.parse().unwrap(), dn()))).unwrap()
    }

    pub(crate) fn qualified(environment: Environment) -> QualifiedIdentity {
        let traits = Traits {
            birth_name: "PAT-TROIS".into(),
            given_names: "DOMINIQUE MARIE-LOUISE".into(),
            first_given_name: "DOMINIQUE".into(),
            sex: Sex::Female,
            birth_date: date(1979, 3, 28),
            birth_place: Some("51215".parse().unwrap()),
            used_name: None,
            used_given_name: None,
        };
        let answer = InsiAnswer {
            ins: Ins { matricule: "279035121518989".parse().unwrap(), authority: InsAuthority::NirTest },
            history: Vec::new(),
            traits: traits.clone(),
            received_at: "2026-11-24T10:00:00Z".parse().unwrap(),
            environment,
            answer_digest: "00".repeat(32),
        };
        let evidence = Evidence {
            device: HighConfidenceDevice::PA,
            checked_on: date(2026, 11, 24),
            checked_by: "899700000017".into(),
        };
        let identity = Identity::declared(traits).check(evidence).unwrap().accept(answer).unwrap();
        identity.qualified().unwrap().clone()
    }

    pub(crate) fn professional(address: &str) -> Recipient {
        Recipient::professional(address.parse().unwrap(), &list()).unwrap()
    }

    #[test]
    fn one_writes_to_listed_domains_of_the_environment_only() {
        let cases = [
            ("dpi@hopital-a.mssante.test", None),
            ("DPI@Hopital-A.MSSante.test", None),
            ("dpi@cardio.hopital-a.mssante.test", Some("not in the liste blanche")),
            ("dpi@autre.mssante.test", Some("not in the liste blanche")),
            ("dpi@hopital-a.mssante.fr", Some("environment")),
            ("279035121518989@patient.mssante.fr", Some("ECO.2.2.6")),
        ];
        for (address, refused) in cases {
            let found = Recipient::professional(address.parse().unwrap(), &list());
            match refused {
                None => assert!(found.is_ok(), "{address}"),
                Some(word) => assert!(found.unwrap_err().to_string().contains(word), "{address}"),
            }
        }
    }

    #[test]
    fn a_patient_is_reached_from_a_qualified_identity_of_the_same_environment() {
        let patient = Recipient::patient(&qualified(Environment::Jumeau), &list()).unwrap();
        assert_eq!(patient.address().to_wire(), "279035121518989@patient.mssante.fr");
        assert!(!format!("{patient:?}").contains("27903"));
        let elsewhere = Recipient::patient(&qualified(Environment::BacASable), &list());
        assert!(matches!(elsewhere, Err(NotARecipient::Environment(_))));
        let without = WhiteList::new(Environment::Jumeau, []).unwrap();
        let lost = Recipient::patient(&qualified(Environment::Jumeau), &without);
        assert!(matches!(lost, Err(NotARecipient::NotListed(_))));
    }

    #[test]
    fn a_patient_is_never_in_copy() {
        let patient = Recipient::patient(&qualified(Environment::Jumeau), &list()).unwrap();
        let doctor = professional("marie.martin@medecin.mssante.test");
        let both = Recipients::professionals(vec![doctor.clone(), patient.clone()]);
        assert_eq!(both, Err(RecipientsError::PatientInCopy));
        assert_eq!(Recipients::patient(doctor.clone(), Reply::Allowed), Err(RecipientsError::NotAPatient));
        assert_eq!(Recipients::professionals(vec![]), Err(RecipientsError::None));
        assert_eq!(Recipients::professionals(vec![doctor.clone(), doctor]).unwrap().as_slice().len(), 1);
        assert!(Recipients::patient(patient, Reply::Ended).unwrap().to_patient().is_some());
        let crowd = (0..101).map(|n| professional(&format!("bal{n}@hopital-a.mssante.test"))).collect();
        assert_eq!(Recipients::professionals(crowd), Err(RecipientsError::TooMany));
    }
}
