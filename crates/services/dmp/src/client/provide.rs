use socle_identity::QualifiedIdentity;

use super::{Client, Deposit, Failure, FailureKind, Provided, Trouble};

pub(super) async fn provide(
    _client: &Client,
    _patient: &QualifiedIdentity,
    _deposit: Deposit,
) -> Result<Provided, Failure> {
    Err(Failure { kind: FailureKind::Temporary(Trouble::Status(501)), exchanges: Vec::new() })
}
