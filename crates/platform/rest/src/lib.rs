//! FHIR REST over one tenant of the store.
