//! What several test files need: the shared data, and a visible skip when it is absent.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::PathBuf;

/// The shared data folder, or `None` after saying so. With `SOCLE_STRICT=1` absence is a failure.
pub(crate) fn shared(test: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SOCLE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared"), PathBuf::from);
    let found = root.join("data").is_dir().then_some(root);
    if found.is_none() {
        skip(test, "no shared data");
    }
    found
}

/// Says that a test was skipped, and fails under `SOCLE_STRICT=1`.
pub(crate) fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("SOCLE_STRICT").is_none_or(|v| v != "1"), "SKIPPED {test}: {why}");
    println!("SKIPPED {test}: {why}");
}

/// Runs a program; `None` after a visible skip when it is not installed.
pub(crate) fn program(test: &str, name: &str) -> Option<std::process::Command> {
    let found = std::process::Command::new(name).arg("--version").output().is_ok();
    if !found {
        skip(test, &format!("{name} is not installed"));
    }
    found.then(|| std::process::Command::new(name))
}
