//! An XDM archive: refused or read, within its limits; the validator says an error whenever the reader refuses.
//!
//! The input is an archive; and, packed here, the metadata of one, after a zero byte its document.
//! `cargo +nightly fuzz run xdm` in `crates/formats/cda`.

#![no_main]

use std::io::{Cursor, Write as _};

use libfuzzer_sys::fuzz_target;
use socle_cda::xdm::{self, Limits};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const LIMITS: Limits = Limits { entries: 50, file_bytes: 1 << 20, total_bytes: 4 << 20, ratio: 200 };

fuzz_target!(|bytes: &[u8]| {
    judge(bytes);
    let (metadata, document) = match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &b"text"[..]),
    };
    let files = [
        ("INDEX.HTM", &b"<html/>"[..]),
        ("README.TXT", &b"x"[..]),
        ("IHE_XDM/SUBSET01/METADATA.XML", metadata),
        ("IHE_XDM/SUBSET01/DOC00001.XML", document),
    ];
    judge(&packed(&files));
});

fn judge(archive: &[u8]) {
    let read = xdm::read(archive, &LIMITS);
    let validated = xdm::validate(archive, &LIMITS, None);
    match read {
        Ok(archive) => {
            let _ = archive.mail_facts();
            for subset in &archive.subsets {
                assert_eq!(subset.files.len(), subset.submission.entries.len());
                assert!(subset.files.iter().all(|file| file.len() as u64 <= LIMITS.file_bytes));
            }
        }
        Err(_) => assert!(!validated.is_valid(), "refused and valid"),
    }
}

/// Stored, so that what is changed is the content and not the compression around it.
fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in files {
        archive.start_file(*name, options).expect("a name");
        archive.write_all(bytes).expect("memory");
    }
    archive.finish().expect("an archive").into_inner()
}
