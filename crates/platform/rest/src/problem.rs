//! Why a request is refused: a status, and the issues of the OperationOutcome that goes with it.

use http::StatusCode;
use socle_fhir::{Issue, IssueType};
use socle_finding::{Rule, Text};
use socle_store::StoreError;

/// A refusal. It never repeats a value of the request, which may be personal.
#[derive(Debug, Clone, thiserror::Error)]
#[error("refused with {status}")]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) issues: Vec<Issue>,
}

/// What was done, or why it was not.
pub(crate) type Answered<T> = Result<T, Problem>;

impl Problem {
    pub(crate) fn new(status: StatusCode, code: IssueType, point: &'static str, message: Text, mend: Text) -> Self {
        Self { status, issues: vec![Issue::error(code, Rule::fixed("FHIR R4", point), message, mend)] }
    }

    pub(crate) fn bad_request(code: IssueType, point: &'static str, message: Text, mend: Text) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, point, message, mend)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            IssueType::NotFound,
            "http.html#read",
            Text::fixed("aucune ressource sous cet identifiant", "no resource under this id"),
            Text::fixed("vérifiez le type et l'identifiant, ou cherchez", "check type and id, or search"),
        )
    }

    pub(crate) fn gone() -> Self {
        Self::new(
            StatusCode::GONE,
            IssueType::Deleted,
            "http.html#read",
            Text::fixed("cette ressource a été supprimée", "this resource was deleted"),
            Text::fixed("ses versions restent lisibles par _history", "its versions can still be read by _history"),
        )
    }

    pub(crate) fn unknown_type() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            IssueType::NotSupported,
            "http.html#general",
            Text::fixed("FHIR R4 n'a pas ce type de ressource", "FHIR R4 has no such resource type"),
            Text::fixed("les types servis sont dans metadata", "the types that are served are in metadata"),
        )
    }

    pub(crate) fn not_served(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            IssueType::NotSupported,
            "http.html",
            Text::new(format!("{what} : ce n'est pas servi ici"), format!("{what}: this is not served here")),
            Text::fixed("ce qui est servi est dans metadata", "what is served is in metadata"),
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            IssueType::NotSupported,
            "http.html",
            Text::fixed("cette méthode n'est pas servie à cette adresse", "this method is not served at this address"),
            Text::fixed("ce qui est servi est dans metadata", "what is served is in metadata"),
        )
    }

    pub(crate) fn conflict() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            IssueType::Conflict,
            "http.html#concurrency",
            Text::fixed(
                "la ressource n'est pas à la version attendue : rien n'a été écrit",
                "the resource is not at the expected version: nothing was written",
            ),
            Text::fixed(
                "relisez la ressource, reportez votre changement, renvoyez-le avec son ETag",
                "read the resource again, make your change, send it with its ETag",
            ),
        )
    }

    pub(crate) fn several() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            IssueType::MultipleMatches,
            "http.html#cond-update",
            Text::fixed(
                "plusieurs ressources répondent aux critères : rien n'a été fait",
                "several resources meet the criteria: nothing was done",
            ),
            Text::fixed("donnez des critères qui n'en désignent qu'une", "give criteria that only one meets"),
        )
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::conflict(),
            StoreError::Invalid { .. } | StoreError::TooBig { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                IssueType::TooCostly,
                "http.html",
                Text::new(format!("cela ne peut pas être gardé : {error}"), format!("this cannot be kept: {error}")),
                Text::fixed("réduisez la ressource ou la page", "make the resource or the page smaller"),
            ),
            other => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                IssueType::Transient,
                "http.html",
                Text::new(
                    format!("le stockage ne répond pas, rien n'est acquis : {other}"),
                    format!("the store does not answer, nothing is certain: {other}"),
                ),
                Text::fixed(
                    "renvoyez la même requête dans quelques secondes",
                    "send the same request again in a few seconds",
                ),
            ),
        }
    }
}
