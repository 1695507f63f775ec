//! An OpenID Connect client library that is not ours, npm's openid-client, logs in at the twin.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at what it did not expect")]

mod fixtures;

use std::path::{Path, PathBuf};
use std::process::Command;

use fixtures::{REDIRECT, pki, skip, start_with, twin_settings};
use socle_prosante::twin::{DEMO, Settings};
use socle_prosante::wire::{DISCOVERY_STANDARD, DISCOVERY_WALLET};

/// The major version that the script is written for.
const PACKAGE: &str = "openid-client@6";

/// A folder with openid-client in its `node_modules`: that of `SOCLE_PEERS_NODE`, or one made once under
/// `target`.
fn folder_with_openid_client() -> Option<PathBuf> {
    let has_it = |folder: &Path| folder.join("node_modules/openid-client/package.json").is_file();
    if let Some(folder) = std::env::var_os("SOCLE_PEERS_NODE").map(PathBuf::from) {
        return has_it(&folder).then_some(folder);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openid-client");
    if !has_it(&folder) {
        std::fs::create_dir_all(&folder).unwrap();
        let arguments = ["install", "--no-save", "--no-audit", "--no-fund", "--silent", PACKAGE];
        // What fails here shows below: the library is then not there.
        let _ = Command::new("npm").args(arguments).current_dir(&folder).status();
    }
    has_it(&folder).then_some(folder)
}

fn run(folder: &Path, discovery: &str) {
    let script = folder.join("socle-peer.mjs");
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer/openid-client.mjs"), &script).unwrap();
    let authorities = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(authorities.path(), pki().anchors().to_pem()).unwrap();
    let output = Command::new("node")
        .arg(&script)
        .args([discovery, DEMO.id, DEMO.secret, REDIRECT, "http://127.0.0.1:9/logout"])
        .env("NODE_EXTRA_CA_CERTS", authorities.path())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}

/// Pro Santé Connect's own document with a wallet over https, as in reality; and the standard document
/// with the wallet in clear text, to which the issuer sends the browser on.
#[tokio::test(flavor = "multi_thread")]
async fn openid_client_logs_in_and_uses_everything() {
    let test = "openid_client_logs_in_and_uses_everything";
    if Command::new("node").arg("--version").output().is_err() {
        return skip(test, "node is not installed");
    }
    let Some(folder) = tokio::task::spawn_blocking(folder_with_openid_client).await.unwrap() else {
        return skip(test, "openid-client could not be installed (npm, network)");
    };
    for (wallet_tls, document) in [(true, DISCOVERY_WALLET), (false, DISCOVERY_STANDARD)] {
        let (twin, _stop) = start_with(Settings { wallet_tls, ..twin_settings() }).await;
        let (folder, discovery) = (folder.clone(), format!("{}{document}", twin.issuer));
        tokio::task::spawn_blocking(move || run(&folder, &discovery)).await.unwrap();
    }
}
