//! `socle validate` as a user types it: what is recognised, what is refused and how, exit codes, reports.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at what it did not expect")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let file = self.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, content).unwrap();
        name.to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_socle"));
        command.current_dir(self.path()).env("SOCLE_PACKAGES", self.path().join("packages"));
        command.env("SOCLE_LANG", "en").env_remove("SOCLE_CONFIG").arg("validate").args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn pipe(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn ends(case: &str, output: &Output, code: i32, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{case}: {said}");
    for word in words {
        assert!(said.contains(word), "{case}: `{word}` is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{case}: {said}");
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const PATIENT: &str = r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">p</div>"},"gender":"male"}"#;

fn letter() -> String {
    let (id, now) = (uuid::Uuid::now_v7(), jiff::Timestamp::now());
    socle_cda::letter::Letter::for_test_person(id, now, jiff::tz::Offset::UTC).unwrap().to_xml()
}

#[test]
fn each_format_is_recognised_by_its_content() {
    let folder = Folder::new();
    let xml = r#"<?xml version="1.0"?><Patient xmlns="http://hl7.org/fhir"><gender value="male"/></Patient>"#;
    let cases = [
        ("patient.txt", PATIENT.to_owned(), "fhir-json"),
        ("bom.json", format!("\u{feff}{PATIENT}"), "fhir-json"),
        ("many.dat", format!("{PATIENT}\n{PATIENT}\n"), "fhir-ndjson"),
        ("one.ndjson", PATIENT.to_owned(), "fhir-ndjson"),
        ("patient.dat", xml.to_owned(), "fhir-xml"),
        ("lettre.dat", letter(), "cda"),
    ];
    for (name, content, kind) in cases {
        let name = folder.write(name, content);
        let output = folder.run(&[&name, "--format", "json"]);
        let line = &lines(&output)[0];
        assert_eq!((&line["kind"], &line["valid"]), (&kind.into(), &true.into()), "{name}: {}", said(&output));
        ends(&name, &output, 0, &[]);
    }
    let archive = folder.write("a.dat", b"PK\x03\x04nothing behind");
    ends("a broken archive", &folder.run(&[&archive]), 1, &["xdm"]);
}

#[test]
fn bad_input_is_told_with_the_right_exit_code() {
    let folder = Folder::new();
    let utf16: Vec<u8> = PATIENT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&str, Vec<u8>, i32, &[&str]); 13] = [
        ("text.json", b"Bonjour".to_vec(), 2, &["not recognised", "mend"]),
        ("empty.json", b" \n".to_vec(), 2, &["empty"]),
        ("other.xml", b"<html xmlns='x'/>".to_vec(), 2, &["html", "neither FHIR nor CDA"]),
        ("broken.json", br#"{"resourceType":"Patient","active":tru}"#.to_vec(), 1, &["Patient.active", "line 1"]),
        ("cut.json", br#"{"resourceType":"Patient""#.to_vec(), 1, &["ends in the middle"]),
        ("utf16.json", utf16, 1, &["UTF-16"]),
        ("latin1.json", b"{\"resourceType\":\"Patient\",\"language\":\"\xe9\"}".to_vec(), 1, &["not UTF-8"]),
        ("array.json", b"[1,2]".to_vec(), 1, &["error"]),
        ("type.json", br#"{"resourceType":"Malade"}"#.to_vec(), 1, &["error"]),
        ("no-type.json", br#"{"id":"1"}"#.to_vec(), 1, &["error"]),
        ("deep.json", [b"{\"a\":".repeat(100_000), b"1".to_vec()].concat(), 1, &["deep"]),
        ("deep.xml", [b"<a xmlns='http://hl7.org/fhir'>".to_vec(), b"<a>".repeat(100_000)].concat(), 1, &["error"]),
        (
            "bomb.xml",
            b"<!DOCTYPE a [<!ENTITY b \"b\">]><ClinicalDocument xmlns='urn:hl7-org:v3'>&b;</ClinicalDocument>".to_vec(),
            1,
            &["DOCTYPE"],
        ),
    ];
    for (name, content, code, words) in cases {
        let name = folder.write(name, content);
        ends(&name, &folder.run(&[&name]), code, words);
    }
    File::create(folder.path().join("huge.json")).unwrap().set_len(500 << 20).unwrap();
    ends("500 MB", &folder.run(&["huge.json"]), 2, &["256 MB", "split"]);
    ends("no file", &folder.run(&["nowhere.json"]), 2, &["nowhere.json", "does not exist"]);
    ends("no file, in French", &folder.run(&["nowhere.json", "--lang", "fr"]), 2, &["n'existe pas", "remède"]);
    ends("inside a file", &folder.run(&["text.json/a.json"]), 2, &["text.json"]);
    fs::create_dir(folder.path().join("void")).unwrap();
    ends("an empty folder", &folder.run(&["void"]), 2, &["nothing to validate"]);
    ends("a pattern that matches nothing", &folder.run(&["void/*.json"]), 2, &["no file matches"]);
    ends("no argument", &folder.run(&[]), 2, &["<FILE>"]);
    let good = folder.write("good.json", PATIENT);
    ends(
        "a good one among them",
        &folder.run(&[&good, "nowhere.json", "broken.json"]),
        2,
        &["1 valid", "1 invalid", "1 unusable"],
    );
    let cases: [(&str, &[&str], &str); 6] = [
        ("an unknown profile", &["--profile", "http://a/none"], "http://a/none"),
        ("a package that is not there", &["--package", "a.b#1.0.0"], "not installed"),
        ("a package file that is not there", &["--package", "a.tgz"], "a.tgz"),
        ("a package that is none", &["--package", "text.json"], "gzip"),
        ("resources that are none", &["--with", "text.json"], "text.json"),
        ("an unknown format", &["--as", "pdf"], "pdf"),
    ];
    for (case, options, word) in cases {
        ends(case, &folder.run(&[&[good.as_str()], options].concat()), 2, &[word]);
    }
    ends("taken for what it is not", &folder.run(&[&good, "--as", "cda"]), 1, &["error"]);
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_end_and_special_files_are_not_read() {
    let folder = Folder::new();
    folder.write("d/good.json", PATIENT);
    std::os::unix::fs::symlink(folder.path().join("d"), folder.path().join("d/loop")).unwrap();
    ends("a circle", &folder.run(&["d"]), 0, &["1 file"]);
}

#[test]
fn folders_patterns_lines_and_standard_input_are_taken() {
    let folder = Folder::new();
    folder.write("d/a.json", PATIENT);
    folder.write("d/e/b.json", PATIENT);
    folder.write("d/e/c.json", r#"{"resourceType":"Patient","gender":"homme"}"#);
    folder.write("d/notes.txt", "not taken");
    let names = |output: &Output| {
        lines(output).iter().map(|line| line["file"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let path = |parts: &[&str]| parts.iter().collect::<PathBuf>().display().to_string();
    let all = folder.run(&["d", "--format", "json"]);
    assert_eq!(names(&all), [path(&["d", "a.json"]), path(&["d", "e", "b.json"]), path(&["d", "e", "c.json"])]);
    ends("one is wrong", &all, 1, &[]);
    let some = folder.run(&["d/**/[ab].json", "--format", "json"]);
    assert_eq!(names(&some).len(), 2, "{}", said(&some));
    ends("all right", &some, 0, &[]);
    ends("standard input", &folder.pipe(&["-"], PATIENT.as_bytes()), 0, &["✓ -", "Patient"]);
    ends("nothing on standard input", &folder.pipe(&["-"], b""), 2, &["empty"]);
    let bad = format!("{}\n\n{}\n", vec![PATIENT; 200].join("\n"), r#"{"resourceType":"Patient","gender":"homme"}"#);
    let output = folder.pipe(&["-", "--format", "json"], bad.as_bytes());
    let line = &lines(&output)[0];
    let errors: Vec<_> =
        line["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error").collect();
    assert_eq!((&line["kind"], errors.len()), (&"fhir-ndjson".into(), 1), "{line}");
    assert_eq!(errors[0]["line"], 202);
}

#[test]
fn warnings_fail_when_asked() {
    let folder = Folder::new();
    let name = folder.write("a.json", r#"{"resourceType":"Patient","gender":"male"}"#);
    ends("a warning", &folder.run(&[&name]), 0, &["dom-6"]);
    ends("a warning that fails", &folder.run(&[&name, "--fail-on", "warning"]), 1, &["dom-6"]);
}

#[test]
fn good_practice_is_worth_what_is_asked() {
    let folder = Folder::new();
    let name = folder.write("a.json", r#"{"resourceType":"Patient","gender":"male"}"#);
    let levels = [("ignore", 0, None), ("hint", 0, Some("information")), ("warning", 0, Some("warning"))];
    for (level, code, severity) in levels.into_iter().chain([("error", 1, Some("error"))]) {
        let output = folder.run(&[&name, "--best-practice", level, "--format", "json"]);
        ends(level, &output, code, &[]);
        let line = &lines(&output)[0];
        let found = line["findings"].as_array().unwrap();
        let found = found.iter().find(|finding| finding.to_string().contains("dom-6"));
        assert_eq!(found.map(|finding| &finding["severity"]), severity.map(Value::from).as_ref(), "{level}: {line}");
    }
}

#[test]
fn must_support_elements_that_are_absent_are_told_when_asked() {
    let folder = Folder::new();
    let profile = r#"{"resourceType":"StructureDefinition","url":"http://a/p","name":"P","status":"draft","kind":"resource",
        "abstract":false,"type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation":"constraint","differential":{"element":[
            {"id":"Patient.birthDate","path":"Patient.birthDate","mustSupport":true},
            {"id":"Patient.gender","path":"Patient.gender","mustSupport":true},
            {"id":"Patient.contact.name","path":"Patient.contact.name","mustSupport":true}]}}"#;
    folder.write("profiles/deep/er/p.json", profile);
    let resource = r#"{"resourceType":"Patient","text":{"status":"empty","div":"<div xmlns='http://www.w3.org/1999/xhtml'>-</div>"},
        "gender":"male","contact":[{"telecom":[{"system":"phone","value":"0102030405"}]}]}"#;
    let name = folder.write("a.json", resource);
    let asked = [&name, "--profile", "http://a/p", "--with", "profiles", "--format", "json"];
    let told = |output: &Output| -> Vec<String> {
        let line = &lines(output)[0];
        let findings = line["findings"].as_array().unwrap().iter();
        let told = findings.filter(|finding| finding.to_string().contains("must-support"));
        assert!(told.clone().all(|finding| finding["severity"] == "information"), "{line}");
        told.map(|finding| finding["message"].as_str().unwrap().split(' ').next().unwrap().to_owned()).collect()
    };
    assert!(told(&folder.run(&asked)).is_empty());
    let output = folder.run(&[&asked[..], &["--must-support"]].concat());
    ends("absence is no fault", &output, 0, &[]);
    assert_eq!(told(&output), ["Patient.birthDate", "Patient.contact.name"]);
}

#[test]
fn profiles_come_with_files_folders_and_packages() {
    let folder = Folder::new();
    let profile = r#"{"resourceType":"StructureDefinition","url":"http://a/p","name":"P","status":"draft","kind":"resource",
        "abstract":false,"type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation":"constraint","differential":{"element":[{"id":"Patient.birthDate","path":"Patient.birthDate","min":1}]}}"#;
    folder.write("profiles/p.json", profile);
    folder.write("package/package.json", r#"{"name":"a.b","version":"1.0.0","fhirVersions":["4.0.1"]}"#);
    folder.write("package/StructureDefinition-p.json", profile);
    let good = folder.write("good.json", PATIENT);
    ends("R4 alone", &folder.run(&[&good]), 0, &[]);
    for source in [["--with", "profiles/p.json"], ["--with", "profiles"], ["--package", "package"]] {
        let arguments = [&[good.as_str(), "--profile", "http://a/p"][..], &source].concat();
        ends(source[1], &folder.run(&arguments), 1, &["Patient.birthDate"]);
    }
    let claimed = PATIENT.replace("\"text\"", r#""meta":{"profile":["http://a/p"]},"text""#);
    let claimed = folder.write("claimed.json", claimed);
    ends("claimed and known", &folder.run(&[&claimed, "--with", "profiles"]), 1, &["Patient.birthDate"]);
    ends("claimed and unknown", &folder.run(&[&claimed]), 0, &["Not checked", "http://a/p"]);
    let mut add = Command::new(env!("CARGO_BIN_EXE_socle"));
    add.current_dir(folder.path())
        .env("SOCLE_PACKAGES", folder.path().join("packages"))
        .args(["package", "add", "package"]);
    assert!(add.output().unwrap().status.success());
    ends("claimed and installed", &folder.run(&[&claimed]), 0, &["Not checked", "--package a.b#1.0.0"]);
    ends("claimed and asked for", &folder.run(&[&claimed, "--package", "a.b#1.0.0"]), 1, &["Patient.birthDate"]);
}

#[test]
fn reports_for_machines_are_what_they_say() {
    let folder = Folder::new();
    folder.write("a.json", r#"{"resourceType":"Patient","gender":"homme"}"#);
    folder.write("b.json", PATIENT);
    let sarif: Value = serde_json::from_slice(&folder.run(&[".", "--format", "sarif"]).stdout).unwrap();
    assert_eq!((&sarif["version"], &sarif["runs"][0]["results"][0]["level"]), (&"2.1.0".into(), &"error".into()));
    let junit = String::from_utf8(folder.run(&[".", "--format", "junit"]).stdout).unwrap();
    let limits = socle_xml::Limits::default();
    let tree = socle_xml::parse(&junit, &limits).unwrap();
    assert_eq!(tree.descendants().filter(|node| node.has_tag_name("failure")).count(), 1);
    let text = folder.run(&["."]);
    assert!(!said(&text).contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn the_official_rules_judge_once_they_are_installed() {
    let root = std::env::var_os("SOCLE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let documents = root.join("data/documents/cda");
    if !documents.exists() {
        assert!(std::env::var("SOCLE_STRICT").as_deref() != Ok("1"), "no shared data at {}", documents.display());
        println!("SKIPPED the_official_rules_judge_once_they_are_installed: no shared data");
        return;
    }
    let folder = Folder::new();
    let package = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_socle"));
        command.env("SOCLE_PACKAGES", folder.path().join("packages")).env("SOCLE_LANG", "en").arg("package");
        command.args(arguments).output().unwrap()
    };
    let example = documents.join("examples/LDL-SES_2022.01.xml").display().to_string();
    let unchecked = |output: &Output| lines(output)[0]["notChecked"].as_array().unwrap().len();
    let before = folder.run(&[&example, "--format", "json"]);
    assert_eq!(unchecked(&before), 1, "{}", said(&before));

    let test_bed = documents.join("testbed").display().to_string();
    let added = package(&["add", &test_bed, "--format", "json"]);
    let card = &lines(&added)[0];
    let (id, edition) = (card["id"].as_str().unwrap(), card["edition"].as_str().unwrap());
    let after = folder.run(&[&example, "--format", "json"]);
    assert_eq!(unchecked(&after), 0, "{}", said(&after));
    assert!(lines(&after)[0]["what"].as_str().unwrap().contains(edition), "the edition is told: {}", said(&after));
    let broken =
        fs::read_to_string(&example).unwrap().replacen("<title>", "<titre>", 1).replacen("</title>", "</titre>", 1);
    let broken = folder.write("broken.xml", broken);
    ends("an element that the schema does not have", &folder.run(&[&broken]), 1, &["titre"]);

    ends("listed", &package(&["list"]), 0, &[edition]);
    ends("removed", &package(&["remove", id]), 0, &["removed"]);
    assert_eq!(unchecked(&folder.run(&[&example, "--format", "json"])), 1);
}
