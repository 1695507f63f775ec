//! CDA documents of the CI-SIS.

use bytes::Bytes;
use socle_cda::validate::{Outcome, Report, validate};
use socle_finding::Text;

use super::checked::{Judged, Unchecked};
use super::formats::{Format, Head};
use super::official::Installed;

pub(super) struct Cda(pub(super) Option<Installed>);

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
        judged(validate(bytes, self.0.as_ref().map(Installed::layers)))
    }
}

pub(super) fn judged(report: Report) -> Judged {
    // Which edition of the rules judged is part of every report.
    let ran = report.layers.iter().filter(|layer| matches!(layer.outcome, Outcome::Checked(_)));
    let mut editions: Vec<&str> = ran.filter_map(|layer| layer.edition.as_deref()).collect();
    editions.dedup();
    let editions = editions.join(", ");
    let what = report.claim.as_ref().map(|claim| {
        let title = claim.title();
        Text::new(format!("{} · {editions}", title.fr), format!("{} · {editions}", title.en))
    });
    let unchecked = report.not_checked().map(|(layer, why)| Unchecked {
        what: Text::new(format!("{} : {}", layer.name.fr, why.fr), format!("{}: {}", layer.name.en, why.en)),
        count: 1,
    });
    let unchecked = unchecked.collect();
    Judged::of(what, report.findings().cloned().collect(), unchecked)
}
