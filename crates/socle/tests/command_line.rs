//! Wrong input on the command line: exit code 2 (or 1 for what was refused), and a message that names
//! what is wrong and what to do. Never a panic.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at what it did not expect")]

mod installation;

use std::net::TcpListener;
use std::process::Output;

use jiff::Timestamp;
use socle_cda::letter::Letter;
use uuid::Uuid;

use installation::{Installation, door};

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

#[test]
fn a_configuration_that_cannot_be_used_says_which_field_and_why() {
    let installation = Installation::at_rest(false);
    let good = installation.config_text();
    let production = "[prosante]\nendpoint = \"https://auth.esw.esante.gouv.fr/auth/realms/esante-wallet\"\n";
    let cases = [
        ("an unknown field", good.replace("[server]\n", "[server]\nlistn = 1\n"), &["listn", "unknown field"][..]),
        ("an unknown section", format!("{good}[dpm]\n"), &["dpm", "unknown field"]),
        (
            "a value of another kind",
            good.replace("first_wait_s = 1\n", "first_wait_s = \"soon\"\n"),
            &["first_wait_s", "soon"],
        ),
        ("no TOML", "data = \n".to_owned(), &["socle.toml", "line 1"]),
        (
            "twins in production",
            format!("environment = \"production\"\n{good}"),
            &["mixes environments", "ins.endpoint", "dmp.endpoint", "mss.mailbox", "production"],
        ),
        (
            "a national service beside twins",
            format!("{good}{production}"),
            &["mixes environments", "prosante.endpoint", "auth.esw.esante.gouv.fr", "jumeau"],
        ),
        (
            "a real mailbox beside twins",
            format!("{good}[mss]\nmailbox = \"app@hopital-a.mssante.fr\"\n"),
            &["mixes environments", "mss.mailbox"],
        ),
        (
            "twins seen from outside",
            good.replace("[twins]\n", "[twins]\naddress = \"0.0.0.0\"\n"),
            &["mixes environments", "twins.address", "expose_with_twins"],
        ),
        ("an unknown environment", format!("environment = \"recette\"\n{good}"), &["recette", "jumeau"]),
    ];
    for (case, text, words) in cases {
        installation.write_config(&text);
        ends(case, &installation.run(&["serve"]), 2, words);
        assert!(!installation.data().join("store").exists(), "{case}: nothing was made");
    }
    installation.write_config(&good);
    std::fs::remove_file(installation.config_file()).unwrap();
    ends("no configuration file", &installation.run(&["serve"]), 2, &["socle.toml"]);
}

#[test]
fn a_platform_that_cannot_start_says_what_to_do() {
    let installation = Installation::at_rest(false);
    let good = installation.config_text();
    for (field, port) in [("server.listen", installation.ports.plain), ("server.listen_tls", installation.ports.tls)] {
        let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
        ends("a port that is taken", &installation.run(&["serve"]), 2, &[field, &port.to_string(), "already taken"]);
        drop(taken);
    }
    let taken = TcpListener::bind(("127.0.0.1", installation.ports.dmp)).unwrap();
    ends(
        "a twin's port that is taken",
        &installation.run(&["serve"]),
        2,
        &["DMP", &installation.ports.dmp.to_string()],
    );
    ends(
        "the same, for a twin alone",
        &installation.run(&["twin", "dmp"]),
        2,
        &["DMP", &installation.ports.dmp.to_string()],
    );
    drop(taken);
    ends("an unknown twin", &installation.run(&["twin", "dpm"]), 2, &["dpm", "known: prosante, ins, dmp, mss"]);
    ends("an unknown command", &installation.run(&["sevre"]), 2, &["sevre", "serve"]);

    // A file in the folder's place: nobody can write in it, not even root.
    let file = installation.folder().join("a-file");
    std::fs::write(&file, "").unwrap();
    let data = installation.data().display().to_string();
    installation.write_config(&good.replace(&data, &file.display().to_string()));
    ends("a data folder that cannot be written", &installation.run(&["serve"]), 2, &["a-file"]);
    let store = installation.data().join("store");
    std::fs::write(&store, "").unwrap();
    installation.write_config(&good);
    ends("a store that cannot be written", &installation.run(&["serve"]), 2, &["store", "right to write"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_not_served() {
    let mut installation = Installation::embedded();
    let second = installation.run(&["serve"]);
    ends("a second platform", &second, 2, &["already taken"]);
    let caller = installation.caller().await;
    let letter = Letter::for_test_person(Uuid::now_v7(), Timestamp::now(), jiff::tz::Offset::UTC).unwrap();
    let bundle = socle_fhir::pdsm::write_provide_bundle(&door::lot(&letter.to_document().unwrap()));
    assert_eq!(caller.post(bundle).await.unwrap().status(), 200);
    installation.stop_platform();

    let database = installation.data().join("store/socle.db");
    let good = std::fs::read(&database).unwrap();
    let middle = good.len() / 2;
    let spoil = |range: std::ops::Range<usize>| {
        let mut bytes = good.clone();
        bytes[range].fill(0xA5);
        bytes
    };
    let cases = [
        ("the head", spoil(0..100)),
        ("pages in the middle", spoil(4096..middle)),
        ("cut", good[..middle].to_vec()),
        ("empty", Vec::new()),
    ];
    for (case, bytes) in cases {
        std::fs::write(&database, bytes).unwrap();
        ends(case, &installation.run(&["serve"]), 2, &["restore the last backup"]);
        ends(case, &installation.run(&["audit", "verify"]), 2, &["restore the last backup"]);
    }
    std::fs::write(&database, &good).unwrap();
    installation.start_platform();
    assert_eq!(installation.health().await, 200, "what was restored is served");
    installation.check_logs();
}

#[test]
fn sending_says_what_is_wrong_with_what_is_sent() {
    let mut installation = Installation::at_rest(false);
    let file = |name: &str, text: &str| {
        let path = installation.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let letter = Letter::for_test_person(Uuid::now_v7(), Timestamp::now(), jiff::tz::Offset::UTC).unwrap().to_xml();
    let good = file("good.xml", &letter);
    let text = file("text.xml", "Bonjour");
    let bomb = file("bomb.xml", "<!DOCTYPE a [<!ENTITY b \"b\">]><a>&b;</a>");
    let (paper, nowhere) =
        (["--checked-document", "PA"], installation.folder().join("nowhere.xml").display().to_string());
    let with_paper =
        |rest: &[&str]| [&["send"], rest, &paper[..]].concat().iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let run = |installation: &Installation, arguments: &[String]| {
        installation.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let not_running = run(&installation, &with_paper(&[&good]));
    ends("no platform", &not_running, 2, &["run `socle serve`", &installation.ports.tls.to_string()]);
    let at_once = [
        ("no paper of that name", vec!["send", &good, "--checked-document", "XX"], "--checked-document"),
        ("a date without a paper", vec!["send", &good, "--checked-on", "2026-01-05"], "--checked-document"),
        (
            "a date that is none",
            vec!["send", &good, "--checked-document", "PA", "--checked-on", "hier"],
            "--checked-on",
        ),
        ("an address that is none", vec!["send", &good, "--to", "nobody"], "--to"),
        ("nowhere to go", vec!["send", &good, "--no-dmp"], "--to"),
        ("no file", vec!["send"], "<FILE>"),
        ("a file that is not there", vec!["send", &nowhere], "nowhere.xml"),
        ("a text", vec!["send", &text], "not well-formed"),
        ("its place", vec!["send", &text], "where : line 1"),
    ];
    for (case, arguments, word) in at_once {
        ends(case, &installation.run(&arguments), 2, &[word]);
    }
    installation.start_platform();
    let cases = [
        ("a document type", with_paper(&[&bomb]), 2, "DOCTYPE"),
        ("no paper", vec!["send".to_owned(), good.clone()], 1, "EXI SI 08"),
        ("an unknown domain", with_paper(&[&good, "--to", "dr.x@inconnu.mssante.test"]), 1, "liste blanche"),
        ("a real domain", with_paper(&[&good, "--to", "dr.x@hopital.mssante.fr"]), 1, "verrou d'environnement"),
        ("a good one among bad ones", with_paper(&[&text, &good]), 2, "taken"),
        ("the same again", with_paper(&[&good]), 0, "nothing is done twice"),
    ];
    for (case, arguments, code, word) in cases {
        ends(case, &run(&installation, &arguments), code, &[word]);
    }
    ends("an unknown job", &installation.run(&["jobs", "retry", "999"]), 2, &["999"]);
    installation.check_logs();
}

/// Each error is said in the language that is asked for, and in that one alone.
#[test]
fn errors_speak_the_language_that_is_asked_for() {
    let installation = Installation::at_rest(false);
    let nowhere = installation.folder().join("nulle-part.xml").display().to_string();
    let letter = installation.folder().join("lettre.xml");
    let text = Letter::for_test_person(Uuid::now_v7(), Timestamp::now(), jiff::tz::Offset::UTC).unwrap().to_xml();
    std::fs::write(&letter, text).unwrap();
    let letter = letter.display().to_string();
    let cases = [
        (vec!["send", &nowhere], "n'existe pas", "no such file"),
        (vec!["send", &letter], "ne répond pas", "does not answer"),
        (vec!["send", &letter, "--to", "a"], "contient un @", "holds an @"),
        (vec!["send", &letter, "--to", "a@b"], "nom de domaine", "domain name"),
        (vec!["send", &letter, "--checked-document", "XX"], "haut niveau de confiance", "high confidence"),
        (vec!["send", &letter, "--checked-document", "PA", "--checked-on", "hier"], "pas une date", "not a date"),
        (vec!["send", &letter, "--no-dmp"], "sans --to", "without --to"),
        (vec!["twin", "dpm"], "aucun jumeau", "no twin"),
        (vec!["package", "add", "hl7.fhir.fr.core"], "avec sa version", "with its version"),
        (vec!["jobs", "list"], "ne répond pas", "does not answer"),
    ];
    for (arguments, french, english) in cases {
        for (lang, word, foreign) in [("fr", french, english), ("en", english, french)] {
            let output = installation.run(&[&arguments[..], &["--lang", lang]].concat());
            ends(&format!("{arguments:?} in {lang}"), &output, 2, &[word]);
            assert!(!said(&output).contains(foreign), "{arguments:?} in {lang}: {}", said(&output));
        }
    }
    installation.write_config(
        &installation
            .config_text()
            .replace(&format!("listen = \"127.0.0.1:{}\"", installation.ports.plain), "listen = \"0.0.0.0\""),
    );
    for (lang, words) in [("fr", "avec son port"), ("en", "with its port")] {
        ends("an address without a port", &installation.run(&["serve", "--lang", lang]), 2, &[words, "127.0.0.1:8080"]);
    }
}

/// All that is wrong with a command is said at once.
#[test]
fn sending_says_everything_that_is_wrong_at_once() {
    let installation = Installation::at_rest(false);
    let nowhere = installation.folder().join("nowhere.xml").display().to_string();
    let output = installation.run(&["send", &nowhere, "--to", "a", "--checked-document", "XX"]);
    ends("three faults", &output, 2, &["nowhere.xml", "an @", "high confidence"]);
}
