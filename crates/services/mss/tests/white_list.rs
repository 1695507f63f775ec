//! The liste blanche: read when its signature is right, refused otherwise; the twin's is right for xmlsec1.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod support;

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use socle_identity::{Domain, Environment};
use socle_mss::model::WhiteList;
use socle_mss::twin::LIST_SIGNER;
use socle_mss::wire::white_list::{SignedList, WhiteListError, read, signed_by, write};
use socle_trust::pki::{Organisation, Profile};
use support::*;

type Verdict = Result<SignedList, WhiteListError>;

fn signer(name: &str, cn: &str) -> socle_trust::Credentials {
    let organisation = Organisation {
        cn: cn.into(),
        id: "10B0000001".parse().unwrap(),
        name: "GESTIONNAIRE".into(),
        department: "Paris (75)".into(),
    };
    pki().credentials(name, &Profile::OrgSign(organisation)).unwrap()
}

fn list() -> WhiteList {
    let name = |text: &str| text.parse().unwrap();
    let entries = [
        (
            "hopital-a.mssante.test",
            "CN=smtp.a.test,OU=1750000001,O=CH L'ESTRAN\\, NORD & SUD,ST=Côtes-d'Armor (22),C=FR",
        ),
        ("hopital-a.mssante.test", "CN=smtp2.a.test,O=CH,C=FR"),
        ("patient.mssante.fr", "CN=smtp.mes.test,O=CNAM,C=FR"),
    ];
    let entries = entries.map(|(domain, operator)| (domain.parse::<Domain>().unwrap(), name(operator)));
    WhiteList::new(Environment::Jumeau, entries).unwrap()
}

fn judge(xml: &str) -> Verdict {
    let now = Timestamp::now();
    read(xml.as_bytes(), Environment::Jumeau, &signed_by(pki().anchors(), LIST_SIGNER, now))
}

#[test]
fn what_we_write_we_read_and_a_change_is_seen() {
    let at = "2026-11-21T06:00:00Z".parse().unwrap();
    let xml = write(&list(), at, &signer("mss-list-good", LIST_SIGNER)).unwrap();
    let found = judge(&xml).unwrap();
    assert_eq!(found.list, list());
    assert_eq!((found.generated_at, found.left_out), (at, 0));

    let inside = xml.replacen("<Nom>hopital-a", "<Nom>hopital-b", 1);
    let signature = &xml[xml.find("<Signature").unwrap()..xml.find("</ListeBlanche").unwrap()];
    let unsigned = xml.replace(signature, "");
    let moved = unsigned.replacen("<ListeDomaines>", &format!("{signature}<ListeDomaines>"), 1);
    let twice = xml.replace("</ListeBlanche", &format!("{signature}</ListeBlanche"));
    let wrapped = format!("<x>{}</x>", xml.split_once("?>").unwrap().1);
    let value = &xml[xml.find("<SignatureValue>").unwrap() + 16..xml.find("</SignatureValue>").unwrap()];
    let forged = xml.replace(value, &value.chars().rev().collect::<String>().replace('=', "A"));
    let cases: [(&str, String, &str); 13] = [
        ("a domain", inside, "changed"),
        ("an operator", xml.replace("smtp2.a.test", "smtp3.a.test"), "changed"),
        ("white space", xml.replace("</Domaine>\n", "</Domaine>\n\n"), "changed"),
        ("one more domain", xml.replace("</ListeDomaines>", "<Domaine/></ListeDomaines>"), "changed"),
        ("no signature", unsigned, "not signed"),
        ("another place", moved, "not signed"),
        ("two signatures", twice, "not signed"),
        ("another root", wrapped, "format"),
        ("another value", forged, "signature of the liste blanche is wrong"),
        ("only a part is signed", xml.replace("URI=\"\"", "URI=\"#x\""), "not signed"),
        ("a weaker digest", xml.replace("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1"), "not signed"),
        ("cut short", xml[..xml.len() - 5].to_owned(), "not XML"),
        ("an entity", xml.replacen("?>", "?><!DOCTYPE x [<!ENTITY e 'x'>]>", 1), "not XML"),
    ];
    for (name, spoilt, word) in cases {
        assert_ne!(spoilt, xml, "{name}");
        let error = judge(&spoilt).unwrap_err().to_string();
        assert!(error.contains(word), "{name}: {error}");
    }
}

#[test]
fn only_the_right_signer_is_believed() {
    let at = Timestamp::now();
    let server = pki().credentials("mss-list-server", &Profile::Server { names: vec![LIST_SIGNER.into()] }).unwrap();
    let cases = [("another name", signer("mss-list-other", "alb.ailleurs.test")), ("a server's certificate", server)];
    for (name, credentials) in cases {
        let xml = write(&list(), at, &credentials).unwrap();
        assert!(matches!(judge(&xml), Err(WhiteListError::Trust(_))), "{name}");
    }
    let xml = write(&list(), at, &signer("mss-list-good", LIST_SIGNER)).unwrap();
    let later = "2090-01-01T00:00:00Z".parse().unwrap();
    let expired = read(xml.as_bytes(), Environment::Jumeau, &signed_by(pki().anchors(), LIST_SIGNER, later));
    assert!(matches!(expired, Err(WhiteListError::Trust(_))));
    let production = read(xml.as_bytes(), Environment::Production, &|_, _| Ok(())).unwrap();
    assert_eq!(production.left_out, 2, "domains of the twins are nobody's in production");
    assert!(!production.list.lists(&"hopital-a.mssante.test".parse().unwrap()));
}

#[test]
fn published_samples_have_the_verdict_of_their_readme() {
    let Some(folder) = shared("published_samples_have_the_verdict_of_their_readme", "messaging/listeblanche") else {
        return;
    };
    let sample = |name: &str| read(&std::fs::read(folder.join(name)).unwrap(), Environment::Production, &|_, _| Ok(()));
    let good = sample("listeblanche-signed-ok.xml").unwrap();
    assert_eq!((good.list.domains().count(), good.left_out), (7, 0));
    assert!(good.list.lists(&"ch-b.mssante.fr".parse().unwrap()), "upper case in the list");
    assert_eq!(good.list.operators_of(&"medecin.mssante.fr".parse().unwrap()).count(), 2);
    assert!(matches!(sample("listeblanche-tampered-domain.xml"), Err(WhiteListError::Digest)));
    assert!(matches!(sample("listeblanche-unsigned.xml"), Err(WhiteListError::Signature(_))));

    // The real signature, in a list that is not the one it signed: its value is right, the digest is not.
    let real = std::fs::read_to_string(folder.join("real-signature-block-20250228.xml")).unwrap();
    let good = std::fs::read_to_string(folder.join("listeblanche-signed-ok.xml")).unwrap();
    let start = good.find("<Signature").unwrap();
    let spliced = format!("{}{}</ListeBlancheMSSante>", &good[..start], real.trim());
    let verdict = read(spliced.as_bytes(), Environment::Production, &|_, _| Ok(()));
    assert!(matches!(verdict, Err(WhiteListError::Digest)), "{verdict:?}");
}

#[test]
fn the_twin_s_list_is_right_for_us_and_for_xmlsec() {
    run(async {
        let mut twin = Twin::start().await;
        let page = &twin.running().page;
        let answer = support::get(&format!("{page}listeblanchemssante.xml")).await;
        let (head, xml) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.to_ascii_lowercase().contains("content-type: application/xml"), "{head}");
        assert_eq!(judge(xml).unwrap().list, *twin.list());
        let file = twin.folder.path().join("liste.xml");
        std::fs::write(&file, xml).unwrap();
        verified_by_xmlsec("the_twin_s_list_is_right_for_us_and_for_xmlsec", &file, true);
        std::fs::write(&file, xml.replacen("<Nom>hopital-a", "<Nom>hopital-b", 1)).unwrap();
        verified_by_xmlsec("the_twin_s_list_is_right_for_us_and_for_xmlsec", &file, false);
        twin.stop().await;
    });
}

fn verified_by_xmlsec(test: &str, file: &Path, expected: bool) {
    let (root, intermediate) = (pki_folder().join("ACR-EL.pem"), pki_folder().join("ACI-EL-ORG.pem"));
    let mut command = Command::new("xmlsec1");
    command.args(["--verify", "--enabled-key-data", "x509", "--trusted-pem"]).arg(root);
    command.arg("--untrusted-pem").arg(intermediate).arg(file);
    match command.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.success(), expected, "{said}");
        }
        Err(_) => skipped(test, "no xmlsec1"),
    }
}
