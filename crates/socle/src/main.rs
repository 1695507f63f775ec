//! The binary: command line, configuration, wiring.
//!
//! `cli` says what can be typed, `config` what an installation is, `platform` and `twins` put the parts
//! together, and each command has its file. Exit codes: 0 done, 1 refused or invalid, 2 unusable
//! (wrong usage, unreadable configuration, a service that cannot start).

mod cli;
mod commands;
mod config;
mod platform;
mod remote;
mod say;
mod trouble;
mod twins;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::say::Speaker;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let speaker = Speaker::new(cli.lang.as_deref());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return speaker.failed(&anyhow::Error::new(error)),
    };
    let config_file = cli.config.as_deref();
    let done = runtime.block_on(async {
        match cli.command {
            Command::Demo(options) => commands::demo::run(config_file, &options, &speaker).await,
            Command::Serve(options) => commands::serve::run(config_file, &options, &speaker).await,
            Command::Twin(options) => commands::twin::run(config_file, &options, &speaker).await,
            Command::Send(options) => commands::send::run(config_file, &options, &speaker).await,
            Command::Validate(options) => commands::validate::run(&options, &speaker),
            Command::Package(options) => commands::package::run(&options, &speaker).await,
            Command::Doctor(options) => commands::doctor::run(config_file, &options, &speaker).await,
            Command::Jobs(options) => commands::jobs::run(config_file, &options, &speaker).await,
            Command::Audit(options) => commands::audit::run(config_file, &options, &speaker).await,
            Command::Cda(options) => commands::cda::run(&options, &speaker),
            Command::Conformity(options) => commands::conformity::run(&options, &speaker),
            Command::Bench(options) => commands::bench::run(config_file, &options, &speaker).await,
        }
    });
    match done {
        Ok(code) => code,
        Err(error) => speaker.failed(&error),
    }
}
