//! Another SOAP stack gets right answers and right faults from the twin: Python's standard library with a
//! message written by hand, and zeep with the twin's WSDL.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at what it did not expect")]

mod fixtures;

use std::path::{Path, PathBuf};
use std::process::Command;

use fixtures::{auto, pki, skip, start};

const ZEEP: &str = "zeep==4.3.3";

/// Certificates in files, for programs that are not ours.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        let credentials = auto();
        std::fs::write(files.path("ca.pem"), pki().anchors().to_pem()).unwrap();
        std::fs::write(files.path("cert.pem"), credentials.chain_pem()).unwrap();
        std::fs::write(files.path("key.pem"), credentials.key_pem()).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn run(python: &Path, script: &str, url: &str) {
    let files = Files::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    let arguments = [script, url.into(), files.path("ca.pem"), files.path("cert.pem"), files.path("key.pem")];
    let output = Command::new(python).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}

fn works(python: &Path, code: &str) -> bool {
    Command::new(python).args(["-c", code]).output().is_ok_and(|output| output.status.success())
}

/// A Python that has zeep: the one of `SOCLE_PEERS_PYTHON`, or an environment made once under `target`.
fn python_with_zeep() -> Option<PathBuf> {
    if let Some(python) = std::env::var_os("SOCLE_PEERS_PYTHON").map(PathBuf::from) {
        return works(&python, "import zeep").then_some(python);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("zeep");
    let python = folder.join("bin/python");
    if works(&python, "import zeep") {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).status().is_ok_and(|status| status.success());
    if made {
        // What fails here shows below: zeep is then not there.
        let _ = Command::new(&python).args(["-m", "pip", "install", "--quiet", ZEEP]).status();
    }
    works(&python, "import zeep").then_some(python)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_written_by_hand_is_answered() {
    if !works(Path::new("python3"), "import ssl") {
        return skip("a_message_written_by_hand_is_answered", "python3 is not installed");
    }
    let (twin, _stop) = start().await;
    tokio::task::spawn_blocking(move || run(Path::new("python3"), "by_hand.py", &twin.url)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn zeep_reads_the_contract_and_calls_it() {
    let Some(python) = tokio::task::spawn_blocking(python_with_zeep).await.unwrap() else {
        return skip("zeep_reads_the_contract_and_calls_it", "zeep could not be installed (python3-venv, network)");
    };
    let (twin, _stop) = start().await;
    tokio::task::spawn_blocking(move || run(&python, "by_zeep.py", &twin.url)).await.unwrap();
}
