//! Other stacks: Python's HTTP, TLS, XML and MIME against the twin, with xmlsec1 for signatures; and what
//! our client sends, looked at by Python's MIME parser and xmlsec1.

use std::path::{Path, PathBuf};
use std::process::Command;

use socle_dmp::model::query::Filter;
use socle_trust::Credentials;

use crate::support::{Twin, deposit, letter, patient, pki, reader, reference, seal, skip, tls_keys};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dmp/peers");

/// Is this tool here? If not, the test says so.
fn has(test: &str, tool: &str) -> bool {
    let asked = if tool == "openssl" { "version" } else { "--version" };
    let found = Command::new(tool).arg(asked).output().is_ok_and(|output| output.status.success());
    if !found {
        skip(test, &format!("{tool} is not installed"));
    }
    found
}

async fn run(mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn python(script: &str, folder: &Path) -> Command {
    let mut command = Command::new("python3");
    command.arg(Path::new(SCRIPTS).join(script)).arg(folder);
    command
}

fn write_keys(folder: &Path, name: &str, keys: &Credentials) {
    std::fs::write(folder.join(format!("{name}.pem")), keys.chain_pem()).unwrap();
    std::fs::write(folder.join(format!("{name}.key")), keys.key_pem()).unwrap();
}

/// Authorities and keys as files. xmlsec1 wants roots and intermediates apart.
fn write_pki(folder: &Path) {
    write_keys(folder, "auth", &tls_keys());
    write_keys(folder, "sign", &seal());
    std::fs::write(folder.join("authorities.pem"), pki().anchors().to_pem()).unwrap();
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pki");
    std::fs::copy(dir.join("ACR-EL.pem"), folder.join("root.pem")).unwrap();
    std::fs::copy(dir.join("ACI-EL-ORG.pem"), folder.join("intermediate.pem")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_made_python_client_queries_and_retrieves() {
    const TEST: &str = "a_hand_made_python_client_queries_and_retrieves";
    if !["python3", "xmlsec1", "openssl"].into_iter().all(|tool| has(TEST, tool)) {
        return;
    }
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let document = letter();
    client.provide(&patient, deposit(document.clone())).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    write_pki(folder.path());
    std::fs::write(folder.path().join("document.xml"), &document.bytes).unwrap();
    let mut command = python("consult.py", folder.path());
    command.arg(&twin.running.url).arg(&document.entry.unique_id);
    let said = run(command).await;
    let expected = [
        "find: Success, 1 entry, the document's",
        "find by a structure alone: fault Sender DMPAccessDeniedByRightsService",
        "unknown query: XDSUnknownStoredQuery",
        "no patient in the query: XDSStoredQueryMissingParam",
        "retrieve: Success, byte-identical, text/xml",
        "retrieve by entryUUID: XDSDocumentUniqueIdError",
        "tampered assertion: fault Sender FailedCheck",
        "authentication key: fault Sender DMPInvalidCertificate",
        "not well-formed: fault Sender",
        "chunked body over the limit: 413",
        "TLS 1.3 alone: refused",
        "no client certificate: refused",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{said}");
    assert_eq!(client.find(&patient, &reader(), Filter::default()).await.unwrap().entries.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_our_client_sends_is_read_by_tools_that_are_not_ours() {
    const TEST: &str = "what_our_client_sends_is_read_by_tools_that_are_not_ours";
    if !["python3", "xmlsec1", "xmllint"].into_iter().all(|tool| has(TEST, tool)) {
        return;
    }
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let document = letter();
    let provided = client.provide(&patient, deposit(document.clone())).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    write_pki(folder.path());
    let request = &provided.exchanges[0].request;
    std::fs::write(folder.path().join("request.type"), &request.content_type).unwrap();
    std::fs::write(folder.path().join("request.bin"), request.to_bytes()).unwrap();
    std::fs::write(folder.path().join("document.xml"), &document.bytes).unwrap();
    let said = run(python("provide.py", folder.path())).await;
    let expected = [
        "3 parts: application/xop+xml; text/xml; text/xml",
        "start names the root; action and start-info are there",
        "each Document includes one part, each part once",
        "the document is byte-identical",
        "SOAP 1.2, action urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
        "1 RegistryPackage, 2 ExtrinsicObject, 2 HasMember, 1 signs",
        "the manifest names the lot and the document, and its digest is right",
        "VIHF: INDIRECTE, AUTOMATE, the patient of the entries",
        "xmlsec1: the assertion verifies, a changed one does not",
        "xmlsec1: the lot verifies, a changed one does not",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{said}");

    let entry = client.find(&patient, &reader(), Filter::default()).await.unwrap().entries.remove(0);
    let got = client.retrieve(&patient, &reader(), &[reference(&entry)]).await.unwrap();
    let request = String::from_utf8(got.exchanges[0].request.to_bytes().to_vec()).unwrap();
    assert!(request.contains(">INDIRECTE_RENFORCEE<") && request.contains("SM26"), "AIR names the professional");
}
