//! A lot as it leaves: its documents read again from the store, with the metadata that both the DMP
//! and a mail carry.

use bytes::Bytes;
use socle_cda::xds::{Cumulation, Cx, DocumentEntry, EntryOptions, SubmissionSet, Visibility};
use socle_cda::{Document, Header, UtcTime};
use socle_finding::Text;
use socle_identity::Identity;
use socle_store::StoreError;

use super::job::{DocumentAt, Lot};
use crate::desk::Gateway;
use crate::{TENANT, kind};

/// A lot, ready for a client.
pub(crate) struct Package {
    pub(crate) identity: Identity,
    pub(crate) set: SubmissionSet,
    pub(crate) documents: Vec<Packed>,
}

/// One document of it.
pub(crate) struct Packed {
    pub(crate) document: Document,
    pub(crate) header: Header,
    pub(crate) entry: DocumentEntry,
}

impl Packed {
    pub(crate) fn bytes(&self) -> &Bytes {
        self.document.bytes()
    }
}

/// Why a lot cannot be put together.
pub(crate) enum Unpacked {
    /// The store does not answer now.
    Later(Text),
    /// What was stored cannot be delivered as it is.
    Never(Text),
}

impl Gateway {
    pub(crate) async fn package(&self, lot: &Lot) -> Result<Package, Unpacked> {
        let identity = self.identity_of(lot).await?;
        let patient = patient_of(lot, &identity)?;
        let mut documents = Vec::with_capacity(lot.documents.len());
        for (index, at) in lot.documents.iter().enumerate() {
            let bytes = self.bytes_of(at).await?;
            let patient = patient.clone();
            documents.push(pack(bytes, at, index, patient.as_ref())?);
        }
        let set = set_of(lot, &documents)?;
        Ok(Package { identity, set, documents })
    }

    async fn identity_of(&self, lot: &Lot) -> Result<Identity, Unpacked> {
        let read = self.store.read(TENANT, kind::IDENTITY, lot.person.as_str()).await;
        let version = read.map_err(|error| store_is_silent(&error))?;
        let version = version.ok_or(Unpacked::Never(Text::fixed(
            "l'identité n'est plus dans la base",
            "the identity is no longer in the store",
        )))?;
        serde_json::from_slice(&version.body).map_err(|_| {
            Unpacked::Never(Text::fixed(
                "l'identité enregistrée ne peut pas être relue",
                "the stored identity cannot be read again",
            ))
        })
    }

    async fn bytes_of(&self, at: &DocumentAt) -> Result<Bytes, Unpacked> {
        let read = self.store.blob(&at.digest).await;
        let bytes = read.map_err(|error| store_is_silent(&error))?;
        bytes.ok_or(Unpacked::Never(Text::fixed(
            "les octets du document ne sont plus dans la base",
            "the bytes of the document are no longer in the store",
        )))
    }
}

fn store_is_silent(error: &StoreError) -> Unpacked {
    Unpacked::Later(Text::new(
        format!("la base ne répond pas : {error}"),
        format!("the store does not answer: {error}"),
    ))
}

/// The patient of the metadata: the INS that the documents carry, and only if the identity is
/// qualified; otherwise their local identifier stays what it is in the document (`None`).
fn patient_of(lot: &Lot, identity: &Identity) -> Result<Option<Cx>, Unpacked> {
    let Some(carried) = &lot.carried else { return Ok(None) };
    match identity.qualified() {
        Some(qualified) if qualified.ins() == carried => Ok(Some(Cx::from(carried))),
        _ => Err(Unpacked::Never(Text::fixed(
            "RNIV v2.0, EXI SI 08 : le document porte un INS et l'identité n'est pas qualifiée",
            "RNIV v2.0, EXI SI 08: the document carries an INS and the identity is not qualified",
        ))),
    }
}

fn pack(bytes: Bytes, at: &DocumentAt, index: usize, patient: Option<&Cx>) -> Result<Packed, Unpacked> {
    let never = |why: &dyn std::fmt::Display| Unpacked::Never(Text::same(format!("document {} : {why}", index + 1)));
    let document = Document::parse(bytes).map_err(|error| never(&error))?;
    let header = Header::read(&document).map_err(|refused| never(&refused))?.clone();
    let local = header.patient.local_ids.first().map(|id| Cx::local(&id.value, id.oid.as_str()));
    let patient = patient.cloned().or(local).ok_or_else(|| never(&"recordTarget/patientRole/id"))?;
    let visibility = Visibility::new(
        at.masked_to_professionals,
        at.invisible_to_patient,
        at.invisible_to_representatives,
        Cumulation::Refused,
    )
    .map_err(|error| never(&error))?;
    let options = EntryOptions { id: format!("Doc{}", index + 1), visibility, comments: None };
    let entry = DocumentEntry::from_header(&document, &patient, &options).map_err(|refused| never(&refused))?;
    Ok(Packed { entry: entry.value, header, document })
}

fn set_of(lot: &Lot, documents: &[Packed]) -> Result<SubmissionSet, Unpacked> {
    let first = documents.first().ok_or(Unpacked::Never(Text::fixed("le lot est vide", "the lot is empty")))?;
    Ok(SubmissionSet {
        id: "SubmissionSet1".to_owned(),
        status: None,
        unique_id: lot.set.unique_id.clone(),
        source_id: lot.set.source_id.clone(),
        patient_id: first.entry.patient_id.clone(),
        submission_time: UtcTime::from(lot.set.submitted),
        title: lot.set.title.clone(),
        comments: None,
        authors: first.entry.authors.iter().take(1).cloned().collect(),
        content_type: lot.set.content_type.clone(),
        intended_recipients: Vec::new(),
    })
}
