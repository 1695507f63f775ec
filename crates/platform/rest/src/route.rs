//! Which interaction a method and an address ask for (FHIR R4 §3.1.0).

use http::Method;
use socle_fhir::definitions::{r4, types};

use crate::problem::{Answered, Problem};
use crate::resource::is_id;

/// An interaction, with what its address says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Interaction {
    Capabilities,
    /// A batch or a transaction.
    Bundle,
    HistorySystem,
    HistoryType(String),
    History(String, String),
    Search(String),
    SearchByForm(String),
    SearchCompartment(Around, String),
    Create(String),
    Read(String, String),
    ReadVersion(String, String, u64),
    Update(String, String),
    UpdateWhere(String),
    Delete(String, String),
    DeleteWhere(String),
}

/// The resource that a compartment is around.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Around {
    pub(crate) kind: String,
    pub(crate) id: String,
}

impl Interaction {
    /// The code of restful-interaction.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Capabilities => "capabilities",
            Self::Bundle => "transaction",
            Self::HistorySystem => "history-system",
            Self::HistoryType(_) => "history-type",
            Self::History(..) => "history-instance",
            Self::Search(_) | Self::SearchByForm(_) | Self::SearchCompartment(..) => "search-type",
            Self::Create(_) => "create",
            Self::Read(..) => "read",
            Self::ReadVersion(..) => "vread",
            Self::Update(..) | Self::UpdateWhere(_) => "update",
            Self::Delete(..) | Self::DeleteWhere(_) => "delete",
        }
    }

    pub(crate) const fn writes(&self) -> bool {
        matches!(
            self,
            Self::Bundle
                | Self::Create(_)
                | Self::Update(..)
                | Self::UpdateWhere(_)
                | Self::Delete(..)
                | Self::DeleteWhere(_)
        )
    }
}

/// The interaction of a method and a path below the base.
pub(crate) fn route(method: &Method, path: &str) -> Answered<Interaction> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let get = *method == Method::GET;
    match parts.as_slice() {
        [] if *method == Method::POST => Ok(Interaction::Bundle),
        ["metadata"] if get => Ok(Interaction::Capabilities),
        ["_history"] if get => Ok(Interaction::HistorySystem),
        [] | ["metadata" | "_history"] => Err(Problem::method_not_allowed()),
        [kind, ..] if types().resource(kind).is_none() => Err(Problem::unknown_type()),
        [kind] => of_type(method, kind),
        [kind, "_search"] if *method == Method::POST => Ok(Interaction::SearchByForm((*kind).to_owned())),
        [kind, "_history"] if get => Ok(Interaction::HistoryType((*kind).to_owned())),
        [_, "_search" | "_history"] => Err(Problem::method_not_allowed()),
        [_, id, ..] if !is_id(id) => Err(Problem::not_served("address")),
        [kind, id] => of_instance(method, kind, id),
        [kind, id, "_history"] if get => Ok(Interaction::History((*kind).to_owned(), (*id).to_owned())),
        [kind, id, "_history", version] if get => {
            let version = version.parse().map_err(|_| Problem::not_found())?;
            Ok(Interaction::ReadVersion((*kind).to_owned(), (*id).to_owned(), version))
        }
        [around, id, kind] if get && is_compartment(around) && types().resource(kind).is_some() => {
            let around = Around { kind: (*around).to_owned(), id: (*id).to_owned() };
            Ok(Interaction::SearchCompartment(around, (*kind).to_owned()))
        }
        _ => Err(Problem::not_served("address")),
    }
}

fn of_type(method: &Method, kind: &str) -> Answered<Interaction> {
    let kind = kind.to_owned();
    match *method {
        Method::GET => Ok(Interaction::Search(kind)),
        Method::POST => Ok(Interaction::Create(kind)),
        Method::PUT => Ok(Interaction::UpdateWhere(kind)),
        Method::DELETE => Ok(Interaction::DeleteWhere(kind)),
        _ => Err(Problem::method_not_allowed()),
    }
}

fn of_instance(method: &Method, kind: &str, id: &str) -> Answered<Interaction> {
    let (kind, id) = (kind.to_owned(), id.to_owned());
    match *method {
        Method::GET => Ok(Interaction::Read(kind, id)),
        Method::PUT => Ok(Interaction::Update(kind, id)),
        Method::DELETE => Ok(Interaction::Delete(kind, id)),
        _ => Err(Problem::method_not_allowed()),
    }
}

fn is_compartment(kind: &str) -> bool {
    r4().compartments().iter().any(|one| one.code.as_ref() == kind)
}
