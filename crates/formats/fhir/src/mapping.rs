//! XDS codes in FHIR and back: which URL stands for which OID.

use crate::datatypes::Coding;

/// The URL that FHIR uses for a code system that CDA and XDS name by OID.
///
/// An OID that no table knows stays one: `urn:oid:…`.
#[must_use]
pub fn system_of_oid(oid: &str) -> String {
    format!("urn:oid:{oid}")
}

/// The OID that CDA and XDS use for a code system that FHIR names by URL.
#[must_use]
pub fn oid_of_system(system: &str) -> Option<&str> {
    system.strip_prefix("urn:oid:")
}

/// A code of CDA or XDS as a Coding of FHIR.
#[must_use]
pub fn coding(code: &str, oid: &str, display: Option<&str>) -> Coding {
    Coding::new(system_of_oid(oid), code, display)
}
