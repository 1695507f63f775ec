//! TD0.2, TD3.1 and TD3.2: existence, search and retrieve, and the search of references that feeding needs (TD3.1b).

use socle_cda::xds::{DocumentEntry, sha1_hex};
use socle_identity::{Environment, QualifiedIdentity};
use socle_xml::mtom::Incoming;
use socle_xml::roxmltree::Node;

use super::call::{Call, Content, Service, by_response, call};
use super::{Client, DocumentRef, Exchange, Failure, FailureKind, Found, Reader, Reason, Refusal};
use super::{Retrieved, RetrievedDocument, Tested};
use crate::model::query::{Filter, FindDocuments, StoredQuery};
use crate::model::{Speaker, Vihf};
use crate::wire::documents::{Request, read_retrieved, write_retrieve};
use crate::wire::existence::{self, Question};
use crate::wire::query::{ReturnType, write};
use crate::wire::response::{QueryResponse, ResponseStatus, read_query};
use crate::wire::{EXISTENCE, QUERY, RETRIEVE};

pub(super) async fn existence(
    client: &Client,
    patient: &QualifiedIdentity,
    speaker: Speaker,
) -> Result<Tested, Failure> {
    let settings = client.settings();
    let real = settings.environment == Environment::Production;
    let question = Question::about(patient.ins());
    let request = Call {
        action: EXISTENCE,
        service: Service::Patients,
        vihf: client.feeding(patient, speaker)?,
        authenticated_at: None,
        content: Content::Plain(existence::write(&question, &settings.software.name, real, &settings.kit)),
    };
    let answer = call(client, request).await?;
    let (existence, exchange) = answer.read(EXISTENCE, |node, _| existence::read_answer(node))?;
    Ok(Tested { existence, exchanges: vec![exchange] })
}

pub(super) async fn find(
    client: &Client,
    patient: &QualifiedIdentity,
    reader: &Reader,
    filter: Filter,
) -> Result<Found, Failure> {
    let query = StoredQuery::FindDocuments(FindDocuments { patient: patient.ins().clone(), filter });
    let vihf = client.reading(patient, reader)?;
    let (answer, exchange) = ask(client, vihf, Some(reader), &query).await?;
    let mut entries = answer.objects.entries;
    entries.retain(|entry| !entry.is_signature());
    Ok(Found { entries, exchanges: vec![exchange] })
}

/// One stored query. A failure of the registry is a failure here.
pub(super) async fn ask(
    client: &Client,
    vihf: Vihf,
    reader: Option<&Reader>,
    query: &StoredQuery,
) -> Result<(QueryResponse, Exchange), Failure> {
    let answer = call(
        client,
        Call {
            action: QUERY,
            service: Service::Registry,
            vihf,
            authenticated_at: reader.map(|reader| reader.authenticated_at),
            content: Content::Plain(write(query, ReturnType::LeafClass)),
        },
    )
    .await?;
    let (response, exchange) = answer.read(QUERY, |node, _| read_query(node))?;
    if response.response.status == ResponseStatus::Failure {
        return Err(Failure { kind: by_response(&response.response), exchanges: vec![exchange] });
    }
    Ok((response, exchange))
}

pub(super) async fn retrieve(
    client: &Client,
    patient: &QualifiedIdentity,
    reader: &Reader,
    documents: &[DocumentRef],
) -> Result<Retrieved, Failure> {
    let requests: Vec<_> = documents.iter().map(DocumentRef::request).collect();
    let answer = call(
        client,
        Call {
            action: RETRIEVE,
            service: Service::Repository,
            vihf: client.reading(patient, reader)?,
            authenticated_at: Some(reader.authenticated_at),
            // A Document Consumer writes MTOM even without a part (IHE ITI TF-2 appendix V.8).
            content: Content::Mtom(write_retrieve(&requests), Vec::new()),
        },
    )
    .await?;
    let read = |node: Node<'_, '_>, message: &Incoming| read_retrieved(node, message);
    let ((response, received), exchange) = answer.read(RETRIEVE, read)?;
    if response.status != ResponseStatus::Success {
        return Err(Failure { kind: by_response(&response), exchanges: vec![exchange] });
    }
    let mut in_order = Vec::with_capacity(documents.len());
    for document in documents {
        let found = received.iter().find(|got| got.request.unique_id == document.unique_id);
        let checked = found.ok_or("it did not come").and_then(|got| {
            document.check(&got.bytes)?;
            Ok(RetrievedDocument {
                unique_id: got.request.unique_id.clone(),
                mime_type: got.mime_type.clone(),
                bytes: got.bytes.clone(),
            })
        });
        match checked {
            Ok(document) => in_order.push(document),
            Err(what) => return Err(not_whole(what, exchange)),
        }
    }
    Ok(Retrieved { documents: in_order, exchanges: vec![exchange] })
}

fn not_whole(what: &'static str, exchange: Exchange) -> Failure {
    let refusal = Refusal { reason: Reason::Integrity(what), said: None };
    Failure { kind: FailureKind::Refused(refusal), exchanges: vec![exchange] }
}

impl DocumentRef {
    fn request(&self) -> Request {
        Request { repository_id: self.repository_id.clone(), unique_id: self.unique_id.clone() }
    }

    fn check(&self, bytes: &[u8]) -> Result<(), &'static str> {
        match &self.hash {
            Some(hash) if !hash.eq_ignore_ascii_case(&sha1_hex(bytes)) => Err("its hash is not the registered one"),
            _ => Ok(()),
        }
    }
}

/// An entry that a registry gave says where its document is.
impl TryFrom<&DocumentEntry> for DocumentRef {
    type Error = NoRepository;

    fn try_from(entry: &DocumentEntry) -> Result<Self, NoRepository> {
        let repository_id = entry.repository_id.clone().ok_or(NoRepository)?;
        Ok(Self { unique_id: entry.unique_id.clone(), repository_id, hash: entry.hash.clone() })
    }
}

/// The entry did not come from a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the entry has no repositoryUniqueId: it did not come from a registry")]
pub struct NoRepository;
