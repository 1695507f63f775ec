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

#[test]
fn the_status_says_gaps_windows_and_roadmap_and_its_exit_code_says_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let drimbox = INIT.map(|word| match word {
        "LGC" => "DRIMBOX",
        "SEGUR-REF" => "IMG-DRIMBOX",
        other => other,
    });
    ends("init", &socle(at, &drimbox), 0, &["✓"]);
    let words =
        ["closed since 2025-09-10", "Blocking gaps", "Roadmap", "Socle's own scale", "solde : until 2027-12-15"];
    ends("status", &socle(at, &["status", "--date", "2026-11-22"]), 1, &words);
    ends(
        "in French",
        &socle(at, &["status", "--date", "2026-11-22", "--lang", "fr"]),
        1,
        &["close depuis le 2025-09-10"],
    );
    let output = socle(at, &["status", "--date", "2026-11-22", "--format", "json"]);
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(status["eligibility"][0]["gate"], serde_json::json!({"state": "closed", "since": "2025-09-10"}));
    assert!(status["requirements"].as_array().unwrap().iter().all(|one| one["status"] == "not-assessed"));

    let dossier = serde_json::json!({
        "product": {"version": "4.2.0"}, "catalogue": status["catalogue"],
        "assessments": [{"requirement": "DOC-INS-09", "applicability": "applicable", "status": "conform", "date": "2026-11-20T10:00:00Z"}],
    });
    std::fs::write(at.join("dossier.json"), dossier.to_string()).unwrap();
    let refused = socle(at, &["status", "--dossier", "dossier.json"]);
    ends("conform without evidence", &refused, 2, &["DOC-INS-09 is said conform without evidence"]);
    std::fs::write(at.join("dossier.json"), "{}").unwrap();
    ends("no dossier", &socle(at, &["status", "--dossier", "dossier.json"]), 2, &["this is no dossier"]);
}

#[test]
fn the_doctrine_is_one_page_with_or_without_a_product() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ends("init", &socle(at, &INIT), 0, &["✓"]);
    ends("page", &socle(at, &["report", "-o", "d.html"]), 0, &["✓ d.html"]);
    let page = std::fs::read_to_string(at.join("d.html")).unwrap();
    assert!(page.contains("id=\"DOC-INS-05\"") && !page.contains("class=\"ruling"));
    let french = socle(at, &["report", "--product", "produit.toml", "--lang", "fr"]);
    ends("for a product", &french, 0, &["CabinetPlus 4.2.0", "vise DUI ; le produit est EDITOR, LPS, LGC"]);
}
