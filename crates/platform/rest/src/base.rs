//! A FHIR base: one tenant of the store behind its REST interface.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, HeaderMap};
use http::{Method, Response, StatusCode};
use socle_fhir::profile::{Options, Validator};
use socle_fhir::{Issue, IssueType};
use socle_finding::{Lang, Rule};
use socle_identity::{Environment, IdNatStruct};
use socle_store::{Batch, Store};
use socle_trust::Actor;
use socle_trust::access::{self, Action};
use socle_trust::audit::Record;
use tokio::sync::Mutex;

use crate::answer::{Reply, Wish, rendered};
use crate::problem::{Answered, Problem};
use crate::route::{Interaction, route};
use crate::search::{self, Sealer};
use crate::{capability, trace};

/// What a base is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The tenant of the store that holds its resources.
    pub tenant: String,
    /// Its URL as callers see it, without a slash at the end.
    pub url: String,
    /// The structure whose data it is.
    pub structure: IdNatStruct,
    /// Its world.
    pub environment: Environment,
    /// The system that the audit log names.
    pub system: String,
    /// What is done with a resource that breaks the rules of FHIR.
    pub validation: Validation,
    /// The language when a caller asks for none.
    pub lang: Lang,
    /// Seals the links from one page to the next; the same over restarts and processes.
    pub page_key: [u8; 32],
    /// What the CapabilityStatement says that this is.
    pub description: String,
}

/// What is done with a resource that breaks the rules of FHIR R4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validation {
    /// It is refused (422).
    Strict,
    /// It is kept as it is, as long as it can be read.
    Off,
}

/// A request whose caller was recognised.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks.
    pub actor: Actor,
    /// GET, POST, PUT or DELETE.
    pub method: Method,
    /// Below the base: `Patient/1`.
    pub path: String,
    /// After the question mark.
    pub query: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, already bounded by whoever received it.
    pub body: Bytes,
}

/// Settings that no base can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key of the page links cannot be used")]
pub struct Unusable;

/// A FHIR base over one tenant. Shared by all requests.
pub struct Base {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) validator: Option<Validator>,
    pub(crate) sealer: Sealer,
    /// Held from the search of a conditional write to its commit, so that two equal ones do not both find nothing.
    /// One process has a folder; engines shared by processes need their own guard.
    pub(crate) conditions: Mutex<()>,
    capabilities: OnceLock<Vec<u8>>,
}

impl Base {
    /// A base over a store.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn new(settings: Settings, store: Arc<dyn Store>) -> Result<Self, Unusable> {
        let sealer = Sealer::new(&settings.page_key, &settings.tenant).ok_or(Unusable)?;
        let validator = (settings.validation == Validation::Strict).then(|| Validator::core(Options::default()));
        Ok(Self { settings, store, validator, sealer, conditions: Mutex::new(()), capabilities: OnceLock::new() })
    }

    /// Answers a call.
    pub async fn answer(&self, call: Call) -> Response<Bytes> {
        let asked = call.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let lang = asked.map_or(self.settings.lang, Lang::of);
        let pairs = search::pairs(call.query.as_bytes());
        let wish = match Wish::of(&call.headers, &pairs, lang) {
            Ok(wish) => wish,
            Err(problem) => return rendered(Err(problem), &Wish::plain(lang)),
        };
        let answered = self.act(&call, &wish).await;
        rendered(answered, &wish)
    }

    /// Decides, does, and traces what was refused; what was done is traced by whoever does it.
    pub(crate) async fn act(&self, call: &Call, wish: &Wish) -> Answered<Reply> {
        let interaction = route(&call.method, &call.path)?;
        if interaction == Interaction::Capabilities {
            return Ok(Reply::of(StatusCode::OK, self.capabilities()));
        }
        let record = trace::record(&self.settings, &call.actor, interaction.code());
        let done = match self.permit(&call.actor, &interaction) {
            Ok(()) => self.perform(call, wish, interaction, record.clone()).await,
            Err(problem) => Err(problem),
        };
        if let Err(problem) = &done {
            self.trace(trace::refused(record, problem.status)).await?;
        }
        done
    }

    async fn perform(&self, call: &Call, wish: &Wish, interaction: Interaction, record: Record) -> Answered<Reply> {
        match interaction {
            Interaction::Capabilities => Ok(Reply::of(StatusCode::OK, self.capabilities())),
            Interaction::Bundle => Box::pin(self.bundle(call, wish, record)).await,
            Interaction::HistorySystem => self.history_of_all(call, None, record).await,
            Interaction::HistoryType(kind) => self.history_of_all(call, Some(&kind), record).await,
            Interaction::History(kind, id) => self.history(call, &kind, &id, record).await,
            Interaction::Search(kind) => {
                self.search(&kind, search::pairs(call.query.as_bytes()), None, wish, record).await
            }
            Interaction::SearchByForm(kind) => self.search_by_form(call, &kind, wish, record).await,
            Interaction::SearchCompartment(around, kind) => {
                self.search(&kind, search::pairs(call.query.as_bytes()), Some(&around), wish, record).await
            }
            Interaction::Create(kind) => self.create(call, &kind, wish, record).await,
            Interaction::Read(kind, id) => self.read(call, &kind, &id, record).await,
            Interaction::ReadVersion(kind, id, version) => self.read_version(call, &kind, &id, version, record).await,
            Interaction::Update(kind, id) => self.update(call, &kind, &id, wish, record).await,
            Interaction::UpdateWhere(kind) => self.update_where(call, &kind, wish, record).await,
            Interaction::Delete(kind, id) => self.delete(call, &kind, &id, record).await,
            Interaction::DeleteWhere(kind) => self.delete_where(call, &kind, record).await,
        }
    }

    fn permit(&self, actor: &Actor, interaction: &Interaction) -> Answered<()> {
        let action = if interaction.writes() { Action::WriteResources } else { Action::ReadResources };
        let (environment, owner) = (self.settings.environment, Some(&self.settings.structure));
        let decision = access::decide(&access::Request { actor, action, environment, owner });
        if decision.permit {
            return Ok(());
        }
        let mend = socle_finding::Text::fixed(
            "demandez le droit à l'administrateur de la structure",
            "ask the structure's administrator for the right",
        );
        let rule = Rule::fixed("Socle, décision d'accès", decision.rule);
        let issue = Issue::error(IssueType::Forbidden, rule, decision.explanation, mend);
        Err(Problem { status: StatusCode::FORBIDDEN, issues: vec![issue] })
    }

    /// No access without its trace: what cannot be traced is not shown.
    pub(crate) async fn trace(&self, record: Record) -> Answered<()> {
        let mut batch = Batch::new(&self.settings.tenant);
        batch.audit.push(record);
        self.store.commit(batch).await?;
        Ok(())
    }

    fn capabilities(&self) -> Vec<u8> {
        self.capabilities.get_or_init(|| capability::statement(&self.settings)).clone()
    }
}
