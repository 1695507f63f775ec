//! TD3.2, ITI-43: documents by their uniqueId.

use super::fault::Refusal;
use super::feed::{check_dmp, storage};
use super::gate::{Admitted, Gate};
use super::registry::Eyes;
use super::service::Twin;
use crate::model::ErrorCode;
use crate::model::rights::Action;
use crate::wire::documents::{Request, Retrieved};
use crate::wire::response::{RegistryError, RegistryResponse, ResponseStatus};

/// Who asks for what.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) admitted: Admitted,
    pub(super) requests: Vec<Request>,
}

/// Checks 3 and 4.
pub(super) fn judge(admitted: Admitted, requests: Vec<Request>) -> Result<Wanted, Refusal> {
    Gate::check_right(&admitted, Action::ReadUnmasked)?;
    Gate::check_consultation(&admitted)?;
    check_dmp(&admitted)?;
    Ok(Wanted { admitted, requests })
}

/// What could be given, and an error for each that could not.
pub(super) async fn answer(twin: &Twin, wanted: Wanted) -> Result<(RegistryResponse, Vec<Retrieved>), Refusal> {
    let Wanted { admitted, requests } = wanted;
    let eyes = Eyes::of(&admitted);
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    for request in requests {
        if request.repository_id != twin.kit.repository_unique_id.as_str() {
            errors.push(RegistryError::new(ErrorCode::UnknownRepositoryId, "cet entrepôt n'est pas celui du DMP"));
            continue;
        }
        let found = twin.state.entries_named(std::slice::from_ref(&request.unique_id)).await.map_err(storage)?;
        // A document that may not be seen does not exist.
        let Some(kept) = found.iter().find(|kept| eyes.see(kept)) else {
            errors.push(RegistryError::new(ErrorCode::DocumentUniqueIdError, UNKNOWN));
            continue;
        };
        let bytes = twin.state.document(kept).await.map_err(storage)?;
        documents.push(Retrieved { request, mime_type: kept.entry.mime_type.clone(), bytes });
    }
    let status = match (documents.is_empty(), errors.is_empty()) {
        (_, true) => ResponseStatus::Success,
        (false, false) => ResponseStatus::PartialSuccess,
        (true, false) => ResponseStatus::Failure,
    };
    Ok((RegistryResponse { status, errors }, documents))
}

const UNKNOWN: &str = "aucun document de cet uniqueId (un OID, jamais un entryUUID)";
