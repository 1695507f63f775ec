//! Programs on small documents.
