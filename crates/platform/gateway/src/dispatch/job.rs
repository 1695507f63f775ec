//! What a job says: which lot, whose, to whom. Nothing in it decides; it is read again at each attempt.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use socle_finding::Text;
use socle_identity::{Environment, Identity, Ins, MssAddress};
use socle_store::{Digest, NewJob};
use uuid::Uuid;

use crate::PersonKey;

/// Ask INSi again, then deliver.
pub(crate) const IDENTIFY: &str = "identify";
/// Feed the DMP.
pub(crate) const DMP: &str = "dmp";
/// Send by MSSanté.
pub(crate) const MAIL: &str = "mail";

pub(crate) const KINDS: [&str; 3] = [IDENTIFY, DMP, MAIL];

/// The documents of a lot, and whose they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Lot {
    /// The flow.
    pub(crate) flow: Uuid,
    /// The person.
    pub(crate) person: PersonKey,
    /// The lot de soumission.
    pub(crate) set: SetFacts,
    /// Where the documents are.
    pub(crate) documents: Vec<DocumentAt>,
    /// The INS that they carry, when they carry one.
    pub(crate) carried: Option<Ins>,
}

/// What the metadata of the lot say, the same at each attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SetFacts {
    /// uniqueId, an OID.
    pub(crate) unique_id: String,
    /// sourceId, an OID.
    pub(crate) source_id: String,
    /// contentTypeCode.
    pub(crate) content_type: socle_cda::Code,
    /// title.
    pub(crate) title: Option<String>,
    /// submissionTime.
    pub(crate) submitted: Timestamp,
}

/// A document in the store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DocumentAt {
    /// The id of its fiche.
    pub(crate) id: String,
    /// The digest of its bytes.
    #[serde(with = "as_text")]
    pub(crate) digest: Digest,
    /// `MASQUE_PS`.
    pub(crate) masked_to_professionals: bool,
    /// `INVISIBLE_PATIENT`.
    pub(crate) invisible_to_patient: bool,
    /// `INVISIBLE_REPRESENTANTS_LEGAUX`.
    pub(crate) invisible_to_representatives: bool,
}

/// To whom a lot goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Target {
    /// The patient's DMP.
    Dmp,
    /// A professional's, an organisation's or an application's mailbox.
    Professional(MssAddress),
    /// The patient's own mailbox: its address is made from the identity when the mail leaves.
    Patient,
}

impl Target {
    /// For a line on a screen.
    pub(crate) fn shown(&self) -> Text {
        match self {
            Self::Dmp => Text::same("DMP"),
            Self::Professional(address) => Text::same(address.shown()),
            Self::Patient => Text::fixed("patient (MSSanté citoyenne)", "patient (MSSanté for citizens)"),
        }
    }

    /// The name of the flow's step.
    pub(crate) fn step(&self) -> String {
        match self {
            Self::Dmp => "dmp".to_owned(),
            Self::Professional(address) => format!("mssante {}", address.shown()),
            Self::Patient => "mssante patient".to_owned(),
        }
    }
}

/// One delivery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeliveryJob {
    pub(crate) lot: Lot,
    pub(crate) target: Target,
}

/// INSi is to be asked again; what follows once it has answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IdentifyJob {
    pub(crate) lot: Lot,
    /// The person as the caller stated them, with the paper that was checked. It stands here and not
    /// among the identities: those are what INSi said, and other deliveries rest on them.
    pub(crate) stated: Identity,
    pub(crate) targets: Vec<Target>,
}

impl Lot {
    /// The job of one delivery. Its lane keeps the order of the patient: a new version never passes
    /// the one that it replaces.
    pub(crate) fn delivery_job(&self, target: &Target, environment: Environment) -> NewJob {
        let (kind, lane) = match target {
            Target::Dmp => (DMP, format!("dmp {}", self.person.as_str())),
            Target::Professional(_) | Target::Patient => (MAIL, format!("{} {}", target.step(), self.person.as_str())),
        };
        let job = DeliveryJob { lot: self.clone(), target: target.clone() };
        self.job(kind, format!("{} {}", self.flow, target.step()), lane, &job, environment)
    }

    /// The job that asks INSi again.
    pub(crate) fn identify_job(&self, stated: &Identity, targets: &[Target], environment: Environment) -> NewJob {
        let job = IdentifyJob { lot: self.clone(), stated: stated.clone(), targets: targets.to_vec() };
        let lane = format!("identify {}", self.person.as_str());
        self.job(IDENTIFY, self.flow.to_string(), lane, &job, environment)
    }

    fn job<T: Serialize>(&self, kind: &str, key: String, lane: String, job: &T, environment: Environment) -> NewJob {
        NewJob {
            kind: kind.to_owned(),
            key,
            lane: Some(lane),
            environment,
            flow: Some(self.flow),
            payload: Bytes::from(serde_json::to_vec(job).unwrap_or_default()),
            not_before: None,
        }
    }
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use socle_store::Digest;

    pub(super) fn serialize<S: Serializer>(digest: &Digest, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(digest)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Digest, D::Error> {
        String::deserialize(input)?.parse().map_err(D::Error::custom)
    }
}
