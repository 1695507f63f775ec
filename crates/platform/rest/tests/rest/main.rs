//! The REST interface as a client meets it: HTTP on a socket, in front of a base over a store.
//!
//! Nothing here knows which engine keeps the resources: [`served::Served::start`] is the one place that chooses it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside #[test] functions")]

mod bundles;
mod crud;
mod errors;
mod search;
mod served;
