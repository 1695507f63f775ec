//! The recipient's mailbox, read by Python's imaplib over TLS and unzipped by its zipfile: nothing of
//! ours reads what ours wrote.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use socle_mss::twin::TEST_PASSWORD;

use super::Installation;

/// A mail with an XDM archive.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) message_id: String,
    /// `X-MSS-INS`.
    pub(crate) carries_ins: String,
    /// SHA-256 of each file of the archive, in hexadecimal.
    pub(crate) digests: Vec<String>,
}

/// Is there a Python to read with?
pub(crate) fn python_is_there() -> bool {
    let probe = Command::new("python3").args(["-c", "import ssl, imaplib, zipfile"]).output();
    probe.is_ok_and(|output| output.status.success())
}

impl Installation {
    /// All mails of a mailbox.
    pub(crate) fn mails(&self, address: &str) -> Vec<Mail> {
        let authorities = self.folder().join("authorities.pem");
        std::fs::write(&authorities, self.pki().anchors().to_pem()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/read_mailbox.py");
        let output = Command::new("python3")
            .arg(script)
            .args([self.ports.imaps.to_string().as_str(), address, TEST_PASSWORD])
            .arg(&authorities)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(mail).collect()
    }
}

fn mail(line: &str) -> Mail {
    let read: Value = serde_json::from_str(line).unwrap();
    let text = |name: &str| read[name].as_str().unwrap().to_owned();
    let digests = read["digests"].as_array().unwrap().iter().map(|digest| digest.as_str().unwrap().to_owned());
    Mail { message_id: text("message_id"), carries_ins: text("carries_ins"), digests: digests.collect() }
}

/// SHA-256 as the mailbox's reader writes it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
