//! XDM archives: the archive, its metadata, and each CDA document inside.

use bytes::Bytes;
use socle_cda::validate::validate_document;
use socle_cda::xdm::{Limits, read};
use socle_finding::Text;

use super::cda;
use super::checked::Judged;
use super::formats::{Format, Head};

pub(super) struct Xdm;

impl Format for Xdm {
    fn name(&self) -> &'static str {
        "xdm"
    }

    fn recognises(&self, head: &Head) -> bool {
        head.is_zip
    }

    /// They point into the documents of the archive.
    fn shows_lines(&self) -> bool {
        false
    }

    fn judge(&self, bytes: Bytes) -> Judged {
        let archive = match read(&bytes, &Limits::default()) {
            Ok(archive) => archive,
            Err(refused) => return Judged::of(None, refused.findings, Vec::new()),
        };
        let mut judged = Judged::of(None, archive.warnings.clone(), Vec::new());
        let mut documents = 0;
        for subset in &archive.subsets {
            for document in subset_documents(subset) {
                documents += 1;
                let inside = cda::judged(validate_document(&document, None));
                for spotted in inside.findings {
                    let mut finding = spotted.finding;
                    finding.at.path = format!("{}, document {documents} : {}", subset.folder, finding.at.path);
                    judged.push(finding);
                }
                inside.not_checked.into_iter().for_each(|unchecked| judged.push_unchecked(unchecked));
            }
        }
        let (lots, entries) =
            (archive.subsets.len(), archive.subsets.iter().map(|subset| subset.files.len()).sum::<usize>());
        judged.what = Some(Text::new(
            format!("{lots} lot(s), {entries} document(s), dont {documents} CDA"),
            format!("{lots} submission set(s), {entries} document(s), {documents} of them CDA"),
        ));
        judged
    }
}

fn subset_documents(subset: &socle_cda::xdm::Subset) -> Vec<socle_cda::Document> {
    subset.files.iter().filter_map(|file| socle_cda::Document::parse(file.clone()).ok()).collect()
}
