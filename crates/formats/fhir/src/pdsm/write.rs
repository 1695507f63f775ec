use super::ProvideBundle;

/// Writes an ITI-65 transaction.
#[must_use]
pub fn write_provide_bundle(_bundle: &ProvideBundle) -> Vec<u8> {
    Vec::new()
}
