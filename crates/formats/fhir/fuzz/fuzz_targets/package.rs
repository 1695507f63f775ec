#![no_main]
//! Bytes are refused, or read as a package whose structures are found or told as broken; nothing panics.

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use socle_fhir::definitions::Definitions as _;
use socle_fhir::package::{Closure, Limits, Package, View};

const LIMITS: Limits = Limits { archive_bytes: 1 << 20, file_bytes: 1 << 20, total_bytes: 4 << 20, files: 100 };

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    // Compressed here, so that what is changed is the archive inside and not the compression around it.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    if encoder.write_all(bytes).is_ok() && let Ok(compressed) = encoder.finish() {
        read(&compressed);
    }
    // The same bytes as the one profile of a package: snapshots are made from what no archive would bring.
    let manifest = br#"{"name":"a","version":"1"}"#;
    let tar = [entry("package/package.json", manifest), entry("package/StructureDefinition-a.json", bytes)].concat();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    if encoder.write_all(&tar).is_ok() && let Ok(compressed) = encoder.finish() {
        read(&compressed);
    }
});

fn read(archive: &[u8]) {
    let Ok(package) = Package::from_archive("fuzz", archive, &LIMITS) else { return };
    let urls: Vec<_> = package.entries().iter().filter_map(|entry| entry.url.clone()).collect();
    let package = Arc::new(package);
    let view = View::of(Closure::of(std::slice::from_ref(&package), &[][..]));
    for url in urls {
        let _ = view.structure(&url);
        let _ = view.resource("ValueSet", &url);
    }
    let _ = view.problems();
}

fn entry(path: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..path.len()].copy_from_slice(path.as_bytes());
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[156] = b'0';
    header[148..156].fill(b' ');
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut out = [&header[..], content].concat();
    out.resize(out.len().next_multiple_of(512), 0);
    out
}
