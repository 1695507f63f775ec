//! One file per command.

pub mod audit;
pub mod bench;
pub mod demo;
pub mod doctor;
pub mod jobs;
mod lot;
pub mod send;
pub mod serve;
mod service;
pub mod twin;

use std::path::Path;

use anyhow::Result;

use crate::config::Config;

/// The configuration of a command: the file, then the variables.
pub fn configuration(file: Option<&Path>) -> Result<Config> {
    Ok(Config::load(file, std::env::vars())?)
}
