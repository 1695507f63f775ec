//! What the integration tests of this crate share: the sample data, which stay outside the repository.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::PathBuf;

/// A file or folder of the shared data; none, said aloud, when they are absent.
pub(crate) fn shared(test: &str, path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SOCLE_SHARED").map_or_else(default_root, PathBuf::from);
    let wanted = root.join("data").join(path);
    if wanted.exists() {
        return Some(wanted);
    }
    assert!(std::env::var_os("SOCLE_STRICT").is_none_or(|v| v != "1"), "{test}: no shared data");
    println!("SKIPPED {test}: no shared data");
    None
}

/// `../shared` beside the workspace, or beside the folder of a git worktree.
fn default_root() -> PathBuf {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let beside = workspace.join("../shared");
    if beside.exists() { beside } else { workspace.join("../../shared") }
}

/// The published examples: name and bytes, by name.
pub(crate) fn examples(test: &str) -> Vec<(String, Vec<u8>)> {
    let Some(folder) = shared(test, "documents/cda/examples") else { return Vec::new() };
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "xml"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    all.sort();
    assert_eq!(all.len(), 85, "the published examples are 85");
    all
}

/// Keeps a file in the folder `SOCLE_OUT`, when it is given: for validators that are not part of the tests.
pub(crate) fn keep(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("SOCLE_OUT") {
        std::fs::write(PathBuf::from(folder).join(name), bytes).unwrap();
    }
}
