//! Reading the patient's DMP (TD3.1, TD3.2) in the name of the professional who asks.

use bytes::Bytes;
use jiff::Timestamp;
use socle_dmp::client::{DocumentRef, Failure, Reader};
use socle_dmp::model::query::Filter;
use socle_dmp::model::{Professional, ProfessionalError, Purpose};
use socle_identity::Identity;
use socle_trust::Actor;
use socle_trust::access::Action;
use socle_trust::audit::{Code, RecordAction};

use crate::desk::Gateway;
use crate::library::BinaryAt;
use crate::refusal::Stop;
use crate::{TENANT, kind, trace};

impl Gateway {
    /// Finds one of our own documents again in the patient's DMP and retrieves it: what comes back is
    /// what the DMP gives to a professional.
    ///
    /// # Errors
    /// [`ConsultError`]: not permitted, nobody there by that name, or the DMP's own refusal.
    pub async fn read_from_dmp(&self, actor: &Actor, document: &str) -> Result<Bytes, ConsultError> {
        self.permit(actor, Action::ReadDocument)?;
        let at = self.binary_at(document).await?;
        let identity = self.identity_named(&at.person).await?;
        let identity = identity.qualified().ok_or(ConsultError::NotQualified)?;
        let bytes = self.store.blob(&at.digest.parse().map_err(|_| ConsultError::Unknown)?).await?;
        let unique_id = bytes.as_ref().and_then(unique_id_of).ok_or(ConsultError::Unknown)?;
        let reader = Reader {
            professional: Professional::from_actor(actor)?,
            authenticated_at: Timestamp::now(),
            purpose: Purpose::Normal,
        };
        let found = self.services.dmp.find(identity, &reader, Filter::default()).await?;
        let entry = found.entries.iter().find(|entry| entry.unique_id == unique_id).ok_or(ConsultError::NotInDmp)?;
        let wanted = DocumentRef {
            unique_id,
            repository_id: entry.repository_id.clone().unwrap_or_default(),
            hash: entry.hash.clone(),
        };
        let mut retrieved = self.services.dmp.retrieve(identity, &reader, &[wanted]).await?;
        let record = trace::record(&self.settings, actor, Code::ihe("ITI-43"), RecordAction::R, Some(at.flow));
        let mut record = trace::about(record, &at.person);
        record.objects.push(trace::document(document));
        let mut batch = socle_store::Batch::new(TENANT);
        batch.audit.push(record);
        self.store.commit(batch).await?;
        retrieved.documents.pop().map(|document| document.bytes).ok_or(ConsultError::NotInDmp)
    }

    async fn binary_at(&self, document: &str) -> Result<BinaryAt, ConsultError> {
        let version = self.store.read(TENANT, kind::BINARY, document).await?.ok_or(ConsultError::Unknown)?;
        serde_json::from_slice(&version.body).map_err(|_| ConsultError::Unknown)
    }

    async fn identity_named(&self, person: &crate::PersonKey) -> Result<Identity, ConsultError> {
        let version = self.store.read(TENANT, kind::IDENTITY, person.as_str()).await?.ok_or(ConsultError::Unknown)?;
        serde_json::from_slice(&version.body).map_err(|_| ConsultError::Unknown)
    }
}

fn unique_id_of(bytes: &Bytes) -> Option<String> {
    let document = socle_cda::Document::parse(bytes.clone()).ok()?;
    Some(socle_cda::Header::read(&document).ok()?.id.to_unique_id())
}

/// Why a document could not be read in the DMP.
#[derive(Debug, thiserror::Error)]
pub enum ConsultError {
    /// The actor may not.
    #[error("access is not permitted ({})", .0.rule().unwrap_or_default())]
    NotPermitted(Stop),
    /// No document of ours by that name.
    #[error("no such document here")]
    Unknown,
    /// Only a qualified INS opens a DMP.
    #[error("the identity is not qualified (RNIV v2.0, EXI SI 08)")]
    NotQualified,
    /// The DMP does not show it.
    #[error("the DMP does not show this document to this professional")]
    NotInDmp,
    /// The professional cannot be named in a VIHF.
    #[error(transparent)]
    Professional(#[from] ProfessionalError),
    /// The DMP refused, or does not answer.
    #[error(transparent)]
    Dmp(#[from] Failure),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] socle_store::StoreError),
}

impl From<Stop> for ConsultError {
    fn from(stop: Stop) -> Self {
        Self::NotPermitted(stop)
    }
}
