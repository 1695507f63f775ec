//! Documents on the wire: provide (ITI-41) and retrieve (ITI-43), whose bytes travel beside the envelope.
//!
//! We write `xop:Include`; a document inline in base64 is read too. Bytes are slices of what was received,
//! never copied. Order: provide, retrieve, errors.

use bytes::Bytes;
use socle_cda::xds::scheme::LCM;
use socle_cda::xds::{Submission, write_submission};
use socle_xml::NodeExt;
use socle_xml::mtom::{Incoming, MtomError, NS_XOP, Part, include};
use socle_xml::roxmltree::Node;
use socle_xml::write::Writer;

use super::response::{self, RegistryResponse, ResponseError};
use super::{NS_RS, NS_XDSB};

/// Most documents of one request or answer.
const DOCUMENTS_MAX: usize = 200;

/// A document that travels: its id in the message and its part.
#[derive(Debug, Clone, Copy)]
pub struct Attached<'a> {
    /// `Document/@id`, which is its entry's.
    pub id: &'a str,
    /// The Content-ID of its part.
    pub content_id: &'a str,
}

/// The `xdsb:ProvideAndRegisterDocumentSetRequest` element.
#[must_use]
pub fn write_provide(submission: &Submission, documents: &[Attached<'_>]) -> String {
    let mut w = Writer::fragment();
    w.open("xdsb:ProvideAndRegisterDocumentSetRequest").ns("xdsb", NS_XDSB);
    w.raw(&write_submission(submission));
    for document in documents {
        w.open("xdsb:Document").attr("id", document.id).raw(&include(document.content_id)).close();
    }
    w.finish()
}

/// A provide request as read.
#[derive(Debug)]
pub struct Provide<'a> {
    /// `lcm:SubmitObjectsRequest`, to be read by `socle_cda::xds::read_submission`.
    pub metadata: Node<'a, 'a>,
    /// Id and bytes of each document.
    pub documents: Vec<(String, Bytes)>,
}

/// Reads a `xdsb:ProvideAndRegisterDocumentSetRequest`.
///
/// # Errors
/// [`DocumentsError`].
pub fn read_provide<'a>(node: Node<'a, 'a>, message: &Incoming) -> Result<Provide<'a>, DocumentsError> {
    if !node.is(Some(NS_XDSB), "ProvideAndRegisterDocumentSetRequest") {
        return Err(DocumentsError::Other("xdsb:ProvideAndRegisterDocumentSetRequest"));
    }
    let metadata =
        node.child(Some(LCM), "SubmitObjectsRequest").ok_or(DocumentsError::Other("lcm:SubmitObjectsRequest"))?;
    check_parts(node, message)?;
    let mut documents: Vec<(String, Bytes)> = Vec::new();
    for document in node.children_named(Some(NS_XDSB), "Document") {
        let id = document.attribute("id").filter(|id| !id.is_empty()).ok_or(DocumentsError::NoId)?;
        if documents.iter().any(|(known, _)| known == id) {
            return Err(DocumentsError::SameId);
        }
        if documents.len() == DOCUMENTS_MAX {
            return Err(DocumentsError::TooMany);
        }
        documents.push((id.to_owned(), message.content(document)?));
    }
    Ok(Provide { metadata, documents })
}

/// Each part serves one document, and each is claimed: another one would be stored by nobody.
fn check_parts(node: Node<'_, '_>, message: &Incoming) -> Result<(), DocumentsError> {
    message.check_includes(node.document())?;
    let includes = node.descendants().filter(|child| child.is(Some(NS_XOP), "Include")).count();
    if includes < message.parts.len() { Err(DocumentsError::UnclaimedPart) } else { Ok(()) }
}

/// A document asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `RepositoryUniqueId`.
    pub repository_id: String,
    /// `DocumentUniqueId`.
    pub unique_id: String,
}

/// The `xdsb:RetrieveDocumentSetRequest` element.
#[must_use]
pub fn write_retrieve(requests: &[Request]) -> String {
    let mut w = Writer::fragment();
    w.open("xdsb:RetrieveDocumentSetRequest").ns("xdsb", NS_XDSB);
    for request in requests {
        w.open("xdsb:DocumentRequest");
        w.leaf("xdsb:RepositoryUniqueId", &request.repository_id).leaf("xdsb:DocumentUniqueId", &request.unique_id);
        w.close();
    }
    w.finish()
}

/// Reads a `xdsb:RetrieveDocumentSetRequest`.
///
/// # Errors
/// [`DocumentsError`].
pub fn read_retrieve(node: Node<'_, '_>) -> Result<Vec<Request>, DocumentsError> {
    if !node.is(Some(NS_XDSB), "RetrieveDocumentSetRequest") {
        return Err(DocumentsError::Other("xdsb:RetrieveDocumentSetRequest"));
    }
    let requests: Vec<_> = node.children_named(Some(NS_XDSB), "DocumentRequest").take(DOCUMENTS_MAX + 1).collect();
    match requests.len() {
        0 => return Err(DocumentsError::Other("xdsb:DocumentRequest")),
        count if count > DOCUMENTS_MAX => return Err(DocumentsError::TooMany),
        _ => {}
    }
    let request = |node: Node<'_, '_>| {
        Ok(Request {
            repository_id: required(node, "RepositoryUniqueId")?,
            unique_id: required(node, "DocumentUniqueId")?,
        })
    };
    requests.into_iter().map(request).collect()
}

fn required(node: Node<'_, '_>, name: &'static str) -> Result<String, DocumentsError> {
    let text = node.child(Some(NS_XDSB), name).map(NodeExt::trimmed_text).unwrap_or_default();
    if text.is_empty() || text.len() > 256 {
        return Err(DocumentsError::Other(name));
    }
    Ok(text)
}

/// A document that comes.
#[derive(Clone, PartialEq, Eq)]
pub struct Retrieved {
    /// Which one.
    pub request: Request,
    /// Its MIME type.
    pub mime_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl std::fmt::Debug for Retrieved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Retrieved({}, {} bytes)", self.request.unique_id, self.bytes.len())
    }
}

/// The `xdsb:RetrieveDocumentSetResponse` element and its parts.
#[must_use]
pub fn write_retrieved(response: &RegistryResponse, documents: &[Retrieved]) -> (String, Vec<Part>) {
    let mut w = Writer::fragment();
    let mut parts = Vec::with_capacity(documents.len());
    w.open("xdsb:RetrieveDocumentSetResponse").ns("xdsb", NS_XDSB).raw(&response::write(response));
    for (at, document) in documents.iter().enumerate() {
        let content_id = format!("doc{}@dmp", at + 1);
        w.open("xdsb:DocumentResponse");
        w.leaf("xdsb:RepositoryUniqueId", &document.request.repository_id);
        w.leaf("xdsb:DocumentUniqueId", &document.request.unique_id).leaf("xdsb:mimeType", &document.mime_type);
        w.open("xdsb:Document").raw(&include(&content_id)).close().close();
        let content_type = document.mime_type.clone();
        parts.push(Part { content_id, content_type, bytes: document.bytes.clone() });
    }
    (w.finish(), parts)
}

/// Reads a `xdsb:RetrieveDocumentSetResponse`.
///
/// # Errors
/// [`DocumentsError`].
pub fn read_retrieved(
    node: Node<'_, '_>,
    message: &Incoming,
) -> Result<(RegistryResponse, Vec<Retrieved>), DocumentsError> {
    if !node.is(Some(NS_XDSB), "RetrieveDocumentSetResponse") {
        return Err(DocumentsError::Other("xdsb:RetrieveDocumentSetResponse"));
    }
    let registry = node.child(Some(NS_RS), "RegistryResponse").ok_or(DocumentsError::Other("rs:RegistryResponse"))?;
    check_parts(node, message)?;
    let mut documents = Vec::new();
    for answer in node.children_named(Some(NS_XDSB), "DocumentResponse") {
        if documents.len() == DOCUMENTS_MAX {
            return Err(DocumentsError::TooMany);
        }
        let repository_id = required(answer, "RepositoryUniqueId")?;
        let unique_id = required(answer, "DocumentUniqueId")?;
        let content = answer.child(Some(NS_XDSB), "Document").ok_or(DocumentsError::Other("xdsb:Document"))?;
        documents.push(Retrieved {
            request: Request { repository_id, unique_id },
            mime_type: required(answer, "mimeType")?,
            bytes: message.content(content)?,
        });
    }
    Ok((response::read(registry)?, documents))
}

/// Why documents are not where they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentsError {
    /// An element is missing, or is another one.
    #[error("the message holds no usable {0} (IHE ITI TF-2 3.41, 3.43)")]
    Other(&'static str),
    /// A `Document` without id.
    #[error("a Document has no id: it is the id of its ExtrinsicObject (IHE ITI TF-2 3.41.4.1.2)")]
    NoId,
    /// Two with the same id.
    #[error("two Documents have the same id")]
    SameId,
    /// More than a message may have.
    #[error("a message has at most {DOCUMENTS_MAX} documents")]
    TooMany,
    /// A part that nothing includes.
    #[error("a part of the multipart belongs to no document")]
    UnclaimedPart,
    /// The parts and their references do not fit.
    #[error(transparent)]
    Mtom(#[from] MtomError),
    /// The registry response is none.
    #[error(transparent)]
    Response(#[from] ResponseError),
}
