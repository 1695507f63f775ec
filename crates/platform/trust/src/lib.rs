//! Keys, certificates, TLS, tokens, access decisions and the audit log's proofs.
