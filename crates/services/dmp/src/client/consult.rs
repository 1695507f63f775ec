use socle_identity::QualifiedIdentity;

use super::{Client, DocumentRef, Failure, FailureKind, Found, Reader, Retrieved, Trouble};
use crate::model::query::Filter;

pub(super) async fn find(
    _client: &Client,
    _patient: &QualifiedIdentity,
    _reader: &Reader,
    _filter: Filter,
) -> Result<Found, Failure> {
    Err(Failure { kind: FailureKind::Temporary(Trouble::Status(501)), exchanges: Vec::new() })
}

pub(super) async fn retrieve(
    _client: &Client,
    _patient: &QualifiedIdentity,
    _reader: &Reader,
    _documents: &[DocumentRef],
) -> Result<Retrieved, Failure> {
    Err(Failure { kind: FailureKind::Temporary(Trouble::Status(501)), exchanges: Vec::new() })
}
