//! TD2.1: a deposit, idempotent. Order: the steps, what is checked before, what is stored, the lot.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use socle_cda::xds::{Cx, DocumentEntry, Status, Submission, SubmissionSet, sha1_hex};
use socle_identity::{Oid, QualifiedIdentity};
use socle_xml::mtom::Part;
use socle_xml::signature::xades;
use uuid::Uuid;

use super::call::{Call, Content, Service, blocking, by_response, call};
use super::consult::ask;
use super::{
    Attempt, Client, Deposit, Document, Exchange, Failure, FailureKind, Inner, Placed, Provided, ProvidedDocument,
    Reason, Refusal, Trouble,
};
use crate::model::query::{Named, StoredQuery};
use crate::model::{ErrorCode, Vihf};
use crate::wire::PROVIDE;
use crate::wire::documents::{Attached, write_provide};
use crate::wire::response::{ResponseStatus, read};

/// Most documents of one deposit.
const DOCUMENTS_MAX: usize = 50;

pub(super) async fn provide(
    client: &Client,
    patient: &QualifiedIdentity,
    deposit: Deposit,
) -> Result<Provided, Failure> {
    let vihf = client.feeding(patient, deposit.speaker.clone())?;
    check(patient, &deposit)?;
    let mut provide = Providing { client, vihf, exchanges: Vec::new() };
    let done = provide.run(deposit).await;
    let exchanges = provide.exchanges;
    match done {
        Ok(documents) => Ok(Provided { documents, exchanges }),
        Err(kind) => Err(Failure { kind, exchanges }),
    }
}

/// What can be known to be wrong before anything leaves.
fn check(patient: &QualifiedIdentity, deposit: &Deposit) -> Result<(), Failure> {
    let count = deposit.documents.len();
    if !(1..=DOCUMENTS_MAX).contains(&count) {
        return Err(Failure::refused(Reason::Count { count, most: DOCUMENTS_MAX }));
    }
    let ins = Cx::from(patient.ins());
    let other_patient = |at: &str| Failure::refused(Reason::OtherPatient { at: at.to_owned() });
    if !deposit.set.patient_id.same(&ins) {
        return Err(other_patient("SubmissionSet"));
    }
    let mut unique_ids = HashSet::new();
    for Document { entry, .. } in &deposit.documents {
        if !entry.patient_id.same(&ins) {
            return Err(other_patient(&entry.id));
        }
        if !unique_ids.insert(&entry.unique_id) {
            return Err(Failure::refused(Reason::SameUniqueId { at: entry.id.clone() }));
        }
    }
    Ok(())
}

struct Providing<'a> {
    client: &'a Client,
    vihf: Vihf,
    exchanges: Vec<Exchange>,
}

impl Providing<'_> {
    async fn run(&mut self, deposit: Deposit) -> Result<Vec<ProvidedDocument>, FailureKind> {
        let Deposit { set, documents, attempt, .. } = deposit;
        let there = match attempt {
            Attempt::First => Vec::new(),
            Attempt::Again => self.stored(&documents).await?,
        };
        let (known, missing): (Vec<_>, Vec<_>) =
            documents.iter().cloned().partition(|document| there.contains(&document.entry.unique_id));
        let mut placed: Vec<_> = known.iter().map(|document| document.placed(Placed::AlreadyThere)).collect();
        if !missing.is_empty() {
            placed.extend(self.deposit(set, missing).await?);
        }
        let rank = |done: &ProvidedDocument| documents.iter().position(|d| d.entry.unique_id == done.unique_id);
        placed.sort_by_key(rank);
        Ok(placed)
    }

    async fn deposit(
        &mut self,
        set: SubmissionSet,
        documents: Vec<Document>,
    ) -> Result<Vec<ProvidedDocument>, FailureKind> {
        let mut places = Vec::with_capacity(documents.len());
        for document in &documents {
            places.push(self.place(document).await?);
        }
        let sent = self.send(set, documents.clone(), places.clone()).await;
        let kind = match sent {
            Ok(()) => return Ok(place_all(&documents, places)),
            Err(kind) => kind,
        };
        let is_duplicate = is_duplicate(&kind);
        if !is_duplicate && !matches!(kind, FailureKind::Unknown(_)) {
            return Err(kind);
        }
        self.confirm(kind, &documents).await?;
        // Lost answer: it is what was just sent that is there. Duplicate: it is what an earlier try sent.
        let places = if is_duplicate { vec![Placed::AlreadyThere; documents.len()] } else { places };
        Ok(place_all(&documents, places))
    }

    /// Original or replacement: the entryUUID of the replaced document is asked for (TD3.1b), and a DMP
    /// that does not have it gets an original.
    async fn place(&mut self, document: &Document) -> Result<Placed, FailureKind> {
        let Some(replaced) = &document.replaces else { return Ok(Placed::Original) };
        let found = self.named(vec![replaced.clone()]).await?;
        let active = found.iter().find(|entry| entry.status.is_none_or(|status| status == Status::Approved));
        let entry = active.or_else(|| found.first());
        Ok(entry
            .map_or(Placed::OriginalInsteadOfReplacement, |entry| Placed::Replaced { entry_uuid: entry.id.clone() }))
    }

    /// After doubt, or "already there": does the registry hold all of it, with the same hashes?
    async fn confirm(&mut self, kind: FailureKind, documents: &[Document]) -> Result<(), FailureKind> {
        let there = match self.stored(documents).await {
            Ok(there) => there,
            Err(refused @ FailureKind::Refused(_)) => return Err(refused),
            Err(_) => return Err(in_doubt(kind)),
        };
        if documents.iter().all(|document| there.contains(&document.entry.unique_id)) {
            return Ok(());
        }
        Err(if is_duplicate(&kind) { kind } else { FailureKind::Temporary(Trouble::NotStored) })
    }

    /// Which of these documents the registry has, with the same hash.
    ///
    /// # Errors
    /// Refused when one is there with another hash, or when the registry does not show it.
    async fn stored(&mut self, documents: &[Document]) -> Result<Vec<String>, FailureKind> {
        let unique_ids = documents.iter().map(|document| document.entry.unique_id.clone()).collect();
        let found = self.named(unique_ids).await?;
        let mut there = Vec::new();
        for Document { entry, bytes, .. } in documents {
            let same: Vec<_> = found.iter().filter(|found| found.unique_id == entry.unique_id).collect();
            if same.is_empty() {
                continue;
            }
            let hash = sha1_hex(bytes);
            let reason =
                if same.iter().any(|found| found.hash.as_deref().is_some_and(|h| h.eq_ignore_ascii_case(&hash))) {
                    there.push(entry.unique_id.clone());
                    continue;
                } else if same.iter().all(|found| found.hash.is_none()) {
                    Reason::CannotCompare
                } else {
                    Reason::Code(ErrorCode::NonIdenticalHash)
                };
            return Err(FailureKind::Refused(Refusal { reason, said: None }));
        }
        Ok(there)
    }

    async fn named(&mut self, unique_ids: Vec<String>) -> Result<Vec<DocumentEntry>, FailureKind> {
        let query = StoredQuery::GetDocuments(Named::UniqueIds(unique_ids));
        let asked = ask(self.client, self.vihf.clone(), None, &query).await;
        let (answer, exchange) = asked.map_err(|failure| self.keep(failure))?;
        self.exchanges.push(exchange);
        Ok(answer.objects.entries)
    }

    async fn send(
        &mut self,
        set: SubmissionSet,
        documents: Vec<Document>,
        places: Vec<Placed>,
    ) -> Result<(), FailureKind> {
        let inner = Arc::clone(&self.client.inner);
        let lot = blocking(move || Lot::sign(&inner, set, documents, &places)).await;
        let lot = lot.map_err(|failure| self.keep(failure))?;
        let request = Call {
            action: PROVIDE,
            service: Service::Repository,
            vihf: self.vihf.clone(),
            authenticated_at: None,
            content: Content::Mtom(lot.body, lot.parts),
        };
        let answer = call(self.client, request).await.map_err(|failure| self.keep(failure))?;
        let (response, exchange) = answer.read(PROVIDE, |node, _| read(node)).map_err(|failure| self.keep(failure))?;
        self.exchanges.push(exchange);
        if response.status == ResponseStatus::Success { Ok(()) } else { Err(by_response(&response)) }
    }

    fn keep(&mut self, failure: Failure) -> FailureKind {
        self.exchanges.extend(failure.exchanges);
        failure.kind
    }
}

fn place_all(documents: &[Document], places: Vec<Placed>) -> Vec<ProvidedDocument> {
    documents.iter().zip(places).map(|(document, place)| document.placed(place)).collect()
}

fn is_duplicate(kind: &FailureKind) -> bool {
    let FailureKind::Refused(refusal) = kind else { return false };
    refusal.reason == Reason::Code(ErrorCode::DuplicateUniqueIdInRegistry)
}

/// The registry could not be asked: nothing is known for sure.
fn in_doubt(kind: FailureKind) -> FailureKind {
    match kind {
        FailureKind::Refused(_) => FailureKind::Unknown(Trouble::Code(ErrorCode::DuplicateUniqueIdInRegistry)),
        other => other,
    }
}

impl Document {
    fn placed(&self, how: Placed) -> ProvidedDocument {
        ProvidedDocument { unique_id: self.entry.unique_id.clone(), how }
    }

    fn lot_document(&self) -> xades::LotDocument<'_> {
        let is_xml = matches!(self.entry.mime_type.as_str(), "text/xml" | "application/xml" | "application/xslt+xml");
        let content = if is_xml { xades::Content::Xml(&self.bytes) } else { xades::Content::Binary(&self.bytes) };
        xades::LotDocument { unique_id: &self.entry.unique_id, content }
    }
}

/// A lot with its signature, ready to travel.
struct Lot {
    body: String,
    parts: Vec<Part>,
}

impl Lot {
    fn sign(
        inner: &Inner,
        mut set: SubmissionSet,
        mut documents: Vec<Document>,
        places: &[Placed],
    ) -> Result<Self, Failure> {
        let now = Timestamp::now();
        set.id = "SubmissionSet01".to_owned();
        for (at, document) in documents.iter_mut().enumerate() {
            document.entry.id = format!("Doc{:02}", at + 1);
        }
        let signed: Vec<_> = documents.iter().map(Document::lot_document).collect();
        let lot = xades::LotToSign {
            submission_set: &set.unique_id,
            signature_id: "LotSignature",
            documents: &signed,
            signing_time: now,
            algorithm: inner.settings.algorithm,
        };
        let signature = xades::write_lot(&lot, &inner.signer)
            .map_err(|error| Failure::refused(Reason::Signature(error.to_string())))?;
        let signature = Bytes::from(signature);
        let Some(first) = documents.first() else {
            return Err(Failure::refused(Reason::Count { count: 0, most: DOCUMENTS_MAX }));
        };
        let signer = set.authors.first().or_else(|| first.entry.authors.first()).cloned().unwrap_or_default();
        let signature_entry = DocumentEntry::signature(
            "Sig01",
            &Oid::of_uuid(Uuid::new_v4().as_u128()),
            &first.entry,
            signer,
            &signature,
            now,
        );
        let mut submission = Submission::new(set, documents.iter().map(|document| document.entry.clone()).collect());
        for (document, place) in documents.iter().zip(places) {
            if let Placed::Replaced { entry_uuid } = place {
                submission.replace(&document.entry.id, entry_uuid);
            }
        }
        let contents = documents.iter().map(|document| (&document.entry, document.bytes.clone()));
        let contents = contents.chain(std::iter::once((&signature_entry, signature)));
        let parts: Vec<_> = contents
            .map(|(entry, bytes)| Part {
                content_id: format!("{}@socle", entry.id),
                content_type: entry.mime_type.clone(),
                bytes,
            })
            .collect();
        let ids: Vec<_> =
            documents.iter().map(|document| document.entry.id.clone()).chain([signature_entry.id.clone()]).collect();
        submission.sign(signature_entry);
        let attached: Vec<_> =
            ids.iter().zip(&parts).map(|(id, part)| Attached { id, content_id: &part.content_id }).collect();
        Ok(Self { body: write_provide(&submission, &attached), parts })
    }
}
