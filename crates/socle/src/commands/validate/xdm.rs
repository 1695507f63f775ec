//! XDM archives: the archive, its metadata, and each CDA document inside.

use bytes::Bytes;
use socle_cda::xdm::{Limits, Validated, validate};
use socle_finding::Text;

use super::cda;
use super::checked::Judged;
use super::formats::{Format, Head};
use super::official::Installed;

pub(super) struct Xdm(pub(super) Option<Installed>);

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
        let Validated { findings, documents } =
            validate(&bytes, &Limits::default(), self.0.as_ref().map(Installed::layers));
        let count = documents.len();
        let what = Text::new(format!("{count} document(s) CDA"), format!("{count} CDA document(s)"));
        let mut judged = Judged::of(Some(what), findings, Vec::new());
        for member in documents {
            let inside = cda::judged(member.report);
            for spotted in inside.findings {
                let mut finding = spotted.finding;
                finding.at.path = format!("{} : {}", member.path, finding.at.path);
                judged.push(finding);
            }
            inside.not_checked.into_iter().for_each(|unchecked| judged.push_unchecked(unchecked));
        }
        judged
    }
}
