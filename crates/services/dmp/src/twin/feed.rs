//! TD2.1, ITI-41: a lot is judged (checks 5 to 10), then kept (8, 9 and 11).

use std::collections::HashMap;

use bytes::Bytes;
use jiff::Timestamp;
use socle_cda::xds::{
    AssociationKind, Cumulation, Cx, DocumentEntry, Profile, Status, Submission, read_submission, sha1_hex,
};
use socle_xml::mtom::Incoming;
use socle_xml::roxmltree::Node;
use socle_xml::signature::SignatureError;
use socle_xml::signature::xades::{self, Content, LotDocument};
use uuid::Uuid;

use super::fault::Refusal;
use super::gate::{Admitted, Gate};
use super::metadata::{self, Lists};
use super::service::Twin;
use super::state::{Kept, NewLot, NotKept};
use super::{Strictness, cda};
use crate::model::rights::Action;
use crate::model::{ErrorCode, Existence};
use crate::wire::documents::{DocumentsError, read_provide};
use crate::wire::response::RegistryError;

/// A lot that may be kept.
#[derive(Debug)]
pub(super) struct Feed {
    submission: Submission,
    /// Bytes of each entry, in the order of the entries.
    documents: Vec<Bytes>,
    /// SHA-1 of each.
    hashes: Vec<String>,
    admitted: Admitted,
}

/// Checks 3 to 7 and 10, those that need no state.
pub(super) fn judge(
    twin: &Twin,
    body: Node<'_, '_>,
    message: &Incoming,
    mut admitted: Admitted,
    now: Timestamp,
) -> Result<Feed, Refusal> {
    Gate::check_right(&admitted, Action::Feed)?;
    check_dmp(&admitted)?;
    let inline = message.parts.is_empty();
    twin.gate.lenient(inline, "documents en base64 dans l'enveloppe (MTOM : EX_2.1-1260)", &mut admitted.leniencies)?;
    let provide = read_provide(body, message).map_err(|error| pairing(&error))?;
    let read = read_submission(provide.metadata, Profile::Dmp)
        .map_err(|refused| Refusal::Registry(metadata::unreadable(&refused)))?;
    let submission = read.value;
    let documents = pair(&submission, provide.documents)?;
    let lists = match twin.strictness {
        Strictness::Strict => Lists::Published,
        Strictness::Lenient => Lists::Any,
    };
    none(metadata::check(&submission, &admitted.patient, Cumulation::Refused, lists))?;
    let hashes: Vec<_> = documents.iter().map(|bytes| sha1_hex(bytes)).collect();
    none(check_bytes(&submission, &documents, &hashes))?;
    check_signature(twin, &submission, &documents, now)?;
    let ranked = (1..).zip(submission.entries.iter().zip(&documents)).filter(|(_, (entry, _))| !entry.is_signature());
    none(ranked.flat_map(|(rank, (entry, bytes))| cda::check(entry, rank, bytes, &admitted.patient)).collect())?;
    Ok(Feed { submission, documents, hashes, admitted })
}

impl Feed {
    /// What was taken though the texts write it otherwise.
    pub(super) fn leniencies(&self) -> &[&'static str] {
        &self.admitted.leniencies
    }
}

fn none(errors: Vec<RegistryError>) -> Result<(), Refusal> {
    if errors.is_empty() { Ok(()) } else { Err(Refusal::Registry(errors)) }
}

/// Check 4.
pub(super) fn check_dmp(admitted: &Admitted) -> Result<(), Refusal> {
    match admitted.situation.existence {
        Existence::Open(_) => Ok(()),
        Existence::Closed => Err(Refusal::registry(ErrorCode::UnknownPatientId, "le DMP de cette INS est fermé")),
        Existence::None => Err(Refusal::registry(ErrorCode::UnknownPatientId, "aucun DMP pour cette INS")),
    }
}

/// Check 5: what of the multipart does not fit has a code where IHE gives one.
fn pairing(error: &DocumentsError) -> Refusal {
    match error {
        DocumentsError::Mtom(_) => Refusal::registry(ErrorCode::MissingDocument, error.to_string()),
        DocumentsError::UnclaimedPart => Refusal::registry(ErrorCode::MissingDocumentMetadata, error.to_string()),
        _ => Refusal::registry(ErrorCode::RepositoryMetadata, error.to_string()),
    }
}

/// Each entry with its document, and no document without entry.
fn pair(submission: &Submission, documents: Vec<(String, Bytes)>) -> Result<Vec<Bytes>, Refusal> {
    let mut by_id: HashMap<_, _> = documents.into_iter().collect();
    let mut paired = Vec::with_capacity(submission.entries.len());
    for (rank, entry) in (1..).zip(&submission.entries) {
        let at = format!("DocumentEntry[{rank}]");
        let missing = || Refusal::registry_at(ErrorCode::MissingDocument, at, "aucun Document n'a l'id de cette fiche");
        paired.push(by_id.remove(&entry.id).ok_or_else(missing)?);
    }
    if by_id.is_empty() {
        return Ok(paired);
    }
    Err(Refusal::registry(ErrorCode::MissingDocumentMetadata, "un Document n'a pas de fiche (ExtrinsicObject)"))
}

/// Hash and size are ours to fill; those that came must be right (IHE ITI TF-2 3.41.4.1.3).
fn check_bytes(submission: &Submission, documents: &[Bytes], hashes: &[String]) -> Vec<RegistryError> {
    let wrong = |rank: usize, attribute: &str| RegistryError {
        location: Some(format!("DocumentEntry[{rank}].{attribute}")),
        ..RegistryError::new(ErrorCode::RepositoryMetadata, format!("{attribute} n'est pas celui du document reçu"))
    };
    let mut errors = Vec::new();
    for (rank, (entry, (bytes, hash))) in (1..).zip(submission.entries.iter().zip(documents.iter().zip(hashes))) {
        if entry.hash.as_ref().is_some_and(|stated| !stated.eq_ignore_ascii_case(hash)) {
            errors.push(wrong(rank, "hash"));
        }
        if entry.size.is_some_and(|size| size != bytes.len() as u64) {
            errors.push(wrong(rank, "size"));
        }
    }
    errors
}

/// Check 7: the signature of the lot, over every document, by a seal that is trusted.
fn check_signature(twin: &Twin, submission: &Submission, documents: &[Bytes], now: Timestamp) -> Result<(), Refusal> {
    let is_signature = |(entry, _): &(&DocumentEntry, &Bytes)| entry.is_signature();
    let all = submission.entries.iter().zip(documents);
    let mut signatures = all.clone().filter(is_signature);
    let (Some((entry, xml)), None) = (signatures.next(), signatures.next()) else {
        return Err(no_signature("le lot porte une signature (fiche DSG), et une seule"));
    };
    let signs = |kind: &AssociationKind| *kind == AssociationKind::Signs;
    let signs_set =
        submission.associations.iter().any(|a| signs(&a.kind) && a.source == entry.id && a.target == submission.set.id);
    if !signs_set {
        return Err(no_signature("aucune association « signs » ne va de la signature au lot"));
    }
    let signed: Vec<_> =
        all.filter(|pair| !is_signature(pair)).map(|(entry, bytes)| lot_document(entry, bytes)).collect();
    let trust = |leaf: &[u8], others: &[Vec<u8>]| twin.gate.trust(leaf, others, now);
    let verified = xades::verify_lot(xml, &submission.set.unique_id, &signed, &twin.gate.policy(), &trust);
    verified.map(|_| ()).map_err(|error| match error {
        SignatureError::Trust(_) | SignatureError::Certificate => {
            Refusal::dmp(&ErrorCode::DmpInvalidCertificate, format!("signature du lot : {error}"))
        }
        error => no_signature(&format!("signature du lot : {error}")),
    })
}

/// Which code the DMP has for a lot that is not signed well is UNKNOWN.
fn no_signature(context: &str) -> Refusal {
    Refusal::registry(ErrorCode::RepositoryMetadata, context)
}

fn lot_document<'a>(entry: &'a DocumentEntry, bytes: &'a Bytes) -> LotDocument<'a> {
    let is_xml = matches!(entry.mime_type.as_str(), "text/xml" | "application/xml" | "application/xslt+xml");
    let content = if is_xml { Content::Xml(bytes) } else { Content::Binary(bytes) };
    LotDocument { unique_id: &entry.unique_id, content }
}

/// Checks 8 and 9, then 11: kept whole, durably, or not at all.
pub(super) async fn keep(twin: &Twin, feed: Feed) -> Result<(), Refusal> {
    check_unique(twin, &feed).await?;
    let replaced = replaced(twin, &feed).await?;
    let Feed { submission, documents, hashes, admitted } = feed;
    let named: Vec<_> = submission.entries.iter().map(|entry| entry.unique_id.clone()).collect();
    let lot = NewLot {
        submission: registered(twin, submission, &documents, hashes),
        documents,
        patient: admitted.patient,
        fed_by: admitted.vihf.structure().id.clone(),
        replaced,
    };
    match twin.state.keep(lot).await {
        Ok(()) => Ok(()),
        // Who was faster is there now: the same check says what is the matter.
        Err(NotKept::Overtaken) => {
            let is_there = !twin.state.entries_named(&named).await.map_err(storage)?.is_empty();
            Err(if is_there { duplicate() } else { Refusal::registry(ErrorCode::RegistryBusy, OVERTAKEN) })
        }
        Err(error) => Err(storage(error)),
    }
}

const OVERTAKEN: &str = "une autre requête a modifié le document à remplacer : recommencez";

pub(super) fn storage(error: NotKept) -> Refusal {
    match error {
        NotKept::Store(error) => tracing::error!(%error, "the DMP twin's store failed"),
        NotKept::Damaged => tracing::error!("the DMP twin's store holds an object that does not read"),
        NotKept::Overtaken => {}
    }
    Refusal::receiver("le stockage du jumeau a échoué : rien n'a été enregistré")
}

/// Check 8. The same content again is told apart from another content (IHE ITI TF-3 4.2.4.1).
async fn check_unique(twin: &Twin, feed: &Feed) -> Result<(), Refusal> {
    let Feed { submission, hashes, .. } = feed;
    let named: Vec<_> = submission.entries.iter().map(|entry| entry.unique_id.clone()).collect();
    let there = twin.state.entries_named(&named).await.map_err(storage)?;
    for (entry, hash) in submission.entries.iter().zip(hashes) {
        let Some(known) = there.iter().find(|kept| kept.entry.unique_id == entry.unique_id) else { continue };
        if known.entry.hash.as_ref() != Some(hash) {
            let context = format!("{} (DocumentEntry) est enregistré avec un autre contenu", entry.unique_id);
            return Err(Refusal::registry(ErrorCode::NonIdenticalHash, context));
        }
        let context = format!("{} (DocumentEntry) est déjà enregistré, avec le même contenu", entry.unique_id);
        return Err(Refusal::registry(ErrorCode::DuplicateUniqueIdInRegistry, context));
    }
    let sets = twin.state.sets_named(std::slice::from_ref(&submission.set.unique_id)).await.map_err(storage)?;
    if sets.is_empty() { Ok(()) } else { Err(duplicate()) }
}

fn duplicate() -> Refusal {
    Refusal::registry(ErrorCode::DuplicateUniqueIdInRegistry, "un identifiant du lot est déjà enregistré")
}

/// Check 9: what is replaced is active, of the same patient, and was fed by the same structure.
async fn replaced(twin: &Twin, feed: &Feed) -> Result<Vec<Kept>, Refusal> {
    let Feed { submission, admitted, .. } = feed;
    let mut replaced = Vec::new();
    for (rank, association) in (1..).zip(&submission.associations) {
        let at = || format!("Association[{rank}]");
        match association.kind {
            AssociationKind::HasMember | AssociationKind::Signs => continue,
            AssociationKind::Replaces => {}
            _ => {
                let context = "seuls HasMember, RPLC et signs ont un sens dans une alimentation du DMP";
                return Err(Refusal::registry_at(ErrorCode::RegistryMetadata, at(), context));
            }
        }
        let old = twin.state.entry(&association.target).await.map_err(storage)?;
        let Some(old) = old else {
            let context = "l'entryUUID à remplacer est inconnu : cherchez-le d'abord (TD3.1b)";
            return Err(Refusal::registry_at(ErrorCode::UnresolvedReference, at(), context));
        };
        let (code, context) = match () {
            () if !old.entry.patient_id.same(&Cx::from(&admitted.patient)) => {
                (ErrorCode::ReplaceFailed, "le document à remplacer est celui d'un autre patient")
            }
            () if old.fed_by != admitted.vihf.structure().id => {
                (ErrorCode::ReplaceFailed, "seule la structure qui a déposé un document le remplace")
            }
            () if old.entry.status == Some(Status::Deprecated) => {
                (ErrorCode::RegistryDeprecatedDocument, "le document à remplacer l'est déjà")
            }
            () if old.entry.status != Some(Status::Approved) => {
                (ErrorCode::ReplaceFailed, "le document à remplacer n'est pas actif")
            }
            () => {
                replaced.push(old);
                continue;
            }
        };
        return Err(Refusal::registry_at(code, at(), context));
    }
    Ok(replaced)
}

/// What the server fills: entryUUID, lid, version, status, hash, size, repositoryUniqueId.
fn registered(twin: &Twin, mut submission: Submission, documents: &[Bytes], hashes: Vec<String>) -> Submission {
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut rename = |id: &mut String| {
        let uuid = new_uuid();
        ids.insert(std::mem::replace(id, uuid.clone()), uuid.clone());
        uuid
    };
    rename(&mut submission.set.id);
    submission.set.status = Some(Status::Approved);
    for (entry, (bytes, hash)) in submission.entries.iter_mut().zip(documents.iter().zip(hashes)) {
        entry.logical_id = Some(rename(&mut entry.id));
        entry.version = Some("1".to_owned());
        entry.status = Some(Status::Approved);
        entry.hash = Some(hash);
        entry.size = Some(bytes.len() as u64);
        entry.repository_id = Some(twin.kit.repository_unique_id.as_str().to_owned());
    }
    let named = |id: &String| ids.get(id).unwrap_or(id).clone();
    for association in &mut submission.associations {
        association.id = new_uuid();
        association.source = named(&association.source);
        association.target = named(&association.target);
    }
    submission
}

fn new_uuid() -> String {
    Uuid::new_v4().urn().to_string()
}
