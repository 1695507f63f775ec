use socle_xml::roxmltree::Node;

use super::{Profile, RegistryObjects, Submission};
use crate::finding::{Checked, Refused};

/// Reads a `lcm:SubmitObjectsRequest` element (or any element around one `RegistryObjectList`): one lot.
///
/// # Errors
/// [`Refused`]: each error names the object and the XDS attribute.
pub fn read_submission(_node: Node<'_, '_>, _profile: Profile) -> Result<Checked<Submission>, Refused> {
    Err(Refused { findings: Vec::new() })
}

/// Reads a `rim:RegistryObjectList` element.
///
/// # Errors
/// As [`read_submission`].
pub fn read_list(_list: Node<'_, '_>, _profile: Profile) -> Result<Checked<RegistryObjects>, Refused> {
    Err(Refused { findings: Vec::new() })
}
