//! We are an LPS: deposit (TD2.1), search (TD3.1) and retrieve (TD3.2) on a real DMP.
//!
//! Order: settings, the client, what is asked and answered; then each transaction in its file, and the
//! one call they share in `call`. Feeding speaks in mode INDIRECTE, consulting in INDIRECTE_RENFORCEE in
//! the name of a professional: one mode cannot do both (PDT-INF-526, PDT-INF-606).
//!
//! Not here: when to retry (the caller's jobs; the kinds of [`Failure`] tell), what to show of an exchange.

mod call;
mod consult;
mod outcome;
mod provide;

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use socle_cda::xds::{DocumentEntry, SubmissionSet};
use socle_identity::{Environment, EnvironmentMix, QualifiedIdentity};
use socle_trust::https::{ClientLimits, HttpsClient};
use socle_trust::tls::{TlsError, Versions, client_config};
use socle_trust::{Anchors, Credentials};
use socle_xml::signature::{Algorithm, Signer, SignerError};

pub use consult::NoRepository;
pub use outcome::{Exchange, Failure, FailureKind, Message, Reason, Refusal, Trouble};

use self::call::Service;
use crate::model::query::Filter;
use crate::model::{Existence, Professional, Purpose, Software, Speaker, Structure, Vihf};
use crate::wire::Kit;

/// Everything that makes a client of one DMP, for one structure.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The base of the services: `https://…/si-dmp-server/v2/services`.
    pub base_url: String,
    /// Which world this DMP is in; keys and identities of another one are refused.
    pub environment: Environment,
    /// ORG_AUTH_CLI: authenticates the connection.
    pub tls: Credentials,
    /// ORG_SIGN: signs the VIHF and the lots (EX_GEN-1450).
    pub seal: Credentials,
    /// What the DMP's server certificate must chain to.
    pub anchors: Anchors,
    /// Who speaks.
    pub structure: Structure,
    /// The software, as homologated.
    pub software: Software,
    /// Values of the vendor kit.
    pub kit: Kit,
    /// How to sign; RSA-SHA256 unless the DMP says otherwise.
    pub algorithm: Algorithm,
    /// Timeouts and sizes.
    pub limits: ClientLimits,
}

/// A client of the DMP. Cheap to clone; clones share a pool of connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    https: HttpsClient,
    signer: Signer,
    /// Subject DN of the seal, by RFC 2253: the Issuer of every VIHF.
    issuer: String,
}

impl Inner {
    fn url(&self, service: Service) -> String {
        let path = match service {
            Service::Repository => "repository",
            Service::Registry => "registry",
            Service::Patients => "patients",
        };
        format!("{}/{path}", self.settings.base_url.trim_end_matches('/'))
    }
}

impl Client {
    /// Checks the settings and prepares the keys; sends nothing.
    ///
    /// # Errors
    /// [`SettingsError`]: a key of another environment, or one that cannot sign.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let environment = settings.environment;
        environment.admit(settings.anchors.environment(), "the anchors of the DMP")?;
        settings.tls.certificate().admit(environment)?;
        settings.seal.certificate().admit(environment)?;
        // The LPS access of the DMP lists TLS 1.2 alone (PDT-INF-579v4).
        let tls = client_config(&settings.anchors, Some(&settings.tls), Versions::Tls12)?;
        let chain = settings.seal.chain().iter().map(|der| der.to_vec()).collect();
        let inner = Inner {
            https: HttpsClient::new(&tls, settings.limits),
            signer: Signer::from_der(chain, settings.seal.key().secret_der())?,
            issuer: settings.seal.certificate().subject().to_string(),
            settings,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Is there an open DMP for this patient, and may the speaker consult it (TD0.2)?
    ///
    /// To be asked before the first deposit of a patient, or after a while (EX_0.1-1020).
    ///
    /// # Errors
    /// [`Failure`]; that there is no DMP is an answer, not a failure.
    pub async fn existence(&self, patient: &QualifiedIdentity, speaker: Speaker) -> Result<Tested, Failure> {
        consult::existence(self, patient, speaker).await
    }

    /// Deposits documents of one patient as one lot (TD2.1, ITI-41), signed, all or none.
    ///
    /// Idempotent by the documents' uniqueId. When the outcome is in doubt (no answer, or "already
    /// there"), the registry is asked what it holds, and the same hash is a success.
    ///
    /// A document that replaces another is deposited as an original when the DMP has no such document;
    /// [`Provided::documents`] says so.
    ///
    /// # Errors
    /// [`Failure`]: refused, temporary, or still unknown.
    pub async fn provide(&self, patient: &QualifiedIdentity, deposit: Deposit) -> Result<Provided, Failure> {
        provide::provide(self, patient, deposit).await
    }

    /// Finds documents of a patient (TD3.1a, ITI-18 FindDocuments), in the name of a professional.
    ///
    /// An empty list is a success. The answer is not filtered again by patientId: the INS may have changed
    /// (EX_3.1-1055).
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn find(&self, patient: &QualifiedIdentity, reader: &Reader, filter: Filter) -> Result<Found, Failure> {
        consult::find(self, patient, reader, filter).await
    }

    /// Retrieves documents (TD3.2, ITI-43), in the name of a professional. Each one's hash is checked.
    ///
    /// # Errors
    /// [`Failure`]; nothing is returned unless all documents came whole.
    pub async fn retrieve(
        &self,
        patient: &QualifiedIdentity,
        reader: &Reader,
        documents: &[DocumentRef],
    ) -> Result<Retrieved, Failure> {
        consult::retrieve(self, patient, reader, documents).await
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Who speaks when the structure feeds.
    fn feeding(&self, patient: &QualifiedIdentity, speaker: Speaker) -> Result<Vihf, Failure> {
        let Settings { structure, software, .. } = self.settings();
        self.admit(patient)?;
        Ok(Vihf::indirect(structure.clone(), speaker, software.clone()).about(patient))
    }

    /// Who speaks when a professional consults.
    fn reading(&self, patient: &QualifiedIdentity, reader: &Reader) -> Result<Vihf, Failure> {
        let Settings { structure, software, .. } = self.settings();
        self.admit(patient)?;
        let vihf = Vihf::reinforced(structure.clone(), reader.professional.clone(), software.clone());
        Ok(vihf.because(reader.purpose).about(patient))
    }

    fn admit(&self, patient: &QualifiedIdentity) -> Result<(), Failure> {
        let admitted = patient.admit_in(self.settings().environment);
        admitted.map_err(|mix| Failure::refused(Reason::Environment(mix)))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({}, {})", self.settings().base_url, self.settings().environment)
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Two environments in the settings.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
    /// TLS does not take the keys.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The seal cannot sign.
    #[error("the ORG_SIGN certificate: {0}")]
    Seal(#[from] SignerError),
}

/// Documents to deposit together.
#[derive(Debug, Clone)]
pub struct Deposit {
    /// The lot. Its uniqueId stays the same from one try to the next; `id` and `status` are set here.
    pub set: SubmissionSet,
    /// The documents, 1 to 50.
    pub documents: Vec<Document>,
    /// Who speaks for the structure: an automaton, or the professional who sends.
    pub speaker: Speaker,
    /// Has this deposit been tried before?
    pub attempt: Attempt,
}

/// One document to deposit.
#[derive(Clone)]
pub struct Document {
    /// Its metadata, derived from its header. Their patientId must be the identity's INS.
    pub entry: DocumentEntry,
    /// Its bytes, sent as they are.
    pub bytes: Bytes,
    /// uniqueId of the document that this one replaces (RPLC).
    pub replaces: Option<String>,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({}, {} bytes)", self.entry.unique_id, self.bytes.len())
    }
}

/// Whether a deposit may have been done already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attempt {
    /// It was never sent.
    #[default]
    First,
    /// It may have been: the registry is asked before anything is sent.
    Again,
}

/// A deposit that succeeded: every document is in the DMP, once.
#[derive(Debug, Clone)]
pub struct Provided {
    /// What became of each document, in the order of the deposit.
    pub documents: Vec<ProvidedDocument>,
    /// What was sent and received, oldest first.
    pub exchanges: Vec<Exchange>,
}

/// What became of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvidedDocument {
    /// Its uniqueId.
    pub unique_id: String,
    /// How it is there.
    pub how: Placed,
}

/// How a document came into the DMP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// As a new document.
    Original,
    /// In place of another.
    Replaced {
        /// entryUUID of the replaced one.
        entry_uuid: String,
    },
    /// As a new document, since the DMP does not have the one that it was to replace.
    OriginalInsteadOfReplacement,
    /// It was there already, with the same hash: by an earlier try.
    AlreadyThere,
}

/// In whose name a DMP is consulted (AIR).
#[derive(Debug, Clone)]
pub struct Reader {
    /// Who reads.
    pub professional: Professional,
    /// When they authenticated strongly (Pro Santé Connect's `auth_time`).
    pub authenticated_at: Timestamp,
    /// Why.
    pub purpose: Purpose,
}

/// What TD0.2 answered.
#[derive(Debug, Clone)]
pub struct Tested {
    /// The answer.
    pub existence: Existence,
    /// What was sent and received.
    pub exchanges: Vec<Exchange>,
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The entries, in the order of the answer; those of the signatures of lots are left out, as they
    /// are no documents for people.
    pub entries: Vec<DocumentEntry>,
    /// What was sent and received.
    pub exchanges: Vec<Exchange>,
}

/// A document to retrieve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRef {
    /// Its uniqueId (an OID, never an entryUUID).
    pub unique_id: String,
    /// Where it is.
    pub repository_id: String,
    /// Its SHA-1 as the registry tells, checked when known.
    pub hash: Option<String>,
}

/// Documents that came whole.
#[derive(Debug, Clone)]
pub struct Retrieved {
    /// In the order asked.
    pub documents: Vec<RetrievedDocument>,
    /// What was sent and received.
    pub exchanges: Vec<Exchange>,
}

/// One document that came.
#[derive(Clone)]
pub struct RetrievedDocument {
    /// Its uniqueId.
    pub unique_id: String,
    /// Its MIME type.
    pub mime_type: String,
    /// Its bytes, as stored.
    pub bytes: Bytes,
}

impl std::fmt::Debug for RetrievedDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RetrievedDocument({}, {}, {} bytes)", self.unique_id, self.mime_type, self.bytes.len())
    }
}
