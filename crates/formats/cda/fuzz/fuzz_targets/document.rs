//! A CDA document: refused, or judged, shown without script, compared with itself, given metadata that read back.
//!
//! `cargo +nightly fuzz run document` in `crates/formats/cda`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use socle_cda::document::Document;
use socle_cda::validate::validate_document;
use socle_cda::{Lang, diff, show};

fuzz_target!(|bytes: &[u8]| {
    let inside = String::from_utf8_lossy(bytes);
    let wrapped = format!(
        "<ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">{inside}</ClinicalDocument>"
    );
    for bytes in [bytes.to_vec(), wrapped.into_bytes()] {
        let Ok(document) = Document::parse(bytes) else { continue };
        let report = validate_document(&document, None);
        assert!(report.claim.is_some() && report.not_checked().count() > 0);
        for finding in report.findings() {
            assert!(!finding.message.fr.is_empty() && !finding.mend.en.is_empty());
        }
        let _ = document.payload();
        for lang in [Lang::Fr, Lang::En] {
            let page = show::page(&document, lang).expect("what was read is shown").to_ascii_lowercase();
            // Words of the document are escaped: what begins a tag here was written here.
            for never in ["<script", "<iframe", "<base", "<form", "<link", "href=\"javascript:", "href=\"http"] {
                assert!(!page.contains(never), "{never}");
            }
        }
        assert!(diff::compare(&document, &document).expect("what was read is compared").is_empty());
    }
});
