//! Durable state: resources, blobs, jobs, flows and audit leaves, on SQLite.
