//! FHIR R4 documents in memory.
