use super::{RegistryObjects, Submission};

/// `lcm:SubmitObjectsRequest`: the content of ITI-41 and the METADATA.XML of XDM (without XML declaration).
#[must_use]
pub fn write_submission(_submission: &Submission) -> String {
    String::new()
}

/// `rim:RegistryObjectList`: what an answer to a stored query or an update holds.
#[must_use]
pub fn write_list(_objects: &RegistryObjects) -> String {
    String::new()
}
