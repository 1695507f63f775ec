//! CDA R2 documents of the CI-SIS, their XDS metadata, and XDM archives.
