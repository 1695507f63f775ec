//! The road back: the documents that were taken, found and read again.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use socle_fhir::datatypes::Identifier;
use socle_fhir::pdsm::{DocumentMetadata, ProvideBundle, SubmittedPatient};
use socle_fhir::{Issue, IssueType};
use socle_finding::{Rule, Text};
use socle_store::{Page, Posting, Term};
use socle_trust::Actor;
use socle_trust::access::{self, Action};
use socle_trust::audit::{Code, RecordAction};
use uuid::Uuid;

use crate::desk::Gateway;
use crate::refusal::{Stop, store_stop};
use crate::submit::Identified;
use crate::{PersonKey, TENANT, kind, trace};

/// Where a document's bytes are, and whose they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BinaryAt {
    pub(crate) digest: String,
    pub(crate) content_type: String,
    pub(crate) person: PersonKey,
    pub(crate) list: String,
    pub(crate) flow: Uuid,
}

/// What is searched (ITI-67). All that is said must hold.
#[derive(Debug, Clone, Default)]
pub struct DocumentQuery {
    /// `patient.identifier`.
    pub patient: Option<Identifier>,
    /// `status`.
    pub status: Vec<String>,
    /// `identifier`: masterIdentifier.
    pub identifier: Option<Identifier>,
    /// `type`: a code, with or without its system.
    pub type_code: Option<String>,
    /// `category`.
    pub category: Option<String>,
    /// At most so many.
    pub count: usize,
}

/// A fiche that was found.
#[derive(Debug, Clone)]
pub struct FoundDocument {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// Since when.
    pub at: Timestamp,
    /// The resource, as JSON.
    pub body: Bytes,
}

pub(crate) fn postings_of(identified: &Identified, lot: &ProvideBundle, fiche: &DocumentMetadata) -> Vec<Posting> {
    let mut postings = Vec::new();
    let mut add = |name: &str, value: String| postings.push(Posting { name: name.to_owned(), value });
    add("person", identified.key.as_str().to_owned());
    add("status", "current".to_owned());
    add("identifier", token(&fiche.unique_id));
    add("type", fiche.type_code.code.clone());
    add("category", fiche.class_code.code.clone());
    for identifier in patient_identifiers(identified, lot) {
        add("patient.identifier", token(&identifier));
    }
    postings
}

fn patient_identifiers(identified: &Identified, lot: &ProvideBundle) -> Vec<Identifier> {
    let mut all = Vec::new();
    if let Some(ins) = &identified.carried {
        let system = format!("urn:oid:{}", ins.authority.oid());
        all.push(Identifier { system, value: ins.matricule.as_str().to_owned() });
    }
    if let SubmittedPatient::Described(declared) = &lot.patient {
        all.extend(
            declared.local.iter().map(|local| Identifier { system: local.system.clone(), value: local.value.clone() }),
        );
    }
    all
}

fn token(identifier: &Identifier) -> String {
    format!("{}|{}", identifier.system, identifier.value)
}

impl Gateway {
    /// Finds fiches, newest first.
    ///
    /// # Errors
    /// [`Stop`] when the actor may not, or the store does not answer.
    pub async fn find_documents(&self, actor: &Actor, query: &DocumentQuery) -> Result<Vec<FoundDocument>, Stop> {
        self.permit(actor, Action::SearchDocuments)?;
        let terms = terms_of(query);
        if terms.is_empty() {
            return Err(too_wide());
        }
        let page = Page::first(query.count.clamp(1, 200));
        let found = self.store.search(TENANT, kind::DOCUMENT, terms, page).await;
        let found = found.map_err(|error| store_stop("search", &error))?;
        self.trace_access(
            actor,
            Code::ihe("ITI-67"),
            RecordAction::E,
            found.iter().map(|version| version.id.as_str()),
            None,
        )
        .await?;
        let each = found.into_iter().map(|version| FoundDocument {
            id: version.id,
            version: version.version,
            at: version.at,
            body: version.body,
        });
        Ok(each.collect())
    }

    /// Reads one fiche.
    ///
    /// # Errors
    /// [`Stop`]: 404 when there is none.
    pub async fn read_fiche(&self, actor: &Actor, id: &str) -> Result<FoundDocument, Stop> {
        self.permit(actor, Action::SearchDocuments)?;
        let read = self.store.read(TENANT, kind::DOCUMENT, id).await.map_err(|error| store_stop("read", &error))?;
        let version = read.filter(|version| !version.deleted).ok_or_else(not_found)?;
        self.trace_access(actor, Code::rest(), RecordAction::R, [id].into_iter(), None).await?;
        Ok(FoundDocument { id: version.id, version: version.version, at: version.at, body: version.body })
    }

    /// Reads a document's bytes (ITI-68), and their MIME type.
    ///
    /// # Errors
    /// [`Stop`]: 404 when there is none.
    pub async fn read_document(&self, actor: &Actor, id: &str) -> Result<(String, Bytes), Stop> {
        self.permit(actor, Action::ReadDocument)?;
        let read = self.store.read(TENANT, kind::BINARY, id).await.map_err(|error| store_stop("read", &error))?;
        let version = read.filter(|version| !version.deleted).ok_or_else(not_found)?;
        let at: BinaryAt = serde_json::from_slice(&version.body).map_err(|_| not_found())?;
        let digest = at.digest.parse().map_err(|_| not_found())?;
        let bytes =
            self.store.blob(&digest).await.map_err(|error| store_stop("read", &error))?.ok_or_else(not_found)?;
        self.trace_access(actor, Code::ihe("ITI-68"), RecordAction::R, [id].into_iter(), Some(&at.person)).await?;
        Ok((at.content_type, bytes))
    }

    pub(crate) fn permit(&self, actor: &Actor, action: Action) -> Result<(), Stop> {
        let environment = self.settings.environment;
        let owner = Some(&self.settings.structure);
        let decision = access::decide(&access::Request { actor, action, environment, owner });
        if decision.permit {
            return Ok(());
        }
        let why = decision.explanation;
        let mend = Text::fixed(
            "demandez le droit à l'administrateur de la structure",
            "ask the structure's administrator for the right",
        );
        let issue =
            Issue::error(IssueType::Forbidden, Rule::fixed("Socle, décision d'accès", decision.rule), why, mend);
        Err(Stop::new("decide", 403, issue))
    }

    /// No access without its trace: what cannot be traced is not shown.
    async fn trace_access<'a>(
        &self,
        actor: &Actor,
        code: Code,
        action: RecordAction,
        ids: impl Iterator<Item = &'a str>,
        person: Option<&PersonKey>,
    ) -> Result<(), Stop> {
        let mut record = trace::record(&self.settings, actor, code, action, None);
        record.objects = ids.map(trace::document).collect();
        if let Some(person) = person {
            record = trace::about(record, person);
        }
        let mut batch = socle_store::Batch::new(TENANT);
        batch.audit.push(record);
        self.store.commit(batch).await.map(|_| ()).map_err(|error| store_stop("trace", &error))
    }
}

fn terms_of(query: &DocumentQuery) -> Vec<Term> {
    let mut terms = Vec::new();
    terms.extend(query.patient.as_ref().map(|patient| Term::is("patient.identifier", token(patient))));
    terms.extend(query.identifier.as_ref().map(|identifier| Term::is("identifier", token(identifier))));
    terms.extend(query.type_code.as_ref().map(|code| Term::is("type", code)));
    terms.extend(query.category.as_ref().map(|code| Term::is("category", code)));
    if !terms.is_empty() && !query.status.is_empty() {
        terms.push(Term::any_of("status", query.status.iter().cloned()));
    }
    terms
}

fn not_found() -> Stop {
    let issue = Issue::error(
        IssueType::NotFound,
        Rule::fixed("FHIR R4", "http.html#read"),
        Text::fixed("aucune ressource sous cet identifiant", "no resource under this id"),
        Text::fixed(
            "cherchez le document par son patient ou son identifiant",
            "search the document by patient or identifier",
        ),
    );
    Stop::new("read", 404, issue)
}

fn too_wide() -> Stop {
    let issue = Issue::error(
        IssueType::Required,
        Rule::fixed("CI-SIS PDSm 3.1.1", "flux 05b"),
        Text::fixed(
            "une recherche dit de quel patient ou de quel document il s'agit",
            "a search says which patient or which document is meant",
        ),
        Text::fixed(
            "ajoutez patient.identifier=<système>|<valeur>, ou identifier=<système>|<valeur>",
            "add patient.identifier=<system>|<value>, or identifier=<system>|<value>",
        ),
    );
    Stop::new("search", 400, issue)
}
