//! What several test files need: one PKI for all of them, and the shared sample data.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

use std::path::PathBuf;
use std::sync::OnceLock;

use socle_trust::pki::{Organisation, Person, Profile, TestPki};

/// One folder for all test binaries: keys are made once per checkout.
pub(crate) fn pki() -> &'static TestPki {
    static PKI: OnceLock<TestPki> = OnceLock::new();
    PKI.get_or_init(|| TestPki::open_or_create(&PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pki")).unwrap())
}

pub(crate) fn organisation() -> Organisation {
    Organisation {
        cn: "dpi.hopital-a.test".to_owned(),
        id: "10B0152872".parse().unwrap(),
        name: "CENTRE HOSPITALIER DE TEST DONT LE NOM EST TRES LONG".to_owned(),
        department: "Côte-d'Or (21)".to_owned(),
    }
}

pub(crate) fn person() -> Person {
    Person {
        id: "899700218896".parse().unwrap(),
        family: "DOC0021889".to_owned(),
        given: "KIT".to_owned(),
        title: "Médecin".to_owned(),
    }
}

pub(crate) fn server() -> Profile {
    Profile::Server { names: vec!["smtp.op-a.test".to_owned(), "192.0.2.7".to_owned()] }
}

/// The folder of shared sample data, or `None` after saying visibly that the test is skipped.
pub(crate) fn shared(test: &str) -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    let folder = std::env::var_os("SOCLE_SHARED").map_or_else(default, PathBuf::from);
    if folder.join("data").is_dir() {
        return Some(folder.join("data"));
    }
    skip(test, "no shared data");
    None
}

/// A test that cannot run says so, and fails where everything has to run.
pub(crate) fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("SOCLE_STRICT").is_none_or(|strict| strict != "1"), "{test}: {why}");
    println!("SKIPPED {test}: {why}");
}
