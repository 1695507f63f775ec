//! `socle cda` as a stranger types it.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::Path;
use std::process::{Command, Output};

fn socle(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socle"));
    command.current_dir(folder).env_remove("SOCLE_LANG").env("LC_ALL", "fr_FR.UTF-8").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_document_is_built_shown_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let plan = socle(at, &["cda", "build", "--example", "ldl-ses"]);
    assert!(plan.status.success());
    std::fs::write(at.join("plan.json"), &plan.stdout).unwrap();
    std::fs::write(at.join("plan-2.json"), text(&plan.stdout).replace("31 mg/L", "30 mg/L")).unwrap();
    for (plan, document) in [("plan.json", "1.xml"), ("plan-2.json", "2.xml")] {
        let built = socle(at, &["cda", "build", plan, "--output", document]);
        assert!(built.status.success() && built.stderr.is_empty(), "{}", text(&built.stderr));
    }

    let shown = socle(at, &["cda", "show", "1.xml"]);
    let page = text(&shown.stdout);
    assert!(shown.status.success() && page.starts_with("<!DOCTYPE html>") && page.contains("PAT-TROIS"));
    assert!(text(&socle(at, &["--lang", "en", "cda", "show", "1.xml"]).stdout).contains("Birth name"));

    let same = socle(at, &["cda", "diff", "1.xml", "1.xml"]);
    assert_eq!((same.status.code(), text(&same.stdout).trim()), (Some(0), "aucune différence pour un lecteur"));
    let differs = socle(at, &["cda", "diff", "1.xml", "2.xml"]);
    assert_eq!(differs.status.code(), Some(1));
    let said = text(&differs.stdout);
    assert!(said.contains("section modifiée : Résultats d'examens"), "{said}");
    let marked =
        |sign: &str, value: &str| said.lines().any(|line| line.trim_start().starts_with(sign) && line.contains(value));
    assert!(marked("-", "31 mg/L") && marked("+", "30 mg/L"), "{said}");
    let json: serde_json::Value =
        serde_json::from_slice(&socle(at, &["cda", "diff", "1.xml", "2.xml", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["sections"][0]["change"], "changed");
}

#[test]
fn what_cannot_be_used_says_what_and_how_to_mend() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("a.txt"), "bonjour").unwrap();
    std::fs::write(at.join("a.bin"), [0u8, 1, 2]).unwrap();
    std::fs::write(at.join("a.json"), "{}").unwrap();
    std::fs::write(at.join("patient.json"), r#"{"resourceType":"Patient"}"#).unwrap();
    let letter = r#"{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Composition"}}]}"#;
    std::fs::write(at.join("letter.json"), letter).unwrap();
    let lot =
        r#"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"DocumentReference"}}]}"#;
    std::fs::write(at.join("lot.json"), lot).unwrap();
    let plan = text(&socle(at, &["cda", "build", "--example", "n1"]).stdout);
    std::fs::write(at.join("n1.json"), &plan).unwrap();
    std::fs::write(at.join("type.json"), plan.replace("11488-4", "00000-0")).unwrap();
    std::fs::write(at.join("facility.json"), plan.replace("SA07", "SA999")).unwrap();
    std::fs::write(at.join("ins.json"), plan.replace("\"qualified\": true", "\"qualified\": false")).unwrap();
    let cases: [(&[&str], i32, &str); 13] = [
        (&["cda", "show", "nowhere.xml"], 2, "nowhere.xml ne peut pas être lu"),
        (&["cda", "show", "a.txt"], 2, "remède"),
        (&["cda", "diff", "a.txt", "a.txt"], 2, "erreur"),
        (&["cda", "build", "a.json"], 2, "n'est pas un plan"),
        (&["cda", "build", "n1.json"], 2, "--file"),
        (&["cda", "build", "n1.json", "--file", "a.bin"], 2, "ni un PDF"),
        (&["cda", "build", "type.json", "--file", "a.txt"], 2, "JDV_J07"),
        (&["cda", "build", "facility.json", "--file", "a.txt"], 1, "healthCareFacility"),
        (&["cda", "build", "ins.json", "--file", "a.txt"], 2, "EXI SI 08"),
        (&["cda", "build", "patient.json"], 2, "aucun document"),
        (&["cda", "build", "letter.json"], 1, "Bundle.entry[0].resource.subject"),
        (&["cda", "build", "letter.json", "--file", "a.txt"], 2, "--file"),
        (&["cda", "build", "lot.json"], 1, "Bundle"),
    ];
    for (arguments, code, word) in cases {
        let output = socle(at, arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(word) && !said.contains("panicked"), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}: nothing half done");
    }
}
