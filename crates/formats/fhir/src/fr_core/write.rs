use super::{DeclaredPatient, Edition, LocalIdentifier};
use socle_identity::Identity;

/// Writes a Patient of what is declared.
#[must_use]
pub fn write_declared(_patient: &DeclaredPatient, _id: Option<&str>, _edition: Edition) -> Vec<u8> {
    Vec::new()
}

/// Writes a Patient of an identity. The INS is there only when the identity is qualified (EXI SI 08).
#[must_use]
pub fn write_patient(
    _identity: &Identity,
    _local: &[LocalIdentifier],
    _id: Option<&str>,
    _edition: Edition,
) -> Vec<u8> {
    Vec::new()
}
