//! The store through its trait, as a caller sees it.

mod common;
mod jobs;
mod resources;
