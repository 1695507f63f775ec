use super::DeclaredPatient;
use crate::outcome::Reading;
use crate::tape::Node;
use socle_identity::Ins;

/// Reads a Patient of FR Core, of any edition.
///
/// # Errors
/// All that is wrong: a strict trait that is absent, an INS with a wrong key, DOUT with a status that it forbids…
pub fn read_patient(_node: Node<'_>) -> Reading<DeclaredPatient> {
    Err(crate::Issues::default())
}

/// The active INS.
#[must_use]
pub fn read_ins(_node: Node<'_>) -> Option<Ins> {
    None
}

/// Is this Patient nothing but identifiers?
#[must_use]
pub fn has_no_trait(node: Node<'_>) -> bool {
    node.get("name").is_none() && node.get("gender").is_none() && node.get("birthDate").is_none()
}
