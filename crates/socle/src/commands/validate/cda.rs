//! CDA documents of the CI-SIS.

use bytes::Bytes;
use socle_cda::validate::{Report, validate};
use socle_finding::Text;

use super::checked::{Judged, Unchecked};
use super::formats::{Format, Head};

pub(super) struct Cda;

impl Format for Cda {
    fn name(&self) -> &'static str {
        "cda"
    }

    /// A ClinicalDocument, alone, in the stylesheet that shows it, or in its signature.
    fn recognises(&self, head: &Head) -> bool {
        head.root().is_some_and(|root| {
            let name = root.split([' ', '\n', '\t', '\r', '/']).next().unwrap_or_default();
            let local = name.rsplit(':').next().unwrap_or(name);
            matches!(local, "ClinicalDocument" | "stylesheet" | "Signature") || root.contains("urn:hl7-org:v3")
        })
    }

    fn judge(&self, bytes: Bytes) -> Judged {
        judged(validate(bytes, None))
    }
}

pub(super) fn judged(report: Report) -> Judged {
    let what = report.claim.as_ref().map(|claim| claim.title());
    let unchecked = report.not_checked().map(|(layer, why)| Unchecked {
        what: Text::new(format!("{} : {}", layer.name.fr, why.fr), format!("{}: {}", layer.name.en, why.en)),
        count: 1,
    });
    let unchecked = unchecked.collect();
    Judged::of(what, report.findings().cloned().collect(), unchecked)
}
