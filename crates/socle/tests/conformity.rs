//! `socle conformity` as a user types it.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn socle(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socle"));
    command.current_dir(folder).env("SOCLE_LANG", "en").env_remove("SOCLE_CONFIG").stdin(Stdio::null());
    command.arg("conformity").args(arguments).output().unwrap()
}

#[track_caller]
fn ends(case: &str, output: &Output, code: i32, words: &[&str]) -> String {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{case}: {said}");
    for word in words {
        assert!(said.contains(word), "{case}: `{word}` is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{case}: {said}");
    said
}

const INIT: [&str; 11] = [
    "init",
    "--name",
    "CabinetPlus",
    "--version",
    "4.2.0",
    "--vendor",
    "Exemple SAS",
    "--kind",
    "LGC",
    "--scheme",
    "SEGUR-REF",
];

#[test]
fn a_product_file_is_written_once_and_listed_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ends("no file yet", &socle(at, &["list"]), 2, &["produit.toml cannot be read", "socle conformity init"]);
    ends("options missing", &socle(at, &["init", "--name", "X"]), 2, &["missing: --version --vendor --kind"]);
    ends("unknown kind", &socle(at, &[&INIT[..8], &["CABINET"]].concat()), 2, &["`CABINET`", "LGC"]);
    ends("init", &socle(at, &INIT), 0, &["✓ produit.toml", "unknown facts"]);
    ends("init again", &socle(at, &INIT), 2, &["exists already", "--force"]);
    ends("init by force", &socle(at, &[&INIT[..], &["--force", "--fact", "dmp_access=yes"]].concat()), 0, &["✓"]);

    let text =
        ends("list", &socle(at, &["list", "--date", "2026-11-21"]), 0, &["DOC-INS-05", "DOC-EHDS-01", "not yet"]);
    assert!(!text.contains("DOC-DUI-01"), "what does not bind is said only when asked");
    let explain = ["list", "--explain", "--date", "2026-11-21"];
    ends("explain", &socle(at, &explain), 0, &["DOC-DUI-01", "binds DUI; the product is EDITOR, LPS, LGC", "https://"]);
    let french = socle(at, &[&explain[..], &["--lang", "fr"]].concat());
    ends("in French", &french, 0, &["non applicable", "vise DUI ; le produit est", "texte juridique à revérifier"]);

    let output = socle(at, &["list", "--date", "2026-11-21", "--format", "json"]);
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list["requirements"].as_array().unwrap().len(), 233);
    let found = list["requirements"].as_array().unwrap().iter().find(|one| one["id"] == "DOC-EHDS-01").unwrap();
    assert_eq!((&found["applicability"], &found["date"]), (&Value::from("not-yet"), &Value::from("2029-03-26")));
    assert_eq!(list["catalogue"]["edition"], "2026-concertation");
}

#[test]
fn a_product_file_with_errors_is_told_whole() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[product]\nname=\"a\"\nversion=\"1\"\nkinds=[\"X\"]\nschemes=[\"Y\"]\n[vendor]\nlegal_name=\"v\"\n";
    std::fs::write(folder.path().join("p.toml"), text).unwrap();
    let output = socle(folder.path(), &["list", "--product", "p.toml"]);
    ends("two errors", &output, 2, &["`X` is no accepted value", "product.kinds", "`Y` is no accepted value"]);
}
