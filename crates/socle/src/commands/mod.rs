//! One file per command.

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod cda;
pub(crate) mod conformity;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod jobs;
mod lot;
pub(crate) mod package;
pub(crate) mod send;
pub(crate) mod serve;
mod service;
pub(crate) mod twin;
pub(crate) mod validate;

use std::path::Path;

use anyhow::Result;

use crate::config::Config;

/// The configuration of a command: the file, then the variables.
pub(crate) fn configuration(file: Option<&Path>) -> Result<Config> {
    Ok(Config::load(file, std::env::vars())?)
}
