//! `socle package` as a user types it, with a registry that stands in for the real one on this machine.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

fn socle(packages: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socle"));
    command.env("SOCLE_PACKAGES", packages).env("SOCLE_LANG", "en").env_remove("SOCLE_CONFIG").args(arguments);
    command.output().unwrap()
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

/// A package of one value set, as `npm pack` writes it.
fn archive(name: &str, version: &str, needs: &str) -> Vec<u8> {
    let manifest =
        format!(r#"{{"name":"{name}","version":"{version}","fhirVersions":["4.0.1"],"dependencies":{{{needs}}}}}"#);
    let set =
        format!(r#"{{"resourceType":"ValueSet","url":"http://a/{name}","version":"{version}","status":"active"}}"#);
    let mut tar = Vec::new();
    for (path, content) in [("package/package.json", manifest), ("package/ValueSet-v.json", set)] {
        let mut header = [0_u8; 512];
        header[..path.len()].copy_from_slice(path.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].fill(b' ');
        let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(content.as_bytes());
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&tar).unwrap();
    encoder.finish().unwrap()
}

/// A registry with three packages and every way to fail. Lives as long as the test process.
fn registry() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
            let _headers: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
            let (status, extra, body) = answer(&path);
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{extra}\r\n", body.len());
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
        }
    });
    base
}

fn answer(path: &str) -> (&'static str, &'static str, Vec<u8>) {
    match path {
        "/a.one" => (
            "200 OK",
            "",
            br#"{"name":"a.one","versions":{"1.0.0":{},"1.0.9":{},"1.0.10":{},"2.0.0-ballot":{}}}"#.to_vec(),
        ),
        "/a.one/1.0.0" => ("200 OK", "", archive("a.one", "1.0.0", r#""a.two":"1.0.0""#)),
        "/a.one/1.0.10" => ("200 OK", "", archive("a.one", "1.0.10", "")),
        "/a.two/1.0.0" => ("200 OK", "", archive("a.two", "1.0.0", r#""a.one":"1.0.0""#)),
        "/a.moved/1" => ("302 Found", "Location: /here/a.moved\r\n", Vec::new()),
        "/here/a.moved" => ("200 OK", "", archive("a.moved", "1", "")),
        "/a.loop/1" => ("302 Found", "Location: /a.loop/1\r\n", Vec::new()),
        "/a.else/1" => ("302 Found", "Location: http://example.org/a\r\n", Vec::new()),
        "/a.liar/1" => ("200 OK", "", archive("a.one", "1.0.0", "")),
        "/a.page/1" => ("200 OK", "", b"<html>welcome</html>".to_vec()),
        "/a.page" => ("200 OK", "", b"<html>welcome</html>".to_vec()),
        "/a.down/1" => ("503 Service Unavailable", "", Vec::new()),
        _ => ("404 Not Found", "", Vec::new()),
    }
}

#[test]
fn packages_are_added_listed_checked_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let packages = folder.path().join("packages");
    let file = folder.path().join("a.tgz");
    std::fs::write(&file, archive("a.one", "1.0.0", r#""a.two":"1.0.0""#)).unwrap();
    let file = file.display().to_string();
    ends("nothing yet", &socle(&packages, &["package", "list"]), 0, &["no package"]);
    ends(
        "a file",
        &socle(&packages, &["package", "add", &file]),
        0,
        &["a.one#1.0.0  added", "a.two#1.0.0, which is missing"],
    );
    ends("again", &socle(&packages, &["package", "add", &file]), 0, &["was there already"]);
    let french = socle(&packages, &["package", "add", &file, "--lang", "fr"]);
    ends("in French", &french, 0, &["était déjà là", "qui manque"]);
    assert!(packages.join("a.one#1.0.0/package/ValueSet-v.json").is_file(), "the ecosystem's layout");

    std::fs::write(folder.path().join("b.tgz"), archive("a.one", "1.0.0", "")).unwrap();
    let other = folder.path().join("b.tgz").display().to_string();
    ends("another content", &socle(&packages, &["package", "add", &other]), 2, &["another content", "package remove"]);

    let json = socle(&packages, &["package", "list", "--check", "--format", "json"]);
    let line: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&line["id"], &line["resources"]), (&"a.one#1.0.0".into(), &1.into()));
    assert_eq!(line["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(line["troubles"], Value::Array(Vec::new()));

    std::fs::write(packages.join("a.one#1.0.0/package/ValueSet-v.json"), "{}").unwrap();
    ends("altered", &socle(&packages, &["package", "list", "--check"]), 1, &["has changed since"]);
    ends("removed", &socle(&packages, &["package", "remove", "a.one#1.0.0"]), 0, &["removed"]);
    ends("removed twice", &socle(&packages, &["package", "remove", "a.one#1.0.0"]), 2, &["not installed"]);
    ends("no version", &socle(&packages, &["package", "remove", "a.one"]), 2, &["id#version"]);
    ends("a climbing name", &socle(&packages, &["package", "remove", "../a#1"]), 2, &["letters"]);

    let text = folder.path().join("text.tgz");
    std::fs::write(&text, "hello").unwrap();
    ends("no archive", &socle(&packages, &["package", "add", &text.display().to_string()]), 2, &["text.tgz", "gzip"]);
    ends("no file", &socle(&packages, &["package", "add", "nowhere.tgz"]), 2, &["nowhere.tgz"]);
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    ends(
        "no manifest",
        &socle(&packages, &["package", "add", &empty.display().to_string()]),
        2,
        &["package.json is missing"],
    );
}

#[test]
fn a_registry_is_asked_only_for_what_the_user_names() {
    let folder = tempfile::tempdir().unwrap();
    let packages = folder.path().join("packages");
    let base = registry();
    let add = |wanted: &str| socle(&packages, &["package", "add", wanted, "--registry", &base]);
    let said = ends("exact", &add("a.one#1.0.0"), 0, &["a.one#1.0.0  added", "a.two#1.0.0, which is missing"]);
    assert!(!said.contains("a.two#1.0.0  added"), "nothing else was downloaded: {said}");
    ends("the newest patch", &add("a.one#1.0.x"), 0, &["a.one#1.0.10  added"]);
    ends("moved", &add("a.moved#1"), 0, &["a.moved#1  added"]);
    let with = socle(&packages, &["package", "add", "a.one#1.0.0", "--dependencies", "--registry", &base]);
    ends("with what it needs, in a circle", &with, 0, &["a.two#1.0.0  added"]);
    let cases = [
        ("unknown", "a.none#1", "does not have a.none#1"),
        ("no such version", "a.one#7.x", "no version"),
        ("in a circle", "a.loop#1", "from address to address"),
        ("elsewhere, in clear", "a.else#1", "example.org"),
        ("another package", "a.liar#1", "instead of a.liar#1"),
        ("a page", "a.page#1", "gzip"),
        ("a page as list", "a.page#latest", "JSON"),
        ("down", "a.down#1", "503"),
    ];
    for (case, wanted, word) in cases {
        ends(case, &add(wanted), 2, &[word]);
    }
    let nobody = socle(&packages, &["package", "add", "a#1", "--registry", "http://127.0.0.1:1"]);
    ends("nobody there", &nobody, 2, &["127.0.0.1:1"]);
    let nowhere = socle(&packages, &["package", "add", "a#1", "--registry", "ftp://a"]);
    ends("no registry", &nowhere, 2, &[]);
}
