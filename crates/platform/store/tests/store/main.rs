//! The store through its trait, as a caller sees it.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside #[test] functions")]

mod audit;
mod find;
mod fixtures;
mod folder;
mod jobs;
mod model;
mod resources;
